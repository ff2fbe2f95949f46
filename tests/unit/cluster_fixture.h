// SPDX-License-Identifier: Apache-2.0
// A small cluster for tests of the replicated state, and entries for it in one line each.
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clusterd/codec.h"
#include "clusterd/cpu.h"
#include "clusterd/entry.h"
#include "clusterd/text.h"

struct fixture {
	struct cluster cluster;
	void *memory;
	uint64_t at_ms;
	struct entry_result result;
	// The document that is being written.
	struct definitions doc;
	struct node_def nodes[NODES_MAX + 1];
	struct volume_def volumes[VOLUMES_MAX + 1];
	struct vm_def *vms;
	struct owner_def owners[512];
	struct uuid *proposed;
	struct rule_def rules[RULES_MAX + 1];
	struct pro_def pros[POLICIES_MAX + 1];
	uint32_t vms_room, proposals;
};

static inline void fixture_open(struct fixture *f, uint32_t vms_max, uint32_t lease_slots_max,
				uint32_t vms_room)
{
	struct cluster_limits limits = { .vms_max = vms_max, .lease_slots_max = lease_slots_max };

	memset(f, 0, sizeof(*f));
	f->memory = malloc(cluster_memory(&limits));
	assert_non_null(f->memory);
	memset(f->memory, 0xa5, cluster_memory(&limits));
	cluster_init(&f->cluster, &limits, f->memory);
	f->vms_room = vms_room;
	f->vms = calloc(vms_room, sizeof(*f->vms));
	f->proposed = calloc(vms_room, sizeof(*f->proposed));
	f->doc.nodes = f->nodes;
	f->doc.volumes = f->volumes;
	f->doc.vms = f->vms;
	f->doc.owners = f->owners;
	f->doc.rules = f->rules;
	f->doc.pros = f->pros;
}

static inline void fixture_close(struct fixture *f)
{
	free(f->memory);
	free(f->vms);
	free(f->proposed);
}

static inline void doc_begin(struct fixture *f)
{
	f->doc.cluster_given = false;
	f->doc.node_count = f->doc.volume_count = f->doc.vm_count = f->doc.owner_count = 0;
	f->doc.rule_count = f->doc.pro_count = 0;
}

static inline struct node_def *doc_node(struct fixture *f, const char *name, uint32_t id)
{
	struct node_def *node = &f->nodes[f->doc.node_count++];

	memset(node, 0, sizeof(*node));
	text_copy(node->name, sizeof(node->name), name);
	node->id = id;
	return node;
}

static inline struct volume_def *doc_volume(struct fixture *f, const char *name, const char *source)
{
	struct volume_def *volume = &f->volumes[f->doc.volume_count++];

	memset(volume, 0, sizeof(*volume));
	text_copy(volume->name, sizeof(volume->name), name);
	text_copy(volume->source, sizeof(volume->source), source);
	return volume;
}

static inline struct disk_def *vm_disk(struct vm_def *vm, const char *volume, const char *path)
{
	struct disk_def *disk = &vm->disks[vm->disk_count++];

	text_copy(disk->volume, sizeof(disk->volume), volume);
	text_copy(disk->path, sizeof(disk->path), path);
	return disk;
}

static inline struct nic_def *vm_nic(struct vm_def *vm, const char *bridge)
{
	struct nic_def *nic = &vm->nics[vm->nic_count++];

	text_copy(nic->bridge, sizeof(nic->bridge), bridge);
	return nic;
}

// With a disk NAME.img on `volume`, unless that is NULL.
static inline struct vm_def *doc_vm(struct fixture *f, const char *name, const char *volume)
{
	struct vm_def *vm = &f->vms[f->doc.vm_count];
	uint64_t number = ++f->proposals;
	char path[PATH_SIZE];

	assert_true(f->doc.vm_count < f->vms_room);
	memset(vm, 0, sizeof(*vm));
	memset(&f->proposed[f->doc.vm_count], 0x77, sizeof(struct uuid));
	memcpy(f->proposed[f->doc.vm_count].bytes, &number, sizeof(number));
	f->doc.vm_count++;
	text_copy(vm->name, sizeof(vm->name), name);
	vm->cpus = 1;
	vm->memory_mib = 128;
	vm->restarts_max = 1;
	vm->relocations_max = 2;
	vm->forget_s = 600;
	vm->stop_timeout_s = 120;
	vm->max_pause_ms = 1000;
	if (volume) {
		snprintf(path, sizeof(path), "vms/%s.img", name);
		vm_disk(vm, volume, path);
	}
	return vm;
}

