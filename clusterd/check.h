// SPDX-License-Identifier: Apache-2.0
// What every check of the cluster ends in.
#pragma once

enum check_verdict { CHECK_OK, CHECK_WARN, CHECK_FAIL, CHECK_VERDICT_COUNT };

static inline const char *check_verdict_word(enum check_verdict verdict)
{
	switch (verdict) {
	case CHECK_OK:
		return "ok";
	case CHECK_WARN:
		return "warn";
	case CHECK_FAIL:
		return "fail";
	case CHECK_VERDICT_COUNT:
		break;
	}
	return "?";
}
