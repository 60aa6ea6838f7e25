#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/base.h"
#include "kernel/text/keyword.h"
#include "kernel/text/keyword_words.h"

static struct arena arena;

static int setup(void **state)
{
	(void)state;
	arena_init(&arena);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

/* What is expected beside keyword and rest, a letter each:
 * k help keyword only, y bare yes, n note needs reading, u urgent, c reference certain */
struct row {
	const char *text;
	enum keyword keyword;
	const char *rest; /* NULL: the whole text, trimmed, as for unknown ones */
	uint32_t reference;
	const char *flags;
	const char *language;
};

#define UNKNOWN KEYWORD_UNKNOWN
#define SAFE KEYWORD_SAFE
#define HELP KEYWORD_HELP
#define STOP KEYWORD_STOP
#define START KEYWORD_START
#define WHERE KEYWORD_WHERE
#define LANG KEYWORD_LANGUAGE

static const struct row english[] = {
	{ "SAFE", SAFE, "", 0, "", NULL },
	{ "safe", SAFE, "", 0, "", NULL },
	{ "  Safe.  ", SAFE, "", 0, "", NULL },
	{ "Safe!", SAFE, "", 0, "", NULL },
	{ "SAFE, at the hotel", SAFE, "at the hotel", 0, "", NULL },
	{ "SAFE - with Ann & Bob", SAFE, "with Ann & Bob", 0, "", NULL },
	{ "safe\nwe left by bus", SAFE, "we left by bus", 0, "", NULL },
	{ "'SAFE'", SAFE, "", 0, "", NULL },
	{ "I am safe", SAFE, "", 0, "", NULL },
	{ "I'm safe", SAFE, "", 0, "", NULL },
	{ "I’m safe thanks", SAFE, "thanks", 0, "", NULL },
	{ "im safe", SAFE, "", 0, "", NULL },
	{ "We are safe, all four", SAFE, "all four", 0, "", NULL },
	{ "we’re all safe", SAFE, "", 0, "", NULL },
	{ "Hello, I am safe", SAFE, "", 0, "", NULL },
	{ "Yes safe", SAFE, "", 0, "", NULL },
	{ "Yes, I am safe", SAFE, "", 0, "", NULL },
	{ "ok safe", SAFE, "", 0, "", NULL },
	{ "Safe and well", SAFE, "", 0, "", NULL },
	{ "ＳＡＦＥ", SAFE, "", 0, "", NULL },
	{ "s\u200Ba\u200Bf\u200Be", SAFE, "", 0, "", NULL },
	{ "\u202ASAFE\u202C", SAFE, "", 0, "", NULL },
	{ "\uFEFFSAFE", SAFE, "", 0, "", NULL },
	{ "𝐒𝐀𝐅𝐄", SAFE, "", 0, "", NULL },
	{ "SÀFÉ", SAFE, "", 0, "", NULL },
	{ "SAFE 👍", SAFE, "👍", 0, "", NULL },
	{ "SAFE 47", SAFE, "", 47, "c", NULL },
	{ "SAFE #47 at home", SAFE, "at home", 47, "c", NULL },
	{ "safe a47 at home", SAFE, "at home", 47, "c", NULL },
	{ "SAFE47", SAFE, "", 47, "c", NULL },
	{ "SAFE ۴۷", SAFE, "", 47, "c", NULL },
	{ "SAFE 47 thanks", SAFE, "thanks", 47, "c", NULL },
	{ "SAFE 3 adults", SAFE, "3 adults", 3, "", NULL },
	{ "SAFE 0", SAFE, "0", 0, "", NULL },
	{ "SAFE 1234567890", SAFE, "1234567890", 0, "", NULL },
	{ "SAFE 999999999", SAFE, "", 999999999, "c", NULL },
	{ "SAFE, do not worry", SAFE, "do not worry", 0, "", NULL },
	{ "SAFE but no passport", SAFE, "but no passport", 0, "n", NULL },
	{ "SAFE, however we left by the sea road", SAFE, "however we left by the sea road", 0, "n", NULL },
	{ "Safe, don't worry", SAFE, "don't worry", 0, "", NULL },
	{ "safe no injuries", SAFE, "no injuries", 0, "", NULL },
	{ "safe no worries but my brother is not safe", UNKNOWN, NULL, 0, "u", NULL },
	{ "sa fe", UNKNOWN, NULL, 0, "", NULL },
	{ "I m safe", SAFE, "", 0, "", NULL },
	{ "Safe. We need insulin for Ann", SAFE, "We need insulin for Ann", 0, "n", NULL },
	{ "salam safe", SAFE, "", 0, "", NULL },
	{ "safe nist", UNKNOWN, NULL, 0, "u", NULL },
	{ "emergency at the bridge", UNKNOWN, NULL, 0, "u", NULL },
	{ "SAFE?", UNKNOWN, NULL, 0, "", NULL },
	{ "safe to travel", UNKNOWN, NULL, 0, "", NULL },
	{ "Safe place near me", UNKNOWN, NULL, 0, "", NULL },
	{ "safe or not", UNKNOWN, NULL, 0, "u", NULL },
	{ "SAFE or HELP", UNKNOWN, NULL, 0, "u", NULL },
	{ "safe, when can we go home?", UNKNOWN, NULL, 0, "", NULL },
	{ "SAFE but need help with my passport", UNKNOWN, NULL, 0, "u", NULL },
	{ "safe no", UNKNOWN, NULL, 0, "u", NULL },
	{ "SAFE 47 not", UNKNOWN, NULL, 0, "u", NULL },
	{ "safe, my son is injured", UNKNOWN, NULL, 0, "u", NULL },
	{ "safe, others not at all safe", UNKNOWN, NULL, 0, "u", NULL },
	{ "NOT SAFE", UNKNOWN, NULL, 0, "u", NULL },
	{ "not at all safe", UNKNOWN, NULL, 0, "u", NULL },
	{ "I am not safe", UNKNOWN, NULL, 0, "u", NULL },
	{ "I'm not safe", UNKNOWN, NULL, 0, "u", NULL },
	{ "we aren't safe", UNKNOWN, NULL, 0, "u", NULL },
	{ "unsafe", UNKNOWN, NULL, 0, "u", NULL },
	{ "nobody is safe here", UNKNOWN, NULL, 0, "u", NULL },
	{ "yes not safe", UNKNOWN, NULL, 0, "u", NULL },
	{ "am I safe", UNKNOWN, NULL, 0, "", NULL },
	{ "safely home", UNKNOWN, NULL, 0, "", NULL },
	{ "safes", UNKNOWN, NULL, 0, "", NULL },
	{ "HELP", HELP, "", 0, "k", NULL },
	{ "Help!", HELP, "", 0, "k", NULL },
	{ "help?", HELP, "?", 0, "k", NULL },
	{ "HELP 12", HELP, "", 12, "ck", NULL },
	{ "HELP ME", HELP, "", 0, "", NULL },
	{ "please help", HELP, "", 0, "", NULL },
	{ "HELP please", HELP, "please", 0, "", NULL },
	{ "HELP trapped on 3rd floor", HELP, "trapped on 3rd floor", 0, "", NULL },
	{ "help: no water", HELP, "no water", 0, "", NULL },
	{ "HELP 2 people hurt", HELP, "2 people hurt", 2, "", NULL },
	{ "We need help at the bridge", HELP, "at the bridge", 0, "", NULL },
	{ "SOS", HELP, "", 0, "", NULL },
	{ "hi, i need help", HELP, "", 0, "", NULL },
	{ "HELP STOP", HELP, "STOP", 0, "", NULL },
	{ "no help needed", UNKNOWN, NULL, 0, "u", NULL },
	{ "Can you help me", UNKNOWN, NULL, 0, "u", NULL },
	{ "helpful", UNKNOWN, NULL, 0, "", NULL },
	{ "STOP", STOP, "", 0, "", NULL },
	{ "Stop.", STOP, "", 0, "", NULL },
	{ "STOP PLEASE", STOP, "PLEASE", 0, "", NULL },
	{ "please stop", STOP, "", 0, "", NULL },
	{ "STOP 47", STOP, "", 47, "c", NULL },
	{ "stop all", STOP, "", 0, "", NULL },
	{ "STOPALL", STOP, "", 0, "", NULL },
	{ "stop sending me messages", STOP, "sending me messages", 0, "", NULL },
	{ "Unsubscribe", STOP, "", 0, "", NULL },
	{ "UNSUBSCRİBE", STOP, "", 0, "", NULL },
	{ "Cancel", STOP, "", 0, "", NULL },
	{ "END", STOP, "", 0, "", NULL },
	{ "quit", STOP, "", 0, "", NULL },
	{ "REVOKE", STOP, "", 0, "", NULL },
	{ "OPTOUT", STOP, "", 0, "", NULL },
	{ "opt out", STOP, "", 0, "", NULL },
	{ "Opt-out please", STOP, "please", 0, "", NULL },
	{ "stop bombing here, help us", UNKNOWN, NULL, 0, "u", NULL },
	{ "stop bombing", UNKNOWN, NULL, 0, "", NULL },
	{ "stop this", UNKNOWN, NULL, 0, "", NULL },
	{ "end the war", UNKNOWN, NULL, 0, "", NULL },
	{ "cancel my flight", UNKNOWN, NULL, 0, "", NULL },
	{ "STOP HELP", UNKNOWN, NULL, 0, "u", NULL },
	{ "nonstop", UNKNOWN, NULL, 0, "", NULL },
	{ "don't stop", UNKNOWN, NULL, 0, "", NULL },
	{ "START", START, "", 0, "", NULL },
	{ "unstop", START, "", 0, "", NULL },
	{ "YES", START, "", 0, "y", NULL },
	{ "yes please", START, "", 0, "y", NULL },
	{ "yes the bridge is open", UNKNOWN, NULL, 0, "", NULL },
	{ "start walking", UNKNOWN, NULL, 0, "", NULL },
	{ "WHERE", WHERE, "", 0, "", NULL },
	{ "where?", WHERE, "?", 0, "", NULL },
	{ "where is my son", UNKNOWN, NULL, 0, "", NULL },
	{ "LANG fa", LANG, "fa", 0, "", "fa" },
	{ "lang: FR", LANG, "FR", 0, "", "fr" },
	{ "Language English", LANG, "English", 0, "", "en" },
	{ "lang فارسی", LANG, "فارسی", 0, "", "fa" },
	{ "LANG العربية", LANG, "العربية", 0, "", "ar" },
	{ "lang francais", LANG, "francais", 0, "", "fr" },
	{ "lang Persian please", LANG, "Persian please", 0, "", "fa" },
	{ "lang farsi", LANG, "farsi", 0, "", "fa" },
	{ "lang to arabic", LANG, "to arabic", 0, "", "ar" },
	{ "LANG pt-BR", LANG, "pt-BR", 0, "", "pt-BR" },
	{ "lang deu", LANG, "deu", 0, "", "de" },
	{ "lang русский", LANG, "русский", 0, "", "ru" },
	{ "LANG", LANG, "", 0, "", "" },
	{ "LANG xx", UNKNOWN, NULL, 0, "", NULL },
	{ "lang klingonese", UNKNOWN, NULL, 0, "", NULL },
	{ "language problem at the border", UNKNOWN, NULL, 0, "", NULL },
	{ "", UNKNOWN, NULL, 0, "", NULL },
	{ "   \n ", UNKNOWN, NULL, 0, "", NULL },
	{ "?", UNKNOWN, NULL, 0, "", NULL },
	{ "👍", UNKNOWN, NULL, 0, "", NULL },
	{ "ok", UNKNOWN, NULL, 0, "", NULL },
	{ "thanks", UNKNOWN, NULL, 0, "", NULL },
	{ "47", UNKNOWN, NULL, 0, "", NULL },
	{ "no", UNKNOWN, NULL, 0, "", NULL },
};

static const struct row french[] = {
	{ "Je suis en sécurité", SAFE, "", 0, "", NULL },
	{ "JE SUIS EN SECURITE", SAFE, "", 0, "", NULL },
	{ "je suis en se\u0301curite\u0301", SAFE, "", 0, "", NULL },
	{ "Bonjour, nous sommes en sécurité à Lyon", SAFE, "à Lyon", 0, "", NULL },
	{ "En sécurité, ne vous inquiétez pas", SAFE, "ne vous inquiétez pas", 0, "", NULL },
	{ "sain et sauf", SAFE, "", 0, "", NULL },
	{ "Saines et sauves", SAFE, "", 0, "", NULL },
	{ "à l'abri", SAFE, "", 0, "", NULL },
	{ "À l’abri chez un ami", SAFE, "chez un ami", 0, "", NULL },
	{ "hors de danger", SAFE, "", 0, "", NULL },
	{ "oui je suis safe", SAFE, "", 0, "", NULL },
	{ "pas en sécurité", UNKNOWN, NULL, 0, "u", NULL },
	{ "Je ne suis pas en sécurité", UNKNOWN, NULL, 0, "u", NULL },
	{ "en sécurité ou pas", UNKNOWN, NULL, 0, "u", NULL },
	{ "en sécurité mais mon mari est blessé", UNKNOWN, NULL, 0, "u", NULL },
	{ "sauf mon mari", UNKNOWN, NULL, 0, "", NULL },
	{ "sécurité routière", UNKNOWN, NULL, 0, "", NULL },
	{ "AIDE", HELP, "", 0, "k", NULL },
	{ "aide svp", HELP, "svp", 0, "", NULL },
	{ "Aidez-moi !", HELP, "", 0, "", NULL },
	{ "J'ai besoin d'aide, hôtel Astoria", HELP, "hôtel Astoria", 0, "", NULL },
	{ "au secours", HELP, "", 0, "", NULL },
	{ "À l'aide", HELP, "", 0, "", NULL },
	{ "ARRÊT", STOP, "", 0, "", NULL },
	{ "arrete", STOP, "", 0, "", NULL },
	{ "ARRETT", STOP, "", 0, "", NULL },
	{ "arrêtez les messages s'il vous plaît", STOP, "les messages s'il vous plaît", 0, "", NULL },
	{ "STOP SVP", STOP, "SVP", 0, "", NULL },
	{ "Se désabonner", UNKNOWN, NULL, 0, "", NULL },
	{ "désabonner", STOP, "", 0, "", NULL },
	{ "arrêtez la guerre", UNKNOWN, NULL, 0, "", NULL },
	{ "reprendre", START, "", 0, "", NULL },
	{ "oui", START, "", 0, "y", NULL },
	{ "OÙ", WHERE, "", 0, "", NULL },
	{ "où est l'ambassade", UNKNOWN, NULL, 0, "", NULL },
	{ "LANGUE arabe", LANG, "arabe", 0, "", "ar" },
	{ "langue Français", LANG, "Français", 0, "", "fr" },
};

static const struct row arabic[] = {
	{ "أنا بخير", SAFE, "", 0, "", NULL },
	{ "انا بخير", SAFE, "", 0, "", NULL },
	{ "أَنَا بِخَيْر", SAFE, "", 0, "", NULL },
	{ "أنا بخـــير الحمد لله", SAFE, "الحمد لله", 0, "", NULL },
	{ "آمن", SAFE, "", 0, "", NULL },
	{ "آمنة ٤٧", SAFE, "", 47, "c", NULL },
	{ "نحن بخير، في الفندق", SAFE, "في الفندق", 0, "", NULL },
	{ "السلام عليكم أنا بخير", SAFE, "", 0, "", NULL },
	{ "نعم أنا في أمان", SAFE, "", 0, "", NULL },
	{ "لست بخير", UNKNOWN, NULL, 0, "u", NULL },
	{ "أنا لست في أمان", UNKNOWN, NULL, 0, "u", NULL },
	{ "غير آمن", UNKNOWN, NULL, 0, "u", NULL },
	{ "هل أنا بخير؟", UNKNOWN, NULL, 0, "", NULL },
	{ "آمن؟", UNKNOWN, NULL, 0, "", NULL },
	{ "أنا بخير لا تقلقوا", SAFE, "لا تقلقوا", 0, "", NULL },
	{ "أنا بخير لكن ابني مفقود", UNKNOWN, NULL, 0, "u", NULL },
	{ "أنا بخير لكن بلا جواز", SAFE, "لكن بلا جواز", 0, "n", NULL },
	{ "مساعدة", HELP, "", 0, "k", NULL },
	{ "مساعده", HELP, "", 0, "k", NULL },
	{ "أحتاج إلى مساعدة", HELP, "", 0, "", NULL },
	{ "ساعدوني، نحن محاصرون", HELP, "نحن محاصرون", 0, "", NULL },
	{ "النجدة", HELP, "", 0, "", NULL },
	{ "من فضلك مساعدة", HELP, "", 0, "", NULL },
	{ "توقف", STOP, "", 0, "", NULL },
	{ "إيقاف الرسائل من فضلك", STOP, "الرسائل من فضلك", 0, "", NULL },
	{ "إلغاء الاشتراك", STOP, "", 0, "", NULL },
	{ "أوقفوا القصف", UNKNOWN, NULL, 0, "", NULL },
	{ "ابدأ", START, "", 0, "", NULL },
	{ "نعم", START, "", 0, "y", NULL },
	{ "أين", WHERE, "", 0, "", NULL },
	{ "لغة عربي", LANG, "عربي", 0, "", "ar" },
	{ "اللغة الإنجليزية", LANG, "الإنجليزية", 0, "", "en" },
};

static const struct row persian[] = {
	{ "امن", SAFE, "", 0, "", NULL },
	{ "من امن هستم", SAFE, "", 0, "", NULL },
	{ "من خوبم", SAFE, "", 0, "", NULL },
	{ "سلام، من خوبم", SAFE, "", 0, "", NULL },
	{ "خوبم ممنون", SAFE, "ممنون", 0, "", NULL },
	{ "در امان هستیم در هتل", SAFE, "در هتل", 0, "", NULL },
	{ "در امان هستيم", SAFE, "", 0, "", NULL },
	{ "امن‌هستم", SAFE, "", 0, "", NULL },
	{ "سالم هستم ۴۷", SAFE, "", 47, "c", NULL },
	{ "حالم خوب است", SAFE, "", 0, "", NULL },
	{ "بله من سالمم", SAFE, "", 0, "", NULL },
	{ "امن نیستم", UNKNOWN, NULL, 0, "u", NULL },
	{ "من امن نیستم", UNKNOWN, NULL, 0, "u", NULL },
	{ "خوب نیستم", UNKNOWN, NULL, 0, "u", NULL },
	{ "ناامن", UNKNOWN, NULL, 0, "u", NULL },
	{ "امن است؟", UNKNOWN, NULL, 0, "", NULL },
	{ "من خوبم ولی پسرم زخمی است", UNKNOWN, NULL, 0, "u", NULL },
	{ "کمک", HELP, "", 0, "k", NULL },
	{ "كمك", HELP, "", 0, "k", NULL },
	{ "کمک می‌خواهم", HELP, "", 0, "", NULL },
	{ "کمک می خواهم خیابان آزادی", HELP, "خیابان آزادی", 0, "", NULL },
	{ "به کمک نیاز داریم", HELP, "", 0, "", NULL },
	{ "لطفا کمک کنید", HELP, "", 0, "", NULL },
	{ "لغو عضویت", STOP, "", 0, "", NULL },
	{ "لغو لطفاً", STOP, "لطفاً", 0, "", NULL },
	{ "توقف پیام‌ها", STOP, "پیام‌ها", 0, "", NULL },
	{ "توقف جنگ", UNKNOWN, NULL, 0, "", NULL },
	{ "شروع", START, "", 0, "", NULL },
	{ "بله", START, "", 0, "y", NULL },
	{ "کجا", WHERE, "", 0, "", NULL },
	{ "زبان فارسی", LANG, "فارسی", 0, "", "fa" },
	{ "زبان انگلیسی", LANG, "انگلیسی", 0, "", "en" },
};

static void flags_of(const struct keyword_reply *reply, char out[8])
{
	size_t len = 0;

	if (reply->reference_certain)
		out[len++] = 'c';
	if (reply->help_keyword_only)
		out[len++] = 'k';
	if (reply->bare_yes)
		out[len++] = 'y';
	if (reply->note_needs_reading)
		out[len++] = 'n';
	if (reply->urgent)
		out[len++] = 'u';
	out[len] = '\0';
}

static size_t check_row(const struct row *row, struct str preferred)
{
	struct keyword_reply reply;
	struct str text = str_from(row->text), rest = row->rest ? str_from(row->rest) : str_trim(text);
	char flags[8];

	keyword_parse(&arena, text, preferred, &reply);
	flags_of(&reply, flags);
	bool language = row->language == NULL ? str_is_none(reply.language)
	                                      : str_equal(reply.language, str_from(row->language));

	if (reply.keyword == row->keyword && str_equal(reply.rest, rest) && reply.reference == row->reference &&
	    strcmp(flags, row->flags) == 0 && language && (reply.said_in != NULL) == (row->keyword != UNKNOWN))
		return 0;
	print_message("[%s]\n  want %s rest [%.*s] reference %u flags [%s]\n  got  %s rest [%.*s] reference %u flags "
	              "[%s] language [%.*s]\n",
	              row->text, keyword_name(row->keyword), STR_ARG(rest), row->reference, row->flags,
	              keyword_name(reply.keyword), STR_ARG(reply.rest), reply.reference, flags,
	              STR_ARG(reply.language));
	return 1;
}

static void check_rows(const struct row *rows, size_t count)
{
	size_t wrong = 0;

	for (size_t i = 0; i < count; i++) {
		/* the preferred language changes nothing that matters */
		wrong += check_row(&rows[i], STR_NONE);
		wrong += check_row(&rows[i], S("fa-IR"));
		arena_clear(&arena);
	}
	assert_int_equal(wrong, 0);
}

static void test_english(void **state)
{
	(void)state;
	check_rows(english, COUNT_OF(english));
}

static void test_french(void **state)
{
	(void)state;
	check_rows(french, COUNT_OF(french));
}

static void test_arabic(void **state)
{
	(void)state;
	check_rows(arabic, COUNT_OF(arabic));
}

static void test_persian(void **state)
{
	(void)state;
	check_rows(persian, COUNT_OF(persian));
}

static void test_preferred_language(void **state)
{
	(void)state;
	struct keyword_reply reply;

	keyword_parse(&arena, S("توقف"), S("fa-IR"), &reply);
	assert_string_equal(reply.said_in, "fa");
	keyword_parse(&arena, S("توقف"), S("ar"), &reply);
	assert_string_equal(reply.said_in, "ar");
}

static void assert_normal(const char *text, const char *want)
{
	assert_string_equal(keyword_normalise(&arena, str_from(text)).ptr, want);
}

static void test_normalise(void **state)
{
	(void)state;
	assert_normal("  Ärger  ÉTÉ\t\nx ", "arger ete x");
	assert_normal("ＳＴＯＰ １２", "stop 12");
	assert_normal("۰۱۲۳۴۵۶۷۸۹ ٠١٢٣ ०१२ ๑๒ 𝟗", "0123456789 0123 012 12 9");
	assert_normal("مُسَاعَدَة", "مساعده");
	assert_normal("كـــمك", "كمك");
	assert_normal("کمک", "كمك");
	assert_normal("علی علي على", "علي علي علي");
	assert_normal("أإآٱا", "ااااا");
	assert_normal("می\u200Cخواهم", "ميخواهم");
	assert_normal("a\u200Bb\u200Ec\uFE0Fd\u2066e\u2069", "abcde");
	assert_normal("Straße", "strasse");
	assert_normal("ıİ", "ii");
	/* marks of other scripts are letters there: Hindi, Thai, and Cyrillic short i */
	assert_normal("हिन्दी", "हिन्दी");
	assert_normal("ไทยที่", "ไทยที่");
	assert_normal("Й", "й");
	assert_normal("\x01\x02 a\x7F"
	              "b",
	              "a b");
	assert_normal("\xFF", "\xEF\xBF\xBD");
	assert_normal("", "");
}

static void test_tables_are_folded(void **state)
{
	(void)state;
	static const char *const *const lists[] = { keyword_courtesies,   keyword_objects,     keyword_affirmations,
		                                    keyword_negations,    keyword_safe_cores,  keyword_unsafe,
		                                    keyword_reassurances, keyword_safe_others, keyword_second_looks };

	for (size_t i = 0; i < keyword_word_count; i++)
		assert_normal(keyword_words[i].words, keyword_words[i].words);
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		for (size_t j = 0; lists[i][j] != NULL; j++)
			assert_normal(lists[i][j], lists[i][j]);
	for (size_t i = 0; i < keyword_language_alias_count; i++)
		assert_normal(keyword_language_aliases[i].name, keyword_language_aliases[i].name);
}

/* Every entry alone means what its line says, and no two lines disagree. */
static void test_every_entry(void **state)
{
	(void)state;
	for (size_t i = 0; i < keyword_word_count; i++) {
		struct keyword_reply reply;

		keyword_parse(&arena, str_from(keyword_words[i].words), str_from(keyword_words[i].language), &reply);
		if (reply.keyword != keyword_words[i].keyword)
			print_message("[%s] is %s\n", keyword_words[i].words, keyword_name(reply.keyword));
		assert_int_equal(reply.keyword, keyword_words[i].keyword);
		arena_clear(&arena);
	}
}

/* None of these may ever count as safe or as a wish to stop. */
static void test_never(void **state)
{
	(void)state;
	static const char *const negated[] = {
		"not %s",        "no %s",    "%s? no",  "am i %s",          "is it %s",     "%s?",       "never %s",
		"%s not",        "pas %s",   "%s نیست", "غير %s",           "لست %s",       "nobody %s", "%s nicht",
		"salam %s nist", "%s değil", "не %s",   "we want to be %s", "%s NEED HELP", "نه %s",
	};
	static const char *const sentences[] = {
		"%s the fire", "they will %s us", "do not %s", "%s shooting at us please", "why %s", "%s hurting me",
	};

	for (size_t i = 0; i < keyword_word_count; i++) {
		const struct keyword_word *entry = &keyword_words[i];
		bool safe = entry->keyword == KEYWORD_SAFE, stop = entry->keyword == KEYWORD_STOP;

		for (size_t j = 0; j < (safe ? COUNT_OF(negated) : stop ? COUNT_OF(sentences) : 0); j++) {
			struct str form = str_from(safe ? negated[j] : sentences[j]);
			size_t at = str_find(form, S("%s"), 0);
			struct str text = str_format(&arena, "%.*s%s%.*s", (int)at, form.ptr, entry->words,
			                             (int)(form.len - at - 2), form.ptr + at + 2);
			struct keyword_reply reply;

			keyword_parse(&arena, text, STR_NONE, &reply);
			if (reply.keyword == entry->keyword)
				print_message("[%.*s] is %s\n", STR_ARG(text), keyword_name(reply.keyword));
			assert_int_not_equal(reply.keyword, entry->keyword);
		}
		arena_clear(&arena);
	}
}

static struct str repeat(struct str start, struct str unit, size_t count)
{
	char *out = arena_alloc(&arena, start.len + unit.len * count + 1);

	memcpy(out, start.ptr, start.len);
	for (size_t i = 0; i < count; i++)
		memcpy(out + start.len + i * unit.len, unit.ptr, unit.len);
	return (struct str){ out, start.len + unit.len * count };
}

static void test_long_texts(void **state)
{
	(void)state;
	struct keyword_reply reply;

	/* 10,000 characters: looked at as far as the limits, help is heard, safe is not believed unread */
	keyword_parse(&arena, repeat(S("HELP"), S(" abcd"), 2000), STR_NONE, &reply);
	assert_int_equal(reply.keyword, KEYWORD_HELP);
	assert_int_equal(reply.rest.len, 9999);
	keyword_parse(&arena, repeat(S("SAFE"), S(" abcd"), 2000), STR_NONE, &reply);
	assert_int_equal(reply.keyword, KEYWORD_UNKNOWN);
	keyword_parse(&arena, repeat(S("SAFE"), S(" abcd"), KEYWORD_WORDS_MAX - 1), STR_NONE, &reply);
	assert_int_equal(reply.keyword, KEYWORD_SAFE);
	keyword_parse(&arena, repeat(S("SAFE"), S(" abcd"), KEYWORD_WORDS_MAX), STR_NONE, &reply);
	assert_int_equal(reply.keyword, KEYWORD_UNKNOWN);
	keyword_parse(&arena, repeat(S("STOP "), S("\xE2\x80\x8B"), 10000), STR_NONE, &reply);
	assert_int_equal(reply.keyword, KEYWORD_UNKNOWN);
	keyword_parse(&arena, repeat(S("SAFE "), S("."), KEYWORD_TEXT_MAX - 5), STR_NONE, &reply);
	assert_int_equal(reply.keyword, KEYWORD_SAFE);
	keyword_parse(&arena, repeat(S("SAFE "), S("."), KEYWORD_TEXT_MAX - 4), STR_NONE, &reply);
	assert_int_equal(reply.keyword, KEYWORD_UNKNOWN);
	keyword_parse(&arena, repeat(S(""), S("a"), 1000000), STR_NONE, &reply);
	assert_int_equal(reply.keyword, KEYWORD_UNKNOWN);
	/* the character with the longest compatibility form, many times */
	keyword_parse(&arena, repeat(S(""), S("\xEF\xB7\xBA"), 5000), STR_NONE, &reply);
	assert_int_equal(reply.keyword, KEYWORD_UNKNOWN);
}

static void test_hostile_bytes(void **state)
{
	(void)state;
	static const struct {
		struct str text;
		enum keyword keyword;
	} rows[] = {
		{ { "SAFE\0not", 8 }, KEYWORD_UNKNOWN },
		{ { "\xFF\xFE", 2 }, KEYWORD_UNKNOWN },
		{ { "SAFE\xFF", 5 }, KEYWORD_SAFE },
		{ { "\xC0\xAFSTOP", 6 }, KEYWORD_STOP },
		{ { "\xED\xA0\x80", 3 }, KEYWORD_UNKNOWN },
		{ { "SA\xFF"
		    "FE",
		    5 },
		  KEYWORD_UNKNOWN },
		{ { "\xF4\x90\x80\x80 help", 9 }, KEYWORD_HELP },
		{ { "stop\xE2\x80", 6 }, KEYWORD_STOP },
		{ { NULL, 0 }, KEYWORD_UNKNOWN },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct keyword_reply reply;

		keyword_parse(&arena, rows[i].text, STR_NONE, &reply);
		assert_int_equal(reply.keyword, rows[i].keyword);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_normalise),     cmocka_unit_test(test_tables_are_folded),
		cmocka_unit_test(test_every_entry),   cmocka_unit_test(test_english),
		cmocka_unit_test(test_french),        cmocka_unit_test(test_arabic),
		cmocka_unit_test(test_persian),       cmocka_unit_test(test_preferred_language),
		cmocka_unit_test(test_never),         cmocka_unit_test(test_long_texts),
		cmocka_unit_test(test_hostile_bytes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
