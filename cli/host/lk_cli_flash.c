// SPDX-License-Identifier: MIT
/*
 * lk_cli_flash.c: the commands that look at the image of a flash part, as it came from a device:
 * sectors, health and records. The image is only read. Fields of records are shown where the device
 * secret is given, and secrets never.
 */
#include "lk_cli_host.h"
#include "lk_linux.h"
#include "lk_text.h"
#include "lk_transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLASH_PREFIX "flash:"

/* A command at work on an image. */
struct flash_run {
    struct lk_cli *cli;
    struct lk_host_image *image;
    const char *storage; /* the image, as --storage has it */
    bool opened;         /* as a store as well, by its secret */
    uint64_t unsound;    /* records that do not read as they were written */
    uint32_t unknown;    /* sectors that are nothing */
    uint32_t damaged;    /* frames that do not hold, in the log */
};

/* ---- Beginning and end ----------------------------------------------------------------------- */

static int flash_refused(struct lk_cli *cli, int error)
{
    return lk_host_problem() ? lk_cli_refuse(cli, error, NULL, NULL, lk_host_problem()) : error;
}

/* The image as --storage has it, in fresh memory. */
static char *flash_storage(const char *image)
{
    bool prefixed = strncmp(image, FLASH_PREFIX, strlen(FLASH_PREFIX)) == 0;
    size_t size = strlen(FLASH_PREFIX) + strlen(image) + 1;
    char *storage = malloc(size);

    if (storage) {
        (void)snprintf(storage, size, "%s%s", prefixed ? "" : FLASH_PREFIX, image); /* it fits */
    }
    return storage;
}

static int flash_begin(struct flash_run *run)
{
    int error = run->storage ? lk_host_image_open(run->storage, &run->image) : LK_E_FULL;

    return error ? flash_refused(run->cli, error) : 0;
}

static void flash_end(struct flash_run *run)
{
    struct lk_host_front *front = run->cli->self;

    if (front->config.storage == run->storage) {
        front->config.storage = NULL; /* it goes now */
    }
    lk_host_image_close(run->image);
}

static bool flash_has_secret(const struct lk_cli *cli)
{
    const struct lk_host_front *front = cli->self;

    return front->config.secret_path != NULL;
}

/* The image as a store, beside the look at it: both only read. */
static int flash_open_store(struct flash_run *run)
{
    struct lk_host_front *front = run->cli->self;
    int error;

    front->config.storage = run->storage;
    error = lk_cli_open(run->cli, true);
    run->opened = error == 0;
    return error;
}

/* ---- Figures --------------------------------------------------------------------------------- */

struct flash_figure {
    const char *name;
    uint64_t number;
};

static void flash_members(struct lk_cli_json *json, const struct flash_figure *figures,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        lk_cli_json_key(json, figures[i].name);
        lk_cli_json_number(json, figures[i].number);
    }
}

/* An object of figures that begins with a text, or lines of them. */
static void flash_figures(struct lk_cli *cli, const char *name, const char *text,
                          const struct flash_figure *figures, size_t count)
{
    struct lk_cli_json json;

    if (cli->json) {
        lk_cli_json_begin(&json, cli->out);
        lk_cli_json_open(&json, '{');
        if (name) {
            lk_cli_json_key(&json, name);
            lk_cli_json_text(&json, lk_cli_span(text));
        }
        flash_members(&json, figures, count);
        lk_cli_json_close(&json, '}');
        lk_cli_json_end(&json);
        return;
    }
    if (name) {
        lk_cli_put(cli->out, name);
        lk_cli_put(cli->out, ":");
        lk_cli_put_spaces(cli->out, 17 - strlen(name));
        lk_cli_put_text(cli->out, lk_cli_span(text));
        lk_cli_put(cli->out, "\n");
    }
    for (size_t i = 0; i < count; i++) {
        lk_cli_put(cli->out, figures[i].name);
        lk_cli_put(cli->out, ":");
        lk_cli_put_spaces(cli->out, 17 - strlen(figures[i].name));
        lk_cli_put_number(cli->out, figures[i].number);
        lk_cli_put(cli->out, "\n");
    }
}

