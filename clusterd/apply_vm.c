// SPDX-License-Identifier: Apache-2.0
// Entries about VMs: the moves of enum vm_phase and enum lease_life, drawn in cluster.h.
#include <string.h>

#include "clusterd/apply_move.h"
#include "clusterd/cluster_internal.h"
#include "clusterd/cpu.h"
#include "clusterd/rule_index.h"
#include "clusterd/text.h"
#include "policies/shutdown.h"

void vm_set_phase(struct apply *a, struct vm *vm, enum vm_phase phase)
{
	if (vm->phase != phase)
		vm->since_ms = a->entry->at_ms;
	vm->phase = (uint8_t)phase;
	if (phase != VM_RUNNING)
		vm->up_rules = 0;
}

void vm_set_idle(struct apply *a, struct vm *vm, enum vm_phase phase)
{
	if (vm->owner != SLOT_NONE)
		vm->last_owner = vm->owner;
	vm->owner = SLOT_NONE;
	vm->bound_to = SLOT_NONE;
	vm->doubled_on = 0;
	vm->forced = false;
	vm_lose_saved(vm);
	vm_set_phase(a, vm, phase);
	size_take(a, vm);
}

// The definition says what is wanted too, so that writing it out again gives the truth.
void vm_set_wanted(struct apply *a, struct vm *vm, enum vm_wanted wanted)
{
	vm->wanted = (uint8_t)wanted;
	a->cluster->defs[vm->ref.slot].wanted = (uint8_t)wanted;
	rule_index_orders(a->cluster);
}

void vm_drop_saved(struct vm *vm)
{
	vm->saved = SAVED_NONE;
	vm->saved_volume = SLOT_NONE;
	vm->saved_bytes = 0;
}

/*
 * It may have continued from it: the disk is newer than that memory. Where the file is stays known
 * until the VM runs again; then it is removed there.
 */
void vm_lose_saved(struct vm *vm)
{
	if (vm->saved != SAVED_TAKEN)
		return;
	vm->saved = SAVED_NONE;
	vm->saved_bytes = 0;
}

void vm_forgive(struct vm *vm)
{
	vm->restarts = 0;
	vm->relocations = 0;
	vm->failed_on = 0;
	memset(vm->failures, 0, sizeof(vm->failures));
	vm->failed_ms = 0;
	text_copy(vm->reason, sizeof(vm->reason), "");
}

bool vm_owned(const struct vm *vm)
{
	return vm->phase == VM_PLACED || vm->phase == VM_RUNNING || vm->phase == VM_BLOCKED;
}

static void set_reason(struct vm *vm, const char *reason)
{
	text_copy(vm->reason, sizeof(vm->reason), reason);
}

static enum node_life owner_life(const struct cluster *cluster, const struct vm *vm)
{
	if (vm->owner >= NODES_MAX || !cluster->nodes[vm->owner].used)
		return NODE_UNKNOWN;
	return cluster->nodes[vm->owner].life;
}

static bool runs_nothing(enum node_life life)
{
	return life == NODE_DEAD || life == NODE_LEFT || life == NODE_UNKNOWN;
}

/*
 * What ends a VM ends its move first. To want one running that is being saved ends the saving; to
 * want one stopped at once that is saved ends that too: it would start anew, not continue.
 */
static void want_moving(struct apply *a, struct vm *vm)
{
	struct move *move = vm_move_of(a, vm);
	bool run = a->entry->wanted == VM_WANTED_RUNNING;

	if (move && (!run || move->kind == MOVE_SAVE))
		move_give_up(a, move);
	if (!run && a->entry->flag && !vm_owned(vm) && vm->saved == SAVED_KEPT)
		vm_drop_saved(vm);
	size_take(a, vm);
	// Shut down for its node's maintenance, and now wanted elsewhere.
	if (!vm_owned(vm))
		vm->drained_from = vm->bound_to = SLOT_NONE;
}

