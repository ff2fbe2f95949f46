// SPDX-License-Identifier: Apache-2.0
#include "quorum/votequorum_io.h"

#include <corosync/corotypes.h>
#include <corosync/quorum.h>
#include <corosync/votequorum.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "clusterd/invariant.h"
#include "clusterd/loop_io.h"
#include "clusterd/worker_io.h"

enum { CONNECT_MS = 200, CONNECT_MS_MAX = 2000, RING_NODES_MAX = 2 * NODES_MAX };

// Made on a thread: to connect to a corosync that hangs takes until it ends.
struct attempt {
	struct worker_task task;
	bool running, open, votes_open, tracking;
	quorum_handle_t quorum;
	votequorum_handle_t votes;
	int fd;
};

struct ring {
	struct edge edge;
	struct worker *worker;
	struct attempt attempt;
	quorum_handle_t quorum;
	votequorum_handle_t votes_handle;
	bool connected, votes_connected;
	int fd;
	uint32_t local_id;
	uint64_t connect_ms;
	struct loop_timer timer;
	struct ring_votes votes;
	struct group_member nodes[RING_NODES_MAX];
};

static void ring_connect(void *owner);

static void ring_disconnect(struct ring *ring)
{
	loop_timer_cancel(&ring->timer);
	if (ring->fd >= 0)
		loop_del_fd(ring->edge.loop, ring->fd);
	ring->fd = -1;
	if (ring->connected)
		quorum_finalize(ring->quorum);
	if (ring->votes_connected)
		votequorum_finalize(ring->votes_handle);
	ring->connected = ring->votes_connected = false;
	memset(&ring->votes, 0, sizeof(ring->votes));
}

static void ring_again(struct ring *ring)
{
	ring_disconnect(ring);
	loop_timer_ms(ring->edge.loop, &ring->timer, ring->connect_ms, ring_connect, ring);
	ring->connect_ms = ring->connect_ms * 2 < CONNECT_MS_MAX ? ring->connect_ms * 2 :
			   CONNECT_MS_MAX;
}

static void votes_read(struct ring *ring)
{
	struct votequorum_info info = { 0 };
	struct ring_votes *votes = &ring->votes;
	cs_error_t code;

	code = votequorum_getinfo(ring->votes_handle, VOTEQUORUM_QDEVICE_NODEID, &info);
	votes->device = code == CS_OK && (info.flags & VOTEQUORUM_INFO_QDEVICE_REGISTERED);
	memset(&info, 0, sizeof(info));
	// For display alone: not to know it stops nothing.
	if (votequorum_getinfo(ring->votes_handle, 0, &info) != CS_OK)
		return;
	ring->local_id = info.node_id;
	votes->expected = info.node_expected_votes;
	votes->total = info.total_votes;
	votes->quorum = info.quorum;
	votes->two_node = info.flags & VOTEQUORUM_INFO_TWONODE;
	votes->wait_for_all = info.flags & VOTEQUORUM_INFO_WAIT_FOR_ALL;
	votes->last_man_standing = info.flags & VOTEQUORUM_INFO_LAST_MAN_STANDING;
}

// Comes at the end of corosync's synchronisation with members and verdict of the same ring. The
// notification of the node list alone comes earlier, with the verdict of the ring before: not asked
// for.
static void ring_changed(quorum_handle_t handle, uint32_t quorate, struct quorum_ring_id id,
			 uint32_t count, const uint32_t *members)
{
	const struct ring *found = NULL;
	struct event event = { .type = EVENT_RING, .flag = quorate, .ring = id.seq };
	struct ring *ring;

	INVARIANT(quorum_context_get(handle, (const void **)&found) == CS_OK);
	ring = (struct ring *)found;
	if (count > RING_NODES_MAX)
		count = RING_NODES_MAX;
	for (uint32_t i = 0; i < count; i++)
		ring->nodes[i] = (struct group_member){ .id = members[i] };
	event.members = ring->nodes;
	event.member_count = count;
	ring->votes.quorate = quorate;
	ring->connect_ms = CONNECT_MS;
	votes_read(ring);
	event.node_id = ring->local_id;
	edge_post(&ring->edge, &event);
}

