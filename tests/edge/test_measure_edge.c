// SPDX-License-Identifier: Apache-2.0
// What is read out of /proc: texts of old kernels, of new ones, cut ones and odd ones; counters
// that wrap, processes that vanish, hosts without pressure. And the whole of it against a tree of
// files that looks like /proc.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "resources/measure_io.h"

enum { PID = 4242, SECOND_US = 1000000 };

// ---- texts ----

static uint32_t used_between(const char *before, const char *after)
{
	struct cpu_counters a, b;

	assert_true(counters_cpu(before, &a));
	assert_true(counters_cpu(after, &b));
	return counters_cpu_used(&a, &b);
}

static void test_cpu(void **state)
{
	struct cpu_counters none = { 0 }, now;

	(void)state;
	assert_int_equal(used_between("cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 2 3 4\n",
				      "cpu  150 10 120 880 20 5 5 10 50 0\n"),
			 500);
	// A guest's time is the user's already: field 9 does not count twice.
	assert_int_equal(used_between("cpu  0 0 0 0 0 0 0 0 0 0\n", "cpu  1 0 0 1 0 0 0 0 900 0\n"),
			 500);
	// Idle time went back, as it does when a CPU is taken away.
	assert_int_equal(used_between("cpu  10 0 0 1000 50\n", "cpu  20 0 0 900 40\n"), 1000);
	assert_int_equal(used_between("cpu  10 0 0 10 0 0 0\n", "cpu  10 0 0 10 0 0 0\n"),
			 MEASURE_UNKNOWN);
	assert_true(counters_cpu("cpu  1 2 3 4\n", &now)); // before 2.6
	assert_int_equal(counters_cpu_used(&none, &now), MEASURE_UNKNOWN);
	assert_true(none.known);
	assert_false(counters_cpu("cpu  1 2 3\n", &now));
	assert_false(counters_cpu("cpu0 1 2 3 4 5\n", &now));
	assert_false(counters_cpu("", &now));
	assert_false(counters_cpu("intr 5\n", &now));
}

static void test_memory(void **state)
{
	(void)state;
	assert_int_equal(counters_memory("MemTotal:        1000 kB\nMemFree:  10 kB\n"
					 "MemAvailable:     250 kB\n"),
			 750);
	assert_int_equal(counters_memory("MemTotal: 1000 kB\nMemFree: 10 kB\n"), MEASURE_UNKNOWN);
	assert_int_equal(counters_memory("MemTotal: 0 kB\nMemAvailable: 0 kB\n"), MEASURE_UNKNOWN);
	assert_int_equal(counters_memory("MemTotal: 10 kB\nMemAvailable: 11 kB\n"), 0);
	assert_int_equal(counters_memory("MemTotal:"), MEASURE_UNKNOWN);
	assert_int_equal(counters_memory(""), MEASURE_UNKNOWN);
}

static void test_pressure(void **state)
{
	(void)state;
	assert_int_equal(counters_pressure("some avg10=12.34 avg60=0.00 avg300=0.00 total=1\n"
					   "full avg10=99.00 avg60=0.00 avg300=0.00 total=0\n"),
			 123);
	assert_int_equal(counters_pressure("some avg10=0.00 avg60=9.00"), 0);
	assert_int_equal(counters_pressure("some avg10=100.00 avg60=9.00"), 1000);
	assert_int_equal(counters_pressure("some avg10=7"), 70);
	assert_int_equal(counters_pressure("some avg10=101.00"), MEASURE_UNKNOWN);
	assert_int_equal(counters_pressure("some avg10=x"), MEASURE_UNKNOWN);
	assert_int_equal(counters_pressure("full avg10=3.00"), MEASURE_UNKNOWN);
	assert_int_equal(counters_pressure(""), MEASURE_UNKNOWN);
}

static const char process_line[] = "4242 (qemu) (x) R) S 1 2 3 4 5 6 7 8 9 10 70 30 0 0 20 0 5 0 "
				   "777 123456 256 18446744073709";

static void test_process(void **state)
{
	struct process_counters counters;

	(void)state;
	assert_true(counters_process(process_line, &counters));
	assert_int_equal(counters.ticks, 100);
	assert_int_equal(counters.start, 777);
	assert_int_equal(counters.pages, 256);
	assert_false(counters_process("4242 (qemu) Z 1 2 3 4 5 6 7 8 9 10 70 30 0 0 20 0 5 0 7 1 2",
				      &counters));
	assert_false(counters_process("4242 (qemu) S 1 2 3", &counters));
	assert_false(counters_process("4242 (qemu", &counters));
	assert_false(counters_process("4242 (qemu)", &counters));
	assert_false(counters_process("4242 (qemu) ", &counters));
	assert_false(counters_process("", &counters));
}

