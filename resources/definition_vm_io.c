// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resources/definition_reader.h"
#include "resources/definition_text.h"

// One VM while it is read.
struct vm_draft {
	struct vm_def def;
	uint32_t number;	// it will have in definitions.vms
	uint32_t owner_first;	// its first in definitions.owners
};

static const struct child_rule no_children[] = { { 0 } };
static const char *const no_attributes[] = { NULL };

static void number_element(const struct walk *walk, const struct xml_element *element, uint32_t min,
			   uint32_t max, uint32_t *value)
{
	char text[32], expected[64];
	uint64_t number;

	walk_attributes(walk, element, no_attributes);
	if (!walk_text(walk, element, text, sizeof(text)))
		return;
	if (number_parse(text, max, &number) && number >= min) {
		*value = (uint32_t)number;
		return;
	}
	snprintf(expected, sizeof(expected), "must be %u to %u", min, max);
	walk_fault_text(walk, element, expected);
}

static void description_read(const struct walk *walk, const struct xml_element *element,
			     void *target)
{
	struct vm_draft *draft = target;

	walk_attributes(walk, element, no_attributes);
	walk_text(walk, element, draft->def.description, sizeof(draft->def.description));
}

static void cpus_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	struct vm_draft *draft = target;

	number_element(walk, element, 1, CPUS_MAX, &draft->def.cpus);
}

static void memory_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	struct vm_draft *draft = target;

	walk_memory(walk, element, 1, &draft->def.memory_mib);
}

static void machine_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	struct vm_draft *draft = target;
	char text[sizeof(draft->def.machine)];

	walk_attributes(walk, element, no_attributes);
	if (!walk_text(walk, element, text, sizeof(text)))
		return;
	if (machine_is_good(text))
		snprintf(draft->def.machine, sizeof(draft->def.machine), "%s", text);
	else
		walk_fault_text(walk, element,
				"must be q35, pc, microvm or a version of them such as pc-q35-7.2");
}

static void cpu_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const char *const names[] = { "mode", "name", NULL };
	struct vm_draft *draft = target;
	const char *name = walk_attribute(walk, element, "name", false);

	walk_attributes(walk, element, names);
	walk_children(walk, element, no_children, NULL);
	walk_word(walk, element, "mode", cpu_mode_words, true, &draft->def.cpu_mode);
	if (draft->def.cpu_mode != CPU_MODEL) {
		if (name)
			walk_fault_attribute(walk, element, "name",
					     "belongs to mode=\"model\" only");
	} else if (!name) {
		definition_fault(walk->reader, walk_place(walk, element),
				 "<cpu> of mode=\"model\" needs the attribute \"name\"");
	} else if (!cpu_model_is_good(name)) {
		walk_fault_attribute(walk, element, "name",
				     "must be the name of a CPU model of QEMU");
	} else {
		snprintf(draft->def.cpu_model, sizeof(draft->def.cpu_model), "%s", name);
	}
}

static void firmware_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	struct vm_draft *draft = target;

	walk_attributes(walk, element, no_attributes);
	walk_text_word(walk, element, firmware_words, &draft->def.firmware);
}

bool definition_file_read(const struct walk *walk, const struct xml_element *element, char *volume,
			  char *path)
{
	const char *volume_text = walk_attribute(walk, element, "volume", true);
	const char *path_text = walk_attribute(walk, element, "path", true);
	bool good = volume_text && path_text;

	if (volume_text && !name_is_good(volume_text, VOLUME_NAME_MAX)) {
		walk_fault_attribute(walk, element, "volume", "must be the name of a volume");
		good = false;
	}
	if (path_text && !path_is_good(path_text)) {
		walk_fault_attribute(walk, element, "path",
				     "must lead into the volume: relative, below 160 bytes, "
				     "without '//', "
				     "'/' at its end, or a part that begins with '.'");
		good = false;
	}
	if (!good)
		return false;
	snprintf(volume, NAME_SIZE, "%s", volume_text);
	snprintf(path, PATH_SIZE, "%s", path_text);
	definition_refer(walk->reader, OBJECT_VOLUME, volume,
			 walk_attribute_place(walk, element, "volume"));
	return true;
}

