#!/bin/sh
# SPDX-License-Identifier: MIT
# Another device secret and another store key, as processes beside each other see it: killed at any
# moment, with logins going on, and with the old bytes searched for in the file. LATCHKEY names the
# program.
set -u

# shellcheck source=tests/cli/cli_check.sh
. "$(dirname "$0")/cli_check.sh"

# boot FILE: the value of the boot record, in hexadecimal, one field of sealed bytes a line.
boot() {
    mdb_dump store | sed -n '/^ 00000001$/{n;s/^ //;p;}' >"$1"
    [ -s "$1" ]
}

# held HEX-FILE NAME: how often the sealed store key of that boot record (its field 5, 48 bytes) is in
# the raw file.
held() {
    /usr/bin/python3 -B - "$1" store/data.mdb <<'PYTHON'
import sys, cbor2
boot = cbor2.loads(bytes.fromhex(open(sys.argv[1]).read().strip()))
print(open(sys.argv[2], "rb").read().count(boot[5]))
PYTHON
}

works() {
    check 0 "echo 'correct horse' | '$LATCHKEY' login admin --password-stdin"
    lk 0 "session check $token" 'user:          admin'
    lk 0 verify 'all in order'
    check 0 "/usr/bin/python3 -B '$tests/house/spec_reader.py' --spec '$tests/../SPEC.md' store --secret '$secret' \
        --token '$token' --password 'admin=correct horse'"
}

echo 'correct horse' | "$LATCHKEY" --quiet init --password-stdin >/dev/null
token=$(echo 'correct horse' | "$LATCHKEY" login admin --password-stdin)
{
    echo 'username,email'
    for n in $(seq 1 1500); do
        echo "user$n,somebody.with.a.rather.long.local.part.$n@example.museum"
    done
} >users.csv
"$LATCHKEY" --quiet import --format csv users.csv
secret=store/secret

# ---- The secret, in its place

cp store/secret old
boot first || echo "not ok $((number += 1)) no boot record"
check 0 "[ $(held first) -ge 1 ]"
lk 0 rekey 'opens by the new secret only'
check 1 'cmp -s store/secret old'
check 0 'find store/secret -perm 600 | grep -q .'
check 2 'ls store/secret.new'
lk 5 '--secret old stats' "the device secret is not this store's"
check 0 "[ $(held first) -eq 0 ]"
works

# Elsewhere. A file beside it that is no secret is refused, and nothing is changed.
mkdir elsewhere
lk 0 'rekey --secret-file elsewhere/key' 'Name it from now on'
lk 5 stats "the device secret is not this store's"
LATCHKEY_SECRET=$work/elsewhere/key
export LATCHKEY_SECRET
secret=elsewhere/key
cp elsewhere/key before
printf short >elsewhere/key.new
chmod 600 elsewhere/key.new
lk 5 rekey 'the new device secret is not 32 bytes long'
check 0 'cmp elsewhere/key before'
works
rm elsewhere/key.new
lk 2 'rekey --secret-file elsewhere/key' 'is the file of the present one'
lk 0 rekey
lk 5 '--secret before stats'
works

# ---- The store key

boot second
lk 2 'rekey --full --secret-file x' 'is for the store key alone'
whole=$(date +%s%6N)
lk 0 'rekey --full' 'records taken over by the new store key'
whole=$(($(date +%s%6N) - whole))
check 0 "[ $(held second) -eq 0 ]"
works
lk 0 stats 'key_generation:  1' 'rekey_running:   0'

# Killed again and again, each time a little later in its course, with others logging in and writing
# beside it; none of these logins may end the session that is looked for afterwards.
lk 0 'tenant set main session_max=0'
(
    while [ ! -e stop ]; do
        echo 'correct horse' | "$LATCHKEY" login admin --password-stdin >>beside 2>&1 ||
            echo failed >>beside
        "$LATCHKEY" user set user7 display_name="Seven $$" >>beside 2>&1 || echo failed >>beside
    done
) &
writer=$!
kills=0
boot third
for part in $(seq 1 19); do
    delay=$((whole * part / 20))
    delay=$(printf '%d.%06d' $((delay / 1000000)) $((delay % 1000000)))
    timeout -s KILL "$delay" "$LATCHKEY" --quiet rekey --full >/dev/null 2>&1
    [ $? -eq 137 ] && kills=$((kills + 1))
    "$LATCHKEY" --json stats | grep -q '"rekey_running":1' && echo running >>running
done
"$LATCHKEY" --json stats | grep -o '"key_generation":[0-9]*' >generation
lk 0 'rekey --full'
: >stop
wait $writer
printf '[  figure  ] %s of 19 killed, %s of them in the middle of the pass\n' "$kills" \
    "$(wc -l <running 2>/dev/null || echo 0)"
check 1 'grep -B 2 failed beside'
check 0 "[ $kills -ge 3 ]"
lk 0 stats 'rekey_running:   0'
lk 0 compact
check 0 "[ $(held third) -eq 0 ]"
works

# ---- Who did it

lk 0 'audit list --store --all --wide' 'the store opens by another secret' \
    'a new store key: the pass begins' 'every record is under the new store key'
printf '1..%s\n' "$number"
