// SPDX-License-Identifier: Apache-2.0
#include "clusterd/ipc_io.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <qb/qbdefs.h>
#include <qb/qbipcs.h>
#include <qb/qbloop.h>

#include "clusterd/ipc_wire.h"
#include "clusterd/log_io.h"

enum {
	IPC_FDS_MAX = 2 * IPC_CLIENTS_MAX, // of libqb: listener, handshakes under way, connections
	IPC_GROUPS_MAX = 65536,		   // Linux: NGROUPS_MAX
	IPC_IDLE_MS = 10000,		   // a full house shows out who was silent for longer
};

enum client_phase { CLIENT_ASKING, CLIENT_WAITING, CLIENT_READING };

struct ipc_client {
	uint64_t id;
	enum client_phase phase;
	qb_ipcs_connection_t *connection;
	uint64_t seen_ms;
	bool doomed;
	char *text; // the request so far, then the answer
	size_t size, room, at;
};

// What libqb polls. Dispatched through ipc_dispatch(), which remembers whose turn it is.
struct ipc_fd {
	bool used;
	int fd;
	void *data;
	qb_ipcs_dispatch_fn_t dispatch;
};

struct ipc {
	qb_ipcs_service_t *service;
	qb_loop_t *loop;
	struct ipc_handlers handlers;
	char group[64];
	gid_t gid;
	bool gid_known;
	uint64_t next_id;
	int current_fd;
	struct ipc_client *clients[IPC_CLIENTS_MAX];
	struct ipc_fd fds[IPC_FDS_MAX];
};

// libqb's poll handlers are given no context of ours, so one service a process is all that can be.
static struct ipc *ipc_open_now;

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The caller's groups. */

/*
 * Who is at the other end is asked of its socket: the kernel keeps the groups that the process had
 * when it connected, so neither a later change nor a process id used again by another process can
 * be mistaken for it. libqb does not show the socket; it is the one whose handshake is being
 * dispatched, and its SO_PEERCRED must say what libqb says, or it is not believed. Without
 * SO_PEERGROUPS (before Linux 4.13) nobody gets in by a supplementary group that /etc/group does
 * not name.
 */
static bool socket_in_group(int fd, pid_t pid, uid_t uid, gid_t gid)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);
	gid_t *groups;
	bool found = false;

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) != 0 ||
	    cred.pid != pid || cred.uid != uid)
		return false;
	size = 0;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE ||
	    size > IPC_GROUPS_MAX * sizeof(*groups))
		return false;
	groups = malloc(size);
	if (groups && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0) {
		for (size_t i = 0; i < size / sizeof(*groups); i++)
			found |= groups[i] == gid;
	}
	free(groups);
	return found;
}

static bool file_find_group(const char *name, gid_t *gid)
{
	FILE *file = fopen("/etc/group", "re");
	const struct group *group;
	bool found = false;

	while (file && !found && (group = fgetgrent(file))) {
		found = strcmp(group->gr_name, name) == 0;
		if (found)
			*gid = group->gr_gid;
	}
	if (file)
		fclose(file);
	return found;
}

// A user who was put into the group and has not logged in again. Read from the files and not
// through NSS: a directory server that does not answer (it may be a VM of this cluster) must not
// stop the loop.
static bool files_in_group(uid_t uid, gid_t gid)
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *passwd;
	const struct group *group;
	char name[256] = "";
	bool found = false;

	while (file && !name[0] && (passwd = fgetpwent(file))) {
		if (passwd->pw_uid != uid)
			continue;
		snprintf(name, sizeof(name), "%s", passwd->pw_name);
		found = passwd->pw_gid == gid;
	}
	if (file)
		fclose(file);
	if (!name[0] || found)
		return found;
	file = fopen("/etc/group", "re");
	while (file && !found && (group = fgetgrent(file))) {
		for (char **member = group->gr_mem; group->gr_gid == gid && *member; member++)
			found |= strcmp(*member, name) == 0;
	}
	if (file)
		fclose(file);
	return found;
}

/* Clients. */

static void client_free(struct ipc *ipc, struct ipc_client *client)
{
	for (unsigned int i = 0; i < IPC_CLIENTS_MAX; i++) {
		if (ipc->clients[i] == client)
			ipc->clients[i] = NULL;
	}
	free(client->text);
	free(client);
}

