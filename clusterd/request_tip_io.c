// SPDX-License-Identifier: Apache-2.0
// Requests about PRO policies and tips: what is read of them, and what is changed.
#include <string.h>

#include "clusterd/describe_move.h"
#include "clusterd/describe_tip.h"
#include "clusterd/request_internal_io.h"
#include "resources/definition_write.h"

static json_t *integer(uint64_t value)
{
	return json_integer((json_int_t)value);
}

/* Policies. */

static json_t *past_json(const struct cluster_policy *policy)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < policy->past_count; i++) {
		const struct policy_past *past = &policy->past[i];
		json_t *row = json_object();

		json_object_set_new(row, "tip", integer(past->tip));
		json_object_set_new(row, "verdict", json_string(tip_verdict_word(past->verdict)));
		json_object_set_new(row, "before", integer(past->before));
		json_object_set_new(row, "predicted", integer(past->after));
		json_object_set_new(row, "measured", integer(past->measured));
		json_array_append_new(list, row);
	}
	return list;
}

static json_t *run_json(const struct policy_run *run)
{
	json_t *row = json_object();

	json_object_set_new(row, "wanted", json_boolean(run->wanted));
	json_object_set_new(row, "count", integer(run->count));
	json_object_set_new(row, "tip", run->tip ? integer(run->tip) : json_null());
	json_object_set_new(row, "reason", text_json(run->reason));
	return row;
}

static uint32_t live_tips(const struct cluster *cluster, const char *policy)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < TIPS_MAX; i++)
		count += tip_lives(&cluster->tips[i]) && cluster->tips[i].state != TIP_DONE &&
			 strcmp(cluster->tips[i].policy, policy) == 0;
	return count;
}

static json_t *policy_row(const struct cluster *cluster, const struct cluster_policy *policy)
{
	const struct pro_def *def = &policy->def;
	json_t *row = json_object();

	json_object_set_new(row, "name", text_json(def->name));
	json_object_set_new(row, "enabled", json_boolean(def->enabled));
	json_object_set_new(row, "mode", json_string(pro_mode_words[def->mode]));
	json_object_set_new(row, "suspended", json_boolean(policy->suspended));
	json_object_set_new(row, "severity", json_string(pro_severity_words[def->severity]));
	json_object_set_new(row, "of", json_string(pro_subject_words[def->subject]));
	json_object_set_new(row, "measure", json_string(pro_measure_words[def->measure]));
	json_object_set_new(row, "unit", json_string(pro_unit(def->measure)));
	json_object_set_new(row, "at_most", json_boolean(def->below));
	json_object_set_new(row, "threshold", integer(def->threshold));
	json_object_set_new(row, "hold_s", integer(def->hold_s));
	json_object_set_new(row, "action", json_string(pro_action_words[def->action]));
	json_object_set_new(row, "script", def->script[0] ? text_json(def->script) : json_null());
	json_object_set_new(row, "tips", integer(live_tips(cluster, def->name)));
	json_object_set_new(row, "reason", text_json(policy->reason));
	return row;
}

struct answer show_policy_list(struct request *request, const json_t *ask)
{
	const struct cluster *cluster = node_cluster(request->options.node);
	json_t *result = json_object(), *rows = json_array();

	(void)ask;
	for (uint32_t i = 0; i < POLICIES_MAX; i++)
		if (cluster->policies[i].used)
			json_array_append_new(rows, policy_row(cluster, &cluster->policies[i]));
	json_object_set_new(result, "policies", rows);
	return answer_result(result);
}

struct answer show_policy(struct request *request, const json_t *ask)
{
	const struct cluster *cluster = node_cluster(request->options.node);
	const char *name = member_text(ask, "name");
	const struct cluster_policy *policy = name ? cluster_find_policy(cluster, name) : NULL;
	char xml[2048];
	json_t *row;

	if (!policy)
		return answer_error("no-such-policy", "there is no policy of that name",
				    "clustadm policy list shows the names");
	row = policy_row(cluster, policy);
	definition_write_policy(&policy->def, xml, sizeof(xml));
	json_object_set_new(row, "xml", text_json(xml));
	json_object_set_new(row, "past", past_json(policy));
	json_object_set_new(row, "run", run_json(&policy->run));
	return answer_result(row);
}

// The balance that was asked for last.
struct answer show_balance(struct request *request, const json_t *ask)
{
	(void)ask;
	return answer_result(run_json(&node_cluster(request->options.node)->balance));
}

/* Tips. */

static json_t *tip_move_json(const struct cluster *cluster, const struct tip_move *move)
{
	const struct vm *vm = cluster_vm(cluster, move->vm);
	const char *state = move->outcome ? move_outcome_word(move->outcome)
			    : move->move  ? "running"
					  : "planned";
	json_t *row = json_object();

	json_object_set_new(row, "vm",
			    vm ? text_json(vm_definition(cluster, vm)->name) : json_null());
	json_object_set_new(row, "from", node_name_json(cluster, move->from));
	json_object_set_new(row, "to", node_name_json(cluster, move->to));
	json_object_set_new(row, "move", move->move ? integer(move->move) : json_null());
	json_object_set_new(row, "state", json_string(state));
	return row;
}

static void add_evidence(json_t *row, const struct cluster *cluster, const struct tip *tip)
{
	json_t *points = json_array(), *unseen = json_array();

	for (uint32_t i = 0; i < tip->point_count; i++)
		json_array_append_new(points, integer(tip->points[i]));
	for (uint8_t slot = 0; slot < NODES_MAX; slot++)
		if (tip->unseen >> slot & 1 && cluster->nodes[slot].used)
			json_array_append_new(unseen, node_name_json(cluster, slot));
	json_object_set_new(row, "measure", json_string(pro_measure_words[tip->measure]));
	json_object_set_new(row, "unit", json_string(pro_unit(tip->measure)));
	json_object_set_new(row, "at_most", json_boolean(tip->below));
	json_object_set_new(row, "threshold", integer(tip->threshold));
	json_object_set_new(row, "points", points);
	json_object_set_new(row, "step_s", integer(tip->step_s));
	json_object_set_new(row, "left_out", unseen);
}

