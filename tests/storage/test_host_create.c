// SPDX-License-Identifier: MIT
/*
 * test_host_create.c: stores, backups and restored stores, cut short by a power failure while they
 * are made.
 *
 * What the making does to files and directories is recorded by functions of the C library that this
 * program has in their place. For every prefix of the record the tree is rebuilt as a disk may hold
 * it: what was flushed is there; of a file's other writes each sector of 512 bytes may be there or
 * not; of a directory's other changes the first few, in order, whatever other directories got. In
 * every such tree there must be nothing under the final name, or a whole store that opens, is sound
 * and lets its administrator in; and whatever else was left, the next attempt must succeed and
 * leave nothing of the cut one.
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE /* its inline open() would be defined twice */
#include "lk_linux.h"
#include "lmdb_help.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#define CUT_EVENTS 4096
#define CUT_NODES  64
#define CUT_NAMES  16 /* of one directory at a time */
#define CUT_NAME   64
#define CUT_SECTOR 512u
#define CUT_ROOM   ((size_t)2 << 20)
#define CUT_WAYS   40
#define CUT_AGAIN  7 /* every so many states, the making is tried again in what is left */

#define PASSWORD   "correct horse battery"
#define PASSPHRASE "a passphrase of some length"

/* ---- The record ------------------------------------------------------------------------------ */

/* A file or a directory, whatever its names. */
struct cut_node {
    dev_t dev;
    ino_t ino;
    bool directory;
    mode_t mode;
};

enum cut_kind { CUT_WRITE, CUT_SIZE, CUT_SYNC, CUT_PUT, CUT_TAKE, CUT_MOVE };

static struct cut_event {
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
} cut_events[CUT_EVENTS];
static size_t cut_count;
static struct cut_node cut_nodes[CUT_NODES];
static size_t cut_node_count;
static bool cut_recording;
static pthread_mutex_t cut_lock = PTHREAD_MUTEX_INITIALIZER;

/* Numbers of files are used again once their file is gone: the newest counts. */
static size_t cut_find(const struct stat *st)
{
    for (size_t i = cut_node_count; i > 0; i--) {
        if (cut_nodes[i - 1].ino == st->st_ino && cut_nodes[i - 1].dev == st->st_dev) {
            return i - 1;
        }
    }
    return SIZE_MAX;
}

static size_t cut_find_fd(int fd)
{
    struct stat st;
    return cut_recording && fstat(fd, &st) == 0 ? cut_find(&st) : SIZE_MAX;
}

static size_t cut_find_at(int at, const char *path)
{
    struct stat st;
    return fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW) == 0 ? cut_find(&st) : SIZE_MAX;
}

static size_t cut_add_node(int at, const char *path)
{
    struct stat st;
    if (fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW) != 0 || cut_node_count == CUT_NODES) {
        abort();
    }
    cut_nodes[cut_node_count] =
        (struct cut_node){st.st_dev, st.st_ino, S_ISDIR(st.st_mode), st.st_mode & 07777};
    return cut_node_count++;
}

/* The directory that a path's last name is in; SIZE_MAX where it is none of ours. */
static size_t cut_parent(int at, const char *path, char name[CUT_NAME])
{
    char head[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash - path);
    if (!cut_recording || size >= sizeof head ||
        strlen(slash == NULL ? path : slash + 1) >= CUT_NAME) {
        return SIZE_MAX;
    }
    (void)snprintf(name, CUT_NAME, "%s", slash == NULL ? path : slash + 1);
    memcpy(head, path, size);
    memcpy(head + size, size == 0 ? "." : "", size == 0 ? 2 : 1);
    return cut_find_at(at, head);
}

static struct cut_event *cut_record(enum cut_kind kind, size_t node)
{
    if (cut_count == CUT_EVENTS) {
        abort();
    }
    struct cut_event *event = &cut_events[cut_count++];
    *event = (struct cut_event){.kind = kind, .node = node};
    return event;
}

