// SPDX-License-Identifier: Apache-2.0
/*
 * The VMs of this host: makes each one's wish from the replica, and tells the cluster what became
 * of it. A report is repeated until the replica shows that it was heard.
 */
#include <string.h>

#include "clusterd/invariant.h"
#include "clusterd/local_move.h"
#include "clusterd/rule_index.h"
#include "clusterd/text.h"
#include "clusterd/zero.h"
#include "policies/order.h"

enum {
	REPORT_AGAIN_MS = 5000,
	STALL_LIMIT_MS = 15000,
	HELD_AGAIN_MS = 60000,
	ORPHANS_AGAIN_MS = 5000,
	RECALL_AGAIN_MS = 2000,
};

// Slots are zeroed as they are reached: ten thousand of them are megabytes.
static void local_touch(struct node *node, uint32_t slot)
{
	for (; node->local_touched <= slot; node->local_touched++)
		zero_fill(&node->locals[node->local_touched], sizeof(*node->locals));
}

static struct vm_local *local_of(struct node *node, struct vm_ref ref)
{
	struct vm_local *local;

	if (ref.slot >= node->local_touched)
		return NULL;
	local = &node->locals[ref.slot];
	return local->ref.serial == ref.serial ? local : NULL;
}

static bool local_free(struct node *node, const struct vm *vm)
{
	local_touch(node, vm->ref.slot);
	return node->locals[vm->ref.slot].life == LIFE_OFFLINE;
}

// A VM's local life begins: its slot's former tenant must be gone from this host.
static struct vm_local *local_begin(struct node *node, const struct vm *vm)
{
	struct vm_local *local = &node->locals[vm->ref.slot];

	local_touch(node, vm->ref.slot);
	if (local->ref.serial != vm->ref.serial) {
		INVARIANT(local->life == LIFE_OFFLINE);
		memset(local, 0, sizeof(*local));
		local->ref = vm->ref;
		local->uuid = vm_definition(&node->cluster, vm)->uuid;
		local->deadline_ms = UINT64_MAX;
	}
	if (vm->ref.slot >= node->local_high)
		node->local_high = vm->ref.slot + 1;
	return local;
}

struct vm_local *local_of_vm(struct node *node, const struct vm *vm)
{
	if (!vm || (!local_free(node, vm) && !local_of(node, vm->ref)))
		return NULL;
	return local_begin(node, vm);
}

static void local_adopted(struct node *node, const struct event *event, struct actions *actions)
{
	const struct vm *vm = cluster_find_vm_uuid(&node->cluster, &event->uuid);
	struct event found = *event;
	struct vm_local *local;

	// What was answered before sanlock died may be heard after it.
	found.flag = event->flag && !node->adoption_void;
	if (!vm) {
		// Perhaps the replica is behind: asked for again when the next view is normal.
		if (!found.flag)
			node->orphans_unleased++;
		if (node->orphans++ == 0)
			node_log(node, LOG_LEVEL_WARNING,
				 "a QEMU of an earlier daemon runs here whose VM is not known "
				 "(yet): left alone",
				 actions);
		return;
	}
	if (!local_free(node, vm))
		return;
	local = local_begin(node, vm);
	// Without its lease it belongs to a sanlock that is gone: no lockspace is joined before it
	// is.
	local->sanlock_epoch = found.flag ? node->sanlock_epoch : node->sanlock_epoch - 1;
	vm_local_event(local, &found, actions);
	// It may be continuing from it.
	if (vm->move == 0 && vm->saved_volume < VOLUMES_MAX)
		local->restored_volume = (uint8_t)(vm->saved_volume + 1);
}

static void local_lease_written(struct node *node, const struct event *event)
{
	struct vm_local *local = local_of(node, event->vm);

	if (!local || local->writing != event->volume + 1 || local->write_slot != event->lease_slot)
		return;
	local->written = true;
	local->write_ok = event->flag;
	local->reported_ms = 0;
	if (!event->flag)
		text_copy(local->reason, sizeof(local->reason), event->reason ? event->reason : "");
}

