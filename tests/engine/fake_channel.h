/* A channel that keeps what it is given and says what the test tells it to. No thread: the test calls its events; a dispatcher's
 * thread may hand over meanwhile. */
#ifndef CHANCERY_TESTS_ENGINE_FAKE_CHANNEL_H
#define CHANCERY_TESTS_ENGINE_FAKE_CHANNEL_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/messages/channel.h"

#define FAKE_MOST 20000

/* One message handed over. */
struct fake_message {
	int64_t id;
	char to[64];
	char text[512];       /* of the SMS parts as octets, or the mail's text */
	char references[128], message_id[128], unsubscribe[128];
	uint16_t first_part;
	size_t parts;
	size_t answered;
};

struct fake_channel {
	struct channel channel;
	const struct channel_events *events;
	void *context;
	pthread_mutex_t lock; /* guards up, outstanding, messages, count and submitted while a dispatcher's thread runs */
	bool up;
	bool stops_quietly;   /* a stop takes nothing more and says so by that alone, as a relay's does */
	size_t window, outstanding;
	struct fake_message *messages; /* FAKE_MOST */
	size_t count;
	uint64_t submitted;   /* in all; counts on when `messages` is full */
	uint64_t tickets_stored, tickets_refused;
	uint64_t next_ticket;
	_Atomic int64_t first_at; /* monotonic, of the first hand-over */
};

void fake_init(struct fake_channel *fake, const char *name, enum channel_kind kind, size_t window);
void fake_release(struct fake_channel *fake);
/* Brings the road up or down; down reports everything unanswered as in doubt first. */
void fake_up(struct fake_channel *fake);
void fake_cut(struct fake_channel *fake);
/* Answers one part of message number `index`. */
void fake_accept(struct fake_channel *fake, size_t index, uint16_t part, const char *carrier_id);
void fake_refuse(struct fake_channel *fake, size_t index, enum channel_fault fault, uint32_t code);
void fake_doubt(struct fake_channel *fake, size_t index);
void fake_late(struct fake_channel *fake, size_t index, enum channel_outcome outcome, const char *carrier_id);
/* Accepts all parts of everything unanswered; ids are "ID-PART". */
void fake_accept_all(struct fake_channel *fake);
void fake_receipt(struct fake_channel *fake, const char *carrier_id, const char *from, enum channel_delivery delivery,
                  const char *stat);
void fake_incoming(struct fake_channel *fake, const char *from, const char *to, struct str bytes, uint8_t esm_class,
                   uint8_t data_coding);
/* Number of messages handed over to one address. */
size_t fake_count_to(const struct fake_channel *fake, const char *to);

#endif
