/* The parts put together. */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/simulator/simulator.h"

#define KEEP_DEFAULT 10000

int simulator_listen(uint16_t port, uint16_t *bound)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	int on = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 128) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
		close(fd);
		return -1;
	}
	*bound = ntohs(address.sin_port);
	return fd;
}

void simulator_defaults(struct simulator_options *options)
{
	*options = (struct simulator_options){ .keep = KEEP_DEFAULT, .short_code = S("4411") };
	faults_init(&options->faults);
}

struct faults simulator_faults(struct simulator *s)
{
	pthread_mutex_lock(&s->lock);
	struct faults faults = s->faults;
	pthread_mutex_unlock(&s->lock);
	return faults;
}

void simulator_set_faults(struct simulator *s, const struct faults *faults)
{
	pthread_mutex_lock(&s->lock);
	s->faults = *faults;
	pthread_mutex_unlock(&s->lock);
}

enum rc simulator_start(struct simulator *s, const struct simulator_options *options, struct err *err)
{
	*s = (struct simulator){ .options = *options, .faults = options->faults };
	pthread_mutex_init(&s->lock, NULL);
	s->store = store_new(options->keep ? options->keep : KEEP_DEFAULT);
	enum rc rc = smsc_start(s, err);
	if (rc == OK)
		rc = sink_start(s, err);
	if (rc == OK)
		rc = web_start(s, err);
	if (rc != OK)
		simulator_stop(s);
	return rc;
}

void simulator_stop(struct simulator *s)
{
	web_stop(s->web);
	sink_stop(s->sink);
	smsc_stop(s->smsc);
	store_free(s->store);
	pthread_mutex_destroy(&s->lock);
	s->web = NULL;
	s->sink = NULL;
	s->smsc = NULL;
	s->store = NULL;
}
