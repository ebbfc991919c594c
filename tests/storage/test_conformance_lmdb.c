// SPDX-License-Identifier: MIT
/* test_conformance_lmdb.c: the suite over LMDB, bare and inside the fault wrapper. */
#include "conformance.h"
#include "lk_fault.h"
#include "lk_lmdb.h"
#include "lmdb_help.h"

struct backend_lmdb {
    struct lk_lmdb lmdb;
    struct lk_fault fault;
    struct lk_lmdb_config config;
    char directory[LMDB_HELP_PATH];
};

static struct backend_lmdb backend_lmdb;

static struct lk_storage *backend_lmdb_make(size_t size)
{
    lmdb_help_place(backend_lmdb.directory);
    backend_lmdb.config = (struct lk_lmdb_config){
        .map_initial = 1, /* the least, so that growth is tried as well */
        .map_max = size,
        .value_max = CONFORMANCE_VALUE_MAX,
        .flags = LK_LMDB_CREATE,
    };
    int rc = lk_lmdb_init(&backend_lmdb.lmdb, backend_lmdb.directory, &backend_lmdb.config);
    return rc == LK_OK ? &backend_lmdb.lmdb.storage : NULL;
}

static void backend_lmdb_drop(struct lk_storage *storage)
{
    (void)storage;
    lmdb_help_remove(backend_lmdb.directory);
}

static struct lk_storage *backend_lmdb_make_fault(size_t size)
{
    struct lk_storage *inner = backend_lmdb_make(size);
    return inner != NULL && lk_fault_init(&backend_lmdb.fault, inner) == LK_OK
               ? &backend_lmdb.fault.storage
               : NULL;
}

int main(void)
{
    static const struct conformance_backend backends[] = {
        {"lmdb", backend_lmdb_make, backend_lmdb_drop, 0, 0, 0, 0},
        {"fault over lmdb", backend_lmdb_make_fault, backend_lmdb_drop, 0, 0, 0, 0},
    };
    return conformance_run(backends, sizeof backends / sizeof backends[0]);
}
