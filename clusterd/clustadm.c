// SPDX-License-Identifier: Apache-2.0
// The administrator's command line: clustadm(8).
#include <stdlib.h>
#include <string.h>

#include "clusterd/clustadm_io.h"
#include "clusterd/output_io.h"

static void help_all(FILE *out)
{
	char synopsis[256];

	fputs("usage: clustadm [-o table|json] [-q] COMMAND ...\n", out);
	for (int i = 0; i < COMMAND_COUNT; i++) {
		const char *noun = commands[i].noun;

		if (!*commands[i].summary)
			continue;
		if (i > 0 && strcmp(noun, commands[i - 1].noun) != 0)
			fputc('\n', out);
		snprintf(synopsis, sizeof(synopsis), "%s%s%s %s", noun, *noun ? " " : "",
			 commands[i].verb, commands[i].arguments);
		if (strlen(synopsis) > 22)
			fprintf(out, "  %s\n  %-22s", synopsis, "");
		else
			fprintf(out, "  %-22s", synopsis);
		fprintf(out, " %s\n", commands[i].summary);
	}
	fputs("\n  -o, --output table|json   form of the result\n"
	      "  -q, --quiet               no progress; lists are names alone\n"
	      "  -h, --help                this, or behind a command more about it\n"
	      "  -V, --version\n"
	      "\nExit status: 0 done, 1 refused or failed, 2 usage, 3 no daemon or permission,\n"
	      "4 still going on when the time was up. See clustadm(8).\n",
	      out);
}

static void help_command(enum command_id id)
{
	const struct command *command = &commands[id];
	char synopsis[512];

	command_synopsis(id, synopsis, sizeof(synopsis));
	printf("usage: %s\n\n%s\n", synopsis, command->summary);
	if (*command->help)
		printf("%s", command->help);
	if (command->options)
		putchar('\n');
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct command_option *option = &command_options[i];
		char name[64];

		if (!(command->options >> i & 1))
			continue;
		snprintf(name, sizeof(name), "%s%s%s", option->name, option->value ? " " : "",
			 option->value ? option->value : "");
		printf("  %-16s %s\n", name, option->help);
	}
}

// A noun alone: its verbs.
static bool help_noun(const char *noun)
{
	bool found = false;
	char synopsis[512];

	for (int i = 0; i < COMMAND_COUNT; i++) {
		if (!*commands[i].summary || strcmp(commands[i].noun, noun) != 0)
			continue;
		command_synopsis((enum command_id)i, synopsis, sizeof(synopsis));
		printf("%s\n    %s\n", synopsis, commands[i].summary);
		found = true;
	}
	return found;
}

static enum exit_status help_words(struct session *session)
{
	const struct invocation *invocation = session->invocation;
	const char *first = invocation->argc > 0 ? invocation->argv[0] : NULL;
	const char *second = invocation->argc > 1 ? invocation->argv[1] : NULL;
	char reason[160];

	if (!first) {
		help_all(stdout);
		return EXIT_DONE;
	}
	for (int i = 0; i < COMMAND_COUNT; i++) {
		const char *noun = second ? first : "", *verb = second ? second : first;

		if (strcmp(commands[i].noun, noun) == 0 && strcmp(commands[i].verb, verb) == 0 &&
		    *commands[i].summary) {
			help_command((enum command_id)i);
			return EXIT_DONE;
		}
	}
	if (!second && help_noun(first))
		return EXIT_DONE;
	snprintf(reason, sizeof(reason), "there is no command \"%.60s%s%.60s\"", first,
		 second ? " " : "", second ? second : "");
	return session_fail(session, EXIT_USAGE, "usage", reason, "clustadm help");
}

static enum exit_status run_cert(struct session *session)
{
	if (session->invocation->id == COMMAND_CERT_INIT)
		return clustadm_cert_init(session);
	return session->invocation->id == COMMAND_CERT_SHOW ? clustadm_cert_show(session)
							    : clustadm_cert_renew(session);
}

typedef enum exit_status (*command_fn)(struct session *session);

