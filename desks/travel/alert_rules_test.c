/* The rules of who gets what, without a store: every combination of what a person was and is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "desks/travel/alert.h"
#include "kernel/text/keyword.h"
#include "travel_sql.h"

#define MAIL CHANNEL_BIT(CHANNEL_MAIL)
#define SMS CHANNEL_BIT(CHANNEL_SMS)
#define ALL (MAIL | SMS)

/* What must hold of a step whatever it is. */
static void check_step(enum alert_type type, bool inside, uint8_t channels, struct alert_standing before,
                       struct alert_step step)
{
	const bool ends = type == ALERT_CANCEL || type == ALERT_CLEAR;
	const bool counted = before.targeted || step.joins;

	assert_false(step.releases && step.readmits);
	assert_false(step.joins && before.targeted);
	if (step.channels)
		assert_int_not_equal(step.group, GROUP_NONE);
	if (counted) {
		assert_in_range(step.class, COUNTER_SAFE, COUNTER_UNREACHABLE);
	} else {
		assert_int_equal(step.group, GROUP_NONE);
	}
	/* An answer stands, whatever is sent. */
	if (before.targeted && (before.class == COUNTER_SAFE || before.class == COUNTER_HELP))
		assert_int_equal(step.class, before.class);
	if (ends) {
		assert_false(step.joins || step.releases || step.readmits);
		assert_true(step.group == GROUP_NONE ||
		            (step.group == GROUP_RELEASED && before.told && before.targeted && !before.released));
	} else if (inside) {
		assert_true(before.targeted != step.joins);
		assert_int_equal(step.readmits, before.released);
		assert_false(step.releases);
		const bool knows = before.told && !before.released;
		assert_int_equal(step.group == GROUP_CHANGED || step.group == GROUP_CHANGED_POSSIBLE, knows);
		assert_int_equal(step.channels, channels);
	} else {
		assert_int_equal(step.releases, before.targeted && !before.released);
		assert_true(step.group == GROUP_NONE ||
		            (step.group == GROUP_RELEASED && before.told && !before.released));
	}
}

static void every_combination(void **state)
{
	(void)state;
	size_t tried = 0;

	for (enum alert_type type = ALERT_NEW; type < ALERT_TYPE_COUNT; type++)
		for (unsigned bits = 0; bits < 64; bits++)
			for (uint8_t class = COUNTER_SAFE; class <= COUNTER_UNREACHABLE; class ++)
				for (uint8_t channels = 0; channels <= ALL; channels = (uint8_t)(channels + 2))
					for (uint8_t told = 0; told <= ALL; told = (uint8_t)(told + 2)) {
						const bool inside = bits & 1, certain = bits & 2;
						struct alert_standing before = { .targeted = bits & 4,
							                         .told = bits & 8 && told,
							                         .released = bits & 16,
							                         .class = class,
							                         .told_channels = told };
						if (!before.targeted && (before.told || before.released))
							continue; /* cannot be */
						if (!before.told)
							before.told_channels = 0;
						check_step(type, inside, channels, before,
						           alert_step(type, inside, certain, channels, ALL, before));
						tried++;
					}
	assert_true(tried > 5000);
}

struct step_case {
	const char *what;
	enum alert_type type;
	bool inside, certain;
	uint8_t channels, ticked;
	struct alert_standing before;
	struct alert_step wanted;
};

