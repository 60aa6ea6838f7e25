/* What the room keeps in the store: settings of the operator and when jobs last ran. */
#include "private.h"

enum rc store_settings(struct house *house, void (*each)(void *context, struct str name, struct str value), void *context,
                       struct err *err)
{
	(void)house, (void)each, (void)context, (void)err;
	return OK;
}
enum rc store_setting(struct house *house, struct str name, struct str value, struct err *err)
{
	(void)house, (void)name, (void)value, (void)err;
	return OK;
}
enum rc store_job_last(struct house *house, const char *name, int64_t *last_run, struct err *err)
{
	(void)house, (void)name, (void)last_run, (void)err;
	*last_run = 0;
	return OK;
}
enum rc store_job_claim(struct house *house, const char *name, int64_t due, int64_t now, struct err *err)
{
	(void)house, (void)name, (void)due, (void)now, (void)err;
	return OK;
}
enum rc store_job_done(struct house *house, const char *name, int64_t now, struct err *err)
{
	(void)house, (void)name, (void)now, (void)err;
	return OK;
}
int64_t store_change(struct house *house)
{
	(void)house;
	return 0;
}
