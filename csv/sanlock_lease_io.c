// SPDX-License-Identifier: Apache-2.0
// What a registered process holds: acquire, look, convert, and that it is released.
#include "csv/sanlock_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sanlock.h>
#include <sanlock_admin.h>
#include <sanlock_resource.h>
#include <sanlock_rv.h>

#include "csv/sanlock_internal_io.h"

enum { AGAIN_TRIES = 20 };

static enum lease_error lock_acquire_error(int result)
{
	switch (result) {
	case SANLK_ACQUIRE_IDLIVE:
	case SANLK_ACQUIRE_OWNED:
	case SANLK_ACQUIRE_OTHER:
	case SANLK_ACQUIRE_SHRETRY:
	case SANLK_ACQUIRE_LVER:
	case -EEXIST:
	case -EAGAIN:
	case -EBUSY:
	case -EINPROGRESS:
		return LEASE_ERROR_HELD;
	case SANLK_ACQUIRE_OWNED_RETRY:
		return LEASE_ERROR_WAITING;
	case SANLK_AIO_TIMEOUT:
	case SANLK_DBLOCK_READ:
	case SANLK_DBLOCK_WRITE:
	case SANLK_LEADER_READ:
	case SANLK_LEADER_WRITE:
	case SANLK_ACQUIRE_IDDISK:
	case -EIO:
	case -ENODEV:
		return LEASE_ERROR_STORAGE;
	case SANLK_ACQUIRE_LOCKSPACE:
	case -ENOSPC: // sanlock's word for: no such lockspace
	case -ECONNREFUSED:
	case -ECONNRESET:
	case -ENOENT:
	case -EPIPE:
		return LEASE_ERROR_SANLOCK;
	case -ESRCH:
	case -EPERM:
	case -ENOTCONN:
	case -ENOTTY:
		return LEASE_ERROR_PROCESS;
	case SANLK_LEADER_MAGIC:
	case SANLK_LEADER_RESOURCE:
		return LEASE_ERROR_MISSING;
	}
	return LEASE_ERROR_OTHER;
}

// Who has it, in words: "held by host 3". Several leases: the first that somebody has.
static void lock_holder(const struct lock_lease *leases, uint32_t count, char *text, size_t size)
{
	struct lock_resource res;
	uint32_t i;

	text[0] = 0;
	for (i = 0; i < count && !text[0]; i++) {
		struct sanlk_host *hosts = NULL;
		int host_count = 0;

		if (sanlock_read_resource_owners(lock_resource_fill(&res, &leases[i]), 0, &hosts,
						 &host_count) >= 0 &&
		    host_count > 0)
			snprintf(text, size, " (host id %llu, generation %llu)",
				 (unsigned long long)hosts[0].host_id,
				 (unsigned long long)hosts[0].generation);
		free(hosts);
	}
}

// What a process has of the leases that it is asked about.
struct lock_held {
	bool exactly;	 // these, and no other
	uint32_t shared; // mask of those that are shared
};

static bool lock_listed(struct sanlk_resource *const *held, int held_count,
			const struct lock_lease *lease, bool *shared)
{
	int i;

	for (i = 0; i < held_count; i++) {
		if (strncmp(held[i]->lockspace_name, lease->lockspace, SANLK_NAME_LEN) != 0 ||
		    strncmp(held[i]->name, lease->name, SANLK_NAME_LEN) != 0)
			continue;
		*shared = (held[i]->flags & SANLK_RES_SHARED) != 0;
		return true;
	}
	return false;
}

// How many leases the process has, and which; or an error.
static int lock_inquire(pid_t pid, const struct lock_lease *leases, uint32_t count,
			struct lock_held *found)
{
	struct sanlk_resource **held = NULL;
	int held_count = 0, i, result;
	char *state = NULL;
	uint32_t lease;

	memset(found, 0, sizeof(*found));
	result = sanlock_inquire(-1, pid, 0, &held_count, &state);
	if (result >= 0 && held_count > 0 && state) {
		result = sanlock_state_to_args(state, &held_count, &held);
		found->exactly = result >= 0 && held_count == (int)count;
		for (lease = 0; found->exactly && lease < count; lease++) {
			bool shared = false;

			found->exactly = lock_listed(held, held_count, &leases[lease], &shared);
			found->shared |= (uint32_t)shared << lease;
		}
		for (i = 0; held && i < held_count; i++)
			free(held[i]);
		free(held);
	}
	free(state);
	return result < 0 ? result : held_count;
}

