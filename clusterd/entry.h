// SPDX-License-Identifier: Apache-2.0
// The entries of the replicated log: the only way in which a cluster's state changes.
//
// Requests come from administrators, reports from the node that they are about, decisions from the
// view's coordinator. A decision carries the view that it was taken in and is refused when applied
// in another.
#pragma once

#include "clusterd/cluster.h"

enum entry_type {
	ENTRY_VIEW = 1, // first of every view: it is normal once this is committed
	ENTRY_CHECK,	// every replica computes a digest here

	// Requests
	ENTRY_APPLY,  // definitions
	ENTRY_REMOVE, // one object
	ENTRY_VM_WANT,
	ENTRY_VM_MANAGE,
	ENTRY_VM_CLEAR, // forget failures and errors, try again
	ENTRY_NODE_MANAGE,
	ENTRY_NODE_FENCE,	 // the administrator wants this node off
	ENTRY_NODE_CONFIRM_DEAD, // the administrator's word that it is off, after its id was
				 // seen not renewed

	ENTRY_MOVE_REQUEST, // name; actor: target or SLOT_NONE; move_kind
	ENTRY_MOVE_CANCEL,  // name
	ENTRY_NODE_DRAIN,   // name, drain_verb, flag, until_ms

	ENTRY_POLICY_SET,  // name, flag: enabled
	ENTRY_POLICY_RUN,  // name; empty: balance, without a policy
	ENTRY_TIP_ACCEPT,  // tip
	ENTRY_TIP_DISMISS, // tip

	// Reports
	ENTRY_NODE_REPORT,
	ENTRY_NODE_GOODBYE, // runs nothing and leaves on purpose
	ENTRY_VOLUME_PREPARED,
	ENTRY_LEASE_WRITTEN,
	ENTRY_FENCE_RESULT,
	ENTRY_NODE_RELEASED, // the dead host's claims were released (or had ended by themselves)
	ENTRY_VM_REPORT,
	ENTRY_MOVE_REPORT,
	ENTRY_SCRIPT_REPORT, // node_id, tip, flag, reason: its last line

	// Decisions
	ENTRY_VOTERS, // exactly one voter added, removed or readmitted
	ENTRY_NODE_LOST,
	ENTRY_NODE_FENCING,  // actor, device, generations
	ENTRY_NODE_EXPIRING, // no proof to be had; its watchdog's expiry is believed
	ENTRY_NODE_BACK,
	ENTRY_VOLUME_PREPARE, // names the actor
	ENTRY_LEASE_WRITE,    // names the actor
	ENTRY_PLACE,	      // a list of VMs and their owners, decided together
	ENTRY_MOVE_BEGIN,     // move, actor: target, move_kind; a new one when `move` is 0 (vm,
			      // move_cause), which with `flag` is only asked for,
			      // and begins later
	ENTRY_MOVE_END,	      // move, move_outcome, reason: what needs no report of either end;
			// RESTARTED: so it ends when its guest has stopped or is saved
	ENTRY_NODE_DRAINED, // node_id, drain_state, reason
	ENTRY_TIP_OPEN,	    // body: tip_encode()
	ENTRY_TIP_PLAN,	    // tip, body: what is not yet begun of its plan is replaced
	ENTRY_TIP_ADVANCE,  // tip, tip_state, actor (of a script), reason
	ENTRY_TIP_MEASURED, // tip, tip_verdict, measured, reason
	ENTRY_POLICY_RAN,   // name, reason: nothing came of the run that was asked for
	ENTRY_HOURS,	    // ahead_min: what hours of the day are meant by from now on
	ENTRY_TYPE_COUNT,
};

enum object_kind {
	OBJECT_NODE = 1,
	OBJECT_VOLUME,
	OBJECT_VM,
	OBJECT_RULE,
	OBJECT_POLICY,
	OBJECT_KIND_COUNT
};

bool cluster_defines(const struct cluster *cluster, enum object_kind kind, const char *name);