static void cut_record_name(enum cut_kind kind, size_t node, size_t directory, const char *name)
{
    struct cut_event *event = cut_record(kind, node);
    event->directory = directory;
    (void)snprintf(event->name, sizeof event->name, "%s", name);
}

static void cut_record_write(int fd, const void *data, size_t size, off_t offset)
{
    (void)pthread_mutex_lock(&cut_lock);
    size_t node = cut_find_fd(fd);
    if (node != SIZE_MAX) {
        struct cut_event *event = cut_record(CUT_WRITE, node);
        event->durable = (fcntl(fd, F_GETFL) & O_DSYNC) != 0;
        event->offset = (uint64_t)offset;
        event->size = size;
        event->data = malloc(size);
        if (event->data == NULL) {
            abort();
        }
        memcpy(event->data, data, size);
    }
    (void)pthread_mutex_unlock(&cut_lock);
}

/* ---- In place of the C library --------------------------------------------------------------- */

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    ssize_t n = (ssize_t)syscall(SYS_pwrite64, fd, data, size, offset);
    if (n > 0) {
        cut_record_write(fd, data, (size_t)n, offset);
    }
    return n;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset)
{
    return pwrite(fd, data, size, offset);
}

ssize_t write(int fd, const void *data, size_t size)
{
    off_t at = cut_recording ? (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR) : 0;
    ssize_t n = (ssize_t)syscall(SYS_write, fd, data, size);
    if (n > 0) {
        cut_record_write(fd, data, (size_t)n, at);
    }
    return n;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    ssize_t sum = 0;
    for (int i = 0; i < count; i++) {
        ssize_t n = write(fd, parts[i].iov_base, parts[i].iov_len);
        if (n < 0) {
            return n;
        }
        sum += n;
    }
    return sum;
}

int ftruncate(int fd, off_t size)
{
    int rc = (int)syscall(SYS_ftruncate, fd, size);
    (void)pthread_mutex_lock(&cut_lock);
    size_t node = cut_find_fd(fd);
    if (rc == 0 && node != SIZE_MAX) {
        cut_record(CUT_SIZE, node)->size = (size_t)size;
    }
    (void)pthread_mutex_unlock(&cut_lock);
    return rc;
}

int ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}

int fdatasync(int fd)
{
    (void)pthread_mutex_lock(&cut_lock);
    size_t node = cut_find_fd(fd);
    if (node != SIZE_MAX) {
        (void)cut_record(CUT_SYNC, node);
    }
    (void)pthread_mutex_unlock(&cut_lock);
    return 0; /* the disk is ours: nothing needs to be waited for */
}

int fsync(int fd)
{
    return fdatasync(fd);
}

int openat(int at, const char *path, int flags, ...)
{
    char name[CUT_NAME];
    struct stat st;
    va_list list;
    va_start(list, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
    va_end(list);
    bool fresh =
        cut_recording && (flags & O_CREAT) != 0 && fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW) != 0;
    int fd = (int)syscall(SYS_openat, at, path, flags, mode);
    if (fd >= 0 && fresh) {
        size_t directory = cut_parent(at, path, name);
        if (directory != SIZE_MAX) {
            cut_record_name(CUT_PUT, cut_add_node(at, path), directory, name);
        }
    }
    return fd;
}

