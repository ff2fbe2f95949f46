// SPDX-License-Identifier: Apache-2.0
// The source of a move alone: who says what, who may continue when.
#include "tests/unit/move_ends_world.h"

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
	assert_int_equal(source_due(&source, &context), 0); // not before the link was proven
	source_hears((struct event){ .type = EVENT_LINK_CHECKED,
				     .node_id = PEER,
				     .cookie = 7,
				     .flag = true,
				     .reason = "10.2.0.2" });
	assert_int_equal(source_due(&source, &context), MOVE_REPORT_SHARED);
	assert_string_equal(source.via, "10.2.0.2");
	move.shared = move.ready = true;
	source_hears((struct event){ .type = EVENT_DIRTY_RATE, .flag = true, .index = 1000 });
}

static void source_sends(void)
{
	source_prepares();
	assert_int_equal(asked(ACTION_MIGRATE), 0);
	stage(STAGE_TRANSFER);
	settle_source();
	assert_int_equal(asked(ACTION_MIGRATE), 1);
	assert_int_equal(source.state, SOURCE_SENDING);
}

// More streams than one where there are processors for them; encryption needs fewer to pay.
static void streams_go_by_memory_and_processors(void **state)
{
	static const uint32_t cpus[] = { 0, 1, 2, 3, 4, 64 }, channels[] = { 4, 1, 1, 1, 4, 4 },
			      tls[] = { 4, 1, 4, 4, 4, 4 };

	(void)state;
	for (uint32_t i = 0; i < 6; i++) {
		def.memory_mib = 1024;
		context.cpus = cpus[i];
		context.tls = false;
		assert_int_equal(move_params(&context)->channels, channels[i]);
		context.tls = true;
		assert_int_equal(move_params(&context)->channels, tls[i]);
		def.memory_mib = 1023;
		assert_int_equal(move_params(&context)->channels, 1);
		clear();
	}
	def.memory_mib = 4096;
	def.post_copy = true;
	assert_int_equal(move_params(&context)->channels, 1);
	assert_true(move_params(&context)->post_copy);
	context.no_post_copy = true;
	assert_int_equal(move_params(&context)->channels, 4);
	assert_false(move_params(&context)->post_copy);
}

static void source_renounces(void)
{
	source_sends();
	source_migrates(MIGRATE_ACTIVE);
	assert_int_equal(actions.count, 1); // for whoever looks
	source_migrates(MIGRATE_PRE_SWITCHOVER);
	assert_int_equal(asked(ACTION_MIGRATE_CONTINUE), 1);
	assert_int_equal(source_due(&source, &context), 0); // nothing is agreed on meanwhile
	assert_false(told(WORD_RENOUNCED));
	source_migrates(MIGRATE_COMPLETED);
	assert_int_equal(local.life, LIFE_HANDED);
}

