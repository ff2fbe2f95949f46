// SPDX-License-Identifier: Apache-2.0
/*
 * The coordinator: looks at the whole replica and proposes what is due, one round at a time. The
 * next round waits until every entry of the last one is committed or refused, so that a round
 * always sees what the one before it did.
 */
#include <string.h>

#include "clusterd/node_internal.h"
#include "clusterd/decide_move.h"
#include "clusterd/decide_yield.h"
#include "clusterd/text.h"
#include "policies/shutdown.h"
#include "quorum/loss.h"

enum {
	SETTLE_MS = 20000,		// after a cold start, until a node that was never seen
					// counts as lost
	FENCE_AGAIN_MS = 10000,
	FENCE_FAILURES_MAX = 2,		// then another way is looked for
	PLACES_MAX = 256,		// in one entry
	LEASE_WRITES_MAX = 32,		// under way at once
	LEASE_AGAIN_MS = 10000,
	CHECK_EVERY_MS = 30000,
};

static bool round_begins(struct node *node)
{
	if (!view_coordinator(node->view) || !view_normal(node->view) || !node->adopted)
		return false;
	if (node->decide_view != view_number(node->view)) {
		node->decide_view = view_number(node->view);
		node->decide_out = 0;
	}
	return node->decide_out == 0;
}

static void init_entry(struct entry *entry, enum entry_type type)
{
	entry_clear(entry);
	entry->type = (uint8_t)type;
}

static void loss_look(struct node *node, uint8_t slot, struct loss_facts *facts)
{
	const struct cluster_node *target = &node->cluster.nodes[slot];
	struct local_node *peer = &node->peers[slot];
	uint64_t present = node->sight.present;

	if (peer->fence_failures != target->fence_failures) {
		peer->fence_failures = target->fence_failures;
		peer->fence_retry_ms = node->now_ms + FENCE_AGAIN_MS;
	}
	*facts = (struct loss_facts){
		.life = target->life,
		.in_ring = view_in_ring(node->view, target->def.id),
		.member = view_synchronised(node->view, target->def.id) &&
			  (target->life != NODE_LEFT || view_number(node->view) != peer->left_view),
		.settled = peer->seen || node->now_ms - node->view_normal_ms >= SETTLE_MS,
		.managed = target->managed,
		.device = target->def.fence_count > 0,
		// The first failure is followed by the next device, or the next actor, at once.
		.retry = target->fence_failures < FENCE_FAILURES_MAX ||
			 node->now_ms >= peer->fence_retry_ms,
		.failing = target->fence_failures >= FENCE_FAILURES_MAX,
		.guarded = target->reported && target->report.watchdog,
		.wanted = target->fence_wanted,
		.actor_here =
			target->fence_actor < NODES_MAX && (present & 1ull << target->fence_actor),
	};
	if (facts->life == NODE_ONLINE && !facts->in_ring && !facts->settled)
		node_wake_at(node, node->view_normal_ms + SETTLE_MS);
	if (facts->failing && !facts->retry)
		node_wake_at(node, peer->fence_retry_ms);
}

static bool fencing_entry(const struct node *node, uint8_t slot, struct entry *entry)
{
	const struct cluster_node *target = &node->cluster.nodes[slot];

	entry->attempt = target->fence_attempt + 1;
	entry->actor = loss_actor(&node->cluster, node->sight.present, slot, entry->attempt);
	entry->device = (uint8_t)(target->fence_failures % target->def.fence_count);
	// The generations that it reported: a host that rejoins takes new ones, and is then not
	// touched.
	for (uint8_t v = 0; v < VOLUMES_MAX; v++) {
		const struct node_volume *volume = &target->report.volumes[v];

		if (!target->reported || volume->generation == 0)
			continue;
		entry->generation_mask |= 1u << v;
		entry->generation[v] = volume->generation;
	}
	return entry->actor != SLOT_NONE;
}

