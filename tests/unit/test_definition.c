// SPDX-License-Identifier: Apache-2.0
// Definitions in XML: good documents, bad ones with every message's place, and back to XML.
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "resources/definition_io.h"
#include "resources/definition_scan.h"
#include "resources/definition_text.h"
#include "resources/definition_write.h"

enum { TEXT_MAX = 64 * 1024 };

static const char *source_path(const char *name)
{
	static char path[4][1024];
	static unsigned turn;
	const char *root = getenv("srcdir");
	char *result = path[turn++ % 4];

	snprintf(result, sizeof(path[0]), "%s/%s", root ? root : ".", name);
	return result;
}

static void reader_open(struct definition_reader *reader)
{
	assert_int_equal(definition_reader_open(reader, source_path("resources/clusterd.rng")), 0);
}

static size_t file_load(const char *path, char *buf, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t length;

	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	length = fread(buf, 1, size - 1, file);
	buf[length] = '\0';
	fclose(file);
	return length;
}

// All messages, a line each, as `clustadm check` shows them.
static void errors_list(const struct definition_reader *reader, char *buf, size_t size)
{
	size_t length = 0;

	buf[0] = '\0';
	for (uint32_t i = 0; i < reader->error_count && length < size; i++) {
		length += (size_t)definition_error_format(&reader->errors[i], buf + length,
							  size - length);
		length += (size_t)snprintf(buf + length, size - length, "\n");
	}
}

static void read_text(struct definition_reader *reader, const char *name, const char *text)
{
	definitions_read(reader, name, text, strlen(text));
}

static void read_good(struct definition_reader *reader, const char *name)
{
	char list[TEXT_MAX];

	definitions_read_file(reader, source_path(name));
	if (definitions_check(reader) != 0) {
		errors_list(reader, list, sizeof(list));
		fail_msg("%s", list);
	}
}

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length > end_length && strcmp(text + length - end_length, end) == 0;
}

static void test_good(void **state)
{
	DIR *dir = opendir(source_path("tests/unit/xml/good"));
	struct dirent *entry;
	unsigned count = 0;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		struct definition_reader reader;
		char name[512];

		if (!ends_in(entry->d_name, ".xml"))
			continue;
		snprintf(name, sizeof(name), "tests/unit/xml/good/%s", entry->d_name);
		reader_open(&reader);
		read_good(&reader, name);
		definition_reader_close(&reader);
		count++;
	}
	closedir(dir);
	assert_true(count >= 6);
}

static void check_bad(const char *name)
{
	static char text[TEXT_MAX], expected[TEXT_MAX], found[TEXT_MAX];
	char path[512];
	struct definition_reader reader;
	size_t size;

	snprintf(path, sizeof(path), "tests/unit/xml/bad/%s", name);
	size = file_load(source_path(path), text, sizeof(text));
	strcpy(strrchr(path, '.'), ".txt");
	file_load(source_path(path), expected, sizeof(expected));
	reader_open(&reader);
	assert_int_equal(definitions_read(&reader, name, text, size), -EINVAL);
	assert_int_equal(definitions_check(&reader), -EINVAL);
	errors_list(&reader, found, sizeof(found));
	assert_string_equal(found, expected);
	definition_reader_close(&reader);
}

static void test_bad(void **state)
{
	DIR *dir = opendir(source_path("tests/unit/xml/bad"));
	struct dirent *entry;
	unsigned count = 0;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (!ends_in(entry->d_name, ".xml"))
			continue;
		check_bad(entry->d_name);
		count++;
	}
	closedir(dir);
	assert_true(count >= 18);
}

