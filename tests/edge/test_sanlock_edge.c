// SPDX-License-Identifier: Apache-2.0
// The edges to sanlock against a fake that fails at its Nth call, for every N that there is, in
// every way: each request is answered once, what is claimed is true, and in the end all is well.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clusterd/exec_io.h"
#include "clusterd/loop_io.h"
#include "csv/guard_io.h"
#include "csv/sanlock_io.h"
#include "csv/volume_io.h"
#include "resources/launch.h"
#include "tests/edge/fake_sanlock.h"

enum { CHILDREN = 72, CALLS_MAX = 400, EXIT_NOT_REACHED = 77, LIMIT_MS = 60000, AGAIN_MS = 15,
       SLOTS = 3, HOST_ID = 1, PEER_ID = 2, IO_TIMEOUT_S = 10, MIB = 1048576 };

enum step { STEP_UP, STEP_PREPARE, STEP_JOIN, STEP_WRITE, STEP_ACQUIRE_ONE, STEP_ACQUIRE_TWO,
	    STEP_HOLDS, STEP_RELEASED, STEP_CLAIM, STEP_SECOND, STEP_DONE };

struct test {
	struct loop *loop;
	struct lock_guard *guard;
	struct volumes *volumes;
	struct loop_timer limit, again;
	enum step step;
	bool timed_out, up, guarded, joined, second, asked;
	enum event_type awaited;	// of what was asked; 0: nothing is
	uint32_t attempt, slot, ups, gones;
	pid_t pids[2];			// one lease, two leases
	struct lock_lease leases[SLOTS];
	char folder[64], program[128], lockspace[LOCK_NAME_SIZE];
};

static void test_go(void *owner);

static void again(struct test *t)
{
	loop_timer_ms(t->loop, &t->again, AGAIN_MS, test_go, t);
}

// --- the world ---------------------------------------------------------------------------------

static void folder_make(struct test *t)
{
	FILE *file;

	// Not /tmp, which may be in memory and know no direct I/O.
	snprintf(t->folder, sizeof(t->folder), "/var/tmp/test-sanlock-XXXXXX");
	assert_non_null(mkdtemp(t->folder));
	snprintf(t->program, sizeof(t->program), "%s/sanlock", t->folder);
	file = fopen(t->program, "w");
	assert_non_null(file);
	// direct release_id -a 0 -s LOCKSPACE:ID:PATH:0
	fputs("#!/bin/sh\n[ \"$1\" = client ] && exit 0\nIFS=:\nset -- $6\n"
	      "head -c 8 /dev/zero | dd of=$3 bs=1 seek=$((($2 - 1) * 512 + 152)) conv=notrunc "
	      "2>/dev/null\n", file);
	fclose(file);
	assert_int_equal(chmod(t->program, 0700), 0);
}

static void folder_remove(const struct test *t)
{
	const char *const argv[] = { "rm", "-rf", t->folder, NULL };
	char output[64];

	assert_int_equal(exec_run(argv, output, sizeof(output), LIMIT_MS), 0);
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl("/bin/sleep", "sleep", "600", NULL);
		_exit(1);
	}
	return pid;
}

