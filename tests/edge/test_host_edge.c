// SPDX-License-Identifier: Apache-2.0
// A host's whole edge - volumes, sanlock, processes, monitors - without root: sanlock is a fake
// that fails at its Nth call, clusterd-launch and QEMU are this program itself, which fails at
// each of its steps. Each action is answered by one event, and what is claimed is true.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clusterd/exec_io.h"
#include "clusterd/loop_io.h"
#include "resources/host_io.h"
#include "resources/launch.h"
#include "tests/edge/fake_sanlock.h"

enum { CHILDREN = 24, CALLS_MAX = 300, EXIT_NOT_REACHED = 77, LIMIT_MS = 60000, AGAIN_MS = 20,
       HOST_ID = 1, MUTE_MS = 500 };

// Where clusterd-launch, and what it becomes, goes wrong; in the first byte of the VM's UUID.
enum trouble {
	TROUBLE_NONE = 1,
	TROUBLE_ENDS,		// at once, without a word
	TROUBLE_FAILS,		// with one
	TROUBLE_GARBAGE,	// instead of READY, then waits
	TROUBLE_LONG,		// a packet larger than any
	TROUBLE_HANGS_UP,	// and goes on
	TROUBLE_READY_ENDS,
	TROUBLE_READY_FAILS,
	TROUBLE_READY_GARBAGE,
	TROUBLE_READY_HANGS_UP,
	TROUBLE_READY_TWICE,	// which is none
	TROUBLE_GO_ENDS,
	TROUBLE_GO_FAILS,
	TROUBLE_QEMU_ENDS,
	TROUBLE_QEMU_MUTE,	// no monitor
	TROUBLE_QEMU_HANGS_UP,	// its monitor, once, at the first command
	TROUBLE_COUNT,
};

// --- what is launched --------------------------------------------------------------------------

static void say(const char *text, size_t size)
{
	if (send(LAUNCH_FD, text, size, MSG_NOSIGNAL) < 0)
		_exit(1);
}

static void hang_on(void)
{
	for (;;)
		pause();
}

// False: it hung up by itself.
static bool qemu_talk(int fd, bool hang_up, bool *running)
{
	char line[512];
	size_t used = 0;

	dprintf(fd, "{\"QMP\":{}}\n");
	for (;;) {
		const char *id;

		if (used == sizeof(line) - 1 || read(fd, line + used, 1) != 1)
			return true;
		if (line[used++] != '\n')
			continue;
		line[used] = 0;
		used = 0;
		id = strstr(line, "\"id\":");
		if (!id)
			return true;
		if (hang_up && strstr(line, "\"cont\""))
			return false;
		if (strstr(line, "query-status"))
			dprintf(fd, "{\"return\":{\"status\":\"%s\"},\"id\":%d}\n",
				*running ? "running" : "prelaunch", atoi(id + 5));
		else
			dprintf(fd, "{\"return\":{},\"id\":%d}\n", atoi(id + 5));
		if (!strstr(line, "\"cont\""))
			continue;
		*running = true;
		dprintf(fd, "{\"event\":\"RESUME\"}\n");
	}
}

static void qemu(const char *arguments, ssize_t size, enum trouble trouble)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *from = memmem(arguments, (size_t)size, "path=", 5);
	const char *end = from ? strchr(from, ',') : NULL;
	int listen_fd = socket(AF_UNIX, SOCK_STREAM, 0), fd;
	bool running = false;

	if (!end || (size_t)(end - from - 5) >= sizeof(address.sun_path))
		_exit(9);
	memcpy(address.sun_path, from + 5, (size_t)(end - from - 5));
	if (bind(listen_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listen_fd, 4) < 0)
		_exit(8);
	while ((fd = accept(listen_fd, NULL, NULL)) >= 0) {
		if (!qemu_talk(fd, trouble == TROUBLE_QEMU_HANGS_UP, &running))
			trouble = TROUBLE_NONE;
		close(fd);
	}
}

