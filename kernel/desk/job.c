/* Jobs: work that comes back. One thread for the short ones, one for the long, one that follows the settings. */
#include <stdlib.h>
#include <time.h>

#include "kernel/desk/private.h"

/* From this period on runs are remembered in the store. */
#define JOB_REMEMBERED (60 * CLOCK_SECOND)
/* The threads look at the clock at least so often: the clock may be moved or set. */
#define JOB_LOOK (CLOCK_SECOND / 2)
/* After a run that could not be claimed or a store that did not answer, the next try. */
#define JOB_AGAIN (10 * CLOCK_SECOND)

static bool is_remembered(const struct job *job)
{
	return job->period >= JOB_REMEMBERED;
}

enum rc jobs_init(struct house *house, struct err *err)
{
	struct house_private *own = house->own;
	size_t count = 0;
	for (size_t i = 0; i < house->desk_count; i++)
		count += house->desks[i]->job_count;
	own->jobs = calloc(count ? count : 1, sizeof *own->jobs);
	if (!own->jobs)
		return err_set(err, FAILED, "out of memory");
	for (size_t i = 0; i < house->desk_count; i++)
		for (size_t j = 0; j < house->desks[i]->job_count; j++) {
			const struct job *job = &house->desks[i]->jobs[j];
			if (job->period < CLOCK_SECOND / 100)
				return err_set(err, INVALID, "job %s has no period", job->name);
			for (size_t other = 0; other < own->job_count; other++)
				if (strcmp(own->jobs[other].job->name, job->name) == 0)
					return err_set(err, CONFLICT, "job %s is declared twice", job->name);
			own->jobs[own->job_count++].job = job;
		}
	return OK;
}

void jobs_release(struct house *house)
{
	free(house->own->jobs);
}

/* Runs the job unless another process has, and returns when it is due next. The job lock is not held. */
static int64_t run_one(struct house *house, const struct job *job, int64_t due, bool *ran)
{
	struct arena arena;
	struct err err;
	int64_t now = clock_now();
	int64_t next = now + job->period;
	arena_init(&arena);
	err_init(&err, &arena);
	bool remembered = is_remembered(job) && house->db;
	enum rc rc = remembered ? store_job_claim(house, job->name, due, now, &err) : OK;
	if (rc == OK) {
		int64_t start = clock_monotonic();
		job->run(house);
		*ran = true;
		log_debug("job", LOGC("name", job->name), LOGI("ms", (clock_monotonic() - start) / 1000));
		if (remembered)
			rc = store_job_done(house, job->name, now, &err);
	}
	if (rc == CONFLICT) {
		int64_t last = 0;
		rc = store_job_last(house, job->name, &last, &err);
		/* Held but not done: whoever holds it may have died, so look again before a whole period is over. */
		next = last >= due ? last + job->period : now + JOB_AGAIN;
	}
	if (rc != OK) {
		log_warn("job_store", LOGC("name", job->name), LOGC("rc", rc_name(rc)), LOGS("detail", err.detail));
		next = now + JOB_AGAIN;
	}
	arena_release(&arena);
	return next;
}

/* The first run: at once if the store says that one was missed (or none was ever made), else when the period is over. */
static int64_t first_due(struct house *house, const struct job *job)
{
	int64_t last = 0;
	if (!is_remembered(job) || !house->db)
		return clock_now();
	struct arena arena;
	struct err err;
	arena_init(&arena);
	err_init(&err, &arena);
	if (store_job_last(house, job->name, &last, &err) != OK)
		last = 0;
	arena_release(&arena);
	return last == 0 ? clock_now() : last + job->period;
}

enum job_pick { PICK_ALL, PICK_SHORT, PICK_LONG, PICK_NONE };

static bool is_picked(const struct job *job, enum job_pick pick)
{
	switch (pick) {
	case PICK_ALL: return true;
	case PICK_SHORT: return !is_remembered(job);
	case PICK_LONG: return is_remembered(job);
	case PICK_NONE: break;
	}
	return false;
}

