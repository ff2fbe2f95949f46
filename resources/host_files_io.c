// SPDX-License-Identifier: Apache-2.0
// What QEMU needs before it may start, or move. For threads, because a volume may hang: its images
// belong to the user that it runs as, and a VM with UEFI has its firmware's variables beside its
// disk, which its lease guards.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resources/host_internal.h"
#include "resources/image_io.h"
#include "resources/qemu_args.h"

static bool file_copy(int from, int to)
{
	char buffer[16384];
	ssize_t size;

	while ((size = read(from, buffer, sizeof(buffer))) > 0)
		if (write(to, buffer, (size_t)size) != size)
			return false;
	return size == 0;
}

// Complete before it has its name: a host that dies in between leaves nothing that looks whole.
static void vars_make(struct files_task *task)
{
	const char *template = task->host->config.uefi_vars;
	char path[2 * PATH_SIZE + NAME_SIZE], temporary[2 * PATH_SIZE + NAME_SIZE + 8];
	int from, to;

	task->ok = false;
	snprintf(task->reason, sizeof(task->reason), "no UEFI firmware is installed on this host");
	if (!task->host->config.uefi_code || !template ||
	    !uefi_vars_path(&task->def, task->root, path, sizeof(path)))
		return;
	task->ok = access(path, F_OK) == 0;
	if (task->ok)
		return;
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	unlink(temporary);
	from = open(template, O_RDONLY | O_CLOEXEC);
	to = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	task->ok = from >= 0 && to >= 0 && file_copy(from, to) && fsync(to) == 0 &&
		   fchown(to, task->host->process.uid, task->host->process.gid) == 0 &&
		   rename(temporary, path) == 0;
	if (!task->ok)
		snprintf(task->reason, sizeof(task->reason), "%.120s: %s",
			 from < 0 ? template : path, strerror(errno));
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
}

void launch_nics(struct launch_nics *nics, const struct vm_def *def)
{
	uint32_t count = 0;

	memset(nics, 0, sizeof(*nics));
	for (uint32_t i = 0; i < def->nic_count && i < VM_NICS_MAX; i++)
		nics->words[count++] = def->nics[i].bridge;
	for (uint32_t i = 0; i < def->nic_count && i < VM_NICS_MAX; i++) {
		snprintf(nics->devices[i], sizeof(nics->devices[i]), "pci=%.16s",
			 def->nics[i].device);
		if (def->nics[i].device[0])
			nics->words[count++] = nics->devices[i];
	}
}

/*
 * A state that was dropped, or was left half written when its volume was lost: whoever was to
 * remove it could not. Its lease is held now, so nobody else saves it, and it is not to be
 * restored.
 */
static void left_behind_clear(const struct files_task *task)
{
	char place[2 * PATH_SIZE + NAME_SIZE];

	for (uint32_t i = 0; i < task->def.disk_count; i++) {
		const struct disk_def *disk = &task->def.disks[i];

		if (!disk_is_written(disk))
			continue;
		snprintf(place, sizeof(place), "%s/%s/vms", task->root, disk->volume);
		saved_clear(place, &task->uuid);
	}
}

static void files_work(void *owner)
{
	struct files_task *task = owner;

	task->ok = true;
	if (task->fresh)
		left_behind_clear(task);
	for (uint32_t i = 0; i < task->def.disk_count && task->ok; i++)
		task->ok = image_take(task->root, &task->def.disks[i], task->host->process.uid,
				      task->host->process.gid, task->reason);
	if (task->ok && task->def.firmware == FIRMWARE_UEFI)
		vars_make(task);
	if (!task->ok || !task->saved[0])
		return;
	task->saved_fd = saved_open(task->saved, &task->uuid, task->reason);
	task->ok = task->saved_fd >= 0;
}

struct files_task *files_task(const struct host_vm *vm, const struct vm_def *def, loop_fn done)
{
	struct files_task *task = calloc(1, sizeof(*task));

	if (!task)
		return NULL;
	task->task = (struct worker_task){ .work = files_work, .done = done, .owner = task };
	task->host = vm->host;
	task->uuid = vm->uuid;
	task->attempt = vm->attempt;
	task->def = *def;
	task->saved_fd = -1;
	task->fresh = vm->start_mode == START_FRESH;
	snprintf(task->root, sizeof(task->root), "%s", vm->host->root);
	if (vm->start_mode == START_RESTORE)
		snprintf(task->saved, sizeof(task->saved), "%s", vm->move.place);
	return task;
}

/*
 * Certificates and their key, for QEMU's user alone, in a folder of this VM's that it cannot
 * change, and only until QEMU has read them: QEMU takes a key from a file alone, and every QEMU
 * here is of the same user, so what lay there for long could be read by one that a guest broke out
 * of. It is QEMU's own key: with it nobody speaks for this host's clusterd.
 */
static void credentials_path(const struct host *host, const struct uuid *uuid, const char *name,
			     char *path, size_t size)
{
	char suffix[64];

	snprintf(suffix, sizeof(suffix), ".tls%s", name);
	vm_path(host, uuid, suffix, path, size);
}

static bool credentials_copy(const struct host *host, const char *name, const char *to_path)
{
	char from_path[PATH_SIZE + 64];
	int from, to;
	bool good;

	snprintf(from_path, sizeof(from_path), "%.150s/%s", host->config.pki_dir, name);
	from = open(from_path, O_RDONLY | O_CLOEXEC);
	to = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
	good = from >= 0 && to >= 0 && file_copy(from, to) &&
	       fchown(to, host->process.uid, host->process.gid) == 0;
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return good;
}

static const char *const credential_names[][3] = {
	{ "ca-cert.pem", "server-cert.pem", "server-key.pem" },
	{ "ca-cert.pem", "client-cert.pem", "client-key.pem" },
};

bool credentials_put(const struct host *host, const struct uuid *uuid, bool source, char *reason)
{
	char path[512], name[40];
	bool good = host->config.pki_dir != NULL;
	size_t i = 0;

	errno = ENOENT;
	credentials_remove(host, uuid);
	credentials_path(host, uuid, "", path, sizeof(path));
	good = good && mkdir(path, 0711) == 0;
	for (i = 0; good && i < 3; i++) {
		snprintf(name, sizeof(name), "/%s", credential_names[source][i]);
		credentials_path(host, uuid, name, path, sizeof(path));
		good = credentials_copy(host, credential_names[source][i], path);
	}
	if (!good) {
		snprintf(reason, REASON_SIZE, "this node's certificate for moves (%s): %s",
			 i ? credential_names[source][i - 1] : "its folder", strerror(errno));
		credentials_remove(host, uuid);
	}
	return good;
}

void credentials_remove(const struct host *host, const struct uuid *uuid)
{
	char path[512], name[40];
	size_t i;

	for (i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "/%s", credential_names[i / 3][i % 3]);
		credentials_path(host, uuid, name, path, sizeof(path));
		unlink(path);
	}
	credentials_path(host, uuid, "", path, sizeof(path));
	rmdir(path);
}
