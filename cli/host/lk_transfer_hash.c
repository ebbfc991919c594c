// SPDX-License-Identifier: MIT
/*
 * lk_transfer_hash.c: lines of password files.
 *
 * Whether a hash can be taken is the platform's to say, which knows the forms and their costs; here
 * is only what the file's own rules say of a line.
 */
#include "lk_transfer_internal.h"

#include <string.h>

#define HASH_MS_PER_DAY 86400000u

/* Cuts `text` at the first `mark`; false when there is none. */
static bool hash_cut(struct lk_span *text, uint8_t mark, struct lk_span *head)
{
    const uint8_t *at = text->size == 0 ? NULL : memchr(text->data, mark, text->size);

    if (at == NULL) {
        return false;
    }
    *head = (struct lk_span){text->data, (size_t)(at - text->data)};
    text->size -= head->size + 1;
    text->data = at + 1;
    return true;
}

static bool hash_begins(struct lk_span text, const char *prefix)
{
    size_t size = strlen(prefix);

    return text.size >= size && memcmp(text.data, prefix, size) == 0;
}

static struct lk_span hash_trim(struct lk_span text)
{
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t')) {
        text.size--;
    }
    return text;
}

static int hash_refuse(const char **field, const char *name, const char **rule, const char *text)
{
    *field = name;
    *rule = text;
    return LK_E_USAGE;
}

/* user:hash, which the broker's and the web server's files have in common. */
static int hash_parse_pair(enum lk_import_format format, struct lk_span text,
                           struct lk_hash_line *line, const char **field, const char **rule)
{
    struct lk_span rest = text;

    if (!hash_cut(&rest, ':', &line->name)) {
        return hash_refuse(field, "line", rule, "has no ':' between name and hash");
    }
    line->hash = hash_trim(rest);
    if (line->hash.size == 0) {
        return hash_refuse(field, "password_hash", rule, "is empty");
    }
    if (format == LK_IMPORT_MOSQUITTO && !hash_begins(line->hash, "$7$")) {
        return hash_refuse(field, "password_hash", rule,
                           hash_begins(line->hash, "$6$")
                               ? "is mosquitto's old salted SHA-512, which a guesser breaks: set "
                                 "the password anew with mosquitto_passwd 2.0"
                               : "is not what mosquitto_passwd 2.0 writes ($7$); if it is a plain "
                                 "password, run mosquitto_passwd -U first");
    }
    if (format == LK_IMPORT_HTPASSWD && !hash_begins(line->hash, "$2") &&
        !hash_begins(line->hash, "$5$") && !hash_begins(line->hash, "$6$")) {
        return hash_refuse(field, "password_hash", rule,
                           hash_begins(line->hash, "$apr1$")
                               ? "is Apache's MD5, which a guesser breaks: set the password anew "
                                 "with htpasswd -B"
                               : "is not bcrypt: set the password anew with htpasswd -B");
    }
    return 0;
}

/* Days since 1970 as shadow(5) has them; false for an empty field. */
static bool hash_days(struct lk_span text, uint64_t *days)
{
    return text.size > 0 && lk_uint_parse(text, days) == 0;
}

/*
 * shadow(5). An account whose password was locked ('!' before the hash, as passwd -l does) comes as
 * suspended with its hash, so that activating it does what passwd -u would; so does one that has
 * expired. Where there is no hash ("*", "!", "!!", "!*": daemons, and accounts that never had a
 * password) there is nothing to take over, and the line is passed over. An empty field would let
 * anybody in, and is refused.
 */
static int hash_parse_shadow(struct lk_span text, uint64_t now_ms, struct lk_hash_line *line,
                             const char **field, const char **rule)
{
    struct lk_span parts[8];
    struct lk_span rest = text;
    uint64_t days;

    for (size_t i = 0; i < 8; i++) {
        if (!hash_cut(&rest, ':', &parts[i])) {
            return hash_refuse(field, "line", rule,
                               "is not a line of shadow(5): it has less than "
                               "nine fields");
        }
    }
    line->name = parts[0];
    line->hash = hash_trim(parts[1]);
    if (line->hash.size == 0) {
        return hash_refuse(field, "password_hash", rule,
                           "is empty, which would let anybody in without a password");
    }
    while (line->hash.size > 0 && line->hash.data[0] == '!') {
        line->suspended = true;
        line->hash.data++;
        line->hash.size--;
    }
    if (line->hash.size == 0 || line->hash.data[0] == '*') {
        line->pass = true;
        return 0;
    }
    /* An expiry of 0 days is said to be unclear by shadow(5), and is taken as none. */
    if (hash_days(parts[7], &days) && days > 0 && days <= now_ms / HASH_MS_PER_DAY) {
        line->suspended = true;
    }
    line->must_change = hash_days(parts[2], &days) && days == 0;
    return 0;
}

int lk_hash_line_parse(enum lk_import_format format, struct lk_span text, uint64_t now_ms,
                       struct lk_hash_line *line, const char **field, const char **rule)
{
    int error;

    memset(line, 0, sizeof(*line));
    if (text.size == 0 || text.data[0] == '#') {
        line->pass = true;
        return 0;
    }
    error = format == LK_IMPORT_SHADOW ? hash_parse_shadow(text, now_ms, line, field, rule)
                                       : hash_parse_pair(format, text, line, field, rule);
    if (!error && line->name.size == 0) {
        error = hash_refuse(field, "username", rule, "is empty");
    }
    return error;
}

/* ---- What a credential is proved by ----------------------------------------------------------
 */

const char *lk_transfer_type(uint64_t type)
{
    return lk_field_named(&lk_kind_credential, LK_TEXT("type"))->choices[type];
}

const char *lk_transfer_secret(uint64_t type)
{
    static const char *const members[] = {[LK_CREDENTIAL_PASSWORD] = "verifier",
                                          [LK_CREDENTIAL_TOTP] = "seed",
                                          [LK_CREDENTIAL_RECOVERY] = "keyed",
                                          [LK_CREDENTIAL_API_KEY] = "keyed",
                                          [LK_CREDENTIAL_CLAIM] = NULL};

    return type <= LK_CREDENTIAL_CLAIM ? members[type] : NULL;
}
