#!/usr/bin/env node
// What npm's libphonenumber-js says about many numbers, as a C table for kernel/text/phone_test.c.
// usage: phone_oracle.mjs PACKAGE_FOLDER OUTPUT.c
// For every country: its example number in every form people type, the same with digits changed, and digits at random
// (a fixed seed, so that a failure can be repeated).
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const CHANGED_PER_COUNTRY = 12;
const RANDOM_PER_COUNTRY = 12;
const E164_DIGITS = 15;

const [folder, output] = process.argv.slice(2);
if (!output) {
	console.error('usage: phone_oracle.mjs PACKAGE_FOLDER OUTPUT.c');
	process.exit(2);
}
const require = createRequire(resolve(folder, 'package.json'));
const { parsePhoneNumberWithError, getCountries, getExampleNumber } = require('libphonenumber-js/max');
const examples = require(resolve(folder, 'examples.mobile.json'));
const { countries, nonGeographic } = require(resolve(folder, 'metadata.max.json'));

let state = 20261124;
function random(bound) {
	state = (Math.imul(state, 1103515245) + 12345) >>> 0;
	return (state >>> 8) % bound;
}
function digits(count) {
	let text = '';
	for (let i = 0; i < count; i++) text += random(10);
	return text;
}
function change(text) {
	const at = [...text].map((c, i) => (c >= '0' && c <= '9' ? i : -1)).filter((i) => i >= 0);
	const where = at[random(at.length)];
	return text.slice(0, where) + random(10) + text.slice(where + 1);
}

const types = { MOBILE: 'PHONE_MOBILE', FIXED_LINE: 'PHONE_FIXED', FIXED_LINE_OR_MOBILE: 'PHONE_FIXED_OR_MOBILE', TOLL_FREE: 'PHONE_TOLL_FREE',
	PREMIUM_RATE: 'PHONE_PREMIUM', SHARED_COST: 'PHONE_SHARED_COST', VOIP: 'PHONE_VOIP', PERSONAL_NUMBER: 'PHONE_PERSONAL',
	PAGER: 'PHONE_PAGER', UAN: 'PHONE_UAN', VOICEMAIL: 'PHONE_VOICEMAIL' };

const rows = [];
function ask(input, country) {
	let number;
	try {
		number = parsePhoneNumberWithError(input, { defaultCountry: country, extract: false });
		if (!number.isPossible() || number.number.length > E164_DIGITS + 1) number = undefined;
	} catch {
		number = undefined;
	}
	// we also take 00 where home dials another prefix, and a doubled prefix after the plus; the package does not
	if (!number && /^\+?00/.test(input)) return;
	const text = (value) => JSON.stringify(value);
	rows.push(number
		? `{ ${text(input)}, ${text(country ?? '')}, ${text(number.number)}, ${text(number.country ?? '')}, ${types[number.getType()] ?? 'PHONE_TYPE_UNKNOWN'}, ${number.isValid()}, ${text(number.formatInternational())} },`
		: `{ ${text(input)}, ${text(country ?? '')}, NULL, NULL, PHONE_TYPE_UNKNOWN, false, NULL },`);
}

for (const country of getCountries()) {
	const example = getExampleNumber(country, examples);
	const code = countries[country][0];
	const forms = [example.number, example.formatNational(), example.formatInternational(), example.nationalNumber, code + example.nationalNumber,
		'0' + example.nationalNumber, `+${code} (0) ${example.nationalNumber}`];
	for (const form of forms) ask(form, country);
	ask(example.number, undefined);
	ask('00' + code + example.nationalNumber, country);
	ask('011' + code + example.nationalNumber, 'US');
	ask('810' + code + example.nationalNumber, 'RU');
	for (let i = 0; i < CHANGED_PER_COUNTRY; i++) {
		const changed = change(change(example.number));
		ask(changed, undefined);
		ask(change(change(change(example.formatNational()))), country);
	}
	for (let i = 0; i < RANDOM_PER_COUNTRY; i++) {
		ask('+' + code + digits(3 + random(14)), undefined);
		ask(digits(3 + random(14)), country);
	}
}
for (const code of Object.keys(nonGeographic))
	for (let i = 0; i < CHANGED_PER_COUNTRY; i++) ask('+' + code + digits(7 + random(6)), undefined);

writeFileSync(output, ['/* Made by tools/phone_oracle.mjs; do not edit. */', '#include "kernel/text/phone_oracle.h"', '',
	'const struct phone_oracle_row phone_oracle[] = {', ...rows.map((row) => '\t' + row), '};',
	'const size_t phone_oracle_count = sizeof(phone_oracle) / sizeof(phone_oracle[0]);', ''].join('\n'));