static int launch(enum trouble trouble)
{
	static char packet[LAUNCH_PACKET_MAX];
	char ready[64];
	ssize_t size;

	alarm(2 * LIMIT_MS / 1000);
	signal(SIGPIPE, SIG_IGN);
	snprintf(ready, sizeof(ready), "R%d %llu", (int)getppid(),
		 (unsigned long long)exec_start_time(getppid(), NULL));
	if (trouble == TROUBLE_ENDS)
		_exit(3);
	if (trouble == TROUBLE_FAILS || trouble == TROUBLE_LONG)
		say("Eno sanlock here", 16);
	if (trouble == TROUBLE_FAILS)
		_exit(1);
	if (trouble == TROUBLE_LONG)
		say(packet, 5000);
	if (trouble == TROUBLE_GARBAGE)
		say("Rno number", 10);
	if (trouble == TROUBLE_HANGS_UP)
		close(LAUNCH_FD);
	if (trouble == TROUBLE_LONG || trouble == TROUBLE_GARBAGE || trouble == TROUBLE_HANGS_UP)
		hang_on();
	say(ready, strlen(ready));
	if (trouble == TROUBLE_READY_ENDS)
		_exit(4);
	if (trouble == TROUBLE_READY_FAILS) {
		say("Ethought better of it", 21);
		_exit(5);
	}
	if (trouble == TROUBLE_READY_GARBAGE)
		say("?", 1);
	if (trouble == TROUBLE_READY_HANGS_UP) {
		close(LAUNCH_FD);
		hang_on();
	}
	size = recv(LAUNCH_FD, packet, sizeof(packet), 0);
	if (size <= 0 || trouble == TROUBLE_GO_ENDS)
		_exit(0);
	if (trouble == TROUBLE_GO_FAILS) {
		say("Eno such program", 16);
		_exit(1);
	}
	close(LAUNCH_FD);	// as the exec does it
	if (trouble == TROUBLE_QEMU_ENDS)
		_exit(6);
	if (trouble == TROUBLE_QEMU_MUTE)
		hang_on();
	qemu(packet, size, trouble);
	return 0;
}

// --- the host ----------------------------------------------------------------------------------

enum step { STEP_VOLUME, STEP_SPAWN, STEP_ACQUIRE, STEP_EXEC, STEP_RUNS, STEP_END, STEP_RELEASE,
	    STEP_DONE };

struct test {
	struct loop *loop;
	struct host *host, *first_host;	// whose memory is left to the process's end
	struct cluster cluster;
	void *memory;
	struct loop_timer limit, again, mute;
	enum trouble trouble;
	enum step step;
	bool timed_out, up, joined, prepared, adopting, adopted, restart, ran, alive;
	bool ended_by_us;
	uint32_t slot, attempt, ended, runs;
	enum event_type awaited;
	char folder[64], program[128], root[128], self[256];
	uint64_t offsets[2];
};

static void host_go(void *owner);

static void again(struct test *t)
{
	loop_timer_ms(t->loop, &t->again, AGAIN_MS, host_go, t);
}

static void folder_make(struct test *t)
{
	FILE *file;
	ssize_t size;

	// Not /tmp, which may be in memory and know no direct I/O.
	snprintf(t->folder, sizeof(t->folder), "/var/tmp/test-host-XXXXXX");
	assert_non_null(mkdtemp(t->folder));
	snprintf(t->program, sizeof(t->program), "%s/sanlock", t->folder);
	snprintf(t->root, sizeof(t->root), "%s/root", t->folder);
	file = fopen(t->program, "w");
	assert_non_null(file);
	fputs("#!/bin/sh\nexit 0\n", file);
	fclose(file);
	assert_int_equal(chmod(t->program, 0700), 0);
	size = readlink("/proc/self/exe", t->self, sizeof(t->self) - 1);
	assert_true(size > 0);
}

static void folder_remove(const struct test *t)
{
	const char *const argv[] = { "rm", "-rf", t->folder, NULL };
	char output[64];

	assert_int_equal(exec_run(argv, output, sizeof(output), LIMIT_MS), 0);
}

