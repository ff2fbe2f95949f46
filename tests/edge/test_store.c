// SPDX-License-Identifier: Apache-2.0
// The store: what it reported synced is there after a power cut at any point, and what is broken is
// said.
//
// Built twice: with STORE_MUTANT_SYNC_OFF the same crashes must lose something, or the test is
// worth nothing.
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "clusterd/log_io.h"
#include "clusterd/loop_io.h"
#include "clusterd/store_io.h"
#include "tests/edge/lossy_vfs.h"

enum { ENTRIES_MAX = 48, STATES_MAX = 4096, LIVES = 3, SEEDS = 150, BODY_MAX = 9000 };

struct model_entry {
	uint64_t index, view, hash;
};

struct model {
	struct model_entry snapshot;
	uint64_t promised;
	uint64_t hint, hint_most;	// durable at least, and given; what replaces all sets both
	uint32_t count;
	struct model_entry entries[ENTRIES_MAX];
};

struct test {
	struct loop *loop;
	struct store *store;
	struct loop_timer timer;
	char directory[64];
	bool opened, failed, timed_out, has_copy;
	uint64_t store_id, token_seen, tokens, awaited;
	struct model loaded;
	char reason[256];
	uint32_t lines, line_count;
	uint64_t first_line;
};

static uint32_t errors_logged;

void log_text(enum log_level level, const char *format, ...)
{
	(void)format;
	errors_logged += level == LOG_LEVEL_ERROR;
}

static uint64_t hash(const uint8_t *bytes, size_t size)
{
	uint64_t value = 0xcbf29ce484222325u;

	for (size_t i = 0; i < size; i++)
		value = (value ^ bytes[i]) * 0x100000001b3u;
	return value + size;
}

static uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void posted(void *owner, const struct event *event)
{
	struct test *t = owner;
	struct model_entry entry = {
		event->index, event->view, hash(event->body, event->body_size),
	};

	if (event->type == EVENT_STORE_SNAPSHOT) {
		t->loaded.snapshot = entry;
	} else if (event->type == EVENT_STORE_ENTRY) {
		assert_true(t->loaded.count < ENTRIES_MAX);
		t->loaded.entries[t->loaded.count++] = entry;
	} else if (event->type == EVENT_STORE_OPENED) {
		t->opened = true;
		t->store_id = event->store;
		t->has_copy = event->flag;
		t->loaded.promised = event->promised;
		t->loaded.hint = event->index;
		assert_true(event->incarnation != 0);
		loop_stop(t->loop);
	} else if (event->type == EVENT_STORE_SYNCED) {
		assert_false(t->failed);
		assert_int_equal(event->token, t->token_seen + 1);
		t->token_seen = event->token;
		if (t->token_seen >= t->awaited)
			loop_stop(t->loop);
	} else if (event->type == EVENT_STORE_FAILED) {
		assert_false(t->failed);
		t->failed = true;
		snprintf(t->reason, sizeof(t->reason), "%s", event->reason);
		loop_stop(t->loop);
	}
}

static void too_late(void *owner)
{
	struct test *t = owner;

	t->timed_out = true;
	loop_stop(t->loop);
}

static void run(struct test *t)
{
	t->timed_out = false;
	loop_timer_ms(t->loop, &t->timer, 60000, too_late, t);
	loop_run(t->loop);
	loop_timer_cancel(&t->timer);
	assert_false(t->timed_out);
}

static int begin(struct test *t, const char *vfs)
{
	struct store_options options = {
		.directory = t->directory, .vfs = vfs,
		.edge = { .loop = t->loop, .post = posted, .owner = t },
	};
	int error;

	t->opened = t->failed = false;
	t->token_seen = t->tokens = t->awaited = 0;
	memset(&t->loaded, 0, sizeof(t->loaded));
	error = store_open(&t->store, &options);
	if (!error)
		run(t);
	return error;
}

