// SPDX-License-Identifier: MIT
/*
 * lk_error.c: the sentence of every error code.
 */
#include "lk_base.h"

const char *lk_strerror(int error)
{
    static const char unknown[] = "unknown error";
    const enum lk_error code = (enum lk_error)error;

    /* Where an enum is one byte, as on Cortex-M, code -10 would also be 246. */
    if ((int)code != error) {
        return unknown;
    }
    /* No default: the compiler then names the code that has no sentence. */
    switch (code) {
    case LK_OK: return "no error";
    case LK_E_ARGUMENT: return "an argument is out of its range";
    case LK_E_SPACE: return "the buffer is too small";
    case LK_E_STATE: return "not allowed in this state";
    case LK_E_USAGE: return "the text has not the form of its field";
    case LK_E_NOT_FOUND: return "not found";
    case LK_E_FULL: return "no room is left in the store";
    case LK_E_TOO_BIG: return "the key or value is over its limit";
    case LK_E_CORRUPT: return "stored bytes are damaged";
    case LK_E_IO: return "the storage medium failed";
    case LK_E_BUSY: return "the store is in use; try again";
    case LK_E_NEWER: return "the store was written by a newer program";
    case LK_E_READ_ONLY: return "the store takes no writes";
    case LK_E_EXISTS: return "there is a store here already";
    case LK_E_UNSUPPORTED: return "this build has no such operation";
    case LK_E_ROLLBACK: return "an older copy of the store was put in its place";
    case LK_E_CHECK: return "a field breaks a rule of its kind";
    case LK_E_CONFLICT: return "a unique value is taken";
    case LK_E_REFERENCE: return "a reference is broken, or still held";
    case LK_E_LIMIT: return "a limit would be passed";
    case LK_E_REFUSED: return "refused";
    case LK_E_LOCKED: return "locked for a while after too many attempts";
    case LK_E_MUST_CHANGE: return "a new password must be given";
    case LK_E_FAULTS: return "the verification found faults";
    case LK_E_SECOND_FACTOR: return "a code of the second factor is needed";
    case LK_E_APPROVAL: return "a second person must approve";
    case LK_E_STEP_UP: return "the login is too old for this: log in again";
    case LK_E_ENTROPY: return "no random bytes are to be had";
    case LK_E_CRYPTO: return "a cryptographic operation failed";
    case LK_E_SECRET: return "the device secret is missing, or not this store's";
    }
    return unknown;
}
