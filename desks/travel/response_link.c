#include "desks/travel/alert.h"
#include "kernel/access/access.h"

struct str alert_answer_path(const struct house *house, struct arena *arena, const struct alert *alert, const struct person *person)
{
	return str_concat(arena, S("/a/"), capability_token(house, arena, "answer", person->id << 16 | alert->number, person->salt));
}

enum rc alert_answer_find(struct db_tx *tx, const struct house *house, struct arena *arena, struct str token, struct alert *alert_out,
                          struct person *person_out, struct err *err)
{
	int64_t id;
	if (!capability_id(token, &id))
		return NOT_FOUND;
	enum rc rc = person_find(tx, arena, id >> 16, person_out, err);
	if (rc == OK && !capability_check(house, token, "answer", id, person_out->salt))
		return NOT_FOUND;
	return rc == OK ? alert_find_number(tx, arena, id & ALERT_NUMBER_MAX, alert_out, err) : rc;
}

enum message_lane severity_lane(enum alert_severity severity)
{
	return severity == SEVERITY_EXTREME ? LANE_ALERT_EXTREME : severity == SEVERITY_SEVERE ? LANE_ALERT_SEVERE : LANE_ALERT;
}
