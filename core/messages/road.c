/* The roads out: handing over what is marked, and taking in what channels report. */
#include <stdlib.h>

#include "core/messages/internal.h"

#define SUBMIT_MOST 64

/* Grows a heap array; what cannot be grown ends the process, as with arenas. */
static void *grow(void *items, size_t *capacity, size_t size)
{
	*capacity = *capacity ? *capacity * 2 : 64;
	void *grown = realloc(items, *capacity * size);
	if (!grown)
		abort();
	return grown;
}

static void copy_text(char *out, size_t size, struct str text)
{
	size_t length = text.len < size ? text.len : size - 1;
	/* Not within a character: the store refuses broken UTF-8. */
	while (length > 0 && length < text.len && ((unsigned char)text.ptr[length] & 0xc0) == 0x80)
		length--;
	if (length > 0)
		memcpy(out, text.ptr, length);
	out[length] = 0;
	if (!utf8_valid((struct str){ out, length }) || memchr(out, 0, length))
		for (size_t i = 0; i < length; i++)
			if ((unsigned char)out[i] >= 0x80 || out[i] == 0)
				out[i] = '?';
}

/* Call with mailbox_lock held. */
static struct report *new_report(struct mail *mail)
{
	if (mail->result_count == mail->result_capacity)
		mail->results = grow(mail->results, &mail->result_capacity, sizeof *mail->results);
	struct report *report = &mail->results[mail->result_count++];
	memset(report, 0, sizeof *report);
	return report;
}

void engine_wake(struct engine *engine)
{
	pthread_mutex_lock(&engine->mailbox_lock);
	engine->woken = true;
	pthread_cond_signal(&engine->wake);
	pthread_mutex_unlock(&engine->mailbox_lock);
}

/* --- hand-over ------------------------------------------------------------------------------------------------------ */

/* A marked message that must not leave any more: it goes back as 'never handed over'. */
static void give_back(struct road *road, struct flight *flight)
{
	struct engine *engine = road->engine;
	batch_done(flight->batch);
	flight->batch = NULL;
	pthread_mutex_lock(&engine->mailbox_lock);
	struct report *report = new_report(&engine->mailbox);
	report->message = flight->id;
	report->part = CHANNEL_WHOLE_MESSAGE;
	report->road = road->index;
	report->outcome = CHANNEL_RETURNED;
	engine->woken = true;
	pthread_cond_signal(&engine->wake);
	pthread_mutex_unlock(&engine->mailbox_lock);
}

/* Takes up to SUBMIT_MOST staged messages whose gates are open, the most urgent first. */
static size_t take_staged(struct road *road, struct flight **out)
{
	size_t count = 0;
	int64_t now = clock_now();
	for (int64_t lane = 0; lane < LANE_COUNT; lane++) {
		struct queue *queue = &road->staged[lane];
		size_t left = queue->count;
		while (count < SUBMIT_MOST && left-- > 0) {
			struct flight *flight = queue_pop(queue);
			uint64_t gate = flight->live ? atomic_load(&flight->live->gate) & GATE_BITS : GATE_OPEN;
			if (gate == GATE_SUSPECT) {
				queue_push(queue, flight); /* the dispatcher is asking */
				continue;
			}
			if (gate == GATE_SUPERSEDED || flight->expires_at <= now || flight->cancelled) {
				road->staged_count--;
				give_back(road, flight);
				continue;
			}
			out[count++] = flight;
		}
	}
	road->staged_count -= count;
	return count;
}

static void put_back(struct road *road, struct flight *const *flights, size_t count)
{
	/* In front again, so that the order stays. */
	for (size_t i = count; i-- > 0;) {
		struct flight *flight = flights[i];
		struct queue *queue = &road->staged[flight->lane];
		flight->phase = PHASE_STAGED;
		flight->next = queue->first;
		queue->first = flight;
		if (!queue->last)
			queue->last = flight;
		queue->count++;
	}
	road->staged_count += count;
}

static size_t submit(struct road *road, struct flight **flights, size_t count)
{
	struct channel_message messages[SUBMIT_MOST];
	struct batch *batches[SUBMIT_MOST];
	for (size_t i = 0; i < count; i++) {
		messages[i] = flights[i]->message;
		batches[i] = flights[i]->batch;
		flights[i]->batch = NULL;
		flights[i]->phase = PHASE_HANDED;
	}
	/* From here on the answer of a message that was taken may come, and the dispatcher may forget the flight. */
	size_t taken = channel_submit(road->channel, messages, count);
	for (size_t i = 0; i < taken; i++)
		batch_done(batches[i]);
	for (size_t i = taken; i < count; i++)
		flights[i]->batch = batches[i];
	put_back(road, flights + taken, count - taken);
	road->handed += taken;
	return taken;
}

