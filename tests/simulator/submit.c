/* What is submitted: faults, long messages joined, the store. */
#include <stdlib.h>

#include "tests/simulator/smsc.h"

#define ASSEMBLY_TABLE 16384 /* power of two */

/* A long message of which not all parts are there. */
struct assembly {
	struct assembly *next;
	uint64_t hash;
	unsigned total, have;
	uint8_t data_coding;
	struct {
		char *bytes;
		size_t size;
	} parts[]; /* total */
};

/* Where a part stands in a long message; total 0: it is whole. */
struct place {
	unsigned reference, total, number;
	size_t header; /* octets before the text */
};

static struct place place_of(const struct smpp_message *m, struct str bytes)
{
	struct place place = { 0 };
	if (m->sar_total)
		return (struct place){ m->sar_reference, m->sar_total, m->sar_number, 0 };
	if (!(m->esm_class & 0x40) || bytes.len == 0)
		return place;
	const uint8_t *b = (const uint8_t *)bytes.ptr;
	size_t end = (size_t)b[0] + 1;
	if (end > bytes.len)
		return place;
	place.header = end;
	/* 3GPP TS 23.040, 9.2.3.24.1 and .8: elements in any order. */
	for (size_t i = 1; i + 2 <= end && i + 2 + b[i + 1] <= end; i += 2 + (size_t)b[i + 1]) {
		if (b[i] == 0x00 && b[i + 1] == 3)
			place = (struct place){ b[i + 2], b[i + 3], b[i + 4], end };
		if (b[i] == 0x08 && b[i + 1] == 4)
			place = (struct place){ (unsigned)b[i + 2] << 8 | b[i + 3], b[i + 4], b[i + 5], end };
	}
	if (place.number == 0 || place.number > place.total)
		place.total = 0;
	return place;
}

static struct str with_plus(struct arena *arena, const struct smpp_address *address)
{
	return address->ton == 1 ? str_concat(arena, S("+"), address->text) : address->text;
}

static void store_text(struct smsc *smsc, const struct smpp_message *m, struct str bytes, unsigned parts)
{
	struct store_message message = {
		.at = clock_now(),
		.kind = BOX_PHONE,
		.box = with_plus(&smsc->scratch, &m->destination),
		.other = with_plus(&smsc->scratch, &m->source),
		.body = gsm_decode(&smsc->scratch, m->data_coding, bytes),
		.parts = parts,
		.data_coding = m->data_coding,
	};
	store_add(smsc->store, &message);
}

static void free_assembly(struct assembly *assembly)
{
	for (unsigned i = 0; i < assembly->total; i++)
		free(assembly->parts[i].bytes);
	free(assembly);
}

void smsc_assemblies_free(struct smsc *smsc)
{
	for (size_t i = 0; smsc->assemblies && i < ASSEMBLY_TABLE; i++) {
		while (smsc->assemblies[i]) {
			struct assembly *next = smsc->assemblies[i]->next;
			free_assembly(smsc->assemblies[i]);
			smsc->assemblies[i] = next;
		}
	}
	free(smsc->assemblies);
	smsc->assemblies = NULL;
	smsc->assembly_count = 0;
}

static struct assembly **find_assembly(struct smsc *smsc, const struct smpp_message *m, const struct place *place)
{
	uint64_t hash = hash_bytes(m->source.text.ptr, m->source.text.len, place->reference);
	hash = hash_bytes(m->destination.text.ptr, m->destination.text.len, hash + place->total);
	if (!smsc->assemblies)
		smsc->assemblies = calloc(ASSEMBLY_TABLE, sizeof *smsc->assemblies);
	struct assembly **at = &smsc->assemblies[hash & (ASSEMBLY_TABLE - 1)];
	while (*at && (*at)->hash != hash)
		at = &(*at)->next;
	if (!*at && smsc->assembly_count < SMSC_ASSEMBLIES_MAX) {
		*at = calloc(1, sizeof **at + place->total * sizeof(*at)->parts[0]);
		(*at)->hash = hash;
		(*at)->total = place->total;
		(*at)->data_coding = m->data_coding;
		smsc->assembly_count++;
	}
	return at;
}

/* Joins; a whole message goes to the store. */
static void take_part(struct smsc *smsc, const struct smpp_message *m, struct str text, const struct place *place)
{
	struct assembly **at = find_assembly(smsc, m, place);
	struct assembly *a = *at;
	if (!a)
		return;
	unsigned index = place->number - 1;
	if (!a->parts[index].bytes) {
		a->parts[index].bytes = malloc(text.len + 1);
		memcpy(a->parts[index].bytes, text.ptr, text.len);
		a->parts[index].size = text.len;
		a->have++;
	}
	if (a->have < a->total)
		return;
	struct buf whole;
	buf_init(&whole);
	for (unsigned i = 0; i < a->total; i++)
		buf_add(&whole, a->parts[i].bytes, a->parts[i].size);
	store_text(smsc, m, buf_str(&whole), a->total);
	buf_release(&whole);
	*at = a->next;
	smsc->assembly_count--;
	free_assembly(a);
}

static void take_message(struct smsc *smsc, const struct smpp_message *m)
{
	struct str bytes = smpp_message_bytes(m);
	struct place place = place_of(m, bytes);
	struct str text = str_slice(bytes, place.header, bytes.len);
	if (place.total > 1)
		take_part(smsc, m, text, &place);
	else
		store_text(smsc, m, text, 1);
}

