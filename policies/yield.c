// SPDX-License-Identifier: Apache-2.0
#include "policies/yield.h"

#include <string.h>

#include "clusterd/rule_index.h"

struct room {
	uint64_t mib, cpus;
};

static void room_add(struct room *room, const struct vm_def *def)
{
	room->mib += def->memory_mib;
	room->cpus += def->cpus;
}

static bool room_covers(const struct room *room, const struct room *needed)
{
	return room->mib >= needed->mib && room->cpus >= needed->cpus;
}

// It alone keeps the VM off: how much is missing.
static bool lacks_room_alone(const struct placement_node *row, struct room *missing)
{
	const struct check *memory = &row->checks[CHECK_MEMORY], *cpus = &row->checks[CHECK_CPUS];

	for (uint32_t i = 0; i < PLACEMENT_CHECK_COUNT; i++)
		if (row->checks[i].verdict == CHECK_FAIL && i != CHECK_MEMORY && i != CHECK_CPUS)
			return false;
	*missing = (struct room){ 0 };
	if (memory->verdict == CHECK_FAIL)
		missing->mib = memory->needed - memory->found;
	if (cpus->verdict == CHECK_FAIL)
		missing->cpus = cpus->found - cpus->needed;
	return row->candidate && (missing->mib > 0 || missing->cpus > 0);
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

// What will be free there by itself: of those that leave the node, or end.
static struct room becomes_free(const struct cluster *cluster, uint8_t node)
{
	struct room room = { 0 };

	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		const struct vm *vm = &cluster->vms[i];
		const struct move *move = cluster_move(cluster, vm->move);

		if (vm->used && has_left(vm, move, node))
			room_add(&room, &cluster->defs[i]);
		if (!vm->used || vm->owner != node || vm->phase != VM_RUNNING || !vm->managed)
			continue;
		if (vm->wanted != VM_WANTED_RUNNING || vm_is_held(cluster, vm) ||
		    (move && move->stage != STAGE_ASKED && move->stage != STAGE_UNDO &&
		     !move->cancelled && move->target != node))
			room_add(&room, &cluster->defs[i]);
	}
	return room;
}

// Without that one it is still enough.
static bool spares(const struct room *freed, const struct vm_def *def, const struct room *needed)
{
	return freed->mib >= needed->mib + def->memory_mib &&
	       freed->cpus >= needed->cpus + def->cpus;
}

// Those on the node that would do, the least important first, as many as are needed beside what is
// free by then.
static bool gather(const struct cluster *cluster, uint8_t node, int32_t priority,
		   const struct room *needed, uint32_t *list, struct yield *yield)
{
	struct room freed = becomes_free(cluster, node);
	uint32_t count = 0;

	for (uint32_t i = 0; i < cluster->vm_high; i++)
		if (may_yield(cluster, &cluster->vms[i], node, priority))
			list[count++] = i;
	placement_sort(cluster, list, count);
	yield->node = node;
	yield->count = 0;
	while (count > 0 && !room_covers(&freed, needed) && yield->count < YIELD_MAX) {
		yield->vms[yield->count++] = list[--count];
		room_add(&freed, &cluster->defs[list[count]]);
	}
	if (!room_covers(&freed, needed))
		return false;
	// A small one does not yield where a later, larger one makes room enough.
	for (uint32_t i = 0; i < yield->count;) {
		const struct vm_def *def = &cluster->defs[yield->vms[i]];

		if (!spares(&freed, def, needed)) {
			i++;
			continue;
		}
		freed.mib -= def->memory_mib;
		freed.cpus -= def->cpus;
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
	struct room missing;

	yield->node = SLOT_NONE;
	yield->count = 0;
	for (uint8_t node = 0; node < cluster->node_high; node++) {
		if (!cluster->nodes[node].used)
			continue;
		placement_judge(cluster, load, vm, node, &row);
		if (!lacks_room_alone(&row, &missing) ||
		    !gather(cluster, node, priority, &missing, list, &other))
			continue;
		if (yield->node == SLOT_NONE || yields_less(cluster, &other, yield))
			*yield = other;
	}
}
