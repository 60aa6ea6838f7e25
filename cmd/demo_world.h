/* The invented world of the demo, as the files an operator would import. */
#ifndef CHANCERY_CMD_DEMO_WORLD_H
#define CHANCERY_CMD_DEMO_WORLD_H

#include "base/base.h"

#define DEMO_PEOPLE 2000
#define DEMO_WATCHES 60

/* Writes FOLDER/people.csv, trips.csv and watches.geojson: the same people each time (names that say what they are, numbers of ranges that
 * are reserved for fiction, example domains), stays around `today` (days since 1970-01-01). FAILED with the reason. */
enum rc demo_world_write(struct arena *arena, const char *folder, int64_t today, struct err *err);

#endif
