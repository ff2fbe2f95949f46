// SPDX-License-Identifier: Apache-2.0
#include "resources/qmp_io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>

#include "resources/whole_io.h"

enum {
	CONNECT_AGAIN_MS = 4,		// QEMU's start is part of every failover
	CONNECT_SLOWLY_MS = 250,	// and after two seconds of that
	CONNECT_FAST_TRIES = 500,
	ASK_MS = 5000,
	PATIENCE_ROUNDS = 3,
	LINE_MAX_SIZE = 4 * 1024 * 1024,	// query-qmp-schema is 200 KiB
	OUT_MAX_SIZE = 256 * 1024,
	PENDING_MAX = 64,
};

struct qmp_pending {
	uint32_t id;		// 0: free
	qmp_reply_fn fn;
	void *owner;
};

struct qmp {
	struct loop *loop;
	struct sockaddr_un address;
	qmp_notice_fn fn;
	void *owner;
	int fd;			// -1: not connected
	bool greeted, ready, writing, deaf, status_known;
	bool urgent;			// it takes commands out of turn
	bool in_callback, closed;	// closed inside one: freed at its end
	bool io_error;		// since the last RESUME
	char io_error_text[160];
	uint32_t tries, next_id;
	/*
	 * Rounds of ASK_MS in a row without a word. Counted, not read from the clock: after a stall
	 * of this daemon (a busy machine, a host that was suspended) the clock would say that QEMU
	 * was silent while it was we who did not listen. Between two rounds the loop did.
	 */
	uint32_t silent;
	struct loop_timer connect_timer, round_timer;
	char *in, *out;
	size_t in_used, in_size, out_used;
	int pass_fd; // goes with the byte at pass_at; -1: none
	size_t pass_at;
	struct qmp_pending pending[PENDING_MAX];
};

static void qmp_connect(void *owner);
static void qmp_asked_status(void *owner, bool ok, const char *text);

// The owner may close us inside any notice: nothing of *qmp is touched after qmp_leave() said so.
static void qmp_notify(struct qmp *qmp, enum qmp_notice notice, const char *text)
{
	if (!qmp->closed)
		qmp->fn(qmp->owner, notice, text);
}

static void qmp_free(struct qmp *qmp)
{
	free(qmp->in);
	free(qmp->out);
	free(qmp);
}

static bool qmp_leave(struct qmp *qmp)
{
	qmp->in_callback = false;
	if (!qmp->closed)
		return false;
	qmp_free(qmp);
	return true;
}

static void qmp_hang_up(struct qmp *qmp)
{
	uint32_t i;

	if (qmp->fd >= 0) {
		loop_del_fd(qmp->loop, qmp->fd);
		close(qmp->fd);
	}
	if (qmp->pass_fd >= 0)
		close(qmp->pass_fd);
	qmp->fd = qmp->pass_fd = -1;
	qmp->greeted = qmp->ready = qmp->writing = qmp->urgent = false;
	qmp->in_used = qmp->out_used = 0;
	for (i = 0; i < PENDING_MAX; i++) {
		struct qmp_pending pending = qmp->pending[i];

		qmp->pending[i].id = 0;
		if (pending.id && pending.fn && !qmp->closed)
			pending.fn(pending.owner, false,
				   "the connection to QEMU's monitor is gone");
	}
}

static void qmp_lost(struct qmp *qmp)
{
	qmp_hang_up(qmp);
	if (qmp->closed)
		return;
	loop_timer_ms(qmp->loop, &qmp->connect_timer, CONNECT_SLOWLY_MS, qmp_connect, qmp);
	qmp_notify(qmp, QMP_CLOSED, NULL);
}

static void qmp_turn_deaf(struct qmp *qmp, const char *text)
{
	if (qmp->deaf)
		return;
	qmp->deaf = true;
	qmp_notify(qmp, QMP_DEAF, text);
}

// A descriptor goes with the first byte of its command, so that QEMU has it when it reads that.
static ssize_t qmp_write_some(struct qmp *qmp)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = { { 0 } };
	struct iovec data = { qmp->out, qmp->out_used };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	ssize_t sent;

	if (qmp->pass_fd >= 0 && qmp->pass_at > 0) {
		data.iov_len = qmp->pass_at;
	} else if (qmp->pass_fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &qmp->pass_fd, sizeof(int));
	}
	sent = sendmsg(qmp->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent <= 0)
		return sent;
	if (message.msg_control) {
		close(qmp->pass_fd);
		qmp->pass_fd = -1;
	} else if (qmp->pass_fd >= 0) {
		qmp->pass_at -= (size_t)sent;
	}
	return sent;
}

