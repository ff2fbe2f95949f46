// SPDX-License-Identifier: Apache-2.0
#include "policies/pro.h"

#include <string.h>

enum {
	HOUR_MS = 3600000,
	JOINED_AFTER_MS = 60000, // the others, at least
	SMOOTH = 3,		 // samples that count as the present
};

static void read_one(struct pro_reading *reading, uint32_t value)
{
	reading->known = true;
	reading->count = 1;
	reading->values[0] = value;
}

static void read_series(struct pro_reading *reading, bool known, const struct series *series,
			uint32_t divisor)
{
	reading->known = known;
	reading->why = series->why;
	reading->step_ms = series->step_ms;
	reading->count = known ? series->count : 0;
	// A sample that is missing was as the one before it.
	for (uint32_t i = 0; i < reading->count; i++)
		reading->values[i] = series->values[i] != MEASURE_UNKNOWN
					     ? series->values[i] / divisor
					     : (i > 0 ? reading->values[i - 1] : 0);
}

static enum measure node_measure(enum pro_measure measure)
{
	switch (measure) {
	case PRO_MEMORY:
		return MEASURE_NODE_MEMORY;
	case PRO_CPU_PRESSURE:
		return MEASURE_NODE_CPU_PRESSURE;
	case PRO_MEMORY_PRESSURE:
		return MEASURE_NODE_MEMORY_PRESSURE;
	case PRO_IO_PRESSURE:
		return MEASURE_NODE_IO_PRESSURE;
	case PRO_CPU:
	case PRO_DISK:
	case PRO_NETWORK:
	case PRO_LATENCY:
	case PRO_FREE:
	case PRO_HEALTH:
	case PRO_JOINED:
	case PRO_IMBALANCE:
	case PRO_MEASURE_COUNT:
		break;
	}
	return MEASURE_NODE_CPU;
}

// Where others were before: when a cluster starts, nobody comes in.
static uint32_t joined_lately(const struct pro_world *world, uint8_t slot)
{
	const struct cluster *cluster = world->cluster;
	const struct cluster_node *node = &cluster->nodes[slot];
	uint64_t since_ms = node->since_ms;

	if (node->life != NODE_ONLINE || !node->reported ||
	    (world->wall_ms > since_ms && world->wall_ms - since_ms >= PRO_JOINED_MS))
		return 0;
	for (uint8_t other = 0; other < cluster->node_high; other++)
		if ((world->present >> other & 1) &&
		    cluster->nodes[other].since_ms + JOINED_AFTER_MS <= since_ms)
			return 1;
	return 0;
}

// The present value: what tells a moment's noise from a state is the policy's hold.
static bool node_now(const struct pro_world *world, uint8_t slot, enum measure what,
		     uint32_t *value)
{
	struct pro_reading reading = { 0 };
	struct series series;

	if (!(world->present >> slot & 1))
		return false;
	read_series(&reading, measures_node(world->measures, slot, what, world->now_ms, &series),
		    &series, 1);
	*value = pro_value(&reading);
	return reading.known && reading.count > 0;
}

static uint32_t root_of(uint64_t square)
{
	uint64_t root = 0;

	for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1)
		if ((root | bit) * (root | bit) <= square)
			root |= bit;
	return (uint32_t)root;
}

/*
 * The standard deviation of what the nodes use of themselves, CPUs and memory alike, as a share of
 * the largest that it can be: 0 where all are used alike, 100 where one node has everything. What
 * hardly does anything is not uneven.
 */
static void read_imbalance(const struct pro_world *world, struct pro_reading *reading)
{
	enum { IDLE_PERMILLE = 10 };
	uint64_t sum = 0, squares = 0, count = 0;
	uint32_t cpu, memory;

	for (uint8_t slot = 0; slot < world->cluster->node_high; slot++) {
		uint64_t use;

		if (!node_now(world, slot, MEASURE_NODE_CPU, &cpu) ||
		    !node_now(world, slot, MEASURE_NODE_MEMORY, &memory))
			continue;
		use = (uint64_t)cpu + memory;
		sum += use;
		squares += use * use;
		count++;
	}
	if (count < 2)
		reading->why = MEASURE_MISSING;
	else if (sum < 2 * IDLE_PERMILLE * count)
		read_one(reading, 0);
	else // the variance is at most the mean's square times one less than there are nodes
		read_one(reading, root_of(UINT64_C(10000) * (count * squares - sum * sum) /
					  (count - 1) / sum / sum));
}

static void read_node(const struct pro_world *world, const struct pro_def *def, uint8_t slot,
		      struct pro_reading *reading)
{
	struct series series;
	bool known;

