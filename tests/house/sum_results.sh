#!/bin/sh
# SPDX-License-Identifier: MIT
# Adds up the results that run_test.sh left and prints "N passed, N failed" alone on the last line.
#
#   sum_results.sh RESULTS NAME...
#
# A test without a result counts as failed. Exit status 1 when anything failed, or nothing ran.
set -u

results=$1
shift
passed=0 failed=0 skipped=0 culprits=
for name in "$@"; do
    p=0 f=1 s=0
    if [ -s "$results/$name.result" ]; then
        read -r p f s <"$results/$name.result"
    else
        printf '  FAIL    %-36s not built, or not run: see above\n' "$name"
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    [ "$f" -eq 0 ] || culprits="$culprits $name"
done
[ -z "$culprits" ] || printf 'Failed:%s\n' "$culprits"
[ "$skipped" -eq 0 ] || printf 'Skipped: %d; each says why in its log under %s\n' "$skipped" "$results"
[ $# -ne 0 ] || echo 'No test has that name.' >&2
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ] && [ "$passed" -ne 0 ]
