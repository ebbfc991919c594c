// SPDX-License-Identifier: MIT
#include "plant.h"

#include "lk_engine.h"

#define PLANT_NAME "a.name.that.is.no.secret"

static void plant_add(struct plant *plant, const char *what, const void *bytes, size_t size)
{
    assert_true(plant->count < PLANT_MAX && size && size <= sizeof(plant->list[0].bytes));
    plant->list[plant->count].what = what;
    memcpy(plant->list[plant->count].bytes, bytes, size);
    plant->list[plant->count++].size = size;
}

static void plant_text(struct plant *plant, const char *what, const char *text)
{
    plant_add(plant, what, text, strlen(text));
}

/* As it was told, and the bytes that it stands for. */
static void plant_token(struct plant *plant, const char *what, const char *token)
{
    uint8_t bytes[32];
    size_t size;

    plant_text(plant, what, token);
    plant_add(plant, what, token + 20, 27);
    assert_int_equal(lk_base64url_decode(bench_text(token + 4), bytes, sizeof(bytes), &size), 0);
    plant_add(plant, what, bytes + 12, 20);
}

static void plant_write(struct lk_store *store, struct lk_txn *txn)
{
    memset(txn, 0, sizeof(*txn));
    assert_int_equal(lk_begin(store, txn, LK_WRITE, NULL), 0);
}

static void plant_commit(struct lk_txn *txn)
{
    assert_int_equal(lk_commit(txn), 0);
    lk_txn_release(txn);
}

static struct lk_id plant_user(struct plant *plant, struct lk_store *store, const char *name,
                               const char *email, const char *password)
{
    struct lk_password verifier;
    struct lk_txn txn;
    struct lk_user user;

    memset(&user, 0, sizeof(user));
    user.record.id.tenant = plant->tenant.tenant;
    lk_set_text(&lk_kind_user, &user.record, "username", name);
    if (email) {
        lk_set_text(&lk_kind_user, &user.record, "email", email);
        lk_set_text(&lk_kind_user, &user.record, "display_name", "Wilhelmina Departed");
    }
    plant_write(store, &txn);
    assert_int_equal(lk_add(&txn, &lk_kind_user, &user.record, NULL), 0);
    plant_commit(&txn);
    if (password) {
        assert_int_equal(lk_password_prepare_for(store, user.record.id, bench_text(password), NULL,
                                                 0, &verifier, NULL),
                         0);
        plant_add(plant, "a verifier", verifier.hash, sizeof(verifier.hash));
        plant_write(store, &txn);
        assert_int_equal(lk_password_set(&txn, user.record.id, &verifier, 0), 0);
        plant_commit(&txn);
        plant_text(plant, "a password", password);
    }
    return user.record.id;
}

static void plant_login(struct plant *plant, struct lk_store *store, const char *name,
                        const char *password, int want)
{
    static const uint8_t address[16] = {0x20, 1, 0xD, 0xB8, 0x5E, 0xC3, 0xE7, 9,
                                        8,    7, 6,   5,    4,    3,    2,    1};
    struct lk_login_request request = {.tenant = plant->tenant.tenant,
                                       .name = bench_text(name),
                                       .password = bench_text(password),
                                       .channel = LK_CHANNEL_HTTP,
                                       .ip = {address, sizeof(address)},
                                       .user_agent = LK_TEXT("a rather rare browser/77.1")};
    struct lk_login_result result;

    assert_int_equal(lk_login(store, &request, &result, NULL), want);
    plant_text(plant, "a password given", password);
    if (!want) {
        plant_token(plant, "a session's token", result.token);
    }
}

static void plant_seed(struct plant *plant, struct lk_store *store, struct lk_id user)
{
    static const uint8_t seed[20] = "\x93shared TOTP seed\x17";
    struct lk_credential credential;
    struct lk_txn txn;
    uint8_t sealed[100];
    size_t size;
    uint32_t number;

    memset(&credential, 0, sizeof(credential));
    plant_write(store, &txn);
    assert_int_equal(lk_sequence_peek(&txn, user.tenant, &lk_kind_credential, &number), 0);
    credential.record.id = (struct lk_id){user.tenant, user.user, number};
    assert_int_equal(lk_seal_as(store, credential.record.id, LK_SEALED_SECRET,
                                (struct lk_span){seed, sizeof(seed)}, sealed, sizeof(sealed),
                                &size),
                     0);
    lk_set_number(&lk_kind_credential, &credential.record, "type", LK_CREDENTIAL_TOTP);
    lk_set_span(&lk_kind_credential, &credential.record, "secret", (struct lk_span){sealed, size});
    assert_int_equal(lk_write(&txn, &lk_kind_credential, LK_ADD, credential.record.id,
                              &credential.record, 0, NULL, LK_W_SYSTEM | LK_W_GIVEN_ID),
                     0);
    plant_commit(&txn);
    plant_add(plant, "a seed", seed, sizeof(seed));
}

