// SPDX-License-Identifier: MIT
/* lk_session_end.c: sessions that end: one, a user's, a device's, a tenant's. */
#include "lk_engine.h"

/* Whole minutes between login and the last use seen. */
static uint64_t session_minutes(const struct lk_session *session)
{
    uint64_t whole = lk_elapsed(session->expires_at, session->record.created_at);

    /* By the clock that no one sets. */
    return lk_elapsed(whole, lk_elapsed(session->ends_mono, session->last_mono)) / 60000;
}

/* What is known of the use of sessions that end: their minutes, and the last of it. */
struct session_use {
    uint64_t minutes, last;
};

/* A use that makes no minute is the login, which was noted. */
static int session_add_use(struct lk_txn *txn, struct lk_id user, const struct session_use *use)
{
    struct lk_activity activity;
    int error = use->minutes ? lk_load_activity(txn, user, &activity) : 0;

    if (error || !use->minutes) {
        return error;
    }
    lk_set_number(&lk_kind_activity, &activity.record, "total_usage_minutes",
                  activity.total_usage_minutes + use->minutes);
    if (use->last > activity.last_active_at) {
        lk_set_number(&lk_kind_activity, &activity.record, "last_active_at", use->last);
    }
    return lk_record_store(txn, &lk_kind_activity, &activity.record, lk_work(txn)->new_value);
}

/* Removes one session and adds its use. A damaged one goes as well: it must not keep the others
 * standing. Asked twice, since a medium may fail once. */
static int session_take(struct lk_txn *txn, struct lk_id id, struct session_use *use)
{
    struct lk_session session;
    int error = lk_get(txn, &lk_kind_session, id, &session.record);

    if (error == LK_E_CORRUPT) {
        error = lk_get(txn, &lk_kind_session, id, &session.record);
    }
    if (error && error != LK_E_CORRUPT) {
        return error;
    }
    if (!error) {
        use->minutes += session_minutes(&session);
        use->last = session.last_activity > use->last ? session.last_activity : use->last;
    }
    return lk_drop(txn, &lk_kind_session, id);
}

/* `device` 0: from any. One that is damaged does not tell where it came from, and goes. */
static int session_drop_some(struct lk_txn *txn, struct lk_id user, uint32_t keep, uint32_t device,
                             uint32_t *count)
{
    struct lk_list list = {.kind = &lk_kind_session, .scope = {user.tenant, user.user, 0}};
    struct lk_session session;
    struct session_use use = {0, 0};
    uint32_t dropped = 0;
    int error = lk_list_begin(txn, &list);

    while (!error) {
        error = lk_list_next(&list, &session.record);
        if (error == LK_E_CORRUPT && session.record.id.sub) {
            session.device = device;
            error = 0;
        }
        if (error || session.record.id.sub == keep || (device && session.device != device)) {
            continue;
        }
        lk_list_end(&list);
        error = session_take(txn, session.record.id, &use);
        dropped++;
        if (!error) {
            error = lk_list_reopen(&list);
        }
    }
    lk_list_end(&list);
    if (error != LK_E_NOT_FOUND) {
        return error;
    }
    if (count) {
        *count = dropped;
    }
    return session_add_use(txn, user, &use);
}

int lk_sessions_drop(struct lk_txn *txn, struct lk_id user, uint32_t keep, uint32_t *count)
{
    return session_drop_some(txn, user, keep, 0, count);
}

int lk_sessions_drop_device(struct lk_txn *txn, struct lk_id user, uint32_t device)
{
    return session_drop_some(txn, user, 0, device, NULL);
}

