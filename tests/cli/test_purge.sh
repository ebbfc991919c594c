#!/bin/sh
# SPDX-License-Identifier: MIT
# What is purged cannot be read from the store's files any more, wherever in them it was: in live
# pages, in pages that are free, in the gaps of others. And a backup tells nothing without its
# passphrase, but everybody logs in to what is made from it on another device.
set -u
script=test_purge.sh
# shellcheck source=tests/cli/cli_help.sh
. tests/cli/cli_help.sh

marks=$area/marks

# scan WHERE: what is found of the marks is in $area/out
scan() {
    # shellcheck disable=SC2086 # $python is a command with its option
    run $python $here/purge_scan.py "$1" "$marks"
}

# none NAME WHERE: no mark is there
none() {
    scan "$2"
    if [ "$status" -eq 0 ] && [ ! -s "$area/out" ]; then
        pass "$1"
    else
        fail "$1" "$(told)"
    fi
}

id_of() {
    lk "$@" --json | sed -n 's/.*"external_id":"\([^"]*\)".*/\1/p'
}

# repeat TEXT COUNT
repeat() {
    awk -v text="$1" -v count="$2" 'BEGIN { while (count-- > 0) printf "%s", text }'
}

# ---- A user with something in every field, and a past --------------------------------------------

must give "$password" lk init --tenant acme --password-stdin
n=0
while [ $n -lt 30 ]; do
    must lk user add "neighbour-$n" "email=n$n@acme.example" "display_name=Neighbour $n" --quiet
    n=$((n + 1))
done

# live NAME: makes the user NAME, who leaves bytes that begin with NAME everywhere
live() {
    name=$1
    fill=$(repeat "$name-fill-" 60)
    must give "$name-first-password" lk user add "$name-login" "email=$name-mail@$name.example" \
        "display_name=$name-Display Name" "identity_provider=$name-idp" \
        "identity_provider_id=$name-idp-id" "metadata={\"$name-key\":[\"$name-value\",1]}" \
        --password-stdin
    # Values of before, small and so large that they lie in pages of their own.
    must lk user set "$name-login" "display_name=$name-Old Name"
    must lk user set "$name-login" "metadata={\"$name-big\":\"$fill$fill$fill$fill\"}"
    must lk user set "$name-login" "metadata={\"$name-key\":\"$fill\"}"
    must lk user set "$name-login" "email=$name-other@$name.example"
    must lk user set "$name-login" "username=$name-renamed"
    must lk user set "$name-renamed" "username=$name-login" "email=$name-mail@$name.example"
    must give 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6L2V3Wxuz4bGsUoBSoMLsRJk4tHoAVIYhnLWzVmKPB '"$name-comment" \
        lk credential add ssh-key "$name-login" --label "$name-ssh label"
    must lk credential add api-key "$name-login" --label "$name-api label"
    key=$(cat "$area/out")
    must lk role grant "$name-login" operator
    must lk role grant "$name-login" viewer --until 3d
    must give "$name-first-password" lk login "$name-login" --password-stdin
    token=$(cat "$area/out")
    must give "$name-first-password" lk login "$name-mail@$name.example" --password-stdin
    must lk session check "$token" --permission user:read
    must lk session check "$key"
    must give "$name-second-password" lk user passwd "$name-login" --password-stdin
    must give "$name-second-password" lk login "$name-login" --password-stdin
    second=$(cat "$area/out")
    for word in wrong bad worse; do
        run give "$name-$word-password" lk login "$name-login" --password-stdin
    done
    must lk user suspend "$name-login"
    must lk user activate "$name-login"
    must lk role revoke "$name-login" viewer
    # Everybody else goes on; pages are used again.
    must lk --tenant acme user set neighbour-1 "display_name=Neighbour of one"
    must give "$password" lk --tenant acme login admin --password-stdin
    {
        for word in fill login mail display key value old big other renamed comment ssh api idp \
            idp-id first-password second-password wrong-password bad-password worse-password; do
            echo "$name-$word"
        done
        echo "$name"
        echo "uuid:$(id_of user show "$name-login")"
        for secret in "$token" "$second" "$key"; do
            echo "$secret"
            echo "${secret#lk?_}"
            echo "token:$secret"
        done
    } >>"$marks"
}

: >"$marks"
live zebra
scan "$db"
is "the marks of a living user are seen, old values too" "1 5 1" \
    "$status $(grep -c '^zebra-\(login\|mail\|fill\|comment\|ssh\):' "$area/out") $((
        $(grep -c '^zebra-\(old\|renamed\|other\|big\):' "$area/out") > 0))"
