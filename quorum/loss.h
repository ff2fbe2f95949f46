// SPDX-License-Identifier: Apache-2.0
// What to do about a node that is not as it should be: a decision table over a few facts, each row
// with its reason.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "clusterd/cluster.h"

enum loss_step {
	LOSS_NOTHING,
	LOSS_WAIT,	// nothing can be done before something else happens; the reason says what
	LOSS_BACK,	// it takes part again: ENTRY_NODE_BACK
	LOSS_DECLARE,	// ENTRY_NODE_LOST
	LOSS_FENCE,	// ENTRY_NODE_FENCING
	LOSS_EXPIRE,	// ENTRY_NODE_EXPIRING
	LOSS_RELEASE,	// its power is proved off: release its claims
	LOSS_STEP_COUNT,
};

// Everything that the decision may depend on.
struct loss_facts {
	uint8_t life;		// enum node_life
	bool in_ring;		// in corosync's membership: the host lives
	bool member;		// its clusterd is synchronised in the normal view
	bool settled;		// it was seen alive, or had time enough to appear after a cold
				// start
	bool managed;
	bool device;		// a fence device is defined
	bool retry;		// the device may be tried (again) now
	bool failing;		// the device failed often enough to look for another way
	bool guarded;		// its last report said that a watchdog guards its leases
	bool wanted;		// the administrator asked for its fence
	bool actor_here;	// whoever fences it now takes part in the view
};

struct loss_answer {
	enum loss_step step;
	const char *reason;	// a constant
	uint32_t row;		// of the table, for its test
};

uint32_t loss_row_count(void);
struct loss_answer loss_decide(const struct loss_facts *facts);

// The node that runs the fence agent: rotates through `present` (never the target) with the
// attempts.
uint8_t loss_actor(const struct cluster *cluster, uint64_t present, uint8_t target,
		   uint32_t attempt);
// The node that releases the dead host's claims: the first present one that sees all of its
// volumes.
uint8_t loss_releaser(const struct cluster *cluster, uint64_t present, uint8_t target);