/* Runs what is due; returns how many ran. */
static size_t run_due(struct house *house, enum job_pick pick)
{
	struct house_private *own = house->own;
	size_t runs = 0;
	for (size_t i = 0; i < own->job_count; i++) {
		struct job_slot *slot = &own->jobs[i];
		if (!is_picked(slot->job, pick))
			continue;
		pthread_mutex_lock(&own->job_lock);
		bool free_to_run = !slot->running && !own->stopping;
		slot->running = slot->running || free_to_run;
		int64_t due = slot->next;
		pthread_mutex_unlock(&own->job_lock);
		if (!free_to_run)
			continue;
		if (due == 0)
			due = first_due(house, slot->job);
		int64_t now = clock_now(), next = due;
		/* A clock that was set back must not stop a job for longer than its period. */
		if (due <= now || due > now + slot->job->period) {
			bool ran = false;
			next = run_one(house, slot->job, due < now ? due : now, &ran);
			runs += ran;
		}
		pthread_mutex_lock(&own->job_lock);
		slot->next = next;
		slot->running = false;
		pthread_mutex_unlock(&own->job_lock);
	}
	return runs;
}

size_t job_run_due(struct house *house)
{
	return run_due(house, PICK_ALL);
}

void job_wake(struct house *house)
{
	pthread_mutex_lock(&house->own->job_lock);
	house->own->job_generation++;
	pthread_cond_broadcast(&house->own->job_wake);
	pthread_mutex_unlock(&house->own->job_lock);
}

/* Sleeps until the next job of the pick is due, at most JOB_LOOK; false when the threads are to end. */
static bool wait_due(struct house *house, enum job_pick pick, unsigned *generation)
{
	struct house_private *own = house->own;
	pthread_mutex_lock(&own->job_lock);
	int64_t now = clock_now(), pause = JOB_LOOK;
	for (size_t i = 0; i < own->job_count; i++) {
		int64_t left = own->jobs[i].next - now;
		if (is_picked(own->jobs[i].job, pick) && left < pause)
			pause = left > 1000 ? left : 1000;
	}
	if (!own->stopping && *generation == own->job_generation) {
		int64_t end = clock_monotonic() + pause;
		struct timespec until = { .tv_sec = (time_t)(end / CLOCK_SECOND),
			                  .tv_nsec = (long)(end % CLOCK_SECOND) * 1000 };
		pthread_cond_timedwait(&own->job_wake, &own->job_lock, &until);
	}
	*generation = own->job_generation;
	bool on = !own->stopping;
	pthread_mutex_unlock(&own->job_lock);
	return on;
}

static void *short_jobs(void *context)
{
	unsigned generation = 0;
	do
		run_due(context, PICK_SHORT);
	while (wait_due(context, PICK_SHORT, &generation));
	return NULL;
}

static void *long_jobs(void *context)
{
	unsigned generation = 0;
	do
		run_due(context, PICK_LONG);
	while (wait_due(context, PICK_LONG, &generation));
	return NULL;
}

/* Reads the settings again, once a JOB_LOOK at most, when the store has changed. */
static void *follow_settings(void *context)
{
	struct house *house = context;
	unsigned generation = 0;
	struct arena arena;
	arena_init(&arena);
	do {
		struct err err;
		arena_clear(&arena);
		err_init(&err, &arena);
		if (setting_refresh(house, &err) != OK)
			log_warn("setting_refresh", LOGS("detail", err.detail));
	} while (wait_due(house, PICK_NONE, &generation));
	arena_release(&arena);
	return NULL;
}

enum rc house_run_jobs(struct house *house, struct err *err)
{
	struct house_private *own = house->own;
	void *(*const runs[])(void *) = { short_jobs, long_jobs, follow_settings };
	for (size_t i = 0; i < (house->db ? 3u : 2u); i++) {
		if (pthread_create(&own->threads[own->thread_count], NULL, runs[i], house) != 0)
			return err_set(err, FAILED, "cannot start the thread of jobs");
		own->thread_count++;
	}
	return OK;
}

void jobs_stop(struct house *house)
{
	struct house_private *own = house->own;
	pthread_mutex_lock(&own->job_lock);
	own->stopping = true;
	pthread_cond_broadcast(&own->job_wake);
	pthread_mutex_unlock(&own->job_lock);
	for (; own->thread_count > 0; own->thread_count--)
		pthread_join(own->threads[own->thread_count - 1], NULL);
	pthread_mutex_lock(&own->job_lock);
	own->stopping = false;
	pthread_mutex_unlock(&own->job_lock);
}
