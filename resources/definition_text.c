// SPDX-License-Identifier: Apache-2.0
#include "resources/definition_text.h"

#include <string.h>

const char vm_wanted_words[][WORD_SIZE] = { "stopped", "running", "disabled", "" };
const char disk_format_words[][WORD_SIZE] = { "raw", "qcow2", "" };
const char disk_bus_words[][WORD_SIZE] = { "virtio", "scsi", "sata", "" };
const char disk_cache_words[][WORD_SIZE] = { "none", "directsync", "" };
const char disk_aio_words[][WORD_SIZE] = { "native", "threads", "" };
const char nic_model_words[][WORD_SIZE] = { "virtio", "e1000e", "rtl8139", "" };
const char firmware_words[][WORD_SIZE] = { "bios", "uefi", "" };
const char cpu_mode_words[][WORD_SIZE] = { "compatible", "host", "model", "" };
const char guest_shutdown_words[][WORD_SIZE] = { "stop", "restart", "" };
const char on_drain_words[][WORD_SIZE] = { "migrate", "quick", "cold", "stay", "shutdown", "" };
const char on_failure_words[][WORD_SIZE] = { "restart", "stop", "ignore", "" };
const char on_stop_failure_words[][WORD_SIZE] = { "block", "fence", "" };
const char on_double_run_words[][WORD_SIZE] = { "keep", "restart", "stop", "block", "" };
const char hours_words[][WORD_SIZE] = { "local", "utc", "" };
const char failback_words[][WORD_SIZE] = { "never", "immediate", "delayed", "" };
const char no_quorum_words[][WORD_SIZE] = { "stop", "freeze", "self-fence", "" };
const char cpu_limit_words[][WORD_SIZE] = { "soft", "hard", "" };
const char placement_words[][WORD_SIZE] = { "fewest-vms", "most-free", "configured",
					    "measured",	  "pack",      "" };
const char health_policy_words[][WORD_SIZE] = { "ignore", "leave-on-red", "only-green", "" };
const char shutdown_policy_words[][WORD_SIZE] = { "conditional", "failover", "freeze", "migrate",
						  "" };
const char node_health_words[][WORD_SIZE] = { "green", "yellow", "red", "" };
const char rule_kind_words[][WORD_SIZE] = { "keep-together",  "keep-apart",   "follow",
					    "start-order",    "any-of-first", "one-at-a-time",
					    "same-attribute", "spread",	      "" };
const char rule_role_words[][WORD_SIZE] = { "vm", "leader", "first", "then", "" };
const char yes_no_words[][WORD_SIZE] = { "no", "yes", "" };

