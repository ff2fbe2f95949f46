// SPDX-License-Identifier: Apache-2.0
// Rules of views whose breach needs so long a chain of accidents to do harm that chance hardly
// finds it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/view_world.h"

enum { NODES = 3 };

// A node whose view is being opened above records of older views; the world goes on until there is
// one.
static struct world_node *opening(struct world *w)
{
	static const int together[WORLD_NODES] = { 0 };

	world_start(w, 7);
	for (uint32_t n = 0; n < NODES; n++)
		world_boot(w, n, false);
	for (uint32_t step = 0; step < 200000; step++) {
		world_progress(w);
		for (uint32_t n = 0; n < NODES; n++) {
			struct view *view = w->nodes[n].view;

			if (w->nodes[n].up && view->state == VIEW_OPENING &&
			    view->opening_index > view->base_index + 3)
				return &w->nodes[n];
		}
		if (step % 500 == 250)
			world_crash(w, step / 500 % NODES);
		if (step % 500 == 300) {
			world_boot(w, (step - 50) / 500 % NODES, false);
			world_split(w, together);
		}
	}
	return NULL;
}

static void hear(struct world *w, struct world_node *node, const struct world_node *from,
		 const struct message *m)
{
	uint8_t bytes[256];
	struct event event = { .type = EVENT_MESSAGE, .now_ms = w->now_ms, .from_id = from->id,
			       .from_pid = from->pid, .body = bytes };

	event.body_size = message_encode(m, NULL, bytes, sizeof(bytes));
	assert_true(event.body_size > 0);
	w->actions.count = 0;
	w->actions.used = 0;
	view_step(node->view, &event, &w->actions);
}

/*
 * A majority may hold a record of an older view durably, and yet a copy with a later view that
 * lacks it may win the next gathering. Only a record of this view, durable with a majority, commits
 * what is below it.
 */
static void an_old_record_is_committed_only_below_one_of_this_view(void **state)
{
	struct world *w = world_new(NODES);
	struct world_node *node = opening(w);
	struct view *view;
	uint64_t commit;

	(void)state;
	assert_non_null(node);
	view = node->view;
	commit = view->commit = view->opening_index - 3;
	for (uint32_t i = 0; i < view->member_count; i++) {
		view->members[i].copied = true;
		view->members[i].synced = 0;
	}
	for (uint32_t n = 0; n < NODES; n++) {
		struct message m = { .type = MESSAGE_SYNCED, .view = view->number,
				     .index = view->opening_index - 1 };

		hear(w, node, &w->nodes[n], &m);
		assert_int_equal(view->commit, commit);
		assert_int_equal(view->state, VIEW_OPENING);
	}
	world_free(w);
}

// Nor is any reported as durable before the view's own first record is.
static void nothing_is_reported_below_the_first_record(void **state)
{
	struct world *w = world_new(NODES);
	struct world_node *node = opening(w);
	struct view *view;

	(void)state;
	assert_non_null(node);
	view = node->view;
	view->copied_sent = true;
	view->reported = 0;
	view->sync_busy = true;
	view->durable_index = view->opening_index - 1;
	for (int i = 0; i < 3; i++) {
		struct event tick = { .type = EVENT_TICK, .now_ms = w->now_ms };

		w->actions.count = 0;
		w->actions.used = 0;
		view_step(view, &tick, &w->actions);
		assert_int_equal(view->reported, 0);
	}
	world_free(w);
}

static bool all_normal(const struct world *w)
{
	for (uint32_t n = 0; n < NODES; n++)
		if (!w->nodes[n].up || w->nodes[n].view->state != VIEW_NORMAL)
			return false;
	return true;
}

static void until_normal(struct world *w)
{
	for (uint32_t step = 0; step < 100000 && !all_normal(w); step++)
		world_progress(w);
	assert_true(all_normal(w));
}

static struct world *normal(void)
{
	struct world *w = world_new(NODES);

	world_start(w, 9);
	w->quiet = true;
	for (uint32_t n = 0; n < NODES; n++)
		world_boot(w, n, false);
	until_normal(w);
	return w;
}

