// SPDX-License-Identifier: Apache-2.0
#include "clusterd/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define O(option) (1u << OPTION_##option)
#define WAITS (O(NO_WAIT) | O(TIMEOUT))
#define ASKS O(YES)

const struct command_option command_options[OPTION_COUNT] = {
	[OPTION_WATCH] = { "--watch", NULL, "show it again every second, until interrupted" },
	[OPTION_DRY_RUN] = { "--dry-run", NULL, "say what would become of it, and change nothing" },
	[OPTION_FORCE] = { "--force", NULL, "do it although something that runs ends by it" },
	[OPTION_FOLLOW] = { "--follow", NULL, "go on with what happens from now on" },
	[OPTION_SINCE] = { "--since", "T",
			   "only from T on: 10min, 2h, 1d ago, or \"2026-11-20 09:30\"" },
	[OPTION_ON] = { "--on", "NODE", "this node alone" },
	[OPTION_YES] = { "--yes", NULL, "do not ask" },
	[OPTION_NO_WAIT] = { "--no-wait", NULL, "return as soon as the change is committed" },
	[OPTION_TIMEOUT] = { "--timeout", "TIME",
			     "wait no longer than that (30s, 5min); the work goes on" },
	[OPTION_ACCEPT_LOSS] = { "--accept-loss", NULL, "say that changes may be lost" },
	[OPTION_STATE] = { "--state", NULL, "the whole state, which `whatif --from` reads" },
	[OPTION_FROM] = { "--from", "DUMP",
			  "ask a file that `dump --state` made, without any daemon" },
	[OPTION_TO] = { "--to", "NODE", "to this node" },
	[OPTION_NODE] = { "--node", "NAME", "this node's name, where it cannot be found out" },
	[OPTION_CA] = { "--ca", "FILE",
			"the cluster-ca.pem of another node; \"-\" is standard input" },
	[OPTION_DAYS] = { "--days", "N", "the certificates last so long [730]" },
	[OPTION_FAILURES] = { "--failures", "K",
			      "so many nodes at once, 1 or 2 [as the cluster says]" },
	[OPTION_DIR] = { "--dir", "DIR", "the certificates' folder [" CLUSTERD_CONFIG_DIR "/pki]" },
	[OPTION_LIVE] = { "--live", NULL, "its memory goes over the network while it runs" },
	[OPTION_QUICK] = { "--quick", NULL, "saved to its volume and restored there" },
	[OPTION_COLD] = { "--cold", NULL, "shut down, and started there" },
	[OPTION_ALL] = { "--all", NULL, "also those that are over" },
	[OPTION_STAY] = { "--stay", NULL, "those that left stay where they are" },
	[OPTION_RETURN] = { "--return", NULL, "those that left come back" },
	[OPTION_FOR] = { "--for", "TIME", "it ends by itself after that (2h)" },
	[OPTION_SORT] = { "--sort", "KEY", "the most of it first: cpu, mem, disk, net, or name" },
	[OPTION_CPU] = { "--cpu", NULL, "what the processors differ in" },
	[OPTION_SHUTDOWN] = { "--shutdown", NULL, "VMs that cannot leave are shut down, and wait" },
};

