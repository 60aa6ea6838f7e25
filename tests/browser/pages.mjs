// Walks the pages of a plan (see tests/scenarios/pages.py) and says what is wrong with them.
//   node pages.mjs PLAN.json    prints one line a page and a last line; status 1 when something is wrong.
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { DESKTOP, PHONE, Reader, inLanguage, launch } from './browser.mjs';
import * as check from './checks.mjs';

const FIRST_RESPONSE = 14600; // ten segments: what a server may send before the first acknowledgement
const WHOLE_PAGE = 30000;
const RIGHT_TO_LEFT = new Set(['ar', 'fa']);

const plan = JSON.parse(await readFile(process.argv[2], 'utf8'));
const sizes = new Map(); // pieces of pages (pictures, scripts) are asked once

async function picture(page, name) {
	if (plan.screenshots) {
		await page.screenshot({ path: path.join(plan.screenshots, `${name}.png`), fullPage: true });
	}
}

async function weigh(entry, language, asked) {
	const own = inLanguage(entry.path, language), cookies = plan.cookies[entry.as];
	const first = (await check.wireSize(plan.base + own, cookies)).size;
	let whole = first;
	for (const url of new Set(asked)) {
		if (url === plan.base + own || !url.startsWith(plan.base)) {
			continue;
		}
		if (!sizes.has(url)) {
			sizes.set(url, (await check.wireSize(url, cookies)).size);
		}
		whole += sizes.get(url);
	}
	const problems = [];
	if (first > FIRST_RESPONSE) {
		problems.push(`${language}: first response is ${first} bytes, more than ${FIRST_RESPONSE}`);
	}
	if (whole > WHOLE_PAGE) {
		problems.push(`${language}: the whole page is ${whole} bytes, more than ${WHOLE_PAGE}`);
	}
	return { first, whole, problems };
}

// Opens the entry's page, and for an entry about a refused form sends that form as it stands with what `fill` names.
async function open(reader, entry, language, viewport) {
	let response = await reader.visit(inLanguage(entry.path, language), viewport);
	if (entry.submit) {
		[response] = await Promise.all([
			reader.page.waitForNavigation({ waitUntil: 'load' }),
			reader.page.evaluate(([action, fill, press]) => {
				const button = form => press ? form.querySelector(`button[value="${press}"]`) : null;
				const posts = [...document.forms].filter(one => one.method === 'post' && (!press || button(one)));
				const form = posts.find(one => new URL(one.action).pathname.endsWith(action)) ?? posts.find(one => one.action.includes(action));
				for (const [name, value] of Object.entries(fill)) {
					form.elements.namedItem(name).value = value;
				}
				form.noValidate = true;
				setTimeout(() => form.requestSubmit(button(form)), 0);
			}, [entry.submit, entry.fill ?? {}, entry.button]),
		]);
	}
	const status = entry.status ?? (entry.submit ? 422 : 200);
	return response.status() === status ? [] : [`answers ${response.status()}, not ${status}`];
}

async function inOneLanguage(reader, entry, language, first) {
	const page = reader.page, say = text => text.map(one => `${language}: ${one}`);
	const viewport = first ? PHONE : DESKTOP;
	const problems = say(await open(reader, entry, language, viewport));
	if (problems.length) {
		return problems;
	}
	problems.push(...say(await check.speaks(page, language, RIGHT_TO_LEFT.has(language))));
	await picture(page, `${entry.name}-${language}-${viewport.width}`);
	// What lies folded is looked at too.
	await page.evaluate(() => document.querySelectorAll('details').forEach(one => { one.open = true; }));
	problems.push(...say(await check.accessible(page)));
	if (plan.thorough || !first) {
		const other = first ? DESKTOP : PHONE;
		if (!first) {
			problems.push(...say(await check.mirrors(page)));
		}
		await page.setViewportSize(other);
		if (plan.thorough) {
			problems.push(...say(await check.accessible(page)));
		}
		await picture(page, `${entry.name}-${language}-${other.width}`);
	}
	await page.setViewportSize(PHONE);
	problems.push(...say(await check.fits(page)));
	return problems;
}

async function special(reader, entry) {
	const problems = [];
	if (entry.keyboard) {
		await open(reader, entry, plan.languages[0], DESKTOP);
		problems.push(...await check.skips(reader.page));
		await open(reader, entry, plan.languages[0], DESKTOP);
		problems.push(...await check.keyboard(reader.page));
	}
	if (entry.print) {
		await open(reader, entry, plan.languages[0], DESKTOP);
		problems.push(...await check.prints(reader.page, entry.print));
	}
	return problems;
}

async function walk(readers, entry) {
	const problems = [];
	let first = 0, whole = 0;
	for (const [index, language] of plan.languages.entries()) {
		problems.push(...await inOneLanguage(readers.scripts, entry, language, index === 0));
		if (entry.light) {
			const weighed = await weigh(entry, language, readers.scripts.asked);
			problems.push(...weighed.problems);
			first = Math.max(first, weighed.first);
			whole = Math.max(whole, weighed.whole);
		}
	}
	problems.push(...await special(readers.plain, entry));
	problems.push(...readers.scripts.takeComplaints());
	if (!entry.submit) {
		problems.push(...await open(readers.plain, entry, plan.languages[0], PHONE));
		problems.push(...(await check.formsWork(readers.plain.page)).map(one => `without scripts: ${one}`));
		problems.push(...(await check.fits(readers.plain.page)).map(one => `without scripts: ${one}`));
		problems.push(...readers.plain.takeComplaints());
	}
	return { problems, weight: entry.light ? ` at most ${first} bytes first, ${whole} in all` : '' };
}

// Several at once: while one page waits for the server another is laid out.
async function worker(browser, queue, report) {
	const readers = {};
	for (const who of Object.keys(plan.cookies)) {
		readers[who] = {
			scripts: await Reader.open(browser, plan.base, { cookies: plan.cookies[who] }),
			plain: await Reader.open(browser, plan.base, { cookies: plan.cookies[who], scripts: false }),
		};
	}
	for (let entry = queue.shift(); entry; entry = queue.shift()) {
		const begun = Date.now();
		let result;
		// Each page is read from an address of its own, as behind the proxy: together they are many tries with secrets.
		const source = { 'X-Forwarded-For': `198.19.0.${plan.pages.indexOf(entry) % 250 + 1}` };
		await readers[entry.as].scripts.context.setExtraHTTPHeaders(source);
		await readers[entry.as].plain.context.setExtraHTTPHeaders(source);
		try {
			result = await walk(readers[entry.as], entry);
		} catch (error) {
			result = { problems: [error.stack], weight: '' };
		}
		report(entry, result, Date.now() - begun);
	}
}

if (plan.screenshots) {
	await mkdir(plan.screenshots, { recursive: true });
}
const browser = await launch(plan.chromium);
let wrong = 0;
const queue = [...plan.pages];
const report = (entry, { problems, weight }, milliseconds) => {
	console.log(`${problems.length ? 'WRONG' : 'ok   '} ${entry.name} (${entry.path.replace(/[A-Za-z0-9_-]{20,}/g, '…')}) ${milliseconds} ms${weight}`);
	for (const problem of new Set(problems)) {
		console.log(`      ${problem}`);
	}
	wrong += problems.length ? 1 : 0;
};
await Promise.all([0, 1].map(() => worker(browser, queue, report)));
await browser.close();
console.log(`${plan.pages.length} pages, ${wrong} with something wrong`);
process.exitCode = wrong ? 1 : 0;
