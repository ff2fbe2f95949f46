// SPDX-License-Identifier: Apache-2.0
#include "clusterd/cpg_io.h"

#include <corosync/corotypes.h>
#include <corosync/cpg.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "clusterd/codec.h"
#include "clusterd/invariant.h"
#include "clusterd/log_io.h"
#include "clusterd/loop_io.h"
#include "clusterd/worker_io.h"

#define GROUP_NAME "clusterd"

enum {
	CONNECT_MS = 200,		// doubled up to
	CONNECT_MS_MAX = 2000,
	SEND_MS = 1,			// after CS_ERR_TRY_AGAIN, doubled up to
	SEND_MS_MAX = 16,
	DISPATCH_MAX = 64,		// callbacks before the loop gets its turn
	FRAGMENT_MAGIC = 0x4443,
	FRAGMENT_VERSION = 1,
	FRAGMENT_HEAD = 12,
	// libcpg sends more than its limit (about 1 MiB) in pieces too, but it sleeps in between.
	FRAGMENT_BODY = 64 * 1024 - FRAGMENT_HEAD,
	FRAGMENT_FIRST = 1,
	FRAGMENT_LAST = 2,
	FRAGMENT_MEASURES = 4, // a sample: no part of the log, in one fragment, and it may be lost
};

struct message {
	struct message *next;
	size_t size, sent;
	uint32_t serial;
	uint8_t flags;
	uint8_t body[];
};

struct assembly {
	struct assembly *next;
	uint32_t id, pid, serial;
	size_t size, used;
	uint8_t body[];
};

// Made on a thread: to connect to a corosync that hangs takes until it ends.
struct attempt {
	struct worker_task task;
	bool running, open;
	cpg_handle_t handle;
	int fd;
	uint32_t local_id;
	const char *call;
	cs_error_t code;
};

struct group {
	struct edge edge;
	struct worker *worker;
	struct attempt attempt;
	cpg_handle_t handle;
	int fd;
	uint32_t local_id, serial;
	uint64_t ring, dropped;
	bool connected, joined, told, broken;
	uint64_t connect_ms, send_ms;
	struct loop_timer connect_timer, send_timer, break_timer;
	struct message *queue, **queue_end;
	size_t queue_bytes;
	struct assembly *assemblies;
	struct group_member members[CPG_MEMBERS_MAX];
	uint32_t member_count;
	char reason[REASON_SIZE];
};

static void group_connect(void *owner);

static void queue_drop(struct group *group)
{
	struct message *message;

	while ((message = group->queue)) {
		group->queue = message->next;
		free(message);
	}
	group->queue_end = &group->queue;
	group->queue_bytes = 0;
}

static void assembly_free(struct group *group, struct assembly *assembly)
{
	struct assembly **link = &group->assemblies;

	while (*link != assembly)
		link = &(*link)->next;
	*link = assembly->next;
	free(assembly);
}

static void assemblies_drop(struct group *group)
{
	while (group->assemblies)
		assembly_free(group, group->assemblies);
}

static void group_disconnect(struct group *group)
{
	if (group->connected) {
		if (group->fd >= 0)
			loop_del_fd(group->edge.loop, group->fd);
		cpg_finalize(group->handle);
	}
	group->connected = group->joined = group->broken = false;
	group->fd = -1;
	group->member_count = 0;
	loop_timer_cancel(&group->send_timer);
	loop_timer_cancel(&group->break_timer);
	queue_drop(group);
	assemblies_drop(group);
}

// Out of the group for whatever reason: says so once, and begins to connect again.
static void group_lost(void *owner)
{
	struct group *group = owner;
	struct event event = { .type = EVENT_GROUP_LOST, .reason = group->reason };
	bool tell = group->told;

	group_disconnect(group);
	group->told = false;
	loop_timer_ms(group->edge.loop, &group->connect_timer, group->connect_ms, group_connect,
		      group);
	group->connect_ms = group->connect_ms * 2 < CONNECT_MS_MAX ? group->connect_ms * 2 :
			    CONNECT_MS_MAX;
	if (tell) {
		log_text(LOG_LEVEL_WARNING, "left the group: %s", group->reason);
		edge_post(&group->edge, &event);
	}
}

// Later, from the loop: libcpg's callbacks and the node's actions are no place to take the handle
// away.
static void group_break(struct group *group, const char *why)
{
	if (group->broken)
		return;
	group->broken = true;
	snprintf(group->reason, sizeof(group->reason), "%s", why);
	loop_timer_ms(group->edge.loop, &group->break_timer, 0, group_lost, group);
}

