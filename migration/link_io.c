// SPDX-License-Identifier: Apache-2.0
/*
 * Peers: who is dialled, at which of its addresses, and who waits for it.
 *
 *   check:  a link that was dialled and answers a ping, or else its addresses one after another
 *           until one has a ready link; the answer comes within LINK_CHECK_MS in any case
 *   word:   on any ready link at once; without one it waits for a dialled one
 *   synced: on a ready link with TLS; without one it is lost, and one is dialled for the next
 */
#include "migration/link_io.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clusterd/codec.h"
#include "clusterd/log_io.h"
#include "migration/link_internal_io.h"

enum { REFUSED_AGAIN_MS = 3600 * 1000, LINES_MS = 60 * 1000, LINES_MAX = 20, SPREAD_MS = 5000 };

uint64_t link_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// ---- events ----

void link_enter(struct link *link)
{
	link->depth++;
}

static void dead_free(struct link *link)
{
	struct link_conn **at = &link->conns;

	while (*at) {
		struct link_conn *conn = *at;

		if (conn->dead) {
			*at = conn->next;
			link_conn_free(conn);
		} else {
			at = &conn->next;
		}
	}
}

void link_leave(struct link *link)
{
	if (link->depth > 1) {
		link->depth--;
		return;
	}
	dead_free(link);
	// What is posted may come back in at once: then it is one deeper, and leaves this to us.
	while (link->first) {
		struct link_event *next = link->first;

		link->first = next->next;
		if (!link->first)
			link->last = &link->first;
		next->event.reason = next->reason;
		edge_post(&link->edge, &next->event);
		free(next);
	}
	dead_free(link);
	link->depth--;
}

static struct link_event *event_add(struct link *link, enum event_type type)
{
	struct link_event *event = calloc(1, sizeof(*event));

	if (!event)
		return NULL;
	event->event.type = (uint8_t)type;
	*link->last = event;
	link->last = &event->next;
	return event;
}

void link_post_word(struct link *link, uint32_t from, uint32_t move, uint8_t word)
{
	struct link_event *event;

	if (word >= MOVE_WORD_COUNT)
		return;
	event = event_add(link, EVENT_MOVE_WORD);
	if (!event)
		return;
	event->event.node_id = from;
	event->event.move = move;
	event->event.word = word;
}

void link_post_synced(struct link *link, uint32_t from, const struct link_synced *synced)
{
	struct link_event *event = event_add(link, EVENT_SYNCED_HEARD);

	if (!event)
		return;
	event->event.from_id = from;
	event->event.view = synced->view;
	event->event.token = synced->gathering;
	event->event.index = synced->index;
}

static void check_answer(struct link *link, const struct link_peer *peer, uint64_t cookie,
			 const char *address, const char *reason)
{
	struct link_event *event = event_add(link, EVENT_LINK_CHECKED);

	if (!event)
		return;
	event->event.node_id = peer->id;
	event->event.cookie = cookie;
	event->event.flag = address != NULL;
	snprintf(event->reason, sizeof(event->reason), "%s", address ? address : reason);
}

static void checks_answer(struct link *link, struct link_peer *peer, const char *address,
			  const char *reason)
{
	loop_timer_cancel(&peer->limit);
	for (uint32_t i = 0; i < peer->check_count; i++)
		check_answer(link, peer, peer->checks[i], address, reason);
	peer->check_count = 0;
}

// ---- the log ----

static void say(struct link *link, enum log_level level, const char *text)
{
	if (link->options.log)
		link->options.log(link->options.owner, level, text);
	else
		log_text(level, "%s", text);
}

// A stranger must not fill the log by calling from everywhere either.
static bool worth_a_line(struct link *link, const char *address, const char *reason)
{
	uint64_t hash = hash_bytes(hash_bytes(hash_start(), address, strlen(address)), reason,
				   strlen(reason)),
		 now_ms = link_now_ms();
	struct link_refusal *oldest = &link->refusals[0];

	for (int i = 0; i < LINK_REFUSALS; i++) {
		struct link_refusal *refusal = &link->refusals[i];

		if (refusal->hash == hash && now_ms - refusal->at_ms < REFUSED_AGAIN_MS)
			return false;
		if (refusal->at_ms < oldest->at_ms)
			oldest = refusal;
	}
	if (now_ms - link->lines_from_ms > LINES_MS) {
		link->lines_from_ms = now_ms;
		link->lines = 0;
	}
	if (++link->lines > LINES_MAX)
		return false;
	*oldest = (struct link_refusal){ hash, now_ms };
	return true;
}

