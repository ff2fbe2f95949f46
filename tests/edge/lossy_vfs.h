// SPDX-License-Identifier: Apache-2.0
// An SQLite VFS whose disk forgets what was not flushed: a power cut, without the power.
//
// Files are held in memory as the process sees them; what was written reaches the real file at
// xSync only. A crash drops the rest, or keeps some of it: each write whole, not at all, or torn at
// a 512-byte sector. From then on every call fails until the VFS is begun again.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define LOSSY_VFS "lossy"

// Registers the VFS (once) and begins a new life: a crash comes at the `crash_at`th write, flush or
// truncation (0: never) and keeps what `seed` says.
void lossy_vfs_begin(uint64_t seed, uint64_t crash_at);
void lossy_vfs_crash(void);
bool lossy_vfs_crashed(void);
uint64_t lossy_vfs_syncs(void);		// since begin
uint64_t lossy_vfs_operations(void);	// since begin: what crash_at counts
