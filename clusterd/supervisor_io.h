// SPDX-License-Identifier: Apache-2.0
// The supervisor's watchdog (sd_notify(3)): tells it that the daemon's loop still turns.
//
// A daemon that hangs is ended and started again; its VMs live on and are adopted. Does nothing
// when the supervisor asked for nothing (no NOTIFY_SOCKET, no WATCHDOG_USEC).
#pragma once

#include "clusterd/loop_io.h"

struct supervisor {
	struct loop *loop;
	struct loop_timer timer;
	uint64_t every_ms;
	int fd;
};

// In the owner's memory, zeroed. 0 or -errno.
int supervisor_open(struct supervisor *supervisor, struct loop *loop);
void supervisor_close(struct supervisor *supervisor);
