// SPDX-License-Identifier: Apache-2.0
// One VM that runs, and what is said of its moves: for tests of struct move.
#pragma once

#include "tests/unit/cluster_fixture.h"

#include "clusterd/cluster_internal.h"
#include "clusterd/decide_move.h"

static struct fixture f;

enum { N1, N2, N3 }; // slots; ids are one more

static inline int begin(void **state)
{
	(void)state;
	fixture_open(&f, 16, 4, 16);
	fixture_cluster(&f);
	doc_vm(&f, "web", "v1");
	doc_accept(&f);
	doc_begin(&f);
	run_vm(&f, "web", N1);
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	fixture_close(&f);
	return 0;
}

static inline struct vm *web(void)
{
	return the_vm(&f, "web");
}

static inline const struct move *its_move(void)
{
	const struct move *move = cluster_move(&f.cluster, web()->move);

	assert_non_null(move);
	return move;
}

static inline const struct past_move *last_past(void)
{
	return &f.cluster.past_moves[(f.cluster.past_move + PAST_MOVES_MAX - 1) % PAST_MOVES_MAX];
}

static inline void ended(enum move_outcome outcome)
{
	assert_int_equal(web()->move, 0);
	assert_string_equal(last_past()->vm, "web");
	assert_int_equal(last_past()->outcome, outcome);
	for (uint32_t i = 0; i < MOVES_MAX; i++)
		assert_int_equal(f.cluster.moves[i].id, 0);
}

static inline struct entry request(enum move_kind kind, uint8_t target)
{
	struct entry entry = named(ENTRY_MOVE_REQUEST, "web");

	entry.move_kind = (uint8_t)kind;
	entry.actor = target;
	return entry;
}

static inline struct entry begin_entry(enum move_kind kind, uint8_t target)
{
	return (struct entry){ .type = ENTRY_MOVE_BEGIN,
			       .vm = web()->ref,
			       .move = web()->move,
			       .actor = target,
			       .move_kind = (uint8_t)kind };
}

static inline struct entry says(uint8_t slot, enum move_report report)
{
	struct entry entry = about_node(ENTRY_MOVE_REPORT, slot + 1u);

	entry.move = web()->move;
	entry.move_report = (uint8_t)report;
	return entry;
}

static inline void say(uint8_t slot, enum move_report report)
{
	accept(&f, says(slot, report));
}

static inline struct entry says_why(uint8_t slot, enum move_report report, const char *reason)
{
	struct entry entry = says(slot, report);

	text_copy(entry.reason, sizeof(entry.reason), reason);
	return entry;
}

static inline void stands(enum move_stage stage)
{
	assert_int_equal(its_move()->stage, stage);
}

static inline void go_to(enum move_stage stage)
{
	uint32_t attempt = web()->attempt;

	accept(&f, request(MOVE_LIVE, N3));
	if (stage == STAGE_ASKED)
		return;
	accept(&f, begin_entry(MOVE_LIVE, N3));
	assert_int_equal(web()->attempt, attempt + 2);
	assert_int_equal(its_move()->attempt, attempt + 1);
	if (stage == STAGE_PREPARE)
		return;
	say(N1, MOVE_REPORT_SHARED);
	stands(STAGE_PREPARE);
	say(N3, MOVE_REPORT_READY);
	stands(STAGE_TRANSFER);
	if (stage == STAGE_TRANSFER)
		return;
	say(N1, MOVE_REPORT_HANDOVER);
	if (stage == STAGE_HANDOVER)
		return;
	say(N3, MOVE_REPORT_RUNS);
	stands(STAGE_CLEANUP);
}

static inline void lose(uint8_t slot)
{
	accept(&f, about_node(ENTRY_NODE_LOST, slot + 1u));
}

static inline struct entry fence(uint8_t slot, enum entry_type type)
{
	struct entry entry = about_node(type, slot + 1u);

	entry.actor = slot == N2 ? N1 : N2;
	entry.from = entry.actor + 1u;
	entry.attempt = the_node(&f, slot + 1u)->fence_attempt + (type == ENTRY_NODE_FENCING);
	entry.flag = true;
	return entry;
}

static inline void prove_dead(uint8_t slot)
{
	accept(&f, fence(slot, ENTRY_NODE_FENCING));
	accept(&f, fence(slot, ENTRY_FENCE_RESULT));
	accept(&f, fence(slot, ENTRY_NODE_RELEASED));
	assert_int_equal(the_node(&f, slot + 1u)->life, NODE_DEAD);
}

static inline void runs_on(uint8_t slot)
{
	assert_int_equal(web()->owner, slot);
	assert_int_equal(web()->phase, VM_RUNNING);
}

static inline void idle(void)
{
	assert_int_equal(web()->owner, SLOT_NONE);
	assert_int_equal(web()->phase, VM_IDLE);
}
