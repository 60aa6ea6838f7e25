/* Personalised mails from a frozen audience through the outbox (SQLite, every state written durably) and the mail channel
 * into Postfix's smtp-sink; and what Postfix's own smtp-source reaches with mails of the same length over as many kept
 * connections, which keeps nothing. In turn, several rounds; the medians count. `bench/mail [MAILS] [CONNECTIONS] [ROUNDS]`. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "adapters/channel/smtp/smtp.h"
#include "adapters/store/sqlite/sqlite.h"
#include "core/messages/internal.h"
#include "engine_sql.h"

#define MAILS 20000
#define CONNECTIONS 10
#define ROUNDS 3
#define ROUNDS_MAX 9
#define PEOPLE_PER_BATCH 10000
#define WAIT_MOST (5 * CLOCK_MINUTE)

static struct arena arena;
static struct err err;

static void must(enum rc rc, const char *what)
{
	if (rc == OK)
		return;
	fprintf(stderr, "%s: %s: %.*s\n", what, rc_name(rc), STR_ARG(err.detail));
	exit(3);
}

static void give_up(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(3);
}

static double seconds_since(int64_t start)
{
	return (double)(clock_monotonic() - start) / 1e6;
}

static double cpu_seconds(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* --- Postfix's programs --------------------------------------------------------------------------------------------- */

static uint16_t free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		give_up("a free port");
	close(fd);
	return ntohs(address.sin_port);
}

static const char *find_program(const char *name)
{
	static const char *const FOLDERS[] = { "/usr/sbin", "/usr/lib/postfix/sbin", "/usr/libexec/postfix" };
	for (size_t i = 0; i < COUNT_OF(FOLDERS); i++) {
		const char *path = str_format(&arena, "%s/%s", FOLDERS[i], name).ptr;
		if (access(path, X_OK) == 0)
			return path;
	}
	fprintf(stderr, "%s is not here: install postfix\n", name);
	exit(3);
}

static pid_t start_program(char *const argv[])
{
	pid_t pid = fork();
	if (pid < 0)
		give_up("fork");
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execv(argv[0], argv);
		_exit(127);
	}
	return pid;
}

static pid_t start_sink(uint16_t port)
{
	char *address = (char *)(uintptr_t)str_format(&arena, "127.0.0.1:%u", port).ptr;
	char *program = (char *)(uintptr_t)find_program("smtp-sink");
	char *as_root[] = { program, "-u", "nobody", address, "1000", NULL }, *as_user[] = { program, address, "1000", NULL };
	pid_t pid = start_program(getuid() == 0 ? as_root : as_user);
	for (int i = 0; i < 200; i++) {
		struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		bool open = fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
		close(fd);
		if (open)
			return pid;
		usleep(20000);
	}
	give_up("smtp-sink does not answer");
	return 0;
}

/* Mails a second by smtp-source. */
static double run_source(uint16_t port, size_t mails, size_t connections, size_t length)
{
	char *argv[] = { (char *)(uintptr_t)find_program("smtp-source"), "-d", "-s", (char *)(uintptr_t)str_format(&arena, "%zu", connections).ptr,
		         "-m", (char *)(uintptr_t)str_format(&arena, "%zu", mails).ptr, "-l", (char *)(uintptr_t)str_format(&arena, "%zu", length).ptr,
		         "-f", "alerts@chancery.example", "-t", "person@example.org", (char *)(uintptr_t)str_format(&arena, "127.0.0.1:%u", port).ptr, NULL };
	int status;
	int64_t started = clock_monotonic();
	pid_t pid = start_program(argv);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		give_up("smtp-source failed");
	return (double)mails / seconds_since(started);
}

/* --- our side --------------------------------------------------------------------------------------------------------- */

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
		people[i] = (struct put_people_args){ .id = id, .public_id = str_format(&own, "%032llx", (long long)id), .language = S("fr") };
		contacts[i] = (struct put_contacts_args){ .person_id = id, .channel = CHANNEL_MAIL,
			                                  .address = str_format(&own, "person%lld@example.org", (long long)id) };
	}
	enum rc rc = put_people(tx, people, count, NULL, error);
	if (rc == OK)
		rc = put_contacts(tx, contacts, count, NULL, error);
	arena_release(&own);
	return rc;
}

static const char PARAGRAPH[] =
	"Les autorités locales ont fermé l'aéroport et plusieurs routes de la côte. Restez à l'intérieur, loin des fenêtres, et suivez les "
	"consignes de la protection civile. Gardez votre téléphone chargé; nous vous écrirons dès que la situation change.";

