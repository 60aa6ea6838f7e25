/* Links that act for a person (docs/decisions/0004-capability-links.md). They end by themselves: the salt that goes into the token is the
 * person's plus the number of the current period, and the current and the last period open. */
#include "base/base.h"
#include "core/people/people.h"
#include "kernel/access/access.h"

static const struct {
	const char *purpose, *path;
	int64_t period; /* a link works for one period at least, two at most; 0: as long as the person's salt stands */
} kinds[] = {
	[LINK_MANAGE] = { "manage", "/my/", 90 * CLOCK_DAY },
	[LINK_VISIT] = { "visit", "/my/", 2 * CLOCK_HOUR },
	[LINK_CONFIRM] = { "confirm", "/confirm/", CLOCK_DAY },
	[LINK_UNSUBSCRIBE] = { "unsubscribe", "/unsubscribe/", 0 },
};

static int64_t salt_of(int64_t salt, enum person_link link, int64_t now, int64_t periods_ago)
{
	return kinds[link].period ? (int64_t)((uint64_t)salt + (uint64_t)(now / kinds[link].period - periods_ago)) : salt;
}

struct str person_link_path(const struct house *house, struct arena *arena, const struct person *person, enum person_link link, int64_t now)
{
	const struct str token = capability_token(house, arena, kinds[link].purpose, person->id, salt_of(person->salt, link, now, 0));
	return str_concat(arena, str_from(kinds[link].path), token);
}

struct str person_manage_path(const struct house *house, struct arena *arena, const struct person *person)
{
	return person_link_path(house, arena, person, LINK_MANAGE, clock_now());
}

static bool link_opens(const struct house *house, struct str token, const struct person *person, enum person_link link, int64_t now)
{
	for (int64_t ago = 0; ago <= (kinds[link].period ? 1 : 0); ago++)
		if (capability_check(house, token, kinds[link].purpose, person->id, salt_of(person->salt, link, now, ago)))
			return true;
	return false;
}

enum rc person_find_link(struct db_tx *tx, const struct house *house, struct arena *arena, struct str token, const enum person_link *links,
                         size_t link_count, int64_t now, struct person *out, enum person_link *link_out, struct err *err)
{
	struct person person;
	int64_t id;

	if (!capability_id(token, &id))
		return NOT_FOUND;
	enum rc rc = person_find(tx, arena, id, &person, err);
	if (rc != OK)
		return rc;
	for (size_t i = 0; i < link_count && person.ended_at == DB_NULL; i++) {
		if (!link_opens(house, token, &person, links[i], now))
			continue;
		*out = person;
		if (link_out)
			*link_out = links[i];
		return OK;
	}
	return NOT_FOUND;
}

struct str contact_unsubscribe_path(const struct house *house, struct arena *arena, const struct person *person, const struct contact *contact)
{
	return str_concat(arena, str_from(kinds[LINK_UNSUBSCRIBE].path),
	                  capability_token(house, arena, kinds[LINK_UNSUBSCRIBE].purpose, contact->id, person->salt));
}

enum rc contact_find_unsubscribe(struct db_tx *tx, const struct house *house, struct arena *arena, struct str token, struct contact *out,
                                 struct err *err)
{
	struct contact contact;
	struct person person;
	int64_t id;

	if (!capability_id(token, &id))
		return NOT_FOUND;
	enum rc rc = contact_find(tx, arena, id, &contact, err);
	if (rc == OK)
		rc = person_find(tx, arena, contact.person_id, &person, err);
	if (rc == OK && !capability_check(house, token, kinds[LINK_UNSUBSCRIBE].purpose, id, person.salt))
		rc = NOT_FOUND;
	if (rc == OK)
		*out = contact;
	return rc;
}
