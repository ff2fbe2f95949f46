// SPDX-License-Identifier: Apache-2.0
// A view's life: which event means what in which state, and what others may ask about it.
#include <string.h>

#include "quorum/view_internal.h"

/*
 *   CLOSED --opened--> ALONE --group--> GATHERING --majority of intact stores--> COPYING
 *      |                  ^                 |  ^                                 |
 *      |                  |            none v  | group                  the copy | is here
 *      |                  |              WAITING -----(recover)---> COPYING      v
 *      |                  |                                                   SYNCING
 *      |                  |                              majority of COPIED      |
 *      |                  +---- group lost, from everywhere                      v
 *      +---opened in a group--> GATHERING                                     OPENING
 *                                                       ENTRY_VIEW committed     |
 *   every state but CLOSED -> GATHERING  a new group                             v
 *   every state -> CLOSED                store failed, or reset               NORMAL
 *   COPYING -> WAITING                   the copy cannot be taken
 */
#define TO(state) (1u << (state))
static const uint16_t view_moves[VIEW_STATE_COUNT] = {
	[VIEW_CLOSED] = TO(VIEW_ALONE) | TO(VIEW_GATHERING),
	[VIEW_ALONE] = TO(VIEW_CLOSED) | TO(VIEW_GATHERING),
	[VIEW_GATHERING] = TO(VIEW_CLOSED) | TO(VIEW_ALONE) | TO(VIEW_GATHERING) |
			   TO(VIEW_WAITING) | TO(VIEW_COPYING),
	[VIEW_WAITING] = TO(VIEW_CLOSED) | TO(VIEW_ALONE) | TO(VIEW_GATHERING) | TO(VIEW_COPYING),
	[VIEW_COPYING] = TO(VIEW_CLOSED) | TO(VIEW_ALONE) | TO(VIEW_GATHERING) | TO(VIEW_WAITING) |
			 TO(VIEW_SYNCING),
	[VIEW_SYNCING] = TO(VIEW_CLOSED) | TO(VIEW_ALONE) | TO(VIEW_GATHERING) | TO(VIEW_OPENING),
	[VIEW_OPENING] = TO(VIEW_CLOSED) | TO(VIEW_ALONE) | TO(VIEW_GATHERING) | TO(VIEW_NORMAL),
	[VIEW_NORMAL] = TO(VIEW_CLOSED) | TO(VIEW_ALONE) | TO(VIEW_GATHERING),
};

void view_move(struct view *view, enum view_state to)
{
	INVARIANT(view_moves[view->state] & TO(to));
	view->state = (uint8_t)to;
	view->turns++;
}

static size_t copy_size_max(const struct view_limits *limits)
{
	size_t size = COPY_HEAD + limits->copy_bytes + limits->log_bytes +
		      (size_t)limits->records_max * COPY_RECORD_HEAD;

	return (size + 7) & ~(size_t)7;
}

size_t view_memory(const struct view_limits *limits)
{
	return ((sizeof(struct view) + 7) & ~(size_t)7) +
	       ring_memory(limits->records_max, limits->log_bytes) +
	       ring_memory(limits->proposals_max, limits->proposal_bytes) + copy_size_max(limits);
}

struct view *view_init(const struct view_limits *limits, void *memory, struct cluster *cluster)
{
	struct view *view = memory;
	uint8_t *at = (uint8_t *)memory + ((sizeof(*view) + 7) & ~(size_t)7);

	// Members are zeroed as they come.
	memset(view, 0, offsetof(struct view, members));
	memset(view->member_ids, 0, sizeof(*view) - offsetof(struct view, member_ids));
	view->limits = *limits;
	view->cluster = cluster;
	view->state = VIEW_CLOSED;
	view->loading = true;
	at = ring_init(&view->log, limits->records_max, limits->log_bytes, at);
	at = ring_init(&view->proposals, limits->proposals_max, limits->proposal_bytes, at);
	view->copy = at;
	view->copy_max = copy_size_max(limits);
	return view;
}

