// SPDX-License-Identifier: Apache-2.0
/*
 * Stories: a sentence of why, a few commands, and the expected log behind a line of three dashes.
 *
 * Before anything is up:
 *   # why
 *   nodes 3 | vms 1 | volumes 1 | hold S | io-timeout S | unit off
 *   fence all|none|n1,n2 | watchdog all|none|n1
 *   shutdown conditional|failover|freeze|migrate
 *
 * Time:
 *   up                             power on, and wait until everything defined runs
 *   run S                          let time pass
 *   wait settle|no-quorum N        up to ten minutes
 *   wait stage VM prepare|transfer|handover|cleanup|undo|save|restore
 *   wait sending VM active|pre-switchover|device|completed          until its QEMU is
 *   wait tip STATE                 the newest one
 *
 * Troubles:
 *   power-off N.. | power-on N.. | shut-down N.. | reboot N.. | pause N S | clock N S
 *   zone N.. MINUTES               its local time is so much ahead of UTC
 *   cut n1 n2,n3 | heal | cut-moves n1 n2,n3 | heal-moves         the latter: of moves alone
 *   kill clusterd|corosync|sanlock N.. | start DAEMON N.. | store delete|fail N
 *   store snapshot|log|foreign N   what it holds is garbled, or another cluster's
 *   replica N                      what it knows is wrong
 *   store slow N MS                at most, added to each sync
 *   storage lose|hang|slow|restore N [d1] | fence-device N works|fails|slow|lies
 *   guest shutdown|silent|answers VM | qemu die|refuse|deaf VM
 *   host N WHAT [VALUE]            what it has and says of itself: story_host.c
 *
 * Administrators:
 *   <vm name="web">...             a document, applied: its lines begin with < or a blank; an
 *                                  empty line ends it
 *   rule apart|together|follow|order VM VM..       strict; the first of an order, the leader, first
 *   rule order:agent|order:PORT VM VM..            ... when the guest of the first one answers
 *   prefer VM NODE [S]             with failback, when the node was steady for so long
 *   apply VM | remove VM | remove node|volume|rule|policy/NAME
 *   vm start|stop|halt|disable|clear|manage|unmanage NAME | vm cancel NAME
 *   vm migrate|move|quick|cold|save NAME [to n2]
 *   node fence|confirm-dead|manage|unmanage NAME [at N]
 *   node drain|undrain|abort|pause|resume NAME [stay] [anyway] [stop] [for S]
 *   spoiled                        definitions that must be refused, one by one
 *   flood COUNT                    as many large ones at once, at every node
 *
 * Measurements, policies, tips:
 *   measures                       every host begins to say what it measures
 *   load VM CPU MIB [DISK NET] | heat N CPU [MIB] permille of one CPU; KiB/s each way; a host's own
 *   pressure N MEMORY IO           permille
 *   mute N on|off                  says nothing
 *   policy NAME MODE OF MEASURE AT-LEAST CLEAR HOLD-S ACTION [SCRIPT]
 *   policy on|off|run NAME | balance | tip accept|dismiss ID | scripts hang|end
 *
 * Questions, answered at once by the first node that can:
 *   explain VM | preflight VM KIND [N] | contradictions | capacity K|N [settled] | plan drain N
 *   plan balance [measured] | whatif lose|drain N.. | states | tips | moves | top N
 *   timing IO-TIMEOUT | words | quorum
 */
#include "tests/sim/spoiled.h"
#include "tests/sim/story.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clusterd/invariant.h"
#include "resources/definition_text.h"

enum { WORDS_MAX = 12, LINE_SIZE = 512 };

enum { XML_SIZE = 64 * 1024 };

struct story {
	const char *path;
	char *xml; // a document of several lines, so far
	int line;
	struct world_config config;
	struct world *world;
	bool failed;
};

static void story_fail(struct story *story, const char *why)
{
	fprintf(stderr, "%s:%d: %s\n", story->path, story->line, why);
	story->failed = true;
}

