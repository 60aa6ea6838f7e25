/* Travel: trips and watches, the alerts that go to those they touch, and the board on which everyone is accounted for.
 * The room's one public header. */
#ifndef CHANCERY_DESKS_TRAVEL_H
#define CHANCERY_DESKS_TRAVEL_H

#include "core/people/people.h"
#include "core/places/places.h"
#include "kernel/desk/desk.h"

extern const struct desk travel_desk;

/* The gazetteer of the process: cmd opens it and keeps it in SLOT_PLACES before the desks start. */
static inline struct places *travel_places(const struct house *house)
{
	return house->state[SLOT_PLACES];
}

/* --- travellers --------------------------------------------------------------------------------------------------- */

/* --- alerts ------------------------------------------------------------------------------------------------------- */

/* --- the board ---------------------------------------------------------------------------------------------------- */

#endif
