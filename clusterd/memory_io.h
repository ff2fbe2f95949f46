// SPDX-License-Identifier: Apache-2.0
// How the daemon's heap behaves: what was large for a moment goes back to the system.
#pragma once

void memory_open(void); // before there is a thread
void memory_settle(void); // now and then
