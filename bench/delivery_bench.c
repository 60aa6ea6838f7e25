/* Our side of bench/delivery: the whole engine (outbox, dispatcher, SMPP channel, receipts) against whatever listens on a
 * port. Prints one JSON line; bench/delivery runs it beside its peers. `delivery_bench --help`. */
#include <ftw.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/channel/smpp/smpp.h"
#include "adapters/store/postgres/postgres.h"
#include "adapters/store/sqlite/sqlite.h"
#include "core/messages/internal.h"
#include "engine_sql.h"

#define PEOPLE_PER_BATCH 20000
#define LOOK_EVERY 20000 /* microseconds between two looks at the counters */
#define CODES_MOST 4096
#define CODE_EVERY (CLOCK_SECOND / 10)

static struct arena arena;
static struct err err;

struct wish {
	int64_t people, notices, port, window, code_count, patience;
	int64_t stop_accepted; /* stop when so many are accepted; 0: when all are delivered */
	const char *folder, *url;
	bool keep_people; /* make the people and stop; or take those that are there */
	bool make;
};

struct outcome {
	double seconds, cpu, rows;
	int64_t delivered, accepted, failed, doubts, queued, wrong, commits, unmatched;
	double rss_mb;
	double code_p50, code_p99, code_worst; /* seconds */
	int64_t codes;
};

static void must(enum rc rc, const char *what)
{
	if (rc == OK)
		return;
	fprintf(stderr, "%s: %s: %.*s\n", what, rc_name(rc), STR_ARG(err.detail));
	exit(3);
}

