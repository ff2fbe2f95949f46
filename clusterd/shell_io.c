// SPDX-License-Identifier: Apache-2.0
/*
 * Events are queued and taken one by one, because edges post while actions are being performed.
 * Nothing here decides: an action goes to the edge that its name says.
 */
#include "clusterd/shell_io.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clusterd/cmap_io.h"
#include "clusterd/cpg_io.h"
#include "clusterd/edge.h"
#include "clusterd/ipc_io.h"
#include "clusterd/log_io.h"
#include "clusterd/loop_io.h"
#include "clusterd/memory_io.h"
#include "clusterd/recorder_io.h"
#include "clusterd/script_io.h"
#include "clusterd/request_io.h"
#include "clusterd/store_io.h"
#include "clusterd/supervisor_io.h"
#include "clusterd/trace_io.h"
#include "migration/address_io.h"
#include "migration/cert_io.h"
#include "migration/link_io.h"
#include "migration/progress.h"
#include "quorum/fence_io.h"
#include "quorum/votequorum_io.h"
#include "resources/host_io.h"

enum {
	VMS_MAX = 10000,
	LEASE_SLOTS_MAX = 16384,
	STORE_FAILED_MS = 3000,
	ACTIONS_MAX = 16384,
	ACTIONS_BYTES = 64 * 1024 * 1024,	// touched only as far as a step needs it
	ACTIONS_KEPT = 64 * 1024,		// of them, when a large step is over
	SETTLE_MS = 10000,
};

static const struct node_limits node_limits = {
	.cluster = { .vms_max = VMS_MAX, .lease_slots_max = LEASE_SLOTS_MAX },
	.view = { .records_max = 16384, .log_bytes = 4 * 1024 * 1024, .proposals_max = 2048,
		  .proposal_bytes = 8 * 1024 * 1024, .copy_bytes = 96 * 1024 * 1024 },
	.requests_max = 256,
};

struct queued {
	struct queued *next;
	struct event event;
	// Behind it: the bytes that the event points to.
};

struct shell {
	const struct shell_config *config;
	struct loop *loop;
	struct edge edge;
	struct trace *trace;		// NULL: not wanted
	struct script_runner *scripts;
	struct recorder *recorder;	// NULL: it could not be opened
	struct node *node;
	void *memory;
	size_t memory_size;
	struct actions actions;
	size_t actions_most; // bytes that a step needed, since it was settled
	struct queued *first, **last;
	bool stepping;
	struct loop_timer tick, give_up, settle;
	struct supervisor supervisor;
	struct store *store;
	struct group *group;
	struct ring *ring;
	struct cmap *cmap;
	struct fence *fence;
	struct host *host;
	struct link *link;
	struct progress_table progress;
	struct ipc *ipc;
	struct request *request;
	uint32_t node_id;
	uint64_t zone_min;		// when the time zone was looked at
	int16_t ahead_min;		// of local time
	bool loaded;			// EVENT_STORE_OPENED was taken
	bool adopted;			// host_adopt() was called
	bool failed;
};

static uint64_t clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// The zone's rules are files, so they are looked at once in a minute.
static int16_t ahead_min(struct shell *shell, uint64_t wall_ms)
{
	time_t now = (time_t)(wall_ms / 1000);
	struct tm local;

	if (wall_ms / 60000 == shell->zone_min)
		return shell->ahead_min;
	shell->zone_min = wall_ms / 60000;
	tzset();
	if (localtime_r(&now, &local) && local.tm_gmtoff / 60 >= -AHEAD_MAX_MIN &&
	    local.tm_gmtoff / 60 <= AHEAD_MAX_MIN)
		shell->ahead_min = (int16_t)(local.tm_gmtoff / 60);
	return shell->ahead_min;
}

// ---- events ----

static void *take(uint8_t **at, const void *bytes, size_t size)
{
	void *copy = *at;

	memcpy(copy, bytes, size);
	*at += (size + 7) & ~(size_t)7;
	return copy;
}

