// SPDX-License-Identifier: Apache-2.0
/*
 * The coordinator's part in policies: looks at their conditions now and then, opens tips, and has
 * done what is accepted. Everything that it goes on with is in the replicated state, so a new
 * coordinator goes on with it; only how long a condition holds is counted anew.
 */
#include <string.h>

#include "clusterd/decide_tip.h"
#include "clusterd/rule_index.h"
#include "clusterd/text.h"
#include "policies/drain.h"
#include "policies/mend.h"

enum {
	REPLANS_MAX = 3,
	SETTLE_MS = 30000,	   // at least, until a prediction is looked at
	MEASURE_LIMIT_MS = 600000, // then it cannot be
	SCRIPT_WORD_MS = 30000,	   // beyond its limit, until its host's silence is the answer
};

// The policy's definition, or that of a balance without one. NULL: the policy is gone.
static const struct pro_def *def_of(const struct tipping *t, const char *policy,
				    struct pro_def *plain)
{
	const struct cluster_policy *found =
		policy[0] ? cluster_find_policy(&t->node->cluster, policy) : NULL;

	if (policy[0])
		return found && found->def.enabled ? &found->def : NULL;
	*plain = pro_plain_balance();
	return plain;
}

static struct move_round *round_of(struct tipping *t)
{
	if (!t->round_ready)
		move_round_init(&t->round, t->node, t->world.present);
	t->round_ready = true;
	return &t->round;
}

struct tip_planner tip_planner_for(struct tipping *t, const struct pro_def *def,
				   const struct pro_target *target, bool asked)
{
	const struct cluster *cluster = &t->node->cluster;
	struct tip_planner planner = {
		.world = &t->world,
		.def = def,
		.target = *target,
		.round = round_of(t),
		.configured = asked && t->unseen == t->world.present,
		.asked = asked,
		.memory = t->node->plan_memory,
		.limits = &cluster->limits,
	};

	planner.barred = planner.configured ? 0 : t->unseen;
	for (uint8_t slot = 0; slot < cluster->node_high && !asked; slot++)
		if (cluster->nodes[slot].used &&
		    pro_node_spent(&cluster->nodes[slot], def->budget, t->world.wall_ms))
			planner.barred |= UINT64_C(1) << slot;
	return planner;
}

static void advance(struct tipping *t, const struct tip *tip, enum tip_state to, const char *reason)
{
	struct entry entry;

	memset(&entry, 0, sizeof(entry));
	entry.type = ENTRY_TIP_ADVANCE;
	entry.tip = tip->id;
	entry.tip_state = (uint8_t)to;
	entry.actor = SLOT_NONE;
	if (to == TIP_RUNNING && tip->action == PRO_SCRIPT)
		entry.actor = node_self_slot(t->node);
	text_copy(entry.reason, sizeof(entry.reason), reason);
	node_propose(t->node, &entry, NULL, t->actions);
}

void tip_propose(struct tipping *t, enum entry_type type, uint32_t id, const struct tip *tip)
{
	enum { TIP_BYTES = 4096 };
	struct entry entry;
	uint8_t *bytes;

	if (!actions_room(t->actions, 16, 64 * 1024))
		return;
	bytes = actions_bytes(t->actions, TIP_BYTES);
	memset(&entry, 0, sizeof(entry));
	entry.type = (uint8_t)type;
	entry.tip = id;
	entry.body = bytes;
	entry.body_size = tip_encode(tip, bytes, TIP_BYTES);
	node_propose(t->node, &entry, NULL, t->actions);
}

static uint64_t in_state_ms(struct tipping *t, const struct tip *tip)
{
	struct tip_watch *watch = &t->node->tip_watches[tip - t->node->cluster.tips];

	if (watch->id != tip->id || watch->state != tip->state)
		*watch = (struct tip_watch){ tip->id, tip->state, t->node->now_ms };
	return t->node->now_ms - watch->since_ms;
}

struct pro_target tip_target(const struct tip *tip)
{
	return (struct pro_target){ tip->subject, tip->node, tip->volume, tip->vm };
}

