#!/bin/sh
# SPDX-License-Identifier: MIT
# test_second_factor.sh: second factors as people and programs use them: codes of oathtool, the QR
# code as a camera reads it, policy, export and restore, many processes with one code.
set -u
script=test_second_factor.sh
# shellcheck source=tests/cli/cli_help.sh
. tests/cli/cli_help.sh

reader() {
    $python tests/house/spec_reader.py "$db" "$@"
}

# seed_of USER [OPTION...]: adds an authenticator; sets seed
seed_of() {
    must lk --quiet credential add totp "$@"
    seed=$(sed -n 's/^otpauth:.*[?]secret=\([A-Z2-7]*\)&.*/\1/p' "$area/out")
}

# code AT [OATHTOOL OPTION...]: the code at a time, in seconds
code() {
    at=$1
    shift
    oathtool -b "$@" -N "@$at" "$seed"
}

# login USER LINE...: the lines are standard input
login() {
    user=$1
    shift
    printf '%s\n' "$@" | lk login "$user" --password-stdin
}

printf '%s\n' "$password" | must lk init --tenant factory --admin admin --password-stdin
for user in alice bob carol; do
    must lk user add "$user"
    printf '%s\n' "$password" | must lk user passwd "$user" --password-stdin
done

# ---- Codes of oathtool: every hash and length, once each

for hash in sha1 sha256 sha512; do
    for digits in 6 8; do
        name="$hash, $digits digits"
        user=u$hash$digits
        must lk user add "$user"
        printf '%s\n' "$password" | must lk user passwd "$user" --password-stdin
        seed_of "$user" --algorithm "$hash" --digits "$digits"
        # A code counts from half a minute before its step to half a minute after: there is time.
        now=$(($(date +%s) / 30 * 30))
        expect 0 "$name: a code confirms" lk credential confirm totp "$user" \
            "$(code "$now" --totp="$hash" -d "$digits")"
        next=$(code $((now + 30)) --totp="$hash" -d "$digits")
        expect 0 "$name: the next one is taken" login "$user" "$password" "$next"
        is "$name: and only once" 'status 1
err: login refused' "$(run login "$user" "$password" "$next"; told)"
        expect 1 "$name: nor the one that confirmed" login "$user" "$password" \
            "$(code "$now" --totp="$hash" -d "$digits")"
    done
done

# ---- What is asked, and how it is told

expect 0 'who has none is not asked' login alice "$password"
seed_of alice --label telephone
now=$(($(date +%s) / 30 * 30))
expect 0 'nor who has not confirmed it' login alice "$password"
expect 1 'a wrong code does not confirm' lk credential confirm totp alice 000000000
is 'and is told' "latchkey: credential confirm: code: is not the one of now" "$(cat "$area/err")"
code "$now" --totp=sha1 | expect 0 'a code from standard input confirms' \
    lk credential confirm totp alice -
expect 3 'nothing waits any more' lk credential confirm totp alice 000000
run login alice "$password"
is 'the code is asked for' 'status 1
err: latchkey: login: code: is needed: give it by --totp, or as the next line' "$(told)"
run sh -c "printf '%s\n' '$password' | '$LATCHKEY' --db '$db' login alice --password-stdin --json"
is 'and in JSON' 'second_factor code' "$(jq -r '.error | .code + " " + .field' "$area/err")"
next=$(code $((now + 30)) --totp=sha1)
run sh -c "printf '%s\n%s\n' '$password' '$next' |
    '$LATCHKEY' --db '$db' login alice --password-stdin --totp -"
is 'a code as the second line, by --totp -' 0 "$status"
token=$(cat "$area/out")
expect 0 'its session' lk session check "$token"
is 'was proved by two factors' 'factors:       2' "$(grep factors "$area/out")"
is 'in JSON, too' 2 "$(lk session check "$token" --json | jq .factors)"
is 'and the audit says how' 'logged in with a time-based code' \
    "$(lk audit list --json --user alice --action login | jq -r 'select(.seq) | .description' |
        head -n 1)"
is 'user show' 'has_second_factor:    true' "$(lk user show alice | grep second)"
is 'user list' 'carol' \
    "$(lk user list has_second_factor=false username=carol --json | jq -r '.username // empty')"

# ---- Recovery codes

must lk --quiet credential add recovery alice
cp "$area/out" "$area/codes"
is 'ten codes' 10 "$(grep -cxE '[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}' "$area/codes")"
first=$(sed -n 1p "$area/codes")
small=$(sed -n 2p "$area/codes" | tr 'A-Z-' 'a-z ')
run login alice "$password" "$first"
is 'one gets in' '0 9 recovery codes are left' "$status $(cat "$area/err")"
expect 1 'once' login alice "$password" "$first"
run sh -c "printf '%s\n' '$password' |
    '$LATCHKEY' --db '$db' login alice --password-stdin --totp '$small'"
is 'in small letters, without the dash' '0 8 recovery codes are left' "$status $(cat "$area/err")"
is 'the list shows how many are left' 8 \
    "$(lk credential list alice type=recovery --json | jq '.codes_left // empty')"
must lk --quiet credential add recovery alice --json
is 'a new set, as JSON' 10 "$(jq '.codes | length' "$area/out")"
jq -r '.codes[]' "$area/out" >"$area/fresh"
expect 1 'ends the old one' login alice "$password" "$(sed -n 3p "$area/codes")"

# ---- What a reader of SPEC.md makes of it

expect 0 'the reader finds seed and codes' reader --totp "alice=$seed" \
    --recovery "alice=$(sed -n 7p "$area/fresh")"
expect 1 'and not another seed' reader --totp "alice=AAAA$(printf %s "$seed" | cut -c 5-)"
expect 1 'nor an old code' reader --recovery "alice=$(sed -n 7p "$area/codes")"