static void flash_form(struct flash_run *run)
{
    struct lk_flash_geometry part = lk_host_image_part(run->image);
    const struct flash_figure figures[] = {
        {"sector", part.sector_size}, {"count", part.sector_count}, {"unit", part.program_unit}};

    flash_figures(run->cli, "image", run->storage + strlen(FLASH_PREFIX), figures, 3);
}

static int flash_health(struct flash_run *run)
{
    struct lk_storage *storage = &lk_host_image_nor(run->image)->storage;
    struct lk_storage_stat stat;
    int error = storage->ops->stat(storage, &stat);
    const struct flash_figure figures[] = {
        {"entries", stat.entries},
        {"live_bytes", stat.live_bytes},
        {"dead_bytes", stat.dead_bytes},
        {"free_bytes", stat.free_bytes},
        {"programmed_bytes", stat.programmed_bytes},
        {"erase_count", stat.erase_count},
        {"erase_min", stat.erase_min},
        {"erase_max", stat.erase_max},
        {"retired_count", stat.retired_count},
        {"damaged", stat.damaged},
    };

    if (!error) {
        flash_figures(run->cli, NULL, NULL, figures, sizeof(figures) / sizeof(figures[0]));
    }
    return error;
}

/* ---- Sectors --------------------------------------------------------------------------------- */

static void flash_right(struct lk_cli_out *out, uint64_t number, size_t width)
{
    char text[24];
    int size = snprintf(text, sizeof(text), "%llu", (unsigned long long)number); /* it fits */

    lk_cli_put_spaces(out, width > (size_t)size ? width - (size_t)size : 0);
    lk_cli_put(out, text);
}

static void flash_sector(struct lk_cli *cli, const struct lk_nor_sector *sector)
{
    const char *state = lk_nor_state_name(sector->state);
    const struct flash_figure figures[] = {
        {"sector", sector->number},           {"generation", sector->generation},
        {"erase_count", sector->erase_count}, {"live_bytes", sector->live_bytes},
        {"dead_bytes", sector->dead_bytes},   {"free_bytes", sector->free_bytes},
        {"frames", sector->frames},           {"damaged", sector->damaged},
    };
    static const uint8_t widths[] = {6, 12, 8, 10, 10, 10, 8, 6};

    if (cli->json) {
        flash_figures(cli, "state", state, figures, sizeof(figures) / sizeof(figures[0]));
        return;
    }
    for (size_t i = 0; i < sizeof(widths); i++) {
        flash_right(cli->out, figures[i].number, widths[i]);
        if (i == 0) {
            lk_cli_put(cli->out, "  ");
            lk_cli_put(cli->out, state);
            lk_cli_put_spaces(cli->out, 7 - strlen(state));
        }
    }
    lk_cli_put(cli->out, "\n");
}

/* Looks at all of them; tells of each where `tells`. */
static int flash_sectors(struct flash_run *run, bool tells)
{
    struct lk_nor *nor = lk_host_image_nor(run->image);
    uint32_t count = lk_host_image_part(run->image).sector_count;
    int error = 0;

    if (tells && !run->cli->json) {
        lk_cli_put(run->cli->out, "\nsector  state    generation  erases      live      dead      "
                                  "free  frames  bad\n");
    }
    for (uint32_t i = 0; !error && i < count; i++) {
        struct lk_nor_sector sector;

        error = lk_nor_look_sector(nor, i, &sector);
        run->unknown += sector.state == LK_NOR_UNKNOWN;
        run->damaged += sector.damaged;
        if (!error && tells) {
            flash_sector(run->cli, &sector);
        }
    }
    return error;
}

/* ---- Records --------------------------------------------------------------------------------- */

