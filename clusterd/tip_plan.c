// SPDX-License-Identifier: Apache-2.0
/*
 * The plans of tips. A balance is the balancer's (policies/balance.c), with its score as what is to
 * become better. To move one VM is judged by the more used of the two nodes, before and after, in
 * permille; to save one, by its node.
 */
#include "clusterd/tip_plan.h"

#include <string.h>

#include "clusterd/text.h"
#include "migration/forecast.h"
#include "policies/balance.h"

enum {
	RATE_GUESS = 100 << 20, // bytes a second, where nothing was moved yet
	CANDIDATES_MAX = 32,	// of a node's VMs, the most used ones
};

struct planning {
	struct balance_plan plan;
	struct balance_measured measured;
};

static size_t aligned(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

size_t tip_plan_memory(const struct cluster_limits *limits)
{
	return aligned(sizeof(struct planning)) + aligned(balance_memory(limits)) +
	       aligned(limits->vms_max * sizeof(struct balance_use)) + aligned(limits->vms_max);
}

static bool value_of(bool known, const struct series *series, uint32_t *value)
{
	struct pro_reading reading = { .known = known };

	if (!known || series->count == 0)
		return false;
	for (uint32_t i = series->count > 3 ? series->count - 3 : 0; i < series->count; i++)
		if (series->values[i] != MEASURE_UNKNOWN)
			reading.values[reading.count++] = series->values[i];
	*value = pro_value(&reading);
	return reading.count > 0;
}

static bool node_value(const struct pro_world *world, uint8_t node, enum measure what,
		       uint32_t *value)
{
	struct series series;
	bool known = measures_node(world->measures, node, what, world->now_ms, &series);

	return value_of(known, &series, value);
}

static bool vm_value(const struct pro_world *world, struct vm_ref vm, enum measure what,
		     uint32_t *value)
{
	struct series series;
	bool known = measures_vm(world->measures, vm, what, world->now_ms, &series);

	return value_of(known, &series, value);
}

/* The balance of all nodes. */

static const struct balance_plan *balance_now(const struct tip_planner *p, uint32_t moves_max)
{
	uint8_t *at = p->memory;
	struct planning *planning = (struct planning *)at;
	uint8_t *working = at + aligned(sizeof(*planning));
	uint8_t *uses = working + aligned(balance_memory(p->limits));
	uint8_t *rests = uses + aligned(p->limits->vms_max * sizeof(struct balance_use));
	struct balance_options options = balance_options_of(p->def, p->asked);

	memset(planning, 0, sizeof(*planning));
	balance_measure(p->world->cluster, p->world->measures, p->world->now_ms,
			&planning->measured, (struct balance_use *)uses);
	balance_rests(p->world->cluster, p->def, p->world->wall_ms, rests);
	options.measured = p->configured ? NULL : &planning->measured;
	options.excluded = p->barred;
	options.moves_max = moves_max;
	options.rests = rests;
	balance_plan(p->world->cluster, p->world->present, &options, working, &planning->plan);
	return &planning->plan;
}

/* What moving costs. */

static void add_cost(const struct tip_planner *p, struct tip *tip, const struct vm *vm,
		     uint8_t from, uint8_t to)
{
	uint64_t rate = forecast_rate(p->world->cluster, from, to);
	struct forecast_facts facts = {
		.memory = forecast_memory(p->world->cluster, vm),
		.rate = rate ? rate : RATE_GUESS,
		.max_pause_ms = vm_definition(p->world->cluster, vm)->max_pause_ms,
	};
	struct move_numbers numbers = forecast_live(&facts);

	tip->cost_ms += numbers.total_ms;
	tip->cost_bytes += numbers.bytes ? numbers.bytes : facts.memory;
}

static void add_move(const struct tip_planner *p, struct tip *tip, const struct vm *vm, uint8_t to)
{
	if (tip->move_count == TIP_MOVES_MAX)
		return;
	tip->moves[tip->move_count++] =
		(struct tip_move){ .vm = vm->ref, .from = vm->owner, .to = to };
	add_cost(p, tip, vm, vm->owner, to);
}

static void say_moves(const struct tip_planner *p, const struct tip *tip, struct text *text)
{
	const struct cluster *cluster = p->world->cluster;

	for (uint32_t i = 0; i < tip->move_count; i++) {
		const struct tip_move *move = &tip->moves[i];
		const struct vm *vm = cluster_vm(cluster, move->vm);

		text_add(text, i > 0 ? ", " : "");
		text_add(text, vm ? vm_definition(cluster, vm)->name : "?");
		if (move->to < NODES_MAX)
			text_add(text_add(text, " to "), cluster->nodes[move->to].def.name);
	}
}

static bool gain_enough(const struct tip_planner *p, const struct tip *tip, char *why)
{
	int32_t gain = pro_gain(tip->before, tip->after, tip->cost_ms, p->def->rest_s);
	struct text text = text_in(why, REASON_SIZE);

	if (gain >= (int32_t)p->def->min_gain)
		return true;
	text_add(&text, "moving would gain ");
	text_add_number(&text, gain > 0 ? (uint64_t)gain : 0);
	text_add_number(text_add(&text, " % once its cost is taken off, and "), p->def->min_gain);
	text_add(&text, " % are wanted");
	return false;
}

// Whether the moves of the plan gain enough: `why` says which they are, or why not.
static bool moves_worth(struct tip_planner *p, const struct tip *tip, char *why)
{
	struct text text;

	if (!gain_enough(p, tip, why))
		return false;
	text = text_in(why, REASON_SIZE);
	text_add(&text, "move ");
	say_moves(p, tip, &text);
	return true;
}

static bool plan_balance(struct tip_planner *p, struct tip *tip, char *why)
{
	const struct balance_plan *plan = balance_now(p, p->def->moves);

	tip->before = plan->score_before;
	tip->after = plan->score_after;
	for (uint32_t i = 0; i < plan->count && i < p->def->moves; i++)
		add_move(p, tip, cluster_vm(p->world->cluster, plan->steps[i].vm),
			 plan->steps[i].to);
	if (tip->move_count == 0) {
		balance_explain_stop(plan, why);
		return false;
	}
	return moves_worth(p, tip, why);
}

/* One VM. */

static enum measure share_measure(const struct pro_def *def)
{
	return def->measure == PRO_MEMORY || def->measure == PRO_MEMORY_PRESSURE ? MEASURE_VM_MEMORY
										 : MEASURE_VM_CPU;
}

static enum measure use_measure(const struct pro_def *def)
{
	return share_measure(def) == MEASURE_VM_MEMORY ? MEASURE_NODE_MEMORY : MEASURE_NODE_CPU;
}

// What a VM that uses so much would take of a node, in permille.
static uint32_t share_of(const struct tip_planner *p, uint32_t value, uint8_t node)
{
	const struct node_report *report = &p->world->cluster->nodes[node].report;

	if (share_measure(p->def) == MEASURE_VM_MEMORY)
		return report->memory_mib ? (uint32_t)((uint64_t)value * 1000 / report->memory_mib)
					  : 1000;
	return report->cpus ? value / report->cpus : 1000;
}

static bool may_move(const struct tip_planner *p, const struct vm *vm)
{
	const struct vm_def *def;

	if (!vm || !vm->used || vm->phase != VM_RUNNING || vm->wanted != VM_WANTED_RUNNING ||
	    !vm->managed || vm->move != 0 || (p->barred >> vm->owner & 1))
		return false;
	def = vm_definition(p->world->cluster, vm);
	return def->on_drain != ON_DRAIN_STAY &&
	       !pro_vm_rests(vm, p->def->rest_s, p->world->wall_ms);
}

struct best_move {
	const struct vm *vm;
	uint8_t to;
	uint32_t before, after;
};

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

// What it prefers, and its wishes, are followed there as here: nothing moves it back.
static bool as_welcome(const struct tip_planner *p, const struct vm *vm, uint8_t to)
{
	struct placement_node here, there;

	placement_judge(p->world->cluster, &p->round->load, vm, vm->owner, &here);
	placement_judge(p->world->cluster, &p->round->load, vm, to, &there);
	return there.tier <= here.tier && there.cost <= here.cost;
}

// The best of the nodes that can take it: where the more used of the two is used the least.
static void try_move(const struct tip_planner *p, const struct vm *vm, struct best_move *best)
{
	const struct cluster *cluster = p->world->cluster;
	enum measure what = use_measure(p->def);
	uint32_t source, used;

	if (!may_move(p, vm) || !node_value(p->world, vm->owner, what, &source) ||
	    !vm_value(p->world, vm->ref, share_measure(p->def), &used))
		return;
	for (uint8_t to = 0; to < cluster->node_high; to++) {
		uint32_t target, gone = share_of(p, used, vm->owner), after;

		if (to == vm->owner || !cluster->nodes[to].used || (p->barred >> to & 1) ||
		    !node_value(p->world, to, what, &target))
			continue;
		after = larger(source > gone ? source - gone : 0, target + share_of(p, used, to));
		if (after >= source || (best->vm && after >= best->after) ||
		    move_choose_target(cluster, p->round, vm, to, MOVE_LIVE) != to ||
		    !as_welcome(p, vm, to))
			continue;
		*best = (struct best_move){ vm, to, source, after };
	}
}

static bool plan_move(struct tip_planner *p, struct tip *tip, char *why)
{
	const struct cluster *cluster = p->world->cluster;
	struct best_move best = { .vm = NULL };

	if (p->target.subject == PRO_VM)
		try_move(p, cluster_vm(cluster, p->target.vm), &best);
	for (uint32_t i = 0; p->target.subject == PRO_NODE && i < cluster->vm_high; i++)
		if (cluster->vms[i].used && cluster->vms[i].owner == p->target.node)
			try_move(p, &cluster->vms[i], &best);
	if (!best.vm) {
		text_copy(why, REASON_SIZE, "no VM of it could go where it would be better");
		return false;
	}
	tip->before = best.before;
	tip->after = best.after;
	add_move(p, tip, best.vm, best.to);
	return moves_worth(p, tip, why);
}

// The least important of the node's VMs; of equals the first by name.
static bool less_important(const struct vm_def *a, const struct vm_def *b)
{
	return a->priority != b->priority ? a->priority < b->priority
					  : strcmp(a->name, b->name) < 0;
}

static bool plan_save(struct tip_planner *p, struct tip *tip, char *why)
{
	const struct cluster *cluster = p->world->cluster;
	const struct vm *chosen = NULL;
	struct text text = text_in(why, REASON_SIZE);

	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		const struct vm *vm = &cluster->vms[i];
		struct preflight result;

		if (!vm->used || vm->owner != p->target.node || !may_move(p, vm) ||
		    (chosen &&
		     !less_important(vm_definition(cluster, vm), vm_definition(cluster, chosen))))
			continue;
		preflight_judge(cluster, &p->round->moves, vm, SLOT_NONE, MOVE_SAVE, &result);
		if (result.verdict != CHECK_FAIL)
			chosen = vm;
	}
	if (!chosen) {
		text_add(&text, "none of its VMs can be saved");
		return false;
	}
	add_move(p, tip, chosen, SLOT_NONE);
	text_add(text_add(&text, "save "), vm_definition(cluster, chosen)->name);
	text_add(&text, ", the least important of its VMs");
	return true;
}

