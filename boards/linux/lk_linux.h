// SPDX-License-Identifier: MIT
/*
 * lk_linux.h: what the Linux library offers beside lk_host_open and lk_host_create: stores that are
 * filled before they have a name, and backups.
 *
 * Caveats
 * - A backup without a passphrase opens only with the device secret that the store had. The secret
 * is not in it: keep a copy of the secret elsewhere, or give a passphrase.
 * - A passphrase can be guessed at by whoever has the backup; Argon2id only makes it slow.
 */
#ifndef LK_LINUX_H
#define LK_LINUX_H

#include "latchkey.h"
#include "lk_nor_look.h"

/*
 * Makes a store without tenants and hands it to `fill` before it has its name. When `fill` answers
 * anything but 0, that is the answer, and there is no store. LK_E_EXISTS: something is there.
 */
int lk_host_create_filled(const struct lk_host_config *config,
                          int (*fill)(void *context, struct lk_store *store), void *context);

/*
 * A compacted copy of the store as it is now, in the new directory `directory`; others may read and
 * write the store meanwhile. With a passphrase (not empty; 8 bytes at least) the copy opens by that
 * and no longer by this device's secret. A cut leaves no backup or a whole one. LK_E_EXISTS,
 * LK_E_CHECK (passphrase), LK_E_FULL, LK_E_IO.
 */
int lk_host_backup(struct lk_host *host, const char *directory, struct lk_span passphrase);

/*
 * Makes the store of `config` from a backup, which is left as it was. With a passphrase the new
 * store is wrapped by the device secret of `config` (made when there is none); without, that must
 * be the secret of the store that was backed up. A cut leaves no store or a whole one. LK_E_EXISTS;
 * LK_E_SECRET: the passphrase, or the secret, is not the backup's; LK_E_NOT_FOUND: no backup there.
 */
int lk_host_restore(const struct lk_host_config *config, const char *backup,
                    struct lk_span passphrase);

/*
 * Overwrites the store of `config` and removes it, with the device secret that lies beside it; a
 * secret that `config` names is left. An image of flash
 * goes too; a part inside a larger one stays, erased. Cut, it can be done again.
 * LK_E_BUSY: somebody has it open. LK_E_CORRUPT: no store is there that
 * can be recognised. LK_E_REFUSED: a link or a second name is in the way; or foreign
 * files keep the directory (the store's own are gone), which lk_host_problem() says.
 */
int lk_host_erase(const struct lk_host_config *config);

/*
 * Another device secret for an open store; the one before opens it no more, nor its old bytes on
 * the medium. With `secret_path` NULL the file of the secret is replaced in its place: at any cut
 * the file that is there opens the store. Else the secret is that of the file named, which is made
 * where there is none, and must be named when the store is opened again; the old file is left.
 * LK_E_UNSUPPORTED: the secret came by a descriptor, and none was named. LK_E_SECRET: the file is
 * none. LK_E_BUSY: all is done, but a reader keeps the old bytes from being overwritten
 * (lk_store_scrub).
 */
int lk_host_rekey(struct lk_host *host, const char *secret_path);

/*
 * The image of a flash part, to be looked at: nothing of it is changed, no secret is needed, and it
 * may be anybody's. `storage` as in lk_host_config. LK_E_USAGE, LK_E_NOT_FOUND, LK_E_REFUSED,
 * LK_E_BUSY (a process writes it); LK_E_CORRUPT, LK_E_NEWER: it does not tell its form.
 */
struct lk_host_image;
int lk_host_image_open(const char *storage, struct lk_host_image **image);
/* Reads the log, as opening the store would. The answer is the storage's. */
int lk_host_image_mount(struct lk_host_image *image);
/* For lk_nor_look.h, and the operations of its storage; lives as long as the image. */
struct lk_nor *lk_host_image_nor(struct lk_host_image *image);
struct lk_flash_geometry lk_host_image_part(const struct lk_host_image *image);
/* NULL does nothing. */
void lk_host_image_close(struct lk_host_image *image);

/*
 * Lays the store out anew on full pages (lk_lmdb_pack), for which it is closed and opened again: no
 * transaction may be open. LK_E_BUSY: another process has it open; LK_E_FULL: the medium has no
 * room for a second copy; LK_E_UNSUPPORTED: on flash, or where the file system cannot exchange two
 * names. The store is as it was then, and open, unless opening it is what failed.
 */
int lk_host_pack(struct lk_host *host, lk_storage_progress *progress, void *context);

/* Of a host that lk_host_open gave this store. */
struct lk_host *lk_host_of(struct lk_store *store);

/* Why the last lk_host_… call of this thread was refused, as a sentence without a full stop; NULL
 * when there is no more to say than the code. Until the next such call. */
const char *lk_host_problem(void);

#endif
