// SPDX-License-Identifier: Apache-2.0
#include "clusterd/ipc_client_io.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#include <qb/qbipcc.h>

#include "clusterd/ipc_io.h"
#include "clusterd/ipc_wire.h"

enum { WAIT_SLICE_MS = 100 };

struct ipc_client_connection {
	qb_ipcc_connection_t *qb;
	char buf[IPC_CHUNK_SIZE] __attribute__((aligned(8)));
};

int ipc_client_open(struct ipc_client_connection **out, const char *service, int timeout_ms)
{
	struct ipc_client_connection *connection = calloc(1, sizeof(*connection));
	struct pollfd ready = { .events = POLLIN };
	int rc;

	*out = NULL;
	if (!connection)
		return -ENOMEM;
	errno = 0;
	connection->qb = qb_ipcc_connect_async(service, IPC_CHUNK_SIZE, &ready.fd);
	if (!connection->qb) {
		rc = errno ? -errno : -ECONNREFUSED;
		free(connection);
		return rc == -ENOENT ? -ECONNREFUSED : rc;
	}
	rc = poll(&ready, 1, timeout_ms);
	if (rc <= 0) {
		qb_ipcc_disconnect(connection->qb);
		free(connection);
		return rc == 0 ? -ETIMEDOUT : -errno;
	}
	rc = qb_ipcc_connect_continue(connection->qb);
	if (rc < 0) { // libqb has already let go of the connection
		free(connection);
		return rc;
	}
	*out = connection;
	return 0;
}

void ipc_client_close(struct ipc_client_connection *connection)
{
	if (!connection)
		return;
	qb_ipcc_disconnect(connection->qb);
	free(connection);
}

static int client_send(struct ipc_client_connection *connection, enum ipc_message message,
		       const char *text, size_t size, int (*waiting)(void *), void *context)
{
	struct ipc_request_head head = {
		.id = (int32_t)message,
		.size = (int32_t)(sizeof(head) + size),
		.version = IPC_VERSION,
	};
	struct iovec iov[2] = {
		{ .iov_base = &head, .iov_len = sizeof(head) },
		{ .iov_base = (void *)(uintptr_t)text, .iov_len = size },
	};
	const struct timespec pause = { .tv_nsec = 500000 };
	ssize_t rc;

	// The daemon answers a piece a moment before it makes room for the next one.
	while ((rc = qb_ipcc_sendv(connection->qb, iov, size ? 2 : 1)) == -EAGAIN || rc == -EINTR) {
		if (!qb_ipcc_is_connected(connection->qb))
			return -ENOTCONN;
		if (waiting && waiting(context))
			return -EINTR;
		nanosleep(&pause, NULL);
	}
	return rc < 0 ? (int)rc : 0;
}

// One message of the daemon, in connection->buf; its head's size is what came.
static int client_receive(struct ipc_client_connection *connection, int (*waiting)(void *),
			  void *context, struct ipc_reply_head *head)
{
	for (;;) {
		ssize_t rc = qb_ipcc_recv(connection->qb, connection->buf, sizeof(connection->buf),
					  WAIT_SLICE_MS);

		if (rc == -ETIMEDOUT || rc == -EAGAIN || rc == -EINTR) {
			if (waiting && waiting(context))
				return -EINTR;
			continue;
		}
		if (rc < 0)
			return rc == -ESHUTDOWN || rc == -ECONNRESET ? -ENOTCONN : (int)rc;
		if ((size_t)rc < sizeof(*head))
			return -EPROTO;
		memcpy(head, connection->buf, sizeof(*head));
		if (head->version != IPC_VERSION)
			return -EPROTO;
		head->size = (int32_t)((size_t)rc - sizeof(*head));
		return 0;
	}
}

int ipc_client_ask(struct ipc_client_connection *connection, const char *text, size_t size,
		   int (*waiting)(void *context), void *context, char **answer, size_t *answer_size)
{
	size_t most = IPC_CHUNK_SIZE - sizeof(struct ipc_request_head);
	struct ipc_reply_head head;
	size_t at = 0;
	int rc;

	*answer = NULL;
	*answer_size = 0;
	if (size > IPC_REQUEST_MAX)
		return -EMSGSIZE;
	for (; size - at > most; at += most) {
		rc = client_send(connection, IPC_PART, text + at, most, waiting, context);
		if (rc == 0)
			rc = client_receive(connection, waiting, context, &head);
		if (rc < 0)
			return rc;
	}
	rc = client_send(connection, IPC_LAST, text + at, size - at, waiting, context);
	if (rc == 0)
		rc = client_receive(connection, waiting, context, &head);
	if (rc < 0)
		return rc;
	if (head.total > IPC_REPLY_MAX)
		return -EPROTO;
	size_t total = head.total, got = 0;
	char *whole = malloc(total + 1);

	if (!whole)
		return -ENOMEM;
	for (;;) {
		size_t piece = (size_t)head.size;

		if (head.offset != got || piece > total - got || (piece == 0 && got < total)) {
			free(whole);
			return -EPROTO;
		}
		memcpy(whole + got, connection->buf + sizeof(head), piece);
		got += piece;
		if (got == total)
			break;
		rc = client_send(connection, IPC_NEXT, NULL, 0, waiting, context);
		if (rc == 0)
			rc = client_receive(connection, waiting, context, &head);
		if (rc < 0) {
			free(whole);
			return rc;
		}
	}
	whole[total] = 0;
	*answer = whole;
	*answer_size = total;
	return 0;
}
