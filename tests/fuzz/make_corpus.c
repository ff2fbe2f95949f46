// SPDX-License-Identifier: Apache-2.0
// Writes seeds for fuzz_entry and fuzz_snapshot: make_corpus ENTRY_DIR SNAPSHOT_DIR
#include "tests/unit/cluster_fixture.h"

static void put(const char *dir, int number, const void *head, size_t head_size, const void *body,
		size_t size)
{
	char path[512];
	FILE *out;

	snprintf(path, sizeof(path), "%s/seed%03d", dir, number);
	out = fopen(path, "wb");
	if (!out || fwrite(head, 1, head_size, out) != head_size ||
	    fwrite(body, 1, size, out) != size || fclose(out) != 0) {
		perror(path);
		exit(1);
	}
}

static void put_entry(const char *dir, const struct entry *entry)
{
	static uint8_t wire[65536];
	size_t size = entry_encode(entry, wire, sizeof(wire));
	uint8_t head[2] = { (uint8_t)size, (uint8_t)(size >> 8) };

	put(dir, entry->type, head, sizeof(head), wire, size);
}

static struct entry of_type(struct fixture *f, uint8_t type)
{
	struct entry entry = {
		.type = type, .view = type >= ENTRY_VOTERS ? 7 : 0, .from = 2, .node_id = 2
	};

	entry.object = OBJECT_VM;
	text_copy(entry.name, NAME_SIZE, type >= ENTRY_NODE_MANAGE ? "n2" : "c");
	entry.vm = the_vm(f, "a")->ref;
	entry.attempt = 1;
	entry.vm_report = VM_REPORT_DIED;
	entry.voters = (struct voters){ .count = 1, .list = { { 1, 5 } } };
	return entry;
}

int main(int argc, char **argv)
{
	static uint8_t snapshot[1 << 20], places[512];
	static struct fixture f;
	size_t size;

	if (argc != 3)
		return 2;
	fixture_open(&f, 8, 6, 8);
	fixture_cluster(&f);
	vm_nic(doc_vm(&f, "a", "v1"), "br0");
	vm_disk(doc_vm(&f, "b", "v1"), "v2", "x.img");
	doc_vm(&f, "c", "v2");
	doc_owner(&f, "n1", 0);
	doc_owner(&f, "n1", 1);
	doc_accept(&f);
	run_vm(&f, "a", 1);
	size = cluster_encode(&f.cluster, snapshot, sizeof(snapshot));
	put(argv[2], 0, "", 0, snapshot, size);
	for (uint8_t type = 1; type < ENTRY_TYPE_COUNT; type++) {
		struct entry entry = of_type(&f, type);

		if (type == ENTRY_APPLY) {
			entry.body = doc_entry(&f).body;
			entry.body_size = doc_entry(&f).body_size;
		}
		if (type == ENTRY_PLACE) {
			struct place place = { .vm = the_vm(&f, "c")->ref,
					       .owner = 0,
					       .phase = VM_PLACED };

			entry.place_count = 1;
			entry.places = places;
			entry.places_size = place_encode(&place, places, sizeof(places));
		}
		put_entry(argv[1], &entry);
	}
	fixture_close(&f);
	return 0;
}
