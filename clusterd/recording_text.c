// SPDX-License-Identifier: Apache-2.0
// Events and actions in words.
#include <string.h>

#include "clusterd/cpu.h"
#include "clusterd/recording.h"
#include "clusterd/text.h"
#include "quorum/view_internal.h"

static const char *const event_word[EVENT_TYPE_COUNT] = {
	[EVENT_TICK] = "tick",
	[EVENT_STORE_SNAPSHOT] = "store-snapshot",
	[EVENT_STORE_ENTRY] = "store-entry",
	[EVENT_STORE_OPENED] = "store-opened",
	[EVENT_STORE_SYNCED] = "store-synced",
	[EVENT_STORE_FAILED] = "store-failed",
	[EVENT_NODELIST] = "nodelist",
	[EVENT_GROUP] = "group",
	[EVENT_GROUP_LOST] = "group-lost",
	[EVENT_RING] = "ring",
	[EVENT_MESSAGE] = "message",
	[EVENT_REQUEST] = "request",
	[EVENT_RECOVER] = "recover",
	[EVENT_SHUTDOWN] = "shutdown",
	[EVENT_HOST] = "host",
	[EVENT_SANLOCK_UP] = "sanlock-up",
	[EVENT_SANLOCK_GONE] = "sanlock-gone",
	[EVENT_VOLUME] = "volume",
	[EVENT_VOLUME_PREPARED] = "volume-prepared",
	[EVENT_LEASE_WRITTEN] = "lease-written",
	[EVENT_VM_SPAWNED] = "vm-spawned",
	[EVENT_LEASE_GRANTED] = "lease-granted",
	[EVENT_LEASE_REFUSED] = "lease-refused",
	[EVENT_QEMU_RUNNING] = "qemu-running",
	[EVENT_QEMU_PAUSED] = "qemu-paused",
	[EVENT_QEMU_GUEST_SHUTDOWN] = "qemu-guest-shutdown",
	[EVENT_QEMU_DEAF] = "qemu-deaf",
	[EVENT_QEMU_EXITED] = "qemu-exited",
	[EVENT_QEMU_UNKILLABLE] = "qemu-unkillable",
	[EVENT_LEASE_RELEASED] = "lease-released",
	[EVENT_VM_ADOPTED] = "vm-adopted",
	[EVENT_ADOPTION_DONE] = "adoption-done",
	[EVENT_FENCE_DONE] = "fence-done",
	[EVENT_HOST_RELEASED] = "host-released",
	[EVENT_HOST_CHECKED] = "host-checked",
	[EVENT_LEASE_SHARED] = "lease-shared",
	[EVENT_LEASE_EXCLUSIVE] = "lease-exclusive",
	[EVENT_QEMU_LISTENING] = "qemu-listening",
	[EVENT_QEMU_RESTORED] = "qemu-restored",
	[EVENT_MIGRATE] = "migrate",
	[EVENT_SAVED] = "saved",
	[EVENT_DIRTY_RATE] = "dirty-rate",
	[EVENT_LINK_CHECKED] = "link-checked",
	[EVENT_MOVE_WORD] = "move-word",
	[EVENT_MEASURED] = "measured",
	[EVENT_MEASURES_HEARD] = "measures-heard",
	[EVENT_SCRIPT_DONE] = "script-done",
	[EVENT_VM_ANSWERED] = "vm-answered",
	[EVENT_SYNCED_HEARD] = "synced-heard",
};

