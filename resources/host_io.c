// SPDX-License-Identifier: Apache-2.0
#include "resources/host_io.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "resources/facts_io.h"
#include "resources/host_internal.h"
#include "resources/kvm_io.h"

enum {
	POOL_THREADS = 16,
	SLOW_POOL_THREADS = 16,
	TIDY_MS = 5000,
	ORPHAN_PATIENCE_MS = 10000,
	ADOPT_PATIENCE_MS = 1000,	// the loop waits for it
	IO_TIMEOUT_DEFAULT_S = 10,
	RELEASE_PATIENCE_MS = 30000,
	CHECK_PATIENCE_MS = 110000,
};

// What the host has to offer, when that is news.
void host_look(struct host *host)
{
	struct node_report report;
	struct event event = { .type = EVENT_HOST, .report = &report };
	struct uuid boot = { 0 };
	struct sysinfo info;
	char text[40];
	int i;

	memset(&report, 0, sizeof(report));
	if (sysinfo(&info) == 0)
		report.memory_mib = (uint32_t)((uint64_t)info.totalram * info.mem_unit >> 20);
	report.cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	report.watchdog = host->watchdog;
	report.qemu = access(host->config.qemu_path, X_OK) == 0;
	facts_look_host(&host->facts, host->process.uid == 0);
	report.facts = host->facts;
	if (record_boot(text) && record_uuid_parse(text, &boot))
		for (i = 0; i < 8; i++)
			report.boot = report.boot << 8 | boot.bytes[i];
	if (host->config.look)
		host->config.look(host->config.look_owner, &report);
	if (memcmp(&report, &host->report, sizeof(report)) == 0)
		return;
	host->report = report;
	edge_post(&host->edge, &event);
}

struct host_task *host_task(struct host *host, enum event_type type, loop_fn work)
{
	struct host_task *task = calloc(1, sizeof(*task));

	if (!task)
		return NULL;
	task->host = host;
	task->event.type = (uint8_t)type;
	task->node_id = host->config.node_id;
	snprintf(task->program, sizeof(task->program), "%s", host->config.sanlock_path);
	task->task = (struct worker_task){ .work = work, .done = host_task_done, .owner = task };
	return task;
}

void host_task_done(void *owner)
{
	struct host_task *task = owner;
	struct edge edge = task->host->edge;

	loop_timer_cancel(&task->timer);
	task->event.flag = task->ok;
	task->event.reason = task->reason;
	if (!task->answered)
		edge_post(&edge, &task->event);
	free(task->volumes);
	free(task->generations);
	free(task);
}

static void host_task_late(void *owner)
{
	struct host_task *task = owner;

	task->answered = true;
	edge_post(&task->host->edge, &task->late);
}

void host_task_within(struct host_task *task, struct worker *worker, uint64_t patience_ms,
		      bool late_flag)
{
	task->late = task->event;
	task->late.flag = late_flag;
	task->late.reason = "the storage has not answered in time";
	loop_timer_ms(task->host->edge.loop, &task->timer, patience_ms, host_task_late, task);
	worker_submit(worker, &task->task);
}

static void host_guard_changed(void *owner, bool up, bool watchdog)
{
	struct host *host = owner;

	host->watchdog = up && watchdog;
	if (!up)
		volumes_sanlock_gone(host->volumes);
}

static void host_kvm_work(void *owner)
{
	struct host *host = owner;

	if (host->kvm == KVM_ASKED)
		host->kvm_found = host->kvm_reachable &&
				  kvm_probe(host->config.qemu_path, host->config.run_dir);
	facts_ask_qemu(host->config.qemu_path, host->kvm_found, host->config.run_dir,
		       &host->facts_found);
}

static void host_kvm_done(void *owner)
{
	struct host *host = owner;

	host->kvm = host->kvm_found ? KVM_USABLE : KVM_NONE;
	host->facts_asked = false;
	host->facts_found.memory_free_mib = host->facts.memory_free_mib;
	host->facts_found.hugepages_free = host->facts.hugepages_free;
	host->facts_found.device_count = host->facts.device_count;
	memcpy(host->facts_found.devices, host->facts.devices, sizeof(host->facts.devices));
	host->facts_found.image_count = host->facts.image_count;
	memcpy(host->facts_found.images, host->facts.images, sizeof(host->facts.images));
	host->facts = host->facts_found;
	host_look(host);
	host_vm_kvm_known(host);
}