grep 'password\|lk[sa]_' "$marks" >"$area/secrets"
# shellcheck disable=SC2086
expect 0 "but no password, token or key" $python $here/purge_scan.py "$db" "$area/secrets"

# ---- Purged, from life ---------------------------------------------------------------------------

count=$(lk audit list --all --json | grep -c '"seq"')
expect 0 "purge" lk user purge zebra-login --yes
is "it tells what it cost" 1 "$(grep -c '^purged; [0-9]* bytes of the store overwritten$' "$area/out")"
none "nothing of the user is left in any file" "$db"
verified "after the purge"
is "the audit is all there, and says what was done" "$((count + 1)) user.purge" \
    "$(lk audit list --all --json | grep -c '"seq"') $(lk audit list --json --limit 1 --outcome success |
        sed -n 's/.*"action":"\([^"]*\)".*/\1/p')"
{
    lk audit list --all --json
    lk audit export
    lk export --with-secrets
    lk user list --all --deleted --json
} >"$area/audit" 2>&1
is "and names nobody" 0 "$(grep -ci zebra "$area/audit")"
expect 1 "its session is over" lk session check "$second"
expect 1 "its key is dead" lk session check "$key"
expect 0 "its name is free" lk user add zebra-login
expect 0 "and goes again" lk user purge zebra-login --yes
none "leaving nothing" "$db"

# ---- Purged after a removal, and with others in the way -----------------------------------------

: >"$marks"
live yapok
must lk user remove yapok-login
expect 0 "a removed user is purged by name" lk user purge yapok-login --yes
none "nothing of the removed user is left" "$db"
verified "after that purge"

: >"$marks"
live xerus
# A reader that stands still keeps what it sees: the program says so, and compact mends it.
n=0
while [ $n -lt 120 ]; do
    must lk user set "neighbour-$((n % 30))" "metadata={\"k\":\"$(repeat "filler $n " 320)\"}"
    n=$((n + 1))
done
mkfifo "$area/pipe"
lk export --with-secrets >"$area/pipe" 2>"$area/export-err" &
reader=$!
exec 3<"$area/pipe"
head -c 1 <&3 >"$area/first" # the export is under way: it has its snapshot
run lk user purge xerus-login --yes
is "a purge in the way of a reader tells what to do" "5 1" \
    "$status $(grep -c '^latchkey: user purge: .*run compact' "$area/err")"
expect 3 "the user is gone" lk user show xerus-login
cat <&3 >/dev/null
exec 3<&-
wait "$reader"
is "the reader was not disturbed" "0 " "$? $(cat "$area/export-err")"
expect 0 "compact when it is over" lk compact
none "nothing is left then" "$db"
verified "after compact"

# ---- A tenant, a role ----------------------------------------------------------------------------

: >"$marks"
must lk tenant add walrus-tenant 'display_name=walrus-display' 'metadata={"walrus":"walrus-meta"}'
LATCHKEY_TENANT=walrus-tenant
export LATCHKEY_TENANT
live walrus
must lk role add walrus-role description=walrus-description
must lk permission add walrus-thing:open description=walrus-permission
must lk role permit walrus-role walrus-thing:open
echo "uuid:$(id_of tenant show walrus-tenant)" >>"$marks"
unset LATCHKEY_TENANT
expect 0 "purge of a tenant" lk tenant purge walrus-tenant --yes
none "nothing of it is left" "$db"
verified "after the tenant went"
is "only the other is there" "acme" "$(lk tenant list --json |
    sed -n 's/.*"name":"\([^"]*\)".*/\1/p')"
: >"$marks"
must lk role add vulture-role description=vulture-text
must lk role grant neighbour-3 vulture-role
must lk role remove vulture-role
expect 0 "purge of a role" lk role purge vulture-role --yes
echo vulture >"$marks"
none "nothing of it is left either" "$db"
verified "after the role went"

# ---- Backup ----------------------------------------------------------------------------------------

passphrase='a passphrase for the day that must not come'
: >"$marks"
live umbrette
: >"$area/people"
for n in 1 2 3 4 5; do
    must give "password of $n" lk user passwd neighbour-$n --password-stdin
    echo "neighbour-$n password of $n" >>"$area/people"
