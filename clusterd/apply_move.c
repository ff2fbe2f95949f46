// SPDX-License-Identifier: Apache-2.0
/*
 * Moves in the replicated state. The stages are drawn in cluster.h (enum move_stage); here are the
 * table of what may follow what, and every entry that advances a move or ends it.
 *
 * A VM in a move keeps an owner all the while: the source until the target has said RUNS, SAVED or
 * STOPPED, the target from then on. It becomes IDLE, and visible to placement, together with the
 * end of the move and not before: nothing is started while either end may still run it.
 */
#include "clusterd/apply_move.h"

#include <string.h>

#include "clusterd/apply_tip.h"
#include "clusterd/cluster_internal.h"
#include "clusterd/invariant.h"
#include "clusterd/text.h"
#include "migration/move_loss.h"

#define BIT(stage) (1u << STAGE_##stage)

static const uint16_t *stage_followers(void)
{
	static const uint16_t followers[MOVE_STAGE_COUNT] = {
		[STAGE_ASKED] = BIT(PREPARE) | BIT(SAVE) | BIT(STOP),
		[STAGE_PREPARE] = BIT(TRANSFER) | BIT(UNDO),
		[STAGE_TRANSFER] = BIT(HANDOVER) | BIT(CLEANUP) | BIT(UNDO),
		[STAGE_HANDOVER] = BIT(CLEANUP) | BIT(UNDO),
		[STAGE_UNDO] = BIT(CLEANUP),
		[STAGE_SAVE] = BIT(RESTORE),
		[STAGE_STOP] = BIT(START),
	};

	return followers;
}

void move_advance(struct apply *a, struct move *move, enum move_stage to)
{
	INVARIANT(stage_followers()[move->stage] & (1u << to));
	move->stage = (uint8_t)to;
	move->stage_ms = a->entry->at_ms;
}

struct move *vm_move_of(struct apply *a, const struct vm *vm)
{
	const struct move *move = cluster_move(a->cluster, vm->move);

	return move ? &a->cluster->moves[move - a->cluster->moves] : NULL;
}

bool move_begun(const struct move *move)
{
	return move->id != 0 && move->stage != STAGE_ASKED;
}

struct vm *move_vm(struct apply *a, const struct move *move)
{
	return &a->cluster->vms[move->vm.slot];
}

void move_say(struct move *move, const char *reason)
{
	if (!move->reason[0])
		text_copy(move->reason, sizeof(move->reason), reason);
}

void numbers_merge(struct move_numbers *into, const struct move_numbers *from)
{
#define MERGE(member) into->member = from->member ? from->member : into->member
	MERGE(total_ms);
	MERGE(pause_us);
	MERGE(rounds);
	MERGE(throttle);
	MERGE(bytes);
	MERGE(rate);
	MERGE(dirty_rate);
#undef MERGE
}

void move_end(struct apply *a, struct move *move, enum move_outcome outcome, const char *reason)
{
	struct cluster *cluster = a->cluster;
	struct past_move *past = &cluster->past_moves[cluster->past_move];
	struct vm *vm = move_vm(a, move);

	memset(past, 0, sizeof(*past));
	past->id = move->id;
	text_copy(past->vm, sizeof(past->vm), vm_definition(cluster, vm)->name);
	past->kind = move->kind;
	past->cause = move->cause;
	past->outcome = (uint8_t)outcome;
	past->stage = move->stage;
	text_copy(past->source, sizeof(past->source), slot_name(cluster, move->source));
	if (move->target != SLOT_NONE)
		text_copy(past->target, sizeof(past->target), slot_name(cluster, move->target));
	past->began_ms = move->began_ms;
	past->ended_ms = a->entry->at_ms;
	past->forecast = move->forecast;
	past->fact = move->fact;
	text_copy(past->reason, sizeof(past->reason), reason);
	cluster->past_move = (cluster->past_move + 1) % PAST_MOVES_MAX;
	vm->move = 0;
	if (outcome == MOVE_DONE)
		vm->last_move_ms = a->entry->at_ms;
	tip_move_ended(a, move, outcome);
	memset(move, 0, sizeof(*move));
	while (cluster->move_high > 0 && cluster->moves[cluster->move_high - 1].id == 0)
		cluster->move_high--;
}