	if (!(world->present >> slot & 1)) {
		reading->why = MEASURE_MISSING;
	} else if (def->measure == PRO_HEALTH) {
		read_one(reading, world->cluster->nodes[slot].def.health);
	} else if (def->measure == PRO_JOINED) {
		read_one(reading, joined_lately(world, slot));
	} else {
		known = measures_node(world->measures, slot, node_measure(def->measure),
				      world->now_ms, &series);
		read_series(reading, known, &series, 10);
	}
}

// Both ways together.
static void read_two(const struct pro_world *world, struct vm_ref vm, enum measure first,
		     enum measure second, struct pro_reading *reading)
{
	struct pro_reading other = { .known = false };
	struct series series;
	bool known = measures_vm(world->measures, vm, first, world->now_ms, &series);

	read_series(reading, known, &series, 1);
	known = measures_vm(world->measures, vm, second, world->now_ms, &series);
	read_series(&other, known, &series, 1);
	if (!other.known)
		reading->known = false;
	for (uint32_t i = 1; i <= reading->count && i <= other.count; i++)
		reading->values[reading->count - i] += other.values[other.count - i];
}

static void read_vm(const struct pro_world *world, const struct pro_def *def, struct vm_ref ref,
		    struct pro_reading *reading)
{
	const struct vm *vm = cluster_vm(world->cluster, ref);
	const struct vm_def *hardware = vm ? vm_definition(world->cluster, vm) : NULL;
	bool memory = def->measure == PRO_MEMORY, known;
	struct series series;

	reading->why = MEASURE_MISSING;
	if (!vm || vm->phase != VM_RUNNING)
		return;
	if (def->measure == PRO_DISK) {
		read_two(world, ref, MEASURE_VM_READ, MEASURE_VM_WRITE, reading);
		return;
	}
	if (def->measure == PRO_NETWORK) {
		read_two(world, ref, MEASURE_VM_RECEIVED, MEASURE_VM_SENT, reading);
		return;
	}
	known = measures_vm(world->measures, ref, memory ? MEASURE_VM_MEMORY : MEASURE_VM_CPU,
			    world->now_ms, &series);
	read_series(reading, known, &series, 1);
	// MiB of its memory, or permille of one CPU, in percent of what it has.
	for (uint32_t i = 0; i < reading->count; i++)
		reading->values[i] =
			memory ? (uint32_t)((uint64_t)reading->values[i] * 100 /
					    hardware->memory_mib)
			       : reading->values[i] / 10 / (hardware->cpus ? hardware->cpus : 1);
}

static void read_volume(const struct pro_world *world, const struct pro_def *def, uint8_t volume,
			struct pro_reading *reading)
{
	reading->why = MEASURE_MISSING;
	for (uint8_t slot = 0; slot < world->cluster->node_high; slot++) {
		const struct node_volume *seen =
			&world->cluster->nodes[slot].report.volumes[volume];
		struct pro_reading one = { .known = false };
		struct series series;
		bool known, worse;

		if (!(world->present >> slot & 1) || !world->cluster->nodes[slot].reported ||
		    seen->state == VOLUME_OFFLINE || seen->state == VOLUME_LOST)
			continue;
		if (def->measure == PRO_FREE) {
			read_one(&one, seen->free_mib);
		} else {
			known = measures_volume(world->measures, slot, volume,
						MEASURE_VOLUME_LATENCY, world->now_ms, &series);
			read_series(&one, known, &series, 1000);
		}
		if (!one.known || one.count == 0)
			continue;
		worse = !reading->known ||
			(def->measure == PRO_FREE ? pro_value(&one) < pro_value(reading)
						  : pro_value(&one) > pro_value(reading));
		if (worse)
			*reading = one;
	}
}

void pro_read(const struct pro_world *world, const struct pro_def *def,
	      const struct pro_target *target, struct pro_reading *reading)
{
	memset(reading, 0, sizeof(*reading));
	switch ((enum pro_subject)target->subject) {
	case PRO_NODE:
		if (target->node < NODES_MAX)
			read_node(world, def, target->node, reading);
		break;
	case PRO_VM:
		read_vm(world, def, target->vm, reading);
		break;
	case PRO_VOLUME:
		if (target->volume < VOLUMES_MAX)
			read_volume(world, def, target->volume, reading);
		break;
	case PRO_CLUSTER:
		if (def->measure == PRO_IMBALANCE)
			read_imbalance(world, reading);
		break;
	case PRO_SUBJECT_COUNT:
		break;
	}
	if (reading->count == 0)
		reading->known = false;
}

enum pro_judgement pro_judge(const struct pro_def *def, uint32_t value)
{
	if (def->below ? value <= def->threshold : value >= def->threshold)
		return PRO_TROUBLE;
	if (def->clear == def->threshold)
		return PRO_OVER;
	return (def->below ? value < def->clear : value > def->clear) ? PRO_BETWEEN : PRO_OVER;
}