static void cases_by_hand(void **state)
{
	(void)state;
	static const struct step_case cases[] = {
		{ "first version",
		  ALERT_NEW,
		  true,
		  true,
		  ALL,
		  ALL,
		  { 0 },
		  { .group = GROUP_NEW, .joins = true, .class = 3, .channels = ALL } },
		{ "first version, only possible",
		  ALERT_NEW,
		  true,
		  false,
		  MAIL,
		  ALL,
		  { 0 },
		  { .group = GROUP_NEW_POSSIBLE, .joins = true, .class = 3, .channels = MAIL } },
		{ "nobody reachable",
		  ALERT_NEW,
		  true,
		  true,
		  0,
		  ALL,
		  { 0 },
		  { .group = GROUP_NEW, .joins = true, .class = 4 } },
		{ "outside", ALERT_NEW, false, false, 0, ALL, { 0 }, { .group = GROUP_NONE } },
		{ "still inside",
		  ALERT_UPDATE,
		  true,
		  true,
		  ALL,
		  ALL,
		  { .targeted = true, .told = true, .class = 3, .told_channels = MAIL },
		  { .group = GROUP_CHANGED, .class = 3, .channels = ALL } },
		{ "still inside, safe",
		  ALERT_UPDATE,
		  true,
		  true,
		  ALL,
		  ALL,
		  { .targeted = true, .told = true, .class = 1, .told_channels = MAIL },
		  { .group = GROUP_CHANGED, .class = 1, .channels = ALL } },
		{ "still inside, not told yet",
		  ALERT_UPDATE,
		  true,
		  true,
		  ALL,
		  ALL,
		  { .targeted = true, .class = 3 },
		  { .group = GROUP_NEW, .class = 3, .channels = ALL } },
		{ "released and back",
		  ALERT_UPDATE,
		  true,
		  true,
		  ALL,
		  ALL,
		  { .targeted = true, .told = true, .released = true, .class = 3, .told_channels = ALL },
		  { .group = GROUP_NEW, .readmits = true, .class = 3, .channels = ALL } },
		{ "unreachable, and now a channel",
		  ALERT_UPDATE,
		  true,
		  true,
		  SMS,
		  ALL,
		  { .targeted = true, .class = 4 },
		  { .group = GROUP_NEW, .class = 3, .channels = SMS } },
		{ "no channel any more, never told",
		  ALERT_UPDATE,
		  true,
		  true,
		  0,
		  ALL,
		  { .targeted = true, .class = 3 },
		  { .group = GROUP_NEW, .class = 4 } },
		{ "left the area",
		  ALERT_UPDATE,
		  false,
		  false,
		  0,
		  ALL,
		  { .targeted = true, .told = true, .class = 2, .told_channels = MAIL },
		  { .group = GROUP_RELEASED, .releases = true, .class = 2, .channels = MAIL } },
		{ "left the area, never told",
		  ALERT_UPDATE,
		  false,
		  false,
		  0,
		  ALL,
		  { .targeted = true, .class = 3 },
		  { .group = GROUP_NONE, .releases = true, .class = 3 } },
		{ "left the area, the way is not ticked",
		  ALERT_UPDATE,
		  false,
		  false,
		  0,
		  MAIL,
		  { .targeted = true, .told = true, .class = 3, .told_channels = SMS },
		  { .group = GROUP_NONE, .releases = true, .class = 3 } },
		{ "left before",
		  ALERT_UPDATE,
		  false,
		  false,
		  0,
		  ALL,
		  { .targeted = true, .told = true, .released = true, .class = 3, .told_channels = ALL },
		  { .group = GROUP_NONE, .class = 3 } },
		{ "cancel",
		  ALERT_CANCEL,
		  true,
		  true,
		  ALL,
		  ALL,
		  { .targeted = true, .told = true, .class = 3, .told_channels = SMS },
		  { .group = GROUP_RELEASED, .class = 3, .channels = SMS } },
		{ "cancel, never told",
		  ALERT_CANCEL,
		  true,
		  true,
		  ALL,
		  ALL,
		  { .targeted = true, .class = 3 },
		  { .group = GROUP_NONE, .class = 3 } },
		{ "cancel, released before",
		  ALERT_CANCEL,
		  false,
		  false,
		  0,
		  ALL,
		  { .targeted = true, .told = true, .released = true, .class = 1, .told_channels = ALL },
		  { .group = GROUP_NONE, .class = 1 } },
		{ "all clear",
		  ALERT_CLEAR,
		  true,
		  true,
		  ALL,
		  ALL,
		  { .targeted = true, .told = true, .class = 2, .told_channels = ALL },
		  { .group = GROUP_RELEASED, .class = 2, .channels = ALL } },
		{ "all clear to a stranger", ALERT_CLEAR, true, true, ALL, ALL, { 0 }, { .group = GROUP_NONE } },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct step_case *one = &cases[i];
		const struct alert_step got =
			alert_step(one->type, one->inside, one->certain, one->channels, one->ticked, one->before);
		if (got.group != one->wanted.group || got.joins != one->wanted.joins ||
		    got.releases != one->wanted.releases || got.readmits != one->wanted.readmits ||
		    got.class != one->wanted.class || got.channels != one->wanted.channels)
			fail_msg("%s: group %d joins %d releases %d readmits %d class %d channels %d", one->what,
			         got.group, got.joins, got.releases, got.readmits, got.class, got.channels);
	}
}

