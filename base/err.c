#include "base/base.h"

void err_init(struct err *err, struct arena *arena)
{
	*err = (struct err){ .arena = arena };
}

enum rc err_set(struct err *err, enum rc rc, const char *format, ...)
{
	if (err && str_is_none(err->detail)) {
		va_list args;
		va_start(args, format);
		err->detail = str_vformat(err->arena, format, args);
		va_end(args);
	}
	return rc;
}

enum rc err_field(struct err *err, struct str field, int message, struct str arg0, struct str arg1)
{
	if (!err)
		return INVALID;
	struct err_field *added = ARENA_NEW(err->arena, struct err_field);
	added->field = str_copy(err->arena, field);
	added->message = message;
	added->args[0] = str_copy(err->arena, arg0);
	added->args[1] = str_copy(err->arena, arg1);
	if (err->last)
		err->last->next = added;
	else
		err->fields = added;
	err->last = added;
	err->field_count++;
	return INVALID;
}

const struct err_field *err_find(const struct err *err, struct str field)
{
	for (const struct err_field *at = err->fields; at; at = at->next)
		if (str_equal(at->field, field))
			return at;
	return NULL;
}

const char *rc_name(enum rc rc)
{
	switch (rc) {
	case OK: return "ok";
	case NOT_FOUND: return "not_found";
	case DENIED: return "denied";
	case INVALID: return "invalid";
	case CONFLICT: return "conflict";
	case BUSY: return "busy";
	case FAILED: return "failed";
	}
	return "unknown";
}

int rc_exit(enum rc rc)
{
	switch (rc) {
	case OK: return 0;
	case NOT_FOUND:
	case DENIED:
	case INVALID:
	case CONFLICT: return 1;
	case BUSY:
	case FAILED: return 3;
	}
	return 3;
}