# ---- The QR code, as a camera sees it

must lk --quiet credential add totp bob --qr --label desk --algorithm sha512 --digits 8
cat >"$area/draw.py" <<'END'
import sys
lines = sys.stdin.read().splitlines()
rows = []
for line in lines:
    rows.append([c in "\u2588\u2580" for c in line])
    rows.append([c in "\u2588\u2584" for c in line])
scale, width = 4, len(rows[0])
assert all(len(row) == width for row in rows), "lines of one length"
print("P2", width * scale, len(rows) * scale, 1)
for row in rows:
    for _ in range(scale):
        print(*(int(bit) for bit in row for _ in range(scale)))
END
sed 1d "$area/out" | $python "$area/draw.py" >"$area/qr.pgm"
is 'the drawing says what the text says' "$(head -n 1 "$area/out")" \
    "$(zbarimg --quiet --raw "$area/qr.pgm" 2>/dev/null)"
must lk --quiet credential add totp bob --label other
is 'no drawing where nobody looks' 1 "$(grep -c . "$area/out")"
must lk --json credential add totp bob --label third
is 'JSON has the seed and the URI' "$(jq -r .seed "$area/out")" \
    "$(jq -r .uri "$area/out" | sed 's/.*[?]secret=\([A-Z2-7]*\)&.*/\1/')"

# ---- Wrong words

expect 4 'a label that is taken' lk credential add totp alice --label telephone
expect 2 'seven digits' lk credential add totp alice --digits 7
expect 2 'another hash' lk credential add totp alice --algorithm md5
expect 2 'roles are for API keys' lk credential add totp alice --roles viewer
expect 2 'digits are for totp' lk credential add api-key alice --digits 6
expect 2 'recovery takes no options' lk credential add recovery alice --label x
expect 3 'nobody' lk credential add totp nobody
expect 2 'only totp is confirmed' lk credential confirm recovery alice 000000
expect 2 'no code on standard input' sh -c "'$LATCHKEY' --db '$db' credential confirm totp alice - </dev/null"

# ---- Policy

expect 2 'a policy that is none' lk tenant set factory second_factor=sometimes
must lk tenant set factory second_factor=required
run login carol "$password"
is 'who has none is told' 'status 1
err: latchkey: login: second_factor: must be enrolled: log in on a terminal, or have one added' \
    "$(told)"
seed_of carol
expect 0 'one that was added is confirmed by the login' login carol "$password" \
    "$(code "$(date +%s)" --totp=sha1)"
is 'from then on it counts' confirmed \
    "$(lk credential list carol type=totp --json | jq -r '.state // empty')"
must lk user add dave
printf '%s\n' "$password" | must lk user passwd dave --password-stdin
run $python tests/cli/second_factor_pty.py "$LATCHKEY" "$db" dave "$password"
is 'on a terminal one is made there' '0 lks_' "$status $(tail -n 1 "$area/out" | cut -c 1-4)"
is 'and is drawn' yes "$(grep -q '█▀▀▀▀▀█\|▄▄▄▄▄▄▄' "$area/out" && echo yes)"
is 'and counts' 'has_second_factor:    true' "$(lk user show dave | grep second)"
must lk tenant set factory second_factor=off
expect 0 'off: nobody is asked' login carol "$password"
must lk tenant set factory second_factor=
must lk role add guard second_factor=required
must lk role grant bob guard
expect 1 'a role may demand it' login bob "$password"

# ---- Out and in again

must lk export --all-tenants --output "$area/plain.ndjson"
is 'no seed leaves by itself' 0 "$(grep -c -e '"seed"' -e "$seed" "$area/plain.ndjson")"
must lk export --all-tenants --with-secrets --output "$area/secret.ndjson"
is 'but with --with-secrets' 1 "$(grep -c "\"seed\":\"$seed\"" "$area/secret.ndjson")"
expect 0 'as SPEC.md says' reader --export "$area/secret.ndjson" --secrets
db=$area/other
must lk import --restore "$area/secret.ndjson"
must lk export --all-tenants --with-secrets --output "$area/again.ndjson"
same 'a restore brings all of it back' "$area/secret.ndjson" "$area/again.ndjson"
expect 0 'codes count there' login carol "$password" \
    "$(code $(($(date +%s) / 30 * 30 + 30)) --totp=sha1)"
verified 'after a restore'
sed 's/"seed":"[A-Z2-7]*"/"seed":"0189"/' "$area/secret.ndjson" >"$area/bad.ndjson"
db=$area/bad
run lk import --restore "$area/bad.ndjson"
is 'a seed that is none is told' '4 yes' \
    "$status $(grep -q 'seed: is not 16 to 64 bytes in base32' "$area/err" && echo yes)"
db=$area/store

# ---- One code, a hundred processes

must lk tenant set factory lockout_failures=0
seed_of alice --label hundred
now=$(($(date +%s) / 30 * 30))
must lk credential confirm totp alice "$(code "$now" --totp=sha1)"
next=$(code $((now + 30)) --totp=sha1)
printf '%s\n%s\n' "$password" "$next" >"$area/lines"
in=$(seq 100 | LATCHKEY_DB=$db xargs -P 8 -I @ sh -c \
    "'$LATCHKEY' login alice --password-stdin --totp - <'$area/lines' 2>>'$area/said' || :" | wc -l)
is 'one of a hundred gets in' 1 "$in"
is 'and 99 are refused' '99 login refused' \
    "$(sort "$area/said" | uniq -c | sed 's/^ *//')"
verified 'afterwards'
for name in "$seed" "$first"; do
    is 'no secret lies in the file' 0 "$(grep -c -a -- "$name" "$db/data.mdb")"
done
