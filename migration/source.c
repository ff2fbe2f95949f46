// SPDX-License-Identifier: Apache-2.0
/*
 * The end of a move that a guest leaves. (The diagram is in ends.h.)
 *
 * Why never two continue the guest, and why it is rarely lost:
 *
 * - A target continues only when this end has said RENOUNCED for this move, and this end says it
 *   only when QEMU has said `completed` (post-copy: has begun it), and the commitment of TRANSFER
 * was seen. So until `completed` nobody else can run the guest, whatever fails; QEMU itself goes on
 *   here when a migration fails or is cancelled, and that is right.
 * - After `completed` (HANDED) QEMU stands still, and continues on wish->cont alone. There are two
 *   reasons for it. Either the target was never told, and its QEMU is gone: `target_gone`. Or it
 * was told, and its daemon has said that the guest never continued there: WORD_NEVER, or the same
 * as a committed report. A target that died having been told may have continued, so the disk may be
 *   newer than the memory here: this QEMU is ended, and the VM is started anew.
 * - With post-copy only once QEMU has ended it whole: see source_return().
 * - Both only with the lease taken exclusively, which sanlock grants only when no living process
 *   elsewhere holds it. It would be the proof even if all words above were wrong about who lives;
 *   who continued, and died, no lease can tell.
 * - What was told is not stored: a QEMU found in postmigrate by a new daemon counts as told.
 * - QEMU is cancelled only before it was told to finish. Cancelled in its state `device` it may
 *   have given the disks away and not take them back.
 */
#include <string.h>

#include "clusterd/invariant.h"
#include "clusterd/text.h"
#include "migration/ends.h"
#include "migration/forecast.h"
#include "migration/source_limits.h"

enum {
	MULTIFD_MIB = 1024, // below it, setting up more streams takes longer than they save
	MULTIFD_CHANNELS = 4,
	// Fewer are taken by the one thread of QEMU 7.2 that spreads pages over streams, and by
	// what receives them: in the clear one stream alone is faster then.
	MULTIFD_CPUS = 4,
};

#define BIT(state) (1u << (state))

static const uint16_t moves[SOURCE_STATE_COUNT] = {
	// SENDING, HANDED, FAILED, GONE: found so
	[SOURCE_PREPARING] =
		BIT(SOURCE_SENDING) | BIT(SOURCE_HANDED) | BIT(SOURCE_FAILED) | BIT(SOURCE_GONE),
	[SOURCE_SENDING] = BIT(SOURCE_SWITCHING) | BIT(SOURCE_CANCELLING) | BIT(SOURCE_HANDED) |
			   BIT(SOURCE_FAILED) | BIT(SOURCE_GONE),
	[SOURCE_SWITCHING] = BIT(SOURCE_HANDED) | BIT(SOURCE_FAILED) | BIT(SOURCE_GONE),
	[SOURCE_CANCELLING] = BIT(SOURCE_HANDED) | BIT(SOURCE_FAILED) | BIT(SOURCE_GONE),
	[SOURCE_HANDED] = BIT(SOURCE_RESUMING) | BIT(SOURCE_ENDING) | BIT(SOURCE_GONE),
	[SOURCE_RESUMING] = BIT(SOURCE_STAYED) | BIT(SOURCE_ENDING) | BIT(SOURCE_GONE),
	[SOURCE_FAILED] = BIT(SOURCE_TAKING) | BIT(SOURCE_GONE),
	[SOURCE_TAKING] = BIT(SOURCE_STAYED) | BIT(SOURCE_GONE),
	[SOURCE_STAYED] = BIT(SOURCE_GONE),
	[SOURCE_ENDING] = BIT(SOURCE_GONE),
};

static void source_move(struct move_source *source, enum source_state state, uint64_t now_ms)
{
	INVARIANT(moves[source->state] & BIT(state));
	source->state = (uint8_t)state;
	source->since_ms = now_ms;
}

