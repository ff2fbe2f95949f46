// SPDX-License-Identifier: Apache-2.0
// The administrator's end of the daemon's door: one text asked, one text answered.
#pragma once

#include <stddef.h>

struct ipc_client_connection;

// Waits at most `timeout_ms` for the daemon. -ECONNREFUSED: nobody listens; -EACCES: this user may
// not; -ETIMEDOUT: it does not answer.
int ipc_client_open(struct ipc_client_connection **connection, const char *service, int timeout_ms);
void ipc_client_close(struct ipc_client_connection *connection);

// Asks, and waits for the whole answer (malloc'd, zero-terminated, the caller's). `waiting` is
// called about every 100 ms meanwhile; when it returns non-zero the asking ends with -EINTR.
// Returns 0 or -errno; after any failure the connection can only be closed.
int ipc_client_ask(struct ipc_client_connection *connection, const char *text, size_t size,
		   int (*waiting)(void *context), void *context, char **answer,
		   size_t *answer_size);
