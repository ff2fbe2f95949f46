// SPDX-License-Identifier: Apache-2.0
// Corosync as virtual synchrony really behaves.
//
// A ring orders messages while its token lives. Each member receives them at its own time, some out
// of turn, and delivers in order. When the membership changes, those who come from the same old
// ring together recover what any of them received; a hole hides all that strangers sent after it,
// but not what one of them did. Each learns of the change at its own time. Membership of CPG
// (processes) and of votequorum (nodes) are told separately.
#include "tests/sim/spoiled.h"
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

#include "clusterd/invariant.h"

static void corosync_flush(struct world *world, struct host *host);
static void corosync_look_later(struct world *world, uint64_t delay_us);

// When clusterd hears what corosync has by then.
static uint64_t group_heard_us(struct world *world, struct host *host, uint64_t received_us)
{
	struct corosync *corosync = &host->corosync;
	uint64_t at = received_us + world_jitter(world, 20, 100 + corosync->lag_us);

	if (at < corosync->group_us)
		at = corosync->group_us;
	corosync->group_us = at;
	return at;
}

static uint64_t group_delay_us(struct world *world, struct host *host)
{
	host->corosync.posted_us = group_heard_us(world, host, world->now_us);
	return host->corosync.posted_us - world->now_us;
}

static void group_tell(struct world *world, struct host *host, const struct event *event)
{
	struct item *item = host_post(world, host, group_delay_us(world, host), event);

	if (!item)
		return;
	item->b = CHANNEL_GROUP;
	item->c = host->corosync.group_serial;
}

static void group_post(struct world *world, struct host *host)
{
	struct corosync *corosync = &host->corosync;
	struct event event = {
		.type = EVENT_GROUP,
		.node_id = host->id,
		.ring = corosync->ring ? corosync->ring->id : 0,
		.members = corosync->group,
		.member_count = corosync->group_count,
	};

	for (uint32_t i = 0; i < corosync->group_count; i++) {
		if (corosync->group[i].id == host->id &&
		    corosync->group[i].pid == corosync->client_pid) {
			group_tell(world, host, &event);
			return;
		}
	}
}

// It is another service than the group's, and says the same at another time.
static uint64_t quorum_late_us(struct world *world)
{
	if (!world_trouble(world, TROUBLE_QUORUM) || world->quiet || !rng_chance(&world->rng, 30))
		return 0;
	world_fault(world);
	return rng_between(&world->rng, MS(50), SECONDS(15));
}

static void quorum_post(struct world *world, struct host *host)
{
	struct corosync *corosync = &host->corosync;
	struct group_member members[HOSTS_MAX];
	struct event event = { .type = EVENT_RING, .node_id = host->id, .members = members };
	uint64_t at = world->now_us + world_jitter(world, 20, 2000 + 2 * corosync->lag_us) +
		      quorum_late_us(world);
	struct item *item;

	if (!corosync->ring || corosync->quorum_pid != host->pid)
		return;
	event.ring = corosync->ring->id;
	for (uint32_t i = 0; i < world->config.hosts; i++)
		if (corosync->ring->members >> i & 1)
			members[event.member_count++] = (struct group_member){ .id = i + 1 };
	event.flag = 2 * event.member_count > world->config.hosts;
	if (at < corosync->quorum_us)
		at = corosync->quorum_us;
	corosync->quorum_us = at;
	item = host_post(world, host, at - world->now_us, &event);
	if (!item)
		return;
	item->b = CHANNEL_QUORUM;
	item->c = corosync->quorum_serial;
}

static void group_add(struct corosync *corosync, struct group_member member)
{
	uint32_t at = corosync->group_count;

	for (uint32_t i = 0; i < corosync->group_count; i++)
		if (corosync->group[i].id == member.id && corosync->group[i].pid == member.pid)
			return;
	INVARIANT(corosync->group_count < GROUP_MAX);
	for (; at > 0 && corosync->group[at - 1].id > member.id; at--)
		corosync->group[at] = corosync->group[at - 1];
	corosync->group[at] = member;
	corosync->group_count++;
}