static struct ipc_client *client_find(struct ipc *ipc, uint64_t id)
{
	for (unsigned int i = 0; i < IPC_CLIENTS_MAX; i++) {
		if (ipc->clients[i] && ipc->clients[i]->id == id)
			return ipc->clients[i];
	}
	return NULL;
}

static bool client_append(struct ipc_client *client, const char *text, size_t size)
{
	if (client->size + size > IPC_REQUEST_MAX)
		return false;
	if (client->size + size + 1 > client->room) {
		size_t room = (client->size + size) * 2 + 1;
		char *grown = realloc(client->text, room);

		if (!grown)
			return false;
		client->text = grown;
		client->room = room;
	}
	memcpy(client->text + client->size, text, size);
	client->size += size;
	client->text[client->size] = 0;
	return true;
}

static void client_clear(struct ipc_client *client)
{
	free(client->text);
	client->text = NULL;
	client->size = client->room = client->at = 0;
	client->phase = CLIENT_ASKING;
}

static void on_doom(void *data)
{
	qb_ipcs_connection_t *connection = data;

	if (ipc_open_now && qb_ipcs_context_get(connection))
		qb_ipcs_disconnect(connection);
	qb_ipcs_connection_unref(connection);
}

// Shows a client out, once the loop is back from what it does: libqb still uses a connection after
// the message that it handed over, so it may not be freed from within.
static void client_end(struct ipc *ipc, struct ipc_client *client)
{
	if (client->doomed)
		return;
	client->doomed = true;
	qb_ipcs_connection_ref(client->connection);
	if (qb_loop_job_add(ipc->loop, QB_LOOP_HIGH, client->connection, on_doom) != 0)
		qb_ipcs_connection_unref(client->connection);
}

// The next piece of the answer; an empty one for a piece of a request. A client that has not taken
// the last one broke the lockstep, and is shown out.
static void client_send(struct ipc *ipc, struct ipc_client *client, size_t size)
{
	struct ipc_reply_head head = {
		.id = IPC_NEXT,
		.size = (int32_t)(sizeof(head) + size),
		.version = IPC_VERSION,
		.total = client->phase == CLIENT_READING ? client->size : 0,
		.offset = client->at,
	};
	struct iovec iov[2] = {
		{ .iov_base = &head, .iov_len = sizeof(head) },
		{ .iov_base = client->text ? client->text + client->at : NULL, .iov_len = size },
	};
	ssize_t sent = qb_ipcs_response_sendv(client->connection, iov, size ? 2 : 1);

	if (sent < 0) {
		client_end(ipc, client);
		return;
	}
	if (client->phase != CLIENT_READING)
		return;
	client->at += size;
	if (client->at == client->size)
		client_clear(client);
}

static void client_send_next(struct ipc *ipc, struct ipc_client *client)
{
	size_t left = client->size - client->at;
	size_t most = IPC_CHUNK_SIZE - sizeof(struct ipc_reply_head);

	client_send(ipc, client, left < most ? left : most);
}

// The message lies in memory that the client can still change: what is looked at was copied before.
static bool client_take(struct ipc *ipc, struct ipc_client *client, const void *data, size_t size)
{
	struct ipc_request_head head;

	if (size < sizeof(head) || size > IPC_CHUNK_SIZE)
		return false;
	memcpy(&head, data, sizeof(head));
	if (head.version != IPC_VERSION)
		return false;
	client->seen_ms = clock_ms();
	if (head.id == IPC_NEXT && client->phase == CLIENT_READING) {
		client_send_next(ipc, client);
		return true;
	}
	if ((head.id != IPC_PART && head.id != IPC_LAST) || client->phase != CLIENT_ASKING ||
	    !client_append(client, (const char *)data + sizeof(head), size - sizeof(head)))
		return false;
	if (head.id == IPC_PART) {
		client_send(ipc, client, 0);
		return true;
	}
	char *text = client->text;
	size_t length = client->size;

	// The answer may come during the call, and takes the place of the request.
	client->text = NULL;
	client_clear(client);
	client->phase = CLIENT_WAITING;
	ipc->handlers.request(ipc->handlers.context, client->id, text, length);
	free(text);
	return true;
}

