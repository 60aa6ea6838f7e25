/* Decoding. Every read goes through struct reader, which never passes the end and remembers that it was asked to. */
#include "kernel/smpp/smpp.h"

struct reader {
	const uint8_t *at, *end;
	bool bad;
};

static uint8_t read_u8(struct reader *r)
{
	if (r->at == r->end) {
		r->bad = true;
		return 0;
	}
	return *r->at++;
}

static uint32_t load_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static struct str read_bytes(struct reader *r, size_t size)
{
	if ((size_t)(r->end - r->at) < size) {
		r->bad = true;
		return STR_NONE;
	}
	struct str s = { (const char *)r->at, size };
	r->at += size;
	return s;
}

/* C-octet string (3.1) of at most `max` characters before its NUL. */
static struct str read_text(struct reader *r, size_t max)
{
	size_t left = (size_t)(r->end - r->at);
	const uint8_t *nul = left ? memchr(r->at, 0, left) : NULL;
	if (!nul || (size_t)(nul - r->at) > max) {
		r->bad = true;
		return STR_NONE;
	}
	struct str s = { (const char *)r->at, (size_t)(nul - r->at) };
	r->at = nul + 1;
	return s;
}

static struct smpp_address read_address(struct reader *r)
{
	struct smpp_address address;
	address.ton = read_u8(r);
	address.npi = read_u8(r);
	address.text = read_text(r, SMPP_ADDRESS_MAX);
	return address;
}

enum smpp_frame smpp_frame(struct str stream, struct str *pdu)
{
	if (stream.len < 4)
		return SMPP_FRAME_MORE;
	uint32_t length = load_u32((const uint8_t *)stream.ptr);
	if (length < SMPP_HEADER_SIZE || length > SMPP_PDU_MAX)
		return SMPP_FRAME_BAD;
	if (stream.len < length)
		return SMPP_FRAME_MORE;
	*pdu = (struct str){ stream.ptr, length };
	return SMPP_FRAME_WHOLE;
}

/* A C-octet string inside a TLV; some carriers leave the NUL out. */
static struct str tlv_text(struct str value)
{
	const char *nul = value.len ? memchr(value.ptr, 0, value.len) : NULL;
	return nul ? (struct str){ value.ptr, (size_t)(nul - value.ptr) } : value;
}

static void take_tlv(struct smpp_message *m, unsigned tag, struct str value)
{
	const uint8_t *v = (const uint8_t *)value.ptr;
	/* A known TLV of a wrong size is passed over like an unknown one: it is an option, the message stands without it. */
	switch (tag) {
	case 0x001E:
		m->receipted_message_id = tlv_text(value);
		break;
	case 0x0423:
		if (value.len == 3)
			m->network_error_code = value;
		break;
	case 0x0424:
		m->message_payload = value;
		break;
	case 0x0427:
		if (value.len == 1) {
			m->message_state = v[0];
			m->has_message_state = true;
		}
		break;
	case 0x020C:
		if (value.len == 2)
			m->sar_reference = (uint16_t)(v[0] << 8 | v[1]);
		break;
	case 0x020E:
		if (value.len == 1)
			m->sar_total = v[0];
		break;
	case 0x020F:
		if (value.len == 1)
			m->sar_number = v[0];
		break;
	default:
		break;
	}
}

/* Walks the TLVs to the end (3.2.4); false when one is cut. `m` may be NULL: then they are only checked. */
static bool read_tlvs(struct reader *r, struct smpp_message *m)
{
	while (r->at != r->end) {
		struct str head = read_bytes(r, 4);
		if (r->bad)
			return false;
		const uint8_t *h = (const uint8_t *)head.ptr;
		struct str value = read_bytes(r, (size_t)h[2] << 8 | h[3]);
		if (r->bad)
			return false;
		if (m)
			take_tlv(m, (unsigned)h[0] << 8 | h[1], value);
	}
	return true;
}

