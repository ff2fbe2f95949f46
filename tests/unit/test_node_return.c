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

// It runs here, and was told so a moment ago; then this node was given up for a while, and the VM
// was placed elsewhere. That it runs is told anew, ahead of what this node says of itself.
static void what_runs_is_told_anew_after_a_loss(void **state)
{
	struct vm_local *local;
	struct entry entry;

	(void)state;
	doc_vm(&f, "web", "v1");
	doc_accept(&f);
	run_vm(&f, "web", 0);
	seen_by(2);
	tick(0); // its lives are begun
	local = &node->locals[the_vm(&f, "web")->ref.slot];
	*local = (struct vm_local){
		.ref = the_vm(&f, "web")->ref,
		.uuid = vm_definition(&f.cluster, the_vm(&f, "web"))->uuid,
		.life = LIFE_RUNNING,
		.executed = true,
		.sanlock_epoch = node->sanlock_epoch,
		.continued = true,
		.claim = the_vm(&f, "web")->attempt,
		.attempt = the_vm(&f, "web")->attempt,
		.deadline_ms = UINT64_MAX,
		.reported_ms = now_ms,
		.told_attempt = the_vm(&f, "web")->attempt,
		.told_view = view_number(node->view),
	};
	assert_true(local_told(node));

	accept(&f, about_node(ENTRY_NODE_LOST, 1));
	accept(&f, about_node(ENTRY_NODE_EXPIRING, 1));
	assert_true(place_one(&f, "web", 1, VM_PLACED));
	seen_by(2);
	assert_false(local_told(node));
	tick(100);
	assert_true(proposed(ENTRY_VM_REPORT, &entry));
	assert_int_equal(entry.vm_report, VM_REPORT_FOUND);
	assert_true(local_told(node));

	// In another view nobody knows whether that was heard; it matters while this node's own
	// report waits for it.
	node_of_self(node)->reported = false;
	node->view->number++;
	assert_false(local_told(node));
	tick(100);
	assert_true(proposed(ENTRY_VM_REPORT, &entry));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_found_on_a_return_is_not_placed, open_world,
						close_world),
		cmocka_unit_test_setup_teardown(what_runs_is_told_anew_after_a_loss, open_world,
						close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