int openat64(int at, const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
    va_end(list);
    return openat(at, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
    va_end(list);
    return openat(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
    va_end(list);
    return openat(AT_FDCWD, path, flags, mode);
}

int mkdirat(int at, const char *path, mode_t mode)
{
    char name[CUT_NAME];
    int rc = (int)syscall(SYS_mkdirat, at, path, mode);
    size_t directory = rc == 0 ? cut_parent(at, path, name) : SIZE_MAX;
    if (directory != SIZE_MAX) {
        cut_record_name(CUT_PUT, cut_add_node(at, path), directory, name);
    }
    return rc;
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

char *mkdtemp(char *template)
{
    static unsigned number;
    char *tail = template + strlen(template) - 6;
    do {
        (void)snprintf(tail, 7, "%06u", number++ % 1000000);
        if (mkdir(template, 0700) == 0) {
            return template;
        }
    } while (errno == EEXIST);
    return NULL;
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned int flags)
{
    char name[CUT_NAME], source_name[CUT_NAME];
    size_t source = cut_parent(from_at, from, source_name);
    size_t directory = cut_parent(to_at, to, name);
    size_t node = cut_recording ? cut_find_at(from_at, from) : SIZE_MAX;
    int rc = (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    if (rc == 0 && source != SIZE_MAX && directory != SIZE_MAX && node != SIZE_MAX) {
        cut_record_name(CUT_MOVE, node, directory, name);
        cut_events[cut_count - 1].source = source;
        (void)snprintf(cut_events[cut_count - 1].source_name, CUT_NAME, "%s", source_name);
    }
    return rc;
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
    return renameat2(from_at, from, to_at, to, 0);
}

int rename(const char *from, const char *to)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
    char name[CUT_NAME];
    size_t directory = cut_parent(to_at, to, name);
    int rc = (int)syscall(SYS_linkat, from_at, from, to_at, to, flags);
    size_t node = rc == 0 && cut_recording ? cut_find_at(to_at, to) : SIZE_MAX;
    if (directory != SIZE_MAX && node != SIZE_MAX) {
        cut_record_name(CUT_PUT, node, directory, name);
    }
    return rc;
}

int unlinkat(int at, const char *path, int flags)
{
    char name[CUT_NAME];
    size_t directory = cut_parent(at, path, name);
    int rc = (int)syscall(SYS_unlinkat, at, path, flags);
    if (rc == 0 && directory != SIZE_MAX) {
        cut_record_name(CUT_TAKE, 0, directory, name);
    }
    return rc;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

/* ---- The disk, as a cut may leave it --------------------------------------------------------- */

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
    const struct cut_event *done = &cut_events[event];
    size_t holder = cut_is_name(done) ? done->directory : done->node;
    for (size_t i = event + 1; i < n; i++) {
        if (cut_events[i].kind == CUT_SYNC && cut_events[i].node == holder) {
            return true;
        }
    }
    return done->durable;
}

/*
 * The tree when the power goes before event `n`. Way 0: only what was flushed; 1: all; 2: all names
 * and no bytes; 3: all bytes and no names; others by chance, with a bias that the way chooses.
 */
static void cut_build(size_t n, unsigned way, uint64_t *seed)
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
        const struct cut_event *event = &cut_events[i];
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

/* Makes the tree below `node` in a directory of the machine's own. */
static void cut_plant(size_t node, const char *path)
{
    const struct cut_image *image = &cut_disk[node];
    char below[PATH_MAX];
    if (!cut_nodes[node].directory) {
        assert_true(
            lmdb_help_save(path, image->size == 0 ? (const void *)"" : image->data, image->size));
        assert_int_equal(chmod(path, cut_nodes[node].mode), 0);
        return;
    }
    assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
    for (size_t i = 0; i < image->name_count; i++) {
        (void)snprintf(below, sizeof below, "%s/%s", path, image->names[i].name);
        cut_plant(image->names[i].node, below);
    }
}

static void cut_clear(const char *path, bool itself)
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
            cut_clear(below, true);
        }
    }
    (void)closedir(stream);
    if (itself) {
        (void)rmdir(path);
    }
}

/* ---- What is made, and how it is looked at --------------------------------------------------- */

/* A making, in the directory `place`: of something named "made" there. */
struct cut_case {
    const char *name;
    /* Before the recording: what must be there already. NULL: nothing. */
    void (*prepare)(const char *place);
    int (*make)(const char *place);
    /* Is what is there whole? Says what is wrong. */
    const char *(*look)(const char *place);
};