static inline void doc_owner(struct fixture *f, const char *node, uint32_t tier)
{
	struct owner_def *owner = &f->owners[f->doc.owner_count++];

	memset(owner, 0, sizeof(*owner));
	text_copy(owner->node, sizeof(owner->node), node);
	owner->vm = f->doc.vm_count - 1;
	owner->tier = tier;
}

static inline struct rule_def *doc_rule(struct fixture *f, const char *name, enum rule_kind kind)
{
	struct rule_def *def = &f->rules[f->doc.rule_count++];

	memset(def, 0, sizeof(*def));
	text_copy(def->name, sizeof(def->name), name);
	def->kind = (uint8_t)kind;
	def->strict = def->enabled = true;
	def->weight = 100;
	def->at_once = 1;
	return def;
}

static inline struct pro_def *doc_policy(struct fixture *f, const char *name)
{
	struct pro_def *def = &f->pros[f->doc.pro_count++];

	*def = pro_defaults();
	def->measure = PRO_CPU;
	def->threshold = 80;
	def->clear = 70;
	def->action = PRO_BALANCE;
	text_copy(def->name, sizeof(def->name), name);
	return def;
}

static inline void rule_member(struct rule_def *def, enum rule_role role, const char *name)
{
	struct rule_member *last = &def->members[def->member_count++];

	text_copy(last->name, sizeof(last->name), name);
	last->role = (uint8_t)role;
}

static inline uint64_t digest_without_index(struct fixture *f)
{
	uint64_t index = f->cluster.index, digest;

	f->cluster.index = 0;
	digest = cluster_digest(&f->cluster);
	f->cluster.index = index;
	return digest;
}

// Every VM is found by its name and UUID, and nothing else is.
static inline void check_index(struct fixture *f)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < f->cluster.vm_high; i++) {
		if (!f->cluster.vms[i].used)
			continue;
		used++;
		assert_ptr_equal(cluster_find_vm(&f->cluster, f->cluster.defs[i].name),
				 &f->cluster.vms[i]);
		assert_ptr_equal(cluster_find_vm_uuid(&f->cluster, &f->cluster.defs[i].uuid),
				 &f->cluster.vms[i]);
	}
	assert_int_equal(used, f->cluster.vm_count);
}

// Through the codec, as on the wire. A refusal must have changed nothing but the index.
static inline bool fixture_apply(struct fixture *f, struct entry *entry)
{
	static uint8_t wire[ENTRY_SIZE_MAX];
	uint64_t before = digest_without_index(f), index = f->cluster.index + 1;
	struct entry decoded;
	size_t size;

	entry->at_ms = ++f->at_ms;
	if ((entry->type >= ENTRY_VOTERS || entry->type == ENTRY_NODE_CONFIRM_DEAD) &&
	    entry->view == 0)
		entry->view = f->cluster.view;
	size = entry_encode(entry, wire, sizeof(wire));
	assert_true(size > 0);
	assert_true(entry_decode(&decoded, wire, size));
	cluster_apply(&f->cluster, index, &decoded, &f->result);
	assert_int_equal(f->cluster.index, index);
	if (!f->result.accepted) {
		assert_true(f->result.code[0] && f->result.reason[0]);
		assert_true(digest_without_index(f) == before);
	} else {
		assert_int_equal(f->result.code[0], 0);
	}
	return f->result.accepted;
}

static inline void accept(struct fixture *f, struct entry entry)
{
	if (!fixture_apply(f, &entry))
		fail_msg("refused: %s: %s (%s)", f->result.code, f->result.reason, f->result.fix);
}

static inline void refused(struct fixture *f, struct entry entry, const char *code,
			   const char *words)
{
	if (fixture_apply(f, &entry))
		fail_msg("accepted, not refused as %s", code);
	if (strcmp(f->result.code, code) != 0 || !strstr(f->result.reason, words))
		fail_msg("refused as %s: %s, not as %s: %s", f->result.code, f->result.reason, code,
			 words);
}

