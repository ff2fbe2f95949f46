// SPDX-License-Identifier: Apache-2.0
// What rules make of placement: each kind strict and as a wish, groups, orders, and over random
// clusters that no strict rule is ever broken, at no step, in whatever order things were defined.
#include "tests/unit/cluster_fixture.h"

#include "clusterd/rule_index.h"
#include "policies/placement.h"

static const uint64_t everybody = 7;
static const char *const names[] = { "a", "b", "c", "d" };

static void open_vms(struct fixture *f)
{
	fixture_open(f, 8, 32, 8);
	fixture_cluster(f);
	for (int i = 0; i < 4; i++)
		doc_vm(f, names[i], "v1");
	doc_accept(f);
	for (int i = 0; i < 4; i++) {
		struct entry entry = named(ENTRY_VM_WANT, names[i]);

		entry.wanted = VM_WANTED_RUNNING;
		accept(f, entry);
		make_leases_ready(f, names[i]);
	}
	doc_begin(f);
}

static struct rule_def *members(struct fixture *f, enum rule_kind kind, const char *list)
{
	struct rule_def *def = doc_rule(f, "r", kind);

	for (; *list; list++)
		rule_member(def, ROLE_MEMBER, (char[]){ *list, 0 });
	return def;
}

static struct placement_node judged(struct fixture *f, const char *name, uint8_t slot)
{
	struct placement_load load;
	struct placement_node row;

	placement_load_init(&load, &f->cluster, everybody);
	placement_judge(&f->cluster, &load, the_vm(f, name), slot, &row);
	return row;
}

static uint8_t choose(struct fixture *f, const char *name)
{
	struct placement_load load;

	placement_load_init(&load, &f->cluster, everybody);
	return placement_choose(&f->cluster, &load, the_vm(f, name));
}

static void runs_on(struct fixture *f, const char *name, uint8_t slot)
{
	the_vm(f, name)->phase = VM_RUNNING;
	the_vm(f, name)->owner = slot;
}

// The check has this verdict, and words when it is not good.
static void check_is(struct fixture *f, const char *name, uint8_t slot, enum placement_check kind,
		     enum check_verdict verdict)
{
	struct placement_node row = judged(f, name, slot);
	char reason[REASON_SIZE] = "", fix[REASON_SIZE] = "";

	assert_int_equal(row.checks[kind].verdict, verdict);
	if (verdict != CHECK_FAIL)
		assert_true(row.feasible);
	if (verdict == CHECK_OK)
		return;
	placement_explain_check(&f->cluster, the_vm(f, name), slot, &row.checks[kind], reason, fix);
	assert_non_null(strstr(reason, "rule r"));
	assert_non_null(strstr(fix, "rule r"));
}

static void wish(struct rule_def *def, uint32_t weight)
{
	def->strict = false;
	def->weight = weight;
}

static void apart_strict_and_wished(void **state)
{
	struct fixture f;

	(void)state;
	open_vms(&f);
	members(&f, RULE_APART, "ab");
	doc_accept(&f);
	runs_on(&f, "a", 1);
	check_is(&f, "b", 1, CHECK_APART, CHECK_FAIL);
	check_is(&f, "b", 0, CHECK_APART, CHECK_OK);
	check_is(&f, "a", 1, CHECK_APART, CHECK_OK); // not from itself
	check_is(&f, "c", 1, CHECK_APART, CHECK_OK);
	doc_begin(&f);
	wish(members(&f, RULE_APART, "ab"), 7);
	doc_accept(&f);
	check_is(&f, "b", 1, CHECK_APART, CHECK_WARN);
	assert_int_equal(judged(&f, "b", 1).cost, 7);
	// A wish outranks load.
	runs_on(&f, "c", 0);
	runs_on(&f, "d", 2);
	the_vm(&f, "c")->owner = 2;
	assert_int_equal(choose(&f, "b"), 0);
	doc_begin(&f);
	members(&f, RULE_APART, "ab")->enabled = false;
	doc_accept(&f);
	check_is(&f, "b", 1, CHECK_APART, CHECK_OK);
	fixture_close(&f);
}

