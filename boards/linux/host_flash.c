// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
/*
 * host_flash.c: stores in the image of a flash part: what a name says of the part, what the image
 * itself says, and the pieces put together.
 *
 * "flash:IMAGE[,sector=SIZE][,count=N][,unit=N][,value=SIZE][,at=SIZE][,memory=SIZE][,passes=N]
 * [,lean=1]".
 * What is left out is found in the image, or takes the defaults below where the image is to be
 * made.
 */
#include "host_flash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLASH_SECTOR 4096u
#define FLASH_COUNT  256u
#define FLASH_UNIT   4u

/* A frame takes 12 bytes at least: no more keys than that fit, pending ones included. */
#define FLASH_FRAME_MIN 12u
/* Audit rings of a store and its first tenant get about a quarter of the part. */
#define FLASH_BYTES_A_SLOT 2560u
#define FLASH_SLOTS_MIN    16u

/* ---- The name -------------------------------------------------------------------------------- */

bool host_flash_named(const char *storage)
{
    return storage != NULL && strncmp(storage, HOST_FLASH_PREFIX, strlen(HOST_FLASH_PREFIX)) == 0;
}

static int flash_refuse(const char *name, const char *given, size_t given_size, const char *rule)
{
    char subject[96];

    (void)snprintf(subject, sizeof(subject), "storage: %s%s\"%.*s\" ", name, name[0] ? ": " : "",
                   (int)(given_size < 32 ? given_size : 32), given); /* cut where it is too long */
    host_explain(subject, rule);
    return LK_E_USAGE;
}

static int flash_refuse_number(const char *name, uint32_t given, const char *rule)
{
    char number[12];

    (void)snprintf(number, sizeof(number), "%u", given); /* it fits */
    return flash_refuse(name, number, strlen(number), rule);
}

/* "4096", "4K", "1M": false where it is neither, or more than 4 GiB. */
static bool flash_number(const char *text, size_t size, bool suffix, uint64_t *number)
{
    unsigned shift = 0;
    size_t i;

    if (suffix && size > 1 && (text[size - 1] == 'K' || text[size - 1] == 'M')) {
        shift = text[size - 1] == 'K' ? 10 : 20;
        size--;
    }
    *number = 0;
    for (i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || *number > UINT32_MAX) {
            return false;
        }
        *number = *number * 10 + (uint64_t)(text[i] - '0');
    }
    *number <<= shift;
    return size > 0 && *number <= UINT32_MAX;
}

static bool flash_is_sector(uint64_t n)
{
    return n >= 1024 && n <= 262144 && n % 1024 == 0;
}

static bool flash_is_count(uint64_t n)
{
    return n >= 4 && n <= 32767;
}

static bool flash_is_unit(uint64_t n)
{
    return n == 1 || n == 4 || n == 8 || n == 16;
}

static bool flash_is_value(uint64_t n)
{
    return n >= LK_VALUE_MIN && n <= LK_VALUE_MAX;
}

static bool flash_is_offset(uint64_t n)
{
    return n <= UINT32_MAX;
}

static bool flash_is_memory(uint64_t n)
{
    return n >= 8192 && n % 1024 == 0;
}

static bool flash_is_passes(uint64_t n)
{
    return n >= 1 && n <= 64;
}

static bool flash_is_lean(uint64_t n)
{
    return n <= 1;
}

