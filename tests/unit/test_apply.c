// SPDX-License-Identifier: Apache-2.0
// cluster_apply() of definitions, removals and wishes: what is refused, and that a refusal changes
// nothing.
#include "tests/unit/cluster_fixture.h"

#include <time.h>

#include "clusterd/cluster_internal.h"

static struct fixture f;

static int begin(void **state)
{
	(void)state;
	fixture_open(&f, 16, 8, 64);
	fixture_cluster(&f);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_close(&f);
	return 0;
}

static void define_web(void)
{
	doc_begin(&f);
	vm_nic(doc_vm(&f, "web", "v1"), "br0");
	doc_accept(&f);
	doc_begin(&f);
}

static void a_document_is_stored(void **state)
{
	struct vm *vm;

	(void)state;
	assert_string_equal(f.cluster.def.name, "c1");
	assert_int_equal(f.cluster.view, 7);
	assert_true(f.cluster.volumes[1].prepared);
	assert_int_equal(f.cluster.volumes[1].io_timeout_s, 10);
	doc_node(&f, "n4", 4);
	vm_nic(doc_vm(&f, "web", "v2"), "br0");
	vm_disk(&f.vms[0], "v1", "vms/data.img");
	vm_disk(&f.vms[0], "v2", "vms/more.img");
	doc_owner(&f, "n4", 0);
	doc_owner(&f, "n2", 0);
	doc_owner(&f, "n4", 2);
	doc_accept(&f);
	vm = the_vm(&f, "web");
	assert_int_equal(vm->phase, VM_IDLE);
	assert_int_equal(vm->owner, SLOT_NONE);
	assert_int_equal(vm->wanted, VM_WANTED_STOPPED);
	assert_true(vm->managed);
	assert_int_equal(vm->ref.serial, 1);
	assert_int_equal(f.cluster.next_serial, 2);
	assert_int_equal(vm->possible, 1 << 3 | 1 << 1);
	assert_int_equal(vm->tiers[0], 0);
	assert_int_equal(vm->tiers[1], 1 << 3);
	assert_int_equal(vm->lease_count, 2);
	assert_int_equal(vm->leases[0].volume, 1);
	assert_int_equal(vm->leases[1].volume, 0);
	assert_int_equal(vm->leases[0].life, LEASE_UNWRITTEN);
	assert_int_equal(volume_lease_slots(&f.cluster, 1)[0], SLOT_USED);
	assert_memory_equal(&the_def(&f, "web")->uuid, &f.proposed[0], sizeof(struct uuid));
	assert_memory_equal(the_def(&f, "web")->nics[0].mac, "\x52\x54\x00", 3);
	assert_int_equal(the_node(&f, 4)->life, NODE_UNKNOWN);
	assert_true(the_node(&f, 4)->managed);
}

static void applying_again_changes_nothing(void **state)
{
	uint64_t digest;

	(void)state;
	define_web();
	digest = digest_without_index(&f);
	vm_nic(doc_vm(&f, "web", "v1"), "br0");
	doc_accept(&f);
	assert_true(digest_without_index(&f) == digest);
}

static void wanted_changes_only_where_it_is_named(void **state)
{
	struct vm_def *vm;

	(void)state;
	vm = doc_vm(&f, "web", "v1");
	vm->wanted = VM_WANTED_RUNNING;
	doc_accept(&f);
	assert_int_equal(the_vm(&f, "web")->wanted, VM_WANTED_STOPPED);
	vm->wanted_given = true;
	doc_accept(&f);
	assert_int_equal(the_vm(&f, "web")->wanted, VM_WANTED_RUNNING);
	doc_begin(&f);
	doc_vm(&f, "web", "v1");
	doc_accept(&f);
	assert_int_equal(the_vm(&f, "web")->wanted, VM_WANTED_RUNNING);
	assert_int_equal(the_def(&f, "web")->wanted, VM_WANTED_RUNNING);
}

