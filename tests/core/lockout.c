// SPDX-License-Identifier: MIT
#include "lockout.h"

struct lockout_answer lockout_try(struct bench *bench, const struct lockout_try *one)
{
    uint8_t address[4] = {(uint8_t)(one->source >> 24), (uint8_t)(one->source >> 16),
                          (uint8_t)(one->source >> 8), (uint8_t)one->source};
    struct lk_login_request request = {
        .tenant = one->tenant ? 0 : bench->tenant,
        .tenant_name = bench_text(one->tenant ? one->tenant : ""),
        .name = bench_text(one->name),
        .password = bench_text(one->password),
        .channel = one->channel,
        .ip = {address, one->source ? sizeof(address) : 0},
        .device_cookie = bench_text(one->cookie ? one->cookie : ""),
    };
    struct lockout_answer answer;
    struct lk_login_result result;
    struct lk_problem problem, plain;

    lk_abort(&bench->txn);
    memset(&problem, 0xFF, sizeof(problem));
    answer.error = lk_login(&bench->store, &request, &result, &problem);
    answer.wait_s = problem.wait_s;
    /* Nothing else tells one refusal from another. */
    memset(&plain, 0, sizeof(plain));
    plain.error = answer.error;
    plain.wait_s = answer.wait_s;
    assert_memory_equal(&problem, &plain, sizeof(plain));
    assert_true((answer.error == LK_E_LOCKED) == (answer.wait_s > 0));
    return answer;
}

int lockout_network(struct bench *bench, const char *name, const char *password)
{
    struct lockout_try one = {.name = name, .password = password, .channel = LK_CHANNEL_HTTP};

    return lockout_try(bench, &one).error;
}

int lockout_console(struct bench *bench, const char *name, const char *password)
{
    struct lockout_try one = {.name = name, .password = password, .channel = LK_CHANNEL_CONSOLE};

    return lockout_try(bench, &one).error;
}

uint32_t lockout_fail(struct bench *bench, const char *name, unsigned count)
{
    struct lockout_try one = {.name = name, .password = LOCKOUT_WRONG, .channel = LK_CHANNEL_HTTP};
    struct lockout_answer answer = {0, 0};

    while (count) {
        answer = lockout_try(bench, &one);
        if (answer.error == LK_E_LOCKED) {
            lk_fake_advance(&bench->fake, answer.wait_s * (uint64_t)1000);
            continue;
        }
        assert_int_equal(answer.error, LK_E_REFUSED);
        count--;
    }
    answer = lockout_try(bench, &one);
    return answer.wait_s;
}

struct lk_id lockout_user(struct bench *bench, const char *name)
{
    return bench_user(bench, name, LOCKOUT_RIGHT);
}

void lockout_device(struct bench *bench, struct lk_id user, char cookie[LK_TOKEN_SIZE])
{
    struct lk_device_facts facts;

    memset(&facts, 0, sizeof(facts));
    bench_write(bench);
    assert_int_equal(lk_device_remember(&bench->txn, &facts, &user, cookie), 0);
    bench_commit(bench);
}

struct lk_activity lockout_counts(struct bench *bench, struct lk_id user)
{
    struct lk_activity activity;

    bench_read(bench);
    assert_int_equal(lk_load_activity(&bench->txn, user, &activity), 0);
    lk_abort(&bench->txn);
    return activity;
}

void lockout_policy(struct bench *bench, uint32_t tenant, const char *word)
{
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){tenant, 0, 0}, word, NULL),
                     0);
    bench_commit(bench);
}

/* ---- The meter ---- */

static struct lockout_meter meter;
static struct lk_storage_ops meter_ops;
static int (*meter_put)(struct lk_storage_txn *txn, struct lk_span key, struct lk_span value);

static int meter_count_put(struct lk_storage_txn *txn, struct lk_span key, struct lk_span value)
{
    meter.puts++;
    meter.bytes += key.size + value.size;
    return meter_put(txn, key, value);
}

static int meter_hash(void *self, struct lk_pwhash_job *job)
{
    struct lk_fake *fake = self;
    struct lk_span password = {job->password, job->password_size};

    meter.hashes++;
    return fake->crypto.hash(self, NULL, 0, (struct lk_span){job->salt, sizeof(job->salt)},
                             password, job->hash);
}

static int meter_foreign(void *self, struct lk_span hash, struct lk_span password)
{
    (void)self;
    meter.foreign++;
    /* "$x$" and the password itself. */
    return lk_span_equal((struct lk_span){hash.data + 3, hash.size - 3}, password) ? 0
                                                                                   : LK_E_REFUSED;
}

static int meter_foreign_check(void *self, struct lk_span hash, const char **rule)
{
    (void)self;
    *rule = NULL;
    return hash.size > 3 && memcmp(hash.data, "$x$", 3) == 0 ? 0 : LK_E_UNSUPPORTED;
}

struct bench *lockout_open(struct lockout_meter **counts)
{
    struct bench *bench = bench_open();
    struct lk_password verifier;

    meter_ops = *bench->fault.inner->ops;
    meter_put = meter_ops.put;
    meter_ops.put = meter_count_put;
    bench->fault.inner->ops = &meter_ops;
    bench->fake.crypto.pwhash_step = meter_hash;
    bench->fake.crypto.foreign_verify = meter_foreign;
    bench->fake.crypto.foreign_check = meter_foreign_check;
    assert_int_equal(
        lk_password_prepare(&bench->store, LK_TEXT(LOCKOUT_RIGHT), NULL, 0, &verifier, NULL), 0);
    bench_write(bench);
    assert_int_equal(lk_password_set(&bench->txn, bench->admin, &verifier, 0), 0);
    bench_commit(bench);
    memset(&meter, 0, sizeof(meter));
    *counts = &meter;
    return bench;
}
