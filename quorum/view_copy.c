// SPDX-License-Identifier: Apache-2.0
// The highest copy on its way to the others: made once at the source, taken apart by everybody.
//
// Only one coordinator gives indexes in a view, and nobody appends but behind what it has. So two
// records of the same view and index are the same record, and all before them are the same too. A
// member keeps what it has up to the last record that agrees with the source's, and cuts off only
// what the source does not have: that was never committed, or the highest copy would hold it.
// Cutting first and being interrupted loses nothing either.
#include <string.h>

#include "quorum/view_internal.h"

void copy_begin(struct view *view)
{
	view->copy_built = false;
	view->copy_ms = view->now_ms;
	view->copied_sent = false;
	view->copy_size = 0;
	view->copy_sent = 0;
	view->copy_got = 0;
	view->reported = 0;
	view->report_ms = 0;
	view->opening_index = 0;
}

static uint64_t history_of(const struct voters *voters)
{
	uint64_t hash = hash_start();

	for (uint32_t i = 0; i < voters->count; i++) {
		uint8_t bytes[12];

		for (uint32_t j = 0; j < 4; j++)
			bytes[j] = (uint8_t)(voters->list[i].id >> (8 * j));
		for (uint32_t j = 0; j < 8; j++)
			bytes[4 + j] = (uint8_t)(voters->list[i].store >> (8 * j));
		hash = hash_bytes(hash, bytes, sizeof(bytes));
	}
	return hash;
}

// The cluster's first state, or its state with the voters that a person decided on.
static void replica_found(struct view *view)
{
	uint64_t last = log_last(view);

	if (!view->has_copy) {
		view_replica_empty(view);
		view->has_copy = true;
		view->history = history_of(&view->form);
		last = 0;
	}
	view->cluster->voters = view->form;
	// Under the new number: higher than the same records under the old voters.
	log_start(view, last, last > 0 ? view->number : 0);
	view->snapshot_pending = true;
}

static bool wants_snapshot(const struct view *view, const struct member *member)
{
	return !member->facts.has_copy || member->facts.commit < view->base_index ||
	       member->facts.commit > log_last(view);
}

static void copy_plan(const struct view *view, struct copy_head *head, bool replace)
{
	uint64_t from = view->applied;
	bool known;

	memset(head, 0, sizeof(*head));
	head->history = view->history;
	head->commit = view->commit;
	head->replace = replace;
	head->snapshot = replace;
	for (uint32_t i = 0; i < view->member_count && !replace; i++) {
		const struct member *member = &view->members[i];

		if (!member->takes_part)
			continue;
		if (wants_snapshot(view, member))
			head->snapshot = true;
		else if (member->facts.commit < from)
			from = member->facts.commit;
	}
	known = log_view_at(view, from, &head->before_view);
	INVARIANT(known);
	known = log_view_at(view, view->applied, &head->snapshot_view);
	INVARIANT(known);
	head->from = from + 1;
	head->snapshot_index = view->applied;
	head->record_count = (uint32_t)(log_last(view) - from);
	if (head->snapshot)
		head->snapshot_size = (uint32_t)cluster_encode(view->cluster, NULL, 0);
}

static void copy_build(struct view *view)
{
	struct writer w = { .buf = view->copy, .size = view->copy_max };
	bool replace = view->recovering || !view->has_copy;
	struct copy_head head;

	if (replace)
		replica_found(view);
	// Among what is lost may be that a saved state was continued from.
	if (view->recovering)
		cluster_forget_saved(view->cluster);
	copy_plan(view, &head, replace);
	copy_head_write(&w, &head);
	if (head.snapshot) {
		INVARIANT(!w.failed && head.snapshot_size <= w.size - w.used);
		cluster_encode(view->cluster, w.buf + w.used, head.snapshot_size);
		w.used += head.snapshot_size;
	}
	for (uint64_t index = head.from; index <= log_last(view); index++) {
		const struct ring_slot *slot = log_slot(view, index);

		write_u64(&w, slot->view);
		write_u32(&w, slot->origin);
		write_u64(&w, slot->cookie);
		write_u32(&w, slot->size);
		write_bytes(&w, ring_body(&view->log, slot), slot->size);
	}
	INVARIANT(!w.failed);
	view->copy_size = w.used;
	view->copy_built = true;
}

void copy_flush(struct view *view, struct actions *actions)
{
	if (view->state != VIEW_COPYING || view->source != view->self)
		return;
	if (!view->copy_built) {
		// A recovery takes the last records for committed; they are in the snapshot when
		// they are applied.
		if (view->recovering && view->applied < view->commit)
			return;
		copy_build(view);
	}
	while (view->copy_sent < view->copy_size &&
	       view->copy_sent - view->copy_got < (size_t)VIEW_CHUNKS_AHEAD * COPY_CHUNK_SIZE) {
		size_t left = view->copy_size - view->copy_sent;
		struct message m = {
			.type = MESSAGE_COPY,
			.tag = view->epoch,
			.view = view->number,
			.total = view->copy_size,
			.offset = view->copy_sent,
			.body = view->copy + view->copy_sent,
			.body_size = left < COPY_CHUNK_SIZE ? left : COPY_CHUNK_SIZE,
		};

		if (!actions_room(actions, 2, m.body_size + 64))
			return;
		message_send(actions, &m, NULL);
		view->copy_sent += m.body_size;
	}
}

