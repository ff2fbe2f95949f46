// SPDX-License-Identifier: Apache-2.0
// The saving of a guest alone: when it counts as saved, and when it goes on.
#include "tests/unit/move_ends_world.h"

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

// Where nobody could hear that it is saved it stands still, and is not ended.
static void what_is_saved_waits_for_a_normal_view(void **state)
{
	(void)state;
	move.kind = MOVE_QUICK;
	stage(STAGE_SAVE);
	running_here(RUN_RUNNING, false);
	save_begin(&save, &context);
	settle_save();
	assert_int_equal(asked(ACTION_SAVE), 1);
	context.normal = false;
	save_hears((struct event){ .type = EVENT_SAVED, .flag = true, .index = 5 });
	assert_int_equal(save.state, SAVE_SAVED);
	assert_int_equal(asked(ACTION_QEMU_KILL), 0);
	context.normal = true;
	clear();
	settle_save();
	assert_int_equal(asked(ACTION_QEMU_KILL), 1);
}

// An adopted save completes although it was to be cancelled: the guest goes on.
static void a_found_save_that_completes_is_not_lost(void **state)
{
	(void)state;
	move.kind = MOVE_QUICK;
	stage(STAGE_SAVE);
	running_here(RUN_SENDING, false);
	save_begin(&save, &context);
	settle_save();
	assert_int_equal(asked(ACTION_MIGRATE_CANCEL), 1);
	assert_int_equal(save_due(&save, &context), 0); // QEMU has not said how it ended
}

static void a_guest_is_saved(void **state)
{
	struct migrate_stats stats = { .pause_us = 7000, .total_ms = 20 };

	(void)state;
	save_saves();
	save_hears((struct event){
		.type = EVENT_SAVED, .flag = true, .index = 1000, .stats = &stats });
	assert_int_equal(asked(ACTION_QEMU_KILL), 1);
	assert_int_equal(save_due(&save, &context), 0);
	save_hears((struct event){ .type = EVENT_QEMU_EXITED });
	assert_int_equal(save_due(&save, &context), 0);
	now_ms += 30;
	save_hears((struct event){ .type = EVENT_LEASE_RELEASED, .flag = true });
	assert_int_equal(save_due(&save, &context), MOVE_REPORT_SAVED);
	assert_int_equal(save.fact.bytes, 1000);
	assert_int_equal(save.fact.pause_us, 37000);
	assert_int_equal(save.fact.total_ms, 20);
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

static void found_with_a_note(uint8_t run_state)
{
	move.kind = MOVE_QUICK;
	stage(STAGE_SAVE);
	if (run_state != RUN_STATE_COUNT)
		running_here((enum run_state)run_state, false);
	local.saved_move = move.id;
	local.saved_bytes = 4096;
	save_begin(&save, &context);
	clear();
}

// Its daemon died when it had ended QEMU, or was about to: the state is as good as if it had said.
static void what_was_saved_before_a_daemon_died_is_saved(void **state)
{
	(void)state;
	found_with_a_note(RUN_STATE_COUNT);
	settle_save();
	assert_int_equal(save.state, SAVE_GONE);
	assert_int_equal(save_due(&save, &context), MOVE_REPORT_SAVED);
	assert_int_equal(save.fact.bytes, 4096);
	open_world(NULL);
	found_with_a_note(RUN_POSTMIGRATE);
	settle_save();
	assert_int_equal(asked(ACTION_QEMU_CONT), 0);
	assert_int_equal(asked(ACTION_QEMU_KILL), 1);
	assert_int_equal(save.state, SAVE_SAVED);
}

static void a_note_of_something_else_means_nothing(void **state)
{
	(void)state;
	found_with_a_note(RUN_RUNNING); // it went on, whatever a note says
	assert_int_equal(save.state, SAVE_WAITING);
	open_world(NULL);
	stage(STAGE_SAVE);
	local.saved_move = move.id + 1;
	save_begin(&save, &context);
	assert_int_equal(save.state, SAVE_WAITING);
	settle_save();
	assert_int_equal(save.state, SAVE_ENDED);
}

#define TEST(test) cmocka_unit_test_setup(test, open_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_saved_waits_for_a_normal_view),
		TEST(a_found_save_that_completes_is_not_lost),
		TEST(a_guest_is_saved),
		TEST(a_guest_that_cannot_be_saved_runs_on),
		TEST(a_saved_guest_that_was_found_continues),
		TEST(what_was_saved_before_a_daemon_died_is_saved),
		TEST(a_note_of_something_else_means_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
