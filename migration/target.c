// SPDX-License-Identifier: Apache-2.0
/*
 * The end of a move that a guest comes to. (The diagram is in ends.h; why it is safe, in source.c.)
 *
 * Its QEMU never continues by itself (-S), and is told to by this file alone: on WORD_RENOUNCED for
 * this very move, from its source. Neither quorum nor a normal view is needed at that moment: the
 * source saw TRANSFER committed before it could say the word, and since then no entry can give the
 * guest to anybody but these two.
 *
 * NEVER is a promise, so it is given only by a daemon that knows: it saw this QEMU from its start,
 * or found it in a state in which its CPUs cannot have run, and it has ended it. A daemon that
 * finds nothing (its host was cut off and is back) cannot know, and says only that nothing lives
 * here.
 */
#include <string.h>

#include "clusterd/invariant.h"
#include "clusterd/text.h"
#include "migration/ends.h"

enum {
	TORN_LIMIT_MS = 2000,
	// To agree on what follows, and to end the source's QEMU, takes the processors of every
	// node: not before the guest has answered what waited for it.
	BREATH_MS = 250,
};

#define BIT(state) (1u << (state))

static const uint8_t moves[TARGET_STATE_COUNT] = {
	// CONTINUING, RUNS, GONE: found so
	[TARGET_PREPARING] = BIT(TARGET_LISTENING) | BIT(TARGET_CONTINUING) | BIT(TARGET_RUNS) |
			     BIT(TARGET_ENDING) | BIT(TARGET_GONE),
	[TARGET_LISTENING] = BIT(TARGET_CONTINUING) | BIT(TARGET_ENDING) | BIT(TARGET_GONE),
	[TARGET_CONTINUING] = BIT(TARGET_RUNS) | BIT(TARGET_GONE),
	[TARGET_RUNS] = BIT(TARGET_OWNS) | BIT(TARGET_GONE),
	[TARGET_OWNS] = BIT(TARGET_GONE),
	[TARGET_ENDING] = BIT(TARGET_GONE),
};

static void target_move(struct move_target *target, enum target_state state)
{
	INVARIANT(moves[target->state] & BIT(state));
	target->state = (uint8_t)state;
}

const char *target_state_word(enum target_state state)
{
	switch (state) {
	case TARGET_PREPARING:
		return "preparing";
	case TARGET_LISTENING:
		return "listening";
	case TARGET_CONTINUING:
		return "continuing";
	case TARGET_RUNS:
		return "runs";
	case TARGET_OWNS:
		return "owns";
	case TARGET_ENDING:
		return "ending";
	case TARGET_GONE:
		return "gone";
	case TARGET_STATE_COUNT:
		break;
	}
	return "?";
}

static enum move_stage stage_of(const struct move_context *context)
{
	return context->move ? (enum move_stage)context->move->stage : MOVE_STAGE_COUNT;
}

// A guest may still come.
static bool awaited(const struct move_context *context)
{
	enum move_stage stage = stage_of(context);

	return (stage == STAGE_PREPARE || stage == STAGE_TRANSFER || stage == STAGE_HANDOVER) &&
	       !context->leaving;
}

static void say(const struct move_context *context, enum move_word word)
{
	struct action *action = move_action(context, ACTION_MOVE_TELL);

	action->node_id = context->peer_id;
	action->word = (uint8_t)word;
}

static void target_gone(struct move_target *target, const struct move_context *context, bool never,
			const char *reason)
{
	target->never = never;
	if (reason && target->reason[0] == 0)
		text_copy(target->reason, sizeof(target->reason), reason);
	target_move(target, TARGET_GONE);
	if (never && context->move)
		say(context, WORD_NEVER);
}

// It may be a long way into the move: what lives here says how far this end is.
void target_begin(struct move_target *target, const struct move_context *context)
{
	const struct vm_local *local = context->local;
	bool begun = stage_of(context) != STAGE_PREPARE || context->move->ready;

	memset(target, 0, sizeof(*target));
	if (local->life == LIFE_INCOMING && begun)
		target_move(target, TARGET_LISTENING);
	else if ((local->life == LIFE_RUNNING && !local->unsure) || local->life == LIFE_CONTINUING)
		target_move(target, TARGET_RUNS);
	else if (local->life == LIFE_INCOMING)
		target_move(target, TARGET_ENDING); // nobody knows where it listens
	else if (local->life == LIFE_OFFLINE && begun)
		target_gone(target, context, false, "its QEMU on the target was gone");
}

