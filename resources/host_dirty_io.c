// SPDX-License-Identifier: Apache-2.0
// How fast a guest changes its memory, as its QEMU measures it.
#include "resources/host_internal.h"

enum {
	DIRTY_FIRST_MS = 1020, // it measures for one second
	DIRTY_POLL_MS = 50,
	DIRTY_TRIES = 40,
};

static void dirty_rate_end(struct host_vm *vm, bool ok, uint64_t bytes_a_second)
{
	struct event event = { .type = EVENT_DIRTY_RATE,
			       .vm = vm->ref,
			       .uuid = vm->uuid,
			       .attempt = vm->attempt,
			       .flag = ok,
			       .index = bytes_a_second };

	vm->move.measuring = false;
	edge_post(&vm->host->edge, &event);
}

static void dirty_rate_look(void *owner);

static void dirty_rate_heard(void *owner, bool ok, const char *text)
{
	struct host_vm *vm = owner;
	uint64_t bytes_a_second = 0;

	if (!vm->move.measuring)
		return;
	if (ok && migrate_dirty_rate_read(text, &bytes_a_second))
		dirty_rate_end(vm, true, bytes_a_second);
	else if (!ok || ++vm->move.measured > DIRTY_TRIES)
		dirty_rate_end(vm, false, 0);
	else
		loop_timer_ms(vm->host->edge.loop, &vm->move.measure, DIRTY_POLL_MS,
			      dirty_rate_look, vm);
}

static void dirty_rate_look(void *owner)
{
	struct host_vm *vm = owner;

	if (!vm->qmp || qmp_command(vm->qmp, "query-dirty-rate", NULL, dirty_rate_heard, vm))
		dirty_rate_end(vm, false, 0);
}

static void dirty_rate_begun(void *owner, bool ok, const char *text)
{
	struct host_vm *vm = owner;

	(void)text;
	if (!ok && vm->move.measuring)
		dirty_rate_end(vm, false, 0);
	else if (vm->move.measuring)
		loop_timer_ms(vm->host->edge.loop, &vm->move.measure, DIRTY_FIRST_MS,
			      dirty_rate_look, vm);
}

// By sampling pages: logging every write would slow the guest down for an estimate.
void vm_dirty_rate(struct host_vm *vm)
{
	if (vm->move.measuring)
		return;
	vm->move.measuring = true;
	vm->move.measured = 0;
	if (!vm->qmp ||
	    qmp_command(vm->qmp, "calc-dirty-rate", "{\"calc-time\":1,\"sample-pages\":4096}",
			dirty_rate_begun, vm))
		dirty_rate_end(vm, false, 0);
}