static void test_io_and_net(void **state)
{
	static const char dev[] =
		"Inter-|   Receive                         |  Transmit\n"
		" face |bytes    packets errs drop fifo frame compressed multicast|bytes packets\n"
		"    lo:     999    9    0    0    0     0          0         0      999    9 0 0\n"
		"  tap10:    50    1    0    0    0     0          0         0       60    1 0 0\n"
		"  tap1: 123456789012  1 0 0 0 0 0 0 42  1 0 0 0 0 0 0\n"
		"  cut: 5 6\n";
	uint64_t a = 0, b = 0;
	char name[8];

	(void)state;
	assert_true(counters_io("rchar: 5\nwchar: 6\nread_bytes: 4096\nwrite_bytes: 8192\n"
				"cancelled_write_bytes: 0\n",
				&a, &b));
	assert_int_equal(a, 4096);
	assert_int_equal(b, 8192);
	assert_false(counters_io("rchar: 5\nwchar: 6\n", &a, &b));
	assert_false(counters_io("read_bytes: \nwrite_bytes: \n", &a, &b));
	assert_true(counters_net(dev, "tap1", &a, &b));
	assert_int_equal(a, 123456789012);
	assert_int_equal(b, 42);
	assert_true(counters_net(dev, "tap10", &a, &b));
	assert_int_equal(a, 50);
	assert_int_equal(b, 60);
	assert_false(counters_net(dev, "tap", &a, &b));
	assert_false(counters_net(dev, "cut", &a, &b));
	assert_false(counters_net("", "tap1", &a, &b));
	assert_true(counters_tap("pos:\t0\nflags:\t02\niff:\ttap7\n", name, sizeof(name)));
	assert_string_equal(name, "tap7");
	assert_false(counters_tap("pos:\t0\n", name, sizeof(name)));
	assert_false(counters_tap("iff:\t\n", name, sizeof(name)));
	assert_false(counters_tap("iff:\ta-name-too-long\n", name, sizeof(name)));
}

static void test_rates(void **state)
{
	(void)state;
	assert_int_equal(counters_rate(0, 10 << 20, 10 * SECOND_US), 1024);
	assert_int_equal(counters_rate(5000, 5000, SECOND_US), 0);
	// A counter that wrapped, or began anew: nothing is known of that time.
	assert_int_equal(counters_rate(UINT32_MAX, 5, SECOND_US), MEASURE_UNKNOWN);
	assert_int_equal(counters_rate(0, 5, 0), MEASURE_UNKNOWN);
	assert_int_equal(counters_rate(0, UINT64_MAX, 1), MEASURE_UNKNOWN);
	assert_int_equal(counters_rate(0, UINT64_C(1) << 50, 1), MEASURE_VALUE_MAX);
	assert_int_equal(counters_ticks_used(100, 300, SECOND_US, 100), 2000);
	assert_int_equal(counters_ticks_used(300, 100, SECOND_US, 100), MEASURE_UNKNOWN);
	assert_int_equal(counters_ticks_used(0, UINT64_MAX, SECOND_US, 100), MEASURE_UNKNOWN);
	assert_int_equal(counters_ticks_used(0, 1, 0, 100), MEASURE_UNKNOWN);
}

// ---- a tree like /proc ----

struct tree {
	char root[64];
	struct meter meter;
	struct vm_counters counters;
	uint32_t host[MEASURE_NODE_COUNT], vm[MEASURE_VM_COUNT];
};

static void put(const struct tree *tree, const char *name, const char *text)
{
	char path[256], *at;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", tree->root, name);
	for (at = path + strlen(tree->root) + 1; (at = strchr(at, '/')); *at++ = '/') {
		*at = 0;
		if (mkdir(path, 0700) < 0)
			assert_int_equal(errno, EEXIST);
	}
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void put_process(const struct tree *tree, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "%d/%s", PID, name);
	put(tree, path, text);
}

static void put_net(const struct tree *tree, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "%d/net/dev", (int)getpid());
	put(tree, path, text);
}

