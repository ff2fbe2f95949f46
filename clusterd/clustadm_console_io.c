// SPDX-License-Identifier: Apache-2.0
// `vm console`: this terminal on the VM's serial console.
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "clusterd/clustadm_io.h"

enum { ESCAPE_KEY = 0x1d }; // Ctrl-]

static int console_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

static bool write_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t done = write(fd, bytes, size);

		if (done < 0 && errno != EINTR)
			return false;
		if (done > 0) {
			bytes += done;
			size -= (size_t)done;
		}
	}
	return true;
}

// Until the VM closes its end, Ctrl-], or a signal. The end of a piped input only ends the typing.
static void console_pump(int fd)
{
	struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
				 { .fd = fd, .events = POLLIN } };
	char bytes[4096];

	while (!session_interrupted()) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents) {
			ssize_t size = read(fd, bytes, sizeof(bytes));

			if (size <= 0 || !write_all(STDOUT_FILENO, bytes, (size_t)size))
				return;
		}
		if (fds[0].revents) {
			ssize_t size = read(STDIN_FILENO, bytes, sizeof(bytes));
			const char *escape =
				size > 0 ? memchr(bytes, ESCAPE_KEY, (size_t)size) : NULL;

			if (size <= 0)
				fds[0].fd = -1;
			else if (!write_all(fd, bytes,
					    escape ? (size_t)(escape - bytes) : (size_t)size))
				return;
			if (escape)
				return;
		}
	}
}

static enum exit_status console_run(struct session *session, const char *name, const char *path)
{
	struct termios saved, raw;
	bool terminal = tcgetattr(STDIN_FILENO, &saved) == 0;
	char reason[512];
	int fd = console_connect(path);

	if (fd < 0) {
		snprintf(reason, sizeof(reason), "%s: %s", path, strerror(-fd));
		return session_fail(session, fd == -EACCES ? EXIT_NO_DAEMON : EXIT_REFUSED,
				    "console", reason,
				    fd == -EACCES ? "use it as root" : "is it open elsewhere?");
	}
	if (!session->invocation->quiet)
		fprintf(stderr, "Console of %s; Ctrl-] ends.\n", name);
	if (terminal) {
		raw = saved;
		cfmakeraw(&raw);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	console_pump(fd);
	if (terminal)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	close(fd);
	if (terminal)
		fputc('\n', stderr);
	return EXIT_DONE;
}

enum exit_status clustadm_vm_console(struct session *session)
{
	const char *name = session->invocation->argv[0];
	char reason[256], fix[256];
	enum exit_status status;
	const char *node;
	json_t *vm;

	status = session_ask(session, ask_new("vm show", name), &vm);
	if (status != EXIT_DONE)
		return status;
	node = json_word(vm, "node");
	if (!json_flag(vm, "has_console")) {
		snprintf(reason, sizeof(reason), "%s has no console", name);
		status = session_fail(session, EXIT_REFUSED, "no-console", reason,
				      "add <console/> to its definition, and start it anew");
	} else if (!*node) {
		snprintf(reason, sizeof(reason), "%s runs nowhere: it is %s", name,
			 json_word(vm, "state"));
		snprintf(fix, sizeof(fix), "clustadm vm start %s", name);
		status = session_fail(session, EXIT_REFUSED, "not-running", reason, fix);
	} else if (!json_flag(vm, "here")) {
		snprintf(reason, sizeof(reason), "%s runs on %s, and its console is there", name,
			 node);
		snprintf(fix, sizeof(fix), "on %s: clustadm vm console %s", node, name);
		status = session_fail(session, EXIT_REFUSED, "elsewhere", reason, fix);
	} else if (!*json_word(vm, "console")) {
		status = session_fail(session, EXIT_REFUSED, "not-running", "it is not up yet",
				      "try again");
	} else {
		status = console_run(session, name, json_word(vm, "console"));
	}
	json_decref(vm);
	return status;
}
