// SPDX-License-Identifier: Apache-2.0
/*
 * The first row that fits decides. tests/unit/test_loss.c enumerates every input: some row always
 * fits, and no row for RELEASE fits a node that is in the ring.
 *
 * Nothing here believes that a node is dead because it is silent. LOST means "may still be alive";
 * its VMs move only after FENCED (a device's status, or the administrator, said off) and the
 * release of its claims, or, for a node whose watchdog guards its leases, when sanlock itself
 * grants them after expiry.
 */
#include "quorum/loss.h"

#include <stddef.h>

enum fact { NO, YES, ANY };

struct loss_row {
	uint16_t lives;		// bits of enum node_life
	uint8_t in_ring, member, settled, managed, device, retry, failing, guarded, wanted,
		actor_here;
	enum loss_step step;
	const char *reason;
};

#define L(life) (1u << (life))


static const struct loss_row *loss_rows(size_t *count)
{
	static const struct loss_row rows[] = {
		// lives, ring, member, settled, managed, device, retry, failing, guarded, wanted,
		// actor
		{ L(NODE_ONLINE), YES, ANY, ANY, YES, YES, YES, ANY, ANY, YES, ANY, LOSS_FENCE,
		  "the administrator asked for it" },
		{ L(NODE_ONLINE), YES, ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY, LOSS_NOTHING,
		  "it is in corosync's membership" },
		{ L(NODE_ONLINE), NO, ANY, ANY, NO, ANY, ANY, ANY, ANY, ANY, ANY, LOSS_WAIT,
		  "it left corosync's membership; it is unmanaged, so nothing is done about it" },
		{ L(NODE_ONLINE), NO, ANY, NO, YES, ANY, ANY, ANY, ANY, ANY, ANY, LOSS_WAIT,
		  "it has not appeared yet since the cluster started" },
		{ L(NODE_ONLINE), NO, ANY, YES, YES, ANY, ANY, ANY, ANY, ANY, ANY, LOSS_DECLARE,
		  "it left corosync's membership" },

		{ L(NODE_UNKNOWN) | L(NODE_LEFT) | L(NODE_DEAD) | L(NODE_LOST) | L(NODE_EXPIRING) |
			  L(NODE_FENCED),
		  YES, YES, ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY, LOSS_BACK,
		  "it takes part again" },
		{ L(NODE_UNKNOWN) | L(NODE_LEFT) | L(NODE_DEAD), ANY, ANY, ANY, ANY, ANY, ANY, ANY,
		  ANY, ANY, ANY, LOSS_NOTHING, "it is not here and nothing of it is wanted" },

		{ L(NODE_FENCED), YES, NO, ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY, LOSS_WAIT,
		  "it was fenced and is in corosync's membership again; its clusterd is waited "
		  "for" },
		{ L(NODE_FENCED), NO, ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY, LOSS_RELEASE,
		  "its power is off: its claims are released" },

		{ L(NODE_FENCING), ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY, YES, LOSS_WAIT,
		  "its fence device is at work" },
		{ L(NODE_FENCING), ANY, ANY, ANY, ANY, YES, ANY, ANY, ANY, ANY, NO, LOSS_FENCE,
		  "the node that was fencing it is gone: another one goes on" },
		{ L(NODE_FENCING), ANY, ANY, ANY, ANY, NO, ANY, ANY, ANY, ANY, NO, LOSS_WAIT,
		  "the node that was fencing it is gone, and so is its fence device's definition" },

		{ L(NODE_LOST) | L(NODE_EXPIRING), YES, NO, ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY,
		  LOSS_WAIT, "it is back in corosync's membership; its clusterd is waited for" },
		{ L(NODE_LOST) | L(NODE_EXPIRING), NO, ANY, ANY, NO, ANY, ANY, ANY, ANY, ANY, ANY,
		  LOSS_WAIT, "it is unmanaged, so nothing is done about it" },
		{ L(NODE_LOST), NO, ANY, ANY, YES, YES, YES, NO, ANY, ANY, ANY, LOSS_FENCE,
		  "its power must be proved off before its VMs may start elsewhere" },
		{ L(NODE_LOST), NO, ANY, ANY, YES, ANY, ANY, YES, YES, ANY, ANY, LOSS_EXPIRE,
		  "its fence device fails; its watchdog guards its leases, so their expiry is "
		  "waited for" },
		{ L(NODE_LOST), NO, ANY, ANY, YES, NO, ANY, ANY, YES, ANY, ANY, LOSS_EXPIRE,
		  "it has no fence device; its watchdog guards its leases, so their expiry is "
		  "waited for" },
		{ L(NODE_LOST) | L(NODE_EXPIRING), NO, ANY, ANY, YES, YES, YES, ANY, ANY, ANY, ANY,
		  LOSS_FENCE, "its fence device is tried again" },
		{ L(NODE_LOST), NO, ANY, ANY, YES, YES, NO, ANY, ANY, ANY, ANY, LOSS_WAIT,
		  "its fence device failed and will be tried again" },
		{ L(NODE_LOST), NO, ANY, ANY, YES, NO, ANY, ANY, NO, ANY, ANY, LOSS_WAIT,
		  "it has neither a fence device nor a watchdog: nothing proves that it is off; "
		  "once you know that it "
		  "is, say so: clustadm node confirm-dead" },
		{ L(NODE_EXPIRING), NO, ANY, ANY, YES, ANY, ANY, ANY, ANY, ANY, ANY, LOSS_WAIT,
		  "the expiry of its leases is waited for" },
	};

	*count = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

static bool fits(uint8_t wanted, bool found)
{
	return wanted == ANY || (wanted == YES) == found;
}

static bool row_fits(const struct loss_row *row, const struct loss_facts *facts)
{
	return (row->lives & L(facts->life)) && fits(row->in_ring, facts->in_ring) &&
	       fits(row->member, facts->member) && fits(row->settled, facts->settled) &&
	       fits(row->managed, facts->managed) && fits(row->device, facts->device) &&
	       fits(row->retry, facts->retry) && fits(row->failing, facts->failing) &&
	       fits(row->guarded, facts->guarded) && fits(row->wanted, facts->wanted) &&
	       fits(row->actor_here, facts->actor_here);
}

struct loss_answer loss_decide(const struct loss_facts *facts)
{
	size_t count;
	const struct loss_row *rows = loss_rows(&count);

	for (size_t i = 0; i < count; i++)
		if (row_fits(&rows[i], facts))
			return (struct loss_answer){ rows[i].step, rows[i].reason, (uint32_t)i };
	return (struct loss_answer){ LOSS_STEP_COUNT, "no row of the table fits", (uint32_t)count };
}

uint32_t loss_row_count(void)
{
	size_t count;

	loss_rows(&count);
	return (uint32_t)count;
}

static bool may_act(uint64_t present, uint8_t target, uint8_t slot)
{
	return slot != target && (present & 1ull << slot);
}

uint8_t loss_actor(const struct cluster *cluster, uint64_t present, uint8_t target,
		   uint32_t attempt)
{
	uint32_t count = 0, nth;

	for (uint8_t slot = 0; slot < cluster->node_high; slot++)
		count += may_act(present, target, slot);
	if (count == 0)
		return SLOT_NONE;
	nth = (attempt - 1) % count;
	for (uint8_t slot = 0; slot < cluster->node_high; slot++)
		if (may_act(present, target, slot) && nth-- == 0)
			return slot;
	return SLOT_NONE;
}

static bool sees_volumes(const struct cluster_node *node, uint32_t mask)
{
	for (uint8_t v = 0; v < VOLUMES_MAX; v++)
		if ((mask & 1u << v) && (node->report.volumes[v].state != VOLUME_ONLINE ||
					 !node->report.volumes[v].joined))
			return false;
	return node->reported;
}

uint8_t loss_releaser(const struct cluster *cluster, uint64_t present, uint8_t target)
{
	uint32_t mask = cluster->nodes[target].fence_generation_mask;

	for (uint8_t slot = 0; slot < cluster->node_high; slot++)
		if (may_act(present, target, slot) && sees_volumes(&cluster->nodes[slot], mask))
			return slot;
	return loss_actor(cluster, present, target, 1);
}
