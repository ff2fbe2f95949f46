// SPDX-License-Identifier: Apache-2.0
// Moves by a host's edge, without root: QEMU is this program itself, with as much of migration as
// its monitor shows of it; each of its commands in turn fails, hangs up, or is its last. Every move
// ends with a word, a saved state has its name only when it is whole, and nobody says `cont` to a
// QEMU that has sent its memory away, however often the daemon is started again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clusterd/exec_io.h"
#include "clusterd/loop_io.h"
#include "resources/host_io.h"
#include "tests/edge/fake_move_qemu.h"
#include "tests/edge/fake_sanlock.h"

enum {
	LIMIT_MS = 20000,
	HOST_ID = 1,
	EXIT_NOT_REACHED = 77,
	CHILDREN = 12,
	CALLS_MAX = 60,
	CONT_AGAIN_MS = 5, // the core's own patience is a second
};

enum play { PLAY_SEND = 1, PLAY_CANCEL, PLAY_RECEIVE, PLAY_SAVE, PLAY_RESTORE, PLAY_COUNT };

static const char *const play_names[PLAY_COUNT] = { "",	       "send", "cancel",
						    "receive", "save", "restore" };
// --- the host ----------------------------------------------------------------------------------

struct test {
	struct loop *loop;
	struct host *host, *first_host; // whose memory is left to the process's end
	struct cluster cluster;
	void *memory;
	struct loop_timer limit, last_work, again;
	enum play play;
	bool timed_out, up, joined, runs, ended, restart, restarted, adopted, alive, refused;
	uint32_t slot, attempt;
	uint8_t last; // enum migrate_status
	char folder[64], program[128], root[128], self[256], run[128];
};

static void perform_with(struct test *t, enum action_type type, enum start_mode mode,
			 const struct migrate_params *migrate)
{
	struct action action = { .type = (uint8_t)type,
				 .vm = { 0, 7 },
				 .attempt = t->attempt,
				 .uuid = t->cluster.defs[0].uuid,
				 .lease_slot = t->slot,
				 .start_mode = (uint8_t)mode,
				 .migrate = migrate,
				 .flag = type == ACTION_LEASE_ACQUIRE && t->play == PLAY_RECEIVE };

	assert_true(host_perform(t->host, &t->cluster, &action));
}

static void perform(struct test *t, enum action_type type)
{
	perform_with(t, type, START_FRESH, NULL);
}

static void saved_path(const struct test *t, const char *suffix, char *path, size_t size)
{
	const uint8_t *b = t->cluster.defs[0].uuid.bytes;

	snprintf(path, size, "%s/vms/%02x%02x%02x00-0000-0000-0000-000000000000.save%s", t->folder,
		 b[0], b[1], b[2], suffix);
}