// "n1,n3", "all" or "none" as a mask.
static uint32_t hosts_of(struct story *story, const char *word)
{
	uint32_t mask = 0, count = story->config.hosts;

	if (strcmp(word, "all") == 0)
		return (1u << count) - 1;
	if (strcmp(word, "none") == 0)
		return 0;
	while (*word) {
		if (word[0] != 'n' || word[1] < '1' || (uint32_t)(word[1] - '0') > count ||
		    (word[2] && word[2] != ',')) {
			story_fail(story, "nodes are named n1, n2...");
			return 0;
		}
		mask |= 1u << (word[1] - '1');
		word += word[2] ? 3 : 2;
	}
	return mask;
}

static struct proc *proc_named(struct story *story, const char *vm, struct host **where)
{
	for (uint32_t i = 0; i < story->world->config.hosts; i++) {
		struct host *host = &story->world->hosts[i];

		for (uint32_t k = 0; k < host->proc_high; k++) {
			if (host->procs[k].state == PROC_NONE ||
			    strcmp(vm_name(host, host->procs[k].vm), vm) != 0)
				continue;
			*where = host;
			return &host->procs[k];
		}
	}
	story_fail(story, "no process of that VM is anywhere");
	return NULL;
}

static void wait_settled(struct story *story)
{
	uint64_t limit_us = story->world->now_us + SECONDS(600);
	char why[512] = "";

	while (!story->world->failed && story->world->now_us < limit_us) {
		world_run(story->world, story->world->now_us + MS(250));
		if (world_settled(story->world, why, sizeof(why)))
			return;
	}
	world_say(story->world, NULL, "not settled after 600 s: %s", why);
}

static bool move_stands(struct story *story, const char *name, const char *stage)
{
	static const char *const stages[MOVE_STAGE_COUNT] = { "asked",	 "prepare", "transfer",
							      "handover", "cleanup", "undo",
							      "save",	 "restore", "stop",
							      "start" };

	for (uint32_t i = 0; i < story->config.hosts; i++) {
		const struct host *host = &story->world->hosts[i];
		const struct cluster *cluster = host->daemon ? node_cluster(host->node) : NULL;
		const struct vm *vm = cluster ? cluster_find_vm(cluster, name) : NULL;
		const struct move *move = vm ? cluster_move(cluster, vm->move) : NULL;

		if (move && strcmp(stages[move->stage], stage) == 0)
			return true;
	}
	return false;
}

static bool qemu_stands(struct story *story, const char *name, const char *status)
{
	static const char *const statuses[MIGRATE_STATUS_COUNT] = {
		"none",	  "setup",     "active", "postcopy",  "pre-switchover",
		"device", "completed", "failed", "cancelled", "torn"
	};

	for (uint32_t i = 0; i < story->config.hosts; i++) {
		struct host *host = &story->world->hosts[i];

		for (uint32_t k = 0; k < host->proc_high; k++)
			if (host->procs[k].state != PROC_NONE &&
			    strcmp(vm_name(host, host->procs[k].vm), name) == 0 &&
			    strcmp(statuses[host->procs[k].out.status], status) == 0)
				return true;
	}
	return false;
}

// Of a move, to the half millisecond.
static bool wait_move(struct story *story, char **words)
{
	uint64_t limit_us = story->world->now_us + SECONDS(60);
	bool stage = strcmp(words[1], "stage") == 0;

	if ((!stage && strcmp(words[1], "sending") != 0) || !words[2] || !words[3])
		return false;
	while (!story->world->failed && story->world->now_us < limit_us &&
	       !(stage ? move_stands : qemu_stands)(story, words[2], words[3]))
		world_run(story->world, story->world->now_us + 500);
	if (story->world->now_us >= limit_us)
		story_fail(story, "it does not come so far within a minute");
	return true;
}

