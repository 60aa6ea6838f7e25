/* Settings: declared in the desks' tables, overridden by rows of the store, answered from memory. */
#include <stdio.h>
#include <stdlib.h>

#include "kernel/desk/private.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct setting_slot *)a)->setting->name, ((const struct setting_slot *)b)->setting->name);
}

/* The setting's rule over a text; *number gets the value of integers and booleans. */
static enum rc check_value(const struct setting *setting, struct str value, int64_t *number, struct err *err)
{
	int64_t read = 0;
	switch (setting->type) {
	case SETTING_INT:
		if (!str_to_int(value, &read))
			return err_set(err, INVALID, "%s must be a whole number", setting->name);
		if (read < setting->least || read > setting->most)
			return err_set(err, INVALID, "%s must be from %lld to %lld", setting->name,
			               (long long)setting->least, (long long)setting->most);
		break;
	case SETTING_BOOL:
		if (str_equal_nocase(value, S("yes")) || str_equal_nocase(value, S("true")) || str_equal(value, S("1")))
			read = 1;
		else if (!str_equal_nocase(value, S("no")) && !str_equal_nocase(value, S("false")) &&
		         !str_equal(value, S("0")))
			return err_set(err, INVALID, "%s must be yes or no", setting->name);
		break;
	case SETTING_TEXT: {
		size_t most = setting->most > 0 && setting->most < SETTING_TEXT_MAX ? (size_t)setting->most
		                                                                    : SETTING_TEXT_MAX;
		if (!utf8_valid(value) || (value.len > 0 && memchr(value.ptr, 0, value.len)))
			return err_set(err, INVALID, "%s must be UTF-8 text", setting->name);
		if (value.len > most || (setting->least > 0 && value.len < (size_t)setting->least))
			return err_set(err, INVALID, "%s must be %lld to %zu bytes long", setting->name,
			               (long long)setting->least, most);
		break;
	}
	}
	*number = read;
	return OK;
}

enum rc settings_init(struct house *house, struct err *err)
{
	struct house_private *own = house->own;
	size_t count = 0;
	for (size_t i = 0; i < house->desk_count; i++)
		count += house->desks[i]->setting_count;
	own->settings = calloc(count ? count : 1, sizeof *own->settings);
	if (!own->settings)
		return err_set(err, FAILED, "out of memory");
	for (size_t i = 0; i < house->desk_count; i++)
		for (size_t s = 0; s < house->desks[i]->setting_count; s++)
			own->settings[own->setting_count++].setting = &house->desks[i]->settings[s];
	qsort(own->settings, own->setting_count, sizeof *own->settings, by_name);
	for (size_t i = 0; i < own->setting_count; i++) {
		struct setting_slot *slot = &own->settings[i];
		if (i > 0 && by_name(slot, slot - 1) == 0)
			return err_set(err, CONFLICT, "setting %s is declared twice", slot->setting->name);
		enum rc rc = check_value(slot->setting, str_from(slot->setting->initial), &slot->number, err);
		if (rc != OK)
			return rc;
	}
	return OK;
}

void settings_release(struct house *house)
{
	for (size_t i = 0; i < house->own->setting_count; i++)
		free(house->own->settings[i].stored);
	free(house->own->settings);
}

static struct setting_slot *find_slot(struct house *house, const char *name)
{
	const struct setting wanted = { .name = name };
	const struct setting_slot key = { .setting = &wanted };
	if (house->own->setting_count == 0)
		return NULL;
	return bsearch(&key, house->own->settings, house->own->setting_count, sizeof key, by_name);
}

/* A name the program itself asks for is a mistake of ours, found by the first test that goes there. */
static struct setting_slot *must_find(struct house *house, const char *name, enum setting_type type)
{
	struct setting_slot *slot = find_slot(house, name);
	if (!slot || slot->setting->type != type) {
		log_error("setting_unknown", LOGC("name", name), LOGC("reason", slot ? "other type" : "not declared"));
		abort();
	}
	return slot;
}

static int64_t number_of(struct house *house, const char *name, enum setting_type type)
{
	const struct setting_slot *slot = must_find(house, name, type);
	pthread_rwlock_rdlock(&house->own->setting_lock);
	int64_t number = slot->number;
	pthread_rwlock_unlock(&house->own->setting_lock);
	return number;
}

int64_t setting_int(struct house *house, const char *name)
{
	return number_of(house, name, SETTING_INT);
}

