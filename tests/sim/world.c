// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/spoiled.h"
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

#include "clusterd/cpu.h"
#include "clusterd/invariant.h"
#include "clusterd/recorder_io.h"
#include "clusterd/text.h"

// ---- randomness

uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
	return bound ? rng_next(rng) % bound : 0;
}

uint64_t rng_between(struct rng *rng, uint64_t low, uint64_t high)
{
	return low + rng_below(rng, high - low + 1);
}

bool rng_chance(struct rng *rng, uint32_t percent)
{
	return rng_below(rng, 100) < percent;
}

// ---- words

const char *stat_word(enum stat stat)
{
	static const char *const words[STAT_COUNT] = {
#define X(name, text) [STAT_##name] = text,
		STATS(X)
#undef X
	};

	return words[stat];
}

const char *trouble_word(enum trouble trouble)
{
	static const char *const words[TROUBLE_COUNT] = {
#define X(name, text) [TROUBLE_##name] = text,
		TROUBLES(X)
#undef X
	};

	return words[trouble];
}

bool world_trouble(const struct world *world, enum trouble trouble)
{
	return world->config.troubles >> trouble & 1;
}

void world_fault(struct world *world)
{
	world->faults++;
}

uint64_t world_random_id(struct world *world)
{
	return rng_next(&world->rng) | 1;
}

// ---- what is told

static void __attribute__((format(printf, 3, 0)))
say_line(struct world *world, const struct host *host, const char *format, va_list args)
{
	uint64_t ms = (world->now_us - world->story_zero_us) / 1000;
	char text[1024], line[1200];
	int length;

	vsnprintf(text, sizeof(text), format, args);
	length = snprintf(line, sizeof(line), "%6llu.%03llu %-4s %s\n",
			  (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000),
			  host ? host->name : "--", text);
	if (length < 0)
		return;
	if ((size_t)length >= sizeof(line))
		length = sizeof(line) - 1;
	if (world->trace)
		fwrite(line, 1, (size_t)length, world->trace);
	if (!world->story)
		return;
	if (world->story_used + (size_t)length + 1 > world->story_size) {
		world->story_size = 2 * world->story_size + 4096;
		world->story_text = realloc(world->story_text, world->story_size);
		INVARIANT(world->story_text);
	}
	memcpy(world->story_text + world->story_used, line, (size_t)length + 1);
	world->story_used += (size_t)length;
}

void world_say(struct world *world, const struct host *host, const char *format, ...)
{
	va_list args;

	if (!world->trace && !world->story)
		return;
	va_start(args, format);
	say_line(world, host, format, args);
	va_end(args);
}

void world_trace(struct world *world, const struct host *host, const char *format, ...)
{
	va_list args;

	if (!world->trace || world->story)
		return;
	va_start(args, format);
	say_line(world, host, format, args);
	va_end(args);
}

// ---- the queue: a heap ordered by (time, sequence), four children a node: one line of the cache

enum { ITEM_BITS = 22 };

static inline bool node_before(const struct queue_node *a, const struct queue_node *b)
{
	return a->at_us < b->at_us || (a->at_us == b->at_us && a->order < b->order);
}

static inline uint32_t node_item(const struct queue_node *node)
{
	return (uint32_t)(node->order & ((1u << ITEM_BITS) - 1));
}

static void queue_push(struct queue *queue, struct queue_node node)
{
	uint32_t at;

	if (queue->count == queue->max) {
		queue->max = queue->max ? 2 * queue->max : 1024;
		queue->heap = realloc(queue->heap, queue->max * sizeof(*queue->heap));
		INVARIANT(queue->heap);
	}
	for (at = queue->count++; at > 0 && node_before(&node, &queue->heap[(at - 1) / 4]);
	     at = (at - 1) / 4)
		queue->heap[at] = queue->heap[(at - 1) / 4];
	queue->heap[at] = node;
}

static struct queue_node queue_pop(struct queue *queue)
{
	struct queue_node *heap = queue->heap, top = heap[0], last = heap[--queue->count];
	uint32_t at = 0;

