// SPDX-License-Identifier: Apache-2.0
// What a policy would do about its trouble: VMs and where they go, with what that brings and costs.
#pragma once

#include "clusterd/decide_move.h"
#include "policies/pro.h"

// Working memory, given once: most of it stays untouched until something is balanced.
size_t tip_plan_memory(const struct cluster_limits *limits);

struct tip_planner {
	const struct pro_world *world;
	const struct pro_def *def; // action, measure and limits
	struct pro_target target;  // what it is about
	struct move_round *round;
	uint64_t barred; // nodes that are neither source nor target: unseen, or their budget is
			 // used up
	bool configured; // nothing is measured anywhere: by what VMs are defined to have
	bool asked;	 // by an administrator: budgets do not count
	void *memory;	 // tip_plan_memory() bytes
	const struct cluster_limits *limits;
};

// Fills the tip's moves, before, after and cost, and says in `why` (REASON_SIZE) what would be
// done, or why nothing would help. False in that case. What moves is of its nature alone: the tip's
// other members are the caller's.
bool tip_plan_make(struct tip_planner *planner, struct tip *tip, char *why);
// What `before` and `after` are about, as it is now; false when it cannot be told.
bool tip_plan_measure(struct tip_planner *planner, const struct tip *tip, uint32_t *value);
