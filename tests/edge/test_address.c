// SPDX-License-Identifier: Apache-2.0
// How fast a link is: hardware is believed, a virtual interface is not, and what stands on others
// is as fast as the fastest of them.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "migration/address_io.h"

static char net[64];

static void folder(const char *name, const char *below)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s%s%s", net, name, below ? "/" : "", below ? below : "");
	assert_int_equal(mkdir(path, 0700), 0);
}

static void interface(const char *name, const char *speed, const char *kind)
{
	char path[256];
	FILE *file;

	folder(name, NULL);
	if (kind)
		folder(name, kind);
	snprintf(path, sizeof(path), "%s/%s/speed", net, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%s\n", speed);
	fclose(file);
}

static void links_say_their_speed(void **state)
{
	char command[128];

	(void)state;
	strcpy(net, "/tmp/test-address-XXXXXX");
	assert_non_null(mkdtemp(net));
	interface("eth0", "10000", "device");
	interface("eth1", "-1", "device"); // no carrier
	interface("veth0", "10000", NULL);
	interface("tap0", "10", NULL);
	interface("bond0", "20000", "bonding");
	folder("bond0", "lower_eth0");
	interface("br0", "10000", NULL);
	folder("br0", "lower_tap0");
	folder("br0", "lower_eth0");
	interface("br1", "10000", NULL);
	folder("br1", "lower_tap0");
	interface("vlan7", "20000", NULL);
	folder("vlan7", "lower_bond0");
	assert_int_equal(interface_mbit(net, "eth0"), 10000);
	assert_int_equal(interface_mbit(net, "eth1"), 0);
	assert_int_equal(interface_mbit(net, "veth0"), 0);
	assert_int_equal(interface_mbit(net, "bond0"), 20000);
	assert_int_equal(interface_mbit(net, "br0"), 10000);
	assert_int_equal(interface_mbit(net, "br1"), 0);
	assert_int_equal(interface_mbit(net, "vlan7"), 20000);
	assert_int_equal(interface_mbit(net, "none"), 0);
	snprintf(command, sizeof(command), "rm -r %s", net);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(links_say_their_speed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