static void decide_loss(struct node *node, uint8_t slot, struct actions *actions)
{
	struct loss_facts facts;
	struct loss_answer answer;
	struct entry entry;

	loss_look(node, slot, &facts);
	answer = loss_decide(&facts);
	if (answer.step == LOSS_NOTHING || answer.step == LOSS_WAIT || answer.step == LOSS_RELEASE)
		return;
	init_entry(&entry, ENTRY_VIEW);
	entry.node_id = node->cluster.nodes[slot].def.id;
	text_copy(entry.reason, sizeof(entry.reason), answer.reason);
	switch (answer.step) {
	case LOSS_BACK:
		entry.type = ENTRY_NODE_BACK;
		break;
	case LOSS_DECLARE:
		entry.type = ENTRY_NODE_LOST;
		break;
	case LOSS_EXPIRE:
		entry.type = ENTRY_NODE_EXPIRING;
		break;
	case LOSS_FENCE:
		entry.type = ENTRY_NODE_FENCING;
		if (!fencing_entry(node, slot, &entry))
			return;
		break;
	case LOSS_NOTHING:
	case LOSS_WAIT:
	case LOSS_RELEASE:	// carried out by peer.c, wherever it can be done best
	case LOSS_STEP_COUNT:
		return;
	}
	node_propose(node, &entry, NULL, actions);
}

static int find_voter(const struct voters *voters, uint32_t id)
{
	for (uint32_t i = 0; i < voters->count; i++)
		if (voters->list[i].id == id)
			return (int)i;
	return -1;
}

static void insert_voter(struct voters *voters, uint32_t id, uint64_t store)
{
	uint32_t i = voters->count++;

	while (i > 0 && voters->list[i - 1].id > id) {
		voters->list[i] = voters->list[i - 1];
		i--;
	}
	voters->list[i] = (struct voter){ .id = id, .store = store };
}

static void remove_voter(struct voters *voters, int at)
{
	voters->count--;
	memmove(&voters->list[at], &voters->list[at + 1],
		(voters->count - (uint32_t)at) * sizeof(voters->list[0]));
}

static bool voter_may_change(const struct node *node, const struct cluster_node *other)
{
	return other->used && view_member_store(node->view, other->def.id) != 0 &&
	       view_synchronised(node->view, other->def.id);
}

// A voter whose store came back empty.
static bool voters_readmit(const struct node *node, struct voters *voters)
{
	for (uint8_t slot = 0; slot < node->cluster.node_high; slot++) {
		const struct cluster_node *other = &node->cluster.nodes[slot];
		uint64_t store = view_member_store(node->view, other->def.id);
		int at = find_voter(voters, other->def.id);

		if (!voter_may_change(node, other) || at < 0 || voters->list[at].store == store)
			continue;
		voters->list[at].store = store;
		return true;
	}
	return false;
}

static bool voters_add(const struct node *node, struct voters *voters)
{
	for (uint8_t slot = 0; slot < node->cluster.node_high && voters->count < NODES_MAX;
	     slot++) {
		const struct cluster_node *other = &node->cluster.nodes[slot];

		if (!voter_may_change(node, other) || find_voter(voters, other->def.id) >= 0)
			continue;
		insert_voter(voters, other->def.id, view_member_store(node->view, other->def.id));
		return true;
	}
	return false;
}

// A voter whose node is no longer defined, and gone. Before anything is defined nobody is removed.
static bool voters_drop(const struct node *node, struct voters *voters)
{
	bool any = false;

	for (uint8_t slot = 0; slot < node->cluster.node_high; slot++)
		any = any || node->cluster.nodes[slot].used;
	for (uint32_t i = 0; any && i < voters->count; i++) {
		uint32_t id = voters->list[i].id;

		if (cluster_node_by_id((struct cluster *)&node->cluster, id) ||
		    view_in_ring(node->view, id))
			continue;
		remove_voter(voters, (int)i);
		return true;
	}
	return false;
}

