// SPDX-License-Identifier: Apache-2.0
/*
 * From the best single moves, and then from exchanges of two units, to a state where neither helps.
 * What counts is where units end: a unit that was moved may be brought elsewhere, or home again, at
 * no further cost, so that early choices are corrected when later ones are known.
 */
#include "policies/balance_search.h"

#include <string.h>

#include "clusterd/rule_index.h"

// Pairs of units and nodes up to which everything is looked at in each step.
enum {
	THOROUGH_PAIRS = 32768,
	EDGE_NODES = 8,
	SAMPLE = 32,
	PARTNERS = 16,
	EXCHANGES_MAX = 8,
	PASSES_MAX = 32
};

#define BIT(index) (UINT64_C(1) << (index))

// The whole root; `near` is a guess above 0.
static uint64_t root_of(uint64_t value, uint64_t near)
{
	uint64_t x, y;

	if (value == 0)
		return 0;
	x = near ? near : 1;
	x = x / 2 + value / x / 2 + 1;
	while ((y = (x + value / x) / 2) < x)
		x = y;
	return x;
}

static uint64_t share_of(const struct balance_node *node, uint32_t dimension, uint64_t use)
{
	uint64_t share = (use * node->factor[dimension]) >> 20;

	return share < UINT64_C(64) * BALANCE_UNIT ? share : UINT64_C(64) * BALANCE_UNIT;
}

uint64_t balance_score_if(const struct balance_search *search, uint32_t a, uint32_t b,
			  const int64_t *net)
{
	const struct balance_node *from = &search->nodes[a], *to = &search->nodes[b];
	uint64_t score = 0;

	for (uint32_t d = 0; d < BALANCE_DIMENSION_COUNT; d++) {
		uint64_t x, y, sum, squares, variance;

		if (search->weights[d] == 0)
			continue;
		if (net[d] == 0) {
			score += search->weights[d] * search->root[d];
			continue;
		}
		x = share_of(from, d, from->use[d] - (uint64_t)net[d]);
		y = share_of(to, d, to->use[d] + (uint64_t)net[d]);
		sum = search->sum[d] - from->share[d] - to->share[d] + x + y;
		squares = search->squares[d] - from->share[d] * from->share[d] -
			  to->share[d] * to->share[d] + x * x + y * y;
		variance = search->node_count * squares - sum * sum;
		score += search->weights[d] * root_of(variance, search->root[d]);
	}
	return score;
}

void balance_rescore(struct balance_search *search)
{
	search->score = 0;
	for (uint32_t d = 0; d < BALANCE_DIMENSION_COUNT; d++) {
		uint64_t sum = 0, squares = 0;

		for (uint32_t i = 0; i < search->node_count; i++) {
			struct balance_node *node = &search->nodes[i];

			node->share[d] = share_of(node, d, node->use[d]);
			sum += node->share[d];
			squares += node->share[d] * node->share[d];
		}
		search->sum[d] = sum;
		search->squares[d] = squares;
		search->root[d] = root_of(search->node_count * squares - sum * sum, sum);
		search->score += search->weights[d] * search->root[d];
	}
}

// ---- where units may go

static void unit_leave(struct balance_search *search, const struct balance_unit *unit)
{
	for (uint32_t vm = unit->first; vm != UINT32_MAX; vm = search->next[vm])
		placement_load_remove(&search->load, search->cluster, &search->cluster->vms[vm],
				      search->nodes[unit->at].slot);
}

static void unit_enter(struct balance_search *search, const struct balance_unit *unit, uint8_t at)
{
	for (uint32_t vm = unit->first; vm != UINT32_MAX; vm = search->next[vm])
		placement_load_add(&search->load, search->cluster, &search->cluster->vms[vm],
				   search->nodes[at].slot);
}

struct stand {
	bool feasible, forever; // forever: whatever else moves, it stays infeasible
	uint64_t cost;
};

static bool is_lasting(const struct placement_node *row)
{
	for (uint32_t i = 0; i < PLACEMENT_CHECK_COUNT; i++) {
		if (i == CHECK_MEMORY || (i >= CHECK_TOGETHER && i <= CHECK_ORDER) ||
		    i == CHECK_CPUS)
			continue;
		if (row->checks[i].verdict == CHECK_FAIL)
			return true;
	}
	return false;
}

