// SPDX-License-Identifier: MIT
/*
 * firmware.h: a program without an operating system: a store in flash, its console on a serial
 * line.
 *
 * A board is its `lk_firmware`, in its board.c: what it has, and the memory for it. The rest is the
 * same on all of them and is here: main.c, fault.c, commands.c, firmware.mk.
 */
#ifndef FIRMWARE_H
#define FIRMWARE_H

#include "lk_cli_console.h"
#include "lk_nor.h"

/* Room of a command, then of a write transaction. From LK_FIRMWARE_LENT on it is idle while a
 * password is hashed: a small board hashes there, and in the stack after it (lk_lent.h). */
struct lk_firmware_room {
    struct lk_cli_work cli;
    uint64_t work[LK_WORK_SIZE / 8 + 1];
};
#define LK_FIRMWARE_LENT ((LK_CLI_WORK_LENT + 7u) & ~(size_t)7u)

struct lk_firmware {
    const char *name;    /* of the board, in the first line that it says */
    int (*start)(void);  /* devices and crypto, first of all; 0, or what went wrong */
    void (*reset)(void); /* starts the board again; does not return */
    /* Is the strap held that a lost administrator is recovered by, and what that does:
     * lk_firmware_recover. Both may be NULL: such a device is recovered by programming it anew. */
    bool (*strap)(void);
    int (*recover)(const struct lk_firmware *board, struct lk_store *store,
                   int (*make)(const struct lk_firmware *board));
    struct lk_nor_config flash; /* the store's place: sectors, index */
    struct lk_config config;    /* storage is lk_firmware_storage.storage; the port has a console */
    const struct lk_cli_command *const *tables; /* of commands, NULL at the end */
    struct lk_firmware_room *room;
    void *hash_work; /* for password hashes; NULL where the port has its own */
    size_t hash_work_size;
    char *line; /* that is typed: 256 bytes or more */
    size_t line_size;
    char *history; /* lines typed before; may be NULL */
    size_t history_size;
};
extern const struct lk_firmware lk_firmware;
extern struct lk_nor lk_firmware_storage;

/* fault.c: what can be said when nothing else works. */
void lk_firmware_say(const char *text);
/* What went wrong was told: waits until somebody read it and typed something, and starts again. */
_Noreturn void lk_firmware_stop(void);

/* recover.c: erases the store, makes a new one by `make`, and starts the board again. Returns only
 * to say what went wrong. */
int lk_firmware_recover(const struct lk_firmware *board, struct lk_store *store,
                        int (*make)(const struct lk_firmware *board));

/* commands.c: of boards. `stats` tells of the stack too: it comes before lk_cli_commands. */
extern const struct lk_cli_command lk_firmware_commands[];
lk_cli_handler lk_firmware_stats, lk_firmware_reboot;

#endif
