// SPDX-License-Identifier: Apache-2.0
#include "csv/sanlock_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
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
#include "csv/sanlock_internal_io.h"

#define MIB (1024u * 1024u)

enum {
	READ_LIMIT_MS = 2000,
	RELEASE_LIMIT_MS = 20000,
};

// The delta lease's leader record, as sanlock 3 keeps it on the disk (little-endian).
enum {
	LEADER_MAGIC = 0x12212010,
	LEADER_VERSION_MAJOR = 0x00030000,
	LEADER_AT_MAGIC = 0,
	LEADER_AT_VERSION = 4,
	LEADER_AT_FLAGS = 8,
	LEADER_AT_SECTOR = 12,
	LEADER_AT_GENERATION = 40,
	LEADER_AT_LOCKSPACE = 56,
	LEADER_AT_TIMESTAMP = 152,
};

bool lock_fail(char *reason, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(reason, REASON_SIZE, format, list);
	va_end(list);
	return false;
}

static uint64_t lock_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

const char *lock_error_text(int result)
{
	if (result > -200)
		return strerror(-result);
	switch (result) {
	case SANLK_AIO_TIMEOUT: return "the disk did not answer in time";
	case SANLK_WD_ERROR: return "the watchdog daemon refused";
	case SANLK_LEADER_MAGIC: return "no lease there";
	case SANLK_LEADER_LOCKSPACE: return "another lockspace's record is there";
	case SANLK_LEADER_RESOURCE: return "another lease is there";
	case SANLK_HOSTID_BUSY: return "the host id is in use by another host";
	case SANLK_ACQUIRE_IDLIVE: return "a living host holds it";
	case SANLK_ACQUIRE_OWNED: return "another host holds it";
	case SANLK_ACQUIRE_OWNED_RETRY: return "its holder may be dead, which is not proven yet";
	case SANLK_ADDLS_SIZES: return "sector sizes do not fit";
	case SANLK_ADDLS_INVALID_HOSTID: return "no such host id in this lockspace";
	}
	return sanlock_strerror(result);
}

// sanlock's names are 48 bytes: a longer volume name keeps its beginning and gets a hash of the
// whole.
void lock_volume_init(struct lock_volume *volume, const char *name, const char *place,
		      uint32_t io_timeout_s)
{
	uint64_t hash = 14695981039346656037u;
	const char *at;

	memset(volume, 0, sizeof(*volume));
	for (at = name; *at; at++)
		hash = (hash ^ (uint8_t)*at) * 1099511628211u;
	if (strlen(name) <= 39)
		snprintf(volume->lockspace, LOCK_NAME_SIZE, "clusterd-%s", name);
	else
		snprintf(volume->lockspace, LOCK_NAME_SIZE, "clusterd-%.22s-%016llx", name,
			 (unsigned long long)hash);
	snprintf(volume->directory, LOCK_PATH_SIZE, "%.480s/.clusterd", place);
	snprintf(volume->lockspace_path, LOCK_PATH_SIZE, "%.480s/.clusterd/lockspace", place);
	snprintf(volume->leases_path, LOCK_PATH_SIZE, "%.480s/.clusterd/leases", place);
	volume->io_timeout_s = io_timeout_s;
}

