// SPDX-License-Identifier: Apache-2.0
// The two ends of a move, and the saving of a guest: what this host does about one move.
//
// Level-triggered, like resources/vm.h: x_event() hears what happened, x_step() does what is due
// now, x_wish() says how the VM's own life on this host should go, x_due() what is to be told to
// the cluster until the replica shows that it was heard. Nothing here knows of entries and views
// beyond what struct move_context says.
#pragma once

#include "clusterd/cluster.h"
#include "clusterd/entry.h"
#include "migration/converge.h"
#include "resources/vm.h"

enum { WORD_AGAIN_MS = 250 };

// What both ends are given with every call.
struct move_context {
	const struct move *move; // NULL: it has ended
	const struct vm *vm;
	const struct vm_def *def;
	struct vm_local *local;
	uint32_t peer_id;	      // corosync id of the other end; 0: none
	const char *peer;	      // its name
	struct move_numbers forecast; // what is known of it beside the dirty rate
	uint64_t bandwidth;	      // bytes a second of the link that it may take; 0: all
	uint32_t cpus;		      // of the end that has fewer; 0: not known
	bool normal;		      // this node's view
	bool leaving;		      // this daemon ends, or its host
	bool no_post_copy;	      // an end cannot do it, whatever the definition allows
	bool fresh;		      // it began in this daemon's life
	bool tls;
	uint64_t now_ms;
	struct actions *actions;
};

/*
 *   PREPARING -> SENDING -> SWITCHING -> HANDED -> ENDING -> GONE
 *       |           |           |          |
 *       |           v           |          +--> RESUMING ---+
 *       |       CANCELLING -----|----------^                v
 *       |           |           |                         STAYED
 *       +-----------+-----------+--> FAILED -> TAKING ------^
 *   any -> GONE: its QEMU is gone
 */
enum source_state {
	SOURCE_PREPARING,  // the lease is shared, the link tried, the dirty rate sampled
	SOURCE_SENDING,	   // memory goes over
	SOURCE_SWITCHING,  // the guest is paused and QEMU was told to finish: no way back by
			   // cancelling
	SOURCE_CANCELLING, // QEMU was told to stop sending
	SOURCE_HANDED,	   // QEMU completed: renounced
	SOURCE_RESUMING,   // renounced, and proven to be the only one: takes the lease first
	SOURCE_FAILED,	   // runs on here, under a lease that may be shared
	SOURCE_TAKING,	   // and the target is gone: the lease is made exclusive
	SOURCE_STAYED,	   // runs on here as before
	SOURCE_ENDING,	   // its QEMU is being ended
	SOURCE_GONE,
	SOURCE_STATE_COUNT,
};

struct move_source {
	uint8_t state;	// enum source_state
	uint8_t status; // enum migrate_status, as QEMU said last
	bool found;	// begun by an earlier daemon
	bool stood;	// QEMU has paused the guest for the migration, or may have
	bool link_asked, link_ok;
	bool rate_asked, rate_known;
	bool told;  // the target may have heard that it was renounced
	bool heard; // the target said that it continued
	bool never; // the target said that it never did
	bool post_copy;
	bool numbers_said, fact_said;
	bool broke;		// the memory did not get through
	char via[ADDRESS_SIZE]; // the target's that answered
	uint64_t bandwidth;	// as QEMU was told
	uint64_t dirty_rate;
	uint64_t since_ms; // of the present state
	uint64_t ask_ms;   // link or dirty rate were last asked for
	uint64_t word_ms;  // the target was last told
	uint64_t event_ms; // QEMU's numbers last came
	struct converge converge;
	struct move_numbers fact;
	char reason[REASON_SIZE];
	uint64_t asked_ms; // when QEMU was last told to finish, or to give up
	uint64_t break_ms; // when its connection was last shut down; 0: not
	uint64_t sent, sent_ms; // bytes, and when they were last more
};

void source_begin(struct move_source *source, const struct move_context *context);
void source_event(struct move_source *source, const struct move_context *context,
		  const struct event *event);
void source_step(struct move_source *source, const struct move_context *context);
void source_wish(const struct move_source *source, const struct move_context *context,
		 struct vm_wish *wish);
