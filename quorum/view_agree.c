// SPDX-License-Identifier: Apache-2.0
// Entries in an open view: who gives them their index, when they are committed, whether replicas
// agree.
//
// The coordinator alone gives indexes, and CPG keeps one sender's messages in order. That, with the
// check that a record comes right after the last one, makes all logs of one view prefixes of each
// other. CPG's order alone would not: extended virtual synchrony may deliver, in a transitional
// configuration, messages that follow one which was lost with its sender's partition, and members
// of two partitions would number them differently.
//
// An entry counts as committed when a majority of voters reported it synced in this view and it is
// of this view. Older entries are committed only below one of this view: a majority may hold an old
// entry, and yet a copy with a later view that lacks it may still win the next gathering; it cannot
// once that majority holds this view's.
#include <string.h>

#include "quorum/view_internal.h"

// ---- proposals of this node ----

static struct ring_slot *proposal_find(const struct view *view, uint64_t cookie)
{
	for (uint32_t i = 0; i < view->proposals.count; i++) {
		struct ring_slot *slot = ring_at(&view->proposals, i);

		if (slot->cookie == cookie && !slot->done)
			return slot;
	}
	return NULL;
}

// An empty ring begins at its start again: no more of its memory is ever written than was needed at
// once.
static void proposals_drop_done(struct view *view)
{
	while (view->proposals.count > 0 && ring_at(&view->proposals, 0)->done)
		ring_pop(&view->proposals);
	if (view->proposals.count == 0)
		ring_clear(&view->proposals);
}

static void proposal_done(struct view *view, struct ring_slot *slot)
{
	slot->done = true;
	proposals_drop_done(view);
}

void proposals_seen(struct view *view, const struct record *record)
{
	struct ring_slot *slot;

	if (record->origin != view->self || record->cookie == 0)
		return;
	slot = proposal_find(view, record->cookie);
	if (slot)
		slot->seen = record->index;
}

void proposals_truncated(struct view *view, uint64_t index)
{
	for (uint32_t i = 0; i < view->proposals.count; i++) {
		struct ring_slot *slot = ring_at(&view->proposals, i);

		if (slot->seen > index)
			slot->seen = 0;
	}
}

void proposals_committed(struct view *view, uint32_t origin, uint64_t cookie)
{
	struct ring_slot *slot;

	if (origin != view->self || cookie == 0)
		return;
	slot = proposal_find(view, cookie);
	if (slot)
		proposal_done(view, slot);
}

// A snapshot replaced the log: whether they are in it cannot be seen any more, and none may be done
// twice.
void proposals_forget(struct view *view)
{
	ring_clear(&view->proposals);
	view->held = false;
}

/*
 * The copy that this view began with holds every record of older views that can still be committed,
 * and its PROPOSE messages are ignored from now on. What the log does not hold was lost, so it is
 * sent again, once.
 */
static void proposals_again(struct view *view)
{
	for (uint32_t i = 0; i < view->proposals.count; i++) {
		struct ring_slot *slot = ring_at(&view->proposals, i);

		slot->sent = slot->seen != 0;
	}
	view->held = false;
	view->unsent = true;
}

// ---- the coordinator ----

/*
 * A normal view's coordinator puts its records into its log, and so on their way to its disk, when
 * it sends them: it has to wait for the others' syncs anyway, and meanwhile does its own. Nobody
 * else gives (view, index) another meaning: a majority holds this view's first entry from this
 * coordinator. While the view opens that is not so, see agree_open(), and what was sent counts only
 * once it is delivered. What is never delivered to others is a tail like any other: without their
 * syncs it is not committed, and the next view keeps or replaces it. For that to have room at
 * everybody, a long tail waits for its delivery, as does a change of voters.
 */
static bool append_early(const struct view *view, size_t size)
{
	return view->state == VIEW_NORMAL && view->sent_index == log_last(view) + 1 &&
	       view->scratch.type != ENTRY_VOTERS &&
	       view->sent_index - view->commit <= view->log.slots_max / 16 &&
	       log_bytes_after(view, view->commit) + size <= view->log.bytes_max / 8;
}

static void append_sent(struct view *view, const struct record *record)
{
	struct record own = *record;
	bool appended;

	if (!append_early(view, record->body_size))
		return;
	own.index = view->sent_index;
	own.view = view->number;
	appended = log_append(view, &own);
	INVARIANT(appended);
}

