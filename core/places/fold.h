/* Search keys of names. Private to the room. */
#ifndef CHANCERY_CORE_PLACES_FOLD_H
#define CHANCERY_CORE_PLACES_FOLD_H

#include "base/base.h"

/* The key of a name: case and accents gone, Arabic letters in one form, digits ASCII, words parted by one blank;
 * holds only letters, digits and marks besides blanks. tools/placefold.py makes the same of the gazetteer's names.
 * `text` is UTF-8. */
struct str place_fold(struct arena *arena, struct str text);

/* Edits (insert, delete, replace, swap neighbours) that make `b` of `a`, in code points; more than `most` gives
 * most + 1. */
size_t place_distance(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count, size_t most);

/* Texts longer than this have no distance. */
#define PLACE_DISTANCE_MAX 64

/* Decodes at most `room` code points; returns how many there are (more than room: too long). */
size_t place_code_points(struct str text, uint32_t *out, size_t room);

#endif
