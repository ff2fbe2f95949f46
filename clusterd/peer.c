// SPDX-License-Identifier: Apache-2.0
// What this host does about another one because an entry named it: runs the fence agent, releases a
// dead host's claims.
#include <string.h>

#include "clusterd/node_internal.h"
#include "clusterd/text.h"
#include "quorum/loss.h"

enum {
	RELEASE_AGAIN_MS = 5000,
	RESULT_AGAIN_MS = 5000,
	ALONE_MS = 1000,
};

static void report_result(struct node *node, enum entry_type type, const struct event *event,
			  struct actions *actions)
{
	struct entry entry;

	memset(&entry, 0, sizeof(entry));
	entry.type = (uint8_t)type;
	entry.node_id = event->node_id;
	entry.attempt = event->attempt;
	entry.flag = event->flag;
	text_copy(entry.reason, sizeof(entry.reason), event->reason ? event->reason : "");
	node_propose(node, &entry, NULL, actions);
}

static void fence_ended(struct local_node *peer, bool ok, const char *reason)
{
	peer->fence_done = true;
	peer->fence_ok = ok;
	peer->fence_told_ms = 0;
	text_copy(peer->fence_reason, sizeof(peer->fence_reason), reason ? reason : "");
}

void peer_event(struct node *node, const struct event *event, struct actions *actions)
{
	const struct cluster_node *target;
	struct local_node *peer;

	if (event->type != EVENT_FENCE_DONE && event->type != EVENT_HOST_RELEASED)
		return;
	target = cluster_node_by_id(&node->cluster, event->node_id);
	if (!target)
		return;
	peer = &node->peers[node_slot(&node->cluster, target)];
	if (event->type == EVENT_FENCE_DONE) {
		if (event->attempt == peer->fence_attempt)
			fence_ended(peer, event->flag, event->reason);
	} else if (event->flag) {
		report_result(node, ENTRY_NODE_RELEASED, event, actions);
		peer->release_retry_ms = node->now_ms + RESULT_AGAIN_MS;
	} else {
		report_result(node, ENTRY_NODE_RELEASED, event, actions);
		peer->release_retry_ms = node->now_ms + RELEASE_AGAIN_MS;
	}
}

// Until the replica has moved on: while its actor takes part nobody else fences, and waits for its
// word without end.
static void fence_tell(struct node *node, const struct cluster_node *target,
		       struct local_node *peer, struct actions *actions)
{
	struct event done = { .node_id = target->def.id, .attempt = target->fence_attempt,
			      .flag = peer->fence_ok, .reason = peer->fence_reason };

	if (!peer->fence_done)
		return;
	if (!peer->fence_told_ms || node->now_ms - peer->fence_told_ms >= RESULT_AGAIN_MS) {
		report_result(node, ENTRY_FENCE_RESULT, &done, actions);
		peer->fence_told_ms = node->now_ms;
	}
	node_wake_at(node, peer->fence_told_ms + RESULT_AGAIN_MS);
}

/*
 * The fence was committed in this view and is carried out in it: a member of a minority, or one
 * that was away and catches up, does not come here. A node that is back in the ring is fenced only
 * when the administrator asked.
 */
static void fence_step(struct node *node, uint8_t slot, struct actions *actions)
{
	const struct cluster_node *target = &node->cluster.nodes[slot];
	struct local_node *peer = &node->peers[slot];
	struct action *action;

	if (target->life != NODE_FENCING || target->fence_actor != node_self_slot(node))
		return;
	if (peer->fence_attempt == target->fence_attempt) {
		fence_tell(node, target, peer, actions);
		return;
	}
	peer->fence_attempt = target->fence_attempt;
	peer->fence_done = false;
	if (view_in_ring(node->view, target->def.id) && !target->fence_wanted)
		fence_ended(peer, false, "it is back in corosync's membership");
	else if (target->fence_device >= target->def.fence_count)
		fence_ended(peer, false, "its fence device is no longer defined");
	if (peer->fence_done) {
		fence_tell(node, target, peer, actions);
		return;
	}
	action = actions_add(actions, ACTION_FENCE);
	action->node_id = target->def.id;
	action->attempt = target->fence_attempt;
	action->device = target->fence_device;
}

