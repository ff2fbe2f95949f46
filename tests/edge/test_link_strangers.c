// SPDX-License-Identifier: Apache-2.0
// Who may not speak on a link: strangers, liars, the slow, the silent and the mad, each a process
// of its own.
#include "tests/edge/link_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clusterd/codec.h"
#include "clusterd/exec_io.h"
#include "migration/link_frame.h"
#include "migration/tls_io.h"

// ---- somebody else, as a process of its own ----

struct stranger {
	int fd;
	struct tls_context *context;
	struct tls *tls;
	const char *trusts_n1; // folder: takes n1's certificate, whoever signed its own
};

static int dial_from(uint16_t port, const char *own)
{
	struct sockaddr_in from = { .sin_family = AF_INET }, to = { .sin_family = AF_INET };
	struct timeval limit = { .tv_sec = 5 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, own, &from.sin_addr);
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	to.sin_port = htons(port);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		_exit(90);
	return fd;
}

static void stranger_send(struct stranger *s, uint32_t slice)
{
	uint8_t bytes[16384];
	size_t size = tls_output(s->tls, bytes, sizeof(bytes));

	for (size_t at = 0; at < size; at += slice) {
		size_t part = size - at < slice ? size - at : slice;

		if (send(s->fd, bytes + at, part, MSG_NOSIGNAL) < 0)
			return;
		if (slice < 100)
			usleep(500);
	}
}

// As n1 sees it, a client with the certificates of this folder, read as if it were `at_s`.
static void stranger_tls(struct stranger *s, const char *folder, int64_t at_s, uint32_t slice)
{
	struct cert_keys keys = { 0 };
	struct cert_folder found;
	struct cert_problem problem;
	uint8_t bytes[4096];
	ssize_t size;

	if (!cert_folder_read(folder, at_s, &found, &keys, &problem))
		_exit(91);
	if (s->trusts_n1) {
		struct cert_keys others = keys;

		if (!cert_folder_read(s->trusts_n1, at_s, &found, &keys, &problem))
			_exit(91);
		others.ca = keys.ca;
		keys = others;
	}
	s->context = tls_context_open(&keys);
	s->tls = tls_open(s->context, false);
	while (tls_shake(s->tls) == TLS_SHAKING) {
		stranger_send(s, slice);
		size = recv(s->fd, bytes, sizeof(bytes), 0);
		if (size <= 0 || tls_input(s->tls, bytes, (size_t)size) == TLS_FAILED)
			_exit(2);
	}
	stranger_send(s, slice);
}

static void stranger_say(struct stranger *s, const struct link_frame *frame)
{
	uint8_t bytes[LINK_FRAME_SIZE];

	link_frame_encode(frame, bytes);
	if (!tls_write(s->tls, bytes, sizeof(bytes)))
		_exit(92);
	stranger_send(s, 16384);
}

// What the other side does next: 0 it hung up, 1 it said something, 2 nothing for five seconds.
static int stranger_hears(struct stranger *s)
{
	uint8_t bytes[4096];
	ssize_t size;
	int count;

	for (;;) {
		size = recv(s->fd, bytes, sizeof(bytes), 0);
		if (size <= 0)
			return size == 0 || errno == ECONNRESET ? 0 : 2;
		if (!s->tls)
			return 1;
		tls_input(s->tls, bytes, (size_t)size);
		count = tls_read(s->tls, bytes, sizeof(bytes));
		if (count != 0)
			return count > 0 ? 1 : 0;
	}
}

static uint32_t mark(void)
{
	uint64_t hash = hash_bytes(hash_start(), "lab", 3);

	return (uint32_t)(hash ^ hash >> 32);
}

// What the process does is its exit status.
static int stranger_run(struct world *w, int (*what)(struct world *w, struct stranger *s),
			const char *own)
{
	w->child = fork();
	assert_true(w->child >= 0);
	if (w->child == 0) {
		struct stranger s = { .fd = dial_from(w->port, own) };

		_exit(what(w, &s));
	}
	assert_true(world_run(w, child_gone, 20000));
	assert_true(WIFEXITED(w->child_status));
	return WEXITSTATUS(w->child_status);
}

