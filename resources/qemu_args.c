// SPDX-License-Identifier: Apache-2.0
#include "resources/qemu_args.h"

#include <string.h>

#include "clusterd/invariant.h"
#include "resources/definition_text.h"

/*
 * PCI slots on the root bus, the same for q35 and pc. 0 and 1 are the chipset's, 0x1f is q35's.
 */
enum {
	PCI_VGA = 0x02,
	PCI_NIC = 0x03,			  // VM_NICS_MAX of them
	PCI_DISK = PCI_NIC + VM_NICS_MAX, // VM_DISKS_MAX of them
	PCI_SCSI = PCI_DISK + VM_DISKS_MAX,
	PCI_SATA = PCI_SCSI + 1, // two controllers
	PCI_AGENT = PCI_SATA + 2,
	PCI_PORTS, // functions of one slot: a port for each NIC that is passed through
	PCI_END,
	SATA_PORTS = 6,
};
_Static_assert(PCI_END <= 0x1f, "the root bus is full");
_Static_assert(VM_DISKS_MAX <= 2 * SATA_PORTS, "not enough SATA ports");

// Text at the end of the arena, without its zero yet. Once it is full nothing more is written.
static void put_bytes(struct qemu_args *args, const char *text, size_t length)
{
	if (args->problem)
		return;
	if (length > args->size - args->used) {
		args->problem = "the command line is too long";
		return;
	}
	memcpy(args->arena + args->used, text, length);
	args->used += length;
}

static void put(struct qemu_args *args, const char *text)
{
	put_bytes(args, text, strlen(text));
}

static void put_number(struct qemu_args *args, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	put_bytes(args, digits + at, sizeof(digits) - at);
}

static void put_hex(struct qemu_args *args, uint8_t byte)
{
	static const char digits[] = "0123456789abcdef";
	char text[2] = { digits[byte >> 4], digits[byte & 15] };

	put_bytes(args, text, sizeof(text));
}

// In "key=value,..." a comma in a value is doubled.
static void put_option(struct qemu_args *args, const char *text)
{
	for (; *text; text++)
		put_bytes(args, *text == ',' ? ",," : text, *text == ',' ? 2 : 1);
}

static void put_json(struct qemu_args *args, const char *text)
{
	put(args, "\"");
	for (; *text; text++) {
		if (*text == '"' || *text == '\\') {
			put(args, "\\");
			put_bytes(args, text, 1);
		} else if ((unsigned char)*text < 0x20) {
			put(args, "\\u00");
			put_hex(args, (uint8_t)*text);
		} else {
			put_bytes(args, text, 1);
		}
	}
	put(args, "\"");
}

// Ends the text that began at `start`.
static char *put_end(struct qemu_args *args, size_t start)
{
	put_bytes(args, "", 1);
	return args->problem ? NULL : args->arena + start;
}

static void argument_add(struct qemu_args *args, char *text)
{
	if (args->problem)
		return;
	if (args->argc + 1 >= QEMU_ARGV_MAX) {
		args->problem = "the command line has too many arguments";
		return;
	}
	args->argv[args->argc++] = text;
	args->argv[args->argc] = NULL;
}

static void argument_end(struct qemu_args *args, size_t start)
{
	argument_add(args, put_end(args, start));
}

static void argument(struct qemu_args *args, const char *text)
{
	size_t start = args->used;

	put(args, text);
	argument_end(args, start);
}

static bool is_microvm(const struct vm_def *def)
{
	return strcmp(def->machine, "microvm") == 0;
}

static void put_volume_path(struct qemu_args *args, const char *volume_root, const char *volume,
			    const char *path)
{
	put(args, volume_root);
	put(args, "/");
	put(args, volume);
	put(args, "/");
	put(args, path);
}

static const struct disk_def *first_writable_disk(const struct vm_def *def)
{
	for (uint32_t i = 0; i < def->disk_count; i++)
		if (disk_is_written(&def->disks[i]))
			return &def->disks[i];
	return NULL;
}

bool uefi_vars_path(const struct vm_def *def, const char *volume_root, char *buf, size_t size)
{
	const struct disk_def *disk = first_writable_disk(def);
	struct qemu_args text = { .arena = buf, .size = size };

	if (!disk || size == 0)
		return false;
	if (volume_root) {
		put(&text, volume_root);
		put(&text, "/");
	}
	put(&text, disk->volume);
	put(&text, "/");
	put(&text, disk->path);
	put(&text, ".nvram");
	return put_end(&text, 0) != NULL;
}

