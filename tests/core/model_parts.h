// SPDX-License-Identifier: MIT
/* model_parts.h: what the files of the model share. */
#ifndef LK_TEST_MODEL_PARTS_H
#define LK_TEST_MODEL_PARTS_H

#include <limits.h>

#include "model.h"

#define MODEL_NONE UINT_MAX

uint32_t model_random(struct model *model, uint32_t below);
void model_want(struct model *model, int got, int want);
void model_begin(struct model *model, const char *doing);
/* Commits after a refusal too: it changed nothing. */
void model_end(struct model *model, int got, int want);
struct lk_id model_id_of(const struct model *model, unsigned tenant, unsigned user);
struct lk_id model_role_of(const struct model *model, unsigned tenant, unsigned role);
/* The live user of a name, or of an address; 0: none. */
unsigned model_user_named(const struct model *model, unsigned tenant, unsigned name, bool email);
void model_end_sessions(struct model *model, unsigned tenant, unsigned user);
bool model_session_lives(const struct model *model, const struct model_session *session);
unsigned model_any_user(struct model *model, unsigned tenant);

void model_do_add_role(struct model *model, unsigned tenant);
void model_do_change_role(struct model *model, unsigned tenant);
void model_do_grant(struct model *model, unsigned tenant);
void model_do_revoke(struct model *model, unsigned tenant);
void model_do_login(struct model *model, unsigned tenant);
void model_do_check(struct model *model);
void model_do_logout(struct model *model);
void model_do_tenant_status(struct model *model, unsigned tenant);
void model_do_maintain(struct model *model);

#endif
