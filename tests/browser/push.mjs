// A notification in a real Chromium: the button on the person's page subscribes, the real service worker shows what the server wrote, and the press of
// 'safe' reaches the board. Only the vendor's part is played: PushManager.subscribe gives the subscription of the plan's push service, and what that
// service got and decrypted is delivered to the worker over the DevTools protocol.
//   node push.mjs PLAN.json      prints one line of JSON a step and waits for a line on its input before the next
import { createInterface } from 'node:readline';
import { readFile } from 'node:fs/promises';
import { DESKTOP, PHONE, Reader, axeSource, launch } from './browser.mjs';

const plan = JSON.parse(await readFile(process.argv[2], 'utf8'));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
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

async function tell(step, more = {}) {
	console.log(JSON.stringify({ step, ...more }));
	return JSON.parse((await lines.next()).value);
}

async function axe(page, where) {
	await page.evaluate(axeSource);
	const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
	must(violations.length === 0, `${where}: ${violations.map(one => `${one.id} ${one.nodes.map(node => node.html).join(' ')}`).join('\n')}`);
}

// Without scripts nothing of it is to be seen.
const plain = await Reader.open(browser, plan.base, { scripts: false });
await plain.page.goto(`${plan.base}${plan.my}?lang=en`);
must(!(await plain.page.locator('[data-push]').isVisible()), 'the offer shows without scripts');
must((await plain.page.locator('[data-push]').count()) === 1, 'the page has no offer');
await plain.close();

const reader = await Reader.open(browser, plan.base, { workers: 'allow' }), { page, context } = reader;
await context.grantPermissions(['notifications'], { origin: plan.base });
await page.addInitScript(({ endpoint, point, secret }) => {
	const bytes = text => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), letter => letter.charCodeAt(0)).buffer;
	let subscribed = sessionStorage.getItem('subscribed') === '1';
	const subscription = { endpoint, options: {}, getKey: name => bytes(name === 'auth' ? secret : point), unsubscribe: () => Promise.resolve(true) };
	PushManager.prototype.getSubscription = () => Promise.resolve(subscribed ? subscription : null);
	PushManager.prototype.subscribe = options => {
		if (!options.userVisibleOnly || new Uint8Array(options.applicationServerKey).length !== 65) {
			return Promise.reject(new Error('the options are not those of a page'));
		}
		subscribed = true;
		sessionStorage.setItem('subscribed', '1');
		return Promise.resolve(subscription);
	};
}, plan.subscription);
await page.setViewportSize(PHONE);
for (const language of ['en', 'ar']) {
	await page.goto(`${plan.base}${plan.my}?lang=${language}`);
	await page.locator('[data-push]').waitFor({ state: 'visible' });
	await axe(page, `the offer in ${language}`);
	must(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page scrolls sideways');
}
await page.goto(`${plan.base}/enrol?lang=en`);
await page.locator('[data-push-button]').click();
await page.locator('[data-push-done]').waitFor({ state: 'visible' });
must(await page.inputValue('[name=push_endpoint]') === plan.subscription.endpoint, 'the enrolment form has not got the subscription');
await axe(page, 'the enrolment form with a subscription');
await page.evaluate(() => sessionStorage.removeItem('subscribed'));

await page.goto(`${plan.base}${plan.my}?lang=en`);
const button = page.locator('[data-push-button]');
await button.waitFor({ state: 'visible' });
await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), button.click()]);
must((await page.locator('main').innerText()).includes('This device will show our alerts'), `not subscribed: ${await page.locator('main').innerText()}`);
must(!(await page.locator('[data-push-button]').isVisible()), 'a device that gets notifications is asked again');
await page.locator('[data-push-done]').waitFor({ state: 'visible' });
const worker = await until(() => context.serviceWorkers()[0], 'the service worker');
must(worker.url() === `${plan.base}/push-worker.js`, `the worker is ${worker.url()}`);

// The DevTools protocol speaks of registrations by number.
const devtools = await context.newCDPSession(page);
const registrations = new Map();
devtools.on('ServiceWorker.workerRegistrationUpdated', event => event.registrations.forEach(one => registrations.set(one.scopeURL, one.registrationId)));
await devtools.send('ServiceWorker.enable');
const registrationId = await until(() => registrations.get(`${plan.base}/`), 'the number of the registration');

// Chromium may leave the question unanswered while a notification is just being shown: it is asked again.
const list = () => worker.evaluate(async () => (await self.registration.getNotifications()).map(one => ({
	title: one.title, body: one.body, dir: one.dir, lang: one.lang, tag: one.tag, actions: one.actions.map(action => [action.action, action.title]) })));

async function shown() {
	for (;;) {
		await new Promise(resolve => setTimeout(resolve, 300));
		const found = await Promise.race([list(), new Promise(resolve => setTimeout(resolve, 2000, null))]);
		if (found) {
			return found;
		}
		console.error('asked again');
	}
}

async function deliver(text) {
	await devtools.send('ServiceWorker.deliverPushMessage', { origin: plan.base, registrationId, data: text });
	return until(async () => (await shown()).at(-1), 'a notification');
}

async function sweep() {
	await worker.evaluate(async () => (await self.registration.getNotifications()).forEach(one => one.close()));
	await until(async () => (await shown()).length === 0, 'the notification to go');
}

async function press(action) {
	await worker.evaluate(async name => {
		const [notification] = await self.registration.getNotifications();
		self.dispatchEvent(new NotificationEvent('notificationclick', { notification, action: name }));
	}, action);
}

for (const status of ['safe', 'help']) {
	const { text } = await tell(`alert ${status}`);
	const message = JSON.parse(text), notification = await deliver(text);
	must(notification.title === message.title && notification.body === message.body && notification.tag === message.tag, `shown: ${JSON.stringify(notification)}`);
	must(JSON.stringify(notification.actions) === JSON.stringify([['safe', message.words.safe], ['help', message.words.help]]), JSON.stringify(notification.actions));
	await press(status);
	const said = status === 'safe' ? message.words.said_safe : message.words.said_help;
	await until(async () => (await shown()).some(one => one.body === said && one.actions.length === 0), `the word that '${status}' was recorded`);
	await sweep();
}

// An answer that is refused says so, and does not claim anything.
const { text } = await tell('refused');
const broken = JSON.parse(text);
await deliver(JSON.stringify({ ...broken, answer: '/a/0000000000000000000000/push' }));
await press('safe');
await until(async () => (await shown()).some(one => one.body === broken.words.unsaid), 'the word that nothing was recorded');
await sweep();
// What is no message of ours still shows something, and leads nowhere else.
await deliver('not json');
await sweep();
const odd = await deliver(JSON.stringify({ title: 'x', open: 'https://evil.example/', answer: '//evil.example/push', words: broken.words }));
must(odd.actions.length === 0, 'a message that leads elsewhere has buttons');
await page.setViewportSize(DESKTOP);
const complaints = reader.takeComplaints();
must(complaints.length === 0, complaints.join('\n'));
await browser.close();
await tell('done');
process.exit(0);