static bool record_read(struct reader *r, struct record *record)
{
	uint64_t of = read_u64(r);

	if (r->failed || of < record->view || of >= UINT64_MAX / 2)
		return false;
	record->index++;
	record->view = of;
	record->origin = read_u32(r);
	record->cookie = read_u64(r);
	record->body_size = read_u32(r);
	if (r->failed || record->body_size > ENTRY_SIZE_MAX || record->body_size > r->size - r->at)
		return false;
	record->body = r->buf + r->at;
	r->at += record->body_size;
	return true;
}

// Well-formed to the last byte, and whether it goes on from what this node knows as committed.
static bool copy_check(const struct view *view, struct reader r, const struct copy_head *head,
		       bool *connects)
{
	struct record record = { .index = head->from - 1, .view = head->before_view };
	uint64_t own = 0;
	bool known = view->has_copy && log_view_at(view, view->commit, &own);

	*connects = known && view->commit == record.index && own == record.view;
	for (uint32_t i = 0; i < head->record_count; i++) {
		if (!record_read(&r, &record))
			return false;
		if (known && record.index == view->commit)
			*connects = own == record.view;
	}
	return reader_done(&r) && record.index >= head->snapshot_index &&
	       record.index >= head->commit &&
	       (!head->snapshot || head->from <= head->snapshot_index + 1);
}

static void copy_broken(struct view *view, struct actions *actions, const char *why)
{
	view_log(view, actions, LOG_LEVEL_ERROR, why);
	view->broken = true;
	view->open = false;
	view->sync_busy = false;
	view_move(view, VIEW_CLOSED);
	view_rejoin(view, actions);
}

static bool records_take(struct view *view, struct reader *r, const struct copy_head *head,
			 struct actions *actions)
{
	struct record record = { .index = head->from - 1, .view = head->before_view };
	uint64_t own;

	for (uint32_t i = 0; i < head->record_count; i++) {
		bool read = record_read(r, &record);

		INVARIANT(read);
		if (record.index <= view->commit)
			continue;
		if (record.index <= log_last(view)) {
			bool known = log_view_at(view, record.index, &own);

			INVARIANT(known);
			if (own == record.view)
				continue;
			log_truncate(view, record.index - 1, actions);
		}
		if (!log_append(view, &record)) {
			view->behind = record.body_size;
			return false;
		}
	}
	if (log_last(view) > record.index)
		log_truncate(view, record.index, actions);
	return true;
}

static void commit_known(struct view *view, uint64_t commit)
{
	if (commit > log_last(view))
		commit = log_last(view);
	if (commit > view->commit)
		view->commit = commit;
	if (view->change_index <= view->commit)
		view->change_index = 0;
}

static void copy_take(struct view *view, struct actions *actions)
{
	struct reader r = { .buf = view->copy, .size = view->copy_size };
	struct copy_head head;
	const uint8_t *snapshot;
	bool whole = copy_head_read(&r, &head) && head.snapshot_size <= r.size - r.at,
	     connects = false, taken;

	if (whole) {
		snapshot = r.buf + r.at;
		r.at += head.snapshot_size;
		whole = copy_check(view, r, &head, &connects);
	}
	if (!whole) {
		copy_broken(view, actions, "the other nodes' copy cannot be read by this version");
		return;
	}
	if (head.replace || !connects) {
		if (!head.snapshot) {
			view_reset(view, actions,
				   "this node's store holds what the cluster does not: it is "
				   "put aside and made anew");
			return;
		}
		if (!cluster_decode(view->cluster, snapshot, head.snapshot_size)) {
			copy_broken(view, actions,
				    "the other nodes' copy does not fit into this node's limits");
			return;
		}
		log_start(view, head.snapshot_index, head.snapshot_view);
		view->has_copy = true;
		view->history = head.history;
		view->snapshot_pending = true;
		view->reloaded = true;
		proposals_forget(view);
	}
	taken = records_take(view, &r, &head, actions);
	commit_known(view, head.commit);
	if (!taken) {
		// Room comes with a snapshot of its own; then it joins again.
		view->number = 0;
		view->wait = WAIT_COPY;
		view_move(view, VIEW_WAITING);
		return;
	}
	view->promise_wanted = view->number;
	view_move(view, VIEW_SYNCING);
}

void copy_chunk(struct view *view, struct member *from, const struct message *message,
		struct actions *actions)
{
	if (view->state != VIEW_COPYING || from->id != view->source ||
	    message->view != view->number)
		return;
	if (view->source != view->self && view->copy_got == 0)
		view->copy_size = message->total;
	if (message->offset != view->copy_got || message->total != view->copy_size ||
	    message->total > view->copy_max) {
		view->dropped++;
		return;
	}
	if (view->source != view->self)
		memcpy(view->copy + view->copy_got, message->body, message->body_size);
	view->copy_got += message->body_size;
	view->copy_ms = view->now_ms;
	if (view->copy_got < view->copy_size)
		return;
	if (view->source == view->self) {
		view->promise_wanted = view->number;
		view_move(view, VIEW_SYNCING);
	} else {
		copy_take(view, actions);
	}
}
