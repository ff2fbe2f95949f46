// SPDX-License-Identifier: Apache-2.0
#include "clusterd/clustadm_io.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "clusterd/ipc_client_io.h"

enum { CONNECT_TIMEOUT_MS = 10000 };

// Set by the signal's handler, which can be given nothing else.
static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

bool session_interrupted(void)
{
	return interrupted != 0;
}

uint64_t session_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool session_late(const struct session *session)
{
	return session->deadline_ms != 0 && session_now_ms() >= session->deadline_ms;
}

void session_sleep_ms(int ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&time, NULL); // a signal ends it early, as it should
}

int session_width(const struct session *session)
{
	struct winsize size;

	if (!session->out_terminal)
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 80;
}

void session_init(struct session *session, const struct invocation *invocation)
{
	struct sigaction action = { .sa_handler = on_interrupt };
	const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");
	uint64_t timeout_ms;

	memset(session, 0, sizeof(*session));
	session->invocation = invocation;
	session->out_terminal = isatty(STDOUT_FILENO);
	session->error_terminal = isatty(STDERR_FILENO);
	session->colour = session->out_terminal && !(no_colour && *no_colour) && terminal &&
			  strcmp(terminal, "dumb") != 0;
	if (invocation_has(invocation, OPTION_TIMEOUT) &&
	    time_parse(invocation->values[OPTION_TIMEOUT], &timeout_ms))
		session->deadline_ms = session_now_ms() + timeout_ms;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_DFL);
}

void session_fini(struct session *session)
{
	session_progress_end(session);
	ipc_client_close(session->connection);
	session->connection = NULL;
}

// Of the terminal on standard error: a line that wraps could not be replaced.
static int progress_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
		return size.ws_col - 1;
	return 79;
}

void session_progress(struct session *session, const char *line)
{
	if (session->invocation->quiet || session->invocation->json)
		return;
	if (session->error_terminal) {
		fprintf(stderr, "\r\033[K%.*s", (int)text_cut(line, progress_width()), line);
		fflush(stderr);
		session->progress_open = true;
	} else {
		fprintf(stderr, "%s\n", line);
	}
}

void session_progress_end(struct session *session)
{
	if (session->progress_open)
		fputs("\r\033[K", stderr);
	session->progress_open = false;
}

void session_json(const struct session *session, const json_t *result)
{
	bool lines = invocation_has(session->invocation, OPTION_FOLLOW) ||
		     invocation_has(session->invocation, OPTION_WATCH);

	json_dumpf(result, stdout, lines ? JSON_COMPACT : JSON_INDENT(2));
	putchar('\n');
	fflush(stdout);
}

void session_table(const struct session *session, struct table *table)
{
	table_print(table, stdout, session_width(session), session->colour);
	table_fini(table);
}

enum exit_status session_show(struct session *session, const char *verb, const char *name,
			      void (*print)(struct session *session, const json_t *object))
{
	json_t *result;
	enum exit_status status = session_ask(session, ask_new(verb, name), &result);

	if (status != EXIT_DONE)
		return status;
	if (session->invocation->json)
		session_json(session, result);
	else
		print(session, result);
	json_decref(result);
	return EXIT_DONE;
}

