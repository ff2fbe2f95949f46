// SPDX-License-Identifier: Apache-2.0
/*
 *   OFFLINE -> SPAWNING -> LEASING -> GRANTED -> STARTING ------------------> RUNNING -> STOPPING
 *                 |         |   ^       |  |        |                          ^  |         |
 *                 |         v   |       |  +--> INCOMING ------> CONTINUING ---+  |         |
 *                 |        BACKOFF      |  |        |             ^   ^  |        v         |
 *                 |         |           |  +--> RESTORING -> RESTORED |  |      HANDED      |
 *                 |         |           |           |           |     +----------+          |
 *                 |         |           |           |           |        |       |          |
 *                 +---------+-----------+-----------+-----------+--------+-------+----------+--+
 *                                                                                              |
 *   OFFLINE <- ENDED <- RELEASING <- KILLING, or the process is gone by itself <-----------------+
 *
 * The order is the safety: QEMU is let go only from GRANTED, so never without the lease; an end is
 * reported only from ENDED, so never while the process lives; and the lease belongs to the process,
 * so it cannot be let go of earlier than QEMU's last write.
 *
 * A guest whose CPUs never ran here (INCOMING, RESTORED), or that was handed over (HANDED), writes
 * nothing. It continues through CONTINUING alone, and only with wish->cont, for which migration/
 * gives the reasons. A QEMU that continues by itself in one of these lives is killed at once.
 */
#include "resources/vm.h"

#include <string.h>

#include "clusterd/cpu.h"
#include "clusterd/invariant.h"
#include "clusterd/text.h"

enum {
	SPAWN_LIMIT_MS = 30000,
	START_LIMIT_MS = 60000,
	RESTORE_LIMIT_MS = 900000, // much memory from a slow volume
	GRANTED_LIMIT_MS = 10000,  // a view that stays away that long gives the lease back
	BACKOFF_FIRST_MS = 250,
	BACKOFF_LAST_MS = 2000,
	HELD_AFTER = 4, // refusals until the wait is worth a report
	KILL_AGAIN_MS = 10000,
	CONT_AGAIN_MS = 5000,
	CONT_SOON_MS = 1000, // a guest that came, and stands still meanwhile
};

static const uint64_t NEVER = UINT64_MAX;

#define BIT(life) (1u << (life))

static const uint16_t moves[LIFE_COUNT] = {
	// all but SPAWNING: found, left by an earlier daemon
	[LIFE_OFFLINE] = BIT(LIFE_SPAWNING) | BIT(LIFE_RUNNING) | BIT(LIFE_INCOMING) |
			 BIT(LIFE_HANDED) | BIT(LIFE_KILLING),
	[LIFE_SPAWNING] = BIT(LIFE_LEASING) | BIT(LIFE_KILLING) | BIT(LIFE_RELEASING),
	[LIFE_LEASING] =
		BIT(LIFE_BACKOFF) | BIT(LIFE_GRANTED) | BIT(LIFE_KILLING) | BIT(LIFE_RELEASING),
	[LIFE_BACKOFF] = BIT(LIFE_LEASING) | BIT(LIFE_KILLING) | BIT(LIFE_RELEASING),
	[LIFE_GRANTED] = BIT(LIFE_STARTING) | BIT(LIFE_INCOMING) | BIT(LIFE_RESTORING) |
			 BIT(LIFE_KILLING) | BIT(LIFE_RELEASING),
	[LIFE_STARTING] = BIT(LIFE_RUNNING) | BIT(LIFE_KILLING) | BIT(LIFE_RELEASING),
	[LIFE_INCOMING] = BIT(LIFE_CONTINUING) | BIT(LIFE_KILLING) | BIT(LIFE_RELEASING),
	[LIFE_RESTORING] = BIT(LIFE_RESTORED) | BIT(LIFE_KILLING) | BIT(LIFE_RELEASING),
	[LIFE_RESTORED] = BIT(LIFE_CONTINUING) | BIT(LIFE_KILLING) | BIT(LIFE_RELEASING),
	[LIFE_CONTINUING] = BIT(LIFE_RUNNING) | BIT(LIFE_KILLING) | BIT(LIFE_RELEASING),
	[LIFE_RUNNING] =
		BIT(LIFE_STOPPING) | BIT(LIFE_HANDED) | BIT(LIFE_KILLING) | BIT(LIFE_RELEASING),
	[LIFE_HANDED] = BIT(LIFE_CONTINUING) | BIT(LIFE_KILLING) | BIT(LIFE_RELEASING),
	[LIFE_STOPPING] = BIT(LIFE_KILLING) | BIT(LIFE_RELEASING),
	[LIFE_KILLING] = BIT(LIFE_RELEASING),
	[LIFE_RELEASING] = BIT(LIFE_ENDED),
	[LIFE_ENDED] = BIT(LIFE_OFFLINE),
};