static void bad_names_are_refused(void **state)
{
	static const char *const names[] = { "", ".x", "-x", "a b", "a/b", "_x", "\xc3\xa4" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		doc_begin(&f);
		doc_vm(&f, "web", "v1");
		text_copy(f.vms[0].name, NAME_SIZE, names[i]);
		doc_refused(&f, "bad-name", "no name for a vm");
		doc_begin(&f);
		doc_node(&f, names[i], 9);
		doc_refused(&f, "bad-name", "no name for a node");
		doc_begin(&f);
		doc_volume(&f, names[i], "/srv/x");
		doc_refused(&f, "bad-name", "no name for a volume");
		doc_begin(&f);
		f.doc.cluster_given = true;
		f.doc.cluster = f.cluster.def;
		text_copy(f.doc.cluster.name, NAME_SIZE, names[i]);
		doc_refused(&f, "bad-name", "no name for a cluster");
	}
	doc_begin(&f);
	doc_vm(&f, "0.a_B-9", "v1");
	doc_accept(&f);
}

static void bad_paths_are_refused(void **state)
{
	static const char *const paths[] = { "",	 "/a",	   "a//b",  "a/",
					     "../a",	 "a/../b", "a/..",  ".",
					     "a/./b",	 "a\nb",   "a\x7f", ".clusterd/leases",
					     ".clusterd" };
	static const char *const sources[] = { "",	  "srv",       "/",    "/srv/",
					       "/srv//x", "/srv/../x", "/s\tx" };

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		doc_begin(&f);
		vm_disk(doc_vm(&f, "web", NULL), "v1", paths[i]);
		doc_refused(&f, "bad-path", "vm web");
		doc_begin(&f);
		text_copy(doc_vm(&f, "web", "v1")->kernel.volume, NAME_SIZE, "v1");
		text_copy(f.vms[0].kernel.path, PATH_SIZE, paths[i]);
		doc_refused(&f, "bad-path", "vm web");
	}
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		doc_begin(&f);
		doc_volume(&f, "v3", sources[i]);
		doc_refused(&f, "bad-path", "volume v3");
	}
	doc_begin(&f);
	vm_disk(doc_vm(&f, "web", NULL), "v1", "...a/.b/..c");
	doc_accept(&f);
}

static void limits_are_kept(void **state)
{
	struct vm_def *vm;

	(void)state;
	for (int i = 0; i < 6; i++) {
		doc_begin(&f);
		vm = doc_vm(&f, "web", "v1");
		vm->cpus = i == 0 ? 0 : i == 1 ? 513 : 1;
		vm->memory_mib = i == 2 ? 0 : i == 3 ? 16 * 1024 * 1024 + 1 : 1;
		vm->stop_timeout_s = i == 4 ? 86401 : 0;
		vm->restarts_max = i == 5 ? 1001 : 0;
		doc_refused(&f, "out-of-range", "vm web");
	}
	for (uint32_t id = 0; id <= 2001; id += 2001) {
		doc_begin(&f);
		doc_node(&f, "n9", id);
		doc_refused(&f, "out-of-range", "node n9");
	}
	for (uint32_t s = 0; s <= 61; s += 61) {
		doc_begin(&f);
		f.doc.cluster_given = true;
		f.doc.cluster = f.cluster.def;
		f.doc.cluster.io_timeout_s = s;
		doc_refused(&f, "out-of-range", "io-timeout");
	}
	doc_begin(&f);
	doc_vm(&f, "web", "v1");
	doc_owner(&f, "n1", VM_TIERS_MAX + 1);
	doc_refused(&f, "out-of-range", "tier 9");
}

static void a_vm_needs_a_written_disk(void **state)
{
	(void)state;
	doc_vm(&f, "web", NULL);
	doc_refused(&f, "no-disk", "needs at least one writable disk");
	vm_disk(&f.vms[0], "v1", "cd.iso")->cdrom = true;
	vm_disk(&f.vms[0], "v1", "ro.img")->readonly = true;
	doc_refused(&f, "no-disk", "needs at least one writable disk");
	vm_disk(&f.vms[0], "v1", "rw.img");
	doc_accept(&f);
	assert_int_equal(the_vm(&f, "web")->lease_count, 1);
}

