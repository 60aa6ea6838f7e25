/* What refusals mean. The mapping of RFC 3463 codes is the one bounce processors use; the words are those mail systems say. */
#include <unicode/uidna.h>

#include "kernel/mail/private.h"

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

/* --- words -------------------------------------------------------------------------------------------------- */

#define JUDGED_MAX 8192 /* bytes of a text that are looked at: the reason stands at its beginning */

/* All in lower case, as far as it is ASCII. */
static const char *const OUR_SIDE[] = {
	"sender address rejected", "sender verify", "sender domain", "sender rejected", "your domain", "envelope sender", "helo command rejected", "client host rejected",
	"reverse dns", "ptr record", "cannot find your hostname", "your ip", "your server", "your mail server", "relay access denied", "relaying denied", "unable to relay",
	"relay not permitted", "not permitted to relay", "authentication required",
};
static const char *const NOBODY_THERE[] = {
	"user unknown", "unknown user", "no such user", "no such recipient", "no such mailbox", "no such address", "no such person", "no such account", "no mailbox here",
	"recipient not found", "recipient unknown", "unknown recipient", "unknown local part", "unknown local-part", "unknown mailbox", "unknown account", "unknown address",
	"user not found", "mailbox not found", "addressee unknown", "invalid recipient", "invalid mailbox", "invalid address", "bad destination mailbox",
	"recipient address rejected: access denied", "recipnotfound", "recipientnotfound", "not listed in domino directory", "not listed in public name",
	"account does not exist", "account that you tried to reach does not exist", "user does not exist", "user doesn't exist", "mailbox does not exist", "recipient does not exist",
	"address does not exist", "no account by that name", "doesn't have a ", "does not have a yahoo", "user is unknown", "not a known user", "not our customer",
	"not a valid mailbox", "not a valid user", "is not a valid recipient", "couldn't be found", "wasn't found at", "not found in the ldap", "no longer exists",
	"n'existe pas", "utilisateur inconnu", "destinataire inconnu", "adresse inconnue", "existiert nicht", "unbekannter empf", "empfänger unbekannt",
	"unbekannter benutzer", "usuario desconocido", "no existe", "destinatario desconocido", "utente sconosciuto", "destinatario inesistente", "não existe",
	"usuário desconhecido", "bestaat niet", "nie istnieje", "kullanıcı bulunamadı",
	"не существует", "пользователь не найден", "用户不存在", "不存在", "宛先不明", "存在しません", "المستخدم غير موجود", "العنوان غير موجود", "غير موجود",
	"کاربر ناشناخته", "وجود ندارد", "یافت نشد",
};
static const char *const POLICY[] = {
	"spam", "blocked", "block list", "blocklist", "blacklist", "black list", "policy", "reputation", "dmarc", "spf ", "dkim", "rate limit", "too many messages",
	"too many connections", "unsolicited", "banned", "listed at ", "listed by ", "listed in zen", "rbl", "access denied", "not authorized", "not authorised",
	"message content rejected", "content rejected", "prohibited", "suspicious", "virus", "malware", "phish", "greylist", "throttl", "refused by the recipient's",
	"violat", "unusual rate", "bulk", "not accepted for policy", "message refused", "message rejected", "rejected by the recipient's filter", "indésirable",
	"politique", "richtlinie", "unerwünscht", "no deseado", "垃圾邮件", "迷惑メール", "спам",
};
static const char *const FULL[] = {
	"mailbox full", "mailbox is full", "mailbox size limit exceeded", "mailbox has exceeded", "quota", "over its storage", "out of storage", "insufficient storage",
	"not enough storage", "storage limit", "inbox is full", "too much mail", "maildir delivery: mailbox", "boîte pleine", "boîte aux lettres est pleine",
	"boîte de réception est pleine", "postfach voll", "postfach ist voll", "buzón lleno", "buzón está lleno", "casella piena",
	"caixa cheia", "caixa de correio está cheia", "переполнен", "邮箱已满", "一杯", "ممتلئ", "پر است", "پر شده",
};
static const char *const BIG[] = {
	"message too large", "message too big", "message is too large", "message size exceeds", "exceeds size", "exceeds the size", "exceeds maximum", "exceeds the maximum",
	"message exceeds", "larger than the current system limit", "too large to", "size limit", "trop volumineux", "zu groß", "demasiado grande",
};
static const char *const OFF[] = {
	"disabled", "inactive", "suspended", "deactivated", "account locked", "mailbox is locked", "account is closed", "account has been closed", "not active",
	"account expired", "mailbox unavailable or access denied for this user's account", "désactiv", "deaktiviert", "desactivad", "disattivat", "заблокирован", "停用",
	"معطل", "غير نشط", "غیرفعال",
};
static const char *const MOVED[] = {
	"has moved", "user has moved", "address has changed", "address changed", "changed address", "no longer at this", "no longer works", "new address is", "has left the",
	"has left our", "please use the new", "a déménagé", "nouvelle adresse", "neue adresse", "nueva direcci",
};
static const char *const NO_HOST[] = {
	"host unknown", "host not found", "unknown host", "domain not found", "no such domain", "unknown domain", "name service error", "name or service not known",
	"nxdomain", "non-existent domain", "nonexistent domain", "domain does not exist", "domain doesn't exist", "couldn't find any host", "unrouteable", "unroutable",
	"null mx", "nullmx", "does not accept mail", "doesn't accept mail", "accepts no mail", "no mx record", "invalid domain", "domaine inconnu", "domaine introuvable",
	"dominio desconocido", "unbekannte domain",
};
static const char *const AWAY[] = {
	"connection timed out", "connection refused", "no route to host", "network is unreachable", "delivery time expired", "retry timeout exceeded",
	"retry time not reached", "message expired", "queue too long", "queue for too long", "lifetime expired", "could not be delivered for", "wasn't able to establish an smtp",
	"unable to connect", "expired after", "giving up", "gave up", "given up",
};
static const char *const LATER[] = {
	"warning: message", "delayed", "still being retried", "will be retried", "will keep trying", "will continue to try", "still trying", "warning message only",
	"do not need to resend", "has not yet been delivered", "not been delivered yet", "retardé", "différé", "verzögert", "retrasad",
};
/* Weak: they count only where the code says nothing better. */
static const char *const WEAK_NOBODY[] = { "mailbox unavailable", "does not exist", "unknown", "inconnu", "unbekannt", "desconocid", "not found" };

