// SPDX-License-Identifier: Apache-2.0
// Balancing: what it moves and what it leaves alone; and over random clusters that no strict rule
// is broken at any step, that the order of definitions does not matter, that nothing is left for a
// second run, and that nothing gets worse.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clusterd/rule_index.h"
#include "clusterd/text.h"
#include "clusterd/vm_index.h"
#include "policies/balance.h"

enum { VMS = 64, NODES = 10, RULES = 6, MEMBERS = 4, CLUSTERS = 1000 };

static const struct cluster_limits limits = { .vms_max = VMS, .lease_slots_max = VMS };

struct world {
	struct cluster *cluster;
	uint32_t nodes, vms, rules;
};

static struct cluster *make_cluster(void)
{
	struct cluster *cluster = calloc(1, sizeof(*cluster));
	void *memory = calloc(1, cluster_memory(&limits));

	assert_non_null(cluster);
	assert_non_null(memory);
	cluster_init(cluster, &limits, memory);
	cluster->def.policies.cpu_overcommit = 400;
	cluster->volumes[0] = (struct cluster_volume){ .used = true, .prepared = true };
	text_copy(cluster->volumes[0].def.name, NAME_SIZE, "v1");
	cluster->volume_high = 1;
	return cluster;
}

static void free_cluster(struct cluster *cluster)
{
	free(cluster->vms);
	free(cluster);
}

static struct cluster_node *add_node(struct cluster *cluster, uint32_t slot, uint32_t number,
				     uint32_t mib, uint32_t cpus)
{
	struct cluster_node *node = &cluster->nodes[slot];

	node->used = node->managed = node->reported = true;
	node->life = NODE_ONLINE;
	node->def.id = number + 1;
	snprintf(node->def.name, NAME_SIZE, "n%u", number + 1);
	node->def.attribute_count = 1;
	text_copy(node->def.attributes[0].name, TAG_SIZE, "rack");
	snprintf(node->def.attributes[0].value, TAG_SIZE, "r%u", number % 3);
	node->report.cpus = cpus;
	node->report.memory_mib = mib;
	node->report.qemu = true;
	node->report.volumes[0] = (struct node_volume){ .state = VOLUME_ONLINE, .joined = true };
	if (cluster->node_high <= slot)
		cluster->node_high = (uint8_t)(slot + 1);
	return node;
}

static struct vm *add_vm(struct cluster *cluster, uint32_t slot, const char *name, uint32_t mib,
			 uint32_t cpus, uint8_t owner)
{
	struct vm *vm = &cluster->vms[slot];
	struct vm_def *def = &cluster->defs[slot];

	memset(vm, 0, sizeof(*vm));
	memset(def, 0, sizeof(*def));
	text_copy(def->name, NAME_SIZE, name);
	text_copy((char *)def->uuid.bytes, sizeof(def->uuid.bytes), name);
	def->memory_mib = mib;
	def->cpus = cpus;
	def->disk_count = 1;
	text_copy(def->disks[0].volume, NAME_SIZE, "v1");
	snprintf(def->disks[0].path, PATH_SIZE, "%s", name);
	vm->used = vm->managed = true;
	vm->ref = (struct vm_ref){ slot, slot + 1 };
	vm->owner = vm->last_owner = owner;
	vm->phase = owner == SLOT_NONE ? VM_IDLE : VM_RUNNING;
	vm->wanted = VM_WANTED_RUNNING;
	vm->drained_from = vm->saved_volume = SLOT_NONE;
	if (cluster->vm_high <= slot)
		cluster->vm_high = slot + 1;
	cluster->vm_count++;
	return vm;
}

static struct rule_def *add_rule(struct cluster *cluster, uint32_t slot, enum rule_kind kind,
				 bool strict)
{
	struct rule_def *def = &cluster->rules[slot].def;

	cluster->rules[slot].used = true;
	if (cluster->rule_high <= slot)
		cluster->rule_high = (uint8_t)(slot + 1);
	snprintf(def->name, NAME_SIZE, "r%u", slot);
	def->kind = (uint8_t)kind;
	def->strict = strict;
	def->enabled = true;
	def->weight = 100;
	def->at_once = 1;
	text_copy(def->attribute, TAG_SIZE,
		  kind == RULE_SPREAD || kind == RULE_SAME_ATTRIBUTE ? "rack" : "");
	return def;
}

