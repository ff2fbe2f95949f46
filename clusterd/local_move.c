// SPDX-License-Identifier: Apache-2.0
// Each move of the replica that names this node has one end here, and the end has a place in
// node->moves until the replica knows no more of the move and nothing of it is left.
#include "clusterd/local_move.h"

#include <string.h>

#include "clusterd/invariant.h"
#include "clusterd/text.h"
#include "migration/bandwidth.h"
#include "migration/forecast.h"

enum { SAY_AGAIN_MS = 2000 };

static struct local_move *move_place(struct node *node, const struct vm_local *local)
{
	return local->move_at ? &node->moves[local->move_at - 1] : NULL;
}

static enum move_side side_of(const struct move *move, uint8_t self)
{
	bool live = move->kind == MOVE_LIVE || move->kind == MOVE_AUTO;

	if (self == SLOT_NONE)
		return SIDE_NONE;
	switch ((enum move_stage)move->stage) {
	case STAGE_ASKED:
		return live && move->source == self ? SIDE_SOURCE : SIDE_NONE;
	case STAGE_PREPARE:
	case STAGE_TRANSFER:
	case STAGE_HANDOVER:
	case STAGE_UNDO:
	case STAGE_CLEANUP:
		return move->source == self   ? SIDE_SOURCE
		       : move->target == self ? SIDE_TARGET
					      : SIDE_NONE;
	case STAGE_SAVE:
		return move->source == self ? SIDE_SAVE : SIDE_NONE;
	case STAGE_RESTORE:
	case STAGE_STOP:
	case STAGE_START:
	case MOVE_STAGE_COUNT:
		break;
	}
	return SIDE_NONE;
}

// Nothing comes to a host that goes down; what runs there has time to leave.
static bool node_leaves(const struct node *node, enum move_side side)
{
	if (node->no_quorum_acts && node->cluster.def.no_quorum != NO_QUORUM_FREEZE)
		return true;
	return node->shutdown != SHUTDOWN_NONE && (side == SIDE_TARGET || !host_keeps(node));
}

static uint32_t fewer_cpus(const struct cluster *cluster, const struct move *move)
{
	uint32_t source = cluster->nodes[move->source].report.cpus, target;

	if (move->target >= NODES_MAX)
		return source;
	target = cluster->nodes[move->target].report.cpus;
	return source < target ? source : target;
}

static bool lacks_post_copy(const struct cluster *cluster, const struct move *move)
{
	return move->target < NODES_MAX &&
	       (cluster->nodes[move->source].report.facts.no_post_copy ||
		cluster->nodes[move->target].report.facts.no_post_copy);
}

static struct move_context context_of(struct node *node, const struct local_move *place,
				      struct vm_local *local, struct actions *actions)
{
	const struct move *move = cluster_move(&node->cluster, place->id);
	const struct vm *vm = cluster_vm(&node->cluster, place->vm);
	struct move_context context = {
		.move = move,
		.vm = vm,
		.local = local,
		.bandwidth = move ? move_bandwidth(&node->cluster, move) : 0,
		.no_post_copy = move && lacks_post_copy(&node->cluster, move),
		.cpus = move ? fewer_cpus(&node->cluster, move) : 0,
		.normal = view_normal(node->view),
		.leaving = node_leaves(node, (enum move_side)place->side),
		.fresh = node->moves_first != 0 && place->id >= node->moves_first,
		.tls = !node->cluster.def.migration.plain,
		.now_ms = node->now_ms,
		.actions = actions,
	};
	uint8_t peer;

	if (vm)
		context.def = vm_definition(&node->cluster, vm);
	if (!move)
		return context;
	peer = place->side == SIDE_TARGET ? move->source : move->target;
	if (peer != SLOT_NONE && node->cluster.nodes[peer].used) {
		context.peer_id = node->cluster.nodes[peer].def.id;
		context.peer = node->cluster.nodes[peer].def.name;
	}
	return context;
}

static void place_free(struct node *node, struct local_move *place)
{
	struct vm_local *local = &node->locals[place->vm.slot];

	if (local->move_at == place - node->moves + 1)
		local->move_at = 0;
	memset(place, 0, sizeof(*place));
	node->moves_here--;
}

