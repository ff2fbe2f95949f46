// SPDX-License-Identifier: Apache-2.0
// A small world for views: up to five nodes, an ordered group that splits and merges, stores that
// lose what was not synced. Everything is drawn from one seed.
#pragma once

#include "quorum/view_internal.h"

enum {
	WORLD_NODES = 5,
	WORLD_VMS = 1500,
	WORLD_ITEMS = 60000,
	WORLD_INDEXES = 20000,
	WORLD_OPS = 4096,
	WORLD_OUT = 4096,
	WORLD_CONFIGS = 4096,
	WORLD_WORDS = 64,
};

struct blob {
	uint8_t *bytes;
	size_t size;
};

struct op {
	uint8_t type;		// ACTION_STORE_*; ACTION_TYPE_COUNT: load
	bool flag;
	uint64_t index, view, token;
	struct blob body;
};

struct disk_entry {
	uint64_t view;
	struct blob body;
};

struct disk {
	uint64_t id, incarnation, promised, hint;
	bool copy;
	uint64_t snapshot_index, snapshot_view, last;
	struct blob snapshot;
	struct disk_entry entries[WORLD_INDEXES];	// by index
};

struct world_node {
	uint32_t id, pid;
	bool up, joined;
	int component;
	uint32_t cursor;	// next item of the component
	struct disk disk;
	struct op ops[WORLD_OPS];
	uint32_t op_first, op_count;
	struct blob out[WORLD_OUT];
	uint32_t out_first, out_count;
	struct cluster cluster;
	void *cluster_bytes, *view_bytes;
	struct view *view;
	uint64_t deadline_ms;
	uint32_t next_cookie;
	uint64_t reloads, acked;
	bool rejoin;
	bool doomed_replica;	// its replica is spoiled on purpose
};

struct item {
	bool config;
	uint32_t from, pid;
	struct blob body;
	uint64_t ring;
	uint32_t members;	// mask of nodes
};

struct component {
	struct item *items;
	uint32_t count;
	uint32_t members;	// mask of nodes joined
	uint64_t ring;
};

// Over a link: may be heard late, twice, or never, whatever the group does meanwhile.
struct link_word {
	uint32_t to, pid; // place and process
	bool late;
	struct event event;
};

struct commit_fact {
	uint64_t view, hash;
	bool known;
};

struct world {
	uint64_t seed, random, now_ms, next_store, next_ring;
	uint32_t count, voters_lossless;
	struct world_node nodes[WORLD_NODES];
	struct component components[WORLD_NODES];
	struct commit_fact committed[WORLD_INDEXES];
	uint64_t committed_max;
	uint32_t coordinator_of[WORLD_INDEXES];	// by view number
	struct { uint64_t view, hash; } written[WORLD_INDEXES][8];
	struct { uint32_t origin; uint64_t cookie; } cookies[WORLD_INDEXES];
	uint32_t cookie_count;
	struct link_word words[WORLD_WORDS];
	uint32_t word_count;
	uint64_t words_told, words_late; // late: heard in another view than they were told in
	struct actions actions;
	uint64_t views, commits, resets, replies;
	bool reply_accepted;
	char reply_reason[REASON_SIZE];
	bool loss_allowed;	// recovery with loss: what was committed may be gone
	bool quiet;		// no own proposals of ENTRY_VOTERS
	uint32_t slow;		// mask of nodes with a slow disk
	const char *failed;
};

struct world *world_new(uint32_t nodes);
void world_free(struct world *w);
void world_start(struct world *w, uint64_t seed);
uint64_t world_random(struct world *w, uint64_t below);
void world_boot(struct world *w, uint32_t n, bool lose_store);
void world_crash(struct world *w, uint32_t n);
void world_split(struct world *w, const int *part);	// part[n]: component of each node
bool world_progress(struct world *w); // one random thing that can happen; false: nothing can
void world_step(struct world *w, uint32_t n, const struct event *event);
void world_perform(struct world *w, uint32_t n);	// the actions of the last step
void world_voters_look(struct world *w, uint32_t n);
void world_voters_propose(struct world *w, uint32_t n, const struct voters *voters);
void world_fail(struct world *w, const char *what);

// view_words.c
void world_word_told(struct world *w, uint32_t n, const struct action *action);
bool world_word_hear(struct world *w); // one of those that are under way, perhaps
