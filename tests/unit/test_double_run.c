// SPDX-License-Identifier: Apache-2.0
// A VM of which a second process ran, without its lease.
#include "tests/unit/move_fixture.h"

// What its definition says of a second process that was ended elsewhere; said once, whoever says
// it.
static void a_double_run_is_answered_as_defined(void **state)
{
	static const struct {
		enum on_double_run policy;
		enum vm_phase phase;
		enum vm_wanted wanted;
	} rows[ON_DOUBLE_COUNT] = {
		{ ON_DOUBLE_KEEP, VM_RUNNING, VM_WANTED_RUNNING },
		{ ON_DOUBLE_RESTART, VM_RUNNING, VM_WANTED_RUNNING }, // its owner stops it
		{ ON_DOUBLE_STOP, VM_RUNNING, VM_WANTED_STOPPED },    // as this one
		{ ON_DOUBLE_BLOCK, VM_BLOCKED, VM_WANTED_RUNNING },
	};

	for (uint32_t i = 0; i < ON_DOUBLE_COUNT; i++) {
		if (i > 0) {
			end(state);
			begin(state);
		}
		f.cluster.defs[the_vm(&f, "web")->ref.slot].on_double_run = (uint8_t)rows[i].policy;
		vm_reports(&f, "web", 1, VM_REPORT_DOUBLE, ""); // the owner itself
		assert_int_equal(the_vm(&f, "web")->doubled_on, 0);
		vm_reports(&f, "web", 2, VM_REPORT_DOUBLE, "");
		vm_reports(&f, "web", 2, VM_REPORT_DOUBLE, "");
		assert_int_equal(the_vm(&f, "web")->doubled_on, 2);
		assert_int_equal(the_vm(&f, "web")->owner, 0);
		assert_int_equal(the_vm(&f, "web")->phase, rows[i].phase);
		assert_int_equal(the_vm(&f, "web")->wanted, rows[i].wanted);
		vm_reports(&f, "web", 1, VM_REPORT_STOPPED, "");
		assert_int_equal(the_vm(&f, "web")->doubled_on, 0);
		assert_int_equal(the_vm(&f, "web")->phase, VM_IDLE);
	}
}

static void the_end_of(uint8_t slot)
{
	lose(slot);
	the_node(&f, slot + 1u)->life = NODE_FENCED;
	accept(&f, fence(slot, ENTRY_NODE_RELEASED));
}

static bool placed_on(uint8_t slot)
{
	return place_one(&f, "web", slot, VM_PLACED) && the_vm(&f, "web")->phase == VM_PLACED;
}

// The one with the lease is lost; what is left of the other has no lease that a start would ask
// for.
static void it_starts_nowhere_while_a_stray_has_yet_to_end(void **state)
{
	struct entry remove = named(ENTRY_REMOVE, "web");

	remove.object = OBJECT_VM;
	for (int how = 0; how < 3; how++) {
		end(state);
		begin(state);
		vm_reports(&f, "web", 2, VM_REPORT_STUCK, "it does not end");
		assert_int_equal(the_vm(&f, "web")->phase, VM_RUNNING);
		assert_int_equal(the_vm(&f, "web")->strays, 2);
		lose(N1);
		prove_dead(N1);
		assert_int_equal(the_vm(&f, "web")->phase, VM_IDLE);
		assert_non_null(strstr(the_vm(&f, "web")->reason, "on n2 has yet to end"));
		assert_false(placed_on(N3));
		refused(&f, remove, "may-run", "yet to end");
		if (how == 0)
			the_end_of(N2);
		else if (how == 1)
			vm_reports(&f, "web", 2, VM_REPORT_DOUBLE, "");
		else
			lose(N2);
		assert_int_equal(placed_on(N3), how < 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_double_run_is_answered_as_defined, begin, end),
		cmocka_unit_test_setup_teardown(it_starts_nowhere_while_a_stray_has_yet_to_end,
						begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
