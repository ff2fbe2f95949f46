// SPDX-License-Identifier: Apache-2.0
/*
 * The coordinator's part in moves: begins those that are asked for, as many at once as the limits
 * of both ends allow, and gives up what does not come about.
 */
#include "clusterd/decide_move.h"

#include <string.h>

#include "clusterd/rule_index.h"
#include "clusterd/text.h"
#include "policies/order.h"

enum { PREPARE_LIMIT_MS = 120000, ABSENT_LIMIT_MS = 3000 };

static bool is_begun(const struct move *move)
{
	return move->id != 0 && move->stage != STAGE_ASKED;
}

// Which ends of it are at work. One that only waits for somebody's word, who may be away for hours,
// must not keep others from moving.
struct move_work {
	bool out, in;
};

static struct move_work work_of(const struct move *move)
{
	switch ((enum move_stage)move->stage) {
	case STAGE_PREPARE:
	case STAGE_TRANSFER:
	case STAGE_HANDOVER:
	case STAGE_STOP:
		return (struct move_work){ true, true };
	case STAGE_SAVE:
		return (struct move_work){ true, move->kind != MOVE_SAVE };
	case STAGE_RESTORE:
		return (struct move_work){ false, true };
	case STAGE_UNDO: // its QEMU on the target is to end
		return (struct move_work){ false, !move->target_gone };
	case STAGE_START: // stopped on its source: no load for either
	case STAGE_CLEANUP:
	case STAGE_ASKED:
	case MOVE_STAGE_COUNT:
		break;
	}
	return (struct move_work){ false, false };
}

// Rules of the kind one-at-a-time that the VM is a member of.
static uint64_t one_at_a_time(const struct cluster *cluster, const struct vm *vm)
{
	uint64_t rules =
		cluster->rule_index->enabled ? cluster->rule_index->kinds[RULE_ONE_AT_A_TIME] : 0;

	return rules && vm ? rules_of_vm(cluster, vm).as[ROLE_MEMBER] & rules : 0;
}

static void count_rules(const struct cluster *cluster, const struct vm *vm,
			struct move_limits *limits)
{
	uint64_t rules = one_at_a_time(cluster, vm);

	for (uint8_t rule = 0; rules && rule < RULES_MAX; rule++)
		limits->of_rule[rule] += rules >> rule & 1;
}

static void count_end(const struct cluster *cluster, const struct move *move, struct move_work work,
		      struct move_limits *limits)
{
	uint32_t out_max = cluster->def.migration.moves_out_max;
	uint32_t in_max = cluster->def.migration.moves_in_max;

	limits->all += work.out || work.in;
	if (work.out && ++limits->out[move->source] >= out_max)
		limits->full_out |= 1ull << move->source;
	if (work.in && move->target < NODES_MAX && ++limits->in[move->target] >= in_max)
		limits->full_in |= 1ull << move->target;
}

void move_limits_init(struct move_limits *limits, const struct cluster *cluster)
{
	memset(limits, 0, sizeof(*limits));
	for (uint32_t i = 0; i < cluster->move_high; i++) {
		const struct move *move = &cluster->moves[i];

		if (!is_begun(move))
			continue;
		count_rules(cluster, cluster_vm(cluster, move->vm), limits);
		count_end(cluster, move, work_of(move), limits);
	}
}

static uint64_t asked_for(const struct vm *vm, uint8_t wanted)
{
	return wanted < NODES_MAX ? 1ull << wanted : ~(1ull << vm->owner);
}

void move_round_init(struct move_round *round, const struct node *node, uint64_t present)
{
	move_limits_init(&round->limits, &node->cluster);
	placement_load_init_at(&round->load, &node->cluster, present, node->wall_ms);
	placement_load_measure(&round->load, &node->cluster, node->measures, node->now_ms);
	preflight_load_init(&round->moves, &node->cluster, present, node->wall_ms);
}

bool move_has_room(const struct cluster *cluster, const struct move_round *round,
		   const struct vm *vm, uint8_t target)
{
	uint64_t rules = one_at_a_time(cluster, vm);
	uint32_t max = cluster->def.migration.moves_max;

	if (max > 0 && round->limits.all >= max)
		return false;
	for (uint8_t rule = 0; rules && rule < RULES_MAX; rule++)
		if (rules >> rule & 1 &&
		    round->limits.of_rule[rule] >= cluster->rules[rule].def.at_once)
			return false;
	return !(round->limits.full_out >> vm->owner & 1) &&
	       (target == SLOT_NONE || !(round->limits.full_in >> target & 1));
}

