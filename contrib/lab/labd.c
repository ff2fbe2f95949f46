// SPDX-License-Identifier: Apache-2.0
// The lab's outside: PID 1 of namespaces that hold the whole lab, it switches the nodes' power,
// watches their watchdogs, and takes everything with it when it is killed.
#include "labsock.h"

#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define NODES_MAX 8
#define CLIENTS_MAX 64
#define WAITERS_MAX 16
#define SECOND_NS 1000000000LL
// A process that waits in a FUSE request which nobody will answer dies only when that ends.
#define ABORT_AFTER_NS 2000000LL
#define TASK_EXITING 0x4 // PF_EXITING in the flags that /proc/PID/stat shows
#define WATCHDOG_S 60

enum fence_mode { FENCE_OK, FENCE_FAIL, FENCE_HANG, FENCE_LIE };

struct watchdog {
	bool armed;
	bool closing;
	int fd;
	int timeout_s;
	long long fed_ns;
};

struct node {
	char name[16];
	pid_t pid;
	enum fence_mode fence;
	long long off_asked_ns;
	int proc;
	int clean_scans;
	bool ended;
	bool aborted;
	int boot_waiter;
	int waiters[WAITERS_MAX];
	int waiters_count;
	struct watchdog watchdog;
};

struct client {
	int fd;
	struct node *watchdog_of;
};

struct labd {
	const char *dir;
	int listener;
	int signals;
	int events;
	int nodes_count;
	struct node nodes[NODES_MAX];
	struct client clients[CLIENTS_MAX];
	pid_t observer;
};

__attribute__((format(printf, 2, 3)))
static void event(struct labd *lab, const char *format, ...)
{
	char text[256];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	dprintf(lab->events, "%lld %lld %s\n", lab_clock_ns(CLOCK_MONOTONIC),
		lab_clock_ns(CLOCK_REALTIME), text);
}

static struct node *node_find(struct labd *lab, const char *name)
{
	for (int i = 0; i < lab->nodes_count; i++)
		if (strcmp(lab->nodes[i].name, name) == 0)
			return &lab->nodes[i];
	return NULL;
}

__attribute__((format(printf, 1, 2)))
static int run(const char *format, ...)
{
	char command[2048];
	va_list list;
	int status;

	va_start(list, format);
	vsnprintf(command, sizeof(command), format, list);
	va_end(list);
	status = system(command);
	return status == 0 ? 0 : -EIO;
}

// --- making namespaces ------------------------------------------------------------------------

static pid_t fork_into(unsigned long flags)
{
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
}

static void child_reset(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static pid_t holder_start(const char *name)
{
	pid_t pid = fork_into(CLONE_NEWNET);

	if (pid == 0) {
		prctl(PR_SET_NAME, name);
		child_reset();
		for (;;)
			pause();
	}
	return pid;
}

static int network_make(struct labd *lab)
{
	int error;

	error = run("for i in all default; do "
		    "echo 1 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done 2>/dev/null; "
		    "ip -batch - <<END\n"
		    "link set lo up\n"
		    "link add clu type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n"
		    "link add vmnet type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n"
		    "link set clu up\n"
		    "link set vmnet up\n"
		    "END\n");
	if (error)
		return error;
	lab->observer = holder_start("lab-observer");
	if (lab->observer < 0)
		return -errno;
	return run("ip link add v-obs type veth peer name eth0 netns %d && "
		   "ip link set v-obs master vmnet up && nsenter -t %d -n ip -batch - <<END\n"
		   "link set lo up\n"
		   "addr add 10.98.0.1/24 dev eth0\n"
		   "link set eth0 up\n"
		   "END\n", lab->observer, lab->observer);
}

static int node_cable(struct node *node, pid_t pid)
{
	char link[32];
	int id = atoi(node->name + 1);

	// The pair of a node that was cut off goes in the background, later than its processes.
	for (const char *kind = "cv"; *kind; kind++) {
		snprintf(link, sizeof(link), "%c-%s", *kind, node->name);
		if (if_nametoindex(link))
			run("ip link del %s 2>/dev/null", link);
	}
	return run("ip -batch - <<END\n"
		   "link add c-n%d type veth peer name eth0 netns %d\n"
		   "link set c-n%d master clu up\n"
		   "link add v-n%d type veth peer name vm0 netns %d\n"
		   "link set v-n%d master vmnet up\n"
		   "END\n", id, pid, id, id, pid, id);
}

static int node_boot(struct labd *lab, struct node *node)
{
	char path[512];
	char go;
	int pipe_fds[2];
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC))
		return -errno;
	snprintf(path, sizeof(path), "%s/nodes/%s/state", lab->dir, node->name);
	unlink(path);
	snprintf(path, sizeof(path), "%s/cache/bin/node-init", lab->dir);
	pid = fork_into(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC);
	if (pid == 0) {
		child_reset();
		setsid();
		close(pipe_fds[1]);
		if (read(pipe_fds[0], &go, 1) == 1)
			execl(path, "node-init", lab->dir, node->name, NULL);
		_exit(127);
	}
	close(pipe_fds[0]);
	if (pid < 0 || node_cable(node, pid)) {
		close(pipe_fds[1]);
		if (pid > 0) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
		return -EIO;
	}
	node->pid = pid;
	node->off_asked_ns = 0;
	node->clean_scans = 0;
	node->ended = false;
	node->aborted = false;
	node->proc = -1;
	event(lab, "%s on", node->name);
	if (write(pipe_fds[1], "g", 1) != 1)
		event(lab, "%s cannot start", node->name);
	close(pipe_fds[1]);
	return 0;
}

