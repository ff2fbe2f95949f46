// SPDX-License-Identifier: Apache-2.0
#include "csv/volume_io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum {
	LOOK_MS = 250,	 // how often a probe under way is looked at
	WRITE_EVERY = 5, // probes: one of so many also writes
	BLOCK = 4096,
	RECHECK_JOIN_MS = 2000,
	QUICK_AGAIN = 4, // probes in a row until slow is over: every change is told to all nodes
};

/*
 * Judged against the volume's io_timeout T, at which sanlock itself begins to doubt: slow when a
 * probe takes more than T/2, lost when it fails or has not come back after 3 T. sanlock ends the
 * VMs after 8 T, so that there is time to say so and to act.
 */
struct probe {
	int error;		// of the finished probe; 0: good
	uint64_t took_us;
	bool writes;
	uint32_t count, free_mib;
	char directory[LOCK_PATH_SIZE], file[LOCK_PATH_SIZE];
	void *block;
};

struct volume {
	struct volumes *all;
	uint8_t slot;
	bool closing, placed;
	char name[NAME_SIZE], source[PATH_SIZE], root[PATH_SIZE];
	char place[LOCK_PATH_SIZE];
	struct lock_volume lock;
	uint8_t state;			// as posted last
	char reason[REASON_SIZE];
	bool joined, join_asked;
	uint32_t free_mib;		// as posted last
	uint32_t quick;			// probes in a row, while slow
	uint64_t generation;
	uint32_t tasks;			// under way: freed with the last
	struct volume *next_leaving;

	struct worker *probe_worker, *lock_worker;
	struct worker_task probe_task, check_task;
	struct loop_timer timer;
	struct probe probe;
	bool probing, checking, check_result;
	bool probed;			// one has come back
	uint32_t latency_us;		// of it; UINT32_MAX: it failed
	uint64_t probe_begin_ms, check_begin_ms;
	uint32_t join_epoch;		// changes when what a thread finds out is of no more use
};

struct volumes {
	struct volumes_config config;
	struct volume *slots[VOLUMES_MAX];
	struct volume *leaving;		// removed, with tasks under way
};

// One request to the volume's sanlock thread.
struct volume_job {
	struct worker_task task;
	struct volume *volume;
	struct lock_volume lock;	// the thread's own copy
	struct lock_lease lease;
	struct event event;		// to be posted
	uint32_t join_epoch, lease_slot;
	struct uuid uuid;
	bool ok;
	uint64_t generation;
	char reason[REASON_SIZE];
};

static uint64_t volume_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t volume_now_ms(void)
{
	return volume_now_us() / 1000;
}

static void volume_free(struct volume *volume)
{
	struct volume **link = &volume->all->leaving;

	if (!volume->closing || volume->tasks)
		return;
	while (*link && *link != volume)
		link = &(*link)->next_leaving;
	if (*link)
		*link = volume->next_leaving;
	worker_close(volume->probe_worker);
	worker_close(volume->lock_worker);
	free(volume->probe.block);
	free(volume);
}

static void volume_post(const struct volume *volume)
{
	struct event event = { .type = EVENT_VOLUME };

	event.volume = volume->slot;
	event.volume_state = volume->state;
	event.joined = volume->joined;
	event.generation = volume->joined ? volume->generation : 0;
	event.index = volume->free_mib;
	event.reason = volume->reason;
	edge_post(&volume->all->config.edge, &event);
}

__attribute__((format(printf, 3, 4)))
static void volume_move(struct volume *volume, enum volume_state state, const char *format, ...)
{
	va_list list;

	if (volume->state == state)
		return;
	volume->state = (uint8_t)state;
	va_start(list, format);
	vsnprintf(volume->reason, sizeof(volume->reason), format, list);
	va_end(list);
	volume_post(volume);
}

/*
 * A symbolic link, not a bind mount: it needs no mount namespace, leaves nothing to undo after a
 * crash, and does not pin a file system that the administrator wants to unmount. QEMU follows it as
 * its own user.
 */
static int volume_place(const struct volume *volume)
{
	char temporary[LOCK_PATH_SIZE + 8], now[LOCK_PATH_SIZE];
	struct stat status;
	ssize_t size;

	if (mkdir(volume->root, 0755) < 0 && errno != EEXIST)
		return -errno;
	if (lstat(volume->place, &status) == 0 && !S_ISLNK(status.st_mode))
		return -EEXIST;
	size = readlink(volume->place, now, sizeof(now) - 1);
	if (size > 0 && (size_t)size == strlen(volume->source) &&
	    memcmp(now, volume->source, (size_t)size) == 0)
		return 0;
	snprintf(temporary, sizeof(temporary), "%s.new", volume->place);
	unlink(temporary);
	if (symlink(volume->source, temporary) < 0 || rename(temporary, volume->place) < 0)
		return -errno;
	return 0;
}

