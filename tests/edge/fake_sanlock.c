// SPDX-License-Identifier: Apache-2.0
#include "tests/edge/fake_sanlock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <sanlock.h>
#include <sanlock_admin.h>
#include <sanlock_resource.h>
#include <sanlock_rv.h>

#include "clusterd/exec_io.h"

enum { LEASES_MAX = 16, SPACES_MAX = 4, CONNECTIONS_MAX = 256, HOSTS = 4, SECTOR = 512,
       BACK_MS = 150, RENEWED_MS = 60, SLOW_MS = 200 };

// The delta lease's record on the disk.
enum { AT_MAGIC = 0, AT_VERSION = 4, AT_FLAGS = 8, AT_SECTOR = 12, AT_GENERATION = 40,
       AT_LOCKSPACE = 56, AT_TIMESTAMP = 152, AT_TIMEOUT = 200, MAGIC = 0x12212010,
       LEADER_VERSION = 0x00030003 };

struct lease {
	bool used;
	char path[SANLK_PATH_LEN];
	uint64_t offset;
	char lockspace[SANLK_NAME_LEN + 1], name[SANLK_NAME_LEN + 1];
	uint64_t owner_id, generation;
	pid_t pid;		// 0: nobody that this daemon knows
	bool shared, other_shares;
	int unreadable;
};

struct space {
	bool used;
	char name[SANLK_NAME_LEN + 1], path[SANLK_PATH_LEN];
	uint64_t host_id, generation, joined_ms;
};

static struct {
	pthread_mutex_t lock;
	uint64_t calls, fail_at, back_ms;
	enum fake_fault fault;
	int code;
	bool failed, dead;
	pid_t granted;		// the last one
	struct lease leases[LEASES_MAX];
	struct space spaces[SPACES_MAX];
	int peers[CONNECTIONS_MAX];
	uint32_t peer_count;
} fake = { .lock = PTHREAD_MUTEX_INITIALIZER };

