// SPDX-License-Identifier: Apache-2.0
// Whether a VM may be moved as asked, and the drains of nodes: the moves of enum drain_state, drawn
// in cluster.h.
#include "clusterd/apply_move.h"
#include "clusterd/apply_tip.h"
#include "clusterd/text.h"

static bool target_allowed(struct apply *a, const struct vm *vm, uint8_t target)
{
	const char *name = vm_definition(a->cluster, vm)->name;
	const char *node = slot_name(a->cluster, target);
	const struct cluster_node *there = &a->cluster->nodes[target];

	if (!there->used)
		return refuse(a, "no-such-node", WORDS("the target was removed"),
			      WORDS("name one of: clustadm node list"));
	if (target == vm->owner)
		return refuse(a, "already-there", WORDS("vm ", name, " runs on ", node, " already"),
			      WORDS("name another node, or none"));
	if (vm->possible != 0 && !(vm->possible & slot_bit(target)))
		return refuse(a, "not-possible",
			      WORDS(node, " is not among the possible owners of vm ", name),
			      WORDS("add ", node, " to the possible owners of ", name));
	if (there->life != NODE_ONLINE)
		return refuse(a, "node-state", WORDS("node ", node, " is not online"),
			      WORDS("bring back ", node, ", or name another node"));
	if (there->maintenance)
		return refuse(a, "maintenance", WORDS("node ", node, " is in maintenance"),
			      WORDS("clustadm node maintenance ", node, " off"));
	if (!there->managed)
		return refuse(a, "unmanaged", WORDS("node ", node, " is unmanaged"),
			      WORDS("clustadm node manage ", node));
	if (there->report.leaving)
		return refuse(a, "node-state", WORDS("node ", node, " is shutting down"),
			      WORDS("bring back ", node, ", or name another node"));
	return true;
}

static bool vm_allowed(struct apply *a, const struct vm *vm)
{
	const char *name = vm_definition(a->cluster, vm)->name;
	const struct move *move = cluster_move(a->cluster, vm->move);

	if (move && (a->entry->type != ENTRY_MOVE_BEGIN || a->entry->move != move->id))
		return refuse(a, "moving",
			      WORDS("vm ", name,
				    move->kind == MOVE_SAVE ? " is being saved already"
							    : " is being moved already"),
			      WORDS("wait, or: clustadm vm cancel ", name));
	if (!vm->managed)
		return refuse(a, "unmanaged", WORDS("vm ", name, " is unmanaged"),
			      WORDS("clustadm vm manage ", name));
	if (vm->phase != VM_RUNNING || vm->wanted != VM_WANTED_RUNNING)
		return refuse(a, "not-running", WORDS("vm ", name, " does not run"),
			      WORDS("start it: clustadm vm start ", name));
	if (a->cluster->nodes[vm->owner].life != NODE_ONLINE)
		return refuse(
			a, "node-state",
			WORDS("node ", slot_name(a->cluster, vm->owner), ", where vm ", name,
			      " runs, is not online"),
			WORDS("wait until it is back, or until its VMs are started elsewhere"));
	return true;
}

bool move_allowed(struct apply *a, const struct vm *vm)
{
	uint8_t kind = a->entry->move_kind, target = a->entry->actor;
	bool begins = a->entry->type == ENTRY_MOVE_BEGIN, leaves;

	if (!vm_allowed(a, vm))
		return false;
	if (kind == MOVE_SAVE && target != SLOT_NONE)
		return refuse(a, "malformed", WORDS("a VM is saved without a target"), WORDS(""));
	// Without a target it is only saved, and placed anew when that is done: its host goes down.
	leaves = a->cluster->nodes[vm->owner].report.leaving && kind == MOVE_QUICK;
	if (begins && (kind == MOVE_LIVE || kind == MOVE_QUICK) && target == SLOT_NONE && !leaves)
		return refuse(a, "malformed", WORDS("the move has no target"), WORDS(""));
	return target == SLOT_NONE || target_allowed(a, vm, target);
}

