/* Makes the demo's world beside the running server, step by step; what is done is remembered in the setting demo.step. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/demo.h"
#include "cmd/demo_world.h"
#include "core/audience/audience.h"
#include "desks/travel/travel.h"

#include "cmd_sql.h"

static const struct setting settings[] = {
	{ "demo.step", SETTING_INT, "0", 0, 100, "How far `chancery demo` has made its invented world; 0: this store is not a demo's" },
};

const struct desk demo_desk = {
	.name = "demo",
	.settings = settings,
	.setting_count = COUNT_OF(settings),
};

static enum rc
anybody_in_store(struct db_tx *tx, void *context, struct err *err)
{
	struct anybody_find_row row;
	struct arena arena;

	arena_init(&arena);
	enum rc rc = anybody_find(tx, &arena, &row, err);
	if (rc == OK)
		*(bool *)context = row.people > 0;
	arena_release(&arena);
	return rc;
}

enum rc
demo_world_check(struct house *house, struct err *err)
{
	bool anybody = false;

	if (setting_int(house, "demo.step") > 0)
		return OK;
	enum rc rc = db_read(house->db, anybody_in_store, &anybody, err);
	if (rc == OK && anybody)
		return err_set(err, CONFLICT, "this store holds people who are not the demo's; use another --data folder");
	return rc == OK ? setting_set(house, "demo.step", S("1"), err) : rc;
}

/* --- the steps ---------------------------------------------------------------------------------------------- */

static enum rc
files_make(struct house *house, const struct simulator_child *simulator, struct arena *arena, struct err *err)
{
	const char *folder = str_format(arena, "%s/demo", house->data_folder).ptr;

	(void)simulator;
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return err_set(err, FAILED, "%s: %s", folder, strerror(errno));
	return demo_world_write(arena, folder, clock_now() / CLOCK_DAY, err);
}

typedef enum rc (*import_function)(struct house *house, struct arena *arena, int file, const struct import_options *options,
                                   struct import_result *result, struct err *err);

static void
tell_wrong(void *context, int64_t line, struct str text)
{
	const char *name = context;

	log_error("demo.import", LOGC("file", name), LOGI("line", line), LOGS("text", text));
}

static enum rc
file_import(struct house *house, struct arena *arena, const char *name, import_function import, struct err *err)
{
	const char *path = str_format(arena, "%s/demo/%s", house->data_folder, name).ptr;
	const struct import_options options = {
		.operator = S("chancery demo"),
		.file_name = str_from(name),
		.contacts_confirmed = true,
		.wrong = tell_wrong,
		.context = (void *)(uintptr_t)name,
	};
	struct import_result result;

	const int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return err_set(err, FAILED, "%s: %s", path, strerror(errno));
	enum rc rc = import(house, arena, file, &options, &result, err);
	close(file);
	/* The index must know them before an alert asks it. */
	return rc == OK ? audience_catch_up(house, err) : rc;
}

static enum rc
people_make(struct house *house, const struct simulator_child *simulator, struct arena *arena, struct err *err)
{
	(void)simulator;
	return file_import(house, arena, "people.csv", people_import, err);
}

static enum rc
trips_make(struct house *house, const struct simulator_child *simulator, struct arena *arena, struct err *err)
{
	(void)simulator;
	return file_import(house, arena, "trips.csv", trips_import, err);
}

static enum rc
watches_make(struct house *house, const struct simulator_child *simulator, struct arena *arena, struct err *err)
{
	(void)simulator;
	return file_import(house, arena, "watches.geojson", watches_import, err);
}

/* So that officers see the choice. */
static enum rc
ladder_make(struct house *house, const struct simulator_child *simulator, struct arena *arena, struct err *err)
{
	(void)simulator;
	(void)arena;
	const enum rc rc = ladder_add(house, S("One after the other"), S("own:5/15/60 contact"), clock_now(), err);

	return rc == CONFLICT ? OK : rc; /* cut off behind it the last time */
}

static enum rc (*const steps[])(struct house *house, const struct simulator_child *simulator, struct arena *arena, struct err *err) = {
	files_make, people_make, trips_make, watches_make, demo_yesterday, demo_today, ladder_make,
};

enum rc
demo_world_make(struct house *house, const struct simulator_child *simulator, struct err *err)
{
	struct arena arena;
	enum rc rc = OK;

	arena_init(&arena);
	for (int64_t step = setting_int(house, "demo.step"); rc == OK && step <= (int64_t)COUNT_OF(steps); step++) {
		rc = steps[step - 1](house, simulator, &arena, err);
		if (rc == OK)
			rc = setting_set(house, "demo.step", str_format(&arena, "%lld", (long long)step + 1), err);
	}
	arena_release(&arena);
	return rc;
}
