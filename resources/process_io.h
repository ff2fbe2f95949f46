// SPDX-License-Identifier: Apache-2.0
// One VM's process on this host: the child that waits for its lease, becomes QEMU, and ends.
#pragma once

#include "clusterd/loop_io.h"
#include "resources/record_io.h"

struct process_config {
	struct loop *loop;
	const char *run_dir;		// its folder vms/ exists
	const char *launch_path;	// clusterd-launch
	uid_t uid;			// that QEMU runs as
	gid_t gid;
	gid_t kvm_gid;			// 0: no KVM
};

struct process;

// On the loop's thread. Texts are the caller's.
struct process_listener {
	// The child waits, registered; or there is none, and the process is over.
	void (*spawned)(void *owner, bool ok, const char *reason);
	void (*executed)(void *owner);		// it became QEMU
	void (*exited)(void *owner, const char *reason); // the process is gone; last words, status
	void (*unkillable)(void *owner, const char *reason);
	void *owner;
};

// 0 or -errno; then `spawned` or `exited` follow. `bridges`: one tap each; then
// "pci=ADDRESS" of each device of the host's that is passed through. `config` outlives the
// process.
int process_spawn(struct process **process, const struct process_config *config,
		  const struct process_listener *listener, const struct uuid *uuid,
		  const char *const *bridges);
// The process of an earlier daemon. 0; -ESRCH: it is gone; or another -errno: not known.
int process_adopt(struct process **process, const struct process_config *config,
		  struct process_listener listener, const struct record *record);
// Forgets it. A child that waits ends by that; QEMU goes on.
void process_close(struct process *process);

pid_t process_pid(const struct process *process);
// Fills pid, start, boot and sanlock; what else the record holds is the caller's.
void process_record(const struct process *process, struct record *record);

// Lets the child become QEMU. Its record is on the disk before that. 0 or -errno.
int process_exec(struct process *process, const char *const *argv);
// Ends a child that was not let go; SIGKILL for what does not go by itself.
void process_abandon(struct process *process);
void process_kill(struct process *process);

// Shuts down what its process is connecting and nobody has answered yet.
void process_stop_connecting(const struct process *process);

// Keeps the VM's log small; call it now and then.
void process_trim_log(const struct process *process);
