// SPDX-License-Identifier: Apache-2.0
#include "clusterd/rule_index.h"

#include <string.h>

size_t rule_index_memory(const struct cluster_limits *limits)
{
	size_t held = (sizeof(bool) * limits->vms_max + 7) & ~(size_t)7;

	return sizeof(struct rule_index) + sizeof(struct vm_rules) * limits->vms_max + held;
}

struct rule_index *rule_index_init(const struct cluster_limits *limits, void *memory)
{
	struct rule_index *index = memory;

	memset(index, 0, offsetof(struct rule_index, same_value));
	index->vms = (struct vm_rules *)(index + 1);
	index->held = (bool *)(index->vms + limits->vms_max);
	return index;
}

static bool has_tag(const struct vm_def *def, const char *tag)
{
	for (uint32_t i = 0; i < def->tag_count; i++) {
		if (strcmp(def->tags[i], tag) == 0)
			return true;
	}
	return false;
}

static void index_tag(struct cluster *cluster, const struct rule_member *member, uint64_t bit)
{
	for (uint32_t slot = 0; slot < cluster->vm_high; slot++) {
		if (cluster->vms[slot].used && has_tag(&cluster->defs[slot], member->name))
			cluster->rule_index->vms[slot].as[member->role] |= bit;
	}
}

static const char *value_of(const struct cluster_node *node, const char *name)
{
	for (uint32_t i = 0; i < node->def.attribute_count; i++) {
		if (strcmp(node->def.attributes[i].name, name) == 0)
			return node->def.attributes[i].value;
	}
	return "";
}

// Nodes without the attribute are of one kind, too.
static void index_values(struct cluster *cluster, uint32_t rule)
{
	uint64_t *same = cluster->rule_index->same_value[rule];
	const char *name = cluster->rules[rule].def.attribute;

	for (uint32_t a = 0; a < cluster->node_high; a++) {
		same[a] = 0;
		for (uint32_t b = 0; b < cluster->node_high && cluster->nodes[a].used; b++) {
			if (cluster->nodes[b].used &&
			    strcmp(value_of(&cluster->nodes[a], name),
				   value_of(&cluster->nodes[b], name)) == 0)
				same[a] |= UINT64_C(1) << b;
		}
	}
}

static void index_rule(struct cluster *cluster, const struct rule_def *def, uint64_t bit)
{
	struct rule_index *index = cluster->rule_index;

	index->enabled |= bit;
	index->strict |= def->strict ? bit : 0;
	index->symmetric |= def->symmetric ? bit : 0;
	index->kinds[def->kind] |= bit;
	for (uint32_t i = 0; i < def->member_count; i++) {
		const struct rule_member *member = &def->members[i];
		const struct vm *vm;

		if (member->tag) {
			index_tag(cluster, member, bit);
			continue;
		}
		vm = cluster_find_vm(cluster, member->name);
		if (vm)
			index->vms[vm->ref.slot].as[member->role] |= bit;
	}
}

// Every rule of `mask` gets the group of the lowest among their groups.
static void join_groups(struct rule_index *index, uint64_t mask)
{
	uint8_t lowest = SLOT_NONE;
	bool joined[RULES_MAX] = { false };

	for (uint8_t rule = 0; rule < RULES_MAX; rule++) {
		if (!(mask >> rule & 1))
			continue;
		joined[index->group[rule]] = true;
		if (index->group[rule] < lowest)
			lowest = index->group[rule];
	}
	for (uint8_t rule = 0; rule < RULES_MAX; rule++) {
		if (index->group[rule] != SLOT_NONE && joined[index->group[rule]])
			index->group[rule] = lowest;
	}
}

static void index_groups(struct cluster *cluster)
{
	struct rule_index *index = cluster->rule_index;
	uint64_t together = index->kinds[RULE_TOGETHER] & index->strict;

	for (uint8_t rule = 0; rule < RULES_MAX; rule++)
		index->group[rule] = together >> rule & 1 ? rule : SLOT_NONE;
	for (uint32_t slot = 0; together && slot < cluster->vm_high; slot++) {
		uint64_t mask = index->vms[slot].as[ROLE_MEMBER] & together;

		if (cluster->vms[slot].used && (mask & (mask - 1)))
			join_groups(index, mask);
	}
}

