/* The roads out, made from the settings: one mail relay, one SMS carrier, the push services of browsers. */
#include <errno.h>
#include <stdio.h>

#include "cmd/roads.h"
#include "adapters/channel/smpp/smpp.h"
#include "adapters/channel/smtp/smtp.h"
#include "adapters/channel/webpush/webpush.h"
#include "core/messages/messages.h"

#define PASSWORD_MAX 1024

static const struct setting settings[] = {
	{ "smtp.relay", SETTING_TEXT, "", 0, 260, "Mail relay as HOST:PORT; empty: no mail leaves" },
	{ "smtp.tls", SETTING_BOOL, "no", 0, 0, "Whether the relay must speak STARTTLS with a certificate that holds; for a relay on another host" },
	{ "smtp.user", SETTING_TEXT, "", 0, 200, "Name at the relay; its password is in smtp.password in the data folder; empty: none is asked" },
	{ "smtp.helo", SETTING_TEXT, "", 0, 253, "Our host name as told to the relay; empty: localhost" },
	{ "smtp.connections", SETTING_INT, "4", 1, SMTP_CONNECTIONS_MAX, "Mails on their way to the relay at once" },
	{ "smpp.host", SETTING_TEXT, "", 0, 253, "SMS carrier's SMPP host; empty: no SMS leaves" },
	{ "smpp.port", SETTING_INT, "2775", 1, 65535, "SMS carrier's SMPP port" },
	{ "smpp.system_id", SETTING_TEXT, "", 0, 15, "Our name at the carrier; the password is in smpp.password in the data folder" },
	{ "smpp.system_type", SETTING_TEXT, "", 0, 12, "What some carriers want to hear besides; else empty" },
	{ "smpp.source_address", SETTING_TEXT, "", 0, 20, "Number or name our SMS come from: +NUMBER, a short code, or at most 11 letters and digits" },
	{ "smpp.window", SETTING_INT, "100", 1, SMPP_WINDOW_MAX, "Messages handed to the carrier and not yet answered, at most" },
	{ "smpp.rate", SETTING_INT, "0", 0, 100000, "Messages (parts) a second agreed with the carrier; 0: as fast as it answers" },
	{ "smpp.receipts", SETTING_BOOL, "yes", 0, 0, "Whether to ask for delivery receipts" },
	{ "smpp.receipt_for_all", SETTING_BOOL, "no", 0, 0, "Whether the carrier gives one receipt for all parts of a long message" },
	{ "smpp.latin1", SETTING_BOOL, "no", 0, 0, "Whether incoming texts of data coding 0 are Latin-1 instead of the GSM alphabet" },
	{ "smpp.packed", SETTING_BOOL, "no", 0, 0, "Whether incoming texts of the GSM alphabet come packed, eight letters in seven bytes" },
	{ "smpp.bare_is_international", SETTING_BOOL, "yes", 0, 0, "Whether incoming numbers without a type are international" },
	{ "webpush.window", SETTING_INT, "100", 1, WEBPUSH_WINDOW_MAX, "Notifications on their way to push services at once" },
};

const struct desk roads_desk = {
	.name = "roads",
	.settings = settings,
	.setting_count = COUNT_OF(settings),
};

/* The password of a road: the first line of DATA/NAME.password, which only the server's user should be able to read. Empty without a file. */
static enum rc
password_read(const struct house *house, struct arena *arena, const char *name, struct str *out, struct err *err)
{
	const char *path = str_format(arena, "%s/%s.password", house->data_folder, name).ptr;
	char text[PASSWORD_MAX];
	struct str line, rest;

	*out = S("");
	FILE *file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? OK : err_set(err, FAILED, "%s: %s", path, strerror(errno));
	const size_t size = fread(text, 1, sizeof text, file);
	const bool good = !ferror(file) && size < sizeof text;
	fclose(file);
	if (!good)
		return err_set(err, FAILED, "%s cannot be read or is too long", path);
	str_cut((struct str){ text, size }, '\n', &line, &rest);
	*out = str_copy(arena, str_trim(line));
	return OK;
}