void link_refused(struct link *link, const struct link_conn *conn, const char *reason)
{
	const char *subject = conn->tls ? tls_subject(conn->tls) : "";
	char text[512], whom[ADDRESS_SIZE + 8];

	snprintf(whom, sizeof(whom), "%s %s", conn->caller ? "from" : "to", conn->address);
	if (!worth_a_line(link, whom, reason))
		return;
	snprintf(text, sizeof(text), "link %s refused: %s%s%s%s", whom, reason,
		 *subject ? " (" : "", subject, *subject ? ")" : "");
	say(link, LOG_LEVEL_WARNING, text);
}

// ---- peers ----

bool link_tls_wanted(const struct link *link)
{
	const struct cluster *cluster = link->options.cluster(link->options.owner);

	return !cluster || !cluster->def.migration.plain;
}

static struct link_peer *peer_of(struct link *link, uint32_t id)
{
	struct link_peer *peer = NULL;

	for (int i = 0; i < NODES_MAX; i++) {
		if (link->peers[i].used && link->peers[i].id == id)
			return &link->peers[i];
		if (!peer && !link->peers[i].used)
			peer = &link->peers[i];
	}
	if (peer)
		*peer = (struct link_peer){ .used = true, .id = id, .link = link };
	return peer;
}

// Nobody waits for it, so its place may be another's.
static void peer_done(struct link_peer *peer)
{
	if (peer->check_count == 0 && peer->word_count == 0 && !peer->dialling) {
		loop_timer_cancel(&peer->limit);
		peer->used = false;
	}
}

// A check wants one that was dialled: that is the way that the VM's memory will go.
static struct link_conn *conn_ready(const struct link *link, uint32_t id, bool dialled)
{
	struct link_conn *found = NULL;

	for (struct link_conn *conn = link->conns; conn; conn = conn->next)
		if (!conn->dead && conn->ready && conn->peer == id) {
			if (!conn->caller)
				return conn;
			found = dialled ? NULL : conn;
		}
	return found;
}

static void peer_failed(struct link *link, struct link_peer *peer, const char *reason)
{
	peer->word_count = 0;
	checks_answer(link, peer, NULL, reason);
	peer_done(peer);
}

static void reason_add(struct link_peer *peer, const char *address, const char *reason)
{
	size_t used = strlen(peer->reason);

	snprintf(peer->reason + used, sizeof(peer->reason) - used, "%s%s: %s", used ? "; " : "",
		 address, reason);
}

static bool own_address(const struct link *link, const char *address)
{
	for (int i = 0; i < LINK_LISTENERS_MAX; i++)
		if (strcmp(link->listeners[i].address, address) == 0)
			return true;
	return false;
}

static void peer_dial_next(struct link *link, struct link_peer *peer)
{
	while (peer->address_at < peer->address_count) {
		const char *address = peer->addresses[peer->address_at++];
		int error;

		// Bridges of containers have the same one on every host.
		if (own_address(link, address)) {
			reason_add(peer, address, "this node has that address itself");
			continue;
		}
		error = link_conn_dial(link, peer->id, address, &peer->dialling);
		if (error == 0)
			return;
		reason_add(peer, address, strerror(-error));
	}
	peer_failed(link, peer, peer->reason);
}

static const struct cluster_node *node_find(const struct link *link, uint32_t id)
{
	const struct cluster *cluster = link->options.cluster(link->options.owner);

	for (int i = 0; cluster && i < NODES_MAX; i++)
		if (cluster->nodes[i].used && cluster->nodes[i].def.id == id)
			return &cluster->nodes[i];
	return NULL;
}

static void peer_dial(struct link *link, struct link_peer *peer)
{
	const struct cluster_node *node = node_find(link, peer->id);
	char reason[REASON_SIZE];

	if (peer->dialling)
		return;
	peer->reason[0] = 0;
	peer->address_count = peer->address_at = 0;
	if (!node || link->options.self(link->options.owner) == 0) {
		snprintf(reason, sizeof(reason),
			 node ? "this node does not know itself yet" : "node %u is not defined",
			 peer->id);
		peer_failed(link, peer, reason);
		return;
	}
	if (link_tls_wanted(link) && !link->context) {
		snprintf(reason, sizeof(reason), "no certificates on this node: %.150s",
			 link->problem.reason);
		peer_failed(link, peer, reason);
		return;
	}
	for (int last = 0; last < 2; last++)
		for (int i = 0; i < MIGRATION_NETWORKS_MAX; i++) {
			const char *address = node->report.addresses[i];

			if (address[0] && (strcmp(address, peer->avoid) == 0) == last)
				strcpy(peer->addresses[peer->address_count++], address);
		}
	if (peer->address_count == 0) {
		snprintf(reason, sizeof(reason),
			 "%s has told of no address in the migration networks", node->def.name);
		peer_failed(link, peer, reason);
		return;
	}
	peer_dial_next(link, peer);
}