/* About a session, those of a user, or (user 0) of a tenant. */
static int session_audit(struct lk_txn *txn, struct lk_id id, const char *action,
                         const char *description)
{
    struct lk_audit_entry entry;
    char resource[32];
    struct lk_words words = {resource, 0, sizeof(resource)};
    const struct lk_kind *kind = &lk_kind_audit;

    if (id.user) {
        lk_words_add_number(&words, id.user);
    } else {
        lk_words_add(&words, "all");
    }
    if (id.sub) {
        lk_words_add(&words, ".");
        lk_words_add_number(&words, id.sub);
    }
    memset(&entry, 0, sizeof(entry));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 12),
                      (struct lk_span){(const uint8_t *)action, strlen(action)});
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 13), LK_TEXT("session"));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 14), lk_words_span(&words));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 16),
                      (struct lk_span){(const uint8_t *)description, strlen(description)});
    lk_field_set_number(&entry.record, lk_field_numbered(kind, 17), LK_CATEGORY_SESSION);
    return lk_audit_append(txn, id.tenant, id.user ? LK_RING_ACTIVITY : LK_RING_ADMIN, &entry);
}

int lk_session_drop(struct lk_txn *txn, struct lk_id id)
{
    struct session_use use = {0, 0};
    int error = session_take(txn, id, &use);

    return error ? error : session_add_use(txn, id, &use);
}

static int session_end(struct lk_txn *txn, struct lk_id id, const char *action,
                       const char *description)
{
    int error = lk_session_drop(txn, id);

    return error ? error : session_audit(txn, id, action, description);
}

int lk_session_end(struct lk_txn *txn, struct lk_id id)
{
    return txn->open && txn->mode == LK_WRITE ? session_end(txn, id, "session.end", "session ended")
                                              : LK_E_STATE;
}

int lk_session_end_all(struct lk_txn *txn, struct lk_id user, uint32_t keep)
{
    struct lk_user record;
    uint32_t count = 0;
    int error = txn->open && txn->mode == LK_WRITE ? 0 : LK_E_STATE;

    user.sub = 0;
    if (!error) {
        error = lk_get(txn, &lk_kind_user, user, &record.record);
    }
    if (!error) {
        error = lk_sessions_drop(txn, user, keep, &count);
    }
    if (!error && count) {
        error = session_audit(txn, user, "session.end-all", "sessions of a user ended");
    }
    return error ? error : (int)count;
}

int lk_session_end_tenant(struct lk_txn *txn, uint32_t tenant, struct lk_id keep)
{
    struct lk_tenant record;
    struct lk_session kept;
    int error = txn->open && txn->mode == LK_WRITE ? 0 : LK_E_STATE;

    if (!error) {
        error = lk_get(txn, &lk_kind_tenant, (struct lk_id){tenant, 0, 0}, &record.record);
    }
    if (!error && keep.sub && keep.tenant == tenant) {
        error = lk_get(txn, &lk_kind_session, keep, &kept.record);
        /* Only one that stood may go on. */
        if (!error && kept.auth_epoch != record.auth_epoch) {
            error = LK_E_REFUSED;
        }
        if (!error) {
            lk_set_number(&lk_kind_session, &kept.record, "auth_epoch", record.auth_epoch + 1);
            error = lk_spoil(
                txn, lk_record_store(txn, &lk_kind_session, &kept.record, lk_work(txn)->new_value));
        }
    }
    if (!error) {
        error = lk_spoil(txn, lk_tenant_bump(txn, tenant));
    }
    return error ? error
                 : lk_spoil(txn, session_audit(txn, (struct lk_id){tenant, 0, 0}, "session.end-all",
                                               "sessions of a tenant ended"));
}

int lk_logout(struct lk_txn *txn, struct lk_span token)
{
    struct lk_verdict verdict;
    int error = txn->open && txn->mode == LK_WRITE ? 0 : LK_E_STATE;

    if (!error) {
        error = lk_session_check(txn, 0, token, NULL, &verdict);
    }
    if (!error && verdict.api_key) {
        error = LK_E_REFUSED;
    }
    if (error) {
        return error;
    }
    /* Whoever holds the token acts as its user. */
    txn->actor.tenant = verdict.id.tenant;
    txn->actor.user = verdict.id.user;
    txn->actor.session = verdict.id.sub;
    return session_end(txn, verdict.id, "logout", "logged out");
}
