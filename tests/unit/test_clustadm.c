// SPDX-License-Identifier: Apache-2.0
// clustadm's table of commands, its parser, and the tables that it prints.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clusterd/command.h"
#include "clusterd/table.h"

enum { WORDS_MAX = 16 };

static char *arguments[WORDS_MAX];
static char problem[256];

// One command line, split at blanks; "_" stands for an empty word.
static bool parse(struct invocation *invocation, const char *line)
{
	static char copy[512], name[] = "clustadm", empty[] = "";
	char *words[WORDS_MAX] = { name };
	int count = 1;

	strcpy(copy, line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		words[count++] = strcmp(word, "_") == 0 ? empty : word;
	problem[0] = 0;
	return command_parse(count, words, arguments, invocation, problem, sizeof(problem));
}

static void test_words(void **state)
{
	struct invocation invocation;

	(void)state;
	assert_true(parse(&invocation, "status"));
	assert_int_equal(invocation.id, COMMAND_STATUS);
	assert_true(parse(&invocation, "-o json vm start web --timeout 5s -q"));
	assert_int_equal(invocation.id, COMMAND_VM_START);
	assert_true(invocation.json);
	assert_true(invocation.quiet);
	assert_string_equal(invocation.argv[0], "web");
	assert_string_equal(invocation.values[OPTION_TIMEOUT], "5s");
	assert_true(parse(&invocation, "vm --timeout=1min start -ojson web"));
	assert_string_equal(invocation.values[OPTION_TIMEOUT], "1min");
	assert_true(invocation.json);
	assert_true(parse(&invocation, "apply a.xml - b.xml --dry-run"));
	assert_int_equal(invocation.argc, 3);
	assert_string_equal(invocation.argv[1], "-");
	assert_true(parse(&invocation, "apply -- --dry-run"));
	assert_false(invocation_has(&invocation, OPTION_DRY_RUN));
	assert_string_equal(invocation.argv[0], "--dry-run");
	assert_true(parse(&invocation, "vm start --help"));
	assert_true(invocation.help && invocation.command_known);
	assert_true(parse(&invocation, "--version"));
	assert_true(parse(&invocation, "__complete vm start --no"));
	assert_int_equal(invocation.argc, 3);
}

static void test_wrong_words(void **state)
{
	static const struct {
		const char *line, *problem;
	} rows[] = {
		{ "", "a command is missing" },
		{ "vm", "vm wants a verb" },
		{ "nonsense", "there is no command \"nonsense\"" },
		{ "vm nonsense", "vm has no verb \"nonsense\"" },
		{ "start web", "there is no command \"start\"" },
		{ "vm start", "N is missing" },
		{ "vm start a b", "unexpected argument b" },
		{ "vm list --force", "--force is no option of this" },
		{ "vm start web --timeout", "--timeout wants a value: TIME" },
		{ "vm start web --no-wait=1", "--no-wait takes no value" },
		{ "status --nonsense", "unknown option --nonsense" },
		{ "status -x", "unknown option -x" },
		{ "-o yaml status", "-o takes table or json" },
		{ "status -o", "-o takes table or json" },
		{ "_", "there is no command \"\"" },
	};
	struct invocation invocation;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_false(parse(&invocation, rows[i].line));
		assert_string_equal(problem, rows[i].problem);
	}
}

// Every command can be called as its synopsis says, explains itself, and has a name of its own.
static void test_table(void **state)
{
	struct invocation invocation;
	char line[256], synopsis[512];

	(void)state;
	for (int i = 0; i < COMMAND_COUNT; i++) {
		const struct command *command = &commands[i];

		assert_non_null(command->verb);
		assert_true(command->arguments_min <= command->arguments_max);
		snprintf(line, sizeof(line), "%s %s%s", command->noun, command->verb,
			 command->arguments_min ? " x" : "");
		assert_true(parse(&invocation, line));
		assert_int_equal(invocation.id, i);
		if (i == COMMAND_COMPLETE)
			continue;
		assert_in_range(strlen(command->summary), 1,
				55); // a line of the help has 80 columns
		assert_true(command_synopsis((enum command_id)i, synopsis, sizeof(synopsis)) < 160);
		assert_memory_equal(synopsis, "clustadm ", 9);
	}
	assert_true(command_synopsis(COMMAND_VM_START, synopsis, 12) > 12);
	assert_string_equal(synopsis, "clustadm vm");
}

