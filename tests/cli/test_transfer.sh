#!/bin/sh
# SPDX-License-Identifier: MIT
# import, export and backup from the command line, with files that the real programs write now:
# mosquitto_passwd, htpasswd, mkpasswd, argon2. LATCHKEY names the program.
set -u

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
LATCHKEY_DB=$work/store
export LATCHKEY_DB
unset LATCHKEY_TENANT NO_COLOR
number=0

# check NAME STATUS COMMAND: runs a command line; what it wrote is in out and err afterwards.
check() {
    number=$((number + 1))
    got=0
    sh -c "$3" >out 2>err </dev/null || got=$?
    if [ "$got" -eq "$2" ]; then
        echo "ok $number $1"
    else
        echo "not ok $number $1"
        printf '# %s\n# exit status %s where %s was expected\n' "$3" "$got" "$2"
        sed 's/^/# /' out err
    fi
}

# says NAME FILE TEXT: a line of FILE is, or holds, TEXT.
says() {
    number=$((number + 1))
    if grep -qF -- "$3" "$2"; then
        echo "ok $number $1"
    else
        echo "not ok $number $1"
        printf '# nowhere in %s: %s\n' "$2" "$3"
        sed 's/^/# /' "$2"
    fi
}

# same NAME A B: two files are the same.
same() {
    check "$1" 0 "cmp $2 $3"
}

# logs_in NAME USER [DB]
logs_in() {
    check "$1" 0 "echo 'correct horse' | '$LATCHKEY' --db ${3:-$LATCHKEY_DB} login $2 --password-stdin"
}

: >mosquitto.passwd && chmod 600 mosquitto.passwd
: >htpasswd && chmod 600 htpasswd
mosquitto_passwd -b mosquitto.passwd mosq1 'correct horse'
mosquitto_passwd -b mosquitto.passwd mosq2 'correct horse'
htpasswd -bB htpasswd web1 'correct horse' 2>/dev/null
htpasswd -b2 htpasswd web2 'correct horse' 2>/dev/null
{
    echo "root:*:20228:0:99999:7:::"
    echo "unix1:$(mkpasswd -m yescrypt 'correct horse'):20228:0:99999:7:::"
    echo "unix2:$(mkpasswd -m sha-512 'correct horse'):20228:0:99999:7:::"
    echo "unix3:!$(mkpasswd -m sha-512 'correct horse'):20228:0:99999:7:::"
} >shadow
{
    echo "other1:$(mkpasswd -m sha-256 'correct horse')"
    echo "other2:$(printf 'correct horse' | argon2 saltsaltsaltsalt -id -m 12 -t 2 -p 1 -e)"
    echo "other3:$(mkpasswd -m bcrypt 'correct horse')"
} >hashes

check "a store" 0 "echo 'correct horse' | '$LATCHKEY' init --tenant acme --admin admin --password-stdin"

# ---- Password files

check "mosquitto_passwd's file" 0 "'$LATCHKEY' import --format mosquitto mosquitto.passwd"
says "its count" out "2 records added"
check "htpasswd's file, by standard input" 0 "cat htpasswd | '$LATCHKEY' import --format htpasswd -"
check "a shadow file" 0 "'$LATCHKEY' import --format shadow shadow"
says "its count" out "3 records added, 1 passed over"
check "any hashes" 0 "'$LATCHKEY' --json import --format passwd-hashes hashes"
says "its count, as JSON" out '{"committed":true,"added":3,"kept":0,"passed_over":0,"bad":0,"without_secret":{}}'
for user in mosq1 mosq2 web1 web2 unix1 unix2 other1 other2 other3; do
    logs_in "$user logs in with the old password" "$user"
    logs_in "$user again, re-hashed" "$user"
done
check "a locked account does not" 1 "echo 'correct horse' | '$LATCHKEY' login unix3 --password-stdin"
check "until it is activated" 0 "'$LATCHKEY' user activate unix3"
logs_in "then it does" unix3
check "the store is in order" 0 "'$LATCHKEY' verify"

# ---- Refusals

"$LATCHKEY" export --with-secrets >before
printf 'new1:%s\nbroken\nmosq1:%s\nnew2:{SHA}x\n' "$(mkpasswd -m sha-512 x)" \
    "$(mkpasswd -m sha-512 x)" >bad
check "bad lines keep all out" 4 "'$LATCHKEY' import --format passwd-hashes bad"
says "line, field and reason" err "bad:2: line: has no ':' between name and hash"
says "the value refused" err 'bad:3: username: "mosq1" is taken'
says "a hash of no worth" err "bad:4: password_hash: is bare SHA-1"
says "how many" err "latchkey: import: 3 records are bad: nothing was imported"
check "the same as JSON" 4 "'$LATCHKEY' --json import --format passwd-hashes bad"
says "an object a line" err '{"error":{"code":"conflict","file":"bad","line":3,"field":"username","message":"\"mosq1\" is taken"}}'
"$LATCHKEY" export --with-secrets >after
same "nothing was changed" before after
check "--skip-bad takes the good" 4 "'$LATCHKEY' import --format passwd-hashes --skip-bad bad"
says "and says so" out "1 record added"
cp err skipped
check "a hash is shown nowhere" 1 "grep -F '{SHA}' skipped"
check "no format" 2 "'$LATCHKEY' import hashes"
check "an unknown format" 2 "'$LATCHKEY' import --format xml hashes"
check "no file" 3 "'$LATCHKEY' import --format shadow nowhere"
check "a directory" 2 "'$LATCHKEY' import --format shadow ."
check "an empty csv" 4 "'$LATCHKEY' import --format csv /dev/null"
printf 'a:%srounds=999999999%ssalt%sx\n' "\$6\$" "\$" "\$" >costly
check "a hash that costs too much" 4 "'$LATCHKEY' import --format passwd-hashes costly"
says "and why" err "costs too much"