static bool group_remove(struct corosync *corosync, struct group_member member)
{
	for (uint32_t i = 0; i < corosync->group_count; i++) {
		if (corosync->group[i].id != member.id || corosync->group[i].pid != member.pid)
			continue;
		memmove(&corosync->group[i], &corosync->group[i + 1],
			(corosync->group_count - i - 1) * sizeof(corosync->group[0]));
		corosync->group_count--;
		return true;
	}
	return false;
}

static void message_hand_over(struct world *world, struct host *host, const struct ring *ring,
			      uint32_t number)
{
	const struct ring_message *message = &ring->log[number];
	struct corosync *corosync = &host->corosync;
	struct event event = {
		.type = EVENT_MESSAGE,
		.from_id = message->from.id,
		.from_pid = message->from.pid,
		.body = message->body,
		.body_size = message->size,
	};
	uint32_t pid = host->pid;

	// What everything above relies on: a connection hears a ring's messages in their order.
	INVARIANT(corosync->told_ring != ring->number ||
		  corosync->told_serial != corosync->group_serial || corosync->told < number);
	corosync->told_ring = ring->number;
	corosync->told_serial = corosync->group_serial;
	corosync->told = number;
	if (world->config.spoiled)
		message_spoiled(world, host, &event);
	if (host->daemon && host->pid == pid)
		host_deliver(world, host, &event);
}

static void message_run_tell(struct world *world, struct item *item)
{
	const struct ring *ring = item->lent;

	if (host_hears(item->host, item))
		message_hand_over(world, item->host, ring, (uint32_t)item->a);
}

// At once, unless something is before it in clusterd's connection: posted for this instant or
// later, or held back until now by a stall or a pause of the host.
static void message_tell(struct world *world, struct host *host, const struct ring *ring,
			 uint32_t number, bool due)
{
	struct item *item;

	if (!host->daemon)
		return;
	if (due && host->corosync.posted_us < world->now_us &&
	    host->stalled_until_us < world->now_us && host->resume_us < world->now_us) {
		message_hand_over(world, host, ring, number);
		return;
	}
	item = world_at(world, group_delay_us(world, host), host, GUARD_DAEMON, message_run_tell);
	item->lent = ring;
	item->a = number;
	item->b = CHANNEL_GROUP;
	item->c = host->corosync.group_serial;
}

static void message_deliver(struct world *world, struct host *host, const struct ring *ring,
			    uint32_t number, bool due)
{
	const struct ring_message *message = &ring->log[number];
	struct corosync *corosync = &host->corosync;

	switch ((enum ring_kind)message->kind) {
	case RING_MESSAGE:
		for (uint32_t i = 0; i < corosync->group_count; i++) {
			if (corosync->group[i].id != host->id ||
			    corosync->group[i].pid != corosync->client_pid)
				continue;
			world->stats[STAT_MESSAGES]++;
			message_tell(world, host, ring, number, due);
			return;
		}
		return;
	case RING_JOIN:
		group_add(corosync, message->from);
		group_post(world, host);
		return;
	case RING_LEAVE:
		if (group_remove(corosync, message->from))
			group_post(world, host);
		return;
	}
}

static void corosync_run_deliver(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct corosync *corosync = &host->corosync;
	struct ring *ring = corosync->ring;

	if (!ring || ring->number != item->a)
		return;
	if (corosync->due <= item->b)
		corosync->due = (uint32_t)item->b + 1;
	while (corosync->ring == ring && corosync->delivered < corosync->due && !world->failed &&
	       ring->log[corosync->delivered].received_us[host->index] <= world->now_us)
		message_deliver(world, host, ring, corosync->delivered++, true);
}

/*
 * Received by corosync after the delay, and heard by clusterd a little later: only then it is
 * looked at again. Should the membership change between the two, it is one of those that were
 * received.
 */
