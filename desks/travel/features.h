/* The features of a GeoJSON FeatureCollection, one at a time in bounded memory. Private to the room. */
#ifndef CHANCERY_DESKS_TRAVEL_FEATURES_H
#define CHANCERY_DESKS_TRAVEL_FEATURES_H

#include "base/base.h"

#define FEATURE_MAX (16 * 1024 * 1024) /* bytes of one feature: an area of 200,000 vertices with room to spare */

struct features {
	int file;           /* descriptor, the caller's */
	struct buf text;    /* of the last feature */
	int64_t line;       /* where it begins, from 1 */
	int64_t here;       /* line of the next byte */
	enum { FEATURES_BEFORE, FEATURES_WITHIN, FEATURES_BEHIND } state;
	int failed;         /* errno of a reading that failed */
	size_t at, size;
	char chunk[65536];
};
/* `features` is large: keep it off the stack of a thread. Release with features_release. */
void features_init(struct features *features, int file);
void features_release(struct features *features);
/* The next feature's text into features->text; it is cut out by its braces and not yet proven to be JSON. NOT_FOUND at the end of the
 * collection. INVALID: one feature is too long and was skipped. CONFLICT: the file is no FeatureCollection, or breaks off. FAILED: reading
 * failed. The detail names the line. */
enum rc features_next(struct features *features, struct err *err);

#endif
