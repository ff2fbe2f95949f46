// SPDX-License-Identifier: Apache-2.0
// How far moves are, as their sources said last: for whoever looks at this node. No part of the
// replicated state.
#pragma once

#include "clusterd/event.h"

enum { PROGRESS_STALE_MS = 5000, PROGRESS_TELL_MS = 300 };

struct progress {
	uint32_t move; // 0: none
	uint64_t at_ms;
	uint64_t told_ms; // other nodes
	struct migrate_stats stats;
};

struct progress_table {
	struct progress list[MOVES_MAX];
};

// The newest of a move; the oldest one of all gives way. Returns its place.
struct progress *progress_keep(struct progress_table *table, uint32_t move,
			       const struct migrate_stats *stats, uint64_t now_ms);
// Whether others should be told again: not each time, for people do not read so fast, but always
// when its state has changed.
bool progress_tell(struct progress *progress, bool changed, uint64_t now_ms);
// What is known of it, if that is not too old.
bool progress_find(const struct progress_table *table, uint32_t move, uint64_t now_ms,
		   struct migrate_stats *stats);
