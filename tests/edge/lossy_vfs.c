// SPDX-License-Identifier: Apache-2.0
#include "tests/edge/lossy_vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512, FILES_MAX = 16 };

struct change {
	struct change *next;
	bool truncate;
	sqlite3_int64 offset;	// or the new size
	int size;
	uint8_t bytes[];
};

struct lossy_file {
	sqlite3_file base;
	uint64_t life;
	uint8_t *image;		// as the process sees it
	sqlite3_int64 size, room;
	struct change *changes, **end;
	sqlite3_file *inner;	// the real one, in the bytes after this struct
};

static struct {
	pthread_mutex_t lock;
	sqlite3_vfs vfs, *inner;
	uint64_t life, random, crash_at, operations, syncs;
	bool crashed;
	struct lossy_file *files[FILES_MAX];
} lossy = { .lock = PTHREAD_MUTEX_INITIALIZER };

static uint64_t random_next(void)
{
	lossy.random ^= lossy.random << 13;
	lossy.random ^= lossy.random >> 7;
	lossy.random ^= lossy.random << 17;
	return lossy.random;
}

static void change_apply(struct lossy_file *file, const struct change *change, int from, int size)
{
	if (change->truncate)
		file->inner->pMethods->xTruncate(file->inner, change->offset);
	else if (size > 0)
		file->inner->pMethods->xWrite(file->inner, change->bytes + from, size,
					      change->offset + from);
}

static void changes_drop(struct lossy_file *file)
{
	struct change *change, *next;

	for (change = file->changes; change; change = next) {
		next = change->next;
		free(change);
	}
	file->changes = NULL;
	file->end = &file->changes;
}

// A disk may write in any order: each change on its own is there, not there, or torn.
static void file_crash(struct lossy_file *file, bool nothing)
{
	for (const struct change *change = nothing ? NULL : file->changes; change;
	     change = change->next) {
		uint64_t choice = random_next() % 4;
		int sectors = change->size / SECTOR + 1, cut;

		if (choice == 0)
			change_apply(file, change, 0, change->size);
		if (choice == 1 && !change->truncate) {
			cut = (int)(random_next() % (uint64_t)sectors) * SECTOR;
			change_apply(file, change, 0, cut < change->size ? cut : change->size);
		}
		if (choice == 2 && !change->truncate) {
			cut = (int)(random_next() % (uint64_t)sectors) * SECTOR;
			change_apply(file, change, cut, change->size - cut);
		}
	}
	changes_drop(file);
}

static void crash_locked(void)
{
	bool nothing = random_next() % 3 == 0;

	if (lossy.crashed)
		return;
	lossy.crashed = true;
	for (int i = 0; i < FILES_MAX; i++)
		if (lossy.files[i])
			file_crash(lossy.files[i], nothing);
}

// True when this operation happens.
static bool operation(const struct lossy_file *file)
{
	if (!lossy.crashed && lossy.crash_at && ++lossy.operations >= lossy.crash_at)
		crash_locked();
	return !lossy.crashed && file->life == lossy.life;
}

static int lossy_close(sqlite3_file *base)
{
	struct lossy_file *file = (struct lossy_file *)base;

	pthread_mutex_lock(&lossy.lock);
	// What a process that ended in peace wrote is in the page cache and gets to the disk some
	// day.
	for (const struct change *change = file->changes; change; change = change->next)
		if (!lossy.crashed && file->life == lossy.life)
			change_apply(file, change, 0, change->size);
	changes_drop(file);
	for (int i = 0; i < FILES_MAX; i++)
		if (lossy.files[i] == file)
			lossy.files[i] = NULL;
	free(file->image);
	file->inner->pMethods->xClose(file->inner);
	pthread_mutex_unlock(&lossy.lock);
	return SQLITE_OK;
}

