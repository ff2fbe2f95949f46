// SPDX-License-Identifier: Apache-2.0
// What the kernel counts, out of the texts in /proc, and what two counts say of the time between.
//
// Values are those of clusterd/measure.h; MEASURE_UNKNOWN where a text does not say it, where there
// is no earlier count, and where a counter went back: it was reset, or it wrapped, and nothing can
// be said of that time.
#pragma once

#include "clusterd/measure.h"

struct cpu_counters {
	bool known;
	uint64_t field[8]; // user nice system idle iowait irq softirq steal
};

struct process_counters {
	uint64_t start; // ticks since boot; tells one process of this number from the next
	uint64_t ticks; // CPU time of all its threads, theirs that have ended too
	uint64_t pages; // resident
};

// False: the text is none of that kind.
bool counters_cpu(const char *stat, struct cpu_counters *counters);	    // /proc/stat
bool counters_process(const char *stat, struct process_counters *counters); // /proc/PID/stat
bool counters_io(const char *io, uint64_t *read, uint64_t *written);	    // /proc/PID/io
// One interface of /proc/net/dev, in bytes. False: it is not there.
bool counters_net(const char *dev, const char *name, uint64_t *received, uint64_t *sent);
// The name of the interface that a descriptor of /dev/net/tun is for: /proc/PID/fdinfo/N.
bool counters_tap(const char *fdinfo, char *name, size_t size);

uint32_t counters_memory(const char *meminfo); // permille used: /proc/meminfo
uint32_t counters_pressure(const char *text);  // permille: /proc/pressure/*
// Permille of the time between that CPUs were busy; what is not known at first becomes known.
uint32_t counters_cpu_used(struct cpu_counters *before, const struct cpu_counters *now);
// Permille of one CPU.
uint32_t counters_ticks_used(uint64_t before, uint64_t now, uint64_t elapsed_us, uint64_t hz);
// KiB/s.
uint32_t counters_rate(uint64_t before, uint64_t now, uint64_t elapsed_us);