static void target_word(struct move_target *target, const struct move_context *context,
			const struct event *event)
{
	if (!context->move || event->move != context->move->id ||
	    event->node_id != context->peer_id || event->word != WORD_RENOUNCED)
		return;
	switch ((enum target_state)target->state) {
	case TARGET_LISTENING:
		if (awaited(context) && context->local->life == LIFE_INCOMING)
			target_move(target, TARGET_CONTINUING);
		break;
	case TARGET_RUNS:
	case TARGET_OWNS:
		say(context, WORD_CONTINUED);
		break;
	case TARGET_GONE:
		if (target->never)
			say(context, WORD_NEVER);
		break;
	case TARGET_PREPARING:
		// An earlier daemon wrote down that it lets it continue, and QEMU has not heard of
		// it, or has been paused since: the word is the same, and nobody else continues it.
		if (awaited(context) && context->local->life == LIFE_RUNNING &&
		    context->local->unsure && context->local->paused)
			vm_local_cont(context->local, context->actions);
		break;
	case TARGET_CONTINUING:
	case TARGET_ENDING:
	case TARGET_STATE_COUNT:
		break;
	}
}

void target_event(struct move_target *target, const struct move_context *context,
		  const struct event *event)
{
	if (event->type == EVENT_MOVE_WORD) {
		target_word(target, context, event);
	} else if (event->type == EVENT_QEMU_LISTENING && event->flag) {
		target->port = event->port;
		text_copy(target->address, sizeof(target->address),
			  event->reason ? event->reason : "");
	}
}

/*
 * With post-copy it may run without all of its memory when its source has gone, and would stand
 * still at the first page that it lacks, for ever. What QEMU has of a connection then is of no use:
 * it is shut down, where there still is one, and who lacks memory says that it is torn. Only after
 * a moment without that it has all.
 */
static bool has_all(struct move_target *target, const struct move_context *context)
{
	if (!context->def->post_copy)
		return true;
	if (target->break_ms == 0) {
		target->break_ms = context->now_ms;
		move_action(context, ACTION_MIGRATE_BREAK);
	}
	return !target->torn && context->now_ms - target->break_ms >= TORN_LIMIT_MS;
}

static bool before_cleanup(const struct move_context *context)
{
	enum move_stage stage = stage_of(context);

	return stage == STAGE_PREPARE || stage == STAGE_TRANSFER || stage == STAGE_HANDOVER;
}

static bool breathes(const struct move_target *target, const struct move_context *context)
{
	return target->state == TARGET_RUNS && before_cleanup(context) && target->runs_ms != 0 &&
	       context->now_ms - target->runs_ms < BREATH_MS;
}

uint64_t target_deadline_ms(const struct move_target *target, const struct move_context *context)
{
	uint64_t due_ms = target->break_ms + TORN_LIMIT_MS;

	if (breathes(target, context))
		return target->runs_ms + BREATH_MS;
	return target->state == TARGET_RUNS && target->break_ms && due_ms > context->now_ms
		       ? due_ms
		       : UINT64_MAX;
}

static void step_living(struct move_target *target, const struct move_context *context)
{
	const struct vm_local *local = context->local;

	target->torn |= local->sent == MIGRATE_TORN;
	switch ((enum target_state)target->state) {
	case TARGET_PREPARING:
		// Found standing, and everybody knows that it is the one that goes on.
		if (stage_of(context) == STAGE_CLEANUP && local->life == LIFE_RUNNING)
			target_move(target, TARGET_RUNS);
		else if (!awaited(context))
			target_move(target, TARGET_ENDING);
		else if (local->life == LIFE_RUNNING && !local->unsure)
			target_move(target, TARGET_RUNS);
		else if (local->life == LIFE_INCOMING && local->listening)
			target_move(target, TARGET_LISTENING);
		break;
	case TARGET_LISTENING:
		if (!awaited(context) && local->life == LIFE_INCOMING)
			target_move(target, TARGET_ENDING);
		break;
	case TARGET_CONTINUING:
		if (local->life != LIFE_RUNNING)
			break;
		target_move(target, TARGET_RUNS);
		target->runs_ms = context->now_ms;
		say(context, WORD_CONTINUED);
		break;
	case TARGET_RUNS:
		if (stage_of(context) == STAGE_CLEANUP && context->move->source_gone &&
		    has_all(target, context) && local->hold.state == HOLD_EXCLUSIVE)
			target_move(target, TARGET_OWNS);
		break;
	case TARGET_OWNS:
	case TARGET_ENDING:
	case TARGET_GONE:
	case TARGET_STATE_COUNT:
		break;
	}
	// Bridges learn where it lives from what it sends.
	if (target->state == TARGET_RUNS && !target->announced) {
		target->announced = true;
		move_action(context, ACTION_QEMU_ANNOUNCE);
	}
}

