/* The simulated carrier, relay, phones and mailboxes of the demo: the program chancery-simulator as a child. */
#ifndef CHANCERY_CMD_SIMULATOR_H
#define CHANCERY_CMD_SIMULATOR_H

#include <sys/types.h>

#include "base/base.h"

struct json_t; /* jansson */

struct simulator_child {
	pid_t pid;
	int smpp, smtp, http; /* ports on loopback */
};

/* Starts the program that stands beside this one; it ends with this process, however that ends. `http_port` 0: any; if it is taken, any.
 * `mail_command` is run by the simulator's shell for each mail that a mailbox writes. Before any thread is made. */
enum rc simulator_begin(struct simulator_child *child, int http_port, const char *mail_command, struct err *err);
void simulator_end(struct simulator_child *child);
/* GETs `path` (POSTs `body` if it is not NULL; the caller keeps it) and gives the answer's JSON, to be released by the caller. */
enum rc simulator_ask(const struct simulator_child *child, const char *path, struct json_t *body, struct json_t **out, struct err *err);

#endif
