// SPDX-License-Identifier: Apache-2.0
#include "policies/mend.h"

#include <string.h>

#include "clusterd/rule_index.h"
#include "clusterd/text.h"

#define BIT(slot) (UINT64_C(1) << (slot))

// ---- the table

struct mend_row {
	// Wanted true or false; ANY
	uint8_t must, rests, sticks, away, failback, unhappy;
	struct mend_answer answer;
};

struct mend_answer mend_decide(const struct mend_facts *facts)
{
	enum { N, Y, ANY };
	static const struct mend_row rows[] = {
		{ Y, ANY, ANY, ANY, ANY, ANY, { true, false, false, NULL } },
		{ N, Y, ANY, Y, Y, ANY, { .reason = "a policy moved it a short while ago" } },
		{ N, Y, ANY, N, ANY, Y, { .reason = "a policy moved it a short while ago" } },
		{ N, Y, ANY, Y, N, Y, { .reason = "a policy moved it a short while ago" } },
		{ N, N, Y, Y, ANY, ANY, { .reason = "its stickiness is infinite" } },
		{ N, N, Y, N, ANY, Y, { .reason = "its stickiness is infinite" } },
		{ N, N, N, Y, Y, Y, { false, true, true, NULL } },
		{ N, N, N, Y, Y, N, { false, true, false, NULL } },
		{ N, N, N, Y, N, Y, { false, false, true, NULL } },
		{ N, N, N, Y, N, N, { .reason = "it does not go back (failback)" } },
		{ N, Y, ANY, Y, N, N, { .reason = "it does not go back (failback)" } },
		{ N, N, N, N, ANY, Y, { false, false, true, NULL } },
		{ N, ANY, ANY, N, ANY, N, { .reason = "nothing asks for it" } },
	};
	const bool found[] = { facts->must, facts->rests,    facts->sticks,
			       facts->away, facts->failback, facts->unhappy };

	for (size_t i = 0;; i++) {
		const struct mend_row *row = &rows[i];
		const uint8_t wanted[] = { row->must, row->rests,    row->sticks,
					   row->away, row->failback, row->unhappy };
		bool fits = true;

		for (size_t k = 0; k < sizeof(found); k++)
			fits = fits && (wanted[k] == ANY || wanted[k] == (found[k] ? Y : N));
		if (fits)
			return row->answer;
	}
}

const char *mend_cause_word(enum mend_cause cause)
{
	switch (cause) {
	case MEND_NOTHING:
		return "nothing";
	case MEND_MUST:
		return "must";
	case MEND_TIER:
		return "failback";
	case MEND_WISH:
		return "wish";
	case MEND_CAUSE_COUNT:
		break;
	}
	return "?";
}

// ---- time

bool health_makes_leave(const struct cluster *cluster, const struct cluster_node *node)
{
	switch ((enum health_policy)cluster->def.policies.health) {
	case HEALTH_IGNORED:
		return false;
	case HEALTH_LEAVE_ON_RED:
		return node->def.health == HEALTH_RED;
	case HEALTH_ONLY_GREEN:
		return node->def.health != HEALTH_GREEN;
	case HEALTH_POLICY_COUNT:
		break;
	}
	return false;
}

static uint64_t window_wait_ms(const struct cluster *cluster, const struct vm_def *def,
			       uint64_t wall_ms)
{
	const uint64_t day_ms = UINT64_C(24) * 3600 * 1000;
	uint64_t now = cluster_day_ms(cluster, wall_ms);
	uint64_t from = def->failback_from * UINT64_C(60000);
	uint64_t to = def->failback_to * UINT64_C(60000);
	bool open;

	if (from == to)
		return 0;
	open = from < to ? now >= from && now < to : now >= from || now < to;
	return open ? 0 : now < from ? from - now : from + day_ms - now;
}

uint64_t failback_wait_ms(const struct cluster *cluster, const struct vm_def *def,
			  const struct cluster_node *node, uint64_t wall_ms)
{
	uint64_t due = node->steady_ms + def->failback_after_s * UINT64_C(1000);
	uint64_t hold, window;

	if (def->failback != FAILBACK_DELAYED)
		return 0;
	hold = due > wall_ms ? due - wall_ms : 0;
	window = window_wait_ms(cluster, def, wall_ms);
	return hold > window ? hold : window;
}

