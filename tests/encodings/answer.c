/* See answer.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "kernel/smpp/smpp.h"
#include "kernel/text/sms.h"
#include "tests/encodings/answer.h"

#define LINE_MOST 200000
#define WORDS_MOST 32

static struct str bytes_of(struct arena *arena, const char *word)
{
	size_t length = strcmp(word, "-") == 0 ? 0 : strlen(word) / 2;
	char *out = arena_alloc(arena, length + 1);

	for (size_t i = 0; i < length; i++) {
		char digits[3] = { word[2 * i], word[2 * i + 1], 0 };

		out[i] = (char)strtoul(digits, NULL, 16);
	}
	return strcmp(word, "-") == 0 ? STR_NONE : (struct str){ out, length };
}

static void put_bytes(struct str bytes)
{
	if (bytes.len == 0)
		putchar('-');
	for (size_t i = 0; i < bytes.len; i++)
		printf("%02x", (unsigned char)bytes.ptr[i]);
}

static void answer_split(struct arena *arena, char **words)
{
	struct sms_options options = { .road.languages = (uint16_t)strtoul(words[1], NULL, 0), .parts_max = SMS_PARTS_CEILING };
	struct sms_message message;

	if (sms_split(arena, bytes_of(arena, words[2]), &options, &message, NULL) != OK) {
		printf("refused\n");
		return;
	}
	printf("%d %d %d", message.measure.encoding, message.measure.shift.locking, message.measure.shift.single);
	for (size_t i = 0; i < message.part_count; i++) {
		printf(" %d %d ", message.parts[i].esm_class, message.parts[i].data_coding);
		put_bytes(message.parts[i].short_message);
	}
	putchar('\n');
}

static uint8_t octet_of(const char *word)
{
	return (uint8_t)strtoul(word, NULL, 0);
}

/* An absent text is as good as an empty one. */
static bool same(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static bool same_message(const struct smpp_message *a, const struct smpp_message *b)
{
	return same(a->service_type, b->service_type) && same(a->source.text, b->source.text) &&
	       same(a->destination.text, b->destination.text) && a->source.ton == b->source.ton &&
	       a->source.npi == b->source.npi && a->destination.ton == b->destination.ton &&
	       a->destination.npi == b->destination.npi && a->esm_class == b->esm_class && a->protocol_id == b->protocol_id &&
	       a->priority == b->priority && same(a->schedule_time, b->schedule_time) &&
	       same(a->validity_period, b->validity_period) && a->registered_delivery == b->registered_delivery &&
	       a->replace_if_present == b->replace_if_present && a->data_coding == b->data_coding &&
	       a->default_message_id == b->default_message_id && same(a->short_message, b->short_message) &&
	       same(a->message_payload, b->message_payload) &&
	       same(a->receipted_message_id, b->receipted_message_id) &&
	       same(a->network_error_code, b->network_error_code) && a->has_message_state == b->has_message_state &&
	       a->message_state == b->message_state && a->sar_total == b->sar_total &&
	       a->sar_reference == b->sar_reference && a->sar_number == b->sar_number;
}

static void answer_message(struct arena *arena, char **words)
{
	uint32_t command = (uint32_t)strtoul(words[1], NULL, 0), sequence = (uint32_t)strtoul(words[2], NULL, 0);
	struct smpp_message message = {
		.service_type = bytes_of(arena, words[3]),
		.source = { octet_of(words[4]), octet_of(words[5]), bytes_of(arena, words[6]) },
		.destination = { octet_of(words[7]), octet_of(words[8]), bytes_of(arena, words[9]) },
		.esm_class = octet_of(words[10]),
		.protocol_id = octet_of(words[11]),
		.priority = octet_of(words[12]),
		.schedule_time = bytes_of(arena, words[13]),
		.validity_period = bytes_of(arena, words[14]),
		.registered_delivery = octet_of(words[15]),
		.replace_if_present = octet_of(words[16]),
		.data_coding = octet_of(words[17]),
		.default_message_id = octet_of(words[18]),
		.short_message = bytes_of(arena, words[19]),
		.message_payload = bytes_of(arena, words[20]),
		.receipted_message_id = bytes_of(arena, words[21]),
		.network_error_code = bytes_of(arena, words[22]),
		.message_state = octet_of(words[23]),
		.has_message_state = octet_of(words[23]) > 0,
		.sar_reference = (uint16_t)strtoul(words[24], NULL, 0),
		.sar_total = octet_of(words[25]),
		.sar_number = octet_of(words[26]),
	};
	struct smpp_pdu decoded;
	struct buf buf;

	buf_init(&buf);
	if (!smpp_put_message(&buf, command, sequence, &message)) {
		printf("refused\n");
	} else {
		bool same = smpp_decode(buf_str(&buf), &decoded) == SMPP_ROK && decoded.command == command &&
		            decoded.sequence == sequence && same_message(&message, &decoded.message);

		put_bytes(buf_str(&buf));
		printf("%s\n", same ? " same" : "");
	}
	buf_release(&buf);
}

static void answer(struct arena *arena, char **words, size_t count)
{
	if (count == 3 && strcmp(words[0], "split") == 0) {
		answer_split(arena, words);
	} else if (count == 3 && strcmp(words[0], "read") == 0) {
		put_bytes(sms_read(arena, strtoll(words[1], NULL, 0), bytes_of(arena, words[2]), NULL));
		putchar('\n');
	} else if (count == 3 && strcmp(words[0], "pack") == 0) {
		put_bytes(sms_pack(arena, bytes_of(arena, words[2]), (unsigned)strtoul(words[1], NULL, 0)));
		putchar('\n');
	} else if (count == 27 && strcmp(words[0], "message") == 0) {
		answer_message(arena, words);
	} else {
		printf("what?\n");
	}
}

int answer_lines(void)
{
	static char line[LINE_MOST];
	struct arena arena;

	arena_init(&arena);
	while (fgets(line, sizeof line, stdin) != NULL) {
		char *words[WORDS_MOST], *rest = NULL;
		size_t count = 0;

		for (char *word = strtok_r(line, " \n", &rest); word != NULL && count < WORDS_MOST;
		     word = strtok_r(NULL, " \n", &rest))
			words[count++] = word;
		answer(&arena, words, count);
		fflush(stdout);
		arena_clear(&arena);
	}
	arena_release(&arena);
	return 0;
}
