// SPDX-License-Identifier: Apache-2.0
// Requests about moves and drains: what is changed, and what is read of them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clusterd/describe_move.h"
#include "clusterd/request_internal_io.h"
#include "migration/progress_io.h"
#include "policies/drain.h"

static json_t *integer(uint64_t value)
{
	return json_integer((json_int_t)value);
}

/* Changes. */

static struct answer no_node(const char *name)
{
	char reason[REASON_SIZE];

	snprintf(reason, sizeof(reason), "there is no node %.64s", name);
	return answer_error("no-such-node", reason, "clustadm node list shows the names");
}

struct answer change_vm_migrate(struct request *request, uint64_t client, const json_t *ask)
{
	static const char *const kinds[MOVE_KIND_COUNT] = { "auto", "live", "quick", "cold", NULL };
	const struct cluster *cluster = node_cluster(request->options.node);
	struct entry entry = { .type = ENTRY_MOVE_REQUEST, .actor = SLOT_NONE };
	const char *to = member_text(ask, "to"), *kind = member_text(ask, "kind");
	const struct cluster_node *target = to ? cluster_find_node(cluster, to) : NULL;

	if (to && !target)
		return no_node(to);
	if (target)
		entry.actor = node_slot(cluster, target);
	for (uint8_t i = 0; kind && i < MOVE_SAVE; i++)
		if (strcmp(kinds[i], kind) == 0)
			entry.move_kind = i;
	return request_named(request, client, &entry, ask);
}

struct answer change_vm_save(struct request *request, uint64_t client, const json_t *ask)
{
	struct entry entry = { .type = ENTRY_MOVE_REQUEST, .actor = SLOT_NONE,
			       .move_kind = MOVE_SAVE };

	return request_named(request, client, &entry, ask);
}

struct answer change_vm_cancel(struct request *request, uint64_t client, const json_t *ask)
{
	struct entry entry = { .type = ENTRY_MOVE_CANCEL };

	return request_named(request, client, &entry, ask);
}

// The same wish as to start it; but who says restore means what was saved.
struct answer change_vm_restore(struct request *request, uint64_t client, const json_t *ask)
{
	struct entry entry = { .type = ENTRY_VM_WANT, .wanted = VM_WANTED_RUNNING };
	const char *name = member_text(ask, "name");
	const struct vm *vm =
		name ? cluster_find_vm(node_cluster(request->options.node), name) : NULL;
	char reason[REASON_SIZE], fix[REASON_SIZE];

	if (vm && vm->saved != SAVED_KEPT) {
		snprintf(reason, sizeof(reason), "vm %.64s has no saved state", name);
		snprintf(fix, sizeof(fix), "start it: clustadm vm start %.64s", name);
		return answer_error("not-saved", reason, fix);
	}
	return request_named(request, client, &entry, ask);
}

struct answer change_node_maintenance(struct request *request, uint64_t client, const json_t *ask)
{
	static const char *const verbs[DRAIN_VERB_COUNT] = {
		[DRAIN_ON] = "on", [DRAIN_OFF] = "off", [DRAIN_PAUSE] = "pause",
		[DRAIN_RESUME] = "resume", [DRAIN_ABORT] = "abort",
	};
	struct entry entry = { .type = ENTRY_NODE_DRAIN, .drain_verb = DRAIN_VERB_COUNT };
	const char *action = member_text(ask, "action");
	json_int_t until_ms = json_integer_value(json_object_get(ask, "until_ms"));

	for (uint8_t i = 0; action && i < DRAIN_VERB_COUNT; i++)
		if (strcmp(verbs[i], action) == 0)
			entry.drain_verb = i;
	if (entry.drain_verb == DRAIN_VERB_COUNT || until_ms < 0)
		return answer_error("malformed", "what is to be done with the maintenance?",
				    "on, off, status, pause, resume or abort");
	entry.flag = member_flag(ask, "return");
	entry.drain_anyway = member_flag(ask, "force");
	entry.drain_stop = member_flag(ask, "shutdown");
	entry.until_ms = (uint64_t)until_ms;
	return request_named(request, client, &entry, ask);
}

