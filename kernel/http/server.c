/* The threads behind the listeners: workers that run handlers, and one timer for the tarpit and for connections that take too long. */
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "kernel/http/connection.h"

#define WORKERS_DEFAULT 4
#define WORKERS_MAX 64
#define FILES_WANTED 8192
#define IDLE_SECONDS 30u
/* Of each connection: the longest head, one line that reveals it as too long, and the response's head. */
#define CONNECTION_MEMORY (48 * 1024)

/* --- queue and tarpit ------------------------------------------------------------------------------------- */

static void queue_push(struct http_server *server, struct exchange *exchange)
{
	exchange->next = NULL;
	*server->queue_tail = exchange;
	server->queue_tail = &exchange->next;
	server->queued++;
	pthread_cond_signal(&server->work);
}

enum take_in server_take_in(struct http_server *server, struct exchange *exchange, int64_t delay)
{
	enum take_in taken = TAKEN_IN;
	pthread_mutex_lock(&server->lock);
	if (atomic_load(&server->stopping))
		delay = 0; /* the timer may have emptied the tarpit for the last time */
	if (server->ending) {
		taken = QUEUE_FULL;
	} else if (delay > 0 && server->tarpit_count >= TARPIT_COUNT_MAX) {
		taken = TARPIT_FULL;
	} else if (delay == 0 && server->queued >= server->queue_most) {
		taken = QUEUE_FULL;
		atomic_fetch_add(&server->counters.queue_full, 1);
	} else {
		/* Suspended before anyone can see it, so nobody resumes it too early. */
		exchange->state = EXCHANGE_WAITING;
		atomic_fetch_add(&server->suspended, 1);
		MHD_suspend_connection(exchange->mhd);
		if (delay > 0) {
			exchange->due = clock_monotonic() + delay;
			exchange->next = server->tarpit;
			server->tarpit = exchange;
			server->tarpit_count++;
			pthread_cond_signal(&server->tick);
		} else {
			queue_push(server, exchange);
		}
	}
	pthread_mutex_unlock(&server->lock);
	return taken;
}

static void resume(struct exchange *exchange)
{
	struct http_server *server = exchange->server;
	exchange->state = EXCHANGE_READY;
	MHD_resume_connection(exchange->mhd);
	/* Last: http_stop takes zero to mean that no connection is suspended. The exchange is no longer ours. */
	atomic_fetch_sub(&server->suspended, 1);
}

static void *worker_run(void *context)
{
	struct http_server *server = context;
	for (;;) {
		pthread_mutex_lock(&server->lock);
		while (!server->queue_head && !server->ending)
			pthread_cond_wait(&server->work, &server->lock);
		struct exchange *exchange = server->queue_head;
		if (exchange) {
			server->queue_head = exchange->next;
			if (!server->queue_head)
				server->queue_tail = &server->queue_head;
			server->queued--;
		}
		pthread_mutex_unlock(&server->lock);
		if (!exchange)
			return NULL;
		exchange_run(exchange);
		resume(exchange);
	}
}

/* Takes what is due out of the tarpit: into the queue, or into the list of those to be refused. Returns the next time to look. */
static int64_t tarpit_step(struct http_server *server, int64_t now, struct exchange **refused)
{
	int64_t next = now + CLOCK_SECOND;
	bool stopping = atomic_load(&server->stopping);
	for (struct exchange **at = &server->tarpit; *at;) {
		struct exchange *exchange = *at;
		if (exchange->due > now && !stopping) {
			next = exchange->due < next ? exchange->due : next;
			at = &exchange->next;
			continue;
		}
		*at = exchange->next;
		server->tarpit_count--;
		if (exchange->limited || server->queued >= server->queue_most) {
			exchange->next = *refused;
			*refused = exchange;
		} else {
			queue_push(server, exchange);
		}
	}
	return next;
}

