// SPDX-License-Identifier: Apache-2.0
// Neutral scenarios (ha-scenario/1): read, translated into the product's own definitions and
// commands, run in the simulated world, and told as a neutral trace.
//
// To teach a new capability: flip its line in scenario_words.c; give its actions a translation in
// scenario_act.c, its definitions in scenario_define.c, its events in scenario_watch.c. What is not
// taught is skipped by name.
#pragma once

#include "tests/sim/world.h"

enum { SCENARIO_PLENTY_MIB = 8 * 1024 * 1024 }; // of every simulated host
enum { SCENARIO_CPU_SCALE = 64, SCENARIO_CPUS_MAX = 512 / SCENARIO_CPU_SCALE };
enum { STEPS_MAX = 256, ACTIONS_MAX = 64, QUESTIONS_MAX = 128, LACKS_MAX = 32 };
enum { NAME_NONE = 255, VM_NONE = UINT16_MAX }; // no node, no VM

#define NODE_BIT(node) (UINT64_C(1) << (node))
#define NODE_BITS(count) (UINT64_MAX >> (64 - (count))) // of at least one

// scenario_words.c

// clang-format off
#define SCENARIO_MODES(X) \
	X(TIMELINE, "timeline") X(SOLVE, "solve") X(CONFIG, "config") X(QUORUM, "quorum") \
	X(LEASE, "lease") X(PROPERTY, "property")
// clang-format on

enum scenario_mode {
#define X(name, text) MODE_##name,
	SCENARIO_MODES(X)
#undef X
		MODE_COUNT,
};

// clang-format off
#define SCENARIO_ACTIONS(X) \
	X(POWER_ON, "power-on", "") X(POWER_OFF, "power-off", "") X(NET_OFF, "net-off", "") \
	X(NET_ON, "net-on", "") X(PARTITION, "partition", "") X(HEAL, "heal", "") \
	X(STORAGE_OFF, "storage-off", "") X(STORAGE_ON, "storage-on", "") \
	X(VM_WANT, "vm-want", "") X(VM_STOP, "vm-stop", "") X(VM_ADD, "vm-add", "") \
	X(VM_REMOVE, "vm-remove", "") X(VM_CRASH, "vm-crash", "") \
	X(VM_RESIZE, "vm-resize", "") X(UNMANAGE_NODE, "unmanage-node", "") \
	X(MANAGE_NODE, "manage-node", "") X(MANAGER_STOP, "manager-stop", "") \
	X(MANAGER_START, "manager-start", "") X(AGENT_RESTART, "agent-restart", "") \
	X(AGENT_KILL, "agent-kill", "") X(AGENT_STALL, "agent-stall", "") \
	X(STORE_FAIL, "store-fail", "") X(STORE_OK, "store-ok", "") \
	X(NODE_LEAVE, "node-leave", "") X(NODE_JOIN, "node-join", "") \
	X(EVALUATE, "evaluate", "") X(SHUTDOWN, "shutdown", "") X(REBOOT, "reboot", "") \
	X(MAINTENANCE_ON, "maintenance-on", "") X(MAINTENANCE_OFF, "maintenance-off", "") \
	X(MIGRATE, "migrate", "") X(RELOCATE, "relocate", "") \
	X(VM_LOAD, "vm-load", "") X(VM_LOCK, "vm-lock", "vm-locks") \
	X(VM_UNLOCK, "vm-unlock", "vm-locks") X(MOVE_OUTSIDE, "move-outside", "") \
	X(CLUSTER_SUSPEND, "cluster-suspend", "cluster-suspend") \
	X(CLUSTER_RESUME, "cluster-resume", "cluster-suspend") \
	X(NODE_HEALTH, "node-health", "") X(SET_VOTES, "set-votes", "node-votes") \
	X(SET_EXPECTED, "set-expected", "quorum-options") \
	X(REBALANCE, "rebalance", "") \
	X(DRAIN_PLAN, "drain-plan", "") X(CAPACITY_CHECK, "capacity-check", "")
// clang-format on

enum scenario_do {
#define X(name, text, lack) DO_##name,
	SCENARIO_ACTIONS(X)
#undef X
		DO_COUNT,
};

enum scenario_wait { WAIT_SETTLE, WAIT_DETECTED, WAIT_NONE, WAIT_SECONDS };
enum scenario_want { WANT_RUNNING, WANT_STOPPED, WANT_DISABLED, WANT_UNMANAGED, WANT_COUNT };
enum scenario_fencing { FENCING_SELF, FENCING_DEVICE, FENCING_LEASE, FENCING_NONE, FENCING_ANY };

enum scenario_node_state {
	AT_OFFLINE,
	AT_ONLINE,
	AT_UNCLEAN,
	AT_FENCING,
	AT_MAINTENANCE,
	AT_UNMANAGED,
	AT_PENDING,
	AT_COUNT,
};

