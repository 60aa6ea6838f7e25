/* JSON for the scenarios. See README.md for the list. */
#include <stdlib.h>

#include "tests/simulator/web.h"

#define LIST_DEFAULT 1000
#define LIST_MOST 100000

static json_t *text(struct str s)
{
	/* What a faulty sender sent may be no UTF-8; it is shown then as it can be. */
	json_t *value = json_stringn(s.ptr ? s.ptr : "", s.len);
	return value ? value : json_string("(not UTF-8)");
}

static void set(json_t *object, const char *name, json_t *value)
{
	json_object_set_new(object, name, value);
}

static json_t *message_json(struct arena *arena, const struct store_message *m)
{
	json_t *object = json_object();
	set(object, "sequence", json_integer((json_int_t)m->sequence));
	set(object, "at", text(clock_format(arena, m->at)));
	set(object, "sent", json_boolean(m->sent));
	if (m->kind == BOX_PHONE) {
		set(object, "number", text(m->box));
		set(object, m->sent ? "to" : "from", text(m->other));
		set(object, "text", text(m->body));
		set(object, "parts", json_integer(m->parts));
		set(object, "data_coding", json_integer(m->data_coding));
		return object;
	}
	struct mail_view view;
	mailbox_view(arena, m->body, &view);
	set(object, "address", text(m->box));
	set(object, m->sent ? "to" : "envelope_from", text(m->other));
	const struct {
		const char *name;
		struct str value;
	} fields[] = {
		{ "from", view.from }, { "header_to", view.to }, { "reply_to", view.reply_to }, { "subject", view.subject }, { "text", view.text },
		{ "html", view.html }, { "message_id", view.message_id }, { "references", view.references }, { "in_reply_to", view.in_reply_to },
		{ "list_unsubscribe", view.list_unsubscribe }, { "list_unsubscribe_post", view.list_unsubscribe_post },
		{ "auto_submitted", view.auto_submitted }, { "content_language", view.content_language },
	};
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		set(object, fields[i].name, text(fields[i].value));
	return object;
}

static size_t number_of(struct str s, size_t otherwise, size_t most)
{
	int64_t value;
	if (!str_to_int(s, &value) || value < 0)
		return otherwise;
	return (size_t)value < most ? (size_t)value : most;
}

static json_t *messages_json(struct web_request *request, enum box_kind kind, struct str address)
{
	struct store_message *messages;
	size_t most = number_of(web_query(request, "limit"), LIST_DEFAULT, LIST_MOST);
	size_t before = number_of(web_query(request, "before"), 0, SIZE_MAX);
	size_t count = store_list(request->simulator->store, request->arena, kind, address, before, most, &messages);
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, message_json(request->arena, &messages[i]));
	return list;
}

static int newest_first(const void *a, const void *b)
{
	const struct store_box *x = a, *y = b;
	return x->last < y->last ? 1 : x->last > y->last ? -1 : 0;
}

/* GET /phones, /mailboxes: all boxes, newest first, with their counts. */
static void answer_boxes(struct web_request *request, struct web_answer *answer, enum box_kind kind)
{
	struct store_box *boxes;
	size_t count = store_boxes(request->simulator->store, request->arena, kind, &boxes);
	qsort(boxes, count, sizeof *boxes, newest_first);
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++) {
		json_t *object = json_object();
		set(object, kind == BOX_PHONE ? "number" : "address", text(boxes[i].address));
		set(object, "received", json_integer(boxes[i].received));
		set(object, "doubled", json_integer(boxes[i].doubled));
		json_array_append_new(list, object);
	}
	web_json(answer, list);
}

/* GET /phones/NUMBER, /mailboxes/ADDRESS */
static void answer_box(struct web_request *request, struct web_answer *answer, enum box_kind kind, struct str address)
{
	struct store_box box = { .address = address };
	bool found = store_box(request->simulator->store, kind, address, &box);
	json_t *object = json_object();
	set(object, kind == BOX_PHONE ? "number" : "address", text(address));
	set(object, "received", json_integer(box.received));
	set(object, "doubled", json_integer(box.doubled));
	set(object, "messages", messages_json(request, kind, address));
	answer->status = found ? 200 : 404;
	web_json(answer, object);
}

static void answer_counts(struct web_request *request, struct web_answer *answer)
{
	static const char *const KINDS[] = { "phones", "mailboxes" };
	struct store_counts counts;
	store_counts(request->simulator->store, &counts);
	json_t *object = json_object();
	for (size_t k = 0; k < BOX_KINDS; k++) {
		json_t *kind = json_object();
		set(kind, "boxes", json_integer((json_int_t)counts.boxes[k]));
		set(kind, "received", json_integer((json_int_t)counts.received[k]));
		set(kind, "unique", json_integer((json_int_t)(counts.received[k] - counts.doubled[k])));
		set(kind, "doubled", json_integer((json_int_t)counts.doubled[k]));
		set(kind, "sent", json_integer((json_int_t)counts.sent[k]));
		set(object, KINDS[k], kind);
	}
	for (size_t i = 0; i < COUNTERS; i++)
		set(object, store_counter_name((enum counter)i), json_integer((json_int_t)counts.of[i]));
	web_json(answer, object);
}

