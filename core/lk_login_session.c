// SPDX-License-Identifier: MIT
/* lk_login_session.c: the session that a good login makes, and what makes room for it. */
#include "lk_login.h"

/* The part of an address that tells places apart: a /24, a /48. */
static struct lk_span login_range(struct lk_span ip)
{
    ip = lk_login_address(ip);
    ip.size = ip.size == 4 ? 3 : ip.size == 16 ? 6 : 0;
    return ip;
}

/* Is this session in use, and from elsewhere? Where an address is missing nobody can tell. */
static bool login_elsewhere(const struct lk_login *login, const struct lk_txn *txn,
                            const struct lk_session *session)
{
    struct lk_span here = login_range(login->request->ip), there = login_range(session->ip);

    return here.size && there.size && !lk_span_equal(here, there) &&
           lk_session_unused(txn, session) < LK_TWO_PLACES_MS;
}

int lk_login_make_room(struct lk_login *login, struct lk_txn *txn, const struct lk_tenant *tenant,
                       bool *full, struct lk_login_unusual *unusual)
{
    const struct lk_cache_tenant *policy;
    struct lk_id user = login->user;
    uint32_t count, oldest;
    bool over;
    int error;

    *full = false;
    do {
        struct lk_list list = {.kind = &lk_kind_session, .scope = user};
        struct lk_session session;

        count = 0;
        oldest = 0;
        over = false;
        error = lk_cache_tenant(txn, user.tenant, &policy);
        if (!error) {
            error = lk_list_begin(txn, &list);
        }
        while (!error && !over) {
            error = lk_list_next(&list, &session.record);
            if (error && (error != LK_E_CORRUPT || !session.record.id.sub)) {
                break;
            }
            over = error || lk_session_state(txn, &session, policy) == LK_SESSION_OVER;
            oldest = over || !oldest ? session.record.id.sub : oldest;
            unusual->places = unusual->places || (!over && login_elsewhere(login, txn, &session));
            count++;
        }
        lk_list_end(&list);
        if (error && error != LK_E_NOT_FOUND && !over) {
            return error;
        }
        error = 0;
        if (!over && (!tenant->session_max || count < tenant->session_max)) {
            oldest = 0;
        } else if (!over && tenant->session_limit == LK_LIMIT_REFUSE) {
            *full = true;
            oldest = 0;
        }
        if (oldest) {
            error = lk_session_drop(txn, (struct lk_id){user.tenant, user.user, oldest});
        }
    } while (!error && oldest);
    return error;
}

/* The device that a login comes from: known by its cookie, else by what the application tells. */
static int login_find_device(struct lk_txn *txn, struct lk_id user,
                             const struct lk_login_request *request, struct lk_id *device)
{
    int error = lk_device_of_cookie(txn, user, request->device_cookie, device);

    return error == LK_E_NOT_FOUND
               ? lk_device_of_fingerprint(txn, user, request->device_fingerprint, device)
               : error;
}

int lk_login_device(struct lk_login *login, struct lk_txn *txn, struct lk_login_result *result,
                    uint32_t *device, bool *fresh)
{
    const struct lk_login_request *request = login->request;
    struct lk_device_facts facts = {request->device_name, request->device_type,
                                    request->device_fingerprint};
    struct lk_id id = {login->user.tenant, login->user.user, 0};
    int error = login_find_device(txn, login->user, request, &id);

    if (error == LK_E_CORRUPT) {
        /* What is damaged keeps nobody out: the login goes on without it. */
        facts.fingerprint.size = 0;
        error = LK_E_NOT_FOUND;
    }
    *fresh = error == LK_E_NOT_FOUND;
    if (*fresh && !request->remember_device) {
        /* Unusual only for somebody whose devices are known. */
        error = lk_device_any(txn, login->user);
        *fresh = !error;
        return error == LK_E_NOT_FOUND ? 0 : error;
    }
    if (error && !*fresh) {
        return error;
    }
    error = request->remember_device ? lk_device_remember(txn, &facts, &id, result->device_cookie)
                                     : lk_device_seen(txn, id);
    *device = id.sub;
    return error;
}

/* The range that an address lies in, told apart by a hash of the user's own. */
static void login_address_tag(struct lk_login *login, struct lk_span ip,
                              uint8_t tag[LK_ADDRESS_TAG_SIZE])
{
    const struct lk_store *store = login->store;
    uint8_t text[7 + 8 + 6], hash[8];

    ip = login_range(ip);
    memcpy(text, "address", 7);
    lk_put_u32be(text + 7, login->user.tenant);
    lk_put_u32be(text + 11, login->user.user);
    memcpy(text + 15, ip.data, ip.size);
    store->port->crypto->mac64(store->port->self, store->bucket_key,
                               (struct lk_span){text, 15 + ip.size}, hash);
    memcpy(tag, hash, LK_ADDRESS_TAG_SIZE);
}