static const char *const action_word[ACTION_TYPE_COUNT] = {
	[ACTION_SEND] = "send",
	[ACTION_GROUP_REJOIN] = "group-rejoin",
	[ACTION_STORE_SNAPSHOT] = "store-snapshot",
	[ACTION_STORE_ENTRY] = "store-entry",
	[ACTION_STORE_TRUNCATE] = "store-truncate",
	[ACTION_STORE_PROMISE] = "store-promise",
	[ACTION_STORE_COMMIT] = "store-commit",
	[ACTION_STORE_SYNC] = "store-sync",
	[ACTION_STORE_RESET] = "store-reset",
	[ACTION_REPLY] = "reply",
	[ACTION_LOG] = "log",
	[ACTION_VOLUME_OPEN] = "volume-open",
	[ACTION_VOLUME_CLOSE] = "volume-close",
	[ACTION_VOLUME_PREPARE] = "volume-prepare",
	[ACTION_VOLUME_JOIN] = "volume-join",
	[ACTION_LEASE_WRITE] = "lease-write",
	[ACTION_VM_SPAWN] = "vm-spawn",
	[ACTION_LEASE_ACQUIRE] = "lease-acquire",
	[ACTION_QEMU_EXEC] = "qemu-exec",
	[ACTION_VM_ABANDON] = "vm-abandon",
	[ACTION_QEMU_POWERDOWN] = "qemu-powerdown",
	[ACTION_QEMU_KILL] = "qemu-kill",
	[ACTION_QEMU_CONT] = "qemu-cont",
	[ACTION_LEASE_RELEASE_WAIT] = "lease-release-wait",
	[ACTION_ADOPT] = "adopt",
	[ACTION_VM_FORGET] = "vm-forget",
	[ACTION_LEASE_SHARE] = "lease-share",
	[ACTION_LEASE_EXCLUSIVE] = "lease-exclusive",
	[ACTION_MIGRATE] = "migrate",
	[ACTION_MIGRATE_TUNE] = "migrate-tune",
	[ACTION_MIGRATE_CONTINUE] = "migrate-continue",
	[ACTION_MIGRATE_CANCEL] = "migrate-cancel",
	[ACTION_MIGRATE_BREAK] = "migrate-break",
	[ACTION_SAVE] = "save",
	[ACTION_SAVED_REMOVE] = "saved-remove",
	[ACTION_DIRTY_RATE] = "dirty-rate",
	[ACTION_QEMU_ANNOUNCE] = "qemu-announce",
	[ACTION_LINK_CHECK] = "link-check",
	[ACTION_MOVE_TELL] = "move-tell",
	[ACTION_MOVE_PROGRESS] = "move-progress",
	[ACTION_MEASURES_TELL] = "measures-tell",
	[ACTION_SYNCED_TELL] = "synced-tell",
	[ACTION_FENCE] = "fence",
	[ACTION_HOST_RELEASE] = "host-release",
	[ACTION_HOST_CHECK] = "host-check",
	[ACTION_SELF_FENCE] = "self-fence",
	[ACTION_EXIT] = "exit",
	[ACTION_SCRIPT_RUN] = "script-run",
	[ACTION_VM_ASK] = "vm-ask",
};

const char *event_type_word(enum event_type type)
{
	return (unsigned int)type < EVENT_TYPE_COUNT && event_word[type] ? event_word[type] : "?";
}

const char *action_type_word(enum action_type type)
{
	return (unsigned int)type < ACTION_TYPE_COUNT && action_word[type] ? action_word[type]
									   : "?";
}

static const char *const message_word[MESSAGE_TYPE_COUNT] = {
	[MESSAGE_STATE] = "state",     [MESSAGE_COPY] = "copy",	      [MESSAGE_COPIED] = "copied",
	[MESSAGE_ENTRY] = "entry",     [MESSAGE_SYNCED] = "synced",   [MESSAGE_PROPOSE] = "propose",
	[MESSAGE_REFUSED] = "refused", [MESSAGE_RECOVER] = "recover", [MESSAGE_DIGEST] = "digest",
};

static void add_number(struct text *text, const char *name, uint64_t number)
{
	if (number)
		text_add_number(text_add(text_add(text_add(text, " "), name), *name ? "=" : ""),
				number);
}

static void add_hex(struct text *text, const char *name, uint64_t number)
{
	static const char digits[] = "0123456789abcdef";
	char hex[17];

	if (!number)
		return;
	for (unsigned int i = 0; i < 16; i++)
		hex[i] = digits[number >> (60 - 4 * i) & 15];
	hex[16] = 0;
	text_add(text_add(text_add(text_add(text, " "), name), "="), hex);
}

static void add_named(struct text *text, const char *name, const char *value)
{
	if (value && *value)
		text_add(text_add(text_add(text_add(text, " "), name), *name ? "=" : ""), value);
}

static void add_quoted(struct text *text, const char *value)
{
	if (value && *value)
		text_add(text_add(text_add(text, " \""), value), "\"");
}

static void add_node(struct text *text, const char *name, const struct cluster *cluster,
		     uint32_t id)
{
	for (uint32_t slot = 0; slot < NODES_MAX && id; slot++) {
		if (cluster->nodes[slot].used && cluster->nodes[slot].def.id == id) {
			add_named(text, name, cluster->nodes[slot].def.name);
			return;
		}
	}
	add_number(text, name, id);
}

static void add_vm(struct text *text, const struct cluster *cluster, struct vm_ref ref)
{
	const struct vm *vm = ref.serial ? cluster_vm(cluster, ref) : NULL;

	if (vm)
		add_named(text, "vm", vm_definition(cluster, vm)->name);
	else if (ref.serial)
		add_number(text, "vm-serial", ref.serial);
}

