// SPDX-License-Identifier: Apache-2.0
// Whether a migration converges: every input of the table, and the lives of some migrations; and
// what is forecast of them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "migration/converge.h"
#include "migration/forecast.h"

enum { FACT_BITS = 9 };

static const uint64_t MIB = 1024 * 1024;

static void check_answer(const struct converge_facts *facts, const struct converge_answer *answer)
{
	assert_true(strlen(answer->reason) > 0);
	switch (answer->step) {
	case CONVERGE_RAISE:
		// Only where it helps, and only as far as the definition goes.
		assert_true(facts->room && facts->reach && !facts->fits && !facts->gains);
		break;
	case CONVERGE_POST_COPY:
		assert_true(facts->post_copy && !facts->patient && !facts->slowing);
		break;
	case CONVERGE_GIVE_UP:
		assert_true(facts->stuck || (!facts->post_copy && !facts->patient &&
					     !facts->slowing && !facts->gains && !facts->fits));
		break;
	case CONVERGE_GO_ON:
		assert_false(facts->stuck);
		break;
	case CONVERGE_STEP_COUNT:
		fail_msg("no row fits");
	}
}

static void test_every_input(void **state)
{
	uint8_t reached[32] = { 0 };

	(void)state;
	assert_true(converge_row_count() <= sizeof(reached));
	for (uint32_t bits = 0; bits < 1u << FACT_BITS; bits++) {
		struct converge_facts facts = {
			.stuck = bits & 1,
			.turned = bits & 2,
			.gains = bits & 4,
			.fits = bits & 8,
			.room = bits & 16,
			.reach = bits & 32,
			.patient = bits & 64,
			.slowing = bits & 128,
			.post_copy = bits & 256,
		};
		struct converge_answer answer = converge_decide(&facts);

		check_answer(&facts, &answer);
		reached[answer.row] = 1;
	}
	for (uint32_t row = 0; row < converge_row_count(); row++)
		if (!reached[row])
			fail_msg("row %u is never reached", row);
}

// A migration of `memory` over a link, of a guest that dirties `set` over and over at this rate.
struct life {
	uint64_t memory, rate, dirty_rate, set;
	uint32_t throttle;
};

struct end {
	enum converge_step step; // GO_ON: it ended well
	uint32_t ms, downtime_ms, rounds;
	char reason[REASON_SIZE];
};

static struct end live(const struct life *life, const struct converge_limits *limits)
{
	enum { STEP_MS = 100, LIMIT_MS = 24 * 3600 * 1000 };
	struct migrate_stats stats = {
		.status = MIGRATE_ACTIVE, .rounds = 1, .rate = life->rate, .remaining = life->memory
	};
	uint64_t round_ms = 0, dirty_rate = life->dirty_rate;
	struct converge converge;
	struct end end = { CONVERGE_GO_ON, 0, 0, 0, "" };

	converge_start(&converge, limits, 0);
	for (uint32_t ms = STEP_MS; ms < LIMIT_MS; ms += STEP_MS) {
		uint64_t sent = life->rate * STEP_MS / 1000;
		enum converge_step step;
		bool turned = false;

		end.ms = ms;
		round_ms += STEP_MS;
		stats.transferred += sent;
		stats.remaining = stats.remaining > sent ? stats.remaining - sent : 0;
		if (stats.remaining == 0) {
			uint64_t dirtied = dirty_rate * round_ms / 1000;

			stats.remaining = dirtied < life->set ? dirtied : life->set;
			stats.dirty_rate = dirty_rate;
			stats.rounds++;
			turned = true;
			round_ms = 0;
			if (life->throttle && stats.throttle < limits->throttle_max) {
				stats.throttle += 10;
				dirty_rate = life->dirty_rate * (100 - stats.throttle) / 100;
			}
		}
		if (turned && stats.remaining * 1000 <= life->rate * converge.downtime_ms)
			break;
		step = converge_judge(&converge, &stats, ms);
		if (step == CONVERGE_GIVE_UP || step == CONVERGE_POST_COPY) {
			end.step = step;
			memcpy(end.reason, converge.reason, sizeof(end.reason));
			break;
		}
	}
	end.downtime_ms = converge.downtime_ms;
	end.rounds = stats.rounds;
	return end;
}

static const struct converge_limits plain = { .max_pause_ms = 1000 };

static void an_idle_guest_is_paused_shortly(void **state)
{
	struct life life = {
		.memory = 512 * MIB, .rate = 500 * MIB, .dirty_rate = 2 * MIB, .set = 8 * MIB
	};
	struct end end = live(&life, &plain);

	(void)state;
	assert_int_equal(end.step, CONVERGE_GO_ON);
	assert_in_range(end.downtime_ms, 20, 30);
}

