// SPDX-License-Identifier: Apache-2.0
#include "resources/record_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "clusterd/exec_io.h"
#include "clusterd/log_io.h"

#define RECORD_PATH_SIZE 512

enum { RECORD_TEXT_SIZE = 1024 + VM_LEASES_MAX * (2 * LOCK_NAME_SIZE + LOCK_PATH_SIZE + 64) };

void record_uuid_text(const struct uuid *uuid, char *text)
{
	const uint8_t *b = uuid->bytes;

	snprintf(text, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		 b[13], b[14], b[15]);
}

bool record_uuid_parse(const char *text, struct uuid *uuid)
{
	char back[37];
	size_t i, at = 0;

	if (strlen(text) != 36)
		return false;
	for (i = 0; i < 16; i++) {
		unsigned int byte;

		if (text[at] == '-')
			at++;
		if (sscanf(text + at, "%2x", &byte) != 1)
			return false;
		uuid->bytes[i] = (uint8_t)byte;
		at += 2;
	}
	record_uuid_text(uuid, back);
	return strcmp(text, back) == 0;
}

bool record_boot(char *boot)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	bool read = file && fscanf(file, "%39s", boot) == 1;

	if (file)
		fclose(file);
	return read;
}

static void record_path(const char *run_dir, const struct uuid *uuid, const char *suffix,
			char *path)
{
	char text[37];

	record_uuid_text(uuid, text);
	snprintf(path, RECORD_PATH_SIZE, "%.400s/vms/%s%s", run_dir, text, suffix);
}

static void record_print(FILE *file, const struct record *record)
{
	uint32_t i;

	fprintf(file, "record 1\nvm %u %u\nattempt %u\nprocess %d %" PRIu64 "\nboot %s\n",
		record->vm.slot, record->vm.serial, record->attempt, (int)record->pid,
		record->start, record->boot);
	if (record->incoming)
		fprintf(file, "incoming\n");
	if (record->saved_move)
		fprintf(file, "saved %u %" PRIu64 "\n", record->saved_move, record->saved_bytes);
	fprintf(file, "sanlock %d %" PRIu64 "\n", (int)record->sanlock.pid, record->sanlock.start);
	for (i = 0; i < record->lease_count; i++) {
		const struct lock_lease *lease = &record->leases[i];

		fprintf(file, "lease %s %s %" PRIu64 " %u %u %s\n", lease->lockspace, lease->name,
			lease->offset, lease->sector, lease->align, lease->path);
	}
	fprintf(file, "end\n");
}

// Zero-terminated, in a buffer of RECORD_TEXT_SIZE; 0: no memory, or too long.
static size_t record_text(const struct record *record, char *text)
{
	FILE *file = fmemopen(text, RECORD_TEXT_SIZE, "w");
	bool good;
	long size;

	if (!file)
		return 0;
	record_print(file, record);
	good = fflush(file) == 0 && !ferror(file);
	size = ftell(file);
	fclose(file);
	return good && size > 0 && size < RECORD_TEXT_SIZE ? (size_t)size : 0;
}

static void record_parse_lease(const char *line, struct record *record)
{
	struct lock_lease *lease = &record->leases[record->lease_count];
	int path_at = 0;

	if (record->lease_count == VM_LEASES_MAX)
		return;
	memset(lease, 0, sizeof(*lease));
	if (sscanf(line, "lease %48s %48s %" SCNu64 " %u %u %n", lease->lockspace, lease->name,
		   &lease->offset, &lease->sector, &lease->align, &path_at) < 5 || !path_at)
		return;
	snprintf(lease->path, sizeof(lease->path), "%s", line + path_at);
	record->lease_count++;
}

