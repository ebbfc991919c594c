// SPDX-License-Identifier: MIT
/*
 * host_place.h: a directory beside the place where a store is going to be, to make it in.
 *
 * It is named after the store (".NAME.new-XXXXXX") and locked (flock on the directory) by the
 * process that works in it. The kernel lets the lock go when that process ends, however it ends. So
 * a directory of such a name whose lock can be taken is one that a cut creation left behind, and
 * the next creation of the same store removes it: its own files only, and only where it belongs to
 * this user. One that is locked is somebody's at work, and is left alone.
 */
#ifndef LK_HOST_PLACE_H
#define LK_HOST_PLACE_H

#include "lk_base.h"

#define HOST_IMAGE_NAME "image"

struct host_place {
    char *path; /* of the directory */
    int fd;     /* of it, locked */
};

/*
 * Makes a place beside `final`, and the directories that lead there. LK_E_EXISTS when anything but
 * an empty directory is at `final`; `rule` (may stay NULL) says more of a refusal.
 */
int host_place_make(const char *final, struct host_place *place, const char **rule);
/* Removes what is still in it, and it. */
void host_place_end(struct host_place *place);
/* "path/name" in fresh memory, NULL when there is none left. */
char *host_place_join(const char *path, const char *name);

#endif
