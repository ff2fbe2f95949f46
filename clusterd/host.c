// SPDX-License-Identifier: Apache-2.0
/*
 * What this host has to offer, and its end: volumes opened, prepared and joined, the report that
 * the others place VMs by, and the orderly shutdown.
 */
#include <string.h>

#include "clusterd/codec.h"
#include "clusterd/node_internal.h"
#include "clusterd/text.h"

enum {
	REPORT_AGAIN_MS = 5000,
	JOIN_AGAIN_MS = 5000,
	PREPARE_AGAIN_MS = 5000,
	GOODBYE_AGAIN_MS = 1000,
	GOODBYE_LIMIT_MS = 15000,
	HOST_DRAIN_LIMIT_MS = 120000,
	HOST_TELL_LIMIT_MS = 3000,
};

static void host_sanlock_gone(struct node *node, struct actions *actions)
{
	node->sanlock_up = false;
	node->sanlock_epoch++;
	node->orphans_unleased = node->orphans;
	node->adoption_void = !node->adopted;
	for (uint8_t v = 0; v < VOLUMES_MAX; v++) {
		node->volumes[v].joining = false;
		node->volumes[v].seen.joined = false;
	}
	node_log(node, LOG_LEVEL_WARNING,
		 "sanlock is gone: the leases of this host count for nothing, so its VMs are ended",
		 actions);
}

static void host_volume(struct node *node, const struct event *event)
{
	struct local_volume *volume = &node->volumes[event->volume];

	if (!volume->opened)
		return;
	volume->seen.state = event->volume_state;
	volume->seen.joined = event->joined && node->sanlock_up;
	volume->seen.free_mib = event->index > UINT32_MAX ? UINT32_MAX : (uint32_t)event->index;
	volume->seen.generation = event->joined ? event->generation : 0;
	text_copy(volume->seen.reason, sizeof(volume->seen.reason),
		  event->reason ? event->reason : "");
	if (volume->joining && !event->joined)
		volume->join_retry_ms = node->now_ms + JOIN_AGAIN_MS;
	volume->joining = false;
}

static void host_prepared(struct node *node, const struct event *event, struct actions *actions)
{
	struct entry entry;

	memset(&entry, 0, sizeof(entry));
	entry.type = ENTRY_VOLUME_PREPARED;
	entry.volume = event->volume;
	entry.attempt = event->attempt;
	entry.flag = event->flag;
	text_copy(entry.reason, sizeof(entry.reason), event->reason ? event->reason : "");
	// Should it not be heard, the attempt is made again: preparing what is prepared changes
	// nothing.
	node_propose(node, &entry, NULL, actions);
	if (event->attempt == node->volumes[event->volume].prepare_attempt)
		node->volumes[event->volume].prepare_retry_ms = node->now_ms + PREPARE_AGAIN_MS;
}

static void host_shutdown(struct node *node, const struct event *event)
{
	if (node->shutdown != SHUTDOWN_NONE)
		return;
	node->shutdown = event->flag ? SHUTDOWN_HOST : SHUTDOWN_DAEMON;
	node->reboots = event->flag && event->index != 0;
	node->shutdown_ms = node->now_ms;
}

void host_event(struct node *node, const struct event *event, struct actions *actions)
{
	switch (event->type) {
	case EVENT_HOST:
		node->host = *event->report;
		node->facts_stamp = 0;
		node->host_known = true;
		break;
	case EVENT_SANLOCK_UP:
		node->sanlock_up = true;
		node->host.watchdog = event->flag;
		break;
	case EVENT_SANLOCK_GONE:
		host_sanlock_gone(node, actions);
		break;
	case EVENT_VOLUME:
		host_volume(node, event);
		break;
	case EVENT_VOLUME_PREPARED:
		host_prepared(node, event, actions);
		break;
	case EVENT_SHUTDOWN:
		host_shutdown(node, event);
		break;
	}
}

/*
 * A restarted sanlock joins with a new generation, which makes every lease of the old one count as
 * dead. So no lockspace is joined while a process lives that was registered with an earlier daemon,
 * and none before those of an earlier clusterd were looked for.
 */
bool host_may_join(const struct node *node)
{
	if (!node->sanlock_up || !node->adopted || node->orphans_unleased > 0)
		return false;
	for (uint32_t i = 0; i < node->local_high; i++)
		if (vm_local_process(&node->locals[i]) &&
		    node->locals[i].sanlock_epoch != node->sanlock_epoch)
			return false;
	return true;
}

static void volume_action(enum action_type type, uint8_t v, uint32_t attempt,
			  struct actions *actions)
{
	struct action *action = actions_add(actions, type);

	action->volume = v;
	action->attempt = attempt;
}

static uint64_t volume_definition(const struct volume_def *def)
{
	uint64_t hash = hash_bytes(hash_start(), def->name, strlen(def->name) + 1);

	return hash_bytes(hash, def->source, strlen(def->source));
}

