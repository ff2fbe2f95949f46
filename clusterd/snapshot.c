// SPDX-License-Identifier: Apache-2.0
// The replicated state as bytes and as a digest: one walk over the fields, see fields.h.
#include <string.h>

#include "clusterd/cluster_internal.h"
#include "clusterd/fields.h"
#include "clusterd/rule_index.h"
#include "clusterd/vm_index.h"

enum { SNAPSHOT_VERSION = 1 };

static void fields_node(struct fields *f, struct cluster_node *node)
{
	fields_node_def(f, &node->def);
	field_bool(f, &node->managed);
	field_bool(f, &node->maintenance);
	field_enum(f, &node->drain, DRAIN_STATE_COUNT);
	field_u64(f, &node->drain_until_ms);
	field_bool(f, &node->drain_return);
	field_bool(f, &node->drain_stop);
	field_string(f, node->drain_reason, sizeof(node->drain_reason));
	field_bool(f, &node->reported);
	fields_node_report(f, &node->report);
	field_enum(f, &node->life, NODE_LIFE_COUNT);
	field_u32(f, &node->fence_attempt);
	field_slot(f, &node->fence_actor, NODES_MAX);
	field_u8(f, &node->fence_device);
	field_u32(f, &node->fence_generation_mask);
	fields_generations(f, node->fence_generation);
	field_u32(f, &node->fence_failures);
	field_bool(f, &node->fence_wanted);
	field_u64(f, &node->since_ms);
	field_u64(f, &node->steady_ms);
	field_count(f, &node->policy_move_count, POLICY_BUDGET_MAX);
	for (uint32_t i = 0; i < node->policy_move_count; i++)
		field_u64(f, &node->policy_moves[i]);
	field_string(f, node->reason, sizeof(node->reason));
}

// Up to the last slot that is not free, so that the bytes do not depend on how many this replica
// has room for.
static void fields_lease_slots(struct fields *f, const struct cluster *cluster, uint8_t volume)
{
	uint8_t *slots = volume_lease_slots(cluster, volume);
	uint32_t count = 0;

	if (!fields_reading(f)) {
		static const uint8_t none[64];

		count = cluster->limits.lease_slots_max;
		while (count >= sizeof(none) &&
		       memcmp(slots + count - sizeof(none), none, sizeof(none)) == 0)
			count -= sizeof(none);
		while (count > 0 && slots[count - 1] == SLOT_FREE)
			count--;
	}
	field_count(f, &count, cluster->limits.lease_slots_max);
	field_bytes(f, slots, fields_failed(f) ? 0 : count);
	for (uint32_t i = 0; fields_reading(f) && i < count; i++)
		if (slots[i] >= LEASE_SLOT_COUNT)
			fields_fail(f);
}

static void fields_volume(struct fields *f, struct cluster_volume *volume)
{
	fields_volume_def(f, &volume->def);
	field_u32(f, &volume->io_timeout_s);
	field_bool(f, &volume->prepared);
	field_slot(f, &volume->prepare_actor, NODES_MAX);
	field_u32(f, &volume->prepare_attempt);
	field_string(f, volume->reason, sizeof(volume->reason));
}

static void fields_lease(struct fields *f, struct vm_lease *lease)
{
	field_enum(f, &lease->volume, VOLUMES_MAX);
	field_enum(f, &lease->life, LEASE_LIFE_COUNT);
	field_slot(f, &lease->actor, NODES_MAX);
	field_u32(f, &lease->slot);
}

// Of most nodes there are none: which have some, then how many.
static void fields_failures(struct fields *f, uint8_t *failures)
{
	static const uint8_t none[NODES_MAX];
	bool any = !fields_reading(f) && memcmp(failures, none, sizeof(none)) != 0;
	uint64_t mask = 0;

	for (uint32_t i = 0; any && i < NODES_MAX; i++)
		mask |= (uint64_t)(failures[i] != 0) << i;
	field_u64(f, &mask);
	for (uint32_t i = 0; mask && i < NODES_MAX; i++) {
		if (!(mask >> i & 1))
			continue;
		field_u8(f, &failures[i]);
		if (fields_reading(f) && failures[i] == 0)
			fields_fail(f);
	}
}