static void record_parse_line(const char *line, struct record *record)
{
	int pid;

	if (sscanf(line, "process %d %" SCNu64, &pid, &record->start) == 2)
		record->pid = pid;
	else if (sscanf(line, "sanlock %d %" SCNu64, &pid, &record->sanlock.start) == 2)
		record->sanlock.pid = pid;
	else if (sscanf(line, "saved %u %" SCNu64, &record->saved_move, &record->saved_bytes) == 2)
		return;
	else if (strncmp(line, "lease ", 6) == 0)
		record_parse_lease(line, record);
	else if (strcmp(line, "incoming") == 0)
		record->incoming = true;
	else if (sscanf(line, "vm %u %u", &record->vm.slot, &record->vm.serial) != 2 &&
		 sscanf(line, "attempt %u", &record->attempt) != 1)
		(void)!sscanf(line, "boot %39s", record->boot);
}

// Only what would be written is read: whatever else a text holds shows itself when what was
// understood of it is written again.
static bool record_parse(const char *text, size_t size, struct record *record)
{
	char *copy = strndup(text, size), *again = malloc(RECORD_TEXT_SIZE), *rest = copy;
	struct uuid uuid = record->uuid;
	bool good = copy && again;

	memset(record, 0, sizeof(*record));
	record->uuid = uuid;
	while (good && rest)
		record_parse_line(strsep(&rest, "\n"), record);
	good = good && record->pid > 1 && record_text(record, again) == size &&
	       memcmp(text, again, size) == 0;
	free(copy);
	free(again);
	return good;
}

static int record_write_text(const char *run_dir, const struct uuid *uuid, const char *text,
			     size_t size)
{
	char path[RECORD_PATH_SIZE], temporary[RECORD_PATH_SIZE];
	FILE *file;
	bool failed;

	record_path(run_dir, uuid, "", path);
	record_path(run_dir, uuid, ".new", temporary);
	file = fopen(temporary, "we");
	if (!file)
		return -errno;
	errno = 0;
	failed = fwrite(text, 1, size, file) != size;
	if (fclose(file) != 0 || failed || rename(temporary, path) < 0) {
		int error = errno ? -errno : -EIO;

		unlink(temporary);
		return error;
	}
	return 0;
}

int record_write(const char *run_dir, const struct record *record)
{
	char *text = malloc(RECORD_TEXT_SIZE);
	struct record *back = malloc(sizeof(*back));
	int error = -ENOMEM;

	if (text && back) {
		size_t size = record_text(record, text);

		// What the next daemon could not read is no record.
		error = size && record_parse(text, size, back) ?
				record_write_text(run_dir, &record->uuid, text, size) : -EINVAL;
	}
	free(text);
	free(back);
	return error;
}

void record_remove(const char *run_dir, const struct uuid *uuid)
{
	char path[RECORD_PATH_SIZE];

	record_path(run_dir, uuid, "", path);
	unlink(path);
}

// 0 or -errno.
static int record_read(const char *path, struct record *record)
{
	char *text = malloc(RECORD_TEXT_SIZE);
	FILE *file = fopen(path, "re");
	int error = file ? -ENOMEM : -errno;

	if (text && file) {
		size_t size = fread(text, 1, RECORD_TEXT_SIZE, file);

		error = !ferror(file) && record_parse(text, size, record) ? 0 : -EBADMSG;
	}
	if (file)
		fclose(file);
	free(text);
	return error;
}

int record_each(const char *run_dir, record_fn fn, void *owner)
{
	char path[RECORD_PATH_SIZE];
	struct record *record = malloc(sizeof(*record));
	struct dirent *entry;
	DIR *directory;
	int unread = 0, error;

	if (!record)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%.400s/vms", run_dir);
	directory = opendir(path);
	error = directory || errno == ENOENT ? 0 : -errno;
	while (directory && (errno = 0, entry = readdir(directory))) {
		if (!record_uuid_parse(entry->d_name, &record->uuid))
			continue;
		record_path(run_dir, &record->uuid, "", path);
		error = record_read(path, record);
		if (!error) {
			fn(owner, record);
		} else if (error != -ENOENT) {
			unread++;
			log_text(LOG_LEVEL_ERROR, "%s: %s; what it was written for may still run",
				 path, strerror(-error));
		}
		error = 0;
	}
	if (directory) {
		error = -errno;
		closedir(directory);
	}
	if (error)
		log_text(LOG_LEVEL_ERROR, "%.400s/vms: %s", run_dir, strerror(-error));
	free(record);
	return error ? error : unread;
}