static void qmp_write(struct qmp *qmp)
{
	bool writing;

	while (qmp->out_used) {
		ssize_t sent = qmp_write_some(qmp);

		if (sent <= 0)
			break;
		qmp->out_used -= (size_t)sent;
		memmove(qmp->out, qmp->out + sent, qmp->out_used);
	}
	// An error shows itself again on reading.
	writing = qmp->out_used > 0;
	if (writing != qmp->writing)
		loop_mod_fd(qmp->loop, qmp->fd, POLLIN | (writing ? POLLOUT : 0));
	qmp->writing = writing;
}

static struct qmp_pending *qmp_pending_free(struct qmp *qmp)
{
	uint32_t i;

	for (i = 0; i < PENDING_MAX; i++)
		if (!qmp->pending[i].id)
			return &qmp->pending[i];
	return NULL;
}

static int qmp_send_as(struct qmp *qmp, const char *how, const char *name, const char *arguments,
		       int fd, qmp_reply_fn fn, void *owner)
{
	struct qmp_pending *pending = qmp_pending_free(qmp);
	size_t room = OUT_MAX_SIZE - qmp->out_used;
	int size;

	if (!pending)
		return -ENOBUFS;
	if (fd >= 0 && qmp->pass_fd >= 0)
		return -EBUSY;
	if (++qmp->next_id == 0)
		qmp->next_id = 1;
	size = snprintf(qmp->out + qmp->out_used, room, "{\"%s\":\"%s\",\"id\":%u%s%s}\n", how,
			name, qmp->next_id, arguments ? ",\"arguments\":" : "",
			arguments ? arguments : "");
	if (size < 0 || (size_t)size >= room)
		return -ENOBUFS;
	if (fd >= 0) {
		qmp->pass_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		qmp->pass_at = qmp->out_used;
		if (qmp->pass_fd < 0)
			return -errno;
	}
	qmp->out_used += (size_t)size;
	*pending = (struct qmp_pending){ qmp->next_id, fn, owner };
	qmp_write(qmp);
	return 0;
}

static int qmp_send(struct qmp *qmp, const char *name, const char *arguments, qmp_reply_fn fn,
		    void *owner)
{
	return qmp_send_as(qmp, "execute", name, arguments, -1, fn, owner);
}

int qmp_command_fd(struct qmp *qmp, const char *name, const char *arguments, int fd,
		   qmp_reply_fn fn, void *owner)
{
	if (!qmp->ready)
		return -ENOTCONN;
	return qmp_send_as(qmp, "execute", name, arguments, fd, fn, owner);
}

int qmp_urgent(struct qmp *qmp, const char *name, const char *arguments)
{
	if (!qmp->ready)
		return -ENOTCONN;
	return qmp_send_as(qmp, qmp->urgent ? "exec-oob" : "execute", name, arguments, -1, NULL,
			   NULL);
}

int qmp_command(struct qmp *qmp, const char *name, const char *arguments, qmp_reply_fn fn,
		void *owner)
{
	return qmp_command_fd(qmp, name, arguments, -1, fn, owner);
}

// To be connected, or greeted, is not yet to be heard: who only ever accepts and hangs up is deaf
// too.
static void qmp_round(void *owner)
{
	struct qmp *qmp = owner;

	if (++qmp->silent > PATIENCE_ROUNDS) {
		qmp->in_callback = true;
		qmp_turn_deaf(qmp, qmp->fd < 0 ? "QEMU's monitor cannot be reached" :
						 "QEMU's monitor has not answered for 15 s");
		if (qmp_leave(qmp))
			return;
	}
	if (qmp->ready)
		qmp_send(qmp, "query-status", NULL, qmp_asked_status, qmp);
	loop_timer_ms(qmp->loop, &qmp->round_timer, ASK_MS, qmp_round, qmp);
}

static void qmp_asked_status(void *owner, bool ok, const char *text)
{
	struct qmp *qmp = owner;
	json_t *status = ok ? json_loads(text, 0, NULL) : NULL;
	const char *word = json_string_value(json_object_get(status, "status"));

	if (ok && !word)
		qmp_turn_deaf(qmp, "QEMU's monitor answers in words that are not understood");
	if (word) {
		bool tell = !qmp->status_known || qmp->deaf;

		qmp->status_known = true;
		qmp->deaf = false;
		if (tell)
			qmp_notify(qmp, QMP_STATUS, word);
	}
	json_decref(status);
}

