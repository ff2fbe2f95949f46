// SPDX-License-Identifier: Apache-2.0
// The words of plans that balance.
#include "clusterd/text.h"
#include "policies/balance.h"

static const char *keep_words(bool one, enum balance_keep keep)
{
	switch (keep) {
	case BALANCE_FREE:
		return "may be moved";
	case BALANCE_KEEP_REST:
		return one ? "rests after its last move" : "rest after their last move";
	case BALANCE_KEEP_MOVING:
		return one ? "is being moved" : "are being moved";
	case BALANCE_KEEP_NOT_RUNNING:
		return one ? "does not run as wanted" : "do not run as wanted";
	case BALANCE_KEEP_UNMANAGED:
		return one ? "is unmanaged" : "are unmanaged";
	case BALANCE_KEEP_NOT_LIVE:
		return one ? "is not to be moved live (on-drain)"
			   : "are not to be moved live (on-drain)";
	case BALANCE_KEEP_STICKY:
		return one ? "is to stay where it is (stickiness)"
			   : "are to stay where they are (stickiness)";
	case BALANCE_KEEP_NODE:
		return one ? "is on a node that takes no part" : "are on nodes that take no part";
	case BALANCE_KEEP_MATE:
		return one ? "goes with others, one of which stays"
			   : "go with others, one of which stays";
	case BALANCE_KEEP_LEADER:
		return one ? "is where others are to be, by a rule"
			   : "are where others are to be, by a rule";
	case BALANCE_KEEP_COUNT:
		break;
	}
	return "?";
}

const char *balance_dimension_word(enum balance_dimension dimension)
{
	switch (dimension) {
	case BALANCE_MEMORY:
		return "memory";
	case BALANCE_CPUS:
		return "CPUs";
	case BALANCE_VMS:
		return "number of VMs";
	case BALANCE_DIMENSION_COUNT:
		break;
	}
	return "?";
}

// Millionths as percent with one digit.
static void add_percent(struct text *text, uint32_t share)
{
	uint32_t tenths = (share + 500) / 1000;

	text_add_number(text, tenths / 10);
	text_add_number(text_add(text, "."), tenths % 10);
	text_add(text, " %");
}

static void add_change(struct text *text, uint32_t before, uint32_t after)
{
	add_percent(text, before);
	add_percent(text_add(text, " to "), after);
}

void balance_explain_step(const struct cluster *cluster, const struct balance_step *step,
			  char *reason)
{
	struct text text = text_in(reason, REASON_SIZE);

	text_add(text_add(&text, balance_dimension_word(step->dimension)), " of ");
	text_add(text_add(&text, cluster->nodes[step->from].def.name), " ");
	add_change(&text, step->from_before, step->from_after);
	text_add(text_add(text_add(&text, ", of "), cluster->nodes[step->to].def.name), " ");
	add_change(&text, step->to_before, step->to_after);
	if (step->together)
		text_add(&text, "; kept together with the one before it");
}

void balance_explain_stop(const struct balance_plan *plan, char *reason)
{
	struct text text = text_in(reason, REASON_SIZE);

	switch ((enum balance_stop)plan->stop) {
	case BALANCE_STOP_BEST:
		text_add(&text, plan->count == 0 ? "no move is worth its cost"
						 : "no further move is worth its cost");
		break;
	case BALANCE_STOP_MOVES:
		text_add(&text, "no more moves are allowed at this time");
		break;
	case BALANCE_STOP_GAIN:
		text_add(&text, plan->count == 0 ? "what can be moved would gain too little"
						 : "further moves would gain too little");
		break;
	case BALANCE_STOP_NODES:
		text_add(&text, "fewer than two nodes can take part");
		break;
	case BALANCE_STOP_COUNT:
		break;
	}
	for (uint32_t keep = 1; keep < BALANCE_KEEP_COUNT; keep++) {
		if (plan->kept[keep] == 0)
			continue;
		text_add_number(text_add(&text, "; "), plan->kept[keep]);
		text_add(text_add(&text, plan->kept[keep] == 1 ? " VM " : " VMs "),
			 keep_words(plan->kept[keep] == 1, (enum balance_keep)keep));
	}
}