static void child_end(pid_t *pid)
{
	if (*pid > 0) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

static uint32_t entries(const char *path)
{
	DIR *dir = opendir(path);
	uint32_t count = 0;

	while (dir && readdir(dir))
		count++;
	closedir(dir);
	return count;
}

// Threads that were told to end may need a moment.
static bool alone(void)
{
	for (int i = 0; i < LIMIT_MS / 10 && entries("/proc/self/task") > 3; i++)
		nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
	return entries("/proc/self/task") <= 3;
}

static void lease_fill(struct test *t, uint32_t slot)
{
	struct uuid uuid;

	memset(&uuid, (int)slot + 1, sizeof(uuid));
	lock_lease_init(&t->leases[slot], volumes_lock(t->volumes, 0), slot, &uuid);
}

// --- one life ----------------------------------------------------------------------------------

static void step_to(struct test *t, enum step step)
{
	t->step = step;
	t->asked = false;
	again(t);
}

static bool lockspace_joined(const struct test *t, uint64_t *generation)
{
	return fake_sanlock_joined(volumes_lock(t->volumes, 0)->lockspace, generation);
}

// Either all of them are held, or none is; and what is said is what is.
static void acquire(struct test *t, uint32_t which, uint32_t first, uint32_t count)
{
	enum lease_error error = 0;
	char reason[REASON_SIZE] = "";
	uint64_t generation;
	uint32_t held;
	bool granted;

	if (!t->pids[which])
		t->pids[which] = sleeper();
	granted = lock_acquire(t->pids[which], &t->leases[first], count, false, &error, reason);
	held = fake_sanlock_held(t->pids[which]);
	if (granted) {
		assert_int_equal(held, lockspace_joined(t, &generation) ? count : 0);
		step_to(t, t->step + 1);
		return;
	}
	assert_int_equal(held, 0);
	assert_in_range(error, 1, LEASE_ERROR_COUNT - 1);
	assert_true(strlen(reason) > 0);
	again(t);
}

static void holds(struct test *t)
{
	bool shared;
	bool one = lock_holds(t->pids[0], &t->leases[0], 1, &shared);
	bool two = lock_holds(t->pids[1], &t->leases[1], 2, &shared);

	assert_false(shared);
	assert_false(lock_holds(t->pids[0], &t->leases[1], 1, &shared));
	assert_false(lock_holds(t->pids[0], &t->leases[0], 2, &shared));
	assert_true(!one || fake_sanlock_held(t->pids[0]) == 1 || !t->up || fake_sanlock_failed());
	assert_true(one || fake_sanlock_held(t->pids[0]) == 0);
	assert_true(two || fake_sanlock_held(t->pids[1]) == 0);
	// A daemon that ended took them along: once more, from the beginning.
	step_to(t, one && two ? STEP_RELEASED : STEP_UP);
}

static void released(struct test *t)
{
	char reason[REASON_SIZE] = "";
	uint64_t generation;
	bool held = fake_sanlock_held(t->pids[1]) == 2;

	// It lives: they are not released, unless its daemon is not there.
	if (lock_released(&t->leases[1], 2, HOST_ID, 20, reason))
		assert_false(held && lockspace_joined(t, &generation));
	else
		assert_true(strlen(reason) > 0);
	child_end(&t->pids[1]);
	assert_true(lock_released(&t->leases[1], 2, HOST_ID, 2000, reason));
	if (lockspace_joined(t, &generation))
		for (uint32_t i = 1; i < SLOTS; i++)
			assert_int_equal(fake_sanlock_owner(t->leases[i].offset, &generation), 0);
	step_to(t, STEP_CLAIM);
}

// Its calls are none of the daemon's: the claim is read from the disk, and a program releases it.
static void claim(struct test *t)
{
	struct lock_volume volume = *volumes_lock(t->volumes, 0);
	struct lock_claim found;
	char reason[REASON_SIZE] = "";

	fake_sanlock_claim(volume.lockspace_path, PEER_ID, 7, 99);
	assert_true(lock_claim_read(&volume, PEER_ID, &found, reason));
	assert_true(found.generation == 7 && found.timestamp == 99);
	assert_true(lock_claim_release(&volume, PEER_ID, 6, t->program, reason));
	assert_false(lock_claim_release(&volume, PEER_ID, 7, "/bin/false", reason));
	assert_true(strlen(reason) > 0);
	assert_false(lock_claim_release(&volume, PEER_ID, 7, "/nonexistent/sanlock", reason));
	assert_true(lock_claim_read(&volume, PEER_ID, &found, reason));
	assert_true(found.timestamp == 99);
	assert_true(lock_claim_release(&volume, PEER_ID, 7, t->program, reason));
	assert_true(lock_claim_read(&volume, PEER_ID, &found, reason));
	assert_true(found.generation == 7 && found.timestamp == 0);
	step_to(t, STEP_SECOND);
}

static void second(struct test *t)
{
	if (t->second) {
		t->step = STEP_DONE;
		loop_stop(t->loop);
		return;
	}
	// The second life: a new daemon, under which all has to come again.
	t->second = true;
	fake_sanlock_end();
	child_end(&t->pids[0]);
	step_to(t, STEP_UP);
}

static void ask(struct test *t, enum event_type answer)
{
	assert_int_equal(t->awaited, 0);
	t->awaited = answer;
	t->attempt++;
}

static void ask_lease(struct test *t)
{
	struct uuid uuid;

	memset(&uuid, (int)t->slot + 1, sizeof(uuid));
	ask(t, EVENT_LEASE_WRITTEN);
	volumes_lease_write(t->volumes, 0, (struct vm_ref){ 5, 6 }, &uuid, t->slot);
}

static void test_go(void *owner)
{
	struct test *t = owner;

	loop_timer_cancel(&t->again);
	if (t->awaited || t->step == STEP_DONE)
		return;
	if (!t->up) {
		step_to(t, STEP_UP);
		return;
	}
	if (!t->joined && t->step > STEP_JOIN)
		t->step = STEP_JOIN;
	switch (t->step) {
	case STEP_UP:
		step_to(t, t->second ? STEP_JOIN : STEP_PREPARE);
		break;
	case STEP_PREPARE:
		ask(t, EVENT_VOLUME_PREPARED);
		volumes_prepare(t->volumes, 0, t->attempt);
		break;
	case STEP_JOIN:
		ask(t, EVENT_VOLUME);
		volumes_join(t->volumes, 0);
		break;
	case STEP_WRITE:
		ask_lease(t);
		break;
	case STEP_ACQUIRE_ONE:
		if (fake_sanlock_held(t->pids[0]) == 1)
			step_to(t, STEP_ACQUIRE_TWO);
		else
			acquire(t, 0, 0, 1);
		break;
	case STEP_ACQUIRE_TWO:
		if (fake_sanlock_held(t->pids[1]) == 2)
			step_to(t, STEP_HOLDS);
		else
			acquire(t, 1, 1, 2);
		break;
	case STEP_HOLDS:
		holds(t);
		break;
	case STEP_RELEASED:
		released(t);
		break;
	case STEP_CLAIM:
		claim(t);
		break;
	case STEP_SECOND:
		second(t);
		break;
	case STEP_DONE:
		break;
	}
}

static void heard_volume(struct test *t, const struct event *event)
{
	uint64_t generation;

	if (event->joined && !t->joined) {
		assert_true(t->up);
		// The daemon may have ended since; what was joined had this generation.
		if (lockspace_joined(t, &generation))
			assert_true(event->generation == generation);
		assert_true(event->generation > 0);
		assert_int_equal(t->step, STEP_JOIN);
	}
	t->joined = event->joined;
	if (t->awaited != EVENT_VOLUME)
		return;
	t->awaited = 0;
	if (t->joined)
		t->step = t->slot == SLOTS ? STEP_ACQUIRE_ONE : STEP_WRITE;
}

static void heard_lease(struct test *t, const struct event *event)
{
	char name[LOCK_NAME_SIZE];

	assert_int_equal(t->awaited, EVENT_LEASE_WRITTEN);
	assert_int_equal(event->lease_slot, t->slot);
	assert_int_equal(event->vm.serial, 6);
	t->awaited = 0;
	if (!event->flag)
		return;
	lease_fill(t, t->slot);
	memcpy(name, t->leases[t->slot].name, sizeof(name));
	assert_string_equal(fake_sanlock_name(t->leases[t->slot].offset), name);
	if (++t->slot == SLOTS)
		t->step = STEP_ACQUIRE_ONE;
}

static void posted(void *owner, const struct event *event)
{
	struct test *t = owner;

	switch (event->type) {
	case EVENT_SANLOCK_UP:
		assert_true(t->guarded);
		t->ups += !t->up;
		t->up = true;
		break;
	case EVENT_SANLOCK_GONE:
		assert_true(t->up && !t->guarded && !t->joined);
		t->up = false;
		t->gones++;
		// As the core has it: a join under way is over with the daemon.
		if (t->awaited == EVENT_VOLUME)
			t->awaited = 0;
		break;
	case EVENT_VOLUME:
		heard_volume(t, event);
		break;
	case EVENT_VOLUME_PREPARED:
		assert_int_equal(t->awaited, EVENT_VOLUME_PREPARED);
		assert_int_equal(event->attempt, t->attempt);
		t->awaited = 0;
		if (event->flag)
			t->step = STEP_JOIN;
		else
			assert_true(strlen(event->reason) > 0);
		break;
	case EVENT_LEASE_WRITTEN:
		heard_lease(t, event);
		break;
	default:
		fail();
	}
	again(t);
}

static void guard_changed(void *owner, bool up, bool watchdog)
{
	struct test *t = owner;

	assert_false(watchdog);
	t->guarded = up;
	if (!up)
		volumes_sanlock_gone(t->volumes);
}

static void too_late(void *owner)
{
	struct test *t = owner;

	t->timed_out = true;
	loop_stop(t->loop);
}

static void test_open(struct test *t)
{
	struct volumes_config config = { .node_id = HOST_ID, .qemu_uid = getuid(),
					 .qemu_gid = getgid() };
	char root[128];

	folder_make(t);
	snprintf(root, sizeof(root), "%s/root", t->folder);
	assert_int_equal(loop_open(&t->loop), 0);
	config.edge = (struct edge){ .loop = t->loop, .post = posted, .owner = t };
	assert_int_equal(volumes_open(&t->volumes, &config), 0);
	assert_int_equal(lock_guard_open(&t->guard, &config.edge, t->program, guard_changed, t), 0);
	volumes_add(t->volumes, 0, root, "v1", t->folder, IO_TIMEOUT_S);
}

static void test_run(struct test *t)
{
	loop_timer_ms(t->loop, &t->limit, LIMIT_MS, too_late, t);
	again(t);
	loop_run(t->loop);
	loop_timer_cancel(&t->limit);
	loop_timer_cancel(&t->again);
}

// A volume's threads end with it, when nothing of it is under way any more.
static bool volume_lives(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	bool lives = false;

	while (dir && (entry = readdir(dir))) {
		char path[288], name[16] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
		file = fopen(path, "r");
		if (file && fgets(name, sizeof(name), file))
			lives = lives || strncmp(name, "volume-", 7) == 0;
		if (file)
			fclose(file);
	}
	closedir(dir);
	return lives;
}

// What is under way when the volume goes is to end before the loop does, and so is a guard's look
// for a new daemon.
static void settled(void *owner)
{
	struct test *t = owner;
	uint64_t generation;

	if (t->up && !volume_lives() &&
	    (!fake_sanlock_joined(t->lockspace, &generation) || fake_sanlock_failed()))
		loop_stop(t->loop);
	else
		loop_timer_ms(t->loop, &t->limit, AGAIN_MS, settled, t);
}

static void test_close(struct test *t)
{
	uint64_t generation;

	memcpy(t->lockspace, volumes_lock(t->volumes, 0)->lockspace, sizeof(t->lockspace));
	for (int i = 0; i < 2; i++)
		child_end(&t->pids[i]);
	volumes_remove(t->volumes, 0);
	t->joined = false;
	loop_timer_ms(t->loop, &t->limit, 300, settled, t);
	loop_run(t->loop);
	// Left; only a removal that was the failing call is not made again.
	assert_true(!fake_sanlock_joined(t->lockspace, &generation) || fake_sanlock_failed());
	lock_guard_close(t->guard);
	volumes_close(t->volumes);
	loop_close(t->loop);
	folder_remove(t);
}

// In a process of its own: they wait for the guard's next look, so many run at once.
static int life(uint64_t fail_at, enum fake_fault fault, int code)
{
	struct test *t = calloc(1, sizeof(*t));
	uint32_t descriptors = entries("/proc/self/fd");
	bool reached;

	fake_sanlock_begin(fail_at, fault, code);
	test_open(t);
	test_run(t);
	if (t->timed_out) {
		fprintf(stderr, "step %d awaits %d up %d joined %d\n", t->step, t->awaited, t->up,
			t->joined);
		return 1;
	}
	if (t->ups != t->gones + 1 || t->gones < 1)
		return 2;
	test_close(t);
	reached = fake_sanlock_failed();
	if (fake_sanlock_close() != 0)
		return 3;
	if (!alone())
		return 4;
	if (entries("/proc/self/fd") != descriptors)
		return 5;
	free(t);
	return reached ? 0 : EXIT_NOT_REACHED;
}

static const int codes[] = { -EIO, -EAGAIN, -ECONNRESET, -202 }; // SANLK_AIO_TIMEOUT

static void lives(enum fake_fault fault, int code, const char *name)
{
	pid_t pids[CHILDREN];
	uint64_t first = 1, reached = 0;
	bool more = true;

	for (; more && first < CALLS_MAX; first += CHILDREN) {
		for (uint64_t i = 0; i < CHILDREN; i++) {
			fflush(NULL);
			pids[i] = fork();
			if (pids[i] == 0) {
				// What fails in here ends this process, and starts no other test.
				setenv("CMOCKA_TEST_ABORT", "1", 1);
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				alarm(2 * LIMIT_MS / 1000);
				exit(life(first + i, fault, code ? code : codes[i % 4]));
			}
		}
		for (uint64_t i = 0; i < CHILDREN; i++) {
			int status;

			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 &&
						   WEXITSTATUS(status) != EXIT_NOT_REACHED))
				fail_msg("%s, call %llu failing: status %x", name,
					 (unsigned long long)(first + i), (unsigned int)status);
			more = WEXITSTATUS(status) == 0;
			reached += more;
		}
	}
	assert_true(reached > 20);
	print_message("%s: %llu calls\n", name, (unsigned long long)reached);
}

