// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/view_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct view_limits limits = {
	.records_max = 64,
	.log_bytes = 16 * 1024,
	.proposals_max = 8,
	.proposal_bytes = 4096,
	.copy_bytes = 4 * 1024 * 1024,
};
static const struct cluster_limits cluster_limits = { .vms_max = WORLD_VMS, .lease_slots_max = 4 };

uint64_t world_random(struct world *w, uint64_t below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return below > 0 ? (w->random >> 11) % below : 0;
}

void world_fail(struct world *w, const char *what)
{
	if (!w->failed) {
		w->failed = what;
		fprintf(stderr, "seed %llu, %llu ms: %s\n", (unsigned long long)w->seed,
			(unsigned long long)w->now_ms, what);
	}
}

static struct blob blob_copy(const void *bytes, size_t size)
{
	struct blob blob = { .bytes = malloc(size + 1), .size = size };

	if (size > 0)
		memcpy(blob.bytes, bytes, size);
	return blob;
}

static void blob_free(struct blob *blob)
{
	free(blob->bytes);
	memset(blob, 0, sizeof(*blob));
}

static uint64_t blob_hash(const void *bytes, size_t size)
{
	return hash_bytes(hash_start(), bytes, size);
}

struct world *world_new(uint32_t nodes)
{
	struct world *w = calloc(1, sizeof(*w));

	w->count = nodes;
	for (uint32_t n = 0; n < WORLD_NODES; n++) {
		w->components[n].items = calloc(WORLD_ITEMS, sizeof(struct item));
		w->nodes[n].cluster_bytes = malloc(cluster_memory(&cluster_limits));
		w->nodes[n].view_bytes = malloc(view_memory(&limits));
	}
	w->actions.max = 4096;
	w->actions.items = calloc(w->actions.max, sizeof(struct action));
	w->actions.size = 4 << 20;
	w->actions.bytes = malloc(w->actions.size);
	return w;
}

static void disk_cut(struct disk *disk, uint64_t index)
{
	for (uint64_t i = index + 1; i <= disk->last; i++)
		blob_free(&disk->entries[i].body);
	if (disk->last > index)
		disk->last = index;
}

static void disk_wipe(struct world *w, struct disk *disk)
{
	disk_cut(disk, 0);
	blob_free(&disk->snapshot);
	disk->id = ++w->next_store * 0x9e3779b97f4a7c15ull;
	disk->promised = 0;
	disk->hint = 0;
	disk->copy = false;
	disk->snapshot_index = 0;
	disk->snapshot_view = 0;
}

static void ops_drop(struct world_node *node)
{
	while (node->op_count > 0) {
		blob_free(&node->ops[node->op_first % WORLD_OPS].body);
		node->op_first++;
		node->op_count--;
	}
}

static void out_drop(struct world_node *node)
{
	while (node->out_count > 0) {
		blob_free(&node->out[node->out_first % WORLD_OUT]);
		node->out_first++;
		node->out_count--;
	}
}

static void component_clear(struct component *c)
{
	for (uint32_t i = 0; i < c->count; i++)
		blob_free(&c->items[i].body);
	c->count = 0;
	c->members = 0;
}

static void world_clear(struct world *w)
{
	for (uint32_t n = 0; n < WORLD_NODES; n++) {
		struct world_node *node = &w->nodes[n];

		ops_drop(node);
		out_drop(node);
		disk_cut(&node->disk, 0);
		blob_free(&node->disk.snapshot);
		component_clear(&w->components[n]);
	}
}

void world_free(struct world *w)
{
	world_clear(w);
	for (uint32_t n = 0; n < WORLD_NODES; n++) {
		free(w->components[n].items);
		free(w->nodes[n].cluster_bytes);
		free(w->nodes[n].view_bytes);
	}
	free(w->actions.items);
	free(w->actions.bytes);
	free(w);
}

