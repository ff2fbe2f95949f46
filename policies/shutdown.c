// SPDX-License-Identifier: Apache-2.0
#include "policies/shutdown.h"

#include <stddef.h>

bool shutdown_binds(enum shutdown_policy policy, enum host_leaving leaving)
{
	switch (policy) {
	case SHUTDOWN_CONDITIONAL:
		return leaving == LEAVING_REBOOT;
	case SHUTDOWN_FREEZE:
		return leaving != LEAVING_NOT;
	case SHUTDOWN_FAILOVER:
	case SHUTDOWN_MIGRATE: // it was to leave, or is saved: whoever can have it may
	case SHUTDOWN_POLICY_COUNT:
		break;
	}
	return false;
}

struct bound_answer bound_decide(const struct bound_facts *facts)
{
	enum { N, Y, ANY };
	static const struct {
		uint8_t down, coming, closed, patient, reboot_late, return_late;
		struct bound_answer answer;
	} rows[] = {
		{ ANY,
		  ANY,
		  Y,
		  ANY,
		  ANY,
		  ANY,
		  { false, "its host may not have VMs when it is back" } },
		{ Y, ANY, N, Y, ANY, ANY, { true, "its host went down on purpose" } },
		{ Y, ANY, N, N, N, ANY, { true, "its host reboots" } },
		{ Y, ANY, N, N, Y, ANY, { false, "its host's reboot takes too long" } },
		{ N, Y, N, ANY, ANY, N, { true, "its host is back, and opens its volumes" } },
		{ N,
		  Y,
		  N,
		  ANY,
		  ANY,
		  Y,
		  { false, "its host is back, and does not have its volumes" } },
		{ N, N, N, ANY, ANY, ANY, { false, "its host is back, or was lost" } },
	};
	const bool found[] = { facts->down,    facts->coming,	   facts->closed,
			       facts->patient, facts->reboot_late, facts->return_late };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint8_t wanted[] = {
			rows[i].down,	 rows[i].coming,      rows[i].closed,
			rows[i].patient, rows[i].reboot_late, rows[i].return_late
		};
		bool fits = true;

		for (size_t k = 0; k < sizeof(found); k++)
			fits = fits && (wanted[k] == ANY || wanted[k] == (found[k] ? Y : N));
		if (fits)
			return rows[i].answer;
	}
	return (struct bound_answer){ false, "no row of the table fits" };
}

static bool has_volumes(const struct cluster_node *node, const struct vm *vm)
{
	if (!node->reported)
		return false;
	for (uint32_t i = 0; i < vm->lease_count; i++) {
		const struct node_volume *volume = &node->report.volumes[vm->leases[i].volume];

		// One that is lost there does not come by waiting for the host.
		if (!volume->joined && volume->state != VOLUME_LOST)
			return false;
	}
	return true;
}

// The clocks of two nodes may differ: what is in the future is now.
static uint64_t left_of(uint64_t limit_ms, uint64_t since_ms, uint64_t wall_ms)
{
	uint64_t age = wall_ms > since_ms ? wall_ms - since_ms : 0;

	return age < limit_ms ? limit_ms - age : 0;
}

bool bound_waits(const struct cluster *cluster, const struct vm *vm, uint64_t wall_ms,
		 uint64_t *left_ms)
{
	const struct cluster_node *node;
	uint64_t reboot_ms, return_ms;
	struct bound_facts facts;

	*left_ms = UINT64_MAX;
	if (vm->owner != SLOT_NONE || vm->bound_to >= NODES_MAX ||
	    !cluster->nodes[vm->bound_to].used)
		return false;
	node = &cluster->nodes[vm->bound_to];
	reboot_ms = left_of(REBOOT_LIMIT_MS, node->since_ms, wall_ms);
	return_ms = left_of(RETURN_LIMIT_MS, node->since_ms, wall_ms);
	facts = (struct bound_facts){
		.down = node->life == NODE_LEFT ||
			(node->life == NODE_ONLINE && node->reported && node->report.leaving),
		.coming = node->life == NODE_ONLINE && !has_volumes(node, vm),
		.closed = node->maintenance || !node->managed,
		.patient = cluster->def.policies.shutdown == SHUTDOWN_FREEZE,
		// How long its host was up says nothing: it has not yet gone.
		.reboot_late = node->life == NODE_LEFT && reboot_ms == 0,
		.return_late = return_ms == 0,
	};
	if (facts.down && !facts.patient && node->life == NODE_LEFT && reboot_ms > 0)
		*left_ms = reboot_ms;
	else if (!facts.down && facts.coming && return_ms > 0)
		*left_ms = return_ms;
	return bound_decide(&facts).waits;
}