/* Text and HTML, as an alert has: with the person's own name and links. About 4 kB on the wire. */
static enum rc render_mail_text(struct house *house, struct arena *into, struct db_tx *tx, int64_t subject_id, int64_t text_group,
                                const struct person *person, enum channel_kind channel, struct message_draft *out, struct err *error)
{
	(void)house;
	(void)tx;
	(void)subject_id;
	(void)text_group;
	(void)channel;
	(void)error;
	long long id = (long long)person->id;
	out->subject = S("Alerte: séisme près de Tunis");
	out->text = str_format(into, "Bonjour personne %lld,\n\n%s\n\n%s\n\n%s\n\nÊtes-vous en sécurité? https://chancery.example/a/%llx\n", id, PARAGRAPH, PARAGRAPH, PARAGRAPH,
	                       id * 7919);
	out->html = str_format(into,
	                       "<!doctype html><html lang=\"fr\"><body><h1>Alerte: séisme près de Tunis</h1><p>Bonjour personne %lld,</p><p>%s</p><p>%s</p>"
	                       "<p>%s</p><p><a href=\"https://chancery.example/a/%llx\">Je suis en sécurité</a></p></body></html>",
	                       id, PARAGRAPH, PARAGRAPH, PARAGRAPH, id * 7919);
	out->thread = S("alert.1");
	out->unsubscribe_url = str_format(into, "https://chancery.example/unsubscribe/%llx", id * 104729);
	out->language = LANGUAGE_FR;
	return OK;
}

static const struct notice_desk notices = { .render = render_mail_text };

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

struct accepted {
	int64_t notice_id, people;
};

static enum rc count_accepted(struct db_tx *tx, void *context, struct err *error)
{
	struct accepted *out = context;
	struct get_states_args args = { .notice_id = out->notice_id };
	struct get_states_row *rows;
	size_t count;
	struct arena own;
	arena_init(&own);
	enum rc rc = get_states(tx, &own, &args, &rows, &count, error);
	out->people = 0;
	for (size_t i = 0; rc == OK && i < count; i++)
		if (rows[i].state == MESSAGE_ACCEPTED)
			out->people = rows[i].people;
	arena_release(&own);
	return rc;
}

struct ours {
	double rate, cpu;
};

/* From 'send' to the last mail written down as accepted. */
static struct ours run_ours(struct db *db, const char *folder, uint16_t port, size_t connections, struct send *send)
{
	static const struct desk *const desks[] = { &house_desk, &messages_desk };
	struct house_options options = { .db = db, .desks = desks, .desk_count = COUNT_OF(desks), .data_folder = folder };
	struct smtp_relay_settings settings = smtp_relay_defaults();
	struct house *house;
	struct channel *channel;
	settings.name = S("mail");
	settings.host = S("127.0.0.1");
	settings.port = port;
	settings.connections = connections;
	must(smtp_channel_new(&settings, &channel, &err), "channel");
	must(house_new(&options, &house, &err), "house");
	must(house_start(house, &err), "start");
	messages_register(house, NOTICE_ALERT, &notices);
	must(messages_add_route(house, &(struct messages_route){ .channel = channel }, &err), "route");
	must(messages_serve(house, &err), "serve");
	usleep(200000); /* at rest, as before a send */
	double cpu = cpu_seconds();
	int64_t started = clock_monotonic();
	must(db_write(db, DB_LANE_PERSON, freeze, send, &err), "freeze");
	messages_wake(house);
	/* The road's own count is cheap to ask; the store has the last word. */
	struct channel_counters counters = { .accepted = 0 };
	while (counters.accepted < send->count && clock_monotonic() < started + WAIT_MOST) {
		usleep(5000);
		channel_counters(channel, &counters);
	}
	struct accepted accepted = { .notice_id = send->notice_id };
	do {
		must(db_read(db, count_accepted, &accepted, &err), "count");
	} while ((size_t)accepted.people < send->count && clock_monotonic() < started + WAIT_MOST);
	struct ours result = { (double)send->count / seconds_since(started), cpu_seconds() - cpu };
	if ((size_t)accepted.people < send->count) {
		fprintf(stderr, "only %lld of %zu mails were accepted\n", (long long)accepted.people, send->count);
		exit(1);
	}
	messages_stop(house, CLOCK_SECOND);
	house_stop(house);
	house_free(house);
	channel_free(channel);
	return result;
}

