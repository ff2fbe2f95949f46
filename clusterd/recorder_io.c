// SPDX-License-Identifier: Apache-2.0
/*
 * The node's thread puts frames into pieces of memory; a thread takes them five times a second and
 * writes them. What a slow disk leaves unwritten is bounded: then the recording has a gap, and goes
 * on in a new segment that begins with the node's memory.
 */
#include "clusterd/recorder_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "clusterd/core_id.h"
#include "clusterd/log_io.h"

enum {
	PIECE_SIZE = 64 * 1024,
	GATHER_MS = 200, // between two writes
	GATHER_SIZE = 256 * 1024,
	WAITING_MAX = 16 * 1024 * 1024, // not yet written
	AGAIN_MS = 60000,		// after a failure
	FREE_MIN_MIB = 256,		// the store must not run out of disk because of a recording
	NAME_MAX_SIZE = 320,
	MEMORY_FRAME_MAX = 1024 * 1024,
	SEGMENTS_SEEN_MAX = 4096,
};

struct piece {
	struct piece *next;
	char path[NAME_MAX_SIZE]; // a new file begins with it; "" elsewhere
	size_t used, room;
	uint8_t bytes[];
};

struct recorder {
	char directory[256], host[NAME_SIZE];
	struct node_limits limits;
	const uint8_t *memory;
	size_t size, segment_size;
	uint32_t number; // of the last segment
	bool on, complained;
	uint64_t again_ms;
	size_t written; // frames of this segment, its memory not counted
	size_t image;	// what its memory took

	pthread_t thread;
	pthread_mutex_t mutex; // guards what follows
	pthread_cond_t changed;
	struct piece *first, *last;
	size_t waiting;
	bool closing;
	_Atomic bool busy; // the thread writes
	_Atomic int error; // of the thread's last write; negative errno
	int fd;		   // the thread's
};

// A signal's handler can be given nothing else.
static struct recorder *crash_recorder;

uint64_t recorder_core(void)
{
	return CORE_ID;
}

static uint64_t clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// ---- memory ----

void *recorder_map(size_t size)
{
	enum { TRIES = 8 };
	void *memory = MAP_FAILED;

	// Between what programs and libraries use on 64-bit Linux, at a place that an attacker
	// cannot foresee.
	for (int i = 0; i < TRIES && memory == MAP_FAILED && sizeof(void *) == 8; i++) {
		uint64_t random = 0;

		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			break;
		memory = mmap((void *)(uintptr_t)(0x200000000000 + (random & 0xfffffe00000)), size,
			      PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1,
			      0);
	}
	if (memory == MAP_FAILED)
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

// ---- files ----

static void segment_path(const struct recorder *recorder, uint32_t number, char *path, size_t size)
{
	snprintf(path, size, "%s/%08u.rec", recorder->directory, number);
}

// The numbers of the segments in the folder, ascending; at most SEGMENTS_SEEN_MAX.
static uint32_t segments_find(const struct recorder *recorder, uint32_t *numbers)
{
	DIR *folder = opendir(recorder->directory);
	struct dirent *entry;
	uint32_t count = 0;

	while (folder && count < SEGMENTS_SEEN_MAX && (entry = readdir(folder))) {
		unsigned int number;
		int length = 0;
		uint32_t at;

		if (sscanf(entry->d_name, "%8u.rec%n", &number, &length) != 1 ||
		    length != (int)strlen(entry->d_name))
			continue;
		for (at = count++; at > 0 && numbers[at - 1] > number; at--)
			numbers[at] = numbers[at - 1];
		numbers[at] = number;
	}
	if (folder)
		closedir(folder);
	return count;
}

// Before a new one. The last two stay whatever their size: the end of an earlier process is what
// one looks for.
static void segments_prune(const struct recorder *recorder)
{
	uint32_t *numbers = calloc(SEGMENTS_SEEN_MAX, sizeof(*numbers));
	uint32_t count = numbers ? segments_find(recorder, numbers) : 0;
	off_t total = 0;

	for (uint32_t i = count; i-- > 0;) {
		uint32_t newer = count - 1 - i;
		char path[NAME_MAX_SIZE];
		struct stat about;

		segment_path(recorder, numbers[i], path, sizeof(path));
		if (newer < 2 || stat(path, &about) != 0)
			continue;
		total += about.st_size;
		if (newer >= RECORDER_SEGMENTS_MAX - 1 || total > RECORDER_TOTAL_SIZE)
			unlink(path);
	}
	free(numbers);
}

static int write_all(int fd, const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		ssize_t done = write(fd, bytes, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		bytes += done;
		size -= (size_t)done;
	}
	return 0;
}

// Safe in a signal's handler too.
static int piece_write(struct recorder *recorder, const struct piece *piece)
{
	if (piece->path[0]) {
		if (recorder->fd >= 0)
			close(recorder->fd);
		recorder->fd = open(piece->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (recorder->fd < 0)
			return -errno;
	}
	return recorder->fd < 0 ? 0 : write_all(recorder->fd, piece->bytes, piece->used);
}

static void pieces_write(struct recorder *recorder, struct piece *piece)
{
	while (piece) {
		struct piece *next = piece->next;
		int error;

		if (piece->path[0])
			segments_prune(recorder);
		error = piece->path[0] || !recorder->error ? piece_write(recorder, piece) : 0;

		if (error)
			recorder->error = error;
		free(piece);
		piece = next;
	}
}

// A little while, so that an idle node's events cost few writes; not so long that much waits.
static void recorder_gather(struct recorder *recorder)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += GATHER_MS * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!recorder->closing && recorder->waiting < GATHER_SIZE) {
		if (pthread_cond_timedwait(&recorder->changed, &recorder->mutex, &until) != 0)
			break;
	}
}

