// SPDX-License-Identifier: Apache-2.0
// The life of one VM on one host: every life against every event and wish; and that the order which
// is the safety holds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "resources/vm.h"

static struct action items[64];
static uint8_t bytes[65536];
static struct actions actions = {
	.items = items, .max = 64, .bytes = bytes, .size = sizeof(bytes)
};

static const uint8_t vm_events[] = {
	EVENT_VM_SPAWNED,      EVENT_LEASE_GRANTED,	  EVENT_LEASE_REFUSED, EVENT_QEMU_RUNNING,
	EVENT_QEMU_PAUSED,     EVENT_QEMU_GUEST_SHUTDOWN, EVENT_QEMU_DEAF,     EVENT_QEMU_EXITED,
	EVENT_QEMU_UNKILLABLE, EVENT_LEASE_RELEASED,
};

static bool asked(enum action_type type)
{
	for (uint32_t i = 0; i < actions.count; i++)
		if (items[i].type == type)
			return true;
	return false;
}

static struct vm_local fresh(void)
{
	return (struct vm_local){ .ref = { 0, 1 }, .deadline_ms = UINT64_MAX };
}

static void wish(struct vm_local *local, struct vm_wish w, uint64_t now_ms)
{
	actions.count = 0;
	actions.used = 0;
	w.stop_timeout_ms = 1000;
	if (!w.why)
		w.why = "test";
	vm_local_wish(local, &w, now_ms, &actions);
}

static void event(struct vm_local *local, enum event_type type, bool flag)
{
	struct event e = { .type = (uint8_t)type, .flag = flag, .attempt = local->attempt,
			   .lease_error = LEASE_ERROR_HELD, .reason = "said so", .now_ms = 1000 };

	actions.count = 0;
	actions.used = 0;
	vm_local_event(local, &e, &actions);
}

static const struct vm_wish start = { .start = true, .keep = true, .attempt = 7 };

static void to_running(struct vm_local *local)
{
	*local = fresh();
	wish(local, start, 0);
	assert_true(asked(ACTION_VM_SPAWN));
	event(local, EVENT_VM_SPAWNED, true);
	assert_true(asked(ACTION_LEASE_ACQUIRE));
	event(local, EVENT_LEASE_GRANTED, true);
	assert_int_equal(local->life, LIFE_GRANTED);
	assert_false(asked(ACTION_QEMU_EXEC));
	wish(local, start, 0);
	assert_true(asked(ACTION_QEMU_EXEC));
	event(local, EVENT_QEMU_RUNNING, true);
	assert_int_equal(local->life, LIFE_RUNNING);
}

static void test_start_and_stop(void **state)
{
	struct vm_local local;

	(void)state;
	to_running(&local);
	wish(&local, (struct vm_wish){ .stop = true }, 2000);
	assert_true(asked(ACTION_QEMU_POWERDOWN));
	wish(&local, (struct vm_wish){ .stop = true }, 2999);
	assert_int_equal(actions.count, 0);
	wish(&local, (struct vm_wish){ .stop = true }, 3000);
	assert_true(asked(ACTION_QEMU_KILL));
	event(&local, EVENT_QEMU_EXITED, true);
	assert_true(asked(ACTION_LEASE_RELEASE_WAIT));
	event(&local, EVENT_LEASE_RELEASED, true);
	assert_int_equal(local.life, LIFE_ENDED);
	assert_int_equal(local.report, VM_REPORT_STOPPED);
	vm_local_forget(&local, &actions);
	assert_int_equal(local.life, LIFE_OFFLINE);
}

static void test_forced_stop(void **state)
{
	struct vm_local local;
	struct vm_wish at_once = { .stop = true, .why = "test" };

	(void)state;
	to_running(&local);
	actions.count = 0;
	vm_local_wish(&local, &at_once, 2000, &actions);
	assert_false(asked(ACTION_QEMU_POWERDOWN));
	assert_true(asked(ACTION_QEMU_KILL));
	// And when it was asked politely before.
	to_running(&local);
	wish(&local, (struct vm_wish){ .stop = true }, 2000);
	actions.count = 0;
	vm_local_wish(&local, &at_once, 2100, &actions);
	assert_true(asked(ACTION_QEMU_KILL));
	event(&local, EVENT_QEMU_EXITED, true);
	assert_int_equal(local.report, VM_REPORT_STOPPED);
}

