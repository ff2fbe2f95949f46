// SPDX-License-Identifier: Apache-2.0
/*
 * The judgements. Each looks at one thing; which of them a kind of move needs is in the table at
 * the end. A target that has not told its facts fails in the emulator's row alone: the rows that
 * would need the facts then say nothing.
 */
#include "migration/preflight.h"

#include <string.h>

#include "clusterd/cpu.h"
#include "clusterd/text.h"
#include "migration/preflight_internal.h"

struct question {
	const struct cluster *cluster;
	const struct preflight_load *load;
	const struct vm *vm;
	const struct vm_def *def;
	const struct cluster_node *source; // NULL: it runs nowhere
	const struct cluster_node *target;
	uint8_t slot; // of the target
	bool live;    // its memory comes along
	struct cpu_features *missing;
};

// ---- load ----

static void load_count(struct preflight_load *load, const struct cluster *cluster,
		       const struct vm *vm, uint8_t node)
{
	if (node < NODES_MAX)
		load->used_mib[node] += vm_definition(cluster, vm)->memory_mib;
}

void preflight_load_add(struct preflight_load *load, const struct cluster *cluster,
			const struct vm *vm, uint8_t node)
{
	load_count(load, cluster, vm, node);
	if (node < NODES_MAX)
		load->cpus[node] += vm_definition(cluster, vm)->cpus;
}

// A VM on the move takes its memory twice: where it goes to, and where it has not ended yet.
void preflight_load_init(struct preflight_load *load, const struct cluster *cluster,
			 uint64_t present, uint64_t wall_ms)
{
	memset(load, 0, sizeof(*load));
	load->present = present;
	load->wall_ms = wall_ms;
	for (uint32_t i = 0; i < cluster->vm_high; i++)
		if (cluster->vms[i].used)
			preflight_load_add(load, cluster, &cluster->vms[i], cluster->vms[i].owner);
	for (uint32_t i = 0; i < cluster->move_high; i++) {
		const struct move *move = &cluster->moves[i];
		const struct vm *vm = move->id ? cluster_vm(cluster, move->vm) : NULL;

		if (!vm)
			continue;
		if (move->target != vm->owner && !move->target_gone)
			load_count(load, cluster, vm, move->target);
		if (move->source != vm->owner && !move->source_gone)
			load_count(load, cluster, vm, move->source);
	}
}

// ---- rows ----

static void set(struct preflight_row *row, enum check_verdict verdict, enum preflight_cause cause)
{
	row->verdict = (uint8_t)verdict;
	row->cause = (uint8_t)cause;
}

static void fail(struct preflight_row *row, enum preflight_cause cause)
{
	set(row, CHECK_FAIL, cause);
}

static void warn(struct preflight_row *row, enum preflight_cause cause)
{
	set(row, CHECK_WARN, cause);
}

static bool told(const struct cluster_node *node)
{
	return node && node->report.facts.state == FACTS_KNOWN;
}

static bool answers(const struct question *q, const struct cluster_node *node)
{
	return node->life == NODE_ONLINE &&
	       (q->load->present & 1ull << node_slot(q->cluster, node));
}

static void judge_vm(const struct question *q, struct preflight_row *row)
{
	if (!q->vm->managed)
		fail(row, WHY_UNMANAGED);
	else if (q->vm->phase == VM_BLOCKED)
		fail(row, WHY_BLOCKED);
	else if (q->live && (q->vm->phase != VM_RUNNING || !q->source))
		fail(row, WHY_NOT_RUNNING);
	else if (q->source && !answers(q, q->source))
		fail(row, WHY_LEFT_ALONE);
}

static void judge_node(const struct question *q, struct preflight_row *row)
{
	const struct cluster_node *node = q->target;

	if (node == q->source)
		fail(row, WHY_THERE);
	else if (node->life != NODE_ONLINE)
		fail(row, WHY_AWAY);
	else if (!(q->load->present & 1ull << q->slot))
		fail(row, WHY_NO_DAEMON);
	else if (!node->reported)
		fail(row, WHY_JOINING);
	else if (node->report.leaving)
		fail(row, WHY_LEAVING);
	else if (!node->managed)
		fail(row, WHY_UNMANAGED);
	else if (node->maintenance)
		fail(row, WHY_MAINTENANCE);
}

