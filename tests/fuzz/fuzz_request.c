// SPDX-License-Identifier: Apache-2.0
// Requests of administrators, twisted: whatever comes is answered once, and nothing breaks.
//
// Built for libFuzzer (clang -fsanitize=fuzzer,address,undefined), or with -DFUZZ_STANDALONE as a
// program that reads the files named as arguments, or without any twists its own seeds. The schema
// is resources/clusterd.rng of the directory in $srcdir or here.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/request_world.h"

static struct request_world world;

static const char *const seeds[] = {
	"{\"verb\":\"status\"}",
	"{\"verb\":\"vm explain\",\"name\":\"web\",\"on\":\"n1\"}",
	"{\"verb\":\"vm stop\",\"name\":\"web\",\"force\":true}",
	"{\"verb\":\"vm start\",\"name\":\"web\"}",
	"{\"verb\":\"vm show\",\"name\":\"web\"}",
	"{\"verb\":\"node show\",\"name\":\"n1\"}",
	"{\"verb\":\"node confirm-dead\",\"name\":\"n2\"}",
	"{\"verb\":\"volume show\",\"name\":\"vol1\"}",
	"{\"verb\":\"quorum\"}",
	"{\"verb\":\"events\",\"after\":0,\"since_ms\":17}",
	"{\"verb\":\"dump\",\"kind\":\"vm\",\"name\":\"web\"}",
	"{\"verb\":\"remove\",\"kind\":\"vm\",\"name\":\"web\"}",
	"{\"verb\":\"recover\"}",
	"{\"verb\":\"apply\",\"dry_run\":false,\"force\":true,\"documents\":[{\"name\":\"a\","
	"\"text\":"
	"\"<clusterd><cluster name='lab'/><node name='n1' id='1'/><node name='n2' id='2'/>"
	"<volume name='vol1' source='/srv/vol1'/><vm name='web' wanted='running'><cpus>1</cpus>"
	"<memory unit='MiB'>128</memory><disk volume='vol1' path='vms/web.img' format='raw'/>"
	"</vm></clusterd>\"}]}",
};

enum { SEED_COUNT = sizeof(seeds) / sizeof(seeds[0]), TEXT_MAX = 4096, ROUNDS = 5000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t before;

	if (!world.node) {
		const char *root = getenv("srcdir");
		static char schema[1024];

		snprintf(schema, sizeof(schema), "%s/resources/clusterd.rng", root ? root : ".");
		world_open(&world, schema);
		world_ask(&world, seeds[SEED_COUNT - 1]);
	}
	before = world.answers;
	request_handle(world.request, WORLD_CLIENT, (const char *)data, size);
	for (int i = 0; i < 300 && world.answers == before; i++)
		world_run(&world, 100);
	if (world.answers != before + 1)
		abort();
	return 0;
}

#ifdef FUZZ_STANDALONE
static uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static size_t twist(uint64_t *state, uint8_t *text, size_t size)
{
	for (uint64_t left = random_next(state) % 6; left > 0 && size > 1; left--) {
		uint64_t at = random_next(state) % size, to = random_next(state) % size;
		const char *seed = seeds[random_next(state) % SEED_COUNT];
		size_t from = random_next(state) % strlen(seed);
		size_t count = random_next(state) % 24;

		switch (random_next(state) % 4) {
		case 0:
			text[at] = (uint8_t)random_next(state);
			break;
		case 1:
			text[at] = text[to];
			break;
		case 2:
			memmove(text + at, text + at + 1, size - at - 1);
			size--;
			break;
		case 3:
			count = count < strlen(seed) - from ? count : strlen(seed) - from;
			count = count < TEXT_MAX - size ? count : TEXT_MAX - size;
			memmove(text + at + count, text + at, size - at);
			memcpy(text + at, seed + from, count);
			size += count;
			break;
		}
	}
	return size;
}

static void twist_all(void)
{
	uint64_t state = 1;
	static uint8_t text[TEXT_MAX];

	for (int i = 0; i < ROUNDS; i++) {
		const char *seed = seeds[random_next(&state) % SEED_COUNT];
		size_t size = strlen(seed);

		memcpy(text, seed, size);
		LLVMFuzzerTestOneInput(text, twist(&state, text, size));
	}
}

int main(int argc, char **argv)
{
	static uint8_t text[4 * 1024 * 1024];

	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "re");

		if (!file)
			return 1;
		LLVMFuzzerTestOneInput(text, fread(text, 1, sizeof(text), file));
		fclose(file);
	}
	if (argc == 1)
		twist_all();
	printf("%u answers\n", world.answers);
	world_close(&world);
	return 0;
}
#endif
