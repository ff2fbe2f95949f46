// SPDX-License-Identifier: Apache-2.0
// What an administrator defines: the meaning of the XML vocabulary, with names still unresolved.
//
// The XML reader (resources/definition_io.c) fills a struct definitions; definitions_encode() packs
// it into an ENTRY_APPLY; cluster_apply() resolves names and stores the result. struct vm_def is
// also what a replica keeps of a VM's hardware and what the QEMU command line is made of. Every
// string is zero-terminated.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clusterd/limits.h"
#include "clusterd/pro.h"

struct uuid {
	uint8_t bytes[16];
};

enum vm_wanted {
	VM_WANTED_STOPPED,	// off, and still looked after
	VM_WANTED_RUNNING,
	VM_WANTED_DISABLED,	// off, and left alone
	VM_WANTED_COUNT,
};

enum disk_format { DISK_RAW, DISK_QCOW2, DISK_FORMAT_COUNT };
enum disk_bus { BUS_VIRTIO, BUS_SCSI, BUS_SATA, DISK_BUS_COUNT };
// Only direct I/O: dirty host pages would outlive QEMU and its lease.
enum disk_cache { CACHE_NONE, CACHE_DIRECTSYNC, DISK_CACHE_COUNT };
enum disk_aio { AIO_NATIVE, AIO_THREADS, DISK_AIO_COUNT };

struct disk_def {
	char volume[NAME_SIZE];
	char path[PATH_SIZE];	// relative to the volume; never absolute, never with ".."
	uint8_t format;		// enum disk_format
	uint8_t bus;		// enum disk_bus
	uint8_t cache;		// enum disk_cache
	uint8_t aio;		// enum disk_aio
	bool discard;
	bool readonly;
	bool cdrom;		// a CD image: read-only, needs no lease
};

enum nic_model { NIC_VIRTIO, NIC_E1000E, NIC_RTL8139, NIC_MODEL_COUNT };

struct nic_def {
	char bridge[16];	// Linux: IFNAMSIZ
	uint8_t mac[6];		// all zero: derived from the VM's UUID when applied
	uint8_t model;		// enum nic_model
	char device[16];	// PCI address of a host's NIC that the guest gets beside it
				// ("0000:3b:02.1"); empty: none. Only VIRTIO, on machine q35
};

enum vm_firmware { FIRMWARE_BIOS, FIRMWARE_UEFI, FIRMWARE_COUNT };
enum cpu_mode { CPU_COMPATIBLE, CPU_HOST, CPU_MODEL, CPU_MODE_COUNT };
enum on_guest_shutdown { GUEST_SHUTDOWN_STOP, GUEST_SHUTDOWN_RESTART, GUEST_SHUTDOWN_COUNT };
// What a drain of its node does to a VM.
enum on_drain {
	ON_DRAIN_MIGRATE, // live; quick where a live migration would not end
	ON_DRAIN_QUICK,
	ON_DRAIN_COLD,	   // stop, start elsewhere
	ON_DRAIN_STAY,	   // it goes on; the node never becomes empty
	ON_DRAIN_SHUTDOWN, // stopped until the node is back
	ON_DRAIN_COUNT,
};
// What follows when a VM ends unasked, or cannot be started.
enum on_failure {
	ON_FAILURE_RESTART,
	ON_FAILURE_STOP,   // it stays off, as if the administrator had stopped it
	ON_FAILURE_IGNORE, // it is started again, and its failures are not counted
	ON_FAILURE_COUNT,
};
// What follows when its process cannot be ended.
enum on_stop_failure {
	ON_STOP_FAILURE_BLOCK,
	ON_STOP_FAILURE_FENCE, // its node is fenced, where it has a device
	ON_STOP_FAILURE_COUNT,
};

// What follows when a second process of it was found running, without its lease, and was ended.
enum on_double_run {
	ON_DOUBLE_KEEP,	   // the one that holds the lease goes on
	ON_DOUBLE_RESTART, // it ends too, and is started anew
	ON_DOUBLE_STOP,	   // it ends too, and stays off
	ON_DOUBLE_BLOCK,   // it goes on, and nothing is done with it but by hand
	ON_DOUBLE_COUNT,
};

// When a VM goes back to a better preferred owner that has returned.
enum vm_failback {
	FAILBACK_NEVER,
	FAILBACK_IMMEDIATE,
	FAILBACK_DELAYED, // when the node has held out for a while, and at certain hours alone
	FAILBACK_COUNT,
};

// Where VMs go among the nodes that may have them; ties are broken by the nodes' names.
enum placement_strategy {
	PLACEMENT_FEWEST_VMS,
	PLACEMENT_MOST_FREE,  // absolute memory, then CPUs
	PLACEMENT_CONFIGURED, // lowest share of memory and CPUs promised
	PLACEMENT_MEASURED,   // lowest share of memory and CPUs really used
	PLACEMENT_PACK,	      // the fullest node that still has room
	PLACEMENT_STRATEGY_COUNT,
};