static void add_uuid(struct text *text, const struct uuid *uuid)
{
	uint64_t high = 0, low = 0;

	for (unsigned int i = 0; i < 8; i++) {
		high = high << 8 | uuid->bytes[i];
		low = low << 8 | uuid->bytes[8 + i];
	}
	add_hex(text, "uuid", high);
	add_hex(text, "-", low);
}

// What the event log will say of it, or would.
static void add_entry(struct text *text, const struct cluster *cluster, const uint8_t *body,
		      size_t size)
{
	char line[REASON_SIZE + 2 * NAME_SIZE] = "";
	struct entry entry;

	if (!entry_decode(&entry, body, size))
		return;
	if (entry_describe(cluster, &entry, line, sizeof(line)) > 0)
		add_quoted(text, line);
	else
		add_number(text, "entry-type", entry.type);
}

static void add_message(struct text *text, const struct cluster *cluster, const uint8_t *body,
			size_t size)
{
	struct message message;
	struct store_facts facts;

	if (!message_decode(&message, &facts, body, size)) {
		text_add(text, " not understood");
		return;
	}
	text_add(text_add(text, " "), message_word[message.type]);
	add_number(text, "view", message.view);
	add_number(text, "index", message.index);
	if (message.type == MESSAGE_STATE) {
		add_number(text, "last-view", facts.last_view);
		add_number(text, "last-index", facts.last_index);
		add_hex(text, "store", facts.store);
	}
	if (message.type == MESSAGE_ENTRY || message.type == MESSAGE_PROPOSE)
		add_entry(text, cluster, message.body, message.body_size);
}

static void add_record(struct text *text, const struct cluster *cluster, const uint8_t *body,
		       size_t size)
{
	if (size > STORED_RECORD_HEAD)
		add_entry(text, cluster, body + STORED_RECORD_HEAD, size - STORED_RECORD_HEAD);
}

static void add_members(struct text *text, const struct cluster *cluster, const struct event *event)
{
	if (event->type != EVENT_GROUP && event->type != EVENT_RING &&
	    event->type != EVENT_NODELIST)
		return;
	text_add(text, " members");
	for (uint32_t i = 0; i < event->member_count; i++)
		add_node(text, "", cluster, event->members[i].id);
}

static void add_report(struct text *text, const struct node_report *report)
{
	if (!report)
		return;
	add_number(text, "cpus", report->cpus);
	add_number(text, "memory-mib", report->memory_mib);
	text_add(text, report->watchdog ? " watchdog" : " no-watchdog");
	text_add(text, report->qemu ? " qemu" : " no-qemu");
	for (int i = 0; i < MIGRATION_NETWORKS_MAX && report->addresses[i][0]; i++) {
		text_add(text, " address=");
		text_add(text, report->addresses[i]);
		add_number(text, "link-mbit", report->link_mbit[i]);
	}
	if (report->cert_expires)
		add_number(text, "cert-expires", report->cert_expires);
	if (report->facts.state == FACTS_KNOWN) {
		add_number(text, "qemu-version", report->facts.qemu_version);
		add_number(text, "cpu-features", cpu_count(&report->facts.features));
		text_add(text_add(text, " machine="), report->facts.machine_q35);
	}
}

static void add_stats(struct text *text, const struct migrate_stats *stats)
{
	if (!stats)
		return;
	add_number(text, "status", stats->status);
	add_number(text, "total", stats->total);
	add_number(text, "remaining", stats->remaining);
	add_number(text, "transferred", stats->transferred);
	add_number(text, "rate", stats->rate);
	add_number(text, "dirty-rate", stats->dirty_rate);
	add_number(text, "rounds", stats->rounds);
	add_number(text, "throttle", stats->throttle);
	add_number(text, "pause-us", stats->pause_us);
	add_number(text, "total-ms", stats->total_ms);
}

static void add_migrate(struct text *text, const struct migrate_params *migrate)
{
	if (!migrate)
		return;
	add_named(text, "address", migrate->address);
	add_number(text, "port", migrate->port);
	add_named(text, "peer", migrate->peer);
	text_add(text, migrate->tls ? " tls" : "");
	text_add(text, migrate->post_copy ? " post-copy" : "");
	add_number(text, "channels", migrate->channels);
	add_number(text, "bandwidth", migrate->bandwidth);
	add_number(text, "downtime-ms", migrate->downtime_ms);
	add_number(text, "throttle", migrate->throttle);
}

