// SPDX-License-Identifier: Apache-2.0
// Fence agents that work, fail, hang, lie and babble: written here as small scripts, run for real.
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "clusterd/exec_io.h"
#include "clusterd/loop_io.h"
#include "quorum/fence_io.h"

enum { LIMIT_MS = 60000, SHORT_MS = 2000 };

struct test {
	struct loop *loop;
	struct fence *fence;
	struct loop_timer timer;
	char directory[64];
	uint32_t done, wanted, ok;
	uint32_t node_id, attempt;
	char reason[REASON_SIZE];
	bool inside;
};

static void posted(void *owner, const struct event *event)
{
	struct test *t = owner;

	assert_int_equal(event->type, EVENT_FENCE_DONE);
	assert_false(t->inside);
	t->done++;
	t->ok += event->flag;
	t->node_id = event->node_id;
	t->attempt = event->attempt;
	snprintf(t->reason, sizeof(t->reason), "%s", event->reason);
	if (t->done == t->wanted)
		loop_stop(t->loop);
}

static void called(void *data, bool ok, const char *reason)
{
	struct event event = { .type = EVENT_FENCE_DONE, .flag = ok, .reason = reason };

	posted(data, &event);
}

static void too_late(void *owner)
{
	struct test *t = owner;

	loop_stop(t->loop);
}

static void fence_again(struct test *t, uint32_t off_ms, uint32_t status_ms)
{
	struct fence_options options = {
		.edge = { .loop = t->loop, .post = posted, .owner = t },
		.directories = { "/nowhere/at/all", t->directory },
		.off_ms = off_ms,
		.status_ms = status_ms,
	};

	fence_close(t->fence);
	assert_int_equal(fence_open(&t->fence, &options), 0);
}

// Agents have much time, for a busy machine's sake; a test of what comes too late gives them less.
static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	strcpy(t->directory, "/tmp/test-fence.XXXXXX");
	assert_non_null(mkdtemp(t->directory));
	assert_int_equal(loop_open(&t->loop), 0);
	fence_again(t, LIMIT_MS, LIMIT_MS);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;
	struct dirent *entry;
	char path[512];
	DIR *list;

	fence_close(t->fence);
	loop_close(t->loop);
	list = opendir(t->directory);
	while ((entry = readdir(list))) {
		snprintf(path, sizeof(path), "%s/%s", t->directory, entry->d_name);
		unlink(path);
	}
	closedir(list);
	rmdir(t->directory);
	free(t);
	return 0;
}

// $action, $options (the whole input) and $d (the directory) are set for the body.
static void agent(struct test *t, const char *name, const char *body)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", t->directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "#!/bin/sh\nd=%s\noptions=$(cat)\n"
		"action=$(printf '%%s\\n' \"$options\" | sed -n 's/^action=//p')\n%s\n",
		t->directory, body);
	fclose(file);
	chmod(path, 0755);
}

static void run(struct test *t, uint32_t results)
{
	t->wanted = results;
	loop_timer_ms(t->loop, &t->timer, 2 * LIMIT_MS, too_late, t);
	if (t->done < t->wanted)
		loop_run(t->loop);
	loop_timer_cancel(&t->timer);
	assert_int_equal(t->done, results);
	print_message("%s\n", t->reason);
}

static void off(struct test *t, const char *name, const char *options)
{
	t->inside = true;
	fence_off(t->fence, 7, 42, name, options);
	t->inside = false;
}

static bool file_there(const struct test *t, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", t->directory, name);
	return access(path, F_OK) == 0;
}

