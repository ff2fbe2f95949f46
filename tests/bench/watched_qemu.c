// SPDX-License-Identifier: Apache-2.0
/*
 * Stands before QEMU in a bench's nodes: the same QEMU with one more monitor, so that its own times
 * of STOP and RESUME can be read beside clusterd. Without a folder for it, or without a VM's
 * number, it is QEMU as it was asked for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// bench/moves.py puts the real one there; its own folder is where QEMU looks for its firmware.
#define REAL "/usr/bin/qemu-system-i386"
#define FOLDER "/var/log/bench"

int main(int argc, char **argv)
{
	static char chardev[256], mon[] = "chardev=bench,mode=control";
	char **args = calloc((size_t)argc + 5, sizeof(*args));
	const char *uuid = NULL;
	struct stat status;

	if (!args)
		return 1;
	memcpy(args, argv, (size_t)argc * sizeof(*args));
	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], "-uuid") == 0)
			uuid = argv[i + 1];
	if (uuid && stat(FOLDER, &status) == 0) {
		static char chardev_word[] = "-chardev", mon_word[] = "-mon";

		snprintf(chardev, sizeof(chardev),
			 "socket,id=bench,path=" FOLDER "/%s.sock,server=on,wait=off", uuid);
		args[argc] = chardev_word;
		args[argc + 1] = chardev;
		args[argc + 2] = mon_word;
		args[argc + 3] = mon;
	}
	execv(REAL, args);
	perror(REAL);
	return 1;
}