static void cluster_make(struct test *t)
{
	struct cluster_limits limits = { .vms_max = 2, .lease_slots_max = 8 };
	struct cluster_volume *volume = &t->cluster.volumes[0];
	struct vm *vm;
	struct vm_def *def;

	t->memory = malloc(cluster_memory(&limits));
	assert_non_null(t->memory);
	cluster_init(&t->cluster, &limits, t->memory);
	snprintf(t->cluster.def.root, sizeof(t->cluster.def.root), "%s", t->root);
	volume->used = volume->prepared = true;
	t->cluster.volume_high = 1;
	snprintf(volume->def.name, sizeof(volume->def.name), "v1");
	snprintf(volume->def.source, sizeof(volume->def.source), "%s", t->folder);
	memset(t->cluster.vms, 0, sizeof(*t->cluster.vms));
	memset(t->cluster.defs, 0, sizeof(*t->cluster.defs));
	t->cluster.vm_high = 1;
	vm = &t->cluster.vms[0];
	vm->used = true;
	vm->ref = (struct vm_ref){ 0, 7 };
	vm->lease_count = 2;
	vm->leases[0].slot = 0;
	vm->leases[1].slot = 1;
	def = &t->cluster.defs[0];
	snprintf(def->name, sizeof(def->name), "vm1");
	def->cpus = 1;
	def->memory_mib = 64;
	def->uuid.bytes[0] = (uint8_t)t->trouble;
}

static void perform(struct test *t, enum action_type type)
{
	struct action action = { .type = (uint8_t)type, .vm = { 0, 7 }, .attempt = t->attempt,
				 .uuid = t->cluster.defs[0].uuid, .lease_slot = t->slot };

	assert_true(host_perform(t->host, &t->cluster, &action));
}

// One action, one event.
static void ask(struct test *t, enum action_type type, enum event_type answer)
{
	assert_int_equal(t->awaited, 0);
	t->awaited = answer;
	perform(t, type);
}

static void end_mute(void *owner)
{
	struct test *t = owner;

	if (t->step != STEP_RUNS || !t->alive)
		return;
	t->step = STEP_END;
	perform(t, ACTION_QEMU_KILL);
}

static void volume_go(struct test *t)
{
	if (!t->prepared)
		ask(t, ACTION_VOLUME_PREPARE, EVENT_VOLUME_PREPARED);
	else if (!t->joined)
		ask(t, ACTION_VOLUME_JOIN, EVENT_VOLUME);
	else if (t->slot < 2)
		ask(t, ACTION_LEASE_WRITE, EVENT_LEASE_WRITTEN);
	else {
		t->step = STEP_SPAWN;
		again(t);
	}
}

static void host_go(void *owner)
{
	struct test *t = owner;

	if (t->awaited)
		return;
	if (!t->adopted) {
		t->adopting = true;
		t->awaited = EVENT_ADOPTION_DONE;
		host_adopt(t->host);
		return;
	}
	if (!t->up)
		return;
	if (!t->joined && t->step > STEP_VOLUME && t->step < STEP_RUNS)
		t->step = t->alive ? t->step : STEP_VOLUME;
	switch (t->step) {
	case STEP_VOLUME:
		volume_go(t);
		break;
	case STEP_SPAWN:
		t->attempt++;
		t->ended_by_us = false;
		ask(t, ACTION_VM_SPAWN, EVENT_VM_SPAWNED);
		break;
	case STEP_ACQUIRE:
		ask(t, ACTION_LEASE_ACQUIRE, EVENT_LEASE_GRANTED);
		break;
	case STEP_EXEC:
		t->step = STEP_RUNS;
		loop_timer_ms(t->loop, &t->mute,
			      t->trouble == TROUBLE_QEMU_MUTE ? MUTE_MS : LIMIT_MS, end_mute, t);
		perform(t, ACTION_QEMU_EXEC);
		break;
	case STEP_RUNS:
		break;
	case STEP_END:
		perform(t, ACTION_QEMU_KILL);
		break;
	case STEP_RELEASE:
		ask(t, ACTION_LEASE_RELEASE_WAIT, EVENT_LEASE_RELEASED);
		break;
	case STEP_DONE:
		loop_stop(t->loop);
		break;
	}
}

