// SPDX-License-Identifier: MIT
/* nor_media.c: the flash, read, programmed and erased, and the checksum of what is in it. */
#include "nor_internal.h"

#define MEDIA_PIECE 32u

int lk_nor_read(const struct lk_nor *nor, uint32_t at, void *out, size_t size)
{
    if (nor->mapped != NULL) {
        memcpy(out, nor->mapped + at, size);
        return LK_OK;
    }
    return nor->config->flash->read(nor->config->self, nor->base + at, out, size) == LK_OK
               ? LK_OK
               : LK_E_IO;
}

int lk_nor_word(const struct lk_nor *nor, uint32_t at, uint32_t *word)
{
    uint8_t bytes[4] = {0};
    int rc = lk_nor_read(nor, at, bytes, sizeof bytes);
    *word = nor_get32(bytes);
    return rc;
}

const uint8_t *lk_nor_view(const struct lk_nor *nor, uint32_t at, uint8_t *buffer, size_t size)
{
    if (nor->mapped != NULL) {
        return nor->mapped + at;
    }
    return lk_nor_read(nor, at, buffer, size) == LK_OK ? buffer : NULL;
}

int lk_nor_program(struct lk_nor *nor, uint32_t at, const uint8_t *data, size_t size)
{
    const struct lk_flash *flash = nor->config->flash;
    void *self = nor->config->self;
    uint8_t buffer[MEDIA_PIECE];
    nor->programmed += size;
    if (flash->program(self, nor->base + at, data, size) != LK_OK) {
        return LK_E_CORRUPT;
    }
    if (flash->sync(self) != LK_OK) {
        return LK_E_IO;
    }
    for (size_t done = 0; done < size; done += MEDIA_PIECE) {
        size_t piece = size - done < MEDIA_PIECE ? size - done : MEDIA_PIECE;
        const uint8_t *back = lk_nor_view(nor, at + (uint32_t)done, buffer, piece);
        if (back == NULL) {
            return LK_E_IO;
        }
        if (memcmp(back, data + done, piece) != 0) {
            return LK_E_CORRUPT;
        }
    }
    return LK_OK;
}

int lk_nor_last_not(const struct lk_nor *nor, uint32_t from, uint32_t to, uint8_t fill,
                    uint32_t *last)
{
    uint8_t buffer[MEDIA_PIECE];
    while (to > from) {
        uint32_t piece = to - from < MEDIA_PIECE ? to - from : MEDIA_PIECE;
        const uint8_t *bytes = lk_nor_view(nor, to - piece, buffer, piece);
        if (bytes == NULL) {
            return LK_E_IO;
        }
        for (uint32_t i = piece; i > 0; i--) {
            if (bytes[i - 1] != fill) {
                *last = to - piece + i;
                return LK_OK;
            }
        }
        to -= piece;
    }
    *last = from;
    return LK_OK;
}

int lk_nor_blank(const struct lk_nor *nor, uint32_t from, uint32_t to)
{
    uint32_t last = from;
    int rc = lk_nor_last_not(nor, from, to, 0xFF, &last);
    return rc == LK_OK && last != from ? LK_E_CORRUPT : rc;
}

int lk_nor_erase(struct lk_nor *nor, uint32_t sector)
{
    const struct lk_flash *flash = nor->config->flash;
    void *self = nor->config->self;
    uint32_t start = nor_sector_at(nor, sector);
    nor->erase_total++;
    if (flash->erase(self, nor->config->first_sector + sector) != LK_OK) {
        return LK_E_CORRUPT;
    }
    if (flash->sync(self) != LK_OK) {
        return LK_E_IO;
    }
    return lk_nor_blank(nor, start, start + nor->sector_size);
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

int lk_nor_crc_flash(const struct lk_nor *nor, uint32_t at, uint32_t size, uint32_t *crc)
{
    uint8_t buffer[MEDIA_PIECE];
    for (uint32_t done = 0; done < size; done += MEDIA_PIECE) {
        uint32_t piece = size - done < MEDIA_PIECE ? size - done : MEDIA_PIECE;
        const uint8_t *bytes = lk_nor_view(nor, at + done, buffer, piece);
        if (bytes == NULL) {
            return LK_E_IO;
        }
        *crc = lk_nor_crc(*crc, bytes, piece);
    }
    return LK_OK;
}