/* --- the plan adds up
 * --------------------------------------------------------------------------------------------- */

static uint64_t seed = 88172645463325252ULL;

static unsigned dice(unsigned sides)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed % sides);
}

/* Random worlds through random chains of versions: the counters, moved by the plan alone, equal a count of
 * everybody. */
static void plans_add_up(void **state)
{
	(void)state;
	enum { PEOPLE = 200, VERSIONS = 6, WORLDS = 60 };

	for (size_t world = 0; world < WORLDS; world++) {
		struct arena arena;
		arena_init(&arena);
		struct alert_standings standings = { .of = ARENA_NEW_ARRAY(&arena, struct alert_standing, PEOPLE),
			                             .size = PEOPLE };
		struct alert_counters counters = { { 0 } };
		for (size_t number = 1; number <= VERSIONS; number++) {
			const enum alert_type type = number == 1          ? ALERT_NEW
			                             : number == VERSIONS ? (dice(2) ? ALERT_CANCEL : ALERT_CLEAR)
			                                                  : ALERT_UPDATE;
			const struct alert_version version = {
				.type = type, .number = (int64_t)number, .channels = ALL, .expires = 1000
			};
			struct alert_audience audience = { .hits = ARENA_NEW_ARRAY(&arena, struct alert_hit, PEOPLE) };
			struct alert_plan plan;
			for (int64_t person = 0; person < PEOPLE; person++)
				if (dice(3))
					audience.hits[audience.count++] =
						(struct alert_hit){ .person_id = person,
						                    .certain = dice(4) > 0,
						                    .channels = (uint8_t)(dice(4) * 2) };
			alert_plan_make(&arena, &version, &audience, &standings, 10, &plan);
			for (size_t i = 0; i < COUNTER_COUNT; i++)
				counters.of[i] += plan.change.of[i];
			/* What the store would have after it. */
			for (size_t i = 0; i < plan.row_count; i++) {
				struct alert_standing *one = &standings.of[plan.rows[i].person_id];
				one->class = (uint8_t)plan.rows[i].class;
				one->released = plan.rows[i].released != 0;
				if (!one->targeted)
					standings.targeted++;
				one->targeted = true;
			}
			for (size_t i = 0; i < plan.count; i++) {
				struct alert_standing *one = &standings.of[plan.people[i].person_id];
				if (i)
					assert_true(plan.people[i - 1].person_id < plan.people[i].person_id);
				if (!one->targeted) {
					one->class = COUNTER_SILENT;
					standings.targeted++;
				}
				one->targeted = true;
				if (plan.people[i].channels && dice(3) && plan.people[i].text_group != GROUP_RELEASED) {
					one->told = true;
					one->told_channels = plan.people[i].channels;
				}
				if (dice(5) == 0 && one->class == COUNTER_SILENT) { /* someone answers */
					counters.of[COUNTER_SILENT]--;
					counters.of[COUNTER_SAFE]++;
					counters.of[COUNTER_RELEASED + COUNTER_SILENT] -= one->released;
					counters.of[COUNTER_RELEASED + COUNTER_SAFE] += one->released;
					one->class = COUNTER_SAFE;
				}
			}
			struct alert_counters found = { { 0 } };
			for (size_t person = 0; person < PEOPLE; person++) {
				const struct alert_standing *one = &standings.of[person];
				if (!one->targeted)
					continue;
				found.of[COUNTER_TARGETED]++;
				found.of[one->class]++;
				found.of[COUNTER_RELEASED + one->class] += one->released;
			}
			for (size_t i = 0; i < COUNTER_COUNT; i++)
				assert_int_equal(counters.of[i], found.of[i]);
		}
		arena_release(&arena);
	}
}

