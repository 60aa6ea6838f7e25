/* The demo's alerts: yesterday's, sent, answered and cleared through the same roads as any other, with the clock set back meanwhile; and
 * one that is in force. */
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/demo.h"
#include "core/messages/messages.h"
#include "desks/travel/travel.h"

#define PATIENCE (60 * CLOCK_SECOND) /* for messages to be delivered, on a slow machine */
#define STILL CLOCK_SECOND           /* nothing moved for so long: all that may leave has left */
#define LOOK_EVERY 100000            /* microseconds */

static const char storm[] =
	"{\"kind\":\"weather\",\"severity\":\"Severe\",\"urgency\":\"Immediate\",\"certainty\":\"Observed\","
	"\"circles\":[{\"lat\":38.717,\"lon\":-9.133,\"km\":40}],\"hours\":72,\"zone\":\"Europe/Lisbon\",\"channels\":[\"mail\",\"sms\"],\"language\":\"en\",\"texts\":{"
	"\"en\":{\"headline\":\"Storm over Lisbon\",\"description\":\"Winds of up to 130 km/h and flooded streets in and around Lisbon until tomorrow.\","
	"\"instruction\":\"Stay inside, away from windows and from the river.\"},"
	"\"fr\":{\"headline\":\"Tempête sur Lisbonne\",\"description\":\"Vents jusqu’à 130 km/h et rues inondées à Lisbonne et alentour jusqu’à demain.\","
	"\"instruction\":\"Restez à l’intérieur, loin des fenêtres et du fleuve.\"},"
	"\"ar\":{\"headline\":\"عاصفة في لشبونة\",\"description\":\"رياح تصل سرعتها إلى 130 كم/س وشوارع غمرتها المياه في لشبونة وما حولها حتى الغد.\","
	"\"instruction\":\"ابقوا في الداخل بعيدًا عن النوافذ وعن النهر.\"},"
	"\"fa\":{\"headline\":\"توفان در لیسبون\",\"description\":\"باد تا ۱۳۰ کیلومتر در ساعت و آب‌گرفتگی خیابان‌ها در لیسبون و پیرامون آن تا فردا.\","
	"\"instruction\":\"در خانه بمانید و از پنجره‌ها و رودخانه دور باشید.\"}}}";

static const char heat[] =
	"{\"kind\":\"health\",\"severity\":\"Moderate\",\"urgency\":\"Expected\",\"certainty\":\"Likely\","
	"\"circles\":[{\"lat\":37.984,\"lon\":23.728,\"km\":60}],\"hours\":72,\"zone\":\"Europe/Athens\",\"channels\":[\"mail\"],\"language\":\"en\",\"texts\":{"
	"\"en\":{\"headline\":\"Bad air in Athens\",\"description\":\"Smoke and dust are expected in and around Athens for three days.\","
	"\"instruction\":\"Those with weak lungs or hearts should stay inside and keep windows shut.\"},"
	"\"fr\":{\"headline\":\"Air pollué à Athènes\",\"description\":\"Fumées et poussières sont attendues à Athènes et alentour pendant trois jours.\","
	"\"instruction\":\"Les personnes fragiles des poumons ou du cœur restent à l’intérieur, fenêtres fermées.\"},"
	"\"ar\":{\"headline\":\"هواء ملوّث في أثينا\",\"description\":\"يُتوقع انتشار الدخان والغبار في أثينا وما حولها لمدة ثلاثة أيام.\","
	"\"instruction\":\"على مرضى الرئة والقلب البقاء في الداخل وإغلاق النوافذ.\"},"
	"\"fa\":{\"headline\":\"هوای آلوده در آتن\",\"description\":\"تا سه روز دود و غبار در آتن و پیرامون آن پیش‌بینی می‌شود.\","
	"\"instruction\":\"بیماران ریوی و قلبی در خانه بمانند و پنجره‌ها را ببندند.\"}}}";

