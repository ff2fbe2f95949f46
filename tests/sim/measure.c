// SPDX-License-Identifier: Apache-2.0
// What hosts measure: their VMs' load, and whatever else runs there. Nothing is drawn from the
// world's stream and nothing is posted until somebody wants it, so that a world without is what it
// was.
#include "tests/sim/world.h"

#include <string.h>

#include "clusterd/invariant.h"

enum { SAMPLE_EVERY_MS = MEASURE_STEP_MS, LOAD_EVERY_S = 60 };

static struct sim_load *load_find(struct world *world, const struct uuid *uuid)
{
	for (uint32_t i = 0; i < world->load_count; i++)
		if (memcmp(&world->loads[i].uuid, uuid, sizeof(*uuid)) == 0)
			return &world->loads[i];
	return NULL;
}

static struct sim_load *load_new(struct world *world)
{
	INVARIANT(world->load_count < WORLD_VMS_MAX);
	return &world->loads[world->load_count++];
}

void measure_vm_load(struct world *world, const struct sim_load *wanted)
{
	struct sim_load *load = load_find(world, &wanted->uuid);

	if (!load)
		load = load_new(world);
	*load = *wanted;
}

static struct sim_load *load_named(struct world *world, const char *name)
{
	for (uint32_t i = 0; i < world->load_count; i++)
		if (world->loads[i].name[0] && strcmp(world->loads[i].name, name) == 0)
			return &world->loads[i];
	return NULL;
}

void measure_named_load(struct world *world, const char *name, uint32_t cpu, uint32_t memory_mib)
{
	struct sim_load *load = load_named(world, name);

	if (!load)
		load = load_new(world);
	snprintf(load->name, sizeof(load->name), "%s", name);
	load->cpu = cpu;
	load->memory_mib = memory_mib;
}

// The same for a while, and then another: a guest is busy for minutes, not for samples.
static struct sim_load load_of(struct world *world, const struct host *host,
			       const struct proc *proc)
{
	const struct sim_load *set = load_named(world, vm_name(host, proc->vm));
	struct rng rng = { .state = world->seed ^ proc->uuid.bytes[15] };

	if (!set)
		set = load_find(world, &proc->uuid);
	if (set)
		return *set;
	if (!world->config.measures)
		return (struct sim_load){ .cpu = 0, .memory_mib = 256 };
	rng.state += world->now_us / SECONDS(LOAD_EVERY_S) << 20;
	return (struct sim_load){
		.cpu = (uint32_t)rng_below(&rng, rng_chance(&rng, 30) ? 4000 : 200),
		.memory_mib = (uint32_t)rng_between(&rng, 64, 2048),
	};
}

static bool by_slot(const struct proc *a, const struct proc *b)
{
	return a->vm.slot < b->vm.slot;
}

static void add_vms(struct world *world, struct host *host, struct measure_sample *sample,
		    uint32_t *cpu, uint32_t *memory_mib)
{
	const struct proc *procs[WORLD_VMS_MAX + SIM_VMS_MAX];
	uint32_t count = 0;

	for (uint32_t i = 0; i < host->proc_high; i++) {
		uint32_t at = count;

		if (!host->procs[i].writes)
			continue;
		for (; at > 0 && by_slot(&host->procs[i], procs[at - 1]); at--)
			procs[at] = procs[at - 1];
		procs[at] = &host->procs[i];
		count++;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct sim_load load = load_of(world, host, procs[i]);
		struct measure_vm *vm = &sample->vms[sample->vm_count];

		*cpu += load.cpu;
		*memory_mib += load.memory_mib;
		if (sample->vm_count == SAMPLE_VMS_MAX ||
		    (sample->vm_count > 0 && vm[-1].vm.slot == procs[i]->vm.slot))
			continue;
		vm->vm = procs[i]->vm;
		memset(vm->values, 0, sizeof(vm->values));
		vm->values[MEASURE_VM_CPU - MEASURE_VM_CPU] = load.cpu;
		vm->values[MEASURE_VM_MEMORY - MEASURE_VM_CPU] = load.memory_mib;
		vm->values[MEASURE_VM_READ - MEASURE_VM_CPU] = load.disk_kib;
		vm->values[MEASURE_VM_WRITE - MEASURE_VM_CPU] = load.disk_kib;
		vm->values[MEASURE_VM_RECEIVED - MEASURE_VM_CPU] = load.network_kib;
		vm->values[MEASURE_VM_SENT - MEASURE_VM_CPU] = load.network_kib;
		sample->vm_count++;
	}
}

static void add_volumes(const struct host *host, struct measure_sample *sample)
{
	static const uint32_t latency_us[] = {
		[PATH_OK] = 900,
		[PATH_SLOW] = 800 * 1000,
		[PATH_HUNG] = 30 * 1000 * 1000,
		[PATH_LOST] = MEASURE_UNKNOWN,
	};

	for (uint32_t disk = 0; disk < DISKS_MAX; disk++) {
		const struct place_on_host *path = &host->paths[disk];

		if (!path->open || path->volume >= VOLUMES_MAX)
			continue;
		sample->volume_mask |= 1u << path->volume;
		sample->volumes[path->volume] = latency_us[path->state];
	}
}