static void vm_local_move(struct vm_local *local, enum vm_life life, uint64_t deadline_ms)
{
	INVARIANT(moves[local->life] & BIT(life));
	local->life = (uint8_t)life;
	local->deadline_ms = deadline_ms;
	// There is something new to report, however lately the last report was made.
	if (life == LIFE_RUNNING || life == LIFE_KILLING || life == LIFE_RELEASING)
		local->reported_ms = 0;
}

const char *vm_life_word(enum vm_life life)
{
	switch (life) {
	case LIFE_OFFLINE: return "offline";
	case LIFE_SPAWNING: return "spawning";
	case LIFE_LEASING: return "leasing";
	case LIFE_BACKOFF: return "waiting for its lease";
	case LIFE_GRANTED: return "leased";
	case LIFE_STARTING: return "starting";
	case LIFE_INCOMING:
		return "waiting for its guest";
	case LIFE_RESTORING:
		return "restoring";
	case LIFE_RESTORED:
		return "restored";
	case LIFE_CONTINUING:
		return "continuing";
	case LIFE_RUNNING: return "running";
	case LIFE_HANDED:
		return "handed over";
	case LIFE_STOPPING: return "stopping";
	case LIFE_KILLING: return "ending";
	case LIFE_RELEASING: return "releasing";
	case LIFE_ENDED: return "ended";
	case LIFE_COUNT: break;
	}
	return "?";
}

bool vm_local_process(const struct vm_local *local)
{
	return local->life >= LIFE_SPAWNING && local->life <= LIFE_KILLING;
}

static struct action *vm_action(struct vm_local *local, enum action_type type,
				struct actions *actions)
{
	struct action *action = actions_add(actions, type);

	action->vm = local->ref;
	action->uuid = local->uuid;
	action->attempt = local->attempt;
	return action;
}

static void set_reason(struct vm_local *local, const char *reason)
{
	text_copy(local->reason, sizeof(local->reason), reason ? reason : "");
}

static void vm_spawn(struct vm_local *local, const struct vm_wish *wish, uint64_t now_ms,
		     struct actions *actions)
{
	vm_local_move(local, LIFE_SPAWNING, now_ms + SPAWN_LIMIT_MS);
	local->attempt = local->claim = wish->attempt;
	local->sanlock_epoch = wish->sanlock_epoch;
	local->report = 0;
	local->mode = wish->mode;
	local->executed = local->continued = local->paused = local->guest_shutdown = false;
	local->deaf = local->unkillable = local->held = local->cpu_known = false;
	local->listening = local->sending = local->unsure = local->unleased = false;
	local->sent = MIGRATE_NONE;
	// Also of a state that it does not begin from, and that nobody may restore any more.
	local->restored_volume = wish->mode != START_INCOMING && wish->saved_volume < VOLUMES_MAX
					 ? (uint8_t)(wish->saved_volume + 1)
					 : 0;
	memset(&local->hold, 0, sizeof(local->hold));
	local->refusals = 0;
	local->reported_ms = 0;
	set_reason(local, "");
	vm_action(local, ACTION_VM_SPAWN, actions);
}

