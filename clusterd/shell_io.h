// SPDX-License-Identifier: Apache-2.0
// The shell: one node of the core between its edges. Brings every event to node_step() and every
// action to its edge.
#pragma once

#include <stdbool.h>

#include "clusterd/node.h"

struct shell;

struct shell_config {
	const char *state_dir;		// the store
	const char *run_dir;		// records and sockets of VMs
	const char *service;		// name of the IPC service
	const char *group;		// whose members may use it
	const char *qemu;
	const char *qemu_user;
	const char *libexec_dir;
	const char *data_dir;
	const char *fence_dir;		// where fence agents are looked for, beside /usr/sbin; may
					// be NULL
	const char *self_fence;		// program that resets this host at once; NULL: the kernel's
					// sysrq
	const char *pki_dir;		// certificates
	const char *script_dir;		// of policies
	const char *script_user;	// that they run as
	const char *trace;		// file for a line per event and action; NULL: none
};

// Opens every edge and runs until the core says ACTION_EXIT. 0, or 1 with the reason in the log.
int shell_run(const struct shell_config *config);
