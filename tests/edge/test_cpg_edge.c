// SPDX-License-Identifier: Apache-2.0
// The edges to corosync against a fake that fails at its Nth call, for every N that there is, in
// two ways: whatever fails, they come back by themselves and say the same in the end.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clusterd/cmap_io.h"
#include "clusterd/cpg_io.h"
#include "clusterd/log_io.h"
#include "clusterd/loop_io.h"
#include "quorum/votequorum_io.h"
#include "tests/edge/fake_corosync.h"

enum { LARGE = 300000, CHILDREN = 48, CALLS_MAX = 2000, EXIT_NOT_REACHED = 77, LIMIT_MS = 60000,
       SETTLE_MS = 600, HANDLES = 4 };

struct test {
	struct loop *loop;
	struct group *group;
	struct ring *ring;
	struct cmap *cmap;
	struct loop_timer timer;
	bool timed_out, grouped, ringed, listed, small, large, ended, done;
	uint32_t lost, groups, messages, awaited, order_errors, samples;
	uint32_t last_count;
	size_t last_size;
};

void log_text(enum log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

static void send_bytes(struct test *t, const uint8_t *body, size_t size)
{
	struct action action = { .type = ACTION_SEND, .body = body, .body_size = size };

	group_perform(t->group, &action);
}

static const uint8_t *pattern(void)
{
	static uint8_t bytes[LARGE];

	for (size_t i = 0; i < LARGE; i++)
		bytes[i] = (uint8_t)(i * 31 + i / 256);
	return bytes;
}

static void progress(struct test *t)
{
	if (t->done || !t->small || !t->large || !t->ringed || !t->listed)
		return;
	if (t->ended) {
		t->done = true;
		loop_stop(t->loop);
		return;
	}
	// The second life: everything has to come again.
	t->ended = true;
	t->small = t->large = t->ringed = false;
	fake_end_corosync();
}

static void posted(void *owner, const struct event *event)
{
	struct test *t = owner;

	if (event->type == EVENT_GROUP) {
		assert_int_equal(event->node_id, 1);
		assert_true(event->member_count >= 1);
		t->grouped = true;
		send_bytes(t, pattern(), 40);
		send_bytes(t, pattern(), LARGE);
	} else if (event->type == EVENT_GROUP_LOST) {
		assert_true(t->grouped);
		assert_true(strlen(event->reason) > 0);
		t->grouped = false;
		t->lost++;
	} else if (event->type == EVENT_MESSAGE) {
		assert_true(t->grouped);
		assert_int_equal(event->from_id, 1);
		assert_memory_equal(event->body, pattern(), event->body_size);
		t->small |= event->body_size == 40;
		t->large |= event->body_size == LARGE;
		assert_true(event->body_size == 40 || event->body_size == LARGE);
	} else if (event->type == EVENT_RING) {
		assert_true(event->flag);
		assert_int_equal(event->member_count, 2);
		t->ringed = true;
	} else if (event->type == EVENT_NODELIST) {
		assert_int_equal(event->node_id, 1);
		assert_int_equal(event->member_count, 2);
		t->listed = true;
	}
	progress(t);
}

static void too_late(void *owner)
{
	struct test *t = owner;

	t->timed_out = true;
	loop_stop(t->loop);
}

static void edges_open(struct test *t, event_post_fn post)
{
	struct edge edge;

	assert_int_equal(loop_open(&t->loop), 0);
	edge = (struct edge){ .loop = t->loop, .post = post, .owner = t };
	assert_int_equal(group_open(&t->group, &edge), 0);
	assert_int_equal(ring_open(&t->ring, &edge), 0);
	assert_int_equal(cmap_open(&t->cmap, &edge), 0);
}

static void edges_run(struct test *t, uint64_t limit_ms)
{
	loop_timer_ms(t->loop, &t->timer, limit_ms, too_late, t);
	loop_run(t->loop);
	loop_timer_cancel(&t->timer);
}

static void edges_close(struct test *t)
{
	group_close(t->group);
	ring_close(t->ring);
	cmap_close(t->cmap);
	loop_close(t->loop);
}

// A whole life, in a process of its own: they wait for each other's back-off, so many run at once.
static int life(uint64_t fail_at, cs_error_t code)
{
	struct test t = { 0 };

	fake_begin(fail_at, code);
	edges_open(&t, posted);
	edges_run(&t, LIMIT_MS);
	if (t.timed_out || t.lost == 0)
		return 1;
	// What still connects must have ended: a handle that is only half there cannot be given
	// back.
	for (int i = 0; i == 0 || (fake_open_handles() != HANDLES && i < LIMIT_MS / SETTLE_MS); i++)
		edges_run(&t, SETTLE_MS);
	if (strcmp(cmap_node_name(t.cmap, 1), "10.0.0.1") != 0 || cmap_node_id(t.cmap, "n2") != 2 ||
	    strcmp(cmap_cluster_name(t.cmap), "fake") != 0)
		return 2;
	edges_close(&t);
	if (fake_open_handles() != 0)
		return 3;
	return fake_failed() ? 0 : EXIT_NOT_REACHED;
}

static uint64_t lives(cs_error_t code)
{
	pid_t pids[CHILDREN];
	bool reached = true;
	uint64_t first = 1;

	for (; reached && first < CALLS_MAX; first += CHILDREN) {
		for (uint64_t i = 0; i < CHILDREN; i++) {
			fflush(NULL);
			pids[i] = fork();
			if (pids[i] == 0) {
				// What fails in here ends this process, and starts no other test.
				setenv("CMOCKA_TEST_ABORT", "1", 1);
				alarm(3 * LIMIT_MS / 1000);
				exit(life(first + i, code));
			}
		}
		for (uint64_t i = 0; i < CHILDREN; i++) {
			int status;

			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 &&
						   WEXITSTATUS(status) != EXIT_NOT_REACHED))
				fail_msg("call %llu failing: status %x",
					 (unsigned long long)(first + i), (unsigned int)status);
			reached = reached && WEXITSTATUS(status) == 0;
		}
	}
	assert_true(first > CHILDREN);
	return first;
}