/* What a key is of, by SPEC.md, section 2. */
struct flash_key {
    const struct lk_kind *kind; /* NULL: an index entry, or not known here */
    uint8_t number;             /* of the kind; 0: none */
    struct lk_id id;
    uint64_t index; /* number of the index; 0: none */
};

static bool flash_number(struct lk_span *key, uint64_t *number)
{
    size_t size, i;

    if (key->size == 0) {
        return false;
    }
    size = key->data[0] < 0xF0 ? 0 : (size_t)key->data[0] - 0xEF;
    if (size > 8 || key->size < size + 1) {
        return false;
    }
    *number = size ? 0 : key->data[0];
    for (i = 1; i <= size; i++) {
        *number = *number << 8 | key->data[i];
    }
    key->data += size + 1;
    key->size -= size + 1;
    return true;
}

static bool flash_byte(struct lk_span *key, uint8_t *byte)
{
    if (key->size == 0) {
        return false;
    }
    *byte = key->data[0];
    key->data++;
    key->size--;
    return true;
}

static void flash_take_key(struct lk_span key, struct flash_key *out)
{
    uint64_t tenant = 0, user = 0, sub = 0, slot = 0;
    uint8_t class_ = 0, kind = 0;

    *out = (struct flash_key){.kind = NULL};
    if (!flash_number(&key, &tenant) || !flash_byte(&key, &class_)) {
        return;
    }
    if (class_ == 0xFF) {
        out->id.tenant = (uint32_t)tenant;
        (void)flash_number(&key, &out->index); /* 0 where it is none */
        return;
    }
    if (!flash_number(&key, &user) || !flash_byte(&key, &kind) ||
        (key.size > 0 && !flash_number(&key, &sub)) ||
        (key.size > 0 && !flash_number(&key, &slot))) {
        return;
    }
    out->number = kind;
    for (size_t i = 0; lk_kinds[i]; i++) {
        if (lk_kinds[i]->number == kind) {
            bool ring = lk_kinds[i]->shape == LK_SHAPE_RING;

            out->kind = lk_kinds[i];
            out->id = (struct lk_id){(uint32_t)tenant, (uint32_t)(ring ? sub : user),
                                     (uint32_t)(ring ? slot : sub)};
        }
    }
}

/* The fields of a record that may be shown; none where the store is not open. */
static const struct lk_record *flash_fields(struct flash_run *run, const struct flash_key *key)
{
    struct lk_record *record = &run->cli->work->record.record;
    struct lk_txn *txn = &run->cli->work->txn;
    int error;

    if (!run->opened || !key->kind) {
        return NULL;
    }
    error = lk_get(txn, key->kind, key->id, record);
    if (error == LK_E_NOT_FOUND) {
        error = lk_get_deleted(txn, key->kind, key->id, record);
    }
    return error || lk_cli_keep(run->cli, key->kind, record) ? NULL : record;
}

static const struct lk_field *flash_field(const struct lk_kind *kind, size_t n)
{
    if (n < kind->field_count) {
        return &kind->fields[n];
    }
    n -= kind->field_count;
    return kind->flags & LK_K_AUDIT_FIELDS && n < LK_AUDIT_FIELD_COUNT ? &lk_audit_fields[n] : NULL;
}