// Its QEMU stands still for the sake of the move: that is brought to its end here, also when the
// replica knows no more of the move.
static bool place_needed(const struct local_move *place, const struct vm_local *local)
{
	if (local->ref.serial != place->vm.serial)
		return false;
	switch ((enum move_side)place->side) {
	case SIDE_SOURCE:
		return local->life == LIFE_HANDED ||
		       (local->life == LIFE_RUNNING && (place->source.state == SOURCE_SENDING ||
							place->source.state == SOURCE_SWITCHING ||
							place->source.state == SOURCE_CANCELLING));
	case SIDE_TARGET:
		return vm_local_process(local) && !local->continued;
	case SIDE_SAVE:
		return local->life == LIFE_HANDED ||
		       (local->life == LIFE_RUNNING && place->save.state == SAVE_SAVING);
	case SIDE_NONE:
		break;
	}
	return false;
}

static void place_begin(struct node *node, const struct move *move, enum move_side side,
			struct vm_local *local, struct actions *actions)
{
	struct local_move *place = NULL;
	struct move_context context;

	for (uint32_t i = 0; i < MOVES_MAX && !place; i++)
		if (node->moves[i].id == 0)
			place = &node->moves[i];
	if (!place)
		return; // when one of the others is over
	memset(place, 0, sizeof(*place));
	place->id = move->id;
	place->vm = move->vm;
	place->side = (uint8_t)side;
	node->moves_here++;
	local->move_at = (uint8_t)(place - node->moves + 1);
	context = context_of(node, place, local, actions);
	switch (side) {
	case SIDE_SOURCE:
		source_begin(&place->source, &context);
		break;
	case SIDE_TARGET:
		target_begin(&place->target, &context);
		break;
	case SIDE_SAVE:
		save_begin(&place->save, &context);
		break;
	case SIDE_NONE:
		break;
	}
}

static void place_check(struct node *node, struct local_move *place, uint8_t self)
{
	const struct move *move = cluster_move(&node->cluster, place->id);
	const struct vm_local *local = &node->locals[place->vm.slot];

	if (move && side_of(move, self) == place->side)
		return;
	if (!place_needed(place, local))
		place_free(node, place);
}

bool local_saved(struct node *node, const struct event *event)
{
	struct vm_local *local;

	if (event->type != EVENT_SAVED || event->move == 0)
		return false;
	local = local_of_vm(node, cluster_find_vm_uuid(&node->cluster, &event->uuid));
	if (!local)
		return true;
	local->saved_move = event->move;
	local->saved_bytes = event->index;
	return true;
}

// Its saving is still at that stage, and the replica has not been told.
bool local_saved_untold(const struct node *node, const struct vm_local *local)
{
	const struct move *move = cluster_move(&node->cluster, local->saved_move);
	const struct vm *vm = move ? cluster_vm(&node->cluster, move->vm) : NULL;
	const struct local_move *place = local->move_at ? &node->moves[local->move_at - 1] : NULL;

	if (!vm || vm->move != local->saved_move || move->stage != STAGE_SAVE ||
	    move->source != node_self_slot(node) || local->life != LIFE_OFFLINE)
		return false;
	return !place || (place->save.state == SAVE_GONE && place->said != MOVE_REPORT_SAVED);
}

void local_moves_sync(struct node *node, struct actions *actions)
{
	uint8_t self = node_self_slot(node);
	uint32_t left = node->moves_here;
	bool all = true;

	// Whatever an earlier daemon was told is in the replica of a normal view.
	if (node->moves_first == 0 && view_normal(node->view) &&
	    node->cluster.view == view_number(node->view))
		node->moves_first = node->cluster.next_move;

	if (!node->adopted ||
	    (node->moves_here == 0 && node->moves_index == node->cluster.index))
		return;
	for (uint32_t i = 0; left > 0 && i < MOVES_MAX; i++) {
		if (node->moves[i].id == 0)
			continue;
		left--;
		place_check(node, &node->moves[i], self);
	}
	// A QEMU of a VM that was not known when it was found is looked for again in a normal view;
	// before that, nothing here does not mean that nothing is here.
	if (node->orphans > 0 && !view_normal(node->view))
		return;
	for (uint32_t i = 0; i < node->cluster.move_high; i++) {
		const struct move *move = &node->cluster.moves[i];
		enum move_side side = move->id ? side_of(move, self) : SIDE_NONE;
		struct vm_local *local;

		if (side == SIDE_NONE)
			continue;
		local = local_of_vm(node, cluster_vm(&node->cluster, move->vm));
		/*
		 * A target of which nothing is here promises that the guest never continued, if it
		 * had not begun. Whether it had, a replica that is behind does not say: what ran
		 * here may have ended with the host (seed 5043).
		 */
		if (side == SIDE_TARGET && local && local->life == LIFE_OFFLINE &&
		    !view_normal(node->view)) {
			all = false;
			continue;
		}
		if (local && local->move_at == 0)
			place_begin(node, move, side, local, actions);
		all = all && local && local->move_at;
	}
	node->moves_index = all ? node->cluster.index : 0;
}