static inline struct entry doc_entry(struct fixture *f)
{
	static uint8_t body[ENTRY_SIZE_MAX - 256];
	struct entry entry = { .type = ENTRY_APPLY };

	entry.body = body;
	entry.body_size = definitions_encode(&f->doc, f->proposed, body, sizeof(body));
	assert_true(entry.body_size > 0);
	return entry;
}

static inline void doc_accept(struct fixture *f)
{
	accept(f, doc_entry(f));
	check_index(f);
}

static inline void doc_refused(struct fixture *f, const char *code, const char *words)
{
	refused(f, doc_entry(f), code, words);
	check_index(f);
}

static inline struct entry named(enum entry_type type, const char *name)
{
	struct entry entry = { .type = (uint8_t)type };

	text_copy(entry.name, sizeof(entry.name), name);
	return entry;
}

static inline struct entry about_node(enum entry_type type, uint32_t id)
{
	return (struct entry){ .type = (uint8_t)type, .node_id = id, .from = id };
}

static inline struct vm *the_vm(struct fixture *f, const char *name)
{
	const struct vm *vm = cluster_find_vm(&f->cluster, name);

	assert_non_null(vm);
	return &f->cluster.vms[vm->ref.slot];
}

static inline const struct vm_def *the_def(struct fixture *f, const char *name)
{
	return vm_definition(&f->cluster, the_vm(f, name));
}

static inline struct cluster_node *the_node(struct fixture *f, uint32_t id)
{
	struct cluster_node *node = cluster_node_by_id(&f->cluster, id);

	assert_non_null(node);
	return node;
}

static inline bool place_one(struct fixture *f, const char *name, uint8_t owner,
			     enum vm_phase phase)
{
	uint8_t bytes[512];
	const struct vm *vm = the_vm(f, name);
	struct place place = {
		.vm = vm->ref, .owner = owner, .attempt = vm->attempt, .phase = (uint8_t)phase
	};
	struct entry entry = { .type = ENTRY_PLACE, .place_count = 1, .places = bytes };
	uint64_t before = digest_without_index(f);

	text_copy(place.reason, sizeof(place.reason), owner == SLOT_NONE ? "no place" : "");
	entry.places_size = place_encode(&place, bytes, sizeof(bytes));
	accept(f, entry);
	return digest_without_index(f) != before;
}

static inline void vm_reports(struct fixture *f, const char *name, uint32_t from,
			      enum vm_report report, const char *reason)
{
	struct entry entry = {
		.type = ENTRY_VM_REPORT, .from = from, .node_id = from, .vm_report = (uint8_t)report
	};

	entry.vm = the_vm(f, name)->ref;
	entry.attempt = the_vm(f, name)->attempt;
	entry.flag = report == VM_REPORT_FOUND && the_vm(f, name)->phase >= VM_RUNNING;
	text_copy(entry.reason, sizeof(entry.reason), reason);
	accept(f, entry);
}

// A host that can take any VM: every node of the fixture is like this one.
static inline void facts_make(struct host_facts *facts)
{
	static const char *const features[] = { "aes", "avx", "avx2", "lm", "nx", "sse2", "svm" };
	static const char *const machines[] = { "pc", "pc-i440fx-7.2", "pc-q35-7.2", "q35" };

	memset(facts, 0, sizeof(*facts));
	facts->state = FACTS_KNOWN;
	facts->accel = ACCEL_KVM;
	facts->qemu_version = 70222;
	text_copy(facts->arch, sizeof(facts->arch), "x86_64");
	text_copy(facts->cpu_vendor, sizeof(facts->cpu_vendor), "AuthenticAMD");
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		cpu_add(&facts->features, (unsigned int)cpu_feature_find(features[i]));
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		facts->machines[facts->machine_count++] = name_hash(machines[i]);
	facts->models[facts->model_count++] = name_hash("EPYC");
	text_copy(facts->machine_q35, MACHINE_SIZE, "pc-q35-7.2");
	text_copy(facts->machine_pc, MACHINE_SIZE, "pc-i440fx-7.2");
	text_copy(facts->bridges[facts->bridge_count++], BRIDGE_SIZE, "br0");
	facts->memory_free_mib = 8000;
}

