// SPDX-License-Identifier: Apache-2.0
// The QEMU command line: its text, its limits, and that a real QEMU accepts it.
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "resources/qemu_args.h"

static const char emulator[] = "/usr/bin/qemu-system-x86_64";
static char memory[QEMU_ARENA_SIZE];
static struct qemu_args args;

static struct vm_def vm_small(void)
{
	struct vm_def def = {
		.name = "web", .cpus = 2, .memory_mib = 96, .uuid = { { 0xab, [15] = 1 } },
		.disk_count = 1,
		.disks = { { .volume = "v1", .path = "vms/web.raw" } },
	};

	return def;
}

static struct qemu_facts facts_plain(void)
{
	static const int taps[VM_NICS_MAX] = { 20, 21, 22, 23, 24, 25, 26, 27 };
	struct qemu_facts facts = {
		.qemu = emulator, .volume_root = "/clusterstorage", .run_dir = "/run/clusterd/vm/x",
		.image_locks = true, .tap_fds = taps,
	};

	return facts;
}

static bool build(const struct vm_def *def, const struct qemu_facts *facts)
{
	return qemu_args_build(&args, memory, sizeof(memory), def, facts);
}

static bool has(const char *argument)
{
	for (uint32_t i = 0; i < args.argc; i++)
		if (strcmp(args.argv[i], argument) == 0)
			return true;
	return false;
}

// The argument after this option; the last one where there are several.
static const char *value_of(const char *option)
{
	const char *value = "";

	for (uint32_t i = 0; i + 1 < args.argc; i++)
		if (strcmp(args.argv[i], option) == 0)
			value = args.argv[i + 1];
	return value;
}

static void test_small(void **state)
{
	struct vm_def def = vm_small();
	struct qemu_facts facts = facts_plain();

	(void)state;
	assert_true(build(&def, &facts));
	assert_null(args.argv[args.argc]);
	assert_string_equal(args.argv[0], emulator);
	assert_true(has("-nodefaults") && has("-no-user-config") && has("-S"));
	assert_string_equal(value_of("-name"), "guest=web,debug-threads=on");
	assert_string_equal(value_of("-uuid"), "ab000000-0000-0000-0000-000000000001");
	assert_string_equal(value_of("-machine"), "q35,accel=tcg,usb=off,dump-guest-core=off");
	assert_string_equal(value_of("-cpu"), "qemu64");
	assert_string_equal(value_of("-smp"), "cpus=2,sockets=1,cores=2,threads=1");
	assert_string_equal(value_of("-m"), "size=96M");
	assert_true(has("{\"driver\":\"file\",\"node-name\":\"disk0-file\",\"filename\":"
			"\"/clusterstorage/v1/vms/web.raw\",\"aio\":\"native\",\"cache\":"
			"{\"direct\":true,\"no-flush\":false},\"discard\":\"ignore\",\"read-only\":"
			"false,"
			"\"auto-read-only\":false,\"locking\":\"auto\"}"));
	assert_string_equal(value_of("-device"),
			    "virtio-blk-pci,addr=0x0b,id=device-disk0,drive=disk0,serial=disk0,"
			    "bootindex=1,rerror=stop,werror=stop,write-cache=on");
	assert_false(has("-serial") || has("-vnc") || has("-kernel") || has("-incoming"));
}