	for (;;) {
		uint32_t child = 4 * at + 1, end = child + 4, first = child;

		if (child >= queue->count)
			break;
		if (end > queue->count)
			end = queue->count;
		while (++child < end)
			if (node_before(&heap[child], &heap[first]))
				first = child;
		if (!node_before(&heap[first], &last))
			break;
		heap[at] = heap[first];
		at = first;
	}
	heap[at] = last;
	return top;
}

static uint32_t item_new(struct queue *queue)
{
	if (queue->unused_count > 0)
		return queue->unused[--queue->unused_count];
	if (queue->items_count == queue->items_max) {
		queue->items_max = queue->items_max ? 2 * queue->items_max : 1024;
		queue->items = realloc(queue->items, queue->items_max * sizeof(*queue->items));
		queue->unused = realloc(queue->unused, queue->items_max * sizeof(*queue->unused));
		INVARIANT(queue->items && queue->unused && queue->items_max <= 1u << ITEM_BITS);
	}
	return queue->items_count++;
}

static uint32_t guard_epoch(const struct host *host, uint8_t guard)
{
	switch ((enum guard)guard) {
	case GUARD_NONE:
		return 0;
	case GUARD_POWER:
		return host->power_epoch;
	case GUARD_DAEMON:
		return host->daemon_epoch;
	case GUARD_COROSYNC:
		return host->corosync.epoch;
	case GUARD_SANLOCK:
		return host->sanlock.epoch;
	}
	return 0;
}

// The item is the caller's to fill until the next call.
struct item *world_at(struct world *world, uint64_t delay_us, struct host *host, enum guard guard,
		      item_fn run)
{
	struct queue *queue = &world->queue;
	uint32_t number = item_new(queue);

	queue_push(queue, (struct queue_node){ world->now_us + delay_us,
					       queue->sequence++ << ITEM_BITS | number });
	queue->items[number] = (struct item){
		.run = run,
		.host = host,
		.guard = (uint8_t)guard,
		.epoch = host ? guard_epoch(host, (uint8_t)guard) : 0,
	};
	return &queue->items[number];
}

uint64_t world_jitter(struct world *world, uint64_t low_us, uint64_t high_us)
{
	return world->config.story ? (low_us + high_us) / 2
				   : rng_between(&world->rng, low_us, high_us);
}

void world_run(struct world *world, uint64_t until_us)
{
	struct queue *queue = &world->queue;

	while (queue->count > 0 && queue->heap[0].at_us <= until_us && !world->failed) {
		struct queue_node node = queue_pop(queue);
		uint32_t number = node_item(&node);
		struct item item = queue->items[number];

		if (item.host && item.epoch != guard_epoch(item.host, item.guard)) {
			free(item.data);
			queue->unused[queue->unused_count++] = number;
			continue;
		}
		if (item.host && item.guard != GUARD_NONE && item.host->paused &&
		    item.host->resume_us > node.at_us) {
			node.at_us = item.host->resume_us; // nothing happens on a paused host, and
							   // then all
			queue_push(queue, node);
			continue;
		}
		if (item.host && item.guard == GUARD_DAEMON &&
		    item.host->stalled_until_us > node.at_us) {
			node.at_us = item.host->stalled_until_us;
			queue_push(queue, node);
			continue;
		}
		queue->unused[queue->unused_count++] = number;
		world->now_us = node.at_us;
		item.run(world, &item);
		free(item.data);
	}
	if (!world->failed)
		world->now_us = until_us;
}

// ---- clusterd on a host

uint64_t host_clock_ms(const struct world *world, const struct host *host)
{
	return (world->now_us - host->booted_us) / 1000 + 5000;
}

static void host_run_tick(struct world *world, struct item *item);

static void tick_later(struct world *world, struct host *host)
{
	host->tick_item_us = host->tick_at_us;
	world_at(world, host->tick_at_us - world->now_us, host, GUARD_DAEMON, host_run_tick)->a =
		++host->tick_serial;
}

static void host_run_tick(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct event event = { .type = EVENT_TICK };

	if ((uint32_t)item->a != host->tick_serial)
		return;
	host->tick_item_us = NEVER;
	if (host->tick_at_us > world->now_us) {
		if (host->tick_at_us != NEVER)
			tick_later(world, host);
		return;
	}
	host->tick_at_ms = host->tick_at_us = NEVER;
	host_deliver(world, host, &event);
}

