// SPDX-License-Identifier: Apache-2.0
// The two ends of a move and the saving, each alone, against a move made by hand: who says what,
// who may continue when, and what an end believes of what it did not see.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "migration/ends.h"

enum { PEER = 2 };

static struct action items[64];
static uint8_t bytes[65536];
static struct actions actions = {
	.items = items, .max = 64, .bytes = bytes, .size = sizeof(bytes)
};
static struct move move;
static struct vm vm;
static struct vm_def def;
static struct vm_local local;
static struct move_context context;
static struct move_source source;
static struct move_target target;
static struct move_save save;
static uint64_t now_ms;

static uint32_t asked(enum action_type type)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < actions.count; i++)
		count += items[i].type == type;
	return count;
}

static bool told(enum move_word word)
{
	for (uint32_t i = 0; i < actions.count; i++)
		if (items[i].type == ACTION_MOVE_TELL && items[i].word == word)
			return true;
	return false;
}

static void clear(void)
{
	actions.count = 0;
	actions.used = 0;
	context.now_ms = now_ms;
}

static int open_world(void **state)
{
	(void)state;
	now_ms = 100000;
	move = (struct move){ .id = 7,
			      .vm = { 0, 1 },
			      .kind = MOVE_LIVE,
			      .stage = STAGE_PREPARE,
			      .source = 0,
			      .target = 1,
			      .attempt = 4 };
	vm = (struct vm){ .used = true, .ref = { 0, 1 }, .move = 7, .saved_volume = 1 };
	def = (struct vm_def){ .memory_mib = 128, .max_pause_ms = 1000 };
	local = (struct vm_local){ .ref = { 0, 1 }, .deadline_ms = UINT64_MAX };
	context = (struct move_context){ .move = &move,
					 .vm = &vm,
					 .def = &def,
					 .local = &local,
					 .peer_id = PEER,
					 .peer = "n2",
					 .normal = true,
					 .actions = &actions };
	clear();
	return 0;
}

// What clusterd/local.c does in each step.
static void settle_source(void)
{
	uint8_t life, before;

	do {
		struct vm_wish wish = { .keep = true, .why = "", .stop_timeout_ms = 1000 };

		life = local.life;
		before = source.state;
		source_step(&source, &context);
		source_wish(&source, &context, &wish);
		vm_local_wish(&local, &wish, now_ms, &actions);
	} while (life != local.life || before != source.state);
}

static void settle_target(void)
{
	uint8_t life, before;

	do {
		struct vm_wish wish = { .why = "", .stop_timeout_ms = 1000 };

		life = local.life;
		before = target.state;
		target_step(&target, &context);
		target_wish(&target, &context, &wish);
		vm_local_wish(&local, &wish, now_ms, &actions);
	} while (life != local.life || before != target.state);
}

static void settle_save(void)
{
	uint8_t life, before;

	do {
		struct vm_wish wish = { .keep = true, .why = "", .stop_timeout_ms = 1000 };

		life = local.life;
		before = save.state;
		save_step(&save, &context);
		save_wish(&save, &context, &wish);
		vm_local_wish(&local, &wish, now_ms, &actions);
	} while (life != local.life || before != save.state);
}

static void hear(struct event event)
{
	event.vm = local.ref;
	event.attempt = local.attempt;
	event.now_ms = now_ms;
	clear();
	vm_local_event(&local, &event, &actions);
}

static void source_hears(struct event event)
{
	hear(event);
	source_event(&source, &context, &event);
	settle_source();
}

static void target_hears(struct event event)
{
	hear(event);
	target_event(&target, &context, &event);
	settle_target();
}

static void save_hears(struct event event)
{
	hear(event);
	save_event(&save, &context, &event);
	settle_save();
}

static void source_migrates(enum migrate_status status)
{
	struct migrate_stats stats = { .status = (uint8_t)status,
				       .rounds = 1,
				       .rate = 1 << 30,
				       .transferred = ++now_ms,
				       .remaining = 1 << 20 };

	source_hears((struct event){ .type = EVENT_MIGRATE, .stats = &stats });
}

