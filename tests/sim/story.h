// SPDX-License-Identifier: Apache-2.0
// What stories define, ask, and change in their hosts.
#pragma once

#include "tests/sim/world.h"

// The document is applied at this host. False: there is no schema.
bool story_define(struct world *world, struct host *host, const char *story, const char *xml);
// Questions, answered by what this host knows; false: not one of them.
bool ask_command(struct world *world, struct host *host, char **words);
// What a host has and says of itself; false: it has no such thing.
bool host_has(struct world *world, char **words);

// What the store of a host that is off holds is not what it wrote: `what` is snapshot, log or
// foreign; the replica of a host is not what the others have.
bool store_spoil(struct host *host, const char *what);
bool replica_spoil(struct world *world, const char *name);
// The words for every state.
void story_words(struct world *world);

// The first node that can be asked: its view is normal; NULL.
struct host *normal_host(struct world *world);
// Wishes, moves and drains; false: not one of theirs.
bool vm_command(struct world *world, char **words);
bool move_command(struct world *world, char **words);