/*
 * One voter per entry. Readmission comes first: a list that grows while one of its stores is
 * missing may reach a size whose majority it then cannot bring together.
 */
static void decide_voters(struct node *node, struct actions *actions)
{
	struct voters voters = node->cluster.voters;
	struct entry entry;

	if (!voters_readmit(node, &voters) && !voters_drop(node, &voters) &&
	    !voters_add(node, &voters))
		return;
	init_entry(&entry, ENTRY_VOTERS);
	entry.voters = voters;
	node_propose(node, &entry, NULL, actions);
}

static bool slot_in(uint64_t present, uint8_t slot)
{
	return slot < NODES_MAX && (present & 1ull << slot);
}

/*
 * Whoever began to prepare a volume may still be writing to it until it is known to be dead or has
 * said how it ended; another one is named only then.
 */
static bool actor_is_over(const struct node *node, uint8_t actor)
{
	const struct cluster_node *other;

	if (actor >= NODES_MAX)
		return true;
	other = &node->cluster.nodes[actor];
	return !other->used || other->life == NODE_DEAD || other->life == NODE_LEFT ||
	       other->life == NODE_UNKNOWN;
}

static void decide_prepare(struct node *node, uint8_t v, uint64_t present, struct actions *actions)
{
	const struct cluster_volume *volume = &node->cluster.volumes[v];
	struct entry entry;
	uint32_t count = 0, nth;

	if (!volume->used || volume->prepared || !actor_is_over(node, volume->prepare_actor))
		return;
	init_entry(&entry, ENTRY_VOLUME_PREPARE);
	for (uint8_t slot = 0; slot < node->cluster.node_high; slot++)
		count += slot_in(present, slot) && node->cluster.nodes[slot].reported;
	if (count == 0)
		return;
	if (volume->reason[0] && node->now_ms < node->decide_retry_ms) {
		node_wake_at(node, node->decide_retry_ms);
		return;
	}
	node->decide_retry_ms = node->now_ms + 5000;
	nth = volume->prepare_attempt % count;
	for (uint8_t slot = 0; slot < node->cluster.node_high; slot++)
		if (slot_in(present, slot) && node->cluster.nodes[slot].reported && nth-- == 0)
			entry.actor = slot;
	entry.volume = v;
	entry.attempt = volume->prepare_attempt + 1;
	node_propose(node, &entry, NULL, actions);
}

// The nth present node that has joined the volume's lockspace, begun anew after the last; SLOT_NONE
// when there is none.
static uint8_t lease_writer(const struct node *node, uint8_t v, uint64_t present, uint32_t nth)
{
	uint8_t writers[NODES_MAX];
	uint32_t count = 0;

	for (uint8_t slot = 0; slot < node->cluster.node_high; slot++) {
		const struct cluster_node *other = &node->cluster.nodes[slot];

		if (slot_in(present, slot) && other->reported && other->report.volumes[v].joined &&
		    other->report.volumes[v].state != VOLUME_LOST)
			writers[count++] = slot;
	}
	return count ? writers[nth % count] : SLOT_NONE;
}

static bool all_present(const struct cluster *cluster, uint64_t present)
{
	for (uint8_t slot = 0; slot < cluster->node_high; slot++)
		if (cluster->nodes[slot].used && !slot_in(present, slot))
			return false;
	return true;
}

static bool lease_needs_writer(const struct cluster *cluster, const struct vm *vm,
			       const struct vm_lease *lease, uint64_t present)
{
	if (lease->life == LEASE_GONE)
		return vm->move == 0 && (vm->phase == VM_IDLE || vm->phase == VM_ERROR) &&
		       all_present(cluster, present);
	return lease->life == LEASE_UNWRITTEN ||
	       (lease->life == LEASE_WRITING && !slot_in(present, lease->actor));
}

