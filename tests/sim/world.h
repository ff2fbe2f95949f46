// SPDX-License-Identifier: Apache-2.0
// A simulated world around real nodes: hosts, corosync, stores, sanlock, disks, QEMU, fence
// devices, administrators.
//
// Everything comes from one seed and one queue ordered by (time, sequence): the same seed gives the
// same run on every build. The world performs a node's actions and posts events as the daemon's
// edges do, with their true timing and their true traps; checkers.c watches the world, and trusts
// the nodes in nothing.
#pragma once

#include <stdarg.h>
#include <stdio.h>

#include "clusterd/node.h"

#define SIM_WALL_MS UINT64_C(1800000000000) // the wall clock when the world begins
enum { HOSTS_MAX = 64, DISKS_MAX = 4, DISK_LEASES_MAX = 2048 };
// What seeds and stories have; scenarios may have more.
enum { SIM_HOSTS_MAX = 16, SIM_VMS_MAX = 64, SIM_LEASES_MAX = 512, WORLD_VMS_MAX = 1000 };

#define NEVER UINT64_MAX
#define MS(ms) ((uint64_t)(ms) * 1000)
#define SECONDS(s) ((uint64_t)(s) * 1000000)

struct world;
struct host;
struct item;

// ---- randomness: splitmix64, one stream

struct rng {
	uint64_t state;
};

uint64_t rng_next(struct rng *rng);
uint64_t rng_below(struct rng *rng, uint64_t bound);			// 0 to bound - 1
uint64_t rng_between(struct rng *rng, uint64_t low, uint64_t high);	// both included
bool rng_chance(struct rng *rng, uint32_t percent);

// ---- the queue

// What must still be the same when the item's time comes; otherwise it is dropped.
enum guard { GUARD_NONE, GUARD_POWER, GUARD_DAEMON, GUARD_COROSYNC, GUARD_SANLOCK };

typedef void (*item_fn)(struct world *world, struct item *item);

struct item {
	item_fn run;
	struct host *host;	// NULL: the world's own
	uint8_t guard;		// enum guard
	uint32_t epoch;
	uint64_t a, b, c;
	void *data;		// malloc'd, the item's own
	const void *lent;	// somebody else's, good until the world's end
};

struct queue_node {
	uint64_t at_us;
	uint64_t order; // sequence, and the item's number in the low bits
};

struct queue {
	struct queue_node *heap;
	uint32_t count, max;
	struct item *items;
	uint32_t *unused;
	uint32_t unused_count, items_count, items_max;
	uint64_t sequence;
};

// ---- corosync

enum ring_kind { RING_MESSAGE, RING_JOIN, RING_LEAVE };

struct ring_message {
	uint8_t kind;		// enum ring_kind
	struct group_member from;
	uint8_t *body;
	uint32_t size;
	uint64_t *received_us; // by each host; NEVER: not before the ring's recovery
};

struct ring {
	uint64_t number;	// unique in this world
	uint64_t id;		// corosync's own, which may restart
	uint64_t members;	// mask of host indexes
	bool broken;		// the token is lost
	uint64_t broken_us, orders_until_us;
	struct ring_message *log;
	uint32_t count, max;
	struct ring *next;
};

struct outgoing {
	uint8_t kind;
	uint32_t pid;
	uint8_t *body;
	uint32_t size;
};

enum { GROUP_MAX = 2 * HOSTS_MAX };

// Whose connection an event came over: item.b of a posted one.
enum channel { CHANNEL_NONE, CHANNEL_GROUP, CHANNEL_QUORUM };

struct corosync {
	bool running;
	uint32_t epoch;
	struct ring *ring;	// NULL: in none yet
	uint32_t delivered;	// of ring->log
	uint32_t due;		// of ring->log, for clusterd by now
	struct group_member group[GROUP_MAX];	// as delivered here
	uint32_t group_count;
	uint32_t client_pid;	// the clusterd that is connected; 0: none
	struct outgoing *out;
	uint32_t out_count, out_max;
	bool flush_due;
	uint32_t quorum_pid;	// the same for votequorum
	uint64_t group_us, quorum_us;	// the last event on its way to clusterd: each channel keeps
					// its order
	uint64_t posted_us; // the last that has left the ring's log, and waits for clusterd
	uint64_t group_serial, quorum_serial;	// clusterd's connections
	uint64_t told_ring, told_serial;	// where and to which of them the last was told
	uint32_t told;				// its number in that ring's log
	uint64_t lag_us;	// at most, until clusterd is told
};

