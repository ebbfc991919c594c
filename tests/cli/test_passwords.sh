#!/bin/sh
# SPDX-License-Identifier: MIT
# Passwords as an administrator meets them: what is refused and why. LATCHKEY names the program.
set -u

# shellcheck source=tests/cli/cli_check.sh
. "$(dirname "$0")/cli_check.sh"

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
also 1 'grep -qi -e history -e "secret number" out'
lk 4 'tenant set factory password_history=11' 'password_history: "11" is too large'

# ---- What a hash costs

lk 0 'calibrate --target 1ms' 'memory_kib:          19456' 'passes:              2' \
    'default takes longer' 'Nothing was changed'
lk 0 '--json calibrate --target 60ms --memory 19456' '"memory_kib":19456,"passes":' '"kept":false}'
lk 2 'calibrate --target soon' 'target: "soon" is not a time from 1ms to 60s'
lk 2 'calibrate --target 61s'
lk 2 'calibrate --memory 4194305' 'is more than 4 GiB'
lk 0 '--quiet --json calibrate --target 5s --memory 19456 --set' '"kept":true}'
passes=$(sed -n 's/.*"passes":\([0-9]*\),.*/\1/p' out)
check 0 "[ $passes -gt 2 ]"
check 0 "printf 'secret number 4\n' | '$LATCHKEY' login alice.weaver --password-stdin"
lk 0 'audit list --action login --limit 1 --wide' 'logged in; password rehashed'
lk 0 'export --with-secrets'
cp out export.ndjson
also 0 "grep -qF '\$argon2id\$v=19\$m=19456,t=$passes,p=1\$' out"
lk 0 'audit list --store' 'store.calibrate'
# What goes out is what another program makes of the same password. (It cannot be given a salt with
# a NUL byte, which one in sixteen has: then another password is set.)
try=0
while [ $try -lt 9 ] && ! /usr/bin/python3 -B "$tests/cli/argon2_check.py" export.ndjson \
    'secret number 4' >/dev/null 2>&1; do
    try=$((try + 1))
    for password in "filler $try a" "filler $try b" "filler $try c" 'secret number 4'; do
        printf '%s\n' "$password" | "$LATCHKEY" user passwd alice.weaver --password-stdin
    done
    "$LATCHKEY" --quiet export --with-secrets >export.ndjson
done
check 0 "/usr/bin/python3 -B '$tests/cli/argon2_check.py' export.ndjson 'secret number 4'" \
    '1 verifiers are of this password'
check 1 "/usr/bin/python3 -B '$tests/cli/argon2_check.py' export.ndjson 'secret number 5'"

# ---- What is told about it

lk 0 'describe tenant' 'password_blocklist' 'password_history' 'password_min_age'
lk 0 'verify' 'all in order'
lk 0 'audit export'
also 1 "grep -q -e 'secret number' -e 'battery staple' -e Password1 out"
printf '1..%s\n' "$number"
