// SPDX-License-Identifier: Apache-2.0
// Sets of CPU features, the baseline of all nodes, what a VM starts with and keeps.
#include "tests/unit/cluster_fixture.h"

static unsigned int bit(const char *name)
{
	int found = cpu_feature_find(name);

	assert_true(found >= 0);
	return (unsigned int)found;
}

static void names_are_numbers(void **state)
{
	struct cpu_features set = { { 0 } }, back;
	uint8_t bytes[CPU_FEATURES_BYTES];
	unsigned int count = 0;

	(void)state;
	for (; cpu_feature_name(count); count++) {
		assert_int_equal(cpu_feature_find(cpu_feature_name(count)), count);
		assert_true(strlen(cpu_feature_name(count)) < CPU_NAME_MAX);
		cpu_add(&set, count);
		assert_int_equal(cpu_count(&set), count + 1);
	}
	assert_true(count > 300);
	cpu_encode(&set, bytes);
	assert_true(cpu_decode(&back, bytes, sizeof(bytes)));
	assert_memory_equal(&set, &back, sizeof(set));
	assert_false(cpu_decode(&back, bytes, sizeof(bytes) - 1));
	// The numbers are in stores and on the wire: these must never change.
	assert_int_equal(cpu_feature_find("3dnow"), 0);
	assert_int_equal(cpu_feature_find("zero-fcs-fds"), 389);
	assert_int_equal(cpu_feature_find("aes"), 8);
	assert_int_equal(cpu_feature_find("spec-ctrl"), 235);
}

static void names_have_spellings(void **state)
{
	(void)state;
	assert_int_equal(bit("sse4.1"), bit("sse4-1"));
	assert_int_equal(bit("sse4_1"), bit("sse4-1"));
	assert_int_equal(bit("sse3"), bit("pni"));
	assert_int_equal(bit("xd"), bit("nx"));
	assert_int_equal(cpu_feature_find("no-such-thing"), -1);
	assert_int_equal(cpu_feature_find(""), -1);
	assert_int_equal(cpu_feature_find("a-name-that-is-longer-than-any-feature-there-is"), -1);
}

static void lists_are_read_and_said(void **state)
{
	struct cpu_features set;
	char unknown[CPU_NAME_MAX], text[64];

	(void)state;
	assert_true(cpu_parse(&set, " avx2, aes  sse3", unknown));
	assert_int_equal(cpu_count(&set), 3);
	assert_int_equal(cpu_names(&set, " ", text, sizeof(text)), 3);
	assert_string_equal(text, "aes avx2 pni");
	assert_int_equal(cpu_names(&set, ", ", text, 24), 3);
	assert_string_equal(text, "aes (2 more)");
	assert_int_equal(cpu_names(&set, ", ", text, 16), 3);
	assert_string_equal(text, "(3 more)");
	assert_true(cpu_parse(&set, "", unknown));
	assert_true(cpu_empty(&set));
	assert_false(cpu_parse(&set, "avx2 avx3", unknown));
	assert_string_equal(unknown, "avx3");
}

static struct cluster_node *node(struct fixture *f, uint32_t id)
{
	return cluster_node_by_id(&f->cluster, id);
}

static void lacks(struct fixture *f, uint32_t id, const char *name)
{
	struct host_facts *facts = &node(f, id)->report.facts;

	facts->features.bits[bit(name) / 64] &= ~(1ull << bit(name) % 64);
}

static void open_vms(struct fixture *f)
{
	static const char *const names[] = { "compatible", "host", "model" };

	fixture_open(f, 8, 16, 8);
	fixture_cluster(f);
	for (int i = 0; i < 3; i++)
		doc_vm(f, names[i], "v1");
	f->vms[1].cpu_mode = CPU_HOST;
	f->vms[2].cpu_mode = CPU_MODEL;
	text_copy(f->vms[2].cpu_model, sizeof(f->vms[2].cpu_model), "EPYC");
	doc_accept(f);
	for (int i = 0; i < 3; i++) {
		struct entry entry = named(ENTRY_VM_WANT, names[i]);

		entry.wanted = VM_WANTED_RUNNING;
		accept(f, entry);
		make_leases_ready(f, names[i]);
	}
}

static void run_place(struct fixture *f, const char *name, uint8_t owner)
{
	assert_true(place_one(f, name, owner, VM_PLACED));
}

static void what_all_nodes_have_is_the_baseline(void **state)
{
	struct cpu_features set;
	struct fixture f;

	(void)state;
	open_vms(&f);
	assert_true(cpu_baseline(&f.cluster, 0, &set));
	assert_true(cpu_has(&set, bit("avx2")));
	// Nested virtualisation is never part of it.
	assert_false(cpu_has(&set, bit("svm")));
	lacks(&f, 2, "avx2");
	assert_true(cpu_baseline(&f.cluster, 0, &set));
	assert_false(cpu_has(&set, bit("avx2")));
	assert_true(cpu_has(&set, bit("avx")));
	assert_true(cpu_baseline(&f.cluster, 5, &set));
	assert_true(cpu_has(&set, bit("avx2")));
	// The administrator takes one away.
	text_copy(node(&f, 3)->def.cpu_without, TEXT_SIZE, "avx aes");
	assert_true(cpu_baseline(&f.cluster, 0, &set));
	assert_false(cpu_has(&set, bit("avx")) || cpu_has(&set, bit("aes")));
	// A node that is away counts with what it told last; one that never told does not.
	node(&f, 2)->life = NODE_DEAD;
	assert_true(cpu_baseline(&f.cluster, 0, &set));
	assert_false(cpu_has(&set, bit("avx2")));
	for (uint32_t id = 1; id <= 3; id++)
		node(&f, id)->report.facts.state = FACTS_NONE;
	assert_false(cpu_baseline(&f.cluster, 0, &set));
	assert_true(cpu_empty(&set));
	fixture_close(&f);
}

