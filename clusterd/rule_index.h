// SPDX-License-Identifier: Apache-2.0
// Which VMs stand in which role of which rules, and which strict keep-together rules make one
// group.
//
// Derived from the definitions, never replicated. Rules that are not enabled are in no mask.
#pragma once

#include "clusterd/cluster.h"

// Masks of rule slots.
struct vm_rules {
	uint64_t as[RULE_ROLE_COUNT];
};

struct rule_index {
	uint64_t enabled; // rules in effect
	uint64_t strict;  // of them
	uint64_t symmetric;
	uint64_t kinds[RULE_KIND_COUNT];
	uint8_t group[RULES_MAX]; // of strict keep-together rules: the lowest rule that is
				  // joined with this one through common members
	struct vm_rules *vms;	  // [vms_max], meaningful below vm_high while any rule is enabled
	bool any_held;
	bool *held; // [vms_max], meaningful while any is
	// Of rules about an attribute: the nodes that have the same value as each. Written with
	// such a rule, not before.
	uint64_t same_value[RULES_MAX][NODES_MAX];
};

size_t rule_index_memory(const struct cluster_limits *limits);
struct rule_index *rule_index_init(const struct cluster_limits *limits, void *memory);
void rule_index_rebuild(struct cluster *cluster);

// Anew which VMs are held: after somebody is wanted, or wanted no more.
void rule_index_orders(struct cluster *cluster);
// A strict symmetric order demands that it does not run, for what it starts after is not wanted
// running.
bool vm_is_held(const struct cluster *cluster, const struct vm *vm);

// The masks of a VM; zero when no rule is enabled.
struct vm_rules rules_of_vm(const struct cluster *cluster, const struct vm *vm);
// The group that the VM belongs to (enum: a rule slot), or SLOT_NONE.
uint8_t group_of_vm(const struct cluster *cluster, const struct vm *vm);