static void receive_later(struct world *world, struct ring *ring, uint32_t number,
			  struct host *host, uint64_t delay_us)
{
	uint64_t received_us = world->now_us + delay_us;
	uint64_t heard_us = group_heard_us(world, host, received_us);
	struct item *item = world_at(world, heard_us - world->now_us, host, GUARD_COROSYNC,
				     corosync_run_deliver);

	item->a = ring->number;
	item->b = number;
	ring->log[number].received_us[host->index] = received_us;
}

static void ring_order(struct world *world, struct host *from, struct outgoing *out)
{
	struct ring *ring = from->corosync.ring;
	struct ring_message *message;

	if (ring->count == ring->max) {
		ring->max = ring->max ? 2 * ring->max : 64;
		ring->log = realloc(ring->log, ring->max * sizeof(*ring->log));
		INVARIANT(ring->log);
	}
	message = &ring->log[ring->count++];
	*message = (struct ring_message){
		.kind = out->kind,
		.from = { .id = from->id, .pid = out->pid },
		.body = out->body,
		.size = out->size,
		.received_us = malloc(world->config.hosts * sizeof(*message->received_us)),
	};
	INVARIANT(message->received_us);
	for (uint32_t i = 0; i < world->config.hosts; i++) {
		struct host *host = &world->hosts[i];
		uint64_t delay_us = world_jitter(world, 50, 300);

		message->received_us[i] = NEVER;
		if (!(ring->members >> i & 1) || host->corosync.ring != ring)
			continue;
		if (host == from)
			delay_us = 0;
		else if (!world->links[from->index][i])
			continue;
		else if (world_trouble(world, TROUBLE_LOSS) && rng_chance(&world->rng, 5))
			delay_us += world_jitter(world, MS(5), MS(200));
		receive_later(world, ring, ring->count - 1, host, delay_us);
	}
}

static void corosync_run_flush(struct world *world, struct item *item)
{
	item->host->corosync.flush_due = false;
	corosync_flush(world, item->host);
}

static void corosync_flush_later(struct world *world, struct host *host)
{
	struct corosync *corosync = &host->corosync;

	if (corosync->flush_due || corosync->out_count == 0)
		return;
	corosync->flush_due = true;
	world_at(world, world_jitter(world, 30, 400 + corosync->lag_us / 4), host, GUARD_COROSYNC,
		 corosync_run_flush);
}

static void corosync_flush(struct world *world, struct host *host)
{
	struct corosync *corosync = &host->corosync;
	struct ring *ring = corosync->ring;

	if (!ring || (ring->broken && world->now_us > ring->orders_until_us))
		return;
	for (uint32_t i = 0; i < corosync->out_count; i++)
		ring_order(world, host, &corosync->out[i]);
	corosync->out_count = 0;
}

static void corosync_put(struct world *world, struct host *host, enum ring_kind kind, uint32_t pid,
			 const uint8_t *body, size_t size)
{
	struct corosync *corosync = &host->corosync;
	struct outgoing *out;

	if (corosync->out_count == corosync->out_max) {
		corosync->out_max = corosync->out_max ? 2 * corosync->out_max : 16;
		corosync->out = realloc(corosync->out, corosync->out_max * sizeof(*corosync->out));
		INVARIANT(corosync->out);
	}
	out = &corosync->out[corosync->out_count++];
	*out = (struct outgoing){ .kind = (uint8_t)kind, .pid = pid, .size = (uint32_t)size };
	if (size > 0) {
		out->body = malloc(size);
		INVARIANT(out->body);
		memcpy(out->body, body, size);
	}
	corosync_flush_later(world, host);
}

void corosync_send(struct world *world, struct host *host, const uint8_t *body, size_t size)
{
	if (host->corosync.client_pid == host->pid && host->corosync.running)
		corosync_put(world, host, RING_MESSAGE, host->pid, body, size);
}