// Asks QEMU, at the start and when another one is installed. An upgrade replaces the file.
static void host_ask_qemu(struct host *host)
{
	struct stat status;

	if (host->facts_asked || stat(host->config.qemu_path, &status) < 0 ||
	    (status.st_ino == host->qemu_inode && status.st_mtime == host->qemu_time))
		return;
	host->qemu_inode = status.st_ino;
	host->qemu_time = status.st_mtime;
	host->facts_asked = true;
	worker_submit(host->slow_pool, &host->kvm_task);
}

static void host_tidy(void *owner)
{
	struct host *host = owner;

	loop_timer_ms(host->edge.loop, &host->tidy_timer, TIDY_MS, host_tidy, host);
	host_vm_tidy_all(host);
	host_ask_qemu(host);
	host_look(host);
}

static int host_find_user(struct host *host)
{
	struct passwd *user;
	struct stat status;

	errno = 0;
	user = getpwnam(host->config.qemu_user);
	if (!user)
		return errno ? -errno : -ENOENT;
	host->process.uid = user->pw_uid;
	host->process.gid = user->pw_gid;
	// Usable for root is not enough: QEMU's user gets to it through its group, or as anybody.
	if (stat("/dev/kvm", &status) < 0)
		return 0;
	if ((status.st_mode & 0060) == 0060 && status.st_gid != 0)
		host->process.kvm_gid = status.st_gid;
	host->kvm_reachable = host->process.kvm_gid || (status.st_mode & 0006) == 0006;
	return 0;
}

static int host_make_directories(const struct host *host)
{
	char vms[512];

	snprintf(vms, sizeof(vms), "%.400s/vms", host->config.run_dir);
	// QEMU's user passes through to its own VM's folder, and lists nothing.
	if ((mkdir(host->config.run_dir, 0755) < 0 && errno != EEXIST) ||
	    (mkdir(vms, 0711) < 0 && errno != EEXIST))
		return -errno;
	return 0;
}

static const char *host_text(const char *text)
{
	return text ? strdup(text) : NULL;
}

static int host_start(struct host *host)
{
	struct volumes_config volumes = { .edge = host->edge, .node_id = host->config.node_id };
	int error = host_find_user(host);

	volumes.qemu_uid = host->process.uid;
	volumes.qemu_gid = host->process.gid;
	if (!error)
		error = host_make_directories(host);
	if (!error)
		error = worker_open(&host->pool, host->edge.loop, POOL_THREADS, "host");
	if (!error)
		error = worker_open(&host->slow_pool, host->edge.loop, SLOW_POOL_THREADS,
				    "host-slow");
	if (!error)
		error = volumes_open(&host->volumes, &volumes);
	if (!error)
		error = lock_guard_open(&host->guard, &host->edge, host->config.sanlock_path,
					host_guard_changed, host);
	return error;
}

int host_open(struct host **result, const struct host_config *config)
{
	struct host *host = calloc(1, sizeof(*host));
	struct stat status;
	int error;

	if (!host)
		return -ENOMEM;
	host->edge = config->edge;
	host->config = *config;
	host->config.run_dir = host_text(config->run_dir);
	host->config.launch_path = host_text(config->launch_path);
	host->config.sanlock_path = host_text(config->sanlock_path);
	host->config.qemu_path = host_text(config->qemu_path);
	host->config.qemu_user = host_text(config->qemu_user);
	host->config.cpu_compatible = host_text(config->cpu_compatible);
	host->config.uefi_code = host_text(config->uefi_code);
	host->config.uefi_vars = host_text(config->uefi_vars);
	host->config.pki_dir = host_text(config->pki_dir);
	host->config.proc = host_text(config->proc);
	host->process.loop = config->edge.loop;
	host->process.run_dir = host->config.run_dir;
	host->process.launch_path = host->config.launch_path;
	error = host_start(host);
	if (error) {
		host_close(host);
		return error;
	}
	host->kvm_task = (struct worker_task){
		.work = host_kvm_work, .done = host_kvm_done, .owner = host,
	};
	host->facts.state = FACTS_ASKED;
	host->facts_asked = true;
	if (stat(host->config.qemu_path, &status) == 0) {
		host->qemu_inode = status.st_ino;
		host->qemu_time = status.st_mtime;
	}
	worker_submit(host->slow_pool, &host->kvm_task);
	// Not from in here: the shell may not be ready for events yet.
	loop_timer_ms(host->edge.loop, &host->tidy_timer, 0, host_tidy, host);
	host_measure_open(host);
	host_images_open(host);
	*result = host;
	return 0;
}

