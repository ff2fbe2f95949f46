// SPDX-License-Identifier: Apache-2.0
#include "clusterd/trace_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct trace {
	FILE *file;
};

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
	[ACTION_FENCE] = "fence",
	[ACTION_HOST_RELEASE] = "host-release",
	[ACTION_HOST_CHECK] = "host-check",
	[ACTION_SELF_FENCE] = "self-fence",
	[ACTION_EXIT] = "exit",
};

int trace_open(struct trace **trace, const char *path)
{
	*trace = calloc(1, sizeof(**trace));
	if (!*trace)
		return -ENOMEM;
	(*trace)->file = fopen(path, "ae");
	if ((*trace)->file)
		return 0;
	free(*trace);
	*trace = NULL;
	return -errno;
}

void trace_close(struct trace *trace)
{
	if (!trace)
		return;
	fclose(trace->file);
	free(trace);
}

static void trace_line(struct trace *trace, const char *kind, const char *word, struct vm_ref vm)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	fprintf(trace->file, "%lld %s %s", (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000, kind,
		word ? word : "?");
	if (vm.serial)
		fprintf(trace->file, " vm=%u", vm.slot);
}

static void trace_end(struct trace *trace, uint32_t node_id, const char *text)
{
	if (node_id)
		fprintf(trace->file, " node=%u", node_id);
	if (text && *text)
		fprintf(trace->file, " %s", text);
	putc('\n', trace->file);
}

void trace_event(struct trace *trace, const struct event *event)
{
	if (!trace)
		return;
	trace_line(trace, "event", event_word[event->type], event->vm);
	if (event->flag)
		fputs(" yes", trace->file);
	if (event->body_size)
		fprintf(trace->file, " from=%u size=%zu", event->from_id, event->body_size);
	trace_end(trace, event->node_id, event->reason);
}

void trace_action(struct trace *trace, const struct action *action)
{
	if (!trace)
		return;
	trace_line(trace, "action", action_word[action->type], action->vm);
	if (action->body_size)
		fprintf(trace->file, " size=%zu", action->body_size);
	trace_end(trace, action->node_id, action->text);
}

void trace_note(struct trace *trace, const char *word, struct vm_ref vm)
{
	if (!trace)
		return;
	trace_line(trace, "note", word, vm);
	trace_end(trace, 0, NULL);
}

void trace_flush(struct trace *trace)
{
	if (trace)
		fflush(trace->file);
}
