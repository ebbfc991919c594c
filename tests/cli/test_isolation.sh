#!/bin/sh
# SPDX-License-Identifier: MIT
# Tenants never mix. Every command is tried from one tenant with what belongs to another: numbers,
# names, addresses, tokens, keys, cursors. It must be answered as for something that is nowhere, to
# the byte; nothing of the other tenant may be printed, and nothing of it may change.
set -u
script=test_isolation.sh
# shellcheck source=tests/cli/cli_help.sh
. tests/cli/cli_help.sh

# Whatever belongs to the other tenant holds this.
mark=zqx

# hide TEXT: standard input without it
hide() {
    HIDE=$1 awk 'BEGIN { h = ENVIRON["HIDE"] }
        { while (h != "" && (i = index($0, h))) $0 = substr($0, 1, i - 1) "%R" substr($0, i + length(h))
          print }'
}

# attempt REF WORD...: the words with REF in place of %R, in the tenant that is not its own
attempt() {
    ref=$1
    shift
    count=$#
    while [ "$count" -gt 0 ]; do
        word=$1
        shift
        case $word in
        *%R*) word=${word%%\%R*}$ref${word#*%R} ;;
        esac
        set -- "$@" "$word"
        count=$((count - 1))
    done
    run give "$input" lk --tenant acme "$@"
    { cat "$area/out" "$area/err" | hide "$ref"; echo "status $status"; } >"$area/hidden"
}

# alike REF ABSENT WORD...: the same answer for what is another's as for what is nowhere
input='nothing of use'
alike() {
    theirs=$1 absent=$2
    shift 2
    attempt "$absent" "$@"
    cp "$area/hidden" "$area/absent"
    absent_status=$status
    attempt "$theirs" "$@"
    if ! cmp -s "$area/hidden" "$area/absent"; then
        fail "[$theirs] $*" "of another tenant: $(cat "$area/hidden")
that is nowhere:   $(cat "$area/absent")"
    elif grep -aqi "$mark" "$area/hidden"; then
        fail "[$theirs] $*" "it shows something of the other: $(cat "$area/hidden")"
    elif [ "$absent_status" -eq 5 ] || [ "$absent_status" -gt 6 ]; then
        fail "[$theirs] $*" "$(cat "$area/hidden")"
    else
        pass "[$theirs] $*: $status"
    fi
}

# silent WORD...: whatever the status, nothing of the other tenant
silent() {
    attempt "" "$@"
    if grep -aqi "$mark" "$area/out" "$area/err" || [ "$status" -eq 5 ] || [ "$status" -gt 6 ]; then
        fail "$*" "$(told)"
    else
        pass "$*: $status"
    fi
}

# ---- Two tenants ---------------------------------------------------------------------------------

must give "$password" lk init --tenant acme --password-stdin
must lk --tenant acme user add anna email=anna@acme.example --quiet
must lk --tenant acme role grant anna operator
# Names that nobody has share their counts of failures; here no two may meet.
must lk tenant set acme lockout_failures=0
must lk tenant add $mark-tenant "display_name=Display $mark" "metadata={\"$mark\":1}"
n=0
while [ $n -lt 20 ]; do
    must lk --tenant $mark-tenant user add "$mark-many-$n" "email=many-$n@$mark.example"
    n=$((n + 1))
done
must give "$password" lk --tenant $mark-tenant user add $mark-user email=user@$mark.example \
    "display_name=Person $mark" identity_provider=$mark-idp identity_provider_id=$mark-idp-id \
    "metadata={\"$mark\":\"$mark\"}" --password-stdin
must lk --tenant $mark-tenant permission add $mark:open "description=$mark"
n=0
while [ $n -lt 5 ]; do
    must lk --tenant $mark-tenant role add $mark-role-$n "description=$mark"
    must lk --tenant $mark-tenant permission add "$mark-$n:close"
    n=$((n + 1))
