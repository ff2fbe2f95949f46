// SPDX-License-Identifier: Apache-2.0
// What hosts, volumes and VMs are measured to do: short series, shared outside the log.
//
// Every node measures its host every few seconds and tells the others; each keeps what it heard.
// No part of the replicated state: nodes may know different things, so an entry may carry what a
// coordinator concluded, and cluster_apply() never looks here.
#pragma once

#include "clusterd/cluster.h"

enum measure {
	MEASURE_NODE_CPU,	      // permille of all its CPUs, whoever uses them
	MEASURE_NODE_CPU_PRESSURE,    // permille of the time in which something waited for a CPU
	MEASURE_NODE_MEMORY,	      // permille that is not available any more, whoever has it
	MEASURE_NODE_MEMORY_PRESSURE, // permille, like that of the CPU
	MEASURE_NODE_IO_PRESSURE,
	MEASURE_VM_CPU,	   // permille of one CPU: its QEMU with all its threads
	MEASURE_VM_MEMORY, // MiB resident
	MEASURE_VM_READ,   // KiB/s, of its disks
	MEASURE_VM_WRITE,
	MEASURE_VM_RECEIVED, // KiB/s, of its NICs, as the guest sees it
	MEASURE_VM_SENT,
	MEASURE_VOLUME_LATENCY, // us that the node's probe of the volume took
	MEASURE_COUNT,
};

enum {
	MEASURE_NODE_COUNT = MEASURE_VM_CPU - MEASURE_NODE_CPU,
	MEASURE_VM_COUNT = MEASURE_VOLUME_LATENCY - MEASURE_VM_CPU,
	MEASURE_STEP_MS = 10000,
	MEASURE_STEP_MS_MIN = 100,
	MEASURE_STEP_MS_MAX = 600000,
	MEASURE_STALE_STEPS = 3,
	MEASURE_FUTURE_MS = 60000, // a clock that is ahead by more is not believed
	SERIES_MAX = 60,
	SERIES_NODE_MAX = 60, // samples kept
	SERIES_VOLUME_MAX = 30,
	SERIES_VM_MAX = 12,
};

#define MEASURE_UNKNOWN UINT32_MAX // the host cannot tell: no such file, no earlier count
#define MEASURE_VALUE_MAX (UINT32_MAX - 2)

// Why there is no series: said in every tip that does without.
enum measure_why {
	MEASURE_GOOD,
	MEASURE_MISSING, // nothing was heard
	MEASURE_STALE,	 // three samples were missed
	MEASURE_UNTOLD,	 // its host cannot tell this one
	MEASURE_ABSURD,	 // the last value cannot be
	MEASURE_FUTURE,	 // it says that it was measured in the future
	MEASURE_WHY_COUNT,
};

// Newest last; values[count - 1] is the present.
struct series {
	enum measure_why why;
	uint32_t count;
	uint32_t step_ms;
	uint64_t at_ms; // when the last sample was heard; 0: never
	uint32_t values[SERIES_MAX];
};

// What one node says at one time; a large one goes in several.
struct measure_vm {
	struct vm_ref vm;
	uint32_t values[MEASURE_VM_COUNT];
};
enum {
	SAMPLE_VMS_MAX = 512,
	SAMPLE_BYTES_MAX = 24 * 1024, // encoded: one fragment of a CPG message
};
struct measure_sample {
	uint32_t step_ms;
	uint64_t wall_ms; // of the teller
	bool has_node;
	uint32_t node[MEASURE_NODE_COUNT];
	uint32_t volume_mask; // those with a latency
	uint32_t volumes[VOLUMES_MAX];
	uint32_t vm_count;
	struct measure_vm vms[SAMPLE_VMS_MAX]; // ascending by slot
};

// Bytes written, or 0 when the sample is none or does not fit.
size_t sample_encode(const struct measure_sample *sample, uint8_t *buf, size_t size);
// False on anything but exactly one well-formed sample.
bool sample_decode(struct measure_sample *sample, const uint8_t *buf, size_t size);

struct measures;

size_t measures_memory(uint32_t vms_max);
// In the caller's memory (8-byte aligned); most of it stays untouched until something is measured.
struct measures *measures_init(uint32_t vms_max, void *memory);

// Who told a sample, and what its host has: more than that is absurd (0: not known).
struct measure_teller {
	uint8_t node; // slot
	uint32_t id;
	uint32_t cpus, memory_mib;
};
// VMs that another node owns are the caller's to leave out.
void measures_keep(struct measures *measures, const struct measure_teller *teller,
		   const struct measure_sample *sample, uint64_t now_ms, uint64_t wall_ms);
// One that was no sample, or from nobody: counted.
void measures_drop(struct measures *measures);
uint64_t measures_dropped(const struct measures *measures);

// False when there is no present value; out->why says why.
bool measures_node(const struct measures *measures, uint8_t node, enum measure what,
		   uint64_t now_ms, struct series *out);
bool measures_vm(const struct measures *measures, struct vm_ref vm, enum measure what,
		 uint64_t now_ms, struct series *out);
bool measures_volume(const struct measures *measures, uint8_t node, uint8_t volume,
		     enum measure what, uint64_t now_ms, struct series *out);

// The most that can be on a host of so many CPUs and so much memory (0: not known).
uint32_t measure_max(enum measure what, uint32_t cpus, uint32_t memory_mib);
const char *measure_word(enum measure what); // "cpu-pressure": the same in XML, JSON and text
const char *measure_unit(enum measure what); // "permille", "MiB", "KiB/s", "us"
const char *measure_why_text(enum measure_why why);
