/* The roads out: the mail relay of the settings; SMS carriers of their table, and one of the settings smpp.*; the push services of browsers. */
#include <errno.h>
#include <stdio.h>

#include "cmd/roads.h"
#include "adapters/channel/smpp/smpp.h"
#include "adapters/channel/smtp/smtp.h"
#include "adapters/channel/webpush/webpush.h"
#include "core/carriers/carriers.h"
#include "core/messages/messages.h"

#define PASSWORD_MAX 1024

static const struct setting road_settings[] = {
	{ "smtp.relay", SETTING_TEXT, "", 0, 260, "Mail relay as HOST:PORT; empty: no mail leaves" },
	{ "smtp.tls", SETTING_TEXT, "auto", 0, 10,
	  "yes: the relay must speak STARTTLS with a certificate that holds; implicit: TLS from the first byte (port 465); no: none; auto: yes, unless the relay is on this host" },
	{ "smtp.ca_file", SETTING_TEXT, "", 0, 1000, "File of the certificates that vouch for the relay (PEM); empty: the system's" },
	{ "smtp.user", SETTING_TEXT, "", 0, 200, "Name at the relay; its password is in smtp.password in the data folder; empty: none is asked" },
	{ "smtp.helo", SETTING_TEXT, "", 0, 253, "Our host name as told to the relay; empty: localhost" },
	{ "smtp.connections", SETTING_INT, "4", 1, SMTP_CONNECTIONS_MAX, "Connections kept to the relay, at most" },
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
	.settings = road_settings,
	.setting_count = COUNT_OF(road_settings),
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

/* Loopback by its name or number. What a name of another kind means is not asked: it may mean something else tomorrow. */
static bool
host_is_here(struct str host)
{
	return str_equal_nocase(host, S("localhost")) || str_equal(host, S("::1")) || str_starts(host, S("127."));
}

static enum rc
tls_read(struct str word, struct str host, enum smtp_tls *out, struct err *err)
{
	if (str_equal(word, S("yes")) || (str_equal(word, S("auto")) && !host_is_here(host)))
		*out = SMTP_TLS_REQUIRED;
	else if (str_equal(word, S("no")) || str_equal(word, S("auto")))
		*out = SMTP_TLS_NONE;
	else if (str_equal(word, S("implicit")))
		*out = SMTP_TLS_IMPLICIT;
	else
		return err_set(err, INVALID, "smtp.tls is auto, yes, implicit or no, not %.*s", STR_ARG(word));
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
	relay.ca_file = setting_text(house, arena, "smtp.ca_file");
	relay.connections = (size_t)setting_int(house, "smtp.connections");
	enum rc rc = tls_read(setting_text(house, arena, "smtp.tls"), relay.host, &relay.tls, err);
	if (rc == OK)
		rc = password_read(house, arena, "smtp", &relay.password, err);
	if (rc == OK && relay.user.len && relay.tls == SMTP_TLS_NONE && !host_is_here(relay.host))
		rc = err_set(err, INVALID, "smtp.user without TLS would tell the password to everyone on the way: set smtp.tls to yes or implicit");
	return rc == OK ? smtp_channel_new(&relay, out, err) : rc;
}

/* The carrier of the settings smpp.*: named sms, one transceiver. */
static void
carrier_of_settings(struct house *house, struct arena *arena, struct carrier *out)
{
	*out = carrier_defaults();
	out->name = S("sms");
	out->host = setting_text(house, arena, "smpp.host");
	out->port = setting_int(house, "smpp.port");
	out->system_id = setting_text(house, arena, "smpp.system_id");
	out->system_type = setting_text(house, arena, "smpp.system_type");
	out->source = setting_text(house, arena, "smpp.source_address");
	out->window_most = setting_int(house, "smpp.window");
	out->rate = setting_int(house, "smpp.rate");
	out->bare_international = setting_bool(house, "smpp.bare_is_international");
	out->receipts = !setting_bool(house, "smpp.receipts") ? CARRIER_RECEIPTS_NONE
	                : setting_bool(house, "smpp.receipt_for_all") ? CARRIER_RECEIPTS_ONE
	                                                              : CARRIER_RECEIPTS_EACH;
	out->data_coding_0 = setting_bool(house, "smpp.latin1");
	out->packed = setting_bool(house, "smpp.packed");
	out->validity = CARRIER_VALIDITY_RELATIVE;
}

/* What stands in a carrier's row, as the channel takes it. INVALID for what no `chancery carrier` wrote. */
static enum rc
carrier_settings(const struct carrier *carrier, struct arena *arena, struct smpp_status_rule *rules, struct smpp_route_settings *out,
                 struct err *err)
{
	static const enum smpp_route_validity validities[] = { [CARRIER_VALIDITY_NONE] = SMPP_ROUTE_VALIDITY_NONE,
		                                               [CARRIER_VALIDITY_ABSOLUTE] = SMPP_ROUTE_VALIDITY_ABSOLUTE,
		                                               [CARRIER_VALIDITY_RELATIVE] = SMPP_ROUTE_VALIDITY_RELATIVE };
	struct buf vendor;

	*out = smpp_route_defaults();
	out->host = carrier->host;
	out->port = (uint16_t)carrier->port;
	out->system_id = carrier->system_id;
	out->system_type = carrier->system_type;
	out->sender = carrier->source;
	out->service_type = carrier->service_type;
	out->window = (size_t)carrier->window_most;
	out->rate = (size_t)carrier->rate;
	out->enquire_every = carrier->enquire * CLOCK_SECOND;
	out->answer_within = carrier->answer * CLOCK_SECOND;
	out->retry_first = carrier->rebind * CLOCK_SECOND;
	if (out->retry_most < out->retry_first)
		out->retry_most = out->retry_first;
	out->source_ton = (int)carrier->source_ton;
	out->source_npi = (int)carrier->source_npi;
	out->destination_ton = (int)carrier->destination_ton;
	out->destination_npi = (int)carrier->destination_npi;
	out->bare_is_international = carrier->bare_international != 0;
	out->validity = validities[carrier->validity];
	out->tls = carrier->tls == CARRIER_TLS_VERIFY;
	out->tls_ca = carrier->tls_ca;
	out->tls_name = carrier->tls_name;
	out->status_rules = rules;
	buf_init(&vendor);
	const bool good = smpp_vendor_parse(carrier->vendor, &vendor) && smpp_status_rules_parse(carrier->statuses, rules, &out->status_rule_count);
	out->vendor = str_copy(arena, buf_str(&vendor));
	buf_release(&vendor);
	return good ? OK : err_set(err, INVALID, "carrier %.*s: vendor or statuses cannot be read", STR_ARG(carrier->name));
}

static enum rc
road_add(struct house *house, struct roads *roads, const struct messages_route *route, struct err *err)
{
	roads->channels[roads->count++] = route->channel;
	return messages_add_route(house, route, err);
}

/* One bind: NAME/N, or NAME/N-in for the receiver beside a transmitter. */
static enum rc
bind_add(struct house *house, struct roads *roads, struct arena *arena, const struct carrier *carrier, struct smpp_route_settings *settings,
         int64_t number, enum smpp_route_bind bind, struct err *err)
{
	struct messages_route route = {
		.carrier = carrier->name,
		.receives_only = bind == SMPP_ROUTE_RECEIVER,
		.prefixes = carrier->prefixes,
		.cost = carrier->cost,
		.weight = carrier->weight,
		.receipts = carrier->receipts != CARRIER_RECEIPTS_NONE,
		.receipt_for_all = carrier->receipts == CARRIER_RECEIPTS_ONE,
		.sms = { .joining = (enum sms_joining)carrier->concatenation,
		         .unspecified = carrier->data_coding_0 ? SMS_CHARSET_LATIN1 : SMS_CHARSET_GSM7,
		         .languages = carrier->shift_tables ? SMS_LANGUAGES_ALL : 0,
		         .packed = carrier->packed != 0 },
	};

	if (roads->count == ROADS_MAX)
		return err_set(err, INVALID, "more than %d roads: carriers have too many binds", ROADS_MAX);
	settings->bind = bind;
	settings->name = str_format(arena, "%.*s/%lld%s", STR_ARG(carrier->name), (long long)number, route.receives_only ? "-in" : "");
	enum rc rc = smpp_channel_new(settings, &route.channel, err);
	return rc == OK ? road_add(house, roads, &route, err) : rc;
}

static enum rc
carrier_open(struct house *house, struct roads *roads, struct arena *arena, const struct carrier *carrier, const char *secret, struct err *err)
{
	struct smpp_status_rule rules[SMPP_STATUS_RULES_MAX];
	struct smpp_route_settings settings;

	enum rc rc = carrier_settings(carrier, arena, rules, &settings, err);
	if (rc == OK)
		rc = password_read(house, arena, secret, &settings.password, err);
	for (int64_t number = 1; rc == OK && number <= carrier->binds; number++) {
		const bool split = carrier->bind == CARRIER_SPLIT;
		rc = bind_add(house, roads, arena, carrier, &settings, number, split ? SMPP_ROUTE_TRANSMITTER : SMPP_ROUTE_TRANSCEIVER, err);
		if (rc == OK && split)
			rc = bind_add(house, roads, arena, carrier, &settings, number, SMPP_ROUTE_RECEIVER, err);
	}
	return rc;
}

static enum rc
carriers_open(struct house *house, struct roads *roads, struct arena *arena, struct err *err)
{
	struct carrier *carriers, settings;
	size_t count, enabled = 0;

	carrier_of_settings(house, arena, &settings);
	enum rc rc = carrier_list_all(house->db, arena, &carriers, &count, err);
	if (rc == OK && !str_is_empty(settings.host))
		rc = carrier_open(house, roads, arena, &settings, "smpp", err);
	for (size_t i = 0; rc == OK && i < count; i++) {
		if (!carriers[i].enabled)
			continue;
		if (++enabled > CARRIERS_MAX)
			return err_set(err, INVALID, "more than %d carriers are enabled", CARRIERS_MAX);
		rc = carrier_open(house, roads, arena, &carriers[i], str_format(arena, "carrier.%.*s", STR_ARG(carriers[i].name)).ptr, err);
	}
	if (rc == OK && enabled == 0 && str_is_empty(settings.host))
		log_warn("roads.none", LOGC("channel", "sms"), LOGC("setting", "smpp.host"));
	return rc;
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
	struct channel *mail = NULL, *push = NULL;
	struct arena arena;

	*roads = (struct roads){ .count = 0 };
	arena_init(&arena);
	enum rc rc = smtp_make(house, &arena, &mail, err);
	if (rc == OK && mail)
		rc = road_add(house, roads, &(struct messages_route){ .channel = mail }, err);
	if (rc == OK && !mail)
		log_warn("roads.none", LOGC("channel", "mail"), LOGC("setting", "smtp.relay"));
	if (rc == OK)
		rc = carriers_open(house, roads, &arena, err);
	if (rc == OK)
		rc = webpush_make(house, &arena, &push, err);
	if (rc == OK && push)
		rc = road_add(house, roads, &(struct messages_route){ .channel = push }, err);
	if (rc == OK && !push)
		log_info("roads.none", LOGC("channel", "push"), LOGC("setting", "push.contact"));
	arena_release(&arena);
	return rc;
}

void
roads_close(struct roads *roads)
{
	for (size_t i = 0; i < roads->count; i++)
		channel_free(roads->channels[i]);
	*roads = (struct roads){ .count = 0 };
}