static void place_event(struct node *node, struct local_move *place, const struct event *event,
			struct actions *actions)
{
	struct vm_local *local = &node->locals[place->vm.slot];
	struct move_context context = context_of(node, place, local, actions);

	if (!context.vm)
		return;
	switch ((enum move_side)place->side) {
	case SIDE_SOURCE:
		source_event(&place->source, &context, event);
		break;
	case SIDE_TARGET:
		target_event(&place->target, &context, event);
		break;
	case SIDE_SAVE:
		save_event(&place->save, &context, event);
		break;
	case SIDE_NONE:
		break;
	}
}

void local_moves_event(struct node *node, const struct event *event, struct actions *actions)
{
	uint32_t left = node->moves_here;

	for (uint32_t i = 0; left > 0 && i < MOVES_MAX; i++) {
		struct local_move *place = &node->moves[i];
		const struct vm_local *local;

		if (place->id == 0)
			continue;
		left--;
		local = &node->locals[place->vm.slot];
		switch (event->type) {
		case EVENT_MOVE_WORD:
			if (event->move == place->id)
				place_event(node, place, event, actions);
			break;
		case EVENT_LINK_CHECKED:
			if (event->cookie == place->id)
				place_event(node, place, event, actions);
			break;
		case EVENT_QEMU_LISTENING:
		case EVENT_MIGRATE:
		case EVENT_SAVED:
		case EVENT_DIRTY_RATE:
			if (event->vm.slot == place->vm.slot &&
			    event->vm.serial == place->vm.serial &&
			    event->attempt == local->attempt)
				place_event(node, place, event, actions);
			break;
		}
	}
}

void local_move_step(struct node *node, struct vm_local *local, struct actions *actions)
{
	struct local_move *place = move_place(node, local);
	struct move_context context;
	uint8_t before;

	if (!place)
		return;
	context = context_of(node, place, local, actions);
	if (!context.vm)
		return;
	switch ((enum move_side)place->side) {
	case SIDE_SOURCE:
		do {
			before = place->source.state;
			source_step(&place->source, &context);
		} while (before != place->source.state);
		node_wake_at(node, source_deadline_ms(&place->source, &context));
		break;
	case SIDE_TARGET:
		do {
			before = place->target.state;
			target_step(&place->target, &context);
		} while (before != place->target.state);
		node_wake_at(node, target_deadline_ms(&place->target, &context));
		break;
	case SIDE_SAVE:
		save_step(&place->save, &context);
		break;
	case SIDE_NONE:
		break;
	}
}

void local_move_wish(struct node *node, const struct vm_local *local, struct vm_wish *wish,
		     struct actions *actions)
{
	struct local_move *place = move_place(node, local);
	struct move_context context;

	if (!place || wish->kill)
		return;
	context = context_of(node, place, &node->locals[place->vm.slot], actions);
	switch ((enum move_side)place->side) {
	case SIDE_SOURCE:
		source_wish(&place->source, &context, wish);
		break;
	case SIDE_TARGET:
		target_wish(&place->target, &context, wish);
		break;
	case SIDE_SAVE:
		save_wish(&place->save, &context, wish);
		break;
	case SIDE_NONE:
		break;
	}
}

