// SPDX-License-Identifier: Apache-2.0
// PRO policies and tips in the replicated state: what a policy may say, every move of a tip's
// states, and what is remembered of its predictions.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clusterd/apply_move.h"
#include "clusterd/apply_tip.h"
#include "resources/definition_io.h"
#include "tests/unit/cluster_fixture.h"

static struct fixture f;

static int open_fixture(void **state)
{
	(void)state;
	fixture_open(&f, 8, 64, 8);
	return 0;
}

static int close_fixture(void **state)
{
	(void)state;
	fixture_close(&f);
	return 0;
}

static bool applied(void)
{
	static uint8_t body[ENTRY_SIZE_MAX];
	struct entry entry = { .type = ENTRY_APPLY, .body = body };

	entry.body_size = definitions_encode(&f.doc, f.proposed, body, sizeof(body));
	assert_true(entry.body_size > 0);
	return fixture_apply(&f, &entry);
}

static struct pro_def *begin(const char *name)
{
	doc_begin(&f);
	return doc_policy(&f, name);
}

static bool policy_is_refused(void)
{
	uint64_t digest = cluster_digest(&f.cluster), index = f.cluster.index;
	bool refused = !applied();

	f.cluster.index = index;
	if (refused) {
		assert_string_equal(f.result.code, "bad-policy");
		assert_true(f.result.reason[0] && f.result.fix[0]);
		assert_true(cluster_digest(&f.cluster) == digest);
	}
	return refused;
}

// As clusterd.xml(5) has them.
static bool measured_of(enum pro_subject subject, enum pro_measure measure)
{
	static const char *const of[] = {
		[PRO_NODE] = "cpu memory cpu-pressure memory-pressure io-pressure health joined",
		[PRO_VM] = "cpu memory disk network",
		[PRO_VOLUME] = "latency free",
		[PRO_CLUSTER] = "imbalance",
	};
	char list[128], word[32];

	snprintf(list, sizeof(list), " %s ", of[subject]);
	snprintf(word, sizeof(word), " %s ", pro_measure_words[measure]);
	return strstr(list, word) != NULL;
}

static bool follows(enum pro_subject subject, enum pro_action action)
{
	if (action == PRO_NOTIFY || action == PRO_SCRIPT)
		return true;
	if (subject == PRO_CLUSTER)
		return action == PRO_BALANCE;
	return subject == PRO_NODE || (subject == PRO_VM && action == PRO_MOVE);
}

static void every_measure_of_everything_with_every_action(void **state)
{
	(void)state;
	for (uint8_t subject = 0; subject < PRO_SUBJECT_COUNT; subject++)
		for (uint8_t measure = 0; measure < PRO_MEASURE_COUNT; measure++)
			for (uint8_t action = 0; action < PRO_ACTION_COUNT; action++) {
				struct pro_def *def = begin("p");

				def->subject = subject;
				def->measure = measure;
				def->action = action;
				def->threshold = def->clear = 1;
				if (action == PRO_SCRIPT)
					text_copy(def->script, sizeof(def->script), "s.sh");
				assert_int_equal(policy_is_refused(),
						 !measured_of(subject, measure) ||
							 !follows(subject, action));
			}
}

#define REFUSED(member, value)                                                                     \
	do {                                                                                       \
		struct pro_def *def_ = begin("p");                                                 \
		def_->member = (value);                                                            \
		assert_true(policy_is_refused());                                                  \
	} while (0)