static void flash_record_json(struct flash_run *run, const struct lk_nor_record *record,
                              const char *hex)
{
    const struct flash_figure figures[] = {{"at", record->at},
                                           {"sector", record->sector},
                                           {"size", record->size},
                                           {"tally", record->tally}};
    struct lk_cli *cli = run->cli;
    const struct lk_record *shown;
    const struct lk_field *field;
    struct lk_cli_json json;
    struct flash_key key;

    flash_take_key(record->key, &key);
    lk_cli_json_begin(&json, cli->out);
    lk_cli_json_open(&json, '{');
    lk_cli_json_key(&json, "key");
    lk_cli_json_text(&json, lk_cli_span(hex));
    flash_members(&json, figures, sizeof(figures) / sizeof(figures[0]));
    lk_cli_json_key(&json, "sound");
    lk_cli_json_bool(&json, record->sound);
    if (key.kind) {
        lk_cli_json_key(&json, "kind");
        lk_cli_json_text(&json, lk_cli_span(key.kind->name));
        lk_cli_json_key(&json, "id");
        lk_cli_json_open(&json, '[');
        lk_cli_json_number(&json, key.id.tenant);
        lk_cli_json_number(&json, key.id.user);
        lk_cli_json_number(&json, key.id.sub);
        lk_cli_json_close(&json, ']');
    } else if (key.index) {
        lk_cli_json_key(&json, "index");
        lk_cli_json_number(&json, key.index);
    }
    shown = flash_fields(run, &key);
    if (shown) {
        lk_cli_json_key(&json, "fields");
        lk_cli_json_open(&json, '{');
        for (size_t i = 0; (field = flash_field(key.kind, i)) != NULL; i++) {
            if (lk_cli_field_shown(field) && LK_HAS(shown, field->number)) {
                lk_cli_json_key(&json, field->name);
                lk_cli_field_json(cli, &json, field, shown);
            }
        }
        lk_cli_json_close(&json, '}');
    }
    lk_cli_json_close(&json, '}');
    lk_cli_json_end(&json);
}

static void flash_record_text(struct flash_run *run, const struct lk_nor_record *record,
                              const char *hex)
{
    struct lk_cli_out *out = run->cli->out;
    const struct lk_record *shown;
    const struct lk_field *field;
    struct flash_key key;

    flash_take_key(record->key, &key);
    flash_right(out, record->at, 9);
    flash_right(out, record->size, 7);
    lk_cli_put(out, record->sound ? "  " : " !");
    if (key.kind) {
        lk_cli_put(out, key.kind->name);
        lk_cli_put(out, " ");
        lk_cli_put_number(out, key.id.tenant);
        lk_cli_put(out, "/");
        lk_cli_put_number(out, key.id.user);
        lk_cli_put(out, "/");
        lk_cli_put_number(out, key.id.sub);
    } else if (key.index) {
        lk_cli_put(out, "index ");
        lk_cli_put_number(out, key.index);
        lk_cli_put(out, " of tenant ");
        lk_cli_put_number(out, key.id.tenant);
    } else {
        lk_cli_put(out, "kind ");
        lk_cli_put_number(out, key.number);
    }
    if (record->tally) {
        lk_cli_put(out, ", tally ");
        lk_cli_put_number(out, record->tally);
    }
    lk_cli_put(out, record->sound ? "\n" : ", damaged\n");
    lk_cli_put_spaces(out, 18);
    lk_cli_put(out, hex);
    lk_cli_put(out, "\n");
    shown = flash_fields(run, &key);
    for (size_t i = 0; shown && (field = flash_field(key.kind, i)) != NULL; i++) {
        if (lk_cli_field_shown(field) && LK_HAS(shown, field->number)) {
            lk_cli_put_spaces(out, 18);
            lk_cli_put(out, field->name);
            lk_cli_put(out, ": ");
            lk_cli_field_text(run->cli, out, field, shown);
            lk_cli_put(out, "\n");
        }
    }
}

static int flash_records(struct flash_run *run, bool tells)
{
    struct lk_nor *nor = lk_host_image_nor(run->image);
    char hex[2 * LK_KEY_MAX + 1];
    int error = 0;

    if (tells && !run->cli->json) {
        lk_cli_put(run->cli->out, "\n       at  bytes  record, and its key\n");
    }
    for (uint32_t i = 0; !error; i++) {
        struct lk_nor_record record;

        error = lk_nor_look_record(nor, i, &record);
        if (error == LK_E_NOT_FOUND) {
            return 0;
        }
        if (error == LK_E_CORRUPT) {
            run->unsound++;
            error = 0;
            continue;
        }
        run->unsound += !error && !record.sound;
        if (!error && tells) {
            run->cli->work->used = 0;
            error = lk_hex_encode(record.key, hex, sizeof(hex)) < 0 ? LK_E_CORRUPT : 0;
        }
        if (!error && tells && run->cli->json) {
            flash_record_json(run, &record, hex);
        } else if (!error && tells) {
            flash_record_text(run, &record, hex);
        }
    }
    return error;
}

