// SPDX-License-Identifier: Apache-2.0
#include "policies/rules.h"

#include <string.h>

#include "clusterd/rule_index.h"
#include "policies/order.h"
#include "policies/placement.h"

enum { ANSWER_LIMIT_MS = 600000 }; // that a wish waits for the guest of one that runs

#define BIT(slot) (UINT64_C(1) << (slot))

bool vm_counts_on_node(const struct cluster *cluster, const struct vm *vm)
{
	// Of a node that is given up without proof sanlock itself will judge: it is not there.
	return vm->used && vm->owner != SLOT_NONE &&
	       cluster->nodes[vm->owner].life != NODE_EXPIRING;
}

bool vm_asks_for_place(const struct cluster *cluster, const struct vm *vm)
{
	return vm->used && vm->managed && vm->wanted == VM_WANTED_RUNNING &&
	       vm->phase != VM_ERROR && !vm_counts_on_node(cluster, vm);
}

uint64_t rules_unanswered(const struct cluster *cluster, const struct vm *vm)
{
	const uint64_t *kinds = cluster->rule_index->kinds;
	uint64_t first = rules_of_vm(cluster, vm).as[ROLE_FIRST] & ~vm->up_rules, mask = 0;

	if (!cluster->rule_index->enabled)
		return 0;
	first &= kinds[RULE_ORDER] | kinds[RULE_ANY_FIRST];
	for (uint8_t rule = 0; first && rule < RULES_MAX; rule++) {
		uint8_t up = cluster->rules[rule].def.up;

		if (first >> rule & 1 && (up == UP_AGENT || up == UP_TCP))
			mask |= BIT(rule);
	}
	return mask;
}

bool rules_up(const struct cluster *cluster, uint8_t rule, const struct vm *vm, uint64_t wall_ms,
	      uint64_t *wait_ms)
{
	const struct rule_def *def = &cluster->rules[rule].def;
	bool asks = def->up == UP_AGENT || def->up == UP_TCP;
	uint64_t delay_ms = asks ? ANSWER_LIMIT_MS : def->up_value * UINT64_C(1000);
	uint64_t due = vm->since_ms + delay_ms;

	if (vm->phase != VM_RUNNING)
		return false;
	if (asks && vm->up_rules >> rule & 1)
		return true;
	// What is only wished does not wait for ever for an answer that never comes.
	if (asks && (def->strict || wall_ms == 0))
		return false;
	if ((!asks && def->up != UP_DELAY) || wall_ms == 0 || wall_ms >= due)
		return true;
	// A clock was stepped: when it began to run nobody knows, and nobody is to wait for hours.
	if (vm->since_ms > wall_ms + delay_ms)
		return true;
	if (due - wall_ms < *wait_ms)
		*wait_ms = due - wall_ms;
	return false;
}

static void load_firsts(struct rules_load *load, const struct cluster *cluster, const struct vm *vm,
			uint64_t wall_ms)
{
	uint64_t mask = rules_of_vm(cluster, vm).as[ROLE_FIRST];
	// One that is about to end is nothing to start after.
	bool runs_on = vm->wanted == VM_WANTED_RUNNING && !vm_is_held(cluster, vm);
	bool cold = order_moves_cold(cluster, vm);

	for (uint8_t rule = 0; mask >> rule; rule++) {
		bool up;

		if (!(mask >> rule & 1))
			continue;
		up = runs_on && !cold && rules_up(cluster, rule, vm, wall_ms, &load->up_wait_ms);
		load->firsts[rule]++;
		load->firsts_up[rule] += up;
		load->firsts_coming[rule] +=
			runs_on && (vm->phase == VM_PLACED || (vm->phase == VM_RUNNING && !up));
		if (rule == RULES_MAX - 1)
			return;
	}
}

void rules_load_init(struct rules_load *load, const struct cluster *cluster, uint64_t wall_ms)
{
	// Of the large tables nobody looks at more than there are rules.
	memset(load->members, 0, cluster->rule_high * sizeof(load->members[0]));
	memset(load->group, 0, cluster->rule_high * sizeof(load->group[0]));
	memset(load->group_mib, 0, sizeof(*load) - offsetof(struct rules_load, group_mib));
	memset(load->leader, SLOT_NONE, sizeof(load->leader));
	memset(load->group_possible, 0xff, sizeof(load->group_possible));
	load->up_wait_ms = UINT64_MAX;
	if (!cluster->rule_index->enabled)
		return;
	for (uint32_t slot = 0; slot < cluster->vm_high; slot++) {
		const struct vm *vm = &cluster->vms[slot];
		uint8_t group;

		if (!vm->used)
			continue;
		load_firsts(load, cluster, vm, wall_ms);
		group = group_of_vm(cluster, vm);
		if (group == SLOT_NONE || !vm_asks_for_place(cluster, vm))
			continue;
		load->group_mib[group] += cluster->defs[slot].memory_mib;
		load->group_possible[group] &= vm->possible ? vm->possible : UINT64_MAX;
		if (!vm_failures_old(cluster, vm, wall_ms))
			load->group_possible[group] &= ~vm->failed_on;
	}
}

