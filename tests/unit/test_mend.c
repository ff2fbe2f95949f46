// SPDX-License-Identifier: Apache-2.0
// Whether a VM that runs goes elsewhere: the table, the time that is waited, and the coordinator
// that carries it out on hosts that do what they are asked for.
#include "tests/unit/round_fixture.h"

#include "clusterd/rule_index.h"
#include "policies/mend.h"
#include "policies/yield.h"

// ---- the table

static void every_row_of_the_table(void **state)
{
	(void)state;
	for (unsigned int bits = 0; bits < 64; bits++) {
		struct mend_facts facts = { .must = bits & 1,
					    .rests = bits & 2,
					    .sticks = bits & 4,
					    .away = bits & 8,
					    .failback = bits & 16,
					    .unhappy = bits & 32 };
		struct mend_answer answer = mend_decide(&facts);
		bool free = !facts.must && !facts.rests && !facts.sticks;

		assert_int_equal(answer.must, facts.must);
		assert_int_equal(answer.tier, free && facts.away && facts.failback);
		assert_int_equal(answer.wish, free && facts.unhappy);
		assert_int_equal(!answer.reason, answer.must || answer.tier || answer.wish);
	}
}

static void failback_waits_for_hold_and_window(void **state)
{
	const uint64_t hour = 3600 * 1000, day = 24 * hour;
	struct vm_def def = { .failback = FAILBACK_DELAYED, .failback_after_s = 600 };
	struct cluster_node node = { .steady_ms = 10 * day };

	(void)state;
	assert_int_equal(failback_wait_ms(&f.cluster, &def, &node, 10 * day), 600 * 1000);
	assert_int_equal(failback_wait_ms(&f.cluster, &def, &node, 10 * day + 600 * 1000), 0);
	assert_int_equal(failback_wait_ms(&f.cluster, &def, &node, 9 * day), day + 600 * 1000);
	def.failback_from = 22 * 60;
	def.failback_to = 4 * 60 + 30; // over midnight
	assert_int_equal(failback_wait_ms(&f.cluster, &def, &node, 11 * day + 21 * hour), hour);
	assert_int_equal(failback_wait_ms(&f.cluster, &def, &node, 11 * day + 22 * hour), 0);
	assert_int_equal(failback_wait_ms(&f.cluster, &def, &node, 11 * day + 4 * hour), 0);
	assert_int_equal(failback_wait_ms(&f.cluster, &def, &node, 11 * day + 4 * hour + hour / 2),
			 17 * hour + hour / 2);
	def.failback_from = 60;
	def.failback_to = 120;
	assert_int_equal(failback_wait_ms(&f.cluster, &def, &node, 11 * day + hour), 0);
	assert_int_equal(failback_wait_ms(&f.cluster, &def, &node, 11 * day + 2 * hour), 23 * hour);
	assert_int_equal(failback_wait_ms(&f.cluster, &def, &node, 11 * day), hour);
	f.cluster.ahead_min = 120; // summer
	assert_int_equal(failback_wait_ms(&f.cluster, &def, &node, 11 * day), 23 * hour);
	assert_int_equal(failback_wait_ms(&f.cluster, &def, &node, 11 * day - hour), 0);
	f.cluster.ahead_min = -570; // and an island
	assert_int_equal(failback_wait_ms(&f.cluster, &def, &node, 11 * day + 11 * hour), 0);
	assert_int_equal(failback_wait_ms(&f.cluster, &def, &node, 11 * day + 10 * hour), hour / 2);
	f.cluster.ahead_min = 0;
	def.failback = FAILBACK_IMMEDIATE;
	assert_int_equal(failback_wait_ms(&f.cluster, &def, &node, 0), 0);
}

// ---- the coordinator

static void count_moves(void *context, const struct whatif_line *line)
{
	(void)context;
	begun += line->step == WHATIF_PLACE;
}

static void play(void)
{
	static uint8_t buf[1 << 20];
	const uint32_t ids[] = { 1, 2, 3 };
	size_t size;

	rule_index_rebuild(&f.cluster);
	size = cluster_encode(&f.cluster, buf, sizeof(buf));
	memory = calloc(1, whatif_memory(&f.cluster.limits));
	assert_true(whatif_init(&whatif, &f.cluster.limits, memory, buf, size, ids, 3));
	whatif.say = count_moves;
	whatif.node->wall_ms = UINT64_C(1) << 40;
	whatif_run(&whatif);
}

