// SPDX-License-Identifier: Apache-2.0
// Saved states: <volume>/vms/UUID.save, complete and durable before it has that name.
//
// QEMU reads and writes them through a descriptor that it is given: they are root's, because what
// is in them is a guest's memory. Everything that touches the volume is done on a thread.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "resources/host_internal.h"

#define SAVE_FD "clusterd-save"
#define RESTORE_FD "clusterd-restore"

enum {
	SPACE_MARGIN_MIB = 64, // devices, and other files on the volume that grow meanwhile
	SPACE_EIGHTHS = 9,     // of the memory: pages that are written again while it is saved
	FULL_MIB = 1,	       // a volume with less than that left was filled
};

struct save_task {
	struct worker_task task;
	struct host *host;
	struct uuid uuid;
	uint32_t epoch;
	uint64_t needed; // bytes
	int fd;
	bool ok;
	uint64_t size;
	char place[2 * PATH_SIZE + NAME_SIZE];
	char reason[REASON_SIZE];
};

bool saved_place(const struct host *host, const struct cluster *cluster, uint8_t volume,
		 char *place, size_t size)
{
	if (volume >= VOLUMES_MAX || !cluster->volumes[volume].used || !host->root[0])
		return false;
	snprintf(place, size, "%s/%s/vms", host->root, cluster->volumes[volume].def.name);
	return true;
}

static void saved_path(const char *place, const struct uuid *uuid, const char *suffix, char *path,
		       size_t size)
{
	char text[37];

	record_uuid_text(uuid, text);
	snprintf(path, size, "%s/%s%s", place, text, suffix);
}

static bool saved_sync_folder(const char *place)
{
	int fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return good;
}

// The folder is QEMU's user's: what bears the name is believed only when root made it.
int saved_open(const char *place, const struct uuid *uuid, char *reason)
{
	struct stat status;
	char path[512];
	int fd;

	saved_path(place, uuid, ".save", path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		snprintf(reason, REASON_SIZE, "its saved state %.150s: %s", path, strerror(errno));
		return -1;
	}
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
	    status.st_nlink == 1)
		return fd;
	snprintf(reason, REASON_SIZE, "its saved state %.140s is not one that was saved here",
		 path);
	close(fd);
	return -1;
}

void saved_clear(const char *place, const struct uuid *uuid)
{
	static const char *const suffixes[] = { ".save", ".save.part" };
	bool any = false;
	char path[512];

	for (size_t i = 0; i < 2; i++) {
		saved_path(place, uuid, suffixes[i], path, sizeof(path));
		any |= unlink(path) == 0;
	}
	if (any)
		saved_sync_folder(place);
}

static struct save_task *save_task(struct host_vm *vm, loop_fn work, loop_fn done)
{
	struct save_task *task = calloc(1, sizeof(*task));

	if (!task)
		return NULL;
	task->task = (struct worker_task){ .work = work, .done = done, .owner = task };
	task->host = vm->host;
	task->uuid = vm->uuid;
	task->epoch = vm->move.epoch;
	task->fd = -1;
	snprintf(task->place, sizeof(task->place), "%s", vm->move.place);
	return task;
}

static void save_task_free(struct save_task *task)
{
	if (task->fd >= 0)
		close(task->fd);
	free(task);
}

// The VM, if it is still about this save.
static struct host_vm *save_task_vm(const struct save_task *task)
{
	struct host_vm *vm = vm_find(task->host, &task->uuid);

	return vm && vm->move.epoch == task->epoch ? vm : NULL;
}

static void save_submit(struct save_task *task)
{
	worker_submit(task->host->slow_pool, &task->task);
}

static void save_post(struct host_vm *vm, bool ok, uint64_t bytes, const char *reason)
{
	struct event event = { .type = EVENT_SAVED,
			       .vm = vm->ref,
			       .uuid = vm->uuid,
			       .attempt = vm->attempt,
			       .flag = ok,
			       .index = bytes,
			       .reason = reason };
	struct migrate_stats stats = vm->move.stats;

	event.stats = &stats;
	edge_post(&vm->host->edge, &event);
}