static int lossy_read(sqlite3_file *base, void *bytes, int size, sqlite3_int64 offset)
{
	struct lossy_file *file = (struct lossy_file *)base;
	sqlite3_int64 have = file->size - offset;

	if (have >= size) {
		memcpy(bytes, file->image + offset, (size_t)size);
		return SQLITE_OK;
	}
	memset(bytes, 0, (size_t)size);
	if (have > 0)
		memcpy(bytes, file->image + offset, (size_t)have);
	return SQLITE_IOERR_SHORT_READ;
}

static void file_resize(struct lossy_file *file, sqlite3_int64 size)
{
	if (size > file->room) {
		file->room = size + size / 2 + 4096;
		file->image = realloc(file->image, (size_t)file->room);
		if (!file->image)
			abort();
	}
	if (size > file->size)
		memset(file->image + file->size, 0, (size_t)(size - file->size));
	file->size = size;
}

static void change_add(struct lossy_file *file, bool truncate, sqlite3_int64 offset,
		       const void *bytes, int size)
{
	struct change *change = malloc(sizeof(*change) + (size_t)size);

	if (!change)
		abort();
	change->next = NULL;
	change->truncate = truncate;
	change->offset = offset;
	change->size = size;
	if (size)
		memcpy(change->bytes, bytes, (size_t)size);
	*file->end = change;
	file->end = &change->next;
}

static int lossy_write(sqlite3_file *base, const void *bytes, int size, sqlite3_int64 offset)
{
	struct lossy_file *file = (struct lossy_file *)base;
	int rc = SQLITE_IOERR_WRITE;

	pthread_mutex_lock(&lossy.lock);
	if (operation(file)) {
		if (offset + size > file->size)
			file_resize(file, offset + size);
		memcpy(file->image + offset, bytes, (size_t)size);
		change_add(file, false, offset, bytes, size);
		rc = SQLITE_OK;
	}
	pthread_mutex_unlock(&lossy.lock);
	return rc;
}

static int lossy_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	struct lossy_file *file = (struct lossy_file *)base;
	int rc = SQLITE_IOERR_TRUNCATE;

	pthread_mutex_lock(&lossy.lock);
	if (operation(file)) {
		file_resize(file, size);
		change_add(file, true, size, NULL, 0);
		rc = SQLITE_OK;
	}
	pthread_mutex_unlock(&lossy.lock);
	return rc;
}

static int lossy_sync(sqlite3_file *base, int flags)
{
	struct lossy_file *file = (struct lossy_file *)base;
	int rc = SQLITE_IOERR_FSYNC;

	(void)flags;
	pthread_mutex_lock(&lossy.lock);
	if (operation(file)) {
		for (const struct change *change = file->changes; change; change = change->next)
			change_apply(file, change, 0, change->size);
		changes_drop(file);
		lossy.syncs++;
		rc = SQLITE_OK;
	}
	pthread_mutex_unlock(&lossy.lock);
	return rc;
}

static int lossy_size(sqlite3_file *base, sqlite3_int64 *size)
{
	*size = ((struct lossy_file *)base)->size;
	return SQLITE_OK;
}

static int lossy_lock(sqlite3_file *base, int level)
{
	sqlite3_file *inner = ((struct lossy_file *)base)->inner;

	return inner->pMethods->xLock(inner, level);
}

static int lossy_unlock(sqlite3_file *base, int level)
{
	sqlite3_file *inner = ((struct lossy_file *)base)->inner;

	return inner->pMethods->xUnlock(inner, level);
}

static int lossy_reserved(sqlite3_file *base, int *reserved)
{
	sqlite3_file *inner = ((struct lossy_file *)base)->inner;

	return inner->pMethods->xCheckReservedLock(inner, reserved);
}

static int lossy_control(sqlite3_file *base, int op, void *argument)
{
	sqlite3_file *inner = ((struct lossy_file *)base)->inner;

	// Else the size would be changed behind the image.
	if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE)
		return SQLITE_OK;
	return inner->pMethods->xFileControl(inner, op, argument);
}

