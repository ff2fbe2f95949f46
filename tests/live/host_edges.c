// SPDX-License-Identifier: Apache-2.0
// One host's edges without the rest of the daemon: performs actions named on standard input, prints
// the events. Driven by tests/live/host_edges.py.
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clusterd/loop_io.h"
#include "resources/host_io.h"
#include "resources/record_io.h"

enum { VMS = 64 };

// "name=value" words behind a command: what a move is to be like.
struct words {
	struct migrate_params migrate;
	bool shared, given;
	uint8_t mode;
	char address[ADDRESS_SIZE], peer[NAME_SIZE];
};

struct driver {
	struct loop *loop;
	struct host *host;
	struct cluster cluster;
	struct vm vms[VMS];
	struct vm_def defs[VMS];
	uint32_t attempt;
	char line[1024];
	size_t used;
};

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1000000;
}

static void driver_event(void *owner, const struct event *event)
{
	static const char *const names[EVENT_TYPE_COUNT] = {
		[EVENT_HOST] = "HOST",
		[EVENT_SANLOCK_UP] = "SANLOCK_UP",
		[EVENT_SANLOCK_GONE] = "SANLOCK_GONE",
		[EVENT_VOLUME] = "VOLUME",
		[EVENT_VOLUME_PREPARED] = "VOLUME_PREPARED",
		[EVENT_LEASE_WRITTEN] = "LEASE_WRITTEN",
		[EVENT_VM_SPAWNED] = "VM_SPAWNED",
		[EVENT_LEASE_GRANTED] = "LEASE_GRANTED",
		[EVENT_LEASE_REFUSED] = "LEASE_REFUSED",
		[EVENT_QEMU_RUNNING] = "QEMU_RUNNING",
		[EVENT_QEMU_PAUSED] = "QEMU_PAUSED",
		[EVENT_QEMU_GUEST_SHUTDOWN] = "QEMU_GUEST_SHUTDOWN",
		[EVENT_QEMU_DEAF] = "QEMU_DEAF",
		[EVENT_QEMU_EXITED] = "QEMU_EXITED",
		[EVENT_QEMU_UNKILLABLE] = "QEMU_UNKILLABLE",
		[EVENT_LEASE_RELEASED] = "LEASE_RELEASED",
		[EVENT_VM_ADOPTED] = "VM_ADOPTED",
		[EVENT_ADOPTION_DONE] = "ADOPTION_DONE",
		[EVENT_HOST_RELEASED] = "HOST_RELEASED",
		[EVENT_HOST_CHECKED] = "HOST_CHECKED",
		[EVENT_LEASE_SHARED] = "LEASE_SHARED",
		[EVENT_LEASE_EXCLUSIVE] = "LEASE_EXCLUSIVE",
		[EVENT_QEMU_LISTENING] = "QEMU_LISTENING",
		[EVENT_QEMU_RESTORED] = "QEMU_RESTORED",
		[EVENT_MIGRATE] = "MIGRATE",
		[EVENT_SAVED] = "SAVED",
		[EVENT_DIRTY_RATE] = "DIRTY_RATE",
	};
	static const char *const states[MIGRATE_STATUS_COUNT] = {
		"none",	  "setup",     "active", "postcopy",  "pre-switchover",
		"device", "completed", "failed", "cancelled", "torn",
	};
	const struct migrate_stats *stats = event->stats;

	(void)owner;
	printf("%.3f %s vm=%u flag=%d volume_state=%d joined=%d generation=%llu error=%d "
	       "attempt=%u shared=%d run=%d port=%u index=%llu",
	       now_ms(), names[event->type] ? names[event->type] : "?", event->vm.slot, event->flag,
	       event->volume_state, event->joined, (unsigned long long)event->generation,
	       event->lease_error, event->attempt, event->shared, event->run_state, event->port,
	       (unsigned long long)event->index);
	if (stats)
		printf(" status=%s total=%llu remaining=%llu transferred=%llu rate=%llu dirty=%llu "
		       "rounds=%u throttle=%u pause_us=%u total_ms=%u",
		       states[stats->status], (unsigned long long)stats->total,
		       (unsigned long long)stats->remaining, (unsigned long long)stats->transferred,
		       (unsigned long long)stats->rate, (unsigned long long)stats->dirty_rate,
		       stats->rounds, stats->throttle, stats->pause_us, stats->total_ms);
	printf(" reason=%s\n", event->reason ? event->reason : "");
	fflush(stdout);
}

