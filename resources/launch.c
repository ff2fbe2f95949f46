// SPDX-License-Identifier: Apache-2.0
#include "resources/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/magic.h>
#include <linux/sockios.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "clusterd/exec_io.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

// The parent hears why, if it still listens.
__attribute__((format(printf, 1, 2), noreturn))
static void launch_fail(const char *format, ...)
{
	char text[512] = { LAUNCH_FAILED };
	va_list list;

	va_start(list, format);
	vsnprintf(text + 1, sizeof(text) - 1, format, list);
	va_end(list);
	send(LAUNCH_FD, text, strlen(text), MSG_NOSIGNAL);
	exit(1);
}

// A scope of its own, so that whatever ends clusterd's leaves the VM alone. Without cgroup v2 there
// is none.
static void launch_scope(const char *name)
{
	char path[256], self[16];
	struct statfs fs;
	int fd;

	if (statfs(CGROUP_ROOT, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return;
	mkdir(CGROUP_ROOT "/clusterd", 0755);
	snprintf(path, sizeof(path), CGROUP_ROOT "/clusterd/%s", name);
	mkdir(path, 0755);
	strncat(path, "/cgroup.procs", sizeof(path) - strlen(path) - 1);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	snprintf(self, sizeof(self), "%d", (int)getpid());
	if (write(fd, self, strlen(self)) < 0)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	close(fd);
}

static void launch_set_up(int control, const char *tap)
{
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, IFNAMSIZ, "%s", tap);
	request.ifr_flags = IFF_UP;
	if (ioctl(control, SIOCSIFFLAGS, &request) < 0)
		launch_fail("tap device %s: %s", tap, strerror(errno));
}

// A tap that goes with the last descriptor, so with QEMU. Its name is the kernel's choice.
static void launch_tap(int control, const char *bridge, int number)
{
	struct ifreq request = { 0 }, port = { 0 };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	unsigned int index;

	if (fd < 0)
		launch_fail("/dev/net/tun: %s", strerror(errno));
	request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	snprintf(request.ifr_name, IFNAMSIZ, "cvm%%d");
	if (ioctl(fd, TUNSETIFF, &request) < 0)
		launch_fail("cannot make a tap device: %s", strerror(errno));
	snprintf(port.ifr_name, IFNAMSIZ, "%s", request.ifr_name);
	if (ioctl(control, SIOCGIFINDEX, &port) < 0)
		launch_fail("tap device %s: %s", request.ifr_name, strerror(errno));
	index = (unsigned int)port.ifr_ifindex;
	memset(&port, 0, sizeof(port));
	snprintf(port.ifr_name, IFNAMSIZ, "%s", bridge);
	port.ifr_ifindex = (int)index;
	if (ioctl(control, SIOCBRADDIF, &port) < 0)
		launch_fail("bridge %s: %s", bridge,
			    errno == ENODEV ? "there is no such bridge on this host"
					    : strerror(errno));
	launch_set_up(control, request.ifr_name);
	if (dup3(fd, LAUNCH_TAP_FD + number, 0) < 0)
		launch_fail("tap device %s: %s", request.ifr_name, strerror(errno));
	close(fd);
}

static void launch_taps(char **bridges)
{
	int control, i;

	if (!bridges[0])
		return;
	control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (control < 0)
		launch_fail("socket: %s", strerror(errno));
	for (i = 0; bridges[i] && !strchr(bridges[i], '='); i++)
		launch_tap(control, bridges[i], i);
	close(control);
}

/*
 * A host's device belongs to QEMU's user while this process lives, and the guest's memory may be
 * locked for it. The driver vfio-pci, which the host's administrator binds it to, has one file for
 * all devices that cannot be told apart.
 */
static void launch_device(const char *address, uid_t uid, gid_t gid)
{
	struct rlimit memory = { RLIM_INFINITY, RLIM_INFINITY };
	char path[128], group[256];
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.16s/iommu_group", address);
	length = readlink(path, group, sizeof(group) - 1);
	if (length < 0)
		launch_fail("device %s: %s", address,
			    errno == ENOENT ? "there is no such device on this host, or no IOMMU"
					    : strerror(errno));
	group[length] = 0;
	snprintf(path, sizeof(path), "/dev/vfio/%.32s",
		 strrchr(group, '/') ? strrchr(group, '/') + 1 : group);
	if (chown(path, uid, gid) < 0)
		launch_fail("device %s: %s: %s", address, path,
			    errno == ENOENT ? "it is not bound to the driver vfio-pci"
					    : strerror(errno));
	// Where that is not allowed it may be enough as it is; if not, QEMU says so.
	if (setrlimit(RLIMIT_MEMLOCK, &memory) < 0 && getrlimit(RLIMIT_MEMLOCK, &memory) == 0) {
		memory.rlim_cur = memory.rlim_max;
		setrlimit(RLIMIT_MEMLOCK, &memory);
	}
}

static void launch_devices(char **bridges, uid_t uid, gid_t gid)
{
	for (int i = 0; bridges[i]; i++)
		if (strncmp(bridges[i], "pci=", 4) == 0)
			launch_device(bridges[i] + 4, uid, gid);
}

static void launch_ready(int sanlock_fd)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);
	char text[64];

	if (getsockopt(sanlock_fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
		launch_fail("cannot tell which sanlock this is: %s", strerror(errno));
	snprintf(text, sizeof(text), "%c%d %llu", LAUNCH_READY, (int)cred.pid,
		 (unsigned long long)exec_start_time(cred.pid, NULL));
	if (send(LAUNCH_FD, text, strlen(text), MSG_NOSIGNAL) < 0)
		exit(1);
}

// Waits for GO. clusterd's end before it is the end of this process, which gives back what was
// acquired.
static char **launch_wait(char *packet)
{
	ssize_t size = recv(LAUNCH_FD, packet, LAUNCH_PACKET_MAX, 0);
	char **argv, *at;
	size_t count = 0;

	if (size <= 0)
		exit(0);
	if (packet[0] != LAUNCH_GO || size < 3 || packet[size - 1] != 0)
		launch_fail("a message that is not understood");
	argv = calloc((size_t)size, sizeof(*argv));
	if (!argv)
		launch_fail("out of memory");
	for (at = packet + 1; at < packet + size; at += strlen(at) + 1)
		argv[count++] = at;
	return argv;
}

static void launch_drop(uid_t uid, gid_t gid, gid_t kvm_gid)
{
	if (setgroups(kvm_gid ? 1 : 0, &kvm_gid) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		launch_fail("cannot become user %d: %s", (int)uid, strerror(errno));
	if (uid != 0 && setuid(0) == 0)
		launch_fail("privileges were not dropped");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		launch_fail("no_new_privs: %s", strerror(errno));
}

static void launch_own_session(void)
{
	sigset_t none;
	int number;

	setsid();
	umask(0007);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	fcntl(LAUNCH_FD, F_SETFD, FD_CLOEXEC);
}

int main(int argc, char **argv)
{
	static char packet[LAUNCH_PACKET_MAX];
	char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *const environment[] = { path, NULL };
	char reason[256], **args;
	int sanlock_fd;

	if (argc < 5)
		return 2;
	launch_own_session();
	launch_scope(argv[4]);
	sanlock_fd = launch_register(reason, sizeof(reason));
	if (sanlock_fd < 0)
		launch_fail("%s", reason);
	launch_taps(argv + 5);
	launch_devices(argv + 5, (uid_t)atoi(argv[1]), (gid_t)atoi(argv[2]));
	launch_ready(sanlock_fd);
	args = launch_wait(packet);
	launch_drop((uid_t)atoi(argv[1]), (gid_t)atoi(argv[2]), (gid_t)atoi(argv[3]));
	execve(args[0], args, environment);
	launch_fail("%s: %s", args[0], strerror(errno));
}