static const char all_clear[] =
	"{\"texts\":{"
	"\"en\":{\"headline\":\"All clear in Lisbon\",\"description\":\"The storm has passed.\",\"instruction\":\"Mind fallen branches and closed roads.\"},"
	"\"fr\":{\"headline\":\"Fin d’alerte à Lisbonne\",\"description\":\"La tempête est passée.\",\"instruction\":\"Attention aux branches tombées et aux routes fermées.\"},"
	"\"ar\":{\"headline\":\"زوال الخطر في لشبونة\",\"description\":\"مرّت العاصفة.\",\"instruction\":\"انتبهوا إلى الأغصان المتساقطة والطرق المغلقة.\"},"
	"\"fa\":{\"headline\":\"رفع خطر در لیسبون\",\"description\":\"توفان گذشت.\",\"instruction\":\"مراقب شاخه‌های افتاده و راه‌های بسته باشید.\"}}}";

/* What people wrote, by the language their message came in. */
static const struct {
	const char *safe[2], *help[2], *free;
} answers[LANGUAGE_COUNT] = {
	[LANGUAGE_EN] = { { "SAFE", "Safe, we are at the hotel" }, { "HELP water in the house, two children", "HELP" }, "Who are you?" },
	[LANGUAGE_FR] = { { "SAUF", "Nous sommes en sécurité, chez des amis" }, { "AIDE bloqués à la gare", "AIDE" }, "C’est qui ?" },
	[LANGUAGE_AR] = { { "سالم", "سالم في الفندق" }, { "نجدة الماء في البيت", "نجدة" }, "من أنتم؟" },
	[LANGUAGE_FA] = { { "سالم", "سالم در هتل" }, { "کمک در ایستگاه مانده‌ایم", "کمک" }, "شما که هستید؟" },
};

static enum language
language_of(struct str text)
{
	if (str_find(text, S("لیسبون"), 0) != SIZE_MAX)
		return LANGUAGE_FA;
	if (str_find(text, S("لشبونة"), 0) != SIZE_MAX)
		return LANGUAGE_AR;
	return str_find(text, S("Lisbonne"), 0) != SIZE_MAX ? LANGUAGE_FR : LANGUAGE_EN;
}

/* The number at PATH (two keys) of what alert_show_json says; -1 if it cannot be told. */
static int64_t
sum_of(struct house *house, struct str alert, const char *group, const char *channel, const char *name)
{
	struct arena arena;
	struct str text;
	int64_t sum = -1;

	arena_init(&arena);
	json_t *json = alert_show_json(house, &arena, alert, &text, NULL) == OK ? json_loadb(text.ptr, text.len, 0, NULL) : NULL;
	json_t *object = json_object_get(json, group);
	json_t *number = json_object_get(channel ? json_object_get(object, channel) : object, name);
	if (json_is_integer(number))
		sum = json_integer_value(number);
	json_decref(json);
	arena_release(&arena);
	return sum;
}

/* Messages of the alert that have not left, those marked for hand-over among them counted at `*marked`. */
static int64_t
waiting_of(struct house *house, struct str alert, int64_t *marked)
{
	*marked = sum_of(house, alert, "messages", "mail", "submitted") + sum_of(house, alert, "messages", "sms", "submitted");
	return sum_of(house, alert, "messages", "mail", "queued") + sum_of(house, alert, "messages", "sms", "queued");
}

/* Until nothing moves any more: some messages wait for an arrival day. */
static enum rc
wait_all_out(struct house *house, struct str alert, struct err *err)
{
	const int64_t until = clock_monotonic() + PATIENCE;
	int64_t marked, before = -1, since = clock_monotonic();

	while (clock_monotonic() < until) {
		const int64_t waiting = waiting_of(house, alert, &marked);
		const int64_t now = clock_monotonic();
		if (waiting != before || marked != 0)
			since = now;
		before = waiting;
		if (now - since > STILL)
			return OK;
		usleep(LOOK_EVERY);
	}
	return err_set(err, FAILED, "the demo's messages did not leave in a minute");
}