bool apply_vm_want(struct apply *a)
{
	struct vm *vm = apply_named_vm(a);

	if (!vm)
		return false;
	want_moving(a, vm);
	vm_set_wanted(a, vm, a->entry->wanted);
	vm->forced = a->entry->flag && a->entry->wanted != VM_WANTED_RUNNING && vm_owned(vm);
	// It is tried again, or was given up for good.
	if (vm->phase == VM_ERROR) {
		vm_forgive(vm);
		vm_set_phase(a, vm, VM_IDLE);
	}
	return true;
}

bool apply_vm_manage(struct apply *a)
{
	struct vm *vm = apply_named_vm(a);

	if (!vm)
		return false;
	if (!a->entry->flag && vm->move != 0)
		return refuse(a, "moving", WORDS("vm ", a->entry->name, " is being moved"),
			      WORDS("wait, or: clustadm vm cancel ", a->entry->name));
	vm->managed = a->entry->flag;
	return true;
}

bool apply_vm_clear(struct apply *a)
{
	struct vm *vm = apply_named_vm(a);

	if (!vm)
		return false;
	if (vm->phase == VM_BLOCKED && !runs_nothing(owner_life(a->cluster, vm))) {
		const char *owner = slot_name(a->cluster, vm->owner);

		return refuse(a, "may-run",
			      WORDS("vm ", a->entry->name, " may still run on ", owner),
			      WORDS("end it there, or: clustadm node fence ", owner));
	}
	if ((vm->phase == VM_BLOCKED && vm->move == 0) || vm->phase == VM_ERROR)
		vm_set_idle(a, vm, VM_IDLE);
	vm_forgive(vm);
	return true;
}

static struct vm_lease *lease_on(struct vm *vm, uint8_t volume)
{
	for (uint32_t i = 0; i < vm->lease_count; i++) {
		if (vm->leases[i].volume == volume)
			return &vm->leases[i];
	}
	return NULL;
}

// A write that may still be under way must not land on somebody else's lease.
void lease_slot_give_back(struct cluster *cluster, const struct vm_lease *lease)
{
	uint8_t *slots = volume_lease_slots(cluster, lease->volume);

	slots[lease->slot] =
		lease->life == LEASE_WRITING || lease->life == LEASE_GONE ? SLOT_BURNED : SLOT_FREE;
}

// Burns the lease's slot and takes the lowest free one.
static bool lease_take_another_slot(struct apply *a, struct vm_lease *lease)
{
	uint8_t *slots = volume_lease_slots(a->cluster, lease->volume);
	uint32_t slot;

	if (!lease_slot_find_free(a->cluster, lease->volume, &slot))
		return refuse(a, "no-lease-slot",
			      WORDS("volume ", a->cluster->volumes[lease->volume].def.name,
				    " has no free lease slot"),
			      WORDS("remove a vm from it"));
	slots[lease->slot] = SLOT_BURNED;
	slots[slot] = SLOT_USED;
	lease->slot = slot;
	return true;
}

bool apply_lease_write(struct apply *a)
{
	const struct entry *entry = a->entry;
	struct vm *vm = apply_vm(a);
	struct vm_lease *lease;

	if (!vm)
		return false;
	lease = lease_on(vm, entry->volume);
	if (!lease || lease->life == LEASE_READY || (lease->life == LEASE_WRITING && !entry->burn))
		return refuse(a, "stale", WORDS("the lease has moved on"), WORDS(""));
	if (!a->cluster->volumes[entry->volume].prepared)
		return refuse(a, "not-prepared", WORDS("the volume is not prepared"), WORDS(""));
	if (entry->actor >= NODES_MAX || !a->cluster->nodes[entry->actor].used)
		return refuse(a, "no-such-node", WORDS("the actor was removed"), WORDS(""));
	if ((lease->life == LEASE_WRITING || lease->life == LEASE_GONE) &&
	    !lease_take_another_slot(a, lease))
		return false;
	lease->life = LEASE_WRITING;
	lease->actor = entry->actor;
	return true;
}