/*
 * Releasing the claims of a living host would make two owners. So: only of a node whose power was
 * proved off in a committed entry, only while it is not in corosync's membership, and only of the
 * generations that it had when it was lost (the performer reads them again immediately before).
 */
static void release_step(struct node *node, uint8_t slot, struct actions *actions)
{
	const struct cluster_node *target = &node->cluster.nodes[slot];
	struct local_node *peer = &node->peers[slot];
	struct action *action;
	uint64_t *generation;

	if (target->life != NODE_FENCED || view_in_ring(node->view, target->def.id))
		return;
	if (loss_releaser(&node->cluster, node_present(node), slot) != node_self_slot(node))
		return;
	if (peer->release_attempt == target->fence_attempt &&
	    node->now_ms < peer->release_retry_ms) {
		node_wake_at(node, peer->release_retry_ms);
		return;
	}
	peer->release_attempt = target->fence_attempt;
	peer->release_retry_ms = UINT64_MAX;
	generation = actions_bytes(actions, sizeof(target->fence_generation));
	memcpy(generation, target->fence_generation, sizeof(target->fence_generation));
	action = actions_add(actions, ACTION_HOST_RELEASE);
	action->node_id = target->def.id;
	action->attempt = target->fence_attempt;
	action->generation_mask = target->fence_generation_mask;
	action->generation = generation;
}

/*
 * Whoever was seen alive in the present time of quorum and is gone counts as lost at once. After a
 * time without quorum (a cold start, corosync restarted everywhere, a switch that rebooted) nodes
 * appear one by one, and one that has not yet is given time: to fence it at once would cost its VMs
 * for nothing.
 */
static void peer_watch(struct node *node)
{
	bool alone = !view_quorate(node->view);
	uint8_t high = node->cluster.node_high > node->peer_high ? node->cluster.node_high
								 : node->peer_high;

	// A node that only joins the group again is back in a few hundred ms; a corosync that
	// starts anew is not.
	if (view_state(node->view) != VIEW_ALONE)
		node->alone_ms = 0;
	else if (node->alone_ms == 0)
		node->alone_ms = node->now_ms;
	if (node->alone_ms && node->now_ms - node->alone_ms >= ALONE_MS)
		alone = true;
	else if (node->alone_ms)
		node_wake_at(node, node->alone_ms + ALONE_MS);
	for (uint8_t slot = 0; slot < high; slot++) {
		const struct cluster_node *other = &node->cluster.nodes[slot];
		struct local_node *peer = &node->peers[slot];

		if (!other->used && peer->known)
			memset(peer, 0, sizeof(*peer));
		peer->known = other->used;
		if (!other->used)
			continue;
		if (alone)
			peer->seen = false;
		else if (view_in_ring(node->view, other->def.id))
			peer->seen = true;
	}
	node->peer_high = node->cluster.node_high;
}

// Whoever left is in the group until its daemon ends, and taken for back at once it would count as
// lost when it is gone.
void peer_left(struct node *node, uint32_t id, uint64_t view)
{
	const struct cluster_node *other = cluster_node_by_id(&node->cluster, id);

	if (other)
		node->peers[node_slot(&node->cluster, other)].left_view = view;
}

void peer_step(struct node *node, struct actions *actions)
{
	peer_watch(node);
	if (!view_normal(node->view))
		return;
	for (uint8_t slot = 0; slot < node->cluster.node_high; slot++) {
		if (!node->cluster.nodes[slot].used)
			continue;
		fence_step(node, slot, actions);
		release_step(node, slot, actions);
	}
}
