// SPDX-License-Identifier: Apache-2.0
// Requests of administrators, twisted: whatever comes is answered once, and nothing breaks.
// The schema is resources/clusterd.rng of the directory in $srcdir or here.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/request_world.h"

static struct request_world world;

static const char defined[] =
	"{\"verb\":\"apply\",\"dry_run\":false,\"force\":true,\"documents\":[{\"name\":\"a\","
	"\"text\":"
	"\"<clusterd><cluster name='lab'/><node name='n1' id='1'/><node name='n2' id='2'/>"
	"<volume name='vol1' source='/srv/vol1'/><vm name='web' wanted='running'><cpus>1</cpus>"
	"<memory unit='MiB'>128</memory><disk volume='vol1' path='vms/web.img' format='raw'/>"
	"</vm></clusterd>\"}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t before;

	if (!world.node) {
		const char *root = getenv("srcdir");
		static char schema[1024];

		snprintf(schema, sizeof(schema), "%s/resources/clusterd.rng", root ? root : ".");
		world_open(&world, schema);
		world_ask(&world, defined);
	}
	before = world.answers;
	request_handle(world.request, WORLD_CLIENT, (const char *)data, size);
	for (int i = 0; i < 300 && world.answers == before; i++)
		world_run(&world, 100);
	if (world.answers != before + 1)
		abort();
	return 0;
}
