// SPDX-License-Identifier: Apache-2.0
// A VM's move as its QEMU does it: sends memory, receives it, is tuned, stopped and followed.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clusterd/trace_io.h"
#include "resources/host_internal.h"

enum {
	POLL_MS = 100,
	SUMS_MS = 20,
	LOOK_AFTER_MS = 300, // QEMU resumes the guest of a failed migration by itself
};

uint64_t move_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static bool move_sends(const struct host_vm *vm)
{
	return vm->move.doing == DOING_SENDING || vm->move.doing == DOING_SAVING;
}

static void move_timer(struct host_vm *vm, uint32_t ms, loop_fn fn)
{
	loop_timer_ms(vm->host->edge.loop, &vm->move.timer, ms, fn, vm);
}

void vm_move_init(struct host_vm *vm)
{
	vm->move.fd = -1;
}

static void move_post_stats(struct host_vm *vm, const char *reason)
{
	struct migrate_stats stats = vm->move.stats;
	struct event event = { .type = EVENT_MIGRATE,
			       .vm = vm->ref,
			       .uuid = vm->uuid,
			       .attempt = vm->attempt,
			       .stats = &stats,
			       .reason = reason };

	edge_post(&vm->host->edge, &event);
}

// --- the leases --------------------------------------------------------------------------------

static void move_share_work(void *owner)
{
	struct host_task *task = owner;

	task->ok = lock_convert(task->pid, task->leases, task->lease_count, true,
				&task->event.shared, &task->error, task->reason);
	task->event.lease_error = task->ok ? 0 : (uint8_t)task->error;
}

static void move_exclusive_work(void *owner)
{
	struct host_task *task = owner;

	task->ok = lock_convert(task->pid, task->leases, task->lease_count, false,
				&task->event.shared, &task->error, task->reason);
	task->event.lease_error = task->ok ? 0 : (uint8_t)task->error;
}

static void move_convert(struct host_vm *vm, bool to_shared)
{
	enum event_type type = to_shared ? EVENT_LEASE_SHARED : EVENT_LEASE_EXCLUSIVE;
	struct event event = { .type = (uint8_t)type,
			       .vm = vm->ref,
			       .uuid = vm->uuid,
			       .attempt = vm->attempt,
			       .shared = true,
			       .lease_error = LEASE_ERROR_PROCESS,
			       .reason = "its process is gone" };
	struct host_task *task;

	if (!vm->process) {
		edge_post(&vm->host->edge, &event);
		return;
	}
	// Without a disk to guard it is as was asked.
	if (vm->lease_count == 0) {
		event = (struct event){ .type = (uint8_t)type,
					.vm = vm->ref,
					.uuid = vm->uuid,
					.attempt = vm->attempt,
					.flag = true,
					.shared = to_shared };
		edge_post(&vm->host->edge, &event);
		return;
	}
	task = vm_task(vm, type, to_shared ? move_share_work : move_exclusive_work);
	if (task)
		worker_submit(vm->host->pool, &task->task);
}

// --- how a move of any kind begins and ends ----------------------------------------------------

static void move_copy_text(char *to, size_t size, const char *from, const char **text)
{
	snprintf(to, size, "%s", from ? from : "");
	*text = to;
}

void vm_move_begin(struct host_vm *vm, enum vm_doing doing, const struct migrate_params *params)
{
	struct vm_move *move = &vm->move;

	script_drop(&move->script);
	loop_timer_cancel(&move->timer);
	move->doing = (uint8_t)doing;
	move->epoch++;
	move->begun = move->asked = move->loaded = move->continuing = move->fetch_again = false;
	move->began_us = move->stopped_us = 0;
	memset(&move->stats, 0, sizeof(move->stats));
	if (!params || params == &move->params)
		return;
	move->params = *params;
	move_copy_text(move->address, sizeof(move->address), params->address,
		       &move->params.address);
	move_copy_text(move->peer, sizeof(move->peer), params->peer, &move->params.peer);
}

void vm_move_end(struct host_vm *vm)
{
	vm_move_begin(vm, DOING_NOTHING, NULL);
}

