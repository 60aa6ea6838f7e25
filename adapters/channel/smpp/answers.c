/* What a carrier sends us. */
#include "adapters/channel/smpp/route.h"

static void reply_message(struct smpp_route *r, uint32_t command, uint32_t status, uint32_t sequence)
{
	size_t before = r->out.len;
	smpp_put_message_response(&r->out, command, status, sequence, S(""));
	r->queued += r->out.len - before;
}

static void reply_empty(struct smpp_route *r, uint32_t command, uint32_t status, uint32_t sequence)
{
	size_t before = r->out.len;
	smpp_put_empty(&r->out, command, status, sequence);
	r->queued += r->out.len - before;
}

static enum channel_fault fault_of(const struct smpp_route *r, uint32_t status)
{
	switch (smpp_status_group_by(r->settings.status_rules, r->settings.status_rule_count, status)) {
	case SMPP_GROUP_OK:
		return CHANNEL_FAULT_NONE;
	case SMPP_GROUP_THROTTLE:
		return CHANNEL_FAULT_THROTTLE;
	case SMPP_GROUP_RECIPIENT:
		return CHANNEL_FAULT_RECIPIENT;
	case SMPP_GROUP_MESSAGE:
		return CHANNEL_FAULT_MESSAGE;
	case SMPP_GROUP_BIND: /* our account or connection: an operator's matter, the message may go later */
	case SMPP_GROUP_TEMPORARY:
		break;
	}
	return CHANNEL_FAULT_TEMPORARY;
}

/* Too fast; or 'queue full', which is also said of the queue of one recipient alone: then the message waits, not the road. */
static void take_throttle(struct smpp_route *r, struct channel_result *result, uint64_t serial, int64_t now)
{
	r->counters.throttled++;
	if (result->code != SMPP_RMSGQFUL)
		pacing_throttled(&r->pacing, serial, r->next, now);
	else if (!pacing_queue_full(&r->pacing, serial, r->next, now))
		result->fault = CHANNEL_FAULT_TEMPORARY;
}

/* submit_sm_resp, or a generic_nack to a submit. An answer to nothing we know is old or the carrier's error: it changes
 * nothing, and the counters of what is in flight would show if it was ours. */
static void take_answer(struct smpp_route *r, const struct smpp_pdu *pdu, bool nack, int64_t now)
{
	struct smpp_slot *slot = smpp_slot_find(r, pdu->sequence);
	if (!slot)
		return;
	uint64_t serial = slot->serial;
	if (pdu->status == SMPP_ROK && !nack) {
		struct channel_result *result = smpp_slot_end(r, slot, CHANNEL_ACCEPTED);
		uint64_t keys[SMPP_ID_KEYS];
		if (smpp_id_keys(pdu->id, keys)) {
			result->key = keys[0];
			result->carrier_id = pdu->id;
		}
		pacing_accepted(&r->pacing, 1, now);
		return;
	}
	struct channel_result *result = smpp_slot_end(r, slot, CHANNEL_REFUSED);
	result->code = pdu->status;
	result->text = str_from(smpp_status_name(pdu->status));
	result->fault = pdu->status == SMPP_ROK ? CHANNEL_FAULT_TEMPORARY : fault_of(r, pdu->status);
	if (result->fault == CHANNEL_FAULT_THROTTLE)
		take_throttle(r, result, serial, now);
	if (pdu->status == SMPP_RINVBNDSTS)
		r->close_reason = "carrier says the bind is not good for sending";
}

static uint64_t ticket_of(const struct smpp_route *r, const struct smpp_pdu *pdu)
{
	return (uint64_t)r->generation << 33 | (uint64_t)(pdu->command == SMPP_DATA_SM) << 32 | pdu->sequence;
}

/* A phone's number with + where it can be told that it is international. */
static struct str number_of(struct smpp_route *r, const struct smpp_address *address)
{
	struct str text = address->text;
	bool digits = text.len > 0;
	for (size_t i = 0; i < text.len; i++)
		digits = digits && text.ptr[i] >= '0' && text.ptr[i] <= '9';
	bool bare = r->settings.bare_is_international && address->ton == 0 && text.len >= 8 && text.ptr[0] != '0';
	if (digits && (address->ton == 1 || bare))
		return str_concat(&r->batch, S("+"), text);
	return text;
}

static enum channel_delivery delivery_of(enum smpp_state state)
{
	switch (state) {
	case SMPP_STATE_DELIVERED:
		return CHANNEL_DELIVERY_DELIVERED;
	case SMPP_STATE_EXPIRED:
		return CHANNEL_DELIVERY_EXPIRED;
	case SMPP_STATE_DELETED:
	case SMPP_STATE_UNDELIVERABLE:
	case SMPP_STATE_REJECTED:
		return CHANNEL_DELIVERY_FAILED;
	case SMPP_STATE_ENROUTE:
	case SMPP_STATE_ACCEPTED:
		return CHANNEL_DELIVERY_PENDING;
	case SMPP_STATE_UNKNOWN_WORD:
	case SMPP_STATE_UNKNOWN:
		break;
	}
	return CHANNEL_DELIVERY_UNKNOWN;
}

