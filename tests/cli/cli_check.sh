# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034 # some of it is for the scripts
# cli_check.sh: command lines and what they say, for scripts of TAP lines. Read with `.` before the
# script goes elsewhere: it goes to a directory of its own, with a store's place in it and none made.
# LATCHKEY names the program.

tests=$(cd "$(dirname "$0")/.." && pwd) || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
LATCHKEY_DB=$work/store
export LATCHKEY_DB LATCHKEY
unset LATCHKEY_TENANT LATCHKEY_SECRET
number=0

# check STATUS COMMAND [TEXT...]: runs a command line; its output or error holds each text.
check() {
    number=$((number + 1))
    want=$1 command=$2
    shift 2
    got=0
    sh -c "$command" >out 2>err </dev/null || got=$?
    missing=
    for text in "$@"; do
        grep -qF -- "$text" out err || missing=$text
    done
    if [ "$got" -eq "$want" ] && [ -z "$missing" ]; then
        printf 'ok %s %s\n' "$number" "$command"
    else
        printf 'not ok %s %s\n' "$number" "$command"
        printf '# exit status %s where %s was expected; missing: %s\n' "$got" "$want" "$missing"
        sed 's/^/# /' out err
    fi
}

# also STATUS COMMAND: the same, about what the command before it wrote to out and err.
also() {
    number=$((number + 1))
    got=0
    sh -c "$2" >also 2>&1 </dev/null || got=$?
    if [ "$got" -eq "$1" ]; then
        printf 'ok %s %s\n' "$number" "$2"
    else
        printf 'not ok %s %s\n# exit status %s\n' "$number" "$2" "$got"
        sed 's/^/# /' out err also
    fi
}

# lk STATUS ARGUMENTS [TEXT...]
lk() {
    want=$1 arguments=$2
    shift 2
    check "$want" "'$LATCHKEY' $arguments" "$@"
}
