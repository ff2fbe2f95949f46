// SPDX-License-Identifier: Apache-2.0
// What was measured, as placement and balancing count it.
#include "tests/unit/cluster_fixture.h"

#include "clusterd/measure.h"
#include "policies/balance.h"
#include "policies/pro.h"

enum { N1, N2, N3, EVERY = 7, VMS = 8, STEP = MEASURE_STEP_MS };

static struct fixture f;
static struct measures *measures;
static void *memory;
static uint64_t now_ms;
static struct measure_sample sample;

static int begin(void **state)
{
	(void)state;
	fixture_open(&f, VMS, 16, VMS);
	fixture_cluster(&f);
	for (uint32_t i = 0; i < 4; i++) {
		static const char *const names[] = { "a", "b", "c", "d" };

		doc_vm(&f, names[i], "v1")->memory_mib = 1024;
	}
	doc_accept(&f);
	f.cluster.def.policies.placement = PLACEMENT_MEASURED;
	memory = malloc(measures_memory(VMS));
	measures = measures_init(VMS, memory);
	now_ms = 1000000;
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_close(&f);
	free(memory);
	return 0;
}

static void tell(uint8_t node, uint32_t cpu, uint32_t mem)
{
	const struct measure_teller teller = {
		.node = node, .id = node + 1u, .cpus = 4, .memory_mib = 8192
	};

	sample.step_ms = STEP;
	sample.wall_ms = now_ms;
	sample.has_node = true;
	for (uint32_t i = 0; i < MEASURE_NODE_COUNT; i++)
		sample.node[i] = 0;
	sample.node[MEASURE_NODE_CPU] = cpu;
	sample.node[MEASURE_NODE_MEMORY] = mem;
	measures_keep(measures, &teller, &sample, now_ms, now_ms);
}

static struct placement_load load_now(void)
{
	struct placement_load load;

	placement_load_init(&load, &f.cluster, EVERY);
	placement_load_measure(&load, &f.cluster, measures, now_ms);
	return load;
}

static void the_least_used_is_taken(void **state)
{
	struct placement_load load;
	struct placement_node row;

	(void)state;
	tell(N1, 900, 100);
	tell(N2, 100, 300);
	tell(N3, 500, 100);
	load = load_now();
	assert_int_equal(placement_choose(&f.cluster, &load, the_vm(&f, "a")), N2);
	placement_judge(&f.cluster, &load, the_vm(&f, "a"), N2, &row);
	assert_true(row.share_measured);
	// Memory: 30 % and an eighth more; CPUs: 10 % and one of four.
	assert_int_equal(row.share, 425);
	// By what is promised they would be alike, and the first would be taken.
	f.cluster.def.policies.placement = PLACEMENT_CONFIGURED;
	load = load_now();
	assert_int_equal(placement_choose(&f.cluster, &load, the_vm(&f, "a")), N1);
}

// A round sees itself, although nothing of it can have been measured yet.
static void who_only_just_came_counts(void **state)
{
	struct placement_load load;

	(void)state;
	tell(N1, 300, 300);
	tell(N2, 100, 100);
	tell(N3, 900, 900);
	load = load_now();
	assert_int_equal(placement_choose(&f.cluster, &load, the_vm(&f, "a")), N2);
	placement_load_add(&load, &f.cluster, the_vm(&f, "a"), N2);
	assert_int_equal(placement_choose(&f.cluster, &load, the_vm(&f, "b")), N1);
	placement_load_remove(&load, &f.cluster, the_vm(&f, "a"), N2);
	assert_int_equal(placement_choose(&f.cluster, &load, the_vm(&f, "b")), N2);
}

static void who_was_not_measured_is_counted_as_configured(void **state)
{
	struct placement_load load;
	struct placement_node row;

	(void)state;
	tell(N1, 400, 400);
	tell(N2, 300, 300);
	load = load_now();
	placement_judge(&f.cluster, &load, the_vm(&f, "a"), N3, &row);
	assert_false(row.share_measured);
	assert_int_equal(row.share, 250);
	assert_int_equal(placement_choose(&f.cluster, &load, the_vm(&f, "a")), N3);
	// What is old is no measurement.
	now_ms += 4 * STEP;
	tell(N2, 900, 900);
	load = load_now();
	assert_int_equal(load.measured, 1u << N2);
	assert_int_equal(placement_choose(&f.cluster, &load, the_vm(&f, "a")), N1);
}

