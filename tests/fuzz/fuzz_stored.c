// SPDX-License-Identifier: Apache-2.0
// Any bytes as what a store holds: refused with a line in the log, or a copy that a view stands on.
//
// The input is a list of (kind, index and view as small steps, length, bytes), then the store
// counts as opened, and the node, alone in its group, goes on with what it has.
#include <stdlib.h>
#include <string.h>

#include "quorum/view_internal.h"

enum { SELF = 1, PID = 100, ROUNDS = 12 };

static const struct cluster_limits limits = { .vms_max = 8, .lease_slots_max = 6 };
static const struct view_limits view_limits = {
	.records_max = 64, .log_bytes = 1 << 16, .proposals_max = 8, .proposal_bytes = 1 << 14,
	.copy_bytes = 1 << 18,
};
static struct action items[256];
static uint8_t bytes[1 << 22];
static struct actions actions = {
	.items = items, .max = 256, .bytes = bytes, .size = sizeof(bytes)
};
static struct cluster cluster;
static struct view *view;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void step(struct event *event)
{
	const struct record *record;
	struct entry_result result;
	struct entry entry;

	event->now_ms += 100;
	actions.count = 0;
	actions.used = 0;
	view_step(view, event, &actions);
	view_take_reloaded(view);
	// What comes out is what the daemon applies without a further question.
	while ((record = view_next_committed(view)) != NULL) {
		INVARIANT(entry_decode(&entry, record->body, record->body_size));
		cluster_apply(&cluster, record->index, &entry, &result);
	}
}

// What the node sent comes back to it, and what it put is synced.
static void answer(struct event *event)
{
	uint32_t count = actions.count;
	struct action *done = malloc((count + 1) * sizeof(*done));
	uint8_t *copy = malloc(actions.used + 1);

	INVARIANT(done && copy);
	memcpy(done, items, count * sizeof(*done));
	memcpy(copy, bytes, actions.used);
	for (uint32_t i = 0; i < count; i++) {
		event->type = EVENT_MESSAGE;
		event->token = done[i].token;
		event->body = NULL;
		event->body_size = 0;
		if (done[i].type == ACTION_STORE_SYNC) {
			event->type = EVENT_STORE_SYNCED;
			step(event);
		} else if (done[i].type == ACTION_SEND) {
			event->body = copy + (done[i].body - bytes);
			event->body_size = done[i].body_size;
			step(event);
		}
	}
	free(done);
	free(copy);
}

static size_t load(const uint8_t *data, size_t size, struct event *event)
{
	size_t length = data[2] | (size_t)data[3] << 8;
	uint8_t *exact;

	event->type = data[0] & 1 ? EVENT_STORE_ENTRY : EVENT_STORE_SNAPSHOT;
	event->index = data[0] & 2 ? event->index + 1 : event->index + data[1] % 16;
	event->view += data[0] >> 4;
	length = length < size - 4 ? length : size - 4;
	exact = malloc(length + 1);
	INVARIANT(exact);
	memcpy(exact, data + 4, length);
	event->body = exact;
	event->body_size = length;
	step(event);
	free(exact);
	return 4 + length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct group_member self = { .id = SELF, .pid = PID };
	static uint64_t *memory[2];
	struct event event = { .from_id = SELF, .from_pid = PID };
	bool copy = false;
	size_t at = 1;

	if (!memory[0]) {
		memory[0] = malloc(cluster_memory(&limits));
		memory[1] = malloc(view_memory(&view_limits));
		INVARIANT(memory[0] && memory[1]);
	}
	if (size < 1)
		return 0;
	cluster_init(&cluster, &limits, memory[0]);
	view = view_init(&view_limits, memory[1], &cluster);
	while (size - at >= 4) {
		copy = copy || !(data[at] & 1);
		at += load(data + at, size - at, &event);
	}
	event = (struct event){
		.type = EVENT_STORE_OPENED, .flag = copy, .store = 5, .incarnation = 1,
		.index = data[0] & 15, .promised = data[0] >> 4, .now_ms = event.now_ms,
	};
	step(&event);
	event.type = EVENT_NODELIST;
	event.members = &self;
	event.member_count = 1;
	step(&event);
	event = (struct event){
		.type = EVENT_GROUP, .node_id = SELF, .members = &self, .member_count = 1,
		.now_ms = event.now_ms,
	};
	step(&event);
	event.from_id = SELF;
	event.from_pid = PID;
	for (int i = 0; i < ROUNDS; i++)
		answer(&event);
	return 0;
}