static void group_break_code(struct group *group, const char *call, cs_error_t code)
{
	char why[REASON_SIZE];

	snprintf(why, sizeof(why), "corosync does not answer (%s: %s)", call, cs_strerror(code));
	group_break(group, why);
}

// Sending

static cs_error_t fragment_send(struct group *group, struct message *message)
{
	uint8_t head[FRAGMENT_HEAD];
	struct writer w = { .buf = head, .size = sizeof(head) };
	size_t left = message->size - message->sent;
	size_t size = left < FRAGMENT_BODY ? left : FRAGMENT_BODY;
	struct iovec iov[2] = {
		{ head, sizeof(head) },
		{ message->body + message->sent, size },
	};
	cs_error_t code;

	write_u16(&w, FRAGMENT_MAGIC);
	write_u8(&w, FRAGMENT_VERSION);
	write_u8(&w, (uint8_t)(message->flags | (message->sent == 0 ? FRAGMENT_FIRST : 0) |
			       (size == left ? FRAGMENT_LAST : 0)));
	write_u32(&w, message->serial);
	write_u32(&w, (uint32_t)message->size);
	code = cpg_mcast_joined(group->handle, CPG_TYPE_AGREED, iov, size ? 2 : 1);
	if (code == CS_OK)
		message->sent += size;
	return code;
}

static void queue_send(void *owner)
{
	struct group *group = owner;
	struct message *message;

	while ((message = group->queue) && group->joined && !group->broken) {
		cs_error_t code = fragment_send(group, message);

		if (code == CS_ERR_TRY_AGAIN) {
			group->send_ms = group->send_ms * 2 < SEND_MS_MAX ? group->send_ms * 2 :
					 SEND_MS_MAX;
			loop_timer_ms(group->edge.loop, &group->send_timer, group->send_ms,
				      queue_send, group);
			return;
		}
		if (code != CS_OK) {
			group_break_code(group, "cpg_mcast_joined", code);
			return;
		}
		group->send_ms = SEND_MS;
		if (message->sent < message->size)
			continue;
		group->queue = message->next;
		if (!group->queue)
			group->queue_end = &group->queue;
		group->queue_bytes -= sizeof(*message) + message->size;
		free(message);
	}
}

static void group_send(struct group *group, const uint8_t *body, size_t size, uint8_t flags)
{
	struct message *message;
	size_t bytes = sizeof(*message) + size;

	if (!group->joined || group->broken)
		return;
	if (size > MESSAGE_SIZE_MAX || group->queue_bytes + bytes > GROUP_QUEUE_BYTES_MAX) {
		group_break(group, "messages wait faster than corosync takes them");
		return;
	}
	message = malloc(bytes);
	if (!message) {
		group_break(group, "out of memory");
		return;
	}
	message->next = NULL;
	message->size = size;
	message->sent = 0;
	message->serial = group->serial++;
	message->flags = flags;
	if (size)
		memcpy(message->body, body, size);
	*group->queue_end = message;
	group->queue_end = &message->next;
	group->queue_bytes += bytes;
	if (!group->send_timer.armed)
		queue_send(group);
}

// Where the log has to wait, a measurement is not worth its turn: the next one comes soon.
static void measures_send(struct group *group, const uint8_t *body, size_t size)
{
	if (size > 0 && size <= FRAGMENT_BODY && !group->queue)
		group_send(group, body, size, FRAGMENT_MEASURES);
}

// Hearing

static void message_post(struct group *group, uint32_t id, uint32_t pid, enum event_type type,
			 const uint8_t *body, size_t size)
{
	struct event event = {
		.type = (uint8_t)type, .from_id = id, .from_pid = pid, .body = body,
		.body_size = size,
	};

	edge_post(&group->edge, &event);
}

static struct assembly *assembly_find(struct group *group, uint32_t id, uint32_t pid)
{
	struct assembly *assembly = group->assemblies;

	while (assembly && (assembly->id != id || assembly->pid != pid))
		assembly = assembly->next;
	return assembly;
}

static struct assembly *assembly_begin(struct group *group, uint32_t id, uint32_t pid,
				       uint32_t serial, uint32_t size)
{
	struct assembly *assembly = malloc(sizeof(*assembly) + size);

	if (!assembly) {
		// To hear less than the others would be to disagree with them.
		group_break(group, "out of memory");
		return NULL;
	}
	assembly->id = id;
	assembly->pid = pid;
	assembly->serial = serial;
	assembly->size = size;
	assembly->used = 0;
	assembly->next = group->assemblies;
	group->assemblies = assembly;
	return assembly;
}

