/* Encoding. Sizes are checked before the first byte is written, so that a PDU is appended whole or not at all. */
#include <stdio.h>

#include "kernel/smpp/smpp.h"

static uint8_t *put_u8(uint8_t *p, uint8_t v)
{
	*p = v;
	return p + 1;
}

static uint8_t *put_u16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

static uint8_t *put_u32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
	return p + 4;
}

static uint8_t *put_bytes(uint8_t *p, struct str s)
{
	if (s.len)
		memcpy(p, s.ptr, s.len);
	return p + s.len;
}

static uint8_t *put_text(uint8_t *p, struct str s)
{
	p = put_bytes(p, s);
	*p = 0;
	return p + 1;
}

/* A text that fits a C-octet string: its length is bounded and no NUL hides in it. */
static bool text_fits(struct str s, size_t max)
{
	return s.len <= max && (s.len == 0 || !memchr(s.ptr, 0, s.len));
}

static uint8_t *begin(struct buf *buf, size_t room, uint32_t command, uint32_t status, uint32_t sequence)
{
	buf_reserve(buf, SMPP_HEADER_SIZE + room);
	uint8_t *p = (uint8_t *)buf->ptr + buf->len + 4;
	p = put_u32(p, command);
	p = put_u32(p, status);
	return put_u32(p, sequence);
}

static void finish(struct buf *buf, uint8_t *end)
{
	uint8_t *start = (uint8_t *)buf->ptr + buf->len;
	put_u32(start, (uint32_t)(end - start));
	buf->len += (size_t)(end - start);
}

bool smpp_put_bind(struct buf *buf, uint32_t command, uint32_t sequence, const struct smpp_bind *bind)
{
	/* 5.2.1-5.2.7 say 15, 8, 12 and 40; passwords of real accounts are longer than 8. */
	if (!text_fits(bind->system_id, 64) || !text_fits(bind->password, 64) || !text_fits(bind->system_type, 64) ||
	    !text_fits(bind->range.text, 64))
		return false;
	uint8_t *p = begin(buf, 4 * 65 + 3, command, SMPP_ROK, sequence);
	p = put_text(p, bind->system_id);
	p = put_text(p, bind->password);
	p = put_text(p, bind->system_type);
	p = put_u8(p, bind->interface_version);
	p = put_u8(p, bind->range.ton);
	p = put_u8(p, bind->range.npi);
	p = put_text(p, bind->range.text);
	finish(buf, p);
	return true;
}

bool smpp_put_bind_response(struct buf *buf, uint32_t command, uint32_t status, uint32_t sequence, struct str system_id)
{
	if (!text_fits(system_id, 64))
		return false;
	uint8_t *p = begin(buf, 65 + 5, command | SMPP_RESPONSE, status, sequence);
	if (status == SMPP_ROK) {
		p = put_text(p, system_id);
		p = put_u16(p, 0x0210);
		p = put_u16(p, 1);
		p = put_u8(p, SMPP_VERSION);
	}
	finish(buf, p);
	return true;
}

static bool message_fits(const struct smpp_message *m)
{
	return text_fits(m->service_type, 5) && text_fits(m->source.text, SMPP_ADDRESS_MAX) &&
	       text_fits(m->destination.text, SMPP_ADDRESS_MAX) && text_fits(m->schedule_time, 16) &&
	       text_fits(m->validity_period, 16) && m->short_message.len <= SMPP_SHORT_MESSAGE_MAX &&
	       m->message_payload.len <= 60000 && text_fits(m->receipted_message_id, SMPP_MESSAGE_ID_MAX) &&
	       (str_is_none(m->network_error_code) || m->network_error_code.len == 3) && m->vendor.len <= 4096;
}

static uint8_t *put_tlv(uint8_t *p, unsigned tag, struct str value)
{
	p = put_u16(p, tag);
	p = put_u16(p, (unsigned)value.len);
	return put_bytes(p, value);
}