/*
 * A write that failed burned its slot, and the next one may fail as quickly (the volume is full):
 * one is tried now and then, on another node, and when one succeeds the others follow.
 */
static bool lease_may_wait(struct node *node, const struct vm *vm, const struct vm_lease *lease)
{
	if (lease->life != LEASE_UNWRITTEN || !vm->reason[0])
		return false;
	if (node->now_ms < node->lease_retry_ms) {
		node_wake_at(node, node->lease_retry_ms);
		return true;
	}
	node->lease_retry_ms = node->now_ms + LEASE_AGAIN_MS;
	return false;
}

static void decide_leases(struct node *node, const struct vm *vm, uint64_t present,
			  uint32_t *writing, struct actions *actions)
{
	for (uint32_t i = 0; i < vm->lease_count && *writing < LEASE_WRITES_MAX; i++) {
		const struct vm_lease *lease = &vm->leases[i];
		struct entry entry;

		if (!lease_needs_writer(&node->cluster, vm, lease, present)) {
			*writing += lease->life == LEASE_WRITING;
			continue;
		}
		init_entry(&entry, ENTRY_LEASE_WRITE);
		entry.actor =
			lease_writer(node, lease->volume, present, vm->reason[0] ? lease->slot : 0);
		if (entry.actor == SLOT_NONE || !node->cluster.volumes[lease->volume].prepared ||
		    lease_may_wait(node, vm, lease))
			continue;
		entry.vm = vm->ref;
		entry.volume = lease->volume;
		entry.lease_slot = lease->slot;
		entry.burn = lease->life == LEASE_WRITING;
		if (node_propose(node, &entry, NULL, actions))
			++*writing;
	}
}

// Bound to a host that went down on purpose.
static bool waits_for_host(struct node *node, const struct vm *vm)
{
	uint64_t left_ms;
	bool waits = bound_waits(&node->cluster, vm, node->wall_ms, &left_ms);

	if (left_ms != UINT64_MAX)
		node_wake_at(node, node->now_ms + left_ms);
	return waits;
}

// Found on a node that was lost and speaks again: that it is back is still to be committed, and its
// lease is held by a living host.
static bool found_on_return(const struct node *node, const struct vm *vm)
{
	const struct cluster_node *owner =
		vm->owner == SLOT_NONE ? NULL : &node->cluster.nodes[vm->owner];

	return owner && owner->life == NODE_EXPIRING && vm->phase == VM_RUNNING &&
	       vm->since_ms >= owner->since_ms && view_in_ring(node->view, owner->def.id);
}

// Runs nowhere for certain, or only under a lease whose expiry sanlock itself will judge.
static bool needs_place(struct node *node, const struct vm *vm)
{
	return vm_asks_for_place(&node->cluster, vm) && vm->move == 0 && vm_leases_ready(vm) &&
	       vm->strays == 0 && !found_on_return(node, vm) &&
	       !placement_shut_down(&node->cluster, vm) && !waits_for_host(node, vm);
}

struct placing {
	struct node *node;
	uint8_t *bytes;
	size_t used, size;
	uint32_t placed;
	struct placement_load load;
	uint32_t *list; // room for the VMs of a node
	struct yielding yielding;
};

// Placed, or given up for good.
static bool take_place(void *context, const struct vm *vm, uint8_t owner)
{
	struct placing *placing = context;
	struct place place;
	size_t length;

	if (owner == SLOT_NONE &&
	    (vm->phase != VM_IDLE ||
	     !placement_spent(&placing->node->cluster, vm, placing->node->wall_ms))) {
		yield_reserve(&placing->node->cluster, &placing->load, vm, placing->list,
			      &placing->yielding);
		return false;
	}
	memset(&place, 0, sizeof(place));
	place.vm = vm->ref;
	place.owner = owner;
	place.attempt = vm->attempt;
	place.phase = owner == SLOT_NONE ? VM_ERROR : VM_PLACED;
	if (owner == SLOT_NONE)
		text_copy(place.reason, sizeof(place.reason), vm->reason);
	length =
		place_encode(&place, placing->bytes + placing->used, placing->size - placing->used);
	placing->used += length;
	placing->placed += length > 0;
	return length > 0;
}

