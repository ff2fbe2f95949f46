// SPDX-License-Identifier: Apache-2.0
// The smallest change that is named for a VM without a home, carried out: then it has one; and none
// of its steps is needless.
#include "tests/unit/cluster_fixture.h"

#include "clusterd/rule_index.h"
#include "policies/placement.h"

enum { NODES = 4, VMS = 7, ROUNDS = 4000, STEPS_MAX = 24 };

static struct fixture f;
static uint64_t dice, present;
static struct node_report good; // of a node that is as it should be
static struct placement_load load;
static char left[REASON_SIZE]; // what is in the way still

static uint32_t roll(uint32_t sides)
{
	dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(dice >> 33) % sides;
}

static const char *vm_name(uint32_t i)
{
	static const char *const names[VMS] = { "a", "b", "c", "d", "e", "g", "h" };

	return names[i];
}

static void draw_rule(uint32_t at)
{
	static const enum rule_kind kinds[] = { RULE_TOGETHER,	     RULE_APART,  RULE_FOLLOW,
						RULE_SAME_ATTRIBUTE, RULE_SPREAD, RULE_ORDER,
						RULE_ANY_FIRST };
	enum rule_kind kind = kinds[roll(7)];
	struct rule_def *def = doc_rule(&f, (char[]){ 'r', (char)('0' + at), 0 }, kind);
	uint32_t first = roll(VMS), other = (first + 1 + roll(VMS - 1)) % VMS;
	enum rule_role role = ROLE_MEMBER;

	if (kind == RULE_FOLLOW || kind == RULE_SAME_ATTRIBUTE)
		role = ROLE_LEADER;
	else if (kind == RULE_ORDER || kind == RULE_ANY_FIRST)
		role = ROLE_FIRST;
	if (kind == RULE_SAME_ATTRIBUTE || kind == RULE_SPREAD)
		text_copy(def->attribute, sizeof(def->attribute), "rack");
	rule_member(def, role, vm_name(first));
	rule_member(def, role == ROLE_FIRST ? ROLE_THEN : ROLE_MEMBER, vm_name(other));
	def->strict = roll(4) > 0;
}

static void draw_node(uint32_t i)
{
	struct cluster_node *node = &f.cluster.nodes[i];

	node->report = good;
	node->report.memory_mib = 1024 + roll(5) * 1024;
	node->report.cpus = 1 + roll(4);
	node->reported = roll(8) > 0;
	node->life = (uint8_t)(roll(5) ? NODE_ONLINE : NODE_DEAD);
	node->managed = roll(6) > 0;
	node->maintenance = roll(6) == 0;
	node->report.qemu = roll(8) > 0;
	node->def.health = (uint8_t)roll(NODE_HEALTH_COUNT);
	node->def.memory_reserve_mib = 512;
	for (uint32_t v = 0; v < 2; v++)
		if (roll(8) == 0)
			node->report.volumes[v].state = VOLUME_OFFLINE;
	if (node->life == NODE_ONLINE && roll(6))
		present |= UINT64_C(1) << i;
	node->def.attribute_count = roll(3) > 0;
	text_copy(node->def.attributes[0].name, sizeof(node->def.attributes[0].name), "rack");
	text_copy(node->def.attributes[0].value, sizeof(node->def.attributes[0].value),
		  roll(2) ? "x" : "y");
}

static void draw_vm(uint32_t i)
{
	struct vm *vm = the_vm(&f, vm_name(i));
	uint32_t home = roll(NODES);

	vm->possible = roll(3) ? 0 : 1 + roll((1u << NODES) - 1);
	vm->failed_on = roll(4) ? 0 : roll(1u << NODES);
	vm->wanted = (uint8_t)(roll(6) ? VM_WANTED_RUNNING : VM_WANTED_STOPPED);
	if (i == 0 || roll(3) == 0 || vm->wanted != VM_WANTED_RUNNING)
		return;
	vm->phase = VM_RUNNING;
	vm->owner = (uint8_t)home;
	vm->attempt = 1;
}