static void add_member(struct rule_def *def, enum rule_role role, const char *name)
{
	struct rule_member *member = &def->members[def->member_count++];

	text_copy(member->name, NAME_SIZE, name);
	member->role = (uint8_t)role;
}

static void rebuild(struct cluster *cluster)
{
	vm_index_rebuild(cluster);
	rule_index_rebuild(cluster);
}

static struct balance_plan *plan_with(const struct cluster *cluster,
				      const struct balance_options *options)
{
	struct balance_plan *plan = malloc(sizeof(*plan));
	void *memory = malloc(balance_memory(&limits));

	assert_non_null(plan);
	assert_non_null(memory);
	memset(memory, 0xa5, balance_memory(&limits));
	balance_plan(cluster, UINT64_MAX, options, memory, plan);
	free(memory);
	return plan;
}

// ---- by hand

static struct cluster *cluster;
static const struct balance_options plain;

static int begin(void **state)
{
	(void)state;
	cluster = make_cluster();
	for (uint32_t i = 0; i < 3; i++)
		add_node(cluster, i, i, 8192, 8);
	return 0;
}

static int end(void **state)
{
	(void)state;
	free_cluster(cluster);
	return 0;
}

// Six VMs of the same size on the first node, none elsewhere.
static void crowd(void)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f" };

	for (uint32_t i = 0; i < 6; i++)
		add_vm(cluster, i, names[i], 1024, 1, 0);
	rebuild(cluster);
}

static uint32_t count_moves(const struct balance_options *options)
{
	struct balance_plan *plan;
	uint32_t count;

	rebuild(cluster);
	plan = plan_with(cluster, options);
	count = plan->count;
	free(plan);
	return count;
}

static void a_crowd_is_spread(void **state)
{
	struct balance_plan *plan;
	char reason[REASON_SIZE];

	(void)state;
	crowd();
	plan = plan_with(cluster, &plain);
	assert_int_equal(plan->count, 4);
	assert_int_equal(plan->stop, BALANCE_STOP_BEST);
	assert_int_equal(plan->score_after, 0);
	assert_true(plan->score_before > 200000);
	assert_int_equal(plan->kept[BALANCE_FREE], 6);
	for (uint32_t i = 0; i < plan->count; i++) {
		assert_int_equal(plan->steps[i].from, 0);
		assert_true(plan->steps[i].score < plan->steps[i].before);
	}
	balance_explain_step(cluster, &plan->steps[0], reason);
	assert_string_equal(reason, "memory of n1 75.0 % to 62.5 %, of n2 0.0 % to 12.5 %");
	balance_explain_stop(plan, reason);
	assert_string_equal(reason, "no further move is worth its cost");
	free(plan);
}

static void what_must_stay_stays(void **state)
{
	static uint8_t rests[VMS];
	const struct balance_options resting = { .rests = rests };
	struct balance_plan *plan;
	char reason[REASON_SIZE];

	(void)state;
	crowd();
	cluster->vms[0].managed = false;
	cluster->vms[1].wanted = VM_WANTED_STOPPED;
	cluster->defs[2].on_drain = ON_DRAIN_COLD;
	cluster->defs[3].stickiness = STICKINESS_INFINITE;
	cluster->vms[4].phase = VM_BLOCKED;
	rests[5] = 1;
	plan = plan_with(cluster, &resting);
	assert_int_equal(plan->count, 0);
	assert_int_equal(plan->stop, BALANCE_STOP_BEST);
	assert_int_equal(plan->kept[BALANCE_KEEP_UNMANAGED], 1);
	assert_int_equal(plan->kept[BALANCE_KEEP_NOT_RUNNING], 2);
	assert_int_equal(plan->kept[BALANCE_KEEP_NOT_LIVE], 1);
	assert_int_equal(plan->kept[BALANCE_KEEP_STICKY], 1);
	assert_int_equal(plan->kept[BALANCE_KEEP_REST], 1);
	balance_explain_stop(plan, reason);
	assert_non_null(strstr(reason, "no move is worth its cost; "));
	assert_non_null(strstr(reason, "rests after its last move"));
	free(plan);
	rests[5] = 0;
	assert_int_equal(count_moves(&resting), 1);
}