static void plant_gone(struct plant *plant, struct lk_store *store)
{
    static const char *const names[] = {"wilhelmina.departed", "w.departed@gone.example",
                                        "Wilhelmina Departed", "a rather rare browser/77.1"};
    struct lk_txn txn;
    size_t i;

    plant->gone = plant_user(plant, store, names[0], names[1], "her own last secret");
    plant_login(plant, store, names[0], "her own last secret", 0);
    plant_login(plant, store, names[1], "not her secret at all", LK_E_REFUSED);
    plant_write(store, &txn);
    assert_int_equal(lk_purge(&txn, &lk_kind_user, plant->gone), 0);
    plant_commit(&txn);
    for (i = 0; i < LK_COUNT(names); i++) {
        plant_text(plant, "of a purged user", names[i]);
    }
    plant_add(plant, "the address of a purged user",
              "\x20\x01\x0D\xB8\x5E\xC3\xE7\x09\x08\x07\x06\x05\x04\x03\x02\x01", 16);
}

void plant_fill(struct plant *plant, struct lk_store *store)
{
    /* By `openssl passwd -6 -salt planted1`. */
    static const char foreign[] = "$6$planted1$Bcnj7zcXAtOxzr7qIJx9XZdnwPJFa1kJ7gHM3K"
                                  "EdPvi0Tj7keSDj5K73aZFfqgVmDlv4miWv9o5PjGKw.OBg3/";
    struct lk_tenant tenant;
    struct lk_txn txn;
    struct lk_id user, claimed, other;
    char key[LK_TOKEN_SIZE], claim[LK_CLAIM_SIZE];

    memset(plant, 0, sizeof(*plant));
    memset(&tenant, 0, sizeof(tenant));
    lk_set_text(&lk_kind_tenant, &tenant.record, "name", "planted");
    lk_set_number(&lk_kind_tenant, &tenant.record, "password_history", 4);
    plant_write(store, &txn);
    assert_int_equal(lk_tenant_add(&txn, &tenant), 0);
    plant_commit(&txn);
    plant->tenant = tenant.record.id;
    plant_gone(plant, store);

    user = plant_user(plant, store, PLANT_NAME, NULL, "an earlier planted secret");
    {
        struct lk_password verifier;

        assert_int_equal(lk_password_prepare_for(store, user, LK_TEXT("the planted secret"), NULL,
                                                 0, &verifier, NULL),
                         0);
        plant_write(store, &txn);
        assert_int_equal(lk_password_set(&txn, user, &verifier, 0), 0);
        plant_commit(&txn);
        plant_add(plant, "a verifier", verifier.hash, sizeof(verifier.hash));
        plant_add(plant, "a prepared password", verifier.words, sizeof(verifier.words));
    }
    {
        /* Without the address and the browser, which are the purged user's. */
        struct lk_login_request request = {.tenant = plant->tenant.tenant,
                                           .name = LK_TEXT(PLANT_NAME),
                                           .password = LK_TEXT("the planted secret")};
        struct lk_login_result result;

        assert_int_equal(lk_login(store, &request, &result, NULL), 0);
        plant_token(plant, "a session's token", result.token);
        request.password = LK_TEXT("the planted mistake");
        assert_int_equal(lk_login(store, &request, &result, NULL), LK_E_REFUSED);
        plant_text(plant, "a password given", "the planted mistake");
    }
    plant_text(plant, "a password", "the planted secret");
    plant_seed(plant, store, user);
    claimed = plant_user(plant, store, "claimed", NULL, NULL);
    plant_write(store, &txn);
    assert_int_equal(lk_api_key_add(&txn, user, LK_TEXT("meter"), LK_TEXT(""), 0, key, &other), 0);
    assert_int_equal(lk_claim_add(&txn, claimed, claim), 0);
    assert_int_equal(lk_password_import(&txn, claimed, bench_text(foreign)), 0);
    plant_commit(&txn);
    /* What of an API key may be shown is kept: its kind, its ids, and five characters. */
    plant_add(plant, "an API key", key + 24, 23);
    plant_text(plant, "a claim code", claim);
    plant_add(plant, "half a claim code", claim, 9);
    plant_text(plant, "another program's hash", foreign + 3);

    plant_add(plant, "a record key", lk_keys_now(store)->checksum[0], 16);
    plant_add(plant, "a record key", lk_keys_now(store)->checksum[1], 16);
    plant_add(plant, "the seal key", lk_keys_now(store)->seal, 32);
    plant_add(plant, "the token key", store->token_key, 32);
    plant_add(plant, "the index key", store->index_key, 16);
    plant_add(plant, "the bucket key", store->bucket_key, 16);
    {
        uint8_t secret[LK_DEVICE_SECRET_SIZE];

        assert_int_equal(store->port->secret->read(store->port->self, secret), 0);
        plant_add(plant, "the device secret", secret, sizeof(secret));
    }
}

void plant_search(const struct plant *plant, const char *where, const void *image, size_t size)
{
    size_t i, hits = 0;

    for (i = 0; i < plant->count; i++) {
        size_t found = bench_occurs(image, size, plant->list[i].bytes, plant->list[i].size);

        if (found) {
            print_error("%s: %s, %zu times\n", where, plant->list[i].what, found);
        }
        hits += found;
    }
    print_message("[  figure  ] %s: %zu secrets searched in %zu bytes: %zu hits\n", where,
                  plant->count, size, hits);
    assert_int_equal(hits, 0);
}

void plant_control(const void *image, size_t size)
{
    assert_true(bench_occurs(image, size, PLANT_NAME, strlen(PLANT_NAME)) > 0);
}
