// SPDX-License-Identifier: Apache-2.0
// The arithmetic of a lease's death, against sanlock's own figures.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "csv/timing.h"

static void figures_are_sanlocks(void **state)
{
	static const uint32_t io[] = { 5, 10, 20 };
	static const uint64_t renew[] = { 10, 20, 40 }, warn[] = { 30, 60, 120 };
	static const uint64_t fail[] = { 40, 80, 160 }, dead[] = { 100, 140, 220 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct lease_timing timing = lease_timing(io[i]);

		assert_int_equal(timing.renew_ms, renew[i] * 1000);
		assert_int_equal(timing.warn_ms, warn[i] * 1000);
		assert_int_equal(timing.fail_ms, fail[i] * 1000);
		assert_int_equal(timing.dead_ms, dead[i] * 1000);
	}
}

// Whatever io_timeout: nobody may take over before the watchdog must have fired.
static void order_holds(void **state)
{
	(void)state;
	for (uint32_t io = 1; io <= 60; io++) {
		struct lease_timing timing = lease_timing(io);

		assert_true(timing.renew_ms <= timing.unfed_ms);
		assert_true(timing.warn_ms < timing.fail_ms);
		assert_true(timing.unfed_ms <= timing.fail_ms);
		assert_true(timing.fail_ms < timing.kill_ms);
		assert_true(timing.reset_ms < timing.dead_ms);
		assert_true(timing.kill_ms < timing.dead_ms);
		// The last keepalive is before the feeding stops.
		assert_true(timing.unfed_ms + 60000 <= timing.dead_ms);
	}
}

static struct lease_outcome after(uint64_t seconds, bool asleep, bool deaf, bool unkillable)
{
	struct lease_timing timing = lease_timing(10);
	struct lease_outage outage = { seconds * 1000, asleep, deaf, unkillable };

	return lease_outage(&timing, &outage);
}

static void outages_of_storage(void **state)
{
	struct lease_outcome outcome = after(57, false, false, false);

	(void)state;
	assert_false(outcome.warned || outcome.unfed || outcome.failed || outcome.reset);
	outcome = after(67, false, false, false);
	assert_true(outcome.warned && !outcome.unfed && !outcome.failed);
	outcome = after(77, false, false, false);
	assert_true(outcome.warned && outcome.unfed && !outcome.failed && !outcome.asked);
	outcome = after(87, false, false, false);
	assert_true(outcome.failed && outcome.asked && !outcome.killed && !outcome.reset);
	outcome = after(150, false, true, false);
	assert_true(outcome.asked && outcome.killed && !outcome.reset);
	outcome = after(87, false, false, true);
	assert_true(outcome.killed && outcome.reset);
}

static void sanlock_that_sleeps(void **state)
{
	struct lease_outcome outcome = after(58, true, false, false);

	(void)state;
	assert_false(outcome.warned || outcome.failed);
	outcome = after(88, true, false, false);
	assert_true(outcome.asked && !outcome.killed && !outcome.reset);
	outcome = after(125, true, false, false);
	assert_true(!outcome.asked && outcome.killed && !outcome.reset);
	outcome = after(140, true, false, false);
	assert_true(outcome.reset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_are_sanlocks),
		cmocka_unit_test(order_holds),
		cmocka_unit_test(outages_of_storage),
		cmocka_unit_test(sanlock_that_sleeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
