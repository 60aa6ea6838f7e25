/* From 'send' to a durable audience, to the first message handed over, to a message row for everyone; one million people,
 * SQLite, one channel each. `bench/fanout [PEOPLE]`. */
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/store/sqlite/sqlite.h"
#include "core/messages/internal.h"
#include "engine_sql.h"
#include "tests/engine/fake_channel.h"

#define PEOPLE 1000000
#define PEOPLE_PER_BATCH 20000

static struct arena arena;
static struct err err;

static void must(enum rc rc, const char *what)
{
	if (rc == OK)
		return;
	fprintf(stderr, "%s: %s: %.*s\n", what, rc_name(rc), STR_ARG(err.detail));
	exit(3);
}

static double seconds(int64_t from, int64_t to)
{
	return (double)(to - from) / 1e6;
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
			                                  .address = str_format(&own, "+1555%07lld", (long long)id) };
	}
	enum rc rc = put_people(tx, people, count, NULL, error);
	if (rc == OK)
		rc = put_contacts(tx, contacts, count, NULL, error);
	arena_release(&own);
	return rc;
}

/* --- the notice -------------------------------------------------------------------------------------------------------- */

struct send {
	struct notice_person *people;
	size_t count;
	int64_t event_id, notice_id;
};

static enum rc freeze(struct db_tx *tx, void *context, struct err *error)
{
	struct send *send = context;
	struct notice_new notice = { .kind = NOTICE_ALERT, .event_id = send->event_id, .subject_id = 1, .lane = LANE_ALERT_EXTREME,
		                     .expires_at = clock_now() + CLOCK_DAY };
	return notice_freeze(tx, &notice, send->people, send->count, clock_now(), &send->notice_id, error);
}

/* The first notice's blocks must not be opened with the second one's. */
static enum rc drop(struct db_tx *tx, void *context, struct err *error)
{
	(void)context;
	return notice_supersede(tx, NOTICE_ALERT, 1, 0, clock_now(), error);
}

static enum rc render_text(struct house *house, struct arena *into, struct db_tx *tx, int64_t subject_id, int64_t text_group,
                           const struct person *person, enum channel_kind channel, struct message_draft *out, struct err *error)
{
	(void)house;
	(void)tx;
	(void)subject_id;
	(void)text_group;
	(void)channel;
	(void)error;
	out->text = str_format(into, "EXERCISE Flood warning for the coast. Go to high ground now. SAFE or HELP? https://c.example/a/%lld",
	                       (long long)person->id);
	return OK;
}

static const struct notice_desk notices = { .render = render_text };

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static int64_t peak_bytes(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (int64_t)usage.ru_maxrss * 1024;
}