static void judge_owner(const struct question *q, struct preflight_row *row)
{
	if (q->vm->possible && !(q->vm->possible & 1ull << q->slot))
		fail(row, WHY_NOT_OWNER);
}

static void judge_emulator(const struct question *q, struct preflight_row *row)
{
	if (!q->target->report.qemu)
		fail(row, WHY_NO_QEMU);
	else if (!told(q->target))
		set(row, q->live ? CHECK_FAIL : CHECK_WARN, WHY_UNTOLD);
}

static void judge_version(const struct question *q, struct preflight_row *row)
{
	const struct host_facts *here = &q->source->report.facts, *there = &q->target->report.facts;

	if (!told(q->source) || !told(q->target))
		return;
	row->found = there->qemu_version;
	row->needed = here->qemu_version;
	if (there->qemu_version / 100 < here->qemu_version / 100)
		warn(row, WHY_OLDER);
	else if (there->qemu_version / 100 > here->qemu_version / 100)
		warn(row, WHY_NEWER);
}

static void judge_machine(const struct question *q, struct preflight_row *row)
{
	if (told(q->target) && !facts_have_machine(&q->target->report.facts,
						   preflight_machine(q->cluster, q->vm, q->live)))
		fail(row, WHY_MISSING);
}

static void judge_arch(const struct question *q, struct preflight_row *row)
{
	if (told(q->source) && told(q->target) &&
	    strcmp(q->source->report.facts.arch, q->target->report.facts.arch) != 0)
		fail(row, WHY_OTHER);
}

static void judge_accel(const struct question *q, struct preflight_row *row)
{
	if (told(q->source) && told(q->target) &&
	    q->source->report.facts.accel != q->target->report.facts.accel)
		fail(row, WHY_OTHER);
}

static void judge_vendor(const struct question *q, struct preflight_row *row)
{
	if (told(q->source) && told(q->target) &&
	    strcmp(q->source->report.facts.cpu_vendor, q->target->report.facts.cpu_vendor) != 0)
		fail(row, WHY_OTHER);
}

// The name in front of what is switched on and off: "Haswell,pcid=off".
static bool model_known(const struct host_facts *facts, const char *model)
{
	char name[TEXT_SIZE];
	size_t length = 0;

	text_copy(name, sizeof(name), model);
	while (name[length] && name[length] != ',')
		length++;
	name[length] = 0;
	return facts_have_model(facts, name);
}

// A named model must be known there; the host's own model is what a guest of mode "host" sees.
static void judge_model(const struct question *q, struct preflight_row *row)
{
	if (!told(q->target))
		return;
	if (q->def->cpu_mode == CPU_MODEL &&
	    !model_known(&q->target->report.facts, q->def->cpu_model))
		fail(row, WHY_MISSING);
	else if (q->def->cpu_mode == CPU_HOST && q->live && told(q->source) &&
		 strcmp(q->source->report.facts.cpu_model, q->target->report.facts.cpu_model) != 0)
		warn(row, WHY_OTHER);
}

static void judge_features(const struct question *q, struct preflight_row *row)
{
	struct cpu_features there;

	if (!node_cpu(q->target, &there))
		return;
	if (!q->vm->cpu_known) {
		warn(row, WHY_UNKNOWN);
		return;
	}
	*q->missing = q->vm->cpu;
	cpu_without(q->missing, &there);
	row->needed = cpu_count(&q->vm->cpu);
	row->found = row->needed - cpu_count(q->missing);
	if (!cpu_empty(q->missing))
		fail(row, WHY_MISSING);
	// Newer than this clusterd: they have no number, and are compared by their names.
	else if (q->def->cpu_mode != CPU_COMPATIBLE && told(q->source) &&
		 strcmp(q->source->report.facts.features_other,
			q->target->report.facts.features_other) != 0)
		warn(row, WHY_OTHER);
}

