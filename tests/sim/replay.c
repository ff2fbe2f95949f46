// SPDX-License-Identifier: Apache-2.0
/*
 * clustersim replay: the events of a flight recording once more through node_step(). The actions of
 * each step must encode to the bytes that the daemon recorded.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clusterd/recorder_io.h"
#include "tests/sim/replay.h"

enum { ACTIONS_MAX = 16384, ACTIONS_BYTES = 64 * 1024 * 1024, LINE_SIZE = 2048 };

struct replay {
	const char *path;
	const uint8_t *bytes;
	size_t size, at;
	struct recording_head head;
	void *memory;
	struct node *node;
	struct actions actions;
	void *actions_memory;
	struct recorded_event event;
	uint8_t *encoded;
	size_t encoded_size;
	uint64_t events, actions_seen;
	uint64_t first_ms, last_ms; // wall clock
	bool print, other_version, stepping;
};

// A trap of the core comes as a signal, which brings nothing with it.
static struct replay *trapped;

static void print_time(FILE *out, uint64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;
	char text[32];

	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", localtime_r(&seconds, &tm));
	fprintf(out, "%s.%03u", text, (unsigned int)(wall_ms % 1000));
}

static void print_event(FILE *out, const struct replay *replay)
{
	char line[LINE_SIZE];

	recording_event_describe(node_cluster(replay->node), &replay->event.event, line,
				 sizeof(line));
	fprintf(out, "%8" PRIu64 "  ", replay->events);
	print_time(out, replay->event.event.wall_ms);
	fprintf(out, "  %s\n", line);
}

static void print_action(FILE *out, const struct replay *replay, const char *prefix,
			 const struct recorded_action *recorded)
{
	char line[LINE_SIZE];

	recording_action_describe(node_cluster(replay->node), recorded, line, sizeof(line));
	fprintf(out, "%s%s\n", prefix, line);
}

static void print_actions(const struct replay *replay)
{
	for (uint32_t i = 0; i < replay->actions.count; i++) {
		struct recorded_action recorded = { .action = replay->actions.items[i] };

		print_action(stdout, replay, "            -> ", &recorded);
	}
}

static void on_trap(int number)
{
	struct replay *replay = trapped;

	if (!replay || !replay->stepping)
		_exit(128 + number);
	printf("%s: node_step() trapped (%s) in the event\n", replay->path, strsignal(number));
	print_event(stdout, replay);
	fflush(stdout);
	_exit(1);
}

// ---- what differs ----

// The nth action of the list, or false when there is none.
static bool nth_action(const uint8_t *bytes, size_t size, uint32_t nth,
		       struct recorded_action *recorded)
{
	struct reader reader;
	uint32_t count;

	if (!recording_actions_begin(&reader, bytes, size, &count) || nth >= count)
		return false;
	for (uint32_t i = 0; i <= nth; i++)
		if (!recording_action_next(recorded, &reader))
			return false;
	return true;
}

static bool same_action(const struct replay *replay, const struct recorded_action *a,
			const struct recorded_action *b)
{
	char left[LINE_SIZE], right[LINE_SIZE];

	recording_action_describe(node_cluster(replay->node), a, left, sizeof(left));
	recording_action_describe(node_cluster(replay->node), b, right, sizeof(right));
	return strcmp(left, right) == 0 && a->action.volume == b->action.volume &&
	       a->action.level == b->action.level && a->action.vm.slot == b->action.vm.slot &&
	       a->action.vm.serial == b->action.vm.serial;
}

static int report_difference(const struct replay *replay, const uint8_t *recorded, size_t size)
{
	printf("%s: differs after %" PRIu64 " events, in the event\n", replay->path,
	       replay->events - 1);
	print_event(stdout, replay);
	for (uint32_t nth = 0;; nth++) {
		struct recorded_action then, now;
		bool was = nth_action(recorded, size, nth, &then);
		bool is = nth_action(replay->encoded, replay->encoded_size, nth, &now);

		if (was && is && same_action(replay, &then, &now))
			continue;
		printf("  action %u\n", nth + 1);
		if (was)
			print_action(stdout, replay, "    recorded: ", &then);
		else
			puts("    recorded: none");
		if (!is) {
			puts("    replayed: none");
			break;
		}
		if (nth < replay->actions.count) { // with its body, which says more
			now.action.body = replay->actions.items[nth].body;
			now.action.body_size = replay->actions.items[nth].body_size;
		}
		print_action(stdout, replay, "    replayed: ", &now);
		break;
	}
	return 1;
}

// ---- frames ----

static int complain(const struct replay *replay, const char *what)
{
	printf("%s: %s\n", replay->path, what);
	return 1;
}

// False at the end, also when the last frame is cut: the power, or the process, ended there.
static bool frame_next(struct replay *replay, enum recording_frame *kind, const uint8_t **bytes,
		       uint32_t *size)
{
	size_t left = replay->size - replay->at;

	*kind = (enum recording_frame)0;
	if (left < RECORDING_FRAME_HEAD)
		return false;
	*kind = recording_frame_read(replay->bytes + replay->at, size);
	if (*kind == 0)
		return true;
	if (*size > left - RECORDING_FRAME_HEAD)
		return false;
	*bytes = replay->bytes + replay->at + RECORDING_FRAME_HEAD;
	replay->at += RECORDING_FRAME_HEAD + *size;
	return true;
}

static int step(struct replay *replay)
{
	size_t bound;

	replay->actions.count = 0;
	replay->actions.used = 0;
	replay->events++;
	replay->last_ms = replay->event.event.wall_ms;
	if (!replay->first_ms)
		replay->first_ms = replay->last_ms;
	if (replay->print)
		print_event(stdout, replay);
	replay->stepping = true;
	node_step(replay->node, &replay->event.event, &replay->actions);
	replay->stepping = false;
	replay->actions_seen += replay->actions.count;
	if (replay->print)
		print_actions(replay);
	bound = recording_actions_bound(&replay->actions);
	free(replay->encoded);
	replay->encoded = malloc(bound);
	replay->encoded_size =
		replay->encoded ? recording_actions_encode(&replay->actions, replay->encoded, bound)
				: 0;
	return replay->encoded_size ? 0 : complain(replay, "no memory");
}

static int load_memory(struct replay *replay, const uint8_t *bytes, size_t size)
{
	struct reader reader = { .buf = bytes, .size = size };
	uint64_t offset = read_u64(&reader);

	if (reader.failed || !replay->head.image || offset > replay->head.size ||
	    size - reader.at > replay->head.size - offset)
		return complain(replay, "the node's memory in it is malformed");
	memcpy((uint8_t *)replay->memory + offset, bytes + reader.at, size - reader.at);
	return 0;
}

static int frames_replay(struct replay *replay)
{
	enum recording_frame kind;
	const uint8_t *bytes;
	uint32_t size;
	bool open = false; // an event waits for its actions
	int error = 0;

	while (!error && frame_next(replay, &kind, &bytes, &size)) {
		if (kind == 0 || (kind == FRAME_ACTIONS) != open ||
		    (kind == FRAME_MEMORY && replay->events > 0))
			return complain(replay, "malformed: no frame where one must be");
		open = kind == FRAME_EVENT;
		if (kind == FRAME_MEMORY) {
			error = load_memory(replay, bytes, size);
		} else if (kind == FRAME_EVENT) {
			if (!recording_event_decode(&replay->event, bytes, size))
				return complain(replay, "an event in it is malformed");
			error = step(replay);
		} else if (size != replay->encoded_size ||
			   memcmp(bytes, replay->encoded, size) != 0) {
			return report_difference(replay, bytes, size);
		}
	}
	if (!error && replay->at < replay->size)
		fprintf(stderr, "%s: ends within a frame: the power, or the process, ended there\n",
			replay->path);
	if (!error && open)
		fprintf(stderr, "%s: ends within a step: the process ended there\n", replay->path);
	return error;
}

// ---- one file ----

static int head_check(struct replay *replay)
{
	enum recording_problem problem =
		recording_head_decode(&replay->head, replay->bytes, replay->size, &replay->at);
	const struct recording_head *head = &replay->head;

	switch (problem) {
	case RECORDING_GOOD:
		break;
	case RECORDING_NOT_ONE:
		return complain(replay, "no recording of clusterd, or nothing but its beginning");
	case RECORDING_FORMAT_OTHER:
		printf("%s: a recording of another version: made by clusterd %s, this is %s\n",
		       replay->path, head->version, CLUSTERD_VERSION);
		return 1;
	case RECORDING_MALFORMED:
		return complain(replay, "its head is malformed");
	}
	if (head->pointer_size != sizeof(void *) || head->long_size != sizeof(long))
		return complain(replay, "made on a machine with words of another size");
	if (head->core == recorder_core() || (replay->other_version && !head->image))
		return 0;
	printf("%s: a recording of another version: made by clusterd %s (core %016" PRIx64
	       "), this is %s (core %016" PRIx64 ")\n",
	       replay->path, head->version, head->core, CLUSTERD_VERSION, recorder_core());
	if (replay->other_version)
		puts("  it begins with that version's memory, which no other one understands");
	return 1;
}

static int memory_map(struct replay *replay)
{
	const struct recording_head *head = &replay->head;
	const uint64_t limit = 1ull << 36;

	if (head->limits.cluster.vms_max > 1000000 ||
	    head->limits.cluster.lease_slots_max > 1000000 ||
	    head->limits.view.records_max > 1 << 24 || head->limits.view.proposals_max > 1 << 24 ||
	    head->limits.view.log_bytes > limit || head->limits.view.proposal_bytes > limit ||
	    head->limits.view.copy_bytes > limit || head->limits.requests_max > 1 << 20 ||
	    head->size != node_memory(&head->limits))
		return complain(replay, "its node has another size");
	replay->memory = mmap((void *)(uintptr_t)(head->address & ~4095ull), head->size + 4096,
			      PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
				      (head->image ? MAP_FIXED_NOREPLACE : 0),
			      -1, 0);
	if (replay->memory == MAP_FAILED) {
		replay->memory = NULL;
		return complain(
			replay,
			"the place of the node's memory is taken in this process: try again");
	}
	if (head->image)
		replay->memory = (uint8_t *)replay->memory + head->address % 4096;
	replay->node = head->image ? replay->memory : node_init(&head->limits, replay->memory);
	return 0;
}

static void memory_unmap(struct replay *replay)
{
	if (replay->memory)
		munmap((void *)((uintptr_t)replay->memory & ~(uintptr_t)4095),
		       replay->head.size + 4096);
	replay->memory = NULL;
}

static int file_map(struct replay *replay)
{
	int fd = open(replay->path, O_RDONLY | O_CLOEXEC);
	struct stat about;
	void *bytes = MAP_FAILED;

	if (fd >= 0 && fstat(fd, &about) == 0 && about.st_size > 0) {
		replay->size = (size_t)about.st_size;
		bytes = mmap(NULL, replay->size, PROT_READ, MAP_PRIVATE, fd, 0);
	} else if (fd >= 0) {
		errno = ENODATA;
	}
	if (bytes == MAP_FAILED) {
		fprintf(stderr, "clustersim: %s: %s\n", replay->path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return 1;
	}
	close(fd);
	replay->bytes = bytes;
	return 0;
}

static int replay_file(struct replay *replay, const char *path)
{
	int error;

	replay->path = path;
	replay->at = replay->events = replay->actions_seen = replay->first_ms = 0;
	error = file_map(replay);
	if (error)
		return error;
	error = head_check(replay);
	if (!error)
		error = memory_map(replay);
	if (!error && replay->print)
		printf("%s: %s, clusterd %s, segment %u, %s\n", path, replay->head.host,
		       replay->head.version, replay->head.number,
		       replay->head.image ? "goes on from the node's memory"
					  : "from clusterd's start");
	if (!error)
		error = frames_replay(replay);
	if (!error) {
		printf("%s: %s, ", path, replay->head.host);
		print_time(stdout, replay->first_ms);
		printf(" to ");
		print_time(stdout, replay->last_ms);
		printf(", %" PRIu64 " events, %" PRIu64 " actions: identical\n", replay->events,
		       replay->actions_seen);
	}
	memory_unmap(replay);
	munmap((void *)(uintptr_t)replay->bytes, replay->size);
	return error;
}

static int is_recording(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return (length > 4 && strcmp(entry->d_name + length - 4, ".rec") == 0) ||
	       (entry->d_type == DT_DIR && entry->d_name[0] != '.');
}

static int replay_path(struct replay *replay, const char *path);

// A node's folder, or one of several of them.
static int replay_folder(struct replay *replay, const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_recording, alphasort), failed = 0;
	char path[4096];

	if (count < 0) {
		fprintf(stderr, "clustersim: %s: %s\n", folder, strerror(errno));
		return 1;
	}
	if (count == 0)
		fprintf(stderr, "clustersim: %s: holds no recording\n", folder);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		failed |= replay_path(replay, path);
		free(entries[i]);
	}
	free(entries);
	return failed || count == 0;
}

static int replay_path(struct replay *replay, const char *path)
{
	struct stat about;

	if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
		return replay_folder(replay, path);
	return replay_file(replay, path);
}

int replay_run(char **words, int count)
{
	static const int signals[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL };
	struct replay replay = { .actions = { .max = ACTIONS_MAX, .size = ACTIONS_BYTES } };
	int failed = 0, files = 0;

	for (int i = 0; i < count; i++) {
		if (strcmp(words[i], "--print") == 0)
			replay.print = true;
		else if (strcmp(words[i], "--other-version") == 0)
			replay.other_version = true;
		else
			files++;
	}
	if (files == 0) {
		fputs("clustersim: replay what? A recording, or a folder of them\n", stderr);
		return 2;
	}
	replay.actions_memory = recorder_map(ACTIONS_BYTES + ACTIONS_MAX * sizeof(struct action));
	if (!replay.actions_memory)
		return 1;
	replay.actions.bytes = replay.actions_memory;
	replay.actions.items = (struct action *)((uint8_t *)replay.actions_memory + ACTIONS_BYTES);
	trapped = &replay;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], on_trap);
	for (int i = 0; i < count; i++) {
		if (strncmp(words[i], "--", 2) != 0)
			failed |= replay_path(&replay, words[i]);
	}
	trapped = NULL;
	free(replay.encoded);
	munmap(replay.actions_memory, ACTIONS_BYTES + ACTIONS_MAX * sizeof(struct action));
	return failed;
}