// Entries leave some room, so that the next views' own first entries still fit behind them.
static bool sequence(struct view *view, const struct record *record, bool spare,
		     struct actions *actions)
{
	uint32_t ahead = (uint32_t)(view->sent_index - log_last(view));
	size_t head = ahead > 0 ? view->sent_head : view->log.head, further;
	struct message m = {
		.type = MESSAGE_ENTRY,
		.view = view->number,
		.index = view->sent_index + 1,
		.origin = record->origin,
		.cookie = record->cookie,
		.body = record->body,
		.body_size = record->body_size,
	};

	// With an empty log nothing guards the places that are reserved.
	if (!actions_room(actions, 8, m.body_size + 4096) || (ahead > 0 && view->log.count == 0) ||
	    !log_room(view, ahead, &head, m.body_size))
		return false;
	further = head;
	if (spare && !log_room(view, ahead + 1 + view->log.slots_max / 8, &further,
			       view->log.bytes_max / 16))
		return false;
	// Making room may have dropped what the first reservation was measured against, never what
	// it relies on.
	message_send(actions, &m, NULL);
	view->sent_index++;
	view->sent_head = head;
	append_sent(view, record);
	return true;
}

static void view_entry_send(struct view *view, struct actions *actions)
{
	struct entry *entry = &view->scratch;
	struct record record = { .origin = view->self };
	uint8_t buf[4096];

	memset(entry, 0, sizeof(*entry));
	entry->type = ENTRY_VIEW;
	entry->view = view->number;
	entry->from = view->self;
	entry->at_ms = view->wall_ms;
	for (uint32_t i = 0; i < view->member_count; i++) {
		const struct member *member = &view->members[i];

		if (!member->takes_part)
			continue;
		entry->voters.list[entry->voters.count].id = member->id;
		entry->voters.list[entry->voters.count++].store = member->facts.store;
	}
	record.body = buf;
	record.body_size = (uint32_t)entry_encode(entry, buf, sizeof(buf));
	INVARIANT(record.body_size > 0);
	sequence(view, &record, false, actions);
}

/*
 * A hole in a transitional configuration may hide one COPIED from one partition, which then finds
 * another lowest voter. No record comes of it: a message sent in there is delivered in the next
 * configuration, where every number of before is over, and the members that heard that COPIED
 * promised the number, so the next is higher.
 */
void agree_open(struct view *view, struct actions *actions)
{
	view->coordinator = 0;
	for (uint32_t i = 0; i < view->form.count && view->coordinator == 0; i++) {
		const struct member *member = view_find(view, view->form.list[i].id);

		if (member && member->copied && member->takes_part &&
		    member->facts.store == view->form.list[i].store)
			view->coordinator = member->id;
	}
	INVARIANT(view->coordinator != 0);
	view->opening_index = log_last(view) + 1;
	view->sent_index = log_last(view);
	view->sent_head = view->log.head;
	view->voters_sent = false;
	view_move(view, VIEW_OPENING);
	if (view->coordinator == view->self)
		view_entry_send(view, actions);
}

// Ids that are in one list alone, or with another store.
static uint32_t voters_differences(const struct voters *a, const struct voters *b)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < a->count; i++) {
		if (voters_store(b, a->list[i].id) != a->list[i].store)
			count++;
	}
	for (uint32_t i = 0; i < b->count; i++) {
		if (voters_store(a, b->list[i].id) == 0)
			count++;
	}
	return count;
}

static bool voters_ascend(const struct voters *voters)
{
	if (voters->count == 0 || voters->count > NODES_MAX)
		return false;
	for (uint32_t i = 0; i < voters->count; i++) {
		if (voters->list[i].store == 0 ||
		    voters->list[i].id <= (i > 0 ? voters->list[i - 1].id : 0))
			return false;
	}
	return true;
}

static bool passes_frozen(uint8_t type)
{
	return type == ENTRY_VIEW || type == ENTRY_CHECK || type == ENTRY_VOTERS;
}