static void fragment_add(struct group *group, struct assembly *assembly, const uint8_t *bytes,
			 size_t size, bool last)
{
	if (size > assembly->size - assembly->used ||
	    last != (assembly->used + size == assembly->size)) {
		group->dropped++;
		assembly_free(group, assembly);
		return;
	}
	memcpy(assembly->body + assembly->used, bytes, size);
	assembly->used += size;
	if (!last)
		return;
	message_post(group, assembly->id, assembly->pid, EVENT_MESSAGE, assembly->body,
		     assembly->size);
	assembly_free(group, assembly);
}

// Flags that a fragment may have.
static bool flags_good(uint8_t flags)
{
	return flags <= (FRAGMENT_FIRST | FRAGMENT_LAST) ||
	       flags == (FRAGMENT_FIRST | FRAGMENT_LAST | FRAGMENT_MEASURES);
}

static void heard(cpg_handle_t handle, const struct cpg_name *name, uint32_t id, uint32_t pid,
		  void *bytes, size_t length)
{
	struct reader r = { .buf = bytes, .size = length };
	struct group *group = NULL;
	const uint8_t *body = (const uint8_t *)bytes + FRAGMENT_HEAD;
	struct assembly *assembly;
	uint32_t serial, size;
	uint8_t version, flags;
	uint16_t magic;
	size_t have;

	(void)name;
	INVARIANT(cpg_context_get(handle, (void **)&group) == CS_OK);
	if (group->broken)
		return;
	magic = read_u16(&r);
	version = read_u8(&r);
	flags = read_u8(&r);
	serial = read_u32(&r);
	size = read_u32(&r);
	if (r.failed || magic != FRAGMENT_MAGIC || version != FRAGMENT_VERSION ||
	    !flags_good(flags) || size > MESSAGE_SIZE_MAX) {
		group->dropped++;
		return;
	}
	have = length - FRAGMENT_HEAD;
	assembly = assembly_find(group, id, pid);
	if (flags & FRAGMENT_FIRST) {
		if (assembly)
			assembly_free(group, assembly);
		if (flags & FRAGMENT_LAST) {
			if (have == size)
				message_post(group, id, pid,
					     flags & FRAGMENT_MEASURES ? EVENT_MEASURES_HEARD
								       : EVENT_MESSAGE,
					     body, size);
			else
				group->dropped++;
			return;
		}
		assembly = assembly_begin(group, id, pid, serial, size);
	}
	// The rest of a message whose beginning was dropped at a change of membership, or came
	// before this node joined.
	if (!assembly || assembly->serial != serial || assembly->size != size)
		return;
	fragment_add(group, assembly, body, have, flags & FRAGMENT_LAST);
}

static void members_post(struct group *group)
{
	struct event event = {
		.type = EVENT_GROUP, .ring = group->ring, .members = group->members,
		.member_count = group->member_count, .node_id = group->local_id,
	};

	group->told = true;
	group->connect_ms = CONNECT_MS;
	group->reason[0] = '\0';
	edge_post(&group->edge, &event);
}

static void members_changed(cpg_handle_t handle, const struct cpg_name *name,
			    const struct cpg_address *members, size_t count,
			    const struct cpg_address *left, size_t left_count,
			    const struct cpg_address *joined, size_t joined_count)
{
	struct group *group = NULL;
	bool self = false;

	(void)name;
	(void)left;
	(void)left_count;
	(void)joined;
	(void)joined_count;
	INVARIANT(cpg_context_get(handle, (void **)&group) == CS_OK);
	if (group->broken)
		return;
	group->member_count = 0;
	for (size_t i = 0; i < count && i < CPG_MEMBERS_MAX; i++) {
		group->members[group->member_count++] = (struct group_member){
			members[i].nodeid, members[i].pid };
		self = self || (members[i].nodeid == group->local_id &&
				members[i].pid == (uint32_t)getpid());
	}
	assemblies_drop(group);
	if (!self) {
		group_break(group, "corosync has taken this node out of the group");
		return;
	}
	members_post(group);
}

static void ring_changed(cpg_handle_t handle, struct cpg_ring_id ring, uint32_t count,
			 const uint32_t *members)
{
	struct group *group = NULL;

	(void)count;
	(void)members;
	INVARIANT(cpg_context_get(handle, (void **)&group) == CS_OK);
	group->ring = ring.seq;
}

