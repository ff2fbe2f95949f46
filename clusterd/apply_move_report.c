// SPDX-License-Identifier: Apache-2.0
// What the two ends of a move say: MOVE_REPORT, and VM_REPORT of a VM that is in one.
#include "clusterd/apply_move.h"

#include <string.h>

#include "clusterd/cluster_internal.h"
#include "clusterd/text.h"

struct report_row {
	bool source, target; // who may say it
	uint16_t stages;
};

#define BIT(stage) (1u << STAGE_##stage)
#define UNDER_WAY (BIT(PREPARE) | BIT(TRANSFER) | BIT(HANDOVER))

static bool report_fits(const struct move *move, enum move_report report, uint8_t from)
{
	static const struct report_row rows[MOVE_REPORT_COUNT] = {
		[MOVE_REPORT_SHARED] = { true, false, BIT(PREPARE) },
		[MOVE_REPORT_READY] = { false, true, BIT(PREPARE) },
		[MOVE_REPORT_HANDOVER] = { true, false, BIT(TRANSFER) },
		[MOVE_REPORT_RUNS] = { false, true, BIT(TRANSFER) | BIT(HANDOVER) | BIT(UNDO) },
		[MOVE_REPORT_FAILED] = { true, true, UNDER_WAY | BIT(SAVE) },
		[MOVE_REPORT_TARGET_GONE] = { false, true, UNDER_WAY | BIT(UNDO) },
		[MOVE_REPORT_EXCLUSIVE] = { true, true, BIT(UNDO) | BIT(CLEANUP) },
		[MOVE_REPORT_SOURCE_GONE] = { true, false, UNDER_WAY | BIT(UNDO) | BIT(CLEANUP) },
		[MOVE_REPORT_SAVED] = { true, false, BIT(SAVE) },
		[MOVE_REPORT_NUMBERS] = { true, true, UINT16_MAX & ~BIT(ASKED) },
	};

	return (rows[report].stages >> move->stage & 1) &&
	       ((rows[report].source && from == move->source) ||
		(rows[report].target && from == move->target));
}

static bool refuse_stale(struct apply *a)
{
	return refuse(a, "stale", WORDS("the move has moved on"), WORDS(""));
}

static void both_ready(struct apply *a, struct move *move)
{
	if (move->shared && move->ready)
		move_advance(a, move, STAGE_TRANSFER);
}

// From now on the target owns it, whatever was under way to undo the move.
static bool report_runs(struct apply *a, struct vm *vm, struct move *move)
{
	if (move_loss_phase(move) != MOVE_LOSS_SENT || move->target_gone)
		return refuse_stale(a);
	vm->last_owner = vm->owner;
	vm->owner = move->target;
	vm->attempt++;
	vm->since_ms = a->entry->at_ms;
	vm_set_phase(a, vm, VM_RUNNING);
	text_copy(vm->reason, sizeof(vm->reason), "");
	numbers_merge(&move->fact, &a->entry->numbers);
	move_advance(a, move, STAGE_CLEANUP);
	move_settle(a, move);
	return true;
}

// Where the memory did not get through over one network the next one is tried, once.
static bool another_network(const struct apply *a, const struct vm *vm, const struct move *move)
{
	const struct cluster_node *target = &a->cluster->nodes[move->target];
	uint32_t known = 0, others = 0;

	if (!move->broke || move->cancelled || move->avoid[0] || target->life != NODE_ONLINE ||
	    target->report.leaving || vm->wanted != VM_WANTED_RUNNING || !vm->managed)
		return false;
	for (uint32_t i = 0; i < MIGRATION_NETWORKS_MAX && target->report.addresses[i][0]; i++) {
		bool same = strcmp(target->report.addresses[i], move->address) == 0;

		known += same;
		others += !same;
	}
	return known > 0 && others > 0;
}

static void end_stayed(struct apply *a, struct vm *vm, struct move *move)
{
	struct move again = { .vm = vm->ref,
			      .kind = move->kind,
			      .cause = move->cause,
			      .source = move->source,
			      .target = move->target,
			      .began_ms = a->entry->at_ms,
			      .stage_ms = a->entry->at_ms };
	bool other = another_network(a, vm, move);

	text_copy(again.avoid, sizeof(again.avoid), move->address);
	move_end(a, move, move->cancelled ? MOVE_CANCELLED : MOVE_STAYED, move->reason);
	if (!other)
		return;
	cluster_touch_move(a->cluster, (uint8_t)(move - a->cluster->moves));
	again.id = a->cluster->next_move++;
	*move = again;
	vm->move = again.id;
}