// A deep copy in one piece, because the poster's pointers are good during the call only.
static struct queued *event_copy(const struct event *event)
{
	size_t members = event->members ? event->member_count * sizeof(*event->members) : 0;
	size_t reason = event->reason ? strlen(event->reason) + 1 : 0;
	size_t body = event->body ? event->body_size : 0;
	size_t size = sizeof(struct queued) + members + reason + body + sizeof(*event->report) +
		      sizeof(*event->stats) + 40;
	struct queued *copy = malloc(size);
	uint8_t *at;

	if (!copy) {
		log_text(LOG_LEVEL_ERROR, "out of memory");
		abort();
	}
	copy->next = NULL;
	copy->event = *event;
	at = (uint8_t *)(copy + 1);
	if (event->members)
		copy->event.members = take(&at, event->members, members);
	if (event->report)
		copy->event.report = take(&at, event->report, sizeof(*event->report));
	if (event->stats)
		copy->event.stats = take(&at, event->stats, sizeof(*event->stats));
	if (event->reason)
		copy->event.reason = take(&at, event->reason, reason);
	if (event->body)
		copy->event.body = take(&at, event->body, body);
	return copy;
}

static void shell_perform(struct shell *shell, const struct action *action);
static void shell_tick(void *owner);

static bool is_waited_for(const struct action *action)
{
	return action->type == ACTION_REPLY || action->type == ACTION_SYNCED_TELL;
}

static void shell_perform_one(struct shell *shell, const struct action *action)
{
	trace_action(shell->trace, action);
	shell_perform(shell, action);
}

static void shell_step(struct shell *shell, const struct event *event)
{
	shell->actions.count = 0;
	shell->actions.used = 0;
	trace_event(shell->trace, event);
	recorder_event(shell->recorder, event);
	node_step(shell->node, event, &shell->actions);
	recorder_actions(shell->recorder, &shell->actions);
	if (shell->host)
		host_follow(shell->host, node_cluster(shell->node));
	// Somebody waits for these, and corosync, which runs at real-time priority, would go first.
	for (uint32_t i = 0; i < shell->actions.count; i++)
		if (is_waited_for(&shell->actions.items[i]))
			shell_perform_one(shell, &shell->actions.items[i]);
	for (uint32_t i = 0; i < shell->actions.count; i++)
		if (!is_waited_for(&shell->actions.items[i]))
			shell_perform_one(shell, &shell->actions.items[i]);
	if (shell->actions.used > shell->actions_most)
		shell->actions_most = shell->actions.used;
}

// What was needed for a moment goes back to the system.
static void shell_settle(void *owner)
{
	struct shell *shell = owner;

	memory_settle();
	if (shell->actions_most > ACTIONS_KEPT)
		madvise(shell->actions.bytes + ACTIONS_KEPT, shell->actions_most - ACTIONS_KEPT,
			MADV_DONTNEED);
	shell->actions_most = 0;
	loop_timer_ms(shell->loop, &shell->settle, SETTLE_MS, shell_settle, shell);
}

static void shell_find_host(struct shell *shell);

static void shell_arm(struct shell *shell)
{
	uint64_t deadline_ms = node_deadline_ms(shell->node), now_ms = clock_ms(CLOCK_BOOTTIME);
	uint64_t wait_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;

	if (deadline_ms == UINT64_MAX) {
		loop_timer_cancel(&shell->tick);
		return;
	}
	loop_timer_ms(shell->loop, &shell->tick, wait_ms, shell_tick, shell);
}

static void shell_give_up(void *owner)
{
	struct shell *shell = owner;

	loop_stop(shell->loop);
}

/*
 * Without its store this daemon can promise nothing any more. It ends, and its supervisor starts it
 * again until the store can be opened; its VMs go on meanwhile and are adopted. The pause keeps
 * that from being a storm.
 */
static void shell_store_failed(struct shell *shell, const char *reason)
{
	log_text(LOG_LEVEL_ERROR, "the store failed: %s; clusterd ends, and its VMs go on", reason);
	shell->failed = true;
	loop_timer_ms(shell->loop, &shell->give_up, STORE_FAILED_MS, shell_give_up, shell);
}