// A second look makes no move.
static void settled(void)
{
	uint32_t before = begun;

	whatif.node->mend_index = 0;
	whatif_run(&whatif);
	assert_int_equal(begun, before);
}

static uint8_t now_on(const char *name)
{
	const struct vm *vm = cluster_find_vm(whatif_cluster(&whatif), name);

	assert_non_null(vm);
	assert_int_equal(vm->phase, VM_RUNNING);
	return vm->owner;
}

static void a_better_owner_takes_its_vm_back(void **state)
{
	(void)state;
	define("back", 0, 100)->failback = FAILBACK_IMMEDIATE;
	doc_owner(&f, "n2", 1);
	define("stays", 0, 100);
	doc_owner(&f, "n2", 1);
	define("sticks", 0, 100)->failback = FAILBACK_IMMEDIATE;
	f.vms[2].stickiness = STICKINESS_INFINITE;
	doc_owner(&f, "n2", 1);
	define("second", 0, 100)->failback = FAILBACK_IMMEDIATE;
	doc_owner(&f, "n2", 1);
	doc_owner(&f, "n1", 2);
	define("cold", 0, 100)->failback = FAILBACK_IMMEDIATE;
	f.vms[4].on_drain = ON_DRAIN_COLD;
	doc_owner(&f, "n2", 1);
	run_all(N1);
	play();
	assert_int_equal(now_on("back"), N2);
	assert_int_equal(now_on("stays"), N1);
	assert_int_equal(now_on("sticks"), N1);
	assert_int_equal(now_on("second"), N2);
	assert_int_equal(now_on("cold"), N2);
	assert_int_equal(begun, 3);
	settled();
}

static void the_hold_is_waited_for(void **state)
{
	const uint64_t wall = UINT64_C(1) << 40;

	(void)state;
	define("v", 0, 100)->failback = FAILBACK_DELAYED;
	f.vms[0].failback_after_s = 3600;
	doc_owner(&f, "n2", 1);
	run_all(N1);
	f.cluster.nodes[N2].steady_ms = wall;
	play();
	assert_int_equal(now_on("v"), N1);
	assert_true(whatif.node->mend_ms != UINT64_MAX);
	whatif.node->wall_ms = wall + 3600 * 1000;
	whatif.node->mend_index = 0;
	whatif_run(&whatif);
	assert_int_equal(now_on("v"), N2);
}

static void a_vm_rests_after_a_policy_moved_it(void **state)
{
	const uint64_t wall = UINT64_C(1) << 40;

	(void)state;
	define("v", 0, 100)->failback = FAILBACK_IMMEDIATE;
	doc_owner(&f, "n2", 1);
	run_all(N1);
	the_vm(&f, "v")->moved_ms = wall - 1000;
	play();
	assert_int_equal(now_on("v"), N1);
	whatif.node->wall_ms = wall + MEND_REST_MS;
	whatif.node->mend_index = 0;
	whatif_run(&whatif);
	assert_int_equal(now_on("v"), N2);
}

static struct rule_def *rule_of(const char *name, enum rule_kind kind, const char *vms)
{
	struct rule_def *def = doc_rule(&f, name, kind);

	for (; *vms; vms++)
		rule_member(def, ROLE_MEMBER, (char[]){ *vms, 0 });
	return def;
}

// A rule that comes over VMs that run: the less important one gives way, and only that one.
static void broken_rules_are_mended_by_moves(void **state)
{
	(void)state;
	define("a", 5, 100);
	define("b", 1, 100);
	run_all(N1);
	rule_of("apart", RULE_APART, "ab");
	doc_accept(&f);
	play();
	assert_int_equal(now_on("a"), N1);
	assert_int_not_equal(now_on("b"), N1);
	assert_int_equal(begun, 1);
	settled();
}

static void a_group_comes_together_where_most_of_it_is(void **state)
{
	(void)state;
	define("a", 0, 100);
	define("b", 0, 100);
	run_all(N2);
	define("c", 0, 100);
	run_all(N1);
	rule_of("one", RULE_TOGETHER, "ab");
	rule_of("two", RULE_TOGETHER, "bc");
	doc_accept(&f);
	play();
	assert_int_equal(now_on("a"), N2);
	assert_int_equal(now_on("b"), N2);
	assert_int_equal(now_on("c"), N2);
	assert_int_equal(begun, 1);
	settled();
}

