// SPDX-License-Identifier: Apache-2.0
// QEMU's monitor against a peer that closes, cuts short, garbles, delays, doubles or never gives
// its Nth message, for every N: each command is answered once, nothing is heard that was not said,
// and in the end they understand each other. And how long silence is borne, on a clock that the
// test turns.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clusterd/loop_io.h"
#include "resources/qmp_io.h"

enum { ASKS = 3, COMMANDS_MAX = 64, MESSAGES_MAX = 64, EXIT_NOT_REACHED = 77, LIMIT_MS = 60000,
       STUCK_MS = 400, LATE_MS = 120 };

enum fault {
	FAULT_CLOSE,		// instead of the message
	FAULT_CLOSE_AFTER,
	FAULT_CUT,		// half of it, then the end
	FAULT_PIECES,		// half of it, the rest late
	FAULT_GARBLED,
	FAULT_NO_LINE,		// a line without end, then the end
	FAULT_WRONG_ID,
	FAULT_TWICE,
	FAULT_ERROR,
	FAULT_NEITHER,		// no result, and no error
	FAULT_LATE,
	FAULT_NEVER,
	FAULT_COUNT,
};

struct asked {
	struct test *test;
	uint32_t replies;
	bool good;
};

struct test {
	struct loop *loop;
	struct qmp *qmp;
	struct loop_timer limit, stuck, late, ask;
	bool timed_out, done, closed;
	uint32_t round_first, commands;
	struct asked asked[COMMANDS_MAX];
	int counts[QMP_CLOSED + 1];
	// The peer.
	int listen_fd, fd;
	char in[4096], rest[256];
	size_t in_used;
	enum fault fault;
	uint64_t fail_at, messages;
	bool failed;
	uint32_t connections, resumes, statuses;	// that it said, whole
	char folder[64];
};

// --- the peer ----------------------------------------------------------------------------------

static void peer_close(struct test *t)
{
	loop_timer_cancel(&t->late);
	loop_timer_cancel(&t->stuck);
	if (t->fd >= 0) {
		loop_del_fd(t->loop, t->fd);
		close(t->fd);
	}
	t->fd = -1;
	t->in_used = 0;
}

static void peer_write(struct test *t, const char *text, size_t size)
{
	ssize_t sent = t->fd >= 0 ? send(t->fd, text, size, MSG_NOSIGNAL) : 0;

	assert_true(t->fd < 0 || t->closed || sent == (ssize_t)size);
}

static void peer_rest(void *owner)
{
	struct test *t = owner;

	peer_write(t, t->rest, strlen(t->rest));
}

// Whoever waits for what never comes gets a new monitor.
static void peer_stuck(void *owner)
{
	peer_close(owner);
}

static void peer_fault(struct test *t, const char *line)
{
	static char endless[100000];
	char text[256];
	const char *id = strstr(line, "\"id\":");
	size_t half = strlen(line) / 2;

	t->failed = true;
	loop_timer_ms(t->loop, &t->stuck, STUCK_MS, peer_stuck, t);
	snprintf(t->rest, sizeof(t->rest), "%s", line);
	switch (t->fault) {
	case FAULT_CLOSE_AFTER:
		peer_write(t, line, strlen(line));
		peer_close(t);
		break;
	case FAULT_CUT:
		peer_write(t, line, half);
		peer_close(t);
		break;
	case FAULT_CLOSE:
		peer_close(t);
		break;
	case FAULT_PIECES:
		peer_write(t, line, half);
		snprintf(t->rest, sizeof(t->rest), "%s", line + half);
		loop_timer_ms(t->loop, &t->late, LATE_MS, peer_rest, t);
		break;
	case FAULT_GARBLED:
		snprintf(text, sizeof(text), "%s", line);
		text[half] = '\1';
		text[half / 2] = '}';
		peer_write(t, text, strlen(text));
		break;
	case FAULT_NO_LINE:
		memset(endless, 'x', sizeof(endless));
		peer_write(t, endless, sizeof(endless));
		peer_close(t);
		break;
	case FAULT_WRONG_ID:
		snprintf(text, sizeof(text), "{\"return\":{\"x\":1},\"id\":%d}\n", id ? 99999 : 0);
		peer_write(t, text, strlen(text));
		break;
	case FAULT_TWICE:
		peer_write(t, line, strlen(line));
		peer_write(t, line, strlen(line));
		break;
	case FAULT_ERROR:
		snprintf(text, sizeof(text), "{\"error\":{\"desc\":\"no\"}%s%s\n", id ? "," : "}\n",
			 id ? id : "");
		peer_write(t, text, strlen(text));
		break;
	case FAULT_NEITHER:
		snprintf(text, sizeof(text), "{\"x\":1%s%s\n", id ? "," : "}", id ? id : "");
		peer_write(t, text, strlen(text));
		break;
	case FAULT_LATE:
		loop_timer_ms(t->loop, &t->late, LATE_MS, peer_rest, t);
		break;
	case FAULT_NEVER:
	case FAULT_COUNT:
		break;
	}
}

