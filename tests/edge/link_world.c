// SPDX-License-Identifier: Apache-2.0
#include "tests/edge/link_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clusterd/exec_io.h"
#include "migration/link_internal_io.h"

uint64_t world_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static const struct cluster *side_cluster(void *owner)
{
	return ((struct side *)owner)->cluster;
}

static uint32_t side_self(void *owner)
{
	return ((struct side *)owner)->self;
}

void link_tell(struct side *side, uint32_t node_id, uint32_t move, uint8_t word)
{
	struct action action = {
		.type = ACTION_MOVE_TELL, .node_id = node_id, .move = move, .word = word
	};

	assert_true(link_perform(side->link, &action));
}

static void side_post(void *owner, const struct event *event)
{
	struct side *side = owner;
	struct heard *heard = &side->events[side->event_count++];

	assert_true(side->event_count < EVENTS_MAX);
	*heard = (struct heard){ .type = event->type,
				 .view = event->view,
				 .token = event->token,
				 .index = event->index,
				 .word = event->word,
				 .flag = event->flag,
				 .node_id = event->type == EVENT_SYNCED_HEARD ? event->from_id
									      : event->node_id,
				 .move = event->move,
				 .cookie = event->cookie };
	snprintf(heard->reason, sizeof(heard->reason), "%s", event->reason ? event->reason : "");
	if (side->echoes > 0 && event->type == EVENT_MOVE_WORD) {
		side->echoes--;
		link_tell(side, event->node_id, event->move + 1, event->word);
	}
}

static void side_log(void *owner, enum log_level level, const char *text)
{
	struct side *side = owner;

	assert_true(level != LOG_LEVEL_ERROR);
	assert_true(side->line_count < LINES_MAX);
	snprintf(side->lines[side->line_count++], sizeof(side->lines[0]), "%s", text);
}

static void side_progress(void *owner, uint32_t from, uint32_t move,
			  const struct migrate_stats *stats)
{
	struct side *side = owner;

	assert_int_equal(from, 3 - side->self);
	side->progress_of = move;
	side->progress = *stats;
	side->progress_count++;
}

// ---- the world ----

static void cluster_fill(struct cluster *cluster)
{
	strcpy(cluster->def.name, "lab");
	for (uint32_t i = 0; i < 3; i++) {
		struct cluster_node *node = &cluster->nodes[i];

		node->used = true;
		node->def.id = i + 1;
		snprintf(node->def.name, sizeof(node->def.name), "n%u", i + 1);
		snprintf(node->report.addresses[0], ADDRESS_SIZE, "127.0.0.%u", i + 1);
	}
}

void certs_make(struct world *w, const char *as, const char *name, const char *authority,
		int64_t at_s, uint32_t days)
{
	char folder[96], ca[160], pem[8192] = "";
	struct cert_problem problem;
	size_t size = 0;
	FILE *file;

	snprintf(folder, sizeof(folder), "%s/%s", w->root, as);
	snprintf(ca, sizeof(ca), "%s/%s/cluster-ca.pem", w->root, authority);
	file = fopen(ca, "re");
	if (file) {
		size = fread(pem, 1, sizeof(pem), file);
		fclose(file);
		assert_true(cert_authority_take(folder, pem, size, true, at_s, &problem));
	} else {
		assert_true(cert_authority_make(folder, "lab", at_s, CERT_CA_DAYS, true, &problem));
	}
	assert_true(cert_node_make(folder, name, at_s, days, false, &problem));
}

void side_open(struct world *w, uint32_t index)
{
	struct side *side = &w->sides[index];
	struct link_options options = {
		.edge = { .loop = w->loop, .post = side_post, .owner = side },
		.folder = side->folder,
		.port = w->port,
		.dial_ms = DIAL_MS,
		.hello_ms = HELLO_MS,
		.look_ms = LOOK_MS,
		.cluster = side_cluster,
		.self = side_self,
		.progress = side_progress,
		.log = side_log,
		.owner = side,
	};
	char address[1][ADDRESS_SIZE];

	side->world = w;
	side->self = index + 1;
	assert_int_equal(link_open(&side->link, &options), 0);
	snprintf(address[0], sizeof(address[0]), "127.0.0.%u", index + 1);
	link_addresses(side->link, (const char(*)[ADDRESS_SIZE])address, 1);
}

static void world_tick(void *owner)
{
	struct world *w = owner;

	if (w->child > 0 && waitpid(w->child, &w->child_status, WNOHANG) == w->child)
		w->child = 0;
	w->was_done = w->done(w);
	if (w->was_done || world_now_ms() > w->until_ms)
		loop_stop(w->loop);
	else
		loop_timer_ms(w->loop, &w->tick, 1, world_tick, w);
}

bool world_run(struct world *w, bool (*done)(struct world *w), uint32_t ms)
{
	w->done = done;
	w->until_ms = world_now_ms() + ms;
	loop_timer_ms(w->loop, &w->tick, 0, world_tick, w);
	loop_run(w->loop);
	return w->was_done;
}

