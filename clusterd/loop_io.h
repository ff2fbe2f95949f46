// SPDX-License-Identifier: Apache-2.0
// The daemon's one thread: descriptors, timers, signals, and calls handed over by worker threads.
//
// Everything but loop_post_from_thread() belongs to the thread that runs the loop.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct loop;

typedef void (*loop_fn)(void *owner);
// `events` as poll(2) has them.
typedef void (*loop_fd_fn)(void *owner, int fd, uint32_t events);
typedef void (*loop_signal_fn)(void *owner, int signal);

// In the owner's memory, zeroed before first use; good until it fired or was cancelled.
struct loop_timer {
	struct loop *loop;
	uint64_t handle;
	loop_fn fn;
	void *owner;
	bool armed;
};

// In the owner's memory, until `fn` is called; then it may be used again.
struct loop_job {
	loop_fn fn;
	void *owner;
	struct loop_job *next;
};

// 0 or -errno.
int loop_open(struct loop **loop);
void loop_close(struct loop *loop);
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

// One watcher a descriptor. Delete before closing the descriptor; both may be done inside its own
// callback.
int loop_add_fd(struct loop *loop, int fd, uint32_t events, loop_fd_fn fn, void *owner);
int loop_mod_fd(struct loop *loop, int fd, uint32_t events);
void loop_del_fd(struct loop *loop, int fd);

// Once, after `delay_ms`; an armed timer is moved.
int loop_timer_ms(struct loop *loop, struct loop_timer *timer, uint64_t delay_ms, loop_fn fn,
		  void *owner);
void loop_timer_cancel(struct loop_timer *timer);

int loop_add_signal(struct loop *loop, int signal, loop_signal_fn fn, void *owner);

// From any thread: `job->fn` is called on the loop's thread, in the order of posting.
void loop_post_from_thread(struct loop *loop, struct loop_job *job);

// The qb_loop_t, for the one other edge that needs it (libqb's IPC server).
void *loop_qb(struct loop *loop);