void vm_move_over(struct host_vm *vm)
{
	struct vm_move *move = &vm->move;

	vm_save_over(vm);
	vm_move_end(vm);
	credentials_remove(vm->host, &vm->uuid);
	script_closed(&move->script);
	loop_timer_cancel(&move->measure);
	move->capabilities = 0;
	move->wanted = move->measuring = false;
}

void vm_move_failed(struct host_vm *vm, const char *reason)
{
	struct migrate_stats stats = vm->move.stats;

	credentials_remove(vm->host, &vm->uuid);
	switch ((enum vm_doing)vm->move.doing) {
	case DOING_SENDING:
		vm_move_end(vm);
		vm->move.stats = stats;
		vm->move.stats.status = MIGRATE_FAILED;
		move_post_stats(vm, reason);
		return;
	case DOING_SAVING:
	case DOING_SYNCING:
		vm_save_failed(vm, reason);
		return;
	case DOING_LISTENING:
		vm_move_end(vm);
		vm_post(vm, EVENT_QEMU_LISTENING, false, reason);
		return;
	case DOING_LOADING:
		vm_move_end(vm);
		vm_post(vm, EVENT_QEMU_RESTORED, false, reason);
		return;
	case DOING_NOTHING:
	case DOING_ENDING:
		return;
	}
}

static void move_go(struct host_vm *vm);

static void move_heard_capabilities(void *owner, bool ok, const char *text)
{
	struct host_vm *vm = owner;
	uint32_t needed = 1u << CAPABILITY_EVENTS | 1u << CAPABILITY_PAUSE, known = 0;

	if (vm->move.capabilities || vm->move.doing == DOING_NOTHING)
		return;
	if (!ok || !migrate_capabilities_read(text, &known)) {
		vm_move_failed(vm, ok ? "QEMU does not say what its migration can do" : text);
	} else if ((known & needed) != needed) {
		vm_move_failed(vm, "this host's QEMU is too old: its migration has no events, or "
				   "no pause before the switchover");
	} else {
		vm->move.capabilities = known;
		move_go(vm);
	}
}

// Its certificates are where QEMU reads them, its capabilities are known: on with what it does.
static void move_go(struct host_vm *vm)
{
	if (!vm->qmp) {
		vm_move_failed(vm, "QEMU's monitor is not there");
	} else if (!vm->move.capabilities) {
		if (qmp_command(vm->qmp, "query-migrate-capabilities", NULL,
				move_heard_capabilities, vm))
			vm_move_failed(vm, "QEMU's monitor cannot be reached");
	} else if (vm->move.doing == DOING_SAVING) {
		vm_save_go(vm);
	} else if (vm->move.doing == DOING_LOADING) {
		vm_restore_go(vm);
	} else {
		vm_migrate_go(vm);
	}
}

struct credentials_task {
	struct worker_task task;
	struct host *host;
	struct uuid uuid;
	uint32_t epoch;
	bool source, ok;
	char reason[REASON_SIZE];
};

static void credentials_work(void *owner)
{
	struct credentials_task *task = owner;

	task->ok = credentials_put(task->host, &task->uuid, task->source, task->reason);
}

static void credentials_done(void *owner)
{
	struct credentials_task *task = owner;
	struct host_vm *vm = vm_find(task->host, &task->uuid);

	if (vm)
		vm->move.fetching = false;
	if (!vm || vm->move.epoch != task->epoch) {
		credentials_remove(task->host, &task->uuid);
		if (vm && vm->move.fetch_again) {
			vm->move.fetch_again = false;
			vm_move_prepare(vm);
		}
	} else if (task->ok) {
		move_go(vm);
	} else {
		vm_move_failed(vm, task->reason);
	}
	free(task);
}

void vm_move_prepare(struct host_vm *vm)
{
	struct credentials_task *task;

	if (!vm->move.params.tls || vm->move.doing == DOING_SAVING ||
	    vm->move.doing == DOING_LOADING) {
		move_go(vm);
		return;
	}
	// One thread at a time fills the folder, or empties it.
	vm->move.fetch_again = vm->move.fetching;
	if (vm->move.fetching)
		return;
	task = calloc(1, sizeof(*task));
	if (!task) {
		vm_move_failed(vm, "out of memory");
		return;
	}
	vm->move.fetching = true;
	task->task = (struct worker_task){ .work = credentials_work,
					   .done = credentials_done,
					   .owner = task };
	task->host = vm->host;
	task->uuid = vm->uuid;
	task->epoch = vm->move.epoch;
	task->source = vm->move.doing == DOING_SENDING;
	worker_submit(vm->host->pool, &task->task);
}

