// SPDX-License-Identifier: Apache-2.0
// A VM of which a second process ran, without its lease.
#include "tests/unit/cluster_fixture.h"

static struct fixture f;

static int begin(void **state)
{
	(void)state;
	fixture_open(&f, 16, 4, 16);
	fixture_cluster(&f);
	doc_vm(&f, "web", "v1");
	doc_accept(&f);
	doc_begin(&f);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_close(&f);
	return 0;
}

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
		run_vm(&f, "web", 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_double_run_is_answered_as_defined, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
