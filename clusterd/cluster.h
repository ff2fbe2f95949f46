// SPDX-License-Identifier: Apache-2.0
// The replicated state: configuration and placement, the same on every node at the same index of
// the log.
//
// Changed by cluster_apply() alone, one committed entry after another. Memory is the caller's,
// given once to cluster_init(); nothing is allocated later, and a full table is a refusal. Nodes,
// volumes and VMs live in slots that do not move while they exist; a slot number is what other
// records hold.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clusterd/definition.h"
#include "clusterd/facts.h"
#include "clusterd/limits.h"
#include "clusterd/tip.h"

enum { SLOT_NONE = 255 };	// no node, no volume

struct cluster_limits {
	uint32_t vms_max;
	uint32_t lease_slots_max;	// per volume
};

/*
 * The life of a node, as the cluster has agreed on it.
 *
 *   UNKNOWN -> ONLINE -> LEFT            said goodbye and runs nothing
 *                |  ^
 *                v  |  (came back before anything was believed)
 *               LOST -> FENCING -> FENCED -> DEAD        a device, or the administrator, proved it
 * off |         |                             and its claims were released
 *                +-------> EXPIRING                      no proof, but its watchdog guards its
 * leases every state but ONLINE -> ONLINE when the node has rejoined
 */
enum node_life {
	NODE_UNKNOWN,
	NODE_ONLINE,
	NODE_LEFT,
	NODE_LOST,
	NODE_FENCING,
	NODE_FENCED,
	NODE_DEAD,
	NODE_EXPIRING,
	NODE_LIFE_COUNT,
};

enum volume_state { VOLUME_OFFLINE, VOLUME_ONLINE, VOLUME_SLOW, VOLUME_LOST, VOLUME_STATE_COUNT };

// What a node says of one volume.
struct node_volume {
	uint8_t state;		// enum volume_state
	bool joined;		// its lockspace
	uint64_t generation;	// of this host's id there, while joined
	uint32_t free_mib;	// on the file system; told anew when it has changed by much
	char reason[80];	// why it is not online; empty when it is
};

// Whether a host goes down on purpose.
enum host_leaving { LEAVING_NOT, LEAVING_OFF, LEAVING_REBOOT, HOST_LEAVING_COUNT };

// What a node says of itself (ENTRY_NODE_REPORT).
struct node_report {
	uint32_t cpus;
	uint32_t memory_mib;
	bool watchdog;		// sanlock runs with a watchdog that wdmd feeds
	bool qemu;		// an emulator is installed
	uint8_t leaving;	// enum host_leaving: it goes down, and nothing new may come
	uint64_t boot;		// first 8 bytes of the kernel's boot id
	// Where other nodes reach its daemon and its QEMUs, best first; empty at the end.
	char addresses[MIGRATION_NETWORKS_MAX][ADDRESS_SIZE];
	uint32_t link_mbit[MIGRATION_NETWORKS_MAX]; // a second, of the links with these addresses;
						    // 0: they do not say
	uint64_t cert_expires;	 // unix seconds: the first of its certificates to end; 0: none
	uint64_t cert_authority; // tells one authority from another; 0: none that can be used
	struct node_volume volumes[VOLUMES_MAX];
	struct host_facts facts;
};

/*
 * A drain empties a node and keeps it empty: new VMs stay away in every state but NONE.
 *
 *   NONE -> DRAINING <-> PAUSED        DRAINING -> DRAINED (nothing runs there: maintenance)
 *              ^  |
 *              |  v
 *             STUCK    what still runs there cannot leave; tried again when anything changes
 */
enum drain_state {
	DRAIN_NONE,
	DRAIN_DRAINING,
	DRAIN_PAUSED,
	DRAIN_STUCK,
	DRAIN_DRAINED,
	DRAIN_STATE_COUNT,
};

