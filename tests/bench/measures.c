// SPDX-License-Identifier: Apache-2.0
// What measuring costs: a round over a host with so many VMs (this very process stands for each of
// them), its bytes on the wire, and hearing it. Prints JSON: processor time, medians of the rounds.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "resources/measure_io.h"

enum { VMS = 200, VMS_MAX = 10000, ROUNDS = 21 };

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), by_value);
	return values[ROUNDS / 2];
}

int main(void)
{
	static struct vm_counters counters[VMS];
	static struct measure_sample sample, heard;
	static uint8_t bytes[SAMPLE_BYTES_MAX];
	const struct measure_teller teller = { .node = 1, .id = 2, .cpus = 64 };
	double round[ROUNDS], hear[ROUNDS];
	void *memory = malloc(measures_memory(VMS_MAX));
	struct measures *measures;
	struct meter meter;
	size_t size = 0;

	if (!memory)
		return 1;
	measures = measures_init(VMS_MAX, memory);
	meter_init(&meter, "/proc");
	sample.step_ms = MEASURE_STEP_MS;
	sample.has_node = true;
	for (uint64_t i = 0; i < ROUNDS; i++) {
		double began = now_us();

		meter_host(&meter, sample.node);
		sample.vm_count = 0;
		for (uint32_t v = 0; v < VMS; v++) {
			struct measure_vm *vm = &sample.vms[sample.vm_count++];

			vm->vm = (struct vm_ref){ .slot = v, .serial = v + 1 };
			if (!meter_vm(&meter, getpid(), 0, (i + 1) * 10000000, &counters[v],
				      vm->values))
				return 1;
		}
		size = sample_encode(&sample, bytes, sizeof(bytes));
		round[i] = now_us() - began;
		began = now_us();
		if (!sample_decode(&heard, bytes, size))
			return 1;
		measures_keep(measures, &teller, &heard, (i + 1) * MEASURE_STEP_MS, 1);
		hear[i] = now_us() - began;
	}
	printf("{\"vms\": %d, \"step_ms\": %d, \"round_us\": %.1f, \"bytes\": %zu, "
	       "\"hear_us\": %.1f}\n",
	       VMS, MEASURE_STEP_MS, median(round), size, median(hear));
	meter_fini(&meter);
	free(memory);
	return 0;
}
