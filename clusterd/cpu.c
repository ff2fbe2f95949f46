// SPDX-License-Identifier: Apache-2.0
#include "clusterd/cpu.h"

#include <string.h>

#include "clusterd/codec.h"
#include "clusterd/text.h"

/*
 * The place of a name is its number on the wire and in the store: new ones come at the end.
 *
 * What is bound stays off in a CPU that is to run anywhere, although every host may have it: nested
 * virtualisation, whose state ties a guest to its host's kind; counters that do not move (invtsc,
 * tracing, last branches); enclaves; topologies that belong to the host's own sockets.
 */
static const struct {
	const char *name;
	bool bound;
} table[] = {
// clang-format off
#define F(name) { name, false }
#define B(name) { name, true }
	F("3dnow"), F("3dnowext"), F("3dnowprefetch"), F("abm"), F("ace2"), F("ace2-en"), F("acpi"),
	F("adx"), F("aes"), F("amd-no-ssb"), F("amd-psfd"), F("amd-ssbd"), F("amd-stibp"),
	F("amx-avx512"), F("amx-bf16"), F("amx-complex"), F("amx-fp16"), F("amx-fp8"),
	F("amx-int8"), F("amx-movrs"), F("amx-tf32"), F("amx-tile"), F("amx-transpose"), F("apic"),
	F("arat"), F("arch-capabilities"), B("arch-lbr"), F("auto-ibrs"), B("avic"), F("avx"),
	F("avx-ifma"), F("avx-ne-convert"), F("avx-vnni"), F("avx-vnni-int16"), F("avx-vnni-int8"),
	F("avx10"), F("avx10-128"), F("avx10-256"), F("avx10-512"), F("avx2"), F("avx512-4fmaps"),
	F("avx512-4vnniw"), F("avx512-bf16"), F("avx512-fp16"), F("avx512-vp2intersect"),
	F("avx512-vpopcntdq"), F("avx512bitalg"), F("avx512bw"), F("avx512cd"), F("avx512dq"),
	F("avx512er"), F("avx512f"), F("avx512ifma"), F("avx512pf"), F("avx512vbmi"),
	F("avx512vbmi2"), F("avx512vl"), F("avx512vnni"), F("bhi-ctrl"), F("bhi-no"), F("bmi1"),
	F("bmi2"), F("bus-lock-detect"), F("cid"), F("cldemote"), F("clflush"), F("clflushopt"),
	F("clwb"), F("clzero"), F("cmov"), B("cmp-legacy"), F("cmpccxadd"), F("core-capability"),
	F("cr8legacy"), F("cx16"), F("cx8"), F("dca"), F("ddpd-u"), F("de"), B("decodeassists"),
	F("ds"), F("ds-cpl"), F("dtes64"), F("eraps"), F("erms"), F("est"), F("extapic"), F("f16c"),
	F("fb-clear"), F("fbsdp-no"), F("flush-l1d"), B("flushbyasid"), F("fma"), F("fma4"),
	F("fpu"), F("fred"), F("fs-gs-base-ns"), F("fsgsbase"), F("fsrc"), F("fsrm"), F("fsrs"),
	F("full-width-write"), F("fxsr"), F("fxsr-opt"), F("fzrm"), F("gds-no"), F("gfni"),
	F("hle"), F("ht"), F("hypervisor"), F("ia64"), F("ibpb"), F("ibpb-brtype"), F("ibrs"),
	F("ibrs-all"), F("ibs"), F("intel-psfd"), B("intel-pt"), B("intel-pt-lip"), F("invpcid"),
	B("invtsc"), F("ipred-ctrl"), F("its-no"), F("kvm-asyncpf"), F("kvm-asyncpf-int"),
	B("kvm-hint-dedicated"), F("kvm-mmu"), F("kvm-msi-ext-dest-id"), F("kvm-no-smi-migration"),
	F("kvm-nopiodelay"), F("kvm-poll-control"), F("kvm-pv-enforce-cpuid"), F("kvm-pv-eoi"),
	F("kvm-pv-ipi"), F("kvm-pv-sched-yield"), F("kvm-pv-tlb-flush"), F("kvm-pv-unhalt"),
	F("kvm-steal-time"), F("kvmclock"), F("kvmclock-stable-bit"), F("la57"), F("lahf-lm"),
	F("lam"), B("lbrv"), F("lfence-always-serializing"), F("lkgs"), F("lm"), B("lmce"),
	F("lwp"), F("mca"), F("mcdt-no"), F("mce"), F("md-clear"), F("mds-no"), F("misalignsse"),
	F("mmx"), F("mmxext"), B("monitor"), F("movbe"), F("movdir64b"), F("movdiri"), F("movrs"),
	F("mpx"), F("msr"), F("mtrr"), F("no-nested-data-bp"), F("nodeid-msr"), B("npt"),
	B("nrip-save"), F("null-sel-clr-base"), F("nx"), F("osvw"), F("overflow-recov"), F("pae"),
	F("pat"), B("pause-filter"), F("pbe"), F("pcid"), F("pclmulqdq"), F("pcommit"), F("pdcm"),
	F("pdpe1gb"), F("perfctr-core"), F("perfctr-nb"), F("perfmon-v2"), B("pfthreshold"),
	F("pge"), F("phe"), F("phe-en"), F("pks"), F("pku"), F("pmm"), F("pmm-en"), F("pn"),
	F("pni"), F("popcnt"), F("prefetchi"), F("prefetchiti"), F("pschange-mc-no"), F("psdp-no"),
	F("pse"), F("pse36"), F("rdctl-no"), F("rdpid"), F("rdrand"), F("rdseed"), F("rdtscp"),
	F("rfds-clear"), F("rfds-no"), F("rrsba-ctrl"), F("rsba"), F("rtm"), F("sbdr-ssdp-no"),
	F("sbpb"), F("sep"), F("serialize"), B("sgx"), B("sgx-debug"), B("sgx-exinfo"),
	B("sgx-kss"), B("sgx-mode64"), B("sgx-provisionkey"), B("sgx-tokenkey"), B("sgx1"),
	B("sgx2"), B("sgxlc"), F("sha-ni"), F("sha512"), B("skinit"), F("skip-l1dfl-vmentry"),
	F("sm3"), F("sm4"), F("smap"), F("smep"), F("smx"), F("spec-ctrl"), F("split-lock-detect"),
	F("srso-no"), F("srso-user-kernel-no"), F("ss"), F("ssb-no"), F("ssbd"), F("sse"),
	F("sse2"), F("sse4-1"), F("sse4-2"), F("sse4a"), F("ssse3"), F("stibp"),
	F("stibp-always-on"), F("succor"), B("svm"), B("svm-lock"), B("svme-addr-chk"),
	F("syscall"), F("taa-no"), F("tbm"), F("tce"), F("tm"), F("tm2"), B("topoext"),
	F("tsa-l1-no"), F("tsa-sq-no"), F("tsc"), F("tsc-adjust"), F("tsc-deadline"),
	B("tsc-scale"), F("tsx-ctrl"), F("tsx-ldtrk"), F("umip"), B("v-vmsave-vmload"), F("vaes"),
	F("verw-clear"), B("vgif"), F("virt-ssbd"), B("vmcb-clean"), F("vme"), B("vmx"),
	B("vmx-activity-hlt"), B("vmx-activity-shutdown"), B("vmx-activity-wait-sipi"),
	B("vmx-apicv-register"), B("vmx-apicv-vid"), B("vmx-apicv-x2apic"), B("vmx-apicv-xapic"),
	B("vmx-cr3-load-noexit"), B("vmx-cr3-store-noexit"), B("vmx-cr8-load-exit"),
	B("vmx-cr8-store-exit"), B("vmx-desc-exit"), B("vmx-enable-user-wait-pause"),
	B("vmx-encls-exit"), B("vmx-entry-ia32e-mode"), B("vmx-entry-load-bndcfgs"),
	B("vmx-entry-load-efer"), B("vmx-entry-load-pat"), B("vmx-entry-load-perf-global-ctrl"),
	B("vmx-entry-load-pkrs"), B("vmx-entry-load-rtit-ctl"), B("vmx-entry-noload-debugctl"),
	B("vmx-ept"), B("vmx-ept-1gb"), B("vmx-ept-2mb"), B("vmx-ept-advanced-exitinfo"),
	B("vmx-ept-execonly"), B("vmx-eptad"), B("vmx-eptp-switching"), B("vmx-exit-ack-intr"),
	B("vmx-exit-clear-bndcfgs"), B("vmx-exit-clear-rtit-ctl"), B("vmx-exit-load-efer"),
	B("vmx-exit-load-pat"), B("vmx-exit-load-perf-global-ctrl"), B("vmx-exit-load-pkrs"),
	B("vmx-exit-nosave-debugctl"), B("vmx-exit-save-efer"), B("vmx-exit-save-pat"),
	B("vmx-exit-save-preemption-timer"), B("vmx-flexpriority"), B("vmx-hlt-exit"),
	B("vmx-ins-outs"), B("vmx-intr-exit"), B("vmx-invept"), B("vmx-invept-all-context"),
	B("vmx-invept-single-context"), B("vmx-invept-single-context-noglobals"),
	B("vmx-invlpg-exit"), B("vmx-invpcid-exit"), B("vmx-invvpid"), B("vmx-invvpid-all-context"),
	B("vmx-invvpid-single-addr"), B("vmx-io-bitmap"), B("vmx-io-exit"), B("vmx-monitor-exit"),
	B("vmx-movdr-exit"), B("vmx-msr-bitmap"), B("vmx-mtf"), B("vmx-mwait-exit"),
	B("vmx-nested-exception"), B("vmx-nmi-exit"), B("vmx-page-walk-4"), B("vmx-page-walk-5"),
	B("vmx-pause-exit"), B("vmx-ple"), B("vmx-pml"), B("vmx-posted-intr"),
	B("vmx-preemption-timer"), B("vmx-rdpmc-exit"), B("vmx-rdrand-exit"), B("vmx-rdseed-exit"),
	B("vmx-rdtsc-exit"), B("vmx-rdtscp-exit"), B("vmx-secondary-ctls"), B("vmx-shadow-vmcs"),
	B("vmx-store-lma"), B("vmx-tertiary-ctls"), B("vmx-true-ctls"), B("vmx-tsc-offset"),
	B("vmx-tsc-scaling"), B("vmx-unrestricted-guest"), B("vmx-vintr-pending"), B("vmx-vmfunc"),
	B("vmx-vmwrite-vmexit-fields"), B("vmx-vnmi"), B("vmx-vnmi-pending"), B("vmx-vpid"),
	B("vmx-wbinvd-exit"), B("vmx-xsaves"), B("vmx-zero-len-inject"), B("vnmi"), F("vpclmulqdq"),
	F("waitpkg"), F("wbnoinvd"), F("wdt"), F("wrmsrns"), F("x2apic"), F("xcrypt"),
	F("xcrypt-en"), F("xfd"), F("xgetbv1"), F("xop"), F("xsave"), F("xsavec"), F("xsaveerptr"),
	F("xsaveopt"), F("xsaves"), F("xstore"), F("xstore-en"), F("xtpr"), F("zero-fcs-fds"),
#undef F
#undef B
// clang-format on
};
enum { NAMES = sizeof(table) / sizeof(table[0]) };
_Static_assert(sizeof(table) / sizeof(table[0]) <= CPU_FEATURES_MAX + 0u, "no bit is left");

