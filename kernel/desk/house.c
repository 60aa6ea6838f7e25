/* The house: made once, started, stopped, and the hooks by which rooms of one floor serve each other. */
#include <stdlib.h>

#include <sodium.h>

#include "kernel/desk/private.h"

#include "desk_sql.h"

static const struct {
	int status;
	const char *text;
} problems[PROBLEM_COUNT] = {
	[PROBLEM_BAD_REQUEST] = { 400, "The request could not be understood." },
	[PROBLEM_SIGN_IN] = { 403, "Sign in first." },
	[PROBLEM_DENIED] = { 403, "You may not do this." },
	[PROBLEM_FORM] = { 403,
	                   "This form has grown old or came from elsewhere: open the form again and send it anew." },
	[PROBLEM_NOT_FOUND] = { 404, "There is no such page." },
	[PROBLEM_METHOD] = { 405, "This address cannot be used in this way." },
	[PROBLEM_CONFLICT] = { 409, "Someone else was first: look at the present state and try again." },
	[PROBLEM_LENGTH] = { 411, "The request must say how long it is." },
	[PROBLEM_TOO_LARGE] = { 413, "This is more than can be taken at once." },
	[PROBLEM_MEDIA_TYPE] = { 415, "This kind of content cannot be taken here." },
	[PROBLEM_INVALID] = { 422, "Something in the form needs your attention." },
	[PROBLEM_TOO_MANY] = { 429, "Too many requests: wait a little and try again." },
	[PROBLEM_HEAD_TOO_LARGE] = { 431, "The request's head is too long." },
	[PROBLEM_FAILED] = { 500, "Something went wrong on our side: try again in a minute." },
	[PROBLEM_BUSY] = { 503, "Many people are asking at once: try again in a few seconds." },
};

int problem_status(enum problem problem)
{
	return problems[problem].status;
}

const char *problem_text(enum problem problem)
{
	return problems[problem].text;
}

static enum rc check_names(const struct house *house, struct err *err)
{
	for (size_t i = 0; i < house->desk_count; i++)
		for (size_t other = i + 1; other < house->desk_count; other++)
			if (strcmp(house->desks[i]->name, house->desks[other]->name) == 0)
				return err_set(err, CONFLICT, "two desks are named %s", house->desks[i]->name);
	return OK;
}

enum rc house_new(const struct house_options *options, struct house **house_out, struct err *err)
{
	if (sodium_init() < 0)
		return err_set(err, FAILED, "libsodium does not start");
	struct house *house = calloc(1, sizeof *house);
	struct house_private *own = calloc(1, sizeof *own);
	if (!house || !own) {
		free(house);
		free(own);
		return err_set(err, FAILED, "out of memory");
	}
	house->db = options->db;
	house->desks = options->desks;
	house->desk_count = options->desk_count;
	house->data_folder = options->data_folder;
	house->public_url = options->public_url ? options->public_url : "http://localhost";
	house->test_clock = options->test_clock;
	house->own = own;
	pthread_rwlock_init(&own->setting_lock, NULL);
	pthread_mutex_init(&own->setting_refresh_lock, NULL);
	pthread_mutex_init(&own->job_lock, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&own->job_wake, &monotonic);
	pthread_condattr_destroy(&monotonic);

	enum rc rc = check_names(house, err);
	if (rc == OK)
		rc = settings_init(house, err);
	if (rc == OK)
		rc = jobs_init(house, err);
	if (rc == OK)
		rc = secret_load(house, err);
	if (rc != OK) {
		house_free(house);
		return rc;
	}
	house->hub = hub_new();
	*house_out = house;
	return OK;
}

void house_free(struct house *house)
{
	if (!house)
		return;
	struct house_private *own = house->own;
	if (house->hub)
		hub_free(house->hub);
	jobs_release(house);
	settings_release(house);
	pthread_rwlock_destroy(&own->setting_lock);
	pthread_mutex_destroy(&own->setting_refresh_lock);
	pthread_mutex_destroy(&own->job_lock);
	pthread_cond_destroy(&own->job_wake);
	free(own);
	sodium_memzero(house->secret, sizeof house->secret);
	free(house);
}

enum rc house_migrate(struct house *house, struct err *err)
{
	return db_migrate_all(house->db, err);
}

enum rc house_start(struct house *house, struct err *err)
{
	enum rc rc = house->db ? setting_refresh(house, err) : OK;
	for (size_t i = 0; rc == OK && i < house->desk_count; i++) {
		if (house->desks[i]->start)
			rc = house->desks[i]->start(house, err);
		if (rc == OK)
			house->own->started = i + 1;
	}
	if (rc != OK)
		house_stop(house);
	return rc;
}

void house_stop(struct house *house)
{
	jobs_stop(house);
	for (; house->own->started > 0; house->own->started--) {
		const struct desk *desk = house->desks[house->own->started - 1];
		if (desk->stop)
			desk->stop(house);
	}
}