void world_start(struct world *w, uint64_t seed)
{
	world_clear(w);
	w->seed = seed;
	w->random = (seed + 1) * 0x9e3779b97f4a7c15ull;
	w->now_ms = 1000;
	w->failed = NULL;
	w->committed_max = 0;
	w->cookie_count = 0;
	w->next_store = 0;
	w->next_ring = 0;
	w->word_count = 0;
	w->slow = 0;
	w->loss_allowed = false;
	memset(w->committed, 0, sizeof(w->committed));
	memset(w->coordinator_of, 0, sizeof(w->coordinator_of));
	memset(w->written, 0, sizeof(w->written));
	for (uint32_t n = 0; n < w->count; n++) {
		struct world_node *node = &w->nodes[n];

		node->id = n + 1;
		node->up = false;
		node->joined = false;
		node->component = 0;
		node->cursor = 0;
		node->disk.incarnation = 0;
		node->next_cookie = 0;
		node->pid = 0;
		disk_wipe(w, &node->disk);
	}
	w->components[0].ring = ++w->next_ring;
}

// ---- the group ----

static struct item *item_add(struct world *w, struct component *c)
{
	if (c->count == WORLD_ITEMS) {
		world_fail(w, "too many messages");
		abort();
	}
	memset(&c->items[c->count], 0, sizeof(c->items[0]));
	return &c->items[c->count++];
}

static void config_add(struct world *w, struct component *c)
{
	struct item *item = item_add(w, c);

	item->config = true;
	item->ring = c->ring;
	item->members = c->members;
}

static void out_order(struct world *w, struct world_node *node)
{
	struct blob blob = node->out[node->out_first % WORLD_OUT];
	struct item *item = item_add(w, &w->components[node->component]);

	node->out_first++;
	node->out_count--;
	item->from = node->id;
	item->pid = node->pid;
	item->body = blob;
}

static void group_join(struct world *w, uint32_t n)
{
	struct world_node *node = &w->nodes[n];
	struct component *c = &w->components[node->component];

	c->members |= 1u << n;
	node->cursor = c->count;
	node->joined = true;
	config_add(w, c);
}

static void group_leave(struct world *w, uint32_t n)
{
	struct world_node *node = &w->nodes[n];
	struct component *c = &w->components[node->component];

	if (!node->joined)
		return;
	c->members &= ~(1u << n);
	node->joined = false;
	config_add(w, c);
}

static void deliver(struct world *w, uint32_t n, const struct item *item)
{
	struct group_member members[WORLD_NODES];
	struct event event = { .now_ms = w->now_ms,
			       .wall_ms = w->now_ms,
			       .node_id = w->nodes[n].id };

	if (item->config) {
		for (uint32_t i = 0; i < w->count; i++) {
			if (!(item->members >> i & 1))
				continue;
			members[event.member_count].id = w->nodes[i].id;
			members[event.member_count++].pid = w->nodes[i].pid;
		}
		event.type = EVENT_GROUP;
		event.members = members;
		event.ring = item->ring;
	} else {
		event.type = EVENT_MESSAGE;
		event.from_id = item->from;
		event.from_pid = item->pid;
		event.body = item->body.bytes;
		event.body_size = item->body.size;
	}
	world_step(w, n, &event);
}

static bool deliver_next(struct world *w, uint32_t n)
{
	struct world_node *node = &w->nodes[n];
	struct component *c = &w->components[node->component];
	struct item item;

	if (!node->up || !node->joined || node->cursor >= c->count)
		return false;
	item = c->items[node->cursor++];
	deliver(w, n, &item);
	return true;
}

/*
 * Extended virtual synchrony: those that stay together deliver the same messages before the new
 * configuration. What only the others had sent may be missing from a point on, with later ones
 * still delivered.
 */
static void transitional(struct world *w, uint32_t together, struct component *c)
{
	uint32_t most = 0, count = c->count;
	bool keep[WORLD_ITEMS];

	for (uint32_t n = 0; n < w->count; n++) {
		if ((together >> n & 1) && w->nodes[n].cursor > most)
			most = w->nodes[n].cursor;
	}
	for (uint32_t i = most; i < count; i++)
		keep[i] = c->items[i].config || (together >> (c->items[i].from - 1) & 1) ||
			  world_random(w, 2);
	for (uint32_t n = 0; n < w->count; n++) {
		while ((together >> n & 1) && w->nodes[n].up && w->nodes[n].joined &&
		       w->nodes[n].cursor < count) {
			uint32_t at = w->nodes[n].cursor++;
			struct item item = c->items[at];

			if (at < most || keep[at])
				deliver(w, n, &item);
		}
	}
}