// A call that did not get through says nothing about the lease, and a VM would be ended for it: the
// daemon is asked again, unless it, or the process, is not there.
static void lock_inquire_again(pid_t pid, const struct lock_lease *leases, uint32_t count,
			       struct lock_held *found)
{
	const struct timespec pause = { 0, 5000000 };
	uint32_t tries;
	int result;

	for (tries = 0; tries < AGAIN_TRIES; tries++) {
		result = lock_inquire(pid, leases, count, found);
		if (result >= 0 || result == -ESRCH || result == -ENOENT || result == -ECONNREFUSED)
			break;
		nanosleep(&pause, NULL);
	}
}

bool lock_holds(pid_t pid, const struct lock_lease *leases, uint32_t count, bool *shared)
{
	struct lock_held found;

	lock_inquire_again(pid, leases, count, &found);
	*shared = found.shared != 0;
	return found.exactly;
}

/*
 * After an acquire that failed: refused means that none is held. The daemon may have granted them
 * while its answer was lost, and would answer every later request with EEXIST: whoever holds
 * exactly what was asked for has it. Anything else is given back.
 */
static bool lock_acquired_all_the_same(pid_t pid, const struct lock_lease *leases, uint32_t count,
				       bool shared)
{
	uint32_t all = shared ? (1u << count) - 1 : 0;
	struct lock_held found;

	if (lock_inquire(pid, leases, count, &found) > 0 &&
	    (!found.exactly || found.shared != all)) {
		sanlock_release(-1, pid, SANLK_REL_ALL, 0, NULL);
		return false;
	}
	return found.exactly;
}

bool lock_acquire(pid_t pid, const struct lock_lease *leases, uint32_t count, bool shared,
		  enum lease_error *error, char *reason)
{
	struct lock_resource *res = calloc(VM_LEASES_MAX, sizeof(*res));
	struct sanlk_resource *args[VM_LEASES_MAX];
	const struct timespec pause = { 0, 5000000 };
	char holder[96] = "";
	uint32_t i, tries;
	int result = -EAGAIN;

	if (!res || count > VM_LEASES_MAX) {
		free(res);
		*error = LEASE_ERROR_OTHER;
		return lock_fail(reason, "out of memory");
	}
	for (i = 0; i < count; i++) {
		args[i] = lock_resource_fill(&res[i], &leases[i]);
		args[i]->flags |= shared ? SANLK_RES_SHARED : 0;
	}
	// EAGAIN: this host's sanlock is still busy with letting go of it.
	for (tries = 0; tries < AGAIN_TRIES; tries++) {
		result = sanlock_acquire(-1, pid, SANLK_ACQUIRE_OWNER_NOWAIT, (int)count, args,
					 NULL);
		if (result != -EAGAIN)
			break;
		nanosleep(&pause, NULL);
	}
	free(res);
	if (result >= 0 || lock_acquired_all_the_same(pid, leases, count, shared))
		return true;
	*error = lock_acquire_error(result);
	if (*error == LEASE_ERROR_HELD || *error == LEASE_ERROR_WAITING)
		lock_holder(leases, count, holder, sizeof(holder));
	return lock_fail(reason, "lease: %s%s",
			 result == -ENOSPC ? "its lockspace is not joined"
					   : lock_error_text(result),
			 holder);
}

static int lock_convert_one(pid_t pid, const struct lock_lease *lease, bool to_shared)
{
	struct lock_resource res;
	struct sanlk_resource *arg = lock_resource_fill(&res, lease);

	arg->flags |= to_shared ? SANLK_RES_SHARED : 0;
	return sanlock_convert(-1, pid, SANLK_CONVERT_OWNER_NOWAIT, arg);
}

/*
 * Those in `mask`, one after the other; the first error. `unsure` are those of which only the next
 * conversion that succeeds tells what is on the disk: an error other than EAGAIN may have come
 * before, between or after the two writes that a conversion consists of.
 */
