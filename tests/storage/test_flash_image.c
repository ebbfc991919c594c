// SPDX-License-Identifier: MIT
/*
 * Flash in a file: as strict as a part, locked, and admitted only where it is safe; names of stores
 * in images; and what looks at an image, on thousands of damaged ones: it ends, says what is wrong,
 * reads nothing outside (under a sanitizer) and changes nothing.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "latchkey.h"
#include "lk_linux.h"
#include "lk_posix_flash.h"
#include "nor_internal.h"

#define SECTOR 1024u
#define COUNT  24u
#define SIZE   (SECTOR * COUNT)

static char area[64], image[96], secret[128], other[96], spec[128];

static int area_make(void **state)
{
    const char *folder = getenv("TMPDIR");

    (void)state;
    if (folder == NULL) {
        folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    }
    (void)snprintf(area, sizeof(area), "%s/lk-image-XXXXXX", folder); /* cut: mkdtemp says so */
    if (mkdtemp(area) == NULL) {
        return -1;
    }
    (void)snprintf(image, sizeof(image), "%s/a.img", area); /* they fit */
    (void)snprintf(secret, sizeof(secret), "%s/a.img.secret", area);
    (void)snprintf(other, sizeof(other), "%s/b.img", area);
    (void)snprintf(spec, sizeof(spec), "flash:%s", image);
    return 0;
}

static int area_clear(void **state)
{
    (void)state;
    (void)unlink(image); /* some are not there */
    (void)unlink(secret);
    (void)unlink(other);
    return 0;
}

static int area_remove(void **state)
{
    (void)area_clear(state);
    return rmdir(area);
}

static struct lk_posix_flash_config part_config(unsigned flags)
{
    return (struct lk_posix_flash_config){
        .path = image,
        .part = {.sector_size = SECTOR, .sector_count = 4, .program_unit = 4},
        .flags = flags};
}

