/* Receipts in the shapes of many carriers, and messages from phones. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/simulator/smsc.h"

#define STRANGE_IDS UINT64_C(700000000000000000) /* ids from here on are in receipts alone */

/* --- ids and styles --------------------------------------------------------------------------------------- */

enum receipt_style smsc_style_of(const struct faults *faults, uint64_t id)
{
	return faults->receipt_style == RECEIPT_MIXED ? (enum receipt_style)(id % RECEIPT_MIXED)
	                                              : (enum receipt_style)faults->receipt_style;
}

struct str smsc_id_text(struct arena *arena, uint64_t id, enum receipt_style style, bool in_receipt)
{
	if (style == RECEIPT_HEX)
		return in_receipt ? str_format(arena, "%llu", (unsigned long long)id) : str_format(arena, "%llX", (unsigned long long)id);
	if (style == RECEIPT_FOLDED)
		return in_receipt ? str_format(arena, "%llxq", (unsigned long long)id) : str_format(arena, "000%012llXQ", (unsigned long long)id);
	return str_format(arena, "%llu", (unsigned long long)id);
}

/* yyMMddHHmm, or yyyyMMddHHmmss with a century. */
static struct str date_text(struct arena *arena, int64_t at, const char *century)
{
	int year, month, day;
	date_from_days(at / CLOCK_DAY, &year, &month, &day);
	int second = (int)(at % CLOCK_DAY / CLOCK_SECOND);
	return str_format(arena, "%s%02d%02d%02d%02d%02d%s", century, year % 100, month, day, second / 3600, second / 60 % 60,
	                  century[0] ? "07" : "");
}

/* Text and TLVs of a receipt. */
static void fill_receipt(struct arena *arena, const struct delivery *d, struct smpp_message *m)
{
	const char *century = d->style == RECEIPT_SHUFFLED ? "20" : "";
	struct str submitted = date_text(arena, d->submitted, century), done = date_text(arena, clock_now(), century);
	struct str id = smsc_id_text(arena, d->id, d->style, true);
	const char *stat = d->intermediate ? "ACCEPTD" : d->failed ? "UNDELIV" : "DELIVRD";
	struct str text;
	if (d->style == RECEIPT_MINIMAL)
		text = str_format(arena, "id:%s stat:%s text:", id.ptr, stat);
	else if (d->style == RECEIPT_SHUFFLED)
		text = str_format(arena, "stat:%s err:%s id:%s donedate:%s submitdate:%s Text:x", stat, d->failed ? "21b" : "null", id.ptr, done.ptr, submitted.ptr);
	else
		text = str_format(arena, "id:%s sub:001 dlvrd:%s submit date:%s done date:%s stat:%s err:%s text:...", id.ptr,
		                  d->failed ? "000" : "001", submitted.ptr, done.ptr, stat, d->failed ? "027" : "000");
	if (d->style == RECEIPT_TLV) {
		m->receipted_message_id = id;
		m->has_message_state = true;
		m->message_state = (uint8_t)(d->intermediate ? SMPP_STATE_ACCEPTED : d->failed ? SMPP_STATE_UNDELIVERABLE : SMPP_STATE_DELIVERED);
	} else if (d->style == RECEIPT_PAYLOAD) {
		m->message_payload = text;
	} else if (d->style == RECEIPT_UCS2) {
		char *wide = arena_alloc(arena, text.len * 2);
		for (size_t i = 0; i < text.len; i++)
			wide[2 * i + 1] = text.ptr[i];
		m->data_coding = 8;
		m->short_message = (struct str){ wide, text.len * 2 };
		if (m->short_message.len > SMPP_SHORT_MESSAGE_MAX) {
			m->message_payload = m->short_message;
			m->short_message = STR_NONE;
		}
	} else {
		m->short_message = text;
	}
}

/* --- queues ----------------------------------------------------------------------------------------------- */

static void push(struct delivery_queue *queue, struct delivery *d)
{
	d->next = NULL;
	if (queue->last)
		queue->last->next = d;
	else
		queue->first = d;
	queue->last = d;
}

static struct delivery *pop(struct delivery_queue *queue)
{
	struct delivery *d = queue->first;
	queue->first = d->next;
	if (!queue->first)
		queue->last = NULL;
	return d;
}

void smsc_deliveries_free(struct delivery_queue *queue)
{
	while (queue->first)
		free(pop(queue));
	queue->last = NULL;
}

/* One block with room for the texts. */
static struct delivery *new_delivery(const struct smpp_address *from, const struct smpp_address *to, struct str bytes)
{
	struct delivery *d = calloc(1, sizeof *d + from->text.len + to->text.len + bytes.len);
	char *at = (char *)(d + 1);
	d->from = *from;
	d->to = *to;
	d->bytes = bytes;
	struct str *texts[] = { &d->from.text, &d->to.text, &d->bytes };
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		if (texts[i]->len)
			memcpy(at, texts[i]->ptr, texts[i]->len);
		texts[i]->ptr = at;
		at += texts[i]->len;
	}
	return d;
}