/* --- when --------------------------------------------------------------------------------------------------------- */

static int64_t at(const char *text)
{
	int64_t out = 0;

	assert_true(clock_parse(str_from(text), &out));
	return out;
}

static void morning_is_waited_for(void **state)
{
	(void)state;
	const struct zone *tehran = zone_find(S("Asia/Tehran")); /* +03:30 */
	struct alert_version version = { .severity = SEVERITY_MINOR, .expires = at("2026-12-01T00:00:00Z") };
	struct leg_match match = { .kind = LEG_POINT };
	struct alert_hit hit = { 0 };

	assert_non_null(tehran);
	/* 23:30 there. */
	int64_t now = at("2026-11-24T20:00:00Z");
	match.from = leg_minutes_from(at("2026-11-20T00:00:00Z"));
	hit_times(&version, &match, tehran, now, &hit);
	assert_true(hit.asleep && !hit.later);
	assert_int_equal(hit.not_before[CHANNEL_MAIL], 0);
	assert_int_equal(hit.not_before[CHANNEL_SMS], at("2026-11-25T03:30:00Z"));
	/* At the edges: 22:00 waits, 21:59 and 07:00 do not. */
	hit_times(&version, &match, tehran, at("2026-11-24T18:30:00Z"), &hit);
	assert_int_equal(hit.not_before[CHANNEL_SMS], at("2026-11-25T03:30:00Z"));
	hit_times(&version, &match, tehran, at("2026-11-24T18:29:59Z"), &hit);
	assert_int_equal(hit.not_before[CHANNEL_SMS], 0);
	hit_times(&version, &match, tehran, at("2026-11-25T03:30:00Z"), &hit);
	assert_int_equal(hit.not_before[CHANNEL_SMS], 0);
	/* Unless it is severe, or told otherwise. */
	version.severity = SEVERITY_SEVERE;
	hit_times(&version, &match, tehran, now, &hit);
	assert_int_equal(hit.not_before[CHANNEL_SMS], 0);
	version.severity = SEVERITY_MODERATE;
	version.sms_at_night = true;
	hit_times(&version, &match, tehran, now, &hit);
	assert_int_equal(hit.not_before[CHANNEL_SMS], 0);
	/* Who arrives at midnight is mailed then, and texted in the morning. */
	version.sms_at_night = false;
	match.from = leg_minutes_from(at("2026-11-26T20:30:00Z"));
	hit_times(&version, &match, tehran, now, &hit);
	assert_true(hit.later && !hit.asleep);
	assert_int_equal(hit.not_before[CHANNEL_MAIL], at("2026-11-26T20:30:00Z"));
	assert_int_equal(hit.not_before[CHANNEL_SMS], at("2026-11-27T03:30:00Z"));
	/* Who follows a country is there already, wherever that is. */
	match.kind = LEG_WATCH_COUNTRY;
	match.from = 0;
	hit_times(&version, &match, tehran, at("2026-11-24T12:00:00Z"), &hit);
	assert_false(hit.later);
	assert_int_equal(hit.not_before[CHANNEL_SMS], 0);
}

