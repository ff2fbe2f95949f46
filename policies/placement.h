// SPDX-License-Identifier: Apache-2.0
// Where a VM may run, where it had better run, and why: a pure function of the replicated state.
//
// Every check leaves a row, so that the choice and its explanation are the same thing.
#pragma once

#include "clusterd/check.h"
#include "clusterd/cluster.h"
#include "policies/rules.h"

enum placement_check {
	CHECK_NODE_ONLINE, // in the cluster, its clusterd answers
	CHECK_NODE_MANAGED,
	CHECK_NODE_MAINTENANCE,
	CHECK_POSSIBLE_OWNER,
	CHECK_EMULATOR,
	CHECK_VOLUMES, // every volume of the VM online there, lockspace joined
	CHECK_MEMORY,
	CHECK_FAILURES, // it has not used up its restarts there
	CHECK_CPUS,	// promised CPUs within a hard limit
	CHECK_HEALTH,	// the node is as healthy as the policy wants it
	// Rules; a wish that is not followed warns
	CHECK_TOGETHER,
	CHECK_APART,
	CHECK_FOLLOW,
	CHECK_ATTRIBUTE,
	CHECK_SPREAD,
	CHECK_ORDER, // what it starts after is up; the same on every node
	PLACEMENT_CHECK_COUNT,
};

struct check {
	uint8_t check;		// enum placement_check
	uint8_t verdict;	// enum check_verdict
	uint8_t volume;		// CHECK_VOLUMES: slot of the worst one
	uint8_t rule;		// rules: the one that fails or costs most
	uint8_t node;		// rules: where the others are; SLOT_NONE: nowhere
	uint64_t missing;	// MEMORY: MiB to be freed
	uint64_t found, needed; // MEMORY: MiB free there and wanted; FAILURES: failures there and
				// allowed; ORDER: up and awaited; a wish: needed is its weight
};

struct placement_node {
	bool candidate;		// a used node slot
	bool feasible;		// no check failed
	uint8_t tier;		// of preferred owners, 0 best; VM_TIERS_MAX when in none
	uint32_t vms;		// that it has or was promised
	uint64_t free_mib;
	uint64_t cost;		// of wishes that are not followed
	uint32_t share;		// strategies of relative load: permille of its memory or its CPUs,
				// whichever is more, with this VM
	bool share_measured;	// it is what was measured; else what is promised
	uint32_t promised_cpus; // this VM included
	struct check checks[PLACEMENT_CHECK_COUNT];
};

// The load that placement counts; made once per round, and updated with each choice so that a round
// sees itself.
struct placement_load {
	uint64_t wall_ms;		// 0: the time is not looked at
	uint64_t present;		// mask of node slots whose clusterd takes part in the
					// normal view
	uint32_t vms[NODES_MAX];
	uint64_t used_mib[NODES_MAX];
	uint32_t cpus[NODES_MAX]; // promised to VMs
	uint64_t measured;	  // mask of nodes of which the two below are known
	uint32_t memory_permille[NODES_MAX], cpu_permille[NODES_MAX];
	// Promised to VMs that no measurement can have seen yet
	uint64_t coming_mib[NODES_MAX];
	uint32_t coming_cpus[NODES_MAX];
	struct rules_load rules;
};

void placement_load_init(struct placement_load *load, const struct cluster *cluster,
			 uint64_t present);
// The same at a time: failures long past are forgotten, and what starts with a delay is up.
void placement_load_init_at(struct placement_load *load, const struct cluster *cluster,
			    uint64_t present, uint64_t wall_ms);
void placement_load_copy(struct placement_load *to, const struct placement_load *from,
			 const struct cluster *cluster);
// For the strategy that goes by what is measured; a node that was not measured lately is counted by
// what is promised. Other strategies: nothing.
struct measures;
void placement_load_measure(struct placement_load *load, const struct cluster *cluster,
			    const struct measures *measures, uint64_t now_ms);
void placement_load_add(struct placement_load *load, const struct cluster *cluster,
			const struct vm *vm, uint8_t node);
// Takes back what placement_load_add() did, or what load_init() counted of a VM that runs there.
void placement_load_remove(struct placement_load *load, const struct cluster *cluster,
			   const struct vm *vm, uint8_t node);

// Sorts slots of VMs: who is placed first stands first. By priority, then by name.
void placement_sort(const struct cluster *cluster, uint32_t *list, uint32_t count);

// Takes the choice for one VM (SLOT_NONE: it has none), or leaves the VM in the list.
typedef bool (*placement_take_fn)(void *context, const struct vm *vm, uint8_t node);

/*
 * Chooses for the VMs of the list in its order; then again over those that are left, as long as
 * that helps: a rule may have kept one off until the VM that it follows, or goes with, had its
 * node. Ends when `max` were taken. Returns how many are left, at the list's beginning.
 */
uint32_t placement_rounds(const struct cluster *cluster, struct placement_load *load,
			  uint32_t *list, uint32_t count, uint32_t max, placement_take_fn take,
			  void *context);

// Judges one node. `row->feasible` says whether the VM may be placed there.
void placement_judge(const struct cluster *cluster, const struct placement_load *load,
		     const struct vm *vm, uint8_t node, struct placement_node *row);

// Of two feasible nodes: whether `a` comes first.
bool placement_better(const struct cluster *cluster, const struct placement_node *a, uint8_t a_slot,
		      const struct placement_node *b, uint8_t b_slot);
// The best feasible node's slot, or SLOT_NONE. Order: tier, then the cost of wishes, then nodes
// whose CPUs are not promised beyond the overcommit ratio, then the cluster's strategy, then name.
uint8_t placement_choose(const struct cluster *cluster, const struct placement_load *load,
			 const struct vm *vm);
// The same among these nodes (a mask of slots) alone, wherever it failed last: for one that runs.
uint8_t placement_choose_among(const struct cluster *cluster, const struct placement_load *load,
			       const struct vm *vm, uint64_t nodes);

// Shut down until its node is back from maintenance (on-drain="shutdown").
bool placement_shut_down(const struct cluster *cluster, const struct vm *vm);

// It used up its restarts on every node that it may ever use: waiting longer changes nothing, an
// operator is needed.
bool placement_spent(const struct cluster *cluster, const struct vm *vm, uint64_t wall_ms);

const char *placement_check_word(enum placement_check check);

// "needs 2048 MiB, 512 MiB free", and the smallest change that would alter the verdict ("free 1536
// MiB on n2"). Both buffers are REASON_SIZE bytes; empty when the verdict is CHECK_OK.
void placement_explain_check(const struct cluster *cluster, const struct vm *vm, uint8_t node,
			     const struct check *check, char *reason, char *fix);
// Why the VM runs nowhere, over all nodes, in one line; and all that must be changed to give it a
// home on the node where that is the least.
void placement_explain(const struct cluster *cluster, const struct placement_load *load,
		       const struct vm *vm, char *reason, char *fix);
// The same over the nodes of the mask alone.
void placement_explain_among(const struct cluster *cluster, const struct placement_load *load,
			     const struct vm *vm, uint64_t among, char *reason, char *fix);
