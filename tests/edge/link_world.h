// SPDX-License-Identifier: Apache-2.0
// Two daemons' links on the loopback, for tests: n1 at 127.0.0.1, n2 at 127.0.0.2; n3 is defined
// and away.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/types.h>

#include "clusterd/loop_io.h"
#include "migration/cert_io.h"
#include "migration/link_io.h"

enum {
	SIDES = 2,
	EVENTS_MAX = 4096,
	LINES_MAX = 64,
	DIAL_MS = 1000,
	HELLO_MS = 1500,
	LOOK_MS = 50
};

struct heard {
	uint8_t type, word;
	bool flag;
	uint32_t node_id, move;
	uint64_t cookie, view, token, index;
	char reason[REASON_SIZE];
};

struct side {
	struct world *world;
	struct link *link;
	struct cluster *cluster;
	uint32_t self;
	char folder[96];
	struct heard *events;
	uint32_t event_count;
	char lines[LINES_MAX][512];
	uint32_t line_count;
	uint32_t progress_of, progress_count; // the move, and how often it was told of
	struct migrate_stats progress;
	uint32_t echoes; // answers so many words with the next one
};

struct world {
	struct loop *loop;
	char root[64];
	uint16_t port;
	struct side sides[SIDES];
	struct loop_timer tick;
	uint64_t until_ms;
	bool (*done)(struct world *w);
	bool was_done;
	pid_t child;
	int child_status;
	uint32_t wanted;    // events
	const char *words;  // in a line
	uint32_t looked_at; // whose certificates and lines
	const char *code;   // of the certificates; "": good
	int64_t ends_s;	    // and when they did end before
};

uint64_t world_now_ms(void);
void link_tell(struct side *side, uint32_t node_id, uint32_t move, uint8_t word);
void certs_make(struct world *w, const char *as, const char *name, const char *authority,
		int64_t at_s, uint32_t days);
void side_open(struct world *w, uint32_t index);
void side_close(struct world *w, uint32_t index);
bool world_run(struct world *w, bool (*done)(struct world *w), uint32_t ms);
bool certs_read(struct world *w);
void world_begin(struct world *w);
void world_start(struct world *w);
void world_open(struct world *w);
void world_close(struct world *w);
bool first_has_events(struct world *w);
bool second_has_events(struct world *w);
bool child_gone(struct world *w);
// Until those of this side are others than they were at ends_s, good or with this code.
void certs_noticed(struct world *w, uint32_t index, const char *code);
bool never_done(struct world *w);
const struct heard *link_checked(struct world *w, uint32_t node_id);
void check_good(struct world *w, const char *address);
void check_bad(struct world *w, const char *words);
// The log of this side says so, in a moment.
void line_says(struct world *w, uint32_t index, const char *words);
