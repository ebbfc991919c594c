// SPDX-License-Identifier: MIT
/*
 * Damage to stored values: single bits, values in each other's place, values cut short. Nothing
 * crashes, no wrong answer is given as right, verify tells.
 */
#include "damage.h"

static bool is_bare(const struct damage_key *key)
{
    return !key->kind && !key->index;
}

/* The boot and meta records are read when a store is opened. */
static void open_must_refuse(struct damage_town *town, const struct damage_key *key,
                             unsigned number)
{
    struct bench *bench = town->bench;
    int error;

    lk_txn_release(&bench->txn);
    lk_close(&bench->store);
    error = lk_open(&bench->store, &bench->config);
    if (error != LK_E_CORRUPT && error != LK_E_SECRET && error != LK_E_NEWER) {
        fail_msg("%s %u: opened with %d", damage_name(key), number, error);
    }
    assert_false(bench->ram.open);
}

static void test_damage_single_bits(void **state)
{
    struct damage_town *town = damage_open();
    const struct damage_key *samples[64];
    size_t count = damage_samples(town, samples), i;
    unsigned bits = 0, kinds = 0;

    (void)state;
    for (i = 0; i < count; i++) {
        const struct damage_key *key = samples[i];
        unsigned bit;

        kinds += key->kind != NULL;
        for (bit = 0; bit < key->size * 8; bit += bench_step()) {
            struct damage_answers answers;

            damage_reset(town);
            assert_int_equal(lk_fault_flip(&town->bench->fault, lk_key_span(&key->key), bit), 0);
            if (is_bare(key)) {
                open_must_refuse(town, key, bit);
            } else {
                if (damage_faults(town) == 0) {
                    fail_msg("bit %u of a %s: verify finds nothing", bit, damage_name(key));
                }
                damage_ask(town, &answers);
                damage_compare(town, &answers, "bit", key, bit);
            }
            bits++;
        }
    }
    /* Every kind but those that a new store has no record of is among them. */
    assert_int_equal(kinds, 12);
    print_message("%u bits of %zu values\n", bits, count);
    damage_close(town);
}

static void swap_and_ask(struct damage_town *town, const struct damage_key *a,
                         const struct damage_key *b, unsigned number)
{
    struct damage_answers answers;

    damage_reset(town);
    assert_int_equal(lk_fault_swap(&town->bench->fault, lk_key_span(&a->key), lk_key_span(&b->key)),
                     0);
    if (is_bare(a) || is_bare(b)) {
        open_must_refuse(town, is_bare(a) ? a : b, number);
        return;
    }
    if (damage_faults(town) == 0) {
        fail_msg("a %s in the place of a %s: verify finds nothing", damage_name(a), damage_name(b));
    }
    damage_ask(town, &answers);
    damage_compare(town, &answers, "swap", a, number);
}

/* Entries of indexes that are not unique hold nothing that could be swapped. */
static bool differ(const struct damage_key *a, const struct damage_key *b)
{
    return a != b && (a->size || b->size) && !(a->index && b->index && a->size == b->size);
}

static void test_damage_values_swapped(void **state)
{
    struct damage_town *town = damage_open();
    const struct damage_key *samples[64];
    size_t count = damage_samples(town, samples), i, k;
    unsigned swaps = 0;

    (void)state;
    for (i = 0; i < count; i++) { /* across kinds */
        for (k = 0; k < i; k++) {
            if (differ(samples[i], samples[k])) {
                swap_and_ask(town, samples[i], samples[k], swaps++);
            }
        }
    }
    for (i = 0; i < town->key_count; i++) { /* inside a kind: each with the largest */
        for (k = 0; k < count; k++) {
            if (town->keys[i].kind && samples[k]->kind == town->keys[i].kind &&
                differ(&town->keys[i], samples[k])) {
                swap_and_ask(town, &town->keys[i], samples[k], swaps++);
            }
        }
    }
    assert_true(swaps > 300);
    print_message("%u swaps\n", swaps);
    damage_close(town);
}

/* Writes below the wrapper, as damage would. */
static void plant(struct damage_town *town, const struct damage_key *key, const uint8_t *value,
                  size_t size)
{
    const struct lk_storage_ops *ops = town->bench->ram.storage.ops;
    struct lk_storage_txn txn;

    lk_abort(&town->bench->txn);
    memset(&txn, 0, sizeof(txn));
    assert_int_equal(ops->begin(&town->bench->ram.storage, &txn, LK_WRITE), 0);
    assert_int_equal(ops->put(&txn, lk_key_span(&key->key), (struct lk_span){value, size}), 0);
    assert_int_equal(ops->commit(&txn, LK_COMMIT_DURABLE), 0);
}