static void write_file(const char *path, const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void read_file(const char *path, uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* ---- The part -------------------------------------------------------------------------------- */

static void test_flash_image_is_as_strict_as_a_part(void **state)
{
    static const uint8_t low[8] = {0x0F, 0, 0, 0, 1, 2, 3, 4};
    static const uint8_t lower[4] = {0x01, 0, 0, 0}, higher[4] = {0x11, 0, 0, 0};
    const struct lk_flash *ops = &lk_posix_flash_ops;
    struct lk_posix_flash_config config = part_config(LK_POSIX_FLASH_CREATE);
    struct lk_posix_flash flash;
    struct lk_flash_geometry part;
    uint8_t bytes[SECTOR];

    (void)state;
    assert_int_equal(lk_posix_flash_open(&flash, &config), 0);
    assert_int_equal(ops->geometry(&flash, &part), 0);
    assert_int_equal(part.sector_count, 4);
    assert_int_equal(part.mapped[4 * SECTOR - 1], 0xFF);
    assert_int_equal(ops->program(&flash, 8, low, sizeof(low)), 0);
    assert_int_equal(ops->program(&flash, 8, lower, sizeof(lower)), 0);
    assert_int_equal(ops->program(&flash, 8, higher, sizeof(higher)), LK_E_ARGUMENT);
    assert_int_equal(ops->program(&flash, 9, low, 4), LK_E_ARGUMENT);
    assert_int_equal(ops->program(&flash, 8, low, 3), LK_E_ARGUMENT);
    assert_int_equal(ops->program(&flash, 4 * SECTOR - 4, low, 8), LK_E_ARGUMENT);
    assert_int_equal(ops->read(&flash, 4 * SECTOR, bytes, 1), LK_E_ARGUMENT);
    assert_int_equal(ops->read(&flash, UINT32_MAX, bytes, 2), LK_E_ARGUMENT);
    assert_int_equal(ops->erase(&flash, 4), LK_E_ARGUMENT);
    assert_int_equal(ops->program(&flash, SECTOR, low, sizeof(low)), 0);
    assert_int_equal(ops->erase(&flash, 1), 0);
    assert_int_equal(ops->sync(&flash), 0);
    assert_int_equal(lk_posix_flash_close(&flash), 0);
    assert_int_equal(ops->program(&flash, 0, low, 4), LK_E_ARGUMENT);

    config = part_config(LK_POSIX_FLASH_READ_ONLY);
    assert_int_equal(lk_posix_flash_open(&flash, &config), 0);
    assert_int_equal(ops->read(&flash, 8, bytes, 8), 0);
    assert_memory_equal(bytes, lower, 4);
    assert_memory_equal(bytes + 4, low + 4, 4);
    assert_int_equal(ops->read(&flash, SECTOR, bytes, SECTOR), 0);
    assert_int_equal(bytes[0], 0xFF);
    assert_int_equal(ops->program(&flash, 8, lower, 4), LK_E_READ_ONLY);
    assert_int_equal(ops->erase(&flash, 0), LK_E_READ_ONLY);
    assert_int_equal(lk_posix_flash_close(&flash), 0);
}

static void test_flash_image_is_admitted_only_where_it_is_safe(void **state)
{
    static const uint8_t zeros[4 * SECTOR];
    struct lk_posix_flash_config config = part_config(0);
    struct lk_posix_flash flash;

    (void)state;
    assert_int_equal(lk_posix_flash_open(&flash, &config), LK_E_NOT_FOUND);
    assert_non_null(lk_posix_flash_problem(&flash));
    write_file(other, zeros, sizeof(zeros));
    assert_int_equal(symlink(other, image), 0);
    assert_int_equal(lk_posix_flash_open(&flash, &config), LK_E_REFUSED);
    assert_int_equal(unlink(image), 0);
    assert_int_equal(mkfifo(image, 0600), 0);
    assert_int_equal(lk_posix_flash_open(&flash, &config), LK_E_REFUSED);
    assert_int_equal(unlink(image), 0);
    write_file(image, zeros, sizeof(zeros));
    assert_int_equal(chmod(image, 0662), 0);
    assert_int_equal(lk_posix_flash_open(&flash, &config), LK_E_REFUSED);
    assert_string_equal(lk_posix_flash_problem(&flash), "can be written by other users");
    config.flags = LK_POSIX_FLASH_READ_ONLY | LK_POSIX_FLASH_ANYBODYS;
    assert_int_equal(lk_posix_flash_open(&flash, &config), 0);
    assert_int_equal(lk_posix_flash_close(&flash), 0);
    assert_int_equal(chmod(image, 0600), 0);
    config = part_config(0);
    config.offset = 4;
    assert_int_equal(lk_posix_flash_open(&flash, &config), LK_E_CORRUPT);
    config.offset = UINT64_MAX;
    assert_int_equal(lk_posix_flash_open(&flash, &config), LK_E_CORRUPT);
    config = part_config(LK_POSIX_FLASH_CREATE);
    assert_int_equal(lk_posix_flash_open(&flash, &config), LK_E_EXISTS);
    assert_int_equal(access(image, F_OK), 0);
}

/* In another process: a lock of the same one would not show. */
static int opens_elsewhere(unsigned flags)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        struct lk_posix_flash_config config = part_config(flags);
        struct lk_posix_flash flash;

        _exit(-lk_posix_flash_open(&flash, &config));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return -WEXITSTATUS(status);
}

static void test_flash_image_is_one_writers_or_several_readers(void **state)
{
    struct lk_posix_flash_config config = part_config(LK_POSIX_FLASH_CREATE);
    struct lk_posix_flash flash;

    (void)state;
    assert_int_equal(lk_posix_flash_open(&flash, &config), 0);
    assert_int_equal(opens_elsewhere(0), LK_E_BUSY);
    assert_int_equal(opens_elsewhere(LK_POSIX_FLASH_READ_ONLY), LK_E_BUSY);
    assert_int_equal(lk_posix_flash_close(&flash), 0);
    config = part_config(LK_POSIX_FLASH_READ_ONLY);
    assert_int_equal(lk_posix_flash_open(&flash, &config), 0);
    assert_int_equal(opens_elsewhere(LK_POSIX_FLASH_READ_ONLY), 0);
    assert_int_equal(opens_elsewhere(0), LK_E_BUSY);
    assert_int_equal(lk_posix_flash_close(&flash), 0);
    assert_int_equal(opens_elsewhere(0), 0);
}

/* ---- Stores in images ------------------------------------------------------------------------ */

static void store_make(const char *form)
{
    struct lk_create_request request = {.tenant = LK_TEXT("main"), .admin = LK_TEXT("admin")};
    struct lk_create_result result;
    char name[160];
    struct lk_host_config config = {.storage = name};

    (void)snprintf(name, sizeof(name), "%s%s", spec, form); /* it fits */
    assert_int_equal(lk_host_create(&config, &request, &result), 0);
}

static void test_flash_image_names_are_refused_with_their_rule(void **state)
{
    static const struct {
        const char *form, *field;
    } wrong[] = {
        {",sector=1000", "sector"},
        {",sector=512K", "sector"},
        {",sector=0", "sector"},
        {",sector=4k", "sector"},
        {",sector=", "sector"},
        {",sector", "sector"},
        {",sector=99999999999999999999", "sector"},
        {",count=3", "count"},
        {",count=32768", "count"},
        {",count=1K", "count"},
        {",count=-4", "count"},
        {",unit=2", "unit"},
        {",unit=32", "unit"},
        {",value=255", "value"},
        {",value=9K", "value"},
        {",sector=1K,value=1K", "value"},
        {",at=4G", "at"},
        {",unit=4,unit=4", "unit"},
        {",depth=4", "depth"},
        {",", "none of"},
        {",memory=1000,passes=3", "memory"},
        {",memory=1M,passes=0", "passes"},
        {",memory=1M", "without"},
        {",passes=3", "without"},
        {",sector=256K,count=1025", "count"},
    };
    struct lk_create_request request = {.tenant = LK_TEXT("main"), .admin = LK_TEXT("admin")};
    struct lk_create_result result;
    struct lk_host *host;
    char name[160];
    struct lk_host_config config = {.storage = name};

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        (void)snprintf(name, sizeof(name), "%s%s", spec, wrong[i].form); /* it fits */
        if (lk_host_create(&config, &request, &result) != LK_E_USAGE || lk_host_problem() == NULL ||
            strstr(lk_host_problem(), wrong[i].field) == NULL ||
            lk_host_open(&config, &host) != LK_E_USAGE || access(image, F_OK) == 0) {
            fail_msg("%s: %s", name, lk_host_problem() ? lk_host_problem() : "not refused");
        }
    }
    (void)snprintf(name, sizeof(name), "%s,at=4096", spec); /* it fits */
    assert_int_equal(lk_host_create(&config, &request, &result), LK_E_USAGE);
    config.storage = "flash:";
    assert_int_equal(lk_host_open(&config, &host), LK_E_USAGE);
    config.storage = "floppy:a.img";
    assert_int_equal(lk_host_open(&config, &host), LK_E_USAGE);
}

