// SPDX-License-Identifier: Apache-2.0
// The fields of PRO policies and of tips; see fields.h.
#include "clusterd/fields.h"

void fields_pro_def(struct fields *f, struct pro_def *def)
{
	field_string(f, def->name, sizeof(def->name));
	field_bool(f, &def->enabled);
	field_bool(f, &def->enabled_given);
	field_enum(f, &def->severity, PRO_SEVERITY_COUNT);
	field_enum(f, &def->mode, PRO_MODE_COUNT);
	field_u32(f, &def->from_min);
	field_u32(f, &def->to_min);
	field_enum(f, &def->subject, PRO_SUBJECT_COUNT);
	field_enum(f, &def->measure, PRO_MEASURE_COUNT);
	field_bool(f, &def->below);
	field_u32(f, &def->threshold);
	field_u32(f, &def->clear);
	field_u32(f, &def->rate);
	field_u32(f, &def->hold_s);
	field_enum(f, &def->action, PRO_ACTION_COUNT);
	field_string(f, def->script, sizeof(def->script));
	field_u32(f, &def->script_limit_s);
	field_u32(f, &def->min_gain);
	field_u32(f, &def->rest_s);
	field_u32(f, &def->budget);
	field_u32(f, &def->at_once);
	field_u32(f, &def->moves);
	field_u32(f, &def->expires_s);
}

static void fields_tip_move(struct fields *f, struct tip_move *move)
{
	fields_vm_ref(f, &move->vm);
	field_slot(f, &move->from, NODES_MAX);
	field_slot(f, &move->to, NODES_MAX);
	field_u32(f, &move->move);
	field_enum(f, &move->outcome, MOVE_OUTCOME_COUNT);
}

static void fields_tip_evidence(struct fields *f, struct tip *tip)
{
	field_enum(f, &tip->measure, PRO_MEASURE_COUNT);
	field_u32(f, &tip->threshold);
	field_bool(f, &tip->below);
	field_count(f, &tip->point_count, TIP_POINTS_MAX);
	for (uint32_t i = 0; i < tip->point_count; i++)
		field_u32(f, &tip->points[i]);
	field_u32(f, &tip->step_s);
	field_u64(f, &tip->unseen);
}

void fields_tip(struct fields *f, struct tip *tip)
{
	field_u32(f, &tip->id);
	field_enum(f, &tip->state, TIP_STATE_COUNT);
	field_enum(f, &tip->severity, PRO_SEVERITY_COUNT);
	field_enum(f, &tip->action, PRO_ACTION_COUNT);
	field_string(f, tip->policy, sizeof(tip->policy));
	field_bool(f, &tip->asked);
	field_bool(f, &tip->automatic);
	field_enum(f, &tip->subject, PRO_SUBJECT_COUNT);
	field_slot(f, &tip->node, NODES_MAX);
	field_slot(f, &tip->volume, VOLUMES_MAX);
	fields_vm_ref(f, &tip->vm);
	field_string(f, tip->subject_name, sizeof(tip->subject_name));
	field_u64(f, &tip->opened_ms);
	field_u64(f, &tip->changed_ms);
	field_u64(f, &tip->expires_ms);
	fields_tip_evidence(f, tip);
	field_count(f, &tip->move_count, TIP_MOVES_MAX);
	for (uint32_t i = 0; i < tip->move_count; i++)
		fields_tip_move(f, &tip->moves[i]);
	field_u32(f, &tip->replans);
	field_u32(f, &tip->before);
	field_u32(f, &tip->after);
	field_u32(f, &tip->cost_ms);
	field_u64(f, &tip->cost_bytes);
	field_slot(f, &tip->actor, NODES_MAX);
	field_enum(f, &tip->verdict, TIP_VERDICT_COUNT);
	field_u32(f, &tip->measured);
	field_string(f, tip->reason, sizeof(tip->reason));
	field_string(f, tip->result, sizeof(tip->result));
}

void fields_policy_run(struct fields *f, struct policy_run *run)
{
	field_bool(f, &run->wanted);
	field_u32(f, &run->count);
	field_u32(f, &run->tip);
	field_string(f, run->reason, sizeof(run->reason));
}

void fields_policy(struct fields *f, struct cluster_policy *policy)
{
	fields_pro_def(f, &policy->def);
	field_bool(f, &policy->suspended);
	field_string(f, policy->reason, sizeof(policy->reason));
	fields_policy_run(f, &policy->run);
	field_count(f, &policy->past_count, POLICY_PAST_MAX);
	for (uint32_t i = 0; i < policy->past_count; i++) {
		field_u32(f, &policy->past[i].tip);
		field_enum(f, &policy->past[i].verdict, TIP_VERDICT_COUNT);
		field_u32(f, &policy->past[i].before);
		field_u32(f, &policy->past[i].after);
		field_u32(f, &policy->past[i].measured);
	}
}