const struct command commands[COMMAND_COUNT] = {
	[COMMAND_STATUS] = { "", "status", "", 0, 0, O(WATCH), "", "the whole cluster at a glance",
			     "" },
	[COMMAND_TOP] = { "", "top", "", 0, 0, O(SORT) | O(WATCH), "",
			  "what nodes and VMs use now, the busiest first",
			  "On a terminal a screen that is renewed: c, m, d, n and a sort by CPU, "
			  "memory, disk, network\n"
			  "and name, q ends. In a pipe it is text, once.\n" },
	[COMMAND_APPLY] = { "", "apply", "FILE...", 1, ARGUMENTS_ANY, O(DRY_RUN) | O(FORCE), "file",
			    "define what the XML files say, all of it or nothing",
			    "\"-\" is standard input. What the files do not name stays as it "
			    "is.\n" },
	[COMMAND_CHECK] = { "", "check", "FILE...", 1, ARGUMENTS_ANY, 0, "file",
			    "look for mistakes in XML files, without a daemon", "" },
	[COMMAND_DUMP] = { "", "dump", "[KIND[/NAME]]", 0, 1, O(STATE), "object",
			   "the configuration as XML that `apply` takes back",
			   "KIND is cluster, node, volume, vm, rule or policy. With --state it is "
			   "everything "
			   "that "
			   "the cluster knows,\n"
			   "placement included, as JSON for `clustadm whatif --from`.\n" },
	[COMMAND_REMOVE] = { "", "remove", "KIND/NAME", 1, 1, ASKS, "object",
			     "forget a node, volume, VM, rule or policy; disks stay", "" },
	[COMMAND_EVENTS] = { "", "events", "", 0, 0, O(FOLLOW) | O(SINCE), "",
			     "what happened, as this node saw it", "" },
	[COMMAND_QUORUM] = { "", "quorum", "", 0, 0, 0, "",
			     "views, voters, and whether changes are possible", "" },
	[COMMAND_CAPACITY] = { "", "capacity", "", 0, 0, O(FAILURES), "",
			       "whether every VM finds a home when nodes fail",
			       "It tries each loss with the placement that a loss would meet. It "
			       "fails when one is not stood.\n" },
	[COMMAND_BALANCE] = { "", "balance", "", 0, 0, O(DRY_RUN) | WAITS, "",
			      "move VMs live until the nodes are used alike",
			      "Every rule and wish is followed at each step. What moves, what that "
			      "gains and why is a tip\n"
			      "(`tips show`), accepted at once; --dry-run says it beforehand.\n" },
	[COMMAND_RECOVER] = { "", "recover", "", 0, 0, O(ACCEPT_LOSS) | ASKS, "",
			      "continue when a majority of the stores is gone for good",
			      "Changes that were acknowledged may be lost with the missing stores. "
			      "Be sure that they never\n"
			      "come back with nodes that run VMs.\n" },
	[COMMAND_VM_LIST] = { "vm", "list", "", 0, 0, 0, "", "every VM: state, wanted state, node",
			      "" },
	[COMMAND_VM_SHOW] = { "vm", "show", "N", 1, 1, 0, "vm", "everything about one VM", "" },
	[COMMAND_VM_START] = { "vm", "start", "N", 1, 1, WAITS, "vm",
			       "want it running, and wait until it does", "" },
	[COMMAND_VM_STOP] = { "vm", "stop", "N", 1, 1, O(FORCE) | WAITS, "vm",
			      "ask its guest to shut down; end it at its stop timeout",
			      "With --force it is ended at once.\n" },
	[COMMAND_VM_DISABLE] = { "vm", "disable", "N", 1, 1, WAITS, "vm",
				 "stop it, and leave it alone then", "" },
	[COMMAND_VM_MANAGE] = { "vm", "manage", "N", 1, 1, 0, "vm", "look after it again", "" },
	[COMMAND_VM_UNMANAGE] = { "vm", "unmanage", "N", 1, 1, 0, "vm",
				  "do nothing about it, whatever happens to it", "" },
	[COMMAND_VM_CLEAR] = { "vm", "clear", "N", 1, 1, 0, "vm",
			       "forget its failures and try again", "" },
	[COMMAND_VM_EXPLAIN] = { "vm", "explain", "N", 1, 1, O(ON), "vm",
				 "why it is where it is, and what would change that", "" },
	[COMMAND_VM_PREFLIGHT] = { "vm", "preflight", "N", 1, 1, O(TO), "vm",
				   "which nodes it could move to, and why not to others",
				   "Exit status 1 when it could move to none, or not to the one "
				   "given.\n" },
	[COMMAND_VM_CONSOLE] = { "vm", "console", "N", 1, 1, 0, "vm",
				 "its serial console; Ctrl-] ends", "" },
	[COMMAND_VM_MIGRATE] = { "vm", "migrate", "N", 1, 1,
				 O(TO) | O(LIVE) | O(QUICK) | O(COLD) | WAITS, "vm",
				 "move it to another node",
				 "Without --to the policy chooses, without a kind it is moved "
				 "live. What cannot be moved is\n"
				 "refused with the reason and the smallest fix, and nothing has "
				 "been touched.\n" },
	[COMMAND_VM_CANCEL] = { "vm", "cancel", "N", 1, 1, WAITS, "vm",
				"end its move; it runs on where it was",
				"Possible until it runs on its target.\n" },
	[COMMAND_VM_SAVE] = { "vm", "save", "N", 1, 1, WAITS, "vm",
			      "write its memory to its volume, and end it", "" },
	[COMMAND_VM_RESTORE] = { "vm", "restore", "N", 1, 1, WAITS, "vm",
				 "let it go on from its saved memory", "" },
	[COMMAND_MOVES] = { "", "moves", "", 0, 0, O(ALL), "",
			    "what is being moved, and what it took", "" },
	[COMMAND_NODE_MAINTENANCE] = { "node", "maintenance",
				       "N [on|off|status|pause|resume|abort]", 1, 2,
				       O(STAY) | O(RETURN) | O(DRY_RUN) | O(FOR) | O(FORCE) |
					       O(SHUTDOWN) | WAITS,
				       "node",
				       "empty it and keep it empty, without anyone noticing",
				       "on: its VMs leave, as each one's on-drain says; off: it "
				       "takes VMs again. pause begins no\n"
				       "more moves, abort gives the drain up. --dry-run shows the "
				       "plan and changes nothing.\n"
				       "--force empties it although the rest would have no quorum "
				       "or no room without it.\n" },
	[COMMAND_NODE_LIST] = { "node", "list", "", 0, 0, O(CPU), "",
				"every node: state, VMs, memory", "" },
	[COMMAND_NODE_SHOW] = { "node", "show", "N", 1, 1, 0, "node", "everything about one node",
				"" },
	[COMMAND_NODE_MANAGE] = { "node", "manage", "N", 1, 1, 0, "node", "let it have VMs again",
				  "" },
	[COMMAND_NODE_UNMANAGE] = { "node", "unmanage", "N", 1, 1, 0, "node",
				    "give it no new VMs; those that run there stay", "" },
	[COMMAND_NODE_FENCE] = { "node", "fence", "N", 1, 1, ASKS | WAITS, "node",
				 "switch its power off through its fence device", "" },
	[COMMAND_NODE_CONFIRM_DEAD] = { "node", "confirm-dead", "N", 1, 1, ASKS | WAITS, "node",
					"say that a lost node is off: its VMs start elsewhere",
					"Refused while the node still renews its host id on a "
					"volume. A node that was not off after\n"
					"all and whose VMs were started elsewhere destroys their "
					"disks.\n" },
	[COMMAND_VOLUME_LIST] = { "volume", "list", "", 0, 0, 0, "",
				  "every volume and how each node sees it", "" },
	[COMMAND_VOLUME_SHOW] = { "volume", "show", "N", 1, 1, 0, "volume",
				  "everything about one volume", "" },
	[COMMAND_POLICY_LIST] = { "policy", "list", "", 0, 0, 0, "",
				  "every PRO policy: condition, action, mode", "" },
	[COMMAND_POLICY_SHOW] = { "policy", "show", "N", 1, 1, 0, "policy",
				  "one policy, and how its predictions held", "" },
	[COMMAND_POLICY_ENABLE] = { "policy", "enable", "N", 1, 1, 0, "policy",
				    "let it look; its automatic mode is no longer suspended", "" },
	[COMMAND_POLICY_DISABLE] = { "policy", "disable", "N", 1, 1, 0, "policy",
				     "let it do nothing; its open tips close", "" },
	[COMMAND_POLICY_RUN] = { "policy", "run", "N", 1, 1, WAITS, "policy",
				 "do now what it would do, without its hold time",
				 "Its condition, its minimum gain and the VMs' rest still count: a "
				 "second run right after does\n"
				 "nothing.\n" },
	[COMMAND_TIPS_LIST] = { "tips", "list", "", 0, 0, 0, "",
				"what the policies advise, and what became of it", "" },
	[COMMAND_TIPS_SHOW] = { "tips", "show", "ID", 1, 1, 0, "tip",
				"one tip: evidence, plan, benefit, cost", "" },
	[COMMAND_TIPS_ACCEPT] = { "tips", "accept", "ID", 1, 1, WAITS, "tip", "do what it advises",
				  "" },
	[COMMAND_TIPS_DISMISS] = { "tips", "dismiss", "ID", 1, 1, 0, "tip",
				   "not now; nothing more of it begins", "" },
	[COMMAND_CERT_INIT] = { "cert", "init", "", 0, 0,
				O(CA) | O(NODE) | O(DAYS) | O(FORCE) | O(DIR), "",
				"make the authority, and this node's certificates",
				"On the first node it makes the authority, cluster-ca.pem; the "
				"other nodes are given that file\n"
				"(--ca) and make their own certificates. Needs no running daemon. "
				"With --force an authority\n"
				"that is there is replaced: certificates of the two do not trust "
				"each other.\n" },
	[COMMAND_CERT_SHOW] = { "cert", "show", "", 0, 0, O(DIR), "",
				"this node's certificates and when they end", "" },
	[COMMAND_CERT_RENEW] = { "cert", "renew", "", 0, 0, O(NODE) | O(DAYS) | O(FORCE) | O(DIR),
				 "", "new certificates for this node, by the same authority",
				 "They are used from the next connection on; nothing is restarted. "
				 "With --force their keys\n"
				 "are new as well.\n" },
	[COMMAND_WHATIF_NODE_LOSS] = { "whatif", "node-loss", "NODE...", 1, ARGUMENTS_ANY, O(FROM),
				       "node", "what becomes of the VMs if these nodes lose power",
				       "Nothing is changed. Fence devices are taken to work.\n" },
	[COMMAND_WHATIF_MAINTENANCE] = { "whatif", "maintenance", "NODE", 1, 1, O(FROM), "node",
					 "where the VMs of a node would go, and which could not",
					 "" },
	[COMMAND_WHATIF_APPLY] = { "whatif", "apply", "FILE...", 1, ARGUMENTS_ANY, O(FROM), "file",
				   "what applying the XML files would change and lead to", "" },
	[COMMAND_WHATIF_MIGRATE] = { "whatif", "migrate", "VM", 1, 1, O(FROM) | O(TO), "vm",
				     "which nodes could take a VM, and why others could not", "" },
	[COMMAND_WHATIF_BALANCE] = { "whatif", "balance", "", 0, 0, O(FROM), "",
				     "what balancing would move, by defined sizes", "" },
	[COMMAND_HELP] = { "", "help", "[COMMAND]", 0, 2, 0, "command",
			   "this, or more about one command", "" },
	[COMMAND_COMPLETE] = { "", "__complete", "WORD...", 0, ARGUMENTS_ANY, 0, NULL, "", "" },
};

