// SPDX-License-Identifier: Apache-2.0
#include "tests/edge/fake_corosync.h"

#include <corosync/cmap.h>
#include <corosync/cpg.h>
#include <corosync/quorum.h>
#include <corosync/votequorum.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { HANDLES_MAX = 64, OTHER_PID = 4242, RING = 8 };

enum item_type { ITEM_MESSAGE, ITEM_MEMBERS, ITEM_RING, ITEM_QUORUM };

struct item {
	struct item *next;
	enum item_type type;
	uint32_t id, pid;
	bool self, other;
	size_t size;
	uint8_t bytes[];
};

struct handle {
	bool used, dead, cpg, joined;
	int fd, peer;
	void *context;
	cpg_model_v1_data_t cpg_model;
	quorum_model_v1_data_t quorum_model;
	struct item *items, **end;
};

static struct {
	pthread_mutex_t lock;
	uint64_t calls, fail_at;
	cs_error_t code;
	bool failed;
	uint32_t refuse;
	struct handle handles[HANDLES_MAX];
} fake = { .lock = PTHREAD_MUTEX_INITIALIZER };

static cs_error_t call_counted(void)
{
	cs_error_t code = CS_OK;

	pthread_mutex_lock(&fake.lock);
	if (++fake.calls == fake.fail_at) {
		fake.failed = true;
		code = fake.code;
	}
	pthread_mutex_unlock(&fake.lock);
	return code;
}

static struct handle *handle_of(uint64_t handle)
{
	return handle > 0 && handle <= HANDLES_MAX && fake.handles[handle - 1].used ?
	       &fake.handles[handle - 1] : NULL;
}

static cs_error_t call(uint64_t handle)
{
	cs_error_t code = call_counted();
	struct handle *h = handle_of(handle);

	if (!h)
		return CS_ERR_BAD_HANDLE;
	return h->dead ? CS_ERR_LIBRARY : code;
}

static cs_error_t handle_new(uint64_t *handle, void *context)
{
	cs_error_t code = call_counted();
	int pair[2];

	if (code != CS_OK)
		return code;
	pthread_mutex_lock(&fake.lock);
	for (uint64_t i = 0; i < HANDLES_MAX; i++) {
		struct handle *h = &fake.handles[i];

		if (h->used)
			continue;
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
			abort();
		memset(h, 0, sizeof(*h));
		h->used = true;
		h->fd = pair[0];
		h->peer = pair[1];
		h->context = context;
		h->end = &h->items;
		*handle = i + 1;
		pthread_mutex_unlock(&fake.lock);
		return CS_OK;
	}
	abort();
}

static cs_error_t handle_end(uint64_t handle)
{
	struct handle *h = handle_of(handle);
	cs_error_t code = call(handle);
	struct item *item;

	if (!h)
		return CS_ERR_BAD_HANDLE;
	pthread_mutex_lock(&fake.lock);
	while ((item = h->items)) {
		h->items = item->next;
		free(item);
	}
	close(h->fd);
	if (h->peer >= 0)
		close(h->peer);
	h->used = false;
	pthread_mutex_unlock(&fake.lock);
	return code;
}

static void item_add(struct handle *h, struct item *item)
{
	pthread_mutex_lock(&fake.lock);
	item->next = NULL;
	*h->end = item;
	h->end = &item->next;
	if (h->peer >= 0 && write(h->peer, "", 1) != 1)
		abort();
	pthread_mutex_unlock(&fake.lock);
}

static struct item *item_new(enum item_type type, size_t size)
{
	struct item *item = calloc(1, sizeof(*item) + size);

	if (!item)
		abort();
	item->type = type;
	item->size = size;
	item->self = item->other = true;
	return item;
}

static struct item *item_take(struct handle *h)
{
	struct item *item;
	char byte;

	pthread_mutex_lock(&fake.lock);
	item = h->items;
	if (item && read(h->fd, &byte, 1) == 1) {
		h->items = item->next;
		if (!h->items)
			h->end = &h->items;
	}
	pthread_mutex_unlock(&fake.lock);
	return item;
}

static void item_tell(uint64_t handle, struct handle *h, struct item *item)
{
	const struct cpg_name name = { 8, "clusterd" };
	struct cpg_address members[2];
	uint32_t nodes[] = { 1, 2 }, count = 0;

	if (item->self)
		members[count++] = (struct cpg_address){ 1, (uint32_t)getpid(), 0 };
	if (item->other)
		members[count++] = (struct cpg_address){ 2, OTHER_PID, 0 };
	switch (item->type) {
	case ITEM_MESSAGE:
		h->cpg_model.cpg_deliver_fn(handle, &name, item->id, item->pid, item->bytes,
					    item->size);
		break;
	case ITEM_MEMBERS:
		h->cpg_model.cpg_confchg_fn(handle, &name, members, count, NULL, 0, NULL, 0);
		break;
	case ITEM_RING:
		h->cpg_model.cpg_totem_confchg_fn(handle, (struct cpg_ring_id){ 1, RING }, 2,
						  nodes);
		break;
	case ITEM_QUORUM:
		h->quorum_model.nodelist_notify_fn(handle, (struct quorum_ring_id){ 1, RING }, 2,
						   nodes, 2, nodes, 0, nodes);
		h->quorum_model.quorum_notify_fn(handle, 1, (struct quorum_ring_id){ 1, RING }, 2,
						 nodes);
		break;
	}
	free(item);
}