static int open_as(const char *form, bool read_only)
{
    char name[160];
    struct lk_host_config config = {.storage = name, .read_only = read_only};
    struct lk_host *host = NULL;
    int error;

    (void)snprintf(name, sizeof(name), "%s%s", spec, form); /* it fits */
    error = lk_host_open(&config, &host);
    if (!error) {
        lk_host_close(host);
    }
    return error;
}

static void test_flash_image_tells_its_form(void **state)
{
    static uint8_t bytes[3 * SIZE];

    (void)state;
    store_make(",sector=1K,count=24,unit=8");
    assert_int_equal(open_as("", false), 0);
    assert_int_equal(open_as(",sector=1K,count=24,unit=8", true), 0);
    assert_int_equal(open_as(",sector=2K", true), LK_E_USAGE);
    assert_non_null(strstr(lk_host_problem(), "has 1024"));
    assert_int_equal(open_as(",count=12", true), LK_E_USAGE);
    assert_int_equal(open_as(",unit=4", true), LK_E_USAGE);
    assert_int_equal(open_as(",value=784", true), 0);
    assert_int_equal(open_as(",value=800", true), LK_E_USAGE);
    /* In the middle of a chip's image, with the firmware before it and something behind. */
    read_file(image, bytes + 512, SIZE);
    memset(bytes, 0x5A, 512);
    memset(bytes + 512 + SIZE, 0xA5, SIZE);
    write_file(image, bytes, sizeof(bytes));
    assert_int_equal(chmod(image, 0600), 0);
    assert_int_equal(open_as("", true), LK_E_CORRUPT);
    assert_int_equal(open_as(",at=512", false), 0);
    assert_int_equal(open_as(",at=512,count=24", true), 0);
    read_file(image, bytes, sizeof(bytes));
    assert_int_equal(bytes[511], 0x5A);
    assert_int_equal(bytes[512 + SIZE], 0xA5);
    assert_int_equal(open_as(",at=70000", true), LK_E_CORRUPT);
    assert_int_equal(open_as(",at=4000000", true), LK_E_CORRUPT);
}