static void qmp_capable(void *owner, bool ok, const char *text)
{
	struct qmp *qmp = owner;

	// Hung up before the answer, mostly because QEMU ended: its last words are the reason then.
	if (qmp->fd < 0)
		return;
	if (!ok) {
		qmp_turn_deaf(qmp, text);
		return;
	}
	qmp->ready = true;
	qmp->silent = 0;
	qmp->status_known = false;
	qmp_notify(qmp, QMP_READY, NULL);
	if (!qmp->closed)
		qmp_send(qmp, "query-status", NULL, qmp_asked_status, qmp);
}

static void qmp_heard_io_error(struct qmp *qmp, json_t *data)
{
	const char *device = json_string_value(json_object_get(data, "device"));
	const char *action = json_string_value(json_object_get(data, "action"));
	const char *operation = json_string_value(json_object_get(data, "operation"));
	const char *why = json_string_value(json_object_get(data, "reason"));

	if (!action || strcmp(action, "stop"))
		return;
	qmp->io_error = true;
	snprintf(qmp->io_error_text, sizeof(qmp->io_error_text), "I/O error on disk %s (%s): %s",
		 device && *device ? device : "?", operation ? operation : "?", why ? why : "?");
}

static void qmp_heard_event(struct qmp *qmp, const char *event, json_t *data)
{
	if (strcmp(event, "RESUME") == 0) {
		qmp->io_error = false;
		qmp_notify(qmp, QMP_RESUMED, NULL);
	} else if (strcmp(event, "STOP") == 0) {
		qmp_notify(qmp, QMP_STOPPED, qmp->io_error ? qmp->io_error_text : NULL);
	} else if (strcmp(event, "MIGRATION") == 0) {
		const char *status = json_string_value(json_object_get(data, "status"));

		if (status)
			qmp_notify(qmp, QMP_MIGRATION, status);
	} else if (strcmp(event, "SHUTDOWN") == 0) {
		bool guest = json_is_true(json_object_get(data, "guest"));

		qmp_notify(qmp, guest ? QMP_GUEST_SHUTDOWN : QMP_SHUTDOWN, NULL);
	} else if (strcmp(event, "BLOCK_IO_ERROR") == 0) {
		qmp_heard_io_error(qmp, data);
	} else if (strcmp(event, "GUEST_PANICKED") == 0) {
		qmp->io_error = true;
		snprintf(qmp->io_error_text, sizeof(qmp->io_error_text),
			 "the guest's kernel panicked");
	}
}

/*
 * Only an error says that a command was refused, and only that may be told as one: whoever let a
 * guest continue takes a refusal as the proof that it never ran. An answer that cannot be
 * understood, or for which there is no memory, proves nothing, like a connection that ends: so it
 * is ended.
 */