// Deadlines move on with nearly every event: an item that comes too early looks again.
static void host_arm(struct world *world, struct host *host)
{
	uint64_t deadline_ms = node_deadline_ms(host->node), now_ms = host_clock_ms(world, host);

	if (deadline_ms <= now_ms)
		deadline_ms = now_ms + 1;
	if (host->tick_at_ms == deadline_ms)
		return;
	host->tick_at_ms = deadline_ms;
	host->tick_at_us = NEVER;
	if (deadline_ms == NEVER)
		return;
	host->tick_at_us = world->now_us + MS(deadline_ms - now_ms);
	if (world_trouble(world, TROUBLE_LOAD))
		host->tick_at_us += MS(rng_below(&world->rng, 300));
	if (host->tick_at_us < host->tick_item_us)
		tick_later(world, host);
}

uint64_t host_wall_ms(const struct world *world, const struct host *host)
{
	return (uint64_t)((int64_t)(world->now_us / 1000 + SIM_WALL_MS) + host->wall_ms);
}

void host_deliver(struct world *world, struct host *host, struct event *event)
{
	struct actions *actions = &world->actions;
	uint64_t now_ms = host_clock_ms(world, host);
	uint32_t epoch = host->daemon_epoch;

	event->now_ms = now_ms;
	event->wall_ms = host_wall_ms(world, host);
	event->ahead_min = host->ahead_min;
	actions->count = 0;
	actions->used = 0;
	world->stats[STAT_STEPS]++;
	recorder_event(host->recorder, event);
	node_step(host->node, event, actions);
	recorder_actions(host->recorder, actions);
	if (world->config.spoiled)
		recording_check(world, host, actions);
	if (event->type == EVENT_TICK && actions->count == 0 &&
	    node_deadline_ms(host->node) <= now_ms) {
		if (++host->ticks_idle > 100)
			check_fail(world, host, "the timer is armed in the past again and again");
	} else {
		host->ticks_idle = 0;
	}
	for (uint32_t i = 0; i < actions->count; i++)
		check_store(world, host, &actions->items[i]);
	check_step(world, host);
	for (uint32_t i = 0; i < actions->count && epoch == host->daemon_epoch && !world->failed;
	     i++)
		world_perform(world, host, &actions->items[i]);
	if (epoch == host->daemon_epoch && host->daemon)
		host_arm(world, host);
}

bool host_hears(const struct host *host, const struct item *item)
{
	return !((item->b == CHANNEL_GROUP && item->c != host->corosync.group_serial) ||
		 (item->b == CHANNEL_QUORUM && item->c != host->corosync.quorum_serial));
}

static void host_run_event(struct world *world, struct item *item)
{
	struct event *event = item->data;

	if (!host_hears(item->host, item))
		return;
	if (event->type == EVENT_GROUP) {
		item->host->seen_group_count = event->member_count;
		memcpy(item->host->seen_group, event->members,
		       event->member_count * sizeof(*event->members));
	} else if (event->type == EVENT_GROUP_LOST) {
		item->host->seen_group_count = 0;
	} else if (event->type == EVENT_SANLOCK_GONE) {
		item->host->sanlock_gone_told = true;
	} else if (event->type == EVENT_RING) {
		item->host->seen_quorate = event->flag;
		world_trace(world, item->host, "votequorum: %u nodes, %s",
			    (unsigned int)event->member_count,
			    event->flag ? "quorate" : "not quorate");
	}
	if (event->type == EVENT_GROUP || event->type == EVENT_RING)
		world->stats[STAT_DISAGREE] +=
			item->host->seen_quorate !=
			(2 * item->host->seen_group_count > world->config.hosts);
	host_deliver(world, item->host, event);
}

