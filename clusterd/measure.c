// SPDX-License-Identifier: Apache-2.0
#include "clusterd/measure.h"

#include <string.h>

#include "clusterd/codec.h"
#include "clusterd/invariant.h"
#include "clusterd/zero.h"

enum {
	SAMPLE_MAGIC = 0x734d,
	SAMPLE_VERSION = 1,
	SAMPLE_NODE = 1,		 // flags: it holds what the node itself measures
	IO_MAX = 128 * 1024 * 1024,	 // KiB/s
	LATENCY_MAX = 600 * 1000 * 1000, // us
	// QEMU's own threads work beside its guest's CPUs, and two clocks never agree to the tick.
	CPU_SLACK = 1000,
};

#define VALUE_ABSURD (UINT32_MAX - 1)

// ---- the series: rings of samples that were heard one step apart ----

struct ring_head {
	uint64_t at_ms;
	uint32_t step_ms;
	uint32_t key; // of whom it is: a slot may be another's by now
	uint8_t count, next;
	bool future;
};

struct node_series {
	struct ring_head head;
	uint32_t values[MEASURE_NODE_COUNT][SERIES_NODE_MAX];
};

struct volume_series {
	struct ring_head head;
	uint32_t values[1][SERIES_VOLUME_MAX];
};

struct vm_series {
	struct ring_head head;
	uint32_t values[MEASURE_VM_COUNT][SERIES_VM_MAX];
};

struct measures {
	uint32_t vms_max;
	uint64_t dropped;
	uint64_t nodes_known;  // mask: whose series were begun
	uint8_t *vms_known;    // bits of slots, the same
	struct vm_series *vms; // [vms_max]
	struct node_series nodes[NODES_MAX];
	struct volume_series volumes[NODES_MAX][VOLUMES_MAX];
};

