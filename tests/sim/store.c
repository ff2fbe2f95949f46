// SPDX-License-Identifier: Apache-2.0
// The store: commands in order; only what was synced survives a power cut, and of the rest any
// prefix may. A killed process loses nothing that it wrote.
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

#include "clusterd/invariant.h"

static void op_free(struct store_op *op)
{
	free(op->body);
	op->body = NULL;
}

static void store_clear(struct store *store)
{
	for (uint32_t i = 0; i < store->entry_count; i++)
		op_free(&store->entries[i]);
	store->entry_count = 0;
	free(store->snapshot);
	store->snapshot = NULL;
	store->snapshot_size = 0;
	store->snapshot_index = store->snapshot_view = 0;
	store->promised = store->commit = store->hint = 0;
	store->copy = false;
}

static void entries_drop_from(struct store *store, uint64_t index)
{
	while (store->entry_count > 0 && store->entries[store->entry_count - 1].index >= index)
		op_free(&store->entries[--store->entry_count]);
}

static void entries_drop_to(struct store *store, uint64_t index)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < store->entry_count; i++) {
		if (store->entries[i].index <= index)
			op_free(&store->entries[i]);
		else
			store->entries[kept++] = store->entries[i];
	}
	store->entry_count = kept;
}

// Takes the op's body.
static void op_apply(struct store *store, struct store_op *op)
{
	switch (op->type) {
	case ACTION_STORE_SNAPSHOT:
		free(store->snapshot);
		store->snapshot = op->body;
		store->snapshot_size = op->size;
		store->snapshot_index = op->index;
		store->snapshot_view = op->view;
		op->body = NULL;
		store->copy = true;
		if (op->flag) {
			entries_drop_from(store, 0);
			store->commit = store->hint = op->index;
		} else {
			entries_drop_to(store, op->index);
		}
		return;
	case ACTION_STORE_ENTRY:
		entries_drop_from(store, op->index);
		if (store->entry_count == store->entry_max) {
			store->entry_max = store->entry_max ? 2 * store->entry_max : 64;
			store->entries =
				realloc(store->entries, store->entry_max * sizeof(*store->entries));
			INVARIANT(store->entries);
		}
		store->entries[store->entry_count++] = *op;
		op->body = NULL;
		return;
	case ACTION_STORE_TRUNCATE:
		entries_drop_from(store, op->index + 1);
		return;
	case ACTION_STORE_PROMISE:
		store->promised = op->view;
		return;
	case ACTION_STORE_COMMIT:
		return;
	}
}

// The first `count` of the ops that were only written become durable.
static void store_fold(struct store *store, uint32_t count)
{
	if (count == 0)
		return;
	for (uint32_t i = 0; i < count; i++)
		op_apply(store, &store->ops[i]);
	memmove(store->ops, store->ops + count, (store->op_count - count) * sizeof(*store->ops));
	store->op_count -= count;
	store->synced += count;
}

// A hint is written after all that was written before it, in one transaction.
static bool hint_may_land(const struct store *store)
{
	return store->synced >= store->hint_after;
}

static void ops_drop(struct store *store)
{
	if (!hint_may_land(store))
		store->hint = store->commit;
	for (uint32_t i = 0; i < store->op_count; i++)
		op_free(&store->ops[i]);
	store->synced += store->op_count;
	store->op_count = 0;
}

static void store_run_opened(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct store *store = &host->store;
	struct event event = { .type = EVENT_STORE_OPENED };

	if (store->snapshot) {
		struct event snapshot = {
			.type = EVENT_STORE_SNAPSHOT,
			.index = store->snapshot_index,
			.view = store->snapshot_view,
			.body = store->snapshot,
			.body_size = store->snapshot_size,
		};

		check_store_replay(host, snapshot.index, snapshot.view, snapshot.body,
				   snapshot.body_size, true);
		host_post(world, host, 0, &snapshot);
	}
	for (uint32_t i = 0; i < store->entry_count; i++) {
		const struct store_op *entry = &store->entries[i];
		struct event record = {
			.type = EVENT_STORE_ENTRY,
			.index = entry->index,
			.view = entry->view,
			.body = entry->body,
			.body_size = entry->size,
		};

		check_store_replay(host, entry->index, entry->view, entry->body, entry->size,
				   false);
		host_post(world, host, 0, &record);
	}
	event.store = store->id;
	event.incarnation = world_random_id(world);
	event.promised = store->promised;
	event.index = store->commit;
	event.flag = store->copy;
	host_post(world, host, 0, &event);
}

