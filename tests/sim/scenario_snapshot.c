// SPDX-License-Identifier: Apache-2.0
/*
 * What is so at the end of a step: where VMs are by what was told, as what they are by the newest
 * replica. Where the step ended because nothing more happens, nothing is said to be under way.
 */
#include <string.h>

#include "tests/sim/scenario.h"

static const char *node_snapshot(struct run *run, uint32_t i, struct host *speaker)
{
	const struct host *host = &run->world->hosts[i];
	const struct cluster_node *node;
	char reason[REASON_SIZE];

	if (!speaker)
		return !host->powered ? "offline" : host->daemon ? "online" : "pending";
	node = cluster_node_by_id((struct cluster *)node_cluster(speaker->node), i + 1);
	if (!node)
		return "gone";
	if (run->nodes[i].lost && run->nodes[i].confirmed)
		return "offline";
	switch (node_node_state(speaker->node, node, reason)) {
	case NODE_STATE_ONLINE:
		return "online";
	case NODE_STATE_OFFLINE:
		return "offline";
	case NODE_STATE_FENCING:
		return "fencing";
	case NODE_STATE_LOST:
	case NODE_STATE_ISOLATED:
		return node->life == NODE_EXPIRING ? "fencing" : "unclean";
	case NODE_STATE_MAINTENANCE:
	case NODE_STATE_DRAINING:
		return "maintenance";
	case NODE_STATE_UNMANAGED:
		return "unmanaged";
	case NODE_STATE_JOINING:
	case NODE_STATE_QUARANTINED:
	case NODE_STATE_COUNT:
		break;
	}
	return "pending";
}

// Without quorum nobody decides: what is wanted and does not run waits.
static const char *vm_without_quorum(struct run *run, uint32_t v)
{
	return run->scenario->vms[v].want == WANT_RUNNING ? "waiting" : "stopped";
}

static const char *vm_idle_word(struct run *run, struct host *speaker, uint32_t v)
{
	const struct vm *vm = speaker ? run_vm(run, node_cluster(speaker->node), v) : NULL;
	char reason[REASON_SIZE];

	if (!speaker)
		return run->scenario->vms[v].from_start ? vm_without_quorum(run, v) : "absent";
	if (!vm)
		return "absent";
	if (vm_is_frozen(node_cluster(speaker->node), vm))
		return "frozen";
	switch (node_vm_state(speaker->node, vm, reason)) {
	case VM_STATE_STOPPED:
	case VM_STATE_DISABLED:
	case VM_STATE_SAVED:
		return "stopped";
	case VM_STATE_ERROR:
		return "error";
	case VM_STATE_BLOCKED:
		return "blocked";
	case VM_STATE_UNMANAGED:
		return "unmanaged";
	case VM_STATE_STARTING:
		return "starting";
	case VM_STATE_RUNNING: // for all that is known: nobody heard of its end
		return run->settled ? "blocked" : "starting";
	case VM_STATE_STOPPING: // what remains to be done is to hear of it
		return run->settled ? "stopped" : "stopping";
	case VM_STATE_MIGRATING:
		return run->settled ? "blocked" : "migrating";
	case VM_STATE_WAITING:
	case VM_STATE_COUNT:
		break;
	}
	return "waiting";
}

static bool has_clusterd(const struct run *run, uint32_t i)
{
	return run->world->hosts[i].daemon && !run->world->hosts[i].store.failed;
}

// A move waits for as long as an end of it has no clusterd: its guest goes on meanwhile.
static bool is_left_alone(const struct run *run, const struct seen_move *move)
{
	for (uint32_t i = 0; run->settled && i < run->scenario->node_count; i++)
		if ((move->from == i || move->to == i) && !has_clusterd(run, i))
			return true;
	return false;
}

// Where it is, by what was told.
static const char *vm_word_at(struct run *run, struct host *speaker, uint32_t v, uint32_t node)
{
	const struct vm *vm = speaker ? run_vm(run, node_cluster(speaker->node), v) : NULL;

	// Where nothing more happens, its end is not under way: it may run there for as long as
	// that.
	if (run->nodes[node].lost && !run->nodes[node].confirmed)
		return run->nodes[node].life == NODE_LOST || run->settled ? "blocked" : "fencing";
	if (run->vms[v].failed_at_start)
		return "failed";
	if (vm && vm->phase == VM_BLOCKED)
		return "blocked";
	if (speaker && run->vms[v].move.id != 0 && run->vms[v].move.kind != MOVE_COLD)
		return is_left_alone(run, &run->vms[v].move) ? "unmanaged" : "migrating";
	if (vm && !vm->managed)
		return "unmanaged";
	if (vm && vm->wanted != VM_WANTED_RUNNING) // by whom, without its clusterd?
		return run->settled && !has_clusterd(run, node) ? "unmanaged" : "stopping";
	return "running";
}

// Of one that runs nowhere: the host that it is bound to, or where it was moved while it was off.
static uint32_t resting_node(struct run *run, struct host *speaker, uint32_t v, const char *word)
{
	const struct cluster *cluster = speaker ? node_cluster(speaker->node) : NULL;
	const struct vm *vm = cluster ? run_vm(run, cluster, v) : NULL;

	if (vm && strcmp(word, "frozen") == 0)
		return cluster->nodes[vm->bound_to].def.id - 1;
	return strcmp(word, "stopped") == 0 ? run->vms[v].home : NAME_NONE;
}

static void vm_snapshot(struct run *run, struct paper *paper, struct host *speaker, uint32_t v)
{
	uint64_t at = run->vms[v].at;
	uint32_t node = 0;
	const char *word;

	while (node < run->scenario->node_count && !(at >> node & 1))
		node++;
	if (run->vms[v].removed || (speaker && !run_vm(run, node_cluster(speaker->node), v)))
		word = "absent";
	else if (!at)
		word = vm_idle_word(run, speaker, v);
	else
		word = (at & (at - 1)) ? "double" : vm_word_at(run, speaker, v, node);
	paper_add_json(paper, run->scenario->vms[v].name);
	paper_add(paper, ": {\"state\": \"%s\", \"on\": ", word);
	if (!at)
		node = resting_node(run, speaker, v, word);
	if (node < run->scenario->node_count && strcmp(word, "absent") != 0)
		paper_add_json(paper, run->scenario->nodes[node].name);
	else
		paper_add(paper, "null");
	paper_add(paper, "}");
}

void run_snapshot(struct run *run, bool last)
{
	struct paper *paper = last ? &run->final : &run->snapshots;
	struct host *speaker = run_speaker(run);

	if (!last)
		paper_add(paper, "%s\n  ", paper->used ? "," : "");
	paper_add(paper, "{\"step\": %u, \"nodes\": {", (unsigned int)run->step);
	for (uint32_t i = 0; i < run->scenario->node_count; i++) {
		paper_add(paper, i ? ", " : "");
		paper_add_json(paper, run->scenario->nodes[i].name);
		paper_add(paper, ": \"%s\"", node_snapshot(run, i, speaker));
	}
	paper_add(paper, "}, \"vms\": {");
	for (uint32_t v = 0; v < run->scenario->vm_count; v++) {
		paper_add(paper, v ? ", " : "");
		vm_snapshot(run, paper, speaker, v);
	}
	paper_add(paper, "}}");
}
