// SPDX-License-Identifier: Apache-2.0
/*
 *   NONE -> EXCLUSIVE -> SHARING -> SHARED -> TAKING -> EXCLUSIVE
 *     |                               ^ ^        |
 *     +-------------------------------+ +--------+ refused, or failed: asked again after a while
 *   any -> NONE: the process is gone
 *   EXCLUSIVE -> TAKING: once, by a daemon that found it so: sanlock may have been at sharing it
 *   for an earlier daemon, and shared it since
 *
 * A change that failed may have changed some of the leases, or nothing, or everything but the word
 * of it. What is safe to believe then is SHARED: it gives no right to resume a guest that somebody
 * else may have continued, and takes none away from a guest that runs.
 */
#include "csv/lease.h"

#include "clusterd/invariant.h"
#include "clusterd/text.h"

enum { TAKE_AGAIN_FIRST_MS = 20, TAKE_AGAIN_LAST_MS = 2000, FOUND_AGAIN_MS = 20000 };

#define BIT(state) (1u << (state))

static const uint8_t moves[HOLD_STATE_COUNT] = {
	[HOLD_NONE] = BIT(HOLD_EXCLUSIVE) | BIT(HOLD_SHARED) | BIT(HOLD_NONE),
	[HOLD_EXCLUSIVE] = BIT(HOLD_SHARING) | BIT(HOLD_TAKING) | BIT(HOLD_NONE),
	[HOLD_SHARING] = BIT(HOLD_SHARED) | BIT(HOLD_NONE),
	[HOLD_SHARED] = BIT(HOLD_TAKING) | BIT(HOLD_NONE),
	[HOLD_TAKING] = BIT(HOLD_EXCLUSIVE) | BIT(HOLD_SHARED) | BIT(HOLD_NONE),
};

static void hold_move(struct lease_hold *hold, enum hold_state state)
{
	INVARIANT(moves[hold->state] & BIT(state));
	hold->state = (uint8_t)state;
}

void lease_hold_set(struct lease_hold *hold, enum hold_state state)
{
	hold_move(hold, state);
	hold->failed = hold->found = false;
	hold->refusals = 0;
	hold->again_ms = 0;
	hold->reason[0] = 0;
}

void lease_hold_find(struct lease_hold *hold, bool shared, uint64_t now_ms)
{
	lease_hold_set(hold, shared ? HOLD_SHARED : HOLD_EXCLUSIVE);
	hold->found = !shared;
	hold->again_ms = shared ? 0 : now_ms + FOUND_AGAIN_MS;
}

enum action_type lease_hold_wish(struct lease_hold *hold, enum hold_wish wish, uint64_t now_ms)
{
	switch ((enum hold_state)hold->state) {
	case HOLD_EXCLUSIVE:
		if (wish == HOLD_WISH_EXCLUSIVE && hold->found && now_ms >= hold->again_ms) {
			hold->found = false;
			hold_move(hold, HOLD_TAKING);
			return ACTION_LEASE_EXCLUSIVE;
		}
		if (wish != HOLD_WISH_SHARED)
			break;
		if (hold->found)
			hold->again_ms = 0;
		hold->found = false;
		hold_move(hold, HOLD_SHARING);
		return ACTION_LEASE_SHARE;
	case HOLD_SHARED:
		if (wish != HOLD_WISH_EXCLUSIVE || now_ms < hold->again_ms)
			break;
		hold_move(hold, HOLD_TAKING);
		return ACTION_LEASE_EXCLUSIVE;
	case HOLD_NONE:
	case HOLD_SHARING:
	case HOLD_TAKING:
	case HOLD_STATE_COUNT:
		break;
	}
	return (enum action_type)0;
}

// A third party's attempt owns the paxos lease for a moment: two that try must not meet again and
// again.
static uint64_t hold_wait_ms(struct lease_hold *hold)
{
	uint64_t wait_ms = TAKE_AGAIN_FIRST_MS;

	for (uint32_t i = 0; i < hold->refusals && wait_ms < TAKE_AGAIN_LAST_MS; i++)
		wait_ms *= 2;
	hold->refusals++;
	return wait_ms < TAKE_AGAIN_LAST_MS ? wait_ms : TAKE_AGAIN_LAST_MS;
}

void lease_hold_event(struct lease_hold *hold, const struct event *event)
{
	bool sharing = event->type == EVENT_LEASE_SHARED;

	if (hold->state != (sharing ? HOLD_SHARING : HOLD_TAKING))
		return;
	hold->failed = false;
	if (event->flag) {
		hold->refusals = 0;
		hold->reason[0] = 0;
		hold_move(hold, sharing ? HOLD_SHARED : HOLD_EXCLUSIVE);
		return;
	}
	text_copy(hold->reason, sizeof(hold->reason), event->reason ? event->reason : "");
	hold->failed = sharing || (event->lease_error != LEASE_ERROR_HELD &&
				   event->lease_error != LEASE_ERROR_WAITING);
	hold->again_ms = event->now_ms + hold_wait_ms(hold);
	hold_move(hold, HOLD_SHARED);
}

uint64_t lease_hold_deadline_ms(const struct lease_hold *hold, enum hold_wish wish)
{
	bool again = hold->state == HOLD_SHARED || (hold->state == HOLD_EXCLUSIVE && hold->found);

	return again && wish == HOLD_WISH_EXCLUSIVE ? hold->again_ms : UINT64_MAX;
}
