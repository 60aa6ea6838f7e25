// A push service and the browsers behind it, on the loopback: takes what RFC 8030 says, checks who posts (RFC 8292), and decrypts with npm's
// http_ece, which knows nothing of our code. Prints one line of JSON with its port.
//   POST /browsers                            a new subscription: { id, endpoint, point, secret }
//   POST /browsers/ID/answer {status, retry}  what it answers to pushes from now on (201)
//   GET  /browsers/ID                         what came: [{ headers, text, size, problems }]
//   POST /push/ID                             a push
import { createECDH, createPublicKey, randomBytes, verify } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const ece = createRequire(import.meta.url)('http_ece');
const parent = process.ppid;
setInterval(() => {
	if (process.ppid !== parent) {
		process.exit(1); // whoever started it is gone
	}
}, 1000).unref();

const browsers = new Map();
let port = 0;

function json(response, status, value, headers = {}) {
	const body = value === undefined ? '' : JSON.stringify(value);
	response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), ...headers });
	response.end(body);
}

function subscribe() {
	const id = randomBytes(16).toString('hex'), pair = createECDH('prime256v1'), secret = randomBytes(16);
	pair.generateKeys();
	browsers.set(id, { pair, secret, status: 201, retry: null, received: [] });
	return { id, endpoint: `http://127.0.0.1:${port}/push/${id}`, point: pair.getPublicKey().toString('base64url'), secret: secret.toString('base64url') };
}

// What is wrong with the identification, as a service would see it.
function tokenProblems(header) {
	const [, token, key] = /^vapid t=([^,]+), k=([\w-]+)$/.exec(header ?? '') ?? [];
	if (!token) {
		return [`no vapid token: ${header}`];
	}
	const raw = Buffer.from(key, 'base64url'), [head, claims, signature] = token.split('.');
	const publicKey = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x: raw.subarray(1, 33).toString('base64url'), y: raw.subarray(33).toString('base64url') } });
	const found = [], said = JSON.parse(Buffer.from(claims, 'base64url'));
	if (JSON.parse(Buffer.from(head, 'base64url')).alg !== 'ES256' ||
		!verify('sha256', Buffer.from(`${head}.${claims}`), { key: publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))) {
		found.push('the signature does not hold');
	}
	if (said.aud !== `http://127.0.0.1:${port}`) {
		found.push(`aud ${said.aud}`);
	}
	if (!/^mailto:\S+@\S+\.\S+$/.test(said.sub)) {
		found.push(`sub ${said.sub}`);
	}
	return found;
}

function take(browser, headers, body) {
	const push = { headers, size: body.length, problems: tokenProblems(headers.authorization), at: Date.now() };
	for (const [name, pattern] of [['ttl', /^\d+$/], ['urgency', /^(very-low|low|normal|high)$/], ['content-encoding', /^aes128gcm$/]]) {
		if (!pattern.test(headers[name] ?? '')) {
			push.problems.push(`${name}: ${headers[name]}`);
		}
	}
	if (headers.topic !== undefined && !/^[\w-]{1,32}$/.test(headers.topic)) {
		push.problems.push(`topic: ${headers.topic}`);
	}
	if (body.length > 2744) {
		push.problems.push(`${body.length} bytes`);
	}
	try {
		push.text = ece.decrypt(body, { version: 'aes128gcm', privateKey: browser.pair, authSecret: browser.secret.toString('base64url') }).toString('utf8');
	} catch (error) {
		push.problems.push(`cannot be decrypted: ${error.message}`);
	}
	browser.received.push(push);
}

const server = createServer((request, response) => {
	const parts = [];
	request.on('data', part => parts.push(part));
	request.on('end', () => {
		const body = Buffer.concat(parts), [, kind, id, what] = request.url.split('/'), browser = browsers.get(id);
		if (kind === 'browsers' && !id) {
			json(response, 200, subscribe());
		} else if (!browser) {
			json(response, 404);
		} else if (kind === 'push' && request.method === 'POST') {
			const { status, retry } = browser;
			take(browser, request.headers, body);
			json(response, status, undefined, { ...(retry === null ? {} : { 'Retry-After': String(retry) }), ...(status === 201 ? { Location: `/message/${randomBytes(8).toString('hex')}` } : {}) });
		} else if (what === 'answer') {
			Object.assign(browser, { status: 201, retry: null }, JSON.parse(body));
			json(response, 204);
		} else {
			json(response, 200, browser.received);
		}
	});
});
server.listen(0, '127.0.0.1', () => {
	port = server.address().port;
	console.log(JSON.stringify({ port }));
});
