// SPDX-License-Identifier: Apache-2.0
// A move's share of the link.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "migration/bandwidth.h"

static struct cluster cluster;

static int begin(void **state)
{
	(void)state;
	memset(&cluster, 0, sizeof(cluster));
	cluster.def.migration.bandwidth_percent = 50;
	for (int slot = 0; slot < 3; slot++) {
		struct node_report *report = &cluster.nodes[slot].report;

		cluster.nodes[slot].used = true;
		strcpy(report->addresses[0], "10.1.0.1");
		strcpy(report->addresses[1], "10.2.0.1");
		report->addresses[0][7] = report->addresses[1][7] = (char)('1' + slot);
		report->link_mbit[0] = 10000;
		report->link_mbit[1] = 1000;
	}
	return 0;
}

static struct move *add(uint32_t id, uint8_t source, uint8_t target, const char *address)
{
	struct move *move = &cluster.moves[id];

	move->id = id;
	cluster.move_high = id + 1;
	move->kind = MOVE_LIVE;
	move->stage = STAGE_TRANSFER;
	move->source = source;
	move->target = target;
	strcpy(move->address, address);
	return move;
}

static void it_is_a_share_of_the_link(void **state)
{
	struct move *move = add(1, 0, 1, "10.1.0.2");

	(void)state;
	assert_int_equal(move_bandwidth(&cluster, move), 625000000);
	cluster.def.migration.bandwidth_percent = 100;
	assert_int_equal(move_bandwidth(&cluster, move), 1250000000);
	cluster.nodes[1].report.link_mbit[0] = 2500;
	assert_int_equal(move_bandwidth(&cluster, move), 312500000); // the slower end's
	strcpy(move->address, "10.2.0.2");
	assert_int_equal(move_bandwidth(&cluster, move), 125000000); // the other network
}

static void moves_at_once_share_it(void **state)
{
	struct move *move = add(1, 0, 1, "10.1.0.2"), *other = add(2, 0, 2, "10.1.0.3");

	(void)state;
	assert_int_equal(move_bandwidth(&cluster, move), 312500000);
	assert_int_equal(move_bandwidth(&cluster, other), 312500000);
	other->stage = STAGE_PREPARE; // sends nothing yet
	assert_int_equal(move_bandwidth(&cluster, move), 625000000);
	other->stage = STAGE_CLEANUP;
	assert_int_equal(move_bandwidth(&cluster, move), 625000000);
	other->stage = STAGE_TRANSFER;
	other->kind = MOVE_QUICK;
	assert_int_equal(move_bandwidth(&cluster, move), 625000000);
	add(3, 2, 1, "10.1.0.2"); // comes to the same target
	assert_int_equal(move_bandwidth(&cluster, move), 312500000);
}

static void a_link_that_says_nothing(void **state)
{
	struct move *move = add(1, 0, 1, "10.1.0.2");

	(void)state;
	cluster.nodes[0].report.link_mbit[0] = 0;
	assert_int_equal(move_bandwidth(&cluster, move), 625000000); // the other end's
	cluster.nodes[1].report.link_mbit[0] = 0;
	assert_int_equal(move_bandwidth(&cluster, move), 0);
	cluster.def.migration.link_mbit = 100;
	assert_int_equal(move_bandwidth(&cluster, move), 6250000);
	cluster.def.migration.link_mbit = 10;
	cluster.def.migration.bandwidth_percent = 1;
	assert_int_equal(move_bandwidth(&cluster, move), 1 << 20); // or it would never end
	move->target = SLOT_NONE;
	assert_int_equal(move_bandwidth(&cluster, move), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(it_is_a_share_of_the_link, begin),
		cmocka_unit_test_setup(moves_at_once_share_it, begin),
		cmocka_unit_test_setup(a_link_that_says_nothing, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