# ---- CSV

printf 'username,E-mail,roles,Desk\r\n"smith, j",j@example.com,viewer,12\r\n' >people.csv
check "a spreadsheet" 0 "'$LATCHKEY' import --format csv --map E-mail=email --map Desk= people.csv"
check "found by e-mail" 0 "'$LATCHKEY' user show j@example.com"
check "csv export" 0 "'$LATCHKEY' export --format csv --output people2.csv"
says "quotes where it must" people2.csv '"smith, j"'
check "closed to others" 0 "stat -c %a people2.csv | grep -x 600"
check "hashes are not in it" 1 'grep -F "argon2id" people2.csv'

# ---- Export and restore

check "removed users are exported too" 0 "'$LATCHKEY' user remove web2"
key=$("$LATCHKEY" credential add api-key other1 --label meter)
recovery=$("$LATCHKEY" credential add recovery other1 2>/dev/null | sed -n 3p)
check "an export" 0 "'$LATCHKEY' export --with-secrets --output first.ndjson"
check "each line is JSON" 0 "jq -es 'all(.kind != null and .id != null)' first.ndjson"
check "restored into a new store" 0 "'$LATCHKEY' --db $work/second import --restore first.ndjson"
check "exported again" 0 "'$LATCHKEY' --db $work/second export --with-secrets --output second.ndjson"
same "the same bytes" first.ndjson second.ndjson
check "in order" 0 "'$LATCHKEY' --db $work/second verify"
check "nothing is missing" 1 "grep -F without err"
check "an API key is good there" 0 "'$LATCHKEY' --db $work/second session check '$key'"
says "by its beginning, too" second.ndjson "\"prefix\":\"$(printf '%.24s' "$key")\""
check "without a code nobody gets in" 1 "echo 'correct horse' | '$LATCHKEY' --db $work/second login other1 --password-stdin"
check "a recovery code is good there" 0 "echo 'correct horse' | '$LATCHKEY' --db $work/second login other1 --password-stdin --totp '$recovery'"
check "once" 1 "echo 'correct horse' | '$LATCHKEY' --db $work/second login other1 --password-stdin --totp '$recovery'"
logs_in "everybody logs in" unix1 "$work/second"
"$LATCHKEY" export >plain.ndjson
check "without secrets it is restored" 0 "'$LATCHKEY' --db $work/plain import --restore plain.ndjson"
says "and what is missing is told" err ", 1 recovery, 1 api_key"
says "the passwords, too" err "latchkey: import: without their secrets, which are not in the file: "
check "the key is dead there" 1 "'$LATCHKEY' --db $work/plain session check '$key'"
check "not over what is there" 4 "'$LATCHKEY' --db $work/second import --restore first.ndjson"
sed '$s/"kind"/"kinb"/' first.ndjson >damaged.ndjson
check "a damaged export" 4 "'$LATCHKEY' --db $work/third import --restore damaged.ndjson"
check "leaves no store" 1 "test -e $work/third"
check "an empty one" 4 "'$LATCHKEY' --db $work/third import --restore /dev/null"
check "nor does that" 1 "test -e $work/third"
check "over the limit" 4 "'$LATCHKEY' export --limit-bytes 1kB >limited"
check "nothing was written" 1 "test -s limited"
check "a second tenant" 0 "'$LATCHKEY' tenant add beta"
check "then it must be said which" 2 "'$LATCHKEY' export"
check "all of them" 0 "'$LATCHKEY' export --all-tenants"
check "or one" 0 "'$LATCHKEY' --tenant beta export"
check "which holds no other's" 1 "'$LATCHKEY' --tenant beta export | grep -F mosq1"

# ---- Backup

check "a backup" 0 "'$LATCHKEY' backup backup1"
check "not twice" 4 "'$LATCHKEY' backup backup1"
check "wrapped to a passphrase" 0 "echo 'some long passphrase' | '$LATCHKEY' backup backup2 --wrap-to passphrase --passphrase-stdin"
check "a short one is refused" 4 "echo short | '$LATCHKEY' backup backup3 --passphrase-stdin"
check "restored on another device" 0 "echo 'some long passphrase' | '$LATCHKEY' --db $work/device import --backup backup2 --passphrase-stdin"
check "every record of it" 0 "'$LATCHKEY' --db $work/device verify"
"$LATCHKEY" export --with-secrets --all-tenants >before
"$LATCHKEY" --db "$work/device" export --with-secrets --all-tenants >after
same "the same records" before after
for user in mosq1 unix1 other2; do
    number=$((number + 1))
    if echo 'correct horse' | "$LATCHKEY" --db "$work/device" --tenant acme login "$user" \
        --password-stdin >/dev/null 2>err; then
        echo "ok $number $user logs in there"
    else
        echo "not ok $number $user logs in there"
    fi
done
check "without the passphrase: nothing" 2 "'$LATCHKEY' --db $work/thief import --backup backup2"
check "with another: nothing" 5 "echo 'another passphrase' | '$LATCHKEY' --db $work/thief import --backup backup2 --passphrase-stdin"
check "nor as a store with any secret" 5 "cp -r backup2 stolen; cp store/secret stolen/; '$LATCHKEY' --db stolen stats"
check "and no trace is left of the tries" 1 "ls -A $work | grep -F .thief"
check "it is in the audit" 0 "'$LATCHKEY' --tenant acme audit list --action import | grep -F import"

echo "1..$number"