// --- the memory goes, or comes, over the network -----------------------------------------------

static uint32_t migrate_capabilities_wanted(const struct migrate_params *params, bool source)
{
	uint32_t on = 1u << CAPABILITY_EVENTS;

	// Without a return path the source is done when it has sent all of it, and the target's
	// word counts for whether the guest may run: no reply of a target that already runs can
	// get lost on the way to a source that then resumes.
	if (source)
		on |= 1u << CAPABILITY_PAUSE;
	else
		on |= 1u << CAPABILITY_LATE_BLOCK;
	// QEMU 7.2 does not do both.
	if (params->post_copy)
		on |= 1u << CAPABILITY_POST_COPY;
	else if (params->channels > 1)
		on |= 1u << CAPABILITY_MULTIFD;
	if (source && params->throttle)
		on |= 1u << CAPABILITY_AUTO_CONVERGE;
	return on;
}

// All that precedes the command that begins it.
static void migrate_script(struct host_vm *vm, bool source, qmp_reply_fn done)
{
	const struct migrate_params *params = &vm->move.params;
	struct qmp_script *script = &vm->move.script;
	char folder[512];

	script_begin(script, vm->qmp, done, vm);
	script_add(script, "migrate-set-capabilities",
		   migrate_capabilities_write(vm->move.capabilities,
					      migrate_capabilities_wanted(params, source)));
	// An earlier move's: certificates are renewed now and then.
	if (params->tls) {
		vm_path(vm->host, &vm->uuid, ".tls", folder, sizeof(folder));
		script_try(script, "object-del", migrate_text_write("id", MIGRATE_CREDENTIALS));
		script_add(script, "object-add", migrate_credentials_write(folder, source));
	}
	if (params->tls && !source) {
		script_try(script, "object-del", migrate_text_write("id", MIGRATE_AUTHORIZATION));
		script_add(script, "object-add", migrate_authorization_write(params->peer));
	}
	script_add(script, "migrate-set-parameters", migrate_parameters_write(params, source));
}

static void migrate_poll(void *owner);

static void migrate_sent(void *owner, bool ok, const char *text)
{
	struct host_vm *vm = owner;

	credentials_remove(vm->host, &vm->uuid);
	if (!ok)
		vm_move_failed(vm, text);
	else if (vm->move.doing == DOING_SENDING && !vm->move.timer.armed)
		move_timer(vm, POLL_MS, migrate_poll);
}

static void listening_port(void *owner, bool ok, const char *text)
{
	struct host_vm *vm = owner;
	struct event event = { .type = EVENT_QEMU_LISTENING,
			       .vm = vm->ref,
			       .uuid = vm->uuid,
			       .attempt = vm->attempt,
			       .flag = true,
			       .reason = vm->move.address };
	struct migrate_answer answer = { 0 };

	credentials_remove(vm->host, &vm->uuid);
	if (!ok || !migrate_answer_read(text, &answer) || !answer.port) {
		vm_move_failed(vm, ok ? "QEMU does not say where it listens" : text);
		return;
	}
	event.port = answer.port;
	edge_post(&vm->host->edge, &event);
}

void vm_migrate_go(struct host_vm *vm)
{
	struct vm_move *move = &vm->move;
	bool source = move->doing == DOING_SENDING;

	migrate_script(vm, source, source ? migrate_sent : listening_port);
	if (source) {
		script_add(&move->script, "migrate",
			   migrate_address_write(move->address, move->params.port));
	} else {
		// Whoever comes has to show the source's certificate, on whatever network.
		script_add(&move->script, "migrate-incoming",
			   migrate_address_write(move->params.tls ? "" : move->address,
						 move->params.port));
		script_add(&move->script, "query-migrate", strdup(""));
	}
	script_run(&move->script);
}