// --- what is no saved state, or no longer one --------------------------------------------------

static void saved_unlink(struct save_task *task, const char *suffix)
{
	char path[512];

	saved_path(task->place, &task->uuid, suffix, path, sizeof(path));
	if (unlink(path) < 0 && errno != ENOENT)
		task->ok = false;
}

static void drop_work(void *owner)
{
	struct save_task *task = owner;
	struct statvfs space;
	char part[512];

	task->ok = true;
	saved_path(task->place, &task->uuid, ".save.part", part, sizeof(part));
	// Where it was full before, nothing was begun, and the reason says so already.
	if (access(part, F_OK) == 0 && statvfs(task->place, &space) == 0 &&
	    (uint64_t)space.f_bavail * space.f_frsize < (uint64_t)FULL_MIB << 20)
		snprintf(task->reason, sizeof(task->reason),
			 "the volume became full while the state was written to %.100s",
			 task->place);
	saved_unlink(task, ".save.part");
	if (task->size)
		saved_unlink(task, ".save");
	saved_sync_folder(task->place);
}

// Nobody else can have taken this memory: there is nothing that it could be read from.
static void save_go_on(struct host_vm *vm)
{
	vm->move.stats.status = MIGRATE_FAILED;
	if (vm->move.stopped_us)
		vm_cont(vm);
	vm_move_look_after(vm);
}

static void drop_done(void *owner)
{
	struct save_task *task = owner;
	struct host_vm *vm = vm_find(task->host, &task->uuid);
	bool ours = vm && vm->move.dropping;

	if (ours) {
		vm->move.dropping = false;
		save_go_on(vm);
		save_post(vm, false, 0, task->reason);
	}
	save_task_free(task);
}

static void removed_done(void *owner)
{
	save_task_free(owner);
}

void vm_save_failed(struct host_vm *vm, const char *reason)
{
	struct save_task *task = save_task(vm, drop_work, drop_done);
	bool renamed = vm->move.doing == DOING_SYNCING;

	script_drop(&vm->move.script);
	loop_timer_cancel(&vm->move.timer);
	vm->move.doing = DOING_ENDING;
	if (vm->move.fd >= 0)
		close(vm->move.fd);
	vm->move.fd = -1;
	if (!task) {
		save_go_on(vm);
		save_post(vm, false, 0, reason);
		return;
	}
	vm->move.dropping = true;
	snprintf(task->reason, sizeof(task->reason), "%s", reason);
	task->size = renamed;
	save_submit(task);
}

void vm_save_over(struct host_vm *vm)
{
	bool saving = vm->move.doing == DOING_SAVING || vm->move.doing == DOING_SYNCING;
	struct save_task *task = saving ? save_task(vm, drop_work, removed_done) : NULL;

	if (vm->move.fd >= 0)
		close(vm->move.fd);
	vm->move.fd = -1;
	vm->move.dropping = false;
	if (task)
		save_submit(task);
}

static void remove_work(void *owner)
{
	struct save_task *task = owner;

	saved_unlink(task, ".save");
	saved_unlink(task, ".save.part");
	saved_sync_folder(task->place);
}

void host_saved_remove(struct host *host, const struct cluster *cluster,
		       const struct action *action)
{
	struct save_task *task = calloc(1, sizeof(*task));

	if (!task)
		return;
	task->task =
		(struct worker_task){ .work = remove_work, .done = removed_done, .owner = task };
	task->host = host;
	task->uuid = action->uuid;
	task->fd = -1;
	if (saved_place(host, cluster, action->volume, task->place, sizeof(task->place)))
		save_submit(task);
	else
		free(task);
}

// --- saving ------------------------------------------------------------------------------------

static bool open_has_space(struct save_task *task)
{
	struct statvfs space;
	uint64_t free_bytes;

	if (statvfs(task->place, &space) < 0) {
		snprintf(task->reason, sizeof(task->reason), "%.150s: %s", task->place,
			 strerror(errno));
		return false;
	}
	free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
	if (free_bytes >= task->needed)
		return true;
	snprintf(task->reason, sizeof(task->reason),
		 "a saved state may need %" PRIu64 " MiB in %.100s, and %" PRIu64 " MiB are free",
		 task->needed >> 20, task->place, free_bytes >> 20);
	return false;
}

