// SPDX-License-Identifier: Apache-2.0
#include "policies/balance.h"

#include <string.h>

#include "clusterd/rule_index.h"
#include "policies/balance_search.h"

// Plans one after another, each from where the one before it ends, until one is empty.
enum { ROUNDS_MAX = 64, TRIES_MAX = 4, WEIGHT_MAX = 1000, LEADER_NONE = UINT32_MAX };

#define BIT(slot) (UINT64_C(1) << (slot))

static size_t aligned(size_t size)
{
	return (size + 15) & ~(size_t)15;
}

size_t balance_memory(const struct cluster_limits *limits)
{
	size_t vms = limits->vms_max;

	return aligned(sizeof(struct balance_search)) + aligned(sizeof(struct balance_unit) * vms) +
	       5 * aligned(sizeof(uint32_t) * vms) + aligned(sizeof(uint32_t) * (NODES_MAX + 2));
}

static void *take(uint8_t **memory, size_t size)
{
	void *taken = *memory;

	*memory += aligned(size);
	return taken;
}

static struct balance_search *search_lay_out(const struct cluster *cluster, void *memory)
{
	uint8_t *at = memory;
	size_t vms = cluster->limits.vms_max;
	struct balance_search *search = take(&at, sizeof(*search));

	memset(search, 0, sizeof(*search));
	search->cluster = cluster;
	search->units = take(&at, sizeof(*search->units) * vms);
	search->order = take(&at, sizeof(uint32_t) * vms);
	search->next = take(&at, sizeof(uint32_t) * vms);
	search->unit_of = take(&at, sizeof(uint32_t) * vms);
	search->lists = take(&at, sizeof(uint32_t) * vms);
	search->todo = take(&at, sizeof(uint32_t) * vms);
	search->starts = take(&at, sizeof(uint32_t) * (NODES_MAX + 2));
	return search;
}

// ---- nodes

static uint32_t measured_use(const struct balance_options *options, uint8_t slot, uint32_t d)
{
	return d == BALANCE_VMS ? 0 : options->measured->nodes[slot].of[d];
}

static bool node_takes_part(const struct cluster *cluster, uint64_t present,
			    const struct balance_options *options, const uint64_t *weights,
			    uint8_t slot)
{
	const struct cluster_node *node = &cluster->nodes[slot];

	if (!node->used || node->life != NODE_ONLINE || !node->reported || node->report.leaving ||
	    !node->managed || node->maintenance || !node->report.qemu ||
	    node->report.memory_mib <= node->def.memory_reserve_mib || node->report.cpus == 0 ||
	    !(present & BIT(slot)) || (options->excluded & BIT(slot)))
		return false;
	for (uint32_t d = 0; options->measured && d < BALANCE_DIMENSION_COUNT; d++)
		if (weights[d] > 0 && measured_use(options, slot, d) == BALANCE_UNKNOWN)
			return false;
	return true;
}

static void take_nodes(struct balance_search *search, uint64_t present)
{
	const struct cluster *cluster = search->cluster;

	memset(search->index_of, SLOT_NONE, sizeof(search->index_of));
	for (uint8_t slot = 0; slot < cluster->node_high; slot++) {
		uint32_t at = search->node_count;

		if (!node_takes_part(cluster, present, search->options, search->weights, slot))
			continue;
		for (; at > 0 && strcmp(cluster->nodes[search->nodes[at - 1].slot].def.name,
					cluster->nodes[slot].def.name) > 0;
		     at--)
			search->nodes[at].slot = search->nodes[at - 1].slot;
		search->nodes[at].slot = slot;
		search->node_count++;
	}
	for (uint8_t i = 0; i < search->node_count; i++)
		search->index_of[search->nodes[i].slot] = i;
}

static void take_weights(struct balance_search *search)
{
	for (uint32_t d = 0; d < BALANCE_DIMENSION_COUNT; d++) {
		uint32_t weight = search->options->weights[d];

		search->weights[d] = weight < WEIGHT_MAX ? weight : WEIGHT_MAX;
		search->weight += search->weights[d];
	}
	if (search->weight > 0)
		return;
	search->weights[BALANCE_MEMORY] = search->weights[BALANCE_CPUS] = 1;
	search->weight = 2;
}

// ---- VMs and units

