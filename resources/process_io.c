// SPDX-License-Identifier: Apache-2.0
#include "resources/process_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clusterd/exec_io.h"
#include "resources/launch.h"

enum {
	ABANDON_PATIENCE_MS = 1000,
	KILL_PATIENCE_MS = 10000,
	LOG_SIZE_MAX = 256 * 1024,
	ARGS_MAX = 16 + 2 * VM_NICS_MAX,
};

struct process {
	const struct process_config *config;
	struct process_listener listener;
	struct uuid uuid;
	pid_t pid;
	uint64_t start;
	int pid_fd;
	int control_fd;			// to the launcher; -1 once it became QEMU
	bool ready, child, executed;
	struct lock_daemon sanlock;
	char log_path[512];
	char failure[256];		// the launcher's own last words
	struct loop_timer timer;
};

static void process_log_path(const struct process_config *config, const struct uuid *uuid,
			     char *path, size_t size)
{
	char text[37];

	record_uuid_text(uuid, text);
	snprintf(path, size, "%.400s/vms/%s.log", config->run_dir, text);
}

// The end of the log on one line: what QEMU said before it ended.
static void process_last_words(const struct process *process, char *text, size_t size)
{
	int fd = open(process->log_path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	ssize_t count = 0;
	char *at;

	text[0] = 0;
	if (fd < 0)
		return;
	if (fstat(fd, &status) == 0) {
		off_t from =
			status.st_size > (off_t)size - 1 ? status.st_size - ((off_t)size - 1) : 0;

		count = pread(fd, text, size - 1, from);
	}
	close(fd);
	text[count > 0 ? count : 0] = 0;
	for (at = text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 127)
			*at = at[1] ? ' ' : 0;
}

// An adopted process is no child of ours: its status went to init.
static void process_end_text(struct process *process, char *reason, size_t size)
{
	siginfo_t info = { 0 };
	char words[112];
	const char *what = process->executed ? "QEMU" : "its child";
	char status[48] = "";

	if (process->child &&
	    waitid(P_PIDFD, (id_t)process->pid_fd, &info, WEXITED | WNOHANG) == 0 && info.si_pid) {
		if (info.si_code == CLD_EXITED)
			snprintf(status, sizeof(status), " with status %d", info.si_status);
		else
			snprintf(status, sizeof(status), " by signal %d (%s)", info.si_status,
				 sigabbrev_np(info.si_status) ? sigabbrev_np(info.si_status) : "?");
	}
	process_last_words(process, words, sizeof(words));
	if (process->failure[0])
		snprintf(reason, size, "%.180s", process->failure);
	else
		snprintf(reason, size, "%s ended%s%s%s", what, status, words[0] ? ": " : "", words);
}

static void process_drop_control(struct process *process)
{
	if (process->control_fd < 0)
		return;
	loop_del_fd(process->config->loop, process->control_fd);
	close(process->control_fd);
	process->control_fd = -1;
}

static void process_gone(void *owner, int fd, uint32_t events)
{
	struct process *process = owner;
	char packet[256], reason[REASON_SIZE];
	ssize_t size;

	(void)events;
	// Why a launcher ended may still be on its way, behind what it said before.
	while (process->control_fd >= 0 &&
	       (size = recv(process->control_fd, packet, sizeof(packet) - 1, MSG_DONTWAIT)) > 0)
		if (size > 1 && packet[0] == LAUNCH_FAILED)
			snprintf(process->failure, sizeof(process->failure), "%.*s", (int)size - 1,
				 packet + 1);
	process_drop_control(process);
	loop_timer_cancel(&process->timer);
	process_end_text(process, reason, sizeof(reason));
	loop_del_fd(process->config->loop, fd);
	close(fd);
	process->pid_fd = -1;
	if (process->ready)
		process->listener.exited(process->listener.owner, reason);
	else
		process->listener.spawned(process->listener.owner, false, reason);
}

// Of no use, and perhaps it would wait for ever: its end is the answer that is due.
static void process_end_useless(struct process *process, const char *why)
{
	if (!process->failure[0])
		snprintf(process->failure, sizeof(process->failure), "%s", why);
	process_kill(process);
}

static void process_heard_ready(struct process *process, const char *text)
{
	int pid;

	if (sscanf(text, "%d %" SCNu64, &pid, &process->sanlock.start) != 2) {
		process_end_useless(process, "its child says what is not understood");
		return;
	}
	process->sanlock.pid = pid;
	process->ready = true;
	process->listener.spawned(process->listener.owner, true, NULL);
}

static void process_heard(void *owner, int fd, uint32_t events)
{
	struct process *process = owner;
	char packet[256];
	ssize_t size = recv(fd, packet, sizeof(packet) - 1, MSG_DONTWAIT);

	(void)events;
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size <= 0) {
		// It became QEMU, or it ended: then the process's own descriptor says so.
		process_drop_control(process);
		if (!process->executed)
			process_kill(process);	// should it live, it could not be spoken to
		else if (!process->failure[0])
			process->listener.executed(process->listener.owner);
		return;
	}
	packet[size] = 0;
	if (packet[0] == LAUNCH_READY && !process->ready)
		process_heard_ready(process, packet + 1);
	else if (packet[0] == LAUNCH_FAILED)
		snprintf(process->failure, sizeof(process->failure), "%s", packet + 1);
	else
		process_end_useless(process, "its child says what is not understood");
}

