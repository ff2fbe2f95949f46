// SPDX-License-Identifier: Apache-2.0
/*
 * Moves in the trace. That one began, and that it failed, is told from the newest replica; that it
 * arrived when the guest runs on its target. A live or quick move takes the VM from its source to
 * its target in one moment, whatever becomes of the processes; a cold one is a stop, another home,
 * and a start.
 */
#include <string.h>

#include "tests/sim/scenario.h"

static uint8_t node_of(const struct run *run, const struct cluster *cluster, uint8_t slot)
{
	uint32_t id = slot < NODES_MAX ? cluster->nodes[slot].def.id : 0;

	return id > 0 && id <= run->scenario->node_count ? (uint8_t)(id - 1) : NAME_NONE;
}

static bool keeps_memory(uint8_t kind)
{
	return kind == MOVE_LIVE || kind == MOVE_QUICK;
}

static const char *kind_words(const struct seen_move *move)
{
	return move->kind == MOVE_LIVE ? ", \"live\": true" : ", \"live\": false";
}

static void move_begins(struct run *run, const struct cluster *cluster, const struct move *move,
			uint32_t v)
{
	struct seen_move *seen = &run->vms[v].move;

	*seen = (struct seen_move){
		.id = move->id,
		.kind = move->kind,
		.from = node_of(run, cluster, move->source),
		.to = node_of(run, cluster, move->target),
	};
	if (keeps_memory(seen->kind) && seen->to != NAME_NONE && seen->from != NAME_NONE)
		run_tell_move(run, "migrate-start", v, seen->from, seen->to, kind_words(seen));
}

// It did not arrive.
static void move_fails(struct run *run, uint32_t v)
{
	struct seen_vm *vm = &run->vms[v];
	struct seen_move move = vm->move;

	vm->move.id = 0;
	if (keeps_memory(move.kind) && move.to != NAME_NONE && move.from != NAME_NONE)
		run_tell_move(run, "migrate-fail", v, move.from, move.to, kind_words(&move));
	if (!move.saved || move.from == NAME_NONE)
		return;
	vm->at &= ~NODE_BIT(move.from);
	run_tell_vm(run, "vm-stop", v, move.from);
}

void watch_move(struct run *run, const struct cluster *cluster, uint32_t v)
{
	const struct vm *vm = run_vm(run, cluster, v);
	const struct move *move = vm ? cluster_move(cluster, vm->move) : NULL;
	struct seen_vm *seen = &run->vms[v];

	if (seen->move.id != 0 && (!move || move->id != seen->move.id))
		move_fails(run, v);
	if (move && move->stage != STAGE_ASKED && move->target != SLOT_NONE &&
	    seen->move.id != move->id)
		move_begins(run, cluster, move, v);
}

// The scenario's VM whose migrations fail: each of its sendings, until there were enough.
void watch_move_faults(struct run *run, uint32_t v)
{
	struct scenario_vm *vm = &run->scenario->vms[v];
	struct seen_move *move = &run->vms[v].move;
	struct host *host;
	struct proc *proc;

	if (vm->migrate_fails == 0 || move->id == 0 || move->from == NAME_NONE || !run->telling)
		return;
	host = &run->world->hosts[move->from];
	proc = run->vms[v].running[move->from]
		       ? host_proc_serial(host, run->vms[v].running[move->from])
		       : NULL;
	if (!proc || proc->out.fails ||
	    (proc->out.status != MIGRATE_SETUP && proc->out.status != MIGRATE_ACTIVE))
		return;
	proc->out.fails = true;
	vm->migrate_fails--;
}

bool watch_arrival(struct run *run, uint32_t v, uint32_t node, const struct proc *proc)
{
	struct seen_vm *vm = &run->vms[v];
	struct seen_move move = vm->move;

	if (move.id == 0 || move.to != node || move.from == NAME_NONE)
		return false;
	// Nothing more is to be told of it.
	vm->move = (struct seen_move){ .id = move.id, .kind = MOVE_COLD };
	vm->move.from = vm->move.to = NAME_NONE;
	if (move.saved && proc->mode == START_FRESH) {
		vm->at &= ~NODE_BIT(move.from);
		run_tell_vm(run, "vm-stop", v, move.from);
	}
	if (proc->mode == START_FRESH) {
		run_tell_move(run, "vm-relocate-ok", v, move.from, move.to, "");
		return false;
	}
	vm->left[move.from] = vm->running[move.from];
	vm->running[move.from] = 0;
	vm->running[node] = proc->serial;
	vm->at = NODE_BIT(node);
	run_tell_move(run, "migrate-ok", v, move.from, move.to, kind_words(&move));
	return true;
}

bool watch_departure(struct run *run, uint32_t v, uint32_t node, const struct proc *proc)
{
	struct seen_move *move = &run->vms[v].move;

	if (move->id == 0 || move->from != node || move->kind != MOVE_QUICK || !proc ||
	    !proc->handed)
		return false;
	run->vms[v].running[node] = 0;
	move->saved = true;
	return true;
}
