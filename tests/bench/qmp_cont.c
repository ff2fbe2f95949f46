// SPDX-License-Identifier: Apache-2.0
/*
 * For the peer's resource agent: lets a QEMU that was started with -S go on, and prints
 * CLOCK_MONOTONIC in ns of its RESUME. The same start as clusterd's, and the same end of the
 * measurement.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 30000 };

static int monitor_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timespec pause = { .tv_nsec = 1000000 };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	for (int i = 0; i < TRIES; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			return fd;
		close(fd);
		nanosleep(&pause, NULL);
	}
	return -1;
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? monitor_connect(argv[1]) : -1;
	FILE *monitor = fd < 0 ? NULL : fdopen(fd, "r");
	struct timespec now;
	char line[65536];

	if (!monitor)
		return 1;
	dprintf(fd, "{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"cont\"}\n");
	while (fgets(line, sizeof(line), monitor)) {
		if (!strstr(line, "\"RESUME\""))
			continue;
		clock_gettime(CLOCK_MONOTONIC, &now);
		printf("%lld\n", (long long)now.tv_sec * 1000000000 + now.tv_nsec);
		return 0;
	}
	return 1;
}
