// SPDX-License-Identifier: Apache-2.0
// Series of measurements: what is kept, when it counts, and why it does not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clusterd/measure.h"

enum { VMS_MAX = 40, START_MS = 5000000, WALL_MS = 1000000000 };

static struct measures *measures;
static void *memory;
static struct measure_sample sample;
static uint64_t now_ms;
static const struct measure_teller n1 = { .node = 3, .id = 11, .cpus = 8, .memory_mib = 16384 };

static int open_measures(void **state)
{
	(void)state;
	// Nothing may rely on zeroed memory.
	memory = malloc(measures_memory(VMS_MAX));
	assert_non_null(memory);
	memset(memory, 0xa5, measures_memory(VMS_MAX));
	measures = measures_init(VMS_MAX, memory);
	memset(&sample, 0, sizeof(sample));
	sample.step_ms = MEASURE_STEP_MS;
	sample.wall_ms = WALL_MS;
	sample.has_node = true;
	now_ms = START_MS;
	return 0;
}

static int close_measures(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

static void keep(uint32_t cpu)
{
	sample.node[MEASURE_NODE_CPU] = cpu;
	measures_keep(measures, &n1, &sample, now_ms, WALL_MS);
}

static struct series cpu_at(uint64_t when_ms)
{
	struct series series;
	bool good = measures_node(measures, n1.node, MEASURE_NODE_CPU, when_ms, &series);

	assert_int_equal(good, series.why == MEASURE_GOOD);
	assert_int_equal(good, series.count > 0);
	return series;
}

static void test_nothing_is_missing(void **state)
{
	struct series series = cpu_at(now_ms);
	struct vm_ref vm = { .slot = 2, .serial = 5 };

	(void)state;
	assert_int_equal(series.why, MEASURE_MISSING);
	assert_false(measures_vm(measures, vm, MEASURE_VM_CPU, now_ms, &series));
	assert_int_equal(series.why, MEASURE_MISSING);
	vm.slot = VMS_MAX;
	assert_false(measures_vm(measures, vm, MEASURE_VM_CPU, now_ms, &series));
	assert_false(measures_volume(measures, 3, 0, MEASURE_VOLUME_LATENCY, now_ms, &series));
	assert_int_equal(series.why, MEASURE_MISSING);
	assert_false(measures_node(measures, SLOT_NONE, MEASURE_NODE_CPU, now_ms, &series));
}

static void test_newest_is_last(void **state)
{
	struct series series;

	(void)state;
	for (uint32_t i = 0; i < SERIES_NODE_MAX + 7; i++) {
		keep(i);
		now_ms += MEASURE_STEP_MS;
	}
	series = cpu_at(now_ms);
	assert_int_equal(series.count, SERIES_NODE_MAX);
	assert_int_equal(series.step_ms, MEASURE_STEP_MS);
	assert_int_equal(series.at_ms, now_ms - MEASURE_STEP_MS);
	for (uint32_t i = 0; i < series.count; i++)
		assert_int_equal(series.values[i], 7 + i);
}

static void test_stale_after_three_missed(void **state)
{
	(void)state;
	keep(100);
	assert_int_equal(cpu_at(now_ms + 3 * MEASURE_STEP_MS).why, MEASURE_GOOD);
	assert_int_equal(cpu_at(now_ms + 3 * MEASURE_STEP_MS + 1).why, MEASURE_STALE);
	// What was before the gap says nothing of now.
	now_ms += 3 * MEASURE_STEP_MS + 1;
	keep(200);
	assert_int_equal(cpu_at(now_ms).count, 1);
	assert_int_equal(cpu_at(now_ms).values[0], 200);
}

static void test_early_one_takes_the_last_place(void **state)
{
	(void)state;
	keep(1);
	now_ms += MEASURE_STEP_MS;
	keep(2);
	now_ms += MEASURE_STEP_MS / 4;
	keep(3);
	assert_int_equal(cpu_at(now_ms).count, 2);
	assert_int_equal(cpu_at(now_ms).values[0], 1);
	assert_int_equal(cpu_at(now_ms).values[1], 3);
}

static void test_another_step_begins_anew(void **state)
{
	(void)state;
	keep(1);
	now_ms += 1000;
	sample.step_ms = 1000;
	keep(2);
	assert_int_equal(cpu_at(now_ms).count, 1);
	assert_int_equal(cpu_at(now_ms).step_ms, 1000);
}

static void test_absurd_values(void **state)
{
	struct series series;

	(void)state;
	keep(1000);
	assert_int_equal(cpu_at(now_ms).why, MEASURE_GOOD);
	now_ms += MEASURE_STEP_MS;
	keep(1001);
	assert_int_equal(cpu_at(now_ms).why, MEASURE_ABSURD);
	// It is over with the next sample, and the series begins behind it.
	now_ms += MEASURE_STEP_MS;
	keep(7);
	assert_int_equal(cpu_at(now_ms).count, 1);
	sample.vm_count = 1;
	sample.vms[0] = (struct measure_vm){ .vm = { .slot = 1, .serial = 9 } };
	sample.vms[0].values[0] = n1.cpus * 1000 + 1001;
	sample.vms[0].values[1] = n1.memory_mib + 1;
	keep(7);
	assert_false(measures_vm(measures, sample.vms[0].vm, MEASURE_VM_CPU, now_ms, &series));
	assert_int_equal(series.why, MEASURE_ABSURD);
	assert_false(measures_vm(measures, sample.vms[0].vm, MEASURE_VM_MEMORY, now_ms, &series));
	assert_int_equal(series.why, MEASURE_ABSURD);
	assert_true(measures_vm(measures, sample.vms[0].vm, MEASURE_VM_READ, now_ms, &series));
}

static void test_untold(void **state)
{
	(void)state;
	keep(MEASURE_UNKNOWN);
	assert_int_equal(cpu_at(now_ms).why, MEASURE_UNTOLD);
	now_ms += MEASURE_STEP_MS;
	keep(4);
	assert_int_equal(cpu_at(now_ms).count, 1);
}

static void test_future(void **state)
{
	(void)state;
	sample.wall_ms = WALL_MS + MEASURE_FUTURE_MS;
	keep(4);
	assert_int_equal(cpu_at(now_ms).why, MEASURE_GOOD);
	sample.wall_ms++;
	keep(4);
	assert_int_equal(cpu_at(now_ms).why, MEASURE_FUTURE);
	sample.wall_ms = WALL_MS - 7 * 86400000ull; // a clock that is behind harms nobody
	keep(4);
	assert_int_equal(cpu_at(now_ms).why, MEASURE_GOOD);
	assert_int_equal(cpu_at(now_ms - 1).why, MEASURE_FUTURE);
}

static void test_slot_of_another(void **state)
{
	struct measure_teller other = n1;
	struct vm_ref vm = { .slot = 1, .serial = 9 };
	struct series series;

	(void)state;
	sample.vm_count = 1;
	sample.vms[0].vm = vm;
	keep(4);
	now_ms += MEASURE_STEP_MS;
	other.id = 12;
	sample.vms[0].vm.serial = 10;
	measures_keep(measures, &other, &sample, now_ms, WALL_MS);
	assert_int_equal(cpu_at(now_ms).count, 1);
	assert_false(measures_vm(measures, vm, MEASURE_VM_CPU, now_ms, &series));
	assert_int_equal(series.why, MEASURE_MISSING);
	vm.serial = 10;
	assert_true(measures_vm(measures, vm, MEASURE_VM_CPU, now_ms, &series));
	assert_int_equal(series.count, 1);
}

static void test_vms_beyond_the_table(void **state)
{
	(void)state;
	sample.vm_count = 1;
	sample.vms[0].vm = (struct vm_ref){ .slot = VMS_MAX, .serial = 1 };
	keep(4);
	assert_int_equal(cpu_at(now_ms).why, MEASURE_GOOD);
}

static void test_volumes(void **state)
{
	struct series series;

	(void)state;
	sample.has_node = false;
	sample.volume_mask = 1u << 31 | 1;
	sample.volumes[0] = 900;
	sample.volumes[31] = MEASURE_UNKNOWN;
	keep(0);
	assert_int_equal(cpu_at(now_ms).why, MEASURE_MISSING);
	assert_true(measures_volume(measures, 3, 0, MEASURE_VOLUME_LATENCY, now_ms, &series));
	assert_int_equal(series.values[0], 900);
	assert_false(measures_volume(measures, 3, 31, MEASURE_VOLUME_LATENCY, now_ms, &series));
	assert_int_equal(series.why, MEASURE_UNTOLD);
	assert_false(measures_volume(measures, 3, 1, MEASURE_VOLUME_LATENCY, now_ms, &series));
	assert_false(measures_volume(measures, 4, 0, MEASURE_VOLUME_LATENCY, now_ms, &series));
}

static void sample_fill(void)
{
	for (uint32_t i = 0; i < MEASURE_NODE_COUNT; i++)
		sample.node[i] = 100 * i;
	sample.volume_mask = 5;
	sample.volumes[0] = 1;
	sample.volumes[2] = MEASURE_VALUE_MAX;
	sample.vm_count = SAMPLE_VMS_MAX;
	for (uint32_t i = 0; i < sample.vm_count; i++) {
		sample.vms[i].vm = (struct vm_ref){ .slot = 3 * i, .serial = UINT32_MAX - i };
		for (uint32_t k = 0; k < MEASURE_VM_COUNT; k++)
			sample.vms[i].values[k] = k % 2 ? MEASURE_UNKNOWN : MEASURE_VALUE_MAX;
	}
}

static void test_wire_there_and_back(void **state)
{
	static struct measure_sample other;
	uint8_t bytes[SAMPLE_BYTES_MAX + 1];
	size_t size;

	(void)state;
	sample_fill();
	size = sample_encode(&sample, bytes, sizeof(bytes));
	assert_true(size > 0 && size <= SAMPLE_BYTES_MAX);
	assert_true(sample_decode(&other, bytes, size));
	assert_int_equal(other.step_ms, sample.step_ms);
	assert_int_equal(other.wall_ms, sample.wall_ms);
	assert_memory_equal(other.node, sample.node, sizeof(sample.node));
	assert_memory_equal(other.vms, sample.vms, sizeof(sample.vms));
	assert_int_equal(other.volume_mask, 5);
	assert_int_equal(other.volumes[2], MEASURE_VALUE_MAX);
	assert_int_equal(other.volumes[1], MEASURE_UNKNOWN);
	// All or nothing.
	for (size_t cut = 0; cut < size; cut++)
		assert_false(sample_decode(&other, bytes, cut));
	bytes[size] = 0;
	assert_false(sample_decode(&other, bytes, size + 1));
	assert_int_equal(sample_encode(&sample, bytes, size - 1), 0);
}

static void refused(void)
{
	uint8_t bytes[SAMPLE_BYTES_MAX];

	assert_int_equal(sample_encode(&sample, bytes, sizeof(bytes)), 0);
}

static void test_wire_refuses(void **state)
{
	uint8_t bytes[SAMPLE_BYTES_MAX];
	size_t size;

	(void)state;
	sample_fill();
	sample.vms[4].vm.slot = sample.vms[3].vm.slot;
	refused();
	sample_fill();
	sample.vms[4].vm.serial = 0;
	refused();
	sample_fill();
	sample.step_ms = 0;
	refused();
	sample.step_ms = MEASURE_STEP_MS;
	sample.vm_count = SAMPLE_VMS_MAX + 1;
	refused();
	sample.vm_count = 0;
	size = sample_encode(&sample, bytes, sizeof(bytes));
	assert_true(sample_decode(&sample, bytes, size));
	for (size_t i = 0; i < 4; i++) { // magic, version, flags
		bytes[i] ^= 0x80;
		assert_false(sample_decode(&sample, bytes, size));
		bytes[i] ^= 0x80;
	}
}

static void test_dropped_are_counted(void **state)
{
	(void)state;
	measures_drop(measures);
	measures_drop(measures);
	assert_int_equal(measures_dropped(measures), 2);
}

static void test_every_word(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < MEASURE_COUNT; i++) {
		enum measure what = (enum measure)i;

		assert_non_null(measure_word(what));
		assert_string_not_equal(measure_unit(what), "?");
		assert_true(measure_max(what, 0, 0) > 0);
		for (uint32_t k = 0; k < i; k++)
			assert_string_not_equal(measure_word(what), measure_word((enum measure)k));
	}
	for (uint32_t i = 1; i < MEASURE_WHY_COUNT; i++)
		assert_true(strlen(measure_why_text((enum measure_why)i)) > 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_measures, close_measures)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_nothing_is_missing),
		CASE(test_newest_is_last),
		CASE(test_stale_after_three_missed),
		CASE(test_early_one_takes_the_last_place),
		CASE(test_another_step_begins_anew),
		CASE(test_absurd_values),
		CASE(test_untold),
		CASE(test_future),
		CASE(test_slot_of_another),
		CASE(test_vms_beyond_the_table),
		CASE(test_volumes),
		CASE(test_wire_there_and_back),
		CASE(test_wire_refuses),
		CASE(test_dropped_are_counted),
		CASE(test_every_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
