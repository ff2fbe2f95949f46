// SPDX-License-Identifier: Apache-2.0
// What a condition says of a series, for how long, and the arithmetic of tips.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policies/pro.h"

static struct pro_def at_least(uint32_t threshold, uint32_t clear)
{
	struct pro_def def = pro_defaults();

	def.measure = PRO_CPU;
	def.threshold = threshold;
	def.clear = clear;
	return def;
}

static struct pro_reading series(uint32_t count, const uint32_t *values)
{
	struct pro_reading reading = { .known = true, .count = count, .step_ms = 10000 };

	memcpy(reading.values, values, count * sizeof(*values));
	return reading;
}

#define SERIES(...)                                                                                \
	series(sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t), (uint32_t[]){ __VA_ARGS__ })

// Every value against every threshold and clear, both ways.
static void every_value_is_judged(void **state)
{
	(void)state;
	for (uint32_t threshold = 1; threshold < 20; threshold++)
		for (uint32_t clear = 0; clear <= 20; clear++)
			for (uint32_t value = 0; value <= 21; value++) {
				struct pro_def def = at_least(threshold, clear);
				enum pro_judgement found;

				def.below = clear > threshold;
				found = pro_judge(&def, value);
				assert_int_equal(found == PRO_TROUBLE,
						 def.below ? value <= threshold
							   : value >= threshold);
				assert_int_equal(found == PRO_BETWEEN,
						 def.below ? value > threshold && value < clear
							   : value < threshold && value > clear);
			}
}

static void trouble_holds_from_its_threshold_until_its_clear(void **state)
{
	struct pro_def def = at_least(80, 70);
	struct pro_reading reading;

	(void)state;
	reading = SERIES(10, 90, 90, 90);
	assert_int_equal(pro_held_ms(&def, &reading), 30000);
	reading = SERIES(90, 60, 90, 75, 85); // a dip below the threshold, not below clear
	assert_int_equal(pro_held_ms(&def, &reading), 30000);
	reading = SERIES(90, 90, 70);
	assert_int_equal(pro_held_ms(&def, &reading), 0);
	reading = SERIES(75, 75); // never was in trouble
	assert_int_equal(pro_held_ms(&def, &reading), 0);
	reading.known = false;
	assert_int_equal(pro_held_ms(&def, &reading), 0);
}

static void one_good_sample_is_no_end(void **state)
{
	struct pro_def def = at_least(80, 70);
	struct pro_reading reading;

	(void)state;
	reading = SERIES(90, 90, 20);
	assert_false(pro_over(&def, &reading));
	reading = SERIES(90, 20, 20);
	assert_true(pro_over(&def, &reading));
	reading = SERIES(90, 75, 20);
	assert_false(pro_over(&def, &reading));
	reading.known = false;
	assert_false(pro_over(&def, &reading));
	reading = SERIES(20); // of a moment, not of a series
	assert_false(pro_over(&def, &reading));
	reading.step_ms = 0;
	assert_true(pro_over(&def, &reading));
}

static void a_rate_is_per_minute_and_has_a_direction(void **state)
{
	struct pro_def def = at_least(80, 70);
	struct pro_reading up = SERIES(50, 60, 70, 80, 90, 100, 110); // 60 a minute
	struct pro_reading down = SERIES(110, 100, 90, 80, 70, 60, 50);

	(void)state;
	assert_true(pro_rate_fits(&def, &up));
	def.hold_s = 60;
	def.rate = 60;
	assert_true(pro_rate_fits(&def, &up));
	assert_false(pro_rate_fits(&def, &down));
	def.rate = 61;
	assert_false(pro_rate_fits(&def, &up));
	def.below = true;
	def.rate = 60;
	assert_true(pro_rate_fits(&def, &down));
	assert_false(pro_rate_fits(&def, &up));
	up.count = 1;
	def.below = false;
	assert_false(pro_rate_fits(&def, &up));
}