static const struct {
	const char *other, *name;
} aliases[] = {
	{ "sse3", "pni" },	     { "xd", "nx" }, { "i64", "lm" }, { "ffxsr", "fxsr-opt" },
	{ "pclmuldq", "pclmulqdq" },
};

const char *cpu_feature_name(unsigned int bit)
{
	return bit < NAMES ? table[bit].name : NULL;
}

int cpu_feature_find(const char *name)
{
	char plain[CPU_NAME_MAX];
	size_t length = strlen(name);

	if (length >= sizeof(plain))
		return -1;
	for (size_t i = 0; i <= length; i++)
		plain[i] = name[i] == '_' || name[i] == '.' ? '-' : name[i];
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (strcmp(plain, aliases[i].other) == 0)
			return cpu_feature_find(aliases[i].name);
	for (unsigned int i = 0; i < NAMES; i++)
		if (strcmp(plain, table[i].name) == 0)
			return (int)i;
	return -1;
}

bool cpu_empty(const struct cpu_features *set)
{
	uint64_t any = 0;

	for (unsigned int i = 0; i < CPU_FEATURE_WORDS; i++)
		any |= set->bits[i];
	return any == 0;
}

unsigned int cpu_count(const struct cpu_features *set)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < CPU_FEATURES_MAX; i++)
		count += cpu_has(set, i);
	return count;
}