struct item *host_post(struct world *world, struct host *host, uint64_t delay_us,
		       const struct event *event)
{
	size_t members = event->member_count * sizeof(*event->members);
	size_t report = event->report ? sizeof(*event->report) : 0;
	size_t reason = event->reason ? strlen(event->reason) + 1 : 0;
	size_t stats = event->stats ? sizeof(*event->stats) : 0;
	size_t head = (sizeof(*event) + 15) / 16 * 16;
	struct item *item;
	struct event *copy;
	uint8_t *at;

	if (!host->daemon)
		return NULL;
	copy = malloc(head + stats + report + members + event->body_size + reason);
	INVARIANT(copy);
	*copy = *event;
	at = (uint8_t *)copy + head;
	if (stats) {
		copy->stats = memcpy(at, event->stats, stats);
		at += stats;
	}
	if (report) {
		copy->report = memcpy(at, event->report, report);
		at += report;
	}
	if (event->members)
		copy->members = memcpy(at, event->members, members);
	at += members;
	if (event->body)
		copy->body = memcpy(at, event->body, event->body_size);
	at += event->body_size;
	if (reason)
		copy->reason = memcpy(at, event->reason, reason);
	if (event->type >= EVENT_VOLUME && event->type != EVENT_SYNCED_HEARD) {
		// One thread tells them, so they keep their order, however late.
		if (world_trouble(world, TROUBLE_LOAD))
			delay_us += MS(rng_below(&world->rng, 200));
		if (world->now_us + delay_us < host->edge_us)
			delay_us = host->edge_us - world->now_us;
		host->edge_us = world->now_us + delay_us;
	}
	item = world_at(world, delay_us, host, GUARD_DAEMON, host_run_event);
	item->data = copy;
	return item;
}

// Every host of this world is like every other.
static void host_facts(struct host_facts *facts)
{
	static const char *const features[] = { "aes", "avx", "avx2", "lm", "nx", "sse2" };

	facts->state = FACTS_KNOWN;
	facts->accel = ACCEL_KVM;
	facts->qemu_version = 70222;
	text_copy(facts->arch, sizeof(facts->arch), "x86_64");
	text_copy(facts->cpu_vendor, sizeof(facts->cpu_vendor), "AuthenticAMD");
	text_copy(facts->machine_q35, MACHINE_SIZE, "pc-q35-7.2");
	facts->machines[facts->machine_count++] = name_hash("q35");
	facts->machines[facts->machine_count++] = name_hash("pc-q35-7.2");
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		cpu_add(&facts->features, (unsigned int)cpu_feature_find(features[i]));
	text_copy(facts->bridges[facts->bridge_count++], BRIDGE_SIZE, "br0");
}

void host_report(const struct host *host, struct node_report *report)
{
	if (host->own) {
		*report = *host->own;
	} else {
		*report = (struct node_report){ .qemu = true };
		report->cpus = host->cpus;
		report->memory_mib = host->memory_mib;
		host_facts(&report->facts);
		text_copy(report->addresses[0], ADDRESS_SIZE, "10.0.0.1");
		report->cert_expires = 1ull << 40;
		report->cert_authority = 1;
	}
	report->watchdog = host->watchdog;
	report->boot = host->boot;
}

void daemon_say_host(struct world *world, struct host *host)
{
	struct node_report report;
	struct event event = { .type = EVENT_HOST, .report = &report };

	host_report(host, &report);
	host_post(world, host, world_jitter(world, MS(1), MS(50)), &event);
}

void daemon_start(struct world *world, struct host *host)
{
	if (host->daemon || !host->booted)
		return;
	host->daemon = true;
	host->exiting = host->ending = false;
	host->daemon_epoch++;
	host->starts++;
	host->pid = ++world->next_pid;
	host->tick_at_ms = host->tick_at_us = host->tick_item_us = NEVER;
	host->ticks_idle = 0;
	host->edge_us = 0;
	host->seen_group_count = 0;
	host->seen_quorate = false;
	host->sanlock_gone_told = true;
	host->node = node_init(&world->limits, host->memory);
	record_start(world, host);
	check_daemon_started(host);
	world_say(world, host, "clusterd starts");
	store_open(world, host);
	daemon_say_host(world, host);
	sanlock_hello(world, host);
	path_reopen(world, host);
	qemu_adopt(world, host);
	corosync_connect(world, host);
}