static void vm_acquire(struct vm_local *local, struct actions *actions)
{
	vm_local_move(local, LIFE_LEASING, NEVER);
	vm_action(local, ACTION_LEASE_ACQUIRE, actions)->flag = local->mode == START_INCOMING;
}

// Ends what lives, now. A child that was not let go has no guest to lose and ends at its pipe's
// end.
static void vm_kill(struct vm_local *local, enum vm_report report, const char *why, uint64_t now_ms,
		    struct actions *actions)
{
	bool executed = local->executed;

	/*
	 * Its saved state is as good as before, and is kept. One that was found waiting may be such
	 * a one; of the target of a move nobody hears this, because its move speaks for it.
	 */
	if (local->mode != START_FRESH && executed && !local->continued)
		report = VM_REPORT_START_FAILED;
	local->report = (uint8_t)report;
	set_reason(local, why);
	vm_local_move(local, LIFE_KILLING, now_ms + KILL_AGAIN_MS);
	vm_action(local, executed ? ACTION_QEMU_KILL : ACTION_VM_ABANDON, actions);
}

static void vm_stop(struct vm_local *local, const struct vm_wish *wish, uint64_t now_ms,
		    struct actions *actions)
{
	if (wish->stop_timeout_ms == 0) {
		vm_kill(local, VM_REPORT_STOPPED, wish->why, now_ms, actions);
		return;
	}
	local->report = VM_REPORT_STOPPED;
	set_reason(local, wish->why);
	vm_local_move(local, LIFE_STOPPING, now_ms + wish->stop_timeout_ms);
	vm_action(local, ACTION_QEMU_POWERDOWN, actions);
}

// A paused guest goes on when its volumes are back; the process lives, so its lease does.
static void vm_go_on(struct vm_local *local, const struct vm_wish *wish, uint64_t now_ms,
		     struct actions *actions)
{
	if (!local->paused || now_ms < local->deadline_ms)
		return;
	// Moved on also while the volumes are away: a deadline left in the past would wake the
	// daemon for ever.
	local->deadline_ms = now_ms + CONT_AGAIN_MS;
	if (wish->volumes_online && !local->unsure && !wish->stay)
		vm_action(local, ACTION_QEMU_CONT, actions);
}

static void wish_running(struct vm_local *local, const struct vm_wish *wish, uint64_t now_ms,
			 struct actions *actions)
{
	if (wish->stop && !wish->stay)
		vm_stop(local, wish, now_ms, actions);
	else
		vm_go_on(local, wish, now_ms, actions);
}

static void vm_continue(struct vm_local *local, uint64_t now_ms, struct actions *actions)
{
	vm_local_move(local, LIFE_CONTINUING, now_ms + CONT_SOON_MS);
	local->continued = true;
	local->paused = false;
	vm_action(local, ACTION_QEMU_CONT, actions);
}

// Its CPUs stand still: nothing is lost that somebody else does not have.
static void wish_still(struct vm_local *local, const struct vm_wish *wish, uint64_t now_ms,
		       struct actions *actions)
{
	bool handed = local->life == LIFE_HANDED;

	if (wish->cont)
		vm_continue(local, now_ms, actions);
	else if (wish->stop && !wish->stay)
		vm_kill(local, VM_REPORT_STOPPED, wish->why, now_ms, actions);
	else if (!handed && !wish->keep && !wish->start)
		vm_kill(local, VM_REPORT_STOPPED, wish->why, now_ms, actions);
	else if (local->life == LIFE_INCOMING && now_ms >= local->deadline_ms)
		vm_kill(local, VM_REPORT_START_FAILED, "QEMU did not listen within 60 s", now_ms,
			actions);
	else if (local->life == LIFE_RESTORING && now_ms >= local->deadline_ms)
		vm_kill(local, VM_REPORT_START_FAILED, "QEMU did not restore it within 15 min",
			now_ms, actions);
}