void local_event(struct node *node, const struct event *event, struct actions *actions)
{
	const struct vm *vm;
	struct vm_local *local;
	struct event heard = *event;

	switch (event->type) {
	case EVENT_VM_ADOPTED:
		local_adopted(node, event, actions);
		return;
	case EVENT_ADOPTION_DONE:
		node->adopted = true;
		node->adoption_void = false;
		return;
	case EVENT_LEASE_WRITTEN:
		local_lease_written(node, event);
		return;
	case EVENT_VM_ANSWERED:
		local = local_of(node, event->vm);
		if (local)
			local_answered(node, event, local);
		return;
	}
	if (local_saved(node, event))
		return;
	if (event->type >= EVENT_VM_SPAWNED && event->type <= EVENT_SAVED) {
		local = local_of(node, event->vm);
		// Found under an older reference, the edge names it so until it is asked.
		if (!local && (vm = cluster_find_vm_uuid(&node->cluster, &event->uuid)))
			local = local_of(node, heard.vm = vm->ref);
		if (local)
			vm_local_event(local, event, actions);
	}
	if (event->type >= EVENT_QEMU_LISTENING)
		local_moves_event(node, &heard, actions);
}

/*
 * A lease slot is written by the actor that the entry names, once, when the entry becomes
 * committed. An actor that finds itself named without having begun (it restarted) reports failure,
 * which burns the slot.
 */
void local_committed(struct node *node, const struct entry *entry, struct actions *actions)
{
	const struct vm *vm;
	struct vm_local *local;

	if (entry->type == ENTRY_LEASE_WRITTEN && entry->flag)
		node->lease_retry_ms = 0;
	if (entry->type != ENTRY_LEASE_WRITE || entry->actor != node_self_slot(node))
		return;
	/*
	 * Only in the view in which it was decided: a daemon that starts again, or comes back, is
	 * in a later one, and meets entries again that it may have carried out before. To write the
	 * slot once more could wipe a lease that is held by now.
	 */
	if (entry->view != view_number(node->view))
		return;
	vm = cluster_vm(&node->cluster, entry->vm);
	local = local_of_vm(node, vm);
	if (!local)
		return;
	for (uint32_t i = 0; i < vm->lease_count; i++) {
		const struct vm_lease *lease = &vm->leases[i];
		struct action *action;

		if (lease->volume != entry->volume || lease->life != LEASE_WRITING)
			continue;
		local->writing = (uint8_t)(lease->volume + 1);
		local->write_slot = lease->slot;
		local->written = false;
		local->reported_ms = 0;
		action = actions_add(actions, ACTION_LEASE_WRITE);
		action->vm = vm->ref;
		action->uuid = local->uuid;
		action->volume = lease->volume;
		action->lease_slot = lease->slot;
	}
}

// After a snapshot replaced the replica, VMs may stand in other slots; each life follows its UUID.
void local_reloaded(struct node *node)
{
	for (uint32_t i = 0; i < node->local_high; i++) {
		struct vm_local *local = &node->locals[i];
		const struct vm *vm;

		if (local->ref.serial == 0)
			continue;
		vm = cluster_find_vm_uuid(&node->cluster, &local->uuid);
		/*
		 * Slots and serials come from the log, the same on every replica; only a store that
		 * was reset or a recovery that accepted loss can disagree. Then the VM is gone from
		 * the replica, and a life without a VM is left alone until its process ends.
		 */
		if (vm && vm->ref.slot == local->ref.slot)
			local->ref = vm->ref;
	}
}

static bool leases_joined(const struct node *node, const struct vm *vm, bool *online)
{
	bool joined = true;

	*online = true;
	for (uint32_t i = 0; i < vm->lease_count; i++) {
		const struct node_volume *seen = &node->volumes[vm->leases[i].volume].seen;

		joined = joined && seen->joined;
		*online = *online && (seen->state == VOLUME_ONLINE || seen->state == VOLUME_SLOW);
	}
	return joined;
}

static void wish_without_view(const struct node *node, const struct vm *vm, struct vm_wish *wish)
{
	wish->keep = true;
	if (!node->no_quorum_acts || (vm && !vm->managed))
		return;
	if (node->cluster.def.no_quorum == NO_QUORUM_FREEZE)
		return;
	wish->keep = false;
	wish->stop = true;
	wish->why = "there is no quorum, and the policy is to stop";
}