static void wait_for(struct story *story, char **words)
{
	uint64_t limit_us = story->world->now_us + SECONDS(600);

	if (strcmp(words[1], "settle") == 0) {
		wait_settled(story);
		return;
	}
	if (strcmp(words[1], "no-quorum") == 0 && words[2]) {
		uint32_t mask = hosts_of(story, words[2]);

		while (!story->world->failed && story->world->now_us < limit_us) {
			bool lost = true;

			for (uint32_t i = 0; i < story->config.hosts; i++)
				lost = lost &&
				       (!(mask >> i & 1) || !story->world->hosts[i].daemon ||
					!view_normal(node_view(story->world->hosts[i].node)));
			if (lost)
				return;
			world_run(story->world, story->world->now_us + MS(100));
		}
		return;
	}
	if (strcmp(words[1], "tip") == 0 && words[2]) {
		while (!story->world->failed && story->world->now_us < limit_us &&
		       !tip_stands(story->world, words[2]))
			world_run(story->world, story->world->now_us + MS(100));
		return;
	}
	if (wait_move(story, words))
		return;
	story_fail(story, "wait settle, wait no-quorum NODES, wait tip STATE, or wait "
			  "stage|sending VM WHICH");
}

static void story_up(struct story *story)
{
	struct world *world = story->world;
	struct host *host = NULL;

	for (uint32_t i = 0; i < world->config.hosts; i++)
		host_power_on(world, &world->hosts[i]);
	for (uint32_t i = 0; i < 120 && !host; i++) {
		world_run(world, world->now_us + SECONDS(1));
		host = normal_host(world);
	}
	if (!host) {
		world_say(world, NULL, "no view is normal after two minutes");
		return;
	}
	admin_apply_nodes(world, host, true);
	wait_settled(story);
	world_run(world, (world->now_us / SECONDS(10) + 1) * SECONDS(10));
	world->story_zero_us = world->now_us;
	world->story_used = 0; // how it came up is the same in every story
	world_say(world, NULL, "all is well");
}

static bool daemon_command(struct story *story, char **words, bool kill)
{
	struct world *world = story->world;
	uint32_t mask = words[2] ? hosts_of(story, words[2]) : 0;

	for (uint32_t i = 0; i < world->config.hosts; i++) {
		struct host *host = &world->hosts[i];

		if (!(mask >> i & 1))
			continue;
		if (strcmp(words[1], "clusterd") == 0) {
			if (kill)
				daemon_kill(world, host);
			else
				daemon_start(world, host);
		} else if (strcmp(words[1], "corosync") == 0) {
			if (kill)
				corosync_kill(world, host);
			else
				corosync_start(world, host);
		} else if (strcmp(words[1], "sanlock") == 0) {
			if (kill)
				sanlock_kill(world, host);
			else
				sanlock_start(world, host);
		} else {
			return false;
		}
	}
	return mask != 0;
}

static bool power_command(struct story *story, char **words)
{
	struct world *world = story->world;
	bool on = strcmp(words[0], "power-on") == 0;
	uint32_t mask = words[1] ? hosts_of(story, words[1]) : 0;

	for (uint32_t i = 0; i < world->config.hosts; i++) {
		if (!(mask >> i & 1))
			continue;
		if (on)
			host_power_on(world, &world->hosts[i]);
		else
			host_power_off(world, &world->hosts[i], "cut");
	}
	return mask != 0;
}

// The host of a reboot comes back when the story says so.
static bool shutdown_command(struct story *story, char **words)
{
	enum host_leaving leaving = strcmp(words[0], "reboot") == 0 ? LEAVING_REBOOT : LEAVING_OFF;
	uint32_t mask = words[1] ? hosts_of(story, words[1]) : 0;

	for (uint32_t i = 0; i < story->config.hosts; i++)
		if (mask >> i & 1)
			daemon_end(story->world, &story->world->hosts[i], leaving);
	return mask != 0;
}

static bool link_command(struct story *story, char **words)
{
	struct world *world = story->world;
	bool up = strcmp(words[0], "heal") == 0;
	uint32_t a = up ? 0 : words[1] ? hosts_of(story, words[1]) : 0;
	uint32_t b = up || !words[1] || !words[2] ? 0 : hosts_of(story, words[2]);

	for (uint32_t i = 0; i < world->config.hosts; i++) {
		for (uint32_t j = 0; j < world->config.hosts; j++) {
			if (i != j && (up || ((a >> i & 1) && (b >> j & 1)) ||
				       ((b >> i & 1) && (a >> j & 1))))
				corosync_link(world, i, j, up);
		}
	}
	return up || (a && b);
}