static bool takes_vms(const struct node *node, uint8_t slot, uint64_t present)
{
	const struct cluster_node *other = &node->cluster.nodes[slot];

	if (!slot_in(present, slot) || !other->reported)
		return false;
	for (uint8_t v = 0; v < node->cluster.volume_high; v++)
		if (node->cluster.volumes[v].used && !other->report.volumes[v].joined &&
		    other->report.volumes[v].state != VOLUME_LOST)
			return false;
	return true;
}

static bool has_joined_any(const struct node *node, uint8_t slot, uint64_t present)
{
	const struct cluster_node *other = &node->cluster.nodes[slot];

	if (!slot_in(present, slot) || !other->reported)
		return false;
	for (uint8_t v = 0; v < node->cluster.volume_high; v++)
		if (node->cluster.volumes[v].used && other->report.volumes[v].joined)
			return true;
	return false;
}

static bool is_coming(const struct node *node, uint8_t slot, uint64_t present)
{
	const struct cluster_node *other = &node->cluster.nodes[slot];

	return other->used && other->life == NODE_ONLINE && other->managed && !other->maintenance &&
	       !other->report.leaving && !takes_vms(node, slot, present);
}

/*
 * When a cluster starts cold, its first node would get every VM, whatever is preferred and however
 * uneven. So the others are given a moment from then on: as long as it takes to call one of them
 * lost. Once over, it does not come again while some node can take VMs: no failover waits.
 */
static bool others_are_coming(struct node *node, uint64_t present)
{
	bool coming = false;

	for (uint8_t slot = 0; slot < node->cluster.node_high; slot++)
		coming = coming || is_coming(node, slot, present);
	if (!coming || node->now_ms - node->taking_ms >= SETTLE_MS)
		return false;
	node_wake_at(node, node->taking_ms + SETTLE_MS);
	return true;
}

// Since when there is a node that can take VMs; kept by everybody, because anybody may come to
// decide. A volume that was just added, and that nobody has joined yet, makes no cold start.
static void watch_takers(struct node *node)
{
	uint64_t present;
	bool any = false, runs = false;

	if (node->no_quorum_acts)
		node->taking_ms = 0;
	if (!view_normal(node->view))
		return;
	present = node->sight.present;
	for (uint8_t slot = 0; slot < node->cluster.node_high && !any; slot++)
		any = takes_vms(node, slot, present);
	for (uint8_t slot = 0; slot < node->cluster.node_high && !any && !runs; slot++)
		runs = has_joined_any(node, slot, present);
	if (!any && !runs)
		node->taking_ms = 0;
	else if (any && node->taking_ms == 0)
		node->taking_ms = node->now_ms;
}

// What only time will bring: a delay that is over, or failures that are forgotten.
static void wake_for_waiting(struct node *node, const struct placement_load *load, uint32_t left)
{
	uint64_t wait_ms = load->rules.up_wait_ms;

	for (uint32_t i = 0; i < left; i++) {
		const struct vm *vm = &node->cluster.vms[node->scratch[i]];
		uint64_t forget_ms = vm_definition(&node->cluster, vm)->forget_s * UINT64_C(1000);
		uint64_t due = vm->failed_ms + forget_ms;

		if (vm->failed_on && forget_ms > 0 && due > node->wall_ms &&
		    due - node->wall_ms < wait_ms)
			wait_ms = due - node->wall_ms;
	}
	if (left > 0 && wait_ms != UINT64_MAX)
		node_wake_at(node, node->now_ms + wait_ms);
}

enum { PLACES_SIZE = PLACES_MAX * (REASON_SIZE + 64) };

