// SPDX-License-Identifier: Apache-2.0
// Between the files of the link: peers (link_io.c) and connections (link_conn_io.c).
#pragma once

#include "clusterd/loop_io.h"
#include "clusterd/worker_io.h"
#include "migration/cert_io.h"
#include "migration/link_frame.h"
#include "migration/link_io.h"
#include "migration/tls_io.h"

enum {
	LINK_DIAL_MS = 2000,  // one address: connecting, TLS and hello
	LINK_CHECK_MS = 8000, // all of them, and a link that is there
	LINK_HELLO_MS = 5000, // somebody who called, until it has said who it is
	LINK_LOOK_MS = 2000,
	LINK_PING_MS = 5000,
	LINK_SILENT_MS = 15000,	 // nothing heard for so long: it is dead
	LINK_STRANGERS_MAX = 64, // callers that have not said yet who they are
	LINK_CALLERS_MAX = 2,	 // links of one node to this one: the older one goes
	LINK_OUT_MAX = 16 * 1024,
	LINK_FRAMES_MAX = 256, // of one peer in one go: more than any has to say
	LINK_CHECKS_MAX = 16,  // of one peer, not answered yet
	LINK_WORDS_MAX = 16,   // for one peer, that wait for its link
	LINK_LISTENERS_MAX = 16,
	LINK_REFUSALS = 64,
};

struct link_conn {
	struct link *link;
	struct link_conn *next;
	int fd;
	bool caller;	 // it called; else it was dialled
	bool connecting; // TCP is not there yet
	bool ready;	 // its hello has come, and who it is was proven
	bool dead;	 // freed when nothing looks at it any more
	bool watching_out;
	struct tls *tls; // NULL: plain
	uint32_t peer;	 // dialled: who is meant; ready: who it is
	char address[ADDRESS_SIZE];
	uint8_t in[LINK_STATS_SIZE];
	uint32_t in_used;
	uint8_t *out;
	uint32_t out_used;
	struct loop_timer timer;
	uint64_t heard_ms;
	uint32_t pings, pongs; // sent, and the last one that came back
};

struct link_word {
	uint32_t move;
	uint8_t word;
};

// A node that somebody wants to talk to.
struct link_peer {
	bool used;
	uint32_t id;
	struct link_conn *dialling; // NULL: nobody is being dialled
	char addresses[MIGRATION_NETWORKS_MAX][ADDRESS_SIZE];
	uint32_t address_count, address_at;
	char avoid[ADDRESS_SIZE]; // dialled last
	uint64_t checks[LINK_CHECKS_MAX];
	uint32_t check_count;
	struct link_word words[LINK_WORDS_MAX];
	uint32_t word_count;
	struct loop_timer limit; // of the checks
	bool pinged;		 // a link that is there has been asked first
	struct link *link;
	char reason[REASON_SIZE]; // why the addresses so far failed
};

struct link_listener {
	struct link *link;
	int fd;
	char address[ADDRESS_SIZE];
};

// An event that is posted once nothing of the link is on the stack.
struct link_event {
	struct link_event *next;
	struct event event;
	char reason[REASON_SIZE];
};

struct link_refusal {
	uint64_t hash, at_ms;
};

struct link {
	struct link_options options;
	struct edge edge;
	char folder[PATH_SIZE];
	uint32_t depth; // of entries into the link: see link_leave()
	struct link_conn *conns;
	struct link_peer peers[NODES_MAX];
	struct link_listener listeners[LINK_LISTENERS_MAX];
	struct link_event *first, **last;
	struct link_refusal refusals[LINK_REFUSALS];
	uint64_t lines_from_ms;
	uint32_t lines;
	uint64_t spread_ms; // nodes without a link were last dialled for their people
	uint64_t synced_ms[NODES_MAX]; // by the node's slot: for what is durable here
	struct worker *worker;
	struct loop_timer certs_timer;
	struct link_certs *certs;    // see link_certs_io.c
	struct tls_context *context; // NULL: no certificates that can be used
	struct cert_folder found;
	struct cert_problem problem;
	bool certs_good, certs_reading; // reading: a thread is at it
};

uint64_t link_now_ms(void);
// Every way in from the loop or the shell is between these two. Leaving posts what has happened and
// frees what is dead.
void link_enter(struct link *link);
void link_leave(struct link *link);

bool link_tls_wanted(const struct link *link);
// Why a peer was refused, once in an hour for the same address and reason.
void link_refused(struct link *link, const struct link_conn *conn, const char *reason);
void link_post_word(struct link *link, uint32_t from, uint32_t move, uint8_t word);
void link_post_synced(struct link *link, uint32_t from, const struct link_synced *synced);

// Connections tell their peer's side.
void link_conn_ready(struct link *link, struct link_conn *conn);
void link_conn_pong(struct link *link, struct link_conn *conn);
void link_conn_gone(struct link *link, struct link_conn *conn, const char *reason);

// -errno, or 0; the outcome comes through the three above.
int link_conn_dial(struct link *link, uint32_t peer, const char *address, struct link_conn **out);
void link_conn_accept(struct link *link, int fd, const char *address);
bool link_conn_say(struct link_conn *conn, enum link_frame_type type, uint8_t word, uint32_t value);
void link_conn_say_stats(struct link_conn *conn, uint32_t move, const struct migrate_stats *stats);
bool link_conn_say_synced(struct link_conn *conn, const struct link_synced *synced);
void link_conn_close(struct link_conn *conn);
void link_conn_free(struct link_conn *conn);

int link_certs_open(struct link *link);
void link_certs_close(struct link *link);
