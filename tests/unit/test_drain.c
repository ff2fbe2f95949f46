// SPDX-License-Identifier: Apache-2.0
// Emptying a node: the plan, and the coordinator that carries it out on hosts that do what they are
// asked for.
#include "tests/unit/round_fixture.h"

#include "policies/drain.h"

struct expected {
	const char *vm;
	enum drain_step_kind kind;
	enum move_kind method;
	uint8_t target;
	const char *words; // in the reason
};

static void check_plan(uint8_t node, const struct expected *expected, size_t count)
{
	uint32_t order[16];
	struct placement_load load;
	struct drain_plan plan;
	struct drain_step step;

	placement_load_init(&load, &f.cluster, EVERY);
	drain_plan_init(&plan, &f.cluster, node, &load, order);
	for (size_t i = 0; i < count; i++) {
		assert_true(drain_plan_next(&plan, &step));
		assert_string_equal(vm_definition(&f.cluster, step.vm)->name, expected[i].vm);
		assert_int_equal(step.kind, expected[i].kind);
		if (step.kind == DRAIN_STEP_MOVE) {
			assert_int_equal(step.method, expected[i].method);
			assert_int_equal(step.target, expected[i].target);
		}
		if (!strstr(step.reason, expected[i].words))
			fail_msg("%s: \"%s\" does not say \"%s\"", expected[i].vm, step.reason,
				 expected[i].words);
		assert_true(step.kind != DRAIN_STEP_BLOCKED || step.fix[0]);
	}
	assert_false(drain_plan_next(&plan, &step));
}

#define CHECK_PLAN(node, ...)                                                                      \
	do {                                                                                       \
		const struct expected rows[] = { __VA_ARGS__ };                                    \
		check_plan(node, rows, sizeof(rows) / sizeof(rows[0]));                            \
	} while (0)

static void each_vm_leaves_as_it_is_defined(void **state)
{
	(void)state;
	define("live", 0, 100);
	define("low", -1, 100);
	define("quick", 0, 100)->on_drain = ON_DRAIN_QUICK;
	define("cold", 9, 100)->on_drain = ON_DRAIN_COLD;
	define("stay", 5, 100)->on_drain = ON_DRAIN_STAY;
	define("off", 7, 100)->on_drain = ON_DRAIN_SHUTDOWN;
	run_all(N1);
	CHECK_PLAN(N1, { "cold", DRAIN_STEP_MOVE, MOVE_COLD, N2, "cold" },
		   { "off", DRAIN_STEP_MOVE, MOVE_COLD, SLOT_NONE, "shut down" },
		   { "stay", DRAIN_STEP_BLOCKED, 0, 0, "on-drain=\"stay\"" },
		   { "live", DRAIN_STEP_MOVE, MOVE_LIVE, N3, "" },
		   { "quick", DRAIN_STEP_MOVE, MOVE_QUICK, N2, "quick" },
		   { "low", DRAIN_STEP_MOVE, MOVE_QUICK, N3, "priority is low" });
}

// What earlier steps will use there counts for the later ones.
static void every_step_counts_for_the_next(void **state)
{
	(void)state;
	define("a", 3, 5000);
	define("b", 2, 5000);
	define("c", 1, 5000);
	define("d", 0, 3000);
	run_all(N1);
	CHECK_PLAN(N1, { "a", DRAIN_STEP_MOVE, MOVE_LIVE, N2, "" },
		   { "b", DRAIN_STEP_MOVE, MOVE_LIVE, N3, "" },
		   { "c", DRAIN_STEP_BLOCKED, 0, 0, "needs 5000 MiB, 3192 MiB free on n2" },
		   { "d", DRAIN_STEP_MOVE, MOVE_LIVE, N2, "" });
}

static void what_is_under_way_is_waited_for(void **state)
{
	struct entry want = named(ENTRY_VM_WANT, "b"), move = named(ENTRY_MOVE_REQUEST, "a");
	struct entry leave = named(ENTRY_VM_MANAGE, "c");

	(void)state;
	define("a", 3, 100);
	define("b", 2, 100);
	define("c", 1, 100);
	run_all(N1);
	move.actor = N3;
	accept(&f, move);
	accept(&f, want);
	accept(&f, leave);
	CHECK_PLAN(N1, { "a", DRAIN_STEP_WAIT, 0, 0, "being moved" },
		   { "b", DRAIN_STEP_WAIT, 0, 0, "being stopped" },
		   { "c", DRAIN_STEP_BLOCKED, 0, 0, "unmanaged" });
}

