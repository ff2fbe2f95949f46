// SPDX-License-Identifier: Apache-2.0
// How a view forms: everybody says what its store holds, everybody draws the same conclusion, a
// majority promises.
//
// Why a formed view holds everything that was ever committed. A record is committed when a majority
// of voters has it durable and reported so in the view that wrote it. A view goes on only with a
// majority of the same voters intact (of both lists, while a voters change is not known committed;
// the list is taken from the highest copy, which holds that change if it may have been committed).
// Two majorities share a store. That store says (view, index) of its last record, and no copy with
// a higher pair can lack what it had committed: its last view was itself formed over such a
// majority, later. So the highest copy holds it, and replaces the others.
//
// Why no number is used twice. A view is opened only after a majority has its number durable as a
// promise, and the number is above all promises of a majority. Any two of these majorities share a
// store, and that store either promised before it said what it had promised, or said it under a tag
// that is over by now.
#include <string.h>

#include "quorum/view_internal.h"

static void hash_number(uint64_t *hash, uint64_t number)
{
	uint8_t bytes[8];

	for (uint32_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(number >> (8 * i));
	*hash = hash_bytes(*hash, bytes, sizeof(bytes));
}

// Members are kept ascending by id.
static bool members_set(struct view *view, const struct event *event)
{
	uint64_t hash = hash_start();

	view->member_count = 0;
	if (event->member_count > NODES_MAX)
		return false;
	for (uint32_t i = 0; i < event->member_count; i++) {
		uint32_t id = event->members[i].id, at = view->member_count;

		if (id == 0 || view_find(view, id))
			continue;
		while (at > 0 && view->members[at - 1].id > id) {
			view->members[at] = view->members[at - 1];
			view->member_ids[at] = view->member_ids[at - 1];
			at--;
		}
		memset(&view->members[at], 0, sizeof(view->members[at]));
		view->members[at].id = view->member_ids[at] = id;
		view->members[at].pid = event->members[i].pid;
		view->member_count++;
	}
	for (uint32_t i = 0; i < view->member_count; i++) {
		hash_number(&hash, view->members[i].id);
		hash_number(&hash, view->members[i].pid);
	}
	// Not the ring's number: CPG tells it apart from the group, so two members may know
	// different ones.
	view->tag = hash;
	view->epoch = 0;
	return view_find(view, view->self) != NULL;
}

void gather_group(struct view *view, const struct event *event, struct actions *actions)
{
	if (event->node_id != 0)
		view->self = event->node_id;
	recover_reply(view, actions, false, "group-changed",
		      "the group of nodes changed meanwhile; try again");
	view->grouped = members_set(view, event);
	view->number = 0;
	view->source = 0;
	view->coordinator = 0;
	view->wait = WAIT_NONE;
	view->stated = false;
	view->recovering = false;
	view->copied_sent = false;
	view->behind = 0;
	view->held = false;
	view->digest_index = 0;
	memset(view->rounds, 0, sizeof(view->rounds));
	view->gather_since_ms = view->now_ms;
	if (!view->grouped) {
		view->member_count = 0;
		if (view->state != VIEW_CLOSED && view->state != VIEW_ALONE)
			view_move(view, VIEW_ALONE);
		return;
	}
	if (view->open)
		view_move(view, VIEW_GATHERING);
	// A broken store says so once, or the others would wait for it for ever. It sends nothing
	// else.
	if (view->open || view->broken)
		gather_begin(view, actions);
}

static void state_send(struct view *view, struct actions *actions)
{
	struct message m = { .type = MESSAGE_STATE, .tag = view->tag };

	message_send(actions, &m, &view->own);
	view->resend_ms = view->now_ms + VIEW_RESEND_MS;
}

// From here to the next group nothing is appended before everybody's STATE is in, so `own` stays
// true.
void gather_begin(struct view *view, struct actions *actions)
{
	struct store_facts *own = &view->own;

	memset(own, 0, sizeof(*own));
	own->gathering = ++view->gatherings;
	own->store = view->store;
	own->incarnation = view->incarnation;
	own->level = FUNCTIONAL_LEVEL;
	own->broken = view->broken;
	own->promised =
		view->promised > view->promise_wanted ? view->promised : view->promise_wanted;
	own->nodelist = view->nodelist_hash;
	if (view->has_copy && !view->broken) {
		own->has_copy = true;
		own->history = view->history;
		own->last_view = log_last_view(view);
		own->last_index = log_last(view);
		own->commit = view->commit;
		own->first = view->base_index;
		own->voters = view->voters;
		own->changing = view->change_index > view->commit;
		if (own->changing)
			own->previous = view->previous;
	}
	view->stated = true;
	state_send(view, actions);
}

// A member whose daemon hangs must not keep the others from a view for which they are enough.
static void without_ask(struct view *view, struct actions *actions)
{
	struct message m = { .type = MESSAGE_WITHOUT, .tag = view->tag };

	if (view->now_ms - view->gather_since_ms >= VIEW_STUCK_MS &&
	    view_find(view, view->self)->stated)
		message_send(actions, &m, NULL);
}

void gather_tick(struct view *view, struct actions *actions)
{
	if (view->state == VIEW_GATHERING && view->stated && view->now_ms >= view->resend_ms) {
		without_ask(view, actions);
		state_send(view, actions);
	}
	if (view->state == VIEW_COPYING && view->source != view->self &&
	    view->now_ms - view->copy_ms >= VIEW_COPY_MS)
		view_rejoin(view, actions);
}

// ---- the conclusion, from nothing but the members' STATEs ----

static bool higher(const struct member *a, const struct member *b)
{
	if (a->facts.last_view != b->facts.last_view)
		return a->facts.last_view > b->facts.last_view;
	if (a->facts.last_index != b->facts.last_index)
		return a->facts.last_index > b->facts.last_index;
	return a->id < b->id;
}

static bool usable(const struct member *member, uint64_t history)
{
	return !member->facts.broken &&
	       (!member->facts.has_copy || member->facts.history == history);
}

static uint32_t intact(const struct view *view, const struct voters *voters, uint64_t history)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < view->member_count; i++) {
		const struct member *member = &view->members[i];

		if (usable(member, history) && member->facts.store != 0 &&
		    voters_store(voters, member->id) == member->facts.store)
			count++;
	}
	return count;
}