// Until it is known to be committed, a majority of the old list and one of the new must hold a
// change of the voters: those who have not heard of it may still form a view of the old list alone.
static void a_change_of_the_voters_needs_both_lists(void **state)
{
	struct world *w = normal();
	struct view *view = w->nodes[0].view;
	struct message m = { .type = MESSAGE_SYNCED, .view = view->number };
	uint64_t commit;

	(void)state;
	assert_true(log_last(view) > view->base_index);
	commit = view->commit = log_last(view) - 1;
	view->opening_index = log_last(view);
	view->change_index = log_last(view);
	view->voters.count = 0;
	for (uint32_t i = 0; i < view->member_count; i++) {
		struct voters *voters = &view->voters;

		view->members[i].synced = 0;
		voters->list[voters->count].id = view->members[i].id;
		voters->list[voters->count++].store = view->members[i].facts.store;
	}
	assert_int_equal(view->voters.count, 3);
	view->previous = view->voters;	// the third one is being added
	view->previous.count = 2;
	m.index = log_last(view);
	hear(w, &w->nodes[0], &w->nodes[2], &m);
	hear(w, &w->nodes[0], &w->nodes[0], &m);
	assert_int_equal(view->commit, commit);
	hear(w, &w->nodes[0], &w->nodes[1], &m);
	assert_int_equal(view->commit, commit + 1);
	world_free(w);
}

// The same members, the same processes, the same tag: what was said in their last meeting must not
// count in this one.
static void every_gathering_has_a_mark_of_its_own(void **state)
{
	static const int apart[WORLD_NODES] = { 0, 1, 1 }, together[WORLD_NODES] = { 0 };
	struct world *w = normal();
	struct view *view = w->nodes[1].view;
	uint64_t tag = view->tag, epoch = view->epoch;

	(void)state;
	world_split(w, apart);
	for (int step = 0; step < 2000; step++)
		world_progress(w);
	world_split(w, together);
	until_normal(w);
	for (int step = 0; step < 100000 && view->tag != tag; step++)
		world_progress(w);
	until_normal(w);
	assert_true(view->tag == tag);
	assert_true(view->epoch != epoch);
	world_free(w);
}

static struct world_node *coordinator_of(struct world *w)
{
	for (uint32_t n = 0; n < NODES; n++)
		if (view_coordinator(w->nodes[n].view))
			return &w->nodes[n];
	return NULL;
}

static bool propose_something(struct world *w, struct world_node *node, size_t size)
{
	static struct entry entry;
	static uint8_t body[4096], bytes[8192];

	memset(&entry, 0, sizeof(entry));
	entry.type = ENTRY_VM_WANT;
	strcpy(entry.name, "vm");
	if (size) {
		entry.type = ENTRY_APPLY;
		entry.body = body;
		entry.body_size = size;
	}
	w->actions.count = 0;
	w->actions.used = 0;
	return view_propose(node->view, ++node->next_cookie | 1ull << 40, bytes,
			    entry_encode(&entry, bytes, sizeof(bytes)), w->now_ms, &w->actions);
}

// The coordinator's own sync takes place while its record is on its way, and alone is no majority.
static void a_coordinator_syncs_what_it_sends_at_once(void **state)
{
	static const uint8_t wanted[] = { ACTION_SEND, ACTION_STORE_ENTRY, ACTION_STORE_SYNC };
	struct event synced = { .type = EVENT_STORE_SYNCED };
	struct world *w = normal();
	struct world_node *node = coordinator_of(w);
	struct view *view = node->view;
	uint64_t last = log_last(view), commit;
	uint32_t found = 0;

	(void)state;
	while (world_progress(w) && view->sync_busy)
		;
	assert_false(view->sync_busy);
	last = log_last(view);
	commit = view->commit;
	assert_true(propose_something(w, node, 0));
	view_flush(view, &w->actions);
	for (uint32_t i = 0; i < w->actions.count && found < 3; i++)
		found += w->actions.items[i].type == wanted[found];
	assert_int_equal(found, 3);
	assert_int_equal(log_last(view), last + 1);
	synced.now_ms = w->now_ms;
	synced.token = view->sync_token;
	w->actions.count = 0;
	w->actions.used = 0;
	view_step(view, &synced, &w->actions);
	assert_int_equal(view->reported, last + 1);
	assert_int_equal(view->commit, commit);
	world_free(w);
}

// The others must be able to take the tail into their own memory when the next view begins.
static void a_long_tail_waits_for_its_delivery(void **state)
{
	struct world *w = normal();
	struct world_node *node = coordinator_of(w);
	struct view *view = node->view;

	(void)state;
	while (world_progress(w))
		;
	for (uint32_t i = 0; i < view->log.slots_max / 4 && propose_something(w, node, 0); i++)
		world_perform(w, (uint32_t)(node - w->nodes));
	assert_true(log_last(view) > view->commit);
	assert_true(view->sent_index > log_last(view));
	assert_true(log_last(view) - view->commit <= view->log.slots_max / 16);
	while (world_progress(w))
		;
	assert_int_equal(view->commit, view->sent_index);
	for (uint32_t i = 0; i < 4 && propose_something(w, node, view->log.bytes_max / 20); i++)
		world_perform(w, (uint32_t)(node - w->nodes));
	assert_true(view->sent_index > log_last(view));
	assert_true(log_bytes_after(view, view->commit) <= view->log.bytes_max / 8);
	world_free(w);
}