// The pause is no longer than the busy guest needs, and not the whole that is allowed.
static void the_pause_is_raised_as_far_as_it_must(void **state)
{
	struct life life = {
		.memory = 512 * MIB, .rate = 500 * MIB, .dirty_rate = 900 * MIB, .set = 100 * MIB
	};
	struct end end = live(&life, &plain);

	(void)state;
	assert_int_equal(end.step, CONVERGE_GO_ON);
	assert_in_range(end.downtime_ms, 100, 300);
}

static void no_pause_is_longer_than_the_definition_says(void **state)
{
	struct life life = {
		.memory = 512 * MIB, .rate = 500 * MIB, .dirty_rate = 900 * MIB, .set = 400 * MIB
	};
	struct converge_limits limits = { .max_pause_ms = 150 };
	struct end end = live(&life, &limits);

	(void)state;
	assert_int_equal(end.step, CONVERGE_GIVE_UP);
	assert_true(end.downtime_ms <= 150);
	limits.max_pause_ms = 10;
	assert_true(live(&life, &limits).downtime_ms <= 10);
}

static void it_says_early_and_why_that_it_will_not_converge(void **state)
{
	struct life life = {
		.memory = 8192 * MIB, .rate = 300 * MIB, .dirty_rate = 900 * MIB, .set = 8192 * MIB
	};
	struct end end = live(&life, &plain);

	(void)state;
	assert_int_equal(end.step, CONVERGE_GIVE_UP);
	assert_string_equal(end.reason, "it will not converge, because it dirties 900 MiB/s over a "
					"link of 300 MiB/s");
	assert_true(end.rounds <= 8);
}

static void a_slow_link_is_no_reason_as_long_as_it_gets_on(void **state)
{
	struct life life = {
		.memory = 65536 * MIB, .rate = 10 * MIB, .dirty_rate = 9 * MIB, .set = 65536 * MIB
	};
	struct end end = live(&life, &plain);

	(void)state;
	assert_int_equal(end.step, CONVERGE_GO_ON);
	assert_true(end.ms > 2 * 3600 * 1000); // no clock ended it
}

static void a_guest_is_slowed_down_only_where_that_is_allowed(void **state)
{
	struct life life = { .memory = 4096 * MIB,
			     .rate = 300 * MIB,
			     .dirty_rate = 500 * MIB,
			     .set = 4096 * MIB,
			     .throttle = 1 };
	struct converge_limits limits = { .max_pause_ms = 1000, .throttle_max = 80 };

	(void)state;
	assert_int_equal(live(&life, &limits).step, CONVERGE_GO_ON);
	life.throttle = 0;
	limits.throttle_max = 0;
	assert_int_equal(live(&life, &limits).step, CONVERGE_GIVE_UP);
	limits.post_copy = true;
	assert_int_equal(live(&life, &limits).step, CONVERGE_POST_COPY);
}

static void a_link_over_which_nothing_goes_is_given_up(void **state)
{
	struct migrate_stats stats = { .status = MIGRATE_ACTIVE,
				       .rounds = 1,
				       .rate = MIB,
				       .remaining = 100 * MIB,
				       .transferred = MIB };
	struct converge converge;

	(void)state;
	converge_start(&converge, &plain, 0);
	assert_int_equal(converge_judge(&converge, &stats, 100), CONVERGE_GO_ON);
	assert_int_equal(converge_judge(&converge, &stats, 30000), CONVERGE_GO_ON);
	assert_int_equal(converge_judge(&converge, &stats, 30100), CONVERGE_GIVE_UP);
	assert_string_equal(converge.reason, "nothing was sent for 30 s");
}

static void the_forecast_is_the_sum_of_its_rounds(void **state)
{
	struct forecast_facts facts = { .memory = 1024 * MIB,
					.rate = 512 * MIB,
					.max_pause_ms = 1000 };
	struct move_numbers numbers = forecast_live(&facts);

	(void)state;
	assert_in_range(numbers.total_ms, 2000, 2100);
	assert_in_range(numbers.pause_us, 1000, 10000);
	facts.dirty_rate = 256 * MIB;
	numbers = forecast_live(&facts);
	assert_in_range(numbers.total_ms, 3500, 4200); // 2 + 1 + 0.5 ... s
	assert_true(numbers.pause_us <= 1000000);
	facts.dirty_rate = 2048 * MIB;
	assert_int_equal(forecast_live(&facts).total_ms, 0); // it will not end
	facts.rate = 0;
	assert_int_equal(forecast_live(&facts).total_ms, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_input),
		cmocka_unit_test(an_idle_guest_is_paused_shortly),
		cmocka_unit_test(the_pause_is_raised_as_far_as_it_must),
		cmocka_unit_test(no_pause_is_longer_than_the_definition_says),
		cmocka_unit_test(it_says_early_and_why_that_it_will_not_converge),
		cmocka_unit_test(a_slow_link_is_no_reason_as_long_as_it_gets_on),
		cmocka_unit_test(a_guest_is_slowed_down_only_where_that_is_allowed),
		cmocka_unit_test(a_link_over_which_nothing_goes_is_given_up),
		cmocka_unit_test(the_forecast_is_the_sum_of_its_rounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
