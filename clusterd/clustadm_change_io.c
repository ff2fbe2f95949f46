// SPDX-License-Identifier: Apache-2.0
// The commands that change something, and wait for what becomes of it.
#include <string.h>

#include "clusterd/clustadm_io.h"
#include "clusterd/clustadm_wait_io.h"

enum {
	POLL_MS = 200,
	DAEMON_AWAY_MS = 60000, // a daemon that restarts is waited for so long
	DETAIL_MS = 5000,	// between lines of a pipe that tell how far it is
};

static enum exit_status wait_unfinished(struct session *session, const struct wait *wait,
					const char *line)
{
	char reason[512], fix[160];

	snprintf(reason, sizeof(reason), "%s, the work goes on: %s",
		 session_interrupted() ? "interrupted" : "the time is up", line);
	if (wait->look)
		snprintf(fix, sizeof(fix), "%s shows how it goes", wait->look);
	else
		snprintf(fix, sizeof(fix), "clustadm %s %.64s shows how it goes", wait->show,
			 wait->name);
	return session_fail(session, EXIT_UNFINISHED, "unfinished", reason, fix);
}

static enum exit_status wait_end(struct session *session, const struct wait *wait,
				 enum outcome outcome, const json_t *now, const char *line)
{
	session_progress_end(session);
	if (outcome == OUTCOME_FAILED)
		return session_fail(session, EXIT_REFUSED, "failed", line, json_word(now, "fix"));
	if (wait->is_step)
		return EXIT_DONE;
	if (session->invocation->json)
		session_json(session, now);
	else if (!session->invocation->quiet)
		puts(line);
	return EXIT_DONE;
}

struct shown {
	char line[400], detail[200];
	uint64_t at_ms;
};

// On a terminal whenever something changes. In a pipe, where every line stays, numbers alone are
// worth one now and then.
static void wait_show(struct session *session, const char *line, const char *detail,
		      struct shown *shown)
{
	bool same = strcmp(line, shown->line) == 0, told = strcmp(detail, shown->detail) == 0;
	uint64_t now_ms = session_now_ms();
	char whole[640];

	if (same && (told || (!session->error_terminal && now_ms - shown->at_ms < DETAIL_MS)))
		return;
	snprintf(whole, sizeof(whole), "%s%s%s", line, *detail ? ": " : "", detail);
	session_progress(session, whole);
	snprintf(shown->line, sizeof(shown->line), "%s", line);
	snprintf(shown->detail, sizeof(shown->detail), "%s", detail);
	shown->at_ms = now_ms;
}

enum exit_status wait_for(struct session *session, const struct wait *wait)
{
	struct shown shown = { .at_ms = session_now_ms() };
	char line[400] = "", detail[200] = "";
	uint64_t away_ms = 0;

	for (;;) {
		json_t *now;
		enum exit_status status =
			session_poll(session, ask_new(wait->show, wait->name), &now);
		enum outcome outcome = OUTCOME_MORE;

		if (status == EXIT_DONE) {
			outcome = wait->judge(wait, now, line, sizeof(line));
			if (wait->detail)
				wait->detail(now, detail, sizeof(detail));
			away_ms = 0;
		} else if (status != EXIT_NO_DAEMON) {
			return status;
		} else {
			snprintf(line, sizeof(line), "%s: this host's clusterd does not answer",
				 wait->name);
			detail[0] = 0;
			away_ms = away_ms ? away_ms : session_now_ms();
		}
		if (outcome != OUTCOME_MORE) {
			status = wait_end(session, wait, outcome, now, line);
			json_decref(now);
			return status;
		}
		json_decref(now);
		if (session_interrupted() || session_late(session))
			return wait_unfinished(session, wait, line);
		if (away_ms && session_now_ms() - away_ms > DAEMON_AWAY_MS)
			return session_fail(session, EXIT_NO_DAEMON, "no-daemon",
					    "clusterd went away; the work may go on",
					    "clustadm status");
		wait_show(session, line, detail, &shown);
		session_sleep_ms(POLL_MS);
	}
}

void change_print(struct session *session, const json_t *result, const char *line)
{
	session_progress_end(session);
	if (session->invocation->json)
		session_json(session, result);
	else if (!session->invocation->quiet)
		puts(line);
}

enum exit_status change(struct session *session, json_t *ask, json_t **result)
{
	enum exit_status status;

	session->changes = true;
	status = session_ask(session, ask, result);
	session->changes = false;
	return status;
}

/* VMs. */

static void vm_line(const json_t *vm, char *line, size_t size)
{
	const char *node = json_word(vm, "node"), *reason = json_word(vm, "reason");

	snprintf(line, size, "%s: %s%s%s%s%s", json_word(vm, "name"), json_word(vm, "state"),
		 *node ? " on " : "", node, *reason ? ": " : "", reason);
}

static enum outcome judge_start(const struct wait *wait, const json_t *now, char *line, size_t size)
{
	const char *state = json_word(now, "state");

