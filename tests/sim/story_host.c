// SPDX-License-Identifier: Apache-2.0
// What stories change in a host: its hardware, its QEMU, its certificate.
#include <stdlib.h>
#include <string.h>

#include "clusterd/cluster_internal.h"
#include "clusterd/cpu.h"
#include "clusterd/invariant.h"
#include "clusterd/node_internal.h"
#include "clusterd/text.h"
#include "tests/sim/story.h"

#define SET(to, text) text_copy(to, sizeof(to), text)

static bool feature_word(struct host_facts *facts, const char *what, const char *value)
{
	int bit = cpu_feature_find(value);

	if (bit < 0)
		return false;
	if (strcmp(what, "with") == 0)
		cpu_add(&facts->features, (unsigned int)bit);
	else
		facts->features.bits[bit / 64] &= ~(UINT64_C(1) << bit % 64);
	return true;
}

static bool qemu_word(struct host_facts *facts, const char *what, const char *value)
{
	if (strcmp(what, "version") == 0)
		facts->qemu_version = (uint32_t)strtoul(value, NULL, 10);
	else if (strcmp(what, "facts") == 0)
		facts->state = strcmp(value, "none") == 0 ? FACTS_NONE : FACTS_KNOWN;
	else if (strcmp(what, "accel") == 0)
		facts->accel = strcmp(value, "kvm") == 0 ? ACCEL_KVM : ACCEL_TCG;
	else if (strcmp(what, "arch") == 0)
		SET(facts->arch, value);
	else if (strcmp(what, "vendor") == 0)
		SET(facts->cpu_vendor, value);
	else if (strcmp(what, "processor") == 0)
		SET(facts->cpu_model, value);
	else if (strcmp(what, "model") == 0)
		facts->models[facts->model_count++] = name_hash(value);
	else if (strcmp(what, "machine") == 0)
		facts->machines[facts->machine_count++] = name_hash(value);
	else if (strcmp(what, "no-machines") == 0)
		facts->machine_count = 0;
	else if (strcmp(what, "other-features") == 0)
		SET(facts->features_other, value);
	else if (strcmp(what, "with") == 0 || strcmp(what, "without") == 0)
		return feature_word(facts, what, value);
	else
		return false;
	return true;
}

static bool memory_word(struct host_facts *facts, const char *what, uint32_t number)
{
	if (strcmp(what, "free") == 0) {
		facts->memory_free_mib = number;
	} else if (strcmp(what, "hugepages") == 0) {
		facts->hugepages = facts->hugepages_free = number;
		facts->hugepage_kib = 2048;
	} else if (strcmp(what, "hugepage-size") == 0) {
		facts->hugepage_kib = number;
	} else {
		return false;
	}
	return true;
}

static bool cert_word(const struct world *world, struct node_report *own, const char *value)
{
	uint64_t now_s = SIM_WALL_MS / 1000 + world->now_us / 1000000;

	own->cert_authority = 1;
	own->cert_expires = UINT64_C(1) << 40;
	if (strcmp(value, "none") == 0)
		own->cert_expires = own->cert_authority = 0;
	else if (strcmp(value, "other") == 0)
		own->cert_authority = 2;
	else if (strcmp(value, "over") == 0)
		own->cert_expires = 1;
	else if (strcmp(value, "soon") == 0)
		own->cert_expires = now_s + 24 * 3600;
	else
		return strcmp(value, "good") == 0;
	return true;
}

static bool report_word(struct world *world, const struct host *host, char **words)
{
	struct node_report *own = host->own;
	const char *what = words[2], *value = words[3] ? words[3] : "";
	uint32_t number = (uint32_t)strtoul(value, NULL, 10);

	if (strcmp(what, "memory") == 0)
		own->memory_mib = number;
	else if (strcmp(what, "cpus") == 0)
		own->cpus = number;
	else if (strcmp(what, "qemu") == 0)
		own->qemu = strcmp(value, "none") != 0;
	else if (strcmp(what, "address") == 0)
		SET(own->addresses[0], strcmp(value, "none") == 0 ? "" : value);
	else if (strcmp(what, "no-bridges") == 0)
		own->facts.bridge_count = 0;
	else if (strcmp(what, "bridges-cut") == 0)
		own->facts.bridges_cut = true;
	else if (strcmp(what, "cert") == 0)
		return cert_word(world, own, value);
	else
		return memory_word(&own->facts, what, number) ||
		       qemu_word(&own->facts, what, value);
	return true;
}

bool host_has(struct world *world, char **words)
{
	for (uint32_t i = 0; words[1] && words[2] && i < world->config.hosts; i++) {
		struct host *host = &world->hosts[i];

		if (strcmp(host->name, words[1]) != 0)
			continue;
		if (!host->own) {
			host->own = calloc(1, sizeof(*host->own));
			INVARIANT(host->own);
			host_report(&(const struct host){ .cpus = host->cpus,
							  .memory_mib = host->memory_mib },
				    host->own);
		}
		if (!report_word(world, host, words))
			return false;
		if (host->daemon)
			daemon_say_host(world, host);
		return true;
	}
	return false;
}

bool store_spoil(struct host *host, const char *what)
{
	struct store *store = &host->store;

	if (strcmp(what, "snapshot") == 0 && store->snapshot_size > 0)
		store->snapshot_size--;
	else if (strcmp(what, "log") == 0 && store->entry_count > 0)
		store->entries[store->entry_count - 1].size--;
	else if (strcmp(what, "foreign") == 0 && store->snapshot_size > 8)
		store->snapshot[1]++; // of the number of its history
	else
		return false;
	return true;
}

// As a bit that flips in memory, or a mistake in clusterd, would do it.
bool replica_spoil(struct world *world, const char *name)
{
	for (uint32_t i = 0; name && i < world->config.hosts; i++) {
		struct host *host = &world->hosts[i];

		if (strcmp(host->name, name) != 0 || !host->daemon ||
		    host->node->cluster.vm_high == 0)
			continue;
		host->wrong = true;
		host->node->cluster.defs[0].priority += (int32_t)(1 + i);
		cluster_touch_vm(&host->node->cluster, 0);
		return true;
	}
	return false;
}