/* How long the body of one of our mails is: what smtp-source calls the length. */
static size_t body_length(void)
{
	struct person person = { .id = 12345 };
	struct message_draft draft;
	struct smtp_envelope envelope;
	enum channel_fault fault;
	struct buf out;
	render_mail_text(NULL, &arena, NULL, 1, 1, &person, CHANNEL_MAIL, &draft, NULL);
	struct channel_mail mail = { .from_address = S("alerts@chancery.example"), .subject = draft.subject, .text = draft.text, .html = draft.html,
		                     .message_id = S("m.1@chancery.example"), .language = S("fr") };
	struct channel_message message = { .id = 1, .to = S("person@example.org"), .mail = &mail };
	buf_init(&out);
	if (smtp_compose(&message, &out, &envelope, &fault))
		give_up("a mail cannot be written");
	size_t length = out.len - str_find(buf_str(&out), S("\r\n\r\n"), 0) - 4;
	buf_release(&out);
	return length;
}

/* --- all together ------------------------------------------------------------------------------------------------------- */

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof *values, by_size);
	return values[count / 2];
}

static struct db *open_store(const char *folder, int64_t people)
{
	struct db *db;
	const char *url = str_format(&arena, "sqlite:%s/store.db", folder).ptr;
	db_register_driver(&sqlite_driver);
	must(db_open(url, &db, &err), "open");
	must(db_migrate_all(db, &err), "migrate");
	for (int64_t first = 1; first <= people; first += PEOPLE_PER_BATCH) {
		struct range range = { first, first + PEOPLE_PER_BATCH - 1 <= people ? PEOPLE_PER_BATCH : people - first + 1 };
		must(db_write(db, DB_LANE_BULK, add_people, &range, &err), "people");
	}
	return db;
}

int main(int argc, char **argv)
{
	int64_t given[3] = { MAILS, CONNECTIONS, ROUNDS };
	for (int i = 1; i < argc; i++)
		if (i > 3 || !str_to_int(str_from(argv[i]), &given[i - 1]) || given[i - 1] < 1)
			return 2;
	size_t mails = (size_t)given[0], connections = (size_t)given[1], rounds = (size_t)given[2];
	if (connections > SMTP_CONNECTIONS_MAX || rounds > ROUNDS_MAX)
		return 2;
	arena_init(&arena);
	err_init(&err, &arena);
	log_set_level(LOG_ERROR);
	char folder[] = "/tmp/chancery-mail-XXXXXX";
	if (!mkdtemp(folder))
		return 3;
	struct db *db = open_store(folder, (int64_t)mails);
	struct send send = { .people = calloc(mails, sizeof *send.people), .count = mails };
	for (size_t i = 0; i < mails; i++)
		send.people[i] = (struct notice_person){ .person_id = (int64_t)i + 1, .channels = CHANNEL_BIT(CHANNEL_MAIL), .text_group = 1 };
	uint16_t port = free_port();
	size_t length = body_length();
	pid_t sink = start_sink(port);
	double source[ROUNDS_MAX], ours[ROUNDS_MAX], ratio[ROUNDS_MAX], cpu = 0;
	printf("%zu mails with bodies of %zu bytes, %zu connections, SQLite FULL\n%5s %14s %14s %7s %22s\n", mails, length, connections, "round",
	       "smtp-source/s", "ours/s", "ratio", "our CPU s per million");
	for (size_t i = 0; i < rounds; i++) {
		source[i] = run_source(port, mails, connections, length);
		send.event_id = (int64_t)i + 1;
		struct ours run = run_ours(db, folder, port, connections, &send);
		ours[i] = run.rate;
		ratio[i] = run.rate / source[i];
		cpu += run.cpu;
		printf("%5zu %14.0f %14.0f %7.2f %22.1f\n", i + 1, source[i], ours[i], ratio[i], run.cpu * 1e6 / (double)mails);
		fflush(stdout);
	}
	kill(sink, SIGTERM);
	waitpid(sink, NULL, 0);
	int64_t wrong = -1;
	must(messages_check(db, NULL, NULL, &wrong, &err), "check");
	db_close(db);
	free(send.people);
	nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	double rate = median(ours, rounds), against = median(ratio, rounds);
	printf("%-44s %10s %8s\n%-44s %10.0f %8d\n%-44s %10.2f %8.1f\n%-44s %10lld %8d\n", "", "measured", "target", "mails a second", rate, 1000,
	       "of Postfix's smtp-source", against, 0.5, "sums that do not hold", (long long)wrong, 0);
	printf("bench mail rate=%.0f ratio_smtp_source=%.2f cpu_s_per_million=%.1f wrong=%lld\n", rate, against, cpu * 1e6 / (double)(mails * rounds),
	       (long long)wrong);
	arena_release(&arena);
	return wrong == 0 && rate >= 1000 && against >= 0.5 ? 0 : 1;
}