static void nodes_that_take_no_part_are_left_alone(void **state)
{
	const struct balance_options one_out = { .excluded = 2 }, two_out = { .excluded = 6 };
	struct balance_plan *plan;

	(void)state;
	crowd();
	plan = plan_with(cluster, &one_out);
	assert_int_equal(plan->count, 3);
	for (uint32_t i = 0; i < plan->count; i++)
		assert_int_equal(plan->steps[i].to, 2);
	free(plan);
	plan = plan_with(cluster, &two_out);
	assert_int_equal(plan->count, 0);
	assert_int_equal(plan->stop, BALANCE_STOP_NODES);
	free(plan);
	cluster->nodes[1].maintenance = true;
	cluster->nodes[2].def.health = HEALTH_YELLOW;
	cluster->def.policies.health = HEALTH_LEAVE_ON_RED;
	assert_int_equal(count_moves(&plain), 0);
}

static void limits_are_kept(void **state)
{
	struct balance_options options = { .moves_max = 3 };
	struct balance_plan *plan;

	(void)state;
	crowd();
	plan = plan_with(cluster, &options);
	assert_int_equal(plan->count, 3);
	assert_int_equal(plan->stop, BALANCE_STOP_MOVES);
	free(plan);
	options = (struct balance_options){ .node_moves_max = 1 };
	assert_int_equal(count_moves(&options), 1);
	// A move brings about 5 hundredths: that is too little, or its memory costs too much.
	options = (struct balance_options){ .move_cost = 100000 };
	assert_int_equal(count_moves(&options), 0);
	options = (struct balance_options){ .gib_cost = 100000 };
	assert_int_equal(count_moves(&options), 0);
	options = (struct balance_options){ .gain_percent = 100 };
	assert_int_equal(count_moves(&options), 4);
	cluster->defs[0].memory_mib = 1000;
	plan = plan_with(cluster, &options);
	assert_int_equal(plan->count, 0);
	assert_int_equal(plan->stop, BALANCE_STOP_GAIN);
	free(plan);
}

// By size, not by heads; and by heads where that is asked for.
static void dimensions_are_chosen(void **state)
{
	const struct balance_options heads = { .weights = { 0, 0, 1 } };

	(void)state;
	add_vm(cluster, 0, "a", 1024, 1, 0);
	add_vm(cluster, 1, "b", 1024, 1, 0);
	add_vm(cluster, 2, "c", 1024, 1, 1);
	add_vm(cluster, 3, "d", 1024, 1, 1);
	add_vm(cluster, 4, "e", 2048, 2, 2);
	assert_int_equal(count_moves(&plain), 0);
	add_vm(cluster, 5, "f", 1, 1, 0);
	assert_int_equal(count_moves(&heads), 1);
}

// What runs on the host beside VMs counts where it was measured; who was not measured takes no
// part.
static void measured_load_counts(void **state)
{
	static struct balance_use vms[VMS];
	static struct balance_measured measured = { .vms = vms };
	const struct balance_options options = { .measured = &measured, .weights = { 0, 1, 0 } };
	struct balance_plan *plan;

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		measured.nodes[i] = (struct balance_use){ { 1024, 1000, 0 } };
	for (uint32_t i = 0; i < VMS; i++)
		vms[i] = (struct balance_use){ { 512, 500, 0 } };
	add_vm(cluster, 0, "a", 1024, 1, 0);
	add_vm(cluster, 1, "b", 1024, 1, 0);
	assert_int_equal(count_moves(&options), 0);
	measured.nodes[0].of[BALANCE_CPUS] = 7000;
	rebuild(cluster);
	plan = plan_with(cluster, &options);
	assert_int_equal(plan->count, 2);
	assert_int_equal(plan->steps[0].dimension, BALANCE_CPUS);
	assert_int_equal(plan->steps[0].from_before, 875000);
	free(plan);
	measured.nodes[1].of[BALANCE_CPUS] = BALANCE_UNKNOWN;
	plan = plan_with(cluster, &options);
	assert_int_equal(plan->nodes, 5);
	for (uint32_t i = 0; i < plan->count; i++)
		assert_int_equal(plan->steps[i].to, 2);
	free(plan);
}