static void test_every_call_fails(void **state)
{
	(void)state;
	print_message("gone: up to %llu calls\n", (unsigned long long)lives(CS_ERR_LIBRARY));
}

static void test_every_call_busy(void **state)
{
	(void)state;
	print_message("busy: up to %llu calls\n", (unsigned long long)lives(CS_ERR_TRY_AGAIN));
}

// Single cases

static void counted(void *owner, const struct event *event)
{
	struct test *t = owner;

	if (event->type == EVENT_GROUP)
		t->groups++;
	if (event->type == EVENT_GROUP_LOST)
		t->lost++;
	if (event->type == EVENT_MESSAGE) {
		uint32_t number = 0;

		if (event->body_size >= 4)
			memcpy(&number, event->body, 4);
		t->order_errors += number != t->messages;
		t->messages++;
		t->last_size = event->body_size;
	}
	if (event->type == EVENT_MEASURES_HEARD) {
		assert_int_equal(event->body_size, 4);
		assert_memory_equal(event->body, "load", 4);
		t->samples++;
	}
	if (t->awaited && t->groups + t->lost + t->messages >= t->awaited)
		loop_stop(t->loop);
}

// Until so many of the events that counted() counts have come; 0: for a while.
static void await(struct test *t, uint32_t events)
{
	t->timed_out = false;
	t->awaited = events;
	edges_run(t, events ? LIMIT_MS : 100);
	assert_true(!events || !t->timed_out);
}

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	fake_begin(0, CS_OK);
	edges_open(t, counted);
	await(t, 1);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	await(t, 0);
	edges_close(t);
	free(t);
	return 0;
}

static void test_busy_keeps_order(void **state)
{
	struct test *t = *state;
	uint8_t body[200000] = { 0 };

	fake_refuse(40);
	for (uint32_t i = 0; i < 50; i++) {
		memcpy(body, &i, sizeof(i));
		send_bytes(t, body, i % 7 == 0 ? sizeof(body) : 10);
	}
	await(t, 51);
	assert_int_equal(t->messages, 50);
	assert_int_equal(t->order_errors, 0);
	assert_int_equal(t->lost, 0);
}

static void sample_send(struct test *t)
{
	const struct action tell = {
		.type = ACTION_MEASURES_TELL, .body = (const uint8_t *)"load", .body_size = 4,
	};

	group_perform(t->group, &tell);
}

// It goes beside the log, and gives way to it.
static void test_samples(void **state)
{
	struct test *t = *state;
	uint32_t zero = 0;

	sample_send(t);
	for (int i = 0; t->samples < 1 && i < LIMIT_MS / 100; i++)
		await(t, 0);
	assert_int_equal(t->samples, 1);
	fake_refuse(5);
	send_bytes(t, (const uint8_t *)&zero, sizeof(zero));
	sample_send(t);
	await(t, 2);
	await(t, 0);
	assert_int_equal(t->messages, 1);
	assert_int_equal(t->samples, 1);
}