bool certs_read(struct world *w)
{
	struct cert_folder found;
	struct cert_problem problem;

	for (uint32_t i = 0; i < SIDES; i++)
		if (!link_certificates(w->sides[i].link, &found, &problem) &&
		    strcmp(problem.reason, "they are not read yet") == 0)
			return false;
	return true;
}

static struct world *left_open; // by a test that failed

void world_begin(struct world *w)
{
	if (left_open)
		world_close(left_open);
	left_open = w;
	memset(w, 0, sizeof(*w));
	strcpy(w->root, "/tmp/test-link-XXXXXX");
	assert_non_null(mkdtemp(w->root));
	w->port = (uint16_t)(20000 + getpid() % 20000);
	assert_int_equal(loop_open(&w->loop), 0);
	for (uint32_t i = 0; i < SIDES; i++) {
		struct side *side = &w->sides[i];

		side->cluster = calloc(1, sizeof(*side->cluster));
		side->events = calloc(EVENTS_MAX, sizeof(*side->events));
		cluster_fill(side->cluster);
		snprintf(side->folder, sizeof(side->folder), "%s/n%u", w->root, i + 1);
	}
}

void world_start(struct world *w)
{
	for (uint32_t i = 0; i < SIDES; i++)
		side_open(w, i);
	assert_true(world_run(w, certs_read, 5000));
}

void world_open(struct world *w)
{
	world_begin(w);
	certs_make(w, "n1", "n1", "none", time(NULL), 100);
	certs_make(w, "n2", "n2", "n1", time(NULL), 100);
	world_start(w);
}

static bool nobody_reads(struct world *w)
{
	for (uint32_t i = 0; i < SIDES; i++)
		if (w->sides[i].link && w->sides[i].link->certs_reading)
			return false;
	return true;
}

// What a thread still has in its hands would be left to it.
void side_close(struct world *w, uint32_t index)
{
	world_run(w, nobody_reads, 5000);
	link_close(w->sides[index].link);
	w->sides[index].link = NULL;
}

void world_close(struct world *w)
{
	const char *const argv[] = { "rm", "-rf", w->root, NULL };
	char output[64];

	left_open = NULL;
	loop_timer_cancel(&w->tick);
	for (uint32_t i = 0; i < SIDES; i++) {
		side_close(w, i);
		free(w->sides[i].cluster);
		free(w->sides[i].events);
	}
	loop_close(w->loop);
	assert_int_equal(exec_run(argv, output, sizeof(output), 5000), 0);
}

// ---- what is done and waited for ----

bool first_has_events(struct world *w)
{
	return w->sides[0].event_count >= w->wanted;
}

bool second_has_events(struct world *w)
{
	return w->sides[1].event_count >= w->wanted;
}

static bool has_line(struct world *w)
{
	const struct side *side = &w->sides[w->looked_at];

	for (uint32_t i = 0; i < side->line_count; i++)
		if (strstr(side->lines[i], w->words))
			return true;
	return false;
}

static bool certs_as_wanted(struct world *w)
{
	struct cert_folder found;
	struct cert_problem problem;
	bool good = link_certificates(w->sides[w->looked_at].link, &found, &problem);

	if (good)
		return !*w->code && found.expires_s != w->ends_s;
	return strcmp(problem.code, w->code) == 0;
}

void certs_noticed(struct world *w, uint32_t index, const char *code)
{
	w->looked_at = index;
	w->code = code;
	if (!world_run(w, certs_as_wanted, 10000))
		fail_msg("the certificates are not noticed to be \"%s\"", code);
}

bool child_gone(struct world *w)
{
	return w->child == 0;
}

bool never_done(struct world *w)
{
	(void)w;
	return false;
}

// n1 checks n2; what comes of it.
const struct heard *link_checked(struct world *w, uint32_t node_id)
{
	static uint64_t cookie = 7000;
	struct side *side = &w->sides[0];
	struct action action = { .type = ACTION_LINK_CHECK,
				 .node_id = node_id,
				 .cookie = ++cookie };

	w->wanted = side->event_count + 1;
	assert_true(link_perform(side->link, &action));
	assert_true(world_run(w, first_has_events, 12000));
	assert_int_equal(side->events[side->event_count - 1].type, EVENT_LINK_CHECKED);
	assert_int_equal(side->events[side->event_count - 1].node_id, node_id);
	assert_true(side->events[side->event_count - 1].cookie == cookie);
	return &side->events[side->event_count - 1];
}

void check_good(struct world *w, const char *address)
{
	const struct heard *heard = link_checked(w, 2);

	if (!heard->flag)
		fail_msg("%s", heard->reason);
	assert_string_equal(heard->reason, address);
}

void check_bad(struct world *w, const char *words)
{
	const struct heard *heard = link_checked(w, 2);

	assert_false(heard->flag);
	if (!strstr(heard->reason, words))
		fail_msg("\"%s\" does not say \"%s\"", heard->reason, words);
}

void line_says(struct world *w, uint32_t index, const char *words)
{
	const struct side *side = &w->sides[index];

	w->words = words;
	w->looked_at = index;
	if (!world_run(w, has_line, 5000))
		fail_msg("no line says \"%s\"; the last of %u: %s", words, side->line_count,
			 side->line_count ? side->lines[side->line_count - 1] : "");
}