struct cluster_node {
	bool used;
	struct node_def def;
	bool managed;
	bool maintenance;	 // wanted empty: a drain in any state but NONE
	uint8_t drain;		 // enum drain_state
	uint64_t drain_until_ms; // wall clock when it ends by itself; 0: never
	bool drain_return;	 // and those that left then come back
	bool drain_stop;	 // those that cannot leave are shut down, and wait
	char drain_reason[REASON_SIZE]; // STUCK: what cannot leave, and why
	bool reported;		// `report` is of the node's present life
	uint64_t report_stamp;	// derived: which of this replica's reports it is
	struct node_report report;
	uint8_t life;		// enum node_life
	// The fence under way, or the last one: FENCING, FENCED.
	uint32_t fence_attempt;	// counts up, never reused; results of older attempts are ignored
	uint8_t fence_actor;	// slot of the node that does it
	uint8_t fence_device;	// index into def.fences
	uint32_t fence_generation_mask;			// volumes in which this host had an id
	uint64_t fence_generation[VOLUMES_MAX];		// and its generation when it was lost
	uint32_t fence_failures;			// in a row
	bool fence_wanted;				// the administrator asked
	uint64_t since_ms;	// wall clock of the last change of life
	uint64_t steady_ms;	// wall clock when VMs could last not be there as they are to: its
				// life, its maintenance or its health changed
	uint32_t policy_move_count;
	uint64_t policy_moves[POLICY_BUDGET_MAX]; // wall clock of the last moves that policies
						  // began from it or to it, latest last
	char reason[REASON_SIZE];
};

enum lease_slot { SLOT_FREE, SLOT_USED, SLOT_BURNED, LEASE_SLOT_COUNT };

struct cluster_volume {
	bool used;
	struct volume_def def;
	uint32_t io_timeout_s;		// fixed when prepared
	bool prepared;
	uint8_t prepare_actor;		// SLOT_NONE: nobody is at it
	uint32_t prepare_attempt;
	char reason[REASON_SIZE];	// why the last attempt failed
};

/*
 * A lease slot is written once for a VM, before its first start. A write whose end is not known
 * (its actor died) could land after the lease is held and wipe it, so such a slot is burned and
 * another one taken.
 */
enum lease_life {
	LEASE_UNWRITTEN,
	LEASE_WRITING,
	LEASE_READY,
	/*
	 * Its slot holds no lease, or another VM's: a volume was brought back from a copy, or
	 * stores were, with `recover --accept-loss`. In what was lost it may have had another slot,
	 * and run under that: a new one is written only when every node is there, and has told what
	 * it runs.
	 */
	LEASE_GONE,
	LEASE_LIFE_COUNT,
};

struct vm_lease {
	uint8_t volume;		// slot
	uint8_t life;		// enum lease_life
	uint8_t actor;		// node slot, while WRITING
	uint32_t slot;		// of the lease area
};

/*
 * What the cluster has agreed on about one VM. The owner alone may run it, once it holds the lease.
 *
 *   IDLE -> PLACED -> RUNNING -> IDLE       runs nowhere -> owner named -> owner says it runs -> it
 * ended |        |          | v        +----------+-> BLOCKED        it may still run on its owner:
 * hands off ERROR                                   runs nowhere, and an operator is needed
 */
enum vm_phase { VM_IDLE, VM_PLACED, VM_RUNNING, VM_BLOCKED, VM_ERROR, VM_PHASE_COUNT };