static void test_meaning(void **state)
{
	struct definition_reader reader;
	const struct definitions *defs = &reader.definitions;
	const struct vm_def *vm;

	(void)state;
	reader_open(&reader);
	read_good(&reader, "tests/unit/xml/good/full.xml");
	assert_true(defs->cluster_given);
	assert_string_equal(defs->cluster.name, "lab");
	assert_int_equal(defs->cluster.no_quorum, NO_QUORUM_SELF_FENCE);
	assert_int_equal(defs->cluster.no_quorum_hold_s, 120);
	assert_int_equal(defs->cluster.io_timeout_s, 1);
	assert_int_equal(defs->cluster.measure_s, 5);
	assert_true(defs->cluster.utc);
	assert_true(defs->cluster.migration.plain && defs->cluster.migration.network_count == 2);
	assert_string_equal(defs->cluster.migration.networks[1], "fd00:1::/64");
	assert_int_equal(defs->cluster.migration.bandwidth_percent, 80);
	assert_int_equal(defs->cluster.migration.link_mbit, 25000);
	assert_int_equal(defs->cluster.migration.moves_out_max, 4);
	assert_int_equal(defs->node_count, 2);
	assert_int_equal(defs->nodes[0].memory_reserve_mib, 2048);
	assert_string_equal(defs->nodes[0].cpu_without, "avx2, hle sse4.1");
	assert_string_equal(defs->nodes[1].cpu_without, "");
	assert_int_equal(defs->nodes[0].fence_count, 2);
	assert_string_equal(defs->nodes[0].fences[0].options,
			    "ip=10.0.0.1\npassword=a=b \"c\" <&'\n");
	assert_int_equal(defs->nodes[1].id, 2000);
	assert_int_equal(defs->vm_count, 2);
	vm = &defs->vms[0];
	assert_string_equal(vm->description, "Front end: \"shop\" & <blog>, “größer”");
	assert_int_equal(vm->uuid.bytes[0], 0x7d);
	assert_true(vm->wanted_given && vm->wanted == VM_WANTED_RUNNING && vm->priority == -100);
	assert_true(vm->cpus == 4 && vm->memory_mib == 2048 && vm->firmware == FIRMWARE_UEFI);
	assert_string_equal(vm->cpu_model, "Skylake-Server,pcid=off");
	assert_int_equal(vm->disk_count, 4);
	assert_true(vm->disks[0].format == DISK_QCOW2 && vm->disks[0].bus == BUS_SCSI &&
		    vm->disks[0].cache == CACHE_DIRECTSYNC && vm->disks[0].aio == AIO_THREADS &&
		    vm->disks[0].discard && !vm->disks[0].readonly && !vm->disks[0].cdrom);
	assert_true(vm->disks[1].cdrom && vm->disks[1].readonly);
	assert_true(vm->disks[2].readonly && vm->disks[2].bus == BUS_VIRTIO);
	assert_int_equal(vm->nics[0].mac[3], 0xab);
	assert_int_equal(vm->stop_timeout_s, 300);
	assert_true(vm->restarts_max == 0 && vm->relocations_max == 7);
	assert_true(vm->max_pause_ms == 300 && vm->throttle_max == 80 && vm->post_copy &&
		    vm->on_drain == ON_DRAIN_QUICK);
	assert_true(vm->hugepages && vm->guest_agent);
	assert_string_equal(vm->address, "2001:db8::7");
	assert_true(vm->console && vm->vnc && vm->failback == FAILBACK_DELAYED);
	assert_true(vm->failback_after_s == 300 && vm->failback_from == 22 * 60 &&
		    vm->failback_to == 4 * 60 + 30);
	assert_true(vm->forget_s == 0 && vm->on_failure == ON_FAILURE_IGNORE &&
		    vm->on_stop_failure == ON_STOP_FAILURE_FENCE &&
		    vm->on_double_run == ON_DOUBLE_RESTART);
	vm = &defs->vms[1];
	assert_string_equal(vm->cmdline, "console=ttyS0         quiet");
	assert_true(vm->cpus == 1 && vm->restarts_max == 1 && vm->relocations_max == 2);
	assert_true(vm->stop_timeout_s == 120 && vm->wanted == VM_WANTED_DISABLED);
	assert_true(vm->max_pause_ms == 1000 && vm->throttle_max == 0 && !vm->post_copy &&
		    vm->on_drain == ON_DRAIN_MIGRATE);
	assert_int_equal(defs->owner_count, 4);
	assert_true(defs->owners[0].tier == 2 && strcmp(defs->owners[0].node, "n2") == 0);
	definition_reader_close(&reader);
}

#define SAME(field) assert_memory_equal(&a->field, &b->field, sizeof(a->field))

