// SPDX-License-Identifier: Apache-2.0
#include "clusterd/action.h"

#include <string.h>

#include "clusterd/invariant.h"

static size_t round_up(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

struct action *actions_add(struct actions *actions, enum action_type type)
{
	struct action *action;

	INVARIANT(actions->count < actions->max);
	action = &actions->items[actions->count++];
	memset(action, 0, sizeof(*action));
	action->type = (uint8_t)type;
	return action;
}

void *actions_bytes(struct actions *actions, size_t size)
{
	size_t at = round_up(actions->used);

	INVARIANT(at <= actions->size && size <= actions->size - at);
	actions->used = at + size;
	return actions->bytes + at;
}