static int process_watch(struct process *process)
{
	process->start = exec_start_time(process->pid, NULL);
	if (process->pid_fd < 0)
		process->pid_fd = pidfd_open(process->pid, 0);
	if (process->pid_fd < 0)
		return -errno;
	return loop_add_fd(process->config->loop, process->pid_fd, POLLIN, process_gone, process);
}

static int process_start_child(struct process *process, char *const *argv, int control_fd)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	char *const environment[] = { NULL };
	int error;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_addopen(&actions, 1, process->log_path,
					 O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	posix_spawn_file_actions_adddup2(&actions, control_fd, LAUNCH_FD);
	posix_spawn_file_actions_addclosefrom_np(&actions, LAUNCH_FD + 1);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	error = posix_spawn(&process->pid, process->config->launch_path, &actions, &attr, argv,
			    environment);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return -error;
}

static int process_launch(struct process *process, const char *const *bridges)
{
	const struct process_config *config = process->config;
	char uid[16], gid[16], kvm_gid[16], name[37];
	char *argv[ARGS_MAX] = { (char *)"clusterd-launch", uid, gid, kvm_gid, name };
	int pair[2], i, error, one = 1;

	snprintf(uid, sizeof(uid), "%d", (int)config->uid);
	snprintf(gid, sizeof(gid), "%d", (int)config->gid);
	snprintf(kvm_gid, sizeof(kvm_gid), "%d", (int)config->kvm_gid);
	record_uuid_text(&process->uuid, name);
	for (i = 0; bridges && bridges[i] && i < 2 * VM_NICS_MAX; i++)
		argv[5 + i] = (char *)bridges[i];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &(int){ 4 * LAUNCH_PACKET_MAX }, sizeof(one));
	error = process_start_child(process, argv, pair[1]);
	close(pair[1]);
	if (error) {
		close(pair[0]);
		return error;
	}
	process->child = true;
	process->control_fd = pair[0];
	return 0;
}

int process_spawn(struct process **result, const struct process_config *config,
		  const struct process_listener *listener, const struct uuid *uuid,
		  const char *const *bridges)
{
	struct process *process = calloc(1, sizeof(*process));
	int error;

	if (!process)
		return -ENOMEM;
	process->config = config;
	process->listener = *listener;
	process->uuid = *uuid;
	process->pid_fd = process->control_fd = -1;
	process_log_path(config, uuid, process->log_path, sizeof(process->log_path));
	error = process_launch(process, bridges);
	if (!error)
		error = process_watch(process);
	if (!error)
		error = loop_add_fd(config->loop, process->control_fd, POLLIN, process_heard,
				    process);
	if (error) {
		process_close(process);
		return error;
	}
	*result = process;
	return 0;
}

int process_adopt(struct process **result, const struct process_config *config,
		  struct process_listener listener, const struct record *record)
{
	struct process *process = calloc(1, sizeof(*process));
	int error;

