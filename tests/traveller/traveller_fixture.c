#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/traveller/traveller_fixture.h"

#include "core/messages/messages.h"

static const struct desk *const desks[] = { &house_desk, &http_desk, &people_desk, &messages_desk, &travel_desk };

struct places *traveller_places(void)
{
	static struct places *places;
	static struct arena arena;
	struct err err;

	if (!places) {
		const char *build = getenv("CHANCERY_BUILD");
		arena_init(&arena);
		err_init(&err, &arena);
		if (places_open(build ? build : "", NULL, &places, &err) != OK)
			fail_msg("%.*s", STR_ARG(err.detail));
	}
	return places;
}

void traveller_init(struct traveller *traveller, struct fixture *fixture)
{
	*traveller = (struct traveller){ .fixture = fixture, .day = clock_now() / CLOCK_DAY };
	const struct house_options options = { .db = fixture->db, .desks = desks, .desk_count = COUNT_OF(desks),
		                               .public_url = "https://chancery.example" };
	const struct http_options http = { .listen = "127.0.0.1:0" };
	struct err *err = fixture_err(fixture);

	log_set_level(LOG_ERROR);
	assert_rc(fixture, OK, house_new(&options, &traveller->house, err));
	house_set_state(traveller->house, SLOT_PLACES, traveller_places());
	assert_rc(fixture, OK, house_start(traveller->house, err));
	/* These tests are faster than people. */
	assert_rc(fixture, OK, setting_set(traveller->house, "http.secret_burst", S("100000"), err));
	assert_rc(fixture, OK, setting_set(traveller->house, "http.form_burst", S("100000"), err));
	assert_rc(fixture, OK, http_start(traveller->house, &http, &traveller->server, err));
	traveller->port = http_port(traveller->server, false);
}

void traveller_release(struct traveller *traveller)
{
	http_stop(traveller->server);
	house_stop(traveller->house);
	house_free(traveller->house);
}

int traveller_setup(void **state)
{
	struct traveller *traveller = malloc(sizeof *traveller);
	if (fixture_setup(state) != 0)
		return -1;
	traveller_init(traveller, *state);
	*state = traveller;
	return 0;
}

int traveller_teardown(void **state)
{
	struct traveller *traveller = *state;
	void *fixture = traveller->fixture;
	traveller_release(traveller);
	free(traveller);
	return fixture_teardown(&fixture);
}

/* --- the browser ------------------------------------------------------------------------------------------------ */

static struct str exchange(struct traveller *traveller, struct str request)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)traveller->port),
		                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct buf answer;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
	for (size_t at = 0; at < request.len;) {
		ssize_t sent = send(fd, request.ptr + at, request.len - at, MSG_NOSIGNAL);
		if (sent <= 0)
			break;
		at += (size_t)sent;
	}
	buf_init(&answer);
	for (;;) {
		buf_reserve(&answer, 65536);
		ssize_t got = recv(fd, answer.ptr + answer.len, 65536, 0);
		if (got <= 0)
			break;
		answer.len += (size_t)got;
	}
	close(fd);
	struct str copy = str_copy(&traveller->fixture->arena, buf_str(&answer));
	buf_release(&answer);
	return copy;
}

/* The value behind `start` up to `end`, from `from` on; STR_NONE. */
static struct str between(struct str text, const char *start, char end, size_t from)
{
	size_t at = str_find(text, str_from(start), from);
	if (at == SIZE_MAX)
		return STR_NONE;
	at += strlen(start);
	size_t stop = at;
	while (stop < text.len && text.ptr[stop] != end)
		stop++;
	return str_slice(text, at, stop);
}

/* One cookie a name, as far as these tests need it. */
static void take_cookies(struct traveller *traveller, struct str head)
{
	for (size_t at = 0; (at = str_find(head, S("Set-Cookie: "), at)) != SIZE_MAX; at++) {
		struct str cookie = between(head, "Set-Cookie: ", ';', at);
		snprintf(traveller->cookies, sizeof traveller->cookies, "%.*s", STR_ARG(cookie));
	}
}

static struct reply read_reply(struct traveller *traveller, struct str answer)
{
	struct arena *arena = &traveller->fixture->arena;
	struct reply reply = { .location = STR_NONE };
	size_t end = str_find(answer, S("\r\n\r\n"), 0);