static void vms_equal(const struct vm_def *a, const struct vm_def *b)
{
	SAME(name);
	SAME(uuid);
	SAME(description);
	SAME(cpus);
	SAME(memory_mib);
	SAME(hugepages);
	SAME(machine);
	SAME(cpu_mode);
	SAME(cpu_model);
	SAME(firmware);
	SAME(kernel);
	SAME(initrd);
	SAME(cmdline);
	SAME(disk_count);
	SAME(nic_count);
	SAME(disks);
	SAME(nics);
	SAME(console);
	SAME(vnc);
	SAME(guest_agent);
	SAME(address);
	SAME(priority);
	SAME(wanted);
	SAME(failback);
	SAME(failback_after_s);
	SAME(failback_from);
	SAME(failback_to);
	SAME(forget_s);
	SAME(on_failure);
	SAME(on_stop_failure);
	SAME(on_double_run);
	SAME(on_guest_shutdown);
	SAME(restarts_max);
	SAME(relocations_max);
	SAME(stop_timeout_s);
	SAME(max_pause_ms);
	SAME(throttle_max);
	SAME(post_copy);
	SAME(on_drain);
	SAME(stickiness);
	SAME(tag_count);
	SAME(tags);
}

static uint8_t owner_slot(const struct definitions *defs, const char *name)
{
	for (uint8_t i = 0; i < defs->node_count; i++)
		if (strcmp(defs->nodes[i].name, name) == 0)
			return i;
	fail_msg("no node %s", name);
	return 0;
}

// What cluster_apply() makes of definitions, as far as the writer looks at it.
static void cluster_fill(struct cluster *cluster, const struct definitions *defs)
{
	cluster->def = defs->cluster;
	for (uint32_t i = 0; i < defs->node_count; i++) {
		cluster->nodes[i].used = true;
		cluster->node_high = (uint8_t)(i + 1);
		cluster->nodes[i].def = defs->nodes[i];
	}
	for (uint32_t i = 0; i < defs->volume_count; i++) {
		cluster->volumes[i].used = true;
		cluster->volume_high = (uint8_t)(i + 1);
		cluster->volumes[i].def = defs->volumes[i];
	}
	cluster->vms = calloc(defs->vm_count, sizeof(*cluster->vms));
	cluster->defs = calloc(defs->vm_count, sizeof(*cluster->defs));
	cluster->vm_high = cluster->vm_count = defs->vm_count;
	for (uint32_t i = 0; i < defs->vm_count; i++) {
		cluster->vms[i].used = true;
		cluster->vms[i].ref.slot = i;
		cluster->vms[i].wanted = defs->vms[i].wanted;
		cluster->defs[i] = defs->vms[i];
	}
	for (uint32_t i = 0; i < defs->rule_count; i++) {
		cluster->rule_high = (uint8_t)(i + 1);
		cluster->rules[i].used = true;
		cluster->rules[i].def = defs->rules[i];
	}
	for (uint32_t i = 0; i < defs->pro_count; i++) {
		cluster->policies[i].used = true;
		cluster->policies[i].def = defs->pros[i];
	}
	for (uint32_t i = 0; i < defs->owner_count; i++) {
		const struct owner_def *owner = &defs->owners[i];
		struct vm *vm = &cluster->vms[owner->vm];
		uint64_t *mask = owner->tier ? &vm->tiers[owner->tier - 1] : &vm->possible;

		*mask |= 1ull << owner_slot(defs, owner->node);
	}
}

static void cluster_free(struct cluster *cluster)
{
	free(cluster->vms);
	free(cluster->defs);
}

static void definitions_equal(const struct definitions *x, const struct definitions *y)
{
	const struct cluster_def *a = &x->cluster, *b = &y->cluster;

	SAME(name);
	SAME(no_quorum);
	SAME(no_quorum_hold_s);
	SAME(io_timeout_s);
	SAME(measure_s);
	SAME(utc);
	SAME(root);
	assert_int_equal(x->node_count, y->node_count);
	assert_memory_equal(x->nodes, y->nodes, x->node_count * sizeof(*x->nodes));
	assert_int_equal(x->volume_count, y->volume_count);
	assert_memory_equal(x->volumes, y->volumes, x->volume_count * sizeof(*x->volumes));
	assert_int_equal(x->vm_count, y->vm_count);
	for (uint32_t i = 0; i < x->vm_count; i++)
		vms_equal(&x->vms[i], &y->vms[i]);
	assert_int_equal(x->owner_count, y->owner_count);
	SAME(policies);
	SAME(migration);
	assert_int_equal(x->rule_count, y->rule_count);
	assert_memory_equal(x->rules, y->rules, x->rule_count * sizeof(*x->rules));
	assert_int_equal(x->pro_count, y->pro_count);
	for (uint32_t i = 0; i < x->pro_count; i++) {
		x->pros[i].enabled_given = y->pros[i].enabled_given = true;
		assert_memory_equal(&x->pros[i], &y->pros[i], sizeof(*x->pros));
	}
}

