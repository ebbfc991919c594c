// SPDX-License-Identifier: MIT
/*
 * cut.h: something that is made of files and directories, cut short by a power failure.
 *
 * What the making does to them is recorded by functions of the C library that the program has in
 * their place (cut_libc.h). For every prefix of the record the tree is rebuilt as a disk may hold
 * it: what was flushed is there; of a file's other writes each sector of 512 bytes may be there or
 * not; of a directory's other changes the first few, in order, whatever other directories got. In
 * every such tree there must be nothing under the final name, or a whole one; and whatever else was
 * left, the next attempt must succeed and leave nothing of the cut one.
 */
#ifndef LK_TEST_CUT_H
#define LK_TEST_CUT_H

#include "lk_linux.h"
#include "lmdb_help.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#define CUT_EVENTS 4096
#define CUT_NODES  64
#define CUT_NAME   64

/* ---- The record ---- */

/* A file or a directory, whatever its names. */
struct cut_node {
    dev_t dev;
    ino_t ino;
    bool directory;
    mode_t mode;
};

enum cut_kind { CUT_WRITE, CUT_SIZE, CUT_SYNC, CUT_PUT, CUT_TAKE, CUT_MOVE };

struct cut_event {
    enum cut_kind kind;
    bool durable;     /* a write that is on the disk when it returns */
    size_t node;      /* written or flushed; or that the name is given to */
    size_t directory; /* of the name */
    size_t source;    /* CUT_MOVE: the directory it comes from */
    uint8_t *data;
    size_t size;
    uint64_t offset;
    char name[CUT_NAME];        /* of PUT, TAKE, MOVE */
    char source_name[CUT_NAME]; /* MOVE */
};

struct cut_record {
    struct cut_event events[CUT_EVENTS];
    size_t count;
    struct cut_node nodes[CUT_NODES];
    size_t node_count;
    bool on;
};
extern struct cut_record cut_record;

/* A number for what is at this path now. */
size_t cut_add_node(int at, const char *path);
size_t cut_find_at(int at, const char *path);
/* The directory that a path's last name is in; SIZE_MAX where it is none of ours. */
size_t cut_parent(int at, const char *path, char name[CUT_NAME]);
struct cut_event *cut_add(enum cut_kind kind, size_t node);
struct cut_event *cut_add_name(enum cut_kind kind, size_t node, size_t directory, const char *name);
void cut_add_write(int fd, const void *data, size_t size, off_t offset);
void cut_add_size(int fd, off_t size);
void cut_add_sync(int fd);

/* ---- The disk, as a cut may leave it ---- */

/*
 * The tree when the power goes before event `n`. Way 0: only what was flushed; 1: all; 2: all names
 * and no bytes; 3: all bytes and no names; others by chance, with a bias that the way chooses.
 */
void cut_build(size_t n, unsigned way, uint64_t *seed);
/* Makes the tree below `node` in a directory of the machine's own. */
void cut_plant(size_t node, const char *path);
/* Removes what is below a path, and the directory. */
void cut_clear(const char *path);
void cut_disk_free(void);

/* ---- Makings ---- */

#define CUT_PASSWORD   "correct horse battery"
#define CUT_PASSPHRASE "a passphrase of some length"

/* A making, in the directory `place`, of what is `path` there. */
struct cut_case {
    const char *name;
    const char *path;
    /* Before the recording: what must be there already. NULL: nothing. */
    void (*prepare)(const char *place);
    int (*make)(const char *place);
    /* Is what is there whole? Says what is wrong. */
    const char *(*look)(const char *place);
};

extern const struct lk_pwhash_params cut_cheap;

/* In memory that the fourth call from here takes. */
char *cut_path(const char *place, const char *name);
/* Does the store open, is it sound, and does it let its administrator in? Says what is wrong. */
const char *cut_look_at(const struct lk_host_config *config, const char *secret, const char *fresh);
/* A whole store in a configuration's directory, with CUT_PASSWORD. */
int cut_make_store(const struct lk_host_config *config);
/* Makes it, and then looks at every state that a cut may leave. */
void cut_run(const struct cut_case *made);

#endif