// The first that names preferred owners speaks for all; all go, or none.
static void a_group_goes_back_as_one(void **state)
{
	(void)state;
	define("a", 9, 3000);
	define("b", 1, 3000)->failback = FAILBACK_IMMEDIATE;
	doc_owner(&f, "n2", 1);
	define("c", 0, 100);
	run_all(N1);
	rule_of("together", RULE_TOGETHER, "abc");
	doc_accept(&f);
	play();
	assert_int_equal(now_on("a"), N2);
	assert_int_equal(now_on("b"), N2);
	assert_int_equal(now_on("c"), N2);
	settled();
}

static void a_group_without_room_for_all_stays(void **state)
{
	(void)state;
	define("a", 9, 3000);
	define("b", 1, 3000)->failback = FAILBACK_IMMEDIATE;
	doc_owner(&f, "n2", 1);
	run_all(N1);
	define("big", 0, 3000);
	run_all(N2);
	rule_of("together", RULE_TOGETHER, "ab");
	doc_accept(&f);
	play();
	assert_int_equal(now_on("a"), N1);
	assert_int_equal(now_on("b"), N1);
	assert_int_equal(begun, 0);
}

// What one of them needs alone has room on n2, all of them only on n3.
static void a_drain_moves_a_group_as_one(void **state)
{
	struct entry drain = named(ENTRY_NODE_DRAIN, "n1");
	struct entry_result result;

	(void)state;
	define("a", 9, 3000);
	define("b", 1, 3000);
	define("c", 0, 1000);
	run_all(N1);
	define("big", 0, 3000);
	run_all(N2);
	define("small1", 0, 10);
	define("small2", 0, 10);
	run_all(N3);
	rule_of("together", RULE_TOGETHER, "abc");
	doc_accept(&f);
	play();
	drain.drain_verb = DRAIN_ON;
	whatif_commit(&whatif, &drain, &result);
	assert_true(result.accepted);
	whatif_run(&whatif);
	assert_int_equal(now_on("a"), N3);
	assert_int_equal(now_on("b"), N3);
	assert_int_equal(now_on("c"), N3);
}

static void wishes_outweigh_stickiness_or_not(void **state)
{
	(void)state;
	define("a", 5, 100);
	define("b", 1, 100)->stickiness = 50;
	define("c", 1, 100);
	define("d", 0, 100)->stickiness = 100;
	run_all(N1);
	rule_of("ab", RULE_APART, "ab")->strict = false; // costs 100
	f.cluster.def.policies.placement = PLACEMENT_FEWEST_VMS;
	f.rules[0].weight = 100;
	rule_of("cd", RULE_APART, "cd")->strict = false;
	the_vm(&f, "c")->managed = false;
	doc_accept(&f);
	play();
	assert_true(now_on("a") != now_on("b"));
	assert_int_equal(now_on("d"), N1); // 100 is not more than 100
	assert_int_equal(begun, 1);
	settled();
}

static void health_and_owners_make_vms_leave(void **state)
{
	(void)state;
	define("a", 0, 100);
	define("b", 0, 100);
	run_all(N1);
	define("c", 0, 100);
	run_all(N3);
	f.cluster.def.policies.health = HEALTH_LEAVE_ON_RED;
	f.cluster.nodes[N1].def.health = HEALTH_RED;
	f.cluster.nodes[N3].def.health = HEALTH_YELLOW;
	play();
	assert_int_equal(now_on("a"), N2);
	assert_int_equal(now_on("b"), N2);
	assert_int_equal(now_on("c"), N3); // yellow: none comes, none leaves
	settled();
}

static void a_possible_owner_is_looked_for(void **state)
{
	(void)state;
	define("a", 0, 100);
	run_all(N1);
	define("a", 0, 100);
	doc_owner(&f, "n3", 0);
	doc_accept(&f);
	play();
	assert_int_equal(now_on("a"), N3);
	settled();
}