static bool host_command(struct story *story, char **words)
{
	static const struct {
		const char *word;
		enum path_state state;
	} states[] = { { "lose", PATH_LOST },
		       { "hang", PATH_HUNG },
		       { "slow", PATH_SLOW },
		       { "restore", PATH_OK } };
	static const struct {
		const char *word;
		enum fence_mode mode;
	} modes[] = { { "works", FENCE_WORKS },
		      { "slow", FENCE_SLOW },
		      { "fails", FENCE_FAILS },
		      { "lies", FENCE_LIES } };
	bool storage = strcmp(words[0], "storage") == 0,
	     device = strcmp(words[0], "fence-device") == 0;
	uint32_t mask =
		words[1] && words[2]
			? hosts_of(story,
				   storage || strcmp(words[0], "store") == 0 ? words[2] : words[1])
			: 0;
	bool known = false;

	for (uint32_t i = 0; i < story->world->config.hosts; i++) {
		struct host *host = &story->world->hosts[i];

		if (!(mask >> i & 1))
			continue;
		for (uint32_t k = 0; k < 4; k++) {
			if (storage && strcmp(words[1], states[k].word) == 0) {
				known = true;
				for (uint32_t d = 0; d < story->world->config.disks; d++)
					if (!words[3] || strtoul(words[3] + 1, NULL, 10) == d)
						path_set(story->world, host, d, states[k].state);
			}
			if (device && strcmp(words[2], modes[k].word) == 0) {
				known = true;
				host->fence_mode = (uint8_t)modes[k].mode;
			}
		}
		if (strcmp(words[0], "pause") == 0) {
			known = true;
			host_pause(story->world, host, SECONDS(strtoull(words[2], NULL, 10)));
		} else if (strcmp(words[0], "clock") == 0) {
			known = true;
			host_clock_step(story->world, host, strtoll(words[2], NULL, 10) * 1000);
		} else if (strcmp(words[0], "zone") == 0) {
			known = true;
			host->ahead_min = (int16_t)strtol(words[2], NULL, 10);
		} else if (strcmp(words[0], "store") == 0) {
			known = true;
			if (strcmp(words[1], "delete") == 0)
				store_lose(story->world, host);
			else if (strcmp(words[1], "slow") == 0)
				host->store.slow_us =
					words[3] ? MS(strtoull(words[3], NULL, 10)) : 0;
			else if (strcmp(words[1], "fail") == 0)
				store_fail(story->world, host);
			else
				known = store_spoil(host, words[1]);
		}
	}
	return known;
}

static bool move_link_command(struct story *story, char **words)
{
	bool up = strcmp(words[0], "heal-moves") == 0;
	uint32_t a = up ? UINT32_MAX : words[1] ? hosts_of(story, words[1]) : 0;
	uint32_t b = up ? UINT32_MAX : words[1] && words[2] ? hosts_of(story, words[2]) : 0;

	for (uint32_t i = 0; i < story->config.hosts; i++)
		for (uint32_t j = 0; j < story->config.hosts; j++)
			if (i != j && (a >> i & 1) && (b >> j & 1))
				move_link(story->world, i, j, up);
	return a && b;
}

static bool qemu_command(struct story *story, char **words)
{
	struct host *host = NULL;
	struct proc *proc;

	if (!words[1] || !words[2])
		return false;
	if (strcmp(words[1], "refuse") == 0) {
		story->world->refuse = strcmp(words[2], "never") != 0;
		return true;
	}
	if (strcmp(words[1], "silent") == 0 || strcmp(words[1], "answers") == 0) {
		uint64_t bit = UINT64_C(1) << strtoul(words[2] + 2, NULL, 10);

		story->world->silent &= ~bit;
		story->world->silent |= words[1][0] == 's' ? bit : 0;
		return true;
	}
	proc = proc_named(story, words[2], &host);
	if (!proc)
		return true;
	if (strcmp(words[0], "guest") == 0)
		qemu_guest_shutdown(story->world, host, proc);
	else if (strcmp(words[1], "deaf") == 0)
		proc->deaf = true;
	else
		qemu_die(story->world, host, proc);
	return true;
}