/* Puts the range of this login before those of earlier ones; `fresh` where it is none of them. */
static size_t login_address(struct lk_login *login, struct lk_span known,
                            uint8_t tags[LK_ADDRESS_TAGS * LK_ADDRESS_TAG_SIZE], bool *fresh)
{
    const size_t one = LK_ADDRESS_TAG_SIZE, most = LK_ADDRESS_TAGS * one;
    size_t at, size = one;

    login_address_tag(login, login->request->ip, tags);
    *fresh = known.size != 0;
    for (at = 0; at + one <= known.size && at < most; at += one) {
        if (memcmp(known.data + at, tags, one) == 0) {
            *fresh = false;
        } else if (size < most) {
            memcpy(tags + size, known.data + at, one);
            size += one;
        }
    }
    return size;
}

int lk_login_put_session(struct lk_login *login, struct lk_txn *txn, const struct lk_tenant *tenant,
                         uint32_t number, uint32_t device, struct lk_login_result *result)
{
    const struct lk_login_request *request = login->request;
    const struct lk_kind *kind = &lk_kind_session;
    struct lk_session session;
    struct lk_span kept;
    uint8_t hash[LK_TOKEN_HASH_SIZE];
    int error;

    memset(&session, 0, sizeof(session));
    session.record.id = (struct lk_id){login->user.tenant, login->user.user, number};
    error = lk_token_make(login->store, login->store->token_key, LK_TOKEN_SESSION,
                          session.record.id, result->token, hash);
    if (error) {
        return error;
    }
    result->session = session.record.id;
    result->expires_at = txn->now_ms + lk_session_lifetime(tenant, request->channel) * 1000;
    lk_field_set_span(&session.record, lk_field_numbered(kind, 8),
                      (struct lk_span){hash, sizeof(hash)});
    lk_field_set_number(&session.record, lk_field_numbered(kind, 9), txn->now_ms);
    lk_field_set_number(&session.record, lk_field_numbered(kind, 11), result->expires_at);
    lk_session_stamp(txn, &session);
    if (device) {
        lk_field_set_number(&session.record, lk_field_numbered(kind, 18), device);
    }
    if (tenant->session_idle) {
        lk_field_set_number(&session.record, lk_field_numbered(kind, 12), tenant->session_idle);
    }
    lk_field_set_number(&session.record, lk_field_numbered(kind, 13), tenant->auth_epoch);
    lk_field_set_number(&session.record, lk_field_numbered(kind, 14), request->channel);
    lk_field_set_number(&session.record, lk_field_numbered(kind, 21),
                        login->factor == LK_FACTOR_NONE ? 1 : 2);
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

int lk_login_put_activity(struct lk_login *login, struct lk_txn *txn,
                          const struct lk_tenant *tenant, struct lk_activity *activity,
                          struct lk_login_unusual *unusual)
{
    static const uint8_t kept[] = {13, 14, 15, 17, 18, 19, 20, 21, 22, 23, 26, 27, 28};
    uint8_t tags[LK_ADDRESS_TAGS * LK_ADDRESS_TAG_SIZE];
    struct lk_span ip = login->request->ip;
    bool fresh = !activity->record.raw.size;
    struct lk_activity patch;
    uint64_t clear = 0;
    size_t i;
    int error;

    memset(&patch, 0, sizeof(patch));
    patch.record.id = activity->record.id;
    unusual->refusals = lk_login_refused_often(login, txn, tenant, activity);
    lk_login_uncharge(login, txn, tenant, activity);
    for (i = 0; i < LK_COUNT(kept); i++) {
        const struct lk_field *field = lk_login_field(kept[i]);

        if (LK_HAS(&activity->record, kept[i])) {
            lk_field_set_number(&patch.record, field, lk_field_number(&activity->record, field));
        } else {
            clear |= LK_BIT(kept[i]);
        }
    }
    lk_field_set_number(&patch.record, lk_login_field(8), txn->now_ms);
    lk_field_set_number(&patch.record, lk_login_field(9), activity->login_count + 1);
    lk_field_set_number(&patch.record, lk_login_field(10), txn->now_ms);
    lk_field_set_number(&patch.record, lk_login_field(11), txn->now_ms);
    lk_field_set_number(&patch.record, lk_login_field(16), activity->session_number);
    if (ip.size == 4 || ip.size == 16) {
        size_t size = login_address(login, activity->address_tags, tags, &unusual->address);

        lk_field_set_span(&patch.record, lk_login_field(25), (struct lk_span){tags, size});
    }
    error = lk_trace_give(txn, &patch);
    if (error) {
        return error;
    }
    return lk_write(txn, &lk_kind_activity, fresh ? LK_ADD : LK_UPDATE, patch.record.id,
                    &patch.record, fresh ? 0 : clear, NULL,
                    LK_W_QUIET | LK_W_SYSTEM | LK_W_GIVEN_ID);
}
