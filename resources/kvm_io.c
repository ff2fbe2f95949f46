// SPDX-License-Identifier: Apache-2.0
#include "resources/kvm_io.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clusterd/exec_io.h"

enum {
	EXIT_PORT = 0xf4,
	EXIT_VALUE = 0x10,
	EXIT_STATUS = EXIT_VALUE << 1 | 1,	// what isa-debug-exit makes of it
	LIMIT_MS = 3000,
	ENOUGH_MS = 1000,
};

static uint64_t kvm_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// A boot sector: mov $EXIT_VALUE, %al; mov $EXIT_PORT, %dx; out %al, %dx; hlt.
static bool kvm_write_guest(const char *path)
{
	uint8_t sector[512] = { 0xb0, EXIT_VALUE, 0xba, EXIT_PORT, 0x00, 0xee, 0xf4 };
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool written;

	if (fd < 0)
		return false;
	sector[510] = 0x55;
	sector[511] = 0xaa;
	written = write(fd, sector, sizeof(sector)) == sizeof(sector);
	close(fd);
	return written;
}

// How long the firmware and the guest took; 0: they did not come to their end.
static uint64_t kvm_boot_ms(const char *qemu, const char *accel, const char *image)
{
	const char *const argv[] = {
		qemu,
		"-accel",
		accel,
		"-machine",
		"pc",
		"-nodefaults",
		"-no-user-config",
		"-display",
		"none",
		"-m",
		"32",
		"-device",
		"isa-debug-exit,iobase=0xf4,iosize=4",
		"-drive",
		image,
		"-sandbox",
		"on",
		NULL,
	};
	uint64_t begin_ms = kvm_now_ms();
	char output[256];

	if (exec_run(argv, output, sizeof(output), LIMIT_MS) != EXIT_STATUS)
		return 0;
	return kvm_now_ms() - begin_ms + 1;
}

static bool kvm_known(const char *path, bool *usable)
{
	FILE *file = fopen(path, "re");
	char word[8] = "";
	bool known = file && fscanf(file, "%7s", word) == 1;

	if (file)
		fclose(file);
	*usable = strcmp(word, "yes") == 0;
	return known;
}

/*
 * Measured: where the kernel's KVM can only interpret a guest's early code, this boot takes 3.2 s
 * against 0.07 s under emulation, and an ordinary guest never comes up. So KVM has to be as quick
 * as emulation, within reason; the comparison is with emulation at the same moment, because a busy
 * host slows both.
 */
bool kvm_probe(const char *qemu, const char *run_dir)
{
	char image[512], drive[600], known[512];
	uint64_t tcg_ms, kvm_ms, limit_ms = ENOUGH_MS;
	bool usable;
	FILE *file;

	if (access("/dev/kvm", R_OK | W_OK) < 0)
		return false;
	snprintf(known, sizeof(known), "%.400s/kvm", run_dir);
	if (kvm_known(known, &usable))
		return usable;
	snprintf(image, sizeof(image), "%.400s/kvm-probe.img", run_dir);
	if (!kvm_write_guest(image))
		return false;
	snprintf(drive, sizeof(drive), "file=%s,format=raw,if=ide,snapshot=off", image);
	tcg_ms = kvm_boot_ms(qemu, "tcg", drive);
	if (5 * tcg_ms > limit_ms)
		limit_ms = 5 * tcg_ms;
	kvm_ms = kvm_boot_ms(qemu, "kvm", drive);
	usable = kvm_ms && kvm_ms <= limit_ms;
	unlink(image);
	file = fopen(known, "we");
	if (file) {
		fprintf(file, "%s\n%llu ms, emulated %llu ms\n", usable ? "yes" : "no",
			(unsigned long long)kvm_ms, (unsigned long long)tcg_ms);
		fclose(file);
	}
	return usable;
}