static void past(uint32_t id, enum move_outcome outcome, uint64_t rate, uint64_t dirty)
{
	struct past_move *one = &f.cluster.past_moves[f.cluster.past_move++];

	one->id = id;
	text_copy(one->vm, sizeof(one->vm), "a");
	one->kind = MOVE_LIVE;
	one->outcome = (uint8_t)outcome;
	one->fact.rate = rate;
	one->fact.dirty_rate = dirty;
}

static void what_live_does_not_end_goes_quick(void **state)
{
	(void)state;
	define("a", 0, 100);
	run_all(N1);
	past(1, MOVE_STAYED, 300, 100);
	CHECK_PLAN(N1, { "a", DRAIN_STEP_MOVE, MOVE_LIVE, N2, "" });
	past(2, MOVE_STAYED, 300, 900);
	CHECK_PLAN(N1, { "a", DRAIN_STEP_MOVE, MOVE_QUICK, N2, "would not end" });
	past(3, MOVE_DONE, 300, 100);
	past(4, MOVE_STAYED, 300, 100);
	past(5, MOVE_STAYED, 300, 100);
	CHECK_PLAN(N1, { "a", DRAIN_STEP_MOVE, MOVE_LIVE, N2, "" });
	past(6, MOVE_STAYED, 300, 100);
	CHECK_PLAN(N1, { "a", DRAIN_STEP_MOVE, MOVE_QUICK, N2, "have failed" });
}

static void a_second_drain_needs_quorum_and_room(void **state)
{
	char reason[REASON_SIZE] = "", fix[REASON_SIZE] = "";
	uint32_t order[16];

	(void)state;
	define("a", 0, 6000);
	run_all(N2);
	define("b", 0, 6000);
	run_all(N3);
	assert_true(drain_allowed(&f.cluster, N2, EVERY, order, reason, fix));
	the_node(&f, 1)->maintenance = true;
	assert_false(drain_allowed(&f.cluster, N2, EVERY, order, reason, fix));
	assert_string_equal(reason, "n1 is in maintenance: of 3 voters 1 would be left, and a "
				    "quorum needs 2");
	assert_string_equal(fix, "clustadm node maintenance n1 off");
	f.cluster.voters.count = 1; // n1 alone votes: then the rest needs room
	f.cluster.voters.list[0].id = 3;
	assert_false(drain_allowed(&f.cluster, N2, EVERY, order, reason, fix));
	assert_non_null(strstr(reason, "vm a would have nowhere to go"));
}

static void count_begun(void *context, const struct whatif_line *line)
{
	(void)context;
	begun += line->step == WHATIF_PLACE;
}

static void play(void)
{
	static uint8_t buf[1 << 20];
	const uint32_t ids[] = { 1, 2, 3 };
	size_t size = cluster_encode(&f.cluster, buf, sizeof(buf));

	memory = calloc(1, whatif_memory(&f.cluster.limits));
	assert_true(whatif_init(&whatif, &f.cluster.limits, memory, buf, size, ids, 3));
	whatif.say = count_begun;
}

static const struct cluster_node *node_then(uint8_t slot)
{
	return &whatif_cluster(&whatif)->nodes[slot];
}

static const struct vm *vm_then(const char *name)
{
	return cluster_find_vm(whatif_cluster(&whatif), name);
}

static void drain(uint8_t slot, enum drain_verb verb, bool come_back)
{
	struct entry entry = named(ENTRY_NODE_DRAIN, node_then(slot)->def.name);
	struct entry_result result;

	entry.drain_verb = (uint8_t)verb;
	entry.flag = come_back;
	whatif_commit(&whatif, &entry, &result);
	if (!result.accepted)
		fail_msg("refused: %s", result.reason);
	whatif_run(&whatif);
}