const char *json_word(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

long long json_number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

bool json_flag(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

// Takes `error`: {"code", "reason", "fix", ...}.
static enum exit_status fail_json(struct session *session, enum exit_status status, json_t *error)
{
	const struct command *command = &commands[session->invocation->id];
	const json_t *places = json_object_get(error, "places"), *place;
	json_t *whole;
	size_t i;

	session_progress_end(session);
	if (session->invocation->json) {
		whole = json_pack("{s:o}", "error", error);
		session_json(session, whole);
		json_decref(whole);
		return status;
	}
	json_array_foreach(places, i, place)
	{
		fprintf(stderr, "%s:%lld:%lld: %s\n", json_word(place, "file"),
			json_number(place, "line"), json_number(place, "column"),
			json_word(place, "message"));
	}
	if (json_array_size(places) > 0)
		fprintf(stderr, "clustadm: %s: %lld mistake%s, nothing changed\n", command->verb,
			json_number(error, "count"), json_number(error, "count") == 1 ? "" : "s");
	else if (session->invocation->command_known)
		fprintf(stderr, "clustadm: %s%s%s: %s\n", command->noun, *command->noun ? " " : "",
			command->verb, json_word(error, "reason"));
	else
		fprintf(stderr, "clustadm: %s\n", json_word(error, "reason"));
	if (*json_word(error, "fix") && !places)
		fprintf(stderr, "  fix: %s\n", json_word(error, "fix"));
	json_decref(error);
	return status;
}

enum exit_status session_fail(struct session *session, enum exit_status status, const char *code,
			      const char *reason, const char *fix)
{
	json_t *error = json_object();

	json_object_set_new(error, "code", json_string(code));
	json_object_set_new(error, "reason", json_string(reason));
	json_object_set_new(error, "fix", json_string(fix));
	return fail_json(session, status, error);
}

static enum exit_status session_connect(struct session *session)
{
	char reason[256];
	int rc;

	if (session->connection)
		return EXIT_DONE;
	rc = ipc_client_open(&session->connection, "clusterd", CONNECT_TIMEOUT_MS);
	switch (rc) {
	case 0:
		return EXIT_DONE;
	case -ECONNREFUSED:
	case -ENOTCONN:
		return session_fail(session, EXIT_NO_DAEMON, "no-daemon",
				    "clusterd does not run on this host",
				    "systemctl start clusterd");
	case -EACCES:
	case -EPERM:
		return session_fail(session, EXIT_NO_DAEMON, "no-permission",
				    "only root and members of the group " CLUSTERD_GROUP
				    " may talk to clusterd",
				    "usermod --append --groups " CLUSTERD_GROUP " USER");
	case -ETIMEDOUT:
		return session_fail(session, EXIT_NO_DAEMON, "no-answer",
				    "clusterd listens, but does not answer",
				    "see the daemon's log");
	case -EBUSY:
		return session_fail(session, EXIT_NO_DAEMON, "busy",
				    "too many programs talk to clusterd already", "try again");
	}
	snprintf(reason, sizeof(reason), "clusterd cannot be reached: %s", strerror(-rc));
	return session_fail(session, EXIT_NO_DAEMON, "no-daemon", reason, "see the daemon's log");
}

static int on_waiting(void *context)
{
	return session_interrupted() || session_late(context);
}

static enum exit_status fail_asking(struct session *session, int rc)
{
	char reason[256];

	if (rc == -EINTR && session->changes)
		return session_fail(session, EXIT_UNFINISHED, "unfinished",
				    session_interrupted() ? "interrupted; the work may go on"
							  : "the time is up; the work may go on",
				    "clustadm status shows what became of it");
	if (rc == -EINTR)
		return session_fail(session, EXIT_UNFINISHED, "interrupted", "interrupted", "");
	if (rc == -EMSGSIZE)
		return session_fail(session, EXIT_REFUSED, "too-big",
				    "the request is larger than 4 MiB", "do it in several parts");
	snprintf(reason, sizeof(reason), "clusterd went away before it answered (%s)",
		 strerror(-rc));
	return session_fail(session, EXIT_NO_DAEMON, "no-daemon", reason,
			    session->changes ? "clustadm status shows whether it was done"
					     : "try again");
}

static enum exit_status take_answer(struct session *session, const char *text, size_t size,
				    json_t **result)
{
	json_t *answer = json_loadb(text, size, 0, NULL);
	json_t *error = json_object_get(answer, "error");

	*result = json_object_get(answer, "result");
	if (!*result && !error) {
		json_decref(answer);
		return session_fail(session, EXIT_NO_DAEMON, "protocol",
				    "the daemon's answer cannot be understood",
				    "use a clustadm of the daemon's version");
	}
	json_incref(*result);
	json_incref(error);
	json_decref(answer);
	return *result ? EXIT_DONE : fail_json(session, EXIT_REFUSED, error);
}

static enum exit_status session_exchange(struct session *session, json_t *ask, bool silent,
					 json_t **result)
{
	char *text = json_dumps(ask, JSON_COMPACT), *answer = NULL;
	size_t size = 0;
	enum exit_status status;
	int rc;

	*result = NULL;
	json_decref(ask);
	if (!text)
		return session_fail(session, EXIT_REFUSED, "no-memory", "no memory is left", "");
	rc = ipc_client_ask(session->connection, text, strlen(text), on_waiting, session, &answer,
			    &size);
	free(text);
	if (rc == 0) {
		status = take_answer(session, answer, size, result);
		free(answer);
		return status;
	}
	ipc_client_close(session->connection);
	session->connection = NULL;
	return silent ? EXIT_NO_DAEMON : fail_asking(session, rc);
}

enum exit_status session_ask(struct session *session, json_t *ask, json_t **result)
{
	enum exit_status status = session_connect(session);

	*result = NULL;
	if (status == EXIT_DONE)
		return session_exchange(session, ask, false, result);
	json_decref(ask);
	return status;
}

enum exit_status session_poll(struct session *session, json_t *ask, json_t **result)
{
	*result = NULL;
	if (!session->connection &&
	    ipc_client_open(&session->connection, "clusterd", CONNECT_TIMEOUT_MS) != 0) {
		json_decref(ask);
		return EXIT_NO_DAEMON;
	}
	return session_exchange(session, ask, true, result);
}

void moment_text(long long at_ms, char *buf, size_t size)
{
	time_t at = (time_t)(at_ms / 1000);
	struct tm tm;

	buf[0] = 0;
	if (at_ms > 0 && localtime_r(&at, &tm))
		strftime(buf, size, "%Y-%m-%d %H:%M:%S", &tm);
}

json_t *ask_new(const char *verb, const char *name)
{
	json_t *ask = json_object();

	json_object_set_new(ask, "verb", json_string(verb));
	if (name)
		json_object_set_new(ask, "name", json_string(name));
	return ask;
}

enum exit_status session_confirm(struct session *session, const char *question)
{
	char line[16] = "";

	if (invocation_has(session->invocation, OPTION_YES))
		return EXIT_DONE;
	if (!isatty(STDIN_FILENO) || !session->error_terminal)
		return session_fail(session, EXIT_USAGE, "unconfirmed", question,
				    "repeat it with --yes");
	fprintf(stderr, "%s\nGo on? [y/N] ", question);
	if (fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y'))
		return EXIT_DONE;
	return session_fail(session, EXIT_REFUSED, "unconfirmed", "nothing was done", "");
}