// The lease proves that nothing of it lives elsewhere.
static bool report_exclusive(struct apply *a, struct vm *vm, struct move *move, uint8_t from)
{
	if (move->stage == STAGE_CLEANUP && from == move->target && move->source_gone &&
	    !move->target_gone) {
		vm->unproven = 0;
		move_done(a, move);
		return true;
	}
	if (move->stage == STAGE_UNDO && from == move->source && move->target_gone &&
	    !move->source_gone) {
		vm->unproven = 0;
		vm_set_phase(a, vm, VM_RUNNING);
		text_copy(vm->reason, sizeof(vm->reason), "");
		end_stayed(a, vm, move);
		return true;
	}
	return refuse_stale(a);
}

/*
 * Why the node cannot have it, for which it was chosen a while ago: what the administrator has said
 * since. What rules and loads have come to say the coordinator sees, which then marks the move.
 */
static const char *node_closed(const struct cluster *cluster, const struct vm *vm, uint8_t slot)
{
	const struct cluster_node *node = &cluster->nodes[slot];

	if (node->life != NODE_ONLINE)
		return " cannot take it any more";
	if (node->report.leaving)
		return " goes down";
	if (node->maintenance)
		return " is in maintenance by now";
	if (!node->managed)
		return " is unmanaged by now";
	if (vm->possible != 0 && !(vm->possible & slot_bit(slot)))
		return " is no possible owner of it any more";
	return NULL;
}

// It was on its way to the target, and is left to placement instead.
static void arrive_anywhere(struct apply *a, struct vm *vm, struct move *move, const char *reason)
{
	if (move->cause == CAUSE_DRAIN)
		move_left_home(a->cluster, vm, move);
	move_end_idle(a, move, reason);
}

/*
 * Nothing of it is left on the source: placed on the target, or again on the source when that was
 * cancelled too late. To begin there is a start like any other, and rules may have come since it
 * began to run there: only the coordinator can have asked them. Where it may not go on, or nobody
 * has looked yet, it is left to placement.
 */
static void move_arrive(struct apply *a, struct vm *vm, struct move *move, enum move_stage stage)
{
	uint8_t owner = move->cancelled || move->target == SLOT_NONE ? move->source : move->target;
	const char *closed;
	char reason[REASON_SIZE];

	move->source_gone = true;
	if (vm->wanted != VM_WANTED_RUNNING) {
		vm_set_idle(a, vm, VM_IDLE);
		move_end(a, move, vm->saved == SAVED_KEPT ? MOVE_SAVED : MOVE_ENDED, move->reason);
		return;
	}
	if (move->target == SLOT_NONE && !move->cancelled) {
		vm_set_idle(a, vm, VM_IDLE);
		text_copy(vm->reason, sizeof(vm->reason), "");
		move_end(a, move, MOVE_SAVED, "its host goes down; it goes on wherever it can");
		return;
	}
	closed = node_closed(a->cluster, vm, owner);
	if (closed || move->anew || (move->cancelled && !move->back)) {
		words_join(reason, sizeof(reason),
			   WORDS(closed ? slot_name(a->cluster, owner) : move->reason,
				 closed ? closed : ""));
		arrive_anywhere(a, vm, move, reason);
		return;
	}
	move->target_gone = move->target_died = false;
	vm->last_owner = vm->owner;
	vm->owner = owner;
	vm->attempt++;
	vm->since_ms = a->entry->at_ms;
	vm_set_phase(a, vm, VM_PLACED);
	text_copy(vm->reason, sizeof(vm->reason), "");
	move_advance(a, move, stage);
}

static bool report_saved(struct apply *a, struct vm *vm, struct move *move)
{
	numbers_merge(&move->fact, &a->entry->numbers);
	vm->saved = SAVED_KEPT;
	vm->saved_bytes = a->entry->numbers.bytes;
	if (move->kind == MOVE_SAVE && !move->cancelled) {
		vm_set_wanted(a, vm, VM_WANTED_STOPPED);
		vm_set_idle(a, vm, VM_IDLE);
		text_copy(vm->reason, sizeof(vm->reason), "");
		move_end(a, move, MOVE_SAVED, "");
		return true;
	}
	move_arrive(a, vm, move, STAGE_RESTORE);
	return true;
}

static bool report_failed(struct apply *a, struct move *move, uint8_t from)
{
	char reason[REASON_SIZE];

	if (from == move->source)
		move->broke = a->entry->flag;
	move_say(move, a->entry->reason);
	if (move->stage != STAGE_SAVE) {
		move_undo(a, move, a->entry->reason);
		return true;
	}
	text_copy(reason, sizeof(reason), move->anew ? a->entry->reason : move->reason);
	vm_drop_saved(move_vm(a, move));
	move_end(a, move, move->cancelled ? MOVE_CANCELLED : MOVE_STAYED, reason);
	return true;
}

