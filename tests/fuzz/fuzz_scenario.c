// SPDX-License-Identifier: Apache-2.0
// Scenarios, twisted: one is refused with the place of its mistake, or whatever it holds is within
// the simulator's limits and names what it defines.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clusterd/invariant.h"
#include "tests/sim/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_node(const struct scenario *s, uint8_t node)
{
	return node == NAME_NONE || node < s->node_count;
}

static bool are_nodes(const struct scenario *s, uint64_t mask)
{
	return mask == 0 || (s->node_count > 0 && (mask & ~NODE_BITS(s->node_count)) == 0);
}

static void look_at_vm(const struct scenario *s, const struct scenario_vm *vm)
{
	INVARIANT(vm->name[0] && memchr(vm->name, 0, sizeof(vm->name)));
	INVARIANT(is_node(s, vm->home) && vm->want < WANT_COUNT && vm->state <= VM_AT_COUNT);
	INVARIANT(are_nodes(s, vm->possible) && are_nodes(s, vm->on));
	INVARIANT(are_nodes(s, vm->start_fails_on) || vm->start_fails_on == UINT64_MAX);
	INVARIANT(vm->tier_count <= VM_TIERS_MAX);
	for (uint32_t i = 0; i < vm->tier_count; i++)
		INVARIANT(are_nodes(s, vm->tiers[i]));
}

static void look_at_step(const struct scenario *s, const struct scenario_step *step)
{
	INVARIANT(step->wait <= WAIT_SECONDS && step->count <= ACTIONS_MAX);
	INVARIANT(step->wait_s >= 0 && step->wait_s <= 1e6);
	for (uint32_t i = 0; i < step->count; i++) {
		const struct scenario_action *action = &step->actions[i];

		INVARIANT(action->act < DO_COUNT && action->want < WANT_COUNT);
		INVARIANT(is_node(s, action->node) && is_node(s, action->to));
		INVARIANT(action->vm == VM_NONE || action->vm < s->vm_count);
		INVARIANT(action->for_s >= 0 && action->timeout_s <= 86400);
	}
}

static void look(const struct scenario *s)
{
	INVARIANT(s->id[0] && s->mode < MODE_COUNT);
	INVARIANT(s->node_count >= 1 || s->lack_count > 0);
	INVARIANT(s->node_count <= HOSTS_MAX && s->vm_count <= WORLD_VMS_MAX);
	INVARIANT(s->step_count <= STEPS_MAX && s->question_count <= QUESTIONS_MAX);
	INVARIANT(s->lack_count <= LACKS_MAX && is_node(s, s->leader));
	for (uint32_t i = 0; i < s->node_count; i++) {
		INVARIANT(s->nodes[i].name[0] && s->nodes[i].state < AT_COUNT);
		for (uint32_t k = 0; k < i; k++)
			INVARIANT(strcmp(s->nodes[k].name, s->nodes[i].name) != 0);
	}
	for (uint32_t i = 0; i < s->vm_count; i++)
		look_at_vm(s, &s->vms[i]);
	for (uint32_t i = 0; i < s->step_count; i++)
		look_at_step(s, &s->steps[i]);
	for (uint32_t i = 0; i < s->question_count; i++) {
		INVARIANT(s->questions[i].key || s->lack_count > 0);
		INVARIANT(are_nodes(s, s->questions[i].partition));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scenario scenario;
	char path[64], problem[256];
	int fd = memfd_create("scenario", MFD_CLOEXEC);

	INVARIANT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	problem[0] = 0;
	if (scenario_read(&scenario, path, problem, sizeof(problem)))
		look(&scenario);
	else
		INVARIANT(problem[0] && strlen(problem) < sizeof(problem));
	scenario_free(&scenario);
	close(fd);
	return 0;
}
