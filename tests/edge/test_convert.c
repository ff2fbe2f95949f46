// SPDX-License-Identifier: Apache-2.0
// Leases made shared, and exclusive again, by a sanlock that fails at its Nth call, for every N:
// what is called exclusive is exclusive, whatever failed; and in the end it becomes what was asked.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clusterd/exec_io.h"
#include "csv/sanlock_io.h"
#include "tests/edge/fake_sanlock.h"

enum { HOST_ID = 1, LEASES = 3, CALLS_MAX = 60 };

struct test {
	char folder[64];
	struct lock_volume volume;
	struct lock_lease leases[LEASES];
	pid_t pid;
};

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl("/bin/sleep", "sleep", "60", NULL);
		_exit(1);
	}
	return pid;
}

static void test_begin(struct test *t)
{
	char reason[REASON_SIZE] = "", directory[80];
	enum lease_error error;
	uint64_t generation;

	memset(t, 0, sizeof(*t));
	fake_sanlock_begin(0, FAKE_REFUSED, 0);
	snprintf(t->folder, sizeof(t->folder), "/var/tmp/test-convert-XXXXXX");
	assert_non_null(mkdtemp(t->folder));
	snprintf(directory, sizeof(directory), "mkdir %s/.clusterd", t->folder);
	assert_int_equal(system(directory), 0);
	lock_volume_init(&t->volume, "v1", t->folder, 1);
	assert_true(lock_prepare(&t->volume, reason));
	assert_true(lock_join(&t->volume, HOST_ID, &generation, reason));
	for (uint32_t i = 0; i < LEASES; i++) {
		struct uuid uuid = { { (uint8_t)(i + 1) } };

		lock_lease_init(&t->leases[i], &t->volume, i, &uuid);
		assert_true(lock_lease_write(&t->leases[i], reason));
	}
	t->pid = sleeper();
	assert_true(lock_acquire(t->pid, t->leases, LEASES, false, &error, reason));
}

static void test_end(struct test *t)
{
	const char *const argv[] = { "rm", "-rf", t->folder, NULL };
	char output[64];

	kill(t->pid, SIGKILL);
	waitpid(t->pid, NULL, 0);
	assert_int_equal(exec_run(argv, output, sizeof(output), 5000), 0);
	fake_sanlock_close();
}

// Once; what it says is true. Whether it became so.
static bool convert(struct test *t, bool to_shared, enum lease_error *error)
{
	char reason[REASON_SIZE] = "";
	bool shared = !to_shared;
	bool good = lock_convert(t->pid, t->leases, LEASES, to_shared, &shared, error, reason);
	uint32_t is_shared = fake_sanlock_shared(t->pid);

	if (good) {
		assert_true(shared == to_shared);
		assert_int_equal(is_shared, to_shared ? LEASES : 0);
	} else {
		assert_in_range(*error, 1, LEASE_ERROR_COUNT - 1);
		assert_true(strlen(reason) > 0);
	}
	assert_true(shared || is_shared == 0);
	return good;
}

static void test_back_and_forth(void **state)
{
	enum lease_error error = 0;
	struct test t;

	(void)state;
	test_begin(&t);
	for (int i = 0; i < 3; i++) {
		assert_true(convert(&t, true, &error));
		assert_true(convert(&t, true, &error));
		assert_true(convert(&t, false, &error));
		assert_true(convert(&t, false, &error));
	}
	test_end(&t);
}

// As long as another host has one of them shared, none of them is called exclusive.
static void test_other_shares(void **state)
{
	enum lease_error error = 0;
	struct test t;
	bool shared;

	(void)state;
	test_begin(&t);
	assert_true(convert(&t, true, &error));
	for (uint32_t i = 0; i < LEASES; i++) {
		fake_sanlock_share(t.leases[i].offset, true);
		assert_false(convert(&t, false, &error));
		assert_int_equal(error, LEASE_ERROR_HELD);
		assert_true(lock_holds(t.pid, t.leases, LEASES, &shared));
		assert_true(shared);
		fake_sanlock_share(t.leases[i].offset, false);
		assert_true(convert(&t, false, &error));
		assert_true(convert(&t, true, &error));
	}
	test_end(&t);
}

static void test_nobodys(void **state)
{
	enum lease_error error = 0;
	struct test t;
	pid_t other = sleeper(), first;

	(void)state;
	test_begin(&t);
	first = t.pid;
	t.pid = other;
	assert_false(convert(&t, true, &error));
	assert_int_equal(error, LEASE_ERROR_PROCESS);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	assert_false(convert(&t, false, &error));
	t.pid = first;
	test_end(&t);
}

// The one call fails; then what was asked for is asked for again, as the core does it.
static bool fails_at(uint64_t at, enum fake_fault fault, int code, bool to_shared)
{
	enum lease_error error = 0;
	struct test t;
	bool failed;

	test_begin(&t);
	if (!to_shared)
		assert_true(convert(&t, true, &error));
	fake_sanlock_fail(at, fault, code);
	if (!convert(&t, to_shared, &error)) {
		// A share that failed leaves them exclusive wherever that was possible.
		if (to_shared && code == -EAGAIN && fault == FAKE_REFUSED)
			assert_int_equal(fake_sanlock_shared(t.pid), 0);
		assert_true(convert(&t, to_shared, &error));
	}
	failed = fake_sanlock_failed();
	test_end(&t);
	return failed;
}

static void test_fails(void **state)
{
	static const int codes[] = { -EAGAIN, -EIO, -ECONNRESET, -EINVAL };
	uint64_t reached = 0;

	(void)state;
	for (size_t code = 0; code < sizeof(codes) / sizeof(codes[0]); code++)
		for (int fault = FAKE_REFUSED; fault <= FAKE_LOST; fault++)
			for (int to_shared = 0; to_shared < 2; to_shared++)
				for (uint64_t at = 1; at < CALLS_MAX; at++) {
					if (!fails_at(at, (enum fake_fault)fault, codes[code],
						      to_shared))
						break;
					reached++;
				}
	assert_true(reached >= 4 * 2 * 2 * 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_back_and_forth),
		cmocka_unit_test(test_other_shares),
		cmocka_unit_test(test_nobodys),
		cmocka_unit_test(test_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
