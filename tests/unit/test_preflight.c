// SPDX-License-Identifier: Apache-2.0
/*
 * Whether a VM can move, row by row: in a cluster where everything is well one thing is spoilt at a
 * time, and that row alone must say so, with words and a fix.
 */
#include "tests/unit/cluster_fixture.h"

#include "migration/preflight.h"

enum { HERE, THERE, ELSEWHERE, NOW_S = 1800000000, DAY_S = 24 * 3600 };

static const uint64_t everybody = 7;

struct world {
	struct fixture f;
	uint64_t present, wall_ms;
	enum move_kind kind;
};

static struct vm *web(struct world *w)
{
	return the_vm(&w->f, "web");
}

static struct vm_def *web_def(struct world *w)
{
	return &w->f.cluster.defs[web(w)->ref.slot];
}

static struct cluster_node *there(struct world *w)
{
	return &w->f.cluster.nodes[THERE];
}

static struct host_facts *facts(struct world *w)
{
	return &there(w)->report.facts;
}

// A VM on n1 with everything that a row looks at, and every node able to take it.
static void world_open(struct world *w)
{
	struct fixture *f = &w->f;
	struct vm_def *def;

	fixture_open(f, 8, 16, 8);
	fixture_cluster(f);
	def = doc_vm(f, "web", "v1");
	def->memory_mib = 1024;
	vm_nic(def, "br0");
	def->hugepages = true;
	doc_vm(f, "idle", "v2")->memory_mib = 1024;
	doc_accept(f);
	for (uint32_t id = 1; id <= 3; id++) {
		struct node_report *report = &the_node(f, id)->report;

		report->facts.hugepage_kib = 2048;
		report->facts.hugepages = report->facts.hugepages_free = 1024;
		text_copy(report->facts.cpu_model, NAME_SIZE, "AMD EPYC 9000");
		snprintf(report->addresses[0], ADDRESS_SIZE, "10.9.0.%u", id);
		report->cert_expires = NOW_S + 300 * DAY_S;
		report->cert_authority = 77;
		for (uint32_t v = 0; v < 2; v++)
			report->volumes[v].free_mib = 100000;
	}
	run_vm(f, "web", HERE);
	make_leases_ready(f, "idle");
	w->present = everybody;
	w->wall_ms = (uint64_t)NOW_S * 1000;
	w->kind = MOVE_LIVE;
}

static void judge(struct world *w, const char *name, struct preflight *result)
{
	struct preflight_load load;

	preflight_load_init(&load, &w->f.cluster, w->present, w->wall_ms);
	preflight_judge(&w->f.cluster, &load, the_vm(&w->f, name), THERE, w->kind, result);
}

static void check_words(struct world *w, const struct preflight *result, enum preflight_check check)
{
	const struct preflight_row *row = &result->rows[check];
	struct preflight_words words;

	memset(&words, 'x', sizeof(words));
	preflight_explain(&w->f.cluster, web(w), result, check, &words);
	assert_int_equal(words.reason[0] != 0, row->verdict != CHECK_OK);
	assert_int_equal(words.fix[0] != 0, row->verdict != CHECK_OK);
	assert_int_equal(words.found[0] != 0, row->asked);
	assert_int_equal(words.needed[0] != 0, row->asked);
}

// The row has this verdict and every other one is ok.
static void only(struct world *w, enum preflight_check check, enum check_verdict verdict,
		 const char *said)
{
	struct preflight_words words;
	struct preflight result;

	judge(w, "web", &result);
	for (uint32_t i = 0; i < PREFLIGHT_CHECK_COUNT; i++) {
		enum check_verdict expected = i == (uint32_t)check ? verdict : CHECK_OK;

		if (result.rows[i].verdict != expected)
			fail_msg("row %s is %s", preflight_check_word((enum preflight_check)i),
				 check_verdict_word((enum check_verdict)result.rows[i].verdict));
		check_words(w, &result, (enum preflight_check)i);
	}
	assert_int_equal(result.verdict, verdict);
	assert_int_equal(preflight_worst(&result),
			 verdict == CHECK_OK ? PREFLIGHT_CHECK_COUNT : check);
	if (verdict == CHECK_OK)
		return;
	preflight_explain(&w->f.cluster, web(w), &result, check, &words);
	if (!strstr(words.reason, said) && !strstr(words.fix, said))
		fail_msg("\"%s\" is neither in \"%s\" nor in \"%s\"", said, words.reason,
			 words.fix);
}

