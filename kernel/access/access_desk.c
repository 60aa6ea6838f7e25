/* The room's table. */
#include "base/base.h"
#include "kernel/access/access_private.h"

static const struct route routes[] = {
	{ METHOD_GET, "/sign-in", sign_in_get, "The officers' sign-in form", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_POST, "/sign-in", sign_in_post, "Signs an officer in: login, password, code", PERMIT_ANYONE, RATE_SECRET, false },
	{ METHOD_POST, "/sign-out", sign_out_post, "Ends the session", PERMIT_ANYONE, RATE_FORM, false },
	{ METHOD_GET, "/setup/:token", setup_get, "A new officer chooses password and second factor", PERMIT_ANYONE, RATE_PAGE, false },
	{ METHOD_POST, "/setup/:token", setup_post, "Sets a new officer up and signs them in", PERMIT_ANYONE, RATE_SECRET, false },
	{ METHOD_GET, "/desk/me", me_get, "The officer's own account", PERMIT_READER, RATE_PAGE, false },
	{ METHOD_POST, "/desk/me/preferences", me_preferences_post, "Changes language and time zone", PERMIT_READER, RATE_FORM, false },
	{ METHOD_POST, "/desk/me/password", me_password_post, "Changes the password", PERMIT_READER, RATE_SECRET, false },
	{ METHOD_POST, "/desk/me/sessions", me_sessions_post, "Ends sessions elsewhere", PERMIT_READER, RATE_FORM, false },
	{ METHOD_GET, "/desk/users", users_get, "The list of officers", PERMIT_ADMINISTRATOR, RATE_PAGE, false },
	{ METHOD_POST, "/desk/users", users_add_post, "Adds an officer", PERMIT_ADMINISTRATOR, RATE_FORM, false },
	{ METHOD_POST, "/desk/users/change", users_change_post, "New link, disable or enable an officer", PERMIT_ADMINISTRATOR, RATE_FORM, false },
};

static const struct setting settings[] = {
	{ "access.session_idle_minutes", SETTING_INT, "720", 5, 10080, "An officer's session ends after so many minutes without a page" },
	{ "access.session_most_hours", SETTING_INT, "168", 1, 720, "An officer's session ends after so many hours whatever happens" },
};

static const struct menu_entry menu[] = {
	{ MSG_access_me_title, "/desk/me", PERMIT_READER, 90 },
	{ MSG_access_users_title, "/desk/users", PERMIT_ADMINISTRATOR, 80 },
};

struct tidy_work {
	int64_t now;
};

static enum rc
tidy_in_store(struct db_tx *tx, void *context, struct err *err)
{
	const struct tidy_work *work = context;

	enum rc rc = budget_remove_old(tx, &(struct budget_remove_old_args){ .before = work->now - 2 * CLOCK_DAY }, NULL, err);
	return rc == OK ? session_remove_old(tx, &(struct session_remove_old_args){ .before = work->now - 60 * CLOCK_DAY }, NULL, err) : rc;
}

static void
tidy(struct house *house)
{
	struct tidy_work work = { .now = clock_now() };
	struct arena arena;
	struct err err;

	arena_init(&arena);
	err_init(&err, &arena);
	if (db_write(house->db, DB_LANE_BULK, tidy_in_store, &work, &err) != OK)
		log_warn("access.tidy", LOGS("detail", err.detail));
	arena_release(&arena);
}

static const struct job jobs[] = {
	{ "access.tidy", CLOCK_DAY, tidy, "Removes full budgets and old sessions" },
};

static enum rc
access_start(struct house *house, struct err *err)
{
	(void)err;
	session_forget();
	house_set_identify(house, access_identify, access_allows);
	return OK;
}

static void
access_stop(struct house *house)
{
	(void)house;
	session_cache_release();
}

const struct desk access_desk = {
	.name = "access",
	.routes = routes,
	.route_count = COUNT_OF(routes),
	.jobs = jobs,
	.job_count = COUNT_OF(jobs),
	.migrations = access_migrations,
	.migration_count = &access_migration_count,
	.settings = settings,
	.setting_count = COUNT_OF(settings),
	.menu = menu,
	.menu_count = COUNT_OF(menu),
	.start = access_start,
	.stop = access_stop,
};
