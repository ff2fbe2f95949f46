// SPDX-License-Identifier: Apache-2.0
/*
 * A guest that is saved to its volume, to be restored elsewhere or later. (The diagram is in
 * ends.h.)
 *
 * Until SAVED is committed nobody may restore the state, so until QEMU was told to end the guest
 * may always go on here. SAVED is said when no QEMU is left and its lease is released. Who restores
 * it has VM_REPORT_RESTORING committed, which takes the state, before the guest continues: so it
 * continues from it once, however often that is tried, and never after the disk has moved on.
 */
#include <string.h>

#include "clusterd/invariant.h"
#include "clusterd/text.h"
#include "migration/ends.h"

#define BIT(state) (1u << (state))

static const uint8_t moves[SAVE_STATE_COUNT] = {
	// SAVED, GONE: found so
	[SAVE_WAITING] = BIT(SAVE_SAVING) | BIT(SAVE_SAVED) | BIT(SAVE_GONE) | BIT(SAVE_FAILED) |
			 BIT(SAVE_ENDED),
	[SAVE_SAVING] = BIT(SAVE_SAVED) | BIT(SAVE_FAILED) | BIT(SAVE_ENDED),
	[SAVE_SAVED] = BIT(SAVE_GONE),
	[SAVE_FAILED] = BIT(SAVE_ENDED),
};

static void save_move(struct move_save *save, enum save_state state)
{
	INVARIANT(moves[save->state] & BIT(state));
	save->state = (uint8_t)state;
}

const char *save_state_word(enum save_state state)
{
	switch (state) {
	case SAVE_WAITING:
		return "waiting";
	case SAVE_SAVING:
		return "saving";
	case SAVE_SAVED:
		return "saved";
	case SAVE_GONE:
		return "gone";
	case SAVE_FAILED:
		return "failed";
	case SAVE_ENDED:
		return "ended";
	case SAVE_STATE_COUNT:
		break;
	}
	return "?";
}

static bool wanted(const struct move_context *context)
{
	return context->move && context->move->stage == STAGE_SAVE && !context->move->cancelled &&
	       !context->leaving;
}

static void save_fail(struct move_save *save, const struct move_context *context, const char *why)
{
	if (save->reason[0] == 0)
		text_copy(save->reason, sizeof(save->reason), why ? why : "");
	save_move(save, SAVE_FAILED);
	context->local->sending = false;
	if (context->local->life == LIFE_RUNNING)
		vm_local_cont(context->local, context->actions);
}

/*
 * Its state is complete, and the guest has not gone on since: an earlier daemon wrote the one down
 * before it told of it, and takes it back before it lets a guest go on. A move saves once:
 * one that fails, or whose guest ends, is over.
 */
static bool found_saved(struct move_save *save, const struct move_context *context)
{
	const struct vm_local *local = context->local;

	if (local->saved_move == 0 || local->saved_move != context->move->id)
		return false;
	if (local->life != LIFE_OFFLINE && local->life != LIFE_ENDED && local->life != LIFE_HANDED)
		return false;
	save->saved_ms = context->now_ms;
	save->fact.bytes = local->saved_bytes;
	save_move(save, local->life == LIFE_HANDED ? SAVE_SAVED : SAVE_GONE);
	return true;
}

/*
 * Found in the middle of it by a new daemon: where it is not known that the file is complete it is
 * not, and the guest goes on. One that has all been written stands still (HANDED) and is continued
 * by save_wish().
 */
void save_begin(struct move_save *save, const struct move_context *context)
{
	memset(save, 0, sizeof(*save));
	save->volume = context->vm->saved_volume;
	if (move_unheard(context)) {
		text_copy(save->reason, sizeof(save->reason), UNHEARD);
		save_move(save, SAVE_FAILED);
		return;
	}
	if (found_saved(save, context))
		return;
	if (context->local->life != LIFE_HANDED && !context->local->sending)
		return;
	text_copy(save->reason, sizeof(save->reason), "clusterd started anew in the middle");
	if (context->local->sending) {
		// Its end is waited for, or it would be taken for the end of the next one.
		move_action(context, ACTION_MIGRATE_CANCEL);
		save->cancelled = save->found = true;
		save_move(save, SAVE_SAVING);
		return;
	}
	save_move(save, SAVE_FAILED);
}

static void keep_numbers(struct move_save *save, const struct migrate_stats *stats)
{
	if (stats->transferred > save->fact.bytes)
		save->fact.bytes = stats->transferred;
	if (stats->rounds > save->fact.rounds)
		save->fact.rounds = stats->rounds;
	if (stats->total_ms > save->fact.total_ms)
		save->fact.total_ms = stats->total_ms;
	if (stats->pause_us > 0)
		save->fact.pause_us = stats->pause_us;
	if (save->fact.total_ms > 0)
		save->fact.rate = save->fact.bytes / save->fact.total_ms * 1000;
}