enum vm_report {
	VM_REPORT_STARTED = 1,	  // QEMU runs and holds the lease
	VM_REPORT_STOPPED,	  // ended as asked; QEMU and lease are gone
	VM_REPORT_GUEST_SHUTDOWN, // the guest switched itself off
	VM_REPORT_START_FAILED,	  // nothing runs, nothing is held
	VM_REPORT_DIED,		  // it ran and ended unasked; QEMU and lease are gone
	VM_REPORT_FOUND,	  // this node runs it with the lease, whatever the placement says:
				  // attempt and flag (it counts as running) say which one
	VM_REPORT_LEASE_HELD,	  // still waiting: another host holds the lease (reason says who)
	VM_REPORT_STUCK,	  // QEMU cannot be ended: it may still write; of another than the
				  // VM's present one: it has not ended yet
	VM_REPORT_RESTORING,	  // its saved state is loaded, and it is about to continue from it
	VM_REPORT_LEASE_GONE,	  // nothing runs: a slot of its holds no lease, or another VM's
	VM_REPORT_DOUBLE,	  // another node runs it; a second one was found here, and ended
	VM_REPORT_ANSWERS,	  // its guest does, as rules ask for (up, up_value)
	VM_REPORT_COUNT,
};

/*
 * What an end of a move says of itself. S: from the source, T: from the target. Those that do not
 * fit the move's stage are refused as stale.
 */
enum move_report {
	MOVE_REPORT_SHARED = 1,	 // S: the lease is shared
	MOVE_REPORT_READY,	 // T: QEMU listens at address and port, under a shared lease
	MOVE_REPORT_HANDOVER,	 // S: the guest is about to pause
	MOVE_REPORT_RUNS,	 // T: it continued: the target owns the VM. Numbers: pause, total
	MOVE_REPORT_FAILED,	 // S or T: reason. Before the source has renounced, or with the
				 // target's word that it never continued
	MOVE_REPORT_TARGET_GONE, // T: no QEMU lives here, none has continued or will; lease
				 // released. With flag: whether one has continued is not known
	MOVE_REPORT_EXCLUSIVE,	 // S in UNDO: exclusive again and running. T in CLEANUP: exclusive
	MOVE_REPORT_SOURCE_GONE, // S: no QEMU lives here, lease released. In CLEANUP: as it
				 // should. Earlier: its memory is lost (reason)
	MOVE_REPORT_SAVED,	 // S: the state is complete and synced, no QEMU lives, lease
				 // released. Numbers
	MOVE_REPORT_NUMBERS,	 // S: the forecast; with flag: what it took, also after its end
	MOVE_REPORT_COUNT,
};

enum drain_verb {
	DRAIN_ON,
	DRAIN_OFF, // flag: those that left come back
	DRAIN_PAUSE,
	DRAIN_RESUME,
	DRAIN_ABORT, // flag: those that left come back
	DRAIN_VERB_COUNT,
};

struct place {
	struct vm_ref vm;
	uint8_t owner;		// node slot; SLOT_NONE: given up (wanted no more, or no place)
	uint32_t attempt;	// vm.attempt that the decision saw; another one refuses this place
				// alone
	uint8_t phase;		// VM_PLACED, or VM_IDLE/VM_ERROR with owner SLOT_NONE
	char reason[REASON_SIZE];
};

// One entry, decoded. Pointers point into the bytes that it was decoded from. Which members are
// meant is said beside them; encode writes only those of the type.
struct entry {
	uint8_t type;		// enum entry_type
	uint64_t view;		// decisions: the view they were taken in; NODE_REPORT: that it was
				// said in; else 0
	uint64_t at_ms;		// proposer's wall clock, for display and for ages alone
	uint32_t from;		// corosync id of the proposing node

	uint32_t node_id;	// NODE_*, FENCE_RESULT, reports: the node in question
	uint8_t object;		// REMOVE: enum object_kind
	char name[NAME_SIZE];	// REMOVE, VM_WANT, VM_MANAGE, VM_CLEAR, NODE_MANAGE, NODE_FENCE,
				// NODE_CONFIRM_DEAD
	uint8_t wanted;		// VM_WANT: enum vm_wanted
	bool flag;		// VM_WANT: at once, without asking the guest; MANAGE: managed;
				// *_PREPARED, *_WRITTEN, FENCE_RESULT: it succeeded;
				// MOVE_REPORT_NUMBERS: what it took; NODE_DRAIN: those that
				// left come back (ON: when it ends by itself)
	char reason[REASON_SIZE];	// reports: why not; decisions: why