void cpu_both(struct cpu_features *set, const struct cpu_features *other)
{
	for (unsigned int i = 0; i < CPU_FEATURE_WORDS; i++)
		set->bits[i] &= other->bits[i];
}

void cpu_without(struct cpu_features *set, const struct cpu_features *other)
{
	for (unsigned int i = 0; i < CPU_FEATURE_WORDS; i++)
		set->bits[i] &= ~other->bits[i];
}

unsigned int cpu_names(const struct cpu_features *set, const char *between, char *buf, size_t size)
{
	enum { MORE_SIZE = 16 }; // " (500 more)"
	struct text text = text_in(buf, size);
	unsigned int count = 0, said = 0;
	bool full = false;

	for (unsigned int i = 0; i < NAMES; i++) {
		if (!cpu_has(set, i))
			continue;
		count++;
		full |= text.length + strlen(between) + strlen(table[i].name) + MORE_SIZE >= size;
		if (full)
			continue;
		text_add(text_add(&text, said > 0 ? between : ""), table[i].name);
		said++;
	}
	if (said < count)
		text_add(text_add_number(text_add(&text, said > 0 ? " (" : "("), count - said),
			 " more)");
	return count;
}

bool cpu_parse(struct cpu_features *set, const char *list, char *unknown)
{
	memset(set, 0, sizeof(*set));
	text_copy(unknown, CPU_NAME_MAX, "");
	while (*list) {
		char name[CPU_NAME_MAX];
		size_t length = 0;
		int bit;

		while (list[length] && list[length] != ' ' && list[length] != ',')
			length++;
		if (length > 0) {
			size_t kept = length < sizeof(name) ? length : sizeof(name) - 1;

			memcpy(name, list, kept);
			name[kept] = 0;
			bit = length < sizeof(name) ? cpu_feature_find(name) : -1;
			if (bit < 0) {
				text_copy(unknown, CPU_NAME_MAX, name);
				return false;
			}
			cpu_add(set, (unsigned int)bit);
		}
		list += length + (list[length] != 0);
	}
	return true;
}

