// SPDX-License-Identifier: Apache-2.0
// What this host measured is kept and told to the others; what they tell is kept.
#include <string.h>

#include "clusterd/node_internal.h"

static struct measure_teller teller_of(const struct cluster *cluster,
				       const struct cluster_node *from)
{
	return (struct measure_teller){
		.node = node_slot(cluster, from),
		.id = from->def.id,
		.cpus = from->reported ? from->report.cpus : 0,
		.memory_mib = from->reported ? from->report.memory_mib : 0,
	};
}

/*
 * While a VM moves there is a process of it on both sides; the owner's is the one that the guest
 * runs in. What another node says of it is left out, and so is what nobody knows here yet.
 */
static void leave_out(const struct cluster *cluster, uint8_t teller, struct measure_sample *sample)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < sample->vm_count; i++) {
		const struct vm *vm = cluster_vm(cluster, sample->vms[i].vm);

		if (vm && vm->owner == teller)
			sample->vms[kept++] = sample->vms[i];
	}
	sample->vm_count = kept;
}

static void keep(struct node *node, const struct cluster_node *from, const struct event *event)
{
	struct measure_sample sample;
	struct measure_teller teller;

	if (!from || !event->body || !sample_decode(&sample, event->body, event->body_size)) {
		measures_drop(node->measures);
		return;
	}
	teller = teller_of(&node->cluster, from);
	leave_out(&node->cluster, teller.node, &sample);
	measures_keep(node->measures, &teller, &sample, node->now_ms, node->wall_ms);
}

void measured_event(struct node *node, const struct event *event, struct actions *actions)
{
	struct action *action;
	uint8_t *body;

	if (event->type == EVENT_MEASURES_HEARD) {
		// Its own come back to it, too.
		if (event->from_id != node->self)
			keep(node, cluster_node_by_id(&node->cluster, event->from_id), event);
		return;
	}
	keep(node, node_of_self(node), event);
	if (!event->body || !actions_room(actions, 1, event->body_size))
		return;
	body = actions_bytes(actions, event->body_size);
	memcpy(body, event->body, event->body_size);
	action = actions_add(actions, ACTION_MEASURES_TELL);
	action->body = body;
	action->body_size = event->body_size;
}
