// SPDX-License-Identifier: Apache-2.0
/*
 * The coordinator's part in yielding: reserves room for VMs that have no home where less important
 * ones can make it, and has those leave. Done anew each round from the replicated state: what has
 * begun to leave is counted, so nobody leaves twice, and nobody comes into the room that is kept.
 */
#include "clusterd/decide_yield.h"

#include <string.h>

#include "clusterd/decide_move.h"

static bool is_listed(const struct yielding *yielding, const struct vm *vm)
{
	for (uint32_t i = 0; i < yielding->count; i++)
		if (yielding->vms[i] == vm->ref.slot)
			return true;
	return false;
}

void yield_reserve(const struct cluster *cluster, struct placement_load *load, const struct vm *vm,
		   uint32_t *list, struct yielding *yielding)
{
	struct yield *yield = &yielding->yields[yielding->count];

	if (!cluster->def.policies.displace || yielding->count == YIELDS_MAX ||
	    vm->phase != VM_IDLE || is_listed(yielding, vm))
		return;
	yield_choose(cluster, load, vm, list, yield);
	if (yield->node == SLOT_NONE)
		return;
	yielding->vms[yielding->count++] = vm->ref.slot;
	placement_load_add(load, cluster, vm, yield->node);
}

// To another node while it runs, if one can have it; otherwise it is stopped, and waits.
static void one_leaves(struct node *node, struct move_round *round, const struct vm *vm,
		       struct actions *actions)
{
	struct move_choice choice = { .vm = vm, .kind = MOVE_LIVE, .cause = CAUSE_POLICY };

	if (!(round->load.present >> vm->owner & 1))
		return;
	choice.target = move_choose_target(&node->cluster, round, vm, SLOT_NONE, MOVE_LIVE);
	if (choice.target == SLOT_NONE)
		choice.kind = MOVE_COLD;
	if (move_has_room(&node->cluster, round, vm, choice.target) &&
	    actions_room(actions, 16, 64 * 1024))
		move_propose(node, round, &choice, actions);
}

bool decide_yields(struct node *node, uint64_t present, const struct yielding *yielding,
		   struct actions *actions)
{
	const struct cluster *cluster = &node->cluster;
	struct move_round round;
	uint32_t before = node->decide_out;

	if (yielding->count == 0)
		return false;
	move_round_init(&round, node, present);
	for (uint32_t i = 0; i < yielding->count; i++)
		placement_load_add(&round.load, cluster, &cluster->vms[yielding->vms[i]],
				   yielding->yields[i].node);
	for (uint32_t i = 0; i < yielding->count; i++)
		for (uint32_t k = 0; k < yielding->yields[i].count; k++)
			one_leaves(node, &round, &cluster->vms[yielding->yields[i].vms[k]],
				   actions);
	return node->decide_out > before;
}
