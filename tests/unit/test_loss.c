// SPDX-License-Identifier: Apache-2.0
// Every input of the table about lost nodes: it is total, no row is dead, and what it must never
// say it never says.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "quorum/loss.h"

enum { FACT_BITS = 10 };

static struct loss_facts facts_of(uint8_t life, uint32_t bits)
{
	return (struct loss_facts){
		.life = life,
		.in_ring = bits & 1,
		.member = bits & 2,
		.settled = bits & 4,
		.managed = bits & 8,
		.device = bits & 16,
		.retry = bits & 32,
		.failing = bits & 64,
		.guarded = bits & 128,
		.wanted = bits & 256,
		.actor_here = bits & 512,
	};
}

static void check_answer(const struct loss_facts *facts, const struct loss_answer *answer)
{
	assert_true(strlen(answer->reason) > 0);
	switch (answer->step) {
	case LOSS_RELEASE:
		// A living host's claims are never released, and none without proof.
		assert_false(facts->in_ring);
		assert_int_equal(facts->life, NODE_FENCED);
		break;
	case LOSS_EXPIRE:
		assert_true(facts->guarded && !facts->in_ring && facts->life == NODE_LOST);
		break;
	case LOSS_FENCE:
		assert_true(facts->device);
		assert_true(!facts->in_ring || facts->wanted || facts->life == NODE_FENCING);
		break;
	case LOSS_DECLARE:
		assert_true(!facts->in_ring && facts->settled && facts->managed);
		assert_int_equal(facts->life, NODE_ONLINE);
		break;
	case LOSS_BACK:
		assert_true(facts->in_ring && facts->member && facts->life != NODE_ONLINE &&
			    facts->life != NODE_FENCING);
		break;
	case LOSS_NOTHING:
	case LOSS_WAIT:
		break;
	case LOSS_STEP_COUNT:
		fail_msg("no row fits life %u", facts->life);
	}
}

static void test_every_input(void **state)
{
	uint8_t reached[64] = { 0 };

	(void)state;
	assert_true(loss_row_count() <= sizeof(reached));
	for (uint8_t life = 0; life < NODE_LIFE_COUNT; life++) {
		for (uint32_t bits = 0; bits < 1u << FACT_BITS; bits++) {
			struct loss_facts facts = facts_of(life, bits);
			struct loss_answer answer = loss_decide(&facts);

			check_answer(&facts, &answer);
			reached[answer.row] = 1;
		}
	}
	for (uint32_t row = 0; row < loss_row_count(); row++)
		if (!reached[row])
			fail_msg("row %u is never reached", row);
}

static void test_the_story(void **state)
{
	// A managed node with a device vanishes: lost, fenced, released. Without one and without a
	// watchdog: it waits.
	struct loss_facts facts = {
		.life = NODE_ONLINE, .settled = true, .managed = true, .device = true, .retry = true
	};

	(void)state;
	assert_int_equal(loss_decide(&facts).step, LOSS_DECLARE);
	facts.life = NODE_LOST;
	assert_int_equal(loss_decide(&facts).step, LOSS_FENCE);
	facts.life = NODE_FENCED;
	assert_int_equal(loss_decide(&facts).step, LOSS_RELEASE);
	facts.life = NODE_LOST;
	facts.device = false;
	assert_int_equal(loss_decide(&facts).step, LOSS_WAIT);
	facts.guarded = true;
	assert_int_equal(loss_decide(&facts).step, LOSS_EXPIRE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_input),
		cmocka_unit_test(test_the_story),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