static const char *bool_word(bool value)
{
	return value ? "true" : "false";
}

struct block_file {
	const char *node;
	const char *filename;
	bool readonly, direct, native, discard, locks;
};

// The protocol node. Direct I/O always for what is written: see enum disk_cache.
static char *block_file_node(struct qemu_args *args, const struct block_file *file)
{
	size_t start = args->used;

	put(args, "{\"driver\":\"file\",\"node-name\":");
	put_json(args, file->node);
	put(args, ",\"filename\":");
	put_json(args, file->filename);
	put(args, ",\"aio\":");
	put_json(args, file->native ? "native" : "threads");
	put(args, ",\"cache\":{\"direct\":");
	put(args, bool_word(file->direct));
	put(args, ",\"no-flush\":false},\"discard\":");
	put_json(args, file->discard ? "unmap" : "ignore");
	put(args, ",\"read-only\":");
	put(args, bool_word(file->readonly));
	put(args, ",\"auto-read-only\":false,\"locking\":");
	put_json(args, file->locks ? "auto" : "off");
	put(args, "}");
	return put_end(args, start);
}

static char *block_format_node(struct qemu_args *args, const struct block_file *file,
			       const char *node, const char *format)
{
	size_t start = args->used;

	put(args, "{\"driver\":");
	put_json(args, format);
	put(args, ",\"node-name\":");
	put_json(args, node);
	put(args, ",\"file\":");
	put_json(args, file->node);
	put(args, ",\"cache\":{\"direct\":");
	put(args, bool_word(file->direct));
	put(args, ",\"no-flush\":false},\"discard\":");
	put_json(args, file->discard ? "unmap" : "ignore");
	put(args, ",\"read-only\":");
	put(args, bool_word(file->readonly));
	put(args, ",\"auto-read-only\":false}");
	return put_end(args, start);
}

bool disk_block_graph(struct block_graph *graph, struct qemu_args *args, const struct vm_def *def,
		      uint32_t disk, const struct qemu_facts *facts)
{
	const struct disk_def *d = &def->disks[disk];
	struct block_file file = {
		.readonly = !disk_is_written(d),
		.direct = true,
		.native = d->aio == AIO_NATIVE,
		.discard = d->discard,
		.locks = facts->image_locks,
	};
	size_t start = args->used;
	char *node;

	put(args, "disk");
	put_number(args, disk);
	node = put_end(args, start);
	start = args->used;
	put(args, "disk");
	put_number(args, disk);
	put(args, "-file");
	file.node = put_end(args, start);
	start = args->used;
	put_volume_path(args, facts->volume_root, d->volume, d->path);
	file.filename = put_end(args, start);
	graph->count = 0;
	if (args->problem)
		return false;
	graph->nodes[graph->count++] = block_file_node(args, &file);
	graph->nodes[graph->count++] =
		block_format_node(args, &file, node, disk_format_words[d->format]);
	return args->problem == NULL;
}

static void blockdev(struct qemu_args *args, char *json)
{
	argument(args, "-blockdev");
	argument_add(args, json);
}

static void put_address(struct qemu_args *args, const struct vm_def *def, uint8_t slot)
{
	if (is_microvm(def))
		return;
	put(args, ",addr=0x");
	put_hex(args, slot);
}

static const char *virtio_suffix(const struct vm_def *def)
{
	return is_microvm(def) ? "-device" : "-pci";
}

static void disk_device(struct qemu_args *args, const struct vm_def *def, uint32_t number)
{
	const struct disk_def *disk = &def->disks[number];
	size_t start;

	argument(args, "-device");
	start = args->used;
	switch ((enum disk_bus)disk->bus) {
	case BUS_VIRTIO:
		put(args, "virtio-blk");
		put(args, virtio_suffix(def));
		put_address(args, def, (uint8_t)(PCI_DISK + number));
		break;
	case BUS_SCSI:
		put(args, disk->cdrom ? "scsi-cd" : "scsi-hd");
		put(args, ",bus=scsi.0,scsi-id=");
		put_number(args, number);
		break;
	case BUS_SATA:
		put(args, disk->cdrom ? "ide-cd" : "ide-hd");
		put(args, ",bus=sata");
		put_number(args, number / SATA_PORTS);
		put(args, ".");
		put_number(args, number % SATA_PORTS);
		break;
	case DISK_BUS_COUNT:
		INVARIANT(false);
	}
	put(args, ",id=device-disk");
	put_number(args, number);
	put(args, ",drive=disk");
	put_number(args, number);
	put(args, ",serial=disk");
	put_number(args, number);
	put(args, ",bootindex=");
	put_number(args, number + 1 + (disk->cdrom ? VM_DISKS_MAX : 0));
	put(args, ",rerror=stop,werror=stop");
	if (!disk->cdrom)
		put(args, disk->cache == CACHE_DIRECTSYNC ? ",write-cache=off" : ",write-cache=on");
	argument_end(args, start);
}

