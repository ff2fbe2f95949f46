// SPDX-License-Identifier: Apache-2.0
// Administrators' requests as JSON: read-only ones are answered from the node, changes become
// EVENT_REQUEST.
//
// A request is an object {"verb": "vm start", ...}; the answer {"result": ...} or
// {"error": {"code", "reason", "fix"}}. Decides nothing: whether a change is acceptable is the
// core's word.
#pragma once

#include "clusterd/edge.h"
#include "clusterd/entry.h"
#include "clusterd/node.h"
#include "clusterd/store_io.h"

struct request;

struct request_options {
	const struct node *node;
	const char *schema_path; // of definitions
	struct edge edge;	 // where EVENT_REQUEST and EVENT_RECOVER go

	// The rest is called with `context`.
	void *context;
	// The answer to a request: malloc'd, to be taken.
	void (*reply)(void *context, uint64_t client, char *text, size_t size);
	// As store_lines_read().
	int (*lines_read)(void *context, uint64_t after, uint64_t since_ms, uint32_t max,
			  uint64_t cookie, store_lines_fn fn, void *data);
	// Folder with the sockets of a VM that runs on this host; false: unknown. May be NULL.
	bool (*vm_folder)(void *context, const struct uuid *uuid, char *buf, size_t size);
	// How far a move is, as its source said last; false: unknown. May be NULL.
	bool (*move_stats)(void *context, uint32_t move, struct migrate_stats *stats);
};

// Returns 0 or -errno. What `options` points to stays the caller's and outlives the request server;
// so must what lines_read() may still call back.
int request_open(struct request **request, const struct request_options *options);
void request_close(struct request *request);

// One request of a client; options.reply() is called once for it, during the call or later.
void request_handle(struct request *request, uint64_t client, const char *text, size_t size);
// The client is gone: its answers are dropped. What it asked for goes on.
void request_client_gone(struct request *request, uint64_t client);
// ACTION_REPLY.
void request_answered(struct request *request, uint64_t cookie, const struct entry_result *result);
