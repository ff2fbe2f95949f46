// SPDX-License-Identifier: Apache-2.0
/*
 * The coordinator's part in drains: carries out the plan of policies/drain.c as far as the limits
 * of moves allow, says how far it has come, and brings back those that left. Everything follows
 * from the replicated state, so a new coordinator goes on where the last one stopped.
 */
#include <string.h>

#include "clusterd/decide_move.h"
#include "clusterd/text.h"
#include "policies/drain.h"

enum {
	AGAIN_MS = 30000,      // after a move of it failed
	SAVE_AFTER_MS = 60000, // of a host's shutdown: what has not left by then is saved
};

static bool needs_node(const struct cluster *cluster, uint8_t slot)
{
	for (uint32_t i = 0; i < cluster->move_high; i++) {
		const struct move *move = &cluster->moves[i];

		if (move->id != 0 && move->stage != STAGE_ASKED &&
		    ((move->source == slot && !move->source_gone) ||
		     (move->target == slot && !move->target_gone && move->kind == MOVE_LIVE)))
			return true;
	}
	return false;
}

// Its last move failed a moment ago. The clocks of two nodes may differ: an end in the future has
// just come.
bool move_failed_lately(struct node *node, const struct vm *vm, uint64_t again_ms)
{
	const char *name = vm_definition(&node->cluster, vm)->name;

	for (uint32_t i = 1; i <= PAST_MOVES_MAX; i++) {
		const struct past_move *past =
			&node->cluster.past_moves[(node->cluster.past_move + PAST_MOVES_MAX - i) %
						  PAST_MOVES_MAX];
		uint64_t ago;

		if (past->id == 0 || strcmp(past->vm, name) != 0)
			continue;
		ago = node->wall_ms > past->ended_ms ? node->wall_ms - past->ended_ms : 0;
		if (past->outcome == MOVE_DONE || ago >= again_ms)
			return false;
		node_wake_at(node, node->now_ms + again_ms - ago);
		return true;
	}
	return false;
}

static bool failed_lately(struct node *node, const struct vm *vm)
{
	return move_failed_lately(node, vm, AGAIN_MS);
}

/*
 * The plan goes by placement. What its preflight would refuse on the planned target goes to another
 * node where nothing fails, or does not leave.
 */
static void check_step(const struct cluster *cluster, const struct move_round *round,
		       struct drain_step *step)
{
	enum move_kind kind = (enum move_kind)step->method;
	struct preflight result;

	if (step->kind != DRAIN_STEP_MOVE || step->target == SLOT_NONE)
		return;
	preflight_judge(cluster, &round->moves, step->vm, step->target, kind, &result);
	if (result.verdict != CHECK_FAIL)
		return;
	step->target = move_choose_target(cluster, round, step->vm, SLOT_NONE, kind);
	if (step->target != SLOT_NONE)
		return;
	step->kind = DRAIN_STEP_BLOCKED;
	move_explain(cluster, round, step->vm, SLOT_NONE, kind, step->reason, step->fix);
}

static void say_stuck(struct text *text, const struct cluster *cluster,
		      const struct drain_step *step, uint32_t blocked)
{
	text_add(text_add(text_add(text, vm_definition(cluster, step->vm)->name), ": "),
		 step->reason);
	if (blocked > 1)
		text_add(text_add_number(text_add(text, "; and "), blocked - 1), " more");
}

// How far it has come; what is due of the plan is proposed on the way.
// It cannot leave, and its node is to be empty all the same: it waits for another one.
static bool is_shut_down(const struct cluster_node *target, const struct drain_step *step)
{
	const struct vm *vm = step->vm;

	return target->drain_stop && step->kind == DRAIN_STEP_BLOCKED && vm->move == 0 &&
	       vm->managed && vm->phase == VM_RUNNING && vm->wanted == VM_WANTED_RUNNING;
}

// Whether it leaves the same node by being stopped.
static bool leaves_cold(const void *context, const struct vm *other)
{
	const struct drain_plan *plan = context;
	char reason[REASON_SIZE];

	return other->owner == plan->node && other->phase == VM_RUNNING && other->managed &&
	       other->wanted == VM_WANTED_RUNNING &&
	       vm_definition(plan->cluster, other)->on_drain != ON_DRAIN_STAY &&
	       drain_method(plan->cluster, other, reason) == MOVE_COLD;
}