static void folder_make(struct test *t)
{
	char path[256];
	FILE *file;
	ssize_t size;

	snprintf(t->folder, sizeof(t->folder), "/var/tmp/test-move-XXXXXX");
	assert_non_null(mkdtemp(t->folder));
	snprintf(t->program, sizeof(t->program), "%s/sanlock", t->folder);
	snprintf(t->root, sizeof(t->root), "%s/root", t->folder);
	snprintf(t->run, sizeof(t->run), "%s/run", t->folder);
	file = fopen(t->program, "w");
	assert_non_null(file);
	fputs("#!/bin/sh\nexit 0\n", file);
	fclose(file);
	assert_int_equal(chmod(t->program, 0700), 0);
	size = readlink("/proc/self/exe", t->self, sizeof(t->self) - 1);
	assert_true(size > 0);
	if (t->play != PLAY_RESTORE)
		return;
	snprintf(path, sizeof(path), "%s/vms", t->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	saved_path(t, "", path, sizeof(path));
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("a guest's memory", file);
	fclose(file);
}

static void cluster_make(struct test *t, enum fake_move_fault fault, uint32_t fail_at)
{
	struct cluster_limits limits = { .vms_max = 2, .lease_slots_max = 8 };
	struct cluster_volume *volume = &t->cluster.volumes[0];

	t->memory = malloc(cluster_memory(&limits));
	assert_non_null(t->memory);
	cluster_init(&t->cluster, &limits, t->memory);
	memset(t->cluster.vms, 0, sizeof(*t->cluster.vms));
	memset(t->cluster.defs, 0, sizeof(*t->cluster.defs));
	volume->used = volume->prepared = true;
	snprintf(volume->def.name, sizeof(volume->def.name), "v1");
	t->cluster.vm_high = 1;
	t->cluster.vms[0].used = true;
	t->cluster.vms[0].ref = (struct vm_ref){ 0, 7 };
	t->cluster.vms[0].lease_count = 1;
	snprintf(t->cluster.defs[0].name, sizeof(t->cluster.defs[0].name), "vm1");
	t->cluster.defs[0].cpus = 1;
	t->cluster.defs[0].memory_mib = 1;
	t->cluster.defs[0].uuid.bytes[0] = (uint8_t)t->play;
	t->cluster.defs[0].uuid.bytes[1] = (uint8_t)fault;
	t->cluster.defs[0].uuid.bytes[2] = (uint8_t)fail_at;
	folder_make(t);
	snprintf(t->cluster.def.root, sizeof(t->cluster.def.root), "%s", t->root);
	snprintf(volume->def.source, sizeof(volume->def.source), "%s", t->folder);
}

// The play is over: whatever lives is ended, and its end is waited for.
static void play_ends(struct test *t)
{
	if (!t->ended && t->alive)
		perform(t, ACTION_QEMU_KILL);
	t->ended = true;
	if (!t->alive)
		loop_stop(t->loop);
}

static void start(struct test *t)
{
	static const struct migrate_params target = { .address = "127.0.0.1", .peer = "n1" };

	if (t->play == PLAY_RECEIVE)
		perform_with(t, ACTION_QEMU_EXEC, START_INCOMING, &target);
	else if (t->play == PLAY_RESTORE)
		perform_with(t, ACTION_QEMU_EXEC, START_RESTORE, NULL);
	else
		perform(t, ACTION_QEMU_EXEC);
}

static void heard_running(struct test *t)
{
	static const struct migrate_params source = { .address = "127.0.0.1",
						      .port = FAKE_MOVE_PORT,
						      .peer = "n2",
						      .channels = 2,
						      .downtime_ms = 20 };

	if (t->ended || t->runs)
		return;
	t->runs = true;
	if (t->play == PLAY_SEND || t->play == PLAY_CANCEL)
		perform_with(t, ACTION_MIGRATE, START_FRESH, &source);
	else if (t->play == PLAY_SAVE)
		perform_with(t, ACTION_SAVE, START_FRESH, &source);
	else
		play_ends(t);
}

static void heard_migrate(struct test *t, const struct event *event)
{
	const struct migrate_stats *stats = event->stats;

	assert_non_null(stats);
	assert_in_range(stats->status, MIGRATE_NONE, MIGRATE_STATUS_COUNT - 1);
	// Never back, once it has ended.
	assert_true(t->last < MIGRATE_COMPLETED || stats->status == t->last);
	t->last = stats->status;
	if (t->play == PLAY_SAVE)
		assert_true(stats->status < MIGRATE_COMPLETED);
	if (stats->status == MIGRATE_ACTIVE && t->play == PLAY_CANCEL)
		perform(t, ACTION_MIGRATE_CANCEL);
	if (stats->status == MIGRATE_PRE_SWITCHOVER)
		perform(t,
			t->play == PLAY_CANCEL ? ACTION_MIGRATE_CANCEL : ACTION_MIGRATE_CONTINUE);
	if (stats->status == MIGRATE_FAILED || stats->status == MIGRATE_CANCELLED) {
		assert_true(event->reason && strlen(event->reason) > 0);
		play_ends(t);
	}
	if (stats->status != MIGRATE_COMPLETED || t->restart)
		return;
	t->restart = true; // now, and finds what has renounced
	loop_stop(t->loop);
}

static void heard_saved(struct test *t, const struct event *event)
{
	char path[160], part[160];
	struct stat status;

	saved_path(t, "", path, sizeof(path));
	saved_path(t, ".part", part, sizeof(part));
	assert_int_not_equal(access(part, F_OK), 0);
	if (event->flag) {
		assert_int_equal(stat(path, &status), 0);
		assert_int_equal(status.st_size, FAKE_MOVE_STATE);
		assert_int_equal(event->index, FAKE_MOVE_STATE);
	} else {
		assert_int_not_equal(access(path, F_OK), 0);
		assert_true(strlen(event->reason) > 0);
	}
	play_ends(t);
}

static void test_stop(void *owner)
{
	struct test *t = owner;

	loop_stop(t->loop);
}

static void heard_exited(struct test *t, const struct event *event)
{
	t->alive = false;
	// It never ran, or that is not claimed. Of one that refused, or could not be loaded, it is.
	assert_true(!event->flag || !t->runs);
	assert_true(event->flag ||
		    (!t->refused && (t->play != PLAY_RECEIVE || t->runs ||
				     t->cluster.defs[0].uuid.bytes[1] != FAKE_MOVE_FAILS)));
	t->ended = true;
	// What is left of a save is still being taken away.
	loop_timer_ms(t->loop, &t->last_work, 100, test_stop, t);
}

static void heard_adopted(struct test *t, const struct event *event)
{
	assert_true(t->restart);
	assert_true(event->flag);
	assert_true(event->run_state == RUN_POSTMIGRATE || event->run_state == RUN_UNKNOWN);
	play_ends(t);
}

// As the core asks again for what it has not heard of.
static void continue_again(void *owner)
{
	struct test *t = owner;

	if (t->ended || t->runs || !t->alive)
		return;
	perform(t, ACTION_QEMU_CONT);
	loop_timer_ms(t->loop, &t->again, CONT_AGAIN_MS, continue_again, t);
}

static void posted_more(struct test *t, const struct event *event)
{
	switch (event->type) {
	case EVENT_QEMU_LISTENING:
		assert_true(event->flag ? event->port == FAKE_MOVE_PORT
					: strlen(event->reason) > 0);
		// Its source has renounced, and the last of it is still on its way.
		if (event->flag)
			continue_again(t);
		else
			play_ends(t);
		break;
	case EVENT_QEMU_RESTORED:
		if (event->flag)
			continue_again(t);
		else
			play_ends(t);
		break;
	case EVENT_MIGRATE:
		heard_migrate(t, event);
		break;
	case EVENT_SAVED:
		heard_saved(t, event);
		break;
	case EVENT_VM_ADOPTED:
		heard_adopted(t, event);
		break;
	case EVENT_QEMU_DEAF:
	case EVENT_QEMU_PAUSED:
		t->refused |= event->type == EVENT_QEMU_PAUSED && event->flag;
		// What could not be begun is given up.
		if (!t->runs)
			play_ends(t);
		break;
	default:
		break;
	}
}

static void posted(void *owner, const struct event *event)
{
	struct test *t = owner;

	if (t->ended && event->type != EVENT_QEMU_EXITED)
		return;
	switch (event->type) {
	case EVENT_SANLOCK_UP:
		if (!t->restart)
			perform(t, ACTION_VOLUME_PREPARE);
		break;
	case EVENT_VOLUME_PREPARED:
		perform(t, ACTION_VOLUME_JOIN);
		break;
	case EVENT_VOLUME:
		if (event->joined && !t->joined)
			perform(t, ACTION_LEASE_WRITE);
		t->joined |= event->joined;
		break;
	case EVENT_LEASE_WRITTEN:
		t->attempt++;
		perform(t, ACTION_VM_SPAWN);
		break;
	case EVENT_VM_SPAWNED:
		assert_true(event->flag);
		t->alive = true;
		perform(t, ACTION_LEASE_ACQUIRE);
		break;
	case EVENT_LEASE_GRANTED:
		start(t);
		break;
	case EVENT_QEMU_RUNNING:
		heard_running(t);
		break;
	case EVENT_QEMU_EXITED:
		heard_exited(t, event);
		break;
	default:
		posted_more(t, event);
	}
}

static void too_late(void *owner)
{
	struct test *t = owner;

	t->timed_out = true;
	loop_stop(t->loop);
}

static void daemon_run(struct test *t)
{
	struct passwd *user = getpwuid(getuid());
	struct host_config config = {
		.node_id = HOST_ID,
		.run_dir = t->run,
		.launch_path = t->self,
		.sanlock_path = t->program,
		.qemu_path = "/nonexistent/qemu",
		.qemu_user = user ? user->pw_name : "root",
	};

	assert_int_equal(loop_open(&t->loop), 0);
	config.edge = (struct edge){ .loop = t->loop, .post = posted, .owner = t };
	t->joined = false;
	assert_int_equal(host_open(&t->host, &config), 0);
	perform(t, ACTION_VOLUME_OPEN);
	if (t->restart)
		host_adopt(t->host);
	loop_timer_ms(t->loop, &t->limit, LIMIT_MS, too_late, t);
	loop_run(t->loop);
	loop_timer_cancel(&t->limit);
	loop_timer_cancel(&t->last_work);
	loop_timer_cancel(&t->again);
	host_close(t->host);
	loop_close(t->loop);
}

// What QEMU wrote down: "+" for the command that failed, and what must not be.
static bool told(const struct test *t, bool *failed)
{
	char path[128], text[64];
	bool good = true;
	FILE *file;

	*failed = false;
	snprintf(path, sizeof(path), "%s/told", t->folder);
	file = fopen(path, "r");
	while (file && fgets(text, sizeof(text), file)) {
		*failed |= text[0] == '+';
		good &= text[0] == '+';
		if (text[0] != '+')
			fprintf(stderr, "%s", text);
	}
	if (file)
		fclose(file);
	return good;
}

static int life(enum play play, enum fake_move_fault fault, uint32_t fail_at)
{
	static struct test *t; // for the hosts to be found in it
	const char *argv[] = { "rm", "-rf", NULL, NULL };
	char output[64];
	bool failed;

	t = calloc(1, sizeof(*t));
	t->play = play;
	fake_sanlock_begin(0, FAKE_REFUSED, 0);
	cluster_make(t, fault, fail_at);
	daemon_run(t);
	t->first_host = t->host;
	if (!t->timed_out && t->restart && !t->ended)
		daemon_run(t);
	if (t->timed_out) {
		fprintf(stderr, "too late: runs %d restart %d ended %d alive %d last %d\n", t->runs,
			t->restart, t->ended, t->alive, t->last);
		return 1;
	}
	if (!told(t, &failed))
		return 2;
	if (fail_at == 0 && play == PLAY_SEND && !t->restart)
		return 3;
	argv[2] = t->folder;
	exec_run(argv, output, sizeof(output), 5000);
	free(t->memory);
	fake_sanlock_close();
	return failed || fail_at == 0 ? 0 : EXIT_NOT_REACHED;
}

static pid_t life_start(enum play play, enum fake_move_fault fault, uint32_t fail_at)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		setenv("CMOCKA_TEST_ABORT", "1", 1);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(3 * LIMIT_MS / 1000);
		exit(life(play, fault, fail_at));
	}
	return pid;
}

