// SPDX-License-Identifier: Apache-2.0
/*
 * Definitions that must be refused: each has one mistake, and all else of it is good. The reader of
 * XML refuses most of them before: here they come as entries, as another version's daemon, or a
 * garbled one, would send them, and every replica must refuse them alike.
 */
#include <stdlib.h>
#include <string.h>

#include "clusterd/invariant.h"
#include "clusterd/recording.h"
#include "clusterd/text.h"
#include "tests/sim/spoiled.h"
#include "tests/sim/world.h"

enum { CROWD = 70, SPOILED_SIZE = 128 * 1024 };

// One object of each kind, two where a mistake takes two, and more than there is room for.
struct good {
	struct definitions defs;
	struct node_def nodes[CROWD];
	struct volume_def volumes[CROWD];
	struct vm_def vms[CROWD];
	struct owner_def owners[2];
	struct rule_def rules[CROWD];
	struct pro_def pros[CROWD];
};

#define SET(to, text) text_copy(to, sizeof(to), text)

static void good_vm(struct vm_def *def, const char *name)
{
	SET(def->name, name);
	def->cpus = 1;
	def->memory_mib = 512;
	def->stop_timeout_s = 20;
	def->max_pause_ms = 1000;
	def->disk_count = 1;
	SET(def->disks[0].volume, "d0");
	SET(def->disks[0].path, "vms/new.raw");
}

static void good_init(struct good *good)
{
	struct cluster_def *cluster = &good->defs.cluster;
	struct rule_member *members = good->rules[0].members;

	memset(&good->defs, 0, sizeof(good->defs));
	memset(good->owners, 0, sizeof(good->owners));
	for (uint32_t i = 0; i < 2; i++) { // a crowd is made of these
		memset(&good->nodes[i], 0, sizeof(good->nodes[i]));
		memset(&good->volumes[i], 0, sizeof(good->volumes[i]));
		memset(&good->vms[i], 0, sizeof(good->vms[i]));
		memset(&good->rules[i], 0, sizeof(good->rules[i]));
		memset(&good->pros[i], 0, sizeof(good->pros[i]));
	}
	good->defs.nodes = good->nodes;
	good->defs.volumes = good->volumes;
	good->defs.vms = good->vms;
	good->defs.owners = good->owners;
	good->defs.rules = good->rules;
	good->defs.pros = good->pros;
	SET(cluster->name, "sim");
	SET(cluster->root, "/clusterstorage");
	cluster->no_quorum_hold_s = 60;
	cluster->io_timeout_s = 10;
	cluster->migration.bandwidth_percent = 50;
	cluster->migration.moves_out_max = cluster->migration.moves_in_max = 2;
	SET(good->nodes[0].name, "new");
	good->nodes[0].id = 1000;
	good->nodes[1] = good->nodes[0];
	SET(good->volumes[0].name, "new");
	SET(good->volumes[0].source, "/shared/new");
	good->volumes[1] = good->volumes[0];
	good_vm(&good->vms[0], "new");
	good_vm(&good->vms[1], "newer");
	SET(good->owners[0].node, "n1");
	SET(good->owners[1].node, "n2");
	good->rules[0] = (struct rule_def){ .kind = RULE_APART,
					    .strict = true,
					    .enabled = true,
					    .weight = 100,
					    .at_once = 1,
					    .member_count = 2 };
	SET(good->rules[0].name, "new");
	SET(members[0].name, "new");
	SET(members[1].name, "newer");
	good->rules[1] = good->rules[0];
	good->pros[0] = pro_defaults();
	SET(good->pros[0].name, "new");
	good->pros[0].measure = PRO_CPU;
	good->pros[0].threshold = 80;
	good->pros[0].clear = 70;
	good->pros[0].action = PRO_NOTIFY;
	good->pros[1] = good->pros[0];
}

// Each makes the mistake of the number, and says which; NULL: it knows no more.
typedef const char *(*spoil_fn)(struct good *good, uint32_t number);

