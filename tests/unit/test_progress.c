// SPDX-License-Identifier: Apache-2.0
// How far moves are: what is kept of it, and how it is told.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "migration/progress.h"
#include "migration/progress_io.h"

#define MIB(n) ((uint64_t)(n) << 20)

static void progress_is_kept(void **state)
{
	static struct progress_table table;
	struct migrate_stats stats = { .rounds = 1 }, found;
	struct progress *progress;

	(void)state;
	assert_false(progress_find(&table, 0, 0, &found));
	for (uint32_t i = 0; i < 2 * MOVES_MAX; i++) {
		stats.rounds = i;
		progress = progress_keep(&table, 1000 + i, &stats, 10 + i);
		assert_int_equal(progress->move, 1000 + i);
	}
	// The older half gave way.
	for (uint32_t i = 0; i < 2 * MOVES_MAX; i++)
		assert_int_equal(progress_find(&table, 1000 + i, 300, &found), i >= MOVES_MAX);
	assert_int_equal(found.rounds, 2 * MOVES_MAX - 1);
	stats.rounds = 77;
	progress = progress_keep(&table, 1200, &stats, 400);
	assert_true(progress_tell(progress, false, 400));
	assert_false(progress_tell(progress, false, 400 + PROGRESS_TELL_MS - 1));
	assert_true(progress_tell(progress, true, 410));
	assert_true(progress_tell(progress, false, 410 + PROGRESS_TELL_MS));
	assert_true(progress_find(&table, 1200, 400 + PROGRESS_STALE_MS, &found));
	assert_int_equal(found.rounds, 77);
	assert_false(progress_find(&table, 1200, 401 + PROGRESS_STALE_MS, &found));
}

static void says(const struct migrate_stats *stats, const char *words)
{
	json_t *row = progress_json(stats);
	char text[200];

	progress_text(row, text, sizeof(text));
	assert_string_equal(text, words);
	json_decref(row);
}

static void in_words(void **state)
{
	struct migrate_stats stats = { .status = MIGRATE_SETUP };
	char text[8];
	json_t *row;

	(void)state;
	progress_text(NULL, text, sizeof(text));
	assert_string_equal(text, "");
	says(&stats, "connecting");
	stats.status = MIGRATE_ACTIVE;
	says(&stats, "begins");
	stats.total = MIB(512);
	stats.remaining = MIB(200);
	stats.rounds = 1;
	stats.rate = MIB(900);
	says(&stats, "312 of 512 MiB (60 %), 900 MiB/s, 1 s left");
	stats.rounds = 3;
	stats.dirty_rate = MIB(880);
	stats.throttle = 20;
	says(&stats,
	     "312 of 512 MiB (60 %), round 3, 900 MiB/s, dirties 880 MiB/s, slowed by 20 %, "
	     "10 s left");
	// It does not get nearer to its end.
	stats.dirty_rate = MIB(900);
	stats.throttle = 0;
	says(&stats, "312 of 512 MiB (60 %), round 3, 900 MiB/s, dirties 900 MiB/s");
	row = progress_json(&stats);
	assert_true(json_is_null(json_object_get(row, "left_ms")));
	assert_string_equal(json_string_value(json_object_get(row, "status")), "active");
	// What does not fit is cut.
	progress_text(row, text, sizeof(text));
	assert_string_equal(text, "312 of ");
	json_decref(row);
	stats.status = MIGRATE_POSTCOPY;
	says(&stats, "runs there already; 312 of 512 MiB (60 %), round 3, 900 MiB/s, "
		     "dirties 900 MiB/s, 1 s left");
	stats.status = MIGRATE_PRE_SWITCHOVER;
	says(&stats, "handing over");
	stats.status = MIGRATE_COMPLETED;
	says(&stats, "sent");
	stats.status = MIGRATE_FAILED;
	says(&stats, "");
	// Numbers that cannot be.
	memset(&stats, 0xff, sizeof(stats));
	stats.status = MIGRATE_ACTIVE;
	row = progress_json(&stats);
	assert_true(json_integer_value(json_object_get(row, "total")) > 0);
	json_decref(row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(progress_is_kept),
		cmocka_unit_test(in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