static void peer_late(void *owner)
{
	struct link_peer *peer = owner;
	struct link *link = peer->link;
	struct link_conn *conn = conn_ready(link, peer->id, true);

	link_enter(link);
	// A link that does not answer is none.
	if (conn)
		link_conn_close(conn);
	if (peer->pinged) {
		peer->pinged = false;
		loop_timer_ms(link->edge.loop, &peer->limit, LINK_CHECK_MS, peer_late, peer);
		peer_dial(link, peer);
		link_leave(link);
		return;
	}
	reason_add(peer, "all", "no answer in time");
	if (peer->dialling)
		link_conn_close(peer->dialling);
	peer->dialling = NULL;
	peer_failed(link, peer, peer->reason);
	link_leave(link);
}

// ---- what connections say ----

static void callers_limit(struct link *link, const struct link_conn *newest)
{
	struct link_conn *oldest = NULL;
	uint32_t count = 0;

	// The list has the newest first.
	for (struct link_conn *conn = link->conns; conn; conn = conn->next)
		if (!conn->dead && conn->ready && conn->caller && conn->peer == newest->peer) {
			count++;
			oldest = conn;
		}
	if (count > LINK_CALLERS_MAX && oldest != newest)
		link_conn_close(oldest);
}

void link_conn_ready(struct link *link, struct link_conn *conn)
{
	struct link_peer *peer;

	if (conn->caller) {
		callers_limit(link, conn);
		return;
	}
	peer = peer_of(link, conn->peer);
	if (!peer)
		return;
	peer->dialling = NULL;
	// Words first: somebody's guest may stand still for one.
	for (uint32_t i = 0; i < peer->word_count; i++)
		if (!link_conn_say(conn, LINK_WORD, peer->words[i].word, peer->words[i].move))
			return;
	peer->word_count = 0;
	checks_answer(link, peer, conn->address, "");
	peer_done(peer);
}

void link_conn_pong(struct link *link, struct link_conn *conn)
{
	struct link_peer *peer;

	if (conn->caller)
		return;
	peer = peer_of(link, conn->peer);
	if (!peer)
		return;
	checks_answer(link, peer, conn->address, "");
	peer_done(peer);
}

void link_conn_gone(struct link *link, struct link_conn *conn, const char *reason)
{
	struct link_peer *peer;

	if (conn->caller)
		return;
	peer = peer_of(link, conn->peer);
	if (!peer)
		return;
	if (peer->dialling == conn) {
		peer->dialling = NULL;
		reason_add(peer, conn->address, reason);
		peer_dial_next(link, peer);
	} else if (peer->check_count > 0 || peer->word_count > 0) {
		peer_dial(link, peer); // it was asked whether it is there, and is not
	} else {
		peer_done(peer);
	}
}

// ---- actions ----

// The best of its networks first, or any but the one that memory did not get through.
static bool good_way(const struct link *link, const struct link_conn *conn, const char *avoid)
{
	const struct cluster_node *node = node_find(link, conn->peer);

	if (*avoid)
		return strcmp(conn->address, avoid) != 0;
	return !node || strcmp(conn->address, node->report.addresses[0]) == 0;
}

static void link_check(struct link *link, uint32_t id, uint64_t cookie, const char *avoid)
{
	struct link_peer *peer = peer_of(link, id), none = { .id = id };
	struct link_conn *conn = conn_ready(link, id, true);

	if (!peer || peer->check_count == LINK_CHECKS_MAX) {
		check_answer(link, &none, cookie, NULL, "too many checks are under way");
		return;
	}
	if (conn && !good_way(link, conn, avoid))
		conn = NULL;
	snprintf(peer->avoid, sizeof(peer->avoid), "%s", avoid);
	peer->checks[peer->check_count++] = cookie;
	if (peer->check_count == 1) {
		peer->pinged = conn != NULL;
		loop_timer_ms(link->edge.loop, &peer->limit,
			      conn ? link->options.dial_ms : LINK_CHECK_MS, peer_late, peer);
	}
	// A ping that fails at once has told so, and the peer is being dialled.
	if (conn)
		link_conn_say(conn, LINK_PING, 0, ++conn->pings);
	else
		peer_dial(link, peer);
}