const char *source_state_word(enum source_state state)
{
	switch (state) {
	case SOURCE_PREPARING:
		return "preparing";
	case SOURCE_SENDING:
		return "sending";
	case SOURCE_SWITCHING:
		return "switching";
	case SOURCE_CANCELLING:
		return "cancelling";
	case SOURCE_HANDED:
		return "handed over";
	case SOURCE_RESUMING:
		return "resuming";
	case SOURCE_FAILED:
		return "failed";
	case SOURCE_TAKING:
		return "taking";
	case SOURCE_STAYED:
		return "stayed";
	case SOURCE_ENDING:
		return "ending";
	case SOURCE_GONE:
		return "gone";
	case SOURCE_STATE_COUNT:
		break;
	}
	return "?";
}

struct action *move_action(const struct move_context *context, enum action_type type)
{
	struct action *action = actions_add(context->actions, type);

	action->vm = context->local->ref;
	action->uuid = context->local->uuid;
	action->attempt = context->local->attempt;
	action->move = context->move ? context->move->id : 0;
	return action;
}

const char *text_keep(const struct move_context *context, const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(actions_bytes(context->actions, size), text, size);
}

// To encrypt is what takes long, and is worth every processor that there is.
static uint32_t channels_for(uint32_t cpus, bool tls)
{
	uint32_t least = tls ? 2 : MULTIFD_CPUS;

	return cpus > 0 && cpus < least ? 1 : MULTIFD_CHANNELS;
}

// The target's QEMU must be told the same, so it follows from what both ends know.
struct migrate_params *move_params(const struct move_context *context)
{
	struct migrate_params *params = actions_bytes(context->actions, sizeof(*params));

	memset(params, 0, sizeof(*params));
	params->peer = text_keep(context, context->peer ? context->peer : "");
	params->tls = context->tls;
	params->post_copy = context->def->post_copy && !context->no_post_copy;
	params->channels = context->def->memory_mib >= MULTIFD_MIB && !params->post_copy
				   ? channels_for(context->cpus, context->tls)
				   : 1;
	params->throttle = context->def->throttle_max;
	params->bandwidth = context->bandwidth;
	return params;
}

static bool live_here(const struct vm_local *local)
{
	return local->life == LIFE_RUNNING || local->life == LIFE_HANDED ||
	       local->life == LIFE_CONTINUING;
}

static enum move_stage stage_of(const struct move_context *context)
{
	return context->move ? (enum move_stage)context->move->stage : MOVE_STAGE_COUNT;
}

// It is not to go on: undone, cancelled, ended, or this host leaves.
static bool unwanted(const struct move_context *context)
{
	enum move_stage stage = stage_of(context);

	return context->leaving ||
	       (stage != STAGE_ASKED && stage != STAGE_PREPARE && stage != STAGE_TRANSFER &&
		stage != STAGE_HANDOVER) ||
	       context->move->cancelled;
}

static void source_fail(struct move_source *source, const struct move_context *context,
			const char *reason)
{
	if (source->reason[0] == 0)
		text_copy(source->reason, sizeof(source->reason), reason ? reason : "");
	source_move(source, SOURCE_FAILED, context->now_ms);
	context->local->sending = false;
	// QEMU goes on by itself, and is told all the same: it renounced nothing.
	if (source->stood && context->local->life == LIFE_RUNNING)
		vm_local_cont(context->local, context->actions);
}

void source_begin(struct move_source *source, const struct move_context *context)
{
	enum move_stage stage = stage_of(context);
	const struct vm_local *local = context->local;

	memset(source, 0, sizeof(*source));
	source->since_ms = source->event_ms = context->now_ms;
	if (local->life == LIFE_HANDED) {
		source->found = source->told = true;
		source->status = local->sent;
		source->post_copy = local->sent == MIGRATE_POSTCOPY;
		source_move(source, SOURCE_HANDED, context->now_ms);
	} else if (move_unheard(context)) {
		text_copy(source->reason, sizeof(source->reason), UNHEARD);
		source_move(source, SOURCE_FAILED, context->now_ms);
	} else if (local->life == LIFE_RUNNING && local->sending) {
		struct converge_limits limits = { .max_pause_ms = context->def->max_pause_ms };

		source->found = source->stood = true;
		source->status = local->sent;
		converge_start(&source->converge, &limits, context->now_ms);
		source_move(source, SOURCE_SENDING, context->now_ms);
	} else if (stage == STAGE_UNDO && live_here(local)) {
		source_move(source, SOURCE_FAILED, context->now_ms);
	} else if (stage != STAGE_ASKED && stage != STAGE_PREPARE && live_here(local)) {
		// It was not renounced, so it goes on, whatever it was found at.
		source->found = true;
		context->local->unsure = false;
		move_action(context, ACTION_MIGRATE_CANCEL);
		if (local->life == LIFE_RUNNING)
			vm_local_cont(context->local, context->actions);
		text_copy(source->reason, sizeof(source->reason),
			  "clusterd on the source started anew in the middle");
		source_move(source, SOURCE_FAILED, context->now_ms);
	}
}

