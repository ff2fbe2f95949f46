// SPDX-License-Identifier: Apache-2.0
// Sends one line to a socket of the lab and prints the answer; status 0 if it begins with "ok".
#include "labsock.h"

int main(int argc, char **argv)
{
	static char answer[65536];
	char line[1024] = "";
	int length;

	if (argc < 3) {
		fprintf(stderr, "usage: labctl SOCKET WORD...\n");
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		if (strlen(line) + strlen(argv[i]) + 2 > sizeof(line))
			return 2;
		strcat(line, i > 2 ? " " : "");
		strcat(line, argv[i]);
	}
	length = lab_ask(argv[1], line, answer, sizeof(answer));
	if (length < 0) {
		fprintf(stderr, "labctl: %s: %s\n", argv[1], strerror(-length));
		return 3;
	}
	fputs(answer, stdout);
	return strncmp(answer, "ok", 2) == 0 ? 0 : 1;
}
