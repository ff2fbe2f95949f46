// SPDX-License-Identifier: Apache-2.0
// Everything that can happen to a node: the one input of node_step().
//
// Edges post events and never decide. An event is also what the flight recorder keeps. Pointers are
// the poster's and are good during the step only.
#pragma once

#include "clusterd/cluster.h"

enum event_type {
	EVENT_TICK = 1, // a deadline of node_deadline_ms() came, or nothing else
			// did

	// The store, at start: SNAPSHOT (if any), ENTRY in order, then OPENED.
	EVENT_STORE_SNAPSHOT, // index, view, body
	EVENT_STORE_ENTRY,    // index, view, body: a log record as ACTION_STORE_ENTRY
			   // gave it
	EVENT_STORE_OPENED, // store, incarnation, promised, index (commit hint), flag
			    // (holds a copy)
	EVENT_STORE_SYNCED, // token: all that was put before that ACTION_STORE_SYNC is
			    // durable
	EVENT_STORE_FAILED, // reason: nothing more will become durable

	// Corosync
	EVENT_NODELIST,	  // members: ids configured in corosync.conf
	EVENT_GROUP,	  // members of the CPG group with pids, ring; ordered with
			  // messages
	EVENT_GROUP_LOST, // corosync is gone, or this node was thrown out
	EVENT_RING,	  // nodes (ids) in corosync's membership, flag: votequorum
			  // says quorate
	EVENT_MESSAGE,	  // from_id, from_pid, body

	EVENT_REQUEST,	// cookie, body: an encoded entry (a request) from an
			// administrator
	EVENT_RECOVER,	// cookie: continue with the stores that are here, accepting
			// loss
	EVENT_SHUTDOWN, // flag: the host goes down too. Without it VMs are left
			// running. index: 1 when the host comes back at once

	// This host
	EVENT_HOST,	       // report: cpus, memory, watchdog, qemu, boot, addresses,
			       // certificates (volumes are not meant)
	EVENT_SANLOCK_UP,      // flag: a watchdog guards it
	EVENT_SANLOCK_GONE,    // every lease of this host is as good as lost
	EVENT_VOLUME,	       // volume, volume_state, joined, generation, reason,
			       // index: MiB that are free
	EVENT_VOLUME_PREPARED, // volume, attempt, flag, reason
	EVENT_LEASE_WRITTEN,   // vm, volume, lease_slot, flag, reason

	// One VM's process on this host; `vm` and `attempt` as the action gave them
	EVENT_VM_SPAWNED,	   // flag, reason: a child is registered with sanlock and
				   // waits
	EVENT_LEASE_GRANTED,	   // every lease of the VM is held by the child
	EVENT_LEASE_REFUSED,	   // lease_error, reason: none is held
	EVENT_QEMU_RUNNING,	   // the guest's CPUs run (QMP RESUME); body: their features
				   // (cpu_encode), if QEMU told them
	EVENT_QEMU_PAUSED,	   // reason: I/O error, or somebody paused it; flag: one that
				   // came, or was restored, refused to continue and never ran
	EVENT_QEMU_GUEST_SHUTDOWN, // the guest switched itself off; EXITED follows
	EVENT_QEMU_DEAF,	   // QMP does not answer; reason
	EVENT_QEMU_EXITED,	   // the process is gone; reason: its last words, status
	EVENT_QEMU_UNKILLABLE,	   // SIGKILL was sent and it is still there; reason
	EVENT_LEASE_RELEASED,	   // flag: the leases are free of this host
	EVENT_VM_ADOPTED,	   // uuid, attempt, flag: its lease is held: a QEMU of an
				   // earlier daemon; run_state, shared
	EVENT_ADOPTION_DONE,	   // all of them were reported

	// Other hosts
	EVENT_FENCE_DONE,    // node_id, attempt, flag: `status` says off; reason
	EVENT_HOST_RELEASED, // node_id, attempt, flag, reason: claims released in every
			     // volume asked for
	EVENT_HOST_CHECKED,  // node_id, cookie, flag: its ids are still being renewed;
			     // reason

	// Moves
	EVENT_LEASE_SHARED,    // vm, flag, lease_error, reason
	EVENT_LEASE_EXCLUSIVE, // vm, flag, lease_error, reason: HELD is asked again; after
			       // any other error the lease counts as shared
	EVENT_QEMU_LISTENING,  // vm, flag, reason: address (as reason), port
	EVENT_QEMU_RESTORED,   // vm, flag, reason: the state is loaded, CPUs stopped
	EVENT_MIGRATE,	       // vm, stats
	EVENT_SAVED,	       // vm, flag, reason, index: bytes; the file is complete and
			       // synced. move: an earlier daemon wrote down that it is, for that
			       // one; told before EVENT_ADOPTION_DONE
	EVENT_DIRTY_RATE,      // vm, flag, index: bytes a second
	EVENT_LINK_CHECKED,    // node_id, cookie, flag, reason (flag: the address that
			       // worked)
	EVENT_MOVE_WORD,       // node_id: of the teller; move, word

