// SPDX-License-Identifier: Apache-2.0
// Threads for calls that block: a queue of tasks, run in order by up to so many threads.
#pragma once

#include <stdint.h>

#include "clusterd/loop_io.h"

struct worker;

// In the submitter's memory until `done` is called. `work` runs on a thread, then `done` on the
// loop.
struct worker_task {
	loop_fn work;
	loop_fn done;
	void *owner;
	struct worker_task *next;
	struct worker *worker;
	struct loop_job job;
};

// 0 or -errno. Threads start when there is work for them. `name`: at most 15 characters.
int worker_open(struct worker **worker, struct loop *loop, uint32_t threads_max, const char *name);
// Tasks not begun are dropped without `done`; what a thread is blocked in goes on until it returns,
// and its `done` is not called either.
void worker_close(struct worker *worker);
void worker_submit(struct worker *worker, struct worker_task *task);
