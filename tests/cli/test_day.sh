#!/bin/sh
# SPDX-License-Identifier: MIT
# A gateway's day: three tenants, 1,000 users from five kinds of files, 200 logins, roles,
# suspensions, removals and restores; the store is verified after each step. At the end it goes
# out, into a new store, and out again: the same bytes.
set -u
script=test_day.sh
# shellcheck source=tests/cli/cli_help.sh
. tests/cli/cli_help.sh

# login TENANT USER PASSWORD: $area/out is the token
login() {
    give "$3" lk --tenant "$1" login "$2" --password-stdin
}

# export_to FILE [OPTION...]
export_to() {
    file=$1
    shift
    lk export --all-tenants "$@" >"$file"
}

# shellcheck disable=SC2086 # $python is a command with its option
echo "# users to import: $($python $here/day_make.py "$area")" || exit 1

# ---- The tenants, and 1,000 users ----------------------------------------------------------------

must give "$password" lk init --tenant north --admin root --password-stdin
must lk tenant add south display_name='South Works' session_idle=600
must lk tenant add east lockout_failures=3
must give "$password" lk --tenant south user add root email=root@south.example --password-stdin
must lk --tenant south role grant root admin
must give "$password" lk --tenant east user add root --password-stdin
must lk --tenant east role grant root admin
verified "after three tenants"

expect 0 "200 users of mosquitto_passwd" \
    lk --tenant north import --format mosquitto "$area/mosquitto.txt"
is "it says so" "200 records added" "$(cat "$area/out")"
expect 0 "100 users of htpasswd -B" lk --tenant south import --format htpasswd "$area/htpasswd.txt"
expect 0 "47 users of mkpasswd" lk --tenant east import --format passwd-hashes "$area/crypt.txt"
verified "after the password files"
expect 0 "300 people from CSV" \
    lk --tenant south import --format csv --map E-mail=email "$area/people.csv"
expect 0 "350 machines from NDJSON" lk --tenant east import --format ndjson "$area/machines.ndjson"
verified "after all imports"
expect 4 "the same file again is refused" \
    lk --tenant north import --format mosquitto "$area/mosquitto.txt"
is "every line of it" 200 "$(grep -c 'mosquitto.txt:[0-9]*: username: ' "$area/err")"

for tenant in north south east; do
    lk --tenant $tenant user list --all --json | grep -c '"username"' >>"$area/counts"
done
is "1,000 users, and where" "201 401 398 " "$(tr '\n' ' ' <"$area/counts")"
is "a name in CSV with quotes, and one in Chinese" "O'Neill, \"Paddy\" 1李 小龍 2" \
    "$(for n in 1 2; do
        lk --tenant south user show csv-00$n | sed -n 's/^display_name: *//p' | tr -d '\n'
    done)"
is "roles by name" "100 100 " "$(for role in viewer operator; do
    lk --tenant south user list --all --json roles=$role | grep -c '"username"' | tr '\n' ' '
done)"

# ---- 200 logins ----------------------------------------------------------------------------------

export_to "$area/before" --with-secrets
# shellcheck disable=SC2086
expect 0 "who will log in has the hash of before" \
    $python $here/day_check.py hashes "$area/before" "$area/logins.txt" old

# A grant that ends while they log in.
must lk --tenant south role add porter permissions=session:read
must lk --tenant south permission add door:open description='the gate'
must lk --tenant south role permit porter door:open
must lk --tenant south role grant htpasswd-050 porter --until 4s
expect 0 "a grant of four seconds counts" \
    lk --tenant south permission check htpasswd-050 door:open

in=0 kept_out=
for round in 1 2; do
    while read -r tenant user kind secret; do
        run login "$tenant" "$user" "$secret"
        if [ "$status" -eq 0 ] && [ "$(wc -c <"$area/out")" -eq 48 ]; then
            in=$((in + 1))
            tail -n 1 "$area/out" >>"$area/tokens-$tenant"
        else
            kept_out="$kept_out $round/$kind/$user"
        fi
    done <"$area/logins.txt"
    verified "after round $round of logins"
    if [ $round -eq 1 ]; then
        export_to "$area/middle" --with-secrets
        # shellcheck disable=SC2086,SC2016 # the text of a hash
        expect 0 "the first login made an Argon2id hash of each" $python $here/day_check.py \
            hashes "$area/middle" "$area/logins.txt" '$argon2id$v=19$m=19456,t=2,p=1$'
    fi
done
for tenant in north south east; do
    for _ in 1 2; do
        run login $tenant root "$password"
        [ "$status" -ne 0 ] || in=$((in + 1))
        cat "$area/out" >>"$area/roots"
    done
done
is "logins, by those who may" "200" "$in$kept_out"
export_to "$area/after" --with-secrets
for file in middle after; do
    grep '"verifier"' "$area/$file" | grep -v '"\$[726y]' | sed 's/"updated_[^,]*,//g' |
        sort >"$area/$file.verifiers"
done
same "the second login changed no hash" "$area/middle.verifiers" "$area/after.verifiers"
expect 1 "a wrong password" login north mosquitto-100 'not it'
is "says only that" "login refused" "$(cat "$area/err")"
expect 1 "another user's password" login east sha512-001 'sha512 password 0'
is "login counts" 2 "$(lk --tenant north user show mosquitto-001 | sed -n 's/^login_count: *//p')"

# ---- Sessions and rights -------------------------------------------------------------------------

good=0
while read -r token; do
    run give "$token" lk session check - --quiet
    [ "$status" -ne 0 ] || good=$((good + 1))
done <"$area/tokens-south"
is "sessions that stand" 50 "$good"

tries=0
while lk --tenant south permission check htpasswd-050 door:open --quiet && [ $tries -lt 20000 ]; do
    tries=$((tries + 1))
