// SPDX-License-Identifier: Apache-2.0
// The only program of the lab's guest: counts on the console and on its disk, answers UDP, and
// switches itself off when its power button is pressed.
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/input.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RECORD_SIZE 512
#define PERIOD_NS 50000000LL
#define ECHO_PORT 7
#define TCP_PORT 7
#define PAGE 4096
#define INPUTS_MAX 8

struct guest {
	char boot_id[40];
	char address[64];
	unsigned int dirty_mib_s;
	unsigned int fill_percent;
	bool burn;
	int disk;
	uint64_t records;
	uint64_t next;
	uint64_t count;
	int echo;
	int listener; // TCP, after a while
	int agent;    // the channel of a guest agent; -1: there is none
	unsigned int answers_after_s;
	int inputs[INPUTS_MAX];
	int inputs_count;
};

static void module_load(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/modules/%s.ko", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
		printf("module %s: %s\n", name, strerror(errno));
	close(fd);
}

static void modules_load(void)
{
	static const char *const names[] = { "virtio_ring", "virtio", "virtio_pci_legacy_dev",
					     "virtio_pci_modern_dev", "virtio_pci", "virtio_blk",
					     "failover", "net_failover", "virtio_net", "button",
					     "evdev", "virtio_console", NULL };

	for (int i = 0; names[i]; i++)
		module_load(names[i]);
}

static void file_read(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, out, size - 1);

	out[got < 0 ? 0 : got] = 0;
	out[strcspn(out, "\n")] = 0;
	if (fd >= 0)
		close(fd);
}

static void cmdline_read(struct guest *guest)
{
	char line[2048], *word, *rest = line;

	file_read("/proc/cmdline", line, sizeof(line));
	while ((word = strsep(&rest, " "))) {
		if (strncmp(word, "clusterd.ip=", 12) == 0)
			snprintf(guest->address, sizeof(guest->address), "%s", word + 12);
		else if (strncmp(word, "clusterd.dirty=", 15) == 0)
			guest->dirty_mib_s = (unsigned int)atoi(word + 15);
		else if (strncmp(word, "clusterd.answers=", 17) == 0)
			guest->answers_after_s = (unsigned int)atoi(word + 17);
		else if (strncmp(word, "clusterd.burn=", 14) == 0)
			guest->burn = atoi(word + 14) != 0;
		else if (strncmp(word, "clusterd.fill=", 14) == 0)
			guest->fill_percent = (unsigned int)atoi(word + 14);
	}
	file_read("/proc/sys/kernel/random/boot_id", guest->boot_id, sizeof(guest->boot_id));
}

// --- network ----------------------------------------------------------------------------------

static void interface_up(int fd, const char *name, uint32_t address, uint32_t mask)
{
	struct ifreq request = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&request.ifr_addr;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (address) {
		in->sin_family = AF_INET;
		in->sin_addr.s_addr = address;
		if (ioctl(fd, SIOCSIFADDR, &request))
			printf("address: %s\n", strerror(errno));
		in->sin_addr.s_addr = mask;
		ioctl(fd, SIOCSIFNETMASK, &request);
	}
	ioctl(fd, SIOCGIFFLAGS, &request);
	request.ifr_flags |= IFF_UP | IFF_RUNNING;
	ioctl(fd, SIOCSIFFLAGS, &request);
}

static void network_open(struct guest *guest)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(ECHO_PORT) };
	char *slash = strchr(guest->address, '/');
	int bits = slash ? atoi(slash + 1) : 24;

	guest->echo = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	interface_up(guest->echo, "lo", htonl(INADDR_LOOPBACK), htonl(0xff000000));
	if (slash)
		*slash = 0;
	if (guest->address[0] && if_nametoindex("eth0"))
		interface_up(guest->echo, "eth0", inet_addr(guest->address),
			     bits ? htonl(~0U << (32 - bits)) : 0);
	bind(guest->echo, (struct sockaddr *)&any, sizeof(any));
}

// The first port of the channel, whichever virtio device that is.
static int agent_open(void)
{
	struct dirent *entry;
	DIR *dir = opendir("/dev");
	int fd = -1;

	while (dir && fd < 0 && (entry = readdir(dir)))
		if (strncmp(entry->d_name, "vport", 5) == 0)
			fd = openat(dirfd(dir), entry->d_name, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (dir)
		closedir(dir);
	return fd;
}

// What a service of the guest would do: takes connections, and answers its host's guest-ping.
static void answers_open(struct guest *guest)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(TCP_PORT) };

	guest->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bind(guest->listener, (struct sockaddr *)&any, sizeof(any));
	listen(guest->listener, 4);
	guest->agent = agent_open();
	printf("guest answers\n");
}