static char cut_root[LMDB_HELP_PATH];   /* where the makings are recorded and replayed */
static char cut_source[LMDB_HELP_PATH]; /* a store that was whole all along */
static char cut_claim[LK_CLAIM_SIZE];   /* of the recorded making */
static const struct lk_pwhash_params cut_cheap = {64, 1, 1};

static char *cut_path(const char *place, const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, PATH_MAX, "%.200s/%.100s", place, name);
    return path;
}

static const char *cut_verified(struct lk_store *store)
{
    struct lk_txn txn = {0};
    struct lk_verify verify = {0};
    int error = lk_begin(store, &txn, LK_READ, NULL);
    if (error == 0) {
        error = lk_verify(&txn, &verify);
    }
    lk_abort(&txn);
    lk_txn_release(&txn);
    return error == 0 && verify.record_count > 20 ? NULL : "it is not sound";
}

static const char *cut_login(struct lk_store *store, const char *secret, const char *fresh)
{
    const struct lk_login_request request = {
        .tenant = 1,
        .name = LK_TEXT("admin"),
        .password = {(const uint8_t *)secret, strlen(secret)},
        .new_password = {(const uint8_t *)fresh, strlen(fresh)},
        .channel = LK_CHANNEL_CLI,
    };
    struct lk_login_result result;
    return lk_login(store, &request, &result, NULL) == 0 ? NULL : "its administrator is kept out";
}

static const char *cut_look_at(const struct lk_host_config *config, const char *secret,
                               const char *fresh)
{
    struct lk_host *host;
    const char *wrong;
    int error = lk_host_open(config, &host);
    if (error != 0) {
        print_error("open answers %d: %s\n", error,
                    lk_host_problem() != NULL ? lk_host_problem() : lk_strerror(error));
        return "it does not open";
    }
    wrong = cut_verified(lk_host_store(host));
    if (wrong == NULL) {
        wrong = cut_login(lk_host_store(host), secret, fresh);
    }
    lk_host_close(host);
    return wrong;
}

/* A store with its secret in it, and a password. */

static int make_store(const char *place)
{
    const struct lk_host_config config = {.directory = cut_path(place, "made"),
                                          .pwhash = cut_cheap};
    const struct lk_create_request request = {LK_TEXT("acme"), LK_TEXT("admin"), LK_TEXT(PASSWORD)};
    struct lk_create_result result;
    return lk_host_create(&config, &request, &result);
}

static const char *look_store(const char *place)
{
    const struct lk_host_config config = {.directory = cut_path(place, "made"),
                                          .pwhash = cut_cheap};
    return cut_look_at(&config, PASSWORD, "");
}

/* A store with its secret elsewhere, and a claim code; in a directory that is not there yet. */

static int make_store_apart(const char *place)
{
    const struct lk_host_config config = {.directory = cut_path(place, "deep/down/made"),
                                          .secret_path = cut_path(place, "keys/secret"),
                                          .pwhash = cut_cheap};
    const struct lk_create_request request = {LK_TEXT("acme"), LK_TEXT("admin"), {NULL, 0}};
    struct lk_create_result result;
    int error = lk_host_create(&config, &request, &result);
    if (error == 0 && cut_recording) {
        memcpy(cut_claim, result.claim, sizeof cut_claim);
    }
    return error;
}

static void prepare_keys(const char *place)
{
    assert_int_equal(mkdir(cut_path(place, "keys"), 0700), 0);
}

static const char *look_store_apart(const char *place)
{
    const struct lk_host_config config = {.directory = cut_path(place, "deep/down/made"),
                                          .secret_path = cut_path(place, "keys/secret"),
                                          .pwhash = cut_cheap};
    return cut_look_at(&config, cut_claim, PASSWORD);
}

/* Backups of the source, with its secret and with a passphrase. */

