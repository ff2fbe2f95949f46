// SPDX-License-Identifier: Apache-2.0
// Start orders over VMs that run: who is held, who ends before whom, who waits when it is moved.
#include "tests/unit/cluster_fixture.h"

#include "clusterd/rule_index.h"
#include "policies/order.h"
#include "policies/placement.h"

static struct fixture f;

static int begin(void **state)
{
	(void)state;
	fixture_open(&f, 8, 32, 8);
	fixture_cluster(&f);
	for (char name = 'a'; name <= 'd'; name++)
		doc_vm(&f, (char[]){ name, 0 }, "v1");
	doc_accept(&f);
	doc_begin(&f);
	for (char name = 'a'; name <= 'd'; name++)
		run_vm(&f, (char[]){ name, 0 }, 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_close(&f);
	return 0;
}

static struct rule_def *order(const char *name, enum rule_kind kind, const char *firsts,
			      const char *then)
{
	struct rule_def *def = doc_rule(&f, name, kind);

	def->symmetric = true;
	for (; *firsts; firsts++)
		rule_member(def, ROLE_FIRST, (char[]){ *firsts, 0 });
	rule_member(def, ROLE_THEN, then);
	return def;
}

static void want(const char *name, enum vm_wanted wanted)
{
	struct entry entry = named(ENTRY_VM_WANT, name);

	entry.wanted = (uint8_t)wanted;
	accept(&f, entry);
}

static bool held(const char *name)
{
	return vm_is_held(&f.cluster, the_vm(&f, name));
}

static bool stop_waits(const char *name)
{
	return order_holds_stop(&f.cluster, the_vm(&f, name));
}

// Every kind of order, every state of two firsts.
static void strict_symmetric_orders_hold(void **state)
{
	(void)state;
	for (unsigned int bits = 0; bits < 64; bits++) {
		bool any = bits & 1, strict = bits & 2, symmetric = bits & 4, enabled = bits & 8;
		bool a_down = bits & 16, b_down = bits & 32;
		struct rule_def *def = order("r", any ? RULE_ANY_FIRST : RULE_ORDER, "ab", "c");

		def->strict = strict;
		def->symmetric = symmetric;
		def->enabled = enabled;
		doc_accept(&f);
		doc_begin(&f);
		want("a", a_down ? VM_WANTED_STOPPED : VM_WANTED_RUNNING);
		want("b", b_down ? VM_WANTED_DISABLED : VM_WANTED_RUNNING);
		assert_int_equal(held("c"), strict && symmetric && enabled &&
						    (any ? a_down && b_down : a_down || b_down));
		assert_false(held("a") || held("b") || held("d"));
	}
}

static bool has_place_at(const char *name, uint64_t wall_ms)
{
	struct placement_load load;

	placement_load_init_at(&load, &f.cluster, 7, wall_ms);
	return placement_choose(&f.cluster, &load, the_vm(&f, name)) != SLOT_NONE;
}

// Of a clock that was stepped nobody is to wait for hours; of one that is a little off, twice as
// long at the most.
static void a_delay_is_no_longer_than_clocks_agree(void **state)
{
	struct rule_def *def = order("r", RULE_ORDER, "a", "b");
	uint64_t since_ms = 7200000;

	(void)state;
	def->up = UP_DELAY;
	def->up_value = 10;
	doc_accept(&f);
	vm_reports(&f, "b", 1, VM_REPORT_STOPPED, "");
	assert_int_equal(the_vm(&f, "b")->phase, VM_IDLE);
	the_vm(&f, "a")->since_ms = since_ms;
	assert_false(has_place_at("b", since_ms + 9999));
	assert_true(has_place_at("b", since_ms + 10000));
	assert_false(has_place_at("b", since_ms - 10000));
	assert_true(has_place_at("b", since_ms - 10001));
	assert_true(has_place_at("b", since_ms - 3600000));
}

static void those_that_are_held_hold_others(void **state)
{
	(void)state;
	order("one", RULE_ORDER, "a", "b");
	order("two", RULE_ORDER, "b", "c");
	order("three", RULE_ORDER, "c", "d");
	doc_accept(&f);
	want("a", VM_WANTED_STOPPED);
	assert_true(held("b") && held("c") && held("d"));
	// The last ends first, then one after another.
	assert_true(stop_waits("a") && stop_waits("b") && stop_waits("c"));
	assert_false(stop_waits("d"));
	vm_reports(&f, "d", 1, VM_REPORT_STOPPED, "");
	assert_true(stop_waits("a") && stop_waits("b"));
	assert_false(stop_waits("c"));
	vm_reports(&f, "c", 1, VM_REPORT_STOPPED, "");
	vm_reports(&f, "b", 1, VM_REPORT_STOPPED, "");
	assert_false(stop_waits("a"));
	assert_int_equal(the_vm(&f, "b")->wanted, VM_WANTED_RUNNING);
	want("a", VM_WANTED_RUNNING);
	assert_false(held("b") || held("c") || held("d"));
}

// A wish stops nobody, but keeps the order where both end; one-way orders are about starts alone.
static void wishes_and_one_way_orders(void **state)
{
	(void)state;
	order("wish", RULE_ORDER, "a", "b")->strict = false;
	order("oneway", RULE_ORDER, "c", "d")->symmetric = false;
	doc_accept(&f);
	want("a", VM_WANTED_STOPPED);
	want("c", VM_WANTED_STOPPED);
	assert_false(held("b") || held("d"));
	assert_false(stop_waits("a") || stop_waits("c"));
	want("b", VM_WANTED_STOPPED);
	want("d", VM_WANTED_STOPPED);
	assert_true(stop_waits("a"));
	assert_false(stop_waits("c"));
}

// Nothing waits for what cannot end: one that is blocked, on a lost node, or left alone.
static void what_cannot_end_is_not_waited_for(void **state)
{
	(void)state;
	order("r", RULE_ORDER, "a", "b");
	doc_accept(&f);
	want("a", VM_WANTED_STOPPED);
	assert_true(stop_waits("a"));
	the_vm(&f, "b")->managed = false;
	assert_false(stop_waits("a"));
	the_vm(&f, "b")->managed = true;
	the_vm(&f, "b")->phase = VM_BLOCKED;
	assert_false(stop_waits("a"));
	the_vm(&f, "b")->phase = VM_RUNNING;
	the_vm(&f, "a")->forced = true;
	assert_false(stop_waits("a"));
	the_vm(&f, "a")->forced = false;
	the_node(&f, 1)->life = NODE_LOST;
	assert_false(stop_waits("a"));
}

static struct move *cold(const char *name, enum move_stage stage)
{
	struct vm *vm = the_vm(&f, name);
	struct move *move = &f.cluster.moves[vm->ref.slot];

	if (f.cluster.move_high <= vm->ref.slot)
		f.cluster.move_high = (uint8_t)(vm->ref.slot + 1);
	*move = (struct move){ .id = 100 + vm->ref.slot,
			       .vm = vm->ref,
			       .kind = MOVE_COLD,
			       .stage = (uint8_t)stage,
			       .source = 0,
			       .target = 1 };
	vm->move = move->id;
	vm->phase = stage == STAGE_START ? VM_PLACED : VM_RUNNING;
	return move;
}

static bool start_waits_at(const char *name, uint64_t at_ms, uint64_t *wait_ms)
{
	struct order_wait wait;
	bool waits = order_holds_start(&f.cluster, the_vm(&f, name), at_ms, &wait);

	assert_int_equal(waits, wait.rule != SLOT_NONE);
	*wait_ms = wait.ms;
	return waits;
}

static bool start_waits(const char *name)
{
	uint64_t wait_ms;

	return start_waits_at(name, 0, &wait_ms);
}

static void cold_moves_keep_the_order(void **state)
{
	(void)state;
	order("r", RULE_ORDER, "a", "b")->strict = false;
	doc_accept(&f);
	cold("b", STAGE_STOP);
	cold("a", STAGE_STOP);
	assert_true(stop_waits("a"));
	cold("b", STAGE_START);
	assert_false(stop_waits("a"));
	assert_true(start_waits("b"));
	cold("a", STAGE_START);
	assert_true(start_waits("b"));
	assert_false(start_waits("a"));
	the_vm(&f, "a")->phase = VM_RUNNING;
	the_vm(&f, "a")->move = 0;
	assert_false(start_waits("b"));
	// A wish does not wait for one that is nowhere; a strict order does.
	the_vm(&f, "a")->phase = VM_IDLE;
	assert_false(start_waits("b"));
	f.cluster.rules[0].def.strict = true;
	assert_true(start_waits("b"));
}

// As at any start: it is not enough that the first one runs.
static void cold_moves_wait_until_the_first_is_up(void **state)
{
	struct rule_def *def = order("r", RULE_ORDER, "a", "b");
	uint64_t wait_ms, up_rules = 1;

	(void)state;
	def->up = UP_AGENT;
	doc_accept(&f);
	doc_begin(&f);
	cold("b", STAGE_START);
	the_vm(&f, "a")->up_rules = 0;
	assert_true(start_waits("b"));
	the_vm(&f, "a")->up_rules = up_rules;
	assert_false(start_waits("b"));
	// A wish waits for no answer for ever; a strict order does.
	the_vm(&f, "a")->up_rules = 0;
	the_vm(&f, "a")->since_ms = 5000;
	assert_true(start_waits_at("b", UINT64_C(1000000000), &wait_ms));
	f.cluster.rules[0].def.strict = false;
	assert_true(start_waits_at("b", 604000, &wait_ms));
	assert_int_equal(wait_ms, 1000);
	assert_false(start_waits_at("b", 605000, &wait_ms));
	the_vm(&f, "a")->up_rules = up_rules;
	assert_false(start_waits_at("b", 6000, &wait_ms));
	def = order("r", RULE_ORDER, "a", "b");
	def->up = UP_DELAY;
	def->up_value = 10;
	def->strict = false;
	doc_accept(&f);
	the_vm(&f, "a")->since_ms = 5000;
	assert_true(start_waits_at("b", 14000, &wait_ms));
	assert_int_equal(wait_ms, 1000);
	assert_false(start_waits_at("b", 15000, &wait_ms));
	assert_int_equal(wait_ms, UINT64_MAX);
	// One that is nowhere and about which nothing is known to come is not waited for by a wish.
	the_vm(&f, "a")->phase = VM_IDLE;
	assert_false(start_waits_at("b", 14000, &wait_ms));
}

// All are asked for before the first is stopped: the last of them stops first, and none that has
// stopped starts before the others have.
static void those_that_wait_for_their_turn_count(void **state)
{
	(void)state;
	order("r", RULE_ORDER, "a", "b")->strict = false;
	order("s", RULE_ORDER, "b", "c")->strict = false;
	doc_accept(&f);
	for (char name = 'a'; name <= 'c'; name++)
		cold((char[]){ name, 0 }, STAGE_ASKED);
	assert_true(order_holds_move(&f.cluster, the_vm(&f, "a")));
	assert_true(order_holds_move(&f.cluster, the_vm(&f, "b")));
	assert_false(order_holds_move(&f.cluster, the_vm(&f, "c")));
	assert_false(order_holds_move(&f.cluster, the_vm(&f, "d")));
	cold("c", STAGE_START);
	assert_true(start_waits("c"));
	assert_true(order_holds_move(&f.cluster, the_vm(&f, "a")));
	assert_false(order_holds_move(&f.cluster, the_vm(&f, "b")));
	// One that is only asked to move live does not stop.
	cold("b", STAGE_ASKED)->kind = MOVE_LIVE;
	assert_false(start_waits("c"));
	assert_false(order_holds_move(&f.cluster, the_vm(&f, "a")));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(strict_symmetric_orders_hold),
		TEST(a_delay_is_no_longer_than_clocks_agree),
		TEST(those_that_are_held_hold_others),
		TEST(wishes_and_one_way_orders),
		TEST(what_cannot_end_is_not_waited_for),
		TEST(cold_moves_keep_the_order),
		TEST(cold_moves_wait_until_the_first_is_up),
		TEST(those_that_wait_for_their_turn_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
