// SPDX-License-Identifier: Apache-2.0
// What is written down of a VM's process before it may become QEMU, so that the next daemon can
// tell whose it is.
//
// One small text file per VM in RUN/vms, on a tmpfs: it need not outlive the kernel, and the boot
// id proves that.
#pragma once

#include "csv/sanlock_io.h"

struct record {
	struct uuid uuid;
	struct vm_ref vm;
	uint32_t attempt;
	pid_t pid;
	uint64_t start;			// of the process, as in /proc/PID/stat
	char boot[40];			// the kernel's boot id
	struct lock_daemon sanlock;	// that it registered with
	bool incoming;			// started to receive memory, or to load it, and never told
					// to continue
	uint32_t saved_move;		// its state is complete on the volume, for this move, and
	uint64_t saved_bytes;		// it has not continued since; 0: no
	uint32_t lease_count;
	struct lock_lease leases[VM_LEASES_MAX];
};

// "01234567-89ab-..."; 37 bytes.
void record_uuid_text(const struct uuid *uuid, char *text);
bool record_uuid_parse(const char *text, struct uuid *uuid);
// The kernel's boot id as text; 40 bytes.
bool record_boot(char *boot);

// 0 or -errno; -EINVAL: it could not be read again. Written to a temporary name, then renamed.
int record_write(const char *run_dir, const struct record *record);
void record_remove(const char *run_dir, const struct uuid *uuid);

// Calls `fn` for every record. The number of those that cannot be read, or -errno. They are left
// where they are: what they were written for may live, with a lease.
typedef void (*record_fn)(void *owner, const struct record *record);
int record_each(const char *run_dir, record_fn fn, void *owner);

// A descriptor (pidfd) of the very process of the record. -ESRCH: it is gone; another -errno: not
// known.
int record_process(const struct record *record);
// No process of this VM is recorded, or it is gone. False: it lives, or may live; `reason` is
// REASON_SIZE bytes.
bool record_gone(const char *run_dir, const struct uuid *uuid, char *reason);

// Kills what was registered with a sanlock that no longer lives: its lease ended with that daemon,
// so another host may be granted it. Waits until all of them are gone, at most `timeout_ms`; the
// number that still live, or may live because their record cannot be read, or -errno.
int record_end_orphans(const char *run_dir, uint32_t timeout_ms);
