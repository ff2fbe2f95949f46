// SPDX-License-Identifier: Apache-2.0
// Reads what definitions_encode() made, one object after another, into the caller's scratch.
//
// Order: the cluster (at open), every node, every volume, every VM, every rule, every policy. A
// reader is plain data: copy it to come back to where it was.
#pragma once

#include "clusterd/codec.h"
#include "clusterd/definition.h"

enum { VM_OWNERS_MAX = 2 * NODES_MAX }; // every node as possible, and again in some tier

struct definition_owner {
	char node[NAME_SIZE];
	uint32_t tier;
};

struct definition_vm {
	struct vm_def def;
	struct uuid proposed;
	uint32_t owner_count;
	struct definition_owner owners[VM_OWNERS_MAX];
};

struct definition_unpack {
	struct reader r;
	bool cluster_given;
	struct cluster_def cluster;
	uint32_t nodes_left, volumes_left, vms_left, rules_left, pros_left;
};

// All return false on bytes that definitions_encode() would not make; done: nothing is left,
// nothing failed.
bool definition_unpack_open(struct definition_unpack *reader, const uint8_t *buf, size_t size);
// The next one; the counts of what is left say whether there is one. VMs begin after the last
// volume, volumes after the last node.
bool definition_unpack_node(struct definition_unpack *reader, struct node_def *node);
bool definition_unpack_volume(struct definition_unpack *reader, struct volume_def *volume);
bool definition_unpack_vm(struct definition_unpack *reader, struct definition_vm *vm);
bool definition_unpack_rule(struct definition_unpack *reader, struct rule_def *rule);
bool definition_unpack_pro(struct definition_unpack *reader, struct pro_def *pro);
bool definition_unpack_done(const struct definition_unpack *reader);