void cpu_encode(const struct cpu_features *set, uint8_t *bytes)
{
	for (unsigned int i = 0; i < CPU_FEATURES_BYTES; i++)
		bytes[i] = (uint8_t)(set->bits[i / 8] >> 8 * (i % 8));
}

bool cpu_decode(struct cpu_features *set, const uint8_t *bytes, size_t size)
{
	memset(set, 0, sizeof(*set));
	if (size != CPU_FEATURES_BYTES)
		return false;
	for (unsigned int i = 0; i < CPU_FEATURES_BYTES; i++)
		set->bits[i / 8] |= (uint64_t)bytes[i] << 8 * (i % 8);
	return true;
}

// ---- sets of names ----

uint32_t name_hash(const char *name)
{
	uint64_t hash = hash_bytes(hash_start(), name, strlen(name));

	return (uint32_t)(hash ^ hash >> 32);
}

static bool hash_among(const uint32_t *set, uint32_t count, const char *name)
{
	uint32_t hash = name_hash(name);

	for (uint32_t i = 0; i < count; i++)
		if (set[i] == hash)
			return true;
	return false;
}

bool facts_have_machine(const struct host_facts *facts, const char *machine)
{
	return hash_among(facts->machines, facts->machine_count, machine);
}

bool facts_have_model(const struct host_facts *facts, const char *model)
{
	return hash_among(facts->models, facts->model_count, model);
}

bool facts_have_device(const struct host_facts *facts, const char *address)
{
	uint32_t hash = name_hash(address);

	for (uint32_t i = 0; i < facts->device_count; i++)
		if (facts->devices[i] == hash)
			return true;
	return false;
}

bool facts_have_bridge(const struct host_facts *facts, const char *bridge)
{
	for (uint32_t i = 0; i < facts->bridge_count; i++)
		if (strcmp(facts->bridges[i], bridge) == 0)
			return true;
	return false;
}

// ---- what nodes have in common ----

bool node_cpu(const struct cluster_node *node, struct cpu_features *features)
{
	struct cpu_features without;
	char unknown[CPU_NAME_MAX];

	memset(features, 0, sizeof(*features));
	if (!node->used || node->report.facts.state != FACTS_KNOWN)
		return false;
	*features = node->report.facts.features;
	cpu_parse(&without, node->def.cpu_without, unknown);
	cpu_without(features, &without);
	return true;
}

static void keep_free(struct cpu_features *features)
{
	for (unsigned int i = 0; i < NAMES; i++)
		if (table[i].bound)
			features->bits[i / 64] &= ~(1ull << i % 64);
}

static bool node_counts(const struct cluster *cluster, uint64_t nodes, uint8_t slot)
{
	return cluster->nodes[slot].used && (nodes == 0 || (nodes & 1ull << slot));
}