static void boot_file_read(const struct walk *walk, const struct xml_element *element,
			   struct file_ref *file)
{
	static const char *const names[] = { "volume", "path", NULL };

	walk_attributes(walk, element, names);
	walk_children(walk, element, no_children, NULL);
	definition_file_read(walk, element, file->volume, file->path);
}

static void kernel_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	struct vm_draft *draft = target;

	boot_file_read(walk, element, &draft->def.kernel);
}

static void initrd_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	struct vm_draft *draft = target;

	boot_file_read(walk, element, &draft->def.initrd);
}

static void cmdline_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	struct vm_draft *draft = target;
	char *cmdline = draft->def.cmdline;

	walk_attributes(walk, element, no_attributes);
	if (!walk_text(walk, element, cmdline, sizeof(draft->def.cmdline)))
		return;
	// Written over several lines for people, one for the kernel.
	for (; *cmdline; cmdline++)
		if ((unsigned char)*cmdline < 0x20)
			*cmdline = ' ';
}

static void boot_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const struct child_rule rules[] = {
		{ "kernel", kernel_read, false, true },
		{ "initrd", initrd_read, false, false },
		{ "cmdline", cmdline_read, false, false },
		{ 0 },
	};

	walk_attributes(walk, element, no_attributes);
	walk_children(walk, element, rules, target);
}

// A file is one VM's disk, unless everybody only reads it.
static void disk_claim(const struct walk *walk, const struct xml_element *element,
		       const struct disk_def *disk)
{
	struct definition_place place = walk_place(walk, element);
	const struct seen *first;
	char key[NAME_SIZE + PATH_SIZE + 8];

	snprintf(key, sizeof(key), "disk %s/%s", disk->volume, disk->path);
	first = definition_seen(walk->reader, key, place, disk->readonly);
	if (first)
		definition_fault(walk->reader, place, "disk %s/%s is already used at %s:%u:%u",
				 disk->volume, disk->path, first->place.file, first->place.line,
				 first->place.column);
}

static void disk_add(const struct walk *walk, const struct xml_element *element,
		     struct vm_draft *draft, const struct disk_def *disk)
{
	if (draft->def.disk_count == VM_DISKS_MAX) {
		definition_fault(walk->reader, walk_place(walk, element),
				 "a VM has at most %d disks and CD images", VM_DISKS_MAX);
		return;
	}
	draft->def.disks[draft->def.disk_count++] = *disk;
}

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static void disk_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const char *const names[] = {
		"volume", "path", "format", "bus", "cache", "aio", "discard", "readonly", NULL,
	};
	struct disk_def disk = { 0 };
	uint8_t discard = 0, readonly = 0;

	walk_attributes(walk, element, names);
	walk_children(walk, element, no_children, NULL);
	walk_word(walk, element, "format", disk_format_words, true, &disk.format);
	walk_word(walk, element, "bus", disk_bus_words, false, &disk.bus);
	walk_word(walk, element, "cache", disk_cache_words, false, &disk.cache);
	walk_word(walk, element, "aio", disk_aio_words, false, &disk.aio);
	walk_word(walk, element, "discard", yes_no_words, false, &discard);
	walk_word(walk, element, "readonly", yes_no_words, false, &readonly);
	disk.discard = discard;
	disk.readonly = readonly;
	if (disk.readonly && disk.discard)
		walk_fault_attribute(walk, element, "discard", "a read-only disk cannot discard");
	if (disk.readonly && disk.bus == BUS_SATA)
		walk_fault_attribute(walk, element, "readonly", "a SATA disk cannot be read-only");
	if (!definition_file_read(walk, element, disk.volume, disk.path))
		return;
	if (ends_in(disk.path, ".nvram"))
		walk_fault_attribute(walk, element, "path",
				     "names that end in .nvram are for UEFI variables");
	disk_claim(walk, element, &disk);
	disk_add(walk, element, target, &disk);
}

static void cdrom_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const char *const names[] = { "volume", "path", NULL };
	struct disk_def disk = {
		.bus = BUS_SATA, .aio = AIO_THREADS, .readonly = true, .cdrom = true,
	};

	walk_attributes(walk, element, names);
	walk_children(walk, element, no_children, NULL);
	if (!definition_file_read(walk, element, disk.volume, disk.path))
		return;
	disk_claim(walk, element, &disk);
	disk_add(walk, element, target, &disk);
}