static struct delivery *queue_receipt(struct smsc *smsc, const struct smpp_message *m, uint64_t id, enum receipt_style style, bool intermediate, bool failed)
{
	/* The receipt speaks of the phone, so it comes "from" it. */
	struct delivery *d = new_delivery(&m->destination, &m->source, S(""));
	d->due = clock_monotonic() + smsc->faults.receipt_delay_ms * 1000;
	d->receipt = true;
	d->intermediate = intermediate;
	d->failed = failed;
	d->style = style;
	d->id = id;
	d->submitted = clock_now();
	d->esm_class = intermediate ? 0x20 : 0x04;
	push(&smsc->fresh, d);
	return d;
}

void smsc_queue_receipts(struct smsc *smsc, const struct connection *by, const struct smpp_message *m, uint64_t id, enum receipt_style style)
{
	const struct faults *f = &smsc->faults;
	bool failed = faults_draw(f->receipt_fail_percent);
	if (f->receipt_intermediate)
		queue_receipt(smsc, m, id, style, true, false)->connection = by->number;
	queue_receipt(smsc, m, id, style, false, failed)->connection = by->number;
	if (faults_draw(f->receipt_double_percent))
		queue_receipt(smsc, m, id, style, false, failed)->connection = by->number;
	if (faults_draw(f->receipt_strange_percent)) {
		store_bump(smsc->store, COUNT_STRANGE_RECEIPTS, 1);
		queue_receipt(smsc, m, STRANGE_IDS + id, RECEIPT_PLAIN, false, false);
	}
}

/* --- sending ---------------------------------------------------------------------------------------------- */

static struct connection *next_receiver(struct smsc *smsc, uint64_t not_over)
{
	size_t receivers = 0;
	for (size_t i = 0; i < smsc->connection_count; i++)
		receivers += smsc->connections[i]->bound && smsc->connections[i]->receives;
	for (size_t i = 0; i < smsc->connection_count; i++) {
		struct connection *c = smsc->connections[(smsc->turn + i) % smsc->connection_count];
		/* The slot of the next sequence may still be taken by one unanswered for long. */
		if (c->bound && c->receives && !c->closing && (c->number != not_over || receivers < 2) && c->unanswered_count < SMSC_DELIVER_WINDOW &&
		    !c->unanswered[(c->sequence + 1) & (SMSC_DELIVER_SLOTS - 1)]) {
			smsc->turn = (smsc->turn + i + 1) % smsc->connection_count;
			return c;
		}
	}
	return NULL;
}

static void send_delivery(struct smsc *smsc, struct connection *c, struct delivery *d)
{
	struct smpp_message m = { .source = d->from, .destination = d->to, .esm_class = d->esm_class, .data_coding = d->data_coding };
	if (d->receipt)
		fill_receipt(&smsc->scratch, d, &m);
	else
		m.short_message = d->bytes;
	c->sequence = c->sequence == SMPP_SEQUENCE_MAX ? 1 : c->sequence + 1;
	smpp_put_message(&c->out, SMPP_DELIVER_SM, c->sequence, &m);
	c->unanswered[c->sequence & (SMSC_DELIVER_SLOTS - 1)] = d;
	c->unanswered_count++;
	store_bump(smsc->store, d->receipt ? COUNT_RECEIPTS_SENT : COUNT_INCOMING_SENT, 1);
}

int64_t smsc_deliver(struct smsc *smsc, int64_t now)
{
	pthread_mutex_lock(&smsc->lock);
	while (smsc->from_phones.first)
		push(&smsc->retry, pop(&smsc->from_phones)); /* before the receipts, which may be many */
	pthread_mutex_unlock(&smsc->lock);
	int64_t next = INT64_MAX;
	struct delivery_queue *queues[] = { &smsc->retry, &smsc->fresh };
	for (size_t i = 0; i < COUNT_OF(queues); i++) {
		while (queues[i]->first && queues[i]->first->due <= now) {
			struct connection *c = next_receiver(smsc, smsc->faults.receipt_other_bind ? queues[i]->first->connection : 0);
			if (!c)
				return next; /* an answer or a bind will wake the loop */
			send_delivery(smsc, c, pop(queues[i]));
		}
		if (queues[i]->first && queues[i]->first->due < next)
			next = queues[i]->first->due;
	}
	return next;
}