/* ---- The commands ---------------------------------------------------------------------------- */

/* A log that cannot be read is told with what can be. */
static int flash_mount(struct flash_run *run)
{
    int error = lk_host_image_mount(run->image);

    if (error == LK_E_NOT_FOUND || error == LK_E_EXISTS || error == LK_E_CORRUPT) {
        return lk_cli_refuse(run->cli, LK_E_CORRUPT, NULL, NULL,
                             "the sectors are no log that can be read");
    }
    return error;
}

static int flash_dump(struct flash_run *run, bool records)
{
    int mounted = flash_mount(run), opened = 0, error;

    flash_form(run);
    error = mounted ? 0 : flash_health(run);
    if (!error) {
        error = flash_sectors(run, true);
    }
    if (error || mounted || !records) {
        return error ? error : mounted;
    }
    if (flash_has_secret(run->cli)) {
        opened = flash_open_store(run);
        opened = opened ? opened : lk_cli_begin(run->cli, LK_READ);
    }
    error = flash_records(run, true);
    return error ? error : opened;
}

int lk_cli_flash_dump(struct lk_cli *cli, const struct lk_cli_args *args)
{
    char *storage = flash_storage(args->words[0]);
    struct flash_run run = {.cli = cli, .storage = storage};
    int error = flash_begin(&run);

    error = error ? error : flash_dump(&run, lk_cli_option(args, "records") != NULL);
    flash_end(&run);
    free(storage);
    return error;
}

static void flash_verdict(struct flash_run *run, bool sound)
{
    const struct flash_figure figures[] = {{"unknown_sectors", run->unknown},
                                           {"damaged_frames", run->damaged},
                                           {"damaged_records", run->unsound}};

    if (run->cli->json || !sound) {
        flash_figures(run->cli, "flash", sound ? "sound" : "damaged", figures, 3);
    } else if (!run->cli->quiet) {
        lk_cli_put(run->cli->out, "sectors, frames, checksums and index: all in order\n");
    }
}

/* What holds without a secret: the log and every frame of it. */
static int flash_check(struct flash_run *run, bool *sound)
{
    struct lk_storage *storage = &lk_host_image_nor(run->image)->storage;
    int error = flash_mount(run), check = 0;

    if (!error) {
        check = storage->ops->check(storage, NULL, NULL);
        error = check == LK_E_CORRUPT ? 0 : check;
    }
    error = error ? error : flash_sectors(run, false);
    error = error ? error : flash_records(run, false);
    *sound = check == 0 && run->unsound == 0 && run->damaged == 0;
    return error;
}

int lk_cli_flash_verify(struct lk_cli *cli, const struct lk_cli_args *args)
{
    char *storage = flash_storage(args->words[0]);
    struct flash_run run = {.cli = cli, .storage = storage};
    bool sound = false;
    int error = flash_begin(&run);

    error = error ? error : flash_check(&run, &sound);
    if (!error) {
        flash_verdict(&run, sound);
        error = sound ? 0 : LK_EXIT_REFUSED;
    }
    if (error >= 0 && flash_has_secret(cli)) {
        int records = flash_open_store(&run);

        records = records ? records : lk_cli_verify(cli, args);
        error = records ? records : error;
    } else if (!error && !cli->json && !cli->quiet) {
        lk_cli_put(cli->err, "Nothing was said of what the records hold: give --secret FILE.\n");
    }
    flash_end(&run);
    free(storage);
    return error;
}
