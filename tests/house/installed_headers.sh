#!/bin/sh
# SPDX-License-Identifier: MIT
# Every installed header must compile by itself, with what was installed and nothing else.
#
#   installed_headers.sh DESTDIR PREFIX
set -eu

folder=$1$2/include/latchkey
count=0
for header in "$folder"/*.h; do
    printf '#include "%s"\nextern int not_empty;\n' "$(basename "$header")" |
        ${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Werror -I"$folder" -fsyntax-only -x c -
    count=$((count + 1))
done
[ -e "$folder/latchkey.h" ]
echo "$count installed headers compile by themselves"