static bool said_whole(enum fault fault)
{
	return fault == FAULT_CLOSE_AFTER || fault == FAULT_PIECES || fault == FAULT_TWICE ||
	       fault == FAULT_LATE;
}

static bool peer_say(struct test *t, const char *line)
{
	bool hit = ++t->messages == t->fail_at;

	if (hit)
		peer_fault(t, line);
	else
		peer_write(t, line, strlen(line));
	return !hit || said_whole(t->fault);
}

static void peer_answer(struct test *t, const char *line)
{
	const char *id = strstr(line, "\"id\":");
	char text[128];
	int number = id ? atoi(id + 5) : 0;

	assert_true(number > 0);
	if (strstr(line, "query-status")) {
		snprintf(text, sizeof(text), "{\"return\":{\"status\":\"running\"},\"id\":%d}\n",
			 number);
		t->statuses += peer_say(t, text);
		return;
	}
	snprintf(text, sizeof(text), "{\"return\":{},\"id\":%d}\n", number);
	peer_say(t, text);
	if (strstr(line, "\"ask\""))
		t->resumes += peer_say(t, "{\"event\":\"RESUME\",\"timestamp\":{}}\n") *
			      (t->fault == FAULT_TWICE ? 2 : 1);
}

static void peer_heard(void *owner, int fd, uint32_t events)
{
	struct test *t = owner;
	ssize_t size = recv(fd, t->in + t->in_used, sizeof(t->in) - t->in_used - 1, MSG_DONTWAIT);
	char *line = t->in, *end;

	(void)events;
	if (size <= 0) {
		peer_close(t);
		return;
	}
	t->in_used += (size_t)size;
	t->in[t->in_used] = 0;
	while (t->fd >= 0 && (end = strchr(line, '\n'))) {
		*end = 0;
		peer_answer(t, line);
		line = end + 1;
	}
	if (t->fd < 0)
		return;
	t->in_used = strlen(line);
	memmove(t->in, line, t->in_used + 1);
}

static void peer_accept(void *owner, int fd, uint32_t events)
{
	struct test *t = owner;

	(void)events;
	peer_close(t);
	t->fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(t->fd >= 0);
	t->connections++;
	assert_int_equal(loop_add_fd(t->loop, t->fd, POLLIN, peer_heard, t), 0);
	peer_say(t, "{\"QMP\":{\"version\":{},\"capabilities\":[]}}\n");
}

// --- who asks ----------------------------------------------------------------------------------

static void ask_all(void *owner);

static void progress(struct test *t)
{
	uint32_t good = 0;

	for (uint32_t i = t->round_first; i < t->commands; i++)
		good += t->asked[i].good;
	if (good < ASKS || t->counts[QMP_STATUS] == 0)
		return;
	t->done = true;
	loop_stop(t->loop);
}