// Its slot may hold another volume than before, or its source may be another one: what was joined
// is not this one's.
static void volume_open(struct local_volume *local, const struct cluster_volume *volume, uint8_t v,
			struct actions *actions)
{
	uint64_t definition = volume->used ? volume_definition(&volume->def) : 0;

	if (local->opened && local->definition != definition)
		volume_action(ACTION_VOLUME_CLOSE, v, 0, actions);
	if (!local->opened || local->definition != definition)
		memset(local, 0, sizeof(*local));
	if (local->opened || !volume->used)
		return;
	local->opened = true;
	local->definition = definition;
	volume_action(ACTION_VOLUME_OPEN, v, 0, actions);
}

static void volume_prepare(struct node *node, uint8_t v, struct actions *actions)
{
	uint32_t attempt = node->cluster.volumes[v].prepare_attempt;
	struct local_volume *local = &node->volumes[v];

	if (local->prepare_attempt == attempt && node->now_ms < local->prepare_retry_ms) {
		if (local->prepare_retry_ms != UINT64_MAX)
			node_wake_at(node, local->prepare_retry_ms);
		return;
	}
	local->prepare_attempt = attempt;
	local->prepare_retry_ms = UINT64_MAX;
	volume_action(ACTION_VOLUME_PREPARE, v, attempt, actions);
}

static void volume_step(struct node *node, uint8_t v, struct actions *actions)
{
	const struct cluster_volume *volume = &node->cluster.volumes[v];
	struct local_volume *local = &node->volumes[v];

	volume_open(local, volume, v, actions);
	if (!volume->used)
		return;
	if (!volume->prepared) {
		if (volume->prepare_actor == node_self_slot(node) && node->sanlock_up &&
		    view_normal(node->view))
			volume_prepare(node, v, actions);
		return;
	}
	if (local->seen.joined || local->joining || !host_may_join(node))
		return;
	if (node->now_ms < local->join_retry_ms) {
		node_wake_at(node, local->join_retry_ms);
		return;
	}
	local->joining = true;
	volume_action(ACTION_VOLUME_JOIN, v, 0, actions);
}

// Nothing is defined, open, or said of a volume at or above it.
static uint8_t volumes_high(const struct node *node)
{
	return node->cluster.volume_high > node->opened_high ? node->cluster.volume_high
							     : node->opened_high;
}

static enum host_leaving host_leaving(const struct node *node)
{
	if (node->shutdown < SHUTDOWN_HOST)
		return LEAVING_NOT;
	return node->reboots ? LEAVING_REBOOT : LEAVING_OFF;
}

// The facts are large and hardly ever change: compared once for each report that was committed.
static bool facts_told(struct node *node, const struct cluster_node *self)
{
	if (self->report_stamp == 0 || self->report_stamp != node->facts_stamp) {
		node->facts_stamp = self->report_stamp;
		node->facts_same = memcmp(&node->host.facts, &self->report.facts,
					  sizeof(node->host.facts)) == 0;
	}
	return node->facts_same;
}

// Whether a report is what this host would say now, but for the facts.
static bool report_says_it(const struct node *node, const struct node_report *report)
{
	const struct node_report *host = &node->host;

	if (host->cpus != report->cpus || host->memory_mib != report->memory_mib ||
	    host->watchdog != report->watchdog || host->qemu != report->qemu ||
	    report->leaving != host_leaving(node) || host->boot != report->boot ||
	    host->cert_expires != report->cert_expires ||
	    host->cert_authority != report->cert_authority)
		return false;
	for (uint8_t i = 0; i < MIGRATION_NETWORKS_MAX; i++)
		if (strcmp(host->addresses[i], report->addresses[i]) != 0 ||
		    host->link_mbit[i] != report->link_mbit[i])
			return false;
	for (uint8_t v = 0; v < volumes_high(node); v++) {
		const struct node_volume *x = &node->volumes[v].seen, *y = &report->volumes[v];

		if (x->state != y->state || x->joined != y->joined ||
		    x->generation != y->generation || x->free_mib != y->free_mib ||
		    strcmp(x->reason, y->reason) != 0)
			return false;
	}
	return true;
}