static const char *spoil_cluster(struct good *good, uint32_t number)
{
	struct cluster_def *def = &good->defs.cluster;

	good->defs.cluster_given = true;
	switch (number) {
	case 0:
		SET(def->name, "two words");
		return "a cluster's name with a blank";
	case 1:
		SET(def->root, "clusterstorage");
		return "a root that is no absolute path";
	case 2:
		def->no_quorum_hold_s = 1;
		return "a hold that is too short";
	case 3:
		def->io_timeout_s = 61;
		return "an I/O timeout that is too long";
	case 4:
		def->migration.network_count = 1;
		SET(def->migration.networks[0], "10.1.0.0,16");
		return "a network that is none";
	case 5:
		def->migration.bandwidth_percent = 0;
		return "no bandwidth";
	case 6:
		def->migration.link_mbit = UINT32_MAX;
		return "links that are too fast";
	case 7:
		def->migration.moves_out_max = 0;
		return "no moves out";
	case 8:
		def->migration.moves_in_max = 17;
		return "too many moves in";
	default:
		return NULL;
	}
}

static const char *spoil_node(struct good *good, uint32_t number)
{
	struct node_def *def = &good->nodes[0];

	good->defs.node_count = 1;
	switch (number) {
	case 0:
		SET(def->name, "-new");
		return "a node's name that begins with a dash";
	case 1:
		def->id = 0;
		return "a node without an id";
	case 2:
		def->memory_reserve_mib = UINT32_MAX;
		return "a reserve that no host has";
	case 3:
		SET(def->cpu_without, "avx2 nonsense");
		return "a CPU feature that nobody knows";
	case 4:
		SET(def->cpu_without,
		    "a-name-that-is-longer-than-that-of-any-feature-of-a-processor");
		return "a CPU feature with too long a name";
	case 5:
		def->fence_count = 1;
		SET(def->fences[0].agent, "shutdown");
		return "a fence agent that is none";
	case 6:
		def->fence_count = 1;
		SET(def->fences[0].agent, "fence_sim");
		SET(def->fences[0].options, "plug=1\tip=2\n");
		return "options with a control character";
	case 7:
		good->defs.node_count = 2;
		return "a node defined twice";
	case 8:
		good->defs.node_count = 2;
		SET(good->nodes[1].name, "newer");
		return "two nodes of one id";
	default:
		return NULL;
	}
}

static const char *spoil_volume(struct good *good, uint32_t number)
{
	struct volume_def *def = &good->volumes[0];

	good->defs.volume_count = 1;
	switch (number) {
	case 0:
		SET(def->name, "a/b");
		return "a volume's name with a slash";
	case 1:
		SET(def->source, "/shared/../new");
		return "a source with two dots";
	case 2:
		good->defs.volume_count = 2;
		return "a volume defined twice";
	case 3:
		good->defs.volume_count = 2;
		SET(good->volumes[1].name, "newer");
		SET(good->volumes[1].source, "/shared/new/inner");
		return "a volume inside another one";
	default:
		return NULL;
	}
}

static const char *spoil_hardware(struct good *good, uint32_t number)
{
	struct vm_def *def = &good->vms[0];

	good->defs.vm_count = 1;
	switch (number) {
	case 0:
		SET(def->name, "");
		return "a VM without a name";
	case 1:
		def->cpus = 0;
		return "a VM without a CPU";
	case 2:
		def->memory_mib = 0;
		return "a VM without memory";
	case 3:
		def->stop_timeout_s = UINT32_MAX;
		return "a stop that never ends";
	case 4:
		def->max_pause_ms = 0;
		return "a move without any pause";
	case 5:
		def->restarts_max = UINT32_MAX;
		return "restarts without end";
	case 6:
		def->relocations_max = UINT32_MAX;
		return "relocations without end";
	case 7:
		SET(def->description, "bell\a");
		return "a description that rings a bell";
	case 8:
		SET(def->machine, "q 35");
		return "a machine with a blank";
	case 9:
		def->cpu_mode = CPU_MODEL;
		return "a CPU model without a name";
	case 10:
		def->nic_count = 1;
		return "a NIC on no bridge";
	case 11:
		def->nic_count = 1;
		SET(def->nics[0].bridge, "br0");
		def->nics[0].mac[0] = 1;
		return "a group's MAC";
	case 12:
		def->nic_count = 2;
		SET(def->nics[0].bridge, "br0");
		def->nics[0].mac[5] = 1;
		def->nics[1] = def->nics[0];
		return "two NICs of one MAC";
	default:
		return NULL;
	}
}

