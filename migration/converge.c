// SPDX-License-Identifier: Apache-2.0
/*
 * QEMU spends the whole of the pause that it is allowed, so the limit starts low and is raised in
 * steps, one for each round over dirty memory that brought too little. It need not rise beyond what
 * the least that was ever left would take: at the next such low point QEMU will do it.
 */
#include "migration/converge.h"

#include <string.h>

#include "clusterd/text.h"

enum {
	// Lower costs more rounds, in each of which QEMU's TCG may lose what a guest writes: at 5
	// ms its kernel panicked in 4 of 5 runs of tests/live/migrate.test, at 25 ms in none of 2.
	DOWNTIME_FIRST_MS = 25,
	ROUNDS_IN_VAIN = 4, // until it is sure that pausing longer, or giving up, is all that is
			    // left
	STUCK_MS = 30000,
	MIB = 1024 * 1024,
};

enum fact { NO, YES, ANY };

struct converge_row {
	uint8_t stuck, turned, gains, fits, room, reach, patient, slowing, post_copy;
	enum converge_step step;
	const char *reason;
};

static const struct converge_row *converge_rows(size_t *count)
{
	static const struct converge_row rows[] = {
		// stuck, turned, gains, fits, room, reach, patient, slowing, post-copy
		{ YES, ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY, CONVERGE_GIVE_UP,
		  "nothing was sent for 30 s" },
		{ NO, NO, ANY, ANY, ANY, ANY, ANY, ANY, ANY, CONVERGE_GO_ON,
		  "a round is under way" },
		{ NO, YES, YES, ANY, ANY, ANY, ANY, ANY, ANY, CONVERGE_GO_ON,
		  "less is left than ever before" },
		{ NO, YES, NO, YES, ANY, ANY, ANY, ANY, ANY, CONVERGE_GO_ON,
		  "the next low point fits into the pause" },
		{ NO, YES, NO, NO, YES, YES, ANY, ANY, ANY, CONVERGE_RAISE,
		  "a longer pause, which the definition allows, ends it" },
		{ NO, YES, NO, NO, ANY, ANY, YES, ANY, ANY, CONVERGE_GO_ON,
		  "a few rounds may be in vain" },
		{ NO, YES, NO, NO, ANY, ANY, NO, YES, ANY, CONVERGE_GO_ON,
		  "the guest is being slowed down, as far as its definition allows" },
		{ NO, YES, NO, NO, ANY, ANY, NO, NO, YES, CONVERGE_POST_COPY,
		  "it will not converge, and its definition allows post-copy" },
		{ NO, YES, NO, NO, ANY, ANY, NO, NO, NO, CONVERGE_GIVE_UP, "it will not converge" },
	};

	*count = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

static bool fits(uint8_t wanted, bool found)
{
	return wanted == ANY || (wanted == YES) == found;
}

static bool row_fits(const struct converge_row *row, const struct converge_facts *facts)
{
	return fits(row->stuck, facts->stuck) && fits(row->turned, facts->turned) &&
	       fits(row->gains, facts->gains) && fits(row->fits, facts->fits) &&
	       fits(row->room, facts->room) && fits(row->reach, facts->reach) &&
	       fits(row->patient, facts->patient) && fits(row->slowing, facts->slowing) &&
	       fits(row->post_copy, facts->post_copy);
}

struct converge_answer converge_decide(const struct converge_facts *facts)
{
	size_t count;
	const struct converge_row *rows = converge_rows(&count);

	for (size_t i = 0; i < count; i++)
		if (row_fits(&rows[i], facts))
			return (struct converge_answer){ rows[i].step, rows[i].reason,
							 (uint32_t)i };
	return (struct converge_answer){ CONVERGE_STEP_COUNT, "no row of the table fits",
					 (uint32_t)count };
}

uint32_t converge_row_count(void)
{
	size_t count;

	converge_rows(&count);
	return (uint32_t)count;
}

uint32_t converge_start(struct converge *converge, const struct converge_limits *limits,
			uint64_t now_ms)
{
	memset(converge, 0, sizeof(*converge));
	converge->limits = *limits;
	converge->low = UINT64_MAX;
	converge->moved_ms = now_ms;
	converge->downtime_ms =
		limits->max_pause_ms < DOWNTIME_FIRST_MS ? limits->max_pause_ms : DOWNTIME_FIRST_MS;
	return converge->downtime_ms;
}

// Rounded up; a rate of nothing takes for ever.
static uint64_t takes_ms(uint64_t bytes, uint64_t rate)
{
	if (bytes == 0)
		return 0;
	if (rate == 0 || bytes > UINT64_MAX / 1000)
		return UINT64_MAX;
	return (bytes * 1000 + rate - 1) / rate;
}

// One step up, by half, and no further than the low point needs with a little to spare.
static void raise_limit(struct converge *converge, uint64_t needs_ms)
{
	uint64_t next_ms = (uint64_t)converge->downtime_ms * 3 / 2 + 1;
	uint64_t enough_ms = needs_ms + needs_ms / 8 + 1;

	if (next_ms > enough_ms && enough_ms > converge->downtime_ms)
		next_ms = enough_ms;
	if (next_ms > converge->limits.max_pause_ms)
		next_ms = converge->limits.max_pause_ms;
	converge->downtime_ms = (uint32_t)next_ms;
}

static void say_why(struct converge *converge, const struct migrate_stats *stats,
		    const struct converge_answer *answer, bool stuck)
{
	struct text text = text_in(converge->reason, sizeof(converge->reason));

	text_add(&text, answer->reason);
	if (stuck)
		return;
	text_add(&text, ", because it dirties ");
	text_add_number(&text, stats->dirty_rate / MIB);
	text_add(&text, " MiB/s over a link of ");
	text_add_number(&text, stats->rate / MIB);
	text_add(&text, " MiB/s");
}

/*
 * What a round begins with. Numbers come ten times a second: where more than one round went by
 * since the last ones, what happens to be left at this moment says little, and what was sent in
 * each of them says it.
 */
static uint64_t round_bytes(const struct converge *converge, const struct migrate_stats *stats)
{
	uint64_t rounds = stats->rounds - converge->rounds, sent;

	if (rounds < 2 || stats->transferred < converge->turned_at)
		return stats->remaining;
	sent = (stats->transferred - converge->turned_at) / rounds;
	return sent > stats->remaining ? sent : stats->remaining;
}

// A round has ended: does it gain, and could the guest be paused for the rest?
static void facts_of_round(struct converge *converge, const struct migrate_stats *stats,
			   struct converge_facts *facts)
{
	uint64_t left = round_bytes(converge, stats), low = converge->low;

	facts->gains = low == UINT64_MAX || left < low - low / 25;
	converge->vain = facts->gains ? 0 : converge->vain + 1;
	if (facts->gains)
		converge->low = left;
	converge->needs_ms = takes_ms(converge->low, stats->rate);
	// A low point that fits and did not end it was none.
	facts->fits =
		converge->needs_ms <= converge->downtime_ms && converge->vain < ROUNDS_IN_VAIN;
	facts->room = converge->downtime_ms < converge->limits.max_pause_ms;
	facts->reach = converge->needs_ms <= converge->limits.max_pause_ms;
	facts->patient = converge->vain < ROUNDS_IN_VAIN;
}

enum converge_step converge_judge(struct converge *converge, const struct migrate_stats *stats,
				  uint64_t now_ms)
{
	struct converge_facts facts = { .post_copy = converge->limits.post_copy };
	struct converge_answer answer;

	if (stats->transferred != converge->transferred) {
		converge->transferred = stats->transferred;
		converge->moved_ms = now_ms;
	}
	if (stats->throttle > converge->throttle_top)
		converge->throttle_top = stats->throttle;
	facts.slowing = converge->limits.throttle_max > 0 &&
			stats->throttle < converge->limits.throttle_max;
	facts.stuck = converge->stuck = now_ms - converge->moved_ms >= STUCK_MS;
	// The first round is the whole memory: nothing can be said before it has ended.
	facts.turned = stats->rounds > converge->rounds && stats->rounds > 1;
	if (facts.turned)
		facts_of_round(converge, stats, &facts);
	if (stats->rounds > converge->rounds) {
		converge->rounds = stats->rounds;
		converge->turned_at = stats->transferred;
	}
	answer = converge_decide(&facts);
	if (answer.step == CONVERGE_RAISE)
		raise_limit(converge, converge->needs_ms);
	if (answer.step == CONVERGE_GIVE_UP || answer.step == CONVERGE_POST_COPY)
		say_why(converge, stats, &answer, facts.stuck);
	return answer.step;
}
