#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints the code of storage/flash for small processors, and holds it against a budget.
#
#   flash_size.sh PLACE TABLE FILE...
#
# Compiles each FILE with -Os into PLACE, for each line of TABLE: a processor's name, the prefix of its
# tool chain's names, the bytes that it may take, and the compiler's options. Constants count, too. A
# tool chain that is not there is left out and named. Exit status 1 when a budget is exceeded.
set -u

place=$1 table=$2
shift 2
mkdir -p "$place" || exit 1
status=0
while read -r name prefix budget options; do
    case $name in '' | '#'*) continue ;; esac
    # shellcheck disable=SC2086 # several options
    if ! "$prefix-gcc" $options -E -x c /dev/null >/dev/null 2>&1; then
        printf '%-24s %6s            no %s-gcc with %s\n' "storage/flash $name" - "$prefix" "$options"
        continue
    fi
    rm -f "$place"/*.o
    for file in "$@"; do
        # shellcheck disable=SC2086 # several options
        "$prefix-gcc" $options -std=c11 -Os -ffunction-sections \
            -fdata-sections -Icore -Istorage -Iport -Istorage/flash \
            -c "$file" -o "$place/$(basename "$file" .c).o" </dev/null || exit 1
    done
    bytes=$("$prefix-size" -t "$place"/*.o | awk 'END { print $1 }')
    [ -n "$bytes" ] || exit 1
    over=
    if [ "$bytes" -gt "$budget" ]; then
        over='  OVER the budget'
        status=1
    fi
    printf '%-24s %6d of %6d   (-Os %s)%s\n' "storage/flash $name" "$bytes" "$budget" "$options" "$over"
done <"$table"
exit $status
