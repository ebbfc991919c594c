// SPDX-License-Identifier: MIT
/* commands.c: the commands of this board's console: of the common ones, those that its flash has
 * room for, told about in fewer words. */
#include "board.h"

#define END_OF_OPTIONS                                                                             \
    {                                                                                              \
        NULL, NULL, NULL                                                                           \
    }

static const struct lk_cli_option commands_yes[] = {
    {"yes", NULL, "do not ask"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option commands_passwd[] = {
    {"must-change", NULL, "the next login sets another"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option commands_check[] = {
    {"permission", "RESOURCE:ACTION", "the owner must have this permission, too"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option commands_audit[] = {
    {"user", "USER", "of what this user did"},
    {"after", "SEQ", "go on after this one"},
    {"limit", "N", "entries of a page"},
    END_OF_OPTIONS,
};

#define READS  LK_CLI_TENANT
#define WRITES (LK_CLI_TENANT | LK_CLI_WRITES)
#define FIELDS (LK_CLI_TENANT | LK_CLI_WRITES | LK_CLI_FIELDS)
#define LISTS  (LK_CLI_TENANT | LK_CLI_FIELDS)
#define STORE  (LK_CLI_WHOLE_STORE | LK_CLI_WRITES)

#define ONE .min_args = 1, .max_args = 1
#define TWO .min_args = 2, .max_args = 2

/* clang-format off */
const struct lk_cli_command board_commands[] = {
    {.noun = "user", .verb = "add", .args = "NAME [field=value...]", .help = "add a user",
     .resource = "user", .action = "write", ONE, .flags = FIELDS, .kind = &lk_kind_user,
     .handler = lk_cli_user_add},
    {.noun = "user", .verb = "show", .args = "USER", .help = "show a user",
     .resource = "user", .action = "read", ONE, .flags = READS, .kind = &lk_kind_user,
     .handler = lk_cli_kind_show},
    {.noun = "user", .verb = "list", .args = "[field=value...]", .help = "list users",
     .resource = "user", .action = "read", .flags = LISTS, .kind = &lk_kind_user,
     .options = lk_cli_list_options, .handler = lk_cli_kind_list},
    {.noun = "user", .verb = "set", .args = "USER field=value...", .help = "change a user",
     .resource = "user", .action = "write", ONE, .flags = FIELDS, .kind = &lk_kind_user,
     .handler = lk_cli_kind_set},
    {.noun = "user", .verb = "passwd", .args = "USER", .help = "set a user's password",
     .resource = "credential", .action = "write", ONE, .flags = WRITES, .options = commands_passwd,
     .handler = lk_cli_user_passwd},
    {.noun = "user", .verb = "suspend", .args = "USER", .help = "shut a user out",
     .resource = "user", .action = "write", ONE, .flags = WRITES, .handler = lk_cli_user_suspend},
    {.noun = "user", .verb = "activate", .args = "USER", .help = "let a user in",
     .resource = "user", .action = "write", ONE, .flags = WRITES, .handler = lk_cli_user_activate},
    {.noun = "user", .verb = "unlock", .args = "USER", .help = "end a delay after failures",
     .resource = "user", .action = "write", ONE, .flags = WRITES, .handler = lk_cli_user_unlock},
    {.noun = "user", .verb = "remove", .args = "USER", .help = "remove a user",
     .resource = "user", .action = "write", ONE, .flags = WRITES, .kind = &lk_kind_user,
     .handler = lk_cli_kind_remove},
    {.noun = "user", .verb = "purge", .args = "USER", .help = "erase a user for good",
     .resource = "user", .action = "write", ONE, .flags = WRITES, .kind = &lk_kind_user,
     .options = commands_yes, .handler = lk_cli_kind_purge},

    {.noun = "session", .verb = "check", .args = "TOKEN", .help = "is this token good?",
     .resource = "session", .action = "read", ONE, .flags = LK_CLI_WRITES,
     .options = commands_check, .handler = lk_cli_session_check},
    {.noun = "session", .verb = "list", .args = "[USER]", .help = "list sessions",
     .resource = "session", .action = "read", .max_args = 1, .flags = LISTS,
     .kind = &lk_kind_session, .options = lk_cli_list_options, .handler = lk_cli_session_list},

    {.noun = "role", .verb = "list", .args = "[field=value...]", .help = "list roles",
     .resource = "role", .action = "read", .flags = LISTS, .kind = &lk_kind_role,
     .options = lk_cli_list_options, .handler = lk_cli_kind_list},
    {.noun = "role", .verb = "add", .args = "NAME [field=value...]", .help = "add a role",
     .resource = "role", .action = "write", ONE, .flags = FIELDS, .kind = &lk_kind_role,
     .handler = lk_cli_kind_add},
    {.noun = "role", .verb = "set", .args = "ROLE field=value...", .help = "change a role",
     .resource = "role", .action = "write", ONE, .flags = FIELDS, .kind = &lk_kind_role,
     .handler = lk_cli_kind_set},
    {.noun = "role", .verb = "remove", .args = "ROLE", .help = "remove a role",
     .resource = "role", .action = "write", ONE, .flags = WRITES, .kind = &lk_kind_role,
     .handler = lk_cli_kind_remove},
    {.noun = "role", .verb = "grant", .args = "USER ROLE", .help = "grant a role to a user",
     .resource = "role", .action = "write", TWO, .flags = WRITES, .handler = lk_cli_role_grant},
    {.noun = "role", .verb = "revoke", .args = "USER ROLE", .help = "take a role from a user",
     .resource = "role", .action = "write", TWO, .flags = WRITES, .handler = lk_cli_role_revoke},

    {.noun = "permission", .verb = "list", .args = "[field=value...]", .help = "list permissions",
     .resource = "permission", .action = "read", .flags = LISTS, .kind = &lk_kind_permission,
     .options = lk_cli_list_options, .handler = lk_cli_kind_list},
    {.noun = "permission", .verb = "add", .args = "NAME [field=value...]",
     .help = "add a permission", .resource = "permission", .action = "write", ONE, .flags = FIELDS,
     .kind = &lk_kind_permission, .handler = lk_cli_permission_add},

    {.noun = "tenant", .verb = "show", .args = "[TENANT]", .help = "show the policy",
     .resource = "tenant", .action = "read", .max_args = 1, .kind = &lk_kind_tenant,
     .handler = lk_cli_tenant_show},
    {.noun = "tenant", .verb = "set", .args = "TENANT field=value...", .help = "change the policy",
     .resource = "tenant", .action = "write", ONE, .flags = LK_CLI_WRITES | LK_CLI_FIELDS,
     .kind = &lk_kind_tenant, .handler = lk_cli_kind_set},

    {.noun = "audit", .verb = "list", .args = "", .help = "who did what",
     .resource = "audit", .action = "read", .flags = READS, .options = commands_audit,
     .handler = lk_cli_audit_list},
    {.noun = "verify", .args = "", .help = "check all records",
     .resource = "store", .action = "read", .flags = LK_CLI_WHOLE_STORE | LK_CLI_NO_STORE,
     .handler = lk_cli_verify},
    {.noun = "stats", .args = "", .help = "figures",
     .resource = "store", .action = "read", .flags = LK_CLI_WHOLE_STORE, .handler = lk_firmware_stats},
    {.noun = "clock", .verb = "set", .args = "TIME", .help = "set the clock",
     .resource = "store", .action = "write", .max_args = 1, .flags = STORE,
     .options = commands_yes, .handler = lk_cli_clock_set},
    {.noun = "reboot", .args = "", .help = "start again",
     .resource = "store", .action = "write", .flags = STORE, .handler = lk_firmware_reboot},
    {.noun = "help", .args = "[NOUN [VERB]]", .help = "tell about commands", .max_args = 2,
     .flags = LK_CLI_ANYONE | LK_CLI_NO_STORE, .handler = lk_cli_help},
    {.noun = NULL},
};
/* clang-format on */
