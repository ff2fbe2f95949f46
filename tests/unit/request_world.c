// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/request_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 10, BYTES_MAX = 16 * 1024 * 1024 };

static void *taken(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void world_post(void *owner, const struct event *event)
{
	struct request_world *world = owner;
	struct world_event *item = taken(calloc(1, sizeof(*item)));

	item->event = *event;
	if (event->body_size > 0) {
		item->body = taken(malloc(event->body_size));
		memcpy(item->body, event->body, event->body_size);
		item->event.body = item->body;
	}
	if (world->last)
		world->last->next = item;
	else
		world->first = item;
	world->last = item;
}

// Everything succeeds at once: the event that answers each action; 0: none.
static uint8_t answer_type(enum action_type type)
{
	static const uint8_t answers[ACTION_TYPE_COUNT] = {
		[ACTION_SEND] = EVENT_MESSAGE,
		[ACTION_STORE_SYNC] = EVENT_STORE_SYNCED,
		[ACTION_VOLUME_OPEN] = EVENT_VOLUME,
		[ACTION_VOLUME_PREPARE] = EVENT_VOLUME_PREPARED,
		[ACTION_VOLUME_JOIN] = EVENT_VOLUME,
		[ACTION_LEASE_WRITE] = EVENT_LEASE_WRITTEN,
		[ACTION_ADOPT] = EVENT_ADOPTION_DONE,
		[ACTION_VM_SPAWN] = EVENT_VM_SPAWNED,
		[ACTION_LEASE_ACQUIRE] = EVENT_LEASE_GRANTED,
		[ACTION_QEMU_EXEC] = EVENT_QEMU_RUNNING,
		[ACTION_QEMU_POWERDOWN] = EVENT_QEMU_EXITED,
		[ACTION_QEMU_KILL] = EVENT_QEMU_EXITED,
		[ACTION_VM_ABANDON] = EVENT_QEMU_EXITED,
		[ACTION_LEASE_RELEASE_WAIT] = EVENT_LEASE_RELEASED,
		[ACTION_HOST_CHECK] = EVENT_HOST_CHECKED,
	};

	return answers[type];
}

static void world_perform(struct request_world *world, const struct action *action)
{
	struct event event = {
		.type = answer_type(action->type),
		.flag = true,
		.volume = action->volume,
		.volume_state = VOLUME_ONLINE,
		.index = 100000, // MiB that are free
		.joined = action->type == ACTION_VOLUME_JOIN,
		.generation = 1,
		.attempt = action->attempt,
		.node_id = action->node_id,
		.from_id = 1,
		.from_pid = 100,
		.cookie = action->cookie,
		.token = action->token,
		.vm = action->vm,
		.uuid = action->uuid,
		.lease_slot = action->lease_slot,
		.body = action->type == ACTION_SEND ? action->body : NULL,
		.body_size = action->type == ACTION_SEND ? action->body_size : 0,
		.reason = action->type == ACTION_HOST_CHECK
				  ? "host id 2 is still being renewed on vol1"
				  : NULL,
	};

	if (action->type == ACTION_REPLY)
		request_answered(world->request, action->cookie, action->result);
	else if (event.type != 0)
		world_post(world, &event);
}

static void world_step(struct request_world *world, struct event *event)
{
	world->actions.count = 0;
	world->actions.used = 0;
	event->now_ms = world->now_ms;
	event->wall_ms = 1700000000000 + world->now_ms;
	node_step(world->node, event, &world->actions);
	for (uint32_t i = 0; i < world->actions.count; i++)
		world_perform(world, &world->actions.items[i]);
}

static bool world_move_stats(void *context, uint32_t move, struct migrate_stats *stats)
{
	struct request_world *world = context;

	*stats = world->stats;
	return move != 0 && move == world->stats_of;
}

void world_run(struct request_world *world, uint64_t ms)
{
	uint64_t until_ms = world->now_ms + ms;

	while (world->now_ms < until_ms) {
		while (world->first) {
			struct world_event *item = world->first;

			world->first = item->next;
			if (!world->first)
				world->last = NULL;
			world_step(world, &item->event);
			free(item->body);
			free(item);
		}
		world->now_ms += TICK_MS;
		if (node_deadline_ms(world->node) <= world->now_ms)
			world_post(world, &(struct event){ .type = EVENT_TICK });
	}
}

static void world_reply(void *context, uint64_t client, char *text, size_t size)
{
	struct request_world *world = context;

	if (client != WORLD_CLIENT || strlen(text) != size)
		abort();
	free(world->answer);
	world->answer = text;
	world->answers++;
}

static int world_lines(void *context, uint64_t after, uint64_t since_ms, uint32_t max,
		       uint64_t cookie, store_lines_fn fn, void *data)
{
	const struct store_line lines[] = {
		{ 1, 1700000000000, LOG_LEVEL_INFO, "view 1 is normal" },
		{ 2, 1700000001000, LOG_LEVEL_ERROR, "vm web: its disk is gone" },
	};

	(void)context;
	(void)since_ms;
	(void)max;
	fn(data, cookie, lines + (after > 0), after > 1 ? 0 : after > 0 ? 1 : 2, 0);
	return 0;
}

static bool world_vm_folder(void *context, const struct uuid *uuid, char *buf, size_t size)
{
	(void)context;
	(void)uuid;
	snprintf(buf, size, "/run/clusterd/vms/test");
	return true;
}

static void world_begin(struct request_world *world)
{
	static const struct group_member self = { .id = 1, .pid = 100 };
	static struct node_report host = {
		.cpus = 8, .memory_mib = 16384, .watchdog = true, .qemu = true, .boot = 42
	};

	world_post(
		world,
		&(struct event){ .type = EVENT_STORE_OPENED, .store = 0xabcdef, .incarnation = 1 });
	world_post(world, &(struct event){ .type = EVENT_HOST, .report = &host });
	world_post(world, &(struct event){ .type = EVENT_SANLOCK_UP, .flag = true });
	world_post(world, &(struct event){ .type = EVENT_ADOPTION_DONE });
	world_post(world,
		   &(struct event){ .type = EVENT_NODELIST, .members = &self, .member_count = 1 });
	world_post(world, &(struct event){ .type = EVENT_RING,
					   .members = &self,
					   .member_count = 1,
					   .flag = true,
					   .ring = 1 });
	world_post(world, &(struct event){ .type = EVENT_GROUP,
					   .members = &self,
					   .member_count = 1,
					   .node_id = 1,
					   .from_id = 1,
					   .from_pid = 100,
					   .ring = 1 });
}

void world_open(struct request_world *world, const char *schema)
{
	const struct node_limits limits = {
		.cluster = { .vms_max = 64, .lease_slots_max = 128 },
		.view = { .records_max = 256,
			  .log_bytes = 4 * ENTRY_SIZE_MAX,
			  .proposals_max = 16,
			  .proposal_bytes = 4 * ENTRY_SIZE_MAX,
			  .copy_bytes = 4 * 1024 * 1024 },
		.requests_max = 16,
	};
	struct request_options options = { .schema_path = schema,
					   .context = world,
					   .reply = world_reply,
					   .lines_read = world_lines,
					   .vm_folder = world_vm_folder,
					   .move_stats = world_move_stats };

	memset(world, 0, sizeof(*world));
	world->now_ms = 1000;
	world->memory = taken(calloc(1, node_memory(&limits)));
	world->node = node_init(&limits, world->memory);
	world->actions.items = taken(calloc(WORLD_ACTIONS_MAX, sizeof(struct action)));
	world->actions.max = WORLD_ACTIONS_MAX;
	world->actions.bytes = taken(malloc(BYTES_MAX));
	world->actions.size = BYTES_MAX;
	options.node = world->node;
	options.edge = (struct edge){ .post = world_post, .owner = world };
	if (request_open(&world->request, &options) != 0)
		abort();
	world_begin(world);
	world_run(world, 5000);
}

void world_close(struct request_world *world)
{
	request_close(world->request);
	while (world->first) {
		struct world_event *item = world->first;

		world->first = item->next;
		free(item->body);
		free(item);
	}
	free(world->answer);
	free(world->actions.items);
	free(world->actions.bytes);
	free(world->memory);
}

const char *world_ask(struct request_world *world, const char *text)
{
	uint32_t before = world->answers;

	request_handle(world->request, WORLD_CLIENT, text, strlen(text));
	for (int i = 0; i < 300 && world->answers == before; i++)
		world_run(world, 100);
	return world->answers == before + 1 ? world->answer : NULL;
}
