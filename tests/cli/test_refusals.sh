#!/bin/sh
# SPDX-License-Identifier: MIT
# Every check, unique key and reference refuses with status 4 and names the field; wrong words are
# status 2, what is not there 3. A refusal changes nothing, is one line on standard error and
# nothing on standard output, and with --json one object that says the same.
set -u
script=test_refusals.sh
# shellcheck source=tests/cli/cli_help.sh
. tests/cli/cli_help.sh

key='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6L2V3Wxuz4bGsUoBSoMLsRJk4tHoAVIYhnLWzVmKPB'
uuid=01234567-89ab-4cde-8f01-23456789abcd

# repeat TEXT COUNT
repeat() {
    awk -v text="$1" -v count="$2" 'BEGIN { while (count-- > 0) printf "%s", text }'
}
# shellcheck disable=SC2034 # these are for the rows, which are evaluated
bytes64=$(repeat x 64) bytes100=$(repeat x 100) bytes129=$(repeat x 129)
# shellcheck disable=SC2034
bytes255=$(repeat x 255) bytes4000=$(repeat x 4000)

must give "$password" lk init --tenant acme --password-stdin
must lk tenant add other external_id=$uuid
must lk tenant add gone
must lk tenant remove gone
must lk tenant add emptied
must lk tenant add gone
# From here on it is the tenant that nothing else names.
export LATCHKEY_TENANT=acme
must lk user add anna email=anna@acme.example identity_provider=idp identity_provider_id=7 \
    external_id=11234567-89ab-4cde-8f01-23456789abcd
must give "$password" lk user passwd anna --password-stdin
must lk user add bert
must lk user add carl email=carl@acme.example
must lk user remove carl
must lk user add carl email=carla@acme.example
must lk user add dora email=dora@acme.example
must lk user remove dora
must lk user add dora2 email=dora@acme.example
must lk user add twice
must lk user remove twice
must lk user add twice
must lk user remove twice
must lk role add base
must lk role add child parent=base
must lk role add free
must lk role add old
must lk role remove old
must lk role add old
must lk permission add door:open
must lk permission add free:one
must lk permission add old:one
must lk permission remove old:one
must lk permission add old:one
must lk role permit base door:open
must lk role grant anna child
must lk role add joint
n=0 parent=base
while [ $n -lt 7 ]; do
    n=$((n + 1))
    must lk role add "deep-$n" parent=$parent
    parent=deep-$n
done
must give "$key anna@host" lk credential add ssh-key anna
must lk credential add api-key anna
must give "$password" lk login anna --password-stdin
# shellcheck disable=SC2034
token=$(cat "$area/out")
printf 'username\nanna\n' >"$area/taken.csv"
printf 'username,email\nnew,nothing\n' >"$area/bad.csv"
# shellcheck disable=SC2016 # no expansion wanted
printf 'nobody:$7$1$x$y\n' >"$area/bad.txt"
printf 'fine:{SSHA}x\n' >"$area/form.txt"
printf '{"kind":"user","username":"a"}\n{"kind":"user"\n' >"$area/bad.ndjson"

lk export --with-secrets --all-tenants >"$area/before" || exit 1
audit_before=$(lk --tenant other audit list --all --json | wc -l)

