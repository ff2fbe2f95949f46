// SPDX-License-Identifier: Apache-2.0
// <migration> of the cluster and of a VM, and <on-drain>, in XML.
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "resources/definition_reader.h"
#include "resources/definition_text.h"

static const struct child_rule no_children[] = { { 0 } };

// "10.1.0.0/16", "fd00:1::/64"
static bool network_is_good(const char *text)
{
	const char *slash = strchr(text, '/');
	char address[ADDRESS_SIZE];
	unsigned char bytes[16];
	uint64_t bits;
	bool six;

	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = 0;
	six = inet_pton(AF_INET6, address, bytes) == 1;
	return (six || inet_pton(AF_INET, address, bytes) == 1) &&
	       number_parse(slash + 1, six ? 128 : 32, &bits);
}

static void network_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const char *const names[] = { NULL };
	struct migration_def *def = target;
	char text[sizeof(def->networks[0])];

	walk_attributes(walk, element, names);
	if (!walk_text(walk, element, text, sizeof(text)))
		return;
	if (!network_is_good(text)) {
		walk_fault_text(walk, element, "must be a network like 10.1.0.0/16");
		return;
	}
	for (uint32_t i = 0; i < def->network_count; i++)
		if (strcmp(def->networks[i], text) == 0) {
			walk_fault_text(walk, element, "is given twice");
			return;
		}
	if (def->network_count == MIGRATION_NETWORKS_MAX)
		definition_fault(walk->reader, walk_place(walk, element),
				 "at most %d migration networks", MIGRATION_NETWORKS_MAX);
	else
		snprintf(def->networks[def->network_count++], sizeof(text), "%s", text);
}

void definition_cluster_migration_read(const struct walk *walk, const struct xml_element *element,
				       void *target)
{
	static const char *const names[] = { "tls",	 "bandwidth", "link-mbit", "moves-out",
					     "moves-in", "moves",     NULL };
	static const struct child_rule rules[] = {
		{ "network", network_read, true, false },
		{ 0 },
	};
	struct cluster_def *cluster = target;
	struct migration_def *def = &cluster->migration;
	uint8_t tls = !def->plain;

	walk_attributes(walk, element, names);
	walk_word(walk, element, "tls", yes_no_words, false, &tls);
	def->plain = tls == 0;
	walk_number(walk, element, "bandwidth", 1, 100, "must be a percentage, 1 to 100",
		    &def->bandwidth_percent);
	walk_number(walk, element, "link-mbit", 1, LINK_MBIT_MAX, "must be 1 to 1000000 Mbit/s",
		    &def->link_mbit);
	walk_number(walk, element, "moves-out", 1, MOVES_AT_ONCE_MAX, "must be 1 to 16",
		    &def->moves_out_max);
	walk_number(walk, element, "moves-in", 1, MOVES_AT_ONCE_MAX, "must be 1 to 16",
		    &def->moves_in_max);
	walk_number(walk, element, "moves", 1, MOVES_MAX, "must be 1 to 128", &def->moves_max);
	walk_children(walk, element, rules, def);
}

// "300ms", "2s"
static bool pause_parse(const char *text, uint32_t *ms)
{
	size_t digits = strspn(text, "0123456789");
	const char *unit = text + digits;
	uint64_t number;
	char copy[8];

	if (digits == 0 || digits >= sizeof(copy))
		return false;
	memcpy(copy, text, digits);
	copy[digits] = 0;
	if (!number_parse(copy, MAX_PAUSE_MAX_MS, &number))
		return false;
	if (strcmp(unit, "s") == 0)
		number *= 1000;
	else if (strcmp(unit, "ms") != 0)
		return false;
	if (number < 1 || number > MAX_PAUSE_MAX_MS)
		return false;
	*ms = (uint32_t)number;
	return true;
}

void definition_vm_migration_read(const struct walk *walk, const struct xml_element *element,
				  struct vm_def *def)
{
	static const char *const names[] = { "max-pause", "throttle", "post-copy", NULL };
	const char *pause = walk_attribute(walk, element, "max-pause", false);
	uint8_t post_copy = def->post_copy;

	walk_attributes(walk, element, names);
	walk_children(walk, element, no_children, NULL);
	if (pause && !pause_parse(pause, &def->max_pause_ms))
		walk_fault_attribute(walk, element, "max-pause",
				     "must be a time from 1ms to 60s (1000ms)");
	walk_number(walk, element, "throttle", 0, 99, "must be a percentage, 0 to 99",
		    &def->throttle_max);
	walk_word(walk, element, "post-copy", yes_no_words, false, &post_copy);
	def->post_copy = post_copy != 0;
}