static void local_times(void **state)
{
	(void)state;
	struct arena arena;
	int64_t got = 0;

	arena_init(&arena);
	const int64_t day = date_to_days(2026, 3, 29); /* clocks go forward in Paris at 02:00 */
	assert_true(local_time(&arena, S("Europe/Paris"), day, S("01:59"), &got));
	assert_int_equal(got, at("2026-03-29T00:59:00Z"));
	assert_true(local_time(&arena, S("Europe/Paris"), day, S("03:00"), &got));
	assert_int_equal(got, at("2026-03-29T01:00:00Z"));
	assert_true(local_time(&arena, S("Asia/Tehran"), date_to_days(2026, 11, 24), S("۱۸:۳۰"), &got));
	assert_int_equal(got, at("2026-11-24T15:00:00Z"));
	assert_true(local_time(&arena, S("UTC"), 0, S("7"), &got));
	assert_int_equal(got, 7 * CLOCK_HOUR);
	static const char *const wrong[] = { "24:00", "12:60", "12:5", "noon", "", "-1:00", "12:00:00" };
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_false(local_time(&arena, S("UTC"), 0, str_from(wrong[i]), &got));
	assert_false(local_time(&arena, S("Mars/Olympus"), 0, S("12:00"), &got));
	arena_release(&arena);
}

/* --- words -------------------------------------------------------------------------------------------------------- */

/* What a message tells people to answer must be an answer. */
static void said_words_are_understood(void **state)
{
	(void)state;
	static const char *const safe[] = { "SAFE 47", "SAFE 47", "بأمان 47", "سالمم 47" };
	static const char *const help[] = { "HELP 47", "AIDE 47", "مساعدة 47", "کمک 47" };
	struct arena arena;

	arena_init(&arena);
	for (size_t i = 0; i < LANGUAGE_COUNT; i++) {
		const struct str said = T(&arena, (enum language)i, MSG_alert_sms_answer, MSG_S("number", S("47")),
		                          MSG_S("url", S("U")));
		struct keyword_reply reply;
		assert_true(str_find(said, str_from(safe[i]), 0) != SIZE_MAX);
		assert_true(str_find(said, str_from(help[i]), 0) != SIZE_MAX);
		keyword_parse(&arena, str_from(safe[i]), str_from(languages[i].tag), &reply);
		assert_int_equal(reply.keyword, KEYWORD_SAFE);
		assert_int_equal(reply.reference, 47);
		keyword_parse(&arena, str_from(help[i]), str_from(languages[i].tag), &reply);
		assert_int_equal(reply.keyword, KEYWORD_HELP);
		assert_int_equal(reply.reference, 47);
	}
	arena_release(&arena);
}

