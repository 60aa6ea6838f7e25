/* The end of the process, for what no caller could handle. Private to the base floor. */
#ifndef CHANCERY_BASE_FATAL_H
#define CHANCERY_BASE_FATAL_H

/* Writes one log line "level=error event=fatal reason=WHY" and aborts. `why` is plain ASCII without quotes. */
_Noreturn void base_fatal(const char *why);

#endif