static void idle_runs(struct world *w, uint8_t node)
{
	the_vm(&w->f, "idle")->phase = VM_RUNNING;
	the_vm(&w->f, "idle")->owner = node;
}

struct spoil {
	enum preflight_check check;
	enum check_verdict verdict;
	void (*spoil)(struct world *w);
	const char *said;
	enum move_kind kind; // AUTO: live
};

static void unmanage_vm(struct world *w)
{
	web(w)->managed = false;
}

static void blocked(struct world *w)
{
	web(w)->phase = VM_BLOCKED;
}

static void starting(struct world *w)
{
	web(w)->phase = VM_PLACED;
}

static void source_deaf(struct world *w)
{
	w->present &= ~1ull;
}

static void node_offline(struct world *w)
{
	there(w)->life = NODE_DEAD;
}

static void node_deaf(struct world *w)
{
	w->present &= ~(1ull << THERE);
}

static void node_leaving(struct world *w)
{
	there(w)->report.leaving = true;
}

static void node_unmanaged(struct world *w)
{
	there(w)->managed = false;
}

static void node_maintenance(struct world *w)
{
	there(w)->maintenance = true;
}

static void not_owner(struct world *w)
{
	web(w)->possible = 1u << HERE | 1u << ELSEWHERE;
}

static void no_qemu(struct world *w)
{
	there(w)->report.qemu = false;
}

static void untold(struct world *w)
{
	facts(w)->state = FACTS_NONE;
}

static void older(struct world *w)
{
	facts(w)->qemu_version = 60200;
}

static void newer(struct world *w)
{
	facts(w)->qemu_version = 100001;
}

static void no_machine(struct world *w)
{
	facts(w)->machine_count = 0;
}

static void arch(struct world *w)
{
	text_copy(facts(w)->arch, sizeof(facts(w)->arch), "aarch64");
}

static void accel(struct world *w)
{
	facts(w)->accel = ACCEL_TCG;
}

static void vendor(struct world *w)
{
	text_copy(facts(w)->cpu_vendor, sizeof(facts(w)->cpu_vendor), "GenuineIntel");
}

static void no_model(struct world *w)
{
	web_def(w)->cpu_mode = CPU_MODEL;
	text_copy(web_def(w)->cpu_model, TEXT_SIZE, "EPYC,avx=off");
	facts(w)->model_count = 0;
}

static void known_model(struct world *w)
{
	web_def(w)->cpu_mode = CPU_MODEL;
	text_copy(web_def(w)->cpu_model, TEXT_SIZE, "EPYC,avx=off");
}

static void other_processor(struct world *w)
{
	web_def(w)->cpu_mode = CPU_HOST;
	text_copy(facts(w)->cpu_model, NAME_SIZE, "AMD EPYC 7000");
}

static void lacks_avx2(struct world *w)
{
	text_copy(there(w)->def.cpu_without, TEXT_SIZE, "avx2,fma");
}

static void unknown_cpu(struct world *w)
{
	web(w)->cpu_known = false;
}

static void other_features(struct world *w)
{
	web_def(w)->cpu_mode = CPU_HOST;
	text_copy(facts(w)->features_other, TEXT_SIZE, "amx-next");
}

static void few_cpus(struct world *w)
{
	web_def(w)->cpus = 5;
}

static void crowded(struct world *w)
{
	w->f.cluster.defs[the_vm(&w->f, "idle")->ref.slot].cpus = 16;
	idle_runs(w, THERE);
}

static void no_memory(struct world *w)
{
	there(w)->report.memory_mib = 1000;
}

// 8192 MiB: enough for one of these at a time.
static void memory_promised(struct world *w)
{
	web_def(w)->memory_mib = 1024;
	w->f.cluster.defs[the_vm(&w->f, "idle")->ref.slot].memory_mib = 7500;
	idle_runs(w, ELSEWHERE);
	w->f.cluster.move_high = 1;
	w->f.cluster.moves[0] = (struct move){ .id = 1, .vm = the_vm(&w->f, "idle")->ref,
					       .kind = MOVE_LIVE, .stage = STAGE_TRANSFER,
					       .source = ELSEWHERE, .target = THERE };
}

