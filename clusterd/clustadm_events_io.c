// SPDX-License-Identifier: Apache-2.0
// The commands that pass texts on: events, dump, completion.
#include <string.h>
#include <time.h>

#include "clusterd/clustadm_io.h"
#include "clusterd/output_io.h"

enum { FOLLOW_MS = 500 };

static void event_print(struct session *session, const json_t *event)
{
	long long at_ms = json_number(event, "at_ms");
	const char *level = json_word(event, "level");
	const char *colour = session->colour ? word_colour(level) : "";
	char when[32] = "";

	if (session->invocation->json) {
		session_json(session, event);
		return;
	}
	moment_text(at_ms, when, sizeof(when));
	printf("%s.%03lld  %s%s%s%s\n", when, at_ms % 1000, colour,
	       strcmp(level, "info") == 0 ? "" : level, strcmp(level, "info") == 0 ? "" : ": ",
	       json_word(event, "text"));
	if (*colour)
		fputs("\033[0m", stdout);
}

static json_t *events_ask(long long after, uint64_t since_ms)
{
	json_t *ask = ask_new("events", NULL);

	json_object_set_new(ask, "after", json_integer(after));
	json_object_set_new(ask, "since_ms", json_integer((json_int_t)since_ms));
	return ask;
}

static long long events_print(struct session *session, const json_t *result, long long last)
{
	const json_t *event;
	size_t i;

	json_array_foreach(json_object_get(result, "events"), i, event)
	{
		event_print(session, event);
		last = json_number(event, "id");
	}
	fflush(stdout);
	return last;
}

enum exit_status clustadm_events(struct session *session)
{
	const struct invocation *invocation = session->invocation;
	bool follow = invocation_has(invocation, OPTION_FOLLOW);
	uint64_t since_ms = 0;
	enum exit_status status;
	long long last = 0;
	json_t *result;

	if (invocation_has(invocation, OPTION_SINCE))
		moment_parse(invocation->values[OPTION_SINCE], (uint64_t)time(NULL) * 1000,
			     &since_ms);
	for (;;) {
		status = session_ask(session, events_ask(last, since_ms), &result);
		if (session_interrupted() && follow) {
			json_decref(result);
			return EXIT_DONE;
		}
		if (status != EXIT_DONE)
			return status;
		if (invocation->json && !follow)
			session_json(session, result);
		else
			last = events_print(session, result, last);
		json_decref(result);
		if (!follow || output_failed())
			return EXIT_DONE;
		session_sleep_ms(FOLLOW_MS);
	}
}

// "vm/web" into its two halves; false for what is no kind of object.
static bool object_split(const char *word, json_t *ask)
{
	static const char *const kinds[] = { "cluster", "node", "volume", "vm", "rule", "policy" };
	size_t length = strcspn(word, "/");

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strlen(kinds[i]) != length || strncmp(kinds[i], word, length) != 0)
			continue;
		json_object_set_new(ask, "kind", json_string(kinds[i]));
		if (word[length] && word[length + 1])
			json_object_set_new(ask, "name", json_string(word + length + 1));
		return true;
	}
	return false;
}

enum exit_status clustadm_dump(struct session *session)
{
	json_t *ask = ask_new("dump", NULL), *result;
	enum exit_status status;
	bool state = invocation_has(session->invocation, OPTION_STATE);

	if (state && session->invocation->argc > 0) {
		json_decref(ask);
		return session_fail(session, EXIT_USAGE, "usage", "--state is of everything",
				    "clustadm dump --state");
	}
	json_object_set_new(ask, "state", json_boolean(state));
	if (session->invocation->argc > 0 && !object_split(session->invocation->argv[0], ask)) {
		json_decref(ask);
		return session_fail(session, EXIT_USAGE, "usage",
				    "objects are cluster, node/NAME, volume/NAME, vm/NAME, "
				    "rule/NAME and policy/NAME",
				    "clustadm help dump");
	}
	status = session_ask(session, ask, &result);
	if (status != EXIT_DONE)
		return status;
	if (session->invocation->json || state)
		session_json(session, result);
	else
		fputs(json_word(result, "xml"), stdout);
	json_decref(result);
	return EXIT_DONE;
}

/* Completion: the words that may come next, one a line. The last word given is the unfinished one.
 */

static void offer(const char *word, const char *start)
{
	if (strncmp(word, start, strlen(start)) == 0)
		puts(word);
}

