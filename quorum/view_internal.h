// SPDX-License-Identifier: Apache-2.0
// What quorum/view*.c share: the state of a view, its log in memory, the messages on the wire.
#pragma once

#include "clusterd/codec.h"
#include "clusterd/entry.h"
#include "clusterd/invariant.h"
#include "clusterd/text.h"
#include "quorum/view.h"

enum {
	VIEW_MAGIC = 0x5663, // first two bytes of every message
	VIEW_PROTOCOL = 1,   // the third
	VIEW_MESSAGE_HEAD = 4,
	VIEW_CHUNKS_AHEAD = 4, // of a copy, sent and not yet delivered here
	VIEW_DIGEST_ROUNDS = 4,
	VIEW_SNAPSHOT_RECORDS = 2000, // committed since the last snapshot
	VIEW_RESEND_MS = 1000,	      // own STATE, while the others' are missing
	VIEW_PATIENCE_MS = 10000,	// with members whose daemon hangs; doubled in vain
	VIEW_PATIENCE_DOUBLED_MAX = 4,
	VIEW_STUCK_MS = 5000,	      // from when on a gathering names whom it waits for
	VIEW_COPY_MS = 10000, // without a piece of the copy: it went by before this node listened
	VIEW_REPORT_MS = 10,  // until the voters behind the first majority sync and report, too
	VIEW_EAGER_MS = 1000, // how long they do at once, when they had to
	VIEW_HOLD_MS = 20,    // before a proposal that found no room is sent again
	STORED_RECORD_HEAD = 13,  // version, origin, cookie
	STORED_SNAPSHOT_HEAD = 9, // version, history
	COPY_HEAD = 64,		  // what a copy holds beside snapshot and records, at most
	COPY_RECORD_HEAD = 24,	  // view, origin, cookie, size
};

// ---- view_log.c: records in order, in two rings: slots, and bodies that are never split ----

struct ring_slot {
	uint64_t view;
	uint64_t cookie;
	uint64_t seen;		// proposals: index at which the log holds it; 0: it does not
	size_t offset;
	uint32_t size;
	uint32_t origin;
	uint8_t type;		// enum entry_type; 0: not understood
	bool sent, done;	// proposals
};

struct ring {
	struct ring_slot *slots;
	uint32_t slots_max, first, count;
	uint8_t *bytes;
	size_t bytes_max;
	size_t head;		// where the next body is tried
};

size_t ring_memory(uint32_t slots_max, size_t bytes_max);
uint8_t *ring_init(struct ring *ring, uint32_t slots_max, size_t bytes_max, uint8_t *memory);
void ring_clear(struct ring *ring);
struct ring_slot *ring_at(const struct ring *ring, uint32_t nth);
static inline uint8_t *ring_body(const struct ring *ring, const struct ring_slot *slot)
{
	return ring->bytes + slot->offset;
}
// Whether a body fits behind `ahead` further ones that end at *head; moves *head behind it when it
// does.
bool ring_reserve(const struct ring *ring, uint32_t ahead, size_t *head, size_t size);
bool ring_fits(const struct ring *ring, size_t size);
// A zeroed slot with room for its body; the caller saw that it fits.
struct ring_slot *ring_push(struct ring *ring, uint32_t size);
void ring_pop(struct ring *ring);			// the oldest
void ring_cut(struct ring *ring, uint32_t keep);	// the newest, until `keep` are left
size_t ring_used(const struct ring *ring);		// bytes of bodies

// ---- view_wire.c: the messages ----

enum message_type {
	MESSAGE_STATE = 1,	// what my store holds
	MESSAGE_COPY,		// a piece of the highest copy
	MESSAGE_COPIED,		// copy and promise are durable here
	MESSAGE_ENTRY,		// the coordinator gave this record its index
	MESSAGE_SYNCED,		// durable here up to this index
	MESSAGE_PROPOSE,	// please give this an index
	MESSAGE_REFUSED,	// the coordinator did not
	MESSAGE_RECOVER,	// go on with the stores that are here
	MESSAGE_DIGEST,		// of the replica, after this index
	MESSAGE_WITHOUT,	// go on without those whose STATE is not in by now
	MESSAGE_TYPE_COUNT,
};

// What a member said of itself when the view formed.
struct store_facts {
	uint64_t gathering; // counts the sender's gatherings: tells a late STATE of an earlier one
	uint64_t store, incarnation;
	uint64_t history;	// of the genesis that its copy stems from
	uint64_t last_view, last_index, commit, promised;
	uint64_t first;		// lowest index whose view it still knows
	uint64_t nodelist;	// hash of corosync's nodelist as it knows it; 0: unknown
	uint32_t level;
	bool has_copy;
	bool broken;		// its store failed: it counts in nothing and takes no copy
	bool changing;		// `voters` is not known committed, `previous` still counts too
	struct voters voters, previous;
};