static void memory_gone(struct world *w)
{
	web_def(w)->hugepages = false;
	facts(w)->memory_free_mib = 100;
}

static void few_hugepages(struct world *w)
{
	facts(w)->hugepages_free = 511;
}

static void other_hugepages(struct world *w)
{
	facts(w)->hugepage_kib = 1048576;
}

static void volume_lost(struct world *w)
{
	there(w)->report.volumes[0].state = VOLUME_LOST;
	text_copy(there(w)->report.volumes[0].reason, 80, "/mnt/v1: no answer");
}

static void volume_slow(struct world *w)
{
	there(w)->report.volumes[0].state = VOLUME_SLOW;
}

static void image_fault(struct world *w, const char *name, uint8_t image, enum image_state state)
{
	struct host_facts *there_facts = facts(w);
	struct vm_ref ref = the_vm(&w->f, name)->ref;

	there_facts->images[there_facts->image_count++] = (struct image_fault){
		.slot = ref.slot, .serial = ref.serial, .image = image, .state = (uint8_t)state
	};
}

static void image_denied(struct world *w)
{
	image_fault(w, "idle", 0, IMAGE_MISSING);
	image_fault(w, "web", 0, IMAGE_DENIED);
}

static void image_no_qcow2(struct world *w)
{
	image_fault(w, "web", 0, IMAGE_FORMAT);
}

static void kernel_missing(struct world *w)
{
	text_copy(web_def(w)->kernel.volume, NAME_SIZE, "v1");
	text_copy(web_def(w)->kernel.path, PATH_SIZE, "boot/vmlinuz");
	image_fault(w, "web", IMAGE_KERNEL, IMAGE_MISSING);
}

static void image_of_another(struct world *w)
{
	image_fault(w, "idle", 0, IMAGE_MISSING);
	image_fault(w, "web", 0, IMAGE_MISSING);
	facts(w)->images[1].serial++; // a VM that had the slot before
}

static void images_cut(struct world *w)
{
	for (uint32_t i = 0; i < IMAGE_FAULTS_MAX; i++)
		image_fault(w, "idle", 0, IMAGE_MISSING);
}

static void volume_and_image_lost(struct world *w)
{
	volume_lost(w);
	image_fault(w, "web", 0, IMAGE_MISSING);
}

static void not_joined(struct world *w)
{
	there(w)->report.volumes[0].joined = false;
}

static void no_bridge(struct world *w)
{
	facts(w)->bridge_count = 0;
}

static void bridge_cut(struct world *w)
{
	facts(w)->bridge_count = 0;
	facts(w)->bridges_cut = true;
}

static void passes_through(struct world *w)
{
	text_copy(web_def(w)->nics[0].device, sizeof(web_def(w)->nics[0].device), "0000:3b:02.1");
}

static void has_device(struct world *w)
{
	passes_through(w);
	facts(w)->devices[facts(w)->device_count++] = name_hash("0000:3b:02.0");
	facts(w)->devices[facts(w)->device_count++] = name_hash("0000:3b:02.1");
}

static void device_taken(struct world *w)
{
	struct vm_def *idle = &w->f.cluster.defs[the_vm(&w->f, "idle")->ref.slot];

	has_device(w);
	idle->nic_count = 1;
	text_copy(idle->nics[0].device, sizeof(idle->nics[0].device), "0000:3b:02.1");
	idle_runs(w, THERE);
}

static void device_taken_elsewhere(struct world *w)
{
	device_taken(w);
	idle_runs(w, ELSEWHERE);
}

static void device_will_be_taken(struct world *w)
{
	device_taken_elsewhere(w);
	the_vm(&w->f, "idle")->move = 1;
	w->f.cluster.move_high = 1;
	w->f.cluster.moves[0] = (struct move){ .id = 1, .vm = the_vm(&w->f, "idle")->ref,
					       .kind = MOVE_LIVE, .stage = STAGE_TRANSFER,
					       .source = ELSEWHERE, .target = THERE };
}

static void devices_cut(struct world *w)
{
	passes_through(w);
	facts(w)->device_count = DEVICES_MAX;
}