/* What is read. */

static json_t *numbers_json(const struct move_numbers *numbers)
{
	json_t *row = json_object();

	json_object_set_new(row, "total_ms", integer(numbers->total_ms));
	json_object_set_new(row, "pause_us", integer(numbers->pause_us));
	json_object_set_new(row, "rounds", integer(numbers->rounds));
	json_object_set_new(row, "throttle", integer(numbers->throttle));
	json_object_set_new(row, "bytes", integer(numbers->bytes));
	json_object_set_new(row, "rate", integer(numbers->rate));
	json_object_set_new(row, "dirty_rate", integer(numbers->dirty_rate));
	return row;
}

json_t *move_row(const struct cluster *cluster, const struct move *move)
{
	const struct vm *vm = cluster_vm(cluster, move->vm);
	json_t *row = json_object();

	json_object_set_new(row, "id", integer(move->id));
	json_object_set_new(row, "vm",
			    vm ? text_json(vm_definition(cluster, vm)->name) : json_null());
	json_object_set_new(row, "kind", json_string(move_kind_word(move->kind)));
	json_object_set_new(row, "stage", json_string(move_stage_word(move->stage)));
	json_object_set_new(row, "cause", json_string(move_cause_word(move->cause)));
	json_object_set_new(row, "from", node_name_json(cluster, move->source));
	json_object_set_new(row, "to", node_name_json(cluster, move->target));
	json_object_set_new(row, "cancelled", json_boolean(move->cancelled));
	json_object_set_new(row, "began_ms", integer(move->began_ms));
	json_object_set_new(row, "stage_ms", integer(move->stage_ms));
	json_object_set_new(row, "forecast", numbers_json(&move->forecast));
	json_object_set_new(row, "fact", numbers_json(&move->fact));
	json_object_set_new(row, "reason", text_json(move->reason));
	return row;
}

static json_t *past_row(const struct past_move *past)
{
	json_t *row = json_object();

	json_object_set_new(row, "id", integer(past->id));
	json_object_set_new(row, "vm", text_json(past->vm));
	json_object_set_new(row, "kind", json_string(move_kind_word(past->kind)));
	json_object_set_new(row, "stage", json_string(move_stage_word(past->stage)));
	json_object_set_new(row, "cause", json_string(move_cause_word(past->cause)));
	json_object_set_new(row, "from", text_json(past->source));
	json_object_set_new(row, "to", past->target[0] ? text_json(past->target) : json_null());
	json_object_set_new(row, "outcome", json_string(move_outcome_word(past->outcome)));
	json_object_set_new(row, "began_ms", integer(past->began_ms));
	json_object_set_new(row, "ended_ms", integer(past->ended_ms));
	json_object_set_new(row, "forecast", numbers_json(&past->forecast));
	json_object_set_new(row, "fact", numbers_json(&past->fact));
	json_object_set_new(row, "reason", text_json(past->reason));
	return row;
}

// How far it is, when its source has said so lately.
static json_t *now_json(const struct request *request, const struct move *move)
{
	const struct request_options *options = &request->options;
	struct migrate_stats stats;

	if (!options->move_stats || !options->move_stats(options->context, move->id, &stats))
		return json_null();
	return progress_json(&stats);
}

static bool is_of(const struct cluster *cluster, const struct move *move, const char *name)
{
	const struct vm *vm = cluster_vm(cluster, move->vm);

	return !name || (vm && strcmp(vm_definition(cluster, vm)->name, name) == 0);
}

// All of them, or one VM's ("name"); past ones, the oldest first.
struct answer show_moves(struct request *request, const json_t *ask)
{
	const struct cluster *cluster = node_cluster(request->options.node);
	const char *name = member_text(ask, "name");
	json_t *result = json_object(), *moves = json_array(), *past = json_array(), *row;

