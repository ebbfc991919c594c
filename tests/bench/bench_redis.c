// SPDX-License-Identifier: MIT
/*
 * bench_redis.c: the same with Redis over a Unix socket: a hash for each user and session, sorted
 * sets as indexes, a stream as audit. Durable as its manual says: an append-only file, synced
 * before each answer. The server is started here, and is of this program alone.
 */
#define _GNU_SOURCE
#include "harness.h"
#include "service.h"

#include <hiredis/hiredis.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIPE 1000 /* commands on the way at once, while loading */

static redisContext *redis;
static struct service server;
static char directory[512];
static struct town_user person;
static uint32_t people, login_user;
static uint64_t page_from, audit_base;
static uint8_t hash_key[32];

static redisReply *answered(redisReply *reply)
{
    if (reply && reply->type == REDIS_REPLY_ERROR) {
        (void)fprintf(stderr, "%s: ", reply->str);
    }
    bench_must(reply && reply->type != REDIS_REPLY_ERROR, "redis");
    return reply;
}

static void drop(redisReply *reply)
{
    freeReplyObject(answered(reply));
}

static void take(unsigned count)
{
    while (count--) {
        void *reply = NULL;

        bench_must(redisGetReply(redis, &reply) == REDIS_OK, "redis");
        drop(reply);
    }
}

static void redis_open(const char *place, uint32_t users)
{
    char socket[600];

    (void)snprintf(directory, sizeof(directory), "%s", place);
    (void)snprintf(socket, sizeof(socket), "%s/redis.sock", place);
    people = users;
    bench_must(sodium_init() >= 0, "sodium");
    service_start(&server,
                  (const char *const[]){"redis-server", "--port", "0", "--unixsocket", socket,
                                        "--dir", directory, "--save", "", "--appendonly", "yes",
                                        "--appendfsync", "always", "--loglevel", "warning", NULL});
    service_wait(&server, socket);
    redis = redisConnectUnix(socket);
    bench_must(redis && !redis->err, "redis: connect");
    for (;;) {
        redisReply *reply = redisCommand(redis, "PING");
        bool loading = reply && reply->type == REDIS_REPLY_ERROR;

        bench_must(reply != NULL, "redis");
        freeReplyObject(reply);
        if (!loading) {
            break;
        }
        service_pause();
    }
    {
        redisReply *reply = answered(redisCommand(redis, "GET audit_base"));

        audit_base = reply->type == REDIS_REPLY_STRING ? strtoull(reply->str, NULL, 10) : 0;
        freeReplyObject(reply);
    }
}

static void redis_close(void)
{
    redisFree(redis);
    service_stop(&server);
}

static void token_hash(const char *token, char hex[33])
{
    uint8_t hash[16];

    (void)crypto_generichash(hash, sizeof(hash), (const uint8_t *)token, strlen(token), hash_key,
                             sizeof(hash_key));
    (void)sodium_bin2hex(hex, 33, hash, sizeof(hash));
}

static void new_token(char token[TOWN_TOKEN])
{
    uint8_t bytes[20];

    bench_fill(bytes, sizeof(bytes));
    (void)sodium_bin2hex(token, TOWN_TOKEN, bytes, sizeof(bytes));
}

#define SESSION                                                                                    \
    "HSET session:%s user %u started_at %llu last_activity %llu expires_at %llu channel 4 ip "     \
    "192.0.2.7 user_agent %s"
#define AUDIT                                                                                      \
    "XADD audit MAXLEN ~ 10000 * at %llu actor %u action login resource_type user resource_id %u " \
    "outcome 0 description %s chain 0123456789abcdef"
static const char agent[] = "Mozilla/5.0 (X11; Linux aarch64) Gateway/2.1";

static void append_session(uint32_t user, char token[TOWN_TOKEN])
{
    unsigned long long now = service_wall(), end = now + TOWN_LIFETIME_MS;
    char hex[33];

    new_token(token);
    token_hash(token, hex);
    (void)redisAppendCommand(redis, SESSION, hex, user, now, now, end, agent);
    (void)redisAppendCommand(redis, "ZADD sessions:%u %llu %s", user, now, hex);
}

static void redis_load(const char *place, uint32_t users, uint64_t *import_ns)
{
    uint32_t i, n, sent = 0;

    redis_open(place, users);
    *import_ns = bench_now();
    for (i = 0; i < users; i++) {
        struct town_user user;

        town_user(i, &user);
        (void)redisAppendCommand(redis,
                                 "HSET user:%u username %s email %s display_name %s external_id %b "
                                 "status 0 created_at %llu",
                                 i + 1, user.username, user.email, user.display, user.external_id,
                                 sizeof(user.external_id), (unsigned long long)user.created_at);
        (void)redisAppendCommand(redis, "SET username:%s %u", user.username, i + 1);
        (void)redisAppendCommand(redis, "SET email:%s %u", user.email, i + 1);
        (void)redisAppendCommand(redis, "ZADD created %llu %u", (unsigned long long)user.created_at,
                                 i + 1);
        (void)redisAppendCommand(redis, "SADD grants:%u operator", i + 1);
        (void)redisAppendCommand(redis, "SADD role:operator %u", i + 1);
        sent += 6;
        if (sent >= PIPE || i == users - 1) {
            take(sent);
            sent = 0;
        }
    }
    *import_ns = bench_now() - *import_ns;
    drop(redisCommand(redis, "SADD permissions:operator user:read user:write session:read"));
    for (i = 0; i < users; i++) {
        for (n = 0; n < TOWN_SESSIONS; n++) {
            char token[TOWN_TOKEN] = "";

            append_session(i + 1, token);
            tokens_write(place, i, users, n, token);
            sent += 2;
        }
        (void)redisAppendCommand(
            redis, "HSET activity:%u last_login_at 1 login_count 2 failed_count 0", i + 1);
        sent++;
        if (sent >= PIPE || i == users - 1) {
            take(sent);
            sent = 0;
        }
    }
    audit_base = service_wall();
    drop(redisCommand(redis, "SET audit_base %llu", (unsigned long long)audit_base));
    for (i = 0; i < TOWN_AUDIT; i++) {
        (void)redisAppendCommand(
            redis,
            "XADD audit %llu-0 at %llu actor %u action login resource_type user "
            "resource_id %u outcome 0 description %s chain 0123456789abcdef",
            (unsigned long long)audit_base + i, (unsigned long long)audit_base + i, i, i,
            "logged in");
    }
    take(TOWN_AUDIT);
    tokens_done();
    redis_close();
}