static int lock_convert_mask(pid_t pid, const struct lock_lease *leases, uint32_t count,
			     uint32_t mask, bool to_shared, uint32_t *unsure)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		int result;

		if (!(mask & 1u << i))
			continue;
		result = lock_convert_one(pid, &leases[i], to_shared);
		if (result >= 0)
			*unsure &= ~(1u << i);
		else if (result != -EAGAIN)
			*unsure |= 1u << i;
		if (result < 0)
			return result;
	}
	return 0;
}

bool lock_convert(pid_t pid, const struct lock_lease *leases, uint32_t count, bool to_shared,
		  bool *shared, enum lease_error *error, char *reason)
{
	uint32_t all = (1u << count) - 1, unsure = 0;
	struct lock_held found;
	int result, again;

	*shared = true;
	*error = LEASE_ERROR_PROCESS;
	lock_inquire_again(pid, leases, count, &found);
	if (!found.exactly)
		return lock_fail(reason, "lease: its process does not hold it");
	// What is as it should be is left alone: converting it again would be an error.
	result = lock_convert_mask(pid, leases, count,
				   to_shared ? all & ~found.shared : found.shared, to_shared,
				   &unsure);
	lock_inquire_again(pid, leases, count, &found);
	if (found.exactly && !unsure && found.shared == (to_shared ? all : 0)) {
		*shared = to_shared;
		return true;
	}
	*error = result < 0 ? lock_acquire_error(result) : LEASE_ERROR_OTHER;
	lock_fail(reason, "lease: cannot be made %s: %s", to_shared ? "shared" : "exclusive",
		  result < 0 ? lock_error_text(result) : "sanlock says that it is not");
	if (to_shared && found.exactly) {
		again = lock_convert_mask(pid, leases, count, found.shared | unsure, false,
					  &unsure);
		lock_inquire_again(pid, leases, count, &found);
		if (again < 0)
			unsure |= found.shared;
	}
	*shared = !found.exactly || unsure || found.shared;
	return false;
}

/*
 * 1: this host owns it, in the present generation of its id; 0: it does not; or an error. A
 * lockspace that this host is not in, or a daemon that is gone, cannot use or renew a lease,
 * whatever is still on the disk. Until its first renewal (EAGAIN) the daemon does not tell our
 * generation: then any of ours counts.
 */
static int lock_owned(const struct lock_lease *lease, uint32_t host_id)
{
	uint64_t generation = 0;
	struct lock_resource res;
	struct sanlk_host *hosts = NULL;
	int count = 0, i, result;

	result = sanlock_get_hosts(lease->lockspace, host_id, &hosts, &count, 0);
	if (result >= 0 && count == 1)
		generation = hosts[0].generation;
	free(hosts);
	if (result == -ENOENT || result == -ECONNREFUSED)
		return 0;
	if (result < 0 && result != -EAGAIN)
		return result;
	hosts = NULL;
	count = 0;
	result = sanlock_read_resource_owners(lock_resource_fill(&res, lease), 0, &hosts, &count);
	if (result >= 0) {
		result = 0;
		for (i = 0; i < count; i++)
			if (hosts[i].host_id == host_id &&
			    (!generation || hosts[i].generation == generation))
				result = 1;
	}
	free(hosts);
	return result;
}

bool lock_released(const struct lock_lease *leases, uint32_t count, uint32_t host_id,
		   uint32_t timeout_ms, char *reason)
{
	uint32_t waited_ms = 0, step_ms = 1, i;

	for (i = 0; i < count;) {
		struct timespec step;
		int owned = lock_owned(&leases[i], host_id);

		if (owned == 0) {
			i++;
			continue;
		}
		if (waited_ms >= timeout_ms && owned < 0)
			return lock_fail(reason, "lease %s: %s", leases[i].name,
					 lock_error_text(owned));
		if (waited_ms >= timeout_ms)
			return lock_fail(reason, "sanlock has not released lease %s in %u s",
					 leases[i].name, timeout_ms / 1000);
		step = (struct timespec){ step_ms / 1000, (long)(step_ms % 1000) * 1000000 };
		nanosleep(&step, NULL);
		waited_ms += step_ms;
		step_ms = step_ms < 200 ? step_ms * 2 : 200;
	}
	return true;
}