static void values_that_make_no_sense(void **state)
{
	struct pro_def *def;

	(void)state;
	REFUSED(threshold, 101);
	REFUSED(clear, 81);
	REFUSED(rate, 101);
	REFUSED(hold_s, 0);
	REFUSED(hold_s, PRO_HOLD_MAX_S + 1);
	REFUSED(rest_s, 0);
	REFUSED(expires_s, 0);
	REFUSED(min_gain, 0);
	REFUSED(min_gain, 101);
	REFUSED(budget, 0);
	REFUSED(budget, POLICY_BUDGET_MAX + 1);
	REFUSED(at_once, 0);
	REFUSED(moves, TIP_MOVES_MAX + 1);
	REFUSED(script_limit_s, 0);
	REFUSED(action, PRO_SCRIPT);
	REFUSED(mode, PRO_WINDOW); // from 0 to 0: empty
	def = begin("p");
	def->threshold = def->clear = 0;
	assert_true(policy_is_refused());
	def = begin("p");
	def->below = true;
	def->clear = 79;
	assert_true(policy_is_refused());
	for (int i = 0; i < 4; i++) {
		static const char *const paths[] = { "../x", "a/b", ".hidden", "" };

		def = begin("p");
		def->action = PRO_SCRIPT;
		text_copy(def->script, sizeof(def->script), paths[i]);
		assert_true(policy_is_refused());
	}
	def = begin("p");
	def->mode = PRO_WINDOW;
	def->from_min = 1320;
	def->to_min = 1440;
	assert_true(policy_is_refused());
	def->to_min = 360;
	assert_false(policy_is_refused());
}

static void shipped_policies_are_those_of_the_file(void **state)
{
	struct definition_reader reader;
	char path[1024];

	(void)state;
	snprintf(path, sizeof(path), "%s/resources/clusterd.rng",
		 getenv("srcdir") ? getenv("srcdir") : ".");
	assert_int_equal(definition_reader_open(&reader, path), 0);
	snprintf(path, sizeof(path), "%s/policies/policies.xml",
		 getenv("srcdir") ? getenv("srcdir") : ".");
	assert_int_equal(definitions_read_file(&reader, path), 0);
	assert_int_equal(definitions_check(&reader), 0);
	assert_int_equal(reader.definitions.pro_count, PRO_SHIPPED_COUNT);
	for (int i = 0; i < PRO_SHIPPED_COUNT; i++) {
		const struct cluster_policy *policy = &f.cluster.policies[i];

		assert_true(policy->used);
		assert_int_equal(policy->def.mode, PRO_ADVICE);
		assert_memory_equal(&policy->def, &reader.definitions.pros[i], sizeof(policy->def));
	}
	definition_reader_close(&reader);
}

static bool set(const char *name, bool enabled)
{
	struct entry entry = { .type = ENTRY_POLICY_SET, .flag = enabled };

	text_copy(entry.name, sizeof(entry.name), name);
	return fixture_apply(&f, &entry);
}

static void a_definition_keeps_what_it_does_not_name(void **state)
{
	struct entry entry = { .type = ENTRY_REMOVE, .object = OBJECT_POLICY };

	(void)state;
	begin("p");
	assert_true(applied());
	assert_true(cluster_find_policy(&f.cluster, "p")->def.enabled);
	assert_true(set("p", false));
	assert_true(applied());
	assert_false(cluster_find_policy(&f.cluster, "p")->def.enabled);
	begin("p")->enabled_given = true;
	assert_true(applied());
	assert_true(cluster_find_policy(&f.cluster, "p")->def.enabled);
	assert_false(set("q", true));
	assert_string_equal(f.result.code, "no-such-policy");
	text_copy(entry.name, sizeof(entry.name), "p");
	assert_true(fixture_apply(&f, &entry));
	assert_null(cluster_find_policy(&f.cluster, "p"));
	assert_false(fixture_apply(&f, &entry));
}

static void the_table_of_policies_is_full(void **state)
{
	char name[16];

	(void)state;
	doc_begin(&f);
	for (int i = 0; i <= POLICIES_MAX - PRO_SHIPPED_COUNT; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		doc_policy(&f, name);
	}
	assert_false(applied());
	assert_string_equal(f.result.code, "table-full");
	f.doc.pro_count--;
	assert_true(applied());
	begin("cpu-balance"); // that is there already
	assert_true(applied());
	doc_policy(&f, "cpu-balance");
	assert_false(applied());
	assert_string_equal(f.result.code, "duplicate");
}

/* Tips. */

