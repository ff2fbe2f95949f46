// SPDX-License-Identifier: Apache-2.0
// Every input of the table about moves whose ends are lost: it is total, no row is
// dead, and what it must never say it never says.
#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "migration/move_loss.h"

static bool proven(uint8_t fate)
{
	return fate == FATE_GONE || fate == FATE_DEAD;
}

static bool is_live(uint8_t phase)
{
	return phase == MOVE_LOSS_BEFORE || phase == MOVE_LOSS_SENT;
}

static void check_restart(const struct move_loss_facts *facts)
{
	// Placement starts it anew: nothing of it may live anywhere.
	if (facts->phase == MOVE_LOSS_SAVING)
		assert_true(proven(facts->source));
	else if (facts->phase == MOVE_LOSS_ARRIVING)
		assert_true(proven(facts->target));
	else
		assert_true(proven(facts->source) && proven(facts->target));
}

static void check_answer(const struct move_loss_facts *facts, const struct move_loss_answer *answer)
{
	assert_true(strlen(answer->reason) > 0);
	switch (answer->step) {
	case MOVE_LOSS_RESTART:
		check_restart(facts);
		return;
	case MOVE_LOSS_UNDO:
		// Never once the target runs it; and never without need.
		assert_true(is_live(facts->phase));
		assert_true(facts->source != FATE_HERE || facts->target != FATE_HERE);
		return;
	case MOVE_LOSS_NOTHING:
		if (is_live(facts->phase))
			assert_true(facts->source == FATE_HERE && facts->target == FATE_HERE);
		return;
	case MOVE_LOSS_WAIT:
		// Somebody still has to speak, or be proven dead.
		assert_true(!proven(facts->source) || !proven(facts->target));
		return;
	case MOVE_LOSS_STEP_COUNT:
		break;
	}
	fail_msg("no row fits phase %u, source %u, target %u", facts->phase, facts->source,
		 facts->target);
}

static void every_input_has_an_answer(void **state)
{
	uint8_t reached[64] = { 0 };

	(void)state;
	assert_true(move_loss_row_count() <= sizeof(reached));
	for (uint8_t phase = 0; phase < MOVE_LOSS_PHASE_COUNT; phase++) {
		for (uint8_t source = 0; source < MOVE_FATE_COUNT; source++) {
			for (uint8_t target = 0; target < MOVE_FATE_COUNT; target++) {
				struct move_loss_facts facts = { phase, source, target };
				struct move_loss_answer answer = move_loss_decide(&facts);

				check_answer(&facts, &answer);
				reached[answer.row] = 1;
			}
		}
	}
	for (uint32_t row = 0; row < move_loss_row_count(); row++)
		if (!reached[row])
			fail_msg("row %u is never reached", row);
}

// What nothing is known of keeps the VM where it is, whatever is proven of the other end.
static void the_unknown_is_waited_for(void **state)
{
	struct move_loss_facts facts = { MOVE_LOSS_SENT, FATE_UNKNOWN, FATE_DEAD };

	(void)state;
	for (uint8_t phase = MOVE_LOSS_BEFORE; phase < MOVE_LOSS_PHASE_COUNT; phase++) {
		facts = (struct move_loss_facts){ phase, FATE_UNKNOWN, FATE_DEAD };
		assert_int_not_equal(move_loss_decide(&facts).step, MOVE_LOSS_RESTART);
		facts = (struct move_loss_facts){ phase, FATE_DEAD, FATE_UNKNOWN };
		assert_int_not_equal(move_loss_decide(&facts).step, MOVE_LOSS_RESTART);
	}
	facts = (struct move_loss_facts){ MOVE_LOSS_SAVING, FATE_UNKNOWN, FATE_HERE };
	assert_int_equal(move_loss_decide(&facts).step, MOVE_LOSS_WAIT);
	facts = (struct move_loss_facts){ MOVE_LOSS_ARRIVING, FATE_GONE, FATE_UNKNOWN };
	assert_int_equal(move_loss_decide(&facts).step, MOVE_LOSS_WAIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_input_has_an_answer),
		cmocka_unit_test(the_unknown_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
