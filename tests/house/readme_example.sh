#!/bin/sh
# SPDX-License-Identifier: MIT
# Compiles the first ```c block of README.md that has a main() against an installed library, found
# by pkg-config alone, and runs it: with the shared library, then linked statically.
#
#   readme_example.sh DESTDIR PREFIX
set -eu

root=$1 prefix=$2
area=${BUILD:-build/linux}/readme
rm -rf "$area"
mkdir -p "$area"
awk '
    /^```c$/ { inside = 1; text = ""; next }
    /^```$/ { if (inside && text ~ /int main\(/) { printf "%s", text; exit } inside = 0; next }
    inside { text = text $0 "\n" }
' README.md >"$area/example.c"
if [ ! -s "$area/example.c" ]; then
    echo 'README.md holds no C program' >&2
    exit 1
fi

PKG_CONFIG_PATH=$root$prefix/lib/pkgconfig
PKG_CONFIG_SYSROOT_DIR=$root
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
# The flags are lists of words.
# shellcheck disable=SC2046
${CC:-cc} -std=c11 -Wall -Wextra -Werror "$area/example.c" -o "$area/shared" \
    $(pkg-config --cflags --libs latchkey)
# shellcheck disable=SC2046
${CC:-cc} -std=c11 -Wall -Wextra -Werror "$area/example.c" -o "$area/static" \
    $(pkg-config --cflags latchkey) "$root$prefix/lib/liblatchkey.a" \
    $(pkg-config --static --libs-only-l latchkey | sed 's/-llatchkey//')

for program in shared static; do
    echo "-- README.md's program, $program"
    mkdir "$area/run-$program"
    (cd "$area/run-$program" && LD_LIBRARY_PATH=$root$prefix/lib "../$program")
done
