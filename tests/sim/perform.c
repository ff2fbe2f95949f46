// SPDX-License-Identifier: Apache-2.0
// Hands each action to the part of the world that performs it.
#include "tests/sim/world.h"

static void run_self_fence(struct world *world, struct item *item)
{
	host_power_off(world, item->host, "self-fence");
	host_power_on(world, item->host);
}

static void run_exit(struct world *world, struct item *item)
{
	struct host *host = item->host;
	bool ending = host->ending;

	world_say(world, host, "clusterd ends");
	daemon_kill(world, host);
	if (ending && host->ending_host)
		host_power_off(world, host, "shut down");
	else if (!ending)
		daemon_restart_later(world, host, SECONDS(2));
}

static bool is_of_a_move(uint8_t type)
{
	return type >= ACTION_LEASE_SHARE && type <= ACTION_MOVE_PROGRESS;
}

// Whatever only asks.
static bool perform_question(struct world *world, struct host *host, const struct action *action)
{
	if (action->type == ACTION_VM_ASK)
		qemu_ask(world, host, action);
	else if (action->type == ACTION_ADOPT)
		qemu_adopt(world, host);
	else
		return false;
	return true;
}

// Whatever may be lost.
static bool perform_tell(struct world *world, struct host *host, const struct action *action)
{
	if (action->type == ACTION_MEASURES_TELL)
		measure_perform(world, host, action);
	else if (action->type == ACTION_SYNCED_TELL)
		word_synced_tell(world, host, action);
	else
		return false;
	return true;
}

void world_perform(struct world *world, struct host *host, const struct action *action)
{
	if (is_of_a_move(action->type)) {
		qemu_perform(world, host, action);
		return;
	}
	if (perform_question(world, host, action) || perform_tell(world, host, action))
		return;
	switch (action->type) {
	case ACTION_SEND:
		corosync_send(world, host, action->body, action->body_size);
		break;
	case ACTION_GROUP_REJOIN:
		world->stats[STAT_REJOINS]++;
		world_say(world, host, "leaves the group and joins again");
		corosync_rejoin(world, host);
		break;
	case ACTION_STORE_SNAPSHOT:
	case ACTION_STORE_ENTRY:
	case ACTION_STORE_TRUNCATE:
	case ACTION_STORE_PROMISE:
	case ACTION_STORE_COMMIT:
	case ACTION_STORE_SYNC:
	case ACTION_STORE_RESET:
		store_perform(world, host, action);
		break;
	case ACTION_REPLY:
		admin_reply(world, host, action);
		break;
	case ACTION_LOG:
		check_log(world, host, action);
		break;
	case ACTION_VOLUME_OPEN:
	case ACTION_VOLUME_CLOSE:
	case ACTION_VOLUME_PREPARE:
	case ACTION_VOLUME_JOIN:
	case ACTION_LEASE_WRITE:
	case ACTION_HOST_RELEASE:
	case ACTION_HOST_CHECK:
		storage_perform(world, host, action);
		break;
	case ACTION_VM_SPAWN:
	case ACTION_LEASE_ACQUIRE:
	case ACTION_QEMU_EXEC:
	case ACTION_VM_ABANDON:
	case ACTION_QEMU_POWERDOWN:
	case ACTION_QEMU_KILL:
	case ACTION_QEMU_CONT:
	case ACTION_VM_FORGET:
		qemu_perform(world, host, action);
		break;
	case ACTION_LEASE_RELEASE_WAIT:
		sanlock_release_wait(world, host, action);
		break;
	case ACTION_FENCE:
		fence_perform(world, host, action);
		break;
	case ACTION_SELF_FENCE:
		world->stats[STAT_SELF_FENCES]++;
		world_at(world, MS(1), host, GUARD_POWER, run_self_fence);
		break;
	case ACTION_SCRIPT_RUN:
		script_perform(world, host, action);
		break;
	case ACTION_EXIT:
		host->exiting = true;
		world_at(world, MS(1), host, GUARD_DAEMON, run_exit);
		break;
	default:
		check_fail(world, host, "an action of no type");
	}
}
