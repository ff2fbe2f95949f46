/* SPDX-License-Identifier: Apache-2.0 */
/* What QEMU says is a number of any size, and may be a fraction: only some are whole ones that fit.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

// -1: it is no number from 0 to 10^15.
static inline int64_t json_whole(const json_t *value)
{
	double number = json_is_number(value) ? json_number_value(value) : -1;

	return number >= 0 && number <= 1e15 ? (int64_t)number : -1;
}
