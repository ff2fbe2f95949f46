// SPDX-License-Identifier: Apache-2.0
/*
 * The questions of a scenario. Quorum is asked of the nodes in the simulated world; leases are
 * answered by the timing arithmetic; a property is tried in a world made for it.
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "csv/timing.h"
#include "policies/contradiction.h"
#include "tests/sim/scenario.h"

static bool says(const char *what, const char *word)
{
	return strcasestr(what, word) != NULL;
}

static void answer(struct scenario_question *question, bool yes)
{
	question->answer = yes ? "true" : "false";
}

// ---- quorum

static bool may_act(const struct run *run, uint32_t i)
{
	const struct host *host = &run->world->hosts[i];

	return host->daemon && !host->paused && view_normal(node_view(host->node));
}

static void ask_capacity(struct run *run)
{
	for (uint32_t q = 0; q < run->scenario->question_count; q++) {
		struct scenario_question *question = &run->scenario->questions[q];

		if (strcmp(question->a, "capacity") == 0 && question->step == run->step)
			answer(question, run_ask_capacity(run, question->node));
	}
}

void run_ask_quorum(struct run *run)
{
	ask_capacity(run);
	for (uint32_t q = 0; q < run->scenario->question_count; q++) {
		struct scenario_question *question = &run->scenario->questions[q];
		bool quorate = question->partition != 0;

		if (strcmp(question->a, "quorate") != 0 || question->step != run->step)
			continue;
		for (uint32_t i = 0; i < run->scenario->node_count; i++)
			if (question->partition >> i & 1)
				quorate = quorate && may_act(run, i);
		answer(question, quorate);
	}
}

// ---- leases

// The longest outage that the steps name: sanlock's own tests begin it right after a renewal.
static struct lease_outage outage_of(const struct scenario *scenario)
{
	struct lease_outage outage = { 0 };

	for (uint32_t i = 0; i < scenario->step_count; i++) {
		for (uint32_t k = 0; k < scenario->steps[i].count; k++) {
			const struct scenario_action *action = &scenario->steps[i].actions[k];
			uint64_t length_ms = action->for_s > 0 ? (uint64_t)(action->for_s * 1000)
							       : UINT64_MAX / 2;

			if (action->act != DO_STORAGE_OFF && action->act != DO_AGENT_STALL)
				continue;
			outage.asleep |= action->act == DO_AGENT_STALL;
			outage.deaf |= action->deaf;
			outage.unkillable |= action->unkillable;
			if (length_ms > outage.length_ms)
				outage.length_ms = length_ms;
		}
	}
	return outage;
}

// "another host may take over after 140 s", "no takeover before 140 s"
static bool answer_takeover(const struct lease_timing *timing, const char *what, double number,
			    bool *yes)
{
	const char *at = strpbrk(what, "0123456789");
	double ms = 1000 * (at ? strtod(at, NULL) : number), dead_ms = (double)timing->dead_ms;

	if (ms == 0 || (!says(what, "take") && !says(what, "dead")))
		return false;
	if (says(what, "before"))
		*yes = (says(what, "no ") || says(what, "not ")) == (ms <= dead_ms);
	else if (says(what, "earliest"))
		*yes = ms == dead_ms;
	else
		*yes = ms >= dead_ms;
	return true;
}

static bool is_denied(const char *what)
{
	return says(what, "not ") || says(what, "no ") || says(what, "unfed") ||
	       says(what, "stop") || says(what, "interrupt");
}

static bool answer_lease(const struct scenario *scenario, const struct scenario_question *question,
			 bool *yes)
{
	struct lease_timing timing = lease_timing(scenario->io_timeout_s);
	struct lease_outage outage = outage_of(scenario);
	struct lease_outcome outcome = lease_outage(&timing, &outage);
	const char *what = question->what;

	if (answer_takeover(&timing, what, question->number, yes))
		return true;
	if (says(what, "warn"))
		*yes = outcome.warned;
	else if (says(what, "fed") || says(what, "feed") || says(what, "keepalive"))
		*yes = outcome.unfed == is_denied(what);
	else if (says(what, "hard") || says(what, "SIGKILL"))
		*yes = outcome.killed;
	else if (says(what, "polite") || says(what, "SIGTERM") || says(what, "asked"))
		*yes = outcome.asked;
	else if (says(what, "reset") || says(what, "fires"))
		*yes = outcome.reset;
	else if (says(what, "survive"))
		*yes = !outcome.reset;
	else if (says(what, "kill") || says(what, "stopped"))
		*yes = outcome.asked || outcome.killed;
	else if (says(what, "lease") && (says(what, "lost") || says(what, "fail")))
		*yes = outcome.failed;
	else
		return false;
	return true;
}

// Questions that nobody here understands are named.
void scenario_ask_lease(struct scenario *scenario)
{
	for (uint32_t q = 0; q < scenario->question_count; q++) {
		struct scenario_question *question = &scenario->questions[q];
		char name[64];
		bool yes;

		if (strcmp(question->a, "lease") != 0)
			continue;
		if (answer_lease(scenario, question, &yes)) {
			answer(question, yes);
			continue;
		}
		snprintf(name, sizeof(name), "lease-timers:%.45s", question->what);
		scenario_lacks(scenario, name);
	}
}

// ---- configurations

// The worst that is found in what the replicas have.
void run_ask_config(struct run *run)
{
	enum { FOUND_MAX = 64 };
	struct contradiction found[FOUND_MAX];
	struct host *speaker = run_speaker(run);
	const char *worst = run->refused ? "\"conflict\"" : "\"ok\"";
	uint32_t count;

	if (!speaker)
		return;
	count = contradictions_find(node_cluster(speaker->node), found, FOUND_MAX);
	for (uint32_t i = 0; i < count && i < FOUND_MAX; i++) {
		if (found[i].conflict)
			worst = "\"conflict\"";
		else if (strcmp(worst, "\"ok\"") == 0)
			worst = "\"warning\"";
	}
	for (uint32_t q = 0; q < run->scenario->question_count; q++)
		if (strcmp(run->scenario->questions[q].a, "config") == 0)
			run->scenario->questions[q].answer = worst;
}

// ---- properties

enum property { PROPERTY_IN_TURN, PROPERTY_NEVER_ASSUMED, PROPERTY_RANDOM, PROPERTY_COUNT };
enum { RANDOM_RUNS = 20, RANDOM_RUNS_MAX = 200 };

/*
 * Whatever a scenario asks of random runs, in its own words, each run is judged by everything that
 * the checkers know.
 */
