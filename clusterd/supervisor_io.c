// SPDX-License-Identifier: Apache-2.0
#include "clusterd/supervisor_io.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void supervisor_feed(void *owner)
{
	static const char alive[] = "WATCHDOG=1";
	struct supervisor *supervisor = owner;

	// A full socket is the supervisor's trouble, not a reason to wait.
	(void)!send(supervisor->fd, alive, sizeof(alive) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	loop_timer_ms(supervisor->loop, &supervisor->timer, supervisor->every_ms, supervisor_feed,
		      supervisor);
}

int supervisor_open(struct supervisor *supervisor, struct loop *loop)
{
	const char *path = getenv("NOTIFY_SOCKET"), *every = getenv("WATCHDOG_USEC");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t size;

	supervisor->fd = -1;
	supervisor->every_ms = every ? strtoull(every, NULL, 10) / 3000 : 0;
	if (!path || (path[0] != '/' && path[0] != '@') || supervisor->every_ms == 0 ||
	    strlen(path) >= sizeof(address.sun_path))
		return 0;
	memcpy(address.sun_path, path, strlen(path));
	if (path[0] == '@')
		address.sun_path[0] = '\0';	// the abstract name space
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	supervisor->loop = loop;
	supervisor->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (supervisor->fd < 0)
		return -errno;
	if (connect(supervisor->fd, (struct sockaddr *)&address, size) < 0) {
		int error = -errno;

		close(supervisor->fd);
		supervisor->fd = -1;
		return error;
	}
	supervisor_feed(supervisor);
	return 0;
}

void supervisor_close(struct supervisor *supervisor)
{
	loop_timer_cancel(&supervisor->timer);
	if (supervisor->fd > 0)
		close(supervisor->fd);
	supervisor->fd = -1;
}
