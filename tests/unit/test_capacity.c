// SPDX-License-Identifier: Apache-2.0
// The proof that losses are stood: against every loss really tried on the same cluster, over all
// constraints.
#include "tests/unit/cluster_fixture.h"

#include "policies/capacity.h"
#include "policies/placement.h"

static struct fixture f;
static uint32_t list[16];

static int open_nodes(void **state)
{
	(void)state;
	fixture_open(&f, 16, 64, 16);
	fixture_cluster(&f);
	return 0;
}

static int close_nodes(void **state)
{
	(void)state;
	fixture_close(&f);
	return 0;
}

static void vm_on(const char *name, uint32_t mib, uint8_t slot)
{
	struct entry entry = named(ENTRY_VM_WANT, name);

	doc_begin(&f);
	doc_vm(&f, name, "v1")->memory_mib = mib;
	doc_accept(&f);
	entry.wanted = VM_WANTED_RUNNING;
	accept(&f, entry);
	make_leases_ready(&f, name);
	the_vm(&f, name)->phase = VM_RUNNING;
	the_vm(&f, name)->owner = slot;
}

static struct capacity_answer prove(uint32_t failures)
{
	struct capacity_answer answer;
	uint64_t before = cluster_digest(&f.cluster);

	capacity_prove(&f.cluster, 7, failures, list, &answer);
	assert_true(cluster_digest(&f.cluster) == before);
	return answer;
}

static void the_counter_example_is_named(void **state)
{
	struct capacity_answer answer;

	(void)state;
	for (int i = 0; i < 3; i++)
		f.cluster.nodes[i].report.memory_mib = 1024;
	vm_on("a", 500, 0);
	vm_on("b", 500, 1);
	answer = prove(1);
	assert_true(answer.tolerates);
	assert_int_equal(answer.tried, 3);
	assert_true(prove(2).tolerates); // one node holds both
	vm_on("big", 900, 2);
	answer = prove(1);
	assert_false(answer.tolerates);
	assert_int_equal(answer.failed[0], 2);
	assert_int_equal(answer.failed[1], SLOT_NONE);
	assert_string_equal(answer.vm, "big");
	assert_int_equal(answer.homeless, 1);
	assert_non_null(strstr(answer.reason, "n1"));
	assert_null(strstr(answer.reason, "n3"));
	assert_true(answer.fix[0]);
}

static void two_failures(void **state)
{
	struct capacity_answer answer;

	(void)state;
	for (int i = 0; i < 3; i++)
		f.cluster.nodes[i].report.memory_mib = 1024;
	vm_on("a", 500, 0);
	vm_on("b", 500, 1);
	vm_on("c", 500, 2);
	assert_true(prove(1).tolerates);
	answer = prove(2);
	assert_false(answer.tolerates);
	assert_int_equal(answer.failed[0], 0);
	assert_int_equal(answer.failed[1], 1);
}

// Fewer nodes than are to fail: then it is the loss of all that are there.
static void fewer_nodes_than_failures(void **state)
{
	struct capacity_answer answer;

	(void)state;
	capacity_prove(&f.cluster, 1, 2, list, &answer);
	assert_true(answer.tolerates); // nothing runs
	assert_int_equal(answer.tried, 1);
	vm_on("a", 500, 0);
	capacity_prove(&f.cluster, 1, 2, list, &answer);
	assert_false(answer.tolerates);
	assert_int_equal(answer.tried, 1);
	assert_int_equal(answer.failed[0], 0);
	assert_int_equal(answer.failed[1], SLOT_NONE);
	assert_string_equal(answer.vm, "a");
	capacity_prove(&f.cluster, 0, 2, list, &answer);
	assert_int_equal(answer.tried, 0);
}

static void nobody_is_left(void **state)
{
	struct capacity_answer answer;

	(void)state;
	vm_on("a", 500, 0);
	for (int i = 1; i < 3; i++)
		f.cluster.nodes[i].life = NODE_EXPIRING;
	capacity_prove(&f.cluster, 1, 1, list, &answer);
	assert_false(answer.tolerates);
	assert_string_equal(answer.reason, "no other node is left");
}

