// SPDX-License-Identifier: Apache-2.0
// The store: what this node promised and which entries it holds, in SQLite, on a thread of its own.
//
// Everything is done in the order in which it was asked for, but for the event log's lines and the
// commit hint: no sync waits for them, and they are written a second later. All else that waits
// when the thread is free goes into one transaction, so any number of ACTION_STORE_SYNC share one
// disk flush; each gets its EVENT_STORE_SYNCED. After EVENT_STORE_FAILED nothing is reported synced
// any more.
#pragma once

#include <stdint.h>

#include "clusterd/action.h"
#include "clusterd/edge.h"

struct store;

// A line of the event log (clustadm events), oldest first. Ids count up and are never used again.
struct store_line {
	uint64_t id;
	uint64_t wall_ms;
	uint8_t level;		// enum log_level
	const char *text;
};

// On the loop's thread; good during the call. error: -errno, when the store could not say.
typedef void (*store_lines_fn)(void *data, uint64_t cookie, const struct store_line *lines,
			       uint32_t count, int error);

enum {
	STORE_LINES_MAX = 20000,
	STORE_QUEUE_BYTES_MAX = 64 * 1024 * 1024,
	STORE_ROOM_MIN = 4 * 1024 * 1024, // free on the disk, or it is not opened
};

struct store_options {
	const char *directory;	// made when missing (its parent is not) and locked
	const char *vfs;	// SQLite's VFS; NULL: its default
	struct edge edge;
};

// Returns 0 or -errno (-EWOULDBLOCK: another daemon has the directory; -ENOSPC: the disk is full).
// The contents come as events: EVENT_STORE_SNAPSHOT, EVENT_STORE_ENTRY in order,
// EVENT_STORE_OPENED; or EVENT_STORE_FAILED. A store that is damaged or of another format is
// renamed to store.db.corrupt- TIME, and a new one takes its place.
int store_open(struct store **store, const struct store_options *options);

// ACTION_STORE_*: copies what it needs. Never blocks.
void store_perform(struct store *store, const struct action *action);

// Adds a line to the event log; durable a second later, or when lines are read.
void store_line_add(struct store *store, uint64_t wall_ms, enum log_level level, const char *text);

// Up to `max` of the newest lines with id > after and wall_ms >= since, to `fn` on the loop's
// thread. Returns 0 or -errno. Nothing is called after store_close().
int store_lines_read(struct store *store, uint64_t after, uint64_t since_ms, uint32_t max,
		     uint64_t cookie, store_lines_fn fn, void *data);

// Writes what is still queued, then closes. Accepts NULL.
void store_close(struct store *store);
