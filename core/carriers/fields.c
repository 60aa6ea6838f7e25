/* The fields of a carrier by name: reading, showing, checking. */
#include <stddef.h>

#include "core/carriers/carriers.h"
#include "kernel/smpp/smpp.h"

enum field_type { FIELD_NUMBER, FIELD_TEXT, FIELD_WORD };

struct field {
	const char *name;
	enum field_type type;
	size_t offset;
	int64_t least, most;      /* of a number; the length of a text */
	const char *const *words; /* of FIELD_WORD: the value is its place plus `least` */
	bool (*fits)(struct str text);
	const char *help;
};

static const char *const no_yes[] = { "no", "yes", NULL };
static const char *const tls_words[] = { "none", "verify", NULL };
static const char *const bind_words[] = { "transceiver", "split", NULL };
static const char *const validity_words[] = { "none", "absolute", "relative", NULL };
static const char *const alphabet_words[] = { "gsm", "latin1", NULL };
static const char *const concatenation_words[] = { "header8", "header16", "sar", "payload", NULL };
static const char *const receipts_words[] = { "none", "each", "one", NULL };

static bool prefixes_fit(struct str text)
{
	struct str list = text, digits;
	size_t count = 0;
	while (carrier_prefix_next(&list, &digits)) {
		if (digits.len == 0 || digits.len > CARRIER_PREFIX_DIGITS || ++count > CARRIER_PREFIXES_MAX)
			return false;
		for (size_t i = 0; i < digits.len; i++)
			if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
				return false;
	}
	return true;
}

static bool vendor_fits(struct str text)
{
	struct buf out;
	buf_init(&out);
	bool fits = smpp_vendor_parse(text, &out);
	buf_release(&out);
	return fits;
}

static bool statuses_fit(struct str text)
{
	struct smpp_status_rule rules[SMPP_STATUS_RULES_MAX];
	size_t count;
	return smpp_status_rules_parse(text, rules, &count);
}