static void duplicates_in_a_document_are_refused(void **state)
{
	(void)state;
	doc_vm(&f, "web", "v1");
	doc_vm(&f, "web", "v2");
	doc_refused(&f, "duplicate", "vm web is defined twice");
	doc_begin(&f);
	doc_node(&f, "n9", 9);
	doc_node(&f, "n9", 9);
	doc_refused(&f, "duplicate", "node n9 is defined twice");
	doc_begin(&f);
	doc_node(&f, "n8", 9);
	doc_node(&f, "n9", 9);
	doc_refused(&f, "duplicate", "id 9 of node n9 is that of node n8");
	doc_begin(&f);
	doc_volume(&f, "v3", "/srv/v3");
	doc_volume(&f, "v3", "/srv/v3");
	doc_refused(&f, "duplicate", "volume v3 is defined twice");
	doc_begin(&f);
	doc_volume(&f, "v3", "/srv/v1/inside");
	doc_refused(&f, "duplicate", "volume v3 is that of volume v1");
	doc_begin(&f);
	doc_vm(&f, "a", "v1");
	vm_disk(doc_vm(&f, "b", "v2"), "v1", "vms/a.img");
	doc_refused(&f, "in-use", "disk v1:vms/a.img is used by vm a");
	assert_string_equal(f.result.fix, "give b another disk, or remove a");
	doc_begin(&f);
	vm_disk(doc_vm(&f, "a", "v1"), "v1", "vms/a.img")->readonly = true;
	doc_refused(&f, "duplicate", "disk v1:vms/a.img is given to vm a twice");
	doc_begin(&f);
	memset(&doc_vm(&f, "a", "v1")->uuid, 5, sizeof(struct uuid));
	memset(&doc_vm(&f, "b", "v1")->uuid, 5, sizeof(struct uuid));
	doc_refused(&f, "duplicate", "the uuid of vm b is that of vm a");
	doc_begin(&f);
	memset(vm_nic(doc_vm(&f, "a", "v1"), "br0")->mac, 2, 6);
	memset(vm_nic(doc_vm(&f, "b", "v1"), "br0")->mac, 2, 6);
	doc_refused(&f, "duplicate", "the MAC of NIC 1 of vm b is that of vm a");
	doc_begin(&f);
	doc_vm(&f, "a", "v1");
	memset(vm_nic(&f.vms[0], "br0")->mac, 2, 6);
	memset(vm_nic(&f.vms[0], "br0")->mac, 2, 6);
	doc_refused(&f, "duplicate", "two NICs of vm a");
	doc_begin(&f);
	doc_vm(&f, "a", "v1");
	doc_owner(&f, "n1", 1);
	doc_owner(&f, "n1", 2);
	doc_refused(&f, "duplicate", "owner n1 is named twice");
	assert_int_equal(f.cluster.vm_count, 0);
}

static void conflicts_with_what_exists_are_refused(void **state)
{
	(void)state;
	memset(vm_nic(doc_vm(&f, "web", "v1"), "br0")->mac, 2, 6);
	memset(&f.vms[0].uuid, 5, sizeof(struct uuid));
	vm_disk(&f.vms[0], "v1", "tools.iso")->cdrom = true;
	doc_accept(&f);
	doc_begin(&f);
	vm_disk(doc_vm(&f, "b", NULL), "v1", "vms/web.img");
	doc_refused(&f, "in-use", "disk v1:vms/web.img is used by vm web");
	doc_begin(&f);
	vm_disk(doc_vm(&f, "b", "v1"), "v1", "vms/web.img")->readonly = true;
	doc_refused(&f, "in-use", "used by vm web");
	doc_begin(&f);
	vm_disk(doc_vm(&f, "b", "v1"), "v1", "tools.iso");
	doc_refused(&f, "in-use", "disk v1:tools.iso is used by vm web");
	doc_begin(&f);
	vm_disk(doc_vm(&f, "b", "v1"), "v1", "tools.iso")->cdrom = true;
	doc_accept(&f); // nobody writes it
	doc_begin(&f);
	memset(&doc_vm(&f, "c", "v1")->uuid, 5, sizeof(struct uuid));
	doc_refused(&f, "duplicate", "the uuid of vm c is that of vm web");
	doc_begin(&f);
	memset(vm_nic(doc_vm(&f, "c", "v1"), "br0")->mac, 2, 6);
	doc_refused(&f, "duplicate", "is that of vm web");
	doc_begin(&f);
	memset(&doc_vm(&f, "web", "v1")->uuid, 6, sizeof(struct uuid));
	doc_refused(&f, "uuid-changed", "vm web");
	doc_begin(&f);
	doc_node(&f, "n1", 9);
	doc_refused(&f, "id-changed", "node n1 has id 1");
	doc_begin(&f);
	doc_node(&f, "n9", 1);
	doc_refused(&f, "duplicate", "id 1 of node n9 is that of node n1");
	doc_begin(&f);
	doc_volume(&f, "v1", "/srv/elsewhere");
	doc_refused(&f, "in-use", "while vm web uses it");
	doc_begin(&f);
	vm_disk(doc_vm(&f, "c", NULL), "v9", "c.img");
	doc_refused(&f, "no-such-volume", "there is no volume v9");
	doc_begin(&f);
	doc_vm(&f, "c", "v1");
	doc_owner(&f, "n9", 1);
	doc_refused(&f, "no-such-node", "there is no node n9");
	doc_begin(&f);
	doc_vm(&f, "c", "v1");
	doc_owner(&f, "n1", 0);
	doc_owner(&f, "n2", 1);
	doc_refused(&f, "contradiction", "not a possible one");
}

