// SPDX-License-Identifier: MIT
/*
 * nor_media.c: the flash, read, programmed and erased, and the checksum of what is in it.
 *
 * Reading answers no error: what cannot be read is noted in the handle and reads as erased, and
 * nothing is written until the operation that met it has answered so.
 */
#include "nor_internal.h"

#define MEDIA_PIECE 32u

void lk_nor_read(struct lk_nor *nor, uint32_t at, void *out, size_t size)
{
    if (nor->mapped != NULL) {
        memcpy(out, nor->mapped + at, size);
    } else if (nor->config->flash->read(nor->config->self, nor->base + at, out, size) != LK_OK) {
        memset(out, 0xFF, size);
        nor->trouble = LK_E_IO;
    }
}

uint32_t lk_nor_word(struct lk_nor *nor, uint32_t at)
{
    uint8_t bytes[4];
    lk_nor_read(nor, at, bytes, sizeof bytes);
    return nor_get32(bytes);
}

const uint8_t *lk_nor_view(struct lk_nor *nor, uint32_t at, uint8_t *buffer, size_t size)
{
    if (nor->mapped != NULL) {
        return nor->mapped + at;
    }
    lk_nor_read(nor, at, buffer, size);
    return buffer;
}

/* After a program or an erase: `good` as the flash answered. */
static int media_sync(const struct lk_nor *nor, bool good)
{
    if (!good) {
        return LK_E_CORRUPT;
    }
    return nor->config->flash->sync(nor->config->self) == LK_OK ? LK_OK : LK_E_IO;
}

/* The same after it was read back. */
static int media_answer(const struct lk_nor *nor, bool same)
{
    return nor->trouble != LK_OK ? LK_E_IO : (same ? LK_OK : LK_E_CORRUPT);
}

int lk_nor_program(struct lk_nor *nor, uint32_t at, const uint8_t *data, size_t size)
{
    const struct lk_nor_config *config = nor->config;
    bool same = true;
    if (nor->trouble != LK_OK) {
        return LK_E_IO;
    }
    nor->programmed += size;
    int rc =
        media_sync(nor, config->flash->program(config->self, nor->base + at, data, size) == LK_OK);
    if (rc != LK_OK) {
        return rc;
    }
    for (uint32_t i = 0; i < size; i += 4) {
        same = same && lk_nor_word(nor, at + i) == nor_get32(data + i);
    }
    return media_answer(nor, same);
}

uint32_t lk_nor_last_not(struct lk_nor *nor, uint32_t from, uint32_t to, uint8_t fill)
{
    uint8_t buffer[MEDIA_PIECE];
    while (to > from) {
        uint32_t piece = to - from < MEDIA_PIECE ? to - from : MEDIA_PIECE;
        const uint8_t *bytes = lk_nor_view(nor, to - piece, buffer, piece);
        for (uint32_t i = piece; i > 0; i--) {
            if (bytes[i - 1] != fill) {
                return to - piece + i;
            }
        }
        to -= piece;
    }
    return from;
}

bool lk_nor_blank(struct lk_nor *nor, uint32_t from, uint32_t to)
{
    return lk_nor_last_not(nor, from, to, 0xFF) == from;
}

int lk_nor_erase(struct lk_nor *nor, uint32_t sector)
{
    const struct lk_nor_config *config = nor->config;
    uint32_t start = nor_sector_at(nor, sector);
    if (nor->trouble != LK_OK) {
        return LK_E_IO;
    }
    nor->erase_total++;
    int rc =
        media_sync(nor, config->flash->erase(config->self, config->first_sector + sector) == LK_OK);
    return rc == LK_OK ? media_answer(nor, lk_nor_blank(nor, start, start + nor->sector_size)) : rc;
}

uint32_t lk_nor_crc(uint32_t crc, const uint8_t *data, size_t size)
{
    /* CRC-32 of IEEE 802.3, half a byte at a time. */
    static const uint32_t table[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC,
                                       0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
                                       0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                       0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

uint32_t lk_nor_crc_word(uint32_t crc, uint32_t word)
{
    uint8_t bytes[4];
    nor_set32(bytes, word);
    return lk_nor_crc(crc, bytes, sizeof bytes);
}

uint32_t lk_nor_crc_flash(struct lk_nor *nor, uint32_t crc, uint32_t at, uint32_t size)
{
    uint8_t buffer[MEDIA_PIECE];
    while (size > 0) {
        uint32_t piece = size < MEDIA_PIECE ? size : MEDIA_PIECE;
        crc = lk_nor_crc(crc, lk_nor_view(nor, at, buffer, piece), piece);
        at += piece;
        size -= piece;
    }
    return crc;
}
