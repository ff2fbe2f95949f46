// SPDX-License-Identifier: Apache-2.0
// The coordinator's part in policies: whose condition holds for long enough, and the tip that is
// then opened.
#include <string.h>

#include "clusterd/decide_tip.h"
#include "clusterd/text.h"

// Three samples.
static uint32_t settle_s(const struct cluster *cluster)
{
	return cluster->def.measure_s ? 3 * cluster->def.measure_s : 3 * MEASURE_STEP_MS / 1000;
}

static bool same_target(const struct pro_target *a, const struct pro_target *b)
{
	return a->subject == b->subject && a->node == b->node && a->volume == b->volume &&
	       a->vm.slot == b->vm.slot && a->vm.serial == b->vm.serial;
}

static struct pro_target watched(const struct condition_watch *watch)
{
	bool volume = watch->subject == PRO_VOLUME;

	return (struct pro_target){ watch->subject,
				    watch->subject == PRO_NODE ? watch->slot : SLOT_NONE,
				    volume ? watch->slot : SLOT_NONE, watch->vm };
}

// The watch of this condition: the one there is, a free one, or one that was forgotten.
static struct condition_watch *watch_of(struct tipping *t, const struct pro_def *def,
					const struct pro_target *target)
{
	struct condition_watch *unused = NULL;

	for (uint32_t i = 0; i < CONDITIONS_MAX; i++) {
		struct condition_watch *watch = &t->node->conditions[i];
		struct pro_target other = watched(watch);

		if (watch->policy[0] && t->node->now_ms - watch->seen_ms > 3 * POLICY_LOOK_MS)
			memset(watch, 0, sizeof(*watch));
		if (watch->policy[0] && strcmp(watch->policy, def->name) == 0 &&
		    same_target(&other, target))
			return watch;
		if (!watch->policy[0] && !unused)
			unused = watch;
	}
	if (!unused)
		return NULL;
	memset(unused, 0, sizeof(*unused));
	text_copy(unused->policy, sizeof(unused->policy), def->name);
	unused->subject = target->subject;
	unused->slot = target->subject == PRO_VOLUME ? target->volume : target->node;
	unused->vm = target->vm;
	unused->since_ms = t->node->now_ms;
	return unused;
}

// For how long the condition holds, by what was measured or as watched here; UINT64_MAX: it does
// not.
static uint64_t held(struct tipping *t, const struct pro_def *def, const struct pro_target *target,
		     const struct pro_reading *reading)
{
	uint64_t held_ms = pro_held_ms(def, reading), watched_ms;
	struct condition_watch *watch;
	enum pro_judgement now;

	if (!reading->known)
		return UINT64_MAX;
	now = pro_judge(def, reading->values[reading->count - 1]);
	if (now == PRO_OVER || (now == PRO_BETWEEN && held_ms == 0))
		return UINT64_MAX;
	watch = watch_of(t, def, target);
	if (!watch)
		return held_ms;
	watch->seen_ms = t->node->now_ms;
	watched_ms = t->node->now_ms - watch->since_ms;
	return watched_ms > held_ms ? watched_ms : held_ms;
}

// A tip of it about this is there already, or was a moment ago.
static bool told_lately(const struct tipping *t, const struct pro_def *def,
			const struct pro_target *target)
{
	for (uint32_t i = 0; i < TIPS_MAX; i++) {
		const struct tip *tip = &t->node->cluster.tips[i];
		struct pro_target other = tip_target(tip);
		uint64_t ago_ms =
			t->world.wall_ms > tip->changed_ms ? t->world.wall_ms - tip->changed_ms : 0;

		if (tip->id == 0 || strcmp(tip->policy, def->name) != 0)
			continue;
		// Whatever node is hot, it is the same balance.
		if (!same_target(&other, target) && def->action != PRO_BALANCE)
			continue;
		if (tip_lives(tip) || ago_ms < def->rest_s * UINT64_C(1000))
			return true;
	}
	return false;
}

static void name_subject(const struct cluster *cluster, const struct pro_target *target,
			 struct tip *tip)
{
	const struct vm *vm;

	switch ((enum pro_subject)target->subject) {
	case PRO_NODE:
		text_copy(tip->subject_name, NAME_SIZE, cluster->nodes[target->node].def.name);
		break;
	case PRO_VM:
		vm = cluster_vm(cluster, target->vm);
		text_copy(tip->subject_name, NAME_SIZE, vm ? vm_definition(cluster, vm)->name : "");
		break;
	case PRO_VOLUME:
		text_copy(tip->subject_name, NAME_SIZE, cluster->volumes[target->volume].def.name);
		break;
	case PRO_CLUSTER:
	case PRO_SUBJECT_COUNT:
		break;
	}
}

