// SPDX-License-Identifier: Apache-2.0
// One node with a view that is given: what the tests of its own part have in common.
#pragma once

#include "tests/unit/cluster_fixture.h"

#include "clusterd/node_internal.h"
#include "quorum/view_internal.h"

enum { ACTIONS_BYTES = 8 * 1024 * 1024, ACTIONS_MAX = 1024 };

static struct fixture f;
static struct node *node;
static void *memory;
static struct actions actions;
static uint64_t now_ms;

// What the fixture's cluster is now, the node's replica becomes. It is n1, and n2 coordinates.
static inline void replica_take(void)
{
	size_t size = cluster_encode(&f.cluster, NULL, 0);
	uint8_t *bytes = malloc(size);

	assert_non_null(bytes);
	cluster_encode(&f.cluster, bytes, size);
	assert_true(cluster_decode(&node->cluster, bytes, size));
	free(bytes);
}

static inline void view_give(uint32_t in_ring)
{
	struct view *view = node->view;

	view->open = view->quorate = view->grouped = view->has_copy = true;
	view->loading = false;
	view->state = VIEW_NORMAL;
	view->self = 1;
	view->store = 11;
	view->coordinator = 2;
	view->number = node->cluster.view;
	view->member_count = 3;
	view->ring_count = 0;
	for (uint32_t i = 0; i < 3; i++) {
		view->members[i] = (struct member){
			.id = i + 1, .pid = 1, .takes_part = true, .copied = true
		};
		view->member_ids[i] = i + 1;
		if (in_ring >> i & 1)
			view->ring_ids[view->ring_count++] = i + 1;
	}
	log_start(view, node->cluster.index, view->number);
	view->sent_index = node->cluster.index;
}

static inline int open_world(void **state)
{
	const struct node_limits limits = {
		.cluster = { .vms_max = 16, .lease_slots_max = 32 },
		.view = { .records_max = 64,
			  .log_bytes = 65536,
			  .proposals_max = 16,
			  .proposal_bytes = 65536,
			  .copy_bytes = 65536 },
		.requests_max = 4,
	};

	(void)state;
	fixture_open(&f, 16, 32, 16);
	fixture_cluster(&f);
	memory = calloc(1, node_memory(&limits));
	actions = (struct actions){ .items = calloc(ACTIONS_MAX, sizeof(struct action)),
				    .max = ACTIONS_MAX,
				    .bytes = malloc(ACTIONS_BYTES),
				    .size = ACTIONS_BYTES };
	assert_non_null(memory);
	node = node_init(&limits, memory);
	replica_take();
	view_give(7);
	node->self = 1;
	node->incarnation = 5;
	node->adopted = node->host_known = node->sanlock_up = true;
	now_ms = 1000000;
	return 0;
}

static inline int close_world(void **state)
{
	(void)state;
	free(actions.items);
	free(actions.bytes);
	free(memory);
	fixture_close(&f);
	return 0;
}

static inline void step(struct event event)
{
	event.now_ms = event.wall_ms = now_ms;
	actions.count = 0;
	actions.used = 0;
	proposals_forget(node->view); // nothing is ever heard of them
	node->decide_out = 0;
	node_step(node, &event, &actions);
}

static inline void tick(uint64_t after_ms)
{
	now_ms += after_ms;
	step((struct event){ .type = EVENT_TICK });
}

// The entry of this type that was proposed in the last step, sent or not.
static inline bool proposed(enum entry_type type, struct entry *entry)
{
	const struct ring *ring = &node->view->proposals;

	for (uint32_t i = 0; i < ring->count; i++) {
		const struct ring_slot *slot = ring_at(ring, i);

		if (entry_decode(entry, ring_body(ring, slot), slot->size) && entry->type == type)
			return true;
	}
	return false;
}

static inline void seen_by(uint32_t coordinator)
{
	replica_take();
	view_give(7);
	node->view->coordinator = coordinator;
}