static void mac_read(const struct walk *walk, const struct xml_element *element, const char *text,
		     uint8_t mac[6])
{
	struct definition_place place = walk_attribute_place(walk, element, "mac");
	char key[MAC_TEXT_SIZE + 8], form[MAC_TEXT_SIZE];
	const struct seen *first;

	if (!mac_parse(text, mac)) {
		walk_fault_attribute(walk, element, "mac",
				     "must be six pairs of hexadecimal digits with ':', "
				     "neither a group address nor all zero");
		return;
	}
	mac_format(mac, form);
	snprintf(key, sizeof(key), "mac %s", form);
	first = definition_seen(walk->reader, key, place, false);
	if (first)
		definition_fault(walk->reader, place, "%s is already used at %s:%u:%u", key,
				 first->place.file, first->place.line, first->place.column);
}

static void nic_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const char *const names[] = { "bridge", "model", "mac", "pass-through", NULL };
	struct vm_draft *draft = target;
	const char *bridge = walk_attribute(walk, element, "bridge", true);
	const char *mac = walk_attribute(walk, element, "mac", false);
	const char *device = walk_attribute(walk, element, "pass-through", false);
	struct nic_def nic = { 0 };

	walk_attributes(walk, element, names);
	walk_children(walk, element, no_children, NULL);
	walk_word(walk, element, "model", nic_model_words, false, &nic.model);
	if (bridge && bridge_is_good(bridge))
		snprintf(nic.bridge, sizeof(nic.bridge), "%s", bridge);
	else if (bridge)
		walk_fault_attribute(walk, element, "bridge",
				     "must be a name of a network interface, 1 to 15 characters");
	if (mac)
		mac_read(walk, element, mac, nic.mac);
	if (device && pci_address_is_good(device))
		snprintf(nic.device, sizeof(nic.device), "%s", device);
	else if (device)
		walk_fault_attribute(walk, element, "pass-through",
				     "must be a PCI address like 0000:3b:02.1");
	if (draft->def.nic_count == VM_NICS_MAX) {
		definition_fault(walk->reader, walk_place(walk, element),
				 "a VM has at most %d NICs", VM_NICS_MAX);
		return;
	}
	draft->def.nics[draft->def.nic_count++] = nic;
}

static void console_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	struct vm_draft *draft = target;

	walk_attributes(walk, element, no_attributes);
	walk_children(walk, element, no_children, NULL);
	draft->def.console = true;
}

static void hugepages_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	struct vm_draft *draft = target;

	walk_attributes(walk, element, no_attributes);
	walk_children(walk, element, no_children, NULL);
	draft->def.hugepages = true;
}

static void vnc_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	struct vm_draft *draft = target;

	walk_attributes(walk, element, no_attributes);
	walk_children(walk, element, no_children, NULL);
	draft->def.vnc = true;
}

static void guest_agent_read(const struct walk *walk, const struct xml_element *element,
			     void *target)
{
	struct vm_draft *draft = target;

	walk_attributes(walk, element, no_attributes);
	walk_children(walk, element, no_children, NULL);
	draft->def.guest_agent = true;
}

static void address_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	struct vm_draft *draft = target;
	unsigned char bytes[16];
	char text[ADDRESS_SIZE];

	walk_attributes(walk, element, no_attributes);
	if (!walk_text(walk, element, text, sizeof(text)))
		return;
	if (inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1)
		snprintf(draft->def.address, sizeof(draft->def.address), "%s", text);
	else
		walk_fault_text(walk, element, "must be an IPv4 or IPv6 address");
}