// One document may hand a disk, a MAC and all from one VM to another, in either order.
static void things_change_hands_in_one_document(void **state)
{
	(void)state;
	memset(vm_nic(doc_vm(&f, "a", "v1"), "br0")->mac, 2, 6);
	memset(vm_nic(doc_vm(&f, "b", "v1"), "br0")->mac, 4, 6);
	doc_accept(&f);
	for (int round = 0; round < 2; round++) {
		doc_begin(&f);
		vm_disk(doc_vm(&f, round ? "b" : "a", NULL), "v1", "vms/b.img");
		vm_disk(doc_vm(&f, round ? "a" : "b", NULL), "v1", "vms/a.img");
		doc_accept(&f);
		assert_string_equal(the_def(&f, "a")->disks[0].path,
				    round ? "vms/a.img" : "vms/b.img");
	}
	doc_begin(&f);
	vm_disk(doc_vm(&f, "c", NULL), "v1", "vms/a.img");
	doc_refused(&f, "in-use", "used by vm a");
}

static void nothing_of_a_refused_document_is_left(void **state)
{
	(void)state;
	define_web();
	doc_node(&f, "n9", 9);
	doc_volume(&f, "v9", "/srv/v9");
	doc_vm(&f, "web", "v2");
	doc_vm(&f, "x", "v9");
	doc_vm(&f, "y", "v8");
	doc_refused(&f, "no-such-volume", "vm y");
	assert_null(cluster_find_vm(&f.cluster, "x"));
	assert_null(cluster_find_node(&f.cluster, "n9"));
	assert_int_equal(f.cluster.vm_count, 1);
	assert_string_equal(the_def(&f, "web")->disks[0].volume, "v1");
	doc_begin(&f);
	vm_disk(doc_vm(&f, "z", NULL), "v1", "vms/web.img");
	doc_refused(&f, "in-use", "used by vm web");
}

static void full_tables_refuse(void **state)
{
	char name[32];
	struct vm_def *vm;

	(void)state;
	for (int i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "vm%d", i);
		doc_vm(&f, name, "v1");
	}
	doc_refused(&f, "no-lease-slot", "volume v1");
	f.doc.vm_count--;
	doc_accept(&f);
	doc_begin(&f);
	vm_disk(doc_vm(&f, "more", "v2"), "v1", "more.img");
	doc_refused(&f, "no-lease-slot", "volume v1");
	doc_begin(&f);
	for (int i = 8; i < 17; i++) {
		snprintf(name, sizeof(name), "vm%d", i);
		doc_vm(&f, name, "v2");
	}
	doc_refused(&f, "table-full", "room for 16 VMs");
	f.doc.vm_count--;
	doc_accept(&f);
	doc_begin(&f);
	for (int i = 0; i < 62; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		doc_node(&f, name, 100 + i);
	}
	doc_refused(&f, "table-full", "room for 64 nodes");
	doc_begin(&f);
	for (int i = 0; i < 31; i++) {
		snprintf(name, sizeof(name), "/srv/m%d", i);
		doc_volume(&f, name + 5, name);
	}
	doc_refused(&f, "table-full", "room for 32 volumes");
	doc_begin(&f);
	vm = doc_vm(&f, "vm0", NULL);
	for (int i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "/srv/m%d", i);
		doc_volume(&f, name + 5, name);
		vm_disk(vm, name + 5, "x.img");
	}
	doc_refused(&f, "too-many-volumes", "writes 9 volumes");
}

