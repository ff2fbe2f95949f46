// SPDX-License-Identifier: Apache-2.0
// Any bytes from somebody who calls: the link understands them or hangs up, and no word is taken
// from whom has not said who he is.
//
// Without TLS, which has its own fuzzers. The first byte says in how many pieces the rest comes.
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clusterd/invariant.h"
#include "clusterd/loop_io.h"
#include "migration/link_internal_io.h"

enum { TALK_MAX = 16384 };

struct talk {
	struct loop *loop;
	struct link *link;
	struct loop_timer timer;
	int peer;
	uint32_t pieces, words;
	bool hello; // a good one is among the bytes
	const uint8_t *data;
	size_t size;
};

static struct cluster cluster;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct cluster *the_cluster(void *owner)
{
	(void)owner;
	return &cluster;
}

static uint32_t the_self(void *owner)
{
	(void)owner;
	return 1;
}

static void the_log(void *owner, enum log_level level, const char *text)
{
	(void)owner;
	INVARIANT(level != LOG_LEVEL_ERROR && *text);
}

static void told(void *owner, uint32_t from, uint32_t move, const struct migrate_stats *stats)
{
	struct talk *talk = owner;

	(void)move;
	INVARIANT(from == 2 && stats->status < MIGRATE_STATUS_COUNT && talk->hello);
}

static void posted(void *owner, const struct event *event)
{
	struct talk *talk = owner;

	INVARIANT(event->type == EVENT_MOVE_WORD);
	INVARIANT(event->node_id == 2 && event->word > 0 && event->word < MOVE_WORD_COUNT);
	INVARIANT(talk->hello);
	talk->words++;
}

// A piece a round; at the end the caller hangs up.
static void say(void *owner)
{
	struct talk *talk = owner;
	size_t piece = talk->pieces <= 1 ? talk->size : talk->size / talk->pieces;

	if (piece > 0 && send(talk->peer, talk->data, piece, MSG_NOSIGNAL) != (ssize_t)piece)
		talk->pieces = 0;
	talk->data += piece;
	talk->size -= piece;
	if (talk->pieces > 0)
		talk->pieces--;
	if (talk->pieces == 0 && talk->peer >= 0) {
		shutdown(talk->peer, SHUT_WR);
		talk->size = 0;
	}
	if (!talk->link->conns)
		loop_stop(talk->loop);
	else
		loop_timer_ms(talk->loop, &talk->timer, 0, say, talk);
}

static void world_make(struct talk *talk)
{
	struct link_options options = { .folder = "/nonexistent",
					.cluster = the_cluster,
					.self = the_self,
					.log = the_log,
					.progress = told,
					.owner = talk };

	strcpy(cluster.def.name, "lab");
	cluster.def.migration.plain = true;
	for (uint32_t i = 0; i < 2; i++) {
		cluster.nodes[i].used = true;
		cluster.nodes[i].def.id = i + 1;
		strcpy(cluster.nodes[i].def.name, i ? "n2" : "n1");
		strcpy(cluster.nodes[i].report.addresses[0], i ? "10.0.0.2" : "10.0.0.1");
	}
	INVARIANT(loop_open(&talk->loop) == 0);
	options.edge = (struct edge){ .loop = talk->loop, .post = posted, .owner = talk };
	INVARIANT(link_open(&talk->link, &options) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct talk talk;
	int fds[2], room = 4 * TALK_MAX;
	struct link_frame frame;

	if (size < 1 || size > TALK_MAX)
		return 0;
	if (!talk.loop)
		world_make(&talk);
	talk.data = data + 1;
	talk.size = size - 1;
	talk.pieces = 1 + data[0] % 5;
	talk.words = 0;
	talk.hello = talk.size >= LINK_FRAME_SIZE && talk.data[1] == LINK_HELLO &&
		     link_frame_decode(&frame, talk.data) && frame.type == LINK_HELLO &&
		     frame.from == 2 && frame.to == 1;
	INVARIANT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
	setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	talk.peer = fds[1];
	link_enter(talk.link);
	link_conn_accept(talk.link, fds[0], "10.0.0.2");
	link_leave(talk.link);
	loop_timer_ms(talk.loop, &talk.timer, 0, say, &talk);
	loop_run(talk.loop);
	INVARIANT(!talk.link->conns);
	loop_timer_cancel(&talk.timer);
	close(talk.peer);
	return 0;
}