static void together_is_transitive(void **state)
{
	struct fixture f;
	struct rule_def *other;

	(void)state;
	open_vms(&f);
	members(&f, RULE_TOGETHER, "ab");
	other = doc_rule(&f, "s", RULE_TOGETHER);
	rule_member(other, ROLE_MEMBER, "c");
	rule_member(other, ROLE_MEMBER, "b");
	doc_accept(&f);
	assert_int_equal(group_of_vm(&f.cluster, the_vm(&f, "a")),
			 group_of_vm(&f.cluster, the_vm(&f, "c")));
	assert_int_equal(group_of_vm(&f.cluster, the_vm(&f, "d")), SLOT_NONE);
	runs_on(&f, "a", 2);
	assert_false(judged(&f, "c", 1).feasible);
	assert_true(judged(&f, "c", 2).feasible);
	assert_int_equal(choose(&f, "c"), 2);
	assert_int_equal(choose(&f, "b"), 2);
	// The only one that runs may go elsewhere; the others come after it.
	assert_true(judged(&f, "a", 0).feasible);
	fixture_close(&f);
}

static void a_group_needs_room_for_all(void **state)
{
	struct placement_load load;
	struct fixture f;

	(void)state;
	open_vms(&f);
	members(&f, RULE_TOGETHER, "abc");
	doc_accept(&f);
	for (int i = 0; i < 3; i++)
		f.cluster.nodes[i].report.memory_mib = 383;
	assert_int_equal(choose(&f, "a"), SLOT_NONE);
	f.cluster.nodes[1].report.memory_mib = 384;
	assert_int_equal(choose(&f, "a"), 1);
	// Each takes its part as the round goes on.
	placement_load_init(&load, &f.cluster, everybody);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(placement_choose(&f.cluster, &load, the_vm(&f, names[i])), 1);
		placement_load_add(&load, &f.cluster, the_vm(&f, names[i]), 1);
	}
	// Where one of them may not go, none goes.
	the_vm(&f, "c")->possible = 5;
	assert_int_equal(choose(&f, "a"), SLOT_NONE);
	check_is(&f, "a", 1, CHECK_TOGETHER, CHECK_FAIL);
	fixture_close(&f);
}

static void together_as_a_wish(void **state)
{
	struct fixture f;

	(void)state;
	open_vms(&f);
	wish(members(&f, RULE_TOGETHER, "ab"), 3);
	doc_accept(&f);
	runs_on(&f, "a", 2);
	check_is(&f, "b", 1, CHECK_TOGETHER, CHECK_WARN);
	assert_int_equal(choose(&f, "b"), 2);
	f.cluster.nodes[2].report.memory_mib = 200;
	assert_int_equal(choose(&f, "b"), 0);
	fixture_close(&f);
}

static void followers_go_where_the_leader_is(void **state)
{
	struct rule_def *def;
	struct fixture f;

	(void)state;
	open_vms(&f);
	def = doc_rule(&f, "r", RULE_FOLLOW);
	rule_member(def, ROLE_LEADER, "a");
	rule_member(def, ROLE_MEMBER, "b");
	doc_accept(&f);
	assert_int_equal(choose(&f, "b"), SLOT_NONE); // it has none to follow
	check_is(&f, "b", 0, CHECK_FOLLOW, CHECK_FAIL);
	assert_int_equal(choose(&f, "a"), 0); // the leader does not care
	runs_on(&f, "a", 1);
	assert_int_equal(choose(&f, "b"), 1);
	def->strict = false;
	doc_accept(&f);
	check_is(&f, "b", 2, CHECK_FOLLOW, CHECK_WARN);
	assert_int_equal(choose(&f, "b"), 1);
	runs_on(&f, "b", 1);
	assert_int_equal(judged(&f, "a", 2).cost, 0);
	fixture_close(&f);
}

static void attribute(struct fixture *f, int node, const char *value)
{
	struct node_def *def = &f->cluster.nodes[node].def;

	def->attribute_count = 1;
	text_copy(def->attributes[0].name, TAG_SIZE, "rack");
	text_copy(def->attributes[0].value, TAG_SIZE, value);
	rule_index_rebuild(&f->cluster);
}

static void attributes_bind_and_spread(void **state)
{
	struct rule_def *def;
	struct fixture f;

	(void)state;
	open_vms(&f);
	attribute(&f, 0, "east");
	attribute(&f, 1, "east");
	attribute(&f, 2, "west");
	def = doc_rule(&f, "r", RULE_SAME_ATTRIBUTE);
	text_copy(def->attribute, TAG_SIZE, "rack");
	rule_member(def, ROLE_LEADER, "a");
	rule_member(def, ROLE_MEMBER, "b");
	doc_accept(&f);
	runs_on(&f, "a", 0);
	check_is(&f, "b", 1, CHECK_ATTRIBUTE, CHECK_OK);
	check_is(&f, "b", 2, CHECK_ATTRIBUTE, CHECK_FAIL);
	doc_begin(&f);
	def = members(&f, RULE_SPREAD, "abc");
	text_copy(def->attribute, TAG_SIZE, "rack");
	doc_accept(&f);
	check_is(&f, "b", 1, CHECK_SPREAD, CHECK_FAIL);
	assert_int_equal(choose(&f, "b"), 2);
	runs_on(&f, "b", 2);
	check_is(&f, "c", 1, CHECK_SPREAD, CHECK_OK);
	check_is(&f, "c", 2, CHECK_SPREAD, CHECK_OK);
	check_is(&f, "b", 1, CHECK_SPREAD, CHECK_FAIL); // away from its own place
	fixture_close(&f);
}

