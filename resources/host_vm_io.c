// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clusterd/cpu.h"
#include "clusterd/trace_io.h"
#include "resources/host_internal.h"
#include "resources/launch.h"
#include "resources/qemu_args.h"

enum {
	RELEASE_PATIENCE_MS = 60000,
	CONSOLE_SIZE_MAX = 1024 * 1024,
};

void vm_post(struct host_vm *vm, enum event_type type, bool flag, const char *reason)
{
	uint8_t cpu[CPU_FEATURES_BYTES];
	struct event event = { .type = (uint8_t)type, .vm = vm->ref, .uuid = vm->uuid,
			       .attempt = vm->attempt, .flag = flag, .reason = reason };

	if (type == EVENT_QEMU_RUNNING && vm->cpu_known) {
		cpu_encode(&vm->cpu, cpu);
		event.body = cpu;
		event.body_size = sizeof(cpu);
	}

	edge_post(&vm->host->edge, &event);
}

void vm_path(const struct host *host, const struct uuid *uuid, const char *suffix, char *path,
	     size_t size)
{
	char text[37];

	record_uuid_text(uuid, text);
	snprintf(path, size, "%.300s/vms/%s%s", host->config.run_dir, text, suffix);
}

bool host_vm_folder(const struct host *host, const struct uuid *uuid, char *buf, size_t size)
{
	vm_path(host, uuid, ".d", buf, size);
	return access(buf, F_OK) == 0;
}

struct host_vm *vm_find(struct host *host, const struct uuid *uuid)
{
	struct host_vm *vm = host->vms;

	while (vm && memcmp(&vm->uuid, uuid, sizeof(*uuid)) != 0)
		vm = vm->next;
	return vm;
}

static struct host_vm *vm_of(struct host *host, struct vm_ref ref)
{
	struct host_vm *vm = host->vms;

	while (vm && (vm->ref.slot != ref.slot || vm->ref.serial != ref.serial))
		vm = vm->next;
	return vm;
}

struct host_vm *vm_make(struct host *host, const struct uuid *uuid, struct vm_ref ref,
			uint32_t attempt)
{
	struct host_vm *vm = vm_find(host, uuid);

	if (!vm) {
		vm = calloc(1, sizeof(*vm));
		if (!vm)
			return NULL;
		vm->host = host;
		vm->uuid = *uuid;
		vm->next = host->vms;
		host->vms = vm;
		vm_move_init(vm);
	}
	vm->ref = ref;
	vm->attempt = attempt;
	return vm;
}

void vm_free(struct host_vm *vm)
{
	struct host_vm **link = &vm->host->vms;

	while (*link != vm)
		link = &(*link)->next;
	*link = vm->next;
	vm_move_over(vm);
	loop_timer_cancel(&vm->adopt_timer);
	ask_end(&vm->ask);
	qmp_close(vm->qmp);
	process_close(vm->process);
	free(vm->def);
	free(vm->cpu_argument);
	free(vm);
}

// What the process left on this host: its record, its sockets, its log, its scope.
void vm_clean(const struct host *host, const struct uuid *uuid)
{
	static const char *const files[] = { "qmp", "console", "vnc", "agent", "console.log" };
	char path[512], text[37];
	size_t i;

	record_remove(host->config.run_dir, uuid);
	credentials_remove(host, uuid);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		vm_path(host, uuid, ".d/", path, sizeof(path));
		strncat(path, files[i], sizeof(path) - strlen(path) - 1);
		unlink(path);
	}
	vm_path(host, uuid, ".d", path, sizeof(path));
	rmdir(path);
	vm_path(host, uuid, ".log", path, sizeof(path));
	unlink(path);
	record_uuid_text(uuid, text);
	snprintf(path, sizeof(path), "/sys/fs/cgroup/clusterd/%s", text);
	rmdir(path);
}

// --- the process -------------------------------------------------------------------------------

static void vm_spawned(void *owner, bool ok, const char *reason)
{
	struct host_vm *vm = owner;

	if (ok) {
		vm->spawned = true;
		vm_post(vm, EVENT_VM_SPAWNED, true, NULL);
		return;
	}
	process_close(vm->process);
	vm->process = NULL;
	// Told to end before it was ready: then its end is what is waited for.
	vm_post(vm, vm->ending ? EVENT_QEMU_EXITED : EVENT_VM_SPAWNED, false, reason);
}