done
must lk --tenant $mark-tenant role add $mark-role permissions=$mark:open,user:read
must lk --tenant $mark-tenant role add $mark-gone
must lk --tenant $mark-tenant role remove $mark-gone
must lk --tenant $mark-tenant permission add $mark:gone
must lk --tenant $mark-tenant permission remove $mark:gone
must lk --tenant $mark-tenant role grant $mark-user $mark-role
must lk --tenant $mark-tenant user add $mark-gone email=gone@$mark.example
must lk --tenant $mark-tenant user remove $mark-gone
must give "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6L2V3Wxuz4bGsUoBSoMLsRJk4tHoAVIYhnLWzVmKPB $mark@host" \
    lk --tenant $mark-tenant credential add ssh-key $mark-user --label "$mark ssh"
must lk --tenant $mark-tenant credential add api-key $mark-user --label "$mark api"
key=$(cat "$area/out")
must give "$password" lk --tenant $mark-tenant login $mark-user --password-stdin
token=$(cat "$area/out")
must give "$password" lk --tenant acme login admin --password-stdin
own=$(cat "$area/out")

shown() {
    lk --tenant $mark-tenant "$@" --json
}
text() {
    sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"
}
number() {
    sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"
}
user_id=$(shown user show $mark-user | number id)
user_uuid=$(shown user show $mark-user | text external_id)
role_id=$(shown role show $mark-role | number id)
permission_id=$(shown permission show $mark:open | number id)
session_id=$(shown session list $mark-user | text id)
credential_id=$(shown credential list $mark-user | number id | tail -n 1)
gone_id=$(shown user show --deleted $mark-gone | number id)
cursor_id=$(shown user list --limit 5 | text next)
cursor_email=$(shown user list --by email --limit 5 | text next)
cursor_name=$(shown user list --by username --limit 5 | text next)
cursor_role=$(shown role list --by name --limit 5 | text next)
for fact in "$user_id" "$user_uuid" "$role_id" "$permission_id" "$session_id" "$credential_id" \
    "$gone_id" "$cursor_id" "$cursor_email" "$cursor_name" "$cursor_role"; do
    [ -n "$fact" ] || fail "a fact of the other tenant is missing" "$user_id $user_uuid $role_id \
$permission_id $session_id $credential_id $gone_id $cursor_id $cursor_email $cursor_name"
done

lk --tenant $mark-tenant export --with-secrets >"$area/theirs"
lk --tenant acme export --with-secrets >"$area/ours"
grep -q $mark "$area/theirs" && ! grep -qi $mark "$area/ours"
is "an export is of one tenant" 0 $?

# ---- Users ---------------------------------------------------------------------------------------