// An owner of this VM; the same node twice in one list is an error.
static void owner_add(const struct walk *walk, const struct xml_element *element,
		      const struct vm_draft *draft, uint32_t tier)
{
	struct definitions *definitions = &walk->reader->definitions;
	const char *node = walk_attribute(walk, element, "node", true);
	struct owner_def owner = { .vm = draft->number, .tier = tier };
	void *array = definitions->owners;

	if (!node)
		return;
	if (!name_is_good(node, NAME_SIZE - 1)) {
		walk_fault_attribute(walk, element, "node", "must be the name of a node");
		return;
	}
	if (definitions->owner_count - draft->owner_first >= 2 * NODES_MAX) {
		definition_fault(walk->reader, walk_place(walk, element), "too many owners");
		return;
	}
	snprintf(owner.node, sizeof(owner.node), "%s", node);
	for (uint32_t i = draft->owner_first; i < definitions->owner_count; i++) {
		const struct owner_def *other = &definitions->owners[i];

		if (!other->tier == !tier && strcmp(other->node, node) == 0) {
			walk_fault_attribute(walk, element, "node", "is given twice");
			return;
		}
	}
	definition_refer(walk->reader, OBJECT_NODE, node,
			 walk_attribute_place(walk, element, "node"));
	if (!definition_grow(walk->reader, &array, definitions->owner_count,
			     &walk->reader->memory->owner_max, sizeof(owner)))
		return;
	definitions->owners = array;
	definitions->owners[definitions->owner_count++] = owner;
}

static void possible_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const char *const names[] = { "node", NULL };

	walk_attributes(walk, element, names);
	walk_children(walk, element, no_children, NULL);
	owner_add(walk, element, target, 0);
}

static void preferred_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const char *const names[] = { "node", "tier", NULL };
	const char *text = walk_attribute(walk, element, "tier", false);
	uint64_t tier = 1;

	walk_attributes(walk, element, names);
	walk_children(walk, element, no_children, NULL);
	if (text && (!number_parse(text, VM_TIERS_MAX, &tier) || tier < 1)) {
		walk_fault_attribute(walk, element, "tier", "must be 1 (the best) to 8");
		return;
	}
	owner_add(walk, element, target, (uint32_t)tier);
}

// A preferred owner that is not possible says two things.
static void owners_agree(const struct walk *walk, const struct xml_element *element,
			 const struct vm_draft *draft)
{
	const struct definitions *definitions = &walk->reader->definitions;
	const struct owner_def *owners = definitions->owners;

	for (uint32_t i = draft->owner_first; i < definitions->owner_count; i++) {
		bool any = false, found = false;

		for (uint32_t j = draft->owner_first; j < definitions->owner_count; j++) {
			any |= owners[j].tier == 0;
			found |= owners[j].tier == 0 && strcmp(owners[i].node, owners[j].node) == 0;
		}
		if (owners[i].tier && any && !found)
			definition_fault(walk->reader, walk_place(walk, element),
					 "node %s is a preferred owner, but not among the possible "
					 "ones",
					 owners[i].node);
	}
}

static void owners_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const struct child_rule rules[] = {
		{ "possible", possible_read, true, false },
		{ "preferred", preferred_read, true, false },
		{ 0 },
	};

	walk_attributes(walk, element, no_attributes);
	walk_children(walk, element, rules, target);
	owners_agree(walk, element, target);
}

static void failback_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	struct vm_draft *draft = target;

	definition_failback_read(walk, element, &draft->def);
}

static void restart_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const char *const names[] = { "in-place", "elsewhere", "forget", NULL };
	struct vm_draft *draft = target;

	walk_attributes(walk, element, names);
	walk_children(walk, element, no_children, NULL);
	walk_number(walk, element, "in-place", 0, RESTARTS_MAX, "must be 0 to 100",
		    &draft->def.restarts_max);
	walk_number(walk, element, "elsewhere", 0, RESTARTS_MAX, "must be 0 to 100",
		    &draft->def.relocations_max);
	definition_forget_read(walk, element, &draft->def);
}

static void on_failure_read(const struct walk *walk, const struct xml_element *element,
			    void *target)
{
	struct vm_draft *draft = target;

	walk_attributes(walk, element, no_attributes);
	walk_text_word(walk, element, on_failure_words, &draft->def.on_failure);
}

static void on_stop_failure_read(const struct walk *walk, const struct xml_element *element,
				 void *target)
{
	struct vm_draft *draft = target;

	walk_attributes(walk, element, no_attributes);
	walk_text_word(walk, element, on_stop_failure_words, &draft->def.on_stop_failure);
}