static void move_tell(struct link *link, uint32_t id, uint32_t move, uint8_t word)
{
	struct link_conn *conn = conn_ready(link, id, false);
	struct link_peer *peer;

	if (conn && link_conn_say(conn, LINK_WORD, word, move))
		return;
	peer = peer_of(link, id);
	if (!peer)
		return;
	// Said again and again while nobody answers: once is enough.
	for (uint32_t i = 0; i < peer->word_count; i++)
		if (peer->words[i].move == move && peer->words[i].word == word)
			return;
	if (peer->word_count < LINK_WORDS_MAX)
		peer->words[peer->word_count++] = (struct link_word){ move, word };
	peer_dial(link, peer);
}

// Lost where there is no link yet; but then one is made, for the next time.
static void synced_tell(struct link *link, const struct action *action)
{
	const struct cluster *cluster = link->options.cluster(link->options.owner);
	const struct link_synced synced = { action->view, action->token, action->index };
	const struct cluster_node *node = node_find(link, action->node_id);
	struct link_conn *conn = conn_ready(link, action->node_id, false);
	uint64_t now_ms, *dialled_ms;
	struct link_peer *peer;

	if (!node || !link_tls_wanted(link) || (conn && link_conn_say_synced(conn, &synced)))
		return;
	now_ms = link_now_ms();
	dialled_ms = &link->synced_ms[node - cluster->nodes];
	if (*dialled_ms != 0 && now_ms - *dialled_ms < SPREAD_MS)
		return;
	*dialled_ms = now_ms;
	peer = peer_of(link, action->node_id);
	if (peer)
		peer_dial(link, peer);
}

bool link_perform(struct link *link, const struct action *action)
{
	if (action->type != ACTION_LINK_CHECK && action->type != ACTION_MOVE_TELL &&
	    action->type != ACTION_SYNCED_TELL)
		return false;
	link_enter(link);
	if (action->type == ACTION_LINK_CHECK)
		link_check(link, action->node_id, action->cookie, action->text ? action->text : "");
	else if (action->type == ACTION_MOVE_TELL)
		move_tell(link, action->node_id, action->move, action->word);
	else
		synced_tell(link, action);
	link_leave(link);
	return true;
}

// ---- how far a move is ----

void link_progress(struct link *link, uint32_t move, const struct migrate_stats *stats)
{
	const struct cluster *cluster = link->options.cluster(link->options.owner);
	uint64_t now_ms = link_now_ms();
	bool dial = now_ms - link->spread_ms >= SPREAD_MS;

	link_enter(link);
	if (dial)
		link->spread_ms = now_ms;
	for (int i = 0; cluster && i < NODES_MAX; i++) {
		const struct cluster_node *node = &cluster->nodes[i];
		struct link_conn *conn;
		struct link_peer *peer;

		if (!node->used || !node->reported || node->life != NODE_ONLINE ||
		    node->def.id == link->options.self(link->options.owner))
			continue;
		conn = conn_ready(link, node->def.id, false);
		if (conn)
			link_conn_say_stats(conn, move, stats);
		peer = conn || !dial ? NULL : peer_of(link, node->def.id);
		if (peer)
			peer_dial(link, peer);
	}
	link_leave(link);
}

// ---- listening ----

static bool strangers_many(const struct link *link)
{
	uint32_t count = 0;

	for (const struct link_conn *conn = link->conns; conn; conn = conn->next)
		count += !conn->dead && conn->caller && !conn->ready;
	return count >= LINK_STRANGERS_MAX;
}

static void listener_ready(void *owner, int fd, uint32_t events)
{
	struct link_listener *listener = owner;
	struct link *link = listener->link;
	struct sockaddr_storage from;
	socklen_t size = sizeof(from);
	char address[ADDRESS_SIZE] = "?";
	int caller;

	(void)events;
	link_enter(link);
	caller = accept4(fd, (struct sockaddr *)&from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (caller >= 0 && strangers_many(link)) {
		close(caller);
	} else if (caller >= 0) {
		if (from.ss_family == AF_INET)
			inet_ntop(AF_INET, &((struct sockaddr_in *)&from)->sin_addr, address,
				  sizeof(address));
		else
			inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&from)->sin6_addr, address,
				  sizeof(address));
		link_conn_accept(link, caller, address);
	}
	link_leave(link);
}