static int open_tree(void **state)
{
	struct tree *tree = calloc(1, sizeof(*tree));

	assert_non_null(tree);
	snprintf(tree->root, sizeof(tree->root), "/tmp/measure-edge-XXXXXX");
	assert_non_null(mkdtemp(tree->root));
	meter_init(&tree->meter, tree->root);
	tree->meter.hz = 100;
	tree->meter.page = 4096;
	*state = tree;
	return 0;
}

static int tree_remove(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int close_tree(void **state)
{
	struct tree *tree = *state;

	meter_fini(&tree->meter);
	nftw(tree->root, tree_remove, 8, FTW_DEPTH | FTW_PHYS);
	free(tree);
	return 0;
}

static void test_host(void **state)
{
	struct tree *tree = *state;

	put(tree, "stat", "cpu  0 0 0 100 0 0 0 0 0 0\n");
	put(tree, "meminfo", "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 400 kB\n");
	put(tree, "pressure/cpu", "some avg10=1.50 avg60=0.00 avg300=0.00 total=0\n");
	put(tree, "pressure/io", "some avg10=2.00 avg60=0.00 avg300=0.00 total=0\n");
	meter_host(&tree->meter, tree->host);
	assert_int_equal(tree->host[MEASURE_NODE_CPU], MEASURE_UNKNOWN);
	assert_int_equal(tree->host[MEASURE_NODE_MEMORY], 600);
	assert_int_equal(tree->host[MEASURE_NODE_CPU_PRESSURE], 15);
	assert_int_equal(tree->host[MEASURE_NODE_IO_PRESSURE], 20);
	assert_int_equal(tree->host[MEASURE_NODE_MEMORY_PRESSURE], MEASURE_UNKNOWN);
	put(tree, "stat", "cpu  30 0 0 170 0 0 0 0 0 0\n");
	meter_host(&tree->meter, tree->host);
	assert_int_equal(tree->host[MEASURE_NODE_CPU], 300);
}

static void test_no_proc_at_all(void **state)
{
	struct tree *tree = *state;

	meter_host(&tree->meter, tree->host);
	for (uint32_t i = 0; i < MEASURE_NODE_COUNT; i++)
		assert_int_equal(tree->host[i], MEASURE_UNKNOWN);
	assert_false(meter_vm(&tree->meter, PID, 0, SECOND_US, &tree->counters, tree->vm));
}

static bool count_vm(struct tree *tree, uint64_t now_us)
{
	meter_host(&tree->meter, tree->host);
	return meter_vm(&tree->meter, PID, 777, now_us, &tree->counters, tree->vm);
}

static uint32_t of(const struct tree *tree, enum measure what)
{
	return tree->vm[what - MEASURE_VM_CPU];
}

static void test_vm(void **state)
{
	struct tree *tree = *state;

	put_process(tree, "stat", process_line);
	put_process(tree, "io", "read_bytes: 0\nwrite_bytes: 1048576\n");
	put_process(tree, "fdinfo/20", "pos:\t0\niff:\ttap3\n");
	put_net(tree, " tap3: 1024 0 0 0 0 0 0 0 0 0\n");
	assert_true(count_vm(tree, 10 * SECOND_US));
	assert_int_equal(of(tree, MEASURE_VM_CPU), MEASURE_UNKNOWN);
	assert_int_equal(of(tree, MEASURE_VM_WRITE), MEASURE_UNKNOWN);
	assert_int_equal(of(tree, MEASURE_VM_SENT), MEASURE_UNKNOWN);
	assert_int_equal(of(tree, MEASURE_VM_MEMORY), 1);
	put_process(tree, "stat",
		    "4242 (q) S 1 2 3 4 5 6 7 8 9 10 570 530 0 0 20 0 5 0 777 1 512 0");
	put_process(tree, "io", "read_bytes: 10485760\nwrite_bytes: 0\n");
	put_net(tree, " tap3: 11264 0 0 0 0 0 0 0 20480 0\n");
	assert_true(count_vm(tree, 20 * SECOND_US));
	assert_int_equal(of(tree, MEASURE_VM_CPU), 1000);
	assert_int_equal(of(tree, MEASURE_VM_MEMORY), 2);
	assert_int_equal(of(tree, MEASURE_VM_READ), 1024);
	assert_int_equal(of(tree, MEASURE_VM_WRITE), MEASURE_UNKNOWN); // it went back
	assert_int_equal(of(tree, MEASURE_VM_SENT), 1);		       // what the host receives
	assert_int_equal(of(tree, MEASURE_VM_RECEIVED), 2);
	// The interface is gone for a moment, and its counters begin anew.
	put_net(tree, "");
	assert_true(count_vm(tree, 30 * SECOND_US));
	assert_int_equal(of(tree, MEASURE_VM_SENT), MEASURE_UNKNOWN);
	put_net(tree, " tap3: 0 0 0 0 0 0 0 0 0 0\n");
	assert_true(count_vm(tree, 40 * SECOND_US));
	assert_int_equal(of(tree, MEASURE_VM_SENT), MEASURE_UNKNOWN);
	assert_int_equal(of(tree, MEASURE_VM_CPU), 0);
}

static void test_no_nic_is_no_traffic(void **state)
{
	struct tree *tree = *state;

	put_process(tree, "stat", process_line);
	put_process(tree, "fdinfo/20", "pos:\t0\n"); // no tap
	assert_true(count_vm(tree, SECOND_US));
	assert_true(count_vm(tree, 2 * SECOND_US));
	assert_int_equal(of(tree, MEASURE_VM_SENT), 0);
	assert_int_equal(of(tree, MEASURE_VM_READ), MEASURE_UNKNOWN); // no file `io`
}

static void test_another_process(void **state)
{
	struct tree *tree = *state;

	put_process(tree, "stat", process_line);
	assert_true(count_vm(tree, SECOND_US));
	put_process(tree, "stat", "4242 (sh) S 1 2 3 4 5 6 7 8 9 10 0 0 0 0 20 0 5 0 778 1 5 0");
	assert_false(count_vm(tree, 2 * SECOND_US));
	put_process(tree, "stat", "");
	assert_false(count_vm(tree, 3 * SECOND_US));
}

static void test_many_interfaces(void **state)
{
	struct tree *tree = *state;
	size_t size = 400 * 1024, used = 0;
	char *text = malloc(size);

	assert_non_null(text);
	for (int i = 0; i < 4000; i++)
		used += (size_t)snprintf(text + used, size - used,
					 " t%d: %d 0 0 0 0 0 0 0 %d 0 0 0 0 0 0 0\n", i, i, 2 * i);
	put_process(tree, "stat", process_line);
	put_process(tree, "fdinfo/20", "iff:\tt3999\n");
	put_net(tree, text);
	free(text);
	assert_true(count_vm(tree, SECOND_US));
	assert_int_equal(tree->counters.sent, 3999);
	assert_int_equal(tree->counters.received, 7998);
}

// The real one: this very process works, and is seen to.
static void test_this_process(void **state)
{
	struct vm_counters counters = { 0 };
	uint32_t values[MEASURE_VM_COUNT], host[MEASURE_NODE_COUNT];
	volatile uint64_t work = 0;
	struct timespec begin, now;
	struct meter meter;
	uint64_t us = 0;

	(void)state;
	meter_init(&meter, "/proc");
	clock_gettime(CLOCK_MONOTONIC, &begin);
	meter_host(&meter, host);
	assert_true(host[MEASURE_NODE_MEMORY] <= 1000);
	assert_true(meter_vm(&meter, getpid(), 0, SECOND_US, &counters, values));
	while (us < 300000) {
		for (int i = 0; i < 100000; i++)
			work += (uint64_t)i;
		clock_gettime(CLOCK_MONOTONIC, &now);
		us = (uint64_t)(now.tv_sec - begin.tv_sec) * 1000000 +
		     (uint64_t)((now.tv_nsec - begin.tv_nsec) / 1000);
	}
	meter_host(&meter, host);
	assert_true(meter_vm(&meter, getpid(), 0, SECOND_US + us, &counters, values));
	assert_true(host[MEASURE_NODE_CPU] > 0 && host[MEASURE_NODE_CPU] <= 1000);
	assert_true(values[0] > 0 && values[0] <= 1200);
	assert_true(values[1] > 0);
	meter_fini(&meter);
}

#define TREE(name) cmocka_unit_test_setup_teardown(name, open_tree, close_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpu),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_pressure),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_io_and_net),
		cmocka_unit_test(test_rates),
		TREE(test_host),
		TREE(test_no_proc_at_all),
		TREE(test_vm),
		TREE(test_no_nic_is_no_traffic),
		TREE(test_another_process),
		TREE(test_many_interfaces),
		cmocka_unit_test(test_this_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