static void open_work(void *owner)
{
	struct save_task *task = owner;
	char path[512];

	if (!open_has_space(task))
		return;
	saved_path(task->place, &task->uuid, ".save.part", path, sizeof(path));
	unlink(path);
	task->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	task->ok = task->fd >= 0 && saved_sync_folder(task->place);
	if (!task->ok)
		snprintf(task->reason, sizeof(task->reason), "%.150s: %s", path, strerror(errno));
}

static void open_done(void *owner)
{
	struct save_task *task = owner;
	struct host_vm *vm = save_task_vm(task);

	if (vm && vm->move.doing == DOING_SAVING && task->ok) {
		vm->move.fd = task->fd;
		task->fd = -1;
		vm_move_prepare(vm);
	} else if (vm && vm->move.doing == DOING_SAVING) {
		vm_save_failed(vm, task->reason);
	}
	save_task_free(task);
}

void vm_save(struct host_vm *vm, const struct cluster *cluster, const struct action *action)
{
	static const struct migrate_params none;
	const struct vm *wanted = cluster_vm(cluster, action->vm);
	const struct vm_def *def = wanted ? vm_definition(cluster, wanted) : NULL;
	struct save_task *task;

	// Its end will be told.
	if (vm->move.doing == DOING_SAVING || vm->move.doing == DOING_SYNCING || vm->move.dropping)
		return;
	vm->saving = action->move;
	vm_move_begin(vm, DOING_SAVING, action->migrate ? action->migrate : &none);
	vm->move.params.tls = vm->move.params.post_copy = false;
	vm->move.params.channels = 1;
	if (!def || !saved_place(vm->host, cluster, action->volume, vm->move.place,
				 sizeof(vm->move.place))) {
		vm->move.doing = DOING_NOTHING;
		save_post(vm, false, 0, "the volume for its saved state is not open on this host");
		return;
	}
	task = save_task(vm, open_work, open_done);
	if (!task) {
		vm->move.doing = DOING_NOTHING;
		save_post(vm, false, 0, "out of memory");
		return;
	}
	task->needed = (((uint64_t)def->memory_mib * SPACE_EIGHTHS / 8) + SPACE_MARGIN_MIB) << 20;
	save_submit(task);
}

static void save_sent(void *owner, bool ok, const char *text)
{
	struct host_vm *vm = owner;

	// QEMU keeps a copy of its own from `migrate` on.
	if (!ok)
		vm_move_failed(vm, text);
}

void vm_save_go(struct host_vm *vm)
{
	struct vm_move *move = &vm->move;

	script_begin(&move->script, vm->qmp, save_sent, vm);
	script_add(&move->script, "migrate-set-capabilities",
		   migrate_capabilities_write(move->capabilities, 1u << CAPABILITY_EVENTS));
	script_add(&move->script, "migrate-set-parameters",
		   migrate_parameters_write(&move->params, true));
	script_add_fd(&move->script, "getfd", migrate_text_write("fdname", SAVE_FD), move->fd);
	script_add(&move->script, "migrate", migrate_fd_write(SAVE_FD));
	script_run(&move->script);
}

