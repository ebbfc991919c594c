// SPDX-License-Identifier: MIT
#include "flash_bench.h"

uint32_t flash_memory[FLASH_WORDS];
struct lk_fake_flash flash;
struct lk_fake_flash_config flash_config;
const struct lk_flash *const flash_ops = &lk_fake_flash_ops;
unsigned flash_rule_count;
uint32_t flash_rule_address;

static void flash_on_rule(void *context, const char *rule, uint32_t address)
{
    assert_ptr_equal(context, &flash);
    assert_non_null(rule);
    flash_rule_count++;
    flash_rule_address = address;
}

void flash_begin(void)
{
    flash_rule_count = 0;
    assert_int_equal(lk_fake_flash_init(&flash, &flash_config), LK_OK);
}

int flash_setup(void **state)
{
    (void)state;
    flash_config = (struct lk_fake_flash_config){.sector_size = SECTOR,
                                                 .sector_count = COUNT,
                                                 .program_unit = UNIT,
                                                 .seed = 1,
                                                 .memory = flash_memory,
                                                 .memory_size = sizeof flash_memory,
                                                 .broken_rule = flash_on_rule,
                                                 .context = &flash};
    flash_begin();
    return 0;
}

void flash_expect(uint32_t address, uint8_t byte, size_t size)
{
    uint8_t got[SECTOR * 2];

    assert_int_equal(flash_ops->read(&flash, address, got, size), LK_OK);
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(got[i], byte);
    }
}

int flash_program(uint32_t address, uint8_t byte, size_t size)
{
    uint8_t data[SECTOR * 2];

    memset(data, byte, sizeof data);
    return flash_ops->program(&flash, address, data, size);
}

unsigned flash_weak_bits(uint32_t address, size_t size, unsigned readings)
{
    uint8_t first[SECTOR], now[SECTOR], differ[SECTOR] = {0};
    unsigned count = 0;

    assert_int_equal(flash_ops->read(&flash, address, first, size), LK_OK);
    while (readings-- > 0) {
        assert_int_equal(flash_ops->read(&flash, address, now, size), LK_OK);
        for (size_t i = 0; i < size; i++) {
            differ[i] |= first[i] ^ now[i];
        }
    }
    for (size_t i = 0; i < size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            count += (differ[i] & (1u << bit)) != 0;
        }
    }
    return count;
}
