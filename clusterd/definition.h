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
enum vm_failback { FAILBACK_NEVER, FAILBACK_IMMEDIATE, FAILBACK_COUNT };

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
	int32_t priority;		// higher is more important; default 0
	uint8_t wanted;			// enum vm_wanted
	bool wanted_given;		// apply changes `wanted` only where the XML names it
	uint8_t failback;		// enum vm_failback
	uint8_t on_guest_shutdown;	// enum on_guest_shutdown
	uint32_t restarts_max;		// in place, after a failure; default 1
	uint32_t relocations_max;	// elsewhere, after that; default 2
	uint32_t stop_timeout_s;	// polite stop until SIGKILL; default 120
	uint32_t max_pause_ms;		// longest pause a live migration may plan; 1 to 60000,
					// default 1000
	uint32_t throttle_max;		// percent by which a live migration may slow the guest;
					// 0 to 99, default 0
	bool post_copy;			// one that does not converge may end in post-copy
	uint8_t on_drain;		// enum on_drain
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
	uint32_t moves_out_max, moves_in_max; // at once, per node; 1 to 16, default 2
};

struct cluster_def {
	char name[NAME_SIZE];
	uint8_t no_quorum;		// enum no_quorum_policy
	uint32_t no_quorum_hold_s;	// default 60
	uint32_t io_timeout_s;		// sanlock io_timeout of volumes prepared from now on; 1 to
					// 60, default 10
	char root[PATH_SIZE];		// of the volumes' tree; default /clusterstorage
	struct migration_def migration;
};

// One applied document or several, together. Arrays are the caller's (the edge allocates them).
struct definitions {
	bool cluster_given;
	struct cluster_def cluster;
	uint32_t node_count, volume_count, vm_count, owner_count;
	struct node_def *nodes;
	struct volume_def *volumes;
	struct vm_def *vms;
	struct owner_def *owners;
};

// Packs what ENTRY_APPLY carries: little-endian, versioned, strings with their length. `proposed`
// gives one fresh random UUID per VM, used where neither the XML nor an existing VM of that name
// has one. Returns the size, or 0 when it does not fit.
size_t definitions_encode(const struct definitions *defs, const struct uuid *proposed, uint8_t *buf,
			  size_t size);

// One VM's definition, for entries and snapshots. encode: bytes written or 0; decode: false on
// anything but exactly one well-formed definition (strings bounded, enumerations in range, counts
// within limits).
size_t vm_def_encode(const struct vm_def *def, uint8_t *buf, size_t size);
bool vm_def_decode(struct vm_def *def, const uint8_t *buf, size_t size);
