// SPDX-License-Identifier: Apache-2.0
// A node that was lost, and speaks again before it counts as back.
#include "tests/unit/node_steps_world.h"

// Found where it runs, a VM is not placed elsewhere as long as that host is there.
static void what_is_found_on_a_return_is_not_placed(void **state)
{
	struct entry entry;

	(void)state;
	doc_vm(&f, "web", "v1");
	doc_accept(&f);
	run_vm(&f, "web", 2);
	accept(&f, about_node(ENTRY_NODE_LOST, 3));
	accept(&f, about_node(ENTRY_NODE_EXPIRING, 3));
	assert_true(place_one(&f, "web", 1, VM_PLACED));
	vm_reports(&f, "web", 3, VM_REPORT_FOUND, "");
	assert_int_equal(the_vm(&f, "web")->owner, 2);
	assert_int_equal(the_node(&f, 3)->life, NODE_EXPIRING);

	seen_by(1);
	node->view->members[2].takes_part = node->view->members[2].copied = false;
	tick(0);
	assert_false(proposed(ENTRY_PLACE, &entry));

	// It is gone again, before it was back.
	view_give(3);
	node->view->coordinator = 1;
	node->view->members[2].takes_part = node->view->members[2].copied = false;
	tick(0);
	assert_true(proposed(ENTRY_PLACE, &entry));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_found_on_a_return_is_not_placed, open_world,
						close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
