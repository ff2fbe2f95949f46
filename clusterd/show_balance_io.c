// SPDX-License-Identifier: Apache-2.0
// `balance plan`: what `clustadm balance` would do now, by what is measured at this moment.
#include <stdlib.h>
#include <time.h>

#include "clusterd/request_internal_io.h"
#include "policies/balance_io.h"

// Nodes that could take part, but of which nothing present was measured.
static uint64_t unseen_nodes(const struct cluster *cluster, uint64_t present,
			     const struct balance_measured *measured)
{
	uint64_t unseen = 0;

	for (uint8_t slot = 0; slot < NODES_MAX; slot++) {
		const struct balance_use *use = &measured->nodes[slot];

		if (cluster->nodes[slot].used && (present >> slot & 1) &&
		    (use->of[BALANCE_MEMORY] == BALANCE_UNKNOWN ||
		     use->of[BALANCE_CPUS] == BALANCE_UNKNOWN))
			unseen |= UINT64_C(1) << slot;
	}
	return unseen;
}

struct answer show_balance_plan(struct request *request, const json_t *ask)
{
	const struct node *node = request->options.node;
	const struct cluster *cluster = node_cluster(node);
	uint64_t present = present_nodes(node), unseen;
	struct balance_use *vms = calloc(cluster->vm_high + 1u, sizeof(*vms));
	struct balance_measured *measured = calloc(1, sizeof(*measured));
	struct balance_plan *plan = calloc(1, sizeof(*plan));
	struct pro_def plain = pro_plain_balance();
	struct balance_options options = balance_options_of(&plain, true);
	uint8_t *rests = calloc(cluster->vm_high + 1u, sizeof(*rests));
	void *memory = malloc(balance_memory(&cluster->limits));
	json_t *json = NULL;

	(void)ask;
	if (vms && measured && plan && memory && rests) {
		balance_rests(cluster, &plain, (uint64_t)time(NULL) * 1000, rests);
		options.rests = rests;
		balance_measure(cluster, node_measures(node), node_now_ms(node), measured, vms);
		unseen = unseen_nodes(cluster, present, measured);
		// Nothing is measured anywhere: by what VMs are defined to have.
		if (unseen != present)
			options.measured = measured;
		else
			unseen = 0;
		balance_plan(cluster, present, &options, memory, plan);
		json = balance_json(cluster, plan, options.measured != NULL, unseen);
	}
	free(vms);
	free(measured);
	free(rests);
	free(plan);
	free(memory);
	return answer_result(json);
}