static const struct flash_field {
    const char *name;
    size_t offset; /* in struct host_flash_name */
    bool suffix;   /* K and M are taken */
    bool (*good)(uint64_t number);
    const char *rule;
} flash_fields[] = {
    {"sector", offsetof(struct host_flash_name, sector), true, flash_is_sector,
     "is not a sector's size: 1K to 256K, in steps of 1K"},
    {"count", offsetof(struct host_flash_name, count), false, flash_is_count,
     "is not a number of sectors: 4 to 32767"},
    {"unit", offsetof(struct host_flash_name, unit), false, flash_is_unit,
     "is not a program unit: 1, 4, 8 or 16 bytes"},
    {"value", offsetof(struct host_flash_name, value), true, flash_is_value,
     "is not what a record may have: 256 bytes to 8K"},
    {"at", offsetof(struct host_flash_name, at), true, flash_is_offset,
     "is not an offset in the image: 0 to 4 GiB less 1"},
    {"memory", offsetof(struct host_flash_name, memory), true, flash_is_memory,
     "is not what a password hash may take: 8K and more, in steps of 1K"},
    {"passes", offsetof(struct host_flash_name, passes), false, flash_is_passes,
     "is not a number of passes: 1 to 64"},
    {"lean", offsetof(struct host_flash_name, lean), false, flash_is_lean,
     "is neither 1 nor 0: a new store without, or with, the indexes that only order lists"},
};

#define FLASH_FIELDS (sizeof(flash_fields) / sizeof(flash_fields[0]))

static int flash_field(struct host_flash_name *name, const char *item, size_t size)
{
    const char *mark = memchr(item, '=', size);
    size_t name_size = mark != NULL ? (size_t)(mark - item) : size, i;
    uint64_t number;
    uint32_t place;

    for (i = 0; i < FLASH_FIELDS; i++) {
        const struct flash_field *field = &flash_fields[i];
        const char *value = item + name_size + 1;
        size_t value_size = mark != NULL ? size - name_size - 1 : 0;

        if (strlen(field->name) != name_size || memcmp(field->name, item, name_size) != 0) {
            continue;
        }
        if (name->given & 1u << i) {
            return flash_refuse("", item, size, "is given twice");
        }
        if (mark == NULL || !flash_number(value, value_size, field->suffix, &number) ||
            !field->good(number)) {
            return flash_refuse(field->name, mark != NULL ? value : "", value_size, field->rule);
        }
        name->given |= 1u << i;
        place = (uint32_t)number;
        memcpy((uint8_t *)name + field->offset, &place, sizeof(place));
        return 0;
    }
    return flash_refuse(
        "", item, size,
        "is none of sector=, count=, unit=, value=, at=, memory=, passes= and lean=");
}

int host_flash_name(const char *storage, struct host_flash_name *name)
{
    const char *path = storage + strlen(HOST_FLASH_PREFIX);
    const char *end = strchrnul(path, ',');
    int error = 0;

    *name = (struct host_flash_name){.path = NULL};
    if (end == path) {
        return flash_refuse("", storage, strlen(storage), "names no image: flash:IMAGE");
    }
    for (const char *at = end; !error && *at == ',';) {
        const char *next = strchrnul(at + 1, ',');

        error = flash_field(name, at + 1, (size_t)(next - at - 1));
        at = next;
    }
    if (!error && name->sector != 0 && name->value > LK_NOR_VALUE_LIMIT(name->sector)) {
        return flash_refuse_number("value", name->value, "is more than fits into such a sector");
    }
    if (!error && (name->memory == 0) != (name->passes == 0)) {
        return flash_refuse("", end, strlen(end),
                            "has one of memory= and passes= without the other");
    }
    if (!error && (uint64_t)name->sector * name->count > LK_POSIX_FLASH_MAX) {
        return flash_refuse_number("count", name->count, "makes a part of more than 256 MiB");
    }
    if (!error) {
        name->path = strndup(path, (size_t)(end - path));
        error = name->path == NULL ? LK_E_FULL : 0;
    }
    return error;
}

void host_flash_name_free(struct host_flash_name *name)
{
    free(name->path);
    name->path = NULL;
}

/* ---- The image ------------------------------------------------------------------------------- */

static int flash_differs(const char *name, uint32_t given, uint32_t found)
{
    char rule[64];

    if (given == 0 || given == found) {
        return 0;
    }
    (void)snprintf(rule, sizeof(rule), "is not the image's, which has %u", found); /* it fits */
    return flash_refuse_number(name, given, rule);
}

