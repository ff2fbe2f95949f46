// SPDX-License-Identifier: Apache-2.0
/*
 * Scripts of tips. The coordinator runs them on its own host, and only when the entry that says so
 * came out of the log as the proposal of this very daemon: a daemon that starts again, or another
 * coordinator, reads the same entry and runs nothing. So a script runs once, or not at all.
 */
#include <string.h>

#include "clusterd/node_internal.h"
#include "clusterd/text.h"

enum { SAY_AGAIN_MS = 3000, ENVIRONMENT_SIZE = 1024 };

bool script_room(const struct node *node)
{
	for (uint32_t i = 0; i < SCRIPTS_MAX; i++)
		if (node->scripts[i].tip == 0)
			return true;
	return false;
}

static void say(struct text *text, const char *name, const char *value)
{
	text_add(text_add(text_add(text_add(text, name), "="), value), "\n");
}

static void say_number(struct text *text, const char *name, uint64_t value)
{
	text_add(text_add_number(text_add(text_add(text, name), "="), value), "\n");
}

static void say_tip(struct text *text, const struct cluster *cluster, const struct tip *tip)
{
	say(text, "CLUSTERD_CLUSTER", cluster->def.name);
	say(text, "CLUSTERD_POLICY", tip->policy);
	say_number(text, "CLUSTERD_TIP", tip->id);
	say(text, "CLUSTERD_SUBJECT", pro_subject_words[tip->subject]);
	say(text, "CLUSTERD_NAME", tip->subject_name);
	say(text, "CLUSTERD_MEASURE", pro_measure_words[tip->measure]);
	say(text, "CLUSTERD_SEVERITY", pro_severity_words[tip->severity]);
	say_number(text, "CLUSTERD_THRESHOLD", tip->threshold);
	if (tip->point_count > 0)
		say_number(text, "CLUSTERD_VALUE", tip->points[tip->point_count - 1]);
}

static void script_begin(struct node *node, const struct tip *tip, const struct pro_def *def,
			 struct local_script *script, struct actions *actions)
{
	struct action *action = actions_add(actions, ACTION_SCRIPT_RUN);
	char *name = actions_bytes(actions, sizeof(def->script));
	char *body = actions_bytes(actions, ENVIRONMENT_SIZE);
	struct text text = text_in(body, ENVIRONMENT_SIZE);

	memset(script, 0, sizeof(*script));
	script->tip = tip->id;
	text_copy(name, sizeof(def->script), def->script);
	say_tip(&text, &node->cluster, tip);
	action->cookie = tip->id;
	action->attempt = def->script_limit_s;
	action->text = name;
	action->body = (const uint8_t *)body;
	action->body_size = text.length;
}

void script_applied(struct node *node, const struct entry *entry, struct actions *actions)
{
	const struct tip *tip =
		entry->type == ENTRY_TIP_ADVANCE ? cluster_tip(&node->cluster, entry->tip) : NULL;
	const struct cluster_policy *policy =
		tip ? cluster_find_policy(&node->cluster, tip->policy) : NULL;

	if (!policy || entry->tip_state != TIP_RUNNING || tip->action != PRO_SCRIPT ||
	    policy->def.action != PRO_SCRIPT || tip->actor != node_self_slot(node))
		return;
	for (uint32_t i = 0; i < SCRIPTS_MAX; i++) {
		if (node->scripts[i].tip != 0)
			continue;
		script_begin(node, tip, &policy->def, &node->scripts[i], actions);
		return;
	}
}

void script_event(struct node *node, const struct event *event, struct actions *actions)
{
	(void)actions;
	if (event->type != EVENT_SCRIPT_DONE)
		return;
	for (uint32_t i = 0; i < SCRIPTS_MAX; i++) {
		struct local_script *script = &node->scripts[i];

		if (script->tip == 0 || script->tip != event->cookie)
			continue;
		script->over = true;
		script->good = event->flag;
		text_copy(script->reason, sizeof(script->reason),
			  event->reason ? event->reason : "");
	}
}

// Told again until the tip is over, by this word or by another.
void script_step(struct node *node, struct actions *actions)
{
	for (uint32_t i = 0; i < SCRIPTS_MAX; i++) {
		struct local_script *script = &node->scripts[i];
		const struct tip *tip = cluster_tip(&node->cluster, script->tip);
		struct entry entry;

		if (script->tip == 0 || !script->over)
			continue;
		if (!tip || tip->state != TIP_RUNNING) {
			script->tip = 0;
			continue;
		}
		if (!view_normal(node->view))
			continue;
		if (script->said_ms && node->now_ms - script->said_ms < SAY_AGAIN_MS) {
			node_wake_at(node, script->said_ms + SAY_AGAIN_MS);
			continue;
		}
		memset(&entry, 0, sizeof(entry));
		entry.type = ENTRY_SCRIPT_REPORT;
		entry.node_id = node->self;
		entry.tip = script->tip;
		entry.flag = script->good;
		text_copy(entry.reason, sizeof(entry.reason), script->reason);
		if (node_propose(node, &entry, NULL, actions))
			script->said_ms = node->now_ms;
		node_wake_at(node, node->now_ms + SAY_AGAIN_MS);
	}
}