static void shell_drain(struct shell *shell)
{
	if (shell->stepping)
		return;
	shell->stepping = true;
	while (shell->first) {
		struct queued *next = shell->first;

		shell->first = next->next;
		if (!shell->first)
			shell->last = &shell->first;
		// Time is that of the step, not of the post: it never goes back.
		next->event.now_ms = clock_ms(CLOCK_BOOTTIME);
		next->event.wall_ms = clock_ms(CLOCK_REALTIME);
		next->event.ahead_min = ahead_min(shell, next->event.wall_ms);
		if (next->event.type == EVENT_STORE_OPENED)
			shell->loaded = true;
		if (next->event.type == EVENT_STORE_FAILED)
			shell_store_failed(shell, next->event.reason);
		shell_step(shell, &next->event);
		free(next);
		shell_find_host(shell);
	}
	shell->stepping = false;
	trace_flush(shell->trace);
	shell_arm(shell);
}

static void shell_post(void *owner, const struct event *event)
{
	struct shell *shell = owner;
	struct queued *copy = event_copy(event);

	*shell->last = copy;
	shell->last = &copy->next;
	shell_drain(shell);
}

static void shell_tick(void *owner)
{
	struct event event = { .type = EVENT_TICK };

	shell_post(owner, &event);
}

// ---- actions ----

static void perform_fence(struct shell *shell, const struct action *action)
{
	const struct cluster *cluster = node_cluster(shell->node);

	for (uint8_t slot = 0; slot < NODES_MAX; slot++) {
		const struct cluster_node *target = &cluster->nodes[slot];

		if (target->used && target->def.id == action->node_id &&
		    action->device < target->def.fence_count)
			fence_off(shell->fence, action->node_id, action->attempt,
				  target->def.fences[action->device].agent,
				  target->def.fences[action->device].options);
	}
}

static void perform_log(struct shell *shell, const struct action *action)
{
	log_text((enum log_level)action->level, "%s", action->text);
	store_line_add(shell->store, clock_ms(CLOCK_REALTIME), (enum log_level)action->level,
		       action->text);
}

// This node moves a VM: kept here, and told to the others, whoever is asked by an administrator.
static void perform_progress(struct shell *shell, const struct action *action)
{
	uint64_t now_ms = clock_ms(CLOCK_BOOTTIME);
	struct migrate_stats before = { 0 };
	struct progress *progress;

	progress_find(&shell->progress, action->move, now_ms, &before);
	progress = progress_keep(&shell->progress, action->move, action->stats, now_ms);
	if (progress_tell(progress, before.status != action->stats->status, now_ms))
		link_progress(shell->link, action->move, action->stats);
}

/*
 * The last words go to the log before the host is gone. "b" resets at once, without a sync: a sync
 * on storage that does not answer would never end, and what was acknowledged is durable on a
 * majority already.
 */
static void perform_self_fence(const struct shell *shell, const struct action *action)
{
	const char *argv[] = { shell->config->self_fence, NULL };
	pid_t pid;
	FILE *trigger;

	log_text(LOG_LEVEL_ERROR, "this host resets itself: %s", action->text);
	if (argv[0]) {
		if (posix_spawn(&pid, argv[0], NULL, NULL, (char *const *)argv, environ) != 0)
			log_text(LOG_LEVEL_ERROR, "%s: %s", argv[0], strerror(errno));
		return;
	}
	trigger = fopen("/proc/sysrq-trigger", "we");
	if (!trigger) {
		log_text(LOG_LEVEL_ERROR, "/proc/sysrq-trigger: %s", strerror(errno));
		return;
	}
	fputs("b", trigger);
	fclose(trigger);
}

