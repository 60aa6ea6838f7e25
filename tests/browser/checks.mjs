// What every page has to bear. Each check returns a list of sentences, empty when nothing is wrong.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { axeSource } from './browser.mjs';

const run = promisify(execFile);

// axe-core's whole rule book, with the ones that are off at first and matter here.
export async function accessible(page) {
	await page.evaluate(axeSource);
	const violations = await page.evaluate(async () => {
		const results = await globalThis.axe.run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } });
		return results.violations.map(one => ({ id: one.id, help: one.help, nodes: one.nodes.slice(0, 3).map(node => `${node.target.join(' ')} — ${node.failureSummary.replace(/\s+/g, ' ')}`) }));
	});
	return violations.map(one => `axe ${one.id}: ${one.help}\n        ${one.nodes.join('\n        ')}`);
}

// No sideways scroll; names the innermost elements that stick out.
export async function fits(page) {
	const found = await page.evaluate(() => {
		const width = document.documentElement.clientWidth;
		if (document.documentElement.scrollWidth <= width && document.body.scrollWidth <= width) {
			return null;
		}
		const wide = [...document.body.querySelectorAll('*')].filter(element => {
			const box = element.getBoundingClientRect();
			return box.width > 0 && (box.right > width + 0.5 || box.left < -0.5) && getComputedStyle(element).clipPath === 'none';
		});
		const inner = wide.filter(element => !wide.some(other => other !== element && element.contains(other)));
		return { scroll: document.documentElement.scrollWidth, width, what: inner.slice(0, 4).map(element => element.outerHTML.slice(0, 140)) };
	});
	return found ? [`scrolls sideways: ${found.scroll} px in ${found.width}; ${found.what.join(' | ')}`] : [];
}

export async function speaks(page, language, rightToLeft) {
	const root = await page.evaluate(() => ({ lang: document.documentElement.lang, dir: document.documentElement.dir }));
	const wanted = rightToLeft ? 'rtl' : 'ltr';
	return root.lang === language && root.dir === wanted ? [] : [`asked in ${language}, it says lang=${root.lang} dir=${root.dir}`];
}

// The same page in both directions: every box of the page's skeleton must be the mirror of itself, borders too.
export async function mirrors(page) {
	return page.evaluate(() => {
		const parts = 'main > *, .bar, .brand, .menu li, .tabs li, input, select, textarea, button, .button, .panel, .alert, .tile, .tag, th, td, dt, dd, legend, .field, .sms, .mail, progress, img';
		const root = document.documentElement, before = root.dir;
		// Whatever stands in a direction of its own (codes, numbers, texts of people) does not turn with the page.
		const elements = [...document.querySelectorAll(parts)].filter(element =>
			element.getClientRects().length && !element.parentElement.closest('[dir]:not(html)') && element.type !== 'hidden');
		const measure = dir => {
			root.dir = dir;
			return elements.map(element => {
				const box = element.getBoundingClientRect(), style = getComputedStyle(element);
				return { left: box.left, right: box.right, borderLeft: parseFloat(style.borderLeftWidth), borderRight: parseFloat(style.borderRightWidth) };
			});
		};
		const ltr = measure('ltr'), rtl = measure('rtl'), width = root.clientWidth;
		root.dir = before;
		return elements.flatMap((element, i) => {
			const off = Math.max(Math.abs(rtl[i].left - (width - ltr[i].right)), Math.abs(rtl[i].right - (width - ltr[i].left)),
				Math.abs(rtl[i].borderLeft - ltr[i].borderRight), Math.abs(rtl[i].borderRight - ltr[i].borderLeft));
			return off > 2 ? [`not mirrored, ${off.toFixed(1)} px off: ${element.outerHTML.slice(0, 120)}`] : [];
		}).slice(0, 3);
	});
}

// Without scripts every form can be filled and sent: a button that submits, controls that show, an address of ours.
export async function formsWork(page) {
	return page.evaluate(() => {
		const found = [];
		const seen = element => { const box = element.getBoundingClientRect(); return box.width > 0 && box.height > 0; };
		for (const form of document.forms) {
			const where = `form ${form.getAttribute('action')}`;
			const buttons = [...form.elements].filter(one => one.type === 'submit' && !one.disabled);
			if (new URL(form.action).origin !== location.origin) {
				found.push(`${where} posts to another origin`);
			}
			if (!buttons.length && !form.querySelector('button[disabled]')) {
				found.push(`${where} has no button that sends it`);
			}
			for (const control of form.elements) {
				if (control.required && !seen(control) && !control.closest('details')) {
					found.push(`${where}: ${control.name} is asked for and does not show`);
				}
			}
		}
		for (const element of document.querySelectorAll('a[href^="javascript:"], [onclick], [onsubmit], [hidden] form')) {
			found.push(`needs a script: ${element.outerHTML.slice(0, 120)}`);
		}
		return found;
	});
}

