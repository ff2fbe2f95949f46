// SPDX-License-Identifier: Apache-2.0
#include "clusterd/cmap_io.h"

#include <corosync/cmap.h>
#include <corosync/corotypes.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clusterd/loop_io.h"
#include "clusterd/worker_io.h"

enum {
	CONNECT_MS = 200,
	CONNECT_MS_MAX = 2000,
	POSITIONS_MAX = 2 * NODES_MAX,	// nodelist.node.N: N need not be dense
};

struct cmap_node {
	uint32_t id;
	char name[NAME_SIZE];
};

struct cmap_facts {
	uint32_t local_id, count;
	struct cmap_node nodes[NODES_MAX];
	char cluster_name[NAME_SIZE];
	struct cmap_timing timing;
};

// Made on a thread: to connect to a corosync that hangs takes until it ends.
struct attempt {
	struct worker_task task;
	bool running, open, following;
	cmap_handle_t handle;
	int fd;
};

struct cmap {
	struct edge edge;
	struct worker *worker;
	struct attempt attempt;
	cmap_handle_t handle;
	bool connected, changed, posted;
	int fd;
	uint64_t connect_ms;
	struct loop_timer timer;
	struct cmap_facts facts, fresh;
	struct group_member members[NODES_MAX];
};

static void cmap_connect(void *owner);

static void cmap_disconnect(struct cmap *cmap)
{
	loop_timer_cancel(&cmap->timer);
	if (cmap->fd >= 0)
		loop_del_fd(cmap->edge.loop, cmap->fd);
	cmap->fd = -1;
	if (cmap->connected)
		cmap_finalize(cmap->handle);
	cmap->connected = false;
}

static void cmap_again(struct cmap *cmap)
{
	cmap_disconnect(cmap);
	loop_timer_ms(cmap->edge.loop, &cmap->timer, cmap->connect_ms, cmap_connect, cmap);
	cmap->connect_ms = cmap->connect_ms * 2 < CONNECT_MS_MAX ? cmap->connect_ms * 2 :
			   CONNECT_MS_MAX;
}

// A key that is not there leaves `text` as it was.
static cs_error_t text_read(cmap_handle_t handle, const char *key, char *text)
{
	char *value = NULL;
	cs_error_t code = cmap_get_string(handle, key, &value);

	if (code == CS_OK)
		snprintf(text, NAME_SIZE, "%s", value);
	free(value);
	return code == CS_ERR_NOT_EXIST ? CS_OK : code;
}

static cs_error_t number_read(cmap_handle_t handle, const char *key, uint32_t *value)
{
	cs_error_t code = cmap_get_uint32(handle, key, value);

	return code == CS_ERR_NOT_EXIST ? CS_OK : code;
}

static cs_error_t node_read(struct cmap *cmap, cmap_handle_t handle, uint32_t position,
			    uint32_t local)
{
	struct cmap_facts *facts = &cmap->fresh;
	struct cmap_node node = { 0 };
	char key[CMAP_KEYNAME_MAXLEN + 1];
	cs_error_t code;

	snprintf(key, sizeof(key), "nodelist.node.%u.nodeid", position);
	code = number_read(handle, key, &node.id);
	if (code != CS_OK || node.id == 0 || facts->count == NODES_MAX)
		return code;
	snprintf(key, sizeof(key), "nodelist.node.%u.ring0_addr", position);
	code = text_read(handle, key, node.name);
	snprintf(key, sizeof(key), "nodelist.node.%u.name", position);
	if (code == CS_OK)
		code = text_read(handle, key, node.name);
	facts->nodes[facts->count++] = node;
	if (position == local)
		facts->local_id = node.id;
	return code;
}

static cs_error_t facts_read(struct cmap *cmap, cmap_handle_t handle)
{
	struct cmap_facts *facts = &cmap->fresh;
	uint32_t local = UINT32_MAX;
	cs_error_t code;

	memset(facts, 0, sizeof(*facts));
	code = number_read(handle, "nodelist.local_node_pos", &local);
	for (uint32_t i = 0; code == CS_OK && i < POSITIONS_MAX; i++)
		code = node_read(cmap, handle, i, local);
	if (code == CS_OK)
		code = text_read(handle, "totem.cluster_name", facts->cluster_name);
	if (code == CS_OK)
		code = number_read(handle, "runtime.config.totem.token", &facts->timing.token_ms);
	if (code == CS_OK)
		code = number_read(handle, "runtime.config.totem.consensus",
				   &facts->timing.consensus_ms);
	return code;
}

static bool nodes_equal(const struct cmap_facts *a, const struct cmap_facts *b)
{
	return a->local_id == b->local_id && a->count == b->count &&
	       memcmp(a->nodes, b->nodes, a->count * sizeof(a->nodes[0])) == 0;
}

static void facts_post(struct cmap *cmap)
{
	struct event event = { .type = EVENT_NODELIST, .members = cmap->members };
	bool same;

	cmap->connect_ms = CONNECT_MS;
	same = cmap->posted && nodes_equal(&cmap->facts, &cmap->fresh);
	cmap->facts = cmap->fresh;
	if (same)
		return;
	for (uint32_t i = 0; i < cmap->facts.count; i++)
		cmap->members[i] = (struct group_member){ .id = cmap->facts.nodes[i].id };
	event.member_count = cmap->facts.count;
	event.node_id = cmap->facts.local_id;
	cmap->posted = true;
	edge_post(&cmap->edge, &event);
}