struct vm {
	// What is looked at all the time stands together.
	bool used;
	struct vm_ref ref;
	uint8_t phase;			// enum vm_phase
	uint8_t owner;			// node slot; SLOT_NONE when IDLE or ERROR
	uint8_t wanted;			// enum vm_wanted
	bool managed;
	bool forced;			// its end is wanted at once, without asking the guest
	uint8_t saved;			// enum saved_state
	uint8_t saved_volume;		// slot of the volume that holds the state, or what is left
					// of one that nobody may restore; SLOT_NONE
	uint8_t drained_from;		// node that it left because of a drain; SLOT_NONE
	uint32_t move;			// id of the move that it is in; 0: none
	uint32_t lease_count;
	struct vm_lease leases[VM_LEASES_MAX];
	uint32_t attempt;		// of placement, counts up; reports of older attempts are
					// ignored
	uint64_t possible;		// mask of node slots; 0: every node
	uint64_t tiers[VM_TIERS_MAX];	// preferred owners, best first
	uint32_t restarts; // failures in place where it ran last, if that is not given up
	uint32_t relocations;
	uint64_t failed_on;		// mask of nodes where it used up its restarts
	uint8_t failures[NODES_MAX];	// on each, since they were last forgotten
	uint64_t failed_ms;		// wall clock of the last one
	uint8_t last_owner;		// where it ran or was tried last
	uint64_t unproven;	// mask of nodes given up on expiry alone: it may run there until a
				// lease is held
	/*
	 * What its QEMU gives to the guest, fixed when it is placed and kept as long as it runs,
	 * wherever it moves. A named model's features are known once its QEMU has told them.
	 */
	bool cpu_known;
	struct cpu_features cpu;
	char machine[MACHINE_SIZE];	// no alias; empty: it was never placed
	uint64_t since_ms;		// wall clock of the last change of phase
	uint32_t next_cpus, next_memory_mib; // defined while it runs, had from its next start on;
					     // 0: what its definition says is what it has
	uint64_t strays; // mask of nodes where a process of it lives that is not its present one
			 // and has yet to end: it starts nowhere meanwhile
	uint64_t doubled_on; // mask of nodes where a second process of it was found and ended,
			     // since it was placed here
	uint64_t up_rules; // mask of rules that it is first in, and whose condition for "up" (an
			   // answer of its guest) it has met since it began to run
	uint64_t saved_bytes;
	uint64_t moved_ms;		// wall clock when a policy moved it last; 0: none did
	uint64_t last_move_ms;		// wall clock when its last move was done, whoever asked
	uint8_t bound_to;		// node that went down on purpose and that it waits for;
					// SLOT_NONE
	char reason[REASON_SIZE];	// why it is not as wanted; empty when it is
};

enum move_kind {
	MOVE_AUTO,  // as asked; becomes one of the others when it begins
	MOVE_LIVE,  // memory goes over the network while the guest runs
	MOVE_QUICK, // saved to the volume, restored on the target
	MOVE_COLD,  // stopped, started on the target
	MOVE_SAVE,  // saved to the volume; no target
	MOVE_KIND_COUNT,
};

/*
 * The stages of a move. Everything that a node does for it follows from the stage and the flags of
 * struct move; both ends report, and only committed reports advance it.
 *
 *   live:   ASKED -> PREPARE -> TRANSFER -> HANDOVER -> CLEANUP -> (ended)
 *                       |          |           |
 *                       +----------+-----------+--> UNDO -> (ended: the source runs on)
 *   quick:  ASKED -> SAVE -> RESTORE -> (ended)       save:  ASKED -> SAVE -> (ended)
 *   cold:   ASKED -> STOP -> START -> (ended)
 *
 * UNDO -> CLEANUP where the target had continued before it could hear of the undoing: whoever runs
 * the guest has the truth. A quick or cold move that is cancelled stays in SAVE or STOP with
 * `cancelled`: the source ends the saving and says FAILED, or, when it is too late for that, SAVED
 * or STOPPED, and begins again on the source, if the coordinator has found (`back`) that it may.
 *
 * PREPARE   the source makes its exclusive lease shared, the target takes it shared and has a QEMU
 *           that listens (`shared`, `ready`).
 * TRANSFER  memory goes over. From the commitment of this stage on the source may renounce: after
 *           QEMU has said `completed` it never resumes this guest without the target's word. The
 *           promise is durable before a byte of memory was sent, so nothing is synced in the
 *           pause.
 * HANDOVER  the source is about to pause, or has paused, the guest. For people alone: the safety
 *           needs no entry here, because QEMU's own state (postmigrate) says what was renounced.
 * CLEANUP   the target runs the guest and owns the VM; the source's QEMU is being ended, then the
 *           target makes its lease exclusive (`source_gone`).
 * UNDO      no target will ever continue: its QEMU is being ended (`target_gone`); then the source
 *           makes its lease exclusive again and runs on, or resumes.
 */
enum move_stage {
	STAGE_ASKED,
	STAGE_PREPARE,
	STAGE_TRANSFER,
	STAGE_HANDOVER,
	STAGE_CLEANUP,
	STAGE_UNDO,
	STAGE_SAVE,
	STAGE_RESTORE,
	STAGE_STOP,
	STAGE_START,
	MOVE_STAGE_COUNT,
};