static void ring_ready(void *owner, int fd, uint32_t events)
{
	struct ring *ring = owner;
	cs_error_t code = quorum_dispatch(ring->quorum, CS_DISPATCH_ALL);

	(void)fd;
	if ((code != CS_OK && code != CS_ERR_TRY_AGAIN) ||
	    (events & (POLLHUP | POLLERR | POLLNVAL)))
		ring_again(ring);
}

static void ring_nodes_changed(quorum_handle_t handle, struct quorum_ring_id id, uint32_t count,
			       const uint32_t *members, uint32_t joined_count,
			       const uint32_t *joined, uint32_t left_count, const uint32_t *left)
{
	(void)handle;
	(void)id;
	(void)count;
	(void)members;
	(void)joined_count;
	(void)joined;
	(void)left_count;
	(void)left;
}

static void attempt_make(void *owner)
{
	quorum_model_v1_data_t model = {
		.model = QUORUM_MODEL_V1,
		.quorum_notify_fn = ring_changed,
		.nodelist_notify_fn = ring_nodes_changed,
	};
	votequorum_callbacks_t none = { 0 };
	struct ring *ring = owner;
	struct attempt *attempt = &ring->attempt;
	uint32_t type = 0;

	attempt->votes_open = attempt->tracking = false;
	attempt->open = quorum_model_initialize(&attempt->quorum, QUORUM_MODEL_V1,
						(quorum_model_data_t *)&model, &type,
						ring) == CS_OK;
	if (attempt->open)
		attempt->votes_open = votequorum_initialize(&attempt->votes, &none) == CS_OK;
	// What is tracked comes through quorum_dispatch(), on the loop.
	attempt->tracking = attempt->votes_open && type == QUORUM_SET &&
			    quorum_fd_get(attempt->quorum, &attempt->fd) == CS_OK &&
			    quorum_trackstart(attempt->quorum, CS_TRACK_CURRENT |
					      CS_TRACK_CHANGES) == CS_OK;
}

static void attempt_made(void *owner)
{
	struct ring *ring = owner;
	struct attempt *attempt = &ring->attempt;

	attempt->running = false;
	ring->quorum = attempt->quorum;
	ring->votes_handle = attempt->votes;
	ring->connected = attempt->open;
	ring->votes_connected = attempt->votes_open;
	if (attempt->tracking &&
	    loop_add_fd(ring->edge.loop, attempt->fd, POLLIN, ring_ready, ring) == 0)
		ring->fd = attempt->fd;
	else
		ring_again(ring);
}

static void ring_connect(void *owner)
{
	struct ring *ring = owner;

	ring->attempt.running = true;
	ring->attempt.task.work = attempt_make;
	ring->attempt.task.done = attempt_made;
	ring->attempt.task.owner = ring;
	worker_submit(ring->worker, &ring->attempt.task);
}

int ring_open(struct ring **out, const struct edge *edge)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	int error;

	*out = NULL;
	if (!ring)
		return -ENOMEM;
	ring->edge = *edge;
	ring->fd = -1;
	ring->connect_ms = CONNECT_MS;
	error = worker_open(&ring->worker, edge->loop, 1, "corosync-ring");
	if (!error)
		error = loop_timer_ms(edge->loop, &ring->timer, 0, ring_connect, ring);
	if (error) {
		worker_close(ring->worker);
		free(ring);
		return error;
	}
	*out = ring;
	return 0;
}

void ring_close(struct ring *ring)
{
	if (!ring)
		return;
	worker_close(ring->worker);
	ring_disconnect(ring);
	// The thread may hang in a call and has a hold on it.
	if (!ring->attempt.running)
		free(ring);
}

void ring_votes(const struct ring *ring, struct ring_votes *votes)
{
	*votes = ring->votes;
}