static void *recorder_main(void *data)
{
	struct recorder *recorder = data;

	pthread_setname_np(pthread_self(), "recorder");
	pthread_mutex_lock(&recorder->mutex);
	for (;;) {
		struct piece *first;

		while (!recorder->first && !recorder->closing)
			pthread_cond_wait(&recorder->changed, &recorder->mutex);
		if (!recorder->first)
			break;
		recorder_gather(recorder);
		recorder->busy = true;
		first = recorder->first;
		recorder->first = recorder->last = NULL;
		recorder->waiting = 0;
		pthread_mutex_unlock(&recorder->mutex);
		pieces_write(recorder, first);
		recorder->busy = false;
		pthread_mutex_lock(&recorder->mutex);
	}
	pthread_mutex_unlock(&recorder->mutex);
	return NULL;
}

// ---- the node's thread ----

// `size` bytes at the end of what waits, under the mutex. `path`: in a piece of its own that begins
// a file.
static uint8_t *room_take(struct recorder *recorder, size_t size, const char *path)
{
	struct piece *piece = recorder->last;
	size_t room = size > PIECE_SIZE ? size : PIECE_SIZE;

	if (piece && !path && piece->room - piece->used >= size)
		return piece->bytes + piece->used;
	piece = malloc(sizeof(*piece) + room);
	if (!piece)
		return NULL;
	piece->next = NULL;
	piece->used = 0;
	piece->room = room;
	snprintf(piece->path, sizeof(piece->path), "%s", path ? path : "");
	if (recorder->last)
		recorder->last->next = piece;
	else
		recorder->first = piece;
	recorder->last = piece;
	pthread_cond_signal(&recorder->changed);
	return piece->bytes;
}

static void room_used(struct recorder *recorder, size_t size)
{
	recorder->last->used += size;
	recorder->waiting += size;
}

static bool page_empty(const uint8_t *page, size_t size)
{
	return page[0] == 0 && memcmp(page, page + 1, size - 1) == 0;
}

// Which pages were ever touched, a byte each; all of them where the kernel does not say.
static uint8_t *pages_touched(const struct recorder *recorder, size_t page, size_t count)
{
	enum { PER_READ = 4096 };
	uint8_t *touched = malloc(count);
	uint64_t words[PER_READ];
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	off_t from = (off_t)((uintptr_t)recorder->memory / page * sizeof(uint64_t));

	if (touched)
		memset(touched, 1, count);
	for (size_t at = 0; touched && fd >= 0 && at < count; at += PER_READ) {
		size_t many = count - at < PER_READ ? count - at : PER_READ;
		ssize_t got = pread(fd, words, many * sizeof(words[0]),
				    from + (off_t)(at * sizeof(words[0])));

		if (got != (ssize_t)(many * sizeof(words[0])))
			break;
		for (size_t i = 0; i < many; i++)
			touched[at + i] = (words[i] >> 62) != 0; // present, or swapped out
	}
	if (fd >= 0)
		close(fd);
	return touched;
}

// Offset and bytes of runs of pages; the first and the last page may be cut by the node's memory.
static bool memory_frame(struct recorder *recorder, size_t from, size_t to)
{
	uint8_t *at = room_take(recorder, RECORDING_FRAME_HEAD + 8 + (to - from), NULL);
	struct writer w = { .buf = at ? at + RECORDING_FRAME_HEAD : NULL, .size = 8 + (to - from) };

	if (!at)
		return false;
	recording_frame_write(at, FRAME_MEMORY, (uint32_t)(8 + (to - from)));
	write_u64(&w, from);
	write_bytes(&w, recorder->memory + from, to - from);
	room_used(recorder, RECORDING_FRAME_HEAD + w.used);
	recorder->image += to - from;
	return true;
}

