// SPDX-License-Identifier: Apache-2.0
#include "clusterd/apply_check.h"

#include <string.h>

#include "clusterd/cpu.h"
#include "clusterd/vm_index.h"

enum {
	CPUS_MAX = 512,
	MEMORY_MAX_MIB = 16 * 1024 * 1024,
	IO_TIMEOUT_MAX_S = 60,
	HOLD_MIN_S = 5, // a view change, or a slow store, must not end VMs
	WAIT_MAX_S = 24 * 60 * 60,
	FAILURES_MAX = 1000,
	MAX_PAUSE_MAX_MS = 60000,
	MOVES_AT_ONCE_MAX = 16,
	LINK_MBIT_MAX = 1000000,
};

static bool is_word_start(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool name_is_word(const char *name)
{
	if (!is_word_start(name[0]))
		return false;
	for (const char *at = name; *at; at++) {
		if (!is_word_start(*at) && *at != '.' && *at != '_' && *at != '-')
			return false;
	}
	return true;
}

static bool has_control(const char *text, bool lines)
{
	for (const char *at = text; *at; at++) {
		unsigned char c = (unsigned char)*at;

		if ((c < 0x20 && !(lines && c == '\n')) || c == 0x7f)
			return true;
	}
	return false;
}

static bool check_name(struct apply *a, const char *what, const char *name)
{
	if (name_is_word(name))
		return true;
	return refuse(a, "bad-name", WORDS("\"", name, "\" is no name for a ", what),
		      WORDS("begin with a letter or digit, go on with letters, digits, '.', '_' "
			    "and '-'"));
}

static bool check_number(struct apply *a, const char *const *what, uint64_t value, uint64_t min,
			 uint64_t max)
{
	char name[REASON_SIZE];

	if (value >= min && value <= max)
		return true;
	words_join(name, sizeof(name), what);
	return refuse(a, "out-of-range", WORDS(name, " is ", number_text(value).text),
		      WORDS("give ", number_text(min).text, " to ", number_text(max).text));
}

static size_t part_length(const char *path)
{
	size_t length = 0;

	while (path[length] && path[length] != '/')
		length++;
	return length;
}

// No empty part, no "." and no "..": two different texts then never mean one file.
static bool parts_are_plain(const char *path)
{
	for (;;) {
		size_t length = part_length(path);

		if (length == 0 || (length == 1 && path[0] == '.') ||
		    (length == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += length;
		if (!*path)
			return true;
		path++;
	}
}

static bool path_is_absolute_plain(const char *path)
{
	return path[0] == '/' && parts_are_plain(path + 1) && !has_control(path, false);
}

bool path_is_inside(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return strncmp(path, directory, length) == 0 && (path[length] == '/' || !path[length]);
}

// The lockspace and the leases of a volume live in its .clusterd: no guest may write there.
static bool check_file(struct apply *a, const char *vm, const char *what, const char *volume,
		       const char *path)
{
	if (!name_is_word(volume))
		return refuse(a, "bad-name", WORDS("vm ", vm, ": a ", what, " names no volume"),
			      WORDS("give its volume"));
	if (!parts_are_plain(path) || has_control(path, false))
		return refuse(
			a, "bad-path",
			WORDS("vm ", vm, ": \"", path, "\" is no path inside volume ", volume),
			WORDS("give a relative path without \"..\", \".\", \"//\" and control "
			      "characters"));
	if (path_is_inside(path, ".clusterd"))
		return refuse(
			a, "bad-path",
			WORDS("vm ", vm, ": .clusterd of volume ", volume, " holds its leases"),
			WORDS("put the ", what, " elsewhere, for example below vms/"));
	return true;
}

static bool check_migration(struct apply *a, const struct migration_def *def)
{
	for (uint32_t i = 0; i < def->network_count; i++)
		for (const char *c = def->networks[i]; *c; c++)
			if (!is_word_start(*c) && *c != '.' && *c != ':' && *c != '/')
				return refuse(a, "bad-network",
					      WORDS("\"", def->networks[i], "\" is no network"),
					      WORDS("give one like 10.1.0.0/16"));
	return check_number(a, WORDS("the bandwidth of migrations"), def->bandwidth_percent, 1,
			    100) &&
	       check_number(a, WORDS("the speed of links"), def->link_mbit, 0, LINK_MBIT_MAX) &&
	       check_number(a, WORDS("moves-out"), def->moves_out_max, 1, MOVES_AT_ONCE_MAX) &&
	       check_number(a, WORDS("moves-in"), def->moves_in_max, 1, MOVES_AT_ONCE_MAX);
}

bool check_cluster_def(struct apply *a, const struct cluster_def *def)
{
	if (!check_name(a, "cluster", def->name))
		return false;
	if (!path_is_absolute_plain(def->root))
		return refuse(a, "bad-path", WORDS("\"", def->root, "\" is no absolute path"),
			      WORDS("give one like /clusterstorage"));
	return check_number(a, WORDS("no-quorum-hold"), def->no_quorum_hold_s, HOLD_MIN_S,
			    WAIT_MAX_S) &&
	       check_number(a, WORDS("io-timeout"), def->io_timeout_s, 1, IO_TIMEOUT_MAX_S) &&
	       check_number(a, WORDS("measure-every in seconds"), def->measure_s, 0,
			    MEASURE_EVERY_MAX_S) &&
	       check_migration(a, &def->migration);
}

bool check_node_def(struct apply *a, const struct node_def *def)
{
	struct cpu_features features;
	char unknown[CPU_NAME_MAX];

	if (!check_name(a, "node", def->name) ||
	    !check_number(a, WORDS("the id of node ", def->name), def->id, 1, NODE_ID_MAX) ||
	    !check_number(a, WORDS("the memory reserve of node ", def->name),
			  def->memory_reserve_mib, 0, MEMORY_MAX_MIB))
		return false;
	if (!cpu_parse(&features, def->cpu_without, unknown))
		return refuse(a, "bad-cpu-feature",
			      WORDS("node ", def->name, ": \"", unknown, "\" is no CPU feature"),
			      WORDS("name features as QEMU does, like avx2"));
	for (uint32_t i = 0; i < def->fence_count; i++) {
		const struct fence_def *fence = &def->fences[i];

		if (strncmp(fence->agent, "fence_", 6) != 0 || !name_is_word(fence->agent))
			return refuse(a, "bad-agent",
				      WORDS("node ", def->name, ": \"", fence->agent,
					    "\" is no fence agent"),
				      WORDS("name a program fence_*"));
		if (has_control(fence->options, true))
			return refuse(a, "bad-agent",
				      WORDS("node ", def->name, ": options of ", fence->agent,
					    " hold control characters"),
				      WORDS("leave them out"));
	}
	return true;
}

bool check_volume_def(struct apply *a, const struct volume_def *def)
{
	if (!check_name(a, "volume", def->name))
		return false;
	if (!path_is_absolute_plain(def->source))
		return refuse(
			a, "bad-path",
			WORDS("volume ", def->name, ": \"", def->source, "\" is no absolute path"),
			WORDS("give one without \"..\", \".\", \"//\", a slash at the end, and "
			      "control characters"));
	return true;
}

static bool check_texts(struct apply *a, const struct vm_def *def)
{
	const char *texts[] = { def->description, def->cpu_model, def->cmdline };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (has_control(texts[i], false))
			return refuse(a, "bad-text",
				      WORDS("vm ", def->name, ": a text holds control characters"),
				      WORDS("leave them out"));
	}
	if (def->machine[0] && !name_is_word(def->machine))
		return refuse(
			a, "bad-name",
			WORDS("vm ", def->name, ": \"", def->machine, "\" is no machine type"),
			WORDS("give one like q35"));
	if (def->cpu_mode == CPU_MODEL && !def->cpu_model[0])
		return refuse(a, "bad-name", WORDS("vm ", def->name, ": no CPU model is named"),
			      WORDS("name one, or use a mode"));
	return true;
}

static bool check_kernel(struct apply *a, const struct vm_def *def)
{
	bool given = def->kernel.volume[0] || def->kernel.path[0];

	if (!given && (def->initrd.volume[0] || def->initrd.path[0] || def->cmdline[0]))
		return refuse(a, "contradiction",
			      WORDS("vm ", def->name, ": an initrd or command line needs a kernel"),
			      WORDS("name the kernel"));
	if (given && !check_file(a, def->name, "kernel", def->kernel.volume, def->kernel.path))
		return false;
	if (def->initrd.volume[0] || def->initrd.path[0])
		return check_file(a, def->name, "initrd", def->initrd.volume, def->initrd.path);
	return true;
}

// It has PCI express ports, which a host's device can be unplugged from.
static bool machine_takes_devices(const char *machine)
{
	return machine[0] == 0 || strcmp(machine, "q35") == 0 ||
	       strncmp(machine, "pc-q35-", strlen("pc-q35-")) == 0;
}

static bool check_passed(struct apply *a, const struct vm_def *def, uint32_t at)
{
	const struct nic_def *nic = &def->nics[at];

	if (!nic->device[0])
		return true;
	if (!pci_address_is_good(nic->device))
		return refuse(a, "bad-device",
			      WORDS("vm ", def->name, ": \"", nic->device,
				    "\" is no PCI address"),
			      WORDS("write it as 0000:3b:02.1, in small letters"));
	if (nic->model != NIC_VIRTIO || !machine_takes_devices(def->machine))
		return refuse(a, "no-way-to-move",
			      WORDS("vm ", def->name, ": without a virtio NIC on machine q35 "
				    "there is no other path while ", nic->device,
				    " cannot come along"),
			      WORDS("model virtio, machine q35"));
	for (uint32_t i = 0; i < at; i++)
		if (strcmp(def->nics[i].device, nic->device) == 0)
			return refuse(a, "contradiction",
				      WORDS("vm ", def->name, ": ", nic->device,
					    " is passed through twice"),
				      WORDS("name it once"));
	return true;
}

static bool check_nics(struct apply *a, const struct vm_def *def)
{
	for (uint32_t i = 0; i < def->nic_count; i++) {
		const struct nic_def *nic = &def->nics[i];

		if (!name_is_word(nic->bridge))
			return refuse(
				a, "bad-name",
				WORDS("vm ", def->name, ": \"", nic->bridge, "\" is no bridge"),
				WORDS("name a bridge of the nodes"));
		if (nic->mac[0] & 1)
			return refuse(a, "bad-mac",
				      WORDS("vm ", def->name, ": the MAC of NIC ",
					    number_text(i + 1).text, " is a group address"),
				      WORDS("give one whose first octet is even, or none"));
		if (!check_passed(a, def, i))
			return false;
	}
	return true;
}

bool check_vm_def(struct apply *a, const struct vm_def *def)
{
	bool written = false;

	if (!check_name(a, "vm", def->name) ||
	    !check_number(a, WORDS("vm ", def->name, ": cpus"), def->cpus, 1, CPUS_MAX) ||
	    !check_number(a, WORDS("vm ", def->name, ": memory in MiB"), def->memory_mib, 1,
			  MEMORY_MAX_MIB) ||
	    !check_number(a, WORDS("vm ", def->name, ": stop timeout"), def->stop_timeout_s, 0,
			  WAIT_MAX_S) ||
	    !check_number(a, WORDS("vm ", def->name, ": max-pause in ms"), def->max_pause_ms, 1,
			  MAX_PAUSE_MAX_MS) ||
	    !check_number(a, WORDS("vm ", def->name, ": restarts"), def->restarts_max, 0,
			  FAILURES_MAX) ||
	    !check_number(a, WORDS("vm ", def->name, ": relocations"), def->relocations_max, 0,
			  FAILURES_MAX))
		return false;
	for (uint32_t i = 0; i < def->disk_count; i++) {
		const struct disk_def *disk = &def->disks[i];

		if (!check_file(a, def->name, "disk", disk->volume, disk->path))
			return false;
		written = written || disk_is_written(disk);
	}
	if (!written)
		return refuse(a, "no-disk",
			      WORDS("vm ", def->name,
				    " needs at least one writable disk: "
				    "its lease lives on that volume"),
			      WORDS("give it a disk"));
	return check_texts(a, def) && check_kernel(a, def) && check_nics(a, def);
}

bool refuse_running_change(struct apply *a, const struct vm *vm, const struct vm_def *def)
{
	const struct vm_def *old = vm_definition(a->cluster, vm);
	const char *owner = slot_name(a->cluster, vm->owner);

	if (old->cpu_mode == def->cpu_mode && strcmp(old->cpu_model, def->cpu_model) == 0)
		return refuse(a, "running",
			      WORDS("vm ", def->name, " runs, or may run, on ", owner,
				    ": its hardware cannot change"),
			      WORDS("stop it first: clustadm vm stop ", def->name));
	return refuse(a, "running",
		      WORDS("vm ", def->name, " runs, or may run, on ", owner,
			    ": its guest would not survive another CPU"),
		      WORDS("clustadm vm stop ", def->name, ", apply it again, clustadm vm start ",
			    def->name));
}