// May this be given an index now? What may not is dropped; whoever proposed it looks again and
// proposes anew.
static bool admit(struct view *view, const uint8_t *body, size_t size)
{
	const struct entry *entry = &view->scratch;

	if (size > view->log.bytes_max / 2 || !entry_decode(&view->scratch, body, size) ||
	    entry->type == ENTRY_VIEW)
		return false;
	if (view->frozen && !passes_frozen(entry->type))
		return false;
	if (entry->type != ENTRY_VOTERS)
		return true;
	return entry->view == view->number && view->change_index <= view->commit &&
	       !view->voters_sent && voters_ascend(&entry->voters) &&
	       voters_differences(&view->voters, &entry->voters) == 1;
}

static bool admit_and_send(struct view *view, const struct record *record, struct actions *actions)
{
	bool voters = view->scratch.type == ENTRY_VOTERS;

	if (!sequence(view, record, true, actions))
		return false;
	if (voters)
		view->voters_sent = true;
	return true;
}

void agree_propose(struct view *view, struct member *from, const struct message *message,
		   struct actions *actions)
{
	struct record record = {
		.origin = from->id,
		.cookie = message->cookie,
		.body = message->body,
		.body_size = (uint32_t)message->body_size,
	};
	struct message no = {
		.type = MESSAGE_REFUSED,
		.view = view->number,
		.origin = from->id,
		.cookie = message->cookie,
	};

	if (view->state != VIEW_OPENING && view->state != VIEW_NORMAL)
		return;
	if (!admit(view, message->body, message->body_size)) {
		message_send(actions, &no, NULL);
		return;
	}
	// One sender's proposals keep their order: behind one that found no room none is taken.
	if ((!from->refusing || message->flag) && admit_and_send(view, &record, actions)) {
		from->refusing = false;
		return;
	}
	from->refusing = true;
	no.flag = true;
	message_send(actions, &no, NULL);
}

// ---- every member ----

bool open_view(const struct view *view)
{
	return view->number != 0 && (view->state == VIEW_OPENING || view->state == VIEW_NORMAL);
}

void agree_entry(struct view *view, const struct message *message, struct actions *actions)
{
	struct record record = {
		.index = message->index,
		.view = message->view,
		.origin = message->origin,
		.cookie = message->cookie,
		.body = message->body,
		.body_size = (uint32_t)message->body_size,
	};

	if (!open_view(view) || message->index != log_last(view) + 1 || view->behind != 0)
		return;
	if (!log_append(view, &record)) {
		INVARIANT(view->coordinator != view->self);
		view_log(view, actions, LOG_LEVEL_WARNING,
			 "the store is too slow: this node falls behind, and "
			 "joins again when it has caught up");
		view->behind = record.body_size;
		return;
	}
	if (log_slot(view, record.index)->type == ENTRY_VOTERS)
		view->voters_sent = false;
}

// The highest index that a majority of these voters has durable in this view, this node up to
// `own`; `said`: as far as the group has heard.
uint64_t majority_synced(const struct view *view, const struct voters *voters, uint64_t own,
			 bool said)
{
	uint64_t synced[NODES_MAX];
	uint32_t count = 0;

	for (uint32_t i = 0; i < voters->count; i++) {
		const struct member *member = view_find(view, voters->list[i].id);
		uint64_t index;
		uint32_t at = count;

		if (!member || !member->takes_part || member->facts.store != voters->list[i].store)
			continue;
		index = member->id == view->self ? own : said ? member->said : member->synced;
		while (at > 0 && synced[at - 1] < index) {
			synced[at] = synced[at - 1];
			at--;
		}
		synced[at] = index;
		count++;
	}
	return voters->count > 0 && count > voters->count / 2 ? synced[voters->count / 2] : 0;
}

void commit_advance(struct view *view)
{
	const struct member *self = view_find(view, view->self);
	uint64_t own = self ? self->synced : 0;

	// Each entry is told synced by every member, and committed after half of them.
	if (view->commit == log_last(view))
		return;
	for (;;) {
		bool changing = view->change_index > view->commit;
		uint64_t index = majority_synced(view, &view->voters, own, false), before;

		if (changing) {
			before = majority_synced(view, &view->previous, own, false);
			index = before < index ? before : index;
		}
		if (index > log_last(view))
			index = log_last(view);
		if (index < view->opening_index || index <= view->commit)
			break;
		view->commit = index;
		if (view->change_index <= view->commit)
			view->change_index = 0;
	}
	if (view->state == VIEW_OPENING && view->commit >= view->opening_index) {
		view_move(view, VIEW_NORMAL);
		proposals_again(view);
	}
}