void rules_load_add(struct rules_load *load, const struct cluster *cluster, const struct vm *vm,
		    uint8_t node)
{
	struct vm_rules rules = rules_of_vm(cluster, vm);
	uint8_t group = group_of_vm(cluster, vm);
	uint64_t mask = rules.as[ROLE_MEMBER] | rules.as[ROLE_LEADER] | rules.as[ROLE_FIRST];

	for (uint8_t rule = 0; rule < RULES_MAX && mask >> rule; rule++) {
		load->members[rule][node] += rules.as[ROLE_MEMBER] >> rule & 1;
		if (rules.as[ROLE_LEADER] >> rule & 1)
			load->leader[rule] = node;
		load->firsts_coming[rule] +=
			(rules.as[ROLE_FIRST] >> rule & 1) && vm_asks_for_place(cluster, vm);
	}
	if (group == SLOT_NONE)
		return;
	load->group[group][node]++;
	if (vm_asks_for_place(cluster, vm))
		load->group_mib[group] -= vm_definition(cluster, vm)->memory_mib;
}

void rules_load_remove(struct rules_load *load, const struct cluster *cluster, const struct vm *vm,
		       uint8_t node)
{
	struct vm_rules rules = rules_of_vm(cluster, vm);
	uint8_t group = group_of_vm(cluster, vm);
	uint64_t mask = rules.as[ROLE_MEMBER] | rules.as[ROLE_LEADER];

	for (uint8_t rule = 0; rule < RULES_MAX && mask >> rule; rule++) {
		load->members[rule][node] -= rules.as[ROLE_MEMBER] >> rule & 1;
		if ((rules.as[ROLE_LEADER] >> rule & 1) && load->leader[rule] == node)
			load->leader[rule] = SLOT_NONE;
	}
	if (group != SLOT_NONE)
		load->group[group][node]--;
}

// ---- one rule on one node

struct judging {
	const struct cluster *cluster;
	const struct rules_load *load;
	const struct vm *vm;
	uint8_t slot; // of the node
	uint8_t rule;
	const struct rule_def *def;
	struct placement_node *row;
};

// A strict rule that is not followed fails; a wish costs its weight, and is named by the heaviest.
static void breaks(const struct judging *j, enum placement_check kind, uint8_t other,
		   uint64_t times)
{
	struct check *check = &j->row->checks[kind];

	if (j->def->strict) {
		if (check->verdict == CHECK_FAIL)
			return;
		check->verdict = CHECK_FAIL;
		j->row->feasible = false;
	} else {
		j->row->cost += times * j->def->weight;
		if (check->verdict == CHECK_FAIL ||
		    (check->verdict == CHECK_WARN && check->needed >= times * j->def->weight))
			return;
		check->verdict = CHECK_WARN;
		check->needed = times * j->def->weight;
	}
	check->rule = j->rule;
	check->node = other;
}

// The lowest node but this one where the rule's other members are.
static uint8_t others_on(const struct judging *j, const uint16_t count[NODES_MAX])
{
	for (uint8_t node = 0; node < NODES_MAX; node++) {
		uint16_t self = j->vm->owner == node && vm_counts_on_node(j->cluster, j->vm);

		if (node != j->slot && count[node] > self)
			return node;
	}
	return SLOT_NONE;
}

static void judge_together(const struct judging *j)
{
	uint8_t group = j->cluster->rule_index->group[j->rule];
	bool strict = j->def->strict && group != SLOT_NONE;
	uint8_t other = others_on(j, strict ? j->load->group[group] : j->load->members[j->rule]);

	if (other != SLOT_NONE)
		breaks(j, CHECK_TOGETHER, other, 1);
	else if (strict && !(j->load->group_possible[group] & BIT(j->slot)) &&
		 vm_asks_for_place(j->cluster, j->vm))
		breaks(j, CHECK_TOGETHER, j->slot, 1);
}

// Members on the node beside the VM itself.
static uint32_t others_of(const struct judging *j, uint8_t node)
{
	uint32_t count = j->load->members[j->rule][node];

	return count - (j->vm->owner == node && vm_counts_on_node(j->cluster, j->vm));
}

static void judge_apart(const struct judging *j)
{
	uint32_t here = others_of(j, j->slot);

	if (here > 0)
		breaks(j, CHECK_APART, j->slot, here);
}

static void judge_follow(const struct judging *j)
{
	if (j->load->leader[j->rule] != j->slot)
		breaks(j, CHECK_FOLLOW, j->load->leader[j->rule], 1);
}

