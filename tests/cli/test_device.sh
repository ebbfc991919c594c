#!/bin/sh
# SPDX-License-Identifier: MIT
# test_device.sh: commands on a device at the other end of a serial line, done right and wrong.
set -u
script=test_device.sh
# shellcheck source=tests/cli/cli_help.sh
. tests/cli/cli_help.sh

must lk init --tenant main --admin admin
claim=$(sed -n 's/^claim code: //p' "$area/out")
# shellcheck disable=SC2086 # $python is a command with its option
run $python $here/device_pty.py "$LATCHKEY" "$area" "$claim"
grep '^not ok\|^ok' "$area/out" >"$area/said" || true
while read -r line; do
    case $line in
    'ok '*) pass "${line#ok }" ;;
    *) fail "${line#not ok }" ;;
    esac
done <"$area/said"
expected=$status
sed 's/^/# /' "$area/err"
is "the line was used to its end" 0 "$expected"
verified "after all this"

# Beside it are the commands about devices of users.
must lk login admin --password-stdin --remember desk <<END
a battery of horses
END
expect 0 "device list is as it was" lk device list admin
expect 2 "a word that is no path is a verb" lk device lsit
is "and the nearest is told" "1" "$(grep -c 'did you mean "list"' "$area/err")"
expect 2 "a device alone is not enough" lk device /dev/null
expect 0 "there is help" lk help device
is "about both" "2" "$(grep -c 'device DEV COMMAND\|^  forget' "$area/out")"