void view_log(struct view *view, struct actions *actions, enum log_level level, const char *text)
{
	size_t size = strlen(text) + 1;
	struct action *action;
	char *copy;

	(void)view;
	if (!actions_room(actions, 1, size))
		return;
	copy = actions_bytes(actions, size);
	memcpy(copy, text, size);
	action = actions_add(actions, ACTION_LOG);
	action->level = (uint8_t)level;
	action->text = copy;
}

uint64_t voters_store(const struct voters *voters, uint32_t id)
{
	uint32_t low = 0, high = voters->count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (voters->list[middle].id == id)
			return voters->list[middle].store;
		if (voters->list[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

struct member *view_find(const struct view *view, uint32_t id)
{
	for (uint32_t i = 0; i < view->member_count; i++)
		if (view->member_ids[i] == id)
			return (struct member *)&view->members[i];
	return NULL;
}

// Whatever the group does meanwhile, this node hears of a new one when it is back in.
void view_rejoin(struct view *view, struct actions *actions)
{
	actions_add(actions, ACTION_GROUP_REJOIN);
	view->turns++;
	view->grouped = false;
	view->number = 0;
	view->member_count = 0;
	recover_reply(view, actions, false, "group-changed",
		      "the group of nodes changed meanwhile; try again");
	if (view->state != VIEW_CLOSED && view->state != VIEW_ALONE)
		view_move(view, VIEW_ALONE);
}

void view_replica_empty(struct view *view)
{
	bool decoded = cluster_decode(view->cluster, NULL, 0);

	INVARIANT(!decoded);
	log_start(view, 0, 0);
	view->reloaded = true;
}

// Forgets the store's content; what the store opens with next has a new id, and counts in no
// majority.
void view_reset(struct view *view, struct actions *actions, const char *why)
{
	view_log(view, actions, LOG_LEVEL_ERROR, why);
	actions_add(actions, ACTION_STORE_RESET);
	view->open = false;
	view->resetting = true;
	view->has_copy = false;
	view->history = 0;
	view->dirty = false;
	view->sync_busy = false;
	view->snapshot_pending = false;
	view->promise_wanted = 0;
	view->number = 0;
	view->store = 0;
	view_replica_empty(view);
	view->put_commit = 0;
	proposals_forget(view);
	view_move(view, VIEW_CLOSED);
}

static void store_gone(struct view *view, const struct event *event, struct actions *actions)
{
	char buf[REASON_SIZE];
	struct text text = text_in(buf, sizeof(buf));

	if (view->broken)
		return;
	text_add(text_add(&text, "the store failed, this node takes no part any more: "),
		 event->reason ? event->reason : "no reason given");
	view_log(view, actions, LOG_LEVEL_ERROR, buf);
	view->broken = true;
	view->open = false;
	view->sync_busy = false;
	if (view->state != VIEW_CLOSED)
		view_move(view, VIEW_CLOSED);
	// The others may wait for what this node owes them: it comes back as one that says that it
	// is broken.
	if (view->grouped)
		view_rejoin(view, actions);
}

static void nodelist_set(struct view *view, const struct event *event, struct actions *actions)
{
	uint64_t hash = hash_start();
	uint32_t count = 0;

	if (event->node_id != 0)
		view->self = event->node_id;
	if (event->member_count > NODES_MAX)
		return;
	for (uint32_t i = 0; i < event->member_count; i++) {
		uint32_t id = event->members[i].id, at = count;

		while (at > 0 && view->nodelist[at - 1] > id)
			at--;
		if (id == 0 || (at > 0 && view->nodelist[at - 1] == id))
			continue;
		memmove(&view->nodelist[at + 1], &view->nodelist[at],
			(count - at) * sizeof(uint32_t));
		view->nodelist[at] = id;
		count++;
	}
	view->nodelist_count = count;
	for (uint32_t i = 0; i < count; i++) {
		uint8_t bytes[4] = { (uint8_t)view->nodelist[i], (uint8_t)(view->nodelist[i] >> 8),
				     (uint8_t)(view->nodelist[i] >> 16),
				     (uint8_t)(view->nodelist[i] >> 24) };

		hash = hash_bytes(hash, bytes, sizeof(bytes));
	}
	hash = count > 0 ? hash | 1 : 0;
	// Only a first start looks at the list; what was said of it cannot be changed but in a new
	// group.
	if (hash != view->nodelist_hash && view->stated && !view->has_copy && view->grouped &&
	    (view->state == VIEW_GATHERING || view->state == VIEW_WAITING))
		view_rejoin(view, actions);
	view->nodelist_hash = hash;
}

static void ring_set(struct view *view, const struct event *event)
{
	if (event->node_id != 0)
		view->self = event->node_id;
	view->quorate = event->flag;
	view->ring_count = event->member_count < NODES_MAX ? event->member_count : NODES_MAX;
	for (uint32_t i = 0; i < view->ring_count; i++)
		view->ring_ids[i] = event->members[i].id;
}

static void message_event(struct view *view, const struct event *event, struct actions *actions)
{
	struct member *from = view->grouped ? view_find(view, event->from_id) : NULL;
	struct store_facts facts;
	struct message m;

	if (!from || from->pid != event->from_pid ||
	    !message_decode(&m, &facts, event->body, event->body_size)) {
		view->dropped++;
		return;
	}
	// Those of a view that goes on leave the members as they are.
	view->turns +=
		m.type != MESSAGE_ENTRY && m.type != MESSAGE_SYNCED && m.type != MESSAGE_PROPOSE;
	if (m.type == MESSAGE_STATE) {
		if (m.tag == view->tag)
			gather_state(view, from, &m, &facts, actions);
		return;
	}
	if (!view->open)
		return;
	switch ((enum message_type)m.type) {
	case MESSAGE_STATE:
		break;
	case MESSAGE_WITHOUT:
		if (m.tag == view->tag)
			gather_without(view, from, actions);
		break;
	case MESSAGE_COPY:
		if (m.tag == view->epoch)
			copy_chunk(view, from, &m, actions);
		break;
	case MESSAGE_COPIED:
		if (m.tag == view->epoch)
			gather_copied(view, from, &m, actions);
		break;
	case MESSAGE_RECOVER:
		if (m.tag == view->epoch)
			gather_recover(view, &m, from, actions);
		break;
	case MESSAGE_ENTRY:
		if (m.view == view->number && from->id == view->coordinator)
			agree_entry(view, &m, actions);
		break;
	case MESSAGE_SYNCED:
		if (m.view == view->number && view->state == VIEW_COPYING)
			view_rejoin(view, actions);
		else if (m.view == view->number)
			agree_synced(view, from, &m, actions);
		break;
	case MESSAGE_PROPOSE:
		if (m.view == view->number && view->coordinator == view->self)
			agree_propose(view, from, &m, actions);
		break;
	case MESSAGE_REFUSED:
		if (m.view == view->number && from->id == view->coordinator)
			agree_refused(view, &m);
		break;
	case MESSAGE_DIGEST:
		if (m.view == view->number)
			agree_digest(view, from, &m, actions);
		break;
	case MESSAGE_TYPE_COUNT:
		INVARIANT(false);
	}
}

static void group_lost(struct view *view, struct actions *actions)
{
	view->grouped = false;
	view->number = 0;
	view->member_count = 0;
	recover_reply(view, actions, false, "group-changed",
		      "the group of nodes was lost meanwhile; try again");
	if (view->state != VIEW_CLOSED && view->state != VIEW_ALONE)
		view_move(view, VIEW_ALONE);
}

static bool patience_wanted(const struct view *view)
{
	return view->state == VIEW_SYNCING || view->state == VIEW_OPENING ||
	       (view->state == VIEW_NORMAL && view->proposals.count > 0 &&
		view->coordinator != view->self);
}

static uint64_t patience_end_ms(const struct view *view)
{
	return view->patience_ms + ((uint64_t)VIEW_PATIENCE_MS << view->patience_doubled);
}

/*
 * A coordinator whose daemon hangs while its host lives is in the group for ever, and gives no
 * index any more. Whoever waits for it in vain leaves the group and comes back: that makes a new
 * gathering, which goes on without it.
 */
static void patience_tick(struct view *view, struct actions *actions)
{
	bool moved = view->patience_state != view->state || view->patience_commit != view->commit;

	if (moved && view->patience_commit != view->commit)
		view->patience_doubled = 0;
	if (moved || !patience_wanted(view)) {
		view->patience_ms = view->now_ms;
		view->patience_state = view->state;
		view->patience_commit = view->commit;
		return;
	}
	if (view->now_ms < patience_end_ms(view))
		return;
	if (view->patience_doubled < VIEW_PATIENCE_DOUBLED_MAX)
		view->patience_doubled++;
	view_log(view, actions, LOG_LEVEL_WARNING,
		 "the view's coordinator does not answer: leaving the group and joining it again");
	view_rejoin(view, actions);
}

void view_step(struct view *view, const struct event *event, struct actions *actions)
{
	view->now_ms = event->now_ms;
	view->wall_ms = event->wall_ms;
	view->turns += event->type != EVENT_MESSAGE && event->type != EVENT_STORE_SYNCED &&
		       event->type != EVENT_TICK && event->type != EVENT_SYNCED_HEARD;
	log_settle(view);
	switch (event->type) {
	case EVENT_STORE_SNAPSHOT:
	case EVENT_STORE_ENTRY:
	case EVENT_STORE_OPENED:
	case EVENT_STORE_SYNCED:
		store_event(view, event, actions);
		break;
	case EVENT_STORE_FAILED:
		store_gone(view, event, actions);
		break;
	case EVENT_NODELIST:
		nodelist_set(view, event, actions);
		break;
	case EVENT_GROUP:
		gather_group(view, event, actions);
		break;
	case EVENT_GROUP_LOST:
		group_lost(view, actions);
		break;
	case EVENT_RING:
		ring_set(view, event);
		break;
	case EVENT_MESSAGE:
		message_event(view, event, actions);
		break;
	case EVENT_SYNCED_HEARD:
		agree_told(view, event);
		break;
	case EVENT_RECOVER:
		recover_asked(view, event, actions);
		break;
	}
	gather_tick(view, actions);
	patience_tick(view, actions);
	copy_flush(view, actions);
	store_flush(view, actions);
	agree_flush(view, actions);
}

const struct record *view_next_committed(struct view *view)
{
	const struct ring_slot *slot;

	log_settle(view);
	if (view->broken || view->loading || view->handed >= view->commit)
		return NULL;
	slot = log_slot(view, ++view->handed);
	view->out.index = view->handed;
	view->out.view = slot->view;
	view->out.origin = slot->origin;
	view->out.cookie = slot->cookie;
	view->out.body = ring_body(&view->log, slot);
	view->out.body_size = slot->size;
	proposals_committed(view, slot->origin, slot->cookie);
	return &view->out;
}

void view_flush(struct view *view, struct actions *actions)
{
	log_settle(view);
	if (view->put_index < log_last(view))
		store_flush(view, actions);
}

bool view_take_reloaded(struct view *view)
{
	bool reloaded = view->reloaded;

	view->reloaded = false;
	return reloaded;
}

enum view_state view_state(const struct view *view)
{
	return (enum view_state)view->state;
}

bool view_normal(const struct view *view)
{
	return view->state == VIEW_NORMAL && view->quorate;
}

uint64_t view_number(const struct view *view)
{
	return view->number;
}

uint64_t view_turns(const struct view *view)
{
	return view->turns;
}

uint32_t view_self(const struct view *view)
{
	return view->self;
}

bool view_coordinator(const struct view *view)
{
	return view->state == VIEW_NORMAL && view->coordinator == view->self;
}

uint32_t view_coordinator_id(const struct view *view)
{
	return view->state == VIEW_NORMAL ? view->coordinator : 0;
}

bool view_member(const struct view *view, uint32_t id)
{
	return view_find(view, id) != NULL;
}

bool view_synchronised(const struct view *view, uint32_t id)
{
	const struct member *member = view_find(view, id);

	return view->number != 0 && member && member->copied;
}

bool view_in_ring(const struct view *view, uint32_t id)
{
	for (uint32_t i = 0; i < view->ring_count; i++) {
		if (view->ring_ids[i] == id)
			return true;
	}
	return false;
}

bool view_quorate(const struct view *view)
{
	return view->quorate;
}

bool view_frozen(const struct view *view)
{
	return view->frozen;
}

bool view_learner(const struct view *view)
{
	return view->store == 0 || voters_store(&view->voters, view->self) != view->store;
}

uint64_t view_store_id(const struct view *view)
{
	return view->store;
}

uint64_t view_committed(const struct view *view)
{
	return view->commit;
}

uint64_t view_last_index(const struct view *view)
{
	return log_last(view);
}

uint64_t view_member_store(const struct view *view, uint32_t id)
{
	const struct member *member = view_find(view, id);

	return member && member->stated ? member->facts.store : 0;
}

size_t view_reason(const struct view *view, char *buf, size_t size)
{
	struct text text = text_in(buf, size);

	switch ((enum view_state)view->state) {
	case VIEW_CLOSED:
		text_add(&text, view->broken	  ? "this node's store failed"
				: view->resetting ? "this node's store is being made anew"
						  : "the store is not open yet");
		break;
	case VIEW_ALONE:
		text_add(&text, "corosync is not there, or has not yet told who is in the group");
		break;
	case VIEW_GATHERING:
	case VIEW_WAITING:
	case VIEW_COPYING:
	case VIEW_SYNCING:
	case VIEW_OPENING:
		return gather_reason(view, buf, size);
	case VIEW_NORMAL:
		if (!view->quorate)
			text_add(&text, "votequorum says that this partition is not quorate");
		else if (view->frozen)
			text_add(&text, "the replicas differ and no majority of them agrees: "
					"changes are refused");
		break;
	case VIEW_STATE_COUNT:
		INVARIANT(false);
	}
	return text.length;
}

uint64_t view_deadline_ms(const struct view *view)
{
	uint64_t deadline = UINT64_MAX;

	if (store_pending(view))
		return view->now_ms;
	if (view->state == VIEW_GATHERING && view->grouped)
		deadline = view->resend_ms;
	if (patience_wanted(view))
		deadline = patience_end_ms(view);
	if (view->state == VIEW_COPYING && view->source != view->self)
		deadline = view->copy_ms + VIEW_COPY_MS;
	// Past it, what holds the proposals is a message under way, and that comes as an event.
	if (view->state == VIEW_NORMAL && view->held && view->hold_ms > view->now_ms)
		deadline = view->hold_ms;
	if (view->report_ms != 0 && view->number != 0 && view->report_ms < deadline)
		deadline = view->report_ms;
	if (view->open && view->dirty && !view->sync_busy && view->sync_ms < deadline)
		deadline = view->sync_ms;
	if (view->digest_index != 0 && view->number != 0)
		deadline = view->now_ms;
	if (view->state == VIEW_COPYING && view->source == view->self && !view->copy_built)
		deadline = view->now_ms;
	return deadline;
}

uint64_t view_dropped(const struct view *view)
{
	return view->dropped;
}