static void agent_answer(struct guest *guest)
{
	char text[512];

	if (read(guest->agent, text, sizeof(text)) > 0 &&
	    write(guest->agent, "{\"return\": {}}\n", 15) < 0)
		printf("agent: %s\n", strerror(errno));
}

static void listener_answer(struct guest *guest)
{
	int fd = accept(guest->listener, NULL, NULL);

	if (fd >= 0)
		close(fd);
}

// The answer carries the count and the boot id, then what was sent: who answers can be told.
static void echo_answer(struct guest *guest)
{
	char text[1500];
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	ssize_t got;
	int head;

	for (;;) {
		head = snprintf(text, sizeof(text), "%llu %s ", (unsigned long long)guest->count,
				guest->boot_id);
		got = recvfrom(guest->echo, text + head, sizeof(text) - (size_t)head, 0,
			       (struct sockaddr *)&from, &size);
		if (got < 0)
			return;
		sendto(guest->echo, text, (size_t)(head + got), 0, (struct sockaddr *)&from, size);
	}
}

// --- disk -------------------------------------------------------------------------------------

static bool record_read(struct guest *guest, uint64_t at, uint64_t *count)
{
	static char buffer[RECORD_SIZE] __attribute__((aligned(PAGE)));
	unsigned long long value;

	if (pread(guest->disk, buffer, RECORD_SIZE, (off_t)(at * RECORD_SIZE)) != RECORD_SIZE)
		return false;
	buffer[RECORD_SIZE - 1] = 0;
	if (sscanf(buffer, "count %llu boot ", &value) != 1)
		return false;
	*count = value;
	return true;
}

static void disk_open(struct guest *guest)
{
	uint64_t low = 0, high, size = 0, value;

	guest->disk = -1;
	for (int i = 0; i < 200 && guest->disk < 0; i++) {
		guest->disk = open("/dev/vda", O_RDWR | O_DIRECT | O_DSYNC | O_CLOEXEC);
		if (guest->disk < 0 && i == 199)
			return;
		if (guest->disk < 0)
			usleep(10000);
	}
	if (ioctl(guest->disk, BLKGETSIZE64, &size))
		return;
	guest->records = size / RECORD_SIZE;
	// Records stand without a gap from the first sector on: the end is found by halving.
	high = guest->records;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (record_read(guest, middle, &value))
			low = middle + 1;
		else
			high = middle;
	}
	guest->next = low;
	if (low && record_read(guest, low - 1, &value))
		guest->count = value;
}

static void disk_append(struct guest *guest)
{
	static char buffer[RECORD_SIZE] __attribute__((aligned(PAGE)));
	int length;

	if (guest->disk < 0)
		return;
	if (guest->next >= guest->records) {
		printf("disk full\n");
		close(guest->disk);
		guest->disk = -1;
		return;
	}
	memset(buffer, 0, sizeof(buffer));
	length = snprintf(buffer, sizeof(buffer), "count %llu boot %s\n",
			  (unsigned long long)guest->count, guest->boot_id);
	memset(buffer + length, '.', sizeof(buffer) - (size_t)length - 1);
	buffer[RECORD_SIZE - 1] = '\n';
	while (pwrite(guest->disk, buffer, RECORD_SIZE, (off_t)(guest->next * RECORD_SIZE)) !=
	       RECORD_SIZE) {
		// The next record must not leave a hole: this one is tried until it stands.
		printf("disk error: %s\n", strerror(errno));
		usleep(100000);
	}
	guest->next++;
}

// --- power button -----------------------------------------------------------------------------

static void inputs_open(struct guest *guest)
{
	char path[64];

	while (guest->inputs_count < INPUTS_MAX) {
		snprintf(path, sizeof(path), "/dev/input/event%d", guest->inputs_count);
		guest->inputs[guest->inputs_count] = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (guest->inputs[guest->inputs_count] < 0)
			return;
		guest->inputs_count++;
	}
}

static void power_off(struct guest *guest)
{
	printf("power button: off at count %llu\n", (unsigned long long)guest->count);
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
}

static void input_read(struct guest *guest, int fd)
{
	struct input_event event;

	while (read(fd, &event, sizeof(event)) == sizeof(event))
		if (event.type == EV_KEY && event.code == KEY_POWER && event.value == 1)
			power_off(guest);
}

// --- console ----------------------------------------------------------------------------------

// A line "sh" on the console opens a shell there, while the counting goes on.
static void console_read(void)
{
	char line[64];
	ssize_t got = read(0, line, sizeof(line) - 1);

	if (got <= 0)
		return;
	line[got] = 0;
	line[strcspn(line, "\r\n")] = 0;
	if (strcmp(line, "sh") || fork())
		return;
	setsid();
	execl("/bin/busybox", "sh", "-i", NULL);
	_exit(127);
}

// --- load -------------------------------------------------------------------------------------

