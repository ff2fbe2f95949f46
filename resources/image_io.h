// SPDX-License-Identifier: Apache-2.0
// A disk's image on its volume, before QEMU may have it.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "clusterd/definition.h"
#include "clusterd/facts.h"

/*
 * A disk that is written: gives its image to the user that QEMU runs as. False with the reason
 * (REASON_SIZE) when another path may lead to the same file. An image that is not there, or cannot
 * be given away, is QEMU's to speak of. `root` is that of the volumes' tree. May hang with the
 * volume.
 */
bool image_take(const char *root, const struct disk_def *disk, uid_t uid, gid_t gid, char *reason);
/*
 * Whether QEMU, run by this user, could open the image: tried as that user, for reading, its header
 * and what it is made upon included. One that is written and is another user's counts as if it had
 * been given away. Nothing is changed. May hang with the volume; for threads.
 */
enum image_state image_look(const char *root, const struct disk_def *disk, uid_t uid, gid_t gid);