// ---- the store

struct store_op {
	uint8_t type;		// enum action_type
	bool flag;
	uint64_t index, view;
	uint8_t *body;
	uint32_t size;
};

struct store {
	uint64_t id;
	bool copy;		// anything was ever put
	uint64_t promised, commit;
	uint64_t hint, hint_us;	// the next commit; since when one waits to be written
	uint64_t hint_after;	// ops that are durable before it is
	uint64_t snapshot_index, snapshot_view;
	uint8_t *snapshot;
	uint32_t snapshot_size;
	struct store_op *entries;
	uint32_t entry_count, entry_max;
	struct store_op *ops;	// written, not synced
	uint32_t op_count, op_max;
	uint64_t synced;	// ops that became durable, ever
	uint64_t sync_us;	// when the last sync under way ends
	uint64_t slow_us;	// at most, added to each sync
	bool failed;
};

// ---- storage

enum path_state { PATH_OK, PATH_SLOW, PATH_HUNG, PATH_LOST };

struct disk_id {
	bool held;
	uint64_t generation;
	uint64_t renewed_us;
};

struct disk_lease {
	bool written;
	struct uuid uuid;
	uint32_t owner;		// host id; 0: free, or shared
	uint64_t generation;
	uint64_t sharers[HOSTS_MAX + 1];	// generation of each host id that shares it;
						// 0: none
	uint64_t busy_until_us;	// somebody's attempt owns the paxos lease until then
};

struct disk {			// one shared volume
	bool prepared;
	uint32_t io_timeout_s;
	struct disk_id ids[HOSTS_MAX + 1];
	struct disk_lease leases[DISK_LEASES_MAX];
};

struct lockspace {
	bool joining, joined, renewing;
	uint64_t generation;
	uint64_t joined_us, going_us;	// going: renews without a break since then
	uint64_t renewed_us;	// the last success, as of when `renewing` was set or cleared
	uint32_t failure;	// counts up: which failure timer is meant
};

struct sanlock {
	bool running;
	uint32_t epoch;
	struct lockspace lockspaces[DISKS_MAX];
};

struct place_on_host {		// of one disk
	uint8_t state;		// enum path_state
	uint32_t serial;	// counts changes
	bool open;		// clusterd probes it
	uint8_t volume;		// its slot in the replica
};

// ---- QEMU

enum proc_state {
	PROC_NONE,
	PROC_WAITING,
	PROC_ASKING,
	PROC_HOLDING,
	PROC_STARTING,
	PROC_RUNNING,
	PROC_ENDING
};

// A migration of a QEMU, or the saving of its state, as QEMU sees it.
struct sending {
	uint8_t status;		// enum migrate_status
	uint32_t serial;	// counts migrations of this QEMU
	bool save;
	bool stood;		// its guest was paused for it
	bool broken;		// its connection was shut down
	bool rest;		// post-copy was asked for
	bool cancelled;		// it was told to end, and has not yet
	bool fits;		// what is left, into its socket
	uint8_t disk;		// save
	uint32_t move;		// save
	uint32_t to, to_serial;	// host id and process of the target
	uint64_t total, remaining, transferred, rate, dirty_rate, set, round_us, stalled_us;
	uint64_t began_us, paused_us;
	uint32_t rounds, downtime_ms, throttle;
	bool fails; // as a scenario wants it
};

// That a state is complete, in the record of its process: it lives as long as the kernel.
struct saved_note {
	struct vm_ref vm;
	struct uuid uuid;
	uint32_t attempt, move;	// move 0: there is none
	uint64_t bytes;
};

struct proc {
	uint8_t state;		// enum proc_state
	struct vm_ref vm;
	struct uuid uuid;
	uint32_t attempt;
	uint32_t serial;	// unique on this host
	uint32_t daemon;	// the clusterd that spawned it, as epoch
	bool executed;		// a QEMU lives
	bool writes;		// its CPUs run, or may be about to
	bool resumed;		// after it had stood still: EVENT_QEMU_RUNNING is on its way
	uint8_t mode;		// enum start_mode
	bool shared;		// asked for its leases shared
	bool listening, received;	// an incoming guest
	bool cont_asked;		// to be told to continue as soon as it can
	bool cont_told;			// told so: whether it did, nobody knows who did not see it
	bool continued;		// its CPUs ran in this process
	bool word;		// its clusterd was told that the source has renounced
	bool handed;		// QEMU said `completed`, or the state was saved
	bool lacks;		// runs by post-copy, and has not all of its memory yet
	uint64_t memory;	// the age of its disk that its memory goes with
	uint32_t from_host, from_serial;	// where an incoming guest came from; 0: not yet
	struct sending out;
	bool unkillable;	// until it is not
	bool killed;
	bool deaf;		// guest ignores the power button
	uint64_t answers_us;	// since when the guest is up, and answers who asks it
	uint32_t registered;	// sanlock epoch
	uint32_t lease_count;
	struct {
		uint8_t disk;
		uint32_t slot;
	} leases[VM_LEASES_MAX];
	bool holds;		// sanlock granted them to this process
	bool converting;	// sanlock is at it: it takes no second command for the process
	bool lost;		// and then its lockspace failed
	uint8_t expired;	// host whose claim had expired when it was granted; 0: none
	uint32_t expired_serial; // its last process at that time
	bool died_with_power;
};

