// SPDX-License-Identifier: Apache-2.0
// One end of a move, or a saving, alone against a move made by hand: what it hears, and what it
// then says and does.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "migration/ends.h"

enum { PEER = 2 };

static struct action items[64];
static uint8_t bytes[65536];
static struct actions actions = {
	.items = items, .max = 64, .bytes = bytes, .size = sizeof(bytes)
};
static struct move move;
static struct vm vm;
static struct vm_def def;
static struct vm_local local;
static struct move_context context;
static struct move_source source;
static struct move_target target;
static struct move_save save;
static uint64_t now_ms;

static inline uint32_t asked(enum action_type type)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < actions.count; i++)
		count += items[i].type == type;
	return count;
}

static inline bool told(enum move_word word)
{
	for (uint32_t i = 0; i < actions.count; i++)
		if (items[i].type == ACTION_MOVE_TELL && items[i].word == word)
			return true;
	return false;
}

static inline void clear(void)
{
	actions.count = 0;
	actions.used = 0;
	context.now_ms = now_ms;
}

static inline int open_world(void **state)
{
	(void)state;
	now_ms = 100000;
	move = (struct move){ .id = 7,
			      .vm = { 0, 1 },
			      .kind = MOVE_LIVE,
			      .stage = STAGE_PREPARE,
			      .source = 0,
			      .target = 1,
			      .attempt = 4 };
	vm = (struct vm){ .used = true, .ref = { 0, 1 }, .move = 7, .saved_volume = 1 };
	def = (struct vm_def){ .memory_mib = 128, .max_pause_ms = 1000 };
	local = (struct vm_local){ .ref = { 0, 1 }, .deadline_ms = UINT64_MAX };
	context = (struct move_context){ .move = &move,
					 .vm = &vm,
					 .def = &def,
					 .local = &local,
					 .peer_id = PEER,
					 .peer = "n2",
					 .normal = true,
					 .actions = &actions };
	clear();
	return 0;
}

// What clusterd/local.c does in each step.
static inline void settle_source(void)
{
	uint8_t life, before;

	do {
		struct vm_wish wish = { .keep = true, .why = "", .stop_timeout_ms = 1000 };

		life = local.life;
		before = source.state;
		source_step(&source, &context);
		source_wish(&source, &context, &wish);
		vm_local_wish(&local, &wish, now_ms, &actions);
	} while (life != local.life || before != source.state);
}

static inline void settle_target(void)
{
	uint8_t life, before;

	do {
		struct vm_wish wish = { .why = "", .stop_timeout_ms = 1000 };

		life = local.life;
		before = target.state;
		target_step(&target, &context);
		target_wish(&target, &context, &wish);
		vm_local_wish(&local, &wish, now_ms, &actions);
	} while (life != local.life || before != target.state);
}

static inline void settle_save(void)
{
	uint8_t life, before;

	do {
		struct vm_wish wish = { .keep = true, .why = "", .stop_timeout_ms = 1000 };

		life = local.life;
		before = save.state;
		save_step(&save, &context);
		save_wish(&save, &context, &wish);
		vm_local_wish(&local, &wish, now_ms, &actions);
	} while (life != local.life || before != save.state);
}

static inline void hear(struct event event)
{
	event.vm = local.ref;
	event.attempt = local.attempt;
	event.now_ms = now_ms;
	clear();
	vm_local_event(&local, &event, &actions);
}

static inline void source_hears(struct event event)
{
	hear(event);
	source_event(&source, &context, &event);
	settle_source();
}

static inline void target_hears(struct event event)
{
	hear(event);
	target_event(&target, &context, &event);
	settle_target();
}

static inline void save_hears(struct event event)
{
	hear(event);
	save_event(&save, &context, &event);
	settle_save();
}

static inline void source_migrates(enum migrate_status status)
{
	struct migrate_stats stats = { .status = (uint8_t)status,
				       .rounds = 1,
				       .rate = 1 << 30,
				       .transferred = ++now_ms,
				       .remaining = 1 << 20 };

	source_hears((struct event){ .type = EVENT_MIGRATE, .stats = &stats });
}

static inline void source_gets_word(enum move_word word)
{
	source_hears((struct event){
		.type = EVENT_MOVE_WORD, .node_id = PEER, .move = 7, .word = (uint8_t)word });
}

static inline void target_gets_word(enum move_word word)
{
	target_hears((struct event){
		.type = EVENT_MOVE_WORD, .node_id = PEER, .move = 7, .word = (uint8_t)word });
}

static inline void stage(enum move_stage to)
{
	move.stage = (uint8_t)to;
	clear();
}

static inline void running_here(enum run_state run_state, bool shared)
{
	hear((struct event){ .type = EVENT_VM_ADOPTED,
			     .flag = true,
			     .run_state = (uint8_t)run_state,
			     .shared = shared });
}