static void answer(int fd, const char *text)
{
	dprintf(fd, "%s\n", text);
	close(fd);
}

static bool node_is_on(const struct node *node)
{
	return node->pid && !node->ended;
}

// --- power off --------------------------------------------------------------------------------

static void node_off(struct labd *lab, struct node *node, const char *why)
{
	char path[64];

	if (!node->pid || node->off_asked_ns)
		return;
	// The node's own view of its processes, which lists those and no other.
	snprintf(path, sizeof(path), "/proc/%d/root/proc", node->pid);
	node->proc = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	node->off_asked_ns = lab_clock_ns(CLOCK_MONOTONIC);
	kill(node->pid, SIGKILL);
	event(lab, "%s off begins: %s", node->name, why);
}

static bool task_exiting(int tasks, const char *name)
{
	char path[300], text[512];
	unsigned int flags;
	const char *rest;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/stat", name);
	fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return true;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (got <= 0)
		return true;
	text[got] = 0;
	rest = strrchr(text, ')');
	if (!rest || sscanf(rest, ") %*c %*d %*d %*d %*d %*d %u", &flags) != 1)
		return false;
	return flags & TASK_EXITING;
}

static bool tasks_exiting(int parent, const char *path, bool processes)
{
	char below[300];
	struct dirent *entry;
	bool exiting = true;
	int fd = openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	while (dir && exiting && (entry = readdir(dir))) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		snprintf(below, sizeof(below), "%s/task", entry->d_name);
		exiting = processes ? tasks_exiting(fd, below, false) :
				      task_exiting(fd, entry->d_name);
	}
	if (dir)
		closedir(dir);
	return exiting;
}

static void node_abort_fuse(struct labd *lab, struct node *node)
{
	char path[512];
	unsigned int device = 0;
	FILE *file;
	int fd;

	node->aborted = true;
	snprintf(path, sizeof(path), "%s/nodes/%s/fuse", lab->dir, node->name);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fscanf(file, "%u", &device) == 1) {
		snprintf(path, sizeof(path), "%s/run/fusectl/%u/abort", lab->dir, device);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0) {
			if (write(fd, "1", 1) == 1)
				event(lab, "%s storage connection aborted", node->name);
			close(fd);
		}
	}
	fclose(file);
}

static void node_ended(struct labd *lab, struct node *node, const char *how)
{
	long long now = lab_clock_ns(CLOCK_MONOTONIC);

	node->ended = true;
	node->watchdog.armed = false;
	event(lab, "%s off after %lld us: %s", node->name, (now - node->off_asked_ns) / 1000, how);
	for (int i = 0; i < node->waiters_count; i++) {
		dprintf(node->waiters[i], "ok off %lld %lld\n", node->off_asked_ns, now);
		close(node->waiters[i]);
	}
	node->waiters_count = 0;
}

/*
 * What proves power off. A thread that is exiting runs no line of its program again and is in no
 * system call any more, so it has no write under way either (that of a thread inside pwrite ends
 * before the thread does). When every thread of the node is that far, nothing of it can touch the
 * storage or the network: what is left is the kernel's tidying (an aio context alone takes 30 ms),
 * which is waited for before the next boot, not before the answer. A child can be born only from a
 * parent that is not exiting yet, and might have been listed too late; so two clean looks in a row.
 */