static void test_round_trip(void **state)
{
	static struct cluster first, second;
	static char text[TEXT_MAX], again[TEXT_MAX];
	struct definition_reader reader, back;
	size_t length;

	(void)state;
	reader_open(&reader);
	read_good(&reader, "tests/unit/xml/good/full.xml");
	cluster_fill(&first, &reader.definitions);
	length = definition_write_all(&first, text, sizeof(text));
	assert_true(length < sizeof(text) && strlen(text) == length);

	reader_open(&back);
	read_text(&back, "dump", text);
	assert_int_equal(definitions_check(&back), 0);
	definitions_equal(&reader.definitions, &back.definitions);
	cluster_fill(&second, &back.definitions);
	assert_int_equal(definition_write_all(&second, again, sizeof(again)), length);
	assert_string_equal(text, again);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(first.vms[i].possible, second.vms[i].possible);
		assert_memory_equal(first.vms[i].tiers, second.vms[i].tiers,
				    sizeof(first.vms[i].tiers));
	}

	// Cut short it is still terminated, and the length is that of the whole.
	memset(again, 'x', sizeof(again));
	assert_int_equal(definition_write_all(&first, again, 100), length);
	assert_int_equal(strlen(again), 99);
	assert_int_equal(again[100], 'x');
	assert_int_equal(definition_write_all(&first, NULL, 0), length);
	cluster_free(&first);
	cluster_free(&second);
	definition_reader_close(&reader);
	definition_reader_close(&back);
}

// Each object alone is a document, too.
static void test_round_trip_alone(void **state)
{
	static struct cluster cluster;
	static char text[TEXT_MAX];
	struct definition_reader reader, back;
	const struct definitions *defs = &reader.definitions;

	(void)state;
	reader_open(&reader);
	read_good(&reader, "tests/unit/xml/good/full.xml");
	cluster_fill(&cluster, defs);
	reader_open(&back);
	definition_write_cluster(&defs->cluster, text, sizeof(text));
	read_text(&back, "cluster", text);
	for (uint32_t i = 0; i < defs->node_count; i++) {
		definition_write_node(&defs->nodes[i], text, sizeof(text));
		read_text(&back, "node", text);
	}
	for (uint32_t i = 0; i < defs->volume_count; i++) {
		definition_write_volume(&defs->volumes[i], text, sizeof(text));
		read_text(&back, "volume", text);
	}
	for (uint32_t i = 0; i < defs->rule_count; i++) {
		definition_write_rule(&defs->rules[i], text, sizeof(text));
		read_text(&back, "rule", text);
	}
	for (uint32_t i = 0; i < defs->pro_count; i++) {
		definition_write_policy(&defs->pros[i], text, sizeof(text));
		read_text(&back, "policy", text);
	}
	for (uint32_t i = 0; i < defs->vm_count; i++) {
		definition_write_vm(&cluster, &cluster.vms[i], text, sizeof(text));
		read_text(&back, "vm", text);
	}
	assert_int_equal(definitions_check(&back), 0);
	definitions_equal(defs, &back.definitions);
	cluster_free(&cluster);
	definition_reader_close(&reader);
	definition_reader_close(&back);
}

static void test_documents_together(void **state)
{
	struct definition_reader reader;
	char list[TEXT_MAX];

	(void)state;
	reader_open(&reader);
	read_text(&reader, "a.xml", "<vm name='a'><memory>1</memory></vm>");
	read_text(&reader, "b.xml", "<vm name='b'><memory>1</memory></vm>");
	assert_int_equal(definitions_check(&reader), 0);
	read_text(&reader, "c.xml", "<clusterd>\n<vm name='a'><memory>1</memory></vm></clusterd>");
	assert_int_equal(definitions_check(&reader), -EINVAL);
	errors_list(&reader, list, sizeof(list));
	assert_string_equal(list, "c.xml:2:5: vm a is already defined at a.xml:1:5\n");
	definition_reader_close(&reader);
}