/*
 * A hole in a transitional configuration may make two members take themselves for the coordinator
 * of one view number while it opens. Their records have the same view and index, so no store may
 * see one before it is delivered, which in such a configuration never happens.
 */
static void while_it_opens_a_view_stores_only_what_is_delivered(void **state)
{
	struct world *w = world_new(NODES);
	uint8_t before[NODES] = { 0 };
	uint32_t found = 0;

	(void)state;
	world_start(w, 11);
	w->quiet = true;
	for (uint32_t n = 0; n < NODES; n++)
		world_boot(w, n, false);
	for (uint32_t step = 0; step < 100000 && !all_normal(w); step++) {
		world_progress(w);
		for (uint32_t n = 0; n < NODES; n++) {
			const struct view *view = w->nodes[n].view;

			if (view->state == VIEW_OPENING && before[n] == VIEW_SYNCING &&
			    view->coordinator == view->self) {
				assert_int_equal(view->sent_index, view->opening_index);
				assert_int_equal(log_last(view), view->opening_index - 1);
				found++;
			}
			before[n] = view->state;
		}
	}
	assert_true(found > 0);
	world_free(w);
}

static void step(struct world *w, struct world_node *node, struct event *event)
{
	event->now_ms = w->now_ms;
	w->actions.count = 0;
	w->actions.used = 0;
	view_step(node->view, event, &w->actions);
}

static uint64_t hear_record_of(struct world *w, struct world_node *node,
			       const struct world_node *from, const struct world_node *origin)
{
	static struct entry entry;
	uint8_t bytes[128];
	struct message m = { .type = MESSAGE_ENTRY, .view = node->view->number,
			     .index = log_last(node->view) + 1, .origin = origin->id,
			     .body = bytes };

	memset(&entry, 0, sizeof(entry));
	entry.type = ENTRY_VM_CLEAR;
	strcpy(entry.name, "vm");
	m.body_size = entry_encode(&entry, bytes, sizeof(bytes));
	assert_true(m.body_size > 0);
	hear(w, node, from, &m);
	assert_int_equal(log_last(node->view), m.index);
	return m.index;
}

static uint64_t hear_record(struct world *w, struct world_node *node,
			    const struct world_node *from)
{
	return hear_record_of(w, node, from, from);
}

static void hear_synced(struct world *w, struct world_node *node, const struct world_node *from,
			uint64_t index)
{
	struct message m = { .type = MESSAGE_SYNCED, .view = node->view->number, .index = index };

	hear(w, node, from, &m);
}

// The sync that is under way.
static void durable(struct world *w, struct world_node *node, uint64_t index)
{
	struct event synced = { .type = EVENT_STORE_SYNCED, .token = node->view->sync_token };

	assert_true(node->view->sync_busy);
	step(w, node, &synced);
	assert_int_equal(node->view->durable_index, index);
}

static void pause_tick(struct world *w, struct world_node *node, uint64_t pause_ms)
{
	struct event tick = { .type = EVENT_TICK };

	w->now_ms += pause_ms;
	step(w, node, &tick);
}

static struct world *settled(void)
{
	struct world *w = normal();

	for (uint32_t i = 0; i < 5000; i++)
		world_progress(w);
	w->word_count = 0;
	assert_true(view_coordinator(w->nodes[0].view));
	w->now_ms += VIEW_EAGER_MS;
	return w;
}

// Those behind the first majority sync and report when its reports do not come; then at once for a
// while.
static void a_sync_that_nobody_needs_waits(void **state)
{
	struct world *w = settled();
	struct world_node *first = &w->nodes[0], *second = &w->nodes[1], *third = &w->nodes[2];
	struct view *view = third->view;
	uint64_t index;

	(void)state;
	index = hear_record(w, third, first);
	assert_false(view->sync_busy);
	assert_int_equal(view_deadline_ms(view), w->now_ms + VIEW_REPORT_MS);
	hear_synced(w, third, first, index);
	hear_synced(w, third, second, index);
	assert_int_equal(view->commit, index);
	pause_tick(w, third, VIEW_REPORT_MS - 1);
	assert_false(view->sync_busy);
	pause_tick(w, third, 1);
	durable(w, third, index);
	assert_true(view->reported < index); // both others said it: it was never needed
	assert_true(view_deadline_ms(view) > w->now_ms + VIEW_EAGER_MS);

	index = hear_record(w, third, first);
	hear_synced(w, third, first, index);
	assert_false(view->sync_busy);
	pause_tick(w, third, VIEW_REPORT_MS);
	durable(w, third, index);
	assert_int_equal(view->reported, index);
	index = hear_record(w, third, first);
	durable(w, third, index);
	assert_int_equal(view->reported, index);

	index = hear_record(w, second, first);
	durable(w, second, index);
	assert_int_equal(second->view->reported, index);
	world_free(w);
}

