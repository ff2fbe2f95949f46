// SPDX-License-Identifier: Apache-2.0
#include "csv/guard_io.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clusterd/exec_io.h"
#include "clusterd/loop_io.h"
#include "clusterd/worker_io.h"
#include "csv/sanlock_io.h"

struct lock_guard {
	struct edge edge;
	char program[LOCK_PATH_SIZE];
	lock_guard_fn changed;
	void *owner;
	int fd;			// registered connection; -1: no daemon
	bool up, watchdog;
	bool busy;		// the thread is looking; what follows is its own until it is done
	int asked_fd, found_fd;
	bool found_watchdog;
	struct worker *worker;
	struct worker_task task;
	struct loop_timer timer;
};

enum { GUARD_RETRY_MS = 200, GUARD_CHECK_MS = 10000 };

static void lock_guard_look(void *owner);

/*
 * A watchdog guards the leases when the daemon was started with one (its status says
 * use_watchdog=1) and wdmd, which feeds the device, answers. A lockspace joined with use_watchdog=1
 * is connected to wdmd; wdmd's own death leaves the device unfed, which resets the host, so the
 * guard holds then too.
 */
static bool lock_watchdog(const char *program)
{
	const char *const argv[] = { program, "client", "status", "-D", NULL };
	const char *const paths[] = { "/run/wdmd/wdmd.sock", "/var/run/wdmd/wdmd.sock" };
	char *status = malloc(65536);
	bool watchdog = false;
	size_t i;

	if (status && exec_run(argv, status, 65536, 5000) == 0)
		watchdog = strstr(status, "use_watchdog=1") != NULL;
	free(status);
	for (i = 0; watchdog && i < 2; i++) {
		struct sockaddr_un address = { .sun_family = AF_UNIX };
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		int error;

		snprintf(address.sun_path, sizeof(address.sun_path), "%s", paths[i]);
		error = connect(fd, (struct sockaddr *)&address, sizeof(address));
		close(fd);
		if (error == 0)
			return true;
	}
	return false;
}

static void lock_guard_work(void *owner)
{
	struct lock_guard *guard = owner;

	guard->found_fd = guard->asked_fd;
	if (guard->found_fd < 0) {
		guard->found_fd = lock_register();
		if (guard->found_fd < 0)
			return;
	}
	guard->found_watchdog = lock_watchdog(guard->program);
}

static void lock_guard_tell(struct lock_guard *guard)
{
	struct event event = { .type = guard->up ? EVENT_SANLOCK_UP : EVENT_SANLOCK_GONE };

	event.flag = guard->up && guard->watchdog;
	guard->changed(guard->owner, guard->up, guard->watchdog);
	edge_post(&guard->edge, &event);
}

static void lock_guard_drop(struct lock_guard *guard)
{
	loop_del_fd(guard->edge.loop, guard->fd);
	close(guard->fd);
	guard->fd = -1;
	guard->up = guard->watchdog = false;
	lock_guard_tell(guard);
}

// The daemon never speaks unasked on this connection: whatever comes is its end.
static void lock_guard_hangup(void *owner, int fd, uint32_t events)
{
	struct lock_guard *guard = owner;
	char byte;
	ssize_t size = recv(fd, &byte, 1, MSG_DONTWAIT);

	if (size > 0 || (size < 0 && errno == EAGAIN && !(events & (POLLHUP | POLLERR))))
		return;
	lock_guard_drop(guard);
	if (!guard->busy)
		loop_timer_ms(guard->edge.loop, &guard->timer, GUARD_RETRY_MS, lock_guard_look,
			      guard);
}

static void lock_guard_done(void *owner)
{
	struct lock_guard *guard = owner;
	bool fresh = guard->asked_fd < 0 && guard->found_fd >= 0;

	guard->busy = false;
	if (fresh) {
		guard->fd = guard->found_fd;
		if (loop_add_fd(guard->edge.loop, guard->fd, POLLIN, lock_guard_hangup, guard)) {
			close(guard->fd);
			guard->fd = -1;
			fresh = false;
		}
	}
	// Hung up while its daemon was asked: guard->fd is -1, and nothing that was found is true
	// any more.
	if (guard->fd >= 0 && (fresh || guard->watchdog != guard->found_watchdog)) {
		guard->up = true;
		guard->watchdog = guard->found_watchdog;
		lock_guard_tell(guard);
	}
	loop_timer_ms(guard->edge.loop, &guard->timer,
		      guard->fd >= 0 ? GUARD_CHECK_MS : GUARD_RETRY_MS, lock_guard_look, guard);
}

static void lock_guard_look(void *owner)
{
	struct lock_guard *guard = owner;

	guard->busy = true;
	guard->asked_fd = guard->fd;
	worker_submit(guard->worker, &guard->task);
}

int lock_guard_open(struct lock_guard **result, const struct edge *edge, const char *program,
		    lock_guard_fn changed, void *owner)
{
	struct lock_guard *guard = calloc(1, sizeof(*guard));
	int error;

	if (!guard)
		return -ENOMEM;
	guard->edge = *edge;
	snprintf(guard->program, sizeof(guard->program), "%s", program);
	guard->changed = changed;
	guard->owner = owner;
	guard->fd = -1;
	guard->task = (struct worker_task){
		.work = lock_guard_work, .done = lock_guard_done, .owner = guard,
	};
	error = worker_open(&guard->worker, edge->loop, 1, "sanlock-guard");
	if (error) {
		free(guard);
		return error;
	}
	*result = guard;
	lock_guard_look(guard);
	return 0;
}

// The guard's memory stays when its thread is still looking: it is the process's end.
void lock_guard_close(struct lock_guard *guard)
{
	bool busy;

	if (!guard)
		return;
	busy = guard->busy;
	loop_timer_cancel(&guard->timer);
	if (guard->fd >= 0) {
		loop_del_fd(guard->edge.loop, guard->fd);
		close(guard->fd);
	}
	worker_close(guard->worker);
	if (!busy)
		free(guard);
}