// A full house: who has been silent for long makes room.
static bool clients_room(struct ipc *ipc)
{
	struct ipc_client *idle = NULL;
	uint64_t now_ms = clock_ms();

	for (unsigned int i = 0; i < IPC_CLIENTS_MAX; i++) {
		struct ipc_client *client = ipc->clients[i];

		if (!client)
			return true;
		if (client->phase != CLIENT_WAITING && now_ms - client->seen_ms > IPC_IDLE_MS &&
		    (!idle || client->seen_ms < idle->seen_ms))
			idle = client;
	}
	if (idle)
		client_end(ipc, idle);
	return false;
}

/* What libqb calls. */

static int32_t on_accept(qb_ipcs_connection_t *connection, uid_t uid, gid_t gid)
{
	struct ipc *ipc = ipc_open_now;
	struct qb_ipcs_connection_stats stats = { 0 };

	// Who may not ask takes nobody's room either.
	if (uid == 0)
		return clients_room(ipc) ? 0 : -EBUSY;
	if (!ipc->gid_known)
		ipc->gid_known = file_find_group(ipc->group, &ipc->gid);
	qb_ipcs_connection_stats_get(connection, &stats, QB_FALSE);
	if (ipc->gid_known &&
	    (gid == ipc->gid || socket_in_group(ipc->current_fd, stats.client_pid, uid, ipc->gid) ||
	     files_in_group(uid, ipc->gid)))
		return clients_room(ipc) ? 0 : -EBUSY;
	log_text(LOG_LEVEL_WARNING, "refused: process %d of user %u is not in group %s",
		 stats.client_pid, uid, ipc->group);
	return -EACCES;
}

static void on_created(qb_ipcs_connection_t *connection)
{
	struct ipc *ipc = ipc_open_now;
	struct ipc_client *client = calloc(1, sizeof(*client));

	for (unsigned int i = 0; client && i < IPC_CLIENTS_MAX; i++) {
		if (ipc->clients[i])
			continue;
		client->id = ++ipc->next_id;
		client->connection = connection;
		client->seen_ms = clock_ms();
		ipc->clients[i] = client;
		qb_ipcs_context_set(connection, client);
		return;
	}
	// No memory: its requests are ignored until it gives up.
	free(client);
	qb_ipcs_context_set(connection, NULL);
}

static int32_t on_message(qb_ipcs_connection_t *connection, void *data, size_t size)
{
	struct ipc_client *client = qb_ipcs_context_get(connection);

	if (client && !client->doomed && !client_take(ipc_open_now, client, data, size))
		client_end(ipc_open_now, client);
	return 0;
}

static int32_t on_closed(qb_ipcs_connection_t *connection)
{
	struct ipc_client *client = qb_ipcs_context_get(connection);

	if (client) {
		ipc_open_now->handlers.gone(ipc_open_now->handlers.context, client->id);
		client_free(ipc_open_now, client);
		qb_ipcs_context_set(connection, NULL);
	}
	return 0;
}

static void on_destroyed(qb_ipcs_connection_t *connection)
{
	(void)connection;
}

static int32_t ipc_dispatch(int32_t fd, int32_t revents, void *data)
{
	struct ipc_fd *polled = data;
	int32_t rc;

	ipc_open_now->current_fd = fd;
	rc = polled->dispatch(fd, revents, polled->data);
	if (ipc_open_now)
		ipc_open_now->current_fd = -1;
	return rc;
}

static struct ipc_fd *fd_find(int fd)
{
	for (unsigned int i = 0; i < IPC_FDS_MAX; i++) {
		if (ipc_open_now->fds[i].used && ipc_open_now->fds[i].fd == fd)
			return &ipc_open_now->fds[i];
	}
	return NULL;
}

