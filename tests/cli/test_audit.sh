#!/bin/sh
# SPDX-License-Identifier: MIT
# The audit from the command line: what repeats, head and verification, export in three forms,
# following, the archive.
script=test_audit.sh
. tests/cli/cli_help.sh

tool=$BUILD/tests/audit_tool
export LATCHKEY_DB="$db"

lk init --tenant factory --admin admin --password-stdin >/dev/null <<X
$password
X
lk user add alice >/dev/null
printf '%s\n' "$password" | lk user passwd alice --password-stdin >/dev/null
lk tenant set factory lockout_failures=0 >/dev/null
"$tool" "$db" alice "$password" || fail "the tool"

# ---- What repeats

is "repeats are counted, not listed" "3 more so far: login refused
3 more so far: login refused: unknown name" \
    "$(lk audit list --wide | sed -n 's/^- .*login *\(3 more.*\)/\1/p' | sort)"
is "as JSON, too" "true 3 null" "$(lk --json audit list --limit 1 |
    $python -c 'import json,sys; e=json.loads(sys.stdin.readline())
print(str(e["open"]).lower(), e["repeats"], str(e["seq"]).replace("None","null"))')"
is "a page of one goes on" 5 "$(lk audit list --limit 5 --after 18446744073709551615 | grep -c '^[0-9]')"
is "by source, without a name" "4 0" \
    "$(lk audit list --source 2001:db8::17 --all | grep -c '^[0-9]') $(
        lk audit list --source 2001:db8::18 --all | grep -c '^[0-9]')"
is "what was sealed is read" 'a "browser" [of 1]\2' "$(lk --json audit list --source 2001:db8::17 \
    --action login --outcome success | head -n 1 | $python -c \
    'import json,sys; print(json.loads(sys.stdin.readline())["user_agent"])')"
expect 2 "source of no form" lk audit list --source nowhere
lk tenant set factory lockout_failures=4 >/dev/null
printf '%s\n' "$password" | lk login alice --password-stdin >/dev/null
is "by tag, and counted" "1 shown 0" "$(lk audit list --tag many-refusals --all 2>&1 >/dev/null) $(
    lk audit list --tag many --all | grep -c '^[0-9]')"
is "what is unusual is told" 1 "$(lk audit list --wide | grep -c 'logged in \[many-refusals\]$')"
expect 2 "a tag of two words" lk audit list --tag 'new device'

# ---- Head and verification

head=$(lk audit head)
is "a head is one word" 1 "$(printf '%s\n' "$head" | grep -cE '^latchkey-head-1(:[0-9a-f]+){6}$')"
is "a head as JSON" "$head" "$(lk --json audit head | $python -c \
    'import json,sys; print(json.loads(sys.stdin.readline())["head"])')"
expect 0 "in order" lk audit verify
expect 0 "in order since the head" lk audit verify --head "$head"
expect 0 "in order from 5 on" lk audit verify --from 5
expect 0 "the store's own" lk audit verify --store
for bad in abc "${head}0" "$head:1" "${head%:*}" "latchkey-head-2${head#latchkey-head-1}"; do
    expect 2 "no head: $bad" lk audit verify --head "$bad"
done
lk tenant add other >/dev/null
expect 2 "another tenant's head" lk --tenant other audit verify --head "$head"
export LATCHKEY_TENANT=factory
cp -r "$db" "$area/before"
lk role add late >/dev/null
after=$(lk audit head)
expect 0 "a store put back is good by itself" "$LATCHKEY" --db "$area/before" audit verify
expect 1 "but not by the later head" "$LATCHKEY" --db "$area/before" audit verify --head "$after"
expect 0 "and the earlier head still holds" lk audit verify --head "$head"
cp -r "$db" "$area/forged"
"$tool" "$area/forged" forge 0 2
expect 1 "a forged entry" "$LATCHKEY" --db "$area/forged" audit verify
is "is named" 1 "$("$LATCHKEY" --db "$area/forged" audit verify |
    grep -c '^fault: audit 1/0/2: audit entry is not as it was written$')"
is "as JSON" '{"entries":' "$("$LATCHKEY" --db "$area/forged" --json audit verify | tail -n 1 | cut -c 1-11)"
expect 1 "verify tells it, too" "$LATCHKEY" --db "$area/forged" verify

