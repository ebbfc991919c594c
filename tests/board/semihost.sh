#!/bin/sh
# SPDX-License-Identifier: MIT
# Starts a program on an emulator, by semihosting; variables LATCHKEY_* go with it.
#
#   semihost.sh EMULATOR [ARG...] -kernel PROGRAM [WORD...]
#
# No word has a space or a comma in it.
set -eu
words=arg=program
for word in $(env | sed -n 's/^\(LATCHKEY_[A-Z_]*=[^ ]*\)$/\1/p'); do
    words=$words,arg=$word
done
# The emulator's words go behind the others, up to the program; what follows it is the program's.
left=$# program='' last=''
while [ "$left" -gt 0 ]; do
    if [ -n "$program" ]; then
        words=$words,arg=$1
    else
        [ "$last" != -kernel ] || program=$1
        set -- "$@" "$1"
    fi
    last=$1
    shift
    left=$((left - 1))
done
exec "$@" -display none -monitor none -serial none -semihosting-config \
    "enable=on,target=native,$words"