static inline void node_reports(struct fixture *f, uint32_t id, bool watchdog)
{
	struct entry entry = about_node(ENTRY_NODE_REPORT, id);

	entry.report.cpus = 4;
	entry.report.memory_mib = 8192;
	entry.report.qemu = true;
	entry.report.watchdog = watchdog;
	facts_make(&entry.report.facts);
	text_copy(entry.report.addresses[0], ADDRESS_SIZE, "10.0.0.1");
	entry.report.cert_expires = UINT64_C(1) << 40;
	entry.report.cert_authority = 1;
	for (uint32_t i = 0; i < 2; i++) {
		entry.report.volumes[i].state = VOLUME_ONLINE;
		entry.report.volumes[i].joined = true;
		entry.report.volumes[i].generation = id * 10 + i;
		entry.report.volumes[i].free_mib = 100000;
	}
	accept(f, entry);
}

static inline void make_leases_ready(struct fixture *f, const char *name)
{
	struct vm *vm = the_vm(f, name);

	for (uint32_t i = 0; i < vm->lease_count; i++) {
		struct entry entry = { .type = ENTRY_LEASE_WRITE, .vm = vm->ref, .actor = 0 };

		entry.volume = vm->leases[i].volume;
		accept(f, entry);
		entry.type = ENTRY_LEASE_WRITTEN;
		entry.from = f->cluster.nodes[0].def.id;
		entry.lease_slot = vm->leases[i].slot;
		entry.flag = true;
		accept(f, entry);
	}
}

// Nodes n1, n2, n3 (ids 1 to 3, a fence device each) online and reported; volumes v1, v2 prepared;
// view 7.
static inline void fixture_cluster(struct fixture *f)
{
	accept(f, (struct entry){ .type = ENTRY_VIEW, .view = 7 });
	doc_begin(f);
	f->doc.cluster_given = true;
	f->doc.cluster = (struct cluster_def){
		.name = "c1",
		.no_quorum_hold_s = 60,
		.io_timeout_s = 10,
		.root = "/clusterstorage",
		.migration = { .bandwidth_percent = 50, .moves_out_max = 2, .moves_in_max = 2 },
	};
	for (uint32_t i = 1; i <= 3; i++) {
		char name[8];
		struct node_def *node;

		snprintf(name, sizeof(name), "n%u", i);
		node = doc_node(f, name, i);
		node->fence_count = 1;
		text_copy(node->fences[0].agent, NAME_SIZE, "fence_lab");
		text_copy(node->fences[0].options, FENCE_OPTIONS_SIZE, "plug=x\n");
	}
	doc_volume(f, "v1", "/srv/v1");
	doc_volume(f, "v2", "/srv/v2");
	doc_accept(f);
	for (uint32_t i = 1; i <= 3; i++) {
		accept(f, about_node(ENTRY_NODE_BACK, i));
		node_reports(f, i, true);
	}
	for (uint8_t i = 0; i < 2; i++) {
		struct entry entry = {
			.type = ENTRY_VOLUME_PREPARE, .volume = i, .attempt = 1, .actor = 0
		};

		accept(f, entry);
		entry.type = ENTRY_VOLUME_PREPARED;
		entry.from = 1;
		entry.flag = true;
		accept(f, entry);
	}
	doc_begin(f);
}

// A cluster with a VM, `web`, on v1; with `db` also one on both volumes.
static inline void fixture_web(struct fixture *f, bool db)
{
	fixture_open(f, 16, 4, 16);
	fixture_cluster(f);
	doc_vm(f, "web", "v1");
	if (db)
		vm_disk(doc_vm(f, "db", "v1"), "v2", "data.img");
	doc_accept(f);
	doc_begin(f);
}

// A VM that is wanted, placed on the node in this slot and running.
static inline void run_vm(struct fixture *f, const char *name, uint8_t slot)
{
	struct entry entry = named(ENTRY_VM_WANT, name);

	entry.wanted = VM_WANTED_RUNNING;
	accept(f, entry);
	make_leases_ready(f, name);
	assert_true(place_one(f, name, slot, VM_PLACED));
	vm_reports(f, name, f->cluster.nodes[slot].def.id, VM_REPORT_STARTED, "");
	assert_int_equal(the_vm(f, name)->phase, VM_RUNNING);
}
