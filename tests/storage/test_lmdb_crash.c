// SPDX-License-Identifier: MIT
/*
 * test_lmdb_crash.c: power cuts, replayed.
 *
 * The writes and flushes that LMDB makes are recorded here, by functions of the C library that this
 * program has in their place. For every prefix of the record the file is rebuilt as a disk may hold
 * it: what was flushed is there; of what was not, each sector of 512 bytes may be there or not.
 * Each state must open, be sound, and be what a commit left: none that was acknowledged as durable
 * is lost, and none is there in part.
 */
#define _GNU_SOURCE
#include "libc_writes.h"
#include "lmdb_help.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define CRASH_OPS     8192
#define CRASH_BATCHES 512
#define CRASH_SECTOR  512u
#define CRASH_ROOM    ((size_t)8 << 20)
#define CRASH_SECONDS 20

enum crash_kind { CRASH_WRITE, CRASH_SYNC, CRASH_RENAME };

static struct crash_op {
    enum crash_kind kind;
    bool durable; /* a write that is on the disk when it returns */
    uint8_t *data;
    size_t size;
    uint64_t offset;
    size_t acknowledged; /* durable batches before this operation */
    size_t begun;        /* batches that may be seen */
} crash_ops[CRASH_OPS];
static size_t crash_count;
static bool crash_recording;
static size_t crash_acknowledged;
static size_t crash_begun;
static ino_t crash_inode;

static uint64_t crash_sums[CRASH_BATCHES]; /* after each batch; [0] the empty store */
static char crash_directory[LMDB_HELP_PATH];
static char crash_data[LMDB_HELP_PATH];

static bool crash_is_data(int fd)
{
    struct stat st;
    return crash_recording && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
           (crash_inode == 0 || st.st_ino == crash_inode);
}

static void crash_record(enum crash_kind kind, int fd, const void *data, size_t size, off_t offset)
{
    if (crash_count == CRASH_OPS) {
        abort();
    }
    struct crash_op *op = &crash_ops[crash_count++];
    *op = (struct crash_op){.kind = kind,
                            .size = size,
                            .offset = (uint64_t)offset,
                            .acknowledged = crash_acknowledged,
                            .begun = crash_begun};
    if (kind == CRASH_WRITE) {
        op->durable = (fcntl(fd, F_GETFL) & O_DSYNC) != 0;
        op->data = malloc(size);
        if (op->data == NULL) {
            abort();
        }
        memcpy(op->data, data, size);
    }
}

static void libc_wrote(int fd, const void *data, size_t size, off_t offset)
{
    if (crash_is_data(fd)) {
        crash_record(CRASH_WRITE, fd, data, size, offset);
    }
}

static void libc_flushed(int fd)
{
    if (crash_is_data(fd)) {
        crash_record(CRASH_SYNC, fd, NULL, 0, 0);
    }
}

int rename(const char *from, const char *to)
{
    if (crash_recording) {
        crash_record(CRASH_RENAME, -1, NULL, 0, 0);
    }
    return (int)syscall(SYS_rename, from, to);
}

/* The disk: what is flushed, and which sectors of what is not are there. */
struct crash_disk {
    uint8_t *image;
    size_t size;
};

static void crash_apply(struct crash_disk *disk, const struct crash_op *op, size_t from, size_t to)
{
    size_t end = (size_t)op->offset + to;
    if (disk->image == NULL || end > CRASH_ROOM) {
        abort();
    }
    memcpy(disk->image + op->offset + from, op->data + from, to - from);
    disk->size = disk->size < end ? end : disk->size;
}

/* Applies each sector of a write with a chance of `chance` in 4. */
static void crash_tear(struct crash_disk *disk, const struct crash_op *op, uint64_t *seed,
                       uint32_t chance)
{
    size_t at = 0;
    while (at < op->size) {
        size_t part = CRASH_SECTOR - (size_t)((op->offset + at) % CRASH_SECTOR);
        part = op->size - at < part ? op->size - at : part;
        if (lmdb_help_random(seed) % 4 < chance) {
            crash_apply(disk, op, at, at + part);
        }
        at += part;
    }
}

/* What opens must be a batch from `least` to `most`. */
static bool crash_verify(const struct crash_disk *disk, size_t least, size_t most)
{
    static const struct lk_lmdb_config config = {.map_initial = 1, .flags = LK_LMDB_VERIFY};
    struct lk_lmdb lmdb;
    uint64_t sum = 0;
    uint64_t count = 0;
    if (!lmdb_help_save(crash_data, disk->image, disk->size)) {
        return false;
    }
    (void)lk_lmdb_init(&lmdb, crash_directory, &config);
    struct lk_storage *s = &lmdb.storage;
    int rc = s->ops->open(s, LK_READ);
    if (rc != LK_OK) {
        print_error("open answers %d\n", rc);
        return false;
    }
    rc = map_help_sum(s, &sum, &count);
    s->ops->close(s);
    for (size_t i = least; i <= most && rc == LK_OK; i++) {
        if (crash_sums[i] == sum) {
            return true;
        }
    }
    print_error("%d: not what a batch from %zu to %zu left\n", rc, least, most);
    return false;
}

