// SPDX-License-Identifier: Apache-2.0
#include "migration/address_io.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	FOUND_MAX = 256,
	LOWER_MAX = 3, // a VLAN on a bridge on a bond
};

#define NET "/sys/class/net"

struct found {
	char name[IF_NAMESIZE];
	char text[ADDRESS_SIZE];
	uint8_t bytes[16];
	uint8_t size;	      // 4 or 16
	bool loopback, local; // local: to its link
	bool gateway;	      // its interface has a default route
};

// ---- default routes ----

struct gateways {
	char names[32][IF_NAMESIZE];
	uint32_t count;
};

static void gateway_add(struct gateways *gateways, const char *name)
{
	if (gateways->count < 32 && strcmp(name, "lo") != 0)
		snprintf(gateways->names[gateways->count++], IF_NAMESIZE, "%s", name);
}

static void gateways_read(struct gateways *gateways)
{
	char line[512], name[IF_NAMESIZE];
	unsigned int to, mask, length;
	FILE *file = fopen("/proc/net/route", "re");

	gateways->count = 0;
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%15s %x %*x %*x %*d %*d %*d %x", name, &to, &mask) == 3 &&
		    to == 0 && mask == 0)
			gateway_add(gateways, name);
	if (file)
		fclose(file);
	file = fopen("/proc/net/ipv6_route", "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*32s %x %*32s %*x %*32s %*x %*x %*x %*x %15s", &length, name) ==
			    2 &&
		    length == 0)
			gateway_add(gateways, name);
	if (file)
		fclose(file);
}

static bool gateway_has(const struct gateways *gateways, const char *name)
{
	for (uint32_t i = 0; i < gateways->count; i++)
		if (strcmp(gateways->names[i], name) == 0)
			return true;
	return false;
}

// ---- addresses ----

static bool found_take(const struct ifaddrs *from, const struct gateways *gateways,
		       struct found *found)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from->ifa_addr;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from->ifa_addr;

	if (!from->ifa_addr || !(from->ifa_flags & IFF_UP) || !(from->ifa_flags & IFF_RUNNING))
		return false;
	memset(found, 0, sizeof(*found));
	if (from->ifa_addr->sa_family == AF_INET) {
		found->size = 4;
		memcpy(found->bytes, &v4->sin_addr, 4);
		found->local = found->bytes[0] == 169 && found->bytes[1] == 254;
	} else if (from->ifa_addr->sa_family == AF_INET6) {
		found->size = 16;
		memcpy(found->bytes, &v6->sin6_addr, 16);
		found->local = IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr);
	} else {
		return false;
	}
	inet_ntop(from->ifa_addr->sa_family, found->bytes, found->text, sizeof(found->text));
	snprintf(found->name, sizeof(found->name), "%s", from->ifa_name);
	found->loopback = from->ifa_flags & IFF_LOOPBACK;
	found->gateway = gateway_has(gateways, from->ifa_name);
	return true;
}

// The order must not depend on the kernel's: a report that changes is an entry of the log.
static int found_compare(const void *left, const void *right)
{
	const struct found *a = left, *b = right;

	if (a->gateway != b->gateway)
		return a->gateway - b->gateway;
	if (a->size != b->size)
		return a->size - b->size;
	if (strcmp(a->name, b->name) != 0)
		return strcmp(a->name, b->name);
	return memcmp(a->bytes, b->bytes, a->size);
}

static uint32_t found_all(struct found *found)
{
	struct ifaddrs *all = NULL;
	struct gateways gateways;
	uint32_t count = 0;

	gateways_read(&gateways);
	if (getifaddrs(&all) < 0)
		return 0;
	for (const struct ifaddrs *at = all; at && count < FOUND_MAX; at = at->ifa_next)
		count += found_take(at, &gateways, &found[count]);
	freeifaddrs(all);
	qsort(found, count, sizeof(*found), found_compare);
	return count;
}

static bool found_inside(const struct found *found, const char *network)
{
	char text[ADDRESS_SIZE + 4];
	uint8_t bytes[16];
	char *slash;
	unsigned long length;
	uint8_t size;

	snprintf(text, sizeof(text), "%s", network);
	slash = strchr(text, '/');
	if (slash)
		*slash++ = 0;
	size = inet_pton(AF_INET, text, bytes) == 1    ? 4
	       : inet_pton(AF_INET6, text, bytes) == 1 ? 16
						       : 0;
	if (size == 0 || size != found->size)
		return false;
	length = slash ? strtoul(slash, NULL, 10) : size * 8u;
	for (unsigned long bit = 0; bit < length && bit < size * 8u; bit++)
		if ((bytes[bit / 8] ^ found->bytes[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

// ---- the speed of a link ----

static uint32_t speed_read(const char *net, const char *name)
{
	char path[256];
	FILE *file;
	int mbit = 0;

	snprintf(path, sizeof(path), "%s/%s/speed", net, name);
	file = fopen(path, "re");
	// Without a carrier it is -1, or cannot be read at all.
	if (!file || fscanf(file, "%d", &mbit) != 1 || mbit < 0)
		mbit = 0;
	if (file)
		fclose(file);
	return (uint32_t)mbit;
}

static bool interface_has(const char *net, const char *name, const char *what)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s/%s", net, name, what);
	return access(path, F_OK) == 0;
}

/*
 * Virtual interfaces say something, too, a veth 10000 and a tap 10, that means nothing. So it is
 * believed of hardware and of a bond, which adds up; a bridge or a VLAN is as fast as the fastest
 * of what it stands on.
 */
static uint32_t interface_speed(const char *net, const char *name, uint32_t depth)
{
	uint32_t most = 0, mbit;
	struct dirent *entry;
	char path[256];
	DIR *folder;

	if (interface_has(net, name, "device") || interface_has(net, name, "bonding"))
		return speed_read(net, name);
	snprintf(path, sizeof(path), "%s/%s", net, name);
	folder = depth > 0 ? opendir(path) : NULL;
	while (folder && (entry = readdir(folder))) {
		if (strncmp(entry->d_name, "lower_", 6) != 0)
			continue;
		mbit = interface_speed(net, entry->d_name + 6, depth - 1);
		if (mbit > most)
			most = mbit;
	}
	if (folder)
		closedir(folder);
	return most;
}

uint32_t interface_mbit(const char *net, const char *name)
{
	return interface_speed(net, name, LOWER_MAX);
}

uint32_t migration_addresses(const struct migration_def *def, char (*out)[ADDRESS_SIZE],
			     uint32_t *link_mbit)
{
	struct found found[FOUND_MAX];
	uint32_t here = found_all(found), count = 0;

	memset(out, 0, (size_t)MIGRATION_NETWORKS_MAX * ADDRESS_SIZE);
	memset(link_mbit, 0, MIGRATION_NETWORKS_MAX * sizeof(*link_mbit));
	for (uint32_t i = 0; i < def->network_count; i++)
		for (uint32_t j = 0; j < here; j++)
			if (found_inside(&found[j], def->networks[i])) {
				link_mbit[count] = interface_mbit(NET, found[j].name);
				strcpy(out[count++], found[j].text);
				break;
			}
	for (uint32_t j = 0; def->network_count == 0 && j < here; j++)
		if (!found[j].loopback && !found[j].local && count < MIGRATION_NETWORKS_MAX) {
			link_mbit[count] = interface_mbit(NET, found[j].name);
			strcpy(out[count++], found[j].text);
		}
	return count;
}