// ---- hosts

struct host {
	uint32_t index, id;	// id = index + 1 = corosync and sanlock id
	char name[8];
	bool powered, booted;
	uint32_t power_epoch;
	uint64_t boot;		// the kernel's boot id
	uint64_t booted_us;	// power-on
	bool paused;
	uint64_t resume_us;
	bool watchdog, watchdog_doomed;
	uint32_t memory_mib;	// what clusterd finds
	uint32_t cpus;
	bool wrong;		// its replica was made so
	struct node_report *own;	// what a story says that it has; NULL: like the others
	uint64_t stalled_until_us;	// clusterd alone gets no processor until then
	int64_t wall_ms;	// offset of the wall clock
	int16_t ahead_min;	// its local time less UTC
	bool mute;		// measures nothing
	uint32_t foreign_cpu;	// permille of one CPU, used by what is none of the cluster's
	uint32_t foreign_mib;
	uint32_t memory_pressure, io_pressure; // permille
	bool proved_off;	// a fence device or an administrator said so, and it was true
	bool lied_about;	// a fence device said off, and it was not; or an administrator did

	bool daemon;
	uint32_t daemon_epoch, pid;
	uint32_t starts;
	struct node *node;
	uint8_t *memory;
	struct recorder *recorder;	// NULL: not wanted
	uint64_t tick_at_ms, tick_at_us; // when clusterd wants its timer
	uint64_t tick_item_us;	// when the one item for it comes, and looks; NEVER: none
	uint32_t tick_serial, ticks_idle;
	uint64_t edge_us;	// the last event of its own edges on its way
	struct group_member seen_group[GROUP_MAX];	// what clusterd was told
	uint32_t seen_group_count;
	bool seen_quorate;
	bool sanlock_gone_told;	// clusterd knows of sanlock's last death
	uint64_t seen_index, seen_view;
	bool exiting;
	bool ending, ending_host;	// somebody asked clusterd to end; and the host goes down

	struct corosync corosync;
	struct store store;
	struct sanlock sanlock;
	struct place_on_host paths[DISKS_MAX];
	struct proc *procs;
	uint32_t proc_max, proc_high; // no process ever was in those from proc_high on
	struct saved_note notes[SIM_VMS_MAX];	// by the VM's slot
	uint32_t proc_serial;

	bool fence_present;
	uint8_t fence_mode;	// enum fence_mode
	uint64_t log_high;	// see checkers.c
	struct {
		uint64_t index, view, hash;
	} *log;
	uint32_t log_max;
};

enum fence_mode { FENCE_WORKS, FENCE_SLOW, FENCE_FAILS, FENCE_LIES };

// ---- what was exercised, and what a seed switches on

