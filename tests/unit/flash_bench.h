// SPDX-License-Identifier: MIT
/* flash_bench.h: a small flash, and short words for what the tests do with it. */
#ifndef LK_TEST_FLASH_BENCH_H
#define LK_TEST_FLASH_BENCH_H

#include "lk_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SECTOR 256u
#define COUNT  8u
#define UNIT   4u

#define FLASH_WORDS (LK_FAKE_FLASH_MEMORY(SECTOR, COUNT, 1) / 4 + 1)

extern uint32_t flash_memory[FLASH_WORDS];
extern struct lk_fake_flash flash;
extern struct lk_fake_flash_config flash_config; /* may be changed before flash_begin() */
extern const struct lk_flash *const flash_ops;
extern unsigned flash_rule_count; /* broken since flash_begin() */
extern uint32_t flash_rule_address;

/* A new part as flash_config says; flash_setup() makes that the usual one before. */
void flash_begin(void);
int flash_setup(void **state);
void flash_expect(uint32_t address, uint8_t byte, size_t size);
int flash_program(uint32_t address, uint8_t byte, size_t size);
/* Bits of the range that are not alike in so many readings. */
unsigned flash_weak_bits(uint32_t address, size_t size, unsigned readings);

#endif
