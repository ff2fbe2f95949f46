// SPDX-License-Identifier: Apache-2.0
/*
 * What the core itself costs when a node is lost: one real struct node, coordinator of 64, with
 * 10,000 VMs of which 200 ran on the lost one. Its peers are played here, message for message. Time
 * counts inside node_step() alone, from the group's change to the entry that places all 200. Prints
 * one line of JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clusterd/node_internal.h"
#include "quorum/view_internal.h"

enum {
	NODES = 64,
	VMS = 10000,
	LOST = 200,
	LOST_ID = NODES, // the last one: the coordinator stays
	QUEUE_MAX = 4096,
	RUNS_MAX = 1000,
	GIB_MIB = 1024,
};

struct queued {
	struct event event;
	uint8_t *body;
};

struct run {
	struct node *node;
	struct actions actions;
	struct queued queue[QUEUE_MAX];
	uint32_t first, count;
	struct group_member members[NODES];
	uint32_t member_count;
	uint64_t clock_ms;
	uint64_t spent_ns, longest_ns; // in node_step() since the group changed
	uint32_t steps;
	uint32_t placed; // by the entry that was proposed
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

// ---- the state before the loss ----

static void fill_nodes(struct cluster *cluster)
{
	for (uint32_t i = 0; i < NODES; i++) {
		struct cluster_node *node = &cluster->nodes[i];

		node->used = node->managed = node->reported = true;
		node->life = NODE_ONLINE;
		node->fence_actor = SLOT_NONE;
		node->def.id = i + 1;
		snprintf(node->def.name, NAME_SIZE, "n%02u", i + 1);
		node->def.fence_count = 1;
		strcpy(node->def.fences[0].agent, "fence_lab");
		node->report.cpus = 64;
		node->report.memory_mib = 1024 * GIB_MIB;
		node->report.qemu = node->report.watchdog = true;
		node->report.volumes[0] = (struct node_volume){
			.state = VOLUME_ONLINE,
			.joined = true,
			.generation = 1,
		};
		cluster->voters.list[i] = (struct voter){ .id = i + 1, .store = 1000 + i };
	}
	cluster->voters.count = NODES;
	cluster->node_high = NODES;
	cluster->volume_high = 1;
	cluster->volumes[0] = (struct cluster_volume){
		.used = true,
		.prepared = true,
		.io_timeout_s = 10,
		.prepare_actor = SLOT_NONE,
	};
	strcpy(cluster->volumes[0].def.name, "v1");
	strcpy(cluster->volumes[0].def.source, "/srv/v1");
}

static void fill_vm(struct cluster *cluster, uint32_t slot)
{
	struct vm *vm = &cluster->vms[slot];
	struct vm_def *def = &cluster->defs[slot];
	uint8_t *lease = &cluster->lease_slots[slot];

	memset(vm, 0, sizeof(*vm));
	memset(def, 0, sizeof(*def));
	snprintf(def->name, NAME_SIZE, "vm%05u", slot * 7919 % VMS);
	memcpy(def->uuid.bytes, &slot, sizeof(slot));
	def->uuid.bytes[15] = 1;
	def->cpus = 1;
	def->memory_mib = 1024;
	def->priority = (int32_t)(slot % 3);
	def->restarts_max = 1;
	def->relocations_max = 2;
	def->forget_s = 600;
	def->stop_timeout_s = 120;
	def->wanted = VM_WANTED_RUNNING;
	def->disk_count = 1;
	strcpy(def->disks[0].volume, "v1");
	snprintf(def->disks[0].path, PATH_SIZE, "vms/%u.img", slot);
	vm->used = vm->managed = true;
	vm->ref = (struct vm_ref){ .slot = slot, .serial = slot + 1 };
	vm->phase = VM_RUNNING;
	// 200 on the node that will be lost, spread over the table; the others on the rest in turn.
	vm->owner = (uint8_t)(slot % (VMS / LOST) == 0 ? LOST_ID - 1 : slot % (NODES - 1));
	vm->last_owner = vm->owner;
	vm->saved_volume = vm->drained_from = SLOT_NONE;
	vm->wanted = VM_WANTED_RUNNING;
	vm->attempt = 1;
	vm->lease_count = 1;
	vm->leases[0] = (struct vm_lease){
		.volume = 0, .life = LEASE_READY, .actor = SLOT_NONE, .slot = slot
	};
	*lease = SLOT_USED;
}

static size_t snapshot_make(uint8_t **bytes)
{
	const struct cluster_limits limits = { .vms_max = VMS, .lease_slots_max = VMS };
	void *memory = must(calloc(1, cluster_memory(&limits)));
	struct cluster cluster;
	size_t size;

	cluster_init(&cluster, &limits, memory);
	cluster.index = 10;
	cluster.view = 1;
	cluster.functional_level = FUNCTIONAL_LEVEL;
	cluster.next_serial = VMS + 1;
	cluster.def = (struct cluster_def){
		.name = "bench",
		.no_quorum_hold_s = 60,
		.io_timeout_s = 10,
		.root = "/clusterstorage",
	};
	fill_nodes(&cluster);
	for (uint32_t slot = 0; slot < VMS; slot++)
		fill_vm(&cluster, slot);
	cluster.vm_count = cluster.vm_high = VMS;
	size = STORED_SNAPSHOT_HEAD + cluster_encode(&cluster, NULL, 0);
	*bytes = must(malloc(size));
	(*bytes)[0] = 1;
	memset(*bytes + 1, 0, STORED_SNAPSHOT_HEAD - 1);
	(*bytes)[1] = 77; // history
	cluster_encode(&cluster, *bytes + STORED_SNAPSHOT_HEAD, size - STORED_SNAPSHOT_HEAD);
	free(memory);
	return size;
}

// ---- the world around the node ----

static void post(struct run *run, struct event event)
{
	struct queued *queued = &run->queue[(run->first + run->count++) % QUEUE_MAX];

	if (run->count > QUEUE_MAX)
		abort();
	queued->event = event;
	queued->body = NULL;
	if (event.body_size) {
		queued->body = must(malloc(event.body_size));
		memcpy(queued->body, event.body, event.body_size);
		queued->event.body = queued->body;
	}
}

static void post_message(struct run *run, uint32_t from, const uint8_t *body, size_t size)
{
	struct event event = { .type = EVENT_MESSAGE,
			       .from_id = from,
			       .from_pid = 100 + from,
			       .body = body,
			       .body_size = size };

	post(run, event);
}

// What every peer says to a message of this node's.
static void peers_answer(struct run *run, const uint8_t *body, size_t size)
{
	static uint8_t answer[STATE_SIZE_MAX];
	struct message said, m;
	struct store_facts facts;

	memset(&facts, 0, sizeof(facts));
	if (!message_decode(&said, &facts, body, size))
		abort();
	m = (struct message){ .tag = said.tag, .view = said.view, .index = said.index };
	if (said.type == MESSAGE_STATE)
		m.type = MESSAGE_STATE;
	else if (said.type == MESSAGE_COPIED) // after this node, which so becomes the coordinator
		m.type = MESSAGE_COPIED;
	else if (said.type == MESSAGE_ENTRY)
		m.type = MESSAGE_SYNCED;
	else
		return;
	for (uint32_t i = 1; i < run->member_count; i++) {
		uint32_t id = run->members[i].id;

		m.store = facts.store = 999 + id;
		size = message_encode(&m, &facts, answer, sizeof(answer));
		post_message(run, id, answer, size);
	}
}

static void note_places(struct run *run, const struct action *action)
{
	struct message m;
	struct store_facts facts;
	struct entry entry;

	if (message_decode(&m, &facts, action->body, action->body_size) &&
	    m.type == MESSAGE_ENTRY && entry_decode(&entry, m.body, m.body_size) &&
	    entry.type == ENTRY_PLACE)
		run->placed += entry.place_count;
}

static void perform(struct run *run, const struct action *action)
{
	struct event event = { .token = action->token,
			       .node_id = action->node_id,
			       .attempt = action->attempt,
			       .flag = true };

	switch (action->type) {
	case ACTION_SEND:
		note_places(run, action);
		post_message(run, 1, action->body, action->body_size);
		peers_answer(run, action->body, action->body_size);
		return;
	case ACTION_STORE_SYNC:
		event.type = EVENT_STORE_SYNCED;
		break;
	case ACTION_FENCE:
		event.type = EVENT_FENCE_DONE;
		break;
	case ACTION_HOST_RELEASE:
		event.type = EVENT_HOST_RELEASED;
		break;
	case ACTION_VOLUME_JOIN:
		event.type = EVENT_VOLUME;
		event.volume = action->volume;
		event.volume_state = VOLUME_ONLINE;
		event.joined = true;
		event.generation = 1;
		break;
	default:
		return;
	}
	post(run, event);
}

static void step(struct run *run, const struct event *event)
{
	struct event timed = *event;
	uint64_t began_ns, took_ns;

	timed.now_ms = timed.wall_ms = run->clock_ms;
	run->actions.count = 0;
	run->actions.used = 0;
	began_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	node_step(run->node, &timed, &run->actions);
	took_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns;
	run->spent_ns += took_ns;
	run->steps++;
	if (took_ns > run->longest_ns)
		run->longest_ns = took_ns;
	for (uint32_t i = 0; i < run->actions.count; i++)
		perform(run, &run->actions.items[i]);
}

// Until nothing is under way, or until what is waited for was decided.
static void drain(struct run *run, uint32_t until_placed)
{
	while (run->count > 0 && (until_placed == 0 || run->placed < until_placed)) {
		struct queued next = run->queue[run->first];

		run->first = (run->first + 1) % QUEUE_MAX;
		run->count--;
		step(run, &next.event);
		free(next.body);
	}
}

static void group(struct run *run, uint32_t count, uint64_t ring)
{
	struct event event = { .type = EVENT_GROUP,
			       .node_id = 1,
			       .members = run->members,
			       .member_count = count,
			       .ring = ring };

	run->member_count = count;
	step(run, &event);
	event.type = EVENT_RING;
	event.flag = true;
	step(run, &event);
}

static void node_begin(struct run *run, const uint8_t *snapshot, size_t size)
{
	const struct node_report report = {
		.cpus = 64, .memory_mib = 1024 * GIB_MIB, .qemu = true, .watchdog = true
	};
	struct event loaded = { .type = EVENT_STORE_SNAPSHOT,
				.index = 10,
				.view = 1,
				.body = snapshot,
				.body_size = size };
	struct event opened = { .type = EVENT_STORE_OPENED,
				.store = 1000,
				.incarnation = 1,
				.promised = 1,
				.index = 10,
				.flag = true };
	struct event host = { .type = EVENT_HOST, .report = &report };
	struct event sanlock = { .type = EVENT_SANLOCK_UP, .flag = true };
	struct event volume = {
		.type = EVENT_VOLUME, .volume_state = VOLUME_ONLINE, .joined = true, .generation = 1
	};
	struct event adopted = { .type = EVENT_ADOPTION_DONE };

	for (uint32_t i = 0; i < NODES; i++)
		run->members[i] = (struct group_member){ .id = i + 1, .pid = 101 + i };
	step(run, &loaded);
	step(run, &opened);
	step(run, &host);
	step(run, &sanlock);
	step(run, &volume);
	// The VMs of this host run and are adopted.
	for (uint32_t slot = 0; slot < VMS; slot++) {
		const struct vm *vm = &node_cluster(run->node)->vms[slot];
		struct event vm_adopted = {
			.type = EVENT_VM_ADOPTED,
			.vm = vm->ref,
			.attempt = 1,
			.flag = true,
			.uuid = vm_definition(node_cluster(run->node), vm)->uuid
		};

		if (vm->owner == 0)
			step(run, &vm_adopted);
	}
	step(run, &adopted);
}

static void run_once(struct run *run, const uint8_t *snapshot, size_t size)
{
	group(run, NODES, 1);
	drain(run, 0);
	for (int i = 0; i < 30; i++) {
		struct event tick = { .type = EVENT_TICK };

		run->clock_ms += 1000;
		step(run, &tick);
		drain(run, 0);
	}
	(void)snapshot;
	(void)size;
	if (!view_coordinator(node_view(run->node)) ||
	    node_cluster(run->node)->nodes[LOST_ID - 1].life != NODE_ONLINE) {
		char reason[REASON_SIZE];

		view_reason(node_view(run->node), reason, sizeof(reason));
		fprintf(stderr, "core_loss: the cluster did not settle: %s\n", reason);
		exit(1);
	}
	run->spent_ns = run->longest_ns = 0;
	run->steps = run->placed = 0;
	group(run, NODES - 1, 2);
	drain(run, LOST);
	if (run->placed != LOST) {
		fprintf(stderr, "core_loss: %u VMs placed, not %d\n", run->placed, LOST);
		exit(1);
	}
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	const struct node_limits limits = {
		.cluster = { .vms_max = VMS, .lease_slots_max = VMS },
		.view = { .records_max = 4096,
			  .log_bytes = 4 * 1024 * 1024,
			  .proposals_max = 256,
			  .proposal_bytes = 4 * 1024 * 1024,
			  .copy_bytes = 64 * 1024 * 1024 },
		.requests_max = 16,
	};
	int runs = argc > 1 ? atoi(argv[1]) : 15;
	static double total_ms[RUNS_MAX], longest_ms[RUNS_MAX];
	uint8_t *snapshot;
	size_t size = snapshot_make(&snapshot);
	static struct run run;
	void *memory = must(malloc(node_memory(&limits)));
	uint32_t steps = 0;

	if (runs < 1 || runs > RUNS_MAX)
		return 2;
	run.actions = (struct actions){
		.items = must(calloc(4096, sizeof(struct action))),
		.max = 4096,
		.bytes = must(malloc(64 * 1024 * 1024)),
		.size = 64 * 1024 * 1024,
	};
	for (int i = 0; i < runs; i++) {
		run.node = node_init(&limits, memory);
		run.first = run.count = 0;
		run.clock_ms = 1000000;
		node_begin(&run, snapshot, size);
		run_once(&run, snapshot, size);
		while (run.count > 0) {
			free(run.queue[run.first].body);
			run.first = (run.first + 1) % QUEUE_MAX;
			run.count--;
		}
		total_ms[i] = (double)run.spent_ns / 1e6;
		longest_ms[i] = (double)run.longest_ns / 1e6;
		steps = run.steps;
	}
	qsort(total_ms, (size_t)runs, sizeof(double), ascending);
	qsort(longest_ms, (size_t)runs, sizeof(double), ascending);
	printf("{\"nodes\": %d, \"vms\": %d, \"displaced\": %d, \"runs\": %d, \"steps\": %u, "
	       "\"total_ms\": %.2f, \"total_ms_min\": %.2f, \"total_ms_max\": %.2f, "
	       "\"longest_step_ms\": %.2f}\n",
	       NODES, VMS, LOST, runs, steps, total_ms[runs / 2], total_ms[0], total_ms[runs - 1],
	       longest_ms[runs / 2]);
	return 0;
}