static void take_evidence(struct tip *tip, const struct pro_def *def,
			  const struct pro_reading *reading)
{
	uint32_t skip = reading->count > TIP_POINTS_MAX ? reading->count - TIP_POINTS_MAX : 0;

	tip->measure = def->measure;
	tip->threshold = def->threshold;
	tip->below = def->below;
	tip->step_s = (reading->step_ms + 999) / 1000;
	for (uint32_t i = skip; reading->known && i < reading->count; i++)
		tip->points[tip->point_count++] = reading->values[i];
}

static void say_value(struct text *text, enum pro_measure measure, uint32_t value)
{
	static const char *const colours[NODE_HEALTH_COUNT] = { "green", "yellow", "red" };

	if (measure == PRO_HEALTH && value < NODE_HEALTH_COUNT)
		text_add(text, colours[value]);
	else
		text_add(text_add(text_add_number(text, value), " "), pro_unit(measure));
}

static void say_why(const struct tipping *t, const struct pro_def *def,
		    const struct pro_reading *reading, const char *plan, struct tip *tip)
{
	struct text text = text_in(tip->reason, sizeof(tip->reason));
	bool first = true;

	if (reading->known && def->measure != PRO_JOINED) {
		text_add(text_add(&text, pro_measure_words[def->measure]), " of ");
		text_add(text_add(&text, tip->subject_name[0] ? tip->subject_name : "the cluster"),
			 " is ");
		say_value(&text, (enum pro_measure)def->measure,
			  reading->values[reading->count - 1]);
	} else if (reading->known) {
		text_add(text_add(&text, tip->subject_name), " came in");
	}
	if (plan[0])
		text_add(text_add(&text, text.length ? ": " : ""), plan);
	for (uint8_t slot = 0; slot < NODES_MAX; slot++) {
		if (!(t->unseen >> slot & 1))
			continue;
		text_add(&text, first ? "; left out, for want of measurements: " : ", ");
		text_add(&text, t->node->cluster.nodes[slot].def.name);
		first = false;
	}
}

// Opens a tip, or says in `why` that there is nothing to do.
static bool open_tip(struct tipping *t, const struct pro_def *def, const struct pro_target *target,
		     const struct pro_reading *reading, bool asked, char *why)
{
	struct tip_planner planner = tip_planner_for(t, def, target, asked);
	struct tip tip;

	memset(&tip, 0, sizeof(tip));
	if (!tip_plan_make(&planner, &tip, why))
		return false;
	tip.severity = def->severity;
	tip.action = def->action;
	text_copy(tip.policy, sizeof(tip.policy), def->name);
	tip.asked = asked;
	tip.state = asked ? TIP_ACCEPTED : TIP_OPEN;
	tip.subject = target->subject;
	tip.node = target->node;
	tip.volume = target->volume;
	tip.vm = target->vm;
	tip.actor = SLOT_NONE;
	tip.unseen = planner.configured ? 0 : t->unseen;
	tip.expires_ms = t->world.wall_ms + def->expires_s * UINT64_C(1000);
	name_subject(&t->node->cluster, target, &tip);
	take_evidence(&tip, def, reading);
	say_why(t, def, reading, why, &tip);
	tip_propose(t, ENTRY_TIP_OPEN, 0, &tip);
	return true;
}

struct worst {
	bool found;
	struct pro_target target;
	struct pro_reading reading;
};

// Of several the first one, or for a balance the worst: it is the same for all of them.
static void look_at(struct tipping *t, const struct pro_def *def, const struct pro_target *target,
		    bool asked, struct worst *worst)
{
	struct pro_reading reading;
	uint64_t held_ms;
	bool worse;

	pro_read(&t->world, def, target, &reading);
	held_ms = held(t, def, target, &reading);
	if (held_ms == UINT64_MAX || !pro_rate_fits(def, &reading))
		return;
	if (!asked && (held_ms < def->hold_s * UINT64_C(1000) || told_lately(t, def, target)))
		return;
	worse = !worst->found || (def->below ? pro_value(&reading) < pro_value(&worst->reading)
					     : pro_value(&reading) > pro_value(&worst->reading));
	if (worse)
		*worst = (struct worst){ true, *target, reading };
}

static void look_at_all(struct tipping *t, const struct pro_def *def, bool asked,
			struct worst *worst)
{
	const struct cluster *cluster = &t->node->cluster;
	struct pro_target target = { def->subject, SLOT_NONE, SLOT_NONE, { UINT32_MAX, 0 } };

