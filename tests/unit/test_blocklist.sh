#!/bin/sh
# SPDX-License-Identifier: MIT
# The filter of common passwords in the sizes that boards may choose, and a build without the list.
# BUILD names the build directory.
set -u

tool=$PWD/$BUILD/made/make_blocklist
list=$PWD/$BUILD/made/lk_blocklist_data.h.txt
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
number=0

# check NAME COMMAND...: the command succeeds.
check() {
    number=$((number + 1))
    name=$1
    shift
    if "$@" >"$work/said" 2>&1; then
        grep figure "$work/said"
        printf 'ok %s %s\n' "$number" "$name"
    else
        printf 'not ok %s %s\n' "$number" "$name"
        sed 's/^/# /' "$work/said"
    fi
}

# made BYTES LISTED BITS MOST: a filter of at most so many bytes holds so many passwords at least, and
# takes no more than so many random texts of a million for one of them. The tool itself fails when
# a password that it put in is not found.
made() {
    "$tool" "$1" <"$list" >"$work/filter.h" 2>"$work/told" || return 1
    cat "$work/told"
    # shellcheck disable=SC2046 # numbers
    set -- "$@" $(sed -n 's/^blocklist: \([0-9]*\) of \([0-9]*\) common passwords in \([0-9]*\) bytes, \([0-9]*\) bits.*/\1 \2 \3 \4/p' "$work/told")
    mistakes=$(sed -n 's/.*in \(0\.[0-9]*\) of cases.*/\1/p' "$work/filter.h" | tr -d . | sed 's/^0*//')
    echo "[  figure  ] $5 of $6 passwords in $7 bytes; ${mistakes:-0} of 1000000 random ones"
    [ "$5" -ge "$2" ] && [ "$8" -eq "$3" ] && [ "$7" -le "$1" ] && [ "${mistakes:-0}" -le "$4" ]
}

# refuses COMMAND...: it fails and says why.
refuses() {
    ! "$@" && [ -s "$work/said" ]
}

check 'all of the list with 16 bits each' made 24576 8000 16 40
check 'all of the list with 8 bits each' made 12288 8000 8 4300
check 'a part of it in 4 KB' made 4096 3200 8 4300
check 'a part of it in 1 KB' made 1024 750 8 4300
check 'no filter without room' refuses "$tool" 16 <"$list"
check 'no filter of an empty list' refuses "$tool" </dev/null
check 'no filter of a file that is no list' refuses "$tool" </bin/sh

cp -R "$PWD/Makefile" "$PWD/boards" "$PWD/core" "$work/" || exit 1
missing() {
    ! make -C "$work" BUILD="$BUILD" BLOCKLIST="$work/nowhere.gz" "$BUILD/made/lk_blocklist_data.h" \
        >"$work/log" 2>&1 && cat "$work/log" && grep -q 'python3-django' "$work/log" &&
        [ ! -e "$work/$BUILD/made/lk_blocklist_data.h" ]
}
check 'a build without the list stops and says what is missing' missing
another() {
    make -C "$work" BUILD="$BUILD" BLOCKLIST="$list" "$BUILD/made/lk_blocklist_data.h" &&
        grep -q BLOCKLIST_BITS "$work/$BUILD/made/lk_blocklist_data.h"
}
check 'a list that is not gzipped' another
printf '1..%s\n' "$number"