// The view went away between grant and start: the child waits, and is given up when it is no longer
// meant.
static void test_granted_waits_for_the_view(void **state)
{
	struct vm_local local = fresh();

	(void)state;
	wish(&local, start, 0);
	event(&local, EVENT_VM_SPAWNED, true);
	event(&local, EVENT_LEASE_GRANTED, true);
	wish(&local, (struct vm_wish){ .keep = true }, 1001);
	assert_int_equal(local.life, LIFE_GRANTED);
	wish(&local, (struct vm_wish){ .keep = true }, 20000);
	assert_true(asked(ACTION_VM_ABANDON));

	local = fresh();
	wish(&local, start, 0);
	event(&local, EVENT_VM_SPAWNED, true);
	event(&local, EVENT_LEASE_GRANTED, true);
	wish(&local, (struct vm_wish){ .start = true, .keep = true, .attempt = 8 }, 1001);
	assert_int_equal(local.life, LIFE_GRANTED);	// another attempt: not let go
	assert_false(asked(ACTION_QEMU_EXEC));
}

static void test_guest_shutdown(void **state)
{
	struct vm_local local;

	(void)state;
	to_running(&local);
	event(&local, EVENT_QEMU_GUEST_SHUTDOWN, true);
	event(&local, EVENT_QEMU_EXITED, true);
	assert_int_equal(local.report, VM_REPORT_GUEST_SHUTDOWN);
}

static void test_sanlock_death_kills(void **state)
{
	struct vm_local local;

	(void)state;
	to_running(&local);
	wish(&local, (struct vm_wish){ .kill = true, .keep = true }, 2000);
	assert_true(asked(ACTION_QEMU_KILL));
	event(&local, EVENT_QEMU_EXITED, true);
	assert_int_equal(local.report, VM_REPORT_STOPPED);
}

// Found by a new daemon: with its lease it runs on, without it is ended, and the end is told only
// then.
static void test_adopted(void **state)
{
	struct vm_local local = fresh();

	(void)state;
	event(&local, EVENT_VM_ADOPTED, true);
	assert_int_equal(local.life, LIFE_RUNNING);
	assert_int_equal(actions.count, 0);

	local = fresh();
	event(&local, EVENT_VM_ADOPTED, false);
	assert_int_equal(local.life, LIFE_KILLING);
	assert_true(asked(ACTION_QEMU_KILL));
	event(&local, EVENT_QEMU_EXITED, true);
	event(&local, EVENT_LEASE_RELEASED, true);
	assert_int_equal(local.life, LIFE_ENDED);
	assert_int_equal(local.report, VM_REPORT_DIED);
}

// However often it is refused, only a grant is a grant.
// Found while it restored, of an earlier daemon: its saved state is as good as before, as long as
// its end does not say that it may have run.
static void test_found_restoring(void **state)
{
	static const struct vm_wish over = { .kill = true };

	(void)state;
	for (int known = 0; known < 2; known++) {
		struct vm_local local = fresh();
		struct event found = { .type = EVENT_VM_ADOPTED,
				       .flag = true,
				       .attempt = 7,
				       .run_state = RUN_RECEIVED };

		vm_local_event(&local, &found, &actions);
		assert_int_equal(local.life, LIFE_INCOMING);
		wish(&local, over, 0);
		assert_true(asked(ACTION_QEMU_KILL));
		event(&local, EVENT_QEMU_EXITED, known);
		assert_int_equal(local.report, known ? VM_REPORT_START_FAILED : VM_REPORT_DIED);
	}
}

static void test_refused(void **state)
{
	struct vm_local local = fresh();
	uint64_t now_ms = 0;

	(void)state;
	wish(&local, start, now_ms);
	event(&local, EVENT_VM_SPAWNED, true);
	for (int i = 0; i < 100; i++) {
		event(&local, EVENT_LEASE_REFUSED, false);
		assert_int_equal(local.life, LIFE_BACKOFF);
		now_ms = local.deadline_ms;
		assert_true(now_ms > 1000 && now_ms <= 3000);	// events come at 1000
		wish(&local, start, now_ms - 1);
		assert_int_equal(actions.count, 0);
		wish(&local, start, now_ms);
		assert_true(asked(ACTION_LEASE_ACQUIRE));
	}
	event(&local, EVENT_LEASE_GRANTED, true);
	wish(&local, start, now_ms);
	assert_true(asked(ACTION_QEMU_EXEC));
}