bool apply_lease_written(struct apply *a)
{
	const struct entry *entry = a->entry;
	struct vm *vm = apply_vm(a);
	struct vm_lease *lease;

	if (!vm)
		return false;
	lease = lease_on(vm, entry->volume);
	if (!lease || lease->life != LEASE_WRITING || lease->slot != entry->lease_slot ||
	    lease->actor == SLOT_NONE || lease->actor != apply_from(a))
		return refuse(a, "stale", WORDS("the lease has moved on"), WORDS(""));
	if (!entry->flag && !lease_take_another_slot(a, lease))
		return false;
	if (!entry->flag)
		set_reason(vm, entry->reason);
	lease->life = entry->flag ? LEASE_READY : LEASE_UNWRITTEN;
	lease->actor = SLOT_NONE;
	return true;
}

/*
 * From an owner that is EXPIRING a VM is taken without proof that it ended there. The next owner
 * may not start it before sanlock grants the lease, and sanlock does so after expiry alone. Until
 * some owner held the lease, `unproven` remembers that nothing is known, whatever else becomes of
 * the VM.
 */
static void place_on(struct apply *a, struct vm *vm, uint8_t owner)
{
	enum node_life life = owner_life(a->cluster, vm);
	const struct cluster_node *node;

	if (owner >= NODES_MAX)
		return;
	node = &a->cluster->nodes[owner];
	if (!node->used || node->life != NODE_ONLINE || vm->wanted != VM_WANTED_RUNNING ||
	    vm->move != 0 || !vm->managed || !vm_leases_ready(vm) || vm->phase == VM_ERROR)
		return;
	// Its definition, or what is to become of the node, may have changed since the decision was
	// taken.
	if (!node->managed || node->maintenance)
		return;
	if (vm->possible != 0 && !(vm->possible & slot_bit(owner)))
		return;
	if (vm->strays || (vm_owned(vm) && life != NODE_EXPIRING && life != NODE_DEAD))
		return;
	vm_lose_saved(vm);
	if (vm_owned(vm)) {
		vm->last_owner = vm->owner;
		if (life == NODE_EXPIRING)
			vm->unproven |= slot_bit(vm->owner);
	}
	vm->owner = owner;
	// A saved guest goes on with the processor and the machine that it was saved with.
	if (vm->saved != SAVED_KEPT) {
		vm->cpu_known = cpu_for_start(a->cluster, vm, owner, &vm->cpu);
		machine_baseline(a->cluster, vm->possible, owner,
				 vm_definition(a->cluster, vm)->machine, vm->machine);
	}
	vm->bound_to = SLOT_NONE;
	vm->attempt++;
	vm->phase = VM_PLACED;
	vm->up_rules = vm->doubled_on = 0;
	vm->since_ms = a->entry->at_ms;
	set_reason(vm, "");
}

static void place_nowhere(struct apply *a, struct vm *vm, const struct place *place)
{
	if (vm->move != 0 || (vm_owned(vm) && !runs_nothing(owner_life(a->cluster, vm))))
		return;
	vm_set_idle(a, vm, place->phase);
	set_reason(vm, place->reason);
}

// Places are decided together but stand alone: what moved on since keeps its newer state.
bool apply_place(struct apply *a)
{
	struct place place;
	size_t at = 0;

	while (at < a->entry->places_size && place_decode(&place, a->entry, &at)) {
		const struct vm *found = cluster_vm(a->cluster, place.vm);
		struct vm *vm;

		if (!found || found->attempt != place.attempt)
			continue;
		vm = &a->cluster->vms[found->ref.slot];
		if (place.owner == SLOT_NONE)
			place_nowhere(a, vm, &place);
		else
			place_on(a, vm, place.owner);
	}
	return true;
}

