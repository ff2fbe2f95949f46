// SPDX-License-Identifier: Apache-2.0
#include "migration/bandwidth.h"

#include <string.h>

enum { BYTES_OF_MBIT = 1000000 / 8, LEAST = 1 << 20 };

static bool is_sent(const struct move *move)
{
	return move->id != 0 && (move->kind == MOVE_LIVE || move->kind == MOVE_AUTO) &&
	       (move->stage == STAGE_TRANSFER || move->stage == STAGE_HANDOVER);
}

// Which of the target's networks it goes over. The others' order is the same: the definition's.
static uint32_t network_of(const struct node_report *target, const char *address)
{
	for (uint32_t i = 0; i < MIGRATION_NETWORKS_MAX; i++)
		if (target->addresses[i][0] && strcmp(target->addresses[i], address) == 0)
			return i;
	return 0;
}

static uint64_t share_of(const struct cluster *cluster, uint8_t slot, uint32_t network,
			 uint32_t count)
{
	const struct migration_def *def = &cluster->def.migration;
	const struct node_report *report = &cluster->nodes[slot].report;
	uint64_t mbit = report->link_mbit[network], share;

	if (mbit == 0)
		mbit = def->link_mbit;
	share = mbit * BYTES_OF_MBIT / 100 * def->bandwidth_percent / (count ? count : 1);
	return mbit && share < LEAST ? LEAST : share;
}

uint64_t move_bandwidth(const struct cluster *cluster, const struct move *move)
{
	uint32_t out = 0, in = 0, network;
	uint64_t source, target;

	if (move->target >= NODES_MAX)
		return 0;
	for (uint32_t i = 0; i < cluster->move_high; i++) {
		const struct move *other = &cluster->moves[i];

		out += is_sent(other) && other->source == move->source;
		in += is_sent(other) && other->target == move->target;
	}
	network = network_of(&cluster->nodes[move->target].report, move->address);
	source = share_of(cluster, move->source, network, out);
	target = share_of(cluster, move->target, network, in);
	return source && (!target || source < target) ? source : target;
}
