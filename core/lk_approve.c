// SPDX-License-Identifier: MIT
/*
 * lk_approve.c: a second person's word.
 *
 * The approver logs in without a session. Nobody approves for themselves, nor does somebody whom
 * the requester made able to within a day: by a credential, a grant, the user record, or any role
 * or permission that the approver has, whether it gives or denies. Records tell of the last change;
 * the audit tells of those that left no trace in a record.
 *
 * What cannot be told counts against the approver: a clock that the requester set within a day, a
 * role that is gone, an audit that no longer reaches back a day.
 */
#include "lk_audit.h"
#include "lk_login.h"

#define APPROVE_DAMAGED_MAX 64 /* entries of the audit that nothing can be said of */

struct approve_job {
    struct lk_txn *txn;
    struct lk_id user; /* who is to approve */
    uint32_t requester;
    bool tainted;
    uint8_t permissions[LK_PERMISSION_BYTES]; /* of all roles, also of those that are off */
};

static bool approve_recent(const struct lk_txn *txn, uint64_t at)
{
    return at && lk_elapsed(txn->now_ms, at) < LK_MS_PER_DAY;
}

/* Made or changed by the requester within a day. */
static void approve_touch(struct approve_job *job, const struct lk_record *record)
{
    job->tainted =
        job->tainted ||
        (record->created_by == job->requester && approve_recent(job->txn, record->created_at)) ||
        (record->updated_by == job->requester && approve_recent(job->txn, record->updated_at));
}

