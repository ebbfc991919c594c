// SPDX-License-Identifier: MIT
/*
 * bench_slapd.c: what of it a directory does, with OpenLDAP's slapd over a Unix socket: find a user
 * by e-mail address, note a failed login, take users in (slapadd). Its own database (mdb) syncs
 * each change, as it does unless told otherwise. The server is started here.
 */
#define _GNU_SOURCE
#include "harness.h"
#include "service.h"

#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BASE "ou=users,dc=gateway,dc=example"
#define ROOT "cn=admin,dc=gateway,dc=example"

static LDAP *ldap;
static struct service server;
static struct town_user person;
static char directory[512];
static uint64_t sink;

static void must(int code, const char *what)
{
    if (code != LDAP_SUCCESS) {
        (void)fprintf(stderr, "%s: ", ldap_err2string(code));
    }
    bench_must(code == LDAP_SUCCESS, what);
}

static void write_config(const char *place)
{
    char path[600];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/slapd.conf", place);
    file = fopen(path, "w");
    bench_must(file != NULL, path);
    (void)fprintf(file,
                  "include /etc/ldap/schema/core.schema\n"
                  "include /etc/ldap/schema/cosine.schema\n"
                  "include /etc/ldap/schema/inetorgperson.schema\n"
                  "modulepath /usr/lib/ldap\nmoduleload back_mdb\n"
                  "pidfile %s/slapd.pid\nloglevel 0\nsizelimit unlimited\n"
                  "database mdb\nmaxsize 17179869184\nsuffix \"dc=gateway,dc=example\"\n"
                  "rootdn \"" ROOT "\"\nrootpw secret\ndirectory %s/ldap\n"
                  "index objectClass eq\nindex uid eq\nindex mail eq\n",
                  place, place);
    bench_must(fclose(file) == 0, path);
}

static void slapd_open(const char *place, uint32_t users)
{
    int version = LDAP_VERSION3, code = LDAP_SERVER_DOWN;
    char path[600], escaped[700], uri[800], socket[600];
    struct berval password = {6, (char[]){"secret"}};
    size_t i, size = 0;

    (void)users;
    (void)snprintf(directory, sizeof(directory), "%s", place);
    (void)snprintf(path, sizeof(path), "%s/slapd.conf", place);
    (void)snprintf(socket, sizeof(socket), "%s/ldapi", place);
    for (i = 0; socket[i]; i++) { /* a path in a URI */
        size += (size_t)snprintf(escaped + size, sizeof(escaped) - size,
                                 socket[i] == '/' ? "%%2F" : "%c", socket[i]);
    }
    (void)snprintf(uri, sizeof(uri), "ldapi://%s", escaped);
    service_start(&server, (const char *const[]){"slapd", "-d", "0", "-f", path, "-h", uri, NULL});
    service_wait(&server, socket);
    must(ldap_initialize(&ldap, uri), "initialize");
    must(ldap_set_option(ldap, LDAP_OPT_PROTOCOL_VERSION, &version), "version");
    for (i = 0; i < 500 && (code = ldap_sasl_bind_s(ldap, ROOT, LDAP_SASL_SIMPLE, &password, NULL,
                                                    NULL, NULL)) == LDAP_SERVER_DOWN;
         i++) {
        service_pause(); /* its socket is there before it listens */
    }
    must(code, "bind");
}

static void slapd_close(void)
{
    must(ldap_unbind_ext_s(ldap, NULL, NULL), "unbind");
    service_stop(&server);
}

static void slapd_load(const char *place, uint32_t users, uint64_t *import_ns)
{
    char path[600], command[1400];
    FILE *file;
    char token[TOWN_TOKEN] = "none";
    uint32_t i;

    write_config(place);
    (void)snprintf(path, sizeof(path), "%s/ldap", place);
    bench_must(mkdir(path, 0700) == 0, path);
    (void)snprintf(path, sizeof(path), "%s/users.ldif", place);
    file = fopen(path, "w");
    bench_must(file != NULL, path);
    (void)fprintf(file,
                  "dn: dc=gateway,dc=example\nobjectClass: dcObject\nobjectClass: organization\n"
                  "dc: gateway\no: gateway\n\n"
                  "dn: " BASE "\nobjectClass: organizationalUnit\nou: users\n\n");
    for (i = 0; i < users; i++) {
        struct town_user user;

        town_user(i, &user);
        (void)fprintf(file,
                      "dn: uid=%s," BASE "\nobjectClass: inetOrgPerson\nuid: %s\ncn: %s\nsn: %u\n"
                      "mail: %s\nemployeeNumber: 0\n\n",
                      user.username, user.username, user.display, i, user.email);
    }
    bench_must(fclose(file) == 0, path);
    (void)snprintf(command, sizeof(command), "slapadd -f %s/slapd.conf -l %s/users.ldif >/dev/null",
                   place, place);
    *import_ns = bench_now();
    bench_must(system(command) == 0, "slapadd");
    *import_ns = bench_now() - *import_ns;
    tokens_write(place, 0, users, 0, token); /* it has no sessions */
    tokens_done();
}

static void person_ready(uint32_t which)
{
    town_user(which, &person);
}

static void user_by_email(uint32_t which)
{
    char filter[128];
    LDAPMessage *result, *entry;
    BerElement *ber = NULL;
    char *name;

    (void)which;
    (void)snprintf(filter, sizeof(filter), "(mail=%s)", person.email);
    must(ldap_search_ext_s(ldap, BASE, LDAP_SCOPE_SUBTREE, filter, NULL, 0, NULL, NULL, NULL, 1,
                           &result),
         "search");
    entry = ldap_first_entry(ldap, result);
    bench_must(entry != NULL, "email");
    for (name = ldap_first_attribute(ldap, entry, &ber); name;
         name = ldap_next_attribute(ldap, entry, ber)) {
        struct berval **values = ldap_get_values_len(ldap, entry, name);

        sink += values && values[0] ? values[0]->bv_len : 0;
        ldap_value_free_len(values);
        ldap_memfree(name);
    }
    ber_free(ber, 0);
    (void)ldap_msgfree(result);
}

static void login_charge(uint32_t which)
{
    char dn[128], value[16];
    char *values[] = {value, NULL};
    LDAPMod change = {
        .mod_op = LDAP_MOD_REPLACE, .mod_type = (char[]){"employeeNumber"}, .mod_values = values};
    LDAPMod *changes[] = {&change, NULL};

    (void)snprintf(dn, sizeof(dn), "uid=%s," BASE, person.username);
    (void)snprintf(value, sizeof(value), "%u", which);
    must(ldap_modify_ext_s(ldap, dn, changes, NULL, NULL), "modify");
}

static void slapd_bytes(uint64_t *medium, uint64_t *content)
{
    char path[600];

    (void)snprintf(path, sizeof(path), "%s/ldap", directory);
    *medium = bench_file_size(path, "data.mdb");
    *content = 0;
}

const struct bench_engine bench_engine = {
    .name = "slapd",
    .load = slapd_load,
    .open = slapd_open,
    .close = slapd_close,
    .ready = {[BENCH_USER_BY_EMAIL] = person_ready, [BENCH_LOGIN_CHARGE] = person_ready},
    .run = {[BENCH_USER_BY_EMAIL] = user_by_email, [BENCH_LOGIN_CHARGE] = login_charge},
    .bytes = slapd_bytes,
};