static void test_flash_image_without_a_store_is_an_answer(void **state)
{
    static uint8_t bytes[SIZE];

    (void)state;
    memset(bytes, 0xFF, sizeof(bytes));
    write_file(image, bytes, sizeof(bytes));
    assert_int_equal(chmod(image, 0600), 0);
    assert_int_equal(open_as("", true), LK_E_CORRUPT);
    assert_int_equal(open_as(",sector=1K,count=24,unit=4", true), LK_E_NOT_FOUND);
    assert_int_equal(open_as(",sector=1K,count=24,unit=4", false), LK_E_NOT_FOUND);
    assert_int_equal(open_as(",sector=1K,count=25,unit=4", true), LK_E_CORRUPT);
    read_file(image, bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        assert_int_equal(bytes[i], 0xFF); /* opening makes no store */
    }
}

/* ---- Looking --------------------------------------------------------------------------------- */

struct look {
    unsigned mounted, unmounted, refused, damaged, clean;
};

/* Everything there is to be seen of an image; each part of it must end and be within bounds. */
static void look_at(const char *name, struct look *look)
{
    struct lk_host_image *opened = NULL;
    struct lk_flash_geometry part;
    struct lk_nor_record record;
    struct lk_nor *nor;
    uint32_t records = 0, damaged = 0;
    uint64_t live = 0;
    int error = lk_host_image_open(name, &opened), mount;

    if (error) {
        assert_true(error == LK_E_CORRUPT || error == LK_E_NEWER || error == LK_E_TOO_BIG);
        assert_non_null(lk_host_problem());
        look->refused++;
        return;
    }
    nor = lk_host_image_nor(opened);
    part = lk_host_image_part(opened);
    mount = lk_host_image_mount(opened);
    for (uint32_t i = 0; i < part.sector_count; i++) {
        struct lk_nor_sector sector;

        assert_int_equal(lk_nor_look_sector(nor, i, &sector), 0);
        assert_int_equal(sector.live_bytes + sector.dead_bytes + sector.free_bytes,
                         part.sector_size);
        assert_non_null(lk_nor_state_name(sector.state));
        live += sector.live_bytes;
        damaged += sector.damaged;
    }
    if (mount == 0) {
        struct lk_storage_stat stat;
        int check = nor->storage.ops->check(&nor->storage, NULL, NULL);

        assert_int_equal(nor->storage.ops->stat(&nor->storage, &stat), 0);
        while ((error = lk_nor_look_record(nor, records, &record)) == 0 || error == LK_E_CORRUPT) {
            assert_in_range(record.key.size, error ? 0 : 1, LK_KEY_MAX);
            damaged += error || !record.sound;
            records++;
        }
        assert_int_equal(error, LK_E_NOT_FOUND);
        assert_int_equal(records, stat.entries);
        if (check == 0) {
            assert_int_equal(damaged, 0);
            assert_int_equal(live, stat.live_bytes);
        }
        look->clean += check == 0;
        look->damaged += check != 0;
        look->mounted++;
    } else {
        look->unmounted++;
    }
    lk_host_image_close(opened);
}

