// SPDX-License-Identifier: MIT
/*
 * S17: tampering with the audit shows. Whoever tampers here writes records whose checksums hold,
 * and lacks only the chain's key. Each ring is tried before it goes round and after.
 */
#include "audit_help.h"

static const struct {
    unsigned capacity, count;
} shapes[] = {{64, 40}, {16, 40}, {16, 75}};

/* Tries one thing on each of the shapes; the store is whole before and after. */
static void try_all(void (*one)(struct bench *bench, uint32_t tenant))
{
    size_t i;

    for (i = 0; i < LK_COUNT(shapes); i++) {
        struct bench *bench = bench_open();
        uint32_t tenant = audit_fill(bench, shapes[i].capacity, shapes[i].count);

        bench_verify(bench);
        one(bench, tenant);
        lk_abort(&bench->txn);
        bench_verify(bench);
        bench_close(bench);
    }
}

static unsigned tampered, unnoticed;

/* What was done in the open transaction must show; then it is undone. */
static void must_show(struct bench *bench, uint32_t tenant, const struct lk_audit_heads *head)
{
    tampered++;
    unnoticed += audit_faults(bench, tenant, 0, head) == 0;
    bench_write(bench);
}

static void alter(struct bench *bench, uint32_t tenant)
{
    static uint8_t cbor[LK_VALUE_MAX];
    uint32_t ring, slot;
    size_t size, at;

    bench_write(bench);
    for (ring = 0; ring < LK_RING_COUNT; ring++) {
        for (slot = 0; (size = audit_read(bench, tenant, ring, slot, cbor)) != 0; slot++) {
            for (at = 1; at < size; at++) {
                cbor[at] ^= (uint8_t)(1u << at % 8);
                audit_forge(bench, tenant, ring, slot, cbor, size);
                cbor[at] ^= (uint8_t)(1u << at % 8);
                must_show(bench, tenant, NULL);
            }
        }
    }
}

static void test_s17_altered_entries_show(void **state)
{
    (void)state;
    tampered = unnoticed = 0;
    try_all(alter);
    print_message("[  figure  ] %u alterations of entries, %u unnoticed\n", tampered, unnoticed);
    assert_true(tampered > 10000);
    assert_int_equal(unnoticed, 0);
}

/* Any but the newest of all, the other ring's word for which is still to come. */
static void delete_one(struct bench *bench, uint32_t tenant)
{
    struct lk_audit_heads heads;
    uint32_t ring, i;

    bench_write(bench);
    assert_int_equal(lk_audit_heads(&bench->txn, tenant, &heads), 0);
    for (ring = 0; ring < LK_RING_COUNT; ring++) {
        struct lk_audit_ring layout = audit_layout(bench, tenant, ring);

        for (i = 0; i < layout.count; i++) {
            uint32_t slot = (layout.first + i) % layout.capacity;
            bool last = i + 1 == layout.count && heads.rings[ring].seq > heads.rings[1 - ring].seq;

            audit_delete(bench, tenant, ring, slot);
            must_show(bench, tenant, last ? &heads : NULL);
        }
    }
}

static void test_s17_deleted_entries_show(void **state)
{
    (void)state;
    tampered = unnoticed = 0;
    try_all(delete_one);
    print_message("[  figure  ] %u entries deleted, %u unnoticed\n", tampered, unnoticed);
    assert_true(tampered > 80);
    assert_int_equal(unnoticed, 0);
}

static void reorder(struct bench *bench, uint32_t tenant)
{
    static uint8_t a[LK_VALUE_MAX], b[LK_VALUE_MAX];
    uint32_t ring, i, k;

    bench_write(bench);
    for (ring = 0; ring < LK_RING_COUNT; ring++) {
        struct lk_audit_ring layout = audit_layout(bench, tenant, ring);

        for (i = 0; i < layout.count; i++) {
            for (k = 0; k < i; k++) {
                uint32_t one = (layout.first + i) % layout.capacity;
                uint32_t other = (layout.first + k) % layout.capacity;
                size_t one_size = audit_read(bench, tenant, ring, one, a);
                size_t other_size = audit_read(bench, tenant, ring, other, b);

                audit_forge(bench, tenant, ring, other, a, one_size);
                audit_forge(bench, tenant, ring, one, b, other_size);
                must_show(bench, tenant, NULL);
            }
        }
    }
}

static void test_s17_reordered_entries_show(void **state)
{
    (void)state;
    tampered = unnoticed = 0;
    try_all(reorder);
    print_message("[  figure  ] %u pairs swapped, %u unnoticed\n", tampered, unnoticed);
    assert_true(tampered > 500);
    assert_int_equal(unnoticed, 0);
}