	assert_true(end != SIZE_MAX && answer.len > 12);
	reply.status = (answer.ptr[9] - '0') * 100 + (answer.ptr[10] - '0') * 10 + (answer.ptr[11] - '0');
	reply.head = str_copy(arena, str_slice(answer, 0, end + 2));
	reply.body = str_copy(arena, str_slice(answer, end + 4, answer.len));
	reply.location = between(reply.head, "Location: ", '\r', 0);
	if (reply.location.ptr)
		reply.location = str_copy(arena, reply.location);
	take_cookies(traveller, reply.head);
	struct str token = between(reply.body, "name=\"form_token\" value=\"", '"', 0);
	if (token.len)
		snprintf(traveller->token, sizeof traveller->token, "%.*s", STR_ARG(token));
	return reply;
}

struct reply visit(struct traveller *traveller, struct str path)
{
	struct str request = str_format(&traveller->fixture->arena,
	                                "GET %.*s HTTP/1.1\r\nHost: chancery.example\r\nConnection: close\r\nCookie: %s\r\n\r\n", STR_ARG(path),
	                                traveller->cookies);
	return read_reply(traveller, exchange(traveller, request));
}

static void add_encoded(struct buf *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_')
			buf_add_char(out, *text);
		else
			buf_format(out, "%%%02X", c);
	}
}

struct reply submit(struct traveller *traveller, struct str path, ...)
{
	struct arena *arena = &traveller->fixture->arena;
	struct buf body;
	va_list pairs;

	buf_init(&body);
	buf_format(&body, "form_token=%s", traveller->token);
	va_start(pairs, path);
	for (const char *name; (name = va_arg(pairs, const char *)) != NULL;) {
		buf_add_char(&body, '&');
		add_encoded(&body, name);
		buf_add_char(&body, '=');
		add_encoded(&body, va_arg(pairs, const char *));
	}
	va_end(pairs);
	struct str request = str_format(arena,
	                                "POST %.*s HTTP/1.1\r\nHost: chancery.example\r\nConnection: close\r\nCookie: %s\r\n"
	                                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n%.*s",
	                                STR_ARG(path), traveller->cookies, body.len, (int)body.len, body.ptr);
	buf_release(&body);
	return read_reply(traveller, exchange(traveller, request));
}

/* What stands below the frame of a page: the rest only hides it in a test's output. */
static struct str content(struct reply reply)
{
	size_t main = str_find(reply.body, S("<main"), 0);
	return main == SIZE_MAX ? reply.body : str_slice(reply.body, main, reply.body.len);
}

struct reply follow(struct traveller *traveller, struct reply reply)
{
	if (reply.status != 303)
		fail_msg("%d, not 303: %.*s", reply.status, STR_ARG(content(reply)));
	return visit(traveller, reply.location);
}

bool holds(struct str text, const char *what)
{
	return str_find(text, str_from(what), 0) != SIZE_MAX;
}

void assert_holds(struct reply reply, const char *what)
{
	if (!holds(reply.body, what))
		fail_msg("no '%s' in (%d) %.*s", what, reply.status, STR_ARG(content(reply)));
}

void assert_lacks(struct reply reply, const char *what)
{
	if (holds(reply.body, what))
		fail_msg("'%s' in (%d) %.*s", what, reply.status, STR_ARG(content(reply)));
}

const char *date_in(struct traveller *traveller, int days)
{
	int year, month, day;
	date_from_days(traveller->day + days, &year, &month, &day);
	return str_format(&traveller->fixture->arena, "%02d/%02d/%04d", day, month, year).ptr;
}

/* --- the store -------------------------------------------------------------------------------------------------- */

struct ask {
	struct arena *arena;
	struct str address;
	int64_t number;
	struct get_person_of_row person;
	struct get_message_text_row message;
	struct count_personal_row personal;
	struct list_legs_row *legs;
	struct list_watches_row *watches;
	size_t count;
};

static void ask(struct traveller *traveller, db_work work, struct ask *question)
{
	question->arena = &traveller->fixture->arena;
	assert_rc(traveller->fixture, OK, db_read(traveller->fixture->db, work, question, fixture_err(traveller->fixture)));
}

static enum rc find_person(struct db_tx *tx, void *context, struct err *err)
{
	struct ask *question = context;
	return get_person_of(tx, question->arena, &(struct get_person_of_args){ question->address }, &question->person, err);
}

static enum rc find_message(struct db_tx *tx, void *context, struct err *err)
{
	struct ask *question = context;
	return get_message_text(tx, question->arena, &(struct get_message_text_args){ question->address }, &question->message, err);
}

static enum rc find_legs(struct db_tx *tx, void *context, struct err *err)
{
	struct ask *question = context;
	return list_legs(tx, question->arena, &(struct list_legs_args){ question->number }, &question->legs, &question->count, err);
}