static void vm_exited(void *owner, const char *reason)
{
	struct host_vm *vm = owner;
	char why[REASON_SIZE];
	bool never_ran;

	snprintf(why, sizeof(why), "%s", vm->failure[0] ? vm->failure : reason);
	never_ran = vm->incoming || !vm->let_go;
	process_close(vm->process);
	vm->process = NULL;
	vm->incoming = vm->told = false;
	vm_move_over(vm);
	qmp_close(vm->qmp);
	vm->qmp = NULL;
	vm_adopt_over(vm);
	vm->exec_waits = vm->cont_wanted = false;
	record_remove(vm->host->config.run_dir, &vm->uuid);
	vm_post(vm, EVENT_QEMU_EXITED, never_ran, why);
}

static void vm_unkillable(void *owner, const char *reason)
{
	vm_post(owner, EVENT_QEMU_UNKILLABLE, false, reason);
}

static void vm_notice(void *owner, enum qmp_notice notice, const char *text);

void vm_open_qmp(struct host_vm *vm)
{
	char path[512];
	int error;

	vm_path(vm->host, &vm->uuid, ".d/" QEMU_QMP_SOCKET, path, sizeof(path));
	error = qmp_open(&vm->qmp, vm->host->edge.loop, path, vm_notice, vm);
	if (error)
		vm_post(vm, EVENT_QEMU_DEAF, false, strerror(-error));
}

// QEMU is there: its monitor comes next.
static void vm_executed(void *owner)
{
	struct host_vm *vm = owner;

	trace_note(vm->host->edge.trace, "executed", vm->ref);
	if (!vm->qmp)
		vm_open_qmp(vm);
}

struct process_listener vm_listener(struct host_vm *vm)
{
	return (struct process_listener){
		.spawned = vm_spawned, .executed = vm_executed, .exited = vm_exited,
		.unkillable = vm_unkillable, .owner = vm,
	};
}

// --- the monitor -------------------------------------------------------------------------------

static void vm_cont_heard(void *owner, bool ok, const char *text)
{
	struct host_vm *vm = owner;

	// A monitor that went away refused nothing: what the guest does is heard from the next one.
	if (!ok && qmp_command(vm->qmp, "query-status", NULL, NULL, NULL) == 0)
		vm_post(vm, EVENT_QEMU_PAUSED, false, text);
}

static void vm_refused_first(struct host_vm *vm, const char *reason)
{
	char unwritten[REASON_SIZE];

	// Where that cannot be written again the next daemon knows less than this one.
	vm->incoming = true;
	vm_write_record(vm, unwritten);
	vm_post(vm, EVENT_QEMU_PAUSED, true, reason);
}

static void vm_first_heard(void *owner, bool ok, const char *text)
{
	struct host_vm *vm = owner;
	bool runs = !vm->told; // its RESUME came first

	vm->told = false;
	if (!ok && !runs && vm->process &&
	    qmp_command(vm->qmp, "query-status", NULL, NULL, NULL) == 0)
		vm_refused_first(vm, text);
}

/*
 * That it may have run is on record before it may: a later daemon that found it as never continued
 * would let its source continue, too. Where that cannot be written it is not told, and where QEMU
 * refuses it never ran: then the guest goes on where it came from.
 */
void vm_cont_first(struct host_vm *vm)
{
	char reason[REASON_SIZE];

	vm->incoming = false;
	if (!vm_write_record(vm, reason)) {
		vm->incoming = true;
		vm_post(vm, EVENT_QEMU_PAUSED, true, reason);
		return;
	}
	// What was not sent was not heard.
	vm->told = qmp_command(vm->qmp, "cont", NULL, vm_first_heard, vm) == 0;
	if (!vm->told) {
		vm->incoming = true;
		vm_write_record(vm, reason);
	}
}

void vm_cont(struct host_vm *vm)
{
	// Two at once, and a refusal of the one would not say that it never ran: the other may be
	// obeyed. The one that is under way ends with an answer, or with its connection.
	if (!vm->qmp || vm->told || !vm_unsave(vm))
		return;
	if (vm->incoming && vm->process)
		vm_move_continue(vm);
	else
		qmp_command(vm->qmp, "cont", NULL, vm_cont_heard, vm);
}

