// SPDX-License-Identifier: Apache-2.0
#include "tests/edge/fake_move_qemu.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clusterd/exec_io.h"
#include "resources/launch.h"

enum {
	LOOKS = 4,	    // until a guest that comes is all there
	CONT_TAKES_MS = 30, // in which nobody may tell it again
};

// In the VM's UUID: what is played, and at which command what goes wrong.
struct qemu {
	int fd;
	const char *status, *migration;
	bool incoming, pauses, failed, listens, refused;
	enum fake_move_fault fault;
	uint32_t commands, fail_at, looks;
	int passed;    // by getfd; -1: none
	char log[256]; // what must not happen
};

static void qemu_event(struct qemu *q, const char *name, const char *status)
{
	if (status)
		dprintf(q->fd, "{\"event\":\"%s\",\"data\":{\"status\":\"%s\"}}\n", name, status);
	else
		dprintf(q->fd, "{\"event\":\"%s\"}\n", name);
}

static void qemu_migration(struct qemu *q, const char *status)
{
	q->migration = status;
	qemu_event(q, "MIGRATION", status);
}

static void qemu_log(const struct qemu *q, const char *what)
{
	int fd = open(q->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

	dprintf(fd, "%s\n", what);
	close(fd);
}

static void qemu_complete(struct qemu *q)
{
	static char state[FAKE_MOVE_STATE];
	bool whole = q->passed < 0 || write(q->passed, state, sizeof(state)) == sizeof(state);

	if (q->passed >= 0)
		close(q->passed);
	q->passed = -1;
	if (!whole || (q->failed && q->fault == FAKE_MOVE_FAILS)) {
		qemu_migration(q, "failed");
		q->status = "running";
		qemu_event(q, "RESUME", NULL);
		return;
	}
	q->status = "postmigrate";
	qemu_migration(q, "completed");
}

// The guest is stopped for the rest of it.
static void qemu_switch_over(struct qemu *q)
{
	q->status = "finish-migrate";
	qemu_event(q, "STOP", NULL);
	if (q->pauses)
		qemu_migration(q, "pre-switchover");
	else
		qemu_complete(q);
}

static void qemu_reply(struct qemu *q, int id, const char *json)
{
	dprintf(q->fd, "{\"return\":%s,\"id\":%d}\n", json, id);
}

static void qemu_tell_migration(struct qemu *q, int id)
{
	char json[512];
	bool active = strcmp(q->migration, "active") == 0;

	snprintf(json, sizeof(json),
		 "{\"status\":\"%s\",\"socket-address\":[{\"port\":\"%d\"}],"
		 "\"total-time\":5,\"ram\":{\"total\":1000,\"transferred\":%u,\"remaining\":10,"
		 "\"mbps\":8,\"dirty-pages-rate\":2,\"page-size\":4096,\"dirty-sync-count\":2}}",
		 q->migration, FAKE_MOVE_PORT, 100 + q->looks);
	qemu_reply(q, id, q->migration[0] ? json : "{}");
	if (active && ++q->looks == 2)
		qemu_switch_over(q);
}

static void qemu_migrate(struct qemu *q, int id, const char *line)
{
	if (strstr(line, "\"fd:") && q->passed < 0) {
		dprintf(q->fd, "{\"error\":{\"desc\":\"no such descriptor\"},\"id\":%d}\n", id);
		return;
	}
	qemu_migration(q, "setup");
	qemu_reply(q, id, "{}");
	q->looks = 0;
	qemu_migration(q, "active");
}

static void qemu_receive(struct qemu *q, int id, const char *line)
{
	char state[64];
	ssize_t size = q->passed < 0 ? 0 : read(q->passed, state, sizeof(state));

	qemu_migration(q, "setup");
	qemu_reply(q, id, "{}");
	q->listens = !strstr(line, "\"fd:");
	q->looks = 0;
	if (q->listens)
		return;
	if (size <= 0)
		_exit(1);
	q->status = "paused";
	qemu_migration(q, "completed");
}

// Asked for the state often enough, it has all of its guest, or dies because that does not fit.
static void qemu_loads(struct qemu *q)
{
	if (!q->listens || ++q->looks < LOOKS)
		return;
	q->listens = false;
	if (q->failed && q->fault == FAKE_MOVE_FAILS)
		_exit(1);
	q->status = "paused";
	if (q->fail_at % 2 == 0)
		qemu_migration(q, "completed");
}

// The first `cont` takes its time, as it does where disks are slow. Until it is answered, and ever
// after it was refused, no other one may come: of one that refused it is said that it never ran.
static void qemu_told_first(struct qemu *q)
{
	char text[4096];
	ssize_t size;

	if (q->refused)
		qemu_log(q, "cont after it was refused");
	if (!q->incoming || strcmp(q->status, "paused") != 0)
		return;
	usleep(CONT_TAKES_MS * 1000);
	size = recv(q->fd, text, sizeof(text), MSG_PEEK | MSG_DONTWAIT);
	if (size > 0 && memmem(text, (size_t)size, "\"cont\"", 6))
		qemu_log(q, "cont before the first one is answered");
}

static void qemu_cont(struct qemu *q, int id)
{
	if (strcmp(q->status, "postmigrate") == 0)
		qemu_log(q, "cont after its memory was sent");
	if (strcmp(q->status, "inmigrate") == 0)
		qemu_log(q, "cont before there is memory");
	q->status = "running";
	qemu_reply(q, id, "{}");
	qemu_event(q, "RESUME", NULL);
}

static void qemu_answer(struct qemu *q, int id, const char *line)
{
	char json[128];

	if (strstr(line, "\"query-status\"")) {
		snprintf(json, sizeof(json), "{\"status\":\"%s\"}", q->status);
		qemu_reply(q, id, json);
		qemu_loads(q);
	} else if (strstr(line, "\"query-migrate-capabilities\"")) {
		qemu_reply(q, id,
			   "[{\"capability\":\"events\"},{\"capability\":\"multifd\"},"
			   "{\"capability\":\"pause-before-switchover\"}]");
	} else if (strstr(line, "\"query-migrate\"")) {
		qemu_tell_migration(q, id);
	} else if (strstr(line, "\"migrate-set-capabilities\"")) {
		q->pauses = strstr(line, "\"pause-before-switchover\",\"state\":true") != NULL;
		qemu_reply(q, id, "{}");
	} else if (strstr(line, "\"migrate-incoming\"")) {
		qemu_receive(q, id, line);
	} else if (strstr(line, "\"migrate-continue\"")) {
		qemu_reply(q, id, "{}");
		qemu_complete(q);
	} else if (strstr(line, "\"migrate_cancel\"")) {
		qemu_reply(q, id, "{}");
		q->status = "running";
		qemu_migration(q, "cancelled");
		qemu_event(q, "RESUME", NULL);
	} else if (strstr(line, "\"migrate\"")) {
		qemu_migrate(q, id, line);
	} else if (strstr(line, "\"cont\"")) {
		qemu_cont(q, id);
	} else {
		qemu_reply(q, id, "{}");
	}
}

// One byte at a time, with the descriptor that may come along. False: the end.
static bool qemu_byte(struct qemu *q, char *byte)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec data = { byte, 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header;

	if (recvmsg(q->fd, &message, MSG_CMSG_CLOEXEC) != 1)
		return false;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_type == SCM_RIGHTS) {
		if (q->passed >= 0)
			close(q->passed);
		memcpy(&q->passed, CMSG_DATA(header), sizeof(int));
	}
	return true;
}