bool record_gone(const char *run_dir, const struct uuid *uuid, char *reason)
{
	struct record *record = malloc(sizeof(*record));
	char path[RECORD_PATH_SIZE];
	int error = -ENOMEM, fd;

	record_path(run_dir, uuid, "", path);
	if (record) {
		record->uuid = *uuid;
		error = record_read(path, record);
	}
	if (!error) {
		fd = record_process(record);
		error = fd < 0 ? fd : -EBUSY;
		if (fd >= 0)
			close(fd);
	}
	free(record);
	if (error == -ENOENT || error == -ESRCH)
		return true;
	snprintf(reason, REASON_SIZE, "an earlier process of it may still be there, by %.100s (%s)",
		 path, strerror(-error));
	return false;
}

// Opened first and compared then: a number that was given to another process in between is found
// out. A process whose main thread has ended may still write with another one that hangs in the
// kernel: it is gone when its pidfd says so.
int record_process(const struct record *record)
{
	struct pollfd gone = { .events = POLLIN };
	char boot[40];
	uint64_t start;

	if (!record_boot(boot))
		return -EIO;
	if (strcmp(boot, record->boot))
		return -ESRCH;
	gone.fd = pidfd_open(record->pid, 0);
	// EINVAL, ENOENT: the number is a thread's of another process now.
	if (gone.fd < 0)
		return errno == EINVAL || errno == ENOENT ? -ESRCH : -errno;
	start = exec_start_time(record->pid, NULL);
	if ((start && start != record->start) || poll(&gone, 1, 0) == 1) {
		close(gone.fd);
		return -ESRCH;
	}
	// Its number is not another's now, or the descriptor would say so: /proc could not be read.
	if (!start) {
		close(gone.fd);
		return -EIO;
	}
	return gone.fd;
}

struct record_orphans {
	int64_t deadline_ms;	// CLOCK_MONOTONIC; of all of them together
	int alive;
};

static int64_t record_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void record_end_orphan(void *owner, const struct record *record)
{
	struct record_orphans *orphans = owner;
	struct pollfd wait = { .events = POLLIN };
	int64_t left_ms;

	if (lock_daemon_lives(&record->sanlock))
		return;
	wait.fd = record_process(record);
	if (wait.fd < 0) {
		orphans->alive += wait.fd != -ESRCH;
		return;
	}
	left_ms = orphans->deadline_ms - record_now_ms();
	pidfd_send_signal(wait.fd, SIGKILL, NULL, 0);
	// One that cannot be killed keeps its record, and whoever asked keeps sanlock from
	// starting.
	if (poll(&wait, 1, left_ms > 0 ? (int)left_ms : 0) != 1)
		orphans->alive++;
	close(wait.fd);
}

// Killed all before the first is waited for.
static void record_kill_orphan(void *owner, const struct record *record)
{
	int fd;

	(void)owner;
	if (lock_daemon_lives(&record->sanlock))
		return;
	fd = record_process(record);
	if (fd < 0)
		return;
	pidfd_send_signal(fd, SIGKILL, NULL, 0);
	close(fd);
}

int record_end_orphans(const char *run_dir, uint32_t timeout_ms)
{
	struct record_orphans orphans = { record_now_ms() + timeout_ms, 0 };
	int unread;

	record_each(run_dir, record_kill_orphan, NULL);
	unread = record_each(run_dir, record_end_orphan, &orphans);
	return unread < 0 ? unread : orphans.alive + unread;
}
