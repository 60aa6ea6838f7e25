/* The parts in flight: a ring indexed by sequence number. */
#include "adapters/channel/smpp/route.h"

uint64_t smpp_slot_serial(struct smpp_route *r)
{
	if (smpp_slot_sequence(r->next) == 0)
		r->next++;
	return r->next++;
}

struct smpp_slot *smpp_slot_take(struct smpp_route *r, int64_t message, uint16_t part, int64_t now)
{
	for (;;) {
		struct smpp_slot *slot = &r->slots[r->next & r->mask];
		/* A late one keeps its place as long as that is useful, but never more than half of the ring does. */
		bool keep = slot->state == SLOT_STAGED || slot->state == SLOT_SENT ||
		            (slot->state == SLOT_LATE && now - slot->sent_at < ROUTE_LATE_KEPT && r->late <= r->mask / 2);
		if (keep || smpp_slot_sequence(r->next) == 0) {
			r->next++;
			continue;
		}
		if (slot->state == SLOT_LATE)
			r->late--;
		*slot = (struct smpp_slot){ .serial = r->next++, .message = message, .part = part, .state = SLOT_STAGED };
		r->outstanding++;
		r->counters.submitted++;
		return slot;
	}
}

struct smpp_slot *smpp_slot_find(struct smpp_route *r, uint32_t sequence)
{
	struct smpp_slot *slot = &r->slots[sequence & r->mask];
	if ((slot->state != SLOT_SENT && slot->state != SLOT_LATE) || smpp_slot_sequence(slot->serial) != sequence)
		return NULL;
	return slot;
}

struct channel_result *smpp_slot_end(struct smpp_route *r, struct smpp_slot *slot, enum channel_outcome outcome)
{
	bool late = slot->state == SLOT_LATE;
	if (late) {
		r->late--;
		r->counters.late++;
	} else {
		r->outstanding--;
	}
	if (slot->state == SLOT_SENT)
		r->in_flight--;
	slot->state = SLOT_FREE;
	if (outcome == CHANNEL_ACCEPTED)
		r->counters.accepted++;
	else if (outcome == CHANNEL_REFUSED)
		r->counters.refused++;
	else if (outcome == CHANNEL_IN_DOUBT)
		r->counters.in_doubt++;
	else
		r->counters.returned++;
	struct channel_result *result = &r->results[r->result_count++];
	*result = (struct channel_result){ .message = slot->message, .part = slot->part, .late = late, .outcome = outcome };
	return result;
}

int64_t smpp_slot_expire(struct smpp_route *r, int64_t now)
{
	for (; r->oldest < r->next; r->oldest++) {
		struct smpp_slot *slot = &r->slots[r->oldest & r->mask];
		if (slot->serial != r->oldest || slot->state == SLOT_FREE || slot->state == SLOT_LATE)
			continue;
		if (slot->state == SLOT_STAGED)
			return INT64_MAX; /* what follows was not sent earlier */
		if (now - slot->sent_at < r->settings.answer_within || r->result_count == ROUTE_BATCH)
			return slot->sent_at + r->settings.answer_within;
		smpp_slot_end(r, slot, CHANNEL_IN_DOUBT)->text = S("no answer in time");
		slot->state = SLOT_LATE;
		r->late++;
	}
	return INT64_MAX;
}

bool smpp_slot_abandon(struct smpp_route *r, uint64_t written)
{
	/* The ring is walked whole: late ones lie before `oldest`. */
	for (size_t i = 0; i <= r->mask && r->outstanding + r->late > r->refusal_count; i++) {
		struct smpp_slot *slot = &r->slots[i];
		if (slot->state == SLOT_FREE)
			continue;
		if (slot->state == SLOT_LATE) { /* its answer cannot come any more */
			slot->state = SLOT_FREE;
			r->late--;
			continue;
		}
		if (r->result_count == ROUTE_BATCH)
			return false;
		/* Half a PDU was never a message to the carrier; nor was what lay in our own buffer. */
		if (slot->state == SLOT_SENT && slot->end <= written)
			smpp_slot_end(r, slot, CHANNEL_IN_DOUBT)->text = S("connection lost before the answer");
		else
			smpp_slot_end(r, slot, CHANNEL_RETURNED)->text = S("connection lost before it was sent");
	}
	r->oldest = r->next;
	return true;
}
