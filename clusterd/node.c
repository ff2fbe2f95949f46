// SPDX-License-Identifier: Apache-2.0
/*
 * One step: the event goes to the part that it is about; what became committed is applied; then
 * every part looks at the replica and at itself and does what is due. That second half is
 * level-triggered: it would do the same after any other event, so nothing is lost when things
 * cross.
 */
#include "clusterd/decide_move.h"

#include <string.h>

#include "clusterd/describe_tip.h"
#include "clusterd/invariant.h"
#include "clusterd/text.h"
#include "clusterd/tip_plan.h"
#include "clusterd/zero.h"

static size_t aligned(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

size_t node_memory(const struct node_limits *limits)
{
	return aligned(sizeof(struct node)) + aligned(cluster_memory(&limits->cluster)) +
	       aligned(view_memory(&limits->view)) +
	       aligned(limits->cluster.vms_max * sizeof(struct vm_local)) +
	       aligned(limits->requests_max * sizeof(struct pending_request)) +
	       aligned(limits->cluster.vms_max * sizeof(uint32_t)) +
	       aligned(measures_memory(limits->cluster.vms_max)) +
	       aligned(tip_plan_memory(&limits->cluster));
}

static void *carve(uint8_t **memory, size_t size)
{
	void *piece = *memory;

	*memory += aligned(size);
	return piece;
}

// Big tables stay untouched until they are used, so that a node with few VMs is small.
struct node *node_init(const struct node_limits *limits, void *memory)
{
	uint8_t *at = memory;
	struct node *node = carve(&at, sizeof(struct node));
	uint8_t *start = (uint8_t *)node;
	uint8_t *between = (uint8_t *)(&node->cluster + 1),
		*behind = (uint8_t *)(node->moves + MOVES_MAX);

	zero_fill(start, offsetof(struct node, cluster));
	zero_fill(between, (size_t)((uint8_t *)node->moves - between));
	for (uint32_t i = 0; i < MOVES_MAX; i++)
		zero_fill(&node->moves[i].id, sizeof(node->moves[i].id));
	zero_fill(behind, (size_t)(start + sizeof(*node) - behind));
	node->limits = *limits;
	cluster_init(&node->cluster, &limits->cluster,
		     carve(&at, cluster_memory(&limits->cluster)));
	node->view =
		view_init(&limits->view, carve(&at, view_memory(&limits->view)), &node->cluster);
	node->locals = carve(&at, limits->cluster.vms_max * sizeof(struct vm_local));
	node->requests = carve(&at, limits->requests_max * sizeof(struct pending_request));
	node->scratch = carve(&at, limits->cluster.vms_max * sizeof(uint32_t));
	node->measures = measures_init(limits->cluster.vms_max,
				       carve(&at, measures_memory(limits->cluster.vms_max)));
	for (uint32_t i = 0; i < limits->requests_max; i++)
		zero_fill(&node->requests[i].used, sizeof(node->requests[i].used));
	node->plan_memory = carve(&at, tip_plan_memory(&limits->cluster));
	node->deadline_ms = UINT64_MAX;
	return node;
}

const struct cluster *node_cluster(const struct node *node)
{
	return &node->cluster;
}

const struct view *node_view(const struct node *node)
{
	return node->view;
}

const struct measures *node_measures(const struct node *node)
{
	return node->measures;
}

uint64_t node_now_ms(const struct node *node)
{
	return node->now_ms;
}

void node_wake_at(struct node *node, uint64_t when_ms)
{
	if (when_ms < node->deadline_ms)
		node->deadline_ms = when_ms;
}

uint64_t node_deadline_ms(const struct node *node)
{
	uint64_t view_ms = view_deadline_ms(node->view);

	return view_ms < node->deadline_ms ? view_ms : node->deadline_ms;
}

uint8_t node_self_slot(const struct node *node)
{
	const struct cluster_node *last = &node->cluster.nodes[node->slot_hint % NODES_MAX];

	if (last->used && last->def.id == node->self)
		return node->slot_hint % NODES_MAX;
	for (uint8_t slot = 0; slot < node->cluster.node_high; slot++)
		if (node->cluster.nodes[slot].used &&
		    node->cluster.nodes[slot].def.id == node->self)
			return slot;
	return SLOT_NONE;
}

struct cluster_node *node_of_self(struct node *node)
{
	uint8_t slot = node_self_slot(node);

	return slot == SLOT_NONE ? NULL : &node->cluster.nodes[slot];
}

uint64_t node_present(const struct node *node)
{
	uint64_t present = 0;

	for (uint8_t slot = 0; slot < node->cluster.node_high; slot++) {
		const struct cluster_node *other = &node->cluster.nodes[slot];

		if (other->used && other->life == NODE_ONLINE &&
		    view_synchronised(node->view, other->def.id))
			present |= 1ull << slot;
	}
	return present;
}

void node_log(struct node *node, enum log_level level, const char *text, struct actions *actions)
{
	size_t size = strlen(text) + 1;
	struct action *action = actions_add(actions, ACTION_LOG);
	char *copy = actions_bytes(actions, size);

	(void)node;
	memcpy(copy, text, size);
	action->level = (uint8_t)level;
	action->text = copy;
}

// Decisions, and what a node says of itself, carry the view they are of; requests and other reports
// do not, and wait for the next one if need be.
bool node_propose(struct node *node, struct entry *entry, uint64_t *cookie, struct actions *actions)
{
	uint64_t own = (uint64_t)node->incarnation << 32 | ++node->next_cookie;
	bool decision = entry->type >= ENTRY_VOTERS || entry->type == ENTRY_CHECK;
	// Only a definition or a list of places is large.
	size_t size = 8192 + entry->body_size + entry->places_size;
	uint8_t *bytes;

	if (!actions_room(actions, 8, 2 * size)) {
		node->quiet = false;
		return false;
	}
	bytes = actions_bytes(actions, size);
	entry->from = node->self;
	entry->at_ms = node->wall_ms;
	entry->view = decision || entry->type == ENTRY_NODE_REPORT ||
				      entry->type == ENTRY_NODE_CONFIRM_DEAD
			      ? view_number(node->view)
			      : 0;
	size = entry_encode(entry, bytes, size);
	INVARIANT(size > 0);
	if (!view_propose(node->view, own, bytes, size, node->now_ms, actions)) {
		node->quiet = false;
		return false;
	}
	if (cookie)
		*cookie = own;
	if (decision) {
		node->decide_view = entry->view;
		node->decide_out++;
	}
	return true;
}

// An entry that this node had proposed: whoever asked for it is answered.
static void node_own_applied(struct node *node, uint64_t cookie, const struct entry *entry,
			     const struct entry_result *result, struct actions *actions)
{
	bool decision = entry->type >= ENTRY_VOTERS || entry->type == ENTRY_CHECK;

	if (cookie >> 32 != node->incarnation)
		return;
	if (decision && entry->view == node->decide_view && node->decide_out > 0)
		node->decide_out--;
	request_committed(node, cookie, result, actions);
	if (result->accepted)
		script_applied(node, entry, actions);
}

static void node_apply(struct node *node, const struct record *record, struct actions *actions)
{
	char line[REASON_SIZE + 2 * NAME_SIZE];
	bool news = record->index > node->loaded_index;
	struct saved_file saved;
	enum log_level level;
	struct entry entry;
	struct entry_result result;

	// What a majority committed was decoded by its coordinator; if it is not an entry, memory
	// has lied.
	INVARIANT(entry_decode(&entry, record->body, record->body_size));
	line[0] = 0;
	if (news)
		entry_describe(&node->cluster, &entry, line, sizeof(line));
	level = entry_log_level(&entry);
	saved = saved_file_of(node, &entry);
	cluster_apply(&node->cluster, record->index, &entry, &result);
	// The answer before the log's line: somebody waits for it.
	if (record->origin == node->self)
		node_own_applied(node, record->cookie, &entry, &result, actions);
	if (!news || !result.accepted)
		return;
	if (line[0])
		node_log(node, level, line, actions);
	if (entry.type == ENTRY_NODE_GOODBYE)
		peer_left(node, entry.node_id, record->view);
	local_committed(node, &entry, actions);
	saved_file_dropped(node, &saved, actions);
}

static void node_drain(struct node *node, struct actions *actions)
{
	const struct record *record;

	if (view_take_reloaded(node->view)) {
		local_reloaded(node);
		node->facts_stamp = 0;
		node->quiet = false;
	}
	while ((record = view_next_committed(node->view)) != NULL)
		node_apply(node, record, actions);
}

static void say_view(struct node *node, const char *what, struct actions *actions)
{
	char reason[REASON_SIZE], line[REASON_SIZE + NAME_SIZE];
	struct text text = text_in(line, sizeof(line));

	view_reason(node->view, reason, sizeof(reason));
	text_add(text_add(&text, what), reason);
	node_log(node, LOG_LEVEL_WARNING, line, actions);
}

static void node_watch_view(struct node *node, struct actions *actions)
{
	enum { SAY_MS = 3000 };		// a change of members is over long before
	uint64_t since_ms;

	if (view_normal(node->view)) {
		if (node->view_lost_ms != 0 || !node->view_seen)
			node->view_normal_ms = node->now_ms;
		node->view_lost_ms = 0;
		node->view_seen = true;
		node->view_said = false;
		node->no_quorum_acts = false;
		return;
	}
	if (node->view_lost_ms == 0)
		node->view_lost_ms = node->now_ms;
	if (!node->view_said && node->now_ms - node->view_lost_ms >= SAY_MS) {
		node->view_said = true;
		say_view(node, "waiting: ", actions);
	} else if (!node->view_said) {
		node_wake_at(node, node->view_lost_ms + SAY_MS);
	}
	/*
	 * A store that failed is no loss of quorum: the others see this host in the ring and leave
	 * its VMs alone, as with a clusterd that is dead. Ended here, nobody could hear of it and
	 * start them elsewhere.
	 */
	if (view_state(node->view) == VIEW_CLOSED && view_quorate(node->view)) {
		node->store_lost_ms = node->now_ms;
		return;
	}
	if (node->no_quorum_acts || !node->adopted)
		return;
	since_ms =
		node->store_lost_ms > node->view_lost_ms ? node->store_lost_ms : node->view_lost_ms;
	// The lease guards meanwhile: a rebooting switch costs no VM.
	if (node->now_ms - since_ms < node->cluster.def.no_quorum_hold_s * 1000ull) {
		node_wake_at(node, since_ms + node->cluster.def.no_quorum_hold_s * 1000ull);
		return;
	}
	node->no_quorum_acts = true;
	say_view(node, "no quorum for as long as the policy holds still: ", actions);
}

static void node_event(struct node *node, const struct event *event, struct actions *actions)
{
	if (event->type == EVENT_MEASURED || event->type == EVENT_MEASURES_HEARD) {
		measured_event(node, event, actions);
		return;
	}
	if (event->type == EVENT_STORE_OPENED) {
		node->incarnation = (uint32_t)event->incarnation;
		node->loaded_index = event->index;
	}
	view_step(node->view, event, actions);
	node->self = view_self(node->view);
	node_drain(node, actions);
	host_event(node, event, actions);
	local_event(node, event, actions);
	request_event(node, event, actions);
	peer_event(node, event, actions);
	script_event(node, event, actions);
}

static struct node_sight node_look(const struct node *node)
{
	uint64_t index = node->cluster.index, turns = view_turns(node->view);
	bool same = index == node->sight.index && turns == node->sight.turns;

	return (struct node_sight){
		.index = index,
		.turns = turns,
		.view = view_number(node->view),
		.present = same ? node->sight.present : node_present(node),
		.state = (uint8_t)view_state(node->view),
		.normal = view_normal(node->view),
		.frozen = view_frozen(node->view),
	};
}

static bool sight_same(const struct node_sight *a, const struct node_sight *b)
{
	return a->index == b->index && a->view == b->view && a->present == b->present &&
	       a->state == b->state && a->normal == b->normal && a->frozen == b->frozen;
}

static bool is_log_only(const struct event *event)
{
	return event->type == EVENT_MESSAGE || event->type == EVENT_STORE_SYNCED ||
	       event->type == EVENT_MEASURED || event->type == EVENT_MEASURES_HEARD ||
	       event->type == EVENT_STORE_ENTRY || event->type == EVENT_SYNCED_HEARD;
}

/*
 * Most events only carry the log on: most of many members' messages, and the store's syncs; or are
 * measurements, which whoever decides by them looks at in his own time. After
 * one that changed nothing that the parts depend on, before any of their deadlines, and when they
 * had nothing to do the last time, they would find again what they found then: with 10,000 VMs that
 * is worth not looking.
 */
static bool node_unchanged(const struct node *node, const struct event *event,
			   const struct node_sight *sight, uint64_t deadline_ms)
{
	return node->quiet && is_log_only(event) && node->now_ms < deadline_ms &&
	       sight_same(sight, &node->sight);
}

static struct node_decided decided_at(const struct node *node)
{
	return (struct node_decided){
		.index = node->cluster.index,
		.turns = view_turns(node->view),
		.wall_ms = node->wall_ms - node->now_ms,
		.frozen = view_frozen(node->view),
		.adopted = node->adopted,
		.no_quorum_acts = node->no_quorum_acts,
	};
}

/*
 * The same for decisions alone, which follow from the replica, the view and the time: while the
 * others are busy with this host, the coordinator does not look at the whole cluster each time.
 */
static void node_decide(struct node *node, const struct event *event, struct actions *actions)
{
	struct node_decided *last = &node->decided, now = decided_at(node);
	uint64_t others_ms = node->deadline_ms;
	uint32_t before = actions->count;
	bool quiet = node->quiet;

	if (last->idle && is_log_only(event) && node->now_ms < last->deadline_ms &&
	    last->index == now.index && last->turns == now.turns && last->wall_ms == now.wall_ms &&
	    last->frozen == now.frozen && last->adopted == now.adopted &&
	    last->no_quorum_acts == now.no_quorum_acts) {
		node_wake_at(node, last->deadline_ms);
		return;
	}
	node->deadline_ms = UINT64_MAX;
	node->quiet = true;
	decide_step(node, actions);
	now.idle = node->quiet && actions->count == before;
	now.deadline_ms = node->deadline_ms;
	node->decided = now;
	node->quiet = node->quiet && quiet;
	node_wake_at(node, others_ms);
}

static void node_parts(struct node *node, const struct event *event, struct actions *actions)
{
	uint32_t before = actions->count;

	node->quiet = true;
	local_step(node, actions);
	host_step(node, actions);
	request_step(node, actions);
	peer_step(node, actions);
	script_step(node, actions);
	node_decide(node, event, actions);
	node->quiet = node->quiet && actions->count == before;
}

void node_step(struct node *node, const struct event *event, struct actions *actions)
{
	uint64_t deadline_ms = node->deadline_ms;
	struct node_sight sight;
	bool unchanged;

	INVARIANT(event->type > 0 && event->type < EVENT_TYPE_COUNT);
	node->now_ms = event->now_ms;
	node->wall_ms = event->wall_ms;
	node->ahead_min = event->ahead_min;
	node->deadline_ms = UINT64_MAX;
	node_event(node, event, actions);
	sight = node_look(node);
	unchanged = node_unchanged(node, event, &sight, deadline_ms);
	node->sight = sight;
	node->slot_hint = node_self_slot(node);
	node_watch_view(node, actions);
	if (unchanged)
		node_wake_at(node, deadline_ms);
	else
		node_parts(node, event, actions);
	// A proposal of the only voter may be committed before its action is even performed.
	node_drain(node, actions);
	view_flush(node->view, actions);
}
