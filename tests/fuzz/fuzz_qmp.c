// SPDX-License-Identifier: Apache-2.0
// Any bytes as what QEMU's monitor says: understood, or said to be deaf; and its owner may hang up
// within any notice and any reply.
//
// The first byte says after how many notices and replies the owner hangs up (0: not at all) and in
// how many pieces the rest comes.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clusterd/invariant.h"
#include "resources/qmp_io.h"

enum { TALK_MAX = 65536, PIECES_MAX = 4 };

struct talk {
	struct loop *loop;
	struct qmp *qmp;
	struct loop_timer timer;
	int peer;
	uint32_t heard, leave_after, pieces;
	const uint8_t *data;
	size_t size;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[] = "/tmp/fuzz-qmp-XXXXXX";
static struct sockaddr_un address = { .sun_family = AF_UNIX };

static void clean(void)
{
	unlink(address.sun_path);
	rmdir(directory);
}

static int listen_here(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char *made = mkdtemp(directory);

	INVARIANT(fd >= 0 && made);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/qmp", directory);
	INVARIANT(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		  listen(fd, 1) == 0);
	atexit(clean);
	return fd;
}

static void hang_up(struct talk *talk)
{
	struct qmp *qmp = talk->qmp;

	talk->qmp = NULL;
	qmp_close(qmp);
	loop_stop(talk->loop);
}

static void count(struct talk *talk)
{
	if (talk->qmp && ++talk->heard == talk->leave_after)
		hang_up(talk);
}

static void on_reply(void *owner, bool ok, const char *text)
{
	struct talk *talk = owner;

	(void)ok;
	INVARIANT(talk->qmp && text);
	INVARIANT(strlen(text) < TALK_MAX * 6);
	count(talk);
}

static void on_notice(void *owner, enum qmp_notice notice, const char *text)
{
	static const char *const arguments[] = { NULL, "{\"a\":1}" };
	struct talk *talk = owner;

	if (!talk->qmp)	// still within qmp_open()
		return;
	if (notice == QMP_STATUS || notice == QMP_MIGRATION || notice == QMP_DEAF)
		INVARIANT(text && strlen(text) < TALK_MAX * 6);
	for (int i = 0; notice == QMP_READY && i < 2; i++)
		qmp_command(talk->qmp, "query-fuzz", arguments[i], on_reply, talk);
	if (notice == QMP_CLOSED)
		hang_up(talk);
	else
		count(talk);
}

// A piece a round; at the end the monitor is gone.
static void say(void *owner)
{
	struct talk *talk = owner;
	size_t piece = talk->size / (talk->pieces ? talk->pieces : 1);

	if (!talk->qmp)
		return;
	if (talk->pieces <= 1)
		piece = talk->size;
	if (piece > 0 && send(talk->peer, talk->data, piece, MSG_NOSIGNAL) != (ssize_t)piece)
		talk->pieces = 0;
	talk->data += piece;
	talk->size -= piece;
	if (talk->pieces > 0)
		talk->pieces--;
	if (talk->pieces == 0)
		shutdown(talk->peer, SHUT_WR);
	else
		loop_timer_ms(talk->loop, &talk->timer, 0, say, talk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int listener = -1;
	static struct talk talk;
	static struct loop *loop;
	int room = 2 * TALK_MAX;

	if (size < 1 || size > TALK_MAX)
		return 0;
	if (listener < 0) {
		listener = listen_here();
		INVARIANT(loop_open(&loop) == 0);
	}
	talk = (struct talk){ .loop = loop, .leave_after = data[0] & 15, .data = data + 1,
			      .size = size - 1, .pieces = 1 + (data[0] >> 4) % PIECES_MAX };
	INVARIANT(qmp_open(&talk.qmp, loop, address.sun_path, on_notice, &talk) == 0);
	talk.peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	INVARIANT(talk.peer >= 0);
	setsockopt(talk.peer, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	loop_timer_ms(loop, &talk.timer, 0, say, &talk);
	loop_run(loop);
	INVARIANT(!talk.qmp);
	loop_timer_cancel(&talk.timer);
	close(talk.peer);
	return 0;
}
