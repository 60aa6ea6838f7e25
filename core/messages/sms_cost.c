/* What a text will cost, before it is known by which road it goes. */
#include "core/messages/internal.h"

enum rc messages_sms_measure(struct house *house, struct arena *arena, struct str text, struct sms_measure *out, struct err *err)
{
	const struct engine *engine = engine_of(house);
	struct sms_options options = { .parts_max = (size_t)setting_int(house, "messages.sms_parts"), .transliterate = true };
	struct sms_measure most = { 0 };
	enum rc rc = OK;
	for (size_t i = 0; rc == OK && i < engine->road_count; i++) {
		if (engine->roads[i].channel->kind != CHANNEL_SMS)
			continue;
		struct sms_measure measure;
		options.road = engine->roads[i].route.sms;
		rc = sms_measure(arena, text, &options, &measure, err);
		if (rc == OK && measure.parts > most.parts)
			most = measure;
	}
	if (rc == OK && most.parts == 0) {
		options.road = (struct sms_road){ 0 }; /* none yet: as every carrier takes it */
		rc = sms_measure(arena, text, &options, &most, err);
	}
	if (rc == OK)
		*out = most;
	return rc;
}