static bool noun_known(const char *noun)
{
	for (int i = 0; i < COMMAND_COUNT; i++) {
		if (*noun && strcmp(commands[i].noun, noun) == 0)
			return true;
	}
	return false;
}

static bool command_find(const char *noun, const char *verb, enum command_id *id)
{
	for (int i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].noun, noun) == 0 && strcmp(commands[i].verb, verb) == 0) {
			*id = (enum command_id)i;
			return true;
		}
	}
	return false;
}

// The words so far make the command: a verb, or a noun and a verb.
static bool take_word(struct invocation *invocation, char *word, char *problem, size_t size)
{
	if (invocation->command_known) {
		invocation->argv[invocation->argc++] = word;
		return true;
	}
	if (!invocation->noun && noun_known(word)) {
		invocation->noun = word;
		return true;
	}
	invocation->command_known =
		command_find(invocation->noun ? invocation->noun : "", word, &invocation->id);
	if (!invocation->command_known && invocation->noun)
		snprintf(problem, size, "%s has no verb \"%.64s\"", invocation->noun, word);
	else if (!invocation->command_known)
		snprintf(problem, size, "there is no command \"%.64s\"", word);
	return invocation->command_known;
}

static bool take_format(struct invocation *invocation, const char *format, char *problem,
			size_t size)
{
	if (format && (strcmp(format, "json") == 0 || strcmp(format, "table") == 0)) {
		invocation->json = format[0] == 'j';
		return true;
	}
	snprintf(problem, size, "-o takes table or json");
	return false;
}