// It left a node that is emptied, and comes back one day if it is not to stick where it is.
static bool has_left_home(const struct cluster *cluster, const struct vm *vm,
			  const struct cluster_node *source)
{
	return (source->maintenance || source->report.leaving) &&
	       vm_definition(cluster, vm)->stickiness != STICKINESS_INFINITE;
}

// Its home is the first of several nodes that were emptied one after another.
void move_left_home(const struct cluster *cluster, struct vm *vm, const struct move *move)
{
	if (vm->drained_from == SLOT_NONE &&
	    has_left_home(cluster, vm, &cluster->nodes[move->source]))
		vm->drained_from = move->source;
}

// It runs on its target.
void move_done(struct apply *a, struct move *move)
{
	struct vm *vm = move_vm(a, move);

	switch ((enum move_cause)move->cause) {
	case CAUSE_DRAIN:
		move_left_home(a->cluster, vm, move);
		break;
	case CAUSE_REQUEST:
	case CAUSE_RETURN:
		vm->drained_from = SLOT_NONE;
		break;
	case CAUSE_POLICY:
		vm->moved_ms = a->entry->at_ms;
		break;
	case MOVE_CAUSE_COUNT:
		break;
	}
	move_end(a, move, MOVE_DONE, move->reason);
}

// Nothing of it runs anywhere.
void move_end_idle(struct apply *a, struct move *move, const char *reason)
{
	struct vm *vm = move_vm(a, move);
	bool wanted = vm->wanted == VM_WANTED_RUNNING;
	bool spent = vm->relocations > vm_definition(a->cluster, vm)->relocations_max;

	vm_set_idle(a, vm, wanted && spent ? VM_ERROR : VM_IDLE);
	text_copy(vm->reason, sizeof(vm->reason), wanted ? reason : "");
	move_end(a, move, wanted ? MOVE_RESTARTED : MOVE_ENDED, reason);
}

void move_undo(struct apply *a, struct move *move, const char *reason)
{
	move_say(move, reason);
	if (move->stage != STAGE_UNDO)
		move_advance(a, move, STAGE_UNDO);
}

enum move_loss_phase move_loss_phase(const struct move *move)
{
	// Both are set by what advances PREPARE to TRANSFER, and by nothing after it.
	bool sent = move->shared && move->ready;

	switch ((enum move_stage)move->stage) {
	case STAGE_SAVE:
	case STAGE_STOP:
		return MOVE_LOSS_SAVING;
	case STAGE_RESTORE:
	case STAGE_START:
		return MOVE_LOSS_ARRIVING;
	case STAGE_CLEANUP:
		return MOVE_LOSS_CONTINUED;
	case STAGE_PREPARE:
	case STAGE_TRANSFER:
	case STAGE_HANDOVER:
	case STAGE_UNDO:
		return sent ? MOVE_LOSS_SENT : MOVE_LOSS_BEFORE;
	case STAGE_ASKED:
	case MOVE_STAGE_COUNT:
		break;
	}
	return MOVE_LOSS_PHASE_COUNT;
}

// Where the second end is. A quick or cold move that was cancelled late begins again on its source.
static uint8_t far_end(const struct cluster *cluster, const struct move *move)
{
	if (move_loss_phase(move) == MOVE_LOSS_ARRIVING)
		return cluster->vms[move->vm.slot].owner;
	return move->target;
}

static enum move_fate fate(const struct cluster *cluster, uint8_t slot, bool gone, bool died)
{
	if (gone)
		return died ? FATE_DEAD : FATE_GONE;
	if (slot >= NODES_MAX || cluster->nodes[slot].life == NODE_ONLINE)
		return FATE_HERE;
	return FATE_UNKNOWN;
}