static void judge_cpus(const struct question *q, struct preflight_row *row)
{
	uint32_t others = q->load->cpus[q->slot];

	if (q->vm->owner == q->slot)
		others -= q->def->cpus;
	row->found = q->target->report.cpus;
	row->needed = q->def->cpus;
	if (row->found < row->needed)
		fail(row, WHY_TOO_MANY);
	else if ((others + row->needed) * 100 > row->found * CPU_CROWD_PERCENT)
		warn(row, WHY_CROWDED);
	if (row->cause == WHY_CROWDED)
		row->needed += others;
}

// What the VM itself takes there already, or will by the very move that is asked about, is not in
// its own way.
static bool counted_there(const struct question *q)
{
	const struct move *move = cluster_move(q->cluster, q->vm->move);

	return q->vm->owner == q->slot || (move && move->target == q->slot && !move->target_gone);
}

static void judge_memory(const struct question *q, struct preflight_row *row)
{
	uint64_t total = q->target->report.memory_mib;
	uint64_t used = q->load->used_mib[q->slot] + q->target->def.memory_reserve_mib;
	uint32_t really_free = q->target->report.facts.memory_free_mib;

	if (counted_there(q))
		used -= q->def->memory_mib;
	row->found = total > used ? total - used : 0;
	row->needed = q->def->memory_mib;
	if (row->found < row->needed) {
		fail(row, WHY_SHORT);
	} else if (!q->def->hugepages && really_free && really_free < row->needed) {
		row->found = really_free;
		warn(row, WHY_HOST_SHORT);
	}
}

static void judge_hugepages(const struct question *q, struct preflight_row *row)
{
	const struct host_facts *facts = &q->target->report.facts;

	if (!q->def->hugepages || !told(q->target))
		return;
	row->found = (uint64_t)facts->hugepages_free * facts->hugepage_kib >> 10;
	row->needed = q->def->memory_mib;
	if (row->found < row->needed)
		fail(row, WHY_SHORT);
	else if (q->live && told(q->source) &&
		 q->source->report.facts.hugepage_kib != facts->hugepage_kib)
		warn(row, WHY_OTHER);
}

static void judge_volumes(const struct question *q, struct preflight_row *row)
{
	uint32_t mask = preflight_volumes(q->cluster, q->vm);

	for (uint8_t v = 0; v < VOLUMES_MAX; v++) {
		uint8_t state = q->target->report.volumes[v].state;
		bool bad = !q->target->reported || (state != VOLUME_ONLINE && state != VOLUME_SLOW);

		if (!(mask & 1u << v) || (state == VOLUME_ONLINE && !bad) ||
		    row->verdict == CHECK_FAIL)
			continue;
		row->item = v;
		set(row, bad ? CHECK_FAIL : CHECK_WARN, WHY_OFFLINE);
	}
}

// A file on a volume that is not online is the volume's row.
static bool image_there(const struct question *q, uint8_t image)
{
	const struct vm_def *def = q->def;
	const char *volume = preflight_image_volume(def, image);

	for (uint8_t v = 0; v < VOLUMES_MAX; v++)
		if (q->cluster->volumes[v].used &&
		    strcmp(q->cluster->volumes[v].def.name, volume) == 0)
			return q->target->report.volumes[v].state == VOLUME_ONLINE ||
			       q->target->report.volumes[v].state == VOLUME_SLOW;
	return false;
}

static void judge_images(const struct question *q, struct preflight_row *row)
{
	const struct host_facts *facts = &q->target->report.facts;

	row->needed = q->def->disk_count;
	for (uint32_t i = 0; i < facts->image_count; i++) {
		const struct image_fault *fault = &facts->images[i];

		if (fault->slot != q->vm->ref.slot || fault->serial != q->vm->ref.serial ||
		    !image_there(q, fault->image))
			continue;
		row->item = fault->image;
		row->found = fault->state;
		fail(row, WHY_IMAGE);
		return;
	}
	// It may be among those that did not fit into the report.
	if (facts->image_count == IMAGE_FAULTS_MAX)
		warn(row, WHY_UNKNOWN);
}