static bool property_of(const struct scenario *scenario, const char *what, enum property *property)
{
	*property = PROPERTY_COUNT;
	if (says(what, "device k+1") || says(what, "in turn"))
		*property = PROPERTY_IN_TURN;
	else if (says(what, "never assumed") ||
		 (says(what, "last device") && says(what, "retried")))
		*property = PROPERTY_NEVER_ASSUMED;
	else if (scenario->random || says(what, "random"))
		*property = PROPERTY_RANDOM;
	return *property != PROPERTY_COUNT;
}

bool scenario_asks_property(struct scenario *scenario)
{
	bool any = false;

	for (uint32_t q = 0; q < scenario->question_count; q++) {
		enum property property;
		char name[64];

		if (strcmp(scenario->questions[q].a, "prop") != 0)
			continue;
		any = true;
		if (property_of(scenario, scenario->questions[q].what, &property))
			continue;
		snprintf(name, sizeof(name), "property:%.50s", scenario->questions[q].what);
		scenario_lacks(scenario, name);
	}
	return any;
}

struct fencing {
	uint32_t attempt, device, failures, rounds;
	bool in_turn, believed;
};

static const struct cluster_node *fenced_node(struct run *run)
{
	struct host *speaker = run_speaker(run);

	if (!speaker)
		return NULL;
	return cluster_node_by_id((struct cluster *)node_cluster(speaker->node),
				  run->scenario->node_count);
}

