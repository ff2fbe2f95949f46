// SPDX-License-Identifier: Apache-2.0
// What a node is made of: for the core itself, its tests and the simulator's checkers.
#pragma once

#include "clusterd/node.h"
#include "migration/ends.h"
#include "policies/placement.h"
#include "resources/vm.h"

struct local_volume {
	bool opened;			// ACTION_VOLUME_OPEN was given for this definition
	uint64_t definition;		// hash of its name and source, as opened
	bool joining;			// ACTION_VOLUME_JOIN was given and not answered
	uint32_t prepare_attempt;	// last one that this host carried out
	uint64_t prepare_retry_ms;	// when it was told of in vain; UINT64_MAX: it is at it
	uint64_t join_retry_ms;
	struct node_volume seen;
};

struct local_node {			// what this host does about another one
	bool known;			// defined at the last look; otherwise all of this is zero
	bool seen;			// in the ring, since this daemon started
	uint64_t left_view;		// in which it said goodbye, as heard live: it has not come
					// anew in that one
	uint64_t leaving_ms;		// since when this node sees it go down; 0: it does not
	uint32_t fence_attempt;		// last one that this host carried out
	bool fence_done, fence_ok;	// its end is known, and is told until the replica has moved
					// on
	uint64_t fence_told_ms;		// 0: not yet
	char fence_reason[REASON_SIZE];
	uint32_t release_attempt;
	uint64_t release_retry_ms;
	uint64_t fence_retry_ms;
	uint32_t fence_failures;	// as of the last look, to see a new one
};

struct pending_request {
	bool used;
	uint64_t cookie;		// the edge's
	uint64_t proposal;		// the view's; 0: waits for ACTION_HOST_CHECK
	uint64_t deadline_ms;
	size_t check_size;		// CONFIRM_DEAD: the entry to propose once checked
	uint8_t check[NAME_SIZE + 512];
	uint32_t check_node;
};

struct move_watch {
	uint32_t id; // of the move in this place of the table
	uint8_t stage;
	uint64_t since_ms;  // since when this node sees it in that stage
	uint64_t absent_ms; // since when one of its ends takes no part in the view; 0: both do
};

// A condition that is met, and since when; in no table of the cluster's: a new coordinator begins
// to count anew, or goes by what it heard of the past.
struct condition_watch {
	char policy[NAME_SIZE]; // empty: this place is free
	uint8_t subject;	// enum pro_subject
	uint8_t slot;		// NODE, VOLUME
	struct vm_ref vm;	// VM
	uint64_t since_ms, seen_ms;
};

struct tip_watch {
	uint32_t id; // of the tip in this place of the table
	uint8_t state;
	uint64_t since_ms; // since when this node sees it in that state
};

// A script that this host runs, or has run and tells of until that is known.
struct local_script {
	uint32_t tip; // 0: this place is free
	bool over, good;
	char reason[REASON_SIZE]; // its last line
	uint64_t said_ms;
};

enum { CONDITIONS_MAX = 64, SCRIPTS_MAX = 4 };

enum move_side { SIDE_NONE, SIDE_SOURCE, SIDE_TARGET, SIDE_SAVE };

struct local_move {  // what this host does about one move
	uint32_t id; // 0: this place is free
	struct vm_ref vm;
	uint8_t side; // enum move_side
	uint8_t said; // enum move_report, as it was proposed last
	uint64_t said_ms;
	union {
		struct move_source source;
		struct move_target target;
		struct move_save save;
	};
};

// What of the view and the replica the parts of a step depend on, beside the events that are
// theirs.
struct node_sight {
	uint64_t index, turns, view, present;
	uint8_t state;			// enum view_state
	bool normal, frozen;
};

// The coordinator's last look, and what it was at.
struct node_decided {
	uint64_t index, turns;
	uint64_t wall_ms; // less now_ms: the clock may step
	uint64_t deadline_ms;
	bool frozen, adopted, no_quorum_acts;
	bool idle; // it found nothing to do
};

