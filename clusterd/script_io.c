// SPDX-License-Identifier: Apache-2.0
#include "clusterd/script_io.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clusterd/worker_io.h"

enum {
	SCRIPTS_AT_ONCE = 4,
	OUTPUT_MAX = 64 * 1024, // what is written beyond is read and dropped
	VARIABLES_MAX = 24,
};

struct script_runner {
	struct worker *worker;
	struct script_options options;
};

struct script_task {
	struct worker_task task;
	struct script_runner *runner;
	uint64_t cookie;
	uint32_t limit_ms;
	bool good;
	char name[NAME_SIZE], last[REASON_SIZE];
	char environment[];
};

static uint64_t script_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool refuse(char *last, size_t size, const char *what, const char *name)
{
	snprintf(last, size, "%s: %s", name, what);
	return false;
}

// Only whoever runs this may have written it.
static bool is_ours(const struct stat *stat)
{
	return stat->st_uid == geteuid() && (stat->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

// The descriptor of the script, checked; -1 with the reason.
static int script_find(const char *folder, const char *name, char *last, size_t size)
{
	struct stat stat;
	int dir, fd;

	if (!*name || *name == '.' || strchr(name, '/'))
		return refuse(last, size, "that is no name of a script", name) - 1;
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &stat) < 0 || !is_ours(&stat)) {
		if (dir >= 0)
			close(dir);
		return refuse(last, size,
			      dir < 0 ? "the folder of scripts cannot be read"
				      : "the folder of scripts could be written by others",
			      folder) -
		       1;
	}
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	close(dir);
	if (fd < 0)
		return refuse(last, size, "there is no such script", name) - 1;
	if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && is_ours(&stat) &&
	    (stat.st_mode & S_IXUSR))
		return fd;
	close(fd);
	return refuse(last, size,
		      "not run: it must be a file that root owns, nobody else may write, and that "
		      "is executable",
		      name) -
	       1;
}

struct script_child {
	const char *path;
	char **environment;
	uid_t uid;
	gid_t gid;
	int output;
};

/*
 * Between fork and exec of a process with threads: system calls alone. The raw ones, because the
 * library's would tell threads that are not here.
 */
static void child_run(const struct script_child *child)
{
	char *const argv[] = { (char *)(uintptr_t)child->path, NULL };
	const struct rlimit no_core = { 0, 0 };
	struct sigaction deflt = { .sa_handler = SIG_DFL };
	sigset_t none;
	int null = open("/dev/null", O_RDWR);

	setsid();
	sigemptyset(&none);
	for (int i = 1; i < 32; i++)
		sigaction(i, &deflt, NULL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (null < 0 || dup2(null, 0) < 0 || dup2(child->output, 1) < 0 ||
	    dup2(child->output, 2) < 0)
		_exit(126);
	syscall(SYS_close_range, 3u, ~0u, 0u);
	setrlimit(RLIMIT_CORE, &no_core);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (geteuid() == 0 && (syscall(SYS_setgroups, 0, NULL) != 0 ||
			       syscall(SYS_setresgid, child->gid, child->gid, child->gid) != 0 ||
			       syscall(SYS_setresuid, child->uid, child->uid, child->uid) != 0))
		_exit(126);
	if (chdir("/") == 0)
		execve(child->path, argv, child->environment);
	_exit(127);
}

static void environment_split(char *text, char **variables)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char *rest = NULL;
	int count = 0;

	variables[count++] = path;
	for (char *line = strtok_r(text, "\n", &rest); line && count < VARIABLES_MAX;
	     line = strtok_r(NULL, "\n", &rest))
		variables[count++] = line;
	variables[count] = NULL;
}

// The last line that has something in it, without what a terminal would obey.
static void last_line(const char *output, char *last, size_t size)
{
	size_t end = strlen(output), begin, used = 0;

	while (end > 0 && (unsigned char)output[end - 1] <= ' ')
		end--;
	for (begin = end; begin > 0 && output[begin - 1] != '\n'; begin--)
		;
	for (; begin < end && used + 1 < size; begin++)
		last[used++] = (unsigned char)output[begin] < ' ' || output[begin] == 127
				       ? ' '
				       : output[begin];
	last[used] = 0;
}

// Until it has ended, or the limit has come. -ETIMEDOUT, or its status as wait() has it.
static int child_wait(pid_t pid, int fd, char *output, uint64_t deadline_ms)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), status = 0;
	size_t used = 0;
	bool open_end = true;

	for (;;) {
		uint64_t now_ms = script_now_ms();
		struct pollfd polls[2] = { { pidfd, POLLIN, 0 }, { fd, POLLIN, 0 } };
		ssize_t count;
		char drain[512];
		bool room = used + 1 < OUTPUT_MAX;

		if (now_ms >= deadline_ms || pidfd < 0) {
			status = -ETIMEDOUT;
			break;
		}
		if (poll(polls, open_end ? 2 : 1, (int)(deadline_ms - now_ms)) <= 0)
			continue;
		if (open_end && polls[1].revents) {
			count = read(fd, room ? output + used : drain,
				     room ? OUTPUT_MAX - used - 1 : sizeof(drain));
			open_end = count > 0;
			if (count > 0 && room)
				used += (size_t)count;
			continue;
		}
		if (polls[0].revents)
			break;
	}
	output[used] = 0;
	// Those that it left behind go with it, whatever they think.
	kill(-pid, SIGKILL);
	if (status == 0)
		waitpid(pid, &status, 0);
	else
		waitpid(pid, NULL, 0);
	if (pidfd >= 0)
		close(pidfd);
	return status;
}

