/* Makes the demo's world beside the running server, step by step; what is done is remembered in the setting demo.step. */
#include <errno.h>
#include <sys/stat.h>

#include "cmd/demo.h"
#include "cmd/demo_world.h"

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

static enum rc (*const steps[])(struct house *house, const struct simulator_child *simulator, struct arena *arena, struct err *err) = {
	files_make,
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