static void garbled_definitions_are_refused(void **state)
{
	struct entry entry;

	(void)state;
	vm_nic(doc_vm(&f, "web", "v1"), "br0");
	doc_node(&f, "n9", 9);
	doc_owner(&f, "n9", 1);
	entry = doc_entry(&f);
	for (size_t size = entry.body_size - 1; size > 0; size--) {
		entry.body_size = size;
		refused(&f, entry, "malformed", "garbled");
		check_index(&f);
	}
}

static void hardware_of_what_runs_stays(void **state)
{
	struct vm_def *vm;

	(void)state;
	define_web();
	run_vm(&f, "web", 1);
	for (int i = 0; i < 2; i++) {
		doc_begin(&f);
		vm = doc_vm(&f, "web", "v1");
		vm_nic(vm, i == 1 ? "br1" : "br0");
		if (i == 0)
			vm_disk(vm, "v2", "more.img");
		doc_refused(&f, "running", "runs, or may run, on n2");
		assert_string_equal(f.result.fix, "stop it first: clustadm vm stop web");
	}
	doc_begin(&f);
	vm = doc_vm(&f, "web", "v1");
	vm_nic(vm, "br0");
	text_copy(vm->description, TEXT_SIZE, "the shop");
	vm->priority = 7;
	vm->failback = FAILBACK_IMMEDIATE;
	vm->on_guest_shutdown = GUEST_SHUTDOWN_RESTART;
	vm->restarts_max = vm->relocations_max = vm->stop_timeout_s = 9;
	vm->wanted = VM_WANTED_STOPPED;
	vm->wanted_given = true;
	doc_owner(&f, "n3", 1);
	doc_accept(&f);
	assert_int_equal(the_def(&f, "web")->priority, 7);
	assert_int_equal(the_vm(&f, "web")->phase, VM_RUNNING);
	assert_int_equal(the_vm(&f, "web")->wanted, VM_WANTED_STOPPED);
	doc_begin(&f);
	f.doc.cluster_given = true;
	f.doc.cluster = f.cluster.def;
	text_copy(f.doc.cluster.root, PATH_SIZE, "/elsewhere");
	doc_refused(&f, "running", "root");
	vm_reports(&f, "web", 2, VM_REPORT_STOPPED, "");
	doc_accept(&f);
	doc_begin(&f);
	doc_vm(&f, "web", "v1")->cpus = 4;
	doc_accept(&f);
}

static void leases_follow_the_disks(void **state)
{
	struct entry entry = { .type = ENTRY_LEASE_WRITE, .volume = 1, .actor = 0 };
	struct vm *vm;

	(void)state;
	vm_disk(doc_vm(&f, "web", "v1"), "v2", "b.img");
	doc_accept(&f);
	make_leases_ready(&f, "web");
	vm = the_vm(&f, "web");
	doc_begin(&f);
	vm_disk(doc_vm(&f, "web", "v2"), "v2", "b.img");
	doc_accept(&f);
	assert_int_equal(vm->lease_count, 1);
	assert_int_equal(vm->leases[0].volume, 1);
	assert_int_equal(vm->leases[0].life, LEASE_READY);
	assert_int_equal(volume_lease_slots(&f.cluster, 0)[0], SLOT_FREE);
	// Dropped while it is being written, a slot is not used again.
	doc_begin(&f);
	doc_vm(&f, "db", "v2");
	doc_accept(&f);
	entry.vm = the_vm(&f, "db")->ref;
	accept(&f, entry);
	doc_begin(&f);
	doc_vm(&f, "db", "v1");
	doc_accept(&f);
	assert_int_equal(volume_lease_slots(&f.cluster, 1)[1], SLOT_BURNED);
	assert_int_equal(the_vm(&f, "db")->leases[0].life, LEASE_UNWRITTEN);
}