enum shutdown { SHUTDOWN_NONE, SHUTDOWN_DAEMON, SHUTDOWN_HOST, SHUTDOWN_GOODBYE, SHUTDOWN_DONE };

struct node {
	struct node_limits limits;
	struct cluster cluster;
	struct view *view;
	struct vm_local *locals;	// [vms_max], same slots as cluster.vms
	uint32_t local_high;		// no local life at or above it
	uint32_t local_touched;		// slots of `locals` below it were zeroed
	uint8_t opened_high;		// no volume is open at or above it
	struct condition_watch conditions[CONDITIONS_MAX];
	struct tip_watch tip_watches[TIPS_MAX];
	struct local_script scripts[SCRIPTS_MAX];
	uint64_t conditions_ms; // when they were looked at last; 0: never
	struct local_move moves[MOVES_MAX];
	uint32_t moves_here;		// places of `moves` in use
	uint64_t moves_index;		// of the log, at which all of the replica's were taken up
	uint32_t moves_first;		// the first one that began in this daemon's life; 0: not
					// known yet
	struct local_volume volumes[VOLUMES_MAX];
	uint8_t peer_high; // nothing is known of a peer at or above it
	struct local_node peers[NODES_MAX];
	struct move_watch watches[MOVES_MAX];
	uint64_t drain_off_ms;		// when the end of a drain was last proposed
	uint64_t mend_looked_ms;	// when mending was last looked at; 0: never
	uint64_t wish_ms;		// and at wishes
	uint32_t wish_turn;		// whose turn it is next, where there are many
	uint64_t mend_index;		// of the log, when mending was last looked at
	uint64_t mend_ms; // when it is to be looked at again; UINT64_MAX: not by itself
	struct pending_request *requests;	// [requests_max]
	uint32_t request_high;			// none is used at or above it
	uint32_t *scratch;		// [vms_max]
	void *plan_memory;		// tip_plan_memory() bytes
	struct measures *measures;	// of every node, as heard; no part of what is agreed
	uint64_t now_ms, wall_ms;
	int16_t ahead_min;		// this host's local time less UTC
	uint32_t self;			// corosync id, 0 while unknown
	uint8_t slot_hint;		// where it was found last among the nodes
	uint32_t incarnation;		// of this daemon, for cookies
	uint32_t next_cookie;
	uint64_t loaded_index;		// what the store knew as committed: not told again in the
					// event log
	bool host_known;
	struct node_report host;	// as EVENT_HOST said
	bool sanlock_up;
	bool adopted;			// EVENT_ADOPTION_DONE came
	bool adoption_void;		// sanlock died while they were looked for: leases found
					// held are none
	uint32_t orphans;		// QEMUs found whose VM the replica did not know
	uint32_t orphans_unleased;	// of them: their sanlock is gone, so nothing may be joined
	uint64_t orphans_view;		// in which they were last asked for again
	uint64_t orphans_again_ms;	// when the unleased ones are looked for again
	uint32_t sanlock_epoch;		// counts sanlock's deaths
	struct node_report reported;	// the last one proposed
	uint64_t facts_stamp;		// of the report with whose facts the host's were compared;
	bool facts_same;		// 0: with none since either changed
	uint64_t report_sent_ms;	// NODE_REPORT under way since; 0: none
	uint64_t report_view;		// in which it was sent
	uint64_t view_lost_ms;		// since when no view is normal; 0: one is
	uint64_t store_lost_ms;		// when this node's failed store was last all that kept it
					// from the view
	uint64_t alone_ms;		// since when this node is in no group; 0: it is in one
	uint64_t view_normal_ms;	// since when the view is normal
	bool view_seen;			// it was normal since the daemon started
	bool view_said;			// that there is none, in the log
	bool no_quorum_acts;		// the hold is over: the policy ends VMs
	uint64_t decide_view;		// view in which decisions are under way
	uint32_t decide_out;		// how many
	uint64_t decide_retry_ms;
	uint64_t lease_retry_ms;	// no lease whose write failed is written before; any
					// success ends it
	uint64_t check_sent_ms;
	uint64_t taking_ms;		// since when some node can take VMs; 0: none
	uint64_t deadline_ms;		// collected while stepping
	struct node_sight sight;	// as the parts see it, or saw it last
	bool quiet;			// and found nothing to do
	struct node_decided decided;
	uint8_t shutdown;		// enum shutdown
	bool reboots;			// SHUTDOWN_HOST: it comes back at once
	uint64_t shutdown_ms, goodbye_ms;
};

