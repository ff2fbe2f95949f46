// SPDX-License-Identifier: Apache-2.0
/*
 * The coordinator's part in mending: moves VMs that break something strict where they run, and lets
 * VMs go to where they had rather be (policies/mend.c). Looked at when the replica has changed and
 * nothing more important is under way in this round.
 */
#include <string.h>

#include "clusterd/decide_move.h"
#include "clusterd/rule_index.h"
#include "clusterd/text.h"
#include "policies/drain.h"

enum {
	EVERY_MS = 1000,       // at most so often; in a storm of changes there is more to do
	WISH_EVERY_MS = 10000, // wishes, which cost the most to look at, less often
	WISHES_MAX = 64,       // at a time, by turns
	LOOK_MS = 5000,	       // at what has to wait its turn
	AGAIN_MS = 30000,      // after a move of it failed; twice as long after each further one
	AGAIN_MAX_MS = 30 * 60 * 1000,
};

static bool lately(const struct node *node, uint64_t then_ms, uint64_t every_ms)
{
	return then_ms != 0 && node->now_ms - then_ms < every_ms;
}

bool mend_is_due(const struct node *node)
{
	return node->decide_out == 0 && !lately(node, node->mend_looked_ms, EVERY_MS) &&
	       (node->mend_index != node->cluster.index || node->now_ms >= node->mend_ms);
}

void mend_wake(struct node *node)
{
	if (node->mend_index != node->cluster.index && lately(node, node->mend_looked_ms, EVERY_MS))
		node_wake_at(node, node->mend_looked_ms + EVERY_MS);
	if (node->mend_ms > node->now_ms && node->mend_ms != UINT64_MAX)
		node_wake_at(node, node->mend_ms);
}

// Longer with every move of it that failed since one went well.
static uint64_t again_ms(const struct cluster *cluster, const struct vm *vm)
{
	const char *name = vm_definition(cluster, vm)->name;
	uint64_t again = AGAIN_MS;

	for (uint32_t i = 1; i <= PAST_MOVES_MAX; i++) {
		const struct past_move *past =
			&cluster->past_moves[(cluster->past_move + PAST_MOVES_MAX - i) %
					     PAST_MOVES_MAX];

		if (past->id == 0 || strcmp(past->vm, name) != 0)
			continue;
		if (past->outcome == MOVE_DONE)
			break;
		again = again * 2 > AGAIN_MAX_MS ? AGAIN_MAX_MS : again * 2;
	}
	return again / 2 < AGAIN_MS ? AGAIN_MS : again / 2;
}

struct mending {
	struct node *node;
	struct move_round *round;
	struct actions *actions;
	struct placement_load before, after, scratch; // before: as the round began
	uint64_t groups; // of those that were looked at
	uint64_t wake_ms;
};

static enum move_kind method_of(const struct cluster *cluster, const struct vm *vm)
{
	char reason[REASON_SIZE];
	uint8_t on_drain = vm_definition(cluster, vm)->on_drain;

	// Those are wishes about maintenance alone.
	if (on_drain == ON_DRAIN_STAY || on_drain == ON_DRAIN_SHUTDOWN)
		return MOVE_LIVE;
	return drain_method(cluster, vm, reason);
}

// Nodes that every member that is not there yet can move to, each by its method.
static uint64_t mend_targets(const struct mending *m, const struct mend *mend)
{
	const struct cluster *cluster = &m->node->cluster;
	uint64_t among = UINT64_MAX;

	for (uint32_t i = 0; i < mend->unit.count; i++) {
		const struct vm *vm = &cluster->vms[mend->unit.vms[i]];

		if (vm->move == 0)
			among &= preflight_targets(cluster, &m->round->moves, vm,
						   method_of(cluster, vm)) |
				 1ull << vm->owner;
	}
	return among;
}

static bool goes_cold(const void *context, const struct vm *other)
{
	const struct mending *m = context;
	const struct cluster *cluster = &m->node->cluster;
	struct mend mend;

	return other->phase == VM_RUNNING && method_of(cluster, other) == MOVE_COLD &&
	       (other->move != 0 || mend_asks(cluster, &m->before, other, m->node->wall_ms, &mend));
}

static bool may_begin(struct mending *m, const struct move_choice *choice)
{
	const struct vm *vm = choice->vm;

	return (choice->asks || move_has_room(&m->node->cluster, m->round, vm, choice->target)) &&
	       (m->round->load.present >> vm->owner & 1) &&
	       !move_failed_lately(m->node, vm, again_ms(&m->node->cluster, vm)) &&
	       actions_room(m->actions, 16, 64 * 1024);
}

/*
 * What has to wait its turn is counted as if it were on its way, so that nobody else moves instead
 * of it.
 */
static void carry_out(struct mending *m, const struct mend *mend)
{
	const struct cluster *cluster = &m->node->cluster;

	for (uint32_t i = 0; i < mend->unit.count; i++) {
		const struct vm *vm = &cluster->vms[mend->unit.vms[i]];
		struct move_choice choice = { .vm = vm,
					      .cause = CAUSE_POLICY,
					      .target = mend->target };

		if (vm->move != 0 || vm->owner == mend->target)
			continue;
		choice.kind = (uint8_t)method_of(cluster, vm);
		mend_load_move(&m->after, cluster, vm, mend->target);
		choice.asks = choice.kind == MOVE_COLD && move_is_tied(cluster, vm, goes_cold, m);
		if (may_begin(m, &choice) && move_propose(m->node, m->round, &choice, m->actions))
			continue;
		placement_load_add(&m->round->load, cluster, vm, mend->target);
		if (m->wake_ms > LOOK_MS)
			m->wake_ms = LOOK_MS;
	}
}