// How the unit, which is nowhere now, would stand on the node.
static struct stand unit_judge(struct balance_search *search, const struct balance_unit *unit,
			       uint8_t at)
{
	struct stand stand = { .feasible = true };
	uint8_t slot = search->nodes[at].slot;

	for (uint32_t vm = unit->first; vm != UINT32_MAX; vm = search->next[vm]) {
		struct vm one = search->cluster->vms[vm];
		struct placement_node row;

		one.owner = SLOT_NONE;
		placement_judge(search->cluster, &search->load, &one, slot, &row);
		stand.feasible = stand.feasible && row.feasible;
		stand.forever = stand.forever || is_lasting(&row);
		stand.cost += row.cost;
		placement_load_add(&search->load, search->cluster, &search->cluster->vms[vm], slot);
	}
	for (uint32_t vm = unit->first; vm != UINT32_MAX; vm = search->next[vm])
		placement_load_remove(&search->load, search->cluster, &search->cluster->vms[vm],
				      slot);
	return stand;
}

static uint8_t tier_of(const struct vm *vm, uint8_t slot)
{
	uint8_t tier = 0;

	while (tier < VM_TIERS_MAX && !(vm->tiers[tier] & BIT(slot)))
		tier++;
	return tier;
}

static bool is_less_preferred(const struct balance_search *search, const struct balance_unit *unit,
			      uint8_t to)
{
	for (uint32_t vm = unit->first; vm != UINT32_MAX; vm = search->next[vm]) {
		const struct vm *one = &search->cluster->vms[vm];

		if (tier_of(one, search->nodes[to].slot) >
		    tier_of(one, search->nodes[unit->at].slot))
			return true;
	}
	return false;
}

bool balance_may_go(struct balance_search *search, struct balance_unit *unit, uint8_t to)
{
	struct stand here, there;

	if (is_less_preferred(search, unit, to))
		return false;
	unit_leave(search, unit);
	there = unit_judge(search, unit, to);
	if (there.feasible)
		here = unit_judge(search, unit, unit->at);
	unit_enter(search, unit, unit->at);
	if (there.forever)
		unit->allowed &= ~BIT(to);
	return there.feasible && there.cost <= here.cost;
}

static void count_moved(struct balance_search *search, const struct balance_unit *unit, bool back)
{
	uint32_t vms = back ? 0 - unit->vms : unit->vms;

	if (unit->at == unit->home)
		return;
	search->moved += vms;
	search->cost += back ? 0 - unit->cost : unit->cost;
	search->nodes[unit->home].moves += vms;
	search->nodes[unit->at].moves += vms;
}

void balance_go(struct balance_search *search, struct balance_unit *unit, uint8_t to)
{
	struct balance_node *from = &search->nodes[unit->at], *target = &search->nodes[to];

	unit_leave(search, unit);
	unit_enter(search, unit, to);
	count_moved(search, unit, true);
	unit->at = to;
	count_moved(search, unit, false);
	from->units--;
	target->units++;
	from->free_mib += unit->mib;
	target->free_mib -= unit->mib;
	for (uint32_t d = 0; d < BALANCE_DIMENSION_COUNT; d++) {
		from->use[d] -= unit->use.of[d];
		target->use[d] += unit->use.of[d];
	}
	balance_rescore(search);
}

// ---- limits

// What it adds to the cost of moves that the unit is at `to` and not where it is; it wraps below 0.
static uint64_t more_cost(const struct balance_unit *unit, uint8_t to)
{
	return (to != unit->home ? unit->cost : 0) - (unit->at != unit->home ? unit->cost : 0);
}

static bool nodes_within(const struct balance_search *search, const struct balance_unit *unit)
{
	const struct balance_node *home = &search->nodes[unit->home];
	const struct balance_node *at = &search->nodes[unit->at];

	return unit->at == unit->home ||
	       (home->moves <= home->moves_max && at->moves <= at->moves_max);
}

static void count_at(struct balance_search *search, struct balance_unit *unit, uint8_t at)
{
	count_moved(search, unit, true);
	unit->at = at;
	count_moved(search, unit, false);
}

// Whether as many moves are allowed as there would be. `other` may be NULL.
static bool within_limits(struct balance_search *search, struct balance_unit *unit, uint8_t to,
			  struct balance_unit *other, uint8_t other_to)
{
	uint32_t moved = search->moved;
	uint8_t was = unit->at, other_was = other ? other->at : 0;
	bool good;

	count_at(search, unit, to);
	if (other)
		count_at(search, other, other_to);
	good = (search->moved <= search->moves_max || search->moved <= moved) &&
	       nodes_within(search, unit) && (!other || nodes_within(search, other));
	count_at(search, unit, was);
	if (other)
		count_at(search, other, other_was);
	search->limited = search->limited || !good;
	return good;
}

// ---- single moves

static bool is_small(const struct balance_search *search)
{
	return (uint64_t)search->unit_count * search->node_count <= THOROUGH_PAIRS;
}

struct best {
	uint64_t total; // score and cost
	struct balance_unit *unit;
	uint8_t to;
};

static uint64_t total_now(const struct balance_search *search)
{
	return search->score + search->cost;
}