static uint8_t keep_of(const struct balance_search *search, const struct vm *vm)
{
	const struct vm_def *def = vm_definition(search->cluster, vm);

	if (search->index_of[vm->owner] == SLOT_NONE)
		return BALANCE_KEEP_NODE;
	if (vm->move != 0)
		return BALANCE_KEEP_MOVING;
	if (!vm->managed)
		return BALANCE_KEEP_UNMANAGED;
	if (vm->phase != VM_RUNNING || vm->wanted != VM_WANTED_RUNNING)
		return BALANCE_KEEP_NOT_RUNNING;
	if (def->on_drain != ON_DRAIN_MIGRATE)
		return BALANCE_KEEP_NOT_LIVE;
	if (def->stickiness > 0)
		return BALANCE_KEEP_STICKY;
	if (search->options->rests && search->options->rests[vm->ref.slot])
		return BALANCE_KEEP_REST;
	return BALANCE_FREE;
}

// Where the VM will be: at the end of the move that it is in.
static uint8_t node_of(const struct cluster *cluster, const struct vm *vm)
{
	const struct move *move = cluster_move(cluster, vm->move);

	if (move && move->target < NODES_MAX && move->stage != STAGE_ASKED &&
	    move->stage != STAGE_UNDO && !move->cancelled)
		return move->target;
	return vm->owner;
}

static struct balance_use use_of(const struct balance_search *search, const struct vm *vm)
{
	const struct balance_measured *measured = search->options->measured;
	const struct vm_def *def = vm_definition(search->cluster, vm);
	struct balance_use use = { { def->memory_mib, def->cpus * 1000, 1 } };

	for (uint32_t d = 0; measured && measured->vms && d < BALANCE_VMS; d++)
		if (measured->vms[vm->ref.slot].of[d] != BALANCE_UNKNOWN)
			use.of[d] = measured->vms[vm->ref.slot].of[d];
	return use;
}

static uint32_t root_vm(uint32_t *leader_of, uint32_t vm)
{
	while (leader_of[vm] != vm) {
		leader_of[vm] = leader_of[leader_of[vm]];
		vm = leader_of[vm];
	}
	return vm;
}

// VMs of a strict group, and those that must be where another is, have one root. Positions in
// `order`; the lowest leads.
static void join_mates(struct balance_search *search, uint32_t *leader_of)
{
	const struct rule_index *index = search->cluster->rule_index;
	uint64_t follows = index->enabled & index->strict & index->kinds[RULE_FOLLOW];
	uint32_t group_first[RULES_MAX], follow_first[RULES_MAX];

	memset(group_first, 0xff, sizeof(group_first));
	memset(follow_first, 0xff, sizeof(follow_first));
	for (uint32_t i = 0; i < search->vm_count; i++) {
		const struct vm *vm = &search->cluster->vms[search->order[i]];
		struct vm_rules rules = rules_of_vm(search->cluster, vm);
		uint64_t mask = (rules.as[ROLE_MEMBER] | rules.as[ROLE_LEADER]) & follows;
		uint8_t group = group_of_vm(search->cluster, vm);
		uint32_t *firsts[2] = { group_first, follow_first };

		leader_of[i] = i;
		for (uint8_t rule = 0; rule < RULES_MAX; rule++) {
			bool in[2] = { rule == group, mask >> rule & 1 };

			for (uint32_t k = 0; k < 2; k++) {
				uint32_t a, b;

				if (!in[k])
					continue;
				if (firsts[k][rule] == LEADER_NONE)
					firsts[k][rule] = i;
				a = root_vm(leader_of, firsts[k][rule]);
				b = root_vm(leader_of, i);
				leader_of[a < b ? b : a] = a < b ? a : b;
			}
		}
	}
}

// Whether others wish, or must, be where this VM is, or near it.
static bool is_followed(const struct balance_search *search, const struct vm *vm)
{
	const struct rule_index *index = search->cluster->rule_index;
	uint64_t leads = rules_of_vm(search->cluster, vm).as[ROLE_LEADER] & index->enabled;
	uint64_t near =
		index->kinds[RULE_SAME_ATTRIBUTE] | (index->kinds[RULE_FOLLOW] & ~index->strict);

	return (leads & near) != 0;
}

static void unit_begin(struct balance_search *search, uint32_t vm, uint8_t node)
{
	struct balance_unit *unit = &search->units[search->unit_count];

	*unit = (struct balance_unit){
		.first = vm, .home = node, .at = node, .possible = UINT64_MAX
	};
	search->unit_of[vm] = search->unit_count++;
}

static uint64_t millionths(const struct balance_search *search, uint64_t score)
{
	return score / (search->node_count * search->weight);
}

