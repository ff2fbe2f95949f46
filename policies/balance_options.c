// SPDX-License-Identifier: Apache-2.0
// What a balance is to keep to: the same for the plan that is shown, and for the one carried out.
#include "policies/balance.h"
#include "policies/pro.h"

struct balance_options balance_options_of(const struct pro_def *def, bool asked)
{
	struct balance_options options = {
		.moves_max = def->moves,
		.gain_percent = def->min_gain,
		.node_moves_max = asked ? 0 : def->budget,
		.move_cost = BALANCE_MOVE_COST,
		.gib_cost = BALANCE_GIB_COST,
	};

	// A policy about one of them evens that one out; any other, both.
	if (def->measure == PRO_CPU || def->measure == PRO_CPU_PRESSURE)
		options.weights[BALANCE_CPUS] = 1000;
	else if (def->measure == PRO_MEMORY || def->measure == PRO_MEMORY_PRESSURE)
		options.weights[BALANCE_MEMORY] = 1000;
	return options;
}

void balance_rests(const struct cluster *cluster, const struct pro_def *def, uint64_t wall_ms,
		   uint8_t *rests)
{
	for (uint32_t slot = 0; slot < cluster->vm_high; slot++) {
		const struct vm *vm = &cluster->vms[slot];

		rests[slot] = vm->used && pro_vm_rests(vm, def->rest_s, wall_ms);
	}
}
