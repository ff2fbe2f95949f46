// SPDX-License-Identifier: Apache-2.0
// Fence devices: off, then status. Some are slow, some fail, and a lying one is a fault that is
// counted.
#include "tests/sim/world.h"

#include <stdlib.h>

struct fence_job {
	struct event event;
	uint32_t daemon_epoch;
	uint8_t mode;
};

static void fence_run(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct fence_job *job = item->data;
	struct host *target = &world->hosts[job->event.node_id - 1];

	switch ((enum fence_mode)job->mode) {
	case FENCE_WORKS:
	case FENCE_SLOW:
		host_power_off(world, target, "fenced");
		target->proved_off = true;
		job->event.flag = true;
		world->stats[STAT_FENCES_OK]++;
		break;
	case FENCE_FAILS:
		job->event.reason = "the device does not answer";
		world->stats[STAT_FENCES_FAILED]++;
		break;
	case FENCE_LIES:
		job->event.flag = true;
		target->lied_about = true;
		world->stats[STAT_FENCE_LIES]++;
		break;
	}
	world_say(world, host, "fence agent for %s: %s", target->name,
		  job->event.flag ? "off" : job->event.reason);
	if (host->daemon && host->daemon_epoch == job->daemon_epoch)
		host_post(world, host, 0, &job->event);
}

// The agent is a process of its own: it goes on when clusterd dies.
void fence_perform(struct world *world, struct host *host, const struct action *action)
{
	struct fence_job *job;
	struct host *target;
	uint64_t delay_us;

	if (action->node_id == 0 || action->node_id > world->config.hosts)
		return;
	target = &world->hosts[action->node_id - 1];
	world->stats[STAT_FENCES]++;
	world_say(world, host, "fence agent for %s is called", target->name);
	job = calloc(1, sizeof(*job));
	if (!job)
		return;
	job->daemon_epoch = host->daemon_epoch;
	// A host's trouble is that of all its devices, but for one that has another which always
	// works.
	job->mode = target->fence_mode;
	if (action->device > 0 && world->config.second_fences >> target->index & 1)
		job->mode = FENCE_WORKS;
	job->event = (struct event){
		.type = EVENT_FENCE_DONE,
		.node_id = action->node_id,
		.attempt = action->attempt,
	};
	world->stats[STAT_FENCES_SLOW] += job->mode == FENCE_SLOW;
	delay_us = job->mode == FENCE_SLOW    ? world_jitter(world, SECONDS(3), SECONDS(40))
		   : job->mode == FENCE_FAILS ? world_jitter(world, MS(500), SECONDS(20))
					      : world_jitter(world, MS(100), MS(900));
	world_at(world, delay_us, host, GUARD_POWER, fence_run)->data = job;
}
