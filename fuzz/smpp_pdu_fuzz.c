/* A byte stream from a carrier: frames are cut from it, each decoded, and what can be written again reads the same. */
#include <stdlib.h>

#include "kernel/smpp/smpp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static void write_again(struct buf *buf, const struct smpp_pdu *pdu)
{
	buf_clear(buf);
	if (!smpp_put_message(buf, pdu->command, pdu->sequence, &pdu->message))
		return; /* read more leniently than written */
	struct smpp_pdu again;
	struct str frame;
	if (smpp_frame(buf_str(buf), &frame) != SMPP_FRAME_WHOLE || frame.len != buf->len ||
	    smpp_decode(frame, &again) != SMPP_ROK || again.sequence != pdu->sequence ||
	    !same(again.message.destination.text, pdu->message.destination.text) ||
	    !same(smpp_message_bytes(&again.message), smpp_message_bytes(&pdu->message)) ||
	    again.message.sar_total != pdu->message.sar_total)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str stream = { (const char *)data, size };
	struct str frame;
	struct buf buf;
	struct arena arena;
	buf_init(&buf);
	arena_init(&arena);
	while (smpp_frame(stream, &frame) == SMPP_FRAME_WHOLE) {
		struct smpp_pdu pdu;
		if (smpp_decode(frame, &pdu) == SMPP_ROK &&
		    (pdu.command == SMPP_SUBMIT_SM || pdu.command == SMPP_DELIVER_SM || pdu.command == SMPP_DATA_SM)) {
			struct smpp_receipt receipt;
			smpp_receipt_read(&arena, &pdu.message, &receipt);
			write_again(&buf, &pdu);
		}
		stream = str_slice(stream, frame.len, stream.len);
	}
	arena_release(&arena);
	buf_release(&buf);
	return 0;
}