static void source_handed(struct move_source *source, const struct move_context *context)
{
	source_move(source, SOURCE_HANDED, context->now_ms);
	vm_local_hand_over(context->local);
}

/*
 * Never once QEMU was told to finish. What an earlier daemon told it is known when QEMU has said
 * how far it is.
 */
static bool may_cancel(const struct move_source *source)
{
	return source->state == SOURCE_SENDING && source->status != MIGRATE_DEVICE &&
	       source->status != MIGRATE_POSTCOPY &&
	       !(source->found && source->status == MIGRATE_NONE);
}

static void source_cancel(struct move_source *source, const struct move_context *context,
			  const char *reason)
{
	if (source->reason[0] == 0)
		text_copy(source->reason, sizeof(source->reason), reason);
	source->asked_ms = context->now_ms;
	move_action(context, ACTION_MIGRATE_CANCEL);
	source_move(source, SOURCE_CANCELLING, context->now_ms);
}

static void source_switch(struct move_source *source, const struct move_context *context)
{
	// In a view that is not normal somebody may have undone it: then the guest stays.
	if (unwanted(context) || !context->normal) {
		source_cancel(source, context,
			      unwanted(context) ? source_why_unwanted(context)
						: "its source lost quorum");
		return;
	}
	source->asked_ms = context->now_ms;
	move_action(context, ACTION_MIGRATE_CONTINUE);
	source_move(source, SOURCE_SWITCHING, context->now_ms);
}

/*
 * What QEMU was told may have been lost with its monitor, and the guest stands meanwhile. Both mean
 * the same when they come twice; and each is said again in its own state alone, so that nothing is
 * cancelled after QEMU was told to finish.
 */
static void source_ask_again(struct move_source *source, const struct move_context *context)
{
	bool waits = source->status == MIGRATE_PRE_SWITCHOVER;

	if (context->now_ms - source->asked_ms < ASK_AGAIN_MS)
		return;
	if (source->state == SOURCE_SWITCHING && waits)
		move_action(context, ACTION_MIGRATE_CONTINUE);
	else if (source->state == SOURCE_CANCELLING && (waits || source->status == MIGRATE_ACTIVE))
		move_action(context, ACTION_MIGRATE_CANCEL);
	else
		return;
	source->asked_ms = context->now_ms;
}

static void source_tune(struct move_source *source, const struct move_context *context,
			bool post_copy)
{
	struct migrate_params *params = move_params(context);

	params->downtime_ms = source->converge.downtime_ms;
	params->post_copy = post_copy;
	source->bandwidth = params->bandwidth;
	move_action(context, ACTION_MIGRATE_TUNE)->migrate = params;
}

static void source_judge(struct move_source *source, const struct move_context *context,
			 const struct migrate_stats *stats)
{
	switch (converge_judge(&source->converge, stats, context->now_ms)) {
	case CONVERGE_GO_ON:
	case CONVERGE_STEP_COUNT:
		break;
	case CONVERGE_RAISE:
		source_tune(source, context, false);
		break;
	case CONVERGE_POST_COPY:
		if (!unwanted(context) && context->normal)
			source_tune(source, context, true);
		break;
	case CONVERGE_GIVE_UP:
		source->broke |= source->converge.stuck;
		source_cancel(source, context, source->converge.reason);
		break;
	}
}