// Walks the page with the Tab key: what is focused must be seen and marked, in the order of the page, and nothing be left out.
export async function keyboard(page) {
	const wanted = await page.evaluate(() => {
		const controls = 'a[href], button:not([disabled]), input:not([type=hidden]):not([disabled]), select, textarea, summary';
		let number = 0;
		const groups = new Set();
		for (const element of document.querySelectorAll(controls)) {
			// Of radios of one name only one is a stop.
			const group = element.type === 'radio' ? element.name : null;
			if (!element.checkVisibility() || element.tabIndex < 0 || (group && groups.has(group))) {
				continue;
			}
			if (group) {
				groups.add(group);
			}
			element.dataset.stop = String(number++);
		}
		return number;
	});
	const stops = [], problems = [];
	for (let i = 0; i < wanted + 5; i++) {
		await page.keyboard.press('Tab');
		const stop = await page.evaluate(() => {
			const element = document.activeElement;
			if (!element || element === document.body) {
				return null;
			}
			const style = getComputedStyle(element), box = element.getBoundingClientRect();
			const radio = element.type === 'radio' ? document.querySelector(`[name="${CSS.escape(element.name)}"][data-stop]`) : element;
			return {
				number: Number(radio.dataset.stop ?? -1), html: element.outerHTML.slice(0, 100),
				marked: (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== 'none',
				inside: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
			};
		});
		if (!stop) {
			break;
		}
		stops.push(stop.number);
		if (!stop.marked) {
			problems.push(`focus does not show: ${stop.html}`);
		}
		if (!stop.inside) {
			problems.push(`focus is out of sight: ${stop.html}`);
		}
	}
	const left = await page.evaluate(reached => [...document.querySelectorAll('[data-stop]')].filter(one => !reached.includes(Number(one.dataset.stop)))
		.map(one => one.outerHTML.slice(0, 80)), stops);
	const inOrder = stops.every((number, i) => i === 0 || number > stops[i - 1]);
	if (!inOrder || stops.length !== wanted) {
		problems.push(`Tab stops ${stops.length} times, not ${wanted}, in this order: ${stops.join(' ')}; left out: ${left.join(' | ')}`);
	}
	return problems.slice(0, 5);
}

// The first Tab reaches the link that leads past the navigation, and it leads there.
export async function skips(page) {
	await page.keyboard.press('Tab');
	const first = await page.evaluate(() => {
		const box = document.activeElement.getBoundingClientRect();
		return { skip: document.activeElement.classList.contains('skip'), shows: box.width > 40 && box.height > 20 };
	});
	if (!first.skip || !first.shows) {
		return [`the first Tab stop is no skip link that shows: ${JSON.stringify(first)}`];
	}
	await page.keyboard.press('Enter');
	const there = await page.evaluate(() => location.hash === '#main' && document.activeElement.id === 'main');
	return there ? [] : ['the skip link does not lead to the content'];
}

// On paper: tagged PDF, what matters on it, the navigation not.
export async function prints(page, wanted) {
	const folder = await mkdtemp(path.join(os.tmpdir(), 'chancery-print-'));
	try {
		const file = path.join(folder, 'page.pdf');
		const navigation = await page.evaluate(() => [...document.querySelectorAll('header.top nav a, header.top button')].map(one => one.textContent.trim()));
		await writeFile(file, await page.pdf({ format: 'A4', tagged: true }));
		const [{ stdout: info }, { stdout: text }] = await Promise.all([run('pdfinfo', [file]), run('pdftotext', ['-layout', file, '-'])]);
		const lines = text.split('\n').map(line => line.trim());
		const problems = /Tagged:\s+yes/.test(info) ? [] : ['the PDF is not tagged'];
		for (const word of navigation) {
			if (word && lines.some(line => line === word)) {
				problems.push(`prints the navigation: ${word}`);
			}
		}
		const flat = text.replace(/\s+/g, ' ');
		for (const word of wanted) {
			if (!flat.includes(word)) {
				problems.push(`does not print: ${word}`);
			}
		}
		return problems;
	} finally {
		await rm(folder, { recursive: true });
	}
}

// Bytes of an answer as they cross the wire: head and body, gzip where the server does it.
export function wireSize(url, cookies = []) {
	const { hostname, port, pathname, search, host } = new URL(url);
	return new Promise((resolve, reject) => {
		let size = 0;
		const head = Buffer.alloc(12);
		const socket = net.connect(Number(port), hostname, () => socket.write(
			`GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate, br\r\nAccept-Language: en\r\n`
			+ (cookies.length ? `Cookie: ${cookies.map(([name, value]) => `${name}=${value}`).join('; ')}\r\n` : '') + 'Connection: close\r\n\r\n'));
		socket.setTimeout(15000, () => socket.destroy(new Error(`${url}: no answer`)));
		socket.on('data', data => {
			if (size < head.length) {
				data.copy(head, size, 0, Math.min(data.length, head.length - size));
			}
			size += data.length;
		});
		socket.on('end', () => resolve({ size, status: Number(head.toString('latin1').slice(9, 12)) }));
		socket.on('error', reject);
	});
}