uint8_t move_choose_target(const struct cluster *cluster, const struct move_round *round,
			   const struct vm *vm, uint8_t wanted, enum move_kind kind)
{
	uint64_t among = preflight_targets(cluster, &round->moves, vm, kind);

	return placement_choose_among(cluster, &round->load, vm, among & asked_for(vm, wanted));
}

void move_explain(const struct cluster *cluster, const struct move_round *round,
		  const struct vm *vm, uint8_t wanted, enum move_kind kind, char *reason, char *fix)
{
	struct placement_node row;

	preflight_refusal(cluster, &round->moves, vm, asked_for(vm, wanted), kind, reason, fix);
	if (reason[0])
		return;
	if (wanted >= NODES_MAX) {
		placement_explain(cluster, &round->load, vm, reason, fix);
		return;
	}
	placement_judge(cluster, &round->load, vm, wanted, &row);
	for (uint32_t i = 0; i < PLACEMENT_CHECK_COUNT; i++) {
		if (row.checks[i].verdict != CHECK_FAIL)
			continue;
		placement_explain_check(cluster, vm, wanted, &row.checks[i], reason, fix);
		return;
	}
}

static void propose_end(struct node *node, const struct move *move, enum move_outcome outcome,
			const char *reason, struct actions *actions)
{
	struct entry entry;

	entry_clear(&entry);
	entry.type = ENTRY_MOVE_END;
	entry.move = move->id;
	entry.move_outcome = (uint8_t)outcome;
	text_copy(entry.reason, sizeof(entry.reason), reason);
	node_propose(node, &entry, NULL, actions);
}

bool move_is_tied(const struct cluster *cluster, const struct vm *vm,
		  bool (*goes)(const void *context, const struct vm *other), const void *context)
{
	struct vm_rules mine = rules_of_vm(cluster, vm);

	if (!((mine.as[ROLE_FIRST] | mine.as[ROLE_THEN]) & cluster->rule_index->symmetric))
		return false;
	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		const struct vm *other = &cluster->vms[i];

		if (other->used && other != vm &&
		    (order_ties(cluster, vm, other) || order_ties(cluster, other, vm)) &&
		    goes(context, other))
			return true;
	}
	return false;
}

bool move_propose(struct node *node, struct move_round *round, const struct move_choice *choice,
		  struct actions *actions)
{
	const struct vm *vm = choice->vm;
	struct move counted = { .source = vm->owner, .target = choice->target };
	struct entry entry;

	entry_clear(&entry);
	entry.type = ENTRY_MOVE_BEGIN;
	entry.flag = choice->asks;
	entry.vm = vm->ref;
	entry.move = vm->move;
	entry.actor = choice->target;
	entry.move_kind = choice->kind;
	entry.move_cause = choice->cause;
	entry.tip = choice->tip;
	entry.tip_at = choice->tip_at;
	if (!node_propose(node, &entry, NULL, actions))
		return false;
	if (!choice->asks) {
		count_end(&node->cluster, &counted, (struct move_work){ true, true },
			  &round->limits);
		count_rules(&node->cluster, vm, &round->limits);
	}
	if (choice->target < NODES_MAX) {
		placement_load_add(&round->load, &node->cluster, vm, choice->target);
		preflight_load_add(&round->moves, &node->cluster, vm, choice->target);
	}
	return true;
}

// A drain asks for a target where there is to be one.
static bool shuts_down(const struct move *move)
{
	return move->cause == CAUSE_DRAIN && move->kind == MOVE_COLD && move->target == SLOT_NONE;
}

// A move that cannot begin is told why; one that only has to wait its turn is left.
static void decide_asked(struct node *node, struct move_round *round, const struct move *move,
			 struct actions *actions)
{
	const struct vm *vm = cluster_vm(&node->cluster, move->vm);
	struct move_choice choice = {
		.vm = vm, .kind = move->kind, .cause = move->cause, .target = SLOT_NONE
	};
	char reason[REASON_SIZE] = "", fix[REASON_SIZE] = "";

