// SPDX-License-Identifier: Apache-2.0
// What the rules say about a VM on a node, given where the other members are.
#pragma once

#include "clusterd/cluster.h"

struct placement_node;

// Where the members of rules are, or were promised: part of struct placement_load.
struct rules_load {
	uint16_t members[RULES_MAX][NODES_MAX]; // standing as ROLE_MEMBER
	uint16_t group[RULES_MAX][NODES_MAX];	// of keep-together groups
	uint64_t group_mib[RULES_MAX];	    // of the group's members that still wait for a place
	uint64_t group_possible[RULES_MAX]; // nodes that all of those may use
	uint8_t leader[RULES_MAX];	    // its node; SLOT_NONE
	uint16_t firsts[RULES_MAX];	    // members that others wait for
	uint16_t firsts_up[RULES_MAX];
	bool orders_ignored;
	uint16_t firsts_coming[RULES_MAX]; // placed, not yet up
	uint64_t up_wait_ms; // until the next one is up that only waits for its delay; UINT64_MAX
};

void rules_load_init(struct rules_load *load, const struct cluster *cluster, uint64_t wall_ms);
// The VM is on the node, or is promised to it.
void rules_load_add(struct rules_load *load, const struct cluster *cluster, const struct vm *vm,
		    uint8_t node);
// It is no more. Only of a VM that has a node: one that asks for a place was counted otherwise.
void rules_load_remove(struct rules_load *load, const struct cluster *cluster, const struct vm *vm,
		       uint8_t node);

// Fills the checks of the rules and the cost of wishes that are not followed.
void rules_judge(const struct cluster *cluster, const struct rules_load *load, const struct vm *vm,
		 uint8_t slot, struct placement_node *row);
// The same of these rules alone (a mask); those that the VM is no part of count as nothing.
void rules_judge_some(const struct cluster *cluster, const struct rules_load *load,
		      const struct vm *vm, uint8_t slot, uint64_t which,
		      struct placement_node *row);
// The rules that the VM has a part in.
uint64_t rules_about(const struct cluster *cluster, const struct vm *vm);

// Of the rules that it is first in: those that wait for an answer of its guest that it has not
// given since it began to run.
uint64_t rules_unanswered(const struct cluster *cluster, const struct vm *vm);

// Whether it counts as up for those that this order starts after it. Until only its delay has
// passed *wait_ms is made no longer than that. wall_ms 0: the time is not looked at.
bool rules_up(const struct cluster *cluster, uint8_t rule, const struct vm *vm, uint64_t wall_ms,
	      uint64_t *wait_ms);

// Owned by a node that may run it, as far as is known.
bool vm_counts_on_node(const struct cluster *cluster, const struct vm *vm);
// Wanted, and has no node: it asks for a place.
bool vm_asks_for_place(const struct cluster *cluster, const struct vm *vm);