// What became of a move.
enum move_outcome {
	MOVE_DONE = 1,	// runs on the target
	MOVE_STAYED,	// failed: it runs on the source as before
	MOVE_CANCELLED, // somebody said so: it runs on the source as before
	MOVE_REFUSED,	// nothing was touched
	MOVE_RESTARTED, // neither side's memory was left: started anew under the lease
	MOVE_SAVED,	// saved on the volume, wanted or not
	MOVE_ENDED,	// the VM ended by itself or was stopped meanwhile
	MOVE_OUTCOME_COUNT,
};

enum move_cause {
	CAUSE_REQUEST,
	CAUSE_DRAIN,
	CAUSE_RETURN, // home after a drain
	CAUSE_POLICY,
	MOVE_CAUSE_COUNT,
};

// Measured, or forecast before the start; 0: not known.
struct move_numbers {
	uint32_t total_ms;
	uint32_t pause_us;   // the guest's CPUs stood still
	uint32_t rounds;     // over dirty memory
	uint32_t throttle;   // percent, at its highest
	uint64_t bytes;	     // sent, or saved
	uint64_t rate;	     // bytes a second
	uint64_t dirty_rate; // bytes a second
};

struct move {
	uint32_t id; // counts up, never reused; 0: this place in the table is free
	struct vm_ref vm;
	uint8_t kind;		    // enum move_kind
	uint8_t stage;		    // enum move_stage
	uint8_t cause;		    // enum move_cause
	uint8_t source;		    // node slot
	uint8_t target;		    // node slot; SLOT_NONE: not yet chosen, or none (SAVE)
	uint32_t attempt;	    // of the VM, under which the target's process counts
	bool shared;		    // the source holds its lease shared
	bool ready;		    // the target's QEMU listens under a shared lease
	bool source_gone;	    // proven: no QEMU of it lives on the source
	bool target_gone;	    // proven: no QEMU of it lives on the target
	bool target_died;	    // with target_gone: proven by its node's death, so that it may
				    // have continued before. False: its own word, it never did
	bool cancelled;		    // somebody asked to cancel it
	uint64_t began_ms;	    // wall clock
	uint64_t stage_ms;	    // wall clock of the last change of stage
	uint32_t tip;		    // POLICY: id of the tip that it is of; 0: none
	char address[ADDRESS_SIZE]; // where the target listens
	char avoid[ADDRESS_SIZE];   // the one that an earlier attempt failed over; empty: it is
				    // the first
	bool broke;		    // the memory did not get through
	bool anew;		    // SAVE, STOP: where it was to go on it may not; placed anew
				    // when it has ended on its source
	bool back;		    // cancelled in SAVE, STOP: its source may have it back
	uint32_t port;
	struct move_numbers forecast, fact;
	char reason[REASON_SIZE]; // of the failure, or why it waits
};

struct past_move {
	uint32_t id; // 0: no such
	char vm[NAME_SIZE];
	uint8_t kind, cause, outcome, stage; // stage: that it ended in
	char source[NAME_SIZE], target[NAME_SIZE];
	uint64_t began_ms, ended_ms; // wall clock
	struct move_numbers forecast, fact;
	char reason[REASON_SIZE];
};

/*
 * A saved state may be restored once: before the guest continues from it, TAKEN is committed, and
 * from then on the disk may be newer than the saved memory. A start that ended before it continued
 * says so, and makes it KEPT again.
 */
enum saved_state { SAVED_NONE, SAVED_KEPT, SAVED_TAKEN, SAVED_STATE_COUNT };

struct cluster_rule {
	bool used;
	struct rule_def def;
};

struct voter {
	uint32_t id;		// corosync node id
	uint64_t store;		// its store's random id
};

struct voters {
	uint32_t count;
	struct voter list[NODES_MAX];	// ascending by id
};

