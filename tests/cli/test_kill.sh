#!/bin/sh
# SPDX-License-Identifier: MIT
# Several processes on one store: readers never fail while others write, writers do not lose each
# other's changes; and of a writer that is killed at any moment, what it acknowledged is there, what
# it did not is there whole or not at all. A backup made meanwhile is whole. SEED=N repeats the same
# choices, not the same moments.
set -u
script=test_kill.sh
# shellcheck source=tests/cli/cli_help.sh
. tests/cli/cli_help.sh

seed=${SEED:-$(date +%s)}
must give "$password" lk init --tenant acme --password-stdin
must give "$password" lk login admin --password-stdin
token=$(cat "$area/out")
# A login that is killed stays charged as a failed one: here that is not to keep anybody out.
must lk tenant set acme lockout_failures=0

echo "# SEED=$seed"
# shellcheck disable=SC2086 # $python is a command with its option
run $python $here/kill_run.py "$LATCHKEY" "$db" "$token" "$seed"
while read -r line; do
    case $line in
    'ok '*) pass "${line#ok }" ;;
    *) fail "${line#not ok }" ;;
    esac
done <"$area/out"
if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
    fail "the run ended early" "$(told)"
fi
is "cases" 1 "$((cases > 14))"
verified "at the end"
expect 0 "and deep" lk verify --deep
# Nothing that a killed process left stays in the way.
expect 0 "a purge" lk user purge target --yes
expect 0 "a login" give "$password" lk login admin --password-stdin