static void judge_leases(const struct question *q, struct preflight_row *row)
{
	for (uint32_t i = 0; i < q->vm->lease_count; i++) {
		uint8_t v = q->vm->leases[i].volume;

		row->needed++;
		if (q->target->reported && q->target->report.volumes[v].joined) {
			row->found++;
			continue;
		}
		row->item = v;
		fail(row, WHY_OFFLINE);
	}
}

static void judge_bridges(const struct question *q, struct preflight_row *row)
{
	const struct host_facts *facts = &q->target->report.facts;

	if (!told(q->target))
		return;
	for (uint8_t i = 0; i < q->def->nic_count; i++) {
		row->needed++;
		if (facts_have_bridge(facts, q->def->nics[i].bridge)) {
			row->found++;
		} else if (row->verdict == CHECK_OK) {
			row->item = i;
			// It may be among those that did not fit into the report.
			set(row, facts->bridges_cut ? CHECK_WARN : CHECK_FAIL, WHY_MISSING);
		}
	}
}

static bool passes(const struct vm_def *def, const char *device)
{
	for (uint8_t i = 0; i < def->nic_count; i++)
		if (strcmp(def->nics[i].device, device) == 0)
			return true;
	return false;
}

// Held by another VM that is there, or on its way.
static bool device_taken(const struct question *q, const char *device)
{
	for (uint32_t i = 0; i < q->cluster->vm_high; i++) {
		const struct vm *vm = &q->cluster->vms[i];
		const struct move *move = vm->used ? cluster_move(q->cluster, vm->move) : NULL;

		if (!vm->used || vm == q->vm || !passes(vm_definition(q->cluster, vm), device))
			continue;
		if (vm->owner == q->slot || (move && move->target == q->slot && !move->target_gone))
			return true;
	}
	return false;
}

// A device stays; its twin carries the guest over. So there must be one where the guest arrives.
static void judge_devices(const struct question *q, struct preflight_row *row)
{
	for (uint8_t i = 0; i < q->def->nic_count; i++) {
		const char *device = q->def->nics[i].device;

		if (!device[0])
			continue;
		row->needed++;
		if (!told(q->target) || row->verdict != CHECK_OK)
			continue;
		row->item = i;
		if (!facts_have_device(&q->target->report.facts, device))
			set(row, q->target->report.facts.device_count == DEVICES_MAX ? CHECK_WARN
										  : CHECK_FAIL,
			    WHY_MISSING);
		else if (device_taken(q, device))
			fail(row, WHY_TAKEN);
		else
			row->found++;
	}
}

static void judge_network(const struct question *q, struct preflight_row *row)
{
	if (!q->target->report.addresses[0][0])
		fail(row, WHY_MISSING);
	else if (!q->source || !q->source->report.addresses[0][0])
		fail(row, WHY_HERE);
	else if (q->def->post_copy &&
		 (q->source->report.facts.no_post_copy || q->target->report.facts.no_post_copy))
		warn(row, WHY_OTHER);
}

static bool cert_over(const struct node_report *report, uint64_t wall_ms)
{
	return report->cert_expires == 0 || report->cert_expires <= wall_ms / 1000;
}

static void judge_tls(const struct question *q, struct preflight_row *row)
{
	const struct node_report *there = &q->target->report;
	const struct node_report *here = q->source ? &q->source->report : there;

	if (q->cluster->def.migration.plain)
		return;
	row->found = there->cert_expires;
	if (there->cert_expires == 0 || here->cert_expires == 0)
		fail(row, there->cert_expires == 0 ? WHY_MISSING : WHY_HERE);
	else if (cert_over(there, q->load->wall_ms) || cert_over(here, q->load->wall_ms))
		fail(row, WHY_EXPIRED);
	else if (there->cert_authority == 0 || here->cert_authority == 0)
		fail(row, there->cert_authority == 0 ? WHY_MISSING : WHY_HERE);
	else if (there->cert_authority != here->cert_authority)
		fail(row, WHY_OTHER);
	else if (q->load->wall_ms && (cert_over(there, q->load->wall_ms + CERT_SOON_MS) ||
				      cert_over(here, q->load->wall_ms + CERT_SOON_MS)))
		warn(row, WHY_SOON);
}

