// SPDX-License-Identifier: Apache-2.0
// Writes the seeds that are bytes: make_corpus CORPUS, into CORPUS/entry, snapshot, stored and
// view.
#include "clusterd/measure.h"
#include "quorum/view_internal.h"
#include "tests/unit/cluster_fixture.h"

static const char *corpus;

static void put(const char *name, int number, const void *head, size_t head_size, const void *body,
		size_t size)
{
	char path[512];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s/seed%03d", corpus, name, number);
	out = fopen(path, "wb");
	if (!out || fwrite(head, 1, head_size, out) != head_size ||
	    fwrite(body, 1, size, out) != size || fclose(out) != 0) {
		perror(path);
		exit(1);
	}
}

static void put_entry(const struct entry *entry)
{
	static uint8_t wire[65536];
	size_t size = entry_encode(entry, wire, sizeof(wire));
	uint8_t head[2] = { (uint8_t)size, (uint8_t)(size >> 8) };

	put("entry", entry->type, head, sizeof(head), wire, size);
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

// One message of each type, as if a member that knows the numbers had sent it to node 0 and to node
// 1.
static void put_messages(void)
{
	static uint8_t wire[8192], all[1 << 16];
	static const uint8_t body[64];
	struct store_facts facts = {
		.gathering = 1, .store = 5, .history = 9, .last_view = 3, .last_index = 7,
		.commit = 6, .promised = 3, .level = FUNCTIONAL_LEVEL, .has_copy = true,
		.voters = { .count = 2, .list = { { 1, 5 }, { 2, 6 } } },
	};
	size_t used = 1;

	for (uint8_t type = 1; type < MESSAGE_TYPE_COUNT; type++) {
		struct message m = {
			.type = type, .tag = 1, .view = 1, .index = 8, .store = 5, .total = 64,
			.cookie = 3, .origin = 1, .body = body, .body_size = sizeof(body),
		};
		size_t size = message_encode(&m, &facts, wire, sizeof(wire));
		uint8_t head[4] = { (uint8_t)(type * 8), 0xf4, (uint8_t)size,
				    (uint8_t)(size >> 8) };

		put("view", type, head, sizeof(head), wire, size);
		memcpy(all + used, head + 1, 3);
		memcpy(all + used + 3, wire, size);
		used += 3 + size;
	}
	all[0] = 40;
	put("view", 0, "", 0, all, used);
}

// A store's snapshot, and records of the types that a log may hold behind it.
// Small, whole, and one without a node or a VM.
static void put_samples(void)
{
	static struct measure_sample sample;
	static uint8_t wire[SAMPLE_BYTES_MAX];

	for (int number = 0; number < 3; number++) {
		sample = (struct measure_sample){ .step_ms = MEASURE_STEP_MS, .wall_ms = 5000 };
		sample.has_node = number != 2;
		for (uint32_t i = 0; i < MEASURE_NODE_COUNT; i++)
			sample.node[i] = 200 * i;
		sample.volume_mask = number > 0 ? 0x80000003 : 0;
		sample.volumes[31] = MEASURE_UNKNOWN;
		sample.vm_count = number == 1 ? 5 : 0;
		for (uint32_t i = 0; i < sample.vm_count; i++) {
			sample.vms[i].vm = (struct vm_ref){ .slot = 2 * i, .serial = 2 * i + 1 };
			sample.vms[i].values[i] = i == 3 ? MEASURE_UNKNOWN : 1000 * i;
		}
		put("measure", number, "", 0, wire, sample_encode(&sample, wire, sizeof(wire)));
	}
}

static void put_stored(struct fixture *f, const uint8_t *snapshot, size_t size)
{
	static uint8_t all[1 << 17], wire[ENTRY_SIZE_MAX];
	struct writer w = { .buf = all, .size = sizeof(all) };
	int number = 0;

	write_u8(&w, 0x13);	// the commit hint and the promise
	write_u8(&w, 0x02);
	write_u8(&w, 0);
	write_u16(&w, (uint16_t)(size + STORED_SNAPSHOT_HEAD));
	write_u8(&w, 1);
	write_u64(&w, 9);
	write_bytes(&w, snapshot, size);
	put("stored", number++, "", 0, all, w.used);
	for (uint8_t type = 1; type < ENTRY_TYPE_COUNT; type++) {
		struct entry entry = of_type(f, type);
		size_t length;

		if (type == ENTRY_APPLY || type == ENTRY_PLACE)
			continue;
		length = entry_encode(&entry, wire, sizeof(wire));
		write_u8(&w, 0x03);
		write_u8(&w, 0);
		write_u16(&w, (uint16_t)(length + STORED_RECORD_HEAD));
		write_u8(&w, 1);
		write_u32(&w, 1);
		write_u64(&w, type);
		write_bytes(&w, wire, length);
		if (type % 6 == 0)
			put("stored", number++, "", 0, all, w.used);
	}
	INVARIANT(!w.failed);
}

int main(int argc, char **argv)
{
	static uint8_t snapshot[1 << 20], places[512];
	static struct fixture f;
	size_t size;

	if (argc != 2)
		return 2;
	corpus = argv[1];
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
	put("snapshot", 0, "", 0, snapshot, size);
	put_stored(&f, snapshot, size);
	put_messages();
	put_samples();
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
		put_entry(&entry);
	}
	fixture_close(&f);
	return 0;
}
