// SPDX-License-Identifier: Apache-2.0
// Every contradiction is found, by its rules' names, with a mend that really mends it; and what
// does not contradict is not complained of.
#include "tests/unit/cluster_fixture.h"

#include "policies/contradiction.h"

static struct fixture f;
static struct contradiction found[16];

static int open_vms(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d" };

	(void)state;
	fixture_open(&f, 8, 32, 8);
	fixture_cluster(&f);
	for (int i = 0; i < 4; i++)
		doc_vm(&f, names[i], "v1");
	doc_accept(&f);
	doc_begin(&f);
	// So that no warning about fencing is in the way.
	for (int i = 0; i < 3; i++) {
		struct node_def *def = &f.cluster.nodes[i].def;

		def->fence_count = 1;
		text_copy(def->fences[0].agent, NAME_SIZE, "fence_x");
		snprintf(def->fences[0].options, FENCE_OPTIONS_SIZE, "plug=%d\n", i);
	}
	return 0;
}

static int close_vms(void **state)
{
	(void)state;
	fixture_close(&f);
	return 0;
}

static struct rule_def *rule(const char *name, enum rule_kind kind, const char *members)
{
	struct rule_def *def = doc_rule(&f, name, kind);

	for (; *members; members++)
		rule_member(def, ROLE_MEMBER, (char[]){ *members, 0 });
	return def;
}

static struct rule_def *order(const char *name, const char *first, const char *then)
{
	struct rule_def *def = doc_rule(&f, name, RULE_ORDER);

	rule_member(def, ROLE_FIRST, first);
	rule_member(def, ROLE_THEN, then);
	return def;
}

static struct rule_def *follow(const char *name, const char *leader, const char *member)
{
	struct rule_def *def = doc_rule(&f, name, RULE_FOLLOW);

	rule_member(def, ROLE_LEADER, leader);
	rule_member(def, ROLE_MEMBER, member);
	return def;
}

static uint32_t look(void)
{
	doc_accept(&f);
	return contradictions_find(&f.cluster, found, 16);
}

static void only(enum contradiction_kind kind, bool conflict, const char *a, const char *b)
{
	assert_int_equal(look(), 1);
	assert_int_equal(found[0].kind, kind);
	assert_int_equal(found[0].conflict, conflict);
	assert_true(found[0].reason[0] && found[0].fix[0]);
	assert_non_null(strstr(found[0].reason, a));
	assert_non_null(strstr(found[0].reason, b));
}

static void nothing_is_complained_of(void **state)
{
	(void)state;
	rule("t", RULE_TOGETHER, "ab");
	rule("p", RULE_APART, "ac");
	rule("q", RULE_APART, "bc");
	order("o", "a", "b");
	order("u", "b", "c");
	follow("f", "a", "b");
	assert_int_equal(look(), 0);
}

static void apart_and_together_through_a_chain(void **state)
{
	struct rule_def *apart;

	(void)state;
	rule("r1", RULE_TOGETHER, "ab");
	rule("r2", RULE_TOGETHER, "bc");
	apart = rule("r3", RULE_APART, "ac");
	only(CONTRADICTION_APART_TOGETHER, true, "r3", "r2");
	apart->strict = false;
	only(CONTRADICTION_NO_EFFECT, false, "r3", "r2");
	apart->strict = true;
	apart->enabled = false;
	assert_int_equal(look(), 0);
}

static void a_wish_against_a_rule(void **state)
{
	struct rule_def *together, *apart;

	(void)state;
	together = rule("r1", RULE_TOGETHER, "ab");
	apart = rule("r2", RULE_APART, "bac");
	together->strict = false;
	only(CONTRADICTION_NO_EFFECT, false, "r1", "r2");
	apart->strict = false;
	assert_int_equal(look(), 0);
	doc_begin(&f);
	rule("r1", RULE_TOGETHER, "ab")->strict = false;
	rule("r2", RULE_APART, "bc");
	assert_int_equal(look(), 0);
}

static void owners_that_never_meet(void **state)
{
	(void)state;
	rule("r1", RULE_TOGETHER, "ab");
	the_vm(&f, "a")->possible = 1;
	the_vm(&f, "b")->possible = 6;
	only(CONTRADICTION_GROUP_OWNERS, true, "r1", "b");
	the_vm(&f, "b")->possible = 5;
	assert_int_equal(look(), 0);
	doc_begin(&f);
	follow("r1", "a", "b")->enabled = true;
	the_vm(&f, "b")->possible = 6;
	only(CONTRADICTION_FOLLOW_OWNERS, true, "r1", "b");
}

static void more_apart_than_nodes(void **state)
{
	(void)state;
	rule("r1", RULE_APART, "abcd");
	only(CONTRADICTION_APART_NODES, true, "r1", "d");
	doc_begin(&f);
	rule("r1", RULE_APART, "abc");
	assert_int_equal(look(), 0);
	// Enough nodes, and still two of them have but one between them.
	the_vm(&f, "a")->possible = 2;
	the_vm(&f, "b")->possible = 2;
	only(CONTRADICTION_APART_NODES, true, "r1", "b");
	// A choice that has to be changed later is changed.
	the_vm(&f, "a")->possible = 3;
	the_vm(&f, "b")->possible = 1;
	assert_int_equal(look(), 0);
}

