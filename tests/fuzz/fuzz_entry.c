// SPDX-License-Identifier: Apache-2.0
// Any bytes as entries: decoded or not, applied or refused, the state stays one that a snapshot
// carries.
#include "tests/unit/cluster_fixture.h"

#include "clusterd/invariant.h"

enum { MEMORY_SIZE = 1 << 21, SNAPSHOT_SIZE = 1 << 20, ENTRIES_MAX = 32 };

static const struct cluster_limits limits = { .vms_max = 8, .lease_slots_max = 6 };
static uint8_t base[SNAPSHOT_SIZE], snapshot[SNAPSHOT_SIZE], wire[ENTRY_SIZE_MAX];
static uint64_t memory[2][MEMORY_SIZE / 8];
static size_t base_size;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct fixture f;

	(void)argc;
	(void)argv;
	fixture_open(&f, limits.vms_max, limits.lease_slots_max, 8);
	fixture_cluster(&f);
	doc_vm(&f, "a", "v1");
	vm_disk(doc_vm(&f, "b", "v1"), "v2", "x.img");
	doc_vm(&f, "c", "v2");
	doc_accept(&f);
	run_vm(&f, "a", 1);
	run_vm(&f, "b", 2);
	base_size = cluster_encode(&f.cluster, base, sizeof(base));
	INVARIANT(base_size <= sizeof(base));
	fixture_close(&f);
	return 0;
}

static void check_found(const struct cluster *cluster)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		if (!cluster->vms[i].used)
			continue;
		used++;
		INVARIANT(cluster_find_vm(cluster, cluster->defs[i].name) == &cluster->vms[i]);
	}
	INVARIANT(used == cluster->vm_count);
}

static void try_entry(struct cluster *cluster, const uint8_t *data, size_t size)
{
	struct entry entry, again;
	struct entry_result result;
	uint64_t digest;
	char line[160];

	if (!entry_decode(&entry, data, size))
		return;
	INVARIANT(entry_encode(&entry, wire, sizeof(wire)) == size &&
		  memcmp(wire, data, size) == 0);
	INVARIANT(entry_decode(&again, wire, size));
	INVARIANT(entry_describe(cluster, &entry, line, sizeof(line)) == strlen(line));
	digest = cluster_digest(cluster);
	cluster_apply(cluster, cluster->index, &entry, &result);
	check_found(cluster);
	INVARIANT(result.accepted || cluster_digest(cluster) == digest);
}

// Entries one after another, each behind two bytes of length.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cluster cluster, copy;

	cluster_init(&cluster, &limits, memory[0]);
	INVARIANT(cluster_decode(&cluster, base, base_size));
	for (int i = 0; size >= 2 && i < ENTRIES_MAX; i++) {
		size_t length = data[0] | (size_t)data[1] << 8;
		uint8_t *exact;

		data += 2;
		size -= 2;
		if (length > size)
			length = size;
		exact = malloc(length + 1);
		memcpy(exact, data, length);
		try_entry(&cluster, exact, length);
		free(exact);
		data += length;
		size -= length;
	}
	INVARIANT(cluster_encode(&cluster, snapshot, sizeof(snapshot)) <= sizeof(snapshot));
	cluster_init(&copy, &limits, memory[1]);
	INVARIANT(cluster_decode(&copy, snapshot, cluster_encode(&cluster, NULL, 0)));
	INVARIANT(cluster_digest(&copy) == cluster_digest(&cluster));
	return 0;
}