void world_split(struct world *w, const int *part)
{
	bool joined[WORLD_NODES] = { false };

	for (uint32_t old = 0; old < WORLD_NODES; old++) {
		for (uint32_t new = 0; new < WORLD_NODES; new++) {
			uint32_t together = 0;

			for (uint32_t n = 0; n < w->count; n++) {
				if (w->nodes[n].up && w->nodes[n].joined &&
				    w->nodes[n].component == (int)old && part[n] == (int)new)
					together |= 1u << n;
			}
			if (together)
				transitional(w, together, &w->components[old]);
		}
	}
	for (uint32_t n = 0; n < w->count; n++)
		joined[n] = w->nodes[n].up && w->nodes[n].joined;
	for (uint32_t c = 0; c < WORLD_NODES; c++) {
		component_clear(&w->components[c]);
		w->components[c].ring = ++w->next_ring;
	}
	for (uint32_t n = 0; n < w->count; n++) {
		w->nodes[n].component = part[n];
		w->nodes[n].cursor = 0;
		if (joined[n])
			w->components[part[n]].members |= 1u << n;
	}
	for (uint32_t c = 0; c < WORLD_NODES; c++) {
		if (w->components[c].members)
			config_add(w, &w->components[c]);
	}
}

// ---- stores ----

static void disk_apply(struct world *w, struct disk *disk, struct op *op)
{
	switch (op->type) {
	case ACTION_STORE_SNAPSHOT:
		if (op->flag || op->index >= disk->last)
			disk_cut(disk, 0);
		if (op->flag || op->index > disk->last)
			disk->last = op->index;
		blob_free(&disk->snapshot);
		disk->snapshot = op->body;
		memset(&op->body, 0, sizeof(op->body));
		disk->snapshot_index = op->index;
		disk->snapshot_view = op->view;
		disk->copy = true;
		if (op->flag)
			disk->hint = op->index;
		break;
	case ACTION_STORE_ENTRY:
		disk_cut(disk, op->index - 1);
		if (op->index != disk->last + 1)
			world_fail(w, "a gap in the store");
		disk->entries[op->index].view = op->view;
		disk->entries[op->index].body = op->body;
		memset(&op->body, 0, sizeof(op->body));
		disk->last = op->index;
		break;
	case ACTION_STORE_TRUNCATE:
		disk_cut(disk, op->index);
		break;
	case ACTION_STORE_PROMISE:
		if (op->view <= disk->promised)
			world_fail(w, "a promise goes back");
		disk->promised = op->view;
		break;
	case ACTION_STORE_COMMIT:
		disk->hint = op->index;
		break;
	}
}

static void store_load(struct world *w, uint32_t n)
{
	struct disk *disk = &w->nodes[n].disk;
	struct event event = { .now_ms = w->now_ms, .wall_ms = w->now_ms };

	if (disk->copy) {
		event.type = EVENT_STORE_SNAPSHOT;
		event.index = disk->snapshot_index;
		event.view = disk->snapshot_view;
		event.body = disk->snapshot.bytes;
		event.body_size = disk->snapshot.size;
		world_step(w, n, &event);
		for (uint64_t i = disk->snapshot_index + 1; i <= disk->last; i++) {
			event.type = EVENT_STORE_ENTRY;
			event.index = i;
			event.view = disk->entries[i].view;
			event.body = disk->entries[i].body.bytes;
			event.body_size = disk->entries[i].body.size;
			world_step(w, n, &event);
		}
	}
	memset(&event, 0, sizeof(event));
	event.now_ms = w->now_ms;
	event.type = EVENT_STORE_OPENED;
	event.store = disk->id;
	event.incarnation = ++disk->incarnation;
	event.promised = disk->promised;
	event.index = disk->hint;
	event.flag = disk->copy;
	world_step(w, n, &event);
}