static void corosync_run_connect(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct corosync *corosync = &host->corosync;
	struct group_member members[HOSTS_MAX];
	struct event event = {
		.type = EVENT_NODELIST,
		.node_id = host->id,
		.members = members,
		.member_count = world->config.hosts,
	};

	if (corosync->client_pid == host->pid)
		return;
	if (!corosync->running) {
		world_at(world, SECONDS(1), host, GUARD_DAEMON, corosync_run_connect);
		return;
	}
	for (uint32_t i = 0; i < world->config.hosts; i++)
		members[i] = (struct group_member){ .id = i + 1 };
	host_post(world, host, world_jitter(world, 100, MS(5)), &event);
	corosync->client_pid = host->pid;
	corosync->group_us = world->now_us;
	corosync_put(world, host, RING_JOIN, host->pid, NULL, 0);
	if (corosync->quorum_pid == host->pid)
		return;
	corosync->quorum_pid = host->pid;
	corosync->quorum_us = world->now_us;
	quorum_post(world, host);
}

void corosync_connect(struct world *world, struct host *host)
{
	world_at(world, world_jitter(world, MS(5), MS(60)), host, GUARD_DAEMON,
		 corosync_run_connect);
}

void corosync_disconnect(struct world *world, struct host *host, uint32_t pid)
{
	struct corosync *corosync = &host->corosync;

	if (!corosync->running || corosync->client_pid != pid)
		return;
	corosync->client_pid = 0;
	corosync_put(world, host, RING_LEAVE, pid, NULL, 0);
}

// As the daemon's edge does it: disconnects, says so at once, and connects again a little later.
void corosync_rejoin(struct world *world, struct host *host)
{
	struct event event = { .type = EVENT_GROUP_LOST, .reason = "to join it again" };

	if (!host->corosync.running || host->corosync.client_pid != host->pid)
		return;
	corosync_disconnect(world, host, host->pid);
	host->corosync.group_serial++;
	host_post(world, host, MS(1), &event);
	world_at(world, world_jitter(world, MS(200), MS(1600)), host, GUARD_DAEMON,
		 corosync_run_connect);
}

// ---- membership

static bool link_both(const struct world *world, uint32_t a, uint32_t b)
{
	return world->links[a][b] && world->links[b][a] && !world->hosts[a].paused &&
	       !world->hosts[b].paused;
}

static bool hears(const struct host *host)
{
	return host->corosync.running && !host->paused;
}

// Everybody finds a clique to be in; when the links are not transitive, another one the next time.
static uint32_t partition(struct world *world, uint64_t *parts)
{
	uint32_t count = 0, order[HOSTS_MAX], left = world->config.hosts;
	bool whole = true;

	for (uint32_t i = 0; i < left; i++)
		order[i] = i;
	for (uint32_t a = 0; a < left; a++)
		for (uint32_t b = 0; b < left; b++)
			for (uint32_t c = 0; c < left; c++)
				if (a != c && link_both(world, a, b) && link_both(world, b, c) &&
				    !link_both(world, a, c))
					whole = false;
	for (uint32_t i = 0; !whole && i + 1 < left; i++) {
		uint32_t j = i + (uint32_t)rng_below(&world->rng, left - i), swap = order[i];

		order[i] = order[j];
		order[j] = swap;
	}
	for (uint32_t i = 0; i < left; i++) {
		uint32_t at = order[i], part;

		if (!hears(&world->hosts[at]))
			continue;
		for (part = 0; part < count; part++) {
			bool fits = true;

			for (uint32_t j = 0; j < left; j++)
				if (parts[part] >> j & 1 && !link_both(world, at, j))
					fits = false;
			if (fits)
				break;
		}
		if (part == count)
			parts[count++] = 0;
		parts[part] |= UINT64_C(1) << at;
	}
	if (!whole)
		corosync_look_later(world, world_jitter(world, SECONDS(4), SECONDS(15)));
	return count;
}

