#!/bin/sh
# SPDX-License-Identifier: MIT
# Passwords as an administrator meets them: what is refused and why. LATCHKEY names the program.
set -u

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
LATCHKEY_DB=$work/store
export LATCHKEY_DB LATCHKEY
unset LATCHKEY_TENANT LATCHKEY_SECRET
number=0

# check STATUS COMMAND [TEXT...]: runs a command line; its output or error holds each text.
check() {
    number=$((number + 1))
    want=$1 command=$2
    shift 2
    got=0
    sh -c "$command" >out 2>err </dev/null || got=$?
    missing=
    for text in "$@"; do
        grep -qF -- "$text" out err || missing=$text
    done
    if [ "$got" -eq "$want" ] && [ -z "$missing" ]; then
        printf 'ok %s %s\n' "$number" "$command"
    else
        printf 'not ok %s %s\n' "$number" "$command"
        printf '# exit status %s where %s was expected; missing: %s\n' "$got" "$want" "$missing"
        sed 's/^/# /' out err
    fi
}

# lk STATUS ARGUMENTS [TEXT...]
lk() {
    want=$1 arguments=$2
    shift 2
    check "$want" "'$LATCHKEY' $arguments" "$@"
}

# passwd STATUS USER PASSWORD [TEXT...]
passwd() {
    want=$1 user=$2 password=$3
    shift 3
    check "$want" "printf '%s\n' '$password' | '$LATCHKEY' user passwd $user --password-stdin" "$@"
}

# ---- The first administrator

check 4 "echo 'P4ssw0rd' | '$LATCHKEY' init --password-stdin" \
    'password: is one of the passwords that everybody tries first'
check 4 "echo 'factory-2026' | '$LATCHKEY' --tenant factory init --password-stdin" \
    "password: is the tenant's name, or that with digits or signs"
check 4 "echo 'operator1' | '$LATCHKEY' init --admin operator --password-stdin" \
    "password: is the user's name, or that with digits or signs"
check 0 "echo 'correct horse' | '$LATCHKEY' --tenant factory init --password-stdin"

# ---- Blocklist and own names

lk 0 'user add alice.weaver email=aw.garden@example.org'
passwd 4 alice.weaver Password1 'password: is one of the passwords that everybody tries first'
passwd 4 alice.weaver 'Alice Weaver 1990' "password: is the user's name"
passwd 4 alice.weaver 'aw-garden!' "password: is the name in the user's e-mail address"
passwd 0 alice.weaver 'battery staple'
check 4 "echo 'gatekeeper7' | '$LATCHKEY' user add gatekeeper --password-stdin" \
    "password: is the user's name"
lk 3 'user show gatekeeper'
lk 0 'tenant set factory password_blocklist=false'
passwd 0 alice.weaver Password1
lk 0 'tenant set factory password_blocklist='
passwd 4 alice.weaver Password1

# ---- History, and the forced change of a login

lk 0 'tenant set factory password_history=3'
passwd 4 alice.weaver Password2 everybody
passwd 0 alice.weaver 'secret number 1'
passwd 0 alice.weaver 'secret number 2'
passwd 4 alice.weaver 'secret number 2' 'password: is one that the user had before'
passwd 4 alice.weaver 'secret number 1' 'password: is one that the user had before'
passwd 0 alice.weaver 'battery staple'
lk 0 'user set alice.weaver must_change_password=true'
check 4 "printf 'battery staple\nsecret number 2\n' | '$LATCHKEY' login alice.weaver --password-stdin" \
    'password: is one that the user had before'
check 4 "printf 'battery staple\npassword1\n' | '$LATCHKEY' login alice.weaver --password-stdin" \
    'password: is one of the passwords that everybody tries first'
check 0 "printf 'battery staple\nsecret number 4\n' | '$LATCHKEY' login alice.weaver --password-stdin"
lk 0 '--json credential list alice.weaver' '"set_at":"2'
check 1 'grep -qi -e history -e "secret number" out'
lk 4 'tenant set factory password_history=11' 'password_history: "11" is too large'

# ---- What is told about it

lk 0 'describe tenant' 'password_blocklist' 'password_history' 'password_min_age'
lk 0 'verify' 'all in order'
lk 0 'audit export'
check 1 "grep -q -e 'secret number' -e 'battery staple' -e Password1 out"
printf '1..%s\n' "$number"