bool cpu_baseline(const struct cluster *cluster, uint64_t nodes, struct cpu_features *features)
{
	struct cpu_features one;
	bool any = false;

	memset(features, 0, sizeof(*features));
	for (uint8_t slot = 0; slot < NODES_MAX; slot++) {
		if (!node_counts(cluster, nodes, slot) || !node_cpu(&cluster->nodes[slot], &one))
			continue;
		if (any)
			cpu_both(features, &one);
		else
			*features = one;
		any = true;
	}
	keep_free(features);
	return any;
}

static const char *alias_of(const struct host_facts *facts, const char *machine)
{
	if (!machine[0] || strcmp(machine, "q35") == 0)
		return facts->machine_q35;
	return strcmp(machine, "pc") == 0 ? facts->machine_pc : "";
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

// "pc-q35-7.2" is older than "pc-q35-10.0": numbers are compared as numbers.
static bool machine_older(const char *a, const char *b)
{
	while (*a && *b) {
		unsigned int x = 0, y = 0;

		if (!is_digit(*a) || !is_digit(*b)) {
			if (*a != *b)
				return *a < *b;
			a++;
			b++;
			continue;
		}
		while (is_digit(*a) && x < 100000)
			x = 10 * x + (unsigned int)(*a++ - '0');
		while (is_digit(*b) && y < 100000)
			y = 10 * y + (unsigned int)(*b++ - '0');
		if (x != y)
			return x < y;
	}
	return !*a && *b;
}

void machine_baseline(const struct cluster *cluster, uint64_t nodes, uint8_t owner,
		      const char *machine, char *buf)
{
	const struct host_facts *own = &cluster->nodes[owner].report.facts;
	const char *oldest = alias_of(own, machine);

	text_copy(buf, MACHINE_SIZE, machine[0] ? machine : "q35");
	if (own->state != FACTS_KNOWN || !oldest[0])
		return;
	for (uint8_t slot = 0; slot < NODES_MAX; slot++) {
		const struct host_facts *facts = &cluster->nodes[slot].report.facts;
		const char *alias = alias_of(facts, machine);

		if (node_counts(cluster, nodes, slot) && facts->state == FACTS_KNOWN && alias[0] &&
		    machine_older(alias, oldest) && facts_have_machine(own, alias))
			oldest = alias;
	}
	text_copy(buf, MACHINE_SIZE, oldest);
}

bool cpu_for_start(const struct cluster *cluster, const struct vm *vm, uint8_t owner,
		   struct cpu_features *features)
{
	struct cpu_features own;

	memset(features, 0, sizeof(*features));
	if (owner >= NODES_MAX || !node_cpu(&cluster->nodes[owner], &own))
		return false;
	switch ((enum cpu_mode)vm_definition(cluster, vm)->cpu_mode) {
	case CPU_COMPATIBLE:
		if (!cpu_baseline(cluster, vm->possible, features))
			return false;
		cpu_both(features, &own);
		return true;
	case CPU_HOST:
		*features = own;
		return true;
	case CPU_MODEL:
	case CPU_MODE_COUNT:
		break;
	}
	return false;
}

static void add_switches(struct text *text, const struct cpu_features *set, const char *state)
{
	for (unsigned int i = 0; i < NAMES; i++)
		if (cpu_has(set, i))
			text_add(text_add(text_add(text, ","), table[i].name), state);
}

/*
 * The base of a compatible CPU is the same small one everywhere, KVM or not, and its features are
 * switched on one by one: family, model and cache sizes then are the same on every host, too.
 */
bool cpu_argument(const struct vm_def *def, const struct vm *vm, const struct cluster_node *node,
		  char *buf, size_t size)
{
	const struct host_facts *facts = &node->report.facts;
	struct cpu_features off = facts->features, on = { { 0 } }, own;
	struct text text = text_in(buf, size);

	if (!node_cpu(node, &own))
		return false;
	if (vm->cpu_known)
		cpu_without(&off, &vm->cpu);
	else
		cpu_without(&off, &own);
	switch ((enum cpu_mode)def->cpu_mode) {
	case CPU_COMPATIBLE:
		text_add(&text, "qemu64");
		if (vm->cpu_known)
			on = vm->cpu;
		break;
	case CPU_HOST:
		text_add(&text, facts->accel == ACCEL_KVM ? "host" : "max");
		break;
	case CPU_MODEL:
		text_add(&text, def->cpu_model);
		break;
	case CPU_MODE_COUNT:
		return false;
	}
	add_switches(&text, &on, "=on");
	add_switches(&text, &off, "=off");
	return text.length + 1 < size;
}
