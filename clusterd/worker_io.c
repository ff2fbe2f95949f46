// SPDX-License-Identifier: Apache-2.0
#include "clusterd/worker_io.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

// libsanlock keeps whole requests on the stack.
#define STACK_SIZE (512 * 1024)

struct worker {
	struct loop *loop;
	pthread_mutex_t mutex;		// guards what follows
	pthread_cond_t changed;
	struct worker_task *first, *last;
	uint32_t threads, threads_max, idle;
	bool closing;
	char name[16];
};

// The last one out frees: a thread that hangs in dead storage must not hold up the daemon's end.
static void worker_leave(struct worker *worker)
{
	bool last = worker->closing && worker->threads == 0;

	pthread_mutex_unlock(&worker->mutex);
	if (!last)
		return;
	pthread_cond_destroy(&worker->changed);
	pthread_mutex_destroy(&worker->mutex);
	free(worker);
}

static struct worker_task *worker_next(struct worker *worker)
{
	struct worker_task *task;

	while (!worker->first && !worker->closing) {
		worker->idle++;
		pthread_cond_wait(&worker->changed, &worker->mutex);
		worker->idle--;
	}
	if (worker->closing)
		return NULL;
	task = worker->first;
	worker->first = task->next;
	if (!worker->first)
		worker->last = NULL;
	return task;
}

static void *worker_main(void *data)
{
	struct worker *worker = data;
	struct worker_task *task;

	pthread_setname_np(pthread_self(), worker->name);
	pthread_mutex_lock(&worker->mutex);
	while ((task = worker_next(worker))) {
		pthread_mutex_unlock(&worker->mutex);
		task->work(task->owner);
		pthread_mutex_lock(&worker->mutex);
		if (!worker->closing) {
			task->job.fn = task->done;
			task->job.owner = task->owner;
			loop_post_from_thread(worker->loop, &task->job);
		}
	}
	worker->threads--;
	worker_leave(worker);
	return NULL;
}

int worker_open(struct worker **result, struct loop *loop, uint32_t threads_max, const char *name)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return -ENOMEM;
	worker->loop = loop;
	worker->threads_max = threads_max;
	snprintf(worker->name, sizeof(worker->name), "%s", name);
	pthread_mutex_init(&worker->mutex, NULL);
	pthread_cond_init(&worker->changed, NULL);
	*result = worker;
	return 0;
}

void worker_close(struct worker *worker)
{
	if (!worker)
		return;
	pthread_mutex_lock(&worker->mutex);
	worker->closing = true;
	worker->first = worker->last = NULL;
	pthread_cond_broadcast(&worker->changed);
	worker_leave(worker);
}

// Signals are the loop thread's. Without a thread at all the task would never be done; with one, it
// only waits.
static void worker_start_thread(struct worker *worker)
{
	sigset_t all, old;
	pthread_attr_t attr;
	pthread_t thread;
	int error;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&thread, &attr, worker_main, worker);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (!error)
		worker->threads++;
	else if (worker->threads == 0)
		abort();
}

void worker_submit(struct worker *worker, struct worker_task *task)
{
	uint32_t waiting = 0;

	task->next = NULL;
	task->worker = worker;
	pthread_mutex_lock(&worker->mutex);
	if (worker->last)
		worker->last->next = task;
	else
		worker->first = task;
	worker->last = task;
	for (task = worker->first; task; task = task->next)
		waiting++;
	if (worker->idle < waiting && worker->threads < worker->threads_max)
		worker_start_thread(worker);
	pthread_cond_signal(&worker->changed);
	pthread_mutex_unlock(&worker->mutex);
}
