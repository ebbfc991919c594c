// SPDX-License-Identifier: MIT
/*
 * lk_small.h: the crypto table of a port with little memory: libsodium, but for Argon2id.
 *
 * libsodium's Argon2id asks for a heap and keeps up to 4 KiB on the stack. This one takes all but a
 * few hundred bytes out of job->work, and is made of libsodium's BLAKE2b. It gives the same output.
 *
 * Limitations: one lane; little-endian machines; all of a job in one step.
 */
#ifndef LK_SMALL_H
#define LK_SMALL_H

#include "lk_port.h"

/* Bytes of an 8-aligned job->work: the blocks, and one to fill from. What it holds is wiped. */
#define LK_SMALL_WORK_SIZE(memory_kib) (((size_t)(memory_kib) + 1) * 1024u)

#ifndef LK_SMALL_PASSES_MAX
#define LK_SMALL_PASSES_MAX 16u
#endif

/* pwhash_step: LK_E_CHECK for less than 8 KiB, no or too many passes, more than one lane;
 * LK_E_CRYPTO when job->work is too small for the parameters. The rest is lk_sodium_crypto's. */
extern const struct lk_crypto lk_small_crypto;

int lk_small_pwhash_step(void *self, struct lk_pwhash_job *job);

#endif