/* The status that faults give this submit, SMPP_ROK to take it. */
static uint32_t fault_status(struct smsc *smsc, const struct connection *c)
{
	const struct faults *f = &smsc->faults;
	int64_t second = clock_monotonic() / CLOCK_SECOND;
	if (second != smsc->second) {
		smsc->second = second;
		smsc->second_submits = 0;
	}
	smsc->second_submits++;
	if (f->throttle_per_second && smsc->second_submits > f->throttle_per_second)
		return SMPP_RTHROTTLED;
	if (f->window_limit && (int64_t)c->delayed_count >= f->window_limit)
		return SMPP_RMSGQFUL;
	if (faults_draw(f->queue_full_percent))
		return SMPP_RMSGQFUL;
	if (faults_draw(f->reject_percent))
		return SMPP_RINVDSTADR;
	if (faults_draw(f->busy_percent))
		return SMPP_RX_T_APPN;
	return SMPP_ROK;
}

void smsc_answer(struct connection *c, uint32_t command, uint32_t status, uint32_t sequence, struct str id, int64_t delay)
{
	if (delay <= 0 && c->delayed_count == 0) {
		smpp_put_message_response(&c->out, command, status, sequence, id);
		return;
	}
	struct delayed answer = { .due = clock_monotonic() + delay };
	struct buf bytes;
	buf_init(&bytes);
	smpp_put_message_response(&bytes, command, status, sequence, id);
	answer.size = bytes.len < sizeof answer.bytes ? bytes.len : sizeof answer.bytes;
	memcpy(answer.bytes, bytes.ptr, answer.size);
	buf_release(&bytes);
	if (c->delayed_count == c->delayed_room) {
		size_t room = c->delayed_room ? c->delayed_room * 2 : 256;
		struct delayed *bigger = calloc(room, sizeof *bigger);
		for (size_t i = 0; i < c->delayed_count; i++)
			bigger[i] = c->delayed[(c->delayed_first + i) % c->delayed_room];
		free(c->delayed);
		c->delayed = bigger;
		c->delayed_room = room;
		c->delayed_first = 0;
	}
	/* By time: with jitter a later submit may be answered first. */
	size_t at = c->delayed_count++;
	for (; at > 0; at--) {
		const struct delayed *before = &c->delayed[(c->delayed_first + at - 1) % c->delayed_room];
		if (before->due <= answer.due)
			break;
		c->delayed[(c->delayed_first + at) % c->delayed_room] = *before;
	}
	c->delayed[(c->delayed_first + at) % c->delayed_room] = answer;
}

int64_t smsc_release_answers(struct connection *c, int64_t now)
{
	while (c->delayed_count > 0 && c->delayed[c->delayed_first].due <= now) {
		const struct delayed *answer = &c->delayed[c->delayed_first];
		buf_add(&c->out, answer->bytes, answer->size);
		c->delayed_first = (c->delayed_first + 1) % c->delayed_room;
		c->delayed_count--;
	}
	return c->delayed_count ? c->delayed[c->delayed_first].due : INT64_MAX;
}

/* Cuts and stalls that this submit brings; true if it is the last before a cut. */
static bool fault_of_line(struct smsc *smsc, struct connection *c)
{
	const struct faults *f = &smsc->faults;
	c->submits++;
	if (f->stall_every && ++smsc->submits % (uint64_t)f->stall_every == 0) {
		store_bump(smsc->store, COUNT_STALLS, 1);
		smsc->stalled_until = clock_monotonic() + f->stall_ms * 1000;
	}
	if (!f->cut_every || c->submits % (uint64_t)f->cut_every != 0)
		return false;
	store_bump(smsc->store, COUNT_CUT, 1);
	c->closing = true;
	if (f->down_ms)
		smsc->down_until = clock_monotonic() + f->down_ms * 1000;
	return true;
}

void smsc_submit(struct smsc *smsc, struct connection *c, const struct smpp_pdu *pdu)
{
	const struct faults *f = &smsc->faults;
	int64_t latency = f->latency_ms * 1000 + (f->jitter_ms ? (int64_t)rand_below((uint64_t)f->jitter_ms * 1000) : 0);
	store_bump(smsc->store, COUNT_SUBMITS, 1);
	uint32_t status = c->sends ? fault_status(smsc, c) : SMPP_RINVBNDSTS;
	if (status != SMPP_ROK) {
		store_bump(smsc->store, status == SMPP_RTHROTTLED || status == SMPP_RMSGQFUL ? COUNT_THROTTLED : COUNT_REJECTED, 1);
		smsc_answer(c, pdu->command, status, pdu->sequence, S(""), latency);
		return;
	}
	bool cut = fault_of_line(smsc, c);
	if (cut && f->cut_before)
		return; /* not taken: it is whole again only over another connection */
	uint64_t id = smsc->next_id++;
	enum receipt_style style = smsc_style_of(f, id);
	take_message(smsc, &pdu->message);
	bool receipt = f->receipts && (pdu->message.registered_delivery & 3);
	bool dropped = faults_draw(f->drop_response_percent);
	if (cut) {
		; /* taken, and no answer; its receipt comes over another connection */
	} else if (dropped && f->late_response_ms == 0) {
		store_bump(smsc->store, COUNT_UNANSWERED, 1);
	} else {
		store_bump(smsc->store, COUNT_ACCEPTED, 1);
		if (receipt && f->receipt_first) {
			smsc_queue_receipts(smsc, c, &pdu->message, id, style);
			receipt = false;
			if (latency == 0)
				latency = CLOCK_SECOND / 20; /* so that it really comes first */
		}
		smsc_answer(c, pdu->command, SMPP_ROK, pdu->sequence, smsc_id_text(&smsc->scratch, id, style, false),
		            dropped ? f->late_response_ms * 1000 : latency);
		if (faults_draw(f->double_response_percent))
			smsc_answer(c, pdu->command, SMPP_ROK, pdu->sequence, smsc_id_text(&smsc->scratch, id, style, false), latency);
	}
	if (receipt)
		smsc_queue_receipts(smsc, c, &pdu->message, id, style);
}
