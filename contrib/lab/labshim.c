// SPDX-License-Identifier: Apache-2.0
// Preloaded into the node's sanlock and wdmd, by the lab alone: lets setrlimit fail unnoticed where
// CAP_SYS_RESOURCE is missing, and turns /dev/watchdog0 into a socket to the lab's watcher.
#include "labsock.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

#define WATCHDOG "/dev/watchdog0"

static int watchdog_fd = -1;
static int watchdog_timeout_s = 60;

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	int (*real)(__rlimit_resource_t, const struct rlimit *) = dlsym(RTLD_NEXT, "setrlimit");
	int result = real(resource, limit);

	return result && errno == EPERM ? 0 : result;
}

/*
 * wdmd looks every 10 s and stops feeding as soon as a client would expire within the next 10. With
 * sanlock's io_timeout at 1 a lease expires 8 s after its renewal, so that wdmd would never feed,
 * and end healthy nodes. There the lab tells it an expiry that is those 10 s later. What the other
 * hosts count on still holds: the last feeding comes before the true expiry, and so the watchdog
 * fires less than 8 x io_timeout + 60 s after the last renewal. Only wdmd's earliness is given up.
 */
int wdmd_test_live(int connection, uint64_t renewal, uint64_t expire);
int wdmd_test_live(int connection, uint64_t renewal, uint64_t expire)
{
	int (*real)(int, uint64_t, uint64_t) = dlsym(RTLD_NEXT, "wdmd_test_live");
	const char *margin_s = getenv("LAB_WDMD_MARGIN_S");

	if (expire && margin_s)
		expire += (uint64_t)atoi(margin_s);
	return real(connection, renewal, expire);
}

static int watchdog_open(void)
{
	const char *path = getenv("LAB_SOCKET");
	const char *node = getenv("LAB_NODE");
	int fd = path && node ? lab_connect(path) : -ENODEV;

	if (fd < 0) {
		errno = -fd;
		return -1;
	}
	dprintf(fd, "watchdog %s\n", node);
	watchdog_fd = fd;
	return fd;
}

static int open_real(const char *name, const char *path, int flags, mode_t mode)
{
	int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, name);

	if (strcmp(path, WATCHDOG) == 0)
		return watchdog_open();
	return real(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	va_list list;
	mode_t mode;

	va_start(list, flags);
	mode = va_arg(list, mode_t);
	va_end(list);
	return open_real("open", path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list list;
	mode_t mode;

	va_start(list, flags);
	mode = va_arg(list, mode_t);
	va_end(list);
	return open_real("open64", path, flags, mode);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
	return open_real("open", path, flags, 0);
}

int __open64_2(const char *path, int flags);
int __open64_2(const char *path, int flags)
{
	return open_real("open64", path, flags, 0);
}

int close(int fd)
{
	int (*real)(int) = dlsym(RTLD_NEXT, "close");

	if (fd >= 0 && fd == watchdog_fd)
		watchdog_fd = -1;
	return real(fd);
}

static int watchdog_ioctl(unsigned long request, void *argument)
{
	struct watchdog_info info = { .options = WDIOF_SETTIMEOUT | WDIOF_MAGICCLOSE |
						 WDIOF_KEEPALIVEPING,
				      .identity = "lab watchdog" };
	char feed[2] = "K";

	switch (request) {
	case WDIOC_GETSUPPORT:
		memcpy(argument, &info, sizeof(info));
		return 0;
	case WDIOC_KEEPALIVE:
		return write(watchdog_fd, feed, 1) == 1 ? 0 : -1;
	case WDIOC_SETTIMEOUT:
		watchdog_timeout_s = *(int *)argument;
		feed[0] = 'T';
		feed[1] = (char)watchdog_timeout_s;
		return write(watchdog_fd, feed, 2) == 2 ? 0 : -1;
	case WDIOC_GETTIMEOUT:
		*(int *)argument = watchdog_timeout_s;
		return 0;
	case WDIOC_GETSTATUS:
	case WDIOC_GETBOOTSTATUS:
		*(int *)argument = 0;
		return 0;
	}
	errno = ENOTTY;
	return -1;
}

int ioctl(int fd, unsigned long request, ...)
{
	int (*real)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
	va_list list;
	void *argument;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	if (fd >= 0 && fd == watchdog_fd)
		return watchdog_ioctl(request, argument);
	return real(fd, request, argument);
}
