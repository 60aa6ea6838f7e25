/* What an operator agrees with a carrier beyond the standard, as text; and the absolute time. */
#include <stdio.h>
#include <time.h>

#include "kernel/smpp/smpp.h"

#define VENDOR_BYTES_MAX 4096
#define VENDOR_TAG_LEAST 0x1400
#define VENDOR_TAG_MOST 0x3FFF

static bool next_item(struct str *list, struct str *name, struct str *value)
{
	struct str item;
	do {
		if (str_is_empty(*list))
			return false;
		struct str rest;
		str_cut(*list, ' ', &item, &rest);
		*list = str_is_none(rest) ? S("") : rest;
	} while (str_is_empty(item));
	/* Without '=' the value is none, which no caller takes. */
	str_cut(item, '=', name, value);
	return true;
}

static bool read_hex(struct str text, uint32_t *out)
{
	uint32_t value = 0;
	if (text.len == 0 || text.len > 8)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		int digit = str_hex_digit(text.ptr[i]);
		if (digit < 0)
			return false;
		value = value << 4 | (uint32_t)digit;
	}
	*out = value;
	return true;
}

static bool read_status(struct str text, uint32_t *out)
{
	int64_t number;
	if (str_starts(text, S("0x")) || str_starts(text, S("0X")))
		return read_hex(str_slice(text, 2, text.len), out);
	if (!str_to_int(text, &number) || number < 0 || number > UINT32_MAX)
		return false;
	*out = (uint32_t)number;
	return true;
}

static bool read_group(struct str word, enum smpp_status_group *out)
{
	static const struct {
		const char *word;
		enum smpp_status_group group;
	} words[] = { { "permanent", SMPP_GROUP_MESSAGE }, { "recipient", SMPP_GROUP_RECIPIENT },
		      { "temporary", SMPP_GROUP_TEMPORARY }, { "throttle", SMPP_GROUP_THROTTLE } };
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (!str_is_none(word) && str_equal(word, str_from(words[i].word))) {
			*out = words[i].group;
			return true;
		}
	return false;
}

bool smpp_status_rules_parse(struct str text, struct smpp_status_rule *rules, size_t *count)
{
	struct str list = text, name, value;
	size_t read = 0;
	while (next_item(&list, &name, &value)) {
		if (read == SMPP_STATUS_RULES_MAX || !read_status(name, &rules[read].status) || rules[read].status == SMPP_ROK ||
		    !read_group(value, &rules[read].group))
			return false;
		read++;
	}
	*count = read;
	return true;
}

enum smpp_status_group smpp_status_group_by(const struct smpp_status_rule *rules, size_t count, uint32_t status)
{
	for (size_t i = 0; i < count; i++)
		if (rules[i].status == status)
			return rules[i].group;
	return smpp_status_group(status);
}

static bool append_tlv(struct buf *out, struct str name, struct str value)
{
	uint32_t tag;
	if (!read_hex(name, &tag) || tag < VENDOR_TAG_LEAST || tag > VENDOR_TAG_MOST || str_is_none(value) || value.len % 2)
		return false;
	size_t size = value.len / 2;
	if (out->len + 4 + size > VENDOR_BYTES_MAX)
		return false;
	char bytes[VENDOR_BYTES_MAX];
	if (!str_from_hex(value, bytes, size))
		return false;
	const char head[4] = { (char)(tag >> 8), (char)tag, (char)(size >> 8), (char)size };
	buf_add(out, head, sizeof head);
	buf_add(out, bytes, size);
	return true;
}

bool smpp_vendor_parse(struct str text, struct buf *out)
{
	struct str list = text, name, value;
	struct buf read;
	bool good = true;
	buf_init(&read);
	while (good && next_item(&list, &name, &value))
		good = append_tlv(&read, name, value);
	if (good)
		buf_add(out, read.ptr, read.len);
	buf_release(&read);
	return good;
}

void smpp_time_absolute(int64_t at, char out[17])
{
	time_t seconds = (time_t)(at / CLOCK_SECOND);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	snprintf(out, 17, "%02u%02u%02u%02u%02u%02u000+", (unsigned)tm.tm_year % 100, ((unsigned)tm.tm_mon + 1) % 100,
	         (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}
