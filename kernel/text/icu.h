/* The room's own window to ICU; nothing of ICU shows outside. */
#ifndef CHANCERY_KERNEL_TEXT_ICU_H
#define CHANCERY_KERNEL_TEXT_ICU_H

#include "kernel/text/text.h"

/* The CLDR plural category of a whole number: "zero" "one" "two" "few" "many" "other". */
const char *text_plural_category(enum language language, int64_t number);

#endif
