// SPDX-License-Identifier: Apache-2.0
// Whether a guest answers: an agent that does, that says nothing, that only talks, that hangs up,
// that is not there; a TCP port that is open, closed, or of no address.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "resources/ask_io.h"

static struct loop *loop;
static struct ask ask;
static struct loop_timer late;
static char path[64];
static int server, client;
static uint16_t port;
static const char *say; // what the agent says; NULL: nothing
static int count;
static bool answers;
static char reason[128];
static char heard[128];

static void over(void *owner, bool good, const char *why)
{
	assert_ptr_equal(owner, &ask);
	count++;
	answers = good;
	snprintf(reason, sizeof(reason), "%s", why);
	loop_stop(loop);
}

static void too_late(void *owner)
{
	(void)owner;
	loop_stop(loop);
}

static void agent_reads(void *owner, int fd, uint32_t events)
{
	ssize_t got;

	(void)owner;
	(void)events;
	got = recv(fd, heard, sizeof(heard) - 1, 0);
	heard[got > 0 ? got : 0] = 0;
	loop_del_fd(loop, fd);
	if (say && say[0])
		(void)!write(fd, say, strlen(say));
	if (say && !say[0])
		close(fd);
	else
		client = fd;
}

static void agent_accepts(void *owner, int fd, uint32_t events)
{
	int got = accept(fd, NULL, NULL);

	(void)owner;
	(void)events;
	assert_true(got >= 0);
	assert_int_equal(loop_add_fd(loop, got, POLLIN, agent_reads, NULL), 0);
}

static int open_all(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)state;
	assert_int_equal(loop_open(&loop), 0);
	memset(&ask, 0, sizeof(ask));
	memset(&late, 0, sizeof(late));
	snprintf(path, sizeof(path), "/tmp/clusterd-ask-%ld", (long)getpid());
	unlink(path);
	server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(server, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(server, 4), 0);
	assert_int_equal(loop_add_fd(loop, server, POLLIN, agent_accepts, NULL), 0);
	count = 0;
	client = -1;
	heard[0] = 0;
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	ask_end(&ask);
	loop_timer_cancel(&late);
	loop_del_fd(loop, server);
	close(server);
	if (client >= 0)
		close(client);
	unlink(path);
	loop_close(loop);
	return 0;
}

static void run(void)
{
	count = 0;
	loop_timer_ms(loop, &late, 10000, too_late, NULL);
	loop_run(loop);
	assert_int_equal(count, 1);
}

static void ask_it(const char *text)
{
	say = text;
	count = 0;
	ask_agent(&ask, loop, path, over, &ask);
	assert_int_equal(count, 0);
	run();
}

static void an_agent_answers(void **state)
{
	(void)state;
	ask_it("{\"return\": {}}\n");
	assert_true(answers);
	assert_string_equal(heard, "{\"execute\":\"guest-ping\"}\n");
	close(client);
	ask_it("\xff{\"error\": {\"class\": \"CommandNotFound\"}}\n");
	assert_true(answers);
}

static void an_agent_does_not(void **state)
{
	(void)state;
	ask_it("");
	assert_false(answers);
	assert_string_equal(reason, "its guest agent's channel was closed");
	ask_it("hello");
	assert_false(answers);
	assert_string_equal(reason, "no answer within 3 s");
	ask_agent(&ask, loop, "/nowhere/agent", over, &ask);
	run();
	assert_false(answers);
	assert_string_equal(reason, "QEMU does not listen for it");
}

// A new question takes the place of the one before, whose answer nobody hears.
static void only_the_last_question_counts(void **state)
{
	(void)state;
	say = NULL;
	ask_agent(&ask, loop, path, over, &ask);
	ask_agent(&ask, loop, "/nowhere/agent", over, &ask);
	run();
	assert_string_equal(reason, "QEMU does not listen for it");
	count = 0;
	ask_agent(&ask, loop, path, over, &ask);
	ask_end(&ask);
	loop_timer_ms(loop, &late, 20, too_late, NULL);
	loop_run(loop);
	assert_int_equal(count, 0);
}

static int listener(int family)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(in);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &size), 0);
	port = ntohs(in.sin_port);
	return fd;
}

static void a_port_answers_while_somebody_listens(void **state)
{
	int fd = listener(AF_INET);

	(void)state;
	count = 0;
	ask_port(&ask, loop, "127.0.0.1", port, over, &ask);
	assert_int_equal(count, 0);
	run();
	assert_true(answers);
	close(fd);
	ask_port(&ask, loop, "127.0.0.1", port, over, &ask);
	run();
	assert_false(answers);
	assert_string_equal(reason, "connection refused");
	ask_port(&ask, loop, "no address", port, over, &ask);
	run();
	assert_string_equal(reason, "its address is none");
	ask_port(&ask, loop, "::1", 1, over, &ask);
	run();
	assert_false(answers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_agent_answers, open_all, close_all),
		cmocka_unit_test_setup_teardown(an_agent_does_not, open_all, close_all),
		cmocka_unit_test_setup_teardown(only_the_last_question_counts, open_all, close_all),
		cmocka_unit_test_setup_teardown(a_port_answers_while_somebody_listens, open_all,
						close_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
