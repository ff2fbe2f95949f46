// SPDX-License-Identifier: Apache-2.0
/*
 * One connection: bytes from and to the socket, TLS between them and the frames, and who the other
 * side is.
 *
 *   dialled:  TCP -> TLS -> its name is the one that is meant -> hello both ways -> ready
 *   called:   TCP -> TLS -> hello: it is the node that its certificate names -> hello back -> ready
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clusterd/codec.h"
#include "migration/link_internal_io.h"

static void conn_event(void *owner, int fd, uint32_t events);
static void conn_timer(void *owner);

// Two clusters that share a network by mistake, without TLS, do not talk.
static uint32_t cluster_mark(const struct link *link)
{
	const struct cluster *cluster = link->options.cluster(link->options.owner);
	uint64_t hash = hash_start();

	if (cluster)
		hash = hash_bytes(hash, cluster->def.name, strlen(cluster->def.name));
	return (uint32_t)(hash ^ hash >> 32);
}

static const struct cluster_node *node_of(const struct link *link, uint32_t id)
{
	const struct cluster *cluster = link->options.cluster(link->options.owner);

	for (int i = 0; cluster && i < NODES_MAX; i++)
		if (cluster->nodes[i].used && cluster->nodes[i].def.id == id)
			return &cluster->nodes[i];
	return NULL;
}

void link_conn_close(struct link_conn *conn)
{
	if (conn->dead)
		return;
	conn->dead = true;
	loop_timer_cancel(&conn->timer);
	loop_del_fd(conn->link->edge.loop, conn->fd);
	close(conn->fd);
}

void link_conn_free(struct link_conn *conn)
{
	tls_close(conn->tls);
	free(conn->out);
	free(conn);
}

// It ended by itself or was found wanting: told once.
static void conn_end(struct link_conn *conn, const char *reason)
{
	char kept[REASON_SIZE];

	if (conn->dead)
		return;
	snprintf(kept, sizeof(kept), "%s", reason);
	link_conn_close(conn);
	link_conn_gone(conn->link, conn, kept);
}

static void conn_refuse(struct link_conn *conn, const char *reason)
{
	char kept[REASON_SIZE];

	snprintf(kept, sizeof(kept), "%s", reason);
	link_refused(conn->link, conn, kept);
	conn_end(conn, kept);
}

// ---- out ----

static void conn_watch(struct link_conn *conn, bool out)
{
	if (conn->watching_out == out)
		return;
	conn->watching_out = out;
	loop_mod_fd(conn->link->edge.loop, conn->fd, POLLIN | (out ? POLLOUT : 0));
}

// What TLS has to say goes behind what waits already. False: the peer takes nothing any more.
static bool conn_gather(struct link_conn *conn)
{
	size_t count = 1;

	while (conn->tls && count > 0) {
		if (conn->out_used == LINK_OUT_MAX)
			return false;
		count = tls_output(conn->tls, conn->out + conn->out_used,
				   LINK_OUT_MAX - conn->out_used);
		conn->out_used += (uint32_t)count;
	}
	return true;
}

static bool conn_flush(struct link_conn *conn)
{
	ssize_t sent;

	if (conn->dead)
		return false;
	if (!conn_gather(conn)) {
		conn_end(conn, "it does not take what it is told");
		return false;
	}
	if (conn->out_used == 0 || conn->connecting) {
		conn_watch(conn, conn->connecting);
		return true;
	}
	sent = send(conn->fd, conn->out, conn->out_used, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		conn_end(conn, strerror(errno));
		return false;
	}
	if (sent > 0) {
		conn->out_used -= (uint32_t)sent;
		memmove(conn->out, conn->out + sent, conn->out_used);
	}
	conn_watch(conn, conn->out_used > 0);
	return true;
}

static bool frame_say(struct link_conn *conn, struct link_frame *frame)
{
	uint8_t bytes[LINK_STATS_SIZE];
	uint32_t size;

	if (conn->dead)
		return false;
	frame->to = conn->peer;
	frame->from = conn->link->options.self(conn->link->options.owner);
	size = link_frame_encode(frame, bytes);
	if (conn->tls) {
		if (!tls_write(conn->tls, bytes, size)) {
			conn_end(conn, tls_reason(conn->tls));
			return false;
		}
	} else if (conn->out_used + size <= LINK_OUT_MAX) {
		memcpy(conn->out + conn->out_used, bytes, size);
		conn->out_used += size;
	} else {
		conn_end(conn, "it does not take what it is told");
		return false;
	}
	return conn_flush(conn);
}

bool link_conn_say(struct link_conn *conn, enum link_frame_type type, uint8_t word, uint32_t value)
{
	struct link_frame frame = { .type = (uint8_t)type, .word = word, .value = value };

	return frame_say(conn, &frame);
}

// People wait for it, nobody's guest does: one that is slow just gets less of it.
void link_conn_say_stats(struct link_conn *conn, uint32_t move, const struct migrate_stats *stats)
{
	struct link_frame frame = { .type = LINK_STATS, .value = move, .stats = *stats };

	if (conn->out_used == 0)
		frame_say(conn, &frame);
}

// It is only ahead of a message in the group, so it may be lost. Without TLS nothing proves whose
// store it is about.
bool link_conn_say_synced(struct link_conn *conn, const struct link_synced *synced)
{
	struct link_frame frame = { .type = LINK_SYNCED, .synced = *synced };

	return conn->tls && (conn->out_used > 0 || frame_say(conn, &frame));
}

// ---- who it is ----

// Without TLS nothing but the address speaks for it.
static bool address_reported(const struct cluster_node *node, const char *address)
{
	for (int i = 0; i < MIGRATION_NETWORKS_MAX; i++)
		if (strcmp(node->report.addresses[i], address) == 0)
			return true;
	return false;
}

static bool conn_proven(struct link_conn *conn, uint32_t id, char *reason, size_t size)
{
	const struct cluster_node *node = node_of(conn->link, id);
	char name[NAME_SIZE];

	if (conn->tls && !tls_peer_name(conn->tls, name, sizeof(name))) {
		snprintf(reason, size, "its certificate is no daemon's");
		return false;
	}
	if (!node) {
		snprintf(reason, size, "it says that it is node %u, and there is none", id);
		return false;
	}
	if (conn->tls && strcmp(node->def.name, name) != 0) {
		snprintf(reason, size, "its certificate is of \"%s\", and %s is meant", name,
			 node->def.name);
		return false;
	}
	if (!conn->tls && !address_reported(node, conn->address)) {
		snprintf(reason, size, "it says that it is %s, which has no such address",
			 node->def.name);
		return false;
	}
	return true;
}

static bool conn_hello(struct link_conn *conn)
{
	return link_conn_say(conn, LINK_HELLO, 0, cluster_mark(conn->link));
}

static bool conn_is_ready(struct link_conn *conn)
{
	conn->ready = true;
	loop_timer_ms(conn->link->edge.loop, &conn->timer, LINK_PING_MS, conn_timer, conn);
	link_conn_ready(conn->link, conn);
	return !conn->dead;
}

static bool hello_heard(struct link_conn *conn, const struct link_frame *frame)
{
	char reason[REASON_SIZE];

	if (frame->value != cluster_mark(conn->link)) {
		conn_refuse(conn, "it is of a cluster of another name");
		return false;
	}
	if (!conn->caller && frame->from != conn->peer) {
		snprintf(reason, sizeof(reason), "node %u answers where node %u was meant",
			 frame->from, conn->peer);
		conn_refuse(conn, reason);
		return false;
	}
	if (!conn_proven(conn, frame->from, reason, sizeof(reason))) {
		conn_refuse(conn, reason);
		return false;
	}
	conn->peer = frame->from;
	return (!conn->caller || conn_hello(conn)) && conn_is_ready(conn);
}

// False: the connection is gone.
static bool frame_heard(struct link_conn *conn, const uint8_t *bytes)
{
	struct link *link = conn->link;
	struct link_frame frame;

	if (!link_frame_decode(&frame, bytes)) {
		conn_refuse(conn, "what it says is no word of this protocol");
		return false;
	}
	if (frame.to != link->options.self(link->options.owner)) {
		conn_refuse(conn, "it talks to another node");
		return false;
	}
	// It was made when the moves were plain, and proves nothing now.
	if (!conn->tls && link_tls_wanted(link)) {
		conn_refuse(conn, "it is not encrypted");
		return false;
	}
	if ((frame.type == LINK_HELLO) == conn->ready ||
	    (conn->ready && frame.from != conn->peer)) {
		conn_refuse(conn, conn->ready ? "it is somebody else now"
					      : "it talks before it has said who it is");
		return false;
	}
	switch ((enum link_frame_type)frame.type) {
	case LINK_HELLO:
		return hello_heard(conn, &frame);
	case LINK_WORD:
		// It may have been removed since the hello.
		if (!node_of(link, conn->peer)) {
			conn_refuse(conn, "it is no node of this cluster any more");
			return false;
		}
		link_post_word(link, frame.from, frame.value, frame.word);
		return true;
	case LINK_PING:
		return link_conn_say(conn, LINK_PONG, 0, frame.value);
	case LINK_PONG:
		if (frame.value == conn->pings) {
			conn->pongs = conn->pings;
			link_conn_pong(link, conn);
		}
		return !conn->dead;
	case LINK_STATS:
		if (link->options.progress)
			link->options.progress(link->options.owner, frame.from, frame.value,
					       &frame.stats);
		return true;
	case LINK_SYNCED:
		if (conn->tls && node_of(link, conn->peer))
			link_post_synced(link, frame.from, &frame.synced);
		return true;
	case LINK_FRAME_TYPE_COUNT:
		break;
	}
	return !conn->dead;
}

// ---- in ----

static bool bytes_heard(struct link_conn *conn, const uint8_t *bytes, size_t size, uint32_t *frames)
{
	while (size > 0) {
		size_t whole = conn->in_used < LINK_FRAME_SIZE ? LINK_FRAME_SIZE
							       : link_frame_size(conn->in);
		size_t part = whole - conn->in_used;

		part = part < size ? part : size;
		memcpy(conn->in + conn->in_used, bytes, part);
		conn->in_used += (uint32_t)part;
		bytes += part;
		size -= part;
		// Its first bytes say how long it is.
		if (conn->in_used < LINK_FRAME_SIZE || conn->in_used < link_frame_size(conn->in))
			continue;
		conn->in_used = 0;
		if (++*frames > LINK_FRAMES_MAX) {
			conn_refuse(conn, "it says more than any node has to say");
			return false;
		}
		if (!frame_heard(conn, conn->in))
			return false;
	}
	return true;
}

// The client's first word comes with the end of its handshake.
static bool conn_shaken(struct link_conn *conn, enum tls_state state, bool *up)
{
	*up = state == TLS_UP;
	if (state == TLS_FAILED) {
		char reason[REASON_SIZE];

		snprintf(reason, sizeof(reason), "%s", tls_reason(conn->tls));
		conn_gather(conn);
		// The alert says to the other side why, if it goes through at once.
		if (conn->out_used > 0 &&
		    send(conn->fd, conn->out, conn->out_used, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			conn->out_used = 0;
		conn_refuse(conn, reason);
		return false;
	}
	return true;
}

static bool conn_up(struct link_conn *conn)
{
	char reason[REASON_SIZE];

	if (conn->caller)
		return true;
	// Who it is not is told nothing, not even a hello.
	if (conn->tls && !conn_proven(conn, conn->peer, reason, sizeof(reason))) {
		conn_refuse(conn, reason);
		return false;
	}
	return conn_hello(conn);
}

static bool tls_heard(struct link_conn *conn, const uint8_t *bytes, size_t size, uint32_t *frames)
{
	bool was_up = tls_shake(conn->tls) == TLS_UP, up;
	uint8_t plain[1024];
	int count;

	if (!conn_shaken(conn, tls_input(conn->tls, bytes, size), &up))
		return false;
	if (up && !was_up && !conn_up(conn))
		return false;
	if (!conn_flush(conn))
		return false;
	while (up && (count = tls_read(conn->tls, plain, sizeof(plain))) != 0) {
		if (count < 0) {
			// A dialled peer may refuse this side only after the handshake.
			if (conn->ready)
				conn_end(conn, "it hung up");
			else
				conn_refuse(conn, tls_reason(conn->tls));
			return false;
		}
		if (!bytes_heard(conn, plain, (size_t)count, frames))
			return false;
	}
	return conn_flush(conn);
}

static void conn_input(struct link_conn *conn)
{
	uint8_t bytes[4096];
	uint32_t frames = 0;
	ssize_t count = recv(conn->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (count <= 0) {
		conn_end(conn, count < 0 ? strerror(errno) : "it hung up");
		return;
	}
	conn->heard_ms = link_now_ms();
	if (conn->tls)
		tls_heard(conn, bytes, (size_t)count, &frames);
	else
		bytes_heard(conn, bytes, (size_t)count, &frames);
}

static void conn_connected(struct link_conn *conn)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	if (error) {
		conn_end(conn, strerror(error));
		return;
	}
	conn->connecting = false;
	if (conn->tls)
		tls_shake(conn->tls);
	else
		conn_up(conn);
	conn_flush(conn);
}

static void conn_event(void *owner, int fd, uint32_t events)
{
	struct link_conn *conn = owner;
	struct link *link = conn->link;

	(void)fd;
	link_enter(link);
	if (conn->connecting) {
		if (events & (POLLOUT | POLLERR | POLLHUP))
			conn_connected(conn);
	} else {
		if (events & POLLOUT)
			conn_flush(conn);
		if (!conn->dead && events & (POLLIN | POLLERR | POLLHUP))
			conn_input(conn);
	}
	link_leave(link);
}

static void conn_timer(void *owner)
{
	struct link_conn *conn = owner;
	struct link *link = conn->link;

	link_enter(link);
	if (!conn->ready) {
		conn_end(conn, conn->connecting ? "no answer" : "it accepted, and said nothing");
	} else if (link_now_ms() - conn->heard_ms > LINK_SILENT_MS) {
		conn_end(conn, "it is silent");
	} else if (link_conn_say(conn, LINK_PING, 0, ++conn->pings)) {
		loop_timer_ms(link->edge.loop, &conn->timer, LINK_PING_MS, conn_timer, conn);
	}
	link_leave(link);
}

// ---- begin ----

static struct link_conn *conn_new(struct link *link, int fd, const char *address, bool caller)
{
	struct link_conn *conn = calloc(1, sizeof(*conn));
	int one = 1;
	unsigned int unanswered_ms = LINK_SILENT_MS;

	if (!conn)
		return NULL;
	*conn = (struct link_conn){ .link = link, .fd = fd, .caller = caller };
	snprintf(conn->address, sizeof(conn->address), "%s", address);
	conn->heard_ms = link_now_ms();
	conn->out = malloc(LINK_OUT_MAX);
	if (conn->out && link_tls_wanted(link))
		conn->tls = tls_open(link->context, caller);
	if (!conn->out || (link_tls_wanted(link) && !conn->tls)) {
		link_conn_free(conn);
		return NULL;
	}
	// A word is 16 bytes and is waited for: nothing may hold it back.
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof(unanswered_ms));
	return conn;
}

static int conn_begin(struct link_conn *conn, uint64_t limit_ms)
{
	struct link *link = conn->link;
	int error = loop_add_fd(link->edge.loop, conn->fd,
				POLLIN | (conn->connecting ? POLLOUT : 0), conn_event, conn);

	conn->watching_out = conn->connecting;
	if (error) {
		link_conn_free(conn);
		return error;
	}
	conn->next = link->conns;
	link->conns = conn;
	loop_timer_ms(link->edge.loop, &conn->timer, limit_ms, conn_timer, conn);
	return 0;
}

void link_conn_accept(struct link *link, int fd, const char *address)
{
	struct link_conn *conn;

	if (link_tls_wanted(link) && !link->context) {
		close(fd);
		return;
	}
	conn = conn_new(link, fd, address, true);
	if (!conn || conn_begin(conn, link->options.hello_ms) != 0)
		close(fd);
}

static socklen_t address_parse(const char *text, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		return sizeof(*v6);
	}
	return 0;
}

// Without TLS the other side knows this one by the address that it calls from.
static void source_bind(const struct link *link, int fd, sa_family_t family)
{
	struct sockaddr_storage own;
	socklen_t size;

	for (int i = 0; i < LINK_LISTENERS_MAX; i++) {
		size = link->listeners[i].address[0]
			       ? address_parse(link->listeners[i].address, 0, &own)
			       : 0;
		if (size > 0 && own.ss_family == family &&
		    bind(fd, (struct sockaddr *)&own, size) == 0)
			return;
	}
}

int link_conn_dial(struct link *link, uint32_t peer, const char *address, struct link_conn **out)
{
	struct sockaddr_storage target;
	socklen_t size = address_parse(address, link->options.port, &target);
	struct link_conn *conn;
	int fd, error;

	if (size == 0)
		return -EINVAL;
	fd = socket(target.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (!link_tls_wanted(link))
		source_bind(link, fd, target.ss_family);
	conn = conn_new(link, fd, address, false);
	if (!conn || (connect(fd, (struct sockaddr *)&target, size) < 0 && errno != EINPROGRESS)) {
		error = conn ? -errno : -ENOMEM;
		if (conn)
			link_conn_free(conn);
		close(fd);
		return error;
	}
	conn->connecting = true;
	conn->peer = peer;
	error = conn_begin(conn, link->options.dial_ms);
	if (error)
		close(fd);
	else
		*out = conn;
	return error;
}
