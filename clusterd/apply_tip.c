// SPDX-License-Identifier: Apache-2.0
/*
 * Tips in the replicated state.
 *
 *   OPEN -> ACCEPTED -> RUNNING -> DONE     advised; somebody, or the policy itself, said yes;
 *     |        |          |                 its first step is begun; its last one is over
 *     +--------+----------+-> DISMISSED     an administrator said no: no step begins any more
 *     +--------+------------> CLOSED        by itself: the trouble is gone, or it is too late, or
 *                                           there is nothing left that would help
 *
 * That a step is begun is part of the entry that begins it (ENTRY_MOVE_BEGIN, or TIP_ADVANCE to
 * RUNNING for what is no move), so a new coordinator sees what was, and repeats nothing. A tip that
 * is DONE and predicted something waits for its verdict.
 */
#include "clusterd/apply_tip.h"

#include <string.h>

#include "clusterd/invariant.h"
#include "clusterd/text.h"

enum { SUSPEND_FAILED = 3 }; // of POLICY_PAST_MAX predictions

#define BIT(state) (1u << TIP_##state)

static const uint8_t *state_followers(void)
{
	static const uint8_t followers[TIP_STATE_COUNT] = {
		[TIP_OPEN] = BIT(ACCEPTED) | BIT(DISMISSED) | BIT(CLOSED),
		[TIP_ACCEPTED] = BIT(RUNNING) | BIT(DISMISSED) | BIT(CLOSED),
		[TIP_RUNNING] = BIT(DONE) | BIT(DISMISSED),
	};

	return followers;
}

bool tip_may_become(enum tip_state from, enum tip_state to)
{
	return (state_followers()[from] >> to & 1) != 0;
}

static void tip_move(struct apply *a, struct tip *tip, enum tip_state to, const char *result)
{
	INVARIANT(tip_may_become((enum tip_state)tip->state, to));
	tip->state = (uint8_t)to;
	tip->changed_ms = a->entry->at_ms;
	text_copy(tip->result, sizeof(tip->result), result);
}

bool tip_lives(const struct tip *tip)
{
	if (tip->id == 0)
		return false;
	switch ((enum tip_state)tip->state) {
	case TIP_OPEN:
	case TIP_ACCEPTED:
	case TIP_RUNNING:
		return true;
	case TIP_DONE:
		return tip->verdict == VERDICT_PENDING;
	case TIP_DISMISSED:
	case TIP_CLOSED:
	case TIP_STATE_COUNT:
		break;
	}
	return false;
}

static struct tip *tip_of(struct apply *a, uint32_t id)
{
	const struct tip *tip = cluster_tip(a->cluster, id);

	return tip ? &a->cluster->tips[tip - a->cluster->tips] : NULL;
}

static struct tip *named_tip(struct apply *a)
{
	struct tip *tip = tip_of(a, a->entry->tip);

	if (!tip)
		refuse(a, "no-such-tip", WORDS("there is no tip ", number_text(a->entry->tip).text),
		       WORDS("name one of: clustadm tips list"));
	return tip;
}

static bool stale(struct apply *a)
{
	return refuse(a, "stale", WORDS("the tip has moved on"), WORDS(""));
}

static struct cluster_policy *policy_of(struct apply *a, const char *name)
{
	const struct cluster_policy *policy = cluster_find_policy(a->cluster, name);

	return policy ? &a->cluster->policies[policy - a->cluster->policies] : NULL;
}

static struct cluster_policy *named_policy(struct apply *a)
{
	struct cluster_policy *policy = policy_of(a, a->entry->name);

	if (!policy)
		refuse(a, "no-such-policy", WORDS("there is no policy ", a->entry->name),
		       WORDS("name one of: clustadm policy list"));
	return policy;
}

// The run that was asked for, of a policy or (with an empty name) of the balancer alone.
static struct policy_run *run_of(struct apply *a, const char *name)
{
	struct cluster_policy *policy = name[0] ? policy_of(a, name) : NULL;

	if (!name[0])
		return &a->cluster->balance;
	return policy ? &policy->run : NULL;
}

/* Moves of a tip. */