static void a_start_fixes_cpu_and_machine(void **state)
{
	struct host_facts *facts;
	struct fixture f;
	struct vm *vm;

	(void)state;
	open_vms(&f);
	lacks(&f, 2, "avx2");
	facts = &node(&f, 1)->report.facts;
	text_copy(facts->machine_q35, MACHINE_SIZE, "pc-q35-10.0");
	facts->machines[facts->machine_count++] = name_hash("pc-q35-10.0");
	run_place(&f, "compatible", 0);
	vm = the_vm(&f, "compatible");
	assert_true(vm->cpu_known);
	assert_false(cpu_has(&vm->cpu, bit("avx2")));
	assert_true(cpu_has(&vm->cpu, bit("avx")));
	// The oldest that "q35" means anywhere: 7.2 is older than 10.0.
	assert_string_equal(vm->machine, "pc-q35-7.2");
	run_place(&f, "host", 0);
	vm = the_vm(&f, "host");
	assert_true(vm->cpu_known && cpu_has(&vm->cpu, bit("avx2")));
	assert_true(cpu_has(&vm->cpu, bit("svm")));
	run_place(&f, "model", 0);
	assert_false(the_vm(&f, "model")->cpu_known);
	fixture_close(&f);
}

static void what_qemu_says_counts(void **state)
{
	struct entry entry = { .type = ENTRY_VM_REPORT,
			       .from = 1,
			       .node_id = 1,
			       .vm_report = VM_REPORT_STARTED,
			       .cpu_known = true };
	struct fixture f;
	struct vm *vm;

	(void)state;
	open_vms(&f);
	run_place(&f, "model", 0);
	vm = the_vm(&f, "model");
	entry.vm = vm->ref;
	entry.attempt = vm->attempt;
	cpu_add(&entry.cpu, bit("aes"));
	accept(&f, entry);
	assert_true(vm->cpu_known);
	assert_memory_equal(&vm->cpu, &entry.cpu, sizeof(entry.cpu));
	// The others' view of it changes nothing in a VM that runs.
	lacks(&f, 2, "aes");
	assert_true(cpu_has(&vm->cpu, bit("aes")));
	fixture_close(&f);
}

static void says(struct fixture *f, const char *name, uint32_t id, const char *expected)
{
	char text[CPU_ARGUMENT_SIZE];
	const struct vm *vm = the_vm(f, name);

	assert_true(
		cpu_argument(vm_definition(&f->cluster, vm), vm, node(f, id), text, sizeof(text)));
	assert_string_equal(text, expected);
}

static void the_argument_names_every_feature(void **state)
{
	char small[40];
	struct fixture f;
	struct vm *vm;

	(void)state;
	open_vms(&f);
	lacks(&f, 2, "avx2");
	run_place(&f, "compatible", 0);
	run_place(&f, "host", 0);
	says(&f, "compatible", 1, "qemu64,aes=on,avx=on,lm=on,nx=on,sse2=on,avx2=off,svm=off");
	// The same CPU where the host could not give more.
	says(&f, "compatible", 2, "qemu64,aes=on,avx=on,lm=on,nx=on,sse2=on,svm=off");
	says(&f, "host", 1, "host");
	node(&f, 3)->report.facts.accel = ACCEL_TCG;
	cpu_add(&node(&f, 3)->report.facts.features, bit("gfni"));
	says(&f, "host", 3, "max,gfni=off");
	says(&f, "model", 1, "EPYC");
	text_copy(node(&f, 1)->def.cpu_without, TEXT_SIZE, "avx2");
	says(&f, "model", 1, "EPYC,avx2=off");
	run_place(&f, "model", 0);
	vm = the_vm(&f, "model");
	vm->cpu_known = true;
	cpu_add(&vm->cpu, bit("aes"));
	says(&f, "model", 3, "EPYC,avx=off,avx2=off,gfni=off,lm=off,nx=off,sse2=off,svm=off");
	vm = the_vm(&f, "compatible");
	assert_false(
		cpu_argument(vm_definition(&f.cluster, vm), vm, node(&f, 1), small, sizeof(small)));
	node(&f, 1)->report.facts.state = FACTS_NONE;
	assert_false(
		cpu_argument(vm_definition(&f.cluster, vm), vm, node(&f, 1), small, sizeof(small)));
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_numbers),
		cmocka_unit_test(names_have_spellings),
		cmocka_unit_test(lists_are_read_and_said),
		cmocka_unit_test(what_all_nodes_have_is_the_baseline),
		cmocka_unit_test(a_start_fixes_cpu_and_machine),
		cmocka_unit_test(what_qemu_says_counts),
		cmocka_unit_test(the_argument_names_every_feature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
