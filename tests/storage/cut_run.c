// SPDX-License-Identifier: MIT
/* cut_run.c: a making is recorded, and looked at in every state that a cut may leave. */
#define _GNU_SOURCE
#include "cut.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define CUT_WAYS  40
#define CUT_AGAIN 7 /* every so many states, the making is tried again in what is left */

const struct lk_pwhash_params cut_cheap = {64, 1, 1};

char *cut_path(const char *place, const char *name)
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

const char *cut_look_at(const struct lk_host_config *config, const char *secret, const char *fresh)
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

int cut_make_store(const struct lk_host_config *config)
{
    const struct lk_create_request request = {LK_TEXT("acme"), LK_TEXT("admin"),
                                              LK_TEXT(CUT_PASSWORD)};
    struct lk_create_result result;
    return lk_host_create(config, &request, &result);
}

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

void cut_run(const struct cut_case *made)
{
    char root[LMDB_HELP_PATH];
    char place[PATH_MAX];
    char made_path[PATH_MAX];
    char made_in[PATH_MAX];
    uint64_t seed = 42;
    size_t states = 0, whole = 0, tried = 0;

    lmdb_help_place(root);
    assert_int_equal(mkdir(root, 0700), 0);
    (void)snprintf(place, sizeof place, "%s/a", root);
    assert_int_equal(mkdir(place, 0700), 0);
    cut_record.count = cut_record.node_count = 0;
    (void)cut_add_node(AT_FDCWD, place);
    cut_record.on = made->prepare != NULL;
    if (made->prepare != NULL) {
        made->prepare(place);
        (void)cut_add(CUT_SYNC, 0);
    }
    size_t first = cut_record.count;
    cut_record.on = true;
    int error = made->make(place);
    cut_record.on = false;
    assert_int_equal(error, 0);
    assert_null(made->look(place));
    cut_clear(place);

    (void)snprintf(place, sizeof place, "%s/b", root);
    (void)snprintf(made_path, sizeof made_path, "%.200s/%.100s", place, made->path);
    (void)snprintf(made_in, sizeof made_in, "%s", made_path);
    *strrchr(made_in, '/') = '\0';
    for (size_t n = first; n <= cut_record.count; n++) {
        for (unsigned way = 0; way < CUT_WAYS; way++) {
            uint64_t before = seed;
            const char *wrong = NULL;
            cut_build(n, way, &seed);
            cut_plant(0, place);
            states++;
            if (access(made_path, F_OK) == 0) {
                whole++;
                wrong = made->look(place);
            } else if (n == cut_record.count) {
                wrong = "it was told to be made, and is not there";
            } else if (states % CUT_AGAIN == 0) {
                tried++;
                wrong = cut_try_again(made, place, made_in);
            }
            if (wrong != NULL) {
                print_error("%s: cut before operation %zu of %zu, way %u, seed %llu: %s\n",
                            made->name, n, cut_record.count, way, (unsigned long long)before,
                            wrong);
                cut_clear(root);
                fail();
            }
            cut_clear(place);
        }
    }
    assert_true(whole > 0 && tried > 0);
    print_message("[  figure  ] %s: %zu operations, %zu states: %zu with nothing made (%zu tried "
                  "again), %zu whole\n",
                  made->name, cut_record.count - first, states, states - whole, tried, whole);
    for (size_t i = 0; i < cut_record.count; i++) {
        free(cut_record.events[i].data);
    }
    cut_disk_free();
    cut_clear(root);
}