static enum rc
smtp_make(struct house *house, struct arena *arena, struct channel **out, struct err *err)
{
	struct smtp_relay_settings relay = smtp_relay_defaults();
	const struct str text = setting_text(house, arena, "smtp.relay");
	int64_t port = 25;

	*out = NULL;
	if (str_is_empty(text))
		return OK;
	/* The last colon outside of brackets parts host and port. */
	size_t colon = text.len;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == ':')
			colon = i;
		else if (text.ptr[i] == ']')
			colon = text.len;
	relay.host = str_slice(text, 0, colon);
	if (relay.host.len > 2 && relay.host.ptr[0] == '[' && str_ends(relay.host, S("]")))
		relay.host = str_slice(relay.host, 1, relay.host.len - 1);
	if (colon < text.len && (!str_to_int(str_slice(text, colon + 1, text.len), &port) || port < 1 || port > 65535))
		return err_set(err, INVALID, "smtp.relay is HOST:PORT, not %.*s", STR_ARG(text));
	relay.name = S("mail");
	relay.port = (uint16_t)port;
	relay.helo = setting_text(house, arena, "smtp.helo");
	relay.user = setting_text(house, arena, "smtp.user");
	relay.tls = setting_bool(house, "smtp.tls") ? SMTP_TLS_REQUIRED : SMTP_TLS_NONE;
	relay.connections = (size_t)setting_int(house, "smtp.connections");
	enum rc rc = password_read(house, arena, "smtp", &relay.password, err);
	return rc == OK ? smtp_channel_new(&relay, out, err) : rc;
}

static enum rc
smpp_make(struct house *house, struct arena *arena, struct channel **out, struct err *err)
{
	struct smpp_route_settings carrier = smpp_route_defaults();

	*out = NULL;
	carrier.host = setting_text(house, arena, "smpp.host");
	if (str_is_empty(carrier.host))
		return OK;
	carrier.name = S("sms");
	carrier.port = (uint16_t)setting_int(house, "smpp.port");
	carrier.system_id = setting_text(house, arena, "smpp.system_id");
	carrier.system_type = setting_text(house, arena, "smpp.system_type");
	carrier.sender = setting_text(house, arena, "smpp.source_address");
	carrier.window = (size_t)setting_int(house, "smpp.window");
	carrier.rate = (size_t)setting_int(house, "smpp.rate");
	carrier.bare_is_international = setting_bool(house, "smpp.bare_is_international");
	enum rc rc = password_read(house, arena, "smpp", &carrier.password, err);
	return rc == OK ? smpp_channel_new(&carrier, out, err) : rc;
}

/* Nothing but push.contact turns it on: services want to know whom to ask. */
static enum rc
webpush_make(struct house *house, struct arena *arena, struct channel **out, struct err *err)
{
	struct webpush_settings push = webpush_defaults();
	uint8_t seed[32];

	*out = NULL;
	if (!push_is_on(house))
		return OK;
	push_seed(house, seed);
	push.name = S("push");
	push.seed = seed;
	push.contact = setting_text(house, arena, "push.contact");
	push.policy = push_policy_of(house, arena);
	push.window = (size_t)setting_int(house, "webpush.window");
	return webpush_channel_new(&push, out, err);
}

enum rc
roads_open(struct house *house, struct roads *roads, struct err *err)
{
	struct arena arena;

	*roads = (struct roads){ NULL, NULL, NULL };
	arena_init(&arena);
	enum rc rc = smtp_make(house, &arena, &roads->mail, err);
	if (rc == OK)
		rc = smpp_make(house, &arena, &roads->sms, err);
	if (rc == OK)
		rc = webpush_make(house, &arena, &roads->push, err);
	if (rc == OK && roads->mail)
		rc = messages_add_route(house, &(struct messages_route){ .channel = roads->mail }, err);
	const struct messages_route sms = {
		.channel = roads->sms,
		.receipts = setting_bool(house, "smpp.receipts"),
		.receipt_for_all = setting_bool(house, "smpp.receipt_for_all"),
		.latin1 = setting_bool(house, "smpp.latin1"),
		.packed = setting_bool(house, "smpp.packed"),
	};
	if (rc == OK && roads->sms)
		rc = messages_add_route(house, &sms, err);
	if (rc == OK && roads->push)
		rc = messages_add_route(house, &(struct messages_route){ .channel = roads->push }, err);
	if (!roads->mail)
		log_warn("roads.none", LOGC("channel", "mail"), LOGC("setting", "smtp.relay"));
	if (!roads->sms)
		log_warn("roads.none", LOGC("channel", "sms"), LOGC("setting", "smpp.host"));
	if (!roads->push)
		log_info("roads.none", LOGC("channel", "push"), LOGC("setting", "push.contact"));
	arena_release(&arena);
	return rc;
}

void
roads_close(struct roads *roads)
{
	channel_free(roads->mail);
	channel_free(roads->sms);
	channel_free(roads->push);
	*roads = (struct roads){ NULL, NULL, NULL };
}