static void on_double_run_read(const struct walk *walk, const struct xml_element *element,
			       void *target)
{
	struct vm_draft *draft = target;

	walk_attributes(walk, element, no_attributes);
	walk_text_word(walk, element, on_double_run_words, &draft->def.on_double_run);
}

static void guest_shutdown_read(const struct walk *walk, const struct xml_element *element,
				void *target)
{
	struct vm_draft *draft = target;

	walk_attributes(walk, element, no_attributes);
	walk_text_word(walk, element, guest_shutdown_words, &draft->def.on_guest_shutdown);
}

static void migration_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	struct vm_draft *draft = target;

	definition_vm_migration_read(walk, element, &draft->def);
}

static void on_drain_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	struct vm_draft *draft = target;

	walk_attributes(walk, element, no_attributes);
	walk_text_word(walk, element, on_drain_words, &draft->def.on_drain);
}

static void stop_timeout_read(const struct walk *walk, const struct xml_element *element,
			      void *target)
{
	struct vm_draft *draft = target;
	uint32_t seconds;
	char text[32];

	walk_attributes(walk, element, no_attributes);
	if (!walk_text(walk, element, text, sizeof(text)))
		return;
	if (duration_parse(text, &seconds) && seconds >= 1 && seconds <= STOP_TIMEOUT_MAX_S)
		draft->def.stop_timeout_s = seconds;
	else
		walk_fault_text(walk, element, "must be a time from 1s to 1d (120s)");
}

static void tag_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	struct vm_draft *draft = target;
	struct vm_def *def = &draft->def;
	char text[TAG_SIZE];

	walk_attributes(walk, element, no_attributes);
	if (!walk_text(walk, element, text, sizeof(text)))
		return;
	if (!name_is_good(text, TAG_SIZE - 1)) {
		walk_fault_text(walk, element, "must be letters, digits, '.', '_' or '-'");
		return;
	}
	for (uint32_t i = 0; i < def->tag_count; i++) {
		if (strcmp(def->tags[i], text) == 0) {
			walk_fault_text(walk, element, "is given twice");
			return;
		}
	}
	if (def->tag_count == TAGS_MAX)
		definition_fault(walk->reader, walk_place(walk, element),
				 "a VM has at most %d tags", TAGS_MAX);
	else
		snprintf(def->tags[def->tag_count++], TAG_SIZE, "%s", text);
}

static void stickiness_read(const struct walk *walk, const struct xml_element *element,
			    void *target)
{
	struct vm_draft *draft = target;
	uint64_t number;
	char text[32];

	walk_attributes(walk, element, no_attributes);
	if (!walk_text(walk, element, text, sizeof(text)))
		return;
	if (strcmp(text, "infinite") == 0)
		draft->def.stickiness = STICKINESS_INFINITE;
	else if (number_parse(text, WEIGHT_MAX, &number))
		draft->def.stickiness = (uint32_t)number;
	else
		walk_fault_text(walk, element, "must be 0 to 1000000, or infinite");
}

static void vm_attributes_read(const struct walk *walk, const struct xml_element *element,
			       struct vm_def *def)
{
	static const char *const names[] = { "name", "uuid", "wanted", "priority", NULL };
	const char *uuid = walk_attribute(walk, element, "uuid", false);
	const char *priority = walk_attribute(walk, element, "priority", false);
	char form[UUID_TEXT_SIZE];

	walk_attributes(walk, element, names);
	definition_name_read(walk, element, "vm", def->name);
	walk_word(walk, element, "wanted", vm_wanted_words, false, &def->wanted);
	def->wanted_given = walk_attribute(walk, element, "wanted", false) != NULL;
	if (priority && !integer_parse(priority, -PRIORITY_MAX, PRIORITY_MAX, &def->priority))
		walk_fault_attribute(walk, element, "priority", "must be -1000 to 1000");
	if (uuid && uuid_parse(uuid, &def->uuid)) {
		uuid_format(&def->uuid, form);
		definition_unique(walk, element, "uuid", "uuid", form);
	} else if (uuid) {
		walk_fault_attribute(walk, element, "uuid",
				     "must be 8-4-4-4-12 hexadecimal digits, not all zero");
	}
}

