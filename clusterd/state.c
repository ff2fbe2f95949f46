// SPDX-License-Identifier: Apache-2.0
// The words for people: the state of a VM and of a node, and why, as one node sees the cluster.
#include <string.h>

#include "clusterd/describe_move.h"
#include "clusterd/node_internal.h"
#include "clusterd/rule_index.h"
#include "clusterd/text.h"
#include "policies/order.h"
#include "policies/shutdown.h"
#include "policies/up_words.h"
#include "quorum/loss.h"

const char *vm_state_word(enum vm_state state)
{
	switch (state) {
	case VM_STATE_RUNNING: return "running";
	case VM_STATE_STOPPED: return "stopped";
	case VM_STATE_WAITING: return "waiting";
	case VM_STATE_ERROR: return "error";
	case VM_STATE_BLOCKED: return "blocked";
	case VM_STATE_STARTING: return "starting";
	case VM_STATE_STOPPING: return "stopping";
	case VM_STATE_MIGRATING: return "migrating";
	case VM_STATE_UNMANAGED: return "unmanaged";
	case VM_STATE_DISABLED: return "disabled";
	case VM_STATE_SAVED: return "saved";
	case VM_STATE_COUNT: break;
	}
	return "?";
}

const char *node_state_word(enum node_state state)
{
	switch (state) {
	case NODE_STATE_ONLINE: return "online";
	case NODE_STATE_OFFLINE: return "offline";
	case NODE_STATE_LOST: return "lost";
	case NODE_STATE_FENCING: return "fencing";
	case NODE_STATE_MAINTENANCE: return "maintenance";
	case NODE_STATE_DRAINING: return "draining";
	case NODE_STATE_ISOLATED: return "isolated";
	case NODE_STATE_QUARANTINED: return "quarantined";
	case NODE_STATE_UNMANAGED: return "unmanaged";
	case NODE_STATE_JOINING: return "joining";
	case NODE_STATE_COUNT: break;
	}
	return "?";
}

const char *volume_state_word(enum volume_state state)
{
	switch (state) {
	case VOLUME_OFFLINE: return "offline";
	case VOLUME_ONLINE: return "online";
	case VOLUME_SLOW: return "slow";
	case VOLUME_LOST: return "lost";
	case VOLUME_STATE_COUNT: break;
	}
	return "?";
}

static void say(char *reason, const char *first, const char *second)
{
	struct text text = text_in(reason, REASON_SIZE);

	text_add(text_add(&text, first), second);
}

// Its clusterd is there, and where there is a view, takes part in it.
static bool member_answers(const struct node *node, const struct cluster_node *cnode)
{
	return view_normal(node->view) ? view_synchronised(node->view, cnode->def.id)
				       : view_member(node->view, cnode->def.id);
}

enum node_state node_node_state(const struct node *node, const struct cluster_node *cnode,
				char *reason)
{
	bool in_ring = view_in_ring(node->view, cnode->def.id);
	bool member = member_answers(node, cnode);

	text_copy(reason, REASON_SIZE, "");
	if (!view_normal(node->view) && !in_ring) {
		say(reason, "this node has no quorum and does not see it", "");
		return NODE_STATE_ISOLATED;
	}
	text_copy(reason, REASON_SIZE, cnode->reason);
	switch ((enum node_life)cnode->life) {
	case NODE_UNKNOWN:
	case NODE_LEFT:
	case NODE_DEAD:
		return member ? NODE_STATE_JOINING : NODE_STATE_OFFLINE;
	case NODE_LOST:
	case NODE_EXPIRING:
	case NODE_FENCED:
		return NODE_STATE_LOST;
	case NODE_FENCING:
		return NODE_STATE_FENCING;
	case NODE_ONLINE:
	case NODE_LIFE_COUNT:
		break;
	}
	text_copy(reason, REASON_SIZE, "");
	if (!in_ring) {
		say(reason, "it is not in corosync's membership", "");
		return NODE_STATE_LOST;
	}
	if (!member) {
		say(reason, "its host is up, but its clusterd does not answer", "");
		return NODE_STATE_UNMANAGED;
	}
	if (!cnode->managed)
		return NODE_STATE_UNMANAGED;
	if (cnode->maintenance) {
		text_copy(reason, REASON_SIZE, cnode->drain_reason);
		if (cnode->drain == DRAIN_PAUSED)
			say(reason, "its drain is paused", "");
		return cnode->drain == DRAIN_DRAINED || cnode->drain == DRAIN_NONE
			       ? NODE_STATE_MAINTENANCE
			       : NODE_STATE_DRAINING;
	}
	if (!cnode->reported)
		return NODE_STATE_JOINING;
	return NODE_STATE_ONLINE;
}

// It is to run, and nobody is known to run it.
static enum vm_state homeless_state(const struct node *node, const struct vm *vm, char *reason)
{
	char why[REASON_SIZE], fix[REASON_SIZE];
	struct placement_load load;
	struct text text;

	placement_load_init_at(&load, &node->cluster, node_present(node), node->wall_ms);
	if (placement_choose(&node->cluster, &load, vm) != SLOT_NONE)
		return VM_STATE_STARTING;
	placement_explain(&node->cluster, &load, vm, why, fix);
	text = text_in(reason, REASON_SIZE);
	text_add(&text, why);
	return VM_STATE_WAITING;
}