static uint32_t decode_bind(struct reader *r, struct smpp_pdu *out)
{
	struct smpp_bind *b = &out->bind;
	b->system_id = read_text(r, 64); /* 15 by 5.2.1, but servers of today take longer ones */
	b->password = read_text(r, 64);
	b->system_type = read_text(r, 64);
	b->interface_version = read_u8(r);
	b->range.ton = read_u8(r);
	b->range.npi = read_u8(r);
	b->range.text = read_text(r, 64);
	if (r->bad)
		return SMPP_RINVCMDLEN;
	return read_tlvs(r, NULL) ? SMPP_ROK : SMPP_RINVOPTPARSTREAM;
}

static uint32_t decode_message(struct reader *r, struct smpp_pdu *out)
{
	struct smpp_message *m = &out->message;
	m->service_type = read_text(r, 16);
	m->source = read_address(r);
	m->destination = read_address(r);
	m->esm_class = read_u8(r);
	if (out->command == SMPP_DATA_SM) {
		m->registered_delivery = read_u8(r);
		m->data_coding = read_u8(r);
	} else {
		m->protocol_id = read_u8(r);
		m->priority = read_u8(r);
		m->schedule_time = read_text(r, 16);
		m->validity_period = read_text(r, 16);
		m->registered_delivery = read_u8(r);
		m->replace_if_present = read_u8(r);
		m->data_coding = read_u8(r);
		m->default_message_id = read_u8(r);
		m->short_message = read_bytes(r, read_u8(r));
	}
	if (r->bad)
		return SMPP_RINVMSGLEN;
	if (!read_tlvs(r, m))
		return SMPP_RINVOPTPARSTREAM;
	/* A sequence that makes no sense is no sequence (5.3.2.22-24): the text itself stays good. */
	if (m->sar_number == 0 || m->sar_number > m->sar_total)
		m->sar_total = m->sar_number = 0;
	return SMPP_ROK;
}

/* message_id or system_id; a missing body or a missing NUL loses nothing that matters. */
static void decode_response(struct reader *r, struct smpp_pdu *out)
{
	struct str rest = { (const char *)r->at, (size_t)(r->end - r->at) };
	out->id = rest.len ? tlv_text(rest) : S("");
}

uint32_t smpp_decode(struct str pdu, struct smpp_pdu *out)
{
	const uint8_t *p = (const uint8_t *)pdu.ptr;
	if (pdu.len < SMPP_HEADER_SIZE || load_u32(p) != pdu.len)
		return SMPP_RINVCMDLEN;
	struct smpp_pdu decoded = { .command = load_u32(p + 4), .status = load_u32(p + 8), .sequence = load_u32(p + 12) };
	struct smpp_pdu header = decoded;
	struct reader r = { p + SMPP_HEADER_SIZE, p + pdu.len, false };
	uint32_t status = SMPP_ROK;
	switch (decoded.command) {
	case SMPP_BIND_RECEIVER:
	case SMPP_BIND_TRANSMITTER:
	case SMPP_BIND_TRANSCEIVER:
		status = decode_bind(&r, &decoded);
		break;
	case SMPP_SUBMIT_SM:
	case SMPP_DELIVER_SM:
	case SMPP_DATA_SM:
		status = decode_message(&r, &decoded);
		break;
	case SMPP_RESPONSE | SMPP_BIND_RECEIVER:
	case SMPP_RESPONSE | SMPP_BIND_TRANSMITTER:
	case SMPP_RESPONSE | SMPP_BIND_TRANSCEIVER:
	case SMPP_RESPONSE | SMPP_SUBMIT_SM:
	case SMPP_RESPONSE | SMPP_DELIVER_SM:
	case SMPP_RESPONSE | SMPP_DATA_SM:
		decode_response(&r, &decoded);
		break;
	case SMPP_UNBIND:
	case SMPP_ENQUIRE_LINK:
	case SMPP_RESPONSE | SMPP_UNBIND:
	case SMPP_RESPONSE | SMPP_ENQUIRE_LINK:
	case SMPP_GENERIC_NACK:
		break; /* no body; one that is there says nothing */
	default:
		status = SMPP_RINVCMDID;
	}
	*out = status == SMPP_ROK ? decoded : header;
	return status;
}

struct str smpp_message_bytes(const struct smpp_message *message)
{
	if (message->short_message.len == 0 && !str_is_none(message->message_payload))
		return message->message_payload;
	return message->short_message;
}
