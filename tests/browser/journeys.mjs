// What people do, done by clicking and typing in a real browser, without scripts; and what the script adds on top.
//   node journeys.mjs PLAN.json
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { DESKTOP, PHONE, Reader, launch } from './browser.mjs';
import { fits } from './checks.mjs';

const plan = JSON.parse(await readFile(process.argv[2], 'utf8'));
const browser = await launch(plan.chromium);

function must(condition, text) {
	if (!condition) {
		throw new Error(text);
	}
}

async function until(ask, what) {
	const end = Date.now() + 30000 * plan.patience;
	while (Date.now() < end) {
		const value = await ask();
		if (value) {
			return value;
		}
		await new Promise(resolve => setTimeout(resolve, 50));
	}
	throw new Error(`${what}: waited in vain`);
}

async function mailOf(address, pattern) {
	return until(async () => {
		const answer = await fetch(`${plan.simulator}/mailboxes/${address}`);
		const { messages = [] } = answer.ok ? await answer.json() : {};
		return messages.map(message => message.text.match(pattern)).find(found => found)?.[1];
	}, `a mail to ${address}`);
}

async function smsOf(number, pattern) {
	return until(async () => {
		const answer = await fetch(`${plan.simulator}/phones/${encodeURIComponent(number)}`);
		const { messages = [] } = answer.ok ? await answer.json() : {};
		return messages.map(message => message.text.match(pattern)).find(found => found)?.[1];
	}, `an SMS to ${number}`);
}

// Only what can be seen can be used: Playwright clicks and fills nothing hidden. A click that leads elsewhere is waited for.
async function press(page, selector) {
	await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), page.locator(selector).first().click()]);
	must((await page.locator('h1').count()) === 1, `${page.url()} has no heading`);
}

async function stands(page, text) {
	const words = await page.locator('main').innerText();
	must(words.includes(text), `${page.url()}: "${text}" is not on the page:\n${words.slice(0, 1500)}`);
}

function totp(secret, seconds) {
	let bits = '';
	for (const letter of secret) {
		bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0');
	}
	const key = Buffer.from(bits.match(/.{8}/g).map(one => parseInt(one, 2)));
	const counter = Buffer.alloc(8);
	counter.writeBigUInt64BE(BigInt(Math.floor(seconds / 30)));
	const digest = createHmac('sha1', key).update(counter).digest();
	const at = digest[19] & 15;
	return String((digest.readUInt32BE(at) & 0x7fffffff) % 1000000).padStart(6, '0');
}

// A day from today as someone writes it: in the Persian calendar and digits for fa.
function day(days, language) {
	const at = new Date(Date.now() + days * 86400000);
	const options = { year: 'numeric', month: '2-digit', day: '2-digit', timeZone: 'UTC' };
	return language === 'fa' ? new Intl.DateTimeFormat('fa-IR-u-ca-persian', options).format(at) : new Intl.DateTimeFormat('en-GB', options).format(at);
}

async function phone({ scripts = false, cookies = [] } = {}) {
	const reader = await Reader.open(browser, plan.base, { scripts, cookies });
	await reader.page.setViewportSize(PHONE);
	return reader;
}

