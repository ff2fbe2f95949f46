// SPDX-License-Identifier: Apache-2.0
#include "clusterd/cluster.h"

#include <string.h>

#include "clusterd/cluster_internal.h"
#include "clusterd/entry.h"
#include "clusterd/rule_index.h"
#include "clusterd/text.h"
#include "clusterd/vm_index.h"
#include "clusterd/zero.h"

static size_t round_up(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

static size_t vms_size(const struct cluster_limits *limits)
{
	return round_up(sizeof(struct vm) * limits->vms_max);
}

static size_t defs_size(const struct cluster_limits *limits)
{
	return round_up(sizeof(struct vm_def) * limits->vms_max);
}

static size_t lease_slots_size(const struct cluster_limits *limits)
{
	return (size_t)VOLUMES_MAX * limits->lease_slots_max;
}

size_t cluster_memory(const struct cluster_limits *limits)
{
	return vms_size(limits) + defs_size(limits) + round_up(vm_index_memory(limits)) +
	       round_up(rule_index_memory(limits)) + round_up(lease_slots_size(limits));
}

// VMs and definitions are left untouched: at ten thousand they are tens of megabytes, which a node
// with few VMs should not make resident. Slots are zeroed as vm_high passes them.
static void cluster_begin(struct cluster *cluster, const struct cluster_limits *limits,
			  void *memory)
{
	uint8_t *at = memory;

	cluster->limits = *limits;
	cluster->vms = (struct vm *)at;
	at += vms_size(limits);
	cluster->defs = (struct vm_def *)at;
	at += defs_size(limits);
	cluster->vm_index = vm_index_init(limits, at);
	at += round_up(vm_index_memory(limits));
	cluster->rule_index = rule_index_init(limits, at);
	at += round_up(rule_index_memory(limits));
	cluster->lease_slots = at;
	zero_fill(cluster->lease_slots, lease_slots_size(limits));
	cluster->functional_level = FUNCTIONAL_LEVEL;
	cluster->next_serial = 1;
	cluster->def.no_quorum = NO_QUORUM_STOP;
	cluster->def.no_quorum_hold_s = 60;
	cluster->def.io_timeout_s = 10;
	text_copy(cluster->def.root, sizeof(cluster->def.root), "/clusterstorage");
	cluster->def.policies.cpu_overcommit = 400;
	cluster->def.policies.failures = 1;
	cluster->def.migration.bandwidth_percent = 50;
	cluster->def.migration.moves_out_max = 2;
	cluster->def.migration.moves_in_max = 2;
	cluster->next_move = 1;
	cluster->next_tip = 1;
	for (uint32_t i = 0; i < PRO_SHIPPED_COUNT; i++)
		cluster->policies[i] =
			(struct cluster_policy){ .used = true, .def = pro_shipped[i] };
}

/*
 * Most of a cluster is room for what is not there: nearly a megabyte, of which little is touched at
 * the start of a daemon. A slot is zeroed when it comes into use.
 */
void cluster_init(struct cluster *cluster, const struct cluster_limits *limits, void *memory)
{
	zero_fill(cluster, offsetof(struct cluster, nodes));
	for (uint32_t i = 0; i < NODES_MAX; i++)
		zero_fill(&cluster->nodes[i].used, sizeof(cluster->nodes[i].used));
	for (uint32_t i = 0; i < RULES_MAX; i++)
		zero_fill(&cluster->rules[i].used, sizeof(cluster->rules[i].used));
	for (uint32_t i = 0; i < MOVES_MAX; i++)
		zero_fill(&cluster->moves[i].id, sizeof(cluster->moves[i].id));
	for (uint32_t i = 0; i < PAST_MOVES_MAX; i++)
		zero_fill(&cluster->past_moves[i].id, sizeof(cluster->past_moves[i].id));
	cluster_begin(cluster, limits, memory);
}

void cluster_clear(struct cluster *cluster)
{
	struct cluster_limits limits = cluster->limits;

	cluster_init(cluster, &limits, cluster->vms);
}

void cluster_touch_node(struct cluster *cluster, uint8_t slot)
{
	for (; cluster->node_high <= slot; cluster->node_high++)
		memset(&cluster->nodes[cluster->node_high], 0, sizeof(cluster->nodes[0]));
}

void cluster_touch_volume(struct cluster *cluster, uint8_t slot)
{
	if (slot >= cluster->volume_high)
		cluster->volume_high = slot + 1;
}

void cluster_touch_rule(struct cluster *cluster, uint8_t slot)
{
	for (; cluster->rule_high <= slot; cluster->rule_high++)
		memset(&cluster->rules[cluster->rule_high], 0, sizeof(cluster->rules[0]));
}

void cluster_touch_move(struct cluster *cluster, uint8_t at)
{
	for (; cluster->move_high <= at; cluster->move_high++)
		memset(&cluster->moves[cluster->move_high], 0, sizeof(cluster->moves[0]));
}

void cluster_touch_vm(struct cluster *cluster, uint32_t slot)
{
	for (; cluster->vm_high <= slot; cluster->vm_high++) {
		memset(&cluster->vms[cluster->vm_high], 0, sizeof(*cluster->vms));
		memset(&cluster->defs[cluster->vm_high], 0, sizeof(*cluster->defs));
	}
}

uint8_t *volume_lease_slots(const struct cluster *cluster, uint8_t volume)
{
	return cluster->lease_slots + (size_t)volume * cluster->limits.lease_slots_max;
}

bool lease_slot_find_free(const struct cluster *cluster, uint8_t volume, uint32_t *slot)
{
	const uint8_t *slots = volume_lease_slots(cluster, volume);

	for (uint32_t i = 0; i < cluster->limits.lease_slots_max; i++) {
		if (slots[i] == SLOT_FREE) {
			*slot = i;
			return true;
		}
	}
	return false;
}

struct cluster_node *cluster_node_by_id(struct cluster *cluster, uint32_t id)
{
	for (uint32_t i = 0; i < cluster->node_high; i++) {
		if (cluster->nodes[i].used && cluster->nodes[i].def.id == id)
			return &cluster->nodes[i];
	}
	return NULL;
}

const struct cluster_node *cluster_find_node(const struct cluster *cluster, const char *name)
{
	for (uint32_t i = 0; i < cluster->node_high; i++) {
		if (cluster->nodes[i].used && strcmp(cluster->nodes[i].def.name, name) == 0)
			return &cluster->nodes[i];
	}
	return NULL;
}

const struct cluster_volume *cluster_find_volume(const struct cluster *cluster, const char *name)
{
	for (uint32_t i = 0; i < cluster->volume_high; i++) {
		if (cluster->volumes[i].used && strcmp(cluster->volumes[i].def.name, name) == 0)
			return &cluster->volumes[i];
	}
	return NULL;
}

const struct cluster_rule *cluster_find_rule(const struct cluster *cluster, const char *name)
{
	for (uint32_t i = 0; i < cluster->rule_high; i++) {
		if (cluster->rules[i].used && strcmp(cluster->rules[i].def.name, name) == 0)
			return &cluster->rules[i];
	}
	return NULL;
}

const struct cluster_policy *cluster_find_policy(const struct cluster *cluster, const char *name)
{
	for (uint32_t i = 0; i < POLICIES_MAX; i++) {
		if (cluster->policies[i].used && strcmp(cluster->policies[i].def.name, name) == 0)
			return &cluster->policies[i];
	}
	return NULL;
}

const struct tip *cluster_tip(const struct cluster *cluster, uint32_t id)
{
	for (uint32_t i = 0; id != 0 && i < TIPS_MAX; i++)
		if (cluster->tips[i].id == id)
			return &cluster->tips[i];
	return NULL;
}

const struct vm *cluster_find_vm(const struct cluster *cluster, const char *name)
{
	struct vm_index_hit hit = vm_index_find(cluster->vm_index, vm_name_hash(name));

	if (!hit.found || strcmp(cluster->defs[hit.slot].name, name) != 0)
		return NULL;
	return &cluster->vms[hit.slot];
}

const struct vm *cluster_find_vm_uuid(const struct cluster *cluster, const struct uuid *uuid)
{
	struct vm_index_hit hit = vm_index_find(cluster->vm_index, vm_uuid_hash(uuid));

	if (!hit.found || memcmp(&cluster->defs[hit.slot].uuid, uuid, sizeof(*uuid)) != 0)
		return NULL;
	return &cluster->vms[hit.slot];
}

const struct vm *cluster_vm(const struct cluster *cluster, struct vm_ref ref)
{
	const struct vm *vm;

	if (ref.slot >= cluster->vm_high)
		return NULL;
	vm = &cluster->vms[ref.slot];
	return vm->used && vm->ref.serial == ref.serial ? vm : NULL;
}

void cluster_forget_saved(struct cluster *cluster)
{
	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		struct vm *vm = &cluster->vms[i];

		if (!vm->used || vm->saved == SAVED_NONE)
			continue;
		vm->saved = SAVED_NONE; // the file is removed when it runs again
		vm->saved_bytes = 0;
	}
}

