// SPDX-License-Identifier: Apache-2.0
// Room for ten thousand VMs costs an empty node no memory: what was never written stays unwritten.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "clusterd/node.h"
#include "clusterd/zero.h"

enum { GUARD = 65536 };

// As the daemon has them: shell_io.c.
static const struct node_limits limits = {
	.cluster = { .vms_max = 10000, .lease_slots_max = 16384 },
	.view = { .records_max = 16384, .log_bytes = 4 * 1024 * 1024, .proposals_max = 2048,
		  .proposal_bytes = 8 * 1024 * 1024, .copy_bytes = 96 * 1024 * 1024 },
	.requests_max = 256,
};

// Of the mapping that begins there: pages of zeros that were only read do not count.
static long resident_kib(const void *memory)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	char line[512];
	long kib = -1;
	bool here = false;

	assert_non_null(file);
	while (kib < 0 && fgets(line, sizeof(line), file)) {
		unsigned long long from, to;
		char permissions[5];

		if (sscanf(line, "%llx-%llx %4s ", &from, &to, permissions) == 3)
			here = from == (uintptr_t)memory;
		else if (here && sscanf(line, "Rss: %ld kB", &kib) != 1)
			kib = -1;
	}
	fclose(file);
	assert_true(kib >= 0);
	return kib;
}

static void test_empty_node_is_small(void **state)
{
	size_t size = (node_memory(&limits) + GUARD - 1) & ~(size_t)(GUARD - 1);
	// Guarded, so that it is not shown as one with a neighbour.
	uint8_t *around = mmap(NULL, size + 2 * GUARD, PROT_NONE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	void *memory = around + GUARD;

	(void)state;
	assert_ptr_not_equal(around, MAP_FAILED);
	assert_int_equal(mprotect(memory, size, PROT_READ | PROT_WRITE), 0);
	assert_true(size > 100 * 1024 * 1024);
	node_init(&limits, memory);
	print_message("an empty node: %ld KiB\n", resident_kib(memory));
	assert_in_range(resident_kib(memory), 1, 128);
	munmap(around, size + 2 * GUARD);
}

static void test_zero_fill_zeroes_all(void **state)
{
	enum { SIZE = 3000 };
	uint8_t bytes[SIZE + 2], none[SIZE] = { 0 };

	(void)state;
	for (size_t size = 0; size <= SIZE; size += size < 4 ? 1 : 499) {
		for (size_t dirty = 0; dirty < size; dirty += dirty < 4 ? 1 : 251) {
			memset(bytes, 0, sizeof(bytes));
			bytes[0] = bytes[1 + size] = 7;
			bytes[1 + dirty] = 1;
			zero_fill(bytes + 1, size);
			assert_memory_equal(bytes + 1, none, size);
			assert_int_equal(bytes[0], 7);
			assert_int_equal(bytes[1 + size], 7);
		}
		memset(bytes, 0xa5, sizeof(bytes));
		zero_fill(bytes + 1, size);
		assert_memory_equal(bytes + 1, none, size);
		assert_int_equal(bytes[1 + size], 0xa5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_node_is_small),
		cmocka_unit_test(test_zero_fill_zeroes_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