static bool subject_is_there(const struct cluster *cluster, const struct tip *tip)
{
	switch ((enum pro_subject)tip->subject) {
	case PRO_NODE:
		return tip->node < NODES_MAX && cluster->nodes[tip->node].used &&
		       strcmp(cluster->nodes[tip->node].def.name, tip->subject_name) == 0;
	case PRO_VM:
		return cluster_vm(cluster, tip->vm) != NULL;
	case PRO_VOLUME:
		return tip->volume < VOLUMES_MAX && cluster->volumes[tip->volume].used;
	case PRO_CLUSTER:
		return true;
	case PRO_SUBJECT_COUNT:
		break;
	}
	return false;
}

/* Plans being carried out. */

static bool under_way(const struct tip_move *move)
{
	return move->move != 0 && move->outcome == 0;
}

static uint32_t moves_under_way(const struct tip *tip)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < tip->move_count; i++)
		count += under_way(&tip->moves[i]);
	return count;
}

// Everything that policies move at this time counts against what one of them may.
static uint32_t all_under_way(const struct cluster *cluster)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < cluster->move_high; i++)
		count += cluster->moves[i].id != 0 && cluster->moves[i].tip != 0;
	return count;
}

// Those that are kept together go together: they are in the way of each other only as long as not
// all of them have begun.
static bool may_go(const struct cluster *cluster, const struct move_round *round,
		   const struct vm *vm, uint8_t to)
{
	uint64_t among = preflight_targets(cluster, &round->moves, vm, MOVE_LIVE);
	struct placement_load scratch;

	if (group_of_vm(cluster, vm) == SLOT_NONE)
		return move_choose_target(cluster, round, vm, to, MOVE_LIVE) == to;
	among &= UINT64_C(1) << to;
	return group_choose(cluster, &round->load, &scratch, vm, vm->owner, among) == to;
}

enum begun { MOVE_BEGUN, MOVE_LATER, MOVE_IMPOSSIBLE };

// The VM is where the plan has it, and every check that any other move meets is met.
static enum begun begin_move(struct tipping *t, const struct tip *tip, uint8_t at)
{
	const struct cluster *cluster = &t->node->cluster;
	const struct tip_move *planned = &tip->moves[at];
	const struct vm *vm = cluster_vm(cluster, planned->vm);
	struct move_round *round = round_of(t);
	struct move_choice choice = { .vm = vm,
				      .kind = planned->to == SLOT_NONE ? MOVE_SAVE : MOVE_LIVE,
				      .cause = CAUSE_POLICY,
				      .target = planned->to,
				      .tip = tip->id,
				      .tip_at = at };

	if (!vm || vm->owner != planned->from || vm->phase != VM_RUNNING || !vm->managed ||
	    vm->wanted != VM_WANTED_RUNNING)
		return MOVE_IMPOSSIBLE;
	if (vm->move != 0 || round->limits.full_out >> vm->owner & 1 ||
	    (planned->to < NODES_MAX && round->limits.full_in >> planned->to & 1))
		return MOVE_LATER;
	if (planned->to < NODES_MAX && !may_go(cluster, round, vm, planned->to))
		return MOVE_IMPOSSIBLE;
	return actions_room(t->actions, 16, 64 * 1024) &&
			       move_propose(t->node, round, &choice, t->actions)
		       ? MOVE_BEGUN
		       : MOVE_LATER;
}

static void say_outcome(const struct tip *tip, char *result)
{
	struct text text = text_in(result, REASON_SIZE);
	uint32_t done = 0;

	for (uint32_t i = 0; i < tip->move_count; i++)
		done += tip->moves[i].outcome == MOVE_DONE || tip->moves[i].outcome == MOVE_SAVED;
	text_add_number(&text, done);
	text_add_number(text_add(&text, " of "), tip->move_count);
	text_add(&text, " moves done");
}

