/* What a room is made of: one constant table that lists its routes, jobs, migrations, settings and menu entries.
 * Navigation, permission checks and --help are made from these tables; cmd/chancery.c lists the desks. */
#ifndef CHANCERY_KERNEL_DESK_H
#define CHANCERY_KERNEL_DESK_H

#include "base/base.h"
#include "kernel/db/db.h"

struct house;
struct request;
struct response;
struct officer; /* kernel/access/access.h */

/* Who may do it. A route names one; kernel/access answers through the hook below. */
enum permission {
	PERMIT_ANYONE,  /* public pages and capability links (the handler checks the token) */
	PERMIT_READER,  /* any signed-in officer */
	PERMIT_OFFICER, /* officers who act: write, send, answer */
	PERMIT_ADMINISTRATOR,
	PERMIT_PRIVATE, /* only on the private listener: health, metrics, test clock */
};

enum rate_class {
	RATE_PAGE,   /* reading */
	RATE_FORM,   /* posting a form */
	RATE_SECRET, /* sign-in, codes: tarpit */
};

enum method { METHOD_GET, METHOD_POST };

struct route {
	enum method method;
	const char *path; /* "/trip/:token/leg/:leg": a segment that starts with ':' is captured */
	void (*handle)(struct request *request, struct response *response);
	const char *summary; /* one English line for --help and, later, OpenAPI */
	enum permission permission;
	enum rate_class rate;
	/* Posted by programs, not by our forms (RFC 8058 one-click unsubscribe, the private listener): no form token is
	 * asked for, and the body may be of any type (request->body). Such a handler must bear the proof in its path. */
	bool machine;
};

/* Work that comes back. Periods of a minute and more are remembered in table `job`: one that was missed while the
 * process was down runs once at start, and of several processes on one store only one runs it. Shorter ones run in
 * every process and are not remembered. Two runs of one job never overlap within a process. */
struct job {
	const char *name; /* unique: "messages.expire" */
	int64_t period;   /* microseconds of clock_now(), so that the test clock moves it */
	void (*run)(struct house *house);
	const char *summary;
};

enum setting_type { SETTING_INT, SETTING_TEXT, SETTING_BOOL };

struct setting {
	const char *name; /* "travel.confirm_above" */
	enum setting_type type;
	const char *initial;
	int64_t least, most; /* for integers; for texts `most` is the length */
	const char *help;
};

struct menu_entry {
	int message; /* enum msg: its title */
	const char *path;
	enum permission permission; /* shown to those who may */
	int rank;                   /* order in the menu */
};

struct desk {
	const char *name; /* "travel" */
	const struct route *routes;
	size_t route_count;
	const struct job *jobs;
	size_t job_count;
	const struct db_migration *migrations;
	const size_t *migration_count;
	const struct setting *settings;
	size_t setting_count;
	const struct menu_entry *menu;
	size_t menu_count;
	/* Called once before serving, in the order of the list; the room keeps its state with house_set_state. */
	enum rc (*start)(struct house *house, struct err *err);
	void (*stop)(struct house *house);
};

struct buf;
struct house_private;

/* What is wrong with a request, for the page that says so. */
enum problem {
	PROBLEM_BAD_REQUEST,    /* 400 malformed head, address, form */
	PROBLEM_SIGN_IN,        /* 403 for a post by nobody: sign in first */
	PROBLEM_DENIED,         /* 403 signed in, but not allowed */
	PROBLEM_FORM,           /* 403 the form's token is missing or old: open the form again */
	PROBLEM_NOT_FOUND,      /* 404 */
	PROBLEM_METHOD,         /* 405 */
	PROBLEM_CONFLICT,       /* 409 */
	PROBLEM_LENGTH,         /* 411 a body without a length */
	PROBLEM_TOO_LARGE,      /* 413 */
	PROBLEM_MEDIA_TYPE,     /* 415 */
	PROBLEM_INVALID,        /* 422 */
	PROBLEM_TOO_MANY,       /* 429 */
	PROBLEM_HEAD_TOO_LARGE, /* 431 */
	PROBLEM_FAILED,         /* 500 */
	PROBLEM_BUSY,           /* 503 */
	PROBLEM_COUNT,
};
/* The HTTP status of a problem and its English one-line text (for logs and the plain page). */
int problem_status(enum problem problem);
const char *problem_text(enum problem problem);

/* The process: what every handler and job can reach. Made by house_new, lives as long as the process. */
struct house {
	struct db *db; /* NULL only in tests of rooms that need no store */
	const struct desk *const *desks;
	size_t desk_count;
	const char *data_folder;   /* folder of the data file and secrets */
	const char *public_url;    /* "https://chancery.example", without a slash at the end */
	bool test_clock;           /* POST /test/clock on the private listener may move the clock */
	uint8_t secret[32];        /* key of capability links and form tokens; from DATA/secret.key */
	struct hub *hub;           /* events to listeners, kernel/desk/hub.h */
	void *state[32];           /* by enum house_slot */
	struct house_private *own; /* settings, jobs, probes, hooks: kernel/desk alone looks inside */
};