// ---- loads

static void leave_rules(struct placement_load *after, const struct cluster *cluster,
			const struct vm *vm, uint8_t node)
{
	struct vm_rules rules = rules_of_vm(cluster, vm);
	uint8_t group = group_of_vm(cluster, vm);

	for (uint8_t rule = 0; rule < RULES_MAX; rule++)
		if (rules.as[ROLE_MEMBER] >> rule & 1 && after->rules.members[rule][node] > 0)
			after->rules.members[rule][node]--;
	if (group != SLOT_NONE && after->rules.group[group][node] > 0)
		after->rules.group[group][node]--;
}

void mend_load_init(struct placement_load *after, const struct placement_load *load,
		    const struct cluster *cluster)
{
	placement_load_copy(after, load, cluster);
	for (uint32_t i = 0; i < cluster->move_high && cluster->rule_index->enabled; i++) {
		const struct move *move = &cluster->moves[i];
		const struct vm *vm = cluster_vm(cluster, move->vm);

		if (move->id != 0 && move->stage != STAGE_ASKED && vm &&
		    vm->owner == move->source && move->target < NODES_MAX && !move->target_gone)
			leave_rules(after, cluster, vm, move->source);
	}
}

void mend_load_move(struct placement_load *after, const struct cluster *cluster,
		    const struct vm *vm, uint8_t target)
{
	placement_load_add(after, cluster, vm, target);
	if (cluster->rule_index->enabled)
		leave_rules(after, cluster, vm, vm->owner);
}

// Where it will be.
static uint8_t bound_for(const struct cluster *cluster, const struct vm *vm)
{
	const struct move *move = cluster_move(cluster, vm->move);

	if (move && move->stage != STAGE_ASKED && move->stage != STAGE_UNDO &&
	    move->target < NODES_MAX)
		return move->target;
	return vm->owner;
}

// ---- those that move as one

static bool unit_collect(const struct cluster *cluster, const struct vm *vm, struct mend_unit *unit)
{
	unit->group = group_of_vm(cluster, vm);
	unit->count = 0;
	if (unit->group == SLOT_NONE) {
		unit->vms[unit->count++] = vm->ref.slot;
		return true;
	}
	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		const struct vm *other = &cluster->vms[i];

		if (!vm_counts_on_node(cluster, other) ||
		    group_of_vm(cluster, other) != unit->group)
			continue;
		if (unit->count == MEND_UNIT_MAX)
			return false;
		unit->vms[unit->count++] = i;
	}
	placement_sort(cluster, unit->vms, unit->count);
	return true;
}

static const struct vm *unit_vm(const struct cluster *cluster, const struct mend_unit *unit,
				uint32_t at)
{
	return &cluster->vms[unit->vms[at]];
}

static bool names_preferred(const struct vm *vm)
{
	return vm->tiers[0] != 0;
}

static uint8_t tier_on(const struct vm *vm, uint8_t node)
{
	uint8_t tier = 0;

	while (tier < VM_TIERS_MAX && !(vm->tiers[tier] & BIT(node)))
		tier++;
	return tier;
}

// Who speaks for them all where it is about preferred owners; NULL: nobody names any.
static const struct vm *speaker(const struct cluster *cluster, const struct mend_unit *unit)
{
	for (uint32_t i = 0; i < unit->count; i++)
		if (names_preferred(unit_vm(cluster, unit, i)))
			return unit_vm(cluster, unit, i);
	return NULL;
}

static uint8_t unit_tier(const struct cluster *cluster, const struct mend_unit *unit, uint8_t node)
{
	const struct vm *vm = speaker(cluster, unit);

	return vm && node != SLOT_NONE ? tier_on(vm, node) : VM_TIERS_MAX;
}

// The group as if it ran nowhere: its members do not keep each other where they are.
static void forget_group(struct placement_load *scratch, const struct cluster *cluster,
			 const struct mend_unit *unit, uint8_t node)
{
	if (unit->group == SLOT_NONE)
		return;
	memset(scratch->rules.group[unit->group], 0, sizeof(scratch->rules.group[0]));
	for (uint32_t i = 0; i < unit->count; i++) {
		const struct vm *vm = unit_vm(cluster, unit, i);
		uint64_t leads = rules_of_vm(cluster, vm).as[ROLE_LEADER];

		if (vm->owner == node)
			scratch->rules.group[unit->group][node]++;
		for (uint8_t rule = 0; leads && rule < RULES_MAX; rule++)
			if (leads >> rule & 1)
				scratch->rules.leader[rule] = node;
	}
}

