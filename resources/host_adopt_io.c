// SPDX-License-Identifier: Apache-2.0
// The VMs of an earlier daemon: found by their records, then asked what they hold and what they do.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resources/host_internal.h"

enum { ADOPT_ASK_MS = 10000 }; // for a monitor to answer; the daemon is not ready before

static void host_adopted_one(struct host *host)
{
	struct event event = { .type = EVENT_ADOPTION_DONE };

	if (--host->adoptions == 0)
		edge_post(&host->edge, &event);
}

static void vm_adopted(struct host_vm *vm, enum run_state state, enum migrate_status status)
{
	struct migrate_stats stats = { .status = (uint8_t)status };
	struct event event = { .type = EVENT_VM_ADOPTED,
			       .vm = vm->ref,
			       .uuid = vm->uuid,
			       .attempt = vm->attempt,
			       .flag = vm->adopt_held,
			       .shared = vm->adopt_shared,
			       .run_state = (uint8_t)state,
			       .stats = &stats };
	struct host *host = vm->host;

	vm->adopting = false;
	vm->adopt_unknown = state == RUN_UNKNOWN;
	loop_timer_cancel(&vm->adopt_timer);
	edge_post(&host->edge, &event);
	host_adopted_one(host);
}

void vm_adopt_over(struct host_vm *vm)
{
	loop_timer_cancel(&vm->adopt_timer);
	vm->adopt_unknown = false;
	if (!vm->adopting)
		return;
	vm->adopting = false;
	host_adopted_one(vm->host);
}

// Its monitor says nothing: what was never told to continue has not run all the same.
static enum run_state run_state_unheard(const struct host_vm *vm)
{
	return vm->incoming ? RUN_INCOMING : RUN_UNKNOWN;
}

static enum run_state run_state_of(const struct host_vm *vm, const char *word,
				   enum migrate_status status)
{
	bool sending = status == MIGRATE_SETUP || status == MIGRATE_ACTIVE ||
		       status == MIGRATE_PRE_SWITCHOVER || status == MIGRATE_DEVICE;

	// Told to continue while it still loads, it may do so at any moment.
	if (strcmp(word, "inmigrate") == 0)
		return run_state_unheard(vm);
	// A guest that was paused when its migration failed is called so, too; but only what is
	// known to have failed did.
	if (strcmp(word, "postmigrate") == 0)
		return status == MIGRATE_FAILED || status == MIGRATE_CANCELLED ? RUN_PAUSED
									       : RUN_POSTMIGRATE;
	if (strcmp(word, "finish-migrate") == 0)
		return status == MIGRATE_POSTCOPY || status == MIGRATE_TORN ? RUN_POSTMIGRATE
									    : RUN_SENDING;
	if (sending)
		return RUN_SENDING;
	if (strcmp(word, "running") == 0)
		return RUN_RUNNING;
	return vm->incoming ? RUN_RECEIVED : RUN_PAUSED;
}

static void vm_adopt_migration(void *owner, bool ok, const char *text)
{
	struct host_vm *vm = owner;
	struct migrate_answer answer = { 0 };
	char word[sizeof(vm->adopt_word)];
	enum run_state state;

	// Without an answer nothing is concluded: it is asked again when its monitor is back.
	if (!vm->adopting || !ok || !migrate_answer_read(text, &answer))
		return;
	snprintf(word, sizeof(word), "%s", vm->adopt_word);
	state = run_state_of(vm, word, (enum migrate_status)answer.status);
	if (state == RUN_SENDING || (state == RUN_POSTMIGRATE && answer.status == MIGRATE_POSTCOPY))
		vm_move_follow(vm);
	vm_adopted(vm, state, (enum migrate_status)answer.status);
	vm_status(vm, word);
}

static void vm_adopt_word(void *owner, bool ok, const char *text)
{
	struct host_vm *vm = owner;

	if (vm->adopting && ok && migrate_run_word(text, vm->adopt_word, sizeof(vm->adopt_word)))
		qmp_command(vm->qmp, "query-migrate", NULL, vm_adopt_migration, vm);
}

// Its monitor answers at last: nobody else says of one that sends, or has sent, that it does.
static void vm_late_migration(void *owner, bool ok, const char *text)
{
	struct host_vm *vm = owner;
	struct migrate_answer answer = { 0 };
	struct migrate_stats stats = { .status = MIGRATE_COMPLETED };
	struct event event = { .type = EVENT_MIGRATE,
			       .vm = vm->ref,
			       .uuid = vm->uuid,
			       .attempt = vm->attempt,
			       .stats = &stats };
	enum run_state state;

	if (!ok || !vm->adopt_unknown || !migrate_answer_read(text, &answer))
		return;
	state = run_state_of(vm, vm->adopt_word, (enum migrate_status)answer.status);
	if (state == RUN_UNKNOWN)
		return; // it still loads
	vm->adopt_unknown = false;
	if (state == RUN_SENDING) {
		vm_move_follow(vm);
	} else if (state == RUN_POSTMIGRATE) {
		bool rest = answer.status == MIGRATE_POSTCOPY || answer.status == MIGRATE_TORN;

		if (rest)
			stats.status = MIGRATE_POSTCOPY;
		edge_post(&vm->host->edge, &event);
		if (rest)
			vm_move_follow(vm);
	} else {
		vm_status(vm, vm->adopt_word);
		if (answer.status == MIGRATE_TORN)
			vm_move_torn(vm);
	}
}

