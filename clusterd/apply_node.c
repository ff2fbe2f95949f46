// SPDX-License-Identifier: Apache-2.0
// Entries about nodes: the moves of enum node_life (see cluster.h for the drawing).
#include <string.h>

#include "clusterd/apply_move.h"
#include "clusterd/text.h"

static const char *life_word(enum node_life life)
{
	switch (life) {
	case NODE_UNKNOWN:
		return "not seen yet";
	case NODE_ONLINE:
		return "online";
	case NODE_LEFT:
		return "gone on purpose";
	case NODE_LOST:
		return "lost";
	case NODE_FENCING:
		return "being fenced";
	case NODE_FENCED:
		return "fenced";
	case NODE_DEAD:
		return "dead";
	case NODE_EXPIRING:
		return "expiring";
	case NODE_LIFE_COUNT:
		break;
	}
	return "?";
}

void node_set_life(struct apply *a, struct cluster_node *node, enum node_life life)
{
	if (node->life != life)
		node->since_ms = node->steady_ms = a->entry->at_ms;
	node->life = (uint8_t)life;
}

static void set_reason(struct cluster_node *node, const char *reason)
{
	text_copy(node->reason, sizeof(node->reason), reason);
}

static bool refuse_life(struct apply *a, const struct cluster_node *node, const char *fix)
{
	return refuse(a, "node-state",
		      WORDS("node ", node->def.name, " is ", life_word(node->life)), WORDS(fix));
}

bool apply_node_manage(struct apply *a)
{
	struct cluster_node *node = apply_named_node(a);

	if (!node)
		return false;
	node->managed = a->entry->flag;
	return true;
}

bool apply_node_fence(struct apply *a)
{
	struct cluster_node *node = apply_named_node(a);

	if (!node)
		return false;
	if (node->life == NODE_DEAD)
		return refuse(a, "already-off", WORDS("node ", node->def.name, " is off already"),
			      WORDS(""));
	if (node->def.fence_count == 0)
		return refuse(a, "no-fence-device",
			      WORDS("node ", node->def.name, " has no fence device"),
			      WORDS("define one, or switch it off by hand and say so: "
				    "clustadm node confirm-dead ",
				    node->def.name));
	node->fence_wanted = true;
	return true;
}

// Its ids as it reported them last: the release checks each generation again, on the disk, before
// it writes.
static void capture_generations(struct cluster_node *node)
{
	node->fence_generation_mask = 0;
	for (uint32_t i = 0; i < VOLUMES_MAX; i++) {
		const struct node_volume *volume = &node->report.volumes[i];

		node->fence_generation[i] = volume->joined ? volume->generation : 0;
		if (volume->joined)
			node->fence_generation_mask |= UINT32_C(1) << i;
	}
}

bool apply_node_confirm_dead(struct apply *a)
{
	struct cluster_node *node = apply_named_node(a);

	if (!node)
		return false;
	if (node->life != NODE_LOST && node->life != NODE_FENCING && node->life != NODE_EXPIRING)
		return refuse_life(a, node, "only a lost node can be confirmed dead");
	capture_generations(node);
	node->fence_attempt++;
	node->fence_actor = SLOT_NONE;
	node->fence_failures = 0;
	node_set_life(a, node, NODE_FENCED);
	set_reason(node, "confirmed dead by the administrator");
	return true;
}

// What was given up on this node by expiry alone is known to have ended there.
static void nothing_more_runs(struct apply *a, const struct cluster_node *node)
{
	uint64_t bit = slot_bit(node_slot(a->cluster, node));

	for (uint32_t i = 0; i < a->cluster->vm_high; i++)
		a->cluster->vms[i].unproven &= ~bit;
}