static uint32_t vm_runs_on(const char *name, uint8_t slot)
{
	struct vm *vm = &f.cluster.vms[cluster_find_vm(&f.cluster, name)->ref.slot];

	vm->phase = VM_RUNNING;
	vm->owner = slot;
	vm->wanted = VM_WANTED_RUNNING;
	return vm->ref.slot;
}

static void cluster_with_a_vm(void)
{
	doc_begin(&f);
	doc_node(&f, "n1", 1);
	doc_node(&f, "n2", 2);
	doc_volume(&f, "v", "/v");
	doc_vm(&f, "a", "v");
	doc_policy(&f, "p")->mode = PRO_AUTOMATIC;
	assert_true(applied());
	f.cluster.nodes[0].life = f.cluster.nodes[1].life = NODE_ONLINE;
	vm_runs_on("a", 0);
}

static struct tip tip_about(uint8_t node)
{
	struct tip tip = { .state = TIP_OPEN,
			   .action = PRO_BALANCE,
			   .node = node,
			   .volume = SLOT_NONE,
			   .actor = SLOT_NONE,
			   .before = 100,
			   .after = 50,
			   .expires_ms = 99 };

	text_copy(tip.policy, sizeof(tip.policy), "p");
	tip.vm.slot = UINT32_MAX;
	tip.move_count = 1;
	tip.moves[0].vm = cluster_find_vm(&f.cluster, "a")->ref;
	tip.moves[0].to = 1;
	return tip;
}

static bool opened(const struct tip *tip)
{
	static uint8_t body[8192];
	struct entry entry = { .type = ENTRY_TIP_OPEN, .body = body, .view = f.cluster.view };

	entry.body_size = tip_encode(tip, body, sizeof(body));
	assert_true(entry.body_size > 0);
	return fixture_apply(&f, &entry);
}

static bool told(enum entry_type type, uint32_t id, uint8_t to)
{
	struct entry entry = {
		.type = (uint8_t)type, .tip = id, .tip_state = to, .actor = SLOT_NONE
	};

	if (type == ENTRY_TIP_ADVANCE || type == ENTRY_TIP_MEASURED)
		entry.view = f.cluster.view;
	if (type == ENTRY_TIP_MEASURED) {
		entry.tip_verdict = to;
		entry.measured = 60;
	}
	return fixture_apply(&f, &entry);
}

static const struct tip *tip_now(void)
{
	return cluster_tip(&f.cluster, f.cluster.next_tip - 1);
}

// The diagram, as a test of its own.
static bool drawn(enum tip_state from, enum tip_state to)
{
	static const char *const arrows[] = {
		[TIP_OPEN] = "acd", [TIP_ACCEPTED] = "rcd", [TIP_RUNNING] = "nd",
		[TIP_DONE] = "",    [TIP_DISMISSED] = "",   [TIP_CLOSED] = "",
	};

	return strchr(arrows[from], "oarndc"[to]) != NULL;
}

static void every_state_of_a_tip_and_every_word_about_it(void **state)
{
	(void)state;
	cluster_with_a_vm();
	for (uint8_t from = 0; from < TIP_STATE_COUNT; from++) {
		for (uint8_t to = 0; to < TIP_STATE_COUNT; to++) {
			struct tip tip = tip_about(0), *now;

			memset(f.cluster.tips, 0, sizeof(f.cluster.tips));
			assert_true(opened(&tip));
			now = &f.cluster.tips[0];
			now->state = from;
			assert_int_equal(tip_may_become(from, to), drawn(from, to));
			// Only an administrator dismisses.
			assert_int_equal(told(ENTRY_TIP_ADVANCE, now->id, to),
					 drawn(from, to) && to != TIP_DISMISSED);
			now->state = from;
			assert_int_equal(told(ENTRY_TIP_ACCEPT, now->id, 0), from == TIP_OPEN);
			now->state = from;
			assert_int_equal(told(ENTRY_TIP_DISMISS, now->id, 0),
					 drawn(from, TIP_DISMISSED));
		}
	}
	assert_false(told(ENTRY_TIP_ACCEPT, 4711, 0));
	assert_string_equal(f.result.code, "no-such-tip");
}