/* Lower case, blanks and line ends as one blank: reasons are folded anywhere. */
static size_t normalize(struct str text, char out[JUDGED_MAX])
{
	size_t length = 0;
	for (size_t i = 0; i < text.len && length < JUDGED_MAX; i++) {
		char c = text.ptr[i];
		bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
		if (blank && length > 0 && out[length - 1] == ' ')
			continue;
		out[length++] = blank ? ' ' : c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	return length;
}

static bool has_any(struct str text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (memmem(text.ptr, text.len, words[i], strlen(words[i])))
			return true;
	return false;
}
#define HAS(text, words) has_any(text, words, COUNT_OF(words))

/* --- statuses ----------------------------------------------------------------------------------------------- */

/* RFC 3463 with the later registrations: subject and detail decide, the class only whether it is for good. */
static enum mail_bounce_kind kind_of_status(struct str status)
{
	static const struct {
		const char *tail;
		enum mail_bounce_kind kind;
	} KINDS[] = {
		{ ".1.0", MAIL_BOUNCE_USER_UNKNOWN }, { ".1.1", MAIL_BOUNCE_USER_UNKNOWN }, { ".1.2", MAIL_BOUNCE_HOST_UNKNOWN }, { ".1.3", MAIL_BOUNCE_USER_UNKNOWN },
		{ ".1.6", MAIL_BOUNCE_MOVED },        { ".1.7", MAIL_BOUNCE_POLICY },       { ".1.8", MAIL_BOUNCE_POLICY },       { ".1.10", MAIL_BOUNCE_HOST_UNKNOWN },
		{ ".2.1", MAIL_BOUNCE_DISABLED },     { ".2.2", MAIL_BOUNCE_FULL },         { ".2.3", MAIL_BOUNCE_TOO_BIG },      { ".3.1", MAIL_BOUNCE_FULL },
		{ ".3.4", MAIL_BOUNCE_TOO_BIG },      { ".4.1", MAIL_BOUNCE_NOT_REACHED },  { ".4.2", MAIL_BOUNCE_NOT_REACHED },  { ".4.3", MAIL_BOUNCE_NOT_REACHED },
		{ ".4.4", MAIL_BOUNCE_HOST_UNKNOWN }, { ".4.7", MAIL_BOUNCE_NOT_REACHED },  { ".6.1", MAIL_BOUNCE_POLICY },
	};
	if (status.len < 4)
		return MAIL_BOUNCE_OTHER;
	struct str tail = str_slice(status, 1, status.len);
	if (str_starts(tail, S(".7.")))
		return MAIL_BOUNCE_POLICY;
	for (size_t i = 0; i < COUNT_OF(KINDS); i++)
		if (str_equal(tail, str_from(KINDS[i].tail)))
			/* A host that cannot be found now, or whose own routing fails, is not unknown. */
			return status.ptr[0] == '4' && KINDS[i].kind == MAIL_BOUNCE_HOST_UNKNOWN ? MAIL_BOUNCE_NOT_REACHED : KINDS[i].kind;
	return MAIL_BOUNCE_OTHER;
}

/* A status that says no more than its class. */
static bool is_vague(struct str status)
{
	static const char *const VAGUE[] = { ".0.0", ".2.0", ".3.0", ".4.0", ".5.0" };
	if (status.len == 0)
		return true;
	for (size_t i = 0; i < COUNT_OF(VAGUE); i++)
		if (str_equal(str_slice(status, 1, status.len), str_from(VAGUE[i])))
			return true;
	return false;
}

static enum mail_bounce_kind kind_of_text(struct str text)
{
	if (HAS(text, OUR_SIDE))
		return MAIL_BOUNCE_POLICY;
	if (HAS(text, NOBODY_THERE))
		return MAIL_BOUNCE_USER_UNKNOWN;
	if (HAS(text, FULL))
		return MAIL_BOUNCE_FULL;
	if (HAS(text, OFF))
		return MAIL_BOUNCE_DISABLED;
	if (HAS(text, POLICY))
		return MAIL_BOUNCE_POLICY;
	if (HAS(text, BIG))
		return MAIL_BOUNCE_TOO_BIG;
	if (HAS(text, NO_HOST))
		return MAIL_BOUNCE_HOST_UNKNOWN;
	return HAS(text, MOVED) ? MAIL_BOUNCE_MOVED : MAIL_BOUNCE_OTHER;
}

enum mail_bounce_kind mail_bounce_kind_of(int code, struct str status, struct str text)
{
	char lower[JUDGED_MAX];
	struct str words = { lower, normalize(text, lower) };
	if (is_vague(status)) {
		struct str better = mail_status_in(text);
		status = better.len && !is_vague(better) ? better : status;
	}
	enum mail_bounce_kind kind = kind_of_text(words);
	if (kind == MAIL_BOUNCE_HOST_UNKNOWN && ((status.len && status.ptr[0] == '4') || code / 100 == 4))
		kind = MAIL_BOUNCE_NOT_REACHED; /* not found now, says the one who asked */
	if (kind == MAIL_BOUNCE_OTHER && code == 551)
		kind = MAIL_BOUNCE_MOVED; /* RFC 5321, 3.4 */
	if (kind == MAIL_BOUNCE_OTHER)
		kind = kind_of_status(status);
	if (kind == MAIL_BOUNCE_OTHER && HAS(words, AWAY))
		kind = MAIL_BOUNCE_NOT_REACHED;
	if (kind == MAIL_BOUNCE_OTHER && is_vague(status) && (code >= 500 || (status.len && status.ptr[0] == '5')) && HAS(words, WEAK_NOBODY))
		kind = MAIL_BOUNCE_USER_UNKNOWN;
	return kind;
}

bool mail_text_is_delay(struct str text)
{
	char lower[JUDGED_MAX];
	struct str words = { lower, normalize(text, lower) };
	return HAS(words, LATER) && !has_any(words, (const char *const[]){ "giving up", "gave up", "given up", "could not be delivered. it was delayed" }, 4);
}

const char *mail_bounce_kind_name(enum mail_bounce_kind kind)
{
	static const char *const NAMES[MAIL_BOUNCE_KIND_COUNT] = { "bounced",     "user unknown", "host unknown", "moved",   "disabled",  "mailbox full", "too big",
		                                                   "policy",      "not reached",  "delayed",      "relayed", "delivered", "expanded" };
	return kind < MAIL_BOUNCE_KIND_COUNT ? NAMES[kind] : NAMES[0];
}

enum mail_fault mail_fault_of(int code, struct str status, struct str text)
{
	enum mail_bounce_kind kind = mail_bounce_kind_of(code, status, text);
	if (status.len == 0)
		status = mail_status_in(text);
	char class = status.len ? status.ptr[0] : code >= 500 ? '5' : code >= 400 ? '4' : code >= 200 ? '2' : '0';
	/* The reply code decides where the two differ: it is what the protocol acts on. */
	if (code >= 400)
		class = code >= 500 ? '5' : '4';
	if (class == '2')
		return MAIL_FAULT_NONE;
	if (class == '4' || kind == MAIL_BOUNCE_FULL || kind == MAIL_BOUNCE_NOT_REACHED)
		return MAIL_FAULT_TEMPORARY;
	bool gone = kind == MAIL_BOUNCE_USER_UNKNOWN || kind == MAIL_BOUNCE_HOST_UNKNOWN || kind == MAIL_BOUNCE_MOVED;
	return gone ? MAIL_FAULT_RECIPIENT : MAIL_FAULT_MESSAGE;
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
