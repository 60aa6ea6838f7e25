/* Where parts end. One walk over the code points serves counting and cutting, so that what an officer is shown and what goes
 * out cannot differ. */
#include <unicode/uchar.h>

#include "base/base.h"
#include "kernel/text/sms_plan.h"

static bool is_control(int32_t class)
{
	return class == U_GCB_CONTROL || class == U_GCB_CR || class == U_GCB_LF;
}

/* Hangul syllables hold together: rules GB6 to GB8 of UAX #29. */
static bool hangul_joins(int32_t before, int32_t after)
{
	if (before == U_GCB_L)
		return after == U_GCB_L || after == U_GCB_V || after == U_GCB_LV || after == U_GCB_LVT;
	if (before == U_GCB_LV || before == U_GCB_V)
		return after == U_GCB_V || after == U_GCB_T;
	return (before == U_GCB_LVT || before == U_GCB_T) && after == U_GCB_T;
}

/* Takes the next character; true if a grapheme cluster starts with it (UAX #29, rules GB3 to GB13). */
static bool cluster_step(struct sms_cluster *cluster, uint32_t code)
{
	int32_t before = cluster->last;
	int32_t class = u_getIntPropertyValue((UChar32)code, UCHAR_GRAPHEME_CLUSTER_BREAK);
	bool pictograph = u_hasBinaryProperty((UChar32)code, UCHAR_EXTENDED_PICTOGRAPHIC);
	bool starts = true;

	if (before == U_GCB_CR && class == U_GCB_LF)
		starts = false;
	else if (before < 0 || is_control(before) || is_control(class))
		starts = true;
	else if (hangul_joins(before, class) || class == U_GCB_EXTEND || class == U_GCB_ZWJ ||
	         class == U_GCB_SPACING_MARK || before == U_GCB_PREPEND || (cluster->pictograph_joined && pictograph) ||
	         (class == U_GCB_REGIONAL_INDICATOR && cluster->odd_indicators))
		starts = false;

	cluster->pictograph_joined = cluster->pictograph && class == U_GCB_ZWJ;
	cluster->pictograph = pictograph || (cluster->pictograph && class == U_GCB_EXTEND);
	cluster->odd_indicators = class == U_GCB_REGIONAL_INDICATOR && !cluster->odd_indicators;
	cluster->last = class;
	return starts;
}

void sms_cutter_init(struct sms_cutter *cutter, struct str text, const struct sms_plan *plan, size_t room)
{
	*cutter = (struct sms_cutter){ .text = text, .plan = plan, .room = room, .cluster = { .last = -1 } };
	/* no character of the default alphabet or of Latin-1 joins the one before it */
	cutter->clusters = plan->encoding == SMS_UCS2 || plan->shift.locking != 0 || plan->shift.single != 0;
}

bool sms_cutter_next(struct sms_cutter *cutter, size_t *from_out, size_t *to_out, size_t *units_out)
{
	size_t text_len = cutter->text.len;

	if (cutter->part_from > 0 && cutter->part_from >= text_len)
		return false;
	while (cutter->at < text_len) {
		size_t next = cutter->at;
		uint32_t code = utf8_next(cutter->text, &next);
		size_t units = sms_plan_units(cutter->plan, code);

		if (!cutter->clusters || cluster_step(&cutter->cluster, code)) {
			cutter->border = cutter->at;
			cutter->border_units = cutter->part_units;
		}
		if (cutter->part_units + units > cutter->room) {
			/* a cluster larger than a part goes apart between its characters, for no border would help */
			bool has_border = cutter->border > cutter->part_from &&
			                  cutter->part_units - cutter->border_units + units <= cutter->room;
			size_t cut = has_border ? cutter->border : cutter->at;
			size_t cut_units = has_border ? cutter->border_units : cutter->part_units;

			*from_out = cutter->part_from;
			*to_out = cut;
			*units_out = cut_units;
			cutter->part_from = cut;
			cutter->part_units = cutter->part_units - cut_units + units;
			cutter->border = cut;
			cutter->border_units = 0;
			cutter->at = next;
			return true;
		}
		cutter->part_units += units;
		cutter->at = next;
	}
	*from_out = cutter->part_from;
	*to_out = text_len;
	*units_out = cutter->part_units;
	/* one past the end marks the end also for an empty text */
	cutter->part_from = text_len + 1;
	return true;
}