static void a_tip_opens_once(void **state)
{
	struct tip tip, other;

	(void)state;
	cluster_with_a_vm();
	tip = tip_about(0);
	other = tip_about(1);
	assert_true(opened(&tip));
	assert_false(opened(&tip));
	assert_true(opened(&other));
	tip.state = TIP_RUNNING;
	tip.node = 2;
	assert_false(opened(&tip));
	tip.state = TIP_OPEN;
	text_copy(tip.policy, sizeof(tip.policy), "nobody");
	assert_false(opened(&tip));
	tip = tip_about(2);
	tip.moves[0].vm.serial++;
	assert_false(opened(&tip));
	tip = tip_about(2);
	assert_true(set("p", false));
	assert_false(opened(&tip));
	// Nobody asked for a balance.
	tip.policy[0] = 0;
	tip.asked = true;
	tip.state = TIP_ACCEPTED;
	assert_false(opened(&tip));
}

static void the_table_of_tips_gives_up_what_is_over(void **state)
{
	struct tip tip;

	(void)state;
	cluster_with_a_vm();
	for (uint8_t i = 0; i < TIPS_MAX; i++) {
		tip = tip_about(i);
		assert_true(opened(&tip));
	}
	tip = tip_about(TIPS_MAX);
	assert_false(opened(&tip));
	assert_string_equal(f.result.code, "table-full");
	assert_true(told(ENTRY_TIP_DISMISS, 5, 0));
	assert_true(told(ENTRY_TIP_DISMISS, 9, 0));
	assert_true(opened(&tip));
	assert_null(cluster_tip(&f.cluster, 5));
	assert_non_null(cluster_tip(&f.cluster, 9));
}

static bool move_begins(uint32_t tip, uint8_t at, uint8_t to)
{
	struct entry entry = { .type = ENTRY_MOVE_BEGIN,
			       .view = f.cluster.view,
			       .actor = to,
			       .move_kind = MOVE_LIVE,
			       .move_cause = CAUSE_POLICY,
			       .tip = tip,
			       .tip_at = at,
			       .vm = cluster_find_vm(&f.cluster, "a")->ref };

	return fixture_apply(&f, &entry);
}

// As the target's last report does.
static void move_ends(bool well)
{
	struct vm *vm = &f.cluster.vms[cluster_find_vm(&f.cluster, "a")->ref.slot];
	struct move *move = (struct move *)cluster_move(&f.cluster, vm->move);
	struct entry entry = { .type = ENTRY_MOVE_REPORT, .at_ms = 5000 };
	struct entry_result result;
	struct apply a = { &f.cluster, &entry, &result };

	if (well)
		vm->owner = move->target;
	move_end(&a, move, well ? MOVE_DONE : MOVE_STAYED, "");
}

static void a_move_begins_once_and_its_end_is_kept(void **state)
{
	struct tip tip;
	uint32_t id;

	(void)state;
	cluster_with_a_vm();
	tip = tip_about(0);
	assert_true(opened(&tip));
	id = tip_now()->id;
	assert_false(move_begins(id, 0, 1)); // nobody has accepted it
	assert_true(told(ENTRY_TIP_ACCEPT, id, 0));
	assert_false(move_begins(id, 1, 1)); // the plan has one
	assert_false(move_begins(id + 1, 0, 1));
	assert_true(move_begins(id, 0, 1));
	assert_int_equal(tip_now()->state, TIP_RUNNING);
	assert_int_not_equal(tip_now()->moves[0].move, 0);
	assert_int_equal(f.cluster.nodes[0].policy_move_count, 1);
	assert_int_equal(f.cluster.nodes[1].policy_move_count, 1);
	move_ends(true);
	assert_int_equal(tip_now()->moves[0].outcome, MOVE_DONE);
	assert_int_equal(cluster_find_vm(&f.cluster, "a")->last_move_ms, 5000);
	// Back, and again: it was begun.
	vm_runs_on("a", 0);
	assert_false(move_begins(id, 0, 1));
	assert_true(told(ENTRY_TIP_ADVANCE, id, TIP_DONE));
	assert_int_equal(tip_now()->verdict, VERDICT_PENDING);
	assert_false(told(ENTRY_TIP_MEASURED, id, VERDICT_PENDING));
	assert_true(told(ENTRY_TIP_MEASURED, id, VERDICT_HELD));
	assert_false(told(ENTRY_TIP_MEASURED, id, VERDICT_FAILED));
	assert_int_equal(cluster_find_policy(&f.cluster, "p")->past_count, 1);
}