bool local_move_speaks(const struct node *node, const struct vm *vm, const struct vm_local *local)
{
	const struct local_move *place = local->move_at ? &node->moves[local->move_at - 1] : NULL;

	if (!place || !vm)
		return false;
	switch ((enum move_side)place->side) {
	case SIDE_SOURCE:
		return vm->owner != node_self_slot(node);
	case SIDE_TARGET:
		return vm->owner != node_self_slot(node);
	case SIDE_SAVE:
		return place->save.state == SAVE_SAVED || place->save.state == SAVE_GONE;
	case SIDE_NONE:
		break;
	}
	return false;
}

static bool say(struct node *node, const struct local_move *place, struct entry *entry,
		enum move_report report, struct actions *actions)
{
	entry->type = ENTRY_MOVE_REPORT;
	entry->node_id = node->self;
	entry->move = place->id;
	entry->move_report = (uint8_t)report;
	return node_propose(node, entry, NULL, actions);
}

// Not in the pause, nor just after it: see SWITCH_SAID_MS in source_limits.h, and in target.c.
static bool source_has_sent(const struct move_source *source)
{
	return source->state > SOURCE_HANDED;
}

// The forecast before it is sent, and what it took when that is known. Nobody waits for either.
static void say_numbers(struct node *node, struct local_move *place,
			const struct move_context *context, struct actions *actions)
{
	struct move_source *source = &place->source;
	struct entry entry;

	if (source->numbers_said && (source->fact_said || !source_has_sent(source)))
		return;
	entry_clear(&entry);
	if (!source->numbers_said && source->rate_known && context->move->stage != STAGE_ASKED) {
		struct forecast_facts facts = {
			.memory = forecast_memory(&node->cluster, context->vm),
			.rate = forecast_rate(&node->cluster, context->move->source,
					      context->move->target),
			.dirty_rate = source->dirty_rate,
			.max_pause_ms = context->def->max_pause_ms,
		};

		entry.numbers = forecast_live(&facts);
		source->numbers_said = say(node, place, &entry, MOVE_REPORT_NUMBERS, actions);
	} else if (!source->fact_said && source->fact.total_ms > 0 && source_has_sent(source)) {
		entry.flag = true;
		entry.numbers = source->fact;
		source->fact_said = say(node, place, &entry, MOVE_REPORT_NUMBERS, actions);
	}
}

static enum move_report place_due(const struct local_move *place,
				  const struct move_context *context, struct entry *entry)
{
	switch ((enum move_side)place->side) {
	case SIDE_SOURCE:
		text_copy(entry->reason, sizeof(entry->reason), place->source.reason);
		text_copy(entry->address, sizeof(entry->address), place->source.via);
		entry->numbers = place->source.fact;
		entry->flag = place->source.broke;
		return source_due(&place->source, context);
	case SIDE_TARGET:
		text_copy(entry->reason, sizeof(entry->reason), place->target.reason);
		text_copy(entry->address, sizeof(entry->address), place->target.address);
		entry->port = place->target.port;
		// Of TARGET_GONE: that it never continued cannot be vouched for.
		entry->flag = !place->target.never;
		return target_due(&place->target, context);
	case SIDE_SAVE:
		text_copy(entry->reason, sizeof(entry->reason), place->save.reason);
		entry->numbers = place->save.fact;
		return save_due(&place->save, context);
	case SIDE_NONE:
		break;
	}
	return (enum move_report)0;
}

void local_move_tell(struct node *node, struct vm_local *local, struct actions *actions)
{
	struct local_move *place = move_place(node, local);
	struct move_context context;
	struct entry entry;
	enum move_report due;

	if (!place || !view_normal(node->view))
		return;
	context = context_of(node, place, local, actions);
	if (!context.vm || !context.move)
		return;
	if (place->side == SIDE_SOURCE)
		say_numbers(node, place, &context, actions);
	entry_clear(&entry);
	due = place_due(place, &context, &entry);
	if (!due)
		return;
	if (due == place->said && node->now_ms - place->said_ms < SAY_AGAIN_MS) {
		node_wake_at(node, place->said_ms + SAY_AGAIN_MS);
		return;
	}
	if (say(node, place, &entry, due, actions)) {
		place->said = (uint8_t)due;
		place->said_ms = node->now_ms;
		node_wake_at(node, node->now_ms + SAY_AGAIN_MS);
	} else {
		node_wake_at(node, node->now_ms + 100);
	}
}
