// SPDX-License-Identifier: Apache-2.0
// Runs fence agents: programs named fence_* that switch a machine's power, options on their
// standard input.
//
// `off` counts only when `status` then says off: EVENT_FENCE_DONE tells, with the agent's own last
// words. Never blocks, uses no shell, and ends each agent's whole process group at its time limit.
#pragma once

#include "clusterd/edge.h"

struct fence;

enum fence_verb { FENCE_OFF, FENCE_ON, FENCE_MONITOR, FENCE_STATUS, FENCE_VERB_COUNT };

enum { FENCE_OFF_MS = 60000, FENCE_STATUS_MS = 10000, FENCE_DIRECTORIES_MAX = 4 };

struct fence_options {
	struct edge edge;
	const char *directories[FENCE_DIRECTORIES_MAX];	// absolute, in order; NULL: no more
	uint32_t off_ms;	// for `off` and `on`; 0: FENCE_OFF_MS
	uint32_t status_ms;	// for `status` and `monitor`; 0: FENCE_STATUS_MS
};

// On the loop's thread, never from inside fence_call(). ok: the agent said yes; for FENCE_STATUS:
// the power is on.
typedef void (*fence_done_fn)(void *data, bool ok, const char *reason);

int fence_open(struct fence **fence, const struct fence_options *options);	// 0 or -errno
// Agents still running are killed; their results are not told. Accepts NULL.
void fence_close(struct fence *fence);

// ACTION_FENCE, with the node's device looked up: EVENT_FENCE_DONE follows always, never from
// inside. `options` are "name=value\n" lines; an `action` among them is left out.
void fence_off(struct fence *fence, uint32_t node_id, uint32_t attempt, const char *agent,
	       const char *options);
void fence_call(struct fence *fence, enum fence_verb verb, const char *agent, const char *options,
		fence_done_fn fn, void *data);