/* Renumbered as well, so that order and count are right: the bytes are still not as written. */
static void take_out_and_close_up(struct bench *bench, uint32_t tenant)
{
    static uint8_t cbor[LK_VALUE_MAX];
    uint32_t ring, gone, i;

    bench_write(bench);
    for (ring = 0; ring < LK_RING_COUNT; ring++) {
        struct lk_audit_ring layout = audit_layout(bench, tenant, ring);

        for (gone = 0; gone + 1 < layout.count; gone++) {
            for (i = gone + 1; i < layout.count; i++) {
                uint32_t from = (layout.first + i) % layout.capacity;
                uint32_t to = (layout.first + i - 1) % layout.capacity;
                size_t size = audit_read(bench, tenant, ring, from, cbor);

                audit_forge(bench, tenant, ring, to, cbor, size);
            }
            audit_delete(bench, tenant, ring, layout.head);
            must_show(bench, tenant, NULL);
        }
    }
}

static void test_s17_gaps_closed_up_show(void **state)
{
    (void)state;
    tampered = unnoticed = 0;
    try_all(take_out_and_close_up);
    print_message("[  figure  ] %u entries taken out and closed up, %u unnoticed\n", tampered,
                  unnoticed);
    assert_true(tampered > 80);
    assert_int_equal(unnoticed, 0);
}

/* Rings of equal length, each in the other's place. */
static void swap_rings(struct bench *bench, uint32_t tenant)
{
    static uint8_t a[LK_VALUE_MAX], b[LK_VALUE_MAX];
    uint32_t slot, capacity;

    bench_write(bench);
    assert_int_equal(lk_audit_capacity(&bench->txn, tenant, &capacity), 0);
    for (slot = 0; slot < capacity; slot++) {
        size_t a_size = audit_read(bench, tenant, 0, slot, a);
        size_t b_size = audit_read(bench, tenant, 1, slot, b);

        audit_delete(bench, tenant, 0, slot);
        audit_delete(bench, tenant, 1, slot);
        if (b_size) {
            audit_forge(bench, tenant, 0, slot, b, b_size);
        }
        if (a_size) {
            audit_forge(bench, tenant, 1, slot, a, a_size);
        }
    }
    must_show(bench, tenant, NULL);
}

/* One ring as a tenant of before had it: another tenant's, under this one's keys. */
static void move_from_another_tenant(struct bench *bench, uint32_t tenant)
{
    static uint8_t cbor[LK_VALUE_MAX];
    uint32_t slot;

    bench_write(bench);
    for (slot = 0; slot < 3; slot++) {
        size_t size = audit_read(bench, bench->tenant, LK_RING_ADMIN, slot, cbor);

        assert_true(size > 0);
        audit_forge(bench, tenant, LK_RING_ADMIN, slot, cbor, size);
        must_show(bench, tenant, NULL);
    }
}

static void test_s17_rings_swapped_show(void **state)
{
    (void)state;
    tampered = unnoticed = 0;
    try_all(swap_rings);
    try_all(move_from_another_tenant);
    assert_int_equal(tampered, 12);
    assert_int_equal(unnoticed, 0);
}

/* A ring that is quiet while the other goes round many times: its newest entries are vouched for by
 * what the other still has, although no number is missing there. */
static void test_s17_the_other_ring_vouches_for_a_quiet_one(void **state)
{
    struct bench *bench = bench_open();
    uint32_t tenant = audit_fill(bench, 16, 7), cut;
    unsigned i;

    (void)state;
    for (i = 0; i < 70; i++) {
        bench_write(bench);
        audit_add(bench, tenant, LK_RING_ACTIVITY, "door.shut", LK_SUCCESS);
        bench_commit(bench);
    }
    bench_verify(bench);
    for (cut = 1; cut < 3; cut++) {
        bench_write(bench);
        for (i = 0; i < cut; i++) {
            audit_delete(bench, tenant, LK_RING_ADMIN, audit_layout(bench, tenant, 0).head);
        }
        assert_true(audit_faults(bench, tenant, 0, NULL) > 0);
        /* Nor can others be put in their place. */
        audit_add(bench, tenant, LK_RING_ADMIN, "door.open", LK_SUCCESS);
        assert_true(audit_faults(bench, tenant, 0, NULL) > 0);
        lk_abort(&bench->txn);
    }
    bench_verify(bench);
    bench_close(bench);
}

