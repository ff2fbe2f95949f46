// SPDX-License-Identifier: Apache-2.0
// The target of a move alone: when it may continue, and what it believes of what it did not see.
#include "tests/unit/move_ends_world.h"

static void target_listens(void)
{
	local.sanlock_epoch = 0;
	target_begin(&target, &context);
	settle_target();
	assert_int_equal(asked(ACTION_VM_SPAWN), 0); // the source still holds it alone
	move.shared = true;
	settle_target();
	assert_int_equal(asked(ACTION_VM_SPAWN), 1);
	target_hears((struct event){ .type = EVENT_VM_SPAWNED, .flag = true });
	assert_int_equal(asked(ACTION_LEASE_ACQUIRE), 1);
	assert_true(items[0].flag); // shared
	target_hears((struct event){ .type = EVENT_LEASE_GRANTED });
	assert_int_equal(asked(ACTION_QEMU_EXEC), 1);
	assert_int_equal(local.life, LIFE_INCOMING);
	assert_int_equal(local.attempt, 4);
	target_hears((struct event){
		.type = EVENT_QEMU_LISTENING, .flag = true, .port = 49152, .reason = "10.1.0.2" });
	assert_int_equal(target_due(&target, &context), MOVE_REPORT_READY);
	move.ready = true;
	stage(STAGE_TRANSFER);
	settle_target();
	assert_int_equal(actions.count, 0);
}

static void nothing_comes_where_it_may_not_be_any_more(void **state)
{
	struct vm_wish wish;

	(void)state;
	move.shared = true;
	stage(STAGE_PREPARE);
	memset(&wish, 0, sizeof(wish));
	target_wish(&target, &context, &wish);
	assert_true(wish.start);
	vm.possible = ~(UINT64_C(1) << move.target);
	target_wish(&target, &context, &wish);
	assert_false(wish.start);
}

static void a_target_takes_over(void **state)
{
	(void)state;
	target_listens();
	stage(STAGE_HANDOVER);
	settle_target();
	assert_int_equal(asked(ACTION_QEMU_CONT), 0);
	target_gets_word(WORD_RENOUNCED);
	assert_int_equal(asked(ACTION_QEMU_CONT), 1);
	assert_int_equal(target_due(&target, &context), 0);
	target_hears((struct event){ .type = EVENT_QEMU_RUNNING });
	assert_true(told(WORD_CONTINUED));
	assert_int_equal(asked(ACTION_QEMU_ANNOUNCE), 1);
	// First the guest answers what waited for it.
	assert_int_equal(target_due(&target, &context), 0);
	assert_int_equal(target_deadline_ms(&target, &context), now_ms + 250);
	now_ms += 250;
	clear();
	settle_target();
	assert_int_equal(target_due(&target, &context), MOVE_REPORT_RUNS);
	assert_int_equal(target_deadline_ms(&target, &context), UINT64_MAX);
	target_gets_word(WORD_RENOUNCED);
	assert_true(told(WORD_CONTINUED));
	assert_int_equal(asked(ACTION_QEMU_CONT), 0);
	stage(STAGE_CLEANUP);
	settle_target();
	assert_int_equal(asked(ACTION_LEASE_EXCLUSIVE), 0); // the source still lives
	move.source_gone = true;
	settle_target();
	assert_int_equal(asked(ACTION_LEASE_EXCLUSIVE), 1);
	assert_int_equal(target_due(&target, &context), 0);
	target_hears((struct event){ .type = EVENT_LEASE_EXCLUSIVE, .flag = true });
	assert_int_equal(target_due(&target, &context), MOVE_REPORT_EXCLUSIVE);
}

static void a_post_copy_runs(void)
{
	def.post_copy = true;
	target_listens();
	target_gets_word(WORD_RENOUNCED);
	target_hears((struct event){ .type = EVENT_QEMU_RUNNING });
	stage(STAGE_CLEANUP);
	vm.owner = 1;
	settle_target();
	assert_int_equal(asked(ACTION_MIGRATE_BREAK), 0); // it fetches the rest
	move.source_gone = true;
	clear();
	settle_target();
	assert_int_equal(asked(ACTION_MIGRATE_BREAK), 1);
	assert_int_equal(asked(ACTION_LEASE_EXCLUSIVE), 1);
	target_hears((struct event){ .type = EVENT_LEASE_EXCLUSIVE, .flag = true });
	assert_int_equal(target_due(&target, &context), 0); // it may lack memory
	assert_in_range(target_deadline_ms(&target, &context), now_ms + 1, now_ms + 5000);
}