static uint32_t le32(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

static uint64_t le64(const uint8_t *bytes)
{
	return le32(bytes) | (uint64_t)le32(bytes + 4) << 32;
}

// `size` bytes of the lockspace file, direct; 0 or -errno.
static int lock_read_block(const struct lock_volume *volume, uint64_t offset, void *block,
			   size_t size)
{
	int fd = open(volume->lockspace_path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	ssize_t count;

	if (fd < 0)
		return -errno;
	count = pread(fd, block, size, (off_t)offset);
	if (count < 0)
		count = -errno;
	close(fd);
	if (count >= 0 && count != (ssize_t)size)
		return -EIO;
	return count < 0 ? (int)count : 0;
}

static bool lock_leader_valid(const struct lock_volume *volume, const uint8_t *leader, char *reason)
{
	if (le32(leader + LEADER_AT_MAGIC) != LEADER_MAGIC)
		return lock_fail(reason, "%s: no lockspace there", volume->lockspace_path);
	if ((le32(leader + LEADER_AT_VERSION) & 0xffff0000) != LEADER_VERSION_MAJOR)
		return lock_fail(reason, "%s: lockspace of an unknown version",
				 volume->lockspace_path);
	if (strncmp((const char *)leader + LEADER_AT_LOCKSPACE, volume->lockspace, SANLK_NAME_LEN))
		return lock_fail(reason, "%s: it belongs to lockspace %.48s, not %s",
				 volume->lockspace_path, leader + LEADER_AT_LOCKSPACE,
				 volume->lockspace);
	return true;
}

// The alignment that the leader's flags name; none in lockspaces older than the flags.
static uint32_t lock_align(uint32_t flags, uint32_t sector)
{
	if (flags & SANLK_LSF_ALIGN1M)
		return MIB;
	if (flags & SANLK_LSF_ALIGN2M)
		return 2 * MIB;
	if (flags & SANLK_LSF_ALIGN4M)
		return 4 * MIB;
	if (flags & SANLK_LSF_ALIGN8M)
		return 8 * MIB;
	return sector == 512 ? MIB : 8 * MIB;
}

bool lock_geometry(struct lock_volume *volume, char *reason)
{
	uint8_t *block;
	bool valid;
	int error;

	if (volume->sector)
		return true;
	block = aligned_alloc(4096, 4096);
	if (!block)
		return lock_fail(reason, "out of memory");
	error = lock_read_block(volume, 0, block, 4096);
	valid = !error && lock_leader_valid(volume, block, reason);
	if (error)
		lock_fail(reason, "%s: %s", volume->lockspace_path, strerror(-error));
	if (valid) {
		uint32_t sector = le32(block + LEADER_AT_SECTOR);

		valid = sector == 512 || sector == 4096;
		if (valid) {
			volume->sector = sector;
			volume->align = lock_align(le32(block + LEADER_AT_FLAGS), sector);
		} else {
			lock_fail(reason, "%s: a sector size of %u", volume->lockspace_path,
				  sector);
		}
	}
	free(block);
	return valid;
}

void lock_lease_init(struct lock_lease *lease, const struct lock_volume *volume, uint32_t slot,
		     const struct uuid *uuid)
{
	const uint8_t *b = uuid->bytes;

	memset(lease, 0, sizeof(*lease));
	memcpy(lease->lockspace, volume->lockspace, LOCK_NAME_SIZE);
	memcpy(lease->path, volume->leases_path, LOCK_PATH_SIZE);
	snprintf(lease->name, LOCK_NAME_SIZE,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		 b[13], b[14], b[15]);
	lease->offset = (uint64_t)slot * volume->align;
	lease->sector = volume->sector;
	lease->align = volume->align;
}

static void lock_lockspace_fill(struct sanlk_lockspace *ls, const struct lock_volume *volume,
				uint32_t host_id)
{
	memset(ls, 0, sizeof(*ls));
	memcpy(ls->name, volume->lockspace, strlen(volume->lockspace));
	ls->host_id = host_id;
	snprintf(ls->host_id_disk.path, SANLK_PATH_LEN, "%s", volume->lockspace_path);
}

// Whether the storage takes direct I/O of 512 bytes; else 4096.
static uint32_t lock_sector_size(const struct lock_volume *volume)
{
	uint8_t *block = aligned_alloc(4096, 4096);
	int error = block ? lock_read_block(volume, 0, block, 512) : -ENOMEM;

	free(block);
	return error == -EINVAL ? 4096 : 512;
}

static int lock_file_make(const char *path, off_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (lseek(fd, 0, SEEK_END) < size && ftruncate(fd, size) < 0)
		error = -errno;
	if (!error && fsync(fd) < 0)
		error = -errno;
	close(fd);
	return error;
}

// A lockspace that is there may be in use by living hosts: it is kept, and never written again.
bool lock_prepare(struct lock_volume *volume, char *reason)
{
	struct sanlk_lockspace ls;
	uint32_t io_timeout_s = 0;
	int result;

	result = lock_file_make(volume->lockspace_path, 8 * MIB);
	if (!result)
		result = lock_file_make(volume->leases_path, 0);
	if (result)
		return lock_fail(reason, "%s: %s", volume->directory, strerror(-result));
	lock_lockspace_fill(&ls, volume, 1);
	result = sanlock_read_lockspace(&ls, 0, &io_timeout_s);
	if (result == SANLK_LEADER_MAGIC) {
		lock_lockspace_fill(&ls, volume, 1);
		if (lock_sector_size(volume) == 512)
			ls.flags = SANLK_LSF_ALIGN1M | SANLK_LSF_SECTOR512;
		else
			ls.flags = SANLK_LSF_ALIGN8M | SANLK_LSF_SECTOR4K;
		result = sanlock_write_lockspace(&ls, 0, 0, volume->io_timeout_s);
		io_timeout_s = volume->io_timeout_s;
	}
	if (result < 0)
		return lock_fail(reason, "%s: %s", volume->lockspace_path, lock_error_text(result));
	if (io_timeout_s != volume->io_timeout_s)
		return lock_fail(reason, "%s was prepared with an io-timeout of %u s, not %u",
				 volume->lockspace_path, io_timeout_s, volume->io_timeout_s);
	return lock_geometry(volume, reason);
}

// Of this host's id in the lockspace, as the daemon has it; 0 when it says nothing.
static uint64_t lock_generation(const char *lockspace, uint32_t host_id)
{
	struct sanlk_host *hosts = NULL;
	uint64_t generation = 0;
	int count = 0;

	if (sanlock_get_hosts(lockspace, host_id, &hosts, &count, 0) >= 0 && count == 1)
		generation = hosts[0].generation;
	free(hosts);
	return generation;
}

bool lock_join(const struct lock_volume *volume, uint32_t host_id, uint64_t *generation,
	       char *reason)
{
	struct lock_volume copy = *volume;
	struct lock_claim claim;
	struct sanlk_lockspace ls;
	int result;

	lock_lockspace_fill(&ls, volume, host_id);
	result = sanlock_add_lockspace_timeout(&ls, 0, volume->io_timeout_s);
	if (result == -EINPROGRESS)
		result = sanlock_inq_lockspace(&ls, SANLK_INQ_WAIT);
	if (result < 0 && result != -EEXIST)
		return lock_fail(reason, "cannot join lockspace %s: %s", volume->lockspace,
				 lock_error_text(result));
	// The daemon lists its own id only after a renewal; the disk knows it at once.
	*generation = lock_generation(volume->lockspace, host_id);
	if (!*generation) {
		if (!lock_claim_read(&copy, host_id, &claim, reason))
			return false;
		*generation = claim.generation;
	}
	return true;
}

bool lock_leave(const struct lock_volume *volume, uint32_t host_id, char *reason)
{
	struct sanlk_lockspace ls;
	int result;

	lock_lockspace_fill(&ls, volume, host_id);
	// UNUSED: leaving would otherwise kill whoever still holds a lease there.
	result = sanlock_rem_lockspace(&ls, SANLK_REM_UNUSED);
	if (result < 0 && result != -ENOENT)
		return lock_fail(reason, "cannot leave lockspace %s: %s", volume->lockspace,
				 lock_error_text(result));
	return true;
}

bool lock_joined(const struct lock_volume *volume, uint32_t host_id)
{
	struct sanlk_lockspace ls;

	lock_lockspace_fill(&ls, volume, host_id);
	return sanlock_inq_lockspace(&ls, 0) == 0;
}

struct sanlk_resource *lock_resource_fill(struct lock_resource *res, const struct lock_lease *lease)
{
	memset(res, 0, sizeof(*res));
	memcpy(res->resource.lockspace_name, lease->lockspace, strlen(lease->lockspace));
	memcpy(res->resource.name, lease->name, strlen(lease->name));
	res->resource.num_disks = 1;	// `disk` follows, as sanlock wants it
	snprintf(res->disk.path, SANLK_PATH_LEN, "%s", lease->path);
	res->disk.offset = lease->offset;
	res->resource.flags = lease->sector == 4096 ? SANLK_RES_SECTOR4K : SANLK_RES_SECTOR512;
	switch (lease->align / MIB) {
	case 2: res->resource.flags |= SANLK_RES_ALIGN2M; break;
	case 4: res->resource.flags |= SANLK_RES_ALIGN4M; break;
	case 8: res->resource.flags |= SANLK_RES_ALIGN8M; break;
	default: res->resource.flags |= SANLK_RES_ALIGN1M; break;
	}
	return &res->resource;
}

// Makes the file reach to the slot's end, by a write inside the slot: changing its length could cut
// off what another host added meanwhile.
static int lock_lease_reach(const struct lock_lease *lease)
{
	int fd = open(lease->path, O_RDWR | O_DIRECT | O_CLOEXEC);
	uint64_t end = lease->offset + lease->align;
	void *zeros;
	int error = 0;

	if (fd < 0)
		return -errno;
	zeros = aligned_alloc(4096, 4096);
	if (!zeros) {
		close(fd);
		return -ENOMEM;
	}
	memset(zeros, 0, 4096);
	if (lseek(fd, 0, SEEK_END) < (off_t)end &&
	    pwrite(fd, zeros, 4096, (off_t)end - 4096) != 4096)
		error = errno ? -errno : -EIO;
	free(zeros);
	close(fd);
	return error;
}

/*
 * The slots of removed VMs are used again, so a lease of another name may be in this one. It gives
 * way when it has no owner: its VM is removed, so no host takes it any more, and the slot's one
 * writer is this one. What cannot be read, and a lease of another lockspace, is not ours to judge.
 */
static int lock_lease_abandoned(const struct lock_lease *lease)
{
	struct lock_resource res;
	struct sanlk_host *hosts = NULL;
	int count = 0, result;

	// Without names it tells whose lease there is; the owners are told to who knows the name.
	lock_resource_fill(&res, lease);
	memset(res.resource.lockspace_name, 0, sizeof(res.resource.lockspace_name));
	memset(res.resource.name, 0, sizeof(res.resource.name));
	result = sanlock_read_resource(&res.resource, 0);
	if (result < 0)
		return result;
	if (strncmp(res.resource.lockspace_name, lease->lockspace, SANLK_NAME_LEN) != 0)
		return SANLK_LEADER_LOCKSPACE;
	result = sanlock_read_resource_owners(&res.resource, 0, &hosts, &count);
	free(hosts);
	if (result < 0)
		return result;
	return count == 0 ? 0 : SANLK_LEADER_RESOURCE;
}

bool lock_lease_write(const struct lock_lease *lease, char *reason)
{
	struct lock_resource res;
	int result = lock_lease_reach(lease);

	if (result)
		return lock_fail(reason, "%s: %s", lease->path, strerror(-result));
	// A lease that exists may be held, and writing it again would wipe its holder: only where
	// it was read that none is, or one that nobody owns, one is written.
	result = sanlock_read_resource(lock_resource_fill(&res, lease), 0);
	if (result == 0)
		return true;
	if (result == SANLK_LEADER_RESOURCE)
		result = lock_lease_abandoned(lease);
	if (result != SANLK_LEADER_MAGIC && result != 0)
		return lock_fail(reason, "lease slot at %llu of %s: %s",
				 (unsigned long long)lease->offset, lease->path,
				 result == SANLK_LEADER_RESOURCE ? "another lease there is owned"
								 : lock_error_text(result));
	result = sanlock_write_resource(lock_resource_fill(&res, lease), 0, 0, 0);
	if (result == 0)
		result = sanlock_read_resource(lock_resource_fill(&res, lease), 0);
	if (result < 0)
		return lock_fail(reason, "cannot write the lease at %llu of %s: %s",
				 (unsigned long long)lease->offset, lease->path,
				 lock_error_text(result));
	return true;
}

bool lock_claim_read(struct lock_volume *volume, uint32_t host_id, struct lock_claim *claim,
		     char *reason)
{
	uint8_t *block;
	bool valid;
	int error;

	if (!lock_geometry(volume, reason))
		return false;
	block = aligned_alloc(4096, 4096);
	if (!block)
		return lock_fail(reason, "out of memory");
	error = lock_read_block(volume, (uint64_t)(host_id - 1) * volume->sector, block,
				volume->sector);
	valid = !error && lock_leader_valid(volume, block, reason);
	if (error)
		lock_fail(reason, "%s: %s", volume->lockspace_path, strerror(-error));
	if (valid) {
		claim->generation = le64(block + LEADER_AT_GENERATION);
		claim->timestamp = le64(block + LEADER_AT_TIMESTAMP);
	}
	free(block);
	return valid;
}

/*
 * release_id checks neither that the host is dead nor its generation, and releasing a living host
 * makes two owners. That it is dead, the caller has proof of, for the generation that it names. A
 * host that has come back since has a new generation, and then its old leases are over without our
 * doing: so the generation is read immediately before, and any other than the proven one is left
 * alone. A read that took long was not immediately before: the storage hangs, and whoever waited
 * for this may have decided otherwise since.
 */
bool lock_claim_release(struct lock_volume *volume, uint32_t host_id, uint64_t generation,
			const char *program, char *reason)
{
	char escaped[SANLK_PATH_LEN], lockspace[SANLK_PATH_LEN + 128], output[256];
	// Without asynchronous I/O: taking that down costs 30 ms, in the middle of a failover.
	const char *const argv[] = {
		program, "direct", "release_id", "-a", "0", "-s", lockspace, NULL,
	};
	uint64_t begin_ms = lock_now_ms();
	struct lock_claim claim;
	int status;

	if (sanlock_path_export(escaped, volume->lockspace_path, sizeof(escaped)) == 0)
		return lock_fail(reason, "%s: path too long", volume->lockspace_path);
	snprintf(lockspace, sizeof(lockspace), "%s:%u:%s:0", volume->lockspace, host_id, escaped);
	if (!lock_claim_read(volume, host_id, &claim, reason))
		return false;
	if (claim.generation != generation || claim.timestamp == 0)
		return true;
	if (lock_now_ms() - begin_ms > READ_LIMIT_MS)
		return lock_fail(reason, "%s: reading took too long to act on it",
				 volume->lockspace_path);
	status = exec_run(argv, output, sizeof(output), RELEASE_LIMIT_MS);
	if (!lock_claim_read(volume, host_id, &claim, reason))
		return false;
	if (claim.generation == generation && claim.timestamp != 0)
		return lock_fail(reason, "cannot release host id %u in %s: status %d, %.80s",
				 host_id, volume->lockspace, status, output);
	return true;
}

// Without its main thread it renews nothing: then it is as good as gone.
bool lock_daemon_lives(const struct lock_daemon *daemon)
{
	bool ended = true;

	return daemon->start && exec_start_time(daemon->pid, &ended) == daemon->start && !ended;
}

int lock_register(void)
{
	int fd = sanlock_register(), result;

	if (fd < 0)
		return fd;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	result = sanlock_restrict(fd, SANLK_RESTRICT_ALL);
	if (result < 0) {
		close(fd);
		return result;
	}
	return fd;
}