static void read_value(struct damage_town *town, const struct damage_key *key, uint8_t *out)
{
    const struct lk_storage_ops *ops = town->bench->ram.storage.ops;
    struct lk_storage_txn txn;
    struct lk_span value;

    memset(&txn, 0, sizeof(txn));
    assert_int_equal(ops->begin(&town->bench->ram.storage, &txn, LK_READ), 0);
    assert_int_equal(ops->get(&txn, lk_key_span(&key->key), &value), 0);
    assert_int_equal(value.size, key->size);
    memcpy(out, value.data, value.size);
    ops->abort(&txn);
}

static void test_damage_values_cut_or_grown(void **state)
{
    static uint8_t value[LK_VALUE_MAX + 8];
    struct damage_town *town = damage_open();
    const struct damage_key *samples[64];
    size_t count = damage_samples(town, samples), i, size;
    unsigned cuts = 0;

    (void)state;
    for (i = 0; i < count; i++) {
        const struct damage_key *key = samples[i];

        memset(value, 0, sizeof(value));
        read_value(town, key, value);
        for (size = 0; size < key->size + 4; size += bench_step()) {
            struct damage_answers answers;

            if (size == key->size) {
                continue;
            }
            damage_reset(town);
            plant(town, key, value, size);
            cuts++;
            if (is_bare(key)) {
                open_must_refuse(town, key, (unsigned)size);
                continue;
            }
            if (damage_faults(town) == 0) {
                fail_msg("%s of %zu bytes instead of %zu: verify finds nothing", damage_name(key),
                         size, key->size);
            }
            damage_ask(town, &answers);
            damage_compare(town, &answers, "size", key, (unsigned)size);
        }
        damage_reset(town);
    }
    print_message("%u sizes\n", cuts);
    damage_close(town);
}

/* Changes that meet a damaged value are refused, or go past it: they never write it back as good.
 */
static void test_damage_is_not_written_back(void **state)
{
    struct damage_town *town = damage_open();
    struct bench *bench = town->bench;
    const struct damage_key *samples[64];
    size_t count = damage_samples(town, samples), i;
    unsigned changes = 0, refused = 0;

    (void)state;
    for (i = 0; i < count; i++) {
        const struct damage_key *key = samples[i];
        unsigned bit, change;

        if (is_bare(key)) {
            continue;
        }
        for (bit = 0; bit < key->size * 8; bit += 11 * bench_step()) {
            for (change = 0; change < 8; change++) {
                struct lk_id role;
                bool more;
                int error = 0;

                damage_reset(town);
                bench_write(bench);
                role = bench_named(bench, &lk_kind_role, "operator");
                assert_int_equal(lk_fault_flip(&bench->fault, lk_key_span(&key->key), bit), 0);
                switch (change) {
                case 0:
                    error = bench_set(bench, &lk_kind_user, town->alice, "username=eve",
                                      "status=suspended", NULL);
                    break;
                case 1: error = lk_role_grant(&bench->txn, town->alice, role, 0); break;
                case 2: error = lk_role_permit(&bench->txn, role, town->door, true); break;
                case 3: error = lk_remove(&bench->txn, &lk_kind_user, town->bob, NULL); break;
                case 4:
                    error = lk_tenant_set_status(&bench->txn, bench->tenant, LK_TENANT_SUSPENDED);
                    break;
                case 5:
                    error = bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                                      "audit_capacity=16", NULL);
                    break;
                case 6: error = lk_logout(&bench->txn, bench_text(town->session)); break;
                default: error = lk_maintain(&bench->txn, 10000, &more); break;
                }
                if (error >= 0) {
                    bench_commit(bench);
                } else {
                    lk_abort(&bench->txn);
                    refused++;
                }
                lk_fault_restore(&bench->fault);
                if (damage_faults(town)) {
                    fail_msg("bit %u of a %s, change %u (%d): left in the store", bit,
                             damage_name(key), change, error);
                }
                changes++;
            }
        }
    }
    print_message("%u changes, %u refused\n", changes, refused);
    damage_close(town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damage_single_bits),
        cmocka_unit_test(test_damage_values_swapped),
        cmocka_unit_test(test_damage_values_cut_or_grown),
        cmocka_unit_test(test_damage_is_not_written_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