static void wish_continuing(struct vm_local *local, const struct vm_wish *wish, uint64_t now_ms,
			    struct actions *actions)
{
	if (wish->stop && !wish->stay) {
		vm_kill(local, VM_REPORT_STOPPED, wish->why, now_ms, actions);
	} else if (now_ms >= local->deadline_ms) {
		local->deadline_ms = now_ms + CONT_SOON_MS;
		vm_action(local, ACTION_QEMU_CONT, actions);
	}
}

static void vm_exec(struct vm_local *local, const struct vm_wish *wish, uint64_t now_ms,
		    struct actions *actions)
{
	struct action *action;

	switch ((enum start_mode)local->mode) {
	case START_FRESH:
		vm_local_move(local, LIFE_STARTING, now_ms + START_LIMIT_MS);
		local->continued = true;
		break;
	case START_INCOMING:
		vm_local_move(local, LIFE_INCOMING, now_ms + START_LIMIT_MS);
		break;
	case START_RESTORE:
		vm_local_move(local, LIFE_RESTORING, now_ms + RESTORE_LIMIT_MS);
		break;
	case START_MODE_COUNT:
		break;
	}
	local->executed = true;
	action = vm_action(local, ACTION_QEMU_EXEC, actions);
	action->start_mode = local->mode;
	if (local->mode == START_RESTORE)
		action->volume = (uint8_t)(local->restored_volume - 1);
	if (local->mode == START_INCOMING)
		action->migrate = wish->migrate;
}

// Not yet let go: any doubt gives it up, which costs nothing.
static void wish_waiting(struct vm_local *local, const struct vm_wish *wish, uint64_t now_ms,
			 struct actions *actions)
{
	bool ours = wish->start && wish->attempt == local->claim && wish->mode == local->mode;

	if (local->life == LIFE_SPAWNING && now_ms >= local->deadline_ms) {
		vm_kill(local, VM_REPORT_START_FAILED, "its child did not register with sanlock",
			now_ms, actions);
	} else if (local->life == LIFE_GRANTED && ours) {
		/*
		 * The one place where QEMU is let go: the lease is granted to the child, and in
		 * this very step the view is normal and either the committed owner is this node,
		 * in this attempt, or (for one that only listens, under a shared lease) a committed
		 * move names this node as its target, in this attempt.
		 */
		vm_exec(local, wish, now_ms, actions);
	} else if (!ours && !(wish->keep && now_ms < local->deadline_ms)) {
		vm_kill(local, VM_REPORT_STOPPED, wish->why, now_ms, actions);
	} else if (local->life == LIFE_BACKOFF && now_ms >= local->deadline_ms) {
		vm_acquire(local, actions);
	}
}

static void wish_starting(struct vm_local *local, const struct vm_wish *wish, uint64_t now_ms,
			  struct actions *actions)
{
	if (now_ms >= local->deadline_ms)
		vm_kill(local, VM_REPORT_START_FAILED,
			local->deaf ? local->reason : "QEMU did not answer within 60 s", now_ms,
			actions);
	else if (wish->stop)
		vm_kill(local, VM_REPORT_STOPPED, wish->why, now_ms, actions);
}

void vm_local_wish(struct vm_local *local, const struct vm_wish *wish, uint64_t now_ms,
		   struct actions *actions)
{
	enum action_type lease;

