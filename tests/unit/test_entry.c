// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/cluster_fixture.h"

static uint8_t wire[ENTRY_SIZE_MAX], again[ENTRY_SIZE_MAX];

static size_t three_places(uint8_t *buf, size_t size)
{
	struct place place = { .vm = { 3, 9 }, .owner = 2, .attempt = 4, .phase = VM_PLACED };
	size_t used = place_encode(&place, buf, size);

	place.vm.slot = 4;
	used += place_encode(&place, buf + used, size - used);
	place.owner = SLOT_NONE;
	place.phase = VM_ERROR;
	text_copy(place.reason, sizeof(place.reason), "no node has room");
	return used + place_encode(&place, buf + used, size - used);
}

static void fill(struct entry *entry, enum entry_type type, uint8_t *places)
{
	memset(entry, 0, sizeof(*entry));
	entry->type = (uint8_t)type;
	entry->view = 3;
	entry->at_ms = 4;
	entry->from = 5;
	entry->node_id = 6;
	entry->object = OBJECT_VM;
	text_copy(entry->name, sizeof(entry->name), "web");
	entry->wanted = VM_WANTED_RUNNING;
	entry->flag = true;
	text_copy(entry->reason, sizeof(entry->reason), "because");
	memset(&entry->report, 0, sizeof(entry->report));
	entry->report.cpus = 7;
	entry->report.leaving = true;
	entry->report.volumes[31].joined = true;
	entry->vm = (struct vm_ref){ 8, 9 };
	entry->attempt = 10;
	entry->vm_report = VM_REPORT_STUCK;
	entry->volume = 31;
	entry->lease_slot = 11;
	entry->actor = 63;
	entry->device = 3;
	entry->generation_mask = 12;
	entry->generation[31] = 13;
	entry->burn = true;
	entry->move = 16;
	entry->move_kind = MOVE_LIVE;
	entry->move_cause = CAUSE_DRAIN;
	entry->move_outcome = MOVE_STAYED;
	entry->move_report = MOVE_REPORT_READY;
	text_copy(entry->address, sizeof(entry->address), "10.0.0.1");
	entry->port = 17;
	entry->numbers = (struct move_numbers){ 1, 2, 3, 4, 5, 6, 7 };
	entry->drain_verb = DRAIN_ABORT;
	entry->drain_anyway = entry->drain_stop = true;
	entry->drain_state = DRAIN_STUCK;
	entry->until_ms = 18;
	entry->voters = (struct voters){ .count = 2, .list = { { 1, 14 }, { 2, 15 } } };
	entry->body = (const uint8_t *)"body";
	entry->body_size = 4;
	entry->place_count = 3;
	entry->places = places;
	entry->places_size = three_places(places, 1024);
}

static void every_type_comes_back_and_no_cut_one_does(void **state)
{
	uint8_t places[1024];

	(void)state;
	for (int type = 1; type < ENTRY_TYPE_COUNT; type++) {
		struct entry entry, back;
		size_t size;

		fill(&entry, type, places);
		size = entry_encode(&entry, wire, sizeof(wire));
		assert_true(size > 0);
		assert_int_equal(entry_encode(&entry, again, size - 1), 0);
		assert_true(entry_decode(&back, wire, size));
		assert_int_equal(back.type, type);
		assert_int_equal(back.from, 5);
		assert_int_equal(entry_encode(&back, again, sizeof(again)), size);
		assert_memory_equal(wire, again, size);
		for (size_t cut = 0; cut < size; cut++) {
			uint8_t *exact = malloc(cut + 1);

			memcpy(exact, wire, cut);
			assert_false(entry_decode(&back, exact, cut));
			free(exact);
		}
		wire[size] = 0;
		assert_false(entry_decode(&back, wire, size + 1));
		wire[0]++;
		assert_false(entry_decode(&back, wire, size));
		wire[0]--;
		wire[1] = ENTRY_TYPE_COUNT;
		assert_false(entry_decode(&back, wire, size));
		wire[1] = 0;
		assert_false(entry_decode(&back, wire, size));
	}
}