// Nowhere to go: it runs on, and says what is in the way.
static void what_cannot_be_mended_runs_on(void **state)
{
	struct placement_load load, after, scratch;
	struct mend mend;

	(void)state;
	define("a", 0, 100);
	define("b", 0, 100);
	define("big", 0, 8000);
	run_all(N1);
	define("c", 0, 8150);
	run_all(N2);
	define("d", 0, 8150);
	run_all(N3);
	rule_of("apart", RULE_APART, "ab");
	doc_accept(&f);
	placement_load_init(&load, &f.cluster, EVERY);
	mend_load_init(&after, &load, &f.cluster);
	assert_true(mend_asks(&f.cluster, &after, the_vm(&f, "b"), 0, &mend));
	mend_choose(&f.cluster, &load, &scratch, EVERY, 0, &mend);
	assert_int_equal(mend.target, SLOT_NONE);
	mend_say(&f.cluster, &load, &mend);
	assert_non_null(strstr(mend.reason, "rule apart"));
	assert_non_null(strstr(mend.reason, "no other node"));
	assert_true(mend.fix[0]);
	play();
	assert_int_equal(now_on("b"), N1);
	assert_int_equal(begun, 0);
}

// ---- who yields

static void wait_for_place(const char *name, int32_t priority, uint32_t mib)
{
	define(name, priority, mib)->wanted_given = true;
	f.vms[0].wanted = VM_WANTED_RUNNING;
	doc_accept(&f);
	doc_begin(&f);
	make_leases_ready(&f, name);
}

static const struct vm *vm_then(const char *name)
{
	return cluster_find_vm(whatif_cluster(&whatif), name);
}

// n1: 4000 of priority 1, 3000 of 2; n2: 7000 of 2; n3: 7000 of 3. One of priority 5 needs 4000.
static void full_cluster(bool displace)
{
	define("low", 1, 4000);
	define("next", 2, 3000);
	run_all(N1);
	define("two", 2, 7000);
	run_all(N2);
	define("three", 3, 7000);
	run_all(N3);
	wait_for_place("high", 5, 4000);
	f.cluster.def.policies.displace = displace;
}

static void nobody_yields_unless_the_cluster_says_so(void **state)
{
	(void)state;
	full_cluster(false);
	play();
	assert_int_equal(vm_then("high")->phase, VM_IDLE);
	assert_int_equal(now_on("low"), N1);
}

static void the_least_important_yields(void **state)
{
	(void)state;
	full_cluster(true);
	play();
	assert_int_equal(now_on("high"), N1);
	assert_int_equal(vm_then("low")->phase, VM_IDLE);
	assert_int_equal(vm_then("low")->wanted, VM_WANTED_RUNNING);
	assert_int_equal(vm_then("low")->drained_from, SLOT_NONE);
	assert_int_equal(now_on("next"), N1);
	assert_int_equal(now_on("two"), N2);
	assert_int_equal(now_on("three"), N3);
	settled();
}

static void who_yields_moves_if_it_can(void **state)
{
	(void)state;
	define("low", 1, 1000);
	define("next", 2, 6000);
	run_all(N1);
	define("two", 2, 6500);
	run_all(N2);
	define("three", 3, 7900);
	run_all(N3);
	wait_for_place("high", 5, 2100);
	f.cluster.def.policies.displace = true;
	play();
	assert_int_equal(now_on("high"), N1);
	assert_int_equal(now_on("low"), N2);
	settled();
}

static void equals_do_not_yield(void **state)
{
	(void)state;
	define("a", 5, 7000);
	run_all(N1);
	define("b", 5, 7000);
	run_all(N2);
	define("c", 5, 7000);
	run_all(N3);
	wait_for_place("high", 5, 4000);
	f.cluster.def.policies.displace = true;
	play();
	assert_int_equal(vm_then("high")->phase, VM_IDLE);
	assert_int_equal(now_on("a"), N1);
}

// Two small ones are needed; one of them would do with the larger one: it stays.
static void no_more_yield_than_needed(void **state)
{
	struct placement_load load;
	struct yield yield;
	uint32_t list[32];

	(void)state;
	define("a", 0, 500);
	define("b", 1, 4000);
	define("c", 2, 3000);
	run_all(N1);
	define("d", 9, 8000);
	run_all(N2);
	define("e", 9, 8000);
	run_all(N3);
	wait_for_place("high", 5, 4500);
	placement_load_init(&load, &f.cluster, EVERY);
	yield_choose(&f.cluster, &load, the_vm(&f, "high"), list, &yield);
	assert_int_equal(yield.node, N1);
	assert_int_equal(yield.count, 1);
	assert_string_equal(f.cluster.defs[yield.vms[0]].name, "b");
}