static void end_early(struct tipping *t, const struct tip *tip, const char *why)
{
	char result[REASON_SIZE];
	struct text text;

	if (tip->state == TIP_ACCEPTED) {
		advance(t, tip, TIP_CLOSED, why);
		return;
	}
	say_outcome(tip, result);
	text = (struct text){ result, sizeof(result), strlen(result) };
	text_add(text_add(&text, "; the rest is given up: "), why);
	advance(t, tip, TIP_DONE, result);
}

/*
 * A step that cannot be begun, with nothing of the tip under way that could alter that: the plan is
 * made anew from how things are now, or given up.
 */
static void plan_anew(struct tipping *t, const struct tip *tip, const struct pro_def *def)
{
	struct pro_target target = tip_target(tip);
	struct tip_planner planner = tip_planner_for(t, def, &target, tip->asked);
	struct tip plan = *tip;
	char why[REASON_SIZE];
	uint32_t begun = 0;

	for (uint32_t i = 0; i < tip->move_count; i++)
		begun += tip->moves[i].move != 0;
	if (tip->replans >= REPLANS_MAX || begun >= def->moves) {
		end_early(t, tip, "what is left of its plan is refused");
		return;
	}
	if (!tip_plan_make(&planner, &plan, why)) {
		end_early(t, tip, why);
		return;
	}
	if (plan.move_count > def->moves - begun)
		plan.move_count = def->moves - begun;
	tip_propose(t, ENTRY_TIP_PLAN, tip->id, &plan);
}

static void carry_out(struct tipping *t, const struct tip *tip, const struct pro_def *def)
{
	uint32_t running = moves_under_way(tip), all = all_under_way(&t->node->cluster), left = 0;
	bool impossible = false, later = running > 0;
	char result[REASON_SIZE];

	for (uint8_t i = 0; i < tip->move_count; i++) {
		enum begun begun;

		if (tip->moves[i].move != 0)
			continue;
		left++;
		if (all >= def->at_once) {
			later = true;
			break;
		}
		begun = begin_move(t, tip, i);
		impossible = impossible || begun == MOVE_IMPOSSIBLE;
		later = later || begun != MOVE_IMPOSSIBLE;
		all += begun == MOVE_BEGUN;
	}
	if (left == 0 && running == 0) {
		say_outcome(tip, result);
		advance(t, tip, TIP_DONE, result);
	} else if (impossible && !later) {
		plan_anew(t, tip, def);
	}
}

/* The states. */

bool tip_moves_vms(const struct tip *tip)
{
	return tip->action == PRO_MOVE || tip->action == PRO_BALANCE || tip->action == PRO_SAVE;
}

// Its policy may act by itself, and nothing else of the same kind is under way.
static bool accepts_itself(const struct tipping *t, const struct tip *tip)
{
	const struct cluster *cluster = &t->node->cluster;
	const struct cluster_policy *policy = cluster_find_policy(cluster, tip->policy);

	return policy && tip->action != PRO_NOTIFY &&
	       pro_automatic(t->world.cluster, policy, t->world.wall_ms);
}

static bool trouble_is_over(const struct tipping *t, const struct tip *tip,
			    const struct pro_def *def)
{
	struct pro_target target = tip_target(tip);
	struct pro_reading reading;

	if (tip->asked)
		return false;
	pro_read(&t->world, def, &target, &reading);
	return pro_over(def, &reading);
}

// What closes a tip of which nothing has begun; NULL: nothing.
static const char *closes(const struct tipping *t, const struct tip *tip, const struct pro_def *def)
{
	if (!def)
		return "its policy is disabled or removed";
	if (!subject_is_there(&t->node->cluster, tip))
		return "what it is about is gone";
	if (trouble_is_over(t, tip, def))
		return "the trouble is gone";
	if (tip->state == TIP_OPEN && t->world.wall_ms >= tip->expires_ms)
		return "nobody answered it in time";
	return NULL;
}