static void no_address(struct world *w)
{
	there(w)->report.addresses[0][0] = 0;
}

static void no_post_copy(struct world *w)
{
	web_def(w)->post_copy = true;
	facts(w)->no_post_copy = true;
}

static void no_post_copy_asked(struct world *w)
{
	facts(w)->no_post_copy = true;
}

static void no_address_here(struct world *w)
{
	w->f.cluster.nodes[HERE].report.addresses[0][0] = 0;
}

static void no_cert(struct world *w)
{
	there(w)->report.cert_expires = 0;
}

static void other_authority(struct world *w)
{
	there(w)->report.cert_authority = 78;
}

static void cert_unusable(struct world *w)
{
	there(w)->report.cert_authority = 0;
}

static void cert_over(struct world *w)
{
	w->f.cluster.nodes[HERE].report.cert_expires = NOW_S - 1;
}

static void cert_soon(struct world *w)
{
	there(w)->report.cert_expires = NOW_S + 13 * DAY_S;
}

static void no_space(struct world *w)
{
	w->f.cluster.nodes[HERE].report.volumes[0].free_mib = 1000;
}

static void little_space(struct world *w)
{
	w->f.cluster.nodes[HERE].report.volumes[0].free_mib = 2000;
}

static void no_volume(struct world *w)
{
	web(w)->lease_count = 0;
}

