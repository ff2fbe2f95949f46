// SPDX-License-Identifier: Apache-2.0
#include "policies/balance_io.h"

static json_t *names_json(const struct cluster *cluster, uint64_t nodes)
{
	json_t *names = json_array();

	for (uint8_t slot = 0; slot < NODES_MAX; slot++)
		if (nodes >> slot & 1)
			json_array_append_new(names, json_string(cluster->nodes[slot].def.name));
	return names;
}

static json_t *step_json(const struct cluster *cluster, const struct balance_step *step)
{
	const struct vm *vm = cluster_vm(cluster, step->vm);
	char reason[REASON_SIZE];

	balance_explain_step(cluster, step, reason);
	return json_pack("{s:s, s:s, s:s, s:b, s:I, s:I, s:s, s:s}", "vm",
			 vm ? vm_definition(cluster, vm)->name : "", "from",
			 cluster->nodes[step->from].def.name, "to",
			 cluster->nodes[step->to].def.name, "together", step->together, "gain_ppm",
			 (json_int_t)step->before - (json_int_t)step->score, "score_ppm",
			 (json_int_t)step->score, "evens",
			 balance_dimension_word((enum balance_dimension)step->dimension), "reason",
			 reason);
}

json_t *balance_json(const struct cluster *cluster, const struct balance_plan *plan, bool measured,
		     uint64_t unseen)
{
	static const char *const words[] = { "memory", "cpus", "vms" };
	json_t *json = json_object(), *spread = json_object(), *steps = json_array();
	char stop[REASON_SIZE];

	for (uint32_t d = 0; d < BALANCE_DIMENSION_COUNT; d++)
		json_object_set_new(spread, words[d],
				    json_pack("{s:I, s:I}", "before_ppm",
					      (json_int_t)plan->spread_before[d], "after_ppm",
					      (json_int_t)plan->spread_after[d]));
	for (uint32_t i = 0; i < plan->count; i++)
		json_array_append_new(steps, step_json(cluster, &plan->steps[i]));
	balance_explain_stop(plan, stop);
	json_object_set_new(json, "measured", json_boolean(measured));
	json_object_set_new(json, "nodes", names_json(cluster, plan->nodes));
	json_object_set_new(json, "unseen", names_json(cluster, unseen));
	json_object_set_new(json, "before_ppm", json_integer(plan->score_before));
	json_object_set_new(json, "after_ppm", json_integer(plan->score_after));
	json_object_set_new(json, "spread", spread);
	json_object_set_new(json, "steps", steps);
	json_object_set_new(json, "stop", json_string(stop));
	return json;
}