static void node_look(struct labd *lab, struct node *node)
{
	if (!node->pid || !node->off_asked_ns || node->ended || node->proc < 0)
		return;
	for (;;) {
		if (!tasks_exiting(node->proc, ".", true)) {
			node->clean_scans = 0;
			return;
		}
		if (++node->clean_scans == 2)
			break;
	}
	node_ended(lab, node, "every thread has ended");
}

// The kernel lets a PID namespace's init be reaped only when no other process of it is left.
static void node_gone(struct labd *lab, struct node *node)
{
	int fd = node->boot_waiter;

	if (!node->off_asked_ns) {
		node->off_asked_ns = lab_clock_ns(CLOCK_MONOTONIC);
		event(lab, "%s went off by itself", node->name);
	}
	if (!node->ended)
		node_ended(lab, node, "no process is left");
	if (node->proc >= 0)
		close(node->proc);
	node->proc = -1;
	node->pid = 0;
	node->boot_waiter = -1;
	if (fd >= 0)
		answer(fd, node_boot(lab, node) ? "error cannot boot" : "ok on");
}

static void reap(struct labd *lab)
{
	struct signalfd_siginfo info;
	pid_t pid;

	while (read(lab->signals, &info, sizeof(info)) == sizeof(info))
		;
	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		for (int i = 0; i < lab->nodes_count; i++)
			if (lab->nodes[i].pid == pid)
				node_gone(lab, &lab->nodes[i]);
}

// --- watchdogs --------------------------------------------------------------------------------

static void watchdog_open(struct labd *lab, struct client *client, struct node *node)
{
	client->watchdog_of = node;
	node->watchdog = (struct watchdog){ .armed = true, .fd = client->fd,
					    .timeout_s = WATCHDOG_S,
					    .fed_ns = lab_clock_ns(CLOCK_MONOTONIC) };
	event(lab, "%s watchdog opened", node->name);
}

static void watchdog_read(struct labd *lab, struct client *client)
{
	struct node *node = client->watchdog_of;
	struct watchdog *watchdog = &node->watchdog;
	char bytes[64];
	bool taken_over;
	ssize_t got = read(client->fd, bytes, sizeof(bytes));

	for (ssize_t i = 0; i < got; i++) {
		watchdog->closing = bytes[i] == 'V';
		if (bytes[i] == 'T' && i + 1 < got)
			watchdog->timeout_s = bytes[++i];
		watchdog->fed_ns = lab_clock_ns(CLOCK_MONOTONIC);
		if (bytes[i] == 'K')
			event(lab, "%s watchdog fed", node->name);
	}
	if (got > 0)
		return;
	close(client->fd);
	taken_over = watchdog->fd != client->fd;
	client->fd = -1;
	client->watchdog_of = NULL;
	if (taken_over || !node->pid)
		return;
	if (watchdog->closing)
		watchdog->armed = false;
	event(lab, "%s watchdog closed %s", node->name,
	      watchdog->closing ? "cleanly" : "uncleanly");
}

static void watchdog_check(struct labd *lab, struct node *node, long long now)
{
	struct watchdog *watchdog = &node->watchdog;

	if (!watchdog->armed || !node->pid)
		return;
	if (now < watchdog->fed_ns + watchdog->timeout_s * SECOND_NS)
		return;
	watchdog->armed = false;
	node_off(lab, node, "watchdog not fed");
}

// --- being asked ------------------------------------------------------------------------------

static void ask_off(struct labd *lab, struct node *node, int fd, const char *why)
{
	if (!node_is_on(node)) {
		answer(fd, "ok off");
		return;
	}
	if (node->waiters_count == WAITERS_MAX) {
		answer(fd, "error too many ask");
		return;
	}
	node->waiters[node->waiters_count++] = fd;
	node_off(lab, node, why);
}

static void ask_on(struct labd *lab, struct node *node, int fd)
{
	if (node->pid && node->off_asked_ns && node->boot_waiter >= 0)
		answer(fd, "error is being switched on already");
	else if (node->pid && node->off_asked_ns)
		node->boot_waiter = fd;
	else if (node->pid || node_boot(lab, node) == 0)
		answer(fd, "ok on");
	else
		answer(fd, "error cannot boot");
}

static void ask_list(struct labd *lab, int fd, bool fence)
{
	dprintf(fd, "ok list\n");
	for (int i = 0; i < lab->nodes_count; i++) {
		struct node *node = &lab->nodes[i];

		if (fence)
			dprintf(fd, "%s,%s\n", node->name, node->name);
		else
			dprintf(fd, "%s %s %d watchdog=%s\n", node->name,
				node_is_on(node) ? "on" : "off", node->pid,
				node->watchdog.armed ? "armed" : "off");
	}
	close(fd);
}