static bool life_end(pid_t pid, enum play play, enum fake_move_fault fault, uint32_t fail_at)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) ||
	    (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != EXIT_NOT_REACHED))
		fail_msg("%s, fault %d at command %u: status %x", play_names[play], fault, fail_at,
			 (unsigned int)status);
	return WEXITSTATUS(status) == 0;
}

static void lives(enum play play)
{
	uint32_t reached = 0;
	pid_t pids[CHILDREN];

	life_end(life_start(play, FAKE_MOVE_ERROR, 0), play, FAKE_MOVE_ERROR, 0);
	for (enum fake_move_fault fault = FAKE_MOVE_ERROR; fault < FAKE_MOVE_COUNT; fault++) {
		bool more = true;

		for (uint32_t first = 1; more && first < CALLS_MAX; first += CHILDREN) {
			for (uint32_t i = 0; i < CHILDREN; i++)
				pids[i] = life_start(play, fault, first + i);
			for (uint32_t i = 0; i < CHILDREN; i++) {
				more = life_end(pids[i], play, fault, first + i);
				reached += more;
			}
		}
	}
	print_message("%s: %u commands failed\n", play_names[play], reached);
	assert_true(reached >= FAKE_MOVE_COUNT * 4);
}

static void test_send(void **state)
{
	(void)state;
	lives(PLAY_SEND);
}

static void test_cancel(void **state)
{
	(void)state;
	lives(PLAY_CANCEL);
}

static void test_receive(void **state)
{
	(void)state;
	lives(PLAY_RECEIVE);
}

static void test_save(void **state)
{
	(void)state;
	lives(PLAY_SAVE);
}

static void test_restore(void **state)
{
	(void)state;
	lives(PLAY_RESTORE);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_send),	cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_receive), cmocka_unit_test(test_save),
		cmocka_unit_test(test_restore),
	};

	if (argc >= 5 && strcmp(argv[0], "clusterd-launch") == 0)
		return fake_move_qemu(argv[4], 2 * LIMIT_MS / 1000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