// What a node's health means for VMs.
enum health_policy {
	HEALTH_IGNORED,
	HEALTH_LEAVE_ON_RED, // red: VMs leave, none comes; yellow: none comes
	HEALTH_ONLY_GREEN,   // whatever is not green is left
	HEALTH_POLICY_COUNT,
};

enum node_health { HEALTH_GREEN, HEALTH_YELLOW, HEALTH_RED, NODE_HEALTH_COUNT };

// What becomes of the VMs of a host that is shut down on purpose.
enum shutdown_policy {
	SHUTDOWN_CONDITIONAL, // a reboot keeps them bound to it, a power-off releases them
	SHUTDOWN_FAILOVER,    // always released
	SHUTDOWN_FREEZE,      // always kept
	SHUTDOWN_MIGRATE,     // drained first
	SHUTDOWN_POLICY_COUNT,
};

struct policy_def {
	uint8_t placement;	 // enum placement_strategy
	uint8_t health;		 // enum health_policy
	uint8_t shutdown;	 // enum shutdown_policy
	uint32_t cpu_overcommit; // percent of a node's CPUs that VMs may have together before
				 // another node is better; default 400
	bool cpu_hard;		 // and no VM comes where that is passed
	uint32_t failures;	 // that the cluster is to tolerate; 0 to 16, default 1
	bool failures_strict;	 // what would break that is refused, not only warned of
	bool displace;		 // a VM without a home has less important ones make room
};

/*
 * A rule over VMs, named one by one or by a tag. A strict rule outranks that a VM runs at all: it
 * waits. A wish costs `weight` where it is not followed.
 */
enum rule_kind {
	RULE_TOGETHER,	     // on one node; transitive, and moves as one
	RULE_APART,	     // on pairwise different nodes
	RULE_FOLLOW,	     // members go where the leader is; it ignores them
	RULE_ORDER,	     // `then` starts when every `first` is up
	RULE_ANY_FIRST,	     // `then` starts when one `first` is up
	RULE_ONE_AT_A_TIME,  // at most `at_once` of the members move at once
	RULE_SAME_ATTRIBUTE, // members on nodes whose attribute equals that of the leader's
	RULE_SPREAD,	     // members evenly over the values of a node attribute
	RULE_KIND_COUNT,
};

enum rule_role { ROLE_MEMBER, ROLE_LEADER, ROLE_FIRST, ROLE_THEN, RULE_ROLE_COUNT };

// When a VM counts as up for those that start after it.
enum rule_up {
	UP_RUNNING, // QEMU runs
	UP_AGENT,   // its guest agent answers
	UP_TCP,	    // its TCP port `up_value` answers
	UP_DELAY,   // QEMU runs since `up_value` seconds
	RULE_UP_COUNT,
};

struct rule_member {
	char name[NAME_SIZE]; // of a VM, or a tag
	bool tag;
	uint8_t role; // enum rule_role
};

struct rule_def {
	char name[NAME_SIZE];
	uint8_t kind; // enum rule_kind
	bool strict;  // else a wish
	bool enabled;
	bool symmetric;		  // ORDER: stopped in the reverse order
	uint8_t up;		  // enum rule_up: ORDER, ANY_FIRST
	uint32_t up_value;	  // port, or seconds
	uint32_t weight;	  // of a wish; 1 to 1000000, default 100
	uint32_t at_once;	  // ONE_AT_A_TIME; default 1
	char attribute[TAG_SIZE]; // SAME_ATTRIBUTE, SPREAD
	uint32_t member_count;
	struct rule_member members[RULE_MEMBERS_MAX];
};

struct attribute_def {
	char name[TAG_SIZE], value[TAG_SIZE];
};

enum { STICKINESS_INFINITE = UINT32_MAX };
enum { FORGET_MAX_S = 30 * 24 * 3600 };

struct file_ref {
	char volume[NAME_SIZE];	// empty: not given
	char path[PATH_SIZE];
};