static void replied(void *owner, bool ok, const char *text)
{
	struct asked *asked = owner;
	struct test *t = asked->test;

	assert_false(t->closed);
	assert_non_null(text);
	assert_int_equal(++asked->replies, 1);
	asked->good = ok;
	// An answer that says nothing refuses nothing: then it is as if the monitor were gone.
	if (!ok && t->fault == FAULT_NEITHER)
		assert_int_not_equal(qmp_command(t->qmp, "query-status", NULL, NULL, NULL), 0);
	progress(t);
	if (!ok)
		loop_timer_ms(t->loop, &t->ask, LATE_MS, ask_all, t);
}

// A round that did not go well is asked again.
static void ask_all(void *owner)
{
	struct test *t = owner;

	t->round_first = t->commands;
	for (int i = 0; i < ASKS; i++) {
		struct asked *asked = &t->asked[t->commands];

		assert_true(t->commands < COMMANDS_MAX);
		asked->test = t;
		if (qmp_command(t->qmp, "ask", "{\"a\":1}", replied, asked) != 0)
			return;
		t->commands++;
	}
}

static void notice(void *owner, enum qmp_notice what, const char *text)
{
	struct test *t = owner;

	assert_false(t->closed);
	t->counts[what]++;
	if (what == QMP_STATUS) {
		assert_string_equal(text, "running");
		assert_true(t->statuses > 0);
		progress(t);
	}
	if (what == QMP_READY)
		ask_all(t);
	// Hung up on, or kept waiting for a moment, it is not deaf: mostly QEMU has just ended, and
	// its last words are the reason that is wanted. (Between pieces another message may come.)
	if (what == QMP_DEAF)
		assert_true(t->failed && strlen(text) > 0 &&
			    (t->fault == FAULT_GARBLED || t->fault == FAULT_ERROR ||
			     t->fault == FAULT_PIECES));
	if (what == QMP_CLOSED)
		for (uint32_t i = 0; i < t->commands; i++)
			assert_int_equal(t->asked[i].replies, 1);
}

static void too_late(void *owner)
{
	struct test *t = owner;

	t->timed_out = true;
	loop_stop(t->loop);
}

static uint32_t descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint32_t count = 0;

	while (dir && readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void test_open(struct test *t)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(t->folder, "/tmp/test-qmp-XXXXXX");
	assert_non_null(mkdtemp(t->folder));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/qmp", t->folder);
	assert_int_equal(loop_open(&t->loop), 0);
	t->fd = -1;
	t->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(t->listen_fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(t->listen_fd, 4), 0);
	assert_int_equal(loop_add_fd(t->loop, t->listen_fd, POLLIN, peer_accept, t), 0);
	assert_int_equal(qmp_open(&t->qmp, t->loop, address.sun_path, notice, t), 0);
}

static void test_close(struct test *t)
{
	char path[128];

	// One more under way: it is not answered after the end.
	if (t->commands < COMMANDS_MAX)
		qmp_command(t->qmp, "ask", NULL, replied, &t->asked[t->commands]);
	qmp_close(t->qmp);
	t->closed = true;
	loop_timer_ms(t->loop, &t->limit, 20, too_late, t);
	loop_run(t->loop);
	peer_close(t);
	loop_timer_cancel(&t->ask);
	loop_del_fd(t->loop, t->listen_fd);
	close(t->listen_fd);
	loop_close(t->loop);
	snprintf(path, sizeof(path), "%s/qmp", t->folder);
	unlink(path);
	rmdir(t->folder);
}