void vm_count_failure(struct apply *a, struct vm *vm)
{
	const struct vm_def *def = vm_definition(a->cluster, vm);
	uint8_t *count = &vm->failures[vm->owner];

	// Failures long past say nothing about this one.
	if (vm_failures_old(a->cluster, vm, a->entry->at_ms))
		vm_forgive(vm);
	if (def->on_failure == ON_FAILURE_IGNORE)
		return;
	*count += *count < UINT8_MAX;
	vm->failed_ms = a->entry->at_ms;
	vm->restarts = *count;
	if (*count <= def->restarts_max)
		return;
	vm->failed_on |= slot_bit(vm->owner);
	vm->relocations++;
	vm->restarts = 0;
}

static void report_failure(struct apply *a, struct vm *vm)
{
	vm_count_failure(a, vm);
	vm_set_idle(a, vm, VM_IDLE);
	set_reason(vm, a->entry->reason);
	if (vm_definition(a->cluster, vm)->on_failure == ON_FAILURE_STOP &&
	    vm->wanted == VM_WANTED_RUNNING)
		vm_set_wanted(a, vm, VM_WANTED_STOPPED);
	if (vm->relocations > vm_definition(a->cluster, vm)->relocations_max)
		vm_set_phase(a, vm, VM_ERROR);
}

void vm_guest_shut_down(struct apply *a, struct vm *vm)
{
	if (vm_definition(a->cluster, vm)->on_guest_shutdown == GUEST_SHUTDOWN_STOP &&
	    vm->wanted == VM_WANTED_RUNNING)
		vm_set_wanted(a, vm, VM_WANTED_STOPPED);
}

static void report_guest_shutdown(struct apply *a, struct vm *vm)
{
	vm_guest_shut_down(a, vm);
	vm_set_idle(a, vm, VM_IDLE);
	set_reason(vm, "");
}

// What QEMU says of the guest's CPU counts more than what it was to be.
static void take_cpu(const struct entry *entry, struct vm *vm)
{
	if (!entry->cpu_known)
		return;
	vm->cpu_known = true;
	vm->cpu = entry->cpu;
}

/*
 * The finder held the lease when it said so: nobody else did, whoever was thought to. What it did
 * not know of yet may have come after it ended there (a report waits for the next view if need be),
 * and so outweighs it: a finder that still runs it says so again. And it proves nothing of those
 * that were given up since.
 */
bool vm_found(struct apply *a, struct vm *vm, uint8_t finder)
{
	bool placed_since = vm->attempt != a->entry->attempt;
	bool runs = vm->phase == VM_RUNNING || vm->phase == VM_BLOCKED;

	if (vm->owner != finder && runs && owner_life(a->cluster, vm) == NODE_ONLINE &&
	    (placed_since || !a->entry->flag))
		return refuse(a, "stale",
			      WORDS("vm ", vm_definition(a->cluster, vm)->name,
				    " runs elsewhere since"),
			      WORDS(""));
	take_cpu(a->entry, vm);
	if (!placed_since)
		vm->unproven = 0;
	if (vm->owner == finder) {
		vm_set_phase(a, vm, VM_RUNNING);
		vm_drop_saved(vm);
		set_reason(vm, "");
		return true;
	}
	if (runs && owner_life(a->cluster, vm) == NODE_ONLINE) {
		vm_set_phase(a, vm, VM_BLOCKED);
		words_join(vm->reason, sizeof(vm->reason),
			   WORDS("reported running on both ", slot_name(a->cluster, vm->owner),
				 " and ", slot_name(a->cluster, finder)));
		return true;
	}
	if (vm->owner != SLOT_NONE)
		vm->last_owner = vm->owner;
	vm->owner = finder;
	vm->bound_to = SLOT_NONE;
	vm->attempt++;
	vm_drop_saved(vm);
	vm_set_phase(a, vm, VM_RUNNING);
	words_join(vm->reason, sizeof(vm->reason),
		   WORDS("found running on ", slot_name(a->cluster, finder)));
	return true;
}

static bool report_started(struct apply *a, struct vm *vm)
{
	if (vm->phase == VM_BLOCKED)
		return refuse(a, "blocked",
			      WORDS("vm ", vm_definition(a->cluster, vm)->name,
				    " is blocked: ", vm->reason),
			      WORDS(""));
	vm_set_phase(a, vm, VM_RUNNING);
	take_cpu(a->entry, vm);
	vm->unproven = 0;
	vm_drop_saved(vm);
	set_reason(vm, "");
	return true;
}