// The command that fails is counted among those that a move is made of.
static bool qemu_counts(const char *line)
{
	return !strstr(line, "qmp_capabilities") && !strstr(line, "query-status");
}

static void qemu_talk(struct qemu *q)
{
	char line[4096];
	size_t used = 0;

	dprintf(q->fd, "{\"QMP\":{}}\n");
	while (used < sizeof(line) - 1 && qemu_byte(q, line + used)) {
		const char *id;

		if (line[used++] != '\n')
			continue;
		line[used] = 0;
		used = 0;
		id = strstr(line, "\"id\":");
		if (!id)
			return;
		if (strstr(line, "\"cont\""))
			qemu_told_first(q);
		if (!qemu_counts(line) || ++q->commands != q->fail_at) {
			qemu_answer(q, atoi(id + 5), line);
			continue;
		}
		q->failed = true;
		qemu_log(q, "+");
		if (q->fault == FAKE_MOVE_HANGS_UP)
			return;
		if (q->fault == FAKE_MOVE_DIES)
			_exit(7);
		q->refused |= q->fault == FAKE_MOVE_ERROR && strstr(line, "\"cont\"");
		if (q->fault == FAKE_MOVE_ERROR)
			dprintf(q->fd, "{\"error\":{\"desc\":\"no\"},\"id\":%d}\n", atoi(id + 5));
		else
			qemu_answer(q, atoi(id + 5), line);
	}
}

static void qemu(const char *arguments, size_t size, struct qemu *q)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *from = memmem(arguments, size, "path=", 5), *end = strchr(from, ',');
	int listen_fd = socket(AF_UNIX, SOCK_STREAM, 0);

	q->incoming = memmem(arguments, size, "-incoming", 9) != NULL;
	q->status = q->incoming ? "inmigrate" : "prelaunch";
	q->migration = "";
	q->passed = -1;
	memcpy(address.sun_path, from + 5, (size_t)(end - from - 5));
	if (bind(listen_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listen_fd, 4) < 0)
		_exit(8);
	while ((q->fd = accept(listen_fd, NULL, NULL)) >= 0) {
		qemu_talk(q);
		close(q->fd);
	}
}

int fake_move_qemu(const char *name, unsigned int limit_s)
{
	static char packet[LAUNCH_PACKET_MAX];
	struct qemu q = { 0 };
	unsigned int play, fault, fail_at;
	char ready[64], *at;
	ssize_t size;

	alarm(limit_s);
	signal(SIGPIPE, SIG_IGN);
	sscanf(name, "%2x%2x%2x", &play, &fault, &fail_at);
	q.fault = (enum fake_move_fault)fault;
	q.fail_at = fail_at;
	snprintf(ready, sizeof(ready), "R%d %llu", (int)getppid(),
		 (unsigned long long)exec_start_time(getppid(), NULL));
	if (send(LAUNCH_FD, ready, strlen(ready), MSG_NOSIGNAL) < 0)
		_exit(1);
	size = recv(LAUNCH_FD, packet, sizeof(packet), 0);
	if (size <= 0)
		_exit(0);
	at = memmem(packet, (size_t)size, "path=", 5); // of its sockets
	snprintf(q.log, sizeof(q.log), "%.*s", (int)(strstr(at, "/run/") - at - 5), at + 5);
	strcat(q.log, "/told");
	close(LAUNCH_FD);
	qemu(packet, (size_t)size, &q);
	return 0;
}
