// SPDX-License-Identifier: Apache-2.0
// A fuzz target without a fuzzer: every file of its corpus, and each of them twisted a few times.
//
// Files and directories as arguments; none: the corpus named as the program is (check_entry:
// tests/fuzz/corpus/entry of the directory in $srcdir, or here).
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { INPUT_MAX = 1024 * 1024, TWISTS = 12, NAMES_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static uint32_t inputs;

static uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

// In a block of just that size: a sanitizer sees what reads beyond it.
static void try(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);

	if (!exact)
		abort();
	memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	inputs++;
}

static size_t twist(uint64_t *state, uint8_t *data, size_t size)
{
	for (uint64_t left = 1 + random_next(state) % 4; left > 0 && size > 1; left--) {
		size_t at = random_next(state) % size, from = random_next(state) % size;
		size_t count = random_next(state) % 16;

		count = count < size - at ? count : size - at;
		count = count < size - from ? count : size - from;
		switch (random_next(state) % 5) {
		case 0:
			data[at] = (uint8_t)random_next(state);
			break;
		case 1:
			data[at] ^= (uint8_t)(1u << random_next(state) % 8);
			break;
		case 2:
			memmove(data + at, data + from, count);
			break;
		case 3:
			memmove(data + at, data + at + count, size - at - count);
			size -= count;
			break;
		case 4:
			size = at + 1;
			break;
		}
	}
	return size;
}

static int try_file(const char *path)
{
	static uint8_t data[INPUT_MAX], twisted[INPUT_MAX];
	uint64_t state = 1;
	size_t size;
	FILE *file = fopen(path, "rbe");

	if (!file) {
		perror(path);
		return 1;
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	try(data, size);
	for (int i = 0; i < TWISTS; i++) {
		memcpy(twisted, data, size);
		try(twisted, twist(&state, twisted, size));
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int try_path(const char *path)
{
	static char *names[NAMES_MAX];
	struct dirent *entry;
	struct stat info;
	size_t count = 0;
	int failed = 0;
	DIR *dir;

	if (stat(path, &info) < 0 || !S_ISDIR(info.st_mode))
		return try_file(path);
	dir = opendir(path);
	while (dir && count < NAMES_MAX && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			names[count++] = strdup(entry->d_name);
	if (dir)
		closedir(dir);
	// In an order that is the same everywhere: a target may keep something from input to input.
	qsort(names, count, sizeof(names[0]), compare);
	for (size_t i = 0; i < count; i++) {
		char name[4096];

		snprintf(name, sizeof(name), "%s/%s", path, names[i]);
		failed |= try_file(name);
		free(names[i]);
	}
	return failed;
}

int main(int argc, char **argv)
{
	const char *top = getenv("srcdir"), *name = strrchr(argv[0], '_');
	char path[1024];
	int failed = 0;

	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", top ? top : ".",
		 name ? name + 1 : "");
	if (argc == 1)
		failed = try_path(path);
	for (int i = 1; i < argc; i++)
		failed |= try_path(argv[i]);
	printf("%u inputs\n", inputs);
	return failed || inputs == 0;
}