static void try_move(struct balance_search *search, struct balance_unit *unit, uint8_t to,
		     struct best *best)
{
	int64_t net[BALANCE_DIMENSION_COUNT];
	uint64_t total;

	if (to == unit->at || !(unit->allowed & BIT(to)) ||
	    search->nodes[to].free_mib < (int64_t)unit->mib)
		return;
	for (uint32_t d = 0; d < BALANCE_DIMENSION_COUNT; d++)
		net[d] = unit->use.of[d];
	total = balance_score_if(search, unit->at, to, net) + search->cost + more_cost(unit, to);
	if (total >= best->total || !within_limits(search, unit, to, NULL, 0) ||
	    !balance_may_go(search, unit, to))
		return;
	*best = (struct best){ total, unit, to };
}

/*
 * How much above the mean a node is, over all dimensions: what leaves the highest and goes to the
 * lowest gains most.
 */
static int64_t pressure_of(const struct balance_search *search, uint32_t index)
{
	int64_t pressure = 0;

	for (uint32_t d = 0; d < BALANCE_DIMENSION_COUNT; d++) {
		int64_t above = (int64_t)(search->node_count * search->nodes[index].share[d]) -
				(int64_t)search->sum[d];

		if (search->weights[d] > 0 && search->root[d] > 0)
			pressure += (int64_t)search->weights[d] *
				    (above * 1000 / (int64_t)search->root[d]);
	}
	return pressure;
}

// Nodes by pressure, highest first; equal ones by name.
static void by_pressure(const struct balance_search *search, uint8_t *ranks)
{
	int64_t pressures[NODES_MAX];

	for (uint32_t i = 0; i < search->node_count; i++) {
		int64_t mine = pressure_of(search, i);
		uint32_t at = i;

		for (; at > 0 && pressures[at - 1] < mine; at--) {
			pressures[at] = pressures[at - 1];
			ranks[at] = ranks[at - 1];
		}
		pressures[at] = mine;
		ranks[at] = (uint8_t)i;
	}
}

/*
 * Whether this unit is looked at in this step. Of a node with many, a sample that changes from step
 * to step, so that a step costs the same in a large cluster; sweep_moves() looks at all of them.
 */
static bool is_sampled(const struct balance_search *search, uint32_t *seen, uint8_t node,
		       uint32_t step)
{
	uint32_t stride = is_small(search) ? 1 : 1 + search->nodes[node].units / SAMPLE;

	return seen[node]++ % stride == step % stride;
}

static bool best_move(struct balance_search *search, uint64_t sources, uint64_t targets,
		      uint32_t step)
{
	struct best best = { .total = total_now(search) };
	uint32_t seen[NODES_MAX] = { 0 };

	for (uint32_t i = 0; i < search->unit_count; i++) {
		struct balance_unit *unit = &search->units[i];

		if (unit->fixed || !(sources & BIT(unit->at)) ||
		    !is_sampled(search, seen, unit->at, step))
			continue;
		for (uint8_t to = 0; to < search->node_count; to++)
			if (targets & BIT(to))
				try_move(search, unit, to, &best);
	}
	if (best.unit)
		balance_go(search, best.unit, best.to);
	return best.unit != NULL;
}

// One look at every unit: each goes at once to where it is best.
static bool sweep_moves(struct balance_search *search)
{
	bool any = false;

	for (uint32_t i = 0; i < search->unit_count; i++) {
		struct balance_unit *unit = &search->units[i];
		struct best best = { .total = total_now(search) };

		if (unit->fixed)
			continue;
		for (uint8_t to = 0; to < search->node_count; to++)
			try_move(search, unit, to, &best);
		if (!best.unit)
			continue;
		balance_go(search, unit, best.to);
		any = true;
	}
	return any;
}

// The nodes between which most is to be gained; in a small cluster every node.
static void edges_of(const struct balance_search *search, uint64_t *highest, uint64_t *lowest)
{
	uint8_t ranks[NODES_MAX];

	*highest = *lowest = UINT64_MAX;
	if (is_small(search))
		return;
	*highest = *lowest = 0;
	by_pressure(search, ranks);
	for (uint32_t i = 0; i < EDGE_NODES && i < search->node_count; i++) {
		*highest |= BIT(ranks[i]);
		*lowest |= BIT(ranks[search->node_count - 1 - i]);
	}
}

static bool improve_by_moves(struct balance_search *search)
{
	uint32_t steps_max = 2 * search->vm_count + 64;
	bool any = false;

	for (uint32_t step = 0; step < steps_max; step++) {
		uint64_t sources, targets;

		edges_of(search, &sources, &targets);
		if (!best_move(search, sources, targets, step))
			break;
		any = true;
	}
	return (!is_small(search) && sweep_moves(search)) || any;
}