// What comes out of the old ring for one that moves on with `together`.
static void ring_recover(struct world *world, struct host *host, uint64_t together)
{
	struct corosync *corosync = &host->corosync;
	struct ring *ring = corosync->ring;
	bool hole = false;

	for (uint32_t k = corosync->delivered; k < ring->count; k++) {
		const struct ring_message *message = &ring->log[k];
		bool received = false;

		for (uint32_t i = 0; i < world->config.hosts; i++)
			received |= (together >> i & 1) && message->received_us[i] <= world->now_us;
		if (!received) {
			hole = true;
			world->stats[STAT_HOLES]++;
		} else if (!hole || together >> (message->from.id - 1) & 1) {
			message_deliver(world, host, ring, k, false);
		}
	}
	corosync->delivered = ring->count;
}

static void ring_install(struct world *world, uint64_t members)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	uint64_t together[HOSTS_MAX] = { 0 };
	struct group_member all[GROUP_MAX];
	uint32_t all_count = 0, count = world->config.hosts;

	INVARIANT(ring);
	*ring = (struct ring){ .number = ++world->ring_number,
			       .id = world->ring_id += 4,
			       .members = members };
	ring->next = world->rings;
	world->rings = ring;
	world->stats[STAT_RINGS]++;
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t j = 0; j < count; j++)
			if (members >> i & 1 && members >> j & 1 &&
			    (i == j ||
			     (world->hosts[i].corosync.ring &&
			      world->hosts[i].corosync.ring == world->hosts[j].corosync.ring)))
				together[i] |= UINT64_C(1) << j;
	for (uint32_t i = 0; i < count; i++)
		if (members >> i & 1 && world->hosts[i].corosync.ring)
			ring_recover(world, &world->hosts[i], together[i]);
	for (uint32_t i = 0; i < count; i++) {
		struct corosync *corosync = &world->hosts[i].corosync;
		uint32_t kept = 0;

		if (!(members >> i & 1))
			continue;
		corosync->ring = ring;
		corosync->delivered = corosync->due = 0;
		for (uint32_t j = 0; j < corosync->group_count; j++) {
			if (together[i] >> (corosync->group[j].id - 1) & 1)
				corosync->group[kept++] = corosync->group[j];
			if (corosync->group[j].id == i + 1)
				all[all_count++] = corosync->group[j];
		}
		if (kept != corosync->group_count) {
			corosync->group_count = kept;
			group_post(world, &world->hosts[i]);
		}
	}
	for (uint32_t i = 0; i < count; i++) {
		struct corosync *corosync = &world->hosts[i].corosync;
		uint32_t before = corosync->group_count;

		if (!(members >> i & 1))
			continue;
		for (uint32_t j = 0; j < all_count; j++)
			group_add(corosync, all[j]);
		if (corosync->group_count != before)
			group_post(world, &world->hosts[i]);
		quorum_post(world, &world->hosts[i]);
		corosync->flush_due = false;
		corosync_flush_later(world, &world->hosts[i]);
	}
}

static void ring_mend(struct world *world, struct ring *ring)
{
	ring->broken = false;
	world->stats[STAT_TOKENS]++;
	for (uint32_t k = 0; k < ring->count; k++)
		for (uint32_t i = 0; i < world->config.hosts; i++)
			if (ring->members >> i & 1 && ring->log[k].received_us[i] == NEVER)
				receive_later(world, ring, k, &world->hosts[i],
					      world_jitter(world, 500, MS(20)));
	for (uint32_t i = 0; i < world->config.hosts; i++)
		if (ring->members >> i & 1)
			corosync_flush_later(world, &world->hosts[i]);
}

static void corosync_run_look(struct world *world, struct item *item)
{
	uint64_t parts[HOSTS_MAX];
	uint32_t count = partition(world, parts);

	(void)item;
	for (uint32_t p = 0; p < count; p++) {
		struct ring *ring = NULL;
		bool same = true;

		for (uint32_t i = 0; i < world->config.hosts; i++) {
			if (!(parts[p] >> i & 1))
				continue;
			if (!ring)
				ring = world->hosts[i].corosync.ring;
			same = same && ring && world->hosts[i].corosync.ring == ring;
		}
		if (!same || ring->members != parts[p]) {
			ring_install(world, parts[p]);
		} else if (ring->broken) {
			if (world->now_us - ring->broken_us < world->config.detection_us / 2)
				ring_mend(world, ring);
			else
				ring_install(world, parts[p]);
		}
	}
}

