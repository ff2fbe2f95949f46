// SPDX-License-Identifier: Apache-2.0
// What the shell gives to every edge when it opens: the loop that it lives on, and where its events
// go.
#pragma once

#include "clusterd/event.h"

struct loop;
struct trace;

// Called on the loop's thread only. The shell fills in now_ms and wall_ms. It may perform actions
// before it returns: an edge posts last.
typedef void (*event_post_fn)(void *owner, const struct event *event);

struct edge {
	struct loop *loop;
	event_post_fn post;
	void *owner;
	struct trace *trace;	// for trace_note(); NULL: none
};

static inline void edge_post(const struct edge *edge, const struct event *event)
{
	edge->post(edge->owner, event);
}