static void judge_space(const struct question *q, struct preflight_row *row)
{
	const struct cluster_node *writer = q->source ? q->source : q->target;
	uint8_t volume = preflight_space_volume(q->vm);

	row->needed = preflight_space_mib(q->def);
	row->item = volume;
	if (volume == SLOT_NONE) {
		fail(row, WHY_MISSING);
		return;
	}
	row->found = writer->report.volumes[volume].free_mib;
	if (row->found < row->needed)
		fail(row, WHY_SHORT);
	else if (row->found < 2 * row->needed)
		warn(row, WHY_SHORT);
}

// ---- the table ----

enum {
	LIVE = 1 << MOVE_LIVE,
	QUICK = 1 << MOVE_QUICK,
	COLD = 1 << MOVE_COLD,
	SAVE = 1 << MOVE_SAVE,
	TAKES_MEMORY = LIVE | QUICK,	// the guest goes on where it was
	GOES = LIVE | QUICK | COLD,
};

static const struct {
	const char *word;
	void (*judge)(const struct question *question, struct preflight_row *row);
	uint8_t kinds;
} table[PREFLIGHT_CHECK_COUNT] = {
	[PREFLIGHT_VM] = { "vm", judge_vm, GOES | SAVE },
	[PREFLIGHT_NODE] = { "node", judge_node, GOES },
	[PREFLIGHT_OWNER] = { "possible-owner", judge_owner, GOES },
	[PREFLIGHT_EMULATOR] = { "emulator", judge_emulator, GOES },
	[PREFLIGHT_VERSION] = { "qemu-version", judge_version, TAKES_MEMORY },
	[PREFLIGHT_MACHINE] = { "machine", judge_machine, GOES },
	[PREFLIGHT_ARCH] = { "architecture", judge_arch, GOES },
	[PREFLIGHT_ACCEL] = { "accelerator", judge_accel, TAKES_MEMORY },
	[PREFLIGHT_VENDOR] = { "cpu-vendor", judge_vendor, TAKES_MEMORY },
	[PREFLIGHT_MODEL] = { "cpu-model", judge_model, GOES },
	[PREFLIGHT_FEATURES] = { "cpu-features", judge_features, TAKES_MEMORY },
	[PREFLIGHT_CPUS] = { "cpus", judge_cpus, GOES },
	[PREFLIGHT_MEMORY] = { "memory", judge_memory, GOES },
	[PREFLIGHT_HUGEPAGES] = { "huge-pages", judge_hugepages, GOES },
	[PREFLIGHT_VOLUMES] = { "volumes", judge_volumes, GOES },
	[PREFLIGHT_IMAGES] = { "images", judge_images, GOES },
	[PREFLIGHT_LEASES] = { "leases", judge_leases, GOES },
	[PREFLIGHT_BRIDGES] = { "bridges", judge_bridges, GOES },
	[PREFLIGHT_DEVICES] = { "devices", judge_devices, GOES },
	[PREFLIGHT_NETWORK] = { "network", judge_network, LIVE },
	[PREFLIGHT_TLS] = { "tls", judge_tls, LIVE },
	[PREFLIGHT_SPACE] = { "space", judge_space, QUICK | SAVE },
};

const char *preflight_check_word(enum preflight_check check)
{
	return check < PREFLIGHT_CHECK_COUNT ? table[check].word : "?";
}

static enum move_kind kind_of(const struct vm *vm, enum move_kind kind)
{
	if (kind != MOVE_AUTO)
		return kind;
	return vm->phase == VM_RUNNING ? MOVE_LIVE : MOVE_COLD;
}

void preflight_judge(const struct cluster *cluster, const struct preflight_load *load,
		     const struct vm *vm, uint8_t target, enum move_kind kind,
		     struct preflight *result)
{
	struct question q = { .cluster = cluster, .load = load, .vm = vm, .slot = target,
			      .def = vm_definition(cluster, vm), .missing = &result->missing };

