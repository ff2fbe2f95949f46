// SPDX-License-Identifier: Apache-2.0
#include "migration/progress_io.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MIB = 1024 * 1024 };

static const char *status_word(uint8_t status)
{
	switch ((enum migrate_status)status) {
	case MIGRATE_NONE:
		return "none";
	case MIGRATE_SETUP:
		return "setup";
	case MIGRATE_ACTIVE:
		return "active";
	case MIGRATE_POSTCOPY:
		return "post-copy";
	case MIGRATE_PRE_SWITCHOVER:
		return "pre-switchover";
	case MIGRATE_DEVICE:
		return "device";
	case MIGRATE_COMPLETED:
		return "completed";
	case MIGRATE_FAILED:
		return "failed";
	case MIGRATE_CANCELLED:
		return "cancelled";
	case MIGRATE_TORN:
		return "torn";
	case MIGRATE_STATUS_COUNT:
		break;
	}
	return "?";
}

static json_t *integer(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

// With what is dirtied meanwhile, which in post-copy nobody sends again.
static json_t *left_json(const struct migrate_stats *stats)
{
	uint64_t dirty = stats->status == MIGRATE_POSTCOPY ? 0 : stats->dirty_rate;

	if ((stats->status != MIGRATE_ACTIVE && stats->status != MIGRATE_POSTCOPY) ||
	    stats->rate <= dirty)
		return json_null();
	return integer(stats->remaining / ((stats->rate - dirty) / 1000 + 1));
}

json_t *progress_json(const struct migrate_stats *stats)
{
	json_t *row = json_object();

	json_object_set_new(row, "status", json_string(status_word(stats->status)));
	json_object_set_new(row, "total", integer(stats->total));
	json_object_set_new(row, "remaining", integer(stats->remaining));
	json_object_set_new(row, "transferred", integer(stats->transferred));
	json_object_set_new(row, "rate", integer(stats->rate));
	json_object_set_new(row, "dirty_rate", integer(stats->dirty_rate));
	json_object_set_new(row, "rounds", integer(stats->rounds));
	json_object_set_new(row, "throttle", integer(stats->throttle));
	json_object_set_new(row, "pause_us", integer(stats->pause_us));
	json_object_set_new(row, "total_ms", integer(stats->total_ms));
	json_object_set_new(row, "left_ms", left_json(stats));
	return row;
}

static void add(char *buf, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void add(char *buf, size_t size, const char *format, ...)
{
	size_t used = strlen(buf);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(buf + used, size - used, format, arguments);
	va_end(arguments);
}

static json_int_t number(const json_t *row, const char *name)
{
	return json_integer_value(json_object_get(row, name));
}

static void transfer_text(const json_t *row, char *buf, size_t size)
{
	json_int_t total = number(row, "total"), left_ms = number(row, "left_ms");
	json_int_t remaining = number(row, "remaining"), done = total - remaining;

	if (total <= 0) {
		add(buf, size, "begins");
		return;
	}
	done = done > 0 ? done : 0;
	add(buf, size, "%lld of %lld MiB (%lld %%)", (long long)(done / MIB),
	    (long long)(total / MIB), (long long)(done / (total / 100 + 1)));
	if (number(row, "rounds") > 1)
		add(buf, size, ", round %lld", (long long)number(row, "rounds"));
	if (number(row, "rate") > 0)
		add(buf, size, ", %lld MiB/s", (long long)(number(row, "rate") / MIB));
	if (number(row, "dirty_rate") >= MIB)
		add(buf, size, ", dirties %lld MiB/s",
		    (long long)(number(row, "dirty_rate") / MIB));
	if (number(row, "throttle") > 0)
		add(buf, size, ", slowed by %lld %%", (long long)number(row, "throttle"));
	if (json_is_integer(json_object_get(row, "left_ms")))
		add(buf, size, ", %lld s left", (long long)((left_ms + 999) / 1000));
}

void progress_text(const json_t *progress, char *buf, size_t size)
{
	const char *status = json_string_value(json_object_get(progress, "status"));

	*buf = 0;
	if (!status)
		return;
	if (strcmp(status, "active") == 0) {
		transfer_text(progress, buf, size);
	} else if (strcmp(status, "post-copy") == 0) {
		add(buf, size, "runs there already; ");
		transfer_text(progress, buf, size);
	} else if (strcmp(status, "setup") == 0) {
		add(buf, size, "connecting");
	} else if (strcmp(status, "pre-switchover") == 0 || strcmp(status, "device") == 0) {
		add(buf, size, "handing over");
	} else if (strcmp(status, "completed") == 0) {
		add(buf, size, "sent");
	}
}
