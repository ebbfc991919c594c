// SPDX-License-Identifier: MIT
/* test_conformance.c: the suite over every backend that needs no files, bare and inside the fault
 * wrapper. */
#include "conformance.h"
#include "flash_help.h"
#include "lk_fault.h"
#include "lk_ram.h"

#include <stdlib.h>

struct backend_ram {
    struct lk_ram ram;
    struct lk_fault fault;
    void *memory;
};

static struct backend_ram backend_ram;

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

static struct flash_rig *backend_flash;
static struct lk_fault backend_flash_fault;

/* The part whose size was asked for: they all differ. */
static struct lk_storage *backend_flash_make(size_t size)
{
    for (size_t i = 0; i < FLASH_GEOMETRY_COUNT; i++) {
        const struct flash_geometry *g = &flash_geometries[i];
        if ((size_t)g->sector_size * g->sector_count + g->program_unit + g->sector_count == size) {
            backend_flash = flash_rig_new(g, 1);
            return &backend_flash->nor.storage;
        }
    }
    return NULL;
}

static void backend_flash_drop(struct lk_storage *storage)
{
    (void)storage;
    flash_rig_free(backend_flash);
}

static struct lk_storage *backend_flash_make_fault(size_t size)
{
    struct lk_storage *inner = backend_flash_make(size);
    return inner != NULL && lk_fault_init(&backend_flash_fault, inner) == LK_OK
               ? &backend_flash_fault.storage
               : NULL;
}

static struct lk_storage *backend_ram_make_plain(size_t size)
{
    struct lk_storage *storage = backend_ram_make(size);
    lk_ram_tally_set(&backend_ram.ram, false);
    return storage;
}

int main(void)
{
    static const struct conformance_backend backends[] = {
        {"ram", backend_ram_make, backend_ram_drop, 0, 0, 0, 0},
        {"fault over ram", backend_ram_make_fault, backend_ram_drop, 0, 0, 0, 0},
        {"ram without tallies", backend_ram_make_plain, backend_ram_drop, 0, 0, 0, 0},
        {"flash 1Kx16/1", backend_flash_make, backend_flash_drop, 16384 + 17, 784, 40, 10},
        {"flash 4Kx16/4", backend_flash_make, backend_flash_drop, 65536 + 20, 3000, 120, 18},
        {"flash 1Kx64/4", backend_flash_make, backend_flash_drop, 65536 + 68, 784, 300, 60},
        {"flash 4Kx16/8 read", backend_flash_make, backend_flash_drop, 65536 + 24, 3000, 120, 18},
        {"flash 256Kx4/16", backend_flash_make, backend_flash_drop, 1048576 + 20, 3000, 0, 0},
        {"fault over flash", backend_flash_make_fault, backend_flash_drop, 65536 + 24, 3000, 120,
         18},
    };
    return conformance_run(backends, sizeof backends / sizeof backends[0]);
}
