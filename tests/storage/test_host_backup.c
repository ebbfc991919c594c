// SPDX-License-Identifier: MIT
/*
 * test_host_backup.c: backups and the stores restored from them, cut short by a power failure while
 * they are made.
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE /* its inline open() would be defined twice */
#include "cut.h"
#include "cut_libc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static char cut_source[LMDB_HELP_PATH]; /* a store that was whole all along */

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
    return cut_backup(place, LK_TEXT(CUT_PASSPHRASE));
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
        wrong = cut_look_at(&config, CUT_PASSWORD, "");
    } else {
        print_error("restore answers %d: %s\n", error,
                    lk_host_problem() != NULL ? lk_host_problem() : lk_strerror(error));
    }
    cut_clear(cut_path(cut_source, "again"));
    return wrong;
}

static const char *look_backup(const char *place)
{
    return cut_look_backup(place, (struct lk_span){NULL, 0});
}

static const char *look_backup_wrapped(const char *place)
{
    return cut_look_backup(place, LK_TEXT(CUT_PASSPHRASE));
}

/* A store made from a backup, with a new secret. */

static int make_restored(const char *place)
{
    const struct lk_host_config config = {.directory = cut_path(place, "made"),
                                          .pwhash = cut_cheap};
    return lk_host_restore(&config, cut_path(cut_source, "wrapped"), LK_TEXT(CUT_PASSPHRASE));
}

static const char *look_restored(const char *place)
{
    const struct lk_host_config config = {.directory = cut_path(place, "made"),
                                          .pwhash = cut_cheap};
    return cut_look_at(&config, CUT_PASSWORD, "");
}

static void test_cut_backup(void **state)
{
    (void)state;
    cut_run(&(struct cut_case){"backup", "made", NULL, make_backup, look_backup});
}

static void test_cut_backup_wrapped(void **state)
{
    (void)state;
    cut_run(&(struct cut_case){"backup for a passphrase", "made", NULL, make_backup_wrapped,
                               look_backup_wrapped});
}

static void test_cut_restore(void **state)
{
    (void)state;
    cut_run(&(struct cut_case){"restoring a backup", "made", NULL, make_restored, look_restored});
}

static int source_make(void **state)
{
    (void)state;
    lmdb_help_place(cut_source);
    if (mkdir(cut_source, 0700) != 0) {
        return -1;
    }
    const struct lk_host_config config = {.directory = cut_path(cut_source, "store"),
                                          .secret_path = cut_path(cut_source, "secret"),
                                          .pwhash = cut_cheap};
    int error = cut_make_store(&config);
    return error != 0 ? error
           : cut_backup(cut_source, LK_TEXT(CUT_PASSPHRASE)) != 0
               ? -1
               : rename(cut_path(cut_source, "made"), cut_path(cut_source, "wrapped"));
}

static int source_remove(void **state)
{
    (void)state;
    cut_clear(cut_source);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_backup),
        cmocka_unit_test(test_cut_backup_wrapped),
        cmocka_unit_test(test_cut_restore),
    };
    return cmocka_run_group_tests(tests, source_make, source_remove);
}
