// SPDX-License-Identifier: Apache-2.0
/*
 * Tries to open the images of the VMs that this host could get, a few at a time, and reports those
 * that it cannot: preflights go by that. What was found bad is tried again soon, so that nobody
 * waits long for a repair to be seen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resources/host_internal.h"
#include "resources/image_io.h"

enum {
	IMAGES_STEP_MS = 2000,
	IMAGES_ROUND_MS = 30000, // from the begin of one round over all VMs to the next
	IMAGES_VMS = 16,	 // of the round, in one step; and as many of the bad ones
	IMAGES_LOOKS = 2 * IMAGES_VMS,
};

struct image_one {
	struct vm_ref vm;
	uint8_t image;
	uint8_t state; // found
	struct disk_def disk;
};

// One step's images, for a thread.
struct images_task {
	struct worker_task task;
	struct host *host;
	uid_t uid;
	gid_t gid;
	char root[PATH_SIZE];
	uint32_t vm_count, count;
	struct vm_ref vms[IMAGES_LOOKS];
	struct image_one images[]; // [count]
};

static void images_work(void *owner)
{
	struct images_task *task = owner;

	for (uint32_t i = 0; i < task->count; i++)
		task->images[i].state = (uint8_t)image_look(task->root, &task->images[i].disk,
							    task->uid, task->gid);
}

static bool is_gone(const struct cluster *cluster, const struct image_fault *fault)
{
	const struct vm_ref ref = { fault->slot, fault->serial };

	return !cluster_vm(cluster, ref);
}

// Takes away what was said of the VMs that were looked at, and of those that are no more.
static void faults_drop(struct host_facts *facts, const struct cluster *cluster,
			const struct images_task *task)
{
	uint8_t kept = 0;

	for (uint8_t i = 0; i < facts->image_count; i++) {
		const struct image_fault fault = facts->images[i];
		bool looked = is_gone(cluster, &fault);

		for (uint32_t j = 0; j < task->vm_count; j++)
			looked |= task->vms[j].slot == fault.slot;
		if (!looked)
			facts->images[kept++] = fault;
	}
	memset(&facts->images[kept], 0,
	       (size_t)(IMAGE_FAULTS_MAX - kept) * sizeof(facts->images[0]));
	facts->image_count = kept;
}

static void images_done(void *owner)
{
	struct images_task *task = owner;
	struct host *host = task->host;
	struct host_facts *facts = &host->facts;

	faults_drop(facts, host->cluster, task);
	for (uint32_t i = 0; i < task->count && facts->image_count < IMAGE_FAULTS_MAX; i++) {
		const struct image_one *one = &task->images[i];

		if (one->state != IMAGE_GOOD)
			facts->images[facts->image_count++] = (struct image_fault){
				.slot = one->vm.slot,
				.serial = one->vm.serial,
				.image = one->image,
				.state = one->state,
			};
	}
	free(task);
	host->images_looking = false;
	host_look(host);
}

// On a volume that is not open here nothing is to be found, and one that hangs would keep the
// thread.
static bool volume_answers(const struct host *host, const char *name)
{
	uint32_t latency_us;

	for (uint8_t v = 0; v < VOLUMES_MAX; v++)
		if (host->cluster->volumes[v].used &&
		    strcmp(host->cluster->volumes[v].def.name, name) == 0)
			return volumes_latency_us(host->volumes, v, &latency_us) &&
			       latency_us < IMAGES_STEP_MS * 1000;
	return false;
}

static void add_image(struct images_task *task, const struct vm *vm, uint8_t image,
		      const struct disk_def *disk)
{
	if (!disk->volume[0] || !volume_answers(task->host, disk->volume))
		return;
	task->images[task->count++] =
		(struct image_one){ .vm = vm->ref, .image = image, .disk = *disk };
}

static void add_file(struct images_task *task, const struct vm *vm, uint8_t image,
		     const struct file_ref *file)
{
	struct disk_def disk = { .readonly = true };

	snprintf(disk.volume, sizeof(disk.volume), "%s", file->volume);
	snprintf(disk.path, sizeof(disk.path), "%s", file->path);
	add_image(task, vm, image, &disk);
}

// Those of a VM that runs here are open.
static void add_vm(struct images_task *task, uint32_t slot)
{
	const struct cluster *cluster = task->host->cluster;
	const struct vm *vm = &cluster->vms[slot];
	const struct vm_def *def = &cluster->defs[slot];
	const struct host_vm *here;

	for (uint32_t i = 0; i < task->vm_count; i++)
		if (task->vms[i].slot == slot)
			return;
	task->vms[task->vm_count++] = vm->ref;
	here = vm->used ? vm_find(task->host, &def->uuid) : NULL;
	if (!vm->used || (here && here->process))
		return;
	for (uint32_t i = 0; i < def->disk_count; i++)
		add_image(task, vm, (uint8_t)i, &def->disks[i]);
	add_file(task, vm, IMAGE_KERNEL, &def->kernel);
	add_file(task, vm, IMAGE_INITRD, &def->initrd);
}

// As many of the bad ones as of the others, each in their turn.
static void images_choose(struct host *host, struct images_task *task)
{
	const struct cluster *cluster = host->cluster;
	const struct host_facts *facts = &host->facts;

	for (uint8_t i = 0; i < facts->image_count && task->vm_count < IMAGES_VMS; i++) {
		host->image_fault++;
		host->image_fault %= facts->image_count;
		if (!is_gone(cluster, &facts->images[host->image_fault]))
			add_vm(task, facts->images[host->image_fault].slot);
	}
	for (uint32_t i = 0; i < IMAGES_VMS && host->image_at < cluster->vm_high; i++)
		add_vm(task, host->image_at++);
}

static void images_step(void *owner)
{
	struct host *host = owner;
	uint64_t now_ms = move_now_us() / 1000;
	struct images_task *task;

	loop_timer_ms(host->edge.loop, &host->images_timer, IMAGES_STEP_MS, images_step, host);
	if (!host->cluster || host->images_looking)
		return;
	if (host->image_at >= host->cluster->vm_high &&
	    now_ms - host->images_round_ms >= IMAGES_ROUND_MS) {
		host->image_at = 0;
		host->images_round_ms = now_ms;
	}
	if (host->image_at >= host->cluster->vm_high && host->facts.image_count == 0)
		return;
	task = calloc(1,
		      sizeof(*task) + IMAGES_LOOKS * (VM_DISKS_MAX + 2) * sizeof(task->images[0]));
	if (!task)
		return;
	task->host = host;
	task->uid = host->process.uid;
	task->gid = host->process.gid;
	snprintf(task->root, sizeof(task->root), "%s", host->root);
	images_choose(host, task);
	task->task =
		(struct worker_task){ .work = images_work, .done = images_done, .owner = task };
	host->images_looking = true;
	worker_submit(host->slow_pool, &task->task);
}

void host_images_open(struct host *host)
{
	loop_timer_ms(host->edge.loop, &host->images_timer, IMAGES_STEP_MS, images_step, host);
}

void host_images_close(struct host *host)
{
	loop_timer_cancel(&host->images_timer);
}
