// SPDX-License-Identifier: Apache-2.0
// Administrators: definitions, wishes and questions, at any node and in the middle of everything.
#include "tests/sim/spoiled.h"
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

#include "clusterd/invariant.h"

// ---- the administrators' books

struct sim_vm *admin_book(struct world *world, const char *name)
{
	uint64_t number;
	char *end;

	if (strncmp(name, "vm", 2) != 0 || name[2] < '0' || name[2] > '9')
		return NULL;
	number = strtoull(name + 2, &end, 10);
	return *end == 0 && number < SIM_VMS_MAX ? &world->vms[number] : NULL;
}

static void books_open(struct world *world, struct request *request)
{
	request->wish = ++world->next_wish;
	request->alone = true;
	for (uint32_t i = 0; i < request->book_count; i++) {
		struct sim_vm *vm = &world->vms[request->book + i];

		request->alone = request->alone && vm->open == 0;
		vm->open++;
		vm->wish = request->wish;
	}
}

static void books_close(struct world *world, struct host *host, const struct request *request,
			const struct entry_result *result)
{
	if (strcmp(result->code, "in-doubt") == 0)
		return; // it may yet happen
	for (uint32_t i = 0; i < request->book_count; i++) {
		struct sim_vm *vm = &world->vms[request->book + i];
		uint64_t index = 0;

		vm->open--;
		if (!result->accepted)
			continue;
		// Of two that were under way together nobody knows which came last.
		if (request->alone && vm->wish == request->wish)
			index = node_cluster(host->node)->index;
		vm->index = index;
		if (request->type != ENTRY_VM_WANT)
			vm->possible_index = index;
		if (request->type == ENTRY_APPLY)
			vm->possible = request->possible;
		vm->stopped = request->type == ENTRY_REMOVE ||
			      (request->type == ENTRY_VM_WANT &&
			       request->wanted != VM_WANTED_RUNNING);
	}
}

// ---- requests

static struct request *request_new(struct world *world, struct host *host, uint8_t type)
{
	for (uint32_t i = 0; i < REQUESTS_MAX; i++) {
		struct request *request = &world->requests[i];

		if (request->host && request->epoch == request->host->daemon_epoch)
			continue;
		*request = (struct request){
			.cookie = ++world->next_cookie,
			.host = host,
			.epoch = host->daemon_epoch,
			.type = type,
		};
		return request;
	}
	return NULL;
}

static struct request *request_send(struct world *world, struct host *host, struct entry *entry)
{
	static const size_t size = 256 * 1024;
	struct event event = { .type = EVENT_REQUEST };
	struct request *request;
	uint8_t *body;

	if (!host->daemon || host->paused)
		return NULL;
	request = request_new(world, host, entry->type);
	if (!request)
		return NULL;
	entry->at_ms = world->now_us / 1000;
	body = malloc(size);
	INVARIANT(body);
	event.body_size = entry_encode(entry, body, size);
	INVARIANT(event.body_size > 0);
	event.body = body;
	event.cookie = request->cookie;
	request->wanted = entry->wanted;
	memcpy(request->name, entry->name, sizeof(request->name));
	world->stats[STAT_REQUESTS]++;
	host_post(world, host, world_jitter(world, 50, 1000), &event);
	free(body);
	return request;
}

bool admin_request(struct world *world, struct host *host, struct entry *entry)
{
	struct request *request = request_send(world, host, entry);
	const struct sim_vm *book = admin_book(world, entry->name);
	bool wish = entry->type == ENTRY_VM_WANT ||
		    (entry->type == ENTRY_REMOVE && entry->object == OBJECT_VM);

	if (request && wish && book) {
		request->book = (uint32_t)(book - world->vms);
		request->book_count = 1;
		books_open(world, request);
	}
	return request != NULL;
}

// Answered in the same step, or by the members of that moment: nobody else can come in between.
void admin_recover(struct world *world, struct host *host)
{
	struct event event = { .type = EVENT_RECOVER };
	struct request *request = NULL;

	if (host->daemon && !host->paused)
		request = request_new(world, host, 0);
	if (!request)
		return;
	event.cookie = request->cookie;
	request->wanted = world->recover_wanted;
	world_say(world, host, "recover --accept-loss is asked for");
	host_deliver(world, host, &event);
}

