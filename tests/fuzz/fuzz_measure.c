// SPDX-License-Identifier: Apache-2.0
// Any bytes as samples of other nodes: understood whole or not at all, written again as the same
// bytes, and whatever they say, what is read back can be.
#include <stdlib.h>
#include <string.h>

#include "clusterd/invariant.h"
#include "clusterd/measure.h"

enum { VMS_MAX = 64, ROUNDS = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_series(bool good, const struct series *series, enum measure what, uint32_t size)
{
	INVARIANT(good == (series->why == MEASURE_GOOD) && series->why < MEASURE_WHY_COUNT);
	INVARIANT(series->count <= size && good == (series->count > 0));
	for (uint32_t i = 0; i < series->count; i++)
		INVARIANT(series->values[i] <= measure_max(what, 4, 4096));
}

static void read_all(const struct measures *measures, uint64_t now_ms)
{
	struct series series;
	bool good;

	for (uint32_t what = 0; what < MEASURE_VM_CPU; what++) {
		good = measures_node(measures, 2, (enum measure)what, now_ms, &series);
		check_series(good, &series, (enum measure)what, SERIES_NODE_MAX);
	}
	for (uint8_t v = 0; v < VOLUMES_MAX; v++) {
		good = measures_volume(measures, 2, v, MEASURE_VOLUME_LATENCY, now_ms, &series);
		check_series(good, &series, MEASURE_VOLUME_LATENCY, SERIES_VOLUME_MAX);
	}
	for (uint32_t slot = 0; slot < VMS_MAX + 2; slot++) {
		struct vm_ref vm = { .slot = slot, .serial = slot + 1 };

		good = measures_vm(measures, vm, MEASURE_VM_CPU, now_ms, &series);
		check_series(good, &series, MEASURE_VM_CPU, SERIES_VM_MAX);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct measure_sample sample;
	static uint8_t again[SAMPLE_BYTES_MAX];
	const struct measure_teller teller = { .node = 2, .id = 3, .cpus = 4, .memory_mib = 4096 };
	struct measures *measures;
	uint64_t now_ms = 1000000;
	void *memory;

	if (!sample_decode(&sample, data, size))
		return 0;
	INVARIANT(sample_encode(&sample, again, sizeof(again)) == size &&
		  memcmp(again, data, size) == 0);
	memory = malloc(measures_memory(VMS_MAX));
	INVARIANT(memory);
	memset(memory, 0xa5, measures_memory(VMS_MAX));
	measures = measures_init(VMS_MAX, memory);
	for (int i = 0; i < ROUNDS; i++) {
		measures_keep(measures, &teller, &sample, now_ms, 5000);
		read_all(measures, now_ms);
		now_ms += sample.step_ms;
	}
	read_all(measures, now_ms + 10ull * sample.step_ms);
	free(memory);
	return 0;
}
