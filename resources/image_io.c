// SPDX-License-Identifier: Apache-2.0
/*
 * A lease guards the disk that its VM names, and two names are two leases: so a file that is
 * written may be reached by one name alone. With a symbolic link in its path, or a hard link, two
 * VMs would hold a lease each and write the same file. A link that leads out of the volume would
 * leave its lease altogether.
 */
#include "resources/image_io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// The volume's own place in the tree is a link of clusterd's; below it there is none.
static int image_open(const char *root, const struct disk_def *disk)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	char path[PATH_SIZE + NAME_SIZE];
	int volume, fd, error;

	snprintf(path, sizeof(path), "%s/%s", root, disk->volume);
	volume = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (volume < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, volume, disk->path, &how, sizeof(how));
	error = -errno;
	close(volume);
	return fd < 0 ? error : fd;
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
	bool shared;
	int fd;

	if (disk->readonly || disk->cdrom)
		return true;
	fd = image_open(root, disk);
	if (fd == -ELOOP || fd == -EXDEV)
		return image_refuse(disk, "is named by way of a symbolic link", reason);
	if (fd < 0)
		return true;
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
