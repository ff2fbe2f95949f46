// SPDX-License-Identifier: Apache-2.0
// Records of VMs' processes, twisted: what is read is within its limits and names a process that
// could be killed, written it reads back the same, and what cannot be read is left where it was.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clusterd/invariant.h"
#include "clusterd/log_io.h"
#include "resources/record_io.h"

#define NAME "01234567-89ab-cdef-0123-456789abcdef"

struct found {
	uint32_t count;
	struct record record;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/fuzz-record-XXXXXX";
static char path[256];

void log_text(enum log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

static void folder_remove(void)
{
	char vms[128];

	unlink(path);
	snprintf(vms, sizeof(vms), "%s/vms", folder);
	rmdir(vms);
	rmdir(folder);
}

// In memory, where there is such a place: it is written anew for every input.
static void folder_make(void)
{
	char vms[128];

	INVARIANT(mkdtemp(folder));
	snprintf(vms, sizeof(vms), "%s/vms", folder);
	INVARIANT(mkdir(vms, 0700) == 0);
	snprintf(path, sizeof(path), "%s/%s", vms, NAME);
	atexit(folder_remove);
}

static void file_write(const uint8_t *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	INVARIANT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
}

static void find(void *owner, const struct record *record)
{
	struct found *found = owner;

	found->count++;
	found->record = *record;
}

static bool text_ends(const char *text, size_t size)
{
	return strnlen(text, size) < size;
}

static void look(const struct record *record)
{
	// A signal to process 0, 1 or below would reach others.
	INVARIANT(record->pid > 1);
	INVARIANT(record->lease_count <= VM_LEASES_MAX);
	INVARIANT(text_ends(record->boot, sizeof(record->boot)));
	for (uint32_t i = 0; i < record->lease_count; i++) {
		const struct lock_lease *lease = &record->leases[i];

		INVARIANT(text_ends(lease->lockspace, sizeof(lease->lockspace)));
		INVARIANT(text_ends(lease->name, sizeof(lease->name)));
		INVARIANT(text_ends(lease->path, sizeof(lease->path)));
	}
}

static bool same(const struct record *a, const struct record *b)
{
	bool equal = a->vm.slot == b->vm.slot && a->vm.serial == b->vm.serial &&
		     a->attempt == b->attempt && a->pid == b->pid && a->start == b->start &&
		     a->sanlock.pid == b->sanlock.pid && a->sanlock.start == b->sanlock.start &&
		     strcmp(a->boot, b->boot) == 0 && a->lease_count == b->lease_count;

	for (uint32_t i = 0; equal && i < a->lease_count; i++) {
		const struct lock_lease *l = &a->leases[i], *m = &b->leases[i];

		equal = strcmp(l->lockspace, m->lockspace) == 0 && strcmp(l->name, m->name) == 0 &&
			strcmp(l->path, m->path) == 0 && l->offset == m->offset &&
			l->sector == m->sector && l->align == m->align;
	}
	return equal;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct found first, second;

	if (!path[0])
		folder_make();
	file_write(data, size);
	memset(&first, 0, sizeof(first));
	memset(&second, 0, sizeof(second));
	record_each(folder, find, &first);
	if (first.count == 0) {
		INVARIANT(access(path, F_OK) == 0);
		return 0;
	}
	INVARIANT(first.count == 1);
	look(&first.record);
	INVARIANT(record_write(folder, &first.record) == 0);
	record_each(folder, find, &second);
	INVARIANT(second.count == 1 && same(&first.record, &second.record));
	return 0;
}