// Neither of the two full nodes can take a VM of the other's before it has given one away.
static void both_ends_of_a_move_need_room(void **state)
{
	(void)state;
	cluster->nodes[2].maintenance = true;
	add_vm(cluster, 0, "a", 4096, 4, 0);
	add_vm(cluster, 1, "b", 4096, 4, 0);
	add_vm(cluster, 2, "c", 4096, 1, 1);
	add_vm(cluster, 3, "d", 4096, 1, 1);
	assert_int_equal(count_moves(&plain), 0);
	cluster->nodes[2].maintenance = false;
	assert_true(count_moves(&plain) > 0);
}

static void groups_move_as_one(void **state)
{
	struct balance_plan *plan;
	struct rule_def *def;
	uint32_t slots = 0;

	(void)state;
	crowd();
	def = add_rule(cluster, 0, RULE_TOGETHER, true);
	add_member(def, ROLE_MEMBER, "a");
	add_member(def, ROLE_MEMBER, "b");
	def = add_rule(cluster, 1, RULE_FOLLOW, true);
	add_member(def, ROLE_MEMBER, "c");
	add_member(def, ROLE_LEADER, "d");
	rebuild(cluster);
	plan = plan_with(cluster, &plain);
	assert_int_equal(plan->count, 4);
	for (uint32_t i = 0; i < 4; i++)
		slots = slots * 10 + plan->steps[i].vm.slot;
	// Whom others follow goes before them, whatever its name.
	assert_true(slots == 132 || slots == 3201);
	for (uint32_t i = 0; i < 4; i += 2) {
		assert_false(plan->steps[i].together);
		assert_true(plan->steps[i + 1].together);
		assert_int_equal(plan->steps[i].to, plan->steps[i + 1].to);
	}
	free(plan);
	cluster->vms[0].managed = false;
	rebuild(cluster);
	plan = plan_with(cluster, &plain);
	assert_int_equal(plan->kept[BALANCE_KEEP_MATE], 1);
	free(plan);
}

// A wish outranks load.
static void wishes_are_not_followed_less(void **state)
{
	struct rule_def *def;

	(void)state;
	crowd();
	def = add_rule(cluster, 0, RULE_TOGETHER, false);
	for (uint32_t i = 0; i < 6; i++)
		add_member(def, ROLE_MEMBER, cluster->defs[i].name);
	assert_int_equal(count_moves(&plain), 0);
	cluster->rules[0].used = false;
	for (uint32_t i = 0; i < 6; i++)
		cluster->vms[i].tiers[0] = 1;
	assert_int_equal(count_moves(&plain), 0);
	for (uint32_t i = 0; i < 6; i++)
		cluster->vms[i].tiers[0] = 5;
	assert_int_equal(count_moves(&plain), 3);
}

// ---- random clusters

static uint64_t dice_state;

static uint32_t dice(uint32_t sides)
{
	dice_state = dice_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(dice_state >> 33) % sides;
}

// What is drawn, apart from the slots that it is put into.
struct drawing {
	uint32_t nodes, vms, rules;
	struct {
		uint32_t mib, cpus, reserve;
		bool maintenance;
		uint8_t health;
	} node[NODES];
	struct {
		uint32_t mib, cpus, home;     // home: number of a node
		uint32_t possible, preferred; // masks of numbers
		bool sticky, cold, resting;
	} vm[VMS];
	struct {
		uint8_t kind;
		bool strict;
		uint32_t member_count, members[MEMBERS]; // numbers of VMs
	} rule[RULES];
	bool cpu_hard;
};

