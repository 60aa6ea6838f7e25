/* Event streams: a suspended connection that the hub wakes. No thread, no queue a listener. */
#include "kernel/http/exchange.h"

#define STREAM_BLOCK 4096

/* Called by the hub with its lock held, see hub_take: between "nothing new" and the suspension no event can slip. */
static bool sleep_connection(void *context)
{
	struct exchange *exchange = context;
	/* http_stop sets the flag before it wakes all, so a connection is never left suspended. */
	if (atomic_load(&exchange->server->stopping))
		return false;
	MHD_suspend_connection(exchange->mhd);
	return true;
}

static void wake_connection(void *context)
{
	struct exchange *exchange = context;
	MHD_resume_connection(exchange->mhd);
}

enum rc response_stream(struct request *request, struct response *response, struct str topic)
{
	struct exchange *exchange = exchange_of(request);
	if (atomic_load(&exchange->server->stopping))
		return BUSY;
	/* Suspended and resumed by the hub only while libmicrohttpd reads from it: until then nobody sleeps, so nobody is woken. */
	enum rc rc = hub_listen(request->house->hub, topic, request->last_event_id, wake_connection, exchange,
	                        &exchange->stream.listener);
	if (rc != OK)
		return rc;
	buf_init(&exchange->stream.pending);
	atomic_fetch_add(&exchange->server->streams, 1);
	response->stream = &exchange->stream;
	return OK;
}

void stream_end(struct exchange *exchange)
{
	if (!exchange->stream.listener)
		return;
	hub_leave(exchange->stream.listener);
	exchange->stream.listener = NULL;
	exchange->response.stream = NULL;
	buf_release(&exchange->stream.pending);
	atomic_fetch_sub(&exchange->server->streams, 1);
}

static ssize_t read_stream(void *context, uint64_t position, char *out, size_t size)
{
	struct exchange *exchange = context;
	struct buf *pending = &exchange->stream.pending;
	(void)position;
	if (atomic_load(&exchange->server->stopping))
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (pending->len == 0 && !hub_take(exchange->stream.listener, pending, sleep_connection))
		return 0;
	size_t count = pending->len < size ? pending->len : size;
	memcpy(out, pending->ptr, count);
	buf_consume(pending, count);
	return (ssize_t)count;
}

struct MHD_Response *stream_response(struct exchange *exchange)
{
	struct MHD_Response *response =
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, exchange, NULL);
	if (!response)
		return NULL;
	MHD_add_response_header(response, "Content-Type", "text/event-stream; charset=utf-8");
	MHD_add_response_header(response, "Cache-Control", "no-store");
	MHD_add_response_header(response, "X-Accel-Buffering", "no"); /* nginx: pass on at once */
	return response;
}