static void draw_cluster(void)
{
	fixture_open(&f, 16, 32, 16);
	fixture_cluster(&f);
	doc_node(&f, "n4", 4);
	f.doc.cluster.policies.health = (uint8_t)roll(HEALTH_POLICY_COUNT);
	f.doc.cluster.policies.cpu_hard = roll(2);
	f.doc.cluster.policies.cpu_overcommit = 150;
	for (uint32_t i = 0; i < VMS; i++) {
		struct vm_def *def = doc_vm(&f, vm_name(i), "v1");

		def->memory_mib = 512 + roll(4) * 512;
		def->cpus = 1 + roll(3);
		if (roll(2)) {
			def->disks[1] = def->disks[0];
			text_copy(def->disks[1].volume, sizeof(def->disks[1].volume), "v2");
			def->disk_count = 2;
		}
	}
	for (uint32_t i = roll(6); i > 0; i--)
		draw_rule(i);
	doc_accept(&f);
	doc_begin(&f);
	node_reports(&f, 1, true);
	good = the_node(&f, 1)->report;
	good.memory_mib = 65536;
	good.cpus = 64;
	good.qemu = true;
	for (uint32_t v = 0; v < 2; v++) {
		good.volumes[v].state = VOLUME_ONLINE;
		good.volumes[v].joined = true;
	}
	present = 0;
	for (uint32_t i = 0; i < NODES; i++)
		draw_node(i);
	for (uint32_t i = 0; i < VMS; i++)
		draw_vm(i);
	the_vm(&f, "a")->wanted = VM_WANTED_RUNNING;
	rule_index_rebuild(&f.cluster);
}

// ---- the words, carried out

static struct cluster_node *node_of(const char *name)
{
	for (uint32_t i = 0; i < NODES; i++)
		if (strcmp(f.cluster.nodes[i].def.name, name) == 0)
			return &f.cluster.nodes[i];
	fail_msg("no node %s", name);
	return NULL;
}

static void bring_back(const char *name)
{
	struct cluster_node *node = node_of(name);
	struct node_report known = node->report;

	node->life = NODE_ONLINE;
	node->report = good;
	if (node->reported) {
		node->report.memory_mib = known.memory_mib;
		node->report.cpus = known.cpus;
	}
	node->reported = true;
	present |= UINT64_C(1) << (node - f.cluster.nodes);
}

static void bring_volume_back(const char *volume, const char *name)
{
	uint8_t slot = volume_slot(&f.cluster, cluster_find_volume(&f.cluster, volume));

	node_of(name)->report.volumes[slot].state = VOLUME_ONLINE;
}

static void drop_rule(const char *name)
{
	for (uint32_t i = 0; i < RULES_MAX; i++)
		if (f.cluster.rules[i].used && strcmp(f.cluster.rules[i].def.name, name) == 0) {
			f.cluster.rules[i].def.enabled = false;
			rule_index_rebuild(&f.cluster);
			return;
		}
	fail_msg("no rule %s", name);
}

struct freed {
	uint64_t mib[NODES];
	uint32_t cpus[NODES];
};

static void carry_out(const char *words, struct freed *freed)
{
	const char *last = strstr(words, ", or drop rule ");
	char a[NAME_SIZE] = "", b[NAME_SIZE] = "";
	unsigned int number;

	if (last)
		words = last + 5;
	if (sscanf(words, "free %u MiB on %63s", &number, a) == 2)
		freed->mib[node_of(a) - f.cluster.nodes] += number;
	else if (sscanf(words, "free %u CPUs on %63s", &number, a) == 2)
		freed->cpus[node_of(a) - f.cluster.nodes] += number;
	else if (sscanf(words, "add %u MiB of memory to %63s", &number, a) == 2)
		node_of(a)->report.memory_mib += number;
	else if (strncmp(words, "raise cpu-overcommit, or", 24) == 0)
		f.cluster.def.policies.cpu_overcommit = 10000;
	else if (sscanf(words, "clustadm node manage %63s", a) == 1)
		node_of(a)->managed = true;
	else if (sscanf(words, "clustadm node maintenance %63s off", a) == 1)
		node_of(a)->maintenance = false;
	else if (sscanf(words, "clustadm vm clear %63s", a) == 1)
		the_vm(&f, a)->failed_on = 0;
	else if (sscanf(words, "install qemu-system-x86 on %63s", a) == 1)
		node_of(a)->report.qemu = true;
	else if (sscanf(words, "add %63s to the possible owners of %63s", a, b) == 2)
		the_vm(&f, b)->possible |= UINT64_C(1) << (node_of(a) - f.cluster.nodes);
	else if (sscanf(words, "set health=\"green\" on node %2s", a) == 1)
		node_of(a)->def.health = HEALTH_GREEN;
	else if (sscanf(words, "drop rule %63s", a) == 1)
		drop_rule(a);
	else if (sscanf(words, "bring %63s back on %63s", a, b) == 2)
		bring_volume_back(a, b);
	else if (sscanf(words, "bring back %63s", a) == 1)
		bring_back(a);
	else
		fail_msg("nobody can carry out: %s", words);
}