	EVENT_MEASURED, // body: a sample of this host (clusterd/measure.h); a large one comes
			// in several
	EVENT_MEASURES_HEARD, // from_id, body: a sample of another one
	EVENT_SCRIPT_DONE,    // cookie, flag: it ended well; reason: its last line
	EVENT_VM_ANSWERED,    // vm, attempt, port (0: its guest agent), flag; reason: why not
	EVENT_SYNCED_HEARD,   // from_id, view, token (its gathering), index: durable there
	EVENT_TYPE_COUNT,
};

/*
 * What the two ends of a live migration say to each other directly, for the pause's sake. Said
 * again until it is answered; each may come twice or late, so each means the same at any time.
 */
enum move_word {
	WORD_RENOUNCED = 1, // source: QEMU completed; this guest will never resume here without
			    // WORD_NEVER
	WORD_CONTINUED,	    // target: it runs here
	WORD_NEVER,	    // target: it never continued, and its QEMU is gone
	MOVE_WORD_COUNT,
};

// The states of a migration as QEMU names them, on the side that sends.
enum migrate_status {
	MIGRATE_NONE,
	MIGRATE_SETUP,
	MIGRATE_ACTIVE,
	MIGRATE_POSTCOPY,
	MIGRATE_PRE_SWITCHOVER, // the guest is paused and QEMU waits for MIGRATE_CONTINUE
	MIGRATE_DEVICE,
	MIGRATE_COMPLETED,
	MIGRATE_FAILED,
	MIGRATE_CANCELLED,
	MIGRATE_TORN, // post-copy that lost its connection: the target lacks memory, for good
	MIGRATE_STATUS_COUNT,
};

// What a QEMU that was found does.
enum run_state {
	RUN_RUNNING,
	RUN_PAUSED,	 // also at pre-switchover, and after a state was restored
	RUN_INCOMING,	 // waits for memory, or receives it
	RUN_RECEIVED,	 // has all of it; never continued
	RUN_POSTMIGRATE, // sent all of it: renounced
	RUN_SENDING,	 // a migration of it is under way
	RUN_UNKNOWN,	 // its monitor does not answer
	RUN_STATE_COUNT,
};

struct migrate_stats {
	uint8_t status;				// enum migrate_status
	uint64_t total, remaining, transferred; // bytes
	uint64_t rate;				// bytes a second, sent
	uint64_t dirty_rate;			// bytes a second
	uint32_t rounds;
	uint32_t throttle; // percent
	uint32_t pause_us; // COMPLETED: measured, stop to completion
	uint32_t total_ms;
};

enum lease_error {
	LEASE_ERROR_HELD = 1,	// a living host holds it: ask again
	LEASE_ERROR_WAITING,	// its holder may be dead: sanlock could not yet prove it; ask again
	LEASE_ERROR_STORAGE,	// the volume does not answer
	LEASE_ERROR_SANLOCK,	// no daemon, no lockspace
	LEASE_ERROR_PROCESS,	// the child is gone
	LEASE_ERROR_OTHER,
	LEASE_ERROR_MISSING,	// its slot holds no lease, or another VM's
	LEASE_ERROR_COUNT,
};

struct group_member {
	uint32_t id;
	uint32_t pid;
};

struct event {
	uint8_t type;			// enum event_type
	uint64_t now_ms;		// monotonic, includes suspend (CLOCK_BOOTTIME)
	uint64_t wall_ms;		// for display and for ages alone; may step
	int16_t ahead_min;		// this host's local time less UTC; within AHEAD_MAX_MIN
	bool flag;
	uint8_t volume;			// slot
	uint8_t volume_state;
	bool joined;
	uint8_t lease_error;		// enum lease_error
	uint32_t attempt;
	uint32_t node_id;
	uint32_t from_id, from_pid;
	uint32_t lease_slot;
	struct vm_ref vm;
	struct uuid uuid;
	uint64_t index, view, promised, store, incarnation, token, cookie, ring, generation;
	const struct group_member *members;
	uint32_t member_count;
	const struct node_report *report;
	const uint8_t *body;
	size_t body_size;
	const char *reason;		// NULL is empty
	uint8_t run_state;		// enum run_state
	bool shared;			// the lease is held shared
	uint8_t word;			// enum move_word
	uint32_t move;
	uint32_t port;
	const struct migrate_stats *stats;
};