bool apply_node_report(struct apply *a)
{
	struct cluster_node *node = apply_node(a);

	if (!node)
		return false;
	if (a->entry->from != a->entry->node_id)
		return refuse(a, "not-yours", WORDS("a node reports about itself alone"),
			      WORDS(""));
	/*
	 * A node reports the VMs that it found before it reports itself: what it has not found, it
	 * does not run. That goes for the view that it was said in: a report that waited out a time
	 * apart knows nothing of what the cluster gave up meanwhile.
	 */
	if (!node->reported && a->entry->view != 0 && a->entry->view != a->cluster->view)
		return refuse(a, "stale-view",
			      WORDS("node ", node->def.name, " reported in another view"),
			      WORDS("report again"));
	if (node->life == NODE_ONLINE && !node->reported)
		nothing_more_runs(a, node);
	memcpy(&node->report, &a->entry->report, sizeof(node->report));
	node->report_stamp = ++a->cluster->reports;
	// A volume that was removed on the report's way: it is not about the next one in its slot.
	for (uint8_t v = 0; v < VOLUMES_MAX; v++)
		if (!a->cluster->volumes[v].used)
			memset(&node->report.volumes[v], 0, sizeof(node->report.volumes[v]));
	node->reported = true;
	return true;
}

static const struct vm *first_owned(const struct cluster *cluster, uint8_t slot)
{
	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		const struct vm *vm = &cluster->vms[i];

		if (vm->used && vm->owner == slot && vm_owned(vm))
			return vm;
	}
	return NULL;
}

bool apply_node_goodbye(struct apply *a)
{
	struct cluster_node *node = apply_node(a);
	const struct vm *vm;

	if (!node)
		return false;
	if (a->entry->from != a->entry->node_id)
		return refuse(a, "not-yours", WORDS("a node says goodbye for itself alone"),
			      WORDS(""));
	if (node->life != NODE_ONLINE && node->life != NODE_UNKNOWN && node->life != NODE_LEFT)
		return refuse_life(a, node, "it must come back first");
	vm = first_owned(a->cluster, node_slot(a->cluster, node));
	if (vm)
		return refuse(a, "in-use",
			      WORDS("node ", node->def.name, " still has vm ",
				    vm_definition(a->cluster, vm)->name),
			      WORDS("stop or move it first"));
	for (uint32_t i = 0; i < a->cluster->move_high; i++)
		if (move_needs_node(&a->cluster->moves[i], node_slot(a->cluster, node)))
			return refuse(a, "in-use",
				      WORDS("node ", node->def.name,
					    " still takes part in the move of a vm"),
				      WORDS("wait until it is over: clustadm moves"));
	nothing_more_runs(a, node);
	node_set_life(a, node, NODE_LEFT);
	node->reported = false;
	set_reason(node, a->entry->reason);
	return true;
}

// VMs keep their owner: whether they still run there is not known, and nothing here proves that
// they do not.
bool apply_node_lost(struct apply *a)
{
	struct cluster_node *node = apply_node(a);

	if (!node)
		return false;
	if (node->life == NODE_FENCING || node->life == NODE_FENCED)
		return true;
	if (node->life != NODE_ONLINE)
		return refuse_life(a, node, "only an online node can be lost");
	node_set_life(a, node, NODE_LOST);
	set_reason(node, a->entry->reason);
	moves_node_changed(a, node_slot(a->cluster, node));
	return true;
}

static bool may_be_fenced(const struct cluster_node *node)
{
	return node->life == NODE_LOST || node->life == NODE_FENCING ||
	       node->life == NODE_EXPIRING || (node->life == NODE_ONLINE && node->fence_wanted);
}

bool apply_node_fencing(struct apply *a)
{
	const struct entry *entry = a->entry;
	struct cluster_node *node = apply_node(a);

	if (!node)
		return false;
	if (!may_be_fenced(node))
		return refuse_life(a, node, "it need not be fenced");
	if (entry->attempt != node->fence_attempt + 1)
		return refuse(a, "stale",
			      WORDS("node ", node->def.name, " has seen another fence attempt"),
			      WORDS("decide again"));
	if (entry->device >= node->def.fence_count || entry->actor >= NODES_MAX ||
	    !a->cluster->nodes[entry->actor].used)
		return refuse(a, "no-fence-device",
			      WORDS("node ", node->def.name,
				    " has no such fence device, or nobody to use it"),
			      WORDS("decide again"));
	node->fence_attempt = entry->attempt;
	node->fence_actor = entry->actor;
	node->fence_device = entry->device;
	node->fence_generation_mask = entry->generation_mask;
	memcpy(node->fence_generation, entry->generation, sizeof(node->fence_generation));
	node_set_life(a, node, NODE_FENCING);
	set_reason(node, entry->reason);
	moves_node_changed(a, node_slot(a->cluster, node));
	return true;
}