// Where its VMs shall come back they keep `drained_from`; the coordinator moves them.
static void drain_over(struct apply *a, struct cluster_node *node, bool come_back)
{
	struct cluster *cluster = a->cluster;
	uint8_t slot = node_slot(cluster, node);

	node->maintenance = false;
	node->steady_ms = a->entry->at_ms;
	node->drain = DRAIN_NONE;
	node->drain_until_ms = 0;
	node->drain_return = node->drain_stop = false;
	text_copy(node->drain_reason, sizeof(node->drain_reason), "");
	for (uint32_t i = 0; i < cluster->move_high; i++) {
		struct move *move = &cluster->moves[i];

		if (move->id == 0 || move->cause != CAUSE_DRAIN || move->source != slot)
			continue;
		// It has left already, and is only not yet seen where it went.
		if (come_back && move_vm(a, move)->owner != slot)
			move_vm(a, move)->drained_from = slot;
		move_give_up(a, move);
	}
	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		struct vm *vm = &cluster->vms[i];

		if (vm->used && vm->drained_from == slot && (!come_back || !vm_owned(vm)))
			vm->drained_from = SLOT_NONE;
	}
}

void node_drain_begin(struct cluster_node *node)
{
	node->maintenance = true;
	node->drain = DRAIN_DRAINING;
	node->drain_until_ms = 0;
	node->drain_return = false;
}

static void drain_on(struct apply *a, struct cluster_node *node)
{
	node->maintenance = true;
	if (node->drain == DRAIN_NONE)
		node->drain = DRAIN_DRAINING;
	node->drain_until_ms = a->entry->until_ms;
	node->drain_return = a->entry->flag;
	node->drain_stop = a->entry->drain_stop;
}

bool apply_node_drain(struct apply *a)
{
	struct cluster_node *node = apply_named_node(a);
	const char *name = a->entry->name;
	bool going;

	if (!node)
		return false;
	going = node->drain == DRAIN_DRAINING || node->drain == DRAIN_STUCK;
	switch ((enum drain_verb)a->entry->drain_verb) {
	case DRAIN_ON:
		drain_on(a, node);
		return true;
	case DRAIN_OFF:
		if (!node->maintenance)
			return refuse(a, "not-in-maintenance",
				      WORDS("node ", name, " is not in maintenance"), WORDS(""));
		drain_over(a, node, a->entry->flag);
		return true;
	case DRAIN_ABORT:
		if (!going && node->drain != DRAIN_PAUSED)
			return refuse(a, "not-draining", WORDS("node ", name, " is not draining"),
				      WORDS("end its maintenance: clustadm node maintenance ", name,
					    " off"));
		drain_over(a, node, a->entry->flag);
		return true;
	case DRAIN_PAUSE:
		if (!going)
			return refuse(a, "not-draining", WORDS("node ", name, " is not draining"),
				      WORDS("see: clustadm node maintenance ", name, " status"));
		node->drain = DRAIN_PAUSED;
		return true;
	case DRAIN_RESUME:
		if (node->drain != DRAIN_PAUSED)
			return refuse(a, "not-paused",
				      WORDS("the drain of node ", name, " is not paused"),
				      WORDS("see: clustadm node maintenance ", name, " status"));
		node->drain = DRAIN_DRAINING;
		return true;
	case DRAIN_VERB_COUNT:
		break;
	}
	return refuse(a, "malformed", WORDS("unknown verb"), WORDS(""));
}

static bool is_empty(const struct cluster *cluster, uint8_t slot)
{
	for (uint32_t i = 0; i < cluster->vm_high; i++)
		if (cluster->vms[i].used && cluster->vms[i].owner == slot)
			return false;
	for (uint32_t i = 0; i < cluster->move_high; i++)
		if (move_needs_node(&cluster->moves[i], slot))
			return false;
	return true;
}

bool apply_node_drained(struct apply *a)
{
	struct cluster_node *node = apply_node(a);
	uint8_t state = a->entry->drain_state;

	if (!node)
		return false;
	if (node->drain == DRAIN_NONE || node->drain == DRAIN_PAUSED || state == DRAIN_NONE ||
	    state == DRAIN_PAUSED ||
	    (state == DRAIN_DRAINED && !is_empty(a->cluster, node_slot(a->cluster, node))))
		return refuse(a, "stale", WORDS("the drain of ", node->def.name, " has moved on"),
			      WORDS(""));
	node->drain = state;
	text_copy(node->drain_reason, sizeof(node->drain_reason),
		  state == DRAIN_STUCK ? a->entry->reason : "");
	return true;
}