static void fields_vm(struct fields *f, struct vm *vm)
{
	field_u32(f, &vm->ref.serial);
	field_enum(f, &vm->phase, VM_PHASE_COUNT);
	field_slot(f, &vm->owner, NODES_MAX);
	field_enum(f, &vm->wanted, VM_WANTED_COUNT);
	field_bool(f, &vm->managed);
	field_bool(f, &vm->forced);
	field_u32(f, &vm->attempt);
	field_u64(f, &vm->possible);
	for (uint32_t i = 0; i < VM_TIERS_MAX; i++)
		field_u64(f, &vm->tiers[i]);
	field_count(f, &vm->lease_count, VM_LEASES_MAX);
	for (uint32_t i = 0; i < vm->lease_count; i++)
		fields_lease(f, &vm->leases[i]);
	field_u32(f, &vm->restarts);
	field_u32(f, &vm->relocations);
	field_u64(f, &vm->failed_on);
	fields_failures(f, vm->failures);
	field_u64(f, &vm->failed_ms);
	field_slot(f, &vm->last_owner, NODES_MAX);
	field_u64(f, &vm->unproven);
	field_bool(f, &vm->cpu_known);
	fields_cpu(f, &vm->cpu);
	field_string(f, vm->machine, sizeof(vm->machine));
	field_u64(f, &vm->since_ms);
	field_u32(f, &vm->next_cpus);
	field_u32(f, &vm->next_memory_mib);
	field_u64(f, &vm->strays);
	field_u64(f, &vm->doubled_on);
	field_u64(f, &vm->up_rules);
	field_u32(f, &vm->move);
	field_enum(f, &vm->saved, SAVED_STATE_COUNT);
	field_slot(f, &vm->saved_volume, VOLUMES_MAX);
	field_u64(f, &vm->saved_bytes);
	field_slot(f, &vm->drained_from, NODES_MAX);
	field_u64(f, &vm->moved_ms);
	field_u64(f, &vm->last_move_ms);
	field_slot(f, &vm->bound_to, NODES_MAX);
	field_string(f, vm->reason, sizeof(vm->reason));
}

// The number of the next used slot. Reading: any from `next` on and below `count`.
static uint32_t fields_next_slot(struct fields *f, uint32_t slot, uint32_t next, uint32_t count)
{
	field_u32(f, &slot);
	if (fields_reading(f) && (slot < next || slot >= count))
		fields_fail(f);
	return slot;
}

static void fields_nodes(struct fields *f, struct cluster *cluster)
{
	uint32_t count = 0, slot = 0;

	for (uint32_t i = 0; i < cluster->node_high; i++)
		count += cluster->nodes[i].used;
	field_count(f, &count, NODES_MAX);
	for (uint32_t i = 0; i < count; i++, slot++) {
		while (!fields_reading(f) && !cluster->nodes[slot].used)
			slot++;
		slot = fields_next_slot(f, slot, slot, NODES_MAX);
		if (fields_failed(f))
			return;
		if (fields_reading(f))
			cluster_touch_node(cluster, (uint8_t)slot);
		cluster->nodes[slot].used = true;
		fields_node(f, &cluster->nodes[slot]);
	}
}

static void fields_volumes(struct fields *f, struct cluster *cluster)
{
	uint32_t count = 0, slot = 0;

	for (uint32_t i = 0; i < cluster->volume_high; i++)
		count += cluster->volumes[i].used;
	field_count(f, &count, VOLUMES_MAX);
	for (uint32_t i = 0; i < count; i++, slot++) {
		while (!fields_reading(f) && !cluster->volumes[slot].used)
			slot++;
		slot = fields_next_slot(f, slot, slot, VOLUMES_MAX);
		if (fields_failed(f))
			return;
		cluster->volumes[slot].used = true;
		cluster_touch_volume(cluster, (uint8_t)slot);
		fields_volume(f, &cluster->volumes[slot]);
		fields_lease_slots(f, cluster, (uint8_t)slot);
	}
}

static void fields_rules(struct fields *f, struct cluster *cluster)
{
	uint32_t count = 0, slot = 0;

	for (uint32_t i = 0; i < cluster->rule_high; i++)
		count += cluster->rules[i].used;
	field_count(f, &count, RULES_MAX);
	for (uint32_t i = 0; i < count; i++, slot++) {
		while (!fields_reading(f) && !cluster->rules[slot].used)
			slot++;
		slot = fields_next_slot(f, slot, slot, RULES_MAX);
		if (fields_failed(f))
			return;
		if (fields_reading(f))
			cluster_touch_rule(cluster, (uint8_t)slot);
		cluster->rules[slot].used = true;
		fields_rule_def(f, &cluster->rules[slot].def);
	}
}

static void fields_policies(struct fields *f, struct cluster *cluster)
{
	uint32_t count = 0, slot = 0;

	if (fields_reading(f))
		memset(cluster->policies, 0, sizeof(cluster->policies));
	for (uint32_t i = 0; i < POLICIES_MAX; i++)
		count += cluster->policies[i].used;
	field_count(f, &count, POLICIES_MAX);
	for (uint32_t i = 0; i < count && !fields_failed(f); i++, slot++) {
		while (!fields_reading(f) && !cluster->policies[slot].used)
			slot++;
		slot = fields_next_slot(f, slot, slot, POLICIES_MAX);
		if (fields_failed(f))
			return;
		cluster->policies[slot].used = true;
		fields_policy(f, &cluster->policies[slot]);
	}
}