static const char *request_word(uint8_t type)
{
	switch (type) {
	case 0:
		return "recover";
	case ENTRY_APPLY:
		return "apply";
	case ENTRY_REMOVE:
		return "remove";
	case ENTRY_VM_WANT:
		return "want";
	case ENTRY_VM_MANAGE:
		return "vm manage";
	case ENTRY_VM_CLEAR:
		return "clear";
	case ENTRY_NODE_MANAGE:
		return "node manage";
	case ENTRY_NODE_FENCE:
		return "fence";
	case ENTRY_NODE_CONFIRM_DEAD:
		return "confirm-dead";
	case ENTRY_MOVE_REQUEST:
		return "move";
	case ENTRY_MOVE_CANCEL:
		return "cancel";
	case ENTRY_NODE_DRAIN:
		return "drain";
	case ENTRY_POLICY_SET:
		return "policy";
	case ENTRY_POLICY_RUN:
		return "policy run";
	case ENTRY_TIP_ACCEPT:
		return "tip accept";
	case ENTRY_TIP_DISMISS:
		return "tip dismiss";
	}
	return "?";
}

static bool renews_since(const struct world *world, const struct host *target, uint32_t disk)
{
	const struct lockspace *space = &target->sanlock.lockspaces[disk];

	// As long as the check of its ids and the change may take together.
	return space->renewing && !target->paused &&
	       world->now_us > space->going_us + SECONDS(22 + 4 * world->disks[disk].io_timeout_s);
}

// A host that was declared dead: true, or an operator's error, which counts as a lie; but never one
// that renews.
static void confirmed_dead(struct world *world, const struct host *host,
			   const struct request *request)
{
	for (uint32_t h = 0; h < world->config.hosts; h++) {
		struct host *target = &world->hosts[h];

		if (strcmp(request->name, target->name) != 0)
			continue;
		target->proved_off = !target->powered;
		if (!target->powered)
			return;
		world->stats[STAT_FENCE_LIES] += !target->lied_about;
		target->lied_about = true;
		for (uint32_t d = 0; d < world->config.disks; d++)
			if (renews_since(world, target, d))
				check_fail(world, host,
					   "%s is declared dead while it renews its host id",
					   target->name);
	}
}

static void run_cut(struct world *world, struct item *item)
{
	for (uint32_t i = 0; i < world->config.hosts; i++)
		if (item->a >> i & 1)
			host_power_off(world, &world->hosts[i], "power cut after an answer");
}

bool admin_declares_dead(const struct world *world, const struct host *target)
{
	for (uint32_t i = 0; i < REQUESTS_MAX; i++) {
		const struct request *request = &world->requests[i];

		if (request->host && request->type == ENTRY_NODE_CONFIRM_DEAD &&
		    strcmp(request->name, target->name) == 0)
			return true;
	}
	return false;
}

// What was just acknowledged must be in what comes up again.
static void cut_after_answer(struct world *world)
{
	uint64_t all = UINT64_MAX >> (64 - world->config.hosts);

	if (world->quiet || !world_trouble(world, TROUBLE_ALL_POWER) ||
	    !rng_chance(&world->rng, 3))
		return;
	world_fault(world);
	world->stats[STAT_ACK_CUTS]++;
	world_at(world, rng_below(&world->rng, MS(3)), NULL, GUARD_NONE, run_cut)->a =
		rng_chance(&world->rng, 50) ? all : rng_next(&world->rng) & all;
}