static void corosync_look_later(struct world *world, uint64_t delay_us)
{
	world_at(world, delay_us, NULL, GUARD_NONE, corosync_run_look);
}

// The token is lost: a few more hops at the most, then nothing is ordered until the membership is
// settled.
static void ring_break(struct world *world, struct ring *ring)
{
	uint64_t detection_us = world->config.detection_us;

	if (!ring)
		return;
	if (!ring->broken) {
		ring->broken = true;
		ring->broken_us = world->now_us;
		ring->orders_until_us = world->now_us + world_jitter(world, 0, MS(3));
	}
	for (uint32_t k = ring->count; k > 0 && k + 64 > ring->count; k--) {
		struct ring_message *message = &ring->log[k - 1];

		for (uint32_t i = 0; i < world->config.hosts; i++)
			if (message->received_us[i] > world->now_us &&
			    !world->links[message->from.id - 1][i])
				message->received_us[i] = NEVER;
	}
	corosync_look_later(world,
			    world_jitter(world, detection_us * 89 / 100, detection_us * 101 / 100));
}

void corosync_link(struct world *world, uint32_t from, uint32_t to, bool up)
{
	struct ring *ring = world->hosts[from].corosync.ring;

	if (from != to) {
		if (world->links[from][to] == up)
			return;
		world->links[from][to] = up;
	}
	if (up)
		corosync_look_later(world, world_jitter(world, MS(200), MS(1500)));
	else if (ring && (ring == world->hosts[to].corosync.ring))
		ring_break(world, ring);
}

static void corosync_run_running(struct world *world, struct item *item)
{
	item->host->corosync.running = true;
	world_say(world, item->host, "corosync runs");
	corosync_look_later(world, world_jitter(world, MS(200), MS(1500)));
}

void corosync_start(struct world *world, struct host *host)
{
	bool others = false;

	if (host->corosync.running || !host->booted)
		return;
	for (uint32_t i = 0; i < world->config.hosts; i++)
		others |= world->hosts[i].corosync.running;
	if (!others && rng_chance(&world->rng, 30))
		world->ring_id = 0;
	world_at(world, world_jitter(world, MS(100), MS(1000)), host, GUARD_COROSYNC,
		 corosync_run_running);
}

void corosync_kill(struct world *world, struct host *host)
{
	struct corosync *corosync = &host->corosync;
	struct event event = { .type = EVENT_GROUP_LOST };
	struct ring *ring = corosync->ring;
	bool connected = corosync->client_pid == host->pid;

	corosync->epoch++;
	if (!corosync->running)
		return;
	corosync->running = false;
	corosync->group_serial++;
	corosync->quorum_serial++;
	corosync->ring = NULL;
	corosync->group_count = 0;
	corosync->client_pid = corosync->quorum_pid = 0;
	for (uint32_t i = 0; i < corosync->out_count; i++)
		free(corosync->out[i].body);
	corosync->out_count = 0;
	corosync->flush_due = false;
	ring_break(world, ring);
	// Connected again is a clusterd that has heard of it.
	if (connected && host->daemon) {
		uint64_t heard_us = group_delay_us(world, host);

		host_post(world, host, heard_us, &event);
		world_at(world, heard_us + SECONDS(1), host, GUARD_DAEMON, corosync_run_connect);
	}
}

void corosync_fini(struct world *world)
{
	struct ring *next;

	for (struct ring *ring = world->rings; ring; ring = next) {
		next = ring->next;
		for (uint32_t k = 0; k < ring->count; k++) {
			free(ring->log[k].body);
			free(ring->log[k].received_us);
		}
		free(ring->log);
		free(ring);
	}
	for (uint32_t i = 0; i < world->config.hosts; i++) {
		struct corosync *corosync = &world->hosts[i].corosync;

		for (uint32_t k = 0; k < corosync->out_count; k++)
			free(corosync->out[k].body);
		free(corosync->out);
	}
}
