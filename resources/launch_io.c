// SPDX-License-Identifier: Apache-2.0
#include "resources/launch.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sanlock.h>
#include <sanlock_admin.h>
#include <sanlock_resource.h>

int launch_register(char *reason, unsigned long size)
{
	int fd = sanlock_register();
	int result;

	if (fd < 0) {
		snprintf(reason, size, "cannot register with sanlock: %s", strerror(-fd));
		return -1;
	}
	// Without SIGTERM: when the lease is lost QEMU has to go at once, and not to flush its
	// disks first.
	result = sanlock_restrict(fd, SANLK_RESTRICT_ALL | SANLK_RESTRICT_SIGTERM);
	if (result < 0) {
		snprintf(reason, size, "sanlock refused to restrict the process (%d)", result);
		close(fd);
		return -1;
	}
	// The lease lives as long as this connection: QEMU must have it.
	if (fcntl(fd, F_SETFD, 0) < 0) {
		snprintf(reason, size, "cannot keep the connection to sanlock");
		close(fd);
		return -1;
	}
	return fd;
}