static bool place_those(struct node *node, uint64_t present, uint32_t count,
			struct actions *actions)
{
	struct placing placing; // its loads are large, and written before they are read
	struct entry entry;

	placement_sort(&node->cluster, node->scratch, count);
	placing.node = node;
	placing.bytes = actions_bytes(actions, PLACES_SIZE);
	placing.size = PLACES_SIZE;
	placing.used = 0;
	placing.placed = 0;
	placing.yielding.count = 0;
	placement_load_init_at(&placing.load, &node->cluster, present, node->wall_ms);
	placement_load_measure(&placing.load, &node->cluster, node->measures, node->now_ms);
	placing.list = node->scratch + count; // those that wait are on no node
	count = placement_rounds(&node->cluster, &placing.load, node->scratch, count, PLACES_MAX,
				 take_place, &placing);
	wake_for_waiting(node, &placing.load, count);
	init_entry(&entry, ENTRY_PLACE);
	entry.places = placing.bytes;
	entry.places_size = placing.used;
	entry.place_count = placing.placed;
	if (entry.place_count == 0)
		return decide_yields(node, present, &placing.yielding, actions);
	node_propose(node, &entry, NULL, actions);
	return true;
}

// Whether anything was decided that moves of this round would not see: two could take a node's last
// room.
static bool decide_places(struct node *node, uint64_t present, struct actions *actions)
{
	uint32_t count = 0, writing = 0;

	for (uint32_t slot = 0; slot < node->cluster.vm_high; slot++) {
		const struct vm *vm = &node->cluster.vms[slot];

		if (!vm->used)
			continue;
		if (vm->wanted == VM_WANTED_RUNNING)
			decide_leases(node, vm, present, &writing, actions);
		if (needs_place(node, vm))
			node->scratch[count++] = slot;
	}
	if (count == 0 || others_are_coming(node, present) ||
	    !actions_room(actions, 16, 4 * PLACES_SIZE))
		return false;
	return place_those(node, present, count, actions);
}

// Replicas compare themselves now and then, so that one that went wrong is found while it is idle.
static void decide_check(struct node *node, struct actions *actions)
{
	struct entry entry;

	if (node->check_sent_ms && node->now_ms - node->check_sent_ms < CHECK_EVERY_MS) {
		node_wake_at(node, node->check_sent_ms + CHECK_EVERY_MS);
		return;
	}
	node->check_sent_ms = node->now_ms;
	init_entry(&entry, ENTRY_CHECK);
	node_propose(node, &entry, NULL, actions);
	node_wake_at(node, node->now_ms + CHECK_EVERY_MS);
}

// Hosts may be set to several time zones: what counts is the coordinator's, told to all, so that
// everybody gives the same answer. Twice a year it changes by itself.
static void decide_hours(struct node *node, struct actions *actions)
{
	struct entry entry;

	init_entry(&entry, ENTRY_HOURS);
	entry.ahead_min = node->cluster.def.utc ? 0 : node->ahead_min;
	if (entry.ahead_min != node->cluster.ahead_min)
		node_propose(node, &entry, NULL, actions);
}

void decide_step(struct node *node, struct actions *actions)
{
	uint32_t before = actions->count;
	uint64_t present;

	// Who is there as of what was committed in this very step.
	node->sight.present = node_present(node);
	watch_takers(node);
	if (!round_begins(node))
		return;
	for (uint8_t slot = 0; slot < node->cluster.node_high; slot++)
		if (node->cluster.nodes[slot].used)
			decide_loss(node, slot, actions);
	decide_voters(node, actions);
	decide_hours(node, actions);
	present = node->sight.present;
	for (uint8_t v = 0; v < node->cluster.volume_high; v++)
		decide_prepare(node, v, present, actions);
	if (!decide_places(node, present, actions))
		decide_moves(node, present, actions);
	// These do not see what this round decided, either: two could take a node's last room.
	if (actions->count == before)
		decide_tips(node, present, actions);
	decide_check(node, actions);
}