enum move_report source_due(const struct move_source *source, const struct move_context *context);
uint64_t source_deadline_ms(const struct move_source *source, const struct move_context *context);
const char *source_state_word(enum source_state state);

/*
 *   PREPARING -> LISTENING -> CONTINUING -> RUNS -> OWNS
 *       |            |            |           |       |
 *       +------------+--> ENDING -+-----------+-------+--> GONE
 */
enum target_state {
	TARGET_PREPARING,  // its QEMU is being started, under a shared lease
	TARGET_LISTENING,  // it waits for the guest, or has received it
	TARGET_CONTINUING, // the source has renounced: told to continue
	TARGET_RUNS,
	TARGET_OWNS,   // runs under an exclusive lease
	TARGET_ENDING, // never continued; its QEMU is being ended
	TARGET_GONE,
	TARGET_STATE_COUNT,
};

struct move_target {
	uint8_t state; // enum target_state
	bool never;    // it is known that the guest never continued here
	bool saw;      // a normal view in which nothing of it had begun
	bool announced;
	bool torn;	   // it will never have all of its memory
	uint64_t runs_ms;  // when it was first seen to run; 0: it was found so
	uint64_t break_ms; // when the connection to its source was shut down; 0: not
	uint32_t port;
	char address[ADDRESS_SIZE];
	char reason[REASON_SIZE];
};

void target_begin(struct move_target *target, const struct move_context *context);
void target_event(struct move_target *target, const struct move_context *context,
		  const struct event *event);
void target_step(struct move_target *target, const struct move_context *context);
void target_wish(const struct move_target *target, const struct move_context *context,
		 struct vm_wish *wish);
enum move_report target_due(const struct move_target *target, const struct move_context *context);
uint64_t target_deadline_ms(const struct move_target *target, const struct move_context *context);
const char *target_state_word(enum target_state state);

/*
 *   WAITING -> SAVING -> SAVED -> GONE         GONE: complete, synced, and no QEMU is left
 *      |         |
 *      +---------+--> FAILED                   runs on here
 *   any but SAVED -> ENDED: its QEMU is gone
 */
enum save_state {
	SAVE_WAITING,
	SAVE_SAVING,
	SAVE_SAVED, // the file is complete; QEMU is being ended
	SAVE_GONE,
	SAVE_FAILED,
	SAVE_ENDED,
	SAVE_STATE_COUNT,
};

struct move_save {
	uint8_t state;	// enum save_state
	bool cancelled; // QEMU was told so
	bool found;	// begun by an earlier daemon
	uint8_t volume; // slot
	uint64_t saved_ms; // when all of it was durable
	struct move_numbers fact;
	char reason[REASON_SIZE];
};

void save_begin(struct move_save *save, const struct move_context *context);
void save_event(struct move_save *save, const struct move_context *context,
		const struct event *event);
void save_step(struct move_save *save, const struct move_context *context);
void save_wish(const struct move_save *save, const struct move_context *context,
	       struct vm_wish *wish);
enum move_report save_due(const struct move_save *save, const struct move_context *context);
const char *save_state_word(enum save_state state);

/*
 * A stop that does not ask the guest does not wait for the end of a move either: an end that hangs
 * could otherwise be ended by nobody. To end the source's QEMU is always safe: before it renounced
 * the guest is stopped as asked, and after it the guest is the target's.
 */
static inline void move_wish_forced(struct vm_wish *wish)
{
	if (wish->stop && wish->stop_timeout_ms == 0)
		wish->kill = true;
}

// Nothing of this move was asked of its QEMU, and nothing can be: it was found, and has not spoken.
#define UNHEARD "its QEMU has not answered since clusterd started"

static inline bool move_unheard(const struct move_context *context)
{
	return context->fresh && context->local->life == LIFE_RUNNING && context->local->sending &&
	       context->local->unsure;
}

// Between the three of them: an action about the VM's process, with room for what it says.
struct action *move_action(const struct move_context *context, enum action_type type);
struct migrate_params *move_params(const struct move_context *context);
// In the list's bytes.
const char *text_keep(const struct move_context *context, const char *text);