void road_push(struct road *road)
{
	/* A process that slept too long must not go on as if nothing had happened: another may have taken what it had. */
	if (clock_now() >= atomic_load(&road->engine->lease_until))
		return;
	pthread_mutex_lock(&road->lock);
	while (road->staged_count > 0 && road->up) {
		struct flight *flights[SUBMIT_MOST];
		size_t count = take_staged(road, flights);
		if (count == 0 || submit(road, flights, count) < count)
			break;
	}
	pthread_mutex_unlock(&road->lock);
}

void road_stage(struct road *road, struct flight *flight)
{
	pthread_mutex_lock(&road->lock);
	flight->phase = PHASE_STAGED;
	queue_push(&road->staged[flight->lane], flight);
	road->staged_count++;
	pthread_mutex_unlock(&road->lock);
}

void road_cancel(struct engine *engine, struct flight *flight)
{
	if (flight->road == ROAD_NONE) { /* nobody hands it over yet */
		flight->cancelled = true;
		return;
	}
	struct road *road = &engine->roads[flight->road];
	pthread_mutex_lock(&road->lock);
	flight->cancelled = true;
	pthread_mutex_unlock(&road->lock);
	road_push(road);
}

void road_return(struct road *road)
{
	pthread_mutex_lock(&road->lock);
	for (int64_t lane = 0; lane < LANE_COUNT; lane++) {
		struct flight *flight;
		while ((flight = queue_pop(&road->staged[lane]))) {
			road->staged_count--;
			give_back(road, flight);
		}
	}
	pthread_mutex_unlock(&road->lock);
}

size_t road_room(struct road *road, size_t *urgent)
{
	*urgent = 0;
	if (!road->up)
		return 0;
	struct channel_counters counters;
	channel_counters(road->channel, &counters);
	size_t capacity = channel_capacity(road->channel);
	size_t most = (size_t)setting_int(road->engine->house, "messages.unrecorded_most") + counters.window;
	pthread_mutex_lock(&road->lock);
	size_t staged = road->staged_count, handed = road->handed;
	size_t staged_urgent = road->staged[LANE_CODE].count + road->staged[LANE_ANSWER].count;
	pthread_mutex_unlock(&road->lock);
	/* What left since the last look may leave again until the next: so much is marked ahead, that the road need not wait for us. */
	road->pace = handed - road->handed_seen;
	road->handed_seen = handed;
	size_t wanted = capacity + (road->pace < counters.window ? road->pace : counters.window);
	size_t room = wanted > staged ? wanted - staged : 0;
	size_t allowed = most > road->unrecorded ? most - road->unrecorded : 0;
	/* Somebody waits for a code: it is marked whatever else is marked ahead, and takes the next place that comes free. */
	*urgent = counters.window > staged_urgent ? counters.window - staged_urgent : 0;
	return room < allowed ? room : allowed;
}

/* --- what channels report ---------------------------------------------------------------------------------------------- */

static void on_results(void *context, struct channel *channel, const struct channel_result *results, size_t count)
{
	(void)channel;
	struct road *road = context;
	struct engine *engine = road->engine;
	pthread_mutex_lock(&engine->mailbox_lock);
	for (size_t i = 0; i < count; i++) {
		struct report *report = new_report(&engine->mailbox);
		report->message = results[i].message;
		report->key = results[i].key;
		report->code = results[i].code;
		report->part = results[i].part;
		report->road = road->index;
		report->outcome = (uint8_t)results[i].outcome;
		report->fault = (uint8_t)results[i].fault;
		report->late = results[i].late;
		copy_text(report->carrier_id, sizeof report->carrier_id, results[i].carrier_id);
		copy_text(report->text, sizeof report->text, results[i].text);
	}
	engine->woken = true;
	pthread_cond_signal(&engine->wake);
	pthread_mutex_unlock(&engine->mailbox_lock);
	road_push(road);
}