for pair in "$mark-user nobody-x" "user@$mark.example none@nowhere.example" "#$user_id #4000" \
    "$mark-gone nobody-x" "#$gone_id #4000"; do
    ref=${pair% *} absent=${pair#* }
    alike "$ref" "$absent" user show %R
    alike "$ref" "$absent" user show %R --json
    alike "$ref" "$absent" user show %R --deleted
    alike "$ref" "$absent" user set %R display_name=Mallory
    alike "$ref" "$absent" user suspend %R
    alike "$ref" "$absent" user activate %R
    alike "$ref" "$absent" user unlock %R
    alike "$ref" "$absent" user remove %R
    alike "$ref" "$absent" user restore %R
    alike "$ref" "$absent" user purge %R --yes
    input=$password
    alike "$ref" "$absent" user passwd %R --password-stdin
    alike "$ref" "$absent" login %R --password-stdin
    alike "$ref" "$absent" login %R --password-stdin --json
    input='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6L2V3Wxuz4bGsUoBSoMLsRJk4tHoAVIYhnLWzVmKPB m@m'
    alike "$ref" "$absent" credential add ssh-key %R
    input='nothing of use'
    alike "$ref" "$absent" credential add api-key %R
    alike "$ref" "$absent" credential list %R
    alike "$ref" "$absent" credential remove %R "$credential_id"
    alike "$ref" "$absent" session list %R
    alike "$ref" "$absent" session end-all %R
    alike "$ref" "$absent" role grant %R operator
    alike "$ref" "$absent" role revoke %R operator
    alike "$ref" "$absent" permission check %R user:read
    alike "$ref" "$absent" permission why %R user:read
    alike "$ref" "$absent" audit list --user %R
    alike "$ref" "$absent" audit export --user %R
done
alike "$mark-user" nobody-x user find username=%R
alike "user@$mark.example" none@nowhere.example user find email=%R
alike "$user_uuid" 01234567-89ab-4cde-8f01-23456789abcd user find external_id=%R
alike "$mark-idp-id" nothing-id user find identity_provider=$mark-idp identity_provider_id=%R
alike "$user_uuid" 01234567-89ab-4cde-8f01-23456789abcd user find identity_provider=local identity_provider_id=%R
alike "$mark-user" nobody-x user list username=%R
alike "user@$mark.example" none@nowhere.example user list email=%R --by email
alike "$mark-role" no-role user list roles=%R
alike "$mark-role" no-role user list roles=%R --by role
alike "#$role_id" "#4000" user list roles=%R
alike "$user_uuid" 01234567-89ab-4cde-8f01-23456789abcd user list external_id=%R

# ---- Tokens and keys -----------------------------------------------------------------------------

# The same with other secret bytes, and of a session that never was.
false_token=$(echo "$token" | sed 's/.\{10\}$/AAAAAAAAAA/')
false_key=$(echo "$key" | sed 's/.\{10\}$/AAAAAAAAAA/')
for pair in "$token $false_token" "$key $false_key"; do
    ref=${pair% *} absent=${pair#* }
    alike "$ref" "$absent" session check %R
    alike "$ref" "$absent" session check %R --json
    alike "$ref" "$absent" session check %R --permission user:read
    alike "$ref" "$absent" session end-all admin --except %R
    alike "$ref" "$absent" logout %R
done
alike "$session_id" 4000.1 session end %R
alike "${session_id%.*}" 4000 session end "%R.1"
alike "$credential_id" 4000 credential remove admin %R
alike "$credential_id" 4000 credential remove anna %R

# ---- Roles and permissions -----------------------------------------------------------------------

for pair in "$mark-role no-role" "#$role_id #4000" "$mark-gone no-role"; do
    ref=${pair% *} absent=${pair#* }
    alike "$ref" "$absent" role show %R
    alike "$ref" "$absent" role show %R --deleted
    alike "$ref" "$absent" role set %R description=taken
    alike "$ref" "$absent" role permit %R user:read
    alike "$ref" "$absent" role forbid %R user:read
    alike "$ref" "$absent" role grant anna %R
    alike "$ref" "$absent" role revoke anna %R
    alike "$ref" "$absent" role remove %R
    alike "$ref" "$absent" role restore %R
    alike "$ref" "$absent" role purge %R --yes
    alike "$ref" "$absent" role add child parent=%R
    alike "$ref" "$absent" role set viewer parent=%R
    alike "$ref" "$absent" role list parent=%R
    alike "$ref" "$absent" credential add api-key anna --roles %R
done
for pair in "$mark:open no:such" "#$permission_id #4000" "$mark:gone no:such"; do
    ref=${pair% *} absent=${pair#* }
    alike "$ref" "$absent" permission show %R
    alike "$ref" "$absent" permission set %R description=taken
    alike "$ref" "$absent" permission remove %R
    alike "$ref" "$absent" permission restore %R
    alike "$ref" "$absent" role permit viewer %R
    alike "$ref" "$absent" role forbid viewer %R
    alike "$ref" "$absent" role add child permissions=%R
    alike "$ref" "$absent" role set viewer permissions=%R
    alike "$ref" "$absent" role list permissions=%R
done
for pair in "$mark:open no:such" "$mark:gone no:such"; do
    ref=${pair% *} absent=${pair#* }
    alike "$ref" "$absent" permission check anna %R
    alike "$ref" "$absent" permission why admin %R
    alike "$ref" "$absent" session check "$own" --permission %R --no-touch
done

# ---- Lists, cursors, the audit, imports ----------------------------------------------------------

silent user list --all
silent user list --all --json
silent user list --all --deleted --json
silent user list --all --wide --columns id,username,email,display_name,metadata,external_id
for index in username email active_email role active_role status created_at created_role \
    external_id provider last_login; do
    for cursor in "$cursor_id" "$cursor_email" "$cursor_name" "$cursor_role"; do
        silent user list --all --by $index --json --after "$cursor"
        silent user list --all --by $index --json --after "$cursor" --reverse
    done
done
for cursor in "$cursor_id" "$cursor_email" "$cursor_name" "$cursor_role"; do
    silent role list --json --all --by name --after "$cursor"
    silent role list --json --all --reverse --after "$cursor"
    silent permission list --json --all --after "$cursor"
    silent permission list --json --all --by pair --after "$cursor"
    silent session list --json --all --after "$cursor"
    silent credential list anna --json --all --after "$cursor"
done
silent role list --all --json
silent role list --all --json --deleted
silent permission list --all --json
silent permission list --all --json --deleted
silent session list --all --json
silent credential list anna --all --json
silent tenant show
silent tenant show --json
for resource in user "user:$user_id" "user:$gone_id" "role:$role_id" "grant:$user_id.$role_id" \
    "session:$session_id" tenant tenant:2 "credential:$user_id.$credential_id"; do
    silent audit list --json --all --resource "$resource"
done
silent export --with-secrets
silent export --format csv
silent export --kind role --format csv
silent export --kind credential --with-secrets
silent describe user --json

# A file that names what is another's: ids are passed over, names looked for at home.
for role in $mark-role no-role; do
    echo "{\"kind\":\"user\",\"id\":{\"tenant\":2,\"user\":$user_id},\"username\":\"taker\",\"roles\":[\"$role\"]}" \
        >"$area/take"
    attempt "" import --format ndjson "$area/take"
    hide "$role" <"$area/hidden" >"$area/$role"
done
same "a role of the other in a file is none" "$area/no-role" "$area/$mark-role"
cat >"$area/over.ndjson" <<END
{"kind":"user","id":{"tenant":2,"user":$user_id},"username":"over","display_name":"Over Written"}
{"kind":"role","id":{"tenant":2,"sub":$role_id},"name":"over","permissions":[1]}
{"kind":"grant","id":{"tenant":2,"user":$user_id,"sub":1},"role":1}
END
silent import --format ndjson "$area/over.ndjson"
silent import --format ndjson --skip-bad "$area/over.ndjson"
# ---- What is unique over the store ---------------------------------------------------------------

run lk --tenant acme user add mallory "external_id=$user_uuid"
is "an external id is taken by whoever has it" 4 $status
grep -qi $mark "$area/err"
is "without saying who" 1 $?
run lk --tenant acme user set anna identity_provider=$mark-idp identity_provider_id=$mark-idp-id
is "so is a provider's id" 4 $status
hide "$mark-idp-id" <"$area/err" | hide "$mark-idp" | grep -qi $mark
is "without saying who has it" 1 $?
# ---- Nothing of it changed -----------------------------------------------------------------------

lk --tenant $mark-tenant export --with-secrets >"$area/after"
same "the other tenant is as it was" "$area/theirs" "$area/after"
expect 0 "its session stands" lk session check "$token" --no-touch
expect 0 "its key does, too" lk --tenant $mark-tenant session check "$key" --no-touch
expect 0 "its user logs in" give "$password" lk --tenant $mark-tenant login $mark-user --password-stdin
expect 0 "its user still has its right" lk --tenant $mark-tenant permission check $mark-user $mark:open
lk --tenant $mark-tenant audit list --all --json | grep -qi '"actor":"a\|acme\|mallory\|taken'
is "nothing of the attempts is in its audit" 1 $?
lk --tenant acme audit export >"$area/audit"
verified "after all this"

# ---- The same names in several tenants -----------------------------------------------------------

expect 0 "names are each tenant's own" \
    lk --tenant acme role add $mark-role-1 description=ours
expect 0 "and stay so" lk --tenant $mark-tenant role set $mark-role-1 "description=$mark too"
is "each its own" "ours" "$(lk --tenant acme role show $mark-role-1 |
    sed -n 's/^description: *//p')"
must lk tenant add copy
sed 's/,"external_id":"[^"]*"//; s/,"identity_provider[a-z_]*":"[^"]*"//g' \
    "$area/theirs" >"$area/copy.ndjson"
run lk --tenant copy import --format ndjson --skip-bad "$area/copy.ndjson"
is "an export, without what is unique, makes new records in another tenant" "copy 21" \
    "$(lk --tenant copy user list --all --json | text tenant | sort -u) $(
        lk --tenant copy user list --all --json | grep -c '"username"')"
expect 0 "with passwords of their own" \
    give "$password" lk --tenant copy login $mark-user --password-stdin
copied=$(cat "$area/out")
expect 1 "whose tokens are not the other's" lk --tenant $mark-tenant session check "$copied"
expect 0 "but theirs" lk --tenant copy session check "$copied"
must give 'another password' lk --tenant copy user passwd $mark-user --password-stdin
expect 0 "to be changed apart" \
    give "$password" lk --tenant $mark-tenant login $mark-user --password-stdin
must lk tenant purge copy --yes
verified "after a copy was purged"

# ---- The console of a person of another tenant than the first ------------------------------------

must give "$password" lk --tenant $mark-tenant user add guest --password-stdin
must lk --tenant $mark-tenant role grant guest admin
must lk --tenant acme user add wvk-user email=wvk@wvk.example display_name='Wvk Wvk'
must lk --tenant acme role add wvk-role
must lk tenant add wvk-third
must lk tenant add wvk-fourth
wvk_fourth=$(lk tenant show wvk-fourth --json | number id)
must lk tenant remove wvk-fourth
wvk_id=$(lk --tenant acme user show wvk-user --json | number id)
lk --tenant acme export >"$area/ours"
# What it may say, for each line typed: E and a status, or O where it may be done.
cat >"$area/typed" <<END
E3 user show wvk-user
E3 user show wvk@wvk.example
E3 --tenant acme user list
E3 --tenant acme user show anna
E3 --tenant wvk-third user list
E3 --tenant #1 user list
E3 tenant show acme
E3 tenant show #1
E3 tenant show #3
E3 tenant show wvk-third
E3 tenant show wvk-fourth --deleted
E3 tenant show #$wvk_fourth --deleted
E3 tenant show acme --deleted
E3 tenant set acme display_name=Taken
E3 tenant set #1 display_name=Taken
E1 tenant list
E1 tenant add more
E1 tenant suspend acme
E1 tenant activate acme
E1 tenant remove acme
E1 tenant restore acme
E1 tenant purge acme --yes
E1 stats
E1 verify
E1 compact
E1 maintain
E1 audit list --store
E1 audit export --store
E1 session check $own
E2 logout $own
E3 session list wvk-user
E3 role show wvk-role
E3 role grant guest wvk-role
E3 user find email=wvk@wvk.example
E3 user show #$((wvk_id + 1000))
O user list --all --json
O role list --all --json
O session list --all --json
O audit list --all --json
O tenant show --json
O permission check guest user:write
E2 export
E2 import --format csv /etc/passwd
E2 backup /tmp/copy
E2 init
E2 console
E2 login anna
O user show #1 --json
O user show #$user_id --json
END
# shellcheck disable=SC2086 # $python is a command with its option
run $python $here/isolation_console.py "$LATCHKEY" "$db" $mark-tenant/guest "$password" "$area/typed" \
    wvk anna acme 'correct horse'
grep '^not ok\|^ok' "$area/out" >"$area/said" || true
while read -r line; do
    case $line in
    'ok '*) pass "console: ${line#ok }" ;;
    *) fail "console: ${line#not ok }" ;;
    esac
done <"$area/said"
is "the console was used to its end" "0 $(grep -c . "$area/typed")" "$status $(grep -c . "$area/said")"
[ "$status" -eq 0 ] || sed 's/^/# /' "$area/err"
lk --tenant acme export >"$area/after"
same "and nothing of the first tenant changed" "$area/ours" "$area/after"

# ---- Names that want to be something else --------------------------------------------------------

hundred=$(printf '%0100d' 0)
cyrillic=$(printf '\320\260cme') # looks like acme
composed=$(printf 'caf\303\251') decomposed=$(printf 'cafe\314\201')
names="$area/names"
# shellcheck disable=SC2016,SC1003 # nothing there is to be expanded
{
    printf '%s\n' '..' '/' '../acme' 'acme/' '/etc' './acme' '"acme"' "'acme'" 'acme;' '$(id)' '`id`'
    printf '%s\n' '*' '%s%n' 'a=b' 'acme=x' '-' '-x' '--' '--json' '--tenant' 'acme ' ' acme' 'ac me'
    printf '%s\n' '\' 'a\nb' '{"a":1}' '0' '1' '2' '1.1' 'null' 'main' 'acme.' 'acme:x' '~' '@'
    printf '%s\n' "$hundred" "$cyrillic" "$composed" "$decomposed" '😀' 'acme#1' 'a,b' 'a;b' '%R'
} >"$names"
n=0
while IFS= read -r name; do
    n=$((n + 1))
    run lk tenant add -- "$name"
    if [ $status -ne 0 ]; then
        echo "refused" >>"$area/refused"
        expect 4 "tenant '$name' is refused by a rule" lk tenant add -- "$name"
        continue
    fi
    run lk --tenant="$name" user add "only-$n" "email=only-$n@example.org" --quiet
    is "tenant '$name' has a user" 0 $status
done <"$names"
n=0
while IFS= read -r name; do
    n=$((n + 1))
    run lk --tenant="$name" user list --all --json
    [ $status -ne 3 ] || continue
    is "tenant '$name' has that one only" "only-$n" "$(text username <"$area/out" | tr '\n' ' ' |
        sed 's/ $//')"
    expect 3 "and not its neighbour's" lk --tenant="$name" user show "only-$((n - 1))"
    if [ "$name" != "--" ]; then
        expect 0 "it is shown by its name" lk tenant show -- "$name"
    fi
