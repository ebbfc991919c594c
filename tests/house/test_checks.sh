#!/bin/sh
# SPDX-License-Identifier: MIT
# The checks of the house must be able to fail: each is given a small tree that is right, then the
# same with one fault planted, and must tell the two apart.
set -u

home=$(pwd)/tests/house
python="/usr/bin/python3 -B"
area=${BUILD:?}/tests/house/checks
cases=0 failed=0

# expect STATUS NAME COMMAND...
expect() {
    wanted=$1 name=$2
    shift 2
    "$@" >"$area/said" 2>&1
    got=$?
    cases=$((cases + 1))
    if [ "$got" -eq "$wanted" ]; then
        echo "ok $cases - $name"
    else
        failed=$((failed + 1))
        echo "not ok $cases - $name (exit status $got, not $wanted)"
        sed 's/^/# /' "$area/said"
    fi
}

# fresh: a tree that breaks no rule
fresh() {
    rm -rf "$area/tree"
    mkdir -p "$area/tree/core/kinds" "$area/tree/storage/ram" "$area/tree/storage/lmdb" \
        "$area/tree/port/fake" "$area/tree/cli/host"
    licence='// SPDX-License-Identifier: MIT'
    for file in core/latchkey.h core/lk_base.h core/lk_engine.h storage/lk_storage.h \
        port/lk_port.h storage/ram/lk_ram.h storage/lmdb/lk_lmdb.h cli/lk_cli.h; do
        echo "$licence" >"$area/tree/$file"
    done
    printf '%s\n#include "lk_engine.h"\n#include <string.h>\n' "$licence" >"$area/tree/core/lk_a.c"
    printf '%s\n#include "lk_ram.h"\n#include "lk_storage.h"\n' "$licence" \
        >"$area/tree/storage/ram/lk_ram.c"
    printf '%s\n#include "lk_lmdb.h"\n#include <lmdb.h>\n' "$licence" \
        >"$area/tree/storage/lmdb/lk_lmdb.c"
    printf '%s\n#include "latchkey.h"\n#include "lk_cli.h"\n' "$licence" >"$area/tree/cli/lk_b.c"
}

# plant FILE LINE: adds a line to a fresh tree
plant() {
    fresh
    printf '%s\n' "$2" >>"$area/tree/$1"
}

includes() {
    $python "$home/check_includes.py" --root "$area/tree" --public=latchkey.h --public=lk_port.h \
        --host-public=lk_linux.h
}

tree() {
    $python "$home/check_tree.py" --root "$area/tree"
}

mkdir -p "$area"
fresh
expect 0 "a tree in order passes the include check" includes
plant core/lk_a.c '#include "lk_lmdb.h"'
expect 1 "core may not include a backend" includes
plant core/lk_a.c '#include <stdio.h>'
expect 1 "core may not include the C library's input and output" includes
plant core/lk_a.c '  #  include <stdlib.h>'
expect 1 "an include written with spaces is seen" includes
plant core/kinds/lk_k.c '#include "lk_cli.h"'
expect 1 "a kind may not include the command line" includes
plant storage/ram/lk_ram.c '#include "lk_engine.h"'
expect 1 "a backend may not include the core's inside" includes
plant storage/ram/lk_ram.c '#include <stdlib.h>'
expect 1 "the RAM backend may not include the heap" includes
plant storage/lmdb/lk_lmdb.c '#include "lk_ram.h"'
expect 1 "a backend may not include another" includes
plant port/lk_port.h '#include "latchkey.h"'
expect 1 "the port interface may not include the core" includes
plant port/fake/lk_fake.c '#include <time.h>'
expect 1 "the fake port may not include the system" includes
plant cli/lk_b.c '#include "lk_engine.h"'
expect 1 "the command line may not include the core's inside" includes
plant cli/lk_b.c '#include <stdio.h>'
expect 1 "the portable command line may not include the C library" includes
plant cli/lk_b.c '#include "lk_linux.h"'
expect 1 "the portable command line may not include the Linux library" includes
plant cli/host/lk_c.c '#include "lk_linux.h"'
expect 0 "its Linux part may" includes

