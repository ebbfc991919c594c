# SPDX-License-Identifier: MIT
"""Starts the firmware of board_port.c on a new board, and again after a cut.

    board_port.py MACHINE...     (machines.py has the words)

Prints what it says of each service, "ok NAME" or "not ok NAME", and whether what must be another at
each start is, and what must be kept. Ends with 1 when one failed.
"""
import re
import sys
import time

import machines

SLEPT = 0.5, 60  # seconds that half a second of the board's may take here, where much else is done
bad = 0


def case(name, good, why=""):
    global bad
    bad += not good
    print("ok %s" % name if good else "not ok %s: %r" % (name, why), flush=True)


def start(machine):
    """What it said, by the first word of a line; its cases are printed."""
    global bad
    board = machine.start()
    said = board.wait(r"wait\r\n")[0]
    since = time.monotonic()
    said += board.wait(r"type k\r\n")[0]
    slept = time.monotonic() - since
    board.give(b"k")
    said += board.wait(r"done\r\n")[0]
    board.cut()
    for line in re.findall(r"(?m)^((?:not )?ok .*?)\r?$", said):
        bad += line.startswith("not")
        print(line, flush=True)
    # A line that is read late makes it shorter, by little.
    case("half a second is half a second", SLEPT[0] * 0.8 <= slept <= SLEPT[1], slept)
    return dict(re.findall(r"(?m)^(boot|entropy|secret|kept|new)\b ?(\w*)\r?$", said))


def main():
    machine = machines.machine(sys.argv[1:])
    first = start(machine)
    second = start(machine)
    case("flash is new, and keeps what it has over a cut", "new" in first and "kept" in second,
         (first, second))
    case("the device secret is kept over a cut", first["secret"] == second["secret"],
         (first, second))
    case("each start has other entropy", first["entropy"] != second["entropy"], (first, second))
    case("and another number", "boot" not in first or first["boot"] != second["boot"],
         (first, second))
    sys.exit(1 if bad else 0)


main()
