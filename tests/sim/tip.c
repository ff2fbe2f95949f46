// SPDX-License-Identifier: Apache-2.0
// What stories say about policies and tips, and the scripts of policies.
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

#include "clusterd/describe_tip.h"
#include "clusterd/invariant.h"

enum { SCRIPT_MS = 300 };

struct script_job {
	struct event event;
	uint32_t daemon_epoch;
};

static void script_end(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct script_job *job = item->data;

	world_say(world, host, "script of tip %u ends%s", (unsigned int)job->event.cookie,
		  job->event.flag ? "" : ": killed");
	if (host->daemon && host->daemon_epoch == job->daemon_epoch)
		host_post(world, host, 0, &job->event);
}

// One that was begun goes on without its daemon, and is never begun again anywhere.
void script_perform(struct world *world, struct host *host, const struct action *action)
{
	struct script_job *job = calloc(1, sizeof(*job));
	uint64_t delay_us = world->scripts_hang ? action->attempt * SECONDS(1) : MS(SCRIPT_MS);

	INVARIANT(job);
	for (uint32_t i = 0; i < world->scripts_count; i++)
		if (world->scripts_run[i] == action->cookie)
			check_fail(world, host, "runs the script of tip %u a second time",
				   (unsigned int)action->cookie);
	if (world->scripts_count < TIPS_RUN_MAX)
		world->scripts_run[world->scripts_count++] = action->cookie;
	world_say(world, host, "script %s of tip %u begins", action->text,
		  (unsigned int)action->cookie);
	job->daemon_epoch = host->daemon_epoch;
	job->event = (struct event){ .type = EVENT_SCRIPT_DONE,
				     .cookie = action->cookie,
				     .flag = !world->scripts_hang,
				     .reason = world->scripts_hang ? "killed at its limit"
								   : "all is well" };
	world_at(world, delay_us, host, GUARD_POWER, script_end)->data = job;
}

static uint8_t word_number(const char (*words)[PRO_WORD_SIZE], const char *word)
{
	for (uint8_t i = 0; words[i][0]; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return 0;
}

static void apply_policy(struct world *world, struct host *host, struct pro_def *def)
{
	static uint8_t body[8192];
	struct definitions definitions = { .pro_count = 1, .pros = def };
	struct entry *entry = calloc(1, sizeof(*entry));

	INVARIANT(entry);
	entry->type = ENTRY_APPLY;
	entry->body = body;
	entry->body_size = definitions_encode(&definitions, NULL, body, sizeof(body));
	INVARIANT(entry->body_size > 0);
	admin_request(world, host, entry);
	free(entry);
}

static bool define_policy(struct world *world, struct host *host, char **words)
{
	struct pro_def def = pro_defaults();

	if (!words[8])
		return false;
	snprintf(def.name, sizeof(def.name), "%s", words[1]);
	def.mode = word_number(pro_mode_words, words[2]);
	def.subject = word_number(pro_subject_words, words[3]);
	def.measure = word_number(pro_measure_words, words[4]);
	def.threshold = (uint32_t)strtoul(words[5], NULL, 10);
	def.clear = (uint32_t)strtoul(words[6], NULL, 10);
	def.hold_s = (uint32_t)strtoul(words[7], NULL, 10);
	def.action = word_number(pro_action_words, words[8]);
	def.script_limit_s = 20;
	if (words[9])
		snprintf(def.script, sizeof(def.script), "%s", words[9]);
	apply_policy(world, host, &def);
	return true;
}

static void ask(struct world *world, struct host *host, enum entry_type type, const char *name,
		bool flag, uint32_t tip)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	INVARIANT(entry);
	entry->type = (uint8_t)type;
	entry->flag = flag;
	entry->tip = tip;
	snprintf(entry->name, sizeof(entry->name), "%s", name);
	admin_request(world, host, entry);
	free(entry);
}

static bool policy_command(struct world *world, struct host *host, char **words)
{
	if (!words[1] || !words[2])
		return false;
	if (strcmp(words[1], "run") == 0)
		ask(world, host, ENTRY_POLICY_RUN, words[2], false, 0);
	else if (strcmp(words[1], "on") == 0 || strcmp(words[1], "off") == 0)
		ask(world, host, ENTRY_POLICY_SET, words[2], words[1][1] == 'n', 0);
	else
		return define_policy(world, host, words);
	return true;
}

static struct host *host_of(struct world *world, const char *name)
{
	for (uint32_t i = 0; name && i < world->config.hosts; i++)
		if (strcmp(world->hosts[i].name, name) == 0)
			return &world->hosts[i];
	return NULL;
}

// What a host does beside the cluster's VMs, or that it says nothing of it.
static bool host_word(struct world *world, char **words)
{
	struct host *host = host_of(world, words[1]);

	if (!host || !words[2])
		return false;
	if (strcmp(words[0], "heat") == 0) {
		host->foreign_cpu = (uint32_t)strtoul(words[2], NULL, 10);
		if (words[3])
			host->foreign_mib = (uint32_t)strtoul(words[3], NULL, 10);
	} else if (strcmp(words[0], "pressure") == 0) {
		host->memory_pressure = (uint32_t)strtoul(words[2], NULL, 10);
		host->io_pressure = words[3] ? (uint32_t)strtoul(words[3], NULL, 10) : 0;
	} else
		host->mute = strcmp(words[2], "on") == 0;
	return true;
}

