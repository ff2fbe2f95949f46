// SPDX-License-Identifier: Apache-2.0
#include "resources/migrate_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static const char *const capability_words[CAPABILITY_COUNT] = {
	[CAPABILITY_EVENTS] = "events",
	[CAPABILITY_PAUSE] = "pause-before-switchover",
	[CAPABILITY_RETURN_PATH] = "return-path",
	[CAPABILITY_MULTIFD] = "multifd",
	[CAPABILITY_AUTO_CONVERGE] = "auto-converge",
	[CAPABILITY_POST_COPY] = "postcopy-ram",
	[CAPABILITY_LATE_BLOCK] = "late-block-activate",
	[CAPABILITY_ZERO_COPY] = "zero-copy-send",
	[CAPABILITY_XBZRLE] = "xbzrle",
	[CAPABILITY_COMPRESS] = "compress",
	[CAPABILITY_SNAPSHOT] = "background-snapshot",
};

enum {
	THROTTLE_FIRST = 10, // percent, when it begins
	THROTTLE_STEP = 10,
};

static uint64_t read_number(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	double number = json_number_value(value);

	return number > 0 && number < 1e18 ? (uint64_t)number : 0;
}

static uint32_t read_small(const json_t *object, const char *name)
{
	uint64_t number = read_number(object, name);

	return number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
}

bool migrate_status_read(const char *word, uint8_t *status)
{
	static const struct {
		const char *word;
		enum migrate_status status;
	} words[] = {
		{ "none", MIGRATE_NONE },
		{ "setup", MIGRATE_SETUP },
		{ "wait-unplug", MIGRATE_SETUP },
		{ "active", MIGRATE_ACTIVE },
		{ "postcopy-active", MIGRATE_POSTCOPY },
		{ "postcopy-paused", MIGRATE_TORN },
		{ "postcopy-recover", MIGRATE_POSTCOPY },
		{ "pre-switchover", MIGRATE_PRE_SWITCHOVER },
		{ "device", MIGRATE_DEVICE },
		{ "completed", MIGRATE_COMPLETED },
		{ "failed", MIGRATE_FAILED },
		{ "cancelled", MIGRATE_CANCELLED },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i].word) == 0) {
			*status = (uint8_t)words[i].status;
			return true;
		}
	return false;
}

bool migrate_capabilities_read(const char *json, uint32_t *known)
{
	json_t *list = json_loads(json, 0, NULL), *item;
	size_t at, i;

	*known = 0;
	json_array_foreach(list, at, item)
	{
		const char *word = json_string_value(json_object_get(item, "capability"));

		for (i = 0; word && i < CAPABILITY_COUNT; i++)
			if (strcmp(word, capability_words[i]) == 0)
				*known |= 1u << i;
	}
	json_decref(list);
	return *known != 0;
}

// What it says is a number of any size: out of what can be meant it is none.
static uint64_t read_rate(const json_t *ram)
{
	double mbps = json_number_value(json_object_get(ram, "mbps"));

	return mbps > 0 && mbps < 1e9 ? (uint64_t)(mbps * 1e6 / 8) : 0;
}

static void read_ram(const json_t *answer, struct migrate_stats *stats)
{
	const json_t *ram = json_object_get(answer, "ram");

	stats->total = read_number(ram, "total");
	stats->remaining = read_number(ram, "remaining");
	stats->transferred = read_number(ram, "transferred");
	stats->rate = read_rate(ram);
	stats->dirty_rate = read_number(ram, "dirty-pages-rate") * read_number(ram, "page-size");
	stats->rounds = read_small(ram, "dirty-sync-count");
	stats->throttle = read_small(answer, "cpu-throttle-percentage");
	stats->total_ms = read_small(answer, "total-time");
}

bool migrate_answer_read(const char *json, struct migrate_answer *answer)
{
	json_t *object = json_loads(json, 0, NULL);
	const char *status = json_string_value(json_object_get(object, "status"));
	const char *why = json_string_value(json_object_get(object, "error-desc"));
	const json_t *place = json_array_get(json_object_get(object, "socket-address"), 0);
	const char *port = json_string_value(json_object_get(place, "port"));
	bool good = json_is_object(object);

	memset(answer, 0, sizeof(*answer));
	if (status)
		migrate_status_read(status, &answer->status);
	read_ram(object, &answer->stats);
	answer->stats.status = answer->status;
	// At `completed` there are moments in which all of it is zero.
	answer->sums = answer->stats.transferred > 0 && answer->stats.total > 0;
	if (why)
		snprintf(answer->reason, sizeof(answer->reason), "%s", why);
	if (port)
		answer->port = (uint32_t)strtoul(port, NULL, 10);
	json_decref(object);
	return good;
}