static void words_read(const char *line, struct words *words)
{
	static const char *const modes[] = { "fresh", "incoming", "restore" };
	char copy[512], *at, *word;
	unsigned long long number;
	uint8_t i;

	memset(words, 0, sizeof(*words));
	words->migrate.address = words->address;
	words->migrate.peer = words->peer;
	snprintf(copy, sizeof(copy), "%s", line);
	for (word = strtok_r(copy, " ", &at); word; word = strtok_r(NULL, " ", &at)) {
		char *value = strchr(word, '=');

		if (strcmp(word, "shared") == 0)
			words->shared = true;
		if (!value)
			continue;
		*value++ = 0;
		words->given = true;
		number = strtoull(value, NULL, 10);
		if (strcmp(word, "address") == 0)
			snprintf(words->address, sizeof(words->address), "%s", value);
		else if (strcmp(word, "peer") == 0)
			snprintf(words->peer, sizeof(words->peer), "%s", value);
		else if (strcmp(word, "port") == 0)
			words->migrate.port = (uint32_t)number;
		else if (strcmp(word, "tls") == 0)
			words->migrate.tls = number != 0;
		else if (strcmp(word, "postcopy") == 0)
			words->migrate.post_copy = number != 0;
		else if (strcmp(word, "channels") == 0)
			words->migrate.channels = (uint32_t)number;
		else if (strcmp(word, "bandwidth") == 0)
			words->migrate.bandwidth = number;
		else if (strcmp(word, "downtime") == 0)
			words->migrate.downtime_ms = (uint32_t)number;
		else if (strcmp(word, "throttle") == 0)
			words->migrate.throttle = (uint32_t)number;
		for (i = 0; strcmp(word, "mode") == 0 && i < START_MODE_COUNT; i++)
			if (strcmp(value, modes[i]) == 0)
				words->mode = i;
	}
}

static void driver_act(struct driver *driver, enum action_type type, uint32_t slot,
		       uint32_t node_id, uint64_t generation, const struct words *words)
{
	uint64_t generations[VOLUMES_MAX] = { generation };
	struct action action = { .type = (uint8_t)type, .node_id = node_id };

	action.generation = generations;
	action.generation_mask = 1;
	if (type == ACTION_VM_SPAWN)
		driver->attempt++;
	action.attempt = driver->attempt;
	action.vm = driver->vms[slot].ref;
	action.uuid = driver->defs[slot].uuid;
	action.lease_slot = driver->vms[slot].leases[0].slot;
	action.flag = words->shared;
	action.start_mode = words->mode;
	action.migrate = words->given ? &words->migrate : NULL;
	printf("%.3f DO %d\n", now_ms(), type);
	fflush(stdout);
	if (!host_perform(driver->host, &driver->cluster, &action))
		abort();
}

// The lab's guest, from the volume's folder boot/.
static void driver_guest(struct vm_def *def, uint32_t memory_mib, const char *cmdline)
{
	def->memory_mib = memory_mib;
	snprintf(def->kernel.volume, NAME_SIZE, "v1");
	snprintf(def->kernel.path, PATH_SIZE, "boot/vmlinuz");
	snprintf(def->initrd.volume, NAME_SIZE, "v1");
	snprintf(def->initrd.path, PATH_SIZE, "boot/initrd");
	snprintf(def->cmdline, CMDLINE_SIZE, "console=ttyS0 quiet %s", cmdline);
}

static void driver_command(struct driver *driver, const char *line)
{
	static const struct { const char *word; enum action_type type;
	} actions[] = {
		{ "open", ACTION_VOLUME_OPEN },
		{ "close", ACTION_VOLUME_CLOSE },
		{ "prepare", ACTION_VOLUME_PREPARE },
		{ "join", ACTION_VOLUME_JOIN },
		{ "lease", ACTION_LEASE_WRITE },
		{ "spawn", ACTION_VM_SPAWN },
		{ "acquire", ACTION_LEASE_ACQUIRE },
		{ "exec", ACTION_QEMU_EXEC },
		{ "abandon", ACTION_VM_ABANDON },
		{ "powerdown", ACTION_QEMU_POWERDOWN },
		{ "kill", ACTION_QEMU_KILL },
		{ "release", ACTION_LEASE_RELEASE_WAIT },
		{ "forget", ACTION_VM_FORGET },
		{ "release-host", ACTION_HOST_RELEASE },
		{ "check-host", ACTION_HOST_CHECK },
		{ "cont", ACTION_QEMU_CONT },
		{ "share", ACTION_LEASE_SHARE },
		{ "exclusive", ACTION_LEASE_EXCLUSIVE },
		{ "migrate", ACTION_MIGRATE },
		{ "tune", ACTION_MIGRATE_TUNE },
		{ "continue", ACTION_MIGRATE_CONTINUE },
		{ "cancel", ACTION_MIGRATE_CANCEL },
		{ "save", ACTION_SAVE },
		{ "saved-remove", ACTION_SAVED_REMOVE },
		{ "dirty-rate", ACTION_DIRTY_RATE },
		{ "announce", ACTION_QEMU_ANNOUNCE },
	};
	char word[32] = "", extra[200] = "";
	struct words words;
	unsigned int slot = 0, i;
	unsigned long long generation = 0;

	if (sscanf(line, "%31s %u %llu %199[^\n]", word, &slot, &generation, extra) < 1)
		return;
	words_read(line, &words);
	if (strcmp(word, "adopt") == 0)
		host_adopt(driver->host);
	else if (strcmp(word, "quit") == 0)
		loop_stop(driver->loop);
	else if (strcmp(word, "uefi") == 0)
		driver->defs[slot].firmware = FIRMWARE_UEFI;
	else if (strcmp(word, "bridge") == 0) {
		driver->defs[slot].nic_count = 1;
		snprintf(driver->defs[slot].nics[0].bridge, sizeof(driver->defs[0].nics[0].bridge),
			 "%.15s", extra);
		driver->defs[slot].nics[0].mac[0] = 0x52;
	} else if (strcmp(word, "guest") == 0) {
		driver_guest(&driver->defs[slot], (uint32_t)generation, extra);
	}
	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(word, actions[i].word) == 0)
			driver_act(driver, actions[i].type, slot < VMS ? slot : 0, slot, generation,
				   &words);
}

