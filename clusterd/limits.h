// SPDX-License-Identifier: Apache-2.0
// The sizes that every part agrees on. What is a capacity of a running cluster is in
// cluster_limits.
#pragma once

enum {
	NODES_MAX = 64,	    // a set of nodes is one 64-bit mask of table slots
	NODE_ID_MAX = 2000, // sanlock: 2000 hosts with 512-byte sectors and 1 MiB areas
	VOLUMES_MAX = 32,   // a set of volumes is one 32-bit mask of table slots
	VM_LEASES_MAX = 8,  // sanlock: at most 8 leases per registered process
	VM_DISKS_MAX = 12,
	VM_NICS_MAX = 8,
	VM_TIERS_MAX = 8,      // ranked tiers of preferred owners
	FENCE_DEVICES_MAX = 4, // per node, tried in order
	MOVES_MAX = 128,       // asked for or under way; 2 nodes each, so 64 nodes have room for
			       // their limits
	PAST_MOVES_MAX = 64,   // ended ones whose numbers are kept
	MIGRATION_NETWORKS_MAX = 4,
	RULES_MAX = 64, // a set of rules is one 64-bit mask
	RULE_MEMBERS_MAX = 32,
	POLICIES_MAX = 32,
	POLICY_PAST_MAX = 10,	// predictions that are remembered of each
	POLICY_BUDGET_MAX = 16, // moves an hour that a policy may be allowed on one node
	TIPS_MAX = 32,
	TIP_MOVES_MAX = 8,
	TIP_POINTS_MAX = 12, // of the series that it is opened for
	TAGS_MAX = 8,	     // per VM
	TAG_SIZE = 32,
	ATTRIBUTES_MAX = 8, // per node
	MEASURE_EVERY_MAX_S = 600,
	AHEAD_MAX_MIN = 24 * 60, // that local time is ahead of UTC, or behind it
	ADDRESS_SIZE = 46,  // INET6_ADDRSTRLEN
	NAME_SIZE = 64,	    // all *_SIZE include the terminating zero
	PATH_SIZE = 160,
	TEXT_SIZE = 128,
	CMDLINE_SIZE = 256,
	REASON_SIZE = 192,
	FENCE_OPTIONS_SIZE = 512,
	ENTRY_SIZE_MAX = 896 * 1024, // one CPG message, head included, stays below 1 MiB
	MESSAGE_SIZE_MAX = 960 * 1024,
	COPY_CHUNK_SIZE = 256 * 1024,
};
