// SPDX-License-Identifier: Apache-2.0
// The life of one VM on this host: its child, its lease, its QEMU, and what is to be reported of
// its end.
//
// Knows nothing of views and owners. Whether it may start, must stop or must die comes as a wish,
// made anew after every event from the replica; so nothing is lost when an event and a decision
// cross.
#pragma once

#include "clusterd/action.h"
#include "clusterd/event.h"

enum vm_life {
	LIFE_OFFLINE,	// nothing of it is on this host
	LIFE_SPAWNING,	// a child was asked for
	LIFE_LEASING,	// the child waits, the lease was asked for
	LIFE_BACKOFF,	// somebody holds the lease: ask again at the deadline
	LIFE_GRANTED,	// the lease is ours, the child still waits for a view in which it may go
	LIFE_STARTING,	// let go: QEMU starts
	LIFE_RUNNING,
	LIFE_STOPPING,	// asked politely; SIGKILL at the deadline
	LIFE_KILLING,	// SIGKILL was sent, or the waiting child was told to end
	LIFE_RELEASING,	// the process is gone, sanlock has not yet let go
	LIFE_ENDED,	// gone; `report` is to be told until the replica knows
	LIFE_COUNT,
};

struct vm_local {
	struct vm_ref ref;
	struct uuid uuid;
	uint8_t life;			// enum vm_life
	uint8_t report;			// enum vm_report of the end, from KILLING or RELEASING on
	bool executed;			// QEMU was let go in this life
	bool paused;			// by an I/O error, or by somebody
	bool guest_shutdown;
	bool deaf;
	bool unkillable;
	bool held;			// asked long enough in vain to say so
	uint8_t writing;		// 1 + volume of the lease slot that is being written by
					// this host
	bool written;			// its end is known: result below, to be reported
	bool write_ok;
	uint32_t write_slot;
	uint32_t attempt;		// of the placement that began it; the edge's events carry
					// it
	uint32_t claim;			// the placement that it counts for now: another one once it
					// was found
	uint32_t refusals;
	uint32_t sanlock_epoch;		// of the daemon that its child registered with
	bool cpu_known;			// its QEMU has told what the guest's CPU can
	struct cpu_features cpu;
	uint64_t deadline_ms;		// of the present life; UINT64_MAX: none
	uint64_t reported_ms;		// when a report was last proposed; 0: never
	char reason[REASON_SIZE];
};

// What the replica and the host want of it now.
struct vm_wish {
	bool start;		// owner, placed, wanted, view normal, leases ready, volumes joined
	bool keep;		// may go on as it is: wanted here, or nobody knows better
	bool stop;		// must end politely
	bool kill;		// must end at once: its lease is as good as lost
	bool volumes_online;	// all of its volumes answer
	uint32_t attempt;	// of the placement, for start
	uint32_t sanlock_epoch;
	uint32_t stop_timeout_ms;	// 0: at once, without asking the guest
	const char *why;	// for stop and kill
};

const char *vm_life_word(enum vm_life life);
// A process of it may live on this host.
bool vm_local_process(const struct vm_local *local);

// Level-triggered: call after every event, with the wish of that moment.
void vm_local_wish(struct vm_local *local, const struct vm_wish *wish, uint64_t now_ms,
		   struct actions *actions);
// An event about this VM's process, lease or QEMU. Those of another attempt are ignored.
void vm_local_event(struct vm_local *local, const struct event *event, struct actions *actions);
// The end was reported and the replica knows: nothing is left.
void vm_local_forget(struct vm_local *local, struct actions *actions);