// The test is wrong, and is to say so.
__attribute__((noreturn))
static void fake_abort(int line)
{
	fprintf(stderr, "fake_sanlock.c:%d: %s\n", line, strerror(errno));
	abort();
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void die(void)
{
	for (uint32_t i = 0; i < fake.peer_count; i++)
		close(fake.peers[i]);
	fake.peer_count = 0;
	memset(fake.spaces, 0, sizeof(fake.spaces));
	for (int i = 0; i < LEASES_MAX; i++)
		fake.leases[i].pid = 0;
	fake.dead = true;
	fake.back_ms = now_ms() + BACK_MS;
}

static void reap(void)
{
	for (int i = 0; i < LEASES_MAX; i++) {
		struct lease *lease = &fake.leases[i];
		bool ended = false;

		if (lease->pid && exec_start_time(lease->pid, &ended) && !ended)
			continue;
		if (lease->pid)
			lease->owner_id = lease->generation = 0;
		lease->pid = 0;
	}
}

// Locks; whether this is the call to fail. `result`: of a call that is not done.
static bool call_begin(int *result, bool *hit)
{
	*hit = false;
	*result = -ECONNREFUSED;
	pthread_mutex_lock(&fake.lock);
	if (fake.dead && now_ms() >= fake.back_ms)
		fake.dead = false;
	if (fake.dead)
		return false;
	reap();
	*hit = ++fake.calls == fake.fail_at;
	if (!*hit)
		return true;
	fake.failed = true;
	switch (fake.fault) {
	case FAKE_REFUSED:
	case FAKE_PARTLY:
		*result = fake.code;
		return false;
	case FAKE_DIES:
		die();
		*result = -ECONNRESET;
		return false;
	case FAKE_LOST:
	case FAKE_SLOW:
	case FAKE_DIES_AFTER:
	case FAKE_FAULTS:
		break;
	}
	return true;
}

static int call_end(int result, bool hit)
{
	bool slow = hit && fake.fault == FAKE_SLOW;

	if (hit && fake.fault == FAKE_LOST)
		result = fake.code;
	if (hit && fake.fault == FAKE_DIES_AFTER) {
		die();
		result = -ECONNRESET;
	}
	pthread_mutex_unlock(&fake.lock);
	if (slow)
		nanosleep(&(struct timespec){ 0, SLOW_MS * 1000000 }, NULL);
	return result;
}

#define CALL(expression)                                                                           \
	do {                                                                                       \
		bool hit;                                                                          \
		int result;                                                                        \
												   \
		if (call_begin(&result, &hit))                                                     \
			return call_end((expression), hit);                                        \
		pthread_mutex_unlock(&fake.lock);                                                  \
		return result;                                                                     \
	} while (0)

// For the tests

void fake_sanlock_begin(uint64_t fail_at, enum fake_fault fault, int code)
{
	fake_sanlock_close();
	memset(fake.leases, 0, sizeof(fake.leases));
	memset(fake.spaces, 0, sizeof(fake.spaces));
	fake.calls = 0;
	fake.fail_at = fail_at;
	fake.fault = fault;
	fake.code = code;
	fake.failed = fake.dead = false;
	fake.granted = 0;
}

void fake_sanlock_fail(uint64_t fail_at, enum fake_fault fault, int code)
{
	fake.calls = 0;
	fake.fail_at = fail_at;
	fake.fault = fault;
	fake.code = code;
	fake.failed = false;
}

bool fake_sanlock_failed(void)
{
	return fake.failed;
}

void fake_sanlock_end(void)
{
	pthread_mutex_lock(&fake.lock);
	die();
	pthread_mutex_unlock(&fake.lock);
}

uint32_t fake_sanlock_close(void)
{
	uint32_t open_count = 0;

	pthread_mutex_lock(&fake.lock);
	for (uint32_t i = 0; i < fake.peer_count; i++) {
		struct pollfd peer = { .fd = fake.peers[i] };

		open_count += poll(&peer, 1, 0) == 0;
		close(fake.peers[i]);
	}
	fake.peer_count = 0;
	pthread_mutex_unlock(&fake.lock);
	return open_count;
}

static struct space *space_of(const char *name)
{
	for (int i = 0; i < SPACES_MAX; i++)
		if (fake.spaces[i].used &&
		    strncmp(fake.spaces[i].name, name, SANLK_NAME_LEN) == 0)
			return &fake.spaces[i];
	return NULL;
}

static struct lease *lease_at(uint64_t offset)
{
	for (int i = 0; i < LEASES_MAX; i++)
		if (fake.leases[i].used && fake.leases[i].offset == offset)
			return &fake.leases[i];
	return NULL;
}

bool fake_sanlock_joined(const char *lockspace, uint64_t *generation)
{
	struct space *space;

	pthread_mutex_lock(&fake.lock);
	space = space_of(lockspace);
	*generation = space ? space->generation : 0;
	pthread_mutex_unlock(&fake.lock);
	return space != NULL;
}

uint32_t fake_sanlock_held(pid_t pid)
{
	uint32_t count = 0;

	pthread_mutex_lock(&fake.lock);
	reap();
	for (int i = 0; i < LEASES_MAX; i++)
		count += pid > 0 && fake.leases[i].pid == pid;
	pthread_mutex_unlock(&fake.lock);
	return count;
}

bool fake_sanlock_holder_ended(void)
{
	bool ended = false;
	pid_t pid;

	pthread_mutex_lock(&fake.lock);
	pid = fake.granted;
	pthread_mutex_unlock(&fake.lock);
	return pid && (!exec_start_time(pid, &ended) || ended);
}

uint64_t fake_sanlock_owner(uint64_t offset, uint64_t *generation)
{
	struct lease *lease;

	pthread_mutex_lock(&fake.lock);
	reap();
	lease = lease_at(offset);
	*generation = lease ? lease->generation : 0;
	pthread_mutex_unlock(&fake.lock);
	return lease ? lease->owner_id : 0;
}

const char *fake_sanlock_name(uint64_t offset)
{
	struct lease *lease = lease_at(offset);

	return lease ? lease->name : "";
}

static struct lease *lease_make(const char *path, uint64_t offset)
{
	struct lease *lease = lease_at(offset);

	for (int i = 0; !lease && i < LEASES_MAX; i++)
		if (!fake.leases[i].used)
			lease = &fake.leases[i];
	if (!lease)
		fake_abort(__LINE__);
	memset(lease, 0, sizeof(*lease));
	lease->used = true;
	lease->offset = offset;
	snprintf(lease->path, sizeof(lease->path), "%s", path);
	return lease;
}

void fake_sanlock_lease(const char *path, uint64_t offset, const char *lockspace, const char *name,
			uint64_t owner_id, uint64_t generation)
{
	struct lease *lease = lease_make(path, offset);

	snprintf(lease->lockspace, sizeof(lease->lockspace), "%s", lockspace);
	snprintf(lease->name, sizeof(lease->name), "%s", name);
	lease->owner_id = owner_id;
	lease->generation = generation;
}

void fake_sanlock_unreadable(uint64_t offset, int code)
{
	struct lease *lease = lease_at(offset);

	if (!lease)
		fake_abort(__LINE__);
	lease->unreadable = code;
}

// Lockspaces

static void put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

static void put64(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

// 0 or -errno.
static int record_io(const char *path, uint64_t host_id, uint8_t *record, bool write_it)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	off_t offset = (off_t)(host_id - 1) * SECTOR;
	ssize_t count;

	if (fd < 0)
		return -errno;
	count = write_it ? pwrite(fd, record, SECTOR, offset) : pread(fd, record, SECTOR, offset);
	close(fd);
	return count == SECTOR ? 0 : -EIO;
}

static int record_read(const struct sanlk_lockspace *ls, uint8_t *record)
{
	int result = record_io(ls->host_id_disk.path, ls->host_id, record, false);
	uint32_t magic;

	if (result)
		return result;
	memcpy(&magic, record + AT_MAGIC, sizeof(magic));
	if (magic != MAGIC)
		return SANLK_LEADER_MAGIC;
	return strncmp((char *)record + AT_LOCKSPACE, ls->name, SANLK_NAME_LEN) ?
	       SANLK_LEADER_LOCKSPACE : 0;
}

void fake_sanlock_claim(const char *path, uint32_t host_id, uint64_t generation,
			uint64_t timestamp)
{
	uint8_t record[SECTOR];

	if (record_io(path, host_id, record, false))
		fake_abort(__LINE__);
	put64(record + AT_GENERATION, generation);
	put64(record + AT_TIMESTAMP, timestamp);
	if (record_io(path, host_id, record, true))
		fake_abort(__LINE__);
}

static int space_write(const struct sanlk_lockspace *ls, uint32_t io_timeout)
{
	uint8_t record[SECTOR] = { 0 };
	int result = 0;

	put32(record + AT_MAGIC, MAGIC);
	put32(record + AT_VERSION, LEADER_VERSION);
	put32(record + AT_FLAGS, SANLK_LSF_ALIGN1M | SANLK_LSF_SECTOR512);
	put32(record + AT_SECTOR, SECTOR);
	memcpy(record + AT_LOCKSPACE, ls->name, SANLK_NAME_LEN);
	put32(record + AT_TIMEOUT, io_timeout);
	for (uint64_t id = 1; id <= HOSTS && !result; id++)
		result = record_io(ls->host_id_disk.path, id, record, true);
	return result;
}

int sanlock_write_lockspace(struct sanlk_lockspace *ls, int max_hosts, uint32_t flags,
			    uint32_t io_timeout)
{
	(void)max_hosts;
	(void)flags;
	CALL(space_write(ls, io_timeout));
}

static int space_read(const struct sanlk_lockspace *ls, uint32_t *io_timeout)
{
	uint8_t record[SECTOR];
	int result = record_read(ls, record);

	if (!result)
		memcpy(io_timeout, record + AT_TIMEOUT, sizeof(*io_timeout));
	return result;
}

int sanlock_read_lockspace(struct sanlk_lockspace *ls, uint32_t flags, uint32_t *io_timeout)
{
	(void)flags;
	CALL(space_read(ls, io_timeout));
}

static int space_add(const struct sanlk_lockspace *ls)
{
	struct space *space = space_of(ls->name);
	uint8_t record[SECTOR];
	int result = record_read(ls, record);

	if (space)
		return space->host_id == ls->host_id ? -EEXIST : -EINVAL;
	for (int i = 0; !space && i < SPACES_MAX; i++)
		if (!fake.spaces[i].used)
			space = &fake.spaces[i];
	if (result || !space)
		return result ? result : -ENOMEM;
	memset(space, 0, sizeof(*space));
	space->used = true;
	memcpy(space->name, ls->name, SANLK_NAME_LEN);
	snprintf(space->path, sizeof(space->path), "%s", ls->host_id_disk.path);
	space->host_id = ls->host_id;
	memcpy(&space->generation, record + AT_GENERATION, sizeof(space->generation));
	space->generation++;
	space->joined_ms = now_ms();
	put64(record + AT_GENERATION, space->generation);
	put64(record + AT_TIMESTAMP, 1 + space->joined_ms);
	return record_io(space->path, space->host_id, record, true);
}

int sanlock_add_lockspace_timeout(struct sanlk_lockspace *ls, uint32_t flags, uint32_t io_timeout)
{
	(void)flags;
	(void)io_timeout;
	CALL(space_add(ls));
}

int sanlock_inq_lockspace(struct sanlk_lockspace *ls, uint32_t flags)
{
	(void)flags;
	CALL(space_of(ls->name) ? 0 : -ENOENT);
}

static int space_remove(const struct sanlk_lockspace *ls)
{
	struct space *space = space_of(ls->name);
	uint8_t record[SECTOR];

	if (!space)
		return -ENOENT;
	for (int i = 0; i < LEASES_MAX; i++)
		if (fake.leases[i].pid && strcmp(fake.leases[i].lockspace, space->name) == 0)
			return -EBUSY;
	space->used = false;
	if (record_read(ls, record) == 0) {
		put64(record + AT_TIMESTAMP, 0);
		record_io(space->path, space->host_id, record, true);
	}
	return 0;
}

int sanlock_rem_lockspace(struct sanlk_lockspace *ls, uint32_t flags)
{
	(void)flags;
	CALL(space_remove(ls));
}

static int hosts_get(const char *name, uint64_t host_id, struct sanlk_host **hosts, int *count)
{
	struct space *space = space_of(name);

	if (!space)
		return -ENOENT;
	// It tells of itself after its first renewal.
	if (now_ms() - space->joined_ms < RENEWED_MS)
		return -EAGAIN;
	*hosts = calloc(1, sizeof(**hosts));
	if (!*hosts)
		fake_abort(__LINE__);
	(*hosts)->host_id = host_id;
	(*hosts)->generation = space->generation;
	*count = 1;
	return 0;
}

int sanlock_get_hosts(const char *name, uint64_t host_id, struct sanlk_host **hosts, int *count,
		      uint32_t flags)
{
	(void)flags;
	CALL(hosts_get(name, host_id, hosts, count));
}

// Leases

static int lease_find(const struct sanlk_resource *res, struct lease **lease)
{
	*lease = lease_at(res->disks[0].offset);
	if (!*lease || strcmp((*lease)->path, res->disks[0].path) != 0)
		return SANLK_LEADER_MAGIC;
	return (*lease)->unreadable;
}

static int lease_match(const struct sanlk_resource *res, const struct lease *lease)
{
	if (strncmp(res->lockspace_name, lease->lockspace, SANLK_NAME_LEN) != 0)
		return SANLK_LEADER_LOCKSPACE;
	return strncmp(res->name, lease->name, SANLK_NAME_LEN) ? SANLK_LEADER_RESOURCE : 0;
}

static int lease_read(struct sanlk_resource *res)
{
	struct lease *lease;
	int result = lease_find(res, &lease);

	if (result)
		return result;
	if (!res->lockspace_name[0])
		memcpy(res->lockspace_name, lease->lockspace, SANLK_NAME_LEN);
	if (!res->name[0])
		memcpy(res->name, lease->name, SANLK_NAME_LEN);
	return lease_match(res, lease);
}

int sanlock_read_resource(struct sanlk_resource *res, uint32_t flags)
{
	(void)flags;
	CALL(lease_read(res));
}

static int lease_write(const struct sanlk_resource *res)
{
	struct lease *lease = lease_make(res->disks[0].path, res->disks[0].offset);

	memcpy(lease->lockspace, res->lockspace_name, SANLK_NAME_LEN);
	memcpy(lease->name, res->name, SANLK_NAME_LEN);
	return 0;
}

int sanlock_write_resource(struct sanlk_resource *res, int max_hosts, int num_hosts, uint32_t flags)
{
	(void)max_hosts;
	(void)num_hosts;
	(void)flags;
	CALL(lease_write(res));
}

static int lease_owners(const struct sanlk_resource *res, struct sanlk_host **hosts, int *count)
{
	struct lease *lease;
	int result = lease_find(res, &lease);

	if (!result)
		result = lease_match(res, lease);
	*count = 0;
	if (result || !lease->owner_id)
		return result;
	*hosts = calloc(1, sizeof(**hosts));
	if (!*hosts)
		fake_abort(__LINE__);
	(*hosts)->host_id = lease->owner_id;
	(*hosts)->generation = lease->generation;
	*count = 1;
	return 0;
}

int sanlock_read_resource_owners(struct sanlk_resource *res, uint32_t flags,
				 struct sanlk_host **hosts, int *count)
{
	(void)flags;
	CALL(lease_owners(res, hosts, count));
}

void fake_sanlock_share(uint64_t offset, bool other)
{
	struct lease *lease = lease_at(offset);

	if (!lease)
		fake_abort(__LINE__);
	lease->other_shares = other;
}

uint32_t fake_sanlock_shared(pid_t pid)
{
	uint32_t count = 0;

	pthread_mutex_lock(&fake.lock);
	reap();
	for (int i = 0; i < LEASES_MAX; i++)
		count += pid > 0 && fake.leases[i].pid == pid && fake.leases[i].shared;
	pthread_mutex_unlock(&fake.lock);
	return count;
}

static void lease_free(struct lease *lease)
{
	lease->shared = false;
	lease->owner_id = lease->generation = 0;
	lease->pid = 0;
}

static int lease_take(pid_t pid, const struct sanlk_resource *res)
{
	struct space *space = space_of(res->lockspace_name);
	struct lease *lease;
	int result = lease_find(res, &lease);

	if (!space)
		return -ENOSPC;
	if (!result)
		result = lease_match(res, lease);
	if (result)
		return result;
	if (lease->pid)
		return -EEXIST;
	if (lease->owner_id && lease->owner_id != space->host_id)
		return SANLK_ACQUIRE_IDLIVE;
	if (lease->other_shares && !(res->flags & SANLK_RES_SHARED))
		return -EAGAIN;
	lease->shared = (res->flags & SANLK_RES_SHARED) != 0;
	lease->owner_id = space->host_id;
	lease->generation = space->generation;
	lease->pid = pid;
	return 0;
}

static int acquire(pid_t pid, int count, struct sanlk_resource **res)
{
	struct lease *lease;
	bool ended = false;
	int i, result = 0;

	if (!exec_start_time(pid, &ended) || ended)
		return -ESRCH;
	for (i = 0; i < count && !result; i++)
		result = lease_take(pid, res[i]);
	if (!result) {
		fake.granted = pid;
		return 0;
	}
	for (i -= 2; i >= 0; i--)
		if (lease_find(res[i], &lease) == 0)
			lease_free(lease);
	return result;
}

int sanlock_acquire(int sock, int pid, uint32_t flags, int count, struct sanlk_resource *res[],
		    struct sanlk_options *options)
{
	bool hit;
	int result;

	(void)sock;
	(void)flags;
	(void)options;
	if (call_begin(&result, &hit))
		return call_end(acquire(pid, count, res), hit);
	if (hit && fake.fault == FAKE_PARTLY)
		acquire(pid, 1, res);
	pthread_mutex_unlock(&fake.lock);
	return result;
}

static int convert(pid_t pid, const struct sanlk_resource *res)
{
	bool shared = (res->flags & SANLK_RES_SHARED) != 0;
	struct lease *lease;
	int result = lease_find(res, &lease);

	if (!result)
		result = lease_match(res, lease);
	if (result)
		return result;
	if (lease->pid != pid)
		return -ENOENT;
	if (lease->shared == shared)
		return -EINVAL;
	if (!shared && lease->other_shares)
		return -EAGAIN;
	lease->shared = shared;
	return 0;
}

int sanlock_convert(int sock, int pid, uint32_t flags, struct sanlk_resource *res)
{
	(void)sock;
	(void)flags;
	CALL(convert(pid, res));
}

static int release_all(pid_t pid)
{
	for (int i = 0; i < LEASES_MAX; i++)
		if (fake.leases[i].pid == pid)
			lease_free(&fake.leases[i]);
	return 0;
}

int sanlock_release(int sock, int pid, uint32_t flags, int count, struct sanlk_resource *res[])
{
	(void)sock;
	(void)count;
	(void)res;
	if (flags != SANLK_REL_ALL)
		fake_abort(__LINE__);
	CALL(release_all(pid));
}

static int inquire(pid_t pid, int *count, char **state)
{
	struct { struct sanlk_resource res; struct sanlk_disk disk; } res[LEASES_MAX];
	struct sanlk_resource *args[LEASES_MAX];
	bool ended = false;

	*count = 0;
	*state = NULL;
	if (!exec_start_time(pid, &ended) || ended)
		return -ESRCH;
	memset(res, 0, sizeof(res));
	for (int i = 0; i < LEASES_MAX; i++) {
		const struct lease *lease = &fake.leases[i];

		if (lease->pid != pid)
			continue;
		res[*count].res.flags = lease->shared ? SANLK_RES_SHARED : 0;
		memcpy(res[*count].res.lockspace_name, lease->lockspace, SANLK_NAME_LEN);
		memcpy(res[*count].res.name, lease->name, SANLK_NAME_LEN);
		res[*count].res.num_disks = 1;
		snprintf(res[*count].disk.path, SANLK_PATH_LEN, "%s", lease->path);
		res[*count].disk.offset = lease->offset;
		args[*count] = &res[*count].res;
		++*count;
	}
	return *count ? sanlock_args_to_state(*count, args, state) : 0;
}

int sanlock_inquire(int sock, int pid, uint32_t flags, int *count, char **state)
{
	(void)sock;
	(void)flags;
	CALL(inquire(pid, count, state));
}

// Connections

static int connection_new(void)
{
	int pair[2];

	if (fake.peer_count == CONNECTIONS_MAX ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		fake_abort(__LINE__);
	fake.peers[fake.peer_count++] = pair[1];
	return pair[0];
}

int sanlock_register(void)
{
	bool hit;
	int result, fd;

	if (!call_begin(&result, &hit)) {
		pthread_mutex_unlock(&fake.lock);
		return result;
	}
	fd = connection_new();
	result = call_end(fd, hit);
	if (result < 0)
		close(fd);
	return result;
}

int sanlock_restrict(int sock, uint32_t flags)
{
	(void)flags;
	CALL(sock >= 0 ? 0 : -EBADF);
}
