#!/bin/sh
# SPDX-License-Identifier: MIT
# An import of many lays the store out anew, and so does compact: where nobody else has it open.
set -u
script=test_pack.sh
# shellcheck source=tests/cli/cli_help.sh
. tests/cli/cli_help.sh

bytes() {
    wc -c <"$db/data.mdb"
}

# people FROM COUNT: in no order, as a file of another program is
people() {
    echo "username,email,display_name,roles"
    awk -v from="$1" -v count="$2" 'BEGIN {
        for (i = 0; i < count; i++) {
            n = from + i * 7919 % count
            printf "user%06d,user%06d@gateway.example,User %d,operator\n", n, n, n
        }
    }'
}

must lk init --tenant acme
people 0 9999 >"$area/few.csv"
people 100000 10000 >"$area/many.csv"
must lk import --format csv "$area/few.csv"
few=$(bytes)
must lk import --format csv "$area/many.csv"
many=$(bytes)
if [ "$many" -lt $((few * 3 / 2)) ]; then
    pass "twice the users take less than half as much again: the file was laid out anew"
else
    fail "twice the users take less than half as much again" "$few, then $many bytes"
fi
verified "after two imports"
expect 0 "who was imported is there" lk user show user109999
is "his role too" 1 "$(lk user show user109999 | grep -c '^roles: *operator$')"

n=0
while [ $n -lt 20 ]; do
    must lk user set "user$(printf %06d $((n * 400)))" "display_name=Another $n"
    n=$((n + 1))
done
mkfifo "$area/pipe"
lk export >"$area/pipe" 2>"$area/export-err" &
reader=$!
exec 3<"$area/pipe"
head -c 1 <&3 >"$area/first" # the export is under way: it has the store open
run lk compact
is "with a reader beside it compact leaves the file, and says so" "5 1" \
    "$status $(grep -c 'not laid out anew: another process has the store open' "$area/err")"
cat <&3 >/dev/null
exec 3<&-
wait "$reader"
is "the reader was not disturbed" "0 " "$? $(cat "$area/export-err")"
run lk compact
is "alone it has nothing to say of that" "0 " "$status $(cat "$area/err")"
is "and no other file is left" "data.mdb lock.mdb secret " \
    "$(cd "$db" && printf '%s ' *)"
verified "after compact"