static void group_ready(void *owner, int fd, uint32_t events)
{
	struct group *group = owner;
	cs_error_t code = CS_OK;

	(void)fd;
	for (int i = 0; i < DISPATCH_MAX && code == CS_OK && !group->broken; i++)
		code = cpg_dispatch(group->handle, CS_DISPATCH_ONE_NONBLOCKING);
	if (code != CS_OK && code != CS_ERR_TRY_AGAIN)
		group_break_code(group, "cpg_dispatch", code);
	else if (events & (POLLHUP | POLLERR | POLLNVAL))
		group_break(group, "corosync has ended");
	else if (group->queue && !group->broken)
		queue_send(group);
}

static void attempt_make(void *owner)
{
	struct cpg_name name = { .length = sizeof(GROUP_NAME) - 1, .value = GROUP_NAME };
	cpg_model_v1_data_t model = {
		.model = CPG_MODEL_V1,
		.cpg_deliver_fn = heard,
		.cpg_confchg_fn = members_changed,
		.cpg_totem_confchg_fn = ring_changed,
		.flags = CPG_MODEL_V1_DELIVER_INITIAL_TOTEM_CONF,
	};
	struct group *group = owner;
	struct attempt *attempt = &group->attempt;
	unsigned int id = 0;

	attempt->call = "cpg_initialize";
	attempt->code = cpg_model_initialize(&attempt->handle, CPG_MODEL_V1,
					     (cpg_model_data_t *)&model, group);
	attempt->open = attempt->code == CS_OK;
	if (attempt->code == CS_OK) {
		attempt->call = "cpg_local_get";
		attempt->code = cpg_local_get(attempt->handle, &id);
		attempt->local_id = id;
	}
	if (attempt->code == CS_OK) {
		attempt->call = "cpg_fd_get";
		attempt->code = cpg_fd_get(attempt->handle, &attempt->fd);
	}
	// Its answers come through cpg_dispatch(), on the loop.
	if (attempt->code == CS_OK) {
		attempt->call = "cpg_join";
		attempt->code = cpg_join(attempt->handle, &name);
	}
}

static void attempt_made(void *owner)
{
	struct group *group = owner;
	struct attempt *attempt = &group->attempt;

	attempt->running = false;
	group->handle = attempt->handle;
	group->connected = attempt->open;
	group->local_id = attempt->open ? attempt->local_id : group->local_id;
	if (attempt->code == CS_OK) {
		if (loop_add_fd(group->edge.loop, attempt->fd, POLLIN, group_ready, group) == 0) {
			group->fd = attempt->fd;
			group->joined = true;
			return;
		}
		attempt->call = "watching its descriptor";
		attempt->code = CS_ERR_NO_MEMORY;
	}
	snprintf(group->reason, sizeof(group->reason), "corosync does not answer (%s: %s)",
		 attempt->call, cs_strerror(attempt->code));
	group_lost(group);
}

static void group_connect(void *owner)
{
	struct group *group = owner;

	group->attempt.running = true;
	group->attempt.task.work = attempt_make;
	group->attempt.task.done = attempt_made;
	group->attempt.task.owner = group;
	worker_submit(group->worker, &group->attempt.task);
}

static void group_rejoin(struct group *group)
{
	if (!group->connected)
		return;
	group_break(group, "to join it again");
}

void group_perform(struct group *group, const struct action *action)
{
	if (action->type == ACTION_SEND)
		group_send(group, action->body, action->body_size, 0);
	else if (action->type == ACTION_MEASURES_TELL)
		measures_send(group, action->body, action->body_size);
	else if (action->type == ACTION_GROUP_REJOIN)
		group_rejoin(group);
}

int group_open(struct group **out, const struct edge *edge)
{
	struct group *group = calloc(1, sizeof(*group));
	int error;

	*out = NULL;
	if (!group)
		return -ENOMEM;
	group->edge = *edge;
	group->fd = -1;
	group->queue_end = &group->queue;
	group->connect_ms = CONNECT_MS;
	group->send_ms = SEND_MS;
	error = worker_open(&group->worker, edge->loop, 1, "corosync-group");
	if (!error)
		error = loop_timer_ms(edge->loop, &group->connect_timer, 0, group_connect, group);
	if (error) {
		worker_close(group->worker);
		free(group);
		return error;
	}
	*out = group;
	return 0;
}

void group_close(struct group *group)
{
	if (!group)
		return;
	loop_timer_cancel(&group->connect_timer);
	worker_close(group->worker);
	group_disconnect(group);
	// The thread may hang in a call and has a hold on it.
	if (!group->attempt.running)
		free(group);
}

uint32_t group_local_id(const struct group *group)
{
	return group->local_id;
}

uint64_t group_dropped(const struct group *group)
{
	return group->dropped;
}