static void keep_numbers(struct move_source *source, const struct migrate_stats *stats)
{
	struct move_numbers *fact = &source->fact;

	if (stats->transferred > fact->bytes)
		fact->bytes = stats->transferred;
	if (stats->rounds > fact->rounds)
		fact->rounds = stats->rounds;
	if (stats->throttle > fact->throttle)
		fact->throttle = stats->throttle;
	if (stats->dirty_rate > fact->dirty_rate)
		fact->dirty_rate = stats->dirty_rate;
	if (stats->total_ms > fact->total_ms)
		fact->total_ms = stats->total_ms;
	if (stats->pause_us > 0)
		fact->pause_us = stats->pause_us;
	if (fact->total_ms > 0)
		fact->rate = fact->bytes / fact->total_ms * 1000;
}

static bool in_flight(const struct move_source *source)
{
	return source->state == SOURCE_SENDING || source->state == SOURCE_SWITCHING ||
	       source->state == SOURCE_CANCELLING;
}

static void source_heard(struct move_source *source, const struct move_context *context,
			 const struct event *event)
{
	bool sending = source->state == SOURCE_SENDING;
	// Found deaf, and done when it speaks: its daemon of that time may have told the target.
	bool done = source->found && source->status == MIGRATE_NONE;

	source->event_ms = context->now_ms;
	if (event->stats->transferred != source->sent) {
		source->sent = event->stats->transferred;
		source->sent_ms = context->now_ms;
	}
	keep_numbers(source, event->stats);
	if (context->move) {
		struct action *action = move_action(context, ACTION_MOVE_PROGRESS);
		struct migrate_stats *stats = actions_bytes(context->actions, sizeof(*stats));

		*stats = *event->stats;
		action->stats = stats;
	}
	if (!in_flight(source)) {
		// Post-copy, which was renounced before its end, comes to it.
		if (source->state == SOURCE_HANDED && event->stats->status >= MIGRATE_COMPLETED)
			source->status = event->stats->status;
		return;
	}
	source->status = event->stats->status;
	source->stood |=
		source->status == MIGRATE_PRE_SWITCHOVER || source->status == MIGRATE_DEVICE;
	switch ((enum migrate_status)event->stats->status) {
	case MIGRATE_NONE:
	case MIGRATE_SETUP:
	case MIGRATE_DEVICE:
	case MIGRATE_STATUS_COUNT:
		break;
	case MIGRATE_ACTIVE:
		if (sending)
			source_judge(source, context, event->stats);
		// Others that share the link have come, or gone.
		if (source->state == SOURCE_SENDING && source->bandwidth != context->bandwidth)
			source_tune(source, context, false);
		source_ask_again(source, context);
		break;
	case MIGRATE_PRE_SWITCHOVER: // begun by source_step()
		source_ask_again(source, context);
		break;
	case MIGRATE_POSTCOPY:
		source->told |= done;
		source->post_copy = true;
		source_handed(source, context);
		break;
	case MIGRATE_COMPLETED:
		source->told |= done;
		source_handed(source, context);
		break;
	case MIGRATE_FAILED:
		// Cancelled, it was another reason that is known already.
		source->broke |= source->state != SOURCE_CANCELLING &&
				 !(context->move && context->move->target_gone);
		source_fail(source, context, event->reason ? event->reason : "QEMU gave up");
		break;
	case MIGRATE_CANCELLED:
		source_fail(source, context, "it was cancelled");
		break;
	case MIGRATE_TORN: // only what was handed over is torn
		break;
	}
}

static void source_word(struct move_source *source, const struct move_context *context,
			const struct event *event)
{
	if (!context->move || event->move != context->move->id ||
	    event->node_id != context->peer_id)
		return;
	if (event->word == WORD_CONTINUED)
		source->heard = true;
	else if (event->word == WORD_NEVER)
		source->never = true;
}

void source_event(struct move_source *source, const struct move_context *context,
		  const struct event *event)
{
	switch (event->type) {
	case EVENT_MIGRATE:
		source_heard(source, context, event);
		source_step(source, context); // the target waits for the word, and the guest
					      // with it
		break;
	case EVENT_MOVE_WORD:
		source_word(source, context, event);
		break;
	case EVENT_DIRTY_RATE:
		source->rate_known = true;
		source->dirty_rate = event->flag ? event->index : 0;
		break;
	case EVENT_LINK_CHECKED:
		if (!context->move || event->node_id != context->peer_id ||
		    event->cookie != context->move->id || source->state != SOURCE_PREPARING)
			break;
		source->link_ok = event->flag;
		if (event->flag && event->reason)
			text_copy(source->via, sizeof(source->via), event->reason);
		if (!event->flag)
			source_fail(source, context, event->reason);
		break;
	}
}