static bool say_end(int status, uint32_t limit_ms, char *last, size_t size)
{
	char line[REASON_SIZE];

	snprintf(line, sizeof(line), "%s", last);
	if (status == -ETIMEDOUT)
		snprintf(last, size, "killed after %u s%s%s", limit_ms / 1000, *line ? ": " : "",
			 line);
	else if (WIFSIGNALED(status))
		snprintf(last, size, "ended by signal %d%s%s", WTERMSIG(status), *line ? ": " : "",
			 line);
	else if (WEXITSTATUS(status) != 0)
		snprintf(last, size, "exit status %d%s%s", WEXITSTATUS(status), *line ? ": " : "",
			 line);
	return status == 0;
}

bool script_file_run(const char *folder, const char *user, const char *name,
		     const char *environment, uint32_t limit_ms, char *last, size_t size)
{
	char *variables[VARIABLES_MAX + 1], *copy = strdup(environment);
	char *output = calloc(1, OUTPUT_MAX), path[PATH_MAX];
	struct script_child child = { .path = path, .environment = variables };
	struct passwd entry, *found = NULL;
	char names[4096];
	int pipes[2] = { -1, -1 }, fd, status = -1;
	bool good = false;
	pid_t pid;

	last[0] = 0;
	fd = script_find(folder, name, last, size);
	if (fd >= 0)
		close(fd);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (fd < 0)
		goto out;
	if (geteuid() == 0 && (getpwnam_r(user, &entry, names, sizeof(names), &found) != 0 ||
			       !found || entry.pw_uid == 0)) {
		refuse(last, size, "there is no such unprivileged user on this host", user);
		goto out;
	}
	child.uid = found ? entry.pw_uid : geteuid();
	child.gid = found ? entry.pw_gid : getegid();
	if (!copy || !output || pipe2(pipes, O_CLOEXEC) < 0) {
		refuse(last, size, "no memory, or no descriptors, are left", name);
		goto out;
	}
	environment_split(copy, variables);
	child.output = pipes[1];
	pid = fork();
	if (pid == 0)
		child_run(&child);
	close(pipes[1]);
	if (pid > 0) {
		status = child_wait(pid, pipes[0], output, script_now_ms() + limit_ms);
		last_line(output, last, size);
		good = say_end(status, limit_ms, last, size);
	} else {
		refuse(last, size, "no process can be started", name);
	}
	close(pipes[0]);
out:
	free(output);
	free(copy);
	return good;
}

static void task_work(void *owner)
{
	struct script_task *task = owner;
	const struct script_options *options = &task->runner->options;

	task->good = script_file_run(options->folder, options->user, task->name, task->environment,
				     task->limit_ms, task->last, sizeof(task->last));
}

static void task_done(void *owner)
{
	struct script_task *task = owner;
	struct script_runner *runner = task->runner;
	char last[REASON_SIZE];
	struct event event = { .type = EVENT_SCRIPT_DONE,
			       .cookie = task->cookie,
			       .flag = task->good,
			       .reason = last };

	snprintf(last, sizeof(last), "%s", task->last);
	free(task);
	edge_post(&runner->options.edge, &event);
}

void script_perform(struct script_runner *runner, const struct action *action)
{
	struct script_task *task = calloc(1, sizeof(*task) + action->body_size + 1);
	struct event event = { .type = EVENT_SCRIPT_DONE,
			       .cookie = action->cookie,
			       .reason = "no memory is left" };

	if (!task) {
		edge_post(&runner->options.edge, &event);
		return;
	}
	task->runner = runner;
	task->cookie = action->cookie;
	task->limit_ms = action->attempt * 1000;
	snprintf(task->name, sizeof(task->name), "%s", action->text);
	memcpy(task->environment, action->body, action->body_size);
	task->task = (struct worker_task){ .work = task_work, .done = task_done, .owner = task };
	worker_submit(runner->worker, &task->task);
}

int script_open(struct script_runner **out, const struct script_options *options)
{
	struct script_runner *runner = calloc(1, sizeof(*runner));
	int error;

	*out = NULL;
	if (!runner)
		return -ENOMEM;
	runner->options = *options;
	error = worker_open(&runner->worker, options->edge.loop, SCRIPTS_AT_ONCE, "script");
	if (error) {
		free(runner);
		return error;
	}
	*out = runner;
	return 0;
}

// A script that still runs keeps its thread; its end is heard by nobody, and its limit stands.
void script_close(struct script_runner *runner)
{
	if (!runner)
		return;
	worker_close(runner->worker);
	free(runner);
}
