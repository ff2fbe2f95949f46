// SPDX-License-Identifier: Apache-2.0
// What a short-lived QEMU answers, played by a program that says what a file holds: whole, cut,
// garbled, or nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clusterd/cpu.h"
#include "resources/facts_io.h"

static char folder[64], program[128], answers[128];

static int setup(void **state)
{
	FILE *file;

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test-facts-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(program, sizeof(program), "%s/qemu", folder);
	snprintf(answers, sizeof(answers), "%s/answers", folder);
	file = fopen(program, "w");
	if (!file)
		return -1;
	// It reads its questions, as QEMU does, and keeps them to be looked at.
	fprintf(file, "#!/bin/sh\necho \"$@\" >%s/arguments\ncat >%s/questions\ncat %s\n", folder,
		folder, answers);
	fclose(file);
	return chmod(program, 0700);
}

static int teardown(void **state)
{
	static const char *const names[] = { "qemu", "answers", "arguments", "questions" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static void answer(const char *text)
{
	FILE *file = fopen(answers, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static bool said(const char *name, const char *words)
{
	char path[128], text[4096] = "";
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	assert_non_null(file);
	size = fread(text, 1, sizeof(text) - 1, file);
	text[size] = 0;
	fclose(file);
	return strstr(text, words) != NULL;
}

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}\n{\"return\": {}}\n"
#define VERSIONS \
	"{\"return\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}}, \"id\": 1}\n"
#define TARGET "{\"return\": {\"arch\": \"x86_64\"}, \"id\": 2}\n"
#define MACHINES                                                                                  \
	"{\"return\": [{\"name\": \"pc-q35-7.2\", \"alias\": \"q35\"}, {\"name\": \"microvm\"}, " \
	"{\"name\": \"pc-i440fx-7.2\", \"alias\": \"pc\"}], \"id\": 3}\n"
#define MODELS "{\"return\": [{\"name\": \"EPYC\"}, {\"name\": \"max\"}], \"id\": 4}\n"
// A number beyond what most readers take for one, as QEMU 7.2 really says.
#define CPU                                                                                        \
	"{\"return\": {\"model\": {\"name\": \"max\", \"props\": {\"lbr-fmt\": "                  \
	"18446744073709551552, \"vendor\": \"AuthenticAMD\", \"avx2\": true, \"sse4.1\": true, "  \
	"\"sse4_1\": true, \"hle\": false, \"spec-ctrl\": true, \"zzz-new\": true, \"aaa-new\": " \
	"true, \"hv-time\": true, \"migratable\": true, \"family\": 15}}}, \"id\": 5}\n"
#define BYE "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": false}}\n{\"return\": {}}\n"

static void what_qemu_says_is_understood(void **state)
{
	struct host_facts facts;
	char names[128];

	(void)state;
	answer(GREETING VERSIONS TARGET MACHINES MODELS CPU BYE);
	facts_ask_qemu(program, false, folder, &facts);
	assert_int_equal(facts.state, FACTS_KNOWN);
	assert_int_equal(facts.accel, ACCEL_TCG);
	assert_int_equal(facts.qemu_version, 70222);
	assert_string_equal(facts.arch, "x86_64");
	assert_string_equal(facts.cpu_vendor, "AuthenticAMD");
	assert_int_equal(facts.machine_count, 5);
	assert_true(facts_have_machine(&facts, "q35") && facts_have_machine(&facts, "microvm"));
	assert_false(facts_have_machine(&facts, "pc-q35-8.0"));
	assert_string_equal(facts.machine_q35, "pc-q35-7.2");
	assert_string_equal(facts.machine_pc, "pc-i440fx-7.2");
	assert_true(facts_have_model(&facts, "EPYC"));
	assert_false(facts_have_model(&facts, "Haswell"));
	assert_int_equal(cpu_names(&facts.features, " ", names, sizeof(names)), 3);
	assert_string_equal(names, "avx2 spec-ctrl sse4-1");
	// What has no number is not lost, and in an order that two hosts share.
	assert_string_equal(facts.features_other, "aaa-new zzz-new");
	assert_true(said("arguments", "-accel tcg -machine none"));
	assert_true(said("questions", "\"name\":\"max\""));
	facts_ask_qemu(program, true, folder, &facts);
	assert_int_equal(facts.accel, ACCEL_KVM);
	assert_true(said("arguments", "-accel kvm -machine none"));
	assert_true(said("questions", "\"name\":\"host\""));
}

static void a_version_beyond_any_is_none(void **state)
{
	struct host_facts facts;

	(void)state;
	answer(GREETING
	       "{\"return\": {\"qemu\": {\"micro\": 9476000000000000000000, "
	       "\"minor\": -1, \"major\": 1e300}}, \"id\": 1}\n"
	       "{\"return\": {}, \"id\": 9476000000000000000000}\n" TARGET MACHINES MODELS CPU BYE);
	facts_ask_qemu(program, false, folder, &facts);
	assert_int_equal(facts.state, FACTS_KNOWN);
	assert_int_equal(facts.qemu_version, 0);
}

// Every beginning of what it says, and every byte of it spoilt: no facts, or some, and no crash.
static void what_it_does_not_say_is_not_known(void **state)
{
	static const char whole[] = GREETING VERSIONS TARGET MACHINES MODELS CPU;
	struct host_facts facts;
	char text[sizeof(whole)];

	(void)state;
	for (size_t size = 0; size < sizeof(whole); size += 61) {
		snprintf(text, sizeof(text), "%.*s", (int)size, whole);
		answer(text);
		facts_ask_qemu(program, false, folder, &facts);
		assert_int_equal(facts.state, size + 2 < sizeof(whole) ? FACTS_NONE : FACTS_KNOWN);
	}
	for (size_t at = 0; at + 1 < sizeof(whole); at += 37) {
		memcpy(text, whole, sizeof(whole));
		text[at] = '"';
		answer(text);
		facts_ask_qemu(program, false, folder, &facts);
	}
	answer("{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}, \"id\": 5}\n");
	facts_ask_qemu(program, false, folder, &facts);
	assert_int_equal(facts.state, FACTS_NONE);
	facts_ask_qemu("/nonexistent/qemu", false, folder, &facts);
	assert_int_equal(facts.state, FACTS_NONE);
	facts_ask_qemu(program, false, "/nonexistent", &facts);
	assert_int_equal(facts.state, FACTS_NONE);
}

static void too_much_is_cut(void **state)
{
	char *text = malloc(100000), *at = text;
	struct host_facts facts;

	(void)state;
	assert_non_null(text);
	at += sprintf(at, "{\"return\": [");
	for (int i = 0; i < 500; i++)
		at += sprintf(at, "%s{\"name\": \"m%d\", \"alias\": \"a%d\"}", i ? ", " : "", i, i);
	at += sprintf(at, "], \"id\": 3}\n{\"return\": [");
	for (int i = 0; i < 500; i++)
		at += sprintf(at, "%s{\"name\": \"c%d\"}", i ? ", " : "", i);
	at += sprintf(at, "], \"id\": 4}\n{\"return\": {\"model\": {\"props\": {");
	for (int i = 0; i < 100; i++)
		at += sprintf(at, "%s\"strange-%d\": true", i ? ", " : "", i);
	sprintf(at, "}}}, \"id\": 5}\n");
	answer(text);
	facts_ask_qemu(program, false, folder, &facts);
	assert_int_equal(facts.state, FACTS_KNOWN);
	assert_int_equal(facts.machine_count, MACHINES_MAX);
	assert_int_equal(facts.model_count, CPU_MODELS_MAX);
	assert_non_null(strstr(facts.features_other, "strange-0 strange-1 strange-10"));
	assert_non_null(strstr(facts.features_other, " more"));
	free(text);
}

static void what_was_asked_for_is_asked_about(void **state)
{
	char *text = facts_expansion_arguments("Haswell,pcid=off,+aes,-rtm,level=13");
	struct cpu_features set = { { 0 } };
	char other[TEXT_SIZE];

	(void)state;
	assert_string_equal(text, "{\"type\":\"full\",\"model\":{\"name\":\"Haswell\",\"props\":"
				  "{\"pcid\":false,\"aes\":true,\"rtm\":false}}}");
	free(text);
	assert_true(facts_read_expansion("{\"model\":{\"props\":{\"avx2\":true,\"aes\":true}}}",
					 &set, other));
	assert_int_equal(cpu_count(&set), 2);
	assert_true(facts_read_unavailable("[\"avx2\",\"unheard-of\",7]", &set));
	assert_int_equal(cpu_count(&set), 1);
	assert_false(facts_read_unavailable("{}", &set));
	assert_false(facts_read_unavailable("", &set));
	assert_false(facts_read_expansion("[]", &set, other));
}

static void the_kernel_is_looked_at(void **state)
{
	struct host_facts facts;
	uint32_t before;

	(void)state;
	memset(&facts, 0, sizeof(facts));
	facts_look_host(&facts, false);
	assert_true(facts.memory_free_mib > 0);
	// A little more or less is no news.
	before = facts.memory_free_mib = facts.memory_free_mib + 1;
	facts_look_host(&facts, false);
	assert_int_equal(facts.memory_free_mib, before);
	facts.memory_free_mib = before * 2;
	facts_look_host(&facts, false);
	assert_true(facts.memory_free_mib < before * 2);
}

static void post_copy_is_the_kernels_to_allow(void **state)
{
	char path[] = "/tmp/test_facts.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "0\n", 2), 2);
	assert_true(facts_forbids_faults(path, false));
	assert_false(facts_forbids_faults(path, true));
	assert_int_equal(pwrite(fd, "1\n", 2, 0), 2);
	assert_false(facts_forbids_faults(path, false));
	close(fd);
	unlink(path);
	assert_false(facts_forbids_faults(path, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_qemu_says_is_understood),
		cmocka_unit_test(a_version_beyond_any_is_none),
		cmocka_unit_test(what_it_does_not_say_is_not_known),
		cmocka_unit_test(too_much_is_cut),
		cmocka_unit_test(what_was_asked_for_is_asked_about),
		cmocka_unit_test(the_kernel_is_looked_at),
		cmocka_unit_test(post_copy_is_the_kernels_to_allow),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