static void circles(void **state)
{
	(void)state;
	order("r1", "a", "b");
	order("r2", "b", "c");
	order("r3", "c", "a");
	assert_int_equal(look(), 1);
	assert_int_equal(found[0].kind, CONTRADICTION_ORDER_CYCLE);
	doc_begin(&f);
	order("r3", "c", "d");
	assert_int_equal(look(), 0);
	doc_begin(&f);
	follow("f1", "a", "b");
	follow("f2", "b", "a");
	only(CONTRADICTION_FOLLOW_CYCLE, true, "f1", "f2");
	doc_begin(&f);
	follow("f2", "b", "a")->strict = false;
	assert_int_equal(look(), 0);
}

static void following_what_one_is_kept_from(void **state)
{
	(void)state;
	follow("r1", "a", "b");
	rule("r2", RULE_APART, "ab");
	only(CONTRADICTION_FOLLOW_APART, true, "r1", "r2");
}

static void devices(void **state)
{
	(void)state;
	text_copy(f.cluster.nodes[2].def.fences[0].options, FENCE_OPTIONS_SIZE, "plug=0\n");
	only(CONTRADICTION_DEVICE_SHARED, true, "n1", "n3");
	assert_string_equal(found[0].object, "n3"); // whose line is shown
	f.cluster.nodes[2].def.fence_count = 0;
	f.cluster.nodes[2].report.watchdog = false;
	only(CONTRADICTION_NO_DEVICE, false, "n3", "");
	f.cluster.nodes[2].report.watchdog = true;
	assert_int_equal(look(), 0);
}

static void rules_and_vms_in_vain(void **state)
{
	struct rule_def *def;

	(void)state;
	rule("r1", RULE_APART, "ax");
	only(CONTRADICTION_NO_EFFECT, false, "r1", "");
	doc_begin(&f);
	def = rule("r1", RULE_SPREAD, "ab");
	text_copy(def->attribute, TAG_SIZE, "rack");
	only(CONTRADICTION_NO_ATTRIBUTE, false, "r1", "rack");
	doc_begin(&f);
	rule("r1", RULE_TOGETHER, "ab");
	f.cluster.defs[the_vm(&f, "d")->ref.slot].memory_mib = 9000;
	only(CONTRADICTION_TOO_BIG, false, "d", "");
	f.cluster.defs[the_vm(&f, "d")->ref.slot].memory_mib = 128;
	f.cluster.defs[the_vm(&f, "d")->ref.slot].failback = FAILBACK_DELAYED;
	only(CONTRADICTION_NO_EFFECT, false, "d", "names none");
	the_vm(&f, "d")->tiers[0] = 1;
	assert_int_equal(look(), 0);
	f.cluster.defs[the_vm(&f, "d")->ref.slot].stickiness = STICKINESS_INFINITE;
	only(CONTRADICTION_NO_EFFECT, false, "d", "infinite");
}

static void what_nobody_can_answer(void **state)
{
	struct vm_def *b = &f.cluster.defs[the_vm(&f, "b")->ref.slot];
	struct rule_def *def;

	(void)state;
	def = rule("r1", RULE_ORDER, "");
	rule_member(def, ROLE_FIRST, "b");
	rule_member(def, ROLE_THEN, "c");
	def->up = UP_TCP;
	def->up_value = 22;
	only(CONTRADICTION_NO_ANSWER, false, "r1", "which has no <address>");
	text_copy(b->address, sizeof(b->address), "192.0.2.1");
	assert_int_equal(look(), 0);
	doc_begin(&f);
	def = rule("r1", RULE_ANY_FIRST, "");
	rule_member(def, ROLE_FIRST, "b");
	rule_member(def, ROLE_THEN, "c");
	def->up = UP_AGENT;
	only(CONTRADICTION_NO_ANSWER, false, "r1", "which has no <guest-agent/>");
	b->guest_agent = true;
	assert_int_equal(look(), 0);
}

static void there_is_no_room_for_more_than_asked(void **state)
{
	(void)state;
	rule("r1", RULE_APART, "abcd");
	rule("r2", RULE_TOGETHER, "ab");
	doc_accept(&f);
	memset(found, 0x55, sizeof(found));
	assert_int_equal(contradictions_find(&f.cluster, found, 1), 2);
	assert_int_equal(found[1].kind, 0x55);
	assert_int_equal(contradictions_find(&f.cluster, NULL, 0), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_complained_of, open_vms, close_vms),
		cmocka_unit_test_setup_teardown(apart_and_together_through_a_chain, open_vms,
						close_vms),
		cmocka_unit_test_setup_teardown(a_wish_against_a_rule, open_vms, close_vms),
		cmocka_unit_test_setup_teardown(owners_that_never_meet, open_vms, close_vms),
		cmocka_unit_test_setup_teardown(more_apart_than_nodes, open_vms, close_vms),
		cmocka_unit_test_setup_teardown(circles, open_vms, close_vms),
		cmocka_unit_test_setup_teardown(following_what_one_is_kept_from, open_vms,
						close_vms),
		cmocka_unit_test_setup_teardown(devices, open_vms, close_vms),
		cmocka_unit_test_setup_teardown(rules_and_vms_in_vain, open_vms, close_vms),
		cmocka_unit_test_setup_teardown(what_nobody_can_answer, open_vms, close_vms),
		cmocka_unit_test_setup_teardown(there_is_no_room_for_more_than_asked, open_vms,
						close_vms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