void smsc_delivered(struct smsc *smsc, struct connection *c, const struct smpp_pdu *answer)
{
	struct delivery **slot = &c->unanswered[answer->sequence & (SMSC_DELIVER_SLOTS - 1)];
	struct delivery *d = *slot;
	if (!d)
		return;
	*slot = NULL;
	c->unanswered_count--;
	if (answer->status == SMPP_ROK) {
		store_bump(smsc->store, d->receipt ? COUNT_RECEIPTS_ACKNOWLEDGED : COUNT_INCOMING_ACKNOWLEDGED, 1);
		free(d);
		return;
	}
	store_bump(smsc->store, d->receipt ? COUNT_RECEIPTS_REFUSED : COUNT_INCOMING_REFUSED, 1);
	d->due = clock_monotonic() + SMSC_RETRY_AFTER;
	push(&smsc->retry, d);
}

void smsc_requeue(struct smsc *smsc, struct connection *c)
{
	for (size_t i = 0; i < SMSC_DELIVER_SLOTS; i++) {
		if (!c->unanswered[i])
			continue;
		c->unanswered[i]->due = 0;
		push(&smsc->retry, c->unanswered[i]);
		c->unanswered[i] = NULL;
	}
	c->unanswered_count = 0;
}

/* --- phones ----------------------------------------------------------------------------------------------- */

static struct smpp_address address_of(struct str number)
{
	if (str_starts(number, S("+")))
		return (struct smpp_address){ 1, 1, str_slice(number, 1, number.len) };
	return (struct smpp_address){ 3, 0, number };
}

/* Cuts one character short of a code: an escape pair or a surrogate pair is never split here. */
static size_t cut_at(struct str bytes, size_t from, size_t most, uint8_t data_coding)
{
	if (bytes.len - from <= most)
		return bytes.len;
	size_t end = from + most;
	const uint8_t *b = (const uint8_t *)bytes.ptr;
	if (data_coding == 8)
		return b[end - 2] >= 0xD8 && b[end - 2] < 0xDC ? end - 2 : end;
	return b[end - 1] == 0x1B ? end - 1 : end;
}

/* One part, or several with a concatenation header, as phones write them. */
static void queue_text(struct smsc *smsc, const struct smpp_address *from, const struct smpp_address *to, struct str bytes, uint8_t data_coding)
{
	struct delivery *parts[255];
	size_t count = 0;
	size_t whole = data_coding == 8 ? 140 : 160, piece = data_coding == 8 ? 134 : 153;
	bool single = bytes.len <= whole;
	uint8_t reference = (uint8_t)rand_below(256);
	for (size_t at = 0; count < COUNT_OF(parts) && (at < bytes.len || count == 0);) {
		size_t end = single ? bytes.len : cut_at(bytes, at, piece, data_coding);
		char text[6 + 160] = { 5, 0, 3, (char)reference, 0, (char)(count + 1) };
		size_t header = single ? 0 : 6;
		memcpy(text + header, bytes.ptr + at, end - at);
		parts[count] = new_delivery(from, to, (struct str){ text, header + end - at });
		parts[count]->esm_class = single ? 0 : 0x40;
		parts[count++]->data_coding = data_coding;
		at = end;
	}
	pthread_mutex_lock(&smsc->lock);
	for (size_t i = 0; i < count; i++) {
		if (!single)
			((char *)(uintptr_t)parts[i]->bytes.ptr)[4] = (char)count;
		push(&smsc->from_phones, parts[i]);
	}
	pthread_mutex_unlock(&smsc->lock);
}

/* Whom the phone last heard from under a number that can be answered. */
static struct str last_sender(struct simulator *simulator, struct arena *arena, struct str phone)
{
	struct store_message *messages;
	size_t count = store_list(simulator->store, arena, BOX_PHONE, phone, 0, 10, &messages);
	for (size_t i = 0; i < count; i++) {
		struct str other = messages[i].other;
		bool number = !messages[i].sent && other.len > 0;
		for (size_t k = str_starts(other, S("+")) ? 1 : 0; k < other.len; k++)
			number = number && other.ptr[k] >= '0' && other.ptr[k] <= '9';
		if (number)
			return other;
	}
	return simulator->options.short_code;
}

bool simulator_phone_send(struct simulator *simulator, struct str phone, struct str to, struct str text)
{
	if (!utf8_valid(text) || text.len > 10000 || phone.len == 0 || phone.len > 20 || to.len > 20)
		return false;
	struct arena arena;
	arena_init(&arena);
	if (to.len == 0)
		to = last_sender(simulator, &arena, phone);
	uint8_t data_coding;
	struct str bytes = gsm_encode(&arena, text, &data_coding);
	struct smpp_address from = address_of(phone), destination = address_of(to);
	queue_text(simulator->smsc, &from, &destination, bytes, data_coding);
	store_add(simulator->store, &(struct store_message){ .at = clock_now(), .kind = BOX_PHONE, .sent = true, .box = phone, .other = to,
	                                                     .body = text, .parts = 1, .data_coding = data_coding });
	uint64_t one = 1;
	ssize_t ignored = write(simulator->smsc->wake, &one, sizeof one);
	(void)ignored;
	arena_release(&arena);
	return true;
}
