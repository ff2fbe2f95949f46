// SPDX-License-Identifier: Apache-2.0
// Finds VMs by what must be unique among them: names, UUIDs, MACs, disks.
//
// Derived from the definitions, never replicated. Keys are 64-bit hashes; applying a document
// trusts the hash alone (two different things with one hash are refused as one), lookups by name
// and UUID compare the real thing.
#pragma once

#include "clusterd/cluster.h"

enum vm_key {
	VM_KEY_NAME,
	VM_KEY_UUID,
	VM_KEY_NICS,
	VM_KEY_DISKS = VM_KEY_NICS + VM_NICS_MAX,
	VM_KEY_COUNT = VM_KEY_DISKS + VM_DISKS_MAX,
};

struct vm_index_node {
	uint64_t hash;
	uint32_t next; // node number + 1; 0 ends
	bool linked;
};

struct vm_index {
	uint32_t bucket_count;	     // a power of two
	uint32_t *buckets;	     // node number + 1
	struct vm_index_node *nodes; // [vms_max][VM_KEY_COUNT]
	uint32_t *scratch;	     // [vms_max], for one apply at a time
};

// Where a hash was found.
struct vm_index_hit {
	bool found;
	uint32_t slot; // of the VM
	uint32_t key;  // enum vm_key, with the NIC's or disk's number added
};

uint64_t vm_name_hash(const char *name);
uint64_t vm_uuid_hash(const struct uuid *uuid);
uint64_t vm_mac_hash(const uint8_t *mac);
uint64_t vm_disk_hash(const struct disk_def *disk, bool written);

size_t vm_index_memory(const struct cluster_limits *limits);
struct vm_index *vm_index_init(const struct cluster_limits *limits, void *memory);
void vm_index_clear(struct vm_index *index);
void vm_index_add(struct vm_index *index, uint32_t slot, const struct vm_def *def);
void vm_index_remove(struct vm_index *index, uint32_t slot); // that was added
void vm_index_rebuild(struct cluster *cluster);
struct vm_index_hit vm_index_find(const struct vm_index *index, uint64_t hash);