	if (wish->kill && vm_local_process(local) && local->life != LIFE_KILLING) {
		vm_kill(local, VM_REPORT_STOPPED, wish->why, now_ms, actions);
		return;
	}
	lease = lease_hold_wish(&local->hold, (enum hold_wish)wish->lease, now_ms);
	if (lease)
		vm_action(local, lease, actions);
	switch ((enum vm_life)local->life) {
	case LIFE_OFFLINE:
		if (wish->start)
			vm_spawn(local, wish, now_ms, actions);
		break;
	case LIFE_SPAWNING:
	case LIFE_LEASING:
	case LIFE_BACKOFF:
	case LIFE_GRANTED:
		wish_waiting(local, wish, now_ms, actions);
		break;
	case LIFE_STARTING:
		wish_starting(local, wish, now_ms, actions);
		break;
	case LIFE_INCOMING:
	case LIFE_RESTORING:
	case LIFE_RESTORED:
	case LIFE_HANDED:
		wish_still(local, wish, now_ms, actions);
		break;
	case LIFE_CONTINUING:
		wish_continuing(local, wish, now_ms, actions);
		break;
	case LIFE_RUNNING:
		wish_running(local, wish, now_ms, actions);
		break;
	case LIFE_STOPPING:
		if (now_ms >= local->deadline_ms || (wish->stop && wish->stop_timeout_ms == 0)) {
			vm_local_move(local, LIFE_KILLING, now_ms + KILL_AGAIN_MS);
			vm_action(local, ACTION_QEMU_KILL, actions);
		}
		break;
	case LIFE_KILLING:
		if (now_ms >= local->deadline_ms) {
			local->deadline_ms = now_ms + KILL_AGAIN_MS;
			vm_action(local, local->executed ? ACTION_QEMU_KILL : ACTION_VM_ABANDON,
				  actions);
		}
		break;
	case LIFE_RELEASING:
	case LIFE_ENDED:
	case LIFE_COUNT:
		break;
	}
}

static void vm_spawned(struct vm_local *local, const struct event *event, struct actions *actions)
{
	if (local->life != LIFE_SPAWNING)
		return;
	if (event->flag) {
		vm_acquire(local, actions);
		return;
	}
	// No child came to be: nothing lives, nothing is held.
	set_reason(local, event->reason);
	local->report = VM_REPORT_START_FAILED;
	vm_local_move(local, LIFE_RELEASING, NEVER);
	vm_local_move(local, LIFE_ENDED, NEVER);
}

static void vm_refused(struct vm_local *local, const struct event *event, struct actions *actions)
{
	uint64_t wait_ms = BACKOFF_FIRST_MS;

	if (local->life != LIFE_LEASING)
		return;
	switch ((enum lease_error)event->lease_error) {
	case LEASE_ERROR_HELD:
	case LEASE_ERROR_WAITING:
		for (uint32_t i = 0; i < local->refusals && wait_ms < BACKOFF_LAST_MS; i++)
			wait_ms *= 2;
		local->refusals++;
		local->held = local->refusals >= HELD_AFTER;
		set_reason(local, event->reason);
		vm_local_move(local, LIFE_BACKOFF, event->now_ms + wait_ms);
		break;
	case LEASE_ERROR_MISSING:
		vm_kill(local, VM_REPORT_LEASE_GONE, event->reason, event->now_ms, actions);
		break;
	case LEASE_ERROR_STORAGE:
	case LEASE_ERROR_SANLOCK:
	case LEASE_ERROR_PROCESS:
	case LEASE_ERROR_OTHER:
	case LEASE_ERROR_COUNT:
		vm_kill(local, VM_REPORT_START_FAILED, event->reason, event->now_ms, actions);
		break;
	}
}

// What the end of the process means, by the life that it ended.
static enum vm_report vm_end(const struct vm_local *local)
{
	if (local->guest_shutdown && local->life == LIFE_RUNNING)
		return VM_REPORT_GUEST_SHUTDOWN;
	switch ((enum vm_life)local->life) {
	case LIFE_SPAWNING:
	case LIFE_LEASING:
	case LIFE_BACKOFF:
	case LIFE_GRANTED:
	case LIFE_STARTING:
	case LIFE_INCOMING:
	case LIFE_RESTORING:
	case LIFE_RESTORED:
		return VM_REPORT_START_FAILED;
	case LIFE_CONTINUING:
	case LIFE_RUNNING:
	case LIFE_HANDED:
		return VM_REPORT_DIED;
	case LIFE_STOPPING:
	case LIFE_KILLING:
		return (enum vm_report)local->report;
	case LIFE_OFFLINE:
	case LIFE_RELEASING:
	case LIFE_ENDED:
	case LIFE_COUNT:
		break;
	}
	return VM_REPORT_STOPPED;
}