	(void)wait;
	vm_line(now, line, size);
	if (strcmp(json_word(now, "wanted"), "running") != 0)
		return OUTCOME_FAILED; // somebody else wants otherwise meanwhile
	if (strcmp(state, "running") == 0)
		return OUTCOME_DONE;
	if (strcmp(state, "error") == 0 || strcmp(state, "blocked") == 0 ||
	    !json_flag(now, "managed"))
		return OUTCOME_FAILED;
	return OUTCOME_MORE;
}

static enum outcome judge_stop(const struct wait *wait, const json_t *now, char *line, size_t size)
{
	const char *state = json_word(now, "state");

	(void)wait;
	vm_line(now, line, size);
	if (strcmp(json_word(now, "wanted"), "running") == 0)
		return OUTCOME_FAILED;
	if (strcmp(state, "stopped") == 0 || strcmp(state, "disabled") == 0 ||
	    strcmp(state, "saved") == 0 ||
	    strcmp(state, "error") == 0)
		return OUTCOME_DONE;
	if (strcmp(state, "blocked") == 0 || !json_flag(now, "managed"))
		return OUTCOME_FAILED;
	return OUTCOME_MORE;
}

static const char *changed_words(enum command_id id)
{
	if (id == COMMAND_VM_START || id == COMMAND_VM_RESTORE)
		return "is wanted running";
	if (id == COMMAND_VM_STOP)
		return "is wanted stopped";
	if (id == COMMAND_VM_DISABLE)
		return "is disabled";
	if (id == COMMAND_VM_MANAGE || id == COMMAND_NODE_MANAGE)
		return "is managed";
	if (id == COMMAND_VM_UNMANAGE || id == COMMAND_NODE_UNMANAGE)
		return "is not managed any more";
	if (id == COMMAND_VM_CLEAR)
		return "has its failures forgotten";
	if (id == COMMAND_NODE_FENCE)
		return "will be switched off";
	return "is taken for dead";
}

static enum exit_status changed(struct session *session, json_t *result, const struct wait *wait)
{
	const struct invocation *invocation = session->invocation;
	char line[512];
	enum exit_status status = EXIT_DONE;

	snprintf(line, sizeof(line), "%.64s %s", invocation->argv[0],
		 changed_words(invocation->id));
	if (*json_word(result, "note"))
		snprintf(line + strlen(line), sizeof(line) - strlen(line), ": %s",
			 json_word(result, "note"));
	if (wait->judge && !invocation_has(invocation, OPTION_NO_WAIT))
		status = wait_for(session, wait);
	else
		change_print(session, result, line);
	json_decref(result);
	return status;
}

enum exit_status clustadm_vm_change(struct session *session)
{
	const struct invocation *invocation = session->invocation;
	struct wait wait = { .show = "vm show", .name = invocation->argv[0] };
	json_t *ask, *result;
	enum exit_status status;
	char verb[32];

	snprintf(verb, sizeof(verb), "vm %s", commands[invocation->id].verb);
	ask = ask_new(verb, invocation->argv[0]);
	if (invocation_has(invocation, OPTION_FORCE))
		json_object_set_new(ask, "force", json_true());
	status = change(session, ask, &result);
	if (status != EXIT_DONE)
		return status;
	if (invocation->id == COMMAND_VM_START || invocation->id == COMMAND_VM_RESTORE)
		wait.judge = judge_start;
	else if (invocation->id == COMMAND_VM_STOP || invocation->id == COMMAND_VM_DISABLE)
		wait.judge = judge_stop;
	return changed(session, result, &wait);
}

/* Nodes. */

static enum outcome judge_off(const struct wait *wait, const json_t *now, char *line, size_t size)
{
	const char *life = json_word(now, "life"), *reason = json_word(now, "reason");
	long long devices = json_number(now, "fence_devices");

	snprintf(line, size, "%s: %s%s%s", json_word(now, "name"), life, *reason ? ": " : "",
		 reason);
	if (strcmp(life, "dead") == 0)
		return OUTCOME_DONE;
	// It may be back before anybody looked.
	if (strcmp(life, "online") == 0 && !json_flag(now, "fence_wanted"))
		return json_number(now, "fence_attempt") > wait->attempt_before ? OUTCOME_DONE
										: OUTCOME_FAILED;
	if (devices > 0 && json_number(now, "fence_failures") >= wait->failures_before + devices)
		return OUTCOME_FAILED;
	return OUTCOME_MORE;
}

static enum exit_status node_confirm(struct session *session, const char *name)
{
	char question[512];

	if (session->invocation->id == COMMAND_NODE_FENCE)
		snprintf(question, sizeof(question),
			 "this switches the power of %.64s off; its VMs die and start elsewhere",
			 name);
	else if (session->invocation->id == COMMAND_NODE_CONFIRM_DEAD)
		snprintf(question, sizeof(question),
			 "if %.64s is not off, or can still write to the volumes, this destroys "
			 "the disks "
			 "of its VMs",
			 name);
	else
		return EXIT_DONE;
	return session_confirm(session, question);
}