# STATUS|FIELD|LINE|WORDS: FIELD is - where none is to be told; LINE is standard input; WORDS are
# read as the shell does.
cat >"$area/rows" <<'END'
4|username||user add anna
4|username||user add ANNA
4|username||user add ''
4|username||user add '#1'
4|username||user add "$bytes64"x
4|username||user add "$(printf 'a\tb')"
4|username||user add "$(printf 'a\377')"
4|username||user add anna@acme.example
4|username||user add new@acme.example
4|username||user add new@acme.example email=other@acme.example
4|username||user set bert username=anna
4|username||user set bert username=Anna
4|username||user set bert username=
4|username||user set bert username=a@b.example
4|email||user add new email=anna@acme.example
4|email||user add new email=Anna@ACME.example
4|email||user add new email=al@
4|email||user add new email=@acme.example
4|email||user add new email=al.acme.example
4|email||user add new email='al al@acme.example'
4|email||user add new email=al..al@acme.example
4|email||user add new email=al@acme..example
4|email||user add new email=al@-acme.example
4|email||user add new email=a
4|email||user add new email="$bytes255@acme.example"
4|email||user set bert email=anna@acme.example
4|email||user set bert email=nothing
4|display_name||user add new display_name=x
4|display_name||user add new display_name="$bytes255"x
4|display_name||user set bert display_name="$(printf 'two\nlines')"
4|display_name||user set bert display_name="$(printf 'esc\033[2J')"
4|external_id||user add new external_id=11234567-89ab-4cde-8f01-23456789abcd
4|external_id||user set anna external_id=21234567-89ab-4cde-8f01-23456789abcd
4|identity_provider_id||user add new identity_provider=idp identity_provider_id=7
4|identity_provider_id||user set bert identity_provider=idp identity_provider_id=7
4|identity_provider||user add new identity_provider="$bytes64"
4|identity_provider_id||user add new identity_provider_id="$bytes255"x
4|metadata||user add new metadata='{"a":"'"$bytes4000"'"}'
4|roles||user set bert roles=base
4|created_at||user set bert created_at=2020-01-01T00:00:00Z
4|created_by||user add new created_by=anna
4|deleted_at||user set bert deleted_at=2020-01-01T00:00:00Z
4|last_login_at||user set bert last_login_at=2020-01-01T00:00:00Z
4|login_count||user set bert login_count=5
4|is_locked||user set bert is_locked=true
4|activity_status||user set bert activity_status=Active
4|password|short12|user add new --password-stdin
4|password|short12|user passwd bert --password-stdin
4|password|$bytes129|user passwd bert --password-stdin
4|password|$(printf 'not utf-8 \377 here')|user passwd bert --password-stdin
4|password||user passwd bert --password-stdin
4|username||user restore carl
4|email||user restore dora
4|user||user restore twice
4|key|not a key|credential add ssh-key anna
4|key|ssh-rsa AAAA|credential add ssh-key anna
4|label|$key|credential add ssh-key anna --label "$bytes100"x
4|label||credential add api-key anna --label "$(printf 'a\tb')"
4|expires_at||credential add api-key anna --expires 2020-01-01T00:00:00Z
4|roles||credential add api-key anna --roles nothing
4|role||role grant anna child
4|expires_at||role grant bert child --until 2020-01-01T00:00:00Z
4|name||role add base
4|name||role add BASE
4|name||role add ''
4|name||role add '#1'
4|name||role add "$bytes100"x
4|name||role set free name=base
4|name||role set free name=
4|description||role add new description="$bytes255"x
4|parent||role add new parent=nothing
4|parent||role set base parent=base
4|parent||role set base parent=child
4|parent||role set base parent=deep-6
4|parent||role add new parent=deep-7
4|parent||role set base parent=joint
4|parent||role set free parent='#4000'
4|permissions||role add new permissions=nothing
4|permissions||role set free permissions=door:open,nothing
4|permissions||role set free permissions='#4000'
4|holder_count||role set free holder_count=3
4|role||role remove base
4|role||role purge base --yes
4|name||role restore old
4|name||permission add door:open
4|name||permission add DOOR:open resource=x action=y
4|name||permission add '' resource=a action=b
4|name||permission add '#1' resource=a action=b
4|name||permission add "$bytes100"x resource=a action=b
4|resource||permission add new resource= action=b
4|action||permission add new resource=a action=
4|resource||permission add new action=b
4|action||permission add new resource=a
4|resource||permission add new resource="$bytes100"x action=b
4|action||permission add new resource=a action="$bytes64"
4|description||permission set free:one description="$bytes255"x
4|name||permission set free:one name=door:open
4|resource||permission set free:one resource=
4|role||permission remove door:open
4|name||permission restore old:one
4|name||tenant add other
4|name||tenant add OTHER
4|name||tenant add ''
4|name||tenant add '#2'
4|name||tenant add "$bytes100"x
4|name||tenant set other name=acme
4|name||tenant set other name=
4|name||tenant restore gone
4|external_id||tenant add new external_id=$uuid
4|external_id||tenant set other external_id=21234567-89ab-4cde-8f01-23456789abcd
4|display_name||tenant add new display_name="$bytes255"x
4|status||tenant set other status=suspended
4|session_lifetime||tenant set acme session_lifetime=0
4|session_lifetime||tenant set acme session_lifetime=4000000000
4|lockout_failures||tenant set acme lockout_failures=101
4|lockout_time||tenant set acme lockout_time=0
4|lockout_time||tenant set acme lockout_time=86401
4|password_min||tenant set acme password_min=7
4|password_min||tenant set acme password_min=129
4|audit_capacity||tenant set acme audit_capacity=15
4|audit_capacity||tenant set acme audit_capacity=1000001
4|purge_after_days||tenant set acme purge_after_days=36501
4|user_count||tenant set acme user_count=1
4|metadata||tenant set acme metadata='{"a":"'"$bytes4000"'"}'
2|status||user add new status=odd
2|must_change_password||user add new must_change_password=maybe
2|metadata||user add new metadata=1
2|metadata||user add new metadata='{'
2|metadata||user add new metadata='[1]'
2|metadata||user add new metadata='{"a":1,"a":2}'
2|metadata||user add new metadata='{"a":1} x'
2|external_id||user add new external_id=1234
2|is_active||role add new is_active=perhaps
2|session_lifetime||tenant set acme session_lifetime=-1
2|session_lifetime||tenant set acme session_lifetime=1e3
2|session_lifetime||tenant set acme session_lifetime=99999999999999999999999
2|email||user add new email=a@b.example email=c@d.example
2|field||user add new colour=red
2|password||user add new password=abc
2|password||user set bert password=abc
2|password||user set bert hash=abc
2|-||user
2|-||nothing
2|-||user nothing
2|-||
2|-||user add
2|-||user add one two
2|-||user set bert
2|-||user show
2|-||user show a b
2|-||user find
2|-||user find status=active
2|-||user find username=anna email=anna@acme.example
2|-||user add new --nothing
2|option||user add new --password abc
2|password-stdin||user add new --password-stdin=abc
2|tenant||user list --tenant
2|limit||user list --limit 0
2|limit||user list --limit x
2|limit||user list --limit -1
2|by||user list --by nothing
2|columns||user list --columns nothing
2|after||user list --after nothing
2|field||user list nothing=1
2|status||user list status=odd
2|created_at||user list created_at=yesterday
2|metadata||user list metadata='{}'
2|-||user show -x
2|user||user show '#0'
2|user||user show '#x'
2|user||user show '#'
2|user||user set '#x' display_name=New
2|user||permission check '#x' user:read
3|user||user show '#x@acme.example'
2|role||role show '#x'
2|permission||permission check anna nothing
2|permission||permission check anna :read
2|permission||permission why anna user:
2|permission||session check "$token" --permission user
2|session||session end 1
2|session||session end a.b
2|session||session end 1.2.3
2|session||session end 0.1
2|credential||credential remove anna x
2|type||credential add password anna
2|type||credential add nothing anna
2|-|$key|credential add ssh-key anna --expires 1d
2|-||credential add api-key
2|until||role grant bert child --until yesterday
2|until||role grant bert child --until
2|expires||credential add api-key anna --expires soon
2|name||permission add nothing
2|outcome||audit list --outcome odd
2|category||audit list --category odd
2|since||audit list --since odd
2|limit||audit list --limit odd
2|after||audit list --after odd
2|format||import "$area/bad.csv"
2|format||import --format nothing "$area/bad.csv"
2|-||import --format csv
2|format||export --format odd
2|kind||export --kind odd
2|kind||export --kind session
2|limit-bytes||export --limit-bytes many
2|wrap-to||backup "$area/copy" --wrap-to odd
2|budget||maintain --budget odd
2|completion||help --completion fish
2|format||import --restore --format csv "$area/bad.csv"
3|user||user show nobody
3|user||user show nobody@acme.example
3|user||user show '#4000'
3|user||user show dora
3|user||user show --deleted anna
3|user||user set nobody status=active
3|user||user suspend nobody
3|user||user activate nobody
3|user||user unlock nobody
3|user||user remove nobody
3|user||user restore nobody
3|user||user restore anna
3|user||user purge nobody --yes
3|user|$password|user passwd nobody --password-stdin
3|-||user find username=nobody
3|-||user find email=nobody@acme.example
3|user||credential list nobody
3|user||credential add api-key nobody
3|user|$key|credential add ssh-key nobody
3|credential||credential remove anna 4000
3|user||session list nobody
3|user||session end-all nobody
3|session||session end 2.4000
3|session||session end 4000.1
3|role||role show nothing
3|role||role set nothing description=x
3|role||role permit nothing door:open
3|permission||role permit base nothing
3|permission||role permit base no:thing
3|permission||role forbid base free:one
3|role||role remove nothing
3|role||role restore nothing
3|role||role purge nothing --yes
3|user||role grant nobody base
3|role||role grant anna nothing
3|role||role revoke anna base
3|role||role revoke anna nothing
3|permission||permission show nothing
3|permission||permission set nothing description=x
3|permission||permission remove nothing
3|permission||permission remove no:thing
3|permission||permission restore nothing
3|user||permission check nobody user:read
3|user||audit list --user nobody
3|tenant||tenant show nothing
3|tenant||tenant set nothing display_name=x
3|tenant||tenant suspend nothing
3|tenant||tenant remove nothing
3|tenant||tenant restore nothing
3|tenant||tenant purge nothing --yes
3|tenant||--tenant nothing user list
3|tenant||--tenant '#4000' user list
2|-||help nothing
2|-||help user nothing
3|-||describe nothing
3|-||import --format csv "$area/nothing.csv"
3|-||--db "$area/elsewhere" import --backup "$area/nothing"
3|-||--db "$area/elsewhere" user list
4|-||import --backup "$area/nothing"
4|-||import --restore "$area/before"
4|-||init
4|-||backup "$area"
1|-||session check nothing
1|-||session check lks_AAAAAQAAAAEAAAABJLYAkbeLugNv6MmlA86Oo3ietGQ
1|-||logout nothing
1|-|wrong password|login anna --password-stdin
1|-||session end-all anna --except nothing
END