// As the libraries do it: ONE_NONBLOCKING says CS_ERR_TRY_AGAIN when there is nothing.
static cs_error_t dispatch(uint64_t handle, cs_dispatch_flags_t flags)
{
	struct handle *h = handle_of(handle);
	cs_error_t code = call(handle);
	struct item *item;

	while (code == CS_OK) {
		item = item_take(h);
		if (!item)
			return flags == CS_DISPATCH_ALL ? CS_OK : CS_ERR_TRY_AGAIN;
		item_tell(handle, h, item);
		if (flags != CS_DISPATCH_ALL)
			break;
	}
	return code;
}

static cs_error_t fd_get(uint64_t handle, int *fd)
{
	cs_error_t code = call(handle);

	if (code == CS_OK)
		*fd = handle_of(handle)->fd;
	return code;
}

static cs_error_t context_get(uint64_t handle, void **context)
{
	*context = handle_of(handle)->context;
	return CS_OK;
}

// For the tests

void fake_begin(uint64_t fail_at, cs_error_t code)
{
	fake.calls = 0;
	fake.fail_at = fail_at;
	fake.code = code;
	fake.failed = false;
	fake.refuse = 0;
}

bool fake_failed(void)
{
	return fake.failed;
}

uint64_t fake_open_handles(void)
{
	uint64_t count = 0;

	for (int i = 0; i < HANDLES_MAX; i++)
		count += fake.handles[i].used;
	return count;
}

void fake_end_corosync(void)
{
	pthread_mutex_lock(&fake.lock);
	for (int i = 0; i < HANDLES_MAX; i++) {
		struct handle *h = &fake.handles[i];

		if (!h->used || h->dead)
			continue;
		h->dead = true;
		close(h->peer);
		h->peer = -1;
	}
	pthread_mutex_unlock(&fake.lock);
}

void fake_refuse(uint32_t calls)
{
	fake.refuse = calls;
}

static struct handle *cpg_joined(void)
{
	for (int i = 0; i < HANDLES_MAX; i++)
		if (fake.handles[i].used && fake.handles[i].joined && !fake.handles[i].dead)
			return &fake.handles[i];
	abort();
}

void fake_deliver(uint32_t id, uint32_t pid, const void *bytes, size_t size)
{
	struct item *item = item_new(ITEM_MESSAGE, size);

	item->id = id;
	item->pid = pid;
	if (size)
		memcpy(item->bytes, bytes, size);
	item_add(cpg_joined(), item);
}

void fake_members(bool self, bool other)
{
	struct item *item = item_new(ITEM_MEMBERS, 0);

	item->self = self;
	item->other = other;
	item_add(cpg_joined(), item);
}

// libcpg

cs_error_t cpg_model_initialize(cpg_handle_t *handle, cpg_model_t model, cpg_model_data_t *data,
				void *context)
{
	cs_error_t code = handle_new(handle, context);

	(void)model;
	if (code == CS_OK)
		handle_of(*handle)->cpg_model = *(cpg_model_v1_data_t *)data;
	return code;
}

cs_error_t cpg_finalize(cpg_handle_t handle)
{
	return handle_end(handle);
}

cs_error_t cpg_fd_get(cpg_handle_t handle, int *fd)
{
	return fd_get(handle, fd);
}

cs_error_t cpg_context_get(cpg_handle_t handle, void **context)
{
	return context_get(handle, context);
}

cs_error_t cpg_local_get(cpg_handle_t handle, unsigned int *id)
{
	*id = 1;
	return call(handle);
}

cs_error_t cpg_join(cpg_handle_t handle, const struct cpg_name *name)
{
	cs_error_t code = call(handle);
	struct handle *h = handle_of(handle);

	(void)name;
	if (code != CS_OK)
		return code;
	h->joined = true;
	item_add(h, item_new(ITEM_MEMBERS, 0));
	item_add(h, item_new(ITEM_RING, 0));
	return CS_OK;
}