static void measure(enum tip_verdict verdict)
{
	struct tip tip = tip_about(0);

	vm_runs_on("a", 0);
	assert_true(opened(&tip));
	assert_true(told(ENTRY_TIP_ADVANCE, tip_now()->id, TIP_ACCEPTED));
	assert_true(move_begins(tip_now()->id, 0, 1));
	move_ends(true);
	assert_true(told(ENTRY_TIP_ADVANCE, tip_now()->id, TIP_DONE));
	assert_true(told(ENTRY_TIP_MEASURED, tip_now()->id, verdict));
}

static void three_of_ten_suspend_it_and_enabling_forgives(void **state)
{
	const struct cluster_policy *policy;

	(void)state;
	cluster_with_a_vm();
	policy = cluster_find_policy(&f.cluster, "p");
	measure(VERDICT_FAILED);
	measure(VERDICT_FAILED);
	// Two that are ten predictions ago no longer count.
	for (int i = 0; i < POLICY_PAST_MAX; i++)
		measure(VERDICT_HELD);
	measure(VERDICT_FAILED);
	measure(VERDICT_UNKNOWN);
	measure(VERDICT_FAILED);
	assert_false(policy->suspended);
	assert_int_equal(policy->past_count, POLICY_PAST_MAX);
	measure(VERDICT_FAILED);
	assert_true(policy->suspended);
	assert_non_null(strstr(policy->reason, "3 of its last 10"));
	assert_true(set("p", true));
	assert_false(policy->suspended);
	assert_int_equal(policy->past_count, 0);
	assert_string_equal(policy->reason, "");
}

static void what_was_asked_for_is_answered_once(void **state)
{
	struct entry run = { .type = ENTRY_POLICY_RUN }, ran = { .type = ENTRY_POLICY_RAN };
	struct tip tip;

	(void)state;
	cluster_with_a_vm();
	ran.view = f.cluster.view;
	assert_false(fixture_apply(&f, &ran));
	assert_true(fixture_apply(&f, &run));
	assert_true(f.cluster.balance.wanted);
	text_copy(ran.reason, sizeof(ran.reason), "nothing to gain");
	assert_true(fixture_apply(&f, &ran));
	assert_false(f.cluster.balance.wanted);
	assert_string_equal(f.cluster.balance.reason, "nothing to gain");
	assert_true(fixture_apply(&f, &run));
	assert_string_equal(f.cluster.balance.reason, "");
	tip = tip_about(SLOT_NONE);
	tip.policy[0] = 0;
	tip.subject = PRO_CLUSTER;
	tip.asked = true;
	tip.state = TIP_ACCEPTED;
	assert_true(opened(&tip));
	assert_false(f.cluster.balance.wanted);
	assert_int_equal(f.cluster.balance.tip, tip_now()->id);
	text_copy(run.name, sizeof(run.name), "p");
	assert_true(fixture_apply(&f, &run));
	assert_true(cluster_find_policy(&f.cluster, "p")->run.wanted);
	assert_true(set("p", false));
	assert_false(fixture_apply(&f, &run));
	assert_string_equal(f.result.code, "disabled");
}

