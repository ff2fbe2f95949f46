// SPDX-License-Identifier: Apache-2.0
#include "quorum/fence_io.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clusterd/invariant.h"
#include "clusterd/loop_io.h"

enum {
	WORDS_SIZE = 512,		// the end of what it said on standard error
	AGENT_PATH_SIZE = PATH_SIZE + NAME_SIZE,
	STATUS_AGAIN_MS = 200,
	STATUS_ON = 0,			// exit codes of `status`
	STATUS_OFF = 2,
};

static const char *const verb_word[FENCE_VERB_COUNT] = {
	[FENCE_OFF] = "off",
	[FENCE_ON] = "on",
	[FENCE_MONITOR] = "monitor",
	[FENCE_STATUS] = "status",
};

struct job {
	struct job *next;
	struct fence *fence;
	uint32_t node_id, attempt;
	fence_done_fn fn;		// NULL: EVENT_FENCE_DONE
	void *data;
	enum fence_verb verb, running;
	char agent[NAME_SIZE];
	char path[AGENT_PATH_SIZE];
	char options[FENCE_OPTIONS_SIZE];
	pid_t pid;			// 0: nothing runs
	int pidfd, out_fd, err_fd;
	bool told;			// only waits for its process to go
	uint64_t status_until_ms;
	struct loop_timer timer;
	char words[WORDS_SIZE];
	size_t words_used;
	char reason[REASON_SIZE];
};

struct fence {
	struct fence_options options;
	char directories[FENCE_DIRECTORIES_MAX][PATH_SIZE];
	struct job *jobs;
};