static void test_off(void **state)
{
	struct test *t = *state;
	char command[256];

	agent(t, "fence_ok",
	      "case $action in\n"
	      "off) printf '%s\\n' \"$options\" >$d/given; env >$d/env\n"
	      "ls /proc/self/fd >$d/fds;;\n"
	      "status) test -e $d/given && exit 2; exit 0;;\nesac");
	off(t, "fence_ok", "ip=10.0.0.1\naction=on\nplug=3 x;y");
	run(t, 1);
	assert_int_equal(t->ok, 1);
	assert_int_equal(t->node_id, 7);
	assert_int_equal(t->attempt, 42);
	assert_string_equal(t->reason, "fence_ok: status says off");
	snprintf(command, sizeof(command),
		 "cd %s; printf 'ip=10.0.0.1\\nplug=3 x;y\\naction=off\\n' | cmp - given && "
		 "! grep -q SECRET env && test $(wc -l <fds) -le 4", t->directory);
	assert_int_equal(system(command), 0);
}

static void test_off_slowly_seen(void **state)
{
	struct test *t = *state;

	agent(t, "fence_slow", "case $action in off) ;; status) test -e $d/two && exit 2; "
	      "test -e $d/one && touch $d/two; touch $d/one; exit 0;; esac");
	off(t, "fence_slow", "");
	run(t, 1);
	assert_int_equal(t->ok, 1);
}

static void test_failing(void **state)
{
	struct test *t = *state;

	agent(t, "fence_bad", "echo first >&2; echo 'Connection refused' >&2; exit 1");
	off(t, "fence_bad", "");
	run(t, 1);
	assert_int_equal(t->ok, 0);
	assert_string_equal(t->reason, "fence_bad off: code 1: Connection refused");
}

static void test_lying(void **state)
{
	struct test *t = *state;

	fence_again(t, LIMIT_MS, SHORT_MS);
	agent(t, "fence_liar", "exit 0");
	off(t, "fence_liar", "");
	run(t, 1);
	assert_int_equal(t->ok, 0);
	assert_string_equal(t->reason, "fence_liar off was done, but status still says on");
}

static void test_status_broken(void **state)
{
	struct test *t = *state;

	fence_again(t, LIMIT_MS, SHORT_MS);
	agent(t, "fence_blind", "test $action = off && exit 0; echo 'no idea' >&2; exit 1");
	off(t, "fence_blind", "");
	run(t, 1);
	assert_int_equal(t->ok, 0);
	assert_string_equal(t->reason, "fence_blind status: code 1: no idea");
}

// The process whose number the agent wrote there has ended.
static bool ended(const struct test *t, const char *name)
{
	const struct timespec pause = { 0, 10000000 };
	bool over = false;
	char path[128];
	int pid = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", t->directory, name);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &pid), 1);
	fclose(file);
	for (int i = 0; i < LIMIT_MS / 10 && exec_start_time(pid, &over) && !over; i++)
		nanosleep(&pause, NULL);
	return over || !exec_start_time(pid, NULL);
}

// Its child must die with it: the whole group is killed.
static void test_hanging(void **state)
{
	struct test *t = *state;

	fence_again(t, SHORT_MS, SHORT_MS);
	agent(t, "fence_hang", "sleep 300 & echo $! >$d/child; echo 'waiting for the board' >&2; "
	      "sleep 100");
	off(t, "fence_hang", "");
	run(t, 1);
	assert_int_equal(t->ok, 0);
	assert_string_equal(t->reason, "fence_hang off: killed, it did not end in time: "
			    "waiting for the board");
	assert_true(ended(t, "child"));
}

static void test_left_behind(void **state)
{
	struct test *t = *state;

	agent(t, "fence_daemon", "case $action in off) sleep 300 & echo $! >$d/child; exit 0;; "
	      "status) exit 2;; esac");
	off(t, "fence_daemon", "");
	run(t, 1);
	assert_int_equal(t->ok, 1);
	assert_true(ended(t, "child"));
}

static void test_babbling(void **state)
{
	struct test *t = *state;

	agent(t, "fence_noise", "head -c 3000000 /dev/urandom >&2; head -c 3000000 /dev/zero; "
	      "printf '\\nend \\033[31mof it\\n\\n' >&2; exit 3");
	off(t, "fence_noise", "");
	run(t, 1);
	assert_int_equal(t->ok, 0);
	assert_string_equal(t->reason, "fence_noise off: code 3: end ?[31mof it");
}