static size_t aligned(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

size_t measures_memory(uint32_t vms_max)
{
	return aligned(sizeof(struct measures)) + aligned((vms_max + 7) / 8) +
	       vms_max * sizeof(struct vm_series);
}

struct measures *measures_init(uint32_t vms_max, void *memory)
{
	struct measures *measures = memory;
	uint8_t *at = (uint8_t *)memory + aligned(sizeof(*measures));

	memset(measures, 0, offsetof(struct measures, nodes));
	measures->vms_max = vms_max;
	measures->vms_known = at;
	zero_fill(at, (vms_max + 7) / 8);
	measures->vms = (struct vm_series *)(void *)(at + aligned((vms_max + 7) / 8));
	return measures;
}

void measures_drop(struct measures *measures)
{
	measures->dropped++;
}

uint64_t measures_dropped(const struct measures *measures)
{
	return measures->dropped;
}

/*
 * Where the new sample goes. Values of a series are one step apart: one that comes much too early
 * takes the place of the last, and after a gap of several the series begins anew, for what was
 * before says nothing of the time between.
 */
static uint32_t ring_place(struct ring_head *head, uint32_t key, uint32_t size, uint32_t step_ms,
			   uint64_t now_ms)
{
	uint64_t gap_ms = now_ms - head->at_ms;

	if (head->count > 0 &&
	    (head->key != key || head->step_ms != step_ms || now_ms < head->at_ms ||
	     gap_ms > (uint64_t)MEASURE_STALE_STEPS * step_ms))
		head->count = head->next = 0;
	head->key = key;
	head->step_ms = step_ms;
	head->at_ms = now_ms;
	if (head->count > 0 && gap_ms < step_ms / 2)
		return (head->next + size - 1) % size;
	if (head->count < size)
		head->count++;
	head->next = (uint8_t)((head->next + 1) % size);
	return (head->next + size - 1) % size;
}

static uint32_t value_kept(uint32_t value, enum measure what, const struct measure_teller *teller)
{
	if (value == MEASURE_UNKNOWN)
		return value;
	return value > measure_max(what, teller->cpus, teller->memory_mib) ? VALUE_ABSURD : value;
}

static void keep_volume(struct measures *measures, const struct measure_teller *teller, uint8_t v,
			const struct measure_sample *sample, uint64_t now_ms, bool future)
{
	struct volume_series *series = &measures->volumes[teller->node][v];
	uint32_t at =
		ring_place(&series->head, teller->id, SERIES_VOLUME_MAX, sample->step_ms, now_ms);

	series->head.future = future;
	series->values[0][at] = value_kept(sample->volumes[v], MEASURE_VOLUME_LATENCY, teller);
}

static void keep_vm(struct measures *measures, const struct measure_teller *teller,
		    const struct measure_vm *vm, uint32_t step_ms, uint64_t now_ms, bool future)
{
	struct vm_series *series = &measures->vms[vm->vm.slot];
	uint8_t *known = &measures->vms_known[vm->vm.slot / 8];
	uint8_t bit = (uint8_t)(1u << vm->vm.slot % 8);
	uint32_t at;

	if (!(*known & bit))
		memset(&series->head, 0, sizeof(series->head));
	*known |= bit;
	at = ring_place(&series->head, vm->vm.serial, SERIES_VM_MAX, step_ms, now_ms);
	series->head.future = future;
	for (uint32_t i = 0; i < MEASURE_VM_COUNT; i++)
		series->values[i][at] =
			value_kept(vm->values[i], (enum measure)(MEASURE_VM_CPU + i), teller);
}

void measures_keep(struct measures *measures, const struct measure_teller *teller,
		   const struct measure_sample *sample, uint64_t now_ms, uint64_t wall_ms)
{
	bool future = sample->wall_ms > wall_ms && sample->wall_ms - wall_ms > MEASURE_FUTURE_MS;
	uint64_t bit = 1ull << teller->node;
	struct node_series *node = &measures->nodes[teller->node];
	uint32_t at;

	INVARIANT(teller->node < NODES_MAX);
	if (!(measures->nodes_known & bit)) {
		memset(&node->head, 0, sizeof(node->head));
		for (uint8_t v = 0; v < VOLUMES_MAX; v++)
			memset(&measures->volumes[teller->node][v].head, 0,
			       sizeof(measures->volumes[0][0].head));
		measures->nodes_known |= bit;
	}
	if (sample->has_node) {
		at = ring_place(&node->head, teller->id, SERIES_NODE_MAX, sample->step_ms, now_ms);
		node->head.future = future;
		for (uint32_t i = 0; i < MEASURE_NODE_COUNT; i++)
			node->values[i][at] = value_kept(
				sample->node[i], (enum measure)(MEASURE_NODE_CPU + i), teller);
	}
	for (uint8_t v = 0; v < VOLUMES_MAX; v++)
		if (sample->volume_mask >> v & 1)
			keep_volume(measures, teller, v, sample, now_ms, future);
	for (uint32_t i = 0; i < sample->vm_count; i++)
		if (sample->vms[i].vm.slot < measures->vms_max)
			keep_vm(measures, teller, &sample->vms[i], sample->step_ms, now_ms, future);
}

// ---- reading ----

// Back from the newest for as long as each was told and can be: a gap in the values ends what can
// be said of their time.
static enum measure_why series_fill(const struct ring_head *head, const uint32_t *values,
				    uint32_t size, uint64_t now_ms, struct series *out)
{
	uint32_t newest = (head->next + size - 1) % size, count = 0;

	out->at_ms = head->at_ms;
	out->step_ms = head->step_ms;
	if (head->count == 0)
		return MEASURE_MISSING;
	if (head->future || now_ms < head->at_ms)
		return MEASURE_FUTURE;
	if (now_ms - head->at_ms > (uint64_t)MEASURE_STALE_STEPS * head->step_ms)
		return MEASURE_STALE;
	if (values[newest] == MEASURE_UNKNOWN)
		return MEASURE_UNTOLD;
	if (values[newest] == VALUE_ABSURD)
		return MEASURE_ABSURD;
	while (count < head->count && values[(newest + size - count) % size] < VALUE_ABSURD)
		count++;
	for (uint32_t i = 0; i < count; i++)
		out->values[i] = values[(newest + size - (count - 1 - i)) % size];
	out->count = count;
	return MEASURE_GOOD;
}

static void series_none(struct series *out)
{
	out->why = MEASURE_MISSING;
	out->count = 0;
	out->step_ms = MEASURE_STEP_MS;
	out->at_ms = 0;
}

bool measures_node(const struct measures *measures, uint8_t node, enum measure what,
		   uint64_t now_ms, struct series *out)
{
	const struct node_series *series;

	INVARIANT(what < MEASURE_VM_CPU);
	series_none(out);
	if (node >= NODES_MAX || !(measures->nodes_known >> node & 1))
		return false;
	series = &measures->nodes[node];
	out->why = series_fill(&series->head, series->values[what - MEASURE_NODE_CPU],
			       SERIES_NODE_MAX, now_ms, out);
	return out->why == MEASURE_GOOD;
}

bool measures_vm(const struct measures *measures, struct vm_ref vm, enum measure what,
		 uint64_t now_ms, struct series *out)
{
	const struct vm_series *series;

	INVARIANT(what >= MEASURE_VM_CPU && what < MEASURE_VOLUME_LATENCY);
	series_none(out);
	if (vm.slot >= measures->vms_max || !(measures->vms_known[vm.slot / 8] >> vm.slot % 8 & 1))
		return false;
	series = &measures->vms[vm.slot];
	if (series->head.key != vm.serial)
		return false;
	out->why = series_fill(&series->head, series->values[what - MEASURE_VM_CPU], SERIES_VM_MAX,
			       now_ms, out);
	return out->why == MEASURE_GOOD;
}

bool measures_volume(const struct measures *measures, uint8_t node, uint8_t volume,
		     enum measure what, uint64_t now_ms, struct series *out)
{
	const struct volume_series *series;

	INVARIANT(what == MEASURE_VOLUME_LATENCY);
	series_none(out);
	if (node >= NODES_MAX || volume >= VOLUMES_MAX || !(measures->nodes_known >> node & 1))
		return false;
	series = &measures->volumes[node][volume];
	out->why = series_fill(&series->head, series->values[0], SERIES_VOLUME_MAX, now_ms, out);
	return out->why == MEASURE_GOOD;
}

// ---- words ----

uint32_t measure_max(enum measure what, uint32_t cpus, uint32_t memory_mib)
{
	switch (what) {
	case MEASURE_NODE_CPU:
	case MEASURE_NODE_CPU_PRESSURE:
	case MEASURE_NODE_MEMORY:
	case MEASURE_NODE_MEMORY_PRESSURE:
	case MEASURE_NODE_IO_PRESSURE:
		return 1000;
	case MEASURE_VM_CPU:
		return cpus > 0 && cpus < 4096 ? cpus * 1000 + CPU_SLACK : 4096 * 1000;
	case MEASURE_VM_MEMORY:
		return memory_mib > 0 ? memory_mib : MEASURE_VALUE_MAX;
	case MEASURE_VM_READ:
	case MEASURE_VM_WRITE:
	case MEASURE_VM_RECEIVED:
	case MEASURE_VM_SENT:
		return IO_MAX;
	case MEASURE_VOLUME_LATENCY:
		return LATENCY_MAX;
	case MEASURE_COUNT:
		break;
	}
	INVARIANT(false);
	return 0;
}

const char *measure_word(enum measure what)
{
	static const char *const words[MEASURE_COUNT] = {
		[MEASURE_NODE_CPU] = "cpu",
		[MEASURE_NODE_CPU_PRESSURE] = "cpu-pressure",
		[MEASURE_NODE_MEMORY] = "memory",
		[MEASURE_NODE_MEMORY_PRESSURE] = "memory-pressure",
		[MEASURE_NODE_IO_PRESSURE] = "io-pressure",
		[MEASURE_VM_CPU] = "vm-cpu",
		[MEASURE_VM_MEMORY] = "vm-memory",
		[MEASURE_VM_READ] = "vm-read",
		[MEASURE_VM_WRITE] = "vm-write",
		[MEASURE_VM_RECEIVED] = "vm-received",
		[MEASURE_VM_SENT] = "vm-sent",
		[MEASURE_VOLUME_LATENCY] = "volume-latency",
	};

	return what < MEASURE_COUNT ? words[what] : "?";
}

const char *measure_unit(enum measure what)
{
	switch (what) {
	case MEASURE_NODE_CPU:
	case MEASURE_NODE_CPU_PRESSURE:
	case MEASURE_NODE_MEMORY:
	case MEASURE_NODE_MEMORY_PRESSURE:
	case MEASURE_NODE_IO_PRESSURE:
	case MEASURE_VM_CPU:
		return "permille";
	case MEASURE_VM_MEMORY:
		return "MiB";
	case MEASURE_VM_READ:
	case MEASURE_VM_WRITE:
	case MEASURE_VM_RECEIVED:
	case MEASURE_VM_SENT:
		return "KiB/s";
	case MEASURE_VOLUME_LATENCY:
		return "us";
	case MEASURE_COUNT:
		break;
	}
	return "?";
}

const char *measure_why_text(enum measure_why why)
{
	static const char *const texts[MEASURE_WHY_COUNT] = {
		[MEASURE_GOOD] = "",
		[MEASURE_MISSING] = "nothing was measured yet",
		[MEASURE_STALE] = "the last measurement is too old",
		[MEASURE_UNTOLD] = "its host could not tell this",
		[MEASURE_ABSURD] = "what was measured cannot be",
		[MEASURE_FUTURE] = "its host's clock is ahead",
	};

	return why < MEASURE_WHY_COUNT ? texts[why] : "?";
}

// ---- the wire: magic, version, flags, then numbers; a value is one more than it is, 0: unknown
// ----

static void write_value(struct writer *w, uint32_t value)
{
	write_varint(w, value == MEASURE_UNKNOWN ? 0 : (uint64_t)value + 1);
}

static uint32_t read_value(struct reader *r)
{
	uint64_t number = read_varint(r);

	if (number > (uint64_t)MEASURE_VALUE_MAX + 1)
		r->failed = true;
	return number == 0 || r->failed ? MEASURE_UNKNOWN : (uint32_t)(number - 1);
}

static uint32_t read_number32(struct reader *r)
{
	uint64_t number = read_varint(r);

	if (number > UINT32_MAX)
		r->failed = true;
	return (uint32_t)number;
}

static bool sample_good(const struct measure_sample *sample)
{
	if (sample->step_ms < MEASURE_STEP_MS_MIN || sample->step_ms > MEASURE_STEP_MS_MAX ||
	    sample->vm_count > SAMPLE_VMS_MAX)
		return false;
	for (uint32_t i = 0; i < sample->vm_count; i++)
		if (sample->vms[i].vm.serial == 0 ||
		    (i > 0 && sample->vms[i].vm.slot <= sample->vms[i - 1].vm.slot))
			return false;
	return true;
}

size_t sample_encode(const struct measure_sample *sample, uint8_t *buf, size_t size)
{
	struct writer w = { .buf = buf, .size = size };

	write_u16(&w, SAMPLE_MAGIC);
	write_u8(&w, SAMPLE_VERSION);
	write_u8(&w, sample->has_node ? SAMPLE_NODE : 0);
	write_varint(&w, sample->step_ms);
	write_varint(&w, sample->wall_ms);
	for (uint32_t i = 0; sample->has_node && i < MEASURE_NODE_COUNT; i++)
		write_value(&w, sample->node[i]);
	write_u32(&w, sample->volume_mask);
	for (uint8_t v = 0; v < VOLUMES_MAX; v++)
		if (sample->volume_mask >> v & 1)
			write_value(&w, sample->volumes[v]);
	write_varint(&w, sample->vm_count);
	for (uint32_t i = 0; i < sample->vm_count && i < SAMPLE_VMS_MAX; i++) {
		write_varint(&w, sample->vms[i].vm.slot);
		write_varint(&w, sample->vms[i].vm.serial);
		for (uint32_t k = 0; k < MEASURE_VM_COUNT; k++)
			write_value(&w, sample->vms[i].values[k]);
	}
	return w.failed || w.used > SAMPLE_BYTES_MAX || !sample_good(sample) ? 0 : w.used;
}

bool sample_decode(struct measure_sample *sample, const uint8_t *buf, size_t size)
{
	struct reader r = { .buf = buf, .size = size };
	uint8_t flags;

	if (size > SAMPLE_BYTES_MAX || read_u16(&r) != SAMPLE_MAGIC ||
	    read_u8(&r) != SAMPLE_VERSION)
		return false;
	flags = read_u8(&r);
	sample->has_node = flags & SAMPLE_NODE;
	sample->step_ms = read_number32(&r);
	sample->wall_ms = read_varint(&r);
	for (uint32_t i = 0; i < MEASURE_NODE_COUNT; i++)
		sample->node[i] = sample->has_node ? read_value(&r) : MEASURE_UNKNOWN;
	sample->volume_mask = read_u32(&r);
	for (uint8_t v = 0; v < VOLUMES_MAX; v++)
		sample->volumes[v] =
			sample->volume_mask >> v & 1 ? read_value(&r) : MEASURE_UNKNOWN;
	sample->vm_count = read_number32(&r);
	if (r.failed || flags > SAMPLE_NODE || sample->vm_count > SAMPLE_VMS_MAX)
		return false;
	for (uint32_t i = 0; i < sample->vm_count; i++) {
		sample->vms[i].vm.slot = read_number32(&r);
		sample->vms[i].vm.serial = read_number32(&r);
		for (uint32_t k = 0; k < MEASURE_VM_COUNT; k++)
			sample->vms[i].values[k] = read_value(&r);
	}
	return reader_done(&r) && sample_good(sample);
}