static void test_times(void **state)
{
	uint64_t ms = 7;

	(void)state;
	assert_true(time_parse("90", &ms) && ms == 90000);
	assert_true(time_parse("250ms", &ms) && ms == 250);
	assert_true(time_parse("5min", &ms) && ms == 300000);
	assert_true(time_parse("1d", &ms) && ms == 86400000);
	assert_false(time_parse("", &ms) || time_parse("s", &ms) || time_parse("-1", &ms) ||
		     time_parse("1 s", &ms) || time_parse("99999999999", &ms));
	assert_true(moment_parse("10s", 100000, &ms) && ms == 90000);
	assert_true(moment_parse("1d", 100000, &ms) && ms == 0);
	assert_true(moment_parse("@1700000000", 0, &ms) && ms == 1700000000000);
	setenv("TZ", "UTC", 1);
	assert_true(moment_parse("2026-11-20 09:30", 0, &ms) && ms == 1795167000000);
	assert_true(moment_parse("2026-11-20T09:30:01", 0, &ms) && ms == 1795167001000);
	assert_false(moment_parse("yesterday", 0, &ms) || moment_parse("@", 0, &ms) ||
		     moment_parse("2026-11-20 nine", 0, &ms));
}

static char *printed(struct table *table, int width, bool colour)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	table_print(table, out, width, colour);
	fclose(out);
	table_fini(table);
	return text;
}

static void table_fill(struct table *table)
{
	static const char *const heads[] = { "VM", "STATE", "REASON", NULL };

	table_init(table, heads);
	table_add(table, "wéb");
	table_add(table, "running");
	table_add(table, "");
	table_add(table, "database");
	table_add(table, "error");
	table_addf(table, "its disk\n%s", "is gone");
}

static void test_print(void **state)
{
	struct table table;
	char *text;

	(void)state;
	table_fill(&table);
	text = printed(&table, 0, false);
	assert_string_equal(text, "VM        STATE    REASON\n"
				  "wéb       running\n"
				  "database  error    its disk is gone\n");
	free(text);
	table_fill(&table);
	text = printed(&table, 30, true);
	assert_string_equal(text, "VM        STATE    REASON\n"
				  "wéb       \033[32mrunning\033[0m\n"
				  "database  \033[31merror\033[0m    its disk...\n");
	free(text);
	table_fill(&table);
	text = printed(&table, 10, false); // too narrow to be worth cutting
	assert_non_null(strstr(text, "its disk is gone"));
	free(text);
	assert_int_equal(text_columns("wéb"), 3);
	assert_int_equal(text_cut("wéb", 2), 3);
}

// The manual page has every command as it is called.
static void test_manual(void **state)
{
	static char text[65536];
	const char *top = getenv("srcdir");
	char path[1024], synopsis[512];
	FILE *file;
	size_t used = 0;
	int c;

	(void)state;
	snprintf(path, sizeof(path), "%s/man/clustadm.8", top ? top : ".");
	file = fopen(path, "re");
	assert_non_null(file);
	while ((c = getc(file)) != EOF && used + 1 < sizeof(text)) {
		if (c != '\\')
			text[used++] = (char)c;
	}
	fclose(file);
	text[used] = 0;
	for (int i = 0; i < COMMAND_COUNT; i++) {
		if (i == COMMAND_COMPLETE)
			continue;
		command_synopsis((enum command_id)i, synopsis, sizeof(synopsis));
		if (!strstr(text, synopsis + strlen("clustadm ")))
			fail_msg("clustadm(8) lacks: %s", synopsis);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words), cmocka_unit_test(test_wrong_words),
		cmocka_unit_test(test_table), cmocka_unit_test(test_times),
		cmocka_unit_test(test_print), cmocka_unit_test(test_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