static void ask_ahead(struct move_source *source, const struct move_context *context)
{
	bool live = context->move->kind == MOVE_LIVE || context->move->kind == MOVE_AUTO;

	// While it waits for its turn nothing is sent, so this is the time.
	if (live && !source->rate_asked && context->local->life == LIFE_RUNNING &&
	    !context->local->paused) {
		source->rate_asked = true;
		source->ask_ms = context->now_ms;
		move_action(context, ACTION_DIRTY_RATE);
	}
	if (context->move->stage != STAGE_ASKED && !source->link_asked) {
		struct action *action = move_action(context, ACTION_LINK_CHECK);

		source->link_asked = true;
		action->node_id = context->peer_id;
		action->cookie = context->move->id;
		if (context->move->avoid[0])
			action->text = text_keep(context, context->move->avoid);
	}
}

static void source_send(struct move_source *source, const struct move_context *context)
{
	struct migrate_params *params = move_params(context);
	struct converge_limits limits = {
		.max_pause_ms = context->def->max_pause_ms,
		.throttle_max = context->def->throttle_max,
		.post_copy = params->post_copy,
	};

	params->address = text_keep(context, context->move->address);
	params->port = context->move->port;
	params->downtime_ms = converge_start(&source->converge, &limits, context->now_ms);
	source->bandwidth = params->bandwidth;
	move_action(context, ACTION_MIGRATE)->migrate = params;
	source->event_ms = context->now_ms;
	source->status = MIGRATE_SETUP;
	source_move(source, SOURCE_SENDING, context->now_ms);
}

static void step_preparing(struct move_source *source, const struct move_context *context)
{
	uint64_t age_ms = context->now_ms - source->since_ms;

	if (unwanted(context)) {
		source_fail(source, context, context->leaving ? "its source leaves" : "");
		return;
	}
	if (!context->normal)
		return;
	ask_ahead(source, context);
	if (source->rate_asked && context->now_ms - source->ask_ms >= RATE_LIMIT_MS)
		source->rate_known = true;
	if (context->move->stage == STAGE_ASKED) {
		source->since_ms = context->now_ms; // its turn may be hours away
		return;
	}
	if (context->local->hold.failed)
		source_fail(source, context, context->local->hold.reason);
	else if (context->local->paused)
		source_fail(source, context, "it is paused");
	else if (!source->link_ok && age_ms >= LINK_LIMIT_MS)
		source_fail(source, context, "the target's link did not answer within 20 s");
	else if (age_ms >= READY_LIMIT_MS)
		source_fail(source, context, "the target was not ready within 90 s");
	else if (context->move->stage == STAGE_TRANSFER && source->link_ok &&
		 context->local->hold.state == HOLD_SHARED &&
		 (source->rate_known || !source->rate_asked))
		source_send(source, context);
}

// Post-copy is renounced at its start, and still sends.
static bool still_sends(const struct move_source *source)
{
	return source->post_copy && source->status == MIGRATE_POSTCOPY;
}

static void tell_renounced(struct move_source *source, const struct move_context *context)
{
	struct action *action;

	if (source->heard || source->never)
		return;
	if (source->told && source->word_ms && context->now_ms - source->word_ms < WORD_AGAIN_MS)
		return;
	action = move_action(context, ACTION_MOVE_TELL);
	action->node_id = context->peer_id;
	action->word = WORD_RENOUNCED;
	source->told = true;
	source->word_ms = context->now_ms;
}

static void source_end(struct move_source *source, const struct move_context *context,
		       const char *reason)
{
	if (reason)
		text_copy(source->reason, sizeof(source->reason), reason);
	source_move(source, SOURCE_ENDING, context->now_ms);
}