static const struct spoil spoils[] = {
	{ PREFLIGHT_VM, CHECK_FAIL, unmanage_vm, "clustadm vm manage web", MOVE_AUTO },
	{ PREFLIGHT_VM, CHECK_FAIL, unmanage_vm, "clustadm vm manage web", MOVE_COLD },
	{ PREFLIGHT_VM, CHECK_FAIL, blocked, "may still run on n1", MOVE_AUTO },
	{ PREFLIGHT_VM, CHECK_FAIL, starting, "does not run", MOVE_LIVE },
	{ PREFLIGHT_VM, CHECK_FAIL, starting, "does not run", MOVE_SAVE },
	{ PREFLIGHT_VM, CHECK_FAIL, source_deaf, "start clusterd on n1", MOVE_AUTO },
	{ PREFLIGHT_NODE, CHECK_FAIL, node_offline, "bring back n2", MOVE_AUTO },
	{ PREFLIGHT_NODE, CHECK_FAIL, node_deaf, "start clusterd on n2", MOVE_AUTO },
	{ PREFLIGHT_NODE, CHECK_FAIL, node_leaving, "shutting down", MOVE_COLD },
	{ PREFLIGHT_NODE, CHECK_FAIL, node_unmanaged, "clustadm node manage n2", MOVE_AUTO },
	{ PREFLIGHT_NODE, CHECK_FAIL, node_maintenance, "maintenance n2 off", MOVE_QUICK },
	{ PREFLIGHT_OWNER, CHECK_FAIL, not_owner, "possible owners of web", MOVE_AUTO },
	{ PREFLIGHT_EMULATOR, CHECK_FAIL, no_qemu, "install qemu", MOVE_AUTO },
	{ PREFLIGHT_EMULATOR, CHECK_FAIL, untold, "log on n2", MOVE_AUTO },
	{ PREFLIGHT_EMULATOR, CHECK_WARN, untold, "log on n2", MOVE_COLD },
	{ PREFLIGHT_VERSION, CHECK_WARN, older, "older", MOVE_AUTO },
	{ PREFLIGHT_VERSION, CHECK_WARN, newer, "the way back", MOVE_QUICK },
	{ PREFLIGHT_MACHINE, CHECK_FAIL, no_machine, "pc-q35-7.2", MOVE_AUTO },
	{ PREFLIGHT_MACHINE, CHECK_FAIL, no_machine, "q35", MOVE_COLD },
	{ PREFLIGHT_ARCH, CHECK_FAIL, arch, "aarch64", MOVE_COLD },
	{ PREFLIGHT_ACCEL, CHECK_FAIL, accel, "emulation", MOVE_AUTO },
	{ PREFLIGHT_VENDOR, CHECK_FAIL, vendor, "GenuineIntel", MOVE_AUTO },
	{ PREFLIGHT_MODEL, CHECK_FAIL, no_model, "EPYC", MOVE_AUTO },
	{ PREFLIGHT_MODEL, CHECK_OK, known_model, "", MOVE_AUTO },
	{ PREFLIGHT_MODEL, CHECK_WARN, other_processor, "AMD EPYC 7000", MOVE_AUTO },
	{ PREFLIGHT_FEATURES, CHECK_FAIL, lacks_avx2, "avx2", MOVE_AUTO },
	{ PREFLIGHT_FEATURES, CHECK_FAIL, lacks_avx2, "avx2", MOVE_QUICK },
	{ PREFLIGHT_FEATURES, CHECK_OK, lacks_avx2, "", MOVE_COLD },
	{ PREFLIGHT_FEATURES, CHECK_WARN, unknown_cpu, "not told", MOVE_AUTO },
	{ PREFLIGHT_FEATURES, CHECK_WARN, other_features, "amx-next", MOVE_AUTO },
	{ PREFLIGHT_CPUS, CHECK_FAIL, few_cpus, "n2 has 4", MOVE_AUTO },
	{ PREFLIGHT_CPUS, CHECK_WARN, crowded, "17 CPUs promised on 4", MOVE_AUTO },
	{ PREFLIGHT_MEMORY, CHECK_FAIL, no_memory, "free 24 MiB on n2", MOVE_AUTO },
	{ PREFLIGHT_MEMORY, CHECK_FAIL, memory_promised, "moves under way", MOVE_AUTO },
	{ PREFLIGHT_MEMORY, CHECK_WARN, memory_gone, "something else", MOVE_AUTO },
	{ PREFLIGHT_HUGEPAGES, CHECK_FAIL, few_hugepages, "set aside 2 MiB", MOVE_AUTO },
	{ PREFLIGHT_HUGEPAGES, CHECK_WARN, other_hugepages, "another size", MOVE_AUTO },
	{ PREFLIGHT_VOLUMES, CHECK_FAIL, volume_lost, "no answer", MOVE_AUTO },
	{ PREFLIGHT_VOLUMES, CHECK_WARN, volume_slow, "slow", MOVE_COLD },
	{ PREFLIGHT_VOLUMES, CHECK_FAIL, volume_and_image_lost, "no answer", MOVE_AUTO },
	{ PREFLIGHT_IMAGES, CHECK_FAIL, image_denied, "may not be read by QEMU", MOVE_AUTO },
	{ PREFLIGHT_IMAGES, CHECK_FAIL, image_denied, "read it on n2", MOVE_QUICK },
	{ PREFLIGHT_IMAGES, CHECK_FAIL, image_no_qcow2, "format qcow2 on n2", MOVE_COLD },
	{ PREFLIGHT_IMAGES, CHECK_FAIL, kernel_missing, "v1:boot/vmlinuz", MOVE_AUTO },
	{ PREFLIGHT_IMAGES, CHECK_OK, image_of_another, "", MOVE_AUTO },
	{ PREFLIGHT_IMAGES, CHECK_WARN, images_cut, "may be among them", MOVE_AUTO },
	{ PREFLIGHT_LEASES, CHECK_FAIL, not_joined, "lockspace", MOVE_AUTO },
	{ PREFLIGHT_BRIDGES, CHECK_FAIL, no_bridge, "make bridge br0 on n2", MOVE_AUTO },
	{ PREFLIGHT_BRIDGES, CHECK_WARN, bridge_cut, "among the first", MOVE_AUTO },
	{ PREFLIGHT_DEVICES, CHECK_FAIL, passes_through, "bind 0000:3b:02.1", MOVE_AUTO },
	{ PREFLIGHT_DEVICES, CHECK_FAIL, passes_through, "vfio-pci on n2", MOVE_COLD },
	{ PREFLIGHT_DEVICES, CHECK_OK, has_device, "", MOVE_AUTO },
	{ PREFLIGHT_DEVICES, CHECK_FAIL, device_taken, "another VM's on n2", MOVE_AUTO },
	{ PREFLIGHT_DEVICES, CHECK_OK, device_taken_elsewhere, "", MOVE_QUICK },
	{ PREFLIGHT_DEVICES, CHECK_FAIL, device_will_be_taken, "another VM's", MOVE_AUTO },
	{ PREFLIGHT_DEVICES, CHECK_WARN, devices_cut, "bind", MOVE_AUTO },
	{ PREFLIGHT_NETWORK, CHECK_FAIL, no_address, "n2", MOVE_AUTO },
	{ PREFLIGHT_NETWORK, CHECK_FAIL, no_address_here, "n1", MOVE_AUTO },
	{ PREFLIGHT_NETWORK, CHECK_OK, no_address, "", MOVE_QUICK },
	{ PREFLIGHT_NETWORK, CHECK_WARN, no_post_copy, "unprivileged_userfaultfd", MOVE_AUTO },
	{ PREFLIGHT_NETWORK, CHECK_OK, no_post_copy_asked, "", MOVE_AUTO },
	{ PREFLIGHT_TLS, CHECK_FAIL, no_cert, "clustadm cert init", MOVE_AUTO },
	{ PREFLIGHT_TLS, CHECK_FAIL, other_authority, "two authorities", MOVE_AUTO },
	{ PREFLIGHT_TLS, CHECK_FAIL, cert_unusable, "n2: clustadm cert show", MOVE_AUTO },
	{ PREFLIGHT_TLS, CHECK_FAIL, cert_over, "has ended", MOVE_AUTO },
	{ PREFLIGHT_TLS, CHECK_WARN, cert_soon, "two weeks", MOVE_AUTO },
	{ PREFLIGHT_SPACE, CHECK_FAIL, no_space, "volume v1", MOVE_QUICK },
	{ PREFLIGHT_SPACE, CHECK_WARN, little_space, "volume v1", MOVE_SAVE },
	{ PREFLIGHT_SPACE, CHECK_FAIL, no_volume, "disk", MOVE_QUICK },
	{ PREFLIGHT_SPACE, CHECK_OK, no_space, "", MOVE_AUTO },
};

