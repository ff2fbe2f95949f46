// SPDX-License-Identifier: Apache-2.0
// The trap for impossible states. Never compiled out: a node that has lost its mind must stop, not
// guess.
#pragma once

#include <stdlib.h>

#define INVARIANT(condition)            \
	do {                            \
		if (!(condition))       \
			abort();        \
	} while (0)
