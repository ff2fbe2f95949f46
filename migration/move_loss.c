// SPDX-License-Identifier: Apache-2.0
/*
 * The first row that fits decides. tests/unit/test_move_loss.c enumerates every input: some row
 * always fits, and none says RESTART unless both ends are proven to run nothing.
 *
 * What a row must keep apart: a source that has renounced may not resume when its target may have
 * continued, because the disk may be newer than its memory; one that has not renounced may always
 * run on. Whether it renounced, and whether it told its target so, the source alone knows. So a
 * target that is proven dead never ends a move while the source lives: the source says which of the
 * two it was, by EXCLUSIVE (it runs on) or by SOURCE_GONE. And a source that is proven dead never
 * ends one while the target lives: the target may have been told, and says RUNS or TARGET_GONE.
 */
#include "migration/move_loss.h"

#include <stdbool.h>
#include <stddef.h>

struct move_loss_row {
	uint8_t phases, sources, targets; // bits
	enum move_loss_step step;
	const char *reason;
};

#define P(phase) (1u << MOVE_LOSS_##phase)
#define F(fate) (1u << FATE_##fate)
#define PROVEN (F(GONE) | F(DEAD))
#define LIVE (P(BEFORE) | P(SENT))
#define ANY 0xff

static const struct move_loss_row *loss_rows(size_t *count)
{
	static const struct move_loss_row rows[] = {
		{ P(SAVING), F(HERE), ANY, MOVE_LOSS_NOTHING, "its source goes on" },
		{ P(SAVING), F(UNKNOWN), ANY, MOVE_LOSS_WAIT,
		  "its source is lost and may still run it" },
		{ P(SAVING), PROVEN, ANY, MOVE_LOSS_RESTART,
		  "its source was lost before anything was saved whole" },

		{ P(ARRIVING), ANY, F(HERE), MOVE_LOSS_NOTHING, "its target goes on" },
		{ P(ARRIVING), ANY, F(UNKNOWN), MOVE_LOSS_WAIT,
		  "its target is lost and may already run it" },
		{ P(ARRIVING), ANY, PROVEN, MOVE_LOSS_RESTART,
		  "its target was lost before it was seen running there" },

		{ P(CONTINUED), F(HERE) | PROVEN, F(HERE), MOVE_LOSS_NOTHING,
		  "it runs on the target" },
		{ P(CONTINUED), F(UNKNOWN), F(HERE), MOVE_LOSS_WAIT,
		  "it runs on the target; the source's end is not proven, so the lease stays "
		  "shared" },
		{ P(CONTINUED), ANY, F(UNKNOWN), MOVE_LOSS_WAIT,
		  "its target is lost and may still run it" },
		{ P(CONTINUED), PROVEN, PROVEN, MOVE_LOSS_RESTART,
		  "its target ran it and was lost, and nothing is left of it on the source" },
		{ P(CONTINUED), F(HERE) | F(UNKNOWN), PROVEN, MOVE_LOSS_WAIT,
		  "its target ran it and was lost; the source, which has renounced, ends first" },

		{ LIVE, PROVEN, PROVEN, MOVE_LOSS_RESTART,
		  "source and target were lost: neither side's memory is left" },
		{ P(BEFORE), PROVEN, F(HERE), MOVE_LOSS_UNDO,
		  "its source was lost before any memory was sent; the target ends" },
		{ P(SENT), PROVEN, F(HERE), MOVE_LOSS_UNDO,
		  "its source was lost; the target runs it if it was told to, and ends otherwise" },
		{ LIVE, PROVEN, F(UNKNOWN), MOVE_LOSS_UNDO,
		  "its source is gone, and whether the target runs it is not known" },

		{ LIVE, F(HERE), F(HERE), MOVE_LOSS_NOTHING, "both ends are there" },
		{ LIVE, F(HERE), F(GONE), MOVE_LOSS_UNDO,
		  "its target never continued and never will: it runs on where it was" },
		{ P(BEFORE), F(HERE), F(DEAD), MOVE_LOSS_UNDO,
		  "its target was lost before any memory was sent: it runs on where it was" },
		{ P(SENT), F(HERE), F(DEAD), MOVE_LOSS_UNDO,
		  "its target was lost: it runs on where it was, unless the target may have "
		  "continued" },
		{ LIVE, F(HERE), F(UNKNOWN), MOVE_LOSS_UNDO,
		  "its target is lost: it runs on where it was, as soon as the target is proven to "
		  "have ended" },

		{ LIVE, F(UNKNOWN), ANY, MOVE_LOSS_UNDO,
		  "its source is lost and may still run it" },
	};

	*count = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

static bool row_fits(const struct move_loss_row *row, const struct move_loss_facts *facts)
{
	return (row->phases >> facts->phase & 1) && (row->sources >> facts->source & 1) &&
	       (row->targets >> facts->target & 1);
}

struct move_loss_answer move_loss_decide(const struct move_loss_facts *facts)
{
	size_t count;
	const struct move_loss_row *rows = loss_rows(&count);

	for (size_t i = 0; i < count; i++)
		if (row_fits(&rows[i], facts))
			return (struct move_loss_answer){ rows[i].step, rows[i].reason,
							  (uint32_t)i };
	return (struct move_loss_answer){ MOVE_LOSS_STEP_COUNT, "no row of the table fits",
					  (uint32_t)count };
}

uint32_t move_loss_row_count(void)
{
	size_t count;

	loss_rows(&count);
	return (uint32_t)count;
}
