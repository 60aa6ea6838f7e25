/* A running server: everything started in order, and stopped in the order that loses nothing. */
#ifndef CHANCERY_CMD_SERVER_H
#define CHANCERY_CMD_SERVER_H

#include <signal.h>

#include "cmd/roads.h"
#include "kernel/http/http.h"

#define SERVER_URL_MAX 200

extern const struct desk server_desk; /* the setting server.public_url; the job that trims the change sequence */

struct server {
	struct house *house;
	struct roads roads;
	struct http_server *http;
	bool started; /* the house */
	int lock;     /* DATA/server.lock, shared among servers */
	char url[SERVER_URL_MAX + 1]; /* where nobody said under which address people see us: localhost and the port bound */
};

/* Blocks SIGTERM and SIGINT (before any thread is made, so that only sigwait(out) hears them) and ignores SIGPIPE. */
void server_block_signals(sigset_t *out);
/* Takes DATA/NAME.lock: shared by servers ("server"), alone by what must not run beside another. Closing *out (or the end of the process)
 * gives it back. CONFLICT, with `held` as the reason, when it cannot be had now. */
enum rc folder_lock(const char *data_folder, const char *name, bool alone, const char *held, int *out, struct err *err);
/* Starts the rooms, the roads out, the web server, the dispatcher, the index's follower and the jobs. Whatever it returns: server_stop. */
enum rc server_start(struct server *server, struct house *house, const struct http_options *http, struct err *err);
/* First nobody gives us anything new, then what is on its way is answered and written down. */
void server_stop(struct server *server);

#endif