static void fragment(uint8_t *bytes, uint8_t version, uint8_t flags, uint32_t serial, uint32_t size)
{
	const uint8_t head[12] = {
		0x43, 0x44, version, flags, (uint8_t)serial, 0, 0, 0,
		(uint8_t)size, (uint8_t)(size >> 8), (uint8_t)(size >> 16), (uint8_t)(size >> 24),
	};

	memcpy(bytes, head, sizeof(head));
}

static void deliver(uint8_t version, uint8_t flags, uint32_t serial, uint32_t size, size_t have)
{
	uint8_t bytes[1000] = { 0 };

	fragment(bytes, version, flags, serial, size);
	fake_deliver(2, 9, bytes, 12 + have);
}

static void test_malformed(void **state)
{
	struct test *t = *state;

	fake_deliver(2, 9, "", 0);
	fake_deliver(2, 9, "CD\1\3\0\0\0\0\0\0\0", 11);		// head cut short
	fake_deliver(2, 9, "random bytes that are no head", 29);
	deliver(2, 3, 1, 4, 4);				// another version
	deliver(1, 11, 1, 4, 4);			// unknown flag
	deliver(1, 5, 1, 8, 4);				// a sample comes in one piece
	deliver(1, 3, 1, 4, 5);				// longer than it says
	deliver(1, 3, 1, 4, 3);				// shorter
	deliver(1, 1, 1, 0xffffffff, 4);		// enormous
	deliver(1, 1, 1, 10, 11);			// the first piece already too long
	deliver(1, 1, 2, 10, 4);
	deliver(1, 2, 2, 10, 4);			// the last piece too early
	deliver(1, 1, 3, 10, 4);
	deliver(1, 0, 3, 10, 6);			// complete, but not the last
	for (int i = 0; group_dropped(t->group) < 12 && i < LIMIT_MS / 100; i++)
		await(t, 0);
	await(t, 0);
	assert_int_equal(t->messages, 0);
	assert_int_equal(group_dropped(t->group), 12);
	assert_int_equal(t->lost, 0);
	deliver(1, 3, 4, 0, 0);				// an empty one is well-formed
	await(t, 2);
	assert_int_equal(t->messages, 1);
	assert_int_equal(t->last_size, 0);
}

static void test_pieces(void **state)
{
	struct test *t = *state;

	deliver(1, 0, 1, 10, 4);		// its beginning came before this node did
	deliver(1, 2, 1, 10, 6);
	deliver(1, 1, 2, 10, 4);
	deliver(1, 1, 3, 20, 4);		// begun anew
	deliver(1, 2, 2, 10, 6);
	deliver(1, 0, 3, 20, 8);
	deliver(1, 2, 3, 20, 8);
	await(t, 2);
	assert_int_equal(t->messages, 1);
	assert_int_equal(t->last_size, 20);
}

static void test_cut_by_membership(void **state)
{
	struct test *t = *state;

	deliver(1, 1, 1, 10, 4);
	fake_members(true, false);
	deliver(1, 2, 1, 10, 6);
	deliver(1, 3, 2, 4, 4);
	await(t, 3);
	assert_int_equal(t->groups, 2);
	assert_int_equal(t->messages, 1);
	assert_int_equal(t->last_size, 4);
}

static void test_thrown_out(void **state)
{
	struct test *t = *state;

	fake_members(false, true);
	await(t, 3);
	assert_int_equal(t->lost, 1);
	assert_int_equal(t->groups, 2);
}

static void test_rejoin(void **state)
{
	struct test *t = *state;
	struct action action = { .type = ACTION_GROUP_REJOIN };

	group_perform(t->group, &action);
	assert_int_equal(t->lost, 0);
	send_bytes(t, pattern(), 40);		// belongs to nobody: not sent
	await(t, 3);
	assert_int_equal(t->lost, 1);
	assert_int_equal(t->groups, 2);
	await(t, 0);
	assert_int_equal(t->messages, 0);
}

static void test_overflow(void **state)
{
	struct test *t = *state;

	fake_refuse(1000000);
	for (int i = 0; i < 80; i++)
		send_bytes(t, pattern(), LARGE);
	await(t, 3);
	assert_int_equal(t->lost, 1);
	assert_int_equal(t->messages, 0);
	fake_refuse(0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_call_fails),
		cmocka_unit_test(test_every_call_busy),
		TEST(test_busy_keeps_order),
		TEST(test_malformed),
		TEST(test_samples),
		TEST(test_pieces),
		TEST(test_cut_by_membership),
		TEST(test_thrown_out),
		TEST(test_rejoin),
		TEST(test_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
