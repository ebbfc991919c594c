#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs one test, keeps what it said, and writes how many of its cases passed and failed.
#
#   run_test.sh RESULTS NAME cmocka|script COMMAND [ARG...]
#
# RESULTS/NAME.log is the output, RESULTS/NAME.result one line: passed failed skipped. Exit status 0
# whatever came out of it: sum_results.sh judges. A cmocka program states how many cases it has, so
# one that dies half-way fails with all that it did not reach. A script that prints TAP lines ("ok",
# "not ok") is counted by those, else as one case; an exit status other than 0 always fails.
set -u

results=$1 name=$2 form=$3
shift 3
log=$results/$name.log
mkdir -p "$(dirname "$log")"
started=$(date +%s)

# timeout leads a process group, which is named in a file so that what the test left running can
# be ended with it.
# shellcheck disable=SC2016 # expanded by the inner shell
CMOCKA_MESSAGE_OUTPUT=TAP sh -c 'echo $$ >"$0" && exec timeout -k 10 "$@"' "$results/$name.group" \
    "${TEST_TIMEOUT:-300}" "$@" >"$log" 2>&1 </dev/null
status=$?
if read -r group <"$results/$name.group"; then
    kill -s KILL -- "-$group" 2>/dev/null && echo '# processes left behind were ended' >>"$log"
fi
rm -f "$results/$name.group"

counts=$(awk -v form="$form" -v status="$status" '
    form == "cmocka" && /^1\.\.[0-9]+$/ { planned += substr($0, 4) }
    /^(not )?ok( [0-9]+)? *# SKIP/ { skipped++; next }
    /^ok( |$)/ { passed++ }
    /^not ok( |$)/ { failed++ }
    END {
        reached = passed + failed + skipped
        if (planned > reached) { failed += planned - reached }
        if (reached == 0 && failed == 0 && form == "script" && status == 0) { passed = 1 }
        if (reached == 0 && failed == 0 && form == "cmocka") { failed = 1 }
        if (status != 0 && failed == 0) { failed = 1 }
        print passed + 0, failed + 0, skipped + 0
    }' "$log")
passed=${counts%% *} skipped=${counts##* } failed=${counts#* }
failed=${failed% *}
seconds=$(($(date +%s) - started))

if [ "$failed" -eq 0 ]; then
    printf '  PASS    %-36s %4d passed%s %4d s\n' "$name" "$passed" \
        "$([ "$skipped" -eq 0 ] || printf ', %d skipped' "$skipped")" "$seconds"
else
    case $status in
    124 | 137) why="killed after ${TEST_TIMEOUT:-300} s or by signal 9" ;;
    12[89] | 1[3-5]?) why="died of signal $((status - 128))" ;;
    *) why="exit status $status" ;;
    esac
    {
        printf '  FAIL    %-36s %4d passed, %d failed (%s)\n' "$name" "$passed" "$failed" "$why"
        if grep -q '^not ok' "$log"; then
            grep -A 4 '^not ok' "$log" | grep -v '^ok' | head -n 60 | sed 's/^/          /'
        else
            tail -n 30 "$log" | sed 's/^/          /'
        fi
        printf '          all of it: %s\n          again:     %s%s\n' "$log" "${RERUN:-}" "$name"
    } >&2
fi
printf '%d %d %d\n' "$passed" "$failed" "$skipped" >"$results/$name.result"