uint64_t pro_held_ms(const struct pro_def *def, const struct pro_reading *reading)
{
	uint64_t held_ms = 0;

	for (uint32_t back = 0; reading->known && back < reading->count; back++) {
		enum pro_judgement judgement =
			pro_judge(def, reading->values[reading->count - 1 - back]);

		if (judgement == PRO_OVER)
			break;
		if (judgement == PRO_TROUBLE)
			held_ms = (uint64_t)(back + 1) * reading->step_ms;
	}
	return held_ms;
}

bool pro_over(const struct pro_def *def, const struct pro_reading *reading)
{
	uint32_t look = reading->step_ms ? 2 : 1;

	if (!reading->known || reading->count < look)
		return false;
	for (uint32_t back = 0; back < look; back++)
		if (pro_judge(def, reading->values[reading->count - 1 - back]) != PRO_OVER)
			return false;
	return true;
}

bool pro_rate_fits(const struct pro_def *def, const struct pro_reading *reading)
{
	uint64_t steps = reading->step_ms ? def->hold_s * UINT64_C(1000) / reading->step_ms : 0;
	uint32_t now, then;
	uint64_t span_ms, way;

	if (def->rate == 0)
		return true;
	if (!reading->known || reading->count < 2)
		return false;
	steps = steps < 1 ? 1 : steps;
	if (steps > reading->count - 1)
		steps = reading->count - 1;
	span_ms = steps * reading->step_ms;
	now = reading->values[reading->count - 1];
	then = reading->values[reading->count - 1 - steps];
	if (def->below ? now >= then : now <= then)
		return false;
	way = def->below ? then - now : now - then;
	return span_ms > 0 && way * 60000 / span_ms >= def->rate;
}

uint32_t pro_value(const struct pro_reading *reading)
{
	uint32_t count = reading->count < SMOOTH ? reading->count : SMOOTH;
	uint64_t sum = 0;

	for (uint32_t back = 0; back < count; back++)
		sum += reading->values[reading->count - 1 - back];
	return count ? (uint32_t)(sum / count) : 0;
}

bool pro_in_window(const struct pro_def *def, uint64_t day_ms)
{
	uint32_t minute = (uint32_t)(day_ms / 60000 % PRO_DAY_MIN);

	if (def->from_min <= def->to_min)
		return minute >= def->from_min && minute < def->to_min;
	return minute >= def->from_min || minute < def->to_min;
}

bool pro_automatic(const struct cluster *cluster, const struct cluster_policy *policy,
		   uint64_t wall_ms)
{
	if (!policy->def.enabled || policy->suspended)
		return false;
	switch ((enum pro_mode)policy->def.mode) {
	case PRO_ADVICE:
		return false;
	case PRO_AUTOMATIC:
		return true;
	case PRO_WINDOW:
		return pro_in_window(&policy->def, cluster_day_ms(cluster, wall_ms));
	case PRO_MODE_COUNT:
		break;
	}
	return false;
}

// Two nodes' clocks may differ: what seems to come has just been.
static uint64_t ago(uint64_t wall_ms, uint64_t then_ms)
{
	return wall_ms > then_ms ? wall_ms - then_ms : 0;
}

bool pro_vm_rests(const struct vm *vm, uint32_t rest_s, uint64_t wall_ms)
{
	return vm->last_move_ms != 0 && ago(wall_ms, vm->last_move_ms) < rest_s * UINT64_C(1000);
}

bool pro_node_spent(const struct cluster_node *node, uint32_t budget, uint64_t wall_ms)
{
	uint32_t lately = 0;

	for (uint32_t i = 0; i < node->policy_move_count; i++)
		lately += ago(wall_ms, node->policy_moves[i]) < HOUR_MS;
	return lately >= budget;
}

uint64_t pro_unseen(const struct pro_world *world)
{
	uint64_t unseen = 0;
	struct series series;

	for (uint8_t slot = 0; slot < world->cluster->node_high; slot++)
		if ((world->present >> slot & 1) &&
		    !(measures_node(world->measures, slot, MEASURE_NODE_CPU, world->now_ms,
				    &series) &&
		      measures_node(world->measures, slot, MEASURE_NODE_MEMORY, world->now_ms,
				    &series)))
			unseen |= UINT64_C(1) << slot;
	return unseen;
}

int32_t pro_gain(uint32_t before, uint32_t after, uint32_t cost_ms, uint32_t rest_s)
{
	int64_t better = (int64_t)before - (int64_t)after;
	int64_t cost = rest_s ? (int64_t)cost_ms / 10 / (int64_t)rest_s : 0;

	if (before == 0)
		return 0;
	return (int32_t)(better * 100 / (int64_t)before - cost);
}

enum tip_verdict pro_verdict(uint32_t before, uint32_t after, uint32_t measured)
{
	if (before <= after)
		return VERDICT_NONE;
	return measured < before && 2 * (uint64_t)(before - measured) >= before - after
		       ? VERDICT_HELD
		       : VERDICT_FAILED;
}
