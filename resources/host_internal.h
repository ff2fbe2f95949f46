// SPDX-License-Identifier: Apache-2.0
// What the two halves of the host's edge share: resources/host_io.c and resources/host_vm_io.c.
#pragma once

#include "clusterd/worker_io.h"
#include "csv/guard_io.h"
#include "csv/volume_io.h"
#include "resources/ask_io.h"
#include "resources/host_io.h"
#include "resources/measure_io.h"
#include "resources/migrate_io.h"
#include "resources/process_io.h"
#include "resources/qmp_io.h"
#include "resources/qmp_script_io.h"

/*
 * What a VM's QEMU is doing for a move, told here and by nobody else. Everything that comes in
 * late, from a thread or from the monitor, finds out by `epoch` that it is about something else
 * now.
 *
 *   NOTHING -> SENDING -> NOTHING (completed), ENDING -> NOTHING (it failed)
 *   NOTHING -> SAVING -> SYNCING -> NOTHING, or ENDING
 *   NOTHING -> LISTENING -> NOTHING (it continued)
 *   NOTHING -> LOADING -> NOTHING (it continued)
 */
enum vm_doing {
	DOING_NOTHING,
	DOING_SENDING,
	DOING_SAVING,	 // to a file
	DOING_SYNCING,	 // the file is complete, and becomes durable
	DOING_LISTENING, // receives, or has received
	DOING_LOADING,	 // from a file, or has loaded
	DOING_ENDING,	 // it failed: whether the guest goes on is looked at
};

struct vm_move {
	uint8_t doing; // enum vm_doing
	uint32_t epoch;
	uint32_t capabilities; // mask of enum migrate_capability that this QEMU knows
	bool begun;	       // QEMU has begun; until then there is nothing to cancel
	bool asked;	       // query-migrate is under way
	bool fetching;	       // a thread puts its certificates where QEMU reads them
	bool fetch_again;      // and is to do so anew, for what it does now
	bool wanted;	       // LISTENING, LOADING: as soon as its monitor is there
	bool loaded;	       // all that came, or was restored, is in its place
	bool continuing;       // to continue as soon as that is so: it is being asked
	struct qmp_script script;
	struct loop_timer timer;      // the next look
	struct migrate_params params; // its texts are the two below
	char address[ADDRESS_SIZE], peer[NAME_SIZE];
	struct migrate_stats stats;    // as posted last
	uint64_t began_us, stopped_us; // CLOCK_MONOTONIC; 0: not yet
	int fd;			       // of the saved state; -1: none
	bool writing_back;	       // a thread does
	bool dropping;		       // what was written of a save that failed is taken away
	bool measuring;		       // the dirty rate
	uint32_t measured;	       // times that it was asked for
	struct loop_timer measure;
	char place[2 * PATH_SIZE + NAME_SIZE]; // folder of the saved state
};

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
	uint8_t start_mode;		// enum start_mode of the process
	bool let_go;			// its child was, to become QEMU
	bool incoming;			// it was started to receive, and never told to continue
	uint32_t saving;		// the move that it is being saved for
	uint32_t saved_move;		// its state is complete, for this move; 0: no
	uint64_t saved_bytes;
	bool told;			// to continue for the first time: the answer is due
	bool adopting;			// EVENT_VM_ADOPTED is due
	bool adopt_held, adopt_shared;	// what it will say of the lease
	bool adopt_unknown;		// its monitor did not answer: what it does is told later
	char adopt_word[40];
	struct loop_timer adopt_timer; // armed while its monitor is asked
	struct vm_move move;
	char failure[REASON_SIZE];	// why it was ended by us; else its own last words
	struct vm_def *def;		// from exec_waits until it is let go
	char *cpu_argument;		// -cpu, as it was started with; NULL: it was adopted
	bool cpu_named;			// by a model: what that is, QEMU has to say
	bool cpu_known;
	struct cpu_features cpu;	// what the guest got
	uint32_t lease_count;
	struct lock_lease leases[VM_LEASES_MAX];
	struct ask ask; // its guest
	uint16_t asked_port; // 0: its guest agent
	pid_t counted_pid; // whose counters these are
	struct vm_counters counters;
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
	struct loop_timer tidy_timer, measure_timer;
	struct meter meter;
	uint32_t measure_ms;
	const struct cluster *cluster; // this node's replica, for reading; NULL: not yet seen
	struct loop_timer images_timer;
	bool images_looking; // a thread is
	uint32_t image_at;   // slot of the VM that is next in the round
	uint8_t image_fault; // and of the bad ones, the one that was last
	uint64_t images_round_ms;
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

// The VMs: resources/host_vm_io.c.
bool host_vm_perform(struct host *host, const struct cluster *cluster, const struct action *action);
void host_vm_kvm_known(struct host *host);
void host_vm_close_all(struct host *host);
void host_vm_tidy_all(struct host *host);
void vm_post(struct host_vm *vm, enum event_type type, bool flag, const char *reason);
// What its monitor said of the guest, when it was asked.
void vm_status(struct host_vm *vm, const char *status);
// "RUN/vms/UUID" and the suffix.
void vm_path(const struct host *host, const struct uuid *uuid, const char *suffix, char *path,
	     size_t size);
struct host_vm *vm_find(struct host *host, const struct uuid *uuid);
struct host_vm *vm_make(struct host *host, const struct uuid *uuid, struct vm_ref ref,
			uint32_t attempt);
