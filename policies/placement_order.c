// SPDX-License-Identifier: Apache-2.0
// The order in which VMs are placed, and the rounds in which that is done.
#include <string.h>

#include "clusterd/rule_index.h"
#include "policies/placement.h"

// Priority first, then the order of names: whoever looks at the list can foresee it.
static bool goes_first(const struct cluster *cluster, uint32_t a, uint32_t b)
{
	if (cluster->defs[a].priority != cluster->defs[b].priority)
		return cluster->defs[a].priority > cluster->defs[b].priority;
	return strcmp(cluster->defs[a].name, cluster->defs[b].name) < 0;
}

// Heap sort: no recursion, no memory, n log n at worst.
static void sift(const struct cluster *cluster, uint32_t *list, uint32_t at, uint32_t count)
{
	for (;;) {
		uint32_t last = 2 * at + 1, swap;

		if (last >= count)
			return;
		if (last + 1 < count && goes_first(cluster, list[last], list[last + 1]))
			last++;
		if (!goes_first(cluster, list[at], list[last]))
			return;
		swap = list[at];
		list[at] = list[last];
		list[last] = swap;
		at = last;
	}
}

void placement_sort(const struct cluster *cluster, uint32_t *list, uint32_t count)
{
	for (uint32_t i = count / 2; i-- > 0;)
		sift(cluster, list, i, count);
	for (uint32_t end = count; end-- > 1;) {
		uint32_t swap = list[0];

		list[0] = list[end];
		list[end] = swap;
		sift(cluster, list, 0, end);
	}
}

uint32_t placement_rounds(const struct cluster *cluster, struct placement_load *load,
			  uint32_t *list, uint32_t count, uint32_t max, placement_take_fn take,
			  void *context)
{
	bool again = true;

	while (again && count > 0) {
		uint32_t left = 0;

		for (uint32_t i = 0; i < count && max > 0; i++) {
			const struct vm *vm = &cluster->vms[list[i]];
			uint8_t node = placement_choose(cluster, load, vm);

			if (!take(context, vm, node)) {
				list[left++] = list[i];
				continue;
			}
			max--;
			if (node != SLOT_NONE)
				placement_load_add(load, cluster, vm, node);
		}
		again = left < count && cluster->rule_index->enabled && max > 0;
		count = left;
	}
	return count;
}
