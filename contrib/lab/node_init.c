// SPDX-License-Identifier: Apache-2.0
// PID 1 of a node of the lab: gives it a root, devices and network of its own, then starts its
// services in order and restarts them as their units would.
#include "labsock.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define SERVICES_MAX 8
#define PLACES_MAX 8
#define RESTART_AFTER_NS 1000000000LL
#define STOP_WITHIN_NS 10000000000LL
#define READY_WITHIN_NS 15000000000LL
#define SYSRQ "/run/sysrq-trigger"
#define STAT_EVERY_NS 2000000000LL

struct service {
	char name[24];
	pid_t pid;
	bool wanted;
	bool started;
	int status;
	long long since_ns;
	long long restart_ns;
	long long kill_ns;
	int client;
};

struct init {
	const char *dir;
	const char *node;
	char home[256];
	int id;
	int signals;
	int listener;
	int sysrq;
	int machine_stat; // the machine's /proc/stat
	int node_stat;	  // what the node sees instead
	long long stat_ns;
	int count;
	int starting;
	long long starting_since_ns;
	struct service services[SERVICES_MAX];
};

static void die(const char *what)
{
	fprintf(stderr, "node-init: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void dir_make(const char *path, mode_t mode)
{
	if (mkdir(path, mode) && errno != EEXIST)
		die(path);
	chmod(path, mode);
}

static void bind_mount(const char *from, const char *to)
{
	if (mount(from, to, NULL, MS_BIND | MS_REC, NULL))
		die(to);
}

static void tmpfs(const char *to, const char *options)
{
	if (mount("tmpfs", to, "tmpfs", 0, options))
		die(to);
}

__attribute__((format(printf, 3, 4)))
static const char *path_of(char *out, size_t size, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(out, size, format, list);
	va_end(list);
	return out;
}

// --- a root of its own ------------------------------------------------------------------------

static bool listed(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

// Makes `to` (empty) look like `from`, by binds, without the names left out.
static void mirror(const char *from, const char *to, const char *const *without)
{
	char source[PATH_MAX], target[PATH_MAX], link[PATH_MAX];
	struct dirent *entry;
	struct stat st;
	DIR *dir = opendir(from);
	ssize_t length;

	if (!dir)
		die(from);
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    listed(entry->d_name, without))
			continue;
		path_of(source, sizeof(source), "%s/%s", from, entry->d_name);
		path_of(target, sizeof(target), "%s/%s", to, entry->d_name);
		if (lstat(source, &st))
			continue;
		if (S_ISLNK(st.st_mode)) {
			length = readlink(source, link, sizeof(link) - 1);
			link[length < 0 ? 0 : length] = 0;
			if (symlink(link, target))
				die(target);
		} else if (S_ISDIR(st.st_mode)) {
			dir_make(target, st.st_mode & 07777);
			bind_mount(source, target);
		} else if (S_ISREG(st.st_mode)) {
			close(open(target, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
			bind_mount(source, target);
		}
	}
	closedir(dir);
}

static void private_bind(struct init *init, const char *root, const char *name, const char *at)
{
	char from[PATH_MAX], to[PATH_MAX];

	path_of(from, sizeof(from), "%s/%s", init->home, name);
	path_of(to, sizeof(to), "%s%s", root, at);
	dir_make(from, 0755);
	dir_make(to, 0755);
	bind_mount(from, to);
}

static void dirs_make(const char *root, const char *path)
{
	const char *slash = path;
	char to[PATH_MAX];

	do {
		slash = strchr(slash + 1, '/');
		path_of(to, sizeof(to), "%s%.*s", root,
			slash ? (int)(slash - path) : (int)strlen(path), path);
		if (access(to, F_OK))
			dir_make(to, 0755);
	} while (slash);
}

/*
 * Makes a directory at a path that the machine may not have, without making it on the machine: the
 * nearest directory that is there is replaced, in this node's sight alone, by a copy made of binds.
 */
static void place_make(const char *root, const char *target)
{
	char to[PATH_MAX], above[PATH_MAX];
	struct stat here, there;

	path_of(above, sizeof(above), "%s", target);
	while (above[0] && access(path_of(to, sizeof(to), "%s%s", root, above), F_OK))
		*strrchr(above, '/') = 0;
	if (strcmp(above, target) == 0)
		return;
	if (above[0] && stat(to, &here) == 0 && stat(above, &there) == 0 &&
	    here.st_dev == there.st_dev) {
		tmpfs(to, "mode=755");
		mirror(above, to, (const char *const[]){ NULL });
	}
	dirs_make(root, target);
}

static void places_make(struct init *init, const char *root)
{
	char path[PATH_MAX], sources[PLACES_MAX][256], targets[PLACES_MAX][256];
	FILE *file = fopen(path_of(path, sizeof(path), "%s/places", init->home), "re");
	int count = 0;

	while (file && count < PLACES_MAX &&
	       fscanf(file, "%255s %255s", sources[count], targets[count]) == 2)
		count++;
	if (file)
		fclose(file);
	// A copy made for one may hide what was made deeper for another: so once more each.
	for (int round = 0; round < count; round++)
		for (int i = 0; i < count; i++)
			place_make(root, targets[i]);
	for (int i = 0; i < count; i++)
		bind_mount(sources[i], path_of(path, sizeof(path), "%s%s", root, targets[i]));
}

static void dev_make(const char *root)
{
	static const char *const devices[] = { "null", "zero", "full", "random", "urandom", "tty",
					       "fuse", "kvm", "net/tun", "userfaultfd", NULL };
	char from[PATH_MAX], to[PATH_MAX];
	struct stat st;

	tmpfs(path_of(to, sizeof(to), "%s/dev", root), "mode=755,size=1m");
	dir_make(path_of(to, sizeof(to), "%s/dev/net", root), 0755);
	for (int i = 0; devices[i]; i++) {
		path_of(from, sizeof(from), "/dev/%s", devices[i]);
		path_of(to, sizeof(to), "%s/dev/%s", root, devices[i]);
		if (stat(from, &st) == 0)
			if (mknod(to, st.st_mode, st.st_rdev) || chmod(to, st.st_mode))
				die(to);
	}
	// wdmd only looks whether it is there; the preloaded open never gets to it.
	close(open(path_of(to, sizeof(to), "%s/dev/watchdog0", root), O_CREAT | O_WRONLY, 0600));
	dir_make(path_of(to, sizeof(to), "%s/dev/shm", root), 01777);
	tmpfs(to, "mode=1777");
	dir_make(path_of(to, sizeof(to), "%s/dev/pts", root), 0755);
	if (mount("devpts", to, "devpts", 0, "newinstance,ptmxmode=0666,mode=620,gid=5"))
		die(to);
	symlink("pts/ptmx", path_of(to, sizeof(to), "%s/dev/ptmx", root));
	symlink("/proc/self/fd", path_of(to, sizeof(to), "%s/dev/fd", root));
	symlink("/proc/self/fd/0", path_of(to, sizeof(to), "%s/dev/stdin", root));
	symlink("/proc/self/fd/1", path_of(to, sizeof(to), "%s/dev/stdout", root));
	symlink("/proc/self/fd/2", path_of(to, sizeof(to), "%s/dev/stderr", root));
}

static void run_make(struct init *init, const char *root)
{
	static const char *const dirs[] = { "lock", "lab-host", "sanlock", "wdmd", "corosync",
					    "clusterd", NULL };
	char from[PATH_MAX], to[PATH_MAX];

	tmpfs(path_of(to, sizeof(to), "%s/run", root), "mode=755");
	for (int i = 0; dirs[i]; i++)
		dir_make(path_of(to, sizeof(to), "%s/run/%s", root, dirs[i]), 0755);
	path_of(from, sizeof(from), "%s/run", init->dir);
	path_of(to, sizeof(to), "%s/run/lab-host", root);
	bind_mount(from, to);
}

static void kernel_views_make(struct init *init, const char *root)
{
	char to[PATH_MAX], sysrq[PATH_MAX];

	if (mount("proc", path_of(to, sizeof(to), "%s/proc", root), "proc", 0, NULL))
		die(to);
	if (mount("sysfs", path_of(to, sizeof(to), "%s/sys", root), "sysfs", 0, NULL))
		die(to);
	path_of(to, sizeof(to), "%s/sys/fs/cgroup", root);
	mount("/sys/fs/cgroup", to, NULL, MS_BIND | MS_REC, NULL);
	// A node that resets itself must reset itself, and never the machine under the lab.
	path_of(sysrq, sizeof(sysrq), "%s" SYSRQ, root);
	if (mkfifo(sysrq, 0600))
		die(sysrq);
	init->sysrq = open(sysrq, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	path_of(to, sizeof(to), "%s/proc/sysrq-trigger", root);
	if (access(to, F_OK) == 0)
		bind_mount(sysrq, to);
}

/*
 * A host's CPUs are its own; here the nodes share the machine's, and the kernel counts for the
 * machine. So a node finds in /proc/stat what its own processes have used, and the rest of the
 * machine's time as idle. What waits for the machine's CPUs cannot be told apart: there is no
 * /proc/pressure in a node, as on a host whose kernel has none.
 */
static void stat_make(struct init *init, const char *root)
{
	char to[PATH_MAX], from[PATH_MAX];

	path_of(to, sizeof(to), "%s/proc/stat", root);
	init->machine_stat = open(to, O_RDONLY | O_CLOEXEC);
	path_of(from, sizeof(from), "%s/stat", init->home);
	init->node_stat = open(from, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (init->machine_stat < 0 || init->node_stat < 0)
		die(from);
	bind_mount(from, to);
	path_of(to, sizeof(to), "%s/proc/pressure", root);
	if (access(to, F_OK) == 0 && mount("tmpfs", to, "tmpfs", MS_RDONLY, "size=4k,mode=555"))
		die(to);
}

// Ticks of every process of the node, and of those of their children that have ended.
static unsigned long long ticks_used(void)
{
	unsigned long long used = 0, part[4];
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	char path[64], line[1024], *at;
	FILE *file;

	while (proc && (entry = readdir(proc))) {
		if (atoi(entry->d_name) <= 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/stat", entry->d_name);
		file = fopen(path, "re");
		at = file && fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
		if (at && sscanf(at + 1,
				 " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu",
				 &part[0], &part[1], &part[2], &part[3]) == 4)
			used += part[0] + part[1] + part[2] + part[3];
		if (file)
			fclose(file);
	}
	if (proc)
		closedir(proc);
	return used;
}

static void stat_write(struct init *init)
{
	unsigned long long used, total = 0;
	char machine[16384], node[1024], *at = machine + 3, *end, *boot;
	ssize_t size = pread(init->machine_stat, machine, sizeof(machine) - 1, 0);
	int length;

	if (size < 4)
		return;
	machine[size] = 0;
	for (int i = 0; i < 8; i++, at = end)
		total += strtoull(at, &end, 10);
	used = ticks_used();
	boot = strstr(machine, "\nbtime ");
	length = snprintf(node, sizeof(node), "cpu  %llu 0 0 %llu 0 0 0 0 0 0\nbtime %llu\n", used,
			  total > used ? total - used : 0, boot ? strtoull(boot + 7, NULL, 10) : 0);
	if (pwrite(init->node_stat, node, (size_t)length, 0) == length)
		(void)!ftruncate(init->node_stat, length);
}

static void root_make(struct init *init)
{
	static const char *const own[] = { "proc", "sys", "dev", "run", "etc", "srv", "var",
					   "clusterstorage", NULL };
	static const char *const var_own[] = { "lib", "log", NULL };
	static const char *const lib_own[] = { "clusterd", "corosync", "pacemaker", NULL };
	const char *root = "/run";
	char to[PATH_MAX];
	int count = 0;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("/");
	// On a directory that no bind below takes along, or the new root would contain itself.
	tmpfs(root, "mode=755");
	mirror("/", root, own);
	for (; own[count]; count++)
		dir_make(path_of(to, sizeof(to), "%s/%s", root, own[count]), 0755);
	mirror("/var", path_of(to, sizeof(to), "%s/var", root), var_own);
	dir_make(path_of(to, sizeof(to), "%s/var/lib", root), 0755);
	mirror("/var/lib", to, lib_own);
	private_bind(init, root, "etc", "/etc");
	private_bind(init, root, "log", "/var/log");
	private_bind(init, root, "clusterstorage", "/clusterstorage");
	private_bind(init, root, "var-lib-clusterd", "/var/lib/clusterd");
	private_bind(init, root, "var-lib-corosync", "/var/lib/corosync");
	if (access("/var/lib/pacemaker", F_OK) == 0)
		private_bind(init, root, "var-lib-pacemaker", "/var/lib/pacemaker");
	dir_make(path_of(to, sizeof(to), "%s/srv/shared", root), 0755);
	places_make(init, root);
	dev_make(root);
	run_make(init, root);
	kernel_views_make(init, root);
	stat_make(init, root);
	if (chdir(root) || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) ||
	    chroot(".") || chdir("/"))
		die("pivot_root");
}

static void network_make(struct init *init)
{
	char command[1024];

	snprintf(command, sizeof(command),
		 "for i in all default; do echo 1 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done "
		 "2>/dev/null; ip -batch - <<END\n"
		 "link set lo up\n"
		 "link set eth0 address 02:97:00:00:00:%02x\n"
		 "addr add 10.97.0.%d/24 dev eth0\n"
		 "link set eth0 up\n"
		 "link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n"
		 "link set vm0 master br0 up\n"
		 "link set br0 up\n"
		 "END\n", init->id, init->id);
	if (system(command))
		fprintf(stderr, "node-init: network incomplete\n");
}

// --- services ---------------------------------------------------------------------------------

static bool script_of(struct init *init, struct service *service, const char *suffix, char *out)
{
	path_of(out, PATH_MAX, "%s/svc/%s%s", init->home, service->name, suffix);
	return access(out, F_OK) == 0;
}

static pid_t script_spawn(struct init *init, struct service *service, const char *script)
{
	char log[PATH_MAX];
	sigset_t none;
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	path_of(log, sizeof(log), "/var/log/%s.log", service->name);
	(void)init;
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	dup2(fd, 1);
	dup2(fd, 2);
	close(fd);
	close(0);
	open("/dev/null", O_RDWR);
	execl("/bin/sh", "sh", script, NULL);
	_exit(127);
}

static void script_run(struct init *init, struct service *service, const char *suffix)
{
	char script[PATH_MAX];
	pid_t pid;

	if (!script_of(init, service, suffix, script))
		return;
	pid = script_spawn(init, service, script);
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void service_start(struct init *init, struct service *service)
{
	char script[PATH_MAX];

	service->wanted = true;
	service->restart_ns = 0;
	if (service->pid || !script_of(init, service, "", script))
		return;
	script_run(init, service, ".pre");
	service->pid = script_spawn(init, service, script);
	service->since_ns = lab_clock_ns(CLOCK_MONOTONIC);
}

// What a `.ready` file names must exist, or be a mount point, before the next service starts.
static bool service_ready(struct init *init, struct service *service)
{
	char script[PATH_MAX], kind[16] = "", path[256] = "";
	struct statx st;
	FILE *file;

	if (!script_of(init, service, ".ready", script))
		return true;
	file = fopen(script, "re");
	if (!file || fscanf(file, "%15s %255s", kind, path) != 2)
		path[0] = 0;
	if (file)
		fclose(file);
	if (strcmp(kind, "file") == 0)
		return access(path, F_OK) == 0;
	// Nothing here may ask the storage itself: a hanging one would take this process with it.
	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &st) ||
	    !(st.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return false;
	file = fopen(path_of(script, sizeof(script), "%s/fuse", init->home), "we");
	if (file) {
		fprintf(file, "%u\n", st.stx_dev_minor);
		fclose(file);
	}
	return true;
}

static void state_write(struct init *init, const char *text)
{
	char path[PATH_MAX];
	FILE *file = fopen(path_of(path, sizeof(path), "%s/state", init->home), "we");

	if (!file)
		return;
	fprintf(file, "%s\n", text);
	fclose(file);
}

static void services_advance(struct init *init)
{
	long long now = lab_clock_ns(CLOCK_MONOTONIC);

	while (init->starting < init->count) {
		struct service *service = &init->services[init->starting];

		if (!service->started) {
			service->started = true;
			init->starting_since_ns = now;
			service_start(init, service);
		}
		if (!service_ready(init, service) &&
		    now < init->starting_since_ns + READY_WITHIN_NS)
			return;
		script_run(init, service, ".post");
		init->starting++;
		if (init->starting == init->count)
			state_write(init, "up");
	}
}

static void service_answer(struct service *service, const char *text)
{
	if (service->client < 0)
		return;
	dprintf(service->client, "%s\n", text);
	close(service->client);
	service->client = -1;
}

static void service_ended(struct init *init, struct service *service, int status)
{
	char script[PATH_MAX];
	struct stat st;
	long long now = lab_clock_ns(CLOCK_MONOTONIC);

	service->pid = 0;
	service->status = status;
	service->since_ns = now;
	service->kill_ns = 0;
	service_answer(service, "ok stopped");
	fprintf(stderr, "node-init: %s ended, status 0x%x\n", service->name, (unsigned int)status);
	// As systemd's Restart=on-failure or, where the file is not empty, Restart=always.
	if (service->wanted && script_of(init, service, ".respawn", script) &&
	    (status != 0 || (stat(script, &st) == 0 && st.st_size > 0)))
		service->restart_ns = now + RESTART_AFTER_NS;
}

static void services_tick(struct init *init)
{
	long long now = lab_clock_ns(CLOCK_MONOTONIC);

	for (int i = 0; i < init->count; i++) {
		struct service *service = &init->services[i];

		if (service->kill_ns && now > service->kill_ns && service->pid) {
			kill(service->pid, SIGKILL);
			service->kill_ns = 0;
		}
		if (service->restart_ns && now > service->restart_ns)
			service_start(init, service);
	}
}

static void reap(struct init *init)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(init->signals, &info, sizeof(info)) == sizeof(info))
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int i = 0; i < init->count; i++)
			if (init->services[i].pid == pid)
				service_ended(init, &init->services[i], status);
}

// --- being asked ------------------------------------------------------------------------------

static void status_print(struct init *init, struct service *service, int fd)
{
	char script[PATH_MAX];
	const char *respawn = script_of(init, service, ".respawn", script) ?
			      "respawn" : "norespawn";

	if (service->pid)
		dprintf(fd, "%s running %d %s\n", service->name, service->pid, respawn);
	else if (service->restart_ns)
		dprintf(fd, "%s restarting 0x%x %s\n", service->name, (unsigned int)service->status,
			respawn);
	else
		dprintf(fd, "%s stopped 0x%x %s\n", service->name, (unsigned int)service->status,
			respawn);
}

static void respawn_set(struct init *init, struct service *service, bool on)
{
	char from[PATH_MAX], to[PATH_MAX];

	script_of(init, service, on ? ".norespawn" : ".respawn", from);
	if (script_of(init, service, on ? ".respawn" : ".norespawn", to))
		return;
	if (rename(from, to) && on)
		close(open(to, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
}

// Returns true if the answer comes later, when the process has ended.
static bool service_order(struct init *init, struct service *service, const char *verb, int fd)
{
	if (strcmp(verb, "start") == 0) {
		service_start(init, service);
	} else if (strcmp(verb, "stop") == 0) {
		service->wanted = false;
		service->restart_ns = 0;
		if (service->pid) {
			service->kill_ns = lab_clock_ns(CLOCK_MONOTONIC) + STOP_WITHIN_NS;
			service_answer(service, "error another order came");
			service->client = fd;
			kill(service->pid, SIGTERM);
			return true;
		}
	} else if (strcmp(verb, "kill") == 0) {
		if (!service->pid) {
			dprintf(fd, "error %s is not running\n", service->name);
			return false;
		}
		kill(service->pid, SIGKILL);
	} else if (strcmp(verb, "respawn") == 0 || strcmp(verb, "norespawn") == 0) {
		respawn_set(init, service, verb[0] == 'r');
	} else if (strcmp(verb, "status") != 0) {
		dprintf(fd, "error unknown: %s\n", verb);
		return false;
	}
	dprintf(fd, "ok\n");
	if (strcmp(verb, "status") == 0)
		status_print(init, service, fd);
	return false;
}

static void client_serve(struct init *init)
{
	char line[128] = "", verb[32] = "", name[32] = "";
	int fd = accept4(init->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (read(fd, line, sizeof(line) - 1) > 0)
		sscanf(line, "%31s %31s", verb, name);
	if (strcmp(verb, "status") == 0 && !name[0]) {
		dprintf(fd, "ok %s\n", init->starting == init->count ? "up" : "booting");
		for (int i = 0; i < init->count; i++)
			status_print(init, &init->services[i], fd);
		close(fd);
		return;
	}
	for (int i = 0; i < init->count; i++) {
		if (strcmp(init->services[i].name, name))
			continue;
		if (!service_order(init, &init->services[i], verb, fd))
			close(fd);
		return;
	}
	dprintf(fd, "error no such service: %s\n", name);
	close(fd);
}

static void sysrq_read(struct init *init)
{
	char bytes[16];
	ssize_t got = read(init->sysrq, bytes, sizeof(bytes));

	for (ssize_t i = 0; i < got; i++)
		if (bytes[i] == 'b' || bytes[i] == 'o' || bytes[i] == 'c')
			_exit(0); // the namespace's end: as sudden as the real thing
}

static void loop(struct init *init)
{
	for (;;) {
		struct pollfd fds[3] = { { .fd = init->signals, .events = POLLIN },
					 { .fd = init->listener, .events = POLLIN },
					 { .fd = init->sysrq, .events = POLLIN } };

		poll(fds, 3, init->starting < init->count ? 20 : 200);
		if (fds[0].revents)
			reap(init);
		if (fds[1].revents)
			client_serve(init);
		if (fds[2].revents)
			sysrq_read(init);
		services_tick(init);
		services_advance(init);
		if (lab_clock_ns(CLOCK_MONOTONIC) - init->stat_ns >= STAT_EVERY_NS) {
			init->stat_ns = lab_clock_ns(CLOCK_MONOTONIC);
			stat_write(init);
		}
	}
}

static void services_load(struct init *init)
{
	char path[PATH_MAX];
	FILE *file = fopen(path_of(path, sizeof(path), "%s/svc/order", init->home), "re");

	if (!file)
		die(path);
	while (init->count < SERVICES_MAX &&
	       fscanf(file, "%23s", init->services[init->count].name) == 1)
		init->services[init->count++].client = -1;
	fclose(file);
}

int main(int argc, char **argv)
{
	const struct sched_param soon = { .sched_priority = 1 };
	static struct init init;
	char path[PATH_MAX];
	sigset_t set;
	FILE *file;

	if (argc != 3 || getpid() != 1)
		return 2;
	close_range(3, ~0U, 0);
	// A power cut begins with the end of this process, which must not wait for a turn.
	sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &soon);
	umask(022);
	init.dir = argv[1];
	init.node = argv[2];
	init.id = atoi(init.node + 1);
	path_of(init.home, sizeof(init.home), "%s/nodes/%s", init.dir, init.node);
	state_write(&init, "booting");
	sethostname(init.node, strlen(init.node));
	root_make(&init);
	network_make(&init);
	file = fopen(path_of(path, sizeof(path), "%s/environment", init.home), "re");
	while (file && fgets(path, sizeof(path), file)) {
		path[strcspn(path, "\n")] = 0;
		putenv(strdup(path));
	}
	if (file)
		fclose(file);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigdelset(&set, SIGPIPE);
	init.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	init.listener = lab_listen(path_of(path, sizeof(path), "%s/init.sock", init.home));
	if (init.listener < 0)
		die("socket");
	services_load(&init);
	loop(&init);
}
