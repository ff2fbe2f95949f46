// SPDX-License-Identifier: Apache-2.0
#include "migration/source_limits.h"

#include "clusterd/text.h"

static const uint64_t NEVER = UINT64_MAX;

const char *source_why_unwanted(const struct move_context *context)
{
	if (context->leaving)
		return "its source leaves";
	if (context->move && !context->move->cancelled && context->move->reason[0])
		return context->move->reason;
	return context->move && !context->move->cancelled ? "its target is lost"
							  : "it was cancelled";
}

// Shuts QEMU's connection down, once in so long.
static void break_again(struct move_source *source, const struct move_context *context,
			uint64_t every_ms)
{
	if (source->break_ms && context->now_ms - source->break_ms < every_ms)
		return;
	source->break_ms = context->now_ms;
	move_action(context, ACTION_MIGRATE_BREAK);
}

/*
 * QEMU stands still and sends the rest. When nobody takes it any more (the target's host lost its
 * power, the network is cut) that would last until TCP gives up, many minutes, and cancelling is
 * forbidden here. But QEMU may be made to fail: its connection is shut down, it finds the error
 * itself, takes its disks back and goes on. Nothing was renounced, whatever the target received.
 */
void source_step_switching(struct move_source *source, const struct move_context *context)
{
	bool gone = context->move && context->move->target_gone;
	uint64_t limit_ms = SWITCH_LIMIT_MS + context->def->max_pause_ms;

	if (!gone && context->now_ms - source->since_ms < limit_ms)
		return;
	if (source->reason[0] == 0)
		text_copy(source->reason, sizeof(source->reason),
			  gone ? source_why_unwanted(context)
			       : "the rest of its memory did not get through");
	break_again(source, context, ASK_AGAIN_MS);
}

/*
 * A QEMU that is told to cancel shuts its main connection down and waits for its other threads,
 * which may hang in connections of their own. Those are shut down too. Nothing can be finished by
 * it: it was not told to finish, so nothing of the guest was given away.
 */
void source_step_cancelling(struct move_source *source, const struct move_context *context)
{
	if (context->now_ms - source->since_ms >= CANCEL_LIMIT_MS)
		break_again(source, context, CANCEL_LIMIT_MS);
}

/*
 * A network that swallows the rest of a guest that runs on the target would hang it until TCP gives
 * up. QEMU is made to see it: both ends are then torn, and the guest is lost, as at the death of
 * either.
 */
void source_step_rest(struct move_source *source, const struct move_context *context)
{
	uint64_t last_ms = source->sent_ms > source->since_ms ? source->sent_ms : source->since_ms;

	if (context->now_ms - last_ms >= SILENT_MS)
		break_again(source, context, CANCEL_LIMIT_MS);
}

void source_break_rest(struct move_source *source, const struct move_context *context)
{
	break_again(source, context, CANCEL_LIMIT_MS);
}

bool source_is_connecting(const struct move_source *source)
{
	return source->state == SOURCE_SENDING && source->status == MIGRATE_SETUP;
}

static uint64_t sooner(uint64_t first_ms, uint64_t second_ms, uint64_t now_ms)
{
	return second_ms > now_ms && second_ms < first_ms ? second_ms : first_ms;
}

uint64_t source_deadline_ms(const struct move_source *source, const struct move_context *context)
{
	uint64_t due_ms = NEVER;

	switch ((enum source_state)source->state) {
	case SOURCE_PREPARING:
		if (source->rate_asked && !source->rate_known)
			due_ms = sooner(due_ms, source->ask_ms + RATE_LIMIT_MS, context->now_ms);
		due_ms = sooner(due_ms, source->since_ms + LINK_LIMIT_MS, context->now_ms);
		return sooner(due_ms, source->since_ms + READY_LIMIT_MS, context->now_ms);
	case SOURCE_SENDING:
		if (source_is_connecting(source))
			due_ms = sooner(due_ms, source->since_ms + CONNECT_LIMIT_MS,
					context->now_ms);
		return sooner(due_ms, source->event_ms + SILENT_MS, context->now_ms);
	case SOURCE_HANDED:
		if (source->status == MIGRATE_POSTCOPY) {
			due_ms = sooner(due_ms, source->sent_ms + SILENT_MS, context->now_ms);
			due_ms = sooner(due_ms, source->since_ms + SILENT_MS, context->now_ms);
			due_ms =
				sooner(due_ms, source->break_ms + CANCEL_LIMIT_MS, context->now_ms);
		}
		if (source->told && !source->heard && !source->never)
			return sooner(due_ms, source->word_ms + WORD_AGAIN_MS, context->now_ms);
		return due_ms;
	case SOURCE_SWITCHING:
		due_ms = sooner(due_ms, source->since_ms + SWITCH_SAID_MS, context->now_ms);
		if (source->break_ms)
			return sooner(due_ms, source->break_ms + ASK_AGAIN_MS, context->now_ms);
		return sooner(due_ms,
			      source->since_ms + SWITCH_LIMIT_MS + context->def->max_pause_ms,
			      context->now_ms);
	case SOURCE_CANCELLING:
		if (source->break_ms)
			return sooner(due_ms, source->break_ms + CANCEL_LIMIT_MS, context->now_ms);
		return sooner(due_ms, source->since_ms + CANCEL_LIMIT_MS, context->now_ms);
	case SOURCE_RESUMING:
	case SOURCE_FAILED:
	case SOURCE_TAKING:
	case SOURCE_STAYED:
	case SOURCE_ENDING:
	case SOURCE_GONE:
	case SOURCE_STATE_COUNT:
		break;
	}
	return NEVER;
}