static void vm_exited(struct vm_local *local, const struct event *event, struct actions *actions)
{
	if (!vm_local_process(local))
		return;
	// It was told to continue, and could not be before it ended.
	if (local->mode != START_FRESH && local->executed)
		local->continued = !event->flag;
	local->report = (uint8_t)vm_end(local);
	if (local->life == LIFE_CONTINUING && !local->continued)
		local->report = VM_REPORT_START_FAILED;
	// It was killed as one that never continued, and nobody can say any more that it did not.
	if (local->life == LIFE_KILLING && local->mode != START_FRESH && local->continued &&
	    local->report == VM_REPORT_START_FAILED)
		local->report = VM_REPORT_DIED;
	if (local->report == VM_REPORT_DIED || local->report == VM_REPORT_START_FAILED) {
		if (local->life != LIFE_KILLING)
			set_reason(local, event->reason);
	} else if (local->report == VM_REPORT_GUEST_SHUTDOWN) {
		set_reason(local, "the guest shut itself down");
	}
	vm_local_move(local, LIFE_RELEASING, NEVER);
	lease_hold_set(&local->hold, HOLD_NONE);
	vm_action(local, ACTION_LEASE_RELEASE_WAIT, actions);
}

/*
 * What a QEMU does that an earlier daemon left says what was promised for it: one that has sent its
 * guest (postmigrate) has been renounced, one that never ran writes nothing, and one that was found
 * paused may have been paused by any of us.
 */
static void vm_found(struct vm_local *local, const struct event *event)
{
	local->mode = START_FRESH;
	local->continued = true;
	local->sent = MIGRATE_NONE;
	if (event->stats &&
	    (event->stats->status == MIGRATE_POSTCOPY || event->stats->status == MIGRATE_TORN))
		local->sent = event->stats->status;
	local->listening = local->sending = local->unsure = local->paused = false;
	local->restored_volume = 0;
	memset(&local->hold, 0, sizeof(local->hold));
	lease_hold_find(&local->hold, event->shared, event->now_ms);
	switch ((enum run_state)event->run_state) {
	case RUN_RUNNING:
		break;
	case RUN_PAUSED:
		local->paused = local->unsure = true;
		break;
	case RUN_SENDING:
		local->sending = true;
		break;
	case RUN_UNKNOWN:
		// Perhaps it has sent its guest: nothing is asked of it before it has spoken.
		local->sending = local->unsure = local->deaf = true;
		break;
	case RUN_INCOMING:
	case RUN_RECEIVED:
		local->mode = START_INCOMING;
		local->continued = false;
		local->listening = true;
		vm_local_move(local, LIFE_INCOMING, NEVER);
		return;
	case RUN_POSTMIGRATE:
		vm_local_move(local, LIFE_HANDED, NEVER);
		return;
	case RUN_STATE_COUNT:
		break;
	}
	vm_local_move(local, LIFE_RUNNING, local->paused ? event->now_ms : NEVER);
}

static void vm_adopted(struct vm_local *local, const struct event *event, struct actions *actions)
{
	INVARIANT(local->life == LIFE_OFFLINE);
	local->attempt = local->claim = event->attempt;
	local->executed = true;
	if (event->flag) {
		vm_found(local, event);
		return;
	}
	memset(&local->hold, 0, sizeof(local->hold));
	// Whether a guest that was awaited here has continued decides what its source may do.
	local->continued = event->run_state != RUN_INCOMING && event->run_state != RUN_RECEIVED;
	local->unleased = local->continued && event->run_state != RUN_POSTMIGRATE;
	vm_kill(local, VM_REPORT_DIED, "it was found running without its lease", event->now_ms,
		actions);
}

