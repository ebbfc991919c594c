#!/bin/sh
# SPDX-License-Identifier: MIT
# Begins a board: boards/template becomes boards/NAME, port/template becomes port/baremetal/CHIP.
#
#   sh boards/firmware/new_board.sh NAME CHIP
#
# NAME is what `make BOARD=NAME` says; CHIP becomes a part of C's names (lk_CHIP_init). A port that is
# there already is taken as it is.
set -eu
case $#:${1:-}:${2:-} in
[!2]* | *[!a-z0-9_:-]* | *:: | *::* | *: | *:*:*[-:]* | *:*:[0-9]*)
    echo 'new_board.sh: NAME CHIP: small letters, digits, and "-" (NAME) or "_" (CHIP)' >&2
    exit 2
    ;;
esac
board=boards/$1 chip=$2
port=port/baremetal/$chip
if [ -e "$board" ]; then
    echo "new_board.sh: $board is there" >&2
    exit 1
fi
cp -r boards/template "$board"
sed -i '/^# Of the template alone/,$d' "$board/rules.mk"
sed -i -e "s/BOARD=template/BOARD=$1/" -e "s/the template of a board/$1/" \
    -e "s/^\(BOARD_PORTS.*\) template\$/\1 baremetal\/$chip/" -e "s/lk_template/lk_$chip/g" \
    -e 's/^BOARD_CHECKS .*/BOARD_CHECKS   := port-test/' "$board"/*
if [ ! -e "$port" ]; then
    cp -r port/template "$port"
    upper=$(echo "$chip" | tr '[:lower:]' '[:upper:]')
    mv "$port/lk_template.c" "$port/lk_$chip.c"
    mv "$port/lk_template.h" "$port/lk_$chip.h"
    sed -i -e "s/template/$chip/g" -e "s/TEMPLATE/$upper/g" "$port"/*
fi
echo "What there is to do: grep -n Supply: $board/* $port/*"
