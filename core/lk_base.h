// SPDX-License-Identifier: MIT
/*
 * lk_base.h: the words that every layer shares: error codes, byte spans, assertion.
 *
 * Nothing here allocates, and nothing here depends on another header of the project.
 */
#ifndef LK_BASE_H
#define LK_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Every function that can fail returns 0, or one of these negative numbers, or, where it says so, a
 * positive count. The numbers are part of the interface: they are never renumbered.
 */
enum lk_error {
    LK_OK = 0,

    /* Callers: -1 to -19. */
    LK_E_ARGUMENT = -1, /* the caller broke the function's own rules (NULL, out of range) */
    LK_E_SPACE = -2,    /* the caller's buffer is too small; it was left alone */
    LK_E_STATE = -3,    /* not allowed now: no transaction, read-only transaction, closed handle */
    LK_E_USAGE = -4,    /* text that has not the form of its field */

    /* Storage: -20 to -39. */
    LK_E_NOT_FOUND = -20,
    LK_E_FULL = -21,        /* no room left in the medium */
    LK_E_TOO_BIG = -22,     /* key or value over its limit */
    LK_E_CORRUPT = -23,     /* stored bytes are damaged, or not what their key says they are */
    LK_E_IO = -24,          /* the medium or the operating system failed */
    LK_E_BUSY = -25,        /* another reader or writer is in the way; try again */
    LK_E_NEWER = -26,       /* written by a newer program: refused, untouched */
    LK_E_READ_ONLY = -27,   /* the medium, or this handle, takes no writes */
    LK_E_EXISTS = -28,      /* there is a store here already */
    LK_E_UNSUPPORTED = -29, /* this backend or port has no such operation */
    LK_E_ROLLBACK = -30,    /* an older copy of the store was put back (see lk_counter) */

    /* Records: -40 to -59. */
    LK_E_CHECK = -40,     /* a field breaks a rule of its kind */
    LK_E_CONFLICT = -41,  /* a unique key is taken */
    LK_E_REFERENCE = -42, /* refers to nothing, or is still referred to */
    LK_E_LIMIT = -43,     /* a stated limit of this build or policy would be passed */

    /* Domain: -60 to -79. */
    LK_E_REFUSED = -60,       /* wrong credential, dead session, missing permission */
    LK_E_LOCKED = -61,        /* a delay is running; the problem tells how long */
    LK_E_MUST_CHANGE = -62,   /* right credential, but a new password must be given with it */
    LK_E_FAULTS = -63,        /* a verification found faults */
    LK_E_SECOND_FACTOR = -64, /* right credential, but a code must be given with it */
    LK_E_APPROVAL = -65,      /* a second person must agree */
    LK_E_STEP_UP = -66,       /* the login is too old for this: log in again */

    /* Port: -80 to -99. */
    LK_E_ENTROPY = -80, /* no random bytes to be had */
    LK_E_CRYPTO = -81,  /* a cryptographic operation failed for want of memory or support */
    LK_E_SECRET = -82,  /* the device secret is missing, or is not this store's */
};

/* A short English sentence for a code, without a full stop. Never NULL. */
const char *lk_strerror(int error);

/* Bytes, or UTF-8 text without a terminator, that belong to somebody else. */
struct lk_span {
    const uint8_t *data;
    size_t size;
};

/* A span over a string literal. */
#define LK_TEXT(literal) ((struct lk_span){(const uint8_t *)("" literal), sizeof(literal) - 1})

/*
 * For programmer errors only, never for input or stored bytes. A build may define it before this
 * header is read; the default asks the port-free `lk_assert_failed`, which a board may supply.
 */
#ifndef LK_ASSERT
#ifdef LK_NO_ASSERT
#define LK_ASSERT(condition) ((void)0)
#else
#define LK_ASSERT(condition) ((condition) ? (void)0 : lk_assert_failed(__FILE__, __LINE__))
_Noreturn void lk_assert_failed(const char *file, int line);
#endif
#endif

#endif
