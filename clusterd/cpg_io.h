// SPDX-License-Identifier: Apache-2.0
// The CPG group: agreed messages of any size up to MESSAGE_SIZE_MAX, and who is there to hear them.
//
// Posts EVENT_GROUP (node_id: this node) at each change of membership, EVENT_MESSAGE in the one
// order (own messages too), and EVENT_GROUP_LOST when corosync is gone or has thrown this node out;
// then it connects again, for ever. A message is heard by all members of one configuration or by
// none: what a change of membership cuts in two is dropped everywhere.
#pragma once

#include "clusterd/action.h"
#include "clusterd/edge.h"

struct group;

enum { GROUP_QUEUE_BYTES_MAX = 16 * 1024 * 1024 };

// 0 or -errno. Corosync need not be there yet. The ring number in EVENT_GROUP is the newest that
// was heard, and for display: corosync tells a new ring after the members that it brought.
int group_open(struct group **group, const struct edge *edge);
// ACTION_SEND: copied; dropped without a word when not joined. ACTION_GROUP_REJOIN:
// EVENT_GROUP_LOST, then EVENT_GROUP come later. Never posts from inside. A queue that overflows
// costs the membership: GROUP_LOST, then again.
void group_perform(struct group *group, const struct action *action);
void group_close(struct group *group);		// accepts NULL

uint32_t group_local_id(const struct group *group);	// corosync node id; 0 while unknown
uint64_t group_dropped(const struct group *group);	// malformed messages, counted