#define WORDS_MATCH(words, count) \
	_Static_assert(sizeof(words) / sizeof(*(words)) == (size_t)(count) + 1, #words)
WORDS_MATCH(vm_wanted_words, VM_WANTED_COUNT);
WORDS_MATCH(disk_format_words, DISK_FORMAT_COUNT);
WORDS_MATCH(disk_bus_words, DISK_BUS_COUNT);
WORDS_MATCH(disk_cache_words, DISK_CACHE_COUNT);
WORDS_MATCH(disk_aio_words, DISK_AIO_COUNT);
WORDS_MATCH(nic_model_words, NIC_MODEL_COUNT);
WORDS_MATCH(firmware_words, FIRMWARE_COUNT);
WORDS_MATCH(cpu_mode_words, CPU_MODE_COUNT);
WORDS_MATCH(guest_shutdown_words, GUEST_SHUTDOWN_COUNT);
WORDS_MATCH(on_drain_words, ON_DRAIN_COUNT);
WORDS_MATCH(failback_words, FAILBACK_COUNT);
WORDS_MATCH(on_failure_words, ON_FAILURE_COUNT);
WORDS_MATCH(on_stop_failure_words, ON_STOP_FAILURE_COUNT);
WORDS_MATCH(on_double_run_words, ON_DOUBLE_COUNT);
WORDS_MATCH(no_quorum_words, NO_QUORUM_COUNT);
WORDS_MATCH(placement_words, PLACEMENT_STRATEGY_COUNT);
WORDS_MATCH(health_policy_words, HEALTH_POLICY_COUNT);
WORDS_MATCH(shutdown_policy_words, SHUTDOWN_POLICY_COUNT);
WORDS_MATCH(node_health_words, NODE_HEALTH_COUNT);
WORDS_MATCH(rule_kind_words, RULE_KIND_COUNT);
WORDS_MATCH(rule_role_words, RULE_ROLE_COUNT);

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The first character is a letter or digit, the others may also be of `more`.
static bool is_word_of(const char *text, size_t length_max, const char *more)
{
	if (!is_alnum(text[0]))
		return false;
	for (size_t i = 1; text[i]; i++) {
		bool good = is_alnum(text[i]);

		for (const char *m = more; *m && !good; m++)
			good = *m == text[i];
		if (!good || i >= length_max)
			return false;
	}
	return true;
}

bool word_parse(const char (*words)[WORD_SIZE], const char *text, uint8_t *value)
{
	for (uint8_t i = 0; words[i][0]; i++) {
		if (strcmp(words[i], text) == 0) {
			*value = i;
			return true;
		}
	}
	return false;
}

// Digits at *text, moved behind them.
static bool digits_parse(const char **text, uint64_t max, uint64_t *value)
{
	const char *at = *text;
	uint64_t sum = 0;

	if (!is_digit(*at))
		return false;
	for (; is_digit(*at); at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (sum > (UINT64_MAX - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	if (sum > max)
		return false;
	*text = at;
	*value = sum;
	return true;
}

bool number_parse(const char *text, uint64_t max, uint64_t *value)
{
	uint64_t sum;

	if (!digits_parse(&text, max, &sum) || *text)
		return false;
	*value = sum;
	return true;
}

bool integer_parse(const char *text, int32_t min, int32_t max, int32_t *value)
{
	bool minus = text[0] == '-';
	uint64_t size;
	int64_t number;

	if (!number_parse(text + minus, INT32_MAX, &size))
		return false;
	number = minus ? -(int64_t)size : (int64_t)size;
	if (number < min || number > max)
		return false;
	*value = (int32_t)number;
	return true;
}

bool duration_parse(const char *text, uint32_t *seconds)
{
	static const struct {
		char unit[4];
		uint32_t seconds;
	} units[] = { { "", 1 }, { "s", 1 }, { "min", 60 }, { "h", 3600 }, { "d", 86400 } };
	uint64_t number;

	if (!digits_parse(&text, DURATION_MAX_S, &number))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(units[i].unit, text) != 0)
			continue;
		if (number > DURATION_MAX_S / units[i].seconds)
			return false;
		*seconds = (uint32_t)number * units[i].seconds;
		return true;
	}
	return false;
}

bool memory_parse(const char *text, const char *unit, uint32_t *mib)
{
	static const struct {
		char unit[4];
		uint64_t kib;
	} units[] = { { "KiB", 1 }, { "MiB", 1024 }, { "GiB", 1 << 20 }, { "TiB", 1 << 30 } };
	uint64_t number;

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(units[i].unit, unit) != 0)
			continue;
		if (!number_parse(text, UINT32_MAX, &number))
			return false;
		// Neither factor exceeds 32 bits.
		number *= units[i].kib;
		if (number % 1024 || number / 1024 > UINT32_MAX)
			return false;
		*mib = (uint32_t)(number / 1024);
		return true;
	}
	return false;
}

static bool hex_parse(char c, uint8_t *value)
{
	if (is_digit(c))
		*value = (uint8_t)(c - '0');
	else if (c >= 'a' && c <= 'f')
		*value = (uint8_t)(c - 'a' + 10);
	else if (c >= 'A' && c <= 'F')
		*value = (uint8_t)(c - 'A' + 10);
	else
		return false;
	return true;
}

static bool hex_byte_parse(const char *text, uint8_t *byte)
{
	uint8_t high, low;

	if (!hex_parse(text[0], &high) || !hex_parse(text[1], &low))
		return false;
	*byte = (uint8_t)(high << 4 | low);
	return true;
}

