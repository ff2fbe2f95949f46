// SPDX-License-Identifier: Apache-2.0
// Corosync's own membership and votequorum's word on it.
//
// Posts EVENT_RING (node_id: this node) at each change, membership and quorum together as corosync
// settled them. Nothing is posted when corosync goes (EVENT_GROUP_LOST says that); it connects
// again, for ever.
#pragma once

#include "clusterd/edge.h"

struct ring;

// For people: clustadm quorum. Zeroes while unknown.
struct ring_votes {
	uint32_t expected;
	uint32_t total;
	uint32_t quorum;
	bool quorate, two_node, wait_for_all, last_man_standing, device;
};

int ring_open(struct ring **ring, const struct edge *edge);	// 0 or -errno
void ring_close(struct ring *ring);				// accepts NULL
void ring_votes(const struct ring *ring, struct ring_votes *votes);