static void test_paused_goes_on(void **state)
{
	struct vm_local local;

	(void)state;
	to_running(&local);
	event(&local, EVENT_QEMU_PAUSED, true);
	wish(&local, (struct vm_wish){ .keep = true }, 60000);
	assert_false(asked(ACTION_QEMU_CONT));
	// Looked at again later, not at once without end.
	assert_true(local.deadline_ms > 60000);
	wish(&local, (struct vm_wish){ .keep = true, .volumes_online = true }, 70000);
	assert_true(asked(ACTION_QEMU_CONT));
	event(&local, EVENT_QEMU_RUNNING, true);
	assert_false(local.paused);
}

// A monitor that is silent ends no guest: what runs goes on, what starts has its whole time.
static void test_deaf(void **state)
{
	struct vm_local local;

	(void)state;
	to_running(&local);
	event(&local, EVENT_QEMU_DEAF, false);
	wish(&local, (struct vm_wish){ .start = true, .keep = true, .attempt = 7 }, 900000);
	assert_int_equal(actions.count, 0);
	assert_true(local.life == LIFE_RUNNING && local.deaf);
	event(&local, EVENT_QEMU_RUNNING, false);
	assert_false(local.deaf);

	for (int heals = 0; heals < 2; heals++) {
		local = fresh();
		wish(&local, start, 0);
		event(&local, EVENT_VM_SPAWNED, true);
		event(&local, EVENT_LEASE_GRANTED, true);
		wish(&local, start, 0);
		event(&local, EVENT_QEMU_DEAF, false);
		assert_int_equal(actions.count, 0);
		wish(&local, start, 59999);
		assert_int_equal(actions.count, 0);
		assert_int_equal(local.life, LIFE_STARTING);
		if (heals) {
			event(&local, EVENT_QEMU_RUNNING, false);
			assert_true(local.life == LIFE_RUNNING && !local.deaf);
			assert_string_equal(local.reason, "");
			continue;
		}
		wish(&local, start, 60000);
		assert_true(asked(ACTION_QEMU_KILL));
		event(&local, EVENT_QEMU_EXITED, false);
		assert_int_equal(local.report, VM_REPORT_START_FAILED);
		assert_string_equal(local.reason, "said so");
	}
}

static uint32_t random_next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/*
 * Whatever comes in whatever order: QEMU is let go only when the lease was granted since the last
 * spawn and nothing ended since; an end is reported only after the process was said to be gone, or
 * when there never was one.
 */
static void test_any_order(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 20000; seed++) {
		struct vm_local local = fresh();
		uint32_t random = seed;
		bool granted = false, process = false;

		for (uint32_t step = 0; step < 40; step++) {
			uint32_t draw = random_next(&random);
			uint64_t now_ms = step * 3000;
			struct vm_wish w = { .start = draw & 1,
					     .keep = draw & 2,
					     .stop = draw & 4,
					     .kill = (draw & 0x78) == 0,
					     .volumes_online = draw & 128,
					     .attempt = 7 + (draw >> 8 & 1) };

			if (local.life == LIFE_ENDED) {
				assert_false(process);
				vm_local_forget(&local, &actions);
			}
			if (draw & 256) {
				uint8_t type = vm_events[(draw >> 10) % sizeof(vm_events)];
				// What the edge would not say is not said.
				if (type == EVENT_QEMU_EXITED && !process)
					continue;
				if (type == EVENT_LEASE_GRANTED && local.life != LIFE_LEASING)
					continue;
				granted = granted || type == EVENT_LEASE_GRANTED;
				if (type == EVENT_VM_SPAWNED && local.life == LIFE_SPAWNING &&
				    !(draw & 512))
					process = false;
				if (type == EVENT_QEMU_EXITED)
					process = granted = false;
				event(&local, (enum event_type)type, draw & 512);
			} else {
				wish(&local, w, now_ms);
			}
			if (asked(ACTION_VM_SPAWN)) {
				assert_false(process);
				process = true;
				granted = false;
			}
			if (asked(ACTION_QEMU_EXEC))
				assert_true(granted && process);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start_and_stop),
		cmocka_unit_test(test_forced_stop),
		cmocka_unit_test(test_granted_waits_for_the_view),
		cmocka_unit_test(test_guest_shutdown),
		cmocka_unit_test(test_sanlock_death_kills),
		cmocka_unit_test(test_adopted),
		cmocka_unit_test(test_found_restoring),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_paused_goes_on),
		cmocka_unit_test(test_deaf),
		cmocka_unit_test(test_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