static void unit_add(struct balance_search *search, uint32_t position, uint8_t keep)
{
	uint32_t slot = search->order[position];
	const struct vm *vm = &search->cluster->vms[slot];
	struct balance_unit *unit = &search->units[search->unit_of[slot]];
	const struct vm_def *def = vm_definition(search->cluster, vm);
	struct balance_use use = use_of(search, vm);
	uint64_t gib_cost = search->options->gib_cost * (uint64_t)def->memory_mib / 1024;

	for (uint32_t d = 0; d < BALANCE_DIMENSION_COUNT; d++)
		unit->use.of[d] += use.of[d];
	unit->mib += def->memory_mib;
	unit->vms++;
	unit->fixed = unit->fixed || keep != BALANCE_FREE ||
		      unit->at != search->index_of[node_of(search->cluster, vm)];
	unit->cost += (search->options->move_cost + gib_cost) * search->node_count * search->weight;
	if (vm->possible)
		for (uint8_t i = 0; i < search->node_count; i++)
			if (!(vm->possible >> search->nodes[i].slot & 1))
				unit->possible &= ~BIT(i);
}

// Those that others must follow go first: only then may the others be where they are.
static void unit_join(struct balance_search *search, uint32_t at, uint32_t slot, uint32_t *last_of)
{
	const struct cluster *cluster = search->cluster;
	const struct rule_index *index = cluster->rule_index;
	uint64_t leads = rules_of_vm(cluster, &cluster->vms[slot]).as[ROLE_LEADER];

	search->unit_of[slot] = at;
	if (leads & index->strict & index->kinds[RULE_FOLLOW]) {
		search->next[slot] = search->units[at].first;
		search->units[at].first = slot;
	} else {
		search->next[last_of[at]] = slot;
		last_of[at] = slot;
	}
}

// The VMs on nodes that take part, by name; the units that they are in.
static void take_vms(struct balance_search *search, struct balance_plan *plan)
{
	const struct cluster *cluster = search->cluster;
	uint32_t *leader_of = search->todo, *last_of = search->lists;

	for (uint32_t slot = 0; slot < cluster->vm_high; slot++) {
		const struct vm *vm = &cluster->vms[slot];

		if (vm->used && vm->owner != SLOT_NONE &&
		    search->index_of[node_of(cluster, vm)] != SLOT_NONE)
			search->order[search->vm_count++] = slot;
		else if (vm->used && vm->owner != SLOT_NONE)
			plan->kept[BALANCE_KEEP_NODE]++;
	}
	placement_sort(cluster, search->order, search->vm_count);
	join_mates(search, leader_of);
	for (uint32_t i = 0; i < search->vm_count; i++) {
		uint32_t slot = search->order[i], first = search->order[root_vm(leader_of, i)];
		const struct vm *vm = &cluster->vms[slot];
		uint8_t keep = keep_of(search, vm);

		search->next[slot] = UINT32_MAX;
		if (first == slot) {
			unit_begin(search, slot, search->index_of[node_of(cluster, vm)]);
			last_of[search->unit_of[slot]] = slot;
		} else {
			unit_join(search, search->unit_of[first], slot, last_of);
		}
		if (keep == BALANCE_FREE && is_followed(search, vm))
			keep = BALANCE_KEEP_LEADER;
		if (keep != BALANCE_FREE)
			plan->kept[keep]++;
		unit_add(search, i, keep);
	}
}

static void count_kept(const struct balance_search *search, struct balance_plan *plan)
{
	uint32_t free = 0, kept = 0;

	for (uint32_t k = 0; k < BALANCE_KEEP_COUNT; k++)
		kept += k == BALANCE_KEEP_NODE ? 0 : plan->kept[k];
	for (uint32_t i = 0; i < search->unit_count; i++)
		free += search->units[i].fixed ? 0 : search->units[i].vms;
	plan->kept[BALANCE_FREE] = free;
	if (search->vm_count > free + kept)
		plan->kept[BALANCE_KEEP_MATE] = search->vm_count - free - kept;
}

/*
 * Shares of what nodes have for VMs; where it was measured, of what they have, because then what
 * the host and others use counts as well.
 */