// Keys of one reload come one by one: read when the last was seen, not here.
static void key_changed(cmap_handle_t handle, cmap_track_handle_t track, int32_t event,
			const char *key, struct cmap_notify_value value,
			struct cmap_notify_value old, void *owner)
{
	struct cmap *cmap = owner;

	(void)handle;
	(void)track;
	(void)event;
	(void)key;
	(void)value;
	(void)old;
	cmap->changed = true;
}

static void settled(void *owner)
{
	struct cmap *cmap = owner;

	// Corosync has just told of the change, so it answers.
	cmap->changed = false;
	if (facts_read(cmap, cmap->handle) == CS_OK)
		facts_post(cmap);
	else
		cmap_again(cmap);
}

static void cmap_ready(void *owner, int fd, uint32_t events)
{
	enum { SETTLE_MS = 20 };
	struct cmap *cmap = owner;
	cs_error_t code = cmap_dispatch(cmap->handle, CS_DISPATCH_ALL);

	(void)fd;
	if ((code != CS_OK && code != CS_ERR_TRY_AGAIN) ||
	    (events & (POLLHUP | POLLERR | POLLNVAL)))
		cmap_again(cmap);
	else if (cmap->changed && !cmap->timer.armed)
		loop_timer_ms(cmap->edge.loop, &cmap->timer, SETTLE_MS, settled, cmap);
}

static void attempt_make(void *owner)
{
	static const char *const prefixes[] = { "nodelist.", "totem.", "runtime.config.totem." };
	const int32_t kinds = CMAP_TRACK_ADD | CMAP_TRACK_DELETE | CMAP_TRACK_MODIFY |
			      CMAP_TRACK_PREFIX;
	struct cmap *cmap = owner;
	struct attempt *attempt = &cmap->attempt;
	cmap_track_handle_t track;

	attempt->open = cmap_initialize(&attempt->handle) == CS_OK;
	attempt->following = attempt->open && cmap_fd_get(attempt->handle, &attempt->fd) == CS_OK;
	for (size_t i = 0; attempt->following && i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		attempt->following = cmap_track_add(attempt->handle, prefixes[i], kinds,
						    key_changed, cmap, &track) == CS_OK;
	attempt->following = attempt->following && facts_read(cmap, attempt->handle) == CS_OK;
}

static void attempt_made(void *owner)
{
	struct cmap *cmap = owner;
	struct attempt *attempt = &cmap->attempt;

	attempt->running = false;
	cmap->handle = attempt->handle;
	cmap->connected = attempt->open;
	if (!attempt->following ||
	    loop_add_fd(cmap->edge.loop, attempt->fd, POLLIN, cmap_ready, cmap) != 0) {
		cmap_again(cmap);
		return;
	}
	cmap->fd = attempt->fd;
	facts_post(cmap);
}

static void cmap_connect(void *owner)
{
	struct cmap *cmap = owner;

	cmap->attempt.running = true;
	cmap->attempt.task.work = attempt_make;
	cmap->attempt.task.done = attempt_made;
	cmap->attempt.task.owner = cmap;
	worker_submit(cmap->worker, &cmap->attempt.task);
}

int cmap_open(struct cmap **out, const struct edge *edge)
{
	struct cmap *cmap = calloc(1, sizeof(*cmap));
	int error;

	*out = NULL;
	if (!cmap)
		return -ENOMEM;
	cmap->edge = *edge;
	cmap->fd = -1;
	cmap->connect_ms = CONNECT_MS;
	error = worker_open(&cmap->worker, edge->loop, 1, "corosync-map");
	if (!error)
		error = loop_timer_ms(edge->loop, &cmap->timer, 0, cmap_connect, cmap);
	if (error) {
		worker_close(cmap->worker);
		free(cmap);
		return error;
	}
	*out = cmap;
	return 0;
}

void cmap_close(struct cmap *cmap)
{
	if (!cmap)
		return;
	worker_close(cmap->worker);
	cmap_disconnect(cmap);
	// The thread may hang in a call and has a hold on it.
	if (!cmap->attempt.running)
		free(cmap);
}

const char *cmap_cluster_name(const struct cmap *cmap)
{
	return cmap->facts.cluster_name;
}

const char *cmap_node_name(const struct cmap *cmap, uint32_t id)
{
	for (uint32_t i = 0; i < cmap->facts.count; i++)
		if (cmap->facts.nodes[i].id == id)
			return cmap->facts.nodes[i].name;
	return NULL;
}

uint32_t cmap_node_id(const struct cmap *cmap, const char *name)
{
	for (uint32_t i = 0; i < cmap->facts.count; i++)
		if (strcmp(cmap->facts.nodes[i].name, name) == 0)
			return cmap->facts.nodes[i].id;
	return 0;
}

struct cmap_timing cmap_timing(const struct cmap *cmap)
{
	return cmap->facts.timing;
}
