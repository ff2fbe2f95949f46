// SPDX-License-Identifier: Apache-2.0
// The log of a view in memory, and what of it is put into the store.
//
// The store keeps the order, so everything is put in the order in which it became true: snapshot,
// records, promise, then one sync that covers them. At most one sync is under way; what comes
// meanwhile shares the next. Memory keeps every record that is newer than the last durable
// snapshot, so that what the store holds always fits into the same memory again when it is loaded.
#include <string.h>

#include "quorum/view_internal.h"

uint64_t log_last(const struct view *view)
{
	return view->base_index + view->log.count;
}

struct ring_slot *log_slot(const struct view *view, uint64_t index)
{
	INVARIANT(index > view->base_index && index <= log_last(view));
	return ring_at(&view->log, (uint32_t)(index - view->base_index - 1));
}

bool log_view_at(const struct view *view, uint64_t index, uint64_t *of)
{
	if (index < view->base_index || index > log_last(view))
		return false;
	*of = index == view->base_index ? view->base_view : log_slot(view, index)->view;
	return true;
}

uint64_t log_last_view(const struct view *view)
{
	return view->log.count > 0 ? log_slot(view, log_last(view))->view : view->base_view;
}

// An empty log after a snapshot; the voters are the snapshot's.
void log_start(struct view *view, uint64_t index, uint64_t of)
{
	ring_clear(&view->log);
	view->base_index = index;
	view->base_view = of;
	view->commit = index;
	view->handed = index;
	view->applied = index;
	view->voters = view->cluster->voters;
	view->change_index = 0;
	view->durable_index = 0;
	view->durable_snapshot = 0;
	view->sync_index = 0;
	view->sync_snapshot = 0;
	view->put_index = index;
	view->put_snapshot = index;
}

static bool log_drop_oldest(struct view *view)
{
	uint64_t oldest = view->base_index + 1;

	if (view->log.count == 0 || oldest > view->durable_snapshot || oldest > view->applied)
		return false;
	view->base_view = log_slot(view, oldest)->view;
	view->base_index = oldest;
	ring_pop(&view->log);
	return true;
}

// Makes room behind `ahead` reserved places, giving up old records that a durable snapshot covers.
bool log_room(struct view *view, uint32_t ahead, size_t *head, size_t size)
{
	while (!ring_reserve(&view->log, ahead, head, size)) {
		// With places reserved the newest stays: the reservations lie behind it.
		if ((ahead > 0 && view->log.count <= 1) || !log_drop_oldest(view)) {
			view->snapshot_forced = true;
			return false;
		}
	}
	return true;
}

static void voters_change(struct view *view, const struct record *record)
{
	// Only one change is uncommitted at a time; a further one in the log says that the last one
	// is committed.
	view->previous = view->voters;
	view->voters = view->scratch.voters;
	view->change_index = view->last_change = record->index;
}

bool log_append(struct view *view, const struct record *record)
{
	struct ring_slot *slot;
	size_t head = view->log.head;

	INVARIANT(record->index == log_last(view) + 1);
	if (!log_room(view, 0, &head, record->body_size))
		return false;
	slot = ring_push(&view->log, record->body_size);
	slot->view = record->view;
	slot->cookie = record->cookie;
	slot->origin = record->origin;
	memcpy(ring_body(&view->log, slot), record->body, record->body_size);
	slot->type = entry_peek(record->body, record->body_size);
	if (slot->type == ENTRY_VOTERS) {
		if (entry_decode(&view->scratch, record->body, record->body_size))
			voters_change(view, record);
		else
			slot->type = 0;
	}
	proposals_seen(view, record);
	return true;
}

// After a truncation: what the replica has applied, and the changes that are still in the log after
// it.
static void voters_recount(struct view *view)
{
	struct record record = { 0 };

	view->voters = view->cluster->voters;
	view->change_index = 0;
	for (uint64_t index = view->applied + 1; index <= log_last(view); index++) {
		const struct ring_slot *slot = log_slot(view, index);

		record.index = index;
		if (slot->type == ENTRY_VOTERS &&
		    entry_decode(&view->scratch, ring_body(&view->log, slot), slot->size))
			voters_change(view, &record);
	}
	if (view->change_index <= view->commit)
		view->change_index = 0;
}

void log_truncate(struct view *view, uint64_t index, struct actions *actions)
{
	INVARIANT(index >= view->commit && index <= log_last(view));
	if (index == log_last(view))
		return;
	ring_cut(&view->log, (uint32_t)(index - view->base_index));
	if (view->put_index > index) {
		actions_add(actions, ACTION_STORE_TRUNCATE)->index = index;
		view->put_index = index;
		view->dirty = true;
	}
	// A sync under way still reports, but of what was cut off nothing may be believed.
	if (view->durable_index > index)
		view->durable_index = index;
	if (view->sync_index > index)
		view->sync_index = index;
	if (view->change_index > index)
		voters_recount(view);
	proposals_truncated(view, index);
}

/*
 * What the caller was given last is applied by now. Whether a voters change counts from here on is
 * what the replica says: it applied, or refused, the same on every node; and as long as anybody
 * does not know that the change is committed, he wants majorities of both lists, one of which is
 * the replica's.
 */