uint32_t voters_here(const struct view *view, const struct voters *voters, bool copied)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < view->member_count; i++) {
		const struct member *member = &view->members[i];

		if (member->takes_part && member->facts.store != 0 && (member->copied || !copied) &&
		    voters_store(voters, member->id) == member->facts.store)
			count++;
	}
	return count;
}

static bool majority(const struct voters *voters, uint32_t count)
{
	return voters->count > 0 && count > voters->count / 2;
}

static bool facts_majority(const struct view *view, const struct store_facts *facts)
{
	return majority(&facts->voters, intact(view, &facts->voters, facts->history)) &&
	       (!facts->changing ||
		majority(&facts->previous, intact(view, &facts->previous, facts->history)));
}

/*
 * The highest copy, within one history. Stores of another cluster may turn up in the same group (a
 * host that was one's own cluster before); their numbers mean nothing here, so they neither win nor
 * are overwritten: the history with a majority goes on, if both have one that of which more is
 * here, and the others are left out.
 */
static const struct member *source_choose(const struct view *view, bool *formed)
{
	const struct member *best = NULL;
	uint32_t best_intact = 0;

	*formed = false;
	for (uint32_t i = 0; i < view->member_count; i++) {
		const struct member *member = &view->members[i];
		bool highest = member->facts.has_copy && !member->facts.broken, ok;
		uint32_t here;

		for (uint32_t j = 0; highest && j < view->member_count; j++) {
			const struct member *other = &view->members[j];

			if (j != i && other->facts.has_copy && !other->facts.broken &&
			    other->facts.history == member->facts.history && higher(other, member))
				highest = false;
		}
		if (!highest)
			continue;
		ok = facts_majority(view, &member->facts);
		here = intact(view, &member->facts.voters, member->facts.history);
		if (!best || ok > *formed ||
		    (ok == *formed &&
		     (here > best_intact || (here == best_intact && higher(member, best))))) {
			best = member;
			best_intact = here;
			*formed = ok;
		}
	}
	return best;
}