static void add_fault(void *context, const char *name, int64_t value, const char *help)
{
	(void)help;
	set(context, name, json_integer(value));
}

static void answer_faults(struct web_request *request, struct web_answer *answer)
{
	struct faults faults = simulator_faults(request->simulator);
	for (size_t i = 0; i < request->field_count; i++) {
		int64_t value;
		const char *name = str_c(request->arena, request->fields[i].name);
		if (!str_to_int(request->fields[i].value, &value) || !faults_set(&faults, name, value)) {
			web_error(answer, 422, str_format(request->arena, "no such fault or value: %s", name).ptr);
			return;
		}
	}
	simulator_set_faults(request->simulator, &faults);
	json_t *object = json_object();
	faults_each(&faults, add_fault, object);
	web_json(answer, object);
}

/* After a form a person sees the page again; a script gets JSON. */
static void done(struct web_request *request, struct web_answer *answer, struct str page)
{
	if (request->form) {
		answer->status = 303;
		answer->location = str_c(request->arena, page);
		return;
	}
	json_t *object = json_object();
	set(object, "ok", json_true());
	web_json(answer, object);
}

static void answer_phone_send(struct web_request *request, struct web_answer *answer, struct str number)
{
	struct str words = web_field(request, "text"), to = web_field(request, "to");
	if (!simulator_phone_send(request->simulator, number, str_is_none(to) ? S("") : to, str_is_none(words) ? S("") : words))
		web_error(answer, 422, "needs a number and a text in UTF-8");
	else
		done(request, answer, str_concat(request->arena, S("/phone/"), number));
}

static struct str field_or_empty(const struct web_request *request, const char *name)
{
	struct str value = web_field(request, name);
	return str_is_none(value) ? S("") : value;
}

static void answer_mailbox_send(struct web_request *request, struct web_answer *answer, struct str address)
{
	struct mailbox_letter letter = {
		.mailbox = address,
		.to = field_or_empty(request, "to"),
		.subject = field_or_empty(request, "subject"),
		.text = field_or_empty(request, "text"),
		.answers = number_of(web_field(request, "answers"), 0, SIZE_MAX),
		.bounce = str_equal(web_field(request, "bounce"), S("1")),
		.automatic = str_equal(web_field(request, "automatic"), S("1")),
	};
	struct err err;
	err_init(&err, request->arena);
	enum rc rc = simulator_mailbox_send(request->simulator, &letter, &err);
	if (rc != OK)
		web_error(answer, rc == INVALID ? 422 : 502, str_c(request->arena, err.detail));
	else
		done(request, answer, str_concat(request->arena, S("/mailbox/"), address));
}

/* Splits "/phones/NUMBER" and "/phones/NUMBER/send"; a mailbox may hold a slash, so the verb is taken from the end. */
static bool box_path(struct str path, struct str prefix, struct str *address, bool *send)
{
	if (!str_starts(path, prefix) || path.len == prefix.len)
		return false;
	*address = str_slice(path, prefix.len, path.len);
	*send = str_ends(*address, S("/send"));
	if (*send)
		address->len -= 5;
	return address->len > 0;
}

static bool answer_box_path(struct web_request *request, struct web_answer *answer, bool post)
{
	struct str address;
	bool send;
	if (box_path(request->path, S("/phones/"), &address, &send) && send == post) {
		if (send)
			answer_phone_send(request, answer, address);
		else
			answer_box(request, answer, BOX_PHONE, address);
		return true;
	}
	if (box_path(request->path, S("/mailboxes/"), &address, &send) && send == post) {
		if (send)
			answer_mailbox_send(request, answer, address);
		else
			answer_box(request, answer, BOX_MAILBOX, address);
		return true;
	}
	return false;
}

bool api_answer(struct web_request *request, struct web_answer *answer)
{
	bool post = str_equal(request->method, S("POST"));
	struct str path = request->path;
	if (str_equal(path, S("/faults")))
		answer_faults(request, answer);
	else if (post && str_equal(path, S("/clear"))) {
		store_clear(request->simulator->store);
		done(request, answer, S("/"));
	} else if (!post && str_equal(path, S("/phones")))
		answer_boxes(request, answer, BOX_PHONE);
	else if (!post && str_equal(path, S("/mailboxes")))
		answer_boxes(request, answer, BOX_MAILBOX);
	else if (!post && str_equal(path, S("/messages")))
		web_json(answer, messages_json(request, BOX_KINDS, S("")));
	else if (!post && str_equal(path, S("/counts")))
		answer_counts(request, answer);
	else
		return answer_box_path(request, answer, post);
	return true;
}
