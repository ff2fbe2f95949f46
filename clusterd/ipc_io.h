// SPDX-License-Identifier: Apache-2.0
// The daemon's door for administrators: whole requests in, whole answers out, over libqb's IPC.
//
// A message holds at most IPC_CHUNK_SIZE bytes, so a connection costs little memory however long
// the text is: requests come and answers go piece by piece, each piece asked for. That lockstep
// also bounds a slow or dead client: nothing is ever sent that was not asked for, and nothing waits
// for a client.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct qb_loop; // libqb's, from the loop's edge
struct ipc;

enum {
	IPC_CLIENTS_MAX = 128,
	IPC_REQUEST_MAX = 4 * 1024 * 1024,
	IPC_REPLY_MAX = 64 * 1024 * 1024,
};

struct ipc_handlers {
	void *context;
	// One whole request, zero-terminated, good during the call. Answered by ipc_reply(), now or
	// later.
	void (*request)(void *context, uint64_t client, const char *text, size_t size);
	// The client went away; ipc_reply() to it would be ignored.
	void (*gone)(void *context, uint64_t client);
};

// Listens as `service`. Root may connect, and whoever is in `group`: as the kernel knows the
// caller's groups (primary and supplementary), or as /etc/group does. One ipc a process. Returns 0
// or -errno.
int ipc_open(struct ipc **ipc, const char *service, const char *group, struct qb_loop *loop,
	     const struct ipc_handlers *handlers);
void ipc_close(struct ipc *ipc);

// Takes `text` (malloc'd, `size` bytes). A client that is gone, or has an answer already, is
// ignored.
void ipc_reply(struct ipc *ipc, uint64_t client, char *text, size_t size);
