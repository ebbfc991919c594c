#!/bin/sh
# SPDX-License-Identifier: MIT
# S13: another user of the machine gets nothing of a store: not its files, not through the program,
# however open the umask of whoever made it was, and not by links laid in its way.
set -u
script=test_s13_other_user.sh
# shellcheck source=tests/cli/cli_help.sh
. tests/cli/cli_help.sh

if [ "$(id -u)" -ne 0 ]; then
    echo '1..0 # SKIP only root can be somebody else'
    exit 0
fi
chmod 755 "$area"
cp "$LATCHKEY" "$area/latchkey"
chmod 755 "$area/latchkey"
umask 000
must give "$password" lk init --tenant acme --password-stdin
must lk user add bob
must give "$password" lk login admin --password-stdin
umask 022

# other COMMAND...: as a user who owns nothing
other() {
    setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"
}

expect 0 "the other user may run the program" other "$area/latchkey" --version
for file in "$db" "$db/data.mdb" "$db/lock.mdb" "$db/secret"; do
    if other test -r "$file" || other test -w "$file"; then
        fail "$(basename "$file") is open to others"
    else
        pass "$(basename "$file") is closed to others"
    fi
done
# shellcheck disable=SC2016 # for the other user's shell
for words in 'user list' 'stats' 'verify' 'session list' 'user add eve' 'backup /tmp/lk-taken'; do
    # shellcheck disable=SC2086 # a list of words
    run other "$area/latchkey" --db "$db" $words
    if [ "$status" -ne 0 ] && ! grep -q bob "$area/out"; then
        pass "the other user's '$words' gets nothing"
    else
        fail "the other user's '$words'" "$(told)"
    fi
done
is "nothing was changed" 2 "$(lk user list --json | grep -c '"username"')"

# A place that somebody else owns, or a link, is not written to.
other mkdir "$area/theirs" 2>/dev/null || {
    mkdir "$area/theirs"
    chown 65534:65534 "$area/theirs"
}
ln -s "$db/data.mdb" "$area/theirs/data.mdb"
chown 65534:65534 "$area/theirs"
expect 1 "a store in somebody else's folder is refused" "$LATCHKEY" --db "$area/theirs" user list
ln -s "$db" "$area/way"
expect 1 "a store by a link is refused" "$LATCHKEY" --db "$area/way" user list
verified "at the end"