#define AT(member) offsetof(struct carrier, member)
static const struct field fields[] = {
	{ "enabled", FIELD_WORD, AT(enabled), 0, 1, no_yes, NULL, "whether the server binds to it" },
	{ "host", FIELD_TEXT, AT(host), 0, 253, NULL, NULL, "name or address of its SMPP server" },
	{ "port", FIELD_NUMBER, AT(port), 1, 65535, NULL, NULL, "TCP port" },
	{ "tls", FIELD_WORD, AT(tls), 0, 1, tls_words, NULL, "none, or verify: TLS with a certificate that holds" },
	{ "tls_ca", FIELD_TEXT, AT(tls_ca), 0, 1000, NULL, NULL, "file of the certificates trusted; empty: the system's" },
	{ "tls_name", FIELD_TEXT, AT(tls_name), 0, 253, NULL, NULL, "name the certificate must have; empty: the host" },
	{ "system_id", FIELD_TEXT, AT(system_id), 0, 64, NULL, NULL, "our name there; the password is in carrier.NAME.password in the data folder" },
	{ "system_type", FIELD_TEXT, AT(system_type), 0, 64, NULL, NULL, "what some carriers want to hear besides" },
	{ "bind", FIELD_WORD, AT(bind), 1, 2, bind_words, NULL, "transceiver, or split: a transmitter and a receiver" },
	{ "binds", FIELD_NUMBER, AT(binds), 1, CARRIER_BINDS_MAX, NULL, NULL, "binds at once" },
	{ "window", FIELD_NUMBER, AT(window_most), 1, 10000, NULL, NULL, "messages without an answer, at most, each bind" },
	{ "rate", FIELD_NUMBER, AT(rate), 0, 100000, NULL, NULL, "parts a second, at most, each bind; 0: as fast as it answers" },
	{ "enquire", FIELD_NUMBER, AT(enquire), 1, 3600, NULL, NULL, "seconds between enquire_link; a line silent for two of these is dead" },
	{ "answer", FIELD_NUMBER, AT(answer), 1, 3600, NULL, NULL, "seconds after which a message without an answer is in doubt" },
	{ "rebind", FIELD_NUMBER, AT(rebind), 1, 600, NULL, NULL, "seconds before binding again; some refuse for 30" },
	{ "source", FIELD_TEXT, AT(source), 0, 20, NULL, NULL, "number or name our messages come from: +NUMBER, a short code, or at most 11 letters and digits" },
	{ "source_ton", FIELD_NUMBER, AT(source_ton), -1, 6, NULL, NULL, "type of that number; -1: as it looks" },
	{ "source_npi", FIELD_NUMBER, AT(source_npi), -1, 18, NULL, NULL, "its numbering plan; -1: as it looks" },
	{ "destination_ton", FIELD_NUMBER, AT(destination_ton), -1, 6, NULL, NULL, "type of people's numbers; -1: as they look" },
	{ "destination_npi", FIELD_NUMBER, AT(destination_npi), -1, 18, NULL, NULL, "their numbering plan; -1: as they look" },
	{ "service_type", FIELD_TEXT, AT(service_type), 0, 5, NULL, NULL, "service_type of what is submitted" },
	{ "vendor", FIELD_TEXT, AT(vendor), 0, 2000, NULL, vendor_fits, "TLVs added to each message: TAG=HEX ..., tags 1400 to 3FFF" },
	{ "validity", FIELD_WORD, AT(validity), 0, 2, validity_words, NULL, "how a message's expiry is told: none, absolute, relative" },
	{ "data_coding_0", FIELD_WORD, AT(data_coding_0), 0, 1, alphabet_words, NULL, "what data coding 0 means there: gsm or latin1" },
	{ "packed", FIELD_WORD, AT(packed), 0, 1, no_yes, NULL, "whether incoming GSM texts come packed, eight letters in seven bytes" },
	{ "shift_tables", FIELD_WORD, AT(shift_tables), 0, 1, no_yes, NULL, "whether national language shift tables get through" },
	{ "concatenation", FIELD_WORD, AT(concatenation), 0, 3, concatenation_words, NULL, "long messages: header8, header16, sar or payload" },
	{ "receipts", FIELD_WORD, AT(receipts), 0, 2, receipts_words, NULL, "delivery receipts: none, each part's, or one for all parts" },
	{ "bare_international", FIELD_WORD, AT(bare_international), 0, 1, no_yes, NULL, "whether incoming numbers without a type are international" },
	{ "statuses", FIELD_TEXT, AT(statuses), 0, 2000, NULL, statuses_fit, "its own meaning of status codes: CODE=permanent|recipient|temporary|throttle ..." },
	{ "prefixes", FIELD_TEXT, AT(prefixes), 0, 4500, NULL, prefixes_fit, "numbers it serves: +216 +33 ...; empty: all" },
	{ "cost", FIELD_NUMBER, AT(cost), 0, 1000000000, NULL, NULL, "price of one part, in ten-thousandths of your currency; the cheapest of the longest prefix goes first" },
	{ "weight", FIELD_NUMBER, AT(weight), 0, 1000, NULL, NULL, "share among carriers of the same prefix and price; 0: only when no other is up" },
};

struct carrier carrier_defaults(void)
{
	return (struct carrier){
		.name = S(""), .host = S(""), .tls_ca = S(""), .tls_name = S(""), .system_id = S(""), .system_type = S(""),
		.source = S(""), .service_type = S(""), .vendor = S(""), .statuses = S(""), .prefixes = S(""),
		.enabled = 1, .port = 2775, .bind = CARRIER_TRANSCEIVER, .binds = 1, .window_most = 100,
		.enquire = 30, .answer = 60, .rebind = 1,
		.source_ton = -1, .source_npi = -1, .destination_ton = -1, .destination_npi = -1,
		.validity = CARRIER_VALIDITY_ABSOLUTE, .concatenation = 1, .receipts = CARRIER_RECEIPTS_EACH,
		.bare_international = 1, .weight = 100,
	};
}

