// SPDX-License-Identifier: Apache-2.0
/*
 * A rule that outranks that a VM runs at all: in some seeds vm0 and vm1 are kept apart. Whoever is
 * placed where the other has long been breaks it, whatever else is going on.
 */
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

#include "clusterd/invariant.h"

enum { PAIR = 2, ASK_S = 5, SETTLED_S = 20, MOVE_SETTLED_S = 90 };

static const char *const names[PAIR] = { "vm0", "vm1" };

static void apart_run(struct world *world, struct item *item)
{
	struct host *host = &world->hosts[item->a++ % world->config.hosts];
	struct rule_def *rule;

	if (world->apart.us == 0 && host->daemon && !host->paused) {
		rule = calloc(1, sizeof(*rule));
		INVARIANT(rule);
		*rule = (struct rule_def){ .name = "apart",
					   .kind = RULE_APART,
					   .strict = true,
					   .enabled = true,
					   .weight = 100,
					   .at_once = 1,
					   .member_count = PAIR };
		for (uint32_t i = 0; i < PAIR; i++)
			snprintf(rule->members[i].name, NAME_SIZE, "%s", names[i]);
		if (admin_apply_rule(world, host, rule))
			world->apart.cookie = world->next_cookie;
		free(rule);
	}
	world_at(world, SECONDS(ASK_S), NULL, GUARD_NONE, apart_run)->a = item->a;
}

void apart_start(struct world *world)
{
	world_at(world, SECONDS(20), NULL, GUARD_NONE, apart_run);
}

void apart_forget(struct world *world)
{
	memset(&world->apart, 0, sizeof(world->apart));
}

void apart_replied(struct world *world, const struct host *host, const struct action *action)
{
	if (action->cookie != world->apart.cookie || !action->result->accepted)
		return;
	world->apart.us = world->now_us;
	world->apart.index = node_cluster(host->node)->index;
}

// When each of them came where it is: by whoever knows it first.
void apart_seen(struct world *world, const struct host *host)
{
	const struct cluster *cluster = node_cluster(host->node);

	for (uint32_t i = 0; world->apart.us && i < PAIR; i++) {
		const struct vm *vm = cluster_find_vm(cluster, names[i]);
		bool placed = vm && (vm->phase == VM_PLACED || vm->phase == VM_RUNNING);

		if (!placed || vm->ref.serial < world->apart.serial[i] ||
		    (vm->ref.serial == world->apart.serial[i] &&
		     vm->attempt <= world->apart.attempt[i]))
			continue;
		world->apart.serial[i] = vm->ref.serial;
		world->apart.attempt[i] = vm->attempt;
		world->apart.came_us[i] = world->now_us;
	}
}

/*
 * Judged by what the starting host itself knows. What came under way together, the decision could
 * not know: only whoever was long there counts, and a rule that was long there.
 */
void apart_exec(struct world *world, struct host *host, const struct proc *proc)
{
	const struct cluster *cluster = node_cluster(host->node);
	bool moves = proc->mode == START_INCOMING;
	uint64_t settled_us = SECONDS(moves ? MOVE_SETTLED_S : SETTLED_S), since_us;
	const struct vm *other;
	uint32_t at = 0;

	while (at < PAIR && strcmp(vm_name(host, proc->vm), names[at]) != 0)
		at++;
	if (world->apart.us == 0 || at == PAIR || cluster->index < world->apart.index)
		return;
	since_us = moves ? world->now_us : world->apart.came_us[at];
	other = cluster_find_vm(cluster, names[1 - at]);
	if (since_us < world->apart.us + settled_us)
		return;
	world->stats[STAT_APART]++;
	if (other && other->phase == VM_RUNNING && other->attempt == world->apart.attempt[1 - at] &&
	    cluster->nodes[other->owner].def.id == host->id &&
	    since_us > world->apart.came_us[1 - at] + settled_us)
		check_fail(world, host, "%s starts beside %s, which it is kept apart from",
			   names[at], names[1 - at]);
}