static bool known(void *context, enum object_kind kind, const char *name)
{
	(void)context;
	return kind == OBJECT_NODE ? strcmp(name, "n1") == 0 : strcmp(name, "v1") == 0;
}

static void test_references(void **state)
{
	static const char text[] =
		"<clusterd><node name='n2' id='2'/><vm name='a'><memory>1</memory>"
		"<disk volume='v1' path='a' format='raw'/><cdrom volume='v2' path='b'/>\n"
		"<owners><possible node='n1'/><possible node='n2'/><possible node='n3'/></owners>"
		"</vm></clusterd>";
	struct definition_reader reader;
	char list[TEXT_MAX];

	(void)state;
	reader_open(&reader);
	read_text(&reader, "a.xml", text);
	assert_int_equal(definitions_check(&reader), 0);
	reader.known = known;
	assert_int_equal(definitions_check(&reader), -EINVAL);
	errors_list(&reader, list, sizeof(list));
	assert_string_equal(list, "a.xml:1:114: there is no volume v2\n"
				  "a.xml:2:61: there is no node n3\n");
	definition_reader_close(&reader);
}

// The manual's example is what people start from.
static void test_manual(void **state)
{
	static char page[TEXT_MAX];
	struct definition_reader reader;
	char list[TEXT_MAX];
	char *begin, *end;

	(void)state;
	file_load(source_path("man/clusterd.xml.5"), page, sizeof(page));
	begin = strstr(page, "begin example\n");
	end = strstr(page, ".\\\" end example");
	assert_true(begin && end && begin < end);
	begin = strchr(begin, '\n') + 1;
	assert_null(memchr(begin, '\\', (size_t)(end - begin)));
	reader_open(&reader);
	definitions_read(&reader, "clusterd.xml.5", begin, (size_t)(end - begin));
	errors_list(&reader, list, sizeof(list));
	assert_string_equal(list, "");
	assert_true(reader.definitions.vm_count == 1 && reader.definitions.cluster_given);
	definition_reader_close(&reader);
}

// More mistakes than are kept, a document that is too large, and one as large as it may be.
static void test_enormous(void **state)
{
	size_t size = DEFINITION_DOCUMENT_MAX + 1;
	char *text = malloc(size + 1);
	struct definition_reader reader;
	size_t length = 0;

	(void)state;
	reader_open(&reader);
	memset(text, ' ', size);
	assert_int_equal(definitions_read(&reader, "large", text, size), -EINVAL);
	assert_string_equal(reader.errors[0].message, "the document is larger than 4 MiB");
	definition_reader_close(&reader);

	reader_open(&reader);
	length = (size_t)sprintf(text, "<clusterd>");
	while (length < size - 32)
		length += (size_t)sprintf(text + length, "<vm name='a'/>");
	length += (size_t)sprintf(text + length, "</clusterd>");
	assert_int_equal(definitions_read(&reader, "wide", text, length), -EINVAL);
	assert_int_equal(reader.error_count, DEFINITION_ERRORS_MAX);
	assert_true(reader.error_total > 100000);
	definition_reader_close(&reader);

	reader_open(&reader);
	for (length = 0; length < size - 4; length += 3)
		memcpy(text + length, "<a>", 3);
	assert_int_equal(definitions_read(&reader, "deep", text, length), -EINVAL);
	assert_string_equal(reader.errors[0].message, "elements are nested deeper than 16");
	definition_reader_close(&reader);
	free(text);
}