// Its QEMU stands still for a move that is over, or of which the replica knows nothing.
static bool left_over(const struct node *node, const struct vm_local *local)
{
	return node->adopted && local->move_at == 0 &&
	       (local->life == LIFE_INCOMING || local->life == LIFE_HANDED);
}

static void wish_owned(const struct node *node, const struct vm *vm, const struct vm_local *local,
		       bool joined, struct vm_wish *wish)
{
	const struct move *move = cluster_move(&node->cluster, vm->move);
	bool placed = vm->phase == VM_PLACED;
	struct order_wait wait;

	wish->keep = true;
	/*
	 * A state that was taken may have been continued from: whatever became of that, it is not
	 * begun again, neither from the state nor anew, before the replica has dropped the state.
	 */
	wish->start = placed && vm_leases_ready(vm) && joined && !vm->strays &&
		      vm->saved != SAVED_TAKEN && node->sanlock_up && node->adopted &&
		      node->shutdown == SHUTDOWN_NONE &&
		      node->cluster.nodes[vm->owner].life == NODE_ONLINE;
	wish->mode = vm->saved == SAVED_KEPT ? START_RESTORE : START_FRESH;
	wish->saved_volume = vm->saved_volume;
	// Committed by what this very process has said (its attempt says so): it may continue.
	wish->cont = placed && vm->saved == SAVED_TAKEN && local->life == LIFE_RESTORED &&
		     vm->attempt == local->claim;
	if (vm->phase == VM_RUNNING && vm->move == 0)
		wish->lease = HOLD_WISH_EXCLUSIVE;
	// Its possible owners may have been redefined since it was placed here.
	if (placed && vm->possible && !(vm->possible & 1ull << vm->owner)) {
		wish->start = wish->keep = wish->cont = false;
		wish->why = "this node is no possible owner of it any more";
	}
	if (vm->doubled_on && vm->phase == VM_RUNNING && vm->move == 0 &&
	    vm_definition(&node->cluster, vm)->on_double_run == ON_DOUBLE_RESTART) {
		wish->stop = true;
		wish->why = "it ran on another node too, and is started anew";
	}
	if (waits_for_turn(node, vm, &wait))
		wish->start = false;
	if (move && move->stage == STAGE_STOP && !order_holds_stop(&node->cluster, vm)) {
		wish->stop = true;
		if (move->target != SLOT_NONE)
			wish->why = "it is moved, and starts anew elsewhere";
		else if (move->cause == CAUSE_DRAIN)
			wish->why = "its node is being emptied, and it is to be shut down for that";
		else
			wish->why = "it yields to a more important vm";
	}
}

// In the reverse of the order in which they started.
static void wish_ended(const struct node *node, const struct vm *vm, struct vm_wish *wish)
{
	if (order_holds_stop(&node->cluster, vm)) {
		wish->keep = true;
		wish->why = "what starts after it ends first";
		return;
	}
	wish->stop = true;
	wish->why = vm->wanted != VM_WANTED_RUNNING ? "it is wanted stopped"
						    : "what it starts after is stopped";
}

static struct vm_wish local_wish(const struct node *node, const struct vm *vm,
				 const struct vm_local *local)
{
	struct vm_wish wish = { .why = "", .sanlock_epoch = node->sanlock_epoch };
	bool joined = false, ours;

	if (vm) {
		wish.stop_timeout_ms = vm_definition(&node->cluster, vm)->stop_timeout_s * 1000u;
		if (vm->forced)
			wish.stop_timeout_ms = 0;
		wish.attempt = vm->attempt;
		joined = leases_joined(node, vm, &wish.volumes_online);
	}
	if (vm_local_process(local) && local->sanlock_epoch != node->sanlock_epoch) {
		wish.kill = true;
		wish.why = "sanlock died on its host, and its lease with it";
		return wish;
	}
	if (node->shutdown == SHUTDOWN_HOST && !host_keeps(node)) {
		wish.stop = true;
		wish.why = "its host shuts down";
		return wish;
	}
	if (!view_normal(node->view)) {
		wish_without_view(node, vm, &wish);
		return wish;
	}
	if (left_over(node, local)) {
		wish.kill = true;
		wish.why = "its move is over";
		return wish;
	}
	if (!vm || !vm->managed) {
		wish.keep = true;
		return wish;
	}
	ours = vm->owner == node_self_slot(node) && node_self_slot(node) != SLOT_NONE;
	if (vm->wanted != VM_WANTED_RUNNING || (ours && vm_is_held(&node->cluster, vm))) {
		wish_ended(node, vm, &wish);
	} else if (!ours) {
		// A waiting child is given up; what runs goes on under its lease and is reported as
		// found.
		wish.why = "it was placed elsewhere";
	} else {
		wish_owned(node, vm, local, joined, &wish);
	}
	return wish;
}