// Each attempt, as the replicas have it.
static void look_at_fence(struct run *run, struct fencing *seen)
{
	const struct cluster_node *node = fenced_node(run);

	if (!node)
		return;
	if (node->life == NODE_FENCED || node->life == NODE_DEAD)
		seen->believed = true;
	if (node->life != NODE_FENCING || node->fence_attempt == seen->attempt)
		return;
	if (seen->attempt == 0)
		seen->in_turn = node->fence_device == 0;
	else if (node->fence_device != (seen->device + 1) % run->fence_devices ||
		 node->fence_failures != seen->failures + 1)
		seen->in_turn = false;
	seen->rounds += seen->attempt != 0 && node->fence_device == 0;
	seen->attempt = node->fence_attempt;
	seen->device = node->fence_device;
	seen->failures = node->fence_failures;
}

static bool is_believed(struct run *run)
{
	const struct cluster_node *node = fenced_node(run);

	return node && (node->life == NODE_FENCED || node->life == NODE_DEAD);
}

// The last node loses its power and its fence device answers nothing for ten minutes; then it
// works.
static void try_fencing(struct run *run, struct fencing *seen)
{
	uint32_t target = run->scenario->node_count - 1;
	uint64_t end_us;

	run->world->hosts[target].fence_mode = FENCE_FAILS;
	run_power_off(run, target);
	end_us = run->world->now_us + SECONDS(600);
	while (run->world->now_us < end_us && !run->world->failed) {
		run_until(run, run->world->now_us + MS(10));
		look_at_fence(run, seen);
	}
	run->world->hosts[target].fence_mode = FENCE_WORKS;
}

static bool asks_for(const struct run *run, enum property wanted)
{
	enum property property;

	for (uint32_t q = 0; q < run->scenario->question_count; q++)
		if (strcmp(run->scenario->questions[q].a, "prop") == 0 &&
		    property_of(run->scenario, run->scenario->questions[q].what, &property) &&
		    property == wanted)
			return true;
	return false;
}

// Clusters of this size, as far as seeds go, in bad years; as many as the question names, if it
// names a number.
static bool random_runs(const struct scenario *scenario, const struct scenario_question *question)
{
	uint32_t runs = question->number >= 1 ? (uint32_t)fmin(question->number, RANDOM_RUNS_MAX)
					      : RANDOM_RUNS;
	uint32_t hosts = scenario->node_count, vms = scenario->vm_count;
	bool good = true;

	hosts = hosts < SIM_HOSTS_MAX ? hosts : SIM_HOSTS_MAX;
	vms = vms < SIM_VMS_MAX - 8 ? vms : SIM_VMS_MAX - 8;
	for (uint64_t seed = 1; good && seed <= runs; seed++) {
		struct world *world;

		good = seed_run(seed, hosts, vms, NULL, &world);
		world_free(world);
	}
	return good;
}

void run_ask_property(struct run *run)
{
	struct fencing seen = { 0 };
	bool at_last = false;

	if (asks_for(run, PROPERTY_IN_TURN) || asks_for(run, PROPERTY_NEVER_ASSUMED)) {
		try_fencing(run, &seen);
		at_last = !seen.believed && run_wait(run, is_believed, 300);
	}
	for (uint32_t q = 0; q < run->scenario->question_count; q++) {
		struct scenario_question *question = &run->scenario->questions[q];
		enum property property;

		if (strcmp(question->a, "prop") != 0 ||
		    !property_of(run->scenario, question->what, &property))
			continue;
		if (property == PROPERTY_RANDOM)
			answer(question, random_runs(run->scenario, question));
		else if (property == PROPERTY_IN_TURN)
			answer(question, seen.in_turn && seen.rounds > 0);
		else
			answer(question, seen.rounds > 1 && !seen.believed && at_last);
	}
}
