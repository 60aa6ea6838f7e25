#include <stdio.h>
#include <stdlib.h>

#include "tests/engine/fake_channel.h"

#include "kernel/smpp/smpp.h"

static struct fake_channel *of(struct channel *channel)
{
	return (struct fake_channel *)channel;
}

static enum rc start(struct channel *channel, const struct channel_events *events, void *context, struct err *err)
{
	(void)err;
	of(channel)->events = events;
	of(channel)->context = context;
	fake_up(of(channel));
	return OK;
}

static void stop(struct channel *channel, int64_t patience)
{
	(void)patience;
	struct fake_channel *fake = of(channel);
	pthread_mutex_lock(&fake->lock);
	bool was_up = fake->up;
	fake->up = was_up && !fake->stops_quietly;
	pthread_mutex_unlock(&fake->lock);
	if (was_up && !fake->stops_quietly)
		fake_cut(fake);
}

static size_t capacity(struct channel *channel)
{
	struct fake_channel *fake = of(channel);
	pthread_mutex_lock(&fake->lock);
	size_t room = fake->up && fake->window > fake->outstanding ? fake->window - fake->outstanding : 0;
	pthread_mutex_unlock(&fake->lock);
	return room;
}

static void copy(char *out, size_t size, struct str text)
{
	size_t length = text.len < size ? text.len : size - 1;
	if (length > 0)
		memcpy(out, text.ptr, length);
	out[length] = 0;
}

static void keep(struct fake_channel *fake, const struct channel_message *message, size_t parts)
{
	struct fake_message *kept = &fake->messages[fake->count++];
	memset(kept, 0, sizeof *kept);
	kept->id = message->id;
	kept->parts = parts;
	copy(kept->to, sizeof kept->to, message->to);
	if (message->sms) {
		kept->first_part = message->sms->first_part;
		copy(kept->text, sizeof kept->text, message->sms->parts[0].bytes);
	} else {
		copy(kept->text, sizeof kept->text, message->mail->text);
		copy(kept->references, sizeof kept->references, message->mail->references);
		copy(kept->message_id, sizeof kept->message_id, message->mail->message_id);
		copy(kept->unsubscribe, sizeof kept->unsubscribe, message->mail->unsubscribe);
	}
}

static size_t submit(struct channel *channel, const struct channel_message *messages, size_t count)
{
	struct fake_channel *fake = of(channel);
	size_t taken = 0;
	pthread_mutex_lock(&fake->lock);
	for (; fake->up && taken < count; taken++) {
		size_t parts = messages[taken].sms ? messages[taken].sms->part_count : 1;
		if (fake->outstanding + parts > fake->window && fake->outstanding > 0)
			break;
		if (fake->first_at == 0)
			fake->first_at = clock_monotonic();
		fake->outstanding += parts;
		fake->submitted++;
		if (fake->count < FAKE_MOST)
			keep(fake, &messages[taken], parts);
	}
	pthread_mutex_unlock(&fake->lock);
	return taken;
}

static void acknowledge(struct channel *channel, const uint64_t *tickets, size_t count, bool stored)
{
	(void)tickets;
	if (stored)
		of(channel)->tickets_stored += count;
	else
		of(channel)->tickets_refused += count;
}

static void counters(struct channel *channel, struct channel_counters *out)
{
	struct fake_channel *fake = of(channel);
	pthread_mutex_lock(&fake->lock);
	*out = (struct channel_counters){ .up = fake->up, .window = fake->window, .outstanding = fake->outstanding };
	pthread_mutex_unlock(&fake->lock);
}

static void release(struct channel *channel)
{
	fake_release(of(channel));
}

static const struct channel_methods methods = { start, stop, capacity, submit, acknowledge, counters, release };

void fake_init(struct fake_channel *fake, const char *name, enum channel_kind kind, size_t window)
{
	*fake = (struct fake_channel){ .channel = { &methods, name, kind }, .window = window, .next_ticket = 1 };
	pthread_mutex_init(&fake->lock, NULL);
	fake->messages = calloc(FAKE_MOST, sizeof *fake->messages);
	if (!fake->messages)
		abort();
}

void fake_release(struct fake_channel *fake)
{
	free(fake->messages);
	fake->messages = NULL;
	pthread_mutex_destroy(&fake->lock);
}

void fake_up(struct fake_channel *fake)
{
	pthread_mutex_lock(&fake->lock);
	fake->up = true;
	pthread_mutex_unlock(&fake->lock);
	fake->events->on_state(fake->context, &fake->channel, true, S("bound"));
	fake->events->on_room(fake->context, &fake->channel);
}

static void report(struct fake_channel *fake, const struct channel_result *result)
{
	fake->events->on_results(fake->context, &fake->channel, result, 1);
}