static void test_choices(void **state)
{
	struct vm_def def = vm_small();
	struct qemu_facts facts = facts_plain();

	(void)state;
	facts.kvm = true;
	facts.incoming = true;
	def.cpu_mode = CPU_HOST;
	def.nic_count = 2;
	def.nics[0] = (struct nic_def){ "br0", { 2, 0, 0, 0, 0, 1 }, NIC_E1000E, "" };
	def.nics[1] = (struct nic_def){ "br0", { 2, 0, 0, 0, 0, 2 }, NIC_VIRTIO, "" };
	def.disks[0].cache = CACHE_DIRECTSYNC;
	def.console = true;
	facts.console_log = "/var/log/a,b";
	assert_true(build(&def, &facts));
	assert_string_equal(value_of("-cpu"), "host");
	assert_string_equal(value_of("-netdev"), "tap,id=nic1,fd=21");
	assert_string_equal(value_of("-device"), "virtio-net-pci,id=device-nic1,netdev=nic1,"
						 "mac=02:00:00:00:00:02,addr=0x04,romfile=");
	assert_string_equal(value_of("-incoming"), "defer");
	assert_string_equal(value_of("-chardev"), "socket,id=console,path=/run/clusterd/vm/x/"
						  "console,"
						  "server=on,wait=off,logappend=on,"
						  "logfile=/var/log/a,,b");
	def.guest_agent = true;
	assert_true(build(&def, &facts));
	assert_string_equal(value_of("-chardev"), "socket,id=agent,path=/run/clusterd/vm/x/agent,"
						  "server=on,wait=off");
	assert_true(has("virtio-serial-pci,id=agent-bus,addr=0x1a"));
	assert_true(has("virtserialport,bus=agent-bus.0,chardev=agent,"
			"name=org.qemu.guest_agent.0"));
	// Beside its twin, on a port that it can be unplugged from.
	snprintf(def.nics[1].device, sizeof(def.nics[1].device), "0000:3b:02.1");
	assert_true(build(&def, &facts));
	assert_true(has("virtio-net-pci,id=device-nic1,netdev=nic1,mac=02:00:00:00:00:02,"
			"addr=0x04,romfile=,failover=on"));
	assert_true(has("pcie-root-port,id=port-nic1,chassis=1,addr=0x1b.0,multifunction=on"));
	assert_true(has("vfio-pci,host=0000:3b:02.1,id=passed-nic1,bus=port-nic1,"
			"failover_pair_id=device-nic1,romfile="));
	facts.tap_fds = NULL;
	assert_false(build(&def, &facts));
	assert_string_equal(args.problem, "a NIC has no tap device");
	facts = facts_plain();
	memset(def.nics[0].mac, 0, 6);
	assert_false(build(&def, &facts));
	assert_string_equal(args.problem, "a NIC has no MAC");
	def = vm_small();
	def.firmware = FIRMWARE_UEFI;
	assert_false(build(&def, &facts));
	def.cpu_mode = CPU_MODEL;
	strcpy(def.cpu_model, "Skylake-Client,pcid=off");
	def.firmware = FIRMWARE_BIOS;
	assert_true(build(&def, &facts));
	assert_string_equal(value_of("-cpu"), "Skylake-Client,pcid=off");
}

static void test_escapes(void **state)
{
	struct vm_def def = vm_small();
	struct qemu_facts facts = facts_plain();
	char path[PATH_SIZE * 2];

	(void)state;
	strcpy(def.disks[0].path, "a \"b\"\\,\x01.raw");
	assert_true(build(&def, &facts));
	assert_non_null(strstr(args.argv[args.argc - 5], "v1/a "
							 "\\\"b\\\"\\\\,\\u0001.raw\",\"aio\""));
	def = vm_small();
	assert_true(uefi_vars_path(&def, "/c", path, sizeof(path)));
	assert_string_equal(path, "/c/v1/vms/web.raw.nvram");
	assert_true(uefi_vars_path(&def, NULL, path, sizeof(path)));
	assert_string_equal(path, "v1/vms/web.raw.nvram");
	assert_false(uefi_vars_path(&def, NULL, path, 20));
	assert_true(uefi_vars_path(&def, NULL, path, 21));
	def.disks[0].readonly = true;
	assert_false(uefi_vars_path(&def, NULL, path, sizeof(path)));
}

static void fill(char *text, size_t size)
{
	memset(text, 'x', size - 1);
	text[size - 1] = '\0';
}

