-- The SMS carriers: what an operator agreed with each. The password is not here but in DATA/carrier.NAME.password.
CREATE TABLE carrier (
	id INTEGER PRIMARY KEY, -- one agreement with one carrier
	name TEXT NOT NULL UNIQUE, -- small letters, digits and '-'; its receipts are matched under this name
	enabled INTEGER NOT NULL, -- 1: the server binds to it
	host TEXT NOT NULL, -- name or address
	port INTEGER NOT NULL, -- TCP
	tls INTEGER NOT NULL, -- 0 in the clear, 1 TLS with a certificate that must hold
	tls_ca TEXT NOT NULL, -- file of the certificates trusted; empty: the system's
	tls_name TEXT NOT NULL, -- name the certificate must have; empty: the host
	system_id TEXT NOT NULL, -- our name there
	system_type TEXT NOT NULL, -- what some want to hear besides
	bind INTEGER NOT NULL, -- 1 transceiver, 2 transmitter and receiver apart
	binds INTEGER NOT NULL, -- connections
	window_most INTEGER NOT NULL, -- submits without an answer, each bind
	rate INTEGER NOT NULL, -- PDUs a second, each bind; 0 as fast as it answers
	enquire INTEGER NOT NULL, -- seconds between enquire_link
	answer INTEGER NOT NULL, -- seconds until a submit without an answer is in doubt
	rebind INTEGER NOT NULL, -- seconds before the first try to bind again
	source TEXT NOT NULL, -- number or name our messages come from
	source_ton INTEGER NOT NULL, -- type of that number; -1: as it looks
	source_npi INTEGER NOT NULL, -- its plan; -1: as it looks
	destination_ton INTEGER NOT NULL, -- type of people's numbers; -1: as they look
	destination_npi INTEGER NOT NULL, -- their plan; -1: as they look
	service_type TEXT NOT NULL, -- of submit_sm
	vendor TEXT NOT NULL, -- TLVs added to each submit: TAG=HEX ...
	validity INTEGER NOT NULL, -- how expiry is told: 0 not, 1 absolute, 2 relative
	data_coding_0 INTEGER NOT NULL, -- what it means: 0 the GSM alphabet, 1 Latin-1
	packed INTEGER NOT NULL, -- 1: incoming GSM texts come packed
	shift_tables INTEGER NOT NULL, -- 1: national language shift tables may be used
	concatenation INTEGER NOT NULL, -- long messages: 0 header with 8 bits, 1 with 16 bits, 2 SAR TLVs, 3 message_payload
	receipts INTEGER NOT NULL, -- 0 none, 1 one for each part, 2 one for all parts
	bare_international INTEGER NOT NULL, -- 1: incoming numbers without a type are international
	statuses TEXT NOT NULL, -- what its command_status mean where it differs: CODE=permanent|recipient|temporary|throttle ...
	prefixes TEXT NOT NULL, -- numbers it serves: +216 +213 ...; empty: all
	cost INTEGER NOT NULL, -- of one part, ten-thousandths of the currency accounted in
	weight INTEGER NOT NULL -- share among carriers of the same prefix and cost
) STRICT;