done <"$names"
is "the first tenant has none of them" "" "$(lk --tenant acme user list --all --json |
    grep '"only-')"
for name in ACME Acme acmE; do
    expect 4 "tenant $name is acme" lk tenant add $name
    expect 0 "and found as it" lk --tenant $name user show anna
done
for name in '' '#1' '#' '#x' "${hundred}0" "$(printf 'a\001b')" "$(printf 'a\377b')" \
    "$(printf 'a\033[2Jb')" "$(printf '\355\240\200')" "$(printf 'a\302\205b')"; do
    expect 4 "a tenant is not called '$(printf '%s' "$name" | cut -c 1-20 | tr -c '[:print:]' '?')'" \
        lk tenant add -- "$name"
done

n=0
while IFS= read -r name; do
    n=$((n + 1))
    name=$(printf '%s' "$name" | cut -c 1-64)
    run lk --tenant acme user add -- "$name" "display_name=Number $n"
    if [ $status -ne 0 ]; then
        expect 4 "user '$name' is refused by a rule" lk --tenant acme user add -- "$name"
        continue
    fi
    is "user '$name' is found as itself" "Number $n" "$(lk --tenant acme user show -- "$name" |
        sed -n 's/^display_name: *//p')"
done <"$names"
for name in '' '#1' '#admin' 'admin@acme.example' 'ANNA' 'anna@acme.example' "${hundred%????????????????????????????????????}1"; do
    expect 4 "a user is not called '$name'" lk --tenant acme user add -- "$name"
done
must lk --tenant acme user add bob display_name='The first'
must lk --tenant acme user add "$(printf 'b\320\276b')" display_name='The other'
is "a look-alike is another" "The first" "$(lk --tenant acme user show bob |
    sed -n 's/^display_name: *//p')"
for kind in role permission; do
    for name in '#1' '#' '#x'; do
        set -- resource=a action=b
        [ $kind = permission ] || set --
        expect 4 "a $kind is not called '$name', which stands for a number" \
            lk --tenant acme $kind add "$name" "$@"
    done
done
verified "after all names"
