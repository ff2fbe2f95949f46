// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "clusterd/log_io.h"
#include "clusterd/loop_io.h"
#include "clusterd/store_internal.h"

enum {
	UNSYNCED_MS = 1000,			// what nobody syncs is written after this
	UNSYNCED_OPS_MAX = 4096,
	RESULT_BYTES_MAX = 16 * 1024 * 1024,	// read and not yet delivered
};

static void result_put(struct store *store, struct result *result, bool wait)
{
	uint64_t one = 1;
	size_t size = sizeof(*result) + result->body_size;

	pthread_mutex_lock(&store->lock);
	while (wait && store->result_bytes && store->result_bytes + size > RESULT_BYTES_MAX &&
	       !store->closing)
		pthread_cond_wait(&store->delivered, &store->lock);
	store->result_bytes += size;
	result->next = NULL;
	*store->results_end = result;
	store->results_end = &result->next;
	pthread_mutex_unlock(&store->lock);
	while (write(store->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void result_queue(struct store *store, struct result *result)
{
	result_put(store, result, true);
}

struct result *result_new(enum result_type type, const void *body, size_t size)
{
	struct result *result = calloc(1, sizeof(*result) + size + 1);

	// Without memory for a few hundred bytes nothing can be told to anybody.
	INVARIANT(result);
	result->type = type;
	result->body_size = size;
	if (size)
		memcpy(result->body, body, size);
	return result;
}

void store_log(struct store *store, enum log_level level, const char *format, ...)
{
	char text[512];
	struct result *result;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	result = result_new(RESULT_LOG, text, strlen(text));
	result->level = level;
	result_queue(store, result);
}

void store_fail(struct store *store, const char *what, const char *why)
{
	char text[REASON_SIZE];
	struct result *result;

	if (store->failed)
		return;
	store->failed = true;
	snprintf(text, sizeof(text), "store %s/store.db: %s: %s", store->directory, what, why);
	result = result_new(RESULT_EVENT, text, strlen(text));
	result->event.type = EVENT_STORE_FAILED;
	result_queue(store, result);
}

void result_free(struct result *result)
{
	free(result->lines);
	free(result);
}

static void result_deliver(struct store *store, struct result *result)
{
	struct event *event = &result->event;

	switch (result->type) {
	case RESULT_EVENT:
		if (event->type == EVENT_STORE_FAILED) {
			if (store->fail_posted)
				return;
			store->fail_posted = true;
			event->reason = (const char *)result->body;
		} else if (result->body_size) {
			event->body = result->body;
			event->body_size = result->body_size;
		}
		edge_post(&store->options.edge, event);
		return;
	case RESULT_LOG:
		log_text(result->level, "%s", (const char *)result->body);
		return;
	case RESULT_LINES:
		result->fn(result->data, result->event.cookie, result->lines, result->count,
			   result->error);
		return;
	}
}

static void results_ready(void *data, int fd, uint32_t events)
{
	struct store *store = data;
	struct result *result, *next;
	uint64_t count;

	(void)events;
	if (read(fd, &count, sizeof(count)) < 0)
		return;
	pthread_mutex_lock(&store->lock);
	result = store->results;
	store->results = NULL;
	store->results_end = &store->results;
	store->result_bytes = 0;
	pthread_cond_signal(&store->delivered);
	pthread_mutex_unlock(&store->lock);
	for (; result; result = next) {
		next = result->next;
		result_deliver(store, result);
		result_free(result);
	}
}

static void later_clear(struct later *later)
{
	*later = (struct later){ .lines_end = &later->lines };
}

static bool nothing_waits(const struct store *store)
{
	return !store->ops && !store->later.lines && !store->later.hint_given;
}

static bool too_many_wait(const struct store *store)
{
	return store->op_count + store->later.count >= UNSYNCED_OPS_MAX;
}

static void time_after_ms(struct timespec *time, uint32_t ms)
{
	clock_gettime(CLOCK_MONOTONIC, time);
	time->tv_sec += ms / 1000;
}

static bool time_past(const struct timespec *time)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > time->tv_sec ||
	       (now.tv_sec == time->tv_sec && now.tv_nsec >= time->tv_nsec);
}

/*
 * Waits until there is something to do. For a while after the last work it wakes up by itself, so
 * that what may wait needs to wake it only when nothing was done for long.
 */
static void work_wait(struct store *store)
{
	struct timespec rest;

	time_after_ms(&rest, UNSYNCED_MS);
	while (!store->urgent && !store->closing && !too_many_wait(store)) {
		if (!nothing_waits(store)) {
			if (pthread_cond_timedwait(&store->asked, &store->lock,
						   &store->unsynced_until) == ETIMEDOUT)
				return;
			continue;
		}
		store->resting = time_past(&rest);
		if (store->resting)
			pthread_cond_wait(&store->asked, &store->lock);
		else
			pthread_cond_timedwait(&store->asked, &store->lock, &rest);
		store->resting = false;
	}
}

static struct op *ops_wait(struct store *store, struct later *later)
{
	struct op *ops;

	pthread_mutex_lock(&store->lock);
	work_wait(store);
	ops = store->ops;
	store->ops = NULL;
	store->ops_end = &store->ops;
	if (store->closing || store->reads || too_many_wait(store) ||
	    time_past(&store->unsynced_until)) {
		*later = store->later;
		later_clear(&store->later);
	}
	store->op_bytes = 0;
	store->op_count = store->urgent = store->reads = 0;
	if (store->overrun)
		store->failed = true;
	pthread_mutex_unlock(&store->lock);
	return ops;
}

static void ops_free(struct op *ops)
{
	struct op *next;

	for (; ops; ops = next) {
		next = ops->next;
		free(ops);
	}
}

static void *store_work(void *data)
{
	struct store *store = data;
	bool closing = false;

	store_begin(store);
	while (!closing) {
		struct later later = { 0 };
		struct op *ops = ops_wait(store, &later);

		store_run(store, ops, &later);
		ops_free(ops);
		ops_free(later.lines);
		if (!store->failed)
			store_write_back(store);
		pthread_mutex_lock(&store->lock);
		closing = store->closing && nothing_waits(store);
		pthread_mutex_unlock(&store->lock);
	}
	store_end(store);
	return NULL;
}

// The loop's side

static void op_put(struct store *store, struct op *op)
{
	struct later *later = &store->later;

	if (op->type == OP_LINE) {
		later->bytes += sizeof(*op) + op->body_size;
		later->count++;
		*later->lines_end = op;
		later->lines_end = &op->next;
		return;
	}
	store->op_bytes += sizeof(*op) + op->body_size;
	store->op_count++;
	*store->ops_end = op;
	store->ops_end = &op->next;
	store->urgent += op->type >= OP_SYNC;
	store->reads += op->type == OP_READ;
	// A hint is about what the store holds, and says nothing of what takes its place.
	if (op->type == OP_RESET || (op->type == OP_SNAPSHOT && op->flag))
		later->hint_given = false;
}

// With something new to do; what nobody waits for wakes the thread only when it rests.
static void thread_wake(struct store *store, bool first, bool urgent)
{
	if (first)
		time_after_ms(&store->unsynced_until, UNSYNCED_MS);
	if (urgent || too_many_wait(store) || (first && store->resting))
		pthread_cond_signal(&store->asked);
}

static void op_queue(struct store *store, struct op *op)
{
	static const char why[] = "the store's disk does not keep up: too much waits to be written";
	size_t size = sizeof(*op) + op->body_size;
	struct result *result;
	bool overrun, first, again;

	op->next = NULL;
	pthread_mutex_lock(&store->lock);
	again = store->overrun;
	overrun = again || store->op_bytes + store->later.bytes + size > STORE_QUEUE_BYTES_MAX;
	store->overrun = overrun;
	if (!overrun) {
		first = nothing_waits(store);
		op_put(store, op);
		thread_wake(store, first, op->type >= OP_SYNC);
	}
	pthread_mutex_unlock(&store->lock);
	if (!overrun)
		return;
	free(op);
	if (again)
		return;
	result = result_new(RESULT_EVENT, why, sizeof(why) - 1);
	result->event.type = EVENT_STORE_FAILED;
	result_put(store, result, false);
}

static void hint_set(struct store *store, uint64_t index)
{
	bool first;

	pthread_mutex_lock(&store->lock);
	first = nothing_waits(store);
	store->later.hint = index;
	store->later.hint_given = true;
	thread_wake(store, first, false);
	pthread_mutex_unlock(&store->lock);
}

static struct op *op_new(enum op_type type, const void *body, size_t size)
{
	struct op *op = malloc(sizeof(*op) + size);

	INVARIANT(op);
	memset(op, 0, sizeof(*op));
	op->type = type;
	op->body_size = size;
	if (size)
		memcpy(op->body, body, size);
	return op;
}

void store_perform(struct store *store, const struct action *action)
{
	enum op_type type;
	struct op *op;

	if (action->type == ACTION_STORE_COMMIT) {
		hint_set(store, action->index);
		return;
	}
	if (action->type == ACTION_STORE_SNAPSHOT)
		type = OP_SNAPSHOT;
	else if (action->type == ACTION_STORE_ENTRY)
		type = OP_ENTRY;
	else if (action->type == ACTION_STORE_TRUNCATE)
		type = OP_TRUNCATE;
	else if (action->type == ACTION_STORE_PROMISE)
		type = OP_PROMISE;
	else if (action->type == ACTION_STORE_SYNC)
		type = OP_SYNC;
	else if (action->type == ACTION_STORE_RESET)
		type = OP_RESET;
	else
		return;
	op = op_new(type, action->body, action->body_size);
	op->flag = action->flag;
	op->index = action->index;
	op->view = action->view;
	op->token = action->token;
	op_queue(store, op);
}

void store_line_add(struct store *store, uint64_t wall_ms, enum log_level level, const char *text)
{
	struct op *op = op_new(OP_LINE, text, strlen(text));

	op->wall_ms = wall_ms;
	op->level = (uint8_t)level;
	op_queue(store, op);
}

int store_lines_read(struct store *store, uint64_t after, uint64_t since_ms, uint32_t max,
		     uint64_t cookie, store_lines_fn fn, void *data)
{
	struct op *op;

	if (store->overrun)
		return -EIO;
	op = op_new(OP_READ, NULL, 0);
	op->index = after;
	op->wall_ms = since_ms;
	op->max = max;
	op->token = cookie;
	op->fn = fn;
	op->data = data;
	op_queue(store, op);
	return 0;
}

// A directory just made is not there after a power cut until its parent was flushed.
static void directory_make(struct store *store)
{
	char *slash = strrchr(store->directory, '/');
	int fd;

	if (mkdir(store->directory, 0700) < 0 || !slash)
		return;
	*slash = '\0';
	fd = open(store->directory[0] ? store->directory : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*slash = '/';
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

// A store that would fail at its first write is not opened: its node would come and go in the group
// for ever, and every time the others would have to form a view.
static bool directory_has_room(const struct store *store)
{
	struct statvfs about;

	return fstatvfs(store->directory_fd, &about) != 0 ||
	       (uint64_t)about.f_bavail * about.f_frsize >= (uint64_t)STORE_ROOM_MIN;
}

static int directory_open(struct store *store)
{
	int error;

	directory_make(store);
	store->directory_fd = open(store->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->directory_fd < 0)
		return -errno;
	error = flock(store->directory_fd, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno;
	if (!error && !directory_has_room(store))
		error = -ENOSPC;
	if (!error)
		return 0;
	close(store->directory_fd);
	store->directory_fd = -1;
	return error;
}

int store_open(struct store **out, const struct store_options *options)
{
	struct store *store = calloc(1, sizeof(*store));
	pthread_condattr_t monotonic;
	int error;

	*out = NULL;
	if (!store)
		return -ENOMEM;
	store->options = *options;
	store->wake_fd = store->directory_fd = -1;
	store->ops_end = &store->ops;
	later_clear(&store->later);
	store->results_end = &store->results;
	pthread_mutex_init(&store->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&store->asked, &monotonic);
	pthread_cond_init(&store->delivered, NULL);
	pthread_condattr_destroy(&monotonic);
	if (strlen(options->directory) >= sizeof(store->directory) ||
	    (options->vfs && strlen(options->vfs) >= sizeof(store->vfs))) {
		store_close(store);
		return -ENAMETOOLONG;
	}
	strcpy(store->directory, options->directory);
	if (options->vfs)
		strcpy(store->vfs, options->vfs);
	error = directory_open(store);
	if (!error) {
		store->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		error = store->wake_fd < 0 ? -errno :
			loop_add_fd(store->options.edge.loop, store->wake_fd, POLLIN, results_ready,
				    store);
	}
	if (!error)
		error = -pthread_create(&store->thread, NULL, store_work, store);
	if (error) {
		store_close(store);
		return error;
	}
	store->started = true;
	*out = store;
	return 0;
}

void store_close(struct store *store)
{
	struct result *result, *next;

	if (!store)
		return;
	if (store->started) {
		pthread_mutex_lock(&store->lock);
		store->closing = true;
		pthread_cond_signal(&store->asked);
		pthread_cond_signal(&store->delivered);
		pthread_mutex_unlock(&store->lock);
		pthread_join(store->thread, NULL);
	}
	if (store->wake_fd >= 0) {
		loop_del_fd(store->options.edge.loop, store->wake_fd);
		close(store->wake_fd);
	}
	for (result = store->results; result; result = next) {
		next = result->next;
		result_free(result);
	}
	if (store->directory_fd >= 0)
		close(store->directory_fd);
	pthread_cond_destroy(&store->asked);
	pthread_cond_destroy(&store->delivered);
	pthread_mutex_destroy(&store->lock);
	free(store);
}