static uint32_t written_volumes(const struct vm_def *def)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < def->disk_count; i++) {
		bool new = !def->disks[i].readonly;

		for (uint32_t j = 0; j < i && new; j++)
			new = def->disks[j].readonly ||
			      strcmp(def->disks[i].volume, def->disks[j].volume) != 0;
		count += new;
	}
	return count;
}

// What each element allows and all together do not.
static void vm_agrees(const struct walk *walk, const struct xml_element *element,
		      const struct vm_def *def)
{
	struct definition_place place = walk_place(walk, element);
	uint32_t volumes = written_volumes(def);

	if (def->firmware == FIRMWARE_UEFI && volumes == 0)
		definition_fault(walk->reader, place,
				 "firmware uefi needs a writable disk: its variables are kept "
				 "beside it");
	if (volumes > VM_LEASES_MAX)
		definition_fault(walk->reader, place, "a VM writes to at most %d volumes",
				 VM_LEASES_MAX);
	if (strcmp(def->machine, "microvm") != 0)
		return;
	if (def->firmware == FIRMWARE_UEFI)
		definition_fault(walk->reader, place, "machine microvm has no firmware uefi");
	if (def->vnc)
		definition_fault(walk->reader, place, "machine microvm has no display for <vnc>");
	for (uint32_t i = 0; i < def->disk_count; i++)
		if (def->disks[i].bus == BUS_SATA)
			definition_fault(walk->reader, place, "machine microvm has no %s",
					 def->disks[i].cdrom ? "CD drive" : "SATA disks");
	for (uint32_t i = 0; i < def->nic_count; i++)
		if (def->nics[i].model != NIC_VIRTIO)
			definition_fault(walk->reader, place, "machine microvm has no %s NIC",
					 nic_model_words[def->nics[i].model]);
}

static const struct child_rule vm_rules[] = {
	{ "description", description_read, false, false },
	{ "cpus", cpus_read, false, false },
	{ "memory", memory_read, false, true },
	{ "machine", machine_read, false, false },
	{ "cpu", cpu_read, false, false },
	{ "firmware", firmware_read, false, false },
	{ "boot", boot_read, false, false },
	{ "disk", disk_read, true, false },
	{ "cdrom", cdrom_read, true, false },
	{ "nic", nic_read, true, false },
	{ "hugepages", hugepages_read, false, false },
	{ "console", console_read, false, false },
	{ "vnc", vnc_read, false, false },
	{ "guest-agent", guest_agent_read, false, false },
	{ "address", address_read, false, false },
	{ "owners", owners_read, false, false },
	{ "failback", failback_read, false, false },
	{ "restart", restart_read, false, false },
	{ "on-failure", on_failure_read, false, false },
	{ "on-stop-failure", on_stop_failure_read, false, false },
	{ "on-double-run", on_double_run_read, false, false },
	{ "on-guest-shutdown", guest_shutdown_read, false, false },
	{ "stop-timeout", stop_timeout_read, false, false },
	{ "migration", migration_read, false, false },
	{ "on-drain", on_drain_read, false, false },
	{ "tag", tag_read, true, false },
	{ "stickiness", stickiness_read, false, false },
	{ 0 },
};

void definition_vm_read(const struct walk *walk, const struct xml_element *element)
{
	struct definitions *definitions = &walk->reader->definitions;
	struct vm_draft draft = {
		.def = {
			.cpus = 1, .restarts_max = 1, .relocations_max = 2, .stop_timeout_s = 120,
			.max_pause_ms = 1000, .forget_s = 600,
		},
		.number = definitions->vm_count,
		.owner_first = definitions->owner_count,
	};
	void *array = definitions->vms;

	if (definitions->vm_count == DEFINITION_VMS_MAX) {
		definition_fault(walk->reader, walk_place(walk, element),
				 "more than %d VMs at once", DEFINITION_VMS_MAX);
		return;
	}
	vm_attributes_read(walk, element, &draft.def);
	walk_children(walk, element, vm_rules, &draft);
	vm_agrees(walk, element, &draft.def);
	if (!definition_grow(walk->reader, &array, definitions->vm_count,
			     &walk->reader->memory->vm_max, sizeof(draft.def)))
		return;
	definitions->vms = array;
	definitions->vms[definitions->vm_count++] = draft.def;
}