static void a_hand_over_that_takes_long_is_shown(void **state)
{
	(void)state;
	source_sends();
	source_migrates(MIGRATE_PRE_SWITCHOVER);
	assert_int_equal(source_due(&source, &context), 0);
	assert_true(source_deadline_ms(&source, &context) <= now_ms + 200);
	now_ms += 200;
	source_migrates(MIGRATE_DEVICE);
	assert_int_equal(source_due(&source, &context), MOVE_REPORT_HANDOVER);
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

// Its monitor did not answer when it was found. What it had done by then, its daemon may have told.
static void a_source_found_deaf_that_is_done_counts_as_told(void **state)
{
	(void)state;
	for (int at = 0; at < 2; at++) {
		open_world(NULL);
		stage(STAGE_UNDO);
		running_here(RUN_UNKNOWN, true);
		source_begin(&source, &context);
		settle_source();
		assert_int_equal(source.state, SOURCE_SENDING);
		if (at == 1) // seen at it: it cannot have been told before
			source_migrates(MIGRATE_DEVICE);
		move.target_gone = move.target_died = true;
		source_migrates(MIGRATE_COMPLETED);
		assert_int_equal(source.state, at == 0 ? SOURCE_ENDING : SOURCE_RESUMING);
		assert_int_equal(asked(ACTION_QEMU_KILL), at == 0);
		assert_int_equal(asked(ACTION_QEMU_CONT), 0);
	}
}

static void the_lease_cannot_be_taken(void)
{
	source_hears((struct event){ .type = EVENT_LEASE_EXCLUSIVE,
				     .lease_error = LEASE_ERROR_STORAGE,
				     .reason = "timeout" });
	assert_int_equal(asked(ACTION_QEMU_CONT), 0);
	assert_int_equal(local.hold.state, HOLD_SHARED);
}

// Nor is it the end at once: this is the only copy of the guest's memory, and a slow disk passes.
static void an_error_is_no_success(void **state)
{
	(void)state;
	source_renounces();
	source_gets_word(WORD_NEVER);
	the_lease_cannot_be_taken();
	assert_int_equal(asked(ACTION_QEMU_KILL), 0);
	now_ms += 5000;
	clear();
	settle_source();
	assert_int_equal(asked(ACTION_LEASE_EXCLUSIVE), 1);
	the_lease_cannot_be_taken();
	now_ms += 60000;
	clear();
	settle_source();
	assert_int_equal(asked(ACTION_QEMU_CONT), 0);
	assert_int_equal(asked(ACTION_QEMU_KILL), 1);
}

// The rest does not get through: QEMU is made to fail, and goes on by itself. Never cancelled.
static void a_switch_that_hangs_is_broken_off(void **state)
{
	(void)state;
	for (int why = 0; why < 2; why++) {
		open_world(NULL);
		source_sends();
		source_migrates(MIGRATE_PRE_SWITCHOVER);
		source_migrates(MIGRATE_DEVICE);
		stage(STAGE_UNDO);
		settle_source();
		assert_int_equal(asked(ACTION_MIGRATE_BREAK),
				 0); // it may still be done in a moment
		if (why == 0)
			move.target_gone = move.target_died = true;
		else
			context.now_ms = now_ms += 20000;
		assert_true(why == 0 || source_deadline_ms(&source, &context) <= now_ms ||
			    source_deadline_ms(&source, &context) == UINT64_MAX);
		settle_source();
		assert_int_equal(asked(ACTION_MIGRATE_BREAK), 1);
		settle_source();
		assert_int_equal(asked(ACTION_MIGRATE_BREAK), 1);
		assert_in_range(source_deadline_ms(&source, &context), now_ms + 1, now_ms + 1000);
		now_ms += 1000;
		clear();
		settle_source();
		assert_int_equal(asked(ACTION_MIGRATE_BREAK), 1);
		assert_int_equal(asked(ACTION_MIGRATE_CANCEL), 0);
		source_migrates(MIGRATE_FAILED);
		assert_int_equal(source.state, why == 0 ? SOURCE_TAKING : SOURCE_FAILED);
		assert_int_equal(local.life, LIFE_RUNNING);
		assert_false(told(WORD_RENOUNCED));
	}
}

static void it_is_cancelled_and_runs_on(const char *words)
{
	assert_int_equal(source.state, SOURCE_CANCELLING);
	assert_int_equal(asked(ACTION_MIGRATE_CANCEL), 1);
	assert_true(source.broke); // so the next network is tried
	assert_non_null(strstr(source.reason, words));
	assert_int_equal(source_due(&source, &context), MOVE_REPORT_FAILED);
	// It may hang in its other connections: those are shut down, too.
	assert_in_range(source_deadline_ms(&source, &context), now_ms + 1, now_ms + 3000);
	context.now_ms = now_ms += 3000;
	clear();
	settle_source();
	assert_int_equal(asked(ACTION_MIGRATE_BREAK), 1);
	settle_source();
	assert_int_equal(asked(ACTION_MIGRATE_BREAK), 1);
	source_migrates(MIGRATE_CANCELLED);
	assert_int_equal(source.state, SOURCE_FAILED);
	assert_int_equal(local.life, LIFE_RUNNING);
	assert_true(source.broke);
}

// The network was cut before QEMU had connected: TCP would try for minutes, and QEMU with it.
static void a_target_that_is_not_reached_is_given_up(void **state)
{
	(void)state;
	source_sends();
	assert_int_equal(source_deadline_ms(&source, &context), now_ms + 15000);
	while (now_ms + 100 < source.since_ms + 15000) {
		now_ms += 90;
		source_migrates(MIGRATE_SETUP);
		assert_int_equal(asked(ACTION_MIGRATE_CANCEL), 0);
	}
	now_ms = source.since_ms + 15000;
	source_migrates(MIGRATE_SETUP);
	it_is_cancelled_and_runs_on("did not reach the target");
	// One that has connected is judged by what it sends.
	open_world(NULL);
	source_sends();
	source_migrates(MIGRATE_ACTIVE);
	assert_int_equal(source_deadline_ms(&source, &context), now_ms + 30000);
}

// Packets vanish in the middle: nobody says so.
static void a_network_that_swallows_all_is_given_up(void **state)
{
	struct migrate_stats stats = { .status = MIGRATE_ACTIVE, .transferred = 1000, .rounds = 1 };

	(void)state;
	source_sends();
	for (int i = 0; source.state == SOURCE_SENDING && i < 400; i++) {
		context.now_ms = now_ms += 100;
		source_hears((struct event){ .type = EVENT_MIGRATE, .stats = &stats });
	}
	it_is_cancelled_and_runs_on("nothing was sent for 30 s");
	// Also the last of it, of which QEMU itself makes a failure.
	open_world(NULL);
	source_sends();
	source_migrates(MIGRATE_PRE_SWITCHOVER);
	source_migrates(MIGRATE_DEVICE);
	context.now_ms = now_ms += 20000;
	settle_source();
	assert_int_equal(asked(ACTION_MIGRATE_BREAK), 1);
	source_migrates(MIGRATE_FAILED);
	assert_true(source.broke);
	// A target that is gone is no fault of the network.
	open_world(NULL);
	source_sends();
	stage(STAGE_UNDO);
	move.target_gone = true;
	source_migrates(MIGRATE_FAILED);
	assert_false(source.broke);
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

// What was lost with QEMU's monitor is said again, and never the other thing.
static void what_qemu_was_told_is_told_again(void **state)
{
	(void)state;
	source_sends();
	source_migrates(MIGRATE_PRE_SWITCHOVER);
	assert_int_equal(asked(ACTION_MIGRATE_CONTINUE), 1);
	clear();
	source_migrates(MIGRATE_PRE_SWITCHOVER);
	assert_int_equal(asked(ACTION_MIGRATE_CONTINUE), 0);
	context.now_ms = now_ms += 1000;
	source_migrates(MIGRATE_PRE_SWITCHOVER);
	assert_int_equal(asked(ACTION_MIGRATE_CONTINUE), 1);
	assert_int_equal(asked(ACTION_MIGRATE_CANCEL), 0);
	open_world(NULL);
	source_sends();
	move.cancelled = true;
	settle_source();
	assert_int_equal(asked(ACTION_MIGRATE_CANCEL), 1);
	clear();
	context.now_ms = now_ms += 1000;
	source_migrates(MIGRATE_PRE_SWITCHOVER);
	assert_int_equal(asked(ACTION_MIGRATE_CANCEL), 1);
	assert_int_equal(asked(ACTION_MIGRATE_CONTINUE), 0);
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

// Its daemon is new, and the target is ready sooner than the link: the earlier daemon's handshake
// proves nothing.
static void a_source_that_is_new_asks_the_link_again(void **state)
{
	(void)state;
	running_here(RUN_RUNNING, true);
	move.shared = true;
	clear();
	source_begin(&source, &context);
	settle_source();
	assert_int_equal(asked(ACTION_LINK_CHECK), 1);
	source_hears((struct event){ .type = EVENT_DIRTY_RATE, .flag = true, .index = 1000 });
	move.ready = true;
	stage(STAGE_TRANSFER);
	clear();
	settle_source();
	assert_int_equal(asked(ACTION_MIGRATE), 0);
	source_hears((struct event){
		.type = EVENT_LINK_CHECKED, .node_id = PEER, .cookie = 7, .flag = true });
	assert_int_equal(asked(ACTION_MIGRATE), 1);
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

// Forced: no guest is lost that the administrator wants.
static void a_forced_stop_ends_a_source_that_hangs(void **state)
{
	struct vm_wish wish = { .stop = true, .why = "forced" };

	(void)state;
	source_renounces();
	move.cancelled = true;
	stage(STAGE_UNDO);
	source_step(&source, &context);
	source_wish(&source, &context, &wish);
	vm_local_wish(&local, &wish, now_ms, &actions);
	assert_int_equal(asked(ACTION_QEMU_KILL), 1);
}

// Post-copy: the target ran it and died. The rest of the memory has nowhere to go.
static void a_source_ends_when_its_post_copy_target_died(void **state)
{
	(void)state;
	def.post_copy = true;
	source_sends();
	source_migrates(MIGRATE_ACTIVE);
	source_migrates(MIGRATE_PRE_SWITCHOVER);
	source_migrates(MIGRATE_POSTCOPY);
	assert_int_equal(local.life, LIFE_HANDED);
	stage(STAGE_CLEANUP);
	settle_source();
	assert_int_equal(asked(ACTION_QEMU_KILL), 0);
	move.target_gone = move.target_died = true;
	clear();
	settle_source();
	source_migrates(MIGRATE_POSTCOPY); // postcopy-paused, for ever
	now_ms += 3600000;
	settle_source();
	assert_int_equal(local.life, LIFE_KILLING);
}

static void post_copy_begins(void)
{
	def.post_copy = true;
	source_sends();
	source_migrates(MIGRATE_ACTIVE);
	source_migrates(MIGRATE_PRE_SWITCHOVER);
	source_migrates(MIGRATE_POSTCOPY);
	source_gets_word(WORD_CONTINUED);
	stage(STAGE_CLEANUP);
	settle_source();
	assert_int_equal(local.life, LIFE_HANDED);
}

// The network swallows the rest, which nobody would ever see: QEMU is made to see it.
static void a_rest_that_does_not_get_through_is_broken_off(void **state)
{
	struct migrate_stats stats = { .status = MIGRATE_POSTCOPY, .transferred = 12345 };
	uint64_t began_ms;

	(void)state;
	post_copy_begins();
	for (int i = 0; i < 600; i++) {
		now_ms += 100;
		source_migrates(MIGRATE_POSTCOPY); // slow, but it gets on
		assert_int_equal(asked(ACTION_MIGRATE_BREAK), 0);
	}
	source_hears((struct event){ .type = EVENT_MIGRATE, .stats = &stats });
	began_ms = now_ms;
	for (now_ms += 1000; now_ms < began_ms + 30000; now_ms += 1000) {
		source_hears((struct event){ .type = EVENT_MIGRATE, .stats = &stats });
		assert_int_equal(asked(ACTION_MIGRATE_BREAK), 0);
		assert_in_range(source_deadline_ms(&source, &context), now_ms + 1,
				began_ms + 30000);
	}
	source_hears((struct event){ .type = EVENT_MIGRATE, .stats = &stats });
	assert_int_equal(asked(ACTION_MIGRATE_BREAK), 1);
	assert_int_equal(asked(ACTION_QEMU_KILL), 0);
	source_migrates(MIGRATE_TORN);
	assert_int_equal(asked(ACTION_QEMU_KILL), 1);
	assert_int_equal(asked(ACTION_QEMU_CONT), 0);
}

// The target could not have the disk, and never continued. QEMU does not take the guest back before
// the end of its post-copy, nor ever where that was torn.
static void a_post_copy_comes_back_whole_or_not_at_all(void **state)
{
	for (int torn = 0; torn < 2; torn++) {
		open_world(state);
		def.post_copy = true;
		source_sends();
		source_migrates(MIGRATE_ACTIVE);
		source_migrates(MIGRATE_PRE_SWITCHOVER);
		source_migrates(MIGRATE_POSTCOPY);
		source_gets_word(WORD_NEVER);
		assert_int_equal(asked(ACTION_MIGRATE_BREAK), 1);
		assert_int_equal(asked(ACTION_LEASE_EXCLUSIVE), 0);
		assert_int_equal(source.state, SOURCE_HANDED);
		now_ms += 3000;
		source_migrates(MIGRATE_POSTCOPY);
		assert_int_equal(asked(ACTION_MIGRATE_BREAK), 1);
		source_migrates(torn ? MIGRATE_TORN : MIGRATE_COMPLETED);
		assert_int_equal(asked(ACTION_LEASE_EXCLUSIVE), !torn);
		assert_int_equal(asked(ACTION_QEMU_KILL), torn);
	}
}

// A new daemon finds it in the middle, and lets it go on.
static void a_rest_that_is_found_goes_on(void **state)
{
	struct migrate_stats stats = { .status = MIGRATE_POSTCOPY };

	(void)state;
	def.post_copy = true;
	stage(STAGE_CLEANUP);
	clear();
	vm_local_event(&local,
		       &(struct event){ .type = EVENT_VM_ADOPTED,
					.vm = local.ref,
					.flag = true,
					.shared = true,
					.run_state = RUN_POSTMIGRATE,
					.stats = &stats },
		       &actions);
	source_begin(&source, &context);
	settle_source();
	assert_int_equal(asked(ACTION_QEMU_KILL), 0);
	source_migrates(MIGRATE_COMPLETED);
	assert_int_equal(asked(ACTION_QEMU_KILL), 1);
}

static void a_renounced_qemu_that_continues_by_itself_is_killed(void **state)
{
	(void)state;
	source_renounces();
	source_hears((struct event){ .type = EVENT_QEMU_RUNNING });
	assert_int_equal(asked(ACTION_QEMU_KILL), 1);
}

// Found by this daemon, its monitor has said nothing since: a move that began later asked nothing
// of it, and can ask nothing. One that had begun may be anywhere.
static void what_never_answered_is_not_moved(void **state)
{
	(void)state;
	running_here(RUN_UNKNOWN, false);
	context.fresh = true;
	clear();
	source_begin(&source, &context);
	settle_source();
	assert_int_equal(source_due(&source, &context), MOVE_REPORT_FAILED);
	assert_int_equal(actions.count, 0);
	stage(STAGE_UNDO);
	move.target_gone = true;
	settle_source();
	assert_int_equal(source_due(&source, &context), MOVE_REPORT_EXCLUSIVE);

	for (int fresh = 0; fresh < 2; fresh++) {
		open_world(NULL);
		running_here(RUN_UNKNOWN, false);
		context.fresh = fresh;
		stage(STAGE_SAVE);
		save_begin(&save, &context);
		settle_save();
		assert_int_equal(save_due(&save, &context), fresh ? MOVE_REPORT_FAILED : 0);
		assert_int_equal(asked(ACTION_MIGRATE_CANCEL), !fresh);
	}
}

// An earlier daemon may have asked for sharing, and sanlock got to it after the new one looked.
static void a_lease_that_was_found_is_taken_once_more(void **state)
{
	(void)state;
	running_here(RUN_RUNNING, false);
	assert_int_equal(lease_hold_wish(&local.hold, HOLD_WISH_EXCLUSIVE, now_ms), 0);
	assert_in_range(lease_hold_deadline_ms(&local.hold, HOLD_WISH_EXCLUSIVE), now_ms + 1,
			now_ms + 60000);
	now_ms = lease_hold_deadline_ms(&local.hold, HOLD_WISH_EXCLUSIVE);
	assert_int_equal(lease_hold_wish(&local.hold, HOLD_AS_IS, now_ms), 0);
	assert_int_equal(lease_hold_wish(&local.hold, HOLD_WISH_EXCLUSIVE, now_ms),
			 ACTION_LEASE_EXCLUSIVE);
	hear((struct event){ .type = EVENT_LEASE_EXCLUSIVE, .flag = true });
	assert_int_equal(local.hold.state, HOLD_EXCLUSIVE);
	assert_int_equal(lease_hold_wish(&local.hold, HOLD_WISH_EXCLUSIVE, now_ms + 60000), 0);
}

#define TEST(test) cmocka_unit_test_setup(test, open_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_hand_over_that_takes_long_is_shown),
		TEST(a_source_hands_over),
		TEST(a_failed_source_runs_on),
		TEST(a_renounced_source_continues_on_the_targets_word),
		TEST(a_told_source_ends_when_the_target_died),
		TEST(an_untold_source_continues_when_the_target_died),
		TEST(a_found_source_counts_as_told),
		TEST(a_source_found_deaf_that_is_done_counts_as_told),
		TEST(an_error_is_no_success),
		TEST(a_switch_needs_a_normal_view_and_no_cancel),
		TEST(nothing_is_cancelled_after_the_switch),
		TEST(what_qemu_was_told_is_told_again),
		TEST(a_switch_that_hangs_is_broken_off),
		TEST(a_target_that_is_not_reached_is_given_up),
		TEST(a_network_that_swallows_all_is_given_up),
		TEST(it_completes_although_it_was_cancelled),
		TEST(a_link_that_fails_ends_it_before_a_byte),
		TEST(a_source_that_is_new_asks_the_link_again),
		TEST(a_lease_that_could_not_be_shared_counts_as_shared),
		TEST(a_forced_stop_ends_a_source_that_hangs),
		TEST(streams_go_by_memory_and_processors),
		TEST(a_source_ends_when_its_post_copy_target_died),
		TEST(a_rest_that_does_not_get_through_is_broken_off),
		TEST(a_post_copy_comes_back_whole_or_not_at_all),
		TEST(a_rest_that_is_found_goes_on),
		TEST(a_renounced_qemu_that_continues_by_itself_is_killed),
		TEST(what_never_answered_is_not_moved),
		TEST(a_lease_that_was_found_is_taken_once_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