// The largest definition fits; with any smaller arena the answer is no, never a cut line.
static void test_limits(void **state)
{
	struct vm_def def = vm_small();
	struct qemu_facts facts = facts_plain();
	size_t needed;

	(void)state;
	def.disk_count = VM_DISKS_MAX;
	for (uint32_t i = 0; i < VM_DISKS_MAX; i++) {
		fill(def.disks[i].volume, sizeof(def.disks[i].volume));
		fill(def.disks[i].path, sizeof(def.disks[i].path));
		def.disks[i].bus = (uint8_t)(i % DISK_BUS_COUNT);
	}
	def.nic_count = VM_NICS_MAX;
	for (uint32_t i = 0; i < VM_NICS_MAX; i++)
		def.nics[i].mac[5] = (uint8_t)(i + 1);
	fill(def.name, sizeof(def.name));
	fill(def.cmdline, sizeof(def.cmdline));
	def.kernel = (struct file_ref){ "v1", "k" };
	def.initrd = (struct file_ref){ "v1", "i" };
	def.console = def.vnc = true;
	def.firmware = FIRMWARE_UEFI;
	facts.uefi_code = "/usr/share/OVMF/OVMF_CODE_4M.fd";
	facts.incoming = true;
	assert_true(build(&def, &facts));
	assert_true(args.argc < QEMU_ARGV_MAX - 16);
	needed = args.used;
	assert_true(needed < sizeof(memory) / 2);
	assert_true(qemu_args_build(&args, memory, needed, &def, &facts));
	for (size_t size = 0; size < needed; size += size < 300 ? 1 : 37) {
		char *exact = malloc(size ? size : 1);

		assert_false(qemu_args_build(&args, exact, size, &def, &facts));
		assert_non_null(args.problem);
		free(exact);
	}
}

// --- with a real QEMU ---

struct machine {
	char root[64];	// of volumes and sockets; on a disk, for direct I/O
	pid_t pid;
	int qmp;
};

static void file_make(const char *root, const char *name, size_t size)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
	close(fd);
}

static void machine_make(struct machine *machine)
{
	char path[128];

	strcpy(machine->root, "/var/tmp/qemu-args-XXXXXX");
	assert_non_null(mkdtemp(machine->root));
	snprintf(path, sizeof(path), "%s/v1", machine->root);
	assert_int_equal(mkdir(path, 0700), 0);
	machine->qmp = -1;
}

static void __attribute__((format(printf, 1, 2))) command(const char *format, ...)
{
	char line[512];
	va_list list;

	va_start(list, format);
	vsnprintf(line, sizeof(line), format, list);
	va_end(list);
	assert_int_equal(system(line), 0);
}

static void machine_start(struct machine *machine, const struct vm_def *def,
			  struct qemu_facts *facts)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	facts->volume_root = facts->run_dir = machine->root;
	if (!build(def, facts))
		fail_msg("%s", args.problem);
	machine->pid = fork();
	if (machine->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execv(args.argv[0], args.argv);
		_exit(127);
	}
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/" QEMU_QMP_SOCKET, machine->root);
	for (int i = 0; i < 2000; i++) {
		int status;

		machine->qmp = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(machine->qmp, (struct sockaddr *)&address, sizeof(address)) == 0)
			return;
		close(machine->qmp);
		if (waitpid(machine->pid, &status, WNOHANG) != 0)
			fail_msg("QEMU ended with status %x", (unsigned)status);
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	fail_msg("QMP does not answer");
}

// Sends one command and gives the line that answers it.
static const char *qmp(struct machine *machine, const char *text)
{
	static char answer[65536];
	size_t length;

	assert_int_equal(write(machine->qmp, text, strlen(text)), (ssize_t)strlen(text));
	do {
		length = 0;
		do {
			assert_true(length < sizeof(answer) - 1);
			assert_int_equal(read(machine->qmp, answer + length, 1), 1);
		} while (answer[length++] != '\n');
		answer[length] = '\0';
	} while (!strstr(answer, "\"return\"") && !strstr(answer, "\"error\""));
	assert_null(strstr(answer, "\"error\""));
	return answer;
}

static void machine_end(struct machine *machine)
{
	int status;

	qmp(machine, "{\"execute\":\"quit\"}\n");
	close(machine->qmp);
	assert_int_equal(waitpid(machine->pid, &status, 0), machine->pid);
	assert_int_equal(status, 0);
	command("rm -r %s", machine->root);
}

static size_t count_of(const char *text, const char *word)
{
	size_t count = 0;

	while ((text = strstr(text, word))) {
		text += strlen(word);
		count++;
	}
	return count;
}

