#!/bin/sh
# SPDX-License-Identifier: MIT
# From nothing but git to the main job, on a Debian 12: installs what is missing (saying what, and
# why), builds, then replaces a Mosquitto password file by a Latchkey store, showing each command
# before what it answers. The store stays in build/demo for you to play with.
set -eu

cd "$(dirname "$0")/../.."
. boards/linux/packages.sh

step() {
    printf '\n== %s\n' "$*"
}

fail() {
    printf '\nquickstart: %s\n' "$*" >&2
    exit 1
}

# run STATUS COMMAND-LINE: shows a command line, runs it, and insists on its exit status. What it
# printed is also left in $said.
run() {
    wanted=$1
    printf '\n$ %s\n' "$2"
    got=0
    said=$(eval "$2" 2>&1) || got=$?
    [ -z "$said" ] || printf '%s\n' "$said"
    [ "$got" -eq "$wanted" ] || fail "exit status $got where $wanted was expected, of: $2"
}

step 'Installing what is missing, and building'
packages_install build demo
mkdir -p build
make -j"$(nproc)" build/linux/latchkey >build/quickstart.log 2>&1 || {
    tail -n 40 build/quickstart.log >&2
    fail 'the build failed; all it said is in build/quickstart.log'
}
echo 'Built build/linux/latchkey.'

demo=$(pwd)/build/demo
rm -rf "$demo"
mkdir -p "$demo"
PATH=$(pwd)/build/linux:$PATH
LATCHKEY_DB=$demo/store
export PATH LATCHKEY_DB

step 'A store, and its first administrator'
echo 'There is no default password: a one-time claim code is printed instead, and the first login'
echo 'with it sets the password.'
printf '\n$ export LATCHKEY_DB=%s\n' "$LATCHKEY_DB"
run 0 'latchkey init --tenant factory --admin admin'
claim=$(printf '%s\n' "$said" | grep -oE '[A-Z0-9]{4}(-[A-Z0-9]{4}){3}' | head -n 1) || :
[ -n "$claim" ] || fail 'init printed no claim code'
run 0 "printf '%s\\n' '$claim' 'a longer password' | latchkey login admin --password-stdin"

step 'The users you already have'
echo 'A real Mosquitto password file, made by mosquitto_passwd:'
run 0 "cd $demo && : >passwords && chmod 600 passwords &&
  mosquitto_passwd -b passwords alice 'correct horse' &&
  mosquitto_passwd -b passwords bob 'battery staple' &&
  cut -c 1-60 passwords"
run 0 "latchkey import --format mosquitto $demo/passwords"
run 0 'latchkey role grant alice operator'
run 0 'latchkey user list'

step 'Logging in with the password they already know'
echo 'The old hash is verified once, then replaced by Argon2id. Only the token goes to stdout.'
run 0 "printf 'correct horse\\n' | latchkey login alice --password-stdin"
token=$said
run 1 "printf 'wrong horse\\n' | latchkey login alice --password-stdin"

step 'Is this session good, and may its owner do that?'
run 0 "latchkey session check $token --permission user:read"
echo '(exit status 0: yes)'
run 1 "latchkey session check $token --permission role:write"
echo '(exit status 1: no)'

step 'Who did what'
run 0 'latchkey audit list'

step 'Is everything in order?'
run 0 'latchkey verify'

cat <<END

The store is in build/demo/store. Three commands to try next:

  export LATCHKEY_DB=$LATCHKEY_DB
  build/linux/latchkey user show alice
  build/linux/latchkey permission why alice user:read
  build/linux/latchkey console                # admin, 'a longer password'; then: help
END
