// SPDX-License-Identifier: Apache-2.0
// The QEMU command line of a VM: its definition and the host's facts in, an argument vector out.
//
// The same definition gives the same devices at the same addresses on every host, whatever else
// changes: a migration's target is built from it, too.
#pragma once

#include "clusterd/definition.h"

enum {
	QEMU_ARGV_MAX = 192,		// the longest vector with its NULL is well below
	QEMU_ARENA_SIZE = 40 * 1024,	// enough for every definition within its limits
	BLOCK_NODES_MAX = 3,		// of one disk
};

// What this host adds. Strings are the caller's and are needed during the call only.
struct qemu_facts {
	const char *qemu;		// argv[0]
	bool kvm;			// else TCG
	const char *cpu;		// -cpu as it is; NULL: by the definition's mode
	const char *cpu_compatible;	// -cpu of mode "compatible"; NULL: "qemu64"
	const char *volume_root;	// a file is volume_root/VOLUME/PATH
	const char *run_dir;		// this VM's own; see the names below
	const char *console_log;	// file that the console's output is appended to; NULL: none
	const char *uefi_code;		// firmware image, read-only; for FIRMWARE_UEFI
	bool image_locks;		// QEMU's own locks on image files, beside the lease
	bool incoming;			// a migration's target: waits for migrate-incoming
	// One tap device a NIC: inherited descriptors, or else names of persistent devices of
	// QEMU's user.
	const int *tap_fds;
	const char *const *tap_names;
};

// Sockets in run_dir that QEMU listens on.
#define QEMU_QMP_SOCKET "qmp"
#define QEMU_CONSOLE_SOCKET "console"
#define QEMU_VNC_SOCKET "vnc"
#define QEMU_AGENT_SOCKET "agent"

struct qemu_args {
	uint32_t argc;
	char *argv[QEMU_ARGV_MAX];	// ends with NULL; points into the arena
	const char *problem;		// why it could not be built: a constant
	char *arena;			// the caller's
	size_t used, size;
};

// Empties and fills args with arena `memory`. False (with args->problem) when it does not fit, or
// when definition and facts do not suffice.
bool qemu_args_build(struct qemu_args *args, char *memory, size_t size, const struct vm_def *def,
		     const struct qemu_facts *facts);

// The block graph of one disk as JSON objects for -blockdev or blockdev-add, children first; the
// last one's node is what the device is attached to, "diskN". A layer between path and format
// belongs in here.
struct block_graph {
	uint32_t count;
	char *nodes[BLOCK_NODES_MAX];	// in the arena
};
bool disk_block_graph(struct block_graph *graph, struct qemu_args *args, const struct vm_def *def,
		      uint32_t disk, const struct qemu_facts *facts);

// Where a VM with FIRMWARE_UEFI keeps its variables: beside its first writable disk, which its
// lease guards. A copy of the firmware's template must be there before QEMU starts. Absolute when
// `volume_root` is not NULL, else VOLUME/PATH. False when it does not fit or no disk is writable.
bool uefi_vars_path(const struct vm_def *def, const char *volume_root, char *buf, size_t size);