void vm_free(struct host_vm *vm);
void vm_clean(const struct host *host, const struct uuid *uuid);
void vm_open_qmp(struct host_vm *vm);
void vm_cont(struct host_vm *vm);
void vm_cont_first(struct host_vm *vm); // of a guest that is all there, and never ran here
struct process_listener vm_listener(struct host_vm *vm);
bool vm_write_record(const struct host_vm *vm, char *reason);
// A task about this VM's leases; NULL: out of memory.
struct host_task *vm_task(struct host_vm *vm, enum event_type type, loop_fn work);

// Those of an earlier daemon: resources/host_adopt_io.c.
void host_vm_adopt_all(struct host *host);
// Its monitor said what the guest does, or does not answer (NULL); true: that was for an adoption.
bool vm_adopt_heard(struct host_vm *vm, const char *status);
void vm_adopt_over(struct host_vm *vm); // its process ended

// Measurements: resources/host_measure_io.c.
void host_measure_open(struct host *host);
void host_measure_every(struct host *host, uint32_t ms); // from now on
void host_measure_close(struct host *host);

// Whether images can be opened: resources/host_images_io.c.
void host_images_open(struct host *host);
void host_images_close(struct host *host);
void host_look(struct host *host); // posts what the host has to offer, when that is news

// Moves: resources/host_move_io.c. False: not an action about moves.
bool vm_move_perform(struct host_vm *vm, const struct cluster *cluster,
		     const struct action *action);
void vm_move_init(struct host_vm *vm);
// The process is to be one that receives, or loads.
void vm_move_expect(struct host_vm *vm, const struct action *action);
// QEMU waits for memory to come in.
void vm_move_waits(struct host_vm *vm);
// An adopted one sends: it is followed.
void vm_move_follow(struct host_vm *vm);
void vm_move_torn(struct host_vm *vm);
void vm_move_heard(struct host_vm *vm, const char *status); // QMP_MIGRATION
// True: the guest was stopped by the move, as it should be.
bool vm_move_stopped(struct host_vm *vm);
void vm_move_resumed(struct host_vm *vm);
// The process is gone, or is not ours any more.
void vm_move_over(struct host_vm *vm);
void vm_move_begin(struct host_vm *vm, enum vm_doing doing, const struct migrate_params *params);
void vm_move_end(struct host_vm *vm);
// What it needs is got together, and then it begins; failures end in vm_move_failed().
void vm_move_prepare(struct host_vm *vm);
void vm_migrate_go(struct host_vm *vm);
void vm_move_failed(struct host_vm *vm, const char *reason);
// Looks whether the guest goes on after a failure, and says so if not.
void vm_move_look_after(struct host_vm *vm);
uint64_t move_now_us(void);
// resources/host_arrive_io.c: lets a guest that came, or was restored, continue for the first time,
// once QEMU has all of it.
void vm_move_continue(struct host_vm *vm);
void vm_arrived(struct host_vm *vm); // QEMU said that it has
// resources/host_dirty_io.c.
void vm_dirty_rate(struct host_vm *vm);

// Saved states: resources/host_save_io.c.
void vm_save(struct host_vm *vm, const struct cluster *cluster, const struct action *action);
void host_saved_remove(struct host *host, const struct cluster *cluster,
		       const struct action *action);
// Where the volume keeps them. False: there is no such volume.
bool saved_place(const struct host *host, const struct cluster *cluster, uint8_t volume,
		 char *place, size_t size);
// A descriptor, or -1 with a reason. For threads.
int saved_open(const char *place, const struct uuid *uuid, char *reason);
// Takes away what is left there of states that nobody will restore. For threads.
void saved_clear(const char *place, const struct uuid *uuid);
void vm_save_go(struct host_vm *vm);
// Before it may continue: what was saved of it is none any more. False: that cannot be written.
bool vm_unsave(struct host_vm *vm);
void vm_restore_go(struct host_vm *vm);
void vm_save_completed(struct host_vm *vm);
// Takes away what was written, lets the guest go on, and says why.
void vm_save_failed(struct host_vm *vm, const char *reason);
// While it is under way: what was written is sent to the disk.
void vm_save_write_back(struct host_vm *vm);
// The part that is left when QEMU ended.
void vm_save_over(struct host_vm *vm);

// Files that QEMU needs before it starts: resources/host_files_io.c.
struct files_task {
	struct worker_task task;
	struct host *host;
	struct uuid uuid;
	uint32_t attempt;
	struct vm_def def;
	char root[PATH_SIZE];
	bool fresh; // it boots: nobody restores it any more
	char saved[2 * PATH_SIZE + NAME_SIZE]; // folder of the state to load; "": none
	int saved_fd;
	bool ok;
	char reason[REASON_SIZE];
};

// Of a VM that is about to start; freed by `done`. NULL: out of memory.
struct files_task *files_task(const struct host_vm *vm, const struct vm_def *def, loop_fn done);

// What its child is told of the NICs, as resources/launch.h says.
struct launch_nics {
	const char *words[2 * VM_NICS_MAX + 1];
	char devices[VM_NICS_MAX][24];
};

void launch_nics(struct launch_nics *nics, const struct vm_def *def);
// QEMU's certificates where its user can read them, for a moment. For threads.
bool credentials_put(const struct host *host, const struct uuid *uuid, bool source, char *reason);
void credentials_remove(const struct host *host, const struct uuid *uuid);
