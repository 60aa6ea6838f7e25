// The codec of npm's smpp for the default alphabet, Turkish, Spanish and Portuguese, for oracles_test.py: prints one JSON
// object; for each language its locking and single shift tables as it decodes them, and what it encodes each character as.
import { createRequire } from 'node:module';

const { gsmCoder } = createRequire(import.meta.url)('smpp/lib/defs.js');
const tables = {};
for (const language of [0, 1, 2, 3]) {
	const locking = {};
	const single = {};
	const encoded = {};
	for (let septet = 0; septet < 128; septet++) {
		if (septet === 0x1b)
			continue;
		locking[septet] = gsmCoder.decode(Buffer.from([septet]), language);
		const escaped = gsmCoder.decode(Buffer.from([0x1b, septet]), language);
		// what it does not know it leaves as the escape and the plain character
		if (!escaped.startsWith('\x1b'))
			single[septet] = escaped;
	}
	for (const character of new Set([...Object.values(locking), ...Object.values(single)]))
		encoded[character] = [...gsmCoder.encode(character, language)];
	tables[language] = { locking, single, encoded };
}
process.stdout.write(JSON.stringify(tables));
