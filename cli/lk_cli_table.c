// SPDX-License-Identifier: MIT
/* lk_cli_table.c: the commands that every board has. Help, completion, the manual and the console's
 * permissions all come from here. */
#include "lk_cli.h"

#define END_OF_OPTIONS                                                                             \
    {                                                                                              \
        NULL, NULL, NULL                                                                           \
    }

static const struct lk_cli_option table_deleted[] = {
    {"deleted", NULL, "one of the removed ones"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option table_purge[] = {
    {"yes", NULL, "do not ask"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option table_password[] = {
    {"password-stdin", NULL, "read the password from standard input"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option table_passwd[] = {
    {"password-stdin", NULL, "read the password from standard input"},
    {"must-change", NULL, "the next login must set another one"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option table_login[] = {
    {"device", "COOKIE",
     "what an earlier login gave this device: failures from elsewhere do not delay it; - reads it "
     "from standard input, before the password"},
    {"password-stdin", NULL,
     "read the password, and on the next lines a new one and a code, from standard input"},
    {"totp", "CODE", "a code of the second factor, or of recovery; - reads it from standard input"},
    {"remember", "NAME", "remember this device; its cookie goes to standard error"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option table_check[] = {
    {"permission", "RESOURCE:ACTION", "the owner must have this permission, too"},
    {"ip", "ADDRESS",
     "of a permission: the request comes from there, not where the login came from"},
    {"owner", "USER", "of a permission: what it is about belongs to this user"},
    {"no-touch", NULL, "do not note the use: an idle session stays idle"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option table_question[] = {
    {"channel", "CHANNEL", "by this: console, cli, pam, mqtt, http or api"},
    {"ip", "ADDRESS", "from this address"},
    {"owner", "USER", "about what belongs to this user"},
    {"at", "TIME", "at this time, not now"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option table_diff[] = {
    {"until", "TIME", "of grant: when it ends"},
    {"after", "CURSOR", "go on after the page that ended with this"},
    {"limit", "N", "users of a page (50)"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option table_end_all[] = {
    {"except", "TOKEN", "keep the session of this token"},
    {"everyone", NULL, "those of every user of the tenant"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option table_trust[] = {
    {"off", NULL, "no longer"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option table_clock[] = {
    {"yes", NULL, "do not ask, should the time go back"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option table_credential[] = {
    {"label", "TEXT", "name for people"},
    {"algorithm", "HASH", "of totp: sha1 (which every authenticator can do), sha256 or sha512"},
    {"digits", "N", "of totp: 6 or 8"},
    {"qr", NULL, "of totp: draw a QR code; a terminal is shown one anyway"},
    {"expires", "TIME", "when an api-key ends"},
    {"roles", "ROLES", "of an api-key: only these of the user's roles count"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option table_grant[] = {
    {"until", "TIME", "when the grant ends"},
    END_OF_OPTIONS,
};

#define AUDIT_FILTERS                                                                              \
    {LK_CLI_OPTION_STORE, NULL, "the store's own entries, which are of no tenant"},                \
        {"user", "USER", "entries of what this user did"},                                         \
        {"action", "NOUN.VERB", "entries of this action"},                                         \
        {"resource", "TYPE[:ID]", "entries of what was done to this"},                             \
        {"outcome", "success|failure", "entries that went so"},                                    \
        {"category", "CATEGORY", "auth, session, user, role, data or system"},                     \
        {"source", "ADDRESS", "entries of what came from this address"},                           \
        {"tag", "WORD", "entries with this tag: new-device, two-places..."},                       \
        {"since", "TIME", "from then on; 7d is seven days ago"},                                   \
    {                                                                                              \
        "until", "TIME", "before then"                                                             \
    }

static const struct lk_cli_option table_audit[] = {
    AUDIT_FILTERS,
    {"after", "SEQ", "go on after the page that ended with this"},
    {"limit", "N", "entries of a page (50)"},
    {"reverse", NULL, "the oldest first"},
    {"all", NULL, "everything in one page"},
    {"wide", NULL, "cut nothing to fit the terminal"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option table_audit_export[] = {
    AUDIT_FILTERS,
    {"format", "FORMAT", "ndjson (the default), csv or syslog"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option table_audit_head[] = {
    {LK_CLI_OPTION_STORE, NULL, "of the store's own entries, which are of no tenant"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option table_audit_verify[] = {
    {LK_CLI_OPTION_STORE, NULL, "the store's own entries, which are of no tenant"},
    {"from", "SEQ", "entries from this one on"},
    {"head", "HEAD", "what audit head printed before: entries up to there must not be cut"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option table_verify[] = {
    {"deep", NULL, "check the medium's own structure first, in a process of its own"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option table_maintain[] = {
    {"budget", "N", "look at no more than this many records"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option table_calibrate[] = {
    {"target", "TIME", "how long a hash may take, such as 100ms or 1s (100ms)"},
    {"memory", "KIB", "the most memory that a hash may take (65536)"},
    {"set", NULL, "keep the proposal in the store"},
    END_OF_OPTIONS,
};

#define IN_TENANT LK_CLI_TENANT
#define IN_WRITES (LK_CLI_TENANT | LK_CLI_WRITES)
#define IN_FIELDS (LK_CLI_TENANT | LK_CLI_WRITES | LK_CLI_FIELDS)
#define OF_STORE  (LK_CLI_WHOLE_STORE | LK_CLI_WRITES)

/* A command is a few lines here, and a dozen as the formatter would have it. */
/* clang-format off */
const struct lk_cli_command lk_cli_commands[] = {
    /* ---- tenant ------------------------------------------------------------------------------ */
    {.noun = "tenant", .verb = "add", .args = "NAME [field=value...]",
     .help = "add a tenant, with the roles and permissions that each starts with",
     .details = "It has no users yet: add them with --tenant NAME.",
     .resource = "tenant", .action = "write", .min_args = 1, .max_args = 1,
     .flags = OF_STORE | LK_CLI_FIELDS, .kind = &lk_kind_tenant, .handler = lk_cli_tenant_add},
    {.noun = "tenant", .verb = "show", .args = "[TENANT]",
     .help = "show every field of a tenant, its policy among them",
     .resource = "tenant", .action = "read", .max_args = 1,
     .kind = &lk_kind_tenant, .options = table_deleted, .handler = lk_cli_tenant_show},
    {.noun = "tenant", .verb = "list", .args = "[field=value...]", .help = "list tenants",
     .resource = "tenant", .action = "read", .flags = LK_CLI_WHOLE_STORE | LK_CLI_FIELDS,
     .kind = &lk_kind_tenant, .options = lk_cli_list_options, .handler = lk_cli_kind_list},
    {.noun = "tenant", .verb = "set", .args = "TENANT field=value...",
     .help = "change fields of a tenant, its policy among them",
     .details = "An empty value (field=) clears a field, which then reads as its default.",
     .resource = "tenant", .action = "write", .min_args = 1, .max_args = 1,
     .flags = LK_CLI_WRITES | LK_CLI_FIELDS, .kind = &lk_kind_tenant,
     .handler = lk_cli_kind_set},
    {.noun = "tenant", .verb = "suspend", .args = "TENANT",
     .help = "let nobody of a tenant in, and end all its sessions",
     .resource = "tenant", .action = "write", .min_args = 1, .max_args = 1, .flags = OF_STORE,
     .kind = &lk_kind_tenant, .handler = lk_cli_tenant_suspend},
    {.noun = "tenant", .verb = "activate", .args = "TENANT",
     .help = "let people of a suspended tenant in again",
     .resource = "tenant", .action = "write", .min_args = 1, .max_args = 1, .flags = OF_STORE,
     .kind = &lk_kind_tenant, .handler = lk_cli_tenant_activate},
    {.noun = "tenant", .verb = "remove", .args = "TENANT",
     .help = "remove a tenant with all that is in it, until it is purged",
     .resource = "tenant", .action = "write", .min_args = 1, .max_args = 1, .flags = OF_STORE,
     .kind = &lk_kind_tenant, .handler = lk_cli_kind_remove},
    {.noun = "tenant", .verb = "restore", .args = "TENANT",
     .help = "bring a removed tenant back",
     .details = "TENANT is its name, or #number where that was removed more than once.",
     .resource = "tenant", .action = "write", .min_args = 1, .max_args = 1, .flags = OF_STORE,
     .kind = &lk_kind_tenant, .handler = lk_cli_kind_restore},
    {.noun = "tenant", .verb = "purge", .args = "TENANT",
     .help = "erase a tenant with all that is in it, for good",
     .details = "Afterwards none of its bytes can be read in the store's files. Backups keep "
                "theirs.",
     .resource = "tenant", .action = "write", .min_args = 1, .max_args = 1, .flags = OF_STORE,
     .kind = &lk_kind_tenant, .options = table_purge, .handler = lk_cli_kind_purge},

    /* ---- user -------------------------------------------------------------------------------- */
    {.noun = "user", .verb = "add", .args = "NAME [field=value...]", .help = "add a user",
     .details = "Without a password the user cannot log in until user passwd sets one.",
     .resource = "user", .action = "write", .min_args = 1, .max_args = 1, .flags = IN_FIELDS,
     .kind = &lk_kind_user, .options = table_password, .handler = lk_cli_user_add},
    {.noun = "user", .verb = "show", .args = "USER",
     .help = "show every field of a user, the computed ones too",
     .resource = "user", .action = "read", .min_args = 1, .max_args = 1, .flags = IN_TENANT,
     .kind = &lk_kind_user, .options = table_deleted, .handler = lk_cli_kind_show},
    {.noun = "user", .verb = "list", .args = "[field=value...]", .help = "list users",
     .details = "Any field filters, computed ones too: user list activity_status=Inactive, "
                "user list roles=operator. An empty value finds those without one.",
     .resource = "user", .action = "read", .flags = IN_TENANT | LK_CLI_FIELDS,
     .kind = &lk_kind_user, .options = lk_cli_list_options, .handler = lk_cli_kind_list},
    {.noun = "user", .verb = "find", .args = "field=value...",
     .help = "show the one user with this unique value",
     .details = "By username=, email=, external_id=, or identity_provider= with "
                "identity_provider_id=.",
     .resource = "user", .action = "read", .flags = IN_TENANT | LK_CLI_FIELDS,
     .kind = &lk_kind_user, .handler = lk_cli_user_find},
    {.noun = "user", .verb = "set", .args = "USER field=value...", .help = "change fields of a user",
     .details = "An empty value (email=) clears a field.",
     .resource = "user", .action = "write", .min_args = 1, .max_args = 1, .flags = IN_FIELDS,
     .kind = &lk_kind_user, .handler = lk_cli_kind_set},
    {.noun = "user", .verb = "passwd", .args = "USER",
     .help = "set a user's password, and end the user's sessions",
     .resource = "credential", .action = "write", .min_args = 1, .max_args = 1,
     .flags = IN_WRITES, .options = table_passwd, .handler = lk_cli_user_passwd},
    {.noun = "user", .verb = "suspend", .args = "USER",
     .help = "shut a user out, and end the user's sessions",
     .resource = "user", .action = "write", .min_args = 1, .max_args = 1, .flags = IN_WRITES,
     .handler = lk_cli_user_suspend},
    {.noun = "user", .verb = "activate", .args = "USER",
     .help = "let a suspended or invited user in",
     .resource = "user", .action = "write", .min_args = 1, .max_args = 1, .flags = IN_WRITES,
     .handler = lk_cli_user_activate},
    {.noun = "user", .verb = "unlock", .args = "USER",
     .help = "forget a user's failed logins and end a delay that runs",
     .resource = "user", .action = "write", .min_args = 1, .max_args = 1, .flags = IN_WRITES,
     .handler = lk_cli_user_unlock},
    {.noun = "user", .verb = "remove", .args = "USER",
     .help = "remove a user, who can be restored until purged",
     .resource = "user", .action = "write", .min_args = 1, .max_args = 1, .flags = IN_WRITES,
     .kind = &lk_kind_user, .handler = lk_cli_kind_remove},
    {.noun = "user", .verb = "restore", .args = "USER", .help = "bring a removed user back",
     .details = "USER is the name, or #number where that was removed more than once; "
                "user list --deleted shows both.",
     .resource = "user", .action = "write", .min_args = 1, .max_args = 1, .flags = IN_WRITES,
     .kind = &lk_kind_user, .handler = lk_cli_kind_restore},
    {.noun = "user", .verb = "purge", .args = "USER",
     .help = "erase a user, removed or not, for good",
     .details = "Afterwards none of the user's bytes can be read in the store's files. Audit "
                "entries stay, without a name. Backups keep theirs.",
     .resource = "user", .action = "write", .min_args = 1, .max_args = 1, .flags = IN_WRITES,
     .kind = &lk_kind_user, .options = table_purge, .handler = lk_cli_kind_purge},

    /* ---- login and session ------------------------------------------------------------------- */
    {.noun = "login", .args = "USER", .help = "log in; prints the session token and nothing else",
     .details = "A claim code stands in for the first password. When a new password must be set, "
                "it is asked for, or read from the next line of standard input; then a code, where "
                "the second factor is asked for. Whoever must have one and has none is given one "
                "here, on a terminal. A recovery code takes the code's place. With --password-stdin "
                "and --totp - the code is the second line. Exit status 1: refused, or a code is "
                "needed; 6: a delay is running, or too many failed or logged in; the message tells the "
                "seconds to wait.",
     .resource = "session", .action = "write", .min_args = 1, .max_args = 1,
     .flags = LK_CLI_HOST | LK_CLI_WRITES | LK_CLI_QUIET_REFUSAL, .options = table_login,
     .handler = lk_cli_login_command},
    {.noun = "logout", .args = "TOKEN", .help = "end the session of a token",
     .details = "TOKEN may be - to read it from standard input.",
     .resource = "session", .action = "write", .min_args = 1, .max_args = 1,
     .flags = LK_CLI_HOST | LK_CLI_WRITES, .handler = lk_cli_logout},
    {.noun = "session", .verb = "check", .args = "TOKEN",
     .help = "is this token good, now? The exit status is the answer",
     .details = "TOKEN is a session's or an API key, or - to read it from standard input. The use "
                "is noted once a minute.",
     .resource = "session", .action = "read", .min_args = 1, .max_args = 1,
     .flags = LK_CLI_WRITES, .options = table_check, .handler = lk_cli_session_check},
    {.noun = "session", .verb = "list", .args = "[USER] [field=value...]",
     .help = "list the sessions of a user, or all",
     .resource = "session", .action = "read", .max_args = 1,
     .flags = IN_TENANT | LK_CLI_FIELDS, .kind = &lk_kind_session,
     .options = lk_cli_list_options, .handler = lk_cli_session_list},
    {.noun = "session", .verb = "end", .args = "ID", .help = "end a session",
     .details = "ID is what session list shows, such as 7.3.",
     .resource = "session", .action = "write", .min_args = 1, .max_args = 1, .flags = IN_WRITES,
     .handler = lk_cli_session_end},
    {.noun = "session", .verb = "end-all", .args = "[USER]",
     .help = "end all sessions of a user, or of everyone",
     .resource = "session", .action = "write", .max_args = 1, .flags = IN_WRITES,
     .options = table_end_all, .handler = lk_cli_session_end_all},

    /* ---- device ------------------------------------------------------------------------------ */
    {.noun = "device", .verb = "list", .args = "[USER] [field=value...]",
     .help = "list what a user, or everyone, logs in from",
     .details = "A device is remembered by login --remember. Its cookie lets its user in while "
                "others guess the password, and tells a login from elsewhere apart.",
     .resource = "session", .action = "read", .max_args = 1,
     .flags = IN_TENANT | LK_CLI_FIELDS, .kind = &lk_kind_device,
     .options = lk_cli_list_options, .handler = lk_cli_device_list},
    {.noun = "device", .verb = "name", .args = "USER ID NAME", .help = "name a device",
     .resource = "session", .action = "write", .min_args = 3, .max_args = 3, .flags = IN_WRITES,
     .handler = lk_cli_device_name},
    {.noun = "device", .verb = "trust", .args = "USER ID", .help = "vouch for a device",
     .details = "When a user has too many, those that nobody vouched for are forgotten first.",
     .resource = "session", .action = "write", .min_args = 2, .max_args = 2, .flags = IN_WRITES,
     .options = table_trust, .handler = lk_cli_device_trust},
    {.noun = "device", .verb = "forget", .args = "USER ID",
     .help = "forget a device, and end the sessions from it",
     .resource = "session", .action = "write", .min_args = 2, .max_args = 2, .flags = IN_WRITES,
     .handler = lk_cli_device_forget},

    /* ---- credential -------------------------------------------------------------------------- */
    {.noun = "credential", .verb = "list", .args = "USER [field=value...]",
     .help = "list what a user can log in by",
     .resource = "credential", .action = "read", .min_args = 1, .max_args = 1,
     .flags = IN_TENANT | LK_CLI_FIELDS, .kind = &lk_kind_credential,
     .options = lk_cli_list_options, .handler = lk_cli_credential_list},
    {.noun = "credential", .verb = "add", .args = "TYPE USER",
     .help = "add a credential; TYPE is totp, recovery, ssh-key or api-key",
     .details = "totp makes a seed for an authenticator and prints it once, as an otpauth URI; "
                "it counts when credential confirm was given a code of it. A user may have four, "
                "told apart by --label. recovery prints ten codes once, each good for one login in "
                "the place of a code of totp; what was left of an older set is void. An ssh-key is "
                "read from standard input, as a line of authorized_keys. An api-key is made here "
                "and printed once; only its keyed hash is kept.",
     .resource = "credential", .action = "write", .min_args = 2, .max_args = 2,
     .flags = IN_WRITES, .options = table_credential, .handler = lk_cli_credential_add},
    {.noun = "credential", .verb = "confirm", .args = "totp USER CODE",
     .help = "let an authenticator count from now on",
     .details = "CODE is what it shows, or - to read it from standard input. The clock must be set.",
     .resource = "credential", .action = "write", .min_args = 3, .max_args = 3,
     .flags = IN_WRITES, .handler = lk_cli_credential_confirm},
    {.noun = "credential", .verb = "remove", .args = "USER ID", .help = "remove a credential",
     .resource = "credential", .action = "write", .min_args = 2, .max_args = 2,
     .flags = IN_WRITES, .handler = lk_cli_credential_remove},

    /* ---- role -------------------------------------------------------------------------------- */
    {.noun = "role", .verb = "add", .args = "NAME [field=value...]", .help = "add a role",
     .details = "permissions= takes names, separated by commas; parent= a role to inherit from.",
     .resource = "role", .action = "write", .min_args = 1, .max_args = 1, .flags = IN_FIELDS,
     .kind = &lk_kind_role, .handler = lk_cli_kind_add},
    {.noun = "role", .verb = "show", .args = "ROLE", .help = "show a role with its permissions",
     .details = "Who has it: user list roles=ROLE.",
     .resource = "role", .action = "read", .min_args = 1, .max_args = 1, .flags = IN_TENANT,
     .kind = &lk_kind_role, .options = table_deleted, .handler = lk_cli_kind_show},
    {.noun = "role", .verb = "list", .args = "[field=value...]", .help = "list roles",
     .resource = "role", .action = "read", .flags = IN_TENANT | LK_CLI_FIELDS,
     .kind = &lk_kind_role, .options = lk_cli_list_options, .handler = lk_cli_kind_list},
    {.noun = "role", .verb = "set", .args = "ROLE field=value...", .help = "change fields of a role",
     .resource = "role", .action = "write", .min_args = 1, .max_args = 1, .flags = IN_FIELDS,
     .kind = &lk_kind_role, .handler = lk_cli_kind_set},
    {.noun = "role", .verb = "permit", .args = "ROLE PERMISSION...",
     .help = "add permissions to a role",
     .details = "PERMISSION is a name, or the resource:action that one permission gives.",
     .resource = "role", .action = "write", .min_args = 2, .max_args = LK_CLI_MANY,
     .flags = IN_WRITES, .handler = lk_cli_role_permit},
    {.noun = "role", .verb = "forbid", .args = "ROLE PERMISSION...",
     .help = "take permissions of its own away from a role",
     .details = "What it inherits from its parent stays.",
     .resource = "role", .action = "write", .min_args = 2, .max_args = LK_CLI_MANY,
     .flags = IN_WRITES, .handler = lk_cli_role_forbid},
    {.noun = "role", .verb = "grant", .args = "USER ROLE", .help = "grant a role to a user",
     .resource = "role", .action = "write", .min_args = 2, .max_args = 2, .flags = IN_WRITES,
     .options = table_grant, .handler = lk_cli_role_grant},
    {.noun = "role", .verb = "revoke", .args = "USER ROLE", .help = "take a role from a user",
     .details = "Open sessions lose its permissions at once.",
     .resource = "role", .action = "write", .min_args = 2, .max_args = 2, .flags = IN_WRITES,
     .handler = lk_cli_role_revoke},
    {.noun = "role", .verb = "remove", .args = "ROLE",
     .help = "remove a role, which then grants nothing",
     .resource = "role", .action = "write", .min_args = 1, .max_args = 1, .flags = IN_WRITES,
     .kind = &lk_kind_role, .handler = lk_cli_kind_remove},
    {.noun = "role", .verb = "restore", .args = "ROLE", .help = "bring a removed role back",
     .resource = "role", .action = "write", .min_args = 1, .max_args = 1, .flags = IN_WRITES,
     .kind = &lk_kind_role, .handler = lk_cli_kind_restore},
    {.noun = "role", .verb = "purge", .args = "ROLE", .help = "erase a role for good",
     .resource = "role", .action = "write", .min_args = 1, .max_args = 1, .flags = IN_WRITES,
     .kind = &lk_kind_role, .options = table_purge, .handler = lk_cli_kind_purge},

    /* ---- permission -------------------------------------------------------------------------- */
    {.noun = "permission", .verb = "add", .args = "NAME [field=value...]",
     .help = "add a permission",
     .details = "A NAME like door:open says resource= and action= itself. channels=, sources=, "
                "window= and owner_only= are conditions: all must hold. window= goes by the "
                "tenant's time_zone. deny=yes takes the right from whoever has the permission, "
                "whatever else gives it. approval=yes and login_age= ask a second person's word, "
                "and a login not older than so many seconds, of everybody who does this, "
                "through whichever permission.",
     .resource = "permission", .action = "write", .min_args = 1, .max_args = 1,
     .flags = IN_FIELDS, .kind = &lk_kind_permission, .handler = lk_cli_permission_add},
    {.noun = "permission", .verb = "show", .args = "PERMISSION", .help = "show a permission",
     .resource = "permission", .action = "read", .min_args = 1, .max_args = 1,
     .flags = IN_TENANT, .kind = &lk_kind_permission, .handler = lk_cli_permission_show},
    {.noun = "permission", .verb = "list", .args = "[field=value...]",
     .help = "list permissions",
     .resource = "permission", .action = "read", .flags = IN_TENANT | LK_CLI_FIELDS,
     .kind = &lk_kind_permission, .options = lk_cli_list_options, .handler = lk_cli_kind_list},
    {.noun = "permission", .verb = "set", .args = "PERMISSION field=value...",
     .help = "change fields of a permission",
     .resource = "permission", .action = "write", .min_args = 1, .max_args = 1,
     .flags = IN_FIELDS, .kind = &lk_kind_permission, .handler = lk_cli_kind_set},
    {.noun = "permission", .verb = "remove", .args = "PERMISSION",
     .help = "remove a permission that no role has",
     .resource = "permission", .action = "write", .min_args = 1, .max_args = 1,
     .flags = IN_WRITES, .kind = &lk_kind_permission, .handler = lk_cli_permission_remove},
    {.noun = "permission", .verb = "restore", .args = "PERMISSION",
     .help = "bring a removed permission back",
     .resource = "permission", .action = "write", .min_args = 1, .max_args = 1,
     .flags = IN_WRITES, .kind = &lk_kind_permission, .handler = lk_cli_kind_restore},
    {.noun = "permission", .verb = "check", .args = "USER RESOURCE:ACTION",
     .help = "may this user do that? The exit status is the answer",
     .details = "Asks about the roles. A user who is not active, or whose tenant is not, is refused "
                "whatever they are. A condition that depends on what is not told (--channel, --ip, "
                "--owner) does not hold. session check asks about a login.",
     .resource = "permission", .action = "read", .min_args = 2, .max_args = 2,
     .flags = IN_TENANT, .options = table_question, .handler = lk_cli_permission_check},
    {.noun = "permission", .verb = "why", .args = "USER RESOURCE:ACTION",
     .help = "through which role a user may do that, or what is in the way",
     .resource = "permission", .action = "read", .min_args = 2, .max_args = 2,
     .flags = IN_TENANT, .options = table_question, .handler = lk_cli_permission_why},
    {.noun = "permission", .verb = "diff", .args = "VERB ARG... [field=value...]",
     .help = "who would gain or lose what by a change of a role, without making it",
     .details = "VERB is set, permit, forbid, remove, restore, grant or revoke, and what follows is "
                "as of that command of role: permission diff forbid operator user:write. A page "
                "is so many users.",
     .resource = "permission", .action = "read", .min_args = 1, .max_args = LK_CLI_MANY,
     .flags = IN_FIELDS, .kind = &lk_kind_role, .options = table_diff,
     .handler = lk_cli_permission_diff},

    /* ---- audit ------------------------------------------------------------------------------- */
    {.noun = "audit", .verb = "list", .args = "", .help = "who did what, the newest first",
     .details = "The same failure again is counted, not listed again; what is still being counted "
                "comes first, without a SEQ. What is unusual about a login is in brackets: new-device, "
                "new-address, two-places (another session is in use from another range of "
                "addresses), many-refusals (before it). --json shows every field of an entry. --store shows "
                "what the store keeps apart from its tenants: purges of tenants, restores. Exit "
                "status 5: entries are damaged, and the others were listed.",
     .resource = "audit", .action = "read", .flags = IN_TENANT, .options = table_audit,
     .handler = lk_cli_audit_list},
    {.noun = "audit", .verb = "export", .args = "",
     .help = "every entry, the oldest first, as JSON, CSV or syslog",
     .details = "One entry a line: an object of JSON, a record of CSV (RFC 4180; open it in a "
                "spreadsheet as text, since a user agent that begins with = runs there as a "
                "formula) or a message of syslog (RFC 5424, facility 13, structured data "
                "latchkey@32473 and timeQuality). What is still being counted comes last, without "
                "a seq. --store writes what the store keeps apart from its tenants: purges of "
                "tenants, restores. Exit status 5: entries are damaged, and the others were "
                "written.",
     .resource = "audit", .action = "read", .flags = IN_TENANT, .options = table_audit_export,
     .handler = lk_cli_audit_export},
    {.noun = "audit", .verb = "head", .args = "",
     .help = "the newest entry of each ring, as one word to keep elsewhere",
     .details = "audit verify --head with that word tells whether entries of before were cut off "
                "or the store was put back. It is no secret.",
     .resource = "audit", .action = "read", .flags = IN_TENANT, .options = table_audit_head,
     .handler = lk_cli_audit_head},
    {.noun = "audit", .verb = "verify", .args = "",
     .help = "check that entries are as they were written, in their place, and none is missing",
     .details = "Exit status 1: there are faults. That the newest were cut off shows only with "
                "--head.",
     .resource = "audit", .action = "read", .flags = IN_TENANT, .options = table_audit_verify,
     .handler = lk_cli_audit_verify},

    /* ---- the store --------------------------------------------------------------------------- */
    {.noun = "verify", .args = "", .help = "check every record, index and reference of the store",
     .details = "Exit status 1: there are faults. With --deep the medium's own structure comes "
                "first, in a process of its own: where the damage is such that reading crashes, "
                "only that process ends.",
     .resource = "store", .action = "read", .flags = LK_CLI_WHOLE_STORE | LK_CLI_NO_STORE,
     .options = table_verify, .handler = lk_cli_verify},
    {.noun = "stats", .args = "", .help = "figures of the store",
     .resource = "store", .action = "read", .flags = LK_CLI_WHOLE_STORE, .handler = lk_cli_stats},
    {.noun = "maintain", .args = "",
     .help = "take away expired sessions, grants and keys, and purge what is due",
     .details = "What was purged is overwritten, as user purge does.",
     .resource = "store", .action = "write", .flags = OF_STORE, .options = table_maintain,
     .handler = lk_cli_maintain},
    {.noun = "compact", .args = "",
     .help = "overwrite what was deleted, and give room back where the medium can",
     .details = "On LMDB the file is written anew on full pages, as after an import of many: that "
                "needs room for a second copy, and nobody else who has the store open.",
     .resource = "store", .action = "write", .flags = OF_STORE, .handler = lk_cli_compact},
    {.noun = "clock", .verb = "show", .args = "", .help = "what time it is, and how sure that is",
     .details = "Time never goes back in the store. While the machine's clock is unset, or behind "
                "what the store has seen, the time is held: it goes on by the machine's uptime, "
                "and grants and keys that have an end are refused.",
     .resource = "store", .action = "read", .flags = LK_CLI_WHOLE_STORE,
     .handler = lk_cli_clock_show},
    {.noun = "clock", .verb = "set", .args = "[TIME]",
     .help = "set the clock, or have the store follow the machine's",
     .details = "TIME is for a device whose clock is the store's to set. Without TIME the machine's "
                "is right, also where it is behind what the store has seen. Time that goes back "
                "begins a new epoch: every session ends, and what has ended by now is taken away.",
     .resource = "store", .action = "write", .max_args = 1, .flags = OF_STORE,
     .options = table_clock, .handler = lk_cli_clock_set},
    {.noun = "calibrate", .args = "",
     .help = "measure what a password hash may cost on this machine",
     .details = "Proposes memory and passes of Argon2id that keep to the time, never less than this "
                "build's default. With --set they are kept in the store, for whoever opens it from "
                "then on: new passwords are hashed so, and old ones at their next login.",
     .resource = "store", .action = "write", .flags = OF_STORE, .options = table_calibrate,
     .handler = lk_cli_calibrate},
    {.noun = "describe", .args = "[KIND]", .help = "print the schema: kinds, fields, indexes",
     .max_args = 1, .flags = LK_CLI_ANYONE | LK_CLI_NO_STORE, .handler = lk_cli_describe},
    {.noun = "help", .args = "[NOUN [VERB]]", .help = "tell about commands",
     .max_args = 2, .flags = LK_CLI_ANYONE | LK_CLI_NO_STORE, .handler = lk_cli_help},
    {.noun = NULL},
};
/* clang-format on */
