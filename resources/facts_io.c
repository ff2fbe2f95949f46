// SPDX-License-Identifier: Apache-2.0
#include "resources/facts_io.h"

#include <dirent.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>

#include "clusterd/cpu.h"
#include "clusterd/definition.h"
#include "clusterd/exec_io.h"
#include "clusterd/text.h"
#include "resources/whole_io.h"

enum {
	OUTPUT_SIZE = 2 * 1024 * 1024, // 150 KiB with QEMU 7.2
	LIMIT_MS = 5000,
	FREE_STEP = 16, // news when it has changed by a sixteenth
};

// Switches of QEMU's own that a CPU has beside its features.
static bool is_setting(const char *name)
{
	static const char *const settings[] = {
		"check",
		"enforce",
		"migratable",
		"pmu",
		"kvm",
		"realized",
		"l3-cache",
		"legacy-cache",
		"host-cache-info",
		"fill-mtrr-mask",
		"full-cpuid-auto-level",
		"cpuid-0xb",
		"tcg-cpuid",
		"vmware-cpuid-freq",
		"start-powered-off",
		"host-phys-bits",
		"hotplugged",
		"hotpluggable",
		"kvm-no-smi-migration",
		"legacy-multi-node",
		"enable-cpuid-0x1f",
	};

	if (strncmp(name, "x-", 2) == 0 || strncmp(name, "hv-", 3) == 0 ||
	    strncmp(name, "xen-", 4) == 0)
		return true;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (strcmp(name, settings[i]) == 0)
			return true;
	return false;
}

// QEMU writes some numbers of 64 bits that are beyond the JSON reader's.
enum { LOAD_FLAGS = JSON_DECODE_INT_AS_REAL };

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// Names that have no number yet, in order, so that two hosts' texts can be compared.
static void other_add(char *other, const char **list, size_t count)
{
	struct text text = text_in(other, TEXT_SIZE);
	size_t i;

	qsort(list, count, sizeof(*list), by_name);
	for (i = 0; i < count; i++) {
		if (text.length + strlen(list[i]) + 16 >= TEXT_SIZE) {
			text_add(text_add_number(text_add(&text, " and "), count - i), " more");
			return;
		}
		text_add(text_add(&text, text.length ? " " : ""), list[i]);
	}
}

static bool read_props(json_t *props, struct cpu_features *features, char *other)
{
	size_t size = json_object_size(props), count = 0;
	const char **unknown = calloc(size + 1, sizeof(*unknown));
	const char *name;
	json_t *value;

	json_object_foreach(props, name, value)
	{
		int bit = cpu_feature_find(name);

		if (!json_is_true(value))
			continue;
		if (bit >= 0)
			cpu_add(features, (unsigned int)bit);
		else if (unknown && !is_setting(name))
			unknown[count++] = name;
	}
	if (unknown)
		other_add(other, unknown, count);
	free(unknown);
	return size > 0;
}

bool facts_read_expansion(const char *json, struct cpu_features *features, char *other)
{
	json_t *reply = json_loads(json, LOAD_FLAGS, NULL);
	bool good = read_props(json_object_get(json_object_get(reply, "model"), "props"), features,
			       other);

	json_decref(reply);
	return good;
}

bool facts_read_unavailable(const char *json, struct cpu_features *features)
{
	json_t *reply = json_loads(json, JSON_DECODE_ANY, NULL), *name;
	bool good = json_is_array(reply);
	size_t i;

	json_array_foreach(reply, i, name)
	{
		int bit = json_is_string(name) ? cpu_feature_find(json_string_value(name)) : -1;

		if (bit >= 0)
			features->bits[bit / 64] &= ~(1ull << bit % 64);
	}
	json_decref(reply);
	return good;
}

char *facts_expansion_arguments(const char *cpu_argument)
{
	json_t *props = json_object(), *ask;
	char *words = strdup(cpu_argument), *rest = words, *model, *word, *text;

	model = words ? strsep(&rest, ",") : NULL;
	while (rest && (word = strsep(&rest, ","))) {
		char *value = strchr(word, '=');

		if (value)
			*value++ = 0;
		if (value && (strcmp(value, "on") == 0 || strcmp(value, "off") == 0))
			json_object_set_new(props, word, json_boolean(value[1] == 'n'));
		else if (!value && (word[0] == '+' || word[0] == '-'))
			json_object_set_new(props, word + 1, json_boolean(word[0] == '+'));
	}
	ask = json_pack("{s:s, s:{s:s, s:o}}", "type", "full", "model", "name", model ? model : "",
			"props", props);
	text = json_dumps(ask, JSON_COMPACT);
	json_decref(ask);
	free(words);
	return text;
}

// ---- the short-lived QEMU ----