static void burn_start(void)
{
	if (fork() == 0)
		for (volatile unsigned int i = 0;; i++)
			;
}

// Memory that no page of is like another one, and that nobody touches again.
static void fill_start(unsigned int percent)
{
	size_t size = (size_t)sysconf(_SC_PHYS_PAGES) / 100 * percent * PAGE;
	uint64_t value = 2463534242ULL;
	char *memory;

	if (fork())
		return;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		_exit(1);
	for (size_t at = 0; at < size; at += 64) {
		value ^= value << 13;
		value ^= value >> 7;
		value ^= value << 17;
		memcpy(memory + at, &value, sizeof(value));
	}
	printf("filled %zu MiB\n", size >> 20);
	for (;;)
		pause();
}

// Rewrites half of the memory, over and over, at the rate asked.
static void dirty_start(unsigned int mib_s)
{
	size_t size = (size_t)sysconf(_SC_PHYS_PAGES) * PAGE / 2, at = 0;
	struct timespec next;
	uint64_t value = 88172645463325252ULL;
	char *memory;

	if (fork())
		return;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		_exit(1);
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (;;) {
		for (unsigned int i = 0; i < mib_s * (1048576 / PAGE) / 100; i++) {
			for (unsigned int word = 0; word < PAGE; word += 64) {
				value ^= value << 13;
				value ^= value >> 7;
				value ^= value << 17;
				memcpy(memory + at + word, &value, sizeof(value));
			}
			at = at + PAGE < size ? at + PAGE : 0;
		}
		next.tv_nsec += 10000000;
		if (next.tv_nsec >= 1000000000) {
			next.tv_nsec -= 1000000000;
			next.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
}

// --- the loop ---------------------------------------------------------------------------------

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void wait_until(struct guest *guest, long long then_ns)
{
	struct pollfd fds[INPUTS_MAX + 4];
	nfds_t more = (nfds_t)guest->inputs_count + 2;
	int agent = guest->agent;
	long long left_ns;

	while ((left_ns = then_ns - now_ns()) > 0) {
		struct timespec left = { left_ns / 1000000000LL, left_ns % 1000000000LL };

		fds[0] = (struct pollfd){ .fd = guest->echo, .events = POLLIN };
		for (int i = 0; i < guest->inputs_count; i++)
			fds[i + 1] = (struct pollfd){ .fd = guest->inputs[i], .events = POLLIN };
		fds[guest->inputs_count + 1] = (struct pollfd){ .fd = 0, .events = POLLIN };
		fds[more] = (struct pollfd){ .fd = guest->listener, .events = POLLIN };
		fds[more + 1] = (struct pollfd){ .fd = agent, .events = POLLIN };
		if (ppoll(fds, more + 2, &left, NULL) <= 0)
			continue;
		if (fds[more].revents)
			listener_answer(guest);
		if (fds[more + 1].revents & POLLIN)
			agent_answer(guest);
		else if (fds[more + 1].revents) // nobody at the other end: until the next beat
			agent = -1;
		if (fds[guest->inputs_count + 1].revents & POLLIN)
			console_read();
		if (fds[0].revents)
			echo_answer(guest);
		for (int i = 0; i < guest->inputs_count; i++)
			if (fds[i + 1].revents)
				input_read(guest, guest->inputs[i]);
	}
}

int main(void)
{
	static struct guest guest;
	long long next_ns, began_ns;
	int console;

	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	console = open("/dev/console", O_RDWR | O_NOCTTY);
	for (int i = 0; console >= 0 && i < 3; i++)
		dup2(console, i);
	setvbuf(stdout, NULL, _IOLBF, 0);
	modules_load();
	cmdline_read(&guest);
	network_open(&guest);
	inputs_open(&guest);
	disk_open(&guest);
	if (guest.burn)
		burn_start();
	if (guest.fill_percent)
		fill_start(guest.fill_percent);
	if (guest.dirty_mib_s)
		dirty_start(guest.dirty_mib_s);
	printf("guest up: boot %s address %s continues after %llu\n", guest.boot_id, guest.address,
	       (unsigned long long)guest.count);
	next_ns = began_ns = now_ns();
	guest.listener = guest.agent = -1;
	for (;;) {
		if (guest.listener < 0 &&
		    now_ns() - began_ns >= guest.answers_after_s * 1000000000LL)
			answers_open(&guest);
		guest.count++;
		disk_append(&guest);
		printf("count %llu boot %s\n", (unsigned long long)guest.count, guest.boot_id);
		// After a pause the beat goes on from now; it does not hurry to catch up.
		next_ns += PERIOD_NS;
		if (next_ns < now_ns() - PERIOD_NS)
			next_ns = now_ns() + PERIOD_NS;
		wait_until(&guest, next_ns);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}
