// SPDX-License-Identifier: Apache-2.0
// Views, voters and the replicated log: whether this node may act, and in which order what was
// agreed happened.
//
// The argument is that of Viewstamped Replication and Raft, over CPG. A view forms among the
// members of one CPG configuration: everybody says what its store holds; when the intact stores are
// a majority of the voters, the highest copy (view of its last entry, index) replaces the others;
// each member then promises the new view number, one above the highest that any member ever
// promised, and syncs copy and promise together. When a majority of voters has, the lowest of them
// is the coordinator. It alone gives entries their index: its first is ENTRY_VIEW, and the view is
// normal when that is committed. An entry is committed when a majority of voters reported it synced
// in this view; entries of older views only together with one of this view.
#pragma once

#include "clusterd/action.h"
#include "clusterd/cluster.h"
#include "clusterd/event.h"

enum view_state {
	VIEW_CLOSED,	// store not open, or failed
	VIEW_ALONE,	// no group
	VIEW_GATHERING,	// waiting for every member's state
	VIEW_WAITING,	// no majority of intact stores among the members
	VIEW_COPYING,	// the highest copy is on its way
	VIEW_SYNCING,	// copy and promise are being synced by a majority
	VIEW_OPENING,	// ENTRY_VIEW is not committed yet
	VIEW_NORMAL,
	VIEW_STATE_COUNT,
};

// One record of the log. `origin` and `cookie` let the proposer recognise its own.
struct record {
	uint64_t index, view;
	uint32_t origin;	// corosync id of the proposer
	uint64_t cookie;	// the proposer's: incarnation in the upper half, a counter below
	const uint8_t *body;	// an encoded entry
	uint32_t body_size;
};

struct view_limits {
	uint32_t records_max;	// kept in memory
	size_t log_bytes;	// for their bodies; at least 2 * ENTRY_SIZE_MAX in the daemon
	uint32_t proposals_max;	// of this node, not yet committed
	size_t proposal_bytes;
	size_t copy_bytes;	// an incoming snapshot; at least what cluster_encode() may need
};

struct view;	// members are private to quorum/view*.c; see quorum/view_internal.h

size_t view_memory(const struct view_limits *limits);
// `cluster` is the replica that snapshots are made of and loaded into; it stays the caller's.
struct view *view_init(const struct view_limits *limits, void *memory, struct cluster *cluster);

// One event: store, group, nodelist, ring, message (of a kind that is the view's), recover, tick.
// Others are ignored.
void view_step(struct view *view, const struct event *event, struct actions *actions);

// After each step: the next committed record, to be applied at once by the caller; NULL when there
// is none. The caller applies it to `cluster` before it asks again. Good until the next call.
const struct record *view_next_committed(struct view *view);

// True once after `cluster` was replaced (start, copy, reset): what was derived from it is to be
// made anew. Own proposals that were under way are forgotten then; whether they are in the new
// state only the state can tell.
bool view_take_reloaded(struct view *view);

// Asks for an entry. Sent when the view is normal, and again in the next view unless it was seen in
// the log. False when too many are under way. The same cookie comes back in its record.
bool view_propose(struct view *view, uint64_t cookie, const uint8_t *body, size_t size,
		  uint64_t now_ms, struct actions *actions);

// After a step's last proposal, when everything committed is applied: what of it is in the log goes
// to the store at once. Without this it goes with the next event.
void view_flush(struct view *view, struct actions *actions);

enum view_state view_state(const struct view *view);
bool view_normal(const struct view *view);		// normal, and votequorum says quorate
uint64_t view_number(const struct view *view);
// As long as it is the same, state, number, coordinator, members and ring are.
uint64_t view_turns(const struct view *view);		// the present view's; 0 when none
uint32_t view_self(const struct view *view);		// this node's corosync id; 0 while unknown
bool view_coordinator(const struct view *view); // this node is the normal view's coordinator
uint32_t view_coordinator_id(const struct view *view);	// 0 when the view is not normal
bool view_member(const struct view *view, uint32_t id);	// in the CPG group (its clusterd lives)
bool view_synchronised(const struct view *view, uint32_t id);	// has copied, in this view
bool view_in_ring(const struct view *view,
		  uint32_t id);				// in corosync's membership (the node lives)
bool view_quorate(const struct view *view);		// votequorum's word
bool view_frozen(const struct view *view);		// no majority digest: changes are refused
bool view_learner(const struct view *view);		// this node's store counts in no majority
uint64_t view_store_id(const struct view *view);	// of this node
uint64_t view_committed(const struct view *view);
uint64_t view_last_index(const struct view *view);
// The store id of a member, as it said when the view formed; 0 when unknown.
uint64_t view_member_store(const struct view *view, uint32_t id);
// Why no view is normal, for people: "2 of 3 voters' stores are missing: n1, n3 (ids)". Returns its
// length.
size_t view_reason(const struct view *view, char *buf, size_t size);
uint64_t view_deadline_ms(const struct view *view);	// UINT64_MAX: none
uint64_t view_dropped(const struct view *view);		// malformed messages, counted