static void fields_tips(struct fields *f, struct cluster *cluster)
{
	uint32_t count = 0, at = 0;

	field_u32(f, &cluster->next_tip);
	fields_policy_run(f, &cluster->balance);
	for (uint32_t i = 0; i < TIPS_MAX; i++)
		count += cluster->tips[i].id != 0;
	field_count(f, &count, TIPS_MAX);
	for (uint32_t i = 0; i < count && !fields_failed(f); i++, at++) {
		while (!fields_reading(f) && cluster->tips[at].id == 0)
			at++;
		at = fields_next_slot(f, at, at, TIPS_MAX);
		if (fields_failed(f))
			return;
		fields_tip(f, &cluster->tips[at]);
		if (fields_reading(f) &&
		    (cluster->tips[at].id == 0 || cluster->tips[at].id >= cluster->next_tip))
			fields_fail(f);
	}
}

static bool vm_consistent(const struct cluster *cluster, const struct vm *vm,
			  const struct vm_def *def)
{
	bool owned = vm->phase != VM_IDLE && vm->phase != VM_ERROR;

	if (owned ? vm->owner == SLOT_NONE || !cluster->nodes[vm->owner].used
		  : vm->owner != SLOT_NONE)
		return false;
	for (uint32_t i = 0; i < vm->lease_count; i++) {
		const struct vm_lease *lease = &vm->leases[i];

		if (!cluster->volumes[lease->volume].used ||
		    lease->slot >= cluster->limits.lease_slots_max ||
		    volume_lease_slots(cluster, lease->volume)[lease->slot] != SLOT_USED)
			return false;
	}
	return !cluster_find_vm(cluster, def->name) && !cluster_find_vm_uuid(cluster, &def->uuid);
}

static void fields_vms(struct fields *f, struct cluster *cluster)
{
	uint32_t count = cluster->vm_count, slot = 0;

	field_count(f, &count, cluster->limits.vms_max);
	for (uint32_t i = 0; i < count; i++, slot++) {
		while (!fields_reading(f) && !cluster->vms[slot].used)
			slot++;
		slot = fields_next_slot(f, slot, slot, cluster->limits.vms_max);
		if (fields_failed(f))
			return;
		if (fields_reading(f))
			cluster_touch_vm(cluster, slot);
		fields_vm(f, &cluster->vms[slot]);
		fields_vm_def(f, &cluster->defs[slot]);
		if (!fields_reading(f))
			continue;
		if (fields_failed(f) ||
		    !vm_consistent(cluster, &cluster->vms[slot], &cluster->defs[slot])) {
			fields_fail(f);
			return;
		}
		cluster->vms[slot].used = true;
		cluster->vms[slot].ref.slot = slot;
		cluster->vm_count++;
		vm_index_add(cluster->vm_index, slot, &cluster->defs[slot]);
	}
}

static void fields_move(struct fields *f, struct move *move)
{
	field_u32(f, &move->id);
	fields_vm_ref(f, &move->vm);
	field_enum(f, &move->kind, MOVE_KIND_COUNT);
	field_enum(f, &move->stage, MOVE_STAGE_COUNT);
	field_enum(f, &move->cause, MOVE_CAUSE_COUNT);
	field_slot(f, &move->source, NODES_MAX);
	field_slot(f, &move->target, NODES_MAX);
	field_u32(f, &move->attempt);
	field_bool(f, &move->shared);
	field_bool(f, &move->ready);
	field_bool(f, &move->source_gone);
	field_bool(f, &move->target_gone);
	field_bool(f, &move->target_died);
	field_bool(f, &move->cancelled);
	field_u64(f, &move->began_ms);
	field_u64(f, &move->stage_ms);
	field_u32(f, &move->tip);
	field_string(f, move->address, sizeof(move->address));
	field_string(f, move->avoid, sizeof(move->avoid));
	field_bool(f, &move->broke);
	field_bool(f, &move->anew);
	field_bool(f, &move->back);
	field_u32(f, &move->port);
	fields_move_numbers(f, &move->forecast);
	fields_move_numbers(f, &move->fact);
	field_string(f, move->reason, sizeof(move->reason));
}

