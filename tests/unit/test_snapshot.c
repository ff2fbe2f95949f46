// SPDX-License-Identifier: Apache-2.0
// Snapshots: whole or not at all. That no field is missing in them is test_fields.c.
#include "tests/unit/cluster_fixture.h"

static void no_cut_snapshot_is_taken(void **state)
{
	struct fixture a, b;
	uint64_t empty;
	uint8_t *buf;
	size_t size;

	(void)state;
	fixture_open(&a, 6, 64, 4);
	fixture_open(&b, 6, 64, 4);
	fixture_cluster(&a);
	doc_vm(&a, "web", "v1");
	doc_accept(&a);
	empty = cluster_digest(&b.cluster);
	size = cluster_encode(&a.cluster, NULL, 0);
	buf = malloc(size + 1);
	cluster_encode(&a.cluster, buf, size);
	for (size_t cut = 0; cut < size; cut++) {
		assert_false(cluster_decode(&b.cluster, buf, cut));
		assert_int_equal(b.cluster.vm_count, 0);
	}
	assert_true(cluster_digest(&b.cluster) == empty);
	buf[size] = 0;
	assert_false(cluster_decode(&b.cluster, buf, size + 1));
	buf[0]++;
	assert_false(cluster_decode(&b.cluster, buf, size));
	buf[0]--;
	assert_true(cluster_decode(&b.cluster, buf, size));
	check_index(&b);
	free(buf);
	fixture_close(&a);
	fixture_close(&b);
}

// Limits and what was removed leave no trace in it.
static void equal_states_have_equal_digests(void **state)
{
	struct fixture a, b;
	struct entry entry = named(ENTRY_REMOVE, "gone");
	uint32_t serial;

	(void)state;
	fixture_open(&a, 6, 64, 4);
	fixture_open(&b, 60, 640, 4);
	fixture_cluster(&a);
	fixture_cluster(&b);
	assert_true(cluster_digest(&a.cluster) == cluster_digest(&b.cluster));
	doc_vm(&b, "gone", "v1");
	serial = b.cluster.next_serial;
	doc_accept(&b);
	entry.object = OBJECT_VM;
	accept(&b, entry);
	b.cluster.next_serial = serial;
	b.cluster.index = a.cluster.index;
	assert_true(cluster_digest(&a.cluster) == cluster_digest(&b.cluster));
	fixture_close(&a);
	fixture_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_cut_snapshot_is_taken),
		cmocka_unit_test(equal_states_have_equal_digests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