const struct move *cluster_move(const struct cluster *cluster, uint32_t id)
{
	for (uint32_t i = 0; id != 0 && i < cluster->move_high; i++)
		if (cluster->moves[i].id == id)
			return &cluster->moves[i];
	return NULL;
}

uint64_t cluster_day_ms(const struct cluster *cluster, uint64_t wall_ms)
{
	const uint64_t day_ms = UINT64_C(24) * 3600 * 1000;
	uint64_t ahead_ms = (uint64_t)(cluster->ahead_min + AHEAD_MAX_MIN) * 60000;

	return (wall_ms % day_ms + ahead_ms) % day_ms;
}

bool vm_failures_old(const struct cluster *cluster, const struct vm *vm, uint64_t wall_ms)
{
	uint64_t forget_s = vm_definition(cluster, vm)->forget_s;

	return forget_s > 0 && vm->failed_ms != 0 && wall_ms >= vm->failed_ms + forget_s * 1000;
}

bool vm_leases_ready(const struct vm *vm)
{
	for (uint32_t i = 0; i < vm->lease_count; i++)
		if (vm->leases[i].life != LEASE_READY)
			return false;
	return vm->lease_count > 0;
}

bool cluster_defines(const struct cluster *cluster, enum object_kind kind, const char *name)
{
	switch (kind) {
	case OBJECT_NODE:
		return cluster_find_node(cluster, name) != NULL;
	case OBJECT_VOLUME:
		return cluster_find_volume(cluster, name) != NULL;
	case OBJECT_VM:
		return cluster_find_vm(cluster, name) != NULL;
	case OBJECT_RULE:
		return cluster_find_rule(cluster, name) != NULL;
	case OBJECT_POLICY:
		return cluster_find_policy(cluster, name) != NULL;
	case OBJECT_KIND_COUNT:
		break;
	}
	return false;
}