bool migrate_run_word(const char *json, char *word, size_t size)
{
	json_t *object = json_loads(json, 0, NULL);
	const char *status = json_string_value(json_object_get(object, "status"));
	bool good = status && strlen(status) < size;

	if (good)
		snprintf(word, size, "%s", status);
	json_decref(object);
	return good;
}

bool migrate_dirty_rate_read(const char *json, uint64_t *bytes_a_second)
{
	json_t *object = json_loads(json, 0, NULL);
	const char *status = json_string_value(json_object_get(object, "status"));
	const json_t *rate = json_object_get(object, "dirty-rate");
	bool good = status && strcmp(status, "measured") == 0 && json_is_integer(rate) &&
		    json_integer_value(rate) >= 0;

	if (good)
		*bytes_a_second = read_number(object, "dirty-rate") << 20;
	json_decref(object);
	return good;
}

// Takes the object.
static char *written(json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	return text;
}

// All that are known, so that what an earlier move switched on is off again.
char *migrate_capabilities_write(uint32_t known, uint32_t on)
{
	json_t *list = json_array();
	uint32_t i;

	for (i = 0; i < CAPABILITY_COUNT; i++)
		if (known & 1u << i)
			json_array_append_new(list, json_pack("{s:s, s:b}", "capability",
							      capability_words[i], "state",
							      (on & 1u << i) != 0));
	return written(json_pack("{s:o}", "capabilities", list));
}

static uint64_t bandwidth_of(const struct migrate_params *params)
{
	return params->bandwidth ? params->bandwidth : 1ull << MIGRATE_NO_LIMIT_SHIFT;
}

static uint32_t downtime_of(const struct migrate_params *params)
{
	return params->downtime_ms ? params->downtime_ms : 1;
}

static void put_throttle(json_t *object, uint32_t most)
{
	uint32_t first = most < THROTTLE_FIRST ? most : THROTTLE_FIRST;

	json_object_set_new(object, "max-cpu-throttle", json_integer(most));
	json_object_set_new(object, "cpu-throttle-initial", json_integer(first));
	json_object_set_new(object, "cpu-throttle-increment", json_integer(THROTTLE_STEP));
}

char *migrate_parameters_write(const struct migrate_params *params, bool source)
{
	json_t *object =
		json_pack("{s:i, s:s, s:s, s:s}", "multifd-channels",
			  params->channels > 1 ? (int)params->channels : 1, "tls-creds",
			  params->tls ? MIGRATE_CREDENTIALS : "", "tls-hostname",
			  params->tls && source && params->peer ? params->peer : "", "tls-authz",
			  params->tls && !source ? MIGRATE_AUTHORIZATION : "");

	if (!object)
		return NULL;
	if (source) {
		json_object_set_new(object, "max-bandwidth",
				    json_integer((json_int_t)bandwidth_of(params)));
		json_object_set_new(object, "max-postcopy-bandwidth",
				    json_integer((json_int_t)params->bandwidth));
		json_object_set_new(object, "downtime-limit", json_integer(downtime_of(params)));
	}
	if (source && params->throttle)
		put_throttle(object, params->throttle);
	return written(object);
}

char *migrate_tune_write(const struct migrate_params *params, bool throttle)
{
	json_t *object = json_pack("{s:I, s:i}", "max-bandwidth", (json_int_t)bandwidth_of(params),
				   "downtime-limit", (int)downtime_of(params));

	if (object && throttle && params->throttle)
		put_throttle(object, params->throttle);
	return written(object);
}

char *migrate_credentials_write(const char *folder, bool source)
{
	return written(json_pack("{s:s, s:s, s:s, s:s, s:b}", "qom-type", "tls-creds-x509", "id",
				 MIGRATE_CREDENTIALS, "dir", folder, "endpoint",
				 source ? "client" : "server", "verify-peer", 1));
}

char *migrate_authorization_write(const char *peer)
{
	char subject[NAME_SIZE + 4];

	snprintf(subject, sizeof(subject), "CN=%s", peer);
	return written(json_pack("{s:s, s:s, s:s, s:[{s:s, s:s, s:s}]}", "qom-type", "authz-list",
				 "id", MIGRATE_AUTHORIZATION, "policy", "deny", "rules", "match",
				 subject, "policy", "allow", "format", "exact"));
}

char *migrate_address_write(const char *address, uint32_t port)
{
	bool six = strchr(address, ':') != NULL;

	return written(json_pack(
		"{s:o}", "uri",
		json_sprintf("tcp:%s%s%s:%u", six ? "[" : "", address, six ? "]" : "", port)));
}

char *migrate_fd_write(const char *name)
{
	return written(json_pack("{s:o}", "uri", json_sprintf("fd:%s", name)));
}

char *migrate_text_write(const char *name, const char *value)
{
	return written(json_pack("{s:s}", name, value));
}