static void test_endless(void **state)
{
	struct test *t = *state;

	fence_again(t, SHORT_MS, SHORT_MS);
	agent(t, "fence_yes", "yes >&2");
	off(t, "fence_yes", "");
	run(t, 1);
	assert_int_equal(t->ok, 0);
}

static void test_names(void **state)
{
	static const char *const names[] = {
		"fence_missing", "fence_", "sh", "fence_../../bin/sh", "/bin/sh", "fence_Ok", "",
		"fence_a b",
	};
	struct test *t = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		off(t, names[i], "");
		run(t, (uint32_t)i + 1);
	}
	assert_int_equal(t->ok, 0);
}

static void test_signal(void **state)
{
	struct test *t = *state;

	agent(t, "fence_dies", "kill -11 $$");
	off(t, "fence_dies", "");
	run(t, 1);
	assert_int_equal(t->ok, 0);
	assert_non_null(strstr(t->reason, "signal 11"));
}

// Each waits for all the others: one after another would never end.
static void test_parallel(void **state)
{
	struct test *t = *state;

	agent(t, "fence_wait", "case $action in off) touch $d/in.$$; "
	      "while [ $(ls $d | grep -c ^in) -lt 8 ]; do sleep 0.05; done;; "
	      "status) exit 2;; esac");
	for (int i = 0; i < 8; i++)
		off(t, "fence_wait", "");
	run(t, 8);
	assert_int_equal(t->ok, 8);
}

// This program did not run while the agent did its work: that is not the agent's being late.
static void test_stall(void **state)
{
	struct test *t = *state;
	const struct timespec pause = { 0, 10000000 };

	fence_again(t, SHORT_MS, LIMIT_MS);
	agent(t, "fence_quick", "case $action in off) touch $d/done; sleep 0.3;; "
	      "status) exit 2;; esac");
	off(t, "fence_quick", "");
	loop_timer_ms(t->loop, &t->timer, 1, too_late, t);
	while (!file_there(t, "done")) {
		loop_run(t->loop);
		loop_timer_ms(t->loop, &t->timer, 1, too_late, t);
	}
	for (int i = 0; i < SHORT_MS / 10 + 20; i++)
		nanosleep(&pause, NULL);
	run(t, 1);
	assert_int_equal(t->ok, 1);
	assert_string_equal(t->reason, "fence_quick: status says off");
}

static void test_other_verbs(void **state)
{
	struct test *t = *state;

	agent(t, "fence_all", "case $action in monitor) exit 0;; on) touch $d/on;; "
	      "status) test -e $d/on && exit 0; exit 2;; esac");
	fence_call(t->fence, FENCE_MONITOR, "fence_all", "", called, t);
	run(t, 1);
	fence_call(t->fence, FENCE_STATUS, "fence_all", "", called, t);
	run(t, 2);
	assert_int_equal(t->ok, 1);
	fence_call(t->fence, FENCE_ON, "fence_all", "", called, t);
	run(t, 3);
	assert_int_equal(t->ok, 2);
}

static void test_close_while_running(void **state)
{
	struct test *t = *state;

	agent(t, "fence_long", "touch $d/begun; sleep 100");
	off(t, "fence_long", "");
	for (int i = 0; i < LIMIT_MS / 20 && !file_there(t, "begun"); i++) {
		loop_timer_ms(t->loop, &t->timer, 20, too_late, t);
		loop_run(t->loop);
	}
	assert_true(file_there(t, "begun"));
	fence_close(t->fence);
	t->fence = NULL;
	assert_int_equal(t->done, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_off), TEST(test_off_slowly_seen), TEST(test_failing), TEST(test_lying),
		TEST(test_status_broken), TEST(test_hanging), TEST(test_left_behind),
		TEST(test_babbling), TEST(test_endless), TEST(test_names), TEST(test_signal),
		TEST(test_parallel), TEST(test_stall), TEST(test_other_verbs),
		TEST(test_close_while_running),
	};

	setenv("SECRET", "not for agents", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