	memset(result, 0, sizeof(*result));
	kind = kind_of(vm, kind);
	result->kind = (uint8_t)kind;
	result->target = target;
	q.source = preflight_source(cluster, vm);
	q.live = kind != MOVE_COLD;
	if (kind == MOVE_SAVE && q.source)
		q.slot = result->target = vm->owner;
	q.target = &cluster->nodes[q.slot < NODES_MAX ? q.slot : 0];
	for (uint32_t i = 0; i < PREFLIGHT_CHECK_COUNT; i++) {
		struct preflight_row *row = &result->rows[i];

		row->check = (uint8_t)i;
		row->asked = (table[i].kinds & 1 << kind) != 0;
		if (row->asked && (q.source || (table[i].kinds & COLD)))
			table[i].judge(&q, row);
		if (row->verdict > result->verdict)
			result->verdict = row->verdict;
	}
}

uint64_t preflight_targets(const struct cluster *cluster, const struct preflight_load *load,
			   const struct vm *vm, enum move_kind kind)
{
	struct preflight result;
	uint64_t mask = 0;

	for (uint8_t slot = 0; slot < NODES_MAX; slot++) {
		if (!cluster->nodes[slot].used)
			continue;
		preflight_judge(cluster, load, vm, slot, kind, &result);
		if (result.verdict != CHECK_FAIL)
			mask |= 1ull << slot;
	}
	return mask;
}

enum preflight_check preflight_worst(const struct preflight *result)
{
	for (uint32_t i = 0; i < PREFLIGHT_CHECK_COUNT; i++)
		if (result->rows[i].verdict == result->verdict && result->verdict != CHECK_OK)
			return (enum preflight_check)i;
	return PREFLIGHT_CHECK_COUNT;
}

// ---- what the words need as well ----

const struct cluster_node *preflight_source(const struct cluster *cluster, const struct vm *vm)
{
	return vm->owner < NODES_MAX ? &cluster->nodes[vm->owner] : NULL;
}

const char *preflight_machine(const struct cluster *cluster, const struct vm *vm, bool live)
{
	const struct vm_def *def = vm_definition(cluster, vm);

	if (live && vm->machine[0])
		return vm->machine;
	return def->machine[0] ? def->machine : "q35";
}

uint8_t preflight_space_volume(const struct vm *vm)
{
	return vm->lease_count ? vm->leases[0].volume : SLOT_NONE;
}

// Memory, a twentieth of it for what QEMU writes around its pages, and the devices' state.
uint64_t preflight_space_mib(const struct vm_def *def)
{
	return def->memory_mib + def->memory_mib / 20 + 64;
}

static bool on_volume(const struct vm_def *def, const char *volume)
{
	for (uint32_t i = 0; i < def->disk_count; i++)
		if (strcmp(def->disks[i].volume, volume) == 0)
			return true;
	return strcmp(def->kernel.volume, volume) == 0 || strcmp(def->initrd.volume, volume) == 0;
}

static const struct file_ref *boot_file(const struct vm_def *def, uint8_t image)
{
	return image == IMAGE_KERNEL ? &def->kernel : &def->initrd;
}

const char *preflight_image_volume(const struct vm_def *def, uint8_t image)
{
	if (image < IMAGE_KERNEL)
		return image < def->disk_count ? def->disks[image].volume : "";
	return boot_file(def, image)->volume;
}

const char *preflight_image_path(const struct vm_def *def, uint8_t image)
{
	if (image < IMAGE_KERNEL)
		return image < def->disk_count ? def->disks[image].path : "";
	return boot_file(def, image)->path;
}

uint32_t preflight_volumes(const struct cluster *cluster, const struct vm *vm)
{
	const struct vm_def *def = vm_definition(cluster, vm);
	uint32_t mask = 0;

	for (uint32_t v = 0; v < VOLUMES_MAX; v++)
		if (cluster->volumes[v].used && on_volume(def, cluster->volumes[v].def.name))
			mask |= 1u << v;
	return mask;
}
