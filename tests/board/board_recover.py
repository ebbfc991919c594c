# SPDX-License-Identifier: MIT
"""A board whose administrator is lost: the strap that is held at a start gives an empty store, and
nothing of the old one.

    board_recover.py PROGRAM STRAP MACHINE...     (machines.py has the words)

STRAP: words for the emulator that hold it.
"""
import re
import sys
import tempfile

import hosts
import machines

PASSWORD = "a battery of horses"
bad = 0


def case(name, holds, why=""):
    global bad
    bad += 0 if holds else 1
    print("%s %s%s" % ("ok" if holds else "not ok", name, "" if holds else ": %r" % (why,)), flush=True)


def log_in(board, password):
    board.wait("login: ")
    return board.try_login(password)[0]


def recover(machine, strap):
    """Starts with the strap held, until the board waits for it to be let go: the code it tells."""
    board = machine.start(*strap)
    said, found = board.wait(r"once: (\S+)\r?\n")
    case("a strap that is held is told of", "The strap is held" in said, said)
    said = board.wait("type a key")[0]
    case("and is to be let go", "Let go of the strap" in said, said)
    board.cut()
    return found.group(1).decode()


def new_owner(machine, code):
    board = machine.start()
    board.wait("login: ")
    case("the old password is refused", not board.try_login(PASSWORD)[0])
    board.try_login(code)
    for _ in range(2):
        board.send(PASSWORD + " indeed")
        board.wait("again: |admin@main> ")
    return board


def main():
    program, strap = sys.argv[1], sys.argv[2].split()
    machine = machines.machine(sys.argv[3:])
    board = machine.start()
    board.claim(PASSWORD)
    board.command("user add bob email=bob@example.org")
    head = re.search(r"latchkey-head-\S+", board.command("audit head")).group(0)
    board.cut()
    code = recover(machine, strap)
    case("what it erased cannot be read in the flash", b"bob@example" not in machine.store())
    board = new_owner(machine, code)
    said = board.command("user list")
    case("the new owner finds nobody else", "bob" not in said and "1 shown" in said, said)
    said = board.command("audit list --action store.recover --json")
    # What came after the head was taken: the hang-up of the session is not written by a cut.
    case("the new audit begins with the head of the old", head in said, (head, said))
    said = board.command("audit list --all")
    case("and has nothing else of it", said.count("user.add") == 1, said)
    case("all is in order", "all in order" in board.command("verify"))
    board.cut()
    with tempfile.TemporaryDirectory(prefix="recover") as folder:
        host = hosts.Host(program, machine, folder)
        host.take()
        status, said = host.run("user", "list")
        case("a host reads just that", status == 0 and "bob" not in said, (status, said))
    # A store that does not open is no obstacle.
    store = bytearray(machine.store())
    for at in range(0, len(store), machine.sector):
        store[at:at + 64] = bytes(64)
    machine.write(0, bytes(store))
    code = recover(machine, strap)
    board = new_owner(machine, code)
    said = board.command("audit list --action store.recover --json")
    case("where nothing can be read, that is said", "could not be read" in said, said)
    board.cut()
    sys.exit(1 if bad else 0)


main()