static const char *folder_of(const struct world *w, const char *name)
{
	static char folder[96];

	snprintf(folder, sizeof(folder), "%s/%s", w->root, name);
	return folder;
}

static int says_hello_as_2(struct world *w, struct stranger *s)
{
	stranger_tls(s, folder_of(w, "other"), time(NULL), 16384);
	stranger_say(
		s, &(struct link_frame){ .type = LINK_HELLO, .from = 2, .to = 1, .value = mark() });
	return stranger_hears(s);
}

// It does not mind whom it talks to.
static int says_hello_as_foreign_2(struct world *w, struct stranger *s)
{
	s->trusts_n1 = w->sides[0].folder;
	return says_hello_as_2(w, s);
}

static int says_hello(struct world *w, struct stranger *s, uint32_t slice)
{
	stranger_tls(s, folder_of(w, "n2"), time(NULL), slice);
	stranger_say(
		s, &(struct link_frame){ .type = LINK_HELLO, .from = 2, .to = 1, .value = mark() });
	return stranger_hears(s);
}

static int says_hello_slowly(struct world *w, struct stranger *s)
{
	return says_hello(w, s, 61);
}

static int is_expired(struct world *w, struct stranger *s)
{
	stranger_tls(s, folder_of(w, "other"), time(NULL) - 9 * CERT_DAY_S, 16384);
	return stranger_hears(s);
}