/* What the image says of itself must be what was said of it. */
static int flash_shape(struct host_flash *flash, const struct host_flash_name *name)
{
    struct lk_flash_geometry part = {
        .sector_size = name->sector, .sector_count = name->count, .program_unit = name->unit};
    struct lk_nor_form form;
    int error = lk_nor_form_find(flash->file.bytes, flash->file.size, &form);

    if (error == LK_E_NEWER) {
        host_explain(name->path, " is a store of a newer program");
        return error;
    }
    if (!error) {
        error = flash_differs("sector", name->sector, form.sector_size);
        error = error ? error : flash_differs("count", name->count, form.sector_count);
        error = error ? error : flash_differs("unit", name->unit, form.program_unit);
        part = (struct lk_flash_geometry){.sector_size = form.sector_size,
                                          .sector_count = form.sector_count,
                                          .program_unit = form.program_unit};
    } else if (part.sector_size == 0 || part.sector_count == 0 || part.program_unit == 0) {
        host_explain(name->path, " has no sector's header that holds: it is no store in flash, or "
                                 "one so damaged that sector=, count= and unit= must be given");
        return LK_E_CORRUPT;
    } else {
        error = 0; /* what was said of it is all there is */
    }
    if (!error && (uint64_t)part.sector_size * part.sector_count > LK_POSIX_FLASH_MAX) {
        host_explain(name->path, " is a part of more than 256 MiB");
        error = LK_E_TOO_BIG;
    }
    if (!error) {
        error = lk_posix_flash_shape(&flash->file, &part);
        if (error) {
            host_explain(name->path, " ends before a part of this form does");
        }
    }
    return error;
}

/* Index and cache as large as the part could ever need. */
static int flash_handle(struct host_flash *flash, const struct host_flash_name *name)
{
    const struct lk_flash_geometry *part = &flash->file.config.part;
    size_t entries = flash->file.size / FLASH_FRAME_MIN;
    size_t limit = LK_NOR_VALUE_LIMIT(part->sector_size);
    int error;

    limit = limit < LK_VALUE_MAX ? limit : LK_VALUE_MAX;
    if (name->value > limit) {
        return flash_refuse_number("value", name->value, "is more than fits into such a sector");
    }
    flash->config = (struct lk_nor_config){
        .flash = &lk_posix_flash_ops,
        .self = &flash->file,
        .index_size = LK_NOR_INDEX_SIZE(entries, 0, flash->file.size, part->program_unit),
        .value_max = name->value != 0 ? name->value : limit,
        .flags = flash->file.config.flags & LK_POSIX_FLASH_CREATE ? LK_NOR_FORMAT : 0,
    };
    flash->config.index = malloc(flash->config.index_size);
    if (flash->config.index == NULL) {
        return LK_E_FULL;
    }
    error = lk_nor_init(&flash->nor, &flash->config);
    if (error) {
        host_explain(name->path, " has a form that no store in flash has");
    }
    return error;
}

int host_flash_open(struct host_flash *flash, const struct host_flash_name *name, const char *path,
                    unsigned flags)
{
    struct lk_posix_flash_config config = {
        .path = path != NULL ? path : name->path, .offset = name->at, .flags = flags};
    int error;

    if (flags & LK_POSIX_FLASH_CREATE) {
        config.part =
            (struct lk_flash_geometry){.sector_size = name->sector ? name->sector : FLASH_SECTOR,
                                       .sector_count = name->count ? name->count : FLASH_COUNT,
                                       .program_unit = name->unit ? name->unit : FLASH_UNIT};
        if (name->at != 0) {
            return flash_refuse_number("at", name->at, "is for an image that is there already");
        }
        if ((uint64_t)config.part.sector_size * config.part.sector_count > LK_POSIX_FLASH_MAX) {
            return flash_refuse_number("count", config.part.sector_count,
                                       "makes a part of more than 256 MiB");
        }
    }
    error = lk_posix_flash_open(&flash->file, &config);
    flash->open = error == 0;
    if (error) {
        char subject[160];

        (void)snprintf(subject, sizeof(subject), "%s ", name->path); /* cut if too long */
        host_explain(subject, error == LK_E_NOT_FOUND && !(flags & LK_POSIX_FLASH_ANYBODYS)
                                  ? "is not there; latchkey init makes it"
                                  : lk_posix_flash_problem(&flash->file));
        return error;
    }
    error = flags & LK_POSIX_FLASH_CREATE ? 0 : flash_shape(flash, name);
    return error ? error : flash_handle(flash, name);
}

