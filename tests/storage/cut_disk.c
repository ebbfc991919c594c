// SPDX-License-Identifier: MIT
/* cut_disk.c: the disk, as a cut may leave it. */
#define _GNU_SOURCE
#include "cut.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define CUT_NAMES  16 /* of one directory at a time */
#define CUT_SECTOR 512u
#define CUT_ROOM   ((size_t)2 << 20)

static struct cut_image {
    uint8_t *data; /* CUT_ROOM bytes, zero past `size`; NULL while nothing was written */
    size_t size;
    size_t name_count;
    struct {
        char name[CUT_NAME];
        size_t node;
    } names[CUT_NAMES];
} cut_disk[CUT_NODES];

static void cut_disk_clear(void)
{
    for (size_t i = 0; i < CUT_NODES; i++) {
        if (cut_disk[i].data != NULL) {
            memset(cut_disk[i].data, 0, cut_disk[i].size);
        }
        cut_disk[i].size = 0;
        cut_disk[i].name_count = 0;
    }
}

static void cut_resize(struct cut_image *image, size_t size)
{
    if (size > CUT_ROOM) {
        abort();
    }
    if (image->data == NULL) {
        image->data = calloc(1, CUT_ROOM);
        if (image->data == NULL) {
            abort();
        }
    }
    if (size < image->size) {
        memset(image->data + size, 0, image->size - size);
    }
    image->size = size;
}

static void cut_apply_part(const struct cut_event *event, size_t from, size_t to)
{
    struct cut_image *image = &cut_disk[event->node];
    size_t end = (size_t)event->offset + to;
    cut_resize(image, image->size < end ? end : image->size);
    memcpy(image->data + event->offset + from, event->data + from, to - from);
}

/* Sectors with a chance of `chance` in 4; 4 is all. */
static void cut_apply_data(const struct cut_event *event, uint32_t chance, uint64_t *seed)
{
    if (event->kind == CUT_SIZE) {
        if (chance == 4 || lmdb_help_random(seed) % 4 < chance) {
            cut_resize(&cut_disk[event->node], event->size);
        }
        return;
    }
    for (size_t at = 0; at < event->size;) {
        size_t part = CUT_SECTOR - (size_t)((event->offset + at) % CUT_SECTOR);
        part = event->size - at < part ? event->size - at : part;
        if (chance == 4 || lmdb_help_random(seed) % 4 < chance) {
            cut_apply_part(event, at, at + part);
        }
        at += part;
    }
}

static void cut_take(size_t directory, const char *name)
{
    struct cut_image *image = &cut_disk[directory];
    for (size_t i = 0; i < image->name_count; i++) {
        if (strcmp(image->names[i].name, name) == 0) {
            image->names[i] = image->names[--image->name_count];
            return;
        }
    }
}

static void cut_apply_name(const struct cut_event *event)
{
    struct cut_image *image = &cut_disk[event->directory];
    cut_take(event->directory, event->name);
    if (event->kind == CUT_MOVE) {
        cut_take(event->source, event->source_name);
    }
    if (event->kind != CUT_TAKE) {
        if (image->name_count == CUT_NAMES) {
            abort();
        }
        (void)snprintf(image->names[image->name_count].name, CUT_NAME, "%s", event->name);
        image->names[image->name_count++].node = event->node;
    }
}

static bool cut_is_name(const struct cut_event *event)
{
    return event->kind == CUT_PUT || event->kind == CUT_TAKE || event->kind == CUT_MOVE;
}

/* Was what `event` did flushed before event `n`? */
static bool cut_flushed(size_t event, size_t n)
{
    const struct cut_event *done = &cut_record.events[event];
    size_t holder = cut_is_name(done) ? done->directory : done->node;
    for (size_t i = event + 1; i < n; i++) {
        if (cut_record.events[i].kind == CUT_SYNC && cut_record.events[i].node == holder) {
            return true;
        }
    }
    return done->durable;
}

void cut_build(size_t n, unsigned way, uint64_t *seed)
{
    size_t left[CUT_NODES]; /* of each directory, changes not flushed that are there all the same */
    cut_disk_clear();
    for (size_t i = 0; i < CUT_NODES; i++) {
        left[i] = way == 1 || way == 2              ? SIZE_MAX
                  : way == 0 || way == 3            ? 0
                  : lmdb_help_random(seed) % 4 == 0 ? SIZE_MAX
                                                    : lmdb_help_random(seed) % 5;
    }
    for (size_t i = 0; i < n; i++) {
        const struct cut_event *event = &cut_record.events[i];
        bool flushed = event->kind != CUT_SYNC && cut_flushed(i, n);
        if (event->kind == CUT_SYNC) {
            continue;
        }
        if (!cut_is_name(event)) {
            uint32_t chance = flushed || way == 1 || way == 3 ? 4
                              : way == 0 || way == 2          ? 0
                                                              : way % 4;
            cut_apply_data(event, chance, seed);
        } else if (flushed) {
            cut_apply_name(event);
        } else if (left[event->directory] > 0) {
            left[event->directory]--;
            cut_apply_name(event);
        }
    }
}

void cut_plant(size_t node, const char *path)
{
    const struct cut_image *image = &cut_disk[node];
    char below[PATH_MAX];
    if (!cut_record.nodes[node].directory) {
        assert_true(
            lmdb_help_save(path, image->size == 0 ? (const void *)"" : image->data, image->size));
        assert_int_equal(chmod(path, cut_record.nodes[node].mode), 0);
        return;
    }
    assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
    for (size_t i = 0; i < image->name_count; i++) {
        (void)snprintf(below, sizeof below, "%s/%s", path, image->names[i].name);
        cut_plant(image->names[i].node, below);
    }
}

void cut_clear(const char *path)
{
    DIR *stream = opendir(path);
    char below[PATH_MAX];
    if (stream == NULL) {
        (void)unlink(path);
        return;
    }
    for (struct dirent *e = readdir(stream); e != NULL; e = readdir(stream)) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            (void)snprintf(below, sizeof below, "%s/%s", path, e->d_name);
            cut_clear(below);
        }
    }
    (void)closedir(stream);
    (void)rmdir(path);
}

void cut_disk_free(void)
{
    for (size_t i = 0; i < CUT_NODES; i++) {
        free(cut_disk[i].data);
        cut_disk[i].data = NULL;
    }
}
