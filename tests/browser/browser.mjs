// The browser of these tests: Debian's Chromium, one process, with one context per kind of reader.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const require = createRequire(import.meta.url);
export const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export const PHONE = { width: 320, height: 640 };
export const DESKTOP = { width: 1280, height: 900 };

// Ends with whoever started it: a browser must not outlive a test that was killed.
const parent = process.ppid;
setInterval(() => {
	if (process.ppid !== parent) {
		process.exit(1);
	}
}, 1000).unref();

export function launch(executablePath) {
	return chromium.launch({
		executablePath,
		headless: true,
		args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
			'--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
	});
}

// One reader: someone with cookies (an officer) or without, with scripts or without. Everything asked of another origin is
// refused and remembered, as is whatever the page's own policy refused.
export class Reader {
	static async open(browser, base, { cookies = [], scripts = true, workers = 'block' } = {}) {
		const reader = new Reader();
		reader.base = base;
		reader.strangers = [];
		reader.complaints = [];
		reader.asked = [];
		reader.context = await browser.newContext({ javaScriptEnabled: scripts, serviceWorkers: workers, reducedMotion: 'reduce' });
		const host = new URL(base).hostname;
		await reader.context.addCookies(cookies.map(([name, value]) => ({ name, value, domain: host, path: '/' })));
		await reader.context.route(url => url.origin !== base && url.protocol !== 'data:', route => {
			reader.strangers.push(route.request().url());
			return route.abort();
		});
		reader.page = await reader.context.newPage();
		reader.page.on('request', request => reader.asked.push(request.url()));
		reader.page.on('pageerror', error => reader.complaints.push(`script: ${error.message}`));
		reader.page.on('console', message => {
			if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) {
				reader.complaints.push(`console: ${message.text()}`);
			}
		});
		reader.page.setDefaultTimeout(15000);
		return reader;
	}

	async visit(path, viewport) {
		this.asked.length = 0;
		await this.page.setViewportSize(viewport);
		// Live pages keep a stream open: 'load' is when they are there.
		return this.page.goto(this.base + path, { waitUntil: 'load' });
	}

	// What was refused or complained of since the last call.
	takeComplaints() {
		const found = [...this.strangers.map(url => `asks another origin: ${url}`), ...this.complaints];
		this.strangers.length = this.complaints.length = 0;
		return found;
	}

	close() {
		return this.context.close();
	}
}

export function inLanguage(path, language) {
	const [before, fragment] = path.split('#');
	return before + (before.includes('?') ? '&' : '?') + 'lang=' + language + (fragment ? '#' + fragment : '');
}
