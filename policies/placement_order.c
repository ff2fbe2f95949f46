// SPDX-License-Identifier: Apache-2.0
// The order in which VMs are placed.
#include <string.h>

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