static void pass_nic(struct vm_def *def)
{
	struct nic_def *nic = &def->nics[def->nic_count++];

	SET(nic->bridge, "br0");
	SET(nic->device, "0000:3b:02.1");
	nic->mac[5] = (uint8_t)def->nic_count;
}

static const char *spoil_passed_nics(struct good *good, uint32_t number)
{
	struct vm_def *def = &good->vms[0];

	good->defs.vm_count = 1;
	def->nic_count = 0;
	pass_nic(def);
	switch (number) {
	case 0:
		SET(def->nics[0].device, "0000:3B:02.1");
		return "a passed-through NIC at no PCI address";
	case 1:
		def->nics[0].model = NIC_E1000E;
		return "a passed-through NIC without a virtio twin";
	case 2:
		SET(def->machine, "pc-i440fx-7.2");
		return "a passed-through NIC on a machine without ports";
	case 3:
		pass_nic(def);
		return "one NIC passed through twice";
	default:
		return NULL;
	}
}

static const char *spoil_files(struct good *good, uint32_t number)
{
	struct vm_def *def = &good->vms[0];

	good->defs.vm_count = 1;
	switch (number) {
	case 0:
		def->disk_count = 0;
		return "a VM without a disk";
	case 1:
		SET(def->disks[0].volume, "");
		return "a disk on no volume";
	case 2:
		SET(def->disks[0].path, "vms//new.raw");
		return "a disk's path with an empty part";
	case 3:
		SET(def->disks[0].path, ".clusterd/leases");
		return "a disk over the leases";
	case 4:
		SET(def->disks[0].volume, "none");
		return "a disk on a volume that is not there";
	case 5:
		def->disk_count = 2;
		def->disks[1] = def->disks[0];
		return "one disk twice";
	case 6:
		def->disks[0].readonly = true;
		return "a VM that writes nothing";
	case 7:
		SET(def->cmdline, "quiet");
		return "a command line without a kernel";
	case 8:
		SET(def->kernel.volume, "d0");
		SET(def->kernel.path, "/boot/vmlinuz");
		return "a kernel with an absolute path";
	case 9:
		SET(def->kernel.volume, "d0");
		SET(def->kernel.path, "vmlinuz");
		SET(def->initrd.volume, "none");
		SET(def->initrd.path, "initrd");
		return "an initrd on a volume that is not there";
	case 10:
		good->defs.vm_count = 2;
		return "one disk of two VMs";
	case 11:
		good->defs.vm_count = 2;
		SET(good->vms[1].name, "new");
		SET(good->vms[1].disks[0].path, "vms/newer.raw");
		return "a VM defined twice";
	case 12:
		good->defs.vm_count = 2;
		SET(good->vms[1].disks[0].path, "vms/newer.raw");
		memset(&def->uuid, 7, sizeof(def->uuid));
		good->vms[1].uuid = def->uuid;
		return "two VMs of one uuid";
	case 13:
		good->defs.vm_count = 2;
		SET(good->vms[1].disks[0].path, "vms/newer.raw");
		def->nic_count = good->vms[1].nic_count = 1;
		SET(def->nics[0].bridge, "br0");
		def->nics[0].mac[5] = 1;
		good->vms[1].nics[0] = def->nics[0];
		return "two VMs of one MAC";
	default:
		return NULL;
	}
}

static const char *spoil_owners(struct good *good, uint32_t number)
{
	good->defs.vm_count = 1;
	good->defs.owner_count = 1;
	switch (number) {
	case 0:
		SET(good->owners[0].node, "nowhere");
		return "an owner that is no node";
	case 1:
		good->owners[0].tier = VM_TIERS_MAX + 1;
		return "a tier too many";
	case 2:
		good->defs.owner_count = 2;
		good->owners[1] = good->owners[0];
		return "an owner named twice";
	case 3:
		good->defs.owner_count = 2;
		good->owners[1].tier = 1;
		return "a preferred owner that is not possible";
	default:
		return NULL;
	}
}