static void ask_fence(struct labd *lab, const char *verb, const char *name, int fd)
{
	struct node *node = node_find(lab, name);

	if (strcmp(verb, "list") == 0) {
		ask_list(lab, fd, true);
		return;
	}
	if (!node) {
		answer(fd, "error no such node");
		return;
	}
	event(lab, "%s fence asked: %s", node->name, verb);
	if (node->fence == FENCE_HANG)
		return; // never answered; the asker's end closes when its patience does
	if (node->fence == FENCE_FAIL)
		answer(fd, "error the device was told to fail");
	else if (strcmp(verb, "status") == 0)
		answer(fd, node_is_on(node) ? "ok on" : "ok off");
	else if (node->fence == FENCE_LIE)
		answer(fd, strcmp(verb, "off") == 0 ? "ok off" : "ok on");
	else if (strcmp(verb, "off") == 0)
		ask_off(lab, node, fd, "fence");
	else if (strcmp(verb, "on") == 0)
		ask_on(lab, node, fd);
	else
		answer(fd, "error unknown verb");
}

static void ask_mode(struct node *node, const char *word, int fd)
{
	static const char *const words[] = { "ok", "fail", "hang", "lie" };

	for (int i = 0; i < 4; i++) {
		if (strcmp(word, words[i]) == 0) {
			node->fence = (enum fence_mode)i;
			answer(fd, "ok");
			return;
		}
	}
	answer(fd, "error a fence device is ok, fail, hang or lie");
}

static void ask_node(struct labd *lab, struct client *client, struct node *node, const char *verb,
		     const char *word)
{
	char text[64];

	if (strcmp(verb, "watchdog") == 0) {
		watchdog_open(lab, client, node);
		return;
	}
	if (strcmp(verb, "off") == 0) {
		ask_off(lab, node, client->fd, "power cut");
	} else if (strcmp(verb, "boot") == 0) {
		ask_on(lab, node, client->fd);
	} else if (strcmp(verb, "mode") == 0) {
		ask_mode(node, word, client->fd);
	} else if (strcmp(verb, "pid") == 0) {
		snprintf(text, sizeof(text), node_is_on(node) ? "ok %d" : "error node %d is off",
			 node_is_on(node) ? node->pid : atoi(node->name + 1));
		answer(client->fd, text);
	} else {
		answer(client->fd, "error unknown verb");
	}
	client->fd = -1;
}

static void client_read(struct labd *lab, struct client *client)
{
	char line[256] = "", verb[16] = "", first[64] = "", second[64] = "", text[64];
	size_t length = 0;
	struct node *node;

	// Byte by byte up to the line's end: what follows belongs to the watchdog.
	while (length + 1 < sizeof(line) && read(client->fd, line + length, 1) == 1 &&
	       line[length] != '\n')
		length++;
	line[length] = 0;
	sscanf(line, "%15s %63s %63s", verb, first, second);
	if (strcmp(verb, "fence") == 0) {
		ask_fence(lab, first, second, client->fd);
	} else if (strcmp(verb, "list") == 0) {
		ask_list(lab, client->fd, false);
	} else if (strcmp(verb, "pid") == 0 && strcmp(first, "observer") == 0) {
		snprintf(text, sizeof(text), "ok %d", lab->observer);
		answer(client->fd, text);
	} else {
		node = node_find(lab, first);
		if (node) {
			ask_node(lab, client, node, verb, second);
			return;
		}
		answer(client->fd, "error no such node");
	}
	client->fd = -1;
}

static void client_accept(struct labd *lab)
{
	int fd = accept4(lab->listener, NULL, NULL, SOCK_CLOEXEC);

	for (int i = 0; fd >= 0 && i < CLIENTS_MAX; i++) {
		if (lab->clients[i].fd < 0) {
			lab->clients[i] = (struct client){ .fd = fd };
			return;
		}
	}
	if (fd >= 0)
		close(fd);
}

// --- the loop ---------------------------------------------------------------------------------

static void tick(struct labd *lab)
{
	long long now = lab_clock_ns(CLOCK_MONOTONIC);

	for (int i = 0; i < lab->nodes_count; i++) {
		struct node *node = &lab->nodes[i];

		watchdog_check(lab, node, now);
		node_look(lab, node);
		if (node_is_on(node) && node->off_asked_ns && !node->aborted &&
		    now > node->off_asked_ns + ABORT_AFTER_NS)
			node_abort_fuse(lab, node);
	}
}

