// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
/* test_s_image.c: S3 over LMDB: the file of a store whose device secret is elsewhere, searched byte
 * by byte for what was put into it. */
#include "core/plant.h"

#include "lk_linux.h"

#include <sys/stat.h>
#include <unistd.h>

static char image_directory[] = "/tmp/lk-image-XXXXXX";
static char image_store[64], image_secret[64];

static int teardown(void **state)
{
    char command[96];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", image_directory);
    return system(command); /* NOLINT(cert-env33-c): a directory of this test's own */
}

static void search(const struct plant *plant, const char *where, const char *name)
{
    char path[128];
    struct stat status;
    uint8_t *image;
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", image_store, name);
    file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &status), 0);
    image = malloc((size_t)status.st_size);
    assert_non_null(image);
    assert_int_equal(fread(image, 1, (size_t)status.st_size, file), status.st_size);
    (void)fclose(file);
    plant_control(image, (size_t)status.st_size);
    plant_search(plant, where, image, (size_t)status.st_size);
    free(image);
}

static void test_s03_nothing_useful_in_a_stolen_file(void **state)
{
    struct lk_create_request request = {.tenant = LK_TEXT("main"),
                                        .admin = LK_TEXT("admin"),
                                        .password = LK_TEXT("the administrator's own")};
    struct lk_create_result result;
    struct lk_host *host;
    struct plant plant;

    (void)state;
    assert_non_null(mkdtemp(image_directory));
    (void)snprintf(image_store, sizeof(image_store), "%s/store", image_directory);
    (void)snprintf(image_secret, sizeof(image_secret), "%s/secret", image_directory);
    const struct lk_host_config config = {
        .directory = image_store, .secret_path = image_secret, .pwhash = {64, 1, 1}};
    assert_int_equal(lk_host_create(&config, &request, &result), 0);
    assert_int_equal(lk_host_open(&config, &host), 0);
    plant_fill(&plant, lk_host_store(host));
    assert_int_equal(lk_store_scrub(lk_host_store(host), NULL), 0);
    search(&plant, "LMDB", "data.mdb");
    /* Another device secret, whose predecessor stays on the list. */
    assert_int_equal(lk_host_rekey(host, NULL), 0);
    search(&plant, "LMDB, after a rekey", "data.mdb");
    lk_host_close(host);
    search(&plant, "LMDB, closed", "data.mdb");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s03_nothing_useful_in_a_stolen_file),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