static void qmp_heard_reply(struct qmp *qmp, json_t *message, json_int_t id)
{
	json_t *error = json_object_get(message, "error");
	json_t *result = json_object_get(message, "return");
	const char *description = json_string_value(json_object_get(error, "desc"));
	char *text = result ? json_dumps(result, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	struct qmp_pending pending = { 0 };
	uint32_t i;

	if (result ? !text : !json_is_object(error)) {
		qmp_lost(qmp);
		return;
	}

	for (i = 0; i < PENDING_MAX; i++)
		if (qmp->pending[i].id && qmp->pending[i].id == id) {
			pending = qmp->pending[i];
			qmp->pending[i].id = 0;
		}
	if (pending.fn && text)
		pending.fn(pending.owner, true, text);
	else if (pending.fn)
		pending.fn(pending.owner, false,
			   description ? description : "an error without words");
	free(text);
}

// Once a connection: two answers to the capabilities would be two beginnings.
static void qmp_greeted(struct qmp *qmp, json_t *greeting)
{
	json_t *can = json_object_get(greeting, "capabilities"), *word;
	size_t i;

	if (qmp->greeted)
		return;
	qmp->greeted = true;
	json_array_foreach(can, i, word) if (json_is_string(word) &&
					     strcmp(json_string_value(word), "oob") == 0)
		qmp->urgent = true;
	qmp_send(qmp, "qmp_capabilities", qmp->urgent ? "{\"enable\":[\"oob\"]}" : NULL,
		 qmp_capable, qmp);
}

// A CPU has members of 64 bits without a sign, which are beyond the reader's integers.
static json_t *qmp_load(const char *line, size_t size)
{
	json_error_t error;
	json_t *message = json_loadb(line, size, 0, &error);

	if (!message && json_error_code(&error) == json_error_numeric_overflow)
		message = json_loadb(line, size, JSON_DECODE_INT_AS_REAL, NULL);
	return message;
}

static void qmp_heard_line(struct qmp *qmp, const char *line, size_t size)
{
	json_t *message = qmp_load(line, size);
	json_t *id = json_object_get(message, "id");
	const char *event = json_string_value(json_object_get(message, "event"));

	if (!json_is_object(message))
		qmp_turn_deaf(qmp, "QEMU's monitor says what is not JSON");
	else if (json_object_get(message, "QMP"))
		qmp_greeted(qmp, json_object_get(message, "QMP"));
	else if (event)
		qmp_heard_event(qmp, event, json_object_get(message, "data"));
	else if (json_whole(id) >= 0)
		qmp_heard_reply(qmp, message, json_whole(id));
	json_decref(message);
}

// False: the connection is of no more use.
static bool qmp_read(struct qmp *qmp)
{
	ssize_t count;

	if (qmp->in_used == qmp->in_size) {
		size_t size = qmp->in_size ? qmp->in_size * 2 : 16384;
		char *in = size <= LINE_MAX_SIZE ? realloc(qmp->in, size) : NULL;

		if (!in) {
			qmp_turn_deaf(qmp, "QEMU's monitor does not come to the end of a line");
			return false;
		}
		qmp->in = in;
		qmp->in_size = size;
	}
	count = recv(qmp->fd, qmp->in + qmp->in_used, qmp->in_size - qmp->in_used, MSG_DONTWAIT);
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (count <= 0)
		return false;
	qmp->in_used += (size_t)count;
	if (qmp->ready)
		qmp->silent = 0;
	return true;
}

static void qmp_heard(void *owner, int fd, uint32_t events)
{
	struct qmp *qmp = owner;
	size_t from = 0;
	char *end;

	(void)fd;
	qmp->in_callback = true;
	if (events & POLLOUT)
		qmp_write(qmp);
	if (!qmp_read(qmp)) {
		qmp_lost(qmp);
		qmp_leave(qmp);
		return;
	}
	while (!qmp->closed && qmp->fd >= 0 && from < qmp->in_used &&
	       (end = memchr(qmp->in + from, '\n', qmp->in_used - from))) {
		char *line = qmp->in + from;

		from = (size_t)(end - qmp->in) + 1;
		qmp_heard_line(qmp, line, (size_t)(end - line));
	}
	if (qmp_leave(qmp))
		return;
	if (from && from <= qmp->in_used) {
		qmp->in_used -= from;
		memmove(qmp->in, qmp->in + from, qmp->in_used);
	}
	// One answer's worth is kept between answers.
	if (qmp->in_used == 0 && qmp->in_size > 16384) {
		free(qmp->in);
		qmp->in = NULL;
		qmp->in_size = 0;
	}
}

static void qmp_connect(void *owner)
{
	struct qmp *qmp = owner;
	uint64_t again_ms =
		qmp->tries++ < CONNECT_FAST_TRIES ? CONNECT_AGAIN_MS : CONNECT_SLOWLY_MS;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&qmp->address, sizeof(qmp->address)) == 0 &&
	    loop_add_fd(qmp->loop, fd, POLLIN, qmp_heard, qmp) == 0) {
		qmp->fd = fd;
		return;
	}
	if (fd >= 0)
		close(fd);
	loop_timer_ms(qmp->loop, &qmp->connect_timer, again_ms, qmp_connect, qmp);
}

int qmp_open(struct qmp **result, struct loop *loop, const char *path, qmp_notice_fn fn,
	     void *owner)
{
	struct qmp *qmp;

	if (strlen(path) >= sizeof(qmp->address.sun_path))
		return -ENAMETOOLONG;
	qmp = calloc(1, sizeof(*qmp));
	if (!qmp)
		return -ENOMEM;
	qmp->out = malloc(OUT_MAX_SIZE);
	if (!qmp->out) {
		free(qmp);
		return -ENOMEM;
	}
	qmp->loop = loop;
	qmp->address.sun_family = AF_UNIX;
	snprintf(qmp->address.sun_path, sizeof(qmp->address.sun_path), "%s", path);
	qmp->fn = fn;
	qmp->owner = owner;
	qmp->fd = qmp->pass_fd = -1;
	*result = qmp;
	loop_timer_ms(qmp->loop, &qmp->round_timer, ASK_MS, qmp_round, qmp);
	qmp_connect(qmp);
	return 0;
}

void qmp_close(struct qmp *qmp)
{
	if (!qmp)
		return;
	qmp->closed = true;
	loop_timer_cancel(&qmp->connect_timer);
	loop_timer_cancel(&qmp->round_timer);
	qmp_hang_up(qmp);
	if (!qmp->in_callback)
		qmp_free(qmp);
}
