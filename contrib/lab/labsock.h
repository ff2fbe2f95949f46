// SPDX-License-Identifier: Apache-2.0
// One line asked and one answer read over a unix socket: what every part of the lab talks.
#ifndef LAB_LABSOCK_H
#define LAB_LABSOCK_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static inline long long lab_clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (long long)now.tv_sec * 1000000000LL + now.tv_nsec;
}

static inline int lab_address(struct sockaddr_un *address, const char *path)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	strcpy(address->sun_path, path);
	return 0;
}

// Returns a connected descriptor or -errno.
static inline int lab_connect(const char *path)
{
	struct sockaddr_un address;
	int error = lab_address(&address, path);
	int fd;

	if (error)
		return error;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

// Returns a listening descriptor or -errno; whatever stood at the path is replaced.
static inline int lab_listen(const char *path)
{
	struct sockaddr_un address;
	int error = lab_address(&address, path);
	int fd;

	if (error)
		return error;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 64)) {
		error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

// Sends one line and reads the answer up to its end; returns its length or -errno.
static inline int lab_ask(const char *path, const char *line, char *answer, size_t size)
{
	size_t length = 0;
	int fd = lab_connect(path);

	if (fd < 0)
		return fd;
	if (dprintf(fd, "%s\n", line) < 0) {
		close(fd);
		return -EPIPE;
	}
	while (length + 1 < size) {
		ssize_t got = read(fd, answer + length, size - 1 - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		length += (size_t)got;
	}
	answer[length] = 0;
	close(fd);
	return (int)length;
}

#endif