// The source is gone: only a guest that has all of its memory is done.
static void a_guest_without_all_its_memory_is_ended(void **state)
{
	struct migrate_stats torn = { .status = MIGRATE_TORN };

	(void)state;
	a_post_copy_runs();
	now_ms = target_deadline_ms(&target, &context);
	clear();
	settle_target();
	assert_int_equal(asked(ACTION_MIGRATE_BREAK), 0);
	assert_int_equal(target_due(&target, &context), MOVE_REPORT_EXCLUSIVE);
	open_world(NULL);
	a_post_copy_runs();
	target_hears((struct event){ .type = EVENT_MIGRATE, .stats = &torn });
	assert_int_equal(asked(ACTION_QEMU_KILL), 1);
	now_ms += 10000;
	settle_target();
	assert_int_equal(target_due(&target, &context), 0);
	// Found so by a new daemon.
	open_world(NULL);
	stage(STAGE_CLEANUP);
	clear();
	vm_local_event(&local,
		       &(struct event){ .type = EVENT_VM_ADOPTED,
					.vm = local.ref,
					.flag = true,
					.shared = true,
					.run_state = RUN_RUNNING,
					.stats = &torn },
		       &actions);
	target_begin(&target, &context);
	settle_target();
	assert_int_equal(asked(ACTION_QEMU_KILL), 1);
}

static void a_target_needs_the_word_of_its_source_for_this_move(void **state)
{
	struct event word = {
		.type = EVENT_MOVE_WORD, .node_id = PEER, .move = 7, .word = WORD_RENOUNCED
	};

	(void)state;
	target_listens();
	word.node_id = 3;
	target_hears(word);
	assert_int_equal(asked(ACTION_QEMU_CONT), 0);
	word.node_id = PEER;
	word.move = 6;
	target_hears(word);
	assert_int_equal(asked(ACTION_QEMU_CONT), 0);
	word.move = 7;
	word.word = WORD_CONTINUED;
	target_hears(word);
	assert_int_equal(asked(ACTION_QEMU_CONT), 0);
	context.normal = false; // the word is enough
	word.word = WORD_RENOUNCED;
	target_hears(word);
	assert_int_equal(asked(ACTION_QEMU_CONT), 1);
}

static void an_undone_target_never_continues(void **state)
{
	(void)state;
	target_listens();
	stage(STAGE_UNDO);
	settle_target();
	assert_int_equal(asked(ACTION_QEMU_KILL), 1);
	target_gets_word(WORD_RENOUNCED);
	assert_int_equal(asked(ACTION_QEMU_CONT), 0);
	assert_false(told(WORD_NEVER)); // it still lives
	target_hears((struct event){ .type = EVENT_QEMU_EXITED, .flag = true });
	assert_int_equal(target_due(&target, &context), 0);
	target_hears((struct event){ .type = EVENT_LEASE_RELEASED, .flag = true });
	assert_true(told(WORD_NEVER));
	assert_int_equal(target_due(&target, &context), MOVE_REPORT_TARGET_GONE);
	assert_true(target.never);
	target_gets_word(WORD_RENOUNCED);
	assert_true(told(WORD_NEVER));
	assert_int_equal(asked(ACTION_VM_SPAWN), 0);
}

// Told to continue, and dead before it was seen running: whether it did is not known, unless QEMU's
// monitor knows that it could not.
static void a_target_that_died_may_have_continued(void **state)
{
	(void)state;
	for (int known = 0; known < 2; known++) {
		open_world(NULL);
		target_listens();
		target_gets_word(WORD_RENOUNCED);
		target_hears((struct event){ .type = EVENT_QEMU_EXITED, .flag = known });
		target_hears((struct event){ .type = EVENT_LEASE_RELEASED, .flag = true });
		assert_int_equal(told(WORD_NEVER), known);
		assert_int_equal(target.never, known);
		assert_int_equal(target_due(&target, &context), MOVE_REPORT_FAILED);
	}
}

// QEMU refused to continue, so it never ran: the source goes on, and soon.
static void a_target_that_refuses_never_ran(void **state)
{
	(void)state;
	target_listens();
	target_gets_word(WORD_RENOUNCED);
	assert_int_equal(asked(ACTION_QEMU_CONT), 1);
	target_hears((struct event){
		.type = EVENT_QEMU_PAUSED, .flag = true, .reason = "its disk is locked" });
	assert_int_equal(target.state, TARGET_CONTINUING);
	assert_int_equal(asked(ACTION_QEMU_KILL), 1);
	assert_int_equal(target_due(&target, &context), 0);
	target_hears((struct event){ .type = EVENT_QEMU_EXITED, .flag = true });
	target_hears((struct event){ .type = EVENT_LEASE_RELEASED, .flag = true });
	assert_true(told(WORD_NEVER));
	assert_int_equal(target_due(&target, &context), MOVE_REPORT_FAILED);
	assert_string_equal(target.reason, "its disk is locked");
}

