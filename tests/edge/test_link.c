// SPDX-License-Identifier: Apache-2.0
// Links between daemons, over real sockets on the loopback: words, checks, addresses that fail,
// peers that come and go, certificates that change.
#include "tests/edge/link_world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "migration/link_frame.h"

static void words_go_both_ways(void **state)
{
	enum { WORDS = 200 };
	static struct world w;
	uint64_t begun_ms;

	(void)state;
	world_open(&w);
	check_good(&w, "127.0.0.2");
	check_good(&w, "127.0.0.2"); // over the same link, by a ping
	// n2 answers on the link that n1 dialled.
	w.sides[1].echoes = WORDS;
	w.sides[0].echoes = WORDS - 1;
	w.wanted = w.sides[0].event_count + WORDS;
	begun_ms = world_now_ms();
	link_tell(&w.sides[0], 2, 100, WORD_RENOUNCED);
	assert_true(world_run(&w, first_has_events, 10000));
	print_message("%u words there and back: %.3f ms each\n", WORDS,
		      (double)(world_now_ms() - begun_ms) / WORDS);
	for (uint32_t i = 0; i < WORDS; i++) {
		const struct heard *heard = &w.sides[0].events[w.wanted - WORDS + i];

		assert_int_equal(heard->type, EVENT_MOVE_WORD);
		assert_int_equal(heard->node_id, 2);
		assert_int_equal(heard->move, 101 + 2 * i);
		assert_int_equal(heard->word, WORD_RENOUNCED);
	}
	assert_int_equal(w.sides[1].event_count, WORDS);
	assert_int_equal(w.sides[0].line_count + w.sides[1].line_count, 0);
	world_close(&w);
}

static void words_open_their_link(void **state)
{
	static struct world w;

	(void)state;
	world_open(&w);
	link_tell(&w.sides[0], 2, 9, WORD_NEVER);
	link_tell(&w.sides[0], 2, 9, WORD_NEVER);
	link_tell(&w.sides[0], 2, 10, WORD_CONTINUED);
	w.wanted = 2;
	assert_true(world_run(&w, second_has_events, 3000));
	assert_int_equal(w.sides[1].events[0].move, 9);
	assert_int_equal(w.sides[1].events[1].move, 10);
	assert_int_equal(w.sides[1].event_count, 2);
	// To nobody, and to somebody who is not there: lost, and nothing breaks.
	link_tell(&w.sides[0], 77, 1, WORD_NEVER);
	link_tell(&w.sides[0], 3, 1, WORD_NEVER);
	world_run(&w, never_done, 50);
	world_close(&w);
}

// What is durable: the first word makes the link and is lost, as it may be; without TLS nobody says
// or hears it.
static void what_is_durable_goes_ahead(void **state)
{
	struct action action = { .type = ACTION_SYNCED_TELL,
				 .node_id = 2,
				 .view = 0x1122334455667788,
				 .token = UINT64_MAX,
				 .index = 9 };
	static struct world w;

	(void)state;
	world_open(&w);
	assert_true(link_perform(w.sides[0].link, &action));
	for (uint32_t i = 0; i < 100 && w.sides[1].event_count == 0; i++) {
		world_run(&w, never_done, 20);
		action.index++;
		assert_true(link_perform(w.sides[0].link, &action));
		w.wanted = 1;
		world_run(&w, second_has_events, 20);
	}
	assert_int_equal(w.sides[1].event_count, 1);
	assert_int_equal(w.sides[1].events[0].type, EVENT_SYNCED_HEARD);
	assert_int_equal(w.sides[1].events[0].node_id, 1);
	assert_true(w.sides[1].events[0].view == action.view);
	assert_true(w.sides[1].events[0].token == action.token);
	assert_true(w.sides[1].events[0].index == action.index);
	action.node_id = 1; // back, on the same link
	assert_true(link_perform(w.sides[1].link, &action));
	w.wanted = 1;
	assert_true(world_run(&w, first_has_events, 3000));
	w.sides[0].cluster->def.migration.plain = true;
	w.sides[1].cluster->def.migration.plain = true;
	assert_true(link_perform(w.sides[1].link, &action));
	action.node_id = 77;
	assert_true(link_perform(w.sides[1].link, &action));
	world_run(&w, never_done, 50);
	assert_int_equal(w.sides[0].event_count, 1);
	assert_int_equal(w.sides[0].line_count + w.sides[1].line_count, 0);
	world_close(&w);
}

