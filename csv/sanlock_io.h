// SPDX-License-Identifier: Apache-2.0
// sanlock: lockspaces, leases and other hosts' claims, as calls that block.
//
// All but the *_init() and lock_daemon_*() calls may wait for the disk, up to minutes: worker
// threads only. `reason` is REASON_SIZE bytes and is filled on failure with words for people.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "clusterd/edge.h"

enum { LOCK_NAME_SIZE = 49, LOCK_PATH_SIZE = 512 };

// How one volume looks to sanlock. Plain data: copied into tasks.
struct lock_volume {
	char lockspace[LOCK_NAME_SIZE];
	char directory[LOCK_PATH_SIZE];		// <volume>/.clusterd
	char lockspace_path[LOCK_PATH_SIZE];
	char leases_path[LOCK_PATH_SIZE];
	uint32_t io_timeout_s;
	uint32_t sector, align;			// bytes; 0 until lock_geometry() has read them
};

struct lock_lease {
	char lockspace[LOCK_NAME_SIZE];
	char name[LOCK_NAME_SIZE];		// the VM's UUID
	char path[LOCK_PATH_SIZE];
	uint64_t offset;
	uint32_t sector, align;
};

// A host's claim on its id in one lockspace, as it is on the disk.
struct lock_claim {
	uint64_t generation;
	uint64_t timestamp;	// 0: nobody holds the id
};

struct lock_daemon {
	pid_t pid;
	uint64_t start;		// field 22 of /proc/PID/stat
};

void lock_volume_init(struct lock_volume *volume, const char *name, const char *place,
		      uint32_t io_timeout_s);
// The sector size and the alignment that the lockspace was prepared with; needed before any lease
// is touched.
bool lock_geometry(struct lock_volume *volume, char *reason);
void lock_lease_init(struct lock_lease *lease, const struct lock_volume *volume, uint32_t slot,
		     const struct uuid *uuid);

// Makes a new lockspace, unless there is one of this name and io_timeout already. Directories are
// the caller's.
bool lock_prepare(struct lock_volume *volume, char *reason);
// Joins with this host id (and is content when it has joined already). `generation`: of the id,
// now.
bool lock_join(const struct lock_volume *volume, uint32_t host_id, uint64_t *generation,
	       char *reason);
bool lock_leave(const struct lock_volume *volume, uint32_t host_id, char *reason);
bool lock_joined(const struct lock_volume *volume, uint32_t host_id);

// Writes a new lease, unless it is there already; verified by reading. Another name's lease there
// is written over when nobody owns it, else it is refused.
bool lock_lease_write(const struct lock_lease *lease, char *reason);

// All of them for the registered process, or none. Never waits for an owner that may be dead: that
// is LEASE_ERROR_WAITING, and sanlock's own watch over the owner goes on meanwhile.
bool lock_acquire(pid_t pid, const struct lock_lease *leases, uint32_t count, bool shared,
		  enum lease_error *error, char *reason);
// Whether the process holds exactly these leases under the running daemon; `shared`: one of them,
// or more, is shared.
bool lock_holds(pid_t pid, const struct lock_lease *leases, uint32_t count, bool *shared);
// Makes the leases that the process holds all shared, or all exclusive. Of those that it cannot
// make shared all become exclusive again, if they can. `shared`, also on failure: one of them, or
// more, must be taken for shared from now on; only what is proven exclusive is not.
bool lock_convert(pid_t pid, const struct lock_lease *leases, uint32_t count, bool to_shared,
		  bool *shared, enum lease_error *error, char *reason);
// Waits until this host owns none of them any more, at most `timeout_ms`.
bool lock_released(const struct lock_lease *leases, uint32_t count, uint32_t host_id,
		   uint32_t timeout_ms, char *reason);

bool lock_claim_read(struct lock_volume *volume, uint32_t host_id, struct lock_claim *claim,
		     char *reason);
// Ends a dead host's claim. Only with proof that it is dead. Another generation than the expected
// one is over already: then nothing is done, and that is success. `program`: path of sanlock.
bool lock_claim_release(struct lock_volume *volume, uint32_t host_id, uint64_t generation,
			const char *program, char *reason);

// Whether that very process still lives.
bool lock_daemon_lives(const struct lock_daemon *daemon);

// A registered connection to the daemon that may ask for nothing: its end is the daemon's. Or
// -errno.
int lock_register(void);