void target_step(struct move_target *target, const struct move_context *context)
{
	const struct vm_local *local = context->local;

	if (target->state == TARGET_GONE)
		return;
	if (local->life == LIFE_ENDED) {
		target_gone(target, context, !local->continued, local->reason);
		return;
	}
	if (local->life == LIFE_OFFLINE) {
		bool ahead = awaited(context) && stage_of(context) == STAGE_PREPARE &&
			     !context->move->ready;

		if (target->state == TARGET_PREPARING && (ahead || !context->normal)) {
			target->saw |= ahead && context->normal;
			return;
		}
		target_gone(target, context, target->state == TARGET_PREPARING && target->saw,
			    NULL);
		return;
	}
	step_living(target, context);
}

// Its possible owners may have been redefined since the move began.
static bool is_possible_owner(const struct move_context *context)
{
	const struct vm *vm = context->vm;

	return !vm || vm->possible == 0 || vm->possible & UINT64_C(1) << context->move->target;
}

// It listens where the source has found it.
static const struct migrate_params *params_of(const struct move_context *context)
{
	struct migrate_params *params = move_params(context);

	params->address = text_keep(context, context->move->address);
	params->bandwidth = 0;
	return params;
}

void target_wish(const struct move_target *target, const struct move_context *context,
		 struct vm_wish *wish)
{
	const struct move *move = context->move;
	bool cleanup = stage_of(context) == STAGE_CLEANUP;

	wish->lease = HOLD_AS_IS;
	if (target->torn) {
		wish->kill = wish->stay = wish->keep = true;
		wish->start = false;
		wish->why = "the network failed in post-copy, before all of its memory had come";
		return;
	}
	if (cleanup && (target->state == TARGET_RUNS || target->state == TARGET_OWNS)) {
		// It is the owner: what is wished of any VM counts.
		if (move->source_gone)
			wish->lease = HOLD_WISH_EXCLUSIVE;
		return;
	}
	wish->stay = true;
	wish->start = wish->stop = false;
	wish->keep = true;
	wish->why = "its move was undone";
	switch ((enum target_state)target->state) {
	case TARGET_PREPARING:
		// The other half of the rule by which a QEMU is let go: see resources/vm.c.
		wish->start = context->normal && stage_of(context) == STAGE_PREPARE &&
			      move->shared && !move->cancelled && !context->leaving &&
			      is_possible_owner(context);
		wish->keep = awaited(context);
		wish->mode = START_INCOMING;
		wish->attempt = move ? move->attempt : 0;
		if (wish->start && context->local->life == LIFE_GRANTED)
			wish->migrate = params_of(context);
		break;
	case TARGET_CONTINUING:
		wish->cont = context->local->life == LIFE_INCOMING;
		break;
	case TARGET_ENDING:
		wish->kill = true;
		break;
	case TARGET_LISTENING:
	case TARGET_RUNS:
	case TARGET_OWNS:
	case TARGET_GONE:
	case TARGET_STATE_COUNT:
		break;
	}
}

enum move_report target_due(const struct move_target *target, const struct move_context *context)
{
	const struct move *move = context->move;
	enum move_stage stage = stage_of(context);
	bool before = before_cleanup(context);

	if (!move)
		return (enum move_report)0;
	switch ((enum target_state)target->state) {
	case TARGET_LISTENING:
		if (stage == STAGE_PREPARE && !move->ready && target->address[0])
			return MOVE_REPORT_READY;
		break;
	case TARGET_RUNS:
		if ((before && !breathes(target, context)) || stage == STAGE_UNDO)
			return MOVE_REPORT_RUNS;
		break;
	case TARGET_OWNS:
		if (stage == STAGE_CLEANUP)
			return MOVE_REPORT_EXCLUSIVE;
		break;
	case TARGET_ENDING:
		if (before)
			return MOVE_REPORT_FAILED;
		break;
	case TARGET_GONE:
		if (before)
			return MOVE_REPORT_FAILED;
		if (stage == STAGE_UNDO && !move->target_gone)
			return MOVE_REPORT_TARGET_GONE;
		break;
	case TARGET_PREPARING:
	case TARGET_CONTINUING:
	case TARGET_STATE_COUNT:
		break;
	}
	return (enum move_report)0;
}