// What the product can be started with; other states of the format are named when they are skipped.
enum scenario_vm_state {
	VM_AT_STOPPED,
	VM_AT_RUNNING,
	VM_AT_FAILED,
	VM_AT_BLOCKED,
	VM_AT_DOUBLE,
	VM_AT_WAITING,
	VM_AT_ERROR,
	VM_AT_UNMANAGED,
	VM_AT_MIGRATING, // from `on` to `to`
	VM_AT_COUNT,
};

bool capability_have(const char *name);
bool capability_known(const char *name);
void capabilities_print(void);
bool mode_of(const char *word, enum scenario_mode *mode);
bool do_of(const char *word, enum scenario_do *action);
const char *do_word(enum scenario_do action);
const char *do_lack(enum scenario_do action); // "" or what has to be skipped

struct scenario_node {
	char name[NAME_SIZE];
	uint32_t id;		   // 0: not given
	bool on;		   // power
	uint64_t memory_mib, cpus; // 0: not given
	uint8_t state;		   // enum scenario_node_state, when `initial` names it
	uint8_t health;		   // enum node_health
	uint32_t attribute_count;
	struct attribute_def attributes[ATTRIBUTES_MAX];
};

struct scenario_vm {
	char name[NAME_SIZE];
	bool from_start; // defined before the first step
	bool runs_at_add; // at home, before it is defined
	uint8_t home;	 // node; NAME_NONE
	uint8_t want;	 // enum scenario_want
	uint64_t memory_mib, cpus;
	bool load_given;
	uint32_t load_cpu, load_mib; // permille of a CPU
	int32_t priority;
	uint32_t restarts_max, relocations_max, forget_s;
	uint8_t on_failure, on_stop_failure; // enum on_failure, on_stop_failure
	uint8_t on_double_run;		     // enum on_double_run
	uint32_t stickiness;
	uint32_t threshold;		// failures that make a node unusable; 0: not given
	uint8_t fail_counts[HOSTS_MAX]; // at the start
	bool failback;
	bool possible_given;
	uint64_t possible; // masks of nodes
	uint64_t tiers[VM_TIERS_MAX];
	uint32_t tier_count;
	bool weighed;		   // by node
	int32_t weight[HOSTS_MAX]; // others have 0
	double sticks;		   // what a weight has to outweigh
	uint32_t start_fails;	 // left
	uint64_t start_fails_on; // mask
	bool stop_fails;
	bool live;		// may be moved live; else it is stopped and started
	uint32_t migrate_fails; // left
	uint32_t stop_timeout_s;
	uint8_t state; // enum scenario_vm_state at the start
	uint64_t on;   // mask of nodes at the start
	uint8_t to;    // MIGRATING: node
	uint8_t gone_from; // node that is off, and from which it was on its way; NAME_NONE
	bool ends;	   // it was being stopped: that is over when the story begins
	uint8_t rests_on;  // node on which it came to be in error, or to which it is bound;
			   // NAME_NONE
};

struct scenario_rule {
	char name[NAME_SIZE];
	uint8_t kind; // enum rule_kind
	bool strict, symmetric;
	uint32_t weight;
	char attribute[TAG_SIZE];
	uint32_t member_count;
	struct {
		uint16_t vm;
		uint8_t role;
	} members[RULE_MEMBERS_MAX];
};

struct scenario_action {
	uint8_t act;	      // enum scenario_do
	uint8_t node, to;     // NAME_NONE: not given
	uint16_t vm;	      // VM_NONE: not given
	uint8_t want;
	uint8_t health; // enum node_health
	double for_s;	// not given: 0
	uint64_t memory_mib, cpus, timeout_s;
	uint32_t load_cpu, load_mib;
	bool deaf, unkillable;
	uint8_t group[HOSTS_MAX]; // of each node; NAME_NONE: in none
};

struct scenario_step {
	struct scenario_action *actions;
	uint32_t count;
	uint8_t wait; // enum scenario_wait
	double wait_s;
};

struct scenario_question {
	char *key; // the question as JSON with sorted keys
	char a[16];
	char what[256];
	uint32_t step;
	double number;	    // the first that it holds beside `step`; 0: none
	uint64_t partition; // mask of nodes
	uint8_t node;	    // NAME_NONE: none
	const char *answer; // JSON; NULL: not asked yet
};