cs_error_t cpg_mcast_joined(cpg_handle_t handle, cpg_guarantee_t guarantee,
			    const struct iovec *iovec, unsigned int count)
{
	cs_error_t code = call(handle);
	struct item *item;
	size_t size = 0;

	(void)guarantee;
	if (code != CS_OK)
		return code;
	if (fake.refuse) {
		fake.refuse--;
		return CS_ERR_TRY_AGAIN;
	}
	for (unsigned int i = 0; i < count; i++)
		size += iovec[i].iov_len;
	item = item_new(ITEM_MESSAGE, size);
	item->id = 1;
	item->pid = (uint32_t)getpid();
	size = 0;
	for (unsigned int i = 0; i < count; i++) {
		memcpy(item->bytes + size, iovec[i].iov_base, iovec[i].iov_len);
		size += iovec[i].iov_len;
	}
	item_add(handle_of(handle), item);
	return CS_OK;
}

cs_error_t cpg_dispatch(cpg_handle_t handle, cs_dispatch_flags_t flags)
{
	return dispatch(handle, flags);
}

// libquorum, libvotequorum

cs_error_t quorum_model_initialize(quorum_handle_t *handle, quorum_model_t model,
				   quorum_model_data_t *data, uint32_t *type, void *context)
{
	cs_error_t code = handle_new(handle, context);

	(void)model;
	*type = QUORUM_SET;
	if (code == CS_OK)
		handle_of(*handle)->quorum_model = *(quorum_model_v1_data_t *)data;
	return code;
}

cs_error_t quorum_finalize(quorum_handle_t handle)
{
	return handle_end(handle);
}

cs_error_t quorum_fd_get(quorum_handle_t handle, int *fd)
{
	return fd_get(handle, fd);
}

cs_error_t quorum_context_get(quorum_handle_t handle, const void **context)
{
	return context_get(handle, (void **)context);
}

cs_error_t quorum_trackstart(quorum_handle_t handle, unsigned int flags)
{
	cs_error_t code = call(handle);

	(void)flags;
	if (code == CS_OK)
		item_add(handle_of(handle), item_new(ITEM_QUORUM, 0));
	return code;
}

cs_error_t quorum_dispatch(quorum_handle_t handle, cs_dispatch_flags_t flags)
{
	return dispatch(handle, flags);
}

cs_error_t votequorum_initialize(votequorum_handle_t *handle, votequorum_callbacks_t *callbacks)
{
	(void)callbacks;
	return handle_new(handle, NULL);
}

cs_error_t votequorum_finalize(votequorum_handle_t handle)
{
	return handle_end(handle);
}

cs_error_t votequorum_getinfo(votequorum_handle_t handle, unsigned int id,
			      struct votequorum_info *info)
{
	cs_error_t code = call(handle);

	(void)id;
	if (code == CS_OK)
		*info = (struct votequorum_info){ .node_id = 1, .node_expected_votes = 2,
						  .total_votes = 2, .quorum = 2 };
	return code;
}

// libcmap

cs_error_t cmap_initialize(cmap_handle_t *handle)
{
	return handle_new(handle, NULL);
}

cs_error_t cmap_finalize(cmap_handle_t handle)
{
	return handle_end(handle);
}

cs_error_t cmap_fd_get(cmap_handle_t handle, int *fd)
{
	return fd_get(handle, fd);
}

cs_error_t cmap_dispatch(cmap_handle_t handle, cs_dispatch_flags_t flags)
{
	return dispatch(handle, flags);
}

cs_error_t cmap_track_add(cmap_handle_t handle, const char *key, int32_t kinds, cmap_notify_fn_t fn,
			  void *data, cmap_track_handle_t *track)
{
	(void)key;
	(void)kinds;
	(void)fn;
	(void)data;
	*track = 1;
	return call(handle);
}

cs_error_t cmap_get_uint32(cmap_handle_t handle, const char *key, uint32_t *value)
{
	static const struct {
		const char *key;
		uint32_t value;
	} known[] = {
		{ "nodelist.local_node_pos", 0 }, { "nodelist.node.0.nodeid", 1 },
		{ "nodelist.node.1.nodeid", 2 }, { "runtime.config.totem.token", 1000 },
		{ "runtime.config.totem.consensus", 1200 },
	};
	cs_error_t code;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].key, key) != 0)
			continue;
		code = call(handle);
		if (code == CS_OK)
			*value = known[i].value;
		return code;
	}
	// Not counted: a hundred node positions that are not there would only make the test long.
	return handle_of(handle) ? CS_ERR_NOT_EXIST : CS_ERR_BAD_HANDLE;
}

cs_error_t cmap_get_string(cmap_handle_t handle, const char *key, char **value)
{
	cs_error_t code = call(handle);

	if (code != CS_OK)
		return code;
	if (strcmp(key, "nodelist.node.0.ring0_addr") == 0)
		*value = strdup("10.0.0.1");
	else if (strcmp(key, "nodelist.node.1.name") == 0)
		*value = strdup("n2");
	else if (strcmp(key, "totem.cluster_name") == 0)
		*value = strdup("fake");
	else
		return CS_ERR_NOT_EXIST;
	return CS_OK;
}

const char *cs_strerror(cs_error_t code)
{
	return code == CS_ERR_LIBRARY ? "CS_ERR_LIBRARY" : "CS_ERR_OTHER";
}