static int approve_credentials(struct approve_job *job)
{
    struct lk_list list = {.kind = &lk_kind_credential, .scope = job->user};
    struct lk_credential credential;
    int error = lk_list_begin(job->txn, &list);

    while (!error && !job->tainted) {
        error = lk_list_next(&list, &credential.record);
        if (!error) {
            approve_touch(job, &credential.record);
        }
    }
    lk_list_end(&list);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

/* A role and all above it, removed ones too; `found` when `wanted` is among them. */
static int approve_chain(struct approve_job *job, struct lk_id id, uint32_t wanted, bool *found)
{
    struct lk_role role;
    struct lk_refs refs;
    uint32_t number;
    unsigned depth;

    for (depth = 0; id.sub && depth <= LK_ROLE_DEPTH; depth++) {
        int error;

        *found = *found || id.sub == wanted;
        error = lk_record_load(job->txn, &lk_kind_role, id, &role.record);
        if (error) {
            return error == LK_E_NOT_FOUND ? 0 : error;
        }
        approve_touch(job, &role.record);
        lk_refs_begin(&refs, role.permissions);
        while (lk_refs_next(&refs, &number)) {
            if (number / 8 < LK_PERMISSION_BYTES) {
                job->permissions[number / 8] |= (uint8_t)(1u << (number % 8));
            }
        }
        id.sub = (uint32_t)role.parent;
    }
    return 0;
}

static int approve_roles(struct approve_job *job, uint32_t wanted, bool *found)
{
    struct lk_list list = {.kind = &lk_kind_grant, .scope = job->user};
    struct lk_grant grant;
    int error = lk_list_begin(job->txn, &list);

    *found = false;
    while (!error) {
        error = lk_list_next(&list, &grant.record);
        if (error) {
            break;
        }
        job->tainted = job->tainted || (grant.assigned_by == job->requester &&
                                        approve_recent(job->txn, grant.assigned_at));
        error = approve_chain(job, (struct lk_id){job->user.tenant, 0, grant.record.id.sub}, wanted,
                              found);
    }
    lk_list_end(&list);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

static int approve_permissions(struct approve_job *job)
{
    struct lk_permission permission;
    uint32_t number;
    int error = 0;

    for (number = 1; !error && !job->tainted && number < 8 * LK_PERMISSION_BYTES; number++) {
        if (lk_bit(job->permissions, number)) {
            error = lk_record_load(job->txn, &lk_kind_permission,
                                   (struct lk_id){job->user.tenant, 0, number}, &permission.record);
            if (!error) {
                approve_touch(job, &permission.record);
            }
            error = error == LK_E_NOT_FOUND ? 0 : error;
        }
    }
    return error;
}

/* ---- As the audit has it ---- */

/* "7" or "7.…": what is the user's own. */
static bool approve_is_of(struct lk_span resource_id, uint32_t user)
{
    char text[16];
    int size = lk_uint_format(user, text, sizeof(text));

    return size > 0 && resource_id.size >= (size_t)size &&
           memcmp(resource_id.data, text, (size_t)size) == 0 &&
           (resource_id.size == (size_t)size || resource_id.data[size] == '.');
}

/* Something of the approver's own? */
static bool approve_is_own(const struct approve_job *job, const struct lk_audit_entry *entry)
{
    return approve_is_of(entry->resource_id, job->user.user) &&
           (lk_span_equal(entry->resource_type, LK_TEXT("credential")) ||
            lk_span_equal(entry->resource_type, LK_TEXT("grant")) ||
            (lk_span_equal(entry->resource_type, LK_TEXT("user")) &&
             !lk_span_equal(entry->action, LK_TEXT("approve"))));
}

/* A role or permission that the approver has, or may have had: it is gone. */
static int approve_right(struct approve_job *job, const struct lk_kind *kind,
                         struct lk_span resource_id)
{
    union lk_any_record record;
    struct lk_id id = {job->user.tenant, 0, 0};
    uint64_t number;
    bool found;
    int error;

    if (lk_uint_parse(resource_id, &number) || number > UINT32_MAX) {
        job->tainted = true;
        return 0;
    }
    id.sub = (uint32_t)number;
    error = lk_record_load(job->txn, kind, id, &record.record);
    if (error == LK_E_NOT_FOUND) {
        job->tainted = true;
        return 0;
    }
    if (!error && kind == &lk_kind_permission) {
        found = number / 8 >= LK_PERMISSION_BYTES || lk_bit(job->permissions, id.sub);
        job->tainted = job->tainted || found;
    } else if (!error) {
        error = approve_roles(job, id.sub, &found);
        job->tainted = job->tainted || (!error && found);
    }
    return error;
}

static int approve_entry(struct approve_job *job, const struct lk_audit_entry *entry)
{
    if (entry->actor != job->requester || entry->outcome != LK_SUCCESS) {
        return 0;
    }
    if (lk_span_equal(entry->resource_type, LK_TEXT("role"))) {
        return approve_right(job, &lk_kind_role, entry->resource_id);
    }
    if (lk_span_equal(entry->resource_type, LK_TEXT("permission"))) {
        return approve_right(job, &lk_kind_permission, entry->resource_id);
    }
    job->tainted = job->tainted || approve_is_own(job, entry) ||
                   lk_span_equal(entry->resource_type, LK_TEXT("clock"));
    return 0;
}

/* By how much a clock that was set went ahead: {"to": …, "from": …}. */
static bool approve_leap(struct lk_span details, uint64_t *leap)
{
    struct lk_cbor_item to, from, item;
    struct lk_cbor_reader reader;

    lk_cbor_reader_init(&reader, details);
    if (lk_cbor_read(&reader, &item) || item.type != LK_CBOR_MAP || lk_cbor_read(&reader, &item) ||
        !lk_span_equal(item.span, LK_TEXT("to")) || lk_cbor_read(&reader, &to) ||
        to.type != LK_CBOR_UINT || lk_cbor_read(&reader, &item) ||
        !lk_span_equal(item.span, LK_TEXT("from")) || lk_cbor_read(&reader, &from) ||
        from.type != LK_CBOR_UINT) {
        return false;
    }
    *leap = lk_elapsed(to.number, from.number);
    return true;
}

/*
 * What the requester did within a day, newest first. Where somebody set the clock ahead, what was
 * before is dated by the clock of then: the day reaches back by as much more.
 */
static int approve_history(struct approve_job *job)
{
    static const uint8_t none[LK_LINK_SIZE];
    struct lk_audit_query query = {.tenant = job->user.tenant, .closed = true};
    uint64_t since = lk_elapsed(job->txn->now_ms, LK_MS_PER_DAY) + 1, leap;
    struct lk_audit_entry entry;
    unsigned damaged = 0;
    bool cut = false; /* something was before the oldest */
    int error = lk_audit_begin(job->txn, &query);

    query.rings[LK_RING_ACTIVITY].count = 0;
    while (!error && !job->tainted) {
        error = lk_audit_next(&query, &entry);
        if (error == LK_E_CORRUPT && damaged++ < APPROVE_DAMAGED_MAX) {
            error = 0; /* told once, and gone on from */
            continue;
        }
        if (error) {
            break;
        }
        if (entry.at < since) {
            return 0;
        }
        cut = entry.links.size < LK_LINK_SIZE || memcmp(entry.links.data, none, sizeof(none)) != 0;
        if (lk_span_equal(entry.action, LK_TEXT("clock.set"))) {
            job->tainted = !approve_leap(entry.details, &leap);
            since = job->tainted ? since : lk_elapsed(since, leap);
        }
        error = approve_entry(job, &entry);
    }
    job->tainted = job->tainted || (error == LK_E_NOT_FOUND && cut);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

static int approve_tainted(struct approve_job *job)
{
    struct lk_user user;
    bool found;
    int error = lk_get(job->txn, &lk_kind_user, job->user, &user.record);

    if (!error) {
        approve_touch(job, &user.record);
        error = approve_credentials(job);
    }
    if (!error && !job->tainted) {
        error = approve_roles(job, 0, &found);
    }
    if (!error && !job->tainted) {
        error = approve_permissions(job);
    }
    return error || job->tainted ? error : approve_history(job);
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
    struct approve_job job = {.txn = txn, .user = login->user, .requester = approve->requester};
    struct lk_reason reason;
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
    error = approve_tainted(&job);
    if (!error && job.tainted) {
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