/*
 * Nobody else has continued it, nor will. A QEMU whose post-copy has not come to its end refuses to
 * continue, and for ever where that was torn (tried with 7.2: "Migration is not finalized yet"; and
 * told to cancel then it hangs). So its end is waited for, and brought about: the target is gone.
 * What is torn is ended, and starts anew from a disk that nobody has written since.
 */
static void source_return(struct move_source *source, const struct move_context *context)
{
	if (still_sends(source))
		source_break_rest(source, context);
	else if (source->status == MIGRATE_TORN)
		source_end(source, context,
			   "its target could not continue it, and QEMU does not take back what "
			   "post-copy has begun to send");
	else
		source_move(source, SOURCE_RESUMING, context->now_ms);
}

static void step_handed(struct move_source *source, const struct move_context *context)
{
	const struct move *move = context->move;

	if (still_sends(source))
		source_step_rest(source, context);
	if (!move) {
		// Only what ended without this QEMU ends so: it is nobody's any more.
		if (context->normal)
			source_end(source, context, "its move has ended");
		return;
	}
	if (move->stage == STAGE_CLEANUP) {
		if (!still_sends(source) || move->target_gone)
			source_end(source, context, NULL);
		return;
	}
	if (source->never || (move->target_gone && (!source->told || !move->target_died))) {
		source_return(source, context);
		return;
	}
	if (move->target_gone) {
		source_end(source, context,
			   "the target may have continued it before it was lost, so the memory "
			   "here may be older than the disk");
		return;
	}
	// Undone before the target was told: it need not know, and never continues.
	if (source->told ||
	    ((move->stage == STAGE_TRANSFER || move->stage == STAGE_HANDOVER) && !move->cancelled))
		tell_renounced(source, context);
}

static void step_resuming(struct move_source *source, const struct move_context *context)
{
	struct vm_local *local = context->local;

	if (local->life == LIFE_RUNNING)
		source_move(source, SOURCE_STAYED, context->now_ms);
	else if (local->life == LIFE_HANDED && local->hold.failed &&
		 context->now_ms - source->since_ms >= RESUME_LIMIT_MS)
		source_end(source, context, local->hold.reason); // its lease counts as shared
	else if (local->life == LIFE_HANDED && stage_of(context) == STAGE_CLEANUP)
		source_end(source, context, NULL);
}

static bool passes_a_nic(const struct vm_def *def)
{
	for (uint32_t i = 0; i < def->nic_count; i++)
		if (def->nics[i].device[0])
			return true;
	return false;
}

static void step_in_flight(struct move_source *source, const struct move_context *context)
{
	// Its monitor answers at last: it runs, and sends nothing.
	if (source->state == SOURCE_SENDING && source->found && source->status == MIGRATE_NONE &&
	    !context->local->sending) {
		source_fail(source, context, "clusterd on the source started anew in the middle");
		return;
	}
	if (source->state == SOURCE_SWITCHING || source->status == MIGRATE_DEVICE)
		source_step_switching(source, context);
	else if (source->state == SOURCE_CANCELLING)
		source_step_cancelling(source, context);
	if (!may_cancel(source))
		return;
	if (source->status == MIGRATE_PRE_SWITCHOVER)
		source_switch(source, context);
	else if (unwanted(context))
		source_cancel(source, context, source_why_unwanted(context));
	else if (source_is_connecting(source) &&
		 context->now_ms - source->since_ms >= CONNECT_LIMIT_MS) {
		source->broke = true;
		source_cancel(source, context,
			      passes_a_nic(context->def)
				      ? "within 15 s QEMU did not reach the target, or the guest "
					"did not give back its passed-through NIC"
				      : "QEMU did not reach the target within 15 s");
	} else if (context->now_ms - source->event_ms >= SILENT_MS)
		source_cancel(source, context, "QEMU says nothing of its progress");
}

