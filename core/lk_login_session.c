// SPDX-License-Identifier: MIT
/* lk_login_session.c: the session that a good login makes, and what makes room for it. */
#include "lk_login.h"

int lk_login_make_room(struct lk_txn *txn, struct lk_id user, const struct lk_tenant *tenant)
{
    uint32_t alive, oldest;
    int error;

    do {
        struct lk_list list = {.kind = &lk_kind_session, .scope = user};
        struct lk_session session;

        alive = 0;
        oldest = 0;
        error = lk_list_begin(txn, &list);
        while (!error) {
            error = lk_list_next(&list, &session.record);
            if (error && (error != LK_E_CORRUPT || !session.record.id.sub)) {
                break;
            }
            if (error || !lk_session_alive(&session, txn->now_ms, tenant->auth_epoch)) {
                oldest = session.record.id.sub;
                alive = UINT32_MAX;
                break;
            }
            oldest = oldest ? oldest : session.record.id.sub;
            alive++;
        }
        lk_list_end(&list);
        if (error && error != LK_E_NOT_FOUND && alive != UINT32_MAX) {
            return error;
        }
        error = 0;
        if (oldest &&
            (alive == UINT32_MAX || (tenant->session_max && alive >= tenant->session_max))) {
            error = lk_session_drop(txn, (struct lk_id){user.tenant, user.user, oldest});
        } else {
            oldest = 0;
        }
    } while (!error && oldest);
    return error;
}

int lk_login_put_session(struct lk_login *login, struct lk_txn *txn, const struct lk_tenant *tenant,
                         uint32_t number, struct lk_login_result *result)
{
    const struct lk_login_request *request = login->request;
    const struct lk_kind *kind = &lk_kind_session;
    struct lk_session session;
    struct lk_span kept;
    uint8_t hash[LK_TOKEN_HASH_SIZE];
    int error;

    memset(&session, 0, sizeof(session));
    session.record.id = (struct lk_id){login->user.tenant, login->user.user, number};
    error = lk_token_make(login->store, 's', session.record.id, result->token, hash);
    if (error) {
        return error;
    }
    result->session = session.record.id;
    result->expires_at = txn->now_ms + tenant->session_lifetime * 1000;
    lk_field_set_span(&session.record, lk_field_numbered(kind, 8),
                      (struct lk_span){hash, sizeof(hash)});
    lk_field_set_number(&session.record, lk_field_numbered(kind, 9), txn->now_ms);
    lk_field_set_number(&session.record, lk_field_numbered(kind, 10), txn->now_ms);
    lk_field_set_number(&session.record, lk_field_numbered(kind, 11), result->expires_at);
    if (tenant->session_idle) {
        lk_field_set_number(&session.record, lk_field_numbered(kind, 12), tenant->session_idle);
    }
    lk_field_set_number(&session.record, lk_field_numbered(kind, 13), tenant->auth_epoch);
    lk_field_set_number(&session.record, lk_field_numbered(kind, 14), request->channel);
    if (request->ip.size == 4 || request->ip.size == 16) {
        lk_field_set_span(&session.record, lk_field_numbered(kind, 15), request->ip);
    }
    kept = lk_text_kept(request->user_agent, 500);
    if (kept.size) {
        lk_field_set_span(&session.record, lk_field_numbered(kind, 16), kept);
    }
    if (request->device_info.size) {
        lk_field_set_span(&session.record, lk_field_numbered(kind, 17), request->device_info);
        error = lk_check_field(txn, kind, lk_field_numbered(kind, 17), &session.record);
        if (error) {
            return error;
        }
    }
    return lk_record_store(txn, kind, &session.record, lk_work(txn)->new_value);
}

int lk_login_put_activity(struct lk_txn *txn, struct lk_activity *activity)
{
    bool fresh = !activity->record.raw.size;
    struct lk_activity patch;
    uint64_t clear = LK_BIT(13) | LK_BIT(14) | LK_BIT(15);
    int error;

    memset(&patch, 0, sizeof(patch));
    patch.record.id = activity->record.id;
    lk_field_set_number(&patch.record, lk_login_field(8), txn->now_ms);
    lk_field_set_number(&patch.record, lk_login_field(9), activity->login_count + 1);
    lk_field_set_number(&patch.record, lk_login_field(10), txn->now_ms);
    lk_field_set_number(&patch.record, lk_login_field(11), txn->now_ms);
    lk_field_set_number(&patch.record, lk_login_field(16), activity->session_number);
    error = lk_trace_give(txn, &patch);
    if (error) {
        return error;
    }
    return lk_write(txn, &lk_kind_activity, fresh ? LK_ADD : LK_UPDATE, patch.record.id,
                    &patch.record, fresh ? 0 : clear, NULL,
                    LK_W_QUIET | LK_W_SYSTEM | LK_W_GIVEN_ID);
}
