/* The two halves of the server: callbacks of libmicrohttpd (connection.c) and the threads behind (server.c). Private to the room. */
#ifndef CHANCERY_KERNEL_HTTP_CONNECTION_H
#define CHANCERY_KERNEL_HTTP_CONNECTION_H

#include "kernel/http/exchange.h"

#define TARPIT_MOST (4 * CLOCK_SECOND)
#define TARPIT_COUNT_MAX 512

void on_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
                   enum MHD_ConnectionNotificationCode code);
void *on_target(void *context, const char *uri, struct MHD_Connection *mhd);
size_t on_unescape(void *context, struct MHD_Connection *mhd, char *text);
enum MHD_Result on_request(void *context, struct MHD_Connection *mhd, const char *url, const char *method,
                           const char *version, const char *bytes, size_t *size, void **request_context);
void on_completed(void *context, struct MHD_Connection *mhd, void **request_context,
                  enum MHD_RequestTerminationCode code);
/* Ends the connections whose time is over. */
void connections_reap(struct listener *listener, int64_t now);

enum take_in { TAKEN_IN, QUEUE_FULL, TARPIT_FULL };
/* Suspends the connection and hands the exchange to the workers, after `delay` microseconds. Unless TAKEN_IN it was not suspended. */
enum take_in server_take_in(struct http_server *server, struct exchange *exchange, int64_t delay);

#endif