static int cut_backup(const char *place, struct lk_span passphrase)
{
    const struct lk_host_config config = {.directory = cut_path(cut_source, "store"),
                                          .secret_path = cut_path(cut_source, "secret"),
                                          .pwhash = cut_cheap};
    struct lk_host *host;
    int error = lk_host_open(&config, &host);
    if (error == 0) {
        error = lk_host_backup(host, cut_path(place, "made"), passphrase);
        lk_host_close(host);
    }
    return error;
}

static int make_backup(const char *place)
{
    return cut_backup(place, (struct lk_span){NULL, 0});
}

static int make_backup_wrapped(const char *place)
{
    return cut_backup(place, LK_TEXT(PASSPHRASE));
}

static const char *cut_look_backup(const char *place, struct lk_span passphrase)
{
    const struct lk_host_config config = {
        .directory = cut_path(cut_source, "again"),
        .secret_path = passphrase.size == 0 ? cut_path(cut_source, "secret") : NULL,
        .pwhash = cut_cheap};
    const char *wrong = "it cannot be restored";
    int error = lk_host_restore(&config, cut_path(place, "made"), passphrase);
    if (error == 0) {
        wrong = cut_look_at(&config, PASSWORD, "");
    } else {
        print_error("restore answers %d: %s\n", error,
                    lk_host_problem() != NULL ? lk_host_problem() : lk_strerror(error));
    }
    cut_clear(cut_path(cut_source, "again"), true);
    return wrong;
}

static const char *look_backup(const char *place)
{
    return cut_look_backup(place, (struct lk_span){NULL, 0});
}

static const char *look_backup_wrapped(const char *place)
{
    return cut_look_backup(place, LK_TEXT(PASSPHRASE));
}

/* A store made from a backup, with a new secret. */

static int make_restored(const char *place)
{
    const struct lk_host_config config = {.directory = cut_path(place, "made"),
                                          .pwhash = cut_cheap};
    return lk_host_restore(&config, cut_path(cut_source, "wrapped"), LK_TEXT(PASSPHRASE));
}

/* ---- Replaying ------------------------------------------------------------------------------- */

/* Nothing of an attempt may lie beside what it made. */
static const char *cut_litter(const char *path)
{
    static char found[NAME_MAX + 32];
    DIR *stream = opendir(path);
    found[0] = '\0';
    for (struct dirent *e = stream != NULL ? readdir(stream) : NULL; e != NULL;
         e = readdir(stream)) {
        if (strstr(e->d_name, ".new-") != NULL || strstr(e->d_name, ".part") != NULL) {
            (void)snprintf(found, sizeof found, "%s was left", e->d_name);
        }
    }
    if (stream != NULL) {
        (void)closedir(stream);
    }
    return found[0] != '\0' ? found : NULL;
}

static const char *cut_try_again(const struct cut_case *made, const char *place,
                                 const char *made_in)
{
    int error = made->make(place);
    if (error != 0) {
        print_error("the next attempt answers %d: %s\n", error,
                    lk_host_problem() != NULL ? lk_host_problem() : lk_strerror(error));
        return "the next attempt fails";
    }
    return cut_litter(made_in);
}