// Looks at both ends, and does what follows from what became of them.
void move_settle(struct apply *a, struct move *move)
{
	const struct cluster *cluster = a->cluster;
	struct move_loss_facts facts = {
		.phase = (uint8_t)move_loss_phase(move),
		.source = (uint8_t)fate(cluster, move->source, move->source_gone, false),
		.target = (uint8_t)fate(cluster, far_end(cluster, move), move->target_gone,
					move->target_died),
	};
	struct move_loss_answer answer = move_loss_decide(&facts);
	char reason[REASON_SIZE];

	switch (answer.step) {
	case MOVE_LOSS_NOTHING:
	case MOVE_LOSS_WAIT:
		return;
	case MOVE_LOSS_UNDO:
		move_undo(a, move, answer.reason);
		return;
	case MOVE_LOSS_RESTART:
		text_copy(reason, sizeof(reason), move->reason[0] ? move->reason : answer.reason);
		move_end_idle(a, move, reason);
		return;
	case MOVE_LOSS_STEP_COUNT:
		break;
	}
	INVARIANT(false);
}

bool move_needs_node(const struct move *move, uint8_t slot)
{
	if (!move_begun(move))
		return false;
	return (move->source == slot && !move->source_gone) ||
	       (move->target == slot && !move->target_gone &&
		move_loss_phase(move) != MOVE_LOSS_SAVING);
}

void moves_node_changed(struct apply *a, uint8_t slot)
{
	for (uint32_t i = 0; i < a->cluster->move_high; i++) {
		struct move *move = &a->cluster->moves[i];

		if (move_begun(move) && (move->source == slot || far_end(a->cluster, move) == slot))
			move_settle(a, move);
	}
}

// Marks the ends of a move on this node as gone; whether any were not before.
static bool mark_gone(struct apply *a, struct move *move, uint8_t slot)
{
	bool marked = false;

	if (move->source == slot && !move->source_gone)
		marked = move->source_gone = true;
	if (far_end(a->cluster, move) == slot && !move->target_gone)
		marked = move->target_gone = move->target_died = true;
	return marked;
}

static void node_gone(struct apply *a, uint8_t slot, bool proven)
{
	for (uint32_t i = 0; i < a->cluster->move_high; i++) {
		struct move *move = &a->cluster->moves[i];
		struct vm *vm;

		if (move->id == 0 || (move->source != slot && far_end(a->cluster, move) != slot))
			continue;
		vm = move_vm(a, move);
		if (!move_begun(move)) {
			if (move->source != slot)
				continue;
			move->source_gone = true;
			vm->unproven |= proven ? 0 : slot_bit(slot);
			move_end_idle(a, move, "its node was lost before the move began");
			continue;
		}
		if (mark_gone(a, move, slot) && !proven)
			vm->unproven |= slot_bit(slot);
		move_settle(a, move);
	}
}

void moves_node_dead(struct apply *a, uint8_t slot)
{
	node_gone(a, slot, true);
}

/*
 * Expiry is no proof yet: whoever continues or starts the VM needs the exclusive lease, and sanlock
 * grants that only once the lost host's has expired. `unproven` keeps it in mind until then.
 */
void moves_node_expiring(struct apply *a, uint8_t slot)
{
	node_gone(a, slot, false);
}

void moves_node_back(struct apply *a, uint8_t slot)
{
	for (uint32_t i = 0; i < a->cluster->move_high; i++) {
		struct move *move = &a->cluster->moves[i];
		struct vm *vm;

		if (!move_begun(move) || !(move_vm(a, move)->unproven & slot_bit(slot)))
			continue;
		vm = move_vm(a, move);
		vm->unproven &= ~slot_bit(slot);
		if (move->source == slot)
			move->source_gone = false;
		if (far_end(a->cluster, move) == slot)
			move->target_gone = move->target_died = false;
	}
}