bool tip_allows_move(struct apply *a)
{
	const struct entry *entry = a->entry;
	const struct tip *tip = cluster_tip(a->cluster, entry->tip);
	const struct tip_move *move;

	if (entry->tip == 0)
		return true;
	if (!tip || (tip->state != TIP_ACCEPTED && tip->state != TIP_RUNNING) ||
	    entry->tip_at >= tip->move_count || entry->move_cause != CAUSE_POLICY)
		return stale(a);
	move = &tip->moves[entry->tip_at];
	if (move->move != 0 || move->outcome != 0 || move->vm.slot != entry->vm.slot ||
	    move->vm.serial != entry->vm.serial || move->to != entry->actor)
		return stale(a);
	return true;
}

static void node_count_move(struct apply *a, uint8_t slot)
{
	struct cluster_node *node = slot < NODES_MAX ? &a->cluster->nodes[slot] : NULL;

	if (!node)
		return;
	if (node->policy_move_count == POLICY_BUDGET_MAX)
		memmove(node->policy_moves, node->policy_moves + 1,
			--node->policy_move_count * sizeof(node->policy_moves[0]));
	node->policy_moves[node->policy_move_count++] = a->entry->at_ms;
}

void tip_move_began(struct apply *a, struct move *move)
{
	struct tip *tip = tip_of(a, a->entry->tip);

	if (!tip)
		return;
	move->tip = tip->id;
	tip->moves[a->entry->tip_at].move = move->id;
	node_count_move(a, move->source);
	node_count_move(a, move->target);
	if (tip->state == TIP_ACCEPTED)
		tip_move(a, tip, TIP_RUNNING, "");
}

void tip_move_ended(struct apply *a, const struct move *move, enum move_outcome outcome)
{
	struct tip *tip = tip_of(a, move->tip);

	for (uint32_t i = 0; tip && i < tip->move_count; i++)
		if (tip->moves[i].move == move->id)
			tip->moves[i].outcome = (uint8_t)outcome;
}

/* Requests. */

static bool policy_set(struct apply *a)
{
	struct cluster_policy *policy = named_policy(a);

	if (!policy)
		return false;
	policy->def.enabled = a->entry->flag;
	if (!a->entry->flag)
		return true;
	// Who enables it knows why it suspended itself, and lets it begin anew.
	policy->suspended = false;
	policy->past_count = 0;
	text_copy(policy->reason, sizeof(policy->reason), "");
	return true;
}

static bool policy_run(struct apply *a)
{
	const char *name = a->entry->name;
	struct cluster_policy *policy = name[0] ? named_policy(a) : NULL;
	struct policy_run *run;

	if (name[0] && !policy)
		return false;
	if (policy && !policy->def.enabled)
		return refuse(a, "disabled", WORDS("policy ", name, " is disabled"),
			      WORDS("clustadm policy enable ", name));
	run = run_of(a, name);
	run->wanted = true;
	run->count++;
	run->tip = 0;
	text_copy(run->reason, sizeof(run->reason), "");
	return true;
}

static bool tip_accept(struct apply *a)
{
	struct tip *tip = named_tip(a);

	if (!tip)
		return false;
	if (tip->state != TIP_OPEN)
		return refuse(a, "not-open",
			      WORDS("tip ", number_text(tip->id).text, " is not open any more"),
			      WORDS("see: clustadm tips list"));
	tip_move(a, tip, TIP_ACCEPTED, "");
	return true;
}

static bool tip_dismiss(struct apply *a)
{
	struct tip *tip = named_tip(a);

	if (!tip)
		return false;
	if (!tip_may_become((enum tip_state)tip->state, TIP_DISMISSED))
		return refuse(a, "over", WORDS("tip ", number_text(tip->id).text, " is over"),
			      WORDS("see: clustadm tips list"));
	tip_move(a, tip, TIP_DISMISSED,
		 tip->state == TIP_RUNNING ? "what is under way ends; nothing more begins" : "");
	return true;
}

/* What a node says of the script that it was told to run. */

static bool script_report(struct apply *a)
{
	struct tip *tip = named_tip(a);

	if (!tip)
		return false;
	if (tip->state != TIP_RUNNING || tip->actor == SLOT_NONE || tip->actor != apply_from(a))
		return stale(a);
	tip_move(a, tip, TIP_DONE, a->entry->reason);
	return true;
}

/* Decisions. */

static bool same_subject(const struct tip *a, const struct tip *b)
{
	return a->subject == b->subject && a->node == b->node && a->volume == b->volume &&
	       a->vm.slot == b->vm.slot && a->vm.serial == b->vm.serial;
}

// A free place, or that of the one which is over for longest; NULL: all of them live.
static struct tip *tip_place(struct cluster *cluster)
{
	struct tip *oldest = NULL;