static int life(enum fault fault, uint64_t fail_at)
{
	uint32_t before = descriptors();
	struct test *t = calloc(1, sizeof(*t));
	bool failed;

	t->fault = fault;
	t->fail_at = fail_at;
	test_open(t);
	loop_timer_ms(t->loop, &t->limit, LIMIT_MS, too_late, t);
	loop_run(t->loop);
	loop_timer_cancel(&t->limit);
	if (t->timed_out || !t->done)
		return 1;
	for (uint32_t i = t->round_first; i < t->commands; i++)
		if (t->asked[i].replies != 1)
			return 2;
	if ((uint32_t)t->counts[QMP_RESUMED] > t->resumes ||
	    (uint32_t)t->counts[QMP_READY] > t->connections)
		return 3;
	if (!t->failed && (t->counts[QMP_DEAF] || t->counts[QMP_CLOSED]))
		return 4;
	test_close(t);
	failed = t->failed;
	free(t);
	if (descriptors() != before)
		return 5;
	return failed ? 0 : EXIT_NOT_REACHED;
}

static void test_every_message(void **state)
{
	pid_t pids[MESSAGES_MAX];
	uint32_t reached = 0;

	(void)state;
	for (enum fault fault = 0; fault < FAULT_COUNT; fault++) {
		uint32_t count = 12;

		for (uint32_t i = 0; i < count; i++) {
			fflush(NULL);
			pids[i] = fork();
			if (pids[i] == 0) {
				// What fails in here ends this process, and starts no other test.
				setenv("CMOCKA_TEST_ABORT", "1", 1);
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				alarm(2 * LIMIT_MS / 1000);
				exit(life(fault, i + 1));
			}
		}
		for (uint32_t i = 0; i < count; i++) {
			int status;

			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 &&
						   WEXITSTATUS(status) != EXIT_NOT_REACHED))
				fail_msg("fault %u at message %u: status %x", fault, i + 1,
					 (unsigned int)status);
			reached += WEXITSTATUS(status) == 0;
		}
	}
	print_message("%u faults met\n", reached);
	assert_true(reached >= 8 * FAULT_COUNT);
}

// --- patience ----------------------------------------------------------------------------------

enum { TURN_MS = 100 };

static uint64_t turned_ms; // 0: it is the machine's clock

// Everybody's in this program: the loop's too. Once turned it goes by our hand alone, so that it
// goes the same way on a busy machine.
int clock_gettime(clockid_t id, struct timespec *now)
{
	if (!turned_ms)
		return (int)syscall(SYS_clock_gettime, id, now);
	now->tv_sec = (time_t)(turned_ms / 1000);
	now->tv_nsec = (long)(turned_ms % 1000 * 1000000);
	return 0;
}

enum manner {
	MANNER_ABSENT,
	MANNER_SILENT,
	MANNER_HANGS_UP,
	MANNER_GREETS_HANGS_UP,
	MANNER_SILENT_LATER,
	MANNER_GOOD,
	MANNER_COUNT
};

struct patience {
	struct loop *loop;
	struct loop_job turn;
	enum manner manner;
	int listen_fd, fd;
	bool ready;
	uint64_t begun_ms, deaf_ms, limit_ms, jump_ms;
	uint32_t statuses, asked;
};

static void patience_peer_close(struct patience *p)
{
	if (p->fd < 0)
		return;
	loop_del_fd(p->loop, p->fd);
	close(p->fd);
	p->fd = -1;
}

static void patience_heard(void *owner, int fd, uint32_t events)
{
	struct patience *p = owner;
	char in[4096], text[128], *line = in, *end;
	ssize_t size = recv(fd, in, sizeof(in) - 1, MSG_DONTWAIT);

	(void)events;
	in[size > 0 ? size : 0] = 0;
	if (size <= 0 || p->manner == MANNER_GREETS_HANGS_UP) {
		patience_peer_close(p);
		return;
	}
	for (; (end = strchr(line, '\n')); line = end + 1) {
		bool status;

		*end = 0;
		status = strstr(line, "query-status");
		p->asked += status;
		if (p->manner == MANNER_SILENT || (p->manner == MANNER_SILENT_LATER && p->asked))
			continue;
		snprintf(text, sizeof(text), "{\"return\":{%s},\"id\":%d}\n",
			 status ? "\"status\":\"running\"" : "", atoi(strstr(line, "\"id\":") + 5));
		assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	}
}