void admin_reply(struct world *world, struct host *host, const struct action *action)
{
	for (uint32_t i = 0; i < REQUESTS_MAX; i++) {
		struct request *request = &world->requests[i];

		if (request->host != host || request->cookie != action->cookie)
			continue;
		world_say(world, host, "%s%s%s: %s%s%s%s", request_word(request->type),
			  request->name[0] ? " " : "", request->name,
			  action->result->accepted ? "done" : "refused: ",
			  action->result->accepted ? "" : action->result->reason,
			  action->result->fix[0] ? "; " : "", action->result->fix);
		world->stats[action->result->accepted ? STAT_ACCEPTED : STAT_REFUSED]++;
		if (world->replied)
			world->replied(world, action->cookie, action->result);
		books_close(world, host, request, action->result);
		apart_replied(world, host, action);
		if (action->result->accepted && request->type == 0 && !request->wanted)
			check_fail(world, host, "recovers, and nothing had to be recovered");
		else if (action->result->accepted && request->type != 0)
			check_ack(world, host);
		if (action->result->accepted && strcmp(request->name, SPOILED_NAME) == 0)
			check_fail(world, host, "a definition with a mistake is accepted");
		if (action->result->accepted && request->type == ENTRY_NODE_CONFIRM_DEAD)
			confirmed_dead(world, host, request);
		request->host = NULL;
		if (action->result->accepted)
			cut_after_answer(world);
		return;
	}
	check_fail(world, host, "answered a request that was not asked, or twice");
}

// ---- definitions

static void define_node(struct world *world, struct node_def *def, uint32_t i)
{
	snprintf(def->name, sizeof(def->name), "%s", world->hosts[i].name);
	def->id = i + 1;
	if (!world->hosts[i].fence_present)
		return;
	def->fence_count = world->config.second_fences >> i & 1 ? 2 : 1;
	snprintf(def->fences[1].agent, sizeof(def->fences[1].agent), "fence_other");
	snprintf(def->fences[0].agent, sizeof(def->fences[0].agent), "fence_sim");
	snprintf(def->fences[0].options, sizeof(def->fences[0].options), "plug=%s\n",
		 world->hosts[i].name);
}

static uint32_t define_vm(struct world *world, struct vm_def *def, struct owner_def *owners,
			  uint32_t vm)
{
	uint32_t count = 0, disks = world->config.disks;

	memset(def, 0, sizeof(*def));
	snprintf(def->name, sizeof(def->name), "vm%u", (unsigned int)vm);
	def->cpus = 1;
	def->memory_mib =
		world->config.story ? 1024 : (uint32_t)rng_between(&world->rng, 1, 4) * 1024;
	def->disk_count = disks > 1 && vm % 3 == 2 ? 2 : 1;
	for (uint32_t d = 0; d < def->disk_count; d++) {
		snprintf(def->disks[d].volume, sizeof(def->disks[d].volume), "d%u",
			 (unsigned int)((vm + d) % disks));
		snprintf(def->disks[d].path, sizeof(def->disks[d].path), "vms/vm%u-%u.raw",
			 (unsigned int)vm, (unsigned int)d);
	}
	def->guest_agent = true;
	snprintf(def->address, sizeof(def->address), "192.0.2.%u", (unsigned int)vm + 1);
	def->wanted = VM_WANTED_RUNNING;
	def->wanted_given = true;
	def->restarts_max = 1;
	def->relocations_max = 2;
	def->forget_s = 600;
	def->stop_timeout_s = 20;
	def->max_pause_ms = 1000;
	if (world->config.story)
		return 0;
	def->priority = (int32_t)rng_below(&world->rng, 3);
	def->post_copy = vm % 4 == 1;
	def->max_pause_ms = vm % 3 == 0 || def->post_copy ? 100 : 1000;
	def->on_guest_shutdown = (uint8_t)rng_below(&world->rng, GUEST_SHUTDOWN_COUNT);
	// Some owners only; but not of those that could then have no place apart.
	if (rng_chance(&world->rng, 25) && !(world->config.apart && vm < 2)) {
		for (uint32_t i = 0; i < world->config.hosts; i++) {
			if (i != vm % world->config.hosts && rng_chance(&world->rng, 50))
				continue;
			snprintf(owners[count].node, NAME_SIZE, "%s", world->hosts[i].name);
			owners[count].vm = 0;
			owners[count++].tier = 0;
		}
	}
	return count;
}