static double cpu_seconds(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

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

/* All blocks into rows, nothing sent. */
static double open_all(struct house *house, int64_t people)
{
	struct engine *engine = engine_of(house);
	must(dispatcher_number(engine, &err), "number");
	int64_t started = clock_monotonic();
	double cpu = cpu_seconds();
	bool opened = true;
	while (opened)
		must(blocks_open(engine, true, &opened, &err), "open");
	struct db_figures figures;
	db_figures(house->db, &figures);
	double took = seconds(started, clock_monotonic());
	printf("rows: %.2f s, of it %.2f s of processor, %lld commits\n", took, cpu_seconds() - cpu, (long long)figures.commits);
	if (engine->backlog[CHANNEL_SMS][LANE_ALERT_EXTREME] != people) {
		fprintf(stderr, "not everyone has a row\n");
		exit(3);
	}
	return took;
}

static double first_hand_over(struct house *house, struct fake_channel *fake, struct send *send, double *frozen)
{
	struct messages_route route = { .channel = &fake->channel, .receipts = true };
	must(messages_add_route(house, &route, &err), "route");
	must(messages_serve(house, &err), "serve");
	usleep(300000); /* at rest, as before a send */
	int64_t started = clock_monotonic();
	must(db_write(house->db, DB_LANE_PERSON, freeze, send, &err), "freeze");
	*frozen = seconds(started, clock_monotonic());
	messages_wake(house);
	for (int i = 0; i < 5000 && atomic_load(&fake->first_at) == 0; i++)
		usleep(1000);
	int64_t first_at = atomic_load(&fake->first_at);
	messages_stop(house, 0);
	if (first_at == 0) {
		fprintf(stderr, "nothing was handed over within 5 s\n");
		exit(3);
	}
	return seconds(started, first_at);
}

int main(int argc, char **argv)
{
	int64_t count = PEOPLE;
	if (argc > 1 && (!str_to_int(str_from(argv[1]), &count) || count < 1000))
		return 2;
	arena_init(&arena);
	err_init(&err, &arena);
	log_set_level(LOG_ERROR);
	char folder[] = "/tmp/chancery-fanout-XXXXXX", url[256];
	if (!mkdtemp(folder))
		return 3;
	snprintf(url, sizeof url, "sqlite:%s/store.db", folder);
	db_register_driver(&sqlite_driver);
	struct db *db;
	must(db_open(url, &db, &err), "open");
	must(db_migrate_all(db, &err), "migrate");
	for (int64_t first = 1; first <= count; first += PEOPLE_PER_BATCH) {
		struct range range = { first, first + PEOPLE_PER_BATCH - 1 <= count ? PEOPLE_PER_BATCH : count - first + 1 };
		must(db_write(db, DB_LANE_BULK, add_people, &range, &err), "people");
	}
	struct send send = { .people = calloc((size_t)count, sizeof *send.people), .count = (size_t)count };
	for (size_t i = 0; i < send.count; i++)
		send.people[i] = (struct notice_person){ .person_id = (int64_t)i + 1, .channels = CHANNEL_BIT(CHANNEL_SMS), .text_group = 1 };

	struct fake_channel fake;
	fake_init(&fake, "carrier", CHANNEL_SMS, 100);
	struct house *house = make_house(db, folder);
	double frozen, worst_frozen = 0, first, worst_first = 0;
	send.event_id = 1;
	first = first_hand_over(house, &fake, &send, &frozen);
	worst_frozen = frozen;
	worst_first = first;
	house_stop(house);
	house_free(house);

	must(db_write(db, DB_LANE_PERSON, drop, NULL, &err), "drop");
	house = make_house(db, folder);
	send.event_id = 2;
	int64_t started = clock_monotonic();
	must(db_write(db, DB_LANE_PERSON, freeze, &send, &err), "freeze");
	frozen = seconds(started, clock_monotonic());
	if (frozen > worst_frozen)
		worst_frozen = frozen;
	double rows = open_all(house, count);
	house_stop(house);
	house_free(house);

	int64_t wrong = -1;
	must(messages_check(db, NULL, NULL, &wrong, &err), "check");
	db_close(db);
	fake_release(&fake);
	free(send.people);
	nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	printf("%-52s %10s %8s\n", "one million people, SQLite, one channel each", "measured", "target");
	printf("%-52s %8.3f s %6.1f s\n", "'send' to the frozen audience durable", worst_frozen, 0.5);
	printf("%-52s %8.3f s %6.1f s\n", "'send' to the first message handed over", worst_first, 1.0);
	printf("%-52s %8.3f s %6.1f s\n", "all blocks opened into message rows, nothing sent", rows, 5.0);
	printf("%-52s %7.0f MB %5d MB\n", "peak memory of the whole process", (double)peak_bytes() / 1048576, 256);
	printf("%-52s %10lld %8d\n", "sums that do not hold", (long long)wrong, 0);
	printf("bench fanout frozen_s=%.3f rows_s=%.3f first_s=%.3f mb=%.0f\n", worst_frozen, rows, worst_first,
	       (double)peak_bytes() / 1048576);
	arena_release(&arena);
	return wrong == 0 ? 0 : 1;
}