static struct rule_def *order(struct fixture *f, enum rule_kind kind)
{
	struct rule_def *def = doc_rule(f, "r", kind);

	rule_member(def, ROLE_FIRST, "a");
	rule_member(def, ROLE_FIRST, "b");
	rule_member(def, ROLE_THEN, "c");
	return def;
}

static void orders_are_waited_for(void **state)
{
	struct fixture f;

	(void)state;
	open_vms(&f);
	order(&f, RULE_ORDER);
	doc_accept(&f);
	check_is(&f, "c", 0, CHECK_ORDER, CHECK_FAIL);
	runs_on(&f, "a", 1);
	check_is(&f, "c", 0, CHECK_ORDER, CHECK_FAIL);
	runs_on(&f, "b", 1);
	check_is(&f, "c", 0, CHECK_ORDER, CHECK_OK);
	the_vm(&f, "b")->phase = VM_PLACED;
	check_is(&f, "c", 0, CHECK_ORDER, CHECK_FAIL);
	doc_begin(&f);
	order(&f, RULE_ANY_FIRST);
	doc_accept(&f);
	check_is(&f, "c", 0, CHECK_ORDER, CHECK_OK);
	doc_begin(&f);
	order(&f, RULE_ORDER)->strict = false;
	doc_accept(&f);
	check_is(&f, "c", 0, CHECK_ORDER, CHECK_FAIL); // it is on its way
	the_vm(&f, "b")->phase = VM_IDLE;
	the_vm(&f, "b")->owner = SLOT_NONE;
	check_is(&f, "c", 0, CHECK_ORDER, CHECK_OK); // it is not
	fixture_close(&f);
}

static void answers(struct fixture *f, const char *name, enum rule_up up, uint32_t value)
{
	struct entry entry = { .type = ENTRY_VM_REPORT, .vm_report = VM_REPORT_ANSWERS };

	entry.vm = the_vm(f, name)->ref;
	entry.attempt = the_vm(f, name)->attempt;
	entry.from = f->cluster.nodes[the_vm(f, name)->owner].def.id;
	entry.up = (uint8_t)up;
	entry.up_value = value;
	accept(f, entry);
}

// What the answer is about is counted, and as long as it runs there; not what was asked otherwise.
static void orders_wait_for_answers(void **state)
{
	struct rule_def *def;
	struct fixture f;

	(void)state;
	open_vms(&f);
	def = order(&f, RULE_ORDER);
	def->up = UP_TCP;
	def->up_value = 22;
	doc_accept(&f);
	runs_on(&f, "a", 1);
	runs_on(&f, "b", 1);
	check_is(&f, "c", 0, CHECK_ORDER, CHECK_FAIL);
	answers(&f, "a", UP_TCP, 22);
	answers(&f, "b", UP_TCP, 23);
	answers(&f, "b", UP_AGENT, 0);
	check_is(&f, "c", 0, CHECK_ORDER, CHECK_FAIL);
	assert_int_equal(rules_unanswered(&f.cluster, the_vm(&f, "a")), 0);
	assert_int_equal(rules_unanswered(&f.cluster, the_vm(&f, "b")), 1);
	answers(&f, "b", UP_TCP, 22);
	check_is(&f, "c", 0, CHECK_ORDER, CHECK_OK);
	// Defined anew as it was, nothing is asked again; about something else, it is.
	doc_begin(&f);
	def = order(&f, RULE_ORDER);
	def->up = UP_TCP;
	def->up_value = 22;
	doc_accept(&f);
	check_is(&f, "c", 0, CHECK_ORDER, CHECK_OK);
	doc_begin(&f);
	order(&f, RULE_ORDER)->up = UP_AGENT;
	doc_accept(&f);
	check_is(&f, "c", 0, CHECK_ORDER, CHECK_FAIL);
	answers(&f, "a", UP_AGENT, 0);
	answers(&f, "b", UP_AGENT, 0);
	check_is(&f, "c", 0, CHECK_ORDER, CHECK_OK);
	fixture_close(&f);
}

