// SPDX-License-Identifier: Apache-2.0
// Asking for a change and waiting for what becomes of it, for the commands that do.
#pragma once

#include "clusterd/clustadm_io.h"

enum outcome { OUTCOME_MORE, OUTCOME_DONE, OUTCOME_FAILED };

struct wait {
	const char *show; // verb that is asked again and again
	const char *name;
	const char *look; // what to type to see how it goes; NULL: the two above
	// Judges one answer; `line` says how things are.
	enum outcome (*judge)(const struct wait *wait, const json_t *now, char *line, size_t size);
	// How far it is, for a line that changes all the time; may be NULL.
	void (*detail)(const json_t *now, char *text, size_t size);
	long long failures_before, attempt_before; // of fencing; the last move that had ended
	bool cancels;				   // the end of the move is what is wanted
	bool is_step; // something follows, and tells what became of it all
};

// Until the judge is content. A daemon that restarts meanwhile is waited for: the work is the
// cluster's.
enum exit_status wait_for(struct session *session, const struct wait *wait);
// What a change is answered with when there is nothing to wait for.
void change_print(struct session *session, const json_t *result, const char *line);
// Asks for the change; reports failure. On success nothing is printed yet.
enum exit_status change(struct session *session, json_t *ask, json_t **result);