static void source_gets_word(enum move_word word)
{
	source_hears((struct event){
		.type = EVENT_MOVE_WORD, .node_id = PEER, .move = 7, .word = (uint8_t)word });
}

static void target_gets_word(enum move_word word)
{
	target_hears((struct event){
		.type = EVENT_MOVE_WORD, .node_id = PEER, .move = 7, .word = (uint8_t)word });
}

static void stage(enum move_stage to)
{
	move.stage = (uint8_t)to;
	clear();
}

static void running_here(enum run_state run_state, bool shared)
{
	hear((struct event){ .type = EVENT_VM_ADOPTED,
			     .flag = true,
			     .run_state = (uint8_t)run_state,
			     .shared = shared });
}

static void source_prepares(void)
{
	running_here(RUN_RUNNING, false);
	clear();
	source_begin(&source, &context);
	settle_source();
	assert_int_equal(asked(ACTION_LEASE_SHARE), 1);
	assert_int_equal(asked(ACTION_LINK_CHECK), 1);
	assert_int_equal(asked(ACTION_DIRTY_RATE), 1);
	assert_int_equal(source_due(&source, &context), 0);
	source_hears((struct event){ .type = EVENT_LEASE_SHARED, .flag = true });
	assert_int_equal(source_due(&source, &context), MOVE_REPORT_SHARED);
	move.shared = move.ready = true;
	source_hears((struct event){ .type = EVENT_DIRTY_RATE, .flag = true, .index = 1000 });
}

static void source_sends(void)
{
	source_prepares();
	stage(STAGE_TRANSFER);
	settle_source();
	assert_int_equal(asked(ACTION_MIGRATE), 0); // not a byte before the link was proven
	source_hears((struct event){
		.type = EVENT_LINK_CHECKED, .node_id = PEER, .cookie = 7, .flag = true });
	assert_int_equal(asked(ACTION_MIGRATE), 1);
	assert_int_equal(source.state, SOURCE_SENDING);
}

static void source_renounces(void)
{
	source_sends();
	source_migrates(MIGRATE_ACTIVE);
	assert_int_equal(actions.count, 1); // for whoever looks
	source_migrates(MIGRATE_PRE_SWITCHOVER);
	assert_int_equal(asked(ACTION_MIGRATE_CONTINUE), 1);
	assert_int_equal(source_due(&source, &context), MOVE_REPORT_HANDOVER);
	assert_false(told(WORD_RENOUNCED));
	source_migrates(MIGRATE_COMPLETED);
	assert_int_equal(local.life, LIFE_HANDED);
}

static void a_source_hands_over(void **state)
{
	(void)state;
	source_renounces();
	assert_true(told(WORD_RENOUNCED));
	now_ms += WORD_AGAIN_MS;
	clear();
	settle_source();
	assert_true(told(WORD_RENOUNCED)); // until it is answered
	source_gets_word(WORD_CONTINUED);
	now_ms += 10 * WORD_AGAIN_MS;
	clear();
	settle_source();
	assert_int_equal(actions.count, 0);
	assert_int_equal(local.life, LIFE_HANDED); // verified first, by a committed entry
	stage(STAGE_CLEANUP);
	settle_source();
	assert_int_equal(asked(ACTION_QEMU_KILL), 1);
	assert_int_equal(source_due(&source, &context), 0);
	source_hears((struct event){ .type = EVENT_QEMU_EXITED });
	assert_int_equal(source_due(&source, &context), 0); // its lease is not free yet
	source_hears((struct event){ .type = EVENT_LEASE_RELEASED, .flag = true });
	assert_int_equal(source_due(&source, &context), MOVE_REPORT_SOURCE_GONE);
}