// ---- over random clusters

enum { VMS = 10 };

static uint64_t dice_state;

static uint32_t dice(uint32_t sides)
{
	dice_state = dice_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(dice_state >> 33) % sides;
}

// As a pair of VMs stands to its rules where both are, or are going: what is under way counts at
// both ends.
static bool may_be_on(const struct cluster *cluster, const struct vm *vm, uint8_t node)
{
	const struct move *move = cluster_move(cluster, vm->move);

	return vm->owner == node || (move && move->stage != STAGE_ASKED && move->target == node);
}

static uint32_t broken_pairs(const struct cluster *cluster)
{
	uint32_t broken = 0;

	for (uint32_t a = 0; a < cluster->vm_high; a++)
		for (uint32_t b = 0; b < a; b++)
			for (uint8_t n = 0; n < 3; n++) {
				uint64_t both =
					rules_of_vm(cluster, &cluster->vms[a]).as[ROLE_MEMBER] &
					rules_of_vm(cluster, &cluster->vms[b]).as[ROLE_MEMBER] &
					cluster->rule_index->kinds[RULE_APART] &
					cluster->rule_index->strict;

				broken += both && may_be_on(cluster, &cluster->vms[a], n) &&
					  may_be_on(cluster, &cluster->vms[b], n);
			}
	return broken;
}

static uint32_t least_broken;

static void check_step(void *context, const struct whatif_line *line)
{
	const struct cluster *cluster = whatif_cluster(&whatif);
	uint32_t broken = broken_pairs(cluster);

	(void)context;
	begun += line->step == WHATIF_PLACE;
	assert_true(broken <= least_broken);
	least_broken = broken;
	for (uint8_t n = 0; n < 3; n++) {
		uint64_t used = 0;

		for (uint32_t i = 0; i < cluster->vm_high; i++)
			if (cluster->vms[i].used && may_be_on(cluster, &cluster->vms[i], n))
				used += cluster->defs[i].memory_mib;
		assert_true(used <= cluster->nodes[n].report.memory_mib);
	}
}

static void random_cluster(uint64_t seed, bool backwards)
{
	static const char *const nodes[] = { "n1", "n2", "n3" };
	uint8_t homes[VMS];

	dice_state = seed;
	for (int i = 0; i < VMS; i++)
		homes[i] = (uint8_t)dice(3);
	for (int k = 0; k < VMS; k++) {
		int i = backwards ? VMS - 1 - k : k;
		uint64_t saved = dice_state;
		struct vm_def *def;

		dice_state = seed * 1000 + (uint64_t)i;
		(void)dice(2);
		def = define((char[]){ (char)('a' + i), 0 }, (int32_t)dice(3), 200 + 100 * dice(8));
		def->failback = dice(2) ? FAILBACK_IMMEDIATE : FAILBACK_NEVER;
		def->stickiness = dice(3) ? 0 : dice(3) ? 60 : STICKINESS_INFINITE;
		if (dice(2))
			doc_owner(&f, nodes[dice(3)], 1);
		dice_state = saved;
		run_all(homes[i]);
	}
	for (int r = 0; r < 4; r++) {
		static const enum rule_kind kinds[] = { RULE_APART, RULE_APART, RULE_TOGETHER,
							RULE_FOLLOW };
		enum rule_kind kind = kinds[dice(4)];
		char name[3] = { 'r', (char)('0' + r), 0 };
		struct rule_def *def = doc_rule(&f, name, kind);
		uint32_t first = dice(VMS), other = (first + 1 + dice(VMS - 1)) % VMS;

		def->strict = dice(3) > 0;
		def->weight = 100;
		rule_member(def, kind == RULE_FOLLOW ? ROLE_LEADER : ROLE_MEMBER,
			    (char[]){ (char)('a' + (int)first), 0 });
		rule_member(def, ROLE_MEMBER, (char[]){ (char)('a' + (int)other), 0 });
	}
}

