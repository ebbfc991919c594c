#!/bin/sh
# SPDX-License-Identifier: MIT
# Stores of the program, opened by tests/house/spec_reader.py, which knows SPEC.md and no code of ours.
# LATCHKEY names the program.
set -u

house=$(cd "$(dirname "$0")/../house" && pwd) || exit 1
spec=$house/../../SPEC.md
tool=$(cd "${BUILD:?}" && pwd)/tests/audit_tool || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
LATCHKEY_DB=$work/store
export LATCHKEY_DB
unset LATCHKEY_TENANT NO_COLOR
number=0
exec 3>&1

# check NAME STATUS COMMAND...
check() {
    number=$((number + 1))
    name=$1 wanted=$2
    shift 2
    got=0
    "$@" >out 2>err </dev/null || got=$?
    if [ "$got" -eq "$wanted" ]; then
        echo "ok $number $name"
        [ "$wanted" -ne 0 ] || sed 's/^/# /' out
    else
        echo "not ok $number $name"
        printf '# %s\n# exit status %s where %s was expected\n' "$*" "$got" "$wanted"
        sed 's/^/# /' out err
    fi
}

reader() {
    /usr/bin/python3 -B "$house/spec_reader.py" --spec "$spec" "$@"
}

# must COMMAND...: a step of the preparation.
must() {
    "$@" || {
        echo "not ok $((number + 1)) $*" >&3
        exit 1
    }
}

latchkey() {
    must "$LATCHKEY" --quiet "$@"
}

login() {
    printf '%s\n' "$2" | "$LATCHKEY" --tenant factory login "$1" --password-stdin
}

# ---- A store with something of everything

claim=$("$LATCHKEY" init --tenant factory --admin admin | grep -oE '[A-Z0-9]{4}(-[A-Z0-9]{4}){3}')
check 'a new store, and its claim code' 0 reader store --claim "admin=$claim"
printf '%s\na longer password\n' "$claim" |
    must "$LATCHKEY" login admin --password-stdin >token.admin

latchkey tenant add Second audit_capacity=16 session_idle=600 >/dev/null
long='somebody-with-a-rather-long-local-part'
{
    echo 'username,email,display_name,status,identity_provider,identity_provider_id,roles'
    for n in $(seq 1 300); do
        case $((n % 3)) in
        0) echo "User$n,$long.$n@Example.Museum,Zoë Nº $n,active,entra_id,$long-$long-$n,viewer" ;;
        1) echo "user$n,,,suspended,,," ;;
        2) echo "user$n,u$n@example.org,,invited,,,operator;viewer" ;;
        esac
    done
} >users.csv
latchkey --tenant factory import --format csv users.csv >/dev/null
latchkey --tenant Second user add User3 email=user3@example.org >/dev/null
must mosquitto_passwd -b -c mosquitto.passwd mosq 'correct horse' 2>/dev/null
latchkey --tenant factory import --format mosquitto mosquitto.passwd >/dev/null

latchkey --tenant factory tenant set factory password_history=3
printf 'an older horse\n' | latchkey --tenant factory user passwd User3 --password-stdin
printf 'correct horse\n' | latchkey --tenant factory user passwd User3 --password-stdin
latchkey --tenant factory user set User3 'metadata={"desk":12,"tags":["a","b"],"away":null}' >/dev/null
latchkey --tenant factory role add child parent=operator permissions=all >/dev/null
latchkey --tenant factory permission add door:open >/dev/null
latchkey --tenant factory role permit child door:open
latchkey --tenant factory role grant User3 child --until 12h
latchkey --tenant factory role revoke User3 viewer
key=$(latchkey --tenant factory credential add api-key User3 --label meter --roles child)
for user in user2 user5 User6 User9; do
    latchkey --tenant factory user remove "$user"
done
latchkey --tenant factory user restore user5
latchkey --tenant factory user purge User9 --yes >/dev/null
latchkey --tenant factory role add gone >/dev/null
latchkey --tenant factory role remove gone
login nobody 'no horse' 2>/dev/null
login User3 'no horse' 2>/dev/null
token=$(login User3 'correct horse')
for n in $(seq 1 12); do
    latchkey --tenant Second role add "role$n" >/dev/null
    latchkey --tenant Second role remove "role$n"
done

check 'every record, index entry, ring and verifier' 0 reader store --token "$token" \
    --token "$key" --token "$(cat token.admin)" --password 'User3=correct horse' \
    --password 'admin=a longer password' --earlier 'User3=an older horse' --bucket 1=NoBody

latchkey export --all-tenants --output plain.ndjson
latchkey export --all-tenants --with-secrets --output secret.ndjson
check 'the export' 0 reader store --export plain.ndjson
check 'the export with hashes' 0 reader store --export secret.ndjson --secrets

login mosq 'correct horse' >/dev/null
check 'a hash of another program, replaced at the login' 0 reader store \
    --password 'mosq=correct horse'

latchkey --tenant factory tenant set factory lockout_failures=0
must "$tool" store User3 'correct horse'
check 'addresses, sealed under keys of users, and failures that are counted' 0 reader store
latchkey --tenant factory audit archive archive.ndjson
# No smaller than what is to be kept of the administrative ring, and then round it.
latchkey --tenant factory tenant set factory audit_capacity=64
for number in $(seq 64); do
    latchkey --tenant factory user set User3 display_name="Number $number" >/dev/null
done
must "$tool" store User3 'correct horse'
check 'counts in the ring, and a ring that goes round' 0 reader store
latchkey --tenant factory user purge User3 --yes >/dev/null
check 'what was a purged user'"'"'s, sealed for good' 0 reader store
cp -r store forged
must "$tool" forged forge 0 2
check 'a forged entry' 1 reader forged

printf 'battery staple\n' | latchkey backup copy --wrap-to passphrase --passphrase-stdin
check 'a backup, by its passphrase' 0 reader copy --passphrase 'battery staple' \
    --token "$(cat token.admin)"
check 'and not by another' 1 reader copy --passphrase 'battery stable'
check 'nor by the secret' 1 reader copy --secret store/secret

# ---- The reader does look

check 'another token' 1 reader store --token "$(printf '%s' "$token" | tr 'a-y' 'b-z')"
check 'another password' 1 reader store --password 'admin=no horse'
check 'another earlier password' 1 reader store --earlier 'User3=correct horse'
check 'another export' 1 reader store --export secret.ndjson
head -c 32 /dev/zero >zeros
check 'another secret' 1 reader store --secret zeros
sed 's/| 13 | user | status | status |/| 13 | user | status | must_change_password |/' "$spec" >wrong.md
check 'another index in SPEC.md' 1 reader --spec wrong.md store
sed 's/  ? 14: 0..2,  /  ? 14: 0..1,  /' "$spec" >wrong.md
check 'another bound in SPEC.md' 1 reader --spec wrong.md store
sed 's/latchkey token/latchkey tokens/' "$spec" >wrong.md
check 'another label in SPEC.md' 1 reader --spec wrong.md store
for label in audit trace source; do
    sed "s/latchkey $label/latchkey other/" "$spec" >wrong.md
    check "another label of the audit's in SPEC.md: $label" 1 reader --spec wrong.md store
done
