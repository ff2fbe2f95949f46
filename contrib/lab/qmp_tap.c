// SPDX-License-Identifier: Apache-2.0
/*
 * Stands before QEMU in a node: the same QEMU, but what its monitor hears and says goes through a
 * process of the lab's, which can hold it up at a line. So a moment that lasts a millisecond lasts
 * as long as a test needs it.
 *
 * A hold is a file FOLDER/holds/NAME that says `to TEXT` or `from TEXT`: the first line to QEMU, or
 * from it, that has TEXT in it waits, with all that come behind it, until the file is gone. While
 * it waits there is a file FOLDER/held/NAME.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <fcntl.h>
#include <unistd.h>

#define FOLDER "/var/log/qmp-tap"
// `lab tap` mounts the real one here: QEMU looks for its firmware beside itself.
#define REAL "/usr/bin/qemu-system-i386"
#define MONITOR "socket,id=qmp,path="

enum { LOOK_MS = 2, LINES_MAX = 1 << 20 };

struct stream {
	int from, to;
	const char *direction;
	char *lines;
	size_t used;
	int passed; // a descriptor that came with them, or -1
	char held[256];
};

static int unix_socket(const char *path, struct sockaddr_un *address)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(address->sun_path))
		return -1;
	strcpy(address->sun_path, path);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void mark(const char *name, int held)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), FOLDER "/held/%s", name);
	if (!held) {
		unlink(path);
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd >= 0)
		close(fd);
}

static int hold_fits(const char *name, const char *direction, const char *line, size_t size)
{
	char path[512], text[512];
	size_t count, word = strlen(direction);
	FILE *file;

	snprintf(path, sizeof(path), FOLDER "/holds/%s", name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	count = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[count] = 0;
	text[strcspn(text, "\n")] = 0;
	return strncmp(text, direction, word) == 0 && text[word] == ' ' &&
	       memmem(line, size, text + word + 1, strlen(text + word + 1));
}

static int hold_find(struct stream *stream, size_t size)
{
	DIR *folder = opendir(FOLDER "/holds");
	struct dirent *entry;
	int found = 0;

	while (folder && !found && (entry = readdir(folder)))
		if (entry->d_name[0] != '.' &&
		    hold_fits(entry->d_name, stream->direction, stream->lines, size)) {
			snprintf(stream->held, sizeof(stream->held), "%s", entry->d_name);
			mark(stream->held, 1);
			found = 1;
		}
	if (folder)
		closedir(folder);
	return found;
}

static int hold_ended(struct stream *stream)
{
	char path[512];

	snprintf(path, sizeof(path), FOLDER "/holds/%s", stream->held);
	if (access(path, F_OK) == 0)
		return 0;
	mark(stream->held, 0);
	stream->held[0] = 0;
	return 1;
}

static int send_line(struct stream *stream, size_t size)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec part = { stream->lines, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (stream->passed >= 0) {
		struct cmsghdr *header;

		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &stream->passed, sizeof(int));
	}
	while (part.iov_len > 0) {
		ssize_t count = sendmsg(stream->to, &message, MSG_NOSIGNAL);

		if (count < 0 && errno != EINTR)
			return -1;
		if (count < 0)
			continue;
		part.iov_base = (char *)part.iov_base + count;
		part.iov_len -= (size_t)count;
		message.msg_control = NULL;
		message.msg_controllen = 0;
	}
	if (stream->passed >= 0)
		close(stream->passed);
	stream->passed = -1;
	return 0;
}

// Hands on what may go on; what a hold let go is not held by the next look at the same line.
static int pump(struct stream *stream)
{
	int freed = stream->held[0] && hold_ended(stream);
	char *end;

	while (!stream->held[0] && (end = memchr(stream->lines, '\n', stream->used))) {
		size_t size = (size_t)(end - stream->lines) + 1;

		if (!freed && hold_find(stream, size))
			break;
		freed = 0;
		if (send_line(stream, size) < 0)
			return -1;
		stream->used -= size;
		memmove(stream->lines, stream->lines + size, stream->used);
	}
	return 0;
}

static int hear(struct stream *stream)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec part = { stream->lines + stream->used, LINES_MAX - stream->used };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	ssize_t count = recvmsg(stream->from, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *header = count > 0 ? CMSG_FIRSTHDR(&message) : NULL;

	if (count <= 0)
		return count < 0 && errno == EINTR ? 0 : -1;
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(&stream->passed, CMSG_DATA(header), sizeof(int));
	stream->used += (size_t)count;
	return 0;
}

static void relay(int client, int monitor)
{
	struct stream streams[2] = { { client, monitor, "to", malloc(LINES_MAX), 0, -1, "" },
				     { monitor, client, "from", malloc(LINES_MAX), 0, -1, "" } };
	int good = streams[0].lines && streams[1].lines;

	while (good) {
		struct pollfd polls[2] = { { client, POLLIN, 0 }, { monitor, POLLIN, 0 } };
		int waits = streams[0].held[0] || streams[1].held[0];

		for (int i = 0; i < 2; i++)
			if (streams[i].used == LINES_MAX)
				polls[i].fd = -1;
		poll(polls, 2, waits ? LOOK_MS : -1);
		for (int i = 0; i < 2 && good; i++) {
			if (polls[i].fd >= 0 && polls[i].revents && hear(&streams[i]) < 0)
				good = 0;
			if (good && pump(&streams[i]) < 0)
				good = 0;
		}
	}
	// What was still held is lost with the connection, as it would be in a socket.
	for (int i = 0; i < 2; i++) {
		if (streams[i].held[0])
			mark(streams[i].held, 0);
		if (streams[i].passed >= 0)
			close(streams[i].passed);
		free(streams[i].lines);
	}
	close(client);
	close(monitor);
}

static void serve(int listener, const char *path)
{
	struct sockaddr_un address;

	for (;;) {
		int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		int monitor = -1;

		while (client >= 0 && monitor < 0) {
			monitor = unix_socket(path, &address);
			if (monitor >= 0 &&
			    connect(monitor, (struct sockaddr *)&address, sizeof(address)) == 0)
				break;
			close(monitor);
			monitor = -1;
			usleep(LOOK_MS * 1000);
		}
		if (client >= 0)
			relay(client, monitor);
	}
}

// Nothing of QEMU's is kept by the child: its leases end with its last descriptors.
static void serve_forked(const char *path, const char *real, int argc, char **argv)
{
	char *last = argv[argc - 1] + strlen(argv[argc - 1]);
	char behind[256];
	struct sockaddr_un address;
	pid_t qemu = getpid();
	int listener = unix_socket(path, &address);

	snprintf(behind, sizeof(behind), "%s", real);
	unlink(path);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listener, 1) || fork() != 0) {
		close(listener);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != qemu)
		_exit(1);
	dup2(listener, 3);
	close_range(4, ~0U, 0);
	for (int i = 0; i < 3; i++) {
		close(i);
		open("/dev/null", O_RDWR);
	}
	setsid();
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NAME, "qmp-tap");
	// Who looks for QEMU by its arguments is not to find this one.
	memset(argv[0], 0, (size_t)(last - argv[0]));
	memcpy(argv[0], "qmp-tap", 8);
	serve(3, behind);
}

int main(int argc, char **argv)
{
	static char chardev[512];
	struct stat status;

	for (int i = 1; i < argc && stat(FOLDER, &status) == 0; i++) {
		char path[256], real[256], *end;

		if (strncmp(argv[i], MONITOR, strlen(MONITOR)) != 0)
			continue;
		snprintf(path, sizeof(path), "%s", argv[i] + strlen(MONITOR));
		end = strchr(path, ',');
		if (!end)
			break;
		snprintf(chardev, sizeof(chardev), MONITOR "%.*s.real%s", (int)(end - path), path,
			 end);
		snprintf(real, sizeof(real), "%.*s.real", (int)(end - path), path);
		*end = 0;
		serve_forked(path, real, argc, argv);
		argv[i] = chardev;
		break;
	}
	execv(REAL, argv);
	perror(REAL);
	return 1;
}