// QEMU continues a guest by itself whose migration failed: it was not renounced, and is not gone.
static void a_failed_source_runs_on(void **state)
{
	(void)state;
	for (int at = 0; at < 3; at++) {
		open_world(NULL);
		source_sends();
		if (at > 0)
			source_migrates(MIGRATE_PRE_SWITCHOVER);
		if (at > 1)
			source_migrates(MIGRATE_DEVICE);
		source_migrates(MIGRATE_FAILED);
		assert_int_equal(source.state, SOURCE_FAILED);
		assert_int_equal(local.life, LIFE_RUNNING);
		assert_int_equal(asked(ACTION_QEMU_KILL), 0);
		assert_int_equal(asked(ACTION_QEMU_CONT), at > 0); // QEMU may leave it paused
		assert_false(told(WORD_RENOUNCED));
		assert_int_equal(source_due(&source, &context), MOVE_REPORT_FAILED);
		stage(STAGE_UNDO);
		settle_source();
		assert_int_equal(asked(ACTION_LEASE_EXCLUSIVE), 0); // the target may live
		move.target_gone = move.target_died = true;
		settle_source();
		assert_int_equal(asked(ACTION_LEASE_EXCLUSIVE), 1);
		source_hears((struct event){ .type = EVENT_LEASE_EXCLUSIVE,
					     .lease_error = LEASE_ERROR_HELD,
					     .reason = "held" });
		assert_int_equal(source_due(&source, &context), 0);
		now_ms += 5000;
		clear();
		settle_source();
		assert_int_equal(asked(ACTION_LEASE_EXCLUSIVE), 1);
		source_hears((struct event){ .type = EVENT_LEASE_EXCLUSIVE, .flag = true });
		assert_int_equal(source_due(&source, &context), MOVE_REPORT_EXCLUSIVE);
		assert_int_equal(local.life, LIFE_RUNNING);
	}
}

static void the_lease_is_taken_then_it_continues(void)
{
	assert_int_equal(source.state, SOURCE_RESUMING);
	assert_int_equal(asked(ACTION_LEASE_EXCLUSIVE), 1);
	assert_int_equal(asked(ACTION_QEMU_CONT), 0);
	source_hears((struct event){ .type = EVENT_LEASE_EXCLUSIVE, .flag = true });
	assert_int_equal(asked(ACTION_QEMU_CONT), 1);
	source_hears((struct event){ .type = EVENT_QEMU_RUNNING });
	assert_int_equal(source.state, SOURCE_STAYED);
}

static void a_renounced_source_continues_on_the_targets_word(void **state)
{
	(void)state;
	source_renounces();
	source_gets_word(WORD_NEVER);
	the_lease_is_taken_then_it_continues();
	assert_int_equal(source_due(&source, &context), MOVE_REPORT_FAILED);

	// The same word, committed.
	open_world(NULL);
	source_renounces();
	stage(STAGE_UNDO);
	settle_source();
	assert_int_equal(local.life, LIFE_HANDED);
	move.target_gone = true;
	settle_source();
	the_lease_is_taken_then_it_continues();
	assert_int_equal(source_due(&source, &context), MOVE_REPORT_EXCLUSIVE);
}

// The target may have continued before it died: what is in memory here may be older than the disk.
static void a_told_source_ends_when_the_target_died(void **state)
{
	(void)state;
	source_renounces();
	stage(STAGE_UNDO);
	move.target_gone = move.target_died = true;
	settle_source();
	assert_int_equal(asked(ACTION_QEMU_CONT), 0);
	assert_int_equal(asked(ACTION_LEASE_EXCLUSIVE), 0);
	assert_int_equal(asked(ACTION_QEMU_KILL), 1);
}

// Nobody was told: nobody can have continued.
static void an_untold_source_continues_when_the_target_died(void **state)
{
	(void)state;
	source_sends();
	source_migrates(MIGRATE_PRE_SWITCHOVER);
	stage(STAGE_UNDO);
	source_migrates(MIGRATE_COMPLETED);
	assert_false(told(WORD_RENOUNCED));
	move.target_gone = move.target_died = true;
	settle_source();
	the_lease_is_taken_then_it_continues();
}

// Whether an earlier daemon told the target is not known: it did.
static void a_found_source_counts_as_told(void **state)
{
	(void)state;
	stage(STAGE_UNDO);
	running_here(RUN_POSTMIGRATE, true);
	source_begin(&source, &context);
	settle_source();
	assert_int_equal(local.life, LIFE_HANDED);
	move.target_gone = move.target_died = true;
	clear();
	settle_source();
	assert_int_equal(asked(ACTION_QEMU_KILL), 1);
	assert_int_equal(asked(ACTION_QEMU_CONT), 0);
}

