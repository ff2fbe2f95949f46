// SPDX-License-Identifier: Apache-2.0
// Between the judgements and their words.
#pragma once

#include "migration/preflight.h"

// struct preflight_row.cause: why a row is not ok.
enum preflight_cause {
	WHY_NONE,
	WHY_UNMANAGED,
	WHY_NOT_RUNNING,
	WHY_BLOCKED,	// it may still run where nobody can see it
	WHY_LEFT_ALONE,	// where it runs, nobody answers
	WHY_THERE,		// it is there already
	WHY_AWAY,		// the node is not online
	WHY_NO_DAEMON,
	WHY_JOINING,
	WHY_LEAVING,
	WHY_MAINTENANCE,
	WHY_NOT_OWNER,
	WHY_NO_QEMU,
	WHY_UNTOLD,		// what its QEMU can do is not known
	WHY_OLDER,
	WHY_NEWER,
	WHY_OTHER,		// not the same as where it runs
	WHY_MISSING,
	WHY_UNKNOWN,		// nobody told what the guest has
	WHY_TOO_MANY,		// more than the host has
	WHY_CROWDED,		// more than is good
	WHY_SHORT,
	WHY_HOST_SHORT,	// something else than VMs uses it
	WHY_OFFLINE,
	WHY_HERE,		// the source has none
	WHY_EXPIRED,
	WHY_SOON,
	WHY_TAKEN,	// by another VM there
	WHY_IMAGE,	// `item` cannot be opened: `found` is an enum image_state
	PREFLIGHT_CAUSE_COUNT,
};

enum {
	CPU_CROWD_PERCENT = 400,	// of a host's CPUs that VMs may have together
	CERT_SOON_MS = 14 * 24 * 3600 * 1000,
};

// The machine type that it runs with, or would start with.
const char *preflight_machine(const struct cluster *cluster, const struct vm *vm, bool live);
// Where it runs, or NULL.
const struct cluster_node *preflight_source(const struct cluster *cluster, const struct vm *vm);
// The volume that a saved state of it goes to; SLOT_NONE: it has none.
uint8_t preflight_space_volume(const struct vm *vm);
uint64_t preflight_space_mib(const struct vm_def *def);
// Of an image as struct image_fault numbers them; empty: there is none.
const char *preflight_image_volume(const struct vm_def *def, uint8_t image);
const char *preflight_image_path(const struct vm_def *def, uint8_t image);
// Bit of each volume slot that its files are on.
uint32_t preflight_volumes(const struct cluster *cluster, const struct vm *vm);