/* The state before operation `n`, with what is not flushed by `way`. */
static void crash_build(struct crash_disk *disk, const struct crash_disk *flushed, size_t first,
                        size_t n, uint32_t way, uint64_t *seed)
{
    if (disk->image == NULL) {
        fail();
        return;
    }
    memcpy(disk->image, flushed->image, CRASH_ROOM < flushed->size ? CRASH_ROOM : flushed->size);
    memset(disk->image + flushed->size, 0,
           disk->size > flushed->size ? disk->size - flushed->size : 0);
    disk->size = flushed->size;
    for (size_t i = first; i < n; i++) {
        const struct crash_op *op = &crash_ops[i];
        if (op->kind != CRASH_WRITE || op->durable) {
            continue;
        }
        /* None; all; all but that the last is torn; or each sector by chance. */
        if (way == 1 || (way == 2 && i + 1 < n)) {
            crash_apply(disk, op, 0, op->size);
        } else if (way >= 2) {
            crash_tear(disk, op, seed, way == 2 ? 2 : 1 + way % 3);
        }
    }
}

static void crash_start(void)
{
    crash_count = 0;
    crash_acknowledged = 0;
    crash_begun = 0;
    crash_inode = 0;
}

static void crash_stop(void)
{
    for (size_t i = 0; i < crash_count; i++) {
        free(crash_ops[i].data);
    }
    crash_count = 0;
}

/* One batch, or a scrub; keeps the sum that it leaves. */
static void crash_batch(struct lk_storage *s, uint64_t *seed)
{
    struct lk_storage_txn txn = {0};
    uint32_t what = lmdb_help_random(seed) % 12;
    uint64_t count;
    assert_true(crash_begun + 1 < CRASH_BATCHES);
    if (what == 0) {
        uint64_t bytes;
        assert_int_equal(s->ops->scrub(s, &bytes), LK_OK);
        crash_acknowledged = crash_begun;
        return;
    }
    crash_begun++;
    assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
    for (uint32_t i = 0; i < 1 + what; i++) {
        char key[16];
        static uint8_t value[8192];
        int n = snprintf(key, sizeof key, "k%04u", lmdb_help_random(seed) % 60);
        struct lk_span k = {(const uint8_t *)key, (size_t)n};
        memset(value, (int)(lmdb_help_random(seed) & 0xFF), sizeof value);
        size_t size = lmdb_help_random(seed) % (i == 0 ? 6000 : 200);
        int rc = lmdb_help_random(seed) % 3 == 0
                     ? s->ops->remove(&txn, k)
                     : s->ops->put(&txn, k, (struct lk_span){value, size});
        assert_true(rc == LK_OK || rc == LK_E_NOT_FOUND);
    }
    bool lazy = what % 4 == 1;
    assert_int_equal(s->ops->commit(&txn, lazy ? LK_COMMIT_LAZY : LK_COMMIT_DURABLE), LK_OK);
    s->ops->release(s, &txn);
    assert_int_equal(map_help_sum(s, &crash_sums[crash_begun], &count), LK_OK);
    crash_acknowledged = lazy ? crash_acknowledged : crash_begun;
}

/*
 * The sum of a batch is known only once it is done, but its operations name it already: a batch
 * that changed nothing leaves the sum of the one before.
 */
static uint64_t crash_replay(size_t first_visible, uint64_t seed, double seconds)
{
    struct crash_disk flushed = {calloc(1, CRASH_ROOM), 0};
    struct crash_disk disk = {calloc(1, CRASH_ROOM), 0};
    uint64_t states = 0;
    assert_true(flushed.image != NULL && disk.image != NULL);
    clock_t start = clock();
    for (uint32_t round = 0;; round++) {
        size_t first = 0; /* of what is not flushed */
        flushed.size = 0;
        memset(flushed.image, 0, CRASH_ROOM);
        for (size_t n = 0; n <= crash_count; n++) {
            const struct crash_op *op = n < crash_count ? &crash_ops[n] : NULL;
            size_t least = op != NULL ? op->acknowledged : crash_acknowledged;
            size_t most = op != NULL ? op->begun : crash_begun;
            for (uint32_t way = round == 0 ? 0 : 3; n >= first_visible && way < 9; way++) {
                uint64_t before = seed;
                crash_build(&disk, &flushed, first, n, way, &seed);
                if (op != NULL && op->kind == CRASH_WRITE && op->durable && way % 2 == 1) {
                    crash_tear(&disk, op, &seed, 2); /* the cut is in the middle of it */
                }
                states++;
                if (!crash_verify(&disk, least, most)) {
                    print_error("operation %zu of %zu, way %u, seed %llu\n", n, crash_count, way,
                                (unsigned long long)before);
                    fail();
                }
            }
            if (op != NULL && op->kind == CRASH_WRITE && op->durable) {
                crash_apply(&flushed, op, 0, op->size);
            } else if (op != NULL && op->kind == CRASH_SYNC) {
                for (; first < n; first++) {
                    if (crash_ops[first].kind == CRASH_WRITE) {
                        crash_apply(&flushed, &crash_ops[first], 0, crash_ops[first].size);
                    }
                }
            }
        }
        if ((double)(clock() - start) / CLOCKS_PER_SEC > seconds) {
            break;
        }
    }
    free(flushed.image);
    free(disk.image);
    return states;
}