static const char *spoil_rule(struct good *good, uint32_t number)
{
	struct rule_def *def = &good->rules[0];

	good->defs.rule_count = 1;
	switch (number) {
	case 0:
		SET(def->name, "?");
		return "a rule's name that is none";
	case 1:
		def->member_count = 1;
		return "a VM kept apart from itself";
	case 2:
		def->kind = RULE_ORDER;
		return "an order without roles";
	case 3:
		def->kind = RULE_FOLLOW;
		return "nobody to follow";
	case 4:
		def->kind = RULE_SPREAD;
		return "a spread over no attribute";
	case 5:
		def->members[1].role = ROLE_LEADER;
		return "a leader among those kept apart";
	case 6:
		def->weight = 0;
		return "a wish of no weight";
	case 7:
		def->at_once = 0;
		return "no moves at once";
	case 8:
		def->up = UP_TCP;
		return "a TCP port 0";
	case 9:
		def->up = UP_DELAY;
		def->up_value = 86400;
		return "a delay of a day";
	case 10:
		SET(def->members[0].name, "");
		return "a member without a name";
	case 11:
		def->members[1] = def->members[0];
		return "a member named twice";
	case 12:
		good->defs.rule_count = 2;
		return "a rule defined twice";
	default:
		return NULL;
	}
}

static const char *spoil_condition(struct good *good, uint32_t number)
{
	struct pro_def *def = &good->pros[0];

	good->defs.pro_count = 1;
	switch (number) {
	case 0:
		SET(def->name, "a policy");
		return "a policy's name with a blank";
	case 1:
		def->measure = PRO_LATENCY;
		return "the latency of a node";
	case 2:
		def->subject = PRO_VM;
		def->action = PRO_DRAIN;
		return "a drain of a VM";
	case 3:
		def->threshold = 101;
		return "more than all of its CPUs";
	case 4:
		def->threshold = def->clear = 0;
		return "at least nothing";
	case 5:
		def->below = true;
		def->threshold = def->clear = 100;
		return "at most everything";
	case 6:
		def->clear = 90;
		return "over when it is worse";
	case 7:
		def->rate = 101;
		return "faster than it can be";
	case 8:
		good->defs.pro_count = 2;
		return "a policy defined twice";
	default:
		return NULL;
	}
}

static const char *spoil_policy(struct good *good, uint32_t number)
{
	struct pro_def *def = &good->pros[0];

	good->defs.pro_count = 1;
	switch (number) {
	case 0:
		def->hold_s = 0;
		return "a hold of nothing";
	case 1:
		def->rest_s = UINT32_MAX;
		return "a rest for ever";
	case 2:
		def->expires_s = 0;
		return "a tip that is over at once";
	case 3:
		def->min_gain = 0;
		return "no gain at all";
	case 4:
		def->budget = 17;
		return "a budget that is too large";
	case 5:
		def->at_once = 0;
		return "a tip of no moves";
	case 6:
		def->script_limit_s = 0;
		return "a script without time";
	case 7:
		def->action = PRO_SCRIPT;
		return "a script that is not named";
	case 8:
		def->action = PRO_SCRIPT;
		SET(def->script, "a/../../b");
		return "a script outside its folder";
	case 9:
		SET(def->script, "b");
		return "a script that is not run";
	case 10:
		def->mode = PRO_WINDOW;
		def->to_min = 24 * 60;
		return "a window beyond the day";
	case 11:
		def->mode = PRO_WINDOW;
		return "a window that is empty";
	default:
		return NULL;
	}
}