// Everything up to the next sync becomes durable, and that sync is answered.
static bool store_work(struct world *w, uint32_t n)
{
	struct world_node *node = &w->nodes[n];
	struct event event = { .type = EVENT_STORE_SYNCED,
			       .now_ms = w->now_ms,
			       .wall_ms = w->now_ms };

	if (!node->up || node->op_count == 0)
		return false;
	while (node->op_count > 0) {
		struct op op = node->ops[node->op_first % WORLD_OPS];

		memset(&node->ops[node->op_first % WORLD_OPS], 0, sizeof(op));
		node->op_first++;
		node->op_count--;
		if (op.type == ACTION_STORE_SYNC) {
			event.token = op.token;
			world_step(w, n, &event);
			break;
		}
		if (op.type == ACTION_TYPE_COUNT) {
			store_load(w, n);
			break;
		}
		if (op.type == ACTION_STORE_RESET) {
			disk_wipe(w, &node->disk);
			store_load(w, n);
			break;
		}
		disk_apply(w, &node->disk, &op);
		blob_free(&op.body);
	}
	return true;
}

void world_crash(struct world *w, uint32_t n)
{
	struct world_node *node = &w->nodes[n];
	uint32_t reached = world_random(w, 2) ? 0 : (uint32_t)world_random(w, node->op_count + 1);

	if (!node->up)
		return;
	// Of what was not synced the disk may have the beginning, and nothing else.
	for (uint32_t i = 0; i < reached; i++) {
		struct op *op = &node->ops[(node->op_first + i) % WORLD_OPS];

		if (op->type == ACTION_STORE_RESET)
			disk_wipe(w, &node->disk);
		else
			disk_apply(w, &node->disk, op);
	}
	ops_drop(node);
	// Some of what it had sent is ordered, the rest never was.
	while (node->out_count > 0 && node->joined && world_random(w, 2))
		out_order(w, node);
	out_drop(node);
	node->up = false;
	group_leave(w, n);
}

static void op_add(struct world *w, struct world_node *node, const struct op *op)
{
	if (node->op_count == WORLD_OPS) {
		world_fail(w, "too much to store");
		abort();
	}
	node->ops[(node->op_first + node->op_count++) % WORLD_OPS] = *op;
}

void world_boot(struct world *w, uint32_t n, bool lose_store)
{
	struct world_node *node = &w->nodes[n];
	struct group_member members[WORLD_NODES];
	struct event event = { .now_ms = w->now_ms, .wall_ms = w->now_ms, .node_id = node->id };
	struct op load = { .type = ACTION_TYPE_COUNT };

	if (lose_store)
		disk_wipe(w, &node->disk);
	node->up = true;
	node->pid = (uint32_t)(100 + world_random(w, 100000));
	node->deadline_ms = UINT64_MAX;
	node->doomed_replica = false;
	cluster_init(&node->cluster, &cluster_limits, node->cluster_bytes);
	memset(node->view_bytes, 0xa5, sizeof(struct view));
	node->view = view_init(&limits, node->view_bytes, &node->cluster);
	for (uint32_t i = 0; i < w->count; i++) {
		members[i].id = w->nodes[i].id;
		members[i].pid = 0;
	}
	event.type = EVENT_NODELIST;
	event.members = members;
	event.member_count = w->count;
	world_step(w, n, &event);
	event.type = EVENT_RING;
	event.flag = true;
	world_step(w, n, &event);
	if (world_random(w, 3) == 0) {
		op_add(w, node, &load);
	} else {
		store_load(w, n);
	}
	if (!node->joined)
		group_join(w, n);
}

// ---- what the caller of a view does ----

static void written_check(struct world *w, const struct action *action)
{
	uint64_t hash = blob_hash(action->body, action->body_size);

	if (action->index >= WORLD_INDEXES)
		abort();
	for (uint32_t i = 0; i < 8; i++) {
		if (w->written[action->index][i].view == action->view &&
		    w->written[action->index][i].hash != hash)
			world_fail(w, "two records of one view and index");
		if (w->written[action->index][i].view == action->view)
			return;
		if (w->written[action->index][i].view == 0) {
			w->written[action->index][i].view = action->view;
			w->written[action->index][i].hash = hash;
			return;
		}
	}
}