static void windows_go_over_midnight(void **state)
{
	struct pro_def def = at_least(80, 70);

	(void)state;
	for (uint32_t from = 0; from < PRO_DAY_MIN; from += 37)
		for (uint32_t to = 0; to < PRO_DAY_MIN; to += 41)
			for (uint32_t now = 0; now < PRO_DAY_MIN; now += 13) {
				uint64_t wall_ms = (7ull * PRO_DAY_MIN + now) * 60000 + 59999;
				uint32_t long_ = (to + PRO_DAY_MIN - from) % PRO_DAY_MIN;
				uint32_t since = (now + PRO_DAY_MIN - from) % PRO_DAY_MIN;

				def.from_min = from;
				def.to_min = to;
				assert_int_equal(pro_in_window(&def, wall_ms), since < long_);
			}
}

static void who_may_act_by_itself(void **state)
{
	static struct cluster cluster;

	(void)state;
	for (unsigned int bits = 0; bits < 4; bits++)
		for (uint8_t mode = 0; mode < PRO_MODE_COUNT; mode++)
			for (uint64_t hour = 0; hour < 24; hour++) {
				struct cluster_policy policy = { .suspended = bits & 1 };
				bool able = bits == 2;

				policy.def = at_least(80, 70);
				policy.def.enabled = bits & 2;
				policy.def.mode = mode;
				policy.def.from_min = 22 * 60;
				policy.def.to_min = 6 * 60;
				cluster.ahead_min = -210; // an island
				assert_int_equal(
					pro_automatic(&cluster, &policy,
						      hour * 3600000 + 210 * 60000),
					able && (mode == PRO_AUTOMATIC ||
						 (mode == PRO_WINDOW && (hour >= 22 || hour < 6))));
			}
}

static void vms_rest_and_nodes_have_a_budget(void **state)
{
	struct vm vm = { .last_move_ms = 0 };
	struct cluster_node node = { .policy_move_count = 3,
				     .policy_moves = { 1000000, 4000000, 5000000 } };

	(void)state;
	assert_false(pro_vm_rests(&vm, 60, 1000));
	vm.last_move_ms = 100000;
	assert_true(pro_vm_rests(&vm, 60, 159999));
	assert_false(pro_vm_rests(&vm, 60, 160000));
	assert_true(pro_vm_rests(&vm, 60, 1)); // another node's clock is ahead
	assert_true(pro_node_spent(&node, 3, 1000000 + 3599999));
	assert_false(pro_node_spent(&node, 3, 1000000 + 3600000));
	assert_true(pro_node_spent(&node, 2, 1000000 + 3600000));
}

static void what_is_gained_and_whether_it_came(void **state)
{
	(void)state;
	assert_int_equal(pro_gain(1000, 500, 0, 1800), 50);
	assert_int_equal(pro_gain(1000, 500, 180000, 1800),
			 40); // a tenth of the rest is spent moving
	assert_int_equal(pro_gain(1000, 1000, 180000, 1800), -10);
	assert_int_equal(pro_gain(0, 0, 0, 1800), 0);
	for (uint32_t before = 0; before < 12; before++)
		for (uint32_t after = 0; after < 12; after++)
			for (uint32_t found = 0; found < 14; found++) {
				enum tip_verdict verdict = pro_verdict(before, after, found);
				int want = (int)before - (int)after, got = (int)before - (int)found;

				if (want <= 0)
					assert_int_equal(verdict, VERDICT_NONE);
				else
					assert_int_equal(verdict, got > 0 && 2 * got >= want
									  ? VERDICT_HELD
									  : VERDICT_FAILED);
			}
}

static void the_present_is_the_mean_of_three(void **state)
{
	struct pro_reading reading = SERIES(100, 10, 20, 30);

	(void)state;
	assert_int_equal(pro_value(&reading), 20);
	reading.count = 1;
	assert_int_equal(pro_value(&reading), 100);
	reading.count = 0;
	assert_int_equal(pro_value(&reading), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_is_judged),
		cmocka_unit_test(trouble_holds_from_its_threshold_until_its_clear),
		cmocka_unit_test(one_good_sample_is_no_end),
		cmocka_unit_test(a_rate_is_per_minute_and_has_a_direction),
		cmocka_unit_test(windows_go_over_midnight),
		cmocka_unit_test(who_may_act_by_itself),
		cmocka_unit_test(vms_rest_and_nodes_have_a_budget),
		cmocka_unit_test(what_is_gained_and_whether_it_came),
		cmocka_unit_test(the_present_is_the_mean_of_three),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