	for (uint32_t i = 0; i < TIPS_MAX; i++) {
		struct tip *tip = &cluster->tips[i];

		if (tip->id == 0)
			return tip;
		if (!tip_lives(tip) && (!oldest || tip->id < oldest->id))
			oldest = tip;
	}
	return oldest;
}

static bool tip_makes_sense(const struct cluster *cluster, const struct tip *tip)
{
	const struct cluster_policy *policy = cluster_find_policy(cluster, tip->policy);

	if (tip->state != TIP_OPEN && tip->state != TIP_ACCEPTED)
		return false;
	if (tip->policy[0] ? !policy || !policy->def.enabled : !tip->asked)
		return false;
	if (tip->asked && !(policy ? policy->run.wanted : cluster->balance.wanted))
		return false;
	for (uint32_t i = 0; i < tip->move_count; i++)
		if (!cluster_vm(cluster, tip->moves[i].vm) || tip->moves[i].from == SLOT_NONE)
			return false;
	for (uint32_t i = 0; i < TIPS_MAX; i++)
		if (tip_lives(&cluster->tips[i]) && cluster->tips[i].state != TIP_DONE &&
		    strcmp(cluster->tips[i].policy, tip->policy) == 0 &&
		    same_subject(&cluster->tips[i], tip))
			return false;
	return true;
}

static bool tip_open(struct apply *a)
{
	struct cluster *cluster = a->cluster;
	struct tip tip, *place;
	struct policy_run *run;

	if (!tip_decode(&tip, a->entry->body, a->entry->body_size))
		return refuse(a, "malformed", WORDS("the tip is garbled"), WORDS(""));
	if (!tip_makes_sense(cluster, &tip))
		return stale(a);
	place = tip_place(cluster);
	if (!place)
		return refuse(a, "table-full",
			      WORDS("there are ", number_text(TIPS_MAX).text, " tips already"),
			      WORDS("accept or dismiss some: clustadm tips list"));
	run = run_of(a, tip.policy);
	*place = tip;
	place->id = cluster->next_tip++;
	place->opened_ms = place->changed_ms = a->entry->at_ms;
	place->verdict = VERDICT_NONE;
	for (uint32_t i = 0; i < place->move_count; i++)
		place->moves[i].move = place->moves[i].outcome = 0;
	if (!tip.asked)
		return true;
	run->wanted = false;
	run->tip = place->id;
	return true;
}

// What has begun stays; what has not is replaced.
static bool tip_plan(struct apply *a)
{
	struct tip *tip = named_tip(a), plan;
	uint32_t kept = 0;

	if (!tip)
		return false;
	if (!tip_decode(&plan, a->entry->body, a->entry->body_size))
		return refuse(a, "malformed", WORDS("the plan is garbled"), WORDS(""));
	if (tip->state != TIP_ACCEPTED && tip->state != TIP_RUNNING)
		return stale(a);
	for (uint32_t i = 0; i < tip->move_count; i++)
		if (tip->moves[i].move != 0)
			tip->moves[kept++] = tip->moves[i];
	for (uint32_t i = 0; i < plan.move_count && kept < TIP_MOVES_MAX; i++) {
		tip->moves[kept] = plan.moves[i];
		tip->moves[kept].move = tip->moves[kept].outcome = 0;
		kept++;
	}
	memset(tip->moves + kept, 0, (TIP_MOVES_MAX - kept) * sizeof(tip->moves[0]));
	tip->move_count = kept;
	tip->after = plan.after;
	tip->cost_ms = plan.cost_ms;
	tip->cost_bytes = plan.cost_bytes;
	tip->replans++;
	return true;
}

// A drain is begun together with the tip's being RUNNING; a script, by its actor, after that.
static void tip_begin(struct apply *a, struct tip *tip)
{
	struct cluster_node *node = tip->node < NODES_MAX ? &a->cluster->nodes[tip->node] : NULL;

	if (tip->action == PRO_DRAIN && node && node->used && node->drain == DRAIN_NONE)
		node_drain_begin(node);
	if (tip->action == PRO_SCRIPT)
		tip->actor = a->entry->actor;
}

static bool tip_predicts(const struct tip *tip)
{
	bool moved = false;

	for (uint32_t i = 0; i < tip->move_count; i++)
		moved = moved || tip->moves[i].outcome == MOVE_DONE;
	return moved && tip->before > tip->after;
}