static void members_of_the_type_come_back(void **state)
{
	uint8_t places[1024];
	struct entry entry, back;
	struct place place;
	size_t size, at = 0;

	(void)state;
	fill(&entry, ENTRY_NODE_FENCING, places);
	size = entry_encode(&entry, wire, sizeof(wire));
	assert_true(entry_decode(&back, wire, size));
	assert_int_equal(back.node_id, 6);
	assert_int_equal(back.attempt, 10);
	assert_int_equal(back.actor, 63);
	assert_int_equal(back.device, 3);
	assert_int_equal(back.generation_mask, 12);
	assert_int_equal(back.generation[31], 13);
	fill(&entry, ENTRY_PLACE, places);
	size = entry_encode(&entry, wire, sizeof(wire));
	assert_true(entry_decode(&back, wire, size));
	assert_int_equal(back.place_count, 3);
	assert_true(place_decode(&place, &back, &at));
	assert_int_equal(place.vm.slot, 3);
	assert_true(place_decode(&place, &back, &at));
	assert_true(place_decode(&place, &back, &at));
	assert_string_equal(place.reason, "no node has room");
	assert_int_equal(at, back.places_size);
	assert_false(place_decode(&place, &back, &at));
}

static void nonsense_is_refused(void **state)
{
	uint8_t places[1024];
	struct entry entry, back;
	size_t size;

	(void)state;
	fill(&entry, ENTRY_PLACE, places);
	entry.place_count = 2;
	size = entry_encode(&entry, wire, sizeof(wire));
	assert_false(entry_decode(&back, wire, size));
	fill(&entry, ENTRY_VOTERS, places);
	entry.voters.list[1].id = 1;
	size = entry_encode(&entry, wire, sizeof(wire));
	assert_false(entry_decode(&back, wire, size));
	fill(&entry, ENTRY_VM_WANT, places);
	entry.wanted = VM_WANTED_COUNT;
	size = entry_encode(&entry, wire, sizeof(wire));
	assert_false(entry_decode(&back, wire, size));
	fill(&entry, ENTRY_LEASE_WRITE, places);
	entry.volume = VOLUMES_MAX;
	size = entry_encode(&entry, wire, sizeof(wire));
	assert_false(entry_decode(&back, wire, size));
	entry.volume = 0;
	entry.actor = NODES_MAX;
	size = entry_encode(&entry, wire, sizeof(wire));
	assert_false(entry_decode(&back, wire, size));
	fill(&entry, ENTRY_REMOVE, places);
	entry.object = 0;
	size = entry_encode(&entry, wire, sizeof(wire));
	assert_false(entry_decode(&back, wire, size));
}

static void entries_are_told_in_words(void **state)
{
	struct fixture f;
	char line[256];
	uint8_t places[1024];
	struct entry entry;

	(void)state;
	fixture_open(&f, 8, 8, 8);
	fixture_cluster(&f);
	doc_vm(&f, "web", "v1");
	entry = doc_entry(&f);
	entry_describe(&f.cluster, &entry, line, sizeof(line));
	assert_string_equal(line, "definitions: 1 vm");
	doc_accept(&f);
	entry = named(ENTRY_VM_WANT, "web");
	entry.wanted = VM_WANTED_RUNNING;
	entry_describe(&f.cluster, &entry, line, sizeof(line));
	assert_string_equal(line, "vm web: wanted running");
	entry = (struct entry){ .type = ENTRY_PLACE, .place_count = 1, .places = places };
	entry.places_size = place_encode(
		&(struct place){ .vm = the_vm(&f, "web")->ref, .owner = 1, .phase = VM_PLACED },
		places, sizeof(places));
	entry_describe(&f.cluster, &entry, line, sizeof(line));
	assert_string_equal(line, "vm web: placed on n2");
	entry = (struct entry){ .type = ENTRY_CHECK };
	assert_int_equal(entry_describe(&f.cluster, &entry, line, sizeof(line)), 0);
	entry = about_node(ENTRY_NODE_REPORT, 1);
	entry.report = the_node(&f, 1)->report;
	assert_int_equal(entry_describe(&f.cluster, &entry, line, sizeof(line)), 0);
	entry.report.volumes[0].state = VOLUME_LOST;
	text_copy(entry.report.volumes[0].reason, 80, "read: timed out");
	entry_describe(&f.cluster, &entry, line, sizeof(line));
	assert_string_equal(line, "node n1: volume v1 lost: read: timed out");
	for (int type = 1; type < ENTRY_TYPE_COUNT; type++) {
		fill(&entry, type, places);
		for (size_t size = 0; size < sizeof(line); size++)
			assert_true(entry_describe(&f.cluster, &entry, line, size) <= size);
	}
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_comes_back_and_no_cut_one_does),
		cmocka_unit_test(members_of_the_type_come_back),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(entries_are_told_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
