// SPDX-License-Identifier: Apache-2.0
// What a move will take, said before it begins and shown against what it then took.
#pragma once

#include "clusterd/cluster.h"

struct forecast_facts {
	uint64_t memory;     // bytes to send
	uint64_t rate;	     // bytes a second, over this link; 0: not known
	uint64_t dirty_rate; // bytes a second, sampled while nothing was sent
	uint32_t max_pause_ms;
};

// Zeroed where nothing can be said: total_ms is 0 for a migration that will not end.
struct move_numbers forecast_live(const struct forecast_facts *facts);

// Bytes a second that moves between these two nodes reached lately, the median of a few; otherwise
// any moves; 0: none is remembered.
uint64_t forecast_rate(const struct cluster *cluster, uint8_t source, uint8_t target);
// Bytes that the VM's last live migration sent in its first round, guessed from its record; at most
// its memory. Of a VM that never moved, as much of its memory as of others lately.
uint64_t forecast_memory(const struct cluster *cluster, const struct vm *vm);
