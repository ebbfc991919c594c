// SPDX-License-Identifier: MIT
/* lk_condition.c, for boards that cannot tell whether a permission's conditions hold: none can be
 * set, and those of a store that was made elsewhere give nothing and deny always. */
#include "lk_engine.h"

static const char condition_rule[] = "is not to be had in this build";

const char *lk_channels_form(struct lk_span text)
{
    (void)text;
    return condition_rule;
}

const char *lk_sources_form(struct lk_span text)
{
    (void)text;
    return condition_rule;
}

const char *lk_window_form(struct lk_span text)
{
    (void)text;
    return condition_rule;
}

const char *lk_zone_form(struct lk_span text)
{
    (void)text;
    return condition_rule;
}

int lk_zone_minutes(struct lk_span text)
{
    (void)text;
    return 0;
}

static uint64_t condition_fields(const struct lk_permission *permission)
{
    return (permission->record.present & (LK_BIT(12) | LK_BIT(13) | LK_BIT(14))) |
           (permission->owner_only ? LK_BIT(15) : 0);
}

enum lk_holds lk_condition_holds(const struct lk_permission *permission,
                                 const struct lk_context *context, uint64_t *failed)
{
    (void)context;
    *failed = condition_fields(permission);
    return *failed ? LK_HOLDS_UNKNOWN : LK_HOLDS_YES;
}

unsigned lk_condition_flags(const struct lk_permission *permission)
{
    return (permission->deny ? LK_P_DENY : 0u) |
           (condition_fields(permission) ? LK_P_CONDITION : 0u) |
           (permission->approval ? LK_P_APPROVAL : 0u) |
           (permission->login_age ? LK_P_LOGIN_AGE : 0u);
}