// What keeps a VM off a node for another reason than memory counts, too.
static void over_all_constraints(void **state)
{
	struct rule_def *def;

	(void)state;
	vm_on("a", 100, 0);
	vm_on("b", 100, 1);
	assert_true(prove(1).tolerates);
	the_vm(&f, "a")->possible = 3;
	f.cluster.nodes[1].maintenance = true;
	assert_false(prove(1).tolerates);
	f.cluster.nodes[1].maintenance = false;
	assert_true(prove(1).tolerates);
	doc_begin(&f);
	def = doc_rule(&f, "r", RULE_APART);
	rule_member(def, ROLE_MEMBER, "a");
	rule_member(def, ROLE_MEMBER, "b");
	doc_accept(&f);
	assert_false(prove(1).tolerates);
	the_vm(&f, "a")->possible = 7;
	assert_true(prove(1).tolerates);
	doc_begin(&f);
	def = doc_rule(&f, "o", RULE_ORDER);
	rule_member(def, ROLE_FIRST, "a");
	rule_member(def, ROLE_THEN, "b");
	doc_accept(&f);
	the_vm(&f, "a")->owner = the_vm(&f, "b")->owner;
	the_vm(&f, "b")->owner = 2;
	assert_true(prove(1).tolerates); // a start that comes later is a home
	// A VM that has no home as it is does not speak against the nodes.
	the_vm(&f, "a")->phase = VM_IDLE;
	the_vm(&f, "a")->owner = SLOT_NONE;
	the_vm(&f, "a")->possible = 1;
	assert_true(prove(1).tolerates);
	the_vm(&f, "b")->wanted = VM_WANTED_STOPPED;
	assert_true(prove(1).tolerates);
}

// What was only just defined is counted where it would go.
static void what_asks_is_settled_first(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		f.cluster.nodes[i].report.memory_mib = 1024;
	vm_on("a", 600, 0);
	vm_on("b", 600, 1);
	vm_on("new", 600, SLOT_NONE);
	the_vm(&f, "new")->phase = VM_IDLE;
	assert_true(prove(1).tolerates);
	capacity_settle(&f.cluster, 7, list);
	assert_int_equal(the_vm(&f, "new")->owner, 2);
	assert_false(prove(1).tolerates);
}

static uint64_t dice_state;

static uint32_t dice(uint32_t sides)
{
	dice_state += 0x9e3779b97f4a7c15u;
	return (uint32_t)((dice_state ^ dice_state >> 29) * 0xbf58476d1ce4e5b9u >> 33) % sides;
}

// The loss, really applied: the node's VMs have no owner, and are placed one after another.
static bool loss_is_stood(uint8_t node)
{
	struct placement_load load;
	uint32_t count = 0;

	f.cluster.nodes[node].life = NODE_DEAD;
	for (uint32_t slot = 0; slot < f.cluster.vm_high; slot++) {
		struct vm *vm = &f.cluster.vms[slot];

		if (!vm->used || vm->owner != node)
			continue;
		vm->owner = SLOT_NONE;
		vm->phase = VM_IDLE;
		list[count++] = slot;
	}
	placement_sort(&f.cluster, list, count);
	placement_load_init(&load, &f.cluster, 7 & ~(1u << node));
	for (uint32_t i = 0; i < count; i++) {
		const struct vm *vm = &f.cluster.vms[list[i]];
		uint8_t home = placement_choose(&f.cluster, &load, vm);

		if (home == SLOT_NONE)
			return false;
		placement_load_add(&load, &f.cluster, vm, home);
	}
	return true;
}

static void random_cluster(uint64_t seed)
{
	dice_state = seed;
	for (int i = 0; i < 3; i++)
		f.cluster.nodes[i].report.memory_mib = 400 + dice(400);
	for (int i = 0; i < 6; i++) {
		char name[16];

		snprintf(name, sizeof(name), "vm%d", i);
		vm_on(name, 50 + dice(200), (uint8_t)dice(3));
		if (dice(3) == 0)
			the_vm(&f, name)->possible = 1u << the_vm(&f, name)->owner | dice(8);
	}
}

static void the_proof_is_what_would_happen(void **state)
{
	uint32_t stood = 0, fell = 0;

	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct capacity_answer answer;
		bool all = true;

		close_nodes(state);
		open_nodes(state);
		random_cluster(seed);
		answer = prove(1);
		for (uint8_t node = 0; node < 3 && all; node++) {
			close_nodes(state);
			open_nodes(state);
			random_cluster(seed);
			all = loss_is_stood(node);
			if (!all)
				assert_int_equal(answer.failed[0], node);
		}
		assert_int_equal(answer.tolerates, all);
		*(all ? &stood : &fell) += 1;
	}
	assert_true(stood > 20 && fell > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_counter_example_is_named, open_nodes,
						close_nodes),
		cmocka_unit_test_setup_teardown(two_failures, open_nodes, close_nodes),
		cmocka_unit_test_setup_teardown(fewer_nodes_than_failures, open_nodes, close_nodes),
		cmocka_unit_test_setup_teardown(nobody_is_left, open_nodes, close_nodes),
		cmocka_unit_test_setup_teardown(over_all_constraints, open_nodes, close_nodes),
		cmocka_unit_test_setup_teardown(what_asks_is_settled_first, open_nodes,
						close_nodes),
		cmocka_unit_test_setup_teardown(the_proof_is_what_would_happen, open_nodes,
						close_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
