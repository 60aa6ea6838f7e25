/* The simulated carrier, relay, phones and mailboxes of the demo. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <curl/curl.h>
#include <jansson.h>

#include "cmd/simulator.h"

#define PROGRAM "chancery-simulator"
#define READY_MAX 512

static enum rc
program_path(char out[PATH_MAX], struct err *err)
{
	const ssize_t size = readlink("/proc/self/exe", out, PATH_MAX - sizeof PROGRAM - 1);
	if (size < 0)
		return err_set(err, FAILED, "where this program stands cannot be told: %s", strerror(errno));
	out[size] = 0;
	char *slash = strrchr(out, '/');
	memcpy(slash ? slash + 1 : out, PROGRAM, sizeof PROGRAM);
	return OK;
}

_Noreturn static void
become_simulator(const char *path, int output, int http_port, const char *mail_command)
{
	char port[16];
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* Ctrl-C is for the parent, which then ends the child after its last messages. */
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(output, STDOUT_FILENO);
	snprintf(port, sizeof port, "%d", http_port);
	execl(path, PROGRAM, "--http", port, "--mail-command", mail_command, (char *)NULL);
	fprintf(stderr, "chancery: %s: %s\n", path, strerror(errno));
	_exit(127);
}

static enum rc
begin_on(struct simulator_child *child, const char *path, int http_port, const char *mail_command, struct err *err)
{
	int ends[2];
	char line[READY_MAX];
	json_t *ready = NULL;

	if (pipe(ends) != 0)
		return err_set(err, FAILED, "pipe: %s", strerror(errno));
	fflush(NULL);
	const pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		become_simulator(path, ends[1], http_port, mail_command);
	}
	close(ends[1]);
	FILE *said = pid > 0 ? fdopen(ends[0], "r") : NULL;
	if (said && fgets(line, sizeof line, said))
		ready = json_loads(line, 0, NULL);
	if (said)
		fclose(said);
	else
		close(ends[0]);
	*child = (struct simulator_child){ .pid = pid };
	const bool good = ready && json_unpack(ready, "{s:i, s:i, s:i}", "smpp", &child->smpp, "smtp", &child->smtp, "http", &child->http) == 0;
	json_decref(ready);
	if (good)
		return OK;
	simulator_end(child);
	return err_set(err, FAILED, "%s did not start", path);
}

enum rc
simulator_begin(struct simulator_child *child, int http_port, const char *mail_command, struct err *err)
{
	char path[PATH_MAX];

	enum rc rc = program_path(path, err);
	if (rc != OK)
		return rc;
	if (http_port && begin_on(child, path, http_port, mail_command, NULL) == OK)
		return OK;
	return begin_on(child, path, 0, mail_command, err);
}

void
simulator_end(struct simulator_child *child)
{
	if (child->pid > 0) {
		kill(child->pid, SIGTERM);
		while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	*child = (struct simulator_child){ .pid = 0 };
}

static size_t
take(char *bytes, size_t size, size_t count, void *context)
{
	buf_add(context, bytes, size * count);
	return size * count;
}

enum rc
simulator_ask(const struct simulator_child *child, const char *path, json_t *body, json_t **out, struct err *err)
{
	char url[1024];
	long status = 0;
	struct buf answer;
	enum rc rc = OK;

	const int length = snprintf(url, sizeof url, "http://127.0.0.1:%d%s", child->http, path);
	CURL *curl = length < (int)sizeof url ? curl_easy_init() : NULL;
	if (!curl)
		return err_set(err, FAILED, "the simulator cannot be asked");
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	buf_init(&answer);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
	if (text) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	}
	const CURLcode code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	json_t *json = code == CURLE_OK && status == 200 ? json_loadb(answer.ptr ? answer.ptr : "", answer.len, JSON_DECODE_ANY, NULL) : NULL;
	if (json)
		*out = json;
	else
		rc = err_set(err, FAILED, "the simulator answered %s with status %ld (%s)", path, status, curl_easy_strerror(code));
	buf_release(&answer);
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	free(text);
	return rc;
}