static bool plan_drain(struct tip_planner *p, char *why)
{
	const struct cluster_node *node = &p->world->cluster->nodes[p->target.node];
	struct text text = text_in(why, REASON_SIZE);

	if (node->maintenance) {
		text_add(&text, "it is in maintenance already");
		return false;
	}
	text_add(text_add(&text, "empty "), node->def.name);
	return true;
}

bool tip_plan_make(struct tip_planner *planner, struct tip *tip, char *why)
{
	struct text text = text_in(why, REASON_SIZE);

	tip->move_count = 0;
	tip->before = tip->after = tip->cost_ms = 0;
	tip->cost_bytes = 0;
	switch ((enum pro_action)planner->def->action) {
	case PRO_MOVE:
		return plan_move(planner, tip, why);
	case PRO_BALANCE:
		return plan_balance(planner, tip, why);
	case PRO_DRAIN:
		return plan_drain(planner, why);
	case PRO_SAVE:
		return plan_save(planner, tip, why);
	case PRO_NOTIFY:
		return true;
	case PRO_SCRIPT:
		text_add(text_add(&text, "run "), planner->def->script);
		return true;
	case PRO_ACTION_COUNT:
		break;
	}
	return false;
}

// The more used of the two nodes of its move.
static bool measure_move(const struct tip_planner *p, const struct tip *tip, uint32_t *value)
{
	const struct tip_move *move = &tip->moves[0];
	uint32_t from, to;

	if (tip->move_count == 0 || move->to >= NODES_MAX ||
	    !node_value(p->world, move->from, use_measure(p->def), &from) ||
	    !node_value(p->world, move->to, use_measure(p->def), &to))
		return false;
	*value = larger(from, to);
	return true;
}

bool tip_plan_measure(struct tip_planner *planner, const struct tip *tip, uint32_t *value)
{
	if (tip->action == PRO_MOVE)
		return measure_move(planner, tip, value);
	if (tip->action != PRO_BALANCE)
		return false;
	*value = balance_now(planner, 1)->score_before;
	return true;
}
