// SPDX-License-Identifier: Apache-2.0
// Whether a guest answers: its guest agent, over the socket that QEMU listens on for it, or one of
// its TCP ports. One question at a time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "clusterd/loop_io.h"

// `reason`: why not; a constant. Once, from the loop; never from inside ask_agent() or ask_port().
typedef void (*ask_fn)(void *owner, bool answers, const char *reason);

// Zeroed before first use.
struct ask {
	struct loop *loop;
	struct loop_timer timer; // armed while a question is under way
	bool watching;		 // `fd` is in the loop
	int fd;
	bool agent;
	uint32_t heard;
	const char *failed;
	ask_fn fn;
	void *owner;
};

// A question that is under way is dropped for the new one.
void ask_agent(struct ask *ask, struct loop *loop, const char *path, ask_fn fn, void *owner);
void ask_port(struct ask *ask, struct loop *loop, const char *address, uint16_t port, ask_fn fn,
	      void *owner);
// Drops what is under way; nothing is called any more.
void ask_end(struct ask *ask);
