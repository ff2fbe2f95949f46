// SPDX-License-Identifier: Apache-2.0
// Planned shutdowns of hosts: whose VMs are bound to them, and until when they wait.
#include "tests/unit/cluster_fixture.h"

#include "policies/placement.h"
#include "policies/shutdown.h"

enum { N1, N2, N3, EVERY = 7 };
enum { LEFT_MS = 1000000 };

static struct fixture f;

static int begin(void **state)
{
	(void)state;
	fixture_open(&f, 16, 16, 16);
	fixture_cluster(&f);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_close(&f);
	return 0;
}

static void which_shutdowns_bind(void **state)
{
	static const bool binds[SHUTDOWN_POLICY_COUNT][HOST_LEAVING_COUNT] = {
		[SHUTDOWN_CONDITIONAL] = { [LEAVING_REBOOT] = true },
		[SHUTDOWN_FREEZE] = { [LEAVING_OFF] = true, [LEAVING_REBOOT] = true },
	};

	(void)state;
	for (int policy = 0; policy < SHUTDOWN_POLICY_COUNT; policy++)
		for (int leaving = 0; leaving < HOST_LEAVING_COUNT; leaving++)
			assert_int_equal(shutdown_binds(policy, leaving), binds[policy][leaving]);
}

static void every_input_has_an_answer(void **state)
{
	(void)state;
	for (uint32_t bits = 0; bits < 64; bits++) {
		struct bound_facts facts = {
			.down = bits & 1,
			.coming = bits & 2,
			.closed = bits & 4,
			.patient = bits & 8,
			.reboot_late = bits & 16,
			.return_late = bits & 32,
		};
		struct bound_answer answer = bound_decide(&facts);
		bool waits = !facts.closed && (facts.down ? facts.patient || !facts.reboot_late
							  : facts.coming && !facts.return_late);

		assert_null(strstr(answer.reason, "no row"));
		assert_int_equal(answer.waits, waits);
	}
}

// vm "web" runs on n1, which goes down in that way and says goodbye.
static void web_goes_down(enum shutdown_policy policy, enum host_leaving leaving)
{
	struct entry report = about_node(ENTRY_NODE_REPORT, 1);
	struct entry goodbye = about_node(ENTRY_NODE_GOODBYE, 1);

	doc_vm(&f, "web", "v1");
	doc_accept(&f);
	doc_begin(&f);
	run_vm(&f, "web", N1);
	f.cluster.def.policies.shutdown = (uint8_t)policy;
	report.from = 1;
	report.report = the_node(&f, 1)->report;
	report.report.leaving = (uint8_t)leaving;
	accept(&f, report);
	vm_reports(&f, "web", 1, VM_REPORT_STOPPED, "its host shuts down");
	assert_int_equal(the_vm(&f, "web")->phase, VM_IDLE);
	goodbye.from = 1;
	accept(&f, goodbye);
	assert_int_equal(the_node(&f, 1)->life, NODE_LEFT);
	the_node(&f, 1)->since_ms = LEFT_MS;
}

static bool waits_at(uint64_t wall_ms)
{
	uint64_t left_ms;

	return bound_waits(&f.cluster, the_vm(&f, "web"), wall_ms, &left_ms);
}

static uint8_t chosen(void)
{
	struct placement_load load;

	placement_load_init(&load, &f.cluster, EVERY);
	return placement_choose(&f.cluster, &load, the_vm(&f, "web"));
}

static void a_reboot_is_waited_for(void **state)
{
	uint64_t left_ms;

	(void)state;
	web_goes_down(SHUTDOWN_CONDITIONAL, LEAVING_REBOOT);
	assert_int_equal(the_vm(&f, "web")->bound_to, N1);
	assert_true(bound_waits(&f.cluster, the_vm(&f, "web"), LEFT_MS, &left_ms));
	assert_int_equal(left_ms, REBOOT_LIMIT_MS);
	assert_true(waits_at(0)); // a clock that is behind
	assert_true(waits_at(LEFT_MS + REBOOT_LIMIT_MS - 1));
	assert_false(waits_at(LEFT_MS + REBOOT_LIMIT_MS));
	assert_int_not_equal(chosen(), N1);
}

static void a_power_off_is_not(void **state)
{
	(void)state;
	web_goes_down(SHUTDOWN_CONDITIONAL, LEAVING_OFF);
	assert_int_equal(the_vm(&f, "web")->bound_to, SLOT_NONE);
	assert_false(waits_at(LEFT_MS));
}

static void frozen_vms_wait_for_ever(void **state)
{
	uint64_t left_ms;

	(void)state;
	web_goes_down(SHUTDOWN_FREEZE, LEAVING_OFF);
	assert_true(bound_waits(&f.cluster, the_vm(&f, "web"), UINT64_MAX, &left_ms));
	assert_int_equal(left_ms, UINT64_MAX);
	the_node(&f, 1)->maintenance = true;
	assert_false(waits_at(LEFT_MS));
}

static void its_host_gets_it_back(void **state)
{
	struct node_report report;

	(void)state;
	web_goes_down(SHUTDOWN_FREEZE, LEAVING_OFF);
	report = the_node(&f, 1)->report;
	report.leaving = LEAVING_NOT;
	the_node(&f, 1)->life = NODE_ONLINE;
	assert_true(waits_at(LEFT_MS));
	assert_false(waits_at(LEFT_MS + RETURN_LIMIT_MS));
	the_node(&f, 1)->report = report;
	the_node(&f, 1)->reported = true;
	assert_false(waits_at(LEFT_MS));
	assert_int_equal(chosen(), N1);
	// Whatever becomes of it there: the next failure is like any other.
	assert_true(place_one(&f, "web", N1, VM_PLACED));
	assert_int_equal(the_vm(&f, "web")->bound_to, SLOT_NONE);
}

static void who_wants_it_elsewhere_says_so(void **state)
{
	struct entry want = named(ENTRY_VM_WANT, "web");

	(void)state;
	web_goes_down(SHUTDOWN_FREEZE, LEAVING_REBOOT);
	want.wanted = VM_WANTED_RUNNING;
	accept(&f, want);
	assert_false(waits_at(LEFT_MS));
	assert_int_not_equal(chosen(), N1);
}

static void a_lost_host_is_not_waited_for(void **state)
{
	(void)state;
	web_goes_down(SHUTDOWN_FREEZE, LEAVING_REBOOT);
	the_node(&f, 1)->life = NODE_LOST;
	assert_false(waits_at(LEFT_MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_shutdowns_bind),
		cmocka_unit_test(every_input_has_an_answer),
		cmocka_unit_test_setup_teardown(a_reboot_is_waited_for, begin, end),
		cmocka_unit_test_setup_teardown(a_power_off_is_not, begin, end),
		cmocka_unit_test_setup_teardown(frozen_vms_wait_for_ever, begin, end),
		cmocka_unit_test_setup_teardown(its_host_gets_it_back, begin, end),
		cmocka_unit_test_setup_teardown(who_wants_it_elsewhere_says_so, begin, end),
		cmocka_unit_test_setup_teardown(a_lost_host_is_not_waited_for, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