static enum drain_state drain_go_on(struct node *node, struct move_round *round, uint8_t slot,
				    char *reason, struct actions *actions)
{
	struct text text = text_in(reason, REASON_SIZE);
	struct drain_step step, first = { .vm = NULL };
	uint32_t blocked = 0;
	bool going = needs_node(&node->cluster, slot);
	struct drain_plan plan;

	drain_plan_init(&plan, &node->cluster, slot, &round->load, node->scratch);
	while (drain_plan_next(&plan, &step)) {
		struct move_choice choice = { .vm = step.vm, .kind = step.method,
					      .cause = CAUSE_DRAIN };

		check_step(&node->cluster, round, &step);
		choice.target = step.target;
		if (is_shut_down(&node->cluster.nodes[slot], &step)) {
			step.kind = DRAIN_STEP_MOVE;
			choice.kind = MOVE_COLD;
		}
		if (step.kind == DRAIN_STEP_BLOCKED) {
			if (blocked++ == 0)
				first = step;
			continue;
		}
		going = true;
		choice.asks = choice.kind == MOVE_COLD &&
			      move_is_tied(&node->cluster, step.vm, leaves_cold, &plan);
		if (step.kind != DRAIN_STEP_MOVE ||
		    (!choice.asks && !move_has_room(&node->cluster, round, step.vm, step.target)) ||
		    failed_lately(node, step.vm) || !actions_room(actions, 16, 64 * 1024))
			continue;
		move_propose(node, round, &choice, actions);
	}
	if (going)
		return DRAIN_DRAINING;
	if (blocked == 0)
		return DRAIN_DRAINED;
	say_stuck(&text, &node->cluster, &first, blocked);
	return DRAIN_STUCK;
}

static void propose_state(struct node *node, uint8_t slot, enum drain_state state,
			  const char *reason, struct actions *actions)
{
	const struct cluster_node *target = &node->cluster.nodes[slot];
	struct entry entry;

	if (target->drain == state &&
	    (state != DRAIN_STUCK || strcmp(target->drain_reason, reason) == 0))
		return;
	entry_clear(&entry);
	entry.type = ENTRY_NODE_DRAINED;
	entry.node_id = target->def.id;
	entry.drain_state = (uint8_t)state;
	text_copy(entry.reason, sizeof(entry.reason), state == DRAIN_STUCK ? reason : "");
	node_propose(node, &entry, NULL, actions);
}

// A drain with an end (`--for`) is ended as an administrator would.
static bool ends_by_itself(struct node *node, uint8_t slot, struct actions *actions)
{
	const struct cluster_node *target = &node->cluster.nodes[slot];
	struct entry entry;

	if (target->drain_until_ms == 0)
		return false;
	if (node->wall_ms < target->drain_until_ms) {
		node_wake_at(node, node->now_ms + (target->drain_until_ms - node->wall_ms));
		return false;
	}
	if (node->drain_off_ms && node->now_ms - node->drain_off_ms < 1000) {
		node_wake_at(node, node->drain_off_ms + 1000);
		return true;
	}
	node->drain_off_ms = node->now_ms;
	entry_clear(&entry);
	entry.type = ENTRY_NODE_DRAIN;
	entry.drain_verb = DRAIN_OFF;
	entry.flag = target->drain_return;
	text_copy(entry.name, sizeof(entry.name), target->def.name);
	node_propose(node, &entry, NULL, actions);
	return true;
}

static void decide_drain(struct node *node, struct move_round *round, uint8_t slot,
			 struct actions *actions)
{
	const struct cluster_node *target = &node->cluster.nodes[slot];
	char reason[REASON_SIZE] = "";
	enum drain_state state;

	if (ends_by_itself(node, slot, actions) || target->drain == DRAIN_PAUSED ||
	    !(round->load.present >> slot & 1) || !target->reported)
		return;
	state = drain_go_on(node, round, slot, reason, actions);
	propose_state(node, slot, state, reason, actions);
}

/*
 * A host that goes down is emptied as for maintenance, but not for ever: what cannot leave, or has
 * not in time, is saved to its volume, and goes on from there wherever it can next be placed. What
 * even that takes too long for is stopped by its own node (host.c), whose deadline is later.
 */
static void decide_leaving(struct node *node, struct move_round *round, uint8_t slot,
			   struct actions *actions)
{
	struct local_node *peer = &node->peers[slot];
	struct drain_plan plan;
	struct drain_step step;
	bool late;