// Stopped by a move: that is no pause to be ended by whoever sees it.
static bool vm_stopped_by_move(const struct host_vm *vm, const char *status)
{
	return strcmp(status, "postmigrate") == 0 || strcmp(status, "finish-migrate") == 0 ||
	       (strcmp(status, "paused") == 0 && vm->incoming);
}

void vm_status(struct host_vm *vm, const char *status)
{
	char reason[REASON_SIZE];

	if (strcmp(status, "running") == 0) {
		vm_post(vm, EVENT_QEMU_RUNNING, false, NULL);
	} else if (strcmp(status, "inmigrate") == 0) {
		vm_move_waits(vm);
	} else if (strcmp(status, "prelaunch") == 0) {
		// The daemon that was to let it go died in between. It was asked for then, and it
		// has its lease.
		if (vm->cont_wanted)
			vm_cont(vm);
	} else if (!vm_stopped_by_move(vm, status)) {
		snprintf(reason, sizeof(reason), "QEMU says that the guest is %s", status);
		vm_post(vm, EVENT_QEMU_PAUSED, false, reason);
	}
}

static void vm_resumed(struct host_vm *vm)
{
	vm->cont_wanted = false;
	vm_move_resumed(vm);
	vm->incoming = vm->told = false;
	vm_post(vm, EVENT_QEMU_RUNNING, false, NULL);
}

static void vm_notice(void *owner, enum qmp_notice notice, const char *text)
{
	struct host_vm *vm = owner;

	switch (notice) {
	case QMP_READY:
		trace_note(vm->host->edge.trace, "qmp-ready", vm->ref);
		host_vm_ask_cpu(vm);
		// Not one that was found: what it does is to be known first. One that has sent its
		// memory away, or received it, is not to run because a daemon was started again.
		if (vm->cont_wanted && !vm->adopting)
			vm_cont(vm);
		break;
	case QMP_STATUS:
		if (!vm_adopt_heard(vm, text))
			vm_status(vm, text);
		break;
	case QMP_RESUMED:
		vm_resumed(vm);
		break;
	case QMP_STOPPED:
		if (text || !vm_move_stopped(vm))
			vm_post(vm, EVENT_QEMU_PAUSED, false,
				text ? text : "paused by its monitor");
		break;
	case QMP_GUEST_SHUTDOWN:
		vm_post(vm, EVENT_QEMU_GUEST_SHUTDOWN, false, NULL);
		break;
	case QMP_MIGRATION:
		vm_move_heard(vm, text);
		break;
	case QMP_DEAF:
		vm_adopt_heard(vm, NULL);
		vm_post(vm, EVENT_QEMU_DEAF, false, text);
		break;
	case QMP_SHUTDOWN:
	case QMP_CLOSED:
		break;
	}
}

// --- start -------------------------------------------------------------------------------------

static bool vm_take_leases(struct host_vm *vm, const struct vm *wanted, char *reason)
{
	uint32_t i;

	vm->lease_count = 0;
	for (i = 0; i < wanted->lease_count; i++) {
		const struct lock_volume *volume = volumes_lock(vm->host->volumes,
								wanted->leases[i].volume);

		if (!volume || !volume->sector) {
			snprintf(reason, REASON_SIZE,
				 "one of its volumes is not joined on this host");
			return false;
		}
		lock_lease_init(&vm->leases[vm->lease_count++], volume, wanted->leases[i].slot,
				&vm->uuid);
	}
	return true;
}

static int vm_make_directory(const struct host_vm *vm)
{
	char path[512];

	vm_path(vm->host, &vm->uuid, ".d", path, sizeof(path));
	if (mkdir(path, 0750) < 0 && errno != EEXIST)
		return -errno;
	return chown(path, vm->host->process.uid, vm->host->process.gid) < 0 ? -errno : 0;
}

static bool vm_start_child(struct host_vm *vm, const struct vm_def *def, const struct vm *wanted,
			   char *reason)
{
	struct process_listener listener = vm_listener(vm);
	struct launch_nics nics;
	int error;

	if (vm->process) {
		snprintf(reason, REASON_SIZE, "an earlier process of it (%d) is still there",
			 (int)process_pid(vm->process));
		return false;
	}
	if (!vm_take_leases(vm, wanted, reason) ||
	    !record_gone(vm->host->config.run_dir, &vm->uuid, reason))
		return false;
	launch_nics(&nics, def);
	vm_clean(vm->host, &vm->uuid);
	error = vm_make_directory(vm);
	if (!error)
		error = process_spawn(&vm->process, &vm->host->process, &listener, &vm->uuid,
				      nics.words);
	if (error)
		snprintf(reason, REASON_SIZE, "cannot start %s: %s", vm->host->config.launch_path,
			 strerror(-error));
	return !error;
}