/* The oldest cut: what the first one left follows is not what the tenant remembers. */
static void cut_the_oldest(struct bench *bench, uint32_t tenant)
{
    uint32_t ring, cut, i;

    bench_write(bench);
    for (ring = 0; ring < LK_RING_COUNT; ring++) {
        struct lk_audit_ring layout = audit_layout(bench, tenant, ring);

        for (cut = 1; cut <= layout.count; cut++) {
            for (i = 0; i < cut; i++) {
                audit_delete(bench, tenant, ring, (layout.first + i) % layout.capacity);
            }
            must_show(bench, tenant, NULL);
        }
    }
}

/* The newest of both rings cut: nothing shows it but a head that was kept elsewhere. */
static void cut_the_newest(struct bench *bench, uint32_t tenant)
{
    struct lk_audit_heads heads;
    uint32_t cut, i;

    bench_write(bench);
    assert_int_equal(lk_audit_heads(&bench->txn, tenant, &heads), 0);
    for (cut = 1; cut <= 5; cut++) {
        uint64_t last =
            heads.rings[0].seq > heads.rings[1].seq ? heads.rings[0].seq : heads.rings[1].seq;
        uint32_t ring;

        for (ring = 0; ring < LK_RING_COUNT; ring++) {
            for (i = 0; i < cut; i++) {
                struct lk_audit_ring layout = audit_layout(bench, tenant, ring);

                if (layout.newest.seq > last - cut) {
                    audit_delete(bench, tenant, ring, layout.head);
                }
            }
        }
        /* Where a full ring lost them, room is there that should not be. */
        if (shapes[0].capacity == audit_layout(bench, tenant, 0).capacity) {
            assert_int_equal(audit_faults(bench, tenant, 0, NULL), 0);
        }
        must_show(bench, tenant, &heads);
    }
}

static void test_s17_cuts_show(void **state)
{
    (void)state;
    tampered = unnoticed = 0;
    try_all(cut_the_oldest);
    try_all(cut_the_newest);
    print_message("[  figure  ] %u cuts at either end, %u unnoticed with an exported head\n",
                  tampered, unnoticed);
    assert_int_equal(unnoticed, 0);
}

static void test_s17_every_entry_is_a_beginning(void **state)
{
    static uint8_t cbor[LK_VALUE_MAX];
    struct bench *bench = bench_open();
    uint32_t tenant = audit_fill(bench, 16, 75), capacity;
    struct lk_audit_heads heads;
    uint64_t from, last;
    size_t size;

    (void)state;
    bench_write(bench);
    assert_int_equal(lk_audit_capacity(&bench->txn, tenant, &capacity), 0);
    assert_int_equal(lk_audit_heads(&bench->txn, tenant, &heads), 0);
    last = heads.rings[0].seq > heads.rings[1].seq ? heads.rings[0].seq : heads.rings[1].seq;
    for (from = 1; from <= last + 1; from++) {
        struct lk_audit_verify verify = {.tenant = tenant, .from = from, .head = &heads};

        assert_int_equal(lk_audit_verify(&bench->txn, &verify), 0);
        assert_true(verify.entry_count <= last + 1 - from && verify.entry_count <= 32);
        assert_true(from + 10 < last || verify.entry_count == last + 1 - from);
    }
    /* What lies before the beginning is not looked at, what lies after it is. */
    size = audit_read(bench, tenant, 1, audit_layout(bench, tenant, 1).head, cbor);
    cbor[size / 2] ^= 1;
    audit_forge(bench, tenant, 1, audit_layout(bench, tenant, 1).head, cbor, size);
    assert_int_equal(audit_faults(bench, tenant, heads.rings[1].seq + 1, NULL), 0);
    assert_true(audit_faults(bench, tenant, heads.rings[1].seq, NULL) > 0);
    lk_abort(&bench->txn);
    bench_close(bench);
}