static int says_plain_hello(struct world *w, struct stranger *s)
{
	uint8_t bytes[LINK_FRAME_SIZE];

	(void)w;
	link_frame_encode(
		&(struct link_frame){ .type = LINK_HELLO, .from = 2, .to = 1, .value = mark() },
		bytes);
	send(s->fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
	return stranger_hears(s);
}

static int says_nothing(struct world *w, struct stranger *s)
{
	(void)w;
	return stranger_hears(s);
}

static int says_a_piece(struct world *w, struct stranger *s)
{
	(void)w;
	send(s->fd, "\x16\x03\x01\x02", 4, MSG_NOSIGNAL);
	return stranger_hears(s);
}

static int hears_all(struct stranger *s)
{
	int heard = stranger_hears(s);

	while (heard == 1)
		heard = stranger_hears(s);
	return heard;
}

static int says_word_first(struct world *w, struct stranger *s)
{
	stranger_tls(s, folder_of(w, "n2"), time(NULL), 16384);
	stranger_say(s, &(struct link_frame){
				.type = LINK_WORD, .word = 1, .from = 2, .to = 1, .value = 5 });
	return hears_all(s);
}

static int says_nonsense(struct world *w, struct stranger *s)
{
	const uint8_t nonsense[LINK_FRAME_SIZE] = "something else!";

	says_hello(w, s, 16384);
	if (!tls_write(s->tls, nonsense, sizeof(nonsense)))
		return 92;
	stranger_send(s, 16384);
	return hears_all(s);
}

static int becomes_another(struct world *w, struct stranger *s)
{
	says_hello(w, s, 16384);
	stranger_say(s, &(struct link_frame){
				.type = LINK_WORD, .word = 1, .from = 3, .to = 1, .value = 5 });
	return hears_all(s);
}

static int says_too_much(struct world *w, struct stranger *s)
{
	uint8_t bytes[LINK_FRAME_SIZE * 512];

	says_hello(w, s, 16384);
	for (int i = 0; i < 512; i++)
		link_frame_encode(
			&(struct link_frame){
				.type = LINK_WORD, .word = 1, .from = 2, .to = 1, .value = 5 },
			bytes + i * LINK_FRAME_SIZE);
	for (int i = 0; i < 8; i++) {
		if (!tls_write(s->tls, bytes, sizeof(bytes)))
			return 92;
		stranger_send(s, 16384);
	}
	return hears_all(s);
}

static int reads_nothing(struct world *w, struct stranger *s)
{
	says_hello(w, s, 16384);
	usleep(1500000);
	return 0;
}

static void foreign_authority(void **state)
{
	static struct world w;

	(void)state;
	world_begin(&w);
	certs_make(&w, "n1", "n1", "none", time(NULL), 100);
	certs_make(&w, "n2", "n2", "none", time(NULL), 100);
	certs_make(&w, "other", "n2", "n2", time(NULL), 100);
	world_start(&w);
	check_bad(&w, "not signed by this cluster's authority");
	assert_int_equal(w.sides[0].line_count, 1);
	assert_non_null(strstr(w.sides[0].lines[0], "CN=n2,OU=clusterd daemon"));
	// Logged once, refused always.
	check_bad(&w, "not signed by this cluster's authority");
	check_bad(&w, "not signed by this cluster's authority");
	assert_int_equal(w.sides[0].line_count, 1);
	// As a caller it fares no better.
	assert_int_equal(stranger_run(&w, says_hello_as_foreign_2, "127.0.0.2"), 0);
	line_says(&w, 0,
		  "from 127.0.0.2 refused: its certificate was not signed by this cluster's "
		  "authority");
	assert_int_equal(w.sides[0].event_count, 3);
	world_close(&w);
}

static void signed_but_no_node(void **state)
{
	static struct world w;

	(void)state;
	world_begin(&w);
	certs_make(&w, "n1", "n1", "none", time(NULL), 100);
	certs_make(&w, "n2", "web1", "n1", time(NULL), 100);
	certs_make(&w, "other", "web1", "n1", time(NULL), 100);
	world_start(&w);
	check_bad(&w, "its certificate is of \"web1\", and n2 is meant");
	assert_int_equal(stranger_run(&w, says_hello_as_2, "127.0.0.2"), 0);
	line_says(&w, 0, "link from 127.0.0.2 refused: its certificate is of \"web1\"");
	world_close(&w);
}

static void another_node(void **state)
{
	static struct world w;

	(void)state;
	world_begin(&w);
	certs_make(&w, "n1", "n1", "none", time(NULL), 100);
	certs_make(&w, "n2", "n3", "n1", time(NULL), 100);
	certs_make(&w, "other", "n3", "n1", time(NULL), 100);
	world_start(&w);
	check_bad(&w, "its certificate is of \"n3\", and n2 is meant");
	assert_int_equal(stranger_run(&w, says_hello_as_2, "127.0.0.2"), 0);
	world_close(&w);
}

// QEMU's certificates are signed by the same authority, for the same name.
static void qemu_is_no_daemon(void **state)
{
	static struct world w;
	char command[400];
	const char *const argv[] = { "sh", "-c", command, NULL };
	char output[64];

	(void)state;
	world_open(&w);
	snprintf(command, sizeof(command),
		 "cp -a %s/n2 %s/other && cd %s/other && cp client-cert.pem node-cert.pem && "
		 "cp client-key.pem node-key.pem",
		 w.root, w.root, w.root);
	assert_int_equal(exec_run(argv, output, sizeof(output), 5000), 0);
	assert_int_equal(stranger_run(&w, says_hello_as_2, "127.0.0.2"), 0);
	line_says(&w, 0, "its certificate is no daemon's");
	world_close(&w);
}

static void expired_peer(void **state)
{
	static struct world w;

	(void)state;
	world_begin(&w);
	certs_make(&w, "n1", "n1", "none", time(NULL) - 10 * CERT_DAY_S, 100);
	certs_make(&w, "n2", "n2", "n1", time(NULL) - 10 * CERT_DAY_S, 2);
	certs_make(&w, "other", "n2", "n1", time(NULL) - 10 * CERT_DAY_S, 2);
	world_start(&w);
	assert_int_equal(stranger_run(&w, is_expired, "127.0.0.2"), 0);
	line_says(&w, 0, "refused: its certificate has expired, or this host's clock is ahead");
	// Its own daemon knows, and says so, instead of calling in vain.
	assert_int_equal(w.sides[1].line_count, 1);
	assert_non_null(strstr(w.sides[1].lines[0], "was valid until"));
	assert_non_null(strstr(w.sides[1].lines[0], "fix: clustadm cert renew"));
	check_bad(&w, "127.0.0.2: it hung up");
	world_close(&w);
}

static void no_certificates(void **state)
{
	static struct world w;

	(void)state;
	world_begin(&w);
	world_start(&w);
	check_bad(&w, "no certificates on this node");
	assert_int_equal(stranger_run(&w, says_plain_hello, "127.0.0.2"), 0);
	// They come, and nobody restarts anything.
	certs_make(&w, "n1", "n1", "none", time(NULL), 100);
	certs_make(&w, "n2", "n2", "n1", time(NULL), 100);
	certs_noticed(&w, 0, "");
	certs_noticed(&w, 1, "");
	check_good(&w, "127.0.0.2");
	world_close(&w);
}

static void rude_callers(void **state)
{
	static struct world w;

	(void)state;
	world_open(&w);
	assert_int_equal(stranger_run(&w, says_plain_hello, "127.0.0.2"), 0);
	line_says(&w, 0, "refused: it does not speak TLS");
	assert_int_equal(stranger_run(&w, says_nothing, "127.0.0.2"), 0);
	assert_int_equal(stranger_run(&w, says_a_piece, "127.0.0.2"), 0);
	assert_int_equal(stranger_run(&w, says_word_first, "127.0.0.2"), 0);
	line_says(&w, 0, "it talks before it has said who it is");
	assert_int_equal(stranger_run(&w, says_nonsense, "127.0.0.2"), 0);
	line_says(&w, 0, "no word of this protocol");
	assert_int_equal(stranger_run(&w, becomes_another, "127.0.0.2"), 0);
	line_says(&w, 0, "it is somebody else now");
	assert_int_equal(w.sides[0].event_count, 0);
	assert_int_equal(stranger_run(&w, says_too_much, "127.0.0.2"), 0);
	line_says(&w, 0, "it says more than any node has to say");
	// Slow and right is right.
	assert_int_equal(stranger_run(&w, says_hello_slowly, "127.0.0.2"), 1);
	check_good(&w, "127.0.0.2");
	world_close(&w);
}

static bool second_gone(struct world *w)
{
	// Nobody is there to take it: 16 bytes of word are some 40 on the wire.
	for (int i = 0; i < 50; i++)
		link_tell(&w->sides[0], 2, (uint32_t)i, WORD_RENOUNCED);
	return child_gone(w);
}

static void deaf_caller(void **state)
{
	static struct world w;

	(void)state;
	world_open(&w);
	side_close(&w, 1);
	w.child = fork();
	assert_true(w.child >= 0);
	if (w.child == 0) {
		struct stranger s = { .fd = dial_from(w.port, "127.0.0.2") };
		int small = 1;

		setsockopt(s.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		_exit(reads_nothing(&w, &s));
	}
	// The loop never waits for it: the child ends after its time, and others are served.
	assert_true(world_run(&w, second_gone, 20000));
	side_open(&w, 1);
	assert_true(world_run(&w, certs_read, 5000));
	check_good(&w, "127.0.0.2");
	world_close(&w);
}

static void plain_when_told_so(void **state)
{
	static struct world w;

	(void)state;
	world_begin(&w);
	w.sides[0].cluster->def.migration.plain = true;
	w.sides[1].cluster->def.migration.plain = true;
	world_start(&w);
	check_good(&w, "127.0.0.2");
	link_tell(&w.sides[0], 2, 5, WORD_CONTINUED);
	w.wanted = 1;
	assert_true(world_run(&w, second_has_events, 3000));
	assert_int_equal(w.sides[1].events[0].word, WORD_CONTINUED);
	// A node is known by its address; nobody else may say that he is it.
	assert_int_equal(stranger_run(&w, says_plain_hello, "127.0.0.2"), 1);
	assert_int_equal(stranger_run(&w, says_plain_hello, "127.0.0.7"), 0);
	line_says(&w, 0, "it says that it is n2, which has no such address");
	// One of another cluster.
	strcpy(w.sides[0].cluster->def.name, "prod");
	assert_int_equal(stranger_run(&w, says_plain_hello, "127.0.0.2"), 0);
	line_says(&w, 0, "it is of a cluster of another name");
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(foreign_authority),  cmocka_unit_test(signed_but_no_node),
		cmocka_unit_test(another_node),	      cmocka_unit_test(qemu_is_no_daemon),
		cmocka_unit_test(expired_peer),	      cmocka_unit_test(no_certificates),
		cmocka_unit_test(rude_callers),	      cmocka_unit_test(deaf_caller),
		cmocka_unit_test(plain_when_told_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