static const char *spoil_many(struct good *good, uint32_t number)
{
	struct vm_def *vm = &good->vms[0];

	for (uint32_t i = 0; i < CROWD; i++) {
		good->nodes[i] = good->nodes[0];
		good->nodes[i].id = 1000 + i;
		snprintf(good->nodes[i].name, NAME_SIZE, "new%u", (unsigned int)i);
		snprintf(good->volumes[i].name, NAME_SIZE, "new%u", (unsigned int)i);
		snprintf(good->volumes[i].source, PATH_SIZE, "/shared/new%u", (unsigned int)i);
		good->vms[i] = *vm;
		snprintf(good->vms[i].name, NAME_SIZE, "new%u", (unsigned int)i);
		good->rules[i] = good->rules[0];
		snprintf(good->rules[i].name, NAME_SIZE, "new%u", (unsigned int)i);
		good->pros[i] = good->pros[0];
		snprintf(good->pros[i].name, NAME_SIZE, "new%u", (unsigned int)i);
	}
	switch (number) {
	case 0:
		good->defs.node_count = CROWD;
		return "too many nodes";
	case 1:
		good->defs.volume_count = CROWD;
		return "too many volumes";
	case 2:
		good->defs.vm_count = CROWD;
		return "too many VMs";
	case 3:
		good->defs.rule_count = CROWD;
		return "too many rules";
	case 4:
		good->defs.pro_count = CROWD;
		return "too many policies";
	case 5:
		good->defs.vm_count = 1;
		good->defs.volume_count = vm->disk_count = VM_LEASES_MAX + 1;
		for (uint32_t i = 0; i < vm->disk_count; i++) {
			vm->disks[i] = vm->disks[0];
			SET(vm->disks[i].volume, good->volumes[i].name);
		}
		return "a VM on too many volumes";
	default:
		return NULL;
	}
}

static const spoil_fn spoilers[] = { spoil_cluster,	spoil_node,   spoil_volume, spoil_hardware,
				     spoil_passed_nics, spoil_files,  spoil_owners, spoil_rule,
				     spoil_condition,	spoil_policy, spoil_many };
enum { SPOILERS = sizeof(spoilers) / sizeof(spoilers[0]), CASES = 14 };

static void spoiled_send(struct world *world, struct host *host, const struct good *good,
			 size_t cut)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	uint8_t *body = malloc(SPOILED_SIZE);
	struct uuid proposed[CROWD];
	bool sent;

	INVARIANT(entry && body);
	for (uint32_t i = 0; i < CROWD; i++)
		memset(&proposed[i], (int)(0x81 + i), sizeof(proposed[i]));
	entry->type = ENTRY_APPLY;
	SET(entry->name, SPOILED_NAME);
	entry->body = body;
	entry->body_size = definitions_encode(&good->defs, proposed, body, SPOILED_SIZE);
	INVARIANT(entry->body_size > cut);
	entry->body_size -= cut;
	sent = admin_request(world, host, entry);
	world->stats[STAT_SPOILED] += sent;
	free(body);
	free(entry);
}

void spoiled_tell(struct world *world, struct host *host)
{
	struct good *good = malloc(sizeof(*good));

	INVARIANT(good);
	for (uint32_t i = 0; i < SPOILERS && !world->failed; i++) {
		for (uint32_t number = 0; !world->failed; number++) {
			const char *what;

			good_init(good);
			what = spoilers[i](good, number);
			if (!what)
				break;
			world_say(world, NULL, "%s", what);
			spoiled_send(world, host, good, 0);
			world_run(world, world->now_us + SECONDS(1));
		}
	}
	good_init(good);
	good->defs.vm_count = good->defs.rule_count = 1;
	world_say(world, NULL, "a document without its end");
	spoiled_send(world, host, good, 3);
	world_run(world, world->now_us + SECONDS(1));
	free(good);
}

// Many documents at once, each as large as can be, at every node.
void spoiled_flood(struct world *world, uint32_t count)
{
	struct good *good = malloc(sizeof(*good));

	INVARIANT(good);
	good_init(good);
	spoil_many(good, 2);
	for (uint32_t i = 0; i < count; i++)
		spoiled_send(world, &world->hosts[i % world->config.hosts], good, 0);
	free(good);
}

// What only nodes say to each other.
static void no_request(struct world *world, struct host *host, struct rng *rng)
{
	static const uint8_t types[] = { ENTRY_VIEW, ENTRY_NODE_BACK, ENTRY_VM_REPORT,
					 ENTRY_MOVE_BEGIN };
	struct entry *entry = calloc(1, sizeof(*entry));

	INVARIANT(entry);
	entry->type = types[rng_below(rng, sizeof(types))];
	entry->vm_report = VM_REPORT_STARTED;
	SET(entry->name, SPOILED_NAME);
	world->stats[STAT_SPOILED] += admin_request(world, host, entry);
	free(entry);
}

