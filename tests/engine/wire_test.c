/* Long texts from the notice to the PDUs a carrier reads, for each way of joining parts: the whole engine over the real SMPP
 * channel, with a carrier that only writes down what it gets. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/engine/engine_fixture.h"

#include "adapters/channel/smpp/smpp.h"
#include "kernel/smpp/smpp.h"
#include "kernel/text/sms.h"

#define SMS CHANNEL_BIT(CHANNEL_SMS)
#define SUBMITS_MOST 64

/* --- the carrier --------------------------------------------------------------------------------------------------------- */

struct submit {
	struct smpp_message message;
	char destination[32];
	char bytes[4096];
};

struct carrier {
	int listener;
	uint16_t port;
	pthread_t thread;
	pthread_mutex_t lock; /* guards count and submits */
	size_t count;
	struct submit submits[SUBMITS_MOST];
};

static void write_down(struct carrier *carrier, const struct smpp_message *message)
{
	pthread_mutex_lock(&carrier->lock);
	if (carrier->count < SUBMITS_MOST) {
		struct submit *submit = &carrier->submits[carrier->count++];
		struct str bytes = smpp_message_bytes(message);

		submit->message = *message;
		memcpy(submit->bytes, bytes.ptr, bytes.len);
		snprintf(submit->destination, sizeof submit->destination, "%.*s", STR_ARG(message->destination.text));
		/* slices of the bytes of the connection: only their lengths stay good */
		*(str_is_none(message->message_payload) ? &submit->message.short_message : &submit->message.message_payload) =
			(struct str){ submit->bytes, bytes.len };
	}
	pthread_mutex_unlock(&carrier->lock);
}

static size_t written_down(struct carrier *carrier)
{
	pthread_mutex_lock(&carrier->lock);
	size_t count = carrier->count;
	pthread_mutex_unlock(&carrier->lock);
	return count;
}

static void answer(struct carrier *carrier, struct str frame, struct buf *out)
{
	struct smpp_pdu pdu;
	char id[24];

	if (smpp_decode(frame, &pdu) != SMPP_ROK)
		return; /* the test then misses it */
	switch (pdu.command) {
	case SMPP_BIND_RECEIVER:
	case SMPP_BIND_TRANSMITTER:
	case SMPP_BIND_TRANSCEIVER: smpp_put_bind_response(out, pdu.command, SMPP_ROK, pdu.sequence, S("carrier")); break;
	case SMPP_SUBMIT_SM:
		write_down(carrier, &pdu.message);
		snprintf(id, sizeof id, "W%zu", carrier->count);
		smpp_put_message_response(out, SMPP_SUBMIT_SM, SMPP_ROK, pdu.sequence, str_from(id));
		break;
	default:
		if (!(pdu.command & SMPP_RESPONSE))
			smpp_put_empty(out, pdu.command | SMPP_RESPONSE, SMPP_ROK, pdu.sequence);
	}
}

static void *carrier_run(void *context)
{
	struct carrier *carrier = context;
	int connection = accept(carrier->listener, NULL, NULL);
	struct buf in, out;

	buf_init(&in);
	buf_init(&out);
	while (connection >= 0) {
		char piece[8192];
		ssize_t got = read(connection, piece, sizeof piece);
		struct str frame;
		size_t at = 0;

		if (got <= 0)
			break;
		buf_add(&in, piece, (size_t)got);
		for (struct str rest = buf_str(&in); smpp_frame(rest, &frame) == SMPP_FRAME_WHOLE;
		     rest = str_slice(buf_str(&in), at, in.len)) {
			answer(carrier, frame, &out);
			at += frame.len;
		}
		memmove(in.ptr, in.ptr + at, in.len - at);
		in.len -= at;
		if (out.len > 0 && write(connection, out.ptr, out.len) != (ssize_t)out.len)
			break;
		buf_clear(&out);
	}
	if (connection >= 0)
		close(connection);
	buf_release(&in);
	buf_release(&out);
	return NULL;
}

static void carrier_start(struct carrier *carrier)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;

	memset(carrier, 0, sizeof *carrier);
	pthread_mutex_init(&carrier->lock, NULL);
	carrier->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(carrier->listener >= 0);
	assert_int_equal(bind(carrier->listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(carrier->listener, 1), 0);
	assert_int_equal(getsockname(carrier->listener, (struct sockaddr *)&address, &length), 0);
	carrier->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&carrier->thread, NULL, carrier_run, carrier), 0);
}

static void carrier_stop(struct carrier *carrier)
{
	pthread_join(carrier->thread, NULL);
	close(carrier->listener);
	pthread_mutex_destroy(&carrier->lock);
}

/* --- one text over it -------------------------------------------------------------------------------------------------------- */

struct sent {
	struct rig rig;
	struct carrier carrier;
	struct channel *channel;
};

