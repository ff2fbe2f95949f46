// SPDX-License-Identifier: Apache-2.0
// What was measured, as placement and balancing count it: a mean, so that a moment's noise moves
// nothing.
#include "clusterd/measure.h"
#include "policies/balance.h"

enum {
	PLACEMENT_SAMPLES = 12,
	/*
	 * Balancing looks at what is after its own moves: it waits for so many samples (SETTLE_S),
	 * and what was before them would move again what was just moved.
	 */
	BALANCE_SAMPLES = 3,
};

static uint32_t mean_of(const struct series *series, uint32_t most)
{
	uint32_t count = series->count < most ? series->count : most;
	uint64_t sum = 0;
	uint32_t known = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t value = series->values[series->count - 1 - i];

		sum += value == MEASURE_UNKNOWN ? 0 : value;
		known += value != MEASURE_UNKNOWN;
	}
	return known ? (uint32_t)(sum / known) : BALANCE_UNKNOWN;
}

static uint32_t node_mean(const struct measures *measures, uint8_t slot, enum measure what,
			  uint64_t now_ms, uint32_t samples)
{
	struct series series;

	return measures_node(measures, slot, what, now_ms, &series) ? mean_of(&series, samples)
								    : BALANCE_UNKNOWN;
}

static uint32_t vm_mean(const struct measures *measures, struct vm_ref vm, enum measure what,
			uint64_t now_ms)
{
	struct series series;

	return measures_vm(measures, vm, what, now_ms, &series) ? mean_of(&series, BALANCE_SAMPLES)
								: BALANCE_UNKNOWN;
}

// Of a host that has so many; a share of it that is not known stays unknown.
static uint32_t of_host(uint64_t has, uint32_t permille)
{
	return permille == BALANCE_UNKNOWN ? BALANCE_UNKNOWN : (uint32_t)(has * permille / 1000);
}

void balance_measure(const struct cluster *cluster, const struct measures *measures,
		     uint64_t now_ms, struct balance_measured *measured, struct balance_use *vms)
{
	measured->vms = vms;
	for (uint8_t slot = 0; slot < NODES_MAX; slot++) {
		const struct node_report *report = &cluster->nodes[slot].report;
		uint32_t memory = node_mean(measures, slot, MEASURE_NODE_MEMORY, now_ms,
					    BALANCE_SAMPLES);
		uint32_t cpu =
			node_mean(measures, slot, MEASURE_NODE_CPU, now_ms, BALANCE_SAMPLES);

		measured->nodes[slot].of[BALANCE_MEMORY] = of_host(report->memory_mib, memory);
		measured->nodes[slot].of[BALANCE_CPUS] =
			of_host(report->cpus * UINT64_C(1000), cpu);
		measured->nodes[slot].of[BALANCE_VMS] = 0;
	}
	for (uint32_t slot = 0; slot < cluster->vm_high; slot++) {
		struct vm_ref vm = cluster->vms[slot].ref;

		vms[slot].of[BALANCE_MEMORY] = vm_mean(measures, vm, MEASURE_VM_MEMORY, now_ms);
		vms[slot].of[BALANCE_CPUS] = vm_mean(measures, vm, MEASURE_VM_CPU, now_ms);
		vms[slot].of[BALANCE_VMS] = 1;
	}
}

void placement_load_measure(struct placement_load *load, const struct cluster *cluster,
			    const struct measures *measures, uint64_t now_ms)
{
	load->measured = 0;
	if (cluster->def.policies.placement != PLACEMENT_MEASURED)
		return;
	for (uint8_t slot = 0; slot < cluster->node_high; slot++) {
		uint32_t memory = node_mean(measures, slot, MEASURE_NODE_MEMORY, now_ms,
					    PLACEMENT_SAMPLES);
		uint32_t cpu =
			node_mean(measures, slot, MEASURE_NODE_CPU, now_ms, PLACEMENT_SAMPLES);

		if (memory == BALANCE_UNKNOWN || cpu == BALANCE_UNKNOWN)
			continue;
		load->measured |= UINT64_C(1) << slot;
		load->memory_permille[slot] = memory;
		load->cpu_permille[slot] = cpu;
	}
}