// The errors of all kinds in turn; with EDGE_ALL in the environment each of them at every call.
static void test_refused(void **state)
{
	(void)state;
	lives(FAKE_PARTLY, 0, "refused");
	if (!getenv("EDGE_ALL"))
		return;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		lives(FAKE_PARTLY, codes[i], "refused");
	lives(FAKE_SLOW, 0, "slow");
}

static void test_lost(void **state)
{
	(void)state;
	lives(FAKE_LOST, -ECONNRESET, "answer lost");
}

static void test_dies(void **state)
{
	(void)state;
	lives(FAKE_DIES, 0, "daemon ends before");
}

static void test_dies_after(void **state)
{
	(void)state;
	lives(FAKE_DIES_AFTER, 0, "daemon ends after");
}

// --- single cases ------------------------------------------------------------------------------

static struct lock_volume volume_in(struct test *t)
{
	struct lock_volume volume;
	char reason[REASON_SIZE] = "";

	fake_sanlock_begin(0, FAKE_REFUSED, 0);
	folder_make(t);
	lock_volume_init(&volume, "v1", t->folder, IO_TIMEOUT_S);
	assert_int_equal(mkdir(volume.directory, 0700), 0);
	if (!lock_prepare(&volume, reason))
		fail_msg("%s", reason);
	return volume;
}