// The first start ever: every configured node is here, all agree who that is, and nobody has
// anything.
static const struct member *genesis_choose(struct view *view)
{
	struct voters *voters = &view->form;

	voters->count = 0;
	for (uint32_t i = 0; i < view->member_count; i++) {
		const struct store_facts *facts = &view->members[i].facts;

		if (facts->broken || facts->nodelist == 0 ||
		    facts->nodelist != view->own.nodelist || facts->nodelist != view->nodelist_hash)
			return NULL;
	}
	for (uint32_t i = 0; i < view->nodelist_count; i++) {
		const struct member *member = view_find(view, view->nodelist[i]);

		if (!member || member->facts.store == 0)
			return NULL;
		voters->list[voters->count].id = member->id;
		voters->list[voters->count++].store = member->facts.store;
	}
	return voters->count > 0 ? view_find(view, voters->list[0].id) : NULL;
}

static void view_begin(struct view *view, uint32_t source)
{
	uint64_t highest = 0;

	for (uint32_t i = 0; i < view->member_count; i++) {
		struct member *member = &view->members[i];

		if (member->facts.promised > highest)
			highest = member->facts.promised;
		if (member->facts.last_view > highest)
			highest = member->facts.last_view;
		member->copied = false;
		member->refusing = false;
		member->synced = 0;
	}
	view->number = highest + 1;
	view->source = source;
	view->wait = WAIT_NONE;
	copy_begin(view);
	view_move(view, VIEW_COPYING);
}

/*
 * The same members may meet again under the same tag, and find themselves computing the same number
 * when nobody promised it yet. What was sent after the STATEs carries a mark of just these STATEs:
 * each counts its sender's gatherings, so no message of an earlier meeting is taken for one of
 * this.
 */
static uint64_t epoch_of(const struct view *view)
{
	uint64_t hash = hash_start();

	for (uint32_t i = 0; i < view->member_count; i++) {
		hash_number(&hash, view->members[i].id);
		hash_number(&hash, view->members[i].pid);
		hash_number(&hash, view->members[i].facts.gathering);
		hash_number(&hash, view->members[i].facts.store);
		hash_number(&hash, view->members[i].facts.incarnation);
	}
	return hash | 1;
}

static bool all_stated(const struct view *view)
{
	for (uint32_t i = 0; i < view->member_count; i++) {
		if (!view->members[i].stated)
			return false;
	}
	return true;
}

static void gather_decide(struct view *view)
{
	const struct member *source;
	bool formed;

	view->epoch = epoch_of(view);
	memset(&view->form, 0, sizeof(view->form));
	memset(&view->form_previous, 0, sizeof(view->form_previous));
	view->form_changing = false;
	source = source_choose(view, &formed);
	for (uint32_t i = 0; i < view->member_count; i++)
		view->members[i].takes_part =
			view->members[i].stated &&
			usable(&view->members[i], source ? source->facts.history : 0);
	if (source) {
		view->form = source->facts.voters;
		view->form_previous = source->facts.previous;
		view->form_changing = source->facts.changing;
		view->source = source->id;
	} else {
		source = genesis_choose(view);
		formed = source != NULL;
	}
	if (formed && view_find(view, view->self)->takes_part) {
		view_begin(view, source->id);
		return;
	}
	view->wait = !formed ? (source ? WAIT_MAJORITY : WAIT_BOOTSTRAP) : WAIT_FOREIGN;
	if (source && !view_find(view, view->self)->takes_part)
		view->wait = WAIT_FOREIGN;
	view_move(view, VIEW_WAITING);
}

