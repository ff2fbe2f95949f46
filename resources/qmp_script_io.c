// SPDX-License-Identifier: Apache-2.0
#include "resources/qmp_script_io.h"

#include <stdlib.h>
#include <string.h>

static void script_clear(struct qmp_script *script)
{
	uint32_t i;

	for (i = 0; i < script->count; i++)
		free(script->steps[i].arguments);
	script->count = script->at = 0;
	script->running = script->broken = false;
}

void script_begin(struct qmp_script *script, struct qmp *qmp, qmp_reply_fn done, void *owner)
{
	script_drop(script);
	script->qmp = qmp;
	script->done = done;
	script->owner = owner;
}

static void script_put(struct qmp_script *script, const struct script_step *step)
{
	if (!step->arguments || script->count == SCRIPT_STEPS_MAX) {
		script->broken = true;
		free(step->arguments);
		return;
	}
	script->steps[script->count++] = *step;
}

void script_add(struct qmp_script *script, const char *name, char *arguments)
{
	script_put(script, &(struct script_step){ .name = name, .arguments = arguments, .fd = -1 });
}

void script_try(struct qmp_script *script, const char *name, char *arguments)
{
	script_put(script,
		   &(struct script_step){
			   .name = name, .arguments = arguments, .fd = -1, .may_fail = true });
}

void script_add_fd(struct qmp_script *script, const char *name, char *arguments, int fd)
{
	script_put(script, &(struct script_step){ .name = name, .arguments = arguments, .fd = fd });
}

// The owner may begin another one, or drop this one, inside `done`.
static void script_end(struct qmp_script *script, bool ok, const char *text)
{
	qmp_reply_fn done = script->done;
	void *owner = script->owner;

	script_clear(script);
	done(owner, ok, text);
}

static void script_heard(void *owner, bool ok, const char *text);

static void script_next(struct qmp_script *script)
{
	const struct script_step *step = &script->steps[script->at];
	const char *arguments = step->arguments[0] ? step->arguments : NULL;
	int error =
		qmp_command_fd(script->qmp, step->name, arguments, step->fd, script_heard, script);

	if (error)
		script_end(script, false, "QEMU's monitor cannot be reached");
}

// Answers come in the order of the commands, one each.
static void script_heard(void *owner, bool ok, const char *text)
{
	struct qmp_script *script = owner;

	if (script->stale) {
		script->stale--;
		return;
	}
	ok |= script->steps[script->at].may_fail;
	if (!ok || ++script->at == script->count)
		script_end(script, ok, text);
	else
		script_next(script);
}

void script_run(struct qmp_script *script)
{
	if (script->broken || script->count == 0) {
		script_end(script, false, "out of memory");
		return;
	}
	script->running = true;
	script_next(script);
}

void script_drop(struct qmp_script *script)
{
	script->stale += script->running;
	script_clear(script);
}

void script_closed(struct qmp_script *script)
{
	script_clear(script);
	script->stale = 0;
}

const char *script_sent(const struct qmp_script *script)
{
	return script->running ? script->steps[script->at].name : NULL;
}