static uint8_t *put_message_tlvs(uint8_t *p, const struct smpp_message *m)
{
	if (!str_is_none(m->receipted_message_id)) {
		p = put_u16(p, 0x001E);
		p = put_u16(p, (unsigned)m->receipted_message_id.len + 1);
		p = put_text(p, m->receipted_message_id);
	}
	if (!str_is_none(m->network_error_code))
		p = put_tlv(p, 0x0423, m->network_error_code);
	if (!str_is_none(m->message_payload))
		p = put_tlv(p, 0x0424, m->message_payload);
	if (m->has_message_state) {
		p = put_u16(p, 0x0427);
		p = put_u16(p, 1);
		p = put_u8(p, m->message_state);
	}
	if (m->sar_total) {
		p = put_u16(p, 0x020C);
		p = put_u16(p, 2);
		p = put_u16(p, m->sar_reference);
		p = put_u16(p, 0x020E);
		p = put_u16(p, 1);
		p = put_u8(p, m->sar_total);
		p = put_u16(p, 0x020F);
		p = put_u16(p, 1);
		p = put_u8(p, m->sar_number);
	}
	return put_bytes(p, m->vendor);
}

/* What submit_sm and deliver_sm have between esm_class and the TLVs, and data_sm has not. */
static uint8_t *put_short_message(uint8_t *p, const struct smpp_message *m)
{
	p = put_u8(p, m->protocol_id);
	p = put_u8(p, m->priority);
	p = put_text(p, m->schedule_time);
	p = put_text(p, m->validity_period);
	p = put_u8(p, m->registered_delivery);
	p = put_u8(p, m->replace_if_present);
	p = put_u8(p, m->data_coding);
	p = put_u8(p, m->default_message_id);
	p = put_u8(p, (uint8_t)m->short_message.len);
	return put_bytes(p, m->short_message);
}

bool smpp_put_message(struct buf *buf, uint32_t command, uint32_t sequence, const struct smpp_message *m)
{
	if (!message_fits(m) || (command == SMPP_DATA_SM && m->short_message.len))
		return false;
	size_t room = 512 + m->short_message.len + m->message_payload.len + m->vendor.len;
	uint8_t *p = begin(buf, room, command, SMPP_ROK, sequence);
	p = put_text(p, m->service_type);
	p = put_u8(p, m->source.ton);
	p = put_u8(p, m->source.npi);
	p = put_text(p, m->source.text);
	p = put_u8(p, m->destination.ton);
	p = put_u8(p, m->destination.npi);
	p = put_text(p, m->destination.text);
	p = put_u8(p, m->esm_class);
	if (command == SMPP_DATA_SM) {
		p = put_u8(p, m->registered_delivery);
		p = put_u8(p, m->data_coding);
	} else {
		p = put_short_message(p, m);
	}
	p = put_message_tlvs(p, m);
	finish(buf, p);
	return true;
}

bool smpp_put_message_response(struct buf *buf, uint32_t command, uint32_t status, uint32_t sequence, struct str id)
{
	if (!text_fits(id, SMPP_MESSAGE_ID_MAX))
		return false;
	uint8_t *p = begin(buf, SMPP_MESSAGE_ID_MAX + 1, command | SMPP_RESPONSE, status, sequence);
	if (status == SMPP_ROK)
		p = put_text(p, id);
	finish(buf, p);
	return true;
}

void smpp_put_empty(struct buf *buf, uint32_t command, uint32_t status, uint32_t sequence)
{
	finish(buf, begin(buf, 0, command, status, sequence));
}

void smpp_time_relative(int64_t seconds, char out[17])
{
	const int64_t most = INT64_C(30) * 86400;
	if (seconds < 1)
		seconds = 1;
	if (seconds > most)
		seconds = most;
	unsigned s = (unsigned)seconds;
	snprintf(out, 17, "0000%02u%02u%02u%02u000R", s / 86400 % 100, s / 3600 % 24, s / 60 % 60, s % 60);
}
