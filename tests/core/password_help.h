// SPDX-License-Identifier: MIT
/* password_help.h: new passwords that are taken or refused. */
#ifndef LK_TEST_PASSWORD_HELP_H
#define LK_TEST_PASSWORD_HELP_H

#include "bench.h"

/* A "field=value" of the tenant. */
void password_policy(struct bench *bench, const char *word);
/* Prepares for the user and sets; commits only what is taken. `problem` gets the refusal. */
int password_change(struct bench *bench, struct lk_id user, struct lk_span text,
                    struct lk_problem *problem);
/* Fail the test unless it is refused by this rule, with nothing changed; or taken. */
void password_refused(struct bench *bench, struct lk_id user, const char *text, const char *rule);
void password_taken(struct bench *bench, struct lk_id user, const char *text);

#endif