static uint8_t choose(const struct freed *freed)
{
	placement_load_init(&load, &f.cluster, present);
	for (uint32_t i = 0; i < NODES; i++) {
		assert_true(load.used_mib[i] >= freed->mib[i] && load.cpus[i] >= freed->cpus[i]);
		load.used_mib[i] -= freed->mib[i];
		load.cpus[i] -= freed->cpus[i];
	}
	return placement_choose(&f.cluster, &load, the_vm(&f, "a"));
}

// The words of the answer, one step each; how many.
static uint32_t split(char *fix, char *steps[STEPS_MAX])
{
	uint32_t count = 0;

	for (char *at = fix; at; count++) {
		char *next = strstr(at, " and ");

		steps[count] = at;
		at = next ? next + 5 : NULL;
		if (next)
			*next = 0;
	}
	return count;
}

// Carried out but for one step (STEPS_MAX: all), in the same cluster made anew.
static bool finds_home(uint64_t seed, char *steps[STEPS_MAX], uint32_t count, uint32_t without)
{
	struct freed freed = { { 0 }, { 0 } };
	char fix[REASON_SIZE];
	bool found;

	dice = seed;
	draw_cluster();
	for (uint32_t i = 0; i < count; i++)
		if (i != without)
			carry_out(steps[i], &freed);
	found = choose(&freed) != SLOT_NONE;
	left[0] = 0;
	if (!found)
		placement_explain(&f.cluster, &load, the_vm(&f, "a"), left, fix);
	fixture_close(&f);
	return found;
}

static void what_is_named_alters_the_answer(void **state)
{
	uint32_t homeless = 0, several = 0, ruled = 0;

	(void)state;
	for (uint64_t round = 0; round < ROUNDS; round++) {
		uint64_t seed = round * 7919 + 1;
		char reason[REASON_SIZE] = "", fix[REASON_SIZE] = "", words[REASON_SIZE];
		char *steps[STEPS_MAX];
		struct freed none = { { 0 }, { 0 } };
		uint32_t count;
		bool home;

		dice = seed;
		draw_cluster();
		home = choose(&none) != SLOT_NONE;
		if (!home)
			placement_explain(&f.cluster, &load, the_vm(&f, "a"), reason, fix);
		fixture_close(&f);
		if (home || strlen(fix) >= REASON_SIZE - 1) // cut off
			continue;
		assert_true(reason[0] && fix[0]);
		memcpy(words, fix, sizeof(words));
		count = split(words, steps);
		if (!finds_home(seed, steps, count, STEPS_MAX))
			fail_msg("round %u: %s\n  is not mended by: %s\n  but then: %s",
				 (unsigned int)round, reason, fix, left);
		for (uint32_t i = 0; i < count && !strstr(fix, "rule"); i++)
			if (finds_home(seed, steps, count, i))
				fail_msg("round %u: '%s' is not needed of: %s", (unsigned int)round,
					 steps[i], fix);
		homeless++;
		several += count > 1;
		ruled += strstr(fix, "rule") != NULL;
	}
	assert_true(homeless > 300 && several > 50 && ruled > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_named_alters_the_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