static int probe_io(struct probe *probe)
{
	struct stat status = { 0 };
	int fd, error = 0;

	fd = open(probe->file, O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) < 0)
		error = -errno;
	if (!error && (probe->writes || status.st_size < BLOCK)) {
		snprintf(probe->block, BLOCK, "clusterd probe %u\n", probe->count);
		if (pwrite(fd, probe->block, BLOCK, 0) != BLOCK)
			error = errno ? -errno : -EIO;
	}
	if (!error && pread(fd, probe->block, BLOCK, 0) != BLOCK)
		error = errno ? -errno : -EIO;
	close(fd);
	return error;
}

static uint32_t free_mib(const struct statvfs *space)
{
	uint64_t mib = (uint64_t)space->f_bavail * space->f_frsize >> 20;

	return mib > UINT32_MAX ? UINT32_MAX : (uint32_t)mib;
}

// Before it is prepared there is no place for a probe file: then only that the folder answers.
static void volume_probe_work(void *owner)
{
	struct volume *volume = owner;
	struct probe *probe = &volume->probe;
	uint64_t begin_us = volume_now_us();
	struct statvfs space;
	struct stat status;

	errno = 0;
	if (stat(probe->directory, &status) == 0)
		probe->error = probe_io(probe);
	else if (errno == ENOENT)
		probe->error = stat(volume->source, &status) < 0 ? -errno : 0;
	else
		probe->error = -errno;
	if (!probe->error && statvfs(volume->source, &space) == 0)
		probe->free_mib = free_mib(&space);
	probe->count++;
	probe->took_us = volume_now_us() - begin_us;
}

static void volume_judge(struct volume *volume, uint64_t took_ms, bool back)
{
	uint64_t limit_ms = (uint64_t)volume->lock.io_timeout_s * 1000;

	if (took_ms > limit_ms / 2 || volume->state != VOLUME_SLOW)
		volume->quick = 0;
	if (back && volume->probe.error)
		volume_move(volume, VOLUME_LOST, "%s: %s", volume->source,
			    strerror(-volume->probe.error));
	else if (took_ms > 3 * limit_ms)
		volume_move(volume, VOLUME_LOST, "%s: no answer for %llu s", volume->source,
			    (unsigned long long)took_ms / 1000);
	else if (took_ms > limit_ms / 2 && volume->state != VOLUME_LOST)
		volume_move(volume, VOLUME_SLOW, "%s: an answer took more than %llu ms",
			    volume->source, (unsigned long long)limit_ms / 2);
	else if (back && volume->state == VOLUME_SLOW && ++volume->quick < QUICK_AGAIN)
		return;
	else if (back && took_ms > limit_ms / 2)
		volume_move(volume, VOLUME_SLOW, "%s: an answer took %llu ms", volume->source,
			    (unsigned long long)took_ms);
	else if (back)
		volume_move(volume, VOLUME_ONLINE, "%s", "");
}

// Every change would be told to all nodes: an eighth more or less is one that counts.
static void volume_weigh(struct volume *volume)
{
	uint32_t now = volume->probe.free_mib, told = volume->free_mib;

	if (now == told || (now < told ? told - now : now - told) <= told / 8)
		return;
	volume->free_mib = now;
	if (volume->state == VOLUME_ONLINE || volume->state == VOLUME_SLOW)
		volume_post(volume);
}