// One balance at a time: two would each plan as if the other were not.
static bool another_runs(const struct tipping *t, const struct tip *tip)
{
	for (uint32_t i = 0; i < TIPS_MAX; i++) {
		const struct tip *other = &t->node->cluster.tips[i];

		if (other != tip && other->id != 0 && tip_moves_vms(other) &&
		    (other->state == TIP_RUNNING ||
		     (other->state == TIP_ACCEPTED && other->id < tip->id)))
			return true;
	}
	return false;
}

static void begin_tip(struct tipping *t, const struct tip *tip, const struct pro_def *def)
{
	char reason[REASON_SIZE], fix[REASON_SIZE];

	switch ((enum pro_action)tip->action) {
	case PRO_MOVE:
	case PRO_BALANCE:
	case PRO_SAVE:
		if (!another_runs(t, tip))
			carry_out(t, tip, def);
		return;
	case PRO_DRAIN:
		if (!drain_allowed(&t->node->cluster, tip->node, t->world.present, t->node->scratch,
				   reason, fix)) {
			advance(t, tip, TIP_CLOSED, reason);
			return;
		}
		break;
	case PRO_SCRIPT:
		if (!script_room(t->node))
			return;
		break;
	case PRO_NOTIFY:
	case PRO_ACTION_COUNT:
		break;
	}
	advance(t, tip, TIP_RUNNING, "");
}

static void watch_drain(struct tipping *t, const struct tip *tip)
{
	const struct cluster_node *node = &t->node->cluster.nodes[tip->node];

	if (!node->used || node->drain == DRAIN_NONE)
		advance(t, tip, TIP_DONE, "its drain was ended");
	else if (node->drain == DRAIN_DRAINED)
		advance(t, tip, TIP_DONE, "the node is empty");
	else if (node->drain == DRAIN_STUCK)
		advance(t, tip, TIP_DONE, node->drain_reason);
}

// Its own word comes as an entry; this is for the case that there is none to come.
static void watch_script(struct tipping *t, const struct tip *tip, const struct pro_def *def)
{
	uint64_t limit_ms = (def ? def->script_limit_s : PRO_SCRIPT_MAX_S) * UINT64_C(1000);

	if (tip->actor >= NODES_MAX || !(t->world.present >> tip->actor & 1))
		advance(t, tip, TIP_DONE,
			"the node that ran it is gone: how it ended is not known");
	else if (in_state_ms(t, tip) > limit_ms + SCRIPT_WORD_MS)
		advance(t, tip, TIP_DONE,
			"the daemon that ran it is gone: how it ended is not known");
}

static void go_on(struct tipping *t, const struct tip *tip, const struct pro_def *def)
{
	struct pro_def plain = pro_plain_balance();

	switch ((enum pro_action)tip->action) {
	case PRO_MOVE:
	case PRO_BALANCE:
	case PRO_SAVE:
		if (def)
			carry_out(t, tip, def);
		else if (moves_under_way(tip) == 0)
			end_early(t, tip, "its policy is disabled or removed");
		break;
	case PRO_DRAIN:
		watch_drain(t, tip);
		break;
	case PRO_SCRIPT:
		watch_script(t, tip, def ? def : &plain);
		break;
	case PRO_NOTIFY:
	case PRO_ACTION_COUNT:
		advance(t, tip, TIP_DONE, "noted");
		break;
	}
}

static void say_measured(const struct tip *tip, enum tip_verdict verdict, uint32_t value,
			 char *reason)
{
	struct text text = text_in(reason, REASON_SIZE);

	if (verdict == VERDICT_UNKNOWN) {
		text_add(&text, "whether its prediction held cannot be told: measurements are "
				"missing");
		return;
	}
	text_add(&text, verdict == VERDICT_HELD ? "its prediction held: from "
						: "its prediction did not hold: from ");
	text_add_number(&text, tip->before);
	text_add_number(text_add(&text, " to "), value);
	text_add_number(text_add(&text, ", predicted "), tip->after);
}

