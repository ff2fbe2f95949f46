// SPDX-License-Identifier: Apache-2.0
// Flight recordings: their replay; apart from world.h, whose `stat` is not the system's.
#pragma once

// The words behind `clustersim replay`. 0: identical, 1: not, or cannot be replayed, 2: usage.
int replay_run(char **words, int count);
