// SPDX-License-Identifier: Apache-2.0
#include "resources/counters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CPU_IDLE = 3,
	CPU_IOWAIT = 4,
	CPU_FIELDS = 8,
	STAT_TICKS = 14, // utime, then stime, in proc(5)'s count
	STAT_START = 22,
	STAT_PAGES = 24,
};

// The number behind a key at the beginning of a line.
static bool number_of(const char *text, const char *key, uint64_t *number)
{
	size_t length = strlen(key);
	const char *line = text;
	char *end;

	for (; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		if (strncmp(line, key, length) != 0)
			continue;
		*number = strtoull(line + length, &end, 10);
		return end != line + length;
	}
	return false;
}

bool counters_cpu(const char *stat, struct cpu_counters *counters)
{
	const char *at = stat;
	char *end;

	memset(counters, 0, sizeof(*counters));
	if (strncmp(at, "cpu ", 4) != 0)
		return false;
	at += 4;
	for (int i = 0; i < CPU_FIELDS; i++) {
		while (*at == ' ')
			at++;
		counters->field[i] = strtoull(at, &end, 10);
		// Old kernels count fewer; without the idle time there is nothing to say.
		if (end == at && i <= CPU_IDLE)
			return false;
		at = end;
	}
	counters->known = true;
	return true;
}

/*
 * Guests' time is among the user's. Some counters go back a little (idle and iowait do, when a CPU
 * is taken away): such a one has not moved. When all that moved is idle, it was idle.
 */
uint32_t counters_cpu_used(struct cpu_counters *before, const struct cpu_counters *now)
{
	uint64_t busy = 0, idle = 0;
	bool known = before->known;

	for (int i = 0; i < CPU_FIELDS; i++) {
		uint64_t moved =
			now->field[i] > before->field[i] ? now->field[i] - before->field[i] : 0;

		if (i == CPU_IDLE || i == CPU_IOWAIT)
			idle += moved;
		else
			busy += moved;
	}
	*before = *now;
	if (!known || busy + idle == 0)
		return MEASURE_UNKNOWN;
	return (uint32_t)(busy * 1000 / (busy + idle));
}

bool counters_process(const char *stat, struct process_counters *counters)
{
	// The name in field 2 may hold blanks and brackets: counted from its last bracket.
	const char *at = strrchr(stat, ')');
	uint64_t value;
	char *end;

	memset(counters, 0, sizeof(*counters));
	if (!at || at[1] != ' ' || at[2] == 'Z' || at[2] == 'X' || at[2] == 0)
		return false;
	at += 3;
	for (int field = 4; field <= STAT_PAGES; field++) {
		value = strtoull(at, &end, 10);
		if (end == at)
			return false;
		at = end;
		if (field == STAT_TICKS || field == STAT_TICKS + 1)
			counters->ticks += value;
		else if (field == STAT_START)
			counters->start = value;
		else if (field == STAT_PAGES)
			counters->pages = value;
	}
	return true;
}

bool counters_io(const char *io, uint64_t *read, uint64_t *written)
{
	return number_of(io, "read_bytes:", read) && number_of(io, "write_bytes:", written);
}

bool counters_net(const char *dev, const char *name, uint64_t *received, uint64_t *sent)
{
	size_t length = strlen(name);
	const char *line = dev, *at;
	char *end;

	for (; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		at = line + strspn(line, " ");
		if (strncmp(at, name, length) != 0 || at[length] != ':')
			continue;
		at += length + 1;
		*received = strtoull(at, &end, 10);
		for (int i = 1; i < 9 && end != at; i++) {
			at = end;
			*sent = strtoull(at, &end, 10);
		}
		return end != at;
	}
	return false;
}

bool counters_tap(const char *fdinfo, char *name, size_t size)
{
	const char *at = strstr(fdinfo, "iff:");
	size_t length;

	if (!at || (at != fdinfo && at[-1] != '\n'))
		return false;
	at += 4;
	at += strspn(at, " \t");
	length = strcspn(at, " \t\n");
	if (length == 0 || length >= size)
		return false;
	memcpy(name, at, length);
	name[length] = 0;
	return true;
}

uint32_t counters_memory(const char *meminfo)
{
	uint64_t total, available;

	if (!number_of(meminfo, "MemTotal:", &total) ||
	    !number_of(meminfo, "MemAvailable:", &available) || total == 0)
		return MEASURE_UNKNOWN;
	return available >= total ? 0 : (uint32_t)((total - available) * 1000 / total);
}

// "some avg10=1.23 avg60=...", in percent: with the two digits that the kernel gives.
uint32_t counters_pressure(const char *text)
{
	const char *at = strncmp(text, "some ", 5) == 0 ? strstr(text, "avg10=") : NULL;
	unsigned long whole, hundredths = 0;
	char *end;

	if (!at)
		return MEASURE_UNKNOWN;
	at += 6;
	whole = strtoul(at, &end, 10);
	if (end == at || whole > 100)
		return MEASURE_UNKNOWN;
	if (end[0] == '.' && end[1] >= '0' && end[1] <= '9')
		hundredths = (unsigned long)(end[1] - '0');
	return whole == 100 ? 1000 : (uint32_t)(whole * 10 + hundredths);
}

uint32_t counters_ticks_used(uint64_t before, uint64_t now, uint64_t elapsed_us, uint64_t hz)
{
	uint64_t used_us, permille;

	if (now < before || elapsed_us == 0 || hz == 0 || now - before > UINT32_MAX)
		return MEASURE_UNKNOWN;
	used_us = (now - before) * 1000000 / hz;
	permille = used_us * 1000 / elapsed_us;
	return permille > MEASURE_VALUE_MAX ? MEASURE_UNKNOWN : (uint32_t)permille;
}

uint32_t counters_rate(uint64_t before, uint64_t now, uint64_t elapsed_us)
{
	uint64_t kib = (now - before) >> 10;

	if (now < before || elapsed_us == 0 || kib > UINT64_MAX / 1000000)
		return MEASURE_UNKNOWN;
	kib = kib * 1000000 / elapsed_us;
	return kib > MEASURE_VALUE_MAX ? MEASURE_VALUE_MAX : (uint32_t)kib;
}