static void *timer_run(void *context)
{
	struct http_server *server = context;
	int64_t reap_at = 0;
	pthread_mutex_lock(&server->lock);
	while (!server->ending) {
		int64_t now = clock_monotonic();
		struct exchange *refused = NULL;
		int64_t next = tarpit_step(server, now, &refused);
		size_t listener_count = server->listener_count;
		pthread_mutex_unlock(&server->lock);
		while (refused) {
			struct exchange *exchange = refused;
			refused = exchange->next;
			response_problem(&exchange->request, &exchange->response,
			                 exchange->limited ? PROBLEM_TOO_MANY : PROBLEM_BUSY, NULL);
			response_finish(exchange);
			resume(exchange);
		}
		if (now >= reap_at) {
			for (size_t i = 0; i < listener_count; i++)
				connections_reap(&server->listeners[i], now);
			reap_at = now + CLOCK_SECOND / 4;
		}
		if (next > reap_at)
			next = reap_at;
		struct timespec until = { .tv_sec = (time_t)(next / CLOCK_SECOND),
			                  .tv_nsec = (long)(next % CLOCK_SECOND) * 1000 };
		pthread_mutex_lock(&server->lock);
		if (!server->ending)
			pthread_cond_timedwait(&server->tick, &server->lock, &until);
	}
	pthread_mutex_unlock(&server->lock);
	return NULL;
}

/* --- start and stop ---------------------------------------------------------------------------------------- */

static void on_library_log(void *context, const char *format, va_list args)
{
	struct arena arena;
	(void)context;
	arena_init(&arena);
	log_debug("libmicrohttpd", LOGS("text", str_trim(str_vformat(&arena, format, args))));
	arena_release(&arena);
}

static enum rc open_listener(struct http_server *server, const struct http_options *options, bool is_private,
                             struct err *err)
{
	const char *where = is_private ? options->private_listen : options->listen;
	struct listener *listener = &server->listeners[server->listener_count];
	struct listen_socket opened;
	enum rc rc = routes_build(&listener->routes, &server->arena, server->house, is_private, err);
	if (rc == OK)
		rc = listen_open(&server->arena, where, options->allow_public_address, &opened, err);
	if (rc != OK)
		return rc;
	listener->server = server;
	listener->is_private = is_private;
	listener->is_unix = opened.is_unix;
	listener->port = opened.port;
	listener->unix_path = opened.is_unix ? str_c(&server->arena, opened.path) : NULL;
	pthread_mutex_init(&listener->lock, NULL);
	if (!is_private && options->bound)
		options->bound(options->context, opened.port);
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	listener->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, listener,                    //
	                                    MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL,              //
	                                    MHD_OPTION_LISTEN_SOCKET, (MHD_socket)opened.fd,               //
	                                    MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,   //
	                                    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, //
	                                    MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS,                   //
	                                    MHD_OPTION_STRICT_FOR_CLIENT, 1,                               //
	                                    MHD_OPTION_URI_LOG_CALLBACK, on_target, listener,              //
	                                    MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL,               //
	                                    MHD_OPTION_NOTIFY_CONNECTION, on_connection, listener,         //
	                                    MHD_OPTION_NOTIFY_COMPLETED, on_completed, listener,           //
	                                    MHD_OPTION_END);
	if (!listener->daemon) {
		close(opened.fd);
		pthread_mutex_destroy(&listener->lock);
		return err_set(err, FAILED, "%s: libmicrohttpd does not start", where);
	}
	pthread_mutex_lock(&server->lock);
	server->listener_count++; /* now the timer may look at it */
	pthread_mutex_unlock(&server->lock);
	return OK;
}

/* A thousand connections on each listener beside database and channels do not fit into the usual 1024 files. */
static void raise_file_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= FILES_WANTED)
		return;
	limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_warn("file_limit", LOGI("files", limit.rlim_cur));
}

static enum rc start_threads(struct http_server *server, unsigned workers, struct err *err)
{
	size_t count = workers == 0 ? WORKERS_DEFAULT : workers < WORKERS_MAX ? workers : WORKERS_MAX;
	server->workers = calloc(count, sizeof *server->workers);
	if (!server->workers)
		return err_set(err, FAILED, "out of memory");
	for (; server->worker_count < count; server->worker_count++)
		if (pthread_create(&server->workers[server->worker_count], NULL, worker_run, server) != 0)
			return err_set(err, FAILED, "cannot start the threads of the web server");
	if (pthread_create(&server->timer, NULL, timer_run, server) != 0)
		return err_set(err, FAILED, "cannot start the threads of the web server");
	server->timer_runs = true;
	return OK;
}