static int lossy_sector(sqlite3_file *base)
{
	(void)base;
	return SECTOR;
}

static int lossy_traits(sqlite3_file *base)
{
	(void)base;
	return 0;
}

static const sqlite3_io_methods lossy_methods = {
	.iVersion = 1,
	.xClose = lossy_close,
	.xRead = lossy_read,
	.xWrite = lossy_write,
	.xTruncate = lossy_truncate,
	.xSync = lossy_sync,
	.xFileSize = lossy_size,
	.xLock = lossy_lock,
	.xUnlock = lossy_unlock,
	.xCheckReservedLock = lossy_reserved,
	.xFileControl = lossy_control,
	.xSectorSize = lossy_sector,
	.xDeviceCharacteristics = lossy_traits,
};

static int lossy_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out)
{
	struct lossy_file *file = (struct lossy_file *)base;
	sqlite3_int64 size = 0;
	int rc, slot = 0;

	(void)vfs;
	memset(file, 0, sizeof(*file));
	file->inner = (sqlite3_file *)(file + 1);
	rc = lossy.inner->xOpen(lossy.inner, name, file->inner, flags, out);
	if (rc != SQLITE_OK)
		return rc;
	pthread_mutex_lock(&lossy.lock);
	file->base.pMethods = &lossy_methods;
	file->life = lossy.life;
	file->end = &file->changes;
	file->inner->pMethods->xFileSize(file->inner, &size);
	file_resize(file, size);
	if (size)
		file->inner->pMethods->xRead(file->inner, file->image, (int)size, 0);
	while (slot < FILES_MAX - 1 && lossy.files[slot])
		slot++;
	lossy.files[slot] = file;
	pthread_mutex_unlock(&lossy.lock);
	return SQLITE_OK;
}

static int lossy_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs;
	if (lossy_vfs_crashed())
		return SQLITE_IOERR_DELETE;
	return lossy.inner->xDelete(lossy.inner, name, sync);
}

void lossy_vfs_begin(uint64_t seed, uint64_t crash_at)
{
	pthread_mutex_lock(&lossy.lock);
	if (!lossy.inner) {
		lossy.inner = sqlite3_vfs_find(NULL);
		lossy.vfs = *lossy.inner;
		lossy.vfs.zName = LOSSY_VFS;
		lossy.vfs.szOsFile += (int)sizeof(struct lossy_file);
		lossy.vfs.pNext = NULL;
		lossy.vfs.xOpen = lossy_open;
		lossy.vfs.xDelete = lossy_delete;
		sqlite3_vfs_register(&lossy.vfs, 0);
	}
	lossy.life++;
	lossy.random = seed * 0x9e3779b97f4a7c15u + 1;
	lossy.crash_at = crash_at ? crash_at : UINT64_MAX;
	lossy.operations = lossy.syncs = 0;
	lossy.crashed = false;
	pthread_mutex_unlock(&lossy.lock);
}

void lossy_vfs_crash(void)
{
	pthread_mutex_lock(&lossy.lock);
	crash_locked();
	pthread_mutex_unlock(&lossy.lock);
}

bool lossy_vfs_crashed(void)
{
	bool crashed;

	pthread_mutex_lock(&lossy.lock);
	crashed = lossy.crashed;
	pthread_mutex_unlock(&lossy.lock);
	return crashed;
}

uint64_t lossy_vfs_syncs(void)
{
	uint64_t syncs;

	pthread_mutex_lock(&lossy.lock);
	syncs = lossy.syncs;
	pthread_mutex_unlock(&lossy.lock);
	return syncs;
}

uint64_t lossy_vfs_operations(void)
{
	uint64_t operations;

	pthread_mutex_lock(&lossy.lock);
	operations = lossy.operations;
	pthread_mutex_unlock(&lossy.lock);
	return operations;
}