// Heard once more, behind the record that it is about, it may be news.
static void synced_there(struct view *view, struct member *from, uint64_t index)
{
	if (!from->takes_part || index < from->synced)
		return;
	from->synced = index;
	commit_advance(view);
}

void agree_synced(struct view *view, struct member *from, const struct message *message,
		  struct actions *actions)
{
	(void)actions;
	if (!open_view(view))
		return;
	if (message->index > from->said)
		from->said = message->index;
	synced_there(view, from, message->index);
}

/*
 * The same over a link between the daemons, which takes a fraction of a turn of the group. It is a
 * word about a store, true from when it was sent on: what another view makes of that store it made
 * after the member had said in its STATE what it holds. So neither the order in which it is heard
 * nor that of the group's configurations matters, only that it is of this very gathering. While the
 * view opens it is not needed.
 */
void agree_told(struct view *view, const struct event *event)
{
	struct member *from = view->grouped ? view_find(view, event->from_id) : NULL;

	if (from && from->id != view->self && view->state == VIEW_NORMAL &&
	    event->view == view->number && event->token == view->epoch)
		synced_there(view, from, event->index);
}

void agree_refused(struct view *view, const struct message *message)
{
	struct ring_slot *slot =
		message->origin == view->self ? proposal_find(view, message->cookie) : NULL;

	if (!slot || !slot->sent || slot->seen != 0)
		return;
	if (!message->flag) {
		proposal_done(view, slot);
		return;
	}
	slot->sent = false;
	view->unsent = true;
	view->held = true;
	view->hold_ms = view->now_ms + VIEW_HOLD_MS;
}

// ---- digests: every replica says what it became, and the odd one out begins anew ----

static struct digest_round *round_for(struct view *view, uint64_t index)
{
	struct digest_round *oldest = &view->rounds[0];

	for (uint32_t i = 0; i < VIEW_DIGEST_ROUNDS; i++) {
		if (view->rounds[i].index == index)
			return &view->rounds[i];
		if (view->rounds[i].index < oldest->index)
			oldest = &view->rounds[i];
	}
	if (index <= oldest->index)
		return NULL;
	memset(oldest, 0, sizeof(*oldest));
	oldest->index = index;
	return oldest;
}

// Mask of the members whose digest is that of a majority of all members; 0: none.
static uint64_t round_majority(const struct view *view, const struct digest_round *round, bool *all)
{
	uint32_t members = 0, here = 0;
	uint64_t agreed = 0;

	for (uint32_t i = 0; i < view->member_count; i++) {
		members += view->members[i].takes_part;
		here += (round->came >> i & 1) != 0;
	}
	for (uint32_t i = 0; i < view->member_count && agreed == 0; i++) {
		uint32_t equal = 0;
		uint64_t mask = 0;

		for (uint32_t j = 0; (round->came >> i & 1) && j < view->member_count; j++) {
			if ((round->came >> j & 1) && round->digest[j] == round->digest[i]) {
				equal++;
				mask |= (uint64_t)1 << j;
			}
		}
		if (equal > members / 2)
			agreed = mask;
	}
	*all = here == members;
	return agreed;
}

// Whether the voters that are here, without those of the mask, still are a majority.
static bool voters_without(const struct view *view, const struct voters *voters, uint64_t without)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < view->member_count; i++) {
		const struct member *member = &view->members[i];

		if (!(without >> i & 1) && member->takes_part && member->facts.store != 0 &&
		    voters_store(voters, member->id) == member->facts.store)
			count++;
	}
	return count > voters->count / 2;
}

static void freeze(struct view *view, bool frozen, struct actions *actions)
{
	if (frozen && !view->frozen)
		view_log(view, actions, LOG_LEVEL_ERROR,
			 "the replicas differ and no majority of them could go "
			 "on alone: changes are refused");
	if (!frozen && view->frozen)
		view_log(view, actions, LOG_LEVEL_INFO, "the replicas agree again");
	view->frozen = frozen;
}

void agree_digest(struct view *view, struct member *from, const struct message *message,
		  struct actions *actions)
{
	struct digest_round *round;
	uint64_t agreed, differ;
	uint32_t place = (uint32_t)(from - view->members);
	bool all, stands;

