// SPDX-License-Identifier: Apache-2.0
// Messages of any kind to a view in each of its states: dropped and counted, never a crash.
//
// The input is a list of (which node it comes from and goes to, length, bytes). Numbers that only a
// real member could know (tag, view) are put in now and then, so that the fields behind them are
// reached too.
#include <stdlib.h>
#include <string.h>

#include "tests/unit/view_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void patch(const struct world *w, uint32_t to, uint8_t *bytes, size_t size, uint8_t how)
{
	const struct view *view = w->nodes[to].view;
	uint64_t number = view->number, tag = view->tag;
	bool tagged = size > 3 && (bytes[3] == MESSAGE_STATE || bytes[3] == MESSAGE_COPY ||
				   bytes[3] == MESSAGE_COPIED || bytes[3] == MESSAGE_RECOVER);

	if (size > 3 && (how & 1)) {
		bytes[0] = VIEW_MAGIC & 0xff;
		bytes[1] = VIEW_MAGIC >> 8;
		bytes[2] = VIEW_PROTOCOL;
	}
	if (size >= 12 && (how & 2))
		memcpy(bytes + 4, tagged ? &tag : &number, 8);
	if (size >= 20 && (how & 4) && tagged)
		memcpy(bytes + 12, &number, 8);
}

static void bring(struct world *w, uint8_t state)
{
	static const int together[WORLD_NODES] = { 0 };
	uint32_t steps = (uint32_t)state * 4;

	world_start(w, state);
	w->loss_allowed = true;
	for (uint32_t n = 0; n < w->count; n++)
		world_boot(w, n, false);
	for (uint32_t i = 0; i < steps; i++)
		world_progress(w);
	if (state & 1)
		world_crash(w, 2);
	if (state & 2)
		world_split(w, together);
}

// A step without the world's own checks: what a forged message makes of a view need not make sense.
static void step(struct world *w, uint32_t n, const struct event *event)
{
	struct world_node *node = &w->nodes[n];
	const struct record *record;
	char reason[64];

	w->actions.count = 0;
	w->actions.used = 0;
	view_step(node->view, event, &w->actions);
	view_take_reloaded(node->view);
	while ((record = view_next_committed(node->view)) != NULL)
		node->cluster.index = record->index;
	view_reason(node->view, reason, sizeof(reason));
	view_deadline_ms(node->view);
}

// The store answers, and what the node sent itself comes back to it.
static void answer(struct world *w, uint32_t n)
{
	struct world_node *node = &w->nodes[n];
	struct event event = { .type = EVENT_STORE_SYNCED, .now_ms = w->now_ms, .from_id = node->id,
			       .from_pid = node->pid, .token = node->view->sync_token };
	uint8_t *copy = malloc(w->actions.used + 1);
	struct action *items = malloc((w->actions.count + 1) * sizeof(*items));
	uint32_t count = w->actions.count;

	memcpy(copy, w->actions.bytes, w->actions.used);
	memcpy(items, w->actions.items, count * sizeof(*items));
	step(w, n, &event);
	event.type = EVENT_MESSAGE;
	for (uint32_t i = 0; i < count; i++) {
		if (items[i].type != ACTION_SEND)
			continue;
		event.body = copy + (items[i].body - w->actions.bytes);
		event.body_size = items[i].body_size;
		step(w, n, &event);
	}
	free(items);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world *w;
	size_t at = 1;

	if (size < 4)
		return 0;
	if (!w)
		w = world_new(3);
	bring(w, data[0]);
	while (at + 3 <= size) {
		uint32_t to = data[at] & 1, from = (data[at] >> 1 & 3) % 3;
		uint8_t how = data[at] >> 4;
		size_t length = data[at + 1] | (size_t)data[at + 2] << 8;
		struct event event = { .type = EVENT_MESSAGE, .now_ms = ++w->now_ms };
		uint8_t *bytes;

		at += 3;
		if (length > size - at)
			length = size - at;
		// A copy of just that size: reading beyond it is seen.
		bytes = malloc(length);
		if (length > 0)
			memcpy(bytes, data + at, length);
		at += length;
		patch(w, to, bytes, length, how);
		event.from_id = w->nodes[from].id;
		event.from_pid = w->nodes[from].pid;
		event.body = bytes;
		event.body_size = length;
		if (w->nodes[to].up) {
			step(w, to, &event);
			if (how & 8)
				answer(w, to);
		}
		free(bytes);
	}
	return 0;
}