static void draw(struct drawing *d)
{
	static const uint8_t kinds[] = { RULE_TOGETHER, RULE_APART, RULE_FOLLOW, RULE_SPREAD,
					 RULE_SAME_ATTRIBUTE };

	memset(d, 0, sizeof(*d));
	d->nodes = 2 + dice(NODES - 1);
	d->vms = d->nodes + dice(VMS - d->nodes);
	d->rules = dice(RULES + 1);
	d->cpu_hard = dice(4) == 0;
	for (uint32_t i = 0; i < d->nodes; i++) {
		d->node[i].mib = 4096u << dice(3);
		d->node[i].cpus = 4u << dice(3);
		d->node[i].reserve = dice(512);
		d->node[i].maintenance = dice(12) == 0;
		d->node[i].health = dice(10) == 0 ? HEALTH_YELLOW : HEALTH_GREEN;
	}
	for (uint32_t i = 0; i < d->vms; i++) {
		d->vm[i].mib = 64 + dice(2048);
		d->vm[i].cpus = 1 + dice(4);
		d->vm[i].possible = dice(5) == 0 ? dice(1u << d->nodes) : 0;
		d->vm[i].preferred = dice(5) == 0 ? dice(1u << d->nodes) : 0;
		d->vm[i].sticky = dice(20) == 0;
		d->vm[i].cold = dice(20) == 0;
		d->vm[i].resting = dice(10) == 0;
	}
	for (uint32_t i = 0; i < d->rules; i++) {
		d->rule[i].kind = kinds[dice(5)];
		d->rule[i].strict = d->rule[i].kind != RULE_SPREAD && dice(3) > 0;
		d->rule[i].member_count = 2 + dice(MEMBERS - 1);
		for (uint32_t k = 0; k < d->rule[i].member_count; k++)
			d->rule[i].members[k] = dice(d->vms);
	}
}

static void shuffle(uint32_t *list, uint32_t count, bool really)
{
	for (uint32_t i = 0; i < count; i++)
		list[i] = i;
	for (uint32_t i = count; really && i-- > 1;) {
		uint32_t k = dice(i + 1), swap = list[i];

		list[i] = list[k];
		list[k] = swap;
	}
}

static uint64_t mask_of(uint32_t numbers, const uint32_t *slots, uint32_t count)
{
	uint64_t mask = 0;

	for (uint32_t i = 0; i < count; i++)
		if (numbers >> i & 1)
			mask |= UINT64_C(1) << slots[i];
	return mask;
}

static void build_rules(const struct drawing *d, struct cluster *made, const uint32_t *slots)
{
	for (uint32_t i = 0; i < d->rules; i++) {
		struct rule_def *def = add_rule(made, slots[i], (enum rule_kind)d->rule[i].kind,
						d->rule[i].strict);
		bool leads = def->kind == RULE_FOLLOW || def->kind == RULE_SAME_ATTRIBUTE;

		snprintf(def->name, NAME_SIZE, "rule%u", i);
		for (uint32_t k = 0; k < d->rule[i].member_count; k++) {
			char name[NAME_SIZE];
			bool again = false;

			for (uint32_t j = 0; j < k; j++)
				again = again || d->rule[i].members[j] == d->rule[i].members[k];
			snprintf(name, sizeof(name), "vm%02u", d->rule[i].members[k]);
			if (!again)
				add_member(def, k == 0 && leads ? ROLE_LEADER : ROLE_MEMBER, name);
		}
	}
}

// Puts what was drawn into slots, in their order or in another one.
static struct cluster *build(const struct drawing *d, bool shuffled, uint8_t *rests)
{
	uint32_t nodes[NODES], vms[VMS], rules[RULES];
	struct cluster *made = make_cluster();