static bool tip_advance(struct apply *a)
{
	struct tip *tip = named_tip(a);
	enum tip_state to = (enum tip_state)a->entry->tip_state;

	if (!tip)
		return false;
	if (!tip_may_become((enum tip_state)tip->state, to) || to == TIP_DISMISSED)
		return stale(a);
	if (to == TIP_ACCEPTED)
		tip->automatic = true;
	tip_move(a, tip, to, a->entry->reason);
	if (to == TIP_RUNNING)
		tip_begin(a, tip);
	if (to == TIP_DONE && tip_predicts(tip))
		tip->verdict = VERDICT_PENDING;
	return true;
}

// Of the predictions that are remembered once one more is: the oldest gives way to it.
static uint32_t failed_before(const struct cluster_policy *policy)
{
	uint32_t first = policy->past_count == POLICY_PAST_MAX ? 1 : 0, failed = 0;

	for (uint32_t i = first; i < policy->past_count; i++)
		failed += policy->past[i].verdict == VERDICT_FAILED;
	return failed;
}

bool policy_would_suspend(const struct cluster_policy *policy)
{
	return !policy->suspended && policy->def.mode != PRO_ADVICE &&
	       failed_before(policy) + 1 >= SUSPEND_FAILED;
}

static void policy_remember(struct cluster_policy *policy, const struct tip *tip)
{
	struct policy_past past = { tip->id, tip->verdict, tip->before, tip->after, tip->measured };
	bool suspend = tip->verdict == VERDICT_FAILED && policy_would_suspend(policy);
	struct text text;

	if (policy->past_count == POLICY_PAST_MAX)
		memmove(policy->past, policy->past + 1,
			--policy->past_count * sizeof(policy->past[0]));
	policy->past[policy->past_count++] = past;
	if (!suspend)
		return;
	policy->suspended = true;
	text = text_in(policy->reason, sizeof(policy->reason));
	text_add_number(&text, SUSPEND_FAILED);
	text_add_number(text_add(&text, " of its last "), policy->past_count);
	text_add(&text, " predictions did not hold: it only advises, until it is enabled again");
}

static bool tip_measured(struct apply *a)
{
	struct tip *tip = named_tip(a);
	struct cluster_policy *policy;
	uint8_t verdict = a->entry->tip_verdict;

	if (!tip)
		return false;
	if (tip->state != TIP_DONE || tip->verdict != VERDICT_PENDING || verdict <= VERDICT_PENDING)
		return stale(a);
	tip->verdict = verdict;
	tip->measured = a->entry->measured;
	text_copy(tip->result, sizeof(tip->result), a->entry->reason);
	policy = policy_of(a, tip->policy);
	if (policy && verdict != VERDICT_UNKNOWN)
		policy_remember(policy, tip);
	return true;
}

static bool policy_ran(struct apply *a)
{
	struct policy_run *run = run_of(a, a->entry->name);

	if (!run || !run->wanted)
		return refuse(a, "stale", WORDS("nothing was asked for"), WORDS(""));
	run->wanted = false;
	text_copy(run->reason, sizeof(run->reason), a->entry->reason);
	return true;
}

static bool hours_set(struct apply *a)
{
	int32_t ahead_min = a->entry->ahead_min;

	if (ahead_min < -AHEAD_MAX_MIN || ahead_min > AHEAD_MAX_MIN)
		return refuse(a, "malformed", WORDS("no clock is so far from UTC"), WORDS(""));
	a->cluster->ahead_min = ahead_min;
	return true;
}

bool apply_tip(struct apply *a)
{
	switch (a->entry->type) {
	case ENTRY_POLICY_SET:
		return policy_set(a);
	case ENTRY_POLICY_RUN:
		return policy_run(a);
	case ENTRY_TIP_ACCEPT:
		return tip_accept(a);
	case ENTRY_TIP_DISMISS:
		return tip_dismiss(a);
	case ENTRY_SCRIPT_REPORT:
		return script_report(a);
	case ENTRY_TIP_OPEN:
		return tip_open(a);
	case ENTRY_TIP_PLAN:
		return tip_plan(a);
	case ENTRY_TIP_ADVANCE:
		return tip_advance(a);
	case ENTRY_TIP_MEASURED:
		return tip_measured(a);
	case ENTRY_POLICY_RAN:
		return policy_ran(a);
	case ENTRY_HOURS:
		return hours_set(a);
	}
	return refuse(a, "malformed", WORDS("unknown type of entry"), WORDS(""));
}