struct message {
	uint8_t type;		// enum message_type
	uint64_t tag;		// STATE, WITHOUT: the group's; COPY, COPIED, RECOVER: the
				// gathering's epoch
	uint64_t view;		// COPY, COPIED, ENTRY, SYNCED, PROPOSE, REFUSED, DIGEST
	uint64_t index;		// ENTRY, SYNCED, DIGEST
	uint64_t store;		// COPIED
	uint64_t total, offset;	// COPY
	uint64_t digest;	// DIGEST
	uint64_t cookie;	// ENTRY, PROPOSE, REFUSED, RECOVER
	uint32_t origin;	// ENTRY, REFUSED
	bool flag; // PROPOSE: first one after a refusal. REFUSED: for want of room, send again
	const uint8_t *body;	// COPY, ENTRY, PROPOSE: the rest of the message
	size_t body_size;
};

size_t message_encode(const struct message *message, const struct store_facts *facts, uint8_t *buf,
		      size_t size);
// `facts` is filled for STATE alone. False on anything but one well-formed message of this
// protocol.
bool message_decode(struct message *message, struct store_facts *facts, const uint8_t *buf,
		    size_t size);
void message_send(struct actions *actions, const struct message *message,
		  const struct store_facts *facts);
enum { STATE_SIZE_MAX = 256 + 2 * (2 + NODES_MAX * 12) };

struct copy_head {
	uint64_t history, commit;
	uint64_t from, before_view;	// records from this index on; the view of the one before
	uint64_t snapshot_index, snapshot_view;
	uint32_t snapshot_size, record_count;
	bool snapshot, replace;		// a snapshot is in it; everybody must take it
};

void copy_head_write(struct writer *w, const struct copy_head *head);
bool copy_head_read(struct reader *r, struct copy_head *head);

// ---- view.c and its parts ----

struct member {
	uint32_t id, pid;
	bool stated;		// its STATE of this gathering is in
	bool takes_part;	// store open, and of the chosen history or empty
	bool copied;		// its COPIED was delivered
	bool refusing; // coordinator: one of its proposals found no room, later ones wait too
	uint64_t synced;	// in this view
	uint64_t said;		// of it, to the group: what everybody has heard
	struct store_facts facts;
};

struct digest_round {
	uint64_t index;		// 0: unused
	uint64_t came;		// mask of places in members[]
	uint64_t digest[NODES_MAX];
};

enum wait_reason { WAIT_NONE, WAIT_MAJORITY, WAIT_BOOTSTRAP, WAIT_FOREIGN, WAIT_COPY };

struct view {
	struct view_limits limits;
	struct cluster *cluster;
	uint8_t state;			// enum view_state
	uint64_t now_ms, wall_ms;
	uint32_t self;
	uint64_t dropped;

	// The store, and what was put into it
	bool open, broken, loading, resetting, has_copy;
	uint64_t store, incarnation, history;
	uint64_t promised;		// highest number ever put or loaded
	uint64_t promise_wanted;	// to be put when the copy is
	bool snapshot_pending;		// the store's content is to be replaced by the replica
	bool snapshot_forced;		// room is short: do not wait for the usual distance
	uint64_t put_index, put_snapshot, put_commit;
	bool dirty, sync_busy;
	uint64_t sync_ms; // dirty, and not before this; 0: at once
	uint64_t sync_token, sync_index, sync_promise, sync_snapshot;
	uint64_t durable_index, durable_promise, durable_snapshot;

	// The log: records base_index + 1 ... in memory
	struct ring log;
	uint64_t base_index, base_view;
	uint64_t commit, handed, applied;
	struct record out;		// what view_next_committed() lent
	struct voters voters,
		previous; // latest in the log; the ones before while change_index is uncommitted
	uint64_t change_index;		// 0: no voters change is uncommitted
	uint64_t last_change;		// the newest one's, committed or not
	bool reloaded;

	// The group
	struct member members[NODES_MAX];
	uint32_t member_ids[NODES_MAX]; // the same, beside each other: looked up all the time
	uint32_t member_count;
	bool grouped;
	uint64_t tag;			// of the group's members
	uint64_t epoch; // of this gathering: hash of every member's STATE; 0: not all are in
	uint64_t gatherings;
	bool stated;			// own STATE was sent, and its content is fixed
	struct store_facts own;
	uint64_t gather_since_ms, resend_ms;
	uint64_t nodelist_hash;
	uint32_t nodelist[NODES_MAX], nodelist_count;
	uint32_t ring_ids[NODES_MAX], ring_count;
	bool quorate;