static void fill_nodes(struct balance_search *search)
{
	const struct cluster *cluster = search->cluster;
	const struct balance_options *options = search->options;

	for (uint32_t i = 0; i < search->node_count; i++) {
		struct balance_node *node = &search->nodes[i];
		const struct cluster_node *def = &cluster->nodes[node->slot];
		uint64_t used = search->load.used_mib[node->slot] + def->def.memory_reserve_mib;
		uint32_t kept = options->measured ? 0 : def->def.memory_reserve_mib;

		node->factor[BALANCE_MEMORY] =
			((uint64_t)BALANCE_UNIT << 20) / (def->report.memory_mib - kept);
		node->factor[BALANCE_CPUS] =
			((uint64_t)BALANCE_UNIT << 20) / (def->report.cpus * UINT64_C(1000));
		node->factor[BALANCE_VMS] = ((uint64_t)BALANCE_UNIT << 20) * search->node_count /
					    (search->vm_count ? search->vm_count : 1);
		node->free_mib = (int64_t)def->report.memory_mib - (int64_t)used;
		node->moves_max = options->node_moves_max ? options->node_moves_max : UINT32_MAX;
	}
	for (uint32_t i = 0; i < search->unit_count; i++) {
		struct balance_unit *unit = &search->units[i];

		search->nodes[unit->at].units++;
		for (uint32_t d = 0; d < BALANCE_DIMENSION_COUNT; d++)
			search->nodes[unit->at].use[d] += unit->use.of[d];
	}
	// A host's total is never below what its VMs use: figures of different moments differ.
	for (uint32_t i = 0; options->measured && i < search->node_count; i++) {
		for (uint32_t d = 0; d < BALANCE_VMS; d++) {
			uint64_t total = measured_use(options, search->nodes[i].slot, d);

			if (total != BALANCE_UNKNOWN && total > search->nodes[i].use[d])
				search->nodes[i].use[d] = total;
		}
	}
	balance_rescore(search);
}

// ---- the order of the steps

struct before {
	uint64_t score, root[BALANCE_DIMENSION_COUNT];
	uint64_t from[BALANCE_DIMENSION_COUNT], to[BALANCE_DIMENSION_COUNT]; // shares
};

static struct before before_move(const struct balance_search *search, uint8_t from, uint8_t to)
{
	struct before before = { .score = search->score };

	memcpy(before.root, search->root, sizeof(before.root));
	memcpy(before.from, search->nodes[from].share, sizeof(before.from));
	memcpy(before.to, search->nodes[to].share, sizeof(before.to));
	return before;
}

// The dimension that became more even than the others did, by weight.
static uint8_t most_evened(const struct balance_search *search, const struct before *was)
{
	int64_t most = INT64_MIN;
	uint8_t best = 0;

	for (uint8_t d = 0; d < BALANCE_DIMENSION_COUNT; d++) {
		int64_t gain = (int64_t)(was->root[d] * search->weights[d]) -
			       (int64_t)(search->root[d] * search->weights[d]);

		if (search->weights[d] > 0 && gain > most) {
			most = gain;
			best = d;
		}
	}
	return best;
}

static void record(const struct balance_search *search, struct balance_plan *plan,
		   const struct balance_unit *unit, uint8_t from, const struct before *was)
{
	const struct balance_node *a = &search->nodes[from], *b = &search->nodes[unit->at];
	uint8_t best = most_evened(search, was);

	for (uint32_t vm = unit->first; vm != UINT32_MAX; vm = search->next[vm]) {
		plan->steps[plan->count++] = (struct balance_step){
			.vm = search->cluster->vms[vm].ref,
			.from = a->slot,
			.to = b->slot,
			.together = vm != unit->first,
			.dimension = best,
			.before = (uint32_t)millionths(search, was->score),
			.score = (uint32_t)millionths(search, search->score),
			.from_before = (uint32_t)was->from[best],
			.from_after = (uint32_t)a->share[best],
			.to_before = (uint32_t)was->to[best],
			.to_after = (uint32_t)b->share[best],
		};
	}
}

// Of the moves that are left the one that leaves the best score and may be made now: its place in
// `todo`, or `count`. Each move is to the node that `targets` holds.
static uint32_t next_move(struct balance_search *search, uint32_t done, uint32_t count)
{
	uint64_t best = UINT64_MAX;
	uint32_t chosen = count;

	for (uint32_t i = done; i < count; i++) {
		struct balance_unit *unit = &search->units[search->todo[i]];
		uint8_t to = (uint8_t)search->lists[search->todo[i]];
		int64_t net[BALANCE_DIMENSION_COUNT];
		uint64_t score;

		if (search->nodes[to].free_mib < (int64_t)unit->mib)
			continue;
		for (uint32_t d = 0; d < BALANCE_DIMENSION_COUNT; d++)
			net[d] = unit->use.of[d];
		score = balance_score_if(search, unit->at, to, net);
		if (score < best && balance_may_go(search, unit, to)) {
			best = score;
			chosen = i;
		}
	}
	return chosen;
}

// Everybody goes home; `todo` lists who had left, `lists` to where.
static uint32_t list_moves(struct balance_search *search)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < search->unit_count; i++) {
		struct balance_unit *unit = &search->units[i];

		if (unit->at == unit->home)
			continue;
		search->todo[count++] = i;
		search->lists[i] = unit->at;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct balance_unit *unit = &search->units[search->todo[i]];

		balance_go(search, unit, unit->home);
	}
	return count;
}