void move_give_up(struct apply *a, struct move *move)
{
	switch ((enum move_stage)move->stage) {
	case STAGE_ASKED:
		move_end(a, move, MOVE_CANCELLED, "cancelled before it began");
		return;
	case STAGE_PREPARE:
	case STAGE_TRANSFER:
	case STAGE_HANDOVER:
		move->cancelled = true;
		move_undo(a, move, "cancelled");
		return;
	case STAGE_SAVE:
	case STAGE_STOP:
		// What was found of its target says nothing of its source.
		if (!move->cancelled && move->anew)
			move->reason[0] = 0;
		move->anew = move->anew && move->cancelled;
		move->cancelled = true;
		move_say(move, "cancelled");
		return;
	case STAGE_UNDO:
	case STAGE_CLEANUP:
	case STAGE_RESTORE:
	case STAGE_START:
	case MOVE_STAGE_COUNT:
		return;
	}
}

static bool move_request(struct apply *a)
{
	const struct entry *entry = a->entry;
	struct cluster *cluster = a->cluster;
	struct vm *vm = apply_named_vm(a);
	struct move *move = NULL;

	if (!vm || !move_allowed(a, vm))
		return false;
	for (uint32_t i = 0; i < MOVES_MAX && !move; i++)
		if (cluster->moves[i].id == 0)
			move = &cluster->moves[i];
	if (!move)
		return refuse(a, "busy",
			      WORDS(number_text(MOVES_MAX).text, " moves are asked for already"),
			      WORDS("wait until some of them are over: clustadm moves"));
	cluster_touch_move(cluster, (uint8_t)(move - cluster->moves));
	memset(move, 0, sizeof(*move));
	move->id = cluster->next_move++;
	move->vm = vm->ref;
	move->kind = entry->move_kind;
	move->cause = entry->move_cause;
	move->source = vm->owner;
	move->target = entry->actor;
	move->began_ms = move->stage_ms = entry->at_ms;
	vm->move = move->id;
	return true;
}

static enum move_stage first_stage(enum move_kind kind)
{
	switch (kind) {
	case MOVE_LIVE:
		return STAGE_PREPARE;
	case MOVE_QUICK:
	case MOVE_SAVE:
		return STAGE_SAVE;
	case MOVE_COLD:
		return STAGE_STOP;
	case MOVE_AUTO:
	case MOVE_KIND_COUNT:
		break;
	}
	return STAGE_ASKED;
}

/*
 * The target's process counts under an attempt of its own, between the one that the source began
 * under and the one that it goes on under: no word about either can be taken for one about the
 * other.
 */
static void move_start(struct apply *a, struct move *move)
{
	struct vm *vm = move_vm(a, move);

	move->kind = a->entry->move_kind;
	move->target = a->entry->actor;
	numbers_merge(&move->forecast, &a->entry->numbers);
	move->began_ms = a->entry->at_ms;
	vm->attempt += 2;
	move->attempt = vm->attempt - 1;
	if (move->kind == MOVE_QUICK || move->kind == MOVE_SAVE)
		vm->saved_volume = vm->leases[0].volume;
	move_advance(a, move, first_stage(move->kind));
}

static bool move_begin(struct apply *a)
{
	const struct entry *entry = a->entry;
	const struct move *found = cluster_move(a->cluster, entry->move);
	struct vm *vm = apply_vm(a);

	if (!vm)
		return false;
	if (entry->move != 0 && (!found || found->vm.slot != vm->ref.slot || move_begun(found)))
		return refuse(a, "stale", WORDS("the move has moved on"), WORDS(""));
	if (first_stage(entry->move_kind) == STAGE_ASKED)
		return refuse(a, "malformed", WORDS("a move begins as one of a kind"), WORDS(""));
	if (entry->flag && entry->move != 0)
		return refuse(a, "malformed", WORDS("it is asked for already"), WORDS(""));
	if (vm->move != entry->move)
		return refuse(a, "stale", WORDS("the vm is being moved already"), WORDS(""));
	if (!move_allowed(a, vm) || !tip_allows_move(a))
		return false;
	if (entry->move == 0) {
		struct entry asked = *entry;
		struct apply inner = { a->cluster, &asked, a->result };

		text_copy(asked.name, NAME_SIZE, vm_definition(a->cluster, vm)->name);
		if (!move_request(&inner))
			return false;
	}
	if (entry->flag)
		return true;
	move_start(a, vm_move_of(a, vm));
	tip_move_began(a, vm_move_of(a, vm));
	return true;
}

