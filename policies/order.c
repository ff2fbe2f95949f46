// SPDX-License-Identifier: Apache-2.0
#include "policies/order.h"

#include "clusterd/rule_index.h"
#include "policies/rules.h"

static uint64_t orders(const struct cluster *cluster)
{
	const struct rule_index *index = cluster->rule_index;

	return index->enabled ? index->kinds[RULE_ORDER] | index->kinds[RULE_ANY_FIRST] : 0;
}

// It is to be stopped for a cold move, as soon as its turn has come.
static bool waits_cold(const struct cluster *cluster, const struct vm *vm)
{
	const struct move *move = cluster_move(cluster, vm->move);

	return move && move->stage == STAGE_ASKED && move->kind == MOVE_COLD;
}

// That, or stopped for one, or started after it.
bool order_moves_cold(const struct cluster *cluster, const struct vm *vm)
{
	const struct move *move = cluster_move(cluster, vm->move);

	return waits_cold(cluster, vm) ||
	       (move && (move->stage == STAGE_STOP || move->stage == STAGE_START));
}

static bool is_ending(const struct cluster *cluster, const struct vm *vm)
{
	const struct move *move = cluster_move(cluster, vm->move);

	if (vm->owner == SLOT_NONE || cluster->nodes[vm->owner].life != NODE_ONLINE ||
	    (vm->phase != VM_RUNNING && vm->phase != VM_PLACED) || !vm->managed)
		return false;
	return vm->wanted != VM_WANTED_RUNNING || vm_is_held(cluster, vm) ||
	       (move && move->stage == STAGE_STOP);
}

bool order_ties(const struct cluster *cluster, const struct vm *first, const struct vm *then)
{
	return rules_of_vm(cluster, first).as[ROLE_FIRST] &
	       rules_of_vm(cluster, then).as[ROLE_THEN] & orders(cluster) &
	       (orders(cluster) ? cluster->rule_index->symmetric : 0);
}

bool order_holds_move(const struct cluster *cluster, const struct vm *vm)
{
	if (!waits_cold(cluster, vm) ||
	    !(rules_of_vm(cluster, vm).as[ROLE_FIRST] & orders(cluster)))
		return false;
	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		const struct vm *then = &cluster->vms[i];

		if (then->used && then != vm && order_ties(cluster, vm, then) &&
		    waits_cold(cluster, then))
			return true;
	}
	return false;
}

bool order_holds_stop(const struct cluster *cluster, const struct vm *vm)
{
	if (vm->forced || !(rules_of_vm(cluster, vm).as[ROLE_FIRST] & orders(cluster)))
		return false;
	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		const struct vm *then = &cluster->vms[i];

		if (then->used && then != vm && order_ties(cluster, vm, then) &&
		    is_ending(cluster, then))
			return true;
	}
	return false;
}

static bool rule_holds_start(const struct cluster *cluster, const struct vm *vm, uint8_t rule,
			     uint64_t wall_ms, uint64_t *wait_ms)
{
	const struct rule_def *def = &cluster->rules[rule].def;
	bool any_up = false, any_coming = false, any_down = false;

	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		const struct vm *first = &cluster->vms[i];
		bool coming, up;

		if (!first->used || first == vm ||
		    !(rules_of_vm(cluster, first).as[ROLE_FIRST] >> rule & 1))
			continue;
		coming = first->phase == VM_PLACED || order_moves_cold(cluster, first);
		up = !coming && rules_up(cluster, rule, first, wall_ms, wait_ms);
		any_up = any_up || up;
		any_coming = any_coming || coming || (first->phase == VM_RUNNING && !up);
		any_down = any_down || (!coming && !up);
	}
	if (def->kind == RULE_ANY_FIRST && any_up)
		return false;
	return any_coming || (def->strict && any_down);
}

bool order_holds_start(const struct cluster *cluster, const struct vm *vm, uint64_t wall_ms,
		       struct order_wait *wait)
{
	uint64_t mask = rules_of_vm(cluster, vm).as[ROLE_THEN] & orders(cluster);

	*wait = (struct order_wait){ SLOT_NONE, UINT64_MAX };
	for (uint8_t rule = 0; mask && rule < RULES_MAX; rule++) {
		if (!(mask >> rule & 1) || !rule_holds_start(cluster, vm, rule, wall_ms, &wait->ms))
			continue;
		wait->rule = rule;
		return true;
	}
	return false;
}