static uint64_t look_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Bits and bytes, sectors swapped and doubled, noise, ends cut off. Answers the size. */
static size_t mutate(uint8_t *bytes, uint64_t *seed)
{
    size_t size = SIZE, count = 1 + look_random(seed) % 12;
    uint32_t at, from;

    switch (look_random(seed) % 8) {
    case 0: return look_random(seed) % SIZE;
    case 1:
        at = (uint32_t)(look_random(seed) % COUNT) * SECTOR;
        from = (uint32_t)(look_random(seed) % COUNT) * SECTOR;
        memmove(bytes + at, bytes + from, SECTOR);
        break;
    case 2:
        at = (uint32_t)(look_random(seed) % COUNT) * SECTOR;
        memset(bytes + at, look_random(seed) % 2 ? 0xFF : 0, SECTOR);
        break;
    case 3:
        at = (uint32_t)(look_random(seed) % COUNT) * SECTOR;
        for (uint32_t i = 0; i < SECTOR; i++) {
            bytes[at + i] = (uint8_t)look_random(seed);
        }
        break;
    case 4: /* in the headers, where the form is */
        while (count-- > 0) {
            at =
                (uint32_t)(look_random(seed) % COUNT) * SECTOR + (uint32_t)(look_random(seed) % 48);
            bytes[at] = (uint8_t)look_random(seed);
        }
        break;
    case 5: memset(bytes + look_random(seed) % (SIZE - 16), (int)count, count); break;
    default:
        while (count-- > 0) {
            bytes[look_random(seed) % SIZE] ^= (uint8_t)(1u << look_random(seed) % 8);
        }
    }
    return size;
}

/* A store with users, failures and purges behind it, so that its ring went round. */
static void store_live(void)
{
    struct lk_host_config config = {.storage = spec};
    struct lk_host *host;
    struct lk_txn txn;

    store_make(",sector=1K,count=24,unit=4");
    assert_int_equal(lk_host_open(&config, &host), 0);
    memset(&txn, 0, sizeof(txn));
    for (unsigned i = 0; i < 60; i++) {
        struct lk_login_request login = {.tenant = 1,
                                         .name = LK_TEXT("admin"),
                                         .password = LK_TEXT("wrong"),
                                         .channel = LK_CHANNEL_CLI};
        struct lk_login_result result;
        struct lk_user user;
        char name[16];

        memset(&user, 0, sizeof(user));
        user.record.id.tenant = 1;
        (void)snprintf(name, sizeof(name), "user%u", i); /* it fits */
        lk_field_set_span(&user.record, &lk_kind_user.fields[0],
                          (struct lk_span){(const uint8_t *)name, strlen(name)});
        assert_int_equal(lk_begin(lk_host_store(host), &txn, LK_WRITE, NULL), 0);
        assert_int_equal(lk_add(&txn, &lk_kind_user, &user.record, NULL), 0);
        if (i >= 4) {
            assert_int_equal(lk_purge(&txn, &lk_kind_user, (struct lk_id){1, i - 1, 0}), 0);
        }
        assert_int_equal(lk_commit(&txn), 0);
        if (i % 8 == 0) {
            assert_int_not_equal(lk_login(lk_host_store(host), &login, &result, NULL), 0);
        }
    }
    lk_txn_release(&txn);
    lk_host_close(host);
}

static void test_flash_image_damaged_is_looked_at_in_bounds(void **state)
{
    static uint8_t sound[SIZE], bytes[SIZE], after[SIZE];
    const char *steps = getenv("LATCHKEY_STEPS");
    unsigned count = steps ? (unsigned)strtoul(steps, NULL, 10) : 4000, opened = 0;
    struct look look = {0, 0, 0, 0, 0};
    uint64_t seed = UINT64_C(0x9E3779B97F4A7C15);

    (void)state;
    store_live();
    read_file(image, sound, SIZE);
    look_at(spec, &look);
    assert_int_equal(look.clean, 1);
    for (unsigned i = 0; i < count; i++) {
        struct lk_host_config config = {.storage = spec, .read_only = i % 2 == 0};
        struct lk_host *host = NULL;
        size_t size;

        memcpy(bytes, sound, SIZE);
        size = mutate(bytes, &seed);
        write_file(image, bytes, size);
        look_at(spec, &look);
        read_file(image, after, size);
        assert_memory_equal(after, bytes, size);
        /* And as a store, with the right secret. */
        if (lk_host_open(&config, &host) == 0) {
            struct lk_verify verify = {.on_fault = NULL};
            struct lk_txn txn;
            int error;

            memset(&txn, 0, sizeof(txn));
            assert_int_equal(lk_begin(lk_host_store(host), &txn, LK_READ, NULL), 0);
            error = lk_verify(&txn, &verify);
            assert_true(error == 0 || error == LK_E_FAULTS || error == LK_E_CORRUPT);
            lk_abort(&txn);
            lk_txn_release(&txn);
            lk_host_close(host);
            opened++;
        }
    }
    print_message("%u images: %u no store, %u not to be read, %u damaged, %u in order; %u opened\n",
                  count, look.refused, look.unmounted, look.damaged, look.clean, opened);
    assert_true(look.damaged > count / 10 && look.refused > 0 && opened > count / 4);
}

