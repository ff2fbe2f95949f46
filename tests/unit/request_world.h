// SPDX-License-Identifier: Apache-2.0
// One real node, alone in its group, that carries out what administrators ask: requests in, answers
// out.
#pragma once

#include "clusterd/node_internal.h"
#include "clusterd/request_io.h"

enum { WORLD_CLIENT = 7, WORLD_ACTIONS_MAX = 4096 };

struct world_event {
	struct event event;
	uint8_t *body;
	struct world_event *next;
};

struct request_world {
	struct node *node;
	void *memory;
	struct request *request;
	struct actions actions;
	struct world_event *first, *last;
	uint64_t now_ms;
	uint64_t incarnation;
	bool stepping;
	char *answer; // the last one, zero-terminated
	uint32_t answers;
	uint32_t stats_of; // a move
	struct migrate_stats stats;
};

// A node with id 1 in a view of its own; nothing is defined. `schema` may be NULL when nothing is
// applied.
void world_open(struct request_world *world, const char *schema);
void world_close(struct request_world *world);
// Lets the node do what there is to do, for so long.
void world_run(struct request_world *world, uint64_t ms);
// One request and its answer (the world's, until the next one); NULL when none came within 30 s.
const char *world_ask(struct request_world *world, const char *text);