static void report_lease(struct node *node, const struct vm *vm, struct vm_local *local,
			 struct actions *actions)
{
	uint8_t self = node_self_slot(node);
	struct entry entry;

	for (uint32_t i = 0; i < vm->lease_count; i++) {
		const struct vm_lease *lease = &vm->leases[i];
		bool mine = local->writing == lease->volume + 1 && local->write_slot == lease->slot;

		if (lease->life != LEASE_WRITING || lease->actor != self)
			continue;
		if (mine && !local->written)
			return;
		if (local->reported_ms && node->now_ms - local->reported_ms < REPORT_AGAIN_MS) {
			node_wake_at(node, local->reported_ms + REPORT_AGAIN_MS);
			return;
		}
		entry_clear(&entry);
		entry.type = ENTRY_LEASE_WRITTEN;
		entry.vm = vm->ref;
		entry.volume = lease->volume;
		entry.lease_slot = lease->slot;
		entry.flag = mine && local->write_ok;
		text_copy(entry.reason, sizeof(entry.reason),
			  mine ? local->reason
			       : "the daemon that was writing its lease slot is gone");
		if (node_propose(node, &entry, NULL, actions))
			local->reported_ms = node->now_ms;
		node_wake_at(node, node->now_ms + REPORT_AGAIN_MS);
		return;
	}
}

// A move goes on when one of its ends has ended; the VM's phase does not say it yet.
static bool move_knows_end(const struct node *node, const struct vm *vm)
{
	const struct move *move = cluster_move(&node->cluster, vm->move);
	uint8_t self = node_self_slot(node);

	// A guest that was saved or stopped may begin again where it was.
	if (!move || move->stage == STAGE_ASKED || move->stage == STAGE_RESTORE ||
	    move->stage == STAGE_START)
		return false;
	return (move->source == self && move->source_gone) ||
	       (move->target == self && move->target_gone);
}

static bool replica_knows_end(const struct node *node, const struct vm *vm,
			      const struct vm_local *local)
{
	return !vm || move_knows_end(node, vm) || vm->owner != node_self_slot(node) ||
	       vm->attempt != local->claim ||
	       (vm->phase != VM_PLACED && vm->phase != VM_RUNNING && vm->phase != VM_BLOCKED);
}

static void tell_running(struct node *node, const struct vm *vm, struct vm_local *local,
			 struct actions *actions)
{
	uint8_t self = node_self_slot(node);
	const struct move *move = vm ? cluster_move(&node->cluster, vm->move) : NULL;

	if (!vm || self == SLOT_NONE || local_move_speaks(node, vm, local))
		return;
	// Found here in the middle of a move: it may not have continued, which its end of the move
	// says when it knows.
	if (move && move->target == self && (!node->adopted || local->unsure))
		return;
	if (vm->owner == self && vm->attempt == local->claim && vm->phase == VM_RUNNING)
		return;
	if (vm->owner == self && vm->attempt == local->claim && vm->phase == VM_PLACED)
		vm_report(node, local, VM_REPORT_STARTED, REPORT_AGAIN_MS, actions);
	else if (vm->phase != VM_BLOCKED)
		vm_report(node, local, VM_REPORT_FOUND, REPORT_AGAIN_MS, actions);
}