static bool durable_at(const struct world *w, const struct voter *voter,
		       const struct record *record)
{
	const struct disk *disk;

	if (voter->id == 0 || voter->id > w->count)
		return false;
	disk = &w->nodes[voter->id - 1].disk;
	if (disk->id != voter->store)
		return false;
	if (record->index <= disk->snapshot_index)
		return true;
	return record->index <= disk->last && disk->entries[record->index].view == record->view;
}

static void durable_check(struct world *w, const struct voters *voters, const struct record *record)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < voters->count; i++)
		count += durable_at(w, &voters->list[i], record);
	if (count <= voters->count / 2)
		world_fail(w, "committed, and not durable at a majority");
}

static void committed_check(struct world *w, uint32_t n, const struct record *record)
{
	struct world_node *node = &w->nodes[n];
	struct commit_fact *fact = &w->committed[record->index];
	uint64_t hash =
		blob_hash(record->body, record->body_size) + record->origin * 31 + record->cookie;

	if (fact->known && (fact->view != record->view || fact->hash != hash) && !w->loss_allowed)
		world_fail(w, "a committed record changed");
	if (fact->known)
		return;
	durable_check(w, &node->view->voters, record);
	if (record->cookie != 0) {
		for (uint32_t i = 0; i < w->cookie_count; i++) {
			if (w->cookies[i].origin == record->origin &&
			    w->cookies[i].cookie == record->cookie)
				world_fail(w, "a proposal was done twice");
		}
		w->cookies[w->cookie_count].origin = record->origin;
		w->cookies[w->cookie_count++].cookie = record->cookie;
	}
	if (record->index != w->committed_max + 1 && !w->loss_allowed)
		world_fail(w, "a hole in what is committed");
	w->committed_max = record->index;
	fact->known = true;
	fact->view = record->view;
	fact->hash = hash;
	w->commits++;
}

static void apply(struct world *w, uint32_t n, const struct record *record)
{
	struct world_node *node = &w->nodes[n];
	struct cluster *cluster = &node->cluster;
	static struct entry entry;

	if (record->index != cluster->index + 1)
		world_fail(w, "applied out of order");
	committed_check(w, n, record);
	cluster->index = record->index;
	cluster->next_serial = cluster->next_serial * 31 +
			       (uint32_t)blob_hash(record->body, record->body_size);
	if (!entry_decode(&entry, record->body, record->body_size))
		world_fail(w, "a record that cannot be read");
	if (entry.type == ENTRY_VIEW)
		cluster->view = entry.view;
	if (entry.type == ENTRY_VOTERS)
		cluster->voters = entry.voters;
	if (record->origin == node->id && record->cookie >> 32 == node->disk.incarnation)
		node->acked++;
}

static void number_check(struct world *w, const struct view *view)
{
	// Two may think that they open a view, as view_agree.c explains; no record comes of the
	// second one's.
	if (view->number == 0 || view->state != VIEW_NORMAL)
		return;
	if (w->coordinator_of[view->number] == 0) {
		w->coordinator_of[view->number] = view->coordinator;
		w->views++;
	}
	if (w->coordinator_of[view->number] != view->coordinator)
		world_fail(w, "two coordinators with one view number");
}

void world_step(struct world *w, uint32_t n, const struct event *event)
{
	struct world_node *node = &w->nodes[n];
	const struct record *record;

	w->actions.count = 0;
	w->actions.used = 0;
	view_step(node->view, event, &w->actions);
	if (view_take_reloaded(node->view))
		node->reloads++;
	while ((record = view_next_committed(node->view)) != NULL)
		apply(w, n, record);
	number_check(w, node->view);
	world_perform(w, n);
}