static void move_send(struct host_vm *vm, const struct action *action)
{
	// Asked for again because the answer was not heard yet.
	if (vm->move.doing == DOING_SENDING)
		return;
	vm_move_begin(vm, DOING_SENDING, action->migrate);
	vm_move_prepare(vm);
}

void vm_move_expect(struct host_vm *vm, const struct action *action)
{
	static const struct migrate_params none;
	struct vm_move *move = &vm->move;

	move->wanted = false;
	switch ((enum start_mode)action->start_mode) {
	case START_FRESH:
	case START_MODE_COUNT:
		return;
	case START_INCOMING:
		vm_move_begin(vm, DOING_LISTENING, action->migrate ? action->migrate : &none);
		// The best of this host's, as it is told to everybody.
		if (!move->address[0])
			snprintf(move->address, sizeof(move->address), "%s",
				 vm->host->report.addresses[0]);
		break;
	case START_RESTORE:
		vm_move_begin(vm, DOING_LOADING, &none);
		break;
	}
	move->wanted = true;
}

void vm_move_waits(struct host_vm *vm)
{
	if (!vm->move.wanted)
		return;
	vm->move.wanted = false;
	if (vm->move.doing == DOING_LISTENING && !vm->move.address[0])
		vm_move_failed(vm, "this host has no address for moves");
	else
		vm_move_prepare(vm);
}

// --- following it ------------------------------------------------------------------------------

static void move_status(struct host_vm *vm, enum migrate_status status);

static void move_look(void *owner, bool ok, const char *text)
{
	struct host_vm *vm = owner;
	struct migrate_answer answer;

	vm->move.asked = false;
	if (!move_sends(vm) || !ok || !migrate_answer_read(text, &answer))
		return;
	// Never back: the event of a change may have overtaken this answer.
	if (answer.status < vm->move.stats.status || answer.status == MIGRATE_NONE)
		return;
	if (answer.sums) {
		answer.stats.status = vm->move.stats.status;
		vm->move.stats = answer.stats;
	}
	if (answer.status == MIGRATE_FAILED || answer.status == MIGRATE_CANCELLED ||
	    answer.status > vm->move.stats.status)
		move_status(vm, (enum migrate_status)answer.status);
	else
		move_post_stats(vm, NULL);
}

static void migrate_poll(void *owner)
{
	struct host_vm *vm = owner;

	if (!move_sends(vm))
		return;
	move_timer(vm, POLL_MS, migrate_poll);
	if (vm->move.doing == DOING_SAVING)
		vm_save_write_back(vm);
	if (!vm->move.asked && vm->qmp)
		vm->move.asked = qmp_command(vm->qmp, "query-migrate", NULL, move_look, vm) == 0;
}

void vm_move_follow(struct host_vm *vm)
{
	if (vm->move.doing != DOING_NOTHING)
		return;
	vm_move_begin(vm, DOING_SENDING, NULL);
	vm->move.begun = true;
	move_timer(vm, 0, migrate_poll);
}

// QEMU's own sums come after the word that it is done, which waited for nothing.
static void move_sums(void *owner, bool ok, const char *text)
{
	struct host_vm *vm = owner;
	struct migrate_stats *stats = &vm->move.stats;
	struct migrate_answer answer;

	if (vm->move.doing != DOING_NOTHING || stats->status != MIGRATE_COMPLETED || !ok ||
	    !migrate_answer_read(text, &answer) || !answer.sums ||
	    answer.status != MIGRATE_COMPLETED)
		return;
	answer.stats.pause_us = stats->pause_us;
	if (!answer.stats.total_ms)
		answer.stats.total_ms = stats->total_ms;
	if (!answer.stats.rate)
		answer.stats.rate = stats->rate;
	answer.stats.dirty_rate = stats->dirty_rate;
	*stats = answer.stats;
	move_post_stats(vm, NULL);
}

static void move_ask_sums(void *owner)
{
	struct host_vm *vm = owner;

	if (vm->qmp)
		qmp_command(vm->qmp, "query-migrate", NULL, move_sums, vm);
}

