// SPDX-License-Identifier: Apache-2.0
// How one process on this host holds its VM's leases: exclusively, shared with the other end of a
// move, or on the way from one to the other.
//
// Says which action is due, and hears how it ended. All leases of a VM count as one.
#pragma once

#include "clusterd/action.h"
#include "clusterd/event.h"

enum hold_state {
	HOLD_NONE,
	HOLD_EXCLUSIVE,
	HOLD_SHARING, // ACTION_LEASE_SHARE was given
	HOLD_SHARED,  // at least one of them is, or may be
	HOLD_TAKING,  // ACTION_LEASE_EXCLUSIVE was given
	HOLD_STATE_COUNT,
};

enum hold_wish { HOLD_AS_IS, HOLD_WISH_SHARED, HOLD_WISH_EXCLUSIVE };

struct lease_hold {
	uint8_t state; // enum hold_state
	bool failed;   // the last change ended with an error that is no refusal
	bool found;    // by a new daemon: an earlier one may have asked for a change that comes yet
	uint32_t refusals;
	uint64_t again_ms; // not asked again before
	char reason[96];   // of the last refusal or error
};

// The process holds them in this way from now on; HOLD_NONE: it is gone.
void lease_hold_set(struct lease_hold *hold, enum hold_state state);
// As it was found by a new daemon.
void lease_hold_find(struct lease_hold *hold, bool shared, uint64_t now_ms);
// The action that is due to come to what is wished, or 0.
enum action_type lease_hold_wish(struct lease_hold *hold, enum hold_wish wish, uint64_t now_ms);
// EVENT_LEASE_SHARED, EVENT_LEASE_EXCLUSIVE.
void lease_hold_event(struct lease_hold *hold, const struct event *event);
// When lease_hold_wish() may have something to ask for; UINT64_MAX: not by time.
uint64_t lease_hold_deadline_ms(const struct lease_hold *hold, enum hold_wish wish);