static uint32_t permille(uint64_t part, uint64_t whole)
{
	return part < whole ? (uint32_t)(part * 1000 / whole) : 1000;
}

// Hosts that say nothing for a while, or nonsense, or are in another time.
static bool trouble_measures(struct world *world, struct measure_sample *sample)
{
	if (!world->config.measures || world->quiet)
		return true;
	switch (rng_below(&world->measure_rng, 12)) {
	case 0:
		return false;
	case 1:
		sample->node[MEASURE_NODE_CPU] = 5000;
		break;
	case 2:
		sample->node[MEASURE_NODE_MEMORY] = MEASURE_VALUE_MAX;
		if (sample->vm_count > 0)
			sample->vms[0].values[0] = MEASURE_VALUE_MAX;
		break;
	case 3:
		sample->wall_ms += 3600 * 1000;
		break;
	case 4:
		for (uint32_t i = 0; i < MEASURE_NODE_COUNT; i++)
			sample->node[i] = MEASURE_UNKNOWN;
		break;
	}
	return true;
}

static void measure_host(struct world *world, struct host *host)
{
	struct measure_sample sample = { .step_ms = SAMPLE_EVERY_MS, .has_node = true };
	uint32_t cpu = host->foreign_cpu, memory_mib = host->foreign_mib;
	uint8_t bytes[SAMPLE_BYTES_MAX];
	struct event event = { .type = EVENT_MEASURED, .body = bytes };

	sample.wall_ms = (uint64_t)((int64_t)(world->now_us / 1000) + host->wall_ms);
	add_vms(world, host, &sample, &cpu, &memory_mib);
	add_volumes(host, &sample);
	sample.node[MEASURE_NODE_CPU] = permille(cpu, host->cpus * 1000ull);
	sample.node[MEASURE_NODE_CPU_PRESSURE] =
		cpu > host->cpus * 1000 ? permille(cpu - host->cpus * 1000, cpu) : 0;
	sample.node[MEASURE_NODE_MEMORY_PRESSURE] = host->memory_pressure;
	sample.node[MEASURE_NODE_IO_PRESSURE] = host->io_pressure;
	sample.node[MEASURE_NODE_MEMORY] = permille(memory_mib, host->memory_mib);
	if (!trouble_measures(world, &sample))
		return;
	event.body_size = sample_encode(&sample, bytes, sizeof(bytes));
	INVARIANT(event.body_size > 0);
	host_post(world, host, 0, &event);
}

static void measure_run(struct world *world, struct item *item)
{
	struct host *host = item->host;

	if (host->daemon && !host->paused && host->node && !host->mute)
		measure_host(world, host);
	world_at(world, MS(SAMPLE_EVERY_MS), host, GUARD_NONE, measure_run);
}

void measure_begin(struct world *world)
{
	if (world->measuring)
		return;
	world->measuring = true;
	world->measure_rng.state = world->seed ^ 0x6d656173;
	for (uint32_t i = 0; i < world->config.hosts; i++)
		world_at(world, MS(1000 + 300 * i), &world->hosts[i], GUARD_NONE, measure_run);
}

// To whoever is in the same ring; they are no part of what corosync recovers there.
void measure_perform(struct world *world, struct host *host, const struct action *action)
{
	struct event event = {
		.type = EVENT_MEASURES_HEARD,
		.from_id = host->id,
		.from_pid = host->pid,
		.body = action->body,
		.body_size = action->body_size,
	};

	for (uint32_t i = 0; i < world->config.hosts; i++) {
		struct host *to = &world->hosts[i];

		if (to->daemon && !to->paused && host->corosync.ring &&
		    to->corosync.ring == host->corosync.ring)
			host_post(world, to, MS(1), &event);
	}
}

// Present values, or why there is none.
static void say_one(struct world *world, struct host *host, const char *name, bool good,
		    const struct series *series, const char *unit)
{
	if (good)
		world_say(world, host, "%s: %u %s", name,
			  (unsigned int)series->values[series->count - 1], unit);
	else
		world_say(world, host, "%s: %s", name, measure_why_text(series->why));
}

void measure_say(struct world *world, struct host *host)
{
	const struct measures *measures = host->daemon ? node_measures(host->node) : NULL;
	const struct cluster *cluster = host->daemon ? node_cluster(host->node) : NULL;
	uint64_t now_ms = host_clock_ms(world, host);
	struct series series;
	bool good;

	for (uint8_t i = 0; measures && i < cluster->node_high; i++) {
		if (!cluster->nodes[i].used)
			continue;
		good = measures_node(measures, i, MEASURE_NODE_CPU, now_ms, &series);
		say_one(world, host, cluster->nodes[i].def.name, good, &series, "permille");
	}
	for (uint32_t i = 0; measures && i < cluster->vm_high; i++) {
		if (!cluster->vms[i].used)
			continue;
		good = measures_vm(measures, cluster->vms[i].ref, MEASURE_VM_CPU, now_ms, &series);
		say_one(world, host, vm_definition(cluster, &cluster->vms[i])->name, good, &series,
			"permille of a CPU");
	}
}
