// SPDX-License-Identifier: Apache-2.0
// Random documents: whatever is read is within its limits, and written it reads back the same.
// The schema is resources/clusterd.rng of the directory in $srcdir or here.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clusterd/invariant.h"
#include "resources/definition_io.h"
#include "resources/definition_text.h"
#include "resources/definition_write.h"
#include "resources/qemu_args.h"

enum { WRITTEN_MAX = 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void reader_open(struct definition_reader *reader)
{
	const char *root = getenv("srcdir");
	char path[1024];

	snprintf(path, sizeof(path), "%s/resources/clusterd.rng", root ? root : ".");
	INVARIANT(definition_reader_open(reader, path) == 0);
}

static void vm_try(const struct vm_def *def)
{
	static char memory[QEMU_ARENA_SIZE];
	static const int taps[VM_NICS_MAX] = { 20, 21, 22, 23, 24, 25, 26, 27 };
	static struct qemu_args args;
	struct qemu_facts facts = {
		.qemu = "qemu",
		.volume_root = "/c",
		.run_dir = "/r",
		.uefi_code = "/u",
		.tap_fds = taps,
	};
	struct vm_def copy = *def;

	for (uint32_t i = 0; i < copy.nic_count; i++)
		copy.nics[i].mac[5] |= 1;
	INVARIANT(copy.name[0] && copy.cpus >= 1 && copy.memory_mib >= 1);
	for (uint32_t i = 0; i < copy.disk_count; i++)
		INVARIANT(path_is_good(copy.disks[i].path) && !strstr(copy.disks[i].path, ".."));
	INVARIANT(qemu_args_build(&args, memory, sizeof(memory), &copy, &facts));
}

// Objects one by one: a document of its own each, so that all of one reader can be compared.
static void write_and_read(const struct definitions *defs)
{
	static char text[WRITTEN_MAX], again[WRITTEN_MAX];
	static struct cluster cluster;
	struct definition_reader back;
	size_t length = 0;

	memset(&cluster, 0, sizeof(cluster));
	cluster.def = defs->cluster;
	for (uint32_t i = 0; i < defs->node_count; i++) {
		cluster.nodes[i].used = true;
		cluster.node_high = (uint8_t)(i + 1);
		cluster.nodes[i].def = defs->nodes[i];
	}
	for (uint32_t i = 0; i < defs->volume_count; i++) {
		cluster.volumes[i].used = true;
		cluster.volume_high = (uint8_t)(i + 1);
		cluster.volumes[i].def = defs->volumes[i];
	}
	cluster.vm_high = defs->vm_count;
	cluster.vms = calloc(defs->vm_count + 1, sizeof(*cluster.vms));
	cluster.defs = defs->vms;
	for (uint32_t i = 0; i < defs->vm_count; i++) {
		vm_try(&defs->vms[i]);
		cluster.vms[i].used = true;
		cluster.vms[i].ref.slot = i;
		cluster.vms[i].wanted = defs->vms[i].wanted;
	}
	length = definition_write_all(&cluster, text, sizeof(text));
	if (length < sizeof(text)) {
		reader_open(&back);
		definitions_read(&back, "back", text, length);
		INVARIANT(definitions_check(&back) == 0);
		INVARIANT(back.definitions.vm_count == defs->vm_count);
		cluster.defs = back.definitions.vms;
		INVARIANT(definition_write_all(&cluster, again, sizeof(again)) == length);
		INVARIANT(strcmp(text, again) == 0);
		definition_reader_close(&back);
	}
	free(cluster.vms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct definition_reader reader;

	reader_open(&reader);
	definitions_read(&reader, "fuzz", (const char *)data, size);
	for (uint32_t i = 0; i < reader.error_count; i++) {
		char line[1024];

		definition_error_format(&reader.errors[i], line, sizeof(line));
		INVARIANT(reader.errors[i].message[0] && !strchr(line, '\n'));
	}
	if (definitions_check(&reader) == 0)
		write_and_read(&reader.definitions);
	definition_reader_close(&reader);
	return 0;
}
