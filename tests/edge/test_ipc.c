// SPDX-License-Identifier: Apache-2.0
// The administrators' door, over real libqb: long texts, late answers, clients that break the
// rules, and who may enter.
#include <errno.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clusterd/ipc_client_io.h"
#include "clusterd/ipc_io.h"
#include "clusterd/log_io.h"
#include "clusterd/loop_io.h"

enum { LATE_MS = 300, CLIENTS = 40 };

struct server {
	struct loop *loop;
	struct ipc *ipc;
	struct loop_timer timer;
	uint64_t late;
};

static char service[64];
static pid_t server_pid;

static void reply_text(struct server *server, uint64_t client, const char *text)
{
	ipc_reply(server->ipc, client, strdup(text), strlen(text));
}

static void on_late(void *owner)
{
	struct server *server = owner;

	reply_text(server, server->late, "late");
}

// "big N" is answered by N bytes, "late" after a while, "deaf" never, anything else by its length.
static void on_request(void *context, uint64_t client, const char *text, size_t size)
{
	struct server *server = context;
	char length[32];

	if (strncmp(text, "big ", 4) == 0) {
		size_t count = strtoul(text + 4, NULL, 10);
		char *big = malloc(count + 1);

		memset(big, 'b', count + 1);
		ipc_reply(server->ipc, client, big, count);
	} else if (strcmp(text, "late") == 0) {
		server->late = client;
		loop_timer_ms(server->loop, &server->timer, LATE_MS, on_late, server);
	} else if (strcmp(text, "deaf") != 0) {
		snprintf(length, sizeof(length), "%zu", size);
		reply_text(server, client, length);
		reply_text(server, client, "twice"); // ignored
	}
}

static void on_gone(void *context, uint64_t client)
{
	(void)context;
	(void)client;
}

static void on_stop(void *owner, int signal_number)
{
	struct server *server = owner;

	(void)signal_number;
	loop_stop(server->loop);
}

static void serve(const char *group, int ready)
{
	struct server server = { 0 };
	struct ipc_handlers handlers = { &server, on_request, on_gone };
	char byte = 'r';

	if (loop_open(&server.loop) != 0 ||
	    ipc_open(&server.ipc, service, group, loop_qb(server.loop), &handlers) != 0)
		byte = 'f';
	loop_add_signal(server.loop, SIGTERM, on_stop, &server);
	if (write(ready, &byte, 1) == 1 && byte == 'r')
		loop_run(server.loop);
	ipc_close(server.ipc);
	loop_close(server.loop);
	exit(byte == 'r' ? 0 : 1);
}