static void local_tell(struct node *node, const struct vm *vm, struct vm_local *local,
		       struct actions *actions)
{
	switch ((enum vm_life)local->life) {
	case LIFE_RUNNING:
	case LIFE_STOPPING:
		tell_running(node, vm, local, actions);
		break;
	case LIFE_KILLING:
		if (!stray_lives(node, vm, local, actions) && local->unkillable && vm &&
		    vm->phase != VM_BLOCKED)
			vm_report(node, local, VM_REPORT_STUCK, REPORT_AGAIN_MS, actions);
		break;
	case LIFE_BACKOFF:
		if (local->held && vm && vm->attempt == local->claim &&
		    strcmp(vm->reason, local->reason) != 0)
			vm_report(node, local, VM_REPORT_LEASE_HELD, HELD_AGAIN_MS, actions);
		break;
	case LIFE_RESTORED:
		if (vm && vm->phase == VM_PLACED && vm->saved == SAVED_KEPT)
			vm_report(node, local, VM_REPORT_RESTORING, REPORT_AGAIN_MS, actions);
		break;
	case LIFE_ENDED:
		if (stray_ended(node, vm, local, actions))
			break;
		if (!view_normal(node->view) && vm)
			break;
		if (local_move_speaks(node, vm, local) && vm->owner == node_self_slot(node) &&
		    !replica_knows_end(node, vm, local))
			break;
		if (replica_knows_end(node, vm, local))
			vm_local_forget(local, actions);
		else
			vm_report(node, local, (enum vm_report)local->report, REPORT_AGAIN_MS,
				  actions);
		break;
	case LIFE_OFFLINE:
	case LIFE_SPAWNING:
	case LIFE_LEASING:
	case LIFE_GRANTED:
	case LIFE_STARTING:
	case LIFE_INCOMING:
	case LIFE_RESTORING:
	case LIFE_CONTINUING:
	case LIFE_HANDED:
	case LIFE_RELEASING:
	case LIFE_COUNT:
		break;
	}
}

// The replica says that it runs here and it does not: the host or the daemon's memory of it is
// gone, and so is QEMU.
static void tell_missing(struct node *node, const struct vm *vm, struct vm_local *local,
			 struct actions *actions)
{
	local->claim = vm->attempt;
	text_copy(local->reason, sizeof(local->reason), "it was gone when its host came back");
	vm_report(node, local, VM_REPORT_STOPPED, REPORT_AGAIN_MS, actions);
}

// Placed here, and something else than its lease keeps it from starting: given back, so that it may
// go elsewhere.
static void tell_stalled(struct node *node, const struct vm *vm, struct vm_local *local,
			 struct actions *actions)
{
	struct order_wait wait;
	bool turn = waits_for_turn(node, vm, &wait);
	bool closed = turn && node->cluster.nodes[vm->owner].maintenance;

	if (turn && wait.ms != UINT64_MAX)
		node_wake_at(node, node->now_ms + wait.ms);
	if (node->shutdown >= SHUTDOWN_HOST) {
		text_copy(local->reason, sizeof(local->reason), "its host shuts down");
	} else if (vm->wanted == VM_WANTED_RUNNING && vm->managed) {
		if (local->claim != vm->attempt || local->deadline_ms == UINT64_MAX || turn) {
			local->claim = vm->attempt;
			local->deadline_ms = node->now_ms + STALL_LIMIT_MS;
		}
		if (!closed && node->now_ms < local->deadline_ms) {
			node_wake_at(node, local->deadline_ms);
			return;
		}
		text_copy(local->reason, sizeof(local->reason),
			  closed ? "its host went into maintenance before its turn came"
				 : "its host could not begin to start it");
	} else {
		text_copy(local->reason, sizeof(local->reason), "");
	}
	local->claim = vm->attempt;
	vm_report(node, local, VM_REPORT_STOPPED, REPORT_AGAIN_MS, actions);
}

