// SPDX-License-Identifier: Apache-2.0
/*
 * Pre-copy as a geometric series: each round sends what was dirtied in the one before. It ends when
 * the rest fits into the pause, which begins at FIRST_MS and is raised by half a round
 * (converge.c).
 */
#include "migration/forecast.h"

#include <string.h>

enum {
	FIRST_MS = 25,
	OVERHEAD_US = 6000, // stop, devices, the word between the daemons, continue
	SETUP_MS = 40,
	ROUNDS_MAX = 60,
	SAMPLES_MAX = 7, // moves whose median counts
};

static const uint64_t KNOWN_RATE_LEAST = 1024 * 1024;

static uint64_t takes_us(uint64_t bytes, uint64_t rate)
{
	return bytes / rate * 1000000 + bytes % rate * 1000000 / rate;
}

struct move_numbers forecast_live(const struct forecast_facts *facts)
{
	struct move_numbers numbers;
	uint64_t left = facts->memory, total_us = 0, limit_us = FIRST_MS * 1000ull, took_us;

	memset(&numbers, 0, sizeof(numbers));
	numbers.dirty_rate = facts->dirty_rate;
	numbers.rate = facts->rate;
	if (facts->rate < KNOWN_RATE_LEAST)
		return numbers;
	for (uint32_t round = 1; round <= ROUNDS_MAX; round++) {
		took_us = takes_us(left, facts->rate);
		if (round > 1 && took_us <= limit_us) {
			numbers.rounds = round;
			numbers.bytes += left;
			numbers.pause_us = (uint32_t)(took_us + OVERHEAD_US);
			numbers.total_ms =
				(uint32_t)((total_us + took_us + OVERHEAD_US) / 1000 + SETUP_MS);
			return numbers;
		}
		total_us += took_us;
		numbers.bytes += left;
		if (took_us > 86400000000ull || total_us > 86400000000ull)
			break;
		// A guest cannot dirty more than it has.
		left = facts->dirty_rate / 1000 * took_us / 1000;
		if (left > facts->memory)
			left = facts->memory;
		if (round > 1)
			limit_us = limit_us * 3 / 2;
		if (limit_us > facts->max_pause_ms * 1000ull)
			limit_us = facts->max_pause_ms * 1000ull;
	}
	numbers.rounds = 0;
	numbers.bytes = 0;
	return numbers;
}

static bool named(const struct cluster *cluster, uint8_t slot, const char *name)
{
	return slot < NODES_MAX && cluster->nodes[slot].used &&
	       strcmp(cluster->nodes[slot].def.name, name) == 0;
}

static const struct past_move *past_at(const struct cluster *cluster, uint32_t back)
{
	uint32_t at = (cluster->past_move + PAST_MOVES_MAX - 1 - back) % PAST_MOVES_MAX;
	const struct past_move *past = &cluster->past_moves[at];

	return past->id != 0 && past->outcome == MOVE_DONE && past->kind == MOVE_LIVE ? past : NULL;
}

struct samples {
	uint32_t count;
	uint64_t values[SAMPLES_MAX];
};

static void sample_add(struct samples *samples, uint64_t value)
{
	uint32_t at;

	if (samples->count == SAMPLES_MAX)
		return;
	for (at = samples->count++; at > 0 && samples->values[at - 1] > value; at--)
		samples->values[at] = samples->values[at - 1];
	samples->values[at] = value;
}

// One move says little: others may have shared the processors or the link with it.
static uint64_t median(const struct samples *samples)
{
	uint32_t half = samples->count / 2;

	if (samples->count == 0)
		return 0;
	return samples->count % 2 ? samples->values[half]
				  : samples->values[half - 1] +
					    (samples->values[half] - samples->values[half - 1]) / 2;
}

// While it sent: what a move takes at any rate is added by forecast_live().
static uint64_t rate_of(const struct past_move *past)
{
	uint64_t fixed_ms = SETUP_MS + OVERHEAD_US / 1000, total_ms = past->fact.total_ms;

	if (total_ms == 0)
		return past->fact.rate;
	total_ms = total_ms > 2 * fixed_ms ? total_ms - fixed_ms : total_ms / 2 + 1;
	return past->fact.bytes / total_ms * 1000;
}

uint64_t forecast_rate(const struct cluster *cluster, uint8_t source, uint8_t target)
{
	struct samples these = { 0 }, any = { 0 };

	for (uint32_t back = 0; back < PAST_MOVES_MAX; back++) {
		const struct past_move *past = past_at(cluster, back);

		if (!past || past->fact.rate == 0)
			continue;
		if (named(cluster, source, past->source) && named(cluster, target, past->target))
			sample_add(&these, rate_of(past));
		sample_add(&any, rate_of(past));
	}
	return median(these.count ? &these : &any);
}

// Beyond the first round it sent what was dirtied meanwhile.
static uint64_t first_round(const struct past_move *past)
{
	uint64_t dirtied = past->fact.dirty_rate / 1000 * past->fact.total_ms;

	return past->fact.bytes > dirtied ? past->fact.bytes - dirtied : past->fact.bytes;
}

uint64_t forecast_memory(const struct cluster *cluster, const struct vm *vm)
{
	const struct vm_def *def = vm_definition(cluster, vm);
	uint64_t memory = (uint64_t)def->memory_mib << 20, sent;
	struct samples percents = { 0 };

	for (uint32_t back = 0; back < PAST_MOVES_MAX; back++) {
		const struct past_move *past = past_at(cluster, back);
		const struct vm *other;

		if (!past || past->fact.bytes == 0)
			continue;
		sent = first_round(past);
		if (strcmp(past->vm, def->name) == 0)
			return sent < memory ? sent : memory;
		other = cluster_find_vm(cluster, past->vm);
		if (other && vm_definition(cluster, other)->memory_mib)
			sample_add(&percents,
				   sent / vm_definition(cluster, other)->memory_mib * 100 >> 20);
	}
	// Much of a guest's memory may never have been written: as little as of others'.
	sent = percents.count ? median(&percents) : 100;
	return sent < 100 ? memory / 100 * sent : memory;
}