static bool memory_frames(struct recorder *recorder)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), skew = (uintptr_t)recorder->memory % page;
	size_t count = (skew + recorder->size + page - 1) / page, from = 0, to = 0;
	uint8_t *touched = pages_touched(recorder, page, count);
	bool good = touched != NULL;

	for (size_t i = 0; i < count && good; i++) {
		size_t begin = i == 0 ? 0 : i * page - skew, end = (i + 1) * page - skew;

		end = end < recorder->size ? end : recorder->size;
		if (!touched[i] || page_empty(recorder->memory + begin, end - begin))
			continue;
		if (to > from && (to != begin || end - from > MEMORY_FRAME_MAX)) {
			good = memory_frame(recorder, from, to);
			from = begin;
		}
		from = to > from ? from : begin;
		to = end;
	}
	if (good && to > from)
		good = memory_frame(recorder, from, to);
	free(touched);
	return good;
}

static bool disk_has_room(const struct recorder *recorder)
{
	struct statvfs about;

	return statvfs(recorder->directory, &about) != 0 ||
	       (uint64_t)about.f_bavail * about.f_frsize >= (uint64_t)FREE_MIN_MIB << 20;
}

// Under the mutex.
static bool segment_begin(struct recorder *recorder, bool image)
{
	struct recording_head head = {
		.version = CLUSTERD_VERSION,
		.core = recorder_core(),
		.pointer_size = sizeof(void *),
		.long_size = sizeof(long),
		.image = image,
		.number = ++recorder->number,
		.wall_ms = clock_ms(CLOCK_REALTIME),
		.limits = recorder->limits,
		.address = (uintptr_t)recorder->memory,
		.size = recorder->size,
	};
	char path[NAME_MAX_SIZE];
	uint8_t *at;
	size_t size;

	memcpy(head.host, recorder->host, sizeof(head.host));
	segment_path(recorder, head.number, path, sizeof(path));
	at = room_take(recorder, RECORDING_HEAD_MAX, path);
	size = at ? recording_head_encode(&head, at, RECORDING_HEAD_MAX) : 0;
	if (size == 0)
		return false;
	room_used(recorder, size);
	recorder->written = recorder->image = 0;
	return !image || memory_frames(recorder);
}

static void recorder_off(struct recorder *recorder, const char *why)
{
	recorder->on = false;
	recorder->again_ms = clock_ms(CLOCK_MONOTONIC) + AGAIN_MS;
	if (!recorder->complained)
		log_text(LOG_LEVEL_WARNING, "%s: nothing is recorded: %s", recorder->directory,
			 why);
	recorder->complained = true;
}

// Before a step: the node's memory is whole then.
static void recorder_look(struct recorder *recorder)
{
	int error = recorder->error;

	if (recorder->on && error)
		recorder_off(recorder, strerror(-error));
	if (recorder->on && recorder->waiting > WAITING_MAX + recorder->image)
		recorder_off(recorder, "the disk is too slow");
	if (recorder->on && recorder->written < recorder->segment_size + recorder->image)
		return;
	if (!recorder->on &&
	    (clock_ms(CLOCK_MONOTONIC) < recorder->again_ms || recorder->waiting > 0))
		return;
	recorder->error = 0;
	recorder->on = false;
	if (!disk_has_room(recorder)) {
		recorder_off(recorder, "the disk is nearly full");
		return;
	}
	recorder->on = segment_begin(recorder, true);
	if (!recorder->on)
		recorder_off(recorder, "no memory");
}

typedef size_t (*frame_fn)(const void *what, uint8_t *buf, size_t size);

static void recorder_frame(struct recorder *recorder, enum recording_frame kind, size_t bound,
			   frame_fn encode, const void *what)
{
	uint8_t *at = room_take(recorder, RECORDING_FRAME_HEAD + bound, NULL);
	size_t size = at ? encode(what, at + RECORDING_FRAME_HEAD, bound) : 0;

	if (size == 0) {
		recorder_off(recorder, "an event could not be kept");
		return;
	}
	recording_frame_write(at, kind, (uint32_t)size);
	room_used(recorder, RECORDING_FRAME_HEAD + size);
	recorder->written += RECORDING_FRAME_HEAD + size;
}

static size_t encode_event(const void *what, uint8_t *buf, size_t size)
{
	return recording_event_encode(what, buf, size);
}

