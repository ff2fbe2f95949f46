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
	ACTION_SEND = 1,	// body: to the CPG group, agreed order, self included
	ACTION_GROUP_REJOIN,	// leave the group and join again

	// The store keeps the order. Only SYNC makes durable; one SYNCED answers each.
	ACTION_STORE_SNAPSHOT,	// index, view, body: replaces the snapshot and drops entries up to
				// index (flag: all)
	ACTION_STORE_ENTRY,	// index, view, body: drops entries from index on, then puts this
				// one
	ACTION_STORE_TRUNCATE,	// index: drops entries after it
	ACTION_STORE_PROMISE,	// view
	ACTION_STORE_COMMIT,	// index: a hint for the next start
	ACTION_STORE_SYNC,	// token -> EVENT_STORE_SYNCED
	ACTION_STORE_RESET,	// forget all, take a new random id -> EVENT_STORE_OPENED (a copy is
				// kept aside)

	ACTION_REPLY,		// cookie, result
	ACTION_LOG,		// level, text: a line of the event log

	// Volumes on this host
	ACTION_VOLUME_OPEN,	// volume: its place in the tree, probing -> EVENT_VOLUME, again on
				// every change
	ACTION_VOLUME_CLOSE,	// volume: leaves the lockspace; it is no longer defined
	ACTION_VOLUME_PREPARE,	// volume, attempt -> EVENT_VOLUME_PREPARED
	ACTION_VOLUME_JOIN,	// volume: its lockspace, host id = this node's id -> EVENT_VOLUME
	ACTION_LEASE_WRITE,	// vm, uuid, volume, lease_slot -> EVENT_LEASE_WRITTEN

	// One VM on this host
	ACTION_VM_SPAWN,	// vm, uuid, attempt -> EVENT_VM_SPAWNED
	ACTION_LEASE_ACQUIRE,	// vm: exclusive, all of them or none -> EVENT_LEASE_GRANTED,
				// EVENT_LEASE_REFUSED
	ACTION_QEMU_EXEC,	// vm: records pid and start time, then lets the child go on ->
				// EVENT_QEMU_RUNNING
	ACTION_VM_ABANDON,	// vm: the child that was not let go ends -> EVENT_QEMU_EXITED
	ACTION_QEMU_POWERDOWN,	// vm: asks the guest politely
	ACTION_QEMU_KILL,	// vm: SIGKILL -> EVENT_QEMU_EXITED, or EVENT_QEMU_UNKILLABLE
	ACTION_QEMU_CONT,	// vm: goes on after a pause -> EVENT_QEMU_RUNNING
	ACTION_LEASE_RELEASE_WAIT,	// vm, uuid: until sanlock has let go of what the process
					// held -> EVENT_LEASE_RELEASED
	ACTION_ADOPT,		// -> EVENT_VM_ADOPTED for every QEMU of ours that lives here, then
				// EVENT_ADOPTION_DONE
	ACTION_VM_FORGET,	// vm, uuid: nothing of it is left on this host; drop its records

	// Other hosts, and the end of this one
	ACTION_FENCE,		// node_id, attempt, device: off, then status -> EVENT_FENCE_DONE
	ACTION_HOST_RELEASE,	// node_id, attempt, generation mask and generations ->
				// EVENT_HOST_RELEASED
	ACTION_HOST_CHECK,	// node_id, cookie -> EVENT_HOST_CHECKED
	ACTION_SELF_FENCE,	// reason: this host resets itself, now
	ACTION_EXIT,		// the daemon may end
	ACTION_TYPE_COUNT,
};

enum log_level { LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };	// error: a person must look

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
bool actions_room(const struct actions *actions, uint32_t count, size_t bytes);