static bool config_command(struct story *story, char **words)
{
	struct world_config *config = &story->config;
	uint32_t number = words[1] ? (uint32_t)strtoul(words[1], NULL, 10) : 0;

	if (!words[1])
		return false;
	if (strcmp(words[0], "nodes") == 0 && number >= 2 && number <= SIM_HOSTS_MAX)
		config->hosts = number;
	else if (strcmp(words[0], "vms") == 0 && number < SIM_VMS_MAX)
		config->vms = number;
	else if (strcmp(words[0], "volumes") == 0 && number >= 1 && number <= DISKS_MAX)
		config->disks = number;
	else if (strcmp(words[0], "hold") == 0)
		config->no_quorum_hold_s = number;
	else if (strcmp(words[0], "io-timeout") == 0 && number > 0)
		config->io_timeout_s = number;
	else if (strcmp(words[0], "fence") == 0)
		config->fences = hosts_of(story, words[1]);
	else if (strcmp(words[0], "watchdog") == 0)
		config->watchdogs = hosts_of(story, words[1]);
	else if (strcmp(words[0], "shutdown") == 0)
		return word_parse(shutdown_policy_words, words[1], &config->shutdown);
	else if (strcmp(words[0], "unit") == 0)
		config->unit_kills = strcmp(words[1], "off") != 0;
	else
		return false;
	return true;
}

static bool rule_command(struct world *world, char **words)
{
	static const struct {
		char word[12];
		enum rule_kind kind;
		enum rule_role first, others;
	} kinds[] = {
		{ "apart", RULE_APART, ROLE_MEMBER, ROLE_MEMBER },
		{ "together", RULE_TOGETHER, ROLE_MEMBER, ROLE_MEMBER },
		{ "follow", RULE_FOLLOW, ROLE_LEADER, ROLE_MEMBER },
		{ "order", RULE_ORDER, ROLE_FIRST, ROLE_THEN },
	};
	struct rule_def rule = {
		.strict = true, .enabled = true, .symmetric = true, .weight = 100, .at_once = 1
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t length = strcspn(words[1], ":");

		if (strlen(kinds[i].word) != length ||
		    strncmp(kinds[i].word, words[1], length) != 0)
			continue;
		rule.kind = (uint8_t)kinds[i].kind;
		if (words[1][length]) {
			rule.up_value = (uint32_t)strtoul(words[1] + length + 1, NULL, 10);
			rule.up = rule.up_value ? UP_TCP : UP_AGENT;
		}
		snprintf(rule.name, sizeof(rule.name), "%s-%s", words[1], words[2]);
		rule.name[length] = '-';
		for (uint32_t k = 2; words[k] && rule.member_count < WORDS_MAX; k++) {
			struct rule_member *member = &rule.members[rule.member_count++];

			snprintf(member->name, sizeof(member->name), "%s", words[k]);
			member->role = (uint8_t)(k == 2 ? kinds[i].first : kinds[i].others);
		}
		return admin_apply_rule(world, normal_host(world), &rule);
	}
	return false;
}

