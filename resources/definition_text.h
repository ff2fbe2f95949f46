// SPDX-License-Identifier: Apache-2.0
// The values of the XML vocabulary as text: words of enumerations, numbers, names, paths, times,
// sizes.
//
// Every parse function takes a zero-terminated string, reads it whole or returns false with the
// result untouched.
#pragma once

#include "clusterd/definition.h"

enum {
	VOLUME_NAME_MAX = 40, // it also names the volume's sanlock lockspace, which has 48 bytes
	DURATION_MAX_S = 999999999,
	CPUS_MAX = 512,
	MEMORY_MAX_MIB = 16 * 1024 * 1024,
	RESTARTS_MAX = 100,
	PRIORITY_MAX = 1000, // and its negative
	STOP_TIMEOUT_MAX_S = 86400,
	HOLD_MIN_S = 5,
	HOLD_MAX_S = 86400,
	IO_TIMEOUT_MAX_S = 60,
	NODE_RESERVE_DEFAULT_MIB = 512,
	UUID_TEXT_SIZE = 37,
	MAC_TEXT_SIZE = 18,
	WORD_SIZE = 16,
	MAX_PAUSE_MAX_MS = 60000,
	MOVES_AT_ONCE_MAX = 16,
	LINK_MBIT_MAX = 1000000,
	WEIGHT_MAX = 1000000,
	WEIGHT_DEFAULT = 100,
};

// Word lists in the order of their enumerations, ended by an empty one.
extern const char vm_wanted_words[][WORD_SIZE];
extern const char disk_format_words[][WORD_SIZE];
extern const char disk_bus_words[][WORD_SIZE];
extern const char disk_cache_words[][WORD_SIZE];
extern const char disk_aio_words[][WORD_SIZE];
extern const char nic_model_words[][WORD_SIZE];
extern const char firmware_words[][WORD_SIZE];
extern const char cpu_mode_words[][WORD_SIZE];
extern const char guest_shutdown_words[][WORD_SIZE];
extern const char on_drain_words[][WORD_SIZE];
extern const char hours_words[][WORD_SIZE]; // the order of bool utc
extern const char failback_words[][WORD_SIZE];
extern const char on_failure_words[][WORD_SIZE];
extern const char on_stop_failure_words[][WORD_SIZE];
extern const char on_double_run_words[][WORD_SIZE];
extern const char no_quorum_words[][WORD_SIZE];
extern const char cpu_limit_words[][WORD_SIZE]; // the order of bool
extern const char placement_words[][WORD_SIZE];
extern const char health_policy_words[][WORD_SIZE];
extern const char shutdown_policy_words[][WORD_SIZE];
extern const char node_health_words[][WORD_SIZE];
extern const char rule_kind_words[][WORD_SIZE];
extern const char rule_role_words[][WORD_SIZE]; // the elements of members
extern const char yes_no_words[][WORD_SIZE];	// "no", "yes": the order of bool

bool word_parse(const char (*words)[WORD_SIZE], const char *text, uint8_t *value);

bool number_parse(const char *text, uint64_t max, uint64_t *value);
bool integer_parse(const char *text, int32_t min, int32_t max, int32_t *value);
// "90", "90s", "5min", "1h", "2d" in seconds.
bool duration_parse(const char *text, uint32_t *seconds);
// A number of `unit` ("KiB", "MiB", "GiB", "TiB") that is a whole number of MiB.
bool memory_parse(const char *text, const char *unit, uint32_t *mib);
// The standard form of 36 characters, not all zero.
bool uuid_parse(const char *text, struct uuid *uuid);
// Six pairs with colons; neither a group address nor all zero.
bool mac_parse(const char *text, uint8_t mac[6]);

bool name_is_good(const char *text, size_t length_max);
// Relative to a volume: normal form, so that equal files have equal paths; no component begins with
// a dot.
bool path_is_good(const char *text);
bool absolute_path_is_good(const char *text);
bool bridge_is_good(const char *text);
bool machine_is_good(const char *text);
bool cpu_model_is_good(const char *text);
bool agent_is_good(const char *text);
bool option_name_is_good(const char *text);

void uuid_format(const struct uuid *uuid, char text[UUID_TEXT_SIZE]);
void mac_format(const uint8_t mac[6], char text[MAC_TEXT_SIZE]);
bool uuid_is_zero(const struct uuid *uuid);