done
cat >"$area/old.txt" <<'END'
imported:$7$101$a249Hb6aszIVc/wH$A4HSMiRxiFcihXM5YBLgowNi5bLZJwYUhbh1jy+hF1FNL34kIreNtCdQ/JfSaVExYdFZ4b4NKUXu1z6h1SXBYg==
END
must lk import --format mosquitto "$area/old.txt"
cat >>"$area/people" <<END
imported what was always used
umbrette-login umbrette-second-password
admin $password
END
# shellcheck disable=SC2016 # nothing there is to be expanded
{
    cut -d ' ' -f 2- "$area/people"
    grep 'password\|lk[sa]_' "$marks"
    echo "$passphrase"
    echo "hex:$(od -An -tx1 -v "$db/secret" | tr -d ' \n')"
    # Verifiers, as bytes: salts and hashes are sealed.
    lk export --with-secrets | sed -n 's/.*"verifier":"\$argon2id[^"]*\$\([^$]*\)\$\([^"$]*\)".*/base64:\1 base64:\2/p' |
        tr ' ' '\n'
    sed 's/.*\$101\$\([^$]*\)\$\(.*\)/base64:\1 base64:\2/' "$area/old.txt" | tr ' ' '\n'
} >"$area/secrets"
cp "$area/secrets" "$marks"
is "secrets to look for" 1 "$(($(wc -l <"$marks") > 35))"

lk export --with-secrets --all-tenants >"$area/before"
expect 0 "backup for a passphrase" give "$passphrase" lk backup "$area/wrapped" \
    --wrap-to passphrase --passphrase-stdin
none "no secret is in it" "$area/wrapped"
is "nor the file of one" "data.mdb" "$(ls "$area/wrapped")"
is "others may not read it" "700 600" \
    "$(stat -c %a "$area/wrapped") $(stat -c %a "$area/wrapped/data.mdb")"
expect 0 "backup for this device" lk backup "$area/plain"
none "no secret is in that either" "$area/plain"
expect 4 "a backup goes over nothing" lk backup "$area/plain"
expect 4 "an empty passphrase is none" give '' lk backup "$area/empty" --passphrase-stdin
expect 4 "a short one, too" give 'short' lk backup "$area/empty" --passphrase-stdin
is "and nothing is made" 1 "$([ -e "$area/empty" ]; echo $?)"

# The device is dead: nothing of it is used from here on.
mv "$db" "$area/dead"
db=$area/replaced
expect 2 "without the passphrase it does not come back" lk import --backup "$area/wrapped"
is "and there is no store then" 1 "$([ -e "$db" ]; echo $?)"
expect 5 "nor with another" give 'a passphrase for another day altogether' \
    lk import --backup "$area/wrapped" --passphrase-stdin
is "and no store again" 1 "$([ -e "$db" ]; echo $?)"
for command in 'user list' verify 'export --with-secrets' stats 'audit list'; do
    # shellcheck disable=SC2086 # words
    expect 5 "the backup itself does not open: $command" "$LATCHKEY" --db "$area/wrapped" $command
    # shellcheck disable=SC2086
    expect 5 "nor with the secret of the dead device" \
        "$LATCHKEY" --db "$area/wrapped" --secret "$area/dead/secret" $command
done
expect 5 "a backup for the device does not open by a passphrase" give "$passphrase" \
    lk import --backup "$area/plain" --passphrase-stdin
expect 0 "with the passphrase it comes back" give "$passphrase" \
    lk import --backup "$area/wrapped" --passphrase-stdin
verified "on the other device"
cmp -s "$db/secret" "$area/dead/secret"
is "which has a secret of its own" 1 $?
in=0
while read -r name secret; do
    run give "$secret" lk login "$name" --password-stdin
    [ "$status" -ne 0 ] || in=$((in + 1))
done <"$area/people"
is "every login works" 8 $in
expect 1 "no other does" give 'not the password' lk login admin --password-stdin
cp -r "$area/wrapped" "$area/wrapped-again"
db=$area/third
must give "$passphrase" lk import --backup "$area/wrapped" --passphrase-stdin
lk export --with-secrets --all-tenants >"$area/after"
same "all is there, to the byte" "$area/before" "$area/after"
is "and the backup is as it was" 0 "$(cmp -s "$area/wrapped/data.mdb" "$area/wrapped-again/data.mdb"
    echo $?)"
expect 0 "a key of before still works" lk session check "$key"
db=$area/fourth
expect 2 "the other backup needs the dead device's secret" lk import --backup "$area/plain"
cp "$area/dead/secret" "$area/carried"
expect 0 "and comes back with it" lk --secret "$area/carried" import --backup "$area/plain"
expect 0 "verified" lk --secret "$area/carried" verify
expect 0 "logged in" give "$password" lk --secret "$area/carried" login admin --password-stdin
# What was purged before the backup is not in it.
printf '%s\n' zebra yapok xerus walrus vulture >"$marks"
for place in wrapped plain third fourth dead; do
    none "nobody purged is in $place" "$area/$place"
done