static bool world_command(struct story *story, char **words)
{
	const char *verb = words[0];
	struct world *world = story->world;

	if (strcmp(verb, "up") == 0)
		story_up(story);
	else if (strcmp(verb, "run") == 0 && words[1])
		world_run(world, world->now_us + (uint64_t)(strtod(words[1], NULL) * 1e6));
	else if (strcmp(verb, "wait") == 0 && words[1])
		wait_for(story, words);
	else if (strcmp(verb, "power-off") == 0 || strcmp(verb, "power-on") == 0)
		return power_command(story, words);
	else if (strcmp(verb, "shut-down") == 0 || strcmp(verb, "reboot") == 0)
		return shutdown_command(story, words);
	else if (strcmp(verb, "cut") == 0 || strcmp(verb, "heal") == 0)
		return link_command(story, words);
	else if ((strcmp(verb, "kill") == 0 || strcmp(verb, "start") == 0) && words[1])
		return daemon_command(story, words, verb[0] == 'k');
	else if (strcmp(verb, "storage") == 0 || strcmp(verb, "store") == 0 ||
		 strcmp(verb, "pause") == 0 || strcmp(verb, "clock") == 0 ||
		 strcmp(verb, "zone") == 0 || strcmp(verb, "fence-device") == 0)
		return host_command(story, words);
	else if (strcmp(verb, "rule") == 0 && words[1] && words[2] && normal_host(world))
		return rule_command(world, words);
	else if (strcmp(verb, "prefer") == 0 && words[1] && words[2] && normal_host(world))
		return admin_prefer(world, normal_host(world), (uint32_t)atoi(words[1] + 2),
				    words[2], words[3] ? (uint32_t)atoi(words[3]) : 0);
	else if (strcmp(verb, "apply") == 0 && words[1] && normal_host(world))
		return admin_apply_vm(world, normal_host(world),
				      (uint32_t)strtoul(words[1] + 2, NULL, 10));
	else if (normal_host(world) && tip_command(world, normal_host(world), words))
		return true;
	else if (strcmp(verb, "replica") == 0)
		return replica_spoil(world, words[1]);
	else if (strcmp(verb, "words") == 0)
		story_words(world);
	else if (strcmp(verb, "host") == 0)
		return host_has(world, words);
	else if (strcmp(verb, "flood") == 0 && words[1])
		spoiled_flood(world, (uint32_t)strtoul(words[1], NULL, 10));
	else if (strcmp(verb, "spoiled") == 0 && normal_host(world))
		spoiled_tell(world, normal_host(world));
	else if (normal_host(world) && ask_command(world, normal_host(world), words))
		return true;
	else if (strcmp(verb, "cut-moves") == 0 || strcmp(verb, "heal-moves") == 0)
		return move_link_command(story, words);
	else if ((strcmp(verb, "vm") == 0 || strcmp(verb, "node") == 0) && words[1] &&
		 move_command(world, words))
		return true;
	else if ((strcmp(verb, "vm") == 0 || strcmp(verb, "node") == 0 ||
		  strcmp(verb, "remove") == 0) &&
		 words[1])
		return vm_command(world, words);
	else if (strcmp(verb, "top") == 0 && words[1] && hosts_of(story, words[1]))
		measure_say(world, &world->hosts[words[1][1] - '1']);
	else if (strcmp(verb, "guest") == 0 || strcmp(verb, "qemu") == 0)
		return qemu_command(story, words);
	else
		return false;
	return true;
}