static void vm_granted(struct vm_local *local, const struct event *event, struct actions *actions)
{
	(void)actions;
	if (local->life != LIFE_LEASING)
		return;
	lease_hold_set(&local->hold, local->mode == START_INCOMING ? HOLD_SHARED : HOLD_EXCLUSIVE);
	vm_local_move(local, LIFE_GRANTED, event->now_ms + GRANTED_LIMIT_MS);
}

static void vm_runs(struct vm_local *local, const struct event *event, struct actions *actions)
{
	if (event->body && cpu_decode(&local->cpu, event->body, event->body_size))
		local->cpu_known = true;
	if (local->life == LIFE_INCOMING || local->life == LIFE_RESTORING ||
	    local->life == LIFE_RESTORED || local->life == LIFE_HANDED) {
		local->continued = true;
		vm_kill(local, VM_REPORT_DIED, "its QEMU continued although it was not told to",
			event->now_ms, actions);
		return;
	}
	if (local->life == LIFE_STARTING || local->life == LIFE_CONTINUING)
		vm_local_move(local, LIFE_RUNNING, NEVER);
	if (local->life != LIFE_RUNNING)
		return;
	// Found when its monitor did not answer: now it does, and nothing of it is sent.
	if (local->unsure && local->sent == MIGRATE_NONE)
		local->sending = false;
	local->paused = local->deaf = local->unsure = false;
	local->deadline_ms = NEVER;
	set_reason(local, "");
}

static void vm_paused(struct vm_local *local, const struct event *event, struct actions *actions)
{
	// It never ran here, and what it came from, or was restored from, is as good as before.
	if (local->life == LIFE_CONTINUING && local->mode != START_FRESH && event->flag) {
		local->continued = false;
		vm_kill(local, VM_REPORT_START_FAILED, event->reason, event->now_ms, actions);
		return;
	}
	// It continued, and met an I/O error at once.
	if (local->life == LIFE_CONTINUING)
		vm_local_move(local, LIFE_RUNNING, NEVER);
	if (local->life != LIFE_RUNNING)
		return;
	if (local->unsure && local->sent == MIGRATE_NONE)
		local->sending = false;
	local->paused = true;
	local->deadline_ms = event->now_ms + CONT_AGAIN_MS;
	set_reason(local, event->reason);
}

// A running guest is worth more than its monitor: said, and left running. One that starts has its
// whole time for it: QEMU answers nothing while it allocates much memory or opens slow disks.
static void vm_deaf(struct vm_local *local, const struct event *event, struct actions *actions)
{
	(void)actions;
	local->deaf = true;
	if (local->life >= LIFE_STARTING && local->life <= LIFE_HANDED)
		set_reason(local, event->reason);
}

static void vm_guest_shutdown(struct vm_local *local, const struct event *event,
			      struct actions *actions)
{
	(void)event;
	(void)actions;
	local->guest_shutdown = true;
}

static void vm_unkillable(struct vm_local *local, const struct event *event,
			  struct actions *actions)
{
	(void)actions;
	if (local->life != LIFE_KILLING)
		return;
	local->unkillable = true;
	set_reason(local, event->reason);
}

static void vm_released(struct vm_local *local, const struct event *event, struct actions *actions)
{
	(void)event;
	(void)actions;
	if (local->life == LIFE_RELEASING)
		vm_local_move(local, LIFE_ENDED, NEVER);
}

static void vm_listens(struct vm_local *local, const struct event *event, struct actions *actions)
{
	if (local->life != LIFE_INCOMING)
		return;
	if (!event->flag) {
		vm_kill(local, VM_REPORT_START_FAILED, event->reason, event->now_ms, actions);
		return;
	}
	local->listening = true;
	local->deadline_ms = NEVER;
}