static void add_event_body(struct text *text, const struct cluster *cluster,
			   const struct event *event)
{
	if (!event->body)
		return;
	if (event->type == EVENT_MESSAGE)
		add_message(text, cluster, event->body, event->body_size);
	else if (event->type == EVENT_REQUEST)
		add_entry(text, cluster, event->body, event->body_size);
	else if (event->type == EVENT_STORE_ENTRY)
		add_record(text, cluster, event->body, event->body_size);
	else
		add_number(text, "bytes", event->body_size);
}

static void add_volume(struct text *text, const struct cluster *cluster, uint8_t volume)
{
	if (volume < VOLUMES_MAX && cluster->volumes[volume].used)
		add_named(text, "volume", cluster->volumes[volume].def.name);
	else
		add_number(text, "volume", volume);
}

static bool about_volume(uint8_t type)
{
	return type == EVENT_VOLUME || type == EVENT_VOLUME_PREPARED || type == EVENT_LEASE_WRITTEN;
}

size_t recording_event_describe(const struct cluster *cluster, const struct event *event, char *buf,
				size_t size)
{
	struct text line = text_in(buf, size), *text = &line;

	text_add(text, event_type_word((enum event_type)event->type));
	if (about_volume(event->type))
		add_volume(text, cluster, event->volume);
	if (event->type == EVENT_VOLUME)
		text_add(text_add(text, " "),
			 volume_state_word((enum volume_state)event->volume_state));
	text_add(text, event->joined ? " joined" : "");
	text_add(text, event->flag ? " yes" : "");
	add_vm(text, cluster, event->vm);
	add_uuid(text, &event->uuid);
	add_node(text, "node", cluster, event->node_id);
	add_node(text, "from", cluster, event->from_id);
	add_number(text, "attempt", event->attempt);
	add_number(text, "lease-error", event->lease_error);
	add_number(text, "lease-slot", event->lease_slot);
	add_number(text, "index", event->index);
	add_number(text, "view", event->view);
	add_number(text, "promised", event->promised);
	add_hex(text, "store", event->store);
	add_number(text, "token", event->token);
	add_number(text, "cookie", event->cookie);
	add_number(text, "ring", event->ring);
	add_number(text, "generation", event->generation);
	add_number(text, "move", event->move);
	add_number(text, "word", event->word);
	add_number(text, "port", event->port);
	add_number(text, "run-state", event->run_state);
	text_add(text, event->shared ? " shared" : "");
	add_stats(text, event->stats);
	add_members(text, cluster, event);
	add_report(text, event->report);
	add_event_body(text, cluster, event);
	add_quoted(text, event->reason);
	return text->length;
}

static bool names_volume(uint8_t type)
{
	return type == ACTION_VOLUME_OPEN || type == ACTION_VOLUME_CLOSE ||
	       type == ACTION_VOLUME_PREPARE || type == ACTION_VOLUME_JOIN ||
	       type == ACTION_LEASE_WRITE;
}

size_t recording_action_describe(const struct cluster *cluster,
				 const struct recorded_action *recorded, char *buf, size_t size)
{
	const struct action *action = &recorded->action;
	struct text line = text_in(buf, size), *text = &line;

	text_add(text, action_type_word((enum action_type)action->type));
	text_add(text, action->flag ? " yes" : "");
	if (names_volume(action->type))
		add_volume(text, cluster, action->volume);
	add_vm(text, cluster, action->vm);
	add_uuid(text, &action->uuid);
	add_node(text, "node", cluster, action->node_id);
	add_number(text, "attempt", action->attempt);
	add_number(text, "device", action->device);
	add_number(text, "lease-slot", action->lease_slot);
	add_number(text, "start-mode", action->start_mode);
	add_number(text, "move", action->move);
	add_number(text, "word", action->word);
	add_migrate(text, action->migrate);
	add_stats(text, action->stats);
	add_number(text, "index", action->index);
	add_number(text, "view", action->view);
	add_number(text, "token", action->token);
	add_number(text, "cookie", action->cookie);
	add_number(text, "generations", action->generation_mask);
	for (uint32_t v = 0; action->generation && v < VOLUMES_MAX; v++)
		add_number(text, "generation", action->generation[v]);
	if (action->body && action->type == ACTION_SEND)
		add_message(text, cluster, action->body, action->body_size);
	if (action->body && action->type == ACTION_STORE_ENTRY)
		add_record(text, cluster, action->body, action->body_size);
	add_number(text, "bytes", action->body_size);
	add_hex(text, "hash", recorded->body_hash);
	add_quoted(text, action->text);
	if (action->result) {
		text_add(text, action->result->accepted ? " accepted" : " refused ");
		text_add(text, action->result->code);
		add_quoted(text, action->result->reason);
		add_quoted(text, action->result->fix);
	}
	return text->length;
}