static void crash_follow(const char *directory)
{
    char path[LMDB_HELP_PATH];
    struct stat st;
    lmdb_help_join(path, directory, "data.mdb");
    assert_int_equal(stat(path, &st), 0);
    crash_inode = st.st_ino;
}

static void test_lmdb_crash_publish(void **state)
{
    (void)state;
    static const struct lk_lmdb_config config = {.map_initial = 1, .flags = LK_LMDB_CREATE};
    char temporary[LMDB_HELP_PATH];
    char place[LMDB_HELP_PATH];
    struct lk_lmdb lmdb;
    uint64_t count;
    lmdb_help_place(temporary);
    crash_start();
    crash_recording = true;
    assert_int_equal(lk_lmdb_init(&lmdb, temporary, &config), LK_OK);
    struct lk_storage *s = &lmdb.storage;
    assert_int_equal(s->ops->open(s, LK_WRITE), LK_OK);
    crash_follow(temporary);
    assert_int_equal(map_help_put(s, 0, 30, 100, 1, LK_COMMIT_LAZY), LK_OK);
    assert_int_equal(map_help_sum(s, &crash_sums[0], &count), LK_OK);
    s->ops->close(s);
    lmdb_help_place(place);
    assert_int_equal(lk_lmdb_publish(temporary, place), LK_OK);
    crash_recording = false;
    size_t visible = 0;
    while (visible < crash_count && crash_ops[visible].kind != CRASH_RENAME) {
        visible++;
    }
    assert_true(visible > 4 && visible < crash_count);
    lmdb_help_place(crash_directory);
    assert_int_equal(mkdir(crash_directory, 0700), 0);
    lmdb_help_join(crash_data, crash_directory, "data.mdb");
    uint64_t states = crash_replay(visible, 3, 0.0);
    print_message("[  figure  ] making a store: %zu operations, %zu before it can be seen, "
                  "%llu states, 0 unopenable\n",
                  crash_count, visible, (unsigned long long)states);
    crash_stop();
    assert_int_equal(lk_lmdb_discard(place), LK_OK);
    lmdb_help_remove(crash_directory);
}

static void test_lmdb_crash_commits(void **state)
{
    (void)state;
    static const struct lk_lmdb_config config = {.map_initial = 1, .flags = LK_LMDB_CREATE};
    const char *limit = getenv("LK_TEST_CRASH_SECONDS");
    char directory[LMDB_HELP_PATH];
    struct lk_lmdb lmdb;
    uint64_t seed = 42;
    uint64_t count;
    lmdb_help_place(directory);
    assert_int_equal(lk_lmdb_init(&lmdb, directory, &config), LK_OK);
    struct lk_storage *s = &lmdb.storage;
    assert_int_equal(s->ops->open(s, LK_WRITE), LK_OK);
    crash_start();
    crash_follow(directory);
    crash_recording = true;
    /* The first writes belong to the making, which publish() hides: begin after one commit. */
    crash_recording = false;
    assert_int_equal(map_help_put(s, 0, 20, 100, 1, LK_COMMIT_DURABLE), LK_OK);
    assert_int_equal(map_help_sum(s, &crash_sums[0], &count), LK_OK);
    size_t size = 0;
    char path[LMDB_HELP_PATH];
    lmdb_help_join(path, directory, "data.mdb");
    crash_recording = true;
    uint8_t *base = lmdb_help_load(path, &size);
    assert_non_null(base);
    crash_record(CRASH_WRITE, 0, base, size, 0);
    crash_record(CRASH_SYNC, 0, NULL, 0, 0);
    free(base);
    size_t visible = crash_count;
    for (int i = 0; i < 150; i++) {
        crash_batch(s, &seed);
    }
    s->ops->close(s);
    crash_recording = false;
    lmdb_help_remove(directory);
    lmdb_help_place(crash_directory);
    assert_int_equal(mkdir(crash_directory, 0700), 0);
    lmdb_help_join(crash_data, crash_directory, "data.mdb");
    uint64_t states = crash_replay(visible, seed, limit != NULL ? atof(limit) : CRASH_SECONDS);
    print_message("[  figure  ] commits and scrubs: %zu operations, %zu batches, %llu states, "
                  "0 lost, 0 extra\n",
                  crash_count, crash_begun, (unsigned long long)states);
    crash_stop();
    lmdb_help_remove(crash_directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lmdb_crash_publish),
        cmocka_unit_test(test_lmdb_crash_commits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