static void shell_perform(struct shell *shell, const struct action *action)
{
	if (action->type >= ACTION_STORE_SNAPSHOT && action->type <= ACTION_STORE_RESET) {
		store_perform(shell->store, action);
		return;
	}
	switch (action->type) {
	case ACTION_SEND:
	case ACTION_GROUP_REJOIN:
	case ACTION_MEASURES_TELL:
		group_perform(shell->group, action);
		break;
	case ACTION_REPLY:
		request_answered(shell->request, action->cookie, action->result);
		break;
	case ACTION_LOG:
		perform_log(shell, action);
		break;
	case ACTION_FENCE:
		perform_fence(shell, action);
		break;
	case ACTION_ADOPT:
		host_adopt(shell->host);
		break;
	case ACTION_LINK_CHECK:
	case ACTION_MOVE_TELL:
	case ACTION_SYNCED_TELL:
		link_perform(shell->link, action);
		break;
	case ACTION_MOVE_PROGRESS:
		perform_progress(shell, action);
		break;
	case ACTION_SCRIPT_RUN:
		script_perform(shell->scripts, action);
		break;
	case ACTION_SELF_FENCE:
		perform_self_fence(shell, action);
		break;
	case ACTION_EXIT:
		loop_stop(shell->loop);
		break;
	default:
		if (!shell->host || !host_perform(shell->host, node_cluster(shell->node), action))
			log_text(LOG_LEVEL_ERROR, "no edge performs action %u", action->type);
		break;
	}
}

// ---- the host's edges need this node's id, which corosync tells: or what it told last time ----

static uint32_t node_id_remembered(const struct shell *shell)
{
	char path[512];
	unsigned int id = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/node-id", shell->config->state_dir);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%u", &id) != 1 || id > NODE_ID_MAX)
		id = 0;
	fclose(file);
	return id;
}

static void node_id_remember(const struct shell *shell, uint32_t id)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/node-id", shell->config->state_dir);
	file = fopen(path, "we");
	if (!file)
		return;
	fprintf(file, "%u\n", id);
	fclose(file);
}

// ---- the direct links to other nodes ----

static const struct cluster *shell_cluster(void *owner)
{
	struct shell *shell = owner;

	return node_cluster(shell->node);
}

static uint32_t shell_self(void *owner)
{
	struct shell *shell = owner;

	return shell->node_id;
}

// What the host's edge adds to what it says of this host.
static void shell_look(void *owner, struct node_report *report)
{
	struct shell *shell = owner;
	const struct cluster *cluster = node_cluster(shell->node);
	struct cert_folder found;
	struct cert_problem problem;
	uint32_t count =
		migration_addresses(&cluster->def.migration, report->addresses, report->link_mbit);

	link_addresses(shell->link, (const char (*)[ADDRESS_SIZE])report->addresses, count);
	if (link_certificates(shell->link, &found, &problem))
		report->cert_authority = found.authority;
	report->cert_expires = found.expires_s > 0 ? (uint64_t)found.expires_s : 0;
}

static void shell_progress(void *owner, uint32_t from, uint32_t move,
			   const struct migrate_stats *stats)
{
	struct shell *shell = owner;

	(void)from;
	progress_keep(&shell->progress, move, stats, clock_ms(CLOCK_BOOTTIME));
}

static bool shell_move_stats(void *context, uint32_t move, struct migrate_stats *stats)
{
	struct shell *shell = context;

	return progress_find(&shell->progress, move, clock_ms(CLOCK_BOOTTIME), stats);
}

static int shell_open_link(struct shell *shell)
{
	const struct link_options options = {
		.edge = shell->edge,
		.folder = shell->config->pki_dir,
		.cluster = shell_cluster,
		.self = shell_self,
		.progress = shell_progress,
		.owner = shell,
	};

	return link_open(&shell->link, &options);
}

static void shell_open_host(struct shell *shell)
{
	char launch[512], uefi_code[] = "/usr/share/OVMF/OVMF_CODE_4M.fd",
		     uefi_vars[] = "/usr/share/OVMF/OVMF_VARS_4M.fd";
	struct host_config config = {
		.edge = shell->edge,
		.node_id = shell->node_id,
		.run_dir = shell->config->run_dir,
		.launch_path = launch,
		.sanlock_path = "/usr/sbin/sanlock",
		.qemu_path = shell->config->qemu,
		.qemu_user = shell->config->qemu_user,
		.pki_dir = shell->config->pki_dir,
		.uefi_code = access(uefi_code, R_OK) == 0 ? uefi_code : NULL,
		.uefi_vars = access(uefi_vars, R_OK) == 0 ? uefi_vars : NULL,
		.look = shell_look,
		.look_owner = shell,
	};
	int error;

	snprintf(launch, sizeof(launch), "%s/clusterd-launch", shell->config->libexec_dir);
	error = host_open(&shell->host, &config);
	if (error == 0)
		return;
	log_text(LOG_LEVEL_ERROR, "this host's edges: %s", strerror(-error));
	shell->failed = true;
	loop_stop(shell->loop);
}