// An option of the command. The value may follow after "=" or as the next word.
static bool take_option(struct invocation *invocation, const char *word, char **next,
			bool *used_next, char *problem, size_t size)
{
	size_t length = strcspn(word, "=");

	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct command_option *option = &command_options[i];

		if (strlen(option->name) != length || strncmp(option->name, word, length) != 0)
			continue;
		if (option->value && !word[length] && !*next) {
			snprintf(problem, size, "%s wants a value: %s", option->name,
				 option->value);
			return false;
		}
		if (!option->value && word[length]) {
			snprintf(problem, size, "%s takes no value", option->name);
			return false;
		}
		*used_next = option->value && !word[length];
		invocation->options |= 1u << i;
		if (option->value)
			invocation->values[i] = *used_next ? *next : word + length + 1;
		return true;
	}
	snprintf(problem, size, "unknown option %.64s", word);
	return false;
}

static bool invocation_check(const struct invocation *invocation, char *problem, size_t size)
{
	const struct command *command = &commands[invocation->id];
	uint32_t strange = invocation->options & ~command->options;

	if (invocation->help || invocation->version)
		return true;
	if (!invocation->command_known) {
		snprintf(problem, size,
			 invocation->noun ? "%s wants a verb" : "a command is missing",
			 invocation->noun);
		return false;
	}
	for (int i = 0; i < OPTION_COUNT; i++) {
		if (strange >> i & 1) {
			snprintf(problem, size, "%s is no option of this", command_options[i].name);
			return false;
		}
	}
	if (invocation->argc < command->arguments_min) {
		snprintf(problem, size, "%s is missing", command->arguments);
		return false;
	}
	if (command->arguments_max != ARGUMENTS_ANY && invocation->argc > command->arguments_max) {
		snprintf(problem, size, "unexpected argument %.64s",
			 invocation->argv[command->arguments_max]);
		return false;
	}
	return true;
}