static void move_completed(struct host_vm *vm)
{
	uint64_t now_us = move_now_us();
	struct migrate_stats stats = vm->move.stats;

	stats.status = MIGRATE_COMPLETED;
	stats.remaining = 0;
	if (vm->move.stopped_us)
		stats.pause_us = (uint32_t)(now_us - vm->move.stopped_us);
	if (vm->move.began_us)
		stats.total_ms = (uint32_t)((now_us - vm->move.began_us) / 1000);
	vm_move_end(vm);
	vm->move.stats = stats;
	move_timer(vm, SUMS_MS, move_ask_sums);
	move_post_stats(vm, NULL);
}

static void move_after(void *owner, bool ok, const char *text)
{
	struct host_vm *vm = owner;
	char word[40], reason[REASON_SIZE];

	if (vm->move.doing != DOING_ENDING)
		return;
	vm->move.doing = DOING_NOTHING;
	if (!ok || !migrate_run_word(text, word, sizeof(word)) || strcmp(word, "running") == 0)
		return;
	snprintf(reason, sizeof(reason), "QEMU says that the guest is %s", word);
	vm_post(vm, EVENT_QEMU_PAUSED, false, reason);
}

static void move_ask_after(void *owner)
{
	struct host_vm *vm = owner;

	if (vm->move.doing == DOING_ENDING &&
	    (!vm->qmp || qmp_command(vm->qmp, "query-status", NULL, move_after, vm)))
		vm->move.doing = DOING_NOTHING;
}

void vm_move_look_after(struct host_vm *vm)
{
	vm->move.doing = DOING_ENDING;
	move_timer(vm, LOOK_AFTER_MS, move_ask_after);
}

static void move_broke_off(void *owner, bool ok, const char *text)
{
	struct host_vm *vm = owner;
	bool cancelled = vm->move.stats.status == MIGRATE_CANCELLED;
	struct migrate_stats stats = vm->move.stats;
	struct migrate_answer answer = { 0 };

	if (!move_sends(vm))
		return;
	if (ok)
		migrate_answer_read(text, &answer);
	if (!answer.reason[0])
		snprintf(answer.reason, sizeof(answer.reason), "%s",
			 cancelled ? "it was cancelled" : "QEMU does not say why it failed");
	if (vm->move.doing == DOING_SAVING) {
		vm_save_failed(vm, answer.reason);
		return;
	}
	vm_move_end(vm);
	vm->move.stats = stats;
	vm_move_look_after(vm);
	move_post_stats(vm, answer.reason);
}

static void move_status(struct host_vm *vm, enum migrate_status status)
{
	struct vm_move *move = &vm->move;

	if (status == move->stats.status && status != MIGRATE_SETUP)
		return;
	move->stats.status = (uint8_t)status;
	move->begun = true;
	switch (status) {
	case MIGRATE_SETUP:
		move->began_us = move_now_us();
		move_timer(vm, POLL_MS, migrate_poll);
		break;
	case MIGRATE_ACTIVE:
	case MIGRATE_POSTCOPY:
	case MIGRATE_PRE_SWITCHOVER:
	case MIGRATE_DEVICE:
	case MIGRATE_TORN:
		break;
	case MIGRATE_COMPLETED:
		if (move->doing == DOING_SAVING)
			vm_save_completed(vm);
		else
			move_completed(vm);
		return;
	case MIGRATE_FAILED:
	case MIGRATE_CANCELLED:
		if (qmp_command(vm->qmp, "query-migrate", NULL, move_broke_off, vm))
			move_broke_off(vm, false, NULL);
		return;
	case MIGRATE_NONE:
	case MIGRATE_STATUS_COUNT:
		return;
	}
	move_post_stats(vm, NULL);
}

// --- what is heard of it -----------------------------------------------------------------------

// What it has received so far is all that it will have: it runs, until it needs the rest.
void vm_move_torn(struct host_vm *vm)
{
	struct migrate_stats stats = { .status = MIGRATE_TORN };
	struct event event = { .type = EVENT_MIGRATE,
			       .vm = vm->ref,
			       .uuid = vm->uuid,
			       .attempt = vm->attempt,
			       .stats = &stats };

	edge_post(&vm->host->edge, &event);
}