void gather_state(struct view *view, struct member *from, const struct message *message,
		  const struct store_facts *facts, struct actions *actions)
{
	(void)message;
	/*
	 * A group may come back to a tag that it had before (a node left and joined again, the same
	 * process). A STATE of then, still on its way, is old news to which the others must not
	 * listen: its sender is the one who knows, and stays out of this gathering. Without its
	 * COPIED nothing opens that needed its word.
	 */
	if (from->id == view->self && (!view->stated || facts->gathering != view->own.gathering)) {
		if (view->stated)
			view_rejoin(view, actions);
		return;
	}
	if (from->stated) {
		// It still asks: what this node said was delivered before it saw this group.
		if (view->epoch != 0 && from->id != view->self && view->now_ms >= view->resend_ms)
			state_send(view, actions);
		return;
	}
	from->stated = true;
	from->facts = *facts;
	if (view->state == VIEW_GATHERING && view->stated && all_stated(view))
		gather_decide(view);
}

/*
 * Heard at the same point of the order by everybody, so all decide from the same STATEs: those that
 * came before it. One whose own did not come before it is left out and knows it; it joins again,
 * and is asked anew. Facts that are missing count as no store, so they can only keep a majority
 * from forming.
 */
void gather_without(struct view *view, const struct member *from, struct actions *actions)
{
	if (view->state != VIEW_GATHERING || !view->stated)
		return;
	if (!view_find(view, view->self)->stated)
		view_rejoin(view, actions);
	else if (from->stated)
		gather_decide(view);
}

void gather_copied(struct view *view, struct member *from, const struct message *message,
		   struct actions *actions)
{
	if (view->state == VIEW_COPYING && message->view == view->number) {
		// The others are further than the messages that were delivered here allow.
		view_rejoin(view, actions);
		return;
	}
	if (view->number == 0 || message->view != view->number || !from->takes_part ||
	    message->store != from->facts.store)
		return;
	from->copied = true;
	if (view->state == VIEW_SYNCING &&
	    majority(&view->form, voters_here(view, &view->form, true)) &&
	    (!view->form_changing ||
	     majority(&view->form_previous, voters_here(view, &view->form_previous, true))))
		agree_open(view, actions);
}

// ---- going on without a majority, because a person says so ----

void recover_reply(struct view *view, struct actions *actions, bool accepted, const char *code,
		   const char *reason)
{
	struct entry_result *result;
	struct action *action;

	if (!view->recover_asked)
		return;
	view->recover_asked = false;
	result = actions_bytes(actions, sizeof(*result));
	memset(result, 0, sizeof(*result));
	result->accepted = accepted;
	text_copy(result->code, sizeof(result->code), code);
	text_copy(result->reason, sizeof(result->reason), reason);
	action = actions_add(actions, ACTION_REPLY);
	action->cookie = view->recover_cookie;
	action->result = result;
}

static const char *recover_refused(const struct view *view)
{
	if (view->state != VIEW_WAITING)
		return "not waiting for a majority of the voters' stores: nothing to recover from";
	if (view->wait == WAIT_FOREIGN)
		return "this node's store is of another cluster than the one that is here";
	if (view->source == 0)
		return "no node that is here has a copy";
	return NULL;
}

void recover_asked(struct view *view, const struct event *event, struct actions *actions)
{
	struct message m = { .type = MESSAGE_RECOVER, .tag = view->epoch, .cookie = event->cookie };
	const char *refused = recover_refused(view);

	recover_reply(view, actions, false, "asked-again", "it was asked for again meanwhile");
	view->recover_asked = true;
	view->recover_cookie = event->cookie;
	if (refused)
		recover_reply(view, actions, false, "not-waiting", refused);
	else
		message_send(actions, &m, NULL);
}

static void text_node(struct text *text, const struct view *view, uint32_t id)
{
	const struct cluster_node *node = cluster_node_by_id(view->cluster, id);

	if (node)
		text_add(text, node->def.name);
	else
		text_add_number(text_add(text, "node "), id);
}

static uint32_t text_absent(struct text *text, const struct view *view, const struct voters *voters)
{
	uint32_t absent = 0;

	for (uint32_t i = 0; i < voters->count; i++) {
		const struct voter *voter = &voters->list[i];
		const struct member *member = view_find(view, voter->id);

		if (member && member->takes_part && member->facts.store == voter->store)
			continue;
		if (absent++ > 0)
			text_add(text, ", ");
		text_node(text, view, voter->id);
		if (member)
			text_add(text,
				 member->facts.broken ? " (store failed)" : " (another store)");
	}
	return absent;
}

