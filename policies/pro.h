// SPDX-License-Identifier: Apache-2.0
// PRO policies: what a condition says of what was measured, and the arithmetic of tips.
//
// Pure functions of the replicated state, of what was measured, and of the time that they are
// given. Nothing measured is believed that is missing, stale or absurd: such a node is neither
// source nor target.
#pragma once

#include "clusterd/measure.h"

struct pro_world {
	const struct cluster *cluster;
	const struct measures *measures;
	uint64_t now_ms, wall_ms;
	uint64_t present; // mask of node slots whose clusterd takes part in the normal view
};

// What a condition is about: one of the three, by `subject`.
struct pro_target {
	uint8_t subject; // enum pro_subject
	uint8_t node, volume;
	struct vm_ref vm;
};

// In the condition's unit, newest last.
struct pro_reading {
	bool known;
	enum measure_why why; // it is not
	uint32_t count, step_ms;
	uint32_t values[SERIES_MAX];
};

void pro_read(const struct pro_world *world, const struct pro_def *def,
	      const struct pro_target *target, struct pro_reading *reading);

// Of one value. Between: beyond `clear` and not yet at the threshold; there a trouble goes on and
// none begins.
enum pro_judgement { PRO_OVER, PRO_BETWEEN, PRO_TROUBLE };

enum pro_judgement pro_judge(const struct pro_def *def, uint32_t value);
// For how long there is trouble, as far as the reading goes back. 0: none.
uint64_t pro_held_ms(const struct pro_def *def, const struct pro_reading *reading);
// It is over, and not just for a moment.
bool pro_over(const struct pro_def *def, const struct pro_reading *reading);
// It moves by the rate that the condition wants; true where it wants none.
bool pro_rate_fits(const struct pro_def *def, const struct pro_reading *reading);
// The last few samples together: one alone is noise.
uint32_t pro_value(const struct pro_reading *reading);

// At this time of the day, as cluster_day_ms() has it.
bool pro_in_window(const struct pro_def *def, uint64_t day_ms);
// Whether it may accept its own tips now.
bool pro_automatic(const struct cluster *cluster, const struct cluster_policy *policy,
		   uint64_t wall_ms);

// A VM that was moved a moment ago is left alone, whoever moved it.
bool pro_vm_rests(const struct vm *vm, uint32_t rest_s, uint64_t wall_ms);
// Policies have begun as many moves on it within an hour as they may.
bool pro_node_spent(const struct cluster_node *node, uint32_t budget, uint64_t wall_ms);
// Mask of present nodes whose own load is not known.
uint64_t pro_unseen(const struct pro_world *world);

// Percent by which it becomes better, less the share of the rest time that is spent moving.
int32_t pro_gain(uint32_t before, uint32_t after, uint32_t cost_ms, uint32_t rest_s);
// At least half of the predicted gain came about.
enum tip_verdict pro_verdict(uint32_t before, uint32_t after, uint32_t measured);
