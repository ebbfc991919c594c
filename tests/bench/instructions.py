#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Counts the instructions of fixed work, and holds them against a stored baseline.

    instructions.py PROGRAM BASELINE [--write]

Only those of the program itself count, not those of shared libraries, which choose their code by the
processor. More than BUDGET above the baseline fails; --write makes a new baseline.
"""
import os
import re
import subprocess
import sys
import tempfile

BUDGET = 0.03


def own_instructions(path, program):
    """The self cost of all functions in the program's own object."""
    total, own, skip = 0, False, False
    names = {}
    with open(path) as lines:
        for line in lines:
            named = re.match(r"(c?)ob=\((\d+)\)(?: (.*))?$", line)
            if named:
                if named.group(3):
                    names[named.group(2)] = named.group(3)
                if not named.group(1):
                    own = os.path.realpath(names[named.group(2)]) == program
            elif line.startswith("calls="):
                skip = True  # the next line is what the callee cost
            elif re.match(r"[+*\-\d]", line):
                if own and not skip:
                    total += int(line.split()[1])
                skip = False
    return total


def count(program, work):
    with tempfile.TemporaryDirectory() as place:
        out = os.path.join(place, "out")
        done = subprocess.run(["valgrind", "--tool=callgrind", "--toggle-collect=counted",
                               "--callgrind-out-file=" + out, program, work],
                              env={"PATH": os.environ["PATH"]}, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit("instructions: %s: exit status %d\n%s" % (work, done.returncode, done.stderr))
        found = own_instructions(out, program)
    if not found:
        sys.exit("instructions: %s: nothing was counted" % work)
    return found


def main():
    program, baseline = os.path.realpath(sys.argv[1]), sys.argv[2]
    works = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    found = {work: count(program, work) for work in works}
    if sys.argv[3:] == ["--write"]:
        with open(baseline, "w") as out:
            out.write("# Instructions of fixed work (make instructions); BASELINE=write makes it anew.\n")
            out.writelines("%s %d\n" % item for item in found.items())
        return 0
    with open(baseline) as lines:
        before = {line.split()[0]: int(line.split()[1]) for line in lines if line[0] != "#"}
    bad = sorted(set(found) ^ set(before))
    for work in bad:
        print("instructions: %s is in one of the two only" % work)
    for work in found:
        if work in before:
            ratio = found[work] / before[work]
            over = ratio > 1 + BUDGET
            bad += [work] if over else []
            print("  %-26s %12d %12d  %6.3f%s" % (work, before[work], found[work], ratio,
                                                  "  OVER" if over else ""))
    if bad:
        print("instructions: over the budget of %d %%: %s" % (BUDGET * 100, ", ".join(bad)))
    return 1 if bad else 0


sys.exit(main())
