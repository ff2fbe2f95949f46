// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/cluster_fixture.h"

#include "clusterd/fields.h"

static void numbers_and_strings_come_back(void **state)
{
	uint8_t buf[64];
	struct writer w = { .buf = buf, .size = sizeof(buf) };
	struct reader r;
	char text[8];

	(void)state;
	write_u8(&w, 0xfe);
	write_u16(&w, 0xbeef);
	write_u32(&w, 0xdeadbeef);
	write_u64(&w, UINT64_C(0x0123456789abcdef));
	write_bool(&w, true);
	write_string(&w, "hello");
	assert_false(w.failed);
	assert_int_equal(buf[1], 0xef); // little-endian
	r = (struct reader){ .buf = buf, .size = w.used };
	assert_int_equal(read_u8(&r), 0xfe);
	assert_int_equal(read_u16(&r), 0xbeef);
	assert_int_equal(read_u32(&r), 0xdeadbeef);
	assert_true(read_u64(&r) == UINT64_C(0x0123456789abcdef));
	assert_true(read_bool(&r));
	assert_false(reader_done(&r));
	read_string(&r, text, sizeof(text));
	assert_string_equal(text, "hello");
	assert_true(reader_done(&r));
	assert_int_equal(read_u8(&r), 0);
	assert_false(reader_done(&r));
}

static void nothing_is_touched_after_an_overrun(void **state)
{
	uint8_t buf[8];
	struct writer w = { .buf = buf, .size = 5 };
	struct writer count = { .buf = NULL };

	(void)state;
	memset(buf, 0x55, sizeof(buf));
	write_u32(&w, 0);
	write_u16(&w, 0);
	assert_true(w.failed);
	assert_int_equal(w.used, 4);
	assert_int_equal(buf[4], 0x55);
	write_u8(&w, 0);
	assert_int_equal(buf[4], 0x55);
	write_u64(&count, 1);
	write_string(&count, "abc");
	assert_false(count.failed);
	assert_int_equal(count.used, 13);
}

static void a_string_that_does_not_fit_is_not_half_written(void **state)
{
	uint8_t buf[8] = { 0 };
	struct writer w = { .buf = buf, .size = 4 };

	(void)state;
	write_string(&w, "abc");
	assert_true(w.failed);
	assert_int_equal(w.used, 0);
}

static void bad_values_fail(void **state)
{
	uint8_t zero_inside[] = { 3, 0, 'a', 0, 'b' }, too_long[] = { 4, 0, 'a', 'b', 'c', 'd' };
	uint8_t two[] = { 2 };
	struct reader r = { .buf = zero_inside, .size = sizeof(zero_inside) };
	char text[4] = "xyz";

	(void)state;
	read_string(&r, text, sizeof(text));
	assert_true(r.failed);
	assert_string_equal(text, "xyz");
	r = (struct reader){ .buf = too_long, .size = sizeof(too_long) };
	read_string(&r, text, sizeof(text));
	assert_true(r.failed);
	assert_string_equal(text, "xyz");
	r = (struct reader){ .buf = two, .size = 1 };
	read_bool(&r);
	assert_true(r.failed);
	r = (struct reader){ .buf = two, .size = 1 };
	assert_int_equal(read_enum(&r, 3), 2);
	assert_true(reader_done(&r));
	r = (struct reader){ .buf = two, .size = 1 };
	read_enum(&r, 2);
	assert_true(r.failed);
}

// Computed elsewhere: replicas of different builds and machines compare their digests.
static void hash_is_the_same_everywhere(void **state)
{
	static const uint8_t shifted[] = "?more than eight";

	(void)state;
	assert_true(hash_bytes(hash_start(), "", 0) == UINT64_C(0xcbf29ce484222325));
	assert_true(hash_bytes(hash_start(), "foobar", 6) == UINT64_C(0x79b81f2250654c73));
	assert_true(hash_bytes(hash_start(), "eight by", 8) == UINT64_C(0x1a3b3e72f9ffe4d1));
	assert_true(hash_bytes(hash_start(), shifted + 1, 15) == UINT64_C(0xde2035e2bf654249));
}

static void text_is_cut_and_terminated(void **state)
{
	char buf[8];
	struct text text = text_in(buf, sizeof(buf));

	(void)state;
	text_add(text_add_number(text_add(&text, "a"), 120), "bcdefgh");
	assert_string_equal(buf, "a120bcd");
	assert_int_equal(text.length, 7);
	text_copy(buf, 4, "longer");
	assert_string_equal(buf, "lon");
	text = text_in(buf, sizeof(buf));
	text_add_number(&text, 0);
	assert_string_equal(buf, "0");
	text = text_in(NULL, 0);
	text_add(&text, "x");
	assert_int_equal(text.length, 0);
}

static void fill_vm(struct vm_def *vm)
{
	memset(vm, 0, sizeof(*vm));
	text_copy(vm->name, sizeof(vm->name), "web");
	vm->cpus = 2;
	vm->memory_mib = 512;
	vm->priority = -5;
	vm->cpu_mode = CPU_MODEL;
	vm->wanted = VM_WANTED_RUNNING;
	vm_disk(vm, "v1", "vms/a.qcow2")->format = DISK_QCOW2;
	vm_disk(vm, "v2", "vms/b.img")->discard = true;
	vm_nic(vm, "br0")->model = NIC_E1000E;
}

// As entries and snapshots carry it among other things.
static size_t vm_def_encode(const struct vm_def *def, uint8_t *buf, size_t size)
{
	struct fields f = fields_write(buf, size);

	fields_vm_def(&f, (struct vm_def *)def);
	return fields_failed(&f) ? 0 : f.w.used;
}

static bool vm_def_decode(struct vm_def *def, const uint8_t *buf, size_t size)
{
	struct fields f = fields_read(buf, size);

	memset(def, 0, sizeof(*def));
	fields_vm_def(&f, def);
	return reader_done(&f.r);
}

static void vm_definitions_come_back(void **state)
{
	struct vm_def vm, back;
	uint8_t buf[8192];
	size_t size;

	(void)state;
	fill_vm(&vm);
	size = vm_def_encode(&vm, buf, sizeof(buf));
	assert_true(size > 0);
	assert_int_equal(vm_def_encode(&vm, NULL, 0), size);
	assert_int_equal(vm_def_encode(&vm, buf, size - 1), 0);
	assert_int_equal(vm_def_encode(&vm, buf, size), size);
	assert_true(vm_def_decode(&back, buf, size));
	assert_memory_equal(&vm, &back, sizeof(vm));
	for (size_t cut = 0; cut < size; cut++)
		assert_false(vm_def_decode(&back, buf, cut));
	buf[size] = 0;
	assert_false(vm_def_decode(&back, buf, size + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_strings_come_back),
		cmocka_unit_test(nothing_is_touched_after_an_overrun),
		cmocka_unit_test(a_string_that_does_not_fit_is_not_half_written),
		cmocka_unit_test(bad_values_fail),
		cmocka_unit_test(hash_is_the_same_everywhere),
		cmocka_unit_test(text_is_cut_and_terminated),
		cmocka_unit_test(vm_definitions_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
