// SPDX-License-Identifier: Apache-2.0
// What the two halves of the edge to sanlock share: csv/sanlock_io.c and csv/sanlock_lease_io.c.
// Include after sanlock's own headers.
#pragma once

#include "csv/sanlock_io.h"

struct lock_resource {
	struct sanlk_resource resource;
	struct sanlk_disk disk;
};

// Returns &res->resource.
struct sanlk_resource *lock_resource_fill(struct lock_resource *res,
					  const struct lock_lease *lease);
const char *lock_error_text(int result);
// Always false.
__attribute__((format(printf, 2, 3))) bool lock_fail(char *reason, const char *format, ...);