static bool lockspace_joined(void)
{
	uint64_t generation;

	return fake_sanlock_joined("clusterd-v1", &generation);
}

static bool leases_owned(void)
{
	uint64_t generation, now;

	if (!fake_sanlock_joined("clusterd-v1", &now))
		return false;
	for (uint64_t i = 0; i < 2; i++)
		if (fake_sanlock_owner(i << 20, &generation) == HOST_ID && generation == now)
			return true;
	return false;
}

static void heard_spawned(struct test *t, const struct event *event)
{
	assert_int_equal(t->awaited, EVENT_VM_SPAWNED);
	t->awaited = 0;
	t->alive = event->flag;
	if (event->flag) {
		t->step = STEP_ACQUIRE;
		return;
	}
	assert_true(event->reason && strlen(event->reason) > 0);
	// Not joined at that moment is no trouble of the child's.
	t->ended += t->joined;
	t->step = t->joined ? STEP_RELEASE : STEP_SPAWN;
}

static void heard_lease(struct test *t, const struct event *event)
{
	assert_int_equal(t->awaited, EVENT_LEASE_GRANTED);
	t->awaited = 0;
	if (event->type == EVENT_LEASE_GRANTED) {
		// A child that ended by itself took its lease along, and the word of that is behind
		// this one.
		assert_true(leases_owned() || !t->alive || !lockspace_joined() ||
			    fake_sanlock_holder_ended());
		if (t->alive)
			t->step = STEP_EXEC;
		return;
	}
	assert_in_range(event->lease_error, 1, LEASE_ERROR_COUNT - 1);
	assert_true(strlen(event->reason) > 0);
}

static void heard_exited(struct test *t, const struct event *event)
{
	assert_true(t->alive);
	assert_true(strlen(event->reason) > 0);
	t->alive = false;
	t->ended++;
	loop_timer_cancel(&t->mute);
	t->step = STEP_RELEASE;
}

static void heard_released(struct test *t, const struct event *event)
{
	assert_int_equal(t->awaited, EVENT_LEASE_RELEASED);
	t->awaited = 0;
	if (!event->flag)
		return;
	assert_false(leases_owned());
	// What does not run because sanlock failed is started again.
	t->step = t->trouble == TROUBLE_NONE && !t->ran ? STEP_VOLUME : STEP_DONE;
}

static void heard_running(struct test *t)
{
	assert_true(t->alive);
	if (t->step != STEP_RUNS)
		return;
	assert_true(leases_owned() || !lockspace_joined());
	t->runs++;
	// The first time it is left running for the next daemon.
	if (!t->ran && !t->restart && t->trouble == TROUBLE_NONE) {
		t->restart = true;
		loop_stop(t->loop);
		return;
	}
	t->ran = true;
	t->step = STEP_END;
}

static void heard_gone(struct test *t)
{
	t->up = t->joined = false;
	if (t->awaited == EVENT_VOLUME)
		t->awaited = 0;
	// As the core has it: what was registered with it is ended.
	if (t->alive && !t->ended_by_us) {
		t->ended_by_us = true;
		perform(t, ACTION_QEMU_KILL);
		if (t->step < STEP_END)
			t->step = STEP_RUNS;
	}
}