#define STATS(X)                                                                                \
	X(STEPS, "steps") X(MESSAGES, "messages") X(RINGS, "corosync memberships")              \
	X(VIEWS, "normal views") X(POWER_CUTS, "power cuts") X(BOOTS, "boots")                  \
	X(DAEMON_KILLS, "clusterd kills") X(COROSYNC_KILLS, "corosync kills")                   \
	X(SANLOCK_KILLS, "sanlock kills") X(CUTS, "link cuts") X(PAUSES, "pauses")              \
	X(CLOCK_STEPS, "clock steps") X(WATCHDOGS, "watchdog resets")                           \
	X(STORES_LOST, "stores lost") X(STORES_FAILED, "stores failed")                         \
	X(STORE_TORN, "unsynced writes lost") X(HOLES, "messages lost in a change")             \
	X(PATHS, "storage troubles") X(LOCKSPACES_FAILED, "lockspaces failed")                  \
	X(JOINS, "lockspaces joined") X(LEASE_WRITES, "leases written")                         \
	X(GRANTS, "leases granted") X(EXPIRIES, "leases granted by expiry")                     \
	X(TAKEOVERS, "leases taken over after release") X(REFUSALS, "leases refused")           \
	X(SPAWNS, "children spawned") X(EXECS, "QEMU starts") X(EXITS, "QEMU exits")            \
	X(START_FAILURES, "QEMU start failures") X(GUEST_SHUTDOWNS, "guest shutdowns")          \
	X(GUEST_ANSWERS, "answers of guests")                                                   \
	X(UNKILLABLE, "QEMU unkillable") X(DEAF, "QEMU deaf")                                   \
	X(QEMU_PAUSES, "QEMU I/O pauses") X(ADOPTIONS, "adoptions")                             \
	X(FENCES, "fence calls") X(FENCES_OK, "fenced") X(FENCES_FAILED, "fences failed")       \
	X(FENCE_LIES, "fence lies") X(RELEASES, "host releases")                                \
	X(RELEASES_REFUSED, "host releases refused") X(HOST_CHECKS, "host checks")              \
	X(REQUESTS, "requests") X(ACCEPTED, "accepted") X(REFUSED, "refused")                   \
	X(SELF_FENCES, "self-fences") X(REJOINS, "group rejoins")                               \
	X(RESETS, "stores reset") X(LEARNERS, "learner steps") X(LOGS, "log lines")             \
	X(ERRORS, "error lines") X(RECOVERS, "recovers")                                        \
	X(SHUTDOWNS, "orderly ends") X(ACK_CUTS, "power cuts after an answer")                  \
	X(LATE_WRITES, "lease writes that landed late")                                         \
	X(STARTS_JUDGED, "starts judged by the books")                                  \
	X(MOVES, "moves begun") X(MOVES_DONE, "moves done") X(MOVES_STAYED, "moves stayed")     \
	X(MOVES_CANCELLED, "moves cancelled") X(MOVES_REFUSED, "moves refused")                 \
	X(MOVES_RESTARTED, "moves restarted") X(MOVES_SAVED, "VMs saved")                       \
	X(MOVES_ENDED, "moves ended") X(MIGRATIONS, "QEMU migrations")                          \
	X(HAND_OVERS, "hand-overs") X(CONTINUED, "guests continued by a target")                \
	X(RENOUNCED, "renounced guests resumed") X(LATE_FAILURES, "migrations failed late")     \
	X(MIGRATE_FAILS, "migrations failed") X(CANCELS, "migrations cancelled")                \
	X(SHARES, "leases shared") X(CONVERTS, "leases made exclusive")                         \
	X(CONVERT_ERRORS, "lease changes failed") X(SAVES, "states saved")                      \
	X(RESTORES, "states restored") X(WORDS_LOST, "words lost") X(DRAINS, "drains")   \
	X(POST_COPIES, "post-copies") X(QUESTIONS, "looks at everything")                       \
	X(FOUND_DEAF, "QEMUs found deaf") X(SPOILED, "definitions with a mistake") \
	X(STRANGE, "strange entries") \
	X(GARBLED, "garbled messages")                                                          \
	X(ONE_WAY_CUTS, "one-way cuts") X(FLAPS, "links that flapped")                          \
	X(TOKENS, "tokens lost without a death")                                                \
	X(DISAGREE, "votequorum and group disagree") X(SLOW_SYNCS, "slow syncs of a store")     \
	X(PATHS_HUNG, "storage hangs") X(PATHS_LOST, "storage lost")                            \
	X(FENCES_SLOW, "slow fences") X(REBOOTS, "reboots") X(STALLS, "migrations that stalled")\
	X(UNSEEN, "RESUME without STOP") X(LATE_CANCELS, "cancels that took long")              \
	X(CANCELLED_DONE, "completed after a cancel") X(WORDS_TWICE, "words told twice")        \
	X(LOOKS, "looks at who writes") X(APART, "starts judged by a strict rule")

enum stat {
#define X(name, text) STAT_##name,
	STATS(X)
#undef X
	STAT_COUNT,
};