static void vm_restored(struct vm_local *local, const struct event *event, struct actions *actions)
{
	if (local->life != LIFE_RESTORING)
		return;
	if (event->flag)
		vm_local_move(local, LIFE_RESTORED, NEVER);
	else
		vm_kill(local, VM_REPORT_START_FAILED, event->reason, event->now_ms, actions);
}

// Also when nobody follows the migration yet, because this daemon is young.
static void vm_migrates(struct vm_local *local, const struct event *event, struct actions *actions)
{
	(void)actions;
	local->sent = event->stats->status;
	switch ((enum migrate_status)event->stats->status) {
	case MIGRATE_POSTCOPY:
	case MIGRATE_COMPLETED:
		vm_local_hand_over(local);
		break;
	case MIGRATE_FAILED:
	case MIGRATE_CANCELLED:
		local->sending = false;
		break;
	case MIGRATE_NONE:
	case MIGRATE_SETUP:
	case MIGRATE_ACTIVE:
	case MIGRATE_PRE_SWITCHOVER:
	case MIGRATE_DEVICE:
	case MIGRATE_TORN:
	case MIGRATE_STATUS_COUNT:
		break;
	}
}

static void vm_saved(struct vm_local *local, const struct event *event, struct actions *actions)
{
	(void)actions;
	local->sending = false;
	if (event->flag)
		vm_local_hand_over(local);
}

static void vm_lease_changed(struct vm_local *local, const struct event *event,
			     struct actions *actions)
{
	(void)actions;
	lease_hold_event(&local->hold, event);
}

typedef void (*vm_event_fn)(struct vm_local *local, const struct event *event,
			    struct actions *actions);

static const vm_event_fn handlers[EVENT_TYPE_COUNT] = {
	[EVENT_VM_SPAWNED] = vm_spawned,
	[EVENT_LEASE_GRANTED] = vm_granted,
	[EVENT_LEASE_REFUSED] = vm_refused,
	[EVENT_QEMU_RUNNING] = vm_runs,
	[EVENT_QEMU_PAUSED] = vm_paused,
	[EVENT_QEMU_DEAF] = vm_deaf,
	[EVENT_QEMU_GUEST_SHUTDOWN] = vm_guest_shutdown,
	[EVENT_QEMU_EXITED] = vm_exited,
	[EVENT_QEMU_UNKILLABLE] = vm_unkillable,
	[EVENT_LEASE_RELEASED] = vm_released,
	[EVENT_LEASE_SHARED] = vm_lease_changed,
	[EVENT_LEASE_EXCLUSIVE] = vm_lease_changed,
	[EVENT_QEMU_LISTENING] = vm_listens,
	[EVENT_QEMU_RESTORED] = vm_restored,
	[EVENT_MIGRATE] = vm_migrates,
	[EVENT_SAVED] = vm_saved,
};

void vm_local_event(struct vm_local *local, const struct event *event, struct actions *actions)
{
	if (event->type == EVENT_VM_ADOPTED)
		vm_adopted(local, event, actions);
	else if (handlers[event->type] && local->life != LIFE_OFFLINE &&
		 event->attempt == local->attempt)
		handlers[event->type](local, event, actions);
}

void vm_local_hand_over(struct vm_local *local)
{
	if (local->life != LIFE_RUNNING)
		return;
	vm_local_move(local, LIFE_HANDED, NEVER);
	local->paused = local->sending = local->unsure = false;
}

void vm_local_cont(struct vm_local *local, struct actions *actions)
{
	INVARIANT(local->life == LIFE_RUNNING);
	vm_action(local, ACTION_QEMU_CONT, actions);
}

void vm_local_forget(struct vm_local *local, struct actions *actions)
{
	vm_action(local, ACTION_VM_FORGET, actions);
	vm_local_move(local, LIFE_OFFLINE, NEVER);
	local->reported_ms = 0;
	set_reason(local, "");
}