/* Where rooms keep their process state; one line a room. */
enum house_slot {
	SLOT_ACCESS,
	SLOT_PEOPLE,
	SLOT_PLACES,
	SLOT_AUDIENCE,
	SLOT_MESSAGES,
	SLOT_TRAVEL,
	SLOT_HTTP,
	SLOT_PUSH,
};

/* This room's own: table `job`, the store's probe and metrics. Goes first in the list of desks. */
extern const struct desk house_desk;

struct house_options {
	struct db *db;                   /* open; stays the caller's; may be NULL in tests */
	const struct desk *const *desks; /* must outlive the house, in order of start */
	size_t desk_count;
	const char *data_folder; /* NULL: no folder, the secret lives only in memory (tests) */
	const char *public_url;
	bool test_clock;
};
/* Makes the house: reads or makes DATA/secret.key (0600, 32 random bytes), checks that names of desks, settings and
 * jobs do not double. Nothing of the store is read yet. FAILED with a detail. Release with house_free. */
enum rc house_new(const struct house_options *options, struct house **house_out, struct err *err);
/* Brings the store to this program's schema: the migrations of all rooms, in the order of the build's list. */
enum rc house_migrate(struct house *house, struct err *err);
/* Loads the settings and calls each desk's start in order; after a failure the desks already started are stopped. */
enum rc house_start(struct house *house, struct err *err);
/* Starts the threads that run jobs and follow settings changed by other processes. Only `serve` does. */
enum rc house_run_jobs(struct house *house, struct err *err);
/* Ends the job threads (waiting for a job that runs), then stops the desks in reverse order. */
void house_stop(struct house *house);
void house_free(struct house *house);

void house_set_state(struct house *house, enum house_slot slot, void *state);

/* --- hooks: how rooms of one floor serve each other without knowing each other ------------------------------ */
/* Who is asking (NULL: nobody), and whether they may; set by kernel/access at start. Without them nobody is signed in. */
typedef const struct officer *(*house_identify)(struct request *request);
typedef bool (*house_allows)(const struct officer *officer, enum permission permission);
void house_set_identify(struct house *house, house_identify identify, house_allows allows);
/* Writes the body of an error page (status and headers are set already) in place of kernel/http's own. It may run in a
 * thread that must not wait: no store, no locks held elsewhere. */
typedef void (*house_error_page)(struct request *request, struct response *response, enum problem problem,
                                 const struct err *err);
void house_set_error_page(struct house *house, house_error_page page);
const struct officer *house_officer(struct house *house, struct request *request);
bool house_may(struct house *house, const struct officer *officer, enum permission permission);
house_error_page house_page_of_errors(struct house *house);

/* A check of /health: returns OK, or another code with a short reason in err (ids and numbers only). Runs on each question,
 * so it must be quick. `name` "db", "smpp" ... */
typedef enum rc (*house_probe)(struct house *house, struct err *err);
void house_add_probe(struct house *house, const char *name, house_probe probe);
/* Appends lines of Prometheus' text format 0.0.4 to /metrics. */
typedef void (*house_metrics)(struct house *house, struct buf *out);
void house_add_metrics(struct house *house, house_metrics metrics);
/* Runs all probes; one line each in logfmt ("name=db ok=yes"). True if all are well. */
bool house_health(struct house *house, struct buf *out);
void house_write_metrics(struct house *house, struct buf *out);

/* HMAC-SHA-256 under the house's secret, kept apart by `purpose`, over `bytes`. */
void house_mac(const struct house *house, const char *purpose, struct str bytes, uint8_t out[32]);

/* --- settings ------------------------------------------------------------------------------------------- */
#define SETTING_TEXT_MAX 4096
/* The value in force (stored in table `setting`, else the initial one). Unknown names and wrong types end the process. */
int64_t setting_int(struct house *house, const char *name);
bool setting_bool(struct house *house, const char *name);
struct str setting_text(struct house *house, struct arena *arena, const char *name);
/* Checks type and bounds, stores, and takes effect at once. NOT_FOUND for a name nobody declared; INVALID: the detail
 * names the rule. */
enum rc setting_set(struct house *house, const char *name, struct str value, struct err *err);
/* Back to the initial value. */
enum rc setting_clear(struct house *house, const char *name, struct err *err);
/* Every declared setting with its value in force, by name, for `chancery settings`. */
void setting_each(struct house *house,
                  void (*each)(void *context, const struct setting *setting, struct str value, bool stored),
                  void *context);
/* Reads the stored values again if the store has changed since; the job threads call it, commands need not. */
enum rc setting_refresh(struct house *house, struct err *err);

/* --- jobs ----------------------------------------------------------------------------------------------- */
/* Runs every job that is due now, in this thread, and returns how many ran (tests; the threads do the same). */
size_t job_run_due(struct house *house);
/* Lets the job threads look at the clock at once (the test clock has moved). */
void job_wake(struct house *house);

#endif
