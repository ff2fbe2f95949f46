// SPDX-License-Identifier: Apache-2.0
// Reads what this host and its VMs' processes use, out of /proc, cheaply: two small files a VM.
#pragma once

#include <sys/types.h>

#include "resources/counters.h"

// What was counted of a VM's process the last time; zeroed when there is another one.
struct vm_counters {
	uint64_t at_us; // 0: never
	uint64_t ticks, read, written, received, sent;
	bool io, net;
	bool taps_known;
	uint8_t tap_count;
	char taps[VM_NICS_MAX][16];
};

struct meter {
	char proc[PATH_SIZE]; // "/proc"
	struct cpu_counters cpu;
	uint64_t hz, page;
	char *buffer;
	size_t size;
	char *net; // /proc/net/dev of this round; NULL: not yet wanted
};

void meter_init(struct meter *meter, const char *proc);
void meter_fini(struct meter *meter);

// Begins a round.
void meter_host(struct meter *meter, uint32_t values[MEASURE_NODE_COUNT]);
// False: there is no such process any more, or another one has its number.
bool meter_vm(struct meter *meter, pid_t pid, uint64_t start, uint64_t now_us,
	      struct vm_counters *before, uint32_t values[MEASURE_VM_COUNT]);