done
expect 1 "the grant of four seconds is over" \
    lk --tenant south permission check htpasswd-050 door:open
must lk --tenant south role grant htpasswd-050 porter --until 2h
expect 0 "and made again" lk --tenant south permission check htpasswd-050 door:open
verified "after grants"
must lk --tenant north role grant mosquitto-000 operator
token=$(head -n 1 "$area/tokens-north")
expect 0 "an open session has the new right" \
    give "$token" lk session check - --permission user:read
must lk --tenant north role revoke mosquitto-000 operator
expect 1 "and loses it at once" give "$token" lk session check - --permission user:read
expect 0 "but stands" give "$token" lk session check -

must lk --tenant south role add chief parent=porter permissions=role:read
must lk --tenant south role grant htpasswd-051 chief
expect 0 "a right by inheritance" lk --tenant south permission check htpasswd-051 door:open
must lk --tenant south role set chief parent=
expect 1 "is gone with the parent" lk --tenant south permission check htpasswd-051 door:open
verified "after roles"

# ---- Suspensions ---------------------------------------------------------------------------------

must lk --tenant north user suspend mosquitto-000
expect 1 "suspending ends the session" give "$token" lk session check -
expect 1 "and keeps out" login north mosquitto-000 'mosquitto password 0'
must lk --tenant north user activate mosquitto-000
expect 1 "the old session stays over" give "$token" lk session check -
expect 0 "until a new login" login north mosquitto-000 \
    "$(sed -n 's/^north mosquitto-000 mosquitto //p' "$area/logins.txt")"
must lk tenant suspend south
token=$(head -n 1 "$area/tokens-south")
expect 1 "suspending a tenant ends its sessions" give "$token" lk session check -
expect 1 "and keeps all out" login south root "$password"
expect 0 "others go on" login east root "$password"
must lk tenant activate south
expect 1 "sessions of before stay over" give "$token" lk session check -
expect 0 "it lets in again" login south root "$password"
expect 1 "invited users are not let in" login south csv-002 "$password"
verified "after suspensions"

# ---- Removals and restores -----------------------------------------------------------------------

n=0
while [ $n -lt 40 ]; do
    must lk --tenant south user remove "csv-$(printf %03d $n)" --quiet
    n=$((n + 1))
done
verified "after 40 removals"
is "the removed are not listed" 361 \
    "$(lk --tenant south user list --all --json | grep -c '"username"')"
is "but kept" 40 \
    "$(lk --tenant south user list --all --deleted --json | grep -c '"username"')"
expect 3 "and not found" lk --tenant south user show csv-001
expect 0 "their names are free" lk --tenant south user add csv-000 email=csv.1@example.org
expect 4 "a name taken meanwhile keeps its owner of before out" lk --tenant south user restore csv-000
is "which is said" 1 "$(grep -c '^latchkey: user restore: username: "csv-000" ' "$area/err")"
expect 4 "an address likewise" lk --tenant south user restore csv-001
is "which is said too" 1 "$(grep -c '^latchkey: user restore: email: "csv.1@' "$area/err")"
n=2
while [ $n -lt 30 ]; do
    must lk --tenant south user restore "csv-$(printf %03d $n)" --quiet
    n=$((n + 1))
done
verified "after 28 restores"
is "they hold their roles again" "csv-004" \
    "$(lk --tenant south user list roles=operator username=csv-004 --columns username --json |
        sed -n 's/.*"username":"\([^"]*\)".*/\1/p')"
must lk --tenant south user purge csv-030 --yes
must lk --tenant south user purge csv-200 --yes
must lk --tenant south role remove chief
must lk --tenant north user remove mosquitto-007
verified "after purges"

must lk tenant add brief
must lk --tenant brief user add somebody email=somebody@brief.example
must lk tenant remove brief
expect 3 "a removed tenant is not there" lk --tenant brief user list
verified "after a tenant was removed"
must lk tenant restore brief
expect 0 "and is there again" lk --tenant brief user show somebody
must lk tenant purge brief --yes
verified "after a tenant was purged"
expect 0 "maintenance" lk maintain
verified "after maintenance"

# ---- Out, in, and out again ----------------------------------------------------------------------

for secrets in '' --with-secrets; do
    db=$area/store
    # shellcheck disable=SC2086 # none, or one option
    export_to "$area/first" $secrets
    db=$area/second$secrets
    expect 0 "an export${secrets:+ $secrets} comes back into a new store" \
        lk import --restore "$area/first"
    verified "there"
    # shellcheck disable=SC2086
    export_to "$area/again" $secrets
    same "and leaves as the same bytes" "$area/first" "$area/again"
done
# The new store has hashes, so it was --with-secrets.
expect 0 "an imported user who never logged in does so there" login north mosquitto-199 \
    "$(cut -d ' ' -f 4- "$area/later.txt")"
expect 0 "a user with a new hash, too" login south root "$password"
expect 1 "sessions do not come along" give "$(tail -n 1 "$area/roots")" lk session check -
db=$area/store
# shellcheck disable=SC2086
is "what there is of each kind" "activity 102
credential 350
grant 204
permission 52
role 10
role removed 1
tenant 3
user 987
user removed 12" "$($python $here/day_check.py count "$area/first")"
is "a tenant's own export" 398 \
    "$(lk --tenant east export --kind user | grep -c '"username"')"
# 45 users twice, root twice, and one again after a suspension; a wrong password, and a suspended one.
is "logins in the audit of a tenant" "93 login success
2 login failure" "$(lk --tenant north audit list --all --json --action login |
    sed -n 's/.*"action":"\([^"]*\)".*"outcome":"\([^"]*\)".*/\1 \2/p' | sort -r | uniq -c |
    sed 's/^ *//')"