static void test_slot_reused(void **state)
{
	const char *const old = "00000000-1111-2222-3333-444444444444";
	struct test t = { 0 };
	struct lock_volume volume = volume_in(&t);
	struct uuid uuid = { { 9 } };
	struct lock_lease lease;
	char reason[REASON_SIZE] = "";

	(void)state;
	lock_lease_init(&lease, &volume, 3, &uuid);
	// A removed VM's, of nobody: written over.
	fake_sanlock_lease(lease.path, lease.offset, lease.lockspace, old, 0, 0);
	assert_true(lock_lease_write(&lease, reason));
	assert_string_equal(fake_sanlock_name(lease.offset), lease.name);
	// Our own, also while it is held: left alone.
	fake_sanlock_lease(lease.path, lease.offset, lease.lockspace, lease.name, 2, 4);
	assert_true(lock_lease_write(&lease, reason));
	assert_int_equal(fake_sanlock_owner(lease.offset, &(uint64_t){ 0 }), 2);
	// Another VM's that somebody owns, dead or not.
	fake_sanlock_lease(lease.path, lease.offset, lease.lockspace, old, 2, 4);
	assert_false(lock_lease_write(&lease, reason));
	assert_non_null(strstr(reason, "owned"));
	assert_string_equal(fake_sanlock_name(lease.offset), old);
	// One that cannot be read.
	fake_sanlock_lease(lease.path, lease.offset, lease.lockspace, old, 0, 0);
	fake_sanlock_unreadable(lease.offset, -202);
	assert_false(lock_lease_write(&lease, reason));
	fake_sanlock_unreadable(lease.offset, -224);	// SANLK_LEADER_VERSION: not blank
	assert_false(lock_lease_write(&lease, reason));
	assert_string_equal(fake_sanlock_name(lease.offset), old);
	// Another lockspace's.
	fake_sanlock_lease(lease.path, lease.offset, "somebody-else", lease.name, 0, 0);
	assert_false(lock_lease_write(&lease, reason));
	fake_sanlock_lease(lease.path, lease.offset, "somebody-else", old, 0, 0);
	assert_false(lock_lease_write(&lease, reason));
	folder_remove(&t);
}