/* A head of long ago holds, while what it names is there and when it is overwritten. */
static void test_s17_old_heads_hold(void **state)
{
    struct bench *bench = bench_open();
    uint32_t tenant = audit_fill(bench, 16, 5);
    struct lk_audit_heads heads, other;
    void *saved = malloc(bench->memory_size);
    struct lk_fake fake;
    unsigned i;

    (void)state;
    assert_non_null(saved);
    bench_read(bench);
    assert_int_equal(lk_audit_heads(&bench->txn, tenant, &heads), 0);
    for (i = 0; i < 80; i++) {
        bench_write(bench);
        audit_add(bench, tenant, i % 4 ? LK_RING_ACTIVITY : LK_RING_ADMIN, "door.shut", LK_SUCCESS);
        assert_int_equal(audit_faults(bench, tenant, 0, &heads), 0);
        bench_commit(bench);
    }
    /* Of another tenant or store it is no measure. */
    bench_read(bench);
    assert_int_equal(lk_audit_heads(&bench->txn, bench->tenant, &other), 0);
    {
        struct lk_audit_verify verify = {.tenant = tenant, .head = &other};

        assert_int_equal(lk_audit_verify(&bench->txn, &verify), LK_E_ARGUMENT);
        other = heads;
        other.store_id[5] ^= 1;
        assert_int_equal(lk_audit_verify(&bench->txn, &verify), LK_E_ARGUMENT);
        other = heads;
        other.rings[0].chain[3] ^= 1; /* of an entry long gone: nothing to hold it against */
        assert_int_equal(lk_audit_verify(&bench->txn, &verify), 0);
    }
    /* The whole store put back, and gone on from there, is told by a head from between. */
    lk_txn_release(&bench->txn);
    memcpy(saved, bench->memory, bench->memory_size);
    fake = bench->fake;
    bench_write(bench);
    audit_add(bench, tenant, LK_RING_ADMIN, "door.lock", LK_SUCCESS);
    assert_int_equal(lk_audit_heads(&bench->txn, tenant, &heads), 0);
    bench_commit(bench);
    lk_txn_release(&bench->txn);
    lk_close(&bench->store);
    memcpy(bench->memory, saved, bench->memory_size);
    bench->fake = fake;
    assert_int_equal(lk_open(&bench->store, &bench->config), 0);
    bench_read(bench);
    assert_int_equal(audit_faults(bench, tenant, 0, NULL), 0);
    assert_true(audit_faults(bench, tenant, 0, &heads) > 0);
    bench_write(bench);
    audit_add(bench, tenant, LK_RING_ADMIN, "door.open", LK_SUCCESS);
    audit_add(bench, tenant, LK_RING_ADMIN, "door.open", LK_SUCCESS);
    bench_commit(bench);
    bench_verify(bench);
    bench_read(bench);
    assert_true(audit_faults(bench, tenant, 0, &heads) > 0);
    lk_abort(&bench->txn);
    free(saved);
    bench_close(bench);
}

/* With a bad byte in the newest slot, what comes next takes its place and tells that it is gone;
 * what other entries say of it stays and shows. */
static void test_s17_damage_of_the_newest_is_told_in_the_chain(void **state)
{
    uint32_t ring;

    (void)state;
    for (ring = 0; ring < LK_RING_COUNT; ring++) {
        struct bench *bench = bench_open();
        uint32_t tenant = audit_fill(bench, 16, 75);
        struct lk_audit_query query = {.tenant = tenant};
        struct lk_audit_entry entry;
        struct lk_audit_ring layout;
        struct lk_key key;

        bench_read(bench);
        layout = audit_layout(bench, tenant, ring);
        lk_key_record(&key, &lk_kind_audit, (struct lk_id){tenant, ring, layout.head});
        assert_int_equal(lk_fault_flip(&bench->fault, lk_key_span(&key), 99), 0);
        assert_int_equal(audit_faults(bench, tenant, 0, NULL), 1);
        bench_write(bench);
        audit_add(bench, tenant, (enum lk_ring_number)ring, "door.shut", LK_SUCCESS);
        bench_commit(bench);
        lk_fault_restore(&bench->fault);
        bench_read(bench);
        assert_int_equal(audit_layout(bench, tenant, ring).head, layout.head);
        assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
        assert_int_equal(lk_audit_next(&query, &entry), 0);
        assert_int_equal(entry.dropped, 1);
        /* The newest of ring 1 was the newest of all: nothing else knew of it. */
        assert_true((audit_faults(bench, tenant, 0, NULL) == 0) == (ring == 1));
        bench_close(bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s17_altered_entries_show),
        cmocka_unit_test(test_s17_deleted_entries_show),
        cmocka_unit_test(test_s17_reordered_entries_show),
        cmocka_unit_test(test_s17_gaps_closed_up_show),
        cmocka_unit_test(test_s17_rings_swapped_show),
        cmocka_unit_test(test_s17_the_other_ring_vouches_for_a_quiet_one),
        cmocka_unit_test(test_s17_cuts_show),
        cmocka_unit_test(test_s17_every_entry_is_a_beginning),
        cmocka_unit_test(test_s17_old_heads_hold),
        cmocka_unit_test(test_s17_damage_of_the_newest_is_told_in_the_chain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
