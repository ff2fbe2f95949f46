// SPDX-License-Identifier: Apache-2.0
// Where a VM may run: every check alone keeps it off a node, and the same question has the same
// answer.
#include "tests/unit/cluster_fixture.h"

#include "policies/placement.h"

static const uint64_t everybody = 7;

static void three_vms(struct fixture *f)
{
	static const char *const names[] = { "a", "b", "c" };

	fixture_open(f, 8, 16, 8);
	fixture_cluster(f);
	for (int i = 0; i < 3; i++)
		doc_vm(f, names[i], "v1");
	doc_accept(f);
	for (int i = 0; i < 3; i++) {
		struct entry entry = named(ENTRY_VM_WANT, names[i]);

		entry.wanted = VM_WANTED_RUNNING;
		accept(f, entry);
		make_leases_ready(f, names[i]);
	}
}

static bool feasible(struct fixture *f, uint64_t present, const char *name, uint8_t slot,
		     enum placement_check expected)
{
	char reason[REASON_SIZE] = "", fix[REASON_SIZE] = "";
	struct placement_load load;
	struct placement_node row;

	placement_load_init(&load, &f->cluster, present);
	placement_judge(&f->cluster, &load, the_vm(f, name), slot, &row);
	for (uint32_t i = 0; i < PLACEMENT_CHECK_COUNT; i++) {
		bool failed = row.checks[i].verdict == CHECK_FAIL;

		assert_int_equal(failed, i == (uint32_t)expected);
		if (!failed)
			continue;
		placement_explain_check(&f->cluster, the_vm(f, name), slot, &row.checks[i], reason,
					fix);
		assert_true(reason[0] && fix[0]);
	}
	return row.feasible;
}

static uint8_t choose(struct fixture *f, uint64_t present, const char *name)
{
	struct placement_load load;

	placement_load_init(&load, &f->cluster, present);
	return placement_choose(&f->cluster, &load, the_vm(f, name));
}

static void every_check_alone_keeps_it_off(void **state)
{
	struct fixture f;
	struct cluster_node *node;
	struct vm *vm;

	(void)state;
	three_vms(&f);
	node = &f.cluster.nodes[1];
	vm = the_vm(&f, "a");
	assert_true(feasible(&f, everybody, "a", 1, PLACEMENT_CHECK_COUNT));
	assert_false(feasible(&f, everybody & ~2u, "a", 1, CHECK_NODE_ONLINE));
	node->life = NODE_LOST;
	assert_false(feasible(&f, everybody, "a", 1, CHECK_NODE_ONLINE));
	node->life = NODE_ONLINE;
	node->report.leaving = true;
	assert_false(feasible(&f, everybody, "a", 1, CHECK_NODE_ONLINE));
	node->report.leaving = false;
	node->managed = false;
	assert_false(feasible(&f, everybody, "a", 1, CHECK_NODE_MANAGED));
	node->managed = true;
	node->maintenance = true;
	assert_false(feasible(&f, everybody, "a", 1, CHECK_NODE_MAINTENANCE));
	node->maintenance = false;
	vm->possible = 5;
	assert_false(feasible(&f, everybody, "a", 1, CHECK_POSSIBLE_OWNER));
	vm->possible = 2;
	assert_true(feasible(&f, everybody, "a", 1, PLACEMENT_CHECK_COUNT));
	vm->possible = 0;
	node->report.qemu = false;
	assert_false(feasible(&f, everybody, "a", 1, CHECK_EMULATOR));
	node->report.qemu = true;
	node->report.volumes[0].joined = false;
	assert_false(feasible(&f, everybody, "a", 1, CHECK_VOLUMES));
	node->report.volumes[0].joined = true;
	node->report.volumes[0].state = VOLUME_LOST;
	assert_false(feasible(&f, everybody, "a", 1, CHECK_VOLUMES));
	node->report.volumes[0].state = VOLUME_SLOW;
	node->report.volumes[1].state = VOLUME_LOST;	// not its own
	assert_true(feasible(&f, everybody, "a", 1, PLACEMENT_CHECK_COUNT));
	node->report.memory_mib = 127;
	assert_false(feasible(&f, everybody, "a", 1, CHECK_MEMORY));
	node->report.memory_mib = 128;
	assert_true(feasible(&f, everybody, "a", 1, PLACEMENT_CHECK_COUNT));
	vm->failed_on = 2;
	assert_false(feasible(&f, everybody, "a", 1, CHECK_FAILURES));
	fixture_close(&f);
}

