/* What kernel/desk keeps behind struct house. Private to the room. */
#ifndef CHANCERY_KERNEL_DESK_PRIVATE_H
#define CHANCERY_KERNEL_DESK_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "kernel/desk/desk.h"
#include "kernel/desk/hub.h"

#define HOUSE_PROBES_MAX 32
#define HOUSE_METRICS_MAX 32

struct probe {
	const char *name;
	house_probe run;
};

/* A declared setting and what the store says of it. */
struct setting_slot {
	const struct setting *setting;
	char *stored;   /* heap; NULL: the initial value is in force */
	int64_t number; /* the value in force of integers and booleans */
};

struct job_slot {
	const struct job *job;
	int64_t next; /* when it is due; guarded by job_lock */
	bool running;
};

struct house_private {
	house_identify identify;
	house_allows allows;
	house_error_page error_page;
	struct probe probes[HOUSE_PROBES_MAX];
	size_t probe_count;
	house_metrics metrics[HOUSE_METRICS_MAX];
	size_t metrics_count;

	pthread_rwlock_t setting_lock; /* guards the values in `settings`; the list itself is fixed */
	struct setting_slot *settings; /* by name */
	size_t setting_count;
	int64_t setting_change; /* the store's change number when they were read; setting_refresh_lock */
	pthread_mutex_t setting_refresh_lock;

	pthread_mutex_t job_lock; /* guards `next` and `running` of jobs, `stopping`, `job_generation` */
	pthread_cond_t job_wake;
	struct job_slot *jobs;
	size_t job_count;
	unsigned job_generation; /* grows with each job_wake */
	bool stopping;
	pthread_t threads[3]; /* short jobs, long jobs, settings */
	size_t thread_count;

	size_t started; /* desks whose start returned OK */
};

/* Gathers the declarations of all desks, sorted by name; CONFLICT if one doubles, INVALID if an initial value breaks its bounds. */
enum rc settings_init(struct house *house, struct err *err);
void settings_release(struct house *house);
enum rc jobs_init(struct house *house, struct err *err);
void jobs_release(struct house *house);
void jobs_stop(struct house *house);

/* --- store.c: what the room keeps in the store; without one (house->db NULL) everything is empty and nothing is kept --- */
/* Calls `each` for every stored setting, whole in one snapshot. */
enum rc store_settings(struct house *house, void (*each)(void *context, struct str name, struct str value),
                       void *context, struct err *err);
/* STR_NONE removes. */
enum rc store_setting(struct house *house, struct str name, struct str value, struct err *err);
/* When the job last ran to its end: *last_run, or 0 if never. */
enum rc store_job_last(struct house *house, const char *name, int64_t *last_run, struct err *err);
/* Takes the job for this process if nobody ran it since `due` and nobody holds it; CONFLICT if someone else was first. */
enum rc store_job_claim(struct house *house, const char *name, int64_t due, int64_t now, struct err *err);
enum rc store_job_done(struct house *house, const char *name, int64_t now, struct err *err);
/* The number of the newest change, without waiting. */
int64_t store_change(struct house *house);

/* Reads or makes DATA/secret.key into house->secret. */
enum rc secret_load(struct house *house, struct err *err);

#endif