static struct channel_incoming incoming_of(struct smpp_route *r, const struct smpp_pdu *pdu)
{
	const struct smpp_message *m = &pdu->message;
	return (struct channel_incoming){
		.ticket = ticket_of(r, pdu),
		.from = number_of(r, &m->source),
		.to = number_of(r, &m->destination),
		.data_coding = m->data_coding,
		.esm_class = m->esm_class,
		.bytes = smpp_message_bytes(m),
		.part_reference = m->sar_reference,
		.part_total = m->sar_total,
		.part_number = m->sar_number,
	};
}

static void take_message(struct smpp_route *r, const struct smpp_pdu *pdu)
{
	struct smpp_receipt read;
	if (!smpp_receipt_read(&r->batch, &pdu->message, &read)) {
		r->incoming[r->incoming_count++] = incoming_of(r, pdu);
		r->counters.incoming++;
		return;
	}
	struct channel_receipt *receipt = &r->receipts[r->receipt_count];
	*receipt = (struct channel_receipt){
		.ticket = ticket_of(r, pdu),
		.carrier_id = read.id,
		.from = number_of(r, &pdu->message.source),
		.delivery = delivery_of(read.state),
		.stat = read.stat,
		.error = read.error,
		.done = read.done,
	};
	_Static_assert(SMPP_ID_KEYS == CHANNEL_RECEIPT_KEYS, "one key for each reading of an id");
	receipt->key_count = smpp_id_keys(read.id, receipt->keys);
	if (read.by_content) {
		r->typed[r->receipt_count] = incoming_of(r, pdu);
		receipt->by_content = &r->typed[r->receipt_count];
	}
	r->receipt_count++;
	r->counters.receipts++;
}

static void take_bind(struct smpp_route *r, const struct smpp_pdu *pdu, int64_t now)
{
	if (r->state != ROUTE_BINDING)
		return;
	if (pdu->status != SMPP_ROK) {
		r->close_reason = smpp_status_name(pdu->status);
		return;
	}
	r->state = ROUTE_UP;
	r->up = true;
	r->announce_up = true;
	r->retry_wait = 0;
	r->enquire_at = now + r->settings.enquire_every;
	r->counters.connects++;
}

static void take_unbind(struct smpp_route *r, uint32_t sequence, int64_t now)
{
	reply_empty(r, SMPP_UNBIND | SMPP_RESPONSE, SMPP_ROK, sequence);
	r->up = false;
	r->state = ROUTE_CLOSING;
	r->deadline = now + ROUTE_CLOSE_WITHIN;
}

/* A PDU that cannot be read. A request is told so; an answer that cannot be read leaves its part to the timer. */
static void refuse(struct smpp_route *r, const struct smpp_pdu *pdu, uint32_t status)
{
	if (pdu->command & SMPP_RESPONSE)
		return;
	if (pdu->command == SMPP_DELIVER_SM || pdu->command == SMPP_DATA_SM)
		reply_message(r, pdu->command, status, pdu->sequence);
	else
		reply_empty(r, SMPP_GENERIC_NACK, status, pdu->sequence);
}

bool answer_pdu(struct smpp_route *r, struct str frame, int64_t now)
{
	if (r->result_count == ROUTE_BATCH || r->receipt_count == ROUTE_BATCH || r->incoming_count == ROUTE_BATCH)
		return false;
	struct smpp_pdu pdu;
	uint32_t status = smpp_decode(frame, &pdu);
	if (status != SMPP_ROK) {
		refuse(r, &pdu, status);
		return true;
	}
	switch (pdu.command) {
	case SMPP_SUBMIT_SM | SMPP_RESPONSE:
		take_answer(r, &pdu, false, now);
		break;
	case SMPP_GENERIC_NACK:
		take_answer(r, &pdu, true, now);
		break;
	case SMPP_DELIVER_SM:
	case SMPP_DATA_SM:
		if (r->state == ROUTE_UP || r->state == ROUTE_CLOSING)
			take_message(r, &pdu);
		else
			reply_message(r, pdu.command, SMPP_RINVBNDSTS, pdu.sequence);
		break;
	case SMPP_ENQUIRE_LINK:
		reply_empty(r, SMPP_ENQUIRE_LINK | SMPP_RESPONSE, SMPP_ROK, pdu.sequence);
		break;
	case SMPP_BIND_TRANSCEIVER | SMPP_RESPONSE:
	case SMPP_BIND_TRANSMITTER | SMPP_RESPONSE:
	case SMPP_BIND_RECEIVER | SMPP_RESPONSE:
		take_bind(r, &pdu, now);
		break;
	case SMPP_UNBIND:
		take_unbind(r, pdu.sequence, now);
		break;
	case SMPP_UNBIND | SMPP_RESPONSE:
		r->close_reason = "unbound";
		break;
	default:
		if (!(pdu.command & SMPP_RESPONSE)) /* a request that a carrier does not make */
			reply_empty(r, SMPP_GENERIC_NACK, SMPP_RINVCMDID, pdu.sequence);
	}
	return true;
}