static void local_offline(struct node *node, const struct vm *vm, struct vm_local *local,
			  struct actions *actions)
{
	if (!node->adopted || !view_normal(node->view) || move_knows_end(node, vm) ||
	    local_move_speaks(node, vm, local))
		return;
	if (vm->phase == VM_PLACED && vm->saved == SAVED_TAKEN) {
		local->claim = vm->attempt;
		text_copy(local->reason, sizeof(local->reason),
			  "it was lost while it continued from its saved state");
		vm_report(node, local, VM_REPORT_DIED, REPORT_AGAIN_MS, actions);
	} else if (vm->phase == VM_RUNNING || vm->phase == VM_BLOCKED)
		tell_missing(node, vm, local, actions);
	else if (vm->phase == VM_PLACED)
		tell_stalled(node, vm, local, actions);
}

// It runs, and nobody needs the state that it began from.
static void saved_remove(struct vm_local *local, const struct vm *vm, bool owned,
			 struct actions *actions)
{
	struct action *action;

	if (local->restored_volume == 0 || local->life != LIFE_RUNNING || !owned ||
	    vm->phase != VM_RUNNING || vm->saved != SAVED_NONE)
		return;
	action = actions_add(actions, ACTION_SAVED_REMOVE);
	action->vm = local->ref;
	action->uuid = local->uuid;
	action->volume = (uint8_t)(local->restored_volume - 1);
	local->restored_volume = 0;
}

/*
 * An earlier daemon had its guest sent, or saved, and the move has ended since: the guest may
 * stand, and nobody else lets it go on. What was told to finish may not be cancelled; it is made
 * to fail.
 */
static void local_recall(struct node *node, const struct vm *vm, struct vm_local *local,
			 struct actions *actions)
{
	struct action *action;
	bool known = view_normal(node->view) && node->cluster.view == view_number(node->view);

	if (local->life != LIFE_RUNNING || !local->sending) {
		if (local->recalled_ms && local->life == LIFE_RUNNING)
			vm_local_cont(local, actions);
		local->recalled_ms = 0;
		return;
	}
	if (!vm || vm->move != 0 || local->move_at || local->unsure || !node->adopted || !known ||
	    local->sent == MIGRATE_NONE)
		return;
	if (!local->recalled_ms || node->now_ms - local->recalled_ms >= RECALL_AGAIN_MS) {
		action = actions_add(actions, local->sent == MIGRATE_DEVICE
						      ? ACTION_MIGRATE_BREAK
						      : ACTION_MIGRATE_CANCEL);
		action->vm = local->ref;
		action->uuid = local->uuid;
		action->attempt = local->attempt;
		local->recalled_ms = node->now_ms;
	}
	node_wake_at(node, local->recalled_ms + RECALL_AGAIN_MS);
}

static void local_live(struct node *node, const struct vm *vm, struct vm_local *local, bool owned,
		       struct actions *actions)
{
	struct vm_wish wish;
	uint8_t life;

	// It was found, or moved, and named anew: its process goes on under that placement.
	if (owned && vm->phase == VM_RUNNING && local->life >= LIFE_CONTINUING &&
	    local->life <= LIFE_STOPPING)
		local->claim = vm->attempt;
	if (owned && vm->phase == VM_RUNNING && vm->move == 0 && view_normal(node->view) &&
	    !local->sending)
		local->unsure = false;
	// Nobody else has the memory that was restored here, and it stands because the daemon died
	// that was to let it go on.
	if (owned && vm->phase == VM_PLACED && vm->saved == SAVED_TAKEN &&
	    local->claim == vm->attempt && local->paused && view_normal(node->view))
		local->unsure = false;
	do {
		life = local->life;
		local_move_step(node, local, actions);
		wish = local_wish(node, vm, local);
		local_move_wish(node, local, &wish, actions);
		vm_local_wish(local, &wish, node->now_ms, actions);
	} while (life != local->life);
	local_move_step(node, local, actions);
	node_wake_at(node, lease_hold_deadline_ms(&local->hold, (enum hold_wish)wish.lease));
	saved_remove(local, vm, owned, actions);
	local_recall(node, vm, local, actions);
	if (owned && local->life == LIFE_OFFLINE)
		local_offline(node, vm, local, actions);
	else if (local->life != LIFE_OFFLINE && local->deadline_ms != UINT64_MAX)
		node_wake_at(node, local->deadline_ms);
	local_move_tell(node, local, actions);
	local_tell(node, vm, local, actions);
	if (owned)
		local_ask(node, vm, local, actions);
}