static void machine_check(struct machine *machine, size_t disks)
{
	const char *answer;

	qmp(machine, "{\"execute\":\"qmp_capabilities\"}\n");
	answer = qmp(machine, "{\"execute\":\"query-status\"}\n");
	assert_non_null(strstr(answer, "prelaunch"));
	answer = qmp(machine, "{\"execute\":\"query-block\"}\n");
	assert_int_equal(count_of(answer, "device-disk"), disks);
	assert_int_equal(count_of(answer, "\"direct\": true"), count_of(answer, "\"cache\": {"));
	qmp(machine, "{\"execute\":\"cont\"}\n");
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	answer = qmp(machine, "{\"execute\":\"query-status\"}\n");
	assert_non_null(strstr(answer, "\"running\""));
}

static void disk_make(const struct machine *machine, const struct disk_def *disk)
{
	char path[PATH_SIZE + 8];

	snprintf(path, sizeof(path), "v1/%s", disk->path);
	if (disk->format == DISK_QCOW2)
		command("qemu-img create -q -f qcow2 '%s/%s' 8M", machine->root, path);
	else
		file_make(machine->root, path, 1024 * 1024);
}

// Every bus, format, cache and way of I/O in one VM.
static void every_device(const char *type, bool sata)
{
	struct vm_def def = vm_small();
	struct qemu_facts facts = facts_plain();
	struct machine machine;

	machine_make(&machine);
	strcpy(def.machine, type);
	def.console = true;
	def.vnc = sata;
	def.disk_count = 8;
	for (uint32_t i = 0; i < def.disk_count; i++) {
		struct disk_def *disk = &def.disks[i];

		strcpy(disk->volume, "v1");
		snprintf(disk->path, sizeof(disk->path), "d %u, \"x\"", i);
		disk->bus = (uint8_t)(i % (sata ? DISK_BUS_COUNT : BUS_SATA));
		disk->format = i == 3 ? DISK_QCOW2 : DISK_RAW;
		disk->aio = (uint8_t)(i % DISK_AIO_COUNT);
		disk->cache = (uint8_t)(i / 2 % DISK_CACHE_COUNT);
		disk->discard = i == 4;
		disk->readonly = i == 6;
		disk->cdrom = i == 5 || i == 7;
		if (disk->cdrom && !sata)
			disk->bus = BUS_SCSI;
		disk_make(&machine, disk);
	}
	machine_start(&machine, &def, &facts);
	machine_check(&machine, def.disk_count);
	machine_end(&machine);
}

static void skip_without(const char *path)
{
	if (access(path, R_OK) != 0)
		skip();
}

static void test_real_q35(void **state)
{
	(void)state;
	skip_without(emulator);
	every_device("q35", true);
}

static void test_real_pc(void **state)
{
	(void)state;
	skip_without(emulator);
	every_device("pc", true);
}

static void test_real_microvm(void **state)
{
	(void)state;
	skip_without(emulator);
	every_device("microvm", false);
}

static void test_real_uefi(void **state)
{
	static const char code[] = "/usr/share/OVMF/OVMF_CODE_4M.fd";
	static const char vars[] = "/usr/share/OVMF/OVMF_VARS_4M.fd";
	struct vm_def def = vm_small();
	struct qemu_facts facts = facts_plain();
	struct machine machine;
	const char *answer;
	char path[512];

	(void)state;
	skip_without(emulator);
	skip_without(code);
	machine_make(&machine);
	strcpy(def.disks[0].path, "uefi.raw");
	def.firmware = FIRMWARE_UEFI;
	def.vnc = true;
	facts.uefi_code = code;
	disk_make(&machine, &def.disks[0]);
	assert_true(uefi_vars_path(&def, machine.root, path, sizeof(path)));
	command("cp %s %s", vars, path);
	machine_start(&machine, &def, &facts);
	qmp(&machine, "{\"execute\":\"qmp_capabilities\"}\n");
	answer = qmp(&machine, "{\"execute\":\"query-block\"}\n");
	assert_non_null(strstr(answer, "uefi.raw.nvram"));
	assert_non_null(strstr(answer, "device-disk0"));
	qmp(&machine, "{\"execute\":\"cont\"}\n");
	machine_end(&machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_real_q35),
		cmocka_unit_test(test_real_pc),
		cmocka_unit_test(test_real_microvm),
		cmocka_unit_test(test_real_uefi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
