// SPDX-License-Identifier: MIT
/* lk_secret_flash.c: the device secret in a sector of its own: secret, then mark, 16-aligned. */
#include "lk_baremetal.h"

#include <string.h>

#define SECRET_MARK_SIZE 16

static const uint8_t secret_mark[SECRET_MARK_SIZE] = "Latchkey secret";

static int secret_sector(const struct lk_flash *flash, void *self, uint32_t sector, uint32_t *at)
{
    struct lk_flash_geometry geometry;
    int error = flash->geometry(self, &geometry);

    if (error) {
        return error;
    }
    if (sector >= geometry.sector_count) {
        return LK_E_ARGUMENT;
    }
    *at = sector * geometry.sector_size;
    return 0;
}

int lk_secret_read(const struct lk_flash *flash, void *self, uint32_t sector,
                   uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    uint8_t mark[SECRET_MARK_SIZE];
    uint32_t at;
    int error = secret_sector(flash, self, sector, &at);

    if (!error) {
        error = flash->read(self, at + LK_DEVICE_SECRET_SIZE, mark, sizeof(mark));
    }
    if (!error && memcmp(mark, secret_mark, sizeof(mark)) != 0) {
        error = LK_E_SECRET;
    }
    return error ? error : flash->read(self, at, secret, LK_DEVICE_SECRET_SIZE);
}

int lk_secret_create(const struct lk_flash *flash, void *self, uint32_t sector,
                     const struct lk_entropy *entropy)
{
    uint8_t secret[LK_DEVICE_SECRET_SIZE];
    uint32_t at;
    int error = secret_sector(flash, self, sector, &at);

    if (!error) {
        error = lk_secret_read(flash, self, sector, secret);
        error = error == LK_E_SECRET ? 0 : error ? error : LK_E_EXISTS;
    }
    if (!error) {
        error = entropy->fill(self, secret, sizeof(secret));
    }
    if (!error) {
        error = flash->erase(self, sector);
    }
    if (!error) {
        error = flash->program(self, at, secret, sizeof(secret));
    }
    if (!error) {
        error = flash->sync(self);
    }
    /* The mark comes last: cut before it, there is no secret, and nothing was sealed by it yet. */
    if (!error) {
        error = flash->program(self, at + LK_DEVICE_SECRET_SIZE, secret_mark, sizeof(secret_mark));
    }
    if (!error) {
        error = flash->sync(self);
    }
    memset(secret, 0, sizeof(secret));
    return error;
}
