/* What the dispatcher is doing: for the desk's page, /metrics and /health. */
#include "core/messages/internal.h"

#define COUNT_EVERY (5 * CLOCK_SECOND)
#define OLD_UNSENT (10 * CLOCK_MINUTE) /* an alarm: something due so long has not been tried */

struct counting {
	int64_t unmatched, inbox, held, oldest;
	int64_t submitted, in_doubt;
};

static enum rc count_work(struct db_tx *tx, void *context, struct err *err)
{
	struct counting *counting = context;
	struct arena arena;
	arena_init(&arena);
	struct receipt_count_waiting_row receipts;
	struct incoming_count_waiting_row inbox;
	struct notice_row *held;
	size_t held_count = 0;
	struct message_oldest_unsent_row oldest;
	struct message_oldest_unsent_args now = { .now = clock_now() };
	enum rc rc = receipt_count_waiting(tx, &arena, &receipts, err);
	if (rc == OK)
		rc = incoming_count_waiting(tx, &arena, &inbox, err);
	if (rc == OK)
		rc = notice_list_held(tx, &arena, &held, &held_count, err);
	if (rc == OK)
		rc = message_oldest_unsent(tx, &arena, &now, &oldest, err);
	if (rc == OK) {
		counting->unmatched = receipts.waiting;
		counting->inbox = inbox.waiting;
		counting->held = (int64_t)held_count;
		counting->oldest = oldest.oldest == DB_NULL ? 0 : oldest.oldest;
	}
	arena_release(&arena);
	return rc;
}

/* The oldest due message of an opened block that was never tried: the block's first ones go first. */
static int64_t oldest_in_works(const struct engine *engine, int64_t now)
{
	int64_t oldest = 0;
	size_t at = 0;
	void *value;
	while (id_map_each(&engine->works, &at, &value)) {
		const struct work *work = value;
		if (work->count[MESSAGE_QUEUED] > 0 && work->cursor < BLOCK_PEOPLE_MAX && live_is_open(work->live, now) &&
		    (oldest == 0 || work->opened_at < oldest))
			oldest = work->opened_at;
	}
	return oldest;
}

static void count_memory(const struct engine *engine, struct messages_figures *out)
{
	size_t at = 0;
	void *value;
	out->submitted = out->in_doubt = 0;
	while (id_map_each(&engine->works, &at, &value)) {
		const struct work *work = value;
		out->submitted += work->count[MESSAGE_SUBMITTED];
		out->in_doubt += work->count[MESSAGE_IN_DOUBT];
	}
	out->routes = engine->road_count;
	out->routes_up = 0;
	for (size_t i = 0; i < engine->road_count; i++)
		out->routes_up += engine->roads[i].up;
	for (size_t channel = 0; channel < CHANNEL_KIND_COUNT; channel++)
		for (size_t lane = 0; lane < LANE_COUNT; lane++)
			out->queued[channel][lane] = engine->backlog[channel][lane];
}

static void raise_alarms(struct engine *engine, const struct messages_figures *figures, int64_t now)
{
	bool old = figures->oldest_unsent > 0 && now - figures->oldest_unsent > OLD_UNSENT;
	if (old && !engine->alarmed)
		log_error("alarm", LOGC("what", "messages wait unsent"), LOGI("seconds", (now - figures->oldest_unsent) / CLOCK_SECOND));
	engine->alarmed = old;
}

void figures_update(struct engine *engine)
{
	int64_t now = clock_monotonic();
	if (now < engine->counted_at)
		return;
	engine->counted_at = now + COUNT_EVERY;
	struct messages_figures figures = { 0 };
	struct counting counting = { 0 };
	if (db_read(engine->house->db, count_work, &counting, NULL) != OK)
		return;
	count_memory(engine, &figures);
	int64_t in_works = oldest_in_works(engine, clock_now());
	figures.unmatched_receipts = counting.unmatched;
	figures.inbox_waiting = counting.inbox;
	figures.held_notices = counting.held;
	figures.oldest_unsent = in_works > 0 && (counting.oldest == 0 || in_works < counting.oldest) ? in_works : counting.oldest;
	size_t handed = 0;
	for (size_t i = 0; i < engine->road_count; i++)
		handed += engine->roads[i].handed_seen;
	figures.sent = (int64_t)handed;
	raise_alarms(engine, &figures, clock_now());
	pthread_mutex_lock(&engine->figures_lock);
	engine->figures = figures;
	pthread_mutex_unlock(&engine->figures_lock);
}

void messages_figures(struct house *house, struct messages_figures *out)
{
	struct engine *engine = engine_of(house);
	pthread_mutex_lock(&engine->figures_lock);
	*out = engine->figures;
	pthread_mutex_unlock(&engine->figures_lock);
}
