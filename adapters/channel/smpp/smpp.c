/* What the engine calls. */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "adapters/channel/smpp/route.h"

#define SLOTS_LEAST 16384
#define VENDOR_MAX 4096

struct smpp_route_settings smpp_route_defaults(void)
{
	return (struct smpp_route_settings){
		.window = 100,
		.enquire_every = 30 * CLOCK_SECOND,
		.answer_within = 60 * CLOCK_SECOND,
		.connect_within = 15 * CLOCK_SECOND,
		.retry_first = CLOCK_SECOND,
		.retry_most = 60 * CLOCK_SECOND,
		.bare_is_international = true,
		.source_ton = -1,
		.source_npi = -1,
		.destination_ton = -1,
		.destination_npi = -1,
	};
}

/* --- addresses -------------------------------------------------------------------------------------------- */

static bool all_digits(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return s.len > 0;
}

/* E.164 with or without +, or a short code: at most 15 digits (ITU-T E.164, 6). */
static bool destination_of(struct str to, struct smpp_address *out)
{
	bool plus = str_starts(to, S("+"));
	struct str digits = str_slice(to, plus ? 1 : 0, to.len);
	if (!all_digits(digits) || digits.len > 15 || digits.len < 3)
		return false;
	bool international = plus || digits.len > 7;
	*out = (struct smpp_address){ international ? 1 : 0, 1, digits };
	return true;
}

/* Types of number as carriers expect them: international 1/1, short code 3/0, letters 5/0. */
static bool sender_of(struct str sender, struct smpp_address *out)
{
	if (sender.len == 0) {
		*out = (struct smpp_address){ 0, 0, S("") }; /* the carrier puts its own */
		return true;
	}
	bool plus = str_starts(sender, S("+"));
	struct str digits = str_slice(sender, plus ? 1 : 0, sender.len);
	if (all_digits(digits) && digits.len <= 15) {
		bool short_code = !plus && digits.len <= 7;
		*out = (struct smpp_address){ short_code ? 3 : 1, short_code ? 0 : 1, digits };
		return true;
	}
	for (size_t i = 0; i < sender.len; i++)
		if (sender.ptr[i] < ' ' || sender.ptr[i] > '~')
			return false;
	*out = (struct smpp_address){ 5, 0, sender };
	return sender.len <= 11; /* 3GPP TS 23.040, 9.1.2.5: 11 characters fit */
}

/* What was agreed goes before what the number looks like. */
static void agree(struct smpp_address *address, int ton, int npi)
{
	if (ton >= 0)
		address->ton = (uint8_t)ton;
	if (npi >= 0)
		address->npi = (uint8_t)npi;
}

/* --- submitting ------------------------------------------------------------------------------------------- */

static void wake_thread(struct smpp_route *r)
{
	uint64_t one = 1;
	/* It can fail only when the counter is full, and then the thread wakes anyway. */
	ssize_t ignored = write(r->wake, &one, sizeof one);
	(void)ignored;
}

static size_t window_room(const struct smpp_route *r)
{
	return r->outstanding < r->settings.window ? r->settings.window - r->outstanding : 0;
}

static size_t room_now(struct smpp_route *r)
{
	if (!r->up || r->stopping || r->settings.bind == SMPP_ROUTE_RECEIVER)
		return 0;
	size_t paced = pacing_room(&r->pacing, clock_monotonic());
	size_t window = window_room(r);
	return paced < window ? paced : window;
}

/* Why a message cannot be put on the wire, or NULL; fills what its parts have in common. */
static const char *prepare(struct smpp_route *r, const struct channel_message *m, struct smpp_message *out,
                           enum channel_fault *fault)
{
	const struct channel_sms *sms = m->sms;
	*fault = CHANNEL_FAULT_MESSAGE;
	if (!sms || sms->part_count == 0)
		return "no text";
	if (sms->part_count > CHANNEL_PARTS_MAX)
		return "too many parts";
	for (size_t i = 0; i < sms->part_count; i++)
		if (sms->parts[i].bytes.len > (sms->payload ? CHANNEL_PAYLOAD_MAX : CHANNEL_PART_BYTES_MAX))
			return "part too long";
	const struct smpp_route_settings *s = &r->settings;
	*out = (struct smpp_message){ .service_type = s->service_type, .registered_delivery = sms->receipt, .vendor = s->vendor };
	if (!sender_of(sms->sender.len ? sms->sender : s->sender, &out->source))
		return "sender does not fit";
	if (!destination_of(m->to, &out->destination)) {
		*fault = CHANNEL_FAULT_RECIPIENT;
		return "not a phone number";
	}
	agree(&out->source, s->source_ton, s->source_npi);
	agree(&out->destination, s->destination_ton, s->destination_npi);
	return NULL;
}

