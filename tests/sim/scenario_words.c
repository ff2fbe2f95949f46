// SPDX-License-Identifier: Apache-2.0
// The words of the scenario format, and which of its capabilities the product has.
#include <string.h>

#include "tests/sim/scenario.h"

struct capability {
	const char *name;
	bool have;
};

// All that a scenario may require. A new capability of the product is a `true` here, and its
// translation.
static const struct capability capabilities[] = {
	{ "agent-control", true },
	{ "any-of-dependency", true },
	{ "auto-rebalance", true },
	{ "blocked-state", true },
	{ "capacity-hard", true },
	{ "cluster-suspend", false },
	{ "cold-only-vm", true },
	{ "commands", true },
	{ "config-check", true },
	{ "config-store-outage", true },
	{ "double-run-detection", true },
	{ "drain-report", true },
	{ "fail-counts", true },
	{ "failback", true },
	{ "failover-capacity-check", true },
	{ "failover-reserve", false },
	{ "failure-expiry", true },
	{ "fault-injection", true },
	{ "fence-devices", true },
	{ "fence-levels", false },
	{ "fencing", true },
	{ "follow", true },
	{ "global-stop", true },
	{ "graceful-node-shutdown", true },
	{ "in-flight-migration", true },
	{ "initial-state", true },
	{ "join-states", true },
	{ "keep-apart", true },
	{ "keep-together", true },
	{ "leader-control", true },
	{ "lease-timers", true },
	{ "manual-rebalance", true },
	{ "measured-load", true },
	{ "migrate", true },
	{ "move-concurrency-limit", true },
	{ "move-outside", true },
	{ "network-loss", true },
	{ "node-attributes", true },
	{ "node-health", true },
	{ "node-maintenance", true },
	{ "node-speed", false },
	{ "node-votes", false },
	{ "pack-policy", true },
	{ "partition", true },
	{ "per-vm-failure-policy", true },
	{ "placement:lowest-relative-configured-load", true },
	{ "placement:lowest-relative-measured-load", true },
	{ "placement:most-free-capacity", true },
	{ "placement:pack", true },
	{ "possible-owners", true },
	{ "power-loss", true },
	{ "preferred-owners", true },
	{ "priority", true },
	{ "quorum-options", false },
	{ "quorum-policies", true },
	{ "relocate", true },
	{ "same-attr", true },
	{ "scripted-random-runs", true },
	{ "spread-at-start", true },
	{ "start-order", true },
	{ "stickiness", true },
	{ "storage-outage", true },
	{ "unmanaged-node", true },
	{ "unmanaged-vm", true },
	{ "vm-add-remove", true },
	{ "vm-crash", true },
	{ "vm-locks", false },
	{ "vm-resize", true },
	{ "waiting-state", true },
	{ "weak-rules", true },
};

static const struct capability *find(const char *name)
{
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++)
		if (strcmp(capabilities[i].name, name) == 0)
			return &capabilities[i];
	return NULL;
}

bool capability_known(const char *name)
{
	return find(name) != NULL;
}

bool capability_have(const char *name)
{
	const struct capability *capability = find(name);

	return capability && capability->have;
}

void capabilities_print(void)
{
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++)
		printf("%s %s\n", capabilities[i].have ? "supported" : "skipped",
		       capabilities[i].name);
}

void scenario_lacks(struct scenario *scenario, const char *name)
{
	if (capability_have(name))
		return;
	for (uint32_t i = 0; i < scenario->lack_count; i++)
		if (strcmp(scenario->lacks[i], name) == 0)
			return;
	if (scenario->lack_count < LACKS_MAX)
		snprintf(scenario->lacks[scenario->lack_count++], sizeof(scenario->lacks[0]), "%s",
			 name);
}

bool mode_of(const char *word, enum scenario_mode *mode)
{
	static const char *const words[MODE_COUNT] = {
#define X(name, text) [MODE_##name] = text,
		SCENARIO_MODES(X)
#undef X
	};

	for (uint32_t i = 0; i < MODE_COUNT; i++) {
		*mode = (enum scenario_mode)i;
		if (strcmp(words[i], word) == 0)
			return true;
	}
	return false;
}

static const struct {
	const char *word, *lack;
} acts[DO_COUNT] = {
#define X(name, text, lack) [DO_##name] = { text, lack },
	SCENARIO_ACTIONS(X)
#undef X
};

bool do_of(const char *word, enum scenario_do *action)
{
	for (uint32_t i = 0; i < DO_COUNT; i++) {
		*action = (enum scenario_do)i;
		if (strcmp(acts[i].word, word) == 0)
			return true;
	}
	return false;
}

const char *do_word(enum scenario_do action)
{
	return acts[action].word;
}

const char *do_lack(enum scenario_do action)
{
	return acts[action].lack;
}
