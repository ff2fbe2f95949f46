// SPDX-License-Identifier: Apache-2.0
#include "policies/capacity.h"

#include <string.h>

#include "clusterd/text.h"
#include "policies/placement.h"

#define BIT(slot) (UINT64_C(1) << (slot))

struct proof {
	struct cluster *cluster;
	uint64_t present;
	uint32_t *list;
	struct capacity_answer *answer;
};

// Would be looked for a home if its node were lost.
static bool is_at_stake(const struct vm *vm, uint64_t failed)
{
	return vm->used && vm->managed && vm->wanted == VM_WANTED_RUNNING &&
	       vm->owner != SLOT_NONE && (failed & BIT(vm->owner));
}

// The VMs of those nodes, in the order in which they would be recovered.
static uint32_t list_lost(struct proof *proof, uint64_t failed)
{
	uint32_t count = 0;

	for (uint32_t slot = 0; slot < proof->cluster->vm_high; slot++)
		if (is_at_stake(&proof->cluster->vms[slot], failed))
			proof->list[count++] = slot;
	placement_sort(proof->cluster, proof->list, count);
	return count;
}

// The reason is looked for on the nodes that are left.
static void tell_homeless(struct proof *proof, const struct placement_load *load, uint32_t count)
{
	struct capacity_answer *answer = proof->answer;
	struct cluster *cluster = proof->cluster;
	const struct vm *vm = &cluster->vms[proof->list[0]];
	uint64_t lost = 0;

	for (uint8_t i = 0; i < cluster->node_high; i++) {
		if (!cluster->nodes[i].used || cluster->nodes[i].life != NODE_EXPIRING)
			continue;
		lost |= BIT(i);
		cluster->nodes[i].used = false;
	}

	answer->homeless = count;
	text_copy(answer->vm, sizeof(answer->vm), vm_definition(proof->cluster, vm)->name);
	placement_explain(proof->cluster, load, vm, answer->reason, answer->fix);
	if (!answer->reason[0])
		text_copy(answer->reason, sizeof(answer->reason), "no other node is left");
	for (uint8_t i = 0; i < cluster->node_high; i++)
		cluster->nodes[i].used |= lost >> i & 1;
}

static bool take_home(void *context, const struct vm *vm, uint8_t node)
{
	(void)context;
	(void)vm;
	return node != SLOT_NONE;
}

// Whether everybody finds a home; as the coordinator does it.
static bool all_find_homes(struct proof *proof, struct placement_load *load, uint32_t count)
{
	count = placement_rounds(proof->cluster, load, proof->list, count, count, take_home, NULL);
	if (count > 0)
		tell_homeless(proof, load, count);
	return count == 0;
}

/*
 * A node whose end is believed without proof holds nothing as far as places and rules go, and its
 * VMs ask for another: that is what the trial makes of the nodes that fail. An order of starts that
 * is not yet fulfilled is no want of capacity, so orders are left out.
 */
static bool stands(struct proof *proof, uint64_t failed)
{
	struct cluster *cluster = proof->cluster;
	struct placement_load load;
	uint8_t lives[NODES_MAX];
	bool good;

	for (uint8_t i = 0; i < cluster->node_high; i++) {
		lives[i] = cluster->nodes[i].life;
		if (failed & BIT(i))
			cluster->nodes[i].life = NODE_EXPIRING;
	}
	placement_load_init(&load, cluster, proof->present & ~failed);
	load.rules.orders_ignored = true;
	good = all_find_homes(proof, &load, list_lost(proof, failed));
	for (uint8_t i = 0; i < cluster->node_high; i++)
		cluster->nodes[i].life = lives[i];
	proof->answer->tried++;
	return good;
}

static bool is_candidate(const struct proof *proof, uint8_t slot)
{
	return proof->cluster->nodes[slot].used && (proof->present & BIT(slot));
}

static uint32_t count_candidates(const struct proof *proof)
{
	uint32_t count = 0;

	for (uint8_t slot = 0; slot < NODES_MAX; slot++)
		count += is_candidate(proof, slot);
	return count;
}

static bool try_one(struct proof *proof, uint8_t a, uint8_t b)
{
	if (stands(proof, BIT(a) | (b == SLOT_NONE ? 0 : BIT(b))))
		return true;
	proof->answer->tolerates = false;
	proof->answer->failed[0] = a;
	proof->answer->failed[1] = b;
	return false;
}

static struct proof proof_begin(struct cluster *scratch, uint64_t present, uint32_t *list,
				struct capacity_answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	answer->tolerates = true;
	answer->failed[0] = answer->failed[1] = SLOT_NONE;
	return (struct proof){
		.cluster = scratch, .present = present, .list = list, .answer = answer
	};
}

void capacity_prove(struct cluster *scratch, uint64_t present, uint32_t failures, uint32_t *list,
		    struct capacity_answer *answer)
{
	struct proof proof = proof_begin(scratch, present, list, answer);

	// Where there are fewer nodes than that, it is the loss of all.
	if (count_candidates(&proof) < failures)
		failures = 1;
	for (uint8_t a = 0; a < NODES_MAX; a++) {
		if (!is_candidate(&proof, a))
			continue;
		if (failures == 1 && !try_one(&proof, a, SLOT_NONE))
			return;
		for (uint8_t b = (uint8_t)(a + 1); failures == 2 && b < NODES_MAX; b++)
			if (is_candidate(&proof, b) && !try_one(&proof, a, b))
				return;
	}
}

void capacity_prove_node(struct cluster *scratch, uint64_t present, uint8_t node, uint32_t *list,
			 struct capacity_answer *answer)
{
	struct proof proof = proof_begin(scratch, present, list, answer);

	if (is_candidate(&proof, node))
		try_one(&proof, node, SLOT_NONE);
}

void capacity_settle(struct cluster *copy, uint64_t present, uint32_t *list)
{
	struct placement_load load;
	uint32_t count = 0;

	for (uint32_t slot = 0; slot < copy->vm_high; slot++)
		if (vm_asks_for_place(copy, &copy->vms[slot]))
			list[count++] = slot;
	placement_sort(copy, list, count);
	placement_load_init(&load, copy, present);
	load.rules.orders_ignored = true;
	for (uint32_t i = 0; i < count; i++) {
		struct vm *vm = &copy->vms[list[i]];
		uint8_t home = placement_choose(copy, &load, vm);

		if (home == SLOT_NONE)
			continue;
		placement_load_add(&load, copy, vm, home);
		vm->owner = home;
		vm->phase = VM_PLACED;
	}
}