	if (!open_view(view) || !from->takes_part || message->index == 0)
		return;
	round = round_for(view, message->index);
	if (!round)
		return;
	round->came |= (uint64_t)1 << place;
	round->digest[place] = message->digest;
	agreed = round_majority(view, round, &all);
	if (agreed == 0) {
		if (all)
			freeze(view, true, actions);
		return;
	}
	differ = round->came & ~agreed;
	// Beginning anew costs a vote until it is readmitted: never the vote that the majority
	// stands on.
	stands = voters_without(view, &view->voters, differ) &&
		 (view->change_index <= view->commit ||
		  voters_without(view, &view->previous, differ));
	freeze(view, !stands, actions);
	place = (uint32_t)(view_find(view, view->self) - view->members);
	if (stands && (differ >> place & 1))
		view_reset(view, actions,
			   "this node's replica differs from the majority's: its store is put "
			   "aside and made anew from the others");
}

// ---- what is due at the end of each step ----

static void proposal_send(struct view *view, const struct ring_slot *slot, bool first,
			  struct actions *actions)
{
	struct message m = {
		.type = MESSAGE_PROPOSE,
		.view = view->number,
		.cookie = slot->cookie,
		.flag = first,
		.body = ring_body(&view->proposals, slot),
		.body_size = slot->size,
	};

	message_send(actions, &m, NULL);
}

static bool proposal_pass(struct view *view, struct ring_slot *slot, bool first,
			  struct actions *actions)
{
	struct record record = {
		.origin = view->self,
		.cookie = slot->cookie,
		.body = ring_body(&view->proposals, slot),
		.body_size = slot->size,
	};

	if (!actions_room(actions, 8, slot->size + 4096))
		return false;
	if (view->coordinator != view->self) {
		proposal_send(view, slot, first, actions);
	} else if (!admit(view, record.body, record.body_size)) {
		slot->done = true;
		return true;
	} else if (!admit_and_send(view, &record, actions)) {
		return false;
	}
	slot->sent = true;
	return true;
}

static void proposals_flush(struct view *view, struct actions *actions)
{
	bool first = false;

	if (view->state != VIEW_NORMAL || !view->unsent)
		return;
	for (uint32_t i = 0; view->held && i < view->proposals.count; i++) {
		const struct ring_slot *slot = ring_at(&view->proposals, i);

		// Not before everything sent was either seen in the log or refused: the order would
		// be lost.
		if (slot->sent && slot->seen == 0 && !slot->done)
			return;
	}
	if (view->held && view->now_ms < view->hold_ms)
		return;
	first = view->held;
	view->held = false;
	for (uint32_t i = 0; i < view->proposals.count; i++) {
		struct ring_slot *slot = ring_at(&view->proposals, i);

		if (slot->sent || slot->done || slot->seen != 0)
			continue;
		if (!proposal_pass(view, slot, first, actions))
			return;
		first = false;
	}
	view->unsent = false;
	proposals_drop_done(view);
}

bool view_propose(struct view *view, uint64_t cookie, const uint8_t *body, size_t size,
		  uint64_t now_ms, struct actions *actions)
{
	struct ring_slot *slot;

	view->now_ms = now_ms;
	if (!view->open || cookie == 0 || size == 0 || size > ENTRY_SIZE_MAX ||
	    size > view->log.bytes_max / 2 || !ring_fits(&view->proposals, size))
		return false;
	if (view->frozen &&
	    (!entry_decode(&view->scratch, body, size) || !passes_frozen(view->scratch.type)))
		return false;
	if (view_coordinator(view) && !admit(view, body, size))
		return false;
	// Nobody was waited for until now, however long ago the last event was.
	if (view->proposals.count == 0)
		view->patience_ms = now_ms;
	slot = ring_push(&view->proposals, (uint32_t)size);
	slot->cookie = cookie;
	memcpy(ring_body(&view->proposals, slot), body, size);
	view->unsent = true;
	proposals_flush(view, actions);
	return true;
}

void agree_flush(struct view *view, struct actions *actions)
{
	size_t head = view->log.head;

	if (!view->open || !view->grouped)
		return;
	if (view->behind != 0 && log_room(view, 0, &head, view->behind)) {
		view->behind = 0;
		view_rejoin(view, actions);
		return;
	}
	reports_flush(view, actions);
	if (view->state == VIEW_OPENING && view->coordinator == view->self &&
	    view->sent_index < view->opening_index)
		view_entry_send(view, actions);
	proposals_flush(view, actions);
}
