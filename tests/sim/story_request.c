// SPDX-License-Identifier: Apache-2.0
// What administrators of stories ask for: wishes about VMs and nodes, moves, drains, removals.
#include <stdlib.h>
#include <string.h>

#include "clusterd/invariant.h"
#include "tests/sim/story.h"

struct host *normal_host(struct world *world)
{
	for (uint32_t i = 0; i < world->config.hosts; i++)
		if (world->hosts[i].daemon && view_normal(node_view(world->hosts[i].node)))
			return &world->hosts[i];
	return NULL;
}

// remove VM, remove node|volume|rule|policy/NAME
static void removal(struct entry *entry, const char *what)
{
	static const char *const kinds[OBJECT_KIND_COUNT] = { "",   "node", "volume",
							      "vm", "rule", "policy" };
	const char *slash = strchr(what, '/');

	entry->type = ENTRY_REMOVE;
	entry->object = OBJECT_VM;
	for (uint8_t i = 1; slash && i < OBJECT_KIND_COUNT; i++)
		if (strlen(kinds[i]) == (size_t)(slash - what) &&
		    strncmp(kinds[i], what, (size_t)(slash - what)) == 0)
			entry->object = i;
	snprintf(entry->name, sizeof(entry->name), "%s", slash ? slash + 1 : what);
}

bool vm_command(struct world *world, char **words)
{
	static const struct {
		const char *word;
		uint8_t type, wanted;
		bool flag;
	} verbs[] = {
		{ "start", ENTRY_VM_WANT, VM_WANTED_RUNNING, false },
		{ "stop", ENTRY_VM_WANT, VM_WANTED_STOPPED, false },
		{ "disable", ENTRY_VM_WANT, VM_WANTED_DISABLED, false },
		{ "clear", ENTRY_VM_CLEAR, 0, false },
		{ "manage", ENTRY_VM_MANAGE, 0, true },
		{ "unmanage", ENTRY_VM_MANAGE, 0, false },
		{ "halt", ENTRY_VM_WANT, VM_WANTED_STOPPED, true },
		{ "fence", ENTRY_NODE_FENCE, 0, false },
		{ "confirm-dead", ENTRY_NODE_CONFIRM_DEAD, 0, false },
	};
	struct host *host = normal_host(world);
	struct entry *entry = calloc(1, sizeof(*entry));
	uint32_t i;

	INVARIANT(entry);
	if (words[3] && words[4] && strcmp(words[3], "at") == 0)
		host = &world->hosts[words[4][1] - '1'];
	if (strcmp(words[0], "remove") == 0) {
		removal(entry, words[1]);
	} else {
		for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
			if (strcmp(words[1], verbs[i].word) == 0)
				break;
		if (i < sizeof(verbs) / sizeof(verbs[0]) && words[2]) {
			entry->type = verbs[i].type;
			if (strcmp(words[0], "node") == 0 && entry->type == ENTRY_VM_MANAGE)
				entry->type = ENTRY_NODE_MANAGE;
			entry->wanted = verbs[i].wanted;
			entry->flag = verbs[i].flag;
			snprintf(entry->name, sizeof(entry->name), "%s", words[2]);
		}
	}
	if (entry->type && host)
		admin_request(world, host, entry);
	else if (entry->type)
		world_say(world, NULL, "nobody has quorum to ask");
	i = entry->type;
	free(entry);
	return i != 0;
}

// node drain|undrain|abort|pause|resume NAME [stay] [anyway] [stop] [for S]
static bool drain_command(struct world *world, struct host *host, char **words)
{
	static const char *const verbs[DRAIN_VERB_COUNT] = {
		[DRAIN_ON] = "drain",	 [DRAIN_OFF] = "undrain",   [DRAIN_ABORT] = "abort",
		[DRAIN_PAUSE] = "pause", [DRAIN_RESUME] = "resume",
	};
	struct entry *entry = calloc(1, sizeof(*entry));
	bool known = false;

	INVARIANT(entry);
	entry->type = ENTRY_NODE_DRAIN;
	entry->flag = true;
	snprintf(entry->name, sizeof(entry->name), "%s", words[2]);
	for (uint32_t i = 3; words[i]; i++) {
		entry->flag = entry->flag && strcmp(words[i], "stay") != 0;
		entry->drain_anyway |= strcmp(words[i], "anyway") == 0;
		entry->drain_stop |= strcmp(words[i], "stop") == 0;
		if (strcmp(words[i], "for") == 0 && words[i + 1])
			entry->until_ms = SIM_WALL_MS + world->now_us / 1000 +
					  strtoull(words[i + 1], NULL, 10) * 1000;
	}
	for (uint8_t i = 0; i < DRAIN_VERB_COUNT; i++) {
		if (strcmp(words[1], verbs[i]) != 0)
			continue;
		entry->drain_verb = i;
		known = admin_request(world, host, entry);
	}
	free(entry);
	return known;
}

// vm migrate|quick|cold|save NAME [to n2], vm cancel NAME
bool move_command(struct world *world, char **words)
{
	static const struct {
		const char *word;
		enum move_kind kind;
	} kinds[] = { { "migrate", MOVE_LIVE },
		      { "move", MOVE_AUTO },
		      { "quick", MOVE_QUICK },
		      { "cold", MOVE_COLD },
		      { "save", MOVE_SAVE } };
	struct host *host = normal_host(world);
	struct entry *entry;
	bool known = false;

	if (!words[1] || !words[2] || !host)
		return false;
	if (strcmp(words[0], "node") == 0)
		return drain_command(world, host, words);
	entry = calloc(1, sizeof(*entry));
	INVARIANT(entry);
	entry->actor = SLOT_NONE;
	snprintf(entry->name, sizeof(entry->name), "%s", words[2]);
	if (strcmp(words[1], "cancel") == 0) {
		entry->type = ENTRY_MOVE_CANCEL;
		known = true;
	}
	for (uint32_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct cluster_node *to =
			words[3] && words[4] ? cluster_find_node(node_cluster(host->node), words[4])
					     : NULL;

		if (strcmp(words[1], kinds[i].word) != 0)
			continue;
		entry->type = ENTRY_MOVE_REQUEST;
		entry->move_kind = (uint8_t)kinds[i].kind;
		entry->actor = to ? node_slot(node_cluster(host->node), to) : SLOT_NONE;
		known = true;
	}
	if (known)
		admin_request(world, host, entry);
	free(entry);
	return known;
}