enum { ASK_VERSION = 1, ASK_TARGET, ASK_MACHINES, ASK_MODELS, ASK_CPU };

static bool write_questions(const char *path, bool kvm)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return false;
	fprintf(file,
		"{\"execute\":\"qmp_capabilities\"}\n"
		"{\"execute\":\"query-version\",\"id\":%d}\n"
		"{\"execute\":\"query-target\",\"id\":%d}\n"
		"{\"execute\":\"query-machines\",\"id\":%d}\n"
		"{\"execute\":\"query-cpu-definitions\",\"id\":%d}\n"
		"{\"execute\":\"query-cpu-model-expansion\",\"id\":%d,\"arguments\":{\"type\":"
		"\"full\",\"model\":{\"name\":\"%s\"}}}\n"
		"{\"execute\":\"quit\"}\n",
		ASK_VERSION, ASK_TARGET, ASK_MACHINES, ASK_MODELS, ASK_CPU, kvm ? "host" : "max");
	return fclose(file) == 0;
}

static uint32_t version_part(const json_t *version, const char *name)
{
	int64_t number = json_whole(json_object_get(version, name));

	return number > 0 && number < 10000 ? (uint32_t)number : 0;
}

static void read_version(const json_t *reply, struct host_facts *facts)
{
	const json_t *qemu = json_object_get(reply, "qemu");

	facts->qemu_version = version_part(qemu, "major") * 10000 +
			      version_part(qemu, "minor") * 100 + version_part(qemu, "micro");
}

static void machine_add(struct host_facts *facts, const char *name)
{
	if (name && facts->machine_count < MACHINES_MAX)
		facts->machines[facts->machine_count++] = name_hash(name);
}

static void read_machines(const json_t *reply, struct host_facts *facts)
{
	const json_t *machine;
	size_t i;

	json_array_foreach(reply, i, machine)
	{
		const char *name = json_string_value(json_object_get(machine, "name"));
		const char *alias = json_string_value(json_object_get(machine, "alias"));

		machine_add(facts, name);
		machine_add(facts, alias);
		if (name && alias && strcmp(alias, "q35") == 0)
			text_copy(facts->machine_q35, sizeof(facts->machine_q35), name);
		if (name && alias && strcmp(alias, "pc") == 0)
			text_copy(facts->machine_pc, sizeof(facts->machine_pc), name);
	}
}

static void read_models(const json_t *reply, struct host_facts *facts)
{
	const json_t *model;
	size_t i;

	json_array_foreach(reply, i, model)
	{
		const char *name = json_string_value(json_object_get(model, "name"));

		if (name && facts->model_count < CPU_MODELS_MAX)
			facts->models[facts->model_count++] = name_hash(name);
	}
}

static void read_cpu(const json_t *reply, struct host_facts *facts)
{
	json_t *props = json_object_get(json_object_get(reply, "model"), "props");
	const char *vendor = json_string_value(json_object_get(props, "vendor"));

	if (!read_props(props, &facts->features, facts->features_other))
		return;
	text_copy(facts->cpu_vendor, sizeof(facts->cpu_vendor), vendor ? vendor : "");
	facts->state = FACTS_KNOWN;
}

static void read_answer(const json_t *message, struct host_facts *facts)
{
	const json_t *reply = json_object_get(message, "return");
	const char *arch;

	if (!reply)
		return;
	switch (json_whole(json_object_get(message, "id"))) {
	case ASK_VERSION:
		read_version(reply, facts);
		break;
	case ASK_TARGET:
		arch = json_string_value(json_object_get(reply, "arch"));
		text_copy(facts->arch, sizeof(facts->arch), arch ? arch : "");
		break;
	case ASK_MACHINES:
		read_machines(reply, facts);
		break;
	case ASK_MODELS:
		read_models(reply, facts);
		break;
	case ASK_CPU:
		read_cpu(reply, facts);
		break;
	default:
		break;
	}
}

// The processor's own name, for people.
static void look_cpu_name(struct host_facts *facts)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		char *value = strchr(line, ':');

		if (strncmp(line, "model name", 10) != 0 || !value)
			continue;
		value[strcspn(value, "\n")] = 0;
		value += 1 + (value[1] == ' ');
		text_copy(facts->cpu_model, sizeof(facts->cpu_model), value);
		break;
	}
	if (file)
		fclose(file);
}

static void ask(const char *qemu, bool kvm, const char *questions, char *output,
		struct host_facts *facts)
{
	const char *const argv[] = {
		qemu,	       "-accel",	  kvm ? "kvm" : "tcg", "-machine",	"none",
		"-nodefaults", "-no-user-config", "-display",	       "none",		"-S",
		"-qmp",	       "stdio",		  "-sandbox",	       "on,spawn=deny", NULL
	};
	char *line, *rest = output;