static double cpu_seconds(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* The peak since it was last set back, in MB; making the people does not count. */
static double peak_mb(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	double mb = 0;
	while (status && fgets(line, sizeof line, status))
		if (strncmp(line, "VmHWM:", 6) == 0)
			mb = strtod(line + 6, NULL) / 1024;
	if (status)
		fclose(status);
	return mb;
}

static void forget_peak(void)
{
	FILE *file = fopen("/proc/self/clear_refs", "we");
	if (!file)
		return;
	fputs("5", file);
	fclose(file);
}

/* --- people --------------------------------------------------------------------------------------------------------- */

struct range {
	int64_t first, count;
};

static enum rc add_people(struct db_tx *tx, void *context, struct err *error)
{
	const struct range *range = context;
	struct arena own;
	arena_init(&own);
	size_t count = (size_t)range->count;
	struct put_people_args *people = ARENA_NEW_ARRAY(&own, struct put_people_args, count);
	struct put_contacts_args *contacts = ARENA_NEW_ARRAY(&own, struct put_contacts_args, count);
	for (size_t i = 0; i < count; i++) {
		int64_t id = range->first + (int64_t)i;
		people[i] = (struct put_people_args){ .id = id, .public_id = str_format(&own, "%032llx", (long long)id),
			                              .language = S("en") };
		contacts[i] = (struct put_contacts_args){ .person_id = id, .channel = CHANNEL_SMS,
			                                  .address = str_format(&own, "+4917%09lld", (long long)id) };
	}
	enum rc rc = put_people(tx, people, count, NULL, error);
	if (rc == OK)
		rc = put_contacts(tx, contacts, count, NULL, error);
	arena_release(&own);
	return rc;
}

static void make_people(struct db *db, int64_t count)
{
	for (int64_t first = 1; first <= count; first += PEOPLE_PER_BATCH) {
		struct range range = { first, first + PEOPLE_PER_BATCH - 1 <= count ? PEOPLE_PER_BATCH : count - first + 1 };
		must(db_write(db, DB_LANE_BULK, add_people, &range, &err), "people");
	}
}

/* --- the alert ------------------------------------------------------------------------------------------------------- */

/* The number in front is what the sink counts lost and doubled messages by: the first alert's are 0 to people - 1. */
static enum rc render_text(struct house *house, struct arena *into, struct db_tx *tx, int64_t subject_id, int64_t text_group,
                           const struct person *person, enum channel_kind channel, struct message_draft *out, struct err *error)
{
	(void)house;
	(void)tx;
	(void)text_group;
	(void)channel;
	(void)error;
	out->text = str_format(into,
	                       "#%09lld please leave the area now by road north and call the embassy on this number "
	                       "https://c.example/a/%lld",
	                       (long long)(person->id - 1 + (subject_id - 1) * 1000000), (long long)person->id);
	return OK;
}

static const struct notice_desk notices = { .render = render_text };

struct send {
	struct notice_person *people;
	size_t count;
	int64_t event_id, notice_id;
};

static enum rc freeze(struct db_tx *tx, void *context, struct err *error)
{
	struct send *send = context;
	struct notice_new notice = { .kind = NOTICE_ALERT, .event_id = send->event_id, .subject_id = send->event_id,
		                     .lane = LANE_ALERT_EXTREME, .expires_at = clock_now() + CLOCK_DAY };
	return notice_freeze(tx, &notice, send->people, send->count, clock_now(), &send->notice_id, error);
}

static enum rc sum_up(struct db_tx *tx, void *context, struct err *error)
{
	struct outcome *out = context;
	out->accepted = out->delivered = out->failed = out->doubts = out->queued = 0;
	for (int64_t notice = 1;; notice++) {
		struct message_counts counts;
		enum rc rc = message_count_notice(tx, notice, &counts, error);
		const int64_t *of = counts.of[CHANNEL_SMS];
		if (rc != OK || of[MESSAGE_PLANNED] == 0)
			return rc;
		out->accepted += of[MESSAGE_ACCEPTED];
		out->delivered += of[MESSAGE_DELIVERED];
		out->failed += of[MESSAGE_FAILED];
		out->doubts += of[MESSAGE_STATE_COUNT];
		out->queued += of[MESSAGE_QUEUED];
	}
}

/* --- codes in between ---------------------------------------------------------------------------------------------------- */

struct codes {
	struct house *house;
	int64_t wanted, ids[CODES_MOST];
	double waits[CODES_MOST];
	_Atomic int64_t count;
	_Atomic bool stop;
};

static enum rc queue_code(struct db_tx *tx, void *context, struct err *error)
{
	int64_t *id = context;
	const struct message_single code = { .lane = LANE_CODE, .channel = CHANNEL_SMS, .address = S("+491600000001"), .subject = S(""),
		                             .body = S("Your code is 123456"), .in_reply_to = S(""),
		                             .expires_at = clock_now() + 10 * CLOCK_MINUTE };
	return message_queue(tx, &code, clock_now(), id, error);
}

static void *send_codes(void *context)
{
	struct codes *codes = context;
	while (!codes->stop && codes->count < codes->wanted) {
		if (db_write(codes->house->db, DB_LANE_PERSON, queue_code, &codes->ids[codes->count], NULL) == OK) {
			codes->count++;
			messages_wake(codes->house);
		}
		usleep(CODE_EVERY);
	}
	return NULL;
}

static enum rc read_waits(struct db_tx *tx, void *context, struct err *error)
{
	struct codes *codes = context;
	for (int64_t i = 0; i < codes->count; i++) {
		struct get_times_args args = { .id = codes->ids[i] };
		struct get_times_row row;
		enum rc rc = get_times(tx, &arena, &args, &row, error);
		if (rc != OK)
			return rc;
		/* One that has not left is as late as can be. */
		codes->waits[i] = row.accepted_at > 0 ? (double)(row.accepted_at - row.created_at) / 1e6 : 1e6;
	}
	return OK;
}

static int by_size(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

static void judge_codes(struct db *db, struct codes *codes, struct outcome *out)
{
	out->codes = codes->count;
	if (codes->count == 0)
		return;
	must(db_read(db, read_waits, codes, &err), "codes");
	size_t count = (size_t)codes->count;
	qsort(codes->waits, count, sizeof *codes->waits, by_size);
	out->code_p50 = codes->waits[count / 2];
	out->code_p99 = codes->waits[count * 99 / 100];
	out->code_worst = codes->waits[count - 1];
}

/* --- the run --------------------------------------------------------------------------------------------------------------- */

static struct house *make_house(struct db *db, const char *folder)
{
	static const struct desk *const desks[] = { &house_desk, &messages_desk };
	struct house_options options = { .db = db, .desks = desks, .desk_count = COUNT_OF(desks), .data_folder = folder };
	struct house *house;
	must(house_new(&options, &house, &err), "house");
	must(house_start(house, &err), "start");
	messages_register(house, NOTICE_ALERT, &notices);
	return house;
}

static struct channel *make_channel(const struct wish *wish)
{
	struct smpp_route_settings settings = smpp_route_defaults();
	settings.name = S("carrier");
	settings.host = S("127.0.0.1");
	settings.port = (uint16_t)wish->port;
	settings.system_id = settings.password = S("bench");
	settings.sender = S("CHANCERY");
	settings.window = (size_t)wish->window;
	struct channel *channel;
	must(smpp_channel_new(&settings, &channel, &err), "channel");
	return channel;
}

static bool is_over(const struct wish *wish, const struct outcome *out)
{
	if (wish->stop_accepted > 0)
		return out->accepted + out->delivered >= wish->stop_accepted;
	return out->delivered + out->failed >= wish->people * wish->notices;
}

static void freeze_all(struct db *db, const struct wish *wish)
{
	struct send send = { .people = calloc((size_t)wish->people, sizeof *send.people), .count = (size_t)wish->people };
	if (!send.people)
		exit(3);
	for (size_t i = 0; i < send.count; i++)
		send.people[i] = (struct notice_person){ .person_id = (int64_t)i + 1, .channels = CHANNEL_BIT(CHANNEL_SMS), .text_group = 1 };
	for (int64_t n = 1; n <= wish->notices; n++) {
		send.event_id = n;
		must(db_write(db, DB_LANE_PERSON, freeze, &send, &err), "freeze");
	}
	free(send.people);
}

static void run(struct db *db, const struct wish *wish, struct outcome *out)
{
	static struct codes codes;
	pthread_t coder;
	struct house *house = make_house(db, wish->folder);
	struct channel *channel = make_channel(wish);
	struct messages_route route = { .channel = channel, .receipts = true };
	must(messages_add_route(house, &route, &err), "route");
	freeze_all(db, wish);
	codes.house = house;
	codes.wanted = wish->code_count;
	struct db_figures before, after;
	db_figures(db, &before);
	forget_peak();
	int64_t started = clock_monotonic();
	double cpu = cpu_seconds();
	must(messages_serve(house, &err), "serve");
	bool coding = codes.wanted > 0 && pthread_create(&coder, NULL, send_codes, &codes) == 0;
	int64_t moved_at = clock_monotonic(), moved = 0;
	for (;;) {
		must(db_read(db, sum_up, out, &err), "counters");
		int64_t now = clock_monotonic(), sum = out->accepted + 2 * out->delivered + out->failed;
		if (sum != moved) {
			moved = sum;
			moved_at = now;
		}
		if (is_over(wish, out) || now - moved_at > wish->patience * CLOCK_SECOND)
			break;
		usleep(LOOK_EVERY);
	}
	out->seconds = (double)(clock_monotonic() - started) / 1e6;
	out->cpu = cpu_seconds() - cpu;
	out->rss_mb = peak_mb();
	codes.stop = true;
	if (coding)
		pthread_join(coder, NULL);
	struct messages_figures figures;
	messages_figures(house, &figures);
	out->unmatched = figures.unmatched_receipts;
	messages_stop(house, wish->stop_accepted > 0 ? 0 : CLOCK_SECOND);
	db_figures(db, &after);
	out->commits = (int64_t)(after.commits - before.commits);
	judge_codes(db, &codes, out);
	must(db_read(db, sum_up, out, &err), "counters");
	house_stop(house);
	house_free(house);
	channel_free(channel);
}

static const char usage[] =
	"usage: delivery_bench --port N [options]\n"
	"  --people N      so many people (1000000)\n"
	"  --notices N     alerts to each of them, all queued before the first leaves (1)\n"
	"  --window N      of the SMPP bind (100)\n"
	"  --codes N       sign-in codes queued meanwhile, ten a second (0)\n"
	"  --stop N        stop when N are accepted, receipts or not (0: when all receipts are folded back)\n"
	"  --patience N    seconds without progress after which it gives up (20)\n"
	"  --folder DIR    of the store; with --url only of the dispatcher's number\n"
	"  --url URL       another store than DIR/store.db\n"
	"  --make          make the people in it and stop\n"
	"  --made          the people are there\n";

static bool read_wish(int argc, char **argv, struct wish *wish)
{
	static const struct option options[] = {
		{ "people", 1, NULL, 'p' }, { "notices", 1, NULL, 'n' }, { "window", 1, NULL, 'w' },   { "codes", 1, NULL, 'c' },
		{ "stop", 1, NULL, 's' },   { "port", 1, NULL, 'o' },    { "patience", 1, NULL, 't' }, { "folder", 1, NULL, 'f' },
		{ "url", 1, NULL, 'u' },    { "make", 0, NULL, 'm' },    { "made", 0, NULL, 'd' },     { NULL, 0, NULL, 0 },
	};
	*wish = (struct wish){ .people = 1000000, .notices = 1, .window = 100, .patience = 20 };
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		int64_t *number = option == 'p' ? &wish->people : option == 'n' ? &wish->notices : option == 'w' ? &wish->window
		                : option == 'c' ? &wish->code_count : option == 's' ? &wish->stop_accepted
		                : option == 'o' ? &wish->port : option == 't' ? &wish->patience : NULL;
		if (number && (!str_to_int(str_from(optarg), number) || *number < 0))
			return false;
		if (option == 'f')
			wish->folder = optarg;
		else if (option == 'u')
			wish->url = optarg;
		else if (option == 'm')
			wish->make = true;
		else if (option == 'd')
			wish->keep_people = true;
		else if (!number)
			return false;
	}
	return wish->people > 0 && wish->notices > 0 && wish->code_count <= CODES_MOST && wish->window > 0 && wish->folder &&
	       (wish->make || (wish->port > 0 && wish->port < 65536));
}

int main(int argc, char **argv)
{
	struct wish wish;
	if (!read_wish(argc, argv, &wish)) {
		fputs(usage, stderr);
		return 2;
	}
	arena_init(&arena);
	err_init(&err, &arena);
	log_set_level(LOG_ERROR);
	db_register_driver(&sqlite_driver);
	db_register_driver(&postgres_driver);
	struct str url = wish.url ? str_from(wish.url) : str_format(&arena, "sqlite:%s/store.db", wish.folder);
	struct db *db;
	must(db_open(str_c(&arena, url), &db, &err), "open");
	must(db_migrate_all(db, &err), "migrate");
	if (!wish.keep_people)
		make_people(db, wish.people);
	if (wish.make) {
		db_close(db);
		arena_release(&arena);
		return 0;
	}
	struct outcome out = { 0 };
	run(db, &wish, &out);
	must(messages_check(db, NULL, NULL, &out.wrong, &err), "check");
	db_close(db);
	double sent = (double)(out.accepted + out.delivered + out.failed);
	printf("{\"window\":%lld,\"sent\":%.0f,\"seconds\":%.3f,\"rate\":%.0f,\"cpu_s\":%.2f,\"cpu_s_per_million\":%.2f,\"rss_mb\":%.1f,"
	       "\"accepted\":%lld,\"delivered\":%lld,\"failed\":%lld,\"in_doubt\":%lld,\"queued\":%lld,\"commits\":%lld,"
	       "\"per_commit\":%.0f,\"unmatched\":%lld,\"wrong_sums\":%lld,\"codes\":%lld,\"code_p50_s\":%.3f,\"code_p99_s\":%.3f,"
	       "\"code_worst_s\":%.3f}\n",
	       (long long)wish.window, sent, out.seconds, sent / out.seconds, out.cpu, out.cpu / sent * 1e6, out.rss_mb,
	       (long long)out.accepted, (long long)out.delivered, (long long)out.failed, (long long)out.doubts,
	       (long long)out.queued, (long long)out.commits, sent / (double)(out.commits ? out.commits : 1), (long long)out.unmatched,
	       (long long)out.wrong, (long long)out.codes, out.code_p50, out.code_p99, out.code_worst);
	arena_release(&arena);
	return out.wrong == 0 ? 0 : 1;
}