static void disk_controllers(struct qemu_args *args, const struct vm_def *def)
{
	bool scsi = false, sata[2] = { false, false };
	size_t start;

	for (uint32_t i = 0; i < def->disk_count; i++) {
		scsi |= def->disks[i].bus == BUS_SCSI;
		if (def->disks[i].bus == BUS_SATA)
			sata[i / SATA_PORTS] = true;
	}
	if (scsi) {
		argument(args, "-device");
		start = args->used;
		put(args, "virtio-scsi");
		put(args, virtio_suffix(def));
		put(args, ",id=scsi");
		put_address(args, def, PCI_SCSI);
		argument_end(args, start);
	}
	for (uint8_t i = 0; i < 2; i++) {
		if (!sata[i])
			continue;
		argument(args, "-device");
		start = args->used;
		put(args, "ich9-ahci,id=sata");
		put_number(args, i);
		put_address(args, def, (uint8_t)(PCI_SATA + i));
		argument_end(args, start);
	}
}

static void disks(struct qemu_args *args, const struct vm_def *def, const struct qemu_facts *facts)
{
	disk_controllers(args, def);
	for (uint32_t i = 0; i < def->disk_count; i++) {
		struct block_graph graph;

		if (!disk_block_graph(&graph, args, def, i, facts))
			return;
		for (uint32_t j = 0; j < graph.count; j++)
			blockdev(args, graph.nodes[j]);
		disk_device(args, def, i);
	}
}

static void firmware(struct qemu_args *args, const struct vm_def *def,
		     const struct qemu_facts *facts)
{
	struct block_file code = {
		.node = "pflash0-file", .readonly = true, .filename = facts->uefi_code,
	};
	struct block_file vars = {
		.node = "pflash1-file", .direct = true, .locks = facts->image_locks,
	};
	const struct disk_def *disk = first_writable_disk(def);
	size_t start = args->used;

	if (def->firmware != FIRMWARE_UEFI || args->problem)
		return;
	if (!facts->uefi_code) {
		args->problem = "no UEFI firmware is installed on this host";
		return;
	}
	if (!disk) {
		args->problem = "firmware uefi needs a writable disk";
		return;
	}
	put_volume_path(args, facts->volume_root, disk->volume, disk->path);
	put(args, ".nvram");
	vars.filename = put_end(args, start);
	if (args->problem)
		return;
	blockdev(args, block_file_node(args, &code));
	blockdev(args, block_format_node(args, &code, "pflash0", "raw"));
	blockdev(args, block_file_node(args, &vars));
	blockdev(args, block_format_node(args, &vars, "pflash1", "raw"));
}

static void machine(struct qemu_args *args, const struct vm_def *def,
		    const struct qemu_facts *facts)
{
	size_t start;

	argument(args, "-machine");
	start = args->used;
	put(args, def->machine[0] ? def->machine : "q35");
	put(args, facts->kvm ? ",accel=kvm" : ",accel=tcg");
	put(args, ",usb=off,dump-guest-core=off");
	if (def->firmware == FIRMWARE_UEFI)
		put(args, ",pflash0=pflash0,pflash1=pflash1");
	if (def->hugepages)
		put(args, ",memory-backend=ram");
	argument_end(args, start);
}

static void cpu_by_mode(struct qemu_args *args, const struct vm_def *def,
			const struct qemu_facts *facts)
{
	switch ((enum cpu_mode)def->cpu_mode) {
	case CPU_COMPATIBLE:
		argument(args, facts->cpu_compatible ? facts->cpu_compatible : "qemu64");
		break;
	case CPU_HOST:
		argument(args, facts->kvm ? "host" : "max");
		break;
	case CPU_MODEL:
		argument(args, def->cpu_model);
		break;
	case CPU_MODE_COUNT:
		INVARIANT(false);
	}
}

