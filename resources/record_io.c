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

#define RECORD_PATH_SIZE 512

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
	fprintf(file, "sanlock %d %" PRIu64 "\n", (int)record->sanlock.pid, record->sanlock.start);
	for (i = 0; i < record->lease_count; i++) {
		const struct lock_lease *lease = &record->leases[i];

		fprintf(file, "lease %s %s %" PRIu64 " %u %u %s\n", lease->lockspace, lease->name,
			lease->offset, lease->sector, lease->align, lease->path);
	}
	fprintf(file, "end\n");
}

int record_write(const char *run_dir, const struct record *record)
{
	char path[RECORD_PATH_SIZE], temporary[RECORD_PATH_SIZE];
	FILE *file;
	bool failed;

	record_path(run_dir, &record->uuid, "", path);
	record_path(run_dir, &record->uuid, ".new", temporary);
	file = fopen(temporary, "we");
	if (!file)
		return -errno;
	record_print(file, record);
	failed = ferror(file);
	if (fclose(file) != 0 || failed || rename(temporary, path) < 0) {
		int error = errno ? -errno : -EIO;

		unlink(temporary);
		return error;
	}
	return 0;
}

void record_remove(const char *run_dir, const struct uuid *uuid)
{
	char path[RECORD_PATH_SIZE];

	record_path(run_dir, uuid, "", path);
	unlink(path);
}

static bool record_parse_lease(const char *line, struct record *record)
{
	struct lock_lease *lease = &record->leases[record->lease_count];
	int path_at = 0;

	if (record->lease_count == VM_LEASES_MAX)
		return false;
	memset(lease, 0, sizeof(*lease));
	if (sscanf(line, "lease %48s %48s %" SCNu64 " %u %u %n", lease->lockspace, lease->name,
		   &lease->offset, &lease->sector, &lease->align, &path_at) < 5 || !path_at)
		return false;
	snprintf(lease->path, sizeof(lease->path), "%s", line + path_at);
	record->lease_count++;
	return true;
}

static bool record_parse_line(const char *line, struct record *record, bool *ended)
{
	int pid;

	if (sscanf(line, "process %d %" SCNu64, &pid, &record->start) == 2)
		record->pid = pid;
	else if (sscanf(line, "sanlock %d %" SCNu64, &pid, &record->sanlock.start) == 2)
		record->sanlock.pid = pid;
	else if (strncmp(line, "lease ", 6) == 0)
		return record_parse_lease(line, record);
	else if (strcmp(line, "end") == 0)
		*ended = true;
	else
		return strcmp(line, "record 1") == 0 ||
		       sscanf(line, "vm %u %u", &record->vm.slot, &record->vm.serial) == 2 ||
		       sscanf(line, "attempt %u", &record->attempt) == 1 ||
		       sscanf(line, "boot %39s", record->boot) == 1;
	return true;
}

static bool record_read(const char *path, struct record *record)
{
	FILE *file = fopen(path, "re");
	char line[LOCK_PATH_SIZE + 256];
	bool good = true, ended = false;

	if (!file)
		return false;
	while (good && !ended && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		good = record_parse_line(line, record, &ended);
	}
	fclose(file);
	return good && ended && record->pid > 1;
}

void record_each(const char *run_dir, record_fn fn, void *owner)
{
	char path[RECORD_PATH_SIZE];
	struct dirent *entry;
	struct record *record = malloc(sizeof(*record));
	DIR *directory;

	snprintf(path, sizeof(path), "%.400s/vms", run_dir);
	directory = opendir(path);
	while (record && directory && (entry = readdir(directory))) {
		memset(record, 0, sizeof(*record));
		if (!record_uuid_parse(entry->d_name, &record->uuid))
			continue;
		record_path(run_dir, &record->uuid, "", path);
		if (record_read(path, record))
			fn(owner, record);
		else
			unlink(path);
	}
	if (directory)
		closedir(directory);
	free(record);
}

// Opened first and compared then: a number that was given to another process in between is found
// out. A process whose main thread has ended may still write with another one that hangs in the
// kernel: it is gone when its pidfd says so.
int record_process(const struct record *record)
{
	struct pollfd gone = { .events = POLLIN };
	char boot[40];

	if (!record_boot(boot) || strcmp(boot, record->boot))
		return -1;
	gone.fd = pidfd_open(record->pid, 0);
	if (gone.fd < 0)
		return -1;
	if (exec_start_time(record->pid, NULL) != record->start || poll(&gone, 1, 0) == 1) {
		close(gone.fd);
		return -1;
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
	if (wait.fd < 0)
		return;
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

	record_each(run_dir, record_kill_orphan, NULL);
	record_each(run_dir, record_end_orphan, &orphans);
	return orphans.alive;
}