static void job_start(struct job *job, enum fence_verb verb);

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void job_reason(struct job *job, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void job_reason(struct job *job, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(job->reason, sizeof(job->reason), format, args);
	va_end(args);
}

static struct loop *job_loop(struct job *job)
{
	return job->fence->options.edge.loop;
}

static void fd_end(struct job *job, int *fd)
{
	if (*fd < 0)
		return;
	loop_del_fd(job_loop(job), *fd);
	close(*fd);
	*fd = -1;
}

static void job_free(struct job *job)
{
	struct job **link = &job->fence->jobs;

	while (*link != job)
		link = &(*link)->next;
	*link = job->next;
	loop_timer_cancel(&job->timer);
	fd_end(job, &job->pidfd);
	fd_end(job, &job->out_fd);
	fd_end(job, &job->err_fd);
	free(job);
}

// The answer; a process that will not die is waited for in silence.
static void job_tell(struct job *job, bool ok)
{
	struct event event = {
		.type = EVENT_FENCE_DONE, .node_id = job->node_id, .attempt = job->attempt,
		.flag = ok, .reason = job->reason,
	};

	if (job->told)
		return;
	job->told = true;
	loop_timer_cancel(&job->timer);
	if (job->fn)
		job->fn(job->data, ok, job->reason);
	else
		edge_post(&job->fence->options.edge, &event);
}

// Only from a callback of the job's own that touches it no more.
static void job_end(struct job *job, bool ok)
{
	job_tell(job, ok);
	if (!job->pid)
		job_free(job);
}

static void words_add(struct job *job, const char *bytes, size_t count)
{
	size_t keep = sizeof(job->words) - 1;

	if (count > keep) {
		bytes += count - keep;
		count = keep;
	}
	if (job->words_used + count > keep) {
		size_t drop = job->words_used + count - keep;

		memmove(job->words, job->words + drop, job->words_used - drop);
		job->words_used -= drop;
	}
	memcpy(job->words + job->words_used, bytes, count);
	job->words_used += count;
}

// The last line that says anything, with nothing in it that a terminal would obey.
static const char *last_words(struct job *job)
{
	char *words = job->words, *line;
	size_t end = job->words_used;

	while (end > 0 && isspace((unsigned char)words[end - 1]))
		end--;
	words[end] = '\0';
	for (size_t i = 0; i < end; i++)
		if (words[i] == '\0')
			words[i] = ' ';
	line = strrchr(words, '\n');
	line = line ? line + 1 : words;
	for (char *at = line; *at; at++)
		if (!isprint((unsigned char)*at))
			*at = '?';
	return *line ? line : "it said nothing";
}

// What waits in a pipe now; bounded, so that an agent that never stops talking cannot keep the
// loop.
static bool pipe_read(struct job *job, int fd, bool keep)
{
	char bytes[4096];

	for (int i = 0; i < 8; i++) {
		ssize_t count = read(fd, bytes, sizeof(bytes));

		if (count == 0)
			return false;
		if (count < 0)
			return errno == EAGAIN || errno == EINTR;
		if (keep)
			words_add(job, bytes, (size_t)count);
	}
	return true;
}

static void agent_spoke(void *owner, int fd, uint32_t events)
{
	struct job *job = owner;
	int *which = fd == job->err_fd ? &job->err_fd : &job->out_fd;

	(void)events;
	if (!pipe_read(job, fd, which == &job->err_fd))
		fd_end(job, which);
}

// `status`: 0 is on, 2 is off, all else is no answer.
static void status_again(void *owner)
{
	job_start(owner, FENCE_STATUS);
}

static void status_ended(struct job *job, int code)
{
	enum fence_verb verb = job->verb;
	bool wanted = verb == FENCE_OFF ? code == STATUS_OFF : code == STATUS_ON;
	const char *agent = job->agent;

	if (verb == FENCE_STATUS) {
		job_reason(job, "%s: %s", agent, code == STATUS_ON ? "on" :
			   code == STATUS_OFF ? "off" : last_words(job));
		job_end(job, wanted);
		return;
	}
	if (wanted) {
		job_reason(job, "%s: status says %s", agent, verb_word[verb]);
		job_end(job, true);
		return;
	}
	if (clock_ms() < job->status_until_ms) {
		loop_timer_ms(job_loop(job), &job->timer, STATUS_AGAIN_MS, status_again, job);
		return;
	}
	if (code == STATUS_ON || code == STATUS_OFF)
		job_reason(job, "%s %s was done, but status still says %s",
			   agent, verb_word[verb], code == STATUS_ON ? "on" : "off");
	else
		job_reason(job, "%s status: code %d: %s", agent, code,
			   last_words(job));
	job_end(job, false);
}

static void agent_ended(void *owner, int fd, uint32_t events)
{
	struct job *job = owner;
	siginfo_t info = { 0 };
	uint32_t status_ms = job->fence->options.status_ms;

	(void)fd;
	(void)events;
	if (waitid(P_PIDFD, (id_t)job->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	    info.si_pid == 0)
		return;
	// What it left running. Until its leader is waited for, the group's number cannot be
	// another's.
	kill(-job->pid, SIGKILL);
	waitid(P_PIDFD, (id_t)job->pidfd, &info, WEXITED);
	job->pid = 0;
	fd_end(job, &job->pidfd);
	if (job->err_fd >= 0)
		pipe_read(job, job->err_fd, true);
	fd_end(job, &job->out_fd);
	fd_end(job, &job->err_fd);
	loop_timer_cancel(&job->timer);
	if (job->told) {
		job_end(job, false);
	} else if (info.si_code != CLD_EXITED) {
		job_reason(job, "%s %s: ended by signal %d: %s", job->agent,
			   verb_word[job->running], info.si_status, last_words(job));
		job_end(job, false);
	} else if (job->running == FENCE_STATUS) {
		status_ended(job, info.si_status);
	} else if (info.si_status != 0) {
		job_reason(job, "%s %s: code %d: %s", job->agent,
			   verb_word[job->running], info.si_status, last_words(job));
		job_end(job, false);
	} else if (job->verb == FENCE_MONITOR) {
		job_reason(job, "%s: monitor succeeded", job->agent);
		job_end(job, true);
	} else {
		job->status_until_ms = clock_ms() + status_ms;
		job_start(job, FENCE_STATUS);
	}
}

static void agent_late(void *owner)
{
	struct job *job = owner;
	siginfo_t info = { 0 };

	// After a stall of this daemon both are due, its time's end and its own: the latter counts.
	if (waitid(P_PIDFD, (id_t)job->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    info.si_pid != 0)
		return;
	kill(-job->pid, SIGKILL);
	job_reason(job, "%s %s: killed, it did not end in time: %s",
		   job->agent, verb_word[job->running], last_words(job));
	job_tell(job, false);
}

// Starting

// All of it fits in the pipe, so it is written before there is anybody to wait for.
static int options_pipe(struct job *job, enum fence_verb verb)
{
	char text[FENCE_OPTIONS_SIZE + 32];
	int pipes[2], length, error;

	length = snprintf(text, sizeof(text), "%saction=%s\n", job->options, verb_word[verb]);
	INVARIANT(length > 0 && (size_t)length < sizeof(text));
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	error = write(pipes[1], text, (size_t)length) == length ? 0 : -EIO;
	close(pipes[1]);
	if (!error)
		return pipes[0];
	close(pipes[0]);
	return error;
}

static int output_pipe(struct job *job, int *read_fd, int *write_fd)
{
	int pipes[2], error;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	error = loop_add_fd(job_loop(job), pipes[0], POLLIN, agent_spoke, job);
	if (error) {
		close(pipes[0]);
		close(pipes[1]);
		return error;
	}
	*read_fd = pipes[0];
	*write_fd = pipes[1];
	return 0;
}

static int agent_spawn(struct job *job, int in, int out, int err)
{
	static const char *const environment[] = {
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/", NULL,
	};
	char *const argv[] = { job->path, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int error;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_adddup2(&actions, err, 2);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
					      POSIX_SPAWN_SETSIGDEF);
	error = -posix_spawn(&job->pid, job->path, &actions, &attributes, argv,
			     (char *const *)environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (error)
		job->pid = 0;
	return error;
}

static int agent_watch(struct job *job)
{
	int error;

	job->pidfd = (int)syscall(SYS_pidfd_open, job->pid, 0);
	error = job->pidfd < 0 ? -errno :
		loop_add_fd(job_loop(job), job->pidfd, POLLIN, agent_ended, job);
	if (!error)
		return 0;
	// Nobody would hear of its end: it must not go on.
	kill(-job->pid, SIGKILL);
	while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR)
		;
	job->pid = 0;
	if (job->pidfd >= 0)
		close(job->pidfd);
	job->pidfd = -1;
	return error;
}

static int agent_run(struct job *job, enum fence_verb verb)
{
	int in, out = -1, err = -1, error;

	in = options_pipe(job, verb);
	error = in < 0 ? in : output_pipe(job, &job->out_fd, &out);
	if (!error)
		error = output_pipe(job, &job->err_fd, &err);
	if (!error)
		error = agent_spawn(job, in, out, err);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	if (err >= 0)
		close(err);
	return error ? error : agent_watch(job);
}

static bool name_valid(const char *agent)
{
	size_t length = strlen(agent);

	return length > strlen("fence_") && length < NAME_SIZE &&
	       strncmp(agent, "fence_", strlen("fence_")) == 0 &&
	       strspn(agent, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

static bool agent_find(struct job *job)
{
	struct stat status;

	for (int i = 0; i < FENCE_DIRECTORIES_MAX && job->fence->directories[i][0]; i++) {
		snprintf(job->path, sizeof(job->path), "%s/%s", job->fence->directories[i],
			 job->agent);
		if (stat(job->path, &status) == 0 && S_ISREG(status.st_mode) &&
		    access(job->path, X_OK) == 0)
			return true;
	}
	job_reason(job, "%s: no such program where fence agents are (%s)",
		   job->agent, job->fence->directories[0]);
	return false;
}

static void job_start(struct job *job, enum fence_verb verb)
{
	const struct fence_options *options = &job->fence->options;
	bool quick = verb == FENCE_STATUS || verb == FENCE_MONITOR;
	int error;

	job->running = verb;
	job->words_used = 0;
	error = agent_run(job, verb);
	if (!error)
		error = loop_timer_ms(job_loop(job), &job->timer, quick ? options->status_ms :
				      options->off_ms, agent_late, job);
	if (!error)
		return;
	job_reason(job, "%s cannot be run: %s", job->path,
		   strerror(-error));
	if (job->pid)
		kill(-job->pid, SIGKILL);
	job_end(job, false);
}

static void job_begin(void *owner)
{
	struct job *job = owner;

	if (job->reason[0] || !agent_find(job))
		job_end(job, false);
	else
		job_start(job, job->verb);
}

static void options_copy(struct job *job, const char *options)
{
	size_t used = 0;

	while (*options) {
		size_t length = strcspn(options, "\n");
		bool line = length > 0 && strncmp(options, "action=", 7) != 0;

		if (line && used + length + 2 > sizeof(job->options)) {
			job_reason(job, "%s: too many options", job->agent);
			return;
		}
		if (line) {
			memcpy(job->options + used, options, length);
			used += length;
			job->options[used++] = '\n';
		}
		options += length + (options[length] == '\n');
	}
}

static struct job *job_new(struct fence *fence, enum fence_verb verb, const char *agent,
			   const char *options)
{
	struct job *job = calloc(1, sizeof(*job));

	INVARIANT(job);
	job->fence = fence;
	job->verb = verb;
	job->pidfd = job->out_fd = job->err_fd = -1;
	snprintf(job->agent, sizeof(job->agent), "%s", agent);
	if (!name_valid(agent))
		job_reason(job, "not the name of a fence agent: %.40s", agent);
	else
		options_copy(job, options);
	job->next = fence->jobs;
	fence->jobs = job;
	INVARIANT(loop_timer_ms(job_loop(job), &job->timer, 0, job_begin, job) == 0);
	return job;
}

void fence_off(struct fence *fence, uint32_t node_id, uint32_t attempt, const char *agent,
	       const char *options)
{
	struct job *job = job_new(fence, FENCE_OFF, agent, options);

	job->node_id = node_id;
	job->attempt = attempt;
}

void fence_call(struct fence *fence, enum fence_verb verb, const char *agent, const char *options,
		fence_done_fn fn, void *data)
{
	struct job *job = job_new(fence, verb, agent, options);

	job->fn = fn;
	job->data = data;
}

int fence_open(struct fence **out, const struct fence_options *options)
{
	struct fence *fence = calloc(1, sizeof(*fence));

	*out = NULL;
	if (!fence)
		return -ENOMEM;
	fence->options = *options;
	if (!fence->options.off_ms)
		fence->options.off_ms = FENCE_OFF_MS;
	if (!fence->options.status_ms)
		fence->options.status_ms = FENCE_STATUS_MS;
	for (int i = 0; i < FENCE_DIRECTORIES_MAX && options->directories[i]; i++) {
		const char *directory = options->directories[i];

		if (directory[0] != '/' || strlen(directory) >= PATH_SIZE) {
			free(fence);
			return -EINVAL;
		}
		strcpy(fence->directories[i], directory);
	}
	*out = fence;
	return 0;
}

void fence_close(struct fence *fence)
{
	if (!fence)
		return;
	while (fence->jobs) {
		struct job *job = fence->jobs;

		if (job->pid) {
			kill(-job->pid, SIGKILL);
			waitpid(job->pid, NULL, WNOHANG);
		}
		job_free(job);
	}
	free(fence);
}
