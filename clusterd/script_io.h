// SPDX-License-Identifier: Apache-2.0
// Scripts of PRO policies: run as an unprivileged user, with a limit, on a thread of their own.
//
// A script is a file in one folder. The folder and the file belong to root (to whoever runs this),
// and nobody else may write to them. A name with a path in it is none.
#pragma once

#include <stddef.h>

#include "clusterd/action.h"
#include "clusterd/edge.h"

struct script_runner;

struct script_options {
	const char *folder;
	const char *user;
	struct edge edge;
};

// 0 or -errno.
int script_open(struct script_runner **runner, const struct script_options *options);
// What still runs is killed.
void script_close(struct script_runner *runner);
// ACTION_SCRIPT_RUN -> EVENT_SCRIPT_DONE, once.
void script_perform(struct script_runner *runner, const struct action *action);

/*
 * Runs one and waits; what it did not end by the limit is killed with all of its process group.
 * `environment`: lines NAME=VALUE. True when it ended with status 0; `last` is its last line, or
 * why there is none.
 */
bool script_file_run(const char *folder, const char *user, const char *name,
		     const char *environment, uint32_t limit_ms, char *last, size_t size);
