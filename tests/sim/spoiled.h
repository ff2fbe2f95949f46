// SPDX-License-Identifier: Apache-2.0
// Definitions that must be refused, garbled messages, and recordings that are read back.
#pragma once

#include "tests/sim/world.h"

#define SPOILED_NAME "spoiled"
// Each of them, one by one, and the answers.
void spoiled_tell(struct world *world, struct host *host);
void spoiled_start(struct world *world);
void spoiled_flood(struct world *world, uint32_t count);
// Now and then a garbled copy of a message comes before it.
void message_spoiled(struct world *world, struct host *host, const struct event *event);
// What a step did is recorded so that it reads back.
void recording_check(struct world *world, struct host *host, const struct actions *actions);