static bool move_cancel(struct apply *a)
{
	struct vm *vm = apply_named_vm(a);
	struct move *move;
	const char *name = a->entry->name, *owner;

	if (!vm)
		return false;
	move = vm_move_of(a, vm);
	if (!move)
		return refuse(a, "not-moving", WORDS("vm ", name, " is not being moved"),
			      WORDS("see what is: clustadm moves"));
	owner = slot_name(a->cluster, vm->owner);
	if (move->stage == STAGE_CLEANUP)
		return refuse(a, "too-late", WORDS("vm ", name, " runs on ", owner, " already"),
			      WORDS("move it back: clustadm vm migrate ", name, " --to ",
				    slot_name(a->cluster, move->source)));
	if (move->stage == STAGE_RESTORE || move->stage == STAGE_START)
		return refuse(a, "too-late",
			      WORDS("vm ", name, " is being started on ", owner, " already"),
			      WORDS("wait until it runs there, then move it back"));
	move_give_up(a, move);
	return true;
}

// The coordinator's word on where it may go on when it has ended on its source; it may change its
// mind.
static bool move_goes_on(struct apply *a, struct move *move)
{
	const struct entry *entry = a->entry;

	if (entry->move_outcome == MOVE_RESTARTED &&
	    (move->target != SLOT_NONE || move->cancelled)) {
		move->anew = true;
		move_say(move, entry->reason);
		return true;
	}
	if (entry->move_outcome == MOVE_STAYED && move->cancelled && !move->anew) {
		move->back = true;
		return true;
	}
	return refuse(a, "stale", WORDS("the move has moved on"), WORDS(""));
}

// What needs no report of either end.
static bool move_ended(struct apply *a)
{
	const struct entry *entry = a->entry;
	const struct move *found = cluster_move(a->cluster, entry->move);
	struct move *move = found ? vm_move_of(a, &a->cluster->vms[found->vm.slot]) : NULL;
	bool refused = entry->move_outcome == MOVE_REFUSED;

	if (move && refused && !move_begun(move)) {
		move_end(a, move, MOVE_REFUSED, entry->reason);
		return true;
	}
	if (move && !refused && entry->move_outcome == MOVE_STAYED &&
	    (move->stage == STAGE_PREPARE || move->stage == STAGE_TRANSFER)) {
		move_undo(a, move, entry->reason);
		return true;
	}
	if (move && (move->stage == STAGE_SAVE || move->stage == STAGE_STOP))
		return move_goes_on(a, move);
	return refuse(a, "stale", WORDS("the move has moved on"), WORDS(""));
}

bool apply_move(struct apply *a)
{
	switch (a->entry->type) {
	case ENTRY_MOVE_REQUEST:
		return move_request(a);
	case ENTRY_MOVE_CANCEL:
		return move_cancel(a);
	case ENTRY_MOVE_REPORT:
		return move_report(a);
	case ENTRY_MOVE_BEGIN:
		return move_begin(a);
	case ENTRY_MOVE_END:
		return move_ended(a);
	case ENTRY_NODE_DRAIN:
		return apply_node_drain(a);
	case ENTRY_NODE_DRAINED:
		return apply_node_drained(a);
	}
	return refuse(a, "malformed", WORDS("unknown type of entry"), WORDS(""));
}