// That a node is off is believed of its actor alone; that the actor failed may also be said for it.
bool apply_fence_result(struct apply *a)
{
	const struct entry *entry = a->entry;
	struct cluster_node *node = apply_node(a);

	if (!node)
		return false;
	if (node->life != NODE_FENCING || entry->attempt != node->fence_attempt)
		return refuse(a, "stale", WORDS("node ", node->def.name, " has moved on"),
			      WORDS(""));
	if (entry->flag && apply_from(a) != node->fence_actor)
		return refuse(a, "not-yours",
			      WORDS("only ", slot_name(a->cluster, node->fence_actor), " fences ",
				    node->def.name),
			      WORDS(""));
	if (entry->flag) {
		node_set_life(a, node, NODE_FENCED);
		node->fence_failures = 0;
	} else {
		node_set_life(a, node, NODE_LOST);
		node->fence_failures++;
	}
	set_reason(node, entry->reason);
	return true;
}

// The node is off and its claims are gone: nothing of it runs, anywhere.
static void free_vms(struct apply *a, const struct cluster_node *node)
{
	uint8_t slot = node_slot(a->cluster, node);

	for (uint32_t i = 0; i < a->cluster->vm_high; i++) {
		struct vm *vm = &a->cluster->vms[i];

		vm->unproven &= ~slot_bit(slot);
		vm->strays &= ~slot_bit(slot);
		if (!vm->used || vm->owner != slot || !vm_owned(vm) || vm->move != 0)
			continue;
		vm_set_idle(a, vm, VM_IDLE);
		words_join(vm->reason, sizeof(vm->reason), WORDS(node->def.name, " was lost"));
		vm_say_strays(a, vm);
	}
	moves_node_dead(a, slot);
}

/*
 * Its power is proved off, so nothing of it runs, released or not. A claim that cannot be released
 * (its volume does not answer) must not keep the VMs of all the other volumes down: whoever starts
 * them still asks sanlock, which grants such a lease once it has expired.
 */
bool apply_node_released(struct apply *a)
{
	enum { RELEASE_TRIES = 3 };
	const struct entry *entry = a->entry;
	struct cluster_node *node = apply_node(a);

	if (!node)
		return false;
	if (node->life != NODE_FENCED || entry->attempt != node->fence_attempt)
		return refuse(a, "stale", WORDS("node ", node->def.name, " has moved on"),
			      WORDS(""));
	set_reason(node, entry->reason);
	if (!entry->flag && ++node->fence_failures < RELEASE_TRIES)
		return true;
	node_set_life(a, node, NODE_DEAD);
	node->fence_failures = 0;
	node->reported = false;
	node->fence_wanted = false;
	free_vms(a, node);
	return true;
}

/*
 * Expiry proves an end only where a watchdog resets the host that cannot renew: without one its
 * QEMUs may live on with leases that sanlock already grants to others.
 */
bool apply_node_expiring(struct apply *a)
{
	struct cluster_node *node = apply_node(a);

	if (!node)
		return false;
	if (node->life != NODE_LOST)
		return refuse_life(a, node, "only a lost node's leases expire");
	if (!node->reported || !node->report.watchdog)
		return refuse(a, "no-watchdog",
			      WORDS("no watchdog guards the leases of ", node->def.name),
			      WORDS("see that it is off, then: clustadm node confirm-dead ",
				    node->def.name));
	node_set_life(a, node, NODE_EXPIRING);
	set_reason(node, a->entry->reason);
	moves_node_expiring(a, node_slot(a->cluster, node));
	return true;
}

bool apply_node_back(struct apply *a)
{
	struct cluster_node *node = apply_node(a);

	if (!node)
		return false;
	if (node->life == NODE_EXPIRING)
		moves_node_back(a, node_slot(a->cluster, node));
	node_set_life(a, node, NODE_ONLINE);
	node->fence_failures = 0;
	node->fence_wanted = false;
	node->reported = false;
	set_reason(node, a->entry->reason);
	return true;
}