// Once things have settled: the samples that are looked at are all of after the end.
static void judge(struct tipping *t, const struct tip *tip, const struct pro_def *def)
{
	struct pro_target target = tip_target(tip);
	uint64_t since_ms = in_state_ms(t, tip);
	struct tip_planner planner;
	enum tip_verdict verdict;
	struct pro_def plain = pro_plain_balance();
	struct pro_reading reading;
	uint64_t settle_ms = SETTLE_MS;
	uint32_t value = 0;
	struct entry entry;
	bool known;

	def = def ? def : &plain;
	pro_read(&t->world, def, &target, &reading);
	if (reading.known && reading.step_ms)
		settle_ms = 4ull * reading.step_ms;
	if (since_ms < settle_ms) {
		node_wake_at(t->node, t->node->now_ms + settle_ms - since_ms);
		return;
	}
	planner = tip_planner_for(t, def, &target, tip->asked);
	known = tip_plan_measure(&planner, tip, &value);
	if (!known && since_ms < MEASURE_LIMIT_MS) {
		node_wake_at(t->node, t->node->now_ms + POLICY_LOOK_MS);
		return;
	}
	verdict = known ? pro_verdict(tip->before, tip->after, value) : VERDICT_UNKNOWN;
	memset(&entry, 0, sizeof(entry));
	entry.type = ENTRY_TIP_MEASURED;
	entry.tip = tip->id;
	entry.tip_verdict = (uint8_t)verdict;
	entry.measured = value;
	say_measured(tip, verdict, value, entry.reason);
	node_propose(t->node, &entry, NULL, t->actions);
}

static void decide_tip(struct tipping *t, const struct tip *tip)
{
	struct pro_def plain;
	const struct pro_def *def = def_of(t, tip->policy, &plain);
	const char *why;

	switch ((enum tip_state)tip->state) {
	case TIP_OPEN:
		why = closes(t, tip, def);
		if (why)
			advance(t, tip, TIP_CLOSED, why);
		else if (accepts_itself(t, tip))
			advance(t, tip, TIP_ACCEPTED, "by its policy");
		return;
	case TIP_ACCEPTED:
		why = closes(t, tip, def);
		if (why)
			advance(t, tip, TIP_CLOSED, why);
		else
			begin_tip(t, tip, def);
		return;
	case TIP_RUNNING:
		go_on(t, tip, def);
		return;
	case TIP_DONE:
		if (tip->verdict == VERDICT_PENDING)
			judge(t, tip, def);
		return;
	case TIP_DISMISSED:
	case TIP_CLOSED:
	case TIP_STATE_COUNT:
		return;
	}
}

static bool any_enabled(const struct cluster *cluster)
{
	for (uint32_t i = 0; i < POLICIES_MAX; i++)
		if (cluster->policies[i].used && cluster->policies[i].def.enabled)
			return true;
	return false;
}

// A round that decided something about moves or places is waited for: two at once would promise the
// same room twice.
void decide_tips(struct node *node, uint64_t present, struct actions *actions)
{
	struct tipping t; // its round is large, and made when it is asked for
	bool due = node->conditions_ms == 0 || node->now_ms - node->conditions_ms >= POLICY_LOOK_MS;
	bool alive = false;

	if (node->decide_out > 0)
		return;
	t.node = node;
	t.actions = actions;
	t.round_ready = false;
	t.world = (struct pro_world){ &node->cluster, node->measures, node->now_ms, node->wall_ms,
				      present };
	t.unseen = pro_unseen(&t.world);
	if (policies_answer(&t))
		return;
	for (uint32_t i = 0; i < TIPS_MAX; i++) {
		if (!tip_lives(&node->cluster.tips[i]))
			continue;
		alive = true;
		decide_tip(&t, &node->cluster.tips[i]);
	}
	if (due && any_enabled(&node->cluster)) {
		node->conditions_ms = node->now_ms;
		if (node->decide_out == 0)
			policies_look(&t);
	}
	if (any_enabled(&node->cluster))
		node_wake_at(node, node->conditions_ms + POLICY_LOOK_MS);
	else if (alive)
		node_wake_at(node, node->now_ms + POLICY_LOOK_MS);
}
