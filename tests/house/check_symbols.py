# SPDX-License-Identifier: MIT
"""Holds what objects need from outside against what they may need.

    check_symbols.py [--nm NM] --core OBJECT... --frugal OBJECT...

The core needs memory and string functions, what the compiler itself calls, and the assertion; it
reaches storage and port through tables only. The frugal objects (the core's among them) run where
there is no heap: none may name an allocator.
"""
import argparse
import re
import subprocess
import sys

ALLOWED = {"memcpy", "memmove", "memset", "memcmp", "memchr", "strlen", "strcmp", "strncmp",
           "lk_assert_failed"}
# Called by compilers: fortified forms of the above, stack protector, arithmetic that a small core
# lacks (libgcc), position independence, and what sanitizers and coverage put in.
HELPERS = re.compile(
    r"__(mem(cpy|move|set)_chk|stack_chk_\w+|aeabi_\w+|gnu_thumb1_\w+|\w*(div|mod|mul|ashl|ashr|lshr|"
    r"cmp|clz|ctz|popcount|bswap)[a-z]*[sdt]i[0-9]|asan_\w+|ubsan_\w+|sanitizer_\w+|gcov_\w+)|"
    r"_GLOBAL_OFFSET_TABLE_")
ALLOCATORS = {"malloc", "calloc", "realloc", "reallocarray", "free", "strdup", "strndup",
              "aligned_alloc", "posix_memalign", "asprintf", "vasprintf", "getline", "getdelim",
              "alloca", "mmap", "sbrk"}


def symbols(nm, path):
    """(defined, undefined) global names of an object."""
    defined, undefined = set(), set()
    output = subprocess.run([nm, "-g", path], check=True, capture_output=True, text=True).stdout
    for line in output.splitlines():
        fields = line.split()
        if len(fields) >= 2:
            (undefined if fields[-2] in "Uwv" else defined).add(fields[-1])
    return defined, undefined


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--core", nargs="+", required=True)
    parser.add_argument("--frugal", nargs="*", default=[])
    arguments = parser.parse_args()
    table = {path: symbols(arguments.nm, path)
             for path in dict.fromkeys(arguments.core + arguments.frugal)}
    own = set().union(*(table[path][0] for path in arguments.core))
    faults = 0
    for path in arguments.core:
        for name in sorted(table[path][1] - own - ALLOWED):
            if HELPERS.fullmatch(name) is None:
                print(f"{path}: needs {name}: the core may not", file=sys.stderr)
                faults += 1
    for path in table:
        for name in sorted(table[path][1] & ALLOCATORS):
            print(f"{path}: needs {name}: nothing below the Linux front ends allocates",
                  file=sys.stderr)
            faults += 1
    print(f"symbols: {len(table)} objects, {faults} names not allowed")
    sys.exit(1 if faults else 0)


main()
