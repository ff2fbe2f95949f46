// SPDX-License-Identifier: Apache-2.0
#include "resources/ask_io.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	LIMIT_MS = 3000,
	HEARD_MAX = 4096, // a guest that only talks does not answer
};

void ask_end(struct ask *ask)
{
	loop_timer_cancel(&ask->timer);
	if (!ask->watching)
		return;
	loop_del_fd(ask->loop, ask->fd);
	close(ask->fd);
	ask->watching = false;
}

static void ask_over(struct ask *ask, const char *failed)
{
	ask_end(ask);
	ask->fn(ask->owner, !failed, failed ? failed : "");
}

static void ask_timed_out(void *owner)
{
	struct ask *ask = owner;

	ask_over(ask, ask->failed ? ask->failed : "no answer within 3 s");
}

static bool ask_send(const struct ask *ask)
{
	static const char question[] = "{\"execute\":\"guest-ping\"}\n";

	return send(ask->fd, question, sizeof(question) - 1, MSG_NOSIGNAL) ==
	       (ssize_t)sizeof(question) - 1;
}

// Any line of its own is an answer: an agent that may not be pinged says that it may not.
static void ask_read(struct ask *ask)
{
	char text[512];
	ssize_t got = recv(ask->fd, text, sizeof(text), 0);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		ask_over(ask, "its guest agent's channel was closed");
		return;
	}
	ask->heard += (uint32_t)got;
	if (memchr(text, '{', (size_t)got))
		ask_over(ask, NULL);
	else if (ask->heard > HEARD_MAX)
		ask_over(ask, "what it says is no answer of a guest agent");
}

static void ask_ready(void *owner, int fd, uint32_t events)
{
	struct ask *ask = owner;
	int error = 0;
	socklen_t size = sizeof(error);

	(void)events;
	if (ask->agent) {
		ask_read(ask);
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error)
		ask_over(ask, error == ECONNREFUSED ? "connection refused" : "cannot be reached");
	else
		ask_over(ask, NULL);
}

// A failure that is there at once is told by the timer too: nothing is called from inside.
static void ask_begin(struct ask *ask, struct loop *loop, ask_fn fn, void *owner)
{
	ask_end(ask);
	ask->loop = loop;
	ask->fn = fn;
	ask->owner = owner;
	ask->failed = NULL;
	ask->heard = 0;
	ask->fd = -1;
}

static void ask_wait(struct ask *ask, uint32_t events, const char *failed)
{
	if (!failed && loop_add_fd(ask->loop, ask->fd, events, ask_ready, ask) == 0) {
		ask->watching = true;
	} else {
		ask->failed = failed ? failed : "there is no memory";
		if (ask->fd >= 0)
			close(ask->fd);
	}
	loop_timer_ms(ask->loop, &ask->timer, ask->failed ? 1 : LIMIT_MS, ask_timed_out, ask);
}

void ask_agent(struct ask *ask, struct loop *loop, const char *path, ask_fn fn, void *owner)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *failed = NULL;

	ask_begin(ask, loop, fn, owner);
	ask->agent = true;
	ask->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ask->fd < 0 || snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >=
				   (int)sizeof(address.sun_path))
		failed = "its socket cannot be named";
	else if (connect(ask->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		failed = "QEMU does not listen for it";
	else if (!ask_send(ask))
		failed = "its guest agent's channel was closed";
	ask_wait(ask, POLLIN, failed);
}

void ask_port(struct ask *ask, struct loop *loop, const char *address, uint16_t port, ask_fn fn,
	      void *owner)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	bool six = strchr(address, ':') != NULL;
	const struct sockaddr *target = six ? (void *)&in6 : (void *)&in;
	socklen_t size = six ? sizeof(in6) : sizeof(in);
	const char *failed = NULL;

	ask_begin(ask, loop, fn, owner);
	ask->agent = false;
	ask->fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ask->fd < 0 || inet_pton(six ? AF_INET6 : AF_INET, address,
				     six ? (void *)&in6.sin6_addr : (void *)&in.sin_addr) != 1)
		failed = "its address is none";
	else if (connect(ask->fd, target, size) < 0 && errno != EINPROGRESS)
		failed = errno == ECONNREFUSED ? "connection refused" : "cannot be reached";
	ask_wait(ask, POLLOUT, failed);
}
