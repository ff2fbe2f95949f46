// SPDX-License-Identifier: Apache-2.0
// Between the two files of the coordinator's part in policies and tips.
#pragma once

#include "clusterd/tip_plan.h"

enum { POLICY_LOOK_MS = 5000 };

struct tipping {
	struct node *node;
	struct actions *actions;
	struct pro_world world;
	struct move_round round;
	bool round_ready;
	uint64_t unseen;
};

struct pro_target tip_target(const struct tip *tip);
bool tip_moves_vms(const struct tip *tip);
struct tip_planner tip_planner_for(struct tipping *t, const struct pro_def *def,
				   const struct pro_target *target, bool asked);
void tip_propose(struct tipping *t, enum entry_type type, uint32_t id, const struct tip *tip);

// decide_policy.c: opens what is due, and what was asked for (true: something was).
void policies_look(struct tipping *t);
bool policies_answer(struct tipping *t);
