// SPDX-License-Identifier: Apache-2.0
#include "resources/measure_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clusterd/text.h"
#include "resources/launch.h"

enum { BUFFER_SIZE = 4096, BUFFER_SIZE_MAX = 4 * 1024 * 1024 };

void meter_init(struct meter *meter, const char *proc)
{
	long hz = sysconf(_SC_CLK_TCK), page = sysconf(_SC_PAGESIZE);

	memset(meter, 0, sizeof(*meter));
	text_copy(meter->proc, sizeof(meter->proc), proc);
	meter->hz = hz > 0 ? (uint64_t)hz : 100;
	meter->page = page > 0 ? (uint64_t)page : 4096;
}

void meter_fini(struct meter *meter)
{
	free(meter->buffer);
	free(meter->net);
	meter->buffer = meter->net = NULL;
}

static bool buffer_grow(struct meter *meter)
{
	size_t size = meter->size ? 2 * meter->size : BUFFER_SIZE;
	char *larger = size <= BUFFER_SIZE_MAX ? realloc(meter->buffer, size) : NULL;

	if (!larger)
		return false;
	meter->buffer = larger;
	meter->size = size;
	return true;
}

// The whole file as text, good until the next one; NULL when it cannot be read. Of a long one the
// caller may want the first lines alone.
static const char *meter_read(struct meter *meter, const char *path, bool whole)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t count;

	if (fd < 0)
		return NULL;
	do {
		if (meter->size - used < 2 && !buffer_grow(meter)) {
			close(fd);
			return NULL;
		}
		count = read(fd, meter->buffer + used, meter->size - used - 1);
		if (count > 0)
			used += (size_t)count;
	} while ((count > 0 && whole) || (count < 0 && errno == EINTR));
	close(fd);
	if (count < 0 || used == 0)
		return NULL;
	meter->buffer[used] = 0;
	return meter->buffer;
}

static const char *host_text(struct meter *meter, const char *name)
{
	char path[2 * PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", meter->proc, name);
	return meter_read(meter, path, false);
}

static uint32_t pressure(struct meter *meter, const char *name)
{
	const char *text = host_text(meter, name);

	return text ? counters_pressure(text) : MEASURE_UNKNOWN;
}

void meter_host(struct meter *meter, uint32_t values[MEASURE_NODE_COUNT])
{
	struct cpu_counters cpu;
	const char *text = host_text(meter, "stat");

	free(meter->net);
	meter->net = NULL;
	values[MEASURE_NODE_CPU] = text && counters_cpu(text, &cpu)
					   ? counters_cpu_used(&meter->cpu, &cpu)
					   : MEASURE_UNKNOWN;
	text = host_text(meter, "meminfo");
	values[MEASURE_NODE_MEMORY] = text ? counters_memory(text) : MEASURE_UNKNOWN;
	values[MEASURE_NODE_CPU_PRESSURE] = pressure(meter, "pressure/cpu");
	values[MEASURE_NODE_MEMORY_PRESSURE] = pressure(meter, "pressure/memory");
	values[MEASURE_NODE_IO_PRESSURE] = pressure(meter, "pressure/io");
}

static const char *process_text(struct meter *meter, pid_t pid, const char *name)
{
	char path[2 * PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%d/%s", meter->proc, (int)pid, name);
	return meter_read(meter, path, true);
}

// Its descriptors stay what they are as long as it lives.
static void find_taps(struct meter *meter, pid_t pid, struct vm_counters *counters)
{
	char name[32];
	const char *text;

	counters->taps_known = true;
	for (int i = 0; i < VM_NICS_MAX; i++) {
		snprintf(name, sizeof(name), "fdinfo/%d", LAUNCH_TAP_FD + i);
		text = process_text(meter, pid, name);
		if (!text || !counters_tap(text, counters->taps[counters->tap_count],
					   sizeof(counters->taps[0])))
			return;
		counters->tap_count++;
	}
}

// What the host receives from a tap its guest has sent.
static bool count_net(struct meter *meter, const struct vm_counters *of, uint64_t *received,
		      uint64_t *sent)
{
	uint64_t in = 0, out = 0;

	*received = *sent = 0;
	if (of->tap_count > 0 && !meter->net) {
		const char *text = process_text(meter, getpid(), "net/dev");

		meter->net = text ? strdup(text) : NULL;
		if (!meter->net)
			return false;
	}
	for (uint8_t i = 0; i < of->tap_count; i++) {
		if (!counters_net(meter->net, of->taps[i], &in, &out))
			return false;
		*received += out;
		*sent += in;
	}
	return true;
}

static uint32_t rate(bool known, uint64_t before, uint64_t now, uint64_t elapsed_us)
{
	return known ? counters_rate(before, now, elapsed_us) : MEASURE_UNKNOWN;
}

bool meter_vm(struct meter *meter, pid_t pid, uint64_t start, uint64_t now_us,
	      struct vm_counters *before, uint32_t values[MEASURE_VM_COUNT])
{
	struct vm_counters now = { .at_us = now_us };
	uint64_t elapsed_us = before->at_us && now_us > before->at_us ? now_us - before->at_us : 0;
	struct process_counters process;
	const char *text = process_text(meter, pid, "stat");

	if (!text || !counters_process(text, &process) || (start && process.start != start))
		return false;
	if (!before->taps_known)
		find_taps(meter, pid, before);
	text = process_text(meter, pid, "io");
	now.io = text && counters_io(text, &now.read, &now.written);
	now.net = count_net(meter, before, &now.received, &now.sent);
	now.ticks = process.ticks;
	values[MEASURE_VM_CPU - MEASURE_VM_CPU] =
		counters_ticks_used(before->ticks, now.ticks, elapsed_us, meter->hz);
	values[MEASURE_VM_MEMORY - MEASURE_VM_CPU] = (uint32_t)(process.pages * meter->page >> 20);
	values[MEASURE_VM_READ - MEASURE_VM_CPU] =
		rate(now.io && before->io, before->read, now.read, elapsed_us);
	values[MEASURE_VM_WRITE - MEASURE_VM_CPU] =
		rate(now.io && before->io, before->written, now.written, elapsed_us);
	values[MEASURE_VM_RECEIVED - MEASURE_VM_CPU] =
		rate(now.net && before->net, before->received, now.received, elapsed_us);
	values[MEASURE_VM_SENT - MEASURE_VM_CPU] =
		rate(now.net && before->net, before->sent, now.sent, elapsed_us);
	now.taps_known = true;
	now.tap_count = before->tap_count;
	memcpy(now.taps, before->taps, sizeof(now.taps));
	*before = now;
	return true;
}
