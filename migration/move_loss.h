// SPDX-License-Identifier: Apache-2.0
// What becomes of a move when one of its ends is lost, or says that nothing of it is left there: a
// decision table over a few facts, each row with its reason.
#pragma once

#include <stdint.h>

// How far the guest has gone.
enum move_loss_phase {
	MOVE_LOSS_SAVING,    // quick, save and cold: it runs, or ran, on the source
	MOVE_LOSS_ARRIVING,  // quick and cold: nothing is left on the source, the target owns it
	MOVE_LOSS_BEFORE,    // live: no byte of memory may have been sent
	MOVE_LOSS_SENT,	     // live: the source may have renounced
	MOVE_LOSS_CONTINUED, // live: the target has continued
	MOVE_LOSS_PHASE_COUNT,
};

enum move_fate {
	FATE_HERE,    // its node is in the cluster: it speaks for itself
	FATE_UNKNOWN, // its node is lost, and nothing is proven
	FATE_GONE,    // by its own word. For a target: it never continued, and never will
	FATE_DEAD,    // its node's death is proven. For a target: it may have continued
		      // before. For a source the same as GONE
	MOVE_FATE_COUNT,
};

enum move_loss_step {
	MOVE_LOSS_NOTHING, // the move goes on
	MOVE_LOSS_WAIT,	   // nothing can be done before something else happens; the reason
			   // says what
	MOVE_LOSS_UNDO,	   // no target will begin to continue; both ends say what is left
	MOVE_LOSS_RESTART, // nothing runs anywhere: the move has ended, placement may see the
			   // VM
	MOVE_LOSS_STEP_COUNT,
};

struct move_loss_facts {
	uint8_t phase;		// enum move_loss_phase
	uint8_t source, target; // enum move_fate
};

struct move_loss_answer {
	enum move_loss_step step;
	const char *reason; // a constant
	uint32_t row;	    // of the table, for its test
};

uint32_t move_loss_row_count(void);
struct move_loss_answer move_loss_decide(const struct move_loss_facts *facts);