static int32_t on_dispatch_add(enum qb_loop_priority priority, int32_t fd, int32_t events,
			       void *data, qb_ipcs_dispatch_fn_t dispatch)
{
	int32_t rc;

	for (unsigned int i = 0; i < IPC_FDS_MAX; i++) {
		struct ipc_fd *polled = &ipc_open_now->fds[i];

		if (polled->used)
			continue;
		*polled = (struct ipc_fd){
			.used = true, .fd = fd, .data = data, .dispatch = dispatch
		};
		rc = qb_loop_poll_add(ipc_open_now->loop, priority, fd, events, polled,
				      ipc_dispatch);
		polled->used = rc == 0;
		return rc;
	}
	return -EMFILE;
}

static int32_t on_dispatch_mod(enum qb_loop_priority priority, int32_t fd, int32_t events,
			       void *data, qb_ipcs_dispatch_fn_t dispatch)
{
	struct ipc_fd *polled = fd_find(fd);

	if (!polled)
		return -ENOENT;
	polled->data = data;
	polled->dispatch = dispatch;
	return qb_loop_poll_mod(ipc_open_now->loop, priority, fd, events, polled, ipc_dispatch);
}

static int32_t on_dispatch_del(int32_t fd)
{
	struct ipc_fd *polled = fd_find(fd);

	if (polled)
		polled->used = false;
	return qb_loop_poll_del(ipc_open_now->loop, fd);
}

static int32_t on_job_add(enum qb_loop_priority priority, void *data,
			  qb_loop_job_dispatch_fn dispatch)
{
	return qb_loop_job_add(ipc_open_now->loop, priority, data, dispatch);
}

int ipc_open(struct ipc **out, const char *service, const char *group, struct qb_loop *loop,
	     const struct ipc_handlers *handlers)
{
	struct qb_ipcs_service_handlers service_handlers = {
		.connection_accept = on_accept,
		.connection_created = on_created,
		.msg_process = on_message,
		.connection_closed = on_closed,
		.connection_destroyed = on_destroyed,
	};
	struct qb_ipcs_poll_handlers poll_handlers = {
		.job_add = on_job_add,
		.dispatch_add = on_dispatch_add,
		.dispatch_mod = on_dispatch_mod,
		.dispatch_del = on_dispatch_del,
	};
	const struct group *entry;
	struct ipc *ipc;
	int rc;

	*out = NULL;
	if (ipc_open_now)
		return -EBUSY;
	ipc = calloc(1, sizeof(*ipc));
	if (!ipc)
		return -ENOMEM;
	ipc->loop = loop;
	ipc->handlers = *handlers;
	ipc->current_fd = -1;
	snprintf(ipc->group, sizeof(ipc->group), "%s", group);
	entry = getgrnam(group);
	ipc->gid_known = entry != NULL;
	ipc->gid = entry ? entry->gr_gid : 0;
	// Shared memory, because libqb's other transport, datagrams to abstract sockets, can be
	// spoken to by anyone.
	ipc->service = qb_ipcs_create(service, 0, QB_IPC_SHM, &service_handlers);
	if (!ipc->service) {
		free(ipc);
		return -ENOMEM;
	}
	ipc_open_now = ipc;
	qb_ipcs_enforce_buffer_size(ipc->service, IPC_CHUNK_SIZE);
	qb_ipcs_poll_handlers_set(ipc->service, &poll_handlers);
	rc = qb_ipcs_run(ipc->service);
	if (rc < 0) {
		ipc_open_now = NULL;
		free(ipc);
		return rc;
	}
	*out = ipc;
	return 0;
}

void ipc_close(struct ipc *ipc)
{
	if (!ipc)
		return;
	qb_ipcs_destroy(ipc->service);
	for (unsigned int i = 0; i < IPC_CLIENTS_MAX; i++) {
		if (ipc->clients[i])
			client_free(ipc, ipc->clients[i]);
	}
	ipc_open_now = NULL;
	free(ipc);
}

void ipc_reply(struct ipc *ipc, uint64_t id, char *text, size_t size)
{
	struct ipc_client *client = client_find(ipc, id);

	if (!client || client->phase != CLIENT_WAITING || size > IPC_REPLY_MAX) {
		free(text);
		if (client && client->phase == CLIENT_WAITING)
			client_end(ipc, client);
		return;
	}
	client->text = text;
	client->size = client->room = size;
	client->at = 0;
	client->phase = CLIENT_READING;
	client->seen_ms = clock_ms();
	client_send_next(ipc, client);
}
