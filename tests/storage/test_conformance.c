// SPDX-License-Identifier: MIT
/* test_conformance.c: the suite over every backend, bare and inside the fault wrapper. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif
#include "conformance.h"
#include "lk_fault.h"
#include "lk_lmdb.h"
#include "lk_ram.h"
#include "lmdb_help.h"

#include <stdlib.h>

struct backend_ram {
    struct lk_ram ram;
    struct lk_fault fault;
    void *memory;
};

struct backend_lmdb {
    struct lk_lmdb lmdb;
    struct lk_fault fault;
    struct lk_lmdb_config config;
    char directory[LMDB_HELP_PATH];
};

static struct backend_ram backend_ram;
static struct backend_lmdb backend_lmdb;

static struct lk_storage *backend_ram_make(size_t size)
{
    backend_ram.memory = calloc(1, size);
    if (backend_ram.memory == NULL ||
        lk_ram_init(&backend_ram.ram, backend_ram.memory, size, CONFORMANCE_VALUE_MAX) != LK_OK) {
        return NULL;
    }
    return &backend_ram.ram.storage;
}

static void backend_ram_drop(struct lk_storage *storage)
{
    (void)storage;
    free(backend_ram.memory);
}

static struct lk_storage *backend_ram_make_fault(size_t size)
{
    struct lk_storage *inner = backend_ram_make(size);
    return inner != NULL && lk_fault_init(&backend_ram.fault, inner) == LK_OK
               ? &backend_ram.fault.storage
               : NULL;
}

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
        {"ram", backend_ram_make, backend_ram_drop},
        {"lmdb", backend_lmdb_make, backend_lmdb_drop},
        {"fault over ram", backend_ram_make_fault, backend_ram_drop},
        {"fault over lmdb", backend_lmdb_make_fault, backend_lmdb_drop},
    };
    return conformance_run(backends, sizeof backends / sizeof backends[0]);
}