static int server_start(const char *group)
{
	int ready[2];
	char byte = 0;

	snprintf(service, sizeof(service), "clusterd-test-%d", (int)getpid());
	assert_int_equal(pipe(ready), 0);
	server_pid = fork();
	assert_true(server_pid >= 0);
	if (server_pid == 0)
		serve(group, ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return byte == 'r' ? 0 : -1;
}

static int server_up(void **state)
{
	const struct group *group = getgrgid(getgid());

	(void)state;
	return server_start(group ? group->gr_name : "root");
}

static int server_down(void **state)
{
	int status;

	(void)state;
	kill(server_pid, SIGTERM);
	assert_int_equal(waitpid(server_pid, &status, 0), server_pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return 0;
}

static struct ipc_client_connection *client(void)
{
	struct ipc_client_connection *connection;

	assert_int_equal(ipc_client_open(&connection, service, 60000), 0);
	return connection;
}

static void ask(struct ipc_client_connection *connection, const char *text, size_t size,
		const char *begins, size_t length)
{
	char *answer;
	size_t got;

	assert_int_equal(ipc_client_ask(connection, text, size, NULL, NULL, &answer, &got), 0);
	assert_int_equal(got, length);
	assert_memory_equal(answer, begins, strlen(begins));
	free(answer);
}

static void test_sizes(void **state)
{
	static const size_t sizes[] = { 1, 65000, 65536, 70000, 131072, IPC_REQUEST_MAX };
	struct ipc_client_connection *connection = client();
	char *text = calloc(1, IPC_REQUEST_MAX + 1), words[32], *answer;
	size_t got;

	(void)state;
	memset(text, 'x', IPC_REQUEST_MAX);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(words, sizeof(words), "%zu", sizes[i]);
		ask(connection, text, sizes[i], words, strlen(words));
		snprintf(words, sizeof(words), "big %zu", sizes[i] * 3);
		ask(connection, words, strlen(words), "bbb", sizes[i] * 3);
	}
	ask(connection, "big 0", 5, "", 0);
	assert_int_equal(
		ipc_client_ask(connection, text, IPC_REQUEST_MAX + 1, NULL, NULL, &answer, &got),
		-EMSGSIZE);
	free(text);
	ipc_client_close(connection);
}

static int give_up(void *context)
{
	return ++*(int *)context > 2;
}

static void test_late(void **state)
{
	struct ipc_client_connection *waits = client(), *other = client();
	char *answer;
	size_t got;
	int asked = 0;

	(void)state;
	assert_int_equal(ipc_client_ask(waits, "deaf", 4, give_up, &asked, &answer, &got), -EINTR);
	ipc_client_close(waits);
	ask(other, "late", 4, "late", 4);
	ask(other, "abc", 3, "3", 1);
	ipc_client_close(other);
}

// Many at once, some of which are killed in the middle.
static void test_crowd(void **state)
{
	pid_t children[CLIENTS];
	int status;

	(void)state;
	for (int i = 0; i < CLIENTS; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			struct ipc_client_connection *connection = client();

			if (i % 4 == 0)
				kill(getpid(), SIGKILL);
			for (int round = 0; round < 20; round++)
				ask(connection, "big 200000", 10, "b", 200000);
			_exit(0);
		}
	}
	for (int i = 0; i < CLIENTS; i++) {
		waitpid(children[i], &status, 0);
		assert_true(i % 4 == 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
	}
}

static void test_nobody(void **state)
{
	struct ipc_client_connection *connection;

	(void)state;
	assert_int_equal(ipc_client_open(&connection, "clusterd-test-nobody", 1000), -ECONNREFUSED);
	assert_null(connection);
}

// As a stranger, with the group as primary, as supplementary, and with others: 0 or the error.
static int enter(gid_t primary, size_t count, const gid_t *groups)
{
	struct ipc_client_connection *connection;
	pid_t child = fork();
	int status;

	if (child == 0) {
		if (setgroups(count, groups) != 0 || setresgid(primary, primary, primary) != 0 ||
		    setresuid(65533, 65533, 65533) != 0)
			_exit(99);
		status = -ipc_client_open(&connection, service, 60000);
		ipc_client_close(connection);
		_exit(status);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

static void test_groups(void **state)
{
	const struct group *games = getgrnam("games");
	gid_t groups[3] = { 65531, 0, 65532 };

	(void)state;
	if (getuid() != 0 || !games)
		skip();
	groups[1] = games->gr_gid;
	assert_int_equal(enter(65533, 0, NULL), EACCES);
	assert_int_equal(enter(groups[1], 0, NULL), 0);
	assert_int_equal(enter(65533, 3, groups), 0);
	groups[1] = 65530;
	assert_int_equal(enter(65533, 3, groups), EACCES);
}

static int games_up(void **state)
{
	(void)state;
	return server_start(getuid() == 0 ? "games" : "root");
}

int main(void)
{
#define SERVER_TEST(name) cmocka_unit_test_setup_teardown(name, server_up, server_down)
	const struct CMUnitTest tests[] = {
		SERVER_TEST(test_sizes),
		SERVER_TEST(test_late),
		SERVER_TEST(test_crowd),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test_setup_teardown(test_groups, games_up, server_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
