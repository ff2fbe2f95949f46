// SPDX-License-Identifier: Apache-2.0
// Whether a VM that runs should run elsewhere: because where it is something is broken that must
// not be, or because a better preferred owner is back, or because its wishes are followed better
// there.
//
// A pure function of the replicated state. VMs that are kept together strictly are judged, and
// move, as one.
#pragma once

#include "policies/placement.h"

enum { MEND_UNIT_MAX = 256 };		// members of a group that moves as one
enum { MEND_REST_MS = 10 * 60 * 1000 }; // after a policy moved a VM, until a wish may again

enum mend_cause {
	MEND_NOTHING,
	MEND_MUST, // a strict rule, the possible owners, or the health of its node
	MEND_TIER, // a better preferred owner can have it back
	MEND_WISH, // wishes that are not followed where it is outweigh its stickiness
	MEND_CAUSE_COUNT,
};

// What is known of a VM that runs, or of a group; and what follows.
struct mend_facts {
	bool must;     // something strict is broken where it is
	bool rests;    // a policy moved it a moment ago
	bool sticks;   // its stickiness is infinite
	bool away;     // it names preferred owners, and is not on the best
	bool failback; // and wants to go back
	bool unhappy;  // wishes cost more than its stickiness where it is
};

struct mend_answer {
	bool must, tier, wish; // what may move it
	const char *reason;    // why nothing of it may; NULL
};

struct mend_answer mend_decide(const struct mend_facts *facts);

// Those that move together: one VM, or the members of a strict keep-together group that have a
// node.
struct mend_unit {
	uint8_t group; // SLOT_NONE: one VM
	uint32_t count;
	uint32_t vms[MEND_UNIT_MAX]; // slots, the most important first
};

struct mend {
	struct mend_unit unit;
	struct mend_facts facts;
	struct mend_answer answer;
	struct check check; // MUST: what is broken, for the VM `broken` on its node
	const struct vm *broken;
	uint8_t home; // node of all of them; SLOT_NONE: they are on several
	uint8_t tier; // of the first that names preferred owners
	uint64_t cost, target_cost, stickiness;
	uint8_t cause;	  // enum mend_cause, of the choice
	uint8_t target;	  // SLOT_NONE: none
	uint64_t wait_ms; // a better owner may be used that much later; UINT64_MAX: none is
	char reason[REASON_SIZE], fix[REASON_SIZE];
};

// `after`: the load as it will be when the moves under way have ended: VMs that leave a node are no
// longer in each other's way there.
void mend_load_init(struct placement_load *after, const struct placement_load *load,
		    const struct cluster *cluster);
// The VM is going to `target`.
void mend_load_move(struct placement_load *after, const struct cluster *cluster,
		    const struct vm *vm, uint8_t target);

// Whether anything could move the VM, or the group whose member it is. False: it, or another of the
// group, cannot be moved now, or nothing asks for it; `mend->reason` says which.
bool mend_asks(const struct cluster *cluster, const struct placement_load *after,
	       const struct vm *vm, uint64_t wall_ms, struct mend *mend);
// Chooses the node among the mask; `load` counts both ends of every move. `scratch` is overwritten.
void mend_choose(const struct cluster *cluster, const struct placement_load *load,
		 struct placement_load *scratch, uint64_t among, uint64_t wall_ms,
		 struct mend *mend);
const char *mend_cause_word(enum mend_cause cause);
// Why it moves there; without a target, what is in the way of what must be mended.
void mend_say(const struct cluster *cluster, const struct placement_load *load, struct mend *mend);

// The best node for all members of the VM's group that are on `from`, if they leave it as one.
uint8_t group_choose(const struct cluster *cluster, const struct placement_load *load,
		     struct placement_load *scratch, const struct vm *vm, uint8_t from,
		     uint64_t among);

// What a node's health makes its VMs do.
bool health_makes_leave(const struct cluster *cluster, const struct cluster_node *node);
// Milliseconds until the node may have its VMs back; 0: now.
uint64_t failback_wait_ms(const struct cluster *cluster, const struct vm_def *def,
			  const struct cluster_node *node, uint64_t wall_ms);
