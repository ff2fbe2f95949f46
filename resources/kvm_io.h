// SPDX-License-Identifier: Apache-2.0
// Whether KVM really runs a guest here: the device file alone does not say so.
#pragma once

#include <stdbool.h>

// Boots a guest of 512 bytes under emulation and under KVM, for worker threads: a few seconds at
// most. The answer is kept in run_dir, which the kernel's end empties, so that a restarted daemon
// need not ask again.
bool kvm_probe(const char *qemu, const char *run_dir);