// One that stands for another reason ran, or may have.
static void a_target_that_pauses_has_run(void **state)
{
	(void)state;
	target_listens();
	target_gets_word(WORD_RENOUNCED);
	target_hears((struct event){ .type = EVENT_QEMU_PAUSED, .reason = "I/O error" });
	assert_int_equal(target.state, TARGET_RUNS);
	assert_true(told(WORD_CONTINUED));
	assert_int_equal(asked(ACTION_QEMU_KILL), 0);
}

// Nothing else lets the guest continue meanwhile.
static void a_target_is_told_again_soon(void **state)
{
	(void)state;
	target_listens();
	target_gets_word(WORD_RENOUNCED);
	now_ms += 1000;
	clear();
	settle_target();
	assert_int_equal(asked(ACTION_QEMU_CONT), 1);
	clear();
	settle_target();
	assert_int_equal(asked(ACTION_QEMU_CONT), 0);
}

static void a_target_found_empty_vouches_for_nothing(void **state)
{
	(void)state;
	move.ready = true;
	stage(STAGE_TRANSFER);
	target_begin(&target, &context);
	settle_target();
	assert_int_equal(target.state, TARGET_GONE);
	assert_false(target.never);
	assert_false(told(WORD_NEVER));
	target_gets_word(WORD_RENOUNCED);
	assert_false(told(WORD_NEVER));
	assert_int_equal(target_due(&target, &context), MOVE_REPORT_FAILED);
}

// A daemon starts again with a replica that is a second behind: it shows PREPARE, not yet ready.
static void a_target_begun_on_an_old_replica_vouches_for_nothing(void **state)
{
	(void)state;
	context.normal = false;
	move.shared = true;
	target_begin(&target, &context);
	settle_target();
	// The view becomes normal, and the replica is caught up.
	context.normal = true;
	move.ready = true;
	stage(STAGE_UNDO);
	settle_target();
	assert_int_equal(target.state, TARGET_GONE);
	assert_false(told(WORD_NEVER));
	assert_false(target.never);
}

// The same, caught up with TRANSFER: it must say that nothing is here, or the guest stands for
// ever.
static void a_target_begun_on_an_old_replica_says_so(void **state)
{
	(void)state;
	context.normal = false;
	move.shared = true;
	target_begin(&target, &context);
	settle_target();
	context.normal = true;
	move.ready = true;
	stage(STAGE_TRANSFER);
	settle_target();
	target_gets_word(WORD_RENOUNCED);
	assert_int_equal(target_due(&target, &context), MOVE_REPORT_FAILED);
}

// Its earlier daemon may have told it to continue; QEMU's end is not vouched for.
static void an_adopted_target_whose_end_is_not_vouched_for(void **state)
{
	(void)state;
	move.ready = move.shared = true;
	stage(STAGE_UNDO);
	running_here(RUN_INCOMING, true);
	target_begin(&target, &context);
	settle_target();
	assert_int_equal(asked(ACTION_QEMU_KILL), 1);
	target_hears((struct event){ .type = EVENT_QEMU_EXITED, .flag = false });
	target_hears((struct event){ .type = EVENT_LEASE_RELEASED, .flag = true });
	assert_false(told(WORD_NEVER));
	assert_false(target.never);
}

static void a_target_found_running_has_continued(void **state)
{
	(void)state;
	move.ready = move.shared = true;
	stage(STAGE_UNDO);
	running_here(RUN_RUNNING, true);
	target_begin(&target, &context);
	settle_target();
	assert_int_equal(target_due(&target, &context), MOVE_REPORT_RUNS);
	assert_int_equal(asked(ACTION_QEMU_KILL), 0);
}

// sanlock died under it, and it is ended: that does not undo that it continued (seed 24910).
static void a_target_found_without_its_lease_may_have_continued(void **state)
{
	(void)state;
	for (int never = 0; never < 2; never++) {
		open_world(NULL);
		move.ready = move.shared = true;
		stage(STAGE_TRANSFER);
		hear((struct event){ .type = EVENT_VM_ADOPTED,
				     .run_state = never ? RUN_RECEIVED : RUN_RUNNING });
		clear();
		target_begin(&target, &context);
		settle_target();
		target_hears((struct event){ .type = EVENT_QEMU_EXITED });
		target_hears((struct event){ .type = EVENT_LEASE_RELEASED });
		assert_int_equal(target.state, TARGET_GONE);
		assert_int_equal(target.never, never);
		assert_int_equal(told(WORD_NEVER), never);
	}
}