	shuffle(nodes, d->nodes, shuffled);
	shuffle(vms, d->vms, shuffled);
	shuffle(rules, d->rules, shuffled);
	made->def.policies.cpu_hard = d->cpu_hard;
	made->def.policies.health = HEALTH_LEAVE_ON_RED;
	for (uint32_t i = 0; i < d->nodes; i++) {
		struct cluster_node *node =
			add_node(made, nodes[i], i, d->node[i].mib, d->node[i].cpus);

		node->maintenance = d->node[i].maintenance;
		node->def.health = d->node[i].health;
		node->def.memory_reserve_mib = d->node[i].reserve;
	}
	for (uint32_t i = 0; i < d->vms; i++) {
		char name[NAME_SIZE];
		uint32_t home = d->vm[i].home;
		struct vm *vm;

		snprintf(name, sizeof(name), "vm%02u", i);
		vm = add_vm(made, vms[i], name, d->vm[i].mib, d->vm[i].cpus,
			    home == SLOT_NONE ? SLOT_NONE : (uint8_t)nodes[home]);
		vm->possible = mask_of(d->vm[i].possible, nodes, d->nodes);
		vm->tiers[0] = mask_of(d->vm[i].preferred, nodes, d->nodes);
		made->defs[vms[i]].stickiness = d->vm[i].sticky ? 5 : 0;
		made->defs[vms[i]].on_drain = d->vm[i].cold ? ON_DRAIN_COLD : ON_DRAIN_MIGRATE;
		rests[vms[i]] = d->vm[i].resting;
	}
	build_rules(d, made, rules);
	rebuild(made);
	return made;
}

// Each VM goes to any node that may have it: everything holds, and nothing is even.
static void settle(struct drawing *d)
{
	uint8_t rests[VMS] = { 0 };
	struct cluster *made;

	for (uint32_t i = 0; i < d->vms; i++)
		d->vm[i].home = SLOT_NONE;
	made = build(d, false, rests);
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < d->vms; i++) {
			uint64_t wish = dice(1u << d->nodes);
			struct placement_load load;

			if (made->vms[i].owner != SLOT_NONE)
				continue;
			placement_load_init(&load, made, UINT64_MAX);
			made->vms[i].owner = placement_choose_among(made, &load, &made->vms[i],
								    round == 2 ? UINT64_MAX : wish);
			if (made->vms[i].owner == SLOT_NONE)
				continue;
			made->vms[i].phase = VM_RUNNING;
			d->vm[i].home = made->vms[i].owner;
		}
	}
	free_cluster(made);
}

static const struct vm *member_of(const struct cluster *c, const struct rule_def *def, uint32_t i)
{
	const struct vm *vm = cluster_find_vm(c, def->members[i].name);

	return vm->owner == SLOT_NONE ? NULL : vm;
}

static const char *rack_of(const struct cluster *c, const struct vm *vm)
{
	return c->nodes[vm->owner].def.attributes[0].value;
}

// How often strict rules are broken: said here once more, in other words than the product's.
static uint32_t count_breaches(const struct cluster *c)
{
	uint32_t breaches = 0;

	for (uint32_t r = 0; r < RULES; r++) {
		const struct rule_def *def = &c->rules[r].def;

		if (!c->rules[r].used || !def->strict)
			continue;
		for (uint32_t i = 0; i < def->member_count; i++) {
			for (uint32_t k = i + 1; k < def->member_count; k++) {
				const struct vm *a = member_of(c, def, i),
						*b = member_of(c, def, k);
				bool first = i == 0;

				if (!a || !b)
					continue;
				breaches += def->kind == RULE_TOGETHER && a->owner != b->owner;
				breaches += def->kind == RULE_APART && a->owner == b->owner;
				breaches +=
					def->kind == RULE_FOLLOW && first && a->owner != b->owner;
				breaches += def->kind == RULE_SAME_ATTRIBUTE && first &&
					    strcmp(rack_of(c, a), rack_of(c, b)) != 0;
			}
		}
	}
	return breaches;
}

static uint64_t promised(const struct cluster *c, uint8_t node)
{
	uint64_t sum = c->nodes[node].def.memory_reserve_mib;

	for (uint32_t i = 0; i < c->vm_high; i++)
		if (c->vms[i].owner == node)
			sum += c->defs[i].memory_mib;
	return sum;
}