static void vm_spawn(struct host *host, const struct cluster *cluster, const struct action *action)
{
	const struct vm *wanted = cluster_vm(cluster, action->vm);
	struct host_vm *vm = vm_make(host, &action->uuid, action->vm, action->attempt);
	char reason[REASON_SIZE] = "it is no longer defined";

	if (!vm)
		return;
	vm->spawned = vm->ending = vm->exec_waits = vm->cont_wanted = vm->incoming = false;
	vm->let_go = false;
	vm->saved_move = 0;
	vm->failure[0] = 0;
	if (!wanted || !vm_start_child(vm, vm_definition(cluster, wanted), wanted, reason))
		vm_post(vm, EVENT_VM_SPAWNED, false, reason);
}

static void vm_acquire_work(void *owner)
{
	struct host_task *task = owner;

	task->ok = lock_acquire(task->pid, task->leases, task->lease_count, task->event.shared,
				&task->error, task->reason);
	task->event.type = task->ok ? EVENT_LEASE_GRANTED : EVENT_LEASE_REFUSED;
	task->event.lease_error = task->ok ? 0 : (uint8_t)task->error;
}

struct host_task *vm_task(struct host_vm *vm, enum event_type type, loop_fn work)
{
	struct host_task *task = host_task(vm->host, type, work);

	if (!task)
		return NULL;
	task->event.vm = vm->ref;
	task->event.uuid = vm->uuid;
	task->event.attempt = vm->attempt;
	task->pid = vm->process ? process_pid(vm->process) : 0;
	task->lease_count = vm->lease_count;
	memcpy(task->leases, vm->leases, sizeof(task->leases));
	return task;
}

static void vm_acquire(struct host_vm *vm, bool shared)
{
	struct event event = { .type = EVENT_LEASE_REFUSED, .vm = vm->ref, .uuid = vm->uuid,
			       .attempt = vm->attempt, .lease_error = LEASE_ERROR_PROCESS,
			       .reason = "its child is gone" };
	struct host_task *task;

	// Without a process there is nobody to hold it; without a lease there is nothing to wait
	// for.
	if (!vm->process || !vm->spawned) {
		edge_post(&vm->host->edge, &event);
		return;
	}
	if (vm->lease_count == 0) {
		vm_post(vm, EVENT_LEASE_GRANTED, true, NULL);
		return;
	}
	task = vm_task(vm, EVENT_LEASE_REFUSED, vm_acquire_work);
	if (!task)
		return;
	task->event.shared = shared;
	worker_submit(vm->host->pool, &task->task);
}

static bool vm_build_args(const struct host_vm *vm, const struct vm_def *def,
			  struct qemu_args *args, char *arena)
{
	const struct host *host = vm->host;
	char directory[512], console[512];
	int taps[VM_NICS_MAX], i;
	struct qemu_facts facts = {
		.qemu = host->config.qemu_path,
		.kvm = host->kvm == KVM_USABLE,
		.cpu = vm->cpu_argument,
		.cpu_compatible = host->config.cpu_compatible,
		.volume_root = host->root,
		.run_dir = directory,
		.console_log = console,
		.uefi_code = host->config.uefi_code,
		.image_locks = host->config.image_locks,
		.incoming = vm->start_mode != START_FRESH,
		.tap_fds = taps,
	};

	for (i = 0; i < VM_NICS_MAX; i++)
		taps[i] = LAUNCH_TAP_FD + i;
	vm_path(host, &vm->uuid, ".d", directory, sizeof(directory));
	vm_path(host, &vm->uuid, ".d/console.log", console, sizeof(console));
	return qemu_args_build(args, arena, QEMU_ARENA_SIZE, def, &facts);
}

