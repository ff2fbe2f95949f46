// SPDX-License-Identifier: Apache-2.0
// The host's measurements: once in a while a sample of it, of its VMs' processes and of its
// volumes' probes, posted as EVENT_MEASURED.
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clusterd/log_io.h"
#include "resources/host_internal.h"

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int by_slot(const void *a, const void *b)
{
	const struct measure_vm *x = a, *y = b;

	return (x->vm.slot > y->vm.slot) - (x->vm.slot < y->vm.slot);
}

static bool measure_vm(struct host *host, struct host_vm *vm, struct measure_vm *out)
{
	struct record record = { .pid = 0 };

	// Until it is let go it is no QEMU yet.
	if (!vm->process || !vm->let_go)
		return false;
	process_record(vm->process, &record);
	if (record.pid != vm->counted_pid)
		memset(&vm->counters, 0, sizeof(vm->counters));
	vm->counted_pid = record.pid;
	out->vm = vm->ref;
	return vm->ref.serial != 0 && meter_vm(&host->meter, record.pid, record.start, now_us(),
					       &vm->counters, out->values);
}

static void measure_volumes(const struct host *host, struct measure_sample *sample)
{
	for (uint8_t v = 0; v < VOLUMES_MAX; v++) {
		if (!volumes_latency_us(host->volumes, v, &sample->volumes[v]))
			continue;
		sample->volume_mask |= 1u << v;
	}
}

static void sample_post(struct host *host, struct measure_sample *sample)
{
	uint8_t bytes[SAMPLE_BYTES_MAX];
	struct event event = { .type = EVENT_MEASURED, .body = bytes };

	event.body_size = sample_encode(sample, bytes, sizeof(bytes));
	if (event.body_size > 0)
		edge_post(&host->edge, &event);
}

// All of them first: what is posted may end a VM.
static struct measure_vm *measure_vms(struct host *host, uint32_t *count)
{
	struct measure_vm *list;
	uint32_t max = 0;

	*count = 0;
	for (struct host_vm *vm = host->vms; vm; vm = vm->next)
		max++;
	list = max ? malloc(max * sizeof(*list)) : NULL;
	for (struct host_vm *vm = host->vms; vm && list; vm = vm->next)
		if (measure_vm(host, vm, &list[*count]))
			++*count;
	if (*count > 1)
		qsort(list, *count, sizeof(*list), by_slot);
	return list;
}

static void host_measure(void *owner)
{
	struct host *host = owner;
	struct measure_sample sample = { .step_ms = host->measure_ms, .has_node = true };
	struct measure_vm *vms;
	uint32_t count, at = 0;

	loop_timer_ms(host->edge.loop, &host->measure_timer, host->measure_ms, host_measure, host);
	sample.wall_ms = wall_ms();
	meter_host(&host->meter, sample.node);
	measure_volumes(host, &sample);
	vms = measure_vms(host, &count);
	do {
		sample.vm_count = count - at < SAMPLE_VMS_MAX ? count - at : SAMPLE_VMS_MAX;
		if (sample.vm_count > 0)
			memcpy(sample.vms, vms + at, sample.vm_count * sizeof(*vms));
		at += sample.vm_count;
		sample_post(host, &sample);
		sample.has_node = false;
		sample.volume_mask = 0;
	} while (at < count);
	free(vms);
}

// Nodes that were started together do not all speak at once.
void host_measure_open(struct host *host)
{
	const char *proc = host->config.proc ? host->config.proc : "/proc";

	meter_init(&host->meter, proc);
	host->measure_ms = host->config.measure_ms ? host->config.measure_ms : MEASURE_STEP_MS;
	loop_timer_ms(host->edge.loop, &host->measure_timer,
		      host->measure_ms / 10 + host->config.node_id * 137 % (host->measure_ms / 2),
		      host_measure, host);
}

void host_measure_every(struct host *host, uint32_t ms)
{
	if (host->config.measure_ms || ms == host->measure_ms)
		return;
	host->measure_ms = ms;
	loop_timer_ms(host->edge.loop, &host->measure_timer, ms, host_measure, host);
}

void host_measure_close(struct host *host)
{
	loop_timer_cancel(&host->measure_timer);
	meter_fini(&host->meter);
}