// All of them on this node, one after another: memory and rules count what came before.
static void unit_judge(const struct cluster *cluster, const struct placement_load *load,
		       struct placement_load *scratch, const struct mend_unit *unit, uint8_t node,
		       struct placement_node *row)
{
	bool any = false;

	if (unit->group == SLOT_NONE) {
		placement_judge(cluster, load, unit_vm(cluster, unit, 0), node, row);
		return;
	}
	placement_load_copy(scratch, load, cluster);
	memset(row, 0, sizeof(*row));
	forget_group(scratch, cluster, unit, node);
	for (uint32_t i = 0; i < unit->count; i++) {
		const struct vm *vm = unit_vm(cluster, unit, i);
		struct placement_node one;

		// What is on its way is counted, and cannot be called back.
		if (vm->move != 0) {
			if (bound_for(cluster, vm) == node)
				continue;
			row->feasible = false;
			return;
		}
		placement_judge(cluster, scratch, vm, node, &one);
		one.cost += any ? row->cost : 0;
		*row = one;
		any = true;
		if (!row->feasible)
			return;
		if (vm->owner != node)
			placement_load_add(scratch, cluster, vm, node);
	}
	row->tier = unit_tier(cluster, unit, node);
}

// ---- does anything ask for it

static bool cannot_move(const struct cluster *cluster, const struct vm *vm, struct mend *mend)
{
	struct text reason = text_in(mend->reason, REASON_SIZE);
	const char *why = NULL;

	if (!vm->managed)
		why = " is unmanaged";
	else if (vm->wanted != VM_WANTED_RUNNING)
		why = " is not wanted running";
	else if (vm_is_held(cluster, vm))
		why = " is being stopped with what it starts after";
	else if (vm->phase == VM_BLOCKED)
		why = " is blocked";
	else if (vm->phase != VM_RUNNING)
		why = " is being started";
	if (why)
		text_add(text_add(&reason, vm_definition(cluster, vm)->name), why);
	return why != NULL;
}

// The first strict thing that is broken for the VM on the node; wishes add to the cost.
static bool judge_home(const struct cluster *cluster, const struct placement_load *after,
		       const struct vm *vm, struct mend *mend)
{
	uint8_t node = bound_for(cluster, vm);
	const struct cluster_node *home = &cluster->nodes[node];
	struct placement_node row = { .feasible = true };

	if (vm->possible != 0 && !(vm->possible & BIT(node))) {
		mend->check =
			(struct check){ .check = CHECK_POSSIBLE_OWNER, .verdict = CHECK_FAIL };
		return true;
	}
	if (health_makes_leave(cluster, home)) {
		mend->check = (struct check){ .check = CHECK_HEALTH, .verdict = CHECK_FAIL };
		return true;
	}
	if (!cluster->rule_index->enabled)
		return false;
	rules_judge(cluster, &after->rules, vm, node, &row);
	mend->cost += row.cost;
	for (uint32_t i = CHECK_TOGETHER; i < CHECK_ORDER; i++) {
		if (row.checks[i].verdict != CHECK_FAIL)
			continue;
		mend->check = row.checks[i];
		return true;
	}
	return false;
}

static bool has_home_elsewhere(const struct cluster *cluster, const struct mend_unit *unit,
			       uint8_t *home)
{
	*home = bound_for(cluster, unit_vm(cluster, unit, 0));
	for (uint32_t i = 1; i < unit->count; i++) {
		if (bound_for(cluster, unit_vm(cluster, unit, i)) == *home)
			continue;
		*home = SLOT_NONE;
		return true;
	}
	return false;
}

static bool is_settled_alone(const struct cluster *cluster, const struct vm *vm)
{
	struct vm_rules rules = rules_of_vm(cluster, vm);

	return vm->possible == 0 && !names_preferred(vm) &&
	       !(rules.as[ROLE_MEMBER] | rules.as[ROLE_LEADER]) &&
	       !health_makes_leave(cluster, &cluster->nodes[vm->owner]);
}