static void addresses_in_their_order(void **state)
{
	static struct world w;
	struct sockaddr_in silent = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	world_open(&w);
	// One refuses, one takes the call and is silent, one is right.
	strcpy(w.sides[0].cluster->nodes[1].report.addresses[0], "127.0.0.9");
	strcpy(w.sides[0].cluster->nodes[1].report.addresses[1], "127.0.0.8");
	strcpy(w.sides[0].cluster->nodes[1].report.addresses[2], "127.0.0.2");
	inet_pton(AF_INET, "127.0.0.8", &silent.sin_addr);
	silent.sin_port = htons(w.port);
	assert_int_equal(bind(fd, (struct sockaddr *)&silent, sizeof(silent)), 0);
	assert_int_equal(listen(fd, 4), 0);
	check_good(&w, "127.0.0.2");
	// One that both have, as bridges of containers often do.
	strcpy(w.sides[0].cluster->nodes[1].report.addresses[0], "127.0.0.1");
	check_good(&w, "127.0.0.2");
	side_close(&w, 1);
	side_open(&w, 1);
	assert_true(world_run(&w, certs_read, 5000));
	check_good(&w, "127.0.0.2");
	assert_int_equal(w.sides[0].line_count, 0);
	strcpy(w.sides[0].cluster->nodes[1].report.addresses[0], "127.0.0.9");
	// None is right: every one is told with its reason, in bounded time.
	side_close(&w, 1);
	check_bad(&w, "127.0.0.9: Connection refused; 127.0.0.8: it accepted, and said nothing; "
		      "127.0.0.2: Connection refused");
	memset(w.sides[0].cluster->nodes[1].report.addresses, 0,
	       sizeof(w.sides[0].cluster->nodes[1].report.addresses));
	check_bad(&w, "no address");
	close(fd);
	world_close(&w);
}

static void unknown_nodes(void **state)
{
	static struct world w;

	(void)state;
	world_open(&w);
	assert_false(link_checked(&w, 42)->flag);
	w.sides[0].self = 0;
	check_bad(&w, "does not know itself");
	world_close(&w);
}

static void peer_comes_back(void **state)
{
	static struct world w;

	(void)state;
	world_open(&w);
	check_good(&w, "127.0.0.2");
	side_close(&w, 1);
	check_bad(&w, "127.0.0.2: Connection refused");
	side_open(&w, 1);
	assert_true(world_run(&w, certs_read, 5000));
	check_good(&w, "127.0.0.2");
	world_close(&w);
}

static void renewed_without_restart(void **state)
{
	struct cert_problem problem;
	struct cert_folder before;
	static struct world w;
	char path[200];

	(void)state;
	world_open(&w);
	check_good(&w, "127.0.0.2");
	assert_true(link_certificates(w.sides[0].link, &before, &problem));
	w.ends_s = before.expires_s;
	certs_make(&w, "n1", "n1", "n1", time(NULL), 200);
	certs_noticed(&w, 0, "");
	check_good(&w, "127.0.0.2");
	// A folder in the middle of a change leaves the last good ones in use.
	snprintf(path, sizeof(path), "%s/node-cert.pem", w.sides[0].folder);
	assert_int_equal(truncate(path, 0), 0);
	certs_noticed(&w, 0, "malformed");
	check_good(&w, "127.0.0.2");
	certs_make(&w, "n1", "n1", "n1", time(NULL), 300);
	certs_noticed(&w, 0, "");
	// The right files of another node are not this one's.
	certs_make(&w, "n1", "n9", "n1", time(NULL), 300);
	certs_noticed(&w, 0, "wrong-name");
	world_close(&w);
}

static void removed_node(void **state)
{
	static struct world w;

	(void)state;
	world_open(&w);
	check_good(&w, "127.0.0.2");
	w.sides[1].cluster->nodes[0].used = false;
	link_tell(&w.sides[0], 2, 1, WORD_RENOUNCED);
	line_says(&w, 1, "no node of this cluster any more");
	assert_int_equal(w.sides[1].event_count, 0);
	world_close(&w);
}

static void plain_and_tls(void **state)
{
	static struct world w;

	(void)state;
	world_open(&w);
	w.sides[1].cluster->def.migration.plain = true;
	check_bad(&w, "127.0.0.2: ");
	w.sides[0].cluster->def.migration.plain = true;
	check_good(&w, "127.0.0.2");
	world_close(&w);
}

