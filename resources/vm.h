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
#include "csv/lease.h"

enum vm_life {
	LIFE_OFFLINE,	 // nothing of it is on this host
	LIFE_SPAWNING,	 // a child was asked for
	LIFE_LEASING,	 // the child waits, the lease was asked for
	LIFE_BACKOFF,	 // somebody holds the lease: ask again at the deadline
	LIFE_GRANTED,	 // the lease is ours, the child still waits for a view in which it may go
	LIFE_STARTING,	 // let go: QEMU starts
	LIFE_INCOMING,	 // QEMU waits for a guest, or has received it: its CPUs never ran here
	LIFE_RESTORING,	 // QEMU loads a saved guest
	LIFE_RESTORED,	 // and has loaded it: its CPUs never ran here
	LIFE_CONTINUING, // told to continue: its CPUs may run
	LIFE_RUNNING,
	LIFE_HANDED,	// QEMU has handed its guest over, or saved it: the CPUs stand still, and
			// run again only when it is proven that nobody else continued the guest
	LIFE_STOPPING,	// asked politely; SIGKILL at the deadline
	LIFE_KILLING,	// SIGKILL was sent, or the waiting child was told to end
	LIFE_RELEASING, // the process is gone, sanlock has not yet let go
	LIFE_ENDED,	// gone; `report` is to be told until the replica knows
	LIFE_COUNT,
};

struct vm_local {
	struct vm_ref ref;
	struct uuid uuid;
	uint8_t life;			// enum vm_life
	uint8_t move_at;		// 1 + place of its move in the node's table; 0: none
	uint8_t report;			// enum vm_report of the end, from KILLING or RELEASING on
	bool executed;			// QEMU was let go in this life
	bool continued;			// its CPUs may have run in this life
	uint8_t mode;			// enum start_mode
	bool listening;			// INCOMING: a guest may be sent
	bool sending;			// found with a migration of it under way
	uint8_t sent;			// enum migrate_status, as QEMU said last
	bool unsure;			// found paused: nobody knows why
	bool unleased;			// found without its lease, and its CPUs may have run
	uint64_t recalled_ms;		// found sending, and for no move any more: when it was told
					// to end that; 0: not
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
	uint32_t told_attempt;		// what placement it was about, and in what view: of
	uint64_t told_view;		// another one it says nothing
	uint8_t asked;	 // 1 + rule for which its guest was asked last; 0: none (local_ask.c)
	bool answered;	 // it did, and the cluster does not know it yet
	uint64_t ask_ms; // when it is asked, or its answer told, again
	uint8_t restored_volume; // 1 + slot of the volume with a saved state to be removed when it
				 // runs: that it began from, or that nobody may restore
	// An earlier daemon wrote down that its state was complete on the volume, for this move.
	uint32_t saved_move; // 0: none did
	uint64_t saved_bytes;
	struct lease_hold hold;		// of its leases, by its process
	char reason[REASON_SIZE];
};

// What the replica and the host want of it now.
struct vm_wish {
	bool start;		// owner, placed, wanted, view normal, leases ready, volumes joined
	bool keep;		// may go on as it is: wanted here, or nobody knows better
	bool stop;		// must end politely
	bool kill;		// must end at once: its lease is as good as lost
	bool volumes_online;	// all of its volumes answer
	bool stay;		// a move is at it: how it pauses and ends is the move's business
	bool cont;		// INCOMING, RESTORED, HANDED: may continue, as whoever says so has
				// proven
	uint8_t mode;		// enum start_mode, for start
	uint8_t saved_volume;	// START_RESTORE: slot
	uint8_t lease;		// enum hold_wish
	const struct migrate_params *migrate; // START_INCOMING
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
// Its guest was handed over, or saved: from now on it continues by wish->cont alone.
void vm_local_hand_over(struct vm_local *local);
// It is asked to continue, which a guest that runs does not notice.
void vm_local_cont(struct vm_local *local, struct actions *actions);
// The end was reported and the replica knows: nothing is left.
void vm_local_forget(struct vm_local *local, struct actions *actions);
