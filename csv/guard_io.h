// SPDX-License-Identifier: Apache-2.0
// Watches over the sanlock daemon: whether it lives, and whether a watchdog guards its leases.
#pragma once

#include "clusterd/edge.h"

struct lock_guard;

// 0 or -errno. Posts EVENT_SANLOCK_UP (flag: a watchdog guards its leases; again when that changes)
// and EVENT_SANLOCK_GONE, at once when its registered connection ends. `changed` is called before
// the event is posted. `program`: path of sanlock.
typedef void (*lock_guard_fn)(void *owner, bool up, bool watchdog);
int lock_guard_open(struct lock_guard **guard, const struct edge *edge, const char *program,
		    lock_guard_fn changed, void *owner);
void lock_guard_close(struct lock_guard *guard);
