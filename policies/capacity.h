// SPDX-License-Identifier: Apache-2.0
// Whether the cluster stands the loss of any node, or of any two: a proof by trying each of them
// with the placement that a loss would really meet, or the first counter-example.
#pragma once

#include "clusterd/cluster.h"

struct capacity_answer {
	bool tolerates;
	uint32_t tried;		  // sets of nodes
	uint8_t failed[2];	  // the counter-example: node slots, SLOT_NONE
	uint32_t homeless;	  // VMs that would have no home then
	char vm[NAME_SIZE];	  // the most important of them
	char reason[REASON_SIZE]; // why it has none
	char fix[REASON_SIZE];
};

enum { CAPACITY_FAILURES_MAX = 2, CAPACITY_NODES_MAX_2 = 16 }; // of two failures, nodes at most

// Gives every VM that asks for a place the one that it would get, on a copy whose VMs are the
// caller's own: so that a proof after it counts what was only just defined.
void capacity_settle(struct cluster *copy, uint64_t present, uint32_t *list);

// `scratch`: a copy of struct cluster (its tables may be shared): nodes are changed and put back.
// `list`: room for [vms_max] slots. `present`: nodes that take part. `failures`: 1, or 2 with at
// most CAPACITY_NODES_MAX_2 nodes. VMs that have no home now are not counted.
void capacity_prove(struct cluster *scratch, uint64_t present, uint32_t failures, uint32_t *list,
		    struct capacity_answer *answer);
// The same of this node's loss alone.
void capacity_prove_node(struct cluster *scratch, uint64_t present, uint8_t node, uint32_t *list,
			 struct capacity_answer *answer);