// Opening makes durable what an earlier process only wrote: otherwise it would be vouched for and
// then lost.
void store_open(struct world *world, struct host *host)
{
	struct store *store = &host->store;

	store_fold(store, store->op_count);
	if (store->hint != store->commit && rng_below(&world->rng, 2))
		store->commit = store->hint;
	store->hint = store->commit;
	store->failed = false;
	world_at(world, world_jitter(world, MS(5), MS(80)), host, GUARD_DAEMON, store_run_opened);
}

static void store_run_synced(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct store *store = &host->store;
	struct event event = { .type = EVENT_STORE_SYNCED, .token = item->a };

	if (store->failed)
		return;
	INVARIANT(item->b <= store->synced + store->op_count);
	if (item->b > store->synced)
		store_fold(store, (uint32_t)(item->b - store->synced));
	host_deliver(world, host, &event);
}

static void store_sync(struct world *world, struct host *host, uint64_t token)
{
	struct store *store = &host->store;
	uint64_t at = world->now_us + world_jitter(world, 200, 3000) +
		      world_jitter(world, 0, store->slow_us);
	struct item *item;

	world->stats[STAT_SLOW_SYNCS] += at - world->now_us > MS(100);
	if (at < store->sync_us)
		at = store->sync_us;
	store->sync_us = at;
	item = world_at(world, at - world->now_us, host, GUARD_DAEMON, store_run_synced);
	item->a = token;
	item->b = store->synced + store->op_count;
}

// A hint waits for no sync, and no sync for a hint: it is written a second later, and until then an
// older one may be all that is there.
static void store_hint(struct world *world, struct store *store, uint64_t index)
{
	if (store->hint != store->commit && world->now_us - store->hint_us >= SECONDS(1) &&
	    hint_may_land(store))
		store->commit = store->hint;
	if (store->hint == store->commit)
		store->hint_us = world->now_us;
	store->hint = index;
	store->hint_after = store->synced + store->op_count;
}

static void store_put(struct store *store, const struct action *action)
{
	struct store_op *op;

	if (store->op_count == store->op_max) {
		store->op_max = store->op_max ? 2 * store->op_max : 64;
		store->ops = realloc(store->ops, store->op_max * sizeof(*store->ops));
		INVARIANT(store->ops);
	}
	op = &store->ops[store->op_count++];
	*op = (struct store_op){
		.type = action->type,
		.flag = action->flag,
		.index = action->index,
		.view = action->view,
		.size = (uint32_t)action->body_size,
	};
	if (action->type == ACTION_STORE_SNAPSHOT || action->type == ACTION_STORE_ENTRY) {
		op->body = malloc(action->body_size + 1);
		INVARIANT(op->body);
		if (action->body_size > 0)
			memcpy(op->body, action->body, action->body_size);
	}
}

void store_perform(struct world *world, struct host *host, const struct action *action)
{
	struct store *store = &host->store;

	if (store->failed)
		return;
	if (action->type == ACTION_STORE_SYNC) {
		store_sync(world, host, action->token);
	} else if (action->type == ACTION_STORE_RESET) {
		world->stats[STAT_RESETS]++;
		world_say(world, host, "store is reset");
		ops_drop(store);
		store_clear(store);
		store->id = world_random_id(world);
		store_open(world, host);
	} else if (action->type == ACTION_STORE_COMMIT) {
		store_hint(world, store, action->index);
	} else {
		store_put(store, action);
	}
}

void store_power_cut(struct world *world, struct host *host)
{
	struct store *store = &host->store;
	uint32_t kept = (uint32_t)rng_below(&world->rng, store->op_count + 1u);

	store_fold(store, kept);
	world->stats[STAT_STORE_TORN] += store->op_count;
	ops_drop(store);
}

void store_lose(struct world *world, struct host *host)
{
	world_say(world, host, "store is deleted");
	world->stats[STAT_STORES_LOST]++;
	ops_drop(&host->store);
	store_clear(&host->store);
	host->store.id = world_random_id(world);
}

void store_fail(struct world *world, struct host *host)
{
	struct event event = { .type = EVENT_STORE_FAILED, .reason = "database or disk is full" };

	world_say(world, host, "store fails");
	world->stats[STAT_STORES_FAILED]++;
	host->store.failed = true;
	ops_drop(&host->store);
	host_post(world, host, MS(1), &event);
}

void store_fini(struct host *host)
{
	ops_drop(&host->store);
	store_clear(&host->store);
	free(host->store.entries);
	free(host->store.ops);
}