static void cut_run(const struct cut_case *made, const char *name)
{
    char place[PATH_MAX];
    char made_path[PATH_MAX];
    char made_in[PATH_MAX];
    uint64_t seed = 42;
    size_t states = 0, whole = 0, tried = 0;

    (void)snprintf(place, sizeof place, "%s/a", cut_root);
    assert_int_equal(mkdir(place, 0700), 0);
    cut_count = cut_node_count = 0;
    (void)cut_add_node(AT_FDCWD, place);
    cut_recording = made->prepare != NULL;
    if (made->prepare != NULL) {
        made->prepare(place);
        (void)cut_record(CUT_SYNC, 0);
    }
    size_t first = cut_count;
    cut_recording = true;
    int error = made->make(place);
    cut_recording = false;
    assert_int_equal(error, 0);
    assert_null(made->look(place));
    cut_clear(place, true);

    (void)snprintf(place, sizeof place, "%s/b", cut_root);
    (void)snprintf(made_path, sizeof made_path, "%.200s/%.100s", place, name);
    (void)snprintf(made_in, sizeof made_in, "%s", made_path);
    *strrchr(made_in, '/') = '\0';
    for (size_t n = first; n <= cut_count; n++) {
        for (unsigned way = 0; way < CUT_WAYS; way++) {
            uint64_t before = seed;
            const char *wrong = NULL;
            cut_build(n, way, &seed);
            cut_plant(0, place);
            states++;
            if (access(made_path, F_OK) == 0) {
                whole++;
                wrong = made->look(place);
            } else if (n == cut_count) {
                wrong = "it was told to be made, and is not there";
            } else if (states % CUT_AGAIN == 0) {
                tried++;
                wrong = cut_try_again(made, place, made_in);
            }
            if (wrong != NULL) {
                print_error("%s: cut before operation %zu of %zu, way %u, seed %llu: %s\n",
                            made->name, n, cut_count, way, (unsigned long long)before, wrong);
                fail();
            }
            cut_clear(place, true);
        }
    }
    assert_true(whole > 0 && tried > 0);
    print_message("[  figure  ] %s: %zu operations, %zu states: %zu with nothing made (%zu tried "
                  "again), %zu whole\n",
                  made->name, cut_count - first, states, states - whole, tried, whole);
    for (size_t i = 0; i < cut_count; i++) {
        free(cut_events[i].data);
    }
    for (size_t i = 0; i < CUT_NODES; i++) {
        free(cut_disk[i].data);
        cut_disk[i].data = NULL;
    }
}

static void test_cut_store(void **state)
{
    (void)state;
    cut_run(&(struct cut_case){"making a store", NULL, make_store, look_store}, "made");
}

static void test_cut_store_apart(void **state)
{
    (void)state;
    cut_run(&(struct cut_case){"making a store, its secret elsewhere", prepare_keys,
                               make_store_apart, look_store_apart},
            "deep/down/made");
}

static void test_cut_backup(void **state)
{
    (void)state;
    cut_run(&(struct cut_case){"backup", NULL, make_backup, look_backup}, "made");
}

static void test_cut_backup_wrapped(void **state)
{
    (void)state;
    cut_run(&(struct cut_case){"backup for a passphrase", NULL, make_backup_wrapped,
                               look_backup_wrapped},
            "made");
}

static void test_cut_restore(void **state)
{
    (void)state;
    cut_run(&(struct cut_case){"restoring a backup", NULL, make_restored, look_store}, "made");
}

static int cut_setup(void **state)
{
    (void)state;
    const struct lk_create_request request = {LK_TEXT("acme"), LK_TEXT("admin"), LK_TEXT(PASSWORD)};
    struct lk_create_result result;
    lmdb_help_place(cut_root);
    if (mkdir(cut_root, 0700) != 0) {
        return -1;
    }
    lmdb_help_place(cut_source);
    if (mkdir(cut_source, 0700) != 0) {
        return -1;
    }
    const struct lk_host_config config = {.directory = cut_path(cut_source, "store"),
                                          .secret_path = cut_path(cut_source, "secret"),
                                          .pwhash = cut_cheap};
    int error = lk_host_create(&config, &request, &result);
    return error != 0 ? error
           : cut_backup(cut_source, LK_TEXT(PASSPHRASE)) != 0
               ? -1
               : rename(cut_path(cut_source, "made"), cut_path(cut_source, "wrapped"));
}

static int cut_teardown(void **state)
{
    (void)state;
    cut_clear(cut_root, true);
    cut_clear(cut_source, true);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_store),   cmocka_unit_test(test_cut_store_apart),
        cmocka_unit_test(test_cut_backup),  cmocka_unit_test(test_cut_backup_wrapped),
        cmocka_unit_test(test_cut_restore),
    };
    return cmocka_run_group_tests(tests, cut_setup, cut_teardown);
}