static bool apply_send(struct world *world, struct host *host, struct definitions *defs,
		       uint32_t book, uint64_t possible)
{
	struct request *request;
	struct uuid proposed[SIM_VMS_MAX];
	const size_t size = 128 * 1024;
	uint8_t *body = malloc(size);
	struct entry *entry = calloc(1, sizeof(*entry));

	INVARIANT(body && entry);
	for (uint32_t i = 0; i < defs->vm_count; i++) {
		for (uint32_t b = 0; b < 16; b++)
			proposed[i].bytes[b] = (uint8_t)rng_next(&world->rng);
	}
	entry->type = ENTRY_APPLY;
	entry->body = body;
	entry->body_size = definitions_encode(defs, proposed, body, size);
	INVARIANT(entry->body_size > 0);
	request = request_send(world, host, entry);
	free(body);
	free(entry);
	if (!request)
		return false;
	request->book = book;
	request->book_count = defs->vm_count;
	request->possible = possible;
	books_open(world, request);
	return true;
}

bool admin_apply_vm(struct world *world, struct host *host, uint32_t vm)
{
	struct definitions defs = { .vm_count = 1 };
	struct owner_def owners[HOSTS_MAX];
	struct vm_def *def = calloc(1, sizeof(*def));
	uint64_t possible = 0;
	bool sent;

	INVARIANT(def);
	defs.vms = def;
	defs.owners = owners;
	defs.owner_count = define_vm(world, def, owners, vm);
	for (uint32_t i = 0; i < defs.owner_count; i++)
		possible |= UINT64_C(1) << (strtoul(owners[i].node + 1, NULL, 10) - 1);
	sent = apply_send(world, host, &defs, vm, possible);
	free(def);
	return sent;
}

// The VM prefers the node, and goes back to it when that was steady for so long.
bool admin_prefer(struct world *world, struct host *host, uint32_t vm, const char *node,
		  uint32_t after_s)
{
	struct owner_def owner = { .tier = 1 };
	struct definitions defs = { .vm_count = 1, .owner_count = 1, .owners = &owner };
	struct vm_def *def = calloc(1, sizeof(*def));
	bool sent;

	INVARIANT(def);
	define_vm(world, def, NULL, vm);
	def->failback = after_s > 0 ? FAILBACK_DELAYED : FAILBACK_IMMEDIATE;
	def->failback_after_s = after_s;
	snprintf(owner.node, sizeof(owner.node), "%s", node);
	defs.vms = def;
	sent = apply_send(world, host, &defs, vm, 0);
	free(def);
	return sent;
}

bool admin_apply_rule(struct world *world, struct host *host, struct rule_def *rule)
{
	struct definitions defs = { .rule_count = 1, .rules = rule };

	return apply_send(world, host, &defs, 0, 0);
}

bool admin_apply_nodes(struct world *world, struct host *host, bool with_vms)
{
	struct definitions defs = { .cluster_given = true };
	struct owner_def owners[SIM_VMS_MAX * HOSTS_MAX];
	bool sent;

	snprintf(defs.cluster.name, sizeof(defs.cluster.name), "sim");
	snprintf(defs.cluster.root, sizeof(defs.cluster.root), "/clusterstorage");
	defs.cluster.no_quorum = world->config.no_quorum;
	defs.cluster.no_quorum_hold_s = world->config.no_quorum_hold_s;
	defs.cluster.io_timeout_s = world->config.io_timeout_s;
	defs.cluster.policies.shutdown = world->config.shutdown;
	defs.cluster.migration.bandwidth_percent = 50;
	defs.cluster.migration.moves_out_max = defs.cluster.migration.moves_in_max = 2;
	defs.node_count = world->config.hosts;
	defs.volume_count = world->config.disks;
	defs.vm_count = with_vms ? world->config.vms : 0;
	defs.nodes = calloc(defs.node_count, sizeof(*defs.nodes));
	defs.volumes = calloc(defs.volume_count, sizeof(*defs.volumes));
	defs.vms = calloc(defs.vm_count + 1u, sizeof(*defs.vms));
	defs.owners = owners;
	INVARIANT(defs.nodes && defs.volumes && defs.vms);
	for (uint32_t i = 0; i < defs.node_count; i++)
		define_node(world, &defs.nodes[i], i);
	for (uint32_t i = 0; i < defs.volume_count; i++) {
		snprintf(defs.volumes[i].name, sizeof(defs.volumes[i].name), "d%u",
			 (unsigned int)i);
		snprintf(defs.volumes[i].source, sizeof(defs.volumes[i].source), "/shared/d%u",
			 (unsigned int)i);
	}
	for (uint32_t i = 0; i < defs.vm_count; i++) {
		uint32_t more = define_vm(world, &defs.vms[i], owners + defs.owner_count, i);

		for (uint32_t k = 0; k < more; k++)
			owners[defs.owner_count++].vm = i;
	}
	sent = apply_send(world, host, &defs, 0, 0);
	free(defs.nodes);
	free(defs.volumes);
	free(defs.vms);
	return sent;
}