#define TROUBLES(X)                                                                             \
	X(POWER, "power") X(ALL_POWER, "all-power") X(DAEMON, "clusterd")                       \
	X(COROSYNC, "corosync") X(SANLOCK, "sanlock") X(LINKS, "links")                         \
	X(ONEWAY, "one-way") X(FLAPS, "flaps") X(LAG, "view-lag") X(LOSS, "packet-loss")        \
	X(PAUSE, "pause") X(CLOCK, "clock") X(STORE_SLOW, "store-slow")                         \
	X(STORE_LOST, "store-lost") X(STORE_FAIL, "store-fail") X(PATHS, "storage")             \
	X(QEMU, "qemu-fails") X(GUEST, "guests") X(STUCK, "unkillable")                         \
	X(FENCE, "fence-fails") X(LIES, "fence-lies") X(ADMIN, "admin") X(LOAD, "load")         \
	X(SHUTDOWN, "shutdown") X(RECOVER, "recover")                                           \
	X(MOVES, "moves") X(MIGRATION, "migration-fails") X(LINK_CUT, "link-cut")               \
	X(WORDS, "words-lost") X(CONVERT, "converts-fail") X(QUORUM, "votequorum-late")

enum trouble {
#define X(name, text) TROUBLE_##name,
	TROUBLES(X)
#undef X
	TROUBLE_COUNT,
};

const char *stat_word(enum stat stat);
const char *trouble_word(enum trouble trouble);

struct world_config {
	uint32_t hosts, vms, disks;
	uint32_t troubles;		// mask
	uint64_t watchdogs, fences;	// masks of hosts
	uint32_t second_fences;		// those that have another device, which always works
	uint32_t io_timeout_s;
	uint64_t detection_us;		// token + consensus
	uint64_t chaos_us;
	uint32_t no_quorum_hold_s;
	uint8_t no_quorum;
	uint8_t shutdown;		// enum shutdown_policy
	bool unit_kills;		// the unit that starts sanlock ends QEMUs of an earlier one
	bool story;			// regular timing: no jitter where it only makes noise
	bool dense;			// troubles come close together
	bool early;			// and from the start
	bool questions;			// administrators who only look
	bool spoiled;			// and such whose definitions have mistakes
	bool apart;			// two VMs are kept apart, strictly
	bool measures;			// loads are drawn, and what is said of them goes wrong
};

enum { REQUESTS_MAX = 64, TOLD_MAX = 64, TIPS_RUN_MAX = 64 };

struct ack {
	uint64_t view, index;
};

struct request {
	uint64_t cookie;
	struct host *host;
	uint32_t epoch;
	uint8_t type;		// enum entry_type; 0: recover
	uint8_t wanted;		// VM_WANT; recover: it is needed
	uint64_t possible;	// APPLY of one VM: mask of hosts
	uint32_t book, book_count;	// the VMs that it is about
	uint64_t wish;			// counts those that are about VMs
	bool alone;			// no other of theirs had no answer when it was made
	char name[NAME_SIZE];
};

// The age of a VM's disk: counts up whenever a guest begins to run on it.
struct sim_age {
	struct uuid uuid;
	uint64_t age;
};

struct saved_file {
	bool used;
	struct uuid uuid;
	uint8_t disk;
	uint64_t memory;	// as in struct proc
};

enum { AGES_MAX = 2 * WORLD_VMS_MAX, SAVED_MAX = 64, MOVE_IDS_MAX = 4096 };

/*
 * The administrators' own books about vm0, vm1...: what they were told is so, as of an index of the
 * log. As long as a further wish has no answer nothing is known.
 */
struct sim_vm {
	uint32_t open;		// wishes without an answer
	uint64_t wish;		// the last one
	// Of the log, when it was said. 0: nothing is known, two wishes were under way together
	uint64_t index, possible_index;
	bool stopped;		// is not to run
	uint64_t possible;	// mask of the hosts that it may run on; 0: all
};

// What the guest of a VM uses, wherever it runs.
struct sim_load {
	struct uuid uuid;
	char name[NAME_SIZE]; // instead of the uuid, where it is not yet known; ""
	uint32_t cpu; // permille of one CPU
	uint32_t memory_mib;
	uint32_t disk_kib, network_kib; // a second, each way
};

struct world {
	struct world_config config;
	uint64_t seed;
	struct rng rng;
	uint64_t now_us;
	struct queue queue;
	struct host hosts[HOSTS_MAX];
	bool links[HOSTS_MAX][HOSTS_MAX];	// from, to
	bool move_links[HOSTS_MAX][HOSTS_MAX];	// of QEMUs and their clusterds, for moves
	struct sim_age ages[AGES_MAX];
	struct saved_file saved[SAVED_MAX];
	uint8_t moves_seen[MOVE_IDS_MAX];	// 1: has begun; 2: has ended
	struct disk disks[DISKS_MAX];
	struct ring *rings;
	uint64_t ring_number, ring_id;
	struct actions actions;
	uint64_t next_cookie, next_random_id, next_wish;
	uint32_t next_pid;
	struct node_limits limits;