static enum rc find_watches(struct db_tx *tx, void *context, struct err *err)
{
	struct ask *question = context;
	return list_watches(tx, question->arena, &(struct list_watches_args){ question->number }, &question->watches, &question->count, err);
}

static enum rc find_people(struct db_tx *tx, void *context, struct err *err)
{
	struct ask *question = context;
	struct count_people_row row;
	enum rc rc = count_people(tx, question->arena, &row, err);
	question->number = row.people;
	return rc;
}

static enum rc find_messages(struct db_tx *tx, void *context, struct err *err)
{
	struct ask *question = context;
	struct count_messages_row row;
	enum rc rc = count_messages(tx, question->arena, &row, err);
	question->number = row.messages;
	return rc;
}

static enum rc find_trips(struct db_tx *tx, void *context, struct err *err)
{
	struct ask *question = context;
	struct count_trips_row row;
	enum rc rc = count_trips(tx, question->arena, &row, err);
	question->number = row.trips;
	return rc;
}

int64_t trips_open(struct traveller *traveller)
{
	struct ask question = { 0 };
	ask(traveller, find_trips, &question);
	return question.number;
}

struct get_person_of_row person_of(struct traveller *traveller, const char *address)
{
	struct ask question = { .address = str_from(address) };
	ask(traveller, find_person, &question);
	return question.person;
}

struct get_message_text_row message_to(struct traveller *traveller, const char *address)
{
	struct ask question = { .address = str_from(address) };
	ask(traveller, find_message, &question);
	return question.message;
}

struct str code_of(struct traveller *traveller, const char *address)
{
	struct str body = message_to(traveller, address).body;
	for (size_t i = 0, digits = 0; i < body.len; i++) {
		digits = body.ptr[i] >= '0' && body.ptr[i] <= '9' ? digits + 1 : 0;
		if (digits == 6)
			return str_copy(&traveller->fixture->arena, str_slice(body, i - 5, i + 1));
	}
	fail_msg("no code in: %.*s", STR_ARG(body));
	return STR_NONE;
}

struct list_legs_row *legs_of(struct traveller *traveller, int64_t person_id, size_t *count)
{
	struct ask question = { .number = person_id };
	ask(traveller, find_legs, &question);
	*count = question.count;
	return question.legs;
}

struct list_watches_row *watches_of(struct traveller *traveller, int64_t person_id, size_t *count)
{
	struct ask question = { .number = person_id };
	ask(traveller, find_watches, &question);
	*count = question.count;
	return question.watches;
}

int64_t people_enrolled(struct traveller *traveller)
{
	struct ask question = { 0 };
	ask(traveller, find_people, &question);
	return question.number;
}

int64_t messages_queued(struct traveller *traveller)
{
	struct ask question = { 0 };
	ask(traveller, find_messages, &question);
	return question.number;
}

static enum rc find_personal(struct db_tx *tx, void *context, struct err *err)
{
	struct ask *question = context;
	return count_personal(tx, question->arena, &(struct count_personal_args){ question->number }, &question->personal, err);
}

struct count_personal_row personal_rows(struct traveller *traveller, int64_t person_id)
{
	struct ask question = { .number = person_id };
	ask(traveller, find_personal, &question);
	return question.personal;
}

static enum rc confirm_everyone(struct db_tx *tx, void *context, struct err *err)
{
	(void)context;
	return confirm_all(tx, &(struct confirm_all_args){ clock_now() }, NULL, err);
}

struct str cut(struct traveller *traveller, struct str text, const char *start, char end)
{
	struct str found = between(text, start, end, 0);
	if (str_is_none(found))
		fail_msg("no '%s' in %.*s", start, STR_ARG(text));
	return str_copy(&traveller->fixture->arena, found);
}

struct str enrolled(struct traveller *traveller, const char *name, const char *email, const char *mobile)
{
	visit(traveller, S("/enrol"));
	struct reply page = follow(traveller, submit(traveller, S("/enrol"), "name", name, "email", email ? email : "", "mobile", mobile ? mobile : "",
	                                             "mobile_sure", "yes", "leg.0.place", "Tunis", "leg.0.from", date_in(traveller, 3),
	                                             "leg.0.to", date_in(traveller, 10), NULL));
	assert_rc(traveller->fixture, OK,
	          db_write(traveller->fixture->db, DB_LANE_PERSON, confirm_everyone, NULL, fixture_err(traveller->fixture)));
	struct str path = cut(traveller, page.body, "class=\"button secondary\" href=\"", '"');
	visit(traveller, path);
	return path;
}