static void add_member(const struct cluster *cluster, const struct placement_load *after,
		       const struct vm *vm, uint64_t wall_ms, struct mend *mend)
{
	const struct vm_def *def = vm_definition(cluster, vm);

	if (vm->move == 0 && judge_home(cluster, after, vm, mend) && !mend->facts.must) {
		mend->facts.must = true;
		mend->broken = vm;
	}
	mend->facts.rests |= vm->moved_ms != 0 && wall_ms < vm->moved_ms + MEND_REST_MS;
	mend->facts.sticks |= def->stickiness == STICKINESS_INFINITE;
	mend->stickiness += def->stickiness;
}

bool mend_asks(const struct cluster *cluster, const struct placement_load *after,
	       const struct vm *vm, uint64_t wall_ms, struct mend *mend)
{
	const struct vm *first;
	bool still = false;

	memset(mend, 0, offsetof(struct mend, reason));
	mend->reason[0] = mend->fix[0] = 0;
	mend->target = SLOT_NONE;
	mend->wait_ms = UINT64_MAX;
	mend->unit.group = SLOT_NONE;
	if (!vm_counts_on_node(cluster, vm) || is_settled_alone(cluster, vm))
		return false;
	if (!unit_collect(cluster, vm, &mend->unit)) {
		text_copy(mend->reason, REASON_SIZE, "its group is too large to move as one");
		return false;
	}
	mend->broken = unit_vm(cluster, &mend->unit, 0);
	for (uint32_t i = 0; i < mend->unit.count; i++) {
		if (cannot_move(cluster, unit_vm(cluster, &mend->unit, i), mend))
			return false;
		still = still || unit_vm(cluster, &mend->unit, i)->move == 0;
	}
	if (!still) {
		text_copy(mend->reason, REASON_SIZE, "it is being moved");
		return false;
	}
	if (has_home_elsewhere(cluster, &mend->unit, &mend->home))
		mend->facts.must = true;
	for (uint32_t i = 0; i < mend->unit.count; i++)
		add_member(cluster, after, unit_vm(cluster, &mend->unit, i), wall_ms, mend);
	first = speaker(cluster, &mend->unit);
	mend->tier = unit_tier(cluster, &mend->unit, mend->home);
	mend->facts.away = first && mend->tier > 0;
	mend->facts.failback = first && vm_definition(cluster, first)->failback != FAILBACK_NEVER;
	mend->facts.unhappy = mend->cost > mend->stickiness;
	mend->answer = mend_decide(&mend->facts);
	if (mend->answer.reason)
		text_copy(mend->reason, REASON_SIZE, mend->answer.reason);
	return !mend->answer.reason;
}

// ---- where to

static bool node_may(const struct cluster *cluster, uint8_t node, const struct placement_node *row,
		     uint64_t wall_ms, struct mend *mend, uint8_t *cause)
{
	const struct vm *first = speaker(cluster, &mend->unit);
	uint64_t wait_ms;

	if (mend->answer.must) {
		*cause = MEND_MUST;
		return true;
	}
	if (node == mend->home)
		return false;
	if (mend->answer.tier && row->tier < mend->tier) {
		wait_ms = failback_wait_ms(cluster, vm_definition(cluster, first),
					   &cluster->nodes[node], wall_ms);
		*cause = MEND_TIER;
		if (wait_ms == 0)
			return true;
		mend->wait_ms = wait_ms < mend->wait_ms ? wait_ms : mend->wait_ms;
	}
	*cause = MEND_WISH;
	return mend->answer.wish && row->tier <= mend->tier &&
	       row->cost + mend->stickiness < mend->cost;
}

static uint32_t members_on(const struct cluster *cluster, const struct mend_unit *unit,
			   uint8_t node)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < unit->count; i++)
		count += bound_for(cluster, unit_vm(cluster, unit, i)) == node;
	return count;
}

// Of a group that is spread the more of it stays where it is, if nothing else tells two nodes
// apart.
static bool better_home(const struct cluster *cluster, const struct mend_unit *unit,
			const struct placement_node *a, uint8_t a_slot,
			const struct placement_node *b, uint8_t b_slot)
{
	uint32_t x, y;

	if (a->tier != b->tier || a->cost != b->cost)
		return a->tier != b->tier ? a->tier < b->tier : a->cost < b->cost;
	x = members_on(cluster, unit, a_slot);
	y = members_on(cluster, unit, b_slot);
	return x != y ? x > y : placement_better(cluster, a, a_slot, b, b_slot);
}

