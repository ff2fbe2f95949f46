// SPDX-License-Identifier: Apache-2.0
// What moves have to do with the tip that they are of.
#pragma once

#include "clusterd/apply_internal.h"

// Whether one more prediction of it that fails suspends its automatic mode.
bool policy_would_suspend(const struct cluster_policy *policy);
bool tip_may_become(enum tip_state from, enum tip_state to);
// ENTRY_MOVE_BEGIN: it names no tip, or the one whose plan has this move next to begin. Otherwise
// refused.
bool tip_allows_move(struct apply *a);
void tip_move_began(struct apply *a, struct move *move);
void tip_move_ended(struct apply *a, const struct move *move, enum move_outcome outcome);

// apply_drain.c: as `clustadm node maintenance on` does.
void node_drain_begin(struct cluster_node *node);