	if (!vm || !(round->load.present >> move->source & 1))
		return;
	if (vm->phase != VM_RUNNING || vm->wanted != VM_WANTED_RUNNING || !vm->managed) {
		propose_end(node, move, MOVE_REFUSED, "it does not run any more", actions);
		return;
	}
	if (choice.kind == MOVE_AUTO)
		choice.kind = MOVE_LIVE;
	if (!move_has_room(&node->cluster, round, vm, SLOT_NONE) ||
	    order_holds_move(&node->cluster, vm))
		return;
	if (choice.kind != MOVE_SAVE && !shuts_down(move)) {
		choice.target = move_choose_target(&node->cluster, round, vm, move->target,
						   (enum move_kind)choice.kind);
		if (choice.target == SLOT_NONE) {
			move_explain(&node->cluster, round, vm, move->target,
				     (enum move_kind)choice.kind, reason, fix);
			propose_end(node, move, MOVE_REFUSED, reason, actions);
			return;
		}
		if (!move_has_room(&node->cluster, round, vm, choice.target))
			return;
	}
	move_propose(node, round, &choice, actions);
}

static bool absent(const struct node *node, uint64_t present, uint8_t slot)
{
	return slot < NODES_MAX && node->cluster.nodes[slot].life == NODE_ONLINE &&
	       !(present >> slot & 1);
}

/*
 * An end whose clusterd is dead while its host lives neither loses the move nor carries it on. A
 * daemon that starts again has a moment; then the move is undone, before its source renounces a
 * guest that nobody could let continue.
 */
static const char *who_is_absent(struct node *node, uint64_t present, const struct move *move,
				 struct move_watch *watch)
{
	bool source = absent(node, present, move->source);
	bool target = absent(node, present, move->target);

	if (!source && !target) {
		watch->absent_ms = 0;
		return NULL;
	}
	if (watch->absent_ms == 0)
		watch->absent_ms = node->now_ms;
	if (node->now_ms - watch->absent_ms < ABSENT_LIMIT_MS) {
		node_wake_at(node, watch->absent_ms + ABSENT_LIMIT_MS);
		return NULL;
	}
	return source ? "its source's clusterd does not answer"
		      : "its target's clusterd does not answer";
}

// Asked for by the coordinator, others may wait for it, stopped already; an administrator's request
// waits for its source for ever.
static bool is_a_plans(const struct move *move)
{
	return move->stage == STAGE_ASKED && move->cause != CAUSE_REQUEST;
}

/*
 * Both ends speak for themselves; this is for the case that one of them does not. Counted on this
 * node's clock, from when it saw the stage: a new coordinator begins to count anew.
 */
static bool decide_overdue(struct node *node, uint64_t present, uint32_t at,
			   struct actions *actions)
{
	const struct move *move = &node->cluster.moves[at];
	struct move_watch *watch = &node->watches[at];
	const char *reason;

	if (watch->id != move->id || watch->stage != move->stage)
		*watch = (struct move_watch){ move->id, move->stage, node->now_ms,
					      watch->id == move->id ? watch->absent_ms : 0 };
	if (move->stage != STAGE_PREPARE && move->stage != STAGE_TRANSFER && !is_a_plans(move))
		return false;
	reason = who_is_absent(node, present, move, watch);
	if (!reason && move->stage == STAGE_PREPARE) {
		if (node->now_ms - watch->since_ms < PREPARE_LIMIT_MS)
			node_wake_at(node, watch->since_ms + PREPARE_LIMIT_MS);
		else
			reason = move->shared ? "its target was not ready in time"
					      : "its source did not share its lease in time";
	}
	if (reason)
		propose_end(node, move, is_begun(move) ? MOVE_STAYED : MOVE_REFUSED, reason,
			    actions);
	return reason != NULL;
}