enum exit_status clustadm_node_change(struct session *session)
{
	const struct invocation *invocation = session->invocation;
	const char *name = invocation->argv[0];
	struct wait wait = { .show = "node show", .name = name };
	json_t *before, *result;
	enum exit_status status;
	char verb[32];

	status = session_ask(session, ask_new("node show", name), &before);
	if (status != EXIT_DONE)
		return status;
	wait.failures_before = json_number(before, "fence_failures");
	wait.attempt_before = json_number(before, "fence_attempt");
	json_decref(before);
	status = node_confirm(session, name);
	if (status != EXIT_DONE)
		return status;
	snprintf(verb, sizeof(verb), "node %s", commands[invocation->id].verb);
	if (invocation->id == COMMAND_NODE_CONFIRM_DEAD)
		session_progress(session, "looking whether it still renews its host id");
	status = change(session, ask_new(verb, name), &result);
	if (status != EXIT_DONE)
		return status;
	if (invocation->id == COMMAND_NODE_FENCE || invocation->id == COMMAND_NODE_CONFIRM_DEAD)
		wait.judge = judge_off;
	return changed(session, result, &wait);
}

/* Objects. */

// A VM that runs is stopped first, as `vm stop` does it, if that is what is meant. Whatever else is
// still in use is refused by the cluster itself.
static enum exit_status remove_end(struct session *session, const char *name)
{
	struct wait wait = {
		.show = "vm show", .name = name, .judge = judge_stop, .is_step = true
	};
	char question[256];
	enum exit_status status;
	json_t *now, *asked = NULL;

	status = session_ask(session, ask_new("vm show", name), &now);
	if (status != EXIT_DONE)
		return status;
	if (!*json_word(now, "node")) {
		json_decref(now);
		return EXIT_DONE;
	}
	snprintf(question, sizeof(question), "%.64s is %s on %.64s, and will be stopped", name,
		 json_word(now, "state"), json_word(now, "node"));
	json_decref(now);
	status = session_confirm(session, question);
	if (status == EXIT_DONE)
		status = change(session, ask_new("vm stop", name), &asked);
	json_decref(asked);
	return status == EXIT_DONE ? wait_for(session, &wait) : status;
}

enum exit_status clustadm_remove(struct session *session)
{
	const char *word = session->invocation->argv[0], *slash = strchr(word, '/');
	char kind[16] = "", line[256];
	enum exit_status status;
	json_t *ask, *result;

	if (slash && (size_t)(slash - word) < sizeof(kind))
		memcpy(kind, word, (size_t)(slash - word));
	if (!slash || !slash[1] ||
	    (strcmp(kind, "vm") != 0 && strcmp(kind, "node") != 0 && strcmp(kind, "volume") != 0 &&
	     strcmp(kind, "rule") != 0 && strcmp(kind, "policy") != 0))
		return session_fail(
			session, EXIT_USAGE, "usage",
			"what can be removed is vm/NAME, node/NAME, volume/NAME, rule/NAME and "
			"policy/NAME",
			"clustadm help remove");
	status = strcmp(kind, "vm") == 0 ? remove_end(session, slash + 1) : EXIT_DONE;
	if (status != EXIT_DONE)
		return status;
	ask = ask_new("remove", slash + 1);
	json_object_set_new(ask, "kind", json_string(kind));
	status = change(session, ask, &result);
	if (status != EXIT_DONE)
		return status;
	snprintf(line, sizeof(line), "%s is removed", word);
	change_print(session, result, line);
	json_decref(result);
	return EXIT_DONE;
}

enum exit_status clustadm_recover(struct session *session)
{
	json_t *result, *quorum;
	enum exit_status status;
	char question[512];

	if (!invocation_has(session->invocation, OPTION_ACCEPT_LOSS))
		return session_fail(
			session, EXIT_USAGE, "usage",
			"recover continues without a majority of the stores: say --accept-loss",
			"clustadm help recover");
	status = session_ask(session, ask_new("quorum", NULL), &quorum);
	if (status != EXIT_DONE)
		return status;
	snprintf(question, sizeof(question),
		 "%s%schanges after index %lld that only the missing stores hold are lost for ever",
		 json_word(quorum, "reason"), *json_word(quorum, "reason") ? "; " : "",
		 json_number(quorum, "last_index"));
	json_decref(quorum);
	status = session_confirm(session, question);
	if (status != EXIT_DONE)
		return status;
	status = change(session, ask_new("recover", NULL), &result);
	if (status != EXIT_DONE)
		return status;
	change_print(session, result,
		     *json_word(result, "note") ? json_word(result, "note")
						: "the cluster continues");
	json_decref(result);
	return EXIT_DONE;
}