static void progress_is_told(void **state)
{
	const struct migrate_stats stats = { .status = MIGRATE_ACTIVE,
					     .total = 1ull << 40,
					     .remaining = 2,
					     .transferred = 3,
					     .rate = 4,
					     .dirty_rate = 5,
					     .rounds = 6,
					     .throttle = 7,
					     .pause_us = 8,
					     .total_ms = 9 };
	static struct world w;

	(void)state;
	world_open(&w);
	for (int i = 0; i < 3; i++) {
		w.sides[0].cluster->nodes[i].reported = true;
		w.sides[0].cluster->nodes[i].life = NODE_ONLINE;
	}
	// n3 is not there: that holds up nobody. Without a link one is opened for the next time.
	link_progress(w.sides[0].link, 41, &stats);
	for (int i = 0; i < 500 && w.sides[1].progress_count == 0; i++) {
		link_progress(w.sides[0].link, 42, &stats);
		world_run(&w, never_done, 10);
	}
	assert_int_equal(w.sides[1].progress_of, 42);
	assert_int_equal(w.sides[1].progress.status, MIGRATE_ACTIVE);
	assert_true(w.sides[1].progress.total == 1ull << 40);
	assert_true(w.sides[1].progress.dirty_rate == 5);
	assert_int_equal(w.sides[1].progress.total_ms, 9);
	assert_int_equal(w.sides[0].event_count + w.sides[1].event_count, 0);
	world_close(&w);
}

static void stats_frames(void **state)
{
	struct link_frame frame = { .type = LINK_STATS, .from = 3, .to = 4, .value = 5 }, back;
	uint8_t bytes[LINK_STATS_SIZE], again[LINK_STATS_SIZE];

	(void)state;
	memset(&frame.stats, 0x5a, sizeof(frame.stats));
	frame.stats.status = MIGRATE_STATUS_COUNT - 1;
	assert_int_equal(link_frame_encode(&frame, bytes), LINK_STATS_SIZE);
	assert_int_equal(link_frame_size(bytes), LINK_STATS_SIZE);
	assert_true(link_frame_decode(&back, bytes));
	assert_int_equal(back.stats.status, MIGRATE_STATUS_COUNT - 1);
	assert_true(back.stats.rate == 0x5a5a5a5a5a5a5a5a);
	link_frame_encode(&back, again);
	assert_memory_equal(again, bytes, sizeof(again));
	frame.stats.status = MIGRATE_STATUS_COUNT;
	link_frame_encode(&frame, bytes);
	assert_false(link_frame_decode(&back, bytes));
}

static void frames(void **state)
{
	struct link_frame frame = { .type = LINK_WORD,
				    .word = 2,
				    .from = 1,
				    .to = 2000,
				    .value = 0xfeedbeef },
			  back;
	uint8_t bytes[LINK_STATS_SIZE] = { 0 }, broken[LINK_STATS_SIZE];

	(void)state;
	link_frame_encode(&frame, bytes);
	assert_true(link_frame_decode(&back, bytes));
	assert_int_equal(back.type, LINK_WORD);
	assert_int_equal(back.word, 2);
	assert_int_equal(back.from, 1);
	assert_int_equal(back.to, 2000);
	assert_true(back.value == 0xfeedbeef);
	// Every bit that is understood in one way only: what decodes encodes to the same.
	for (int bit = 0; bit < LINK_FRAME_SIZE * 8; bit++) {
		uint8_t again[LINK_STATS_SIZE] = { 0 };

		memcpy(broken, bytes, sizeof(broken));
		broken[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (!link_frame_decode(&back, broken))
			continue;
		link_frame_encode(&back, again);
		assert_memory_equal(again, broken, sizeof(again));
	}
	frame.to = frame.from;
	link_frame_encode(&frame, bytes);
	assert_false(link_frame_decode(&back, bytes));
	frame.to = 2001;
	link_frame_encode(&frame, bytes);
	assert_false(link_frame_decode(&back, bytes));
	frame = (struct link_frame){ .type = LINK_PING, .word = 1, .from = 1, .to = 2 };
	link_frame_encode(&frame, bytes);
	assert_false(link_frame_decode(&back, bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_go_both_ways),
		cmocka_unit_test(words_open_their_link),
		cmocka_unit_test(what_is_durable_goes_ahead),
		cmocka_unit_test(addresses_in_their_order),
		cmocka_unit_test(unknown_nodes),
		cmocka_unit_test(peer_comes_back),
		cmocka_unit_test(renewed_without_restart),
		cmocka_unit_test(removed_node),
		cmocka_unit_test(plain_and_tls),
		cmocka_unit_test(frames),
		cmocka_unit_test(stats_frames),
		cmocka_unit_test(progress_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