// Sent when it says something new, and when the cluster has forgotten the last one.
static void report_step(struct node *node, struct actions *actions)
{
	const struct cluster_node *self = node_of_self(node);
	struct entry entry;

	// What is placed here before it is known what its QEMU can do would start with less.
	if (!self || self->life != NODE_ONLINE || !view_normal(node->view) || !node->host_known ||
	    !node->adopted || node->host.facts.state == FACTS_ASKED)
		return;
	/*
	 * The first report of a node's life says: what I have not told you of, I do not run. So
	 * every VM that was found here is told first; proposals of one node keep their order.
	 */
	if (!self->reported && !local_told(node))
		return;
	if (self->reported && facts_told(node, self) && report_says_it(node, &self->report)) {
		node->report_sent_ms = 0;
		return;
	}
	if (node->report_sent_ms && node->report_view == view_number(node->view) &&
	    node->now_ms - node->report_sent_ms < REPORT_AGAIN_MS &&
	    memcmp(&node->host.facts, &node->reported.facts, sizeof(node->host.facts)) == 0 &&
	    report_says_it(node, &node->reported)) {
		node_wake_at(node, node->report_sent_ms + REPORT_AGAIN_MS);
		return;
	}
	memset(&entry, 0, sizeof(entry));
	entry.type = ENTRY_NODE_REPORT;
	entry.node_id = node->self;
	entry.report = node->host;
	entry.report.leaving = (uint8_t)host_leaving(node);
	for (uint8_t v = 0; v < VOLUMES_MAX; v++)
		entry.report.volumes[v] = node->volumes[v].seen;
	if (!node_propose(node, &entry, NULL, actions))
		return;
	node->reported = entry.report;
	node->report_sent_ms = node->now_ms;
	node->report_view = view_number(node->view);
	node_wake_at(node, node->now_ms + REPORT_AGAIN_MS);
}

static bool host_empty(const struct node *node)
{
	for (uint32_t i = 0; i < node->local_high; i++)
		if (node->locals[i].life != LIFE_OFFLINE)
			return false;
	return true;
}

// Again and again: it is refused as long as some VM was placed here before it was known that this
// host leaves.
static void goodbye(struct node *node, struct actions *actions)
{
	struct entry entry;

	if (node->goodbye_ms && node->now_ms - node->goodbye_ms < GOODBYE_AGAIN_MS) {
		node_wake_at(node, node->goodbye_ms + GOODBYE_AGAIN_MS);
		return;
	}
	node->goodbye_ms = node->now_ms;
	node_wake_at(node, node->now_ms + GOODBYE_AGAIN_MS);
	memset(&entry, 0, sizeof(entry));
	entry.type = ENTRY_NODE_GOODBYE;
	entry.node_id = node->self;
	node_propose(node, &entry, NULL, actions);
}

/*
 * With a quorum the coordinator moves its VMs away, or has them saved; at the deadline, or when
 * there is nobody who could, they are stopped. A drain that is under way goes on, whatever the
 * policy is.
 */
bool host_drains(const struct node *node)
{
	const struct cluster_node *self = node_of_self((struct node *)node);

	return node->shutdown == SHUTDOWN_HOST && self && self->life == NODE_ONLINE &&
	       (node->cluster.def.policies.shutdown == SHUTDOWN_MIGRATE ||
		self->drain == DRAIN_DRAINING) &&
	       view_normal(node->view) && node->now_ms - node->shutdown_ms < HOST_DRAIN_LIMIT_MS;
}

/*
 * Its VMs are not ended before the others have heard why: then whoever must not start them
 * elsewhere does not, and a drain that was asked for before is known here.
 */
bool host_keeps(const struct node *node)
{
	const struct cluster_node *self = node_of_self((struct node *)node);

	if (host_drains(node))
		return true;
	return node->shutdown == SHUTDOWN_HOST && self && self->life == NODE_ONLINE &&
	       self->reported && !self->report.leaving && view_normal(node->view) &&
	       node->now_ms - node->shutdown_ms < HOST_TELL_LIMIT_MS;
}

static void shutdown_step(struct node *node, struct actions *actions)
{
	const struct cluster_node *self = node_of_self(node);

	switch ((enum shutdown)node->shutdown) {
	case SHUTDOWN_NONE:
	case SHUTDOWN_DONE:
		return;
	case SHUTDOWN_DAEMON:
		break;
	case SHUTDOWN_HOST:
		if (host_drains(node))
			node_wake_at(node, node->shutdown_ms + HOST_DRAIN_LIMIT_MS);
		else if (host_keeps(node))
			node_wake_at(node, node->shutdown_ms + HOST_TELL_LIMIT_MS);
		if (!host_empty(node))
			return;
		if (self && self->life == NODE_ONLINE && view_normal(node->view)) {
			node->shutdown = SHUTDOWN_GOODBYE;
			node->shutdown_ms = node->now_ms;
			goodbye(node, actions);
			return;
		}
		break;
	case SHUTDOWN_GOODBYE:
		if (self && self->life == NODE_ONLINE &&
		    node->now_ms - node->shutdown_ms < GOODBYE_LIMIT_MS) {
			goodbye(node, actions);
			return;
		}
		break;
	}
	node->shutdown = SHUTDOWN_DONE;
	actions_add(actions, ACTION_EXIT);
}

void host_step(struct node *node, struct actions *actions)
{
	uint8_t high = volumes_high(node);

	// Until its edges have said what this host is, nobody is there to open a volume.
	for (uint8_t v = 0; node->host_known && v < high; v++)
		if (node->cluster.volumes[v].used || node->volumes[v].opened)
			volume_step(node, v, actions);
	node->opened_high = node->host_known ? node->cluster.volume_high : high;
	report_step(node, actions);
	shutdown_step(node, actions);
}
