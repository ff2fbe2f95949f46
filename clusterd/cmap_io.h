// SPDX-License-Identifier: Apache-2.0
// What corosync.conf says: which nodes there are, their names, the cluster's name and corosync's
// timeouts.
//
// Posts EVENT_NODELIST (node_id: this node) when it is first read and at each change. While
// corosync is away the last known values stay; it connects again, for ever.
#pragma once

#include "clusterd/edge.h"

struct cmap;

// Milliseconds as corosync really uses them; 0 while unknown.
struct cmap_timing {
	uint32_t token_ms;
	uint32_t consensus_ms;
};

int cmap_open(struct cmap **cmap, const struct edge *edge);	// 0 or -errno
void cmap_close(struct cmap *cmap);				// accepts NULL

const char *cmap_cluster_name(const struct cmap *cmap);		// empty while unknown
// The node's name; its first address where corosync.conf gives none; NULL: no such node.
const char *cmap_node_name(const struct cmap *cmap, uint32_t id);
uint32_t cmap_node_id(const struct cmap *cmap, const char *name);	// 0: no such node
struct cmap_timing cmap_timing(const struct cmap *cmap);
