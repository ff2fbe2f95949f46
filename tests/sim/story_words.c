// SPDX-License-Identifier: Apache-2.0
// The words for every state, in their order: the same in lists, logs and JSON, and no two alike.
#include <string.h>

#include "clusterd/describe_move.h"
#include "clusterd/describe_tip.h"
#include "clusterd/measure.h"
#include "clusterd/node.h"
#include "clusterd/whatif.h"
#include "migration/ends.h"
#include "migration/preflight.h"
#include "policies/balance.h"
#include "policies/mend.h"
#include "resources/vm.h"
#include "tests/sim/story.h"

enum { LINE_SIZE = 1024 };

struct words {
	struct world *world;
	char line[LINE_SIZE];
	size_t used;
};

static void add(struct words *words, const char *word)
{
	char same[64];

	snprintf(same, sizeof(same), " %s,", word);
	if (word[0] && strcmp(word, "?") != 0 && strstr(words->line, same))
		check_fail(words->world, NULL, "two states are called %s", word);
	words->used +=
		(size_t)snprintf(words->line + words->used, LINE_SIZE - words->used, " %s,", word);
}

static void begin(struct words *words)
{
	words->used = 0;
	words->line[0] = 0;
}

static void end(struct words *words, const char *what)
{
	if (words->used > 0)
		words->line[words->used - 1] = 0;
	world_say(words->world, NULL, "  %s:%s", what, words->line);
}

// One more than there are: what is none of them is "?".
#define SAY(words, what, function, kind, from, count)                                              \
	do {                                                                                       \
		begin(words);                                                                      \
		for (int i = (from); i <= (int)(count); i++)                                       \
			add(words, function((enum kind)i));                                        \
		end(words, what);                                                                  \
	} while (0)

static void say_moves(struct words *words)
{
	SAY(words, "kinds of moves", move_kind_word, move_kind, 0, MOVE_KIND_COUNT);
	SAY(words, "stages", move_stage_word, move_stage, 0, MOVE_STAGE_COUNT);
	SAY(words, "outcomes", move_outcome_word, move_outcome, 1, MOVE_OUTCOME_COUNT);
	SAY(words, "causes", move_cause_word, move_cause, 0, MOVE_CAUSE_COUNT);
	SAY(words, "drains", drain_state_word, drain_state, 0, DRAIN_STATE_COUNT);
	SAY(words, "a source", source_state_word, source_state, 0, SOURCE_STATE_COUNT);
	SAY(words, "a target", target_state_word, target_state, 0, TARGET_STATE_COUNT);
	SAY(words, "a saving", save_state_word, save_state, 0, SAVE_STATE_COUNT);
	SAY(words, "preflight", preflight_check_word, preflight_check, 0, PREFLIGHT_CHECK_COUNT);
}

static void say_policies(struct words *words)
{
	SAY(words, "placement", placement_check_word, placement_check, 0, PLACEMENT_CHECK_COUNT);
	SAY(words, "another node", mend_cause_word, mend_cause, 0, MEND_CAUSE_COUNT);
	SAY(words, "dimensions", balance_dimension_word, balance_dimension, 0,
	    BALANCE_DIMENSION_COUNT);
	SAY(words, "tips", tip_state_word, tip_state, 0, TIP_STATE_COUNT);
	SAY(words, "predictions", tip_verdict_word, tip_verdict, 0, TIP_VERDICT_COUNT);
	SAY(words, "what if", whatif_fate_word, whatif_fate, 0, WHATIF_FATE_COUNT);
}

void story_words(struct world *world)
{
	struct words words = { .world = world };

	SAY(&words, "VMs", vm_state_word, vm_state, 0, VM_STATE_COUNT);
	SAY(&words, "nodes", node_state_word, node_state, 0, NODE_STATE_COUNT);
	SAY(&words, "volumes", volume_state_word, volume_state, 0, VOLUME_STATE_COUNT);
	SAY(&words, "measures", measure_word, measure, 0, MEASURE_COUNT);
	for (int i = 0; i <= MEASURE_COUNT; i++)
		world_say(world, NULL, "  %s in %s", measure_word((enum measure)i),
			  measure_unit((enum measure)i));
	SAY(&words, "a VM's life on its host", vm_life_word, vm_life, 0, LIFE_COUNT);
	say_moves(&words);
	say_policies(&words);
}
