// SPDX-License-Identifier: Apache-2.0
// What this node says of its own store: who reports a record synced, when, and to whom first.
#include "quorum/view_internal.h"

/*
 * This node's own sync counts for it at once, not only when its SYNCED comes back. A majority of
 * the next view has a member in common with those who synced: the others had before they said so,
 * and this node has now; whichever it is tells of the entry in its STATE.
 */
static void synced_here(struct view *view, uint64_t index)
{
	struct member *self = view_find(view, view->self);

	if (!self || !self->takes_part || index <= self->synced)
		return;
	self->synced = index;
	commit_advance(view);
}

/*
 * Every record needs the reports of a majority, and no more: the coordinator and the voters after
 * it give theirs at once, the others only when those of a majority do not come. With many nodes
 * that is half of the group's messages. Who had to report late does it at once for a while, so that
 * a slow disk among the first does not cost the pause each time.
 */
bool report_among_first(const struct view *view)
{
	uint32_t place = 0;

	for (uint32_t i = 0; i < view->voters.count && view->self != view->coordinator; i++) {
		const struct voter *voter = &view->voters.list[i];
		const struct member *member = view_find(view, voter->id);

		if (voter->id == view->self)
			return place < view->voters.count / 2;
		place += voter->id != view->coordinator && member && member->takes_part &&
			 member->facts.store == voter->store;
	}
	return view->self == view->coordinator;
}

// Whether everybody knows that this node's newest records are committed, from what was reported.
// Others may not know yet that the last change of voters is, and want both lists' majorities.
static bool report_needless(const struct view *view)
{
	uint64_t both = view->last_change;

	if (both > view->durable_index)
		both = view->durable_index;
	return majority_synced(view, &view->voters, view->reported, true) >= view->durable_index &&
	       (view->last_change <= view->opening_index ||
		majority_synced(view, &view->previous, view->reported, true) >= both);
}

static bool report_due(struct view *view)
{
	if (view->durable_index <= view->reported)
		return false;
	// Everybody reports a view's first record: who took part in the last views only by a
	// snapshot of theirs does not know which changes of voters others still doubt.
	if (view->reported < view->opening_index || view->change_index > view->commit ||
	    view->now_ms < view->eager_ms || report_among_first(view))
		return true;
	if (report_needless(view)) {
		view->report_ms = 0;
		return false;
	}
	if (view->report_ms == 0)
		view->report_ms = view->now_ms + VIEW_REPORT_MS;
	if (view->now_ms < view->report_ms)
		return false;
	view->eager_ms = view->now_ms + VIEW_EAGER_MS;
	return true;
}

static void synced_tell(const struct view *view, uint32_t id, struct actions *actions)
{
	struct action *action = actions_add(actions, ACTION_SYNCED_TELL);

	action->node_id = id;
	action->view = view->number;
	action->token = view->epoch;
	action->index = view->durable_index;
}

/*
 * Those who wait for this report: the coordinator, which goes on with what is committed, and
 * whoever proposed a record of it and has an administrator waiting. They hear of it ahead of the
 * group.
 */
static void report_ahead(const struct view *view, struct actions *actions)
{
	uint64_t from = view->reported > view->base_index ? view->reported : view->base_index;
	uint64_t told = 0;

	if (from < view->opening_index)
		from = view->opening_index;
	if (view->state != VIEW_NORMAL || !actions_room(actions, view->member_count, 0))
		return;
	for (uint32_t i = 0; i < view->member_count; i++)
		told |= (uint64_t)(view->members[i].id == view->coordinator) << i;
	for (uint64_t index = from + 1; index <= view->durable_index; index++) {
		const struct member *origin = view_find(view, log_slot(view, index)->origin);

		if (origin)
			told |= (uint64_t)1 << (origin - view->members);
	}
	for (uint32_t i = 0; i < view->member_count; i++)
		if ((told >> i & 1) && view->members[i].id != view->self)
			synced_tell(view, view->members[i].id, actions);
}

void reports_flush(struct view *view, struct actions *actions)
{
	struct message m = { .view = view->number, .tag = view->epoch, .store = view->store };

	if (view->state != VIEW_SYNCING && !open_view(view))
		return;
	if (!view->copied_sent && view->durable_promise >= view->number &&
	    actions_room(actions, 1, 64)) {
		m.type = MESSAGE_COPIED;
		message_send(actions, &m, NULL);
		view->copied_sent = true;
	}
	if (open_view(view) && view->copied_sent && view->durable_index >= view->opening_index) {
		synced_here(view, view->durable_index);
		if (report_due(view) && actions_room(actions, 1, 64)) {
			report_ahead(view, actions);
			m.type = MESSAGE_SYNCED;
			m.index = view->durable_index;
			message_send(actions, &m, NULL);
			view->reported = m.index;
			view->report_ms = 0;
		}
	}
	if (view->digest_index != 0 && open_view(view) && actions_room(actions, 1, 64)) {
		m.type = MESSAGE_DIGEST;
		m.index = view->digest_index;
		m.digest = view->digest;
		message_send(actions, &m, NULL);
		view->digest_index = 0;
	}
}
