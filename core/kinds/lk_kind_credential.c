// SPDX-License-Identifier: MIT
#include "lk_factor.h"

static const char *const types[] = {"password", "totp",  "recovery", "ssh_key",
                                    "api_key",  "claim", NULL};

static const char *const states[] = {"unconfirmed", "confirmed", NULL};
static const char *const algorithms[] = {"sha1", "sha256", "sha512", NULL};

#define AT(member) offsetof(struct lk_credential, member)

static const struct lk_like made = {.first = AT(record.created_at)};

static const struct lk_field fields[] = {
    {.number = 8,
     .name = "type",
     .type = LK_ENUM,
     .offset = AT(type),
     .choices = types,
     .flags = LK_F_REQUIRED | LK_F_FIXED | LK_F_IMPLIED,
     LK_FIELD_HELP("what it is")},
    {.number = 9,
     .name = "label",
     .type = LK_STRING,
     .offset = AT(label),
     .min = 1,
     .max = 100,
     LK_FIELD_HELP("name for people")},
    {.number = 10,
     .name = "secret",
     .type = LK_BYTES,
     .offset = AT(secret),
     .min = 1,
     .max = 300,
     .flags = LK_F_SYSTEM | LK_F_SECRET | LK_F_LOCAL,
     LK_FIELD_HELP("sealed verifier or keyed hash")},
    {.number = 11,
     .name = "key",
     .type = LK_STRING,
     .offset = AT(key),
     .min = 1,
     .max = 4000,
     .flags = LK_F_FIXED,
     LK_FIELD_HELP("public key, as a line of authorized_keys")},
    {.number = 12,
     .name = "prefix",
     .type = LK_STRING,
     .offset = AT(prefix),
     .max = 24,
     .flags = LK_F_SYSTEM,
     LK_FIELD_HELP("beginning of the key, to tell it by")},
    {.number = 13,
     .name = "last_used_at",
     .type = LK_TIME,
     .offset = AT(last_used_at),
     .flags = LK_F_SYSTEM | LK_F_LOCAL,
     LK_FIELD_HELP("last use seen")},
    {.number = 14,
     .name = "expires_at",
     .type = LK_TIME,
     .offset = AT(expires_at),
     LK_FIELD_HELP("when it ends")},
    {.number = 15,
     .name = "tries_left",
     .type = LK_UINT,
     .offset = AT(tries_left),
     .flags = LK_F_SYSTEM | LK_F_LOCAL | LK_F_HIDDEN,
     LK_FIELD_HELP("of a claim code")},
    {.number = 16,
     .name = "roles",
     .type = LK_REFS,
     .offset = AT(roles),
     .target = LK_KIND_ROLE,
     .max = 5 * LK_GRANT_MAX + 3,
     .flags = LK_F_FIXED,
     LK_FIELD_HELP("of an API key: only these of the user's roles count")},
    {.number = 17,
     .name = "set_at",
     .type = LK_TIME,
     .offset = AT(set_at),
     .flags = LK_F_SYSTEM,
     .like = &made,
     LK_FIELD_HELP("when a person last set the password")},
    {.number = 18,
     .name = "history",
     .type = LK_BYTES,
     .offset = AT(history),
     .min = 1,
     .max = LK_HISTORY_MAX,
     .flags = LK_F_SYSTEM | LK_F_SECRET | LK_F_LOCAL,
     LK_FIELD_HELP("sealed verifiers of earlier passwords")},
    {.number = 19,
     .name = "last_step",
     .type = LK_UINT,
     .offset = AT(last_step),
     .flags = LK_F_SYSTEM | LK_F_LOCAL | LK_F_HIDDEN,
     LK_FIELD_HELP("of totp: the newest step that a code was taken of")},
    {.number = 20,
     .name = "confirmed",
     .type = LK_BOOL,
     .offset = AT(confirmed),
     .flags = LK_F_SYSTEM | LK_F_HIDDEN,
     LK_FIELD_HELP("of totp: a code of it was given")},
    {.number = 21,
     .name = "algorithm",
     .type = LK_ENUM,
     .offset = AT(algorithm),
     .choices = algorithms,
     .flags = LK_F_FIXED,
     LK_FIELD_HELP("of totp: hash of the codes")},
    {.number = 22,
     .name = "digits",
     .type = LK_UINT,
     .offset = AT(digits),
     .min = 6,
     .max = 8,
     .initial = 6,
     .flags = LK_F_FIXED,
     LK_FIELD_HELP("of totp: digits of a code, 6 or 8")},
    {.number = 23,
     .name = "powered_end",
     .type = LK_UINT,
     .offset = AT(powered_end),
     .flags = LK_F_SYSTEM | LK_F_LOCAL | LK_F_HIDDEN,
     LK_FIELD_HELP("of a claim code: when it ends, in milliseconds that the machine was on")},
    {.number = 24,
     .name = "hash_key",
     .type = LK_BYTES,
     .offset = AT(hash_key),
     .min = LK_HASH_SIZE + LK_SEAL_EXTRA,
     .max = LK_HASH_SIZE + LK_SEAL_EXTRA,
     .flags = LK_F_SYSTEM | LK_F_SECRET | LK_F_LOCAL | LK_F_HIDDEN,
     LK_FIELD_HELP("of an API key or recovery codes of another store: sealed key of their hashes")},
    {.number = 40,
     .name = "codes_left",
     .type = LK_UINT,
     .offset = AT(codes_left),
     .flags = LK_F_COMPUTED,
     LK_FIELD_HELP("of recovery: codes that were not used")},
    {.number = 41,
     .name = "state",
     .type = LK_ENUM,
     .offset = AT(state),
     .choices = states,
     .flags = LK_F_COMPUTED,
     LK_FIELD_HELP("of totp: it counts for nothing until it is confirmed")},
};

static int credential_check(struct lk_txn *txn, struct lk_change *change)
{
    const struct lk_credential *credential = (const struct lk_credential *)change->after;

    return credential->digits == 7 ? lk_refuse(txn, LK_E_CHECK, change->kind, "digits",
                                               LK_TEXT("7"), "is neither 6 nor 8")
                                   : 0;
}

static int credential_compute(struct lk_txn *txn, struct lk_record *record)
{
    const struct lk_credential *credential = (const struct lk_credential *)record;

    (void)txn;
    if (credential->type == LK_CREDENTIAL_TOTP) {
        lk_set_number(&lk_kind_credential, record, "state", credential->confirmed);
    }
    if (credential->type == LK_CREDENTIAL_RECOVERY) {
        lk_set_number(&lk_kind_credential, record, "codes_left", lk_recovery_left(credential));
    }
    return 0;
}

const struct lk_kind lk_kind_credential = {
    .number = LK_KIND_CREDENTIAL,
    .name = "credential",
    .help = LK_HELP("what a user proves to be the user by"),
    .class_ = 3,
    .shape = LK_SHAPE_OF_USER,
    .flags = LK_K_AUDIT_FIELDS | LK_K_EXPORTED,
    .resource = "credential",
    .size = sizeof(struct lk_credential),
    .fields = fields,
    .field_count = LK_COUNT(fields),
    .check = credential_check,
    .compute = credential_compute,
};