// Its VMs are looked for once the store is loaded: the replica then knows whose they are.
static void shell_find_host(struct shell *shell)
{
	uint32_t id = group_local_id(shell->group);

	if (id != 0 && id != shell->node_id) {
		if (shell->host) {
			log_text(LOG_LEVEL_ERROR,
				 "corosync calls this node %u, and it was %u: end its VMs and "
				 "start clusterd again",
				 id, shell->node_id);
			shell->failed = true;
			loop_stop(shell->loop);
			return;
		}
		node_id_remember(shell, id);
		shell->node_id = id;
	}
	if (!shell->loaded || shell->adopted || shell->node_id == 0)
		return;
	shell->adopted = true;
	shell_open_host(shell);
	if (shell->host)
		host_adopt(shell->host);
}

// ---- life ----

static void shell_signal(void *owner, int signal)
{
	struct shell *shell = owner;
	struct event event = { .type = EVENT_SHUTDOWN,
			       .flag = signal == SIGPWR || signal == SIGUSR2,
			       .index = signal == SIGUSR2 };
	char path[512];

	if (signal == SIGUSR1) {
		snprintf(path, sizeof(path), "%s/blackbox", shell->config->run_dir);
		log_blackbox_write(path);
		return;
	}
	shell_post(shell, &event);
}

// Without a recording the daemon does its work as well.
static void shell_record(struct shell *shell)
{
	char directory[512], host[NAME_SIZE] = "";
	struct recorder_options options = {
		.directory = directory,
		.host = host,
		.limits = &node_limits,
		.memory = shell->node,
		.size = node_memory(&node_limits),
		.crash = true,
	};
	int error;

	gethostname(host, sizeof(host) - 1);
	snprintf(directory, sizeof(directory), "%s/recording", shell->config->state_dir);
	error = recorder_open(&shell->recorder, &options);
	if (error)
		log_text(LOG_LEVEL_WARNING, "%s: nothing is recorded: %s", directory,
			 strerror(-error));
}

static int shell_node(struct shell *shell)
{
	size_t bytes = ACTIONS_BYTES + ACTIONS_MAX * sizeof(struct action);
	uint8_t *memory;

	shell->memory_size = node_memory(&node_limits) + bytes;
	memory = recorder_map(shell->memory_size);
	if (!memory)
		return -errno;
	shell->memory = memory;
	shell->actions.bytes = memory;
	shell->actions.size = ACTIONS_BYTES;
	shell->actions.items = (struct action *)(memory + ACTIONS_BYTES);
	shell->actions.max = ACTIONS_MAX;
	shell->node = node_init(&node_limits, memory + bytes);
	return 0;
}

// ---- administrators: IPC brings texts, request_io understands them ----

static void shell_request(void *context, uint64_t client, const char *text, size_t size)
{
	struct shell *shell = context;

	request_handle(shell->request, client, text, size);
}

static void shell_request_gone(void *context, uint64_t client)
{
	struct shell *shell = context;

	request_client_gone(shell->request, client);
}

static void shell_request_reply(void *context, uint64_t client, char *text, size_t size)
{
	struct shell *shell = context;

	ipc_reply(shell->ipc, client, text, size);
}

static int shell_lines_read(void *context, uint64_t after, uint64_t since_ms, uint32_t max,
			    uint64_t cookie, store_lines_fn fn, void *data)
{
	struct shell *shell = context;

	return store_lines_read(shell->store, after, since_ms, max, cookie, fn, data);
}

static bool shell_vm_folder(void *context, const struct uuid *uuid, char *buf, size_t size)
{
	struct shell *shell = context;

	return shell->host && host_vm_folder(shell->host, uuid, buf, size);
}