static void daemon_run_end_limit(struct world *world, struct item *item)
{
	struct host *host = item->host;

	if (!host->ending)
		return;
	world_say(world, host, "clusterd does not end in time");
	if (host->ending_host)
		host_power_off(world, host, "its shutdown's limit");
	else
		daemon_kill(world, host);
}

void daemon_end(struct world *world, struct host *host, enum host_leaving leaving)
{
	bool with_host = leaving != LEAVING_NOT;
	struct event event = { .type = EVENT_SHUTDOWN,
			       .flag = with_host,
			       .index = leaving == LEAVING_REBOOT };

	if (!host->daemon || host->paused || host->ending)
		return;
	world->stats[STAT_SHUTDOWNS]++;
	world->stats[STAT_REBOOTS] += leaving == LEAVING_REBOOT;
	world_say(world, host,
		  leaving == LEAVING_REBOOT ? "the host reboots"
		  : with_host		    ? "the host shuts down"
					    : "clusterd is stopped");
	host->ending = true;
	host->ending_host = with_host;
	host_post(world, host, 0, &event);
	world_at(world, SECONDS(90), host, GUARD_DAEMON, daemon_run_end_limit);
}

void daemon_kill(struct world *world, struct host *host)
{
	uint32_t pid = host->pid;

	if (!host->daemon)
		return;
	host->daemon = false;
	host->daemon_epoch++;
	corosync_disconnect(world, host, pid);
	qemu_daemon_died(world, host);
}

static void daemon_run_start(struct world *world, struct item *item)
{
	daemon_start(world, item->host);
}

void daemon_restart_later(struct world *world, struct host *host, uint64_t delay_us)
{
	world_at(world, delay_us, host, GUARD_POWER, daemon_run_start);
}

// ---- power, pause, clocks

static void host_run_booted(struct world *world, struct item *item)
{
	struct host *host = item->host;

	host->booted = true;
	world_say(world, host, "booted");
	sanlock_start(world, host);
	corosync_start(world, host);
	daemon_restart_later(world, host, world_jitter(world, MS(100), MS(1500)));
}

void host_power_on(struct world *world, struct host *host)
{
	if (host->powered)
		return;
	host->powered = true;
	host->booted = false;
	host->paused = false;
	host->watchdog_doomed = false;
	host->lied_about = host->proved_off = false;
	memset(host->procs, 0, host->proc_high * sizeof(*host->procs));
	host->proc_high = 0;
	host->power_epoch++;
	host->boot = world_random_id(world);
	host->booted_us = world->now_us;
	world->stats[STAT_BOOTS]++;
	world_at(world, world_jitter(world, SECONDS(2), SECONDS(12)), host, GUARD_POWER,
		 host_run_booted);
}

void host_power_off(struct world *world, struct host *host, const char *why)
{
	if (!host->powered)
		return;
	world_say(world, host, "power off: %s", why);
	qemu_power_cut(host);
	host->daemon = false;
	host->daemon_epoch++;
	corosync_kill(world, host);
	sanlock_power_cut(world, host);
	store_power_cut(world, host);
	host->powered = false;
	host->booted = false;
	host->paused = false;
	host->power_epoch++;
}

static void host_run_resume(struct world *world, struct item *item)
{
	struct host *host = item->host;

	if (!host->paused || (uint32_t)item->a != host->power_epoch || item->b != host->resume_us)
		return;
	host->paused = false;
	world_say(world, host, "goes on after the pause");
	sanlock_thaw(world, host);
	corosync_link(world, host->index, host->index, true);
}

static void host_run_pause_watchdog(struct world *world, struct item *item)
{
	struct host *host = item->host;

	if ((uint32_t)item->a != host->power_epoch || !host->paused || item->b != host->resume_us)
		return;
	world->stats[STAT_WATCHDOGS]++;
	host_power_off(world, host, "watchdog");
	host_power_on(world, host);
}

