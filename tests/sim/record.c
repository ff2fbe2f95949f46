// SPDX-License-Identifier: Apache-2.0
// The daemon's flight recorder in the simulated world: a folder of segments for every node.
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "clusterd/invariant.h"
#include "clusterd/recorder_io.h"
#include "tests/sim/world.h"

// Small, so that a short run has segments that begin with a node's memory.
enum { SEGMENT_SIZE = 16 * 1024 };

static const char
	*record_folder; // of the one world that this process then runs; NULL: nothing is recorded

void record_to(const char *folder)
{
	record_folder = folder;
}

void *record_memory(size_t size)
{
	void *memory = record_folder ? recorder_map(size) : malloc(size);

	INVARIANT(memory);
	return memory;
}

void record_memory_free(void *memory, size_t size)
{
	if (!record_folder)
		free(memory);
	else if (memory)
		munmap(memory, size);
}

void record_start(struct world *world, struct host *host)
{
	char folder[512];
	const struct recorder_options options = {
		.directory = folder,
		.host = host->name,
		.limits = &world->limits,
		.memory = host->memory,
		.size = node_memory(&world->limits),
		.segment_size = SEGMENT_SIZE,
	};

	record_end(host);
	if (!record_folder)
		return;
	snprintf(folder, sizeof(folder), "%s/%s", record_folder, host->name);
	INVARIANT(recorder_open(&host->recorder, &options) == 0);
}

void record_end(struct host *host)
{
	recorder_close(host->recorder);
	host->recorder = NULL;
}