static void stage(struct smpp_route *r, const struct channel_message *m, int64_t now)
{
	struct smpp_message wire;
	enum channel_fault fault;
	const char *why = prepare(r, m, &wire, &fault);
	if (why) {
		r->refusals[r->refusal_count++] = (struct refusal){ m->id, fault, why };
		r->outstanding++;
		return;
	}
	char validity[17];
	if (m->sms->expires && r->settings.validity != SMPP_ROUTE_VALIDITY_NONE) {
		if (r->settings.validity == SMPP_ROUTE_VALIDITY_ABSOLUTE)
			smpp_time_absolute(m->sms->expires, validity);
		else
			smpp_time_relative((m->sms->expires - clock_now()) / CLOCK_SECOND, validity);
		wire.validity_period = (struct str){ validity, 16 };
	}
	for (size_t i = 0; i < m->sms->part_count; i++) {
		const struct channel_part *part = &m->sms->parts[i];
		struct smpp_slot *slot = smpp_slot_take(r, m->id, (uint16_t)(m->sms->first_part + i), now);
		wire.data_coding = part->data_coding;
		wire.esm_class = part->esm_class;
		*(m->sms->payload ? &wire.message_payload : &wire.short_message) = part->bytes;
		wire.sar_reference = m->sms->sar_reference;
		wire.sar_total = m->sms->sar_total;
		wire.sar_number = (uint8_t)(m->sms->first_part + i + 1);
		smpp_put_message(&r->staged, SMPP_SUBMIT_SM, smpp_slot_sequence(slot->serial), &wire); /* all fits: prepare() saw to it */
	}
	pacing_take(&r->pacing, m->sms->part_count);
}

static size_t submit(struct channel *channel, const struct channel_message *messages, size_t count)
{
	struct smpp_route *r = (struct smpp_route *)channel;
	size_t taken = 0;
	pthread_mutex_lock(&r->lock);
	int64_t now = clock_monotonic();
	for (; taken < count && room_now(r) > 0; taken++) {
		const struct channel_sms *sms = messages[taken].sms;
		size_t parts = sms && sms->part_count <= CHANNEL_PARTS_MAX ? sms->part_count : 1;
		if (parts > window_room(r) && r->outstanding > 0)
			break; /* taken whole, when the window is empty at the latest */
		stage(r, &messages[taken], now);
	}
	if (taken < count)
		r->wants_room = true;
	pthread_mutex_unlock(&r->lock);
	if (taken > 0 && smpp_route_here != r)
		wake_thread(r);
	return taken;
}

static size_t capacity(struct channel *channel)
{
	struct smpp_route *r = (struct smpp_route *)channel;
	pthread_mutex_lock(&r->lock);
	size_t room = room_now(r);
	if (room == 0)
		r->wants_room = true;
	pthread_mutex_unlock(&r->lock);
	return room;
}

static void acknowledge(struct channel *channel, const uint64_t *tickets, size_t count, bool stored)
{
	struct smpp_route *r = (struct smpp_route *)channel;
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < count; i++) {
		if (tickets[i] >> 33 != r->generation)
			continue;
		uint32_t command = tickets[i] >> 32 & 1 ? SMPP_DATA_SM : SMPP_DELIVER_SM;
		smpp_put_message_response(&r->replies, command, stored ? SMPP_ROK : SMPP_RX_T_APPN, (uint32_t)tickets[i], S(""));
	}
	pthread_mutex_unlock(&r->lock);
	if (smpp_route_here != r)
		wake_thread(r);
}

static void counters(struct channel *channel, struct channel_counters *out)
{
	struct smpp_route *r = (struct smpp_route *)channel;
	pthread_mutex_lock(&r->lock);
	*out = r->counters;
	out->up = r->up;
	out->window = r->settings.bind == SMPP_ROUTE_RECEIVER ? 0 : r->settings.window;
	out->outstanding = r->outstanding;
	out->rate = r->pacing.rate;
	pthread_mutex_unlock(&r->lock);
}

/* --- life ------------------------------------------------------------------------------------------------- */

static enum rc start(struct channel *channel, const struct channel_events *events, void *context, struct err *err)
{
	struct smpp_route *r = (struct smpp_route *)channel;
	r->events = events;
	r->context = context;
	r->stopping = false;
	r->state = ROUTE_DOWN;
	r->retry_at = 0;
	r->retry_wait = 0;
	r->reason[0] = 0;
	pacing_init(&r->pacing, (double)r->settings.rate, clock_monotonic());
	int code = pthread_create(&r->thread, NULL, smpp_route_run, r);
	if (code)
		return err_set(err, FAILED, "%s: cannot start a thread: %s", channel->name, strerror(code));
	r->running = true;
	return OK;
}

static void stop(struct channel *channel, int64_t patience)
{
	struct smpp_route *r = (struct smpp_route *)channel;
	if (!r->running)
		return;
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	r->stop_by = clock_monotonic() + patience;
	pthread_mutex_unlock(&r->lock);
	wake_thread(r);
	pthread_join(r->thread, NULL);
	r->running = false;
}