// Threads under way may still look at the host: its memory is left to the process's end.
void host_close(struct host *host)
{
	if (!host)
		return;
	loop_timer_cancel(&host->tidy_timer);
	host_measure_close(host);
	host_images_close(host);
	host_vm_close_all(host);
	lock_guard_close(host->guard);
	volumes_close(host->volumes);
	worker_close(host->pool);
	worker_close(host->slow_pool);
}

int host_end_orphans(const char *run_dir)
{
	return record_end_orphans(run_dir, ORPHAN_PATIENCE_MS);
}

void host_adopt(struct host *host)
{
	// What does not end in that time is found without its lease below, and dealt with by the
	// core.
	record_end_orphans(host->config.run_dir, ADOPT_PATIENCE_MS);
	host_vm_adopt_all(host);
}

static void host_add_volume(struct host *host, const struct cluster *cluster, uint8_t slot)
{
	const struct cluster_volume *volume = &cluster->volumes[slot];
	uint32_t io_timeout_s = volume->io_timeout_s;

	if (!io_timeout_s)
		io_timeout_s = cluster->def.io_timeout_s;
	if (!io_timeout_s)
		io_timeout_s = IO_TIMEOUT_DEFAULT_S;
	snprintf(host->root, sizeof(host->root), "%s",
		 cluster->def.root[0] ? cluster->def.root : "/clusterstorage");
	if (volume->used)
		volumes_add(host->volumes, slot, host->root, volume->def.name, volume->def.source,
			    io_timeout_s);
}

static void host_release_work(void *owner)
{
	struct host_task *task = owner;
	uint32_t i;

	// One volume that does not answer keeps no other's claim.
	task->ok = true;
	for (i = 0; i < task->volume_count; i++)
		task->ok &= lock_claim_release(&task->volumes[i], task->peer_id,
					       task->generations[i], task->program, task->reason);
}

// Copies of the volumes in the mask, for a thread. False: one of them is not open here, or no
// memory.
static bool host_task_volumes(struct host_task *task, uint32_t mask, const uint64_t *generation)
{
	uint8_t slot;

	task->volumes = calloc(VOLUMES_MAX, sizeof(*task->volumes));
	task->generations = calloc(VOLUMES_MAX, sizeof(*task->generations));
	for (slot = 0; task->volumes && task->generations && slot < VOLUMES_MAX; slot++) {
		const struct lock_volume *volume = volumes_lock(task->host->volumes, slot);

		if (!(mask & 1u << slot))
			continue;
		if (!volume)
			return false;
		task->volumes[task->volume_count] = *volume;
		if (generation)
			task->generations[task->volume_count] = generation[slot];
		task->volume_count++;
	}
	return task->volumes && task->generations;
}

// A volume that was removed since guards nothing any more.
static void host_release(struct host *host, const struct cluster *cluster,
			 const struct action *action)
{
	struct host_task *task = host_task(host, EVENT_HOST_RELEASED, host_release_work);
	uint32_t mask = action->generation_mask;
	uint8_t slot;

	if (!task)
		return;
	for (slot = 0; slot < VOLUMES_MAX; slot++)
		if (!cluster->volumes[slot].used)
			mask &= ~(1u << slot);
	task->event.node_id = task->peer_id = action->node_id;
	task->event.attempt = action->attempt;
	if (host_task_volumes(task, mask, action->generation)) {
		host_task_within(task, host->pool, RELEASE_PATIENCE_MS, false);
		return;
	}
	snprintf(task->reason, sizeof(task->reason), "one of its volumes is not open on this host");
	host_task_done(task);
}

static void host_sleep_ms(uint32_t ms)
{
	struct timespec time = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&time, NULL);
}

// A living host renews its claim every 2 io_timeouts: watched for three, and a little more. What
// cannot be read cannot be called dead.
static void host_check_work(void *owner)
{
	struct host_task *task = owner;
	struct lock_claim first[VOLUMES_MAX], claim;
	uint32_t i, waited_ms = 0, limit_ms = 1000;

	for (i = 0; i < task->volume_count; i++) {
		uint32_t volume_ms = task->volumes[i].io_timeout_s * 3000 + 1000;

		limit_ms = volume_ms > limit_ms ? volume_ms : limit_ms;
		if (!lock_claim_read(&task->volumes[i], task->peer_id, &first[i], task->reason)) {
			task->ok = true;
			return;
		}
	}
	for (; waited_ms <= limit_ms; waited_ms += 500) {
		host_sleep_ms(500);
		for (i = 0; i < task->volume_count; i++) {
			if (!lock_claim_read(&task->volumes[i], task->peer_id, &claim,
					     task->reason)) {
				task->ok = true;
				return;
			}
			if (claim.timestamp == first[i].timestamp &&
			    claim.generation == first[i].generation)
				continue;
			snprintf(task->reason, sizeof(task->reason),
				 "its host id %u is being renewed in lockspace %s", task->peer_id,
				 task->volumes[i].lockspace);
			task->ok = claim.timestamp != 0;
			return;
		}
	}
}