static uint32_t check(uint32_t which)
{
    redisReply *reply;
    uint64_t expires;
    uint32_t user;
    char hex[33];

    token_hash(tokens_pick(which), hex);
    reply = answered(redisCommand(redis, "HMGET session:%s user expires_at last_activity", hex));
    bench_must(reply->elements == 3 && reply->element[0]->str, "session");
    user = (uint32_t)strtoul(reply->element[0]->str, NULL, 10);
    expires = strtoull(reply->element[1]->str, NULL, 10);
    freeReplyObject(reply);
    bench_must(service_wall() < expires, "session");
    return user;
}

static void session_check(uint32_t which)
{
    (void)check(which);
}

static void session_check_permission(uint32_t which)
{
    uint32_t user = check(which);
    redisReply *roles = answered(redisCommand(redis, "SMEMBERS grants:%u", user));
    size_t i;
    bool may = false;

    for (i = 0; i < roles->elements && !may; i++) {
        redisReply *has = answered(
            redisCommand(redis, "SISMEMBER permissions:%s user:write", roles->element[i]->str));

        may = has->integer == 1;
        freeReplyObject(has);
    }
    freeReplyObject(roles);
    bench_must(may, "permission");
}

static void person_ready(uint32_t which)
{
    town_user(which, &person);
    login_user = which + 1;
}

static void user_by_email(uint32_t which)
{
    redisReply *id = answered(redisCommand(redis, "GET email:%s", person.email)), *user;

    (void)which;
    bench_must(id->str != NULL, "email");
    user = answered(redisCommand(redis, "HGETALL user:%s", id->str));
    bench_must(user->elements >= 10, "user");
    freeReplyObject(user);
    freeReplyObject(id);
}

static void page_ready(uint32_t which)
{
    page_from = TOWN_BASE_MS + 1000ull * (which % (people > TOWN_PAGE ? people - TOWN_PAGE : 1));
}

static void user_page(uint32_t which)
{
    redisReply *page = answered(redisCommand(redis, "ZRANGE created %llu +inf BYSCORE LIMIT 0 %d",
                                             (unsigned long long)page_from, TOWN_PAGE));
    size_t i;

    (void)which;
    bench_must(page->elements == TOWN_PAGE, "page");
    for (i = 0; i < page->elements; i++) {
        (void)redisAppendCommand(redis, "HGETALL user:%s", page->element[i]->str);
    }
    take((unsigned)page->elements);
    freeReplyObject(page);
}

static void audit_range(uint32_t which)
{
    redisReply *range = answered(redisCommand(
        redis, "XRANGE audit %llu + COUNT %d",
        (unsigned long long)audit_base + which % (TOWN_AUDIT - TOWN_RANGE), TOWN_RANGE));

    bench_must(range->elements == TOWN_RANGE, "range");
    freeReplyObject(range);
}

static void login_durable(uint32_t which)
{
    char token[TOWN_TOKEN] = "";

    (void)which;
    (void)redisAppendCommand(redis, "MULTI");
    append_session(login_user, token);
    (void)redisAppendCommand(redis, "HSET activity:%u last_login_at %llu failed_count 0",
                             login_user, (unsigned long long)service_wall());
    (void)redisAppendCommand(redis, AUDIT, (unsigned long long)service_wall(), login_user,
                             login_user, "logged in");
    (void)redisAppendCommand(redis, "EXEC");
    take(6);
}

static void login_charge(uint32_t which)
{
    (void)which;
    drop(redisCommand(redis, "HINCRBY activity:%u failed_count 1", login_user));
}

static void redis_bytes(uint64_t *medium, uint64_t *content)
{
    redisReply *info = answered(redisCommand(redis, "INFO memory"));
    const char *at = strstr(info->str, "used_memory:");

    *medium = at ? strtoull(at + strlen("used_memory:"), NULL, 10) : 0;
    *content = 0;
    freeReplyObject(info);
}

const struct bench_engine bench_engine = {
    .name = "redis",
    .load = redis_load,
    .open = redis_open,
    .close = redis_close,
    .ready = {[BENCH_USER_BY_EMAIL] = person_ready,
              [BENCH_USER_PAGE] = page_ready,
              [BENCH_LOGIN_DURABLE] = person_ready,
              [BENCH_LOGIN_CHARGE] = person_ready},
    .run = {[BENCH_SESSION_CHECK] = session_check,
            [BENCH_SESSION_CHECK_PERMISSION] = session_check_permission,
            [BENCH_USER_BY_EMAIL] = user_by_email,
            [BENCH_USER_PAGE] = user_page,
            [BENCH_AUDIT_RANGE] = audit_range,
            [BENCH_LOGIN_DURABLE] = login_durable,
            [BENCH_LOGIN_CHARGE] = login_charge},
    .bytes = redis_bytes,
};