// Why the node may not have it, where it is counted already; or NULL.
static const struct check *judge_again(const struct cluster *cluster,
				       const struct move_round *round, const struct vm *vm,
				       uint8_t slot, struct placement_node *row)
{
	// Of its owner that is not in its own way.
	if (vm->owner == slot) {
		placement_judge(cluster, &round->load, vm, slot, row);
	} else {
		struct placement_load load = round->load;

		placement_load_remove(&load, cluster, vm, slot);
		placement_judge(cluster, &load, vm, slot, row);
	}
	for (uint32_t i = 0; i < PLACEMENT_CHECK_COUNT; i++)
		if (row->checks[i].verdict == CHECK_FAIL)
			return &row->checks[i];
	return NULL;
}

/*
 * Its guest is being stopped or saved, which takes a while: the target may be none any more by the
 * rules, its health or what it has room for; and so may the source be, to which it goes back when
 * that is cancelled. One that is only absent for a moment is waited for.
 */
static void decide_place_after(struct node *node, struct move_round *round,
			       const struct move *move, struct actions *actions)
{
	const struct cluster *cluster = &node->cluster;
	const struct vm *vm = cluster_vm(cluster, move->vm);
	uint8_t slot = move->cancelled ? move->source : move->target;
	char reason[REASON_SIZE] = "", fix[REASON_SIZE];
	const struct check *failed;
	struct placement_node row;

	if ((move->stage != STAGE_SAVE && move->stage != STAGE_STOP) || move->anew || !vm ||
	    slot >= NODES_MAX || !(round->load.present >> slot & 1) ||
	    vm->wanted != VM_WANTED_RUNNING)
		return;
	failed = judge_again(cluster, round, vm, slot, &row);
	if (failed) {
		placement_explain_check(cluster, vm, slot, failed, reason, fix);
		propose_end(node, move, MOVE_RESTARTED, reason, actions);
	} else if (move->cancelled && !move->back) {
		propose_end(node, move, MOVE_STAYED, "", actions);
	}
}

static bool anything_to_do(const struct cluster *cluster)
{
	for (uint32_t i = 0; i < cluster->move_high; i++)
		if (cluster->moves[i].id != 0)
			return true;
	for (uint32_t i = 0; i < cluster->node_high; i++)
		if (cluster->nodes[i].used &&
		    (cluster->nodes[i].maintenance || cluster->nodes[i].report.leaving))
			return true;
	for (uint32_t i = 0; i < cluster->vm_high; i++)
		if (cluster->vms[i].used && cluster->vms[i].drained_from != SLOT_NONE)
			return true;
	return false;
}

void decide_moves(struct node *node, uint64_t present, struct actions *actions)
{
	struct move_round round;

	mend_wake(node);
	if (!anything_to_do(&node->cluster) && !mend_is_due(node))
		return;
	move_round_init(&round, node, present);
	for (uint32_t i = 0; i < node->cluster.move_high; i++) {
		const struct move *move = &node->cluster.moves[i];

		if (!actions_room(actions, 16, 64 * 1024))
			return;
		if (move->id == 0)
			continue;
		if (decide_overdue(node, present, i, actions))
			continue;
		if (is_begun(move))
			decide_place_after(node, &round, move, actions);
		else
			decide_asked(node, &round, move, actions);
	}
	decide_drains(node, &round, actions);
	decide_mends(node, &round, actions);
}

struct saved_file saved_file_of(const struct node *node, const struct entry *entry)
{
	bool drops = entry->type == ENTRY_VM_WANT ||
		     (entry->type == ENTRY_REMOVE && entry->object == OBJECT_VM);
	const struct vm *vm = drops ? cluster_find_vm(&node->cluster, entry->name) : NULL;
	struct saved_file saved = { .kept = vm && vm->saved == SAVED_KEPT };

	if (!saved.kept)
		return saved;
	saved.vm = vm->ref;
	saved.uuid = vm_definition(&node->cluster, vm)->uuid;
	saved.volume = vm->saved_volume;
	return saved;
}

// Where that fails the next saving of the VM replaces it.
void saved_file_dropped(struct node *node, const struct saved_file *saved, struct actions *actions)
{
	const struct vm *vm = saved->kept ? cluster_vm(&node->cluster, saved->vm) : NULL;
	struct action *action;

	if (!saved->kept || (vm && vm->saved != SAVED_NONE) || !view_coordinator(node->view) ||
	    !view_normal(node->view))
		return;
	action = actions_add(actions, ACTION_SAVED_REMOVE);
	action->uuid = saved->uuid;
	action->volume = saved->volume;
}
