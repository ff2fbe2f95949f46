// SPDX-License-Identifier: Apache-2.0
// What a forecast takes from the moves that were: the link's rate, and how much of a guest is sent.
#include "tests/unit/move_fixture.h"

#include "migration/forecast.h"

static const uint64_t MIB = 1024 * 1024;

static void moved(const char *vm, const char *source, const char *target, uint64_t mib,
		  uint32_t total_ms)
{
	struct past_move *past = &f.cluster.past_moves[f.cluster.past_move];

	f.cluster.past_move = (f.cluster.past_move + 1) % PAST_MOVES_MAX;
	memset(past, 0, sizeof(*past));
	past->id = f.cluster.past_move + 1;
	past->kind = MOVE_LIVE;
	past->outcome = MOVE_DONE;
	text_copy(past->vm, sizeof(past->vm), vm);
	text_copy(past->source, sizeof(past->source), source);
	text_copy(past->target, sizeof(past->target), target);
	past->fact.bytes = mib * MIB;
	past->fact.total_ms = total_ms;
	past->fact.rate = past->fact.bytes / total_ms * 1000;
}

static void one_odd_move_does_not_count(void **state)
{
	(void)state;
	assert_int_equal(forecast_rate(&f.cluster, N1, N2), 0);
	for (int i = 0; i < 4; i++)
		moved("web", "n1", "n2", 100, 1046);
	moved("web", "n1", "n2", 100, 10046);
	moved("web", "n1", "n2", 100, 246);
	assert_in_range(forecast_rate(&f.cluster, N1, N2), 99 * MIB, 101 * MIB);
}

static void the_last_few_count(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		moved("web", "n1", "n2", 100, 10046);
	for (int i = 0; i < 4; i++)
		moved("web", "n1", "n2", 100, 1046);
	assert_in_range(forecast_rate(&f.cluster, N1, N2), 99 * MIB, 101 * MIB);
}

static void moves_between_others_count_where_there_are_none(void **state)
{
	(void)state;
	for (int i = 0; i < 7; i++)
		moved("web", "n1", "n2", 100, 1046);
	assert_in_range(forecast_rate(&f.cluster, N2, N3), 99 * MIB, 101 * MIB);
	moved("web", "n2", "n3", 10, 1046);
	assert_in_range(forecast_rate(&f.cluster, N2, N3), 9 * MIB, 11 * MIB);
	assert_in_range(forecast_rate(&f.cluster, N1, N2), 99 * MIB, 101 * MIB);
}

// What is said before a move is what the same move took before, its fixed costs counted once.
static void the_same_again_takes_as_long(void **state)
{
	struct forecast_facts facts;
	struct move_numbers numbers;

	(void)state;
	moved("web", "n1", "n2", 20, 250);
	facts = (struct forecast_facts){ .memory = forecast_memory(&f.cluster, web()),
					 .rate = forecast_rate(&f.cluster, N1, N2),
					 .max_pause_ms = 1000 };
	numbers = forecast_live(&facts);
	assert_in_range(numbers.total_ms, 240, 260);
	// So short that nothing can be told of the rate: it still says something.
	moved("web", "n1", "n3", 20, 3);
	assert_true(forecast_rate(&f.cluster, N1, N3) > 0);
}

static void a_vm_that_never_moved_is_as_full_as_others(void **state)
{
	uint64_t memory = (uint64_t)vm_definition(&f.cluster, web())->memory_mib;

	(void)state;
	assert_int_equal(forecast_memory(&f.cluster, web()), memory * MIB);
	doc_vm(&f, "other", "v1");
	doc_accept(&f);
	moved("nobody", "n1", "n2", 1, 1000);
	assert_int_equal(forecast_memory(&f.cluster, web()), memory * MIB);
	moved("other", "n1", "n2", memory / 4, 1000);
	assert_in_range(forecast_memory(&f.cluster, web()), memory * MIB / 5, memory * MIB / 4);
	moved("web", "n1", "n2", memory / 2, 1000);
	assert_int_equal(forecast_memory(&f.cluster, web()), memory / 2 * MIB);
	moved("web", "n1", "n2", memory * 2, 1000);
	assert_int_equal(forecast_memory(&f.cluster, web()), memory * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_odd_move_does_not_count, begin, end),
		cmocka_unit_test_setup_teardown(the_last_few_count, begin, end),
		cmocka_unit_test_setup_teardown(moves_between_others_count_where_there_are_none,
						begin, end),
		cmocka_unit_test_setup_teardown(the_same_again_takes_as_long, begin, end),
		cmocka_unit_test_setup_teardown(a_vm_that_never_moved_is_as_full_as_others, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
