// SPDX-License-Identifier: Apache-2.0
// How a node is emptied: which VM goes first, by which method, to where, and what keeps one there.
//
// A pure function of the replicated state. The running drain, `node maintenance on --dry-run` and
// `whatif maintenance` all go through the same plan; the coordinator makes it anew each round and
// carries out as much of it as the limits of moves allow.
#pragma once

#include "policies/placement.h"

enum drain_step_kind {
	DRAIN_STEP_MOVE,	// `method` to `target`; SLOT_NONE: shut down until the node is back
	DRAIN_STEP_WAIT,	// something under way ends by itself
	DRAIN_STEP_BLOCKED,	// it cannot leave: reason and fix
	DRAIN_STEP_KIND_COUNT,
};

struct drain_step {
	const struct vm *vm;
	uint8_t kind;		// enum drain_step_kind
	uint8_t method;		// enum move_kind
	uint8_t target;		// node slot
	char reason[REASON_SIZE];	// why this method; what is waited for; what is in the way
	char fix[REASON_SIZE];
};

struct drain_plan {
	const struct cluster *cluster;
	uint8_t node;		// slot
	struct placement_load load;	// with every step so far counted
	uint32_t *order;	// VM slots, the caller's
	uint32_t count, at;
};

// `order`: room for vm_high slots. `load`: as it is before the first step.
void drain_plan_init(struct drain_plan *plan, const struct cluster *cluster, uint8_t node,
		     const struct placement_load *load, uint32_t *order);
// False at the end.
bool drain_plan_next(struct drain_plan *plan, struct drain_step *step);

// How a VM that runs would leave its node, by its definition and by how its last moves ended.
enum move_kind drain_method(const struct cluster *cluster, const struct vm *vm, char *reason);

// Whether the cluster would stand that this node is emptied too; otherwise reason and fix.
bool drain_allowed(const struct cluster *cluster, uint8_t node, uint64_t present, uint32_t *order,
		   char *reason, char *fix);
