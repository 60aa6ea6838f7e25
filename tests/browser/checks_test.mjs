// The checks find what they are for: each is shown a page that is well and one that is broken.
//   node checks_test.mjs CHROMIUM
import http from 'node:http';
import { DESKTOP, PHONE, Reader, launch } from './browser.mjs';
import * as check from './checks.mjs';

const style = 'body{margin:0;font:16px sans-serif;color:#000;background:#fff} a:focus-visible,button:focus-visible,input:focus-visible{outline:3px solid #a60}'
	+ '.skip:not(:focus){position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)} .skip{display:block;padding:1rem}'
	+ 'button,input{min-height:44px} @media print{header{display:none}}';

function document(body, { lang = 'en', dir = 'ltr', more = '' } = {}) {
	return `<!DOCTYPE html><html lang="${lang}" dir="${dir}"><head><title>A page</title><meta name="viewport" content="width=device-width">`
		+ `<style>${style}${more}</style></head><body><a class="skip" href="#main">Skip</a><header class="top"><nav aria-label="Menu"><a href="/elsewhere">Elsewhere</a></nav></header>`
		+ `<main id="main" tabindex="-1"><h1>Heading</h1>${body}</main></body></html>`;
}

const form = '<form method="post" action="/x"><p><label for="a">A</label><br><input id="a" name="a" required></p><p><button type="submit">Send</button></p></form>';
const pages = {
	'/good': document(form),
	'/good-rtl': document(form, { lang: 'ar', dir: 'rtl' }),
	'/no-label': document('<form method="post" action="/x"><input name="a"><button type="submit">Send</button></form>'),
	'/pale': document('<p style="color:#bbb">Pale words</p>'),
	'/small': document('<p><button style="min-height:0;font-size:8px;padding:0;border:0;width:9px;height:9px">x</button><button style="min-height:0;font-size:8px;padding:0;border:0;width:9px;height:9px">y</button></p>'),
	'/wide': document('<p style="width:400px">Wide</p>'),
	'/lopsided': document('<p><button type="button" style="margin-left:40px;display:block">One</button></p>'),
	'/one-sided': document('<div class="panel" style="border-left:8px solid">One</div>'),
	'/buttonless': document('<form method="post" action="/x"><label for="a">A</label><input id="a" name="a"></form>'),
	'/hidden': document('<form method="post" action="/x"><div style="display:none"><label for="a">A</label><input id="a" name="a" required></div><button type="submit">Send</button></form>'),
	'/scripted': document('<p><button type="button" onclick="x()">Send</button></p>'),
	'/jumping': document('<p><a href="/1" tabindex="3">1</a> <a href="/2" tabindex="2">2</a></p>'),
	'/unmarked': document('<p><a href="/1">1</a></p>', { more: 'main a:focus-visible{outline:0}' }),
	'/printed': document(form, { more: '@media print{header{display:block!important}}' }),
	'/stranger': document('<img alt="" src="http://stranger.invalid/pixel.gif">'),
};

const server = http.createServer((request, response) => {
	const body = pages[new URL(request.url, 'http://x').pathname];
	response.writeHead(body ? 200 : 404, { 'Content-Type': 'text/html; charset=utf-8' });
	response.end(body ?? 'none');
});
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
const base = `http://127.0.0.1:${server.address().port}`;
const browser = await launch(process.argv[2]);
const reader = await Reader.open(browser, base);
const plain = await Reader.open(browser, base, { scripts: false });
const cases = [
	['accessible', '/no-label', /axe label/], ['accessible', '/pale', /axe color-contrast/], ['accessible', '/small', /axe target-size/],
	['fits', '/wide', /scrolls sideways: 4\d\d/], ['mirrors', '/lopsided', /not mirrored, 40/], ['mirrors', '/one-sided', /not mirrored, 8/],
	['formsWork', '/buttonless', /no button/], ['formsWork', '/hidden', /does not show/], ['formsWork', '/scripted', /needs a script/],
	['keyboard', '/jumping', /in this order/], ['keyboard', '/unmarked', /does not show/], ['prints', '/printed', /prints the navigation: Elsewhere/],
];
let wrong = 0;
const say = (good, text) => {
	console.log(`${good ? 'ok   ' : 'WRONG'} ${text}`);
	wrong += good ? 0 : 1;
};
const found = async (name, path) => {
	await reader.visit(path, name === 'fits' ? PHONE : DESKTOP);
	return check[name](reader.page, ['Heading']);
};
for (const [name, path, wanted] of cases) {
	const problems = await found(name, path), fine = await found(name, '/good');
	say(problems.some(one => wanted.test(one)), `${name} finds ${path}: ${problems.join('; ').slice(0, 160)}`);
	say(fine.length === 0, `${name} finds nothing in a good page: ${fine.join('; ')}`);
}
await reader.visit('/good-rtl', PHONE);
say((await check.speaks(reader.page, 'ar', true)).length === 0 && (await check.speaks(reader.page, 'en', false)).length === 1, 'speaks tells languages');
await reader.visit('/good', DESKTOP);
say((await check.skips(reader.page)).length === 0, 'the skip link of a good page is found');
await reader.visit('/jumping', DESKTOP);
say((await check.skips(reader.page)).length === 1, 'a skip link that is not first is found');
await reader.visit('/stranger', DESKTOP);
say(reader.takeComplaints().some(one => /another origin/.test(one)), 'a request to another origin is found');
await plain.visit('/good', PHONE);
say((await check.formsWork(plain.page)).length === 0, 'forms are looked at without scripts');
const weighed = await check.wireSize(`${base}/good`);
say(weighed.status === 200 && weighed.size > pages['/good'].length && weighed.size < pages['/good'].length + 400, `an answer is weighed: ${weighed.size} bytes`);
await browser.close();
server.close();
console.log(`${cases.length * 2 + 6} checks of the checks, ${wrong} wrong`);
process.exitCode = wrong ? 1 : 0;