void log_settle(struct view *view)
{
	const struct ring_slot *slot;

	if (view->handed == view->applied)
		return;
	view->applied = view->handed;
	slot = log_slot(view, view->applied);
	if (slot->type == ENTRY_VOTERS && view->change_index == 0)
		view->voters = view->cluster->voters;
	if ((slot->type == ENTRY_VIEW || slot->type == ENTRY_CHECK) && view->number != 0 &&
	    slot->view == view->number) {
		view->digest_index = view->applied;
		view->digest = cluster_digest(view->cluster);
	}
}

static void load_failed(struct view *view, struct actions *actions, const char *why)
{
	if (view->broken)
		return;
	view->broken = true;
	view->open = false;
	view_log(view, actions, LOG_LEVEL_ERROR, why);
}

static void load_snapshot(struct view *view, const struct event *event, struct actions *actions)
{
	struct reader r = { .buf = event->body, .size = event->body_size };
	uint8_t version = read_u8(&r);

	view->history = read_u64(&r);
	if (r.failed || version != 1 || event->index >= UINT64_MAX / 2 ||
	    !cluster_decode(view->cluster, r.buf + r.at, r.size - r.at)) {
		load_failed(view, actions,
			    "the store's snapshot cannot be read by this version; move the "
			    "store away to reload it from the other nodes");
		return;
	}
	log_start(view, event->index, event->view);
	view->has_copy = true;
	view->reloaded = true;
}

static void load_entry(struct view *view, const struct event *event, struct actions *actions)
{
	struct reader r = { .buf = event->body, .size = event->body_size };
	struct record record = { .index = event->index, .view = event->view };
	uint8_t version = read_u8(&r);

	record.origin = read_u32(&r);
	record.cookie = read_u64(&r);
	record.body = r.buf + r.at;
	record.body_size = (uint32_t)(r.size - r.at);
	if (view->broken)
		return;
	if (r.failed || version != 1 || !view->has_copy || event->index != log_last(view) + 1 ||
	    event->view < log_last_view(view) || event->view >= UINT64_MAX / 2 ||
	    !entry_decode(&view->scratch, record.body, record.body_size)) {
		load_failed(view, actions,
			    "the store's log has a gap or a record that cannot be read; move "
			    "the store away to reload it from the other nodes");
		return;
	}
	if (!log_append(view, &record))
		load_failed(view, actions, "the store's log does not fit into memory");
}

static void store_opened(struct view *view, const struct event *event, struct actions *actions)
{
	bool again = view->resetting;

	view->loading = false;
	view->store = event->store;
	view->incarnation = event->incarnation;
	if (view->broken)
		return;
	view->open = true;
	view->resetting = false;
	view->promised = event->promised;
	view->durable_promise = event->promised;
	INVARIANT(event->flag || !view->has_copy);
	if (view->has_copy) {
		uint64_t last = log_last(view);

		view->durable_snapshot = view->put_snapshot;
		view->put_index = last;
		view->durable_index = last;
		if (event->index > view->commit)
			view->commit = event->index < last ? event->index : last;
		view->put_commit = view->commit;
		if (view->change_index <= view->commit)
			view->change_index = 0;
	}
	if (again) {
		// Everybody is to see it join anew, as a learner.
		view_move(view, VIEW_ALONE);
		view_rejoin(view, actions);
	} else if (view->grouped) {
		view_move(view, VIEW_GATHERING);
		gather_begin(view, actions);
	} else {
		view_move(view, VIEW_ALONE);
	}
}

static void store_synced(struct view *view, const struct event *event)
{
	if (!view->sync_busy || event->token != view->sync_token)
		return;
	view->sync_busy = false;
	if (view->sync_index > view->durable_index)
		view->durable_index = view->sync_index;
	if (view->sync_promise > view->durable_promise)
		view->durable_promise = view->sync_promise;
	if (view->sync_snapshot > view->durable_snapshot)
		view->durable_snapshot = view->sync_snapshot;
}

void store_event(struct view *view, const struct event *event, struct actions *actions)
{
	if (event->type == EVENT_STORE_SNAPSHOT && !view->open && !view->broken)
		load_snapshot(view, event, actions);
	else if (event->type == EVENT_STORE_ENTRY && !view->open)
		load_entry(view, event, actions);
	else if (event->type == EVENT_STORE_OPENED && !view->open)
		store_opened(view, event, actions);
	else if (event->type == EVENT_STORE_SYNCED)
		store_synced(view, event);
}

static void put_head(struct writer *w, const struct ring_slot *slot)
{
	write_u8(w, 1);
	write_u32(w, slot->origin);
	write_u64(w, slot->cookie);
}

