// SPDX-License-Identifier: Apache-2.0
// What would happen if: the cluster's state played on by the coordinator's own code, without a
// cluster.
//
// A copy of the replicated state is put into a node that believes to be the coordinator of a normal
// view; what it proposes is applied at once, and hosts answer as they do when nothing goes wrong: a
// fence device switches off, a lease is written, a VM that is placed starts. Pure: nothing outside
// the given memory changes.
#pragma once

#include "clusterd/entry.h"
#include "clusterd/node.h"

enum whatif_step {
	WHATIF_EVENT,	// an entry: `text` is what the event log would say
	WHATIF_PLACE,	// a VM goes from a node (SLOT_NONE: from nowhere) to another one
	WHATIF_GIVE_UP, // a VM becomes `error`
};

struct whatif_line {
	enum whatif_step step;
	const char *text;
	struct vm_ref vm;
	uint8_t from, to; // node slots
};

typedef void (*whatif_fn)(void *context, const struct whatif_line *line);

struct whatif {
	struct node *node;
	struct actions actions;
	uint8_t *owners; // [vms_max]: where each VM was at first; SLOT_NONE: nowhere
	uint64_t gone;	 // mask of node slots that were lost
	whatif_fn say;	 // called for each step, in order; may be NULL
	void *context;
};

// What becomes of a VM.
enum whatif_fate {
	WHATIF_STAYS,  // where it is, or nowhere as before
	WHATIF_MOVES,  // runs on another node
	WHATIF_STARTS, // ran nowhere and runs
	WHATIF_STOPS,  // ran and is no longer wanted
	WHATIF_WAITS,  // wanted and runs nowhere, or may still run on a node that nothing proves
		       // dead
	WHATIF_FATE_COUNT,
};

struct whatif_outcome {
	enum whatif_fate fate;
	uint8_t from, to;
	enum vm_state state;
	char reason[REASON_SIZE], fix[REASON_SIZE];
};

// Corosync's votes are taken as one for each node.
struct whatif_quorum {
	uint32_t stores, stores_needed, stores_all; // voters' stores
	uint32_t votes, votes_needed, votes_all;
	bool enough;
};

size_t whatif_memory(const struct cluster_limits *limits);
// `snapshot`: from cluster_encode(); `present`: ids of the nodes whose clusterd takes part.
// `memory`: whatif_memory() bytes, zeroed, 8-byte aligned, the caller's. False: not one well-formed
// snapshot that fits the limits.
bool whatif_init(struct whatif *whatif, const struct cluster_limits *limits, void *memory,
		 const uint8_t *snapshot, size_t size, const uint32_t *present,
		 uint32_t present_count);
const struct cluster *whatif_cluster(const struct whatif *whatif);
uint64_t whatif_present(const struct whatif *whatif); // mask of node slots

// The nodes of the mask lose their power at once. Whether the others may go on; without,
// whatif_run() does nothing.
struct whatif_quorum whatif_lose(struct whatif *whatif, uint64_t slots);
// The node is emptied: its VMs go where the coordinator would place them.
void whatif_drain(struct whatif *whatif, uint8_t slot);
// An administrator's request is committed. What it then leads to is whatif_run()'s.
void whatif_commit(struct whatif *whatif, struct entry *entry, struct entry_result *result);
// Until nothing is left to decide.
void whatif_run(struct whatif *whatif);

void whatif_outcome(const struct whatif *whatif, const struct vm *vm,
		    struct whatif_outcome *outcome);
const char *whatif_fate_word(enum whatif_fate fate);
// Why the VMs of a lost node are not placed anew, or "" when they are.
const char *whatif_loss_reason(const struct whatif *whatif, uint8_t slot);