static size_t encode_actions(const void *what, uint8_t *buf, size_t size)
{
	return recording_actions_encode(what, buf, size);
}

void recorder_event(struct recorder *recorder, const struct event *event)
{
	if (!recorder)
		return;
	pthread_mutex_lock(&recorder->mutex);
	recorder_look(recorder);
	if (recorder->on)
		recorder_frame(recorder, FRAME_EVENT, recording_event_bound(event), encode_event,
			       event);
	pthread_mutex_unlock(&recorder->mutex);
}

void recorder_actions(struct recorder *recorder, const struct actions *actions)
{
	if (!recorder)
		return;
	pthread_mutex_lock(&recorder->mutex);
	if (recorder->on)
		recorder_frame(recorder, FRAME_ACTIONS, recording_actions_bound(actions),
			       encode_actions, actions);
	pthread_mutex_unlock(&recorder->mutex);
}

// ---- life ----

/*
 * The process is about to die of the signal: what it was doing is worth more than order. The thread
 * is given a second to end its write; locks are not taken, whoever holds them may be the one that
 * died.
 */
static void on_crash(int number)
{
	struct recorder *recorder = crash_recorder;
	struct timespec pause = { .tv_nsec = 10000000 };

	(void)number;
	crash_recorder = NULL;
	if (!recorder)
		return;
	for (int i = 0; recorder->busy && i < 100; i++)
		nanosleep(&pause, NULL);
	for (struct piece *piece = recorder->first; piece; piece = piece->next)
		piece_write(recorder, piece);
}

// A handler that is there already (a sanitizer's) stays. Ours is gone before it runs: the signal
// then does what it does.
static void crash_watch(struct recorder *recorder)
{
	static const int signals[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL };
	struct sigaction ours = { .sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND }, present;

	crash_recorder = recorder;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (sigaction(signals[i], NULL, &present) == 0 && present.sa_handler == SIG_DFL)
			sigaction(signals[i], &ours, NULL);
	}
}

// Its parent too, for whoever has no store beside it.
static int folder_make(const char *path)
{
	char parent[256];
	char *slash;

	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (errno != ENOENT || !slash || slash == parent)
		return -errno;
	*slash = 0;
	return mkdir(parent, 0700) == 0 && mkdir(path, 0700) == 0 ? 0 : -errno;
}

static int recorder_start(struct recorder *recorder)
{
	uint32_t *numbers = calloc(SEGMENTS_SEEN_MAX, sizeof(*numbers));
	uint32_t count;
	sigset_t all, old;
	int error;

	if (!numbers)
		return -ENOMEM;
	count = segments_find(recorder, numbers);
	recorder->number = count > 0 ? numbers[count - 1] : 0;
	free(numbers);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&recorder->thread, NULL, recorder_main, recorder);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -error;
}

int recorder_open(struct recorder **out, const struct recorder_options *options)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));
	pthread_condattr_t attributes;
	int error;

	*out = NULL;
	if (!recorder)
		return -ENOMEM;
	snprintf(recorder->directory, sizeof(recorder->directory), "%s", options->directory);
	snprintf(recorder->host, sizeof(recorder->host), "%s", options->host ? options->host : "");
	recorder->limits = *options->limits;
	recorder->memory = options->memory;
	recorder->size = options->size;
	recorder->segment_size =
		options->segment_size ? options->segment_size : RECORDER_SEGMENT_SIZE;
	recorder->fd = -1;
	pthread_mutex_init(&recorder->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&recorder->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	error = folder_make(recorder->directory);
	if (!error)
		error = recorder_start(recorder);
	if (error) {
		pthread_cond_destroy(&recorder->changed);
		pthread_mutex_destroy(&recorder->mutex);
		free(recorder);
		return error;
	}
	if (disk_has_room(recorder))
		recorder->on = segment_begin(recorder, false);
	if (!recorder->on)
		recorder_off(recorder, "the disk is nearly full");
	if (options->crash)
		crash_watch(recorder);
	*out = recorder;
	return 0;
}

void recorder_close(struct recorder *recorder)
{
	if (!recorder)
		return;
	if (crash_recorder == recorder)
		crash_recorder = NULL;
	pthread_mutex_lock(&recorder->mutex);
	recorder->closing = true;
	pthread_cond_signal(&recorder->changed);
	pthread_mutex_unlock(&recorder->mutex);
	pthread_join(recorder->thread, NULL);
	if (recorder->fd >= 0)
		close(recorder->fd);
	pthread_cond_destroy(&recorder->changed);
	pthread_mutex_destroy(&recorder->mutex);
	free(recorder);
}