static bool report_gone(struct apply *a, struct move *move, bool source)
{
	if (move->stage != STAGE_CLEANUP)
		move_say(move, a->entry->reason);
	if (source) {
		move->source_gone = true;
	} else {
		// Its daemon cannot vouch that it never continued: it may have, like one that died.
		move->target_died = a->entry->flag;
		move->target_gone = true;
	}
	move_settle(a, move);
	return true;
}

// What it took may come after the end: the source measures, and the target has the last word.
static bool late_numbers(struct apply *a)
{
	const char *from = slot_name(a->cluster, apply_from(a));

	for (uint32_t i = 0; a->entry->move != 0 && i < PAST_MOVES_MAX; i++) {
		struct past_move *past = &a->cluster->past_moves[i];

		if (past->id != a->entry->move || strcmp(past->source, from) != 0)
			continue;
		numbers_merge(&past->fact, &a->entry->numbers);
		return true;
	}
	return refuse(a, "stale", WORDS("the move is over"), WORDS(""));
}

bool move_report(struct apply *a)
{
	const struct entry *entry = a->entry;
	const struct move *found = cluster_move(a->cluster, entry->move);
	uint8_t from = apply_from(a);
	struct move *move;
	struct vm *vm;

	if (!found && entry->move_report == MOVE_REPORT_NUMBERS && entry->flag)
		return late_numbers(a);
	if (!found)
		return refuse(a, "stale", WORDS("the move is over"), WORDS(""));
	// Also SLOT_NONE, which a move without a target has there.
	if (from == SLOT_NONE)
		return refuse(a, "no-such-node",
			      WORDS("no node has id ", number_text(entry->from).text), WORDS(""));
	if (!report_fits(found, entry->move_report, from))
		return refuse_stale(a);
	vm = &a->cluster->vms[found->vm.slot];
	move = vm_move_of(a, vm);
	switch ((enum move_report)entry->move_report) {
	case MOVE_REPORT_SHARED:
		move->shared = true;
		if (entry->address[0])
			text_copy(move->address, sizeof(move->address), entry->address);
		both_ready(a, move);
		return true;
	case MOVE_REPORT_READY:
		move->ready = true;
		text_copy(move->address, sizeof(move->address), entry->address);
		move->port = entry->port;
		both_ready(a, move);
		return true;
	case MOVE_REPORT_HANDOVER:
		move_advance(a, move, STAGE_HANDOVER);
		return true;
	case MOVE_REPORT_RUNS:
		return report_runs(a, vm, move);
	case MOVE_REPORT_FAILED:
		return report_failed(a, move, from);
	case MOVE_REPORT_TARGET_GONE:
		return report_gone(a, move, false);
	case MOVE_REPORT_EXCLUSIVE:
		return report_exclusive(a, vm, move, from);
	case MOVE_REPORT_SOURCE_GONE:
		return report_gone(a, move, true);
	case MOVE_REPORT_SAVED:
		return report_saved(a, vm, move);
	case MOVE_REPORT_NUMBERS:
		numbers_merge(entry->flag ? &move->fact : &move->forecast, &entry->numbers);
		return true;
	case MOVE_REPORT_COUNT:
		break;
	}
	return refuse(a, "malformed", WORDS("unknown report"), WORDS(""));
}

// Of the end that owns it: the source until the target has continued, then the target.
static bool live_report(struct apply *a, struct vm *vm, struct move *move)
{
	bool arrived = move->stage == STAGE_CLEANUP;

	switch ((enum vm_report)a->entry->vm_report) {
	case VM_REPORT_STARTED:
		return true;
	case VM_REPORT_STUCK:
		vm_set_phase(a, vm, VM_BLOCKED);
		text_copy(vm->reason, sizeof(vm->reason), a->entry->reason);
		return true;
	case VM_REPORT_LEASE_HELD:
		text_copy(vm->reason, sizeof(vm->reason), a->entry->reason);
		return true;
	case VM_REPORT_STOPPED:
	case VM_REPORT_GUEST_SHUTDOWN:
	case VM_REPORT_START_FAILED:
	case VM_REPORT_LEASE_GONE:
	case VM_REPORT_DIED:
		break;
	case VM_REPORT_RESTORING:
	case VM_REPORT_DOUBLE:
	case VM_REPORT_ANSWERS:
	case VM_REPORT_FOUND:
	case VM_REPORT_COUNT:
		return refuse(a, "malformed", WORDS("unknown report"), WORDS(""));
	}
	// Said again until the move has ended.
	if (arrived ? move->target_gone : move->source_gone)
		return true;
	if (a->entry->vm_report == VM_REPORT_GUEST_SHUTDOWN)
		vm_guest_shut_down(a, vm);
	else if (a->entry->vm_report != VM_REPORT_STOPPED)
		vm_count_failure(a, vm);
	move_say(move, a->entry->reason);
	if (arrived)
		move->target_gone = move->target_died = true;
	else
		move->source_gone = true;
	move_settle(a, move);
	return true;
}