// Committed before the guest continues from its saved state: it is not restored a second time.
static bool report_restoring(struct apply *a, struct vm *vm)
{
	if (vm->phase != VM_PLACED || vm->saved == SAVED_NONE)
		return refuse(a, "stale",
			      WORDS("vm ", vm_definition(a->cluster, vm)->name,
				    " has no saved state to continue from"),
			      WORDS(""));
	vm->saved = SAVED_TAKEN;
	return true;
}

/*
 * A second process ran without the lease, and is gone; what the other one, which has it, is to do,
 * its definition says. It may have written what the second one wrote too: who runs on with that is
 * the administrator's choice.
 */
static bool report_double(struct apply *a, struct vm *vm, uint8_t from)
{
	enum on_double_run policy = vm_definition(a->cluster, vm)->on_double_run;
	struct move *move = vm_move_of(a, vm);

	vm->strays &= ~slot_bit(from);
	if (!vm_owned(vm) || vm->owner == from || vm->doubled_on & slot_bit(from))
		return true;
	vm->doubled_on |= slot_bit(from);
	if (!vm->managed || vm->phase == VM_BLOCKED || policy == ON_DOUBLE_KEEP)
		return true;
	if (move)
		move_give_up(a, move);
	words_join(vm->reason, sizeof(vm->reason),
		   WORDS("it ran on ", slot_name(a->cluster, from), " too, without its lease"));
	if (policy == ON_DOUBLE_STOP && vm->wanted == VM_WANTED_RUNNING)
		vm_set_wanted(a, vm, VM_WANTED_STOPPED);
	if (policy == ON_DOUBLE_BLOCK && vm->phase == VM_RUNNING && vm->move == 0)
		vm_set_phase(a, vm, VM_BLOCKED);
	return true;
}

/*
 * A process of it that is not its present one, on whatever node, was told to end and has not yet.
 * It has no lease that a start elsewhere would ask for: a guest that began there would share its
 * disk with what is left of this one. So it starts nowhere until that node says that it is gone
 * (it says so as long as it is counted here), or is proven dead: no expiry proves anything of it.
 */
static bool report_stray(struct apply *a, struct vm *vm, uint8_t from)
{
	vm->strays |= slot_bit(from);
	vm_say_strays(a, vm);
	return true;
}

void vm_say_strays(struct apply *a, struct vm *vm)
{
	uint8_t slot = 0;

	if (vm->strays == 0 || vm_owned(vm))
		return;
	while (!(vm->strays & slot_bit(slot)))
		slot++;
	words_join(vm->reason, sizeof(vm->reason),
		   WORDS("a process of it on ", slot_name(a->cluster, slot),
			 " has yet to end, and has not its lease"));
}

// For every rule that asks for this: whichever it was asked for.
static bool report_answers(struct apply *a, struct vm *vm)
{
	uint64_t mask = rules_of_vm(a->cluster, vm).as[ROLE_FIRST];

	if (vm->phase != VM_RUNNING)
		return refuse(
			a, "stale",
			WORDS("vm ", vm_definition(a->cluster, vm)->name, " does not run any more"),
			WORDS(""));
	for (uint8_t rule = 0; rule < RULES_MAX; rule++) {
		const struct rule_def *def = &a->cluster->rules[rule].def;

		if (mask >> rule & 1 && def->up == a->entry->up &&
		    def->up_value == a->entry->up_value)
			vm->up_rules |= UINT64_C(1) << rule;
	}
	return true;
}

// Where its definition wants that, as it is or as it has become.
void vm_fence_if_stuck(struct apply *a, const struct vm *vm)
{
	struct cluster_node *node;

	if (vm->phase != VM_BLOCKED || !vm->managed ||
	    vm_definition(a->cluster, vm)->on_stop_failure != ON_STOP_FAILURE_FENCE)
		return;
	node = &a->cluster->nodes[vm->owner];
	if (node->life == NODE_ONLINE && node->def.fence_count > 0 && node->managed)
		node->fence_wanted = true;
}

