// SPDX-License-Identifier: Apache-2.0
#include "migration/preflight_io.h"

#include "clusterd/describe_move.h"

static json_t *verdict_json(uint8_t verdict)
{
	return json_string(check_verdict_word((enum check_verdict)verdict));
}

json_t *preflight_json(const struct cluster *cluster, const struct preflight_load *load,
		       const struct vm *vm, uint8_t target, enum move_kind kind)
{
	json_t *row = json_object(), *checks = json_array();
	struct preflight_words words;
	struct preflight result;
	enum preflight_check worst;

	preflight_judge(cluster, load, vm, target, kind, &result);
	worst = preflight_worst(&result);
	for (unsigned int i = 0; i < PREFLIGHT_CHECK_COUNT; i++) {
		enum preflight_check check = (enum preflight_check)i;

		if (!result.rows[i].asked)
			continue;
		preflight_explain(cluster, vm, &result, check, &words);
		json_array_append_new(checks,
				      json_pack("{s:s, s:o, s:s, s:s, s:s, s:s}", "check",
						preflight_check_word(check), "verdict",
						verdict_json(result.rows[i].verdict), "found",
						words.found, "needed", words.needed, "reason",
						words.reason, "fix", words.fix));
	}
	words.reason[0] = words.fix[0] = 0;
	if (worst != PREFLIGHT_CHECK_COUNT)
		preflight_explain(cluster, vm, &result, worst, &words);
	json_object_set_new(row, "node", json_string(cluster->nodes[target].def.name));
	json_object_set_new(row, "here", json_boolean(vm->owner == target));
	json_object_set_new(row, "kind", json_string(move_kind_word(result.kind)));
	json_object_set_new(row, "verdict", verdict_json(result.verdict));
	json_object_set_new(row, "reason", json_string(words.reason));
	json_object_set_new(row, "fix", json_string(words.fix));
	json_object_set_new(row, "checks", checks);
	return row;
}

json_t *preflight_names(const struct cluster *cluster, uint64_t nodes)
{
	json_t *names = json_array();

	for (uint8_t slot = 0; slot < NODES_MAX; slot++)
		if (nodes >> slot & 1)
			json_array_append_new(names, json_string(cluster->nodes[slot].def.name));
	return names;
}