static bool uuid_has_dash_before(size_t byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

bool uuid_is_zero(const struct uuid *uuid)
{
	static const struct uuid zero;

	return memcmp(uuid, &zero, sizeof(zero)) == 0;
}

bool uuid_parse(const char *text, struct uuid *uuid)
{
	struct uuid result;

	for (size_t i = 0; i < sizeof(result.bytes); i++, text += 2) {
		if (uuid_has_dash_before(i) && *text++ != '-')
			return false;
		if (!hex_byte_parse(text, &result.bytes[i]))
			return false;
	}
	if (*text || uuid_is_zero(&result))
		return false;
	*uuid = result;
	return true;
}

bool mac_parse(const char *text, uint8_t mac[6])
{
	static const uint8_t zero[6];
	uint8_t result[6];

	for (size_t i = 0; i < 6; i++, text += 2) {
		if (i && *text++ != ':')
			return false;
		if (!hex_byte_parse(text, &result[i]))
			return false;
	}
	if (*text || (result[0] & 1) || memcmp(result, zero, 6) == 0)
		return false;
	memcpy(mac, result, 6);
	return true;
}

bool name_is_good(const char *text, size_t length_max)
{
	return is_word_of(text, length_max, "._-");
}

// Components that are empty or begin with a dot are refused: "." and ".." lead elsewhere, hidden
// ones are clusterd's.
static bool components_are_good(const char *text)
{
	size_t length = strlen(text);

	if (length == 0 || length >= PATH_SIZE)
		return false;
	for (size_t i = 0; i < length; i++) {
		bool first = i == 0 || text[i - 1] == '/';

		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
		if (first && (text[i] == '.' || text[i] == '/'))
			return false;
	}
	return text[length - 1] != '/';
}

bool path_is_good(const char *text)
{
	return components_are_good(text);
}

bool absolute_path_is_good(const char *text)
{
	return text[0] == '/' && strlen(text) < PATH_SIZE && components_are_good(text + 1);
}

bool bridge_is_good(const char *text)
{
	size_t length_max = sizeof(((struct nic_def *)0)->bridge) - 1;

	return strlen(text) <= length_max && is_word_of(text + (text[0] == '_'), length_max, "._-");
}

static const char *after(const char *text, const char *start)
{
	size_t length = strlen(start);

	return strncmp(text, start, length) == 0 ? text + length : NULL;
}

bool machine_is_good(const char *text)
{
	const char *version;
	uint64_t number;

	if (strcmp(text, "q35") == 0 || strcmp(text, "pc") == 0 || strcmp(text, "microvm") == 0)
		return true;
	version = after(text, "pc-q35-");
	if (!version)
		version = after(text, "pc-i440fx-");
	return version && digits_parse(&version, 999, &number) && *version++ == '.' &&
	       number_parse(version, 999, &number) && strlen(text) < 32;
}

bool cpu_model_is_good(const char *text)
{
	return is_word_of(text, TEXT_SIZE - 1, "._-,=+");
}

bool agent_is_good(const char *text)
{
	const char *rest = after(text, "fence_");

	return rest && is_word_of(rest, NAME_SIZE - 1 - 6, "_-");
}

bool option_name_is_good(const char *text)
{
	return is_word_of(text, NAME_SIZE - 1, "_-");
}

static const char hex_digits[] = "0123456789abcdef";

void uuid_format(const struct uuid *uuid, char text[UUID_TEXT_SIZE])
{
	for (size_t i = 0; i < sizeof(uuid->bytes); i++) {
		if (uuid_has_dash_before(i))
			*text++ = '-';
		*text++ = hex_digits[uuid->bytes[i] >> 4];
		*text++ = hex_digits[uuid->bytes[i] & 15];
	}
	*text = '\0';
}

void mac_format(const uint8_t mac[6], char text[MAC_TEXT_SIZE])
{
	for (size_t i = 0; i < 6; i++) {
		if (i)
			*text++ = ':';
		*text++ = hex_digits[mac[i] >> 4];
		*text++ = hex_digits[mac[i] & 15];
	}
	*text = '\0';
}
