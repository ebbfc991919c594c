// SPDX-License-Identifier: MIT
#include "password_help.h"

void password_policy(struct bench *bench, const char *word)
{
    bench_write(bench);
    assert_int_equal(
        bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0}, word, NULL), 0);
    bench_commit(bench);
}

int password_change(struct bench *bench, struct lk_id user, struct lk_span text,
                    struct lk_problem *problem)
{
    struct lk_password password;
    int error;

    memset(problem, 0, sizeof(*problem));
    lk_abort(&bench->txn);
    error = lk_password_prepare_for(&bench->store, user, text, NULL, 0, &password, problem);
    if (error) {
        return error;
    }
    bench_write(bench);
    error = lk_password_set(&bench->txn, user, &password, 0);
    if (error) {
        *problem = *lk_problem(&bench->txn);
        lk_abort(&bench->txn);
        return error;
    }
    bench_commit(bench);
    return 0;
}

void password_refused(struct bench *bench, struct lk_id user, const char *text, const char *rule)
{
    struct lk_problem problem;
    uint64_t print = bench_print(bench);
    int error = password_change(bench, user, bench_text(text), &problem);

    if (error != LK_E_CHECK || !problem.rule || strcmp(problem.rule, rule) != 0 ||
        strcmp(problem.field, "password") != 0 || problem.given[0]) {
        fail_msg("\"%s\": %d, \"%s\"; want \"%s\"", text, error, problem.rule ? problem.rule : "-",
                 rule);
    }
    assert_true(bench_print(bench) == print);
}

void password_taken(struct bench *bench, struct lk_id user, const char *text)
{
    struct lk_problem problem;
    int error = password_change(bench, user, bench_text(text), &problem);

    if (error) {
        fail_msg("\"%s\": %d, \"%s\"", text, error, problem.rule ? problem.rule : "-");
    }
}
