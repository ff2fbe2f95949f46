// SPDX-License-Identifier: Apache-2.0
// Everything that a node asks of the world: the one output of node_step().
//
// Performed in order by the shell (or by the simulated world). Each says which event answers it.
// Bodies and texts live in the list's own bytes; definitions are looked up in the node's replica by
// the performer.
#pragma once

#include "clusterd/cluster.h"
#include "clusterd/entry.h"

enum action_type {
	ACTION_SEND = 1,     // body: to the CPG group, agreed order, self included
	ACTION_GROUP_REJOIN, // leave the group and join again

	// The store keeps the order. Only SYNC makes durable; one SYNCED answers each.
	ACTION_STORE_SNAPSHOT, // index, view, body: replaces the snapshot and drops entries up to
			       // index (flag: all)
	ACTION_STORE_ENTRY,    // index, view, body: drops entries from index on, then puts this
			       // one
	ACTION_STORE_TRUNCATE, // index: drops entries after it
	ACTION_STORE_PROMISE,  // view
	ACTION_STORE_COMMIT,   // index: a hint for the next start
	ACTION_STORE_SYNC,     // token -> EVENT_STORE_SYNCED
	ACTION_STORE_RESET,    // forget all, take a new random id -> EVENT_STORE_OPENED (a copy is
			       // kept aside)

	ACTION_REPLY, // cookie, result
	ACTION_LOG,   // level, text: a line of the event log

	// Volumes on this host
	ACTION_VOLUME_OPEN,    // volume: its place in the tree, probing -> EVENT_VOLUME, again on
			       // every change
	ACTION_VOLUME_CLOSE,   // volume: leaves the lockspace; it is no longer defined
	ACTION_VOLUME_PREPARE, // volume, attempt -> EVENT_VOLUME_PREPARED
	ACTION_VOLUME_JOIN,    // volume: its lockspace, host id = this node's id -> EVENT_VOLUME
	ACTION_LEASE_WRITE,    // vm, uuid, volume, lease_slot -> EVENT_LEASE_WRITTEN

	// One VM on this host
	ACTION_VM_SPAWN,	   // vm, uuid, attempt -> EVENT_VM_SPAWNED
	ACTION_LEASE_ACQUIRE,	   // vm: exclusive, all of them or none -> EVENT_LEASE_GRANTED,
				   // EVENT_LEASE_REFUSED
	ACTION_QEMU_EXEC,	   // vm: records pid and start time, then lets the child go on ->
				   // EVENT_QEMU_RUNNING
	ACTION_VM_ABANDON,	   // vm: the child that was not let go ends -> EVENT_QEMU_EXITED
	ACTION_QEMU_POWERDOWN,	   // vm: asks the guest politely
	ACTION_QEMU_KILL,	   // vm: SIGKILL -> EVENT_QEMU_EXITED, or EVENT_QEMU_UNKILLABLE
	ACTION_QEMU_CONT,	   // vm: goes on after a pause -> EVENT_QEMU_RUNNING
	ACTION_LEASE_RELEASE_WAIT, // vm, uuid: until sanlock has let go of what the process
				   // held -> EVENT_LEASE_RELEASED
	ACTION_ADOPT,	  // -> EVENT_VM_ADOPTED for every QEMU of ours that lives here, then
			  // EVENT_ADOPTION_DONE
	ACTION_VM_FORGET, // vm, uuid: nothing of it is left on this host; drop its records

	// Moves. LEASE_ACQUIRE with flag takes shared; QEMU_EXEC has a start_mode
	ACTION_LEASE_SHARE,	 // vm: exclusive to shared, all of them -> EVENT_LEASE_SHARED
	ACTION_LEASE_EXCLUSIVE,	 // vm: shared to exclusive -> EVENT_LEASE_EXCLUSIVE
	ACTION_MIGRATE,		 // vm, migrate: sends the guest -> EVENT_MIGRATE, again and again
	ACTION_MIGRATE_TUNE,	 // vm, migrate: other limits for the one under way
	ACTION_MIGRATE_CONTINUE, // vm: on from pre-switchover
	ACTION_MIGRATE_CANCEL,	 // vm
	ACTION_MIGRATE_BREAK,	 // vm: its connection is shut down, and QEMU fails its own way
	ACTION_SAVE,		 // vm, volume, migrate: to the volume's file of saved states ->
				 // EVENT_MIGRATE, then EVENT_SAVED
	ACTION_SAVED_REMOVE,	 // uuid, volume
	ACTION_DIRTY_RATE,	 // vm -> EVENT_DIRTY_RATE after about a second
	ACTION_QEMU_ANNOUNCE,	 // vm: its addresses, to the network
	ACTION_LINK_CHECK,	 // node_id, cookie -> EVENT_LINK_CHECKED; the connection is kept
	ACTION_MOVE_TELL,	 // node_id, move, word -> EVENT_MOVE_WORD there
	ACTION_MOVE_PROGRESS,	 // move, migrate_stats: for whoever looks at this node