// Placement looks at two minutes, balancing at the time since its last moves settled.
static void the_mean_of_a_while_counts(void **state)
{
	struct balance_measured measured;
	struct balance_use vms[VMS];

	(void)state;
	for (uint32_t i = 0; i < 20; i++, now_ms += STEP)
		tell(N1, i < 14 ? 0 : i == 17 ? 400 : 1000, 500);
	now_ms -= STEP;
	assert_int_equal(load_now().cpu_permille[N1], (5 * 1000 + 400) / 12);
	balance_measure(&f.cluster, measures, now_ms, &measured, vms);
	assert_int_equal(measured.nodes[N1].of[BALANCE_CPUS], 3200);
	assert_int_equal(measured.nodes[N1].of[BALANCE_MEMORY], 4096);
	assert_int_equal(measured.nodes[N2].of[BALANCE_CPUS], BALANCE_UNKNOWN);
	assert_int_equal(vms[0].of[BALANCE_CPUS], BALANCE_UNKNOWN);
	assert_ptr_equal(measured.vms, vms);
}

static void vms_are_told_by_their_host(void **state)
{
	struct balance_measured measured;
	struct balance_use vms[VMS];
	const struct vm *vm = the_vm(&f, "b");

	(void)state;
	sample.vm_count = 1;
	sample.vms[0] = (struct measure_vm){ .vm = vm->ref };
	sample.vms[0].values[MEASURE_VM_CPU - MEASURE_VM_CPU] = 700;
	sample.vms[0].values[MEASURE_VM_MEMORY - MEASURE_VM_CPU] = 640;
	tell(N2, 100, 100);
	sample.vm_count = 0;
	balance_measure(&f.cluster, measures, now_ms, &measured, vms);
	assert_int_equal(vms[vm->ref.slot].of[BALANCE_CPUS], 700);
	assert_int_equal(vms[vm->ref.slot].of[BALANCE_MEMORY], 640);
}

// Percent; UINT32_MAX: not known.
static uint32_t imbalance_now(uint64_t present)
{
	struct pro_world world = { &f.cluster, measures, now_ms, now_ms, present };
	struct pro_target target = { PRO_CLUSTER, SLOT_NONE, SLOT_NONE, { UINT32_MAX, 0 } };
	struct pro_def def = pro_defaults();
	struct pro_reading reading;

	def.subject = PRO_CLUSTER;
	def.measure = PRO_IMBALANCE;
	pro_read(&world, &def, &target, &reading);
	return reading.known ? pro_value(&reading) : UINT32_MAX;
}

static void how_uneven_the_nodes_are_is_a_percentage(void **state)
{
	(void)state;
	assert_int_equal(imbalance_now(EVERY), UINT32_MAX);
	tell(N1, 400, 200);
	assert_int_equal(imbalance_now(EVERY), UINT32_MAX); // of one node there is none
	tell(N2, 200, 400);
	assert_int_equal(imbalance_now(EVERY), 0); // CPUs and memory alike
	tell(N3, 0, 0);
	assert_int_equal(imbalance_now(EVERY), 50); // 600, 600, 0: 283 of 566
	assert_int_equal(imbalance_now(EVERY & ~(1u << N3)), 0);
	end(NULL);
	begin(NULL);
	tell(N1, 0, 0);
	tell(N2, 1000, 1000);
	tell(N3, 0, 0);
	assert_int_equal(imbalance_now(EVERY), 100);
	end(NULL);
	begin(NULL);
	tell(N1, 1, 0); // hardly anything
	tell(N2, 9, 15);
	tell(N3, 0, 0);
	assert_int_equal(imbalance_now(EVERY), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_least_used_is_taken),
		CASE(who_only_just_came_counts),
		CASE(who_was_not_measured_is_counted_as_configured),
		CASE(the_mean_of_a_while_counts),
		CASE(vms_are_told_by_their_host),
		CASE(how_uneven_the_nodes_are_is_a_percentage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
