// SPDX-License-Identifier: MIT
/*
 * lk_approve.c: a second person's word.
 *
 * The approver logs in without a session. Nobody approves for themselves, nor does somebody whom
 * the requester made able to within a day: by a credential, a grant, the user record, or what the
 * approver's right comes through. Records tell of the last change; the audit tells of those that
 * left no trace in a record.
 */
#include "lk_login.h"

#define APPROVE_DAMAGED_MAX 64 /* entries of the audit that nothing can be said of */

static bool approve_recent(const struct lk_txn *txn, uint64_t at)
{
    return at && lk_elapsed(txn->now_ms, at) < LK_MS_PER_DAY;
}

/* Made or changed by the requester within a day. */
static bool approve_touched(const struct lk_txn *txn, const struct lk_record *record,
                            uint32_t requester)
{
    return (record->created_by == requester && approve_recent(txn, record->created_at)) ||
           (record->updated_by == requester && approve_recent(txn, record->updated_at));
}

static int approve_record(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id,
                          uint32_t requester, bool *tainted)
{
    union lk_any_record record;
    int error = lk_get(txn, kind, id, &record.record);

    *tainted = !error && approve_touched(txn, &record.record, requester);
    return error;
}

static int approve_credentials(struct lk_txn *txn, struct lk_id user, uint32_t requester,
                               bool *tainted)
{
    struct lk_list list = {.kind = &lk_kind_credential, .scope = user};
    struct lk_credential credential;
    int error = lk_list_begin(txn, &list);

    while (!error && !*tainted) {
        error = lk_list_next(&list, &credential.record);
        *tainted = !error && approve_touched(txn, &credential.record, requester);
    }
    lk_list_end(&list);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

static int approve_grants(struct lk_txn *txn, struct lk_id user, uint32_t requester, bool *tainted)
{
    struct lk_list list = {.kind = &lk_kind_grant, .scope = user};
    struct lk_grant grant;
    int error = lk_list_begin(txn, &list);

    while (!error && !*tainted) {
        error = lk_list_next(&list, &grant.record);
        *tainted =
            !error && grant.assigned_by == requester && approve_recent(txn, grant.assigned_at);
    }
    lk_list_end(&list);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

/* "7" or "7.…": what is the user's own. */
static bool approve_is_of(struct lk_span resource_id, uint32_t user)
{
    char text[16];
    int size = lk_uint_format(user, text, sizeof(text));

    return size > 0 && resource_id.size >= (size_t)size &&
           memcmp(resource_id.data, text, (size_t)size) == 0 &&
           (resource_id.size == (size_t)size || resource_id.data[size] == '.');
}

/* What the requester did to the user within a day, as the audit has it. */
static int approve_history(struct lk_txn *txn, uint32_t user, uint32_t requester, bool *tainted)
{
    struct lk_audit_query query = {.tenant = txn->actor.tenant, .actor = requester};
    struct lk_audit_entry entry;
    unsigned damaged = 0;
    int error;

    query.since = txn->now_ms > LK_MS_PER_DAY ? txn->now_ms - LK_MS_PER_DAY + 1 : 0;
    error = lk_audit_begin(txn, &query);
    while (!error && !*tainted) {
        error = lk_audit_next(&query, &entry);
        if (error == LK_E_CORRUPT && damaged++ < APPROVE_DAMAGED_MAX) {
            error = 0; /* told once, and gone on from */
            continue;
        }
        *tainted = !error && entry.outcome == LK_SUCCESS &&
                   approve_is_of(entry.resource_id, user) &&
                   (lk_span_equal(entry.resource_type, LK_TEXT("credential")) ||
                    lk_span_equal(entry.resource_type, LK_TEXT("grant")) ||
                    (lk_span_equal(entry.resource_type, LK_TEXT("user")) &&
                     !lk_span_equal(entry.action, LK_TEXT("approve"))));
    }
    return error == LK_E_NOT_FOUND ? 0 : error;
}

static int approve_tainted(struct lk_txn *txn, struct lk_id user, uint32_t requester,
                           const struct lk_reason *reason, bool *tainted)
{
    int error = approve_record(txn, &lk_kind_user, user, requester, tainted);

    if (!error && !*tainted) {
        error = approve_credentials(txn, user, requester, tainted);
    }
    if (!error && !*tainted) {
        error = approve_grants(txn, user, requester, tainted);
    }
    if (!error && !*tainted) {
        error = approve_record(txn, &lk_kind_role, reason->role, requester, tainted);
    }
    if (!error && !*tainted) {
        error = approve_record(txn, &lk_kind_role, reason->holder, requester, tainted);
    }
    if (!error && !*tainted) {
        error = approve_record(txn, &lk_kind_permission, reason->permission, requester, tainted);
    }
    return error || *tainted ? error : approve_history(txn, user.user, requester, tainted);
}

static int approve_refuse(struct lk_login *login, const char *rule)
{
    lk_problem_set(&login->problem, LK_E_REFUSED, "user", "approver", LK_TEXT(""), rule);
    return LK_E_REFUSED;
}

int lk_approve_judge(struct lk_login *login, struct lk_txn *txn)
{
    const struct lk_login_approve *approve = login->approve;
    struct lk_question question = *approve->question;
    struct lk_reason reason;
    bool tainted = false;
    int error;

    if (login->user.user == approve->requester) {
        return approve_refuse(login, "is the one who asks");
    }
    question.channel = 1 + (int)login->request->channel;
    question.ip = login->request->ip;
    question.login_at = txn->now_ms;
    question.approval = NULL;
    question.at = 0;
    memset(&reason, 0, sizeof(reason));
    error = lk_rights_check(txn, login->user, LK_TEXT(""), &question, &reason);
    if (error == LK_E_REFUSED) {
        return approve_refuse(login, "does not hold the permission");
    }
    if (error && error != LK_E_APPROVAL) {
        return error;
    }
    error = approve_tainted(txn, login->user, approve->requester, &reason, &tainted);
    if (!error && tainted) {
        return approve_refuse(login, "was changed by the one who asks within the last day");
    }
    if (!error) {
        *approve->approval = (struct lk_approval){.tenant = login->user.tenant,
                                                  .requester = approve->requester,
                                                  .approver = login->user.user,
                                                  .until = txn->now_ms + LK_APPROVAL_MS};
        lk_question_hash(login->store, question.resource, question.action, approve->approval->hash);
    }
    return error;
}

int lk_approve_audit(struct lk_login *login, struct lk_txn *txn, bool approved)
{
    const struct lk_login_approve *approve = login->approve;
    const struct lk_kind *kind = &lk_kind_audit;
    struct lk_audit_entry entry;
    char resource[16], description[255];
    struct lk_words id = {resource, 0, sizeof(resource)};
    struct lk_words words = {description, 0, sizeof(description)};

    lk_words_add_number(&id, approve->requester);
    lk_words_add(&words, approved ? "approved " : "may not approve ");
    lk_words_add_span(&words, approve->question->resource);
    lk_words_add(&words, ":");
    lk_words_add_span(&words, approve->question->action);
    lk_words_add(&words, " of user ");
    lk_words_add_number(&words, approve->requester);
    memset(&entry, 0, sizeof(entry));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 12), LK_TEXT("approve"));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 13), LK_TEXT("user"));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 14), lk_words_span(&id));
    if (!approved) {
        lk_field_set_number(&entry.record, lk_field_numbered(kind, 15), LK_FAILURE);
    }
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 16), lk_words_span(&words));
    lk_field_set_number(&entry.record, lk_field_numbered(kind, 17), LK_CATEGORY_ROLE);
    return lk_audit_append(txn, login->user.tenant, LK_RING_ADMIN, &entry);
}

int lk_approve(struct lk_store *store, const struct lk_login_request *request, uint32_t requester,
               const struct lk_question *question, struct lk_approval *approval,
               struct lk_problem *problem)
{
    struct lk_login_approve approve = {requester, question, approval};
    struct lk_login_result none;
    int error;

    memset(approval, 0, sizeof(*approval));
    if (!requester || !question->resource.size || question->resource.size > 100 ||
        !question->action.size || question->action.size > 50) {
        return LK_E_ARGUMENT;
    }
    error = lk_login_run(store, request, &approve, &none, problem);
    if (error) {
        memset(approval, 0, sizeof(*approval));
    }
    return error;
}
