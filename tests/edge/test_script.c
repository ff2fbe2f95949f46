// SPDX-License-Identifier: Apache-2.0
// Scripts of policies: what is not run at all, what is killed, and what is left of the output.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "clusterd/script_io.h"

static char folder[64], last[REASON_SIZE];

static void put(const char *name, const char *text, mode_t mode)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	unlink(path);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static bool run(const char *name, uint32_t limit_ms)
{
	return script_file_run(folder, "nobody", name, "CLUSTERD_TIP=7\nCLUSTERD_NAME=n1\n",
			       limit_ms, last, sizeof(last));
}

static int open_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/clusterd-scripts-XXXXXX");
	assert_non_null(mkdtemp(folder));
	return chmod(folder, 0755);
}

static int close_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static void its_last_line_is_kept(void **state)
{
	(void)state;
	put("good", "#!/bin/sh\necho first\necho \"tip $CLUSTERD_TIP of $CLUSTERD_NAME\"\necho\n",
	    0755);
	assert_true(run("good", 10000));
	assert_string_equal(last, "tip 7 of n1");
	put("bad", "#!/bin/sh\nprintf 'no\\033[31m\\n'\nexit 3\n", 0755);
	assert_false(run("bad", 10000));
	assert_string_equal(last, "exit status 3: no [31m");
	put("silent", "#!/bin/sh\nexit 0\n", 0755);
	assert_true(run("silent", 10000));
	assert_string_equal(last, "");
	put("loud", "#!/bin/sh\nhead -c 300000 /dev/zero | tr '\\0' x\necho\necho end\n", 0755);
	assert_true(run("loud", 10000));
}

static void what_others_could_write_is_not_run(void **state)
{
	static const char *const names[] = { "../good", "/bin/true", "", ".hidden", "absent" };
	char path[256];

	(void)state;
	put("good", "#!/bin/sh\necho ran\n", 0755);
	for (int i = 0; i < 5; i++) {
		assert_false(run(names[i], 10000));
		assert_true(last[0]);
	}
	put("group", "#!/bin/sh\necho ran\n", 0775);
	assert_false(run("group", 10000));
	put("world", "#!/bin/sh\necho ran\n", 0757);
	assert_false(run("world", 10000));
	put("plain", "#!/bin/sh\necho ran\n", 0644);
	assert_false(run("plain", 10000));
	snprintf(path, sizeof(path), "%s/link", folder);
	assert_int_equal(symlink("/bin/true", path), 0);
	assert_false(run("link", 10000));
	if (geteuid() == 0) {
		snprintf(path, sizeof(path), "%s/foreign", folder);
		put("foreign", "#!/bin/sh\necho ran\n", 0755);
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_false(run("foreign", 10000));
		assert_false(script_file_run(folder, "root", "good", "", 1000, last, sizeof(last)));
		assert_false(script_file_run(folder, "no-such-user", "good", "", 1000, last,
					     sizeof(last)));
	}
	assert_int_equal(chmod(folder, 0777), 0);
	assert_false(run("good", 10000));
	assert_int_equal(chmod(folder, 0755), 0);
	assert_true(run("good", 10000));
}

static void it_has_no_privileges(void **state)
{
	(void)state;
	put("who",
	    "#!/bin/sh\necho $(id -un) $(grep NoNewPrivs /proc/self/status) $(ls /proc/self/fd | "
	    "wc -l)\n",
	    0755);
	assert_true(run("who", 10000));
	assert_non_null(strstr(last, "NoNewPrivs: 1"));
	if (geteuid() == 0)
		assert_int_equal(strncmp(last, "nobody ", 7), 0);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// Ended, though whoever inherited it may not have looked yet.
static bool lives(const char *path)
{
	char text[512] = "", stat[64], *at;
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	snprintf(stat, sizeof(stat), "/proc/%d/stat", atoi(text));
	usleep(100000);
	file = fopen(stat, "r");
	if (!file)
		return false;
	text[0] = 0;
	at = fgets(text, sizeof(text), file) ? strrchr(text, ')') : NULL;
	fclose(file);
	return at && at[2] != 'Z';
}

// With all that it started, whoever of them still holds the output.
static void one_that_hangs_is_killed_with_its_children(void **state)
{
	char text[512], pid[128];
	double began = seconds();

	(void)state;
	snprintf(pid, sizeof(pid), "%s/pid", folder);
	put("pid", "", 0666);
	snprintf(text, sizeof(text), "#!/bin/sh\necho waiting\nsleep 1000 &\necho $! >%s\nwait\n",
		 pid);
	put("hang", text, 0755);
	assert_false(run("hang", 700));
	assert_true(seconds() - began < 5);
	assert_non_null(strstr(last, "killed after"));
	assert_non_null(strstr(last, "waiting"));
	assert_false(lives(pid));
	// It ends, and leaves one behind that keeps the output open.
	began = seconds();
	snprintf(text, sizeof(text), "#!/bin/sh\nsleep 1000 &\necho $! >%s\necho done\n", pid);
	put("leave", text, 0755);
	assert_true(run("leave", 20000));
	assert_true(seconds() - began < 5);
	assert_string_equal(last, "done");
	assert_false(lives(pid));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(its_last_line_is_kept, open_folder, close_folder),
		cmocka_unit_test_setup_teardown(what_others_could_write_is_not_run, open_folder,
						close_folder),
		cmocka_unit_test_setup_teardown(it_has_no_privileges, open_folder, close_folder),
		cmocka_unit_test_setup_teardown(one_that_hangs_is_killed_with_its_children,
						open_folder, close_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