# tell TEXT: as a name of a case, on one line
tell() {
    printf '%s' "$1" | tr '\n\t' '  ' | cut -c 1-110
}

while IFS='|' read -r wanted field line words; do
    eval "line=\"$line\""
    eval "set -- $words"
    run give "$line" lk "$@"
    wrong=
    [ "$status" -eq "$wanted" ] || wrong="status $status, not $wanted"
    [ ! -s "$area/out" ] || wrong="$wrong; it prints something"
    [ "$(wc -l <"$area/err")" -eq 1 ] || wrong="$wrong; not one line"
    case $words in
    login*) grep -q '^login refused$' "$area/err" || wrong="$wrong; not 'login refused'" ;;
    *)
        grep -q '^latchkey: ' "$area/err" || wrong="$wrong; not begun with the program"
        [ "$field" = - ] || grep -Eq "^latchkey: ([a-z-]+ ){0,1}[a-z-]+: $field: " "$area/err" ||
            wrong="$wrong; it does not name $field"
        ;;
    esac
    said=$(cat "$area/err")
    run give "$line" lk --json "$@"
    printf '%s\t%s\t%s\n' "$wanted" "$field" "$(tell "$words")" >>"$area/json-rows"
    head -c 2000 "$area/err" | tr '\n' ' ' >>"$area/json"
    echo >>"$area/json"
    [ "$status" -eq "$wanted" ] || wrong="$wrong; with --json status $status"
    [ ! -s "$area/out" ] || wrong="$wrong; with --json it prints something"
    lk export --with-secrets --all-tenants >"$area/after"
    if ! cmp -s "$area/before" "$area/after"; then
        wrong="$wrong; the store changed: $(diff "$area/before" "$area/after" | head -n 3)"
        cp "$area/after" "$area/before"
    fi
    if [ -z "$wrong" ]; then
        pass "$wanted $(tell "$words")"
    else
        fail "$wanted $(tell "$words")" "${wrong#; }
