// SPDX-License-Identifier: Apache-2.0
// `capacity`: whether the cluster stands the loss of nodes, and the counter-example when not.
#include <stdlib.h>
#include <string.h>

#include "clusterd/request_internal_io.h"
#include "policies/capacity.h"

static uint32_t nodes_used(const struct cluster *cluster)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < NODES_MAX; i++)
		count += cluster->nodes[i].used;
	return count;
}

// As many as can be proved: two only in a cluster of few nodes.
static uint32_t failures_tried(const struct cluster *cluster, uint32_t failures)
{
	return failures >= CAPACITY_FAILURES_MAX && nodes_used(cluster) <= CAPACITY_NODES_MAX_2
		       ? CAPACITY_FAILURES_MAX
		       : 1;
}

static const char *node_name(const struct cluster *cluster, uint8_t slot)
{
	return slot == SLOT_NONE ? NULL : cluster->nodes[slot].def.name;
}

static json_t *answer_json(const struct cluster *cluster, const struct capacity_answer *answer,
			   uint32_t failures)
{
	json_t *json = json_object(), *nodes = json_array();

	json_object_set_new(json, "failures", json_integer(failures));
	json_object_set_new(json, "tolerates", json_boolean(answer->tolerates));
	json_object_set_new(json, "tried", json_integer(answer->tried));
	for (int i = 0; i < 2; i++) {
		const char *name = node_name(cluster, answer->failed[i]);

		if (name)
			json_array_append_new(nodes, text_json(name));
	}
	json_object_set_new(json, "nodes", nodes);
	if (answer->tolerates)
		return json;
	json_object_set_new(json, "vm", text_json(answer->vm));
	json_object_set_new(json, "homeless", json_integer(answer->homeless));
	json_object_set_new(json, "reason", text_json(answer->reason));
	json_object_set_new(json, "fix", text_json(answer->fix));
	return json;
}

json_t *capacity_json(const struct cluster *cluster, uint64_t present, uint32_t failures)
{
	struct cluster *scratch = malloc(sizeof(*scratch));
	uint32_t *list = calloc(cluster->vm_high + 1u, sizeof(*list));
	uint32_t tried = failures_tried(cluster, failures);
	struct capacity_answer answer;
	json_t *json = NULL;

	if (scratch && list) {
		*scratch = *cluster;
		capacity_prove(scratch, present, tried, list, &answer);
		json = answer_json(cluster, &answer, tried);
	}
	free(scratch);
	free(list);
	return json;
}

json_t *capacity_now(struct request *request, uint32_t failures)
{
	const struct node *node = request->options.node;
	const struct cluster *cluster = node_cluster(node);
	struct proven now = { .index = cluster->index,
			      .view = view_number(node_view(node)),
			      .present = present_nodes(node),
			      .failures = failures };
	struct proven *last = &request->proven;

	if (last->json && last->index == now.index && last->view == now.view &&
	    last->present == now.present && last->failures == now.failures)
		return json_incref(last->json);
	now.json = capacity_json(cluster, now.present, failures);
	json_decref(last->json);
	*last = now;
	return json_incref(last->json);
}

json_t *capacity_broken(const struct cluster *before, struct cluster *after, uint64_t present)
{
	uint32_t failures = after->def.policies.failures;
	uint32_t *list = calloc(after->vm_high + 1u, sizeof(*list));
	json_t *was = failures ? capacity_json(before, present, failures) : NULL, *is = NULL;

	if (list && was && json_is_true(json_object_get(was, "tolerates"))) {
		capacity_settle(after, present, list);
		is = capacity_json(after, present, failures);
	}
	json_decref(was);
	free(list);
	if (!is || !json_is_true(json_object_get(is, "tolerates")))
		return is;
	json_decref(is);
	return NULL;
}

struct answer show_capacity(struct request *request, const json_t *ask)
{
	const struct cluster *cluster = node_cluster(request->options.node);
	const json_t *asked = json_object_get(ask, "failures");
	json_int_t failures = json_integer_value(asked);

	if (!asked)
		failures = cluster->def.policies.failures ? cluster->def.policies.failures : 1;
	if (failures < 1 || failures > CAPACITY_FAILURES_MAX)
		return answer_error("malformed", "1 or 2 failures can be tried",
				    "clustadm capacity --failures 1");
	if (asked && failures == 2 && nodes_used(cluster) > CAPACITY_NODES_MAX_2)
		return answer_error("too-many-nodes",
				    "two failures are tried in clusters of up to 16 nodes",
				    "clustadm capacity --failures 1");
	return answer_result(capacity_now(request, (uint32_t)failures));
}