// Nodes that share the node's value of the rule's attribute.
static uint64_t nodes_alike(const struct judging *j, uint8_t slot)
{
	return j->cluster->rule_index->same_value[j->rule][slot];
}

static void judge_same_attribute(const struct judging *j)
{
	uint8_t leader = j->load->leader[j->rule];

	if (leader == SLOT_NONE || !(nodes_alike(j, leader) & BIT(j->slot)))
		breaks(j, CHECK_ATTRIBUTE, leader, 1);
}

static uint32_t other_members(const struct judging *j, uint64_t nodes)
{
	uint32_t count = 0;

	for (uint8_t node = 0; nodes >> node; node++) {
		if (nodes >> node & 1)
			count += others_of(j, node);
		if (node == NODES_MAX - 1)
			break;
	}
	return count;
}

// Even means that no value has more than one member above any value that has nodes online.
static void judge_spread(const struct judging *j)
{
	uint32_t here = other_members(j, nodes_alike(j, j->slot)), least = here;
	uint64_t seen = nodes_alike(j, j->slot);
	uint8_t where = j->slot;

	for (uint8_t node = 0; node < NODES_MAX; node++) {
		const struct cluster_node *other = &j->cluster->nodes[node];
		uint32_t there;

		if (!other->used || other->life != NODE_ONLINE || other->maintenance ||
		    (seen & BIT(node)))
			continue;
		seen |= nodes_alike(j, node);
		there = other_members(j, nodes_alike(j, node));
		if (there < least) {
			least = there;
			where = node;
		}
	}
	if (here > least)
		breaks(j, CHECK_SPREAD, where, here - least);
}

// What it waits for is the same on every node.
static void judge_order(const struct judging *j, bool any)
{
	uint16_t all = j->load->firsts[j->rule], up = j->load->firsts_up[j->rule];

	if (j->load->orders_ignored || vm_counts_on_node(j->cluster, j->vm) || all == 0 ||
	    up == all || (any && up > 0))
		return;
	// An optional order only waits for what is on its way.
	if (j->def->strict || j->load->firsts_coming[j->rule] > 0) {
		struct check *check = &j->row->checks[CHECK_ORDER];

		check->verdict = CHECK_FAIL;
		check->rule = j->rule;
		check->found = up;
		check->needed = any ? 1 : all;
		j->row->feasible = false;
	}
}

static void judge_rule(const struct judging *j, const struct vm_rules *rules)
{
	bool member = rules->as[ROLE_MEMBER] >> j->rule & 1;
	bool then = rules->as[ROLE_THEN] >> j->rule & 1;

	switch ((enum rule_kind)j->def->kind) {
	case RULE_TOGETHER:
		judge_together(j);
		break;
	case RULE_APART:
		judge_apart(j);
		break;
	case RULE_FOLLOW:
		if (member)
			judge_follow(j);
		break;
	case RULE_SAME_ATTRIBUTE:
		if (member)
			judge_same_attribute(j);
		break;
	case RULE_SPREAD:
		judge_spread(j);
		break;
	case RULE_ORDER:
	case RULE_ANY_FIRST:
		if (then)
			judge_order(j, j->def->kind == RULE_ANY_FIRST);
		break;
	case RULE_ONE_AT_A_TIME: // about moves, not about places
	case RULE_KIND_COUNT:
		break;
	}
}

void rules_judge(const struct cluster *cluster, const struct rules_load *load, const struct vm *vm,
		 uint8_t slot, struct placement_node *row)
{
	rules_judge_some(cluster, load, vm, slot, UINT64_MAX, row);
}

uint64_t rules_about(const struct cluster *cluster, const struct vm *vm)
{
	struct vm_rules rules = rules_of_vm(cluster, vm);
	uint64_t mask = 0;

	for (uint32_t role = 0; role < RULE_ROLE_COUNT; role++)
		mask |= rules.as[role];
	return mask;
}

void rules_judge_some(const struct cluster *cluster, const struct rules_load *load,
		      const struct vm *vm, uint8_t slot, uint64_t which, struct placement_node *row)
{
	struct vm_rules rules = rules_of_vm(cluster, vm);
	uint64_t mask = rules_about(cluster, vm) & which;

	for (uint32_t kind = CHECK_TOGETHER; kind <= CHECK_ORDER; kind++)
		row->checks[kind] = (struct check){ .check = (uint8_t)kind, .node = SLOT_NONE };
	for (uint8_t rule = 0; rule < RULES_MAX && mask >> rule; rule++) {
		struct judging judging = { .cluster = cluster,
					   .load = load,
					   .vm = vm,
					   .slot = slot,
					   .rule = rule,
					   .def = &cluster->rules[rule].def,
					   .row = row };

		if (mask >> rule & 1)
			judge_rule(&judging, &rules);
	}
}