struct cluster {
	struct cluster_limits limits;
	uint64_t index;			// of the last entry applied
	uint64_t view;			// of the last ENTRY_VIEW applied
	uint32_t functional_level;
	uint32_t next_serial;
	uint32_t next_move; // id
	int32_t ahead_min;  // the clock of hours of the day less UTC; as the coordinator has it
	struct cluster_def def;
	struct voters voters;
	uint8_t node_high, volume_high; // no used slot at or above it
	uint8_t rule_high, move_high;
	struct cluster_volume volumes[VOLUMES_MAX];
	struct cluster_policy policies[POLICIES_MAX];
	uint32_t next_tip;	   // id
	struct tip tips[TIPS_MAX]; // those that are over stay until their place is needed
	struct policy_run balance; // without a policy: `clustadm balance`
	uint64_t reports;   // derived: applied, ever
	uint32_t past_move; // place in past_moves of the next one that ends
	uint32_t vm_count;		// used slots
	uint32_t vm_high;		// no used slot at or above it
	struct vm *vms;			// [limits.vms_max], not touched at or above vm_high
	struct vm_def *defs;		// [limits.vms_max], same slots
	uint8_t *lease_slots;		// [VOLUMES_MAX][limits.lease_slots_max], enum lease_slot
	struct vm_index *vm_index;	// derived: finds VMs by what must be unique
	struct rule_index *rule_index;	// derived: which VMs rules are about
	// The large ones, last: of a slot that is not used, of a move without an id, nothing but
	// that is known.
	struct cluster_node nodes[NODES_MAX];
	struct cluster_rule rules[RULES_MAX]; // members need not be defined
	struct move moves[MOVES_MAX];
	struct past_move past_moves[PAST_MOVES_MAX];
};

enum { FUNCTIONAL_LEVEL = 1 };

// Bytes that cluster_init() needs for these limits.
size_t cluster_memory(const struct cluster_limits *limits);
// An empty cluster in `memory` (8-byte aligned, cluster_memory() bytes, the caller's for the
// cluster's life).
void cluster_init(struct cluster *cluster, const struct cluster_limits *limits, void *memory);

// Lookups: a slot, or NULL.
struct cluster_node *cluster_node_by_id(struct cluster *cluster, uint32_t id);
const struct cluster_node *cluster_find_node(const struct cluster *cluster, const char *name);
const struct cluster_volume *cluster_find_volume(const struct cluster *cluster, const char *name);
const struct cluster_rule *cluster_find_rule(const struct cluster *cluster, const char *name);
const struct cluster_policy *cluster_find_policy(const struct cluster *cluster, const char *name);
// The tip of this id, or NULL; 0 is none.
const struct tip *cluster_tip(const struct cluster *cluster, uint32_t id);
// It may still do something, or is about to be measured.
bool tip_lives(const struct tip *tip);
const struct vm *cluster_find_vm(const struct cluster *cluster, const char *name);
const struct vm *cluster_find_vm_uuid(const struct cluster *cluster, const struct uuid *uuid);
// The VM of this slot and serial, or NULL when it is gone.
const struct vm *cluster_vm(const struct cluster *cluster, struct vm_ref ref);
// Saved states count as taken: after a loss nobody knows whether they were.
void cluster_forget_saved(struct cluster *cluster);
// The move of this id, or NULL; 0 is none.
const struct move *cluster_move(const struct cluster *cluster, uint32_t id);
// The time of day by the clock that <hours> names, in milliseconds since midnight.
uint64_t cluster_day_ms(const struct cluster *cluster, uint64_t wall_ms);
// No failure of it came for so long that they are forgotten. wall_ms 0: that is not looked at.
bool vm_failures_old(const struct cluster *cluster, const struct vm *vm, uint64_t wall_ms);
// Every lease of it is written: without that it may neither be placed nor started.
bool vm_leases_ready(const struct vm *vm);
static inline const struct vm_def *vm_definition(const struct cluster *cluster, const struct vm *vm)
{
	return &cluster->defs[vm->ref.slot];
}
static inline uint8_t node_slot(const struct cluster *cluster, const struct cluster_node *node)
{
	return (uint8_t)(node - cluster->nodes);
}
static inline uint8_t volume_slot(const struct cluster *cluster,
				  const struct cluster_volume *volume)
{
	return (uint8_t)(volume - cluster->volumes);
}

// The whole state as bytes and back. encode returns the size needed; of what does not fit `buf`
// holds a beginning.
// decode returns false and leaves an empty cluster on anything but one well-formed snapshot that
// fits the limits.
size_t cluster_encode(const struct cluster *cluster, uint8_t *buf, size_t size);
bool cluster_decode(struct cluster *cluster, const uint8_t *buf, size_t size);

// A 64-bit digest over every replicated field; equal states have equal digests on every build.
uint64_t cluster_digest(const struct cluster *cluster);