// Enrols from the first page on, by the buttons a person sees. Returns the reader on the person's own page.
async function enrol(language, who) {
	const reader = await phone(), page = reader.page;
	await page.goto(`${plan.base}/?lang=${language}`);
	await press(page, 'main a[href^="/enrol"]');
	await page.fill('#name', who.name);
	await page.fill('#email', who.mail);
	if (who.mobile) {
		await page.fill('#mobile', who.mobile);
		await page.selectOption('#mobile_country', who.country);
	}
	await page.fill('[id="leg.0.place"]', who.place);
	await page.fill('[id="leg.0.from"]', day(0, language));
	await page.fill('[id="leg.0.to"]', day(20, language));
	await press(page, 'main form button.big');
	must(page.url().includes('/confirm/'), `enrolled, and not asked for a code: ${page.url()}\n${await page.locator('main').innerText()}`);
	must((await fits(page)).length === 0, 'the page of codes scrolls sideways');
	const codes = [await mailOf(who.mail, /\b(\d{6})\b/)];
	if (who.mobile) {
		codes.push(await smsOf(who.number, /(?<!\d)(\d{6})(?!\d)/));
	}
	for (const code of codes) {
		// Each address has its own form; its code fits there alone, in any digits.
		const fields = page.locator('input[name^="code_"]');
		const count = await fields.count();
		for (let i = 0; i < count; i++) {
			const section = page.locator('section', { has: page.locator('input[name^="code_"]') }).nth(i);
			const byMail = (await section.innerText()).includes('@');
			if (byMail === (code === codes[0])) {
				await section.locator('input[name^="code_"]').fill(language === 'fa' ? code.replace(/\d/g, digit => '۰۱۲۳۴۵۶۷۸۹'[digit]) : code);
				await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), section.locator('button[type=submit]').first().click()]);
				break;
			}
		}
	}
	must((await page.locator('input[name^="code_"]').count()) === 0, `codes were typed, and more are asked for:\n${await page.locator('main').innerText()}`);
	if (page.url().includes('/confirm/')) {
		await press(page, 'main a[href*="/my/"].button');
	}
	await stands(page, who.name);
	must((await page.locator('.tag.safe').count()) === codes.length, `not all addresses are confirmed:\n${await page.locator('main').innerText()}`);
	return reader;
}