static void an_error_is_no_success(void **state)
{
	(void)state;
	source_renounces();
	source_gets_word(WORD_NEVER);
	source_hears((struct event){ .type = EVENT_LEASE_EXCLUSIVE,
				     .lease_error = LEASE_ERROR_STORAGE,
				     .reason = "timeout" });
	assert_int_equal(asked(ACTION_QEMU_CONT), 0);
	assert_int_equal(asked(ACTION_QEMU_KILL), 1);
	assert_int_equal(local.hold.state, HOLD_SHARED);
}

static void a_switch_needs_a_normal_view_and_no_cancel(void **state)
{
	(void)state;
	for (int why = 0; why < 4; why++) {
		open_world(NULL);
		source_sends();
		context.normal = why != 0;
		move.cancelled = why == 1;
		context.leaving = why == 2;
		if (why == 3)
			stage(STAGE_UNDO);
		source_migrates(MIGRATE_PRE_SWITCHOVER);
		assert_int_equal(asked(ACTION_MIGRATE_CONTINUE), 0);
		assert_int_equal(asked(ACTION_MIGRATE_CANCEL), 1);
		source_migrates(MIGRATE_CANCELLED);
		assert_int_equal(source.state, SOURCE_FAILED);
	}
}

static void nothing_is_cancelled_after_the_switch(void **state)
{
	(void)state;
	source_sends();
	source_migrates(MIGRATE_PRE_SWITCHOVER);
	stage(STAGE_UNDO);
	move.cancelled = true;
	settle_source();
	source_migrates(MIGRATE_DEVICE);
	assert_int_equal(asked(ACTION_MIGRATE_CANCEL), 0);
	// Found in it by a new daemon, which does not know how far it is until QEMU has said so.
	open_world(NULL);
	stage(STAGE_UNDO);
	running_here(RUN_SENDING, true);
	source_begin(&source, &context);
	clear();
	settle_source();
	assert_int_equal(source.state, SOURCE_SENDING);
	assert_int_equal(asked(ACTION_MIGRATE_CANCEL), 0);
	source_migrates(MIGRATE_DEVICE);
	assert_int_equal(asked(ACTION_MIGRATE_CANCEL), 0);
	source_migrates(MIGRATE_COMPLETED);
	assert_int_equal(local.life, LIFE_HANDED);
}

static void it_completes_although_it_was_cancelled(void **state)
{
	(void)state;
	source_sends();
	stage(STAGE_UNDO);
	settle_source();
	assert_int_equal(asked(ACTION_MIGRATE_CANCEL), 1);
	source_migrates(MIGRATE_COMPLETED);
	assert_int_equal(local.life, LIFE_HANDED);
	assert_false(told(WORD_RENOUNCED));
	move.target_gone = true;
	settle_source();
	the_lease_is_taken_then_it_continues();
}

static void a_link_that_fails_ends_it_before_a_byte(void **state)
{
	(void)state;
	source_prepares();
	source_hears((struct event){ .type = EVENT_LINK_CHECKED,
				     .node_id = PEER,
				     .cookie = 7,
				     .reason = "certificate of another cluster" });
	stage(STAGE_TRANSFER);
	settle_source();
	assert_int_equal(asked(ACTION_MIGRATE), 0);
	assert_int_equal(source_due(&source, &context), MOVE_REPORT_FAILED);
	assert_string_equal(source.reason, "certificate of another cluster");
}

static void a_lease_that_could_not_be_shared_counts_as_shared(void **state)
{
	(void)state;
	running_here(RUN_RUNNING, false);
	source_begin(&source, &context);
	settle_source();
	source_hears((struct event){ .type = EVENT_LEASE_SHARED,
				     .reason = "timeout",
				     .lease_error = LEASE_ERROR_STORAGE });
	assert_int_equal(local.hold.state, HOLD_SHARED);
	assert_int_equal(source_due(&source, &context), MOVE_REPORT_FAILED);
	assert_int_equal(local.life, LIFE_RUNNING);
}