	worst->found = false;
	if (def->subject == PRO_CLUSTER)
		look_at(t, def, &target, asked, worst);
	for (uint8_t slot = 0; def->subject == PRO_NODE && slot < cluster->node_high; slot++) {
		target.node = slot;
		if (cluster->nodes[slot].used)
			look_at(t, def, &target, asked, worst);
	}
	for (uint32_t i = 0; def->subject == PRO_VM && i < cluster->vm_high; i++) {
		target.vm = cluster->vms[i].ref;
		if (cluster->vms[i].used)
			look_at(t, def, &target, asked, worst);
	}
	for (uint8_t slot = 0; def->subject == PRO_VOLUME && slot < cluster->volume_high; slot++) {
		target.volume = slot;
		if (cluster->volumes[slot].used)
			look_at(t, def, &target, asked, worst);
	}
}

static void ran(struct tipping *t, const char *policy, const char *why)
{
	struct entry entry;

	memset(&entry, 0, sizeof(entry));
	entry.type = ENTRY_POLICY_RAN;
	text_copy(entry.name, sizeof(entry.name), policy);
	text_copy(entry.reason, sizeof(entry.reason), why);
	node_propose(t->node, &entry, NULL, t->actions);
}

static bool any_moves(const struct cluster *cluster)
{
	for (uint32_t i = 0; i < TIPS_MAX; i++)
		if (cluster->tips[i].id != 0 && tip_moves_vms(&cluster->tips[i]) &&
		    (cluster->tips[i].state == TIP_ACCEPTED ||
		     cluster->tips[i].state == TIP_RUNNING))
			return true;
	return false;
}

/*
 * What was asked for is done at once, without the hold. A balance needs no hot node; everything
 * else needs somebody for whom the condition holds.
 */
static void run_asked(struct tipping *t, const struct pro_def *def)
{
	struct pro_target all = { PRO_CLUSTER, SLOT_NONE, SLOT_NONE, { UINT32_MAX, 0 } };
	struct worst worst = { .found = false };
	char why[REASON_SIZE] = "its condition holds nowhere";

	if (any_moves(&t->node->cluster)) {
		ran(t, def->name, "another tip is being carried out: clustadm tips list");
		return;
	}
	if (def->name[0])
		look_at_all(t, def, true, &worst);
	if (!worst.found && def->action != PRO_BALANCE) {
		ran(t, def->name, why);
		return;
	}
	if (!worst.found)
		worst.target = all;
	if (!open_tip(t, def, &worst.target, &worst.reading, true, why))
		ran(t, def->name, why);
}

/*
 * Nothing moves, and nothing has for as long as three samples take: what is measured is then of how
 * things are. A plan from before that would move what was just moved out of the way.
 */
static bool loads_are_settled(const struct tipping *t)
{
	const struct cluster *cluster = &t->node->cluster;

	for (uint32_t i = 0; i < MOVES_MAX; i++)
		if (cluster->moves[i].id != 0)
			return false;
	for (uint32_t i = 0; i < cluster->vm_high; i++)
		if (cluster->vms[i].used &&
		    pro_vm_rests(&cluster->vms[i], settle_s(cluster), t->world.wall_ms))
			return false;
	return true;
}

void policies_look(struct tipping *t)
{
	bool settled = loads_are_settled(t);
	struct worst worst;
	char why[REASON_SIZE];

	for (uint32_t i = 0; i < POLICIES_MAX; i++) {
		const struct cluster_policy *policy = &t->node->cluster.policies[i];

		if (!policy->used || !policy->def.enabled)
			continue;
		look_at_all(t, &policy->def, false, &worst);
		if (worst.found && (settled || policy->def.action > PRO_BALANCE))
			open_tip(t, &policy->def, &worst.target, &worst.reading, false, why);
	}
}

bool policies_answer(struct tipping *t)
{
	struct cluster *cluster = &t->node->cluster;
	struct pro_def plain = pro_plain_balance();

	if (cluster->balance.wanted) {
		run_asked(t, &plain);
		return true;
	}
	for (uint32_t i = 0; i < POLICIES_MAX; i++) {
		struct cluster_policy *policy = &cluster->policies[i];

		if (!policy->used || !policy->run.wanted)
			continue;
		if (policy->def.enabled)
			run_asked(t, &policy->def);
		else
			ran(t, policy->def.name, "it is disabled");
		return true;
	}
	return false;
}