// What `verb` tells of the array `rows`: each one's member, with the prefix before it.
static void offer_rows(struct session *session, const char *verb, const char *rows,
		       const char *member, const char *prefix, const char *start)
{
	const json_t *row, *value;
	json_t *result;
	char word[256];
	size_t i;

	if (session_poll(session, ask_new(verb, NULL), &result) != EXIT_DONE)
		return;
	json_array_foreach(json_object_get(result, rows), i, row)
	{
		value = json_object_get(row, member);
		if (json_is_integer(value))
			snprintf(word, sizeof(word), "%s%lld", prefix, json_integer_value(value));
		else
			snprintf(word, sizeof(word), "%s%s", prefix, json_word(row, member));
		offer(word, start);
	}
	json_decref(result);
}

static void offer_names(struct session *session, const char *noun, const char *prefix,
			const char *start)
{
	char verb[32], rows[32];

	snprintf(verb, sizeof(verb), "%s list", noun);
	snprintf(rows, sizeof(rows), "%ss", noun);
	offer_rows(session, verb, rows, "name", prefix, start);
}

static void offer_arguments(struct session *session, const struct command *command,
			    const char *start)
{
	if (strcmp(command->complete, "object") == 0) {
		offer_names(session, "vm", "vm/", start);
		offer_names(session, "node", "node/", start);
		offer_names(session, "volume", "volume/", start);
		offer_rows(session, "policy list", "policies", "name", "policy/", start);
	} else if (strcmp(command->complete, "policy") == 0) {
		offer_rows(session, "policy list", "policies", "name", "", start);
	} else if (strcmp(command->complete, "tip") == 0) {
		offer_rows(session, "tips list", "tips", "id", "", start);
	} else if (strcmp(command->complete, "vm") == 0 || strcmp(command->complete, "node") == 0 ||
		   strcmp(command->complete, "volume") == 0) {
		offer_names(session, command->complete, "", start);
	} else if (strcmp(command->complete, "file") == 0) {
		puts("__files__");
	}
}

static void offer_commands(const char *noun, const char *start)
{
	for (int i = 0; i < COMMAND_COUNT; i++) {
		const struct command *command = &commands[i];

		if (!*command->summary)
			continue;
		if (strcmp(command->noun, noun) == 0)
			offer(command->verb, start);
		else if (!*noun && (i == 0 || strcmp(commands[i - 1].noun, command->noun) != 0))
			offer(command->noun, start);
	}
}

static void offer_options(const struct command *command, const char *start)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		if (command->options >> i & 1)
			offer(command_options[i].name, start);
	}
	offer("--help", start);
}

static void offer_maintenance(const char *start)
{
	static const char *const words[] = { "on", "off", "status", "pause", "resume", "abort" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		offer(words[i], start);
}

static void offer_sort(const char *start)
{
	static const char *const words[] = { "cpu", "mem", "disk", "net", "name" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		offer(words[i], start);
}

enum exit_status clustadm_complete(struct session *session)
{
	int argc = session->invocation->argc;
	char **argv = session->invocation->argv;
	const char *start = argc > 0 ? argv[argc - 1] : "", *noun = "",
		   *before = argc > 1 ? argv[argc - 2] : "";
	const struct command *command = NULL;

	for (int i = 0; i + 1 < argc && !command; i++) {
		if (argv[i][0] == '-')
			continue;
		for (int c = 0; c < COMMAND_COUNT; c++) {
			if (!*commands[c].summary || strcmp(commands[c].noun, noun) != 0)
				continue;
			if (strcmp(commands[c].verb, argv[i]) == 0)
				command = &commands[c];
		}
		if (!command && !*noun &&
		    (strcmp(argv[i], "vm") == 0 || strcmp(argv[i], "node") == 0 ||
		     strcmp(argv[i], "volume") == 0 || strcmp(argv[i], "whatif") == 0 ||
		     strcmp(argv[i], "policy") == 0 || strcmp(argv[i], "tips") == 0))
			noun = argv[i];
	}
	if (strcmp(before, "-o") == 0) {
		offer("json", start);
		offer("table", start);
	} else if (strcmp(before, "--sort") == 0) {
		offer_sort(start);
	} else if (strcmp(before, "--from") == 0) {
		puts("__files__");
	} else if (strcmp(before, "--on") == 0 || strcmp(before, "--to") == 0) {
		offer_names(session, "node", "", start);
	} else if (!command) {
		offer_commands(noun, start);
	} else if (start[0] == '-') {
		offer_options(command, start);
	} else if (command == &commands[COMMAND_HELP]) {
		offer_commands(before[0] && strcmp(before, "help") != 0 ? before : "", start);
	} else if (command == &commands[COMMAND_NODE_MAINTENANCE] &&
		   strcmp(before, "maintenance") != 0) {
		offer_maintenance(start);
	} else {
		offer_arguments(session, command, start);
	}
	return EXIT_DONE;
}