// What administrators do is no trouble that could excuse an error.
static bool story_harmless(const char *word)
{
	static const char *const words[] = {
		"up",	   "run",	"wait",		  "vm",	       "node",	 "apply",
		"remove",  "rule",	"prefer",	  "shut-down", "reboot", "spoiled",
		"explain", "preflight", "contradictions", "capacity",  "plan",	 "whatif",
		"states",  "tips",	"moves",	  "timing",    "words",  "quorum",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

// A document begins with an element and goes on over the lines that begin with one, or with a
// blank.
static bool story_xml(struct story *story, const char *line)
{
	size_t used = story->xml ? strlen(story->xml) : 0;
	bool more = line[0] == '<' || (used > 0 && (line[0] == ' ' || line[0] == '\t'));

	if (more) {
		if (!story->xml)
			story->xml = calloc(1, XML_SIZE);
		INVARIANT(story->xml);
		snprintf(story->xml + used, XML_SIZE - used, "%s\n", line);
		return true;
	}
	if (used == 0)
		return false;
	if (!story->world || !normal_host(story->world))
		story_fail(story, "nobody is there to define that");
	else if (!story_define(story->world, normal_host(story->world), story->path, story->xml))
		story_fail(story, "the schema clusterd.rng is not to be found");
	story->xml[0] = 0;
	return false;
}

static void story_line(struct story *story, char *line)
{
	char *words[WORDS_MAX + 1] = { NULL }, *rest = NULL, text[LINE_SIZE];
	uint32_t count = 0;

	if (story_xml(story, line))
		return;
	snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok_r(line, " \t\n", &rest); word && count < WORDS_MAX;
	     word = strtok_r(NULL, " \t\n", &rest))
		words[count++] = word;
	if (count == 0 || words[0][0] == '#')
		return;
	if (!story->world && config_command(story, words))
		return;
	if (!story->world)
		story->world = world_new(&story->config, 1, NULL);
	story->world->story = true;
	text[strcspn(text, "\n")] = 0;
	if (strcmp(words[0], "up") != 0)
		world_say(story->world, NULL, "> %s", text);
	if (!story_harmless(words[0]))
		world_fault(story->world);
	if (!world_command(story, words))
		story_fail(story, "not a command, or nothing that it could be done to");
}

static bool story_compare(const struct story *story, const char *expected)
{
	const char *found =
		story->world && story->world->story_text ? story->world->story_text : "";
	int line = 1;

	if (strcmp(expected, found) == 0)
		return true;
	while (*expected && *expected == *found) {
		line += *expected == '\n';
		expected++;
		found++;
	}
	while (line > 1 && expected[-1] != '\n') {
		expected--;
		found--;
	}
	fprintf(stderr, "%s: line %d of the log differs\n  expected: %.*s\n  found:    %.*s\n",
		story->path, line, (int)strcspn(expected, "\n"), expected,
		(int)strcspn(found, "\n"), found);
	return false;
}

static char *file_read(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text;
	size_t size;

	if (!file)
		return NULL;
	text = calloc(1, 4 * 1024 * 1024);
	INVARIANT(text);
	size = fread(text, 1, 4 * 1024 * 1024 - 1, file);
	text[size] = 0;
	fclose(file);
	return text;
}

static bool story_write(const struct story *story, const char *script, size_t script_size)
{
	FILE *file = fopen(story->path, "w");

	if (!file)
		return false;
	fwrite(script, 1, script_size, file);
	fputs("---\n", file);
	if (story->world && story->world->story_text)
		fwrite(story->world->story_text, 1, story->world->story_used, file);
	return fclose(file) == 0;
}

int story_run(const char *path, bool update)
{
	struct story story = {
		.path = path,
		.config = { .hosts = 3,
			    .vms = 1,
			    .disks = 1,
			    .io_timeout_s = 1,
			    .detection_us = MS(2080),
			    .no_quorum_hold_s = 60,
			    .unit_kills = true,
			    .story = true },
	};
	char *text = file_read(path), *expected, *at;
	size_t script_size;
	bool good;

	if (!text) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	expected = strstr(text, "---\n");
	script_size = expected ? (size_t)(expected - text) : strlen(text);
	for (at = text; at < text + script_size && !story.failed;) {
		char line[LINE_SIZE];
		size_t length = strcspn(at, "\n");

		story.line++;
		snprintf(line, sizeof(line), "%.*s",
			 (int)(length < LINE_SIZE ? length : LINE_SIZE - 1), at);
		story_line(&story, line);
		at += length + 1;
	}
	if (!story.failed)
		story_line(&story, (char[]){ "#" });
	free(story.xml);
	good = !story.failed && !(story.world && story.world->failed);
	if (story.world && story.world->failed)
		fprintf(stderr, "%s: %s\n", path, story.world->failure);
	if (good && update && !story_write(&story, text, script_size)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		good = false;
	} else if (good && !update) {
		good = story_compare(&story, expected ? expected + 4 : "");
	}
	if (story.world)
		world_free(story.world);
	free(text);
	return good ? 0 : 1;
}