static bool play_random(uint64_t seed, bool backwards, uint8_t owners[VMS])
{
	struct entry rules;
	bool accepted;

	begin(NULL);
	random_cluster(seed, backwards);
	rules = doc_entry(&f);
	accepted = fixture_apply(&f, &rules); // what contradicts itself is refused
	if (accepted) {
		static uint8_t buf[1 << 20];
		const uint32_t ids[] = { 1, 2, 3 };
		size_t size = cluster_encode(&f.cluster, buf, sizeof(buf));

		memory = calloc(1, whatif_memory(&f.cluster.limits));
		assert_true(whatif_init(&whatif, &f.cluster.limits, memory, buf, size, ids, 3));
		whatif.say = check_step;
		whatif.node->wall_ms = UINT64_C(1) << 40;
		least_broken = broken_pairs(whatif_cluster(&whatif));
		whatif_run(&whatif);
		settled();
		for (int i = 0; i < VMS; i++)
			owners[i] = now_on((char[]){ (char)('a' + i), 0 });
	}
	end(NULL);
	return accepted;
}

static void no_step_breaks_a_rule_in_any_order_of_definition(void **state)
{
	uint32_t tried = 0, moved = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 150; seed++) {
		uint8_t forwards[VMS], backwards[VMS];

		if (!play_random(seed, false, forwards))
			continue;
		moved += begun;
		assert_true(play_random(seed, true, backwards));
		assert_memory_equal(forwards, backwards, VMS);
		tried++;
	}
	assert_true(tried > 75 && moved > 150);
}

static void set_cpus(const char *name, uint32_t cpus)
{
	f.cluster.defs[the_vm(&f, name)->ref.slot].cpus = cpus;
}

// Where they are a hard bound.
static void cpus_are_made_free_as_well(void **state)
{
	struct placement_load load;
	struct yield yield;
	uint32_t list[32];

	(void)state;
	define("a", 1, 500);
	define("b", 0, 500);
	run_all(N1);
	define("d", 9, 500);
	run_all(N2);
	define("e", 9, 500);
	run_all(N3);
	wait_for_place("high", 5, 500);
	for (uint8_t slot = 0; slot < f.cluster.node_high; slot++)
		f.cluster.nodes[slot].report.cpus = 8;
	f.cluster.def.policies.cpu_overcommit = 100;
	f.cluster.def.policies.cpu_hard = true;
	set_cpus("a", 6);
	set_cpus("b", 1);
	set_cpus("d", 8);
	set_cpus("e", 8);
	set_cpus("high", 4);
	placement_load_init(&load, &f.cluster, EVERY);
	yield_choose(&f.cluster, &load, the_vm(&f, "high"), list, &yield);
	assert_int_equal(yield.node, N1);
	assert_int_equal(yield.count, 1);
	assert_string_equal(f.cluster.defs[yield.vms[0]].name, "a");
	f.cluster.def.policies.cpu_hard = false;
	yield_choose(&f.cluster, &load, the_vm(&f, "high"), list, &yield);
	assert_int_equal(yield.node, SLOT_NONE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_the_table),
		cmocka_unit_test(failback_waits_for_hold_and_window),
		TEST(a_better_owner_takes_its_vm_back),
		TEST(the_hold_is_waited_for),
		TEST(a_vm_rests_after_a_policy_moved_it),
		TEST(broken_rules_are_mended_by_moves),
		TEST(a_group_comes_together_where_most_of_it_is),
		TEST(a_group_goes_back_as_one),
		TEST(a_group_without_room_for_all_stays),
		TEST(a_drain_moves_a_group_as_one),
		TEST(wishes_outweigh_stickiness_or_not),
		TEST(health_and_owners_make_vms_leave),
		TEST(a_possible_owner_is_looked_for),
		TEST(what_cannot_be_mended_runs_on),
		TEST(nobody_yields_unless_the_cluster_says_so),
		TEST(the_least_important_yields),
		TEST(who_yields_moves_if_it_can),
		TEST(equals_do_not_yield),
		TEST(no_more_yield_than_needed),
		TEST(cpus_are_made_free_as_well),
		cmocka_unit_test(no_step_breaks_a_rule_in_any_order_of_definition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
