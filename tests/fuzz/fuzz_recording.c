// SPDX-License-Identifier: Apache-2.0
// Any bytes as parts of a flight recording: the first says which. What is understood is written
// again as the same bytes.
#include <string.h>

#include "clusterd/invariant.h"
#include "clusterd/recording.h"

enum { MEMORY_SIZE = 1 << 21, AGAIN_SIZE = 1 << 20 };

static const struct cluster_limits limits = { .vms_max = 8, .lease_slots_max = 6 };
static uint64_t memory[MEMORY_SIZE / 8];
static uint8_t again[AGAIN_SIZE];
static char line[512];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_event(const struct cluster *cluster, const uint8_t *data, size_t size)
{
	static struct recorded_event recorded;
	size_t bound;

	if (!recording_event_decode(&recorded, data, size))
		return;
	bound = recording_event_bound(&recorded.event);
	INVARIANT(size <= bound);
	recording_event_describe(cluster, &recorded.event, line, sizeof(line));
	if (bound > sizeof(again))
		return;
	INVARIANT(recording_event_encode(&recorded.event, again, bound) == size);
	INVARIANT(memcmp(again, data, size) == 0);
}

static void try_actions(const struct cluster *cluster, const uint8_t *data, size_t size)
{
	static struct recorded_action recorded;
	struct reader reader;
	uint32_t count;

	if (!recording_actions_begin(&reader, data, size, &count))
		return;
	INVARIANT(count <= size);
	while (count-- > 0 && recording_action_next(&recorded, &reader))
		recording_action_describe(cluster, &recorded, line, sizeof(line));
}

static void try_head(const uint8_t *data, size_t size)
{
	struct recording_head head;
	size_t used, length;

	if (recording_head_decode(&head, data, size, &used) != RECORDING_GOOD)
		return;
	INVARIANT(used <= size);
	length = recording_head_encode(&head, again, sizeof(again));
	INVARIANT(length == used && memcmp(again, data, used) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cluster cluster;

	if (size == 0)
		return 0;
	INVARIANT(cluster_memory(&limits) <= MEMORY_SIZE);
	cluster_init(&cluster, &limits, memory);
	if (data[0] % 3 == 0)
		try_event(&cluster, data + 1, size - 1);
	else if (data[0] % 3 == 1)
		try_actions(&cluster, data + 1, size - 1);
	else
		try_head(data + 1, size - 1);
	return 0;
}
