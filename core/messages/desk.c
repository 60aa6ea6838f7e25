/* The room's table: settings, probes, start and stop. */
#include "core/messages/internal.h"
#include "core/messages/views.h"

static const struct route routes[] = {
	{ METHOD_GET, "/desk/inbox", inbox_get, "Incoming messages that wait for an officer", PERMIT_OFFICER, RATE_PAGE, false },
	{ METHOD_GET, "/desk/inbox/:id", inbox_item_get, "One incoming message with its history", PERMIT_OFFICER, RATE_PAGE, false },
	{ METHOD_POST, "/desk/inbox/:id", inbox_item_post, "Take, give back, record as an answer, answer, close, undo", PERMIT_OFFICER, RATE_FORM, false },
	{ METHOD_GET, "/desk/messages", lookup_get, "What one person was sent and what became of it", PERMIT_OFFICER, RATE_PAGE, false },
	{ METHOD_GET, "/desk/delivery", delivery_get, "How delivery goes, and the alerts held for an officer's word", PERMIT_READER, RATE_PAGE, false },
	{ METHOD_POST, "/desk/delivery", delivery_post, "Sends or drops what a held alert has queued", PERMIT_OFFICER, RATE_FORM, false },
};

static const struct menu_entry menu[] = {
	{ MSG_messages_inbox_title, "/desk/inbox", PERMIT_OFFICER, 30 },
	{ MSG_messages_delivery_title, "/desk/delivery", PERMIT_READER, 60 },
};

static const struct setting settings[] = {
	{ "messages.unrecorded_most", SETTING_INT, "1000", 1, 100000,
	  "Most messages that may be marked ahead of the carrier's window: after a crash so many more may be in doubt" },
	{ "messages.old_after", SETTING_INT, "360", 1, 100000,
	  "Minutes: alerts still queued after a stop of the program that lasted longer wait for an officer's word" },
	{ "messages.sms_parts", SETTING_INT, "6", 1, 10, "Most parts of one SMS; a longer text is not sent" },
	{ "messages.texts_kept", SETTING_INT, "7", 1, 3650,
	  "Days after which the texts of codes, confirmations and answers are deleted; that they were sent stays on record" },
	{ "messages.mail_from", SETTING_TEXT, "alerts@localhost", 0, 254, "Address mails come from" },
	{ "messages.mail_name", SETTING_TEXT, "Chancery", 0, 100, "Name mails come from" },
	{ "messages.mail_domain", SETTING_TEXT, "localhost", 0, 253,
	  "Domain of reply addresses (reply+TOKEN@) and return paths (bounce+TOKEN@), whose mail goes to `chancery receive-mail`" },
	{ "messages.list_id", SETTING_TEXT, "alerts.localhost", 0, 253, "List-Id of alerts by mail (RFC 2919)" },
};

static enum rc probe_routes(struct house *house, struct err *err)
{
	struct messages_figures figures;
	messages_figures(house, &figures);
	if (figures.routes_up < figures.routes)
		return err_set(err, FAILED, "routes_up=%zu of=%zu", figures.routes_up, figures.routes);
	return OK;
}

static enum rc probe_unsent(struct house *house, struct err *err)
{
	struct messages_figures figures;
	messages_figures(house, &figures);
	int64_t age = figures.oldest_unsent > 0 ? (clock_now() - figures.oldest_unsent) / CLOCK_SECOND : 0;
	if (age > 600)
		return err_set(err, FAILED, "oldest_unsent_seconds=%lld", (long long)age);
	return OK;
}

static void metric(struct buf *out, const char *name, const char *type, const char *help, int64_t value)
{
	buf_format(out, "# HELP chancery_%s %s\n# TYPE chancery_%s %s\nchancery_%s %lld\n", name, help, name, type, name,
	           (long long)value);
}

static void write_metrics(struct house *house, struct buf *out)
{
	static const char *const channels[CHANNEL_KIND_COUNT] = { "none", "mail", "sms", "push" };
	struct messages_figures figures;
	messages_figures(house, &figures);
	metric(out, "messages_sent_total", "counter", "Messages handed over since the start", figures.sent);
	metric(out, "messages_submitted", "gauge", "Marked and not answered", figures.submitted);
	metric(out, "messages_in_doubt", "gauge", "Handed over, the answer lost", figures.in_doubt);
	metric(out, "messages_oldest_unsent_seconds", "gauge", "Age of the oldest first attempt that is due",
	       figures.oldest_unsent > 0 ? (clock_now() - figures.oldest_unsent) / CLOCK_SECOND : 0);
	metric(out, "receipts_unmatched", "gauge", "Receipts whose message is not known", figures.unmatched_receipts);
	metric(out, "notices_held", "gauge", "Alerts that wait for an officer's word", figures.held_notices);
	metric(out, "inbox_waiting", "gauge", "Incoming messages that wait for an officer", figures.inbox_waiting);
	metric(out, "routes_up", "gauge", "Roads out that are up", (int64_t)figures.routes_up);
	metric(out, "routes", "gauge", "Roads out", (int64_t)figures.routes);
	buf_format(out, "# HELP chancery_messages_queued Messages of opened blocks that wait\n# TYPE chancery_messages_queued gauge\n");
	for (size_t channel = CHANNEL_NONE + 1; channel < CHANNEL_KIND_COUNT; channel++)
		for (size_t lane = 0; lane < LANE_COUNT; lane++)
			buf_format(out, "chancery_messages_queued{channel=\"%s\",lane=\"%zu\"} %lld\n", channels[channel], lane,
			           (long long)figures.queued[channel][lane]);
}

/* --- texts that are over --------------------------------------------------------------------------------------- */

struct forgetting {
	int64_t before, removed;
};

static enum rc forget_work(struct db_tx *tx, void *context, struct err *err)
{
	struct forgetting *forgetting = context;
	struct message_text_forget_args args = { .before = forgetting->before };
	return message_text_forget(tx, &args, &forgetting->removed, err);
}

static void forget_texts(struct house *house)
{
	struct arena arena;
	struct err err;
	arena_init(&arena);
	err_init(&err, &arena);
	struct forgetting forgetting = { .before = clock_now() - setting_int(house, "messages.texts_kept") * CLOCK_DAY };
	enum rc rc;
	do
		rc = db_write(house->db, DB_LANE_BULK, forget_work, &forgetting, &err);
	while (rc == OK && forgetting.removed > 0);
	if (rc != OK)
		log_warn("texts_not_forgotten", LOGC("rc", rc_name(rc)), LOGS("detail", err.detail));
	arena_release(&arena);
}

static const struct job jobs[] = {
	{ "messages.forget_texts", CLOCK_DAY, forget_texts, "Deletes the texts of single messages that are long over" },
};

static enum rc start(struct house *house, struct err *err)
{
	(void)err;
	engine_of(house);
	house_add_probe(house, "routes", probe_routes);
	house_add_probe(house, "unsent", probe_unsent);
	house_add_metrics(house, write_metrics);
	return OK;
}

static void stop(struct house *house)
{
	engine_free(house);
}

const struct desk messages_desk = {
	.name = "messages",
	.routes = routes,
	.route_count = COUNT_OF(routes),
	.menu = menu,
	.menu_count = COUNT_OF(menu),
	.jobs = jobs,
	.job_count = COUNT_OF(jobs),
	.migrations = messages_migrations,
	.migration_count = &messages_migration_count,
	.settings = settings,
	.setting_count = COUNT_OF(settings),
	.start = start,
	.stop = stop,
};
