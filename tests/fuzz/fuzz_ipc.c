// SPDX-License-Identifier: Apache-2.0
/*
 * Both ends of the administrators' door, with this file in the place of libqb: messages of any
 * kind, size and order, clients that go away at any moment, answers that come late or to nobody,
 * and a daemon that says anything. A request arrives whole and as it was sent, an answer too, or
 * not at all; nobody is heard, or answered, after the end.
 *
 * An input is words of a letter and what belongs to it; other bytes say nothing.
 *   the daemon's end: cN a client comes; pNk lNk a piece of a request, the last one (k: its size);
 *   nN asks for the next piece; wNk.. says k bytes of this input; xN goes away; rNk an answer of
 *   that size to what N asked; zk one to nobody; fN its next answer does not go out; j the loop's
 *   jobs
 *   the client's end (the first byte is `C`): k the request's size, k the answer's; then, each
 *   time that it listens, gk a piece of that size; tNNNNk one of a total of this input's; ok vk mk
 *   bk one with a wrong place, a wrong version, more than the total, less than a head; w as above;
 *   e an error; s slow
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <qb/qbipcc.h>
#include <qb/qbipcs.h>
#include <qb/qbloop.h>

#include "clusterd/invariant.h"
#include "clusterd/ipc_client_io.h"
#include "clusterd/ipc_io.h"
#include "clusterd/ipc_wire.h"
#include "clusterd/log_io.h"

enum { SLOTS = 4, JOBS_MAX = 64, OURS = 8 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// --- the input ---------------------------------------------------------------------------------

static const uint8_t *input;
static size_t input_left;

static uint8_t take(void)
{
	if (input_left == 0)
		return 0;
	input_left--;
	return *input++;
}

static size_t take_size(void)
{
	static const size_t sizes[16] = {
		0,
		1,
		2,
		100,
		1000,
		5000,
		IPC_CHUNK_SIZE - sizeof(struct ipc_request_head) - 1,
		IPC_CHUNK_SIZE - sizeof(struct ipc_request_head),
		IPC_CHUNK_SIZE - sizeof(struct ipc_request_head) + 1,
		IPC_CHUNK_SIZE - sizeof(struct ipc_reply_head),
		IPC_CHUNK_SIZE - sizeof(struct ipc_reply_head) + 1,
		IPC_CHUNK_SIZE,
		3 * IPC_CHUNK_SIZE,
		300000,
		1000000,
		IPC_REQUEST_MAX,
	};

	return sizes[take() & 15];
}

// What a text of ours holds, so that a piece in the wrong place is seen.
static const char *ours(void)
{
	static char text[OURS];

	if (!text[0])
		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = (char)('a' + (i + i / 251) % 26);
	return text;
}

static void text_fill(char *text, size_t from, size_t size)
{
	// Further than any request or answer may go it does not matter.
	memcpy(text, ours() + (from + size <= OURS ? from : 0), size);
}

static bool text_is_ours(const char *text, size_t from, size_t size)
{
	return from + size <= OURS && memcmp(text, ours() + from, size) == 0;
}

// --- libqb, the daemon's end -------------------------------------------------------------------

struct qb_ipcs_connection {
	void *context;
	int refs;
	bool open;
	bool refuses; // its next answer does not go out
	// What it sent of a request, as the daemon is to put it together.
	size_t sent;
	bool ours;	    // all of it was text_fill()'s
	bool whole;	    // the last piece was sent, and nothing since
	uint64_t id;	    // that the daemon told of it; 0: none yet
	bool asked;	    // a request arrived that is not answered
	size_t answer, got; // of the answer under way
	bool answering;
};

struct job {
	qb_loop_job_dispatch_fn fn;
	void *data;
};

static struct door {
	struct qb_ipcs_service_handlers handlers;
	struct ipc *ipc;
	struct qb_ipcs_connection *slots[SLOTS];
	struct qb_ipcs_connection *speaking;
	struct job jobs[JOBS_MAX];
	uint32_t job_count;
} door;

qb_ipcs_service_t *qb_ipcs_create(const char *name, int32_t service_id, enum qb_ipc_type type,
				  struct qb_ipcs_service_handlers *handlers)
{
	(void)name;
	(void)service_id;
	(void)type;
	door.handlers = *handlers;
	return (qb_ipcs_service_t *)&door;
}

void qb_ipcs_enforce_buffer_size(qb_ipcs_service_t *service, uint32_t size)
{
	(void)service;
	INVARIANT(size == IPC_CHUNK_SIZE);
}

void qb_ipcs_poll_handlers_set(qb_ipcs_service_t *service, struct qb_ipcs_poll_handlers *handlers)
{
	(void)service;
	(void)handlers;
}

int32_t qb_ipcs_run(qb_ipcs_service_t *service)
{
	(void)service;
	return 0;
}

void qb_ipcs_connection_ref(qb_ipcs_connection_t *connection)
{
	connection->refs++;
}

void qb_ipcs_connection_unref(qb_ipcs_connection_t *connection)
{
	INVARIANT(connection->refs > 0);
	if (--connection->refs > 0)
		return;
	door.handlers.connection_destroyed(connection);
	free(connection);
}

void qb_ipcs_disconnect(qb_ipcs_connection_t *connection)
{
	if (!connection->open)
		return;
	connection->open = false;
	for (int i = 0; i < SLOTS; i++)
		if (door.slots[i] == connection)
			door.slots[i] = NULL;
	// Freed from within its own message it would be used after that.
	INVARIANT(door.speaking != connection);
	door.handlers.connection_closed(connection);
	qb_ipcs_connection_unref(connection);
}

void qb_ipcs_destroy(qb_ipcs_service_t *service)
{
	(void)service;
	for (int i = 0; i < SLOTS; i++)
		if (door.slots[i])
			qb_ipcs_disconnect(door.slots[i]);
}

void qb_ipcs_context_set(qb_ipcs_connection_t *connection, void *context)
{
	connection->context = context;
}

void *qb_ipcs_context_get(qb_ipcs_connection_t *connection)
{
	return connection->context;
}

int32_t qb_ipcs_connection_stats_get(qb_ipcs_connection_t *connection,
				     struct qb_ipcs_connection_stats *stats, int32_t clear)
{
	(void)connection;
	(void)clear;
	memset(stats, 0, sizeof(*stats));
	return 0;
}

ssize_t qb_ipcs_response_sendv(qb_ipcs_connection_t *connection, const struct iovec *iov,
			       size_t count)
{
	struct ipc_reply_head head;
	size_t piece = count == 2 ? iov[1].iov_len : 0;

	INVARIANT(connection->open && (count == 1 || count == 2));
	INVARIANT(iov[0].iov_len == sizeof(head) && sizeof(head) + piece <= IPC_CHUNK_SIZE);
	memcpy(&head, iov[0].iov_base, sizeof(head));
	INVARIANT(head.version == IPC_VERSION && head.size == (int32_t)(sizeof(head) + piece));
	if (connection->refuses) {
		connection->refuses = false;
		return -EAGAIN;
	}
	if (!connection->answering) {
		INVARIANT(piece == 0 && head.total == 0 && head.offset == connection->got);
		return head.size;
	}
	INVARIANT(head.total == connection->answer && head.offset == connection->got);
	INVARIANT(piece <= connection->answer - connection->got);
	INVARIANT(piece > 0 || connection->answer == 0);
	INVARIANT(text_is_ours(piece ? iov[1].iov_base : "", connection->got, piece));
	connection->got += piece;
	if (connection->got == connection->answer) {
		connection->answering = false;
		connection->got = 0;
	}
	return head.size;
}

int32_t qb_loop_job_add(qb_loop_t *loop, enum qb_loop_priority priority, void *data,
			qb_loop_job_dispatch_fn fn)
{
	(void)loop;
	(void)priority;
	if (door.job_count == JOBS_MAX)
		return -ENOMEM;
	door.jobs[door.job_count++] = (struct job){ fn, data };
	return 0;
}

int32_t qb_loop_poll_add(qb_loop_t *loop, enum qb_loop_priority priority, int32_t fd,
			 int32_t events, void *data, qb_loop_poll_dispatch_fn fn)
{
	(void)loop, (void)priority, (void)fd, (void)events, (void)data, (void)fn;
	return 0;
}

int32_t qb_loop_poll_mod(qb_loop_t *loop, enum qb_loop_priority priority, int32_t fd,
			 int32_t events, void *data, qb_loop_poll_dispatch_fn fn)
{
	(void)loop, (void)priority, (void)fd, (void)events, (void)data, (void)fn;
	return 0;
}

int32_t qb_loop_poll_del(qb_loop_t *loop, int32_t fd)
{
	(void)loop;
	(void)fd;
	return 0;
}

void log_text(enum log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

// --- the daemon's end --------------------------------------------------------------------------

static void door_jobs(void)
{
	while (door.job_count > 0) {
		struct job job = door.jobs[--door.job_count];

		job.fn(job.data);
	}
}

static void on_request(void *context, uint64_t client, const char *text, size_t size)
{
	struct qb_ipcs_connection *connection = door.speaking;

	(void)context;
	INVARIANT(connection && connection->open && connection->whole && !connection->asked);
	INVARIANT(size == connection->sent && size <= IPC_REQUEST_MAX);
	INVARIANT(size == 0 || text[size] == 0);
	INVARIANT(!connection->ours || size == 0 || text_is_ours(text, 0, size));
	INVARIANT(!connection->id || connection->id == client);
	connection->id = client;
	connection->asked = true;
	connection->sent = 0;
	connection->ours = true;
	connection->whole = false;
}

static void on_gone(void *context, uint64_t client)
{
	(void)context;
	for (int i = 0; i < SLOTS; i++)
		INVARIANT(!door.slots[i] || door.slots[i]->id != client);
}

static void door_connect(struct qb_ipcs_connection **slot)
{
	struct qb_ipcs_connection *connection;

	if (*slot || door.handlers.connection_accept(NULL, 0, 0) != 0)
		return;
	connection = calloc(1, sizeof(*connection));
	INVARIANT(connection);
	connection->refs = 1;
	connection->open = connection->ours = true;
	*slot = connection;
	door.handlers.connection_created(connection);
}

static void door_say(struct qb_ipcs_connection *connection, char *message, size_t size)
{
	struct ipc_request_head head;

	if (size >= sizeof(head)) {
		memcpy(&head, message, sizeof(head));
		connection->whole = head.id == IPC_LAST && head.version == IPC_VERSION;
		if (head.id == IPC_PART || head.id == IPC_LAST) {
			connection->ours &= text_is_ours(message + sizeof(head), connection->sent,
							 size - sizeof(head));
			connection->sent += size - sizeof(head);
		}
	}
	door.speaking = connection;
	door.handlers.msg_process(connection, message, size);
	door.speaking = NULL;
}

static void door_say_piece(struct qb_ipcs_connection *connection, enum ipc_message id, size_t size)
{
	struct ipc_request_head head = { .id = (int32_t)id, .version = IPC_VERSION };
	char *message = malloc(sizeof(head) + size);

	INVARIANT(message);
	head.size = (int32_t)(sizeof(head) + size);
	memcpy(message, &head, sizeof(head));
	text_fill(message + sizeof(head), connection->sent, size);
	door_say(connection, message, sizeof(head) + size);
	free(message);
}

static void door_say_raw(struct qb_ipcs_connection *connection)
{
	size_t size = take() % 64;
	char message[64];

	for (size_t i = 0; i < size; i++)
		message[i] = (char)take();
	door_say(connection, message, size);
}

static void door_answer(struct qb_ipcs_connection *connection, uint64_t id, size_t size)
{
	char *text = malloc(size + 1);

	INVARIANT(text);
	text_fill(text, 0, size);
	if (connection && connection->asked) {
		connection->asked = false;
		connection->answering = true;
		connection->answer = size;
		connection->got = 0;
	}
	ipc_reply(door.ipc, id, text, size);
}

static void door_word(uint8_t word)
{
	struct qb_ipcs_connection **slot, *connection;

	if (word == 'j') {
		door_jobs();
		return;
	}
	if (word == 'z') {
		door_answer(NULL, 1000000 + take(), take_size());
		return;
	}
	if (!word || !strchr("cplnwxrf", word))
		return;
	slot = &door.slots[take() % SLOTS];
	connection = *slot;
	if (word == 'c')
		door_connect(slot);
	if (!connection)
		return;
	switch (word) {
	case 'p':
		door_say_piece(connection, IPC_PART, take_size());
		break;
	case 'l':
		door_say_piece(connection, IPC_LAST, take_size());
		break;
	case 'n':
		door_say_piece(connection, IPC_NEXT, 0);
		break;
	case 'w':
		door_say_raw(connection);
		break;
	case 'x':
		qb_ipcs_disconnect(connection);
		break;
	case 'r':
		// Twice is once.
		if (connection->id)
			door_answer(connection, connection->id, take_size());
		break;
	case 'f':
		connection->refuses = true;
		break;
	}
}

static void door_try(void)
{
	struct ipc_handlers handlers = { .request = on_request, .gone = on_gone };

	memset(&door, 0, sizeof(door));
	INVARIANT(ipc_open(&door.ipc, "fuzz", "root", NULL, &handlers) == 0);
	while (input_left > 0)
		door_word(take());
	if (take() & 1)
		door_jobs();
	ipc_close(door.ipc);
	door_jobs();
}

// --- libqb, the client's end -------------------------------------------------------------------

static struct {
	int fd;
	size_t sent; // of the request
	bool whole;
	size_t total, told; // of the answer
	bool good;	    // so far it is one that must be believed
	bool lied; // it is one that must not
} line;

qb_ipcc_connection_t *qb_ipcc_connect_async(const char *name, size_t max, int *fd)
{
	(void)name;
	(void)max;
	line.fd = eventfd(1, EFD_CLOEXEC);
	INVARIANT(line.fd >= 0);
	*fd = line.fd;
	return (qb_ipcc_connection_t *)&line;
}

int qb_ipcc_connect_continue(qb_ipcc_connection_t *connection)
{
	(void)connection;
	return 0;
}

void qb_ipcc_disconnect(qb_ipcc_connection_t *connection)
{
	(void)connection;
	close(line.fd);
}

int32_t qb_ipcc_is_connected(qb_ipcc_connection_t *connection)
{
	(void)connection;
	return input_left > 0;
}

ssize_t qb_ipcc_sendv(qb_ipcc_connection_t *connection, const struct iovec *iov, size_t count)
{
	struct ipc_request_head head;
	size_t piece = count == 2 ? iov[1].iov_len : 0;

	(void)connection;
	INVARIANT(iov[0].iov_len == sizeof(head) && sizeof(head) + piece <= IPC_CHUNK_SIZE);
	memcpy(&head, iov[0].iov_base, sizeof(head));
	INVARIANT(head.version == IPC_VERSION && head.size == (int32_t)(sizeof(head) + piece));
	INVARIANT((head.id == IPC_NEXT) == line.whole && (head.id != IPC_NEXT || piece == 0));
	INVARIANT(text_is_ours(piece ? iov[1].iov_base : "", line.sent, piece));
	line.sent += piece;
	line.whole = head.id != IPC_PART;
	return head.size;
}

// What the daemon says next: the answer as it should be, or anything else.
ssize_t qb_ipcc_recv(qb_ipcc_connection_t *connection, void *message, size_t room,
		     int32_t timeout_ms)
{
	struct ipc_reply_head head = { .id = IPC_NEXT, .version = IPC_VERSION };
	uint8_t word = take();
	char *bytes = message;
	size_t size;

	(void)connection;
	(void)timeout_ms;
	INVARIANT(room == IPC_CHUNK_SIZE);
	if (word == 's' || input_left == 0)
		return -ETIMEDOUT;
	if (word == 'e')
		return -ECONNRESET;
	if (word == 'w') {
		line.good = false;
		size = take();
		for (size_t i = 0; i < size; i++)
			bytes[i] = (char)take();
		return (ssize_t)size;
	}
	if (word == 't')
		line.total = (size_t)take() << 24 | (size_t)take() << 16 | take() << 8 | take();
	size = take_size();
	if (!line.whole)
		size = 0;
	if (size > line.total - line.told)
		size = line.total - line.told + (word == 'm');
	if (size > IPC_CHUNK_SIZE - sizeof(head))
		size = IPC_CHUNK_SIZE - sizeof(head);
	head.size = (int32_t)(sizeof(head) + size);
	head.total = line.whole ? line.total : 0;
	head.offset = line.told + (word == 'o');
	head.version += word == 'v';
	// Of what answers a piece of a request only the version is looked at.
	line.lied |= word == 'v' || word == 'b' || (word == 'o' && line.whole) ||
		     (line.whole && size > line.total - line.told);
	memcpy(bytes, &head, sizeof(head));
	text_fill(bytes + sizeof(head), line.told, size);
	line.told += size;
	return word == 'b' ? (ssize_t)sizeof(head) - 1 : head.size;
}

static int line_waiting(void *context)
{
	(void)context;
	return input_left == 0;
}

static void line_try(void)
{
	struct ipc_client_connection *connection;
	size_t size = take_size(), answer_size;
	char *text = malloc(size + 1), *answer;

	INVARIANT(text);
	text_fill(text, 0, size);
	memset(&line, 0, sizeof(line));
	line.good = true;
	line.total = take_size();
	INVARIANT(ipc_client_open(&connection, "fuzz", 1000) == 0);
	if (ipc_client_ask(connection, text, size, line_waiting, NULL, &answer, &answer_size) ==
	    0) {
		INVARIANT(line.whole && line.sent == size && !line.lied);
		INVARIANT(answer[answer_size] == 0);
		INVARIANT(!line.good ||
			  (answer_size == line.told && text_is_ours(answer, 0, answer_size)));
		free(answer);
	}
	ipc_client_close(connection);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input = data;
	input_left = size;
	if (size > 0 && *data == 'C') {
		take();
		line_try();
	} else {
		door_try();
	}
	return 0;
}