struct scenario {
	char id[128];
	uint8_t mode;			// enum scenario_mode
	bool quorum_given;		// cluster.quorum
	uint8_t no_quorum;		// enum no_quorum_policy
	uint8_t fencing;		// enum scenario_fencing
	bool memory_counts, cpus_count; // capacity is hard, and can bind
	uint32_t io_timeout_s, watchdog_s;
	bool initial;	// given
	bool quorate;	// initial.quorate
	bool quorate_given;
	uint8_t leader; // node; NAME_NONE
	uint32_t node_count, vm_count, rule_count, step_count, question_count;
	uint8_t placement; // enum placement_strategy
	uint8_t shutdown, health; // enum shutdown_policy, health_policy
	bool loads;		  // what VMs use is said somewhere
	bool balances;		  // by itself, where it is so uneven for so long
	bool evens;		  // by itself or when asked to: a home is where a VM begins
	uint32_t imbalance, balance_hold_s, balance_gain; // percent, seconds, percent
	bool random;		  // it requires scripted-random-runs
	bool spread, global_stop; // rebalance_on_start: where a VM is defined is no wish
	struct scenario_rule rules[RULES_MAX];
	struct scenario_node nodes[HOSTS_MAX];
	struct scenario_vm vms[WORLD_VMS_MAX];
	struct scenario_step steps[STEPS_MAX];
	struct scenario_question questions[QUESTIONS_MAX];
	char lacks[LACKS_MAX][64]; // what the product cannot do yet
	uint32_t lack_count;
};

void scenario_lacks(struct scenario *scenario, const char *name);

// scenario_io.c: false with a problem that names the place.
bool scenario_read(struct scenario *scenario, const char *path, char *problem, size_t size);
void scenario_free(struct scenario *scenario);

// scenario_trace.c: growing text, and JSON in it.
struct paper {
	char *text;
	size_t used, size;
};

void paper_add(struct paper *paper, const char *format, ...) __attribute__((format(printf, 2, 3)));
void paper_add_json(struct paper *paper, const char *string); // quoted and escaped, ASCII alone

// A move that was told, or will be when it is over.
struct seen_move {
	uint32_t id;		// 0: none
	uint8_t kind, from, to; // enum move_kind; nodes
	bool saved;		// QUICK: nothing of it runs at the moment
	uint32_t failed;	// serial of the sending that was made to fail
};

// The run: one world, what was told of it so far.
struct seen_vm {
	uint32_t running[HOSTS_MAX];  // serial of the process whose start was told; 0: none
	uint32_t starting[HOSTS_MAX]; // of one that was let go
	uint32_t crashed;	      // serial of a process that was made to crash
	uint64_t at;		      // mask: where the told events leave it
	uint8_t state;		      // enum vm_state, VM_STATE_COUNT: not told
	bool stuck;
	bool failed_at_start; // its first end is a failure that began before the trace
	struct seen_move move;
	uint32_t left[HOSTS_MAX]; // serial of the process whose guest has moved away
	bool removed;		  // from management, while it ran
	bool adopting;		  // it ran before it was added
	uint8_t home;		  // node that a stopped VM was moved to; NAME_NONE
	bool begun;		  // it has started once
	uint64_t home_cookie;	  // of what takes its home's wish away; 0: nothing is asked
};

struct seen_node {
	uint8_t life; // enum node_life
	bool managed, maintenance, up;
	uint64_t boot; // of its kernel, as it reported it
	bool closing;  // it is to have no more VMs, but some were already on their way
	uint64_t coming[WORLD_VMS_MAX / 64 + 1]; // masks of VMs
	bool lost, confirmed;
	bool self_fenced;
	uint64_t generation; // of its host id, when it was lost
	uint32_t fence_attempt;
	uint32_t power_epoch;
};

struct command {
	uint64_t cookie;
	uint32_t step, index;
	uint8_t act, to;
	uint16_t vm;
	bool open;
	const struct scenario_action *action;
	uint8_t host; // whose clusterd was asked, in which of its lives
	uint32_t life;
	uint64_t asked_us, again_us; // when first, and when next; 0: not again
};

struct run {
	struct scenario *scenario;
	struct world *world;
	uint32_t hosts; // with those that only vote
	uint32_t step;
	uint64_t zero_us;
	bool telling; // the trace has begun
	uint32_t event_count;
	uint64_t changed_us;	// when something was last told, or changed
	uint64_t busy_until_us; // something that was begun ends by itself then
	bool detected;		// in this step
	bool settled;		// nothing more happens
	struct seen_vm vms[WORLD_VMS_MAX];
	struct seen_node nodes[HOSTS_MAX];
	bool quorate, quorate_known;
	uint8_t leader;
	uint64_t leader_view;
	uint64_t index;	      // of the replica that was read last
	uint64_t network_off; // mask
	uint8_t group[HOSTS_MAX];
	uint64_t cut_by_us;	      // mask: power that the scenario cut
	uint64_t unclean;	      // mask: known to be lost when the story begins
	uint64_t planted;	      // mask: has the second process of a VM that runs twice
	uint64_t going_down, reboots; // masks: hosts that were told to go down, and to come back
	struct command commands[ACTIONS_MAX];
	uint8_t leaving;
	uint32_t failing, failures_due;
	uint8_t pinned[WORLD_VMS_MAX]; // while its failures are brought about: node + 1
	uint32_t fence_devices; // of each node, where there are any
	bool widened;		// what is pinned may go elsewhere when it has failed once more
	bool moving;		// what is half-way at the start has been begun
	uint8_t asked;		// host
	bool mending;		// in this step something comes back
	uint64_t setup_cookie;
	bool setup_answered, setup_accepted;
	bool refused; // what it is asked about
	bool homes_due; // some of these were refused
	char setup_reason[REASON_SIZE];
	struct paper events, snapshots, final;
	char problem[512];
};

