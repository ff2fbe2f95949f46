// SPDX-License-Identifier: Apache-2.0
/*
 * Weights of nodes for a VM: the product ranks a VM's preferred owners in tiers instead. So nodes
 * of one weight are a tier, the lightest are in none, and a VM goes back to a better tier when the
 * difference outweighs its stickiness. A weight that is as good as infinite bans or, with
 * `preferred`, does not matter.
 */
#include <math.h>
#include <string.h>

#include "tests/sim/scenario_reader.h"

enum { WEIGHT_INFINITE = 1000000 };

static void weigh(struct scenario_vm *vm, uint64_t mask, double weight)
{
	double most = WEIGHT_INFINITE;

	for (uint32_t i = 0; i < HOSTS_MAX; i++)
		if (mask >> i & 1)
			vm->weight[i] = (int32_t)fmax(-most, fmin(most, vm->weight[i] + weight));
	vm->weighed = true;
}

static void read_weight_map(struct reader *r, json_t *map, const char *place,
			    struct scenario_vm *vm, double sign)
{
	json_t *value;
	const char *name;
	char here[PLACE_SIZE];

	json_object_foreach(map, name, value)
	{
		uint8_t node = read_node_named(r, place_below(here, place, name), name);
		const char *word = json_string_value(value);
		double weight = json_number_value(value);

		if (word)
			weight = *word == '-' ? -WEIGHT_INFINITE : WEIGHT_INFINITE;
		else if (!json_is_number(value))
			reader_bad(r, here, "a weight is needed here");
		if (node != NAME_NONE)
			weigh(vm, NODE_BIT(node), sign * weight);
	}
}

void read_weights(struct reader *r, json_t *object, const char *place, struct scenario_vm *vm)
{
	json_t *weights = read_member(r, object, place, "weights", JSON_OBJECT);
	json_t *avoid = json_object_get(object, "avoid");
	char here[PLACE_SIZE];

	vm->sticks = json_number_value(json_object_get(object, "stickiness"));
	read_weight_map(r, weights, place_below(here, place, "weights"), vm, 1);
	place_below(here, place, "avoid");
	if (json_is_object(avoid))
		read_weight_map(r, avoid, here, vm, -1);
	else
		weigh(vm, read_node_mask(r, avoid, here), -1);
	vm->weighed = json_object_size(weights) > 0 ||
		      (json_is_object(avoid) ? json_object_size(avoid) > 0
					     : avoid && !json_is_null(avoid));
	// The tiers that are named are above everything that is avoided.
	for (uint32_t t = 0; vm->weighed && json_object_size(weights) == 0 && t < vm->tier_count;
	     t++)
		weigh(vm, vm->tiers[t], 1000 - (double)t);
}

static bool is_banned(const struct scenario_vm *vm, uint32_t node)
{
	return vm->weight[node] <= -WEIGHT_INFINITE;
}

// One after another, from the heaviest; the lightest is what remains.
static void make_tiers(struct scenario_vm *vm, uint32_t nodes)
{
	int64_t above = INT64_MAX;

	vm->tier_count = 0;
	while (vm->tier_count < VM_TIERS_MAX) {
		uint64_t mask = 0, lighter = 0;
		int64_t best = INT64_MIN;

		for (uint32_t i = 0; i < nodes; i++)
			if (vm->weight[i] < above && vm->weight[i] > best && !is_banned(vm, i))
				best = vm->weight[i];
		for (uint32_t i = 0; i < nodes; i++) {
			mask |= (uint64_t)(vm->weight[i] == best) << i;
			lighter |= (uint64_t)(vm->weight[i] < best && !is_banned(vm, i)) << i;
		}
		if (lighter == 0)
			return;
		vm->tiers[vm->tier_count++] = mask;
		above = best;
	}
}

// What it would gain at most, from where it is.
static double gain(const struct scenario *s, const struct scenario_vm *vm)
{
	double best = 0;

	for (uint32_t on = 0; on < s->node_count; on++)
		for (uint32_t i = 0; (vm->on >> on & 1) && i < s->node_count; i++)
			if (!vm->possible_given || (vm->possible >> i & 1))
				best = fmax(best, vm->weight[i] - vm->weight[on]);
	return best;
}

void weights_close(struct reader *r)
{
	struct scenario *s = r->scenario;

	for (uint32_t v = 0; v < s->vm_count; v++) {
		struct scenario_vm *vm = &s->vms[v];

		if (!vm->weighed)
			continue;
		for (uint32_t i = 0; i < s->node_count; i++) {
			if (!is_banned(vm, i))
				continue;
			if (!vm->possible_given)
				vm->possible = NODE_BITS(s->node_count);
			vm->possible_given = true;
			vm->possible &= ~NODE_BIT(i);
		}
		make_tiers(vm, s->node_count);
		if (vm->stickiness != STICKINESS_INFINITE && vm->sticks > 0)
			vm->failback = gain(s, vm) > vm->sticks;
	}
}
