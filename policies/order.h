// SPDX-License-Identifier: Apache-2.0
// Start orders over VMs that run: who ends first, who waits with its start while it is moved.
//
// Placement asks for orders itself (rules.c); this is for the host that ends or starts a VM that
// has an owner.
#pragma once

#include "clusterd/cluster.h"

// One that starts after it by a symmetric order runs and is about to end: that one ends first.
bool order_holds_stop(const struct cluster *cluster, const struct vm *vm);
struct order_wait {
	uint8_t rule; // the first one that holds it; SLOT_NONE
	uint64_t ms;  // where it only has to wait for a delay; UINT64_MAX
};

// It is started anew by a cold move, and what it starts after is being moved too, or is not up.
// wall_ms 0: the time is not looked at.
bool order_holds_start(const struct cluster *cluster, const struct vm *vm, uint64_t wall_ms,
		       struct order_wait *wait);
// It is stopped by a cold move, or about to be, or started after it.
bool order_moves_cold(const struct cluster *cluster, const struct vm *vm);
// Its cold move waits for its turn, and so does that of one that starts after it by a symmetric
// order: that one begins first.
bool order_holds_move(const struct cluster *cluster, const struct vm *vm);
// By a symmetric order `then` starts after `first`, which would be stopped with it running.
bool order_ties(const struct cluster *cluster, const struct vm *first, const struct vm *then);
