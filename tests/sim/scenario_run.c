// SPDX-License-Identifier: Apache-2.0
/*
 * clustersim run: one scenario, from its first line to its trace. The same scenario gives the same
 * bytes: the world is made from one seed and knows no clock.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "clusterd/invariant.h"
#include "policies/mend.h"
#include "tests/sim/scenario.h"

enum {
	SEED = 1,
	SKIPPED = 77,
	QUIET_S = 200, // longer than any timer of the product that ends a wait
	SETTLE_LIMIT_S = 3600,
	DETECT_LIMIT_S = 120,
	// The format's own times, in seconds, and what they stand for here.
	FORMAT_NOTICED_S = 60,
	FORMAT_FENCED_S = 120,
	FORMAT_ROUND_S = 20,
	ROUND_S = 5,
	ANSWER_LIMIT_S = 1,
};

// ---- time

static bool moment(struct run *run, uint64_t until_us)
{
	const struct queue *queue = &run->world->queue;

	if (run->world->failed || queue->count == 0 || queue->heap[0].at_us > until_us)
		return false;
	world_run(run->world, queue->heap[0].at_us);
	command_watch(run);
	run_watch(run);
	return true;
}

void run_until(struct run *run, uint64_t until_us)
{
	while (moment(run, until_us))
		;
	if (!run->world->failed)
		run->world->now_us = until_us;
}

bool run_wait(struct run *run, bool (*reached)(struct run *run), uint32_t limit_s)
{
	uint64_t until_us = run->world->now_us + SECONDS(limit_s);

	while (!reached(run))
		if (!moment(run, until_us))
			return false;
	return true;
}

static bool is_detected(struct run *run)
{
	return run->detected;
}

static uint64_t quiet_since_us(const struct run *run)
{
	return run->changed_us > run->busy_until_us ? run->changed_us : run->busy_until_us;
}

// A VM that a policy moved is left where it is for a while, whatever would be better by then.
static bool rests(struct run *run)
{
	struct host *speaker = run_speaker(run);

	for (uint32_t v = 0; speaker && v < run->scenario->vm_count; v++) {
		const struct vm *vm = run_vm(run, node_cluster(speaker->node), v);

		if (vm && vm->moved_ms != 0 && vm->phase == VM_RUNNING &&
		    host_wall_ms(run->world, speaker) <
			    vm->moved_ms + MEND_REST_MS + QUIET_S * 1000 / 2)
			return true;
	}
	return false;
}

// Where clusters balance themselves the next time may be due only then.
static uint32_t quiet_s(const struct run *run)
{
	const struct scenario *scenario = run->scenario;

	if (!scenario->balances)
		return QUIET_S;
	return QUIET_S + 2 * scenario_balance_rest_s(scenario) + scenario->balance_hold_s;
}

static bool is_settled(struct run *run)
{
	return run->world->now_us >= quiet_since_us(run) + SECONDS(quiet_s(run)) && !rests(run);
}

static uint64_t confirmed_us(const struct run *run)
{
	const struct world *world = run->world;

	if (world->config.fences)
		return world->config.detection_us + SECONDS(2);
	return world->config.detection_us + disk_host_dead_us(world, 0);
}

// The format's seconds in ours: by the failure's own milestones.
static uint64_t scaled_us(const struct run *run, double seconds)
{
	double noticed = (double)run->world->config.detection_us,
	       fenced = (double)confirmed_us(run);

	if (run->scenario->balances) // what is measured takes the same time everywhere
		return (uint64_t)(seconds * 1e6);
	if (seconds < FORMAT_NOTICED_S)
		return (uint64_t)(noticed * seconds / FORMAT_NOTICED_S);
	if (seconds < FORMAT_FENCED_S)
		return (uint64_t)(noticed + (fenced - noticed) * (seconds - FORMAT_NOTICED_S) /
						    (FORMAT_FENCED_S - FORMAT_NOTICED_S));
	return (uint64_t)(fenced + (seconds - FORMAT_FENCED_S) / FORMAT_ROUND_S * ROUND_S * 1e6);
}

static bool are_answered(struct run *run)
{
	for (uint32_t i = 0; i < ACTIONS_MAX; i++)
		if (run->commands[i].open)
			return false;
	return true;
}

static void step_wait(struct run *run, const struct scenario_step *step)
{
	uint32_t limit_s = SETTLE_LIMIT_S + (run->scenario->balances ? 8 * quiet_s(run) : 0);
	uint64_t until_us = run->world->now_us + SECONDS(limit_s);

	switch ((enum scenario_wait)step->wait) {
	case WAIT_SETTLE:
		run->changed_us = run->world->now_us;
		run->settled = run_wait(run, is_settled, limit_s) ||
			       quiet_since_us(run) + SECONDS(quiet_s(run)) <= until_us;
		break;
	case WAIT_DETECTED:
		run_wait(run, is_detected, DETECT_LIMIT_S);
		break;
	case WAIT_NONE: // an administrator has her answer before she asks for more
		run_wait(run, are_answered, ANSWER_LIMIT_S);
		break;
	case WAIT_SECONDS:
		run_until(run, run->world->now_us + scaled_us(run, step->wait_s));
		break;
	}
}

// What was lost when the story began was noticed before.
static bool was_detected(const struct run *run, const struct scenario_step *step)
{
	for (uint32_t i = 0; i < step->count; i++)
		if (step->actions[i].act != DO_EVALUATE)
			return false;
	return run->step == 0 && run->unclean != 0;
}

static bool is_mending(const struct scenario_step *step)
{
	for (uint32_t i = 0; i < step->count; i++) {
		uint8_t act = step->actions[i].act;

		if (act == DO_HEAL || act == DO_NET_ON || act == DO_POWER_ON ||
		    act == DO_STORE_OK || act == DO_MANAGER_START)
			return true;
	}
	return false;
}

static void run_steps(struct run *run)
{
	for (uint32_t i = 0; i < run->scenario->step_count && !run->world->failed; i++) {
		const struct scenario_step *step = &run->scenario->steps[i];

		run->step = i;
		run->detected = was_detected(run, step);
		run->settled = false;
		run->mending = is_mending(step);
		for (uint32_t k = 0; k < step->count && !run->world->failed; k++) {
			run_act(run, &step->actions[k], k);
			run_watch(run);
		}
		step_wait(run, step);
		run_watch(run);
		run_ask_quorum(run);
		run_snapshot(run, false);
	}
	run_snapshot(run, true);
}

// ---- one world

static bool takes_nodes_away(const struct scenario *s)
{
	for (uint32_t i = 0; i < s->step_count; i++) {
		for (uint32_t k = 0; k < s->steps[i].count; k++) {
			uint8_t act = s->steps[i].actions[k].act;

			if (act == DO_POWER_OFF || act == DO_NET_OFF || act == DO_SHUTDOWN ||
			    act == DO_REBOOT || act == DO_STORAGE_OFF || act == DO_NODE_LEAVE)
				return true;
		}
	}
	return false;
}

// Those that only vote: as many as the quorum that is given needs, whatever happens to the others,
// or is said to be there already.
static uint32_t voters_added(const struct scenario *s)
{
	uint32_t online = 0, count = s->node_count;

	for (uint32_t i = 0; i < count; i++)
		online += s->nodes[i].state == AT_ONLINE || s->nodes[i].state == AT_UNMANAGED ||
			  s->nodes[i].state == AT_MAINTENANCE;
	if (!s->quorum_given && !(s->quorate_given && s->quorate))
		return 0;
	if (s->quorum_given && s->quorate && takes_nodes_away(s))
		return 2 * count - 1 > HOSTS_MAX ? HOSTS_MAX - count : count - 1;
	if (s->quorate)
		return 2 * online > count ? 0 : count - 2 * online + 1;
	return 2 * online > count ? 2 * online - count : 0;
}

// In what its hosts have.
void run_load(struct run *run, uint32_t vm, uint32_t cpu, uint32_t memory_mib)
{
	const struct scenario *scenario = run->scenario;

	measure_named_load(run->world, scenario->vms[vm].name,
			   scenario->cpus_count ? cpu * SCENARIO_CPU_SCALE : cpu,
			   memory_mib * scenario_memory_scale(scenario));
}

// Where any VM's load is said, every host measures; what is not said is what was defined.
static void run_loads(struct run *run)
{
	const struct scenario *scenario = run->scenario;
	bool any = scenario->balances;

	for (uint32_t v = 0; v < scenario->vm_count; v++)
		any |= scenario->vms[v].load_given;
	if (!any)
		return;
	measure_begin(run->world);
	for (uint32_t v = 0; v < scenario->vm_count; v++) {
		const struct scenario_vm *vm = &scenario->vms[v];

		run_load(run, v, vm->load_given ? vm->load_cpu : (uint32_t)vm->cpus * 1000,
			 vm->load_given ? vm->load_mib : (uint32_t)vm->memory_mib);
	}
}

// What is measured of a host is a share of what it has: where that is said, it has no more, as long
// as what it runs at the start fits.
static uint64_t host_memory(const struct scenario *s, uint32_t node)
{
	uint64_t memory = 0;

	for (uint32_t v = 0; v < s->vm_count && s->memory_counts; v++)
		if (s->vms[v].on >> node & 1)
			memory += s->vms[v].memory_mib;
	if (!(s->loads || s->balances) || memory > s->nodes[node].memory_mib ||
	    s->nodes[node].memory_mib == 0)
		return 0;
	return scenario_memory(s, node);
}

static struct run *run_new(struct scenario *scenario, FILE *story)
{
	struct run *run = calloc(1, sizeof(*run));
	struct world_config config;

	INVARIANT(run);
	run->scenario = scenario;
	run->hosts = scenario->node_count + voters_added(scenario);
	run->leader = NAME_NONE;
	run->fence_devices = scenario->mode == MODE_PROPERTY ? 3 : 1;
	config = scenario_config(run);
	if (scenario->mode == MODE_PROPERTY)
		config.fences = NODE_BITS(run->hosts);
	run->world = world_new(&config, SEED, story);
	run->world->runner = run;
	run->world->replied = run_replied;
	world_fault(run->world); // a scenario is full of them: errors may be logged
	for (uint32_t v = 0; v < WORLD_VMS_MAX; v++) {
		run->vms[v].state = VM_STATE_COUNT;
		run->vms[v].home = NAME_NONE;
	}
	run_loads(run);
	for (uint32_t i = 0; i < run->hosts; i++) {
		uint64_t cpus = i < scenario->node_count ? scenario->nodes[i].cpus : 0;

		run->world->hosts[i].memory_mib = SCENARIO_PLENTY_MIB;
		if (i < scenario->node_count && host_memory(scenario, i) > 0)
			run->world->hosts[i].memory_mib = (uint32_t)host_memory(scenario, i);
		run->world->hosts[i].cpus = UINT16_MAX;
		if (scenario->cpus_count && cpus > 0)
			run->world->hosts[i].cpus = (uint32_t)cpus * SCENARIO_CPU_SCALE;
		else if ((scenario->loads || scenario->balances) && cpus > 0)
			run->world->hosts[i].cpus = (uint32_t)cpus; // what is used of them counts
	}
	for (uint32_t i = 0; i < HOSTS_MAX; i++) {
		run->nodes[i].managed = true;
		run->nodes[i].life = NODE_LIFE_COUNT;
	}
	return run;
}

static void run_free(struct run *run)
{
	world_free(run->world);
	free(run->events.text);
	free(run->snapshots.text);
	free(run->final.text);
	free(run);
}

static bool run_world(struct run *run)
{
	if (!run_setup(run))
		return false;
	if (run->scenario->mode == MODE_PROPERTY) {
		run_ask_property(run);
		run_snapshot(run, true);
	} else {
		run_steps(run);
		run_ask_config(run);
	}
	for (uint32_t i = 0; i < ACTIONS_MAX; i++)
		if (run->commands[i].open)
			run_replied(run->world, run->commands[i].cookie,
				    &(struct entry_result){ .reason = "there was no answer" });
	return true;
}

// ---- the trace

static const char *text_or(const struct paper *paper, const char *otherwise)
{
	return paper->text ? paper->text : otherwise;
}

static void write_answers(struct paper *paper, const struct scenario *scenario)
{
	bool first = true;

	for (uint32_t q = 0; q < scenario->question_count; q++) {
		const struct scenario_question *question = &scenario->questions[q];

		if (!question->answer)
			continue;
		paper_add(paper, "%s\n  ", first ? "" : ",");
		paper_add_json(paper, question->key);
		paper_add(paper, ": %s", question->answer);
		first = false;
	}
}

static bool write_trace(const struct scenario *scenario, const struct run *run, const char *path)
{
	static const struct paper empty;
	struct paper paper = { 0 };
	FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
	bool good;

	paper_add(&paper, "{\"scenario\": ");
	paper_add_json(&paper, scenario->id);
	paper_add(&paper, ",\n \"events\": [%s],\n", text_or(run ? &run->events : &empty, ""));
	paper_add(&paper, " \"snapshots\": [%s],\n", text_or(run ? &run->snapshots : &empty, ""));
	paper_add(&paper, " \"final\": %s,\n \"answers\": {",
		  text_or(run ? &run->final : &empty, "{\"step\": 0, \"nodes\": {}, \"vms\": {}}"));
	write_answers(&paper, scenario);
	paper_add(&paper, "}}\n");
	good = out && fwrite(paper.text, 1, paper.used, out) == paper.used;
	if (out && out != stdout)
		good = fclose(out) == 0 && good;
	free(paper.text);
	if (!good)
		perror(path);
	return good;
}

// ---- the verb

static int tell_skipped(const struct scenario *scenario)
{
	printf("skipped: %s needs:", scenario->id);
	for (uint32_t i = 0; i < scenario->lack_count; i++)
		printf("%s %s", i ? "," : "", scenario->lacks[i]);
	printf("\n");
	return SKIPPED;
}

static int run_scenario(struct scenario *scenario, const char *trace, FILE *story)
{
	struct run *run = NULL;
	bool good = true;

	if (scenario->node_count + voters_added(scenario) > HOSTS_MAX)
		scenario_lacks(scenario, "nodes: more than the simulator has");
	scenario_ask_lease(scenario);
	if (scenario->mode != MODE_PROPERTY && scenario_asks_property(scenario))
		scenario_lacks(scenario, "property: only in the mode of that name");
	if (scenario->mode == MODE_PROPERTY &&
	    (!scenario_asks_property(scenario) || scenario->node_count < 3))
		scenario_lacks(scenario, "property: nothing that can be tried");
	if (scenario->lack_count > 0)
		return tell_skipped(scenario);
	if (scenario->mode != MODE_LEASE) {
		run = run_new(scenario, story);
		good = run_world(run);
		if (run->world->failed)
			snprintf(run->problem, sizeof(run->problem), "%s", run->world->failure);
		good = good && !run->world->failed;
		if (!good)
			fprintf(stderr, "clustersim: %s: %s\n", scenario->id, run->problem);
	}
	if (good && trace)
		good = write_trace(scenario, run, trace);
	if (good && (!trace || strcmp(trace, "-") != 0))
		printf("%s: %u events, %u s\n", scenario->id,
		       run ? (unsigned int)run->event_count : 0,
		       run ? (unsigned int)((run->world->now_us - run->zero_us) / 1000000) : 0);
	if (run)
		run_free(run);
	return good ? 0 : 1;
}

int scenario_main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "trace", required_argument, NULL, 't' },
		{ "story", no_argument, NULL, 's' },
		{ "capabilities", no_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	struct scenario *scenario;
	const char *trace = NULL;
	FILE *story = NULL;
	char problem[512];
	int c, status = 1;
	bool list = false;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 't')
			trace = optarg;
		else if (c == 's')
			story = stderr;
		else if (c == 'c')
			list = true;
		else
			return 2;
	}
	if (list && optind == argc) {
		capabilities_print();
		return 0;
	}
	if (list || optind + 1 != argc) {
		fputs("Usage: clustersim run SCENARIO.json [--trace OUT] [--story]\n"
		      "       clustersim run --capabilities\n",
		      stderr);
		return 2;
	}
	scenario = calloc(1, sizeof(*scenario));
	INVARIANT(scenario);
	if (scenario_read(scenario, argv[optind], problem, sizeof(problem)))
		status = run_scenario(scenario, trace, story);
	else
		fprintf(stderr, "clustersim: %s: %s\n", argv[optind], problem);
	scenario_free(scenario);
	free(scenario);
	return status;
}
