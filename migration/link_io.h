// SPDX-License-Identifier: Apache-2.0
// The direct links between the daemons of two nodes: words about a move, within a round trip; and
// what is durable, ahead of the group's messages.
//
// TCP with TLS 1.3 and both sides' certificates (migration/cert_io.h), over the migration networks.
// Who may speak: a daemon whose certificate the cluster's authority signed and whose name is that
// of a node that is defined, the node that it says it is, and, where this side dialled, the node
// that was meant. Where the cluster's definition has switched TLS off, the address must be one that
// the node has reported, and nothing more is proven; there nothing is said of what is durable.
//
// A link that was opened stays, so that a word finds it ready. A word that cannot be delivered is
// lost: who must be heard says it again.
#pragma once

#include "clusterd/action.h"
#include "clusterd/edge.h"

struct link;
struct cert_folder;
struct cert_problem;

enum { LINK_PORT = 7799 };

typedef void (*link_log_fn)(void *owner, enum log_level level, const char *text);

struct link_options {
	struct edge edge;
	const char *folder; // of certificates
	uint16_t port;	    // 0: LINK_PORT
	uint32_t dial_ms;   // for one address; 0: LINK_DIAL_MS, as below
	uint32_t hello_ms;  // for a caller to say who it is
	uint32_t look_ms;   // how often the certificates are looked at
	// This node's replica and id (0: not known yet); asked at each use.
	const struct cluster *(*cluster)(void *owner);
	uint32_t (*self)(void *owner);
	// How far another node is with a move, for people; may be NULL.
	void (*progress)(void *owner, uint32_t from, uint32_t move,
			 const struct migrate_stats *stats);
	link_log_fn log; // NULL: the daemon's log
	void *owner;
};

int link_open(struct link **link, const struct link_options *options); // 0 or -errno
void link_close(struct link *link);				       // accepts NULL

// This node's migration addresses: where it listens. Those of before that are not among them are
// given up; links stay.
void link_addresses(struct link *link, const char (*addresses)[ADDRESS_SIZE], uint32_t count);

// ACTION_MOVE_TELL, ACTION_LINK_CHECK and ACTION_SYNCED_TELL; false: not one of those.
bool link_perform(struct link *link, const struct action *action);

// Tells every other node how far this one is with a move: for people, so it may be lost.
void link_progress(struct link *link, uint32_t move, const struct migrate_stats *stats);

// The certificates as they were last seen; false: `problem` says why they cannot be used.
bool link_certificates(const struct link *link, struct cert_folder *found,
		       struct cert_problem *problem);