static void end(struct test *t)
{
	store_close(t->store);
	t->store = NULL;
}

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *ftw)
{
	(void)status;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	strcpy(t->directory, "/tmp/test-store.XXXXXX");
	assert_non_null(mkdtemp(t->directory));
	assert_int_equal(loop_open(&t->loop), 0);
	errors_logged = 0;
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	end(t);
	loop_close(t->loop);
	nftw(t->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(t);
	return 0;
}

// One random action, on the store and on the model.
static void act(struct test *t, struct model *m, uint64_t *random)
{
	static uint8_t body[BODY_MAX];
	struct action action = { 0 };
	uint64_t last = m->count ? m->entries[m->count - 1].index : m->snapshot.index;
	uint64_t choice = draw(random) % 16;

	action.view = 1 + draw(random) % 9;
	action.body = body;
	action.body_size = draw(random) % (draw(random) % 8 ? 200 : BODY_MAX);
	for (size_t i = 0; i < action.body_size; i++)
		body[i] = (uint8_t)draw(random);
	if (m->count == ENTRIES_MAX || choice == 0) {
		action.type = ACTION_STORE_SNAPSHOT;
		action.index = last;
		action.flag = draw(random) % 2;
		m->snapshot = (struct model_entry){
			last, action.view, hash(body, action.body_size) };
		m->count = 0;
		if (action.flag)
			m->hint = m->hint_most = last;
	} else if (choice == 1) {
		action.type = ACTION_STORE_TRUNCATE;
		action.index = m->snapshot.index + draw(random) % (m->count + 1);
		m->count = (uint32_t)(action.index - m->snapshot.index);
	} else if (choice == 2) {
		action.type = ACTION_STORE_PROMISE;
		action.view = m->promised + 1;
		m->promised = action.view;
	} else if (choice == 3) {
		action.type = ACTION_STORE_COMMIT;
		// As in life, where what is committed is never cut off: a hint only rises.
		action.index = last > m->hint_most ? last : m->hint_most;
		m->hint_most = action.index;
	} else {
		action.type = ACTION_STORE_ENTRY;
		action.index = choice == 4 && m->count ? last : last + 1;
		m->count = (uint32_t)(action.index - m->snapshot.index);
		m->entries[m->count - 1] = (struct model_entry){
			action.index, action.view, hash(body, action.body_size) };
	}
	store_perform(t->store, &action);
	if (draw(random) % 4 == 0)
		store_line_add(t->store, 1, LOG_LEVEL_INFO, "something happened");
}

static void lines_ignored(void *data, uint64_t cookie, const struct store_line *lines,
			  uint32_t count, int error)
{
	(void)data;
	(void)cookie;
	(void)lines;
	(void)count;
	(void)error;
}

static void put_sync(struct test *t)
{
	struct action action = { .type = ACTION_STORE_SYNC, .token = ++t->tokens };

	store_perform(t->store, &action);
}

// No sync waits for a hint: an older one may be found, but none of what was replaced since.
static bool model_equal(const struct model *a, const struct model *found)
{
	const struct model *b = found;

	return memcmp(&a->snapshot, &b->snapshot, sizeof(a->snapshot)) == 0 &&
	       a->promised == b->promised && b->hint >= a->hint && b->hint <= a->hint_most &&
	       a->count == b->count &&
	       memcmp(a->entries, b->entries, a->count * sizeof(a->entries[0])) == 0;
}

struct history {
	uint32_t count, synced;		// states; the first that a restart may show
	uint32_t at_token[STATES_MAX];
	struct model states[STATES_MAX];
};

// Until the power is cut: actions, several syncs under way at once.
static void life(struct test *t, struct history *h, uint64_t *random)
{
	for (uint32_t round = 0; round < 60 && !t->failed; round++) {
		for (uint64_t n = draw(random) % 12; n > 0; n--) {
			h->states[h->count] = h->states[h->count - 1];
			act(t, &h->states[h->count++], random);
		}
		put_sync(t);
		h->at_token[t->tokens] = h->count - 1;
		// To read the lines is to write those that wait, and the hint.
		if (draw(random) % 4 == 0)
			store_lines_read(t->store, 0, 0, 1, 0, lines_ignored, t);
		if (draw(random) % 3 == 0) {
			t->awaited = t->tokens;
			if (t->token_seen < t->awaited)
				run(t);
		}
	}
	lossy_vfs_crash();
	// Syncs that were done before the cut are still to be told, or are not: both are fine.
	end(t);
	if (t->token_seen)
		h->synced = h->at_token[t->token_seen];
}

// Returns false when something that was reported synced is lost.
static bool crash_run(struct test *t, uint64_t seed)
{
	static struct history h;
	uint64_t random = seed * 0x9e3779b97f4a7c15u + 7, id = 0;
	uint32_t match;

	memset(&h.states[0], 0, sizeof(h.states[0]));
	h.count = 1;
	for (int i = 0; i < LIVES; i++) {
		uint64_t limit = draw(&random) % 4 == 0 ? 40 : 900;

		lossy_vfs_begin(draw(&random), 1 + draw(&random) % limit);
		h.synced = 0;
		if (begin(t, LOSSY_VFS) == 0 && t->opened && id == 0)
			id = t->store_id;
		life(t, &h, &random);

		lossy_vfs_begin(1, 0);
		assert_int_equal(begin(t, LOSSY_VFS), 0);
		assert_true(t->opened);
		if (id && t->store_id != id)
			return false;
		id = t->store_id;
		for (match = h.count; match > h.synced; match--)
			if (model_equal(&h.states[match - 1], &t->loaded))
				break;
		if (match == h.synced)
			return false;
		h.states[0] = t->loaded;
		h.states[0].hint_most = t->loaded.hint;
		h.count = 1;
		end(t);
	}
	return true;
}

static void wipe(struct test *t)
{
	nftw(t->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	mkdir(t->directory, 0700);
}

static void test_power_cuts(void **state)
{
	struct test *t = *state;
	const char *seeds = getenv("STORE_SEEDS");
	uint64_t count = seeds ? strtoull(seeds, NULL, 10) : SEEDS, lost = 0;

	for (uint64_t seed = 1; seed <= count; seed++) {
		wipe(t);
		if (!crash_run(t, seed)) {
			lost++;
			end(t);
#ifndef STORE_MUTANT_SYNC_OFF
			fail_msg("seed %llu: what was reported synced is lost",
				 (unsigned long long)seed);
#endif
		}
	}
#ifdef STORE_MUTANT_SYNC_OFF
	assert_true(lost > count / 4);
#endif
	print_message("%llu seeds, %llu with losses\n", (unsigned long long)count,
		      (unsigned long long)lost);
}

#ifndef STORE_MUTANT_SYNC_OFF
static void put_entries(struct test *t, uint64_t first, uint32_t count, size_t size)
{
	uint8_t *body = calloc(1, size + 1);
	struct action action = {
		.type = ACTION_STORE_ENTRY, .view = 3, .body = body, .body_size = size,
	};

	for (action.index = first; action.index < first + count; action.index++)
		store_perform(t->store, &action);
	put_sync(t);
	free(body);
	t->awaited = t->tokens;
	if (!t->failed)
		run(t);
}

static void path_of(const struct test *t, const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", t->directory, name);
}

static void test_empty_and_again(void **state)
{
	struct test *t = *state;
	struct action promise = { .type = ACTION_STORE_PROMISE, .view = UINT64_MAX };
	struct action snapshot = {
		.type = ACTION_STORE_SNAPSHOT, .index = 3, .view = 2,
		.body = (const uint8_t *)"abc", .body_size = 3,
	};
	uint64_t id;

	assert_int_equal(begin(t, NULL), 0);
	assert_true(t->opened);
	assert_false(t->has_copy);
	id = t->store_id;
	put_entries(t, 1, 6, 100);
	put_entries(t, 6, 1, 90);	// in place of the last one
	put_entries(t, 5, 1, 80);	// in place of the last two
	store_perform(t->store, &promise);
	store_perform(t->store, &snapshot);
	put_sync(t);
	t->awaited = t->tokens;
	run(t);
	end(t);
	assert_int_equal(begin(t, NULL), 0);
	assert_true(t->opened);
	assert_true(t->has_copy);
	assert_true(t->store_id == id);
	assert_true(t->loaded.promised == UINT64_MAX);
	assert_int_equal(t->loaded.count, 2);
	assert_int_equal(t->loaded.entries[0].index, 4);
	assert_true(t->loaded.snapshot.hash == hash((const uint8_t *)"abc", 3));
}

static void test_second_daemon(void **state)
{
	struct test *t = *state, other = *t;

	assert_int_equal(begin(t, NULL), 0);
	assert_int_equal(begin(&other, NULL), -EWOULDBLOCK);
}

static uint32_t files_with(const struct test *t, const char *word)
{
	char command[200];
	uint32_t count = 0;
	FILE *list;

	snprintf(command, sizeof(command), "ls %s | grep -c 'store.db.%s'", t->directory, word);
	list = popen(command, "r");
	assert_int_equal(fscanf(list, "%u", &count), 1);
	pclose(list);
	return count;
}

// Passwords of fence devices are in it.
static void assert_private(const struct test *t, const char *name)
{
	char path[128];
	struct stat status;

	path_of(t, name, path, sizeof(path));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void test_reset(void **state)
{
	struct test *t = *state;
	uint64_t id;

	assert_int_equal(begin(t, NULL), 0);
	id = t->store_id;
	put_entries(t, 1, 5, 100);
	assert_private(t, "store.db");
	assert_private(t, "store.db-wal");
	t->opened = false;
	store_perform(t->store, &(struct action){ .type = ACTION_STORE_RESET });
	run(t);
	assert_true(t->opened);
	assert_true(t->store_id != id);
	assert_true(files_with(t, "reset") >= 1);
	put_entries(t, 1, 1, 10);
	end(t);
	assert_int_equal(begin(t, NULL), 0);
	assert_int_equal(t->loaded.count, 1);
}

// Fills a store, lets `damage` at its file, and wants a new one beside the old.
static void damaged(struct test *t, void (*damage)(int fd, off_t size))
{
	char path[128];
	struct stat status;
	uint64_t id;
	int fd;

	assert_int_equal(begin(t, NULL), 0);
	id = t->store_id;
	put_entries(t, 1, 40, 4000);
	end(t);
	path_of(t, "store.db", path, sizeof(path));
	fd = open(path, O_RDWR);
	assert_true(fd >= 0 && fstat(fd, &status) == 0 && status.st_size > 8192);
	damage(fd, status.st_size);
	close(fd);
	assert_int_equal(begin(t, NULL), 0);
	assert_true(t->opened);
	assert_true(t->store_id != id);
	assert_false(t->has_copy);
	assert_int_equal(t->loaded.count, 0);
	assert_int_equal(errors_logged, 1);
	assert_true(files_with(t, "corrupt") >= 1);
	put_entries(t, 1, 3, 10);
	assert_int_equal(t->token_seen, 1);
}

static void damage_middle(int fd, off_t size)
{
	char junk[4096];

	memset(junk, 0x5a, sizeof(junk));
	for (off_t at = 4096; at < size; at += 4096)
		assert_int_equal(pwrite(fd, junk, sizeof(junk), at), sizeof(junk));
}

static void damage_head(int fd, off_t size)
{
	(void)size;
	assert_int_equal(pwrite(fd, "This is not a database at all", 29, 0), 29);
}

static void damage_cut(int fd, off_t size)
{
	assert_int_equal(ftruncate(fd, size / 2 + 100), 0);
}

static void damage_version(int fd, off_t size)
{
	(void)size;
	assert_int_equal(pwrite(fd, "\0\0\0\x7", 4, 60), 4);	// user_version
}

static void test_corrupted(void **state)
{
	damaged(*state, damage_middle);
}

static void test_not_a_database(void **state)
{
	damaged(*state, damage_head);
}

static void test_truncated(void **state)
{
	damaged(*state, damage_cut);
}

static void test_other_version(void **state)
{
	damaged(*state, damage_version);
}

static void test_deleted(void **state)
{
	struct test *t = *state;
	uint64_t id;

	assert_int_equal(begin(t, NULL), 0);
	id = t->store_id;
	put_entries(t, 1, 10, 100);
	end(t);
	wipe(t);
	assert_int_equal(begin(t, NULL), 0);
	assert_true(t->opened);
	assert_true(t->store_id != id);
	assert_int_equal(t->loaded.count, 0);
}

static void test_log_lost(void **state)
{
	struct test *t = *state;
	char path[128];
	uint64_t id;

	assert_int_equal(begin(t, NULL), 0);
	id = t->store_id;
	put_entries(t, 1, 10, 100);
	end(t);
	path_of(t, "store.db-wal", path, sizeof(path));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(begin(t, NULL), 0);
	assert_true(t->opened);
	assert_true(t->store_id != id);
	assert_int_equal(errors_logged, 1);
}

static void test_many_resets(void **state)
{
	struct test *t = *state;

	assert_int_equal(begin(t, NULL), 0);
	for (int i = 0; i < 12; i++) {
		store_perform(t->store, &(struct action){ .type = ACTION_STORE_RESET });
		run(t);
	}
	assert_true(files_with(t, "reset") <= 8);
	assert_true(files_with(t, "reset") >= 4);
}

static void test_read_only(void **state)
{
	struct test *t = *state;
	bool root = geteuid() == 0;

	assert_int_equal(chmod(t->directory, 0555), 0);
	if (root)
		assert_int_equal(seteuid(65534), 0);
	assert_int_equal(begin(t, NULL), 0);
	if (root)
		assert_int_equal(seteuid(0), 0);
	assert_true(t->failed);
	assert_false(t->opened);
	assert_true(strlen(t->reason) > 10);
	print_message("%s\n", t->reason);
	end(t);
	chmod(t->directory, 0700);
}

// Files may not grow any further: the same answers as from a full disk.
static void test_full_disk(void **state)
{
	struct test *t = *state;
	struct rlimit limit, old;
	uint64_t synced;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(begin(t, NULL), 0);
	put_entries(t, 1, 10, 4000);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = old;
	limit.rlim_cur = 6 * 1024 * 1024;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (uint64_t i = 0; i < 100 && !t->failed; i++)
		put_entries(t, 11 + i, 1, 400000);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_true(t->failed);
	print_message("%s\n", t->reason);
	synced = t->token_seen;
	put_sync(t);
	end(t);
	assert_int_equal(t->token_seen, synced);
	assert_int_equal(begin(t, NULL), 0);
	assert_true(t->opened);
	assert_true(t->loaded.count >= 10 + synced - 1);
}

static void lines_seen(void *data, uint64_t cookie, const struct store_line *lines, uint32_t count,
		       int error)
{
	struct test *t = data;

	assert_int_equal(error, 0);
	assert_int_equal(cookie, 77);
	t->line_count = count;
	t->first_line = count ? lines[0].id : 0;
	for (uint32_t i = 1; i < count; i++)
		assert_true(lines[i].id > lines[i - 1].id && lines[i].text[0] == 'l');
	loop_stop(t->loop);
}

static void test_lines(void **state)
{
	struct test *t = *state;
	char text[32];

	assert_int_equal(begin(t, NULL), 0);
	for (uint32_t i = 1; i <= STORE_LINES_MAX + 500; i++) {
		snprintf(text, sizeof(text), "line %u", i);
		store_line_add(t->store, i, LOG_LEVEL_WARNING, text);
	}
	assert_int_equal(store_lines_read(t->store, 0, 0, UINT32_MAX, 77, lines_seen, t), 0);
	run(t);
	assert_int_equal(t->line_count, STORE_LINES_MAX);
	assert_int_equal(t->first_line, 501);
	assert_int_equal(store_lines_read(t->store, 0, 20490, 5, 77, lines_seen, t), 0);
	run(t);
	assert_int_equal(t->line_count, 5);
	assert_int_equal(t->first_line, 20496);
	assert_int_equal(store_lines_read(t->store, 20500, 0, 10, 77, lines_seen, t), 0);
	run(t);
	assert_int_equal(t->line_count, 0);
}

static void test_shared_flush(void **state)
{
	struct test *t = *state;
	uint64_t before;

	lossy_vfs_begin(1, 0);
	assert_int_equal(begin(t, LOSSY_VFS), 0);
	put_entries(t, 1, 1, 100);
	before = lossy_vfs_syncs();
	for (uint64_t i = 2; i < 12; i++)
		put_entries(t, i, 1, 100);
	assert_int_equal(lossy_vfs_syncs() - before, 10);
	before = lossy_vfs_syncs();
	for (uint64_t i = 12; i < 1012; i++) {
		store_perform(t->store, &(struct action){ .type = ACTION_STORE_ENTRY, .index = i });
		put_sync(t);
	}
	t->awaited = t->tokens;
	run(t);
	assert_true(lossy_vfs_syncs() - before < 500);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_power_cuts, setup, teardown),
#ifndef STORE_MUTANT_SYNC_OFF
		cmocka_unit_test_setup_teardown(test_empty_and_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_second_daemon, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_corrupted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_a_database, setup, teardown),
		cmocka_unit_test_setup_teardown(test_truncated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_version, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deleted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_resets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shared_flush, setup, teardown),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
