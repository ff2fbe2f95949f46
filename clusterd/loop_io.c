// SPDX-License-Identifier: Apache-2.0
#include "clusterd/loop_io.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <qb/qbdefs.h>
#include <qb/qbloop.h>

struct loop_watch {
	int fd;
	loop_fd_fn fn;
	void *owner;
	struct loop_watch *next;
};

struct loop_signal {
	loop_signal_fn fn;
	void *owner;
	qb_loop_signal_handle handle;
	struct loop_signal *next;
};

struct loop {
	qb_loop_t *qb;
	struct loop_watch *watches;
	struct loop_signal *signals;
	int wake_fd;
	pthread_mutex_t mutex;		// guards the queue
	struct loop_job *first, *last;
};

static struct loop_job *loop_take_jobs(struct loop *loop)
{
	struct loop_job *jobs;

	pthread_mutex_lock(&loop->mutex);
	jobs = loop->first;
	loop->first = loop->last = NULL;
	pthread_mutex_unlock(&loop->mutex);
	return jobs;
}

static void loop_woken(void *owner, int fd, uint32_t events)
{
	struct loop *loop = owner;
	struct loop_job *job, *next;
	uint64_t count;

	(void)events;
	if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN && errno != EINTR)
		abort();
	for (job = loop_take_jobs(loop); job; job = next) {
		next = job->next;
		job->next = NULL;
		job->fn(job->owner);
	}
}

int loop_open(struct loop **result)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int error;

	if (!loop)
		return -ENOMEM;
	pthread_mutex_init(&loop->mutex, NULL);
	loop->qb = qb_loop_create();
	loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!loop->qb || loop->wake_fd < 0) {
		loop_close(loop);
		return -ENOMEM;
	}
	error = loop_add_fd(loop, loop->wake_fd, POLLIN, loop_woken, loop);
	if (error) {
		loop_close(loop);
		return error;
	}
	*result = loop;
	return 0;
}

void loop_close(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->watches)
		loop_del_fd(loop, loop->watches->fd);
	while (loop->signals) {
		struct loop_signal *signal = loop->signals;

		loop->signals = signal->next;
		qb_loop_signal_del(loop->qb, signal->handle);
		free(signal);
	}
	if (loop->qb)
		qb_loop_destroy(loop->qb);
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	pthread_mutex_destroy(&loop->mutex);
	free(loop);
}

void loop_run(struct loop *loop)
{
	qb_loop_run(loop->qb);
}

void loop_stop(struct loop *loop)
{
	qb_loop_stop(loop->qb);
}

static int32_t loop_fd_ready(int32_t fd, int32_t events, void *data)
{
	struct loop_watch *watch = data;

	// The watch may be gone when this returns: not touched again.
	watch->fn(watch->owner, fd, (uint32_t)events);
	return 0;
}

int loop_add_fd(struct loop *loop, int fd, uint32_t events, loop_fd_fn fn, void *owner)
{
	struct loop_watch *watch = calloc(1, sizeof(*watch));
	int error;

	if (!watch)
		return -ENOMEM;
	*watch = (struct loop_watch){ fd, fn, owner, loop->watches };
	error = qb_loop_poll_add(loop->qb, QB_LOOP_HIGH, fd, (int)events, watch, loop_fd_ready);
	if (error) {
		free(watch);
		return error;
	}
	loop->watches = watch;
	return 0;
}

int loop_mod_fd(struct loop *loop, int fd, uint32_t events)
{
	struct loop_watch *watch = loop->watches;

	while (watch && watch->fd != fd)
		watch = watch->next;
	if (!watch)
		return -ENOENT;
	return qb_loop_poll_mod(loop->qb, QB_LOOP_HIGH, fd, (int)events, watch, loop_fd_ready);
}

void loop_del_fd(struct loop *loop, int fd)
{
	struct loop_watch **link = &loop->watches;

	while (*link && (*link)->fd != fd)
		link = &(*link)->next;
	if (*link) {
		struct loop_watch *watch = *link;

		qb_loop_poll_del(loop->qb, fd);
		*link = watch->next;
		free(watch);
	}
}

static void loop_timer_fired(void *data)
{
	struct loop_timer *timer = data;

	timer->armed = false;
	timer->fn(timer->owner);
}

int loop_timer_ms(struct loop *loop, struct loop_timer *timer, uint64_t delay_ms, loop_fn fn,
		  void *owner)
{
	qb_loop_timer_handle handle;
	int error;

	loop_timer_cancel(timer);
	timer->loop = loop;
	timer->fn = fn;
	timer->owner = owner;
	error = qb_loop_timer_add(loop->qb, QB_LOOP_HIGH, delay_ms * QB_TIME_NS_IN_MSEC, timer,
				  loop_timer_fired, &handle);
	if (error)
		return error;
	timer->handle = handle;
	timer->armed = true;
	return 0;
}

void loop_timer_cancel(struct loop_timer *timer)
{
	if (!timer->armed)
		return;
	qb_loop_timer_del(timer->loop->qb, timer->handle);
	timer->armed = false;
}

static int32_t loop_signalled(int32_t number, void *data)
{
	struct loop_signal *signal = data;

	signal->fn(signal->owner, number);
	return 0;
}

int loop_add_signal(struct loop *loop, int number, loop_signal_fn fn, void *owner)
{
	struct loop_signal *signal = calloc(1, sizeof(*signal));
	int error;

	if (!signal)
		return -ENOMEM;
	signal->fn = fn;
	signal->owner = owner;
	error = qb_loop_signal_add(loop->qb, QB_LOOP_HIGH, number, signal, loop_signalled,
				   &signal->handle);
	if (error) {
		free(signal);
		return error;
	}
	signal->next = loop->signals;
	loop->signals = signal;
	return 0;
}

void loop_post_from_thread(struct loop *loop, struct loop_job *job)
{
	uint64_t one = 1;

	job->next = NULL;
	pthread_mutex_lock(&loop->mutex);
	if (loop->last)
		loop->last->next = job;
	else
		loop->first = job;
	loop->last = job;
	pthread_mutex_unlock(&loop->mutex);
	// EAGAIN: the counter is full, so the loop is awake anyway.
	if (write(loop->wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		abort();
}

void *loop_qb(struct loop *loop)
{
	return loop->qb;
}
