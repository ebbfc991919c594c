// SPDX-License-Identifier: MIT
#include "gold.h"

#include "core/bench.h"
#include "lk_text.h"

void gold_add(struct gold *gold, const char *text)
{
    size_t size = strlen(text);

    assert_in_range(gold->size + size, 0, sizeof(gold->text) - 1);
    memcpy(gold->text + gold->size, text, size + 1);
    gold->size += size;
}

void gold_add_bytes(struct gold *gold, const char *name, struct lk_span bytes)
{
    char hex[2 * 32 + 1];
    size_t at;

    gold_add(gold, name);
    gold_add(gold, "\n");
    for (at = 0; at < bytes.size; at += 32) {
        size_t size = bytes.size - at < 32 ? bytes.size - at : 32;

        assert_true(lk_hex_encode((struct lk_span){bytes.data + at, size}, hex, sizeof(hex)) > 0);
        gold_add(gold, "    ");
        gold_add(gold, hex);
        gold_add(gold, "\n");
    }
}

static void gold_path(const char *name, char path[512])
{
    const char *folder = getenv("LATCHKEY_GOLDEN_DIR");

    assert_in_range(snprintf(path, 512, "%s/%s.hex", folder ? folder : "tests/golden", name), 1,
                    511);
}

void gold_close(struct gold *gold, const char *name)
{
    static char have[GOLD_MAX];
    const char *mode = getenv("LATCHKEY_GOLDEN");
    bool writes = mode && strcmp(mode, "write") == 0;
    char path[512];
    size_t size, line = 1, i;
    FILE *file;

    gold_path(name, path);
    file = fopen(path, writes ? "w" : "r");
    if (!file) {
        fail_msg("%s: no such file; if the kind is new, LATCHKEY_GOLDEN=write makes it", path);
    }
    if (writes) {
        assert_int_equal(fwrite(gold->text, 1, gold->size, file), gold->size);
        assert_int_equal(fclose(file), 0);
        return;
    }
    size = fread(have, 1, sizeof(have) - 1, file);
    assert_int_equal(fclose(file), 0);
    have[size] = '\0';
    for (i = 0; i < size && i < gold->size && have[i] == gold->text[i]; i++) {
        line += have[i] == '\n';
    }
    if (i < size || i < gold->size) {
        fail_msg("%s:%zu: the bytes differ; see the head of this test before writing them anew",
                 path, line);
    }
}
