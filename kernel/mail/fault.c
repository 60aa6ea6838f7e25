/* What refusals mean. The mapping of RFC 3463 codes is the one bounce processors use. */
#include <unicode/uidna.h>

#include "kernel/mail/mail.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

struct str mail_status_in(struct str text)
{
	for (size_t i = 0; i + 4 < text.len; i++) {
		if ((text.ptr[i] != '2' && text.ptr[i] != '4' && text.ptr[i] != '5') || text.ptr[i + 1] != '.' ||
		    (i > 0 && (is_digit(text.ptr[i - 1]) || text.ptr[i - 1] == '.')))
			continue;
		size_t at = i + 2, subject = 0, detail = 0;
		while (at < text.len && is_digit(text.ptr[at]) && subject < 3)
			at++, subject++;
		if (subject == 0 || at == text.len || text.ptr[at] != '.')
			continue;
		at++;
		while (at < text.len && is_digit(text.ptr[at]) && detail < 3)
			at++, detail++;
		/* An address of four numbers is no status. */
		if (detail > 0 && (at == text.len || (!is_digit(text.ptr[at]) && !(text.ptr[at] == '.' && at + 1 < text.len && is_digit(text.ptr[at + 1])))))
			return str_slice(text, i, at);
	}
	return S("");
}

static bool contains(struct str text, const char *word)
{
	size_t length = strlen(word);
	for (size_t i = 0; i + length <= text.len; i++)
		if (str_equal_nocase(str_slice(text, i, i + length), (struct str){ word, length }))
			return true;
	return false;
}

static bool contains_any(struct str text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (contains(text, words[i]))
			return true;
	return false;
}

static bool one_of(struct str status, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_equal(status, str_from(list[i])))
			return true;
	return false;
}

enum mail_fault mail_fault_of(int code, struct str status, struct str text)
{
	static const char *const NOBODY[] = { "5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.4.4" };
	static const char *const FULL[] = { "5.2.2" };
	static const char *const POLICY[] = { "spam", "blocked", "block list", "blocklist", "blacklist", "policy", "reputation", "dmarc", "spf ", "dkim", "denied", "rate limit" };
	static const char *const UNKNOWN[] = { "user unknown", "unknown user", "no such user", "no such recipient", "mailbox unavailable", "does not exist", "recipient not found", "no mailbox here" };
	static const char *const FULL_WORDS[] = { "mailbox full", "quota", "mailbox is full" };
	if (status.len == 0)
		status = mail_status_in(text);
	char class = status.len ? status.ptr[0] : code >= 500 ? '5' : code >= 400 ? '4' : code >= 200 ? '2' : '0';
	/* The reply code decides where the two differ: it is what the protocol acts on. */
	if (code >= 400)
		class = code >= 500 ? '5' : '4';
	if (class == '2')
		return MAIL_FAULT_NONE;
	if (class == '4')
		return MAIL_FAULT_TEMPORARY;
	if (class == '0')
		return MAIL_FAULT_MESSAGE; /* a report without a code: nothing is concluded about the address */
	if (one_of(status, FULL, COUNT_OF(FULL)) || contains_any(text, FULL_WORDS, COUNT_OF(FULL_WORDS)))
		return MAIL_FAULT_TEMPORARY;
	if (contains_any(text, POLICY, COUNT_OF(POLICY)))
		return MAIL_FAULT_MESSAGE;
	if (one_of(status, NOBODY, COUNT_OF(NOBODY)))
		return MAIL_FAULT_RECIPIENT;
	bool vague = status.len == 0 || str_equal(status, S("5.0.0"));
	return vague && contains_any(text, UNKNOWN, COUNT_OF(UNKNOWN)) ? MAIL_FAULT_RECIPIENT : MAIL_FAULT_MESSAGE;
}

bool mail_address_valid(struct str address)
{
	size_t at = 0, ats = 0;
	for (size_t i = 0; i < address.len; i++) {
		unsigned char c = (unsigned char)address.ptr[i];
		if (c <= ' ' || c == 0x7f || c == '<' || c == '>' || c == '"' || c == '\\' || c == '(' || c == ')' || c == ',' || c == ';' || c == ':')
			return false;
		if (c == '@') {
			at = i;
			ats++;
		}
	}
	return ats == 1 && at > 0 && at + 1 < address.len && address.len <= 254 && utf8_valid(address);
}

bool mail_address_to_ascii(struct arena *arena, struct str address, struct str *out)
{
	char name[256];
	struct str local, domain;
	UErrorCode status = U_ZERO_ERROR;
	UIDNAInfo info = UIDNA_INFO_INITIALIZER;
	if (!str_cut(address, '@', &local, &domain) || domain.len == 0 || domain.len > 254)
		return false;
	UIDNA *idna = uidna_openUTS46(UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ | UIDNA_USE_STD3_RULES, &status);
	if (U_FAILURE(status))
		return false;
	int32_t size = uidna_nameToASCII_UTF8(idna, domain.ptr, (int32_t)domain.len, name, sizeof name, &info, &status);
	uidna_close(idna);
	if (U_FAILURE(status) || info.errors || size <= 0 || (size_t)size >= sizeof name)
		return false;
	*out = str_format(arena, "%.*s@%.*s", STR_ARG(local), size, name);
	return true;
}
