/* Saying what is wrong with an area. Private to this room. */
#ifndef CHANCERY_KERNEL_GEO_REPORT_H
#define CHANCERY_KERNEL_GEO_REPORT_H

#include "kernel/geo/geo.h"

/* A finding with all its numbers set to "nothing". */
struct geo_finding finding_of(enum geo_code code);
/* Adds it; INVALID if it is an error, else OK. */
enum rc report_finding(struct geo_report *report, struct geo_finding finding);
enum rc report_code(struct geo_report *report, enum geo_code code);

#endif