static void posted(void *owner, const struct event *event)
{
	struct test *t = owner;

	switch (event->type) {
	case EVENT_HOST:
	case EVENT_MEASURED:	// a host that is slow lives that long
		break;
	case EVENT_SANLOCK_UP:
		t->up = true;
		break;
	case EVENT_SANLOCK_GONE:
		heard_gone(t);
		break;
	case EVENT_VOLUME:
		t->joined = event->joined;
		if (t->awaited == EVENT_VOLUME)
			t->awaited = 0;
		break;
	case EVENT_VOLUME_PREPARED:
		assert_int_equal(t->awaited, EVENT_VOLUME_PREPARED);
		t->awaited = 0;
		t->prepared = event->flag;
		break;
	case EVENT_LEASE_WRITTEN:
		assert_int_equal(t->awaited, EVENT_LEASE_WRITTEN);
		t->awaited = 0;
		t->slot += event->flag;
		break;
	case EVENT_VM_SPAWNED:
		heard_spawned(t, event);
		break;
	case EVENT_LEASE_GRANTED:
	case EVENT_LEASE_REFUSED:
		heard_lease(t, event);
		break;
	case EVENT_QEMU_RUNNING:
		heard_running(t);
		break;
	case EVENT_QEMU_EXITED:
		heard_exited(t, event);
		break;
	case EVENT_QEMU_DEAF:
		// It hung up after it had been told to go: as an exec does it.
		assert_int_equal(t->trouble, TROUBLE_READY_HANGS_UP);
		end_mute(t);
		break;
	case EVENT_LEASE_RELEASED:
		heard_released(t, event);
		break;
	case EVENT_VM_ADOPTED:
		assert_true(t->adopting && t->restart);
		assert_true(!event->flag || leases_owned() || !lockspace_joined());
		t->step = STEP_RUNS;
		if (!event->flag)
			t->ended_by_us = true;
		if (!event->flag)
			perform(t, ACTION_QEMU_KILL);
		break;
	case EVENT_ADOPTION_DONE:
		assert_int_equal(t->awaited, EVENT_ADOPTION_DONE);
		t->awaited = 0;
		t->adopting = false;
		t->adopted = true;
		break;
	default:
		fail_msg("event %d: %s", event->type, event->reason ? event->reason : "");
	}
	again(t);
}

static void too_late(void *owner)
{
	struct test *t = owner;

	t->timed_out = true;
	loop_stop(t->loop);
}

static void daemon_run(struct test *t)
{
	char run[128];
	struct passwd *user = getpwuid(getuid());
	struct host_config config = {
		.node_id = HOST_ID, .run_dir = run, .launch_path = t->self,
		.sanlock_path = t->program, .qemu_path = "/nonexistent/qemu",
		.qemu_user = user ? user->pw_name : "root",
	};

	snprintf(run, sizeof(run), "%s/run", t->folder);
	assert_int_equal(loop_open(&t->loop), 0);
	config.edge = (struct edge){ .loop = t->loop, .post = posted, .owner = t };
	t->up = t->joined = t->adopted = false;
	assert_int_equal(host_open(&t->host, &config), 0);
	perform(t, ACTION_VOLUME_OPEN);
	loop_timer_ms(t->loop, &t->limit, LIMIT_MS, too_late, t);
	again(t);
	loop_run(t->loop);
	loop_timer_cancel(&t->limit);
	loop_timer_cancel(&t->again);
	loop_timer_cancel(&t->mute);
	if (t->step == STEP_DONE)
		perform(t, ACTION_VM_FORGET);
	host_close(t->host);
	loop_close(t->loop);
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

static void tell_file(const char *thread, const char *name)
{
	char path[320], text[160] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%s/%s", thread, name);
	file = fopen(path, "r");
	if (file && !fgets(text, sizeof(text), file))
		text[0] = 0;
	if (file)
		fclose(file);
	text[strcspn(text, "\n")] = 0;
	fprintf(stderr, " %s", text);
}

// Which one it is, and what it waits for.
static void tell_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		fprintf(stderr, "thread %s:", entry->d_name);
		tell_file(entry->d_name, "comm");
		tell_file(entry->d_name, "wchan");
		tell_file(entry->d_name, "syscall");
		fputc('\n', stderr);
	}
	closedir(dir);
}

// Threads are not waited for by who closes the host: until then they, and what they run, have
// descriptors of their own.
static bool alone(void)
{
	for (int i = 0; i < LIMIT_MS / 10 && entries("/proc/self/task") > 3; i++)
		nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
	if (entries("/proc/self/task") <= 3)
		return true;
	tell_threads();
	return false;
}

// Nothing of the VM is left where its record was.
static bool run_is_empty(const struct test *t)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/run/vms", t->folder);
	return rmdir(path) == 0;
}