static void driver_input(void *owner, int fd, uint32_t events)
{
	struct driver *driver = owner;
	ssize_t size =
		read(fd, driver->line + driver->used, sizeof(driver->line) - 1 - driver->used);
	char *end;

	(void)events;
	if (size <= 0) {
		loop_stop(driver->loop);
		return;
	}
	driver->used += (size_t)size;
	while ((end = memchr(driver->line, '\n', driver->used))) {
		*end = 0;
		driver_command(driver, driver->line);
		driver->used -= (size_t)(end + 1 - driver->line);
		memmove(driver->line, end + 1, driver->used);
	}
}

static void driver_define(struct driver *driver, const char *root, const char *source)
{
	struct cluster_volume *volume = &driver->cluster.volumes[0];
	uint32_t i;

	snprintf(driver->cluster.def.root, PATH_SIZE, "%s", root);
	snprintf(volume->def.name, NAME_SIZE, "v1");
	snprintf(volume->def.source, PATH_SIZE, "%s", source);
	volume->used = volume->prepared = true;
	driver->cluster.volume_high = 1;
	volume->io_timeout_s = 1;
	driver->cluster.vms = driver->vms;
	driver->cluster.defs = driver->defs;
	driver->cluster.vm_high = VMS;
	for (i = 0; i < VMS; i++) {
		struct vm *vm = &driver->vms[i];
		struct vm_def *def = &driver->defs[i];

		vm->used = true;
		vm->ref = (struct vm_ref){ i, 7 + i };
		vm->lease_count = 1;
		vm->leases[0].slot = i;
		snprintf(def->name, NAME_SIZE, "vm%u", i);
		memset(&def->uuid, 0x40 + (int)i, sizeof(def->uuid));
		def->cpus = 1;
		def->memory_mib = i < 4 ? 128 : 16;
		def->disk_count = 1;
		snprintf(def->disks[0].volume, NAME_SIZE, "v1");
		snprintf(def->disks[0].path, PATH_SIZE, "vms/vm%u.img", i);
		def->console = true;
	}
}

// host_edges NODE_ID RUN_DIR ROOT SOURCE LAUNCH [PKI]
int main(int argc, char **argv)
{
	struct driver *driver = calloc(1, sizeof(*driver));
	struct host_config config = {
		.sanlock_path = "/usr/sbin/sanlock", .qemu_path = "/usr/bin/qemu-system-x86_64",
		.qemu_user = "nobody", .cpu_compatible = "qemu64",
		.uefi_code = "/usr/share/OVMF/OVMF_CODE_4M.fd",
		.uefi_vars = "/usr/share/OVMF/OVMF_VARS_4M.fd",
	};
	int error;

	if (argc == 3 && strcmp(argv[1], "--end-orphans") == 0)
		return host_end_orphans(argv[2]);
	if (argc < 6 || !driver || loop_open(&driver->loop))
		return 2;
	driver_define(driver, argv[3], argv[4]);
	config.edge = (struct edge){
		.loop = driver->loop, .post = driver_event, .owner = driver,
	};
	config.node_id = (uint32_t)atoi(argv[1]);
	config.run_dir = argv[2];
	config.launch_path = argv[5];
	config.pki_dir = argv[6];
	error = host_open(&driver->host, &config);
	if (error) {
		fprintf(stderr, "host_open: %s\n", strerror(-error));
		return 1;
	}
	loop_add_fd(driver->loop, 0, POLLIN, driver_input, driver);
	loop_run(driver->loop);
	host_close(driver->host);
	return 0;
}