	if (!process)
		return -ENOMEM;
	process->config = config;
	process->listener = listener;
	process->uuid = record->uuid;
	process->pid = record->pid;
	process->sanlock = record->sanlock;
	process->control_fd = -1;
	process->ready = process->executed = true;
	process_log_path(config, &record->uuid, process->log_path, sizeof(process->log_path));
	process->pid_fd = record_process(record);
	error = process->pid_fd < 0 ? process->pid_fd : process_watch(process);
	if (error) {
		process_close(process);
		return error;
	}
	*result = process;
	return 0;
}

void process_close(struct process *process)
{
	if (!process)
		return;
	loop_timer_cancel(&process->timer);
	process_drop_control(process);
	if (process->pid_fd >= 0) {
		loop_del_fd(process->config->loop, process->pid_fd);
		close(process->pid_fd);
	}
	free(process);
}

pid_t process_pid(const struct process *process)
{
	return process->pid;
}

void process_record(const struct process *process, struct record *record)
{
	record->pid = process->pid;
	record->start = process->start;
	record->sanlock = process->sanlock;
	if (!record_boot(record->boot))
		record->boot[0] = 0;
}

int process_exec(struct process *process, const char *const *argv)
{
	char *packet;
	size_t used = 1;
	ssize_t sent;
	int error, i;

	if (process->control_fd < 0)
		return -ESRCH;
	packet = malloc(LAUNCH_PACKET_MAX);
	if (!packet)
		return -ENOMEM;
	packet[0] = LAUNCH_GO;
	for (i = 0; argv[i]; i++) {
		size_t size = strlen(argv[i]) + 1;

		if (used + size > LAUNCH_PACKET_MAX) {
			free(packet);
			return -E2BIG;
		}
		memcpy(packet + used, argv[i], size);
		used += size;
	}
	sent = send(process->control_fd, packet, used, MSG_NOSIGNAL);
	error = sent < 0 ? -errno : 0;
	process->executed = !error;
	free(packet);
	return error;
}

static void process_outlived(void *owner)
{
	struct process *process = owner;
	char reason[REASON_SIZE];

	snprintf(reason, sizeof(reason),
		 "process %d is still there %d s after SIGKILL: it hangs in the kernel",
		 (int)process->pid, KILL_PATIENCE_MS / 1000);
	process->listener.unkillable(process->listener.owner, reason);
	loop_timer_ms(process->config->loop, &process->timer, KILL_PATIENCE_MS, process_outlived,
		      process);
}

static void process_lingers(void *owner)
{
	process_kill(owner);
}

void process_kill(struct process *process)
{
	if (process->pid_fd < 0)
		return;
	pidfd_send_signal(process->pid_fd, SIGKILL, NULL, 0);
	if (!process->timer.armed || process->timer.fn != process_outlived)
		loop_timer_ms(process->config->loop, &process->timer, KILL_PATIENCE_MS,
			      process_outlived, process);
}

void process_abandon(struct process *process)
{
	process_drop_control(process);
	if (!process->timer.armed)
		loop_timer_ms(process->config->loop, &process->timer, ABANDON_PATIENCE_MS,
			      process_lingers, process);
}

static bool is_connecting(int fd)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
	       info.tcpi_state == TCP_SYN_SENT;
}

/*
 * QEMU waits in connect() until TCP gives up, two minutes, and neither cancelling nor its own means
 * to break connections off reach that. A shutdown of the socket does; the descriptor is QEMU's, and
 * a copy of it is as good.
 */
void process_stop_connecting(const struct process *process)
{
	char path[64];
	struct dirent *entry;
	DIR *folder;

	if (process->pid_fd < 0)
		return;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)process->pid);
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		int fd = entry->d_name[0] == '.'
				 ? -1
				 : pidfd_getfd(process->pid_fd, atoi(entry->d_name), 0);

		if (fd >= 0 && is_connecting(fd))
			shutdown(fd, SHUT_RDWR);
		if (fd >= 0)
			close(fd);
	}
	if (folder)
		closedir(folder);
}

void process_trim_log(const struct process *process)
{
	struct stat status;

	// Its writer appends, so it goes on at the beginning.
	if (stat(process->log_path, &status) == 0 && status.st_size > LOG_SIZE_MAX)
		(void)!truncate(process->log_path, 0);
}