void mend_choose(const struct cluster *cluster, const struct placement_load *load,
		 struct placement_load *scratch, uint64_t among, uint64_t wall_ms,
		 struct mend *mend)
{
	struct placement_node rows[2];
	uint8_t at = 0, cause = MEND_NOTHING;

	mend->cause = MEND_NOTHING;
	mend->target = SLOT_NONE;
	for (uint8_t node = 0; node < cluster->node_high; node++) {
		if (!cluster->nodes[node].used || !(among & BIT(node)))
			continue;
		unit_judge(cluster, load, scratch, &mend->unit, node, &rows[at]);
		if (!rows[at].feasible ||
		    !node_may(cluster, node, &rows[at], wall_ms, mend, &cause))
			continue;
		if (mend->target != SLOT_NONE && !better_home(cluster, &mend->unit, &rows[at], node,
							      &rows[1 - at], mend->target))
			continue;
		mend->target = node;
		mend->cause = cause;
		mend->target_cost = rows[at].cost;
		at = (uint8_t)(1 - at);
	}
}

static void say_choice(const struct cluster *cluster, struct mend *mend)
{
	struct text reason = text_in(mend->reason, REASON_SIZE);
	const char *node = mend->target == SLOT_NONE ? "" : cluster->nodes[mend->target].def.name;

	switch ((enum mend_cause)mend->cause) {
	case MEND_MUST:
		placement_explain_check(cluster, mend->broken, mend->broken->owner, &mend->check,
					mend->reason, mend->fix);
		if (!mend->reason[0])
			text_copy(mend->reason, REASON_SIZE, "its group is on several nodes");
		break;
	case MEND_TIER:
		text_add(text_add(&reason, node), " is a better preferred owner");
		break;
	case MEND_WISH:
		text_add(text_add(text_add(&reason, "on "), node), " its wishes cost ");
		text_add_number(&reason, mend->target_cost);
		text_add_number(text_add(&reason, ", here "), mend->cost);
		break;
	case MEND_NOTHING:
	case MEND_CAUSE_COUNT:
		break;
	}
}

// What is in the way of what must be mended.
static void say_blocked(const struct cluster *cluster, const struct placement_load *load,
			struct mend *mend)
{
	struct text reason;
	char why[REASON_SIZE] = "";

	mend->cause = MEND_MUST;
	say_choice(cluster, mend);
	placement_explain_among(cluster, load, mend->broken, ~BIT(mend->broken->owner), why,
				mend->fix);
	reason = (struct text){ mend->reason, REASON_SIZE, strlen(mend->reason) };
	text_add(text_add(&reason, "; no other node can have it: "), why);
}

void mend_say(const struct cluster *cluster, const struct placement_load *load, struct mend *mend)
{
	if (mend->target != SLOT_NONE)
		say_choice(cluster, mend);
	else if (mend->answer.must)
		say_blocked(cluster, load, mend);
}

uint8_t group_choose(const struct cluster *cluster, const struct placement_load *load,
		     struct placement_load *scratch, const struct vm *vm, uint8_t from,
		     uint64_t among)
{
	struct placement_node rows[2];
	struct mend_unit unit;
	uint8_t best = SLOT_NONE, at = 0;
	uint32_t kept = 0;

	if (!unit_collect(cluster, vm, &unit))
		return SLOT_NONE;
	for (uint32_t i = 0; i < unit.count; i++)
		if (unit_vm(cluster, &unit, i)->owner == from)
			unit.vms[kept++] = unit.vms[i];
	unit.count = kept;
	for (uint8_t node = 0; node < cluster->node_high && kept > 0; node++) {
		if (!cluster->nodes[node].used || node == from || !(among & BIT(node)))
			continue;
		unit_judge(cluster, load, scratch, &unit, node, &rows[at]);
		if (!rows[at].feasible ||
		    (best != SLOT_NONE &&
		     !placement_better(cluster, &rows[at], node, &rows[1 - at], best)))
			continue;
		best = node;
		at = (uint8_t)(1 - at);
	}
	return best;
}