static bool defined_anywhere(const struct world *world)
{
	for (uint32_t i = 0; i < world->config.hosts; i++)
		if (world->hosts[i].daemon &&
		    cluster_find_volume(node_cluster(world->hosts[i].node), "d0"))
			return true;
	return false;
}

static void bootstrap_run(struct world *world, struct item *item)
{
	struct host *host = &world->hosts[rng_below(&world->rng, world->config.hosts)];

	bool defined = defined_anywhere(world);

	(void)item;
	// What was defined may be lost with most of the stores.
	if (defined && !world_trouble(world, TROUBLE_RECOVER))
		return;
	if (!defined && host->daemon && view_normal(node_view(host->node)))
		admin_apply_nodes(world, host, true);
	world_at(world, SECONDS(2), NULL, GUARD_NONE, bootstrap_run);
}

void admin_bootstrap(struct world *world)
{
	world_at(world, SECONDS(14), NULL, GUARD_NONE, bootstrap_run);
}

// ---- at random

static void random_vm_name(struct world *world, struct entry *entry)
{
	snprintf(entry->name, sizeof(entry->name), "vm%u",
		 (unsigned int)rng_below(&world->rng, world->config.vms + 2));
}

bool admin_drain(struct world *world, struct host *host, const char *node, enum drain_verb verb,
		 bool come_back)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	bool sent;

	INVARIANT(entry);
	entry->type = ENTRY_NODE_DRAIN;
	entry->drain_verb = (uint8_t)verb;
	entry->flag = come_back;
	snprintf(entry->name, sizeof(entry->name), "%s", node);
	sent = admin_request(world, host, entry);
	world->stats[STAT_DRAINS] += sent && verb == DRAIN_ON;
	free(entry);
	return sent;
}

static void random_drain(struct world *world, struct host *host)
{
	static const enum drain_verb verbs[] = { DRAIN_ON,    DRAIN_ON,	   DRAIN_OFF,
						 DRAIN_ABORT, DRAIN_PAUSE, DRAIN_RESUME };
	const struct cluster *cluster = node_cluster(host->node);
	const char *name = world->hosts[rng_below(&world->rng, world->config.hosts)].name;
	enum drain_verb verb = verbs[rng_below(&world->rng, 6)];

	// What is being drained is ended sooner or later, or nothing runs anywhere.
	for (uint8_t i = 0; i < NODES_MAX && verb != DRAIN_ON; i++)
		if (cluster->nodes[i].used && cluster->nodes[i].maintenance)
			name = cluster->nodes[i].def.name;
	admin_drain(world, host, name, verb, rng_chance(&world->rng, 50));
}

static uint8_t random_slot(struct world *world, const struct host *host)
{
	const struct cluster *cluster = node_cluster(host->node);
	const struct cluster_node *node = cluster_find_node(
		cluster, world->hosts[rng_below(&world->rng, world->config.hosts)].name);

	return node && rng_chance(&world->rng, 50) ? node_slot(cluster, node) : SLOT_NONE;
}

