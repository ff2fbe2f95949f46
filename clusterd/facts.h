// SPDX-License-Identifier: Apache-2.0
// What a host's QEMU can give to a VM, asked of QEMU itself, in bounded form: part of a node's
// report.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "clusterd/limits.h"

enum {
	CPU_FEATURES_MAX = 512,
	CPU_FEATURE_WORDS = CPU_FEATURES_MAX / 64,
	MACHINES_MAX = 128,
	CPU_MODELS_MAX = 224,
	BRIDGES_MAX = 24,
	BRIDGE_SIZE = 16, // Linux: IFNAMSIZ
	MACHINE_SIZE = 32,
	DEVICES_MAX = 64,
};

// A set of CPU features; bit i is the feature that cpu_feature_name(i) names (clusterd/cpu.h).
struct cpu_features {
	uint64_t bits[CPU_FEATURE_WORDS];
};

enum facts_state {
	FACTS_NONE,  // its QEMU could not be asked
	FACTS_ASKED, // the answer is still to come
	FACTS_KNOWN,
	FACTS_STATE_COUNT,
};

enum host_accel { ACCEL_TCG, ACCEL_KVM, HOST_ACCEL_COUNT };

/*
 * Files of a VM that its QEMU could not open on this host, as tried by the user that it runs as.
 * What runs here has them open and is not tried.
 */
enum { IMAGE_FAULTS_MAX = 32, IMAGE_KERNEL = 254, IMAGE_INITRD = 255 };

enum image_state {
	IMAGE_GOOD,
	IMAGE_MISSING,
	IMAGE_DENIED,	// QEMU's user may not read it
	IMAGE_READONLY, // nor write it
	IMAGE_BROKEN,	// it cannot be read, or is no file
	IMAGE_FORMAT,	// not of the format that it is defined with
	IMAGE_BACKING,	// what it is made upon cannot be opened
	IMAGE_STATE_COUNT,
};

struct image_fault {
	uint32_t slot, serial; // of the VM
	uint8_t image;	       // number of the disk, or IMAGE_KERNEL, IMAGE_INITRD
	uint8_t state;	       // enum image_state
	uint8_t spare[2];      // zero
};

// Without gaps between its members: two are compared as bytes.
struct host_facts {
	uint8_t state; // enum facts_state
	uint8_t accel; // enum host_accel
	uint8_t machine_count, model_count, bridge_count;
	bool bridges_cut;      // there are more than fit in here
	bool no_post_copy;     // the kernel does not let QEMU's user fetch memory afterwards
	uint8_t image_count;   // IMAGE_FAULTS_MAX: there may be more
	uint8_t device_count;  // DEVICES_MAX: there may be more
	uint8_t spare[3];      // zero
	uint32_t qemu_version; // 7.2.22 is 70222
	uint32_t hugepage_kib; // the host's usual size; 0: none
	uint32_t hugepages, hugepages_free;
	uint32_t memory_free_mib;	// roughly: told anew when it has changed by much
	char arch[BRIDGE_SIZE];		// "x86_64"
	char cpu_vendor[BRIDGE_SIZE];	// as a guest sees it
	char cpu_model[NAME_SIZE];	// of the host's own processor
	struct cpu_features features;	// that QEMU can really give to a guest here
	char features_other[TEXT_SIZE]; // and those that clusterd has no number for: names, blanks
	char machine_q35[MACHINE_SIZE]; // what the alias stands for: "pc-q35-7.2"
	char machine_pc[MACHINE_SIZE];
	uint32_t machines[MACHINES_MAX]; // name_hash() of every machine type and alias
	uint32_t models[CPU_MODELS_MAX]; // name_hash() of every CPU model
	char bridges[BRIDGES_MAX][BRIDGE_SIZE];
	uint32_t devices[DEVICES_MAX]; // name_hash() of the PCI addresses that VMs may be given
	struct image_fault images[IMAGE_FAULTS_MAX];
};