static void a_node_is_emptied_and_filled_again(void **state)
{
	(void)state;
	define("live", 0, 100);
	define("quick", 0, 100)->on_drain = ON_DRAIN_QUICK;
	define("cold", 9, 100)->on_drain = ON_DRAIN_COLD;
	define("off", 7, 100)->on_drain = ON_DRAIN_SHUTDOWN;
	run_all(N1);
	play();
	drain(N1, DRAIN_ON, false);
	assert_int_equal(node_then(N1)->drain, DRAIN_DRAINED);
	assert_int_equal(begun, 3);
	assert_int_not_equal(vm_then("live")->owner, N1);
	assert_int_equal(vm_then("live")->phase, VM_RUNNING);
	assert_int_equal(vm_then("live")->drained_from, N1);
	assert_int_equal(vm_then("quick")->phase, VM_RUNNING);
	assert_int_equal(vm_then("cold")->phase, VM_RUNNING);
	assert_int_equal(vm_then("off")->phase, VM_IDLE); // until its node is back
	assert_int_equal(vm_then("off")->wanted, VM_WANTED_RUNNING);
	drain(N1, DRAIN_OFF, true);
	assert_int_equal(node_then(N1)->drain, DRAIN_NONE);
	assert_int_equal(vm_then("live")->owner, N1);
	assert_int_equal(vm_then("quick")->owner, N1);
	assert_int_equal(vm_then("cold")->owner, N1);
	assert_int_equal(vm_then("live")->drained_from, SLOT_NONE);
	assert_int_equal(vm_then("off")->phase, VM_RUNNING);
}

static void those_that_left_may_stay(void **state)
{
	(void)state;
	define("a", 0, 100);
	run_all(N1);
	play();
	drain(N1, DRAIN_ON, false);
	drain(N1, DRAIN_OFF, false);
	assert_int_not_equal(vm_then("a")->owner, N1);
	assert_int_equal(vm_then("a")->drained_from, SLOT_NONE);
}

static void a_drain_is_stuck_and_goes_on_when_it_can(void **state)
{
	struct entry want = named(ENTRY_VM_WANT, "stay");
	struct entry_result result;

	(void)state;
	define("a", 0, 100);
	define("stay", 0, 100)->on_drain = ON_DRAIN_STAY;
	run_all(N1);
	play();
	drain(N1, DRAIN_ON, false);
	assert_int_equal(node_then(N1)->drain, DRAIN_STUCK);
	assert_non_null(strstr(node_then(N1)->drain_reason, "stay: it is defined to stay"));
	assert_int_not_equal(vm_then("a")->owner, N1); // the others leave all the same
	whatif_commit(&whatif, &want, &result);
	whatif_run(&whatif);
	assert_int_equal(node_then(N1)->drain, DRAIN_DRAINED);
	assert_string_equal(node_then(N1)->drain_reason, "");
}

static void a_paused_drain_begins_nothing(void **state)
{
	struct entry on = named(ENTRY_NODE_DRAIN, "n1");
	struct entry_result result;

	(void)state;
	define("a", 0, 100);
	run_all(N1);
	play();
	on.drain_verb = DRAIN_ON;
	whatif_commit(&whatif, &on, &result);
	drain(N1, DRAIN_PAUSE, false);
	assert_int_equal(vm_then("a")->owner, N1);
	assert_int_equal(node_then(N1)->drain, DRAIN_PAUSED);
	drain(N1, DRAIN_RESUME, false);
	assert_int_equal(node_then(N1)->drain, DRAIN_DRAINED);
	assert_int_not_equal(vm_then("a")->owner, N1);
}

static void an_aborted_drain_takes_back_what_left(void **state)
{
	(void)state;
	define("a", 0, 100);
	define("stay", 0, 100)->on_drain = ON_DRAIN_STAY;
	run_all(N1);
	play();
	drain(N1, DRAIN_ON, false);
	assert_int_not_equal(vm_then("a")->owner, N1);
	drain(N1, DRAIN_ABORT, true);
	assert_false(node_then(N1)->maintenance);
	assert_int_equal(vm_then("a")->owner, N1);
}

static void a_drain_ends_by_itself(void **state)
{
	struct entry on = named(ENTRY_NODE_DRAIN, "n1");
	struct entry_result result;

	(void)state;
	define("a", 0, 100);
	run_all(N1);
	play();
	whatif.node->wall_ms = 1000;
	on.until_ms = 5000;
	on.flag = true;
	whatif_commit(&whatif, &on, &result);
	whatif_run(&whatif);
	assert_int_equal(node_then(N1)->drain, DRAIN_DRAINED);
	whatif.node->wall_ms = 5000 + 60000; // and long enough after the move
	whatif_run(&whatif);
	assert_false(node_then(N1)->maintenance);
	assert_int_equal(vm_then("a")->owner, N1);
}