static int shell_open_requests(struct shell *shell)
{
	char schema[512];
	struct request_options options = {
		.node = shell->node,
		.schema_path = schema,
		.edge = shell->edge,
		.context = shell,
		.reply = shell_request_reply,
		.lines_read = shell_lines_read,
		.vm_folder = shell_vm_folder,
		.move_stats = shell_move_stats,
	};
	const struct ipc_handlers handlers = {
		.context = shell,
		.request = shell_request,
		.gone = shell_request_gone,
	};
	int error;

	snprintf(schema, sizeof(schema), "%s/clusterd.rng", shell->config->data_dir);
	error = request_open(&shell->request, &options);
	if (error)
		return error;
	return ipc_open(&shell->ipc, shell->config->service, shell->config->group,
			loop_qb(shell->loop), &handlers);
}

static int shell_open_cluster(struct shell *shell)
{
	struct fence_options fence = {
		.edge = shell->edge,
		.directories = { "/usr/sbin", CLUSTERD_SBIN_DIR, shell->config->fence_dir },
	};
	const struct script_options scripts = {
		.folder = shell->config->script_dir,
		.user = shell->config->script_user,
		.edge = shell->edge,
	};
	int error = fence_open(&shell->fence, &fence);

	if (error == 0)
		error = script_open(&shell->scripts, &scripts);
	if (error == 0)
		error = group_open(&shell->group, &shell->edge);
	if (error == 0)
		error = ring_open(&shell->ring, &shell->edge);
	if (error == 0)
		error = cmap_open(&shell->cmap, &shell->edge);
	if (error == 0)
		error = shell_open_link(shell);
	return error;
}

static int shell_open(struct shell *shell)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGPWR, SIGUSR1, SIGUSR2 };
	struct store_options store = { .directory = shell->config->state_dir };
	int error;

	mkdir(shell->config->run_dir, 0755);
	error = loop_open(&shell->loop);
	if (error == 0 && shell->config->trace)
		error = trace_open(&shell->trace, shell->config->trace);
	if (error == 0)
		error = supervisor_open(&shell->supervisor, shell->loop);
	if (error == 0)
		error = shell_node(shell);
	if (error)
		return error;
	shell->edge = (struct edge){ .loop = shell->loop, .post = shell_post, .owner = shell,
				     .trace = shell->trace };
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]) && error == 0; i++)
		error = loop_add_signal(shell->loop, signals[i], shell_signal, shell);
	store.edge = shell->edge;
	if (error == 0)
		error = store_open(&shell->store, &store);
	if (error == -EWOULDBLOCK)
		log_text(LOG_LEVEL_ERROR, "another clusterd has %s", shell->config->state_dir);
	if (error == -ENOSPC)
		log_text(LOG_LEVEL_ERROR, "the disk of %s is full", shell->config->state_dir);
	if (error == 0)
		shell_record(shell);
	shell->node_id = node_id_remembered(shell);
	if (error == 0)
		error = shell_open_cluster(shell);
	return error ? error : shell_open_requests(shell);
}

static void shell_close(struct shell *shell)
{
	ipc_close(shell->ipc);
	request_close(shell->request);
	host_close(shell->host);
	script_close(shell->scripts);
	link_close(shell->link);
	cmap_close(shell->cmap);
	ring_close(shell->ring);
	group_close(shell->group);
	fence_close(shell->fence);
	store_close(shell->store);
	supervisor_close(&shell->supervisor);
	loop_close(shell->loop);
	trace_close(shell->trace);
	recorder_close(shell->recorder);
	while (shell->first) {
		struct queued *next = shell->first;

		shell->first = next->next;
		free(next);
	}
	if (shell->memory)
		munmap(shell->memory, shell->memory_size);
}

int shell_run(const struct shell_config *config)
{
	struct shell shell = { .config = config };
	int error;

	shell.last = &shell.first;
	shell.stepping = true;	// what edges post while they open waits for all of them
	error = shell_open(&shell);
	shell.stepping = false;
	if (error) {
		log_text(LOG_LEVEL_ERROR, "cannot start: %s", strerror(-error));
		shell.failed = true;
	} else {
		shell_drain(&shell);
		shell_settle(&shell);
		loop_run(shell.loop);
	}
	shell_close(&shell);
	return shell.failed;
}