static struct http_server *server_new(struct house *house, const struct http_options *options)
{
	struct http_server *server = calloc(1, sizeof *server);
	if (!server)
		abort();
	server->house = house;
	server->head_timeout = options->head_timeout ? options->head_timeout : 30 * CLOCK_SECOND;
	server->body_timeout = options->body_timeout ? options->body_timeout : 120 * CLOCK_SECOND;
	server->send_timeout = options->send_timeout ? options->send_timeout : 300 * CLOCK_SECOND;
	server->queue_most = options->queue_most ? options->queue_most : HTTP_QUEUE_MAX;
	server->queue_tail = &server->queue_head;
	server->gzip = gzip_cache_new();
	arena_init(&server->arena);
	rate_init(&server->rates);
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->work, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&server->tick, &monotonic);
	pthread_condattr_destroy(&monotonic);
	fixed_headers_build(server);
	return server;
}

enum rc http_start(struct house *house, const struct http_options *options, struct http_server **server_out,
                   struct err *err)
{
	raise_file_limit();
	hub_set_listeners_max(house->hub, (size_t)setting_int(house, "http.listeners"));
	struct http_server *server = server_new(house, options);
	house_set_state(house, SLOT_HTTP, server);
	enum rc rc = start_threads(server, options->workers, err);
	/* A start must not be half done: who can open one listener but not the other opens none. */
	if (rc == OK)
		rc = open_listener(server, options, false, err);
	if (rc == OK && options->private_listen)
		rc = open_listener(server, options, true, err);
	if (rc != OK) {
		http_stop(server);
		return rc;
	}
	*server_out = server;
	return OK;
}

int http_port(const struct http_server *server, bool private_listener)
{
	for (size_t i = 0; i < server->listener_count; i++)
		if (server->listeners[i].is_private == private_listener)
			return server->listeners[i].port;
	return -1;
}

void http_stop(struct http_server *server)
{
	atomic_store(&server->stopping, true);
	for (size_t i = 0; i < server->listener_count; i++) {
		MHD_socket fd = MHD_quiesce_daemon(server->listeners[i].daemon);
		if (fd != MHD_INVALID_SOCKET)
			close(fd);
		if (server->listeners[i].unix_path)
			unlink(server->listeners[i].unix_path);
	}
	hub_wake_all(server->house->hub);
	pthread_mutex_lock(&server->lock);
	pthread_cond_broadcast(&server->tick);
	pthread_mutex_unlock(&server->lock);
	/* The library must not be stopped while a connection is suspended: running handlers end first. */
	while (atomic_load(&server->suspended) > 0) {
		const struct timespec moment = { .tv_nsec = 2000000 };
		nanosleep(&moment, NULL);
	}
	pthread_mutex_lock(&server->lock);
	server->ending = true;
	pthread_cond_broadcast(&server->work);
	pthread_cond_broadcast(&server->tick);
	pthread_mutex_unlock(&server->lock);
	for (size_t i = 0; i < server->worker_count; i++)
		pthread_join(server->workers[i], NULL);
	if (server->timer_runs)
		pthread_join(server->timer, NULL);
	for (size_t i = 0; i < server->listener_count; i++) {
		MHD_stop_daemon(server->listeners[i].daemon);
		pthread_mutex_destroy(&server->listeners[i].lock);
	}
	house_set_state(server->house, SLOT_HTTP, NULL);
	free(server->workers);
	gzip_cache_free(server->gzip);
	rate_release(&server->rates);
	pthread_mutex_destroy(&server->lock);
	pthread_cond_destroy(&server->work);
	pthread_cond_destroy(&server->tick);
	arena_release(&server->arena);
	free(server);
}