static void processor(struct qemu_args *args, const struct vm_def *def,
		      const struct qemu_facts *facts)
{
	size_t start;

	argument(args, "-cpu");
	if (facts->cpu)
		argument(args, facts->cpu);
	else
		cpu_by_mode(args, def, facts);
	argument(args, "-smp");
	start = args->used;
	put(args, "cpus=");
	put_number(args, def->cpus);
	put(args, ",sockets=1,cores=");
	put_number(args, def->cpus);
	put(args, ",threads=1");
	argument_end(args, start);
	argument(args, "-m");
	start = args->used;
	put(args, "size=");
	put_number(args, def->memory_mib);
	put(args, "M");
	argument_end(args, start);
	if (!def->hugepages)
		return;
	// All of it at once: a guest that finds no page later dies of it.
	argument(args, "-object");
	start = args->used;
	put(args, "memory-backend-memfd,id=ram,hugetlb=on,prealloc=on,size=");
	put_number(args, def->memory_mib);
	put(args, "M");
	argument_end(args, start);
}

static void boot_file(struct qemu_args *args, const char *option, const struct file_ref *file,
		      const struct qemu_facts *facts)
{
	size_t start;

	if (!file->volume[0])
		return;
	argument(args, option);
	start = args->used;
	put_volume_path(args, facts->volume_root, file->volume, file->path);
	argument_end(args, start);
}

static void kernel(struct qemu_args *args, const struct vm_def *def, const struct qemu_facts *facts)
{
	boot_file(args, "-kernel", &def->kernel, facts);
	boot_file(args, "-initrd", &def->initrd, facts);
	if (def->kernel.volume[0] && def->cmdline[0]) {
		argument(args, "-append");
		argument(args, def->cmdline);
	}
}

static void socket_chardev(struct qemu_args *args, const struct qemu_facts *facts, const char *name,
			   const char *log)
{
	size_t start;

	argument(args, "-chardev");
	start = args->used;
	put(args, "socket,id=");
	put(args, name);
	put(args, ",path=");
	put_option(args, facts->run_dir);
	put(args, "/");
	put(args, name);
	put(args, ",server=on,wait=off");
	if (log) {
		put(args, ",logappend=on,logfile=");
		put_option(args, log);
	}
	argument_end(args, start);
}

static void monitor(struct qemu_args *args, const struct qemu_facts *facts)
{
	socket_chardev(args, facts, QEMU_QMP_SOCKET, NULL);
	argument(args, "-mon");
	argument(args, "chardev=" QEMU_QMP_SOCKET ",mode=control");
}

static void screens(struct qemu_args *args, const struct vm_def *def,
		    const struct qemu_facts *facts)
{
	size_t start;

	argument(args, "-display");
	argument(args, "none");
	if (def->console) {
		socket_chardev(args, facts, QEMU_CONSOLE_SOCKET, facts->console_log);
		argument(args, "-serial");
		argument(args, "chardev:" QEMU_CONSOLE_SOCKET);
	}
	if (!def->vnc)
		return;
	argument(args, "-device");
	start = args->used;
	put(args, "VGA,id=vga");
	put_address(args, def, PCI_VGA);
	argument_end(args, start);
	argument(args, "-vnc");
	start = args->used;
	put(args, "unix:");
	put_option(args, facts->run_dir);
	put(args, "/" QEMU_VNC_SOCKET);
	argument_end(args, start);
}

// The name that guest agents look for.
static void guest_agent(struct qemu_args *args, const struct vm_def *def,
			const struct qemu_facts *facts)
{
	size_t start;

	if (!def->guest_agent)
		return;
	socket_chardev(args, facts, QEMU_AGENT_SOCKET, NULL);
	argument(args, "-device");
	start = args->used;
	put(args, "virtio-serial");
	put(args, virtio_suffix(def));
	put(args, ",id=agent-bus");
	put_address(args, def, PCI_AGENT);
	argument_end(args, start);
	argument(args, "-device");
	argument(args, "virtserialport,bus=agent-bus.0,chardev=" QEMU_AGENT_SOCKET
		       ",name=org.qemu.guest_agent.0");
}

static void netdev(struct qemu_args *args, uint32_t number, const struct qemu_facts *facts)
{
	size_t start;

	argument(args, "-netdev");
	start = args->used;
	put(args, "tap,id=nic");
	put_number(args, number);
	if (facts->tap_fds) {
		put(args, ",fd=");
		put_number(args, (uint64_t)facts->tap_fds[number]);
	} else {
		put(args, ",script=no,downscript=no,ifname=");
		put_option(args, facts->tap_names[number]);
	}
	argument_end(args, start);
}