	// The view
	uint64_t number;		// 0: none under way
	uint32_t source, coordinator;
	uint8_t wait;			// enum wait_reason
	bool recovering;		// voters are replaced by the members
	bool recover_asked;
	uint64_t recover_cookie;
	struct voters form,
		form_previous; // the lists that this view forms by: the same at every member
	bool form_changing;
	bool copy_built, copied_sent;
	uint8_t *copy;			// assembled here, at the source and at everybody else
	uint64_t copy_ms;		// when it began, or its last piece came
	size_t copy_max, copy_size, copy_sent, copy_got;
	uint64_t opening_index;		// of this view's ENTRY_VIEW
	uint64_t reported;		// index in the last SYNCED sent in this view
	uint64_t report_ms, eager_ms;	// when the next is due; until when none waits
	size_t behind;			// size of a record that found no room; 0: none

	// Coordinator: what was sent and not yet delivered here
	uint64_t sent_index;
	size_t sent_head;
	bool voters_sent;

	uint64_t turns; // counts what may change who takes part, or the view: view_turns()

	// How long nothing has moved that should
	uint64_t patience_ms, patience_commit;
	uint8_t patience_state, patience_doubled;

	// Own proposals, and digests
	struct ring proposals;
	uint64_t hold_ms;		// no proposal before this
	bool held;
	bool unsent;			// some proposal may have to be sent
	bool frozen;
	uint64_t digest_index, digest;	// to be sent; 0: none
	struct digest_round rounds[VIEW_DIGEST_ROUNDS];
	struct entry scratch;
};

// view.c
void view_move(struct view *view, enum view_state to);
void view_log(struct view *view, struct actions *actions, enum log_level level, const char *text);
struct member *view_find(const struct view *view, uint32_t id);
void view_reset(struct view *view, struct actions *actions, const char *why);
void view_rejoin(struct view *view, struct actions *actions);
void view_replica_empty(struct view *view);
uint64_t voters_store(const struct voters *voters, uint32_t id);	// 0: no voter

// view_store.c
uint64_t log_last(const struct view *view);
uint64_t log_last_view(const struct view *view);
bool log_view_at(const struct view *view, uint64_t index, uint64_t *of);
struct ring_slot *log_slot(const struct view *view, uint64_t index);
bool log_room(struct view *view, uint32_t ahead, size_t *head, size_t size);
bool log_append(struct view *view, const struct record *record);
void log_truncate(struct view *view, uint64_t index, struct actions *actions);
void log_start(struct view *view, uint64_t index, uint64_t of);
size_t log_bytes_after(const struct view *view, uint64_t index);	// bodies newer than it
void log_settle(struct view *view);
void store_event(struct view *view, const struct event *event, struct actions *actions);
void store_flush(struct view *view, struct actions *actions);
bool store_pending(const struct view *view);

// view_gather.c
void gather_group(struct view *view, const struct event *event, struct actions *actions);
void gather_begin(struct view *view, struct actions *actions);
void gather_state(struct view *view, struct member *from, const struct message *message,
		  const struct store_facts *facts, struct actions *actions);
void gather_tick(struct view *view, struct actions *actions);
void gather_copied(struct view *view, struct member *from, const struct message *message,
		   struct actions *actions);
void gather_without(struct view *view, const struct member *from, struct actions *actions);
void gather_recover(struct view *view, const struct message *message, struct member *from,
		    struct actions *actions);
void recover_asked(struct view *view, const struct event *event, struct actions *actions);
void recover_reply(struct view *view, struct actions *actions, bool accepted, const char *code,
		   const char *reason);
uint32_t voters_here(const struct view *view, const struct voters *voters, bool copied);
size_t gather_reason(const struct view *view, char *buf, size_t size);

// view_copy.c
void copy_begin(struct view *view);
void copy_flush(struct view *view, struct actions *actions);
void copy_chunk(struct view *view, struct member *from, const struct message *message,
		struct actions *actions);

// view_agree.c
void agree_open(struct view *view, struct actions *actions);
void agree_entry(struct view *view, const struct message *message, struct actions *actions);
void agree_synced(struct view *view, struct member *from, const struct message *message,
		  struct actions *actions);
void agree_told(struct view *view, const struct event *event);
void agree_propose(struct view *view, struct member *from, const struct message *message,
		   struct actions *actions);
void agree_refused(struct view *view, const struct message *message);
void agree_digest(struct view *view, struct member *from, const struct message *message,
		  struct actions *actions);
void agree_flush(struct view *view, struct actions *actions);
bool open_view(const struct view *view);
uint64_t majority_synced(const struct view *view, const struct voters *voters, uint64_t own,
			 bool said);
void commit_advance(struct view *view);
void proposals_seen(struct view *view, const struct record *record);
void proposals_truncated(struct view *view, uint64_t index);
void proposals_committed(struct view *view, uint32_t origin, uint64_t cookie);
void proposals_forget(struct view *view);

// view_report.c
bool report_among_first(const struct view *view);
void reports_flush(struct view *view, struct actions *actions);