static void what_an_order_waits_for_is_named(void **state)
{
	char reason[REASON_SIZE], fix[REASON_SIZE];
	struct placement_load load;
	struct fixture f;

	(void)state;
	open_vms(&f);
	order(&f, RULE_ORDER)->up = UP_AGENT;
	doc_accept(&f);
	runs_on(&f, "a", 1);
	placement_load_init(&load, &f.cluster, everybody);
	placement_explain(&f.cluster, &load, the_vm(&f, "c"), reason, fix);
	assert_string_equal(reason, "rule r: it starts after 2 others, 0 of them up; b does not "
				    "run");
	runs_on(&f, "b", 1);
	answers(&f, "a", UP_AGENT, 0);
	placement_load_init(&load, &f.cluster, everybody);
	placement_explain(&f.cluster, &load, the_vm(&f, "c"), reason, fix);
	assert_string_equal(reason, "rule r: it starts after 2 others, 1 of them up; b: its guest "
				    "agent has not answered");
	assert_string_equal(fix, "give vm b <guest-agent/>, or drop rule r");
	f.cluster.defs[the_vm(&f, "b")->ref.slot].guest_agent = true;
	placement_explain(&f.cluster, &load, the_vm(&f, "c"), reason, fix);
	assert_string_equal(fix, "drop rule r");
	fixture_close(&f);
}

static void health_and_strategies(void **state)
{
	struct fixture f;

	(void)state;
	open_vms(&f);
	f.cluster.nodes[0].def.health = HEALTH_YELLOW;
	assert_int_equal(choose(&f, "a"), 0);
	f.cluster.def.policies.health = HEALTH_LEAVE_ON_RED;
	assert_int_equal(choose(&f, "a"), 1);
	f.cluster.def.policies.health = HEALTH_IGNORED;
	runs_on(&f, "b", 0);
	f.cluster.nodes[0].report.memory_mib = 16384;
	assert_int_equal(choose(&f, "a"), 1);
	f.cluster.def.policies.placement = PLACEMENT_MOST_FREE;
	assert_int_equal(choose(&f, "a"), 0);
	f.cluster.def.policies.placement = PLACEMENT_PACK;
	runs_on(&f, "b", 2);
	assert_int_equal(choose(&f, "a"), 2);
	f.cluster.def.policies.placement = PLACEMENT_CONFIGURED;
	f.cluster.nodes[1].report.cpus = 8;
	assert_int_equal(choose(&f, "a"), 1);
	// A node whose CPUs are promised beyond the ratio comes last.
	f.cluster.def.policies.placement = PLACEMENT_FEWEST_VMS;
	f.cluster.defs[the_vm(&f, "c")->ref.slot].cpus = 20;
	f.cluster.nodes[0].report.cpus = 4;
	f.cluster.def.policies.cpu_overcommit = 400;
	runs_on(&f, "d", 1);
	assert_int_equal(choose(&f, "c"), 1);
	// With a hard limit it does not come at all.
	f.cluster.nodes[1].report.cpus = f.cluster.nodes[2].report.cpus = 4;
	assert_int_not_equal(choose(&f, "c"), SLOT_NONE);
	f.cluster.def.policies.cpu_hard = true;
	assert_int_equal(choose(&f, "c"), SLOT_NONE);
	assert_int_equal(judged(&f, "c", 0).checks[CHECK_CPUS].verdict, CHECK_FAIL);
	fixture_close(&f);
}

// ---- random clusters

static uint64_t dice_state;

static uint32_t dice(uint32_t sides)
{
	dice_state += 0x9e3779b97f4a7c15u;
	return (uint32_t)((dice_state ^ dice_state >> 29) * 0xbf58476d1ce4e5b9u >> 33) % sides;
}

enum { VMS = 12 };

static void random_vms(struct fixture *f, bool backwards)
{
	doc_begin(f);
	for (int i = 0; i < VMS; i++) {
		char name[8];

		snprintf(name, sizeof(name), "vm%c", backwards ? 'a' + VMS - 1 - i : 'a' + i);
		doc_vm(f, name, "v1")->memory_mib = 128u << (name[2] % 3);
	}
	doc_accept(f);
	for (int i = 0; i < VMS; i++) {
		char name[8];
		struct entry entry;

		snprintf(name, sizeof(name), "vm%c", 'a' + i);
		entry = named(ENTRY_VM_WANT, name);
		entry.wanted = VM_WANTED_RUNNING;
		accept(f, entry);
		make_leases_ready(f, name);
	}
}

