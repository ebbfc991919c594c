# SPDX-License-Identifier: MIT
"""Prints what a firmware takes of flash and RAM, beside what it may take.

    firmware_size.py SIZE FIRMWARE BUDGET

SIZE is the tool that tells sections. BUDGET has a line each: `flash BYTES` for what is loaded,
`ram BYTES` for what is there before the stack; `#` begins a comment. Ends with 1 when one is passed.
"""
import subprocess
import sys


def main(tool, firmware, budget):
    sections = {}
    for line in subprocess.run([tool, "-A", firmware], check=True, capture_output=True,
                               text=True).stdout.splitlines():
        words = line.split()
        if len(words) == 3 and words[1].isdigit():
            sections[words[0]] = int(words[1])
    loaded = sum(sections.get(name, 0) for name in (".text", ".rodata", ".data"))
    taken = {"flash": loaded, "ram": sum(sections.get(name, 0) for name in (".data", ".bss"))}
    status = 0
    with open(budget) as file:
        for line in file:
            words = line.split("#")[0].split()
            if not words:
                continue
            name, most = words[0], int(words[1])
            print("%-10s %8d of %8d" % (name, taken[name], most))
            if taken[name] > most:
                print("%s: %s is %d bytes over its budget" % (firmware, name, taken[name] - most),
                      file=sys.stderr)
                status = 1
    return status


sys.exit(main(*sys.argv[1:]))
