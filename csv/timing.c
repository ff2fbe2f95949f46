// SPDX-License-Identifier: Apache-2.0
/*
 * Worked timelines, in seconds since the last renewal that succeeded.
 *
 *	io_timeout			 1    2    5   10   20
 *	renewal every 2 io_timeout	 2    4   10   20   40
 *	warning after 6 io_timeout	 6   12   30   60  120
 *	failed after 8 io_timeout	 8   16   40   80  160
 *	host dead 60 s after that	68   76  100  140  220
 *
 * With io_timeout 10, storage goes at 0 and
 *	back at  57: a renewal was late, nobody says a word
 *	back at  67: a warning at 60
 *	back at  77: and from 70 on wdmd did not feed, because a keepalive just before 80 would
 *		     let the watchdog fire only 60 s later; nothing else happens
 *	back at  87: at 80 the lease failed and the processes were asked to end. When they have,
 *		     sanlock takes its word back from wdmd, which feeds again: the host lives.
 *		     That storage came back changes nothing
 *	never:	     40 s after 80 those that did not listen are killed. Should they not even die,
 *		     the watchdog resets the host 60 s after its last meal: between 120 and 140
 *	at 140 sanlock on another host grants the leases. Whatever the host was doing, it is not
 *	doing it any more, if a watchdog guards it; without one, 140 proves nothing.
 */
#include "csv/timing.h"

enum {
	WATCHDOG_MS = 60000,	// fixed in sanlock 3.8, also without a watchdog
	UNFED_AHEAD_MS = 10000, // wdmd's test interval
	GRACE_MS = 40000,	// from SIGTERM to SIGKILL
};

struct lease_timing lease_timing(uint32_t io_timeout_s)
{
	uint64_t io_ms = io_timeout_s * UINT64_C(1000);
	struct lease_timing timing = {
		.renew_ms = 2 * io_ms,
		.warn_ms = 6 * io_ms,
		.fail_ms = 8 * io_ms,
		.kill_ms = 8 * io_ms + GRACE_MS,
		.dead_ms = 8 * io_ms + WATCHDOG_MS,
	};

	// With small timeouts wdmd cannot be ahead of a renewal that comes in time.
	timing.unfed_ms = timing.fail_ms - UNFED_AHEAD_MS;
	if (timing.fail_ms < UNFED_AHEAD_MS + timing.renew_ms)
		timing.unfed_ms = timing.renew_ms;
	// The last meal was at most one test interval before that.
	timing.reset_ms = timing.unfed_ms + WATCHDOG_MS;
	timing.reset_ms -= timing.unfed_ms > UNFED_AHEAD_MS ? UNFED_AHEAD_MS : timing.unfed_ms;
	return timing;
}

struct lease_outcome lease_outage(const struct lease_timing *timing,
				  const struct lease_outage *outage)
{
	struct lease_outcome outcome = {
		.warned = outage->length_ms > timing->warn_ms,
		.unfed = outage->length_ms > timing->unfed_ms,
		.failed = outage->length_ms > timing->fail_ms,
	};
	// A sanlock that slept past the grace does not ask any more.
	bool late = outage->asleep && outage->length_ms > timing->kill_ms;

	if (!outcome.failed)
		return outcome;
	outcome.asked = !late;
	outcome.killed = late || outage->deaf || outage->unkillable;
	/*
	 * Once the lease has failed it does not matter when storage comes back: sanlock lets go of
	 * the watchdog when the processes are gone, and only then. Asleep, it cannot do even that.
	 */
	outcome.reset = outage->unkillable ||
			(outage->asleep && outage->length_ms >= timing->dead_ms - UNFED_AHEAD_MS);
	return outcome;
}