bool waits_for_turn(const struct node *node, const struct vm *vm, struct order_wait *wait)
{
	const struct move *move = cluster_move(&node->cluster, vm->move);

	*wait = (struct order_wait){ SLOT_NONE, UINT64_MAX };
	return move && move->stage == STAGE_START &&
	       order_holds_start(&node->cluster, vm, node->wall_ms, wait);
}

// It is being moved, and runs all the while or begins again where it goes.
static bool moving_state(const struct node *node, const struct vm *vm, char *reason)
{
	const struct move *move = cluster_move(&node->cluster, vm->move);
	struct text text = text_in(reason, REASON_SIZE);
	struct order_wait wait;

	if (!move || move->stage == STAGE_ASKED)
		return false;
	if (move->kind == MOVE_SAVE)
		text_add(&text, "it is being saved");
	else if (move->stage == STAGE_UNDO)
		text_add(text_add(&text, "it stays where it was: "), move->reason);
	else if (move->target != SLOT_NONE)
		text_add(text_add(text_add(text_add(&text, "to "),
					   node->cluster.nodes[move->target].def.name),
				  ": "),
			 move_stage_word(move->stage));
	else
		text_add(&text, move->cause == CAUSE_POLICY
					? "it is being stopped, and yields to a more important vm"
					: "it is being shut down for the maintenance of its node");
	if (!waits_for_turn(node, vm, &wait))
		return true;
	text_add(text_add(&text, ", after "), node->cluster.rules[wait.rule].def.name);
	up_explain(&node->cluster, wait.rule, &text);
	return true;
}

static enum vm_state owned_state(const struct node *node, const struct vm *vm, char *reason)
{
	const struct cluster_node *owner = &node->cluster.nodes[vm->owner];
	const struct vm_local *local = &node->locals[vm->ref.slot];
	bool mine = owner->def.id == node->self && vm->ref.slot < node->local_touched &&
		    local->ref.serial == vm->ref.serial;
	bool member = member_answers(node, owner);

	if (owner->life == NODE_ONLINE && !member && view_in_ring(node->view, owner->def.id)) {
		say(reason, owner->def.name,
		    vm->phase == VM_RUNNING
			    ? "'s clusterd does not answer; its VMs are left alone"
			    : "'s clusterd does not answer, and was to start it: start that daemon "
			      "again, or have the node fenced");
		return VM_STATE_UNMANAGED;
	}
	if (vm->phase == VM_RUNNING && owner->life != NODE_ONLINE && owner->life != NODE_EXPIRING) {
		say(reason, "it may still run on ", owner->def.name);
		return VM_STATE_BLOCKED;
	}
	if (moving_state(node, vm, reason))
		return VM_STATE_MIGRATING;
	if (owner->life == NODE_EXPIRING && vm->wanted == VM_WANTED_RUNNING)
		return homeless_state(node, vm, reason);
	if (mine && local->life != LIFE_OFFLINE)
		text_copy(reason, REASON_SIZE, local->reason);
	if (vm->wanted != VM_WANTED_RUNNING || vm_is_held(&node->cluster, vm) ||
	    (mine && local->life == LIFE_STOPPING))
		return VM_STATE_STOPPING;
	return vm->phase == VM_RUNNING ? VM_STATE_RUNNING : VM_STATE_STARTING;
}

static enum vm_state idle_state(const struct node *node, const struct vm *vm, char *reason)
{
	uint64_t left_ms;

	if (vm->wanted == VM_WANTED_DISABLED)
		return VM_STATE_DISABLED;
	if (vm->wanted == VM_WANTED_STOPPED)
		return vm->saved == SAVED_KEPT ? VM_STATE_SAVED : VM_STATE_STOPPED;
	if (placement_shut_down(&node->cluster, vm)) {
		say(reason, "shut down until the maintenance is over of ",
		    node->cluster.nodes[vm->drained_from].def.name);
		return VM_STATE_STOPPED;
	}
	if (!view_normal(node->view)) {
		say(reason, "there is no quorum", "");
		return VM_STATE_WAITING;
	}
	if (bound_waits(&node->cluster, vm, node->wall_ms, &left_ms)) {
		say(reason, "it is bound to this host, which went down on purpose: ",
		    node->cluster.nodes[vm->bound_to].def.name);
		return VM_STATE_WAITING;
	}
	for (uint32_t i = 0; i < vm->lease_count; i++) {
		const struct cluster_volume *volume = &node->cluster.volumes[vm->leases[i].volume];

		if (vm->leases[i].life == LEASE_READY)
			continue;
		say(reason, volume->prepared ? "its lease is being made on volume "
					     : "its volume is not prepared yet: ",
		    volume->def.name);
		if (!volume->prepared && volume->reason[0])
			text_copy(reason, REASON_SIZE, volume->reason);
		return VM_STATE_WAITING;
	}
	return homeless_state(node, vm, reason);
}

enum vm_state node_vm_state(const struct node *node, const struct vm *vm, char *reason)
{
	enum vm_state state = VM_STATE_WAITING;

	text_copy(reason, REASON_SIZE, vm->reason);
	switch ((enum vm_phase)vm->phase) {
	case VM_ERROR:
		return VM_STATE_ERROR;
	case VM_BLOCKED:
		return VM_STATE_BLOCKED;
	case VM_PLACED:
	case VM_RUNNING:
		state = owned_state(node, vm, reason);
		break;
	case VM_IDLE:
	case VM_PHASE_COUNT:
		state = idle_state(node, vm, reason);
		break;
	}
	if (vm->managed)
		return state;
	say(reason, "it is unmanaged: nothing is done about it", "");
	return VM_STATE_UNMANAGED;
}
