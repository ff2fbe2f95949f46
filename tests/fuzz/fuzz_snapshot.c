// SPDX-License-Identifier: Apache-2.0
// Any bytes as a snapshot: refused and empty, or a state that comes back the same.
#include <stdlib.h>
#include <string.h>

#include "clusterd/cluster.h"
#include "clusterd/invariant.h"

enum { MEMORY_SIZE = 1 << 21, SNAPSHOT_SIZE = 1 << 21 };

static const struct cluster_limits limits = { .vms_max = 8, .lease_slots_max = 6 };
static uint64_t memory[2][MEMORY_SIZE / 8];
static uint8_t again[SNAPSHOT_SIZE];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cluster first, second, empty;
	size_t length;

	INVARIANT(cluster_memory(&limits) <= MEMORY_SIZE);
	cluster_init(&first, &limits, memory[0]);
	cluster_init(&empty, &limits, memory[1]);
	if (!cluster_decode(&first, data, size)) {
		INVARIANT(cluster_digest(&first) == cluster_digest(&empty));
		return 0;
	}
	for (uint32_t i = 0; i < first.vm_high; i++) {
		const char *name = first.defs[i].name;

		if (first.vms[i].used)
			INVARIANT(cluster_find_vm(&first, name) == &first.vms[i]);
	}
	length = cluster_encode(&first, again, sizeof(again));
	INVARIANT(length <= size);
	cluster_init(&second, &limits, memory[1]);
	INVARIANT(cluster_decode(&second, again, length));
	INVARIANT(cluster_digest(&first) == cluster_digest(&second));
	return 0;
}