static void check_steps(struct cluster *c, const struct balance_plan *plan, const uint8_t *rests)
{
	uint32_t breaches = count_breaches(c);

	for (uint32_t i = 0; i < plan->count; i++) {
		const struct balance_step *step = &plan->steps[i];
		struct vm *vm = &c->vms[step->vm.slot];
		const struct cluster_node *to = &c->nodes[step->to];

		assert_int_equal(vm->owner, step->from);
		assert_true(step->from != step->to);
		assert_false(rests[step->vm.slot] || c->defs[step->vm.slot].stickiness > 0);
		assert_false(to->maintenance || c->nodes[step->from].maintenance ||
			     to->def.health != HEALTH_GREEN);
		assert_true(vm->possible == 0 || (vm->possible >> step->to & 1));
		assert_true(vm->tiers[0] == 0 || (vm->tiers[0] >> step->to & 1) ||
			    !(vm->tiers[0] >> step->from & 1));
		// While it moves, both have it.
		assert_true(promised(c, step->to) + c->defs[step->vm.slot].memory_mib <=
			    to->report.memory_mib);
		vm->owner = step->to;
		if (i + 1 < plan->count && plan->steps[i + 1].together)
			continue;
		if (count_breaches(c) > breaches)
			fail_msg("step %u breaks a strict rule", i);
		breaches = count_breaches(c);
	}
}

static const char *name_of(const struct cluster *c, const struct balance_step *step)
{
	return c->defs[step->vm.slot].name;
}

static void check_same(const struct cluster *a, const struct balance_plan *x,
		       const struct cluster *b, const struct balance_plan *y)
{
	assert_int_equal(x->score_before, y->score_before);
	assert_int_equal(x->score_after, y->score_after);
	assert_int_equal(x->count, y->count);
	for (uint32_t i = 0; i < x->count; i++) {
		assert_string_equal(name_of(a, &x->steps[i]), name_of(b, &y->steps[i]));
		assert_string_equal(a->nodes[x->steps[i].from].def.name,
				    b->nodes[y->steps[i].from].def.name);
		assert_string_equal(a->nodes[x->steps[i].to].def.name,
				    b->nodes[y->steps[i].to].def.name);
		assert_int_equal(x->steps[i].score, y->steps[i].score);
	}
}

static void random_clusters(void **state)
{
	static struct drawing d;
	uint32_t moves = 0, together = 0;

	(void)state;
	for (uint32_t seed = 1; seed <= CLUSTERS; seed++) {
		uint8_t rests[VMS] = { 0 }, other_rests[VMS] = { 0 };
		struct balance_options options = { .rests = rests };
		struct balance_plan *plan, *other, *again;
		struct cluster *one, *two;

		dice_state = seed * UINT64_C(0x9e3779b97f4a7c15);
		draw(&d);
		settle(&d);
		one = build(&d, false, rests);
		two = build(&d, true, other_rests);
		options.weights[0] = dice(4);
		options.weights[1] = dice(4);
		options.weights[2] = dice(3);
		options.move_cost = dice(3) ? dice(3000) : 0;
		options.gib_cost = dice(3) ? 0 : dice(3000);
		options.gain_percent = dice(3) ? 0 : dice(20);
		plan = plan_with(one, &options);
		options.rests = other_rests;
		other = plan_with(two, &options);
		options.rests = rests;
		check_same(one, plan, two, other);
		assert_true(plan->score_after <= plan->score_before);
		assert_true(plan->count == 0 || plan->score_after < plan->score_before);
		check_steps(one, plan, rests);
		again = plan_with(one, &options);
		if (again->count != 0)
			fail_msg("seed %u: %u moves, and %u more the second time", seed,
				 plan->count, again->count);
		assert_int_equal(again->score_before, plan->score_after);
		moves += plan->count;
		for (uint32_t i = 0; i < plan->count; i++)
			together += plan->steps[i].together;
		free(plan);
		free(other);
		free(again);
		free_cluster(one);
		free_cluster(two);
	}
	// The drawing is worth something.
	print_message("%u moves, %u of them together with another\n", moves, together);
	assert_true(moves > 5 * CLUSTERS);
	assert_true(together > CLUSTERS / 40);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_crowd_is_spread),
		CASE(what_must_stay_stays),
		CASE(nodes_that_take_no_part_are_left_alone),
		CASE(limits_are_kept),
		CASE(dimensions_are_chosen),
		CASE(measured_load_counts),
		CASE(both_ends_of_a_move_need_room),
		CASE(groups_move_as_one),
		CASE(wishes_are_not_followed_less),
		cmocka_unit_test(random_clusters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
