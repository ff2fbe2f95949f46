// SPDX-License-Identifier: Apache-2.0
// What the coordinator decides about moves, and the judgements that others share with it.
#pragma once

#include "clusterd/node_internal.h"
#include "migration/preflight.h"
#include "policies/mend.h"

// How many moves each node takes part in, as source and as target, and which can take no more.
struct move_limits {
	uint32_t out[NODES_MAX], in[NODES_MAX];
	uint64_t full_out, full_in; // masks of slots
	uint32_t all;
	uint16_t of_rule[RULES_MAX]; // members that move, of one-at-a-time rules
};

// What one round has promised so far.
struct move_round {
	struct move_limits limits;
	struct placement_load load;
	struct preflight_load moves;
};

struct move_choice {
	const struct vm *vm;
	uint8_t kind, cause; // enum move_kind, move_cause
	uint8_t target;	     // slot; SLOT_NONE: none
	uint32_t tip;	     // that it is of; 0: none
	uint8_t tip_at;	     // its place in that plan
	bool asks;	     // is only asked for, and begins in its turn
};

void move_round_init(struct move_round *round, const struct node *node, uint64_t present);
void move_limits_init(struct move_limits *limits, const struct cluster *cluster);
// The best node that a VM that runs can move to in this way, or `wanted` if it can: its preflight
// fails in nothing, and placement would have it there. SLOT_NONE: none.
uint8_t move_choose_target(const struct cluster *cluster, const struct move_round *round,
			   const struct vm *vm, uint8_t wanted, enum move_kind kind);
// Why there is none, and the smallest change that would alter it; both REASON_SIZE.
void move_explain(const struct cluster *cluster, const struct move_round *round,
		  const struct vm *vm, uint8_t wanted, enum move_kind kind, char *reason,
		  char *fix);
// ENTRY_MOVE_BEGIN, counted in the round.
bool move_propose(struct node *node, struct move_round *round, const struct move_choice *choice,
		  struct actions *actions);

// The limits of both ends, of the cluster and of rules leave room for it now.
bool move_has_room(const struct cluster *cluster, const struct move_round *round,
		   const struct vm *vm, uint8_t target);
// Of VMs that a symmetric order ties, and that go cold at the same time, those that start later
// stop first, and start when the others are up again. So they are all asked for, before the first
// of them begins. Whether the VM is tied to such a one: `goes` says so of the others.
bool move_is_tied(const struct cluster *cluster, const struct vm *vm,
		  bool (*goes)(const void *context, const struct vm *other), const void *context);
// A move of it failed a moment ago (decide_drain.c); wakes the node when that is over.
bool move_failed_lately(struct node *node, const struct vm *vm, uint64_t again_ms);

// What must be mended, and who may go to a better node (decide_mend.c).
bool mend_is_due(const struct node *node);
void mend_wake(struct node *node);
void decide_mends(struct node *node, struct move_round *round, struct actions *actions);

// Drains, and the way home after them (decide_drain.c).
void decide_drains(struct node *node, struct move_round *round, struct actions *actions);

// The saved state that an administrator's entry may drop, as it is before the entry is applied; and
// what is left of it after: one node removes the file.
struct saved_file {
	bool kept;
	struct vm_ref vm;
	struct uuid uuid;
	uint8_t volume;
};
struct saved_file saved_file_of(const struct node *node, const struct entry *entry);
void saved_file_dropped(struct node *node, const struct saved_file *saved, struct actions *actions);

void decide_moves(struct node *node, uint64_t present, struct actions *actions);
