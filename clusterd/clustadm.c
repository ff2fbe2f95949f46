// SPDX-License-Identifier: Apache-2.0
// The administrator's command line: clustadm(8).
#include <stdlib.h>
#include <string.h>

#include "clusterd/clustadm_io.h"

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

static enum exit_status run(struct session *session)
{
	switch (session->invocation->id) {
	case COMMAND_STATUS:
		return clustadm_status(session);
	case COMMAND_APPLY:
		return clustadm_apply(session);
	case COMMAND_CHECK:
		return clustadm_check(session);
	case COMMAND_DUMP:
		return clustadm_dump(session);
	case COMMAND_REMOVE:
		return clustadm_remove(session);
	case COMMAND_EVENTS:
		return clustadm_events(session);
	case COMMAND_QUORUM:
		return clustadm_quorum(session);
	case COMMAND_CAPACITY:
		return clustadm_capacity(session);
	case COMMAND_RECOVER:
		return clustadm_recover(session);
	case COMMAND_VM_LIST:
	case COMMAND_NODE_LIST:
	case COMMAND_VOLUME_LIST:
		return clustadm_list(session);
	case COMMAND_VM_SHOW:
		return clustadm_vm_show(session);
	case COMMAND_VM_START:
	case COMMAND_VM_STOP:
	case COMMAND_VM_DISABLE:
	case COMMAND_VM_MANAGE:
	case COMMAND_VM_UNMANAGE:
	case COMMAND_VM_CLEAR:
	case COMMAND_VM_RESTORE:
		return clustadm_vm_change(session);
	case COMMAND_VM_MIGRATE:
	case COMMAND_VM_CANCEL:
	case COMMAND_VM_SAVE:
		return clustadm_vm_move(session);
	case COMMAND_MOVES:
		return clustadm_moves(session);
	case COMMAND_NODE_MAINTENANCE:
		return clustadm_maintenance(session);
	case COMMAND_VM_EXPLAIN:
		return clustadm_vm_explain(session);
	case COMMAND_VM_PREFLIGHT:
		return clustadm_vm_preflight(session);
	case COMMAND_VM_CONSOLE:
		return clustadm_vm_console(session);
	case COMMAND_NODE_SHOW:
		return clustadm_node_show(session);
	case COMMAND_NODE_MANAGE:
	case COMMAND_NODE_UNMANAGE:
	case COMMAND_NODE_FENCE:
	case COMMAND_NODE_CONFIRM_DEAD:
		return clustadm_node_change(session);
	case COMMAND_VOLUME_SHOW:
		return clustadm_volume_show(session);
	case COMMAND_CERT_INIT:
	case COMMAND_CERT_SHOW:
	case COMMAND_CERT_RENEW:
		return run_cert(session);
	case COMMAND_WHATIF_NODE_LOSS:
	case COMMAND_WHATIF_MAINTENANCE:
	case COMMAND_WHATIF_APPLY:
	case COMMAND_WHATIF_MIGRATE:
		return clustadm_whatif(session);
	case COMMAND_HELP:
		return help_words(session);
	case COMMAND_COMPLETE:
		return clustadm_complete(session);
	case COMMAND_COUNT:
		break;
	}
	return EXIT_USAGE;
}

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
		status = run(&session);
	}
	session_fini(&session);
	free(arguments);
	if (fflush(stdout) != 0 || ferror(stdout))
		status = EXIT_REFUSED;
	return (int)status;
}
