// SPDX-License-Identifier: MIT
/* lmdb_error.c: LMDB's codes and the system's, in the store's words. */
#include "lmdb_internal.h"

#include <errno.h>

int lk_lmdb_errno(int code)
{
    switch (code) {
    case 0: return LK_OK;
    case ENOENT: return LK_E_NOT_FOUND;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return LK_E_FULL;
    case EROFS: return LK_E_READ_ONLY;
    case EACCES:
    case EPERM: return LK_E_REFUSED;
    case ELOOP:
    case ENOTDIR: return LK_E_REFUSED;
    case EEXIST:
    case ENOTEMPTY: return LK_E_EXISTS;
    case EAGAIN:
    case EBUSY: return LK_E_BUSY;
    case EINVAL:
    case ENAMETOOLONG: return LK_E_ARGUMENT;
    default: return LK_E_IO;
    }
}

int lk_lmdb_error(int code)
{
    switch (code) {
    case MDB_SUCCESS: return LK_OK;
    case MDB_NOTFOUND: return LK_E_NOT_FOUND;
    case MDB_KEYEXIST: return LK_E_EXISTS;
    case MDB_PAGE_NOTFOUND:
    case MDB_CORRUPTED:
    case MDB_INVALID:
    case MDB_INCOMPATIBLE: return LK_E_CORRUPT;
    case MDB_VERSION_MISMATCH: return LK_E_NEWER;
    case MDB_MAP_FULL:
    case MDB_READERS_FULL: return LK_E_FULL;
    case MDB_TXN_FULL:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL:
    case MDB_DBS_FULL: return LK_E_LIMIT;
    case MDB_MAP_RESIZED: return LK_E_BUSY;
    case MDB_BAD_VALSIZE: return LK_E_TOO_BIG;
    case MDB_BAD_TXN:
    case MDB_BAD_DBI:
    case MDB_BAD_RSLOT: return LK_E_STATE;
    case MDB_PANIC: return LK_E_IO;
    default: return lk_lmdb_errno(code);
    }
}
