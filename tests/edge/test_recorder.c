// SPDX-License-Identifier: Apache-2.0
// The flight recorder over real files: what a process that dies leaves, what is deleted, a disk
// that fails.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clusterd/recorder_io.h"

enum { FILE_MAX_SIZE = 8 * 1024 * 1024 };

static const struct node_limits limits = {
	.cluster = { .vms_max = 16, .lease_slots_max = 32 },
	.view = { .records_max = 64,
		  .log_bytes = 65536,
		  .proposals_max = 16,
		  .proposal_bytes = 65536,
		  .copy_bytes = 65536 },
	.requests_max = 4,
};

struct folder {
	char path[64], directory[96];
	uint8_t *memory;
	uint8_t *bytes; // of the segment that was read last
	size_t size;
};

static int place_make(void **state)
{
	struct folder *place = calloc(1, sizeof(*place));

	strcpy(place->path, "/tmp/test-recorder-XXXXXX");
	if (!mkdtemp(place->path))
		return -1;
	snprintf(place->directory, sizeof(place->directory), "%s/recording", place->path);
	place->memory = recorder_map(node_memory(&limits));
	place->bytes = malloc(FILE_MAX_SIZE);
	node_init(&limits, place->memory);
	*state = place;
	return 0;
}

static int place_remove(void **state)
{
	struct folder *place = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", place->path);
	munmap(place->memory, node_memory(&limits));
	free(place->bytes);
	if (system(command) != 0)
		return -1;
	free(place);
	return 0;
}

static struct recorder *open_it(struct folder *place, size_t segment_size, bool crash)
{
	const struct recorder_options options = {
		.directory = place->directory,
		.host = "n1",
		.limits = &limits,
		.memory = place->memory,
		.size = node_memory(&limits),
		.segment_size = segment_size,
		.crash = crash,
	};
	struct recorder *recorder;

	assert_int_equal(recorder_open(&recorder, &options), 0);
	return recorder;
}

static bool segment_exists(const struct folder *place, unsigned int number)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%08u.rec", place->directory, number);
	return access(path, F_OK) == 0;
}

static struct recording_head segment_read(struct folder *place, unsigned int number, size_t *at)
{
	struct recording_head head;
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%08u.rec", place->directory, number);
	file = fopen(path, "rb");
	assert_non_null(file);
	place->size = fread(place->bytes, 1, FILE_MAX_SIZE, file);
	fclose(file);
	assert_int_equal(recording_head_decode(&head, place->bytes, place->size, at),
			 RECORDING_GOOD);
	assert_int_equal(head.number, number);
	assert_string_equal(head.host, "n1");
	assert_int_equal(head.core, recorder_core());
	return head;
}

// Frames of a kind from *at on; *last: the last one's bytes.
static uint32_t frames(const struct folder *place, size_t at, enum recording_frame kind,
		       const uint8_t **last, uint32_t *size)
{
	uint32_t count = 0, length;

	while (at < place->size) {
		enum recording_frame found;

		assert_true(place->size - at >= RECORDING_FRAME_HEAD);
		found = recording_frame_read(place->bytes + at, &length);
		assert_true(found != 0 && length <= place->size - at - RECORDING_FRAME_HEAD);
		if (found == kind) {
			count++;
			*last = place->bytes + at + RECORDING_FRAME_HEAD;
			*size = length;
		}
		at += RECORDING_FRAME_HEAD + length;
	}
	return count;
}

static void step(struct recorder *recorder, uint64_t token)
{
	const struct event event = {
		.type = EVENT_STORE_SYNCED, .token = token, .reason = "abc", .now_ms = token
	};
	struct action action = { .type = ACTION_STORE_SYNC, .token = token };
	const struct actions actions = { .items = &action, .count = 1, .max = 1 };

	recorder_event(recorder, &event);
	recorder_actions(recorder, &actions);
}

static void test_what_was_given_is_there(void **state)
{
	struct folder *place = *state;
	struct recorder *recorder = open_it(place, 0, false);
	struct recorded_event event;
	const uint8_t *last = NULL;
	uint32_t size = 0;
	size_t at;

	for (uint64_t i = 1; i <= 5000; i++)
		step(recorder, i);
	recorder_close(recorder);
	assert_false(segment_read(place, 1, &at).image);
	assert_int_equal(frames(place, at, FRAME_ACTIONS, &last, &size), 5000);
	assert_int_equal(frames(place, at, FRAME_EVENT, &last, &size), 5000);
	assert_true(recording_event_decode(&event, last, size));
	assert_int_equal(event.event.token, 5000);
	assert_string_equal(event.event.reason, "abc");
}

