// SPDX-License-Identifier: MIT
/*
 * lk_session_life.c: how long a session lasts.
 *
 * In the boot that a session was last used in, the monotonic clock alone counts: the wall clock may
 * jump either way. After another boot it stands only where the wall clock was and is synchronised,
 * and the tenant does not have sessions end with the power: else a stolen token would live on by
 * switching the device off.
 */
#include "lk_engine.h"

static uint64_t life_left(uint64_t end, uint64_t now)
{
    return end > now ? end - now : 0;
}

bool lk_session_same_boot(const struct lk_txn *txn, const struct lk_session *session)
{
    return session->boot == txn->store->boot;
}

uint64_t lk_session_left(const struct lk_txn *txn, const struct lk_session *session)
{
    return lk_session_same_boot(txn, session) ? life_left(session->ends_mono, txn->monotonic_ms)
                                              : life_left(session->expires_at, txn->now_ms);
}

uint64_t lk_session_unused(const struct lk_txn *txn, const struct lk_session *session)
{
    return lk_session_same_boot(txn, session) ? lk_elapsed(txn->monotonic_ms, session->last_mono)
                                              : lk_elapsed(txn->now_ms, session->last_activity);
}

enum lk_session_state lk_session_state(const struct lk_txn *txn, const struct lk_session *session,
                                       const struct lk_cache_tenant *tenant)
{
    if (session->auth_epoch != tenant->auth_epoch || !lk_session_left(txn, session) ||
        (session->idle_limit && lk_session_unused(txn, session) >= session->idle_limit * 1000)) {
        return LK_SESSION_OVER;
    }
    if (lk_session_same_boot(txn, session)) {
        return LK_SESSION_ALIVE;
    }
    if (tenant->end_at_reboot || session->clock != LK_CLOCK_SYNCED) {
        return LK_SESSION_OVER;
    }
    return txn->clock == LK_CLOCK_SYNCED ? LK_SESSION_ALIVE : LK_SESSION_WAITING;
}

static void life_set(struct lk_session *session, unsigned number, uint64_t value)
{
    lk_field_set_number(&session->record, lk_field_numbered(&lk_kind_session, number), value);
}

void lk_session_stamp(const struct lk_txn *txn, struct lk_session *session)
{
    uint64_t left = lk_session_left(txn, session);

    /* No better than the worst clock that it was used under. */
    if (!session->boot || txn->clock < session->clock) {
        life_set(session, 20, txn->clock);
    }
    life_set(session, 22, txn->monotonic_ms);
    life_set(session, 23, txn->monotonic_ms + left);
    life_set(session, 19, txn->store->boot);
    life_set(session, 10, txn->now_ms);
}

/* ---- Channels: "console:900 http:86400" ---- */

/* Takes a word off the front: a channel and its seconds. NULL, or the rule that it breaks. */
static const char *life_channel(struct lk_span *text, uint64_t *channel, uint64_t *seconds)
{
    const struct lk_field *field = lk_field_numbered(&lk_kind_session, 14);
    size_t colon = 0, end;
    struct lk_span name;

    for (end = 0; end < text->size && text->data[end] != ' '; end++) {
        colon = text->data[end] == ':' ? end : colon;
    }
    name = (struct lk_span){text->data, colon};
    for (*channel = 0; field->choices[*channel]; (*channel)++) {
        const char *choice = field->choices[*channel];

        if (name.size == strlen(choice) && memcmp(name.data, choice, name.size) == 0) {
            break;
        }
    }
    if (!colon || !field->choices[*channel]) {
        return "is not a list like \"console:900 http:86400\"";
    }
    if (lk_uint_parse((struct lk_span){text->data + colon + 1, end - colon - 1}, seconds) ||
        !*seconds || *seconds > LK_SESSION_LIFETIME_MAX) {
        return "has seconds that are not 1 to 31536000";
    }
    end += end + 1 < text->size ? 1 : 0; /* a space at the end is of no form */
    text->data += end;
    text->size -= end;
    return NULL;
}

const char *lk_session_channels_rule(struct lk_span text)
{
    uint64_t seen = 0, channel, seconds;
    const char *rule = NULL;

    while (!rule && text.size) {
        rule = life_channel(&text, &channel, &seconds);
        if (!rule && seen & LK_BIT(channel)) {
            rule = "names a channel twice";
        }
        seen |= rule ? 0 : LK_BIT(channel);
    }
    return rule;
}

uint64_t lk_session_lifetime(const struct lk_tenant *tenant, enum lk_channel wanted)
{
    struct lk_span text = tenant->session_channels;
    uint64_t channel, seconds;

    while (text.size && !life_channel(&text, &channel, &seconds)) {
        if (channel == (uint64_t)wanted) {
            return seconds;
        }
    }
    return tenant->session_lifetime;
}