// Its monitor does not answer: a source may have renounced, a target may have continued, or not.
static void an_end_that_says_nothing_is_not_guessed_at(void **state)
{
	(void)state;
	stage(STAGE_TRANSFER);
	running_here(RUN_UNKNOWN, true);
	clear();
	source_begin(&source, &context);
	settle_source();
	stage(STAGE_UNDO);
	move.target_gone = true;
	settle_source();
	assert_int_equal(actions.count, 0);
	source_hears((struct event){ .type = EVENT_QEMU_RUNNING });
	assert_int_equal(asked(ACTION_LEASE_EXCLUSIVE), 1); // it was not renounced

	open_world(NULL);
	move.ready = move.shared = true;
	stage(STAGE_TRANSFER);
	running_here(RUN_UNKNOWN, true);
	clear();
	target_begin(&target, &context);
	settle_target();
	assert_int_equal(target_due(&target, &context), 0);
	target_hears((struct event){ .type = EVENT_QEMU_RUNNING });
	assert_int_equal(target_due(&target, &context), MOVE_REPORT_RUNS);
}

static void a_target_found_waiting_still_waits(void **state)
{
	(void)state;
	move.ready = move.shared = true;
	stage(STAGE_TRANSFER);
	running_here(RUN_RECEIVED, true);
	target_begin(&target, &context);
	settle_target();
	assert_int_equal(local.life, LIFE_INCOMING);
	target_gets_word(WORD_RENOUNCED);
	assert_int_equal(asked(ACTION_QEMU_CONT), 1);
}

static void a_qemu_that_continues_by_itself_is_killed(void **state)
{
	(void)state;
	target_listens();
	target_hears((struct event){ .type = EVENT_QEMU_RUNNING });
	assert_int_equal(asked(ACTION_QEMU_KILL), 1);
	assert_int_equal(target_due(&target, &context), 0);
}

static void target_is_found_standing(enum move_stage at)
{
	local.sanlock_epoch = 0;
	move.shared = move.ready = true;
	stage(at);
	hear((struct event){ .type = EVENT_VM_ADOPTED,
			     .flag = true,
			     .shared = true,
			     .run_state = RUN_PAUSED });
	target_begin(&target, &context);
	settle_target();
}

// An earlier daemon was to let it continue, and wrote that down. Whether QEMU heard of it nobody
// knows; the source's word is still the source's word.
static void a_target_found_standing_continues(void **state)
{
	(void)state;
	target_is_found_standing(STAGE_TRANSFER);
	assert_int_equal(asked(ACTION_QEMU_CONT), 0);
	assert_int_equal(target_due(&target, &context), 0);
	target_gets_word(WORD_RENOUNCED);
	assert_int_equal(asked(ACTION_QEMU_CONT), 1);
	assert_false(told(WORD_CONTINUED));
	target_hears((struct event){ .type = EVENT_QEMU_RUNNING });
	assert_int_equal(target_due(&target, &context), MOVE_REPORT_RUNS);
	target_gets_word(WORD_RENOUNCED);
	assert_true(told(WORD_CONTINUED));
	assert_int_equal(asked(ACTION_QEMU_CONT), 0);
}

// The others know that it runs here: the source ends, and this is the only one that is left.
static void a_target_found_standing_in_clean_up_stays(void **state)
{
	(void)state;
	target_is_found_standing(STAGE_CLEANUP);
	assert_int_equal(asked(ACTION_QEMU_KILL), 0);
	assert_int_equal(target.state, TARGET_RUNS);
}

#define TEST(test) cmocka_unit_test_setup(test, open_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_comes_where_it_may_not_be_any_more),
		TEST(a_target_takes_over),
		TEST(a_guest_without_all_its_memory_is_ended),
		TEST(a_target_needs_the_word_of_its_source_for_this_move),
		TEST(an_undone_target_never_continues),
		TEST(a_target_that_died_may_have_continued),
		TEST(a_target_that_refuses_never_ran),
		TEST(a_target_that_pauses_has_run),
		TEST(a_target_is_told_again_soon),
		TEST(a_target_found_empty_vouches_for_nothing),
		TEST(a_target_begun_on_an_old_replica_vouches_for_nothing),
		TEST(a_target_begun_on_an_old_replica_says_so),
		TEST(an_adopted_target_whose_end_is_not_vouched_for),
		TEST(a_target_found_running_has_continued),
		TEST(a_target_found_without_its_lease_may_have_continued),
		TEST(an_end_that_says_nothing_is_not_guessed_at),
		TEST(a_target_found_waiting_still_waits),
		TEST(a_target_found_standing_continues),
		TEST(a_target_found_standing_in_clean_up_stays),
		TEST(a_qemu_that_continues_by_itself_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