static void write_back_work(void *owner)
{
	struct save_task *task = owner;

	sync_file_range(task->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static void write_back_done(void *owner)
{
	struct save_task *task = owner;
	struct host_vm *vm = vm_find(task->host, &task->uuid);

	if (vm)
		vm->move.writing_back = false;
	save_task_free(task);
}

// What is on the disk before the pause need not be written in it.
void vm_save_write_back(struct host_vm *vm)
{
	struct save_task *task;

	if (vm->move.writing_back || vm->move.fd < 0)
		return;
	task = save_task(vm, write_back_work, write_back_done);
	if (!task)
		return;
	task->fd = fcntl(vm->move.fd, F_DUPFD_CLOEXEC, 0);
	vm->move.writing_back = true;
	save_submit(task);
}

static void sync_work(void *owner)
{
	struct save_task *task = owner;
	char part[512], path[512];
	struct stat status;

	saved_path(task->place, &task->uuid, ".save.part", part, sizeof(part));
	saved_path(task->place, &task->uuid, ".save", path, sizeof(path));
	task->ok = fsync(task->fd) == 0 && fstat(task->fd, &status) == 0 && status.st_size > 0 &&
		   rename(part, path) == 0 && saved_sync_folder(task->place);
	if (task->ok)
		task->size = (uint64_t)status.st_size;
	else
		snprintf(task->reason, sizeof(task->reason), "%.150s: %s", path, strerror(errno));
}

/*
 * Written before anybody hears of it, so that a daemon which dies then, or when it has ended QEMU
 * already, is followed by one that knows. Where it cannot be written it was not needed this time.
 */
static void save_record(struct host_vm *vm, uint64_t bytes)
{
	char reason[REASON_SIZE];

	vm->saved_move = vm->saving;
	vm->saved_bytes = bytes;
	if (vm->saved_move && !vm_write_record(vm, reason))
		vm->saved_move = 0;
}

bool vm_unsave(struct host_vm *vm)
{
	char reason[REASON_SIZE];
	uint32_t move = vm->saved_move;

	if (!move || !vm->process)
		return true;
	vm->saved_move = 0;
	if (vm_write_record(vm, reason))
		return true;
	vm->saved_move = move;
	vm_post(vm, EVENT_QEMU_PAUSED, false, reason);
	return false;
}

static void sync_done(void *owner)
{
	struct save_task *task = owner;
	struct host_vm *vm = save_task_vm(task);

	if (vm && vm->process && vm->move.doing == DOING_SYNCING && !task->ok) {
		vm_save_failed(vm, task->reason);
	} else if (vm && vm->process && vm->move.doing == DOING_SYNCING) {
		struct migrate_stats stats = vm->move.stats;
		uint64_t now_us = move_now_us();

		stats.transferred = task->size;
		if (vm->move.stopped_us)
			stats.pause_us = (uint32_t)(now_us - vm->move.stopped_us);
		if (vm->move.began_us)
			stats.total_ms = (uint32_t)((now_us - vm->move.began_us) / 1000);
		vm_move_begin(vm, DOING_NOTHING, NULL);
		vm->move.stats = stats;
		save_record(vm, task->size);
		save_post(vm, true, task->size, NULL);
	}
	save_task_free(task);
}

void vm_save_completed(struct host_vm *vm)
{
	struct save_task *task = save_task(vm, sync_work, sync_done);

	loop_timer_cancel(&vm->move.timer);
	vm->move.doing = DOING_SYNCING;
	if (!task) {
		vm_save_failed(vm, "out of memory");
		return;
	}
	// The last copy of it here: QEMU has closed its own.
	task->fd = vm->move.fd;
	vm->move.fd = -1;
	save_submit(task);
}

// --- restoring ---------------------------------------------------------------------------------

static void restore_begun(void *owner, bool ok, const char *text)
{
	struct host_vm *vm = owner;

	if (vm->move.fd >= 0)
		close(vm->move.fd);
	vm->move.fd = -1;
	if (!ok)
		vm_move_failed(vm, text);
}

void vm_restore_go(struct host_vm *vm)
{
	static const struct migrate_params plain = { .channels = 1 };
	struct vm_move *move = &vm->move;

	script_begin(&move->script, vm->qmp, restore_begun, vm);
	script_add(
		&move->script, "migrate-set-capabilities",
		migrate_capabilities_write(move->capabilities,
					   1u << CAPABILITY_EVENTS | 1u << CAPABILITY_LATE_BLOCK));
	script_add(&move->script, "migrate-set-parameters",
		   migrate_parameters_write(&plain, false));
	script_add_fd(&move->script, "getfd", migrate_text_write("fdname", RESTORE_FD), move->fd);
	script_add(&move->script, "migrate-incoming", migrate_fd_write(RESTORE_FD));
	script_run(&move->script);
}