	if (peer->leaving_ms == 0)
		peer->leaving_ms = node->now_ms;
	late = node->now_ms - peer->leaving_ms >= SAVE_AFTER_MS;
	if (!late)
		node_wake_at(node, peer->leaving_ms + SAVE_AFTER_MS);
	drain_plan_init(&plan, &node->cluster, slot, &round->load, node->scratch);
	while (drain_plan_next(&plan, &step)) {
		struct move_choice choice = { .vm = step.vm,
					      .kind = step.method,
					      .cause = CAUSE_DRAIN };
		bool stays;

		check_step(&node->cluster, round, &step);
		choice.target = step.target;
		stays = step.kind != DRAIN_STEP_MOVE;

		if (step.kind == DRAIN_STEP_WAIT || !step.vm->managed ||
		    step.vm->phase != VM_RUNNING)
			continue;
		if (late || stays || failed_lately(node, step.vm)) {
			choice.kind = MOVE_QUICK;
			choice.target = SLOT_NONE;
		}
		choice.asks = choice.kind == MOVE_COLD &&
			      move_is_tied(&node->cluster, step.vm, leaves_cold, &plan);
		if ((choice.asks || move_has_room(&node->cluster, round, step.vm, choice.target)) &&
		    actions_room(actions, 16, 64 * 1024))
			move_propose(node, round, &choice, actions);
	}
}

static bool leaves(const struct node *node, const struct move_round *round, uint8_t slot)
{
	const struct cluster_node *target = &node->cluster.nodes[slot];

	return target->used && target->life == NODE_ONLINE && target->reported &&
	       target->report.leaving && (round->load.present >> slot & 1) &&
	       node->cluster.def.policies.shutdown == SHUTDOWN_MIGRATE;
}

// Whether it goes home, too, by being stopped.
static bool returns_cold(const void *context, const struct vm *other)
{
	const struct cluster *cluster = context;
	char reason[REASON_SIZE];

	return other->drained_from < NODES_MAX && other->owner != other->drained_from &&
	       !cluster->nodes[other->drained_from].maintenance && other->phase == VM_RUNNING &&
	       other->managed && other->wanted == VM_WANTED_RUNNING &&
	       drain_method(cluster, other, reason) == MOVE_COLD;
}

// Those that a drain sent away, once their node takes VMs again.
static void decide_return(struct node *node, struct move_round *round, const struct vm *vm,
			  struct actions *actions)
{
	struct move_choice choice = { .vm = vm, .cause = CAUSE_RETURN,
				      .target = vm->drained_from };
	char reason[REASON_SIZE];

	choice.kind = (uint8_t)drain_method(&node->cluster, vm, reason);
	choice.asks = choice.kind == MOVE_COLD &&
		      move_is_tied(&node->cluster, vm, returns_cold, &node->cluster);
	if (vm->phase != VM_RUNNING || vm->move != 0 || !vm->managed ||
	    vm->wanted != VM_WANTED_RUNNING || vm->owner == vm->drained_from ||
	    node->cluster.nodes[vm->drained_from].maintenance ||
	    (!choice.asks && !move_has_room(&node->cluster, round, vm, vm->drained_from)) ||
	    !(round->load.present >> vm->owner & 1) ||
	    move_choose_target(&node->cluster, round, vm, vm->drained_from,
			       (enum move_kind)choice.kind) == SLOT_NONE ||
	    failed_lately(node, vm) || !actions_room(actions, 16, 64 * 1024))
		return;
	move_propose(node, round, &choice, actions);
}

void decide_drains(struct node *node, struct move_round *round, struct actions *actions)
{
	for (uint8_t slot = 0; slot < node->cluster.node_high; slot++) {
		if (leaves(node, round, slot))
			decide_leaving(node, round, slot, actions);
		else
			node->peers[slot].leaving_ms = 0;
		if (node->cluster.nodes[slot].used && node->cluster.nodes[slot].maintenance &&
		    !leaves(node, round, slot))
			decide_drain(node, round, slot, actions);
	}
	for (uint32_t i = 0; i < node->cluster.vm_high; i++)
		if (node->cluster.vms[i].used && node->cluster.vms[i].drained_from < NODES_MAX)
			decide_return(node, round, &node->cluster.vms[i], actions);
}