	exec_run_input(argv, questions, output, OUTPUT_SIZE, LIMIT_MS);
	while ((line = strsep(&rest, "\n"))) {
		json_t *message = json_loads(line, LOAD_FLAGS, NULL);

		read_answer(message, facts);
		json_decref(message);
	}
}

void facts_ask_qemu(const char *qemu, bool kvm, const char *run_dir, struct host_facts *facts)
{
	char questions[512], *output = malloc(OUTPUT_SIZE);

	memset(facts, 0, sizeof(*facts));
	facts->accel = kvm ? ACCEL_KVM : ACCEL_TCG;
	look_cpu_name(facts);
	snprintf(questions, sizeof(questions), "%.400s/facts.qmp", run_dir);
	if (output && write_questions(questions, kvm))
		ask(qemu, kvm, questions, output, facts);
	unlink(questions);
	free(output);
}

// ---- the kernel ----

static bool read_number(const char *path, uint32_t *number)
{
	FILE *file = fopen(path, "re");
	bool good = file && fscanf(file, "%u", number) == 1;

	if (file)
		fclose(file);
	return good;
}

// Free memory changes with every breath; what the others must hear of is a change that counts.
static void settle(uint32_t *kept, uint32_t now, uint32_t total)
{
	uint32_t step = total / FREE_STEP;
	uint32_t change = now > *kept ? now - *kept : *kept - now;

	if (*kept == 0 || now == 0 || change > step)
		*kept = now;
}

static void look_memory(struct host_facts *facts)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kib, total = 0;
	char line[128], path[128];
	uint32_t free_pages = 0;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "MemTotal: %llu", &kib) == 1)
			total = kib;
		else if (sscanf(line, "MemAvailable: %llu", &kib) == 1)
			settle(&facts->memory_free_mib, (uint32_t)(kib >> 10),
			       (uint32_t)(total >> 10));
		else if (sscanf(line, "Hugepagesize: %llu", &kib) == 1)
			facts->hugepage_kib = (uint32_t)kib;
	}
	if (file)
		fclose(file);
	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%ukB/nr_hugepages",
		 facts->hugepage_kib);
	if (!read_number(path, &facts->hugepages))
		facts->hugepages = 0;
	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%ukB/free_hugepages",
		 facts->hugepage_kib);
	if (!read_number(path, &free_pages))
		free_pages = 0;
	settle(&facts->hugepages_free, free_pages, facts->hugepages);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

// The driver's name says so in every network namespace; /sys shows that of whoever mounted it.
static bool is_bridge(int fd, const char *name)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq request = { .ifr_data = (void *)&info };

	text_copy(request.ifr_name, sizeof(request.ifr_name), name);
	return ioctl(fd, SIOCETHTOOL, &request) == 0 && strcmp(info.driver, "bridge") == 0;
}

static void look_bridges(struct host_facts *facts)
{
	struct if_nameindex *links = if_nameindex(), *link;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	facts->bridge_count = 0;
	facts->bridges_cut = false;
	memset(facts->bridges, 0, sizeof(facts->bridges));
	for (link = links; link && fd >= 0 && link->if_name; link++) {
		if (!is_bridge(fd, link->if_name))
			continue;
		if (facts->bridge_count == BRIDGES_MAX)
			facts->bridges_cut = true;
		else
			text_copy(facts->bridges[facts->bridge_count++], BRIDGE_SIZE,
				  link->if_name);
	}
	if (links)
		if_freenameindex(links);
	if (fd >= 0)
		close(fd);
	qsort(facts->bridges, facts->bridge_count, BRIDGE_SIZE, by_text);
}

// What the driver for such devices has.
static void look_devices(struct host_facts *facts, const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;

	facts->device_count = 0;
	memset(facts->devices, 0, sizeof(facts->devices));
	while (folder && (entry = readdir(folder)) && facts->device_count < DEVICES_MAX)
		if (pci_address_is_good(entry->d_name))
			facts->devices[facts->device_count++] = name_hash(entry->d_name);
	if (folder)
		closedir(folder);
	qsort(facts->devices, facts->device_count, sizeof(facts->devices[0]), by_number);
}

// Kernels without the file let everybody.
bool facts_forbids_faults(const char *path, bool root)
{
	uint32_t allowed;

	return !root && read_number(path, &allowed) && allowed == 0;
}

void facts_look_host(struct host_facts *facts, bool root)
{
	look_memory(facts);
	look_bridges(facts);
	look_devices(facts, "/sys/bus/pci/drivers/vfio-pci");
	facts->no_post_copy = facts_forbids_faults("/proc/sys/vm/unprivileged_userfaultfd", root);
}
