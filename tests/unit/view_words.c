// SPDX-License-Identifier: Apache-2.0
// Words over links: they may be late, come twice or never, whatever the group does meanwhile.
#include "tests/unit/view_world.h"

void world_word_told(struct world *w, uint32_t n, const struct action *action)
{
	struct link_word *word = &w->words[world_random(w, WORLD_WORDS)];
	uint32_t to = action->node_id - 1;

	if (action->node_id == 0 || to >= w->count || to == n)
		world_fail(w, "a word to nobody");
	else if (w->nodes[to].up && world_random(w, 8) != 0) {
		if (w->word_count < WORLD_WORDS)
			word = &w->words[w->word_count++];
		*word = (struct link_word){ .to = to, .pid = w->nodes[to].pid };
		word->late = world_random(w, 4) == 0;
		word->event = (struct event){ .type = EVENT_SYNCED_HEARD,
					      .from_id = w->nodes[n].id,
					      .view = action->view,
					      .token = action->token,
					      .index = action->index };
		w->words_told++;
	}
}

bool world_word_hear(struct world *w)
{
	struct link_word *word, heard;

	if (w->word_count == 0)
		return false;
	word = &w->words[world_random(w, w->word_count)];
	if (world_random(w, word->late ? 300 : 6) != 0)
		return false;
	heard = *word;
	if (world_random(w, 4) != 0)
		*word = w->words[--w->word_count];
	if (!w->nodes[heard.to].up || w->nodes[heard.to].pid != heard.pid)
		return false;
	w->words_late += heard.event.view != view_number(w->nodes[heard.to].view);
	heard.event.now_ms = heard.event.wall_ms = w->now_ms;
	world_step(w, heard.to, &heard.event);
	return true;
}