said: $said"
    fi
done <"$area/rows"

# shellcheck disable=SC2086 # $python is a command with its option
run $python - "$area/json-rows" "$area/json" <<'END'
import json
import sys

CODES = {1: {"refused"}, 2: {"usage"}, 3: {"not_found"},
         4: {"check", "conflict", "reference", "limit", "exists"}}
with open(sys.argv[1], encoding="utf-8", errors="replace") as rows, \
        open(sys.argv[2], encoding="utf-8", errors="strict") as answers:
    for row, answer in zip(rows, answers):
        wanted, field, words = row.rstrip("\n").split("\t")
        try:
            error = json.loads(answer)["error"]
            assert set(error) <= {"code", "field", "message", "wait_s"}, "other members"
            assert error["code"] in CODES[int(wanted)], "code " + error["code"]
            assert field in ("-", error.get("field")), f"field {error.get('field')}"
            assert error["message"] and "\n" not in error["message"], "message"
        except (ValueError, KeyError, TypeError, AssertionError) as problem:
            print(f"{words}: {problem!r}: {answer.strip()[:200]}")
END
is "with --json, errors parse and say the same" "" "$(cat "$area/out" "$area/err")"

# Imports tell of each line in a form of their own, and of the whole in one line.
while IFS='|' read -r name field words; do
    eval "set -- $words"
    run lk import "$@"
    grep -Eq "^$area/[a-z.]*:[0-9]+: $field: " "$area/err" &&
        grep -q '^latchkey: import: .*nothing was imported$' "$area/err"
    is "import: $name" "4 0" "$status $?"
    lk export --with-secrets --all-tenants >"$area/after"
    same "and nothing of it is kept" "$area/before" "$area/after"
done <<'END'
a name that is taken|username|--format csv "$area/taken.csv"
an address that is none|email|--format csv "$area/bad.csv"
a hash with a broken form|password_hash|--format mosquitto "$area/bad.txt"
a hash of an unknown form|password_hash|--format passwd-hashes "$area/form.txt"
a line that is no JSON|.*|--format ndjson "$area/bad.ndjson"
END

run lk role remove base
is "what refers is told by its number" \
    "latchkey: role remove: role: #$(lk role show child | sed -n 's/^id: *//p') still refers to it" \
    "$(cat "$area/err")"
is "another tenant's audit saw none of it" "$audit_before" \
    "$(lk --tenant other audit list --all --json | wc -l)"
verified "after all refusals"