// ---- exchanges

// Units by node: those of node i are lists[starts[i]] to lists[starts[i + 1] - 1], by name.
static void list_units(struct balance_search *search)
{
	uint32_t filled[NODES_MAX] = { 0 };

	for (uint32_t node = 0; node <= search->node_count; node++)
		search->starts[node] = 0;
	for (uint32_t i = 0; i < search->unit_count; i++)
		search->starts[search->units[i].at + 1] += !search->units[i].fixed;
	for (uint32_t node = 0; node < search->node_count; node++)
		search->starts[node + 1] += search->starts[node];
	for (uint32_t i = 0; i < search->unit_count; i++) {
		const struct balance_unit *unit = &search->units[i];

		if (!unit->fixed)
			search->lists[search->starts[unit->at] + filled[unit->at]++] = i;
	}
}

static bool may_exchange(struct balance_search *search, struct balance_unit *u,
			 struct balance_unit *v)
{
	uint8_t a = u->at, b = v->at;
	bool good;

	// As if one were away while the other is judged.
	unit_leave(search, v);
	good = balance_may_go(search, u, b);
	if (good) {
		unit_leave(search, u);
		unit_enter(search, u, b);
		unit_enter(search, v, b);
		u->at = b;
		good = balance_may_go(search, v, a);
		unit_leave(search, u);
		u->at = a;
		unit_enter(search, u, a);
	} else {
		unit_enter(search, v, b);
	}
	return good;
}

struct best_pair {
	uint64_t total;
	struct balance_unit *u, *v;
};

static bool exchange_fits(const struct balance_search *search, const struct balance_unit *u,
			  const struct balance_unit *v)
{
	return search->nodes[v->at].free_mib + v->mib >= (int64_t)u->mib &&
	       search->nodes[u->at].free_mib + u->mib >= (int64_t)v->mib;
}

static void try_exchange(struct balance_search *search, struct balance_unit *u,
			 struct balance_unit *v, struct best_pair *best)
{
	int64_t net[BALANCE_DIMENSION_COUNT];
	uint64_t total;

	if (!(u->allowed & BIT(v->at)) || !(v->allowed & BIT(u->at)))
		return;
	for (uint32_t d = 0; d < BALANCE_DIMENSION_COUNT; d++)
		net[d] = (int64_t)u->use.of[d] - v->use.of[d];
	total = balance_score_if(search, u->at, v->at, net) + search->cost + more_cost(u, v->at) +
		more_cost(v, u->at);
	if (total >= best->total || !exchange_fits(search, u, v) ||
	    !within_limits(search, u, v->at, v, u->at) || !may_exchange(search, u, v))
		return;
	*best = (struct best_pair){ total, u, v };
}

static bool best_exchange(struct balance_search *search, uint32_t a, uint32_t b)
{
	const uint32_t *as = &search->lists[search->starts[a]];
	const uint32_t *bs = &search->lists[search->starts[b]];
	uint32_t a_count = search->starts[a + 1] - search->starts[a];
	uint32_t b_count = search->starts[b + 1] - search->starts[b];
	struct best_pair best = { .total = total_now(search) };
	uint32_t stride = b_count > PARTNERS && !is_small(search) ? b_count / PARTNERS : 1;
	uint8_t a_was;

	for (uint32_t i = 0; i < a_count; i++) {
		for (uint32_t j = i % stride; j < b_count; j += stride)
			try_exchange(search, &search->units[as[i]], &search->units[bs[j]], &best);
	}
	if (!best.u)
		return false;
	a_was = best.u->at;
	balance_go(search, best.u, best.v->at);
	balance_go(search, best.v, a_was);
	return true;
}

// Between the nodes of the masks. In a large cluster only some partners of each unit are tried.
static bool improve_by_exchanges(struct balance_search *search)
{
	uint64_t highest, lowest;
	bool any = false;

	edges_of(search, &highest, &lowest);
	list_units(search);
	for (uint32_t a = 0; a < search->node_count; a++) {
		for (uint32_t b = a + 1; b < search->node_count; b++) {
			uint64_t pair = BIT(a) | BIT(b);

			if (!(pair & highest) || !(pair & lowest) || !best_exchange(search, a, b))
				continue;
			any = true;
			list_units(search);
		}
	}
	return any;
}

// Exchanges are tried more often than moves: in a large cluster they look at less.
void balance_improve(struct balance_search *search)
{
	for (uint32_t pass = 0; pass < PASSES_MAX; pass++) {
		bool moved = improve_by_moves(search), any = false;
		uint32_t exchanges = 0;

		while (exchanges++ < EXCHANGES_MAX && improve_by_exchanges(search))
			any = true;
		if (!any && (!moved || pass > 0))
			return;
	}
}