void vm_move_heard(struct host_vm *vm, const char *word)
{
	uint8_t status;

	if (!migrate_status_read(word, &status))
		return;
	if (move_sends(vm))
		move_status(vm, (enum migrate_status)status);
	else if (status == MIGRATE_COMPLETED)
		vm_arrived(vm);
	else if (status == MIGRATE_TORN)
		vm_move_torn(vm);
}

bool vm_move_stopped(struct host_vm *vm)
{
	if (!move_sends(vm) || !vm->move.begun)
		return false;
	vm->move.stopped_us = move_now_us();
	trace_note(vm->host->edge.trace, "stopped", vm->ref);
	return true;
}

void vm_move_resumed(struct host_vm *vm)
{
	if (vm->move.doing == DOING_LISTENING || vm->move.doing == DOING_LOADING ||
	    (vm->move.doing == DOING_ENDING && !vm->move.dropping))
		vm_move_end(vm);
	vm->move.stopped_us = 0;
}

// --- other actions -----------------------------------------------------------------------------

static void move_tune(struct host_vm *vm, const struct migrate_params *params)
{
	bool throttle = vm->move.params.throttle > 0;
	char *arguments = migrate_tune_write(params, throttle);

	if (arguments && vm->qmp && vm->move.begun)
		qmp_command(vm->qmp, "migrate-set-parameters", arguments, NULL, NULL);
	free(arguments);
	if (params->post_copy && vm->qmp && vm->move.begun)
		qmp_command(vm->qmp, "migrate-start-postcopy", NULL, NULL, NULL);
}

// Before QEMU has begun there is nothing to cancel, and nothing that would tell of it.
static void move_cancel(struct host_vm *vm)
{
	const char *sent = script_sent(&vm->move.script);

	if (move_sends(vm) && !vm->move.begun && (!sent || strcmp(sent, "migrate") != 0)) {
		if (vm->move.doing == DOING_SAVING) {
			vm_save_failed(vm, "it was cancelled");
			return;
		}
		vm_move_end(vm);
		if (!vm->move.fetching)
			credentials_remove(vm->host, &vm->uuid);
		vm->move.stats.status = MIGRATE_CANCELLED;
		move_post_stats(vm, "it was cancelled");
	} else if (vm->qmp) {
		qmp_command(vm->qmp, "migrate_cancel", NULL, NULL, NULL);
	}
}

// QEMU's own announcement, which it begins when it has the memory, waits with all of its packets
// until the guest runs: this one is sure to come after that. (Do not forbid QEMU its own with
// announce-rounds 0: then 7.2 dies at the guest's next reset.)
static void move_announce(struct host_vm *vm)
{
	if (vm->qmp)
		qmp_command(vm->qmp, "announce-self",
			    "{\"initial\":50,\"max\":550,\"rounds\":5,\"step\":100}", NULL, NULL);
}

bool vm_move_perform(struct host_vm *vm, const struct cluster *cluster, const struct action *action)
{
	switch (action->type) {
	case ACTION_LEASE_SHARE:
		move_convert(vm, true);
		return true;
	case ACTION_LEASE_EXCLUSIVE:
		move_convert(vm, false);
		return true;
	case ACTION_MIGRATE:
		move_send(vm, action);
		return true;
	case ACTION_MIGRATE_TUNE:
		move_tune(vm, action->migrate);
		return true;
	case ACTION_MIGRATE_CONTINUE:
		if (vm->qmp)
			qmp_command(vm->qmp, "migrate-continue", "{\"state\":\"pre-switchover\"}",
				    NULL, NULL);
		return true;
	case ACTION_MIGRATE_CANCEL:
		move_cancel(vm);
		return true;
	case ACTION_MIGRATE_BREAK:
		// Without a migration under way there is no such instance, and nothing happens.
		if (vm->qmp)
			qmp_urgent(vm->qmp, "yank", "{\"instances\":[{\"type\":\"migration\"}]}");
		if (vm->process)
			process_stop_connecting(vm->process);
		return true;
	case ACTION_SAVE:
		vm_save(vm, cluster, action);
		return true;
	case ACTION_DIRTY_RATE:
		vm_dirty_rate(vm);
		return true;
	case ACTION_QEMU_ANNOUNCE:
		move_announce(vm);
		return true;
	}
	return false;
}