static void words_fall_back_and_say_so(void **state)
{
	(void)state;
	struct alert_text texts[] = {
		{ .group = 1,
		  .language = LANGUAGE_EN,
		  .headline = S("Storm"),
		  .description = S("D"),
		  .instruction = S("Stay in"),
		  .sms = S("") },
		{ .group = 1,
		  .language = LANGUAGE_AR,
		  .headline = S("عاصفة"),
		  .description = S(""),
		  .instruction = S("ابقوا في الداخل"),
		  .sms = S("نص") },
		{ .group = 3,
		  .language = LANGUAGE_EN,
		  .headline = S("Over"),
		  .description = S(""),
		  .instruction = S("Go out"),
		  .sms = S("") },
	};
	struct alert_version version = { .type = ALERT_UPDATE,
		                         .language = LANGUAGE_EN,
		                         .texts = texts,
		                         .text_count = 3,
		                         .area_description = S("A"),
		                         .zone = S("UTC"),
		                         .expires = 1 };
	struct arena arena;
	bool fell_back;

	arena_init(&arena);
	assert_true(str_equal(alert_words(&arena, &version, GROUP_NEW, LANGUAGE_AR, &fell_back).headline, S("عاصفة")));
	assert_false(fell_back);
	assert_true(str_equal(alert_words(&arena, &version, GROUP_NEW, LANGUAGE_FA, &fell_back).headline, S("Storm")));
	assert_true(fell_back);
	/* No text of 'changed': the first one with a word before it, the SMS too. */
	struct alert_text words = alert_words(&arena, &version, GROUP_CHANGED, LANGUAGE_AR, &fell_back);
	assert_true(str_equal(words.headline, S("تحديث: عاصفة")));
	assert_true(str_equal(words.sms, S("تحديث: نص")));
	assert_false(fell_back);
	/* A text of their own in English; in Arabic the standing one, which is better than another language. */
	assert_true(
		str_equal(alert_words(&arena, &version, GROUP_RELEASED, LANGUAGE_EN, &fell_back).headline, S("Over")));
	words = alert_words(&arena, &version, GROUP_RELEASED, LANGUAGE_AR, &fell_back);
	assert_true(str_equal(words.headline, S("لم يعد يخصّك: عاصفة")));
	assert_int_equal(words.sms.len, 0);
	assert_true(
		str_equal(alert_words(&arena, &version, GROUP_RELEASED, LANGUAGE_FR, &fell_back).headline, S("Over")));
	assert_true(fell_back);
	version.type = ALERT_CLEAR;
	version.text_count = 2;
	assert_true(str_equal(alert_words(&arena, &version, GROUP_RELEASED, LANGUAGE_EN, &fell_back).headline,
	                      S("All clear: Storm")));
	arena_release(&arena);
}

static void short_messages(void **state)
{
	(void)state;
	struct alert_text texts[] = {
		{ .group = 1,
		  .language = LANGUAGE_EN,
		  .headline = S("Storm in Sfax"),
		  .description = S("Long."),
		  .instruction = S("Stay inside!"),
		  .sms = S("") },
	};
	const struct alert_version version = {
		.type = ALERT_NEW, .language = LANGUAGE_EN, .texts = texts, .text_count = 1, .zone = S("UTC")
	};
	struct alert alert = { .number = 12 };
	struct alert_rendering rendering = { .alert = &alert,
		                             .version = &version,
		                             .group = GROUP_NEW,
		                             .wanted = LANGUAGE_EN,
		                             .answer_url = S("https://x/a/1"),
		                             .manage_url = S("https://x/my/1") };
	struct message_draft draft;
	struct arena arena;

	arena_init(&arena);
	alert_render_sms(&arena, &rendering, &draft);
	assert_string_equal(draft.text.ptr, "Storm in Sfax. Stay inside! Reply SAFE 12 or HELP 12, or https://x/a/1");
	alert.exercise = true;
	rendering.group = GROUP_NEW_POSSIBLE;
	alert_render_sms(&arena, &rendering, &draft);
	assert_string_equal(
		draft.text.ptr,
		"EXERCISE: Storm in Sfax. Stay inside! (If you are near.) Reply SAFE 12 or HELP 12, or https://x/a/1");
	alert.exercise = false;
	texts[0].sms = S("Stay in");
	rendering.group = GROUP_CHANGED;
	alert_render_sms(&arena, &rendering, &draft);
	assert_string_equal(draft.text.ptr, "Update: Stay in. Reply SAFE 12 or HELP 12, or https://x/a/1");
	/* Who is released is not asked. */
	rendering.group = GROUP_RELEASED;
	alert_render_sms(&arena, &rendering, &draft);
	assert_true(str_starts(draft.text, S("No longer for you: Storm in Sfax. The area")));
	assert_true(str_find(draft.text, S("SAFE"), 0) == SIZE_MAX);
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination),
		cmocka_unit_test(cases_by_hand),
		cmocka_unit_test(plans_add_up),
		cmocka_unit_test(morning_is_waited_for),
		cmocka_unit_test(local_times),
		cmocka_unit_test(said_words_are_understood),
		cmocka_unit_test(words_fall_back_and_say_so),
		cmocka_unit_test(short_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