static void save_heard(struct move_save *save, const struct move_context *context,
		       const struct event *event)
{
	struct action *action = move_action(context, ACTION_MOVE_PROGRESS);
	struct migrate_stats *stats = actions_bytes(context->actions, sizeof(*stats));

	*stats = *event->stats;
	action->stats = stats;
	keep_numbers(save, stats);
}

void save_event(struct move_save *save, const struct move_context *context,
		const struct event *event)
{
	if (save->state != SAVE_SAVING)
		return;
	if (event->type == EVENT_MIGRATE && (event->stats->status == MIGRATE_FAILED ||
					     event->stats->status == MIGRATE_CANCELLED)) {
		save_fail(save, context, event->reason ? event->reason : "it was cancelled");
	} else if (event->type == EVENT_MIGRATE && context->move) {
		save_heard(save, context, event);
	} else if (event->type == EVENT_SAVED && !event->flag) {
		save_fail(save, context, event->reason ? event->reason : "QEMU gave up");
	} else if (event->type == EVENT_SAVED) {
		// How long it stood until all of it was durable is known only now.
		if (event->stats)
			keep_numbers(save, event->stats);
		if (event->index > 0)
			save->fact.bytes = event->index;
		save->saved_ms = context->now_ms;
		save_move(save, SAVE_SAVED);
		vm_local_hand_over(context->local);
	}
}

static void save_start(struct move_save *save, const struct move_context *context)
{
	struct migrate_params *params = move_params(context);
	struct action *action = move_action(context, ACTION_SAVE);

	params->channels = 1;
	params->post_copy = false;
	params->throttle = 0;
	params->bandwidth = 0; // it goes to no link
	params->downtime_ms = context->def->max_pause_ms;
	action->volume = save->volume;
	action->migrate = params;
	save_move(save, SAVE_SAVING);
}

void save_step(struct move_save *save, const struct move_context *context)
{
	const struct vm_local *local = context->local;

	if (local->life == LIFE_ENDED || local->life == LIFE_OFFLINE) {
		if (save->state == SAVE_SAVED) {
			// Nobody can restore it before that, so the guest stands that long, too.
			if (save->fact.pause_us > 0)
				save->fact.pause_us +=
					(uint32_t)(context->now_ms - save->saved_ms) * 1000;
			save_move(save, SAVE_GONE);
		} else if (save->state != SAVE_GONE && save->state != SAVE_ENDED) {
			save_move(save, SAVE_ENDED);
		}
		return;
	}
	if (save->state == SAVE_WAITING && !wanted(context))
		save_fail(save, context,
			  context->leaving ? "its source leaves" : "it was cancelled");
	else if (save->state == SAVE_WAITING && local->paused)
		save_fail(save, context, "it is paused");
	else if (save->state == SAVE_WAITING && context->normal && local->life == LIFE_RUNNING)
		save_start(save, context);
	else if (save->state == SAVE_SAVING && save->found && !local->sending)
		save_fail(save, context, NULL);
	else if (save->state == SAVE_SAVING && !wanted(context) && !save->cancelled) {
		save->cancelled = true;
		move_action(context, ACTION_MIGRATE_CANCEL);
	}
}

void save_wish(const struct move_save *save, const struct move_context *context,
	       struct vm_wish *wish)
{
	wish->keep = true;
	switch ((enum save_state)save->state) {
	case SAVE_WAITING:
		break;
	case SAVE_SAVING:
		wish->stay = true;
		break;
	case SAVE_SAVED:
		// Where nobody could hear that it is saved, it stands still until somebody can.
		wish->kill = context->normal || context->leaving;
		wish->stay = true;
		wish->why = "it was saved";
		break;
	case SAVE_FAILED:
		wish->cont = context->local->life == LIFE_HANDED;
		wish->stay = wish->cont;
		break;
	case SAVE_GONE:
	case SAVE_ENDED:
	case SAVE_STATE_COUNT:
		break;
	}
	move_wish_forced(wish);
}

enum move_report save_due(const struct move_save *save, const struct move_context *context)
{
	if (!context->move || context->move->stage != STAGE_SAVE)
		return (enum move_report)0;
	if (save->state == SAVE_GONE)
		return MOVE_REPORT_SAVED;
	if (save->state == SAVE_FAILED && context->local->life == LIFE_RUNNING)
		return MOVE_REPORT_FAILED;
	return (enum move_report)0;
}