static json_t *tip_row(const struct cluster *cluster, const struct tip *tip)
{
	json_t *row = json_object(), *moves = json_array();

	json_object_set_new(row, "id", integer(tip->id));
	json_object_set_new(row, "policy", tip->policy[0] ? text_json(tip->policy) : json_null());
	json_object_set_new(row, "severity", json_string(pro_severity_words[tip->severity]));
	json_object_set_new(row, "state", json_string(tip_state_word(tip->state)));
	json_object_set_new(row, "of", json_string(pro_subject_words[tip->subject]));
	json_object_set_new(row, "subject", text_json(tip->subject_name));
	json_object_set_new(row, "action", json_string(pro_action_words[tip->action]));
	json_object_set_new(row, "automatic", json_boolean(tip->automatic));
	json_object_set_new(row, "opened_ms", integer(tip->opened_ms));
	json_object_set_new(row, "changed_ms", integer(tip->changed_ms));
	json_object_set_new(row, "expires_ms", integer(tip->expires_ms));
	add_evidence(row, cluster, tip);
	for (uint32_t i = 0; i < tip->move_count; i++)
		json_array_append_new(moves, tip_move_json(cluster, &tip->moves[i]));
	json_object_set_new(row, "moves", moves);
	json_object_set_new(row, "before", integer(tip->before));
	json_object_set_new(row, "predicted", integer(tip->after));
	json_object_set_new(row, "cost_ms", integer(tip->cost_ms));
	json_object_set_new(row, "cost_bytes", integer(tip->cost_bytes));
	json_object_set_new(row, "replans", integer(tip->replans));
	json_object_set_new(row, "verdict", json_string(tip_verdict_word(tip->verdict)));
	json_object_set_new(row, "measured",
			    tip->verdict > VERDICT_PENDING ? integer(tip->measured) : json_null());
	json_object_set_new(row, "reason", text_json(tip->reason));
	json_object_set_new(row, "result", text_json(tip->result));
	return row;
}

// The latest last; those that are over, too, as long as they are remembered.
struct answer show_tips_list(struct request *request, const json_t *ask)
{
	const struct cluster *cluster = node_cluster(request->options.node);
	json_t *result = json_object(), *rows = json_array();
	uint32_t last = 0;

	(void)ask;
	for (uint32_t k = 0; k < TIPS_MAX; k++) {
		const struct tip *next = NULL;

		for (uint32_t i = 0; i < TIPS_MAX; i++) {
			const struct tip *tip = &cluster->tips[i];

			if (tip->id > last && (!next || tip->id < next->id))
				next = tip;
		}
		if (!next)
			break;
		last = next->id;
		json_array_append_new(rows, tip_row(cluster, next));
	}
	json_object_set_new(result, "tips", rows);
	return answer_result(result);
}

// The number of a tip, as its name.
static uint32_t asked_id(const json_t *ask)
{
	const char *name = member_text(ask, "name");
	uint64_t id = 0;

	for (; name && *name >= '0' && *name <= '9' && id <= UINT32_MAX; name++)
		id = id * 10 + (uint64_t)(*name - '0');
	return name && !*name && id <= UINT32_MAX ? (uint32_t)id : 0;
}

struct answer show_tip(struct request *request, const json_t *ask)
{
	const struct cluster *cluster = node_cluster(request->options.node);
	const struct tip *tip = cluster_tip(cluster, asked_id(ask));

	return tip ? answer_result(tip_row(cluster, tip))
		   : answer_error("no-such-tip", "there is no tip of that number",
				  "clustadm tips list shows them");
}

/* Changes. */

static struct answer change_tip(struct request *request, uint64_t client, const json_t *ask,
				enum entry_type type)
{
	struct entry entry = { .type = (uint8_t)type, .tip = asked_id(ask) };
	json_t *result = json_object();

	json_object_set_new(result, "id", integer(entry.tip));
	return request_propose(request, client, &entry, result);
}

struct answer change_tip_accept(struct request *request, uint64_t client, const json_t *ask)
{
	return change_tip(request, client, ask, ENTRY_TIP_ACCEPT);
}

struct answer change_tip_dismiss(struct request *request, uint64_t client, const json_t *ask)
{
	return change_tip(request, client, ask, ENTRY_TIP_DISMISS);
}

struct answer change_policy_enable(struct request *request, uint64_t client, const json_t *ask)
{
	struct entry entry = { .type = ENTRY_POLICY_SET, .flag = true };

	return request_named(request, client, &entry, ask);
}

struct answer change_policy_disable(struct request *request, uint64_t client, const json_t *ask)
{
	struct entry entry = { .type = ENTRY_POLICY_SET, .flag = false };

	return request_named(request, client, &entry, ask);
}

struct answer change_policy_run(struct request *request, uint64_t client, const json_t *ask)
{
	struct entry entry = { .type = ENTRY_POLICY_RUN };

	return request_named(request, client, &entry, ask);
}

// What `clustadm balance` does: a tip that is accepted already, of no policy. `balance show` tells
// what became of it.
struct answer change_balance(struct request *request, uint64_t client, const json_t *ask)
{
	struct entry entry = { .type = ENTRY_POLICY_RUN };

	(void)ask;
	return request_propose(request, client, &entry, json_object());
}