static void test_many(void **state)
{
	enum { COUNT = 10000 };
	char *text = malloc(COUNT * 200);
	struct definition_reader reader;
	size_t length = 0;

	(void)state;
	length = (size_t)sprintf(text, "<clusterd>");
	for (unsigned i = 0; i < COUNT; i++)
		length += (size_t)sprintf(text + length,
					  "<vm name='vm%u'><memory>1</memory><nic bridge='b' "
					  "mac='52:54:00:00:%02x:%02x'/>"
					  "<disk volume='v' path='%u' format='raw'/></vm>\n",
					  i, i >> 8, i & 255, i);
	length += (size_t)sprintf(text + length, "</clusterd>");
	reader_open(&reader);
	assert_int_equal(definitions_read(&reader, "many", text, length), 0);
	assert_int_equal(reader.definitions.vm_count, COUNT);
	assert_string_equal(reader.definitions.vms[COUNT - 1].disks[0].path, "9999");
	definition_reader_close(&reader);
	free(text);
}

static void test_open(void **state)
{
	struct definition_reader reader;

	(void)state;
	assert_int_equal(definition_reader_open(&reader, "/nonexistent"), -ENOENT);
	definition_reader_close(&reader);
	assert_int_equal(definition_reader_open(&reader, source_path("tests/unit/xml/good/vm.xml")),
			 -EINVAL);
	definition_reader_close(&reader);
	definition_reader_close(&reader);
	reader_open(&reader);
	assert_int_equal(definitions_read_file(&reader, "/nonexistent/x.xml"), -EINVAL);
	assert_string_equal(reader.errors[0].message, "cannot be read: No such file or directory");
	definition_reader_close(&reader);
}

static void test_scalars(void **state)
{
	uint32_t value = 7;
	struct uuid uuid;
	uint8_t mac[6];

	(void)state;
	assert_true(duration_parse("90", &value) && value == 90);
	assert_true(duration_parse("90s", &value) && value == 90);
	assert_true(duration_parse("5min", &value) && value == 300);
	assert_true(duration_parse("1h", &value) && value == 3600);
	assert_false(duration_parse("", &value) || duration_parse("s", &value) ||
		     duration_parse("1 h", &value) || duration_parse("1m", &value) ||
		     duration_parse("-1", &value) ||
		     duration_parse("99999999999999999999", &value) ||
		     duration_parse("999999999h", &value));
	assert_int_equal(value, 3600);
	assert_true(memory_parse("1024", "KiB", &value) && value == 1);
	assert_true(memory_parse("16", "TiB", &value) && value == 16 * 1024 * 1024);
	assert_false(memory_parse("1025", "KiB", &value) || memory_parse("1", "MB", &value) ||
		     memory_parse("1.5", "GiB", &value) ||
		     memory_parse("4294967295", "TiB", &value));
	assert_false(uuid_parse("7d2f3e900b604c5e9f613a1f0f1b2c3d", &uuid) ||
		     uuid_parse("00000000-0000-0000-0000-000000000000", &uuid) ||
		     uuid_parse("7d2f3e90-0b60-4c5e-9f61-3a1f0f1b2c3", &uuid) ||
		     uuid_parse("7d2f3e90-0b60-4c5e-9f61-3a1f0f1b2c3d0", &uuid));
	assert_false(mac_parse("52:54:00:00:00", mac) || mac_parse("53:54:00:00:00:01", mac) ||
		     mac_parse("52:54:00:00:00:01:", mac));
	assert_true(path_is_good("a") && path_is_good("a/b..c/d. .e") && path_is_good("ä/ö"));
	assert_false(path_is_good("") || path_is_good("/") || path_is_good("a/") ||
		     path_is_good("a/..") || path_is_good("..") || path_is_good("a//b"));
	assert_true(absolute_path_is_good("/a/b"));
	assert_false(absolute_path_is_good("/") || absolute_path_is_good("//a") ||
		     absolute_path_is_good("a") || absolute_path_is_good("/a/../b"));
	assert_true(bridge_is_good("0123456789abcde") && bridge_is_good("_b"));
	assert_false(bridge_is_good("0123456789abcdef") || bridge_is_good("_") ||
		     bridge_is_good(""));
	assert_true(machine_is_good("pc-i440fx-7.2") && !machine_is_good("pc-q35-7.2,x=y"));
	assert_true(agent_is_good("fence_lab") && !agent_is_good("fence_") &&
		    !agent_is_good("fence_../x") && !agent_is_good("/bin/fence_x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_meaning),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_round_trip_alone),
		cmocka_unit_test(test_documents_together),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_manual),
		cmocka_unit_test(test_enormous),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