	bool refuse;			// every QEMU refuses to start
	struct {
		uint64_t cookie, us, index; // asked for; accepted, since when
		uint32_t serial[2], attempt[2];
		uint64_t came_us[2];
	} apart;
	uint64_t silent;		// mask of VMs (by number) whose guests answer nobody
	bool quiet;			// healed: the last phase
	uint32_t faults;		// injected so far
	uint32_t stores_lost;
	bool scripts_hang;
	uint64_t scripts_run[TIPS_RUN_MAX]; // tips whose script was run
	uint32_t scripts_count;
	bool measuring;			// hosts post samples
	struct rng measure_rng;
	struct sim_load loads[WORLD_VMS_MAX];
	uint32_t load_count;
	bool recover_wanted;		// most stores are gone: only a recovery goes on
	uint64_t stats[STAT_COUNT];
	struct request requests[REQUESTS_MAX];
	struct sim_vm vms[SIM_VMS_MAX];

	// Whoever runs a scenario hears what became of its commands.
	void *runner;
	void (*replied)(struct world *world, uint64_t cookie, const struct entry_result *result);

	// checkers
	struct ack ack;			// the highest acknowledged
	struct {
		uint64_t view, hash, digest;
		bool known, digested;
	} *committed;			// by index
	uint64_t committed_max;
	uint64_t highest_view, highest_committed;
	bool failed;
	char failure[512];
	uint64_t failed_us;

	FILE *trace;			// NULL: silent
	bool story;			// trace only what a story shows
	uint64_t story_zero_us;
	struct {
		uint64_t hash, at_us;
		uint32_t host;
	} told[TOLD_MAX];
	uint32_t told_next;
	char *story_text;		// instead of trace
	size_t story_used, story_size;
};

// world.c
struct world *world_new(const struct world_config *config, uint64_t seed, FILE *trace);
void world_free(struct world *world);
// Runs until the time, or until a checker failed.
void world_run(struct world *world, uint64_t until_us);
struct item *world_at(struct world *world, uint64_t delay_us, struct host *host, enum guard guard,
		      item_fn run);
uint64_t world_jitter(struct world *world, uint64_t low_us, uint64_t high_us);
void world_say(struct world *world, const struct host *host, const char *format, ...)
	__attribute__((format(printf, 3, 4)));		// story and trace
void world_trace(struct world *world, const struct host *host, const char *format, ...)
	__attribute__((format(printf, 3, 4)));		// trace alone
void world_fault(struct world *world);
bool world_trouble(const struct world *world, enum trouble trouble);
uint64_t world_random_id(struct world *world);

void host_power_on(struct world *world, struct host *host);	// boots and starts everything
void host_power_off(struct world *world, struct host *host, const char *why);
void host_pause(struct world *world, struct host *host, uint64_t length_us);
void host_clock_step(struct world *world, struct host *host, int64_t step_ms);
void daemon_start(struct world *world, struct host *host);
void daemon_kill(struct world *world, struct host *host);
// What its host has, as clusterd finds it; and that it says so.
void host_report(const struct host *host, struct node_report *report);
void daemon_say_host(struct world *world, struct host *host);
// As systemctl stop clusterd, or as its host goes down.
void daemon_end(struct world *world, struct host *host, enum host_leaving leaving);
void daemon_restart_later(struct world *world, struct host *host, uint64_t delay_us);
uint64_t host_clock_ms(const struct world *world, const struct host *host);
// Copies the event, and hands it to the host's clusterd after the delay if it is still the same
// process.
struct item *host_post(struct world *world, struct host *host, uint64_t delay_us,
		       const struct event *event);
// Whether what was on its way over this connection to corosync is still heard.
bool host_hears(const struct host *host, const struct item *item);
uint64_t host_wall_ms(const struct world *world, const struct host *host);
void host_deliver(struct world *world, struct host *host, struct event *event);

// perform.c
void world_perform(struct world *world, struct host *host, const struct action *action);

// corosync.c
void corosync_start(struct world *world, struct host *host);
void corosync_kill(struct world *world, struct host *host);
void corosync_connect(struct world *world, struct host *host);		// clusterd has started
void corosync_disconnect(struct world *world, struct host *host, uint32_t pid);	// clusterd has died
void corosync_send(struct world *world, struct host *host, const uint8_t *body, size_t size);
void corosync_rejoin(struct world *world, struct host *host);
void corosync_link(struct world *world, uint32_t from, uint32_t to, bool up);
void corosync_fini(struct world *world);