bool command_parse(int argc, char **argv, char **arguments, struct invocation *invocation,
		   char *problem, size_t problem_size)
{
	bool words_only = false, used_next;

	memset(invocation, 0, sizeof(*invocation));
	invocation->argv = arguments;
	for (int i = 1; i < argc; i++) {
		char *word = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;

		// What is completed may look like anything.
		words_only |= invocation->command_known && invocation->id == COMMAND_COMPLETE;
		if (words_only || word[0] != '-' || !word[1]) {
			if (!take_word(invocation, word, problem, problem_size))
				return false;
		} else if (strcmp(word, "--") == 0) {
			words_only = true;
		} else if (strcmp(word, "-q") == 0 || strcmp(word, "--quiet") == 0) {
			invocation->quiet = true;
		} else if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
			invocation->help = true;
		} else if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0) {
			invocation->version = true;
		} else if (strcmp(word, "-o") == 0 || strcmp(word, "--output") == 0) {
			if (!take_format(invocation, next, problem, problem_size))
				return false;
			i++;
		} else if (strncmp(word, "-o", 2) == 0 || strncmp(word, "--output=", 9) == 0) {
			if (!take_format(invocation, word + (word[1] == 'o' ? 2 : 9), problem,
					 problem_size))
				return false;
		} else {
			used_next = false;
			if (!take_option(invocation, word, &next, &used_next, problem,
					 problem_size))
				return false;
			i += used_next;
		}
	}
	return invocation_check(invocation, problem, problem_size);
}

int command_synopsis(enum command_id id, char *buf, size_t size)
{
	const struct command *command = &commands[id];
	size_t used = 0;

#define ADD(...)                                                                                   \
	used += (size_t)snprintf(used < size ? buf + used : NULL, used < size ? size - used : 0,   \
				 __VA_ARGS__)
	ADD("clustadm %s%s%s", command->noun, *command->noun ? " " : "", command->verb);
	if (*command->arguments)
		ADD(" %s", command->arguments);
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct command_option *option = &command_options[i];

		if (command->options >> i & 1)
			ADD(option->value ? " [%s %s]" : " [%s]", option->name, option->value);
	}
#undef ADD
	return (int)used;
}

bool time_parse(const char *text, uint64_t *ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {
		{ "", 1000 },	  { "ms", 1 },	    { "s", 1000 },     { "m", 60000 },
		{ "min", 60000 }, { "h", 3600000 }, { "d", 86400000 },
	};
	uint64_t value = 0;
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 9)
		return false;
	for (size_t i = 0; i < digits; i++)
		value = value * 10 + (uint64_t)(text[i] - '0');
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(units[i].unit, text + digits) == 0) {
			*ms = value * units[i].ms;
			return true;
		}
	}
	return false;
}

bool moment_parse(const char *text, uint64_t now_ms, uint64_t *wall_ms)
{
	static const char *const forms[] = { "%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S",
					     "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S" };
	uint64_t ago;

	if (time_parse(text, &ago)) {
		*wall_ms = ago < now_ms ? now_ms - ago : 0;
		return true;
	}
	if (text[0] == '@' && time_parse(text + 1, wall_ms))
		return true;
	if (text[0] == '@' && strlen(text) < 13 && text[1 + strspn(text + 1, "0123456789")] == 0 &&
	    text[1]) {
		*wall_ms = strtoull(text + 1, NULL, 10) * 1000;
		return true;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *end = strptime(text, forms[i], &tm);
		time_t moment;

		if (!end || *end)
			continue;
		moment = mktime(&tm);
		if (moment < 0)
			return false;
		*wall_ms = (uint64_t)moment * 1000;
		return true;
	}
	return false;
}