// Of most VMs nothing is here: neither placed here, nor is a lease slot of it this host's to write.
static bool concerns_us(const struct vm *vm, uint8_t self)
{
	if (!vm->used || self == SLOT_NONE)
		return false;
	for (uint32_t i = 0; i < vm->lease_count; i++)
		if (vm->leases[i].life == LEASE_WRITING && vm->leases[i].actor == self)
			return true;
	return vm->owner == self || vm->strays >> self & 1;
}

static bool is_here(const struct node *node, uint32_t slot, uint8_t self)
{
	const struct vm_local *local = &node->locals[slot];

	return local->life != LIFE_OFFLINE || local->move_at != 0 ||
	       (slot < node->cluster.vm_high && concerns_us(&node->cluster.vms[slot], self));
}

static void local_one(struct node *node, uint32_t slot, uint8_t self, struct actions *actions)
{
	const struct vm *vm = slot < node->cluster.vm_high && node->cluster.vms[slot].used
				      ? &node->cluster.vms[slot]
				      : NULL;
	struct vm_local *local = &node->locals[slot];
	bool owned;

	if (vm && local->life != LIFE_OFFLINE && local->ref.serial != vm->ref.serial)
		vm = NULL;	// the slot has a new tenant, and the old one's process still lives
				// here
	owned = vm && vm->owner == self && self != SLOT_NONE;
	// What a VM that is gone left in this slot, a lease that was written for it too, is not
	// this one's.
	if (owned || (vm && local->life == LIFE_OFFLINE && local->move_at == 0))
		local = local_begin(node, vm);
	if (owned || local->life != LIFE_OFFLINE || local->move_at)
		local_live(node, vm, local, owned, actions);
	if (local->life == LIFE_OFFLINE && node->adopted && node->orphans == 0)
		stray_ended(node, vm, local, actions);
	if (vm && local->ref.serial == vm->ref.serial && view_normal(node->view))
		report_lease(node, vm, local, actions);
}

/*
 * There are QEMUs whose VMs the replica did not know when they were found: each normal view may
 * know them. Those without a lease keep the lockspaces closed, so it is also looked whether they
 * still live.
 */
static void adopt_again(struct node *node, struct actions *actions)
{
	bool known = view_normal(node->view) && node->orphans_view != view_number(node->view);

	if (node->orphans == 0 || !node->adopted)
		return;
	if (!known && (node->orphans_unleased == 0 || node->now_ms < node->orphans_again_ms)) {
		if (node->orphans_unleased > 0)
			node_wake_at(node, node->orphans_again_ms);
		return;
	}
	node->orphans = node->orphans_unleased = 0;
	if (known)
		node->orphans_view = view_number(node->view);
	node->orphans_again_ms = node->now_ms + ORPHANS_AGAIN_MS;
	node->adopted = false;
	actions_add(actions, ACTION_ADOPT);
}

static void self_fence(struct node *node, struct actions *actions)
{
	struct action *action;

	for (uint32_t i = 0; i < node->local_high; i++) {
		if (!vm_local_process(&node->locals[i]))
			continue;
		action = actions_add(actions, ACTION_SELF_FENCE);
		action->text = "no quorum, and the policy is to reset";
		return;
	}
}

void local_step(struct node *node, struct actions *actions)
{
	uint8_t self = node_self_slot(node);
	uint32_t high = node->cluster.vm_high > node->local_high ? node->cluster.vm_high
								 : node->local_high;

	if (high > 0)
		local_touch(node, high - 1);
	adopt_again(node, actions);
	local_moves_sync(node, actions);
	if (node->no_quorum_acts && node->cluster.def.no_quorum == NO_QUORUM_SELF_FENCE)
		self_fence(node, actions);
	for (uint32_t slot = 0; slot < high; slot++) {
		if (!is_here(node, slot, self))
			continue;
		if (!actions_room(actions, 64, 64 * 1024)) {
			node_wake_at(node, node->now_ms + 1);	// the rest in the next step
			return;
		}
		local_one(node, slot, self, actions);
	}
}