	struct node_report report;	// NODE_REPORT
	struct vm_ref vm;		// VM_REPORT, LEASE_WRITE, LEASE_WRITTEN
	uint32_t attempt;		// VM_REPORT, FENCING, FENCE_RESULT, RELEASED,
					// VOLUME_PREPARE(D)
	uint8_t vm_report;		// VM_REPORT: enum vm_report
	uint8_t up;			// VM_REPORT_ANSWERS: enum rule_up
	uint32_t up_value;		// port
	bool cpu_known;			// VM_REPORT: its QEMU told the next one
	struct cpu_features cpu;
	uint8_t volume;			// VOLUME_PREPARE(D), LEASE_WRITE, LEASE_WRITTEN: slot
	uint32_t lease_slot;		// LEASE_WRITE, LEASE_WRITTEN
	uint8_t actor;			// VOLUME_PREPARE, LEASE_WRITE, FENCING: node slot
	uint8_t device;			// FENCING
	uint32_t generation_mask;	// FENCING
	uint64_t generation[VOLUMES_MAX];	// FENCING
	bool burn;			// LEASE_WRITE: the slot so far is burned (its actor's end
					// is not known)

	uint32_t move;		     // MOVE_BEGIN, MOVE_END, MOVE_REPORT: id
	uint8_t move_kind;	     // MOVE_REQUEST, MOVE_BEGIN
	uint8_t move_cause;	     // MOVE_BEGIN
	uint8_t move_outcome;	     // MOVE_END
	uint8_t move_report;	     // MOVE_REPORT: enum move_report
	char address[ADDRESS_SIZE];  // MOVE_REPORT
	uint32_t port;		     // MOVE_REPORT
	struct move_numbers numbers; // MOVE_REPORT; MOVE_BEGIN: the forecast
	uint8_t drain_verb;	     // NODE_DRAIN: enum drain_verb
	bool drain_anyway;	     // NODE_DRAIN, ON: even if the rest would not stand it
	bool drain_stop;	     // NODE_DRAIN, ON: those that cannot leave are shut down
	uint8_t drain_state;	     // NODE_DRAINED: enum drain_state
	uint64_t until_ms;	     // NODE_DRAIN: wall clock; 0: for ever
	uint32_t tip;		     // TIP_*, SCRIPT_REPORT; MOVE_BEGIN: id, 0: of none
	uint8_t tip_at;		     // MOVE_BEGIN: which move of the tip's plan
	uint8_t tip_state;	     // TIP_ADVANCE: enum tip_state
	uint8_t tip_verdict;	     // TIP_MEASURED: enum tip_verdict
	uint32_t measured;	     // TIP_MEASURED
	int32_t ahead_min;	     // HOURS: local time less UTC

	struct voters voters;		// VIEW: members; VOTERS: the new list
	const uint8_t *body;		// APPLY: what definitions_encode() made
	size_t body_size;
	uint32_t place_count;		// PLACE
	const uint8_t *places;		// PLACE: encoded; read with place_decode()
	size_t places_size;
};

// Bytes written, or 0 when `size` is too small. Decode: false on anything but exactly one
// well-formed entry of a known version and type. Places are appended one by one: place_encode()
// makes the bytes that `places` holds, place_decode() reads the next one, moving *at, until *at ==
// places_size.
// A decoded entry's members that are not of its type are zero, but `report` and the voters' list
// are not touched.
void entry_clear(struct entry *entry); // leaves them as they are, too
size_t entry_encode(const struct entry *entry, uint8_t *buf, size_t size);
bool entry_decode(struct entry *entry, const uint8_t *buf, size_t size);
// The type alone of what may be an entry; 0 when it is none of this version.
uint8_t entry_peek(const uint8_t *buf, size_t size);
// A tip as TIP_OPEN and TIP_PLAN carry it.
size_t tip_encode(const struct tip *tip, uint8_t *buf, size_t size);
bool tip_decode(struct tip *tip, const uint8_t *buf, size_t size);
size_t place_encode(const struct place *place, uint8_t *buf, size_t size);
bool place_decode(struct place *place, const struct entry *entry, size_t *at);

// What became of an entry: accepted, or refused with nothing changed.
struct entry_result {
	bool accepted;
	char code[32];			// "", or a word for programs: "no-such-vm", "in-use",
					// "stale-view"...
	char reason[REASON_SIZE];
	char fix[REASON_SIZE];		// the smallest change that would have made it acceptable
};

// Applies one committed entry at `index`. All or nothing. Deterministic: the same on every build.
void cluster_apply(struct cluster *cluster, uint64_t index, const struct entry *entry,
		   struct entry_result *result);

// One line for people about what the entry did ("vm web: placed on n2"), the words of the event
// log; empty for entries not worth a line (CHECK, NODE_REPORT without change). Call before
// applying. Returns its length.
size_t entry_describe(const struct cluster *cluster, const struct entry *entry, char *buf,
		      size_t size);