// It may still write: only the end of its node ends it for certain.
static void report_stuck(struct apply *a, struct vm *vm)
{
	vm_set_phase(a, vm, VM_BLOCKED);
	set_reason(vm, a->entry->reason);
	vm_fence_if_stuck(a, vm);
}

// Its host goes down on purpose and has ended it: by policy it may be bound to that host.
static void report_stopped(struct apply *a, struct vm *vm)
{
	uint8_t owner = vm->owner;
	bool bound = vm->phase == VM_RUNNING && vm->wanted == VM_WANTED_RUNNING &&
		     shutdown_binds(a->cluster->def.policies.shutdown,
				    a->cluster->nodes[owner].report.leaving);

	vm_set_idle(a, vm, VM_IDLE);
	set_reason(vm, a->entry->reason);
	if (bound)
		vm->bound_to = owner;
}

bool vm_report_owned(struct apply *a, struct vm *vm)
{
	switch ((enum vm_report)a->entry->vm_report) {
	case VM_REPORT_STARTED:
		return report_started(a, vm);
	case VM_REPORT_STOPPED:
		report_stopped(a, vm);
		return true;
	case VM_REPORT_GUEST_SHUTDOWN:
		report_guest_shutdown(a, vm);
		return true;
	case VM_REPORT_START_FAILED:
		// It never continued, so what was saved is as good as before.
		if (vm->saved == SAVED_TAKEN)
			vm->saved = SAVED_KEPT;
		report_failure(a, vm);
		return true;
	case VM_REPORT_DIED:
		report_failure(a, vm);
		return true;
	case VM_REPORT_LEASE_GONE:
		// Which of them is not known.
		for (uint32_t i = 0; i < vm->lease_count; i++)
			if (vm->leases[i].life == LEASE_READY)
				vm->leases[i].life = LEASE_GONE;
		report_failure(a, vm);
		return true;
	case VM_REPORT_LEASE_HELD:
		set_reason(vm, a->entry->reason);
		return true;
	case VM_REPORT_STUCK:
		report_stuck(a, vm);
		return true;
	case VM_REPORT_RESTORING:
		return report_restoring(a, vm);
	case VM_REPORT_DOUBLE:
	case VM_REPORT_ANSWERS:
	case VM_REPORT_FOUND:
	case VM_REPORT_COUNT:
		break;
	}
	return refuse(a, "malformed", WORDS("unknown report"), WORDS(""));
}

bool apply_vm_report(struct apply *a)
{
	struct vm *vm = apply_vm(a);
	uint8_t from = apply_from(a);
	struct move *move;

	if (!vm)
		return false;
	move = vm_move_of(a, vm);
	if (from == SLOT_NONE)
		return refuse(a, "no-such-node",
			      WORDS("no node has id ", number_text(a->entry->from).text),
			      WORDS(""));
	if (a->entry->vm_report == VM_REPORT_FOUND && move)
		return move_vm_found(a, vm, move, from);
	if (a->entry->vm_report == VM_REPORT_FOUND)
		return vm_found(a, vm, from);
	if (a->entry->vm_report == VM_REPORT_DOUBLE)
		return report_double(a, vm, from);
	if (!vm_owned(vm) || vm->owner != from || vm->attempt != a->entry->attempt) {
		if (a->entry->vm_report == VM_REPORT_STUCK && !move)
			return report_stray(a, vm, from);
		return refuse(a, "stale",
			      WORDS("vm ", vm_definition(a->cluster, vm)->name,
				    " has been placed again since"),
			      WORDS(""));
	}
	if (a->entry->vm_report == VM_REPORT_ANSWERS)
		return report_answers(a, vm);
	return move ? move_vm_report(a, vm, move) : vm_report_owned(a, vm);
}
