// SPDX-License-Identifier: Apache-2.0
// How long the source of a move waits for what, and what it does about a QEMU that hangs in its
// connection. A part of source.c.
#pragma once

#include "migration/ends.h"

enum {
	LINK_LIMIT_MS = 20000,
	RATE_LIMIT_MS = 5000, // sampling takes a second; without it the forecast says less
	READY_LIMIT_MS = 90000,
	SILENT_MS = 30000,	  // QEMU's numbers come ten times a second
	CONNECT_LIMIT_MS = 15000, // TCP itself would try for more than two minutes
	CANCEL_LIMIT_MS = 3000,	  // QEMU may hang in its connection
	RESUME_LIMIT_MS = 60000,
	ASK_AGAIN_MS = 1000,
	// To agree on something takes every node's processor: not while a guest stands still, as
	// long as it stands no longer than it should.
	SWITCH_SAID_MS = 200,
	SWITCH_LIMIT_MS = 5000, // beyond the longest pause that is allowed
};

const char *source_why_unwanted(const struct move_context *context);
// Post-copy, which was renounced and still sends.
void source_step_rest(struct move_source *source, const struct move_context *context);
// Nobody takes the rest any more.
void source_break_rest(struct move_source *source, const struct move_context *context);
bool source_is_connecting(const struct move_source *source);
void source_step_switching(struct move_source *source, const struct move_context *context);
void source_step_cancelling(struct move_source *source, const struct move_context *context);
