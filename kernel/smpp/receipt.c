/* Delivery receipts. The text of appendix B is "vendor specific", and vendors made use of that: fields are missing,
 * shuffled, spelt otherwise. So labels are searched for, each on its own, and nothing is required. */
#include "kernel/smpp/smpp.h"

enum label { LABEL_ID, LABEL_SUB, LABEL_DLVRD, LABEL_SUBMIT_DATE, LABEL_DONE_DATE, LABEL_STAT, LABEL_ERR, LABEL_TEXT, LABEL_COUNT };

static const struct {
	enum label label;
	const char *word;
} LABELS[] = {
	{ LABEL_ID, "id:" },
	{ LABEL_SUB, "sub:" },
	{ LABEL_DLVRD, "dlvrd:" },
	{ LABEL_SUBMIT_DATE, "submit date:" },
	{ LABEL_SUBMIT_DATE, "submitdate:" },
	{ LABEL_SUBMIT_DATE, "submit_date:" },
	{ LABEL_DONE_DATE, "done date:" },
	{ LABEL_DONE_DATE, "donedate:" },
	{ LABEL_DONE_DATE, "done_date:" },
	{ LABEL_STAT, "stat:" },
	{ LABEL_ERR, "err:" },
	{ LABEL_ERR, "error:" },
	{ LABEL_TEXT, "text:" },
};

static const struct {
	const char *word;
	enum smpp_state state;
} WORDS[] = {
	{ "DELIVRD", SMPP_STATE_DELIVERED },      { "DELIVERED", SMPP_STATE_DELIVERED },
	{ "DELIVERD", SMPP_STATE_DELIVERED },     { "EXPIRED", SMPP_STATE_EXPIRED },
	{ "DELETED", SMPP_STATE_DELETED },        { "UNDELIV", SMPP_STATE_UNDELIVERABLE },
	{ "UNDELIVERABLE", SMPP_STATE_UNDELIVERABLE }, { "UNDELIVERED", SMPP_STATE_UNDELIVERABLE },
	{ "UNDELIVRD", SMPP_STATE_UNDELIVERABLE }, { "FAILED", SMPP_STATE_UNDELIVERABLE },
	{ "ACCEPTD", SMPP_STATE_ACCEPTED },       { "ACCEPTED", SMPP_STATE_ACCEPTED },
	{ "ACKED", SMPP_STATE_ACCEPTED },         { "ENROUTE", SMPP_STATE_ENROUTE },
	{ "BUFFRED", SMPP_STATE_ENROUTE },        { "BUFFERD", SMPP_STATE_ENROUTE },
	{ "BUFFERED", SMPP_STATE_ENROUTE },       { "SCHEDULED", SMPP_STATE_ENROUTE },
	{ "UNKNOWN", SMPP_STATE_UNKNOWN },        { "REJECTD", SMPP_STATE_REJECTED },
	{ "REJECTED", SMPP_STATE_REJECTED },
};

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_end(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f;
}

/* The label that begins at `at`, with its length, or LABEL_COUNT. */
static enum label label_at(struct str text, size_t at, size_t *length)
{
	if (at >= text.len || (at > 0 && is_word(text.ptr[at - 1])))
		return LABEL_COUNT;
	char first = (char)(text.ptr[at] | 0x20);
	for (size_t i = 0; i < COUNT_OF(LABELS); i++) {
		if (LABELS[i].word[0] != first)
			continue;
		size_t n = strlen(LABELS[i].word);
		if (text.len - at >= n && str_equal_nocase((struct str){ text.ptr + at, n }, str_from(LABELS[i].word))) {
			*length = n;
			return LABELS[i].label;
		}
	}
	return LABEL_COUNT;
}

/* The value after a label: up to a blank or control byte; empty where another label stands in its place. */
static struct str value_at(struct str text, size_t at)
{
	size_t ignored;
	while (at < text.len && text.ptr[at] == ' ')
		at++;
	if (at == text.len || label_at(text, at, &ignored) != LABEL_COUNT)
		return S("");
	size_t end = at;
	while (end < text.len && !is_end(text.ptr[end]))
		end++;
	return str_slice(text, at, end);
}

/* Finds all fields. What follows "text:" is the beginning of the message itself and may hold anything, even "stat:"; so a
 * field that stood before it wins, and of those after it the last one. */
static void find_fields(struct str text, struct str fields[LABEL_COUNT])
{
	bool in_text = false;
	bool before[LABEL_COUNT] = { false };
	for (size_t i = 0; i < text.len; i++) {
		size_t length;
		enum label label = label_at(text, i, &length);
		if (label == LABEL_COUNT)
			continue;
		if (label == LABEL_TEXT) {
			in_text = true;
		} else if (in_text ? !before[label] : str_is_none(fields[label])) {
			fields[label] = value_at(text, i + length);
			before[label] = !in_text;
		}
		i += length - 1;
	}
}

static int two(const char *p)
{
	return (p[0] - '0') * 10 + (p[1] - '0');
}

static int64_t date_of(int year, const char *p, bool seconds)
{
	int month = two(p), day = two(p + 2), hour = two(p + 4), minute = two(p + 6), second = seconds ? two(p + 8) : 0;
	if (!date_valid(year, month, day) || hour > 23 || minute > 59 || second > 59)
		return 0;
	return date_to_days(year, month, day) * CLOCK_DAY + hour * CLOCK_HOUR + minute * CLOCK_MINUTE + second * CLOCK_SECOND;
}