struct vm_def {
	char name[NAME_SIZE];
	struct uuid uuid;		// all zero: keep the existing VM's, or use the entry's
					// proposal
	char description[TEXT_SIZE];
	uint32_t cpus;			// 1 to 512
	uint32_t memory_mib;		// 1 to 16 Mi
	bool hugepages;			// its memory is of huge pages, of the host's usual size
	char machine[32];		// empty: "q35"
	uint8_t cpu_mode;		// enum cpu_mode
	char cpu_model[TEXT_SIZE];	// CPU_MODEL only
	uint8_t firmware;		// enum vm_firmware
	struct file_ref kernel, initrd;	// direct kernel boot
	char cmdline[CMDLINE_SIZE];
	uint32_t disk_count, nic_count;
	struct disk_def disks[VM_DISKS_MAX];
	struct nic_def nics[VM_NICS_MAX];
	bool console;			// serial console on a unix socket
	bool vnc;			// VNC on a unix socket
	bool guest_agent;		// a channel to the guest agent, on a unix socket
	char address[ADDRESS_SIZE];	// where the guest is reached from hosts; empty: not given
	int32_t priority;		// higher is more important; default 0
	uint8_t wanted;			// enum vm_wanted
	bool wanted_given;		// apply changes `wanted` only where the XML names it
	uint8_t failback;		// enum vm_failback
	uint32_t failback_after_s;	// DELAYED: that the node must be steady; up to a day
	uint32_t failback_from;		// DELAYED: minutes of the day in UTC between which it may
	uint32_t failback_to;		// be; equal: always
	uint8_t on_guest_shutdown;	// enum on_guest_shutdown
	uint32_t restarts_max;		// in place, after a failure; default 1
	uint32_t relocations_max;	// elsewhere, after that; default 2
	uint32_t forget_s;		// failures are forgotten when none came for so long; 0:
					// never; default 600, up to 30 days
	uint8_t on_failure;		// enum on_failure
	uint8_t on_stop_failure;	// enum on_stop_failure
	uint8_t on_double_run;		// enum on_double_run
	uint32_t stop_timeout_s;	// polite stop until SIGKILL; default 120
	uint32_t max_pause_ms;		// longest pause a live migration may plan; 1 to 60000,
					// default 1000
	uint32_t throttle_max;		// percent by which a live migration may slow the guest;
					// 0 to 99, default 0
	bool post_copy;			// one that does not converge may end in post-copy
	uint8_t on_drain;		// enum on_drain
	uint32_t stickiness;		// that a wish must outweigh to move it; 0: none
	uint32_t tag_count;
	char tags[TAGS_MAX][TAG_SIZE];
};

// Owners are named in XML and become masks of node slots when applied. Tier 0 is `possible`, 1 the
// best preferred.
struct owner_def {
	char node[NAME_SIZE];
	uint32_t vm;		// index into definitions.vms
	uint32_t tier;		// 0: a possible owner; 1 to VM_TIERS_MAX: a preferred one, best
				// first
};

struct fence_def {
	char agent[NAME_SIZE];			// program name, fence_*
	char options[FENCE_OPTIONS_SIZE];	// "name=value\n" lines, as the agent reads them
};

struct node_def {
	char name[NAME_SIZE];
	uint32_t id;		// corosync node id, 1 to NODE_ID_MAX; also the sanlock host id
	uint32_t fence_count;
	struct fence_def fences[FENCE_DEVICES_MAX];
	uint32_t memory_reserve_mib;	// kept for the host
	char cpu_without[TEXT_SIZE];	// CPU features that no guest gets there, divided by blanks
	uint8_t health;			// enum node_health
	uint32_t attribute_count;
	struct attribute_def attributes[ATTRIBUTES_MAX];
};

struct volume_def {
	char name[NAME_SIZE];
	char source[PATH_SIZE];	// absolute path of a shared file system, the same on every node
};

enum no_quorum_policy { NO_QUORUM_STOP, NO_QUORUM_FREEZE, NO_QUORUM_SELF_FENCE, NO_QUORUM_COUNT };

// How VMs move between nodes.
struct migration_def {
	uint32_t network_count; // 0: every network that a node has, those without
				// a gateway first
	char networks[MIGRATION_NETWORKS_MAX][ADDRESS_SIZE + 4]; // "10.1.0.0/16", best first
	bool plain;						 // without TLS
	uint32_t bandwidth_percent;	      // of the link, for one node's moves; 1 to 100,
					      // default 50
	uint32_t link_mbit; // a second, of links that do not say; 0: such are not limited
	uint32_t moves_out_max, moves_in_max; // at once, per node; 1 to 16, default 2
	uint32_t moves_max; // at once in the whole cluster; 0: what the nodes allow
};

struct cluster_def {
	char name[NAME_SIZE];
	uint8_t no_quorum;		// enum no_quorum_policy
	uint32_t no_quorum_hold_s;	// default 60
	uint32_t io_timeout_s;		// sanlock io_timeout of volumes prepared from now on; 1 to
					// 60, default 10
	uint32_t measure_s;  // between two samples of a host; 2 to 600; 0: MEASURE_STEP_MS
	bool utc;			// hours of the day are meant in UTC; else in local time
	char root[PATH_SIZE];		// of the volumes' tree; default /clusterstorage
	struct migration_def migration;
	struct policy_def policies;
};

// One applied document or several, together. Arrays are the caller's (the edge allocates them).
struct definitions {
	bool cluster_given;
	struct cluster_def cluster;
	uint32_t node_count, volume_count, vm_count, owner_count, rule_count;
	uint32_t pro_count;
	struct node_def *nodes;
	struct volume_def *volumes;
	struct vm_def *vms;
	struct owner_def *owners;
	struct rule_def *rules;
	struct pro_def *pros;
};

// What cannot be written needs no lease.
bool disk_is_written(const struct disk_def *disk);
bool pci_address_is_good(const char *text); // "0000:3b:02.1"

// Packs what ENTRY_APPLY carries: little-endian, versioned, strings with their length. `proposed`
// gives one fresh random UUID per VM, used where neither the XML nor an existing VM of that name
// has one. Returns the size, or 0 when it does not fit.
size_t definitions_encode(const struct definitions *defs, const struct uuid *proposed, uint8_t *buf,
			  size_t size);