static void one_thing_spoils_one_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
		const struct spoil *spoil = &spoils[i];
		struct world w;

		world_open(&w);
		w.kind = spoil->kind;
		only(&w, spoil->check, CHECK_OK, "");
		spoil->spoil(&w);
		only(&w, spoil->check, spoil->verdict, spoil->said);
		fixture_close(&w.f);
	}
}

// Every row of the table can be ok, and can fail or warn, in the tests above.
static void every_row_is_spoilt(void **state)
{
	(void)state;
	for (uint32_t check = 0; check < PREFLIGHT_CHECK_COUNT; check++) {
		bool bad = false;

		for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++)
			bad |= spoils[i].check == check && spoils[i].verdict != CHECK_OK;
		if (!bad)
			fail_msg("no test spoils %s",
				 preflight_check_word((enum preflight_check)check));
	}
}

static void plain_needs_no_certificate(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	no_cert(&w);
	w.f.cluster.def.migration.plain = true;
	only(&w, PREFLIGHT_TLS, CHECK_OK, "");
	fixture_close(&w.f);
}

static void where_it_is_it_cannot_move_to(void **state)
{
	struct preflight_load load;
	struct world w;

	(void)state;
	world_open(&w);
	preflight_load_init(&load, &w.f.cluster, w.present, w.wall_ms);
	assert_int_equal(preflight_targets(&w.f.cluster, &load, web(&w), MOVE_AUTO), 6);
	lacks_avx2(&w);
	assert_int_equal(preflight_targets(&w.f.cluster, &load, web(&w), MOVE_AUTO), 4);
	assert_int_equal(preflight_targets(&w.f.cluster, &load, web(&w), MOVE_COLD), 6);
	// One that does not run may be started anywhere.
	assert_int_equal(preflight_targets(&w.f.cluster, &load, the_vm(&w.f, "idle"), MOVE_AUTO),
			 7);
	fixture_close(&w.f);
}