// Who waits for an answer of its own syncs at once, and reports when that is needed.
static void a_report_that_nobody_needs_waits(void **state)
{
	struct world *w = settled();
	struct world_node *first = &w->nodes[0], *third = &w->nodes[2];
	struct view *view = third->view;
	uint8_t own[] = { 1 };
	uint64_t index;

	(void)state;
	assert_true(view_propose(view, 1, own, sizeof(own), w->now_ms, &w->actions));
	index = hear_record(w, third, first);
	durable(w, third, index);
	assert_true(view->reported < index);
	hear_synced(w, third, first, index);
	assert_int_equal(view->commit, index); // known here, but not yet to the others
	assert_true(view->reported < index);
	assert_int_equal(view_deadline_ms(view), w->now_ms + VIEW_REPORT_MS);
	pause_tick(w, third, VIEW_REPORT_MS);
	assert_int_equal(view->reported, index);
	index = hear_record(w, third, first);
	durable(w, third, index);
	assert_int_equal(view->reported, index);
	world_free(w);
}

static void a_word_over_a_link_is_of_its_gathering_alone(void **state)
{
	struct world *w = settled();
	struct world_node *first = &w->nodes[0], *second = &w->nodes[1], *third = &w->nodes[2];
	struct view *view = third->view;
	struct event word = { .type = EVENT_SYNCED_HEARD,
			      .from_id = first->id,
			      .view = view->number,
			      .token = view->epoch ^ 2 };

	(void)state;
	word.index = hear_record(w, third, first);
	pause_tick(w, third, VIEW_REPORT_MS);
	durable(w, third, word.index);
	step(w, third, &word);
	word.token ^= 2;
	word.view++;
	step(w, third, &word);
	word.view--;
	word.from_id = third->id;
	step(w, third, &word);
	word.from_id = 77;
	step(w, third, &word);
	assert_true(view->commit < word.index);
	word.from_id = first->id;
	step(w, third, &word);
	assert_int_equal(view->commit, word.index);

	// Ahead of the record itself it counts once that has come and is heard of again. What the
	// others have not heard is no reason to be silent.
	w->now_ms += VIEW_EAGER_MS;
	word.index = log_last(view) + 1;
	step(w, third, &word);
	word.from_id = second->id;
	step(w, third, &word);
	assert_true(view->commit < word.index);
	assert_int_equal(hear_record(w, third, first), word.index);
	hear_synced(w, third, first, word.index);
	assert_int_equal(view->commit, word.index);
	pause_tick(w, third, VIEW_REPORT_MS);
	durable(w, third, word.index);
	pause_tick(w, third, VIEW_REPORT_MS);
	assert_int_equal(view->reported, word.index);
	world_free(w);
}

// The coordinator hears ahead of the group, and who proposed the record; nobody else does.
static void reports_go_ahead_to_those_who_wait(void **state)
{
	struct world *w = settled();
	struct world_node *first = &w->nodes[0], *second = &w->nodes[1], *third = &w->nodes[2];
	uint64_t index = hear_record_of(w, second, first, third);
	uint32_t told = 0;

	(void)state;
	durable(w, second, index);
	for (uint32_t i = 0; i < w->actions.count; i++) {
		const struct action *action = &w->actions.items[i];

		if (action->type != ACTION_SYNCED_TELL)
			continue;
		told |= 1u << action->node_id;
		assert_int_equal(action->index, index);
		assert_int_equal(action->view, second->view->number);
		assert_int_equal(action->token, second->view->epoch);
	}
	assert_int_equal(told, 1u << first->id | 1u << third->id);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_old_record_is_committed_only_below_one_of_this_view),
		cmocka_unit_test(nothing_is_reported_below_the_first_record),
		cmocka_unit_test(a_change_of_the_voters_needs_both_lists),
		cmocka_unit_test(every_gathering_has_a_mark_of_its_own),
		cmocka_unit_test(a_coordinator_syncs_what_it_sends_at_once),
		cmocka_unit_test(a_long_tail_waits_for_its_delivery),
		cmocka_unit_test(a_sync_that_nobody_needs_waits),
		cmocka_unit_test(a_report_that_nobody_needs_waits),
		cmocka_unit_test(a_word_over_a_link_is_of_its_gathering_alone),
		cmocka_unit_test(reports_go_ahead_to_those_who_wait),
		cmocka_unit_test(while_it_opens_a_view_stores_only_what_is_delivered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