// A wish does not stop a guest, however shortly; a better owner does where the VM is defined so.
static bool stops_for_a_wish(const struct cluster *cluster, const struct mend *mend)
{
	for (uint32_t i = 0; mend->cause == MEND_WISH && i < mend->unit.count; i++)
		if (method_of(cluster, &cluster->vms[mend->unit.vms[i]]) == MOVE_COLD)
			return true;
	return false;
}

// False: nothing of this sort asks for it any more.
static bool mend_one(struct mending *m, uint32_t slot, bool must)
{
	const struct cluster *cluster = &m->node->cluster;
	const struct vm *vm = &cluster->vms[slot];
	struct mend mend;

	if (!mend_asks(cluster, &m->after, vm, m->node->wall_ms, &mend) || mend.answer.must != must)
		return false;
	if (mend.unit.group != SLOT_NONE) {
		if (m->groups >> mend.unit.group & 1)
			return false;
		m->groups |= 1ull << mend.unit.group;
	}
	mend_choose(cluster, &m->round->load, &m->scratch, mend_targets(m, &mend), m->node->wall_ms,
		    &mend);
	if (mend.wait_ms < m->wake_ms)
		m->wake_ms = mend.wait_ms;
	if (mend.target != SLOT_NONE && !stops_for_a_wish(cluster, &mend))
		carry_out(m, &mend);
	return true;
}

bool node_vm_mend(const struct node *node, const struct vm *vm, struct mend *mend)
{
	const struct cluster *cluster = &node->cluster;
	struct move_round round;
	struct mending m = { .node = (struct node *)node, .round = &round };

	move_round_init(&round, node, node_present(node));
	mend_load_init(&m.after, &round.load, cluster);
	if (!mend_asks(cluster, &m.after, vm, node->wall_ms, mend))
		return false;
	mend_choose(cluster, &round.load, &m.scratch, mend_targets(&m, mend), node->wall_ms, mend);
	if (mend->target != SLOT_NONE && stops_for_a_wish(cluster, mend)) {
		mend->target = SLOT_NONE;
		text_copy(mend->reason, REASON_SIZE, "nothing is stopped for a wish");
		return false;
	}
	mend_say(cluster, &round.load, mend);
	return mend->target != SLOT_NONE || mend->answer.must;
}

// VMs for which anything asks, as they are now.
static uint32_t mend_list(struct mending *m, uint32_t *list)
{
	const struct cluster *cluster = &m->node->cluster;
	uint64_t groups = 0; // that one of has answered for
	uint32_t count = 0;
	struct mend mend;

	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		const struct vm *vm = &cluster->vms[i];
		uint8_t group;

		if (!vm->used || vm->phase != VM_RUNNING || vm->move != 0)
			continue;
		group = group_of_vm(cluster, vm);
		if (group != SLOT_NONE && groups >> group & 1)
			continue;
		if (group != SLOT_NONE)
			groups |= 1ull << group;
		if (mend_asks(cluster, &m->after, vm, m->node->wall_ms, &mend))
			list[count++] = mend.unit.vms[0]; // who speaks for its group
		else if (mend.facts.rests && m->wake_ms > MEND_REST_MS)
			m->wake_ms = MEND_REST_MS;
	}
	placement_sort(cluster, list, count);
	return count;
}

static void mend_wishes(struct mending *m, uint32_t count)
{
	struct node *node = m->node;
	uint32_t looked = 0;

	if (lately(node, node->wish_ms, WISH_EVERY_MS)) {
		if (count > 0 && m->wake_ms > WISH_EVERY_MS)
			m->wake_ms = WISH_EVERY_MS;
		return;
	}
	node->wish_ms = node->now_ms;
	for (uint32_t i = 0; i < count && looked < WISHES_MAX; i++) {
		uint32_t at = (node->wish_turn + i) % count;

		looked += mend_one(m, node->scratch[at], false);
		if (looked == WISHES_MAX)
			node->wish_turn = (at + 1) % count;
	}
	if (looked < WISHES_MAX)
		node->wish_turn = 0;
	else if (m->wake_ms > WISH_EVERY_MS)
		m->wake_ms = WISH_EVERY_MS;
}

/*
 * What must be mended first, the least important VM first: of two that must part it is the one that
 * is disturbed. Then those that may go to a better node, the most important first.
 */
void decide_mends(struct node *node, struct move_round *round, struct actions *actions)
{
	struct mending m; // its loads are large, and written before they are read
	uint32_t count;

	if (!mend_is_due(node))
		return;
	m.node = node;
	m.round = round;
	m.actions = actions;
	m.groups = 0;
	m.wake_ms = UINT64_MAX;
	node->mend_index = node->cluster.index;
	node->mend_looked_ms = node->now_ms;
	node->mend_ms = UINT64_MAX;
	mend_load_init(&m.after, &round->load, &node->cluster);
	placement_load_copy(&m.before, &m.after, &node->cluster);
	count = mend_list(&m, node->scratch);
	for (uint32_t i = count; i-- > 0;)
		mend_one(&m, node->scratch[i], true);
	mend_wishes(&m, count);
	if (m.wake_ms != UINT64_MAX) {
		node->mend_ms = node->now_ms + m.wake_ms;
		mend_wake(node);
	}
}
