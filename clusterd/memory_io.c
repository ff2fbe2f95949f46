// SPDX-License-Identifier: Apache-2.0
#include "clusterd/memory_io.h"

#include <malloc.h>

/*
 * A daemon that mostly waits is measured by what it keeps. Each thread that allocates would have a
 * heap of its own, though they hardly ever do so at once; and a heap that was large once would be
 * allowed to stay so, because the C library raises its thresholds by what it sees freed. What is
 * large for a moment, like a piece of the recording, gets a mapping of its own.
 */
void memory_open(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 64 * 1024);
	mallopt(M_TRIM_THRESHOLD, 128 * 1024);
}

// Below what is still used, too.
void memory_settle(void)
{
	malloc_trim(0);
}