void rule_index_rebuild(struct cluster *cluster)
{
	struct rule_index *index = cluster->rule_index;
	bool any = false;

	index->enabled = index->strict = index->symmetric = 0;
	memset(index->kinds, 0, sizeof(index->kinds));
	for (uint32_t i = 0; i < cluster->rule_high; i++)
		any = any || (cluster->rules[i].used && cluster->rules[i].def.enabled);
	if (any)
		memset(index->vms, 0, sizeof(*index->vms) * cluster->vm_high);
	for (uint32_t i = 0; any && i < cluster->rule_high; i++) {
		if (cluster->rules[i].used && cluster->rules[i].def.enabled)
			index_rule(cluster, &cluster->rules[i].def, UINT64_C(1) << i);
	}
	for (uint32_t i = 0; any && i < cluster->rule_high; i++) {
		if (cluster->rules[i].used && cluster->rules[i].def.attribute[0])
			index_values(cluster, i);
	}
	index_groups(cluster);
	rule_index_orders(cluster);
}

// Of each order: how many stand first in it, and how many of them are not to run.
static void count_firsts(const struct cluster *cluster, uint64_t orders, uint32_t firsts[RULES_MAX],
			 uint32_t down[RULES_MAX])
{
	const struct rule_index *index = cluster->rule_index;

	memset(firsts, 0, sizeof(*firsts) * RULES_MAX);
	memset(down, 0, sizeof(*down) * RULES_MAX);
	for (uint32_t slot = 0; slot < cluster->vm_high; slot++) {
		const struct vm *vm = &cluster->vms[slot];
		uint64_t mask = index->vms[slot].as[ROLE_FIRST] & orders;

		for (uint8_t rule = 0; vm->used && mask && rule < RULES_MAX; rule++) {
			if (!(mask >> rule & 1))
				continue;
			firsts[rule]++;
			down[rule] += vm->wanted != VM_WANTED_RUNNING || index->held[slot];
		}
	}
}

static bool hold_more(struct cluster *cluster, uint64_t broken)
{
	struct rule_index *index = cluster->rule_index;
	bool more = false;

	for (uint32_t slot = 0; slot < cluster->vm_high; slot++) {
		const struct vm *vm = &cluster->vms[slot];

		if (!vm->used || index->held[slot] || vm->wanted != VM_WANTED_RUNNING ||
		    !(index->vms[slot].as[ROLE_THEN] & broken))
			continue;
		index->held[slot] = index->any_held = more = true;
	}
	return more;
}

// Whoever is held holds those that start after it in turn: until nobody is added.
void rule_index_orders(struct cluster *cluster)
{
	struct rule_index *index = cluster->rule_index;
	uint64_t orders = (index->kinds[RULE_ORDER] | index->kinds[RULE_ANY_FIRST]) &
			  index->strict & index->symmetric;
	uint32_t firsts[RULES_MAX], down[RULES_MAX];
	uint64_t broken;

	index->any_held = false;
	if (!orders)
		return;
	memset(index->held, 0, sizeof(*index->held) * cluster->vm_high);
	do {
		count_firsts(cluster, orders, firsts, down);
		broken = 0;
		for (uint8_t rule = 0; rule < RULES_MAX; rule++) {
			bool any = index->kinds[RULE_ANY_FIRST] >> rule & 1;

			if (down[rule] > 0 && (!any || down[rule] == firsts[rule]))
				broken |= UINT64_C(1) << rule;
		}
	} while (hold_more(cluster, broken));
}

bool vm_is_held(const struct cluster *cluster, const struct vm *vm)
{
	return cluster->rule_index->any_held && cluster->rule_index->held[vm->ref.slot];
}

struct vm_rules rules_of_vm(const struct cluster *cluster, const struct vm *vm)
{
	static const struct vm_rules none;

	return cluster->rule_index->enabled ? cluster->rule_index->vms[vm->ref.slot] : none;
}

uint8_t group_of_vm(const struct cluster *cluster, const struct vm *vm)
{
	const struct rule_index *index = cluster->rule_index;
	uint64_t mask = rules_of_vm(cluster, vm).as[ROLE_MEMBER] & index->kinds[RULE_TOGETHER] &
			index->strict;

	for (uint8_t rule = 0; mask && rule < RULES_MAX; rule++) {
		if (mask >> rule & 1)
			return index->group[rule];
	}
	return SLOT_NONE;
}
