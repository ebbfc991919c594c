// SPDX-License-Identifier: MIT
#include "time_help.h"

void time_policy(struct bench *bench, const char *words)
{
    bench_write(bench);
    assert_int_equal(
        bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0}, words, NULL), 0);
    bench_commit(bench);
}

void time_seen(struct bench *bench)
{
    bench_write(bench);
    assert_int_equal(lk_clock_save(&bench->txn, true), 0);
    bench_commit(bench);
}

int time_touch(struct bench *bench, const char *token)
{
    struct lk_verdict verdict;
    int error;

    bench_write(bench);
    error = lk_session_check(&bench->txn, 0, bench_text(token), NULL, &verdict);
    error = error ? error : lk_session_touch(&bench->txn, &verdict);
    if (!error) {
        bench_commit(bench);
    }
    lk_abort(&bench->txn);
    return error;
}

uint64_t time_now(struct bench *bench, enum lk_clock_quality *quality)
{
    uint64_t ms;

    bench_read(bench);
    ms = lk_now(&bench->txn);
    *quality = bench->txn.clock;
    lk_abort(&bench->txn);
    return ms;
}
