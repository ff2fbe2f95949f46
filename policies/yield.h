// SPDX-License-Identifier: Apache-2.0
// Who yields where not all fit: less important VMs that make room for one that has no home.
//
// Only where the cluster is defined so (<policies displace="yes">). A pure function of the
// replicated state and of the load that a round has promised so far.
#pragma once

#include "policies/placement.h"

enum { YIELD_MAX = 16 }; // for one VM

struct yield {
	uint8_t node; // that gets room; SLOT_NONE: none can
	uint32_t count;
	uint32_t vms[YIELD_MAX]; // slots of those that make it, the least important first
};

// The node where the least important ones yield, and the fewest: every other check passes there.
// `list`: room for [vm_high] slots.
void yield_choose(const struct cluster *cluster, const struct placement_load *load,
		  const struct vm *vm, uint32_t *list, struct yield *yield);
