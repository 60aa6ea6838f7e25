/* The text of a receipt; the first byte is its esm_class, of which the bits a receipt has no use for choose TLVs. Its id is made
 * into keys as well. */
#include <stdlib.h>

#include "kernel/smpp/smpp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct smpp_message message = { .esm_class = data[0], .short_message = { (const char *)data + 1, size - 1 } };
	if (data[0] & 0x80) {
		message.has_message_state = true;
		message.message_state = (uint8_t)(size % 12);
	}
	if (data[0] & 0x02)
		message.network_error_code = S("\x03\x01\x02");
	if (data[0] & 0x01)
		message.receipted_message_id = (struct str){ (const char *)data + 1, size - 1 < 70 ? size - 1 : 70 };
	struct smpp_receipt receipt;
	struct arena arena;
	arena_init(&arena);
	if (smpp_receipt_read(&arena, &message, &receipt)) {
		uint64_t keys[SMPP_ID_KEYS];
		size_t count = smpp_id_keys(receipt.id, keys);
		if (count > SMPP_ID_KEYS || (str_trim(receipt.id).len == 0) != (count == 0))
			abort();
		/* Nothing is ever delivered that does not say so. */
		if (receipt.state == SMPP_STATE_DELIVERED && receipt.stat.len < 7 && !(message.has_message_state && message.message_state == 2))
			abort();
	}
	arena_release(&arena);
	return 0;
}