void house_set_state(struct house *house, enum house_slot slot, void *state)
{
	house->state[slot] = state;
}

void house_set_identify(struct house *house, house_identify identify, house_allows allows)
{
	house->own->identify = identify;
	house->own->allows = allows;
}

void house_set_error_page(struct house *house, house_error_page page)
{
	house->own->error_page = page;
}

const struct officer *house_officer(struct house *house, struct request *request)
{
	return house->own->identify ? house->own->identify(request) : NULL;
}

bool house_may(struct house *house, const struct officer *officer, enum permission permission)
{
	if (permission == PERMIT_ANYONE)
		return true;
	if (permission == PERMIT_PRIVATE || !house->own->allows)
		return false;
	return house->own->allows(officer, permission);
}

house_error_page house_page_of_errors(struct house *house)
{
	return house->own->error_page;
}

void house_add_probe(struct house *house, const char *name, house_probe probe)
{
	struct house_private *own = house->own;
	if (own->probe_count == HOUSE_PROBES_MAX) {
		log_error("probe_refused", LOGC("name", name), LOGI("most", HOUSE_PROBES_MAX));
		abort();
	}
	own->probes[own->probe_count++] = (struct probe){ name, probe };
}

void house_add_metrics(struct house *house, house_metrics metrics)
{
	struct house_private *own = house->own;
	if (own->metrics_count == HOUSE_METRICS_MAX) {
		log_error("metrics_refused", LOGI("most", HOUSE_METRICS_MAX));
		abort();
	}
	own->metrics[own->metrics_count++] = metrics;
}

bool house_health(struct house *house, struct buf *out)
{
	bool well = true;
	for (size_t i = 0; i < house->own->probe_count; i++) {
		const struct probe *probe = &house->own->probes[i];
		struct arena arena;
		struct err err;
		arena_init(&arena);
		err_init(&err, &arena);
		enum rc rc = probe->run(house, &err);
		buf_format(out, "name=%s ok=%s", probe->name, rc == OK ? "yes" : "no");
		if (rc != OK && !str_is_empty(err.detail)) {
			/* A quote inside would end the value early for whoever reads the line. */
			buf_add_str(out, S(" reason=\""));
			for (size_t c = 0; c < err.detail.len; c++)
				buf_add_char(out, err.detail.ptr[c] == '"' || (unsigned char)err.detail.ptr[c] < ' '
				                          ? '\''
				                          : err.detail.ptr[c]);
			buf_add_char(out, '"');
		}
		buf_add_char(out, '\n');
		well = well && rc == OK;
		arena_release(&arena);
	}
	return well;
}

void house_write_metrics(struct house *house, struct buf *out)
{
	for (size_t i = 0; i < house->own->metrics_count; i++)
		house->own->metrics[i](house, out);
}

static enum rc nothing(struct db_tx *tx, void *context, struct err *err)
{
	(void)tx, (void)context, (void)err;
	return OK;
}

/* The store answers, and can still write. */
static enum rc probe_db(struct house *house, struct err *err)
{
	if (db_is_full(house->db))
		return err_set(err, FAILED, "no space left for the store");
	return db_read(house->db, nothing, NULL, err);
}

static void write_db_metrics(struct house *house, struct buf *out)
{
	struct db_figures figures;
	db_figures(house->db, &figures);
	const struct {
		const char *name, *type, *help;
		int64_t value;
	} lines[] = {
		{ "commits_total", "counter", "Transactions made durable.", figures.commits },
		{ "items_total", "counter", "Writes that succeeded; several may share a commit.", figures.items },
		{ "failures_total", "counter", "Writes that failed by our fault.", figures.failures },
		{ "busy_total", "counter", "Calls refused because the store was busy.", figures.busy },
		{ "retries_total", "counter", "Runs repeated after a conflict or a lost connection.", figures.retries },
		{ "waiting_person", "gauge", "Writes queued for people who wait.", figures.waiting[DB_LANE_PERSON] },
		{ "waiting_delivery", "gauge", "Writes queued by delivery.", figures.waiting[DB_LANE_DELIVERY] },
		{ "waiting_bulk", "gauge", "Writes queued by bulk work.", figures.waiting[DB_LANE_BULK] },
		{ "longest_item_microseconds", "gauge", "The longest single write so far.", figures.longest_item },
	};
	for (size_t i = 0; i < COUNT_OF(lines); i++)
		buf_format(out, "# HELP chancery_db_%s %s\n# TYPE chancery_db_%s %s\nchancery_db_%s %lld\n", lines[i].name,
		           lines[i].help, lines[i].name, lines[i].type, lines[i].name, (long long)lines[i].value);
}

static enum rc start(struct house *house, struct err *err)
{
	(void)err;
	if (house->db) {
		house_add_probe(house, "db", probe_db);
		house_add_metrics(house, write_db_metrics);
	}
	return OK;
}

const struct desk house_desk = {
	.name = "house",
	.migrations = desk_migrations,
	.migration_count = &desk_migration_count,
	.start = start,
};
