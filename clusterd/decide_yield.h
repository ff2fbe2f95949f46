// SPDX-License-Identifier: Apache-2.0
// Room for VMs that have no home, made by less important ones.
#pragma once

#include "clusterd/node_internal.h"
#include "policies/yield.h"

enum { YIELDS_MAX = 4 }; // in one round

struct yielding {
	uint32_t count;
	uint32_t vms[YIELDS_MAX]; // slots of those that get room
	struct yield yields[YIELDS_MAX];
};

// The VM has no node: room for it is counted in `load` where others can make it. `list`: as for
// yield_choose().
void yield_reserve(const struct cluster *cluster, struct placement_load *load, const struct vm *vm,
		   uint32_t *list, struct yielding *yielding);
// Those that make room begin to leave. False: nobody began to in this round.
bool decide_yields(struct node *node, uint64_t present, const struct yielding *yielding,
		   struct actions *actions);
