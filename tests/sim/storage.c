// SPDX-License-Identifier: Apache-2.0
// Shared volumes as each host sees them: probes, paths that are slow, hang or are lost, preparing,
// lease slots.
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

static const char *path_word(enum path_state state)
{
	switch (state) {
	case PATH_OK:
		return "is well";
	case PATH_SLOW:
		return "is slow";
	case PATH_HUNG:
		return "hangs";
	case PATH_LOST:
		return "is lost";
	}
	return "";
}

uint64_t path_delay_us(struct world *world, struct host *host, uint32_t disk)
{
	switch ((enum path_state)host->paths[disk].state) {
	case PATH_OK:
		return world_jitter(world, MS(4), MS(20));
	case PATH_SLOW:
		return world_jitter(world, MS(300), SECONDS(4));
	case PATH_HUNG:
		return NEVER;
	case PATH_LOST:
		return world_jitter(world, MS(5), MS(500));
	}
	return NEVER;
}

static void volume_run_tell(struct world *world, struct item *item)
{
	struct host *host = item->host;
	const struct place_on_host *path = &host->paths[item->a];
	const struct lockspace *space = &host->sanlock.lockspaces[item->a];
	struct event event = {
		.type = EVENT_VOLUME,
		.volume = path->volume,
		.joined = host->sanlock.running && space->joined,
		.index = 1024 * 1024,
	};

	if (!path->open)
		return;
	switch ((enum path_state)path->state) {
	case PATH_OK:
		event.volume_state = VOLUME_ONLINE;
		break;
	case PATH_SLOW:
		event.volume_state = VOLUME_SLOW;
		event.reason = "a probe took more than a second";
		break;
	case PATH_HUNG:
	case PATH_LOST:
		event.volume_state = VOLUME_LOST;
		event.reason = "probes fail";
		break;
	}
	event.generation = event.joined ? space->generation : 0;
	host_post(world, host, 0, &event);
}

// Tells clusterd what the volume is like then; the edge tells every change.
void volume_post(struct world *world, struct host *host, uint32_t disk, uint64_t delay_us)
{
	struct item *item;

	if (!host->daemon || !host->paths[disk].open)
		return;
	item = world_at(world, delay_us, host, GUARD_DAEMON, volume_run_tell);
	item->a = disk;
}

void path_set(struct world *world, struct host *host, uint32_t disk, enum path_state state)
{
	struct place_on_host *path = &host->paths[disk];

	if (path->state == state)
		return;
	world_say(world, host, "storage d%u %s", (unsigned int)disk, path_word(state));
	world->stats[STAT_PATHS] += state != PATH_OK;
	world->stats[STAT_PATHS_HUNG] += state == PATH_HUNG;
	world->stats[STAT_PATHS_LOST] += state == PATH_LOST;
	path->state = (uint8_t)state;
	path->serial++;
	sanlock_path_changed(world, host, disk);
	if (state == PATH_LOST)
		qemu_path_lost(world, host, disk);
	volume_post(world, host, disk, world_jitter(world, MS(500), SECONDS(4)));
}

void path_reopen(struct world *world, struct host *host)
{
	(void)world;
	for (uint32_t d = 0; d < DISKS_MAX; d++)
		host->paths[d].open = false;
}

// Volumes are named d0, d1...: the number is the disk.
static uint32_t disk_of(const struct host *host, uint8_t volume)
{
	const struct cluster_volume *defined = &node_cluster(host->node)->volumes[volume];

	return (uint32_t)(defined->def.name[1] - '0') % DISKS_MAX;
}

static void volume_open(struct world *world, struct host *host, uint8_t volume)
{
	uint32_t disk = disk_of(host, volume);

	host->paths[disk].open = true;
	host->paths[disk].volume = volume;
	volume_post(world, host, disk, world_jitter(world, MS(5), MS(300)));
}

static void volume_close(struct world *world, struct host *host, uint8_t volume)
{
	for (uint32_t d = 0; d < DISKS_MAX; d++) {
		if (!host->paths[d].open || host->paths[d].volume != volume)
			continue;
		host->paths[d].open = false;
		sanlock_leave(world, host, d);
	}
}

// A job on the volume; waits while the path hangs, and is done when it no longer does: even much
// later.
static void volume_job(struct world *world, struct host *host, uint32_t disk,
		       const struct item *job)
{
	uint64_t delay_us = path_delay_us(world, host, disk);
	struct item *item = world_at(world, delay_us == NEVER ? SECONDS(1) : delay_us, host,
				     GUARD_POWER, job->run);

	item->a = job->a;
	item->b = job->b;
	item->c = job->c;
	item->data = job->data;
}