void world_perform(struct world *w, uint32_t n)
{
	struct world_node *node = &w->nodes[n];

	for (uint32_t i = 0; i < w->actions.count; i++) {
		const struct action *action = &w->actions.items[i];
		struct op op = { .type = action->type, .flag = action->flag, .index = action->index,
				 .view = action->view, .token = action->token };

		switch (action->type) {
		case ACTION_SEND:
			if (node->out_count == WORLD_OUT)
				abort();
			node->out[(node->out_first + node->out_count++) % WORLD_OUT] =
				blob_copy(action->body, action->body_size);
			break;
		case ACTION_GROUP_REJOIN:
			while (node->joined && node->out_count > 0)
				out_order(w, node);
			group_leave(w, n);
			group_join(w, n);
			break;
		case ACTION_STORE_ENTRY:
			written_check(w, action);
			op.body = blob_copy(action->body, action->body_size);
			op_add(w, node, &op);
			break;
		case ACTION_STORE_RESET:
			w->resets++;
			op_add(w, node, &op);
			break;
		case ACTION_STORE_SNAPSHOT:
			op.body = blob_copy(action->body, action->body_size);
			op_add(w, node, &op);
			break;
		case ACTION_STORE_TRUNCATE:
		case ACTION_STORE_PROMISE:
		case ACTION_STORE_COMMIT:
		case ACTION_STORE_SYNC:
			op_add(w, node, &op);
			break;
		case ACTION_SYNCED_TELL:
			world_word_told(w, n, action);
			break;
		case ACTION_REPLY:
			w->replies++;
			w->reply_accepted = action->result->accepted;
			memcpy(w->reply_reason, action->result->reason, REASON_SIZE);
			break;
		case ACTION_LOG:
			if (getenv("VIEW_TRACE"))
				fprintf(stderr, "%u: %s\n", node->id, action->text);
			break;
		}
	}
	node->deadline_ms = view_deadline_ms(node->view);
}

void world_voters_propose(struct world *w, uint32_t n, const struct voters *voters)
{
	struct world_node *node = &w->nodes[n];
	static struct entry entry;
	uint8_t buf[8192];
	size_t size;

	memset(&entry, 0, sizeof(entry));
	entry.type = ENTRY_VOTERS;
	entry.from = node->id;
	entry.view = view_number(node->view);
	entry.voters = *voters;
	size = entry_encode(&entry, buf, sizeof(buf));
	w->actions.count = 0;
	w->actions.used = 0;
	view_propose(node->view, node->disk.incarnation << 32 | ++node->next_cookie, buf, size,
		     w->now_ms, &w->actions);
	world_perform(w, n);
}

// The coordinator's caller: whoever is here with another store than the voters say is readmitted.
void world_voters_look(struct world *w, uint32_t n)
{
	struct world_node *node = &w->nodes[n];
	struct voters voters = node->cluster.voters;

	if (!node->up || !view_coordinator(node->view) || node->view->change_index != 0)
		return;
	for (uint32_t i = 0; i < voters.count; i++) {
		uint32_t id = voters.list[i].id;
		uint64_t store = view_member_store(node->view, id);

		if (!view_synchronised(node->view, id) || store == 0 ||
		    store == voters.list[i].store)
			continue;
		voters.list[i].store = store;
		world_voters_propose(w, n, &voters);
		return;
	}
}

static void tick(struct world *w, uint32_t n)
{
	struct event event = { .type = EVENT_TICK, .now_ms = w->now_ms, .wall_ms = w->now_ms };

	world_step(w, n, &event);
}

bool world_progress(struct world *w)
{
	uint32_t n = (uint32_t)world_random(w, w->count);

	if (world_word_hear(w))
		return true;
	for (uint32_t i = 0; i < w->count; i++, n = (n + 1) % w->count) {
		struct world_node *node = &w->nodes[n];
		uint64_t what = world_random(w, 4);

		if (!node->up)
			continue;
		if (node->deadline_ms <= w->now_ms) {
			tick(w, n);
			return true;
		}
		if (what == 0 && node->joined && node->out_count > 0) {
			out_order(w, node);
			return true;
		}
		if (what == 1 && (!(w->slow >> n & 1) || world_random(w, 15) == 0) &&
		    store_work(w, n))
			return true;
		if (what >= 2 && deliver_next(w, n))
			return true;
		if (node->joined && node->out_count > 0 && world_random(w, 2)) {
			out_order(w, node);
			return true;
		}
		if (!w->quiet && world_random(w, 4) == 0)
			world_voters_look(w, n);
	}
	for (n = 0; n < w->count; n++) {
		if (!w->nodes[n].up)
			continue;
		if (w->nodes[n].joined && w->nodes[n].out_count > 0) {
			out_order(w, &w->nodes[n]);
			return true;
		}
		if (store_work(w, n) || deliver_next(w, n))
			return true;
	}
	return false;
}