bool vm_write_record(const struct host_vm *vm, char *reason)
{
	struct record *record = calloc(1, sizeof(*record));
	int error = -ENOMEM;

	if (record) {
		record->uuid = vm->uuid;
		record->vm = vm->ref;
		record->attempt = vm->attempt;
		record->incoming = vm->incoming;
		record->saved_move = vm->saved_move;
		record->saved_bytes = vm->saved_bytes;
		record->lease_count = vm->lease_count;
		memcpy(record->leases, vm->leases, sizeof(record->leases));
		process_record(vm->process, record);
		error = record_write(vm->host->config.run_dir, record);
		free(record);
	}
	if (error)
		snprintf(reason, REASON_SIZE, "cannot record its process: %s", strerror(-error));
	return !error;
}

// The record is on the disk before the child may become QEMU: the next daemon must know of it.
static bool vm_let_go(struct host_vm *vm, const struct vm_def *def, char *reason)
{
	struct qemu_args *args = calloc(1, sizeof(*args));
	char *arena = malloc(QEMU_ARENA_SIZE);
	bool good = args && arena;
	int error;

	snprintf(reason, REASON_SIZE, "out of memory");
	if (good && !vm_build_args(vm, def, args, arena)) {
		good = false;
		snprintf(reason, REASON_SIZE, "its command line: %s", args->problem);
	}
	vm->incoming = vm->start_mode != START_FRESH;
	good = good && vm_write_record(vm, reason);
	if (good) {
		vm->cont_wanted = !vm->incoming;
		error = process_exec(vm->process, (const char *const *)args->argv);
		good = vm->let_go = !error;
		if (error)
			snprintf(reason, REASON_SIZE, "its child is gone: %s", strerror(-error));
	}
	free(args);
	free(arena);
	return good;
}

static void vm_give_up(struct host_vm *vm, const char *reason)
{
	snprintf(vm->failure, sizeof(vm->failure), "%s", reason);
	process_abandon(vm->process);
}

static void files_done(void *owner)
{
	struct files_task *task = owner;
	struct host_vm *vm = vm_find(task->host, &task->uuid);
	char reason[REASON_SIZE];

	if (vm && vm->process && !vm->ending && vm->attempt == task->attempt) {
		if (!task->ok || !vm_let_go(vm, &task->def, reason))
			vm_give_up(vm, task->ok ? reason : task->reason);
		vm->move.fd = task->saved_fd;
	} else if (task->saved_fd >= 0) {
		close(task->saved_fd);
	}
	free(task);
}

static void vm_exec_def(struct host_vm *vm, const struct vm_def *def)
{
	struct files_task *task = files_task(vm, def, files_done);

	if (task)
		worker_submit(vm->host->slow_pool, &task->task);
	else
		vm_give_up(vm, "out of memory");
}

static void vm_exec(struct host_vm *vm, const struct cluster *cluster, const struct action *action)
{
	const struct vm *wanted = cluster_vm(cluster, action->vm);

	if (!vm->process)
		return;		// its end was posted
	vm->start_mode = action->start_mode;
	if (!wanted) {
		vm_give_up(vm, "it is no longer defined");
		return;
	}
	if (vm->start_mode == START_RESTORE &&
	    !saved_place(vm->host, cluster, action->volume, vm->move.place,
			 sizeof(vm->move.place))) {
		vm_give_up(vm, "the volume of its saved state is not open on this host");
		return;
	}
	vm_move_expect(vm, action);
	if (!host_vm_take_hardware(vm, cluster, wanted)) {
		vm_give_up(vm, "out of memory");
		return;
	}
	// The first seconds of a host's life: whether KVM works is not known yet.
	vm->exec_waits = vm->host->kvm == KVM_ASKED;
	if (!vm->exec_waits)
		vm_exec_def(vm, vm->def);
}

void host_vm_kvm_known(struct host *host)
{
	struct host_vm *vm;

	for (vm = host->vms; vm; vm = vm->next) {
		if (!vm->exec_waits || !vm->process || vm->ending)
			continue;
		vm->exec_waits = false;
		vm_exec_def(vm, vm->def);
	}
}

// --- end ---------------------------------------------------------------------------------------

static void vm_end(struct host_vm *vm, bool kill)
{
	vm->ending = true;
	if (!vm->process)
		vm_post(vm, EVENT_QEMU_EXITED, false, "its process is gone");
	else if (kill)
		process_kill(vm->process);
	else
		process_abandon(vm->process);
}

static void vm_release_work(void *owner)
{
	struct host_task *task = owner;

	task->ok = lock_released(task->leases, task->lease_count, task->node_id,
				 RELEASE_PATIENCE_MS, task->reason);
}