# ---- Export

lk audit export >"$area/ndjson" 2>/dev/null
for form in ndjson csv syslog; do
    lk --quiet audit export --format $form >"$area/$form.2"
done
is "NDJSON is the form where none is named" "" "$(diff "$area/ndjson" "$area/ndjson.2")"
is "syslog, by another parser" "$(wc -l <"$area/ndjson") messages" \
    "$($python tests/cli/syslog_check.py "$area/syslog.2" "$area/ndjson")"
is "CSV, by another reader" same "$($python - "$area/csv.2" "$area/ndjson" <<'X'
import csv, json, sys
rows = list(csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8"), strict=True))
entries = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8")]
def cell(value):
    if isinstance(value, dict):
        return value
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
def read(name, row):
    return json.loads(row[name]) if name in ("details", "request") and row[name] else row[name]
same = len(rows) == len(entries) and all(
    all(read(name, row) == cell(entry.get(name)) for name in row)
    and entry.keys() <= row.keys() for row, entry in zip(rows, entries))
print("same" if same else "not the same")
X
)"
is "the exports hold what was sealed" 1 "$(grep -c 'ge.*ffnet' "$area/csv.2")"
is "nothing of it is in the file" 0 "$(grep -c 'ffnet' "$db/data.mdb")"
is "filters" "2 2" "$(lk --quiet audit export --format syslog --action user.add |
    awk '/ - user.add /{ n++ } END { print n, NR }')"
expect 2 "another form" lk audit export --format xml

# ---- Following

"$LATCHKEY" audit follow --json >"$area/follow" <"$area/ndjson" &
follower=$!
tries=0
until [ -s "$area/follow" ] || [ $tries -gt 100 ]; do
    tries=$((tries + 1))
    lk role add "role$tries" >/dev/null
    $python -c 'import select; select.select([], [], [], 0.1)'
done
kill -TERM $follower
wait $follower
is "follow ends with a signal" 0 $?
is "and told what came" role.add "$(head -n 1 "$area/follow" | $python -c \
    'import json,sys; print(json.loads(sys.stdin.readline())["action"])')"
is "from an entry on, until standard input ends" 3 \
    "$(: | lk audit follow --after 2 --format ndjson | head -n 1 | $python -c \
    'import json,sys; print(json.loads(sys.stdin.readline())["seq"])')"
expect 2 "an interval of no length" lk audit follow --interval 0

# ---- The archive

is "archive" "1 head" "$(lk --quiet audit archive "$area/archive" && tail -n 1 "$area/archive" |
    $python -c 'import json,sys; print(len(d := json.loads(sys.stdin.readline())), *d)')"
lines=$(wc -l <"$area/archive")
is "it closed what was open" 0 "$(lk --json audit list --all | grep -c '"open":true')"
is "and has all there was" "$((lines - 1))" "$(lk --json audit list --all | grep -c '"seq":[0-9]' |
    $python -c 'import sys; print(int(sys.stdin.read()) - 1)')"
last=$(tail -n 1 "$area/archive" | $python -c \
    'import json,sys; print(json.loads(sys.stdin.readline())["head"])')
expect 0 "its head holds" lk audit verify --head "$last"
printf '{"cut' >>"$area/archive"
lk --quiet audit archive "$area/archive"
is "again: what came since, on a line of its own" "3 audit.archive" \
    "$(tail -n +"$((lines + 1))" "$area/archive" | wc -l) $(tail -n +"$((lines + 2))" "$area/archive" |
        head -n 1 | $python -c 'import json,sys; print(json.loads(sys.stdin.readline())["action"])')"
is "the mode of it" 600 "$(stat -c %a "$area/archive")"
ln -s "$area/archive" "$area/link"
expect 5 "a link is not followed" lk audit archive "$area/link"
expect 5 "nor a directory written" lk audit archive "$area"
is "what could not be archived is not marked" "" "$(
    before=$(lk --json tenant show factory)
    lk audit archive /dev/full >/dev/null 2>&1
    after=$(lk --json tenant show factory)
    [ "$before" = "$after" ] || echo marked)"
flock "$area/archive" -c "'$LATCHKEY' audit archive '$area/archive'" >/dev/null 2>&1
is "while another writes it" 5 $?
expect 0 "and all is in order" lk verify
