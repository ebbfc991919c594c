// SPDX-License-Identifier: MIT
/* lk_fake_console.c: a person who types what the test said, and a record of what was answered. */
#include "lk_fake_console.h"

#include <string.h>

static int fake_console_read(void *self, uint8_t *byte, uint32_t timeout_ms)
{
    struct lk_fake *fake = self;
    uint64_t waited = 0;

    if (lk_fake_call_fails(fake)) {
        return LK_E_IO;
    }
    while (fake->console.pause_at < fake->console.pause_count &&
           fake->console.pauses[fake->console.pause_at].at == fake->console.input_at) {
        uint64_t *ms = &fake->console.pauses[fake->console.pause_at].ms;

        if (timeout_ms != 0 && *ms >= timeout_ms - waited) {
            *ms -= timeout_ms - waited;
            lk_fake_advance(fake, timeout_ms - waited);
            return 0;
        }
        lk_fake_advance(fake, *ms);
        waited += *ms;
        fake->console.pause_at++;
    }
    if (fake->console.input_at == fake->console.input_size) {
        return LK_E_NOT_FOUND;
    }
    *byte = fake->console.input[fake->console.input_at++];
    return 1;
}

static int fake_console_write(void *self, const uint8_t *data, size_t size)
{
    struct lk_fake *fake = self;

    if (lk_fake_call_fails(fake)) {
        return LK_E_IO;
    }
    if (size > LK_FAKE_OUTPUT_MAX - fake->console.output_size) {
        return LK_E_FULL;
    }
    if (size != 0) {
        memcpy(fake->console.output + fake->console.output_size, data, size);
    }
    fake->console.output_size += size;
    fake->console.output[fake->console.output_size] = '\0';
    return LK_OK;
}

static unsigned fake_console_width(void *self)
{
    const struct lk_fake *fake = self;

    return fake->console.width;
}

const struct lk_console lk_fake_console = {
    .read = fake_console_read,
    .write = fake_console_write,
    .width = fake_console_width,
};

int lk_fake_type_bytes(struct lk_fake *fake, const uint8_t *data, size_t size)
{
    if (size > LK_FAKE_INPUT_MAX - fake->console.input_size) {
        return LK_E_FULL;
    }
    if (size != 0) {
        memcpy(fake->console.input + fake->console.input_size, data, size);
    }
    fake->console.input_size += size;
    return LK_OK;
}

int lk_fake_type(struct lk_fake *fake, const char *text)
{
    return lk_fake_type_bytes(fake, (const uint8_t *)text, strlen(text));
}

int lk_fake_pause(struct lk_fake *fake, uint64_t ms)
{
    if (fake->console.pause_count == LK_FAKE_PAUSE_MAX) {
        return LK_E_FULL;
    }
    fake->console.pauses[fake->console.pause_count].at = fake->console.input_size;
    fake->console.pauses[fake->console.pause_count].ms = ms;
    fake->console.pause_count++;
    return LK_OK;
}

bool lk_fake_typed_all(const struct lk_fake *fake)
{
    return fake->console.input_at == fake->console.input_size &&
           fake->console.pause_at == fake->console.pause_count;
}

const char *lk_fake_output(const struct lk_fake *fake)
{
    return fake->console.output;
}

size_t lk_fake_output_size(const struct lk_fake *fake)
{
    return fake->console.output_size;
}

void lk_fake_output_clear(struct lk_fake *fake)
{
    fake->console.output_size = 0;
    fake->console.output[0] = '\0';
}

void lk_fake_width_set(struct lk_fake *fake, unsigned columns)
{
    fake->console.width = columns;
}
