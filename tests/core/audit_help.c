// SPDX-License-Identifier: MIT
#include "audit_help.h"

void audit_add(struct bench *bench, uint32_t tenant, enum lk_ring_number ring, const char *action,
               enum lk_outcome outcome)
{
    struct lk_audit_entry entry;

    memset(&entry, 0, sizeof(entry));
    entry.record.id.tenant = tenant;
    lk_set_text(&lk_kind_audit, &entry.record, "action", action);
    lk_set_text(&lk_kind_audit, &entry.record, "resource_type", "door");
    lk_set_text(&lk_kind_audit, &entry.record, "resource_id", "7");
    lk_set_text(&lk_kind_audit, &entry.record, "description", "the north door");
    lk_set_number(&lk_kind_audit, &entry.record, "outcome", outcome);
    assert_int_equal(lk_audit_write(&bench->txn, ring, &entry), 0);
}

uint32_t audit_fill(struct bench *bench, unsigned capacity, unsigned count)
{
    struct lk_id id = {0, 0, 0};
    char name[32], word[32];
    unsigned i;

    (void)snprintf(name, sizeof(name), "name=doors %u %u", capacity, count);
    (void)snprintf(word, sizeof(word), "audit_capacity=%u", capacity);
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_tenant, &id, name, word, NULL), 0);
    bench_commit(bench);
    for (i = 0; i < count; i++) {
        bench_write(bench);
        audit_add(bench, id.tenant, i % 3 ? LK_RING_ACTIVITY : LK_RING_ADMIN, "door.open",
                  LK_SUCCESS);
        bench_commit(bench);
        lk_fake_advance(&bench->fake, 1000);
    }
    return id.tenant;
}

unsigned audit_faults(struct bench *bench, uint32_t tenant, uint64_t from,
                      const struct lk_audit_heads *head)
{
    struct lk_audit_verify verify = {.tenant = tenant, .from = from, .head = head};
    int error = lk_audit_verify(&bench->txn, &verify);

    assert_true(error != LK_E_FAULTS || verify.fault_count);
    return (unsigned)verify.fault_count + (error && error != LK_E_FAULTS);
}

size_t audit_read(struct bench *bench, uint32_t tenant, uint32_t ring, uint32_t slot,
                  uint8_t out[LK_VALUE_MAX])
{
    struct lk_span cbor;
    struct lk_key key;
    int error;

    lk_key_record(&key, &lk_kind_audit, (struct lk_id){tenant, ring, slot});
    error = lk_value_get(&bench->txn, &key, &cbor);
    if (error == LK_E_NOT_FOUND) {
        return 0;
    }
    assert_int_equal(error, 0);
    memcpy(out, cbor.data, cbor.size);
    return cbor.size;
}

void audit_forge(struct bench *bench, uint32_t tenant, uint32_t ring, uint32_t slot,
                 const uint8_t *cbor, size_t size)
{
    static uint8_t buffer[LK_VALUE_MAX];
    struct lk_key key;

    memcpy(buffer, cbor, size);
    lk_key_record(&key, &lk_kind_audit, (struct lk_id){tenant, ring, slot});
    assert_int_equal(lk_value_put(&bench->txn, &key, buffer, size), 0);
}

void audit_delete(struct bench *bench, uint32_t tenant, uint32_t ring, uint32_t slot)
{
    assert_int_equal(lk_audit_take(&bench->txn, tenant, ring, slot), 0);
}

struct lk_audit_ring audit_layout(struct bench *bench, uint32_t tenant, uint32_t ring)
{
    struct lk_audit_ring layout;
    uint32_t capacity;

    assert_int_equal(lk_audit_capacity(&bench->txn, tenant, &capacity), 0);
    assert_int_equal(lk_audit_ring(&bench->txn, tenant, ring, capacity, &layout), 0);
    return layout;
}

uint64_t audit_failures(struct bench *bench, uint32_t tenant, uint64_t *written)
{
    struct lk_audit_query query = {.tenant = tenant, .outcome = 1 + LK_FAILURE, .open = true};
    struct lk_audit_entry entry;
    uint64_t count = 0;

    *written = 0;
    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    while (!lk_audit_next(&query, &entry)) {
        assert_true(!entry.repeats || (entry.first_at && entry.first_at <= entry.last_at));
        assert_true(entry.open ? entry.seq == 0 && entry.repeats : entry.seq != 0);
        count += entry.repeats ? entry.repeats : 1;
        *written += !entry.open;
    }
    return count;
}

unsigned audit_matches(struct bench *bench, struct lk_audit_query query)
{
    struct lk_audit_entry entry;
    unsigned count = 0;

    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    while (!lk_audit_next(&query, &entry)) {
        count++;
    }
    lk_abort(&bench->txn);
    return count;
}

unsigned audit_count(struct bench *bench, uint32_t tenant, const char *action)
{
    return audit_matches(bench,
                         (struct lk_audit_query){.tenant = tenant, .action = bench_text(action)});
}

struct lk_audit_entry audit_newest(struct bench *bench, struct lk_audit_query *query,
                                   uint32_t tenant, const char *action)
{
    struct lk_audit_entry entry;

    memset(query, 0, sizeof(*query));
    query->tenant = tenant;
    if (action) {
        query->action = bench_text(action);
    }
    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, query), 0);
    if (lk_audit_next(query, &entry)) {
        fail_msg("no entry says %s", action ? action : "anything");
    }
    return entry;
}