// ---- the target

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
	assert_int_equal(target_due(&target, &context), MOVE_REPORT_RUNS);
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
	target_hears((struct event){ .type = EVENT_QEMU_EXITED });
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
	assert_int_equal(asked(ACTION_LEASE_EXCLUSIVE), 1);	// it was not renounced

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
	open_world(NULL);
	source_renounces();
	source_hears((struct event){ .type = EVENT_QEMU_RUNNING });
	assert_int_equal(asked(ACTION_QEMU_KILL), 1);
}

// ---- saving

static void save_saves(void)
{
	move.kind = MOVE_QUICK;
	stage(STAGE_SAVE);
	running_here(RUN_RUNNING, false);
	save_begin(&save, &context);
	clear();
	settle_save();
	assert_int_equal(asked(ACTION_SAVE), 1);
	assert_int_equal(items[0].volume, 1);
}

static void a_guest_is_saved(void **state)
{
	(void)state;
	save_saves();
	save_hears((struct event){ .type = EVENT_SAVED, .flag = true, .index = 1000 });
	assert_int_equal(asked(ACTION_QEMU_KILL), 1);
	assert_int_equal(save_due(&save, &context), 0);
	save_hears((struct event){ .type = EVENT_QEMU_EXITED });
	assert_int_equal(save_due(&save, &context), 0);
	save_hears((struct event){ .type = EVENT_LEASE_RELEASED, .flag = true });
	assert_int_equal(save_due(&save, &context), MOVE_REPORT_SAVED);
	assert_int_equal(save.fact.bytes, 1000);
}

static void a_guest_that_cannot_be_saved_runs_on(void **state)
{
	(void)state;
	save_saves();
	save_hears((struct event){ .type = EVENT_SAVED, .reason = "No space left on device" });
	assert_int_equal(asked(ACTION_QEMU_KILL), 0);
	assert_int_equal(asked(ACTION_QEMU_CONT), 1);
	assert_int_equal(save_due(&save, &context), MOVE_REPORT_FAILED);
	assert_string_equal(save.reason, "No space left on device");
	open_world(NULL);
	save_saves();
	move.cancelled = true;
	clear();
	settle_save();
	settle_save();
	assert_int_equal(asked(ACTION_MIGRATE_CANCEL), 1);
}

static void a_saved_guest_that_was_found_continues(void **state)
{
	(void)state;
	stage(STAGE_SAVE);
	running_here(RUN_POSTMIGRATE, false);
	save_begin(&save, &context);
	clear();
	settle_save();
	assert_int_equal(asked(ACTION_QEMU_CONT), 1);
	save_hears((struct event){ .type = EVENT_QEMU_RUNNING });
	assert_int_equal(save_due(&save, &context), MOVE_REPORT_FAILED);
}

#define TEST(test) cmocka_unit_test_setup(test, open_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_source_hands_over),
		TEST(a_failed_source_runs_on),
		TEST(a_renounced_source_continues_on_the_targets_word),
		TEST(a_told_source_ends_when_the_target_died),
		TEST(an_untold_source_continues_when_the_target_died),
		TEST(a_found_source_counts_as_told),
		TEST(an_error_is_no_success),
		TEST(a_switch_needs_a_normal_view_and_no_cancel),
		TEST(nothing_is_cancelled_after_the_switch),
		TEST(it_completes_although_it_was_cancelled),
		TEST(a_link_that_fails_ends_it_before_a_byte),
		TEST(a_lease_that_could_not_be_shared_counts_as_shared),
		TEST(a_target_takes_over),
		TEST(a_target_needs_the_word_of_its_source_for_this_move),
		TEST(an_undone_target_never_continues),
		TEST(a_target_that_died_may_have_continued),
		TEST(a_target_found_empty_vouches_for_nothing),
		TEST(a_target_found_running_has_continued),
		TEST(a_target_found_without_its_lease_may_have_continued),
		TEST(a_target_found_waiting_still_waits),
		TEST(an_end_that_says_nothing_is_not_guessed_at),
		TEST(a_qemu_that_continues_by_itself_is_killed),
		TEST(a_guest_is_saved),
		TEST(a_guest_that_cannot_be_saved_runs_on),
		TEST(a_saved_guest_that_was_found_continues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