/*
 * A host's NIC beside its paravirtual twin, which QEMU gives the guest as the path to stay on: for
 * a migration QEMU takes the former away from the guest, and gives it the target's afterwards. A
 * guest that does not know of such pairs never sees the host's. It can be unplugged only from a
 * port; the first function of a slot must be there.
 */
static void passed_nic(struct qemu_args *args, const struct vm_def *def, uint32_t number)
{
	uint32_t port = 0;
	size_t start;

	for (uint32_t i = 0; i < number; i++)
		port += def->nics[i].device[0] != 0;
	argument(args, "-device");
	start = args->used;
	put(args, "pcie-root-port,id=port-nic");
	put_number(args, number);
	put(args, ",chassis=");
	put_number(args, port + 1);
	put_address(args, def, PCI_PORTS);
	put(args, ".");
	put_number(args, port);
	put(args, ",multifunction=on");
	argument_end(args, start);
	argument(args, "-device");
	start = args->used;
	put(args, "vfio-pci,host=");
	put(args, def->nics[number].device);
	put(args, ",id=passed-nic");
	put_number(args, number);
	put(args, ",bus=port-nic");
	put_number(args, number);
	put(args, ",failover_pair_id=device-nic");
	put_number(args, number);
	put(args, ",romfile=");
	argument_end(args, start);
}

static void nic(struct qemu_args *args, const struct vm_def *def, uint32_t number,
		const struct qemu_facts *facts)
{
	static const uint8_t none[6];
	const struct nic_def *nic_def = &def->nics[number];
	char mac[MAC_TEXT_SIZE];
	size_t start;

	if (!facts->tap_fds && !facts->tap_names) {
		args->problem = "a NIC has no tap device";
		return;
	}
	if (memcmp(nic_def->mac, none, sizeof(none)) == 0) {
		args->problem = "a NIC has no MAC";
		return;
	}
	netdev(args, number, facts);
	mac_format(nic_def->mac, mac);
	argument(args, "-device");
	start = args->used;
	switch ((enum nic_model)nic_def->model) {
	case NIC_VIRTIO:
		put(args, "virtio-net");
		put(args, virtio_suffix(def));
		break;
	case NIC_E1000E:
		put(args, "e1000e");
		break;
	case NIC_RTL8139:
		put(args, "rtl8139");
		break;
	case NIC_MODEL_COUNT:
		INVARIANT(false);
	}
	put(args, ",id=device-nic");
	put_number(args, number);
	put(args, ",netdev=nic");
	put_number(args, number);
	put(args, ",mac=");
	put(args, mac);
	put_address(args, def, (uint8_t)(PCI_NIC + number));
	// Nobody boots from the network here, and the ROM costs a start its time.
	if (!is_microvm(def))
		put(args, ",romfile=");
	if (nic_def->device[0])
		put(args, ",failover=on");
	argument_end(args, start);
	if (nic_def->device[0])
		passed_nic(args, def, number);
}

static void identity(struct qemu_args *args, const struct vm_def *def)
{
	char uuid[UUID_TEXT_SIZE];
	size_t start;

	argument(args, "-name");
	start = args->used;
	put(args, "guest=");
	put_option(args, def->name);
	put(args, ",debug-threads=on");
	argument_end(args, start);
	uuid_format(&def->uuid, uuid);
	argument(args, "-uuid");
	argument(args, uuid);
}

bool qemu_args_build(struct qemu_args *args, char *memory, size_t size, const struct vm_def *def,
		     const struct qemu_facts *facts)
{
	*args = (struct qemu_args){ .arena = memory, .size = size };
	if (size == 0)
		args->problem = "the command line is too long";
	argument(args, facts->qemu);
	argument(args, "-nodefaults");
	argument(args, "-no-user-config");
	argument(args, "-sandbox");
	argument(args, "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
	argument(args, "-S");
	identity(args, def);
	machine(args, def, facts);
	processor(args, def, facts);
	argument(args, "-rtc");
	argument(args, "base=utc");
	argument(args, "-boot");
	argument(args, "strict=on");
	monitor(args, facts);
	screens(args, def, facts);
	firmware(args, def, facts);
	kernel(args, def, facts);
	disks(args, def, facts);
	guest_agent(args, def, facts);
	for (uint32_t i = 0; i < def->nic_count && !args->problem; i++)
		nic(args, def, i, facts);
	if (facts->incoming) {
		argument(args, "-incoming");
		argument(args, "defer");
	}
	return args->problem == NULL;
}