static bool job_hangs(struct world *world, struct item *item, uint32_t disk)
{
	if (item->host->paths[disk].state != PATH_HUNG)
		return false;
	volume_job(world, item->host, disk, item);
	item->data = NULL;
	return true;
}

static void volume_run_prepare(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct disk *disk = &world->disks[item->a];
	struct event event = {
		.type = EVENT_VOLUME_PREPARED,
		.volume = (uint8_t)(item->b >> 32),
		.attempt = (uint32_t)item->b,
		.flag = true,
	};

	if (job_hangs(world, item, (uint32_t)item->a))
		return;
	if (host->paths[item->a].state == PATH_LOST) {
		event.flag = false;
		event.reason = "I/O error";
	} else if (!disk->prepared) {
		disk->prepared = true;
		disk->io_timeout_s = (uint32_t)(item->c & 0xffffffffu);
	}
	if (host->daemon && host->daemon_epoch == item->c >> 32)
		host_post(world, host, 0, &event);
}

static void volume_prepare(struct world *world, struct host *host, const struct action *action)
{
	uint32_t disk = disk_of(host, action->volume);
	const struct cluster *cluster = node_cluster(host->node);
	uint32_t timeout_s = cluster->volumes[action->volume].io_timeout_s;
	struct item job = { .run = volume_run_prepare, .a = disk };

	if (!timeout_s)
		timeout_s = cluster->def.io_timeout_s;
	job.b = (uint64_t)action->volume << 32 | action->attempt;
	job.c = (uint64_t)host->daemon_epoch << 32 | (timeout_s ? timeout_s : 10);
	volume_job(world, host, disk, &job);
}

struct lease_job {
	struct event event;
	struct uuid uuid;
	uint32_t disk, daemon_epoch;
	bool late;
};

static void lease_land(struct world *world, struct host *host, const struct lease_job *job)
{
	struct disk_lease *lease = &world->disks[job->disk].leases[job->event.lease_slot];

	check_lease_write(world, host, job->disk, job->event.lease_slot);
	*lease = (struct disk_lease){ .written = true, .uuid = job->uuid };
	world->stats[STAT_LEASE_WRITES]++;
	world_trace(world, host, "lease slot %u of d%u written",
		    (unsigned int)job->event.lease_slot, (unsigned int)job->disk);
}

// It was on its way in the storage network when its host died, and nobody waits for it any more.
static void lease_run_late(struct world *world, struct item *item)
{
	world->stats[STAT_LATE_WRITES]++;
	lease_land(world, item->host, item->data);
}

static bool lease_is_late(struct world *world, struct host *host, struct item *item)
{
	struct lease_job *job = item->data;

	if (job->late || world->quiet || !world_trouble(world, TROUBLE_PATHS) ||
	    !rng_chance(&world->rng, 3))
		return false;
	job->late = true;
	world_fault(world);
	world_at(world, world_jitter(world, SECONDS(1), SECONDS(40)), host, GUARD_NONE,
		 lease_run_late)
		->data = job;
	item->data = NULL;
	daemon_kill(world, host); // whoever asked never hears of its end
	return true;
}

static void lease_run_write(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct lease_job *job = item->data;
	enum path_state state = host->paths[job->disk].state;

	if (job_hangs(world, item, job->disk))
		return;
	job->event.flag = false;
	if (!host->sanlock.running || !world->disks[job->disk].prepared ||
	    job->event.lease_slot >= world->limits.cluster.lease_slots_max) {
		job->event.reason = "sanlock does not answer";
	} else if (state == PATH_LOST) {
		job->event.reason = "I/O error";
	} else {
		if (lease_is_late(world, host, item))
			return;
		lease_land(world, host, job);
		job->event.flag = true;
	}
	if (host->daemon && host->daemon_epoch == job->daemon_epoch)
		host_post(world, host, 0, &job->event);
}

static void lease_write(struct world *world, struct host *host, const struct action *action)
{
	struct lease_job *data = calloc(1, sizeof(*data));
	struct item job = { .run = lease_run_write, .data = data };

	if (!data)
		return;
	data->disk = disk_of(host, action->volume);
	data->daemon_epoch = host->daemon_epoch;
	data->uuid = action->uuid;
	data->event = (struct event){
		.type = EVENT_LEASE_WRITTEN,
		.vm = action->vm,
		.volume = action->volume,
		.lease_slot = action->lease_slot,
	};
	volume_job(world, host, data->disk, &job);
}

// ---- what is done on a dead host's behalf