bool vm_adopt_heard(struct host_vm *vm, const char *status)
{
	if (vm->adopt_unknown && status) {
		snprintf(vm->adopt_word, sizeof(vm->adopt_word), "%s", status);
		return qmp_command(vm->qmp, "query-migrate", NULL, vm_late_migration, vm) == 0;
	}
	if (!vm->adopting || !vm->adopt_timer.armed)
		return false;
	if (!status) {
		vm_adopted(vm, run_state_unheard(vm), MIGRATE_NONE);
		return true;
	}
	snprintf(vm->adopt_word, sizeof(vm->adopt_word), "%s", status);
	qmp_command(vm->qmp, "query-migrate", NULL, vm_adopt_migration, vm);
	return true;
}

static void vm_adopt_late(void *owner)
{
	vm_adopted(owner, run_state_unheard(owner), MIGRATE_NONE);
}

static void vm_inquire_work(void *owner)
{
	struct host_task *task = owner;

	task->ok = lock_holds(task->pid, task->leases, task->lease_count, &task->event.shared);
}

// Its lease is known; next, what its QEMU does.
static void vm_inquire_done(void *owner)
{
	struct host_task *task = owner;
	struct host *host = task->host;
	struct host_vm *vm = vm_find(host, &task->event.uuid);
	bool held = task->ok, shared = task->event.shared;

	free(task);
	// One that ended meanwhile is nothing to adopt.
	if (!vm || !vm->process || !vm->adopting)
		return;
	vm->adopt_held = held;
	vm->adopt_shared = shared;
	loop_timer_ms(host->edge.loop, &vm->adopt_timer, ADOPT_ASK_MS, vm_adopt_late, vm);
	if (vm->qmp) {
		qmp_command(vm->qmp, "query-status", NULL, vm_adopt_word, vm);
		return;
	}
	// Only with its lease may one that was never let go on be let go on.
	vm->cont_wanted = held && !shared && !vm->incoming;
	vm_open_qmp(vm);
}

static void vm_inquire(struct host_vm *vm)
{
	struct host_task *task =
		vm->adopting ? NULL : vm_task(vm, EVENT_VM_ADOPTED, vm_inquire_work);

	if (!task)
		return;
	task->task.done = vm_inquire_done;
	vm->adopting = true;
	vm->host->adoptions++;
	worker_submit(vm->host->pool, &task->task);
}

// Of this boot alone: what was written of an earlier one may have been taken back, and lost.
static bool adopt_saved(struct host *host, const struct record *record)
{
	struct event event = { .type = EVENT_SAVED,
			       .vm = record->vm,
			       .uuid = record->uuid,
			       .attempt = record->attempt,
			       .flag = true,
			       .move = record->saved_move,
			       .index = record->saved_bytes };
	char boot[40];

	if (!record->saved_move || !record_boot(boot) || strcmp(boot, record->boot) != 0)
		return false;
	edge_post(&host->edge, &event);
	return true;
}

static void vm_adopt(void *owner, const struct record *record)
{
	struct host *host = owner;
	struct host_vm *vm = vm_find(host, &record->uuid);
	bool saved = adopt_saved(host, record);
	int error;

	if (vm && vm->process) {
		vm_inquire(vm);
		return;
	}
	vm = vm_make(host, &record->uuid, record->vm, record->attempt);
	if (!vm)
		return;
	error = process_adopt(&vm->process, &host->process, vm_listener(vm), record);
	if (error) {
		// Else its record keeps another from being started, or says that it was saved.
		if (error == -ESRCH && !saved)
			vm_clean(host, &record->uuid);
		vm_free(vm);
		return;
	}
	vm->spawned = vm->let_go = true;
	vm->incoming = record->incoming;
	vm->saved_move = record->saved_move;
	vm->saved_bytes = record->saved_bytes;
	vm->start_mode = record->incoming ? START_INCOMING : START_FRESH;
	vm->lease_count = record->lease_count;
	memcpy(vm->leases, record->leases, sizeof(vm->leases));
	credentials_remove(host, &record->uuid);
	vm_inquire(vm);
}

// Counted from one, so that DONE comes last, and also when there is none.
void host_vm_adopt_all(struct host *host)
{
	host->adoptions++;
	record_each(host->config.run_dir, vm_adopt, host);
	host_adopted_one(host);
}