static int listener_socket(const struct link *link, const char *address)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(link->options.port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(link->options.port) };
	bool four = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
	int fd, one = 1, error;

	if (!four && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1)
		return -EINVAL;
	fd = socket(four ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if ((four ? bind(fd, (struct sockaddr *)&v4, sizeof(v4))
		  : bind(fd, (struct sockaddr *)&v6, sizeof(v6))) == 0 &&
	    listen(fd, LINK_STRANGERS_MAX) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

static void listener_open(struct link *link, const char *address)
{
	struct link_listener *listener = NULL;
	char text[256];
	int fd, error;

	for (int i = 0; i < LINK_LISTENERS_MAX; i++) {
		if (link->listeners[i].address[0] == 0)
			listener = &link->listeners[i];
		else if (strcmp(link->listeners[i].address, address) == 0)
			return;
	}
	if (!listener)
		return;
	fd = error = listener_socket(link, address);
	if (fd >= 0) {
		*listener = (struct link_listener){ .link = link, .fd = fd };
		error = loop_add_fd(link->edge.loop, fd, POLLIN, listener_ready, listener);
		if (error)
			close(fd);
	}
	if (error < 0) {
		snprintf(text, sizeof(text), "%s port %u: nobody can link to this node there: %s",
			 address, link->options.port, strerror(-error));
		if (worth_a_line(link, address, text))
			say(link, LOG_LEVEL_WARNING, text);
		return;
	}
	snprintf(listener->address, sizeof(listener->address), "%s", address);
}

static void listener_close(struct link *link, struct link_listener *listener)
{
	if (!listener->address[0])
		return;
	loop_del_fd(link->edge.loop, listener->fd);
	close(listener->fd);
	listener->address[0] = 0;
}

void link_addresses(struct link *link, const char (*addresses)[ADDRESS_SIZE], uint32_t count)
{
	for (int i = 0; i < LINK_LISTENERS_MAX; i++) {
		bool wanted = false;

		for (uint32_t j = 0; j < count; j++)
			wanted |= strcmp(link->listeners[i].address, addresses[j]) == 0;
		if (!wanted)
			listener_close(link, &link->listeners[i]);
	}
	for (uint32_t j = 0; j < count; j++)
		if (addresses[j][0])
			listener_open(link, addresses[j]);
}

// ---- life ----

int link_open(struct link **result, const struct link_options *options)
{
	struct link *link = calloc(1, sizeof(*link));
	int error;

	*result = NULL;
	if (!link)
		return -ENOMEM;
	link->options = *options;
	link->edge = options->edge;
	link->last = &link->first;
	if (link->options.port == 0)
		link->options.port = LINK_PORT;
	if (link->options.dial_ms == 0)
		link->options.dial_ms = LINK_DIAL_MS;
	if (link->options.hello_ms == 0)
		link->options.hello_ms = LINK_HELLO_MS;
	if (link->options.look_ms == 0)
		link->options.look_ms = LINK_LOOK_MS;
	snprintf(link->folder, sizeof(link->folder), "%s", options->folder);
	snprintf(link->problem.reason, sizeof(link->problem.reason), "they are not read yet");
	error = link_certs_open(link);
	if (error)
		link_close(link);
	else
		*result = link;
	return error;
}

void link_close(struct link *link)
{
	if (!link)
		return;
	link_certs_close(link);
	for (int i = 0; i < LINK_LISTENERS_MAX; i++)
		listener_close(link, &link->listeners[i]);
	for (struct link_conn *conn = link->conns; conn; conn = conn->next)
		link_conn_close(conn);
	dead_free(link);
	for (int i = 0; i < NODES_MAX; i++)
		loop_timer_cancel(&link->peers[i].limit);
	while (link->first) {
		struct link_event *next = link->first;

		link->first = next->next;
		free(next);
	}
	tls_context_close(link->context);
	free(link);
}

bool link_certificates(const struct link *link, struct cert_folder *found,
		       struct cert_problem *problem)
{
	const struct cluster_node *self = node_find(link, link->options.self(link->options.owner));

	*found = link->found;
	*problem = link->problem;
	if (link->certs_good && self && strcmp(self->def.name, found->node.name) != 0) {
		snprintf(problem->code, sizeof(problem->code), "wrong-name");
		snprintf(problem->reason, sizeof(problem->reason),
			 "the certificates are of \"%s\", and this node is defined as %s",
			 found->node.name, self->def.name);
		snprintf(problem->fix, sizeof(problem->fix), "clustadm cert init --node %s",
			 self->def.name);
		return false;
	}
	return link->certs_good;
}
