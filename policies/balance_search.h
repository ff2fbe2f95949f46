// SPDX-License-Identifier: Apache-2.0
// The search behind balance_plan(): where units could be, and what that would score.
#pragma once

#include "policies/balance.h"

// VMs that move as one; most are alone.
struct balance_unit {
	struct balance_use use;
	uint32_t mib, cpus;  // promised
	uint32_t vms, first; // how many; the first in the order of names
	uint8_t home, at;    // node indexes
	bool fixed;
	uint64_t possible; // node indexes that its owners allow
	uint64_t allowed;  // of these, what was not found impossible in this round
	uint64_t cost;	   // of moving it, in the search's units
};

struct balance_node {
	uint8_t slot;
	uint64_t factor[BALANCE_DIMENSION_COUNT]; // of use to a share, shifted
	uint64_t use[BALANCE_DIMENSION_COUNT];
	uint64_t share[BALANCE_DIMENSION_COUNT]; // millionths
	int64_t free_mib;
	uint32_t units;
	uint32_t moves, moves_max;
};

struct balance_search {
	const struct cluster *cluster;
	const struct balance_options *options;
	struct placement_load load;
	uint32_t node_count, unit_count, vm_count;
	struct balance_node nodes[NODES_MAX];
	uint8_t index_of[NODES_MAX];			   // slot to index; SLOT_NONE
	uint64_t weights[BALANCE_DIMENSION_COUNT], weight; // and their sum
	// Sums over nodes of shares and of their squares; root of the variance times nodes squared
	uint64_t sum[BALANCE_DIMENSION_COUNT], squares[BALANCE_DIMENSION_COUNT];
	uint64_t root[BALANCE_DIMENSION_COUNT];
	uint64_t score;		   // of roots, weighted
	uint64_t cost;		   // of the units that are not at home
	uint32_t moved, moves_max; // VMs not at home
	bool limited;		   // something better was not done because of a limit
	// The caller's memory
	struct balance_unit *units; // ascending by the name of the first VM
	uint32_t *order;	    // VM slots by name
	uint32_t *next;		    // [VM slot]: next of its unit; UINT32_MAX
	uint32_t *unit_of;	    // [VM slot]
	uint32_t *lists, *starts;   // units by node: those of node i begin at starts[i]
	uint32_t *todo;
};

// Use moves from `a` to `b` (indexes); negative: the other way. What the cluster would score.
uint64_t balance_score_if(const struct balance_search *search, uint32_t a, uint32_t b,
			  const int64_t *net);
void balance_rescore(struct balance_search *search);
// Whether every rule and check lets the unit go there, and no wish is followed less.
bool balance_may_go(struct balance_search *search, struct balance_unit *unit, uint8_t to);
void balance_go(struct balance_search *search, struct balance_unit *unit, uint8_t to);
// Brings units to where the score, and what moving them costs, is lowest.
void balance_improve(struct balance_search *search);