static int life(enum trouble trouble, uint64_t fail_at, enum fake_fault fault)
{
	static struct test *t;	// for the hosts to be found in it
	uint32_t before = entries("/proc/self/fd");
	bool failed;

	t = calloc(1, sizeof(*t));
	t->trouble = trouble;
	fake_sanlock_begin(fail_at, fault, fail_at % 2 ? -EIO : -ECONNRESET);
	folder_make(t);
	cluster_make(t);
	daemon_run(t);
	t->first_host = t->host;
	if (!t->timed_out && t->step != STEP_DONE)
		daemon_run(t);
	if (t->timed_out) {
		fprintf(stderr,
			"step %d awaits %d up %d joined %d alive %d runs %u restart %d adopted "
			"%d\n",
			t->step, t->awaited, t->up, t->joined, t->alive, t->runs, t->restart,
			t->adopted);
		return 1;
	}
	if (!alone())
		return 6;
	failed = fake_sanlock_failed();
	// An adopted one would be init's by now; none may still live.
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	if (t->ended == 0 || t->alive || errno != ECHILD)
		return 2;
	if (trouble == TROUBLE_NONE && t->runs < 2 && !failed)
		return 3;
	if (!run_is_empty(t))
		return 4;
	folder_remove(t);
	free(t->memory);
	fake_sanlock_close();
	if (entries("/proc/self/fd") != before)
		return 5;
	return failed ? 0 : EXIT_NOT_REACHED;
}

static pid_t life_start(enum trouble trouble, uint64_t fail_at, enum fake_fault fault)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		// What fails in here ends this process, and starts no other test.
		setenv("CMOCKA_TEST_ABORT", "1", 1);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(3 * LIMIT_MS / 1000);
		exit(life(trouble, fail_at, fault));
	}
	return pid;
}

// Whether the failing call was reached.
static bool life_end(pid_t pid, const char *name, uint64_t number)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) ||
	    (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != EXIT_NOT_REACHED))
		fail_msg("%s %llu: status %x", name, (unsigned long long)number,
			 (unsigned int)status);
	return WEXITSTATUS(status) == 0;
}

static void test_every_trouble(void **state)
{
	pid_t pids[TROUBLE_COUNT];

	(void)state;
	for (enum trouble i = TROUBLE_NONE; i < TROUBLE_COUNT; i++)
		pids[i] = life_start(i, 0, FAKE_REFUSED);
	for (enum trouble i = TROUBLE_NONE; i < TROUBLE_COUNT; i++)
		life_end(pids[i], "trouble", i);
}

static void lives(enum fake_fault fault, const char *name)
{
	pid_t pids[CHILDREN];
	uint64_t first = 1, reached = 0;
	bool more = true;

	for (; more && first < CALLS_MAX; first += CHILDREN) {
		for (uint64_t i = 0; i < CHILDREN; i++)
			pids[i] = life_start(TROUBLE_NONE, first + i, fault);
		for (uint64_t i = 0; i < CHILDREN; i++) {
			more = life_end(pids[i], name, first + i);
			reached += more;
		}
	}
	assert_true(reached > 15);
	print_message("%s: %llu calls\n", name, (unsigned long long)reached);
}

static void test_sanlock_refuses(void **state)
{
	(void)state;
	lives(FAKE_PARTLY, "refused");
}

static void test_sanlock_lost(void **state)
{
	(void)state;
	lives(FAKE_LOST, "answer lost");
}

static void test_sanlock_dies(void **state)
{
	(void)state;
	lives(FAKE_DIES_AFTER, "daemon ends after");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_trouble),
		cmocka_unit_test(test_sanlock_refuses),
		cmocka_unit_test(test_sanlock_lost),
		cmocka_unit_test(test_sanlock_dies),
	};
	unsigned int trouble = 0;

	if (argc >= 5 && strcmp(argv[0], "clusterd-launch") == 0 &&
	    sscanf(argv[4], "%2x", &trouble) == 1)
		return launch((enum trouble)trouble);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
