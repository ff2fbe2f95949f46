// SPDX-License-Identifier: Apache-2.0
#include "clusterd/vm_index.h"

#include <string.h>

#include "clusterd/codec.h"
#include "clusterd/invariant.h"
#include "clusterd/zero.h"

enum key_kind { KEY_NAME = 1, KEY_UUID, KEY_MAC, KEY_DISK_WRITTEN, KEY_DISK_READ };

static uint64_t key_start(enum key_kind kind)
{
	uint8_t byte = (uint8_t)kind;

	return hash_bytes(hash_start(), &byte, 1);
}

uint64_t vm_name_hash(const char *name)
{
	return hash_bytes(key_start(KEY_NAME), name, strlen(name));
}

uint64_t vm_uuid_hash(const struct uuid *uuid)
{
	return hash_bytes(key_start(KEY_UUID), uuid->bytes, sizeof(uuid->bytes));
}

uint64_t vm_mac_hash(const uint8_t *mac)
{
	return hash_bytes(key_start(KEY_MAC), mac, 6);
}

uint64_t vm_disk_hash(const struct disk_def *disk, bool written)
{
	uint64_t hash = key_start(written ? KEY_DISK_WRITTEN : KEY_DISK_READ);

	hash = hash_bytes(hash, disk->volume, strlen(disk->volume) + 1);
	return hash_bytes(hash, disk->path, strlen(disk->path));
}

static uint32_t bucket_count(const struct cluster_limits *limits)
{
	uint32_t count = 64;

	while (count < limits->vms_max * 4 && count < UINT32_C(1) << 30)
		count *= 2;
	return count;
}

size_t vm_index_memory(const struct cluster_limits *limits)
{
	return sizeof(struct vm_index) +
	       sizeof(struct vm_index_node) * VM_KEY_COUNT * limits->vms_max +
	       sizeof(uint32_t) * bucket_count(limits) + sizeof(uint32_t) * limits->vms_max;
}

struct vm_index *vm_index_init(const struct cluster_limits *limits, void *memory)
{
	struct vm_index *index = memory;

	index->nodes = (struct vm_index_node *)(index + 1);
	index->buckets = (uint32_t *)(index->nodes + (size_t)VM_KEY_COUNT * limits->vms_max);
	index->bucket_count = bucket_count(limits);
	index->scratch = index->buckets + index->bucket_count;
	vm_index_clear(index);
	return index;
}

void vm_index_clear(struct vm_index *index)
{
	zero_fill(index->buckets, sizeof(*index->buckets) * index->bucket_count);
}

static uint32_t *bucket_of(const struct vm_index *index, uint64_t hash)
{
	// Its last word has not reached every bit yet.
	return &index->buckets[hash_word(hash ^ hash >> 32, 0) >> 32 & (index->bucket_count - 1)];
}

static void link_key(struct vm_index *index, uint32_t slot, uint32_t key, uint64_t hash)
{
	uint32_t number = slot * VM_KEY_COUNT + key;
	struct vm_index_node *node = &index->nodes[number];
	uint32_t *bucket = bucket_of(index, hash);

	*node = (struct vm_index_node){ .hash = hash, .next = *bucket, .linked = true };
	*bucket = number + 1;
}

void vm_index_add(struct vm_index *index, uint32_t slot, const struct vm_def *def)
{
	for (uint32_t key = 0; key < VM_KEY_COUNT; key++)
		index->nodes[slot * VM_KEY_COUNT + key].linked = false;
	link_key(index, slot, VM_KEY_NAME, vm_name_hash(def->name));
	link_key(index, slot, VM_KEY_UUID, vm_uuid_hash(&def->uuid));
	for (uint32_t i = 0; i < def->nic_count; i++)
		link_key(index, slot, VM_KEY_NICS + i, vm_mac_hash(def->nics[i].mac));
	for (uint32_t i = 0; i < def->disk_count; i++)
		link_key(index, slot, VM_KEY_DISKS + i,
			 vm_disk_hash(&def->disks[i], disk_is_written(&def->disks[i])));
}

void vm_index_remove(struct vm_index *index, uint32_t slot)
{
	for (uint32_t key = 0; key < VM_KEY_COUNT; key++) {
		uint32_t number = slot * VM_KEY_COUNT + key;
		struct vm_index_node *node = &index->nodes[number];
		uint32_t *link;

		if (!node->linked)
			continue;
		for (link = bucket_of(index, node->hash); *link != number + 1;) {
			INVARIANT(*link != 0);
			link = &index->nodes[*link - 1].next;
		}
		*link = node->next;
		node->linked = false;
	}
}

void vm_index_rebuild(struct cluster *cluster)
{
	vm_index_clear(cluster->vm_index);
	for (uint32_t slot = 0; slot < cluster->vm_high; slot++) {
		if (cluster->vms[slot].used)
			vm_index_add(cluster->vm_index, slot, &cluster->defs[slot]);
	}
}

struct vm_index_hit vm_index_find(const struct vm_index *index, uint64_t hash)
{
	for (uint32_t at = *bucket_of(index, hash); at != 0; at = index->nodes[at - 1].next) {
		if (index->nodes[at - 1].hash == hash)
			return (struct vm_index_hit){ .found = true,
						      .slot = (at - 1) / VM_KEY_COUNT,
						      .key = (at - 1) % VM_KEY_COUNT };
	}
	return (struct vm_index_hit){ .found = false };
}