static void vm_release_wait(struct host_vm *vm)
{
	struct host_task *task = vm_task(vm, EVENT_LEASE_RELEASED, vm_release_work);

	if (task)
		worker_submit(vm->host->slow_pool, &task->task);
}

void host_vm_close_all(struct host *host)
{
	while (host->vms)
		vm_free(host->vms);
}

// The folder is QEMU's: what bears the log's name there may be a trap, and root is not to follow
// it.
static void vm_trim_console(const struct host_vm *vm)
{
	struct stat status;
	char path[512];
	int fd;

	vm_path(vm->host, &vm->uuid, ".d/console.log", path, sizeof(path));
	fd = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 1 &&
	    status.st_size > CONSOLE_SIZE_MAX)
		(void)!ftruncate(fd, 0);
	close(fd);
}

void host_vm_tidy_all(struct host *host)
{
	struct host_vm *vm;

	for (vm = host->vms; vm; vm = vm->next) {
		if (!vm->process)
			continue;
		process_trim_log(vm->process);
		vm_trim_console(vm);
	}
}

struct qmp *host_qmp(struct host *host, struct vm_ref ref)
{
	struct host_vm *vm = vm_of(host, ref);

	return vm ? vm->qmp : NULL;
}

// --- actions -----------------------------------------------------------------------------------

static void vm_forget(struct host_vm *vm)
{
	// Whatever lives is never forgotten.
	if (vm->process)
		return;
	vm_clean(vm->host, &vm->uuid);
	vm_free(vm);
}

// By reference; one that was adopted under an older reference by its UUID. One that is not known
// has no process.
static struct host_vm *vm_for(struct host *host, const struct action *action)
{
	struct host_vm *vm = vm_of(host, action->vm);

	if (!vm)
		vm = vm_find(host, &action->uuid);
	if (!vm)
		return vm_make(host, &action->uuid, action->vm, action->attempt);
	vm->ref = action->vm;
	return vm;
}

static void vm_answered(void *owner, bool answers, const char *reason)
{
	struct host_vm *vm = owner;
	struct event event = { .type = EVENT_VM_ANSWERED,
			       .vm = vm->ref,
			       .uuid = vm->uuid,
			       .attempt = vm->attempt,
			       .flag = answers,
			       .reason = reason,
			       .port = vm->asked_port };

	edge_post(&vm->host->edge, &event);
}

static void vm_ask(struct host_vm *vm, const struct action *action)
{
	char path[512];

	vm->asked_port = (uint16_t)action->token;
	vm_path(vm->host, &vm->uuid, ".d/" QEMU_AGENT_SOCKET, path, sizeof(path));
	if (vm->asked_port)
		ask_port(&vm->ask, vm->host->edge.loop, action->text, vm->asked_port, vm_answered,
			 vm);
	else
		ask_agent(&vm->ask, vm->host->edge.loop, path, vm_answered, vm);
}

bool host_vm_perform(struct host *host, const struct cluster *cluster, const struct action *action)
{
	struct host_vm *vm;

	if (action->type == ACTION_VM_SPAWN) {
		vm_spawn(host, cluster, action);
		return true;
	}
	if (action->type == ACTION_SAVED_REMOVE) {
		host_saved_remove(host, cluster, action);
		return true;
	}
	vm = vm_for(host, action);
	if (!vm)
		return true;
	vm->attempt = action->attempt;
	switch (action->type) {
	case ACTION_LEASE_ACQUIRE:
		vm_acquire(vm, action->flag);
		return true;
	case ACTION_QEMU_EXEC:
		vm_exec(vm, cluster, action);
		return true;
	case ACTION_VM_ABANDON:
		vm_end(vm, false);
		return true;
	case ACTION_QEMU_KILL:
		vm_end(vm, true);
		return true;
	case ACTION_QEMU_POWERDOWN:
		if (vm->qmp)
			qmp_command(vm->qmp, "system_powerdown", NULL, NULL, NULL);
		return true;
	case ACTION_QEMU_CONT:
		vm_cont(vm);
		return true;
	case ACTION_LEASE_RELEASE_WAIT:
		vm_release_wait(vm);
		return true;
	case ACTION_VM_FORGET:
		vm_forget(vm);
		return true;
	case ACTION_VM_ASK:
		vm_ask(vm, action);
		return true;
	}
	return vm_move_perform(vm, cluster, action);
}
