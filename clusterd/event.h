// SPDX-License-Identifier: Apache-2.0
// Everything that can happen to a node: the one input of node_step().
//
// Edges post events and never decide. An event is also what the flight recorder keeps. Pointers are
// the poster's and are good during the step only.
#pragma once

#include "clusterd/cluster.h"

enum event_type {
	EVENT_TICK = 1,			// a deadline of node_deadline_ms() came, or nothing else
					// did

	// The store, at start: SNAPSHOT (if any), ENTRY in order, then OPENED.
	EVENT_STORE_SNAPSHOT,		// index, view, body
	EVENT_STORE_ENTRY,		// index, view, body: a log record as ACTION_STORE_ENTRY
					// gave it
	EVENT_STORE_OPENED,		// store, incarnation, promised, index (commit hint), flag
					// (holds a copy)
	EVENT_STORE_SYNCED,		// token: all that was put before that ACTION_STORE_SYNC is
					// durable
	EVENT_STORE_FAILED,		// reason: nothing more will become durable

	// Corosync
	EVENT_NODELIST,			// members: ids configured in corosync.conf
	EVENT_GROUP,			// members of the CPG group with pids, ring; ordered with
					// messages
	EVENT_GROUP_LOST,		// corosync is gone, or this node was thrown out
	EVENT_RING,			// nodes (ids) in corosync's membership, flag: votequorum
					// says quorate
	EVENT_MESSAGE,			// from_id, from_pid, body

	EVENT_REQUEST,			// cookie, body: an encoded entry (a request) from an
					// administrator
	EVENT_RECOVER,			// cookie: continue with the stores that are here, accepting
					// loss
	EVENT_SHUTDOWN,			// flag: the host goes down too. Without it VMs are left
					// running

	// This host
	EVENT_HOST,			// report: cpus, memory, watchdog, qemu, boot (volumes are
					// not meant)
	EVENT_SANLOCK_UP,		// flag: a watchdog guards it
	EVENT_SANLOCK_GONE,		// every lease of this host is as good as lost
	EVENT_VOLUME,			// volume, volume_state, joined, generation, reason
	EVENT_VOLUME_PREPARED,		// volume, attempt, flag, reason
	EVENT_LEASE_WRITTEN,		// vm, volume, lease_slot, flag, reason

	// One VM's process on this host; `vm` and `attempt` as the action gave them
	EVENT_VM_SPAWNED,		// flag, reason: a child is registered with sanlock and
					// waits
	EVENT_LEASE_GRANTED,		// every lease of the VM is held by the child
	EVENT_LEASE_REFUSED,		// lease_error, reason: none is held
	EVENT_QEMU_RUNNING,		// the guest's CPUs run (QMP RESUME)
	EVENT_QEMU_PAUSED,		// reason: I/O error, or somebody paused it
	EVENT_QEMU_GUEST_SHUTDOWN,	// the guest switched itself off; EXITED follows
	EVENT_QEMU_DEAF,		// QMP does not answer; reason
	EVENT_QEMU_EXITED,		// the process is gone; reason: its last words, status
	EVENT_QEMU_UNKILLABLE,		// SIGKILL was sent and it is still there; reason
	EVENT_LEASE_RELEASED,		// flag: the leases are free of this host
	EVENT_VM_ADOPTED,		// uuid, attempt, flag: its lease is held: a QEMU of an
					// earlier daemon
	EVENT_ADOPTION_DONE,		// all of them were reported

	// Other hosts
	EVENT_FENCE_DONE,		// node_id, attempt, flag: `status` says off; reason
	EVENT_HOST_RELEASED,		// node_id, attempt, flag, reason: claims released in every
					// volume asked for
	EVENT_HOST_CHECKED,		// node_id, cookie, flag: its ids are still being renewed;
					// reason
	EVENT_TYPE_COUNT,
};

enum lease_error {
	LEASE_ERROR_HELD = 1,	// a living host holds it: ask again
	LEASE_ERROR_WAITING,	// its holder may be dead: sanlock could not yet prove it; ask again
	LEASE_ERROR_STORAGE,	// the volume does not answer
	LEASE_ERROR_SANLOCK,	// no daemon, no lockspace
	LEASE_ERROR_PROCESS,	// the child is gone
	LEASE_ERROR_OTHER,
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
};