static bool load_word(struct world *world, struct host *host, char **words)
{
	const struct cluster *cluster = node_cluster(host->node);
	const struct vm *vm = words[1] ? cluster_find_vm(cluster, words[1]) : NULL;

	struct sim_load load = { .cpu = 0 };

	if (!vm || !words[2] || !words[3])
		return false;
	load.uuid = vm_definition(cluster, vm)->uuid;
	load.cpu = (uint32_t)strtoul(words[2], NULL, 10);
	load.memory_mib = (uint32_t)strtoul(words[3], NULL, 10);
	if (words[4] && words[5]) {
		load.disk_kib = (uint32_t)strtoul(words[4], NULL, 10);
		load.network_kib = (uint32_t)strtoul(words[5], NULL, 10);
	}
	measure_vm_load(world, &load);
	return true;
}

bool tip_command(struct world *world, struct host *host, char **words)
{
	const char *verb = words[0];

	if (strcmp(verb, "measures") == 0)
		measure_begin(world);
	else if (strcmp(verb, "load") == 0)
		return load_word(world, host, words);
	else if (strcmp(verb, "heat") == 0 || strcmp(verb, "mute") == 0 ||
		 strcmp(verb, "pressure") == 0)
		return host_word(world, words);
	else if (strcmp(verb, "policy") == 0)
		return policy_command(world, host, words);
	else if (strcmp(verb, "balance") == 0)
		ask(world, host, ENTRY_POLICY_RUN, "", false, 0);
	else if (strcmp(verb, "tip") == 0 && words[1] && words[2])
		ask(world, host, words[1][0] == 'a' ? ENTRY_TIP_ACCEPT : ENTRY_TIP_DISMISS, "",
		    false, (uint32_t)strtoul(words[2], NULL, 10));
	else if (strcmp(verb, "scripts") == 0 && words[1])
		world->scripts_hang = strcmp(words[1], "hang") == 0;
	else
		return false;
	return true;
}

// What is saved stays ended, and nobody here knows that it was to: everything but that.
static void random_policy(struct world *world, struct host *host)
{
	static const enum pro_action actions[] = { PRO_BALANCE, PRO_BALANCE, PRO_MOVE,
						   PRO_MOVE,	PRO_NOTIFY,  PRO_SCRIPT };
	struct rng *rng = &world->measure_rng;
	struct pro_def def = pro_defaults();

	snprintf(def.name, sizeof(def.name), "p%u", (unsigned int)rng_below(rng, 4));
	def.mode = rng_chance(rng, 70) ? PRO_AUTOMATIC : PRO_ADVICE;
	def.measure = rng_chance(rng, 50) ? PRO_CPU : PRO_MEMORY;
	def.action = actions[rng_below(rng, sizeof(actions) / sizeof(actions[0]))];
	def.threshold = def.clear = (uint32_t)rng_between(rng, 1, 40);
	def.hold_s = (uint32_t)rng_between(rng, 1, 20);
	def.rest_s = (uint32_t)rng_between(rng, 5, 60);
	def.min_gain = 1;
	def.budget = POLICY_BUDGET_MAX;
	def.script_limit_s = 5;
	if (def.action == PRO_SCRIPT)
		snprintf(def.script, sizeof(def.script), "s");
	apply_policy(world, host, &def);
}

static void tip_random(struct world *world, struct host *host)
{
	struct rng *rng = &world->measure_rng;
	const struct cluster *cluster = node_cluster(host->node);
	uint32_t last = cluster->next_tip - 1;
	uint32_t tip = last > 2 ? last - (uint32_t)rng_below(rng, 3) : last;
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "p%u", (unsigned int)rng_below(rng, 4));
	world->scripts_hang = rng_chance(rng, 30);
	switch (rng_below(rng, 8)) {
	case 0:
	case 1:
	case 2:
		random_policy(world, host);
		break;
	case 3:
		ask(world, host, ENTRY_TIP_ACCEPT, "", false, tip);
		break;
	case 4:
		ask(world, host, ENTRY_TIP_DISMISS, "", false, tip);
		break;
	case 5:
		ask(world, host, ENTRY_POLICY_RUN, rng_chance(rng, 50) ? name : "", false, 0);
		break;
	case 6:
		ask(world, host, ENTRY_POLICY_SET, name, rng_chance(rng, 70), 0);
		break;
	case 7:
		host->foreign_cpu = (uint32_t)rng_below(rng, 16000);
		break;
	}
}

// Policies that act at the least occasion, and administrators who answer them or do not.
static void tips_run(struct world *world, struct item *item)
{
	struct host *host = &world->hosts[rng_below(&world->measure_rng, world->config.hosts)];

	(void)item;
	if (world->quiet)
		return;
	if (host->daemon && !host->paused)
		tip_random(world, host);
	world_at(world, rng_between(&world->measure_rng, SECONDS(3), SECONDS(15)), NULL, GUARD_NONE,
		 tips_run);
}

void tips_begin(struct world *world)
{
	world_at(world, SECONDS(40), NULL, GUARD_NONE, tips_run);
}

void tip_quiet(struct world *world, struct host *host)
{
	const struct cluster *cluster = node_cluster(host->node);

	for (uint32_t i = 0; i < POLICIES_MAX; i++)
		if (cluster->policies[i].used && cluster->policies[i].def.enabled &&
		    cluster->policies[i].def.mode != PRO_ADVICE)
			ask(world, host, ENTRY_POLICY_SET, cluster->policies[i].def.name, false, 0);
}

bool tip_stands(const struct world *world, const char *state)
{
	for (uint32_t i = 0; i < world->config.hosts; i++) {
		const struct host *host = &world->hosts[i];
		const struct cluster *cluster = host->daemon && view_normal(node_view(host->node))
							? node_cluster(host->node)
							: NULL;
		const struct tip *tip =
			cluster ? cluster_tip(cluster, cluster->next_tip - 1) : NULL;

		if (!tip)
			continue;
		if (strcmp(state, "measured") == 0)
			return tip->verdict > VERDICT_PENDING;
		return strcmp(tip_state_word((enum tip_state)tip->state), state) == 0;
	}
	return false;
}
