// SPDX-License-Identifier: Apache-2.0
// One host's edges in one piece: its volumes, its sanlock, its VMs. Performs the core's actions on
// them.
#pragma once

#include "clusterd/action.h"
#include "clusterd/edge.h"

struct host;

struct host_config {
	struct edge edge;
	uint32_t node_id;		// corosync's; sanlock's host id
	const char *run_dir;		// e.g. /run/clusterd; made here, on a tmpfs
	const char *launch_path;	// clusterd-launch
	const char *sanlock_path;	// the sanlock program
	const char *qemu_path;		// qemu-system-x86_64
	const char *qemu_user;		// that QEMU runs as
	const char *cpu_compatible;	// -cpu for CPU_COMPATIBLE
	const char *uefi_code, *uefi_vars; // firmware and its variables' template; NULL: none here
	const char *pki_dir;		   // this node's certificates, as tls-creds-x509 wants them
					   // named; NULL: none
	bool image_locks;
	const char *proc;     // what is measured; NULL: /proc
	uint32_t measure_ms;  // how often, whatever is defined; 0: as defined
	// Adds addresses and certificates to what is said of this host. NULL: nothing.
	void (*look)(void *owner, struct node_report *report);
	void *look_owner;
};

// 0 or -errno. Texts of `config` are copied. Starts to watch sanlock and to look at KVM; what it
// finds is posted once the loop runs, EVENT_HOST first.
int host_open(struct host **host, const struct host_config *config);
// VMs go on; children that wait for their lease end.
void host_close(struct host *host);

// Ends the QEMUs of an earlier sanlock, then tells of those that run: EVENT_VM_ADOPTED for each,
// EVENT_ADOPTION_DONE. Call once, when the core is ready for events; ACTION_ADOPT does the same
// again.
void host_adopt(struct host *host);

// Performs the actions about volumes, leases, VMs and other hosts' claims; false: not one of those.
// `cluster` is this node's replica; read during the call only.
bool host_perform(struct host *host, const struct cluster *cluster, const struct action *action);
// After steps that changed the replica: what of its definition is the host's own business.
// `cluster` stays where it is, and is read until host_close().
void host_follow(struct host *host, const struct cluster *cluster);

// The folder with the sockets of a VM that runs here (its names are in qemu_args.h). False: there
// is none.
bool host_vm_folder(const struct host *host, const struct uuid *uuid, char *buf, size_t size);

// For `clusterd --end-orphans`, before sanlock starts: the number of QEMUs that could not be ended.
int host_end_orphans(const char *run_dir);

// The monitor of a VM that runs here, for moves; NULL: there is none.
struct qmp;
struct qmp *host_qmp(struct host *host, struct vm_ref vm);