	for (uint32_t i = 0; i < MOVES_MAX; i++) {
		const struct move *move = &cluster->moves[i];

		if (move->id == 0 || !is_of(cluster, move, name))
			continue;
		row = move_row(cluster, move);
		json_object_set_new(row, "now", now_json(request, move));
		json_array_append_new(moves, row);
	}
	for (uint32_t i = 0; i < PAST_MOVES_MAX; i++) {
		const struct past_move *one =
			&cluster->past_moves[(cluster->past_move + i) % PAST_MOVES_MAX];

		if (one->id != 0 && (!name || strcmp(one->vm, name) == 0))
			json_array_append_new(past, past_row(one));
	}
	json_object_set_new(result, "moves", moves);
	json_object_set_new(result, "past", past);
	return answer_result(result);
}

static const char *step_word(enum drain_step_kind kind)
{
	switch (kind) {
	case DRAIN_STEP_MOVE:
		return "move";
	case DRAIN_STEP_WAIT:
		return "wait";
	case DRAIN_STEP_BLOCKED:
		return "blocked";
	case DRAIN_STEP_KIND_COUNT:
		break;
	}
	return "?";
}

static json_t *step_row(const struct cluster *cluster, const struct drain_step *step)
{
	const struct vm_def *def = vm_definition(cluster, step->vm);
	bool shut_down = step->kind == DRAIN_STEP_MOVE && step->target == SLOT_NONE;
	json_t *row = json_object();

	json_object_set_new(row, "vm", text_json(def->name));
	json_object_set_new(row, "step", json_string(step_word(step->kind)));
	json_object_set_new(row, "method",
			    step->kind != DRAIN_STEP_MOVE ? json_null()
			    : shut_down			  ? json_string("shutdown")
						 : json_string(move_kind_word(step->method)));
	json_object_set_new(row, "to", node_name_json(cluster, step->target));
	json_object_set_new(row, "memory_mib", integer(def->memory_mib));
	json_object_set_new(row, "priority", json_integer(def->priority));
	json_object_set_new(row, "reason", text_json(step->reason));
	json_object_set_new(row, "fix", text_json(step->fix));
	return row;
}

// How far it is, and what is left to do: before it is asked for, the whole plan.
struct answer show_node_maintenance(struct request *request, const json_t *ask)
{
	const struct cluster *cluster = node_cluster(request->options.node);
	const char *name = member_text(ask, "name");
	const struct cluster_node *node = name ? cluster_find_node(cluster, name) : NULL;
	uint32_t *order = calloc(cluster->vm_high + 1u, sizeof(*order));
	json_t *result, *steps = json_array();
	struct placement_load load;
	struct drain_plan plan;
	struct drain_step step;
	uint32_t counts[DRAIN_STEP_KIND_COUNT] = { 0 };

	if (!node || !order) {
		free(order);
		json_decref(steps);
		return node ? answer_error("no-memory", "the daemon has no memory left", "")
			    : no_node(name ? name : "");
	}
	placement_load_init(&load, cluster, present_nodes(request->options.node));
	drain_plan_init(&plan, cluster, node_slot(cluster, node), &load, order);
	while (drain_plan_next(&plan, &step)) {
		counts[step.kind]++;
		json_array_append_new(steps, step_row(cluster, &step));
	}
	free(order);
	result = json_object();
	json_object_set_new(result, "name", text_json(node->def.name));
	json_object_set_new(result, "maintenance", json_boolean(node->maintenance));
	json_object_set_new(result, "drain", json_string(drain_state_word(node->drain)));
	json_object_set_new(result, "until_ms", integer(node->drain_until_ms));
	json_object_set_new(result, "return", json_boolean(node->drain_return));
	json_object_set_new(result, "reason", text_json(node->drain_reason));
	json_object_set_new(result, "left", integer(plan.count));
	json_object_set_new(result, "blocked", integer(counts[DRAIN_STEP_BLOCKED]));
	json_object_set_new(result, "steps", steps);
	return answer_result(result);
}