static bool put_snapshot(struct view *view, bool all, struct actions *actions)
{
	struct writer w = { .size = STORED_SNAPSHOT_HEAD };
	struct action *action;
	size_t size, used;
	bool known;

	if (!actions_room(actions, 1, STORED_SNAPSHOT_HEAD))
		return false;
	w.buf = actions_rest(actions, &size);
	write_u8(&w, 1);
	write_u64(&w, view->history);
	INVARIANT(!w.failed && w.used == STORED_SNAPSHOT_HEAD);
	used = cluster_encode(view->cluster, w.buf + w.used, size - w.used);
	if (used > size - w.used)
		return false;
	size = w.used + used;
	actions_bytes(actions, size);
	action = actions_add(actions, ACTION_STORE_SNAPSHOT);
	known = log_view_at(view, view->applied, &action->view);
	INVARIANT(known);
	action->index = view->applied;
	action->flag = all;
	action->body = w.buf;
	action->body_size = size;
	view->put_snapshot = view->applied;
	view->dirty = true;
	return true;
}

size_t log_bytes_after(const struct view *view, uint64_t index)
{
	size_t tail;

	if (index >= log_last(view))
		return 0;
	if (index <= view->base_index)
		return ring_used(&view->log);
	tail = log_slot(view, index + 1)->offset;
	return view->log.head > tail ? view->log.head - tail
				     : view->log.bytes_max - tail + view->log.head;
}

static bool snapshot_due(const struct view *view)
{
	uint64_t since = view->applied - view->put_snapshot;

	if (since == 0 || view->put_index < view->applied ||
	    view->durable_snapshot < view->put_snapshot)
		return false;
	return view->snapshot_forced || since >= VIEW_SNAPSHOT_RECORDS ||
	       since >= view->limits.records_max / 2 ||
	       log_bytes_after(view, view->put_snapshot) > view->log.bytes_max / 2;
}

static void put_entries(struct view *view, struct actions *actions)
{
	while (view->put_index < log_last(view)) {
		const struct ring_slot *slot = log_slot(view, view->put_index + 1);
		struct writer w = { .size = STORED_RECORD_HEAD + slot->size };
		struct action *action;

		if (!actions_room(actions, 4, w.size))
			return;
		w.buf = actions_bytes(actions, w.size);
		put_head(&w, slot);
		write_bytes(&w, ring_body(&view->log, slot), slot->size);
		INVARIANT(!w.failed && w.used == w.size);
		action = actions_add(actions, ACTION_STORE_ENTRY);
		action->index = ++view->put_index;
		action->view = slot->view;
		action->body = w.buf;
		action->body_size = w.size;
		view->dirty = true;
	}
}

/*
 * Records that the first voters sync anyway: the others' disks need not write at the same moment,
 * and write for several records at once. Not where somebody waits for this node's own, nor when a
 * majority was late.
 */
static bool sync_may_wait(struct view *view)
{
	if (view->state != VIEW_NORMAL || view->now_ms < view->eager_ms ||
	    view->change_index > view->commit || view->proposals.count > 0 ||
	    view->promised > view->durable_promise || view->put_snapshot > view->durable_snapshot ||
	    report_among_first(view))
		return false;
	if (view->sync_ms == 0)
		view->sync_ms = view->now_ms + VIEW_REPORT_MS;
	if (view->now_ms < view->sync_ms)
		return true;
	if (view->commit < view->put_index)
		view->eager_ms = view->now_ms + VIEW_EAGER_MS;
	return false;
}

static void put_sync(struct view *view, struct actions *actions)
{
	struct action *action;

	if (!view->dirty || view->sync_busy || sync_may_wait(view) || !actions_room(actions, 1, 0))
		return;
	view->sync_ms = 0;
	view->dirty = false;
	view->sync_busy = true;
	view->sync_token++;
	view->sync_index = view->put_index;
	view->sync_promise = view->promised;
	view->sync_snapshot = view->put_snapshot;
	action = actions_add(actions, ACTION_STORE_SYNC);
	action->token = view->sync_token;
}

bool store_pending(const struct view *view)
{
	return view->open &&
	       (view->snapshot_pending || view->put_index < log_last(view) ||
		view->promise_wanted > view->promised ||
		(view->dirty && !view->sync_busy && view->sync_ms <= view->now_ms));
}

void store_flush(struct view *view, struct actions *actions)
{
	if (!view->open)
		return;
	if (view->snapshot_pending) {
		if (!put_snapshot(view, true, actions))
			return;
		view->snapshot_pending = false;
		view->put_index = view->applied;
		view->put_commit = view->applied;
	}
	put_entries(view, actions);
	if (view->put_index < log_last(view))
		return;
	// After the copy that it stands for: a promise without it would lend an old copy a new
	// number.
	if (view->promise_wanted > view->promised && actions_room(actions, 3, 0)) {
		actions_add(actions, ACTION_STORE_PROMISE)->view = view->promise_wanted;
		view->promised = view->promise_wanted;
		view->dirty = true;
	}
	if (snapshot_due(view) && put_snapshot(view, false, actions))
		view->snapshot_forced = false;
	if (view->commit > view->put_commit && view->put_index >= view->commit &&
	    actions_room(actions, 2, 0)) {
		actions_add(actions, ACTION_STORE_COMMIT)->index = view->commit;
		view->put_commit = view->commit;
	}
	put_sync(view, actions);
}