// The same rules for the same seed; defined forwards or backwards.
static void random_rules(struct fixture *f, bool backwards)
{
	struct rule_def swap;
	uint32_t count;

	doc_begin(f);
	count = 1 + dice(6);
	for (uint32_t i = 0; i < count; i++) {
		static const uint8_t kinds[] = { RULE_TOGETHER, RULE_APART, RULE_APART };
		char name[16];
		uint32_t first = dice(VMS), step = 1 + dice(4);
		struct rule_def *def;

		snprintf(name, sizeof(name), "r%u", i);
		def = doc_rule(f, name, (enum rule_kind)kinds[dice(3)]);
		def->strict = dice(4) != 0;
		for (uint32_t k = 0; k < 2 + dice(2); k++)
			rule_member(
				def, ROLE_MEMBER,
				(char[]){ 'v', 'm', (char)('a' + (first + k * step) % VMS), 0 });
	}
	for (uint32_t i = 0; backwards && i < count / 2; i++) {
		swap = f->rules[i];
		f->rules[i] = f->rules[count - 1 - i];
		f->rules[count - 1 - i] = swap;
	}
	doc_accept(f);
}

static void rules_hold(struct fixture *f)
{
	for (uint32_t r = 0; r < RULES_MAX; r++) {
		const struct rule_def *def = &f->cluster.rules[r].def;

		if (!f->cluster.rules[r].used || !def->strict)
			continue;
		for (uint32_t i = 0; i < def->member_count; i++) {
			for (uint32_t k = 0; k < i; k++) {
				uint8_t x = the_vm(f, def->members[i].name)->owner;
				uint8_t y = the_vm(f, def->members[k].name)->owner;

				if (x == SLOT_NONE || y == SLOT_NONE)
					continue;
				assert_true(def->kind == RULE_APART ? x != y : x == y);
			}
		}
	}
}

// One after another, as the coordinator's round does; rules hold after every single one.
static void place_all(struct fixture *f, uint8_t owners[VMS])
{
	bool moved = true;

	while (moved) {
		moved = false;
		for (int i = 0; i < VMS; i++) {
			char name[4] = { 'v', 'm', (char)('a' + i), 0 };
			uint8_t owner;

			if (the_vm(f, name)->owner != SLOT_NONE)
				continue;
			owner = choose(f, name);
			if (owner == SLOT_NONE)
				continue;
			runs_on(f, name, owner);
			moved = true;
			rules_hold(f);
		}
	}
	for (int i = 0; i < VMS; i++)
		owners[i] = the_vm(f, (char[]){ 'v', 'm', (char)('a' + i), 0 })->owner;
}

static void play(uint64_t seed, bool backwards, uint8_t owners[VMS])
{
	struct fixture f;

	dice_state = seed;
	fixture_open(&f, 16, 64, 16);
	fixture_cluster(&f);
	for (int i = 0; i < 3; i++)
		f.cluster.nodes[i].report.memory_mib = 512 + 256 * dice(6);
	random_vms(&f, backwards);
	random_rules(&f, backwards);
	place_all(&f, owners);
	fixture_close(&f);
}

static void strict_rules_hold_in_any_order_of_definition(void **state)
{
	uint32_t placed = 0, waiting = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 400; seed++) {
		uint8_t forwards[VMS], backwards[VMS];

		play(seed, false, forwards);
		play(seed, true, backwards);
		assert_memory_equal(forwards, backwards, VMS);
		for (int i = 0; i < VMS; i++)
			*(forwards[i] == SLOT_NONE ? &waiting : &placed) += 1;
	}
	assert_true(placed > 1000 && waiting > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(apart_strict_and_wished),
		cmocka_unit_test(together_is_transitive),
		cmocka_unit_test(a_group_needs_room_for_all),
		cmocka_unit_test(together_as_a_wish),
		cmocka_unit_test(followers_go_where_the_leader_is),
		cmocka_unit_test(attributes_bind_and_spread),
		cmocka_unit_test(orders_are_waited_for),
		cmocka_unit_test(orders_wait_for_answers),
		cmocka_unit_test(what_an_order_waits_for_is_named),
		cmocka_unit_test(health_and_strategies),
		cmocka_unit_test(strict_rules_hold_in_any_order_of_definition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
