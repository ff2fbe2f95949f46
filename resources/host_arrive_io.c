// SPDX-License-Identifier: Apache-2.0
// A guest that comes, or is restored from its saved state: when all of it is there, and when it may
// continue.
#include <string.h>

#include "resources/host_internal.h"

enum { ARRIVED_POLL_MS = 2, POLL_MS = 100 };

static void arrival_timer(struct host_vm *vm, uint32_t ms, loop_fn fn)
{
	loop_timer_ms(vm->host->edge.loop, &vm->move.timer, ms, fn, vm);
}

static void loaded_look(void *owner);

static void loaded_heard(void *owner, bool ok, const char *text)
{
	struct host_vm *vm = owner;
	char word[40];

	if (vm->move.doing != DOING_LOADING)
		return;
	if (!ok || !migrate_run_word(text, word, sizeof(word)) || strcmp(word, "inmigrate") == 0) {
		arrival_timer(vm, ARRIVED_POLL_MS, loaded_look);
		return;
	}
	vm_move_end(vm);
	vm_post(vm, EVENT_QEMU_RESTORED, true, NULL);
}

// All is read at `completed`; a moment later the devices have taken it.
static void loaded_look(void *owner)
{
	struct host_vm *vm = owner;

	if (vm->move.doing == DOING_LOADING &&
	    qmp_command(vm->qmp, "query-status", NULL, loaded_heard, vm))
		arrival_timer(vm, POLL_MS, loaded_look);
}

static void continue_look(void *owner);

static void continue_heard(void *owner, bool ok, const char *text)
{
	struct host_vm *vm = owner;
	char word[40];

	// Without an answer the core asks again.
	if (!ok || !vm->move.continuing || !migrate_run_word(text, word, sizeof(word))) {
		vm->move.continuing = false;
	} else if (strcmp(word, "inmigrate") == 0) {
		arrival_timer(vm, ARRIVED_POLL_MS, continue_look);
	} else {
		vm->move.continuing = false;
		if (vm->incoming && vm->process)
			vm_cont_first(vm);
	}
}

// A look that nobody waits for any more does not happen: told meanwhile, and refused, it is not to
// be told again behind the back of those who heard that it never ran.
static void continue_look(void *owner)
{
	struct host_vm *vm = owner;

	if (!vm->move.continuing)
		return;
	vm->move.continuing =
		vm->qmp && qmp_command(vm->qmp, "query-status", NULL, continue_heard, vm) == 0;
}

/*
 * The source is done when all is in its socket; what it sent may still not fit here. As long as
 * QEMU has not been told to continue it is certain that it never ran, and the source goes on with
 * what it has: so it is told only when all of the guest is there.
 */
void vm_move_continue(struct host_vm *vm)
{
	if (vm->move.loaded) {
		vm_cont_first(vm);
	} else if (!vm->move.continuing) {
		vm->move.continuing = true;
		continue_look(vm);
	}
}

void vm_arrived(struct host_vm *vm)
{
	bool awaited = vm->move.continuing;

	if (vm->move.doing == DOING_LOADING) {
		loaded_look(vm);
		return;
	}
	// The look that is under way finds nothing to do any more.
	vm->move.loaded = true;
	vm->move.continuing = false;
	if (awaited && vm->incoming && vm->process && vm->qmp)
		vm_cont_first(vm);
}