static void free_route(struct channel *channel)
{
	struct smpp_route *r = (struct smpp_route *)channel;
	stop(channel, 0);
	close(r->wake);
	pthread_mutex_destroy(&r->lock);
	buf_release(&r->staged);
	buf_release(&r->replies);
	buf_release(&r->in);
	buf_release(&r->out);
	arena_release(&r->batch);
	arena_release(&r->memory);
	transport_tls_free(r->tls);
	free(r->slots);
	free(r->refusals);
	free(r);
}

static const struct channel_methods METHODS = { start, stop, capacity, submit, acknowledge, counters, free_route };

static enum rc check_settings(const struct smpp_route_settings *s, struct err *err)
{
	struct smpp_address address;
	if (s->name.len == 0 || s->host.len == 0 || s->port == 0)
		return err_set(err, INVALID, "an SMPP route needs a name, a host and a port");
	if (s->system_id.len > 64 || s->password.len > 64 || s->system_type.len > 64 || s->service_type.len > 5)
		return err_set(err, INVALID, "%.*s: an account field is too long for SMPP", STR_ARG(s->name));
	if (s->vendor.len > VENDOR_MAX || s->status_rule_count > SMPP_STATUS_RULES_MAX)
		return err_set(err, INVALID, "%.*s: too many vendor TLVs or status rules", STR_ARG(s->name));
	if (s->source_ton > 255 || s->source_npi > 255 || s->destination_ton > 255 || s->destination_npi > 255)
		return err_set(err, INVALID, "%.*s: a type of number is one octet", STR_ARG(s->name));
	if (s->window < 1 || s->window > SMPP_WINDOW_MAX)
		return err_set(err, INVALID, "%.*s: the window is 1 to %d", STR_ARG(s->name), SMPP_WINDOW_MAX);
	if (s->enquire_every <= 0 || s->answer_within <= 0 || s->connect_within <= 0 || s->retry_first <= 0 ||
	    s->retry_most < s->retry_first)
		return err_set(err, INVALID, "%.*s: times must be above zero", STR_ARG(s->name));
	if (!sender_of(s->sender, &address))
		return err_set(err, INVALID, "%.*s: the sender is a number or at most 11 letters", STR_ARG(s->name));
	return OK;
}

static void copy_settings(struct smpp_route *r, const struct smpp_route_settings *from)
{
	struct smpp_route_settings *s = &r->settings;
	*s = *from;
	s->name = str_copy(&r->memory, from->name);
	s->host = str_copy(&r->memory, from->host);
	s->system_id = str_copy(&r->memory, from->system_id);
	s->password = str_copy(&r->memory, from->password);
	s->system_type = str_copy(&r->memory, from->system_type);
	s->service_type = str_copy(&r->memory, from->service_type);
	s->sender = str_copy(&r->memory, from->sender);
	s->vendor = str_copy(&r->memory, from->vendor);
	s->tls_ca = s->tls_name = S(""); /* done with */
	if (from->status_rule_count > 0) {
		struct smpp_status_rule *rules = ARENA_NEW_ARRAY(&r->memory, struct smpp_status_rule, from->status_rule_count);
		memcpy(rules, from->status_rules, from->status_rule_count * sizeof *rules);
		s->status_rules = rules;
	}
}

enum rc smpp_channel_new(const struct smpp_route_settings *settings, struct channel **out, struct err *err)
{
	enum rc rc = check_settings(settings, err);
	if (rc != OK)
		return rc;
	struct transport_tls *tls = NULL;
	if (settings->tls)
		rc = transport_tls_new(settings->tls_ca, settings->tls_name.len ? settings->tls_name : settings->host, &tls, err);
	if (rc != OK)
		return rc;
	size_t slots = SLOTS_LEAST;
	while (slots < settings->window * 8)
		slots *= 2;
	struct smpp_route *r = calloc(1, sizeof *r);
	struct smpp_slot *ring = calloc(slots, sizeof *ring);
	/* As many refusals as the window lets in at once, or one message into an empty window. */
	struct refusal *refusals = calloc(settings->window, sizeof *refusals);
	int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (!r || !ring || !refusals || wake < 0) {
		free(r);
		free(ring);
		free(refusals);
		transport_tls_free(tls);
		if (wake >= 0)
			close(wake);
		return err_set(err, FAILED, "%.*s: out of memory or descriptors", STR_ARG(settings->name));
	}
	arena_init(&r->memory);
	arena_init(&r->batch);
	copy_settings(r, settings);
	r->channel = (struct channel){ &METHODS, r->settings.name.ptr, CHANNEL_SMS };
	r->slots = ring;
	r->mask = slots - 1;
	r->next = r->oldest = 1;
	r->refusals = refusals;
	r->wake = wake;
	r->line.fd = -1;
	r->tls = tls;
	pthread_mutex_init(&r->lock, NULL);
	buf_init(&r->staged);
	buf_init(&r->replies);
	buf_init(&r->in);
	buf_init(&r->out);
	*out = &r->channel;
	return OK;
}
