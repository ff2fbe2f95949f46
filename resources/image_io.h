// SPDX-License-Identifier: Apache-2.0
// A disk's image on its volume, before QEMU may have it.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "clusterd/definition.h"

/*
 * A disk that is written: gives its image to the user that QEMU runs as. False with the reason
 * (REASON_SIZE) when another path may lead to the same file. An image that is not there, or cannot
 * be given away, is QEMU's to speak of. `root` is that of the volumes' tree. May hang with the
 * volume.
 */
bool image_take(const char *root, const struct disk_def *disk, uid_t uid, gid_t gid, char *reason);