// node.c
void node_wake_at(struct node *node, uint64_t when_ms);
bool node_propose(struct node *node, struct entry *entry, uint64_t *cookie,
		  struct actions *actions);
struct cluster_node *node_of_self(struct node *node);	// NULL: not defined
uint8_t node_self_slot(const struct node *node);	// SLOT_NONE: not defined
uint64_t node_present(const struct node *node);		// mask of slots: online, synchronised,
							// reported
void node_log(struct node *node, enum log_level level, const char *text, struct actions *actions);

// host.c: volumes, the report, shutdown
void host_event(struct node *node, const struct event *event, struct actions *actions);
void host_step(struct node *node, struct actions *actions);
bool host_may_join(const struct node *node);
bool host_drains(const struct node *node); // it goes down, and its VMs still have time to leave
bool host_keeps(const struct node *node);  // or the others have not yet heard that it goes down

// local.c: the VMs of this host
void local_event(struct node *node, const struct event *event, struct actions *actions);
void local_step(struct node *node, struct actions *actions);
void local_committed(struct node *node, const struct entry *entry, struct actions *actions);
void local_reloaded(struct node *node);
bool local_told(const struct node *node);	// every QEMU of this host was reported, or is known

// state.c
struct order_wait;
// Moved cold with others, it starts in its turn: not yet.
bool waits_for_turn(const struct node *node, const struct vm *vm, struct order_wait *wait);

// local_stray.c: of a process that is not the VM's present one, while it has yet to end and when it
// has; whether it is one
bool stray_lives(struct node *node, const struct vm *vm, struct vm_local *local,
		 struct actions *actions);
bool stray_ended(struct node *node, const struct vm *vm, struct vm_local *local,
		 struct actions *actions);
// local.c: proposed, unless it was a short while ago
bool vm_report(struct node *node, struct vm_local *local, enum vm_report report, uint64_t again_ms,
	       struct actions *actions);

// local_ask.c: whether guests answer, as rules want to know
void local_ask(struct node *node, const struct vm *vm, struct vm_local *local,
	       struct actions *actions);
void local_answered(struct node *node, const struct event *event, struct vm_local *local);

// request.c: administrators
void request_event(struct node *node, const struct event *event, struct actions *actions);
void request_committed(struct node *node, uint64_t proposal, const struct entry_result *result,
		       struct actions *actions);
void request_step(struct node *node, struct actions *actions);

// peer.c: fences and releases that this host carries out
void peer_event(struct node *node, const struct event *event, struct actions *actions);
void peer_step(struct node *node, struct actions *actions);
void peer_left(struct node *node, uint32_t id, uint64_t view);

// measured.c: what hosts measure, told and heard
void measured_event(struct node *node, const struct event *event, struct actions *actions);
// local_script.c: the scripts of tips that this host runs
void script_event(struct node *node, const struct event *event, struct actions *actions);
void script_step(struct node *node, struct actions *actions);
bool script_room(const struct node *node);
// An entry that this very daemon proposed is applied: what it begins here is begun, once.
void script_applied(struct node *node, const struct entry *entry, struct actions *actions);

// decide_tip.c: the coordinator's part in policies and tips
void decide_tips(struct node *node, uint64_t present, struct actions *actions);

// decide.c: the coordinator
void decide_step(struct node *node, struct actions *actions);