static void test_segments_begin_with_the_memory_and_are_bounded(void **state)
{
	struct folder *place = *state;
	struct recorder *recorder = open_it(place, 4096, false);
	uint8_t *copy = calloc(1, node_memory(&limits));
	struct recording_head head;
	size_t at;
	unsigned int last = 0;

	for (uint64_t i = 1; i <= 60000; i++)
		step(recorder, i);
	recorder_close(recorder);
	for (unsigned int number = 1; number < 1000; number++)
		last = segment_exists(place, number) ? number : last;
	assert_true(last > RECORDER_SEGMENTS_MAX);
	for (unsigned int number = 1; number <= last; number++)
		assert_int_equal(segment_exists(place, number),
				 number + RECORDER_SEGMENTS_MAX > last);

	head = segment_read(place, last, &at);
	assert_true(head.image);
	assert_int_equal(head.address, (uintptr_t)place->memory);
	while (at < place->size) {
		uint32_t length;
		struct reader r;
		uint64_t offset;

		if (recording_frame_read(place->bytes + at, &length) == FRAME_MEMORY) {
			r = (struct reader){ .buf = place->bytes + at + RECORDING_FRAME_HEAD,
					     .size = length };
			offset = read_u64(&r);
			memcpy(copy + offset, r.buf + 8, length - 8);
		}
		at += RECORDING_FRAME_HEAD + length;
	}
	assert_memory_equal(copy, place->memory, node_memory(&limits));
	free(copy);
}

static void test_a_crash_loses_nothing_and_a_restart_keeps_it(void **state)
{
	struct folder *place = *state;
	const uint8_t *last = NULL;
	struct recorded_event event;
	uint32_t size = 0;
	int status;
	size_t at;
	pid_t child = fork();

	if (child == 0) {
		const struct event fatal = { .type = EVENT_TICK, .now_ms = 77 };
		const struct rlimit none = { 0, 0 };
		struct recorder *recorder = open_it(place, 0, true);

		setrlimit(RLIMIT_CORE, &none);
		for (uint64_t i = 1; i <= 100; i++)
			step(recorder, i);
		recorder_event(recorder, &fatal);
		abort();
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	recorder_close(open_it(place, 0, false));
	assert_true(segment_exists(place, 2));
	segment_read(place, 1, &at);
	assert_int_equal(frames(place, at, FRAME_ACTIONS, &last, &size), 100);
	assert_int_equal(frames(place, at, FRAME_EVENT, &last, &size), 101);
	assert_true(recording_event_decode(&event, last, size));
	assert_int_equal(event.event.type, EVENT_TICK);
	assert_int_equal(event.event.now_ms, 77);
}

// A limit on a file's size does what a full disk does.
static void test_a_full_disk_costs_the_recording_alone(void **state)
{
	struct folder *place = *state;
	int status;
	pid_t child = fork();

	if (child == 0) {
		const struct rlimit little = { 4096, 4096 };
		struct recorder *recorder;

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &little);
		recorder = open_it(place, 0, false);
		for (uint64_t i = 1; i <= 200000; i++)
			step(recorder, i);
		recorder_close(recorder);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_false(segment_exists(place, 2));
}

static void test_no_folder_is_an_error_and_no_recorder_is_none(void **state)
{
	struct folder *place = *state;
	struct recorder_options options = { .directory = "/proc/nothing/here",
					    .limits = &limits,
					    .memory = place->memory,
					    .size = 1 };
	struct recorder *recorder;

	assert_true(recorder_open(&recorder, &options) < 0);
	assert_null(recorder);
	step(NULL, 1);
	recorder_close(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, place_make, place_remove)
	const struct CMUnitTest tests[] = {
		TEST(test_what_was_given_is_there),
		TEST(test_segments_begin_with_the_memory_and_are_bounded),
		TEST(test_a_crash_loses_nothing_and_a_restart_keeps_it),
		TEST(test_a_full_disk_costs_the_recording_alone),
		TEST(test_no_folder_is_an_error_and_no_recorder_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