const journeys = {
	async 'a traveller enrols on a phone without scripts, in English'() {
		const begun = Date.now();
		const reader = await enrol('en', { name: 'Amal Example', mail: 'amal@example.org', mobile: '20 123 456', country: 'TN', number: '+21620123456', place: 'Teheran' });
		const page = reader.page;
		await stands(page, 'Tehran');
		await press(page, 'a[href*="/trips/"]');
		await page.fill('[id="leg.0.to"]', day(9, 'en'));
		await press(page, 'main form button[type=submit] >> nth=-2');
		must(/\/my\/[^/]+$/.test(new URL(page.url()).pathname), `the trip was saved, and this is ${page.url()}`);
		must(reader.takeComplaints().length === 0, 'something was refused or complained of');
		must(Date.now() - begun < 120000, 'more than two minutes');
		await reader.close();
	},

	async 'a traveller enrols in Persian, with Persian digits and dates'() {
		const reader = await enrol('fa', { name: 'زهرا نمونه', mail: 'zahra@example.org', place: 'تهران' });
		must(await reader.page.evaluate(() => document.documentElement.dir) === 'rtl', 'the page does not run right to left');
		await reader.close();
	},

	async 'an officer signs in, writes an alert, reviews and sends it, without scripts'() {
		const reader = await Reader.open(browser, plan.base, { scripts: false }), page = reader.page;
		await page.setViewportSize(DESKTOP);
		await page.goto(`${plan.base}/desk/alerts/new?lang=en`);
		await page.fill('#login', plan.login);
		await page.fill('#password', plan.password);
		await page.fill('#code', totp(plan.secret, Date.now() / 1000 + 30));
		await press(page, 'main form button[type=submit]');
		must(page.url().includes('/desk/alerts/new'), `signed in, and not where they wanted to go: ${page.url()}`);
		// Sent as it stands, it comes back with what is missing, and what was typed.
		await page.fill('#area_description', 'Tehran and around');
		await press(page, 'button[value=review]');
		must((await page.locator('.summary a').count()) >= 1, 'nothing is said of what is missing');
		must(await page.inputValue('#area_description') === 'Tehran and around', 'what was typed is gone');
		await page.fill('#countries', 'Iran');
		await page.fill('[id="text.0.headline"]', 'Earthquake near Tehran');
		await page.fill('[id="text.0.description"]', 'A strong earthquake was felt.');
		await page.fill('[id="text.0.instruction"]', 'Go outside and answer this message.');
		await press(page, 'button[value=review]');
		await stands(page, 'Earthquake near Tehran');
		await press(page, 'a[href$="/send"], a[href*="/send?"]');
		await press(page, 'main .confirm button[type=submit]');
		plan.alert = new URL(page.url()).pathname;
		await until(async () => {
			await page.reload();
			return /Accepted|accepted/.test(await page.locator('main').innerText()) && !(await page.locator('main').innerText()).includes('0\ntargeted');
		}, 'the progress of the alert');
		must((await page.locator('noscript meta[http-equiv=refresh], meta[http-equiv=refresh]').count()) > 0, 'without scripts the page does not refresh itself');
		plan.cookies = await reader.context.cookies();
		await reader.close();
	},

	async 'the board follows the answers live, and leaves alone what is typed'() {
		const board = await Reader.open(browser, plan.base), page = board.page;
		await board.context.addCookies(plan.cookies);
		await page.setViewportSize(DESKTOP);
		await page.goto(`${plan.base}${plan.alert}/board?lang=en&view=help`);
		const help = () => page.locator('.tile.help b').innerText();
		must(await help() === '0', `before any answer ${await help()} need help`);
		await page.fill('#q', 'half a na');
		await page.evaluate(() => { globalThis.stayed = true; });

		const traveller = await phone();
		const link = await mailOf('amal@example.org', /(\/a\/[A-Za-z0-9_-]{20,})/);
		await traveller.page.goto(`${plan.base}${link}?lang=en`);
		must((await fits(traveller.page)).length === 0, 'the answer page scrolls sideways');
		await traveller.page.fill('#note', 'Second floor, the stairs are gone');
		await press(traveller.page, 'button[value=help]');
		await stands(traveller.page, 'We have recorded');
		await traveller.close();

		await until(async () => await help() === '1', 'the board to say that one needs help');
		await until(async () => (await page.locator('main').innerText()).includes('the stairs are gone'), 'the note on the board');
		must(await page.evaluate(() => globalThis.stayed === true), 'the page was loaded again');
		must(await page.inputValue('#q') === 'half a na', 'what was being typed is gone');
		must(board.takeComplaints().length === 0, 'something was refused or complained of');
		await board.close();
	},

	async 'an answer by the keyboard alone: nothing is sent by the Enter key in a text'() {
		const reader = await phone(), page = reader.page;
		const link = await mailOf('zahra@example.org', /(\/a\/[A-Za-z0-9_-]{20,})/);
		await page.goto(`${plan.base}${link}?lang=en`);
		await page.focus('#note');
		await page.keyboard.type('All well');
		await page.keyboard.press('Enter');
		must(await page.inputValue('#note') !== '', 'the note was sent by the Enter key');
		await page.focus('button[value=safe]');
		await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), page.keyboard.press('Enter')]);
		await stands(page, 'safe');
		must((await page.locator('.panel.good').count()) === 1, 'the answer is not shown as recorded');
		await reader.close();
	},
};

let wrong = 0;
for (const [name, journey] of Object.entries(journeys)) {
	const begun = Date.now();
	try {
		await journey();
		console.log(`ok    ${name} (${Date.now() - begun} ms)`);
	} catch (error) {
		wrong++;
		console.log(`WRONG ${name} (${Date.now() - begun} ms)\n      ${error.stack}`);
		if (plan.screenshots) {
			const page = browser.contexts().at(-1)?.pages().at(-1);
			await page?.screenshot({ path: `${plan.screenshots}/journey.png`, fullPage: true });
		}
		break; // what follows stands on it
	}
}
await browser.close();
console.log(`${Object.keys(journeys).length} journeys, ${wrong} with something wrong`);
process.exitCode = wrong ? 1 : 0;