bool setting_bool(struct house *house, const char *name)
{
	return number_of(house, name, SETTING_BOOL) != 0;
}

struct str setting_text(struct house *house, struct arena *arena, const char *name)
{
	const struct setting_slot *slot = must_find(house, name, SETTING_TEXT);
	pthread_rwlock_rdlock(&house->own->setting_lock);
	struct str value = str_copy(arena, str_from(slot->stored ? slot->stored : slot->setting->initial));
	pthread_rwlock_unlock(&house->own->setting_lock);
	return value;
}

/* Puts a checked value in force; STR_NONE brings the initial one back. */
static void put_in_force(struct house *house, struct setting_slot *slot, struct str value)
{
	char *copy = NULL;
	int64_t number = 0;
	(void)check_value(slot->setting, str_is_none(value) ? str_from(slot->setting->initial) : value, &number, NULL);
	if (!str_is_none(value)) {
		copy = strndup(value.ptr, value.len);
		if (!copy)
			abort();
	}
	pthread_rwlock_wrlock(&house->own->setting_lock);
	char *old = slot->stored;
	slot->stored = copy;
	slot->number = number;
	pthread_rwlock_unlock(&house->own->setting_lock);
	free(old);
}

enum rc setting_set(struct house *house, const char *name, struct str value, struct err *err)
{
	struct setting_slot *slot = find_slot(house, name);
	if (!slot)
		return err_set(err, NOT_FOUND, "there is no setting %s", name);
	int64_t number;
	enum rc rc = check_value(slot->setting, value, &number, err);
	if (rc == OK)
		rc = store_setting(house, str_from(name), value, err);
	if (rc == OK)
		put_in_force(house, slot, value);
	return rc;
}

enum rc setting_clear(struct house *house, const char *name, struct err *err)
{
	struct setting_slot *slot = find_slot(house, name);
	if (!slot)
		return err_set(err, NOT_FOUND, "there is no setting %s", name);
	enum rc rc = store_setting(house, str_from(name), STR_NONE, err);
	if (rc == OK)
		put_in_force(house, slot, STR_NONE);
	return rc;
}

void setting_each(struct house *house,
                  void (*each)(void *context, const struct setting *setting, struct str value, bool stored),
                  void *context)
{
	pthread_rwlock_rdlock(&house->own->setting_lock);
	for (size_t i = 0; i < house->own->setting_count; i++) {
		const struct setting_slot *slot = &house->own->settings[i];
		each(context, slot->setting, str_from(slot->stored ? slot->stored : slot->setting->initial),
		     slot->stored != NULL);
	}
	pthread_rwlock_unlock(&house->own->setting_lock);
}

struct refresh {
	struct house *house;
	bool *seen; /* by slot: the store holds a value */
};

static void refresh_one(void *context, struct str name, struct str value)
{
	struct refresh *refresh = context;
	char key[128];
	if (name.len >= sizeof key)
		return;
	memcpy(key, name.ptr, name.len);
	key[name.len] = 0;
	struct setting_slot *slot = find_slot(refresh->house, key);
	int64_t number;
	if (!slot) {
		/* Of a desk this program lacks, or of a newer one: it keeps its row, we go without. */
		log_debug("setting_ignored", LOGS("name", name));
		return;
	}
	if (check_value(slot->setting, value, &number, NULL) != OK) {
		log_warn("setting_out_of_bounds", LOGS("name", name));
		return;
	}
	refresh->seen[slot - refresh->house->own->settings] = true;
	put_in_force(refresh->house, slot, value);
}

enum rc setting_refresh(struct house *house, struct err *err)
{
	struct house_private *own = house->own;
	if (!house->db || own->setting_count == 0)
		return OK;
	pthread_mutex_lock(&own->setting_refresh_lock);
	/* The number first: what is committed between the two is then read twice, never missed. */
	int64_t change = store_change(house);
	enum rc rc = OK;
	if (change != own->setting_change || change == 0) {
		bool *seen = calloc(own->setting_count, sizeof *seen);
		if (!seen)
			abort();
		struct refresh refresh = { house, seen };
		rc = store_settings(house, refresh_one, &refresh, err);
		for (size_t i = 0; rc == OK && i < own->setting_count; i++)
			if (!seen[i] && own->settings[i].stored)
				put_in_force(house, &own->settings[i], STR_NONE);
		if (rc == OK)
			own->setting_change = change;
		free(seen);
	}
	pthread_mutex_unlock(&own->setting_refresh_lock);
	return rc;
}
