// SPDX-License-Identifier: Apache-2.0
// Which VMs had better run elsewhere, so that the nodes are used alike: a pure function of the
// replicated state and of loads that the caller knows.
//
// Use is relative to what a node has. The spread of one dimension is the standard deviation of the
// nodes' relative use, in millionths; the score is the weighted mean of the spreads, and 0 is best.
// Integers only, names break ties: every build and every order of definitions gives the same plan.
#pragma once

#include "policies/placement.h"

enum balance_dimension {
	BALANCE_MEMORY, // MiB
	BALANCE_CPUS,	// thousandths of a CPU
	BALANCE_VMS,	// how many; relative to the mean
	BALANCE_DIMENSION_COUNT,
};

enum { BALANCE_UNIT = 1000000 };
#define BALANCE_UNKNOWN UINT32_MAX

// What a move is charged where nobody says otherwise: it must even things out by a ten-thousandth
// to be worth doing, and by more the more it copies.
enum { BALANCE_MOVE_COST = 100, BALANCE_GIB_COST = 20 };

struct balance_use {
	uint32_t of[BALANCE_DIMENSION_COUNT]; // of BALANCE_VMS: 1
};

// What was measured, instead of what was configured. Rules and memory are still judged by what is
// promised: a VM may use all of its memory tomorrow.
struct balance_measured {
	// Everything on the host, whoever owns it. A node that is unknown in a dimension that has a
	// weight takes no part.
	struct balance_use nodes[NODES_MAX];
	const struct balance_use *vms; // [vm_high]; unknown: as configured
};

// Fills it from the series that this node knows; `vms`: room for [vm_high].
void balance_measure(const struct cluster *cluster, const struct measures *measures,
		     uint64_t now_ms, struct balance_measured *measured, struct balance_use *vms);

struct balance_options {
	const struct balance_measured *measured;   // NULL: configured sizes
	uint32_t weights[BALANCE_DIMENSION_COUNT]; // to 1000; all 0: memory and CPUs alike
	uint64_t excluded;			   // nodes that are neither source nor target
	uint32_t moves_max;			   // 0: no limit but BALANCE_STEPS_MAX
	uint32_t node_moves_max;		   // of one node, in and out together; 0: no limit
	uint32_t move_cost;    // millionths of the score that each move must bring and costs
	uint32_t gib_cost;     // and each GiB that it moves
	uint32_t gain_percent; // of the score that the whole plan must bring, cost taken off
	const uint8_t *rests;  // [vm_high], not 0: this VM is left where it is; NULL: none
};

// As a policy wants it (pro_plain_balance() where there is none); its budget does
// not count for what an administrator `asked` for. What was measured, who takes no part and who
// rests is the caller's.
struct balance_options balance_options_of(const struct pro_def *def, bool asked);
// Fills rests[vm_high]: those that moved too lately for that policy.
void balance_rests(const struct cluster *cluster, const struct pro_def *def, uint64_t wall_ms,
		   uint8_t *rests);

// Why a VM stays where it is, whatever the load.
enum balance_keep {
	BALANCE_FREE,
	BALANCE_KEEP_REST,
	BALANCE_KEEP_MOVING,
	BALANCE_KEEP_NOT_RUNNING,
	BALANCE_KEEP_UNMANAGED,
	BALANCE_KEEP_NOT_LIVE, // on-drain says that no live move of it is wished
	BALANCE_KEEP_STICKY,
	BALANCE_KEEP_NODE,   // its node takes no part
	BALANCE_KEEP_MATE,   // one that moves together with it stays
	BALANCE_KEEP_LEADER, // others wish to be where it is
	BALANCE_KEEP_COUNT,
};

enum balance_stop {
	BALANCE_STOP_BEST,  // no further move is worth its cost
	BALANCE_STOP_MOVES, // as many as were allowed
	BALANCE_STOP_GAIN,  // all moves together would gain less than is asked for
	BALANCE_STOP_NODES, // fewer than two nodes take part
	BALANCE_STOP_COUNT,
};

struct balance_step {
	struct vm_ref vm;
	uint8_t from, to;	// node slots
	bool together;		// with the step before it: they move as one
	uint8_t dimension;	// that it evens out most
	uint32_t before, score; // of the cluster
	uint32_t from_before, from_after, to_before, to_after; // use in that dimension, millionths
};

enum { BALANCE_STEPS_MAX = 1024 };

struct balance_plan {
	uint64_t nodes; // mask of slots that take part
	uint32_t vms;	// on them
	uint32_t score_before, score_after;
	uint32_t spread_before[BALANCE_DIMENSION_COUNT], spread_after[BALANCE_DIMENSION_COUNT];
	uint32_t kept[BALANCE_KEEP_COUNT]; // VMs by why they stay; BALANCE_FREE: could move
	uint8_t stop;			   // enum balance_stop
	uint32_t count;
	struct balance_step steps[BALANCE_STEPS_MAX];
};

// Bytes of working memory for a cluster of these limits.
size_t balance_memory(const struct cluster_limits *limits);

/*
 * Steps in the order in which they may be done, one after another: at each of them every strict
 * rule holds, no wish is followed less than before it, and the target has room while the source
 * still has the VM. Strict groups go one VM right after another. What is left has no better plan of
 * the same kind: planning anew from there gives no step, unless it was BALANCE_STOP_MOVES.
 */
void balance_plan(const struct cluster *cluster, uint64_t present,
		  const struct balance_options *options, void *memory, struct balance_plan *plan);

const char *balance_dimension_word(enum balance_dimension dimension);
// "memory of n1 82.0 % to 74.2 %, of n2 41.0 % to 48.8 %; spread 12.3 % to 9.8 %"
void balance_explain_step(const struct cluster *cluster, const struct balance_step *step,
			  char *reason);
// Why there are no more steps, or none.
void balance_explain_stop(const struct balance_plan *plan, char *reason);
