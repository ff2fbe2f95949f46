// SPDX-License-Identifier: Apache-2.0
// What the two halves of the host's edge share: resources/host_io.c and resources/host_vm_io.c.
#pragma once

#include "clusterd/worker_io.h"
#include "csv/guard_io.h"
#include "csv/volume_io.h"
#include "resources/host_io.h"
#include "resources/process_io.h"
#include "resources/qmp_io.h"

struct host_vm {
	struct host *host;
	struct host_vm *next;
	struct uuid uuid;
	struct vm_ref ref;
	uint32_t attempt;
	struct process *process;	// NULL: there is none
	struct qmp *qmp;
	bool spawned;			// SPAWNED was posted, with success
	bool ending;			// it was told to end
	bool exec_waits;		// for KVM's probe
	bool cont_wanted;		// QEMU waits to be let go for the first time
	char failure[REASON_SIZE];	// why it was ended by us; else its own last words
	struct vm_def *def;		// from exec_waits until it is let go
	char *cpu_argument;		// -cpu, as it was started with; NULL: it was adopted
	bool cpu_named;			// by a model: what that is, QEMU has to say
	bool cpu_known;
	struct cpu_features cpu;	// what the guest got
	uint32_t lease_count;
	struct lock_lease leases[VM_LEASES_MAX];
};

enum kvm { KVM_ASKED, KVM_USABLE, KVM_NONE };

struct host {
	struct host_config config;	// texts are its own
	struct edge edge;
	struct process_config process;
	char root[PATH_SIZE];		// of the volumes' tree
	uint8_t kvm;			// enum kvm
	bool watchdog;
	struct node_report report;	// as posted last
	struct host_facts facts, facts_found;	// the second one is the thread's
	bool facts_asked;
	ino_t qemu_inode;		// of the emulator that was asked
	time_t qemu_time;
	uint32_t adoptions;		// whose lease is being asked for
	struct volumes *volumes;
	struct lock_guard *guard;
	struct worker *pool;		// short waits: acquire, inquiry
	struct worker *slow_pool;	// long ones: release, other hosts
	struct worker_task kvm_task;
	bool kvm_reachable, kvm_found;
	struct loop_timer tidy_timer;
	struct host_vm *vms;
};

// Work on a thread that ends in one event. The thread sees the task alone.
struct host_task {
	struct worker_task task;
	struct host *host;
	struct event event;
	uint32_t node_id;		// ours
	uint32_t peer_id;
	pid_t pid;
	bool ok;
	enum lease_error error;
	char reason[REASON_SIZE];
	char program[LOCK_PATH_SIZE];
	uint32_t lease_count, volume_count;
	struct lock_lease leases[VM_LEASES_MAX];
	struct lock_volume *volumes;	// [volume_count], the task's own
	uint64_t *generations;		// [volume_count], the task's own
	// The loop's: an answer that is due whether or not the storage lets the thread come back.
	struct loop_timer timer;
	struct event late;
	bool answered;
};

// NULL: out of memory. Freed by host_task_done(), which posts the event with flag and reason filled
// in.
struct host_task *host_task(struct host *host, enum event_type type, loop_fn work);
void host_task_done(void *owner);
// Submits it; after `patience_ms` it is answered with `late_flag`, and what the thread still finds
// is dropped.
void host_task_within(struct host_task *task, struct worker *worker, uint64_t patience_ms,
		      bool late_flag);

// Fills in `def`, `cpu` and what belongs to them from the replica. False: no memory.
bool host_vm_take_hardware(struct host_vm *vm, const struct cluster *cluster,
			   const struct vm *wanted);
// Asks a QEMU that does not run yet.
void host_vm_ask_cpu(struct host_vm *vm);

// The VM's half.
bool host_vm_perform(struct host *host, const struct cluster *cluster, const struct action *action);
void host_vm_adopt_all(struct host *host);
void host_vm_kvm_known(struct host *host);
void host_vm_close_all(struct host *host);
void host_vm_tidy_all(struct host *host);
