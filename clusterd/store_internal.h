// SPDX-License-Identifier: Apache-2.0
// What the two halves of the store share: its queue and thread (store_thread_io.c), its SQL
// (store_io.c).
#pragma once

#include <pthread.h>
#include <time.h>

#include "clusterd/invariant.h"
#include "clusterd/store_io.h"

struct sqlite3;
struct sqlite3_stmt;

enum op_type {
	OP_SNAPSHOT, OP_ENTRY, OP_TRUNCATE, OP_PROMISE, OP_LINE,
	OP_SYNC, OP_RESET, OP_READ,	// these are not kept waiting
};

struct op {
	struct op *next;
	enum op_type type;
	bool flag;
	uint8_t level;
	uint32_t max;
	uint64_t index, view, token, wall_ms;
	store_lines_fn fn;
	void *data;
	size_t body_size;
	uint8_t body[];
};

// What no sync waits for: the event log's lines, and the commit hint. Somebody waits for every
// sync, and these would double what it has to write.
struct later {
	struct op *lines, **lines_end;
	size_t bytes;
	uint32_t count;
	uint64_t hint;
	bool hint_given;
};

enum result_type { RESULT_EVENT, RESULT_LOG, RESULT_LINES };

struct result {
	struct result *next;
	enum result_type type;
	struct event event;
	enum log_level level;
	store_lines_fn fn;
	void *data;
	uint32_t count;
	int error;
	struct store_line *lines;	// with their texts, one allocation
	size_t body_size;
	uint8_t body[];			// of the event, or a text
};

enum statement {
	SQL_BEGIN, SQL_COMMIT, SQL_SNAPSHOT, SQL_ENTRY, SQL_DROP_FROM, SQL_DROP_TO, SQL_PROMISE,
	SQL_HINT, SQL_LINE, SQL_LINE_BOUND, SQL_LINE_READ, SQL_COUNT,
};

struct store {
	struct store_options options;
	char directory[PATH_SIZE];
	char vfs[NAME_SIZE];
	int directory_fd;		// locked
	int wake_fd;			// results are there
	pthread_t thread;
	bool started;

	pthread_mutex_t lock;		// of the next group
	pthread_cond_t asked, delivered;
	struct op *ops, **ops_end;
	struct later later;
	size_t op_bytes;
	uint32_t op_count, urgent, reads;
	struct timespec unsynced_until;
	bool closing, overrun, resting;	// resting: the thread waits without a limit
	struct result *results, **results_end;
	size_t result_bytes;

	bool fail_posted;		// loop's thread

	// The thread's own
	struct sqlite3 *db;
	struct sqlite3_stmt *statements[SQL_COUNT];
	bool failed, in_transaction;
	uint64_t entry_last;		// no entry behind it is in the file
	int wal_frames;
};

struct result *result_new(enum result_type type, const void *body, size_t size);
// From the thread to the loop. Waits while too much is not yet delivered.
void result_queue(struct store *store, struct result *result);
void result_free(struct result *result);
// The first failure ends it: a later transaction must not make durable what follows a gap.
void store_fail(struct store *store, const char *what, const char *why);
void store_log(struct store *store, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

// The thread's: opens or makes the file and posts what it holds; does what was asked, in order,
// what could wait first; closes.
void store_begin(struct store *store);
void store_run(struct store *store, const struct op *ops, const struct later *later);
void store_write_back(struct store *store);
void store_end(struct store *store);