static void a_refusal_says_why_of_each_node(void **state)
{
	char reason[REASON_SIZE], fix[REASON_SIZE];
	struct preflight_load load;
	struct world w;

	(void)state;
	world_open(&w);
	lacks_avx2(&w);
	no_bridge(&w);
	w.f.cluster.nodes[ELSEWHERE].report.leaving = true;
	preflight_load_init(&load, &w.f.cluster, w.present, w.wall_ms);
	preflight_refusal(&w.f.cluster, &load, web(&w), 6, MOVE_LIVE, reason, fix);
	assert_string_equal(reason, "n2 cannot give it: avx2; n3 is shutting down");
	assert_string_equal(fix, "wait until n3 is back");
	preflight_refusal(&w.f.cluster, &load, web(&w), 2, MOVE_LIVE, reason, fix);
	assert_string_equal(reason, "n2 cannot give it: avx2");
	preflight_refusal(&w.f.cluster, &load, web(&w), 0, MOVE_LIVE, reason, fix);
	assert_string_equal(reason, "there is no other node");
	w.f.cluster.nodes[ELSEWHERE].report.leaving = false;
	preflight_refusal(&w.f.cluster, &load, web(&w), 6, MOVE_LIVE, reason, fix);
	assert_string_equal(reason, "");
	assert_string_equal(fix, "");
	fixture_close(&w.f);
}

static void its_own_move_is_not_in_its_way(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	there(&w)->report.memory_mib = 1024;
	w.f.cluster.move_high = 4;
	w.f.cluster.moves[3] = (struct move){ .id = 9, .vm = web(&w)->ref, .kind = MOVE_LIVE,
					      .stage = STAGE_PREPARE, .source = HERE,
					      .target = THERE };
	web(&w)->move = 9;
	only(&w, PREFLIGHT_MEMORY, CHECK_OK, "");
	fixture_close(&w.f);
}

static uint64_t seed = 12345;

static uint32_t dice(uint32_t sides)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 20) % sides;
}

/*
 * Whatever is wrong together, for every kind, every node and every VM: an answer, in which each row
 * that is not ok has a reason and a fix, and the whole is as bad as its worst row. The same
 * question has the same answer.
 */
static void there_is_always_an_answer(void **state)
{
	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct preflight one, two;
		struct preflight_load load;
		uint8_t worst = CHECK_OK;
		uint8_t target;
		struct world w;

		world_open(&w);
		for (uint32_t i = dice(6); i > 0; i--)
			spoils[dice(sizeof(spoils) / sizeof(spoils[0]))].spoil(&w);
		w.kind = (enum move_kind)dice(MOVE_KIND_COUNT);
		target = (uint8_t)dice(3);
		if (dice(8) == 0)
			w.f.cluster.nodes[HERE].report.facts.state = FACTS_NONE;
		preflight_load_init(&load, &w.f.cluster, w.present, w.wall_ms);
		preflight_judge(&w.f.cluster, &load, web(&w), target, w.kind, &one);
		memset(&two, 0xff, sizeof(two));
		preflight_judge(&w.f.cluster, &load, web(&w), target, w.kind, &two);
		assert_memory_equal(&one, &two, sizeof(one));
		assert_true(one.kind != MOVE_AUTO);
		for (uint32_t i = 0; i < PREFLIGHT_CHECK_COUNT; i++) {
			struct preflight_words words;

			assert_int_equal(one.rows[i].check, i);
			assert_true(one.rows[i].verdict < CHECK_VERDICT_COUNT);
			assert_true(one.rows[i].asked || one.rows[i].verdict == CHECK_OK);
			preflight_explain(&w.f.cluster, web(&w), &one, (enum preflight_check)i,
					  &words);
			assert_int_equal(words.reason[0] != 0, one.rows[i].verdict != CHECK_OK);
			assert_int_equal(words.fix[0] != 0, one.rows[i].verdict != CHECK_OK);
			worst = one.rows[i].verdict > worst ? one.rows[i].verdict : worst;
		}
		assert_int_equal(one.verdict, worst);
		assert_int_equal((preflight_targets(&w.f.cluster, &load, web(&w), w.kind) >>
				  target) & 1, one.verdict != CHECK_FAIL);
		fixture_close(&w.f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_thing_spoils_one_row),
		cmocka_unit_test(every_row_is_spoilt),
		cmocka_unit_test(plain_needs_no_certificate),
		cmocka_unit_test(where_it_is_it_cannot_move_to),
		cmocka_unit_test(a_refusal_says_why_of_each_node),
		cmocka_unit_test(its_own_move_is_not_in_its_way),
		cmocka_unit_test(there_is_always_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