void admin_move(struct world *world)
{
	static const enum move_kind kinds[] = { MOVE_AUTO, MOVE_LIVE,  MOVE_LIVE, MOVE_LIVE,
						MOVE_LIVE, MOVE_QUICK, MOVE_COLD, MOVE_SAVE };
	struct host *host = &world->hosts[rng_below(&world->rng, world->config.hosts)];
	uint64_t what = rng_below(&world->rng, 20);
	struct entry *entry;

	if (!host->daemon || host->paused)
		return;
	if (what < 2) {
		random_drain(world, host);
		return;
	}
	entry = calloc(1, sizeof(*entry));
	INVARIANT(entry);
	random_vm_name(world, entry);
	if (what < 5) {
		entry->type = ENTRY_MOVE_CANCEL;
	} else if (what < 7) {
		entry->type = ENTRY_VM_WANT;
		entry->wanted = VM_WANTED_RUNNING;
	} else {
		entry->type = ENTRY_MOVE_REQUEST;
		entry->move_kind = kinds[rng_below(&world->rng, sizeof(kinds) / sizeof(kinds[0]))];
		entry->actor = entry->move_kind == MOVE_SAVE ? SLOT_NONE : random_slot(world, host);
	}
	admin_request(world, host, entry);
	free(entry);
}

static void moves_run(struct world *world, struct item *item)
{
	(void)item;
	if (world->quiet)
		return;
	admin_move(world);
	world_at(world, rng_between(&world->rng, MS(500), SECONDS(15)), NULL, GUARD_NONE,
		 moves_run);
}

void admin_moves_begin(struct world *world)
{
	world_at(world, SECONDS(25), NULL, GUARD_NONE, moves_run);
}

/*
 * A confirmation is true, except that a living host that renews may be tried: it must be refused.
 * One that is up and does not renew is nobody's to declare dead.
 */
static bool may_confirm(struct world *world, const struct host *target)
{
	if (!target->powered)
		return true;
	for (uint32_t d = 0; d < world->config.disks; d++)
		if (!target->sanlock.lockspaces[d].renewing)
			return false;
	return !target->paused && rng_chance(&world->rng, 30);
}

// Whom an administrator would declare dead: one that the cluster misses, when there is one.
static struct host *missed_host(struct world *world, const struct host *host,
				struct host *otherwise)
{
	const struct cluster *cluster = host->daemon ? node_cluster(host->node) : NULL;

	for (uint32_t i = 0; cluster && i < world->config.hosts; i++) {
		const struct cluster_node *node = cluster_find_node(cluster, world->hosts[i].name);

		if (node && node->life >= NODE_LOST && rng_chance(&world->rng, 50))
			return &world->hosts[i];
	}
	return otherwise;
}

void admin_random(struct world *world)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	struct host *host = &world->hosts[rng_below(&world->rng, world->config.hosts)];
	struct host *target = &world->hosts[rng_below(&world->rng, world->config.hosts)];

	INVARIANT(entry);
	snprintf(entry->name, sizeof(entry->name), "%s", target->name);
	switch (rng_below(&world->rng, 16)) {
	case 0:
	case 1:
	case 2:
		entry->type = ENTRY_VM_WANT;
		entry->wanted = VM_WANTED_RUNNING;
		random_vm_name(world, entry);
		break;
	case 3:
	case 4:
		entry->type = ENTRY_VM_WANT;
		entry->wanted =
			rng_chance(&world->rng, 70) ? VM_WANTED_STOPPED : VM_WANTED_DISABLED;
		random_vm_name(world, entry);
		break;
	case 5:
	case 6:
		entry->type = ENTRY_VM_CLEAR;
		random_vm_name(world, entry);
		break;
	case 7:
		entry->type = ENTRY_VM_MANAGE;
		entry->flag = rng_chance(&world->rng, 70);
		random_vm_name(world, entry);
		break;
	case 8:
		entry->type = ENTRY_NODE_MANAGE;
		entry->flag = rng_chance(&world->rng, 80);
		break;
	case 9:
		entry->type = ENTRY_NODE_FENCE;
		break;
	case 10:
	case 11:
		target = missed_host(world, host, target);
		snprintf(entry->name, sizeof(entry->name), "%s", target->name);
		if (!may_confirm(world, target)) {
			free(entry);
			return;
		}
		entry->type = ENTRY_NODE_CONFIRM_DEAD;
		break;
	case 12:
		entry->type = ENTRY_REMOVE;
		entry->object = OBJECT_VM;
		random_vm_name(world, entry);
		break;
	default:
		free(entry);
		admin_apply_vm(world, host, (uint32_t)rng_below(&world->rng, world->config.vms));
		return;
	}
	admin_request(world, host, entry);
	free(entry);
}