// store.c
void store_open(struct world *world, struct host *host);
void store_perform(struct world *world, struct host *host, const struct action *action);
void store_power_cut(struct world *world, struct host *host);
void store_lose(struct world *world, struct host *host);
void store_fail(struct world *world, struct host *host);
void store_fini(struct host *host);

// storage.c, sanlock.c
void path_set(struct world *world, struct host *host, uint32_t disk, enum path_state state);
// clusterd has started: nothing is probed
void path_reopen(struct world *world, struct host *host);
uint64_t path_delay_us(struct world *world, struct host *host, uint32_t disk);	// NEVER: hung
void volume_post(struct world *world, struct host *host, uint32_t disk, uint64_t delay_us);
void storage_perform(struct world *world, struct host *host, const struct action *action);
void sanlock_start(struct world *world, struct host *host);
void sanlock_kill(struct world *world, struct host *host);
void sanlock_power_cut(struct world *world, struct host *host);
void sanlock_hello(struct world *world, struct host *host);		// clusterd has started
void sanlock_freeze(struct world *world, struct host *host);		// before a pause
void sanlock_thaw(struct world *world, struct host *host);
void sanlock_path_changed(struct world *world, struct host *host, uint32_t disk);
void sanlock_join(struct world *world, struct host *host, uint32_t disk);
void sanlock_leave(struct world *world, struct host *host, uint32_t disk);
uint64_t disk_renewed_us(struct world *world, uint32_t disk, uint32_t id);
uint64_t disk_host_dead_us(const struct world *world, uint32_t disk);
// released under a living host
void sanlock_id_lost(struct world *world, struct host *host, uint32_t disk);
void sanlock_acquire(struct world *world, struct host *host, struct proc *proc);
void sanlock_convert(struct world *world, struct host *host, struct proc *proc, bool share);
bool lease_held_by(const struct world *world, const struct host *host, const struct proc *proc,
		   bool exclusive);
// the process is gone
void sanlock_release(struct world *world, struct host *host, struct proc *proc);
void sanlock_release_wait(struct world *world, struct host *host, const struct action *action);

// qemu.c
void qemu_perform(struct world *world, struct host *host, const struct action *action);
void qemu_adopt(struct world *world, struct host *host);
void qemu_daemon_died(struct world *world, struct host *host);
void qemu_power_cut(struct host *host);
void qemu_kill(struct world *world, struct host *host, struct proc *proc, const char *why);
void qemu_path_lost(struct world *world, struct host *host, uint32_t disk);
// Whether its guest answers.
void qemu_ask(struct world *world, struct host *host, const struct action *action);
void qemu_guest_shutdown(struct world *world, struct host *host, struct proc *proc);
void qemu_die(struct world *world, struct host *host, struct proc *proc);
void proc_post(struct world *world, struct host *host, const struct proc *proc,
	       enum event_type type, bool flag, const char *reason);
// Its guest's CPUs begin to run, or stop for the migration's sake.
void proc_writes(struct world *world, struct host *host, struct proc *proc);
void proc_stands(struct proc *proc);
struct proc *host_proc_free(struct host *host); // a free place; NULL: there is none
struct proc *host_proc(struct host *host, struct vm_ref vm);
struct proc *host_proc_uuid(struct host *host, const struct uuid *uuid);
struct proc *host_proc_serial(struct host *host, uint32_t serial);
const char *vm_name(const struct host *host, struct vm_ref vm);
void saved_note_drop(struct host *host, const struct uuid *uuid);

// move.c: QEMU's side of moves, what their ends say to each other, and saved states
void move_perform(struct world *world, struct host *host, struct proc *proc,
		  const struct action *action);
void move_exec(struct world *world, struct host *host, struct proc *proc,
	       const struct action *action);
void move_cont(struct world *world, struct host *host, struct proc *proc);
enum run_state proc_run_state(const struct proc *proc);
bool proc_never_told(const struct proc *proc);
void move_stats_post(struct world *world, struct host *host, const struct proc *proc);
void move_link(struct world *world, uint32_t from, uint32_t to, bool up);
bool move_linked(const struct world *world, const struct host *from, const struct host *to);

// word.c
void word_synced_tell(struct world *world, struct host *host, const struct action *action);


// fence.c
void fence_perform(struct world *world, struct host *host, const struct action *action);