static void loop(struct labd *lab)
{
	for (;;) {
		struct pollfd fds[CLIENTS_MAX + 2];
		struct client *of[CLIENTS_MAX + 2];
		nfds_t count = 2;
		int timeout_ms = 50;

		for (int i = 0; i < lab->nodes_count; i++)
			if (node_is_on(&lab->nodes[i]) && lab->nodes[i].off_asked_ns)
				timeout_ms = 1;
		fds[0] = (struct pollfd){ .fd = lab->signals, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = lab->listener, .events = POLLIN };
		for (int i = 0; i < CLIENTS_MAX; i++) {
			if (lab->clients[i].fd < 0)
				continue;
			of[count] = &lab->clients[i];
			fds[count++] = (struct pollfd){ .fd = lab->clients[i].fd,
							.events = POLLIN };
		}
		poll(fds, count, timeout_ms);
		if (fds[0].revents)
			reap(lab);
		for (nfds_t i = 2; i < count; i++) {
			if (!fds[i].revents)
				continue;
			if (of[i]->watchdog_of)
				watchdog_read(lab, of[i]);
			else
				client_read(lab, of[i]);
		}
		if (fds[1].revents)
			client_accept(lab);
		tick(lab);
	}
}

static int lab_open(struct labd *lab)
{
	char path[512];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigdelset(&set, SIGPIPE);
	lab->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	for (int i = 0; i < CLIENTS_MAX; i++)
		lab->clients[i].fd = -1;
	snprintf(path, sizeof(path), "%s/events.log", lab->dir);
	lab->events = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		return -errno;
	snprintf(path, sizeof(path), "%s/run/fusectl", lab->dir);
	mkdir(path, 0755);
	if (mount("fusectl", path, "fusectl", 0, NULL))
		return -errno;
	if (network_make(lab))
		return -EIO;
	snprintf(path, sizeof(path), "%s/run/labd.sock", lab->dir);
	lab->listener = lab_listen(path);
	return lab->listener < 0 ? lab->listener : 0;
}

static void lab_run(const char *dir, int nodes, int ready)
{
	const struct sched_param soon = { .sched_priority = 2 };
	static struct labd lab;
	int error;

	setsid();
	// It stands for hardware, which does not wait for the hosts' load. Its children do.
	sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &soon);
	prctl(PR_SET_NAME, "labd");
	lab.dir = dir;
	lab.nodes_count = nodes;
	for (int i = 0; i < nodes; i++) {
		lab.nodes[i].proc = -1;
		lab.nodes[i].boot_waiter = -1;
		snprintf(lab.nodes[i].name, sizeof(lab.nodes[i].name), "n%d", i + 1);
	}
	error = lab_open(&lab);
	if (error) {
		fprintf(stderr, "labd: cannot start: %s\n", strerror(-error));
		_exit(1);
	}
	if (write(ready, "r", 1) != 1)
		_exit(1);
	close(ready);
	loop(&lab);
}

static int pid_save(const char *dir, pid_t pid)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/labd.pid", dir);
	file = fopen(path, "we");
	if (!file)
		return -errno;
	fprintf(file, "%d\n", pid);
	return fclose(file) ? -errno : 0;
}

/*
 * The child makes nothing before its pid is on disk, and ends if its parent dies first: so there is
 * no moment at which a killed `lab up` leaves something behind that `lab down` would not find.
 */
int main(int argc, char **argv)
{
	int ready[2], go[2];
	char byte;
	pid_t pid;

	if (argc != 3 || atoi(argv[2]) < 1 || atoi(argv[2]) > NODES_MAX) {
		fprintf(stderr, "usage: labd DIR NODES\n");
		return 2;
	}
	if (pipe2(ready, O_CLOEXEC) || pipe2(go, O_CLOEXEC))
		return 1;
	pid = fork_into(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC);
	if (pid < 0) {
		perror("labd: namespaces");
		return 1;
	}
	if (pid == 0) {
		close(ready[0]);
		close(go[1]);
		if (read(go[0], &byte, 1) != 1)
			_exit(1);
		lab_run(argv[1], atoi(argv[2]), ready[1]);
	}
	close(ready[1]);
	if (pid_save(argv[1], pid) || write(go[1], "g", 1) != 1)
		return 1;
	return read(ready[0], &byte, 1) == 1 ? 0 : 1;
}