// Every one of its calls, failing in turn: success is said only when the lease is there, and an
// owned one is never touched.
static void test_slot_reused_failing(void **state)
{
	const char *const old = "00000000-1111-2222-3333-444444444444";
	struct test t = { 0 };
	struct lock_volume volume = volume_in(&t);
	struct uuid uuid = { { 9 } };
	struct lock_lease lease;
	char reason[REASON_SIZE] = "";

	(void)state;
	lock_lease_init(&lease, &volume, 3, &uuid);
	for (int owner = 0; owner < 2; owner++)
		for (uint64_t at = 1; at < 8; at++)
			for (enum fake_fault fault = 0; fault < FAKE_FAULTS; fault++) {
				bool good;

				fake_sanlock_begin(at, fault, fault == FAKE_SLOW ? 0 : -202);
				fake_sanlock_lease(lease.path, lease.offset, lease.lockspace, old,
						   owner ? 2 : 0, owner ? 4 : 0);
				good = lock_lease_write(&lease, reason);
				if (good || owner)
					assert_string_equal(fake_sanlock_name(lease.offset),
							    owner ? old : lease.name);
				assert_false(good && owner);
				assert_true(good || owner || fake_sanlock_failed());
			}
	folder_remove(&t);
}

static void test_prepare(void **state)
{
	struct test t = { 0 };
	struct lock_volume volume = volume_in(&t), other;
	struct lock_claim found;
	char reason[REASON_SIZE] = "";
	uint64_t generation;

	(void)state;
	fake_sanlock_claim(volume.lockspace_path, PEER_ID, 3, 5);
	assert_true(lock_prepare(&volume, reason));	// again: what is there is kept
	assert_true(lock_claim_read(&volume, PEER_ID, &found, reason));
	assert_true(found.generation == 3 && found.timestamp == 5);
	lock_volume_init(&other, "v1", t.folder, IO_TIMEOUT_S + 1);
	assert_false(lock_prepare(&other, reason));
	assert_non_null(strstr(reason, "io-timeout"));
	lock_volume_init(&other, "v2", t.folder, IO_TIMEOUT_S);
	assert_false(lock_prepare(&other, reason));
	assert_false(lock_join(&other, HOST_ID, &generation, reason));
	assert_false(lock_claim_read(&other, PEER_ID, &found, reason));
	assert_int_equal(truncate(volume.lockspace_path, 100), 0);
	assert_false(lock_claim_read(&volume, PEER_ID, &found, reason));
	assert_false(lock_claim_release(&volume, PEER_ID, 3, t.program, reason));
	folder_remove(&t);
}

