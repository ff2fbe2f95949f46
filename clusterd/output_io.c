// SPDX-License-Identifier: Apache-2.0
#include "clusterd/output_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void output_open(void)
{
	// The lowest number that is free is the one that is looked at.
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	}
}

bool output_failed(void)
{
	return fflush(stdout) != 0 || ferror(stdout);
}

bool output_close(const char *program)
{
	bool earlier = ferror(stdout);

	errno = 0;
	if (fclose(stdout) == 0 && !earlier)
		return true;
	fprintf(stderr, "%s: its output cannot be written%s%s\n", program, errno ? ": " : "",
		errno ? strerror(errno) : "");
	return false;
}