struct release_job {
	struct event event;
	uint32_t daemon_epoch, mask;
	uint8_t disks[VOLUMES_MAX];
	uint64_t generation[VOLUMES_MAX];
};

static void release_run(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct release_job *job = item->data;
	struct host *target = &world->hosts[job->event.node_id - 1];

	job->event.flag = true;
	for (uint32_t v = 0; v < VOLUMES_MAX; v++) {
		struct disk *disk = &world->disks[job->disks[v]];
		struct disk_id *id = &disk->ids[target->id];

		if (!(job->mask >> v & 1))
			continue;
		if (host->paths[job->disks[v]].state >= PATH_HUNG) {
			job->event.flag = false;
			job->event.reason = "the volume does not answer";
		} else if (!id->held) {
			continue;
		} else if (id->generation != job->generation[v]) {
			world->stats[STAT_RELEASES_REFUSED]++;
			job->event.flag = false;
			job->event.reason = "the host id has another generation: nothing was done";
		} else {
			check_release(world, host, target, job->disks[v]);
			world->stats[STAT_RELEASES]++;
			world_say(world, host, "releases the host id of %s on d%u", target->name,
				  (unsigned int)job->disks[v]);
			id->held = false;
			sanlock_id_lost(world, target, job->disks[v]);
		}
	}
	if (host->daemon && host->daemon_epoch == job->daemon_epoch)
		host_post(world, host, 0, &job->event);
}

static void host_release(struct world *world, struct host *host, const struct action *action)
{
	struct release_job *data;
	struct item *item;

	if (action->node_id == 0 || action->node_id > world->config.hosts)
		return;
	data = calloc(1, sizeof(*data));
	if (!data)
		return;
	data->daemon_epoch = host->daemon_epoch;
	data->mask = action->generation_mask;
	data->event = (struct event){
		.type = EVENT_HOST_RELEASED,
		.node_id = action->node_id,
		.attempt = action->attempt,
	};
	for (uint8_t v = 0; v < VOLUMES_MAX; v++) {
		if (!(action->generation_mask >> v & 1))
			continue;
		data->disks[v] = (uint8_t)disk_of(host, v);
		data->generation[v] = action->generation ? action->generation[v] : 0;
	}
	item = world_at(world, world_jitter(world, MS(20), MS(60)), host, GUARD_POWER, release_run);
	item->data = data;
}

// Watches whether the ids' timestamps still move; long enough for two renewals.
static void host_run_checked(struct world *world, struct item *item)
{
	struct host *host = item->host;
	uint32_t id = (uint32_t)item->a;
	uint64_t began_us = item->c;
	struct event event = { .type = EVENT_HOST_CHECKED, .node_id = id, .cookie = item->b };

	for (uint32_t d = 0; d < world->config.disks; d++)
		if (world->disks[d].ids[id].held && disk_renewed_us(world, d, id) > began_us)
			event.flag = true;
	if (event.flag)
		event.reason = "its host id is still being renewed";
	world_say(world, host, "checked host id %u: %s", (unsigned int)id,
		  event.flag ? "renewed" : "not renewed");
	host_post(world, host, 0, &event);
}

static void host_check(struct world *world, struct host *host, const struct action *action)
{
	uint64_t longest_us = 0;
	struct item *item;

	world->stats[STAT_HOST_CHECKS]++;
	if (action->node_id == 0 || action->node_id > world->config.hosts)
		return;
	for (uint32_t d = 0; d < world->config.disks; d++)
		if (SECONDS(world->disks[d].io_timeout_s) > longest_us)
			longest_us = SECONDS(world->disks[d].io_timeout_s);
	item = world_at(world, 4 * longest_us + MS(100), host, GUARD_DAEMON, host_run_checked);
	item->a = action->node_id;
	item->b = action->cookie;
	item->c = world->now_us;
}

void storage_perform(struct world *world, struct host *host, const struct action *action)
{
	switch (action->type) {
	case ACTION_VOLUME_OPEN:
		volume_open(world, host, action->volume);
		return;
	case ACTION_VOLUME_CLOSE:
		volume_close(world, host, action->volume);
		return;
	case ACTION_VOLUME_PREPARE:
		volume_prepare(world, host, action);
		return;
	case ACTION_VOLUME_JOIN:
		sanlock_join(world, host, disk_of(host, action->volume));
		return;
	case ACTION_LEASE_WRITE:
		lease_write(world, host, action);
		return;
	case ACTION_HOST_RELEASE:
		host_release(world, host, action);
		return;
	case ACTION_HOST_CHECK:
		host_check(world, host, action);
		return;
	}
}