	ACTION_MEASURES_TELL, // body: a sample, to the group; may be lost -> EVENT_MEASURES_HEARD
			      // there
	ACTION_SYNCED_TELL,   // node_id, view, token, index: over a link, ahead of the group's
			      // message; may be lost -> EVENT_SYNCED_HEARD there

	// Other hosts, and the end of this one
	ACTION_FENCE,	     // node_id, attempt, device: off, then status -> EVENT_FENCE_DONE
	ACTION_HOST_RELEASE, // node_id, attempt, generation mask and generations ->
			     // EVENT_HOST_RELEASED
	ACTION_HOST_CHECK,   // node_id, cookie -> EVENT_HOST_CHECKED
	ACTION_SELF_FENCE,   // reason: this host resets itself, now
	ACTION_EXIT,	     // the daemon may end
	ACTION_SCRIPT_RUN,   // cookie, text: its name, attempt: seconds it may take, body: lines
			     // NAME=VALUE for its environment -> EVENT_SCRIPT_DONE
	ACTION_VM_ASK,	   // vm, token: a TCP port of its guest, at the address `text`; 0: its
			   // guest agent -> EVENT_VM_ANSWERED
	ACTION_TYPE_COUNT,
};

enum log_level { LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };	// error: a person must look

// How QEMU begins.
enum start_mode {
	START_FRESH,	// boots
	START_INCOMING, // waits for a migration, CPUs stopped -> EVENT_QEMU_LISTENING
	START_RESTORE,	// loads the saved state, CPUs stopped -> EVENT_QEMU_RESTORED
	START_MODE_COUNT,
};

struct migrate_params {
	const char *address; // of the target; NULL: to a file
	uint32_t port;
	const char *peer; // the target's node name, as its certificate has it
	bool tls;
	bool post_copy;	      // MIGRATE: may be switched to; TUNE: now
	uint32_t channels;    // 1: a single stream; more: multifd
	uint64_t bandwidth;   // bytes a second; 0: no limit
	uint32_t downtime_ms; // QEMU may pause the guest that long
	uint32_t throttle;    // percent at most; 0: never
};

struct action {
	uint8_t type;			// enum action_type
	bool flag;
	uint8_t volume, device, level;
	uint32_t attempt, node_id, lease_slot;
	struct vm_ref vm;
	struct uuid uuid;
	uint64_t index, view, token, cookie;
	uint32_t generation_mask;
	const uint64_t *generation;	// [VOLUMES_MAX], in the list's bytes
	const uint8_t *body;
	size_t body_size;
	const char *text;
	const struct entry_result *result;
	uint8_t start_mode; // QEMU_EXEC: enum start_mode
	uint8_t word;	    // MOVE_TELL: enum move_word
	uint32_t move;
	const struct migrate_params *migrate; // in the list's bytes, with its texts
	const struct migrate_stats *stats;    // MOVE_PROGRESS, in the list's bytes
};

// The caller's memory; emptied by the caller between steps. The core traps when a list is too small
// for one step; actions_room() lets level-triggered work wait for the next one.
struct actions {
	struct action *items;
	uint32_t count, max;
	uint8_t *bytes;
	size_t used, size;
};

// A zeroed action of this type at the end of the list.
struct action *actions_add(struct actions *actions, enum action_type type);
// `size` bytes (8-byte aligned) of the list's own memory; traps when it is used up.
void *actions_bytes(struct actions *actions, size_t size);
// The bytes that are left, where actions_bytes() would next give some.
static inline uint8_t *actions_rest(const struct actions *actions, size_t *size)
{
	size_t at = (actions->used + 7) & ~(size_t)7;

	*size = at <= actions->size ? actions->size - at : 0;
	return actions->bytes + (actions->size - *size);
}
static inline bool actions_room(const struct actions *actions, uint32_t count, size_t bytes)
{
	size_t at = (actions->used + 7) & ~(size_t)7;

	return count <= actions->max - actions->count && at <= actions->size &&
	       bytes <= actions->size - at;
}