static void derived_macs_differ_and_stay(void **state)
{
	uint8_t macs[3][6];

	(void)state;
	for (int i = 0; i < 3; i++)
		vm_nic(i ? &f.vms[0] : doc_vm(&f, "web", "v1"), "br0");
	doc_accept(&f);
	for (int i = 0; i < 3; i++) {
		memcpy(macs[i], the_def(&f, "web")->nics[i].mac, 6);
		for (int k = 0; k < i; k++)
			assert_memory_not_equal(macs[i], macs[k], 6);
	}
	// The UUID that web's MACs are derived from, for another VM: they must be others
	// nevertheless.
	doc_begin(&f);
	vm_nic(doc_vm(&f, "web", "v1"), "br0");
	memset(f.vms[0].nics[0].mac, 2, 6);
	doc_accept(&f);
	doc_begin(&f);
	memcpy(vm_nic(doc_vm(&f, "thief", "v1"), "br0")->mac, macs[0], 6);
	doc_accept(&f);
	doc_begin(&f);
	doc_vm(&f, "web", "v1");
	doc_accept(&f);
	doc_begin(&f);
	vm_nic(doc_vm(&f, "web", "v1"), "br0");
	doc_accept(&f);
	assert_memory_not_equal(the_def(&f, "web")->nics[0].mac, macs[0], 6);
	memcpy(macs[1], the_def(&f, "web")->nics[0].mac, 6);
	doc_accept(&f);
	assert_memory_equal(the_def(&f, "web")->nics[0].mac, macs[1], 6);
}

static void removal_is_refused_while_in_use(void **state)
{
	struct entry vm = named(ENTRY_REMOVE, "web"), node = named(ENTRY_REMOVE, "n2"),
		     volume = named(ENTRY_REMOVE, "v1");
	struct entry voters = { .type = ENTRY_VOTERS,
				.voters = { .count = 1, .list = { { 2, 5 } } } };
	uint32_t serial;

	(void)state;
	vm.object = OBJECT_VM;
	node.object = OBJECT_NODE;
	volume.object = OBJECT_VOLUME;
	refused(&f, vm, "no-such-vm", "web");
	vm_nic(doc_vm(&f, "web", "v1"), "br0");
	doc_owner(&f, "n2", 0);
	doc_accept(&f);
	serial = the_vm(&f, "web")->ref.serial;
	run_vm(&f, "web", 1);
	refused(&f, vm, "running", "on n2");
	refused(&f, volume, "in-use", "used by vm web");
	refused(&f, node, "node-state", "n2");
	accept(&f, voters);
	vm_reports(&f, "web", 2, VM_REPORT_STOPPED, "");
	accept(&f, about_node(ENTRY_NODE_GOODBYE, 2));
	// That it still votes does not keep it: the coordinator takes it off the list once it is
	// not defined.
	voters.voters.list[0] = (struct voter){ 1, 4 };
	voters.voters.list[1] = (struct voter){ 2, 5 };
	voters.voters.count = 2;
	accept(&f, voters);
	voters.voters.count = 1;
	accept(&f, voters);
	refused(&f, node, "in-use", "only possible owner of vm web");
	accept(&f, vm);
	assert_null(cluster_find_vm(&f.cluster, "web"));
	assert_int_equal(volume_lease_slots(&f.cluster, 0)[0], SLOT_FREE);
	assert_int_equal(f.cluster.vm_high, 0);
	accept(&f, node);
	assert_null(cluster_find_node(&f.cluster, "n2"));
	accept(&f, volume);
	assert_int_equal(the_node(&f, 1)->report.volumes[0].state, VOLUME_OFFLINE);
	refused(&f, volume, "no-such-volume", "v1");
	doc_begin(&f);
	doc_vm(&f, "web", "v2");
	doc_accept(&f);
	assert_true(the_vm(&f, "web")->ref.serial > serial);
}