// Nothing is remembered from question to question: not a place, not that there was none.
static void the_same_question_has_the_same_answer(void **state)
{
	struct fixture f;
	uint8_t first;

	(void)state;
	three_vms(&f);
	assert_int_equal(choose(&f, 0, "a"), SLOT_NONE);
	first = choose(&f, everybody, "a");
	assert_int_equal(first, 0);
	assert_int_equal(choose(&f, 4, "a"), 2);
	assert_int_equal(choose(&f, 0, "a"), SLOT_NONE);
	assert_int_equal(choose(&f, everybody, "a"), first);
	the_vm(&f, "b")->possible = 2;
	assert_int_equal(choose(&f, everybody, "b"), 1);
	assert_int_equal(choose(&f, everybody, "a"), first);
	fixture_close(&f);
}

static void the_order_is_tier_then_load_then_name(void **state)
{
	struct fixture f;

	(void)state;
	three_vms(&f);
	assert_true(place_one(&f, "a", 0, VM_PLACED));
	assert_int_equal(choose(&f, everybody, "b"), 1);
	assert_true(place_one(&f, "b", 1, VM_PLACED));
	assert_int_equal(choose(&f, everybody, "c"), 2);
	the_vm(&f, "c")->tiers[0] = 2;
	assert_int_equal(choose(&f, everybody, "c"), 1);
	the_vm(&f, "c")->tiers[0] = 0;
	the_vm(&f, "c")->tiers[1] = 1;
	assert_int_equal(choose(&f, everybody, "c"), 0);
	fixture_close(&f);
}

static void a_round_sees_itself(void **state)
{
	static const char *const names[] = { "a", "b", "c" };
	struct placement_load load;
	struct fixture f;

	(void)state;
	three_vms(&f);
	placement_load_init(&load, &f.cluster, everybody);
	for (uint8_t i = 0; i < 3; i++) {
		const struct vm *vm = the_vm(&f, names[i]);

		assert_int_equal(placement_choose(&f.cluster, &load, vm), i);
		placement_load_add(&load, &f.cluster, vm, i);
	}
	// And its memory: what fits once does not fit twice.
	for (int i = 0; i < 3; i++)
		f.cluster.nodes[i].report.memory_mib = 200;
	assert_int_equal(placement_choose(&f.cluster, &load, the_vm(&f, "a")), SLOT_NONE);
	fixture_close(&f);
}

// In place as long as it may be tried there, then elsewhere, then nowhere.
// Who goes first among equals is their names' business, not that of who was defined first.
static void equals_go_by_name(void **state)
{
	static const char *const orders[2][3] = { { "a", "b", "c" }, { "c", "b", "a" } };

	(void)state;
	for (int turn = 0; turn < 2; turn++) {
		uint32_t list[3] = { 0, 1, 2 };
		struct fixture f;

		fixture_open(&f, 8, 16, 8);
		fixture_cluster(&f);
		for (int i = 0; i < 3; i++) {
			doc_vm(&f, orders[turn][i], "v1");
			doc_accept(&f);
			doc_begin(&f);
		}
		placement_sort(&f.cluster, list, 3);
		for (int i = 0; i < 3; i++)
			assert_string_equal(f.cluster.defs[list[i]].name, orders[0][i]);
		fixture_close(&f);
	}
}

static void a_failed_vm_moves_on(void **state)
{
	struct fixture f;
	struct vm *vm;

	(void)state;
	three_vms(&f);
	vm = the_vm(&f, "a");
	vm->last_owner = 2;
	vm->restarts = 1;
	assert_int_equal(choose(&f, everybody, "a"), 2);
	vm->failed_on = 4;
	assert_int_equal(choose(&f, everybody, "a"), 0);
	assert_false(placement_spent(&f.cluster, vm, 0));
	vm->possible = 4;
	assert_true(placement_spent(&f.cluster, vm, 0));
	vm->possible = 0;
	vm->failed_on = 7;
	assert_int_equal(choose(&f, everybody, "a"), SLOT_NONE);
	assert_true(placement_spent(&f.cluster, vm, 0));
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_check_alone_keeps_it_off),
		cmocka_unit_test(the_same_question_has_the_same_answer),
		cmocka_unit_test(the_order_is_tier_then_load_then_name),
		cmocka_unit_test(a_round_sees_itself),
		cmocka_unit_test(equals_go_by_name),
		cmocka_unit_test(a_failed_vm_moves_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
