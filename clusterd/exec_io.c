// SPDX-License-Identifier: Apache-2.0
#include "clusterd/exec_io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { REAP_TRIES = 200 };	// 2 s

static uint64_t exec_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int exec_spawn(const char *const *argv, const char *input, int output_fd, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int error;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output_fd, 1);
	posix_spawn_file_actions_adddup2(&actions, output_fd, 2);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	error = posix_spawnp(pid, argv[0], &actions, &attr, (char *const *)argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return -error;
}

// Reads to the end of its output, or to the deadline.
static int exec_read(int fd, char *output, size_t size, uint64_t deadline_ms)
{
	size_t used = 0;
	char drain[512];

	output[0] = 0;
	for (;;) {
		uint64_t now_ms = exec_now_ms();
		struct pollfd poll_fd = { fd, POLLIN, 0 };
		bool room = used + 1 < size;
		ssize_t count;

		if (now_ms >= deadline_ms)
			return -ETIMEDOUT;
		if (poll(&poll_fd, 1, (int)(deadline_ms - now_ms)) <= 0)
			continue;
		count = read(fd, room ? output + used : drain,
			     room ? size - used - 1 : sizeof(drain));
		if (count <= 0)
			return 0;
		if (room)
			used += (size_t)count;
		output[used] = 0;
	}
}

// To its end, or to the deadline: a program may close its output and go on.
static int exec_await(pid_t pid, uint64_t deadline_ms)
{
	struct pollfd poll_fd = { pidfd_open(pid, 0), POLLIN, 0 };
	uint64_t now_ms = exec_now_ms();
	int ready = poll_fd.fd < 0; // no descriptor is left: it is waited for by number

	while (ready <= 0 && now_ms < deadline_ms) {
		ready = poll(&poll_fd, 1, (int)(deadline_ms - now_ms));
		now_ms = exec_now_ms();
	}
	if (poll_fd.fd >= 0)
		close(poll_fd.fd);
	return ready > 0 ? 0 : -ETIMEDOUT;
}

// One that hangs in the kernel is left behind: it must not take its caller with it.
static void exec_reap(pid_t pid)
{
	const struct timespec pause = { 0, 10000000 };
	int tries;

	for (tries = 0; tries < REAP_TRIES && waitpid(pid, NULL, WNOHANG) == 0; tries++)
		nanosleep(&pause, NULL);
}

int exec_run(const char *const *argv, char *output, size_t size, uint32_t timeout_ms)
{
	return exec_run_input(argv, "/dev/null", output, size, timeout_ms);
}

int exec_run_input(const char *const *argv, const char *input, char *output, size_t size,
		   uint32_t timeout_ms)
{
	uint64_t deadline_ms = exec_now_ms() + timeout_ms;
	int pipes[2], status, error;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	error = exec_spawn(argv, input, pipes[1], &pid);
	close(pipes[1]);
	if (error) {
		close(pipes[0]);
		return error;
	}
	error = exec_read(pipes[0], output, size, deadline_ms);
	close(pipes[0]);
	if (!error)
		error = exec_await(pid, deadline_ms);
	if (error) {
		kill(pid, SIGKILL);
		exec_reap(pid);
		return error;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

uint64_t exec_start_time(pid_t pid, bool *ended)
{
	char path[64], stat[1024], *at;
	ssize_t count;
	int fd, field;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	count = read(fd, stat, sizeof(stat) - 1);
	close(fd);
	if (count <= 0)
		return 0;
	stat[count] = 0;
	// The name in field 2 may hold blanks and brackets: counted from its last bracket.
	at = strrchr(stat, ')');
	if (!at || at[1] != ' ')
		return 0;
	if (ended)
		*ended = at[2] == 'Z' || at[2] == 'X';
	for (field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}