// A host that goes down: what can leaves, the rest is saved and goes on when there is a place.
static void a_host_that_goes_down_is_emptied(void **state)
{
	(void)state;
	define("live", 0, 100);
	define("stay", 0, 100)->on_drain = ON_DRAIN_STAY;
	define("big", 0, 8192); // fits on an empty node alone
	run_all(N1);
	define("x", 0, 100);
	run_all(N2);
	define("y", 0, 100);
	run_all(N3);
	f.cluster.def.policies.shutdown = SHUTDOWN_MIGRATE;
	the_node(&f, 1)->report.leaving = true;
	play();
	whatif_run(&whatif);
	assert_int_equal(vm_then("live")->phase, VM_RUNNING);
	assert_int_not_equal(vm_then("live")->owner, N1);
	assert_int_equal(vm_then("stay")->phase, VM_RUNNING);
	assert_int_not_equal(vm_then("stay")->owner, N1); // saved, and restored there
	assert_int_equal(vm_then("big")->phase, VM_IDLE);
	assert_int_equal(vm_then("big")->saved, SAVED_KEPT);
	assert_int_equal(vm_then("big")->wanted, VM_WANTED_RUNNING);
	assert_false(node_then(N1)->maintenance);
}

// A strict rule holds at every step, and yet does not keep the pair where it is.
static void what_belongs_together_leaves_together(void **state)
{
	struct rule_def *rule;

	(void)state;
	define("a", 2, 100);
	define("b", 1, 100);
	define("c", 3, 100);
	run_all(N1);
	rule = doc_rule(&f, "pair", RULE_TOGETHER);
	rule->strict = true;
	rule_member(rule, ROLE_MEMBER, "a");
	rule_member(rule, ROLE_MEMBER, "b");
	doc_accept(&f);
	doc_begin(&f);
	CHECK_PLAN(N1, { "c", DRAIN_STEP_MOVE, MOVE_LIVE, N2, "" },
		   { "a", DRAIN_STEP_MOVE, MOVE_LIVE, N3, "" },
		   { "b", DRAIN_STEP_MOVE, MOVE_LIVE, N3, "" });
	play();
	drain(N1, DRAIN_ON, false);
	assert_int_equal(node_then(N1)->drain, DRAIN_DRAINED);
	assert_int_equal(vm_then("a")->owner, vm_then("b")->owner);
}

// Nothing new comes to a node that is emptied, not even when it was chosen before.
static void nothing_comes_to_a_node_in_maintenance(void **state)
{
	struct entry on = named(ENTRY_NODE_DRAIN, "n2"), move = named(ENTRY_MOVE_REQUEST, "a");

	(void)state;
	define("a", 0, 100);
	run_all(N1);
	accept(&f, on);
	move.actor = N2;
	refused(&f, move, "maintenance", "n2 is in maintenance");
	// Closed between the coordinator's decision and its commitment, too.
	the_node(&f, 2)->maintenance = false;
	the_node(&f, 2)->managed = false;
	refused(&f, move, "unmanaged", "n2 is unmanaged");
	the_node(&f, 2)->managed = true;
	the_node(&f, 2)->report.leaving = LEAVING_OFF;
	refused(&f, move, "node-state", "n2 is shutting down");
	the_node(&f, 2)->report.leaving = LEAVING_NOT;
	the_node(&f, 2)->maintenance = true;
	CHECK_PLAN(N1, { "a", DRAIN_STEP_MOVE, MOVE_LIVE, N3, "" });
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		T(each_vm_leaves_as_it_is_defined),
		T(every_step_counts_for_the_next),
		T(what_is_under_way_is_waited_for),
		T(what_live_does_not_end_goes_quick),
		T(a_second_drain_needs_quorum_and_room),
		T(a_node_is_emptied_and_filled_again),
		T(those_that_left_may_stay),
		T(a_drain_is_stuck_and_goes_on_when_it_can),
		T(a_paused_drain_begins_nothing),
		T(an_aborted_drain_takes_back_what_left),
		T(a_drain_ends_by_itself),
		T(a_host_that_goes_down_is_emptied),
		T(what_belongs_together_leaves_together),
		T(nothing_comes_to_a_node_in_maintenance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
