// SPDX-License-Identifier: Apache-2.0
/*
 * A lease guards the disk that its VM names, and two names are two leases: so a file that is
 * written may be reached by one name alone. With a symbolic link in its path, or a hard link, two
 * VMs would hold a lease each and write the same file; so would they if a folder on the way were a
 * volume of its own. A link that leads out of the volume would leave its lease altogether.
 */
#include "resources/image_io.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_beneath(int volume, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	int fd = (int)syscall(SYS_openat2, volume, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

// A folder between the volume's own and the file that keeps leases of its own.
static bool volume_between(int volume, const char *file)
{
	char path[PATH_SIZE + 32];
	int fd;

	for (const char *slash = strchr(file, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(path, sizeof(path), "%.*s/.clusterd/lockspace", (int)(slash - file), file);
		fd = open_beneath(volume, path);
		if (fd >= 0) {
			close(fd);
			return true;
		}
	}
	return false;
}

// The volume's own place in the tree is a link of clusterd's; below it there is none. *between: it
// lies in a volume within the volume.
static int image_open(const char *root, const struct disk_def *disk, bool *between)
{
	char path[PATH_SIZE + NAME_SIZE];
	int volume, fd;

	snprintf(path, sizeof(path), "%s/%s", root, disk->volume);
	volume = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (volume < 0)
		return -errno;
	fd = open_beneath(volume, disk->path);
	*between = volume_between(volume, disk->path);
	close(volume);
	return fd;
}

static bool image_refuse(const struct disk_def *disk, const char *why, char *reason)
{
	snprintf(reason, REASON_SIZE, "disk %.32s:%.64s %s: another VM could write it, too",
		 disk->volume, disk->path, why);
	return false;
}

bool image_take(const char *root, const struct disk_def *disk, uid_t uid, gid_t gid, char *reason)
{
	struct stat status;
	bool shared, between = false;
	int fd;

	if (!disk_is_written(disk))
		return true;
	fd = image_open(root, disk, &between);
	if (fd == -ELOOP || fd == -EXDEV)
		return image_refuse(disk, "is named by way of a symbolic link", reason);
	if (fd < 0)
		return true;
	if (between) {
		close(fd);
		return image_refuse(disk, "lies in a volume within the volume", reason);
	}
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return true;
	}
	shared = status.st_nlink > 1;
	if (!shared && status.st_uid != uid)
		(void)!fchownat(fd, "", uid, gid, AT_EMPTY_PATH);
	close(fd);
	return !shared || image_refuse(disk, "has another name as well (a hard link)", reason);
}

/* Whether it can be opened. */

enum {
	HEADER_SIZE = 512,
	GROUPS_KEPT_MAX = 256,
	BACKING_DEEP = 8,
	BACKING_SIZE = 1024,
	NAME_LONG = 1536
};

// This thread's file accesses alone are another user's: glibc's setgroups() would be the process's.
struct as_user {
	bool other;
	int count;
	gid_t groups[GROUPS_KEPT_MAX];
};

static void as_user_begin(struct as_user *as, uid_t uid, gid_t gid)
{
	as->other = geteuid() == 0 && uid != 0;
	if (!as->other)
		return;
	as->count = getgroups(GROUPS_KEPT_MAX, as->groups);
	(void)!syscall(SYS_setgroups, (size_t)0, NULL);
	setfsgid(gid);
	setfsuid(uid);
}

static void as_user_end(const struct as_user *as)
{
	if (!as->other)
		return;
	setfsuid(geteuid());
	setfsgid(getegid());
	if (as->count > 0)
		(void)!syscall(SYS_setgroups, (size_t)as->count, as->groups);
}

static uint64_t big_endian(const uint8_t *at, int size)
{
	uint64_t value = 0;

	while (size-- > 0)
		value = value << 8 | *at++;
	return value;
}

static enum image_state open_failure(int error)
{
	if (error == EACCES || error == EPERM)
		return IMAGE_DENIED;
	return error == ENOENT || error == ENOTDIR ? IMAGE_MISSING : IMAGE_BROKEN;
}

static bool is_qcow2(const uint8_t *header, ssize_t size)
{
	return size >= 72 && memcmp(header, "QFI\xfb", 4) == 0 &&
	       (big_endian(header + 4, 4) == 2 || big_endian(header + 4, 4) == 3);
}

// The name of the file that this one is made upon, beside it. False: it is unreadable.
static bool backing_name(int fd, const uint8_t *header, const char *path, char *name)
{
	uint64_t at = big_endian(header + 8, 8), size = big_endian(header + 16, 4);
	const char *slash = strrchr(path, '/');
	char text[BACKING_SIZE];

	name[0] = 0;
	if (at == 0 || size == 0)
		return true;
	if (size >= sizeof(text) || pread(fd, text, size, (off_t)at) != (ssize_t)size)
		return false;
	text[size] = 0;
	// "nbd://...", "json:...": no file, and only QEMU could tell.
	if (text[0] != '/' && strchr(text, ':') &&
	    (!strchr(text, '/') || strchr(text, ':') < strchr(text, '/')))
		return true;
	return snprintf(name, NAME_LONG, "%.*s%s",
			text[0] == '/' || !slash ? 0 : (int)(slash - path + 1), path,
			text) < NAME_LONG;
}

static enum image_state look_inside(int fd, const char *path, bool qcow2, int deep)
{
	char backing[NAME_LONG];
	uint8_t header[HEADER_SIZE];
	enum image_state state;
	struct stat status;
	ssize_t size;
	int below;

	if (fstat(fd, &status) < 0 || (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)))
		return IMAGE_BROKEN;
	size = pread(fd, header, sizeof(header), 0);
	if (size < 0)
		return IMAGE_BROKEN;
	if (!is_qcow2(header, size))
		return qcow2 ? IMAGE_FORMAT : IMAGE_GOOD;
	// A raw disk holds what its guest writes, and be it another image.
	if (!qcow2 && deep == 0)
		return IMAGE_GOOD;
	if (deep == BACKING_DEEP || !backing_name(fd, header, path, backing))
		return IMAGE_BACKING;
	if (!backing[0])
		return IMAGE_GOOD;
	below = open(backing, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (below < 0)
		return IMAGE_BACKING;
	state = look_inside(below, backing, false, deep + 1);
	close(below);
	return state == IMAGE_GOOD ? IMAGE_GOOD : IMAGE_BACKING;
}

// An image that is written and is not the user's yet is given to it at the start.
static bool is_given(const char *path, uid_t uid)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid != uid;
}

enum image_state image_look(const char *root, const struct disk_def *disk, uid_t uid, gid_t gid)
{
	bool written = disk_is_written(disk), given;
	enum image_state state = IMAGE_GOOD;
	struct as_user as;
	char path[NAME_LONG];
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s/%s", root, disk->volume, disk->path) >=
	    (int)sizeof(path))
		return IMAGE_BROKEN;
	given = written && is_given(path, uid);
	if (!given)
		as_user_begin(&as, uid, gid);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		state = open_failure(errno);
	else if (written && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0)
		state = IMAGE_READONLY;
	else
		state = look_inside(fd, path, disk->format == DISK_QCOW2, 0);
	if (!given)
		as_user_end(&as);
	if (fd >= 0)
		close(fd);
	return state;
}