/* Nothing of a store at all: noise of every size, and noise that begins like a sector. */
static void test_flash_image_of_noise_is_refused(void **state)
{
    static uint8_t bytes[SIZE];
    struct look look = {0, 0, 0, 0, 0};
    uint64_t seed = 7;
    char name[160];

    (void)state;
    for (unsigned i = 0; i < 600; i++) {
        for (size_t k = 0; k < SIZE; k++) {
            bytes[k] = (uint8_t)look_random(&seed);
        }
        for (size_t k = 0; i % 3 == 0 && k < SIZE; k += SECTOR) {
            memcpy(bytes + k, "LK\1\2\1\0\30\0", 8);
        }
        write_file(image, bytes, i % 2 ? SIZE : 1 + look_random(&seed) % SIZE);
        look_at(spec, &look);
    }
    assert_int_equal(look.refused, 600);
    (void)snprintf(name, sizeof(name), "%s,sector=1K,count=24,unit=4", spec); /* it fits */
    write_file(image, bytes, SIZE);
    look_at(name, &look);
    assert_int_equal(look.unmounted, 1);
}

/* As many headers as there can be, with nothing behind any: time grows with the image, no faster.
 */
static void test_flash_image_of_headers_only_is_soon_refused(void **state)
{
    enum { MANY = 32767 };
    uint8_t *bytes = malloc((size_t)MANY * SECTOR);
    struct look look = {0, 0, 0, 0, 0};

    (void)state;
    assert_non_null(bytes);
    memset(bytes, 0xFF, (size_t)MANY * SECTOR);
    for (uint32_t i = 0; i < MANY; i++) {
        uint8_t *head = bytes + (size_t)i * SECTOR;

        memset(head, 0, 40);
        memcpy(head, "LK\1\2\1\0\377\177", 8);
        nor_set32(head + 8, i + 1);
        nor_set32(head + 12, i > 0 ? UINT32_C(1) << 16 : 0);
        nor_set32(head + 36, lk_nor_header_crc(head, i) ^ (i % 2 ? 0 : 3));
    }
    write_file(image, bytes, (size_t)MANY * SECTOR);
    free(bytes);
    look_at(spec, &look);
    assert_int_equal(look.unmounted, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_flash_image_is_as_strict_as_a_part, area_clear),
        cmocka_unit_test_teardown(test_flash_image_is_admitted_only_where_it_is_safe, area_clear),
        cmocka_unit_test_teardown(test_flash_image_is_one_writers_or_several_readers, area_clear),
        cmocka_unit_test_teardown(test_flash_image_names_are_refused_with_their_rule, area_clear),
        cmocka_unit_test_teardown(test_flash_image_tells_its_form, area_clear),
        cmocka_unit_test_teardown(test_flash_image_without_a_store_is_an_answer, area_clear),
        cmocka_unit_test_teardown(test_flash_image_damaged_is_looked_at_in_bounds, area_clear),
        cmocka_unit_test_teardown(test_flash_image_of_noise_is_refused, area_clear),
        cmocka_unit_test_teardown(test_flash_image_of_headers_only_is_soon_refused, area_clear),
    };

    return cmocka_run_group_tests_name("flash_image", tests, area_make, area_remove);
}