// A connection that may ask for everything is none for the guard.
static void test_register(void **state)
{
	uint32_t descriptors = entries("/proc/self/fd");
	int fd;

	(void)state;
	for (uint64_t at = 1; at <= 2; at++) {
		fake_sanlock_begin(at, FAKE_REFUSED, -EIO);
		assert_int_equal(lock_register(), -EIO);
		assert_int_equal(fake_sanlock_close(), 0);
	}
	fd = lock_register();
	assert_true(fd >= 0);
	assert_int_equal(fake_sanlock_close(), 1);
	close(fd);
	assert_int_equal(entries("/proc/self/fd"), descriptors);
}

// What becomes QEMU: registered, restricted, with a connection that outlives exec; or not at all.
static void test_launch_register(void **state)
{
	uint32_t descriptors = entries("/proc/self/fd");
	char reason[REASON_SIZE];
	int fd;

	(void)state;
	for (uint64_t at = 1; at <= 3; at++) {
		fake_sanlock_begin(at, FAKE_REFUSED, -EIO);
		reason[0] = 0;
		fd = launch_register(reason, sizeof(reason));
		assert_int_equal(fake_sanlock_failed(), at <= 2);
		assert_int_equal(fd >= 0, at > 2);
		assert_int_equal(strlen(reason) > 0, at <= 2);
		if (fd >= 0)
			assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
		assert_int_equal(fake_sanlock_close(), at > 2);
		if (fd >= 0)
			close(fd);
	}
	assert_int_equal(entries("/proc/self/fd"), descriptors);
}

// Before the first renewal sanlock does not tell this host's generation; what is held is held.
static void test_young_lockspace(void **state)
{
	struct test t = { 0 };
	struct lock_volume volume = volume_in(&t);
	struct uuid uuid = { { 9 } };
	struct lock_lease lease;
	enum lease_error error;
	char reason[REASON_SIZE] = "";
	uint64_t generation;
	pid_t pid = sleeper();

	(void)state;
	lock_lease_init(&lease, &volume, 0, &uuid);
	assert_true(lock_lease_write(&lease, reason));
	assert_true(lock_join(&volume, HOST_ID, &generation, reason));
	assert_true(lock_acquire(pid, &lease, 1, false, &error, reason));
	assert_false(lock_released(&lease, 1, HOST_ID, 0, reason));
	child_end(&pid);
	assert_true(lock_released(&lease, 1, HOST_ID, 1000, reason));
	assert_true(lock_leave(&volume, HOST_ID, reason));
	folder_remove(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slot_reused),
		cmocka_unit_test(test_slot_reused_failing),
		cmocka_unit_test(test_prepare),
		cmocka_unit_test(test_register),
		cmocka_unit_test(test_launch_register),
		cmocka_unit_test(test_young_lockspace),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_dies),
		cmocka_unit_test(test_dies_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
