/* What another program says about numbers; only phone_test.c reads it. */
#ifndef CHANCERY_KERNEL_TEXT_PHONE_ORACLE_H
#define CHANCERY_KERNEL_TEXT_PHONE_ORACLE_H

#include "kernel/text/phone.h"

struct phone_oracle_row {
	const char *input;
	const char *country; /* "" none */
	const char *e164;    /* NULL: not possible */
	const char *region;
	enum phone_type type;
	bool valid;
	const char *display;
};
extern const struct phone_oracle_row phone_oracle[];
extern const size_t phone_oracle_count;

#endif