/* yyMMddHHmm, yyMMddHHmmss, yyyyMMddHHmm or yyyyMMddHHmmss; 0 for anything else and for all zeros. */
static int64_t read_date(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return 0;
	int64_t at = 0;
	if (s.len == 10)
		return date_of(2000 + two(s.ptr), s.ptr + 2, false);
	if (s.len == 12) {
		at = date_of(2000 + two(s.ptr), s.ptr + 2, true);
		return at ? at : date_of(two(s.ptr) * 100 + two(s.ptr + 2), s.ptr + 4, false);
	}
	if (s.len == 14)
		return date_of(two(s.ptr) * 100 + two(s.ptr + 2), s.ptr + 4, true);
	return 0;
}

static enum smpp_state state_of_word(struct str word)
{
	for (size_t i = 0; i < COUNT_OF(WORDS); i++)
		if (str_equal_nocase(word, str_from(WORDS[i].word)))
			return WORDS[i].state;
	return SMPP_STATE_UNKNOWN_WORD;
}

/* Receipts in UCS-2 are met both with data_coding 8 and without, and ASCII ones with it; so the bytes decide: every
 * other one is zero in the first four characters, after a byte order mark if there is one. A half character at the end, where
 * a carrier cut the text by octets, is left out. */
static struct str plain_text(struct arena *arena, struct str bytes)
{
	if (bytes.len >= 2 && ((bytes.ptr[0] == '\xFE' && bytes.ptr[1] == '\xFF') || (bytes.ptr[0] == '\xFF' && bytes.ptr[1] == '\xFE')))
		bytes = str_slice(bytes, 2, bytes.len);
	for (size_t high = 0; high < 2; high++) {
		bool wide = bytes.len >= 8;
		for (size_t i = 0; wide && i < 8; i += 2)
			wide = bytes.ptr[i + high] == 0 && bytes.ptr[i + 1 - high] != 0;
		if (!wide)
			continue;
		char *out = arena_alloc(arena, bytes.len / 2 + 1);
		for (size_t i = 0; i + 1 < bytes.len; i += 2)
			out[i / 2] = bytes.ptr[i + high] == 0 ? bytes.ptr[i + 1 - high] : '?';
		return (struct str){ out, bytes.len / 2 };
	}
	return bytes;
}

/* The text without a user data header, if esm_class says that there is one and it keeps within the bytes. */
static struct str without_header(const struct smpp_message *m)
{
	struct str bytes = smpp_message_bytes(m);
	if ((m->esm_class & 0x40) && bytes.len > 0) {
		size_t header = (size_t)(unsigned char)bytes.ptr[0] + 1;
		if (header <= bytes.len)
			return str_slice(bytes, header, bytes.len);
	}
	return bytes;
}

static struct str error_of_tlv(struct arena *arena, struct str code)
{
	const uint8_t *c = (const uint8_t *)code.ptr;
	return str_format(arena, "%u/%u", c[0], (unsigned)c[1] << 8 | c[2]);
}

static bool state_final(enum smpp_state state)
{
	return state == SMPP_STATE_DELIVERED || state == SMPP_STATE_EXPIRED || state == SMPP_STATE_DELETED ||
	       state == SMPP_STATE_UNDELIVERABLE || state == SMPP_STATE_REJECTED;
}

/* Without a declaration the text must begin as a receipt does and have one more of its fields beside id and stat, so
 * that few people's messages are taken for one. */
static bool looks_like_receipt(struct str text, const struct str fields[LABEL_COUNT])
{
	size_t length;
	text = str_trim(text);
	return label_at(text, 0, &length) == LABEL_ID && fields[LABEL_ID].len > 0 && !str_is_none(fields[LABEL_STAT]) &&
	       (!str_is_none(fields[LABEL_DONE_DATE]) || !str_is_none(fields[LABEL_SUB]) ||
	        !str_is_none(fields[LABEL_ERR]) || !str_is_none(fields[LABEL_DLVRD]));
}

bool smpp_receipt_read(struct arena *arena, const struct smpp_message *m, struct smpp_receipt *out)
{
	/* 0x04: receipt, 0x20: intermediate notification (5.2.12). Bits are tested, since 0x44 and 0x43 are met. */
	bool declared = (m->esm_class & 0x04) || (m->esm_class & 0x20) || m->receipted_message_id.len > 0 || m->has_message_state;
	struct str text = plain_text(arena, without_header(m));
	struct str fields[LABEL_COUNT] = { STR_NONE };
	find_fields(text, fields);
	if (!declared && !looks_like_receipt(text, fields))
		return false;
	struct smpp_receipt receipt = { .by_content = !declared };
	receipt.id = m->receipted_message_id.len ? m->receipted_message_id : fields[LABEL_ID];
	if (receipt.id.len > SMPP_MESSAGE_ID_MAX)
		receipt.id = STR_NONE; /* no carrier's: a cut id would match nothing, or worse, something */
	receipt.stat = fields[LABEL_STAT];
	if (receipt.stat.len == 0 && m->has_message_state)
		receipt.stat = str_format(arena, "state %u", m->message_state);
	receipt.error = fields[LABEL_ERR];
	if (receipt.error.len == 0 && !str_is_none(m->network_error_code))
		receipt.error = error_of_tlv(arena, m->network_error_code);
	receipt.state = state_of_word(fields[LABEL_STAT]);
	/* The TLV wins, unless it says nothing: 7 is 'unknown', 0 and 9 are states of version 5. */
	if (m->has_message_state && m->message_state >= SMPP_STATE_ENROUTE && m->message_state <= SMPP_STATE_REJECTED &&
	    m->message_state != SMPP_STATE_UNKNOWN)
		receipt.state = (enum smpp_state)m->message_state;
	receipt.final = state_final(receipt.state);
	receipt.submitted = read_date(fields[LABEL_SUBMIT_DATE]);
	receipt.done = read_date(fields[LABEL_DONE_DATE]);
	*out = receipt;
	return true;
}
