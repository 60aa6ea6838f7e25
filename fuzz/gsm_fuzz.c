/* Outgoing texts are cut and read back; incoming octets are taken apart and decoded. */
#include <stdlib.h>

#include "base/base.h"
#include "kernel/text/sms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition)
{
	if (!condition)
		abort();
}

/* What went out comes back: every part within its room, the join equal to the text. */
static void go_out(struct arena *arena, struct str text, uint8_t choice, uint8_t road)
{
	struct sms_options options = { .parts_max = SMS_PARTS_CEILING,
		                       .reference = choice,
		                       .road = { .joining = (enum sms_joining)(choice & 3),
		                                 .unspecified = (enum sms_charset)(road % 3),
		                                 .languages = (uint16_t)(road & 4 ? SMS_LANGUAGES_ALL : 1u << (road >> 4)),
		                                 .latin1 = (road & 8) != 0 },
		                       .transliterate = (choice & 4) != 0 };
	struct sms_message message;
	struct buf joined;
	bool lossy;

	if (sms_split(arena, text, &options, &message, NULL) != OK)
		return;
	buf_init(&joined);
	check(message.part_count == message.measure.parts || message.parts[0].payload);
	for (size_t i = 0; i < message.part_count; i++) {
		struct sms_part *part = &message.parts[i];
		struct sms_received received = { part->short_message, part->esm_class, part->data_coding,
			                         options.road.unspecified, false };
		struct sms_incoming incoming;

		check(part->payload || (part->units <= message.measure.part_units && part->short_message.len <= SMS_SEPTETS));
		check(part->sar_number <= part->sar_total && (part->sar_total == 0 || part->esm_class == 0));
		sms_take_apart(arena, &received, &incoming);
		check(!incoming.header_broken);
		check(str_equal(sms_read(arena, sms_reading(&incoming), incoming.payload, &lossy), part->text) || lossy ||
		      str_starts(part->text, S("\xEF\xBB\xBF")));
		buf_add_str(&joined, part->text);
	}
	check(str_equal(buf_str(&joined), message.text));
	buf_release(&joined);
}

static void come_in(struct arena *arena, struct str bytes, uint8_t choice, uint8_t data_coding)
{
	struct sms_received received = { bytes, choice & 4 ? SMS_ESM_CLASS_UDH : 0, data_coding,
		                         choice & 8 ? SMS_CHARSET_UTF8 : SMS_CHARSET_GSM7, (choice & 16) != 0 };
	struct sms_incoming incoming;
	bool lossy;

	sms_take_apart(arena, &received, &incoming);
	struct str text = sms_read(arena, sms_reading(&incoming), incoming.payload, &lossy);

	check(utf8_valid(text) && (text.len == 0 || memchr(text.ptr, 0, text.len) == NULL));
	check(incoming.header.concatenation.sequence <= incoming.header.concatenation.total);
	unsigned fill = choice % 7;

	struct str septets = sms_unpack(arena, bytes, SIZE_MAX, fill);

	check(str_equal(sms_unpack(arena, sms_pack(arena, septets, fill), septets.len, fill), septets));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;

	if (size < 2)
		return 0;
	struct str rest = { (const char *)data + 2, size - 2 };

	arena_init(&arena);
	go_out(&arena, rest, data[0], data[1]);
	come_in(&arena, rest, data[0], data[1]);
	arena_release(&arena);
	return 0;
}
