// SPDX-License-Identifier: Apache-2.0
// clustadm's commands as a table: what is parsed, explained, completed and documented comes from
// here alone.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum command_id {
	COMMAND_STATUS,
	COMMAND_TOP,
	COMMAND_APPLY,
	COMMAND_CHECK,
	COMMAND_DUMP,
	COMMAND_REMOVE,
	COMMAND_EVENTS,
	COMMAND_QUORUM,
	COMMAND_CAPACITY,
	COMMAND_BALANCE,
	COMMAND_RECOVER,
	COMMAND_VM_LIST,
	COMMAND_VM_SHOW,
	COMMAND_VM_START,
	COMMAND_VM_STOP,
	COMMAND_VM_DISABLE,
	COMMAND_VM_MANAGE,
	COMMAND_VM_UNMANAGE,
	COMMAND_VM_CLEAR,
	COMMAND_VM_EXPLAIN,
	COMMAND_VM_PREFLIGHT,
	COMMAND_VM_CONSOLE,
	COMMAND_VM_MIGRATE,
	COMMAND_VM_CANCEL,
	COMMAND_VM_SAVE,
	COMMAND_VM_RESTORE,
	COMMAND_MOVES,
	COMMAND_NODE_MAINTENANCE,
	COMMAND_NODE_LIST,
	COMMAND_NODE_SHOW,
	COMMAND_NODE_MANAGE,
	COMMAND_NODE_UNMANAGE,
	COMMAND_NODE_FENCE,
	COMMAND_NODE_CONFIRM_DEAD,
	COMMAND_VOLUME_LIST,
	COMMAND_VOLUME_SHOW,
	COMMAND_POLICY_LIST,
	COMMAND_POLICY_SHOW,
	COMMAND_POLICY_ENABLE,
	COMMAND_POLICY_DISABLE,
	COMMAND_POLICY_RUN,
	COMMAND_TIPS_LIST,
	COMMAND_TIPS_SHOW,
	COMMAND_TIPS_ACCEPT,
	COMMAND_TIPS_DISMISS,
	COMMAND_CERT_INIT,
	COMMAND_CERT_SHOW,
	COMMAND_CERT_RENEW,
	COMMAND_WHATIF_NODE_LOSS,
	COMMAND_WHATIF_MAINTENANCE,
	COMMAND_WHATIF_APPLY,
	COMMAND_WHATIF_MIGRATE,
	COMMAND_WHATIF_BALANCE,
	COMMAND_HELP,
	COMMAND_COMPLETE,
	COMMAND_COUNT,
};

enum option_id {
	OPTION_WATCH,
	OPTION_DRY_RUN,
	OPTION_FORCE,
	OPTION_FOLLOW,
	OPTION_SINCE,
	OPTION_ON,
	OPTION_YES,
	OPTION_NO_WAIT,
	OPTION_TIMEOUT,
	OPTION_ACCEPT_LOSS,
	OPTION_STATE,
	OPTION_FROM,
	OPTION_TO,
	OPTION_NODE,
	OPTION_CA,
	OPTION_DAYS,
	OPTION_DIR,
	OPTION_FAILURES,
	OPTION_LIVE,
	OPTION_QUICK,
	OPTION_COLD,
	OPTION_ALL,
	OPTION_STAY,
	OPTION_RETURN,
	OPTION_FOR,
	OPTION_CPU,
	OPTION_SORT,
	OPTION_SHUTDOWN,
	OPTION_COUNT,
};

enum { ARGUMENTS_ANY = 255 };

struct command_option {
	const char *name;  // with its dashes
	const char *value; // what the synopsis calls its value; NULL: none
	const char *help;
};

struct command {
	const char *noun, *verb; // noun "" for the ones without
	const char *arguments;	 // synopsis
	uint8_t arguments_min, arguments_max;
	uint32_t options; // mask of 1 << option_id
	const char
		*complete;   // what the arguments are: "vm", "node", "volume", "object", "file", ""
	const char *summary; // one line
	const char *help;    // more lines, or ""
};

struct invocation {
	enum command_id id;
	uint32_t options; // given ones
	const char *values[OPTION_COUNT];
	int argc; // arguments after noun and verb
	char **argv;
	bool json, quiet;
	bool help,
		version; // --help anywhere (command_known says whether for one command), --version
	bool command_known;
	const char *noun; // given, for help
};

extern const struct command commands[COMMAND_COUNT];
extern const struct command_option command_options[OPTION_COUNT];

static inline bool invocation_has(const struct invocation *invocation, enum option_id option)
{
	return (invocation->options >> option & 1) != 0;
}

// Reorders nothing and frees nothing: invocation->argv is `arguments`, the caller's, with room for
// argc pointers. False with `problem` for what cannot be understood.
bool command_parse(int argc, char **argv, char **arguments, struct invocation *invocation,
		   char *problem, size_t problem_size);

// "clustadm vm start N [--no-wait] [--timeout TIME]"; its length as snprintf() counts.
int command_synopsis(enum command_id id, char *buf, size_t size);

// Time words: "90", "90s", "5min" or "5m", "2h", "1d", "250ms" in ms.
bool time_parse(const char *text, uint64_t *ms);
// A moment: a time word before now, "2026-11-20", "2026-11-20 09:30[:15]" (or with T), or seconds
// of the epoch behind "@".
bool moment_parse(const char *text, uint64_t now_ms, uint64_t *wall_ms);
