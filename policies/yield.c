// SPDX-License-Identifier: Apache-2.0
#include "policies/yield.h"

#include <string.h>

#include "clusterd/rule_index.h"

// It alone keeps the VM off.
static bool lacks_memory_alone(const struct placement_node *row)
{
	for (uint32_t i = 0; i < PLACEMENT_CHECK_COUNT; i++)
		if ((row->checks[i].verdict == CHECK_FAIL) != (i == CHECK_MEMORY))
			return false;
	return row->candidate;
}

static bool may_yield(const struct cluster *cluster, const struct vm *vm, uint8_t node,
		      int32_t priority)
{
	return vm->used && vm->owner == node && vm->phase == VM_RUNNING && vm->managed &&
	       vm->wanted == VM_WANTED_RUNNING && vm->move == 0 && !vm_is_held(cluster, vm) &&
	       vm_definition(cluster, vm)->priority < priority;
}

// It has left the node, where its former process is not quite gone.
static bool has_left(const struct vm *vm, const struct move *move, uint8_t node)
{
	return move && vm->owner != node && move->source == node && !move->source_gone;
}

// Memory that will be free there by itself: of those that leave the node, or end.
static uint64_t becomes_free(const struct cluster *cluster, uint8_t node)
{
	uint64_t mib = 0;

	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		const struct vm *vm = &cluster->vms[i];
		const struct move *move = cluster_move(cluster, vm->move);

		if (vm->used && has_left(vm, move, node))
			mib += cluster->defs[i].memory_mib;
		if (!vm->used || vm->owner != node || vm->phase != VM_RUNNING || !vm->managed)
			continue;
		if (vm->wanted != VM_WANTED_RUNNING || vm_is_held(cluster, vm) ||
		    (move && move->stage != STAGE_ASKED && move->stage != STAGE_UNDO &&
		     !move->cancelled && move->target != node))
			mib += cluster->defs[i].memory_mib;
	}
	return mib;
}

// Those on the node that would do, the least important first, as many as are needed.
static bool gather(const struct cluster *cluster, uint8_t node, int32_t priority, uint64_t needed,
		   uint32_t *list, struct yield *yield)
{
	uint32_t count = 0;
	uint64_t freed = 0;

	for (uint32_t i = 0; i < cluster->vm_high; i++)
		if (may_yield(cluster, &cluster->vms[i], node, priority))
			list[count++] = i;
	placement_sort(cluster, list, count);
	yield->node = node;
	yield->count = 0;
	while (count > 0 && freed < needed && yield->count < YIELD_MAX) {
		yield->vms[yield->count++] = list[--count];
		freed += cluster->defs[list[count]].memory_mib;
	}
	if (freed < needed)
		return false;
	// A small one does not yield where a later, larger one makes room enough.
	for (uint32_t i = 0; i < yield->count;) {
		uint64_t own = cluster->defs[yield->vms[i]].memory_mib;

		if (freed - own < needed) {
			i++;
			continue;
		}
		freed -= own;
		memmove(&yield->vms[i], &yield->vms[i + 1],
			(--yield->count - i) * sizeof(yield->vms[0]));
	}
	return true;
}

static int32_t highest(const struct cluster *cluster, const struct yield *yield)
{
	if (yield->count == 0)
		return INT32_MIN;
	return cluster->defs[yield->vms[yield->count - 1]].priority;
}

static bool yields_less(const struct cluster *cluster, const struct yield *a, const struct yield *b)
{
	int32_t x = highest(cluster, a), y = highest(cluster, b);

	if (x != y || a->count != b->count)
		return x != y ? x < y : a->count < b->count;
	return strcmp(cluster->nodes[a->node].def.name, cluster->nodes[b->node].def.name) < 0;
}

void yield_choose(const struct cluster *cluster, const struct placement_load *load,
		  const struct vm *vm, uint32_t *list, struct yield *yield)
{
	int32_t priority = vm_definition(cluster, vm)->priority;
	struct placement_node row;
	struct yield other;
	uint64_t needed, freed;

	yield->node = SLOT_NONE;
	yield->count = 0;
	for (uint8_t node = 0; node < cluster->node_high; node++) {
		const struct check *memory = &row.checks[CHECK_MEMORY];

		if (!cluster->nodes[node].used)
			continue;
		placement_judge(cluster, load, vm, node, &row);
		if (!lacks_memory_alone(&row))
			continue;
		needed = memory->needed - memory->found;
		freed = becomes_free(cluster, node);
		if (!gather(cluster, node, priority, needed > freed ? needed - freed : 0, list,
			    &other))
			continue;
		if (yield->node == SLOT_NONE || yields_less(cluster, &other, yield))
			*yield = other;
	}
}