/* Call with mailbox_lock held. False when too many wait: the carrier is told to come again. */
static bool put_incoming(struct road *road, const struct channel_incoming *incoming, bool only_if_unmatched, size_t *index)
{
	struct mail *mail = &road->engine->mailbox;
	if (mail->incoming_count >= INCOMING_MOST)
		return false;
	if (mail->incoming_count == mail->incoming_capacity)
		mail->incoming = grow(mail->incoming, &mail->incoming_capacity, sizeof *mail->incoming);
	struct incoming_report *report = &mail->incoming[mail->incoming_count];
	*report = (struct incoming_report){
		.ticket = incoming->ticket,
		.road = road->index,
		.data_coding = incoming->data_coding,
		.esm_class = incoming->esm_class,
		.part_reference = incoming->part_reference,
		.part_total = incoming->part_total,
		.part_number = incoming->part_number,
		.only_if_unmatched = only_if_unmatched,
		.take = !only_if_unmatched,
	};
	copy_text(report->from, sizeof report->from, incoming->from);
	copy_text(report->to, sizeof report->to, incoming->to);
	char *bytes = malloc(incoming->bytes.len + 1);
	if (!bytes)
		abort();
	if (incoming->bytes.len > 0)
		memcpy(bytes, incoming->bytes.ptr, incoming->bytes.len);
	report->bytes = (struct str){ bytes, incoming->bytes.len };
	*index = mail->incoming_count++;
	return true;
}

static bool put_receipt(struct road *road, const struct channel_receipt *receipt)
{
	struct mail *mail = &road->engine->mailbox;
	size_t incoming = 0;
	if (mail->receipt_count >= RECEIPTS_MOST ||
	    (receipt->by_content && !put_incoming(road, receipt->by_content, true, &incoming)))
		return false;
	if (mail->receipt_count == mail->receipt_capacity)
		mail->receipts = grow(mail->receipts, &mail->receipt_capacity, sizeof *mail->receipts);
	struct receipt_report *report = &mail->receipts[mail->receipt_count++];
	memset(report, 0, sizeof *report);
	report->ticket = receipt->ticket;
	report->has_ticket = true;
	report->key_count = receipt->key_count < CHANNEL_RECEIPT_KEYS ? receipt->key_count : CHANNEL_RECEIPT_KEYS;
	memcpy(report->keys, receipt->keys, sizeof report->keys);
	report->road = road->index;
	report->delivery = (uint8_t)receipt->delivery;
	report->by_content = receipt->by_content != NULL;
	report->incoming = incoming;
	copy_text(report->carrier_id, sizeof report->carrier_id, receipt->carrier_id);
	copy_text(report->from, sizeof report->from, receipt->from);
	copy_text(report->stat, sizeof report->stat, receipt->stat);
	copy_text(report->error, sizeof report->error, receipt->error);
	return true;
}

static void on_receipts(void *context, struct channel *channel, const struct channel_receipt *receipts, size_t count)
{
	struct road *road = context;
	struct engine *engine = road->engine;
	size_t taken = 0;
	pthread_mutex_lock(&engine->mailbox_lock);
	while (taken < count && put_receipt(road, &receipts[taken]))
		taken++;
	engine->woken = true;
	pthread_cond_signal(&engine->wake);
	pthread_mutex_unlock(&engine->mailbox_lock);
	for (; taken < count; taken++)
		channel_acknowledge(channel, &receipts[taken].ticket, 1, false);
}

static void on_incoming(void *context, struct channel *channel, const struct channel_incoming *incoming, size_t count)
{
	struct road *road = context;
	struct engine *engine = road->engine;
	size_t taken = 0, index;
	pthread_mutex_lock(&engine->mailbox_lock);
	while (taken < count && put_incoming(road, &incoming[taken], false, &index))
		taken++;
	engine->woken = true;
	pthread_cond_signal(&engine->wake);
	pthread_mutex_unlock(&engine->mailbox_lock);
	for (; taken < count; taken++)
		channel_acknowledge(channel, &incoming[taken].ticket, 1, false);
}

static void on_state(void *context, struct channel *channel, bool up, struct str reason)
{
	struct road *road = context;
	struct engine *engine = road->engine;
	bool was_up = atomic_exchange(&road->up, up);
	if (up)
		log_info("road_up", LOGC("road", channel->name));
	else
		log_warn("road_down", LOGC("road", channel->name), LOGS("reason", reason));
	if (!up && was_up)
		road_return(road);
	pthread_mutex_lock(&engine->mailbox_lock);
	road->went_down |= !up;
	engine->woken = true;
	pthread_cond_signal(&engine->wake);
	pthread_mutex_unlock(&engine->mailbox_lock);
}

static void on_room(void *context, struct channel *channel)
{
	(void)channel;
	struct road *road = context;
	road_push(road);
	engine_wake(road->engine);
}

const struct channel_events road_events = {
	.on_results = on_results,
	.on_receipts = on_receipts,
	.on_incoming = on_incoming,
	.on_state = on_state,
	.on_room = on_room,
};