static void fields_past_move(struct fields *f, struct past_move *past)
{
	field_u32(f, &past->id);
	field_string(f, past->vm, sizeof(past->vm));
	field_enum(f, &past->kind, MOVE_KIND_COUNT);
	field_enum(f, &past->cause, MOVE_CAUSE_COUNT);
	field_enum(f, &past->outcome, MOVE_OUTCOME_COUNT);
	field_enum(f, &past->stage, MOVE_STAGE_COUNT);
	field_string(f, past->source, sizeof(past->source));
	field_string(f, past->target, sizeof(past->target));
	field_u64(f, &past->began_ms);
	field_u64(f, &past->ended_ms);
	fields_move_numbers(f, &past->forecast);
	fields_move_numbers(f, &past->fact);
	field_string(f, past->reason, sizeof(past->reason));
}

// A move and its VM name each other.
static bool move_consistent(const struct cluster *cluster, const struct move *move)
{
	const struct vm *vm = cluster_vm(cluster, move->vm);

	return move->id < cluster->next_move && vm && vm->move == move->id &&
	       move->source != SLOT_NONE && cluster->nodes[move->source].used &&
	       (move->target == SLOT_NONE || cluster->nodes[move->target].used);
}

static bool vms_consistent(const struct cluster *cluster)
{
	for (uint32_t i = 0; i < cluster->vm_high; i++)
		if (cluster->vms[i].move != 0 && !cluster_move(cluster, cluster->vms[i].move))
			return false;
	return true;
}

// Only what is there: most of the time nothing moves.
static void fields_moves(struct fields *f, struct cluster *cluster)
{
	uint32_t count = 0, at = 0;

	field_u32(f, &cluster->next_move);
	for (uint32_t i = 0; i < cluster->move_high; i++)
		count += cluster->moves[i].id != 0;
	field_count(f, &count, MOVES_MAX);
	for (uint32_t i = 0; i < count && !fields_failed(f); i++, at++) {
		while (!fields_reading(f) && cluster->moves[at].id == 0)
			at++;
		at = fields_next_slot(f, at, at, MOVES_MAX);
		if (fields_failed(f))
			return;
		if (fields_reading(f))
			cluster_touch_move(cluster, (uint8_t)at);
		fields_move(f, &cluster->moves[at]);
		if (fields_reading(f) && !move_consistent(cluster, &cluster->moves[at]))
			fields_fail(f);
	}
	if (fields_reading(f) && !vms_consistent(cluster))
		fields_fail(f);
	count = 0;
	field_count(f, &cluster->past_move, PAST_MOVES_MAX - 1);
	while (!fields_reading(f) && count < PAST_MOVES_MAX && cluster->past_moves[count].id != 0)
		count++;
	field_count(f, &count, PAST_MOVES_MAX);
	for (uint32_t i = 0; i < count && !fields_failed(f); i++)
		fields_past_move(f, &cluster->past_moves[i]);
}

static void fields_cluster(struct fields *f, struct cluster *cluster)
{
	uint8_t version = SNAPSHOT_VERSION;

	field_u8(f, &version);
	if (version != SNAPSHOT_VERSION)
		fields_fail(f);
	field_u64(f, &cluster->index);
	field_u64(f, &cluster->view);
	field_u32(f, &cluster->functional_level);
	field_u32(f, &cluster->next_serial);
	field_i32(f, &cluster->ahead_min);
	if (fields_reading(f) &&
	    (cluster->ahead_min < -AHEAD_MAX_MIN || cluster->ahead_min > AHEAD_MAX_MIN))
		fields_fail(f);
	fields_cluster_def(f, &cluster->def);
	fields_voters(f, &cluster->voters);
	fields_nodes(f, cluster);
	fields_volumes(f, cluster);
	fields_vms(f, cluster);
	fields_moves(f, cluster);
	fields_rules(f, cluster);
	fields_policies(f, cluster);
	fields_tips(f, cluster);
}

size_t cluster_encode(const struct cluster *cluster, uint8_t *buf, size_t size)
{
	struct fields count = fields_write(NULL, 0), f = fields_write(buf, size);

	if (buf) {
		fields_cluster(&f, (struct cluster *)cluster);
		if (!fields_failed(&f))
			return f.w.used;
	}
	fields_cluster(&count, (struct cluster *)cluster);
	return count.w.used;
}

bool cluster_decode(struct cluster *cluster, const uint8_t *buf, size_t size)
{
	struct fields f = fields_read(buf, size);

	cluster_clear(cluster);
	fields_cluster(&f, cluster);
	if (!reader_done(&f.r)) {
		cluster_clear(cluster);
		return false;
	}
	rule_index_rebuild(cluster);
	return true;
}

uint64_t cluster_digest(const struct cluster *cluster)
{
	struct fields f = fields_hash();

	fields_cluster(&f, (struct cluster *)cluster);
	return fields_digest(&f);
}