int host_flash_close(struct host_flash *flash)
{
    int error = flash->open ? lk_posix_flash_close(&flash->file) : 0;

    free(flash->config.index);
    *flash = (struct host_flash){.open = false};
    return error;
}

uint32_t host_flash_audit_slots(const struct host_flash *flash)
{
    size_t slots = flash->file.size / FLASH_BYTES_A_SLOT;

    slots = slots < LK_AUDIT_CAPACITY ? slots : LK_AUDIT_CAPACITY;
    return slots > FLASH_SLOTS_MIN ? (uint32_t)slots : FLASH_SLOTS_MIN;
}

/* Whether the log, which can be read, lacks something that was there. */
static bool flash_is_damaged(struct lk_storage *storage)
{
    struct lk_storage_stat stat = {.damaged = false};

    if (storage->ops->open(storage, LK_READ) != 0) {
        return false;
    }
    (void)storage->ops->stat(storage, &stat); /* what it cannot tell stays false */
    storage->ops->close(storage);
    return stat.damaged;
}

int host_flash_explain(struct lk_host *host, int error)
{
    bool absent = error == LK_E_NOT_FOUND || error == LK_E_EXISTS;

    if (lk_host_problem() != NULL) {
        return error;
    }
    if (error == LK_E_CORRUPT || (absent && flash_is_damaged(&host->flash.nor.storage))) {
        host_explain("", "what opens the store is damaged; latchkey flash dump tells what can be "
                         "read");
        return LK_E_CORRUPT;
    }
    if (absent) {
        host_explain("", "the image holds no store");
        return LK_E_NOT_FOUND;
    }
    return error;
}

/* ---- To be looked at ------------------------------------------------------------------------- */

struct lk_host_image {
    struct host_flash flash;
    bool mounted;
};

int lk_host_image_open(const char *storage, struct lk_host_image **image)
{
    struct host_flash_name name;
    struct lk_host_image *made;
    int error;

    host_explain("", NULL);
    if (storage == NULL || image == NULL || !host_flash_named(storage)) {
        return LK_E_ARGUMENT;
    }
    error = host_flash_name(storage, &name);
    made = error ? NULL : calloc(1, sizeof(*made));
    if (!error) {
        error = made == NULL ? LK_E_FULL
                             : host_flash_open(&made->flash, &name, NULL,
                                               LK_POSIX_FLASH_READ_ONLY | LK_POSIX_FLASH_ANYBODYS);
    }
    host_flash_name_free(&name);
    if (error) {
        lk_host_image_close(made);
        return error;
    }
    *image = made;
    return 0;
}

int lk_host_image_mount(struct lk_host_image *image)
{
    struct lk_storage *storage = &image->flash.nor.storage;
    int error = image->mounted ? 0 : storage->ops->open(storage, LK_READ);

    image->mounted = error == 0;
    return error;
}

struct lk_nor *lk_host_image_nor(struct lk_host_image *image)
{
    return &image->flash.nor;
}

struct lk_flash_geometry lk_host_image_part(const struct lk_host_image *image)
{
    return image->flash.file.config.part;
}

void lk_host_image_close(struct lk_host_image *image)
{
    if (image != NULL) {
        if (image->mounted) {
            image->flash.nor.storage.ops->close(&image->flash.nor.storage);
        }
        (void)host_flash_close(&image->flash); /* only read from */
        free(image);
    }
}