// What the source measured ends where nothing was left of it there; its guest stood until now.
static void arrived(struct apply *a, struct move *move)
{
	uint64_t restored_ms = a->entry->at_ms - move->stage_ms;

	// Clocks of two hosts: what cannot be is left out.
	if (move->stage == STAGE_RESTORE && move->fact.pause_us > 0 && restored_ms < 3600000)
		move->fact.pause_us += (uint32_t)restored_ms * 1000;
	move_done(a, move);
}

// Reports that mean in a move what they mean otherwise; the move ends with what they bring about.
static bool ordinary_report(struct apply *a, struct vm *vm, struct move *move)
{
	bool arriving = move_loss_phase(move) == MOVE_LOSS_ARRIVING;
	char reason[REASON_SIZE];

	if (!vm_report_owned(a, vm))
		return false;
	text_copy(reason, sizeof(reason), vm->reason);
	if (vm->phase == VM_IDLE || vm->phase == VM_ERROR)
		move_end(a, move, vm->wanted == VM_WANTED_RUNNING ? MOVE_RESTARTED : MOVE_ENDED,
			 reason);
	else if (arriving && vm->phase == VM_RUNNING && vm->owner == move->target)
		arrived(a, move);
	else if (arriving && vm->phase == VM_RUNNING)
		move_end(a, move, MOVE_CANCELLED, move->reason);
	return true;
}

// A cold move without a target shuts the VM down until its node has been through its maintenance.
static bool stop_report(struct apply *a, struct vm *vm, struct move *move)
{
	uint8_t report = a->entry->vm_report;

	if (report == VM_REPORT_GUEST_SHUTDOWN)
		vm_guest_shut_down(a, vm);
	if (report != VM_REPORT_STOPPED && report != VM_REPORT_DIED &&
	    report != VM_REPORT_GUEST_SHUTDOWN)
		return ordinary_report(a, vm, move);
	if (move->target == SLOT_NONE && !move->cancelled) {
		bool yields = move->cause == CAUSE_POLICY;

		if (!yields)
			vm->drained_from = move->source;
		vm_set_idle(a, vm, VM_IDLE);
		text_copy(vm->reason, sizeof(vm->reason), "");
		move_end(a, move, MOVE_ENDED,
			 yields ? "it yielded to a more important vm"
				: "shut down for the maintenance of its node");
		return true;
	}
	move_arrive(a, vm, move, STAGE_START);
	return true;
}

bool move_vm_report(struct apply *a, struct vm *vm, struct move *move)
{
	switch ((enum move_stage)move->stage) {
	case STAGE_PREPARE:
	case STAGE_TRANSFER:
	case STAGE_HANDOVER:
	case STAGE_UNDO:
	case STAGE_CLEANUP:
		return live_report(a, vm, move);
	case STAGE_STOP:
		return stop_report(a, vm, move);
	case STAGE_ASKED:
	case STAGE_SAVE:
	case STAGE_RESTORE:
	case STAGE_START:
		return ordinary_report(a, vm, move);
	case MOVE_STAGE_COUNT:
		break;
	}
	return false;
}

bool move_vm_found(struct apply *a, struct vm *vm, struct move *move, uint8_t finder)
{
	uint8_t owner = vm->owner;
	bool live = move->kind == MOVE_LIVE && move_begun(move);

	if (move_loss_phase(move) == MOVE_LOSS_SENT && finder == move->target)
		return report_runs(a, vm, move);
	// Under a shared lease: it proves nothing about the other end.
	if (live && finder == owner) {
		vm_set_phase(a, vm, VM_RUNNING);
		return true;
	}
	// A source that has renounced is no witness; a target that has not continued runs nothing.
	if (finder != owner && (finder == move->target || move->stage == STAGE_CLEANUP) &&
	    (finder == move->source || finder == move->target))
		return refuse_stale(a);
	if (!vm_found(a, vm, finder))
		return false;
	if (move_loss_phase(move) == MOVE_LOSS_ARRIVING && vm->owner == owner &&
	    vm->phase == VM_RUNNING)
		move_done(a, move);
	else if (vm->owner != owner)
		move_end(a, move, MOVE_RESTARTED, vm->reason);
	return true;
}
