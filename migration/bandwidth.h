// SPDX-License-Identifier: Apache-2.0
// How much of its link a live move may take: the cluster's share of it, divided among those that a
// node sends, or takes, at the same time.
#pragma once

#include "clusterd/cluster.h"

// Bytes a second; 0: no limit, because neither end knows how fast its link is.
uint64_t move_bandwidth(const struct cluster *cluster, const struct move *move);