// The record of what may be lost: whose stores were not asked, and how far the copy that goes on
// reaches.
static void recover_text(const struct view *view, char *buf, size_t size)
{
	const struct member *source = view_find(view, view->source);
	struct text text = text_in(buf, size);

	text_add(&text, "goes on with view ");
	text_add_number(&text, source->facts.last_view);
	text_add_number(text_add(&text, ", index "), source->facts.last_index);
	text_add(&text, ", and without: ");
	text_absent(&text, view, &view->form);
}

void gather_recover(struct view *view, const struct message *message, struct member *from,
		    struct actions *actions)
{
	const char *refused = recover_refused(view);
	bool mine = from->id == view->self && view->recover_asked &&
		    message->cookie == view->recover_cookie;
	char buf[REASON_SIZE];

	if (refused) {
		if (mine)
			recover_reply(view, actions, false, "not-waiting", refused);
		return;
	}
	recover_text(view, buf, sizeof(buf));
	view_log(view, actions, LOG_LEVEL_WARNING, buf);
	if (mine)
		recover_reply(view, actions, true, "", buf);
	view->recovering = true;
	view->form_changing = false;
	memset(&view->form, 0, sizeof(view->form));
	for (uint32_t i = 0; i < view->member_count; i++) {
		const struct member *member = &view->members[i];

		if (!member->takes_part || member->facts.store == 0)
			continue;
		view->form.list[view->form.count].id = member->id;
		view->form.list[view->form.count++].store = member->facts.store;
	}
	// Nobody is left who could say which of the last records were committed: all of them are,
	// from here on.
	if (view->source == view->self) {
		view->commit = log_last(view);
		view->change_index = 0;
	}
	view_begin(view, view->source);
}

// ---- why there is no view, for people ----

static void reason_gathering(const struct view *view, struct text *text)
{
	uint32_t named = 0;

	if (view->now_ms - view->gather_since_ms < VIEW_STUCK_MS) {
		text_add(text, "the nodes are comparing their stores");
		return;
	}
	text_add(text, "waiting for the state of: ");
	for (uint32_t i = 0; i < view->member_count; i++) {
		if (view->members[i].stated)
			continue;
		if (named++ > 0)
			text_add(text, ", ");
		text_node(text, view, view->members[i].id);
	}
}

static void reason_waiting(const struct view *view, struct text *text)
{
	char buf[REASON_SIZE];
	struct text names = text_in(buf, sizeof(buf));
	const struct voters *voters = &view->form;

	switch ((enum wait_reason)view->wait) {
	case WAIT_NONE:
		break;
	case WAIT_FOREIGN:
		text_add(text,
			 "this node's store is of another cluster; move it away to join this one");
		break;
	case WAIT_COPY:
		text_add(text, "the cluster's copy does not fit into this node's memory");
		break;
	case WAIT_BOOTSTRAP:
		text_add(text,
			 "first start: needs every node of corosync.conf, with the same nodelist");
		break;
	case WAIT_MAJORITY:
		if (view->form_changing &&
		    majority(voters, voters_here(view, voters, false)))
			voters = &view->form_previous;
		text_add_number(text, text_absent(&names, view, voters));
		text_add_number(text_add(text, " of "), voters->count);
		text_add(text_add(text, " voters' stores are missing: "), buf);
		break;
	}
}

size_t gather_reason(const struct view *view, char *buf, size_t size)
{
	struct text text = text_in(buf, size);

	if (view->state == VIEW_GATHERING) {
		reason_gathering(view, &text);
	} else if (view->state == VIEW_WAITING) {
		reason_waiting(view, &text);
	} else if (view->state == VIEW_COPYING) {
		text_add(&text, "waiting for the copy of ");
		text_node(&text, view, view->source);
	} else if (view->state == VIEW_SYNCING) {
		text_add(&text, "waiting until a majority has the copy on disk");
	} else {
		text_add(&text, "waiting until a majority has the view on disk");
	}
	return text.length;
}
