// SPDX-License-Identifier: Apache-2.0
// Rules in documents: what each kind needs, and that a refusal changes nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/cluster_fixture.h"

static struct fixture f;

static int open_fixture(void **state)
{
	(void)state;
	fixture_open(&f, 8, 64, 8);
	return 0;
}

static int close_fixture(void **state)
{
	(void)state;
	fixture_close(&f);
	return 0;
}

static void member(struct rule_def *def, const char *name, enum rule_role role, bool tag)
{
	rule_member(def, role, name);
	def->members[def->member_count - 1].tag = tag;
}

static struct rule_def *begin(const char *name, enum rule_kind kind)
{
	doc_begin(&f);
	return doc_rule(&f, name, kind);
}

static bool applied(void)
{
	static uint8_t body[ENTRY_SIZE_MAX];
	struct entry entry = { .type = ENTRY_APPLY, .body = body };

	entry.body_size = definitions_encode(&f.doc, f.proposed, body, sizeof(body));
	assert_true(entry.body_size > 0);
	return fixture_apply(&f, &entry);
}

static void refused_as(const char *code)
{
	assert_false(applied());
	assert_string_equal(f.result.code, code);
}

// For every kind, every number of members 0 to 2 in every role, with tags and without.
static bool fits(enum rule_kind kind, const uint32_t count[RULE_ROLE_COUNT], bool tags,
		 bool attribute)
{
	uint32_t two = tags ? 1 : 2;
	bool members = count[ROLE_MEMBER] >= two && !count[ROLE_LEADER] && !count[ROLE_FIRST] &&
		       !count[ROLE_THEN];
	bool led = count[ROLE_MEMBER] >= 1 && count[ROLE_LEADER] == 1 && !count[ROLE_FIRST] &&
		   !count[ROLE_THEN];
	bool ordered = !count[ROLE_MEMBER] && !count[ROLE_LEADER] && count[ROLE_FIRST] >= 1 &&
		       count[ROLE_THEN] >= 1;

	switch (kind) {
	case RULE_TOGETHER:
	case RULE_APART:
	case RULE_ONE_AT_A_TIME:
		return members && !attribute;
	case RULE_FOLLOW:
		return led && !attribute;
	case RULE_ORDER:
	case RULE_ANY_FIRST:
		return ordered && !attribute;
	case RULE_SAME_ATTRIBUTE:
		return led && attribute;
	case RULE_SPREAD:
		return members && attribute;
	case RULE_KIND_COUNT:
		break;
	}
	return false;
}

static void each_kind_has_its_shape(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < RULE_KIND_COUNT * 81 * 4; n++) {
		enum rule_kind kind = (enum rule_kind)(n % RULE_KIND_COUNT);
		uint32_t rest = n / RULE_KIND_COUNT, number = 0, count[RULE_ROLE_COUNT];
		bool tags = rest & 1, attribute = rest & 2;
		struct rule_def *def = begin("r", kind);

		rest /= 4;
		for (int role = 0; role < RULE_ROLE_COUNT; role++, rest /= 3) {
			count[role] = rest % 3;
			for (uint32_t i = 0; i < count[role]; i++) {
				char name[8];

				snprintf(name, sizeof(name), "m%u", number++);
				member(def, name, (enum rule_role)role, tags);
			}
		}
		if (attribute)
			text_copy(def->attribute, sizeof(def->attribute), "rack");
		if (fits(kind, count, tags, attribute)) {
			assert_true(applied());
			assert_memory_equal(&cluster_find_rule(&f.cluster, "r")->def, def,
					    sizeof(*def));
		} else {
			refused_as("bad-rule");
		}
	}
}

static struct rule_def *pair(const char *name)
{
	struct rule_def *def = begin(name, RULE_APART);

	member(def, "a", ROLE_MEMBER, false);
	member(def, "b", ROLE_MEMBER, false);
	return def;
}

static void bounds_hold(void **state)
{
	struct rule_def *def;

	(void)state;
	pair("r")->weight = 0;
	refused_as("bad-rule");
	pair("r")->weight = 1000001;
	refused_as("bad-rule");
	pair("r")->at_once = 0;
	refused_as("bad-rule");
	pair("-r");
	refused_as("bad-name");
	def = pair("r");
	text_copy(def->members[1].name, NAME_SIZE, "a");
	refused_as("duplicate");
	def->members[1].tag = true; // a tag is no VM
	assert_true(applied());
	def = pair("r");
	def->members[1].name[0] = 0;
	refused_as("bad-rule");
	def = begin("r", RULE_ORDER);
	member(def, "a", ROLE_FIRST, false);
	member(def, "b", ROLE_THEN, false);
	def->up = UP_TCP;
	refused_as("bad-rule");
	def->up_value = 65535;
	assert_true(applied());
	def->up = UP_DELAY;
	refused_as("bad-rule");
}

static void one_of_a_name(void **state)
{
	struct entry entry = { .type = ENTRY_REMOVE, .object = OBJECT_RULE };

	(void)state;
	pair("r");
	f.rules[1] = f.rules[0];
	f.doc.rule_count = 2;
	refused_as("duplicate");
	text_copy(f.rules[1].name, NAME_SIZE, "s");
	assert_true(applied());
	pair("r")->strict = false;
	assert_true(applied());
	assert_false(cluster_find_rule(&f.cluster, "r")->def.strict);
	assert_true(cluster_find_rule(&f.cluster, "s")->def.strict);
	text_copy(entry.name, NAME_SIZE, "r");
	assert_true(fixture_apply(&f, &entry));
	assert_null(cluster_find_rule(&f.cluster, "r"));
	assert_false(fixture_apply(&f, &entry));
	assert_string_equal(f.result.code, "no-such-rule");
}

static void so_many_and_no_more(void **state)
{
	(void)state;
	pair("r");
	for (uint32_t i = 1; i <= RULES_MAX; i++) {
		f.rules[i] = f.rules[0];
		snprintf(f.rules[i].name, NAME_SIZE, "r%u", i);
	}
	f.doc.rule_count = RULES_MAX + 1;
	refused_as("table-full");
	f.doc.rule_count = RULES_MAX;
	assert_true(applied());
	pair("other");
	refused_as("table-full");
	pair("r5");
	assert_true(applied());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_kind_has_its_shape, open_fixture,
						close_fixture),
		cmocka_unit_test_setup_teardown(bounds_hold, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(one_of_a_name, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(so_many_and_no_more, open_fixture, close_fixture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