void fake_cut(struct fake_channel *fake)
{
	pthread_mutex_lock(&fake->lock);
	fake->up = false;
	pthread_mutex_unlock(&fake->lock);
	for (size_t i = 0; i < fake->count; i++)
		while (fake->messages[i].answered < fake->messages[i].parts) {
			struct channel_result result = {
				.message = fake->messages[i].id,
				.part = (uint16_t)(fake->messages[i].first_part + fake->messages[i].answered++),
				.outcome = CHANNEL_IN_DOUBT,
				.carrier_id = S(""),
				.text = S("connection lost"),
			};
			fake->outstanding--;
			report(fake, &result);
		}
	fake->events->on_state(fake->context, &fake->channel, false, S("cut"));
}

static uint64_t key_of(const char *carrier_id)
{
	uint64_t keys[SMPP_ID_KEYS];
	return smpp_id_keys(str_from(carrier_id), keys) > 0 ? keys[0] : 0;
}

void fake_accept(struct fake_channel *fake, size_t index, uint16_t part, const char *carrier_id)
{
	struct fake_message *message = &fake->messages[index];
	message->answered++;
	fake->outstanding--;
	struct channel_result result = {
		.message = message->id,
		.part = part,
		.outcome = CHANNEL_ACCEPTED,
		.key = fake->channel.kind == CHANNEL_SMS ? key_of(carrier_id) : 0,
		.carrier_id = fake->channel.kind == CHANNEL_SMS ? str_from(carrier_id) : S(""),
		.text = S("ok"),
		.code = fake->channel.kind == CHANNEL_SMS ? 0 : 250,
	};
	report(fake, &result);
}

static void answer(struct fake_channel *fake, size_t index, struct channel_result result)
{
	struct fake_message *message = &fake->messages[index];
	result.message = message->id;
	result.part = (uint16_t)(message->first_part + message->answered++);
	result.carrier_id = S("");
	fake->outstanding--;
	report(fake, &result);
}

void fake_refuse(struct fake_channel *fake, size_t index, enum channel_fault fault, uint32_t code)
{
	answer(fake, index, (struct channel_result){ .outcome = CHANNEL_REFUSED, .fault = fault, .code = code, .text = S("REFUSED") });
}

void fake_doubt(struct fake_channel *fake, size_t index)
{
	answer(fake, index, (struct channel_result){ .outcome = CHANNEL_IN_DOUBT, .text = S("no answer") });
}

void fake_late(struct fake_channel *fake, size_t index, enum channel_outcome outcome, const char *carrier_id)
{
	struct channel_result result = {
		.message = fake->messages[index].id,
		.part = fake->messages[index].first_part,
		.late = true,
		.outcome = outcome,
		.fault = outcome == CHANNEL_REFUSED ? CHANNEL_FAULT_MESSAGE : CHANNEL_FAULT_NONE,
		.key = outcome == CHANNEL_ACCEPTED ? key_of(carrier_id) : 0,
		.carrier_id = str_from(carrier_id),
		.text = S("late"),
	};
	report(fake, &result);
}

void fake_accept_all(struct fake_channel *fake)
{
	for (size_t i = 0; i < fake->count; i++)
		while (fake->messages[i].answered < fake->messages[i].parts) {
			char carrier_id[40];
			uint16_t part = (uint16_t)(fake->messages[i].first_part + fake->messages[i].answered);
			snprintf(carrier_id, sizeof carrier_id, "%llX%02X", (unsigned long long)fake->messages[i].id, part);
			fake_accept(fake, i, part, carrier_id);
		}
}

void fake_receipt(struct fake_channel *fake, const char *carrier_id, const char *from, enum channel_delivery delivery,
                  const char *stat)
{
	struct channel_receipt receipt = {
		.ticket = fake->next_ticket++,
		.carrier_id = str_from(carrier_id),
		.from = str_from(from),
		.delivery = delivery,
		.stat = str_from(stat),
		.error = S(""),
	};
	receipt.key_count = smpp_id_keys(receipt.carrier_id, receipt.keys);
	fake->events->on_receipts(fake->context, &fake->channel, &receipt, 1);
}

void fake_incoming(struct fake_channel *fake, const char *from, const char *to, struct str bytes, uint8_t esm_class,
                   uint8_t data_coding)
{
	struct channel_incoming incoming = {
		.ticket = fake->next_ticket++,
		.from = str_from(from),
		.to = str_from(to),
		.data_coding = data_coding,
		.esm_class = esm_class,
		.bytes = bytes,
	};
	fake->events->on_incoming(fake->context, &fake->channel, &incoming, 1);
}

size_t fake_count_to(const struct fake_channel *fake, const char *to)
{
	size_t count = 0;
	for (size_t i = 0; i < fake->count; i++)
		count += strcmp(fake->messages[i].to, to) == 0;
	return count;
}
