// SPDX-License-Identifier: Apache-2.0
// What one clusterd tells another over a link of what its store holds: ahead of what the group
// delivers, or long behind it, of another life or another view. In some seeds there are no links.
#include "tests/sim/world.h"

void word_synced_tell(struct world *world, struct host *host, const struct action *action)
{
	struct event event = {
		.type = EVENT_SYNCED_HEARD,
		.from_id = host->id,
		.view = action->view,
		.token = action->token,
		.index = action->index,
	};
	struct host *to;

	if (world->config.story || world->seed % 4 != 1 || action->node_id == 0 ||
	    action->node_id > world->config.hosts)
		return;
	to = &world->hosts[action->node_id - 1];
	if (!move_linked(world, host, to) || !to->daemon)
		return;
	host_post(world, to, world_jitter(world, 50, MS(1)), &event);
	if (!world_trouble(world, TROUBLE_WORDS) || world->quiet || !rng_chance(&world->rng, 5))
		return;
	world_fault(world);
	world->stats[STAT_WORDS_TWICE]++;
	host_post(world, to, world_jitter(world, MS(1), SECONDS(3)), &event);
}