fresh
expect 0 "a tree in order passes the tree check" tree
plant core/lk_c.c '/* nothing said about a licence */'
expect 1 "a source without a licence line is found" tree
plant core/lk_a.c "/* TO""DO */"
expect 1 "unfinished business is found" tree
plant core/lk_a.c "/* see /home""/somebody/notes */"
expect 1 "a path of one machine is found" tree
plant helpers.mk '# SPDX-License-Identifier: MIT'
expect 1 "a file outside the top level is found" tree

# compile NAME TEXT
compile() {
    printf '%s\n' "$2" >"$area/$1.c"
    ${CC:-cc} -O1 -c "$area/$1.c" -o "$area/$1.o"
}

symbols() {
    $python "$home/check_symbols.py" --core "$area/$1.o" --frugal "$area/$2.o"
}

compile good '#include <string.h>
unsigned long long lk_good(void *a, const void *b, size_t n, unsigned long long d);
unsigned long long lk_good(void *a, const void *b, size_t n, unsigned long long d) {
    memcpy(a, b, n); return n / d; }'
compile prints '#include <stdio.h>
void lk_bad(const char *a);
void lk_bad(const char *a) { puts(a); }'
compile backend 'int lk_lmdb_open(void); int lk_bad(void); int lk_bad(void) { return lk_lmdb_open(); }'
compile allocates '#include <stdlib.h>
void *lk_bad(size_t n);
void *lk_bad(size_t n) { return malloc(n); }'
expect 0 "objects in order pass the symbol check" symbols good good
expect 1 "a core that prints is found" symbols prints good
expect 1 "a core that calls a backend by name is found" symbols backend good
expect 1 "a core that allocates is found" symbols allocates good
expect 1 "an allocation elsewhere below the front ends is found" symbols good allocates

# sized BYTES: the size of storage/flash for this machine, with a budget
sized() {
    echo "here $(gcc -dumpmachine) $1 -O1" >"$area/budget"
    sh "$home/flash_size.sh" "$area/flash" "$area/budget" storage/flash/nor_media.c
}
expect 0 "a size within its budget" sized 100000
expect 1 "a size over its budget" sized 10
expect 1 "a size of nothing" sh "$home/flash_size.sh" "$area/flash" "$area/budget" storage/flash/none.c

# The runner of the tests, too: what dies or is cut short must not look like success.
run() {
    rm -rf "$area/results"
    sh "$home/run_test.sh" "$area/results" x "$@" >/dev/null 2>&1
    sh "$home/sum_results.sh" "$area/results" x | tail -n 1
}
# counts WANTED COMMAND...
counts() {
    wanted_counts=$1
    shift
    said=$(run "$@")
    echo "$said"
    [ "$said" = "$wanted_counts" ]
}
expect 0 "a script's exit status counts" counts "0 passed, 1 failed" script false
expect 0 "a script's own lines count" counts "2 passed, 1 failed" script \
    sh -c 'echo ok 1; echo ok 2; echo not ok 3'
expect 0 "a script that fails after good lines fails" counts "1 passed, 1 failed" script \
    sh -c 'echo ok 1; exit 3'
expect 0 "cases not reached count as failed" counts "1 passed, 2 failed" cmocka \
    sh -c 'echo 1..3; echo ok 1 - a; kill -9 $$'
expect 0 "a program without cases fails" counts "0 passed, 1 failed" cmocka true
TEST_TIMEOUT=1
export TEST_TIMEOUT
expect 0 "a test that hangs is ended and fails" counts "0 passed, 1 failed" script sleep 30
# gone PID: within a second; a killed process lingers until its new parent has noticed.
gone() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        case $(ps -o stat= -p "$1" 2>/dev/null || cut -d ' ' -f 3 "/proc/$1/stat" 2>/dev/null) in
        '' | Z*) return 0 ;;
        esac
        sleep 0.1
    done
    return 1
}
# shellcheck disable=SC2016 # expanded by the inner shell
run script sh -c 'sleep 30 & echo $! >"$0"' "$area/child" >/dev/null
expect 0 "what a test leaves running is ended" gone "$(cat "$area/child")"

rm -rf "$area"
[ "$failed" -eq 0 ]
