// SPDX-License-Identifier: MIT
/* test_host_create.c: stores, cut short by a power failure while they are made. */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE /* its inline open() would be defined twice */
#include "cut.h"
#include "cut_libc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static char cut_claim[LK_CLAIM_SIZE]; /* of the recorded making */

/* A store with its secret in it, and a password. */

static int make_store(const char *place)
{
    const struct lk_host_config config = {.directory = cut_path(place, "made"),
                                          .pwhash = cut_cheap};
    return cut_make_store(&config);
}

static const char *look_store(const char *place)
{
    const struct lk_host_config config = {.directory = cut_path(place, "made"),
                                          .pwhash = cut_cheap};
    return cut_look_at(&config, CUT_PASSWORD, "");
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
    if (error == 0 && cut_record.on) {
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
    return cut_look_at(&config, cut_claim, CUT_PASSWORD);
}

static void test_cut_store(void **state)
{
    (void)state;
    cut_run(&(struct cut_case){"making a store", "made", NULL, make_store, look_store});
}

static void test_cut_store_apart(void **state)
{
    (void)state;
    cut_run(&(struct cut_case){"making a store, its secret elsewhere", "deep/down/made",
                               prepare_keys, make_store_apart, look_store_apart});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_store),
        cmocka_unit_test(test_cut_store_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
