// SPDX-License-Identifier: Apache-2.0
#include "clusterd/trace_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "clusterd/recording.h"

struct trace {
	FILE *file;
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
	fprintf(trace->file, "%lld %s %s", (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000,
		kind, word ? word : "?");
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
	trace_line(trace, "event", event_type_word((enum event_type)event->type), event->vm);
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
	trace_line(trace, "action", action_type_word((enum action_type)action->type), action->vm);
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
