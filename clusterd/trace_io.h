// SPDX-License-Identifier: Apache-2.0
// A line in a file for every event and action, with CLOCK_MONOTONIC in microseconds: where the time
// goes (clusterd(8)).
#pragma once

#include "clusterd/action.h"
#include "clusterd/event.h"

struct trace;

// Appends to the file at `path`. 0 or -errno. The other functions accept NULL: no trace is wanted.
int trace_open(struct trace **trace, const char *path);
void trace_close(struct trace *trace);

void trace_event(struct trace *trace, const struct event *event);
void trace_action(struct trace *trace, const struct action *action);
// What an edge did of itself, between an action and the event that answers it.
void trace_note(struct trace *trace, const char *word, struct vm_ref vm);
// What was traced is in the file.
void trace_flush(struct trace *trace);