static void spoiled_random(struct world *world, struct host *host, struct rng *rng)
{
	spoil_fn spoiler = spoilers[rng_below(rng, SPOILERS)];
	struct good *good = malloc(sizeof(*good));
	INVARIANT(good);
	if (rng_chance(rng, 10)) {
		no_request(world, host, rng);
	} else if (rng_chance(rng, 20)) {
		good_init(good);
		good->defs.cluster_given = rng_chance(rng, 50);
		good->defs.node_count = good->defs.volume_count = good->defs.vm_count = 1;
		good->defs.rule_count = good->defs.pro_count = 1;
		spoiled_send(world, host, good, (size_t)rng_between(rng, 1, 200));
	} else {
		do {
			good_init(good);
		} while (!spoiler(good, (uint32_t)rng_below(rng, CASES)));
		spoiled_send(world, host, good, 0);
	}
	free(good);
}

static void spoiled_run(struct world *world, struct item *item)
{
	struct rng rng = { .state = item->a };
	struct host *host = &world->hosts[rng_below(&rng, world->config.hosts)];

	if (world->quiet)
		return;
	spoiled_random(world, host, &rng);
	world_at(world, SECONDS(rng_between(&rng, 3, 20)), NULL, GUARD_NONE, spoiled_run)->a =
		rng_next(&rng);
}

void spoiled_start(struct world *world)
{
	world_at(world, SECONDS(20), NULL, GUARD_NONE, spoiled_run)->a = world->seed ^ 0x73706f;
}

static struct rng rng_of_step(const struct world *world)
{
	return (struct rng){ .state = world->stats[STAT_STEPS] ^ world->seed };
}

// How many of them read back.
static uint32_t actions_read(const struct host *host, const uint8_t *bytes, size_t size)
{
	struct recorded_action *recorded = calloc(1, sizeof(*recorded));
	struct reader reader;
	uint32_t count = 0, read = 0;
	char line[512];

	INVARIANT(recorded);
	if (!recording_actions_begin(&reader, bytes, size, &count))
		count = 0;
	for (; read < count && recording_action_next(recorded, &reader); read++)
		recording_action_describe(node_cluster(host->node), recorded, line, sizeof(line));
	free(recorded);
	return read;
}

// What a node did, as its flight recorder keeps it, reads back; what was cut does not.
void recording_check(struct world *world, struct host *host, const struct actions *actions)
{
	struct rng rng = rng_of_step(world);
	size_t size = recording_actions_bound(actions);
	uint8_t *bytes;

	if (actions->count == 0 || rng_below(&rng, 20) > 0)
		return;
	bytes = malloc(size);
	INVARIANT(bytes);
	size = recording_actions_encode(actions, bytes, size);
	INVARIANT(size > 0);
	if (actions_read(host, bytes, size) != actions->count ||
	    actions_read(host, bytes, (size_t)rng_below(&rng, size)) >= actions->count)
		check_fail(world, host, "what was recorded reads back as something else");
	free(bytes);
}

// Its head is cut, or of no message of this version: it is dropped, and counted.
void message_spoiled(struct world *world, struct host *host, const struct event *event)
{
	enum { HEAD = 12, ONE_IN = 40 };
	const struct view *view = node_view(host->node);
	struct rng rng = rng_of_step(world);
	uint8_t head[HEAD];
	struct event garbled = *event;
	uint64_t dropped = view_dropped(view);
	uint32_t epoch = host->daemon_epoch;

	if (world->quiet || event->body_size < HEAD || rng_below(&rng, ONE_IN) > 0)
		return;
	memcpy(head, event->body, HEAD);
	garbled.body = head;
	garbled.body_size = (size_t)rng_below(&rng, HEAD);
	if (rng_chance(&rng, 50)) { // the first four bytes say what it is
		garbled.body_size = HEAD;
		head[rng_below(&rng, 4)] ^= 0x80;
	}
	world->stats[STAT_GARBLED]++;
	host_deliver(world, host, &garbled);
	if (host->daemon_epoch == epoch && host->daemon && view_dropped(view) != dropped + 1)
		check_fail(world, host, "a garbled message is not dropped");
}