void host_pause(struct world *world, struct host *host, uint64_t length_us)
{
	struct item *item;

	if (!host->booted || host->paused)
		return;
	world_say(world, host, "paused for %llu ms", (unsigned long long)(length_us / 1000));
	world->stats[STAT_PAUSES]++;
	sanlock_freeze(world, host);
	host->paused = true;
	host->resume_us = world->now_us + length_us;
	item = world_at(world, length_us, host, GUARD_NONE, host_run_resume);
	item->a = host->power_epoch;
	item->b = host->resume_us;
	if (host->watchdog) {
		item = world_at(world, world_jitter(world, SECONDS(50), SECONDS(60)), host,
				GUARD_NONE, host_run_pause_watchdog);
		item->a = host->power_epoch;
		item->b = host->resume_us;
	}
	corosync_link(world, host->index, host->index, false);
}

void host_clock_step(struct world *world, struct host *host, int64_t step_ms)
{
	world_say(world, host, "wall clock steps by %lld ms", (long long)step_ms);
	world->stats[STAT_CLOCK_STEPS]++;
	host->wall_ms += step_ms;
}

// ---- the world

static struct node_limits limits_of(const struct world_config *config)
{
	struct node_limits limits = {
		.cluster = { .vms_max = SIM_VMS_MAX, .lease_slots_max = SIM_LEASES_MAX },
		.view = {
			.records_max = 256,
			.log_bytes = 192 * 1024,
			.proposals_max = 128,
			.proposal_bytes = 96 * 1024,
			.copy_bytes = 320 * 1024,
		},
		.requests_max = 32,
	};

	if (config->vms > SIM_VMS_MAX - 8 || config->hosts > SIM_HOSTS_MAX) {
		size_t more = (size_t)4 * 1024 * (config->vms + 4 * config->hosts);

		limits.cluster.vms_max = config->vms + SIM_VMS_MAX;
		limits.cluster.lease_slots_max = DISK_LEASES_MAX;
		limits.view.log_bytes += more;
		limits.view.proposal_bytes += more;
		limits.view.copy_bytes += 2 * more;
	}
	return limits;
}

struct world *world_new(const struct world_config *config, uint64_t seed, FILE *trace)
{
	struct world *world = calloc(1, sizeof(*world));

	INVARIANT(world);
	world->config = *config;
	world->seed = seed;
	world->rng.state = seed * 0x2545f4914f6cdd1du + 1;
	world->trace = trace;
	world->next_pid = 1000;
	world->limits = limits_of(config);
	world->actions = (struct actions){ .max = 4096, .size = 4 * 1024 * 1024 };
	world->actions.items = calloc(world->actions.max, sizeof(struct action));
	world->actions.bytes = malloc(world->actions.size);
	INVARIANT(world->actions.items && world->actions.bytes);
	for (uint32_t i = 0; i < config->hosts; i++) {
		struct host *host = &world->hosts[i];

		host->index = i;
		host->id = i + 1;
		host->memory_mib = 65536;
		host->cpus = 16;
		snprintf(host->name, sizeof(host->name), "n%u", (unsigned int)(i + 1));
		host->proc_max = world->limits.cluster.vms_max;
		host->procs = calloc(host->proc_max, sizeof(*host->procs));
		INVARIANT(host->procs);
		host->memory = record_memory(node_memory(&world->limits));
		host->watchdog = config->watchdogs >> i & 1;
		host->fence_present = config->fences >> i & 1;
		host->store.id = world_random_id(world);
		for (uint32_t j = 0; j < config->hosts; j++)
			world->links[i][j] = world->move_links[i][j] = true;
	}
	return world;
}

void world_free(struct world *world)
{
	struct queue *queue = &world->queue;

	while (queue->count > 0) {
		struct queue_node node = queue_pop(queue);

		free(queue->items[node_item(&node)].data);
	}
	free(queue->heap);
	free(queue->items);
	free(queue->unused);
	for (uint32_t i = 0; i < world->config.hosts; i++) {
		store_fini(&world->hosts[i]);
		record_end(&world->hosts[i]);
		record_memory_free(world->hosts[i].memory, node_memory(&world->limits));
		free(world->hosts[i].own);
		free(world->hosts[i].procs);
		free(world->hosts[i].log);
	}
	corosync_fini(world);
	free(world->committed);
	free(world->actions.items);
	free(world->actions.bytes);
	free(world->story_text);
	free(world);
}