static const command_fn handlers[COMMAND_COUNT] = {
	[COMMAND_STATUS] = clustadm_status,
	[COMMAND_TOP] = clustadm_top,
	[COMMAND_APPLY] = clustadm_apply,
	[COMMAND_CHECK] = clustadm_check,
	[COMMAND_DUMP] = clustadm_dump,
	[COMMAND_REMOVE] = clustadm_remove,
	[COMMAND_EVENTS] = clustadm_events,
	[COMMAND_QUORUM] = clustadm_quorum,
	[COMMAND_CAPACITY] = clustadm_capacity,
	[COMMAND_BALANCE] = clustadm_balance,
	[COMMAND_RECOVER] = clustadm_recover,
	[COMMAND_VM_LIST] = clustadm_list,
	[COMMAND_NODE_LIST] = clustadm_list,
	[COMMAND_VOLUME_LIST] = clustadm_list,
	[COMMAND_VM_SHOW] = clustadm_vm_show,
	[COMMAND_VM_START] = clustadm_vm_change,
	[COMMAND_VM_STOP] = clustadm_vm_change,
	[COMMAND_VM_DISABLE] = clustadm_vm_change,
	[COMMAND_VM_MANAGE] = clustadm_vm_change,
	[COMMAND_VM_UNMANAGE] = clustadm_vm_change,
	[COMMAND_VM_CLEAR] = clustadm_vm_change,
	[COMMAND_VM_RESTORE] = clustadm_vm_change,
	[COMMAND_VM_MIGRATE] = clustadm_vm_move,
	[COMMAND_VM_CANCEL] = clustadm_vm_move,
	[COMMAND_VM_SAVE] = clustadm_vm_move,
	[COMMAND_MOVES] = clustadm_moves,
	[COMMAND_NODE_MAINTENANCE] = clustadm_maintenance,
	[COMMAND_VM_EXPLAIN] = clustadm_vm_explain,
	[COMMAND_VM_PREFLIGHT] = clustadm_vm_preflight,
	[COMMAND_VM_CONSOLE] = clustadm_vm_console,
	[COMMAND_NODE_SHOW] = clustadm_node_show,
	[COMMAND_NODE_MANAGE] = clustadm_node_change,
	[COMMAND_NODE_UNMANAGE] = clustadm_node_change,
	[COMMAND_NODE_FENCE] = clustadm_node_change,
	[COMMAND_NODE_CONFIRM_DEAD] = clustadm_node_change,
	[COMMAND_VOLUME_SHOW] = clustadm_volume_show,
	[COMMAND_POLICY_LIST] = clustadm_policy,
	[COMMAND_POLICY_SHOW] = clustadm_policy,
	[COMMAND_POLICY_ENABLE] = clustadm_policy,
	[COMMAND_POLICY_DISABLE] = clustadm_policy,
	[COMMAND_POLICY_RUN] = clustadm_policy,
	[COMMAND_TIPS_LIST] = clustadm_tips,
	[COMMAND_TIPS_SHOW] = clustadm_tips,
	[COMMAND_TIPS_ACCEPT] = clustadm_tips,
	[COMMAND_TIPS_DISMISS] = clustadm_tips,
	[COMMAND_CERT_INIT] = run_cert,
	[COMMAND_CERT_SHOW] = run_cert,
	[COMMAND_CERT_RENEW] = run_cert,
	[COMMAND_WHATIF_NODE_LOSS] = clustadm_whatif,
	[COMMAND_WHATIF_MAINTENANCE] = clustadm_whatif,
	[COMMAND_WHATIF_APPLY] = clustadm_whatif,
	[COMMAND_WHATIF_MIGRATE] = clustadm_whatif,
	[COMMAND_WHATIF_BALANCE] = clustadm_whatif,
	[COMMAND_HELP] = help_words,
	[COMMAND_COMPLETE] = clustadm_complete,
};

// Values of options that only the command itself can judge.
static bool values_good(const struct invocation *invocation, char *problem, size_t size)
{
	uint64_t ms;

	if (invocation_has(invocation, OPTION_TIMEOUT) &&
	    !time_parse(invocation->values[OPTION_TIMEOUT], &ms)) {
		snprintf(problem, size, "--timeout takes a time like 30s or 5min");
		return false;
	}
	if (invocation_has(invocation, OPTION_SINCE) &&
	    !moment_parse(invocation->values[OPTION_SINCE], 0, &ms)) {
		snprintf(problem, size, "--since takes a time like 10min, or \"2026-11-20 09:30\"");
		return false;
	}
	if ((invocation->id == COMMAND_TIPS_SHOW || invocation->id == COMMAND_TIPS_ACCEPT ||
	     invocation->id == COMMAND_TIPS_DISMISS) &&
	    invocation->argc > 0 &&
	    invocation->argv[0][strspn(invocation->argv[0], "0123456789")]) {
		snprintf(problem, size, "ID is a number, as `tips list` shows it");
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	char **arguments = calloc((size_t)argc + 1, sizeof(*arguments));
	char problem[256] = "", fix[128] = "clustadm help";
	struct invocation invocation = { 0 };
	struct session session;
	enum exit_status status;
	bool good;

	output_open();
	if (!arguments)
		return EXIT_REFUSED;
	good = command_parse(argc, argv, arguments, &invocation, problem, sizeof(problem)) &&
	       values_good(&invocation, problem, sizeof(problem));
	session_init(&session, &invocation);
	if (!good) {
		if (invocation.command_known)
			snprintf(fix, sizeof(fix), "clustadm help %s%s%s",
				 commands[invocation.id].noun, invocation.noun ? " " : "",
				 commands[invocation.id].verb);
		else if (invocation.noun)
			snprintf(fix, sizeof(fix), "clustadm help %s", invocation.noun);
		status = session_fail(&session, EXIT_USAGE, "usage", problem, fix);
	} else if (invocation.version) {
		puts("clustadm " CLUSTERD_VERSION);
		status = EXIT_DONE;
	} else if (invocation.help) {
		status = EXIT_DONE;
		if (invocation.command_known)
			help_command(invocation.id);
		else if (!invocation.noun || !help_noun(invocation.noun))
			help_all(stdout);
	} else {
		status = handlers[invocation.id] ? handlers[invocation.id](&session) : EXIT_USAGE;
	}
	session_fini(&session);
	free(arguments);
	if (!output_close("clustadm"))
		status = EXIT_REFUSED;
	return (int)status;
}