static void host_check(struct host *host, const struct cluster *cluster,
		       const struct action *action)
{
	struct host_task *task = host_task(host, EVENT_HOST_CHECKED, host_check_work);
	uint32_t mask = 0;
	uint8_t slot;

	if (!task)
		return;
	for (slot = 0; slot < VOLUMES_MAX; slot++)
		if (cluster->volumes[slot].used && cluster->volumes[slot].prepared)
			mask |= 1u << slot;
	task->event.node_id = task->peer_id = action->node_id;
	task->event.cookie = action->cookie;
	if (host_task_volumes(task, mask, NULL)) {
		host_task_within(task, host->slow_pool, CHECK_PATIENCE_MS, true);
		return;
	}
	task->ok = true;
	snprintf(task->reason, sizeof(task->reason),
		 "a volume is not open on this host, so its renewals cannot be seen");
	host_task_done(task);
}

void host_follow(struct host *host, const struct cluster *cluster)
{
	host->cluster = cluster;
	host_measure_every(host, cluster->def.measure_s ? cluster->def.measure_s * 1000
							: MEASURE_STEP_MS);
}

bool host_perform(struct host *host, const struct cluster *cluster, const struct action *action)
{
	switch ((enum action_type)action->type) {
	case ACTION_VOLUME_OPEN:
		host_add_volume(host, cluster, action->volume);
		return true;
	case ACTION_VOLUME_CLOSE:
		volumes_remove(host->volumes, action->volume);
		return true;
	case ACTION_VOLUME_PREPARE:
		host_add_volume(host, cluster, action->volume);
		volumes_prepare(host->volumes, action->volume, action->attempt);
		return true;
	case ACTION_VOLUME_JOIN:
		host_add_volume(host, cluster, action->volume);
		volumes_join(host->volumes, action->volume);
		return true;
	case ACTION_LEASE_WRITE:
		volumes_lease_write(host->volumes, action->volume, action->vm, &action->uuid,
				    action->lease_slot);
		return true;
	case ACTION_HOST_RELEASE:
		host_release(host, cluster, action);
		return true;
	case ACTION_ADOPT:
		host_adopt(host);
		return true;
	case ACTION_HOST_CHECK:
		host_check(host, cluster, action);
		return true;
	case ACTION_VM_SPAWN:
	case ACTION_LEASE_ACQUIRE:
	case ACTION_QEMU_EXEC:
	case ACTION_VM_ABANDON:
	case ACTION_QEMU_POWERDOWN:
	case ACTION_QEMU_KILL:
	case ACTION_QEMU_CONT:
	case ACTION_LEASE_RELEASE_WAIT:
	case ACTION_VM_FORGET:
	case ACTION_LEASE_SHARE:
	case ACTION_LEASE_EXCLUSIVE:
	case ACTION_MIGRATE:
	case ACTION_MIGRATE_TUNE:
	case ACTION_MIGRATE_CONTINUE:
	case ACTION_MIGRATE_CANCEL:
	case ACTION_MIGRATE_BREAK:
	case ACTION_SAVE:
	case ACTION_SAVED_REMOVE:
	case ACTION_DIRTY_RATE:
	case ACTION_QEMU_ANNOUNCE:
	case ACTION_VM_ASK:
		return host_vm_perform(host, cluster, action);
	case ACTION_SEND:
	case ACTION_GROUP_REJOIN:
	case ACTION_STORE_SNAPSHOT:
	case ACTION_STORE_ENTRY:
	case ACTION_STORE_TRUNCATE:
	case ACTION_STORE_PROMISE:
	case ACTION_STORE_COMMIT:
	case ACTION_STORE_SYNC:
	case ACTION_STORE_RESET:
	case ACTION_REPLY:
	case ACTION_LOG:
	case ACTION_FENCE:
	case ACTION_SELF_FENCE:
	case ACTION_EXIT:
	case ACTION_SCRIPT_RUN:
	case ACTION_LINK_CHECK:
	case ACTION_MOVE_TELL:
	case ACTION_MOVE_PROGRESS:
	case ACTION_MEASURES_TELL:
	case ACTION_SYNCED_TELL:
	case ACTION_TYPE_COUNT:
		break;
	}
	return false;
}