bool carrier_prefix_next(struct str *list, struct str *digits)
{
	size_t start = 0;
	while (start < list->len && (list->ptr[start] == ' ' || list->ptr[start] == ','))
		start++;
	size_t end = start;
	while (end < list->len && list->ptr[end] != ' ' && list->ptr[end] != ',')
		end++;
	if (start == end)
		return false;
	*digits = str_slice(*list, start + (list->ptr[start] == '+'), end);
	*list = str_slice(*list, end, list->len);
	return true;
}

static const struct field *find_field(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (str_equal(name, str_from(fields[i].name)))
			return &fields[i];
	return NULL;
}

static bool is_printable(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < ' ' || text.ptr[i] > '~')
			return false;
	return true;
}

static bool read_word(const struct field *field, struct str value, int64_t *out)
{
	for (int64_t i = 0; field->words[i]; i++)
		if (str_equal(value, str_from(field->words[i]))) {
			*out = field->least + i;
			return true;
		}
	return false;
}

enum rc carrier_set(struct arena *arena, struct carrier *carrier, struct str name, struct str value, struct err *err)
{
	const struct field *field = find_field(name);
	if (!field)
		return err_set(err, NOT_FOUND, "a carrier has no field '%.*s'", STR_ARG(name));
	char *at = (char *)carrier + field->offset;
	int64_t number = 0;
	bool good = false;
	if (field->type == FIELD_TEXT)
		good = value.len <= (size_t)field->most && is_printable(value) && (!field->fits || field->fits(value));
	else if (field->type == FIELD_WORD)
		good = read_word(field, value, &number);
	else
		good = str_to_int(value, &number) && number >= field->least && number <= field->most;
	if (!good && field->type == FIELD_NUMBER)
		return err_set(err, INVALID, "%s is a number from %lld to %lld: %s", field->name, (long long)field->least,
		               (long long)field->most, field->help);
	if (!good)
		return err_set(err, INVALID, "%s cannot be '%.*s': %s", field->name, STR_ARG(value), field->help);
	if (field->type == FIELD_TEXT) {
		struct str copy = str_copy(arena, value);
		memcpy(at, &copy, sizeof copy);
	} else {
		memcpy(at, &number, sizeof number);
	}
	return OK;
}

static struct str show(struct arena *arena, const struct field *field, const struct carrier *carrier)
{
	const char *at = (const char *)carrier + field->offset;
	struct str text;
	int64_t number;
	if (field->type == FIELD_TEXT) {
		memcpy(&text, at, sizeof text);
		return text;
	}
	memcpy(&number, at, sizeof number);
	if (field->type == FIELD_WORD && number >= field->least && number <= field->most)
		return str_from(field->words[number - field->least]);
	return str_format(arena, "%lld", (long long)number);
}

void carrier_each_field(struct arena *arena, const struct carrier *carrier,
                        void (*each)(void *context, const char *name, struct str value, const char *help, bool usual), void *context)
{
	struct carrier usual = carrier_defaults();
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		struct str value = show(arena, &fields[i], carrier);
		each(context, fields[i].name, value, fields[i].help, str_equal(value, show(arena, &fields[i], &usual)));
	}
}

static bool name_fits(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && i > 0)))
			return false;
	}
	return name.len > 0 && name.len <= 30;
}

enum rc carrier_check(const struct carrier *carrier, struct err *err)
{
	if (!name_fits(carrier->name))
		return err_set(err, INVALID, "a carrier's name is 1 to 30 small letters, digits and '-'");
	if (carrier->host.len == 0 || carrier->system_id.len == 0)
		return err_set(err, INVALID, "%.*s: host and system_id must be set", STR_ARG(carrier->name));
	if (carrier->tls == CARRIER_TLS_NONE && carrier->tls_ca.len + carrier->tls_name.len > 0)
		return err_set(err, INVALID, "%.*s: tls_ca and tls_name without tls=verify would do nothing", STR_ARG(carrier->name));
	return OK;
}