/* Moves the program's clock to `ago` microseconds before now. */
static void
set_back(struct house *house, int64_t ago)
{
	clock_set_offset(-ago);
	job_wake(house);
	messages_wake(house);
}

static enum rc
send_new(struct house *house, struct arena *arena, const char *json, struct str *id_out, struct err *err)
{
	int64_t people = 0;

	enum rc rc = alert_create_json(house, arena, str_from(json), clock_now(), id_out, err);
	return rc == OK ? alert_send_command(house, arena, *id_out, clock_now(), &people, err) : rc;
}

/* What the phone at `number` (of all, in the simulator's order) writes; NULL: it does not answer. */
static const char *
answer_of(size_t number, enum language language)
{
	const size_t draw = number * 37 % 100;

	if (draw < 60)
		return answers[language].safe[number % 2];
	if (draw < 68)
		return answers[language].help[number % 2];
	return draw < 71 ? answers[language].free : NULL;
}

static enum rc
phone_answer(const struct simulator_child *simulator, const char *phone, size_t number, bool *said_out, struct err *err)
{
	char path[128];
	json_t *box = NULL, *done = NULL;

	snprintf(path, sizeof path, "/phones/%s", phone);
	enum rc rc = simulator_ask(simulator, path, NULL, &box, err);
	if (rc != OK)
		return rc;
	const char *text = json_string_value(json_object_get(json_array_get(json_object_get(box, "messages"), 0), "text"));
	const char *answer = answer_of(number, language_of(str_from(text ? text : "")));
	*said_out = answer && answer != answers[language_of(str_from(text ? text : ""))].free;
	if (answer) {
		json_t *body = json_pack("{ss}", "text", answer);
		snprintf(path, sizeof path, "/phones/%s/send", phone);
		rc = simulator_ask(simulator, path, body, &done, err);
		json_decref(body);
		json_decref(done);
	}
	json_decref(box);
	return rc;
}

static enum rc
phones_answer(struct house *house, const struct simulator_child *simulator, struct str alert, struct err *err)
{
	json_t *phones = NULL;
	int64_t expected = 0;

	enum rc rc = simulator_ask(simulator, "/phones", NULL, &phones, err);
	for (size_t i = 0; rc == OK && i < json_array_size(phones); i++) {
		const char *phone = json_string_value(json_object_get(json_array_get(phones, i), "number"));
		bool said = false;
		rc = phone ? phone_answer(simulator, phone, i, &said, err) : OK;
		expected += said;
	}
	json_decref(phones);
	/* Two may share a word that is read otherwise than meant: what the board does not count stands in the inbox, so do not insist. */
	const int64_t until = clock_monotonic() + PATIENCE / 6;
	while (rc == OK && clock_monotonic() < until && sum_of(house, alert, "people", NULL, "safe") + sum_of(house, alert, "people", NULL, "help") < expected)
		usleep(LOOK_EVERY);
	return rc;
}

enum rc
demo_yesterday(struct house *house, const struct simulator_child *simulator, struct arena *arena, struct err *err)
{
	int64_t people;
	struct str id;

	set_back(house, 26 * CLOCK_HOUR);
	enum rc rc = send_new(house, arena, storm, &id, err);
	if (rc == OK)
		rc = wait_all_out(house, id, err);
	set_back(house, 25 * CLOCK_HOUR);
	if (rc == OK)
		rc = phones_answer(house, simulator, id, err);
	set_back(house, 20 * CLOCK_HOUR);
	if (rc == OK)
		rc = alert_next_json(house, arena, id, S("clear"), str_from(all_clear), clock_now(), err);
	if (rc == OK)
		rc = alert_send_command(house, arena, id, clock_now(), &people, err);
	if (rc == OK)
		rc = wait_all_out(house, id, err);
	set_back(house, 0);
	return rc;
}

enum rc
demo_today(struct house *house, const struct simulator_child *simulator, struct arena *arena, struct err *err)
{
	struct str id;

	(void)simulator;
	enum rc rc = send_new(house, arena, heat, &id, err);
	return rc == OK ? wait_all_out(house, id, err) : rc;
}
