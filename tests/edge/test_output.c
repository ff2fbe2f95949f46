// SPDX-License-Identifier: Apache-2.0
// What becomes of output that cannot be written: in children whose descriptors are not as usual.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clusterd/output_io.h"

enum { LINES = 2000 }; // more than any buffer holds

struct output {
	bool closed; // standard output; else it is PATH
	const char *path;
	int lines;
	char told[256];
};

static int program(const struct output *output)
{
	int fd;

	if (output->closed)
		close(STDOUT_FILENO);
	else
		dup2(open(output->path, O_WRONLY), STDOUT_FILENO);
	output_open();
	fd = open("/dev/null", O_WRONLY); // what a socket would be
	if (fd <= STDERR_FILENO)
		return 9;
	for (int i = 0; i < output->lines && !ferror(stdout); i++)
		puts("a line of a table");
	return output_close("program") ? 0 : 1;
}

static int run(struct output *output)
{
	int pipes[2], status;
	ssize_t size;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		dup2(pipes[1], STDERR_FILENO);
		_exit(program(output));
	}
	close(pipes[1]);
	size = read(pipes[0], output->told, sizeof(output->told) - 1);
	output->told[size > 0 ? size : 0] = 0;
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_written(void **state)
{
	struct output output = { .path = "/dev/null", .lines = LINES };

	(void)state;
	assert_int_equal(run(&output), 0);
	assert_string_equal(output.told, "");
}

static void test_full(void **state)
{
	struct output few = { .path = "/dev/full", .lines = 1 };
	struct output many = { .path = "/dev/full", .lines = LINES };

	(void)state;
	assert_int_equal(run(&few), 1);
	assert_string_equal(few.told,
			    "program: its output cannot be written: No space left on device\n");
	assert_int_equal(run(&many), 1);
	assert_non_null(strstr(many.told, "program: its output cannot be written"));
}

static void test_closed(void **state)
{
	struct output output = { .closed = true, .lines = 1 };
	struct output silent = { .closed = true };

	(void)state;
	assert_int_equal(run(&output), 1);
	assert_string_equal(output.told,
			    "program: its output cannot be written: Bad file descriptor\n");
	assert_int_equal(run(&silent), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