static void undo_to(struct balance_search *search, struct balance_plan *plan, uint32_t done,
		    uint32_t kept)
{
	while (done > kept) {
		struct balance_unit *unit = &search->units[search->todo[--done]];

		plan->count -= unit->vms;
		balance_go(search, unit, unit->home);
	}
}

/*
 * Makes the moves one after another, best first, as far as each may be made when its turn comes.
 * What is stuck is not tried again in this round. Only the part up to the best score is kept.
 * Returns how many units are to move.
 */
static uint32_t put_in_order(struct balance_search *search, struct balance_plan *plan)
{
	uint32_t count = list_moves(search), done = 0, kept = 0;
	uint64_t best = search->score + search->cost;

	while (done < count) {
		uint32_t next = next_move(search, done, count), unit_at;
		struct balance_unit *unit;
		struct before was;
		uint8_t to;

		if (next == count)
			break;
		unit_at = search->todo[next];
		search->todo[next] = search->todo[done];
		search->todo[done++] = unit_at;
		unit = &search->units[unit_at];
		to = (uint8_t)search->lists[unit_at];
		was = before_move(search, unit->at, to);
		balance_go(search, unit, to);
		record(search, plan, unit, unit->home, &was);
		if (search->score + search->cost < best) {
			best = search->score + search->cost;
			kept = done;
		}
	}
	for (uint32_t i = done; i < count; i++)
		search->units[search->todo[i]].allowed &= ~BIT(search->lists[search->todo[i]]);
	undo_to(search, plan, done, kept);
	return kept;
}

// ---- rounds

static void begin_round(struct balance_search *search)
{
	search->cost = 0;
	search->moves_max -= search->moved;
	search->moved = 0;
	search->limited = false;
	for (uint32_t i = 0; i < search->node_count; i++) {
		search->nodes[i].moves_max -= search->nodes[i].moves;
		search->nodes[i].moves = 0;
	}
	for (uint32_t i = 0; i < search->unit_count; i++) {
		search->units[i].home = search->units[i].at;
		search->units[i].allowed = search->units[i].possible;
	}
}

// Plans once from where everything is; false when there is nothing to do.
static bool plan_round(struct balance_search *search, struct balance_plan *plan)
{
	uint64_t before = search->score;
	uint32_t units = 0;

	for (uint32_t i = 0; i < TRIES_MAX && units == 0; i++) {
		balance_improve(search);
		if (search->moved == 0)
			break;
		units = put_in_order(search, plan);
	}
	if (units == 0) {
		plan->stop = search->limited ? BALANCE_STOP_MOVES : BALANCE_STOP_BEST;
		return false;
	}
	if ((before - search->score - search->cost) * 100 >= before * search->options->gain_percent)
		return true;
	undo_to(search, plan, units, 0);
	plan->stop = BALANCE_STOP_GAIN;
	return false;
}

static void tell_spread(const struct balance_search *search, uint32_t *score, uint32_t *spread)
{
	*score = (uint32_t)millionths(search, search->score);
	for (uint32_t d = 0; d < BALANCE_DIMENSION_COUNT; d++)
		spread[d] = (uint32_t)(search->root[d] / search->node_count);
}

void balance_plan(const struct cluster *cluster, uint64_t present,
		  const struct balance_options *options, void *memory, struct balance_plan *plan)
{
	struct balance_search *search = search_lay_out(cluster, memory);

	memset(plan, 0, offsetof(struct balance_plan, steps));
	search->options = options;
	take_weights(search);
	take_nodes(search, present);
	for (uint32_t i = 0; i < search->node_count; i++)
		plan->nodes |= BIT(search->nodes[i].slot);
	if (search->node_count < 2) {
		plan->stop = BALANCE_STOP_NODES;
		return;
	}
	placement_load_init(&search->load, cluster, present);
	search->load.rules.orders_ignored = true;
	take_vms(search, plan);
	count_kept(search, plan);
	plan->vms = search->vm_count;
	fill_nodes(search);
	tell_spread(search, &plan->score_before, plan->spread_before);
	search->moves_max = BALANCE_STEPS_MAX;
	if (options->moves_max > 0 && options->moves_max < BALANCE_STEPS_MAX)
		search->moves_max = options->moves_max;
	for (uint32_t round = 0; round < ROUNDS_MAX; round++) {
		begin_round(search);
		if (!plan_round(search, plan))
			break;
	}
	tell_spread(search, &plan->score_after, plan->spread_after);
}
