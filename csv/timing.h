// SPDX-License-Identifier: Apache-2.0
// The arithmetic of a lease's death: what sanlock's timers make of an outage, and when another host
// may take over.
//
// Everything follows from io_timeout and from the watchdog's 60 s, which sanlock 3.8 fixes. Times
// are counted from the last renewal that succeeded.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct lease_timing {
	uint64_t renew_ms; // between renewals, while all is well
	uint64_t warn_ms;  // sanlock's warning
	uint64_t unfed_ms; // wdmd stops feeding: 10 s before the lease fails
	uint64_t fail_ms;  // the lease has failed: its processes are told to end
	uint64_t kill_ms;  // and killed, from here on
	uint64_t reset_ms; // the earliest moment at which the watchdog resets the host
	uint64_t dead_ms;  // the host is dead for certain: others may take its leases
};

// A host that could not renew for a while. Storage that is gone and a sanlock that gets no
// processor differ in one thing: a sanlock that sleeps past the time for asking kills at once.
struct lease_outage {
	uint64_t length_ms; // from the last renewal to the next one that could succeed
	bool asleep;	    // sanlock itself did not run
	bool deaf;	    // its processes do not end when asked
	bool unkillable;    // nor when killed
};

struct lease_outcome {
	bool warned;
	bool unfed;  // the watchdog was not fed for a while
	bool failed; // the lease is lost, whatever comes back
	bool asked;  // the processes were asked to end
	bool killed; // at least one of them was killed
	bool reset;  // the host was reset
};

struct lease_timing lease_timing(uint32_t io_timeout_s);
struct lease_outcome lease_outage(const struct lease_timing *timing,
				  const struct lease_outage *outage);
