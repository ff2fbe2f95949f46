// SPDX-License-Identifier: Apache-2.0
// Stands in for the sanlock daemon behind libsanlock_client, and fails where it is told to.
//
// One host, its lockspaces' records in real files, its leases in memory. Every call to the daemon
// counts, from whatever thread. Any living process counts as registered; what it holds goes when it
// ends. Answers are those of sanlock 3.8.5.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum fake_fault {
	FAKE_REFUSED,		// the call fails and nothing is done
	FAKE_LOST,		// it is done, but the answer fails
	FAKE_PARTLY,		// an acquire gets its first lease only, and fails; others: refused
	FAKE_SLOW,		// it is done, late
	FAKE_DIES,		// the daemon ends before it is done
	FAKE_DIES_AFTER,	// the daemon ends when it is done, before the answer
	FAKE_FAULTS,
};

// A new daemon without lockspaces, and blank leases. The `fail_at`th call (0: none) fails; `code`
// is what it then answers (ends of the daemon have their own).
void fake_sanlock_begin(uint64_t fail_at, enum fake_fault fault, int code);
// The same from here on, with all that is there kept.
void fake_sanlock_fail(uint64_t fail_at, enum fake_fault fault, int code);
bool fake_sanlock_failed(void);		// the call to fail was reached
// The daemon ends; another one is there after 150 ms. Leases stay owned on the disk.
void fake_sanlock_end(void);
// Connections that are still open at the edge's side; closes the fake's own.
uint32_t fake_sanlock_close(void);

// What is true.
bool fake_sanlock_joined(const char *lockspace, uint64_t *generation);
// Leases that the process has under the running daemon.
uint32_t fake_sanlock_held(pid_t pid);
// The process that was granted leases last has ended since.
bool fake_sanlock_holder_ended(void);
// Host id that owns the lease there (0: nobody), and its generation.
uint64_t fake_sanlock_owner(uint64_t offset, uint64_t *generation);
const char *fake_sanlock_name(uint64_t offset);	// "" when it is blank

// Another host's doing.
void fake_sanlock_claim(const char *path, uint32_t host_id, uint64_t generation,
			uint64_t timestamp);
void fake_sanlock_lease(const char *path, uint64_t offset, const char *lockspace, const char *name,
			uint64_t owner_id, uint64_t generation);
// Another host has it shared, besides whoever has it here.
void fake_sanlock_share(uint64_t offset, bool other);
// Leases of the process that are shared.
uint32_t fake_sanlock_shared(pid_t pid);
// The lease there cannot be read: every read of it answers `code`; 0: again it can.
void fake_sanlock_unreadable(uint64_t offset, int code);
