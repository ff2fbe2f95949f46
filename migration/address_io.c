// SPDX-License-Identifier: Apache-2.0
#include "migration/address_io.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOUND_MAX = 256 };

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

uint32_t migration_addresses(const struct migration_def *def, char (*out)[ADDRESS_SIZE])
{
	struct found found[FOUND_MAX];
	uint32_t here = found_all(found), count = 0;

	memset(out, 0, (size_t)MIGRATION_NETWORKS_MAX * ADDRESS_SIZE);
	for (uint32_t i = 0; i < def->network_count; i++)
		for (uint32_t j = 0; j < here; j++)
			if (found_inside(&found[j], def->networks[i])) {
				strcpy(out[count++], found[j].text);
				break;
			}
	for (uint32_t j = 0; def->network_count == 0 && j < here; j++)
		if (!found[j].loopback && !found[j].local && count < MIGRATION_NETWORKS_MAX)
			strcpy(out[count++], found[j].text);
	return count;
}
