// SPDX-License-Identifier: Apache-2.0
// Between the files of clustadm: the session with the daemon, and the handlers of the commands.
#pragma once

#include <jansson.h>

#include "clusterd/command.h"
#include "clusterd/table.h"

// Exit statuses, as clustadm(8) has them.
enum exit_status {
	EXIT_DONE,
	EXIT_REFUSED, // or failed
	EXIT_USAGE,
	EXIT_NO_DAEMON, // or no permission
	EXIT_UNFINISHED,
};

struct ipc_client_connection;

struct session {
	const struct invocation *invocation;
	struct ipc_client_connection *connection;
	bool changes; // a request under way changes something: say so when interrupted
	bool out_terminal, error_terminal, colour;
	bool progress_open;   // a progress line without its end is on the terminal
	uint64_t deadline_ms; // of --timeout on the monotonic clock; 0: none
};

void session_init(struct session *session, const struct invocation *invocation);
void session_fini(struct session *session);

// Takes `ask`, which has a verb. On EXIT_DONE `result` is the caller's; on everything else it was
// reported already.
enum exit_status session_ask(struct session *session, json_t *ask, json_t **result);
// The same, but a daemon that has gone away is EXIT_NO_DAEMON without a word (for polling).
enum exit_status session_poll(struct session *session, json_t *ask, json_t **result);
json_t *ask_new(const char *verb, const char *name); // name may be NULL

// Reports a failure, in the chosen form, and returns `status`.
enum exit_status session_fail(struct session *session, enum exit_status status, const char *code,
			      const char *reason, const char *fix);
// A reader with the installed schema, or a failure that was reported. Closed and freed by the
// caller.
struct definition_reader;
enum exit_status session_reader_open(struct session *session, struct definition_reader **reader);
// A line on standard error unless -q; on a terminal the next one replaces it.
void session_progress(struct session *session, const char *line);
void session_progress_end(struct session *session);
// Asks on a terminal; elsewhere --yes is demanded. EXIT_DONE: go on.
enum exit_status session_confirm(struct session *session, const char *question);
// True after Ctrl-C, or when --timeout is over.
bool session_interrupted(void);
bool session_late(const struct session *session);
void session_sleep_ms(int ms);
uint64_t session_now_ms(void);
int session_width(const struct session *session); // of standard output; 0: not a terminal

// The result as JSON, one object.
void session_json(const struct session *session, const json_t *result);
void session_table(const struct session *session, struct table *table); // prints and ends it
// Asks, and prints what is answered: as JSON, or by `print`.
enum exit_status session_show(struct session *session, const char *verb, const char *name,
			      void (*print)(struct session *session, const json_t *result));

// Members, "" or 0 when missing.
const char *json_word(const json_t *object, const char *name);
long long json_number(const json_t *object, const char *name);
bool json_flag(const json_t *object, const char *name);

enum exit_status clustadm_status(struct session *session);
enum exit_status clustadm_top(struct session *session);
enum exit_status clustadm_list(struct session *session);
enum exit_status clustadm_vm_show(struct session *session);
enum exit_status clustadm_vm_explain(struct session *session);
enum exit_status clustadm_vm_preflight(struct session *session);
enum exit_status clustadm_node_show(struct session *session);
enum exit_status clustadm_volume_show(struct session *session);
enum exit_status clustadm_capacity(struct session *session);
enum exit_status clustadm_balance(struct session *session);
enum exit_status clustadm_quorum(struct session *session);
enum exit_status clustadm_events(struct session *session);
enum exit_status clustadm_dump(struct session *session);
enum exit_status clustadm_complete(struct session *session);
enum exit_status clustadm_apply(struct session *session);
enum exit_status clustadm_check(struct session *session);
enum exit_status clustadm_remove(struct session *session);
enum exit_status clustadm_recover(struct session *session);
enum exit_status clustadm_vm_change(struct session *session);
enum exit_status clustadm_vm_move(struct session *session);
enum exit_status clustadm_moves(struct session *session);
enum exit_status clustadm_policy(struct session *session);
enum exit_status clustadm_tips(struct session *session);
// Asks for a run, waits until something came of it, and then for the tip: `show` and `member` are
// where that is told.
enum exit_status clustadm_run(struct session *session, const char *verb, const char *name,
			      const char *show, const char *member);
enum exit_status clustadm_maintenance(struct session *session);
enum exit_status clustadm_node_change(struct session *session);
enum exit_status clustadm_vm_console(struct session *session);
enum exit_status clustadm_cert_init(struct session *session);
enum exit_status clustadm_cert_show(struct session *session);
enum exit_status clustadm_cert_renew(struct session *session);
enum exit_status clustadm_whatif(struct session *session);

// "2026-11-20 13:05:59", local time; nothing for 0.
void moment_text(long long at_ms, char *buf, size_t size);
// "3.4 MiB/s" of KiB and "/s".
const char *amount_text(long long kib, const char *what, char *text, size_t size);
// A preflight's nodes; `whole`: with what is ok.
void preflight_table(struct session *session, const json_t *nodes, bool whole);
// A plan of `balance --dry-run`, in the chosen form.
void balance_print(struct session *session, const json_t *plan);
void node_cpus_print(struct session *session, const json_t *result); // of node list --cpu
// Prints one result of vm show, as the command does.
void vm_print(struct session *session, const json_t *vm);