// scenario_define.c
struct world_config scenario_config(const struct run *run);
bool scenario_starts(const struct scenario_vm *vm); // a process of it lives at the start, or did
// The whole configuration. First the VMs are pinned to where they are to run at the start; `real`
// is as wanted.
bool run_apply(struct run *run, bool real);
bool run_apply_vm(struct run *run, uint32_t vm, bool real, uint64_t *cookie);
bool run_apply_node(struct run *run, uint32_t node, uint64_t *cookie);
void run_name_node(const struct run *run, struct entry *entry, uint32_t node);
void run_name_vm(const struct run *run, struct entry *entry, uint32_t vm);
uint32_t scenario_memory_scale(const struct scenario *scenario);	  // of all that is sized
uint64_t scenario_memory(const struct scenario *scenario, uint32_t node); // MiB, scaled
uint32_t scenario_balance_rest_s(const struct scenario *scenario);	  // of what was moved
bool run_request(struct run *run, struct entry *entry, uint64_t *cookie);
struct host *run_speaker(struct run *run); // whose replica is the newest; NULL: no quorum
const struct vm *run_vm(struct run *run, const struct cluster *cluster, uint32_t vm);

// scenario_setup.c: the situation before the first step.
bool run_setup(struct run *run);

// scenario_act.c
void run_act(struct run *run, const struct scenario_action *action, uint32_t index);
void run_links(struct run *run);
void run_power_off(struct run *run, uint32_t node);
bool run_leave(struct run *run, uint32_t node); // said goodbye, then power off
void run_crash(struct run *run, uint32_t vm);

// scenario_command.c: what administrators ask for; tells what was answered.
bool is_command(enum scenario_do act);
void command_act(struct run *run, const struct scenario_action *action, uint32_t index);
bool command_drain(struct run *run, uint32_t node, bool on, bool stop, uint64_t *cookie);
bool command_move(struct run *run, uint32_t vm, uint8_t to, enum move_kind kind, uint64_t *cookie);
bool command_manage_vm(struct run *run, uint32_t vm, bool managed, uint64_t *cookie);
void command_watch(struct run *run);
void run_replied(struct world *world, uint64_t cookie, const struct entry_result *result);

bool run_ask_capacity(struct run *run, uint8_t node); // its VMs, or any node's, fit elsewhere

// scenario_moves.c: moves, as the newest replica and the processes tell them.
void watch_move(struct run *run, const struct cluster *cluster, uint32_t vm);
void watch_move_faults(struct run *run, uint32_t vm);
// Its guest runs on the node: by the move that is under way (told), or begun anew.
bool watch_arrival(struct run *run, uint32_t vm, uint32_t node, const struct proc *proc);
// The end of its process is part of its move.
bool watch_departure(struct run *run, uint32_t vm, uint32_t node, const struct proc *proc);

// scenario_watch.c: tells what changed. Called after every moment.
void run_watch(struct run *run);
void run_watch_begin(struct run *run);
void run_tell(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
void run_tell_vm(struct run *run, const char *ev, uint32_t vm, uint32_t node);
void run_tell_move(struct run *run, const char *ev, uint32_t vm, uint8_t from, uint8_t to,
		   const char *more);
bool vm_is_frozen(const struct cluster *cluster, const struct vm *vm);

// scenario_snapshot.c
void run_snapshot(struct run *run, bool last);

// scenario_ask.c: questions of the modes config, quorum, lease and property
void run_ask_quorum(struct run *run);
void scenario_ask_lease(struct scenario *scenario);
bool scenario_asks_property(struct scenario *scenario); // false: nothing of the kind
void run_ask_property(struct run *run);
void run_ask_config(struct run *run);

// scenario_run.c
void run_load(struct run *run, uint32_t vm, uint32_t cpu, uint32_t memory_mib); // as sizes are
void run_until(struct run *run, uint64_t until_us); // moment by moment, watching
bool run_wait(struct run *run, bool (*reached)(struct run *run), uint32_t limit_s);
int scenario_main(int argc, char **argv);