static void a_plan_made_anew_keeps_what_began(void **state)
{
	static uint8_t body[8192];
	struct entry entry = { .type = ENTRY_TIP_PLAN, .body = body };
	struct tip tip, plan;

	(void)state;
	cluster_with_a_vm();
	entry.view = f.cluster.view;
	tip = tip_about(0);
	tip.moves[1] = tip.moves[0];
	tip.move_count = 2;
	assert_true(opened(&tip));
	entry.tip = tip_now()->id;
	plan = tip;
	plan.move_count = 1;
	plan.moves[0].to = 0;
	plan.after = 70;
	entry.body_size = tip_encode(&plan, body, sizeof(body));
	assert_false(fixture_apply(&f, &entry)); // it is only advice as yet
	assert_true(told(ENTRY_TIP_ACCEPT, entry.tip, 0));
	assert_true(move_begins(entry.tip, 0, 1));
	assert_true(fixture_apply(&f, &entry));
	assert_int_equal(tip_now()->move_count, 2);
	assert_int_equal(tip_now()->moves[0].to, 1);
	assert_int_not_equal(tip_now()->moves[0].move, 0);
	assert_int_equal(tip_now()->moves[1].to, 0);
	assert_int_equal(tip_now()->moves[1].move, 0);
	assert_int_equal(tip_now()->after, 70);
	assert_int_equal(tip_now()->replans, 1);
}

static void a_drain_begins_with_its_tip(void **state)
{
	struct tip tip;

	(void)state;
	cluster_with_a_vm();
	tip = tip_about(0);
	tip.action = PRO_DRAIN;
	tip.move_count = 0;
	assert_true(opened(&tip));
	assert_true(told(ENTRY_TIP_ACCEPT, tip_now()->id, 0));
	assert_false(f.cluster.nodes[0].maintenance);
	assert_true(told(ENTRY_TIP_ADVANCE, tip_now()->id, TIP_RUNNING));
	assert_true(f.cluster.nodes[0].maintenance);
	assert_int_equal(f.cluster.nodes[0].drain, DRAIN_DRAINING);
}

static void only_its_actor_speaks_for_a_script(void **state)
{
	struct entry entry = {
		.type = ENTRY_SCRIPT_REPORT, .node_id = 2, .from = 2, .flag = true, .reason = "fine"
	};
	struct entry begins = { .type = ENTRY_TIP_ADVANCE, .tip_state = TIP_RUNNING, .actor = 0 };
	struct tip tip;

	(void)state;
	cluster_with_a_vm();
	tip = tip_about(0);
	tip.action = PRO_SCRIPT;
	tip.move_count = 0;
	assert_true(opened(&tip));
	entry.tip = begins.tip = tip_now()->id;
	begins.view = f.cluster.view;
	assert_false(fixture_apply(&f, &entry));
	assert_true(told(ENTRY_TIP_ACCEPT, entry.tip, 0));
	assert_true(fixture_apply(&f, &begins));
	assert_int_equal(tip_now()->actor, 0);
	assert_false(fixture_apply(&f, &entry));
	entry.node_id = entry.from = 1;
	assert_true(fixture_apply(&f, &entry));
	assert_int_equal(tip_now()->state, TIP_DONE);
	assert_string_equal(tip_now()->result, "fine");
	assert_false(fixture_apply(&f, &entry));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_measure_of_everything_with_every_action),
		TEST(values_that_make_no_sense),
		TEST(shipped_policies_are_those_of_the_file),
		TEST(a_definition_keeps_what_it_does_not_name),
		TEST(the_table_of_policies_is_full),
		TEST(every_state_of_a_tip_and_every_word_about_it),
		TEST(a_tip_opens_once),
		TEST(the_table_of_tips_gives_up_what_is_over),
		TEST(a_move_begins_once_and_its_end_is_kept),
		TEST(three_of_ten_suspend_it_and_enabling_forgives),
		TEST(what_was_asked_for_is_answered_once),
		TEST(a_plan_made_anew_keeps_what_began),
		TEST(a_drain_begins_with_its_tip),
		TEST(only_its_actor_speaks_for_a_script),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