static void send_over(struct sent *sent, struct fixture *fixture, const struct sms_road *road, const char *text, size_t pdus)
{
	struct smpp_route_settings settings = smpp_route_defaults();
	struct err *err = fixture_err(fixture);

	rig_init(&sent->rig, fixture);
	fake_cut(&sent->rig.sms); /* the other road */
	rig_people(&sent->rig, 1, 2);
	record.text = text;
	carrier_start(&sent->carrier);
	settings.name = S("wire");
	settings.host = S("127.0.0.1");
	settings.port = sent->carrier.port;
	settings.system_id = S("us");
	settings.password = S("secret");
	settings.sender = S("4411");
	assert_rc(fixture, OK, smpp_channel_new(&settings, &sent->channel, err));
	struct messages_route route = { .channel = sent->channel, .receipts = true, .sms = *road };
	assert_rc(fixture, OK, messages_add_route(sent->rig.house, &route, err));
	struct road *last = &sent->rig.engine->roads[sent->rig.engine->road_count - 1];
	assert_rc(fixture, OK, channel_start(sent->channel, &road_events, last, err));

	int64_t notice = rig_send(&sent->rig, 1, 1, 1, SMS), until = clock_monotonic() + 20 * CLOCK_SECOND;
	while (rig_count(&sent->rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED) < 1 && clock_monotonic() < until) {
		usleep(2000);
		rig_turn(&sent->rig);
	}
	assert_int_equal(rig_count(&sent->rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED), 1);
	assert_int_equal(written_down(&sent->carrier), pdus);
	assert_int_equal(rig_message(&sent->rig, notice, 1, CHANNEL_SMS).parts, pdus);
}

static void sent_end(struct sent *sent)
{
	channel_stop(sent->channel, CLOCK_SECOND);
	rig_turn(&sent->rig);
	rig_release(&sent->rig);
	channel_free(sent->channel);
	carrier_stop(&sent->carrier);
	record.text = NULL;
}

static char *repeated(const char *unit, size_t count)
{
	size_t length = strlen(unit);
	char *out = malloc(length * count + 1);

	assert_non_null(out);
	for (size_t i = 0; i < count; i++)
		memcpy(out + i * length, unit, length);
	out[length * count] = 0;
	return out;
}

/* What a phone would show of all that arrived. */
static void assert_shows(struct sent *sent, const char *text)
{
	struct arena *arena = &sent->rig.fixture->arena;
	struct str joined = S("");
	int64_t reading = 0;

	for (size_t i = 0; i < sent->carrier.count; i++) {
		const struct smpp_message *message = &sent->carrier.submits[i].message;
		struct sms_received received = { smpp_message_bytes(message), message->esm_class, message->data_coding,
			                         SMS_CHARSET_GSM7, false };
		struct sms_incoming incoming;

		sms_take_apart(arena, &received, &incoming);
		reading = sms_reading(&incoming);
		joined = str_concat(arena, joined, incoming.payload);
	}
	bool lossy;

	assert_true(str_equal(sms_read(arena, reading, joined, &lossy), str_from(text)));
	assert_false(lossy);
}

static void test_headers(void **state)
{
	static struct sent sent;
	const struct sms_road road = { .joining = SMS_JOIN_UDH_16 };
	char *text = repeated("Stay where you are. ", 20);

	send_over(&sent, *state, &road, text, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct submit *submit = &sent.carrier.submits[i];

		assert_int_equal(submit->message.esm_class, 0x40);
		assert_memory_equal(submit->bytes, "\x06\x08\x04", 3);
		assert_int_equal(submit->bytes[5], 3);
		assert_int_equal(submit->bytes[6], i + 1);
		assert_memory_equal(submit->bytes + 3, sent.carrier.submits[0].bytes + 3, 2);
	}
	assert_shows(&sent, text);
	sent_end(&sent);
	free(text);
}

static void test_sar(void **state)
{
	static struct sent sent;
	const struct sms_road road = { .joining = SMS_JOIN_SAR };
	char *text = repeated("Stay where you are. ", 20);

	send_over(&sent, *state, &road, text, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct smpp_message *message = &sent.carrier.submits[i].message;

		assert_int_equal(message->esm_class, 0);
		assert_int_equal(message->sar_total, 3);
		assert_int_equal(message->sar_number, i + 1);
		assert_int_equal(message->sar_reference, sent.carrier.submits[0].message.sar_reference);
	}
	assert_shows(&sent, text);
	sent_end(&sent);
	free(text);
}

static void test_payload(void **state)
{
	static struct sent sent;
	const struct sms_road road = { .joining = SMS_JOIN_PAYLOAD };
	char *text = repeated("Stay where you are. ", 40);

	send_over(&sent, *state, &road, text, 1);
	assert_int_equal(sent.carrier.submits[0].message.message_payload.len, 800);
	assert_int_equal(sent.carrier.submits[0].message.short_message.len, 0);
	assert_int_equal(sent.carrier.submits[0].message.sar_total, 0);
	assert_shows(&sent, text);
	sent_end(&sent);
	free(text);
}

static void test_tables(void **state)
{
	static struct sent sent;
	const struct sms_road road = { .languages = SMS_LANGUAGES_ALL };
	char *text = repeated("Bulundu\xC4\x9Funuz yerde kal\xC4\xB1n. ", 10); /* 270 letters: 2 parts of 149, or 5 of 67 */

	send_over(&sent, *state, &road, text, 2);
	assert_int_equal(sent.carrier.submits[0].message.data_coding, 0);
	assert_memory_equal(sent.carrier.submits[0].bytes, "\x08\x00\x03", 3);
	assert_memory_equal(sent.carrier.submits[0].bytes + 6, "\x25\x01\x01", 3);
	assert_shows(&sent, text);
	sent_end(&sent);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SQLITE_ONLY_(test_headers, fixture_setup),
		SQLITE_ONLY_(test_sar, fixture_setup),
		SQLITE_ONLY_(test_payload, fixture_setup),
		SQLITE_ONLY_(test_tables, fixture_setup),
	};
	log_set_level(LOG_ERROR);
	return fixture_main(tests);
}
