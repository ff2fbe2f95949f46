// SPDX-License-Identifier: Apache-2.0
// What in a configuration can never hold, or has no effect: found before it hurts.
#pragma once

#include "clusterd/cluster.h"

enum contradiction_kind {
	CONTRADICTION_APART_TOGETHER, // kept apart and, perhaps through a chain, together
	CONTRADICTION_GROUP_OWNERS,   // kept together, and no node may have them all
	CONTRADICTION_APART_NODES,    // more that are kept apart than nodes that may have them
	CONTRADICTION_ORDER_CYCLE,    // each starts after the other
	CONTRADICTION_FOLLOW_CYCLE,
	CONTRADICTION_FOLLOW_APART,  // follows one that it is kept apart from
	CONTRADICTION_FOLLOW_OWNERS, // may not be where its leader may be
	CONTRADICTION_DEVICE_SHARED, // one fence device for two nodes
	// From here on warnings: nothing breaks, but it is hardly meant
	CONTRADICTION_NO_EFFECT,    // a rule that is about nobody
	CONTRADICTION_NO_ANSWER,    // a rule waits for what no guest could answer
	CONTRADICTION_NO_ATTRIBUTE, // a rule about an attribute that no node has
	CONTRADICTION_TOO_BIG,	    // a VM that fits no node
	CONTRADICTION_NO_DEVICE,    // a node that nobody can fence
	CONTRADICTION_KIND_COUNT,
};

struct contradiction {
	uint8_t kind;		// enum contradiction_kind
	bool conflict;		// else a warning
	uint8_t rules[2];	// slots; SLOT_NONE
	char object[NAME_SIZE]; // the VM or node that it is about, where no rule is
	char reason[REASON_SIZE];
	char fix[REASON_SIZE]; // the smallest change that would mend it
};

// At most `max`, in the order of the kinds, then of the rules. Returns how many there are.
uint32_t contradictions_find(const struct cluster *cluster, struct contradiction *found,
			     uint32_t max);