static void a_removed_node_is_forgotten_everywhere(void **state)
{
	struct entry node = named(ENTRY_REMOVE, "n3");
	struct vm *vm;

	(void)state;
	node.object = OBJECT_NODE;
	doc_vm(&f, "web", "v1");
	doc_owner(&f, "n3", 1);
	doc_owner(&f, "n1", 2);
	doc_accept(&f);
	run_vm(&f, "web", 2);
	vm_reports(&f, "web", 3, VM_REPORT_DIED, "x");
	assert_true(place_one(&f, "web", 2, VM_PLACED));
	vm_reports(&f, "web", 3, VM_REPORT_DIED, "x");
	vm = the_vm(&f, "web");
	assert_int_equal(vm->failed_on, 1 << 2);
	assert_int_equal(vm->last_owner, 2);
	accept(&f, about_node(ENTRY_NODE_GOODBYE, 3));
	accept(&f, node);
	assert_int_equal(vm->failed_on, 0);
	assert_int_equal(vm->last_owner, SLOT_NONE);
	assert_int_equal(vm->tiers[0], 0);
	assert_int_equal(vm->tiers[1], 1);
}

// Many VMs in one document over a full cluster: an index, not a search.
static void large_documents_are_quick(void **state)
{
	struct fixture big;
	struct timespec from, to;
	char name[32];
	double s;

	(void)state;
	fixture_open(&big, 10000, 10000, 1000);
	fixture_cluster(&big);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "vm%d", i);
		vm_nic(doc_vm(&big, name, "v1"), "br0");
		if (big.doc.vm_count < 1000)
			continue;
		accept(&big, doc_entry(&big));
		doc_begin(&big);
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	s = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	print_message("10,000 VMs in 10 documents: %.3f s, digests included\n", s);
	check_index(&big);
	fixture_close(&big);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void define_size(uint32_t cpus, uint32_t memory_mib)
{
	struct vm_def *vm;

	doc_begin(&f);
	vm = doc_vm(&f, "web", "v1");
	vm_nic(vm, "br0");
	vm->cpus = cpus;
	vm->memory_mib = memory_mib;
	doc_accept(&f);
}

static void size_is(uint32_t cpus, uint32_t memory_mib, uint32_t next_cpus, uint32_t next_mib)
{
	assert_int_equal(the_def(&f, "web")->cpus, cpus);
	assert_int_equal(the_def(&f, "web")->memory_mib, memory_mib);
	assert_int_equal(the_vm(&f, "web")->next_cpus, next_cpus);
	assert_int_equal(the_vm(&f, "web")->next_memory_mib, next_mib);
}

// What runs keeps its size, and everything counts that, until it has ended.
static void another_size_waits_for_the_next_start(void **state)
{
	(void)state;
	define_web();
	size_is(1, 128, 0, 0);
	define_size(2, 256);
	size_is(2, 256, 0, 0);
	define_size(1, 128);
	run_vm(&f, "web", 1);
	define_size(4, 512);
	size_is(1, 128, 4, 512);
	define_size(1, 128); // as it is: nothing waits any more
	size_is(1, 128, 0, 0);
	define_size(1, 64);
	size_is(1, 128, 1, 64);
	vm_reports(&f, "web", 2, VM_REPORT_DIED, "signal 11");
	size_is(1, 64, 0, 0);
	define_size(8, 1024);
	size_is(8, 1024, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_document_is_stored),
		TEST(applying_again_changes_nothing),
		TEST(wanted_changes_only_where_it_is_named),
		TEST(bad_names_are_refused),
		TEST(bad_paths_are_refused),
		TEST(limits_are_kept),
		TEST(a_vm_needs_a_written_disk),
		TEST(duplicates_in_a_document_are_refused),
		TEST(conflicts_with_what_exists_are_refused),
		TEST(things_change_hands_in_one_document),
		TEST(nothing_of_a_refused_document_is_left),
		TEST(full_tables_refuse),
		TEST(garbled_definitions_are_refused),
		TEST(hardware_of_what_runs_stays),
		TEST(another_size_waits_for_the_next_start),
		TEST(leases_follow_the_disks),
		TEST(derived_macs_differ_and_stay),
		TEST(removal_is_refused_while_in_use),
		TEST(a_removed_node_is_forgotten_everywhere),
		cmocka_unit_test(large_documents_are_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