void source_step(struct move_source *source, const struct move_context *context)
{
	struct vm_local *local = context->local;

	if (source->state == SOURCE_GONE)
		return;
	if (!live_here(local)) {
		if (local->life == LIFE_ENDED || local->life == LIFE_OFFLINE) {
			if (local->reason[0] && source->reason[0] == 0)
				text_copy(source->reason, sizeof(source->reason), local->reason);
			source_move(source, SOURCE_GONE, context->now_ms);
		}
		return;
	}
	switch ((enum source_state)source->state) {
	case SOURCE_PREPARING:
		step_preparing(source, context);
		break;
	case SOURCE_SENDING:
	case SOURCE_SWITCHING:
	case SOURCE_CANCELLING:
		step_in_flight(source, context);
		break;
	case SOURCE_HANDED:
		step_handed(source, context);
		break;
	case SOURCE_RESUMING:
		step_resuming(source, context);
		break;
	case SOURCE_FAILED:
		if (context->move && context->move->target_gone)
			source_move(source, SOURCE_TAKING, context->now_ms);
		break;
	case SOURCE_TAKING:
		if (local->hold.state == HOLD_EXCLUSIVE)
			source_move(source, SOURCE_STAYED, context->now_ms);
		break;
	case SOURCE_STAYED:
	case SOURCE_ENDING:
	case SOURCE_GONE:
	case SOURCE_STATE_COUNT:
		break;
	}
}

void source_wish(const struct move_source *source, const struct move_context *context,
		 struct vm_wish *wish)
{
	wish->lease = HOLD_AS_IS;
	wish->stay = true;
	wish->keep = true;
	switch ((enum source_state)source->state) {
	case SOURCE_PREPARING:
		if (context->normal && stage_of(context) == STAGE_PREPARE)
			wish->lease = HOLD_WISH_SHARED;
		wish->stay = false;
		break;
	case SOURCE_SENDING:
	case SOURCE_SWITCHING:
	case SOURCE_CANCELLING:
	case SOURCE_HANDED:
		break;
	case SOURCE_RESUMING:
		wish->lease = HOLD_WISH_EXCLUSIVE;
		wish->cont = context->local->life == LIFE_HANDED &&
			     context->local->hold.state == HOLD_EXCLUSIVE;
		break;
	case SOURCE_FAILED:
	case SOURCE_STAYED:
		wish->stay = false;
		break;
	case SOURCE_TAKING:
		wish->lease = HOLD_WISH_EXCLUSIVE;
		wish->stay = false;
		break;
	case SOURCE_ENDING:
		wish->kill = true;
		wish->why = source->reason[0] ? source->reason : "it was handed over";
		break;
	case SOURCE_GONE:
	case SOURCE_STATE_COUNT:
		break;
	}
	move_wish_forced(wish);
}

static bool before_undo(enum move_stage stage)
{
	return stage == STAGE_PREPARE || stage == STAGE_TRANSFER || stage == STAGE_HANDOVER;
}

enum move_report source_due(const struct move_source *source, const struct move_context *context)
{
	const struct move *move = context->move;
	enum move_stage stage = stage_of(context);

	if (!move)
		return (enum move_report)0;
	switch ((enum source_state)source->state) {
	case SOURCE_PREPARING:
		// With the address at which the target answers: there its QEMU is to listen.
		if (stage == STAGE_PREPARE && !move->shared && source->link_ok &&
		    context->local->hold.state == HOLD_SHARED && !context->local->hold.failed)
			return MOVE_REPORT_SHARED;
		break;
	case SOURCE_SWITCHING:
		if (stage == STAGE_TRANSFER &&
		    context->now_ms - source->since_ms >= SWITCH_SAID_MS)
			return MOVE_REPORT_HANDOVER;
		break;
	case SOURCE_CANCELLING:
	case SOURCE_FAILED:
	case SOURCE_TAKING:
	case SOURCE_RESUMING:
		if (before_undo(stage))
			return MOVE_REPORT_FAILED;
		break;
	case SOURCE_STAYED:
		if (before_undo(stage))
			return MOVE_REPORT_FAILED;
		if (stage == STAGE_UNDO && move->target_gone)
			return MOVE_REPORT_EXCLUSIVE;
		break;
	case SOURCE_GONE:
		// While it is the owner, its VM report says the same and more.
		if (stage == STAGE_CLEANUP && !move->source_gone)
			return MOVE_REPORT_SOURCE_GONE;
		break;
	case SOURCE_SENDING:
	case SOURCE_HANDED:
	case SOURCE_ENDING:
	case SOURCE_STATE_COUNT:
		break;
	}
	return (enum move_report)0;
}