static void patience_accept(void *owner, int fd, uint32_t events)
{
	static const char greeting[] = "{\"QMP\":{}}\n";
	struct patience *p = owner;

	(void)events;
	patience_peer_close(p);
	p->fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(p->fd >= 0);
	assert_int_equal(loop_add_fd(p->loop, p->fd, POLLIN, patience_heard, p), 0);
	if (p->manner == MANNER_HANGS_UP)
		patience_peer_close(p);
	else
		send(p->fd, greeting, sizeof(greeting) - 1, MSG_NOSIGNAL);
}

static void patience_notice(void *owner, enum qmp_notice what, const char *text)
{
	struct patience *p = owner;

	(void)text;
	p->statuses += what == QMP_STATUS;
	p->ready |= what == QMP_READY;
	if (what == QMP_DEAF && !p->deaf_ms)
		p->deaf_ms = turned_ms - p->begun_ms;
}

// The clock goes on faster than the loop's rounds: in turns, or by a stall of this program.
static void patience_turn(void *owner)
{
	struct patience *p = owner;

	turned_ms += TURN_MS;
	// All is answered, and the next question is not due yet.
	if (p->jump_ms && turned_ms - p->begun_ms > 12000) {
		turned_ms += p->jump_ms;
		p->jump_ms = 0;
	}
	if (p->deaf_ms || turned_ms - p->begun_ms > p->limit_ms)
		loop_stop(p->loop);
	else
		loop_post_from_thread(p->loop, &p->turn);
}

static struct patience patience_run(enum manner manner, uint64_t jump_ms)
{
	struct patience p = { .manner = manner,
			      .fd = -1,
			      .jump_ms = jump_ms,
			      .begun_ms = 1000000,
			      .limit_ms = 40000 + jump_ms };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char folder[64] = "/tmp/test-qmp-XXXXXX";
	struct qmp *qmp;

	turned_ms = p.begun_ms;
	assert_non_null(mkdtemp(folder));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/qmp", folder);
	assert_int_equal(loop_open(&p.loop), 0);
	p.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (manner != MANNER_ABSENT) {
		assert_int_equal(bind(p.listen_fd, (struct sockaddr *)&address, sizeof(address)),
				 0);
		assert_int_equal(listen(p.listen_fd, 4), 0);
		assert_int_equal(loop_add_fd(p.loop, p.listen_fd, POLLIN, patience_accept, &p), 0);
	}
	assert_int_equal(qmp_open(&qmp, p.loop, address.sun_path, patience_notice, &p), 0);
	p.turn = (struct loop_job){ .fn = patience_turn, .owner = &p };
	loop_post_from_thread(p.loop, &p.turn);
	loop_run(p.loop);
	qmp_close(qmp);
	patience_peer_close(&p);
	loop_close(p.loop);
	close(p.listen_fd);
	unlink(address.sun_path);
	rmdir(folder);
	turned_ms = 0;
	return p;
}

static void test_silence_is_deafness(void **state)
{
	(void)state;
	for (enum manner manner = MANNER_ABSENT; manner < MANNER_GOOD; manner++) {
		struct patience p = patience_run(manner, 0);

		print_message("manner %d: deaf after %llu ms\n", manner,
			      (unsigned long long)p.deaf_ms);
		assert_int_equal(p.ready, manner == MANNER_SILENT_LATER);
		assert_in_range(p.deaf_ms, 15000, 21000);
	}
}

// Who did not listen for a minute has not heard that nobody spoke.
static void test_stall_is_not_deafness(void **state)
{
	struct patience p = patience_run(MANNER_GOOD, 60000);

	(void)state;
	assert_int_equal(p.jump_ms, 0);
	assert_int_equal(p.deaf_ms, 0);
	assert_true(p.ready && p.asked > 4);
	assert_int_equal(p.statuses, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_message),
		cmocka_unit_test(test_silence_is_deafness),
		cmocka_unit_test(test_stall_is_not_deafness),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