static uint32_t us_of(uint64_t us)
{
	return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static void volume_probe_done(void *owner)
{
	struct volume *volume = owner;

	volume->tasks--;
	volume->probing = false;
	volume->probed = true;
	volume->latency_us = volume->probe.error ? UINT32_MAX : us_of(volume->probe.took_us);
	if (volume->closing) {
		volume_free(volume);
	} else {
		volume_weigh(volume);
		volume_judge(volume, volume->probe.took_us / 1000, true);
	}
}

static void volume_check_work(void *owner)
{
	struct volume *volume = owner;

	volume->check_result = lock_joined(&volume->lock, volume->all->config.node_id);
}

// A lockspace that failed (its storage stayed away too long) is gone from sanlock, and its leases
// with it.
static void volume_check_done(void *owner)
{
	struct volume *volume = owner;

	volume->tasks--;
	volume->checking = false;
	if (volume->closing) {
		volume_free(volume);
	} else if (volume->joined && !volume->check_result) {
		volume->joined = false;
		volume_post(volume);
	}
}

static bool volume_try_place(struct volume *volume)
{
	int error = volume_place(volume);

	volume->placed = !error;
	if (error)
		volume_move(volume, VOLUME_LOST, "%s: %s", volume->place,
			    error == -EEXIST ? "something else is at its place" : strerror(-error));
	return !error;
}

static void volume_look(void *owner)
{
	struct volume *volume = owner;
	uint64_t now_ms = volume_now_ms();
	uint64_t every_ms = (uint64_t)volume->lock.io_timeout_s * 1000 / 2;

	loop_timer_ms(volume->all->config.edge.loop, &volume->timer, LOOK_MS, volume_look, volume);
	if (!volume->placed && !volume_try_place(volume))
		return;
	if (volume->joined && !volume->checking &&
	    now_ms - volume->check_begin_ms >= RECHECK_JOIN_MS) {
		volume->checking = true;
		volume->check_begin_ms = now_ms;
		volume->tasks++;
		worker_submit(volume->lock_worker, &volume->check_task);
	}
	// Last: what is posted may close the volume.
	if (volume->probing) {
		volume_judge(volume, now_ms - volume->probe_begin_ms, false);
	} else if (now_ms - volume->probe_begin_ms >= every_ms || !volume->probe_begin_ms) {
		volume->probing = true;
		volume->probe_begin_ms = now_ms;
		volume->probe.writes = volume->probe.count % WRITE_EVERY == 0;
		volume->tasks++;
		worker_submit(volume->probe_worker, &volume->probe_task);
	}
}

static struct volume *volume_new(struct volumes *all, uint8_t slot, const char *root,
				 const char *name, const char *source, uint32_t io_timeout_s)
{
	struct volume *volume = calloc(1, sizeof(*volume));
	struct loop *loop = all->config.edge.loop;

	if (!volume)
		return NULL;
	volume->all = all;
	volume->slot = slot;
	snprintf(volume->name, sizeof(volume->name), "%s", name);
	snprintf(volume->source, sizeof(volume->source), "%s", source);
	snprintf(volume->root, sizeof(volume->root), "%s", root);
	snprintf(volume->place, sizeof(volume->place), "%s/%s", root, name);
	// By its source: what the tree's link points to may change under a lockspace, its source
	// does not.
	lock_volume_init(&volume->lock, name, source, io_timeout_s);
	snprintf(volume->probe.directory, LOCK_PATH_SIZE, "%s", volume->lock.directory);
	snprintf(volume->probe.file, LOCK_PATH_SIZE, "%.490s/probe-%u", volume->lock.directory,
		 all->config.node_id);
	volume->probe.block = aligned_alloc(BLOCK, BLOCK);
	volume->probe_task = (struct worker_task){
		.work = volume_probe_work, .done = volume_probe_done, .owner = volume,
	};
	volume->check_task = (struct worker_task){
		.work = volume_check_work, .done = volume_check_done, .owner = volume,
	};
	if (!volume->probe.block || worker_open(&volume->probe_worker, loop, 1, "volume-probe") ||
	    worker_open(&volume->lock_worker, loop, 1, "volume-lock")) {
		volume->closing = true;
		volume_free(volume);
		return NULL;
	}
	memset(volume->probe.block, 0, BLOCK);
	return volume;
}

int volumes_open(struct volumes **result, const struct volumes_config *config)
{
	struct volumes *volumes = calloc(1, sizeof(*volumes));

	if (!volumes)
		return -ENOMEM;
	volumes->config = *config;
	*result = volumes;
	return 0;
}

static void volume_close(struct volume *volume)
{
	loop_timer_cancel(&volume->timer);
	volume->closing = true;
	if (!volume->tasks) {
		volume_free(volume);
		return;
	}
	// The loop goes next: a thread that comes back later must not post to it.
	worker_close(volume->probe_worker);
	worker_close(volume->lock_worker);
}

// Threads that hang keep their volume's memory, and its owner's: it is the process's end.
void volumes_close(struct volumes *volumes)
{
	struct volume *volume;
	bool busy;
	uint8_t slot;

	if (!volumes)
		return;
	busy = volumes->leaving != NULL;
	for (volume = volumes->leaving; volume; volume = volume->next_leaving)
		volume_close(volume);
	for (slot = 0; slot < VOLUMES_MAX; slot++) {
		if (!volumes->slots[slot])
			continue;
		busy = busy || volumes->slots[slot]->tasks;
		volume_close(volumes->slots[slot]);
	}
	if (!busy)
		free(volumes);
}

void volumes_add(struct volumes *volumes, uint8_t slot, const char *root, const char *name,
		 const char *source, uint32_t io_timeout_s)
{
	struct volume *volume = volumes->slots[slot];

	if (volume && strcmp(volume->name, name) == 0 && strcmp(volume->source, source) == 0 &&
	    strcmp(volume->root, root) == 0 && volume->lock.io_timeout_s == io_timeout_s)
		return;
	if (volume)
		volumes_remove(volumes, slot);
	volume = volume_new(volumes, slot, root, name, source, io_timeout_s);
	volumes->slots[slot] = volume;
	if (!volume)
		return;
	volume_look(volume);
}

static void volume_left(void *owner)
{
	struct volume_job *job = owner;

	job->volume->tasks--;
	volume_free(job->volume);
	free(job);
}

static void volume_leave_work(void *owner)
{
	struct volume_job *job = owner;

	lock_leave(&job->lock, job->volume->all->config.node_id, job->reason);
}

static struct volume_job *volume_job(struct volume *volume, loop_fn work, loop_fn done)
{
	struct volume_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->volume = volume;
	job->lock = volume->lock;
	job->join_epoch = volume->join_epoch;
	job->task = (struct worker_task){ .work = work, .done = done, .owner = job };
	volume->tasks++;
	return job;
}

void volumes_remove(struct volumes *volumes, uint8_t slot)
{
	struct volume *volume = volumes->slots[slot];
	struct volume_job *job;

	if (!volume)
		return;
	volumes->slots[slot] = NULL;
	unlink(volume->place);
	// What was never joined is not left: its successor may be joining the same lockspace
	// already.
	job = volume->join_asked ? volume_job(volume, volume_leave_work, volume_left) : NULL;
	loop_timer_cancel(&volume->timer);
	volume->closing = true;
	if (volume->tasks) {
		volume->next_leaving = volumes->leaving;
		volumes->leaving = volume;
	}
	if (job)
		worker_submit(volume->lock_worker, &job->task);
	else
		volume_free(volume);
}

static bool volume_directories(const struct volume *volume, char *reason)
{
	const struct volumes_config *config = &volume->all->config;
	char vms[LOCK_PATH_SIZE];

	snprintf(vms, sizeof(vms), "%s/vms", volume->source);
	if ((mkdir(volume->lock.directory, 0700) < 0 && errno != EEXIST) ||
	    (mkdir(vms, 0770) < 0 && errno != EEXIST) ||
	    chown(vms, config->qemu_uid, config->qemu_gid) < 0 || chmod(vms, 0770) < 0) {
		snprintf(reason, REASON_SIZE, "%s: %s", volume->source, strerror(errno));
		return false;
	}
	return true;
}

bool volume_stands_alone(const char *source, char *reason)
{
	char path[PATH_MAX], lockspace[PATH_MAX + 32], *slash;

	if (!realpath(source, path)) {
		snprintf(reason, REASON_SIZE, "%.100s: %s", source, strerror(errno));
		return false;
	}
	while ((slash = strrchr(path, '/')) && path[1]) {
		slash[slash == path] = 0;
		snprintf(lockspace, sizeof(lockspace), "%s/.clusterd/lockspace", path);
		if (access(lockspace, F_OK) == 0) {
			snprintf(reason, REASON_SIZE,
				 "%.60s lies inside another volume: %.60s has leases of its own",
				 source, path);
			return false;
		}
	}
	return true;
}

static void volume_prepare_work(void *owner)
{
	struct volume_job *job = owner;

	job->ok = volume_stands_alone(job->volume->source, job->reason) &&
		  volume_directories(job->volume, job->reason) &&
		  lock_prepare(&job->lock, job->reason);
}

// Posts what the job found out, unless the volume is gone.
static void volume_job_done(void *owner)
{
	struct volume_job *job = owner;
	struct volume *volume = job->volume;

	volume->tasks--;
	if (volume->closing) {
		volume_free(volume);
	} else {
		if (job->ok)
			volume->lock = job->lock;
		job->event.flag = job->ok;
		job->event.reason = job->reason;
		edge_post(&volume->all->config.edge, &job->event);
	}
	free(job);
}

static void volumes_refuse(struct volumes *volumes, struct event *event)
{
	event->reason = "the volume is not open on this host";
	edge_post(&volumes->config.edge, event);
}

void volumes_prepare(struct volumes *volumes, uint8_t slot, uint32_t attempt)
{
	struct volume *volume = volumes->slots[slot];
	struct event event = { .type = EVENT_VOLUME_PREPARED, .volume = slot, .attempt = attempt };
	struct volume_job *job = NULL;

	if (volume)
		job = volume_job(volume, volume_prepare_work, volume_job_done);
	if (!job) {
		volumes_refuse(volumes, &event);
		return;
	}
	job->event = event;
	worker_submit(volume->lock_worker, &job->task);
}

static void volume_lease_work(void *owner)
{
	struct volume_job *job = owner;

	job->ok = lock_geometry(&job->lock, job->reason);
	if (!job->ok)
		return;
	lock_lease_init(&job->lease, &job->lock, job->lease_slot, &job->uuid);
	job->ok = lock_lease_write(&job->lease, job->reason);
}

void volumes_lease_write(struct volumes *volumes, uint8_t slot, struct vm_ref vm,
			 const struct uuid *uuid, uint32_t lease_slot)
{
	struct volume *volume = volumes->slots[slot];
	struct event event = { .type = EVENT_LEASE_WRITTEN, .volume = slot, .vm = vm,
			       .uuid = *uuid, .lease_slot = lease_slot };
	struct volume_job *job = NULL;

	if (volume)
		job = volume_job(volume, volume_lease_work, volume_job_done);
	if (!job) {
		volumes_refuse(volumes, &event);
		return;
	}
	job->event = event;
	job->lease_slot = lease_slot;
	job->uuid = *uuid;
	worker_submit(volume->lock_worker, &job->task);
}

static void volume_join_work(void *owner)
{
	struct volume_job *job = owner;

	job->ok = lock_geometry(&job->lock, job->reason) &&
		  lock_join(&job->lock, job->volume->all->config.node_id, &job->generation,
			    job->reason);
}

static void volume_join_done(void *owner)
{
	struct volume_job *job = owner;
	struct volume *volume = job->volume;

	volume->tasks--;
	if (volume->closing) {
		volume_free(volume);
	} else if (job->join_epoch == volume->join_epoch) {
		volume->joined = job->ok;
		volume->generation = job->generation;
		volume->check_begin_ms = volume_now_ms();
		if (job->ok)
			volume->lock = job->lock;
		// The reason is the join's until the state has one of its own.
		if (volume->state == VOLUME_ONLINE || volume->state == VOLUME_OFFLINE)
			snprintf(volume->reason, sizeof(volume->reason), "%s", job->reason);
		volume_post(volume);
	}
	free(job);
}

void volumes_join(struct volumes *volumes, uint8_t slot)
{
	struct volume *volume = volumes->slots[slot];
	struct event event = { .type = EVENT_VOLUME, .volume = slot };
	struct volume_job *job = NULL;

	if (volume)
		job = volume_job(volume, volume_join_work, volume_join_done);
	if (!job) {
		volumes_refuse(volumes, &event);
		return;
	}
	volume->join_asked = true;
	worker_submit(volume->lock_worker, &job->task);
}

void volumes_sanlock_gone(struct volumes *volumes)
{
	uint8_t slot;

	for (slot = 0; slot < VOLUMES_MAX; slot++) {
		struct volume *volume = volumes->slots[slot];

		if (!volume)
			continue;
		volume->join_epoch++;
		if (!volume->joined)
			continue;
		volume->joined = false;
		volume_post(volume);
	}
}

const struct lock_volume *volumes_lock(const struct volumes *volumes, uint8_t slot)
{
	return slot < VOLUMES_MAX && volumes->slots[slot] ? &volumes->slots[slot]->lock : NULL;
}

bool volumes_latency_us(const struct volumes *volumes, uint8_t slot, uint32_t *latency_us)
{
	const struct volume *volume = slot < VOLUMES_MAX ? volumes->slots[slot] : NULL;
	uint64_t waiting_ms;

	if (!volume || !volume->probed)
		return false;
	waiting_ms = volume->probing ? volume_now_ms() - volume->probe_begin_ms : 0;
	*latency_us = volume->latency_us;
	if (waiting_ms * 1000 > *latency_us)
		*latency_us = us_of(waiting_ms * 1000);
	return true;
}