// tip.c
void script_perform(struct world *world, struct host *host, const struct action *action);
// Of a story: policies, tips, loads; false: not one of theirs.
bool tip_command(struct world *world, struct host *host, char **words);
// Policies and administrators' answers, drawn from the stream of measurements.
void tips_begin(struct world *world);
// No policy acts by itself any more.
void tip_quiet(struct world *world, struct host *host);
// The newest tip is in this state.
bool tip_stands(const struct world *world, const char *state);

// measure.c
void measure_begin(struct world *world);
void measure_perform(struct world *world, struct host *host, const struct action *action);
void measure_vm_load(struct world *world, const struct sim_load *wanted);
void measure_named_load(struct world *world, const char *name, uint32_t cpu, uint32_t memory_mib);
void measure_say(struct world *world, struct host *host); // what this node knows

// admin.c
void admin_bootstrap(struct world *world);	// the first apply, repeated until somebody takes it
void admin_random(struct world *world);
void admin_move(struct world *world);		// asks for a move, or ends one
void admin_moves_begin(struct world *world);
bool admin_drain(struct world *world, struct host *host, const char *node, enum drain_verb verb,
		 bool come_back);
// false: no daemon there
bool admin_request(struct world *world, struct host *host, struct entry *entry);
void admin_reply(struct world *world, struct host *host, const struct action *action);
bool admin_apply_nodes(struct world *world, struct host *host, bool with_vms);
bool admin_apply_vm(struct world *world, struct host *host, uint32_t vm);
bool admin_prefer(struct world *world, struct host *host, uint32_t vm, const char *node,
		  uint32_t after_s);
bool admin_apply_rule(struct world *world, struct host *host, struct rule_def *rule);
void admin_recover(struct world *world, struct host *host);
// NULL: not one of theirs
struct sim_vm *admin_book(struct world *world, const char *name);
// Somebody has said that it is dead, and has no answer yet: others may act on it already.
bool admin_declares_dead(const struct world *world, const struct host *target);

// chaos.c
struct world_config config_of_seed(uint64_t seed, uint32_t hosts, uint32_t vms);
void chaos_start(struct world *world);
void chaos_heal(struct world *world);
bool world_settled(struct world *world, char *why, size_t size);
bool seed_run(uint64_t seed, uint32_t hosts, uint32_t vms, FILE *trace, struct world **result);

// checkers.c
void check_fail(struct world *world, const struct host *host, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void check_step(struct world *world, struct host *host);
void check_daemon_started(struct host *host);
void check_store(struct world *world, struct host *host, const struct action *action);
void check_store_replay(struct host *host, uint64_t index, uint64_t view, const uint8_t *body,
			size_t size, bool snapshot);
void check_exec(struct world *world, struct host *host, const struct proc *proc);
// Begins to run: nobody else does, under a lease, and with the memory that its disk goes with.
void check_writes(struct world *world, struct host *host, struct proc *proc);
// A guest that came from elsewhere begins to run: its source has renounced it, and has said so.
void check_continues(struct world *world, struct host *host, const struct proc *proc);
// One that was handed over begins to run again where it was.
void check_resumes(struct world *world, struct host *host, const struct proc *proc);
void check_moves(struct world *world, const struct host *host);
void check_expiry(struct world *world, struct host *host, struct proc *proc);
void check_join(struct world *world, struct host *host, uint32_t disk);
// Everywhere, again and again.
void check_running_start(struct world *world);
void check_release(struct world *world, struct host *actor, struct host *target, uint32_t disk);
void check_lease_write(struct world *world, struct host *host, uint32_t disk, uint32_t slot);
void check_ack(struct world *world, struct host *host);
void check_log(struct world *world, struct host *host, const struct action *action);

// apart.c: a strict rule
void apart_start(struct world *world);
void apart_forget(struct world *world);
void apart_replied(struct world *world, const struct host *host, const struct action *action);
void apart_seen(struct world *world, const struct host *host);
void apart_exec(struct world *world, struct host *host, const struct proc *proc);

// questions.c
void questions_start(struct world *world);

// strange.c: entries that nobody should have sent, over a copy of the replica
void strange_entries(struct world *world, struct host *host, struct rng *rng);

// record.c
void record_to(const char *folder);	// what follows is recorded there
void *record_memory(size_t size);	// as it comes: a node relies on nothing in it
void record_memory_free(void *memory, size_t size);
void record_start(struct world *world, struct host *host);
void record_end(struct host *host);

// story.c
int story_run(const char *path, bool update);
