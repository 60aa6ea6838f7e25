/* What a room is made of: one constant table that lists its routes, jobs, migrations, settings and menu entries.
 * Navigation, permission checks and --help are made from these tables; cmd/chancery.c lists the desks. */
#ifndef CHANCERY_KERNEL_DESK_H
#define CHANCERY_KERNEL_DESK_H

#include "base/base.h"
#include "kernel/db/db.h"

struct house;
struct request;
struct response;

/* Who may do it. A route names one; kernel/access answers. */
enum permission {
	PERMIT_ANYONE,    /* public pages and capability links (the handler checks the token) */
	PERMIT_READER,    /* any signed-in officer */
	PERMIT_OFFICER,   /* officers who act: write, send, answer */
	PERMIT_ADMINISTRATOR,
	PERMIT_PRIVATE,   /* only on the private listener: health, metrics, test clock */
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
};

struct job {
	const char *name;
	int64_t period; /* microseconds; runs once at start too if it was missed */
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
	int message;            /* enum msg: its title */
	const char *path;
	enum permission permission; /* shown to those who may */
	int rank;               /* order in the menu */
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

/* The process: what every handler and job can reach. Made by cmd, lives as long as the process. */
struct house {
	struct db *db;
	const struct desk *const *desks;
	size_t desk_count;
	const char *data_folder;      /* folder of the data file and secrets */
	const char *public_url;       /* "https://chancery.example", without a slash at the end */
	uint8_t secret[32];           /* key of capability links and form tokens; from DATA/secret.key */
	struct hub *hub;              /* events to listeners, kernel/desk/hub.h */
	void *state[32];              /* by enum house_slot */
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
};

/* Settings: the value in force (stored in table `setting`, else the initial one). Unknown names end the process. */
int64_t setting_int(struct house *house, const char *name);
struct str setting_text(struct house *house, struct arena *arena, const char *name);
/* Checks type and bounds, stores, and takes effect at once. INVALID names the rule. */
enum rc setting_set(struct house *house, const char *name, struct str value, struct err *err);

#endif
