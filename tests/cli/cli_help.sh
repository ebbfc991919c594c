# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034 # some of it is for the scripts
# cli_help.sh: what the scripts that drive the program share. Read with `.` by a script that has
# set `script` to its own name.
#
# Cases print as "ok N - name" or "not ok N - name" with what was said; the last line of a script
# is "N passed, N failed". Everything made lies in $area, and goes with the script; it stays in a
# script that failed when KEEP=1.

: "${LATCHKEY:?names the program; or run by: make test TEST=cli/$script}"
unset LATCHKEY_DB LATCHKEY_TENANT XDG_DATA_HOME
export LC_ALL=C NO_COLOR=1
umask 022

python='/usr/bin/python3 -B'
here=tests/cli
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then
    TMPDIR=/dev/shm
fi
area=$(mktemp -d "${TMPDIR:-/tmp}/lk-${script%.sh}-XXXXXX") || exit 1
db=$area/store
password='correct horse battery'
cases=0 failed=0

help_end() {
    status=$?
    trap - EXIT
    if [ "$failed" -ne 0 ] || [ "$status" -ne 0 ]; then
        echo "again: make test TEST=cli/$script    (KEEP=1 keeps $area)"
        [ "${KEEP:-0}" = 1 ] || rm -rf "$area"
    else
        rm -rf "$area"
    fi
    [ "$status" -eq 0 ] || [ "$failed" -ne 0 ] || failed=1
    echo "$((cases - failed)) passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}
trap help_end EXIT
trap 'exit 1' HUP INT TERM

lk() {
    "$LATCHKEY" --db "$db" "$@"
}

# pass NAME, fail NAME [TEXT]: a case that went so
pass() {
    cases=$((cases + 1))
    echo "ok $cases - $1"
}

fail() {
    cases=$((cases + 1))
    failed=$((failed + 1))
    echo "not ok $cases - $1"
    [ $# -lt 2 ] || printf '%s\n' "$2" | head -n 20 | sed 's/^/#   /'
}

# is NAME WANTED GOT: equal texts
is() {
    if [ "$2" = "$3" ]; then
        pass "$1"
    else
        fail "$1" "wanted: $2
got:    $3"
    fi
}

# same NAME FILE FILE: equal files
same() {
    if cmp -s "$2" "$3"; then
        pass "$1"
    else
        fail "$1" "$(diff "$2" "$3" | head -n 10)"
    fi
}

# run COMMAND...: sets status, and leaves $area/out and $area/err
run() {
    status=0
    "$@" >"$area/out" 2>"$area/err" || status=$?
}

told() {
    printf 'status %s\n' "$status"
    sed 's/^/out: /' "$area/out" | head -n 6
    sed 's/^/err: /' "$area/err" | head -n 6
}

# expect STATUS NAME COMMAND...: a case by its exit status
expect() {
    expected=$1 named=$2
    shift 2
    run "$@"
    if [ "$status" -eq "$expected" ]; then
        pass "$named"
    else
        fail "$named" "wanted status $expected of: $*
$(told)"
    fi
}

# must COMMAND...: what the cases stand on; the script ends where it fails
must() {
    run "$@"
    if [ "$status" -ne 0 ]; then
        fail "$*" "$(told)"
        exit 1
    fi
}

# verified NAME: the store is sound
verified() {
    expect 0 "verify is clean $1" lk verify
}

# give TEXT COMMAND...: TEXT as a line of standard input
give() {
    given=$1
    shift
    printf '%s\n' "$given" | "$@"
}
