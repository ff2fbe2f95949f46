// SPDX-License-Identifier: Apache-2.0
// Administrators' requests against a real node: JSON in, JSON out, and what becomes of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/request_world.h"

static const char document[] =
	"<clusterd><cluster name='lab'/>"
	"<node name='n1' id='1'><fence agent='fence_lab'><option name='passwd' "
	"value='secret'/></fence></node>"
	"<node name='n2' id='2'/><node name='n3' id='3'/>"
	"<volume name='vol1' source='/srv/vol1'/>"
	"<vm name='web' wanted='running'><cpus>1</cpus><memory unit='MiB'>128</memory>"
	"<disk volume='vol1' path='vms/web.img' format='raw'/><console/></vm>"
	"<vm name='db'><memory unit='MiB'>900000</memory>"
	"<disk volume='vol1' path='vms/db.img' format='raw'/></vm></clusterd>";

static const char *ask(struct request_world *world, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static const char *ask(struct request_world *world, const char *format, ...)
{
	static char text[16384];
	const char *answer;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (char *c = text; *c; c++) {
		if (*c == '`')
			*c = '"';
	}
	answer = world_ask(world, text);
	assert_non_null(answer);
	return answer;
}

#define HAS(answer, ...)                                                                           \
	do {                                                                                       \
		const char *in_ = (answer);                                                        \
		const char *const want_[] = { __VA_ARGS__ };                                       \
		for (size_t i_ = 0; i_ < sizeof(want_) / sizeof(want_[0]); i_++)                   \
			if (!strstr(in_, want_[i_]))                                               \
				fail_msg("no %s in %s", want_[i_], in_);                           \
	} while (0)

static int world_up(void **state)
{
	struct request_world *world = calloc(1, sizeof(*world));
	const char *top = getenv("srcdir");
	static char schema[512];

	snprintf(schema, sizeof(schema), "%s/resources/clusterd.rng", top ? top : ".");
	world_open(world, schema);
	HAS(ask(world, "{`verb`:`apply`,`documents`:[{`name`:`lab.xml`,`text`:`%s`}]}", document),
	    "\"nodes\":3", "\"vms\":[\"web\",\"db\"]");
	world_run(world, 5000);
	*state = world;
	return 0;
}

static int world_down(void **state)
{
	world_close(*state);
	free(*state);
	return 0;
}

static void test_status(void **state)
{
	HAS(ask(*state, "{`verb`:`status`}"), "\"cluster\":{\"name\":\"lab\",\"quorate\":true",
	    "\"coordinator\":\"n1\"", "\"view\":1",
	    "{\"name\":\"n1\",\"id\":1,\"state\":\"online\"",
	    "{\"name\":\"n2\",\"id\":2,\"state\":\"offline\"",
	    "{\"node\":\"n1\",\"state\":\"online\"",
	    "{\"name\":\"web\",\"state\":\"running\",\"wanted\":\"running\",\"node\":\"n1\"",
	    "{\"name\":\"db\",\"state\":\"stopped\",\"wanted\":\"stopped\",\"node\":null");
}

// Proved once for each index of the log: what only looks different is seen with the next entry.
static void test_capacity(void **state)
{
	struct request_world *world = *state;
	struct cluster *cluster = &world->node->cluster;
	struct vm_def *web = &cluster->defs[cluster_find_vm(cluster, "web")->ref.slot];

	HAS(ask(world, "{`verb`:`status`}"), "\"capacity\":{", "\"vm\":\"web\",\"homeless\":1");
	web->name[0] = 'W';
	HAS(ask(world, "{`verb`:`capacity`}"), "\"vm\":\"web\",\"homeless\":1");
	HAS(ask(world, "{`verb`:`capacity`,`failures`:2}"), "\"failures\":2");
	HAS(ask(world, "{`verb`:`status`}"), "\"vm\":\"Web\",\"homeless\":1");
	web->name[0] = 'w';
	cluster->index++;
	HAS(ask(world, "{`verb`:`status`}"), "\"vm\":\"web\",\"homeless\":1");
	cluster->index--;
}

static void test_show(void **state)
{
	const char *answer;

	HAS(ask(*state, "{`verb`:`vm show`,`name`:`web`}"), "\"here\":true",
	    "\"console\":\"/run/clusterd/vms/test/console\"", "\"path\":\"vms/web.img\"");
	answer = ask(*state, "{`verb`:`node show`,`name`:`n1`}");
	HAS(answer, "\"watchdog\":true", "\"vm_names\":[\"web\"]", "\"options\":[\"passwd\"]");
	assert_null(strstr(answer, "secret"));
	HAS(ask(*state, "{`verb`:`volume show`,`name`:`vol1`}"), "\"leases_used\":2",
	    "\"vm_names\":[\"web\",\"db\"]");
	HAS(ask(*state, "{`verb`:`quorum`}"), "\"voters\":[{\"id\":1,\"name\":\"n1\"",
	    "\"intact\":true", "\"normal\":true");
	HAS(ask(*state, "{`verb`:`events`,`after`:0}"), "\"id\":1", "\"level\":\"error\"");
	HAS(ask(*state, "{`verb`:`vm show`,`name`:`nobody`}"), "\"code\":\"no-such-vm\"");
	HAS(ask(*state, "{`verb`:`node show`}"), "\"code\":\"no-such-node\"");
}

static void test_explain(void **state)
{
	HAS(ask(*state, "{`verb`:`vm start`,`name`:`db`}"), "\"result\"");
	HAS(ask(*state, "{`verb`:`vm explain`,`name`:`db`}"), "\"state\":\"waiting\"",
	    "\"check\":\"memory\",\"verdict\":\"fail\"", "\"needed\":900000", "\"fix\":\"add ");
	HAS(ask(*state, "{`verb`:`vm explain`,`name`:`web`,`on`:`n1`}"), "\"feasible\":true",
	    "\"mend\":{", "\"reason\":\"nothing asks for another node\"",
	    "\"strategy\":\"fewest-vms\"", "\"rules\":[]", "\"wish_cost\":0");
	HAS(ask(*state, "{`verb`:`vm explain`,`name`:`web`,`on`:`n9`}"),
	    "\"code\":\"no-such-node\"");
	HAS(ask(*state, "{`verb`:`vm stop`,`name`:`db`}"), "\"result\"");
}

static void test_balance_plan(void **state)
{
	HAS(ask(*state, "{`verb`:`balance plan`}"), "\"nodes\":[\"n1\"]", "\"steps\":[]",
	    "\"spread\":{\"memory\":{\"before_ppm\":0",
	    "\"stop\":\"fewer than two nodes can take part\"");
}

static void test_changes(void **state)
{
	HAS(ask(*state, "{`verb`:`vm stop`,`name`:`web`}"), "\"result\"");
	world_run(*state, 2000);
	HAS(ask(*state, "{`verb`:`vm show`,`name`:`web`}"), "\"state\":\"stopped\"");
	HAS(ask(*state, "{`verb`:`vm unmanage`,`name`:`web`}"), "\"result\"");
	HAS(ask(*state, "{`verb`:`vm show`,`name`:`web`}"), "\"state\":\"unmanaged\"");
	HAS(ask(*state, "{`verb`:`vm manage`,`name`:`web`}"), "\"result\"");
	HAS(ask(*state, "{`verb`:`vm start`,`name`:`web`}"), "\"result\"");
	world_run(*state, 2000);
	HAS(ask(*state, "{`verb`:`vm show`,`name`:`web`}"), "\"state\":\"running\"");
	HAS(ask(*state, "{`verb`:`vm clear`,`name`:`web`}"), "\"result\"");
	HAS(ask(*state, "{`verb`:`vm start`,`name`:`nobody`}"), "\"code\":\"no-such-vm\"");
	HAS(ask(*state, "{`verb`:`node unmanage`,`name`:`n1`}"), "\"result\"");
	HAS(ask(*state, "{`verb`:`node manage`,`name`:`n1`}"), "\"result\"");
	HAS(ask(*state, "{`verb`:`node fence`,`name`:`n2`}"), "\"code\":\"no-fence-device\"");
	HAS(ask(*state, "{`verb`:`node confirm-dead`,`name`:`n2`}"), "\"code\":\"alive\"");
	HAS(ask(*state, "{`verb`:`remove`,`kind`:`vm`,`name`:`web`}"), "\"error\"");
	HAS(ask(*state, "{`verb`:`remove`,`kind`:`node`,`name`:`n3`}"), "\"result\"");
	HAS(ask(*state, "{`verb`:`recover`}"), "\"error\"");
}

static void test_apply(void **state)
{
	static const char stop[] =
		"{`verb`:`apply`,%s`documents`:[{`name`:`a`,`text`:`<vm name='web' "
		"wanted='stopped'><cpus>1</cpus><memory unit='MiB'>128</memory>"
		"<disk volume='vol1' path='vms/web.img' format='raw'/><console/></vm>`}]}";

	HAS(ask(*state, stop, ""), "\"code\":\"would-stop\"", "stopped: web");
	HAS(ask(*state, stop, "`dry_run`:true,"), "\"stops\":[\"web\"]", "\"dry_run\":true");
	HAS(ask(*state, "{`verb`:`vm show`,`name`:`web`}"), "\"wanted\":\"running\"");
	HAS(ask(*state, stop, "`force`:true,"), "\"result\"");
	HAS(ask(*state, "{`verb`:`vm show`,`name`:`web`}"), "\"wanted\":\"stopped\"");
	HAS(ask(*state, "{`verb`:`apply`,`documents`:[{`name`:`bad`,`text`:`<vm name='x'/>`}]}"),
	    "\"code\":\"invalid-definition\"", "\"file\":\"bad\"", "\"line\":1");
	HAS(ask(*state, "{`verb`:`apply`,`documents`:[]}"), "\"code\":\"malformed\"");
	HAS(ask(*state, "{`verb`:`apply`,`documents`:[{`name`:1}]}"), "\"code\":\"malformed\"");
}

// What is dumped can be applied again, and is then dumped the same.
static void test_dump(void **state)
{
	char *first, *second, *again, *xml;

	first = strdup(ask(*state, "{`verb`:`dump`}"));
	xml = strstr(first, "<clusterd>");
	assert_non_null(xml);
	assert_non_null(
		asprintf(&again,
			 "{\"verb\":\"apply\",\"documents\":[{\"name\":\"d\",\"text\":\"%.*s\"}]}",
			 (int)(strlen(xml) - 3), xml) > 0
			? again
			: NULL);
	HAS(world_ask(*state, again), "\"result\"");
	second = strdup(ask(*state, "{`verb`:`dump`}"));
	assert_string_equal(first, second);
	free(first);
	free(second);
	free(again);
	HAS(ask(*state, "{`verb`:`dump`,`kind`:`vm`}"), "<clusterd>", "name=\\\"web\\\"",
	    "name=\\\"db\\\"");
	HAS(ask(*state, "{`verb`:`dump`,`kind`:`node`,`name`:`n1`}"), "<node name=");
	HAS(ask(*state, "{`verb`:`dump`,`kind`:`vm`,`name`:`x`}"), "\"code\":\"not-found\"");
	HAS(ask(*state, "{`verb`:`dump`,`kind`:`cat`}"), "\"code\":\"malformed\"");
}

static void test_nonsense(void **state)
{
	static const char *const texts[] = { "",
					     "{",
					     "[]",
					     "7",
					     "\"x\"",
					     "{\"verb\":7}",
					     "{\"verb\":\"\"}",
					     "{\"verb\":\"fly\"}",
					     "{\"verb\":\"vm start\"}",
					     "{\"verb\":\"vm start\",\"name\":{}}",
					     "{\"verb\":\"remove\",\"name\":\"x\"}",
					     "{\"verb\":\"events\",\"after\":-1}",
					     "\xff\xfe" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *answer = world_ask(*state, texts[i]);

		assert_non_null(answer);
		HAS(answer, "\"error\":{\"code\":");
	}
}

static void test_moves(void **state)
{
	struct request_world *world = *state;
	struct move *moves = world->node->cluster.moves;
	const struct vm *vm = cluster_find_vm(&world->node->cluster, "web");
	const char *answer;

	HAS(ask(world, "{`verb`:`moves`}"), "\"moves\":[]", "\"past\":[]");
	moves[3] = (struct move){
		.id = 8, .vm = vm->ref, .kind = MOVE_LIVE, .stage = STAGE_TRANSFER, .target = 1
	};
	moves[4] = moves[3];
	moves[4].id = 9;
	world->stats_of = 9;
	world->stats = (struct migrate_stats){ .status = MIGRATE_ACTIVE,
					       .total = 1000000,
					       .remaining = 250000,
					       .rate = 7000,
					       .rounds = 2 };
	answer = ask(world, "{`verb`:`moves`,`name`:`web`}");
	HAS(answer, "\"id\":8", "\"now\":null", "\"id\":9", "\"status\":\"active\"",
	    "\"remaining\":250000", "\"rounds\":2");
	HAS(ask(world, "{`verb`:`moves`,`name`:`db`}"), "\"moves\":[]");
	memset(&moves[3], 0, 2 * sizeof(moves[3]));
}

// An answer for a client that is gone goes nowhere.
static void test_gone(void **state)
{
	struct request_world *world = *state;
	uint32_t answers = world->answers;
	const char *text = "{\"verb\":\"vm clear\",\"name\":\"web\"}";

	request_handle(world->request, WORLD_CLIENT, text, strlen(text));
	request_client_gone(world->request, WORLD_CLIENT);
	world_run(world, 2000);
	assert_int_equal(world->answers, answers);
}

// Alone in its cluster: what has nowhere to go says so before anything is touched.
static void test_refused_moves(void **state)
{
	struct request_world *world = *state;

	world_run(world, 30000);
	HAS(ask(world, "{`verb`:`vm show`,`name`:`web`}"), "\"state\":\"running\"", "\"move\":null",
	    "\"saved\":false");
	HAS(ask(world, "{`verb`:`vm migrate`,`name`:`web`,`to`:`n2`}"), "\"infeasible\"",
	    "vm web cannot be moved: n2 ", "\"fix\":\"bring back n2\"");
	HAS(ask(world, "{`verb`:`vm migrate`,`name`:`web`}"), "\"infeasible\"");
	HAS(ask(world, "{`verb`:`vm migrate`,`name`:`web`,`to`:`n9`}"), "no-such-node");
	HAS(ask(world, "{`verb`:`vm migrate`,`name`:`web`,`to`:`n1`}"), "already-there");
	HAS(ask(world, "{`verb`:`vm cancel`,`name`:`web`}"), "not-moving");
	HAS(ask(world, "{`verb`:`vm restore`,`name`:`web`}"), "not-saved");
	HAS(ask(world, "{`verb`:`moves`}"), "\"moves\":[]", "\"past\":[]");
	HAS(ask(world, "{`verb`:`vm save`,`name`:`web`}"), "\"result\"");
	HAS(ask(world, "{`verb`:`moves`,`name`:`web`}"), "\"kind\":\"save\"", "\"from\":\"n1\"",
	    "\"to\":null", "\"cause\":\"request\"");
	HAS(ask(world, "{`verb`:`vm cancel`,`name`:`web`}"), "\"result\"");
}

static void test_maintenance(void **state)
{
	struct request_world *world = *state;

	world_run(world, 30000);
	HAS(ask(world, "{`verb`:`node maintenance status`,`name`:`n1`}"), "\"maintenance\":false",
	    "\"drain\":\"none\"", "\"vm\":\"web\"", "\"step\":\"blocked\"", "\"blocked\":1");
	HAS(ask(world, "{`verb`:`node maintenance`,`name`:`n1`,`action`:`sleep`}"), "malformed");
	HAS(ask(world, "{`verb`:`node maintenance`,`name`:`n1`,`action`:`off`}"),
	    "not-in-maintenance");
	HAS(ask(world, "{`verb`:`node maintenance`,`name`:`n1`,`action`:`on`}"), "\"result\"");
	world_run(world, 1000);
	HAS(ask(world, "{`verb`:`node maintenance status`,`name`:`n1`}"), "\"drain\":\"stuck\"",
	    "\"reason\":\"web: ");
	HAS(ask(world, "{`verb`:`node list`}"), "\"state\":\"draining\"", "\"drain\":\"stuck\"");
	HAS(ask(world, "{`verb`:`node maintenance`,`name`:`n1`,`action`:`pause`}"), "\"result\"");
	HAS(ask(world, "{`verb`:`node maintenance`,`name`:`n1`,`action`:`abort`}"), "\"result\"");
	HAS(ask(world, "{`verb`:`node list`}"), "\"state\":\"online\"");
}

static void node_hears(struct request_world *world, struct event event)
{
	event.now_ms = world->now_ms;
	world->actions.count = 0;
	world->actions.used = 0;
	node_step(world->node, &event, &world->actions);
}

static void sample_hear(struct request_world *world, const struct measure_sample *sample)
{
	uint8_t bytes[SAMPLE_BYTES_MAX];
	size_t size = sample_encode(sample, bytes, sizeof(bytes));

	assert_true(size > 0);
	node_hears(world, (struct event){ .type = EVENT_MEASURED, .body = bytes,
					  .body_size = size });
}

// What is measured, and why something is not.
static void test_top(void **state)
{
	static struct measure_sample sample;
	struct request_world *world = *state;

	HAS(ask(world, "{`verb`:`top`}"), "\"name\":\"n1\"", "\"cpu_permille\":null",
	    "\"reason\":\"nothing was measured yet\"", "\"latency_us\":null");
	sample = (struct measure_sample){ .step_ms = MEASURE_STEP_MS, .has_node = true };
	sample.node[MEASURE_NODE_CPU] = 432;
	sample.node[MEASURE_NODE_CPU_PRESSURE] = MEASURE_UNKNOWN;
	sample.volume_mask = 1;
	sample.volumes[0] = 777;
	sample.vm_count = 1;
	sample.vms[0].vm = cluster_find_vm(node_cluster(world->node), "web")->ref;
	sample.vms[0].values[MEASURE_VM_CPU - MEASURE_VM_CPU] = 1500;
	sample.vms[0].values[MEASURE_VM_SENT - MEASURE_VM_CPU] = 99;
	sample_hear(world, &sample);
	HAS(ask(world, "{`verb`:`top`}"), "\"cpu_permille\":432",
	    "\"cpu_pressure_permille\":null", "\"reason\":\"its host could not tell this\"",
	    "\"cpu_permille\":1500", "\"sent_kib_s\":99", "\"latency_us\":777",
	    "\"cluster\":\"lab\"");
	HAS(ask(world, "{`verb`:`vm show`,`name`:`web`}"), "\"measured\":{",
	    "\"cpu_permille\":[1500]", "\"step_ms\":10000");
	HAS(ask(world, "{`verb`:`node show`,`name`:`n1`}"), "\"cpu_permille\":[432]");
	HAS(ask(world, "{`verb`:`volume show`,`name`:`vol1`}"), "\"latency_us\":777");
	world->now_ms += 3 * MEASURE_STEP_MS + 1;
	node_hears(world, (struct event){ .type = EVENT_TICK });
	HAS(ask(world, "{`verb`:`top`}"), "\"cpu_permille\":null",
	    "\"reason\":\"the last measurement is too old\"");
}

int main(void)
{
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_up, world_down)
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_status),   WORLD_TEST(test_show),  WORLD_TEST(test_explain),
		WORLD_TEST(test_changes),  WORLD_TEST(test_apply), WORLD_TEST(test_dump),
		WORLD_TEST(test_nonsense), WORLD_TEST(test_gone),  WORLD_TEST(test_moves),
		WORLD_TEST(test_top),
		WORLD_TEST(test_balance_plan),
		WORLD_TEST(test_refused_moves), WORLD_TEST(test_maintenance),
		WORLD_TEST(test_capacity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
